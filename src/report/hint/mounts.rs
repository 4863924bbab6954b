//! Why mounts fail.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fd::AsRawFd;
use rustix::io::Errno;
use rustix::mount::{FsOpenFlags, fsconfig_create, fsopen};

use crate::mountinfo;
use crate::spec::{Spec, Writes};
use crate::sys::Failure;
use crate::sys::files::{self, HERE};
use crate::text::{self, PATH, Short, Text};

use super::facts::{any_mount, is_chroot, is_confined, is_filtered, is_missing, own_profile};
use super::{Cause, of_call};

/// Why mount(2) or one of its successors fails, for a file system that the kernel fills or for `/`.
#[must_use]
pub fn of_mount(why: Failure) -> Cause {
    match why {
        Failure::INVAL if is_chroot() => Cause::Chroot,
        Failure::ACCESS if is_confined(&own_profile()) => Cause::AppArmorProfile,
        Failure::NOSPC => Cause::MountLimit,
        _ => of_call(why),
    }
}

/// Why no procfs can be mounted.
#[must_use]
pub fn of_proc(spec: &Spec<'_>, why: Failure) -> Cause {
    if why == Failure::INVAL && spec.root.processes_only {
        return Cause::NoProcSubset;
    }
    if why != Failure::PERM {
        return of_mount(why);
    }
    // A part of /proc is masked by a mount: of another file system, or of itself, read-only.
    let covers = |mount: &mountinfo::Line<'_>| text::after(mount.path, b"/proc/").is_some();
    let settings = |mount: &mountinfo::Line<'_>| mount.path == b"/proc/sys" && mount.flags & raw::MS_RDONLY != 0;
    match any_mount(&mut |mount| covers(mount)) {
        _ if is_missing(c"/proc/self") => Cause::NoProc,
        _ if spec.joined(raw::CLONE_NEWPID) && !is_filtered() => Cause::ForeignPids,
        true if spec.forbids_nesting() && any_mount(&mut |mount| settings(mount)) => Cause::MaskedProcAndSettings,
        true if spec.has_root() => Cause::MaskedProc,
        true => Cause::MaskedProcInSandbox,
        false => of_mount(why),
    }
}

/// Why no sysfs can be mounted.
#[must_use]
pub fn of_sys(spec: &Spec<'_>, why: Failure) -> Cause {
    let foreign = spec.in_user_namespace() && !spec.unshares(raw::CLONE_NEWNET) && !spec.joined(raw::CLONE_NEWNET);
    if why == Failure::PERM && foreign { Cause::SysNeedsNetwork } else { of_mount(why) }
}

/// Why an image cannot be mounted.
#[must_use]
pub fn of_image(why: Failure) -> Cause {
    match why {
        Failure::NODEV => Cause::NoSuchFileSystem,
        Failure::NOSYS if !is_filtered() => Cause::NoMountDescriptors,
        Failure::PERM if !is_filtered() => Cause::RootOfMachine,
        Failure::ROFS => Cause::DirtyJournal,
        Failure::UCLEAN | Failure::BADMSG => Cause::Damaged,
        _ => of_call(why),
    }
}

/// Why a mount cannot be shown through an id map.
#[must_use]
pub fn of_idmap(why: Failure) -> Cause {
    match why {
        Failure::INVAL => Cause::Unmappable,
        Failure::NOSYS if !is_filtered() => Cause::NoIdmaps,
        Failure::PERM if !is_filtered() => Cause::RootOfMachine,
        _ => of_call(why),
    }
}

/// Why nothing can be made below the root.
#[must_use]
pub fn of_place(spec: &Spec<'_>, why: Failure) -> Cause {
    match why {
        Failure::ROFS if !spec.has_root() || spec.root.writes == Writes::Forgotten => Cause::Unknown,
        Failure::ROFS if has_overlays() => Cause::Volatile,
        Failure::ROFS => Cause::MissingInReadOnly,
        _ => Cause::Unknown,
    }
}

/// Why a machine's mount point cannot be made.
#[cfg(feature = "boot")]
#[must_use]
pub fn of_machines_place(why: Failure) -> Cause {
    if why == Failure::ROFS { Cause::MissingInReadOnly } else { Cause::Unknown }
}

/// Why no devpts can be mounted.
#[must_use]
pub fn of_devpts(why: Failure) -> Cause {
    if why == Failure::NODEV { Cause::NoPtys } else { of_mount(why) }
}

/// Why a directory that is open cannot be bound.
#[must_use]
pub fn of_copy(why: Failure) -> Cause {
    if why == Failure::NOENT && is_missing(c"/proc/self/fd") { Cause::NeedsProc } else { of_mount(why) }
}

/// Why the root directory gets no overlay.
#[must_use]
pub fn of_overlay(spec: &Spec<'_>, why: Failure) -> Cause {
    match why {
        Failure::NODEV => Cause::NoOverlays,
        Failure::PERM if spec.in_user_namespace() && !has_overlays() => Cause::NoOverlaysForUsers,
        Failure::INVAL if spec.in_user_namespace() && has_mounts_below(spec.root.directory) => Cause::MountsBelow,
        _ => of_call(why),
    }
}

/// Whether anything is mounted below a directory of the caller.
#[inline(never)]
fn has_mounts_below(directory: &CStr) -> bool {
    let (mut link, mut buffer) = (Short::new(), [0u8; PATH]);
    let Ok(directory) = files::directory(HERE, directory) else { return false };
    link.push(b"/proc/self/fd/").push_number(directory.as_raw_fd().cast_unsigned());
    let Ok(path) = files::read_link(HERE, link.c_str(), &mut buffer) else { return false };
    // `/` ends with the slash that the paths below it begin with.
    let path = text::after(path, b"/").filter(|rest| rest.is_empty()).map_or(path, |_| b"");
    any_mount(&mut |mount| {
        let mut its = Text::new();
        mountinfo::unescape(mount.path, &mut its);
        text::after(its.bytes(), path).is_some_and(|below| below.len() > 1 && below.starts_with(b"/"))
    })
}

/// Whether the kernel mounts overlays here; in a user namespace it does so from Linux 5.11 on. An overlay without layers is tried:
/// EINVAL means that only the layers are missing.
fn has_overlays() -> bool {
    fsopen(c"overlay", FsOpenFlags::FSOPEN_CLOEXEC).is_ok_and(|tried| fsconfig_create(tried) != Err(Errno::PERM))
}
