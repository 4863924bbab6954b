//! PROCESS: OUTER, the launcher. In the caller's namespaces, with the caller's rights.
//!
//! - Before the clone everything may fail and leaves nothing behind: one line, status 125.
//! - Between the clone and the last id map too: process 1 waits for us, and is killed.
//! - Afterwards nothing may fail: `supervise` forwards and waits. If we are killed, process 1 is, by the kernel.
//! - Signals: all blocked and taken one by one.

use linux_raw_sys::general as raw;
use linux_raw_sys::prctl::{PR_SET_DUMPABLE, PR_SET_PDEATHSIG};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::Mode;
use rustix::io::{read, write};
use rustix::process::{Pid, getegid, geteuid, getpid, umask};

use crate::fault::{SIGNALLED, blame, blame_hint};
use crate::ids::{self, Map};
use crate::init::{TO_FOREGROUND, TO_GROUP};
use crate::spec::{Caller, Spec};
use crate::step::{Step, always, explain, nothing, walk};
use crate::sys::{self, Change, Done, Failure, POLL_IN, SI_KERNEL, SI_QUEUE, Set, Siginfo, Signal};
use crate::{fds, procfs, tty};

/// The status of a container that called reboot(2) to restart: as systemd-nspawn has it.
const RESTART: i32 = 133;

/// What this process remembers between its steps.
pub struct State {
    pub caller: Caller,
    pub launcher: Pid,
    /// The controlling terminal, if CMD is to share it.
    pub terminal: Option<BorrowedFd<'static>>,
    /// CMD has been put into the terminal's foreground.
    pub lent: bool,
    proc: Option<OwnedFd>,
    container: Option<Pid>,
}

impl State {
    #[must_use]
    pub fn new() -> State {
        let mask = umask(Mode::empty());
        umask(mask);
        let caller = Caller {
            uid: geteuid().as_raw(),
            gid: getegid().as_raw(),
            mask: Set::NONE,
            child_ignored: false,
            umask: mask.as_raw_mode(),
        };
        State { caller, launcher: getpid(), terminal: None, lent: false, proc: None, container: None }
    }

    fn proc(&self) -> Result<BorrowedFd<'_>, Failure> {
        self.proc.as_ref().map(AsFd::as_fd).ok_or(Failure::BADF)
    }

    fn container(&self) -> Result<Pid, Failure> {
        self.container.ok_or(Failure::CHILD)
    }
}

impl Default for State {
    fn default() -> State {
        State::new()
    }
}

static BEFORE: [Step<State>; 4] = [
    Step {
        says: "stop ignoring SIGCHLD",
        on: nothing,
        when: always,
        run: |_, state| {
            state.caller.child_ignored = sys::set_ignored(Signal::CHLD, false)?;
            Ok(())
        },
    },
    Step {
        says: "block all signals",
        on: nothing,
        when: always,
        run: |_, state| {
            state.caller.mask = sys::set_mask(Set::ALL)?;
            Ok(())
        },
    },
    Step {
        says: "die with the caller",
        on: nothing,
        when: |spec| spec.life.die_with_parent,
        run: |_, _| Ok(sys::prctl(PR_SET_PDEATHSIG, Signal::KILL.number().unsigned_abs() as usize)?),
    },
    Step {
        says: "look for a terminal",
        on: nothing,
        when: |spec| !spec.life.new_session,
        run: |_, state| {
            state.terminal = tty::open().map(sys::keep_open);
            state.lent = state.terminal.is_some_and(|terminal| tty::is_ours(terminal) && !tty::in_pipeline());
            Ok(())
        },
    },
];

