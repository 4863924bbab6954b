//! Assembly code, one file for each machine: a system call, the program's first instructions, and a clone(2) whose child
//! continues in another function.

use core::mem::MaybeUninit;

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "x86", path = "x86.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "arm", path = "arm.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
mod machine;

pub use machine::*;

/// An argument of a system call. It is uninitialized for a register that the call does not read.
pub type Register = MaybeUninit<usize>;
