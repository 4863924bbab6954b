//! All processes of a cgroup are killed, and it is removed.

use core::ffi::CStr;

use rustix::fs::{AtFlags, OFlags, unlinkat};

use crate::cgroup::tree::{PROCESSES, READ};
use crate::lines;
use crate::sys::files::{self, Fd, write};
use crate::sys::{self, Done, Failure, Signal, Time};
use crate::text;

/// The kernel needs a moment for the end of the last process, and for the stop of one.
pub const MOMENT: Time = Time { seconds: 0, nanos: 1_000_000 };

/// Kills all processes of a cgroup and of those below, and removes the latter. Returns whether one was removed.
pub fn all(cgroup: Fd) -> bool {
    // Since Linux 5.14. It kills in the cgroups below too.
    let killed = order(cgroup, c"cgroup.kill").is_ok();
    if !killed {
        // Since Linux 5.2. A frozen process does not fork meanwhile, and SIGKILL ends it.
        let _ = order(cgroup, c"cgroup.freeze");
    }
    remove_below(cgroup, !killed)
}

fn order(cgroup: Fd, file: &CStr) -> Done {
    let file = files::open(cgroup, file, OFlags::WRONLY)?;
    let done = write(file, b"1");
    sys::close(file);
    done.map(|_| ())
}

/// Removes a cgroup, after what is left in `kills`, which is its directory, is killed; without it, the processes end by themselves.
/// `patience`: how many moments it waits for them.
///
/// # Errors
/// EBUSY: a process does not end; others: see rmdir(2).
pub fn remove(parent: Fd, name: &CStr, kills: Option<Fd>, patience: u32) -> Done {
    let mut waited = 0;
    while waited < patience {
        match remove_empty(parent, name) {
            Err(Failure::BUSY) => {}
            Err(Failure::NOENT) => return Ok(()),
            done => return done,
        }
        // As long as cgroups below can be removed there is no reason to wait.
        if !kills.is_some_and(all) {
            waited += 1;
            sys::pause(MOMENT);
        }
    }
    Err(Failure::BUSY)
}

/// Removes a cgroup that has neither processes nor cgroups.
///
/// # Errors
/// EBUSY: it has processes, or cgroups below; ENOENT: it was removed already; others: see rmdir(2).
pub fn remove_empty(parent: Fd, name: &CStr) -> Done {
    Ok(unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}

/// Removes the cgroups below a cgroup, the deepest first, up to one that still has processes; with `kills` it kills those on the way.
/// Returns whether one was removed. The container may have made any number of them, in any depth: so there is no recursion, and each
/// step up is by `..`, which leads nowhere else, because cgroups of version 2 cannot be moved.
fn remove_below(cgroup: Fd, kills: bool) -> bool {
    let (mut removed, mut depth) = (false, 0u32);
    let Ok(mut here) = files::open(cgroup, c".", READ) else { return false };
    let mut returned = false;
    loop {
        if kills {
            each(here);
        }
        let (mut below, mut stuck) = (None, false);
        let _ = files::each_name_while(here, &mut |name| {
            if text::after(name.to_bytes(), b".").is_some() {
                return true;
            }
            match remove_empty(here, name) {
                Ok(()) => (removed, returned) = (true, false),
                // The first cgroup is that which was just emptied: it has processes.
                Err(Failure::BUSY) if returned => stuck = true,
                Err(Failure::BUSY) => below = files::open(here, name, READ).ok(),
                // A file is no directory: ENOTDIR.
                Err(_) => {}
            }
            !stuck && below.is_none()
        });
        returned = below.is_none();
        let next = match below {
            None if depth == 0 || stuck => None,
            None => files::open(here, c"..", READ).ok(),
            below => below,
        };
        depth = if returned { depth.saturating_sub(1) } else { depth + 1 };
        sys::close(here);
        match next {
            Some(next) => here = next,
            None => return removed,
        }
    }
}

/// Kills one process after the other.
fn each(cgroup: Fd) {
    let Ok(list) = files::open(cgroup, PROCESSES, OFlags::RDONLY) else { return };
    let _ = lines::each(list, &mut |line| {
        // 0 is a process that has no number in our pid namespace: kill(2) would take it for our process group.
        if let Some(process @ 1..) = text::number(line) {
            let _ = sys::kill(process.cast_signed(), Signal::KILL);
        }
    });
    sys::close(list);
}
