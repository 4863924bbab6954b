//! What is mounted below the new root: /proc, /dev, /sys, and what the user asked for, in his order.
//!
//! Every place is a descriptor below the root's own; the sources are the caller's paths. While this runs, `/` is
//! still the caller's: `/dev/null` here is his, never the container's (CVE-2025-31133).

use core::ffi::CStr;
use core::sync::atomic::{AtomicU32, Ordering};

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::fs::{Access, AtFlags, OFlags, accessat, fstat, unlinkat};
use rustix::io::{Errno, read, write};
use rustix::process::fchdir;

use crate::fault::{blame, blame_hint, warn};
use crate::files::{self, DIRECTORY, Fd, HERE};
use crate::mounts::{self, DATA};
use crate::procfs;
use crate::resolve::{self, Kind as Sort, PARENTS};
use crate::say;
use crate::spec::{Kind, Masks, Op, Spec, Writes};
use crate::sys::{self, Done, Failure};
use crate::text::{self, PATH, Text};
use crate::texts::Say;
use crate::tty;
use crate::voice::{self, Name};

/// What tells of the host or acts on it, in /proc and /sys: the list of runc, `maskedPaths`; and powercap, which tells
/// what the neighbours compute (CVE-2020-8694).
static MASKED: &[u8] =
    b"acpi\0asound\0interrupts\0kcore\0keys\0latency_stats\0sched_debug\0scsi\0timer_list\0timer_stats\0\
    firmware\0devices/virtual/powercap\0";
/// The same, `readonlyPaths`. /sys, which has a `bus` and an `fs` too, is read-only as a whole.
static READ_ONLY: &[u8] = b"bus\0fs\0irq\0sys\0sysrq-trigger\0";

/// What becomes `/`: DIR, or an empty file system that the operations fill.
///
/// # Errors
/// What is wrong with DIR, or what the kernel can't do.
pub fn root(spec: &Spec<'_>) -> Result<Fd, Failure> {
    let directory = if spec.root.is_empty() {
        None
    } else {
        Some(files::directory(HERE, spec.root).map_err(|why| blame(say!("open root"), spec.root, why))?)
    };
    // What else is mounted may be the caller's root, which is not to have the new one in it.
    if directory.is_none() || !spec.ops.is_empty() || spec.writes == Writes::Forgotten {
        mounts::base().map_err(|why| blame(say!("make a place for"), c"mounts", why))?;
    }
    let read_only = if spec.writes == Writes::Refused { raw::MOUNT_ATTR_RDONLY } else { 0 };
    let tree = match directory {
        None => new_tmpfs(spec, &Op::new(Kind::Tmpfs, c"/"))?,
        Some(directory) if spec.writes == Writes::Forgotten => volatile(spec, directory)?,
        // Device files that DIR may hold, whoever put them there, are nobody's devices.
        Some(directory) => mounts::copy(directory, c"", raw::MOUNT_ATTR_NODEV | read_only, 0, true)
            .map_err(|why| blame(COPY, spec.root, why))?,
    };
    mounts::begin_root(tree).map(|()| tree)
}

const COPY: Say = say!("copy the mount of");

/// An overlay of DIR and a file system in memory.
fn volatile(spec: &Spec<'_>, lower: Fd) -> Result<Fd, Failure> {
    let hint = say!("--volatile needs overlayfs in the kernel, and Linux 5.11 in a user namespace");
    let mut options = Text::new();
    mounts::fd_path(lower, options.push(b"lowerdir="));
    in_memory(lower, &mut options)
        .and_then(|()| overlay(spec, &mut options, raw::MOUNT_ATTR_NODEV))
        .map_err(|why| blame_hint(say!("mount an overlay on"), spec.root, why, hint))
}

