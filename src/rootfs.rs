//! What is mounted below the new root: /proc, /dev, /sys, and what the user asked for, in his order.
//!
//! Every place is a descriptor below the root's own; the sources are the caller's paths. While this runs, `/` is
//! still the caller's: `/dev/null` here is his, never the container's (CVE-2025-31133).

use core::ffi::CStr;
use linux_raw_sys::general as raw;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, fstat};
use rustix::mount::{MountAttrFlags, MountFlags};
use rustix::process::fchdir;

use crate::fault::{blame, blame_hint};
use crate::files::{self, HERE};
use crate::mounts;
use crate::resolve::{self, Kind};
use crate::spec::{Bind, Op, Spec, Writes};
use crate::sys::{Done, Failure};
use crate::text::{PATH, Text};
use crate::tty;

/// Files and directories of /proc that tell of the host or act on it: the list of runc, `maskedPaths`.
static PROC_MASKED: [&CStr; 10] = [
    c"acpi",
    c"asound",
    c"interrupts",
    c"kcore",
    c"keys",
    c"latency_stats",
    c"sched_debug",
    c"scsi",
    c"timer_list",
    c"timer_stats",
];
/// The same, `readonlyPaths`.
static PROC_READ_ONLY: [&CStr; 5] = [c"bus", c"fs", c"irq", c"sys", c"sysrq-trigger"];
/// The same of /sys; powercap tells what the neighbours compute (CVE-2020-8694).
static SYS_MASKED: [&CStr; 2] = [c"firmware", c"devices/virtual/powercap"];

static DEVICES: [(&CStr, &CStr); 6] = [
    (c"null", c"/dev/null"),
    (c"zero", c"/dev/zero"),
    (c"full", c"/dev/full"),
    (c"random", c"/dev/random"),
    (c"urandom", c"/dev/urandom"),
    (c"tty", c"/dev/tty"),
];

static DEVICE_LINKS: [(&CStr, &CStr); 5] = [
    (c"fd", c"/proc/self/fd"),
    (c"stdin", c"/proc/self/fd/0"),
    (c"stdout", c"/proc/self/fd/1"),
    (c"stderr", c"/proc/self/fd/2"),
    (c"ptmx", c"pts/ptmx"),
];

const REMOUNT: MountFlags = MountFlags::from_bits_retain(raw::MS_REMOUNT);
const DATA: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV).union(MountFlags::NOEXEC);

/// DIR as a mount on top of `/`, where nobody looks before pivot_root(2) makes it the root.
///
/// # Errors
/// What is wrong with DIR, or what the kernel can't do.
pub fn root(spec: &Spec<'_>) -> Result<OwnedFd, Failure> {
    let directory = files::directory(HERE, spec.root).map_err(|errno| blame("open root", spec.root, errno))?;
    let tree = match spec.writes {
        Writes::Forgotten => overlay(directory.as_fd(), spec.unshares(raw::CLONE_NEWUSER)).map_err(|errno| {
            let hint = "--volatile needs overlayfs in the kernel, and Linux 5.11 for an ordinary user";
            blame_hint("mount an overlay on", spec.root, errno, hint)
        })?,
        _ => mounts::copy(directory.as_fd(), c"").map_err(|errno| blame("copy the mount of", spec.root, errno))?,
    };
    // Device files that DIR may hold, whoever put them there, are nobody's devices.
    let mut attributes = MountAttrFlags::MOUNT_ATTR_NODEV;
    if spec.writes == Writes::Refused {
        attributes |= MountAttrFlags::MOUNT_ATTR_RDONLY;
    }
    restrict(&tree, spec.root, attributes)?;
    Ok(on_top_of_root(tree)?)
}

fn restrict(tree: &OwnedFd, source: &CStr, attributes: MountAttrFlags) -> Done {
    mounts::restrict(tree.as_fd(), attributes)
        .map_err(|errno| blame_hint("restrict the mount of", source, errno, "Linux 5.12 is needed"))
}

/// Mounts `tree` over the whole of the caller's root; paths still begin below it.
fn on_top_of_root(tree: OwnedFd) -> Result<OwnedFd, Failure> {
    let slash = files::directory(HERE, c"/")?;
    mounts::attach(tree.as_fd(), slash.as_fd())?;
    Ok(tree)
}

