//! The file systems that the kernel fills, /proc, /sys and others, with their dangerous files masked; and /dev.
//!
//! No file of the host is looked up here: the devices were opened before the new root was attached, and the covers of masked files are
//! mount points of the new /dev (CVE-2025-31133).
//!
//! To mask a file, add it to one of the lists below.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{Access, AtFlags, OFlags, accessat, statat, unlinkat};
use rustix::io::Errno;

use crate::fs::mount_fd;
use crate::fs::resolve::{self, Kind as Sort, PARENTS};
use crate::fs::staging::{self, Below, DATA};
use crate::fs::{devices, procfs};
use crate::mountinfo;
use crate::report::hint;
use crate::report::message::{blame, blame_hint};
use crate::rootfs::{dest, tmpfs};
use crate::say;
use crate::spec::{Kind, Masks, Op, Spec};
use crate::state::{Launch, Setup};
use crate::sys::files::{self, Fd, fchdir};
use crate::sys::{self, Done, Failure};
use crate::text::{self, List, Short, verb};
use crate::tty::job;
use crate::tty::pty;

/// Files of /proc that show the host or act on it: those that runc, Docker and Podman mask (`maskedPaths`); those that show the kernel's
/// memory by pages, objects or addresses. Those that only their owner may read need no entry ([`Cover::put_secret`]).
const MASKED: Masked = Masked {
    files: List::of(b"interrupts\0keys\0latency_stats\0pagetypeinfo\0sched_debug\0timer_list\0timer_stats\0"),
    directories: List::of(b"acpi\0asound\0scsi\0"),
};
/// The same in /sys. powercap shows what other processes compute (CVE-2020-8694). In a new sysfs, kernel/debug, kernel/tracing,
/// kernel/security and fs/bpf are empty directories.
const MASKED_SYS: Masked =
    Masked { files: List::of(b""), directories: List::of(b"dev/block\0devices/virtual/powercap\0firmware\0") };

/// What is masked in a file system that the kernel fills.
#[derive(Clone, Copy)]
struct Masked {
    files: List,
    directories: List,
}

/// Files of /proc that change the host, and become read-only: `readonlyPaths` of the same three programs, and the switches of the kernel's
/// messages. All of /sys is read-only.
const READ_ONLY: List = List::of(b"bus\0dynamic_debug\0fs\0irq\0sys\0sysrq-trigger\0");

/// Mounts a procfs of the container's pid namespace, and masks its dangerous files.
///
/// # Errors
/// Reported. EPERM: the /proc outside is masked itself (mount_too_revealing in the kernel).
pub fn proc(setup: &Setup, root: &mut Fd, op: &Op<'_>) -> Done {
    let spec = &setup.launch.spec;
    let tree =
        if spec.unshares(raw::CLONE_NEWPID) || spec.joined(raw::CLONE_NEWPID) || spec.namespaces.joins.pid.is_some() {
            let subset = if spec.root.processes_only { c"pid" } else { c"" };
            mount_fd::new(c"proc", &[(c"subset", subset)], op.attributes(raw::MOUNT_ATTR_NOEXEC))
        } else {
            // The procfs of a pid namespace that is not ours cannot be mounted, only bound.
            procfs::open().and_then(|proc| {
                mount_fd::copy(proc, c"", op.attributes(raw::MOUNT_ATTR_NOEXEC), op.cleared, Below::Restricted)
            })
        };
    let tree = tree.map_err(|why| blame_hint(op.says(), op.dest, why, hint::of_proc(spec, why).hint()))?;
    dest::put(spec, op, root, tree)?;
    mask(setup, tree, MASKED, READ_ONLY)
}

/// The mount point of a sysfs below `root`; it is made if it is missing.
///
/// # Errors
/// As [`resolve::make`].
pub fn place_of_sys(spec: &Spec<'_>, root: Fd, op: &Op<'_>) -> Result<Fd, Failure> {
    resolve::make(root, op.dest.to_bytes(), Sort::Directory, dest::mode_of_parents(spec, op))
}

