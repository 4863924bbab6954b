//! The only module with unsafe code: the program's start, the allocator of src/cli, and the system calls that rustix lacks, as
//! safe functions, one file a topic. A use that could break memory is excluded by a type (`Fd`, `Kept`, `Operation`, `Slot`,
//! `Apart`), or needs an `unsafe fn` that no other module can call.
//!
//! Two files have a state: `opened` keeps which descriptors nsinit has opened, since a number may only be closed by code that
//! knows what it was opened for; and `stdio` keeps where messages go.
#![allow(unsafe_code)]

#[macro_use]
mod call;

mod arch;
mod argv;
mod caps;
pub(crate) mod errno;
mod error;
mod exe_map;
mod exec;
mod fcntl;
mod fd;
#[cfg(feature = "probe")]
mod feature;
pub mod files;
mod heap;
#[cfg(feature = "library")]
mod inherit;
#[cfg(feature = "hardware")]
mod input;
mod ioctl;
mod keyring;
mod landlock;
mod loop_device;
mod map;
#[cfg(feature = "root-device")]
mod module;
mod mount;
mod net;
mod ns;
mod opened;
mod pidfd;
mod poll;
#[cfg(feature = "hardware")]
mod port;
mod process;
pub mod program;
#[cfg(feature = "hardware")]
mod random;
mod seccomp;
mod shared;
mod shared_vm;
mod signal;
mod start;
mod stdio;
#[cfg(feature = "boot")]
mod storage;
mod time;
mod tty;
#[cfg(feature = "hardware")]
mod vsock;
mod wait;
#[cfg(feature = "hardware")]
mod watchdog;

pub use arch::MACHINE;
pub use argv::{Argv, Env, Slot, Word, c_str, tail};
pub use caps::*;
pub use error::{Done, Failure};
pub use exe_map::{
    can_leave_file, executed_path, give_back, hide, leave_file, prepare_to_hide, remember, reset_title, set_title,
};
pub use exec::*;
pub use fcntl::*;
pub use fd::*;
#[cfg(feature = "probe")]
pub use feature::*;
pub use heap::Bump;
#[cfg(feature = "library")]
pub use inherit::inherit;
#[cfg(feature = "hardware")]
pub use input::*;
pub use keyring::*;
pub use landlock::*;
pub use loop_device::*;
pub use map::pages;
#[cfg(feature = "root-device")]
pub use module::load_module;
pub use mount::*;
pub use net::*;
pub use ns::*;
pub use opened::*;
pub use pidfd::*;
pub use poll::*;
#[cfg(feature = "hardware")]
pub use port::*;
pub use process::*;
#[cfg(feature = "hardware")]
pub use random::*;
pub use seccomp::*;
pub use shared::Shared;
pub use shared_vm::*;
pub use signal::*;
pub use start::{Auxiliary, Start};
pub use stdio::*;
#[cfg(feature = "boot")]
pub use storage::*;
pub use time::*;
pub use tty::*;
#[cfg(feature = "hardware")]
pub use vsock::*;
pub use wait::*;
#[cfg(feature = "hardware")]
pub use watchdog::*;
