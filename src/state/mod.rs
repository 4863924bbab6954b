//! The state of the processes of one launch, a struct a process. Each fork copies [`Launch`], so each process goes on with its
//! own copy. The struct of a process has the state that only this process needs.

pub mod descriptors;
mod learned;
mod pipe;
mod processes;
pub mod roles;

use linux_raw_sys::general as raw;
use rustix::process::{Pid, getegid, geteuid, getpid};
use rustix::termios::Winsize;

use crate::spec::{HIERARCHIES, Spec, rooms};
use crate::sys::files::Fd;
use crate::sys::{self, Modes, POLL_HUP, POLL_IN, SI_KERNEL, Set, Siginfo, Start, Time};

pub use learned::Learned;
pub use pipe::{News, Pipe, write_to_anybody};
pub use processes::{Command, Helper, Launcher, NetworkHelper, Outcome, Outside, Relay, Setup, Supervision, Target};

/// The state of a process of a launch.
pub trait Process {
    /// Its copy of the state that all processes of the launch have.
    fn launch(&mut self) -> &mut Launch;

    /// Called when a step has failed and ends the launch: ends the process that this one has started. Returns whether that
    /// process has reported a failure of its own, which is then the cause.
    fn abort(&mut self) -> bool {
        false
    }
}

/// The settings that nsinit has inherited from the caller. The command gets the same.
#[derive(Clone, Copy)]
pub struct Caller {
    pub uid: u32,
    pub gid: u32,
    /// The signal mask.
    pub mask: Set,
    /// SIGCHLD was ignored.
    pub child_ignored: bool,
    /// The file mode creation mask.
    pub umask: u32,
    /// The soft and the hard limit on the size of a core file, in bytes.
    pub core: [u64; 2],
}

/// The caller's terminal: its modes and, if it has one, its size.
#[derive(Clone, Copy)]
pub struct Look {
    pub modes: Modes,
    pub size: Option<Winsize>,
}

/// A cgroup that the launcher has made (cgroups(7)).
#[derive(Clone, Copy)]
pub struct Cgroup {
    /// The cgroup that it is in.
    pub parent: Fd,
    /// Its directory, which is locked.
    pub own: Fd,
    /// `--cgroup-delegate`: the cgroup below it, which the container manages. The limits above it are out of reach.
    pub inner: Option<Fd>,
    /// The number in its name.
    pub number: u32,
    /// The cgroup that the launcher has moved to: there may be no process in `parent`.
    pub leaf: Option<Fd>,
    /// When it was made, by the clock of [`sys::now`].
    pub begun: Time,
}

impl Cgroup {
    /// The cgroup that the container starts in.
    #[must_use]
    pub fn start(&self) -> Fd {
        self.inner.unwrap_or(self.own)
    }
}

/// The ways of the launcher into the container's network.
#[derive(Clone, Copy)]
pub struct Network {
    /// A socket for requests to the container's network namespace,
    pub inside: Fd,
    /// and one for requests to that of the launcher,
    pub outside: Fd,
    /// which this is.
    pub own: Fd,
}

/// The state that every process of a launch has a copy of, from the fork that made it.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Launch {
    /// With `--explain`: steps are printed, not done.
    pub explains: bool,
    /// The command is put into the terminal's foreground.
    pub lent: bool,
    /// The caller's session has a terminal, or may have one, and the command's must have none.
    pub leaves_session: bool,
    /// `/` is a copy that lies on the initramfs.
    pub on_copy: bool,
    /// A helper of the launcher makes the network, while process 1 makes the mounts.
    pub beside: bool,
    /// The controlling terminal, if the command shares it.
    pub terminal: Option<Fd>,
    /// To the launcher: [`News`].
    pub news: Option<Pipe>,
    /// From the launcher: one byte means "go on"; the end of the file means that the launcher has ended.
    pub go: Learned<Pipe>,
    /// The caller's procfs, verified.
    pub proc: Learned<Fd>,
    // Here, because it is asked most often: the offsets of its first topics then fit one byte of an instruction.
    pub spec: Spec<'static>,
    /// To the parent of the command: the end of the file means that the command has been executed, or has ended.
    pub executed: Option<Pipe>,
    /// Its read end is open, in process 1 and in the command, until the command has been started; no process ever writes to
    /// it. If process 1 does not keep `go`, this is the same pipe.
    pub begun: Option<Pipe>,
    /// From the parent of the command: the end of the file means that the command may go on, or that the parent has ended.
    pub gate: Option<Pipe>,
    /// From process 1: the inode numbers of its namespaces.
    pub told: Learned<Pipe>,
    /// With `beside`: a socket by which the helper hands the network namespace to process 1.
    pub network: Learned<Pipe>,
    /// With interfaces from outside. Only the launcher has it.
    pub links: Learned<Network>,
    /// With `--pty`: a socket that takes the two ends of the pty to the relay.
    pub hand_over: Learned<Pipe>,
    /// The caller's terminal as it was.
    pub look: Option<Look>,
    pub caller: Caller,
    /// The launcher's process id, in its own pid namespace.
    pub launcher: Pid,
    /// The mount that becomes the root, attached nowhere yet: the file system of `--image`, or DIR with `--idmap`.
    pub source: Option<Fd>,
    /// The two directories of `--overlay-root`, locked. Only the launcher keeps them.
    pub layer_locks: [Option<Fd>; 2],
    /// The other processes of nsinit outside of the container: first the parent of the launcher, the keeper or with --detach the
    /// caller's process that waits; then the others.
    pub above: [Option<Pid>; 3],
    /// The socket of --notify-ready, bound by process 1.
    pub listener: Option<Fd>,
    /// The container's own cgroup. Only the launcher keeps it.
    pub cgroup: Learned<Cgroup>,
    /// `--cgroup1`: the files that process 1 joins the cgroups by.
    pub old_cgroups: [Option<Fd>; HIERARCHIES],
    /// `--enter`: the caller's /dev/ptmx, if the container has none that works.
    pub ptmx: Option<Fd>,
    pub start: &'static Start,
}

