//! PROCESS: INIT, from CMD's start to the end. Process 1 of the container, or the reaper of its orphans.
//!
//! - Namespaces: the container's, entered.
//! - Rights: CAP_KILL.
//! - Signals: all blocked and taken one by one, so that none is lost and none wakes us without cause. A fault of our
//!   own (SIGSEGV ...) still ends us: the kernel does not block those.
//! - Nothing may fail from here on: there is no `Result` in this file.
//! - Next: exit(2) with CMD's status, and the kernel ends what is left.

use linux_raw_sys::general::CLONE_NEWPID;
use rustix::io::pread;
use rustix::process::{Pid, getppid};

use crate::fault::SIGNALLED;
use crate::spec::Spec;
use crate::state::State;
use crate::sys::{self, Change, Failure, SI_QUEUE, Siginfo, Signal, Time};
use crate::{text, tty};

/// `si_code`s that the launcher sends with, which say more than the signal does. The kernel lets anybody choose a
/// negative code: whoever forges these moves his own terminal and his own group.
pub const TO_FOREGROUND: i32 = -0x6e01;
/// See [`TO_FOREGROUND`].
pub const TO_GROUP: i32 = -0x6e02;

/// Bytes of /proc/PID/task/TID/children that are read at once: some hundred processes, and there is a next time.
const CHILDREN: usize = 2048;

/// What process 1 knows.
pub struct Init<'a> {
    spec: &'a Spec<'a>,
    state: &'a State,
    command: Pid,
    life: Life,
}

/// How far it has come.
enum Life {
    /// CMD runs, or is stopped.
    Running { stopped: bool },
    /// CMD has ended with this status; whether anybody else is left is not known yet.
    Ended { status: u8 },
    /// CMD has ended; the rest has until then.
    Ending { status: u8, until: Option<Time> },
    /// The rest is being killed.
    Killing { status: u8 },
}

