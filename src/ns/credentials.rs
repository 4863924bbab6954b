//! The user and group ids of this process (credentials(7)).

use core::ffi::CStr;

use crate::sys::PR_SET_DUMPABLE;
use rustix::thread::{Gid, Uid, set_thread_res_gid, set_thread_res_uid};

use crate::report::hint;
use crate::report::message::{blame, blame_hint};
use crate::say;
#[cfg(feature = "ids")]
use crate::spec::Range;
use crate::spec::{Spec, rooms};
use crate::state::Caller;
use crate::sys::{self, Done, Failure};
use crate::text::{Say, Short};

/// Takes the user and group ids of the command, and leaves the caller's supplementary groups if the kernel permits that.
///
/// # Errors
/// Reported. EINVAL: the id is not mapped in the user namespace; EPERM: this process may not take it.
pub fn become_command(spec: &Spec<'_>, caller: &Caller) -> Done {
    let (uid, gid) = (spec.ids.uid, spec.ids.gid);
    match spec.ids.groups.filter(|_| rooms::IDS) {
        None => leave_groups().map_err(|why| blame(say!("leave the caller's groups"), c"", why))?,
        Some(groups) => sys::set_groups(groups).map_err(|why| refused(say!("become a member of"), c"--groups", why))?,
    }
    if gid != caller.gid {
        become_group(gid).map_err(|why| refused(say!("become group"), Short::new().push_number(gid).c_str(), why))?;
    }
    if uid != caller.uid {
        become_user(uid).map_err(|why| refused(say!("become user"), Short::new().push_number(uid).c_str(), why))?;
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
    match sys::set_groups(&[]) {
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
    become_group(0)?;
    become_user(0)
}

/// Leaves the caller's ids and groups: this process takes user 0 of the new user namespace, or the first user that is mapped, and a
/// group likewise. Returns the two.
///
/// # Errors
/// The errno of a seccomp filter: the ids are mapped.
#[cfg(feature = "ids")]
pub fn become_mapped(spec: &Spec<'_>) -> Result<(u32, u32), Failure> {
    let (uid, gid) = (first_of(spec.ids.users), first_of(spec.ids.members));
    leave_groups()?;
    become_group(gid)?;
    become_user(uid)?;
    Ok((uid, gid))
}

#[cfg(feature = "ids")]
fn first_of(ranges: &[Range]) -> u32 {
    match ranges {
        [first, ..] if !ranges.iter().any(|range| range.has(0)) => first.inside,
        _ => 0,
    }
}

#[inline(never)]
fn become_user(id: u32) -> Done {
    let id = Uid::from_raw(id);
    Ok(set_thread_res_uid(id, id, id)?)
}

#[inline(never)]
fn become_group(id: u32) -> Done {
    let id = Gid::from_raw(id);
    Ok(set_thread_res_gid(id, id, id)?)
}
