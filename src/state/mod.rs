//! The state of the processes of one launch, a struct a process. Each fork copies [`Launch`], so each process goes on with its
//! own copy. The struct of a process has the state that only this process needs.

pub mod descriptors;
mod learned;
mod pipe;
mod processes;
pub mod roles;

use rustix::process::{Pid, getegid, geteuid, getpid};
use rustix::termios::Winsize;

use crate::spec::Spec;
use crate::sys::files::Fd;
use crate::sys::{Modes, POLL_HUP, POLL_IN, SI_KERNEL, Set, Siginfo, Start};

pub use learned::Learned;
pub use pipe::{News, Pipe, write_to_anybody};
pub use processes::{Command, Helper, Launcher, Outcome, Outside, Relay, Setup, Supervision, Target};

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

/// The state that every process of a launch has a copy of, from the fork that made it.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Launch {
    // First, because it is asked most often: the offsets of its first topics then fit one byte of an instruction.
    pub spec: Spec<'static>,
    /// With `--explain`: steps are printed, not done.
    pub explains: bool,
    /// The command is put into the terminal's foreground.
    pub lent: bool,
    /// The caller's session has a terminal, or may have one, and the command's must have none.
    pub leaves_session: bool,
    /// `/` is a copy that lies on the initramfs.
    pub on_copy: bool,
    /// The controlling terminal, if the command shares it.
    pub terminal: Option<Fd>,
    /// To the launcher: [`News`].
    pub news: Option<Pipe>,
    /// From the launcher: one byte means "go on"; the end of the file means that the launcher has ended.
    pub go: Learned<Pipe>,
    /// The caller's procfs, verified.
    pub proc: Learned<Fd>,
    /// To the parent of the command: the end of the file means that the command has been executed, or has ended.
    pub executed: Option<Pipe>,
    /// Its read end is open, in process 1 and in the command, until the command has been started; no process ever writes to
    /// it. If process 1 does not keep `go`, this is the same pipe.
    pub begun: Option<Pipe>,
    /// From the parent of the command: the end of the file means that the command may go on, or that the parent has ended.
    pub gate: Option<Pipe>,
    /// From process 1: the inode numbers of its namespaces.
    pub told: Learned<Pipe>,
    /// With `--pty`: a socket that takes the two ends of the pty to the relay.
    pub hand_over: Learned<Pipe>,
    /// The caller's terminal as it was.
    pub look: Option<Look>,
    pub caller: Caller,
    /// The launcher's process id, in its own pid namespace.
    pub launcher: Pid,
    /// `--image`: the mount of its file system, attached nowhere yet.
    pub image: Option<Fd>,
    /// `--enter`: the caller's /dev/ptmx, if the container has none that works.
    pub ptmx: Option<Fd>,
    pub start: &'static Start,
}

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
            terminal: None,
            news: None,
            go: Learned::NOT_YET,
            proc: Learned::NOT_YET,
            executed: None,
            begun: None,
            gate: None,
            told: Learned::NOT_YET,
            hand_over: Learned::NOT_YET,
            look: None,
            caller,
            launcher: getpid(),
            image: None,
            ptmx: None,
            spec: *spec,
            start,
        }
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
