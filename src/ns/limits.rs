//! How many namespaces may be made: /proc/sys/user (namespaces(7)).

use core::ffi::CStr;

#[cfg(feature = "cgroup")]
use linux_raw_sys::general::CLONE_NEWCGROUP;
use linux_raw_sys::general::CLONE_NEWUSER;
use rustix::fs::OFlags;
#[cfg(feature = "cgroup")]
use rustix::process::Pid;

use crate::fs::procfs;
use crate::report::message::refuse;
use crate::say;
use crate::spec::Spec;
use crate::sys::files::{Fd, read, write};
use crate::sys::{self, Done, Failure, Fork};
use crate::text::Say;

/// The limits apply to the user namespace of the process that opens the file, and to those below it. Writing needs
/// CAP_SYS_RESOURCE there.
const USERS: &CStr = c"sys/user/max_user_namespaces";
/// See [`USERS`].
const CGROUPS: &CStr = c"sys/user/max_cgroup_namespaces";

/// The name of the step that calls [`forbid_nesting`].
pub const FORBID: Say = say!("forbid user and cgroup namespaces");

/// The content of the file for a limit of 0, as it is written and as the kernel reports it.
const NONE: &[u8] = b"0\n";

fn set(proc: Fd, file: &CStr, most: &[u8]) -> Done {
    write(procfs::open_file(proc, file, OFlags::WRONLY)?, most)?;
    Ok(())
}

fn is_none(proc: Fd, file: &CStr) -> bool {
    let mut most = [0u8; 2];
    procfs::open_file(proc, file, OFlags::RDONLY).is_ok_and(|file| read(file, &mut most) == Ok(2) && most == *b"0\n")
}

/// Permits one user namespace below this one, and none below that. `proc` is a procfs.
///
/// # Errors
/// ENOENT: the kernel has no such limits; EACCES, EPERM: they may not be written.
pub fn permit_one_user_namespace(proc: Fd) -> Done {
    set(proc, USERS, b"1")
}

/// Permits no user and no cgroup namespace in this user namespace, except the one user namespace that the command is to be in. A process
/// that makes both could, without any capability, mount the caller's cgroup as its owner: it could freeze it, kill it, or change its
/// limits.
///
/// # Errors
/// ENOENT: the kernel has no such limits; EROFS: /proc/sys belongs to a container around nsinit.
pub fn forbid_nesting(spec: &Spec<'_>, proc: Fd) -> Done {
    if !spec.nests_users() {
        set(proc, USERS, NONE)?;
    }
    set(proc, CGROUPS, NONE)
}

/// Whether no user namespace can be made in this one: its limit is 0.
#[must_use]
pub fn permit_no_user_namespace(proc: Fd) -> bool {
    is_none(proc, USERS)
}

/// Calls `body`, which makes a cgroup namespace in a user namespace that was joined. If [`forbid_nesting`] has set the limit there, it
/// is lifted for that call. Only a process with CAP_SYS_ADMIN could use the moment, and that process can change the limit itself.
///
/// # Errors
/// As `body`; EACCES, EPERM: the limit may not be written.
pub fn despite_limit(proc: Fd, body: &dyn Fn() -> Result<Fork, Failure>) -> Result<Fork, Failure> {
    match body() {
        Err(Failure::NOSPC) if is_none(proc, CGROUPS) => {
            set(proc, CGROUPS, b"2147483647")?;
            let fork = body();
            if !matches!(fork, Ok(Fork::Child)) {
                set(proc, CGROUPS, NONE)?;
            }
            fork
        }
        answer => answer,
    }
}

/// Makes a cgroup namespace, in a user namespace that was joined too.
///
/// # Errors
/// As unshare(2); EACCES, EPERM: the limit may not be written.
#[cfg(feature = "cgroup")]
pub fn make_cgroup_namespace(spec: &Spec<'_>, proc: Fd) -> Done {
    let make = || sys::unshare(CLONE_NEWCGROUP);
    if !spec.joins_user() {
        return make();
    }
    // As after a fork, the limit is set again in the process that has lifted it.
    despite_limit(proc, &|| make().map(|()| Fork::Parent(Pid::INIT))).map(|_| ())
}

/// Tries to make a user namespace, which must fail.
///
/// # Errors
/// Reported: one was made. EAGAIN: no process can be made to try it.
pub fn assert_no_user_namespace() -> Done {
    let child = sys::spawn(|()| i32::from(sys::unshare(CLONE_NEWUSER).is_err()), &())?;
    if sys::wait_end(child.as_raw_nonzero().get())? == 0 {
        let why = say!("creation of new user namespaces was not disabled as requested");
        let _ = refuse(why);
        return Err(Failure::REPORTED);
    }
    Ok(())
}
