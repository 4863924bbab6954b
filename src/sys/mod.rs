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
pub mod files;
mod heap;
mod ioctl;
mod keyring;
mod loop_device;
mod map;
mod mount;
mod net;
mod ns;
mod opened;
mod pidfd;
mod poll;
mod process;
mod seccomp;
mod shared;
mod shared_vm;
mod signal;
mod start;
mod stdio;
mod time;
mod tty;
mod wait;

pub use arch::MACHINE;
pub use argv::{Argv, Env, Slot, Word, c_str, tail};
pub use caps::*;
pub use error::{Done, Failure};
pub use exe_map::{give_back, hide, leave_file, prepare_to_hide, reset_title, set_title};
pub use exec::*;
pub use fcntl::*;
pub use fd::*;
pub use heap::Bump;
pub use keyring::*;
pub use loop_device::*;
pub use mount::*;
pub use net::*;
pub use ns::*;
pub use opened::*;
pub use pidfd::*;
pub use poll::*;
pub use process::*;
pub use seccomp::*;
pub use shared::Shared;
pub use shared_vm::*;
pub use signal::*;
pub use start::{Auxiliary, Start};
pub use stdio::*;
pub use time::*;
pub use tty::*;
pub use wait::*;
