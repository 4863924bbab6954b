//! The operations of the user below the new root, in the order of the options. Sources are paths of the caller, destinations are paths
//! of the container.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fd::BorrowedFd;
use rustix::fs::OFlags;

use crate::fs::mount_fd;
use crate::fs::resolve::{self, Kind as Sort, PARENTS};
use crate::fs::staging::{self, Below};
use crate::report::hint::{self, Cause};
use crate::report::message::{blame, blame_hint, warn};
use crate::rootfs::copy::write_file;
use crate::rootfs::root::COPY;
use crate::rootfs::{dest, overlay, pseudofs, tmpfs};
use crate::say;
use crate::spec::{Kind, Op, Spec, rooms};
use crate::state::{Launch, Setup};
use crate::step::explain_line;
use crate::sys::files::{self, Fd, HERE};
use crate::sys::{self, Done, Failure, FdSlot};
use crate::text::{PATH, Say, Short, Text, verb};

/// Carries out the user's operations, in the user's order. The operations themselves are the rows for `--explain`.
///
/// # Errors
/// Reported: as [`apply`].
pub fn apply_all(setup: &mut Setup) -> Done {
    let list = setup.launch.spec.root.ops;
    if setup.launch.explains() {
        for op in list {
            if matches!(op.kind, Kind::Bind | Kind::BindTry) {
                explain_line(verb::COPY_MOUNT, op.source);
            }
            explain_line(op.says(), op.dest);
        }
    } else if !list.is_empty() {
        let (mut root, directory) = (setup.root.get()?, setup.directory.get()?);
        sys::keep_opened();
        for op in list {
            apply(op, &mut root, directory, setup)
                .map_err(|why| blame_hint(op.says(), op.dest, why, hint::of_mount(why).hint()))?;
            // There may be thousands of operations: close the descriptors that this one has opened.
            sys::close_opened(root);
        }
        setup.root.set(root);
    }
    Ok(())
}

/// Carries out the user's operations below `dir` without a container: the mounts stay in the mount namespace that this process is in.
///
/// # Errors
/// Reported: as [`apply`]. ENOSYS: a bind needs Linux 5.12.
pub fn apply_in_place(launch: &Launch, dir: &CStr) -> Done {
    let mut setup = Setup::new(launch);
    if launch.explains() {
        return apply_all(&mut setup);
    }
    // The staging place is not made: it would move the root of every process.
    staging::leave();
    let spec = &launch.spec;
    let open = |path: &CStr, opened: Result<Fd, Failure>| opened.map_err(|why| blame(verb::OPEN_DIRECTORY, path, why));
    setup.directory.set(open(c".", here(spec))?);
    setup.root.set(open(dir, files::directory(HERE, dir))?);
    // New files get exactly the mode that an operation names.
    let mask = sys::umask(0)?;
    let done = apply_all(&mut setup);
    sys::umask(mask)?;
    done
}

/// Does one operation below `root`. `caller` is the caller's working directory.
///
/// # Errors
/// Reported, with the path that the user gave. ENOENT: the source is missing; others: see the operation's own call.
pub fn apply(op: &Op<'_>, root: &mut Fd, caller: Fd, setup: &mut Setup) -> Done {
    let spec = &{ setup.launch.spec };
    let (says, dest) = (op.says(), op.dest);
    match op.kind {
        Kind::Bind | Kind::BindTry => {
            let mut tree = match op.tree.filter(|_| rooms::IDMAP) {
                // A source that is missing has no mount.
                Some(slot) => slot.get().ok_or(Failure::NOENT),
                None => mount_fd::bind(caller, op.source, op.set, op.cleared, Below::Restricted),
            };
            // The source may be a magic link to an open file (/proc/self/fd/N, /proc/self/exe).
            if matches!(tree, Err(Failure::INVAL)) {
                tree = files::open(caller, op.source, OFlags::PATH).and_then(|fd| of_descriptor(op, fd));
            }
            if let Err(why) = tree
                && rooms::BWRAP
                && spec.root.lenient
                && why != Failure::NOENT
            {
                warn(say!("restrict all below"), op.source, why, Say::NOTHING);
                tree = mount_fd::bind(caller, op.source, op.set, op.cleared, Below::Kept);
            }
            match tree {
                Err(Failure::NOENT) if op.kind == Kind::BindTry => Ok(()),
                Err(why) => Err(blame_hint(COPY, op.source, why, of_bind(spec, op, caller, why).hint())),
                Ok(tree) => dest::put(spec, op, root, tree),
            }
        }
        Kind::Tmpfs => dest::put(spec, op, root, tmpfs::new(spec, op)?),
        Kind::Proc => pseudofs::proc(setup, root, op),
        Kind::Dev => pseudofs::dev(root, op, setup),
        Kind::Sys => pseudofs::sys(setup, root, pseudofs::place_of_sys(spec, *root, op), op, true),
        Kind::Dir => directory(spec, op, *root).map_err(|why| dest::refused(spec, *root, op, says, why)),
        Kind::Overlay | Kind::OverlayTmpfs | Kind::OverlayReadOnly if !rooms::OVERLAY => Ok(()),
        Kind::Overlay | Kind::OverlayTmpfs | Kind::OverlayReadOnly => {
            dest::put(spec, op, root, of_layers(spec, op, caller)?)
        }
        Kind::ResolvConf => resolv_conf(spec, op, root, caller),
        // Without that room, no option leads here.
        _ if !rooms::FILES => Ok(()),
        Kind::BindFd => {
            let fd = sys::given(op.fd);
            let tree = match op.tree.and_then(FdSlot::get).filter(|_| rooms::IDMAP) {
                Some(tree) => Ok(tree),
                None => of_descriptor(op, fd),
            };
            dest::put(spec, op, root, tree.map_err(|why| blame(COPY, staging::fd_path(fd, &mut Short::new()), why))?)
        }
        Kind::BindData => dest::put(spec, op, root, of_data(op).map_err(|why| blame(says, dest, why))?),
        Kind::Cgroup | Kind::Mqueue => dest::put(spec, op, root, pseudofs::of_kernel(spec, op)?),
        Kind::Remount => dest::find(spec, *root, op, Sort::Any)
            .and_then(|place| mount_fd::make_read_only(place).map_err(|why| blame(says, dest, why))),
        Kind::File => file(spec, op, *root).map_err(|why| dest::refused(spec, *root, op, says, why)),
        Kind::Symlink => link(spec, op, *root).map_err(|why| dest::refused(spec, *root, op, says, why)),
        Kind::Chmod => mode(op, *root).map_err(|why| blame(says, dest, why)),
    }
}

