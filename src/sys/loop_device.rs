//! Loop devices, loop(4).

use core::ffi::c_void;

use linux_raw_sys::loop_device::{
    LO_FLAGS_AUTOCLEAR, LO_FLAGS_READ_ONLY, LOOP_CLR_FD, LOOP_CONFIGURE, LOOP_CTL_GET_FREE, loop_config,
};
use rustix::fd::{AsRawFd, BorrowedFd};

use super::ioctl::{ioctl, ioctl_at};
use super::{Done, Failure};

/// The number of a loop device that is free, LOOP_CTL_GET_FREE on /dev/loop-control. Another process may take it first.
///
/// # Errors
/// ENOSPC or ENOMEM: the kernel cannot make another one. ENOTTY: `control` is not /dev/loop-control.
pub fn free_loop(control: BorrowedFd<'_>) -> Result<u32, Failure> {
    // SAFETY: the request has no argument; its result is a number.
    unsafe { ioctl(control, LOOP_CTL_GET_FREE, 0) }
}

/// Makes the loop device show `file`, read-only, until it is neither open nor mounted (LO_FLAGS_AUTOCLEAR): LOOP_CONFIGURE.
///
/// # Errors
/// EBUSY: it shows another file. EINVAL: Linux is older than 5.8, or `file` is neither a regular file nor a block device.
pub fn configure_loop(device: BorrowedFd<'_>, file: BorrowedFd<'_>) -> Done {
    // SAFETY: a struct loop_config has integers and arrays of them, for which zero is a value.
    let mut config: loop_config = unsafe { core::mem::zeroed() };
    config.fd = file.as_raw_fd().cast_unsigned();
    config.info.lo_flags = LO_FLAGS_READ_ONLY as u32 | LO_FLAGS_AUTOCLEAR as u32;
    // SAFETY: LOOP_CONFIGURE reads a struct loop_config and writes nothing.
    unsafe { ioctl_at(device, LOOP_CONFIGURE, (&raw mut config).cast::<c_void>()) }
}

/// Takes the file from the loop device, LOOP_CLR_FD; if the device is mounted or open, as soon as it is neither.
///
/// # Errors
/// ENXIO: it shows no file. ENOTTY: it is no loop device.
pub fn clear_loop(device: BorrowedFd<'_>) -> Done {
    // SAFETY: the request has no argument.
    unsafe { ioctl(device, LOOP_CLR_FD, 0) }.map(|_| ())
}
