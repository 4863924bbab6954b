//! PROCESS: the first process of a machine, `/init`; or of a container that is to be like one.
//!
//! - Namespaces and rights: those that the kernel gave it.
//! - What is missing is told and done without: an end of this process would be the kernel's (`Attempted to kill init!`).
//! - CMD is a child, which does all that can go wrong, as any other nsinit would.
//! - Signals: all blocked and taken one by one. Those that mean the machine end it; the others are CMD's.
//! - Next: `power`, which has the kernel end the machine; or, with `--switch-root`, the init that takes over.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags, access, fstat, makedev, mknodat, statat};
use rustix::process::{Pid, getpid};
use rustix::system::{RebootCommand, reboot};
use rustix::termios::isatty;

use crate::fs::procfs;
use crate::fs::staging::{DATA, mount_by_path};
use crate::ns::loopback;
use crate::process::command::become_command;
use crate::report::exit;
use crate::report::hint;
use crate::report::message::{blame, blame_hint, warn};
use crate::rootfs::{image, initramfs, pseudofs};
use crate::say;
use crate::spec::{AtEnd, Spec};
use crate::state::{Command, Launch, descriptors};
use crate::step::{self, OnError, block_signals, clear_umask, stop_ignoring_children, walk};
use crate::supervise::job_control;
use crate::supervise::power::Power;
use crate::supervise::wait::{self, ANY_CHILD, Heard};
use crate::sys::files::{self, Fd, HERE, chroot, fchdir};
use crate::sys::{self, Change, Done, Failure, Signal, Standard, Time};
use crate::text::Say;

type Step = step::Step<Launch>;

/// What the machine is prepared with. A failure is reported, and the machine goes on without it.
static PREPARE: [Step; 9] = [
    stop_ignoring_children().on_error(WARN),
    block_signals().on_error(WARN),
    Step::new(say!("have Ctrl-Alt-Del sent to us"), |_| Ok(reboot(RebootCommand::CadOff)?))
        .when(|spec| spec.machine.is_whole)
        .on_error(WARN),
    clear_umask().on_error(WARN),
    Step::new(say!("fill /dev"), |launch| devices(launch.spec.machine.is_whole)).on_error(WARN),
    Step::new(say!("open"), |launch| console(launch.spec.machine.is_whole)).on(|_| c"/dev/console").on_error(WARN),
    Step::new(say!("mount what the kernel fills"), |_| file_systems()).on_error(WARN),
    Step::new(say!("bring up"), |_| loopback::loopback_up())
        .on(|_| c"lo")
        .when(|spec| spec.machine.is_whole)
        .on_error(WARN),
    Step::new(say!("set umask"), |launch| sys::umask(launch.caller.umask).map(|_| ())).on_error(WARN),
];

/// The rest, where the machine is not given up to another init. Each start of the command is a launch of its own.
static SESSION: [Step; 1] = [Step::new(say!("start a session"), |_| Ok(()))];

/// `--switch-root`: the command becomes the init of another root.
static SWITCH: [Step; 4] = [
    Step::new(say!("mount image"), |launch| image::mount_on(launch.spec.root.directory, switch_root(&launch.spec)))
        .on(|spec| spec.root.directory)
        .when(|spec| spec.root.image),
    // From the new root there is no way back.
    Step::new(say!("look in the new root for"), |launch| look_there(&launch.spec)).on(|spec| spec.exec.command),
    Step::new(say!("switch to root"), |launch| {
        initramfs::switch(switch_root(&launch.spec))?;
        if launch.spec.machine.is_whole {
            // As the kernel has it.
            let _ = reboot(RebootCommand::CadOn);
        }
        Ok(())
    })
    .on(switch_root),
    Step::new(say!("execute"), |launch| {
        let mut own = Command::new(launch);
        (own.launch.spec.life.own_group, own.launch.spec.life.new_session) = (false, false);
        let _ = become_command(&own);
        Err(Failure::REPORTED)
    })
    .on(|spec| spec.exec.command),
];

const WARN: OnError = OnError::Warn(Say::NOTHING);

fn switch_root<'a>(spec: &Spec<'a>) -> &'a CStr {
    spec.machine.switch_root.unwrap_or_default()
}

/// Whether the new root has what is to be executed.
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

/// A file system of the kernel's, and where it belongs.
struct Mount {
    place: &'static CStr,
    kind: &'static CStr,
    flags: u32,
    options: &'static CStr,
}

static DEV: Mount = Mount { place: c"/dev", kind: c"devtmpfs", flags: raw::MS_NOSUID, options: c"mode=0755" };

