//! A mount as a descriptor: made detached, restricted, and only then put where it is seen.

use core::ffi::CStr;
use linux_raw_sys::general as raw;
use rustix::fd::BorrowedFd;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, mount, move_mount, open_tree,
};

use crate::files::Fd;
use crate::sys::{self, Done, Failure, keep_open};

/// No set-id bits, no device files, no execution: what holds nothing but data.
pub const DATA: MountAttrFlags =
    MountAttrFlags::MOUNT_ATTR_NOSUID.union(MountAttrFlags::MOUNT_ATTR_NODEV).union(MountAttrFlags::MOUNT_ATTR_NOEXEC);

/// A detached copy of the mount at `path`, seen from `dir`, with all below it: open_tree(2). An empty path means
/// `dir` itself.
///
/// # Errors
/// ENOENT, EACCES; EINVAL where something below may not be uncovered (mount_namespaces(7)); ENOSYS before Linux 5.2.
pub fn copy(dir: BorrowedFd<'_>, path: &CStr) -> Result<Fd, Failure> {
    use OpenTreeFlags as F;
    let flags = F::OPEN_TREE_CLONE | F::OPEN_TREE_CLOEXEC | F::AT_EMPTY_PATH | F::AT_RECURSIVE | F::AT_NO_AUTOMOUNT;
    Ok(keep_open(open_tree(dir, path, flags)?))
}

/// A new detached mount of a new file system: fsopen(2), fsconfig(2), fsmount(2).
///
/// # Errors
/// ENODEV: the kernel lacks the file system; EPERM: it may not be mounted here; ENOSYS before Linux 5.2.
pub fn new(kind: &CStr, options: &[(&CStr, &CStr)], attributes: MountAttrFlags) -> Result<Fd, Failure> {
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in options {
        // An option without a value is a flag.
        if value.is_empty() {
            fsconfig_set_flag(&context, *key)?;
        } else {
            fsconfig_set_string(&context, *key, *value)?;
        }
    }
    fsconfig_create(&context)?;
    Ok(keep_open(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?))
}

/// Sets attributes on a detached tree, all of it, and cuts it off from mount events of its origin.
///
/// # Errors
/// ENOSYS before Linux 5.12.
pub fn restrict(tree: BorrowedFd<'_>, attributes: MountAttrFlags) -> Done {
    sys::mount_setattr(tree, attributes.bits(), raw::MS_PRIVATE, true)
}

/// Puts a detached mount onto what `place` is: move_mount(2). Afterwards `tree` is the root of the mount there.
///
/// # Errors
/// ENOTDIR if one is a directory and the other is not; EINVAL if `place` is in another mount namespace.
pub fn attach(tree: BorrowedFd<'_>, place: BorrowedFd<'_>) -> Done {
    attach_at(tree, place, c"")
}

/// [`attach`] onto an entry of a directory that nobody else can write.
///
/// # Errors
/// As [`attach`].
pub fn attach_at(tree: BorrowedFd<'_>, dir: BorrowedFd<'_>, name: &CStr) -> Done {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH
        | if name.is_empty() { MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH } else { MoveMountFlags::empty() };
    Ok(move_mount(tree, c"", dir, name, flags)?)
}

/// mount(2), for places below a working directory that nobody else can write.
///
/// # Errors
/// Those of mount(2).
#[inline(never)]
pub fn plain(source: &CStr, place: &CStr, kind: &CStr, flags: MountFlags, options: &CStr) -> Done {
    Ok(mount(source, place, kind, flags, Some(options))?)
}