/// An overlay of `lower` and a tmpfs. The tmpfs has to be somewhere while it is made: on top of `/`, under the new root.
fn overlay(lower: BorrowedFd<'_>, in_user_namespace: bool) -> Result<OwnedFd, Failure> {
    let scratch = on_top_of_root(mounts::new(c"tmpfs", &[(c"mode", c"0700")], mounts::DATA)?)?;
    files::make_directory(scratch.as_fd(), c"upper", 0o755)?;
    files::make_directory(scratch.as_fd(), c"work", 0o755)?;
    let upper = files::directory(scratch.as_fd(), c"upper")?;
    let work = files::directory(scratch.as_fd(), c"work")?;
    // The upper directory's mode becomes that of `/`.
    rustix::fs::chmodat(&scratch, c"upper", Mode::from_raw_mode(fstat(lower)?.st_mode), AtFlags::empty())?;
    let (mut low, mut up, mut aside) = (Text::new(), Text::new(), Text::new());
    let low = fd_path(lower, &mut low)?;
    let up = fd_path(upper.as_fd(), &mut up)?;
    let aside = fd_path(work.as_fd(), &mut aside)?;
    let options = [(c"lowerdir", low), (c"upperdir", up), (c"workdir", aside), (c"xino", c"off"), (c"userxattr", c"")];
    // Without the initial user namespace's rights, marks are kept as attributes of the user (Linux 5.11).
    let used = if in_user_namespace { options.len() } else { options.len() - 1 };
    mounts::new(c"overlay", options.get(..used).unwrap_or_default(), MountAttrFlags::empty())
}

fn fd_path<'t>(fd: BorrowedFd<'_>, text: &'t mut Text) -> Result<&'t CStr, Failure> {
    use rustix::fd::AsRawFd;
    text.push(b"/proc/self/fd/").push_number(fd.as_raw_fd().unsigned_abs());
    text.c_str().ok_or(Failure::NAMETOOLONG)
}

/// The place of a mount, made where it is missing.
fn place(says: &str, root: BorrowedFd<'_>, dest: &CStr, kind: Kind) -> Result<OwnedFd, Failure> {
    resolve::make(root, dest.to_bytes(), kind).map_err(|why| refused(says, dest, why))
}

fn refused(says: &str, dest: &CStr, why: Failure) -> Failure {
    let read_only = "it is missing: make it in the root directory before, or leave --read-only out";
    blame_hint(says, dest, why, if why == Failure::ROFS { read_only } else { "" })
}

/// Puts `tree` at `dest`.
fn put(says: &str, root: BorrowedFd<'_>, dest: &CStr, tree: &OwnedFd) -> Done {
    let place = place(says, root, dest, Kind::Directory)?;
    mounts::attach(tree.as_fd(), place.as_fd()).map_err(|errno| blame(says, dest, errno))
}

/// A procfs of the container's pid namespace at `dest`, its dangerous parts masked.
///
/// # Errors
/// EPERM where the procfs outside is itself masked (mount_too_revealing in the kernel).
pub fn proc(spec: &Spec<'_>, root: BorrowedFd<'_>, dest: &CStr) -> Done {
    let says = "mount proc on";
    let tree = if spec.unshares(raw::CLONE_NEWPID) {
        mounts::new(c"proc", &[], mounts::DATA)
    } else {
        // A procfs of somebody else's pid namespace may only be shown again, not mounted anew.
        crate::procfs::open()
            .and_then(|proc| mounts::copy(proc.as_fd(), c""))
            .and_then(|tree| mounts::restrict(tree.as_fd(), mounts::DATA).map(|()| tree))
    };
    let tree = tree.map_err(|errno| match errno {
        Failure::PERM => blame_hint(says, dest, errno, "the /proc outside is masked itself: this is a container already"),
        _ => blame(says, dest, errno),
    })?;
    put(says, root, dest, &tree)?;
    if spec.masks { mask(&tree, &PROC_MASKED, &PROC_READ_ONLY) } else { Ok(()) }
}

