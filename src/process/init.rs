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

use crate::channels;
use crate::fs::procfs;
use crate::report::message::{SIGNALLED, blame, failed, tell};
use crate::report::wording;
use crate::report::wording::Event;
use crate::say;
use crate::spec::{Audience, End, Mode, Spec};
use crate::state::descriptors;
use crate::state::{News, State};
use crate::supervise::descendants;
use crate::sys::files::read;
use crate::sys::{self, Apart, Change, Done, Failure, Polled, READABLE, SI_KERNEL, SI_QUEUE, Siginfo, Signal, Time};
use crate::tty::job::{self, Stop};
use crate::tty::pty;

/// `si_code`s that the launcher sends with, which say more than the signal does. The kernel lets anybody choose a
/// negative code: whoever forges these moves his own terminal and his own group.
pub const TO_FOREGROUND: i32 = -0x6e01;
/// See [`TO_FOREGROUND`].
pub const TO_GROUP: i32 = -0x6e02;

/// What process 1 knows.
pub struct Init<'a> {
    spec: &'a Spec<'a>,
    state: &'a mut State,
    command: Pid,
    life: Life,
    /// What CMD died of.
    killer: Option<Signal>,
    /// The user's filter, which holds for us too, forbids waiting for signals: then only the children are waited for.
    deaf: bool,
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

/// How far it has come.
#[derive(Clone, Copy)]
enum Life {
    /// CMD runs, or is stopped; it has been asked to end and has until then.
    Running { stopped: bool, until: Option<Time> },
    /// CMD has ended with this status; whether other processes are left is not known yet. `until`: of --stop-timeout.
    Ended { status: u8, until: Option<Time> },
    /// CMD has ended; the rest has until then.
    Ending { status: u8, until: Option<Time> },
    /// The rest is being killed.
    Killing { status: u8 },
}

impl<'a> Init<'a> {
    #[must_use]
    pub fn new(
        spec: &'a Spec<'a>,
        state: &'a mut State,
        (command, apart): (Pid, Apart<'a>),
        name: &'a CStr,
        then: &'a dyn Fn(),
    ) -> Init<'a> {
        Init {
            spec,
            state,
            command,
            name,
            apart,
            then,
            life: Life::Running { stopped: false, until: None },
            killer: None,
            deaf: false,
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
                        self.signal_command(Signal::KILL);
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
            if self.deaf {
                continue;
            }
            let mut info = Siginfo::EMPTY;
            match sys::wait_signal(self.patience(), &mut info) {
                Ok(()) => {
                    // Signals come in the order of their numbers: whether CMD is stopped may be told by a later one.
                    let _ = self.reap();
                    self.take(&info);
                }
                Err(Failure::AGAIN) => self.time_is_over(),
                // Stopped and continued from outside.
                Err(Failure::INTR) => {}
                Err(_) => {
                    self.deaf = true;
                    self.wait_for_start();
                }
            }
        }
    }

