//! PROCESS: the keeper, the parent of the launchers of one container, one after the other.
//!
//! - Namespaces, rights: the caller's. No process of the container sees it.
//! - Signals: all blocked and read one by one. The launcher gets them, except SIGHUP with --log.
//! - Before the first launcher everything may fail: one line, status 125. Afterwards nothing may.
//! - If it is killed, the kernel kills the launcher, and with it the container. The logger ends at the end of its input.
//! - Next: exit(2) with the status of the last launcher.

use rustix::process::{Pid, getpid};

use crate::channels::{notify, pid_file, start};
use crate::process::connect::plain_fork;
use crate::process::{keeper_setup, logger};
use crate::report::exit;
use crate::report::message::{blame, failed, give_up, tell, warn};
use crate::report::wording::Event;
use crate::say;
use crate::spec::{Object, Restart, Spec};
use crate::state::{Launcher, Pipe};
use crate::supervise::job_control;
use crate::supervise::restarts::Restarts;
use crate::supervise::wait::{self, ANY_CHILD, Heard, Instead};
use crate::sys::files::{Fd, read};
use crate::sys::{
    self, Change, Failure, Fork, Kept, POLL_HUP, POLL_IN, PR_SET_PDEATHSIG, SI_KERNEL, Siginfo, Signal, Standard,
    Start, Time,
};
use crate::text::{Say, Short, Text};

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
        began: Time::NONE,
        is_asked: false,
        status,
        killer: None,
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
    /// When the launcher was started.
    began: Time,
    /// A signal asked for the end.
    is_asked: bool,
    /// The exit status of the last launcher, and the signal that killed it.
    status: i32,
    killer: Option<Signal>,
}

/// How many seconds the end waits for the logger: processes that CMD left behind may keep its input open.
const PATIENCE: u32 = 2;

