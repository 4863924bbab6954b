//! The library for other Rust programs: a container as a child process. It has std, and nothing of the engine uses it.
//!
//! It executes the program nsinit. The engine cannot run inside of another program: process 1 of a container would keep that program's
//! memory, its threads' locks and its executable file.

extern crate std;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, BufRead, BufReader, PipeReader, Read};
use std::mem;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::string::{String, ToString};
use std::vec::Vec;

use crate::sys::{self, Failure, Signal};

/// A container that is not started yet: the options of nsinit(8), and the standard descriptors.
#[derive(Debug)]
pub struct Container {
    program: OsString,
    options: Vec<OsString>,
    standard: [Stdio; 3],
}

impl Container {
    /// A container with the directory `root` as its root and nsinit's safe defaults, as `nsinit --root DIR` makes it.
    pub fn new(root: impl AsRef<Path>) -> Container {
        Container::sandbox().options([OsStr::new("--root"), root.as_ref().as_os_str()])
    }

    /// A sandbox that has nothing but what its options name, as bubblewrap's.
    #[must_use]
    pub fn sandbox() -> Container {
        let standard = [Stdio::inherit(), Stdio::inherit(), Stdio::inherit()];
        Container { program: "nsinit".into(), options: Vec::new(), standard }
    }

    /// Executes this program instead of `nsinit` from PATH.
    #[must_use]
    pub fn program(mut self, program: impl AsRef<OsStr>) -> Container {
        self.program = program.as_ref().into();
        self
    }

    /// Adds options, each with its values, as words of nsinit's command line: `["--ro-bind", "/etc/hosts", "/etc/hosts"]`.
    #[must_use]
    pub fn options(mut self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Container {
        self.options.extend(words.into_iter().map(|word| word.as_ref().into()));
        self
    }

    /// The command's standard input; without this it is the caller's.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Container {
        self.standard[0] = stdin.into();
        self
    }

    /// The command's standard output; without this it is the caller's.
    #[must_use]
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Container {
        self.standard[1] = stdout.into();
        self
    }

    /// The command's standard error, and that of nsinit; without this it is the caller's.
    #[must_use]
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Container {
        self.standard[2] = stderr.into();
        self
    }

    /// Starts the container with this command, and returns when the command has been executed.
    ///
    /// # Errors
    /// [`Error::NotStarted`]: nsinit has refused, or could not execute the command. [`Error::Io`]: nsinit could not be executed, or
    /// there are no more descriptors.
    pub fn start(self, command: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<Running, Error> {
        let [stdin, stdout, stderr] = self.standard;
        let (ready, tell_ready) = io::pipe()?;
        let (status, tell_status) = io::pipe()?;
        let mut nsinit = Command::new(self.program);
        nsinit.arg("--ready-fd").arg(tell_ready.as_raw_fd().to_string());
        nsinit.arg("--status-fd").arg(tell_status.as_raw_fd().to_string());
        nsinit.args(self.options).arg("--").args(command).stdin(stdin).stdout(stdout).stderr(stderr);
        sys::inherit(&mut nsinit, tell_ready.into());
        sys::inherit(&mut nsinit, tell_status.into());
        let mut child = nsinit.spawn()?;
        // It has our copies of the pipes' other ends; without them, a read returns when the last process of nsinit has ended.
        drop(nsinit);
        let mut running = Running {
            stdin: child.stdin.take(),
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
            child,
            status: BufReader::new(status),
            pid: 0,
            command: 0,
            told: String::new(),
            end: None,
        };
        if read_line(&mut BufReader::new(ready))?.is_empty() {
            return Err(running.not_started());
        }
        running.pid = number(&read_line(&mut running.status)?, "\"child-pid\": ").unwrap_or(0);
        // Of a command that has ended at once, this line is not about its id but about its end.
        running.told = read_line(&mut running.status)?;
        running.command = number(&running.told, "\"cmd-pid\": ").unwrap_or(0);
        Ok(running)
    }
}

/// A container whose command has been executed. If it is dropped, the container continues; `--die-with-parent` ends it with the
/// thread that has started it.
#[derive(Debug)]
pub struct Running {
    /// Of the command, if it was [`Stdio::piped`].
    pub stdin: Option<ChildStdin>,
    /// Of the command, if it was [`Stdio::piped`].
    pub stdout: Option<ChildStdout>,
    /// Of the command and of nsinit, if it was [`Stdio::piped`].
    pub stderr: Option<ChildStderr>,
    child: Child,
    status: BufReader<PipeReader>,
    pid: u32,
    command: u32,
    told: String,
    end: Option<End>,
}

impl Running {
    /// The id of the container's process 1, as `nsinit --enter` takes it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The id of the command, as the caller sees it: for nsenter(1), strace(1) and gdb(1). Process 1 is hidden from them. 0 if the
    /// command has ended at once.
    #[must_use]
    pub fn command_pid(&self) -> u32 {
        self.command
    }

