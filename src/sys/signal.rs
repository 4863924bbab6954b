//! Signals by their kernel numbers, 1 to 64: the real-time signals that a C library keeps for itself are among them.

use core::ffi::c_int;

use linux_raw_sys::general as raw;
use rustix::process::Pid;

use super::call::done;
use super::process::{PR_SET_DUMPABLE, prctl};
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
    pub const SYS: Signal = Signal(raw::SIGSYS as c_int);
    pub const WINCH: Signal = Signal(raw::SIGWINCH as c_int);
    pub const IO: Signal = Signal(raw::SIGIO as c_int);

    #[must_use]
    pub const fn new(number: c_int) -> Signal {
        Signal(number)
    }

    /// Whether it asks a program to end.
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

/// `siginfo_t`, sigaction(2): the data of a signal. `code` decides which members of the union in it have a meaning.
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

/// `si_code` of a signal that the kernel sends, such as those of a terminal.
pub const SI_KERNEL: c_int = 0x80;
/// `si_code` of sigqueue(3).
pub const SI_QUEUE: c_int = -1;
/// `si_code` of input at a descriptor (fcntl(2), F_SETSIG).
pub const POLL_IN: c_int = 1;
/// `si_code` of a hang-up at a descriptor, the last of the POLL_* codes.
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

    /// As [`Siginfo::EMPTY`], for a variable: the code that clears its 128 bytes is in the program once.
    #[must_use]
    #[inline(never)]
    pub const fn empty() -> Siginfo {
        Siginfo::EMPTY
    }

    /// The data of sigqueue(3) with another `code`. It must be negative: the kernel keeps the others for itself.
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

/// kill(2). `target` is a process, or negative a process group, or -1 every process that we may signal.
///
/// # Errors
/// ESRCH: there is no such process or group. EPERM: no right to signal any of them.
pub fn kill(target: i32, signal: Signal) -> Done {
    // SAFETY: the arguments are numbers. A signal to this process runs none of its code, because it has no handlers.
    done(unsafe { call!(__NR_kill, target, signal.number()) })
}

/// Sends a signal with its data, rt_sigqueueinfo(2).
///
/// # Errors
/// ESRCH: there is no such process. EPERM: no right to signal it, or the `code` of `info` is not negative and `target` is another
/// process. EAGAIN: a limit of queued signals (RLIMIT_SIGPENDING).
pub fn queue(target: Pid, signal: Signal, info: &Siginfo) -> Done {
    // SAFETY: the kernel copies a siginfo_t, 128 bytes, which is the size of Siginfo, and writes nothing.
    done(unsafe {
        call!(__NR_rt_sigqueueinfo, target.as_raw_nonzero().get(), signal.number(), core::ptr::from_ref(info))
    })
}

/// Sets the signal mask, rt_sigprocmask(2) SIG_SETMASK. Returns the mask before.
///
/// # Errors
/// The errno of a seccomp filter of the caller's; the kernel itself has none for these arguments.
pub fn set_mask(mask: Set) -> Result<Set, Failure> {
    let mut old = Set::NONE;
    // SAFETY: the kernel reads one set and writes the other. Each has 8 bytes, which is the last argument.
    unsafe { call!(__NR_rt_sigprocmask, raw::SIG_SETMASK, &raw const mask, &raw mut old, size_of::<Set>())? };
    Ok(old)
}

/// Sets a signal to SIG_IGN or SIG_DFL, rt_sigaction(2). Returns whether it was ignored.
///
/// # Errors
/// EINVAL: the signal is SIGKILL or SIGSTOP.
pub fn set_ignored(signal: Signal, ignored: bool) -> Result<bool, Failure> {
    // The kernel's struct: the handler (0 SIG_DFL, 1 SIG_IGN), flags, on some machines a restorer, and the mask.
    let mut action = [usize::from(ignored), 0, 0, 0, 0];
    let place = action.as_mut_ptr();
    // SAFETY: the struct is at most three words and a mask of 8 bytes, so no more than `action`. The kernel has read the new
    // one before it writes the old one to the same place. Neither handler is code.
    unsafe { call!(__NR_rt_sigaction, signal.number(), place, place, size_of::<Set>())? };
    Ok(action.first() == Some(&1))
}

/// Discards the SIGPIPE of a write(2) to a pipe without a reader. It is blocked, and would stay pending for the command: a pending signal is
/// discarded when its action becomes "ignore" (sigaction(2)).
pub fn discard_broken_pipe() {
    if set_ignored(Signal::PIPE, true) == Ok(false) {
        let _ = set_ignored(Signal::PIPE, false);
    }
}

/// Whether `signal` is pending, rt_sigpending(2).
#[must_use]
pub fn is_pending(signal: Signal) -> bool {
    is_any_pending(Set::of(&[signal]))
}

/// Whether a signal of `set` is pending.
#[must_use]
pub fn is_any_pending(set: Set) -> bool {
    let mut pending = Set::NONE;
    // SAFETY: the kernel writes one set. It has 8 bytes, which is the second argument.
    unsafe { call!(__NR_rt_sigpending, &raw mut pending, size_of::<Set>()) }.is_ok() && pending.0 & set.0 != 0
}

/// Waits for a signal of `set`, all of which are blocked, for `limit` or without end: rt_sigtimedwait(2).
///
/// # Errors
/// EAGAIN: the time is over. EINTR: SIGSTOP and SIGCONT. EPERM, ENOSYS or another: a seccomp filter forbids the call.
pub fn wait_signal(set: Set, limit: Option<Time>, info: &mut Siginfo) -> Done {
    let limit: *const Time = limit.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    let info = core::ptr::from_mut(info);
    #[cfg(target_pointer_width = "32")]
    // SAFETY: the kernel reads a set of 8 bytes and, if `limit` is not null, two numbers of 64 bits (this call is of Linux 5.1);
    // it writes a siginfo_t, 128 bytes, which is the size of Siginfo.
    unsafe {
        call!(__NR_rt_sigtimedwait_time64, &raw const set, info, limit, size_of::<Set>())?
    };
    #[cfg(target_pointer_width = "64")]
    // SAFETY: the kernel reads a set of 8 bytes and, if `limit` is not null, a struct timespec of two words; it writes a
    // siginfo_t, 128 bytes, which is the size of Siginfo.
    unsafe {
        call!(__NR_rt_sigtimedwait, &raw const set, info, limit, size_of::<Set>())?
    };
    Ok(())
}

/// Ends this process by `signal`, without a core file. Returns if that is impossible: process 1 of a pid namespace cannot send
/// itself a signal for which it has no handler (pid_namespaces(7)).
pub fn die_of(signal: Signal) {
    let _ = prctl(PR_SET_DUMPABLE, 0);
    let _ = set_ignored(signal, false);
    let _ = kill(rustix::process::getpid().as_raw_nonzero().get(), signal);
    let _ = set_mask(Set::ALL.without(signal));
}

/// Stops this process until a SIGCONT. Process 1 of a pid namespace cannot stop itself.
#[inline(never)]
pub fn stop() {
    let _ = kill(rustix::process::getpid().as_raw_nonzero().get(), Signal::STOP);
}