static MOUNTS: [Mount; 6] = [
    Mount { place: c"/proc", kind: c"proc", flags: DATA, options: c"" },
    Mount { place: c"/sys", kind: c"sysfs", flags: DATA, options: c"" },
    Mount {
        place: c"/dev/pts",
        kind: c"devpts",
        flags: raw::MS_NOSUID | raw::MS_NOEXEC,
        options: c"ptmxmode=0666,mode=0620,gid=5",
    },
    Mount { place: c"/dev/shm", kind: c"tmpfs", flags: raw::MS_NOSUID | raw::MS_NODEV, options: c"mode=1777" },
    Mount { place: c"/run", kind: c"tmpfs", flags: raw::MS_NOSUID | raw::MS_NODEV, options: c"mode=0755" },
    Mount { place: c"/sys/fs/cgroup", kind: c"cgroup2", flags: DATA, options: c"" },
];

impl Mount {
    /// Mounts it, unless something is there already.
    fn make(&self) -> Done {
        match files::make_directory(HERE, self.place, 0o755) {
            Ok(()) | Err(Failure::EXIST | Failure::ROFS) => {}
            other => other?,
        }
        let place = files::directory(HERE, self.place)?;
        let device = |path| statat(place, path, AtFlags::empty()).map(|stat| stat.st_dev);
        if device(c".")? != device(c"..")? {
            return Ok(());
        }
        match mount_by_path(self.kind, self.place, self.kind, self.flags, self.options) {
            Err(Failure::BUSY) => Ok(()),
            done => done,
        }
    }
}

fn file_systems() -> Done {
    for mount in &MOUNTS {
        match mount.make() {
            // Who left it out of the kernel knows.
            Ok(()) | Err(Failure::NODEV) => {}
            Err(why) => warn(say!("mount"), mount.place, why, Say::NOTHING),
        }
    }
    Ok(())
}

/// The devices that programs rely on, where the kernel makes none: a name, and its number.
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
/// How many of them everybody may use.
const COMMON: usize = 7;

/// The kernel's own are those of the whole machine.
fn devices(of_machine: bool) -> Done {
    if let Err(why) = if of_machine { DEV.make() } else { Err(Failure::NODEV) } {
        let tmpfs = Mount { kind: c"tmpfs", flags: raw::MS_NOSUID | raw::MS_NOEXEC, ..DEV };
        if files::look(HERE, c"/dev/null").is_err() {
            tmpfs.make().map_err(|_| why)?;
            for (index, (path, major, minor)) in DEVICES.into_iter().enumerate() {
                let mode = Mode::from_raw_mode(if index < COMMON { 0o666 } else { 0o600 });
                mknodat(HERE, path, FileType::CharacterDevice, mode, makedev(major, minor))?;
            }
        }
    }
    let dev = files::directory(HERE, c"/dev")?;
    for (target, path) in pseudofs::links() {
        match files::make_link(target, dev, path) {
            Ok(()) | Err(Failure::EXIST) => {}
            other => other?,
        }
    }
    Ok(())
}

/// The kernel opened it for us before there was this /dev, or could not; without any the kernel's log has our messages.
fn console(of_machine: bool) -> Done {
    const STANDARD: [Standard; 3] = [Standard::Input, Standard::Output, Standard::Error];
    let had = STANDARD.into_iter().all(sys::is_given);
    if had && !of_machine {
        return Ok(());
    }
    let number = |fd: Fd| fstat(fd).map(|stat| stat.st_rdev);
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    let console = files::open(HERE, c"/dev/console", flags);
    let fd = console.or_else(|_| files::open(HERE, c"/dev/null", flags));
    if let Ok(fd) = fd {
        for standard in STANDARD {
            if !sys::is_given(standard) || number(standard.fd()) == number(fd) {
                sys::put(standard, fd)?;
            }
        }
    }
    if !had && console.is_err() {
        sys::send_messages(files::open(HERE, c"/dev/kmsg", OFlags::WRONLY)?);
    }
    console.map(|_| ())
}

/// Prepares the machine.
///
/// # Errors
/// None: what fails is reported.
pub fn prepare(launch: &mut Launch) -> Done {
    walk(&PREPARE, launch)?;
    if launch.explains { Ok(()) } else { descriptors::occupy_standard() }
}

/// What follows.
///
/// # Errors
/// The first step of `--switch-root` that failed, reported.
pub fn plan(launch: &mut Launch) -> Done {
    if launch.spec.machine.switch_root.is_some() { walk(&SWITCH, launch) } else { walk(&SESSION, launch) }
}