/// A read-only sysfs at `dest` with the cgroup tree in its place, where the kernel permits it.
///
/// # Errors
/// What fails after the kernel has permitted it.
pub fn sys(spec: &Spec<'_>, root: BorrowedFd<'_>, dest: &CStr) -> Done {
    let says = "mount sysfs on";
    let attributes = mounts::DATA | MountAttrFlags::MOUNT_ATTR_RDONLY;
    let Ok(tree) = mounts::new(c"sysfs", &[], attributes) else { return Ok(()) };
    put(says, root, dest, &tree)?;
    if spec.masks {
        mask(&tree, &SYS_MASKED, &[])?;
    }
    let place = files::look(tree.as_fd(), c"fs/cgroup");
    if let (Ok(place), Ok(cgroup)) = (place, mounts::new(c"cgroup2", &[], attributes)) {
        mounts::attach(cgroup.as_fd(), place.as_fd()).map_err(|errno| blame("mount cgroup2 below", dest, errno))?;
    }
    Ok(())
}

/// Covers what is `masked` and makes what is `read_only` so, in a file system that only the kernel writes. What the
/// kernel does not have needs no mask.
fn mask(tree: &OwnedFd, masked: &[&CStr], read_only: &[&CStr]) -> Done {
    fchdir(tree)?;
    for path in masked {
        // A file is covered by the caller's /dev/null, a directory by an empty file system.
        let covered = match bind_here(c"/dev/null", path) {
            Err(Failure::NOTDIR) => mounts::plain(c"tmpfs", path, c"tmpfs", DATA | MountFlags::RDONLY, c"mode=0555,nr_inodes=1"),
            other => other,
        };
        present(covered).map_err(|errno| blame("mask", path, errno))?;
    }
    for path in read_only {
        let remount = REMOUNT | MountFlags::BIND | MountFlags::RDONLY | DATA;
        let covered = bind_here(path, path).and_then(|()| mounts::plain(c"", path, c"", remount, c""));
        present(covered).map_err(|errno| blame("make read-only", path, errno))?;
    }
    Ok(())
}

fn bind_here(source: &CStr, place: &CStr) -> Done {
    mounts::plain(source, place, c"", MountFlags::BIND | MountFlags::REC, c"")
}

fn present(result: Done) -> Done {
    if result == Err(Failure::NOENT) { Ok(()) } else { result }
}

/// A fresh /dev at `dest`. Nothing of what the root directory has there is looked at (CVE-2026-41579).
///
/// # Errors
/// Which file of it could not be made, and why.
pub fn dev(spec: &Spec<'_>, root: BorrowedFd<'_>, dest: &CStr) -> Done {
    use MountAttrFlags as A;
    let says = "mount tmpfs on";
    let tree = mounts::new(c"tmpfs", &[(c"mode", c"0755")], A::MOUNT_ATTR_NOSUID | A::MOUNT_ATTR_NODEV)
        .map_err(|errno| blame(says, dest, errno))?;
    put(says, root, dest, &tree)?;
    fchdir(&tree)?;
    for (name, host) in &DEVICES {
        file(&tree, name).and_then(|()| bind_here(host, name)).map_err(|errno| match errno {
            Failure::NOENT => blame_hint("bind", host, errno, "the caller's /dev lacks it: is devtmpfs mounted there?"),
            _ => blame("bind", host, errno),
        })?;
    }
    for (name, target) in &DEVICE_LINKS {
        files::make_link(target, tree.as_fd(), name).map_err(|errno| blame("make symbolic link", name, errno))?;
    }
    for (name, mode) in [(c"shm", 0o1777), (c"pts", 0o755)] {
        files::make_directory(tree.as_fd(), name, mode).map_err(|errno| blame("make directory", name, errno))?;
    }
    // Only root's map has the group tty (5), whose terminals are not everybody's to write to.
    let options = if spec.rootless { c"newinstance,ptmxmode=0666,mode=0620" } else { c"newinstance,ptmxmode=0666,mode=0620,gid=5" };
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    mounts::plain(c"devpts", c"pts", c"devpts", flags, options).map_err(|errno| blame("mount devpts on", c"pts", errno))?;
    message_queues(spec, &tree).map_err(|errno| blame("mount mqueue on", c"mqueue", errno))?;
    console(&tree).map_err(|errno| blame("bind the terminal on", c"console", errno))
}

fn file(dir: &OwnedFd, name: &CStr) -> Done {
    files::make_file(dir.as_fd(), name, 0o666)
}

