//! The descriptors and files by which a process outside follows a launch.

pub mod json;
#[cfg(feature = "keeper")]
pub mod notify;
#[cfg(feature = "detach")]
pub mod pid_file;
pub mod start;
