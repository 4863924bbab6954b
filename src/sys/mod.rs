//! The only room with unsafe code: the program's start, the front's allocator, and the system calls that rustix lacks.
#![allow(unsafe_code)]

mod arch;
mod call;
mod entry;
mod failure;
mod heap;
mod signal;

pub use call::*;
pub use entry::{Argv, Env, Start, Word};
pub use failure::{Done, Failure};
pub use heap::Bump;
pub use signal::*;
