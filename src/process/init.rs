//! PROCESS: INIT, from CMD's start to the end. Process 1 of a container or an image, or the reaper of CMD's orphans.
//!
//! - Namespaces: the container's, entered; or the caller's (`Mode::Init`, `Mode::Enter`), and then we are
//!   the launcher too.
//! - Rights: CAP_KILL.
//! - Signals: all blocked and taken one by one, so that none is lost and none wakes us without cause. A fault of our
//!   own (SIGSEGV ...) still ends us: the kernel does not block those.
//! - Nothing may fail from here on: there is no `Result` in this file.
//! - Next: exit(2) with CMD's status, and the kernel ends what is left.

use core::ffi::CStr;

use rustix::process::Pid;

use crate::channels::start;
use crate::fs::procfs;
use crate::report::exit;
use crate::report::message::{blame, failed, tell};
use crate::report::wording::{self, Event};
use crate::say;
use crate::spec::{Audience, End, Mode, Spec};
use crate::state::{News, Outcome, Relay, Supervision};
use crate::supervise::descendants;
use crate::supervise::job_control::{self, Job, Reach, TO_FOREGROUND, TO_GROUP};
use crate::supervise::shutdown::Life;
use crate::supervise::teardown::{self, Ended};
use crate::supervise::wait::{self, ANY_CHILD, Heard, Instead};
use crate::sys::files::read;
use crate::sys::{self, Apart, Change, Done, SI_KERNEL, Siginfo, Signal, Time};
use crate::tty::pty;

