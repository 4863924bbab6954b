//! Capabilities, capabilities(7). Capability N is bit N of a set.

use super::call::done;
use super::{Done, Failure};

/// Whether the bounding set has `capability`, prctl(PR_CAPBSET_READ). False: it was dropped, or the kernel has no capability
/// of that number (EINVAL).
#[must_use]
pub fn is_bounded_by(capability: u32) -> bool {
    use linux_raw_sys::prctl::PR_CAPBSET_READ;
    // SAFETY: the operation takes the number of a capability and answers 0 or 1.
    let answer = unsafe { call!(__NR_prctl, PR_CAPBSET_READ, capability, 0usize, 0usize, 0usize) };
    !matches!(answer, Ok(0) | Err(Failure::INVAL))
}

/// Adds `capability` to the ambient set, prctl(PR_CAP_AMBIENT_RAISE).
///
/// # Errors
/// EPERM: the capability is not both permitted and inheritable, or SECBIT_NO_CAP_AMBIENT_RAISE is set.
pub fn raise_ambient(capability: u32) -> Done {
    use linux_raw_sys::prctl::{PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE};
    // SAFETY: the operation takes two numbers, itself and the capability; the kernel demands zeros for the rest.
    done(unsafe { call!(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0usize, 0usize) })
}

/// `_LINUX_CAPABILITY_VERSION_3`: sets of 64 bits, in two halves.
const CAPABILITY_VERSION_3: u32 = 0x2008_0522;

/// Sets the capabilities of this process, capset(2). The effective set becomes `permitted` too.
///
/// # Errors
/// EPERM: `permitted` has a capability that was not permitted before, or `inheritable` one that is outside of the bounding set.
pub fn capset(permitted: u64, inheritable: u64) -> Done {
    let header = [CAPABILITY_VERSION_3, 0];
    let half = |set: u64, high: bool| (if high { set >> 32 } else { set & 0xffff_ffff }) as u32;
    // Two times effective, permitted, inheritable: the low and the high 32 bits (capset(2)).
    let (low, high) = (half(permitted, false), half(permitted, true));
    let data = [low, low, half(inheritable, false), high, high, half(inheritable, true)];
    // SAFETY: version 3 makes the kernel read two structs of three numbers, and `data` has six; of the header it reads the
    // version and the pid, 0, and writes the version only if it did not know it.
    done(unsafe { call!(__NR_capset, header.as_ptr(), data.as_ptr()) })
}

/// The permitted set of this process, capget(2).
///
/// # Errors
/// The errno of a seccomp filter of the caller's; the kernel itself has none for version 3 and our own process.
pub fn capget() -> Result<u64, Failure> {
    let header = [CAPABILITY_VERSION_3, 0];
    let mut data = [0u32; 6];
    // SAFETY: version 3 makes the kernel write two structs of three numbers, and `data` has room for six.
    unsafe { call!(__NR_capget, header.as_ptr(), data.as_mut_ptr())? };
    let [_, low, _, _, high, _] = data;
    Ok(u64::from(low) | u64::from(high) << 32)
}
