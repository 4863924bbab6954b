//! PROCESS: the first process of a machine, `/init`; or of a container that works like a machine.
//!
//! - Namespaces and rights: those that the kernel gave it.
//! - A step that fails gives a warning, and the next one follows: if this process ends, the kernel panics
//!   (`Attempted to kill init!`).
//! - The command is started by a child, another nsinit, which does all that may fail.
//! - Signals: all blocked and read one by one. A signal for the machine ends it; all others are forwarded to the child.
//! - Next: `supervise::machine`, which runs the command, and `supervise::power`, by which the kernel ends the machine; or, with
//!   `--switch-root`, the init of the new root.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags, access, fstat, makedev, mknodat, statat};
use rustix::process::{Pid, getpid};
use rustix::system::{RebootCommand, reboot};

#[cfg(feature = "cgroup")]
use crate::cgroup;
use crate::confine::self_exe;
use crate::fs::procfs;
use crate::fs::staging::{DATA, mount_by_path};
#[cfg(feature = "container")]
use crate::ns::hostname;
use crate::ns::loopback;
use crate::process::command::become_command;
#[cfg(feature = "hardware")]
use crate::process::hardware::SERVED;
#[cfg(feature = "root-device")]
use crate::process::modules;
use crate::report::hint;
use crate::report::kernel_log;
use crate::report::message::{blame, blame_hint, tell, warn};
use crate::report::wording::Event;
#[cfg(feature = "overlay")]
use crate::rootfs::overlay;
use crate::rootfs::{image, initramfs, ops, pseudofs};
use crate::say;
use crate::spec::{Object, Spec};
use crate::state::{Command, Launch, descriptors};
use crate::step::{self, OnError, block_signals, clear_umask, stop_ignoring_children, walk};
use crate::sys::files::{self, Fd, HERE, chroot, fchdir};
use crate::sys::{self, Done, Failure, Standard};
use crate::text::Say;
#[cfg(feature = "overlay")]
use crate::text::verb;

type Step = step::Step<Launch>;

/// How the machine is prepared. A step that fails gives a warning.
static PREPARE: &[Step] = &[
    stop_ignoring_children().on_error(WARN),
    block_signals().on_error(WARN),
    Step::new(say!("turn Ctrl-Alt-Del into SIGINT"), |_| Ok(reboot(RebootCommand::CadOff)?))
        .when(|spec| spec.machine.is_whole)
        .on_error(WARN),
    clear_umask().on_error(WARN),
    Step::new(say!("fill /dev"), |launch| devices(launch.spec.machine.is_whole)).on_error(WARN),
    // The console may be the device of a module.
    #[cfg(feature = "root-device")]
    Step::new(say!("load the modules of /etc/nsinit.modules"), |_| modules::load())
        .when(|spec| spec.machine.is_whole)
        .on_error(WARN),
    Step::new(say!("open"), |launch| console(launch.spec.machine.is_whole)).on(Object::Console).on_error(WARN),
    Step::new(say!("mount the kernel's file systems"), |_| file_systems()).on_error(WARN),
    Step::new(say!("bring up"), |_| bring_up_loopback())
        .on(Object::Loopback)
        .when(|spec| spec.machine.is_whole)
        .on_error(WARN),
    Step::new(say!("set umask"), |launch| sys::umask(launch.caller.umask).map(|_| ())).on_error(WARN),
];

/// The steps after [`PREPARE`] without `--switch-root`. Each start of the command is a launch of its own.
static SESSION: &[Step] = &[
    // The processes of the machine may stay in the root of the tree. The init that a root is switched to finds the tree unused.
    #[cfg(feature = "cgroup")]
    Step::new(say!("enable the controllers of cgroups"), |_| cgroup::enable_for_machine())
        .when(|spec| spec.machine.is_whole)
        .on_error(WARN),
    Step::new(say!("start a session"), |_| Ok(())),
];

/// No option of this build asks for devices.
#[cfg(not(feature = "hardware"))]
const SERVED: &[Step] = &[];