impl Keeper<'_> {
    fn forever(&mut self) {
        let mut restarts = Restarts::NONE;
        loop {
            self.run();
            let again = match self.spec.keeper.restart {
                Restart::No => false,
                Restart::OnFailure => !self.is_clean(),
                Restart::Always => true,
            };
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
            let mut line = Text::new();
            self.describe_end(&mut line);
            line.say(say!("; it starts again in ")).push_number(pause).say(say!(" s"));
            self.tell_manager(b"STATUS=", line.bytes());
            if let Some(signal) = self.wait(Some(sys::now().after(pause))) {
                self.status = exit::of_signal(signal).into();
                return;
            }
        }
    }

    /// Whether CMD has not failed: as systemd has it for Restart=on-failure, a signal that asks a program to end, or that of a pipe
    /// without a reader, is no failure.
    fn is_clean(&self) -> bool {
        const CLEAN: [Signal; 4] = [Signal::HUP, Signal::INT, Signal::PIPE, Signal::TERM];
        self.status == 0 || CLEAN.iter().any(|signal| self.status == exit::of_signal(*signal).into())
    }

    /// Runs a launcher until its end.
    fn run(&mut self) {
        match self.start() {
            Ok(child) => {
                self.child = Some(child);
                let _ = self.wait(None);
                // It may have written since the last look.
                self.hear_of_start();
            }
            Err(why) => self.status = give_up(blame(say!("start"), c"the launcher", why)),
        }
        for done in [self.begun.take(), self.listener.take()].into_iter().flatten() {
            sys::close(done);
        }
    }

    /// Starts a launcher.
    ///
    /// # Errors
    /// Reported, or EMFILE, ENFILE: no descriptor is free.
    fn start(&mut self) -> Result<Pid, Failure> {
        let pipe = Pipe::announced(Signal::IO)?;
        self.begun = Some(pipe.read);
        self.listener = if self.spec.gives_socket() { Some(notify::listener()?) } else { None };
        let keeper = getpid();
        match plain_fork()? {
            Fork::Child => {
                sys::close(pipe.read);
                let launcher = self.launcher(keeper, pipe.write);
                sys::exit(launcher.map_or_else(give_up, self.begin))
            }
            Fork::Parent(child) => {
                sys::close(pipe.write);
                self.began = sys::now();
                if !self.spec.keeper.restarts() {
                    self.close_others();
                }
                Ok(child)
            }
        }
    }

    /// In the child: the state of the launcher, with the settings that the keeper has from the caller.
    ///
    /// # Errors
    /// Reported: the launcher cannot be made to end with the keeper, or CMD's output cannot be led to the log.
    fn launcher(&self, keeper: Pid, begun: Fd) -> Result<Launcher, Failure> {
        let follow = || {
            sys::prctl(PR_SET_PDEATHSIG, Signal::KILL.number().cast_unsigned())?;
            if !sys::is_child_of(Some(keeper))? {
                sys::exit(failed());
            }
            sys::set_ignored(Signal::CHLD, self.own.launch.caller.child_ignored)?;
            sys::set_mask(self.own.launch.caller.mask)
        };
        follow().map_err(|why| blame(say!("follow"), c"the keeper", why))?;
        if let Some(output) = self.own.output {
            let lead = |standard| sys::replace(standard, output.write);
            lead(Standard::Output)
                .and_then(|()| lead(Standard::Error))
                .map_err(|why| blame(say!("lead CMD's output to"), Object::Log.name(self.spec), why))?;
        }
        let mut launcher = Launcher::new(&self.spec.of_launcher(), self.own.launch.start);
        let launch = &mut launcher.launch;
        // The caller's process of --detach waits until CMD runs.
        let caller = self.own.outside.waiting.and(self.own.launch.above[0]);
        launch.above = [Some(keeper), caller, self.own.logger];
        launch.listener = self.listener;
        launcher.outside.waiting = Some(begun);
        Ok(launcher)
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
        loop {
            self.hear_of_start();
            self.hear_from_cmd();
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
                _ => match wait::signal(until.map(Time::left), Instead { input: self.begun, ..ANY_CHILD }, &mut info) {
                    Heard::Signal => {
                        self.take(&info);
                        if self.is_asked && !runs {
                            return Some(info.signal());
                        }
                        continue;
                    }
                    Heard::Child(pid, change) => (pid, change),
                    Heard::Nothing => continue,
                    Heard::TimeIsOver => return None,
                },
            };
            if self.has_ended(pid, change) {
                return None;
            }
        }
    }

    /// A child has changed. Returns whether that ends the wait.
    fn has_ended(&mut self, pid: Pid, change: Change) -> bool {
        let ended = matches!(change, Change::Exited(_) | Change::Killed(_));
        if ended && self.own.logger == Some(pid) {
            self.own.logger = None;
            // At its end it has read everything. If it was killed, the pipe still has what it has not read.
            if let (Change::Killed(_), Some(_)) = (change, self.own.output) {
                warn(say!("write the log"), c"", Failure::KILLED, say!("another process goes on with it"));
                let _ = logger::start(self.own);
            }
            return self.own.output.is_none();
        }
        if self.child != Some(pid) {
            return false;
        }
        match change {
            Change::Exited(status) => self.status = status.into(),
            Change::Killed(signal) => {
                self.status = exit::of_signal(signal).into();
                self.killer = Some(signal);
            }
            // It has stopped the job. As its parent the keeper is part of it.
            Change::Stopped(_) => sys::stop(),
            Change::Continued => {}
        }
        if ended {
            self.child = None;
        }
        ended
    }

    fn take(&mut self, info: &Siginfo) {
        let (signal, code) = (info.signal(), info.code());
        let is_news = signal == Signal::IO && matches!(code, POLL_IN..=POLL_HUP | SI_KERNEL);
        if signal == Signal::CHLD || is_news {
            return;
        }
        if signal == Signal::HUP && code != SI_KERNEL && self.spec.keeper.log.is_some() {
            if let Some(logger) = self.own.logger {
                job_control::send(logger, Signal::HUP);
            }
            return;
        }
        // SIGHUP makes some programs read their files again.
        self.is_asked |= signal.ends() && (signal != Signal::HUP || code == SI_KERNEL || self.child.is_none());
        // The terminal has sent it to the launcher too.
        if let Some(child) = self.child.filter(|_| code != SI_KERNEL) {
            job_control::forward(child, info);
        }
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
            self.tell_manager(b"", if self.ran { b"STATUS=CMD runs" } else { b"READY=1\nSTATUS=CMD runs" });
        }
        if self.ran {
            return;
        }
        self.ran = true;
        if self.spec.detaches() {
            let mut line = Short::new();
            // Before the caller's process ends, which the service manager knows.
            self.tell_manager(b"MAINPID=", line.push_own_id().bytes());
        }
        if !start::report(&self.own.launch.spec, &mut self.own.outside, getpid(), None) {
            self.is_asked = true;
            self.kill_launcher();
        }
    }

    fn kill_launcher(&self) {
        if let Some(child) = self.child {
            job_control::send(child, Signal::KILL);
        }
    }

    /// Passes on what CMD tells the service manager.
    fn hear_from_cmd(&self) {
        if let (Some(listener), Some(service)) = (self.listener, self.own.service) {
            notify::pass_on(listener, service, self.spec.keeper.restarts());
        }
    }

    fn tell_manager(&self, name: &[u8], value: &[u8]) {
        if let Some(service) = self.own.service {
            let mut text = Text::new();
            notify::send(service, text.push(name).push(value).bytes());
        }
    }

    fn describe_end(&self, line: &mut Text) {
        line.say(say!("CMD ended with status ")).push_number(self.status.cast_unsigned());
    }

    /// The end. Returns the exit status.
    fn finish(mut self) -> i32 {
        if self.ran {
            let mut line = Text::new();
            self.describe_end(&mut line);
            self.tell_manager(b"STOPPING=1\nSTATUS=", line.bytes());
        }
        if let Some(output) = self.own.output.take() {
            // The logger ends when all copies of the write end are closed.
            sys::close(output.write);
            let until = Some(sys::now().after(PATIENCE));
            if self.own.logger.is_some() {
                let _ = self.wait(until);
            }
        }
        pid_file::remove(&self.own.launch.spec, &self.own.outside);
        start::report_failure(&mut self.own.outside, self.status);
        if let Some(killer) = self.killer.filter(|_| self.spec.life.propagate) {
            sys::die_of(killer);
        }
        self.status
    }
}
