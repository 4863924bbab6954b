//! PROCESS: the keeper, the parent of the launchers of one container, one after the other.
//!
//! - Namespaces, rights: the caller's. No process of the container sees it.
//! - Signals: all blocked and read one by one. The launcher gets them, except SIGHUP with --log.
//! - Before the first launcher everything may fail: one line, status 125. Afterwards nothing may.
//! - If it is killed, the kernel kills the launcher, and with it the container. The logger ends at the end of its input.
//! - Next: exit(2) with the status of the last launcher.

use rustix::process::{Pid, getpid};

use crate::channels::notify::{self, Left};
use crate::channels::{pid_file, start};
use crate::process::connect::plain_fork;
use crate::process::keeper_setup;
use crate::process::logger::Revival;
use crate::report::exit;
use crate::report::message::{blame, failed, give_up, tell, warn};
use crate::report::wording::Event;
use crate::say;
use crate::spec::{self, Spec};
use crate::state::{Launcher, Pipe, descriptors};
use crate::supervise::job_control;
use crate::supervise::restarts::{self, Restarts};
use crate::supervise::wait::{self, ANY_CHILD, Heard, Instead};
use crate::sys::files::{Fd, read};
use crate::sys::{self, Change, Failure, Fork, Kept, POLL_HUP, POLL_IN, SI_KERNEL, Siginfo, Signal, Start, Time};
use crate::text::{Say, Short, Text};
use crate::tty::job;

/// Starts the launcher, again if --restart asks for it, until the end. `begin` is the launch, in a child. Returns the exit status.
pub fn keep(spec: &Spec<'static>, start: &'static Start, begin: &dyn Fn(Launcher) -> i32) -> i32 {
    let mut own = Launcher::new(spec, start);
    let done = keeper_setup::plan(&mut own);
    let status = done.as_ref().map_or_else(|why| give_up(*why), |()| 0);
    let mut keeper = Keeper {
        spec,
        own: &mut own,
        begin,
        child: None,
        begun: None,
        listener: None,
        ran: false,
        owes_start: false,
        began: Time::NONE,
        is_asked: false,
        status,
        killer: None,
        lacks_end: 0,
        revival: Revival::NONE,
    };
    if done.is_ok() {
        keeper.forever();
    }
    keeper.finish()
}

struct Keeper<'a> {
    spec: &'a Spec<'static>,
    own: &'a mut Launcher,
    begin: &'a dyn Fn(Launcher) -> i32,
    /// The launcher, as long as it has not been reaped.
    child: Option<Pid>,
    /// From the launcher: 0 when CMD has been executed, or the exit status if it never was.
    begun: Option<Fd>,
    /// From CMD, with --notify-ready.
    listener: Option<Fd>,
    /// CMD has been executed at least once.
    ran: bool,
    /// The service manager does not know yet that it was.
    owes_start: bool,
    /// When the start of the last launcher was tried.
    began: Time,
    /// A signal asked for the end.
    is_asked: bool,
    /// The exit status of the last launcher, and the signal that killed it.
    status: i32,
    killer: Option<Signal>,
    /// The launcher was killed: how many of its children, which end then (process 1, pasta, the relay of --pty), have not been reaped.
    lacks_end: u8,
    revival: Revival,
}

/// How many seconds the end waits for the logger: processes that CMD left behind may keep its input open. So many seconds a start waits for
/// the end of the container whose launcher was killed.
const PATIENCE: u32 = 2;