/// What process 1 knows.
pub struct Init<'a> {
    spec: &'a Spec<'a>,
    state: &'a mut Supervision,
    command: Pid,
    life: Life,
    /// What CMD died of.
    killer: Option<Signal>,
    job: Job,
    /// CMD's name.
    name: &'a CStr,
    /// CMD, as long as it has not been executed.
    apart: Apart<'a>,
    /// Whether CMD has been executed, if that is known already.
    ran: Option<bool>,
    /// That could not be reported: CMD is killed.
    refused: bool,
    /// Called when CMD has been executed.
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
        let job = if spec.makes_container() {
            Job::inside(&state.launch, command)
        } else if spec.mode == Mode::Enter && spec.life.new_session {
            Job::new(&state.launch, relay, Reach::Session(command))
        } else {
            Job::new(&state.launch, relay, Reach::Command(command))
        };
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

    /// Reaps and forwards until all is at its end. Returns the exit status.
    pub fn forever(mut self) -> i32 {
        self.tell(1, Event::Started, [self.command.as_raw_nonzero().get(), 0]);
        loop {
            let reaped = self.reap();
            let nobody_left = reaped.is_err();
            self.look_for_start();
            let life = self.life;
            match life {
                // A filter around us forbids wait4(2): nobody will tell us of CMD's end.
                Life::Running { .. } => {
                    if let Err(why) = reaped {
                        job_control::send(self.command, Signal::KILL);
                        blame(say!("wait for"), c"CMD", why);
                        return failed();
                    }
                }
                Life::Ended { status, until } if nobody_left || !self.outlives(status, until) => {
                    return self.finish(status);
                }
                Life::Ending { status, .. } | Life::Killing { status } if nobody_left => return self.finish(status),
                // The kernel kills the rest of a pid namespace when its process 1 ends.
                Life::Killing { status } if self.spec.life.process_1 => return self.finish(status),
                Life::Killing { .. } => {
                    // Else they could fork faster than they are killed.
                    self.signal_rest(&[Signal::STOP]);
                    self.signal_rest(&[Signal::KILL]);
                }
                Life::Ended { .. } | Life::Ending { .. } => {}
            }
            match wait::signal(self.life.patience(), self.instead()) {
                Heard::Signal(info) => {
                    // Signals come in the order of their numbers: whether CMD is stopped may be told by a later one.
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

    /// What is waited for if signals cannot be: first of all, the end of the pipe that tells whether CMD has been executed.
    fn instead(&self) -> Instead {
        Instead { input: self.state.launch.executed.filter(|_| self.ran.is_none()).map(|pipe| pipe.read), ..ANY_CHILD }
    }

    /// CMD has ended and others have not. Whether they are waited for.
    fn outlives(&mut self, status: u8, until: Option<Time>) -> bool {
        let until = match self.spec.life.end {
            End::AtOnce | End::Term { .. } => return false,
            End::Wait => until,
            End::Leave => {
                self.state.launch.inform(News::Left, self.remapped(status));
                None
            }
            End::Grace(seconds) => {
                self.signal_rest(&[Signal::TERM, Signal::CONT]);
                Some(sys::now().after(seconds))
            }
        };
        self.life = Life::Ending { status, until };
        true
    }

    /// The exit status that stands for the command's; or the supervisor's own death by the signal that the command died of.
    fn finish(self, status: u8) -> i32 {
        if let End::Term { group } = self.spec.life.end
            && let Some(signal) = self.rewritten(Signal::TERM)
        {
            if group {
                // Only the group: the command's own number may be another's by now.
                let _ = sys::kill(-self.command.as_raw_nonzero().get(), signal);
            }
            self.tell(2, Event::Forwarded, [signal.number(), 0]);
        }
        let own = if self.refused { failed() } else { self.remapped(status).into() };
        let outcome = Outcome { status: own, ran: self.ran == Some(true) && !self.refused, killer: self.killer };
        let Init { spec, state, name, job, .. } = self;
        let Supervision { launch, outside, .. } = *state;
        let report = || {
            let (event, numbers) = match outcome.killer {
                Some(killer) => (Event::Died, [killer.number(), status.into()]),
                None => (Event::Ended, [status.into(), 0]),
            };
            if spec.life.verbose >= 1 {
                tell(event, numbers, name);
            }
        };
        if !spec.makes_container() {
            let mut ended = Ended { launch, outside, job: Some(job), outcome };
            let _ = teardown::plan(&mut ended);
            // After the relay: a raw terminal needs more than the end of a line.
            report();
            return teardown::exit(&ended);
        }
        report();
        if let Some(killer) = outcome.killer {
            launch.inform(News::Died, killer.number() as u8);
        }
        if spec.terminal.pty {
            launch.inform(News::Silent, 0);
            pty::outlive(launch.go.known().map(|pipe| pipe.read));
        }
        own
    }

    fn remapped(&self, status: u8) -> u8 {
        self.spec.life.remap.iter().find(|(from, _)| *from == status).map_or(status, |(_, to)| *to)
    }

    /// Whether CMD has been executed, if we are to know, and are the one whom he tells.
    fn look_for_start(&mut self) {
        if let (None, Some(pipe)) = (self.ran, self.state.launch.executed) {
            match read(pipe.read, &mut [0u8; 2]) {
                // End of file: CMD had the last copy of the other end, and execve(2) closed it.
                Ok(0) => {
                    self.ran = Some(true);
                    self.apart.reclaim();
                    sys::close(pipe.read);
                    if self.spec.makes_container() {
                        if self.spec.awaits_start() {
                            // It has been, or has said before that it will never be.
                            self.state.launch.inform(News::Started, 0);
                        }
                    } else {
                        self.job.begin();
                        self.refused = !start::report(self.spec, &mut self.state.outside, self.command);
                        if self.refused {
                            job_control::send(self.command, Signal::KILL);
                        }
                    }
                    (self.then)();
                }
                Ok(_) => self.ran = Some(false),
                Err(_) => {}
            }
        }
    }

    /// Whether the launcher is no more. He may have no number in our pid namespace.
    fn is_alone(&self) -> bool {
        self.state.launch.go.known().is_some_and(|pipe| pipe.is_ended() == Ok(true))
    }

    fn tell(&self, level: u8, event: Event, numbers: [i32; 2]) {
        if self.spec.life.verbose >= level {
            tell(event, numbers, self.name);
        }
    }

    /// Takes all that have ended.
    ///
    /// # Errors
    /// ECHILD: no child is left; those of a filter around us.
    fn reap(&mut self) -> Done {
        let mut told = false;
        loop {
            let Some((pid, change)) = sys::wait4(None, false)? else { return Ok(()) };
            if !told {
                // A SIGCHLD may have been forestalled, or stand for several children.
                self.tell(3, Event::ChildChanged, [Signal::CHLD.number(), 0]);
                told = true;
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
        self.tell_child(pid, change);
        if ended && self.spec.life.tell_reaped {
            tell(Event::Reaped, [pid.as_raw_nonzero().get(), 0], c"");
        }
    }

    /// Reports a child that has ended.
    fn tell_child(&self, pid: Pid, change: Change) {
        let (event, how) = match change {
            Change::Exited(status) => (Event::Exited, status.into()),
            Change::Killed(signal) => (Event::Killed, signal.number()),
            _ => return,
        };
        self.tell(3, event, [pid.as_raw_nonzero().get(), how]);
    }

    fn command_changed(&mut self, change: Change) {
        if wording::chosen().tells_of_command {
            self.tell_child(self.command, change);
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

    /// CMD is stopped: so is the job, which the launcher sees to, or, where there is none, we do.
    fn pass_stop_on(&mut self, signal: Signal) {
        if self.spec.terminal.pty && matches!(signal, Signal::TTIN | Signal::TTOU) {
            // No shell could give it the terminal, and the kernel would not have stopped a leader of the session.
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
            self.life = Life::Killing { status: exit::of_signal(Signal::KILL) };
            return;
        }
        if info.signal() == Signal::CHLD {
            return;
        }
        self.tell(3, Event::Received, [info.signal().number(), 0]);
        if self.job.keeps(info) {
            return;
        }
        // What the terminal sends to our group, CMD has got already if it is in it.
        if info.code() == SI_KERNEL && !self.spec.life.own_group {
            return;
        }
        if let Some(signal) = self.rewritten(info.signal()) {
            self.tell(2, Event::Forwarded, [signal.number(), 0]);
            self.forward(info, signal);
        }
        if self.spec.life.stop_with_command && info.signal().stops_jobs() {
            self.tell(3, Event::Suspended, [0, 0]);
            sys::stop();
        }
    }

    /// Passes on what `info` tells of, as `signal`.
    fn forward(&mut self, info: &Siginfo, signal: Signal) {
        let contained = self.spec.makes_container();
        if signal.ends() {
            self.life.ask(self.spec.life.end, self.spec.life.stop_timeout);
        }
        let Life::Running { stopped, .. } = self.life else { return self.signal_rest(&[signal]) };
        match (info.code(), self.spec.life.audience) {
            (TO_FOREGROUND, _) if contained => self.job.obey_foreground(),
            (TO_GROUP, _) if contained => self.job.signal_group(signal),
            // What the terminal sends us it sends to a group, and CMD's is another: it means the whole job.
            // What the terminal sends us it sends to a group, and CMD's is another: it means the whole job.
            (SI_KERNEL, _) if !contained && self.job.has_terminal() => self.job.pass_on_from_terminal(signal),
            // A stopped job is one: what continues its leader continues all of it.
            _ if signal == Signal::CONT && stopped => self.job.resume(),
            (_, Audience::All) => self.signal_rest(&[signal]),
            (_, Audience::Group) => self.job.signal_group(signal),
            (_, Audience::Command) if signal == info.signal() => job_control::forward(self.command, info),
            _ => job_control::send(self.command, signal),
        }
        match signal {
            // What is to end must run to do so.
            _ if signal.ends() && stopped => self.job.signal_group(Signal::CONT),
            // ^Z right after `fg`: the kernel has dropped the SIGCONT that was on its way (signal(7)), so CMD never went on
            // and is not stopped anew, but the job is to be.
            _ if signal.stops_jobs() && stopped => self.pass_stop_on(signal),
            _ => {}
        }
    }

    /// What a signal is forwarded as.
    fn rewritten(&self, signal: Signal) -> Option<Signal> {
        let number = signal.number() as u8;
        let rewrite = self.spec.life.rewrite.iter().find(|(from, _)| *from == number);
        let to = rewrite.map_or(number, |(_, to)| *to);
        if rewrite.is_some() {
            self.tell(3, Event::Translated, [number.into(), to.into()]);
        }
        if to == 0 {
            self.tell(3, Event::Dropped, [0, 0]);
        }
        (to != 0).then_some(Signal::new(to.into()))
    }

    /// All processes but us: kill(-1) as process 1, else all our descendants.
    fn signal_rest(&self, signals: &[Signal]) {
        if self.spec.life.process_1 {
            for signal in signals {
                let _ = sys::kill(-1, *signal);
            }
        } else if let Some(proc) = self.state.tree {
            descendants::signal_all(proc, signals);
        } else if !self.spec.makes_container()
            && let Ok(proc) = procfs::open()
        {
            descendants::signal_all(proc, signals);
            sys::close(proc);
        }
    }
}

/// Has no CMD: reaps until it is asked to end. Returns the exit status.
pub fn pause() -> i32 {
    loop {
        while matches!(sys::wait4(None, false), Ok(Some(_))) {}
        if let Heard::Signal(info) = wait::signal(None, ANY_CHILD)
            && matches!(info.signal(), Signal::INT | Signal::TERM)
        {
            return 0;
        }
    }
}
