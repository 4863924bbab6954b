//! What the kernel itself keeps open on a file system: swap files, and the file of process accounting.

use core::ffi::CStr;

use super::Done;
use super::call::done;

/// Stops the use of a file or device as swap space, swapoff(2), which reads back what was swapped out.
///
/// # Errors
/// EINVAL: it is no swap space. ENOMEM: what was swapped out does not fit into the memory. ENOENT: there is no such file. EPERM: no
/// CAP_SYS_ADMIN.
pub fn swap_off(path: &CStr) -> Done {
    // SAFETY: the kernel reads the path up to its NUL.
    done(unsafe { call!(__NR_swapoff, path.as_ptr()) })
}

/// Ends process accounting, acct(2), whose file the kernel has open for writing.
///
/// # Errors
/// ENOSYS: the kernel was built without it. EPERM: no CAP_SYS_PACCT.
pub fn end_accounting() -> Done {
    // SAFETY: the only argument is the null pointer, with which the call ends the accounting.
    done(unsafe { call!(__NR_acct, 0usize) })
}