/// Whether we are the kernel's first process, and not the first of a pid namespace: only there Ctrl-Alt-Del can be had
/// (reboot(2)).
#[must_use]
pub fn is_whole_machine() -> bool {
    /// `PROC_PID_INIT_INO`: the inode number of the pid namespace that the kernel begins with.
    const FIRST: u64 = 0xefff_fffc;
    if getpid() != Pid::INIT {
        return false;
    }
    match reboot(RebootCommand::CadOff).map_err(Failure::from) {
        Ok(()) => return true,
        Err(Failure::INVAL) => return false,
        // It may not be asked, here or around us.
        Err(_) => {}
    }
    let proc = files::directory(HERE, c"/proc").ok().filter(|proc| procfs::is_procfs(*proc));
    match proc.map(|proc| statat(proc, c"self/ns/pid", AtFlags::empty())) {
        Some(Ok(stat)) => stat.st_ino == FIRST,
        // One of another pid namespace has no `self` for us.
        Some(Err(_)) => false,
        // Process 2 is the kernel's there, and in no group that has a number.
        None => sys::is_of_no_group(2),
    }
}

/// What is to run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum What {
    Command,
    Shell,
}

/// The supervisor of a machine.
pub struct Machine<'a> {
    pub spec: &'a Spec<'a>,
    /// Begins it, as a child.
    pub begin: &'a dyn Fn(What) -> Result<Pid, Failure>,
    /// It, as long as it runs,
    pub child: Option<Pid>,
    /// and how it ended.
    pub status: u8,
}

/// CMD is started again at once if it ran for so many seconds; else after a second, and each time twice as many,
const LONG: i64 = 10;
/// up to these.
const LONGEST_PAUSE: u32 = 64;
/// Seconds to read on the console why nothing ran, before the machine ends.
const TO_READ: u32 = 3;

impl Machine<'_> {
    /// Runs CMD, again if that was asked for, until the machine is to end. `runs`: there is a CMD.
    pub fn supervise(&mut self, runs: bool) -> Power {
        let at_end = self.spec.machine.at_end;
        let mut pause = 0;
        let mut to_read = !runs;
        let mut next = match at_end {
            _ if runs => Some(What::Command),
            AtEnd::Shell => Some(What::Shell),
            _ => None,
        };
        while let Some(what) = next {
            let began = sys::now();
            if let Some(power) = self.run(what) {
                return power;
            }
            let seconds = sys::now().since(began).seconds;
            // What failed at once may have told why.
            to_read = seconds == 0 && matches!(self.status, 125..=127);
            next = match (at_end, what) {
                (AtEnd::Respawn, _) => {
                    pause = if seconds >= LONG { 0 } else { (pause * 2).clamp(1, LONGEST_PAUSE) };
                    if let Some(power) = self.wait(Some(pause)) {
                        return power;
                    }
                    Some(what)
                }
                (AtEnd::Shell, What::Command) => Some(What::Shell),
                _ => None,
            };
        }
        if to_read
            && isatty(Standard::Error.fd())
            && let Some(power) = self.wait(Some(TO_READ))
        {
            return power;
        }
        match at_end {
            AtEnd::Reboot => Power::Restart,
            AtEnd::Halt => Power::Halt,
            _ => Power::Off,
        }
    }

    /// Runs it. Returns how the machine is to end, if somebody said so meanwhile.
    fn run(&mut self, what: What) -> Option<Power> {
        match (self.begin)(what) {
            Ok(child) => {
                self.child = Some(child);
                self.wait(None)
            }
            Err(why) => {
                warn(say!("fork"), c"CMD", why, Say::NOTHING);
                self.status = exit::FAILED.number;
                None
            }
        }
    }

    /// Until the child has ended, or the seconds are over, or the machine is to end.
    fn wait(&mut self, seconds: Option<u32>) -> Option<Power> {
        let until = seconds.map(|seconds| sys::now().after(seconds));
        loop {
            let (pid, change) = match sys::wait4(None, false) {
                Ok(Some(changed)) => changed,
                // A filter forbids wait4(2).
                Err(_) if self.child.is_some() => return None,
                _ => match wait::signal(until.map(Time::left), ANY_CHILD) {
                    Heard::Signal(info) => {
                        match (Power::asked_by(info.signal()), self.child) {
                            (None, Some(child)) if info.signal() != Signal::CHLD => job_control::forward(child, &info),
                            (None, _) => {}
                            (asked, _) => return asked,
                        }
                        continue;
                    }
                    Heard::Child(pid, change) => (pid, change),
                    Heard::Nothing => continue,
                    Heard::TimeIsOver => return None,
                },
            };
            if Some(pid) == self.child && self.has_ended(change) {
                return None;
            }
        }
    }

    /// Whether that change of the child was its end, and how that was.
    pub fn has_ended(&mut self, change: Change) -> bool {
        self.status = match change {
            Change::Exited(status) => status,
            Change::Killed(signal) => exit::of_signal(signal),
            _ => return false,
        };
        self.child = None;
        true
    }
}
