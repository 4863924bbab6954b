//! What is mounted below the new root: /proc, /dev, /sys, and what the user asked for, in his order.
//!
//! Every place is a descriptor below the root's own; the sources are the caller's paths. While this runs, `/` is
//! still the caller's: `/dev/null` here is his, never the container's (CVE-2025-31133).

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fd::AsRawFd;
use rustix::fs::{AtFlags, Mode, OFlags, chmodat, fstat, unlinkat};
use rustix::mount::{MountAttrFlags as Attr, MountFlags};
use rustix::process::fchdir;

use crate::fault::{blame, blame_hint};
use crate::files::{self, DIRECTORY, Fd, HERE};
use crate::mounts;
use crate::procfs;
use crate::resolve::{self, Kind};
use crate::spec::{Bind, Op, Spec, Writes};
use crate::sys::{self, Done, Failure, Say, say};
use crate::text::{self, PATH, Text};
use crate::tty;

/// What tells of the host or acts on it, in /proc and /sys: the list of runc, `maskedPaths`; and powercap, which tells
/// what the neighbours compute (CVE-2020-8694).
static MASKED: &[u8] =
    b"acpi\0asound\0interrupts\0kcore\0keys\0latency_stats\0sched_debug\0scsi\0timer_list\0timer_stats\0\
    firmware\0devices/virtual/powercap\0";
/// The same, `readonlyPaths`. /sys, which has a `bus` and an `fs` too, is read-only as a whole.
static READ_ONLY: &[u8] = b"bus\0fs\0irq\0sys\0sysrq-trigger\0";

const REMOUNT: MountFlags = MountFlags::from_bits_retain(raw::MS_REMOUNT);
const DATA: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV).union(MountFlags::NOEXEC);

/// DIR as a mount on top of `/`, where nobody looks before pivot_root(2) makes it the root.
///
/// # Errors
/// What is wrong with DIR, or what the kernel can't do.
pub fn root(spec: &Spec<'_>) -> Result<Fd, Failure> {
    let directory = files::directory(HERE, spec.root).map_err(|why| blame(say(c"open root"), spec.root, why))?;
    let tree = match spec.writes {
        Writes::Forgotten => overlay(spec, directory)?,
        _ => mounts::copy(directory, c"")?,
    };
    // Device files that DIR may hold, whoever put them there, are nobody's devices.
    let read_only = if spec.writes == Writes::Refused { Attr::MOUNT_ATTR_RDONLY } else { Attr::empty() };
    restrict(tree, spec.root, Attr::MOUNT_ATTR_NODEV | read_only)?;
    on_top_of_root(tree)
}

fn restrict(tree: Fd, source: &CStr, attributes: Attr) -> Done {
    mounts::restrict(tree, attributes)
        .map_err(|why| blame_hint(say(c"restrict the mount of"), source, why, say(c"Linux 5.12 is needed")))
}

/// Mounts `tree` over the whole of the caller's root; paths still begin below it.
fn on_top_of_root(tree: Fd) -> Result<Fd, Failure> {
    mounts::attach(tree, files::directory(HERE, c"/")?).map(|()| tree)
}

/// An overlay of `lower` and a tmpfs. The tmpfs has to be somewhere while it is made: on top of `/`, under the new root.
fn overlay(spec: &Spec<'_>, lower: Fd) -> Result<Fd, Failure> {
    let scratch = on_top_of_root(mounts::new(c"tmpfs", &[(c"mode", c"0700")], mounts::DATA)?)?;
    files::make_directory(scratch, c"upper", 0o755)?;
    files::make_directory(scratch, c"work", 0o755)?;
    // The upper directory's mode becomes that of `/`.
    chmodat(scratch, c"upper", Mode::from_raw_mode(fstat(lower)?.st_mode), AtFlags::empty())?;
    fchdir(scratch)?;
    let mut path = Text::new();
    let options = [
        (c"lowerdir", fd_path(lower, &mut path)),
        (c"upperdir", c"upper"),
        (c"workdir", c"work"),
        // Without the initial user namespace's rights, marks are kept as attributes of the user (Linux 5.11).
        (c"userxattr", c""),
    ];
    let used = if spec.unshares(raw::CLONE_NEWUSER) { 4 } else { 3 };
    let hint = say(c"--volatile needs overlayfs in the kernel, and Linux 5.11 in a user namespace");
    mounts::new(c"overlay", options.get(..used).unwrap_or_default(), Attr::empty())
        .map_err(|why| blame_hint(say(c"mount an overlay on"), spec.root, why, hint))
}

