//! What the processes of one launch know. The fork copies it, so each goes on with its own.

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::read;
use rustix::process::{Pid, getegid, geteuid, getpid};

use crate::files::Fd;
use crate::sys::{Failure, Set};

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
}

/// A pipe: the end that is read and the end that is written.
#[derive(Clone, Copy)]
pub struct Pipe {
    pub read: Fd,
    pub write: Fd,
}

impl Pipe {
    /// Whether nobody has the end that is written open any more, asked by who has read what was to be read.
    ///
    /// # Errors
    /// None is known.
    pub fn is_ended(self) -> Result<bool, Failure> {
        fcntl_setfl(self.read, OFlags::NONBLOCK)?;
        Ok(read(self.read, &mut [0u8]) == Ok(0))
    }
}

#[derive(Clone, Copy)]
pub struct State {
    pub caller: Caller,
    /// The launcher's process id, as he sees it.
    pub launcher: Pid,
    /// The controlling terminal, if CMD is to share it.
    pub terminal: Option<Fd>,
    /// CMD is put into the terminal's foreground.
    pub lent: bool,
    /// From the launcher: a byte means go on; its end means that he is no more.
    pub go: Option<Pipe>,
    /// To the launcher: the signal that stopped CMD, or that it died of.
    pub news: Option<Pipe>,
    /// The launcher's: the directory of process 1 in a verified procfs.
    pub process: Option<Fd>,
    /// The launcher's: process 1 of the container.
    pub container: Option<Pid>,
    /// Process 1's: the working directory of the caller, for the sources of his operations.
    pub directory: Option<Fd>,
    /// Process 1's: the new root.
    pub root: Option<Fd>,
    /// Process 1's, where there is no pid namespace: the list of its children.
    pub children: Option<Fd>,
    /// CMD's: its parent, process 1, by its own number.
    pub parent: Option<Pid>,
}

impl State {
    #[must_use]
    #[allow(clippy::new_without_default, reason = "it looks at the world")]
    pub fn new() -> State {
        let caller = Caller {
            uid: geteuid().as_raw(),
            gid: getegid().as_raw(),
            mask: Set::NONE,
            child_ignored: false,
            umask: 0,
        };
        State {
            caller,
            launcher: getpid(),
            terminal: None,
            lent: false,
            go: None,
            news: None,
            process: None,
            container: None,
            directory: None,
            root: None,
            children: None,
            parent: None,
        }
    }
}
