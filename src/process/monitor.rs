//! PROCESS: the launcher while the container runs: it forwards signals to process 1 and waits for its end.
//!
//! - Namespaces, rights: the caller's.
//! - Signals: all blocked and read one by one.
//! - No step may fail. If the launcher is killed, the kernel kills process 1.
//! - Next: exit(2) with the command's status.

use rustix::process::Pid;

use crate::cgroup;
#[cfg(feature = "status")]
use crate::channels::json::receive_command;
use crate::channels::start;
#[cfg(feature = "net")]
use crate::net::pasta;
use crate::report::exit;
use crate::report::message::{blame, failed};
use crate::say;
use crate::spec::{End, Spec, rooms};
#[cfg(not(feature = "status"))]
use crate::state::Launch;
use crate::state::{News, Outcome, Relay, Supervision};
use crate::supervise::job_control::{self, Job, Reach};
use crate::supervise::teardown::{self, Ended};
use crate::supervise::wait::{self, Heard, Instead};
use crate::sys::files::read;
use crate::sys::{self, Change, SECOND, SI_KERNEL, Siginfo, Signal, Span, Time};

/// Takes the place of `net::pasta` in a build without that feature.
#[cfg(not(feature = "net"))]
mod pasta {
    /// There is none.
    pub const fn has_ended(_: &mut crate::state::Outside) -> bool {
        false
    }

    /// Nothing to say.
    pub const fn warn_of_end() {}
}

/// The status of a container that called reboot(2) to restart: as systemd-nspawn has it.
const RESTART: i32 = 133;

/// No option of this build asks for it.
#[cfg(not(feature = "status"))]
const fn receive_command(_: &Launch) -> Option<Pid> {
    None
}

/// The launcher while the container runs.
pub struct Supervisor<'a> {
    spec: &'a Spec<'a>,
    state: &'a mut Supervision,
    /// Process 1.
    container: Pid,
    job: Job,
    /// The signal that the command died of.
    killer: Option<Signal>,
    /// The signal for which process 1 was killed before it started the command.
    ended_for: Option<Signal>,
    /// The execution of the command could not be reported: the container ends.
    refused: bool,
    /// The command has been executed, and that was reported.
    started: bool,
    /// The command was never executed.
    failed: bool,
    /// The command, if its number is asked for.
    command: Option<Pid>,
    /// The pipe of the news has no writer any more.
    is_silent: bool,
    /// The command's exit status, if process 1 goes on without the launcher.
    left: Option<u8>,
    /// Process 1 has until then to end the container; then its cgroup is killed, or itself if it is the command.
    until: Option<Time>,
}

