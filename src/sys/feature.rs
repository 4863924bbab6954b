//! Calls that only `--probe` makes.

use super::Done;

/// Whether close_range(2) is there: it closes the highest number, which is never open.
///
/// # Errors
/// ENOSYS: Linux is older than 5.9. Others: the errno of a seccomp filter of the caller's.
pub fn try_close_range() -> Done {
    // SAFETY: the range is a number that no descriptor can have.
    unsafe { super::fd::close_range(u32::MAX, u32::MAX) }
}
