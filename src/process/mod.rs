//! One file a process, with its tables.

pub mod clone;
pub mod command;
pub mod connect;
pub mod container;
pub mod container_setup;
pub mod enter;
pub mod execute;
pub mod init;
pub mod launcher;
pub mod machine;
pub mod monitor;
pub mod pause;
pub mod relay;
