//! Descriptors by number: nsinit was started with them, and the user gives the numbers.

use linux_raw_sys::general as raw;
use rustix::fd::BorrowedFd;

use super::Done;
use super::call::done;

/// The descriptor that the caller gave us under the number `fd`. If there is none, calls answer EBADF.
#[must_use]
pub fn given(fd: u32) -> BorrowedFd<'static> {
    // SAFETY: the caller gave the number: only `close_given` and `close_all_but` close it, and no value owns it. BorrowedFd
    // forbids -1 only. Without its sign bit -1 becomes i32::MAX, which is never open.
    unsafe { BorrowedFd::borrow_raw((fd & i32::MAX as u32) as i32) }
}

/// Sets or clears FD_CLOEXEC of a descriptor that the caller gave us, fcntl(2).
///
/// # Errors
/// EBADF: it is not open.
pub fn close_on_exec(fd: u32, yes: bool) -> Done {
    // SAFETY: F_SETFD takes a number.
    done(unsafe { call!(__NR_fcntl, fd, raw::F_SETFD, u32::from(yes)) })
}

/// Whether a descriptor of that number is open, fcntl(2).
#[must_use]
pub fn is_open(fd: u32) -> bool {
    // SAFETY: F_GETFD only looks the descriptor up.
    unsafe { call!(__NR_fcntl, fd, raw::F_GETFD, 0u32) }.is_ok()
}

/// close(2) of a number that may be open or not. If a seccomp filter of the caller's refuses close(2), close_range(2) is tried:
/// while one end of a pipe stays open, the process at the other end waits forever.
///
/// # Safety
/// No value owns the number, and no code uses it any more, except to find that it is closed.
pub(super) unsafe fn close_number(fd: u32) {
    // SAFETY: both calls take numbers; the caller of this function guarantees that the descriptor is not in use.
    if unsafe { call!(__NR_close, fd) }.is_err() {
        // SAFETY: the range is this number alone.
        let _ = unsafe { close_range(fd, fd) };
    }
}

/// close_range(2): closes `first` to `last`, both included.
///
/// # Errors
/// ENOSYS: Linux is older than 5.9. EINVAL: `first` is larger than `last`. EPERM: a seccomp filter refuses it.
///
/// # Safety
/// As [`close_number`], for each number of the range.
pub(super) unsafe fn close_range(first: u32, last: u32) -> Done {
    // SAFETY: the arguments are two numbers and no flags; without CLOSE_RANGE_UNSHARE the table of descriptors stays the same one.
    done(unsafe { call!(__NR_close_range, first, last, 0u32) })
}
