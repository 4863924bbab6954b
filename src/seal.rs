//! Running from a sealed copy, where the container could write the file that we run from (CVE-2019-5736).
//!
//! A CMD that begins with `#!/proc/self/exe` makes the kernel open the launcher's own file, and /proc/PID/exe of what
//! then runs can be opened for writing by the file's owner. With a copy in sealed memory there is nothing to write.

use core::cell::Cell;
use core::ffi::CStr;

use rustix::fs::{
    MemfdFlags, OFlags, SealFlags, StatVfsMountFlags, fcntl_add_seals, fcntl_get_seals, fstat, fstatvfs, memfd_create, sendfile,
};
use rustix::process::geteuid;

use crate::fault::{blame, blame_hint};
use crate::files::{self, Fd, HERE};
use crate::sys::{self, Done, Failure, Word};

const EXE: &CStr = c"/proc/self/exe";
/// The most that one sendfile(2) is asked for; the program is far smaller.
const CHUNK: usize = 1 << 20;
const GROUP_OR_OTHERS_WRITE: u32 = 0o022;

/// Goes on as a sealed copy where that is needed, or returns.
///
/// # Errors
/// Why there can be no copy.
pub fn enter(args: &[Cell<Word<'_>>], env: &[Word<'_>]) -> Done {
    let fault = |errno: Failure| -> Failure { blame("seal a copy of", EXE, errno) };
    match files::open(HERE, EXE, OFlags::RDONLY) {
        Ok(exe) if !is_exposed(exe).map_err(fault)? => Ok(()),
        Ok(exe) => {
            let copy = copy(exe).map_err(fault)?;
            Err(fault(sys::execve_fd(copy, args, env)))
        }
        Err(errno) => Err(blame_hint("seal a copy of", EXE, errno, "a /proc has to be mounted outside")),
    }
}

/// Whether the container's owner could write this file, by its mode or after changing it.
fn is_exposed(exe: Fd) -> Result<bool, Failure> {
    let stat = fstat(exe)?;
    let uid = geteuid();
    let writable = uid.is_root() || stat.st_uid == uid.as_raw() || stat.st_mode & GROUP_OR_OTHERS_WRITE != 0;
    if !writable || fstatvfs(exe)?.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Ok(false);
    }
    let sealed = fcntl_get_seals(exe).is_ok_and(|seals| seals.contains(SealFlags::WRITE));
    if sealed {
        sys::set_name(c"nsinit");
    }
    Ok(!sealed)
}

fn copy(exe: Fd) -> Result<Fd, Failure> {
    /// Linux 6.3: the file may be executed, whatever `vm.memfd_noexec` says of files that don't say.
    const EXEC: MemfdFlags = MemfdFlags::from_bits_retain(linux_raw_sys::general::MFD_EXEC);
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let copy = match memfd_create(c"nsinit", flags | EXEC).map_err(Failure::from) {
        Err(Failure::INVAL) => memfd_create(c"nsinit", flags)?,
        other => other?,
    };
    while sendfile(&copy, exe, None, CHUNK)? > 0 {}
    fcntl_add_seals(&copy, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
    Ok(sys::keep_open(copy))
}
