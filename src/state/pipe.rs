//! Pipes between the processes of a launch, and the news that go through them.

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
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
    /// A pipe whose ends are close-on-exec, with these flags.
    ///
    /// # Errors
    /// EMFILE, ENFILE: no descriptor is free; others: see pipe(2).
    pub fn new(flags: PipeFlags) -> Result<Pipe, Failure> {
        let (read, write) = pipe_with(flags | PipeFlags::CLOEXEC)?;
        Ok(Pipe { read: keep_open(read), write: keep_open(write) })
    }

    /// A pair of sockets (unix(7)) that takes descriptors: its ends are close-on-exec.
    ///
    /// # Errors
    /// EMFILE, ENFILE: no descriptor is free; EAFNOSUPPORT: the kernel has no unix sockets.
    pub fn of_sockets() -> Result<Pipe, Failure> {
        let (write, read) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok(Pipe { read: keep_open(read), write: keep_open(write) })
    }

    /// A pipe that sends `signal` to this process when something was written to it (fcntl(2), F_SETSIG).
    ///
    /// # Errors
    /// EMFILE, ENFILE: no descriptor is free; others: see pipe(2) and fcntl(2).
    pub fn announced(signal: Signal) -> Result<Pipe, Failure> {
        let pipe = Pipe::new(PipeFlags::NONBLOCK)?;
        // Before any process can write to it: the kernel does not announce earlier writes.
        sys::signal_on_input(pipe.read, getpid(), signal)?;
        Ok(pipe)
    }

    /// Whether no process has the write end open any more. The caller has read everything that was written.
    ///
    /// # Errors
    /// None is known: see fcntl(2).
    pub fn is_ended(self) -> Result<bool, Failure> {
        fcntl_setfl(self.read, OFlags::NONBLOCK)?;
        Ok(read(self.read, &mut [0u8]) == Ok(0))
    }
}

/// write(2) to a pipe that may have no reader, without a SIGPIPE.
///
/// # Errors
/// EPIPE: there is no reader; others: see write(2).
pub fn write_to_anybody(to: Fd, bytes: &[u8]) -> Done {
    let written = write(to, bytes);
    if written == Err(Failure::PIPE) {
        sys::discard_broken_pipe();
    }
    written.map(|_| ())
}

/// The reports of process 1, or of the command before it is executed, to the launcher: a byte for the kind and one for a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// This signal stopped the command.
    Stopped = 1,
    /// This signal killed the command; with --propagate the launcher dies of it too.
    Died = 2,
    /// The command has ended with this status, and other processes have not.
    Left = 3,
    /// The command was never executed.
    Failed = 4,
    /// The command has been executed, or reported its failure before.
    Started = 5,
    /// The command has ended. Its output on the pty must be copied before process 1 ends.
    Silent = 6,
    /// The command exists, and is the owner of `told`. Process 1 waits for a byte of `go`.
    Command = 7,
}

impl News {
    /// The kind that a byte stands for.
    #[must_use]
    pub const fn of(kind: u8) -> News {
        match kind {
            1 => News::Stopped,
            2 => News::Died,
            3 => News::Left,
            5 => News::Started,
            6 => News::Silent,
            7 => News::Command,
            _ => News::Failed,
        }
    }
}
