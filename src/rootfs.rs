//! What is mounted below the new root: /proc, /dev, /sys, and what the user asked for, in his order.
//!
//! Every place is a descriptor below the root's own; the sources are the caller's paths. While this runs, `/` is
//! still the caller's: `/dev/null` here is his, never the container's (CVE-2025-31133).

use core::ffi::CStr;
use linux_raw_sys::general as raw;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, mkdirat, mknodat, openat, readlinkat_raw, symlinkat};
use rustix::io::Errno;
use rustix::mount::{MountAttrFlags, MountFlags, mount, mount_bind, mount_bind_recursive, mount_remount};
use rustix::process::fchdir;

use crate::fault::Fault;
use crate::mounts;
use crate::resolve::{self, Kind, Refusal};
use crate::spec::{Bind, Op, Spec, Writes};
use crate::text::{PATH, SHORT, Text};
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

const DATA: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV).union(MountFlags::NOEXEC);

/// DIR as a mount on top of `/`, where nobody looks before pivot_root(2) makes it the root.
///
/// # Errors
/// What is wrong with DIR, or what the kernel can't do.
pub fn root<'a>(spec: &Spec<'a>) -> Result<OwnedFd, Fault<'a>> {
    let fault = |says, errno| Err(Fault::new(says, spec.root, errno));
    let directory = match openat(CWD, spec.root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
        Ok(directory) => directory,
        Err(errno) => return fault("open root", errno),
    };
    let tree = match spec.writes {
        Writes::Forgotten => overlay(directory.as_fd(), spec.unshares(raw::CLONE_NEWUSER)),
        _ => mounts::copy(directory.as_fd(), c""),
    };
    let tree = match tree {
        Ok(tree) => tree,
        Err(errno) if spec.writes == Writes::Forgotten => {
            return fault("mount an overlay on", errno)
                .map_err(|fault| fault.hint("--volatile needs overlayfs in the kernel, and Linux 5.11 for an ordinary user"));
        }
        Err(errno) => return fault("copy the mount of", errno),
    };
    // Device files that DIR may hold, whoever put them there, are nobody's devices.
    let mut attributes = MountAttrFlags::MOUNT_ATTR_NODEV;
    if spec.writes == Writes::Refused {
        attributes |= MountAttrFlags::MOUNT_ATTR_RDONLY;
    }
    if let Err(errno) = mounts::restrict(tree.as_fd(), attributes) {
        return fault("restrict the mount of", errno).map_err(|fault| fault.hint("Linux 5.12 is needed"));
    }
    on_top_of_root(tree).or_else(|errno| fault("mount", errno))
}

