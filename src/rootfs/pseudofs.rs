//! The file systems that the kernel fills, /proc, /sys and others, with their dangerous files masked; and /dev.
//!
//! No file of the host is looked up here: the devices were opened before the new root was attached, and the covers of masked files are
//! in the staging place (CVE-2025-31133).
//!
//! To mask a file, add it to one of the lists below.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{Access, AtFlags, accessat, statat, unlinkat};

use crate::fs::mount_fd;
use crate::fs::resolve::PARENTS;
use crate::fs::staging::{self, DATA, EMPTY_DIRECTORY, EMPTY_FILE};
use crate::fs::{devices, procfs};
use crate::report::hint;
use crate::report::message::{blame, blame_hint};
use crate::rootfs::{dest, tmpfs};
use crate::say;
use crate::spec::{Kind, Masks, Op, Spec};
use crate::state::{Launch, Setup};
use crate::sys::files::{self, DIRECTORY, Fd, fchdir};
use crate::sys::{self, Done, Failure};
use crate::text::{List, verb};
use crate::tty::job;
use crate::tty::pty;

/// Files of /proc that show the host or act on it: those that runc, Docker and Podman mask (`maskedPaths`); those that show the kernel's
/// memory by pages, objects or addresses; and the kernel's messages, which root of the container could show to every process.
const MASKED: List = List::of(
    b"interrupts\0acpi\0allocinfo\0asound\0kcore\0keys\0kmsg\0kpagecgroup\0kpagecount\0kpageflags\0\
    latency_stats\0pagetypeinfo\0sched_debug\0scsi\0slabinfo\0timer_list\0timer_stats\0vmallocinfo\0",
);
/// The same in /sys. powercap shows what other processes compute (CVE-2020-8694). In a new sysfs, kernel/debug, kernel/tracing,
/// kernel/security and fs/bpf are empty directories.
const MASKED_SYS: List = List::of(b"dev/block\0devices/virtual/powercap\0firmware\0");
/// Files of /proc that change the host, and become read-only: `readonlyPaths` of the same three programs, and the switches of the kernel's
/// messages. All of /sys is read-only.
const READ_ONLY: List = List::of(b"bus\0dynamic_debug\0fs\0irq\0sys\0sysrq-trigger\0");

/// Mounts a procfs of the container's pid namespace, and masks its dangerous files.
///
/// # Errors
/// Reported. EPERM: the /proc outside is masked itself (mount_too_revealing in the kernel).
pub fn proc(spec: &Spec<'_>, root: &mut Fd, op: &Op<'_>) -> Done {
    let tree =
        if spec.unshares(raw::CLONE_NEWPID) || spec.joined(raw::CLONE_NEWPID) || spec.namespaces.joins.pid.is_some() {
            mount_fd::new(c"proc", &[], op.attributes(raw::MOUNT_ATTR_NOEXEC))
        } else {
            // The procfs of a pid namespace that is not ours cannot be mounted, only bound.
            procfs::open()
                .and_then(|proc| mount_fd::copy(proc, c"", op.attributes(raw::MOUNT_ATTR_NOEXEC), op.cleared, true))
        };
    let tree = tree.map_err(|why| blame_hint(op.says(), op.dest, why, hint::of_proc(spec, why).hint()))?;
    dest::put(spec, op, root, tree)?;
    mask(spec, tree, MASKED, READ_ONLY)
}

/// Mounts a read-only sysfs with the cgroup tree in it, if the kernel permits it. `asked`: the user asked for it, so a refusal is an error.
///
/// # Errors
/// Reported. EPERM, ENODEV with `asked`: the kernel does not permit it or has none; others: a mask cannot be mounted.
pub fn sys(spec: &Spec<'_>, root: &mut Fd, op: &Op<'_>, asked: bool) -> Done {
    let attributes = op.attributes(raw::MOUNT_ATTR_NOEXEC | raw::MOUNT_ATTR_RDONLY);
    let tree = match mount_fd::new(c"sysfs", &[], attributes) {
        Ok(tree) => tree,
        Err(Failure::PERM | Failure::NODEV) if !asked => return Ok(()),
        Err(why) => {
            return Err(blame_hint(op.says(), op.dest, why, hint::of_sys(spec, why).hint()));
        }
    };
    dest::put(spec, op, root, tree)?;
    cgroups(tree, attributes).map_err(|why| blame(say!("mount cgroup2 on"), c"/sys/fs/cgroup", why))?;
    mask(spec, tree, MASKED_SYS, List::of(b""))
}

