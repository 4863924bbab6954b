//! `--image`: a file system in a file or on a block device, mounted.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{FileType, Mode, OFlags, fstat, major, minor, mknodat};
#[cfg(all(feature = "root-device", feature = "overlay"))]
use rustix::fs::{StatVfsMountFlags, fstatvfs};
use rustix::io::pread;

use crate::fs::mount_fd;
use crate::fs::staging::fd_path;
use crate::report::hint;
use crate::report::message::{blame, blame_hint};
use crate::rootfs::{device, superblock};
use crate::say;
#[cfg(all(feature = "root-device", feature = "overlay"))]
use crate::spec::KernelRoot;
use crate::spec::{Spec, rooms};
use crate::sys::files::{self, Fd, HERE, chroot, fchdir};
use crate::sys::{self, Done, Failure};
use crate::text::{self, Say, Short, Text};

/// The major number of loop devices.
const LOOP: u32 = 7;
/// How often another loop device is tried, if another process takes the first.
const TRIES: u32 = 16;

/// Mounts the image of the root, attached nowhere yet, with these attributes (MOUNT_ATTR_*). It is read-only, unless the kernel's command
/// line says `rw`. Its loop device ends with the mount.
///
/// # Errors
/// Reported. EPERM: only root of the machine may mount it; ENODEV: the kernel does not know the file system; [`Failure::NO_IMAGE`] and
/// [`Failure::NO_ROOT_IMAGE`]: nsinit does not know it; EROFS: its journal must be replayed. See `device::find` too.
pub fn mount(spec: &Spec<'_>, attributes: u32) -> Result<Fd, Failure> {
    mount_as(say!("mount image"), spec, attributes)
}

fn mount_as(says: Say, spec: &Spec<'_>, attributes: u32) -> Result<Fd, Failure> {
    let path = spec.root.directory;
    // The path is resolved once; from here on the descriptor is used (CVE-2026-27456).
    let mut name = Text::new();
    let file = device::find(spec, &mut name)?;
    let is_device = files::kind(file)? == raw::S_IFBLK;
    let done = if rooms::ROOT_DEVICE && is_device && spec.machine.root.given {
        of_device(file, name.c_str(), &mut |source| of_machine(spec, file, source, attributes))
    } else {
        sort(file, spec.machine.switch_root.is_none()).and_then(|sort| {
            if is_device {
                of_device(file, name.c_str(), &mut |source| of(sort, source, attributes))
            } else {
                of_file(sort, file, path, attributes)
            }
        })
    };
    done.map_err(|why| blame_hint(says, path, why, hint::of_image(why).hint()))
}

/// The file system in a file. `contained`: it is for a container.
fn sort(file: Fd, contained: bool) -> Result<&'static CStr, Failure> {
    let sort = superblock::sort(&mut |buffer, at| Ok(pread(file, buffer, at)?))?;
    if contained && !sort.contained { Err(Failure::NO_IMAGE) } else { Ok(sort.name) }
}

fn of(sort: &CStr, source: &CStr, attributes: u32) -> Result<Fd, Failure> {
    // The superblock of an ext4 may ask for a panic on errors.
    let errors = if sort == c"ext4" { c"continue" } else { c"" };
    let options = [(c"source", source), (c"", c"ro"), (c"errors", errors)];
    mount_fd::detached(sort, &options, attributes | raw::MOUNT_ATTR_RDONLY)
}

/// `root=` on the kernel's command line: its device, with `rootfstype=`, `rootflags=` and `rw`.
fn of_machine(spec: &Spec<'_>, device: Fd, source: &CStr, attributes: u32) -> Result<Fd, Failure> {
    let root = &spec.machine.root;
    let mut kinds = root.kinds.to_bytes();
    if kinds.is_empty() {
        let sort = sort(device, false).map_err(|why| if why == Failure::NO_IMAGE { none_on(spec) } else { why })?;
        return of_kind(spec, sort, source, attributes);
    }
    let mut done = Err(Failure::NODEV);
    while let Some(kind) = text::word(&mut kinds, b',') {
        done = of_kind(spec, Short::new().push(kind).c_str(), source, attributes);
        // It is another file system, or one that the kernel does not know.
        if !matches!(done, Err(Failure::INVAL | Failure::NODEV)) {
            break;
        }
    }
    done
}

/// The device holds no file system that nsinit knows.
#[cfg(feature = "root-device")]
fn none_on(spec: &Spec<'_>) -> Failure {
    let is_disk = spec.has_overlay_device() && spec.root.directory == spec.machine.overlay_device;
    if is_disk { Failure::NO_DISK_IMAGE } else { Failure::NO_ROOT_IMAGE }
}

/// No option of this build leads to a device.
#[cfg(not(feature = "root-device"))]
const fn none_on(_: &Spec<'_>) -> Failure {
    Failure::NO_IMAGE
}

fn of_kind(spec: &Spec<'_>, kind: &CStr, source: &CStr, attributes: u32) -> Result<Fd, Failure> {
    let root = &spec.machine.root;
    if root.writable {
        match mount_fd::detached_with(kind, &[(c"source", source)], root.flags.to_bytes(), attributes) {
            // The device is read-only.
            Err(Failure::ACCESS | Failure::ROFS) => {}
            done => return done,
        }
    }
    let options = [(c"source", source), (c"", c"ro")];
    mount_fd::detached_with(kind, &options, root.flags.to_bytes(), attributes | raw::MOUNT_ATTR_RDONLY)
}