/// POSIX message queues, where there is an IPC namespace of our own and the kernel has them.
fn message_queues(spec: &Spec<'_>, dev: &OwnedFd) -> Done {
    if !spec.unshares(raw::CLONE_NEWIPC) {
        return Ok(());
    }
    files::make_directory(dev.as_fd(), c"mqueue", 0o755)?;
    match mounts::plain(c"mqueue", c"mqueue", c"mqueue", DATA, c"") {
        Err(Failure::NODEV) => Ok(rustix::fs::unlinkat(dev, c"mqueue", AtFlags::REMOVEDIR)?),
        other => other,
    }
}

/// /dev/console is the caller's terminal, if he has one here: the very device that the descriptor is, not what is
/// found at its path (CVE-2025-52565).
fn console(dev: &OwnedFd) -> Done {
    let Some(terminal) = tty::standard() else { return Ok(()) };
    let (mut link, mut path) = (Text::new(), [0u8; PATH]);
    if files::read_link(HERE, fd_path(terminal, &mut link)?, &mut path).is_err() {
        return Ok(());
    }
    let path = CStr::from_bytes_until_nul(&path).unwrap_or_default();
    let Ok(device) = files::look(HERE, path) else { return Ok(()) };
    let (wanted, found) = (fstat(terminal)?, fstat(&device)?);
    let same = FileType::from_raw_mode(found.st_mode).is_char_device()
        && (found.st_rdev, found.st_dev, found.st_ino) == (wanted.st_rdev, wanted.st_dev, wanted.st_ino);
    if !same {
        return Ok(());
    }
    file(dev, c"console")?;
    let tree = mounts::copy(device.as_fd(), c"")?;
    mounts::attach_at(tree.as_fd(), dev.as_fd(), c"console")
}

/// One operation of the user's; `caller` is his working directory.
///
/// # Errors
/// What could not be done, in his words.
pub fn apply(spec: &Spec<'_>, op: &Op<'_>, root: BorrowedFd<'_>, caller: BorrowedFd<'_>) -> Done {
    let says = op.says();
    match *op {
        Op::Bind { source, dest, kind } => bind(source, dest, kind, root, caller),
        Op::Proc(dest) => proc(spec, root, dest),
        Op::Dev(dest) => dev(spec, root, dest),
        Op::Tmpfs(dest) => {
            let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
            let tree =
                mounts::new(c"tmpfs", &[(c"mode", c"0755")], attributes).map_err(|errno| blame(says, dest, errno))?;
            put(says, root, dest, &tree)
        }
        Op::Dir(dest) => place(says, root, dest, Kind::Directory).map(|_| ()),
        Op::Symlink { target, dest } => {
            let mut name = Text::new();
            let parent =
                resolve::make_parent(root, dest.to_bytes(), &mut name).map_err(|why| refused(says, dest, why))?;
            let name = name.c_str().unwrap_or_default();
            match files::make_link(target, parent.as_fd(), name) {
                Err(Failure::EXIST) if files::read_link(parent.as_fd(), name, &mut [0; PATH]) == Ok(target.to_bytes()) => Ok(()),
                result => result.map_err(|why| refused(says, dest, why)),
            }
        }
    }
}

fn bind(source: &CStr, dest: &CStr, kind: Bind, root: BorrowedFd<'_>, caller: BorrowedFd<'_>) -> Done {
    let says = "copy the mount of";
    if source.is_empty() {
        return Err(blame(says, source, Failure::NOENT));
    }
    let tree = mounts::copy(caller, source).map_err(|errno| blame(says, source, errno))?;
    let mut attributes = MountAttrFlags::MOUNT_ATTR_NOSUID;
    if kind != Bind::Devices {
        attributes |= MountAttrFlags::MOUNT_ATTR_NODEV;
    }
    if kind == Bind::ReadOnly {
        attributes |= MountAttrFlags::MOUNT_ATTR_RDONLY;
    }
    restrict(&tree, source, attributes)?;
    let of = files::kind(tree.as_fd()).map_err(|errno| blame(says, source, errno))?;
    let place = place("bind on", root, dest, if of.is_dir() { Kind::Directory } else { Kind::File })?;
    mounts::attach(tree.as_fd(), place.as_fd()).map_err(|errno| blame("bind on", dest, errno))
}
