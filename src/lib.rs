//! The engine.
#![no_std]
#![deny(unsafe_code)]

pub mod sys;
pub mod text;
pub mod fault;
pub mod spec;
pub mod judge;
pub mod step;
pub mod files;
pub mod resolve;
pub mod mounts;
pub mod procfs;
pub mod tty;
pub mod ids;
pub mod caps;
pub mod fds;
pub mod net;
pub mod seal;
pub mod rootfs;
pub mod init;
pub mod host;
pub mod inside;
pub mod command;
pub mod launch;
