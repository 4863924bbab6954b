//! The program that is executed, and its arguments, environment, directory and descriptors.

use core::ffi::CStr;

use crate::sys::{Argv, Env};

/// The command, as it is executed.
#[derive(Clone, Copy)]
pub struct Exec<'a> {
    /// The command's environment.
    pub env: Env<'a>,
    /// The value of PATH in `env`.
    pub path: &'a CStr,
    /// The file that is executed, by name or path.
    pub command: &'a CStr,
    /// Its name and its arguments.
    pub argv: Argv<'a>,
    /// Executed instead if the file of `argv` is missing: the user gave no command, and any shell serves.
    pub fallback: Argv<'a>,
    /// The working directory; `None`: the one that nsinit has.
    pub directory: Option<&'a CStr>,
    /// `directory` is the caller's: if it does not exist inside, this one is tried, and then `/`. PWD names the one that is
    /// used.
    pub home: Option<&'a CStr>,
    /// The mask of mode bits, umask(2); `None`: the caller's.
    pub umask: Option<u32>,
    /// Descriptors that the command keeps besides 0, 1 and 2.
    pub keep_fds: &'a [u32],
    /// The command keeps all descriptors that the caller did not mark close-on-exec.
    pub keep_all_fds: bool,
}

/// The HOME of root, if the user set none. An environment that has this string, at this address, has no HOME that the user
/// set.
pub static ROOTS_HOME: &CStr = c"HOME=/root";
