//! The services of a machine: programs that its first process starts in their order, beside the command, and restarts.

use core::ffi::CStr;

use rustix::fs::{OFlags, rename};
use rustix::process::Pid;

use crate::report::exit;
use crate::report::message::{warn, warning};
use crate::say;
use crate::spec::{AtEnd, Spec};
use crate::supervise::restarts::Restarts;
use crate::sys::files::{self, HERE};
use crate::sys::{self, Change, Done, Failure, Time};
use crate::text::{Say, Text};

/// A service.
pub struct Service {
    /// Its name in messages, in `--after` and in [`STATUS`].
    pub name: &'static CStr,
    pub spec: &'static Spec<'static>,
    /// Its terminal; `None`: it reads nothing, and writes to the console.
    pub console: Option<&'static CStr>,
    state: State,
    /// Its place in the order of the starts; 0: it has not been started.
    place: u32,
    /// How many times it was started.
    starts: u32,
    restarts: Restarts,
    last: Option<Change>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// It has not been started yet.
    Waiting,
    /// It runs since then.
    Running(Pid, Time),
    /// It is started again then.
    Pausing(Time),
    /// It is not started again.
    Ended,
}

impl Service {
    #[must_use]
    pub const fn new(name: &'static CStr, spec: &'static Spec<'static>, console: Option<&'static CStr>) -> Service {
        let (state, restarts) = (State::Waiting, Restarts::NONE);
        Service { name, spec, console, state, place: 0, starts: 0, restarts, last: None }
    }

    fn respawns(&self) -> bool {
        self.spec.machine.at_end == AtEnd::Respawn
    }
}

/// The file that `--service-status` prints.
pub const STATUS: &CStr = c"/run/nsinit.services";
const NEW_STATUS: &CStr = c"/run/.nsinit.services";

/// So many seconds a service waits for another one that is not restarted: that one may be a short task, or run for ever.
const PATIENCE: u32 = 5;

/// All services, and how to start one.
pub struct Services<'a> {
    list: &'a mut [Service],
    begin: &'a dyn Fn(&Service) -> Result<Pid, Failure>,
    /// How many have been started at least once.
    started: u32,
    /// A service has failed: the action that its --on-failure asks for.
    pub asked: Option<AtEnd>,
}

