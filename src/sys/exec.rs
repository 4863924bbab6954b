//! execve(2).

use core::ffi::{CStr, c_char};

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd};

use super::{Argv, Env, Failure, Start};

/// execve(2). Returns only when it failed.
pub fn execve(path: &CStr, argv: Argv<'_>, env: Env<'_>) -> Failure {
    if argv.is_none() {
        return Failure::INVAL;
    }
    call!(__NR_execve, path.as_ptr(), argv.as_ptr(), env.as_ptr()).err().unwrap_or(Failure::INVAL)
}

/// execve(2) of `shell` with the script `path` and CMD's arguments. Returns only when it failed.
pub fn execve_script(shell: &CStr, path: &CStr, argv: Argv<'_>, env: Env<'_>) -> Failure {
    let result = argv.as_script(shell, path, |script| call!(__NR_execve, shell.as_ptr(), script, env.as_ptr()));
    result.and_then(Result::err).unwrap_or(Failure::INVAL)
}

/// execveat(2) of a descriptor (AT_EMPTY_PATH) with the arguments as the kernel gave them. Returns only when it failed.
pub fn execve_fd(fd: BorrowedFd<'_>, start: &Start) -> Failure {
    let args: *const *const c_char = start.args.as_ptr().cast();
    let (fd, env) = (fd.as_raw_fd(), start.env.as_ptr());
    call!(__NR_execveat, fd, c"".as_ptr(), args, env, raw::AT_EMPTY_PATH).err().unwrap_or(Failure::INVAL)
}
