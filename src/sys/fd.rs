//! Descriptors by number.

use linux_raw_sys::general as raw;
use rustix::fd::BorrowedFd;

use super::Done;
use super::call::done;

/// close_range(2): closes `first` to `last`, both included.
///
/// # Errors
/// ENOSYS before Linux 5.9; EINVAL if `first` is larger than `last`.
pub fn close_range(first: u32, last: u32) -> Done {
    done(call!(__NR_close_range, first, last, 0u32))
}

/// close(2) of a number that may be open or not. What stays open is not told of as ended: a filter around us may forbid this
/// call and not the newer one.
pub fn close(fd: u32) {
    if call!(__NR_close, fd).is_err() {
        let _ = close_range(fd, fd);
    }
}

/// Sets or clears FD_CLOEXEC of a descriptor that the caller gave us.
///
/// # Errors
/// EBADF if it is not open.
pub fn close_on_exec(fd: u32, yes: bool) -> Done {
    done(call!(__NR_fcntl, fd, raw::F_SETFD, u32::from(yes)))
}

/// Whether a descriptor of that number is open.
#[must_use]
pub fn is_open(fd: u32) -> bool {
    call!(__NR_fcntl, fd, raw::F_GETFD, 0u32).is_ok()
}

/// A descriptor that the caller gave us.
#[must_use]
pub fn given(fd: u32) -> BorrowedFd<'static> {
    // SAFETY: it is his and stays open: nsinit closes none that it did not open. Where he lied, the calls answer EBADF;
    // the one number that may not be, -1, is made another that is no descriptor either.
    unsafe { BorrowedFd::borrow_raw((fd & i32::MAX as u32) as i32) }
}
