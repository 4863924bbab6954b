//! Signals as the kernel counts them: 1 to 64, real-time ones included, whatever the C library keeps for itself.

use core::ffi::c_int;

use linux_raw_sys::general as raw;
use rustix::fd::{BorrowedFd, FromRawFd, OwnedFd};
use rustix::process::Pid;

use super::call::done;
use super::opened::keep_open;
use super::process::prctl;
use super::time::Time;
use super::{Done, Failure};

/// A signal's number, 1 to 64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signal(c_int);

impl Signal {
    pub const HUP: Signal = Signal(raw::SIGHUP as c_int);
    pub const INT: Signal = Signal(raw::SIGINT as c_int);
    pub const QUIT: Signal = Signal(raw::SIGQUIT as c_int);
    pub const USR1: Signal = Signal(raw::SIGUSR1 as c_int);
    pub const USR2: Signal = Signal(raw::SIGUSR2 as c_int);
    pub const PWR: Signal = Signal(raw::SIGPWR as c_int);
    pub const PIPE: Signal = Signal(raw::SIGPIPE as c_int);
    pub const KILL: Signal = Signal(raw::SIGKILL as c_int);
    pub const TERM: Signal = Signal(raw::SIGTERM as c_int);
    pub const CHLD: Signal = Signal(raw::SIGCHLD as c_int);
    pub const CONT: Signal = Signal(raw::SIGCONT as c_int);
    pub const STOP: Signal = Signal(raw::SIGSTOP as c_int);
    pub const TSTP: Signal = Signal(raw::SIGTSTP as c_int);
    pub const TTIN: Signal = Signal(raw::SIGTTIN as c_int);
    pub const TTOU: Signal = Signal(raw::SIGTTOU as c_int);
    pub const WINCH: Signal = Signal(raw::SIGWINCH as c_int);
    pub const IO: Signal = Signal(raw::SIGIO as c_int);

    #[must_use]
    pub const fn new(number: c_int) -> Signal {
        Signal(number)
    }

    /// Whether it asks to end.
    #[must_use]
    pub const fn ends(self) -> bool {
        matches!(self, Signal::HUP | Signal::INT | Signal::QUIT | Signal::TERM)
    }

    /// Whether a terminal stops jobs with it.
    #[must_use]
    pub const fn stops_jobs(self) -> bool {
        matches!(self, Signal::TSTP) || self.waits_for_terminal()
    }

    /// Whether it stops a job in the background that reads from its terminal or writes to it.
    #[must_use]
    pub const fn waits_for_terminal(self) -> bool {
        matches!(self, Signal::TTIN | Signal::TTOU)
    }

    #[must_use]
    pub const fn number(self) -> c_int {
        self.0
    }
}

/// A set of signals: bit N-1 is signal N.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Set(u64);

impl Set {
    pub const NONE: Set = Set(0);
    pub const ALL: Set = Set(!0);

    #[must_use]
    pub const fn of(mut signals: &[Signal]) -> Set {
        let mut set = 0;
        while let [signal, rest @ ..] = signals {
            set |= 1 << ((signal.0 - 1) & 63);
            signals = rest;
        }
        Set(set)
    }

    #[must_use]
    pub const fn has(self, signal: Signal) -> bool {
        self.0 >> ((signal.0 - 1) & 63) & 1 == 1
    }

    #[must_use]
    pub const fn without(self, signal: Signal) -> Set {
        Set(self.0 & !(1 << ((signal.0 - 1) & 63)))
    }
}

/// `siginfo_t`: what came with a signal. The fields overlap; which are meant depends on `code`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Siginfo {
    number: c_int,
    error: c_int,
    code: c_int,
    #[cfg(target_pointer_width = "64")]
    pad: c_int,
    first: c_int,
    second: c_int,
    value: usize,
    rest: [usize; SIGINFO_REST],
}

const SIGINFO_SIZE: usize = 128;
const SIGINFO_REST: usize = SIGINFO_SIZE / size_of::<usize>() - if cfg!(target_pointer_width = "64") { 4 } else { 6 };
const _: () = assert!(size_of::<Siginfo>() == SIGINFO_SIZE);

/// `si_code` of the terminal's and the kernel's own signals.
pub const SI_KERNEL: c_int = 0x80;
/// `si_code` of sigqueue(3).
pub const SI_QUEUE: c_int = -1;
/// `si_code` of a descriptor that has input (fcntl(2), F_SETSIG).
pub const POLL_IN: c_int = 1;
/// The last of its kind: the other end is gone.
pub const POLL_HUP: c_int = 6;

