//! Mounts as descriptors: a mount is made where no process sees it, restricted, and only then attached.
//!
//! Kernels before 5.12 lack some or all of the calls for this (open_tree(2), fsopen(2), move_mount(2): Linux 5.2;
//! mount_setattr(2): 5.12). If a call is missing, the mount is made by mount(2) in [`staging`] instead, and moved from there. Each
//! call is tried first.

use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, Ordering};

use linux_raw_sys::general as raw;
use rustix::fd::BorrowedFd;
use rustix::fs::fstatvfs;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree, unmount,
};
use rustix::process::pivot_root;

use crate::fs::mount_legacy::{self, TREE};
use crate::fs::staging::{self, Below, DATA, ROOT, fd_path, mount_by_path};
use crate::spec::rooms;
use crate::sys::files::{self, Fd, HERE, chroot, fchdir};
use crate::sys::{self, Done, Failure, keep_open};
use crate::text::{self, Short, Text};

/// Whether a call is missing: the kernel answers ENOSYS. A seccomp filter may answer EPERM for a call that it does not know (Docker's,
/// with runc before 1.0.0-rc93). If the kernel itself answers EPERM, the old call is not permitted either. The old calls need the
/// caller's root as `/`.
fn is_missing(why: Failure) -> bool {
    let missing = rooms::LEGACY && matches!(why, Failure::NOSYS | Failure::PERM) && !staging::is_left();
    if missing {
        MISSED.store(true, Ordering::Relaxed);
    }
    missing
}

/// A call was missing.
static MISSED: AtomicBool = AtomicBool::new(false);

/// Whether a call was missing, or not permitted.
#[must_use]
pub fn has_missed_a_call() -> bool {
    MISSED.load(Ordering::Relaxed)
}

/// Copies the mount at `path`, relative to `dir`, and sets and clears attributes (MOUNT_ATTR_*) of the copy; `below` says what
/// becomes of the mounts below it. Mounts that are made or removed below the original later are made or removed below the copy,
/// with the attributes that they have there. An empty path means `dir` itself.
///
/// # Errors
/// As [`copy`].
pub fn bind(dir: BorrowedFd<'_>, path: &CStr, set: u32, cleared: u32, below: Below) -> Result<Fd, Failure> {
    // All mounts of this mount namespace are slaves, and the copy of a slave is a slave (mount_namespaces(7)).
    copied(dir, path, (set, cleared), below, 0)
}

/// As [`bind`], but private: later mounts below the original do not show.
///
/// # Errors
/// ENOENT, EACCES: there is no such path; EINVAL: a mount below may not be uncovered (mount_namespaces(7)); EPERM: an attribute to clear
/// is locked.
pub fn copy(dir: BorrowedFd<'_>, path: &CStr, set: u32, cleared: u32, below: Below) -> Result<Fd, Failure> {
    copied(dir, path, (set, cleared), below, raw::MS_PRIVATE)
}

fn copied(
    dir: BorrowedFd<'_>,
    path: &CStr,
    (set, cleared): (u32, u32),
    below: Below,
    propagation: u32,
) -> Result<Fd, Failure> {
    let copied = opened(dir, path, below).and_then(|tree| {
        sys::mount_setattr(tree, set, cleared, below == Below::Restricted, propagation).map(|()| tree)
    });
    match copied {
        Err(why) if is_missing(why) => mount_legacy::copy(dir, path, (set, cleared), below, propagation),
        other => other,
    }
}

/// A copy of a mount that is attached nowhere, open_tree(2).
fn opened(dir: BorrowedFd<'_>, path: &CStr, below: Below) -> Result<Fd, Failure> {
    use OpenTreeFlags as F;
    let all = if below == Below::Left { F::empty() } else { F::AT_RECURSIVE };
    let flags = F::OPEN_TREE_CLONE | F::OPEN_TREE_CLOEXEC | F::AT_EMPTY_PATH | F::AT_NO_AUTOMOUNT | all;
    Ok(keep_open(open_tree(dir, path, flags)?))
}

/// As [`bind`], through the id maps of the user namespace `users`. No older call can do it.
///
/// # Errors
/// As [`sys::mount_map_ids`] and open(2); EPERM also: an attribute to clear is locked.
pub fn mapped(
    dir: BorrowedFd<'_>,
    path: &CStr,
    set: u32,
    cleared: u32,
    below: Below,
    users: BorrowedFd<'_>,
) -> Result<Fd, Failure> {
    let tree = opened(dir, path, below)?;
    let all = below != Below::Left;
    sys::mount_map_ids(tree, users, all)?;
    // A slave, as all mounts of the container's mount namespace are.
    sys::mount_setattr(tree, set, cleared, all, raw::MS_SLAVE)?;
    Ok(tree)
}

