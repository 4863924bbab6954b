//! Who is who inside: user and group id maps (user_namespaces(7)).

use core::ffi::CStr;

use linux_raw_sys::general::CLONE_NEWUSER;
use linux_raw_sys::prctl::PR_SET_DUMPABLE;
use rustix::fs::OFlags;
use rustix::pipe::PipeFlags;
use rustix::process::getpid;
use rustix::thread::{Gid, Uid, set_thread_res_gid, set_thread_res_uid};

use crate::fs::procfs;
use crate::report::message::{blame, blame_hint, refuse};
use crate::say;
use crate::spec::Spec;
use crate::state::{Caller, Pipe};
use crate::sys::files::{self, Fd, read, write};
use crate::sys::{self, Done, Failure, Fork};
use crate::text::Say;
use crate::text::{self, PATH, Text};

/// Every id there is: all but the last, which means "unchanged".
const IDENTITY: &[u8] = b"0 0 4294967295\n";

/// Writes `map` (`uid_map` or `gid_map`) of the process's new user namespace: `inside` is our own id `outside` and there is
/// no other, or each id is itself.
///
/// # Errors
/// EPERM where the kernel or its security module forbids it.
pub fn write_map(process: Fd, map: &CStr, spec: &Spec<'_>, inside: u32, outside: u32) -> Done {
    let mut line = Text::new();
    if spec.ids.own_only {
        line.push_number(inside).byte(b' ').push_number(outside).push(b" 1\n");
    } else {
        line.push(IDENTITY);
    }
    match put(process, map, line.bytes()) {
        // In a user namespace that has not all ids, each of those it has.
        Err(Failure::PERM) if !spec.ids.own_only => {
            mirror(map, &mut line)?;
            put(process, map, line.bytes())
        }
        done => done,
    }
}

/// Forbids setgroups(2) inside, without which an ordinary user may map no group: who drops a group that is denied
/// something would gain it (CVE-2014-8989).
///
/// # Errors
/// Those of open(2) and write(2).
pub fn deny_setgroups(process: Fd) -> Done {
    put(process, c"setgroups", b"deny")
}

fn put(process: Fd, name: &CStr, content: &[u8]) -> Done {
    let file = procfs::open_file(process, name, OFlags::WRONLY)?;
    // What the kernel takes of a map it takes as a whole.
    write(file, content)?;
    Ok(())
}

/// Our own map with each range mapped to itself: of `inside outside count` the first, the first, the last.
#[inline(never)]
fn mirror(map: &CStr, line: &mut Text) -> Done {
    let mut own = [0u8; PATH];
    let me = procfs::process(procfs::open()?, getpid())?;
    let length = read(procfs::open_file(me, map, OFlags::RDONLY)?, own.as_mut_slice())?;
    let mut rest = own.get(..length as usize).unwrap_or_default();
    // The kernel puts spaces before each number, so that the end of a line belongs to the number before it.
    let mut field = || {
        while let Some(word) = text::word(&mut rest, b' ') {
            if !word.is_empty() {
                return Some(word);
            }
        }
        None
    };
    line.truncate(0);
    while let (Some(first), Some(_), Some(count)) = (field(), field(), field()) {
        line.push(first).byte(b' ').push(first).byte(b' ').push(count);
    }
    Ok(())
}

/// Becomes the user and group that CMD is to be. The groups of the caller are left behind where the kernel lets us.
///
/// # Errors
/// EINVAL: the id is not mapped; EPERM: it may not be taken.
pub fn become_inner(spec: &Spec<'_>, caller: &Caller) -> Done {
    let (uid, gid) = (spec.ids.uid, spec.ids.gid);
    leave_groups().map_err(|why| blame(say!("leave the caller's groups"), c"", why))?;
    if gid != caller.gid {
        let id = Gid::from_raw(gid);
        set_thread_res_gid(id, id, id).map_err(|errno| unknown(say!("become the group of"), c"--gid", errno.into()))?;
    }
    if uid != caller.uid {
        let id = Uid::from_raw(uid);
        set_thread_res_uid(id, id, id).map_err(|errno| unknown(say!("become the user of"), c"--uid", errno.into()))?;
    }
    // A change of ids has made us what fs.suid_dumpable says.
    if spec.hides() { sys::prctl(PR_SET_DUMPABLE, 0) } else { Ok(()) }
}

fn unknown(says: Say, on: &CStr, why: Failure) -> Failure {
    let hint = if why == Failure::INVAL { say!("it is not mapped in the user namespace") } else { Say::NOTHING };
    blame_hint(says, on, why, hint)
}

/// Leaves the groups of the caller behind.
///
/// # Errors
/// None, where it is denied by a user namespace around us: nobody in there could leave a group.
pub fn leave_groups() -> Done {
    match sys::clear_groups() {
        Err(Failure::PERM) => Ok(()),
        done => done,
    }
}

