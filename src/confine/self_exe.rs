//! Leaving the program file of nsinit if the container could write to it (CVE-2019-5736).
//!
//! A CMD that begins with `#!/proc/self/exe` makes the kernel execute the launcher's own file, and the owner of the file can then open
//! /proc/PID/exe for writing. So the link must not lead to the file: nsinit moves its program to anonymous memory and sets the link to an
//! empty file. If the kernel does not permit that, nsinit executes itself again from a copy in sealed memory.

use core::ffi::CStr;

use rustix::fs::{
    AtFlags, MemfdFlags, OFlags, SealFlags, StatVfsMountFlags, fcntl_add_seals, fcntl_get_seals, fstatvfs,
    memfd_create, sendfile, statat,
};
use rustix::process::geteuid;

use crate::fs::procfs;
use crate::report::hint;
use crate::report::message::{blame, blame_hint};
use crate::say;
use crate::sys::files::{self, Fd, HERE};
use crate::sys::{self, Done, Failure, Start};
use crate::text;

const EXE: &CStr = c"/proc/self/exe";
/// [`EXE`] below a procfs.
const OURS: &CStr = c"self/exe";
/// The most bytes of one sendfile(2); the program is far smaller.
const CHUNK: usize = 1 << 20;
const GROUP_OR_OTHERS_WRITE: u32 = 0o022;

/// Leaves the program file if necessary. It returns, or executes nsinit again as a copy.
///
/// # Errors
/// Reported. ENOENT: there is no /proc; others: the copy cannot be made, sealed or executed.
pub fn enter(command: &CStr, start: &Start) -> Done {
    let says = say!("seal a copy of");
    let look = |proc: Fd| Ok((proc, statat(proc, OURS, AtFlags::empty())?));
    let found = files::directory(HERE, c"/proc").and_then(look).or_else(|_| procfs::open().and_then(look));
    let (proc, stat) = found.map_err(|why| blame_hint(says, EXE, why, hint::of_own_file(why).hint()))?;
    // Whether the caller could write to this file, by its mode or after changing the mode.
    let uid = geteuid();
    if !uid.is_root() && stat.st_uid != uid.as_raw() && stat.st_mode & GROUP_OR_OTHERS_WRITE == 0 {
        return Ok(());
    }
    // A CMD like /proc/self/exe executes nsinit again inside: the link must not lead to an empty file.
    let again = text::after(command.to_bytes(), b"/proc/").is_some();
    leave(proc, start, uid.is_root() && !again).map_err(|why| blame(says, EXE, why))
}

fn leave(proc: Fd, start: &Start, in_memory: bool) -> Done {
    let exe = files::open(proc, OURS, OFlags::RDONLY)?;
    // On a tmpfs every file has F_SEAL_SEAL.
    if fcntl_get_seals(exe).is_ok_and(|seals| seals.intersects(SealFlags::WRITE | SealFlags::FUTURE_WRITE)) {
        sys::set_name(c"nsinit");
        return Ok(());
    }
    if fstatvfs(exe)?.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Ok(());
    }
    if in_memory && go_on_in_memory(start).is_ok() {
        return Ok(());
    }
    let copy = memory()?;
    while sendfile(copy, exe, None, CHUNK)? > 0 {}
    seal(copy)?;
    Err(sys::execve_fd(copy, start))
}

/// Unmaps the program file, and sets the link to an empty file.
fn go_on_in_memory(start: &Start) -> Done {
    let empty = memory()?;
    seal(empty)?;
    sys::leave_file(start, empty)
}

/// A file in memory that may be executed.
#[inline(never)]
fn memory() -> Result<Fd, Failure> {
    /// Linux 6.3: the file may be executed whatever `vm.memfd_noexec` is.
    const EXEC: MemfdFlags = MemfdFlags::from_bits_retain(linux_raw_sys::general::MFD_EXEC);
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = match memfd_create(c"nsinit", flags | EXEC).map_err(Failure::from) {
        Err(Failure::INVAL) => memfd_create(c"nsinit", flags)?,
        other => other?,
    };
    Ok(sys::keep_open(file))
}

/// Forbids writing to a file and changing its size.
#[inline(never)]
fn seal(file: Fd) -> Done {
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW;
    // F_SEAL_WRITE fails with EBUSY while the kernel uses a page of the file. F_SEAL_FUTURE_WRITE (Linux 5.1) forbids as much, because no
    // process has mapped this file.
    fcntl_add_seals(file, seals | SealFlags::FUTURE_WRITE)
        .or_else(|_| fcntl_add_seals(file, seals | SealFlags::WRITE))?;
    Ok(())
}
