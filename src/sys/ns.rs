//! Namespaces.

use rustix::fd::{AsRawFd, BorrowedFd};

use super::Done;
use super::call::done;

/// unshare(2) of the namespaces in `flags` (CLONE_NEW*).
///
/// # Errors
/// EPERM: no right to make one of them, or a security module or seccomp filter refuses. ENOSPC: a limit of namespaces
/// (/proc/sys/user, or 32 nested levels). EINVAL: the kernel was built without one of them.
pub fn unshare(flags: u32) -> Done {
    // SAFETY: the argument is a set of flags; CLONE_NEW* change namespaces, and no memory.
    done(unsafe { call!(__NR_unshare, flags) })
}

/// setns(2): enters the namespace `fd`, which must be of the kind `kinds` (CLONE_NEW*). If `fd` is a pidfd (Linux 5.8), it
/// enters the namespaces of that process that are of the kinds `kinds`.
///
/// # Errors
/// EINVAL: `fd` is no namespace of that kind, or is a pidfd before Linux 5.8, or is our own user namespace. EPERM: no
/// CAP_SYS_ADMIN in it. EBADF: `fd` is not open.
pub fn join(fd: BorrowedFd<'_>, kinds: u32) -> Done {
    // SAFETY: the arguments are the numbers of a descriptor and of kinds of namespaces.
    done(unsafe { call!(__NR_setns, fd.as_raw_fd(), kinds) })
}
