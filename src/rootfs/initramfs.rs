//! Initramfs: a root file system that is mounted on no other, so that pivot_root(2) cannot leave it (before Linux 7.0).

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, Mode, OFlags, fstat, openat, statat, statfs, unlinkat};
use rustix::io::Errno;
use rustix::mount::{MountPropagationFlags, UnmountFlags, unmount};
use rustix::process::{getpid, pivot_root};

use crate::fs::procfs;
use crate::fs::resolve;
use crate::fs::staging::{DATA, mount_by_path};
use crate::mountinfo;
use crate::ns::usermap;
use crate::report::message::{blame, warn};
use crate::say;
use crate::state::Launch;
use crate::sys::files::{self, Fd, HERE, chdir, chroot, fchdir};
use crate::sys::{self, Done, Failure, c_str};
use crate::text::{List, PATH, Text};

/// Whether `/` is an initramfs.
///
/// # Errors
/// `/` may be one, and /proc/self/mountinfo cannot be read: see open(2).
pub fn is_root() -> Result<bool, Failure> {
    let kind = statfs(c"/")?.f_type as u64;
    if kind != u64::from(raw::TMPFS_MAGIC) && kind != u64::from(raw::RAMFS_MAGIC) {
        return Ok(false);
    }
    let mut first = None;
    mountinfo::each(mounts(ourselves()?)?, &mut |mount| {
        // A mount that is on no other has itself as its parent.
        first.get_or_insert(mount.id == mount.parent);
    })?;
    Ok(first == Some(true))
}

/// Whether `/` is the root that the kernel has made itself: it holds the files of the initramfs, below which, since Linux 7.0, another
/// mount lies.
///
/// # Errors
/// /proc/self/mountinfo cannot be read: see open(2).
pub fn is_kernels_root() -> Result<bool, Failure> {
    let mut is_it = false;
    mountinfo::each(mounts(ourselves()?)?, &mut |mount| is_it |= mount.path == b"/" && mount.kind == b"rootfs")?;
    Ok(is_it)
}

fn ourselves() -> Result<Fd, Failure> {
    procfs::process(procfs::open()?, getpid())
}

fn mounts(process: Fd) -> Result<Fd, Failure> {
    procfs::open_file(process, c"mountinfo", OFlags::RDONLY)
}

/// In an initramfs: makes a mount namespace, mounts a copy of `/` on top of it, and makes the copy the root. Then everything is as on any
/// other machine, and sets `on_copy`. In a user and mount namespace that is made later the copy is locked to its mount point, and pivot_root(2) passes the
/// lock on: no process there can remove the new root from above the initramfs.
///
/// # Errors
/// EPERM, ENOSPC: no namespace can be made; others: see mount(2).
pub fn stand_on_copy(launch: &mut Launch) -> Done {
    let spec = &launch.spec;
    // An ordinary user without a new user namespace cannot make namespaces: a later step reports it.
    let stays = spec.ids.rootless && !spec.joins_user() && !spec.unshares(raw::CLONE_NEWUSER);
    if stays || !is_root()? { Ok(()) } else { make_copy(launch) }
}

/// This is a function of its own, because its buffers take three pages of stack.
#[inline(never)]
fn make_copy(launch: &mut Launch) -> Done {
    let Launch { spec, caller, on_copy, .. } = launch;
    let process = ourselves()?;
    if spec.ids.rootless && !spec.joins_user() {
        sys::unshare(raw::CLONE_NEWNS | raw::CLONE_NEWUSER)?;
        usermap::deny_setgroups(process)?;
        usermap::write_own(process, c"uid_map", caller.uid, caller.uid)?;
        usermap::write_own(process, c"gid_map", caller.gid, caller.gid)?;
    } else {
        sys::unshare(raw::CLONE_NEWNS)?;
    }
    sys::mount_change(c"/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?;
    let mut here = [0u8; PATH];
    let named = files::getcwd(&mut here).is_ok();
    let below = files::directory(HERE, c".");
    let bottom = files::directory(HERE, c"/")?;
    mount_by_path(c"/", c"/", c"", raw::MS_BIND | raw::MS_REC, c"")?;
    fchdir(bottom)?;
    // Later mounts must arrive in the copy only: below it, they would never be unmounted.
    sys::mount_change(c".", MountPropagationFlags::PRIVATE)?;
    clear_bottom(process)?;
    // `/..` leads to the mount on top of `/`.
    fchdir(files::directory(HERE, c"/..")?)?;
    chroot(c".")?;
    if !named || chdir(c_str(&here)).is_err() {
        // A working directory that was removed, or whose path may not be searched, stays as it was.
        fchdir(below?)?;
    }
    *on_copy = true;
    Ok(())
}

/// Unmounts everything that is mounted on the initramfs itself: a complete procfs or sysfs there, at any place, would permit every process
/// to mount one without masks (mount_too_revealing in the kernel). If mounts are locked to their mount points, these two are covered, and
/// so not complete. The working directory is the initramfs's own root, below the copy.
fn clear_bottom(process: Fd) -> Done {
    let mut path = Text::new();
    loop {
        let mut root = Text::new();
        let mut on_root = |mount: &mountinfo::Line<'_>| {
            if mount.id == mount.parent {
                root.push(mount.id);
            }
            mount.parent == root.bytes() && !matches!(mount.path, b"/")
        };
        if !nth(process, 0, &mut on_root, &mut path)? {
            return Ok(());
        }
        match unmount(sys::tail(path.c_str(), 1), UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
            Err(Errno::INVAL) => break,
            other => other?,
        }
    }
    let mut reveals = |mount: &mountinfo::Line<'_>| matches!(mount.kind, b"proc" | b"sysfs");
    // The mounts of the copy have the same paths: some files are covered twice.
    for index in 0.. {
        if !nth(process, index, &mut reveals, &mut path)? {
            break;
        }
        let name = sys::tail(path.c_str(), 1);
        mount_by_path(c"tmpfs", name, c"tmpfs", DATA | raw::MS_RDONLY, c"mode=0,nr_inodes=1")
            .map_err(|why| blame(say!("cover"), path.c_str(), why))?;
    }
    Ok(())
}

