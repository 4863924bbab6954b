//! The supervisor's side of the relay: begin, stop with the job, end. [`crate::process::relay`] is the process.

use rustix::process::Pid;

use crate::state::{self, Launch, Look, Pipe, write_to_anybody};
use crate::supervise::wait::{self, Before};
use crate::sys::files::Fd;
use crate::sys::{self, Change, Failure, Signal};
use crate::tty::job;
use crate::tty::pty;

/// The byte that lets the relay copy.
pub const BEGIN: u8 = b'b';
/// The byte that lets the relay copy the rest of the output, and end.
pub const END: u8 = b'e';

/// How many seconds the output of the command may stay unread once nsinit was asked to end.
const PATIENCE: u32 = 2;

/// The relay, a child of the supervisor; or none.
pub struct Relay {
    /// The process, as long as it has not been reaped.
    process: Option<Pid>,
    /// The write end of the pipe from which it reads [`BEGIN`] and [`END`]. `None`: there was no relay, or it has ended.
    control: Option<Fd>,
    /// The caller's terminal as it was.
    look: Option<Look>,
    /// Of `--enter`: the helper, which leads the session of the command's terminal.
    leader: Option<Pid>,
    /// A byte in this pipe lets the leader of that session end.
    go: Option<Pipe>,
}

impl Relay {
    /// The relay that the launcher has started.
    #[must_use]
    pub fn new(launch: &Launch, started: &state::Relay) -> Relay {
        let (process, control) = (started.process, started.word.map(|pipe| pipe.write));
        Relay { process, control, look: launch.look, leader: started.leader, go: launch.go.known() }
    }

    /// The command has been executed: the relay copies.
    pub fn begin(&self) {
        if let Some(control) = self.control {
            // If the relay has ended, the master of the command's terminal is closed, and the kernel has hung up the command.
            let _ = write_to_anybody(control, &[BEGIN]);
        }
    }

    /// The command has ended: the relay copies what is left and ends, the caller's terminal is restored, and the leader of the
    /// session ends. `asked`: nsinit was asked to end, and does not wait for a reader for ever.
    pub fn end(&mut self, asked: bool) {
        let Some(control) = self.control.take() else { return };
        if let Some(process) = self.process.take() {
            let _ = write_to_anybody(control, &[END]);
            let until = asked.then(|| sys::now().after(PATIENCE));
            let _ = wait::for_child(process, Before { until, ..NEVER });
        }
        pty::restore(self.look);
        if let Some(pipe) = self.go {
            let _ = write_to_anybody(pipe.write, b"!");
        }
        if let Some(leader) = self.leader {
            let _ = wait::for_child(leader, NEVER);
        }
    }

    /// Restores the caller's terminal and stops the job, the relay included. Returns whether the job was continued: the kernel
    /// does not stop an orphaned process group. `None`: the relay has ended, and the command's terminal is hung up.
    pub fn stop(&mut self) -> Option<bool> {
        let process = self.process?;
        // As long as it has not been reaped, the number is its own.
        let number = process.as_raw_nonzero().get();
        let mut change = sys::wait4(Some(process), false);
        loop {
            match change {
                Ok(Some((_, Change::Stopped(_)))) => break,
                // It must not make the terminal raw again. The kernel reports a stop once: SIGCONT first makes SIGSTOP a new one.
                Ok(None | Some((_, Change::Continued))) => {
                    let _ = sys::kill(number, Signal::CONT);
                    let _ = sys::kill(number, Signal::STOP);
                }
                Err(Failure::INTR) => {}
                Ok(Some(_)) | Err(_) => {
                    self.has_ended();
                    return None;
                }
            }
            change = sys::wait4(Some(process), true);
        }
        pty::restore(self.look);
        let continued = job::stop_group(Signal::TSTP);
        // SIGCONT may have been sent to us alone, and not to our group.
        let _ = sys::kill(number, Signal::CONT);
        Some(continued)
    }

    /// Restores the caller's terminal if the relay was killed. For a supervisor that does not reap all of its children.
    pub fn look_after(&mut self) {
        if let Some(process) = self.process
            && matches!(sys::wait4(Some(process), false), Ok(Some((_, Change::Exited(_) | Change::Killed(_)))))
        {
            self.has_ended();
        }
    }

    /// Whether `pid` is the relay's.
    #[must_use]
    pub fn is(&self, pid: Pid) -> bool {
        self.process == Some(pid)
    }

    /// It was reaped.
    pub fn has_ended(&mut self) {
        self.process = None;
        pty::restore(self.look);
    }

    /// Whether the supervisor must hang up the command when the relay has ended. The kernel sends SIGHUP to the leader of the
    /// session: the helper of `--enter` does not pass it on, process 1 does.
    #[must_use]
    pub fn hangs_up(&self) -> bool {
        self.leader.is_some()
    }
}

const NEVER: Before<'static> = Before { done: &|| false, begun: &|| false, input: None, until: None };
