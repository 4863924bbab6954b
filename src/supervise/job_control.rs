//! Job control: to the caller's shell, nsinit and the command are one job.
//!
//! A stop of the command stops nsinit's process group too, so that the shell takes its terminal back; `fg` and `bg` continue
//! both. There are two supervisors: the launcher, where process 1 is between it and the command; and process 1 itself, or
//! nsinit in the place of it. What differs between them is how they reach the command: [`Reach`].

use rustix::process::Pid;

use crate::fs::procfs;
use crate::spec::rooms;
use crate::state::{self, Launch, Look};
use crate::supervise::relay::Relay;
use crate::sys::files::Fd;
use crate::sys::{self, SI_KERNEL, SI_QUEUE, Siginfo, Signal};
use crate::tty::job;

/// `si_code` with which the launcher has process 1 continue the command in the foreground. The kernel lets any process choose
/// a negative code: one that forges this only moves its own terminal and its own group.
pub const TO_FOREGROUND: i32 = -0x6e01;
/// `si_code` with which the launcher has process 1 signal the command's process group. See [`TO_FOREGROUND`].
pub const TO_GROUP: i32 = -0x6e02;

/// How a supervisor reaches the command's process group.
#[derive(Clone, Copy)]
pub enum Reach {
    /// The command is a child.
    Command(Pid),
    /// The command is a child, and may lead a session of its own. Signals that stop jobs do not stop an orphaned process group,
    /// nor process 1 of a pid namespace.
    Session(Pid),
    /// Process 1 is a child, and the command is a child of it.
    Process1(Pid),
}

/// The job of the command.
pub struct Job {
    reach: Reach,
    /// The controlling terminal. The command shares it, or nsinit only watches whether its own job is in the foreground.
    pub terminal: Option<Fd>,
    /// The command's process group is put into the foreground when the job is continued there.
    lends: bool,
    /// The command's process group was put into the foreground.
    lent: bool,
    own_group: bool,
    /// The command has a pty: the job stops with the relay.
    pty: bool,
    look: Option<Look>,
    relay: Relay,
    /// A signal asked nsinit to end.
    asked: bool,
}

impl Job {
    /// The job as the launcher has it; or as process 1 has it, whose launcher stops with it, and to which a terminal that it has
    /// is lent in any case.
    #[must_use]
    pub fn new(launch: &Launch, relay: &state::Relay, reach: Reach) -> Job {
        let spec = &launch.spec;
        let inside = spec.makes_container() && matches!(reach, Reach::Command(_));
        Job {
            reach,
            terminal: launch.terminal,
            lends: inside || spec.lends_terminal(),
            lent: launch.lent,
            own_group: spec.life.own_group,
            pty: spec.has_pty() && !inside,
            look: launch.look,
            relay: Relay::new(launch, relay),
            asked: false,
        }
    }

    /// The command is stopped by `signal`: stops our process group too. If that group is orphaned, the kernel does not stop it,
    /// and no shell would continue the command: nsinit continues it.
    pub fn stop(&mut self, signal: Signal) {
        if self.pty {
            let continued = self.relay.stop();
            if continued.is_none() && self.relay.hangs_up() {
                self.signal_group(Signal::HUP);
            }
            if continued != Some(true) && signal != Signal::STOP {
                self.signal_group(Signal::CONT);
            }
            return;
        }
        let Some(terminal) = self.terminal.filter(|_| self.own_group) else { return };
        let waits = signal.waits_for_terminal();
        if waits && job::is_ours(terminal) {
            // The command only waits for the terminal, and nsinit can lend it.
            return self.resume();
        }
        if self.lent {
            job::hand_to_us(terminal);
            self.lent = false;
        }
        if !job::stop_group(signal) {
            if waits {
                // As the kernel does to an orphaned group whose member is stopped (setpgid(2)).
                self.signal_group(Signal::HUP);
            }
            self.signal_group(Signal::CONT);
        }
    }

    /// Continues the command: in the foreground, if that is ours now.
    pub fn resume(&mut self) {
        if let Some(terminal) = self.terminal.filter(|terminal| self.lends && job::is_ours(*terminal)) {
            self.lent = true;
            return self.continue_in_foreground(terminal);
        }
        match self.reach {
            // Process 1 knows whether the command is stopped.
            Reach::Process1(pid) => send(pid, Signal::CONT),
            _ => self.signal_group(Signal::CONT),
        }
    }

