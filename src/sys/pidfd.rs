//! Processes as descriptors.

use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::call::done;
use super::opened::keep_open;
use super::poll::{Polled, READABLE, poll};
use super::signal::Signal;
use super::time::Time;
use super::{Done, Failure};

/// pidfd_open(2).
///
/// # Errors
/// ENOSYS before Linux 5.3; ESRCH; EINVAL: it is a thread's number, or 0.
pub fn pidfd_open(pid: u32) -> Result<BorrowedFd<'static>, Failure> {
    let fd = call!(__NR_pidfd_open, pid, 0u32)?;
    // SAFETY: the kernel has just made it, and nobody else has its number.
    Ok(keep_open(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
}

/// pidfd_send_signal(2) to a process, by its directory in a procfs.
///
/// # Errors
/// ENOSYS before Linux 5.1; ESRCH, EPERM.
pub fn signal_process(process: BorrowedFd<'_>, signal: Signal) -> Done {
    done(call!(__NR_pidfd_send_signal, process.as_raw_fd(), signal.number(), 0usize, 0u32))
}

/// Whether the process that the descriptor is has ended: it can be read then (pidfd_open(2)).
#[must_use]
pub fn has_ended(process: BorrowedFd<'_>) -> bool {
    poll(&mut [Polled::new(process, READABLE)], Some(Time::NONE)).is_ok_and(|told| told > 0)
}
