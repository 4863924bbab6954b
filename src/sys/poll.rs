//! ppoll(2).

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd};

use super::Failure;
use super::time::Time;

/// `struct pollfd`: what is asked of a descriptor, and what is told.
#[repr(C)]
pub struct Polled {
    fd: i32,
    asked: i16,
    told: i16,
}

/// `POLLIN` and `POLLOUT`; the end and errors are told unasked.
pub const READABLE: i16 = raw::POLLIN as i16;
/// See [`READABLE`].
pub const WRITABLE: i16 = raw::POLLOUT as i16;

impl Polled {
    /// Of a descriptor of which nothing is asked nothing is told.
    #[must_use]
    pub fn new(fd: BorrowedFd<'_>, asked: i16) -> Polled {
        Polled { fd: if asked == 0 { -1 } else { fd.as_raw_fd() }, asked, told: 0 }
    }

    /// Whether any of `what` was told; or an end or an error.
    #[must_use]
    pub const fn told(&self, what: i16) -> bool {
        self.told & (what | (raw::POLLHUP | raw::POLLERR) as i16) != 0
    }
}

/// Whether the reading end of a pipe is closed everywhere; `end` is its writing end.
#[must_use]
pub fn is_unread(end: BorrowedFd<'_>) -> bool {
    let mut list = [Polled::new(end, WRITABLE)];
    poll(&mut list, Some(Time::NONE)).is_err() || list.iter().any(|polled| polled.told & raw::POLLERR as i16 != 0)
}

/// ppoll(2) with the signal mask as it is. Returns of how many something is told.
///
/// # Errors
/// EINTR: stopped and continued.
pub fn poll(list: &mut [Polled], limit: Option<Time>) -> Result<u32, Failure> {
    let limit: *const Time = limit.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    #[cfg(target_pointer_width = "32")]
    return call!(__NR_ppoll_time64, list.as_mut_ptr(), list.len(), limit, 0usize, 0usize);
    #[cfg(target_pointer_width = "64")]
    call!(__NR_ppoll, list.as_mut_ptr(), list.len(), limit, 0usize, 0usize)
}
