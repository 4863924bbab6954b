//! `--cgroup-delegate`: the container manages a cgroup below that with its limits, and all cgroups that it makes there.
//!
//! Two cgroups, because its own root may own the files of its cgroup, and could raise its limits there: always in a container of an
//! ordinary user, and without the mount option nsdelegate also in one of root.

use core::ffi::CStr;

use rustix::fs::{AtFlags, Gid, OFlags, Uid, chownat};

use crate::cgroup::{controllers, make, tree};
use crate::lines;
use crate::report::hint;
use crate::report::message::blame_hint;
use crate::say;
use crate::spec::{Range, Spec};
use crate::state::{Cgroup, Launch};
use crate::sys::files::{self, Fd};
use crate::sys::{Done, Failure};
use crate::text::{Say, Short};

/// The name of the step.
const DELEGATE: Say = say!("delegate the container's cgroup");

/// The kernel's list of the files that the owner of a delegated cgroup needs, since Linux 4.16.
const LIST: &CStr = c"/sys/kernel/cgroup/delegate";
/// Those that the list has had from the beginning.
const LEAST: [&CStr; 3] = [tree::PROCESSES, c"cgroup.threads", tree::CONTROL];

/// Enables all controllers for the container's cgroups, and makes its root their owner.
///
/// # Errors
/// Reported. EBUSY: nsinit's cgroup has other processes; EPERM: an ordinary user cannot give a file to another user.
pub fn delegate(launch: &mut Launch) -> Done {
    let done = make::leave_parent(launch, true).and_then(|()| {
        let Cgroup { parent, own, inner, .. } = launch.cgroup.get()?;
        controllers::enable_all(parent)?;
        controllers::enable_all(own)?;
        hand_over(launch, inner.ok_or(Failure::ORDER)?)
    });
    done.map_err(|why| blame_hint(DELEGATE, c"", why, hint::of_delegation(why).hint()))
}

fn hand_over(launch: &Launch, cgroup: Fd) -> Done {
    let caller = (launch.caller.uid, launch.caller.gid);
    let owner = root_outside(&launch.spec, caller);
    if owner == caller {
        return Ok(());
    }
    let give = |name: &CStr| {
        let (user, group) = (Some(Uid::from_raw(owner.0)), Some(Gid::from_raw(owner.1)));
        match chownat(cgroup, name, user, group, AtFlags::SYMLINK_NOFOLLOW).map_err(Failure::from) {
            // Not every cgroup has every file.
            Err(Failure::NOENT) => Ok(()),
            done => done,
        }
    };
    give(c".")?;
    LEAST.into_iter().try_for_each(give)?;
    let mut done = Ok(());
    if let Ok(list) = files::open_path(LIST, OFlags::RDONLY) {
        lines::each(list, &mut |name| done = done.and_then(|()| give(Short::new().push(name).c_str())))?;
    }
    done
}

/// The user and the group outside that are root in the container; if no root is mapped, those of the command. `caller`: the launcher's.
fn root_outside(spec: &Spec<'_>, caller: (u32, u32)) -> (u32, u32) {
    let outside = |ranges: &[Range], own, caller| {
        let find = |id| ranges.iter().find_map(|range: &Range| range.outside_of(id));
        find(0).or_else(|| find(own)).unwrap_or(caller)
    };
    let ids = &spec.ids;
    if spec.maps_ranges() {
        (outside(ids.users, ids.uid, caller.0), outside(ids.members, ids.gid, caller.1))
    } else {
        caller
    }
}