/// Mounts `tree` over the whole of the caller's root; paths still begin below it.
fn on_top_of_root(tree: OwnedFd) -> Result<OwnedFd, Errno> {
    let slash = openat(CWD, c"/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    mounts::attach(tree.as_fd(), slash.as_fd())?;
    Ok(tree)
}

/// An overlay of `lower` and a tmpfs. The tmpfs has to be somewhere while it is made: on top of `/`, under the new root.
fn overlay(lower: BorrowedFd<'_>, in_user_namespace: bool) -> Result<OwnedFd, Errno> {
    let scratch = on_top_of_root(mounts::new(c"tmpfs", &[(c"mode", c"0700")], mounts::DATA)?)?;
    mkdirat(&scratch, c"upper", Mode::from_raw_mode(0o755))?;
    mkdirat(&scratch, c"work", Mode::from_raw_mode(0o755))?;
    let upper = openat(&scratch, c"upper", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let work = openat(&scratch, c"work", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let stat = fstat(lower)?;
    rustix::fs::chmodat(&scratch, c"upper", Mode::from_raw_mode(stat.st_mode), rustix::fs::AtFlags::empty())?;
    let (mut low, mut up, mut aside) = (Text::new(), Text::new(), Text::new());
    let low = fd_path(lower, &mut low)?;
    let up = fd_path(upper.as_fd(), &mut up)?;
    let aside = fd_path(work.as_fd(), &mut aside)?;
    let options = [(c"lowerdir", low), (c"upperdir", up), (c"workdir", aside), (c"xino", c"off"), (c"userxattr", c"")];
    // Without the initial user namespace's rights, marks are kept as attributes of the user (Linux 5.11).
    let used = if in_user_namespace { options.len() } else { options.len() - 1 };
    mounts::new(c"overlay", options.get(..used).unwrap_or_default(), MountAttrFlags::empty())
}

fn fd_path<'t>(fd: BorrowedFd<'_>, text: &'t mut Text<SHORT>) -> Result<&'t CStr, Errno> {
    use rustix::fd::AsRawFd;
    text.push(b"/proc/self/fd/").push_number(fd.as_raw_fd().unsigned_abs());
    text.c_str().ok_or(Errno::NAMETOOLONG)
}

/// The place of a mount, made where it is missing.
fn place<'a>(says: &'static str, root: BorrowedFd<'_>, dest: &'a CStr, kind: Kind) -> Result<OwnedFd, Fault<'a>> {
    resolve::make(root, dest.to_bytes(), kind).map_err(|refusal| refused(says, dest, refusal))
}

fn refused<'a>(says: &'static str, dest: &'a CStr, refusal: Refusal) -> Fault<'a> {
    match refusal {
        Refusal::Kernel(errno) => Fault::new(says, dest, errno),
        Refusal::Symlink => Fault::sentence(says, dest, "Can't mount on symlink destination"),
        Refusal::Kind(Kind::Directory) => Fault::sentence(says, dest, "it is there and no directory"),
        Refusal::Kind(Kind::File) => Fault::sentence(says, dest, "it is there and a directory, but the source is a file"),
        Refusal::ReadOnly => Fault::sentence(says, dest, "it is missing and the place is read-only")
            .hint("make it in the root directory before, or leave --read-only out"),
    }
}

/// Puts `tree` at `dest`.
fn put<'a>(says: &'static str, root: BorrowedFd<'_>, dest: &'a CStr, tree: &OwnedFd) -> Result<(), Fault<'a>> {
    let place = place(says, root, dest, Kind::Directory)?;
    mounts::attach(tree.as_fd(), place.as_fd()).map_err(|errno| Fault::new(says, dest, errno))
}

/// A procfs of the container's pid namespace at `dest`, its dangerous parts masked.
///
/// # Errors
/// EPERM where the procfs outside is itself masked (mount_too_revealing in the kernel).
pub fn proc<'a>(spec: &Spec<'_>, root: BorrowedFd<'_>, dest: &'a CStr) -> Result<(), Fault<'a>> {
    let says = "mount proc on";
    let tree = if spec.unshares(raw::CLONE_NEWPID) {
        mounts::new(c"proc", &[], mounts::DATA)
    } else {
        // A procfs of somebody else's pid namespace may only be shown again, not mounted anew.
        crate::procfs::open()
            .and_then(|proc| mounts::copy(proc.as_fd(), c""))
            .and_then(|tree| mounts::restrict(tree.as_fd(), mounts::DATA).map(|()| tree))
    };
    let tree = tree.map_err(|errno| {
        let fault = Fault::new(says, dest, errno);
        if errno == Errno::PERM { fault.hint("the /proc outside is masked itself: this is a container already") } else { fault }
    })?;
    put(says, root, dest, &tree)?;
    if spec.masks { mask(&tree, &PROC_MASKED, &PROC_READ_ONLY) } else { Ok(()) }
}

/// A read-only sysfs at `dest` with the cgroup tree in its place, where the kernel permits it.
///
/// # Errors
/// What fails after the kernel has permitted it.
pub fn sys<'a>(spec: &Spec<'_>, root: BorrowedFd<'_>, dest: &'a CStr) -> Result<(), Fault<'a>> {
    let says = "mount sysfs on";
    let attributes = mounts::DATA | MountAttrFlags::MOUNT_ATTR_RDONLY;
    let Ok(tree) = mounts::new(c"sysfs", &[], attributes) else { return Ok(()) };
    put(says, root, dest, &tree)?;
    if spec.masks {
        mask(&tree, &SYS_MASKED, &[])?;
    }
    let place = openat(&tree, c"fs/cgroup", OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    if let (Ok(place), Ok(cgroup)) = (place, mounts::new(c"cgroup2", &[], attributes)) {
        mounts::attach(cgroup.as_fd(), place.as_fd()).map_err(|errno| Fault::new("mount cgroup2 below", dest, errno))?;
    }
    Ok(())
}

