//! Who is who inside: user and group id maps (user_namespaces(7)).

use core::ffi::CStr;
use rustix::fd::BorrowedFd;
use rustix::fs::OFlags;
use rustix::io::{read, write};
use rustix::process::Pid;

use crate::fault::blame;
use crate::files;
use crate::procfs;
use crate::spec::{Caller, Spec};
use crate::sys::{Done, Failure};
use crate::text::{PATH, Text};

/// Every id there is: all but the last, which means "unchanged".
const IDENTITY: &[u8] = b"0 0 4294967295\n";

/// Which of the two maps.
#[derive(Clone, Copy)]
pub enum Map {
    Users,
    Groups,
}

/// Writes the map of `child`'s new user namespace: the caller's id alone, or for root each id as itself.
///
/// # Errors
/// EPERM where the kernel or its security module forbids it.
pub fn write_map(proc: BorrowedFd<'_>, child: Pid, spec: &Spec<'_>, caller: &Caller, map: Map) -> Done {
    let (name, mine) = match map {
        Map::Users => (b"uid_map", c"self/uid_map"),
        Map::Groups => (b"gid_map", c"self/gid_map"),
    };
    if spec.rootless {
        let (uid, gid) = spec.inner_ids();
        let (inside, outside) = match map {
            Map::Users => (uid, caller.uid),
            Map::Groups => (gid, caller.gid),
        };
        let mut line = Text::new();
        line.push_number(inside).push(b" ").push_number(outside).push(b" 1\n");
        return put(proc, child, name, line.bytes());
    }
    match put(proc, child, name, IDENTITY) {
        // In a user namespace that has not all ids, each of those it has.
        Err(Failure::PERM) => put(proc, child, name, mirrored(proc, mine)?.bytes()),
        other => other,
    }
}

/// Forbids setgroups(2) inside, without which an ordinary user may map no group: who drops a group that is denied
/// something would gain it (CVE-2014-8989).
///
/// # Errors
/// Those of open(2) and write(2).
pub fn deny_setgroups(proc: BorrowedFd<'_>, child: Pid) -> Done {
    put(proc, child, b"setgroups", b"deny")
}

fn put(proc: BorrowedFd<'_>, child: Pid, name: &[u8], content: &[u8]) -> Done {
    let mut path = Text::new();
    path.push_number(child.as_raw_nonzero().get().unsigned_abs()).push(b"/").push(name);
    let file = procfs::open_file(proc, path.c_str().ok_or(Failure::NAMETOOLONG)?, OFlags::WRONLY)?;
    let written = write(&file, content)?;
    if written == content.len() { Ok(()) } else { Err(Failure::IO) }
}

/// Our own map with each range mapped to itself: `inside outside count` becomes `inside inside count`.
fn mirrored(proc: BorrowedFd<'_>, path: &CStr) -> Result<Text, Failure> {
    let mut own = [0u8; PATH];
    // `self` is a link of procfs's own making.
    let file = files::open(proc, path, OFlags::RDONLY)?;
    let length = read(&file, own.as_mut_slice())?;
    let mut mirror = Text::new();
    for line in own.get(..length).unwrap_or_default().split(|byte| *byte == b'\n') {
        let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        if let (Some(inside), Some(_), Some(count)) = (words.next(), words.next(), words.next()) {
            mirror.push(inside).push(b" ").push(inside).push(b" ").push(count).push(b"\n");
        }
    }
    Ok(mirror)
}

/// Becomes the user and group that CMD is to be. The groups of the caller are left behind where the kernel lets us.
///
/// # Errors
/// EINVAL: the id is not mapped; EPERM: it may not be taken.
pub fn become_inner(spec: &Spec<'_>, caller: &Caller) -> Done {
    use rustix::thread::{Gid, Uid, set_thread_res_gid, set_thread_res_uid};
    let (uid, gid) = spec.inner_ids();
    match crate::sys::clear_groups() {
        // Denied by a user namespace around us: nobody in there could leave a group.
        Ok(()) | Err(Failure::PERM) => {}
        Err(errno) => return Err(blame("leave the caller's groups", c"", errno)),
    }
    if gid != caller.gid {
        let id = Gid::from_raw(gid);
        set_thread_res_gid(id, id, id).map_err(|errno| blame("set group id", c"--gid", errno.into()))?;
    }
    if uid != caller.uid {
        let id = Uid::from_raw(uid);
        set_thread_res_uid(id, id, id).map_err(|errno| blame("set user id", c"--uid", errno.into()))?;
    }
    Ok(())
}
