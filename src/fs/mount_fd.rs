//! Mounts as descriptors: a mount is made where no process sees it, restricted, and only then attached.
//!
//! Kernels before 5.12 lack some or all of the calls for this (open_tree(2), fsopen(2), move_mount(2): Linux 5.2;
//! mount_setattr(2): 5.12). If a call is missing, the mount is made by mount(2) in [`staging`] instead, and moved from there. Each
//! call is tried first.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fd::BorrowedFd;
use rustix::fs::fstatvfs;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree, unmount,
};
use rustix::process::pivot_root;

use crate::fs::mount_legacy::{self, TREE};
use crate::fs::staging::{self, DATA, ROOT, fd_path, mount_by_path};
use crate::sys::files::{self, Fd, HERE, chroot, fchdir};
use crate::sys::{self, Done, Failure, keep_open};
use crate::text::Text;

/// Whether a call is missing: the kernel answers ENOSYS. A seccomp filter may answer EPERM for a call that it does not know (Docker's,
/// with runc before 1.0.0-rc93). If the kernel itself answers EPERM, the old call is not permitted either.
fn is_missing(why: Failure) -> bool {
    matches!(why, Failure::NOSYS | Failure::PERM)
}

/// Copies the mount at `path`, relative to `dir`, with all mounts below it, and sets and clears attributes (MOUNT_ATTR_*) of the copy;
/// with `below`, of the mounts below too. Mounts that are made or removed below the original later are made or removed below the copy,
/// with the attributes that they have there. An empty path means `dir` itself.
///
/// # Errors
/// As [`copy`].
pub fn bind(dir: BorrowedFd<'_>, path: &CStr, set: u32, cleared: u32, below: bool) -> Result<Fd, Failure> {
    // All mounts of this mount namespace are slaves, and the copy of a slave is a slave (mount_namespaces(7)).
    copied(dir, path, (set, cleared), below, 0)
}

/// As [`bind`], but private: later mounts below the original do not show.
///
/// # Errors
/// ENOENT, EACCES: there is no such path; EINVAL: a mount below may not be uncovered (mount_namespaces(7)); EPERM: an attribute to clear
/// is locked.
pub fn copy(dir: BorrowedFd<'_>, path: &CStr, set: u32, cleared: u32, below: bool) -> Result<Fd, Failure> {
    copied(dir, path, (set, cleared), below, raw::MS_PRIVATE)
}

fn copied(
    dir: BorrowedFd<'_>,
    path: &CStr,
    (set, cleared): (u32, u32),
    below: bool,
    propagation: u32,
) -> Result<Fd, Failure> {
    use OpenTreeFlags as F;
    let flags = F::OPEN_TREE_CLONE | F::OPEN_TREE_CLOEXEC | F::AT_EMPTY_PATH | F::AT_RECURSIVE | F::AT_NO_AUTOMOUNT;
    let copied = open_tree(dir, path, flags).map_err(Failure::from).and_then(|tree| {
        let tree = keep_open(tree);
        sys::mount_setattr(tree, set, cleared, below, propagation).map(|()| tree)
    });
    match copied {
        Err(why) if is_missing(why) => mount_legacy::copy(dir, path, (set, cleared), below, propagation),
        other => other,
    }
}

/// Mounts a new file system, attached nowhere yet: fsopen(2), fsconfig(2), fsmount(2).
///
/// # Errors
/// ENODEV: the kernel lacks the file system; EPERM: it may not be mounted here; EINVAL: an option is wrong; ENOSYS before Linux 5.2.
pub fn detached(kind: &CStr, options: &[(&CStr, &CStr)], attributes: u32) -> Result<Fd, Failure> {
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
    let attributes = MountAttrFlags::from_bits_retain(attributes);
    Ok(keep_open(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?))
}

/// As [`detached`], on every kernel; for process 1 only, which has a mount namespace of its own.
///
/// # Errors
/// As [`detached`].
pub fn new(kind: &CStr, options: &[(&CStr, &CStr)], attributes: u32) -> Result<Fd, Failure> {
    match detached(kind, options, attributes) {
        Err(why) if is_missing(why) => {
            let mut text = Text::new();
            for (key, value) in options {
                text.push(key.to_bytes());
                if !value.is_empty() {
                    text.byte(b'=').push(value.to_bytes());
                }
                text.byte(b',');
            }
            let tree = mount_legacy::make(c"none", TREE, kind, attributes & DATA, text.c_str())?;
            // Read-only is set on the mount: the file system may be mounted elsewhere too.
            if attributes & raw::MOUNT_ATTR_RDONLY != 0 {
                make_read_only(tree)?;
            }
            Ok(tree)
        }
        made => made,
    }
}

