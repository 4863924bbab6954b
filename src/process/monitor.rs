//! PROCESS: the launcher while the container runs: it forwards signals to process 1 and waits for its end.
//!
//! - Namespaces, rights: the caller's.
//! - Signals: all blocked and taken one by one.
//! - Nothing may fail. If the launcher is killed, the kernel kills process 1.
//! - Next: exit(2) with the command's status.

use rustix::process::Pid;

use crate::channels;
use crate::fs::procfs;
use crate::process::init::{TO_FOREGROUND, TO_GROUP, is_stop};
use crate::process::launcher::needed;
use crate::report::message::{SIGNALLED, blame, failed};
use crate::say;
use crate::spec::Spec;
use crate::state::descriptors;
use crate::state::{News, State};
use crate::sys::files::read;
use crate::sys::{self, Change, SI_KERNEL, SI_QUEUE, Siginfo, Signal};
use crate::tty::job::Stop;
use crate::tty::{job, pty};

/// The status of a container that called reboot(2) to restart: as systemd-nspawn has it.
const RESTART: i32 = 133;

/// The launcher while the container runs.
pub struct Supervisor<'a> {
    pub spec: &'a Spec<'a>,
    pub state: &'a mut State,
    pub container: Pid,
    /// What CMD died of, if we are to die of it too.
    pub killer: Option<Signal>,
    /// What process 1 was killed for, before CMD began.
    pub ended_for: Option<Signal>,
    /// That CMD has been executed could not be reported: the container ends.
    pub refused: bool,
    /// CMD has been executed, which has been told; or never was.
    pub started: bool,
    pub failed: bool,
    /// CMD's exit status, where process 1 goes on without it.
    pub left: Option<u8>,
}