/// Adds to the options of an overlay where in memory its writes go. `top` is where the mode of its root comes from.
fn in_memory(top: Fd, options: &mut Text) -> Done {
    let base = mounts::base()?;
    let mode = fstat(top)?.st_mode & 0o7777;
    for (key, mode) in [(&b",upperdir="[..], mode), (b",workdir=", 0o700)] {
        let mut name = Text::new();
        let name = new_name(&mut name);
        files::make_directory(base, name.c_str(), mode)?;
        mounts::fd_path(base, options.push(key));
        options.byte(b'/').push(name.bytes());
    }
    Ok(())
}

fn overlay(spec: &Spec<'_>, options: &mut Text, flags: u32) -> Result<Fd, Failure> {
    // Without the initial user namespace's rights, marks are kept as attributes of the user (Linux 5.11).
    if spec.in_user_namespace() {
        options.push(b",userxattr");
    }
    mounts::overlay(options.c_str(), flags)
}

/// The place of a mount, made where it is missing.
fn place(spec: &Spec<'_>, root: Fd, op: &Op<'_>, kind: Sort) -> Result<Fd, Failure> {
    let says = match kind {
        // So bubblewrap's users know it.
        Sort::Directory if voice::speaks_as(Name::Bwrap) => say!("make directory"),
        Sort::File if voice::speaks_as(Name::Bwrap) => say!("create file at"),
        _ => op.says(),
    };
    resolve::make(root, op.dest.to_bytes(), kind, parents(spec, op)).map_err(|why| refused(says, op.dest, why))
}

fn refused(says: Say, dest: &CStr, why: Failure) -> Failure {
    let read_only = say!("it is missing: make it in the root directory before, or leave --read-only out");
    blame_hint(says, dest, why, if why == Failure::ROFS { read_only } else { Say::NOTHING })
}

/// Puts `tree` at the destination of `op`. One that goes on the root itself is the root from then on.
fn put(spec: &Spec<'_>, op: &Op<'_>, root: &mut Fd, tree: Fd) -> Done {
    let sort = if files::kind(tree)? == DIRECTORY { Sort::Directory } else { Sort::File };
    let mut name = Text::new();
    // Most find their place there.
    if sort == Sort::Directory
        && let Ok(parent) = resolve::parent(*root, op.dest.to_bytes(), &mut name, 0)
        && !name.bytes().is_empty()
        && mounts::attach_at(tree, parent, name.c_str()).is_ok()
    {
        return Ok(());
    }
    let place = place(spec, *root, op, sort)?;
    mounts::attach(tree, place).map_err(|why| blame(op.says(), op.dest, why))?;
    if place.as_raw_fd() == root.as_raw_fd() {
        *root = tree;
    }
    Ok(())
}

/// A procfs of the container's pid namespace, its dangerous parts masked.
///
/// # Errors
/// EPERM where the procfs outside is itself masked (mount_too_revealing in the kernel).
pub fn proc(spec: &Spec<'_>, root: &mut Fd, op: &Op<'_>) -> Done {
    let tree = if spec.unshares(raw::CLONE_NEWPID) {
        mounts::new(c"proc", &[], attributes(op, raw::MOUNT_ATTR_NOEXEC))
    } else {
        // A procfs of somebody else's pid namespace may only be shown again, not mounted anew.
        procfs::open()
            .and_then(|proc| mounts::copy(proc, c"", attributes(op, raw::MOUNT_ATTR_NOEXEC), op.cleared, true))
    };
    let masked = say!("the /proc outside is masked itself: this is a container already");
    let tree = tree
        .map_err(|why| blame_hint(op.says(), op.dest, why, if why == Failure::PERM { masked } else { Say::NOTHING }))?;
    put(spec, op, root, tree)?;
    mask(tree, spec.masks, READ_ONLY)
}

/// What a mount of `op` is to have, with what its kind has by itself.
fn attributes(op: &Op<'_>, own: u32) -> u32 {
    (op.set | own) & !op.cleared
}

