//! Modules of the kernel.

use core::ffi::CStr;

use rustix::fd::{AsRawFd, BorrowedFd};

use super::Done;
use super::call::done;

/// Loads a module with these parameters, finit_module(2).
///
/// # Errors
/// EEXIST: it is loaded already. ENOEXEC: it is no module, or one of another kernel. ENOENT: it needs another module. EPERM: no
/// CAP_SYS_MODULE, or kernel.modules_disabled is 1. EINVAL: a wrong parameter; or it is compressed, and Linux is older than 5.17. EOPNOTSUPP:
/// it is compressed, and the kernel has no CONFIG_MODULE_DECOMPRESS. EKEYREJECTED: its signature is missing or wrong.
pub fn load_module(file: BorrowedFd<'_>, parameters: &CStr, is_compressed: bool) -> Done {
    /// MODULE_INIT_COMPRESSED_FILE.
    const COMPRESSED: u32 = 4;
    let flags = if is_compressed { COMPRESSED } else { 0 };
    // SAFETY: the kernel reads the parameters up to their NUL.
    done(unsafe { call!(__NR_finit_module, file.as_raw_fd(), parameters.as_ptr(), flags) })
}