static AFTER: [Step<State>; 5] = [
    Step {
        says: "open",
        on: |_| c"/proc",
        when: |spec| spec.unshares(raw::CLONE_NEWUSER),
        run: |_, state| {
            state.proc = Some(procfs::open()?);
            Ok(())
        },
    },
    Step {
        says: "write",
        on: |_| c"setgroups",
        when: |spec| spec.unshares(raw::CLONE_NEWUSER) && spec.rootless,
        run: |_, state| Ok(ids::deny_setgroups(state.proc()?, state.container()?)?),
    },
    Step {
        says: "write",
        on: |_| c"uid_map",
        when: |spec| spec.unshares(raw::CLONE_NEWUSER),
        run: |spec, state| write_map(spec, state, Map::Users),
    },
    Step {
        says: "write",
        on: |_| c"gid_map",
        when: |spec| spec.unshares(raw::CLONE_NEWUSER),
        run: |spec, state| write_map(spec, state, Map::Groups),
    },
    Step { says: "become untraceable", on: nothing, when: always, run: |_, _| Ok(sys::prctl(PR_SET_DUMPABLE, 0)?) },
];

/// # Errors
/// The first step that failed.
pub fn before(spec: &Spec<'_>, state: &mut State) -> Done {
    walk(&BEFORE, spec, state)
}

/// Prepares the new process 1 and lets it go on. What fails here ends it.
///
/// # Errors
/// The first step that failed.
pub fn after(spec: &Spec<'_>, state: &mut State, container: Pid, go: BorrowedFd<'_>) -> Done {
    state.container = Some(container);
    let result = walk(&AFTER, spec, state).and_then(|()| match write(go, b"!").map_err(Failure::from) {
        // If it has ended already it has said why.
        Ok(_) | Err(Failure::PIPE) => Ok(()),
        Err(errno) => Err(blame("let the container go on", c"", errno)),
    });
    if result.is_err() {
        let _ = sys::kill(container.as_raw_nonzero().get(), Signal::KILL);
        while sys::wait4(Some(container)).is_ok_and(|change| change.is_none()) {
            let _ = sys::wait_signal(None);
        }
    }
    state.proc = None;
    result
}

/// Prints what [`before`] would do.
pub fn explain_before(spec: &Spec<'_>) {
    explain(&BEFORE, spec);
}

/// Prints what [`after`] would do.
pub fn explain_after(spec: &Spec<'_>) {
    explain(&AFTER, spec);
}

fn write_map(spec: &Spec<'_>, state: &State, map: Map) -> Done {
    ids::write_map(state.proc()?, state.container()?, spec, &state.caller, map).map_err(|errno| {
        let (Failure::PERM, name) = (errno, if matches!(map, Map::Users) { c"uid_map" } else { c"gid_map" }) else {
            return errno;
        };
        blame_hint("write", name, errno, "the kernel or its security module forbids user namespaces here")
    })
}

/// What the launcher knows while the container runs.
pub struct Supervisor {
    pub container: Pid,
    pub terminal: Option<BorrowedFd<'static>>,
    pub lent: bool,
    /// Where process 1 writes that CMD was stopped.
    pub stops: Option<OwnedFd>,
    /// Open as long as we live: its end is how the others know.
    pub alive: OwnedFd,
    /// It is a pid namespace's process 1 that we wait for.
    pub namespaced: bool,
}

impl Supervisor {
    /// Forwards signals until the container has ended. Returns the exit status.
    pub fn forever(mut self) -> i32 {
        self.keep_what_is_needed();
        loop {
            if let Some(status) = self.reap() {
                if let Some(terminal) = self.terminal.filter(|_| self.lent) {
                    tty::take_back(terminal);
                }
                return status;
            }
            // EINTR after a stop is no signal.
            if let Ok(info) = sys::wait_signal(None) {
                self.take(&info);
            }
        }
    }

    /// Gives up the caller's descriptors: whoever waits for their end is not to wait for ours.
    fn keep_what_is_needed(&self) {
        let number = |fd: BorrowedFd<'_>| fd.as_raw_fd().unsigned_abs();
        let mut kept = [Some(self.alive.as_fd()), self.terminal, self.stops.as_ref().map(AsFd::as_fd)].map(|fd| fd.map_or(0, number));
        kept.sort_unstable();
        // It answers EINVAL only for an empty range, and there is none.
        let _ = fds::close_all_but(kept.into_iter());
        if let Some(stops) = &self.stops {
            // Without it ^Z does not reach the caller's shell; everything else goes on.
            let _ = sys::signal_on_input(stops.as_fd(), getpid(), Signal::IO);
        }
    }

