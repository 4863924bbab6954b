//! The file system that becomes `/`.

use linux_raw_sys::general as raw;

use crate::fs::mount_fd;
use crate::report::hint;
use crate::report::message::blame_hint;
use crate::rootfs::{overlay, tmpfs};
use crate::spec::{Kind, Masks, Op, Spec, Writes};
use crate::sys::Failure;
use crate::sys::files::Fd;
use crate::text::{Say, verb};

/// Mounts and attaches the new root: a copy of `source` (the directory, or the mount of an image), an overlay of it, or an empty tmpfs
/// that the operations fill.
///
/// # Errors
/// Reported, except ENOTDIR and EINVAL of move_mount(2): the root cannot be attached.
pub fn mount(spec: &Spec<'_>, source: Option<Fd>) -> Result<Fd, Failure> {
    let read_only = if spec.root.writes == Writes::Refused { raw::MOUNT_ATTR_RDONLY } else { 0 };
    let attributes = raw::MOUNT_ATTR_NODEV | spec.no_set_id() | read_only;
    let tree = match source {
        None => tmpfs::new(spec, &Op::new(Kind::Tmpfs, c"/"))?,
        Some(mount) if spec.root.image && spec.root.writes != Writes::Forgotten => mount,
        Some(directory) if spec.root.writes == Writes::Forgotten => overlay::volatile(spec, directory)?,
        // nodev: a device file in DIR gives access to no device, whatever user made it.
        Some(directory) => mount_fd::bind(directory, c"", attributes, 0, true)
            .map_err(|why| blame_hint(COPY, spec.root.directory, why, hint::of_copy(why).hint()))?,
    };
    mount_fd::begin_root(tree).map(|()| tree)
}

/// Whether the staging place is needed: for files in memory and for masks. Other mounts need it too, because one may be the caller's root,
/// and the new root must not be below that.
#[must_use]
pub fn needs_base(spec: &Spec<'_>) -> bool {
    let masked = spec.root.masks == Masks::All && (spec.root.proc || spec.root.sys);
    spec.root.directory.is_empty() || masked || !spec.root.ops.is_empty() || spec.root.writes == Writes::Forgotten
}

/// The verb for a source that is bound.
pub const COPY: Say = verb::COPY_MOUNT;
