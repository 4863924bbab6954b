//! Pipes between the processes of a launch, and what is told through them.

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::getpid;

use crate::sys::files::{Fd, read, write};
use crate::sys::{self, Done, Failure, Signal, keep_open};

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
