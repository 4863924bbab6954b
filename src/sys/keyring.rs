//! Keyrings.

use super::call::done;
use super::{Done, Failure};

/// keyctl(2) KEYCTL_JOIN_SESSION_KEYRING without a name: an empty session keyring instead of ours.
///
/// # Errors
/// EDQUOT: the user has too many keys; ENOSYS without CONFIG_KEYS; a filter's.
pub fn join_new_keyring() -> Done {
    const JOIN_SESSION_KEYRING: u32 = 1;
    done(call!(__NR_keyctl, JOIN_SESSION_KEYRING, 0usize, 0usize, 0usize, 0usize))
}

/// Whether none of the three calls that reach keys gets to the kernel, keyrings(7). The last two answer EFAULT there.
#[must_use]
pub fn has_no_keys() -> bool {
    const GET_KEYRING_ID: u32 = 0;
    const SESSION_KEYRING: i32 = -3;
    let refused = |answer| matches!(answer, Err(Failure::NOSYS | Failure::PERM));
    refused(call!(__NR_keyctl, GET_KEYRING_ID, SESSION_KEYRING, 0usize, 0usize, 0usize))
        && refused(call!(__NR_add_key, 0usize, 0usize, 0usize, 0usize, SESSION_KEYRING))
        && refused(call!(__NR_request_key, 0usize, 0usize, 0usize, 0usize))
}
