//! The caller's /proc, verified before anything is believed or written: a file tree that looks like procfs could
//! swallow an id map, or send it elsewhere (CVE-2019-16884, CVE-2025-52881).

use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, PROC_SUPER_MAGIC, ResolveFlags, fstat, fstatfs, openat, openat2, readlinkat_raw};
use rustix::io::Errno;
use rustix::mount::MountAttrFlags;
use rustix::process::getpid;

use crate::mounts;
use crate::text::{SHORT, Text};

/// The inode number of procfs's root, PROC_ROOT_INO.
const ROOT_INODE: u64 = 1;

/// The root of a procfs that counts processes as we do; where /proc is none, one of our own that nobody else sees.
///
/// # Errors
/// Why there is none.
pub fn open() -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match openat(CWD, c"/proc", flags, Mode::empty()) {
        Ok(proc) if is_ours(proc.as_fd()) => Ok(proc),
        _ => mounts::new(c"proc", &[], MountAttrFlags::empty()),
    }
}

/// Whether it is procfs, whole, and of our own pid namespace: `self` names us by our own number.
fn is_ours(proc: BorrowedFd<'_>) -> bool {
    let procfs = fstatfs(proc).is_ok_and(|fs| fs.f_type == PROC_SUPER_MAGIC);
    let root = fstat(proc).is_ok_and(|stat| stat.st_ino == ROOT_INODE);
    let mut buffer = [0u8; SHORT];
    let me = readlinkat_raw(proc, c"self", buffer.as_mut_slice()).unwrap_or(0);
    let mut pid = Text::<SHORT>::new();
    pid.push_number(getpid().as_raw_nonzero().get().unsigned_abs());
    procfs && root && buffer.get(..me) == Some(pid.bytes())
}

/// A file of `proc`, through no link and nothing that is mounted over it.
///
/// # Errors
/// Those of openat2(2).
pub fn open_file(proc: BorrowedFd<'_>, path: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::CLOEXEC;
    let resolve = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match openat2(proc, path, flags, Mode::empty(), resolve) {
        Err(Errno::NOSYS | Errno::PERM) => {
            let file = openat(proc, path, flags | OFlags::NOFOLLOW, Mode::empty())?;
            let ours = fstatfs(&file)?.f_type == PROC_SUPER_MAGIC;
            if ours { Ok(file) } else { Err(Errno::XDEV) }
        }
        other => other,
    }
}
