//! The file systems that the kernel fills, with their dangerous parts masked: /proc, /sys and their like; and /dev.
//!
//! Nothing of the caller's is looked for here: what it takes of it was opened before the new root was there, and what covers
//! something is our own (CVE-2025-31133).

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{Access, AtFlags, accessat, statat, unlinkat};

use crate::fs::mount_fd;
use crate::fs::resolve::PARENTS;
use crate::fs::staging::{self, DATA, EMPTY_DIRECTORY, EMPTY_FILE};
use crate::fs::{devices, procfs};
use crate::report::hint;
use crate::report::message::{blame, blame_hint};
use crate::rootfs::dest::put;
use crate::rootfs::root::new_tmpfs;
use crate::say;
use crate::spec::{Kind, Masks, Op, Spec};
use crate::state::{Launch, Setup};
use crate::sys::files::{self, DIRECTORY, Fd, fchdir};
use crate::sys::{self, Done, Failure};
use crate::text;
use crate::text::verb;
use crate::tty::job;
use crate::tty::pty;

/// What shows the host or acts on it, in /proc: what runc, Docker and Podman mask (`maskedPaths`); what shows the kernel's
/// memory page by page, object by object, or by its addresses; and its messages, which its uid 0 could show to everybody.
static MASKED: &[u8] = b"interrupts\0acpi\0allocinfo\0asound\0kcore\0keys\0kmsg\0kpagecgroup\0kpagecount\0kpageflags\0\
    latency_stats\0pagetypeinfo\0sched_debug\0scsi\0slabinfo\0timer_list\0timer_stats\0vmallocinfo\0";
/// The same in /sys. powercap shows what the neighbours compute (CVE-2020-8694). In a new sysfs kernel/debug, kernel/tracing,
/// kernel/security and fs/bpf are empty directories.
static MASKED_SYS: &[u8] = b"dev/block\0devices/virtual/powercap\0firmware\0";
/// What changes the host, in /proc: `readonlyPaths` of the same three, and the switches of the kernel's own messages. /sys is
/// read-only as a whole.
static READ_ONLY: &[u8] = b"bus\0dynamic_debug\0fs\0irq\0sys\0sysrq-trigger\0";

/// A procfs of the container's pid namespace, its dangerous parts masked.
///
/// # Errors
/// EPERM where the procfs outside is itself masked (mount_too_revealing in the kernel).
pub fn proc(spec: &Spec<'_>, root: &mut Fd, op: &Op<'_>) -> Done {
    let tree =
        if spec.unshares(raw::CLONE_NEWPID) || spec.joined(raw::CLONE_NEWPID) || spec.namespaces.joins.pid.is_some() {
            mount_fd::new(c"proc", &[], op.attributes(raw::MOUNT_ATTR_NOEXEC))
        } else {
            // A procfs of somebody else's pid namespace may only be shown again, not mounted anew.
            procfs::open()
                .and_then(|proc| mount_fd::copy(proc, c"", op.attributes(raw::MOUNT_ATTR_NOEXEC), op.cleared, true))
        };
    let tree = tree.map_err(|why| blame_hint(op.says(), op.dest, why, hint::of_proc(spec, why).hint()))?;
    put(spec, op, root, tree)?;
    mask(spec, tree, MASKED, READ_ONLY)
}

/// A read-only sysfs with the cgroup tree in its place, where the kernel permits it. One that was asked for by name is an
/// error where it does not.
///
/// # Errors
/// What fails after the kernel has permitted it.
pub fn sys(spec: &Spec<'_>, root: &mut Fd, op: &Op<'_>, asked: bool) -> Done {
    let attributes = op.attributes(raw::MOUNT_ATTR_NOEXEC | raw::MOUNT_ATTR_RDONLY);
    let tree = match mount_fd::new(c"sysfs", &[], attributes) {
        Ok(tree) => tree,
        Err(Failure::PERM | Failure::NODEV) if !asked => return Ok(()),
        Err(why) => {
            return Err(blame_hint(op.says(), op.dest, why, hint::of_sys(spec, why).hint()));
        }
    };
    put(spec, op, root, tree)?;
    cgroups(tree, attributes).map_err(|why| blame(say!("mount cgroup2 on"), c"/sys/fs/cgroup", why))?;
    mask(spec, tree, MASKED_SYS, b"")
}

/// The cgroup tree in its place in a sysfs, where the kernel has both and permits it.
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

/// A file system that the kernel fills.
///
/// # Errors
/// Those of [`mount_fd::new`], reported.
pub fn of_kernel(kind: &CStr, op: &Op<'_>) -> Result<Fd, Failure> {
    mount_fd::new(kind, &[], op.attributes(raw::MOUNT_ATTR_NOEXEC))
        .map_err(|why| blame_hint(op.says(), op.dest, why, hint::of_mount(why).hint()))
}

/// Covers what is masked and makes what is `read_only` so, in a file system that only the kernel writes. What the
/// kernel does not have needs no mask.
fn mask(spec: &Spec<'_>, tree: Fd, masked: &'static [u8], read_only: &'static [u8]) -> Done {
    if spec.root.masks == Masks::All {
        for path in text::strings(masked) {
            cover(tree, path).map_err(|why| blame(say!("mask"), path, why))?;
        }
    }
    if spec.root.masks != Masks::None {
        fchdir(tree)?;
        for path in text::strings(read_only) {
            forbid_writes(spec, tree, path).map_err(|why| blame(verb::MAKE_READ_ONLY, path, why))?;
        }
    }
    Ok(())
}

