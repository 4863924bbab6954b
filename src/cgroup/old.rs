//! Cgroups of version 1: the container joins those that the user names. nsinit makes none, and sets no limit in them.

use core::ffi::CStr;

use rustix::fs::OFlags;

use crate::cgroup::tree;
use crate::fs::procfs;
use crate::report::hint;
use crate::report::message::blame_hint;
use crate::say;
use crate::state::Launch;
use crate::sys::files::{self, Fd, HERE, write};
use crate::sys::{Done, Failure};
use crate::text::Say;

/// `CGROUP_SUPER_MAGIC`.
const CGROUP1: u64 = 0x0027_e0eb;

const OPEN: Say = say!("open cgroup");
const JOIN: Say = say!("join cgroup");

/// Opens what process 1 needs to join them: it may have no right to the files any more.
///
/// # Errors
/// Reported. ENOENT: there is no such cgroup; [`Failure::NO_OLD_CGROUP`]: it is none of version 1; EACCES: it belongs to another user.
pub fn open_all(launch: &mut Launch) -> Done {
    for (path, file) in launch.spec.cgroup.old.iter().zip(&mut launch.old_cgroups) {
        let opened = open(path).map_err(|why| blame_hint(OPEN, path, why, hint::of_old_cgroup(why).hint()));
        *file = Some(opened?);
    }
    Ok(())
}

fn open(path: &CStr) -> Result<Fd, Failure> {
    let directory = files::directory(HERE, path)?;
    if procfs::file_system(directory) != Ok(CGROUP1) {
        return Err(Failure::NO_OLD_CGROUP);
    }
    files::open(directory, tree::PROCESSES, OFlags::WRONLY)
}

/// Moves the calling process to them.
///
/// # Errors
/// Reported. ENOSPC: a cgroup of the controller cpuset has no processors or no memory nodes; EACCES: the caller may not move it.
pub fn join_all(launch: &Launch) -> Done {
    for (path, file) in launch.spec.cgroup.old.iter().zip(launch.old_cgroups.into_iter().flatten()) {
        write(file, b"0").map_err(|why| blame_hint(JOIN, path, why, hint::of_old_cgroup(why).hint()))?;
    }
    Ok(())
}
