//! Running from a sealed copy, where the container could write the file that we run from (CVE-2019-5736).
//!
//! A CMD that begins with `#!/proc/self/exe` makes the kernel open the launcher's own file, and /proc/PID/exe of what
//! then runs can be opened for writing by the file's owner. With a copy in sealed memory there is nothing to write.

use core::ffi::CStr;

use rustix::fs::{
    MemfdFlags, OFlags, SealFlags, StatVfsMountFlags, fcntl_add_seals, fcntl_get_seals, fstatvfs, memfd_create,
    sendfile, stat,
};
use rustix::process::geteuid;

use crate::fault::{blame, blame_hint};
use crate::files::{self, Fd, HERE};
use crate::sys::{self, Done, Failure, Start};

const EXE: &CStr = c"/proc/self/exe";
/// The most that one sendfile(2) is asked for; the program is far smaller.
const CHUNK: usize = 1 << 20;
const GROUP_OR_OTHERS_WRITE: u32 = 0o022;

/// Goes on as a sealed copy where that is needed, or returns.
///
/// # Errors
/// Why there can be no copy.
pub fn enter(start: &Start) -> Done {
    let says = "seal a copy of";
    let hint = "a /proc has to be mounted outside";
    let stat = stat(EXE).map_err(|errno| blame_hint(says, EXE, errno.into(), hint))?;
    // Whether the container's owner could write this file, by its mode or after changing it.
    let uid = geteuid();
    if !uid.is_root() && stat.st_uid != uid.as_raw() && stat.st_mode & GROUP_OR_OTHERS_WRITE == 0 {
        return Ok(());
    }
    let copy = copy().map_err(|why| blame(says, EXE, why))?;
    copy.map_or(Ok(()), |copy| Err(blame(says, EXE, sys::execve_fd(copy, start))))
}

/// A sealed copy of the running program, unless it is one, or nobody can write it where it is.
fn copy() -> Result<Option<Fd>, Failure> {
    /// Linux 6.3: the file may be executed, whatever `vm.memfd_noexec` says of files that don't say.
    const EXEC: MemfdFlags = MemfdFlags::from_bits_retain(linux_raw_sys::general::MFD_EXEC);
    let exe = files::open(HERE, EXE, OFlags::RDONLY)?;
    if fcntl_get_seals(exe).is_ok_and(|seals| seals.contains(SealFlags::SEAL)) {
        sys::set_name(c"nsinit");
        return Ok(None);
    }
    if fstatvfs(exe)?.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Ok(None);
    }
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let copy = match memfd_create(c"nsinit", flags | EXEC).map_err(Failure::from) {
        Err(Failure::INVAL) => memfd_create(c"nsinit", flags)?,
        other => other?,
    };
    while sendfile(&copy, exe, None, CHUNK)? > 0 {}
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW;
    // F_SEAL_WRITE answers EBUSY while the kernel has a page in hand; nobody has mapped this file, so its younger
    // brother (Linux 5.1) forbids as much.
    fcntl_add_seals(&copy, seals | SealFlags::FUTURE_WRITE)
        .or_else(|_| fcntl_add_seals(&copy, seals | SealFlags::WRITE))?;
    Ok(Some(sys::keep_open(copy)))
}
