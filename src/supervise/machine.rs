//! The supervisor of a machine: it runs the command, again if that was asked for, until the machine is to end.

use rustix::process::Pid;
use rustix::termios::isatty;

use crate::report::exit;
use crate::report::message::warn;
use crate::say;
use crate::spec::{AtEnd, Spec};
use crate::supervise::job_control;
use crate::supervise::power::Power;
use crate::supervise::wait::{self, ANY_CHILD, Heard};
use crate::sys::{self, Change, Failure, Siginfo, Signal, Standard, Time};
use crate::text::Say;

/// The program of the child.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum What {
    Command,
    Shell,
}

/// The supervisor of a machine.
pub struct Machine<'a> {
    pub spec: &'a Spec<'a>,
    /// Starts a child.
    pub begin: &'a dyn Fn(What) -> Result<Pid, Failure>,
    /// The child, as long as it has not been reaped.
    pub child: Option<Pid>,
    /// The exit status of the last child.
    pub status: u8,
}

/// `--on-exit respawn` restarts a command at once that ran for so many seconds; otherwise after a pause of one second, which
/// doubles each time,
const LONG: i64 = 10;
/// up to so many seconds.
const LONGEST_PAUSE: u32 = 64;
/// Seconds to read on the console why the command did not run, before the machine ends.
const TO_READ: u32 = 3;

impl Machine<'_> {
    /// Runs the command, again with `--on-exit respawn`, until the machine is to end. `runs`: there is a command.
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
            // It failed at once, and may have printed why.
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

    /// Runs a child until it ends. Returns how the machine is to end, if a signal asked for that meanwhile.
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

    /// Waits until the child has ended or the seconds are over. Returns how the machine is to end, if a signal asked for that.
    fn wait(&mut self, seconds: Option<u32>) -> Option<Power> {
        let until = seconds.map(|seconds| sys::now().after(seconds));
        loop {
            let mut info = Siginfo::EMPTY;
            let (pid, change) = match sys::wait4(None, false) {
                Ok(Some(changed)) => changed,
                // A filter forbids wait4(2).
                Err(_) if self.child.is_some() => return None,
                _ => match wait::signal(until.map(Time::left), ANY_CHILD, &mut info) {
                    Heard::Signal => {
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

    /// Notes how the child has ended. Returns whether the change was its end.
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
