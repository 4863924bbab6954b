//! The supervisor of a machine: it runs the command, again if that was asked for, until the machine is to end.

use rustix::process::Pid;
use rustix::termios::isatty;

use crate::report::exit;
use crate::report::message::{tell, warn};
use crate::report::wording::Event;
use crate::say;
use crate::spec::{AtEnd, Spec, rooms};
use crate::supervise::hardware::{buttons, watchdog};
use crate::supervise::job_control;
use crate::supervise::power::Power;
use crate::supervise::restarts::Restarts;
use crate::supervise::services::Services;
use crate::supervise::wait::{self, ANY_CHILD, Heard};
use crate::sys::{self, Change, Failure, Set, Siginfo, Signal, Standard, Time};
use crate::text::Say;

/// The program of the child.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum What {
    Command,
    Shell,
    /// There is no child: the services run.
    Services,
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
    pub services: Services<'a>,
}

/// Seconds to read on the console why the command did not run, before the machine ends.
const TO_READ: u32 = 3;

impl Machine<'_> {
    /// Runs the command, again with `--on-exit respawn`, until the machine is to end. `first`: what is run; `None`: the command line
    /// is wrong.
    pub fn supervise(&mut self, first: Option<What>) -> Power {
        let asked = &self.spec.machine;
        let failure = asked.on_failure.unwrap_or(asked.at_end);
        let mut restarts = Restarts::NONE;
        let mut to_read = first.is_none();
        let mut then = if to_read { failure } else { asked.at_end };
        let mut next = if to_read && then == AtEnd::Shell { Some(What::Shell) } else { first };
        while let Some(what) = next {
            let began = sys::now();
            if let Some(power) = self.run(what) {
                return power;
            }
            let seconds = sys::now().since(began).seconds;
            // It failed at once, and may have printed why.
            to_read = seconds == 0 && matches!(self.status, 125..=127);
            if what == What::Shell {
                break;
            }
            let respawns = asked.at_end == AtEnd::Respawn && what == What::Command;
            next = Some(what);
            if !respawns {
                if self.status != 0 {
                    then = failure;
                }
                next = None;
            } else if let Some(pause) = restarts.next(seconds, asked.most) {
                self.tell(Event::Again, pause.cast_signed());
                if let Some(power) = self.wait(Some(pause)) {
                    return power;
                }
            } else {
                warn(say!("restart"), c"CMD", Failure::TOO_OFTEN, Say::NOTHING);
                then = failure;
                next = None;
            }
            if next.is_none() && then == AtEnd::Shell {
                next = Some(What::Shell);
            }
        }
        // A signal may have come while there was a wait for a device only.
        if to_read
            && (isatty(Standard::Error.fd()) || rooms::ROOT_DEVICE && sys::is_any_pending(Set::ALL))
            && let Some(power) = self.wait(Some(TO_READ))
        {
            return power;
        }
        power_of(then)
    }

    /// Runs a child until it ends. Returns how the machine is to end, if a signal asked for that meanwhile.
    fn run(&mut self, what: What) -> Option<Power> {
        if what == What::Services {
            self.status = 0;
            return self.wait(None);
        }
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
            let next = self.services.start();
            match self.services.asked.take() {
                None => {}
                // The services that --console makes are the only ones that ask for a shell.
                Some(AtEnd::Shell) => {
                    self.status = exit::FAILED.number;
                    return None;
                }
                Some(at_end) => return Some(power_of(at_end)),
            }
            if self.child.is_none() && seconds.is_none() && self.services.are_over() {
                return None;
            }
            let first = sys::earlier(until, sys::earlier(next, watchdog::feed()));
            let mut info = Siginfo::empty();
            let (pid, change) = match sys::wait4(None, false) {
                Ok(Some(changed)) => changed,
                // A filter forbids wait4(2).
                Err(_) if self.child.is_some() => return None,
                _ => match wait::signal(first.map(Time::left), ANY_CHILD, &mut info) {
                    Heard::Signal => {
                        let asked = match buttons::pressed(&info) {
                            Some(true) => Some(Power::Off),
                            // It is about a button, and no process of the machine has sent it.
                            Some(false) => continue,
                            None => Power::asked_by(info.signal()),
                        };
                        match (asked, self.child) {
                            (None, Some(child)) if info.signal() != Signal::CHLD => job_control::forward(child, &info),
                            (None, _) => {}
                            (asked, _) => return asked,
                        }
                        continue;
                    }
                    Heard::Child(pid, change) => (pid, change),
                    Heard::Nothing => continue,
                    Heard::TimeIsOver if first == until => return None,
                    Heard::TimeIsOver => continue,
                },
            };
            if Some(pid) != self.child {
                self.services.note(pid, change);
            } else if self.has_ended(change) {
                return None;
            }
        }
    }

    fn tell(&self, event: Event, number: i32) {
        if self.spec.machine.is_whole {
            tell(event, [number, 0], c"");
        }
    }

    /// Notes how the child has ended. Returns whether the change was its end.
    pub fn has_ended(&mut self, change: Change) -> bool {
        self.status = match change {
            Change::Exited(status) => status,
            Change::Killed(signal) => {
                // Otherwise the child has printed how the command ended.
                self.tell(Event::Died, signal.number());
                exit::of_signal(signal)
            }
            _ => return false,
        };
        self.child = None;
        true
    }
}

fn power_of(at_end: AtEnd) -> Power {
    match at_end {
        AtEnd::Reboot => Power::Restart,
        AtEnd::Halt => Power::Halt,
        _ => Power::Off,
    }
}