impl<'a> Services<'a> {
    pub const fn new(list: &'a mut [Service], begin: &'a dyn Fn(&Service) -> Result<Pid, Failure>) -> Services<'a> {
        Services { list, begin, started: 0, asked: None }
    }

    /// Whether no service runs or will run.
    #[must_use]
    pub fn are_over(&self) -> bool {
        self.list.iter().all(|service| service.state == State::Ended)
    }

    /// Starts all services whose time has come. Returns the time of the next start, if there is one.
    pub fn start(&mut self) -> Option<Time> {
        loop {
            let (mut next, mut due) = (None, None);
            for (index, service) in self.list.iter().enumerate() {
                match self.time_of(service) {
                    Some(time) if time > sys::now() => {
                        next = Some(next.map_or(time, |other| if other < time { other } else { time }));
                    }
                    Some(_) if due.is_none() => due = Some(index),
                    _ => {}
                }
            }
            if let Some(index) = due {
                self.begin(index);
            } else if next.is_some() || !self.end_circle() {
                return next;
            }
        }
    }

    /// When the service is to be started; `None`: not before another one is.
    fn time_of(&self, service: &Service) -> Option<Time> {
        match service.state {
            State::Waiting => {
                let mut latest = Time::NONE;
                for name in service.spec.machine.after {
                    match self
                        .list
                        .iter()
                        .find(|other| other.name == *name)
                        .map(|other| (other.state, other.respawns()))
                    {
                        Some((State::Waiting, _)) => return None,
                        Some((State::Running(_, began), false)) if began.after(PATIENCE) > latest => {
                            latest = began.after(PATIENCE);
                        }
                        _ => {}
                    }
                }
                Some(latest)
            }
            State::Pausing(until) => Some(until),
            State::Running(..) | State::Ended => None,
        }
    }

    /// If services wait for each other, gives them up. Returns whether it did.
    fn end_circle(&mut self) -> bool {
        let mut found = false;
        for service in self.list.iter_mut().filter(|service| service.state == State::Waiting) {
            warn(SAYS, service.name, Failure::DEADLK, say!("services wait for each other: see --after"));
            service.state = State::Ended;
            found = true;
        }
        found
    }

    fn begin(&mut self, index: usize) {
        let Some(service) = self.list.get(index) else { return };
        let begun = (self.begin)(service);
        let Some(service) = self.list.get_mut(index) else { return };
        if service.place == 0 {
            self.started += 1;
            service.place = self.started;
        }
        service.starts = service.starts.saturating_add(1);
        let now = sys::now();
        match begun {
            Ok(child) => service.state = State::Running(child, now),
            Err(why) => {
                warn(SAYS, service.name, why, Say::NOTHING);
                self.ended(index, Change::Exited(exit::FAILED.number), now);
            }
        }
        self.write();
    }

    /// A process has changed its state. If it was a service, and has ended, it is noted.
    pub fn note(&mut self, pid: Pid, change: Change) {
        let is = |service: &Service| matches!(service.state, State::Running(child, _) if child == pid);
        if let Some(index) = self.list.iter().position(is)
            && let Some(Service { state: State::Running(_, began), .. }) = self.list.get(index)
            && matches!(change, Change::Exited(_) | Change::Killed(_))
        {
            self.ended(index, change, *began);
            self.write();
        }
    }

    fn ended(&mut self, index: usize, change: Change, began: Time) {
        let Some(service) = self.list.get_mut(index) else { return };
        let now = sys::now();
        let machine = &service.spec.machine;
        let pause =
            if service.respawns() { service.restarts.next(now.since(began).seconds, machine.most) } else { None };
        service.last = Some(change);
        service.state = pause.map_or(State::Ended, |pause| State::Pausing(now.after(pause)));
        let failed = change != Change::Exited(0);
        let mut line = Text::new();
        line.say(say!("service ")).push_printable(service.name.to_bytes());
        match change {
            Change::Killed(signal) => line.say(say!(" died of signal ")).push_number(signal.number().unsigned_abs()),
            Change::Exited(status) => line.say(say!(" ended with status ")).push_number(status.into()),
            _ => return,
        };
        match pause {
            Some(pause) => {
                line.say(say!("; it starts again in ")).push_number(pause).say(say!(" s"));
            }
            None if service.respawns() => {
                line.say(say!("; it is not started again: --max-restarts"));
            }
            None => {}
        }
        if failed || service.respawns() {
            warning(&line);
        }
        if pause.is_none() && (failed || service.respawns()) {
            self.asked = self.asked.or(machine.on_failure);
        }
    }

    /// Takes the service that was started last of those that run.
    pub fn take_last(&mut self) -> Option<Pid> {
        let runs = |service: &&mut Service| matches!(service.state, State::Running(..));
        let last = self.list.iter_mut().filter(runs).max_by_key(|service| service.place)?;
        let State::Running(child, _) = last.state else { return None };
        last.state = State::Ended;
        Some(child)
    }

    /// Writes [`STATUS`]. Without a /run there is none.
    fn write(&self) {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW;
        let Ok(file) = files::create(HERE, NEW_STATUS, flags, 0o644) else { return };
        let done = self.list.iter().try_for_each(|service| {
            let mut line = Text::new();
            service.describe(&mut line);
            files::write(file, line.bytes()).map(|_| ())
        });
        sys::close(file);
        let _: Done = done.and_then(|()| Ok(rename(NEW_STATUS, STATUS)?));
    }
}

const SAYS: Say = say!("start service");

impl Service {
    /// Its line in [`STATUS`]: name, state, process, starts, last end.
    fn describe(&self, line: &mut Text) {
        line.push_printable(self.name.to_bytes());
        match self.state {
            State::Waiting => line.say(say!(" waiting - ")),
            State::Running(pid, _) => {
                line.say(say!(" running ")).push_number(pid.as_raw_nonzero().get().unsigned_abs()).byte(b' ')
            }
            State::Pausing(_) => line.say(say!(" paused - ")),
            State::Ended => line.say(say!(" ended - ")),
        };
        line.push_number(self.starts);
        match self.last {
            Some(Change::Exited(status)) => line.say(say!(" status=")).push_number(status.into()),
            Some(Change::Killed(signal)) => line.say(say!(" signal=")).push_number(signal.number().unsigned_abs()),
            _ => line.say(say!(" -")),
        };
        line.byte(b'\n');
    }
}