/// `--switch-root`: the file systems of another root.
static MOUNT: &[Step] = &[
    Step::new(say!("mount image"), |launch| image::mount_on(&launch.spec, switch_root(&launch.spec)))
        .on(Object::Root)
        .when(|spec| spec.has_image()),
    #[cfg(all(feature = "root-device", feature = "overlay"))]
    Step::new(say!("mount the disk for writes"), |launch| image::mount_disk(&launch.spec))
        .on(Object::OverlayDevice)
        .when(|spec| spec.has_overlay_device()),
    #[cfg(feature = "overlay")]
    Step::new(verb::MOUNT_OVERLAY, |launch| {
        let spec = &launch.spec;
        // The files of an initramfs are removed.
        let root = if initramfs::is_root()? { Some(files::directory(HERE, c"/")?) } else { None };
        let dir = switch_root(spec);
        overlay::cover(spec, dir, root)
            .map_err(|why| blame_hint(verb::MOUNT_OVERLAY, dir, why, hint::of_overlay(spec, why).hint()))
    })
    .on(Object::SwitchRoot)
    .when(|spec| spec.has_overlay()),
];

/// The command becomes the init of that root.
static SWITCH: &[Step] = &[
    #[cfg(feature = "container")]
    Step::new(hostname::SET, |launch| hostname::set_in_place(&launch.spec))
        .on(Object::Hostname)
        .when(|spec| spec.namespaces.hostname.is_some()),
    // From the new root there is no way back.
    Step::new(say!("look in the new root for"), |launch| look_there(&launch.spec)).on(Object::Command),
    Step::new(say!("switch to root"), |launch| {
        initramfs::switch(switch_root(&launch.spec))?;
        if launch.spec.machine.is_whole {
            // The state in which the kernel starts its first process.
            let _ = reboot(RebootCommand::CadOn);
        }
        Ok(())
    })
    .on(Object::SwitchRoot),
    Step::new(say!("execute"), |launch| {
        let mut own = Command::new(launch);
        (own.launch.spec.life.own_group, own.launch.spec.life.new_session) = (false, false);
        if own.launch.spec.life.verbose > 0 {
            tell(Event::Started, [1, 0], c"");
        }
        let _ = become_command(&own);
        Err(Failure::REPORTED)
    })
    .on(Object::Command),
];

const WARN: OnError = OnError::Warn(Say::NOTHING);

fn switch_root<'a>(spec: &Spec<'a>) -> &'a CStr {
    spec.machine.switch_root.unwrap_or_default()
}

/// Whether the command can be executed in the new root.
///
/// # Errors
/// Reported. ENOENT: there is no such file; EACCES: it is not executable; others: see access(2), chroot(2).
fn look_there(spec: &Spec<'_>) -> Done {
    let look = |(spec, dir): &(&Spec<'_>, Fd)| {
        let there =
            fchdir(*dir).and_then(|()| chroot(c".")).and_then(|()| Ok(access(spec.exec.command, Access::EXEC_OK)?));
        there.map_or_else(|why| why.number() as i32, |()| 0)
    };
    let dir = switch_root(spec);
    let new = files::directory(HERE, dir).map_err(|why| blame(say!("switch to root"), dir, why))?;
    let looked =
        sys::spawn(look, &(spec, new)).map_err(|why| blame_hint(say!("fork"), c"", why, hint::of_fork(why).hint()))?;
    match sys::wait_end(looked.as_raw_nonzero().get()) {
        Ok(0) => Ok(()),
        why => {
            let why = why.map_or_else(|why| why, |errno| Failure::new(errno.into()));
            let hint = say!("in the new root; nothing was switched");
            Err(blame_hint(say!("execute"), spec.exec.command, why, hint))
        }
    }
}

/// A file system that the kernel fills, and its mount point.
struct Mount {
    place: &'static CStr,
    kind: &'static CStr,
    flags: u32,
    options: &'static CStr,
    /// The hint if the kernel was built without it.
    missing: Say,
}

static DEV: Mount = Mount {
    place: c"/dev",
    kind: c"devtmpfs",
    flags: raw::MS_NOSUID,
    options: c"mode=0755",
    missing: say!("the kernel has no devtmpfs: /dev has the usual devices only"),
};

