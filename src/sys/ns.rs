//! Namespaces.

use super::Done;
use super::call::done;

/// unshare(2).
///
/// # Errors
/// Those of unshare(2).
pub fn unshare(flags: u32) -> Done {
    done(call!(__NR_unshare, flags))
}

/// setns(2) into the namespace that `fd` is, whatever kind it is of `kind` (CLONE_NEW*).
///
/// # Errors
/// EINVAL: it is no namespace of that kind; EPERM.
pub fn join(fd: u32, kind: u32) -> Done {
    done(call!(__NR_setns, fd, kind))
}