/// Mounts the cgroup tree in a sysfs, if the kernel has it and permits it.
fn cgroups(tree: Fd, attributes: u32) -> Done {
    let place = match files::look(tree, c"fs/cgroup") {
        Err(Failure::NOENT) => return Ok(()),
        found => found?,
    };
    match mount_fd::new(c"cgroup2", &[], attributes) {
        Err(Failure::PERM | Failure::NODEV) => Ok(()),
        made => mount_fd::attach(made?, place),
    }
}

/// Mounts a file system that the kernel fills, attached nowhere yet.
///
/// # Errors
/// Reported: as [`mount_fd::new`].
pub fn of_kernel(kind: &CStr, op: &Op<'_>) -> Result<Fd, Failure> {
    mount_fd::new(kind, &[], op.attributes(raw::MOUNT_ATTR_NOEXEC))
        .map_err(|why| blame_hint(op.says(), op.dest, why, hint::of_mount(why).hint()))
}

/// Covers the `masked` files and makes the `read_only` ones read-only, in a file system that only the kernel fills. Files that the kernel
/// does not have need no mask.
fn mask(spec: &Spec<'_>, tree: Fd, masked: List, read_only: List) -> Done {
    if spec.root.masks == Masks::All {
        for path in masked.strings() {
            cover(tree, path).map_err(|why| blame(say!("mask"), path, why))?;
        }
    }
    if spec.root.masks != Masks::None {
        fchdir(tree)?;
        for path in read_only.strings() {
            forbid_writes(spec, tree, path).map_err(|why| blame(verb::MAKE_READ_ONLY, path, why))?;
        }
    }
    Ok(())
}

/// Covers a file or directory with an empty one of the staging place. The cover is read-only: root of the container may own it. The file is
/// looked up first, because a mount that fails late waits for all processors (namespace_unlock in the kernel).
fn cover(tree: Fd, path: &CStr) -> Done {
    let empty = match statat(tree, path, AtFlags::SYMLINK_NOFOLLOW).map_err(Failure::from) {
        Err(Failure::NOENT) => return Ok(()),
        found if found?.st_mode & raw::S_IFMT == DIRECTORY => EMPTY_DIRECTORY,
        _ => EMPTY_FILE,
    };
    mount_fd::attach_at(mount_fd::copy(staging::base()?, empty, DATA | raw::MOUNT_ATTR_RDONLY, 0, false)?, tree, path)
}

/// Makes a file read-only. `tree` must be the working directory.
fn forbid_writes(spec: &Spec<'_>, tree: Fd, path: &CStr) -> Done {
    // With a covered procfs, no further procfs can be mounted in the sandbox (mount_namespaces(7)): so a file that CMD cannot write to is
    // not covered. Root can write to files in /proc/sys although access(2) denies it the directory.
    let access =
        if spec.root.masks == Masks::ReadOnly && spec.ids.rootless { Access::WRITE_OK } else { Access::EXISTS };
    match accessat(tree, path, access, AtFlags::empty()).map_err(Failure::from) {
        Err(Failure::NOENT | Failure::ACCESS | Failure::ROFS) => return Ok(()),
        done => done?,
    }
    staging::mount_by_path(path, path, c"", raw::MS_BIND | raw::MS_REC, c"")?;
    staging::mount_by_path(c"", path, c"", raw::MS_REMOUNT | raw::MS_BIND | raw::MS_RDONLY | DATA, c"")
}

/// The links of /dev: a target and a name in turn.
const LINKS: List = List::of(
    b"/proc/self/fd\0fd\0/proc/self/fd/0\0stdin\0/proc/self/fd/1\0stdout\0/proc/self/fd/2\0stderr\0\
    pts/ptmx\0ptmx\0",
);
const _: () = assert!(LINKS.count().is_multiple_of(2), "each target has a name");

/// The target and the name of each link.
pub fn links() -> impl Iterator<Item = (&'static CStr, &'static CStr)> {
    let mut links = LINKS.strings();
    core::iter::from_fn(move || links.next().zip(links.next()))
}

