//! The user and group ids of this process (credentials(7)).

use core::ffi::CStr;

use crate::sys::PR_SET_DUMPABLE;
use rustix::thread::{Gid, Uid, set_thread_res_gid, set_thread_res_uid};

use crate::report::hint;
use crate::report::message::{blame, blame_hint};
use crate::say;
use crate::spec::Spec;
use crate::state::Caller;
use crate::sys::{self, Done, Failure};
use crate::text::Say;

/// Takes the user and group ids of the command, and leaves the caller's supplementary groups if the kernel permits that.
///
/// # Errors
/// Reported. EINVAL: the id is not mapped in the user namespace; EPERM: this process may not take it.
pub fn become_command(spec: &Spec<'_>, caller: &Caller) -> Done {
    let (uid, gid) = (spec.ids.uid, spec.ids.gid);
    leave_groups().map_err(|why| blame(say!("leave the caller's groups"), c"", why))?;
    if gid != caller.gid {
        let id = Gid::from_raw(gid);
        set_thread_res_gid(id, id, id).map_err(|errno| refused(say!("become the group of"), c"--gid", errno.into()))?;
    }
    if uid != caller.uid {
        let id = Uid::from_raw(uid);
        set_thread_res_uid(id, id, id).map_err(|errno| refused(say!("become the user of"), c"--uid", errno.into()))?;
    }
    // Changing credentials resets PR_SET_DUMPABLE to fs.suid_dumpable.
    if spec.hides() { sys::prctl(PR_SET_DUMPABLE, 0) } else { Ok(()) }
}

fn refused(says: Say, on: &CStr, why: Failure) -> Failure {
    blame_hint(says, on, why, hint::of_own_id(why).hint())
}

/// Leaves the caller's supplementary groups.
///
/// # Errors
/// The errno of a seccomp filter. EPERM is no error here: a user namespace around nsinit denies setgroups(2), and then no process
/// in it can leave a group.
pub fn leave_groups() -> Done {
    match sys::clear_groups() {
        Err(Failure::PERM) => Ok(()),
        done => done,
    }
}

/// Takes user and group id 0 of the user namespace that was joined, and leaves the supplementary groups.
///
/// # Errors
/// EINVAL: the user namespace does not map 0.
pub fn become_root() -> Done {
    leave_groups()?;
    set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT)?;
    Ok(set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT)?)
}
