//! Capabilities.

use super::call::done;
use super::{Done, Failure};

/// prctl(PR_CAPBSET_READ): whether the bounding set has that capability. EINVAL: the kernel knows none of that number.
#[must_use]
pub fn is_bounded_by(capability: u32) -> bool {
    use linux_raw_sys::prctl::PR_CAPBSET_READ;
    !matches!(call!(__NR_prctl, PR_CAPBSET_READ, capability, 0usize, 0usize, 0usize), Ok(0) | Err(Failure::INVAL))
}

/// prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE).
///
/// # Errors
/// EPERM if the capability is not permitted and inheritable.
pub fn raise_ambient(capability: u32) -> Done {
    use linux_raw_sys::prctl::{PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE};
    done(call!(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0usize, 0usize))
}

/// `_LINUX_CAPABILITY_VERSION_3`: sets of 64 bits, in two halves.
const CAPABILITY_VERSION_3: u32 = 0x2008_0522;

/// capset(2) of this process: effective and permitted are one set here. Bit N is capability N.
///
/// # Errors
/// EPERM if a set is to get what it may not.
pub fn capset(permitted: u64, inheritable: u64) -> Done {
    let header = [CAPABILITY_VERSION_3, 0];
    let half = |set: u64, high: bool| (if high { set >> 32 } else { set & 0xffff_ffff }) as u32;
    // Two times effective, permitted, inheritable: the low and the high 32 bits (capset(2)).
    let (low, high) = (half(permitted, false), half(permitted, true));
    let data = [low, low, half(inheritable, false), high, high, half(inheritable, true)];
    done(call!(__NR_capset, header.as_ptr(), data.as_ptr()))
}

/// capget(2) of this process: the permitted set.
///
/// # Errors
/// None is known.
pub fn capget() -> Result<u64, Failure> {
    let header = [CAPABILITY_VERSION_3, 0];
    let mut data = [0u32; 6];
    call!(__NR_capget, header.as_ptr(), data.as_mut_ptr())?;
    let [_, low, _, _, high, _] = data;
    Ok(u64::from(low) | u64::from(high) << 32)
}
