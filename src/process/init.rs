//! PROCESS: the parent of the command, from the command's start to the end: process 1 of a container or of an image, or the
//! reaper of the command's orphans.
//!
//! - Namespaces: the container's; with `Mode::Init` and `Mode::Enter` the caller's: then this process is the launcher too,
//!   the outermost supervisor.
//! - Rights: CAP_KILL.
//! - Signals: all blocked and read one by one, so that none is lost. A fault of its own (SIGSEGV ...) still ends the
//!   process: the kernel does not block the signal of a fault.
//! - No step may fail: only wait4(2) can, if a seccomp filter forbids it (`reap`, `wait_for_end`).
//! - Next: exit(2) with the command's status. At the end of process 1, the kernel kills what is left of its pid namespace.

use core::ffi::CStr;

use rustix::process::Pid;

use crate::channels::start;
use crate::report::exit;
use crate::report::message::{blame, failed, tell};
use crate::report::wording::{self, Event};
use crate::say;
use crate::spec::{Audience, End, Spec};
use crate::state::{News, Outcome, Relay, Supervision};
use crate::supervise::descendants;
use crate::supervise::job_control::{self, Job, Reach, TO_FOREGROUND, TO_GROUP};
use crate::supervise::shutdown::Life;
use crate::supervise::teardown::{self, Ended};
use crate::supervise::wait::{self, ANY_CHILD, Heard, Instead};
use crate::sys::files::read;
use crate::sys::{self, Apart, Change, Done, Failure, SI_KERNEL, Siginfo, Signal, Time};
use crate::tty::pty;

/// The parent of the command.
pub struct Init<'a> {
    spec: &'a Spec<'a>,
    state: &'a mut Supervision,
    command: Pid,
    life: Life,
    /// The signal that the command died of.
    killer: Option<Signal>,
    job: Job,
    /// The command's name.
    name: &'a CStr,
    /// The memory of the command until it has been executed.
    apart: Apart<'a>,
    /// Whether the command was executed. `None`: not known yet.
    ran: Option<bool>,
    /// The execution could not be reported: the command is killed.
    refused: bool,
    /// Called when the command has been executed.
    then: &'a dyn Fn(),
}

impl<'a> Init<'a> {
    #[must_use]
    pub fn new(
        spec: &'a Spec<'a>,
        state: &'a mut Supervision,
        relay: &Relay,
        (command, apart): (Pid, Apart<'a>),
        then: &'a dyn Fn(),
    ) -> Init<'a> {
        let leads_session = spec.enters() && spec.life.new_session;
        let reach = if leads_session { Reach::Session(command) } else { Reach::Command(command) };
        let job = Job::new(&state.launch, relay, reach);
        Init {
            spec,
            state,
            command,
            name: spec.exec.argv.command(),
            apart,
            then,
            life: Life::BEGIN,
            job,
            killer: None,
            ran: None,
            refused: false,
        }
    }

    /// Reaps children and forwards signals until the end. Returns the exit status.
    pub fn forever(mut self) -> i32 {
        match self.wait_for_end() {
            Ok(status) => self.finish(status),
            Err(why) => {
                job_control::send(self.command, Signal::KILL);
                blame(say!("wait for"), c"CMD", why);
                failed()
            }
        }
    }

    /// Reaps children and forwards signals until the end. Returns the status of the command.
    ///
    /// # Errors
    /// EPERM, ENOSYS or any other: a seccomp filter forbids wait4(2), so that the end of the command would not be seen.
    fn wait_for_end(&mut self) -> Result<u8, Failure> {
        self.log(1, Event::Started, [self.command.as_raw_nonzero().get(), 0]);
        loop {
            let reaped = self.reap();
            let none_left = reaped.is_err();
            self.look_for_start();
            let life = self.life;
            match life {
                Life::Running { .. } => reaped?,
                Life::Ended { status, until } if none_left || !self.outlives(status, until) => return Ok(status),
                Life::Ending { status, .. } | Life::Killing { status, .. } if none_left => return Ok(status),
                // The kernel kills the rest of a pid namespace when its process 1 ends.
                Life::Killing { status, .. } if self.spec.life.process_1 || life.is_given_up() => return Ok(status),
                Life::Killing { .. } => {
                    // Stopped first: otherwise they may fork faster than they are killed.
                    self.signal_rest(&[Signal::STOP]);
                    self.signal_rest(&[Signal::KILL]);
                }
                Life::Ended { .. } | Life::Ending { .. } => {}
            }
            let mut info = Siginfo::empty();
            match wait::signal(self.life.patience(), self.instead(), &mut info) {
                Heard::Signal => {
                    // The kernel hands out signals by their numbers, lowest first: a SIGCHLD that is still pending may
                    // be about a stop of the command.
                    let _ = self.reap();
                    self.take(&info);
                }
                Heard::Child(pid, change) => self.child_changed(pid, change),
                Heard::Nothing => {}
                Heard::TimeIsOver => {
                    if self.life.run_out() {
                        job_control::send(self.command, Signal::KILL);
                    }
                }
            }
        }
    }

