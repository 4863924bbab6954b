//! The end of a machine: all processes end, all file systems are written and unmounted, the kernel switches off.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{OFlags, sync};
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{Pid, getpid};
use rustix::system::{RebootCommand, reboot};

use crate::fs::procfs;
use crate::fs::staging::mount_by_path;
use crate::mountinfo;
use crate::report::message::warn;
use crate::rootfs::initramfs;
use crate::say;
use crate::supervise::wait::{self, ANY_CHILD, Heard};
use crate::sys::files::Fd;
use crate::sys::{self, Change, Failure, Siginfo, Signal, Time};
use crate::text::Say;
use crate::text::verb;
use crate::text::{self, Text};

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

/// Seconds to wait for processes that SIGKILL does not end at once.
const PATIENCE: u32 = 2;

/// How a wait for other processes has ended.
#[derive(PartialEq, Eq)]
enum Wait {
    /// They have ended.
    Over,
    /// The time is over.
    Late,
    /// A second signal asked for the end.
    Asked,
}

/// Reaps until `child` has ended, or no child is left; at most so many seconds. How `child` ended is stored in `end`.
fn wait_for(child: Option<Pid>, seconds: Option<u32>, end: &mut Option<Change>) -> Wait {
    let until = seconds.map(|seconds| sys::now().after(seconds));
    loop {
        let mut info = Siginfo::EMPTY;
        let (pid, change) = match sys::wait4(None, false) {
            Ok(Some(changed)) => changed,
            // ECHILD.
            Err(_) => return Wait::Over,
            Ok(None) => match wait::signal(until.map(Time::left), ANY_CHILD, &mut info) {
                Heard::Signal if Power::asked_by(info.signal()).is_some() => return Wait::Asked,
                Heard::Child(pid, change) => (pid, change),
                Heard::Signal | Heard::Nothing => continue,
                Heard::TimeIsOver => return Wait::Late,
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
    let _ = wait_for(None, Some(0), &mut None);
}

/// Ends all processes but this one: SIGTERM to `child`, which ends its own descendants; SIGTERM to all others; SIGKILL to all that
/// are left. After each SIGTERM so many seconds pass at most (`None`: no limit), or less if a second signal asks for the end. Returns
/// how `child` ended, if it did so after SIGTERM.
pub fn end_all(child: Option<Pid>, seconds: Option<u32>) -> Option<Change> {
    const ALL: i32 = -1;
    let ask = |target| {
        let _ = sys::kill(target, Signal::TERM);
        let _ = sys::kill(target, Signal::CONT);
    };
    let (mut waited, mut end) = (Wait::Over, None);
    if let Some(child) = child {
        ask(child.as_raw_nonzero().get());
        waited = wait_for(Some(child), seconds, &mut end);
    }
    if waited != Wait::Asked {
        ask(ALL);
        waited = wait_for(None, seconds, &mut None);
    }
    if waited != Wait::Over {
        let _ = sys::kill(ALL, Signal::KILL);
        let _ = wait_for(None, Some(PATIENCE), &mut None);
    }
    end
}

/// How many times all mounts are tried: a mount may be busy because of another.
const PASSES: u32 = 3;

/// Unmounts all that holds data, the last mount first. What stays busy becomes read-only, and is unmounted lazily.
pub fn unmount_all() {
    sync();
    let me = procfs::open().and_then(|proc| procfs::process(proc, getpid()));
    for pass in 1..=PASSES {
        if me.is_ok_and(|me| unmount_each(me, pass == PASSES)) {
            break;
        }
    }
    // The root cannot be unmounted.
    if let Err(why) = make_read_only(c"/")
        && initramfs::is_root() == Ok(false)
    {
        warn(verb::MAKE_READ_ONLY, c"/", why, Say::NOTHING);
    }
    sync();
}

fn make_read_only(place: &CStr) -> sys::Done {
    mount_by_path(c"", place, c"", raw::MS_REMOUNT | raw::MS_RDONLY, c"")
}

/// Returns whether all are unmounted.
fn unmount_each(me: Fd, last: bool) -> bool {
    let mut count = 0;
    let _ = each_mount(me, &mut |_| count += 1);
    let mut gone = true;
    for index in (0..count).rev() {
        let (mut path, mut at) = (Text::new(), 0);
        let _ = each_mount(me, &mut |mount| {
            if at == index {
                mountinfo::unescape(mount.path, &mut path);
            }
            at += 1;
        });
        let place = path.c_str();
        if holds_nothing(place) || unmount(place, UnmountFlags::NOFOLLOW).is_ok() {
            continue;
        }
        gone = false;
        if last {
            if let Err(why) = make_read_only(place) {
                warn(verb::MAKE_READ_ONLY, place, why, Say::NOTHING);
            }
            let _ = unmount(place, UnmountFlags::NOFOLLOW | UnmountFlags::DETACH);
        }
    }
    gone
}

fn each_mount(me: Fd, look: &mut dyn FnMut(&mountinfo::Line<'_>)) -> Result<(), Failure> {
    mountinfo::each(procfs::open_file(me, c"mountinfo", OFlags::RDONLY)?, look)
}

/// The root, and mounts in the kernel's own trees.
fn holds_nothing(place: &CStr) -> bool {
    const TREES: [&[u8]; 3] = [b"/proc", b"/sys", b"/dev"];
    let below = |tree: &&[u8]| text::after(place.to_bytes(), tree).is_some_and(|rest| matches!(rest, [] | [b'/', ..]));
    matches!(place.to_bytes(), [] | b"/") || TREES.iter().any(below)
}

/// reboot(2). In a pid namespace other than the first, the kernel kills its process 1 instead.
///
/// Returns why the call failed (EPERM: no CAP_SYS_BOOT), or [`Failure::REPORTED`] if it did not.
pub fn switch(power: Power, of_machine: bool) -> Failure {
    let command = match power {
        Power::Off => RebootCommand::PowerOff,
        Power::Restart => RebootCommand::Restart,
        Power::Halt => RebootCommand::Halt,
    };
    match reboot(command) {
        Ok(()) => Failure::REPORTED,
        Err(why) => {
            let why = Failure::from(why);
            // In a container it is usual to have no CAP_SYS_BOOT.
            if of_machine || why != Failure::PERM {
                warn(power.says(), c"", why, Say::NOTHING);
            }
            why
        }
    }
}