fn fd_path(fd: Fd, text: &mut Text) -> &CStr {
    text.push(b"/proc/self/fd/").push_number(fd.as_raw_fd().cast_unsigned());
    text.c_str()
}

/// The place of a mount, made where it is missing.
fn place(says: Say, root: Fd, dest: &CStr, kind: Kind) -> Result<Fd, Failure> {
    resolve::make(root, dest.to_bytes(), kind).map_err(|why| refused(says, dest, why))
}

fn refused(says: Say, dest: &CStr, why: Failure) -> Failure {
    let read_only = say(c"it is missing: make it in the root directory before, or leave --read-only out");
    blame_hint(says, dest, why, if why == Failure::ROFS { read_only } else { Say::NOTHING })
}

/// Puts `tree` at `dest`.
fn put(says: Say, root: Fd, dest: &CStr, tree: Fd) -> Done {
    let place = place(says, root, dest, Kind::Directory)?;
    mounts::attach(tree, place).map_err(|why| blame(says, dest, why))
}

/// A procfs of the container's pid namespace at `dest`, its dangerous parts masked.
///
/// # Errors
/// EPERM where the procfs outside is itself masked (mount_too_revealing in the kernel).
pub fn proc(spec: &Spec<'_>, root: Fd, dest: &CStr) -> Done {
    let says = say(c"mount proc on");
    let tree = if spec.unshares(raw::CLONE_NEWPID) {
        mounts::new(c"proc", &[], mounts::DATA)
    } else {
        // A procfs of somebody else's pid namespace may only be shown again, not mounted anew.
        procfs::open()
            .and_then(|proc| mounts::copy(proc, c""))
            .and_then(|tree| mounts::restrict(tree, mounts::DATA).map(|()| tree))
    };
    let masked = say(c"the /proc outside is masked itself: this is a container already");
    let tree =
        tree.map_err(|why| blame_hint(says, dest, why, if why == Failure::PERM { masked } else { Say::NOTHING }))?;
    put(says, root, dest, tree)?;
    if spec.masks { mask(tree, READ_ONLY) } else { Ok(()) }
}

/// A read-only sysfs at `dest` with the cgroup tree in its place, where the kernel permits it.
///
/// # Errors
/// What fails after the kernel has permitted it.
pub fn sys(spec: &Spec<'_>, root: Fd, dest: &CStr) -> Done {
    let attributes = mounts::DATA | Attr::MOUNT_ATTR_RDONLY;
    let Ok(tree) = mounts::new(c"sysfs", &[], attributes) else { return Ok(()) };
    put(say(c"mount sysfs on"), root, dest, tree)?;
    if let (Ok(place), Ok(cgroup)) = (files::look(tree, c"fs/cgroup"), mounts::new(c"cgroup2", &[], attributes)) {
        mounts::attach(cgroup, place).map_err(|why| blame(say(c"mount cgroup2 on"), c"/sys/fs/cgroup", why))?;
    }
    if spec.masks { mask(tree, b"") } else { Ok(()) }
}

