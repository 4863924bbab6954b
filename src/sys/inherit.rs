//! Descriptors for a program that std starts: for src/library.rs, which has std.

extern crate std;

use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::fd::close_on_exec;

/// The program that `command` executes inherits `fd`, under the same number. Descriptors of other threads' programs are not affected:
/// the flag changes in the child alone.
pub fn inherit(command: &mut Command, fd: OwnedFd) {
    let clear = move || {
        let number = fd.as_raw_fd().cast_unsigned();
        close_on_exec(number, false).map_err(|why| std::io::Error::from_raw_os_error(why.number().cast_signed()))
    };
    // SAFETY: between fork and exec only fcntl(2) is called; the error is a number, and allocates nothing.
    unsafe { command.pre_exec(clear) };
}
