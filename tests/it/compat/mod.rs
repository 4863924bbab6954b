//! The modules that the compatibility tests of tini, dumb-init and catatonit share.
//!
//!     subject        the program under test: the original, or nsinit under its name; as process 1 or not
//!     pattern        expected texts, with # for a number
//!     common         the behaviours that all three have, and where they differ
//!     terminal       the same in a terminal
//!     differences    where nsinit differs, and why: the table of docs/drop-in.md

pub mod common;
pub mod differences;
pub mod pattern;
pub mod subject;
pub mod terminal;

pub use differences::differs;
pub use pattern::{are, is};
pub use subject::{Place, Side, Subject, Suite, helper};

/// The signals that can be forwarded: KILL and STOP cannot be caught, CHLD reports the init's own children.
pub fn signals() -> impl Iterator<Item = i32> {
    (1..=64).filter(|s| ![libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD].contains(s))
}

/// The signals that the kernel sends for a fault. Only dumb-init and nsinit forward them.
pub const FAULTS: [i32; 7] =
    [libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGBUS, libc::SIGFPE, libc::SIGSEGV, libc::SIGSYS];

/// glibc uses these signals itself: its sigfillset(3) leaves them out.
pub const GLIBC: [i32; 2] = [32, 33];

/// The signals by which a terminal stops a process without a handler.
pub const STOPS: [i32; 3] = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