#[cfg(feature = "net")]
use crate::rootfs::resolv::put as resolv_conf;

/// No option of this build asks for it.
#[cfg(not(feature = "net"))]
const fn resolv_conf(_: &Spec<'_>, _: &Op<'_>, _: &mut Fd, _: Fd) -> Done {
    Ok(())
}

/// Why a source cannot be bound.
fn of_bind(spec: &Spec<'_>, op: &Op<'_>, caller: Fd, why: Failure) -> Cause {
    // If the source can be bound without `--exec`, a locked noexec is the cause.
    let locked = why == Failure::PERM
        && op.cleared != 0
        && mount_fd::bind(caller, op.source, op.set, 0, Below::Restricted).is_ok();
    if why == Failure::NOSYS && spec.prepares_in_place() {
        Cause::BindInPlace
    } else if locked {
        Cause::LockedNoexec
    } else if why == Failure::ACCESS && spec.maps_ranges() && !spec.ids.rootless {
        Cause::NotRootOutside
    } else {
        hint::of_mount(why)
    }
}

/// Binds the file or directory of a descriptor, by its path: the descriptor's mount is in the caller's mount namespace, and this one has a
/// copy.
fn of_descriptor(op: &Op<'_>, fd: BorrowedFd<'_>) -> Result<Fd, Failure> {
    let mut path = [0u8; PATH];
    files::read_link(HERE, staging::fd_path(fd, &mut Short::new()), &mut path)?;
    let tree = mount_fd::bind(HERE, sys::c_str(&path), op.set, op.cleared, Below::Restricted)?;
    // Check again: the path may lead to another file meanwhile.
    if files::is_same(fd, tree)? { Ok(tree) } else { Err(Failure::AGAIN) }
}

/// Makes a file in memory with the content of a descriptor, and binds it.
fn of_data(op: &Op<'_>) -> Result<Fd, Failure> {
    let mut name = Short::new();
    let (base, name) = (staging::base()?, tmpfs::new_name(&mut name).c_str());
    write_file(base, name, op.mode.unwrap_or(0o600), sys::given(op.fd))?;
    mount_fd::copy(base, name, op.set, op.cleared, Below::Restricted)
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

/// Opens the parent of the destination, and makes it if it is missing. `name` becomes the last component.
#[inline(never)]
fn parent(spec: &Spec<'_>, op: &Op<'_>, root: Fd, name: &mut Short) -> Result<Fd, Failure> {
    resolve::parent(root, op.dest.to_bytes(), name, dest::mode_of_parents(spec, op))
}

/// Makes a directory, unless it exists.
fn directory(spec: &Spec<'_>, op: &Op<'_>, root: Fd) -> Done {
    let mut name = Short::new();
    let parent = parent(spec, op, root, &mut name)?;
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
    let mut name = Short::new();
    let parent = parent(spec, op, root, &mut name)?;
    // In DIR the file outlives the container, on a disk that other users may read.
    write_file(parent, name.c_str(), op.mode.unwrap_or(if spec.has_root() { 0o600 } else { 0o666 }), sys::given(op.fd))
}

/// Makes a symbolic link, unless one with that target exists.
fn link(spec: &Spec<'_>, op: &Op<'_>, root: Fd) -> Done {
    let mut name = Short::new();
    let parent = parent(spec, op, root, &mut name)?;
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
    files::chmod(staging::fd_path(place, &mut Short::new()), op.mode.unwrap_or(0))
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