impl<'a> Supervisor<'a> {
    #[must_use]
    #[inline(never)]
    pub fn new(spec: &'a Spec<'a>, state: &'a mut Supervision, relay: &Relay, container: Pid) -> Supervisor<'a> {
        let reach = if spec.supervises() { Reach::Process1(container) } else { Reach::Session(container) };
        Supervisor {
            spec,
            container,
            job: Job::new(&state.launch, relay, reach),
            state,
            killer: None,
            ended_for: None,
            refused: false,
            started: false,
            failed: false,
            command: Some(container).filter(|_| !spec.supervises()),
            is_silent: false,
            left: None,
            until: None,
        }
    }

    /// Forwards signals until the container has ended. Returns the exit status.
    #[inline(never)]
    pub fn forever(mut self) -> i32 {
        let status = self.wait_for_end();
        self.finish(status)
    }

    /// Forwards signals until the container has ended. Returns the exit status that it ended with.
    fn wait_for_end(&mut self) -> i32 {
        loop {
            self.read_news();
            // It also ends with the container.
            let has_lost_pasta = pasta::has_ended(&mut self.state.outside);
            if let Some(status) = self.left.map_or_else(|| self.reap(), |status| Some(status.into())) {
                return status;
            }
            if has_lost_pasta {
                pasta::warn_of_end();
            }
            let input = self.state.launch.news.filter(|_| !self.is_silent).map(|pipe| pipe.read);
            let mut info = Siginfo::empty();
            match wait::signal(self.until.map(Time::left), Instead { child: Some(self.container), input }, &mut info) {
                Heard::Signal => self.take(&info),
                Heard::Child(_, change) => {
                    if let Some(status) = self.changed(change) {
                        return status;
                    }
                }
                Heard::TimeIsOver => {
                    self.until = None;
                    if rooms::CGROUP && self.spec.life.as_pid_1 {
                        job_control::send(self.container, Signal::KILL);
                    } else {
                        cgroup::kill_processes(&self.state.launch);
                    }
                }
                Heard::Nothing => {}
            }
        }
    }

    /// The exit status, or the launcher's own death by the signal that the command died of.
    fn finish(mut self, status: i32) -> i32 {
        // Process 1 may have written after the last look.
        self.read_news();
        let outcome = Outcome {
            status: if self.refused { failed() } else { status },
            ran: !self.failed && !self.refused,
            killer: self.killer.filter(|_| !self.refused),
        };
        let mut ended = Ended::new(&self.state.launch, &self.state.outside, Some(self.job), outcome);
        let _ = teardown::plan(&mut ended);
        teardown::exit(&ended)
    }

    /// The exit status, if the container has ended.
    fn reap(&mut self) -> Option<i32> {
        loop {
            match sys::wait4(Some(self.container), false) {
                Ok(None) => return None,
                Ok(Some((_, change))) => {
                    if let Some(status) = self.changed(change) {
                        return Some(status);
                    }
                }
                Err(why) => {
                    // It has not been reaped, so that the number is its own. Without a supervisor it must not go on.
                    job_control::send(self.container, Signal::KILL);
                    blame(say!("wait for"), c"process 1", why);
                    return Some(failed());
                }
            }
        }
    }

    /// Process 1 has changed. Returns the exit status, if it has ended.
    fn changed(&mut self, change: Change) -> Option<i32> {
        match change {
            Change::Exited(status) => Some(status.into()),
            Change::Killed(Signal::KILL) if let Some(signal) = self.ended_for => {
                self.failed = true;
                Some(self.died_of(signal))
            }
            Change::Killed(Signal::KILL) if self.has_no_room() => {
                self.failed = true;
                Some(failed())
            }
            // The kernel's answer to reboot(2) in a pid namespace: SIGHUP for a restart, SIGINT for an end.
            Change::Killed(Signal::HUP) if self.spec.life.process_1 => Some(RESTART),
            Change::Killed(Signal::INT) if self.spec.life.process_1 => Some(0),
            Change::Killed(signal) => Some(self.died_of(signal)),
            Change::Stopped(signal) => {
                // Process 1 is the command: no other process reports its stop.
                if !self.spec.supervises() {
                    self.job.stop(signal);
                }
                None
            }
            Change::Continued => None,
        }
    }

    /// Whether process 1 did not get as far as the command, because of the container's limit on memory. That is reported.
    fn has_no_room(&mut self) -> bool {
        // Process 1 may have written before it was killed.
        self.read_news();
        !self.started && !self.failed && cgroup::blame_memory(&self.state.launch).is_some()
    }

    fn died_of(&mut self, signal: Signal) -> i32 {
        self.killer = Some(signal);
        exit::of_signal(signal).into()
    }

    fn take(&mut self, info: &Siginfo) {
        let keeps = self.job.keeps(info);
        let signal = info.signal();
        // Process 1 may wait for a file system that does not answer, and then for nothing but SIGKILL.
        if signal.ends() && self.state.launch.begun.is_some_and(|pipe| !sys::is_unread(pipe.write)) {
            self.ended_for = self.ended_for.or(Some(signal));
            return job_control::send(self.container, Signal::KILL);
        }
        if keeps {
            return;
        }
        let life = &self.spec.life;
        let to = if rooms::CGROUP { life.forwarded_as(signal) } else { None };
        if to.is_some_and(|to| life.asks_for_end(to)) {
            cgroup::thaw(self.state.launch.cgroup.known());
            self.until = self.until.or_else(|| longest(self.spec).map(|span| sys::now().after_span(span)));
        }
        match (signal, info.code()) {
            (Signal::CHLD, _) => self.job.look_after_relay(),
            (Signal::IO, _) if self.state.launch.is_news(info) => {}
            // Process 1 is the command, and the launcher does what process 1 of nsinit's would do.
            _ if rooms::CGROUP && life.as_pid_1 && to != Some(signal) => {
                to.map_or((), |to| job_control::send(self.container, to))
            }
            (Signal::CONT, _) => self.job.resume(),
            // The command is in our process group, and has got it already; or it has left the group, and with it the job.
            (_, SI_KERNEL) if !life.own_group && (signal.stops_jobs() || !life.new_session) => {
                if signal.stops_jobs() {
                    sys::stop();
                }
            }
            (_, SI_KERNEL) => self.job.pass_on_from_terminal(signal),
            _ => job_control::forward(self.container, info),
        }
    }

    /// Ends the container. Without a pid namespace, process 1 kills the other processes, as it does at the launcher's end: the
    /// end of `go` is that end, and SIGTERM has process 1 look at it.
    fn give_up(&self) {
        if self.spec.life.process_1 || !self.spec.supervises() {
            return job_control::send(self.container, Signal::KILL);
        }
        if let Some(go) = self.state.launch.go.known() {
            sys::close(go.write);
        }
        job_control::send(self.container, Signal::TERM);
    }

    fn read_news(&mut self) {
        let mut news = [0u8; 2];
        let Some(pipe) = self.state.launch.news else { return };
        loop {
            let [kind, value] = match read(pipe.read, &mut news) {
                Ok(2) => news,
                Ok(0) => {
                    self.is_silent = true;
                    // No process has it open any more: process 1 itself has been executed as the command.
                    if self.spec.supervises() || self.started || self.failed {
                        return;
                    }
                    [News::Started as u8, 0]
                }
                _ => return,
            };
            match News::of(kind) {
                News::Stopped => self.job.stop(Signal::new(value.into())),
                News::Died => self.killer = Some(Signal::new(value.into())),
                News::Silent => self.job.end_relay(),
                News::Left => self.left = Some(value),
                News::Failed => self.failed = true,
                News::Command => self.command = receive_command(&self.state.launch),
                News::Started if self.started || self.failed => {}
                News::Started => {
                    self.started = true;
                    self.job.begin();
                    self.refused = !start::report(self.spec, &mut self.state.outside, self.container, self.command);
                    if self.refused {
                        self.give_up();
                    }
                }
            }
        }
    }
}

/// The time from a signal that asks the container to end until its process 1 must have ended it: the time of --stop-timeout and that of
/// --grace, and a second more. Only a container with a cgroup can be killed as a whole: process 1 may be frozen, or stopped by the command.
/// If process 1 is the command, only the launcher counts the time of --stop-timeout.
fn longest(spec: &Spec<'_>) -> Option<Span> {
    match spec.life.end {
        _ if rooms::CGROUP && spec.life.as_pid_1 => spec.life.stop_timeout,
        End::Grace(grace) if spec.has_cgroup() => {
            Some(spec.life.stop_timeout?.saturating_add(grace).saturating_add(SECOND))
        }
        _ => None,
    }
}