/// Attaches a mount to `name` in `dir`. A symbolic link of that name is not followed.
///
/// # Errors
/// ENOENT: there is no such name; others: as [`attach`].
pub fn attach_at(tree: BorrowedFd<'_>, dir: BorrowedFd<'_>, name: &CStr) -> Done {
    match move_mount(tree, c"", dir, name, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).map_err(Failure::from) {
        Err(why) if is_missing(why) => attach(tree, files::look(dir, name)?),
        done => done,
    }
}

/// Attaches a mount to `place`. `tree` is then the root of the mount there.
///
/// # Errors
/// ENOTDIR: one is a directory and the other is not; EINVAL: `place` is in another mount namespace.
pub fn attach(tree: BorrowedFd<'_>, place: BorrowedFd<'_>) -> Done {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    match move_mount(tree, c"", place, c"", flags).map_err(Failure::from) {
        Err(why) if is_missing(why) => {
            let (mut from, mut to) = (Text::new(), Text::new());
            mount_by_path(fd_path(tree, &mut from), fd_path(place, &mut to), c"", raw::MS_MOVE, c"")
        }
        done => done,
    }
}

/// A flag of statvfs(3); the other flags have the bits of mount(2).
const ST_NOSYMFOLLOW: u32 = 0x2000;

/// Makes one mount read-only, and not those below it. `mount` is its root.
///
/// # Errors
/// EINVAL: `mount` is not the root of a mount.
pub fn make_read_only(mount: BorrowedFd<'_>) -> Done {
    match sys::mount_setattr(mount, raw::MOUNT_ATTR_RDONLY, 0, false, 0) {
        Err(why) if is_missing(why) => {
            let flags = fstatvfs(mount)?.f_flag.bits() as u32;
            let follows = if flags & ST_NOSYMFOLLOW != 0 { raw::MS_NOSYMFOLLOW } else { 0 };
            mount_legacy::remount(fd_path(mount, &mut Text::new()), flags & DATA | follows | raw::MS_RDONLY)
        }
        done => done,
    }
}

/// Mounts an overlay, attached to the staging place. mount(2) takes its options: they may be longer than fsconfig(2) permits.
///
/// # Errors
/// ENODEV: the kernel has no overlayfs; EPERM: it may not be mounted here; EINVAL: a layer is not supported.
pub fn overlay(options: &CStr, flags: u32) -> Result<Fd, Failure> {
    mount_legacy::make(c"overlay", TREE, c"overlay", flags, options)
}

/// Attaches `tree` as the new root, below which everything else is mounted.
///
/// # Errors
/// As [`attach`].
pub fn begin_root(tree: BorrowedFd<'_>) -> Done {
    let place =
        if !staging::is_made() { files::directory(HERE, c"/")? } else { files::directory(staging::base()?, ROOT)? };
    attach(tree, place)
}

/// Makes `root` the root: the mount that [`begin_root`] attached, or one on top of it. The caller's root is still mounted.
///
/// # Errors
/// EINVAL of pivot_root(2): `/` is an initramfs (before Linux 7.0), or not a mount point.
pub fn enter_root(root: BorrowedFd<'_>) -> Done {
    if staging::is_made() {
        fchdir(staging::base()?)?;
        chroot(c".")?;
    }
    fchdir(root)?;
    // pivot_root(2) puts the old root on top of the new one, and `.` still leads to it: it needs no directory.
    Ok(pivot_root(c".", c".")?)
}

/// Detaches the caller's root after [`enter_root`].
///
/// # Errors
/// EBUSY: a mount is left on top of the root, which `/..` would lead to; others: see umount(2).
pub fn detach_host() -> Done {
    unmount(c".", UnmountFlags::DETACH)?;
    if sys::mount_id(c"/..")? == sys::mount_id(c".")? { Ok(()) } else { Err(Failure::BUSY) }
}