/// Covers a file or a directory by an empty one of our own, read-only, for container root may be the owner of that too. It is
/// looked at first: a mount that fails when its place is known waits for all processors (namespace_unlock in the kernel).
fn cover(tree: Fd, path: &CStr) -> Done {
    let empty = match statat(tree, path, AtFlags::SYMLINK_NOFOLLOW).map_err(Failure::from) {
        Err(Failure::NOENT) => return Ok(()),
        found if found?.st_mode & raw::S_IFMT == DIRECTORY => EMPTY_DIRECTORY,
        _ => EMPTY_FILE,
    };
    mount_fd::attach_at(mount_fd::copy(staging::base()?, empty, DATA | raw::MOUNT_ATTR_RDONLY, 0, false)?, tree, path)
}

/// `tree` is our working directory.
fn forbid_writes(spec: &Spec<'_>, tree: Fd, path: &CStr) -> Done {
    // A procfs with covers allows no other below it (mount_namespaces(7)): in a sandbox, what CMD cannot write to stays
    // uncovered. Root can write to the files in /proc/sys, though access(2) denies it the directory itself.
    let access =
        if spec.root.masks == Masks::ReadOnly && spec.ids.rootless { Access::WRITE_OK } else { Access::EXISTS };
    match accessat(tree, path, access, AtFlags::empty()).map_err(Failure::from) {
        Err(Failure::NOENT | Failure::ACCESS | Failure::ROFS) => return Ok(()),
        done => done?,
    }
    staging::plain(path, path, c"", raw::MS_BIND | raw::MS_REC, c"")?;
    staging::plain(c"", path, c"", raw::MS_REMOUNT | raw::MS_BIND | raw::MS_RDONLY | DATA, c"")
}

/// Its links: a target, a name, and so on.
static LINKS: &[u8] = b"/proc/self/fd\0fd\0/proc/self/fd/0\0stdin\0/proc/self/fd/1\0stdout\0/proc/self/fd/2\0stderr\0\
    pts/ptmx\0ptmx\0";

/// Of each link its target and its name.
pub fn links() -> impl Iterator<Item = (&'static CStr, &'static CStr)> {
    let mut links = text::strings(LINKS);
    core::iter::from_fn(move || links.next().zip(links.next()))
}

/// A fresh /dev. Nothing of what the root directory has there is looked at (CVE-2026-41579).
///
/// # Errors
/// Which file of it could not be made, and why.
pub fn dev(root: &mut Fd, op: &Op<'_>, setup: &mut Setup) -> Done {
    let Launch { spec, look, .. } = &setup.launch;
    // A sandbox keeps files in /dev/shm, which is part of it.
    let dev = new_tmpfs(spec, &Op { size: if spec.is_sandbox() { c"" } else { c"65536" }, ..*op })?;
    put(spec, op, root, dev)?;
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
        made(c"shm", new_tmpfs(spec, &shm).and_then(|shm| mount_fd::attach_at(shm, dev, c"shm")))?;
    }
    made(c"pts", files::make_directory(dev, c"pts", PARENTS))?;
    // Binding by name has changed the working directory.
    fchdir(dev)?;
    // Only root's map has the group tty (5), whose terminals are not everybody's to write to.
    const OWN: &CStr = c"newinstance,ptmxmode=0666,mode=0620";
    let options = if spec.ids.own_only { OWN } else { c"newinstance,ptmxmode=0666,mode=0620,gid=5" };
    let mount = |options| staging::plain(c"devpts", c"pts", c"devpts", raw::MS_NOSUID | raw::MS_NOEXEC, options);
    let mounted = match mount(options) {
        // A root that knows nobody but himself.
        Err(Failure::INVAL) => mount(OWN),
        done => done,
    };
    mounted.map_err(|why| blame(say!("mount devpts on /dev's"), c"pts", why))?;
    if spec.has_root() && spec.unshares(raw::CLONE_NEWIPC) {
        message_queues(dev).map_err(|why| blame(say!("mount mqueue on /dev's"), c"mqueue", why))?;
    }
    if spec.terminal.pty && setup.pty.is_none() {
        setup.pty = Some(pty::make(dev, c"pts/ptmx", *look).map_err(|why| failed_at(c"pts/ptmx", why))?);
        // It outlives this operation.
        sys::keep_opened();
    }
    console(dev, setup.pty).map_err(|why| blame(say!("bind the terminal on /dev's"), c"console", why))?;
    devices::reopen_standard(Some(dev), spec.has_root() && !spec.terminal.pty, spec.ids.rootless)
}

/// POSIX message queues, where the kernel has them.
fn message_queues(dev: Fd) -> Done {
    files::make_directory(dev, c"mqueue", 0o755)?;
    match staging::plain(c"mqueue", c"mqueue", c"mqueue", DATA, c"") {
        Err(Failure::NODEV) => Ok(unlinkat(dev, c"mqueue", AtFlags::REMOVEDIR)?),
        done => done,
    }
}

fn failed_at(name: &CStr, why: Failure) -> Failure {
    blame(say!("make /dev's"), name, why)
}

/// /dev/console is CMD's own terminal, or the caller's, if he has one here: the very device that the descriptor is, not
/// what is found at its path (CVE-2025-52565).
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

/// Shows a device of the caller's as `name` in the container's /dev, read-only.
fn bind(device: Fd, dev: Fd, name: &CStr) -> Done {
    let attributes = raw::MOUNT_ATTR_NOSUID | raw::MOUNT_ATTR_NOEXEC | raw::MOUNT_ATTR_RDONLY;
    mount_fd::attach_at(mount_fd::copy(device, c"", attributes, 0, false)?, dev, name)
}
