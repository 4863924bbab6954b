//! The one wait of the supervisors: for a signal, or until a point in time, by rt_sigtimedwait(2).
//!
//! A seccomp filter may forbid that call, with any errno: one around nsinit, or the user's, which process 1 of a sandbox
//! installs for itself too. The blocked signals then stay unread: the process is deaf. It waits for its children instead, and
//! for a pipe that it names, without polling. Where there is a time limit, it looks for ended children every 10 ms. So no
//! exit status is lost, and every limit holds.

use core::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, getpid};

use crate::spec::rooms;
use crate::sys::files::Fd;
use crate::sys::{self, Change, Failure, Polled, READABLE, Set, Siginfo, Signal, Time};

/// The result of a wait.
pub enum Heard {
    /// A signal, which is stored where the caller said.
    Signal,
    /// A deaf process took this change of a child from the kernel: wait4(2) does not return it again.
    Child(Pid, Change),
    /// Children may have changed, or the process was stopped and continued: look again.
    Nothing,
    TimeIsOver,
}

/// The events that a deaf process waits for.
#[derive(Clone, Copy)]
pub struct Instead {
    /// Any child, or this one.
    pub child: Option<Pid>,
    /// First of all, a byte in this pipe, or its end.
    pub input: Option<Fd>,
}

/// A change of any child.
pub const ANY_CHILD: Instead = Instead { child: None, input: None };

/// How long a deaf process sleeps that has no child and no time limit. Orphans may become its children meanwhile.
const IDLE: Time = Time { seconds: 1, nanos: 0 };

/// Signals are blocked. If not, one that arrives outside of the wait is lost, so that the wait may last for ever.
static KEEPS_SIGNALS: AtomicBool = AtomicBool::new(true);

/// A process that waits without a time limit, and gets no signal for so long, gives memory back. It does so once, and no earlier:
/// most launches are over by then.
const AWHILE: Time = Time { seconds: 1, nanos: 0 };

/// This process has memory to give back. (True: its page is then one that the start has used.)
static HOLDS_MEMORY: AtomicBool = AtomicBool::new(true);

/// Makes this process deaf: it could not block its signals.
pub fn stop_hearing() {
    KEEPS_SIGNALS.store(false, Ordering::Relaxed);
}

/// Waits for any signal, at most so long; it is stored in `info`. If no time is left, it returns [`Heard::TimeIsOver`] even if
/// signals are pending: a stream of them cannot delay the end of a time limit.
#[must_use]
pub fn signal(left: Option<Time>, instead: Instead, info: &mut Siginfo) -> Heard {
    one_of(Set::ALL, left, instead, info)
}

/// As [`signal`], for one that is pending, and is not SIGIO: of the pending signals the kernel gives the one with the lowest number first,
/// and input that always comes makes SIGIO one of them all the time.
#[cfg(feature = "keeper")]
#[must_use]
pub fn pending_signal(info: &mut Siginfo) -> Heard {
    one_of(Set::ALL.without(Signal::IO), Some(Time { seconds: 0, nanos: 1 }), ANY_CHILD, info)
}

#[inline(never)]
fn one_of(set: Set, left: Option<Time>, instead: Instead, info: &mut Siginfo) -> Heard {
    if left.is_some_and(|left| left <= Time::NONE) {
        return Heard::TimeIsOver;
    }
    if KEEPS_SIGNALS.load(Ordering::Relaxed) {
        let mut answer = Err(Failure::AGAIN);
        if rooms::CONTAINER && left.is_none() && HOLDS_MEMORY.load(Ordering::Relaxed) {
            answer = sys::wait_signal(set, Some(AWHILE), info);
            if answer == Err(Failure::AGAIN) {
                HOLDS_MEMORY.store(false, Ordering::Relaxed);
                sys::give_back();
            }
        }
        if answer == Err(Failure::AGAIN) {
            answer = sys::wait_signal(set, left, info);
        }
        match answer {
            Ok(()) => return Heard::Signal,
            Err(Failure::AGAIN) => return Heard::TimeIsOver,
            // The process was stopped and continued (signal(7)).
            Err(Failure::INTR) => return Heard::Nothing,
            Err(_) => {}
        }
    }
    without_signals(left, instead)
}

