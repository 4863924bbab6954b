//! The end of a machine: all processes end, and the kernel switches off. `storage` comes between the two.

use core::ffi::CStr;

use rustix::process::Pid;
use rustix::system::{RebootCommand, reboot};

use crate::report::kernel_log;
use crate::report::message::warn;
use crate::say;
use crate::spec::rooms;
use crate::supervise::hardware::watchdog;
use crate::supervise::shutdown::PATIENCE;
use crate::supervise::wait::{self, ANY_CHILD, Heard};
use crate::sys::{self, Change, Failure, Siginfo, Signal, Span, Time};
use crate::text::Say;

/// How a machine ends, reboot(2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Power {
    Off,
    Restart,
    Halt,
}

impl Power {
    /// What a signal to the first process asks for: as in busybox (TERM, INT from Ctrl-Alt-Del, USR1, USR2, PWR) and as in
    /// systemd (SIGRTMIN+3 to +5, by their numbers: C libraries disagree about SIGRTMIN).
    #[must_use]
    pub fn asked_by(signal: Signal) -> Option<Power> {
        match signal {
            Signal::INT | Signal::TERM => Some(Power::Restart),
            Signal::USR1 => Some(Power::Halt),
            Signal::USR2 | Signal::PWR => Some(Power::Off),
            _ => match signal.number() {
                37 => Some(Power::Halt),
                38 => Some(Power::Off),
                39 => Some(Power::Restart),
                _ => None,
            },
        }
    }

    fn says(self) -> Say {
        match self {
            Power::Off => say!("switch the power off"),
            Power::Restart => say!("restart the machine"),
            Power::Halt => say!("halt the machine"),
        }
    }
}

/// How a wait for other processes has ended.
#[derive(PartialEq, Eq)]
pub enum Wait {
    /// They have ended.
    Over,
    /// The time is over.
    Late,
    /// A second signal asked for the end.
    Asked,
}

/// Reaps until `child` has ended, or no child is left; at most until then. How `child` ended is stored in `end`.
pub fn wait_for(child: Option<Pid>, until: Option<Time>, end: &mut Option<Change>) -> Wait {
    loop {
        let mut info = Siginfo::empty();
        let first = sys::earlier(until, watchdog::feed());
        let (pid, change) = match sys::wait4(None, false) {
            Ok(Some(changed)) => changed,
            // ECHILD.
            Err(_) => return Wait::Over,
            Ok(None) => match wait::signal(first.map(Time::left), ANY_CHILD, &mut info) {
                Heard::Signal if Power::asked_by(info.signal()).is_some() => return Wait::Asked,
                Heard::Child(pid, change) => (pid, change),
                Heard::Signal | Heard::Nothing => continue,
                Heard::TimeIsOver if first == until => return Wait::Late,
                Heard::TimeIsOver => continue,
            },
        };
        if Some(pid) == child && matches!(change, Change::Exited(_) | Change::Killed(_)) {
            *end = Some(change);
            return Wait::Over;
        }
    }
}

/// Reaps all children that have ended.
pub fn reap() {
    let _ = wait_for(None, Some(sys::now()), &mut None);
}

/// Ends all processes but this one: SIGTERM to `child`, which ends its own descendants; SIGTERM to all others; SIGKILL to all that
/// are left. Between the first two, SIGTERM to each process that `next` returns. After each SIGTERM `span` passes at most (`None`: no limit), or less if a second signal asks for the
/// end. Returns how `child` ended, if it did so after SIGTERM.
pub fn end_all(child: Option<Pid>, next: &mut dyn FnMut() -> Option<Pid>, span: Option<Span>) -> Option<Change> {
    const ALL: i32 = -1;
    let ask = |target| {
        let asked = sys::kill(target, Signal::TERM);
        let _ = sys::kill(target, Signal::CONT);
        asked.is_ok()
    };
    let until = || span.map(|span| sys::now().after_span(span));
    let (mut waited, mut end) = (Wait::Over, None);
    if let Some(child) = child {
        ask(child.as_raw_nonzero().get());
        waited = wait_for(Some(child), until(), &mut end);
    }
    while waited != Wait::Asked
        && let Some(service) = next()
    {
        let number = service.as_raw_nonzero().get();
        // It may have been reaped meanwhile.
        if ask(number) {
            waited = wait_for(Some(service), until(), &mut None);
            // What it depends on ends next.
            if waited == Wait::Late {
                let _ = sys::kill(number, Signal::KILL);
            }
        }
    }
    if waited != Wait::Asked {
        ask(ALL);
        waited = wait_for(None, until(), &mut None);
    }
    if waited != Wait::Over {
        let _ = sys::kill(ALL, Signal::KILL);
        let _ = wait_for(None, Some(sys::now().after(PATIENCE)), &mut None);
    }
    end
}

/// reboot(2). In a pid namespace other than the first, the kernel kills its process 1 instead.
///
/// Returns why the call failed (EPERM: no CAP_SYS_BOOT), or [`Failure::REPORTED`] if it did not.
///
/// `argument` is that of a restart; empty: it has none.
pub fn switch(power: Power, argument: &CStr, of_machine: bool) -> Failure {
    let command = match power {
        Power::Off => RebootCommand::PowerOff,
        Power::Restart => RebootCommand::Restart,
        Power::Halt => RebootCommand::Halt,
    };
    if of_machine {
        kernel_log::flush(kernel_log::AT_END);
    }
    let done = if rooms::HARDWARE && power == Power::Restart && !argument.is_empty() {
        sys::restart_with(argument)
    } else {
        reboot(command).map_err(Failure::from)
    };
    match done {
        Ok(()) => Failure::REPORTED,
        Err(why) => {
            // In a container it is usual to have no CAP_SYS_BOOT.
            if of_machine || why != Failure::PERM {
                warn(power.says(), c"", why, Say::NOTHING);
            }
            why
        }
    }
}
