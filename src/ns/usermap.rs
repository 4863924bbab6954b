//! Id maps of user namespaces (user_namespaces(7)).

use core::ffi::CStr;

use crate::sys::PR_SET_DUMPABLE;
use linux_raw_sys::general::CLONE_NEWUSER;
use rustix::fs::OFlags;
use rustix::pipe::PipeFlags;
use rustix::process::getpid;

use crate::fs::procfs;
use crate::lines;
use crate::spec::Spec;
use crate::state::Pipe;
use crate::sys::files::{self, Fd, read, write};
use crate::sys::{self, Done, Failure};
use crate::text::{self, Short, Text};

/// Every id except the highest of 32 bits, which means "unchanged" (setresuid(2)).
const IDENTITY: &[u8] = b"0 0 4294967295\n";

/// Writes `map` (`uid_map` or `gid_map`) of a process in a new user namespace: the caller's id `outside` becomes `inside`, and no
/// other id is mapped; or each id is mapped to itself.
///
/// # Errors
/// EPERM: the kernel or a security module refuses it; EACCES: the file may not be opened.
pub fn write_map(process: Fd, map: &CStr, spec: &Spec<'_>, inside: u32, outside: u32) -> Done {
    if spec.ids.own_only {
        return write_own(process, map, inside, outside);
    }
    match write_file(process, map, IDENTITY) {
        // In a user namespace that maps only some ids, map each of those to itself.
        Err(Failure::PERM) => write_mirror(process, map),
        done => done,
    }
}

/// Writes a map of one id.
///
/// # Errors
/// As [`write_map`].
pub fn write_own(process: Fd, map: &CStr, inside: u32, outside: u32) -> Done {
    let mut line = Short::new();
    line.push_number(inside).byte(b' ').push_number(outside).push(b" 1\n");
    write_file(process, map, line.bytes())
}

/// Forbids setgroups(2) in the user namespace of a process; an ordinary user may map a group only then. A process that can leave a
/// group gains what that group is denied (CVE-2014-8989).
///
/// # Errors
/// EACCES, EPERM: the file may not be written; ENOENT before Linux 3.19.
pub fn deny_setgroups(process: Fd) -> Done {
    write_file(process, c"setgroups", b"deny")
}

/// Writes a file of a process in /proc, with one write(2).
///
/// # Errors
/// As [`write_map`].
pub fn write_file(process: Fd, name: &CStr, content: &[u8]) -> Done {
    let file = procfs::open_file(process, name, OFlags::WRONLY)?;
    // A map write is all or nothing.
    write(file, content)?;
    Ok(())
}

/// Writes the map of a process: this process's own map, changed so that it maps each range to itself. A line of a map is `inside
/// outside count`; here it has `inside` twice.
#[inline(never)]
fn write_mirror(process: Fd, map: &CStr) -> Done {
    let mut mirror = Text::new();
    let me = procfs::process(procfs::open()?, getpid())?;
    lines::each(procfs::open_file(me, map, OFlags::RDONLY)?, &mut |line| {
        let mut rest = line;
        // The kernel writes spaces before each number.
        let mut field = || {
            while let Some(word) = text::word(&mut rest, b' ') {
                if !word.is_empty() {
                    return Some(word);
                }
            }
            None
        };
        if let (Some(first), Some(_), Some(count)) = (field(), field(), field()) {
            mirror.push(first).byte(b' ').push(first).byte(b' ').push(count).byte(b'\n');
        }
    })?;
    write_file(process, map, mirror.bytes())
}

/// Enters a new user namespace that maps every id to itself. A process that has left a user namespace may not map the ids of that
/// namespace: a helper that stays in it writes the maps.
///
/// # Errors
/// ENOSPC: a limit on user namespaces is reached; EPERM: the kernel refuses it, or the maps; EAGAIN: the helper cannot be started.
pub fn nest(spec: &Spec<'_>, proc: Fd) -> Done {
    let pipe = Pipe::new(PipeFlags::empty())?;
    let mut job = (spec, files::directory(proc, c"self")?, pipe);
    // Otherwise root owns our files in /proc. No other process in our user namespace could trace us: there is none yet.
    sys::prctl(PR_SET_DUMPABLE, 1)?;
    let mut own = (pipe, Ok(()));
    let mapped = sys::beside(
        |(spec, process, pipe)| {
            // The byte means that the other process has left the user namespace.
            read(pipe.read, &mut [0u8]) == Ok(1)
                && write_map(*process, c"uid_map", spec, spec.ids.uid, spec.ids.uid).is_ok()
                && write_map(*process, c"gid_map", spec, spec.ids.gid, spec.ids.gid).is_ok()
        },
        &mut job,
        |(pipe, left)| {
            *left = sys::unshare(CLONE_NEWUSER);
            // If unshare(2) fails, the helper must end too.
            *left = write(pipe.write, b"!").and(*left);
        },
        &mut own,
    )?;
    own.1?;
    sys::prctl(PR_SET_DUMPABLE, (!spec.hides()).into())?;
    if mapped? { Ok(()) } else { Err(Failure::PERM) }
}