/// Covers what is `masked` and makes what is `read_only` so, in a file system that only the kernel writes. What the
/// kernel does not have needs no mask.
fn mask(tree: &OwnedFd, masked: &'static [&CStr], read_only: &'static [&CStr]) -> Result<(), Fault<'static>> {
    fchdir(tree).map_err(|errno| Fault::new("enter", c"what is to be masked", errno))?;
    for path in masked {
        // A file is covered by the caller's /dev/null, a directory by an empty file system.
        let covered = match mount_bind(c"/dev/null", *path) {
            Err(Errno::NOTDIR) => mount(c"tmpfs", *path, c"tmpfs", DATA | MountFlags::RDONLY, Some(c"mode=0555,nr_inodes=1")),
            other => other,
        };
        present(covered).map_err(|errno| Fault::new("mask", path, errno))?;
    }
    for path in read_only {
        let covered = mount_bind_recursive(*path, *path)
            .and_then(|()| mount_remount(*path, MountFlags::BIND | MountFlags::RDONLY | DATA, c""));
        present(covered).map_err(|errno| Fault::new("make read-only", path, errno))?;
    }
    Ok(())
}

fn present(result: Result<(), Errno>) -> Result<(), Errno> {
    if result == Err(Errno::NOENT) { Ok(()) } else { result }
}

/// A fresh /dev at `dest`. Nothing of what the root directory has there is looked at (CVE-2026-41579).
///
/// # Errors
/// Which file of it could not be made, and why.
pub fn dev<'a>(spec: &Spec<'_>, root: BorrowedFd<'_>, dest: &'a CStr) -> Result<(), Fault<'a>> {
    use MountAttrFlags as A;
    let says = "mount tmpfs on";
    let tree = mounts::new(c"tmpfs", &[(c"mode", c"0755")], A::MOUNT_ATTR_NOSUID | A::MOUNT_ATTR_NODEV)
        .map_err(|errno| Fault::new(says, dest, errno))?;
    put(says, root, dest, &tree)?;
    fchdir(&tree).map_err(|errno| Fault::new("enter", dest, errno))?;
    for (name, host) in &DEVICES {
        file(&tree, name).and_then(|()| mount_bind(*host, *name)).map_err(|errno| {
            let fault = Fault::new("bind", host, errno);
            if errno == Errno::NOENT { fault.hint("the caller's /dev lacks it: is devtmpfs mounted there?") } else { fault }
        })?;
    }
    for (name, target) in &DEVICE_LINKS {
        symlinkat(*target, &tree, *name).map_err(|errno| Fault::new("make symbolic link", name, errno))?;
    }
    for (name, mode) in [(c"shm", 0o1777), (c"pts", 0o755)] {
        mkdirat(&tree, name, Mode::from_raw_mode(mode)).map_err(|errno| Fault::new("make directory", name, errno))?;
    }
    // Only root's map has the group tty (5), whose terminals are not everybody's to write to.
    let options = if spec.rootless { c"newinstance,ptmxmode=0666,mode=0620" } else { c"newinstance,ptmxmode=0666,mode=0620,gid=5" };
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount(c"devpts", c"pts", c"devpts", flags, Some(options)).map_err(|errno| Fault::new("mount devpts on", c"pts", errno))?;
    message_queues(spec, &tree).map_err(|errno| Fault::new("mount mqueue on", c"mqueue", errno))?;
    console(&tree).map_err(|errno| Fault::new("bind the terminal on", c"console", errno))
}

fn file(dir: &OwnedFd, name: &CStr) -> Result<(), Errno> {
    mknodat(dir, name, FileType::RegularFile, Mode::from_raw_mode(0o666), 0)
}