/// Becomes user and group 0 of the user namespace that was joined, and nobody else.
///
/// # Errors
/// EINVAL: it has no 0.
pub fn become_root() -> Done {
    leave_groups()?;
    set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT)?;
    Ok(set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT)?)
}

/// How many namespaces of a kind may be made in the opener's user namespace, and in all below it
/// (namespaces(7)). Writing to it needs CAP_SYS_RESOURCE there.
const USERS: &CStr = c"sys/user/max_user_namespaces";
/// See [`USERS`].
const CGROUPS: &CStr = c"sys/user/max_cgroup_namespaces";

fn limit(proc: Fd, file: &CStr, most: &[u8]) -> Done {
    write(procfs::open_file(proc, file, OFlags::WRONLY)?, most)?;
    Ok(())
}

/// One user namespace can be made in ours, and in none below it. `proc` is a procfs.
///
/// # Errors
/// Those of open(2) and write(2).
pub fn limit_user_namespaces(proc: Fd) -> Done {
    limit(proc, USERS, b"1")
}

/// No user or cgroup namespace can be made in ours, but the one user namespace that CMD is to be in. Who makes both needs no
/// capability to mount the caller's cgroup, as its owner: to freeze it, to kill it, to change its limits.
///
/// # Errors
/// ENOENT: the kernel has no such limits; EROFS: they are a container's around us. Reported.
pub fn forbid_nesting(spec: &Spec<'_>, proc: Fd) -> Done {
    let users = if spec.nests_users() { Ok(()) } else { limit(proc, USERS, NONE) };
    users.and_then(|()| limit(proc, CGROUPS, NONE)).map_err(|why| {
        let hint = say!("the limits in /proc/sys/user cannot be written here: use --allow-nesting to leave them");
        blame_hint(say!("forbid user and cgroup namespaces"), c"", why, hint)
    })
}

const NONE: &[u8] = b"0\n";

fn is_none(proc: Fd, file: &CStr) -> bool {
    let mut most = [0u8; 2];
    procfs::open_file(proc, file, OFlags::RDONLY).is_ok_and(|file| read(file, &mut most) == Ok(2) && most == *b"0\n")
}

/// Whether no user namespace can be made in ours: its limit is 0.
#[must_use]
pub fn are_forbidden(proc: Fd) -> bool {
    is_none(proc, USERS)
}

/// `body` makes a cgroup namespace in a user namespace that was joined, which [`forbid_nesting`] may have closed. A
/// process in there can use that meanwhile only if it has CAP_SYS_ADMIN, and then has no need of it.
///
/// # Errors
/// Those of `body`; of open(2) and write(2).
pub fn despite_limit(proc: Fd, body: &dyn Fn() -> Result<Fork, Failure>) -> Result<Fork, Failure> {
    match body() {
        Err(Failure::NOSPC) if is_none(proc, CGROUPS) => {
            limit(proc, CGROUPS, b"2147483647")?;
            let fork = body();
            if !matches!(fork, Ok(Fork::Child)) {
                limit(proc, CGROUPS, NONE)?;
            }
            fork
        }
        answer => answer,
    }
}

/// Enters a new user namespace in which every id is what it is in ours. Who has left a namespace has no right to map its
/// ids: somebody who stays behind does it.
///
/// # Errors
/// Those of unshare(2), and of writing the maps.
pub fn nest(spec: &Spec<'_>, proc: Fd) -> Done {
    let pipe = Pipe::new(PipeFlags::empty())?;
    let mut job = (spec, files::directory(proc, c"self")?, pipe);
    // Otherwise our files in /proc are root's. There is nobody in our user namespace yet who could trace us.
    sys::prctl(PR_SET_DUMPABLE, 1)?;
    let (mapped, left) = sys::beside(
        |(spec, process, pipe)| {
            // Once we have seen it leave.
            read(pipe.read, &mut [0u8]) == Ok(1)
                && write_map(*process, c"uid_map", spec, spec.ids.uid, spec.ids.uid).is_ok()
                && write_map(*process, c"gid_map", spec, spec.ids.gid, spec.ids.gid).is_ok()
        },
        &mut job,
        || {
            let left = sys::unshare(CLONE_NEWUSER);
            // That it has not left is no less an end of the wait.
            write(pipe.write, b"!").and(left)
        },
    )?;
    left?;
    sys::prctl(PR_SET_DUMPABLE, (!spec.hides()).into())?;
    if mapped? { Ok(()) } else { Err(Failure::PERM) }
}

/// Makes sure that no user namespace can be made, by trying.
///
/// # Errors
/// EEXIST, reported: one was made.
pub fn assert_no_more() -> Done {
    let child = sys::spawn(|()| i32::from(sys::unshare(CLONE_NEWUSER).is_err()), &())?;
    if sys::wait_end(child.as_raw_nonzero().get())? == 0 {
        let why = say!("creation of new user namespaces was not disabled as requested");
        let _ = refuse(why);
        return Err(Failure::REPORTED);
    }
    Ok(())
}