/// Mounts a read-only sysfs with the cgroup tree in it on `place`, if the kernel permits it. `asked`: the user asked for it, so a
/// refusal is an error. A `place` that is an error counts only if there is a sysfs.
///
/// # Errors
/// Reported. EPERM, ENODEV with `asked`: the kernel does not permit it or has none; others: a mask cannot be mounted.
pub fn sys(setup: &Setup, root: &mut Fd, place: Result<Fd, Failure>, op: &Op<'_>, asked: bool) -> Done {
    let spec = &setup.launch.spec;
    let attributes = op.attributes(raw::MOUNT_ATTR_NOEXEC | raw::MOUNT_ATTR_RDONLY);
    let made = mount_fd::new(c"sysfs", &[], attributes);
    let tree = match made {
        Ok(tree) => tree,
        Err(Failure::PERM | Failure::NODEV) if spec.delegates() => without_sysfs(spec, op)?,
        Err(Failure::PERM | Failure::NODEV) if !asked => return Ok(()),
        Err(why) => {
            return Err(blame_hint(op.says(), op.dest, why, hint::of_sys(spec, why).hint()));
        }
    };
    let place = place.map_err(|why| dest::refused(spec, *root, op, op.says(), why))?;
    dest::attach(op, root, tree, place)?;
    if made.is_err() {
        mount_fd::make_read_only(tree)?;
    }
    cgroups(spec, tree, attributes).map_err(|why| blame(say!("mount cgroup2 on"), c"/sys/fs/cgroup", why))?;
    mask(setup, tree, MASKED_SYS, List::of(b""))
}

/// A file system with nothing but the mount point of the cgroup tree, where the kernel permits no sysfs.
fn without_sysfs(spec: &Spec<'_>, op: &Op<'_>) -> Result<Fd, Failure> {
    let mut small = *op;
    small.size = c"4096";
    let tree = tmpfs::new(spec, &small)?;
    [c"fs", c"fs/cgroup"].into_iter().try_for_each(|name| files::make_directory(tree, name, 0o755)).map(|()| tree)
}

/// Mounts the cgroup tree in a sysfs, if the kernel has it and permits it; for a container that makes cgroups, it must.
fn cgroups(spec: &Spec<'_>, tree: Fd, attributes: u32) -> Done {
    let place = match files::look(tree, c"fs/cgroup") {
        Err(Failure::NOENT) => return Ok(()),
        found => found?,
    };
    let attributes = if spec.delegates() { attributes & !raw::MOUNT_ATTR_RDONLY } else { attributes };
    match cgroup_tree(spec, attributes) {
        Err(Failure::PERM | Failure::NODEV) if !spec.delegates() => Ok(()),
        made => mount_fd::attach(made?, place),
    }
}

/// The options of cgroup2 that hold for all of its mounts at once.
const OF_CGROUPS: &[u8] =
    b"nsdelegate favordynmods memory_localevents memory_recursiveprot memory_hugetlb_accounting pids_localevents";

/// Mounts the cgroup tree, attached nowhere yet. A mount that is made in the first cgroup namespace sets the tree's options anew, for the
/// whole machine (cgroup_get_tree in the kernel), so it is given those that hold: without nsdelegate, containers could raise their own
/// limits.
fn cgroup_tree(spec: &Spec<'_>, attributes: u32) -> Result<Fd, Failure> {
    let mut options = Short::new();
    if !spec.unshares(raw::CLONE_NEWCGROUP)
        && let Ok(mounts) = files::open_path(c"/proc/self/mountinfo", OFlags::RDONLY)
    {
        mountinfo::each(mounts, &mut |mount| {
            let mut rest = mount.options;
            while mount.kind == b"cgroup2"
                && let Some(option) = text::word(&mut rest, b',')
            {
                if text::place(OF_CGROUPS, option).is_some() {
                    options.push(option).byte(b',');
                }
            }
        })?;
    }
    mount_fd::new_with(c"cgroup2", &[], options.bytes(), attributes)
}

