//! What the compatibility tests of tini, dumb-init and catatonit share.
//!
//!     subject        who is tested: the original or nsinit under its name, as PID 1 or not
//!     pattern        expected texts, with # for a number
//!     common         the behaviours that all three have, each told where they differ
//!     terminal       the same in front of a terminal
//!     differences    where nsinit does it otherwise, and why: the table of docs/drop-in.md

pub mod common;
pub mod differences;
pub mod pattern;
pub mod subject;
pub mod terminal;

pub use differences::differs;
pub use pattern::{are, is};
pub use subject::{Place, Side, Subject, Suite, helper};

/// What may be sent and forwarded: KILL and STOP are the kernel's, CHLD is about own children.
pub fn signals() -> impl Iterator<Item = i32> {
    (1..=64).filter(|s| ![libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD].contains(s))
}

/// What the kernel makes for a fault of one's own. Nobody forwards them but dumb-init and nsinit.
pub const FAULTS: [i32; 7] =
    [libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGBUS, libc::SIGFPE, libc::SIGSEGV, libc::SIGSYS];

/// glibc keeps these for itself: its sigfillset leaves them out.
pub const GLIBC: [i32; 2] = [32, 33];

/// What stops a process that has no handler, when the terminal says so.
pub const STOPS: [i32; 3] = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
