//! The only room with unsafe code: raw system calls that rustix lacks, as typed functions.
#![allow(unsafe_code)]

mod entry;
mod heap;

pub use entry::{Argv, Start, Word};
pub use heap::Bump;
