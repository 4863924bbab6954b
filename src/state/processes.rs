//! The state that each process has for itself.

use rustix::process::Pid;

use super::{Launch, Learned, Pipe, Process};
use crate::report::message::failed;
use crate::spec::{DEVICES, LOCKS, Spec, kinds};
use crate::sys::files::Fd;
use crate::sys::{self, Apart, Failure, Kept, Signal, Start};

/// The launcher. With `--enter` and `--init` it is the parent of the command too.
#[repr(C)]
pub struct Launcher {
    pub launch: Launch,
    pub outside: Outside,
    pub relay: Relay,
    /// The directory of process 1 in /proc.
    pub directory: Learned<Fd>,
    pub target: Target,
    /// The command, where it is a child of the launcher.
    pub command: Option<(Pid, Apart<'static>)>,
    /// The keeper alone: its socket to the service manager,
    pub service: Option<Fd>,
    /// the log with its directory, the pipe for CMD's output, and the process that copies from the pipe to the log.
    pub log: Option<(Fd, Fd)>,
    pub output: Option<Pipe>,
    pub logger: Option<Pid>,
    /// The signal that asked the launcher to end while it started `--enter`. It gives the exit status, which is the command's
    /// otherwise.
    pub ended_by: Option<Signal>,
}

impl Launcher {
    #[must_use]
    pub fn new(spec: &Spec<'static>, start: &'static Start) -> Launcher {
        Launcher {
            launch: Launch::new(spec, start),
            outside: Outside::NOTHING,
            relay: Relay::NONE,
            directory: Learned::NOT_YET,
            target: Target::NONE,
            command: None,
            service: None,
            log: None,
            output: None,
            logger: None,
            ended_by: None,
        }
    }
}

impl Process for Launcher {
    fn launch(&mut self) -> &mut Launch {
        &mut self.launch
    }

    /// Ends process 1. If it has failed before, it has reported why.
    fn abort(&mut self) -> bool {
        let Some(child) = self.outside.container.known() else { return false };
        let child = child.as_raw_nonzero().get();
        let _ = sys::kill(child, Signal::KILL);
        sys::wait_end(child) == Ok(failed() as u8)
    }
}

/// The state of a supervisor of the command: of the launcher while the container runs, and of process 1.
#[repr(C)]
pub struct Supervision {
    pub launch: Launch,
    /// Empty in process 1.
    pub outside: Outside,
    /// Without a pid namespace: a procfs that shows the command's descendants.
    pub tree: Option<Fd>,
}

/// How a launch ended.
#[derive(Clone, Copy)]
pub struct Outcome {
    /// The exit status of nsinit.
    pub status: i32,
    /// The command has been executed, and `status` is its own.
    pub ran: bool,
    /// The signal that killed the command.
    pub killer: Option<Signal>,
}

impl Outcome {
    /// It has not ended yet.
    pub const NONE: Outcome = Outcome { status: 0, ran: false, killer: None };
}

/// The facts that the launcher reports to processes outside, and the descriptors for that.
#[derive(Clone, Copy)]
pub struct Outside {
    /// Process 1 of the container, or the command where there is none.
    pub container: Learned<Pid>,
    /// The inode numbers of its namespaces.
    pub namespaces: [u64; kinds::COUNT],
    /// `--pid-file`: the directory that its path begins in, and the file.
    pub pid_file: Option<(Fd, Fd)>,
    /// `--detach`: where the caller's process waits for its exit status.
    pub waiting: Option<Fd>,
    /// `--net pasta`: pasta(1), a child of the launcher.
    pub pasta: Option<Pid>,
}

impl Outside {
    pub const NOTHING: Outside = Outside {
        container: Learned::NOT_YET,
        namespaces: [0; kinds::COUNT],
        pid_file: None,
        waiting: None,
        pasta: None,
    };
}

/// The relay of `--pty`, as its supervisor sees it.
#[derive(Clone, Copy)]
pub struct Relay {
    /// The process, while it runs.
    pub process: Option<Pid>,
    /// The pipe for orders to it: begin, end.
    pub word: Option<Pipe>,
    /// With `--enter`: the helper, which leads the session of the pty.
    pub leader: Option<Pid>,
}

impl Relay {
    pub const NONE: Relay = Relay { process: None, word: None, leader: None };
}

/// `--enter`: the process whose namespaces are entered, opened from outside.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its directory in /proc.
    pub process: Learned<Fd>,
    /// A pidfd of the process, if the kernel has these (Linux 5.3).
    pub handle: Option<Fd>,
    /// Its root and its working directory.
    pub root: Learned<Fd>,
    pub directory: Learned<Fd>,
    /// The inode numbers of its namespaces.
    pub namespaces: [u64; kinds::COUNT],
    /// The kinds (CLONE_NEW*) that it does not share with the caller.
    pub kinds: u32,
    /// The file cgroup.procs of its cgroup; `None` if nsinit is in that cgroup already; an error: the command cannot be in it.
    pub cgroup: Result<Option<Fd>, Failure>,
    /// It is in another cgroup of version 1.
    pub old_cgroup: bool,
}

