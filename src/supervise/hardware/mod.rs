//! The devices of a machine, as far as its first process serves them.

pub mod argument;
pub mod buttons;
pub mod clock;
pub mod seed;
pub mod status;
pub mod watchdog;

use crate::report::message::warn;
use crate::say;
use crate::spec::Hardware;
use crate::text::Say;

/// What is left to the next start, once all other processes have ended.
pub fn leave_behind(hardware: &Hardware<'_>) {
    if let Some(path) = hardware.seed {
        seed::keep(path);
    }
    if let Some(path) = hardware.clock
        && let Err(why) = clock::renew(path)
    {
        warn(say!("renew the time of"), path, why, Say::NOTHING);
    }
}
