//! Who is who inside: user and group id maps (user_namespaces(7)).

use core::ffi::CStr;

use rustix::fs::OFlags;
use rustix::io::{read, write};
use rustix::process::getpid;
use rustix::thread::{Gid, Uid, set_thread_res_gid, set_thread_res_uid};

use crate::fault::blame;
use crate::files::Fd;
use crate::procfs;
use crate::spec::Spec;
use crate::state::Caller;
use crate::sys::{self, Done, Failure, say};
use crate::text::{self, PATH, Text};

/// Every id there is: all but the last, which means "unchanged".
const IDENTITY: &[u8] = b"0 0 4294967295\n";

/// Writes `map` (`uid_map` or `gid_map`) of the process's new user namespace: `inside` is the caller's own id `outside`
/// and there is no other; for root each id is itself.
///
/// # Errors
/// EPERM where the kernel or its security module forbids it.
pub fn write_map(process: Fd, map: &CStr, spec: &Spec<'_>, inside: u32, outside: u32) -> Done {
    let mut line = Text::new();
    if spec.rootless {
        line.push_number(inside).byte(b' ').push_number(outside).push(b" 1\n");
    } else {
        line.push(IDENTITY);
    }
    match put(process, map, line.bytes()) {
        // In a user namespace that has not all ids, each of those it has.
        Err(Failure::PERM) if !spec.rootless => {
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
    let mut rest = own.get(..length).unwrap_or_default();
    // The kernel puts spaces before each number, so that the end of a line belongs to the number before it.
    let mut field = || {
        while let Some((word, after)) = text::word(rest, b' ') {
            rest = after;
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
    let (uid, gid) = spec.inner_ids();
    match sys::clear_groups() {
        // Denied by a user namespace around us: nobody in there could leave a group.
        Ok(()) | Err(Failure::PERM) => {}
        Err(why) => return Err(blame(say(c"leave the caller's groups"), c"", why)),
    }
    if gid != caller.gid {
        let id = Gid::from_raw(gid);
        set_thread_res_gid(id, id, id).map_err(|errno| blame(say(c"become the group of"), c"--gid", errno.into()))?;
    }
    if uid != caller.uid {
        let id = Uid::from_raw(uid);
        set_thread_res_uid(id, id, id).map_err(|errno| blame(say(c"become the user of"), c"--uid", errno.into()))?;
    }
    Ok(())
}