impl Target {
    pub const NONE: Target = Target {
        process: Learned::NOT_YET,
        handle: None,
        root: Learned::NOT_YET,
        directory: Learned::NOT_YET,
        namespaces: [0; kinds::COUNT],
        kinds: 0,
        cgroup: Ok(None),
        old_cgroup: false,
    };
}

/// The helper of `--enter`.
#[repr(C)]
pub struct Helper {
    pub launch: Launch,
    pub target: Target,
}

impl Process for Helper {
    fn launch(&mut self) -> &mut Launch {
        &mut self.launch
    }
}

/// The helper that makes the network.
#[repr(C)]
pub struct NetworkHelper {
    pub launch: Launch,
    /// The directory of process 1 in /proc, if process 1 has a user namespace of its own.
    pub container: Learned<Fd>,
}

impl Process for NetworkHelper {
    fn launch(&mut self) -> &mut Launch {
        &mut self.launch
    }
}

/// Process 1, until the command starts.
#[repr(C)]
pub struct Setup {
    pub launch: Launch,
    /// The working directory of the caller, for the sources of the operations.
    pub directory: Learned<Fd>,
    /// The caller's device files.
    pub devices: Learned<[Fd; DEVICES]>,
    /// The directory DIR or the mount of `--image` that becomes the root: attached nowhere yet.
    pub source: Option<Fd>,
    /// `--overlay-root`: the directory of the writes, and the work directory.
    pub layer: Option<[Fd; 2]>,
    /// The new root.
    pub root: Learned<Fd>,
    /// An empty file and an empty directory of /dev, which are mounted over masked ones.
    pub covers: Learned<[Fd; 2]>,
    /// The mount point of the sysfs, or the reason why there is none.
    pub sys: Learned<Result<Fd, Failure>>,
    /// With `--pty`: the two ends of the pty, where the container's /dev made them.
    pub pty: Option<(Fd, Fd)>,
    /// Without a pid namespace: a procfs that shows the command's descendants.
    pub tree: Option<Fd>,
    /// The descriptors of the files that are locked.
    pub locks: [Kept; LOCKS],
    /// The command, once it is a child.
    pub command: Option<(Pid, Apart<'static>)>,
}

impl Setup {
    #[must_use]
    #[inline(never)]
    pub fn new(launch: &Launch) -> Setup {
        Setup {
            launch: *launch,
            directory: Learned::NOT_YET,
            devices: Learned::NOT_YET,
            source: launch.source,
            layer: None,
            root: Learned::NOT_YET,
            covers: Learned::NOT_YET,
            sys: Learned::NOT_YET,
            pty: None,
            tree: None,
            locks: [Kept::NONE; LOCKS],
            command: None,
        }
    }
}

impl Process for Setup {
    fn launch(&mut self) -> &mut Launch {
        &mut self.launch
    }

    /// Ends the command, which waits until it may go on, and process 1 for its memory.
    fn abort(&mut self) -> bool {
        if let Some((command, _)) = &self.command {
            let _ = sys::kill(command.as_raw_nonzero().get(), Signal::KILL);
        }
        false
    }
}

/// The command, until it is executed.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Command {
    pub launch: Launch,
    /// Its parent, by its number in our pid namespace.
    pub parent: Option<Pid>,
    /// The exit status, if it is not executed.
    pub status: u8,
}

impl Command {
    #[must_use]
    #[inline(never)]
    pub const fn new(launch: &Launch) -> Command {
        Command { launch: *launch, parent: None, status: 0 }
    }
}

impl Process for Command {
    fn launch(&mut self) -> &mut Launch {
        &mut self.launch
    }
}
