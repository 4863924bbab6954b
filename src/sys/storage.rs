//! What the kernel itself keeps open on a file system: swap files, and the file of process accounting; and the restart with an argument.

use core::ffi::CStr;

use linux_raw_sys::general as raw;

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

/// Restarts the machine with an argument for its firmware or boot loader, reboot(2) LINUX_REBOOT_CMD_RESTART2.
///
/// # Errors
/// EPERM: no CAP_SYS_BOOT.
pub fn restart_with(argument: &CStr) -> Done {
    // SAFETY: the kernel reads the argument up to its NUL.
    done(unsafe {
        call!(
            __NR_reboot,
            raw::LINUX_REBOOT_MAGIC1,
            raw::LINUX_REBOOT_MAGIC2,
            raw::LINUX_REBOOT_CMD_RESTART2,
            argument.as_ptr()
        )
    })
}

/// Ends process accounting, acct(2), whose file the kernel has open for writing.
///
/// # Errors
/// ENOSYS: the kernel was built without it. EPERM: no CAP_SYS_PACCT.
pub fn end_accounting() -> Done {
    // SAFETY: the only argument is the null pointer, with which the call ends the accounting.
    done(unsafe { call!(__NR_acct, 0usize) })
}

/// Makes [`read_kernel_log`] begin with what the kernel prints from now on, syslog(2) SYSLOG_ACTION_CLEAR.
pub fn clear_kernel_log() {
    const CLEAR: usize = 5;
    // SAFETY: the call takes no memory.
    let _ = unsafe { call!(__NR_syslog, CLEAR, 0usize, 0usize) };
}

/// Reads the last records of the kernel's log that have room in `buffer`, syslog(2) SYSLOG_ACTION_READ_ALL. None if the kernel has no log
/// (ENOSYS) or this process no CAP_SYSLOG (EPERM).
pub fn read_kernel_log(buffer: &mut [u8]) {
    const READ_ALL: usize = 3;
    // SAFETY: the kernel writes at most as many bytes as the buffer has.
    let _ = unsafe { call!(__NR_syslog, READ_ALL, buffer.as_mut_ptr(), buffer.len()) };
}