    fn continue_in_foreground(&self, terminal: Fd) {
        match self.reach {
            Reach::Process1(pid) => send_as(pid, Signal::CONT, TO_FOREGROUND),
            Reach::Command(pid) | Reach::Session(pid) => {
                job::hand_to(terminal, pid);
                self.signal_group(Signal::CONT);
            }
        }
    }

    /// The launcher, whose job is in the foreground, asks process 1 to continue the command there.
    pub fn obey_foreground(&self) {
        match self.terminal {
            Some(terminal) => self.continue_in_foreground(terminal),
            None => self.signal_group(Signal::CONT),
        }
    }

    /// Signals the command's process group; or the command, if it has left the group that it was started in.
    pub fn signal_group(&self, signal: Signal) {
        match self.reach {
            Reach::Process1(pid) => send_as(pid, signal, TO_GROUP),
            Reach::Command(pid) | Reach::Session(pid) => {
                let number = pid.as_raw_nonzero().get();
                if sys::kill(-number, signal).is_err() {
                    let _ = sys::kill(number, signal);
                }
            }
        }
    }

    /// Passes on a signal that the terminal has sent to our process group. It is meant for the whole job, and the command is in
    /// another group.
    pub fn pass_on_from_terminal(&self, signal: Signal) {
        match self.reach {
            Reach::Session(pid) if rooms::CONTAINER => procfs::signal_session(pid, signal),
            _ => self.signal_group(signal),
        }
    }

    /// Whether the terminal that sends us signals is the command's too, or the relay joins the two.
    #[must_use]
    pub fn has_terminal(&self) -> bool {
        self.pty || self.terminal.is_some() || matches!(self.reach, Reach::Session(_))
    }

    /// Whether a signal is not for the command. From the caller's terminal, a command with a pty gets neither the change of
    /// size, which its own terminal reports, nor the stop of a job that waits for the terminal.
    pub fn keeps(&mut self, info: &Siginfo) -> bool {
        let signal = info.signal();
        self.asked |= signal.ends();
        if !self.pty || info.code() != SI_KERNEL {
            return false;
        }
        if signal.waits_for_terminal() {
            sys::stop();
        }
        signal.waits_for_terminal() || signal == Signal::WINCH
    }

    /// The command has been executed.
    pub fn begin(&self) {
        self.relay.begin();
    }

    /// Takes the terminal back for our process group, after the command's end. If a signal killed the command (`killer`), it could
    /// not restore the modes of the terminal: restores them.
    pub fn take_back(&mut self, killer: Option<Signal>) {
        if let Some(terminal) = self.terminal.filter(|_| self.lent) {
            job::take_back(terminal, killer.and(self.look).map(|look| look.modes));
        }
    }

    /// Waits until the relay has copied all output of the command, and ends the relay.
    pub fn end_relay(&mut self) {
        self.relay.end(self.asked);
    }

    /// A child may have ended.
    pub fn look_after_relay(&mut self) {
        self.relay.look_after();
    }

    /// Whether the child that was reaped is the relay.
    pub fn was_relay(&mut self, pid: Pid) -> bool {
        if !self.relay.is(pid) {
            return false;
        }
        self.relay.has_ended();
        if self.relay.hangs_up() {
            self.signal_group(Signal::HUP);
            self.signal_group(Signal::CONT);
        }
        true
    }
}

/// Forwards a signal, with the value that came with it. `to` has not been reaped, so the number is its own.
pub fn forward(to: Pid, info: &Siginfo) {
    // Where the queue is full, the signal still arrives, without its value.
    if info.code() != SI_QUEUE || sys::queue(to, info.signal(), info).is_err() {
        send(to, info.signal());
    }
}

/// Sends a signal. A process that has ended needs none (ESRCH).
pub fn send(to: Pid, signal: Signal) {
    let _ = sys::kill(to.as_raw_nonzero().get(), signal);
}

fn send_as(to: Pid, signal: Signal, code: i32) {
    let _ = sys::queue(to, signal, &Siginfo::with_code(signal, code));
}
