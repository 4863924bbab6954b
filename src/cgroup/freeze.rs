//! The processes of a container stop, and go on: cgroup.freeze of its own cgroup (cgroups(7)). What a signal does to a frozen process it
//! does when the process is thawed; only SIGKILL ends it at once. Since Linux 5.2.

use rustix::fs::OFlags;

use crate::cgroup::kill::MOMENT;
use crate::cgroup::running;
use crate::cgroup::tree::PROCESSES;
use crate::ns::target::{line_after, read_whole};
use crate::report::hint;
use crate::report::message::{blame_hint, failed};
use crate::say;
use crate::spec::Spec;
use crate::state::Cgroup;
use crate::sys::files::{self, Fd, write};
use crate::sys::{self, Done, Failure};
use crate::text::PATH;

/// How many moments the processes have to stop: 10 s. One that waits for a device that does not answer does not stop.
const MOMENTS: u32 = 10_000;

/// `--freeze` and `--thaw`: stops all processes of the container of `spec.target`, or lets them go on. Returns the exit status, after the
/// message if there is one.
#[must_use]
pub fn run(spec: &Spec<'_>, freeze: bool) -> i32 {
    let says = if freeze { say!("freeze") } else { say!("thaw") };
    let named = spec.target.unwrap_or_default();
    let done = running::find(named).and_then(|container| {
        if container.holds_us {
            return Err(Failure::INSIDE);
        }
        set(container.cgroup, freeze)
    });
    match done.map_err(|why| blame_hint(says, named, why, hint::of_running(spec, why).hint())) {
        Ok(()) => 0,
        Err(_) => failed(),
    }
}

/// A signal asks a container to end, and frozen processes could not obey. A failure does no harm: the cgroup is not frozen, or the kernel
/// cannot freeze it.
pub fn thaw(cgroup: Option<Cgroup>) {
    if let Some(cgroup) = cgroup {
        let _ = order(cgroup.own, false);
    }
}

fn set(cgroup: Fd, freeze: bool) -> Done {
    order(cgroup, freeze)?;
    for _ in 0..MOMENTS {
        if is_frozen(cgroup)? == freeze {
            return Ok(());
        }
        sys::pause(MOMENT);
    }
    if freeze {
        // Never half of it.
        let _ = order(cgroup, false);
        return Err(Failure::NOT_FROZEN);
    }
    Err(Failure::STILL_FROZEN)
}

fn order(cgroup: Fd, freeze: bool) -> Done {
    let written = files::open(cgroup, c"cgroup.freeze", OFlags::WRONLY).and_then(|file| {
        let written = write(file, if freeze { b"1" } else { b"0" });
        sys::close(file);
        written
    });
    match written {
        Ok(_) => Ok(()),
        // The container has ended, and its cgroup was removed.
        Err(_) if files::look(cgroup, PROCESSES).is_err() => Err(Failure::SRCH),
        Err(Failure::NOENT) => Err(Failure::NO_FREEZER),
        Err(why) => Err(why),
    }
}

fn is_frozen(cgroup: Fd) -> Result<bool, Failure> {
    let mut events = [0u8; PATH];
    // A cgroup that was removed meanwhile has no such file.
    read_whole(cgroup, c"cgroup.events", &mut events).map_err(|_| Failure::SRCH)?;
    Ok(line_after(&events, b"frozen ") == Some(b"1"))
}
