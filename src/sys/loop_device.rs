//! Loop devices, loop(4).

use core::ffi::c_void;

use linux_raw_sys::loop_device::{
    LO_FLAGS_AUTOCLEAR, LO_FLAGS_READ_ONLY, LOOP_CONFIGURE, LOOP_CTL_GET_FREE, loop_config,
};
use rustix::fd::{AsRawFd, BorrowedFd};

use super::ioctl::{ioctl, ioctl_at};
use super::{Done, Failure};

/// The number of a loop device that nobody uses; somebody may be faster.
///
/// # Errors
/// Those of ioctl(2) of /dev/loop-control.
pub fn free_loop(control: BorrowedFd<'_>) -> Result<u32, Failure> {
    ioctl(control, LOOP_CTL_GET_FREE, 0)
}

/// Has the loop device show `file`, read-only, until nobody has it open or mounted any more: LOOP_CONFIGURE.
///
/// # Errors
/// EBUSY: it shows another; EINVAL before Linux 5.8.
pub fn configure_loop(device: BorrowedFd<'_>, file: BorrowedFd<'_>) -> Done {
    // SAFETY: a struct of integers, which may all be zero.
    let mut config: loop_config = unsafe { core::mem::zeroed() };
    config.fd = file.as_raw_fd().cast_unsigned();
    config.info.lo_flags = LO_FLAGS_READ_ONLY as u32 | LO_FLAGS_AUTOCLEAR as u32;
    // SAFETY: the kernel reads a struct loop_config.
    unsafe { ioctl_at(device, LOOP_CONFIGURE, (&raw mut config).cast::<c_void>()) }
}