    /// The events to wait for without signals. Until it is known whether the command was executed, that is also the pipe `executed`.
    fn instead(&self) -> Instead {
        Instead { input: self.state.launch.executed.filter(|_| self.ran.is_none()).map(|pipe| pipe.read), ..ANY_CHILD }
    }

    /// The command has ended, other processes may have not. Returns whether to wait for them.
    fn outlives(&mut self, status: u8, until: Option<Time>) -> bool {
        let until = match self.spec.life.end {
            End::AtOnce | End::Term { .. } => return false,
            End::Wait => until,
            End::Leave => {
                self.state.launch.inform(News::Left, self.remapped(status));
                None
            }
            End::Grace(span) => {
                self.signal_rest(&[Signal::TERM, Signal::CONT]);
                Some(sys::now().after_span(span))
            }
        };
        self.life = Life::Ending { status, until };
        true
    }

    /// Returns the exit status that stands for the command's; or dies of the signal that the command died of.
    fn finish(self, status: u8) -> i32 {
        if let End::Term { group } = self.spec.life.end
            && let Some(signal) = self.rewritten(Signal::TERM)
        {
            if group {
                // Only the group: the command was reaped, so that another process may have its number.
                let _ = sys::kill(-self.command.as_raw_nonzero().get(), signal);
            }
            self.log(2, Event::Forwarded, [signal.number(), 0]);
        }
        let own = if self.refused { failed() } else { self.remapped(status).into() };
        let outcome = Outcome { status: own, ran: self.ran == Some(true) && !self.refused, killer: self.killer };
        let Init { spec, state, name, job, .. } = self;
        let report = || {
            let (event, numbers) = match outcome.killer {
                Some(killer) => (Event::Died, [killer.number(), status.into()]),
                None => (Event::Ended, [status.into(), 0]),
            };
            // The launcher of a machine prints it, in the kernel's log too.
            if spec.life.verbose >= 1 && !(spec.machine.is_whole && spec.makes_container()) {
                tell(event, numbers, name);
            }
        };
        if !spec.makes_container() {
            let mut ended = Ended::new(&state.launch, &state.outside, Some(job), outcome);
            let _ = teardown::plan(&mut ended);
            // After the relay: on a raw terminal, a newline does not return to the start of the line.
            report();
            return teardown::exit(&ended);
        }
        report();
        if let Some(killer) = outcome.killer {
            state.launch.inform(News::Died, killer.number() as u8);
        }
        if spec.has_pty() {
            state.launch.inform(News::Silent, 0);
            pty::outlive(state.launch.go.known().map(|pipe| pipe.read));
        }
        own
    }

    fn remapped(&self, status: u8) -> u8 {
        self.spec.life.remap.iter().find(|(from, _)| *from == status).map_or(status, |(_, to)| *to)
    }

    /// Looks whether the command has been executed.
    fn look_for_start(&mut self) {
        let (None, Some(pipe)) = (self.ran, self.state.launch.executed) else { return };
        match read(pipe.read, &mut [0u8; 2]) {
            // End of file: the command had the last copy of the write end, and execve(2) closed it.
            Ok(0) => {
                self.ran = Some(true);
                sys::close(pipe.read);
                self.begun();
            }
            Ok(_) => self.ran = Some(false),
            Err(_) => {}
        }
    }

    /// The command has been executed; or it has told the launcher before that it never will be.
    fn begun(&mut self) {
        self.apart.reclaim();
        if !self.spec.makes_container() {
            self.job.begin();
            self.refused = !start::report(self.spec, &mut self.state.outside, self.command, Some(self.command));
            if self.refused && matches!(self.life, Life::Running { .. }) {
                job_control::send(self.command, Signal::KILL);
            }
        } else if self.spec.awaits_start() {
            self.state.launch.inform(News::Started, 0);
        }
        (self.then)();
    }

    /// Whether the launcher has ended. It may have no number in our pid namespace: the end of the pipe tells.
    fn is_alone(&self) -> bool {
        self.state.launch.go.known().is_some_and(|pipe| pipe.is_ended() == Ok(true))
    }

    fn log(&self, level: u8, event: Event, numbers: [i32; 2]) {
        if self.spec.life.verbose >= level {
            tell(event, numbers, self.name);
        }
    }

    /// Reaps all children that have changed.
    ///
    /// # Errors
    /// ECHILD: no child is left. EPERM, ENOSYS or any other: a seccomp filter forbids wait4(2).
    fn reap(&mut self) -> Done {
        let mut logged = false;
        loop {
            let Some((pid, change)) = sys::wait4(None, false)? else { return Ok(()) };
            if !logged {
                // Once for each batch: one SIGCHLD may stand for several children, or be read later than its child.
                self.log(3, Event::ChildChanged, [Signal::CHLD.number(), 0]);
                logged = true;
            }
            self.child_changed(pid, change);
        }
    }

    fn child_changed(&mut self, pid: Pid, change: Change) {
        if pid == self.command {
            return self.command_changed(change);
        }
        let ended = matches!(change, Change::Exited(_) | Change::Killed(_));
        if ended && self.job.was_relay(pid) {
            return;
        }
        self.log_child(pid, change);
        if ended && self.spec.life.tell_reaped {
            tell(Event::Reaped, [pid.as_raw_nonzero().get(), 0], c"");
        }
    }