/// Mounts a file system that the kernel fills, attached nowhere yet.
///
/// # Errors
/// Reported: as [`mount_fd::new`].
pub fn of_kernel(spec: &Spec<'_>, op: &Op<'_>) -> Result<Fd, Failure> {
    let attributes = op.attributes(raw::MOUNT_ATTR_NOEXEC);
    let made = match op.kind {
        Kind::Cgroup => cgroup_tree(spec, attributes),
        _ => mount_fd::new(c"mqueue", &[], attributes),
    };
    made.map_err(|why| blame_hint(op.says(), op.dest, why, hint::of_mount(why).hint()))
}

/// Covers the `masked` files and makes the `read_only` ones read-only, in a file system that only the kernel fills: its paths are safe to
/// follow. Files that the kernel does not have need no mask.
fn mask(setup: &Setup, tree: Fd, masked: Masked, read_only: List) -> Done {
    let spec = &setup.launch.spec;
    if spec.root.masks == Masks::All {
        let [file, directory] = setup.covers.get()?;
        let cover = |empty| Cover { tree, empty, first: None };
        let mut files = cover(file);
        files.put_all(masked.files)?;
        // For the container of an ordinary user these are files of a user that it does not have.
        if !spec.ids.rootless {
            files.put_secret()?;
        }
        cover(directory).put_all(masked.directories)?;
    }
    if spec.root.masks != Masks::None {
        fchdir(tree)?;
        for path in read_only.strings() {
            forbid_writes(spec, tree, path).map_err(|why| blame(verb::MAKE_READ_ONLY, path, why))?;
        }
    }
    Ok(())
}

/// Covers files, or directories, with an empty one. The cover is read-only: root of the container may own it. A bind of the first cover
/// covers the others: that is one call, and the copy is read-only too.
struct Cover {
    tree: Fd,
    empty: Fd,
    first: Option<&'static CStr>,
}

impl Cover {
    #[inline(never)]
    fn put(&self, path: &CStr) -> Done {
        match self.first {
            Some(first) => staging::mount_by_path(first, path, c"", raw::MS_BIND, c""),
            None => files::look(self.tree, path).and_then(|place| {
                let cover = mount_fd::copy(self.empty, c"", DATA | raw::MOUNT_ATTR_RDONLY, 0, Below::Left)?;
                mount_fd::attach(cover, place)?;
                // On old kernels, the copy has changed the working directory.
                fchdir(self.tree)
            }),
        }
        .map_err(|why| blame(say!("mask"), path, why))
    }

    fn put_all(&mut self, paths: List) -> Done {
        for path in paths.strings() {
            if !matches!(files::look(self.tree, path), Err(Failure::NOENT)) {
                self.put(path)?;
                self.first = self.first.or(Some(path));
            }
        }
        Ok(())
    }

    /// Covers each file that its owner may read and others may not: the kernel of a vendor has files that no list knows.
    fn put_secret(&self) -> Done {
        let mut done = Ok(());
        files::each_name_while(files::open(self.tree, c".", OFlags::RDONLY)?, &mut |name| {
            match statat(self.tree, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(file) if file.st_mode & (raw::S_IFMT | 0o404) == raw::S_IFREG | 0o400 => done = self.put(name),
                // A process has ended, or a security module hides the file.
                Ok(_) | Err(Errno::NOENT | Errno::ACCESS) => {}
                Err(why) => done = Err(why.into()),
            }
            done.is_ok()
        })?;
        done
    }
}

/// Makes a file read-only. `tree` must be the working directory.
fn forbid_writes(spec: &Spec<'_>, tree: Fd, path: &CStr) -> Done {
    // With a covered procfs, no further procfs can be mounted in the sandbox (mount_namespaces(7)): so a file that CMD cannot write to is
    // not covered. Root can write to files in /proc/sys although access(2) denies it the directory.
    if spec.root.masks == Masks::ReadOnly && spec.ids.rootless {
        match accessat(tree, path, Access::WRITE_OK, AtFlags::empty()).map_err(Failure::from) {
            Err(Failure::NOENT | Failure::ACCESS | Failure::ROFS) => return Ok(()),
            done => done?,
        }
    }
    match staging::mount_by_path(path, path, c"", raw::MS_BIND | raw::MS_REC, c"") {
        Err(Failure::NOENT | Failure::ACCESS) => return Ok(()),
        done => done?,
    }
    staging::mount_by_path(c"", path, c"", raw::MS_REMOUNT | raw::MS_BIND | raw::MS_RDONLY | DATA, c"")
}

