//! The operations of the user below the new root, in the order of the options. Sources are paths of the caller, destinations are paths
//! of the container.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fd::BorrowedFd;
use rustix::fs::{OFlags, fstat};

use crate::fs::mount_fd;
use crate::fs::resolve::{self, Kind as Sort, PARENTS};
use crate::fs::staging;
use crate::report::hint::{self, Cause};
use crate::report::message::{blame, blame_hint, warn};
use crate::rootfs::root::COPY;
use crate::rootfs::{dest, overlay, pseudofs, tmpfs};
use crate::say;
use crate::spec::{Kind, Op, Spec};
use crate::state::Setup;
use crate::sys::files::{self, Fd, HERE, read, write};
use crate::sys::{self, Done, Failure};
use crate::text::Say;
use crate::text::verb;
use crate::text::{PATH, Text};

/// Does one operation below `root`. `caller` is the caller's working directory.
///
/// # Errors
/// Reported, with the path that the user gave. ENOENT: the source is missing; others: see the operation's own call.
pub fn apply(op: &Op<'_>, root: &mut Fd, caller: Fd, setup: &mut Setup) -> Done {
    let spec = &{ setup.launch.spec };
    let (says, dest) = (op.says(), op.dest);
    match op.kind {
        Kind::Bind | Kind::BindTry => {
            let mut tree = mount_fd::bind(caller, op.source, op.set, op.cleared, true);
            // The source may be a magic link to an open file (/proc/self/fd/N, /proc/self/exe).
            if matches!(tree, Err(Failure::INVAL)) {
                tree = files::open(caller, op.source, OFlags::PATH).and_then(|fd| of_descriptor(op, fd));
            }
            if let Err(why) = tree
                && spec.root.lenient
                && why != Failure::NOENT
            {
                warn(say!("restrict all below"), op.source, why, Say::NOTHING);
                tree = mount_fd::bind(caller, op.source, op.set, op.cleared, false);
            }
            match tree {
                Err(Failure::NOENT) if op.kind == Kind::BindTry => Ok(()),
                Err(why) => Err(blame_hint(COPY, op.source, why, of_bind(op, caller, why).hint())),
                Ok(tree) => dest::put(spec, op, root, tree),
            }
        }
        Kind::BindFd => {
            let fd = sys::given(op.fd);
            let tree = of_descriptor(op, fd);
            dest::put(spec, op, root, tree.map_err(|why| blame(COPY, staging::fd_path(fd, &mut Text::new()), why))?)
        }
        Kind::BindData => dest::put(spec, op, root, of_data(op).map_err(|why| blame(says, dest, why))?),
        Kind::Overlay | Kind::OverlayTmpfs | Kind::OverlayReadOnly => {
            dest::put(spec, op, root, of_layers(spec, op, caller)?)
        }
        Kind::Tmpfs => dest::put(spec, op, root, tmpfs::new(spec, op)?),
        Kind::Proc => pseudofs::proc(spec, root, op),
        Kind::Dev => pseudofs::dev(root, op, setup),
        Kind::Sys => pseudofs::sys(spec, root, op, true),
        Kind::Cgroup => dest::put(spec, op, root, pseudofs::of_kernel(c"cgroup2", op)?),
        Kind::Mqueue => dest::put(spec, op, root, pseudofs::of_kernel(c"mqueue", op)?),
        Kind::Remount => dest::find(spec, *root, op, Sort::Any)
            .and_then(|place| mount_fd::make_read_only(place).map_err(|why| blame(says, dest, why))),
        Kind::Dir => directory(spec, op, *root).map_err(|why| dest::refused(spec, *root, op, says, why)),
        Kind::File => file(spec, op, *root).map_err(|why| dest::refused(spec, *root, op, says, why)),
        Kind::Symlink => link(spec, op, *root).map_err(|why| dest::refused(spec, *root, op, says, why)),
        Kind::Chmod => mode(op, *root).map_err(|why| blame(says, dest, why)),
    }
}

/// Why a source cannot be bound.
fn of_bind(op: &Op<'_>, caller: Fd, why: Failure) -> Cause {
    // If the source can be bound without `--exec`, a locked noexec is the cause.
    let locked = why == Failure::PERM && op.cleared != 0 && mount_fd::bind(caller, op.source, op.set, 0, true).is_ok();
    if locked { Cause::LockedNoexec } else { hint::of_mount(why) }
}

/// Binds the file or directory of a descriptor, by its path: the descriptor's mount is in the caller's mount namespace, and this one has a
/// copy.
fn of_descriptor(op: &Op<'_>, fd: BorrowedFd<'_>) -> Result<Fd, Failure> {
    let mut path = [0u8; PATH];
    files::read_link(HERE, staging::fd_path(fd, &mut Text::new()), &mut path)?;
    let tree = mount_fd::bind(HERE, sys::c_str(&path), op.set, op.cleared, true)?;
    let (wanted, found) = (fstat(fd)?, fstat(tree)?);
    // Check again: the path may lead to another file meanwhile.
    if (wanted.st_dev, wanted.st_ino) == (found.st_dev, found.st_ino) { Ok(tree) } else { Err(Failure::AGAIN) }
}

