//! The file systems that the kernel fills, with their dangerous parts masked: /proc, /sys and their like; and /dev.
//!
//! While this runs, `/` is still the caller's: `/dev/null` here is his, never the container's (CVE-2025-31133).

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{Access, AtFlags, accessat, fstat, unlinkat};

use crate::base::{self, DATA};
use crate::fault::{blame, blame_hint};
use crate::files::{self, Fd, HERE, fchdir};
use crate::hint;
use crate::mounts;
use crate::place::put;
use crate::resolve::PARENTS;
use crate::rootfs::new_tmpfs;
use crate::say;
use crate::spec::{Masks, Op, Spec};
use crate::state::State;
use crate::sys::{self, Done, Failure};
use crate::text::{self, PATH, Text};
use crate::tty;
use crate::{procfs, pty};

/// What tells of the host or acts on it, in /proc and /sys: the list of runc, `maskedPaths`; and powercap, which tells
/// what the neighbours compute (CVE-2020-8694).
static MASKED: &[u8] =
    b"acpi\0asound\0interrupts\0kcore\0keys\0latency_stats\0sched_debug\0scsi\0timer_list\0timer_stats\0\
    firmware\0devices/virtual/powercap\0";
/// The same, `readonlyPaths`. /sys, which has a `bus` and an `fs` too, is read-only as a whole.
static READ_ONLY: &[u8] = b"bus\0fs\0irq\0sys\0sysrq-trigger\0";

/// A procfs of the container's pid namespace, its dangerous parts masked.
///
/// # Errors
/// EPERM where the procfs outside is itself masked (mount_too_revealing in the kernel).
pub fn proc(spec: &Spec<'_>, root: &mut Fd, op: &Op<'_>) -> Done {
    let tree = if spec.unshares(raw::CLONE_NEWPID) || spec.joined(raw::CLONE_NEWPID) || spec.joins.pid.is_some() {
        mounts::new(c"proc", &[], op.attributes(raw::MOUNT_ATTR_NOEXEC))
    } else {
        // A procfs of somebody else's pid namespace may only be shown again, not mounted anew.
        procfs::open().and_then(|proc| mounts::copy(proc, c"", op.attributes(raw::MOUNT_ATTR_NOEXEC), op.cleared, true))
    };
    let tree = tree.map_err(|why| blame_hint(op.says(), op.dest, why, hint::of_proc(spec, why).hint()))?;
    put(spec, op, root, tree)?;
    mask(tree, spec.masks, READ_ONLY)
}

/// A read-only sysfs with the cgroup tree in its place, where the kernel permits it. One that was asked for by name is an
/// error where it does not.
///
/// # Errors
/// What fails after the kernel has permitted it.
pub fn sys(spec: &Spec<'_>, root: &mut Fd, op: &Op<'_>, asked: bool) -> Done {
    let attributes = op.attributes(raw::MOUNT_ATTR_NOEXEC | raw::MOUNT_ATTR_RDONLY);
    let tree = match mounts::new(c"sysfs", &[], attributes) {
        Ok(tree) => tree,
        Err(why) if asked => {
            return Err(blame_hint(op.says(), op.dest, why, hint::of_sys(spec, why).hint()));
        }
        Err(_) => return Ok(()),
    };
    put(spec, op, root, tree)?;
    if let (Ok(place), Ok(cgroup)) = (files::look(tree, c"fs/cgroup"), mounts::new(c"cgroup2", &[], attributes)) {
        mounts::attach(cgroup, place).map_err(|why| blame(say!("mount cgroup2 on"), c"/sys/fs/cgroup", why))?;
    }
    mask(tree, spec.masks, b"")
}

/// A file system that the kernel fills.
///
/// # Errors
/// Those of [`mounts::new`], reported.
pub fn of_kernel(kind: &CStr, op: &Op<'_>) -> Result<Fd, Failure> {
    mounts::new(kind, &[], op.attributes(raw::MOUNT_ATTR_NOEXEC))
        .map_err(|why| blame_hint(op.says(), op.dest, why, hint::of_mount(why).hint()))
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
                base::plain(c"tmpfs", path, c"tmpfs", DATA | raw::MS_RDONLY, c"mode=0555,nr_inodes=1")
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
        let covered = bind_here(path, path).and_then(|()| base::plain(c"", path, c"", flags, c""));
        present(covered).map_err(|why| blame(say!("make read-only"), path, why))?;
    }
    Ok(())
}

fn bind_here(source: &CStr, place: &CStr) -> Done {
    base::plain(source, place, c"", raw::MS_BIND | raw::MS_REC, c"")
}

fn present(result: Done) -> Done {
    if matches!(result, Err(Failure::NOENT | Failure::NOTDIR)) { Ok(()) } else { result }
}