/// Covers what is masked and makes what is `read_only` so, in a file system that only the kernel writes. What the
/// kernel does not have needs no mask.
fn mask(tree: Fd, read_only: &'static [u8]) -> Done {
    fchdir(tree)?;
    for path in text::strings(MASKED) {
        // A file is covered by the caller's /dev/null, a directory by an empty file system.
        let covered = match bind_here(c"/dev/null", path) {
            Err(Failure::NOTDIR) => {
                mounts::plain(c"tmpfs", path, c"tmpfs", DATA | MountFlags::RDONLY, c"mode=0555,nr_inodes=1")
            }
            other => other,
        };
        present(covered).map_err(|why| blame(say(c"mask"), path, why))?;
    }
    for path in text::strings(read_only) {
        let flags = REMOUNT | MountFlags::BIND | MountFlags::RDONLY | DATA;
        let covered = bind_here(path, path).and_then(|()| mounts::plain(c"", path, c"", flags, c""));
        present(covered).map_err(|why| blame(say(c"make read-only"), path, why))?;
    }
    Ok(())
}

fn bind_here(source: &CStr, place: &CStr) -> Done {
    mounts::plain(source, place, c"", MountFlags::BIND | MountFlags::REC, c"")
}

fn present(result: Done) -> Done {
    if matches!(result, Err(Failure::NOENT | Failure::NOTDIR)) { Ok(()) } else { result }
}

/// The devices of /dev: the caller's, for in a user namespace none can be made.
static DEVICES: &[u8] = b"/dev/null\0/dev/zero\0/dev/full\0/dev/random\0/dev/urandom\0/dev/tty\0";

/// Its links: a target, a name, and so on.
static LINKS: &[u8] = b"/proc/self/fd\0fd\0/proc/self/fd/0\0stdin\0/proc/self/fd/1\0stdout\0/proc/self/fd/2\0stderr\0\
    pts/ptmx\0ptmx\0";

/// Its directories, and their modes.
static DIRECTORIES: [(&CStr, u32); 2] = [(c"shm", 0o1777), (c"pts", 0o755)];

/// A fresh /dev at `dest`. Nothing of what the root directory has there is looked at (CVE-2026-41579).
///
/// # Errors
/// Which file of it could not be made, and why.
pub fn dev(spec: &Spec<'_>, root: Fd, dest: &CStr) -> Done {
    let dev = tmpfs(root, dest)?;
    fchdir(dev)?;
    let made = |name: &CStr, result: Done| result.map_err(|why| blame(say(c"make /dev's"), name, why));
    for host in text::strings(DEVICES) {
        let name = sys::tail(host, b"/dev/".len());
        made(name, files::make_file(dev, name, 0o666).and_then(|()| bind_here(host, name)))?;
    }
    let mut links = text::strings(LINKS);
    while let (Some(target), Some(name)) = (links.next(), links.next()) {
        made(name, files::make_link(target, dev, name))?;
    }
    for (name, mode) in &DIRECTORIES {
        made(name, files::make_directory(dev, name, *mode))?;
    }
    // Only root's map has the group tty (5), whose terminals are not everybody's to write to.
    let options = if spec.rootless {
        c"newinstance,ptmxmode=0666,mode=0620"
    } else {
        c"newinstance,ptmxmode=0666,mode=0620,gid=5"
    };
    mounts::plain(c"devpts", c"pts", c"devpts", MountFlags::NOSUID | MountFlags::NOEXEC, options)
        .map_err(|why| blame(say(c"mount devpts on /dev's"), c"pts", why))?;
    message_queues(spec, dev).map_err(|why| blame(say(c"mount mqueue on /dev's"), c"mqueue", why))?;
    console(dev).map_err(|why| blame(say(c"bind the terminal on /dev's"), c"console", why))
}

fn tmpfs(root: Fd, dest: &CStr) -> Result<Fd, Failure> {
    let says = say(c"mount tmpfs on");
    let tree = mounts::new(c"tmpfs", &[(c"mode", c"0755")], Attr::MOUNT_ATTR_NOSUID | Attr::MOUNT_ATTR_NODEV)
        .map_err(|why| blame(says, dest, why))?;
    put(says, root, dest, tree).map(|()| tree)
}