/// The kinds of namespaces that process 1 makes if it does not make the network.
pub const BY_PROCESS_1: u32 = raw::CLONE_NEWNS | raw::CLONE_NEWUTS | raw::CLONE_NEWIPC;

impl Launch {
    /// The state before the first step.
    #[must_use]
    #[inline(never)]
    pub fn new(spec: &Spec<'static>, start: &'static Start) -> Launch {
        let caller = Caller {
            uid: geteuid().as_raw(),
            gid: getegid().as_raw(),
            mask: Set::NONE,
            child_ignored: false,
            umask: 0,
            core: [0; 2],
        };
        Launch {
            explains: false,
            lent: false,
            leaves_session: false,
            on_copy: false,
            beside: Launch::has_network_helper(spec),
            terminal: None,
            news: None,
            go: Learned::NOT_YET,
            proc: Learned::NOT_YET,
            executed: None,
            begun: None,
            gate: None,
            told: Learned::NOT_YET,
            network: Learned::NOT_YET,
            links: Learned::NOT_YET,
            hand_over: Learned::NOT_YET,
            look: None,
            caller,
            launcher: getpid(),
            source: None,
            layer_locks: [None; 2],
            above: [None; 3],
            listener: None,
            cgroup: Learned::NOT_YET,
            old_cgroups: [None; HIERARCHIES],
            ptmx: None,
            spec: *spec,
            start,
        }
    }

    /// With `--explain`: whether steps are printed, not done.
    #[must_use]
    pub const fn explains(&self) -> bool {
        rooms::EXPLAIN && self.explains
    }

    /// Whether a helper of the launcher makes the network: there are two processors for it.
    #[must_use]
    pub fn has_network_helper(spec: &Spec<'_>) -> bool {
        spec.may_make_network_beside() && sys::has_processors_to_spare()
    }

    /// The kinds of namespaces that the clone of process 1 does not make, but process 1 or the helper for the network later: while
    /// the kernel makes them, the launcher writes the id maps.
    #[must_use]
    pub fn made_later(&self) -> u32 {
        let network = match (self.spec.makes_network_first(), self.beside) {
            (true, _) => 0,
            (false, false) => raw::CLONE_NEWNET,
            (false, true) => raw::CLONE_NEWNET | BY_PROCESS_1,
        };
        network | if self.spec.makes_cgroup_namespace() { raw::CLONE_NEWCGROUP } else { 0 }
    }

    /// Sends news to the launcher. An error is no loss: a full pipe holds thousands of stops that the launcher has yet to read,
    /// and a launcher that has ended reads none.
    pub fn inform(&self, news: News, value: u8) {
        if let Some(pipe) = self.news {
            let _ = write_to_anybody(pipe.write, &[news as u8, value]);
        }
    }

    /// Whether a SIGIO announces [`News`]. If the queue of signals is full, its `si_code` is SI_KERNEL (fcntl(2), F_SETSIG). The
    /// news are read in any case.
    #[must_use]
    pub fn is_news(&self, info: &Siginfo) -> bool {
        self.news.is_some() && matches!(info.code(), POLL_IN..=POLL_HUP | SI_KERNEL)
    }
}

impl Process for Launch {
    fn launch(&mut self) -> &mut Launch {
        self
    }
}