/// A read-only sysfs with the cgroup tree in its place, where the kernel permits it. One that was asked for by name is an
/// error where it does not.
///
/// # Errors
/// What fails after the kernel has permitted it.
pub fn sys(spec: &Spec<'_>, root: &mut Fd, op: &Op<'_>, asked: bool) -> Done {
    let attributes = attributes(op, raw::MOUNT_ATTR_NOEXEC | raw::MOUNT_ATTR_RDONLY);
    let tree = match mounts::new(c"sysfs", &[], attributes) {
        Ok(tree) => tree,
        Err(why) if asked => {
            return Err(blame_hint(op.says(), op.dest, why, say!("it needs a network namespace of one's own")));
        }
        Err(_) => return Ok(()),
    };
    put(spec, op, root, tree)?;
    if let (Ok(place), Ok(cgroup)) = (files::look(tree, c"fs/cgroup"), mounts::new(c"cgroup2", &[], attributes)) {
        mounts::attach(cgroup, place).map_err(|why| blame(say!("mount cgroup2 on"), c"/sys/fs/cgroup", why))?;
    }
    mask(tree, spec.masks, b"")
}

/// Covers what is masked and makes what is `read_only` so, in a file system that only the kernel writes. What the
/// kernel does not have needs no mask.
fn mask(tree: Fd, masks: Masks, read_only: &'static [u8]) -> Done {
    if masks == Masks::None {
        return Ok(());
    }
    fchdir(tree)?;
    for path in text::strings(if masks == Masks::All { MASKED } else { b"" }) {
        // A file is covered by the caller's /dev/null, a directory by an empty file system.
        let covered = match bind_here(c"/dev/null", path) {
            Err(Failure::NOTDIR) => {
                mounts::plain(c"tmpfs", path, c"tmpfs", DATA | raw::MS_RDONLY, c"mode=0555,nr_inodes=1")
            }
            other => other,
        };
        present(covered).map_err(|why| blame(say!("mask"), path, why))?;
    }
    for path in text::strings(read_only) {
        // In a sandbox what nobody may write anyway stays as it is: a procfs with covers allows no other below it
        // (mount_namespaces(7)).
        if masks == Masks::ReadOnly && accessat(tree, path, Access::WRITE_OK, AtFlags::empty()).is_err() {
            continue;
        }
        let flags = raw::MS_REMOUNT | raw::MS_BIND | raw::MS_RDONLY | DATA;
        let covered = bind_here(path, path).and_then(|()| mounts::plain(c"", path, c"", flags, c""));
        present(covered).map_err(|why| blame(say!("make read-only"), path, why))?;
    }
    Ok(())
}

fn bind_here(source: &CStr, place: &CStr) -> Done {
    mounts::plain(source, place, c"", raw::MS_BIND | raw::MS_REC, c"")
}

fn present(result: Done) -> Done {
    if matches!(result, Err(Failure::NOENT | Failure::NOTDIR)) { Ok(()) } else { result }
}

/// The devices of /dev: the caller's, for in a user namespace none can be made.
static DEVICES: &[u8] = b"/dev/null\0/dev/zero\0/dev/full\0/dev/random\0/dev/urandom\0/dev/tty\0";

/// Its links: a target, a name, and so on.
static LINKS: &[u8] = b"/proc/self/fd\0fd\0/proc/self/fd/0\0stdin\0/proc/self/fd/1\0stdout\0/proc/self/fd/2\0stderr\0\
    pts/ptmx\0ptmx\0";

