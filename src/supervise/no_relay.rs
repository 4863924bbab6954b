//! Takes the place of `relay` in a build without the feature pty: there is no relay.

use rustix::process::Pid;

use crate::state::{self, Launch};

/// No relay.
pub struct Relay;

impl Relay {
    #[must_use]
    pub const fn new(_: &Launch, _: &state::Relay) -> Relay {
        Relay
    }

    /// Nothing to do.
    pub const fn begin(&self) {}

    /// Nothing to do.
    pub const fn end(&mut self, _: bool) {}

    /// It is not there.
    pub const fn stop(&mut self) -> Option<bool> {
        None
    }

    /// Nothing to do.
    pub const fn look_after(&mut self) {}

    /// No process is the relay.
    #[must_use]
    pub const fn is(&self, _: Pid) -> bool {
        false
    }

    /// Nothing to do.
    pub const fn has_ended(&mut self) {}

    /// It never ends.
    #[must_use]
    pub const fn hangs_up(&self) -> bool {
        false
    }
}
