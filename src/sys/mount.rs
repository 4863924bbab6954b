//! Mounts.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd};

use super::call::done;
use super::{Done, Failure};

/// mount_setattr(2) on the mount that `fd` is the root of: sets and clears attributes (MOUNT_ATTR_*) and changes its propagation
/// (MS_PRIVATE; 0: as it is), everything below too if `recursive`.
///
/// # Errors
/// ENOSYS before Linux 5.12; EPERM where a flag is locked; those of mount_setattr(2).
pub fn mount_setattr(fd: BorrowedFd<'_>, set: u32, cleared: u32, recursive: bool, propagation: u32) -> Done {
    let attr = raw::mount_attr {
        attr_set: set.into(),
        attr_clr: cleared.into(),
        propagation: propagation.into(),
        userns_fd: 0,
    };
    let flags = raw::AT_EMPTY_PATH | if recursive { raw::AT_RECURSIVE } else { 0 };
    done(call!(__NR_mount_setattr, fd.as_raw_fd(), c"".as_ptr(), flags, &raw const attr, size_of::<raw::mount_attr>()))
}

/// The number of the mount that `path` leads to, statx(2); 0 where the kernel does not tell (before Linux 5.8).
///
/// # Errors
/// Those of statx(2).
pub fn mount_id(path: &CStr) -> Result<u64, Failure> {
    /// `STATX_MNT_ID`.
    const MOUNT: u32 = 0x1000;
    match statx(path, MOUNT) {
        Ok(found) if found.stx_mask & MOUNT != 0 => Ok(found.stx_mnt_id),
        Ok(_) | Err(Failure::NOSYS | Failure::PERM) => Ok(0),
        Err(why) => Err(why),
    }
}

/// Whether `path` is where something is mounted, statx(2); `None` where the kernel does not tell (before Linux 5.8).
#[must_use]
pub fn is_mount_point(path: &CStr) -> Option<bool> {
    /// `STATX_ATTR_MOUNT_ROOT`.
    const ROOT: u64 = 0x2000;
    let found = statx(path, 0).ok()?;
    (found.stx_attributes_mask & ROOT != 0).then_some(found.stx_attributes & ROOT != 0)
}

fn statx(path: &CStr, mask: u32) -> Result<raw::statx, Failure> {
    // SAFETY: a struct of integers, which may all be zero.
    let mut found: raw::statx = unsafe { core::mem::zeroed() };
    call!(__NR_statx, raw::AT_FDCWD, path.as_ptr(), 0u32, mask, &raw mut found)?;
    Ok(found)
}
