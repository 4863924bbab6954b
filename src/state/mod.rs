//! What the processes of one launch know. The fork copies it, so each goes on with its own.

pub mod descriptors;

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, getegid, geteuid, getpid};
use rustix::termios::Winsize;

use crate::spec::{DEVICES, LOCKS};
use crate::sys::files::{Fd, read, write};
use crate::sys::{self, Done, Failure, Modes, POLL_HUP, POLL_IN, SI_KERNEL, Set, Siginfo, Signal, keep_open};

/// What the caller was when nsinit started: CMD is to find the same.
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
    /// How large a core file may be, in bytes, and may be made to be.
    pub core: [u64; 2],
}

/// A pipe: the end that is read and the end that is written.
#[derive(Clone, Copy)]
pub struct Pipe {
    pub read: Fd,
    pub write: Fd,
}

impl Pipe {
    /// # Errors
    /// Those of pipe(2).
    pub fn new(flags: PipeFlags) -> Result<Pipe, Failure> {
        let (read, write) = pipe_with(flags | PipeFlags::CLOEXEC)?;
        Ok(Pipe { read: keep_open(read), write: keep_open(write) })
    }

    /// One whose news `signal` announces to us.
    ///
    /// # Errors
    /// Those of pipe(2) and fcntl(2).
    pub fn announced(signal: Signal) -> Result<Pipe, Failure> {
        let pipe = Pipe::new(PipeFlags::NONBLOCK)?;
        // Before anybody can write to it: what is there already is not announced.
        sys::signal_on_input(pipe.read, getpid(), signal)?;
        Ok(pipe)
    }

    /// Whether nobody has the end that is written open any more, asked by who has read what was to be read.
    ///
    /// # Errors
    /// None is known.
    pub fn is_ended(self) -> Result<bool, Failure> {
        fcntl_setfl(self.read, OFlags::NONBLOCK)?;
        Ok(read(self.read, &mut [0u8]) == Ok(0))
    }
}

/// write(2) to what nobody may read any more: without SIGPIPE, which is blocked, and would then be CMD's.
///
/// # Errors
/// Those of write(2).
pub fn write_to_anybody(to: Fd, bytes: &[u8]) -> Done {
    let written = write(to, bytes);
    // What is blocked is kept whatever is said of it; what comes to be ignored is no longer pending (signal(7)).
    if written == Err(Failure::PIPE) && sys::set_ignored(Signal::PIPE, true) == Ok(false) {
        let _ = sys::set_ignored(Signal::PIPE, false);
    }
    written.map(|_| ())
}

/// What process 1, or CMD before it is executed, tells the launcher: a byte for the kind and one for a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// CMD was stopped by this signal.
    Stopped = 1,
    /// CMD died of this signal, and so are we to.
    Died = 2,
    /// CMD has ended with this status, and others have not.
    Left = 3,
    /// CMD was never executed.
    Failed = 4,
    /// CMD has been executed, or has failed before that.
    Started = 5,
    /// CMD has ended, and what it has written to its own terminal is to be copied before process 1 ends too.
    Silent = 6,
}

impl News {
    #[must_use]
    pub const fn of(kind: u8) -> News {
        match kind {
            1 => News::Stopped,
            2 => News::Died,
            3 => News::Left,
            5 => News::Started,
            6 => News::Silent,
            _ => News::Failed,
        }
    }
}

/// The caller's terminal: its modes and, if it has one, its size.
#[derive(Clone, Copy)]
pub struct Look {
    pub modes: Modes,
    pub size: Option<Winsize>,
}

#[derive(Clone, Copy)]
#[repr(C)]
pub struct State {
    // In this order, and what is asked most often first: how far it is into the struct then fits one byte.
    /// The controlling terminal, if CMD is to share it.
    pub terminal: Option<Fd>,
    /// To the launcher: [`News`].
    pub news: Option<Pipe>,
    /// From the launcher: a byte means go on; its end means that he is no more.
    pub go: Option<Pipe>,
    /// The caller's procfs, verified.
    pub proc: Option<Fd>,
    /// The launcher's: process 1 of the container.
    pub container: Option<Pid>,
    /// To CMD's parent: its end means that CMD has been executed, or has ended.
    pub executed: Option<Pipe>,
    /// Process 1's, where there is no pid namespace: a procfs that shows its descendants.
    pub tree: Option<Fd>,
    /// Of `--pty`: the terminal's two ends, where the container's /dev made them.
    pub pty: Option<(Fd, Fd)>,
    /// The launcher's: the directory of process 1 in it; of `--enter`, of the process that was named.
    pub process: Option<Fd>,
    /// CMD is put into the terminal's foreground.
    pub lent: bool,
    /// The caller's terminal as it was.
    pub look: Option<Look>,