static MOUNTS: [Mount; 6] = [
    Mount { place: c"/proc", kind: c"proc", flags: DATA, options: c"", missing: say!("the kernel has no procfs") },
    Mount { place: c"/sys", kind: c"sysfs", flags: DATA, options: c"", missing: say!("the kernel has no sysfs") },
    Mount {
        place: c"/dev/pts",
        kind: c"devpts",
        flags: raw::MS_NOSUID | raw::MS_NOEXEC,
        options: c"ptmxmode=0666,mode=0620,gid=5",
        missing: say!("the kernel has no ptys"),
    },
    Mount { place: c"/dev/shm", options: c"mode=1777", ..TMPFS },
    Mount { place: c"/run", ..TMPFS },
    // nsdelegate: the limits of a container cannot be changed from inside (cgroups(7)).
    Mount {
        place: c"/sys/fs/cgroup",
        kind: c"cgroup2",
        flags: DATA,
        options: c"nsdelegate",
        missing: say!("the kernel has no cgroups of version 2"),
    },
];

const TMPFS: Mount = Mount {
    place: c"",
    kind: c"tmpfs",
    flags: raw::MS_NOSUID | raw::MS_NODEV,
    options: c"mode=0755",
    missing: say!("the kernel has no tmpfs"),
};

impl Mount {
    /// Mounts it, unless something is mounted there already.
    ///
    /// # Errors
    /// ENODEV: the kernel was built without it; others: see mkdir(2), open(2), mount(2).
    fn make(&self) -> Done {
        let made = files::make_directory(HERE, self.place, 0o755);
        let place = files::directory(HERE, self.place).map_err(|why| made.err().unwrap_or(why))?;
        let device = |path| statat(place, path, AtFlags::empty()).map(|stat| stat.st_dev);
        if device(c".")? != device(c"..")? {
            return Ok(());
        }
        match mount_by_path(self.kind, self.place, self.kind, self.flags, self.options) {
            Err(Failure::BUSY) => Ok(()),
            done => done,
        }
    }

    fn warn(&self, why: Failure) {
        let is_cgroup = self.kind == c"cgroup2";
        if self_exe::is_copy() || is_cgroup && files::look(HERE, c"/sys/fs").is_err() {
            // It has been printed: before this process executed the copy of its file, or about /sys.
            return;
        }
        // In a sysfs only the kernel makes directories.
        let why = if is_cgroup && why == Failure::PERM { Failure::NODEV } else { why };
        let hint = if why == Failure::NODEV { self.missing } else { hint::of_machines_place(why).hint() };
        warn(say!("mount"), self.place, why, hint);
    }
}

/// # Errors
/// As [`loopback::loopback_up`].
fn bring_up_loopback() -> Done {
    match loopback::loopback_up() {
        Err(_) if self_exe::is_copy() => Ok(()),
        Err(why @ Failure::NOSYS) => {
            warn(say!("bring up"), c"lo", why, say!("the kernel has no network"));
            Ok(())
        }
        done => done,
    }
}

fn file_systems() -> Done {
    for mount in &MOUNTS {
        if let Err(why) = mount.make() {
            mount.warn(why);
        }
    }
    Ok(())
}

/// The devices that programs need, for a kernel without devtmpfs: the path, and the device number.
static DEVICES: [(&CStr, u32, u32); 9] = [
    (c"/dev/null", 1, 3),
    (c"/dev/zero", 1, 5),
    (c"/dev/full", 1, 7),
    (c"/dev/random", 1, 8),
    (c"/dev/urandom", 1, 9),
    (c"/dev/tty", 5, 0),
    (c"/dev/ptmx", 5, 2),
    (c"/dev/console", 5, 1),
    (c"/dev/kmsg", 1, 11),
];
/// So many of them are for all users.
const COMMON: usize = 7;

