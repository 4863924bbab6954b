//! Namespaces that are made or joined, and the ids in them.

pub mod cgroup;
pub mod credentials;
pub mod join;
pub mod limits;
pub mod loopback;
pub mod target;
pub mod usermap;
