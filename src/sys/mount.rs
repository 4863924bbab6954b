//! Mounts.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::mount::MountPropagationFlags;

use super::call::done;
use super::{Done, Failure};

/// mount_setattr(2) on the mount whose root is `fd`: sets and clears attributes (MOUNT_ATTR_*) and changes the propagation
/// (MS_PRIVATE and its like; 0 leaves it). If `recursive`, it changes all mounts below too.
///
/// # Errors
/// ENOSYS: Linux is older than 5.12. EPERM: an attribute is locked in our user namespace (mount_namespaces(7)), or no
/// CAP_SYS_ADMIN. EINVAL: `fd` is not the root of a mount. EBUSY: read-only is to be set, and a file is open for writing.
pub fn mount_setattr(fd: BorrowedFd<'_>, set: u32, cleared: u32, recursive: bool, propagation: u32) -> Done {
    let attr = raw::mount_attr {
        attr_set: set.into(),
        attr_clr: cleared.into(),
        propagation: propagation.into(),
        userns_fd: 0,
    };
    set_attributes(fd, &attr, recursive)
}

fn set_attributes(fd: BorrowedFd<'_>, attr: &raw::mount_attr, recursive: bool) -> Done {
    let flags = raw::AT_EMPTY_PATH | if recursive { raw::AT_RECURSIVE } else { 0 };
    let size = size_of::<raw::mount_attr>();
    // SAFETY: the path is the empty string; the kernel reads the struct mount_attr, whose size goes with it.
    done(unsafe { call!(__NR_mount_setattr, fd.as_raw_fd(), c"".as_ptr(), flags, core::ptr::from_ref(attr), size) })
}

/// Shows a mount that is attached nowhere, and all mounts below it, through the id maps of the user namespace `users`:
/// mount_setattr(2), MOUNT_ATTR_IDMAP.
///
/// # Errors
/// ENOSYS: Linux is older than 5.12. EINVAL: one of the file systems cannot be shown so. EPERM: no CAP_SYS_ADMIN in the user namespace
/// of one of the file systems, or one is shown through a map already.
pub fn mount_map_ids(fd: BorrowedFd<'_>, users: BorrowedFd<'_>, recursive: bool) -> Done {
    let attr = raw::mount_attr {
        attr_set: raw::MOUNT_ATTR_IDMAP.into(),
        attr_clr: 0,
        propagation: 0,
        userns_fd: users.as_raw_fd().unsigned_abs().into(),
    };
    set_attributes(fd, &attr, recursive)
}

/// Changes the propagation of the mount at `path`: mount(2) with MS_PRIVATE or its like.
///
/// # Errors
/// EPERM: no CAP_SYS_ADMIN in the user namespace of the mount namespace. EINVAL: `path` is not a mount point.
#[inline(never)]
pub fn mount_change(path: &CStr, propagation: MountPropagationFlags) -> Done {
    Ok(rustix::mount::mount_change(path, propagation)?)
}

/// The id of the mount that `path` leads to, statx(2). 0: the kernel does not report it (before Linux 5.8), or a seccomp
/// filter forbids statx(2).
///
/// # Errors
/// ENOENT, ENOTDIR, ELOOP: `path` leads to no file. EACCES: no right to search a directory of it.
pub fn mount_id(path: &CStr) -> Result<u64, Failure> {
    /// `STATX_MNT_ID`.
    const MOUNT: u32 = 0x1000;
    match statx(path, MOUNT) {
        Ok(found) if found.stx_mask & MOUNT != 0 => Ok(found.stx_mnt_id),
        Ok(_) | Err(Failure::NOSYS | Failure::PERM) => Ok(0),
        Err(why) => Err(why),
    }
}

/// Whether `path` leads to a mount point, statx(2). `None`: the kernel does not report it (before Linux 5.8), or the call fails.
#[must_use]
pub fn is_mount_point(path: &CStr) -> Option<bool> {
    /// `STATX_ATTR_MOUNT_ROOT`.
    const ROOT: u64 = 0x2000;
    let found = statx(path, 0).ok()?;
    (found.stx_attributes_mask & ROOT != 0).then_some(found.stx_attributes & ROOT != 0)
}

fn statx(path: &CStr, mask: u32) -> Result<raw::statx, Failure> {
    // SAFETY: the struct has integers alone, for which zero is a value.
    let mut found: raw::statx = unsafe { core::mem::zeroed() };
    // SAFETY: the kernel reads the path up to its NUL, and writes a struct statx, 256 bytes whatever the mask is, to `found`.
    unsafe { call!(__NR_statx, raw::AT_FDCWD, path.as_ptr(), 0u32, mask, &raw mut found)? };
    Ok(found)
}