    /// The exit status, if the container has ended.
    fn reap(&self) -> Option<i32> {
        loop {
            return match sys::wait4(Some(self.container)) {
                Ok(None) => None,
                Ok(Some((_, Change::Exited(status)))) => Some(i32::from(status)),
                // How the kernel tells of reboot(2) in a pid namespace: SIGHUP for a restart, SIGINT for an end.
                Ok(Some((_, Change::Killed(Signal::HUP)))) if self.namespaced => Some(RESTART),
                Ok(Some((_, Change::Killed(Signal::INT)))) if self.namespaced => Some(0),
                Ok(Some((_, Change::Killed(signal)))) => Some(i32::from(SIGNALLED) + signal.number()),
                Ok(Some(_)) => continue,
                Err(_) => Some(i32::from(SIGNALLED) + Signal::KILL.number()),
            };
        }
    }

    fn take(&mut self, info: &Siginfo) {
        match (info.signal(), info.code()) {
            (Signal::CHLD, _) => {}
            (Signal::IO, POLL_IN) if self.stops.is_some() => self.read_stops(),
            (Signal::CONT, _) => self.resume(),
            // What the terminal sends us it sends to a group, and CMD's is another: it means the whole job.
            (signal, SI_KERNEL) => self.send(signal, TO_GROUP),
            (signal, SI_QUEUE) => {
                // Where the queue is full the signal still arrives, without its value.
                if sys::queue(self.container, signal, info).is_err() {
                    self.kill(signal);
                }
            }
            (signal, _) => self.kill(signal),
        }
    }

    fn kill(&self, signal: Signal) {
        // Process 1 has not been reaped, so the number is its own; ESRCH has nobody to be told to.
        let _ = sys::kill(self.container.as_raw_nonzero().get(), signal);
    }

    fn send(&self, signal: Signal, code: i32) {
        let _ = sys::queue(self.container, signal, &Siginfo::with_code(signal, code));
    }

    fn read_stops(&mut self) {
        let mut byte = [0u8];
        while self.stops.as_ref().is_some_and(|stops| read(stops, &mut byte) == Ok(1)) {
            let [number] = byte;
            self.stopped(Signal::new(number.into()));
        }
    }

    /// CMD's group was stopped. Our group is CMD's job to the caller's shell: it stops too.
    fn stopped(&mut self, signal: Signal) {
        let Some(terminal) = self.terminal else { return };
        let wants_terminal = matches!(signal, Signal::TTIN | Signal::TTOU);
        if wants_terminal && tty::is_ours(terminal) {
            return self.resume();
        }
        if self.lent {
            tty::hand_to(terminal, rustix::process::getpgrp());
            self.lent = false;
        }
        let _ = sys::kill(0, signal);
        // Here we stop, unless nobody could continue us: the kernel stops no orphaned process group.
        let _ = sys::set_mask(Set::ALL.without(signal));
        let _ = sys::set_mask(Set::ALL);
        if sys::is_pending(Signal::CONT) {
            return;
        }
        // Nor will anybody continue CMD, then. The kernel hangs up such a group when it waits for a terminal.
        if wants_terminal {
            self.send(Signal::HUP, TO_GROUP);
        }
        self.send(Signal::CONT, TO_GROUP);
    }

    /// We were continued, by `fg` if our group is in the foreground now.
    fn resume(&mut self) {
        match self.terminal {
            Some(terminal) if tty::is_ours(terminal) => {
                self.lent = true;
                self.send(Signal::CONT, TO_FOREGROUND);
            }
            _ => self.kill(Signal::CONT),
        }
    }
}
