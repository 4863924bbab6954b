//! ppoll(2), and signalfd(2), by which it waits for signals too.

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::Failure;
use super::opened::{Fd, keep_open};
use super::signal::Set;
use super::time::Time;

/// `struct pollfd`: a descriptor, the events that are asked for, and those that the kernel reports.
#[repr(C)]
pub struct Polled {
    fd: i32,
    asked: i16,
    told: i16,
}

/// `POLLIN`. Hang-ups and errors are reported without being asked for.
pub const READABLE: i16 = raw::POLLIN as i16;
/// `POLLOUT`; see [`READABLE`].
pub const WRITABLE: i16 = raw::POLLOUT as i16;

impl Polled {
    /// A descriptor and the events to ask for. If `asked` is 0, the entry gets the number -1: the kernel ignores the entry, and
    /// does not report a hang-up either.
    #[must_use]
    pub fn new(fd: BorrowedFd<'_>, asked: i16) -> Polled {
        Polled { fd: if asked == 0 { -1 } else { fd.as_raw_fd() }, asked, told: 0 }
    }

    /// Whether the kernel reports one of the events `what`, or a hang-up or an error.
    #[must_use]
    pub const fn told(&self, what: i16) -> bool {
        self.told & (what | (raw::POLLHUP | raw::POLLERR) as i16) != 0
    }
}

/// Whether no process has the reading end of a pipe open. `end` is its writing end.
#[must_use]
pub fn is_unread(end: BorrowedFd<'_>) -> bool {
    let mut list = [Polled::new(end, WRITABLE)];
    poll(&mut list, Some(Time::NONE)).is_err() || list.iter().any(|polled| polled.told & raw::POLLERR as i16 != 0)
}

/// ppoll(2), which leaves the signal mask as it is. Without `limit` it waits without end. Returns the number of entries with
/// events: 0 when the time is over.
///
/// # Errors
/// EINTR: SIGSTOP and SIGCONT interrupted it; all other signals are blocked.
pub fn poll(list: &mut [Polled], mut limit: Option<Time>) -> Result<u32, Failure> {
    let limit: *mut Time = limit.as_mut().map_or(core::ptr::null_mut(), core::ptr::from_mut);
    #[cfg(target_pointer_width = "32")]
    // SAFETY: the kernel reads and writes `list.len()` structs pollfd, which Polled is. It reads two numbers of 64 bits from
    // `limit` if that is not null, and writes the rest of the time to it, which is our own copy; the mask is null.
    return unsafe { call!(__NR_ppoll_time64, list.as_mut_ptr(), list.len(), limit, 0usize, 0usize) };
    #[cfg(target_pointer_width = "64")]
    // SAFETY: the kernel reads and writes `list.len()` structs pollfd, which Polled is. It reads a struct timespec from `limit`
    // if that is not null, and writes the rest of the time to it, which is our own copy; the mask is null.
    unsafe {
        call!(__NR_ppoll, list.as_mut_ptr(), list.len(), limit, 0usize, 0usize)
    }
}

/// Lets this time pass, or less: SIGSTOP and SIGCONT end it.
#[inline(never)]
pub fn pause(time: Time) {
    let _ = poll(&mut [], Some(time));
}

/// A descriptor that is readable while a signal is pending, signalfd4(2). It is close-on-exec and does not block.
///
/// # Errors
/// ENOSYS: the kernel has no CONFIG_SIGNALFD. EMFILE: no number is free.
pub fn signals() -> Result<Fd, Failure> {
    let (set, flags) = (Set::ALL, raw::O_CLOEXEC | raw::O_NONBLOCK);
    // SAFETY: the kernel copies a set. It has 8 bytes, which is the third argument. -1 asks for a new descriptor.
    let fd = unsafe { call!(__NR_signalfd4, -1i32, &raw const set, size_of::<Set>(), flags)? };
    // SAFETY: the call has made the descriptor, so nothing else owns it.
    Ok(keep_open(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
}
