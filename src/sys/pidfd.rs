//! Processes as descriptors.

use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::call::done;
use super::opened::{Fd, keep_open};
use super::poll::{Polled, READABLE, poll};
use super::signal::Signal;
use super::time::Time;
use super::{Done, Failure};

/// The process `pid` as a descriptor, pidfd_open(2). It is close-on-exec.
///
/// # Errors
/// ENOSYS: Linux is older than 5.3. ESRCH: there is no process `pid`. EINVAL: `pid` is the number of a thread, or 0.
pub fn pidfd_open(pid: u32) -> Result<Fd, Failure> {
    // SAFETY: the arguments are the number of a process and no flags.
    let fd = unsafe { call!(__NR_pidfd_open, pid, 0u32)? };
    // SAFETY: the kernel has made the descriptor for this call, so this is its only owner.
    Ok(keep_open(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
}

/// Sends `signal` to a process, given as a pidfd or as its directory in a procfs, pidfd_send_signal(2).
///
/// # Errors
/// ENOSYS: Linux is older than 5.1. ESRCH: the process has ended. EPERM: no right to signal it. EINVAL: the directory is in the
/// procfs of a pid namespace that is neither ours nor below ours.
pub fn signal_process(process: BorrowedFd<'_>, signal: Signal) -> Done {
    // SAFETY: the siginfo_t is a null pointer, and the kernel makes one as kill(2) does.
    done(unsafe { call!(__NR_pidfd_send_signal, process.as_raw_fd(), signal.number(), 0usize, 0u32) })
}

/// Whether the process of a pidfd has ended: the descriptor is then readable (pidfd_open(2)).
#[must_use]
pub fn has_ended(process: BorrowedFd<'_>) -> bool {
    poll(&mut [Polled::new(process, READABLE)], Some(Time::NONE)).is_ok_and(|told| told > 0)
}