/// A fresh /dev. Nothing of what the root directory has there is looked at (CVE-2026-41579).
///
/// # Errors
/// Which file of it could not be made, and why.
pub fn dev(spec: &Spec<'_>, root: &mut Fd, op: &Op<'_>) -> Done {
    let dev = new_tmpfs(spec, op)?;
    put(spec, op, root, dev)?;
    fchdir(dev)?;
    let made = |name: &CStr, result: Done| result.map_err(|why| blame(say!("make /dev's"), name, why));
    for host in text::strings(DEVICES) {
        let name = sys::tail(host, b"/dev/".len());
        made(name, files::make_file(dev, name, 0o666).and_then(|()| bind_here(host, name)))?;
    }
    let mut links = text::strings(LINKS);
    while let (Some(target), Some(name)) = (links.next(), links.next()) {
        made(name, files::make_link(target, dev, name))?;
    }
    if spec.is_sandbox() {
        made(c"core", files::make_link(c"/proc/kcore", dev, c"core"))?;
    }
    made(c"shm", files::make_directory(dev, c"shm", if spec.is_sandbox() { PARENTS } else { 0o1777 }))?;
    made(c"pts", files::make_directory(dev, c"pts", PARENTS))?;
    // Only root's map has the group tty (5), whose terminals are not everybody's to write to.
    let options = if spec.own_ids_only {
        c"newinstance,ptmxmode=0666,mode=0620"
    } else {
        c"newinstance,ptmxmode=0666,mode=0620,gid=5"
    };
    mounts::plain(c"devpts", c"pts", c"devpts", raw::MS_NOSUID | raw::MS_NOEXEC, options)
        .map_err(|why| blame(say!("mount devpts on /dev's"), c"pts", why))?;
    if spec.has_root() && spec.unshares(raw::CLONE_NEWIPC) {
        message_queues(dev).map_err(|why| blame(say!("mount mqueue on /dev's"), c"mqueue", why))?;
    }
    console(dev).map_err(|why| blame(say!("bind the terminal on /dev's"), c"console", why))?;
    // As bubblewrap's users find it. No device file is executed, so a kernel that has no such call loses nothing.
    if spec.is_sandbox() {
        let _ = sys::mount_setattr(dev, raw::MOUNT_ATTR_NOSUID, 0, true);
    }
    Ok(())
}

/// An empty file system in memory, with the mode and the size that were said.
fn new_tmpfs(spec: &Spec<'_>, op: &Op<'_>) -> Result<Fd, Failure> {
    let mut mode = Text::new();
    let mut options = [(c"mode", mode.push_octal(op.mode.unwrap_or(0o755)).c_str()); 3];
    let mut used = 1;
    for (key, value) in [(c"size", op.size), (c"context", spec.file_label.unwrap_or(c""))] {
        if let Some(option) = options.get_mut(used).filter(|_| !value.is_empty()) {
            *option = (key, value);
            used += 1;
        }
    }
    mounts::new(c"tmpfs", options.get(..used).unwrap_or_default(), attributes(op, 0))
        .map_err(|why| blame(say!("mount tmpfs on"), op.dest, why))
}

