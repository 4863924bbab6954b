//! Namespaces and the ids in them.

pub mod loopback;
pub mod target;
pub mod usermap;
