//! The engine.
#![no_std]
#![deny(unsafe_code)]

pub mod sys;
pub mod text;
pub mod fault;
pub mod spec;
pub mod judge;
pub mod files;
pub mod state;
pub mod step;
pub mod mounts;
pub mod procfs;
pub mod resolve;
pub mod tty;
pub mod fds;
pub mod ids;
pub mod caps;
pub mod net;
pub mod seal;
pub mod rootfs;
pub mod init;
pub mod host;
pub mod inside;
pub mod command;
pub mod launch;
