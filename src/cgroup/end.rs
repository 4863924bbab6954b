//! The end of the container's cgroup.

use rustix::fs::fstat;

use crate::cgroup::controllers;
use crate::cgroup::kill;
use crate::cgroup::make::{self, LEAF};
use crate::ns::target::{line_after, read_whole};
use crate::report::message::blame_hint;
use crate::say;
use crate::state::{Cgroup, Launch};
use crate::sys::{Done, Failure};
use crate::text::PATH;

/// How many moments the removal waits for processes that end: 2 s.
const PATIENCE: u32 = 2000;

/// Whether the kernel has killed a process of the container because of its limit on memory.
#[must_use]
pub fn has_killed_for_memory(launch: &Launch) -> bool {
    let Some(cgroup) = launch.cgroup.known() else { return false };
    let mut events = [0u8; PATH];
    read_whole(cgroup.own, c"memory.events", &mut events).is_ok()
        && line_after(&events, b"oom_kill ").is_some_and(|count| count != b"0")
}

/// Process 1 has ended before it started the command: reports that, if the limit on memory is the reason.
#[must_use]
pub fn blame_memory(launch: &Launch) -> Option<Failure> {
    let hint = say!("the kernel killed process 1: the container's limit on memory is too low");
    has_killed_for_memory(launch).then(|| blame_hint(say!("start"), c"CMD", Failure::NOMEM, hint))
}

/// Removes the cgroup, after what is left in it is killed.
///
/// # Errors
/// EBUSY: a process does not end.
pub fn remove_with_processes(launch: &Launch) -> Done {
    let Some(cgroup) = launch.cgroup.known() else { return Ok(()) };
    let removed = kill::remove(cgroup.parent, make::name(cgroup.number, b"").c_str(), Some(cgroup.own), PATIENCE);
    if cgroup.leaf.is_some() { go_home(launch, &cgroup) } else { removed }
}

/// Kills all processes of the container, and those that they start meanwhile.
pub fn kill_processes(launch: &Launch) {
    if let Some(cgroup) = launch.cgroup.known() {
        let _ = kill::all(cgroup.own);
    }
}

/// The launcher returns from its leaf, with the caller's process if that still waits: CMD never ran. Controllers are disabled only if no
/// other cgroup is limited by them.
fn go_home(launch: &Launch, cgroup: &Cgroup) -> Done {
    // `.`, `..` and the leaf.
    if fstat(cgroup.parent)?.st_nlink == 3 {
        controllers::disable_all(cgroup.parent)?;
    }
    make::move_all(launch, cgroup.parent)?;
    kill::remove(cgroup.parent, make::name(cgroup.number, LEAF).c_str(), None, PATIENCE)
}