    pub caller: Caller,
    /// The launcher's process id, as he sees it.
    pub launcher: Pid,
    /// Our session has a terminal, or may have one, and CMD's is to have none.
    pub leaves_session: bool,
    /// Its reading end is open, in process 1 and in CMD, as long as CMD has not begun; nothing is ever written to it. Where
    /// process 1 keeps none, it is `go`.
    pub begun: Option<Pipe>,
    /// Process 1's: the caller's device files.
    pub devices: Option<[Fd; DEVICES]>,
    /// Process 1's: the working directory of the caller, for the sources of his operations.
    pub directory: Option<Fd>,
    /// Process 1's: the new root; of `--enter`, that of the process, and its working directory in `directory`.
    pub root: Option<Fd>,
    /// Of `--enter`: the process, if it can be had as a descriptor; its namespaces; the kinds of namespaces that it does not share with us
    /// (CLONE_NEW*); its cgroup's list of processes, if that is not ours, or why
    /// CMD can't be in it; whether it is in another cgroup of version 1.
    pub handle: Option<Fd>,
    pub namespaces: [u64; 8],
    pub kinds: u32,
    pub cgroup: Result<Option<Fd>, Failure>,
    pub old_cgroup: bool,
    /// From process 1: the numbers of its namespaces.
    pub told: Option<Pipe>,
    /// The launcher's: where the caller's process waits to be told how it is to end, `--detach`.
    pub waiting: Option<Fd>,
    /// The launcher's, of `--pid-file`: where its path begins, and the file.
    pub pid_file: Option<(Fd, Fd)>,
    /// `/` is a copy that lies on the initramfs.
    pub on_copy: bool,
    /// What becomes the root: DIR, or the mount of `--image`, nowhere yet.
    pub source: Option<Fd>,
    /// Process 1's: the descriptors of the files that it has locked.
    pub locks: [u32; LOCKS],
    /// Of `--enter`: the caller's /dev/ptmx, where the container has none that works.
    pub ptmx: Option<Fd>,
    /// Of `--pty`: what the terminal's two ends go to the relay by; what the launcher tells
    /// that by, and its process.
    pub hand_over: Option<Pipe>,
    pub relay: Option<Pipe>,
    pub relay_process: Option<Pid>,
    /// Of `--enter`, the launcher's: the helper, who leads the session of CMD's terminal.
    pub leader: Option<Pid>,
    /// CMD's: its parent, process 1, by its own number.
    pub parent: Option<Pid>,
    /// From CMD's parent: its end means that CMD may begin, or that the parent is no more.
    pub gate: Option<Pipe>,
}

impl State {
    /// Tells the launcher. A full pipe holds thousands of stops that he has yet to read; one who has gone wants no news.
    pub fn inform(&self, news: News, value: u8) {
        if let Some(pipe) = self.news {
            let _ = write_to_anybody(pipe.write, &[news as u8, value]);
        }
    }

    /// Whether a SIGIO says that there are news. It is as the kernel's own where the queue of signals is full (fcntl(2),
    /// F_SETSIG). They are read in any case.
    #[must_use]
    pub fn is_news(&self, info: &Siginfo) -> bool {
        self.news.is_some() && matches!(info.code(), POLL_IN..=POLL_HUP | SI_KERNEL)
    }

    #[must_use]
    #[allow(clippy::new_without_default, reason = "it looks at the world")]
    pub fn new() -> State {
        let mut state = NOTHING_KNOWN;
        (state.caller.uid, state.caller.gid) = (geteuid().as_raw(), getegid().as_raw());
        state.launcher = getpid();
        state
    }
}

/// What is known at the beginning.
static NOTHING_KNOWN: State = State {
    caller: Caller { uid: 0, gid: 0, mask: Set::NONE, child_ignored: false, umask: 0, core: [0; 2] },
    launcher: Pid::INIT,
    terminal: None,
    lent: false,
    leaves_session: false,
    go: None,
    begun: None,
    news: None,
    proc: None,
    process: None,
    container: None,
    devices: None,
    directory: None,
    root: None,
    handle: None,
    namespaces: [0; 8],
    kinds: 0,
    cgroup: Ok(None),
    old_cgroup: false,
    told: None,
    waiting: None,
    pid_file: None,
    on_copy: false,
    source: None,
    tree: None,
    locks: [0; LOCKS],
    look: None,
    ptmx: None,
    hand_over: None,
    relay: None,
    relay_process: None,
    leader: None,
    pty: None,
    parent: None,
    gate: None,
    executed: None,
};
