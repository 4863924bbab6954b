//! Signals as the kernel counts them: 1 to 64, real-time ones included, whatever the C library keeps for itself.

use core::ffi::c_int;
use linux_raw_sys::general as raw;

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