impl Keeper<'_> {
    fn forever(&mut self) {
        let mut restarts = Restarts::NONE;
        loop {
            sys::set_name(spec::Keeper::PROGRAM);
            self.run();
            let again = restarts::are_wanted(self.spec.keeper.restart, self.status);
            // A launch that never worked will not work the next time.
            if !again || self.is_asked || !self.ran {
                return;
            }
            let ran = sys::now().since(self.began).seconds;
            let Some(pause) = restarts.next(ran, self.spec.machine.most) else {
                return warn(say!("restart"), c"CMD", Failure::TOO_OFTEN, Say::NOTHING);
            };
            if self.spec.life.verbose >= 1 {
                tell(Event::Again, [pause.cast_signed(), 0], c"");
            }
            sys::set_name(spec::Keeper::WAITS);
            let mut line = Text::new();
            self.describe_end(&mut line);
            line.say(say!("; it starts again in ")).push_number(pause).say(say!(" s"));
            self.tell_manager(b"STATUS=", line.bytes(), false);
            if let Some(signal) = self.wait(Some(sys::now().after(pause))) {
                (self.status, self.killer) = (exit::of_signal(signal).into(), Some(signal));
                return;
            }
        }
    }

    /// Runs a launcher until its end.
    fn run(&mut self) {
        match self.start() {
            Ok(child) => {
                self.child = Some(child);
                let _ = self.wait(None);
                // They may have written since the last look.
                self.hear_of_start();
                self.hear_from_cmd();
                if self.lacks_end > 0 {
                    let _ = self.wait(Some(sys::now().after(PATIENCE)));
                    self.lacks_end = 0;
                }
            }
            Err(why) => self.status = give_up(blame(say!("start"), c"the launcher", why)),
        }
        self.begun.take().into_iter().for_each(sys::close);
        self.listener.take().into_iter().for_each(notify::close);
    }

    /// Starts a launcher.
    ///
    /// # Errors
    /// Reported, or EMFILE, ENFILE: no descriptor is free.
    fn start(&mut self) -> Result<Pid, Failure> {
        self.began = sys::now();
        let pipe = Pipe::announced(Signal::IO)?;
        self.begun = Some(pipe.read);
        self.listener = if self.spec.gives_socket() { Some(notify::listener()?) } else { None };
        let keeper = getpid();
        match plain_fork()? {
            Fork::Child => {
                sys::close(pipe.read);
                let launcher = keeper_setup::launcher(self.spec, self.own, keeper, pipe.write, self.listener);
                sys::exit(launcher.map_or_else(give_up, self.begin))
            }
            Fork::Parent(child) => {
                sys::close(pipe.write);
                if !self.spec.keeper.restarts() {
                    self.close_others();
                }
                Ok(child)
            }
        }
    }

    /// Closes the caller's descriptors: without --restart no other launcher needs them, and a reader may wait for their end.
    fn close_others(&self) {
        let Launcher { launch, outside, service, log, output, .. } = &*self.own;
        let (directory, file) = outside.pid_file.unzip();
        let (input, end) = output.map(|pipe| (pipe.read, pipe.write)).unzip();
        let (place, log) = log.unzip();
        let own = [self.begun, self.listener, outside.waiting, directory, file, *service, place, log, input, end];
        // EINVAL is only for an empty range, and there is none.
        let _ = sys::close_all_but(&own.map(Kept::ours), &[Kept::given(launch.spec.channels.ready)]);
    }

    /// Waits until the launcher has ended; without one, until the time is over, or the logger has ended. Returns the signal that asked
    /// for the end meanwhile, if there is no launcher that gets it.
    fn wait(&mut self, until: Option<Time>) -> Option<Signal> {
        let runs = self.child.is_some();
        // SIGIO was the last signal: more input is announced by another one.
        let mut had_input = false;
        loop {
            self.revival.start(self.own);
            self.hear_of_start();
            let left = self.hear_from_cmd();
            let mut info = Siginfo::empty();
            let (pid, change) = match sys::wait4(None, false) {
                Ok(Some(changed)) => changed,
                // A filter forbids wait4(2): the end of the launcher would not be seen.
                Err(why) if runs && why != Failure::INTR => {
                    self.status = give_up(blame(say!("wait for"), c"the launcher", why));
                    self.kill_launcher();
                    self.is_asked = true;
                    return None;
                }
                _ => match self.next_signal(left, had_input, until, &mut info) {
                    Heard::Signal => {
                        had_input = info.signal() == Signal::IO;
                        if self.take(&info) && !runs {
                            return Some(info.signal());
                        }
                        continue;
                    }
                    Heard::Child(pid, change) => (pid, change),
                    Heard::TimeIsOver if until.is_some_and(|until| until.left() <= Time::NONE) => return None,
                    Heard::Nothing | Heard::TimeIsOver => {
                        had_input = false;
                        continue;
                    }
                },
            };
            if self.has_ended(pid, change) {
                return None;
            }
        }
    }

    /// Waits for the next signal, until the time is over. If CMD has more to tell the service manager, only for a short time.
    fn next_signal(&self, left: Left, had_input: bool, until: Option<Time>, info: &mut Siginfo) -> Heard {
        if had_input || left == Left::More {
            return wait::pending_signal(info);
        }
        let time = if left == Left::Blocked { Some(notify::RETRY) } else { self.revival.left(until) };
        wait::signal(time, Instead { input: self.begun, ..ANY_CHILD }, info)
    }

    /// A child has changed. Returns whether that ends the wait.
    fn has_ended(&mut self, pid: Pid, change: Change) -> bool {
        let ended = matches!(change, Change::Exited(_) | Change::Killed(_));
        if ended && self.own.logger == Some(pid) {
            self.own.logger = None;
            if self.own.output.is_none() {
                return true;
            }
            self.revival = Revival::of(change);
            return false;
        }
        if self.child != Some(pid) {
            if !ended || self.lacks_end == 0 {
                return false;
            }
            self.lacks_end -= 1;
            return self.lacks_end == 0;
        }
        match change {
            Change::Exited(status) => (self.status, self.killer) = (status.into(), None),
            Change::Killed(signal) => {
                self.status = exit::of_signal(signal).into();
                self.killer = Some(signal);
                // With --propagate-signal it dies of the signal that CMD died of.
                if self.spec.is_reaped_by_keeper() && !self.spec.life.propagate {
                    self.lacks_end = 1 + u8::from(self.spec.has_pasta()) + u8::from(self.spec.has_pty());
                }
            }
            // It has stopped the job, and a shell at a terminal continues all of it. As its parent the keeper is part of it, unless it is
            // in the background. If the keeper was stopped too, it has been continued since.
            Change::Stopped(_)
                if !self.spec.detaches() && job::standard().is_some() && !sys::is_pending(Signal::CONT) =>
            {
                sys::stop();
            }
            Change::Stopped(_) | Change::Continued => {}
        }
        if ended {
            self.child = None;
        }
        ended
    }

    /// Takes a signal. Returns whether it asks for the end.
    fn take(&mut self, info: &Siginfo) -> bool {
        let (signal, code) = (info.signal(), info.code());
        let is_news = signal == Signal::IO && matches!(code, POLL_IN..=POLL_HUP | SI_KERNEL);
        if signal == Signal::CHLD || is_news {
            return false;
        }
        if signal == Signal::HUP && code != SI_KERNEL && self.spec.keeper.log.is_some() {
            self.own.logger.into_iter().for_each(|logger| job_control::send(logger, Signal::HUP));
            return false;
        }
        // SIGHUP makes some programs read their files again.
        let asks = signal.ends() && (signal != Signal::HUP || code == SI_KERNEL || self.child.is_none());
        self.is_asked |= asks;
        // The terminal has sent it to the launcher too, if that was there already; but a hang-up only to the leader of the session, which may
        // be this process.
        let is_sent = code == SI_KERNEL && signal != Signal::HUP && !(asks && self.begun.is_some());
        if let Some(child) = self.child.filter(|_| !is_sent) {
            job_control::forward(child, info);
        }
        asks
    }

    /// Reads whether CMD has been executed.
    fn hear_of_start(&mut self) {
        let Some(begun) = self.begun else { return };
        let mut status = [0u8];
        match read(begun, &mut status) {
            Err(Failure::AGAIN | Failure::INTR) => return,
            Ok(1) if status == [0] => self.has_started(),
            _ => {}
        }
        sys::close(begun);
        self.begun = None;
    }

    /// CMD has been executed.
    fn has_started(&mut self) {
        if !self.spec.gives_socket() {
            self.tell_start(!self.ran);
        }
        if self.ran {
            return;
        }
        self.ran = true;
        if self.spec.detaches() {
            let mut line = Short::new();
            // Before the caller's process ends, which the service manager knows.
            self.tell_manager(b"MAINPID=", line.push_own_id().bytes(), true);
        }
        if !start::report(&self.own.launch.spec, &mut self.own.outside, getpid(), None) {
            self.is_asked = true;
            self.kill_launcher();
        }
        // In the background nothing but CMD keeps the caller's files open: a reader may wait for their end.
        if let Some(output) = self.own.output.filter(|_| self.spec.detaches()) {
            descriptors::lead_output(output.write);
        }
    }

    fn kill_launcher(&self) {
        self.child.into_iter().for_each(|child| job_control::send(child, Signal::KILL));
    }

    /// Tells the service manager that CMD runs.
    fn tell_start(&mut self, waits: bool) {
        self.owes_start = !self.tell_manager(b"", b"READY=1\nSTATUS=CMD runs", waits);
    }

    /// Passes on what CMD tells the service manager.
    fn hear_from_cmd(&mut self) -> Left {
        if self.owes_start {
            self.tell_start(false);
            if self.owes_start {
                return Left::Blocked;
            }
        }
        match (self.listener, self.own.service) {
            (Some(listener), Some(service)) => notify::pass_on(listener, service, self.spec.keeper.restarts()),
            _ => Left::Nothing,
        }
    }

    /// Without `waits`, a service manager that does not read misses it: no signal, restart or end is to be late for it.
    /// Returns whether it was told.
    fn tell_manager(&self, name: &[u8], value: &[u8], waits: bool) -> bool {
        self.own.service.is_none_or(|service| notify::send(service, Text::new().push(name).push(value).bytes(), waits))
    }

    fn describe_end(&self, line: &mut Text) {
        line.say(say!("CMD ended with status ")).push_number(self.status.cast_unsigned());
    }

    /// The end. Returns the exit status.
    fn finish(mut self) -> i32 {
        if self.ran {
            let mut line = Text::new();
            self.describe_end(&mut line);
            self.tell_manager(b"STOPPING=1\nSTATUS=", line.bytes(), false);
        }
        // What it would read is in the pipe.
        self.revival.hurry();
        self.revival.start(self.own);
        if let Some(output) = self.own.output.take() {
            // The logger ends when all copies of the write end are closed.
            sys::close(output.write);
            if self.spec.detaches() {
                // This end cannot be written.
                descriptors::lead_output(output.read);
            }
            let until = Some(sys::now().after(PATIENCE));
            if let Some(logger) = self.own.logger {
                // It may have been stopped.
                job_control::send(logger, Signal::CONT);
                let _ = self.wait(until);
            }
        }
        pid_file::remove(&self.own.launch.spec, &self.own.outside);
        // If the caller's process still waits although CMD ran, that could not be reported to it.
        start::report_failure(&mut self.own.outside, if self.ran { failed() } else { self.status });
        if let Some(killer) = self.killer.filter(|_| self.spec.life.propagate) {
            sys::die_of(killer);
        }
        self.status
    }
}