/// Stores the path of the mount with that index among those for which `meant` holds. Returns whether there is one.
fn nth(
    process: Fd,
    index: u32,
    meant: &mut dyn FnMut(&mountinfo::Line<'_>) -> bool,
    path: &mut Text,
) -> Result<bool, Failure> {
    let (mut found, mut count) = (false, 0);
    path.truncate(0);
    mountinfo::each(mounts(process)?, &mut |mount| {
        if meant(mount) {
            if count == index {
                mountinfo::unescape(mount.path, path);
                found = true;
            }
            count += 1;
        }
    })?;
    Ok(found)
}

/// The mounts that move to the new root.
const MOVED: List = List::of(b"/dev\0/sys\0/run\0/proc\0");

/// Makes `dir` the root of this and all later processes. The mounts on /dev, /sys, /run and /proc move along. The files of an initramfs are
/// removed; a root of another kind is detached and stays as it is.
///
/// # Errors
/// [`Failure::NO_MOUNT`]: `dir` is not a mount point; ENOENT, ENOTDIR: there is no such directory; others: see pivot_root(2) and mount(2).
/// Then nothing has changed.
pub fn switch(dir: &CStr) -> Done {
    let old = files::open_path(c"/", OFlags::RDONLY | OFlags::DIRECTORY)?;
    let new = files::directory(HERE, dir)?;
    let device = |dir: Fd, path: &CStr| statat(dir, path, AtFlags::empty()).map(|stat| stat.st_dev);
    let own = device(old, c".")?;
    let bottom = is_root()?;
    // The moves must not show in other mount namespaces, and a shared mount cannot be moved.
    sys::mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    fchdir(new)?;
    let entered = if !bottom {
        pivot_root(c".", c".").map_err(Failure::from)
    } else if device(new, c".")? == own {
        // The files of the initramfs are removed, and these are among them.
        Err(Failure::INVAL)
    } else {
        mount_by_path(c".", c"/", c"", raw::MS_MOVE, c"").and_then(|()| chroot(c"."))
    };
    entered
        .inspect_err(|_| {
            let _ = chdir(c"/");
        })
        .map_err(|why| if matches!(why, Failure::INVAL | Failure::BUSY) { Failure::NO_MOUNT } else { why })?;
    // A relative path leads to a mount on the old root, an absolute path to its place on the new one.
    fchdir(old)?;
    for path in MOVED.strings() {
        let name = sys::tail(path, 1);
        if device(old, name).is_ok_and(|there| there != own)
            && let Err(why) = take_along(name, path)
        {
            warn(say!("take along"), path, why, say!("the new root does without it"));
            let _ = unmount(name, UnmountFlags::DETACH);
        }
    }
    if bottom {
        free(old.as_fd(), own);
    } else {
        unmount(c".", UnmountFlags::DETACH)?;
    }
    chdir(c"/")
}

/// Moves a mount to `place`, which is made if it is missing.
fn take_along(mount: &CStr, place: &CStr) -> Done {
    match mount_by_path(mount, place, c"", raw::MS_MOVE, c"") {
        Err(Failure::NOENT) => {
            files::make_directory(HERE, place, resolve::PARENTS)?;
            mount_by_path(mount, place, c"", raw::MS_MOVE, c"")
        }
        done => done,
    }
}

/// Removes all files of `dir` that are on `device`. A file that cannot be removed stays.
fn free(dir: BorrowedFd<'_>, device: u64) {
    files::each_name(dir, &mut |name| remove(dir, name, device));
}

fn remove(dir: BorrowedFd<'_>, name: &CStr, device: u64) {
    if matches!(name.to_bytes(), b"" | b"." | b"..") || unlinkat(dir, name, AtFlags::empty()) != Err(Errno::ISDIR) {
        return;
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if let Ok(below) = openat(dir, name, flags, Mode::empty())
        && fstat(&below).is_ok_and(|stat| stat.st_dev == device)
    {
        free(below.as_fd(), device);
    }
    let _ = unlinkat(dir, name, AtFlags::REMOVEDIR);
}
