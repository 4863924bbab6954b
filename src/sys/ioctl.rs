//! ioctl(2).

use core::ffi::c_void;

use rustix::fd::{AsRawFd, BorrowedFd};

use super::call::done;
use super::{Done, Failure};

/// ioctl(2) with a number as its argument.
///
/// # Errors
/// Those of the request.
pub fn ioctl_number(fd: BorrowedFd<'_>, request: u32, argument: usize) -> Done {
    done(ioctl(fd, request, argument))
}

/// The same; what it answers.
pub(super) fn ioctl(fd: BorrowedFd<'_>, request: u32, argument: usize) -> Result<u32, Failure> {
    call!(__NR_ioctl, fd.as_raw_fd(), request, argument)
}

/// ioctl(2) with a place as its argument.
///
/// # Safety
/// It is what the request reads or writes.
pub(super) unsafe fn ioctl_at(fd: BorrowedFd<'_>, request: u32, place: *mut c_void) -> Done {
    done(call!(__NR_ioctl, fd.as_raw_fd(), request, place))
}