/// Fills /dev. A devtmpfs shows the devices of the whole machine: a container gets a tmpfs.
///
/// # Errors
/// See mount(2), mknod(2), symlink(2).
fn devices(of_machine: bool) -> Done {
    if let Err(why) = if of_machine { DEV.make() } else { Err(Failure::NODEV) } {
        let tmpfs = Mount { kind: c"tmpfs", flags: raw::MS_NOSUID | raw::MS_NOEXEC, ..DEV };
        if files::look(HERE, c"/dev/null").is_err() {
            if of_machine && why == Failure::NODEV {
                DEV.warn(why);
            }
            tmpfs.make().map_err(|_| why)?;
            for (index, (path, major, minor)) in DEVICES.iter().enumerate() {
                let mode = Mode::from_raw_mode(if index < COMMON { 0o666 } else { 0o600 });
                mknodat(HERE, *path, FileType::CharacterDevice, mode, makedev(*major, *minor))?;
            }
        }
    }
    let dev = files::directory(HERE, c"/dev")?;
    for (target, path) in &pseudofs::LINKS {
        match files::make_link(target, dev, path) {
            Ok(()) | Err(Failure::EXIST) => {}
            other => other?,
        }
    }
    Ok(())
}

/// Makes /dev/console the standard descriptors that the kernel could not open, or opened in the /dev before. Without a console,
/// messages go to the kernel's log.
///
/// # Errors
/// ENOENT, ENODEV: the machine has no console; others: see open(2).
fn console(of_machine: bool) -> Done {
    const STANDARD: [Standard; 3] = [Standard::Input, Standard::Output, Standard::Error];
    let had = STANDARD.into_iter().all(sys::is_given);
    if had && !of_machine {
        return Ok(());
    }
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    let console = files::open_path(c"/dev/console", flags);
    let fd = console.or_else(|_| files::open_path(c"/dev/null", flags));
    if let Ok(fd) = fd {
        for standard in STANDARD {
            if !sys::is_given(standard) || device_of(standard.fd()) == device_of(fd) {
                sys::put(standard, fd)?;
            }
        }
    }
    if !had && console.is_err() {
        sys::send_messages(files::open_path(c"/dev/kmsg", OFlags::WRONLY)?);
    }
    console.map(|_| ())
}

/// The number of the device that a descriptor has open.
#[inline(never)]
fn device_of(fd: Fd) -> Option<u64> {
    Some(fstat(fd).ok()?.st_rdev)
}

/// Prepares the machine.
///
/// # Errors
/// None: what fails is reported.
pub fn prepare(launch: &mut Launch) -> Done {
    if launch.spec.machine.is_whole {
        kernel_log::begin();
        if let Ok(printk) = procfs::open().and_then(|proc| files::open(proc, c"sys/kernel/printk", OFlags::RDONLY)) {
            kernel_log::learn(printk);
        }
    }
    walk(PREPARE, launch)?;
    if launch.explains() { Ok(()) } else { descriptors::occupy_standard() }
}

/// The steps after [`prepare`]: the user's operations on the root, that of the machine or of `--switch-root`.
///
/// # Errors
/// The first step that failed, reported.
pub fn plan(launch: &mut Launch) -> Done {
    let (spec, steps) = (launch.spec, if launch.spec.machine.switch_root.is_some() { SWITCH } else { SESSION });
    if spec.machine.switch_root.is_some() {
        walk(MOUNT, launch)?;
    }
    if spec.prepares_in_place() {
        ops::apply_in_place(launch, spec.machine.switch_root.unwrap_or(c"/"))?;
    }
    walk(SERVED, launch)?;
    walk(steps, launch)
}

/// Whether this is the first process of the kernel, and not of a pid namespace: only the first pid namespace may change what
/// Ctrl-Alt-Del does (reboot(2)).
#[must_use]
pub fn is_whole_machine() -> bool {
    /// `PROC_PID_INIT_INO`: the inode number of the first pid namespace.
    const FIRST: u64 = 0xefff_fffc;
    if getpid() != Pid::INIT {
        return false;
    }
    match reboot(RebootCommand::CadOff).map_err(Failure::from) {
        Ok(()) => return true,
        Err(Failure::INVAL) => return false,
        // CAP_SYS_BOOT is missing, or a seccomp filter forbids the call.
        Err(_) => {}
    }
    let proc = files::directory(HERE, c"/proc").ok().filter(|proc| procfs::is_procfs(*proc));
    match proc.map(|proc| statat(proc, c"self/ns/pid", AtFlags::empty())) {
        Some(Ok(stat)) => stat.st_ino == FIRST,
        // A procfs of another pid namespace has no `self` for this process.
        Some(Err(_)) => false,
        // Process 2 of a machine is kthreadd, in a process group without a number.
        None => sys::is_of_no_group(2),
    }
}
