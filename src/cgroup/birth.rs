//! Process 1 is born in the container's cgroup: no process and no memory of the container is ever outside of it.

use rustix::fs::OFlags;

use crate::cgroup::{limit, tree};
use crate::report::hint;
use crate::report::message::blame_hint;
use crate::say;
use crate::spec::Object;
use crate::state::Launch;
use crate::sys::files::{self, write};
use crate::sys::{Failure, Fork};
use crate::text::Say;

const ENTER: Say = say!("enter the container's cgroup, in");
const LEAVE: Say = say!("leave the container's cgroup, in");

/// Where clone3(2) cannot make a child in a cgroup (before Linux 5.7): calls `fork` while the launcher itself is in the cgroup.
///
/// # Errors
/// As `fork`. Reported: the launcher cannot enter the cgroup, or return.
pub fn with_launcher(launch: &Launch, fork: &dyn Fn() -> Result<Fork, Failure>) -> Result<Fork, Failure> {
    let spec = &launch.spec;
    let blamed = |says| move |why| blame_hint(says, Object::Cgroup.name(spec), why, hint::of_cgroup(spec, why).hint());
    let open = |directory| files::open(directory, tree::PROCESSES, OFlags::WRONLY);
    let cgroup = launch.cgroup.get()?;
    let home = tree::home(launch.proc.get()?).and_then(open).map_err(blamed(ENTER))?;
    open(cgroup.start()).and_then(|file| write(file, b"0")).map_err(blamed(ENTER))?;
    let mut result = fork();
    // Meanwhile the launcher counts too. Process 1 waits for the launcher before it forks.
    let lifted = matches!(result, Err(Failure::AGAIN)) && limit::set_processes(launch, Some(b"max"))?;
    if lifted {
        result = fork();
    }
    if !matches!(result, Ok(Fork::Child)) {
        write(home, b"0").map_err(blamed(LEAVE))?;
        if lifted {
            limit::set_processes(launch, None)?;
        }
    }
    result
}
