//! fcntl(2): locks, and the owner of an open file.

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::process::Pid;

use super::call::done;
use super::signal::Signal;
use super::{Done, Failure};

/// Locks the whole file for reading, F_SETLK, until this process closes any descriptor of it or ends.
///
/// # Errors
/// EAGAIN or EACCES: another process has locked it for writing. EBADF: it is not open for reading. ENOLCK: the file system
/// has no free lock.
pub fn lock_for_reading(fd: BorrowedFd<'_>) -> Done {
    // All fields are zero: F_RDLCK, SEEK_SET, from the beginning, and a length of 0 for up to the end, wherever that is.
    let lock = [0u64; 4];
    // SAFETY: the kernel reads a struct flock, which has at most 32 bytes on our machines, and `lock` has 32. F_SETLK writes
    // nothing.
    done(unsafe { call!(__NR_fcntl, fd.as_raw_fd(), raw::F_SETLK, lock.as_ptr()) })
}

/// Makes `owner` the owner of an open file, F_SETOWN. Without O_ASYNC the kernel sends the owner no signal: the owner of a pipe
/// then serves to name a process to another pid namespace.
///
/// # Errors
/// ESRCH: there is no process `owner`.
pub fn set_owner(fd: BorrowedFd<'_>, owner: Pid) -> Done {
    // SAFETY: F_SETOWN takes the number of a process.
    done(unsafe { call!(__NR_fcntl, fd.as_raw_fd(), raw::F_SETOWN, owner.as_raw_nonzero().get()) })
}

/// The owner of an open file ([`set_owner`]), by its number in our pid namespace, F_GETOWN.
///
/// # Errors
/// ECHILD: the file has no owner, or the owner has no number in our pid namespace, or it has ended.
pub fn owner(fd: BorrowedFd<'_>) -> Result<Pid, Failure> {
    // SAFETY: F_GETOWN has no argument; the number is its result.
    let pid = unsafe { call!(__NR_fcntl, fd.as_raw_fd(), raw::F_GETOWN, 0u32)? };
    Pid::from_raw(pid as i32).ok_or(Failure::CHILD)
}

/// Makes the kernel send `signal` to `owner` when there is input at `fd`, with `si_code` POLL_IN and the number of the
/// descriptor: F_SETOWN, F_SETSIG, and O_ASYNC, O_NONBLOCK.
///
/// # Errors
/// ESRCH: there is no process `owner`. EBADF: `fd` is not open.
pub fn signal_on_input(fd: BorrowedFd<'_>, owner: Pid, signal: Signal) -> Done {
    const O_ASYNC: u32 = raw::FASYNC;
    set_owner(fd, owner)?;
    let fd = fd.as_raw_fd();
    // SAFETY: F_SETSIG takes the number of a signal, and F_SETFL flags.
    unsafe {
        call!(__NR_fcntl, fd, raw::F_SETSIG, signal.number())?;
        done(call!(__NR_fcntl, fd, raw::F_SETFL, raw::O_NONBLOCK | O_ASYNC))
    }
}
