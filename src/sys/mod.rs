//! The only room with unsafe code: the program's start, the front's allocator, and the system calls that rustix lacks.
#![allow(unsafe_code)]

mod arch;
mod call;
mod entry;
mod failure;
pub mod files;
mod heap;
mod image;
mod loop_device;
mod signal;
mod terminal;

pub use arch::MACHINE;
pub use call::*;
pub use entry::{Argv, Auxiliary, Env, Start, Word, c_str, tail};
pub use failure::{Done, Failure};
pub use heap::Bump;
pub use image::{give_back, hide, leave_file, prepare_to_hide, reset_title, set_title};
pub use loop_device::*;
pub use signal::*;
pub use terminal::*;
