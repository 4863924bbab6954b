//! execve(2).

use core::ffi::{CStr, c_char};

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd};

use super::{Argv, Env, Failure, Start, Word};

/// execve(2) of the file at `path`. Returns only on failure: ENOENT also for a missing interpreter, ENOEXEC for a format that
/// the kernel does not know, EACCES for a file without an execute bit or on a noexec mount, EINVAL for [`Argv::NONE`].
pub fn execve(path: &CStr, argv: Argv<'_>, env: Env<'_>) -> Failure {
    if argv.is_none() {
        return Failure::INVAL;
    }
    // SAFETY: the path ends in a NUL and both arrays in a null pointer, for Argv and Env hold no others (an empty Env is a
    // null pointer, which Linux takes for an empty array). The kernel copies all strings before it replaces the memory.
    unsafe { call!(__NR_execve, path.as_ptr(), argv.as_ptr(), env.as_ptr()) }.err().unwrap_or(Failure::INVAL)
}

/// execve(2) of `shell` with the script at `path` and CMD's arguments. Returns only on failure, as [`execve`].
pub fn execve_script(shell: &CStr, path: &CStr, argv: Argv<'_>, env: Env<'_>) -> Failure {
    let result = argv.as_script(shell, path, |script| {
        // SAFETY: `script` is CMD's array with the shell and the path as its first two words, and lasts for this closure; it
        // ends where CMD's ends.
        unsafe { call!(__NR_execve, shell.as_ptr(), script, env.as_ptr()) }
    });
    result.and_then(Result::err).unwrap_or(Failure::INVAL)
}

/// execve(2) of the program at `path` with these words, which end with [`Word::END`], and without an environment. Returns only on
/// failure, as [`execve`].
pub fn execve_words(path: &CStr, words: &[Word<'_>]) -> Failure {
    if !words.last().is_some_and(|last| last.is_end()) {
        return Failure::INVAL;
    }
    let words: *const *const c_char = words.as_ptr().cast();
    // SAFETY: the path ends in a NUL. A Word has the layout of a pointer (repr(transparent)), to a C string or null, and the last one
    // is null. Linux takes a null pointer for an empty environment.
    unsafe { call!(__NR_execve, path.as_ptr(), words, 0usize) }.err().unwrap_or(Failure::INVAL)
}

/// execveat(2) of an open file (AT_EMPTY_PATH), with the arguments and the environment that nsinit was started with. Returns
/// only on failure, as [`execve`].
pub fn execve_fd(fd: BorrowedFd<'_>, start: &Start) -> Failure {
    let args: *const *const c_char = start.args.as_ptr().cast();
    let (fd, env) = (fd.as_raw_fd(), start.env.as_ptr());
    // SAFETY: the path is the empty string, and the arrays are those that execve(2) left on the stack of nsinit, each with a
    // null pointer at the end.
    unsafe { call!(__NR_execveat, fd, c"".as_ptr(), args, env, raw::AT_EMPTY_PATH) }.err().unwrap_or(Failure::INVAL)
}