/// Mounts a new /dev and fills it. The /dev of the root directory is not used at all (CVE-2026-41579).
///
/// # Errors
/// Reported, with the file that could not be made: see mount(2), open(2), symlink(2).
pub fn dev(root: &mut Fd, op: &Op<'_>, setup: &mut Setup) -> Done {
    let Launch { spec, look, .. } = &setup.launch;
    // In a sandbox /dev/shm is a directory of this tmpfs, and holds files.
    let dev = tmpfs::new(spec, &Op { size: if spec.is_sandbox() { c"" } else { c"65536" }, ..*op })?;
    dest::put(spec, op, root, dev)?;
    let made = |name: &CStr, result: Done| result.map_err(|why| failed_at(name, why));
    for (name, file) in devices::names().zip(setup.devices.get()?) {
        made(name, files::make_file(dev, name, 0o666).and_then(|()| bind(file, dev, name)))?;
    }
    for (target, name) in links() {
        made(name, files::make_link(target, dev, name))?;
    }
    if spec.is_sandbox() {
        made(c"core", files::make_link(c"/proc/kcore", dev, c"core"))?;
    }
    made(c"shm", files::make_directory(dev, c"shm", PARENTS))?;
    if spec.has_root() {
        let shm = Op { mode: Some(0o1777), size: c"67108864", set: DATA, ..Op::new(Kind::Tmpfs, c"/dev/shm") };
        made(c"shm", tmpfs::new(spec, &shm).and_then(|shm| mount_fd::attach_at(shm, dev, c"shm")))?;
    }
    made(c"pts", files::make_directory(dev, c"pts", PARENTS))?;
    // On old kernels, binding changes the working directory.
    fchdir(dev)?;
    // A map of only the caller's ids lacks the group tty (5). With mode 0620 only the owner and that group may write to a terminal.
    const OWN: &CStr = c"newinstance,ptmxmode=0666,mode=0620";
    let options = if spec.ids.own_only { OWN } else { c"newinstance,ptmxmode=0666,mode=0620,gid=5" };
    let mount =
        |options| staging::mount_by_path(c"devpts", c"pts", c"devpts", raw::MS_NOSUID | raw::MS_NOEXEC, options);
    let mounted = match mount(options) {
        // The user namespace does not map group 5.
        Err(Failure::INVAL) => mount(OWN),
        done => done,
    };
    mounted.map_err(|why| blame(say!("mount devpts on /dev's"), c"pts", why))?;
    if spec.has_root() && spec.unshares(raw::CLONE_NEWIPC) {
        message_queues(dev).map_err(|why| blame(say!("mount mqueue on /dev's"), c"mqueue", why))?;
    }
    if spec.terminal.pty && setup.pty.is_none() {
        setup.pty = Some(pty::make(dev, c"pts/ptmx", *look).map_err(|why| failed_at(c"pts/ptmx", why))?);
        // Its descriptors outlive this operation.
        sys::keep_opened();
    }
    console(dev, setup.pty).map_err(|why| blame(say!("bind the terminal on /dev's"), c"console", why))?;
    devices::reopen_standard(Some(dev), spec.has_root() && !spec.terminal.pty, spec.ids.rootless)
}

/// Mounts the POSIX message queues, if the kernel has them.
fn message_queues(dev: Fd) -> Done {
    files::make_directory(dev, c"mqueue", 0o755)?;
    match staging::mount_by_path(c"mqueue", c"mqueue", c"mqueue", DATA, c"") {
        Err(Failure::NODEV) => Ok(unlinkat(dev, c"mqueue", AtFlags::REMOVEDIR)?),
        done => done,
    }
}

fn failed_at(name: &CStr, why: Failure) -> Failure {
    blame(say!("make /dev's"), name, why)
}

/// Makes /dev/console: CMD's own terminal, or the caller's if a standard descriptor is one. The device of the descriptor is bound, not the
/// file at its path (CVE-2025-52565).
fn console(dev: Fd, pty: Option<(Fd, Fd)>) -> Done {
    let device = match (pty, job::standard()) {
        (Some((_, slave)), _) => Some(slave),
        (None, Some(terminal)) => devices::file_of(terminal)?,
        _ => None,
    };
    match device {
        Some(device) => files::make_file(dev, c"console", 0o600).and_then(|()| bind(device, dev, c"console")),
        None => Ok(()),
    }
}

/// Binds a device of the caller as `name` in the container's /dev, read-only.
fn bind(device: Fd, dev: Fd, name: &CStr) -> Done {
    let attributes = raw::MOUNT_ATTR_NOSUID | raw::MOUNT_ATTR_NOEXEC | raw::MOUNT_ATTR_RDONLY;
    mount_fd::attach_at(mount_fd::copy(device, c"", attributes, 0, false)?, dev, name)
}