/// Makes a file in memory with the content of a descriptor, and binds it.
fn of_data(op: &Op<'_>) -> Result<Fd, Failure> {
    let mut name = Text::new();
    let (base, name) = (staging::base()?, tmpfs::new_name(&mut name).c_str());
    write_file(base, name, op.mode.unwrap_or(0o600), op.fd)?;
    mount_fd::copy(base, name, op.set, op.cleared, true)
}

/// Mounts an overlay of directories of the caller.
fn of_layers(spec: &Spec<'_>, op: &Op<'_>, caller: Fd) -> Result<Fd, Failure> {
    let open = |path: &CStr| files::directory(caller, path).map_err(|why| blame(verb::OPEN_DIRECTORY, path, why));
    let mut options = Text::new();
    let mut top = caller;
    // The kernel takes the highest layer first.
    for (index, layer) in op.layers.iter().rev().enumerate() {
        let fd = open(layer)?;
        options.push(if index == 0 { b"lowerdir=" } else { b":" });
        staging::fd_path(fd, &mut options);
        if index == 0 {
            top = fd;
        }
    }
    let read_only = if op.kind == Kind::OverlayReadOnly { raw::MS_RDONLY } else { 0 };
    match op.kind {
        Kind::Overlay => {
            staging::fd_path(open(op.source)?, options.push(b",upperdir="));
            staging::fd_path(open(op.work)?, options.push(b",workdir="));
            Ok(())
        }
        Kind::OverlayTmpfs => overlay::write_to_memory(top, &mut options),
        _ => Ok(()),
    }
    .and_then(|()| overlay::mount(spec, &mut options, op.attributes(read_only)))
    .map_err(|why| blame(op.says(), op.dest, why))
}

/// Makes a directory, unless it exists.
fn directory(spec: &Spec<'_>, op: &Op<'_>, root: Fd) -> Done {
    let mut name = Text::new();
    let parent = resolve::parent(root, op.dest.to_bytes(), &mut name, dest::mode_of_parents(spec, op))?;
    if name.bytes().is_empty() {
        return Ok(());
    }
    let name = name.c_str();
    match files::make_directory(parent, name, op.mode.unwrap_or(PARENTS)) {
        // A symbolic link to a directory counts as a directory.
        Err(Failure::EXIST) => match resolve::directory(root, op.dest.to_bytes()) {
            Err(Failure::NOTDIR) => Err(Failure::NO_DIRECTORY),
            found => found.map(|_| ()),
        },
        done => done,
    }
}

/// Makes a file with the content of a descriptor. The content of an existing file is replaced.
fn file(spec: &Spec<'_>, op: &Op<'_>, root: Fd) -> Done {
    let mut name = Text::new();
    let parent = resolve::parent(root, op.dest.to_bytes(), &mut name, dest::mode_of_parents(spec, op))?;
    // In DIR the file outlives the container, on a disk that other users may read.
    write_file(parent, name.c_str(), op.mode.unwrap_or(if spec.has_root() { 0o600 } else { 0o666 }), op.fd)
}

fn write_file(dir: Fd, name: &CStr, mode: u32, from: u32) -> Done {
    // O_NONBLOCK: if the file is a named pipe, open(2) must not wait for a reader.
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
            Err(Failure::INTR) => continue,
            other => other?,
        };
        let mut rest = content.get(..length as usize).unwrap_or_default();
        if rest.is_empty() {
            return Ok(());
        }
        while !rest.is_empty() {
            let written = write(file, rest)?;
            rest = rest.get(written as usize..).unwrap_or_default();
        }
    }
}

/// Makes a symbolic link, unless one with that target exists.
fn link(spec: &Spec<'_>, op: &Op<'_>, root: Fd) -> Done {
    let mut name = Text::new();
    let parent = resolve::parent(root, op.dest.to_bytes(), &mut name, dest::mode_of_parents(spec, op))?;
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

fn mode(op: &Op<'_>, root: Fd) -> Done {
    let place = resolve::make(root, op.dest.to_bytes(), Sort::Any, 0)?;
    files::chmod(staging::fd_path(place, &mut Text::new()), op.mode.unwrap_or(0))
}

/// Opens the caller's working directory, where relative sources begin. If the caller may not search it, all sources must be absolute.
///
/// # Errors
/// EACCES: it may not be searched, and a source is relative; ENOENT: it was removed.
pub fn here(spec: &Spec<'_>) -> Result<Fd, Failure> {
    let begins_here = |path: &&CStr| !matches!(path.to_bytes(), [] | [b'/', ..]);
    let relative = |op: &Op<'_>| {
        let own = op.kind != Kind::Symlink && [op.source, op.work].iter().any(begins_here);
        own || op.layers.iter().any(begins_here)
    };
    match files::directory(HERE, c".") {
        Err(Failure::ACCESS) if !spec.root.ops.iter().any(relative) => files::directory(HERE, c"/"),
        done => done,
    }
}