/// POSIX message queues, where the kernel has them.
fn message_queues(dev: Fd) -> Done {
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
    if files::read_link(HERE, mounts::fd_path(terminal, &mut link), &mut path).is_err() {
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
    mounts::attach(mounts::copy(device, c"", raw::MOUNT_ATTR_NOSUID, 0, true)?, files::look(dev, c"console")?)
}

/// One operation of the user's, below `root`; `caller` is his working directory.
///
/// # Errors
/// What could not be done, in his words.
pub fn apply(spec: &Spec<'_>, op: &Op<'_>, root: &mut Fd, caller: Fd) -> Done {
    let (says, dest) = (op.says(), op.dest);
    match op.kind {
        Kind::Bind | Kind::BindTry => {
            let mut tree = mounts::copy(caller, op.source, op.set, op.cleared, true);
            // It may be a name of what somebody has open (/proc/self/fd/N, /proc/self/exe).
            if matches!(tree, Err(Failure::INVAL)) {
                tree = files::open(caller, op.source, OFlags::PATH).and_then(|fd| of_descriptor(op, fd));
            }
            if let Err(why) = tree
                && spec.lenient
                && why != Failure::NOENT
            {
                warn(say!("restrict all below"), op.source, why, Say::NOTHING);
                tree = mounts::copy(caller, op.source, op.set, op.cleared, false);
            }
            match tree {
                Err(Failure::NOENT) if op.kind == Kind::BindTry => Ok(()),
                Err(why) => Err(blame(COPY, op.source, why)),
                Ok(tree) => put(spec, op, root, tree),
            }
        }
        Kind::BindFd => {
            let fd = sys::given(op.fd);
            let tree = of_descriptor(op, fd);
            put(spec, op, root, tree.map_err(|why| blame(COPY, mounts::fd_path(fd, &mut Text::new()), why))?)
        }
        Kind::BindData => put(spec, op, root, of_data(op).map_err(|why| blame(says, dest, why))?),
        Kind::Overlay | Kind::OverlayTmpfs | Kind::OverlayReadOnly => put(spec, op, root, of_layers(spec, op, caller)?),
        Kind::Tmpfs => put(spec, op, root, new_tmpfs(spec, op)?),
        Kind::Proc => proc(spec, root, op),
        Kind::Dev => dev(spec, root, op),
        Kind::Sys => sys(spec, root, op, true),
        Kind::Cgroup => put(spec, op, root, of_kernel(c"cgroup2", op)?),
        Kind::Mqueue => put(spec, op, root, of_kernel(c"mqueue", op)?),
        Kind::Remount => place(spec, *root, op, Sort::Any)
            .and_then(|place| mounts::make_read_only(place).map_err(|why| blame(says, dest, why))),
        Kind::Dir => directory(spec, op, *root).map_err(|why| refused(says, dest, why)),
        Kind::File => file(spec, op, *root).map_err(|why| refused(says, dest, why)),
        Kind::Symlink => link(spec, op, *root).map_err(|why| refused(says, dest, why)),
        Kind::Chmod => mode(op, *root).map_err(|why| blame(says, dest, why)),
    }
}

/// A file system that the kernel fills.
fn of_kernel(kind: &CStr, op: &Op<'_>) -> Result<Fd, Failure> {
    mounts::new(kind, &[], attributes(op, raw::MOUNT_ATTR_NOEXEC)).map_err(|why| blame(op.says(), op.dest, why))
}

/// What a descriptor is open on, by its path: its mount is of the caller's namespace, ours has a copy.
fn of_descriptor(op: &Op<'_>, fd: BorrowedFd<'_>) -> Result<Fd, Failure> {
    let mut path = [0u8; PATH];
    files::read_link(HERE, mounts::fd_path(fd, &mut Text::new()), &mut path)?;
    let tree = mounts::copy(HERE, sys::c_str(&path), op.set, op.cleared, true)?;
    let (wanted, found) = (fstat(fd)?, fstat(tree)?);
    // Somebody may have renamed it meanwhile.
    if (wanted.st_dev, wanted.st_ino) == (found.st_dev, found.st_ino) { Ok(tree) } else { Err(Failure::AGAIN) }
}

/// A new file with the content of a descriptor.
fn of_data(op: &Op<'_>) -> Result<Fd, Failure> {
    let mut name = Text::new();
    let (base, name) = (mounts::base()?, new_name(&mut name).c_str());
    write_file(base, name, op.mode.unwrap_or(0o600), op.fd)?;
    mounts::copy(base, name, op.set, op.cleared, true)
}

/// A name that nothing in our own place has yet.
fn new_name(text: &mut Text) -> &Text {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    text.push_number(COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Directories of the caller's as one.
fn of_layers(spec: &Spec<'_>, op: &Op<'_>, caller: Fd) -> Result<Fd, Failure> {
    let open = |path: &CStr| files::directory(caller, path).map_err(|why| blame(say!("open directory"), path, why));
    let mut options = Text::new();
    let mut top = caller;
    // The kernel wants the highest first.
    for (index, layer) in op.layers.iter().rev().enumerate() {
        let fd = open(layer)?;
        options.push(if index == 0 { b"lowerdir=" } else { b":" });
        mounts::fd_path(fd, &mut options);
        if index == 0 {
            top = fd;
        }
    }
    let read_only = if op.kind == Kind::OverlayReadOnly { raw::MS_RDONLY } else { 0 };
    match op.kind {
        Kind::Overlay => {
            mounts::fd_path(open(op.source)?, options.push(b",upperdir="));
            mounts::fd_path(open(op.work)?, options.push(b",workdir="));
            Ok(())
        }
        Kind::OverlayTmpfs => in_memory(top, &mut options),
        _ => Ok(()),
    }
    .and_then(|()| overlay(spec, &mut options, attributes(op, read_only)))
    .map_err(|why| blame(op.says(), op.dest, why))
}

/// A directory, or the one that is there already.
fn directory(spec: &Spec<'_>, op: &Op<'_>, root: Fd) -> Done {
    let mut name = Text::new();
    let parent = resolve::parent(root, op.dest.to_bytes(), &mut name, parents(spec, op))?;
    if name.bytes().is_empty() {
        return Ok(());
    }
    let name = name.c_str();
    match files::make_directory(parent, name, op.mode.unwrap_or(PARENTS)) {
        // Or a link that leads to one.
        Err(Failure::EXIST) => match resolve::directory(root, op.dest.to_bytes()) {
            Err(Failure::NOTDIR) => Err(Failure::NO_DIRECTORY),
            found => found.map(|_| ()),
        },
        done => done,
    }
}

/// A file with the content of a descriptor, in the place of what was in a file that is there already.
fn file(spec: &Spec<'_>, op: &Op<'_>, root: Fd) -> Done {
    let mut name = Text::new();
    let parent = resolve::parent(root, op.dest.to_bytes(), &mut name, parents(spec, op))?;
    write_file(parent, name.c_str(), op.mode.unwrap_or(0o666), op.fd)
}

fn write_file(dir: Fd, name: &CStr, mode: u32, from: u32) -> Done {
    // Nobody is waited for who was to read a pipe in its place.
    let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match files::create(dir, name, flags, mode) {
        Err(Failure::LOOP) => return Err(Failure::SYMLINK),
        other => other?,
    };
    if files::kind(file)? != raw::S_IFREG {
        return Err(Failure::EXIST);
    }
    let mut content = [0u8; PATH];
    loop {
        let length = match read(sys::given(from), content.as_mut_slice()) {
            Err(Errno::INTR) => continue,
            other => other?,
        };
        let mut rest = content.get(..length).unwrap_or_default();
        if rest.is_empty() {
            return Ok(());
        }
        while !rest.is_empty() {
            let written = write(file, rest)?;
            rest = rest.get(written..).unwrap_or_default();
        }
    }
}

/// A symbolic link, or the one that is there already and says the same.
fn link(spec: &Spec<'_>, op: &Op<'_>, root: Fd) -> Done {
    let mut name = Text::new();
    let parent = resolve::parent(root, op.dest.to_bytes(), &mut name, parents(spec, op))?;
    let name = name.c_str();
    match files::make_link(op.source, parent, name) {
        Err(Failure::EXIST) => match files::read_link(parent, name, &mut [0; PATH]) {
            Ok(link) if link == op.source.to_bytes() => Ok(()),
            Ok(_) => Err(Failure::OTHER_LINK),
            Err(_) => Err(Failure::NO_LINK),
        },
        done => done,
    }
}

/// The mode of the directories that are made on the way: what nobody but the owner is to get at, nobody else is to get near
/// to either. In a sandbox that goes for all whose mode can't be said, and for mounted content.
fn parents(spec: &Spec<'_>, op: &Op<'_>) -> u32 {
    let has_own = matches!(op.kind, Kind::Dir | Kind::File | Kind::Tmpfs);
    let own = if has_own || !spec.is_sandbox() { PARENTS } else { 0 };
    let asked = op.mode.unwrap_or(own);
    [0o070, 0o007].iter().fold(PARENTS, |mode, others| if asked & others == 0 { mode & !others } else { mode })
}

fn mode(op: &Op<'_>, root: Fd) -> Done {
    let place = resolve::make(root, op.dest.to_bytes(), Sort::Any, 0)?;
    sys::chmod(mounts::fd_path(place, &mut Text::new()), op.mode.unwrap_or(0))
}

/// The caller's directory, to find the sources of his operations from.
///
/// # Errors
/// Those of open(2).
pub fn here() -> Result<Fd, Failure> {
    files::open(HERE, c".", OFlags::PATH | OFlags::DIRECTORY)
}
