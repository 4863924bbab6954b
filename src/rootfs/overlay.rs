//! Overlays: several directories shown as one.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::fstat;
#[cfg(feature = "overlay")]
use rustix::fs::{FlockOperation, OFlags, flock};

use crate::fs::mount_fd;
use crate::fs::staging;
#[cfg(feature = "boot")]
use crate::fs::staging::mount_by_path;
use crate::report::hint;
use crate::report::message::{blame, blame_hint};
#[cfg(feature = "boot")]
use crate::rootfs::image;
use crate::rootfs::tmpfs;
use crate::say;
#[cfg(feature = "overlay")]
use crate::spec::Object;
use crate::spec::Spec;
#[cfg(feature = "overlay")]
use crate::state::{Launcher, Setup};
#[cfg(feature = "overlay")]
use crate::step::{Step, mortal};
use crate::sys::files::{self, Fd, HERE};
use crate::sys::{Done, Failure};
#[cfg(feature = "overlay")]
use crate::text::Say;
use crate::text::{Short, Text, verb};

/// Opens the directories of `--overlay-root`: that of the writes, and the work directory.
///
/// # Errors
/// Reported. ENOENT, ENOTDIR, EACCES: there is no such directory.
pub fn open_layer(spec: &Spec<'_>) -> Result<[Fd; 2], Failure> {
    let open = |path: &CStr| files::directory(HERE, path).map_err(|why| blame(verb::OPEN_DIRECTORY, path, why));
    Ok([open(spec.root.upper)?, open(spec.root.work)?])
}

/// The launcher locks (flock(2)) both directories as long as it lives. The kernel only logs that a second overlay writes to the first one,
/// and what either then shows is undefined. It removes what is in the second one, at each mount: another overlay there can change no file any more.
#[cfg(feature = "overlay")]
pub const fn lock() -> Step<Launcher> {
    Step::new(verb::LOCK, |launcher: &mut Launcher| {
        let root = &launcher.launch.spec.root;
        let [upper, work] = [root.upper, root.work];
        let first = lock_one(upper)?;
        launcher.launch.layer_locks[0] = first;
        // The kernel refuses one directory for both.
        let is_one = files::directory(HERE, work)
            .is_ok_and(|work| first.is_some_and(|first| files::is_same(first, work) == Ok(true)));
        launcher.launch.layer_locks[1] = if is_one { None } else { lock_one(work)? };
        Ok(())
    })
    .on(Object::OverlayRoot)
    .when(|spec| spec.has_root() && spec.keeps_layer())
}

#[cfg(feature = "overlay")]
fn lock_one(path: &CStr) -> Result<Option<Fd>, Failure> {
    // Process 1, which may have more rights, reports a directory that cannot be opened.
    let Ok(directory) = mortal(|| files::open_path(path, OFlags::RDONLY | OFlags::DIRECTORY)) else { return Ok(None) };
    match flock(directory, FlockOperation::NonBlockingLockExclusive).map_err(Failure::from) {
        Ok(()) => Ok(Some(directory)),
        Err(why) => {
            let hint = if why == Failure::AGAIN { say!("another container writes there") } else { Say::NOTHING };
            Err(blame_hint(verb::LOCK, path, why, hint))
        }
    }
}

/// The step that opens them for a container.
#[cfg(feature = "overlay")]
pub const fn open() -> Step<Setup> {
    Step::new(say!("open the directories of"), |setup: &mut Setup| {
        setup.layer = Some(open_layer(&setup.launch.spec)?);
        Ok(())
    })
    .on(Object::OverlayRoot)
    .when(|spec| spec.has_root() && spec.keeps_layer())
}

