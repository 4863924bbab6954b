//! One file a process, with its tables.

pub mod command;
pub mod container_setup;
pub mod enter;
pub mod init;
pub mod launcher;
pub mod machine;
pub mod monitor;
pub mod relay;
