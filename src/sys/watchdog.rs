//! The watchdog of a machine, /dev/watchdog.

use core::ffi::{c_int, c_void};

use linux_raw_sys::ioctl::{WDIOC_GETTIMEOUT, WDIOC_SETTIMEOUT};
use rustix::fd::BorrowedFd;

use super::Failure;
use super::ioctl::ioctl_at;

/// Sets the time after which the watchdog restarts the machine, in seconds: WDIOC_SETTIMEOUT. Returns the time that the driver has
/// chosen.
///
/// # Errors
/// EINVAL: the device has no such time. EOPNOTSUPP: its time is fixed.
pub fn set_watchdog(device: BorrowedFd<'_>, seconds: u32) -> Result<u32, Failure> {
    timeout(device, WDIOC_SETTIMEOUT, seconds)
}

/// The time of the watchdog, WDIOC_GETTIMEOUT.
///
/// # Errors
/// EOPNOTSUPP: the driver does not know it.
pub fn watchdog_time(device: BorrowedFd<'_>) -> Result<u32, Failure> {
    timeout(device, WDIOC_GETTIMEOUT, 0)
}

fn timeout(device: BorrowedFd<'_>, request: u32, seconds: u32) -> Result<u32, Failure> {
    let mut seconds = c_int::try_from(seconds).unwrap_or(c_int::MAX);
    // SAFETY: both requests write an int, and the first one reads it.
    unsafe { ioctl_at(device, request, (&raw mut seconds).cast::<c_void>())? };
    Ok(seconds.cast_unsigned())
}
