//! Overlays: several directories shown as one.

use linux_raw_sys::general as raw;
use rustix::fs::fstat;

use crate::fs::mount_fd;
use crate::fs::staging;
use crate::report::hint;
use crate::report::message::{blame, blame_hint};
use crate::rootfs::tmpfs;
use crate::say;
use crate::spec::Spec;
use crate::sys::files::{self, Fd};
use crate::sys::{Done, Failure};
use crate::text::{Text, verb};

/// Mounts an overlay of DIR, or of an image, that discards all writes: they go to memory.
///
/// # Errors
/// Reported. As [`mount`]; ENOSPC: the limit on mounts is reached.
pub fn volatile(spec: &Spec<'_>, lower: Fd) -> Result<Fd, Failure> {
    if spec.root.image {
        // The lower layer of an overlay must be attached.
        let place = staging::base().and_then(|base| files::directory(base, staging::IMAGE));
        place
            .and_then(|place| mount_fd::attach(lower, place))
            .map_err(|why| blame(say!("mount image"), spec.root.directory, why))?;
    }
    let mut options = Text::new();
    staging::fd_path(lower, options.push(b"lowerdir="));
    write_to_memory(lower, &mut options)
        .and_then(|()| mount(spec, &mut options, raw::MOUNT_ATTR_NODEV | spec.no_set_id()))
        .map_err(|why| blame_hint(verb::MOUNT_OVERLAY, spec.root.directory, why, hint::of_overlay(spec, why).hint()))
}

/// Adds to the options of an overlay the directories in memory that its writes go to. The root of the overlay gets the mode of `top`.
///
/// # Errors
/// EPERM: the staging place cannot be made; ENOSPC: no memory or inode is left for the tmpfs.
pub fn write_to_memory(top: Fd, options: &mut Text) -> Done {
    let base = staging::base()?;
    let mode = fstat(top)?.st_mode & 0o7777;
    for (key, mode) in [(&b",upperdir="[..], mode), (b",workdir=", 0o700)] {
        let mut name = Text::new();
        let name = tmpfs::new_name(&mut name);
        files::make_directory(base, name.c_str(), mode)?;
        staging::fd_path(base, options.push(key));
        options.byte(b'/').push(name.bytes());
    }
    Ok(())
}

/// Mounts an overlay with these options.
///
/// # Errors
/// ENODEV: the kernel has no overlayfs; EPERM: it may not be mounted here (in a user namespace: before Linux 5.11); EINVAL: a layer is
/// not supported.
pub fn mount(spec: &Spec<'_>, options: &mut Text, flags: u32) -> Result<Fd, Failure> {
    // Without rights in the initial user namespace, overlayfs keeps its marks in user.* attributes (Linux 5.11).
    if spec.in_user_namespace() {
        options.push(b",userxattr");
    }
    mount_fd::overlay(options.c_str(), flags)
}