/// Mounts an overlay of DIR, or of an image. The writes go to `layer`; without one, to memory, which discards them.
///
/// # Errors
/// Reported. As [`mount`]; ENOSPC: the limit on mounts is reached.
#[inline(never)]
pub fn of_root(spec: &Spec<'_>, lower: Fd, layer: Option<[Fd; 2]>) -> Result<Fd, Failure> {
    if spec.has_mounted_source() {
        // The lower layer of an overlay must be attached.
        let place = staging::base().and_then(|base| {
            files::make_directory(base, staging::IMAGE, 0o700)?;
            files::directory(base, staging::IMAGE)
        });
        place
            .and_then(|place| mount_fd::attach(lower, place))
            .map_err(|why| blame(say!("mount image"), spec.root.directory, why))?;
    }
    let mut options = Text::new();
    staging::fd_path(lower, options.push(b"lowerdir="));
    match layer {
        Some(layer) => {
            push_layer(layer, &mut options);
            Ok(())
        }
        None => write_to_memory(lower, &mut options),
    }
    .and_then(|()| mount(spec, &mut options, raw::MOUNT_ATTR_NODEV | spec.no_set_id()))
    .map_err(|why| blame_hint(verb::MOUNT_OVERLAY, spec.root.directory, why, hint::of_overlay(spec, why).hint()))
}

fn push_layer([upper, work]: [Fd; 2], options: &mut Text) {
    staging::fd_path(upper, options.push(b",upperdir="));
    staging::fd_path(work, options.push(b",workdir="));
}

/// Mounts an overlay on `dir`, of what is mounted there. The writes go to the directories of `--overlay-root`; without them, to a tmpfs
/// that is mounted between the two, or to the disk on [`image::DISK`]. No process sees these layers, since the overlay covers them.
///
/// # Errors
/// Reported. As [`mount`]; [`Failure::NO_MOUNT`]: the writes would go to `root`, which is left with all its files.
#[cfg(feature = "boot")]
pub fn cover(spec: &Spec<'_>, dir: &CStr, root: Option<Fd>) -> Done {
    let lower = files::directory(HERE, dir)?;
    let mut options = Text::new();
    staging::fd_path(lower, options.push(b"lowerdir="));
    let mode = fstat(lower)?.st_mode & 0o7777;
    let layer = if spec.has_overlay_device() {
        make_layer(files::directory(HERE, image::DISK)?, mode)
            .map_err(|why| blame(verb::MAKE_DIRECTORY, image::DISK, why))?
    } else if spec.keeps_layer() {
        let layer = open_layer(spec)?;
        let [upper, _] = layer;
        if let Some(root) = root
            && fstat(upper)?.st_dev == fstat(root)?.st_dev
        {
            let hint = say!("it is in the initramfs, and the files of that are removed");
            return Err(blame_hint(verb::MOUNT_OVERLAY, spec.root.upper, Failure::INVAL, hint));
        }
        layer
    } else {
        mount_by_path(c"tmpfs", dir, c"tmpfs", 0, c"mode=0700")?;
        make_layer(files::directory(HERE, dir)?, mode)?
    };
    push_layer(layer, &mut options);
    mount_by_path(c"overlay", dir, c"overlay", 0, options.c_str())
}

/// Opens the two directories of a layer in `place`, which are made if they are missing. The mode is that of the overlay's root.
#[cfg(feature = "boot")]
fn make_layer(place: Fd, mode: u32) -> Result<[Fd; 2], Failure> {
    let make = |name: &CStr, mode| match files::make_directory(place, name, mode) {
        Ok(()) | Err(Failure::EXIST) => files::directory(place, name),
        Err(why) => Err(why),
    };
    Ok([make(UPPER, mode)?, make(WORK, 0o700)?])
}

#[cfg(feature = "boot")]
const UPPER: &CStr = c"upper";
#[cfg(feature = "boot")]
const WORK: &CStr = c"work";

/// Adds to the options of an overlay the directories in memory that its writes go to. The root of the overlay gets the mode of `top`.
///
/// # Errors
/// EPERM: the staging place cannot be made; ENOSPC: no memory or inode is left for the tmpfs.
pub fn write_to_memory(top: Fd, options: &mut Text) -> Done {
    let base = staging::base()?;
    let mode = fstat(top)?.st_mode & 0o7777;
    for (key, mode) in [(&b",upperdir="[..], mode), (b",workdir=", 0o700)] {
        let mut name = Short::new();
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
