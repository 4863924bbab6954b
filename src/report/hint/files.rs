//! Why files and terminals cannot be opened or made.

use core::ffi::CStr;

use crate::spec::Spec;
use crate::sys::{self, Failure, Signal};
use crate::text;

use super::facts::{first_of, is_missing};
use super::{Cause, of_call};

/// Why the container has no terminal for CMD.
#[must_use]
pub fn of_terminal(spec: &Spec<'_>, why: Failure) -> Cause {
    match why {
        Failure::NOENT | Failure::ACCESS if spec.enters() => Cause::NoTerminalsInside,
        Failure::NOENT | Failure::ACCESS => Cause::NoTerminals,
        _ => of_call(why),
    }
}

/// Why /dev/loop-control cannot be opened.
#[must_use]
pub fn of_loop(why: Failure) -> Cause {
    if matches!(why, Failure::NOENT | Failure::NXIO | Failure::NODEV) { Cause::NoLoopDevices } else { Cause::Unknown }
}

/// Why nsinit cannot look at its own program in /proc.
#[must_use]
pub fn of_own_file(why: Failure) -> Cause {
    if is_missing(c"/proc/self") { Cause::NoProc } else { of_call(why) }
}

/// Why a standard descriptor cannot be opened again.
#[must_use]
pub fn of_reopened(why: Failure) -> Cause {
    if why == Failure::NXIO { Cause::OpenedAsTty } else { Cause::NotReopened }
}

/// Why the pid file cannot be made: the file that exists may be a pid file or any other.
#[must_use]
pub fn of_pid_file(path: &CStr, why: Failure) -> Cause {
    let mut content = [0u8; 16];
    let content = if why == Failure::EXIST { first_of(path, &mut content) } else { return Cause::Unknown };
    let number = text::number(text::first(content, b'\n')).and_then(|number| i32::try_from(number).ok());
    // Signal 0 is never sent (kill(2)).
    match number.filter(|number| *number > 0).map(|number| sys::kill(number, Signal::new(0))) {
        Some(Ok(()) | Err(Failure::PERM)) => Cause::PidFile,
        _ => Cause::Unknown,
    }
}
