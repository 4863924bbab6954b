//! Leaving the file that we run from, where the container could write it (CVE-2019-5736).
//!
//! A CMD that begins with `#!/proc/self/exe` makes the kernel open the launcher's own file, and /proc/PID/exe of what
//! then runs can be opened for writing by the file's owner. So there is nothing to be found in its place: the program
//! goes on in memory and says that it runs from an empty file. Where the kernel does not let us say so, it goes on as a
//! copy of the file in sealed memory.

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
/// The same in a procfs.
const OURS: &CStr = c"self/exe";
/// The most that one sendfile(2) is asked for; the program is far smaller.
const CHUNK: usize = 1 << 20;
const GROUP_OR_OTHERS_WRITE: u32 = 0o022;

/// Leaves the file if need be. Returns, or begins anew as a copy.
///
/// # Errors
/// Why the file can't be left.
pub fn enter(command: &CStr, start: &Start) -> Done {
    let says = say!("seal a copy of");
    let look = |proc: Fd| Ok((proc, statat(proc, OURS, AtFlags::empty())?));
    let found = files::directory(HERE, c"/proc").and_then(look).or_else(|_| procfs::open().and_then(look));
    let (proc, stat) = found.map_err(|why| blame_hint(says, EXE, why, hint::of_own_file(why).hint()))?;
    // Whether the container's owner could write this file, by its mode or after changing it.
    let uid = geteuid();
    if !uid.is_root() && stat.st_uid != uid.as_raw() && stat.st_mode & GROUP_OR_OTHERS_WRITE == 0 {
        return Ok(());
    }
    // Whoever executes himself again inside has to find more than an empty file.
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

/// Says that we run from an empty file, once nothing of our own is mapped.
fn go_on_in_memory(start: &Start) -> Done {
    let empty = memory()?;
    seal(empty)?;
    sys::leave_file(start, empty)
}

/// A file in memory that may be executed.
#[inline(never)]
fn memory() -> Result<Fd, Failure> {
    /// Linux 6.3: whatever `vm.memfd_noexec` says of files that don't say.
    const EXEC: MemfdFlags = MemfdFlags::from_bits_retain(linux_raw_sys::general::MFD_EXEC);
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = match memfd_create(c"nsinit", flags | EXEC).map_err(Failure::from) {
        Err(Failure::INVAL) => memfd_create(c"nsinit", flags)?,
        other => other?,
    };
    Ok(sys::keep_open(file))
}

/// Nobody can write to it or change its size any more.
#[inline(never)]
fn seal(file: Fd) -> Done {
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW;
    // F_SEAL_WRITE answers EBUSY while the kernel has a page in hand; nobody has mapped this file, so its younger
    // brother (Linux 5.1) forbids as much.
    fcntl_add_seals(file, seals | SealFlags::FUTURE_WRITE)
        .or_else(|_| fcntl_add_seals(file, seals | SealFlags::WRITE))?;
    Ok(())
}