impl<'a> Init<'a> {
    #[must_use]
    pub const fn new(spec: &'a Spec<'a>, state: &'a State, command: Pid) -> Init<'a> {
        Init { spec, state, command, life: Life::Running { stopped: false } }
    }

    /// The container's processes are all that we can signal.
    fn alone(&self) -> bool {
        self.spec.unshares(CLONE_NEWPID)
    }

    /// Reaps and forwards until the container is at its end. Returns the exit status.
    pub fn forever(mut self) -> i32 {
        loop {
            let nobody_left = self.reap();
            match self.life {
                Life::Running { .. } => {}
                Life::Ended { status } | Life::Ending { status, .. } | Life::Killing { status } if nobody_left => {
                    return i32::from(status);
                }
                Life::Ended { status } => self.end_the_rest(status),
                Life::Ending { .. } => {}
                // The kernel kills the rest of a pid namespace when its process 1 ends.
                Life::Killing { status } if self.alone() => return i32::from(status),
                Life::Killing { .. } => self.signal_rest(Signal::KILL),
            }
            let mut info = Siginfo::EMPTY;
            match sys::wait_signal(self.patience(), &mut info) {
                Ok(()) => {
                    // Signals come in the order of their numbers: whether CMD is stopped may be told by a later one.
                    self.reap();
                    self.take(&info);
                }
                Err(Failure::AGAIN) => self.kill_rest(),
                // Stopped and continued from outside: EINTR.
                Err(_) => {}
            }
        }
    }

    /// Takes all that have ended. Returns whether no child is left.
    fn reap(&mut self) -> bool {
        loop {
            match sys::wait4(None) {
                Ok(Some((pid, change))) if pid == self.command => self.changed(change),
                Ok(Some(_)) => {}
                Ok(None) => return false,
                // ECHILD.
                Err(_) => return true,
            }
        }
    }

    fn changed(&mut self, change: Change) {
        match change {
            Change::Exited(status) => self.life = Life::Ended { status },
            Change::Killed(signal) => {
                self.life = Life::Ended { status: SIGNALLED.saturating_add(signal.number() as u8) };
            }
            Change::Continued => self.set_stopped(false),
            Change::Stopped(signal) => {
                self.set_stopped(true);
                self.tell_launcher(signal);
            }
        }
    }

    /// CMD is stopped. A full pipe holds thousands of stops that the launcher has yet to read.
    fn tell_launcher(&self, signal: Signal) {
        if let Some(stops) = self.state.stops {
            let _ = rustix::io::write(stops.write, &[signal.number() as u8]);
        }
    }

    fn set_stopped(&mut self, now: bool) {
        if let Life::Running { stopped } = &mut self.life {
            *stopped = now;
        }
    }

    /// The rest is asked to end, and given some time.
    fn end_the_rest(&mut self, status: u8) {
        let until = sys::now().after(self.spec.life.grace);
        self.life = Life::Ending { status, until: (!self.spec.life.wait_all).then_some(until) };
        if !self.spec.life.wait_all {
            self.signal_rest(Signal::TERM);
            self.signal_rest(Signal::CONT);
        }
    }

    fn kill_rest(&mut self) {
        if let Life::Ending { status, .. } = self.life {
            self.life = Life::Killing { status };
        }
    }

    /// How long to wait for the next signal.
    fn patience(&self) -> Option<Time> {
        match self.life {
            Life::Ending { until: Some(until), .. } => Some(until.since(sys::now())),
            // More may have been born than the last look showed.
            Life::Killing { .. } => Some(Time::SHORT),
            _ => None,
        }
    }

    fn take(&mut self, info: &Siginfo) {
        let signal = info.signal();
        if !self.alone() && getppid() != Some(self.state.launcher) {
            self.life = Life::Killing { status: SIGNALLED + Signal::KILL.number() as u8 };
            return;
        }
        if signal == Signal::CHLD {
            return;
        }
        let Life::Running { stopped } = self.life else { return self.signal_rest(signal) };
        match (info.code(), signal) {
            (TO_FOREGROUND, _) => {
                if let Some(terminal) = self.state.terminal {
                    tty::hand_to(terminal, self.command);
                }
                self.signal_group(Signal::CONT);
            }
            (TO_GROUP, _) => self.signal_group(signal),
            // A stopped job is one: what continues its leader continues all of it.
            (_, Signal::CONT) if stopped => self.signal_group(signal),
            _ if self.spec.life.group => self.signal_group(signal),
            (SI_QUEUE, _) => {
                // Where the queue is full the signal still arrives, without its value.
                if sys::queue(self.command, signal, info).is_err() {
                    self.signal_command(signal);
                }
            }
            _ => self.signal_command(signal),
        }
        match signal {
            // What is to end must run to do so.
            Signal::TERM | Signal::HUP | Signal::INT | Signal::QUIT if stopped => self.signal_group(Signal::CONT),
            // ^Z right after `fg`: the kernel has dropped the SIGCONT that was on its way (signal(7)), so CMD never went on
            // and is not stopped anew, but the job is to be.
            Signal::TSTP | Signal::TTIN | Signal::TTOU if stopped => self.tell_launcher(signal),
            _ => {}
        }
    }

    /// CMD has not been reaped, so the number is its own; ESRCH and EPERM have nobody to be told to.
    fn signal_command(&self, signal: Signal) {
        let _ = sys::kill(self.command.as_raw_nonzero().get(), signal);
    }

    /// CMD's process group, or CMD where it has left the group that it was started in.
    fn signal_group(&self, signal: Signal) {
        if sys::kill(-self.command.as_raw_nonzero().get(), signal).is_err() {
            self.signal_command(signal);
        }
    }

    /// Everybody but us: kill(-1) in a pid namespace of our own, else those whose parent we are, which the next
    /// round's orphans join.
    fn signal_rest(&self, signal: Signal) {
        if self.alone() {
            let _ = sys::kill(-1, signal);
            return;
        }
        let mut list = [0u8; CHILDREN];
        let length = self.state.children.and_then(|file| pread(file, list.as_mut_slice(), 0).ok()).unwrap_or(0);
        let list = list.get(..length).unwrap_or_default();
        // Each number is followed by a space; what the buffer cuts off waits for the next round.
        let whole = list.iter().rposition(|byte| *byte == b' ').unwrap_or(0);
        let mut rest = list.get(..whole).unwrap_or_default();
        while let Some((word, after)) = text::word(rest, b' ') {
            if let Some(pid) = text::number(word).filter(|pid| *pid > 1) {
                let _ = sys::kill(pid.cast_signed(), signal);
            }
            rest = after;
        }
    }
}