/// The links of /dev: the target and the name of each.
pub static LINKS: [(&CStr, &CStr); 5] = [
    (c"/proc/self/fd", c"fd"),
    (c"/proc/self/fd/0", c"stdin"),
    (c"/proc/self/fd/1", c"stdout"),
    (c"/proc/self/fd/2", c"stderr"),
    (c"pts/ptmx", c"ptmx"),
];

/// Mounts a new /dev and fills it. The /dev of the root directory is not used at all (CVE-2026-41579).
///
/// # Errors
/// Reported, with the file that could not be made: see mount(2), open(2), symlink(2).
pub fn dev(root: &mut Fd, op: &Op<'_>, setup: &mut Setup) -> Done {
    let Launch { spec, look, .. } = &setup.launch;
    // In a sandbox /dev/shm is a directory of this tmpfs, and holds files.
    let mut sized = *op;
    sized.size = if spec.is_sandbox() { c"" } else { c"65536" };
    let dev = tmpfs::new(spec, &sized)?;
    dest::put(spec, op, root, dev)?;
    let made = |name: &CStr, result: Done| result.map_err(|why| failed_at(name, why));
    // The mount points below are empty, and not reachable afterwards: those of the preset's /dev serve as covers of masked files.
    // (The descriptors of a /dev of an operation are closed after it.)
    let is_first = spec.root.masks == Masks::All && setup.covers.known().is_none();
    let mut empty = None;
    for (name, &file) in devices::names().zip(&setup.devices.get()?) {
        made(name, files::make_file(dev, name, 0o666))?;
        if is_first && empty.is_none() {
            empty = Some(files::look(dev, name).map_err(|why| failed_at(name, why))?);
        }
        made(name, bind(file, dev, name))?;
    }
    for (target, name) in &LINKS {
        made(name, files::make_link(target, dev, name))?;
    }
    if spec.is_sandbox() {
        made(c"core", files::make_link(c"/proc/kcore", dev, c"core"))?;
    }
    made(c"shm", files::make_directory(dev, c"shm", PARENTS))?;
    if let Some(file) = empty {
        setup.covers.set([file, files::look(dev, c"shm").map_err(|why| failed_at(c"shm", why))?]);
    }
    if spec.has_root() {
        let mut shm = Op::new(Kind::Tmpfs, c"/dev/shm");
        (shm.mode, shm.size, shm.set) = (Some(0o1777), c"67108864", DATA);
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
    match mounted {
        Err(Failure::NODEV) if !spec.has_pty() => {
            made(c"pts", unlinkat(dev, c"pts", AtFlags::REMOVEDIR).map_err(Failure::from))?;
            made(c"ptmx", unlinkat(dev, c"ptmx", AtFlags::empty()).map_err(Failure::from))?;
        }
        done => {
            done.map_err(|why| blame_hint(say!("mount devpts on /dev's"), c"pts", why, hint::of_devpts(why).hint()))?
        }
    }
    if spec.has_root() && spec.unshares(raw::CLONE_NEWIPC) {
        message_queues(dev).map_err(|why| blame(say!("mount mqueue on /dev's"), c"mqueue", why))?;
    }
    if spec.has_pty() && setup.pty.is_none() {
        setup.pty = Some(pty::make(dev, c"pts/ptmx", *look).map_err(|why| failed_at(c"pts/ptmx", why))?);
        // Its descriptors outlive this operation.
        sys::keep_opened();
    }
    console(dev, setup.pty).map_err(|why| blame(say!("bind the terminal on /dev's"), c"console", why))?;
    devices::reopen_standard(Some(dev), spec.has_root() && !spec.has_pty(), spec.is_unprivileged())
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
    mount_fd::attach_at(mount_fd::copy(device, c"", attributes, 0, Below::Left)?, dev, name)
}
