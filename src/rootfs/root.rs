//! What becomes `/`, and the file systems in memory and the overlays that are made for it and below it.

use core::sync::atomic::{AtomicU32, Ordering};

use linux_raw_sys::general as raw;
use rustix::fs::fstat;

use crate::fs::mount_fd;
use crate::fs::staging;
use crate::report::hint;
use crate::report::message::{blame, blame_hint};
use crate::say;
use crate::spec::{Kind, Masks, Op, Spec, Writes};
use crate::sys::files::{self, Fd};
use crate::sys::{Done, Failure};
use crate::text::Say;
use crate::text::Text;
use crate::text::verb;

/// What becomes `/`: DIR, or the mount of an image, as `source`; or an empty file system that the operations fill.
///
/// # Errors
/// What the kernel can't do.
pub fn root(spec: &Spec<'_>, source: Option<Fd>) -> Result<Fd, Failure> {
    let read_only = if spec.root.writes == Writes::Refused { raw::MOUNT_ATTR_RDONLY } else { 0 };
    let attributes = raw::MOUNT_ATTR_NODEV | spec.no_set_id() | read_only;
    let tree = match source {
        None => new_tmpfs(spec, &Op::new(Kind::Tmpfs, c"/"))?,
        Some(mount) if spec.root.image && spec.root.writes != Writes::Forgotten => mount,
        Some(directory) if spec.root.writes == Writes::Forgotten => volatile(spec, directory)?,
        // Device files that DIR may hold, whoever put them there, are nobody's devices.
        Some(directory) => mount_fd::bind(directory, c"", attributes, 0, true)
            .map_err(|why| blame_hint(COPY, spec.root.directory, why, hint::of_copy(why).hint()))?,
    };
    mount_fd::begin_root(tree).map(|()| tree)
}

/// Whether [`base`] is needed: for what is made in memory and for masks, and because what else is mounted may be the caller's
/// root, which is not to have the new one in it.
#[must_use]
pub fn needs_base(spec: &Spec<'_>) -> bool {
    let masked = spec.root.masks == Masks::All && (spec.root.proc || spec.root.sys);
    spec.root.directory.is_empty() || masked || !spec.root.ops.is_empty() || spec.root.writes == Writes::Forgotten
}

/// What is done to a source.
pub const COPY: Say = verb::COPY_MOUNT;

/// An overlay of DIR and a file system in memory.
fn volatile(spec: &Spec<'_>, lower: Fd) -> Result<Fd, Failure> {
    if spec.root.image {
        // What is to be below others has to be somewhere.
        let place = staging::base().and_then(|base| files::directory(base, staging::IMAGE));
        place
            .and_then(|place| mount_fd::attach(lower, place))
            .map_err(|why| blame(say!("mount image"), spec.root.directory, why))?;
    }
    let mut options = Text::new();
    staging::fd_path(lower, options.push(b"lowerdir="));
    in_memory(lower, &mut options)
        .and_then(|()| overlay(spec, &mut options, raw::MOUNT_ATTR_NODEV | spec.no_set_id()))
        .map_err(|why| blame_hint(verb::MOUNT_OVERLAY, spec.root.directory, why, hint::of_overlay(spec, why).hint()))
}

/// Adds to the options of an overlay where in memory its writes go. `top` is where the mode of its root comes from.
///
/// # Errors
/// Those of mount(2) and mkdirat(2).
pub fn in_memory(top: Fd, options: &mut Text) -> Done {
    let base = staging::base()?;
    let mode = fstat(top)?.st_mode & 0o7777;
    for (key, mode) in [(&b",upperdir="[..], mode), (b",workdir=", 0o700)] {
        let mut name = Text::new();
        let name = new_name(&mut name);
        files::make_directory(base, name.c_str(), mode)?;
        staging::fd_path(base, options.push(key));
        options.byte(b'/').push(name.bytes());
    }
    Ok(())
}

/// An overlay with these options.
///
/// # Errors
/// Those of mount(2).
pub fn overlay(spec: &Spec<'_>, options: &mut Text, flags: u32) -> Result<Fd, Failure> {
    // Without the initial user namespace's rights, marks are kept as attributes of the user (Linux 5.11).
    if spec.in_user_namespace() {
        options.push(b",userxattr");
    }
    mount_fd::overlay(options.c_str(), flags)
}

/// An empty file system in memory, with the mode and the size that were said.
///
/// # Errors
/// Those of [`mount_fd::new`], reported.
pub fn new_tmpfs(spec: &Spec<'_>, op: &Op<'_>) -> Result<Fd, Failure> {
    let mut mode = Text::new();
    let mut options = [(c"mode", mode.push_octal(op.mode.unwrap_or(0o755)).c_str()); 4];
    let mut used = 1;
    // A size bounds no names, which take memory too.
    let names = if op.kind == Kind::Dev && !op.size.is_empty() { c"4096" } else { c"" };
    for (key, value) in
        [(c"size", op.size), (c"nr_inodes", names), (c"context", spec.confine.file_label.unwrap_or(c""))]
    {
        if let Some(option) = options.get_mut(used).filter(|_| !value.is_empty()) {
            *option = (key, value);
            used += 1;
        }
    }
    mount_fd::new(c"tmpfs", options.get(..used).unwrap_or_default(), op.attributes(0))
        .map_err(|why| blame_hint(say!("mount tmpfs on"), op.dest, why, hint::of_mount(why).hint()))
}

/// A name that nothing in our own place has yet.
pub fn new_name(text: &mut Text) -> &Text {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    text.push_number(COUNT.fetch_add(1, Ordering::Relaxed))
}
