//! A mount as a descriptor: made where nobody sees it, restricted, and only then put where it belongs.
//!
//! Kernels before 5.12 lack calls for this, some or all (open_tree(2), fsopen(2), move_mount(2): Linux 5.2;
//! mount_setattr(2): 5.12). Where one is missing the mount is made by mount(2) in a directory of our own instead, and
//! moved from there. Which it is is found out by trying.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fd::BorrowedFd;
use rustix::fs::fstatvfs;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree, unmount,
};
use rustix::process::pivot_root;

use crate::fs::mount_legacy::{self, TREE, remount};
use crate::fs::staging::{self, DATA, ROOT, base, fd_path, plain};
use crate::sys::files::{self, Fd, HERE, chroot, fchdir};
use crate::sys::{self, Done, Failure, keep_open};
use crate::text::Text;

/// Whether a call is not there: the kernel says ENOSYS. A filter may say EPERM of a call that it does not know (Docker's, with
/// runc before 1.0.0-rc93). The kernel says EPERM of what is not permitted: then the old call is not permitted either.
fn is_missing(why: Failure) -> bool {
    matches!(why, Failure::NOSYS | Failure::PERM)
}

/// A copy of the mount at `path`, seen from `dir`, with all below it, its attributes (MOUNT_ATTR_*) set and cleared (`below`:
/// of those too). What is mounted below its origin later, or unmounted, is so below the copy: with the flags that it has there.
/// An empty path means `dir` itself.
///
/// # Errors
/// As [`copy`].
pub fn bind(dir: BorrowedFd<'_>, path: &CStr, set: u32, cleared: u32, below: bool) -> Result<Fd, Failure> {
    // In our mount namespace all are slaves, and the copy of one is one (mount_namespaces(7)).
    copied(dir, path, (set, cleared), below, 0)
}

/// The same, cut off from mount events of its origin.
///
/// # Errors
/// ENOENT, EACCES; EINVAL where something below may not be uncovered (mount_namespaces(7)); EPERM where an attribute is
/// locked.
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

/// A new mount of a new file system, nowhere yet: fsopen(2), fsconfig(2), fsmount(2).
///
/// # Errors
/// ENODEV: the kernel lacks the file system; EPERM: it may not be mounted here; ENOSYS before Linux 5.2.
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

/// A new mount of a new file system, on every kernel; for process 1, whose mounts are its own.
///
/// # Errors
/// As [`detached`], and those of mount(2).
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
            // Of the mount, not of the file system, which others may have mounted too.
            if attributes & raw::MOUNT_ATTR_RDONLY != 0 {
                make_read_only(tree)?;
            }
            Ok(tree)
        }
        made => made,
    }
}

/// Puts a mount onto what `name` is in `dir`, and not what a link of that name leads to.
///
/// # Errors
/// As [`attach`]; ENOENT.
pub fn attach_at(tree: BorrowedFd<'_>, dir: BorrowedFd<'_>, name: &CStr) -> Done {
    match move_mount(tree, c"", dir, name, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).map_err(Failure::from) {
        Err(why) if is_missing(why) => attach(tree, files::look(dir, name)?),
        done => done,
    }
}

/// Puts a mount onto what `place` is. Afterwards `tree` is the root of the mount there.
///
/// # Errors
/// ENOTDIR if one is a directory and the other is not; EINVAL if `place` is in another mount namespace.
pub fn attach(tree: BorrowedFd<'_>, place: BorrowedFd<'_>) -> Done {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    match move_mount(tree, c"", place, c"", flags).map_err(Failure::from) {
        Err(why) if is_missing(why) => {
            let (mut from, mut to) = (Text::new(), Text::new());
            plain(fd_path(tree, &mut from), fd_path(place, &mut to), c"", raw::MS_MOVE, c"")
        }
        done => done,
    }
}

/// Of statvfs(3); the others are the same as of mount(2).
const ST_NOSYMFOLLOW: u32 = 0x2000;

/// Makes the mount that `mount` is the root of read-only, and nothing below it.
///
/// # Errors
/// EINVAL if it is no mount's root.
pub fn make_read_only(mount: BorrowedFd<'_>) -> Done {
    match sys::mount_setattr(mount, raw::MOUNT_ATTR_RDONLY, 0, false, 0) {
        Err(why) if is_missing(why) => {
            let flags = fstatvfs(mount)?.f_flag.bits() as u32;
            let follows = if flags & ST_NOSYMFOLLOW != 0 { raw::MS_NOSYMFOLLOW } else { 0 };
            remount(fd_path(mount, &mut Text::new()), flags & DATA | follows | raw::MS_RDONLY)
        }
        done => done,
    }
}

/// A new mount of an overlay, whose options are too long for fsconfig(2).
///
/// # Errors
/// Those of mount(2).
pub fn overlay(options: &CStr, flags: u32) -> Result<Fd, Failure> {
    mount_legacy::make(c"overlay", TREE, c"overlay", flags, options)
}

/// Makes `tree` the place that everything else goes below.
///
/// # Errors
/// As [`attach`].
pub fn begin_root(tree: BorrowedFd<'_>) -> Done {
    let place = if !staging::is_made() { files::directory(HERE, c"/")? } else { files::directory(base()?, ROOT)? };
    attach(tree, place)
}

/// Enters `root`, a mount that [`begin_root`] was about or one on top of it, and leaves the caller's behind.
///
/// # Errors
/// Those of pivot_root(2): EINVAL in an initramfs.
pub fn enter_root(root: BorrowedFd<'_>) -> Done {
    if staging::is_made() {
        fchdir(base()?)?;
        chroot(c".")?;
    }
    fchdir(root)?;
    // The old root ends up on top of the new one, where `.` still leads to it: no directory for it is needed.
    Ok(pivot_root(c".", c".")?)
}

/// Detaches what [`enter_root`] left behind.
///
/// # Errors
/// Those of umount(2); EBUSY if something is left, which would show as `/..`.
pub fn detach_host() -> Done {
    unmount(c".", UnmountFlags::DETACH)?;
    if sys::mount_id(c"/..")? == sys::mount_id(c".")? { Ok(()) } else { Err(Failure::BUSY) }
}
