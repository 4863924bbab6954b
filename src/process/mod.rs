//! One file a process, with its tables.

#[cfg(feature = "container")]
pub mod clone;
pub mod command;
pub mod connect;
#[cfg(feature = "container")]
pub mod container;
#[cfg(feature = "container")]
pub mod container_setup;
#[cfg(feature = "enter")]
pub mod enter;
pub mod execute;
#[cfg(feature = "hardware")]
mod hardware;
pub mod in_place;
pub mod init;
#[cfg(feature = "keeper")]
pub mod keeper;
#[cfg(feature = "keeper")]
pub mod keeper_setup;
pub mod launcher;
#[cfg(feature = "bwrap")]
mod locks;
#[cfg(feature = "keeper")]
mod logger;
#[cfg(feature = "boot")]
pub mod machine;
pub mod maps;
#[cfg(feature = "root-device")]
mod modules;
pub mod monitor;
#[cfg(feature = "container")]
pub mod network;
pub mod pause;
#[cfg(feature = "pty")]
pub mod relay;
pub mod wire;