    /// Reports a child that has ended.
    fn log_child(&self, pid: Pid, change: Change) {
        let (event, how) = match change {
            Change::Exited(status) => (Event::Exited, status.into()),
            Change::Killed(signal) => (Event::Killed, signal.number()),
            _ => return,
        };
        self.log(3, event, [pid.as_raw_nonzero().get(), how]);
    }

    fn command_changed(&mut self, change: Change) {
        if wording::chosen().tells_of_command {
            self.log_child(self.command, change);
        }
        match change {
            Change::Exited(status) => self.life.set_ended(status),
            Change::Killed(signal) => {
                self.killer = Some(signal);
                self.life.set_ended(exit::of_signal(signal));
            }
            Change::Continued => self.life.set_stopped(false),
            Change::Stopped(signal) => {
                self.life.set_stopped(true);
                self.pass_stop_on(signal);
            }
        }
    }

    /// The command is stopped: the outermost supervisor stops the job.
    fn pass_stop_on(&mut self, signal: Signal) {
        if self.spec.has_pty() && signal.waits_for_terminal() {
            // No shell would bring it to the foreground of its own terminal. If it led the session, the kernel would not have
            // stopped it: it is hung up, as the kernel does to an orphaned process group with a stopped member (setpgid(2)).
            self.job.signal_group(Signal::HUP);
            self.job.signal_group(Signal::CONT);
            return;
        }
        self.state.launch.inform(News::Stopped, signal.number() as u8);
        if !self.spec.makes_container() {
            self.job.stop(signal);
        }
    }

    fn take(&mut self, info: &Siginfo) {
        let contained = self.spec.makes_container();
        if contained && self.spec.life.die_together && !self.spec.life.process_1 && self.is_alone() {
            self.life = Life::kill(exit::of_signal(Signal::KILL));
            return;
        }
        if info.signal() == Signal::CHLD {
            return;
        }
        self.log(3, Event::Received, [info.signal().number(), 0]);
        if self.job.keeps(info) {
            return;
        }
        // The kernel sends a terminal's signal to the whole process group: a command in ours has got it already.
        if info.code() == SI_KERNEL && !self.spec.life.own_group {
            return;
        }
        if let Some(signal) = self.rewritten(info.signal()) {
            self.log(2, Event::Forwarded, [signal.number(), 0]);
            self.forward(info, signal);
        }
        if self.spec.life.stop_with_command && info.signal().stops_jobs() {
            self.log(3, Event::Suspended, [0, 0]);
            sys::stop();
        }
    }

    /// Forwards what `info` describes, as `signal`.
    fn forward(&mut self, info: &Siginfo, signal: Signal) {
        let contained = self.spec.makes_container();
        if self.spec.life.asks_for_end(signal) {
            self.life.ask(self.spec.life.end, self.spec.life.stop_timeout);
        }
        let Life::Running { stopped, .. } = self.life else { return self.signal_rest(&[signal]) };
        match (info.code(), self.spec.life.audience) {
            (TO_FOREGROUND, _) if contained => self.job.obey_foreground(),
            (TO_GROUP, _) if contained => self.job.signal_group(signal),
            // The kernel sent it to our process group, and means the whole job.
            (SI_KERNEL, _) if !contained && self.job.has_terminal() => self.job.pass_on_from_terminal(signal),
            // Whatever continues a stopped command continues its whole process group.
            _ if signal == Signal::CONT && stopped => self.job.resume(),
            (_, Audience::All) => self.signal_rest(&[signal]),
            (_, Audience::Group) => self.job.signal_group(signal),
            (_, Audience::Command) if signal == info.signal() => job_control::forward(self.command, info),
            _ => job_control::send(self.command, signal),
        }
        match signal {
            // A stopped process handles no signal but SIGKILL: it must run to end.
            _ if signal.ends() && stopped => self.job.signal_group(Signal::CONT),
            // ^Z right after `fg`: a stop signal discards a pending SIGCONT (signal(7)), so that the command stays stopped and no
            // new stop is reported. The job must stop all the same.
            _ if signal.stops_jobs() && stopped => self.pass_stop_on(signal),
            _ => {}
        }
    }

    /// The signal that `signal` is forwarded as. `None`: it is dropped.
    fn rewritten(&self, signal: Signal) -> Option<Signal> {
        if let Some(to) = self.spec.life.rule_for(signal) {
            self.log(3, Event::Translated, [signal.number(), to.into()]);
        }
        let to = self.spec.life.forwarded_as(signal);
        if to.is_none() {
            self.log(3, Event::Dropped, [0, 0]);
        }
        to
    }

    /// Signals all processes but this one.
    fn signal_rest(&self, signals: &[Signal]) {
        if self.spec.life.process_1 {
            for signal in signals {
                let _ = sys::kill(-1, *signal);
            }
        } else {
            // In a container, /proc is not the caller's any more.
            descendants::signal_all(self.state.tree, !self.spec.makes_container(), signals);
        }
    }
}
