//! The exit statuses of nsinit: one table. (The other vocabularies have their own statuses, in their wording.)

use crate::say;
use crate::sys::Signal;
use crate::text::Say;

/// One exit status that is not the command's own.
#[derive(Clone, Copy)]
pub struct Status {
    pub number: u8,
    /// Printed after the number in help: `+N`, if a signal's number is added.
    pub more: Say,
    pub meaning: Say,
}

const fn status(number: u8, meaning: Say) -> Status {
    Status { number, more: Say::NOTHING, meaning }
}

pub const FAILED: Status = status(125, say!("nsinit failed before CMD ran"));
/// As in a shell (POSIX, Exit Status for Commands), and so are the next two.
pub const NOT_EXECUTABLE: Status = status(126, say!("CMD could not be executed"));
pub const NOT_FOUND: Status = status(127, say!("CMD was not found"));
pub const SIGNALLED: Status = Status { number: 128, more: say!("+N"), meaning: say!("signal N ended CMD") };

/// All of them, in the order of their numbers.
pub static ALL: [Status; 4] = [FAILED, NOT_EXECUTABLE, NOT_FOUND, SIGNALLED];

/// The exit status for a command that `signal` ended.
#[must_use]
pub const fn of_signal(signal: Signal) -> u8 {
    SIGNALLED.number.saturating_add(signal.number() as u8)
}
