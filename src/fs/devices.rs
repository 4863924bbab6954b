//! The caller's device files: those in a container's /dev, and those that are the standard input, output and error of CMD.
//!
//! They are inodes of the host. Root of the container may be their owner, and an owner can change their modes, owners and times unless
//! the mount is read-only. (Writing to a device does not change its file.)

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{AtFlags, OFlags, Stat, fcntl_getfl, fcntl_setfl, fstat, major, minor, statat};
use rustix::mount::MountPropagationFlags;
use rustix::termios::isatty;

use crate::fs::mount_fd;
use crate::fs::staging::{Below, fd_path};
use crate::report::hint;
use crate::report::message::{blame, blame_hint, failed};
use crate::say;
use crate::spec::DEVICES;
use crate::state::descriptors::{STANDARD, standard_name};
use crate::sys::files::{self, Fd, HERE};
use crate::sys::{self, Done, Failure, Fork, Standard, c_str};
use crate::text::{PATH, Short};

/// The devices of a container's /dev. In a user namespace no device file can be made.
/// Each with its number (devices.txt in the kernel's documentation): a file with one of these names may be any file.
static ALL: [(&CStr, (u32, u32)); DEVICES] = [
    (c"/dev/null", (1, 3)),
    (c"/dev/zero", (1, 5)),
    (c"/dev/full", (1, 7)),
    (c"/dev/random", (1, 8)),
    (c"/dev/urandom", URANDOM),
    (c"/dev/tty", (5, 0)),
];

/// /dev/urandom. On some systems /dev/random is a link to it.
const URANDOM: (u32, u32) = (1, 9);

/// /dev/ptmx: each open(2) of it makes a new terminal.
const PTMX: (u32, u32) = (5, 2);

/// The name of each device in /dev.
pub fn names() -> impl Iterator<Item = &'static CStr> {
    ALL.iter().map(|(path, _)| name_of(path))
}