/// POSIX message queues, where there is an IPC namespace of our own and the kernel has them.
fn message_queues(spec: &Spec<'_>, dev: Fd) -> Done {
    if !spec.unshares(raw::CLONE_NEWIPC) {
        return Ok(());
    }
    files::make_directory(dev, c"mqueue", 0o755)?;
    match mounts::plain(c"mqueue", c"mqueue", c"mqueue", DATA, c"") {
        Err(Failure::NODEV) => Ok(unlinkat(dev, c"mqueue", AtFlags::REMOVEDIR)?),
        done => done,
    }
}

/// /dev/console is the caller's terminal, if he has one here: the very device that the descriptor is, not what is
/// found at its path (CVE-2025-52565).
fn console(dev: Fd) -> Done {
    let Some(terminal) = tty::standard() else { return Ok(()) };
    let (mut link, mut path) = (Text::new(), [0u8; PATH]);
    if files::read_link(HERE, fd_path(terminal, &mut link), &mut path).is_err() {
        return Ok(());
    }
    let Ok(device) = files::look(HERE, sys::c_str(&path)) else { return Ok(()) };
    let (wanted, found) = (fstat(terminal)?, fstat(device)?);
    let same = found.st_mode & raw::S_IFMT == raw::S_IFCHR
        && (found.st_rdev, found.st_dev, found.st_ino) == (wanted.st_rdev, wanted.st_dev, wanted.st_ino);
    if !same {
        return Ok(());
    }
    files::make_file(dev, c"console", 0o600)?;
    mounts::attach_at(mounts::copy(device, c"")?, dev, c"console")
}

/// One operation of the user's; `caller` is his working directory.
///
/// # Errors
/// What could not be done, in his words.
pub fn apply(spec: &Spec<'_>, op: &Op<'_>, root: Fd, caller: Fd) -> Done {
    let says = op.says();
    match *op {
        Op::Bind { source, dest, kind } => bind(source, dest, kind, root, caller),
        Op::Proc(dest) => proc(spec, root, dest),
        Op::Dev(dest) => dev(spec, root, dest),
        Op::Tmpfs(dest) => tmpfs(root, dest).map(|_| ()),
        Op::Dir(dest) => place(says, root, dest, Kind::Directory).map(|_| ()),
        Op::Symlink { target, dest } => link(target, root, dest).map_err(|why| refused(says, dest, why)),
    }
}

/// A symbolic link, or the one that is there already and says the same.
fn link(target: &CStr, root: Fd, dest: &CStr) -> Done {
    let mut name = Text::new();
    let parent = resolve::make_parent(root, dest.to_bytes(), &mut name)?;
    let name = name.c_str();
    match files::make_link(target, parent, name) {
        Err(Failure::EXIST)
            if files::read_link(parent, name, &mut [0; PATH]).is_ok_and(|link| link == target.to_bytes()) =>
        {
            Ok(())
        }
        done => done,
    }
}

fn bind(source: &CStr, dest: &CStr, kind: Bind, root: Fd, caller: Fd) -> Done {
    let blame_source = |why| blame(say(c"copy the mount of"), source, why);
    let tree = mounts::copy(caller, source).map_err(blame_source)?;
    let more = match kind {
        Bind::Writable => Attr::MOUNT_ATTR_NODEV,
        Bind::ReadOnly => Attr::MOUNT_ATTR_NODEV | Attr::MOUNT_ATTR_RDONLY,
        Bind::Devices => Attr::empty(),
    };
    restrict(tree, source, Attr::MOUNT_ATTR_NOSUID | more)?;
    let directory = files::kind(tree).map_err(blame_source)? == DIRECTORY;
    let place = place(say(c"bind on"), root, dest, if directory { Kind::Directory } else { Kind::File })?;
    mounts::attach(tree, place).map_err(|why| blame(say(c"bind on"), dest, why))
}

/// The caller's directory, to find the sources of his operations from.
///
/// # Errors
/// Those of open(2).
pub fn here() -> Result<Fd, Failure> {
    files::open(HERE, c".", OFlags::PATH | OFlags::DIRECTORY)
}
