//! Cgroups of version 2 (cgroups(7)): that of another process, and the container's own, with its limits. Those of version 1 that the
//! container joins.
//!
//! The launcher makes it before the clone and removes it at the end. Everything goes by descriptor, and the container has none of them.

#[cfg(feature = "cgroup")]
mod birth;
#[cfg(feature = "cgroup")]
mod controllers;
#[cfg(feature = "cgroup")]
mod delegate;
#[cfg(feature = "cgroup")]
mod end;
#[cfg(feature = "stats")]
mod freeze;
#[cfg(feature = "cgroup")]
mod kill;
#[cfg(feature = "cgroup")]
mod limit;
#[cfg(feature = "cgroup")]
mod make;
#[cfg(not(feature = "cgroup"))]
mod no_cgroup;
#[cfg(not(feature = "stats"))]
mod no_freezer;
#[cfg(feature = "cgroup")]
mod old;
#[cfg(feature = "stats")]
mod running;
#[cfg(feature = "stats")]
mod stats;
#[cfg(feature = "cgroup")]
mod steps;
pub mod tree;
#[cfg(feature = "cgroup")]
pub mod values;

#[cfg(feature = "cgroup")]
pub use birth::with_launcher;
#[cfg(all(feature = "cgroup", feature = "boot"))]
pub use controllers::enable_for_machine;
#[cfg(feature = "cgroup")]
pub use end::{blame_memory, has_killed_for_memory, kill_processes, remove_with_processes};
#[cfg(feature = "stats")]
pub use freeze::{run as freeze_or_thaw, thaw};
#[cfg(feature = "cgroup")]
pub use limit::{CPUSET, write_all};
#[cfg(all(feature = "status", not(feature = "cgroup")))]
pub use no_cgroup::has_killed_for_memory;
#[cfg(not(feature = "cgroup"))]
pub use no_cgroup::{blame_memory, kill_processes};
#[cfg(not(feature = "stats"))]
pub use no_freezer::thaw;
#[cfg(feature = "stats")]
pub use stats::{print as print_stats, report as report_stats};
#[cfg(feature = "cgroup")]
pub use steps::{delegate_cgroup, join_old, limit_cgroup, make_cgroup, make_namespace, open_old};