/// The devices of /dev: the caller's, for in a user namespace none can be made.
static DEVICES: &[u8] = b"/dev/null\0/dev/zero\0/dev/full\0/dev/random\0/dev/urandom\0/dev/tty\0";

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
pub fn dev(spec: &Spec<'_>, root: &mut Fd, op: &Op<'_>, state: &mut State) -> Done {
    let dev = new_tmpfs(spec, op)?;
    put(spec, op, root, dev)?;
    fchdir(dev)?;
    let made = |name: &CStr, result: Done| result.map_err(|why| failed_at(name, why));
    for host in text::strings(DEVICES) {
        let name = sys::tail(host, b"/dev/".len());
        made(name, files::make_file(dev, name, 0o666).and_then(|()| bind_here(host, name)))?;
    }
    // They are the caller's files: root inside may be their owner, who may change their modes and times. What is written to
    // a device is no change of the file.
    protect(dev).map_err(|why| blame(say!("make /dev's devices read-only"), c"", why))?;
    for (target, name) in links() {
        made(name, files::make_link(target, dev, name))?;
    }
    if spec.is_sandbox() {
        made(c"core", files::make_link(c"/proc/kcore", dev, c"core"))?;
    }
    made(c"shm", files::make_directory(dev, c"shm", if spec.is_sandbox() { PARENTS } else { 0o1777 }))?;
    made(c"pts", files::make_directory(dev, c"pts", PARENTS))?;
    // Only root's map has the group tty (5), whose terminals are not everybody's to write to.
    const OWN: &CStr = c"newinstance,ptmxmode=0666,mode=0620";
    let options = if spec.own_ids_only { OWN } else { c"newinstance,ptmxmode=0666,mode=0620,gid=5" };
    let mount = |options| base::plain(c"devpts", c"pts", c"devpts", raw::MS_NOSUID | raw::MS_NOEXEC, options);
    let mounted = match mount(options) {
        // A root that knows nobody but himself.
        Err(Failure::INVAL) => mount(OWN),
        done => done,
    };
    mounted.map_err(|why| blame(say!("mount devpts on /dev's"), c"pts", why))?;
    if spec.has_root() && spec.unshares(raw::CLONE_NEWIPC) {
        message_queues(dev).map_err(|why| blame(say!("mount mqueue on /dev's"), c"mqueue", why))?;
    }
    if spec.pty && state.pty.is_none() {
        state.pty = Some(pty::make(dev, c"pts/ptmx", state.look).map_err(|why| failed_at(c"pts/ptmx", why))?);
        // It outlives this operation.
        sys::keep_opened();
    }
    console(dev, state.pty).map_err(|why| blame(say!("bind the terminal on /dev's"), c"console", why))?;
    // As bubblewrap's users find it. No device file is executed, so a kernel that has no such call loses nothing.
    if spec.is_sandbox() {
        let _ = sys::mount_setattr(dev, raw::MOUNT_ATTR_NOSUID, 0, true, 0);
    }
    Ok(())
}

/// POSIX message queues, where the kernel has them.
fn message_queues(dev: Fd) -> Done {
    files::make_directory(dev, c"mqueue", 0o755)?;
    match base::plain(c"mqueue", c"mqueue", c"mqueue", DATA, c"") {
        Err(Failure::NODEV) => Ok(unlinkat(dev, c"mqueue", AtFlags::REMOVEDIR)?),
        done => done,
    }
}

/// Makes read-only what is mounted below /dev, and not /dev itself.
fn protect(dev: Fd) -> Done {
    // What is mounted on the caller's later is not to cover them.
    match sys::mount_setattr(dev, raw::MOUNT_ATTR_RDONLY, 0, true, raw::MS_PRIVATE) {
        Ok(()) => sys::mount_setattr(dev, 0, raw::MOUNT_ATTR_RDONLY, false, 0),
        Err(Failure::NOSYS | Failure::PERM) => text::strings(DEVICES).try_for_each(|host| {
            let name = sys::tail(host, b"/dev/".len());
            base::plain(c"", name, c"", raw::MS_PRIVATE, c"")?;
            mounts::make_read_only(files::look(dev, name)?)
        }),
        Err(why) => Err(why),
    }
}

fn failed_at(name: &CStr, why: Failure) -> Failure {
    blame(say!("make /dev's"), name, why)
}

/// /dev/console is CMD's own terminal, or the caller's, if he has one here: the very device that the descriptor is, not
/// what is found at its path (CVE-2025-52565).
fn console(dev: Fd, pty: Option<(Fd, Fd)>) -> Done {
    if let Some((_, slave)) = pty {
        return bind_console(dev, slave);
    }
    let Some(terminal) = tty::standard() else { return Ok(()) };
    let (mut link, mut path) = (Text::new(), [0u8; PATH]);
    if files::read_link(HERE, base::fd_path(terminal, &mut link), &mut path).is_err() {
        return Ok(());
    }
    let Ok(device) = files::look(HERE, sys::c_str(&path)) else { return Ok(()) };
    let (wanted, found) = (fstat(terminal)?, fstat(device)?);
    let same = found.st_mode & raw::S_IFMT == raw::S_IFCHR
        && (found.st_rdev, found.st_dev, found.st_ino) == (wanted.st_rdev, wanted.st_dev, wanted.st_ino);
    if !same {
        return Ok(());
    }
    bind_console(dev, device)
}

fn bind_console(dev: Fd, device: Fd) -> Done {
    files::make_file(dev, c"console", 0o600)?;
    mounts::attach(
        mounts::copy(device, c"", raw::MOUNT_ATTR_NOSUID | raw::MOUNT_ATTR_RDONLY, 0, true)?,
        files::look(dev, c"console")?,
    )
}