    /// Sends the command a signal, by the signal's number (1 to 64). `SIGKILL`, which nothing can forward, ends the whole container,
    /// and `SIGSTOP` stops nsinit alone.
    ///
    /// # Errors
    /// EINVAL: there is no such signal. ESRCH: [`wait`](Running::wait) has returned.
    pub fn signal(&self, number: i32) -> io::Result<()> {
        let target = self.child.id().cast_signed();
        if self.end.is_some() {
            return Err(failure(Failure::SRCH));
        }
        // The process is our child, and nothing has waited for it: its id is no other process'.
        sys::kill(target, Signal::new(number)).map_err(failure)
    }

    /// Waits for the end of the container. Closes the command's standard input first, if it was piped.
    ///
    /// # Errors
    /// [`Error::Lost`]: nsinit was killed, and the container with it.
    pub fn wait(&mut self) -> Result<End, Error> {
        drop(self.stdin.take());
        if let Some(end) = self.end {
            return Ok(end);
        }
        let status = self.child.wait()?;
        let mut lines = mem::take(&mut self.told);
        self.status.read_to_string(&mut lines)?;
        let end = lines.lines().filter_map(End::of).next_back();
        self.end = end;
        end.ok_or(Error::Lost(status))
    }

    fn not_started(mut self) -> Error {
        drop(self.stdin.take());
        let mut message = String::new();
        if let Some(mut stderr) = self.stderr.take()
            && let Err(why) = stderr.read_to_string(&mut message)
        {
            return Error::Io(why);
        }
        match self.child.wait() {
            Ok(status) => Error::NotStarted { status, message: message.trim_end().into() },
            Err(why) => Error::Io(why),
        }
    }
}

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It has exited with this status.
    Exited(u8),
    /// This signal has ended it.
    Signalled(u8),
}

impl End {
    /// From a line that nsinit writes to `--status-fd`.
    fn of(line: &str) -> Option<End> {
        let of = |key| number(line, key).and_then(|number| u8::try_from(number).ok());
        of("\"exit-code\": ").map(End::Exited).or_else(|| of("\"signal\": ").map(End::Signalled))
    }
}

/// Why there is no running container, or no end of the command.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A system call has failed; ENOENT if there is no program nsinit.
    Io(io::Error),
    /// The command was not executed.
    NotStarted {
        /// That of nsinit: 125 if it has refused, 126 or 127 if the command could not be executed.
        status: ExitStatus,
        /// nsinit's message, if standard error was [`Stdio::piped`]; otherwise it is there.
        message: String,
    },
    /// nsinit has ended before the command: this is its own status.
    Lost(ExitStatus),
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(why) => why.fmt(out),
            Error::NotStarted { status, message } if message.is_empty() => {
                write!(out, "the command was not started: {status}, and the reason is on standard error")
            }
            Error::NotStarted { message, .. } => message.fmt(out),
            Error::Lost(status) => write!(out, "nsinit ended before the command: {status}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(why: io::Error) -> Error {
        Error::Io(why)
    }
}

fn failure(why: Failure) -> io::Error {
    io::Error::from_raw_os_error(why.number().cast_signed())
}

fn read_line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    Ok(line)
}

/// The number behind `key`.
fn number(line: &str, key: &str) -> Option<u32> {
    let (_, rest) = line.split_once(key)?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{End, number};

    #[test]
    fn lines_of_the_status_are_read() {
        assert_eq!(End::of("{ \"exit-code\": 7 }"), Some(End::Exited(7)));
        assert_eq!(End::of("{ \"signal\": 9, \"oom-killed\": true }"), Some(End::Signalled(9)));
        assert_eq!(End::of("{ \"child-pid\": 12, \"net-namespace\": 4026532332 }"), None);
        assert_eq!(End::of("{ \"exit-code\": 1000 }"), None);
        assert_eq!(number("{ \"child-pid\": 12, \"x\": 3 }", "\"child-pid\": "), Some(12));
    }
}