fn name_of(path: &'static CStr) -> &'static CStr {
    sys::tail(path, b"/dev/".len())
}

/// Opens (O_PATH) the caller's device files, and checks that each is the device that its name stands for.
///
/// # Errors
/// Reported. ENOENT: it is missing; [`Failure::NO_DEVICE`]: it is another device or another file.
pub fn open() -> Result<[Fd; DEVICES], Failure> {
    let mut devices = [HERE; DEVICES];
    for (&(path, number), device) in ALL.iter().zip(&mut devices) {
        *device = files::open_path(path, OFlags::PATH)
            .and_then(|file| match number_of(&fstat(file)?) {
                Some(found) if found == number || path == c"/dev/random" && found == URANDOM => Ok(file),
                _ => Err(Failure::NO_DEVICE),
            })
            .map_err(|why| blame(say!("open"), path, why))?;
    }
    Ok(devices)
}

/// The number of a character device; `None` for any other file.
fn number_of(stat: &Stat) -> Option<(u32, u32)> {
    (stat.st_mode & raw::S_IFMT == raw::S_IFCHR).then(|| (major(stat.st_rdev), minor(stat.st_rdev)))
}

/// Opens (O_PATH) the file of a descriptor that is open on a character device, by its path; `None` if no path leads to it.
///
/// # Errors
/// EMFILE, ENFILE, ENOMEM: no descriptor can be opened.
pub fn file_of(descriptor: Fd) -> Result<Option<Fd>, Failure> {
    let (mut link, mut path) = (Short::new(), [0u8; PATH]);
    let read = files::read_link(HERE, fd_path(descriptor, &mut link), &mut path).map(|_| ());
    let file = match read.and_then(|()| files::look(HERE, c_str(&path))) {
        // The descriptor was opened in another mount namespace, or there is no /proc.
        Err(Failure::NOENT | Failure::NOTDIR | Failure::ACCESS) => return Ok(None),
        found => found?,
    };
    // The path may lead to another file than the descriptor (CVE-2025-52565).
    let (wanted, found) = (fstat(descriptor)?, fstat(file)?);
    let same = number_of(&found).is_some()
        && (found.st_rdev, found.st_dev, found.st_ino) == (wanted.st_rdev, wanted.st_dev, wanted.st_ino);
    Ok(same.then_some(file))
}

/// Opens standard input, output and error again through read-only mounts: each that is a device of `dev`, the container's /dev, and
/// with `terminals` each that is a terminal.
///
/// # Errors
/// Reported. EACCES: the caller may not open the device; ENXIO: it was opened as /dev/tty; others: see open(2).
pub fn reopen_standard(dev: Option<Fd>, terminals: bool, rootless: bool) -> Done {
    for standard in STANDARD {
        let stat = fstat(standard.fd())?;
        let Some(number) = number_of(&stat) else { continue };
        let name = ALL.iter().find(|(_, of)| *of == number).map(|(path, _)| name_of(path));
        let terminal = terminals && is_terminal(standard.fd(), number);
        if let Some(name) = name.filter(|_| dev.is_some()) {
            reopen(standard, rootless, dev.unwrap_or(HERE), name)?;
        } else if let Some(dev) = dev.filter(|dev| terminal && is_console(*dev, number)) {
            reopen(standard, rootless, dev, c"console")?;
        } else if terminal || name.is_some() && dev.is_none() {
            let file = file_of(standard.fd()).map_err(|why| blame(REOPEN, standard_name(standard), why))?;
            // A device that no path leads to cannot be mounted: CMD gets the caller's descriptor.
            if let Some(file) = file {
                let copy = mount_fd::copy(file, c"", raw::MOUNT_ATTR_RDONLY, 0, Below::Kept)
                    .map_err(|why| blame(REOPEN, standard_name(standard), why))?;
                reopen(standard, rootless, HERE, fd_path(copy, &mut Short::new()))?;
            }
        }
    }
    Ok(())
}

const REOPEN: crate::text::Say = say!("reopen");

fn is_terminal(fd: Fd, number: (u32, u32)) -> bool {
    number != PTMX && isatty(fd)
}

fn is_console(dev: Fd, number: (u32, u32)) -> bool {
    statat(dev, c"console", AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|stat| number_of(&stat) == Some(number))
}

/// Opens a device again, with the flags of the first open.
fn reopen(standard: Standard, rootless: bool, dir: Fd, path: &CStr) -> Done {
    let opened = || {
        let flags = fcntl_getfl(standard.fd())?;
        let access = flags & (OFlags::ACCMODE | OFlags::PATH);
        // O_NONBLOCK: open(2) must not wait for the carrier of a serial line.
        let new = files::open(dir, path, access | OFlags::NOCTTY | OFlags::NONBLOCK)?;
        if !flags.contains(OFlags::PATH) {
            fcntl_setfl(new, flags)?;
        }
        sys::put(standard, new)
    };
    match opened() {
        // The file belongs to another user, so CMD cannot change it: su(1) does not change the owner of the terminal.
        Err(Failure::ACCESS) if rootless => Ok(()),
        done => done.map_err(|why| blame_hint(REOPEN, standard_name(standard), why, hint::of_reopened(why).hint())),
    }
}

/// As [`reopen_standard`], for a process without a mount namespace of its own: a child with a copy of the mounts, which shares the
/// descriptors, does it.
///
/// # Errors
/// Reported. EAGAIN, EPERM: that child cannot be made; others: as [`reopen_standard`].
pub fn reopen_from_outside(rootless: bool) -> Done {
    let is_device = |standard: &Standard| {
        let number = fstat(standard.fd()).ok().and_then(|stat| number_of(&stat));
        number.is_some_and(|number| ALL.iter().any(|(_, of)| *of == number) || is_terminal(standard.fd(), number))
    };
    if !STANDARD.iter().any(is_device) {
        return Ok(());
    }
    let user = if rootless { raw::CLONE_NEWUSER } else { 0 };
    let says = say!("copy the mounts of the caller's devices");
    let forked = sys::clone_old(raw::CLONE_NEWNS | raw::CLONE_FILES | user);
    match forked.map_err(|why| blame_hint(says, c"", why, hint::of_fork(why).hint()))? {
        Fork::Child => {
            // Close the descriptors that are opened from here on, in both processes, and no others.
            sys::keep_opened();
            let done = sys::mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
                .map_err(|why| blame(says, c"", why))
                .and_then(|()| reopen_standard(None, true, rootless));
            sys::close_opened(Standard::Input.fd());
            sys::exit(if done.is_ok() { 0 } else { failed() })
        }
        Fork::Parent(child) => match sys::wait_end(child.as_raw_nonzero().get()) {
            Ok(0) => Ok(()),
            Ok(_) => Err(Failure::REPORTED),
            Err(why) => Err(blame(says, c"", why)),
        },
    }
}