fn without_signals(left: Option<Time>, instead: Instead) -> Heard {
    if left.is_some() || instead.input.is_some() {
        let told = match instead.input {
            Some(input) => sys::poll(&mut [Polled::new(input, READABLE)], left),
            None => sys::poll(&mut [], Some(Time::SHORT)),
        };
        match told {
            Ok(_) | Err(Failure::INTR) => return Heard::Nothing,
            // ppoll(2) is forbidden too: no time can be measured without taking a processor.
            Err(_) if left.is_some() => return Heard::TimeIsOver,
            Err(_) => {}
        }
    }
    match sys::wait4(instead.child, true) {
        Ok(Some((pid, change))) => return Heard::Child(pid, change),
        Ok(None) | Err(Failure::INTR) => {}
        // ECHILD.
        Err(_) => sys::pause(IDLE),
    }
    Heard::Nothing
}

/// The conditions that end the wait for one child before the child ends.
#[derive(Clone, Copy)]
pub struct Before<'a> {
    /// Asked after each SIGCHLD and SIGIO: whether the wait is over.
    pub done: &'a dyn Fn() -> bool,
    /// Asked when a signal asks this process to end: whether there is a process already that is to get it. The wait is over then,
    /// and the child lives.
    pub begun: &'a dyn Fn() -> bool,
    /// A pipe: on input, or at its end, `done` is asked again.
    pub input: Option<Fd>,
    pub until: Option<Time>,
}

/// Waits until `child` has ended, or until `before.done`. Kills the child when a signal asks this process to end, or when the
/// time is over. Other signals stay pending; SIGIO, and a signal that came too late for the child, become pending again. Returns
/// the exit status of the child; 0 if `before.done` or `before.begun` came first.
///
/// # Errors
/// The signal that asked this process to end; [`Signal::KILL`] if the child died of a signal.
pub fn for_child(child: Pid, before: Before<'_>) -> Result<u8, Signal> {
    let (mut asked, mut news) = (Siginfo::empty(), Siginfo::empty());
    let status = until_ended(child, before, &mut asked, &mut news);
    // The SIGIO may be one that the user has sent.
    send_again(&news);
    match status {
        Some(status) => {
            send_again(&asked);
            Ok(status)
        }
        None if asked.signal() == NO_SIGNAL => Err(Signal::KILL),
        None => Err(asked.signal()),
    }
}

/// Of a `Siginfo` that no signal has come with.
const NO_SIGNAL: Signal = Siginfo::EMPTY.signal();

fn send_again(info: &Siginfo) {
    if info.signal() != NO_SIGNAL {
        let _ = sys::queue(getpid(), info.signal(), info);
    }
}

fn until_ended(child: Pid, before: Before<'_>, asked: &mut Siginfo, news: &mut Siginfo) -> Option<u8> {
    const ASKED: Set = Set::of(&[Signal::CHLD, Signal::IO, Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT]);
    let (mut until, mut killed) = (before.until, false);
    loop {
        let mut info = Siginfo::empty();
        let change = match sys::wait4(Some(child), false) {
            Ok(Some((_, change))) => change,
            Err(_) => return None,
            // A child that was killed is of no use for what it has done.
            Ok(None) if !killed && (before.done)() => return Some(0),
            Ok(None) => {
                let instead = Instead { child: Some(child), input: before.input };
                match one_of(ASKED, until.map(Time::left), instead, &mut info) {
                    Heard::Child(_, change) => change,
                    Heard::Signal if info.signal() == Signal::IO => {
                        *news = info;
                        continue;
                    }
                    Heard::Signal if info.signal() == Signal::CHLD => continue,
                    Heard::Nothing => continue,
                    heard => {
                        if matches!(heard, Heard::Signal) {
                            *asked = info;
                        }
                        if !killed && ((before.done)() || (before.begun)()) {
                            return Some(0);
                        }
                        killed = true;
                        let _ = sys::kill(child.as_raw_nonzero().get(), Signal::KILL);
                        // What SIGKILL does not end at once is waited for.
                        until = None;
                        continue;
                    }
                }
            }
        };
        match change {
            Change::Exited(status) => return Some(status),
            Change::Killed(_) => return None,
            _ => {}
        }
    }
}
