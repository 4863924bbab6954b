//! Takes the place of `end` in a build without the feature cgroup: no container has a cgroup of its own.

use crate::state::Launch;
use crate::sys::Failure;

/// No cgroup can be killed.
pub const fn kill_processes(_: &Launch) {}

/// The container has no limit of its own.
#[cfg(feature = "status")]
#[must_use]
pub const fn has_killed_for_memory(_: &Launch) -> bool {
    false
}

/// The container has no limit of its own.
#[must_use]
pub const fn blame_memory(_: &Launch) -> Option<Failure> {
    None
}