impl Supervisor<'_> {
    /// Forwards signals until the container has ended. Returns the exit status.
    pub fn forever(mut self) -> i32 {
        self.keep_what_is_needed();
        loop {
            self.read_news();
            if let Some(status) = self.left.map_or_else(|| self.reap(), |status| Some(status.into())) {
                if let Some(terminal) = self.state.terminal.filter(|_| self.state.lent) {
                    job::take_back(terminal, self.state.modes_after(self.killer));
                }
                self.read_news();
                pty::end(self.state);
                let ran = !self.failed && !self.refused;
                channels::ended(self.spec, self.state, ran.then_some(status), self.killer);
                if self.refused {
                    return failed();
                }
                if let Some(killer) = self.killer.filter(|_| self.spec.life.propagate) {
                    sys::die_of(killer);
                }
                return status;
            }
            // EINTR after a stop is no signal.
            let mut info = Siginfo::EMPTY;
            if sys::wait_signal(None, &mut info).is_ok() {
                self.take(&info);
            }
        }
    }

    /// Gives up the caller's descriptors: whoever waits for their end is not to wait for ours. The pipe's end that we
    /// wrote to is how the others know that we live.
    fn keep_what_is_needed(&self) {
        // It answers EINVAL only for an empty range, and there is none.
        let _ = descriptors::close_all_but(&needed(self.spec, self.state), &[]);
    }

    /// The exit status, if the container has ended.
    fn reap(&mut self) -> Option<i32> {
        let namespaced = self.spec.life.process_1;
        loop {
            return match sys::wait4(Some(self.container), false) {
                Ok(None) => None,
                Ok(Some((_, Change::Killed(Signal::KILL)))) if let Some(signal) = self.ended_for => {
                    (self.killer, self.failed) = (Some(signal), true);
                    Some(i32::from(SIGNALLED) + signal.number())
                }
                Ok(Some((_, Change::Exited(status)))) => Some(i32::from(status)),
                // How the kernel tells of reboot(2) in a pid namespace: SIGHUP for a restart, SIGINT for an end.
                Ok(Some((_, Change::Killed(Signal::HUP)))) if namespaced => Some(RESTART),
                Ok(Some((_, Change::Killed(Signal::INT)))) if namespaced => Some(0),
                Ok(Some((_, Change::Killed(signal)))) => {
                    self.killer = Some(signal);
                    Some(i32::from(SIGNALLED) + signal.number())
                }
                // It is CMD itself: no other process reports it.
                Ok(Some((_, Change::Stopped(signal)))) if !self.spec.supervises() => {
                    self.stopped(signal);
                    continue;
                }
                Ok(Some(_)) => continue,
                Err(why) => {
                    // Not reaped, it is still there under its number; unwatched it does not go on.
                    self.kill(Signal::KILL);
                    blame(say!("wait for"), c"process 1", why);
                    Some(failed())
                }
            };
        }
    }

    fn take(&mut self, info: &Siginfo) {
        self.state.asked |= info.signal().ends();
        // Process 1 may wait for a file system that does not answer, and then for nothing but SIGKILL.
        if info.signal().ends() && self.state.begun.is_some_and(|pipe| !sys::is_unread(pipe.write)) {
            self.ended_for = self.ended_for.or(Some(info.signal()));
            return self.kill(Signal::KILL);
        }
        if self.spec.terminal.pty && info.code() == SI_KERNEL && pty::take(info.signal()) {
            return;
        }
        match (info.signal(), info.code()) {
            (Signal::CHLD, _) => pty::look_after(self.state),
            (Signal::IO, _) if self.state.is_news(info) => {}
            (Signal::CONT, _) => self.resume(),
            // CMD is in our group and has got it already; or has left it, and is not of the job that is stopped.
            (signal, SI_KERNEL) if !self.spec.life.own_group && (is_stop(signal) || !self.spec.life.new_session) => {
                if is_stop(signal) {
                    sys::stop();
                }
            }
            // What the terminal sends us it sends to a group, and CMD's is another: it means the whole job.
            (signal, SI_KERNEL) => self.signal_group(signal),
            (signal, SI_QUEUE) => {
                // Where the queue is full the signal still arrives, without its value.
                if sys::queue(self.container, signal, info).is_err() {
                    self.kill(signal);
                }
            }
            (signal, _) => self.kill(signal),
        }
    }

    /// Ends the container. Where no pid namespace ends with process 1, that ends the others, as if we were no more.
    fn give_up(&self) {
        if self.spec.life.process_1 || !self.spec.supervises() {
            return self.kill(Signal::KILL);
        }
        sys::close(descriptors::number(self.state.go.map(|pipe| pipe.write)));
        self.kill(Signal::TERM);
    }

    fn kill(&self, signal: Signal) {
        // Process 1 has not been reaped, so the number is its own; ESRCH has nobody to be told to.
        let _ = sys::kill(self.container.as_raw_nonzero().get(), signal);
    }

    fn send(&self, signal: Signal, code: i32) {
        let _ = sys::queue(self.container, signal, &Siginfo::with_code(signal, code));
    }

    /// CMD's process group, which is known to process 1.
    fn signal_group(&self, signal: Signal) {
        if self.spec.supervises() {
            self.send(signal, TO_GROUP);
        } else {
            procfs::signal_session(self.container, signal);
        }
    }

    fn read_news(&mut self) {
        let mut news = [0u8; 2];
        let Some(pipe) = self.state.news else { return };
        loop {
            let [kind, value] = match read(pipe.read, &mut news) {
                Ok(2) => news,
                // Nobody has it any more: process 1 itself has been executed as CMD.
                Ok(0) if !self.spec.supervises() && !self.started && !self.failed => [News::Started as u8, 0],
                _ => return,
            };
            match News::of(kind) {
                News::Stopped => self.stopped(Signal::new(value.into())),
                News::Died => self.killer = Some(Signal::new(value.into())),
                News::Silent => pty::end(self.state),
                News::Left => self.left = Some(value),
                News::Failed => self.failed = true,
                News::Started if self.started || self.failed => {}
                News::Started => {
                    self.started = true;
                    pty::begin(self.state);
                    self.refused = !channels::started(self.spec, self.state, self.container);
                    if self.refused {
                        self.give_up();
                    }
                }
            }
        }
    }

    fn stopped(&mut self, signal: Signal) {
        if self.spec.terminal.pty {
            if pty::stop(self.state) != Some(true) && signal != Signal::STOP {
                self.signal_group(Signal::CONT);
            }
            return;
        }
        let Some(terminal) = self.state.terminal.filter(|_| self.spec.life.own_group) else { return };
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

    /// We were continued, by `fg` if our group is in the foreground now.
    fn resume(&mut self) {
        match self.state.terminal {
            Some(terminal) if self.spec.lends_terminal() && job::is_ours(terminal) => {
                self.state.lent = true;
                self.send(Signal::CONT, TO_FOREGROUND);
            }
            _ if self.spec.supervises() => self.kill(Signal::CONT),
            _ => self.signal_group(Signal::CONT),
        }
    }
}