/// POSIX message queues, where there is an IPC namespace of our own and the kernel has them.
fn message_queues(spec: &Spec<'_>, dev: &OwnedFd) -> Result<(), Errno> {
    if !spec.unshares(raw::CLONE_NEWIPC) {
        return Ok(());
    }
    mkdirat(dev, c"mqueue", Mode::from_raw_mode(0o755))?;
    match mount(c"mqueue", c"mqueue", c"mqueue", DATA, None) {
        Err(Errno::NODEV) => rustix::fs::unlinkat(dev, c"mqueue", rustix::fs::AtFlags::REMOVEDIR),
        other => other,
    }
}

/// /dev/console is the caller's terminal, if he has one here: the very device that the descriptor is, not what is
/// found at its path (CVE-2025-52565).
fn console(dev: &OwnedFd) -> Result<(), Errno> {
    let Some(terminal) = tty::standard() else { return Ok(()) };
    let (mut link, mut path) = (Text::new(), [0u8; PATH]);
    let Ok(length) = readlinkat_raw(CWD, fd_path(terminal, &mut link)?, path.as_mut_slice()) else { return Ok(()) };
    let path = path.get(..length).unwrap_or_default();
    let Ok(device) = openat(CWD, path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()) else {
        return Ok(());
    };
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
pub fn apply<'a>(spec: &Spec<'a>, op: &Op<'a>, root: BorrowedFd<'_>, caller: BorrowedFd<'_>) -> Result<(), Fault<'a>> {
    let says = op.says();
    match *op {
        Op::Bind { source, dest, kind } => bind(source, dest, kind, root, caller),
        Op::Proc(dest) => proc(spec, root, dest),
        Op::Dev(dest) => dev(spec, root, dest),
        Op::Tmpfs(dest) => {
            let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
            let tree =
                mounts::new(c"tmpfs", &[(c"mode", c"0755")], attributes).map_err(|errno| Fault::new(says, dest, errno))?;
            put(says, root, dest, &tree)
        }
        Op::Dir(dest) => place(says, root, dest, Kind::Directory).map(|_| ()),
        Op::Symlink { target, dest } => {
            let (parent, name) =
                resolve::make_parent(root, dest.to_bytes()).map_err(|refusal| refused(says, dest, refusal))?;
            match symlinkat(target, &parent, name) {
                Err(Errno::EXIST) if leads_to(&parent, name, target) => Ok(()),
                result => result.map_err(|errno| Fault::new(says, dest, errno)),
            }
        }
    }
}

/// Whether the symbolic link that is there says what the new one would.
fn leads_to(parent: &OwnedFd, name: &[u8], target: &CStr) -> bool {
    let mut buffer = [0u8; PATH];
    let length = readlinkat_raw(parent, name, buffer.as_mut_slice()).unwrap_or(0);
    buffer.get(..length) == Some(target.to_bytes())
}

fn bind<'a>(
    source: &'a CStr,
    dest: &'a CStr,
    kind: Bind,
    root: BorrowedFd<'_>,
    caller: BorrowedFd<'_>,
) -> Result<(), Fault<'a>> {
    if source.is_empty() {
        return Err(Fault::new("bind", source, Errno::NOENT));
    }
    let tree = mounts::copy(caller, source).map_err(|errno| Fault::new("bind", source, errno))?;
    let mut attributes = MountAttrFlags::MOUNT_ATTR_NOSUID;
    if kind != Bind::Devices {
        attributes |= MountAttrFlags::MOUNT_ATTR_NODEV;
    }
    if kind == Bind::ReadOnly {
        attributes |= MountAttrFlags::MOUNT_ATTR_RDONLY;
    }
    mounts::restrict(tree.as_fd(), attributes)
        .map_err(|errno| Fault::new("restrict the mount of", source, errno).hint("Linux 5.12 is needed"))?;
    let of = resolve::file_type(tree.as_fd()).map_err(|errno| Fault::new("bind", source, errno))?;
    let place = place("bind on", root, dest, if of.is_dir() { Kind::Directory } else { Kind::File })?;
    mounts::attach(tree.as_fd(), place.as_fd()).map_err(|errno| Fault::new("bind on", dest, errno))
}
