//! fcntl(2): locks, and the process that an open file has noted.

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::process::Pid;

use super::call::done;
use super::signal::Signal;
use super::{Done, Failure};

/// fcntl(2) F_SETLK: a lock for reading on the whole of a file, until this process closes it or ends.
///
/// # Errors
/// EAGAIN: somebody else has locked it for writing.
pub fn lock_for_reading(fd: BorrowedFd<'_>) -> Done {
    // Of every field 0 is what is meant: F_RDLCK, SEEK_SET, from the beginning to the end, wherever that is.
    let lock = [0u64; 4];
    done(call!(__NR_fcntl, fd.as_raw_fd(), raw::F_SETLK, lock.as_ptr()))
}

/// fcntl(2) F_SETOWN: notes a process with an open file. Nothing comes of it without O_ASYNC.
///
/// # Errors
/// ESRCH: there is none of that number.
pub fn set_owner(fd: BorrowedFd<'_>, owner: Pid) -> Done {
    done(call!(__NR_fcntl, fd.as_raw_fd(), raw::F_SETOWN, owner.as_raw_nonzero().get()))
}

/// fcntl(2) F_GETOWN: the process that was noted, by its number in our pid namespace.
///
/// # Errors
/// ECHILD: there is none, or none that has a number here.
pub fn owner(fd: BorrowedFd<'_>) -> Result<Pid, Failure> {
    let pid = call!(__NR_fcntl, fd.as_raw_fd(), raw::F_GETOWN, 0u32)?;
    Pid::from_raw(pid as i32).ok_or(Failure::CHILD)
}

/// fcntl(2) F_SETOWN, F_SETSIG and O_ASYNC: what arrives at `fd` is announced to `owner` by `signal`, with
/// `si_code` POLL_IN and the descriptor's number.
///
/// # Errors
/// Those of fcntl(2).
pub fn signal_on_input(fd: BorrowedFd<'_>, owner: Pid, signal: Signal) -> Done {
    const O_ASYNC: u32 = raw::FASYNC;
    set_owner(fd, owner)?;
    let fd = fd.as_raw_fd();
    call!(__NR_fcntl, fd, raw::F_SETSIG, signal.number())?;
    done(call!(__NR_fcntl, fd, raw::F_SETFL, raw::O_NONBLOCK | O_ASYNC))
}