    /// CMD has ended and others have not. Whether they are waited for.
    fn outlives(&mut self, status: u8, until: Option<Time>) -> bool {
        let until = match self.spec.life.end {
            End::AtOnce | End::Term { .. } => return false,
            End::Wait => until,
            End::Leave => {
                self.state.inform(News::Left, self.remapped(status));
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

    /// The exit status that stands for CMD's; or our own death by the signal that CMD died of.
    fn finish(&mut self, status: u8) -> i32 {
        let outermost = !self.spec.makes_container();
        if let End::Term { group } = self.spec.life.end
            && let Some(signal) = self.rewritten(Signal::TERM)
        {
            if group {
                // Only the group: CMD's own number may be another's by now.
                let _ = sys::kill(-self.command.as_raw_nonzero().get(), signal);
            }
            self.tell(2, Event::Forwarded, [signal.number(), 0]);
        }
        if let Some(terminal) = self.state.terminal.filter(|_| outermost && self.state.lent) {
            job::take_back(terminal, self.state.modes_after(self.killer));
        }
        if outermost {
            // A raw terminal needs more than the end of a line.
            pty::end(self.state);
        }
        match self.killer {
            Some(killer) => self.tell(1, Event::Died, [killer.number(), status.into()]),
            None => self.tell(1, Event::Ended, [status.into(), 0]),
        }
        let end = if self.refused { failed() } else { self.remapped(status).into() };
        if outermost {
            let ran = self.ran == Some(true) && !self.refused;
            channels::ended(self.spec, self.state, ran.then_some(end), self.killer);
        }
        if let Some(killer) = self.killer {
            if !outermost {
                self.state.inform(News::Died, killer.number() as u8);
            } else if self.spec.life.propagate {
                sys::die_of(killer);
            }
        }
        if !outermost && self.spec.terminal.pty {
            self.state.inform(News::Silent, 0);
            pty::outlive(self.state);
        }
        end
    }

    fn remapped(&self, status: u8) -> u8 {
        self.spec.life.remap.iter().find(|(from, _)| *from == status).map_or(status, |(_, to)| *to)
    }

    /// Whether CMD has been executed, if we are to know, and are the one whom he tells.
    fn look_for_start(&mut self) {
        if let (None, Some(pipe)) = (self.ran, self.state.executed) {
            match read(pipe.read, &mut [0u8; 2]) {
                // End of file: CMD had the last copy of the other end, and execve(2) closed it.
                Ok(0) => {
                    self.ran = Some(true);
                    self.apart.reclaim();
                    sys::close(descriptors::number(Some(pipe.read)));
                    if self.spec.makes_container() {
                        if self.spec.awaits_start() {
                            // It has been, or has said before that it will never be.
                            self.state.inform(News::Started, 0);
                        }
                    } else {
                        pty::begin(self.state);
                        self.refused = !channels::started(self.spec, self.state, self.command);
                        if self.refused {
                            self.signal_command(Signal::KILL);
                        }
                    }
                    (self.then)();
                }
                Ok(_) => self.ran = Some(false),
                Err(_) => {}
            }
        }
    }

    /// Nobody will tell when there are news.
    fn wait_for_start(&mut self) {
        if let (None, Some(pipe)) = (self.ran, self.state.executed) {
            let _ = sys::poll(&mut [Polled::new(pipe.read, READABLE)], None);
            self.look_for_start();
        }
    }

    /// Whether the launcher is no more. He may have no number in our pid namespace.
    fn is_alone(&self) -> bool {
        self.state.go.is_some_and(|pipe| pipe.is_ended() == Ok(true))
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
            let change = sys::wait4(None, self.deaf);
            if !told && matches!(change, Ok(Some(_))) {
                // A SIGCHLD may have been forestalled, or stand for several children.
                self.tell(3, Event::ChildChanged, [Signal::CHLD.number(), 0]);
                told = true;
            }
            match change {
                Ok(Some((pid, change))) if pid == self.command => {
                    self.changed(change);
                    if self.deaf {
                        return Ok(());
                    }
                }
                Ok(Some((pid, Change::Exited(_) | Change::Killed(_)))) if Some(pid) == self.state.relay_process => {
                    self.state.relay_process = None;
                    pty::restore(self.state.look);
                    // The kernel tells the leader of the session that its terminal is gone; who that is here does not pass it on.
                    self.signal_group(Signal::HUP);
                    self.signal_group(Signal::CONT);
                }
                Ok(Some((pid, change))) => {
                    let ended = self.tell_child(pid, change);
                    if ended && self.spec.life.tell_reaped {
                        tell(Event::Reaped, [pid.as_raw_nonzero().get(), 0], c"");
                    }
                }
                Ok(None) => return Ok(()),
                Err(why) => return Err(why),
            }
        }
    }

    /// Tells of a child that has ended. Returns whether it has.
    fn tell_child(&self, pid: Pid, change: Change) -> bool {
        let (event, how) = match change {
            Change::Exited(status) => (Event::Exited, status.into()),
            Change::Killed(signal) => (Event::Killed, signal.number()),
            _ => return false,
        };
        self.tell(3, event, [pid.as_raw_nonzero().get(), how]);
        true
    }

    fn changed(&mut self, change: Change) {
        if wording::chosen().tells_of_command {
            self.tell_child(self.command, change);
        }
        let until = if let Life::Running { until, .. } = self.life { until } else { None };
        match change {
            Change::Exited(status) => self.life = Life::Ended { status, until },
            Change::Killed(signal) => {
                self.killer = Some(signal);
                self.life = Life::Ended { status: SIGNALLED.saturating_add(signal.number() as u8), until };
            }
            Change::Continued => self.set_stopped(false),
            Change::Stopped(signal) => {
                self.set_stopped(true);
                self.pass_stop_on(signal);
            }
        }
    }

    /// CMD is stopped: so is the job, which the launcher sees to, or, where there is none, we do.
    fn pass_stop_on(&mut self, signal: Signal) {
        if self.spec.terminal.pty && matches!(signal, Signal::TTIN | Signal::TTOU) {
            // No shell could give it the terminal, and the kernel would not have stopped a leader of the session.
            self.signal_group(Signal::HUP);
            self.signal_group(Signal::CONT);
            return;
        }
        self.state.inform(News::Stopped, signal.number() as u8);
        if !self.spec.makes_container() {
            self.stop(signal);
        }
    }

    fn set_stopped(&mut self, now: bool) {
        if let Life::Running { stopped, .. } = &mut self.life {
            *stopped = now;
        }
    }

    /// There is no launcher: the caller's shell waits for us.
    fn stop(&mut self, signal: Signal) {
        if self.spec.terminal.pty {
            let continued = pty::stop(self.state);
            if continued.is_none() {
                self.state.relay_process = None;
                self.signal_group(Signal::HUP);
            }
            if continued != Some(true) && signal != Signal::STOP {
                self.signal_group(Signal::CONT);
            }
            return;
        }
        let Some(terminal) = self.state.terminal else { return };
        match job::stop(terminal, &mut self.state.lent, signal) {
            Stop::Resume => self.resume(),
            Stop::Continued => {}
            Stop::Orphaned { hang_up } => {
                if hang_up {
                    self.signal_group(Signal::HUP);
                }
                self.signal_group(Signal::CONT);
            }
        }
    }

    /// CMD goes on, in the foreground if that is ours.
    fn resume(&mut self) {
        let lends = self.spec.lends_terminal() || self.spec.terminal.pty;
        if let Some(terminal) = self.state.terminal.filter(|terminal| lends && job::is_ours(*terminal)) {
            self.state.lent = true;
            job::hand_to(terminal, self.command);
        }
        self.signal_group(Signal::CONT);
    }

    fn time_is_over(&mut self) {
        match &mut self.life {
            Life::Running { until, .. } => {
                *until = None;
                self.signal_command(Signal::KILL);
            }
            Life::Ending { status, .. } => self.life = Life::Killing { status: *status },
            _ => {}
        }
    }

    /// How long to wait for the next signal.
    fn patience(&self) -> Option<Time> {
        match self.life {
            Life::Running { until: Some(until), .. } | Life::Ending { until: Some(until), .. } => {
                Some(until.since(sys::now()))
            }
            // More may have been born than the last look showed.
            Life::Killing { .. } => Some(Time::SHORT),
            _ => None,
        }
    }

    fn take(&mut self, info: &Siginfo) {
        let contained = self.spec.makes_container();
        if contained && self.spec.life.die_together && !self.spec.life.process_1 && self.is_alone() {
            self.life = Life::Killing { status: SIGNALLED + Signal::KILL.number() as u8 };
            return;
        }
        if info.signal() == Signal::CHLD {
            return;
        }
        self.state.asked |= info.signal().ends();
        self.tell(3, Event::Received, [info.signal().number(), 0]);
        if self.spec.terminal.pty && !contained && info.code() == SI_KERNEL && pty::take(info.signal()) {
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
        if self.spec.life.stop_with_command && is_stop(info.signal()) {
            self.tell(3, Event::Suspended, [0, 0]);
            sys::stop();
        }
    }

    /// Passes on what `info` tells of, as `signal`.
    fn forward(&mut self, info: &Siginfo, signal: Signal) {
        let contained = self.spec.makes_container();
        let limit = || self.spec.life.stop_timeout.map(|seconds| sys::now().after(seconds));
        let (stopped, until) = match self.life {
            Life::Running { stopped, until } => (stopped, until),
            Life::Ending { status, until } => {
                if signal.ends() && self.spec.life.end == End::Wait {
                    self.life = Life::Ending { status, until: until.or(limit()) };
                }
                return self.signal_rest(&[signal]);
            }
            _ => return self.signal_rest(&[signal]),
        };
        match (info.code(), self.spec.life.audience) {
            (TO_FOREGROUND, _) if contained => {
                if let Some(terminal) = self.state.terminal {
                    job::hand_to(terminal, self.command);
                }
                self.signal_group(Signal::CONT);
            }
            (TO_GROUP, _) if contained => self.signal_group(signal),
            // What the terminal sends us it sends to a group, and CMD's is another: it means the whole job.
            (SI_KERNEL, _) if self.spec.mode == Mode::Enter && self.spec.life.new_session => {
                procfs::signal_session(self.command, signal);
            }
            (SI_KERNEL, _) if !contained && (self.state.terminal.is_some() || self.spec.terminal.pty) => {
                self.signal_group(signal);
            }
            // A stopped job is one: what continues its leader continues all of it.
            _ if signal == Signal::CONT && stopped => self.resume(),
            (_, Audience::All) => self.signal_rest(&[signal]),
            (_, Audience::Group) => self.signal_group(signal),
            (SI_QUEUE, Audience::Command) if signal == info.signal() => {
                // Where the queue is full the signal still arrives, without its value.
                if sys::queue(self.command, signal, info).is_err() {
                    self.signal_command(signal);
                }
            }
            _ => self.signal_command(signal),
        }
        match signal {
            _ if signal.ends() => {
                // What is to end must run to do so.
                if stopped {
                    self.signal_group(Signal::CONT);
                }
                self.life = Life::Running { stopped, until: until.or(limit()) };
            }
            // ^Z right after `fg`: the kernel has dropped the SIGCONT that was on its way (signal(7)), so CMD never went on
            // and is not stopped anew, but the job is to be.
            _ if is_stop(signal) && stopped => self.pass_stop_on(signal),
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
            sys::close(descriptors::number(Some(proc)));
        }
    }
}

/// Whether the terminal stops jobs with it.
#[must_use]
pub fn is_stop(signal: Signal) -> bool {
    matches!(signal, Signal::TSTP | Signal::TTIN | Signal::TTOU)
}

/// Has no CMD: reaps until it is asked to end. Returns the exit status.
pub fn pause() -> i32 {
    loop {
        while matches!(sys::wait4(None, false), Ok(Some(_))) {}
        let mut info = Siginfo::EMPTY;
        if sys::wait_signal(None, &mut info).is_ok() && matches!(info.signal(), Signal::INT | Signal::TERM) {
            return 0;
        }
    }
}
