//! ioctl(2).

use core::ffi::c_void;

use rustix::fd::{AsRawFd, BorrowedFd};

use super::call::done;
use super::{Done, Failure};

/// ioctl(2) with a number as its argument. Returns the kernel's answer.
///
/// # Errors
/// ENOTTY: a file of this kind has no such request. Others: see the request.
///
/// # Safety
/// The request takes a number, or nothing.
pub(super) unsafe fn ioctl(fd: BorrowedFd<'_>, request: u32, argument: usize) -> Result<u32, Failure> {
    // SAFETY: the caller of this function chose a request whose argument is no address.
    unsafe { call!(__NR_ioctl, fd.as_raw_fd(), request, argument) }
}

/// ioctl(2) with an address as its argument.
///
/// # Errors
/// As [`ioctl`].
///
/// # Safety
/// `place` is the address of the struct that the request reads or writes, and the struct may be written.
pub(super) unsafe fn ioctl_at(fd: BorrowedFd<'_>, request: u32, place: *mut c_void) -> Done {
    // SAFETY: the caller of this function knows the struct of the request, and lends it until the call returns.
    done(unsafe { call!(__NR_ioctl, fd.as_raw_fd(), request, place) })
}
