//! The file system that becomes `/`.

use linux_raw_sys::general as raw;

use crate::fs::mount_fd;
use crate::fs::staging::Below;
use crate::report::hint;
use crate::report::message::blame_hint;
use crate::rootfs::{overlay, tmpfs};
use crate::spec::{Kind, Op, Spec, Writes, rooms};
use crate::sys::Failure;
use crate::sys::files::Fd;
use crate::text::{Say, verb};

/// Mounts and attaches the new root: a copy of `source` (the directory, or the mount of an image), an overlay of it, or an empty tmpfs
/// that the operations fill. `layer` is where an overlay writes to, with its work directory; `None`: to memory.
///
/// # Errors
/// Reported, except ENOTDIR and EINVAL of move_mount(2): the root cannot be attached.
pub fn mount(spec: &Spec<'_>, source: Option<Fd>, layer: Option<[Fd; 2]>) -> Result<Fd, Failure> {
    let tree = match source {
        None => tmpfs::new(spec, &Op::new(Kind::Tmpfs, c"/"))?,
        Some(mount) if spec.has_mounted_source() && !spec.has_overlay() => mount,
        Some(directory) if rooms::OVERLAY && spec.has_overlay() => overlay::of_root(spec, directory, layer)?,
        Some(directory) => mount_fd::bind(directory, c"", attributes(spec), 0, Below::Restricted)
            .map_err(|why| blame_hint(COPY, spec.root.directory, why, hint::of_copy(why).hint()))?,
    };
    mount_fd::begin_root(tree).map(|()| tree)
}

/// The attributes of the root (MOUNT_ATTR_*). nodev: a device file in DIR gives access to no device, whatever user made it.
#[must_use]
pub fn attributes(spec: &Spec<'_>) -> u32 {
    let read_only = if spec.root.writes == Writes::Refused { raw::MOUNT_ATTR_RDONLY } else { 0 };
    raw::MOUNT_ATTR_NODEV | spec.no_set_id() | read_only
}

/// Whether the staging place is needed: for files in memory. Other mounts need it too, because one may be the caller's root,
/// and the new root must not be below that.
#[must_use]
pub fn needs_base(spec: &Spec<'_>) -> bool {
    spec.root.directory.is_empty() || !spec.root.ops.is_empty() || spec.has_overlay()
}

/// The verb for a source that is bound.
pub const COPY: Say = verb::COPY_MOUNT;
