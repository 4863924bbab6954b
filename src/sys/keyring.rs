//! Keyrings, keyrings(7).

use super::call::done;
use super::{Done, Failure};

/// Replaces our session keyring by a new, empty one without a name, keyctl(2) KEYCTL_JOIN_SESSION_KEYRING.
///
/// # Errors
/// EDQUOT: the user has too many keys (/proc/sys/kernel/keys). ENOSYS: the kernel has no CONFIG_KEYS, or a seccomp filter
/// answers so. EPERM: such a filter.
pub fn join_new_keyring() -> Done {
    const JOIN_SESSION_KEYRING: u32 = 1;
    // SAFETY: the keyring's name is a null pointer, which means none; the operation reads no other argument.
    done(unsafe { call!(__NR_keyctl, JOIN_SESSION_KEYRING, 0usize, 0usize, 0usize, 0usize) })
}

/// Whether all three calls that use keys are refused (ENOSYS or EPERM) before they reach the kernel's keys. If they do reach
/// them, the last two answer EFAULT.
#[must_use]
pub fn has_no_keys() -> bool {
    const GET_KEYRING_ID: u32 = 0;
    const SESSION_KEYRING: i32 = -3;
    let refused = |answer| matches!(answer, Err(Failure::NOSYS | Failure::PERM));
    // SAFETY: KEYCTL_GET_KEYRING_ID takes the number of a keyring, and 0, so that it makes none. The other two begin with the
    // type of a key, a string at a null pointer, where the kernel finds no memory and stops.
    unsafe {
        refused(call!(__NR_keyctl, GET_KEYRING_ID, SESSION_KEYRING, 0usize, 0usize, 0usize))
            && refused(call!(__NR_add_key, 0usize, 0usize, 0usize, 0usize, SESSION_KEYRING))
            && refused(call!(__NR_request_key, 0usize, 0usize, 0usize, 0usize))
    }
}
