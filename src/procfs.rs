//! The caller's /proc, verified before anything is believed or written: a file tree that looks like procfs could
//! swallow an id map, or send it elsewhere (CVE-2019-16884, CVE-2025-52881).

use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, PROC_SUPER_MAGIC, ResolveFlags, fstat, fstatfs, openat2};
use rustix::mount::MountAttrFlags;
use rustix::process::getpid;

use crate::files::{self, HERE};
use crate::mounts;
use crate::sys::Failure;
use crate::text::Text;

/// The inode number of procfs's root, PROC_ROOT_INO.
const ROOT_INODE: u64 = 1;

/// The root of a procfs that counts processes as we do; where /proc is none, one of our own that nobody else sees.
///
/// # Errors
/// Why there is none.
pub fn open() -> Result<OwnedFd, Failure> {
    match files::directory(HERE, c"/proc") {
        Ok(proc) if is_ours(proc.as_fd()) => Ok(proc),
        _ => mounts::new(c"proc", &[], MountAttrFlags::empty()),
    }
}

/// Whether it is procfs, whole, and of our own pid namespace: `self` names us by our own number.
fn is_ours(proc: BorrowedFd<'_>) -> bool {
    let procfs = fstatfs(proc).is_ok_and(|fs| fs.f_type == PROC_SUPER_MAGIC);
    let root = fstat(proc).is_ok_and(|stat| stat.st_ino == ROOT_INODE);
    let mut buffer = [0u8; 16];
    let me = files::read_link(proc, c"self", &mut buffer);
    let mut pid = Text::new();
    pid.push_number(getpid().as_raw_nonzero().get().unsigned_abs());
    procfs && root && me == Ok(pid.bytes())
}

/// A file of `proc`, through no link and nothing that is mounted over it.
///
/// # Errors
/// Those of openat2(2).
pub fn open_file(proc: BorrowedFd<'_>, path: &CStr, flags: OFlags) -> Result<OwnedFd, Failure> {
    let resolve = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match openat2(proc, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve).map_err(Failure::from) {
        Err(Failure::NOSYS | Failure::PERM) => {
            let file = files::open(proc, path, flags | OFlags::NOFOLLOW)?;
            let ours = fstatfs(&file)?.f_type == PROC_SUPER_MAGIC;
            if ours { Ok(file) } else { Err(Failure::XDEV) }
        }
        other => other,
    }
}