/// Mounts a device under the user's name for it, which /proc/self/mountinfo and df(1) show. The kernel takes a path only: for the
/// call, the root is a tmpfs of our own, in which this path leads to a node of the same device. Where no node can be made, the
/// name is the path of the descriptor.
fn of_device(device: Fd, path: &CStr, mount: &mut dyn FnMut(&CStr) -> Result<Fd, Failure>) -> Result<Fd, Failure> {
    let (here, root) = (files::directory(HERE, c".")?, files::directory(HERE, c"/")?);
    let named = fstat(device).map_err(Failure::from).and_then(|stat| be_among_names(path, stat.st_rdev));
    let leave = || fchdir(root).and_then(|()| chroot(c".")).and_then(|()| fchdir(here));
    if named.is_err() {
        leave()?;
        return mount(fd_path(device, &mut Short::new()));
    }
    let mounted = mount(path);
    leave()?;
    mounted
}

/// Makes a tmpfs the root and the working directory, and in it the path of a node of this block device.
fn be_among_names(path: &CStr, device: u64) -> Done {
    let names = mount_fd::detached(c"tmpfs", &[(c"mode", c"0700")], 0)?;
    fchdir(names)?;
    chroot(c".")?;
    let mut parents = Text::new();
    for byte in path.to_bytes() {
        // `.` and `..` are there already, and a directory may be on the path twice.
        if *byte == b'/' && !parents.bytes().is_empty() {
            match files::make_directory(HERE, parents.c_str(), 0o700) {
                Ok(()) | Err(Failure::EXIST) => {}
                failed => return failed,
            }
        }
        parents.byte(*byte);
    }
    Ok(mknodat(HERE, path, FileType::BlockDevice, Mode::RUSR, device)?)
}

/// An erofs needs no block device (Linux 6.12, CONFIG_EROFS_FS_BACKED_BY_FILE); the others need a loop device.
fn of_file(sort: &CStr, file: Fd, path: &CStr, attributes: u32) -> Result<Fd, Failure> {
    if sort == c"erofs" {
        // The path may lead to another file by now.
        match of(sort, fd_path(file, &mut Short::new()), attributes) {
            Err(Failure::NOTBLK | Failure::INVAL) => {}
            done => return done,
        }
    }
    of_device(loop_device(file)?, path, &mut |source| of(sort, source, attributes))
}

/// A read-only loop device with the file. The kernel frees it when it is neither open nor mounted any more (loop(4)).
fn loop_device(file: Fd) -> Result<Fd, Failure> {
    let control = c"/dev/loop-control";
    let control = files::open_path(control, OFlags::RDWR)
        .map_err(|why| blame_hint(say!("open"), control, why, hint::of_loop(why).hint()))?;
    let mut result = Err(Failure::BUSY);
    for _ in 0..TRIES {
        let number = sys::free_loop(control)?;
        let mut name = Short::new();
        let name = name.push(b"/dev/loop").push_number(number).c_str();
        let device = files::open_path(name, OFlags::RDONLY).map_err(|why| blame(say!("open"), name, why))?;
        let stat = fstat(device)?;
        let is_it =
            files::kind(device)? == raw::S_IFBLK && (major(stat.st_rdev), minor(stat.st_rdev)) == (LOOP, number);
        if !is_it {
            return Err(blame(say!("open"), name, Failure::NOTBLK));
        }
        result = sys::configure_loop(device, file).map(|()| device);
        if !matches!(result, Err(Failure::BUSY)) {
            break;
        }
    }
    result
}

/// Mounts the image on a directory, which is made if it is missing.
///
/// # Errors
/// Reported: as [`mount`]; ENOTDIR: it is no directory; others: see mkdir(2).
pub fn mount_on(spec: &Spec<'_>, dir: &CStr) -> Done {
    attach(mount(spec, 0)?, dir).map_err(|why| blame(say!("mount the image on"), dir, why))
}

fn attach(tree: Fd, dir: &CStr) -> Done {
    match files::make_directory(HERE, dir, 0o755) {
        Ok(()) | Err(Failure::EXIST) => Ok(()),
        failed => failed,
    }
    .and_then(|()| files::directory(HERE, dir))
    .and_then(|place| mount_fd::attach(tree, place))
}

/// The mount point of the disk of `--overlay-device`. It moves along with /run, so that the new init makes the disk clean at the end.
pub const DISK: &CStr = c"/run/nsinit.overlay";

/// Mounts the disk of `--overlay-device` on [`DISK`].
///
/// # Errors
/// Reported: as [`mount`]; EROFS: it cannot be written to.
#[cfg(all(feature = "root-device", feature = "overlay"))]
pub fn mount_disk(spec: &Spec<'_>) -> Done {
    let says = say!("mount the disk for writes");
    let disk = spec.machine.overlay_device;
    let mut own = *spec;
    own.root.directory = disk;
    own.machine.root = KernelRoot { given: true, writable: true, ..KernelRoot::NONE };
    let tree = mount_as(says, &own, raw::MOUNT_ATTR_NOSUID | raw::MOUNT_ATTR_NODEV)?;
    // A device that is read-only, or a file system that always is.
    let refused = fstatvfs(tree)?.f_flag.contains(StatVfsMountFlags::RDONLY);
    if refused { Err(Failure::ROFS) } else { attach(tree, DISK) }.map_err(|why| blame(says, disk, why))
}