/// Mounts a new file system, attached nowhere yet: fsopen(2), fsconfig(2), fsmount(2). An option is a key and a value; one without a
/// value is left out, one without a key is a flag.
///
/// # Errors
/// ENODEV: the kernel lacks the file system; EPERM: it may not be mounted here; EINVAL: an option is wrong; ENOSYS before Linux 5.2.
pub fn detached(kind: &CStr, options: &[(&CStr, &CStr)], attributes: u32) -> Result<Fd, Failure> {
    detached_with(kind, options, b"", attributes)
}

/// The options of mount(8) that are attributes of the mount, and the attributes.
const OF_MOUNT: &[u8] = b"defaults nosuid nodev noexec noatime relatime nodiratime";
static ATTRIBUTES: [u32; 7] = [
    0,
    raw::MOUNT_ATTR_NOSUID,
    raw::MOUNT_ATTR_NODEV,
    raw::MOUNT_ATTR_NOEXEC,
    raw::MOUNT_ATTR_NOATIME,
    raw::MOUNT_ATTR_RELATIME,
    raw::MOUNT_ATTR_NODIRATIME,
];

/// As [`detached`], with more options, in the syntax of mount(8).
///
/// # Errors
/// As [`detached`].
pub fn detached_with(
    kind: &CStr,
    options: &[(&CStr, &CStr)],
    mut more: &[u8],
    mut attributes: u32,
) -> Result<Fd, Failure> {
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in options {
        match (key.is_empty(), value.is_empty()) {
            (_, true) => {}
            (true, _) => fsconfig_set_flag(&context, *value)?,
            (false, _) => fsconfig_set_string(&context, *key, *value)?,
        }
    }
    while let Some(mut value) = text::word(&mut more, b',') {
        if let Some(attribute) = text::place(OF_MOUNT, value).and_then(|place| ATTRIBUTES.get(place)) {
            attributes |= attribute;
        } else if text::has(value, b'=') {
            let key = text::word(&mut value, b'=').unwrap_or_default();
            fsconfig_set_string(&context, Short::new().push(key).c_str(), Short::new().push(value).c_str())?;
        } else if !value.is_empty() {
            fsconfig_set_flag(&context, Short::new().push(value).c_str())?;
        }
    }
    fsconfig_create(&context)?;
    let attributes = MountAttrFlags::from_bits_retain(attributes);
    Ok(keep_open(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?))
}

/// As [`detached`] (without flags), on every kernel; for process 1 only, which has a mount namespace of its own.
///
/// # Errors
/// As [`detached`].
pub fn new(kind: &CStr, options: &[(&CStr, &CStr)], attributes: u32) -> Result<Fd, Failure> {
    new_with(kind, options, b"", attributes)
}

/// As [`new`], with more options of the file system, separated by commas.
///
/// # Errors
/// As [`detached`].
pub fn new_with(kind: &CStr, options: &[(&CStr, &CStr)], more: &[u8], attributes: u32) -> Result<Fd, Failure> {
    match detached_with(kind, options, more, attributes) {
        Err(why) if is_missing(why) => new_by_path(kind, options, more, attributes),
        made => made,
    }
}

/// This is a function of its own, because its buffer takes a page of stack.
#[cold]
#[inline(never)]
fn new_by_path(kind: &CStr, options: &[(&CStr, &CStr)], more: &[u8], attributes: u32) -> Result<Fd, Failure> {
    let mut text = Text::new();
    for (key, value) in options.iter().filter(|(_, value)| !value.is_empty()) {
        text.push(key.to_bytes()).byte(b'=').push(value.to_bytes()).byte(b',');
    }
    text.push(more);
    let tree = mount_legacy::make(c"none", TREE, kind, attributes & DATA, text.c_str())?;
    // Read-only is set on the mount: the file system may be mounted elsewhere too.
    if attributes & raw::MOUNT_ATTR_RDONLY != 0 {
        make_read_only(tree)?;
    }
    Ok(tree)
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
        Err(why) if is_missing(why) => attach_by_path(tree, place),
        done => done,
    }
}

#[cold]
#[inline(never)]
fn attach_by_path(tree: BorrowedFd<'_>, place: BorrowedFd<'_>) -> Done {
    let (mut from, mut to) = (Short::new(), Short::new());
    mount_by_path(fd_path(tree, &mut from), fd_path(place, &mut to), c"", raw::MS_MOVE, c"")
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
            mount_legacy::remount(fd_path(mount, &mut Short::new()), flags & DATA | follows | raw::MS_RDONLY)
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
    // pivot_root(2) puts the old root on top of the new one: it needs no directory.
    pivot_root(c".", c".")?;
    staging::leave();
    Ok(())
}

/// Detaches the caller's root after [`enter_root`]: `/..` leads to the mount on top of the root. `/` is the working directory.
///
/// # Errors
/// EBUSY: a mount is left on top of the root; others: see umount(2).
pub fn detach_host() -> Done {
    unmount(c"/..", UnmountFlags::DETACH)?;
    if sys::mount_id(c"/..")? == sys::mount_id(c".")? { Ok(()) } else { Err(Failure::BUSY) }
}