impl Siginfo {
    pub const EMPTY: Siginfo = Siginfo {
        number: 0,
        error: 0,
        code: 0,
        #[cfg(target_pointer_width = "64")]
        pad: 0,
        first: 0,
        second: 0,
        value: 0,
        rest: [0; SIGINFO_REST],
    };

    /// As sigqueue(3) would make it, but with `code`, which must be negative for the kernel to take it from us.
    #[must_use]
    pub const fn with_code(signal: Signal, code: c_int) -> Siginfo {
        Siginfo { number: signal.0, code, ..Siginfo::EMPTY }
    }

    #[must_use]
    pub const fn signal(&self) -> Signal {
        Signal(self.number)
    }

    #[must_use]
    pub const fn code(&self) -> c_int {
        self.code
    }
}

/// kill(2): a process, or with a negative number a group, or with -1 everything that may be signalled.
///
/// # Errors
/// ESRCH, EPERM.
pub fn kill(target: i32, signal: Signal) -> Done {
    done(call!(__NR_kill, target, signal.number()))
}

/// rt_sigqueueinfo(2): sends a signal with the value that came with it.
///
/// # Errors
/// ESRCH, EPERM, EAGAIN if the receiver's queue is full.
pub fn queue(target: Pid, signal: Signal, info: &Siginfo) -> Done {
    done(call!(__NR_rt_sigqueueinfo, target.as_raw_nonzero().get(), signal.number(), core::ptr::from_ref(info)))
}

/// rt_sigprocmask(2) SIG_SETMASK; the mask before.
///
/// # Errors
/// None is known.
pub fn set_mask(mask: Set) -> Result<Set, Failure> {
    let mut old = Set::NONE;
    call!(__NR_rt_sigprocmask, raw::SIG_SETMASK, &raw const mask, &raw mut old, size_of::<Set>())?;
    Ok(old)
}

/// rt_sigaction(2) to SIG_IGN or SIG_DFL. Returns whether the signal was ignored.
///
/// # Errors
/// EINVAL for KILL and STOP.
pub fn set_ignored(signal: Signal, ignored: bool) -> Result<bool, Failure> {
    // The kernel's struct: handler, flags, (restorer,) mask; its size never matters beyond the mask's.
    // It reads the new one before it writes the old one.
    let mut action = [usize::from(ignored), 0, 0, 0, 0];
    let place = action.as_mut_ptr();
    call!(__NR_rt_sigaction, signal.number(), place, place, size_of::<Set>())?;
    Ok(action.first() == Some(&1))
}

/// Whether `signal` waits to be taken, rt_sigpending(2).
#[must_use]
pub fn is_pending(signal: Signal) -> bool {
    let mut pending = Set::NONE;
    call!(__NR_rt_sigpending, &raw mut pending, size_of::<Set>()).is_ok() && pending.has(signal)
}

/// rt_sigtimedwait(2) for a signal of `set`, all of which are blocked, at most `limit` long, or without limit.
///
/// # Errors
/// EAGAIN: the time is over. EINTR: this process was stopped and continued. EPERM, ENOSYS or any other: a seccomp filter forbids
/// the call.
pub fn wait_signal(set: Set, limit: Option<Time>, info: &mut Siginfo) -> Done {
    let limit: *const Time = limit.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    #[cfg(target_pointer_width = "32")]
    call!(__NR_rt_sigtimedwait_time64, &raw const set, core::ptr::from_mut(info), limit, size_of::<Set>())?;
    #[cfg(target_pointer_width = "64")]
    call!(__NR_rt_sigtimedwait, &raw const set, core::ptr::from_mut(info), limit, size_of::<Set>())?;
    Ok(())
}

/// signalfd4(2) for all signals, without waiting.
///
/// # Errors
/// ENOSYS without CONFIG_SIGNALFD.
pub fn signals() -> Result<BorrowedFd<'static>, Failure> {
    let set = Set::ALL;
    let fd = call!(__NR_signalfd4, -1i32, &raw const set, size_of::<Set>(), raw::O_CLOEXEC | raw::O_NONBLOCK)?;
    // SAFETY: the kernel has just made it, and nobody else has its number.
    Ok(keep_open(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
}

/// Ends this process by `signal`, without a core file of ours; returns if that is impossible (process 1 is immune).
pub fn die_of(signal: Signal) {
    let _ = prctl(linux_raw_sys::prctl::PR_SET_DUMPABLE, 0);
    let _ = set_ignored(signal, false);
    let _ = kill(rustix::process::getpid().as_raw_nonzero().get(), signal);
    let _ = set_mask(Set::ALL.without(signal));
}

/// Stops this process, until somebody continues it; but not process 1, which is immune.
#[inline(never)]
pub fn stop() {
    let _ = kill(rustix::process::getpid().as_raw_nonzero().get(), Signal::STOP);
}
