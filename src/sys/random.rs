//! The random numbers of the kernel, random(4).

use core::ffi::{c_int, c_void};

use linux_raw_sys::general as raw;
use linux_raw_sys::ioctl::RNDADDENTROPY;
use rustix::fd::BorrowedFd;

use super::ioctl::ioctl_at;
use super::{Done, Failure};

/// The bytes of a seed: the most that a kernel has use for.
pub const SEED: usize = 512;

/// Adds the first `length` bytes to the kernel's randomness, as good ones if they are `credited`: RNDADDENTROPY.
///
/// # Errors
/// EPERM: no CAP_SYS_ADMIN. ENOTTY: the file is not /dev/urandom.
pub fn add_seed(urandom: BorrowedFd<'_>, bytes: &[u8; SEED], length: u32, credited: bool) -> Done {
    /// `struct rand_pool_info`.
    #[repr(C)]
    struct Info {
        bits: c_int,
        size: c_int,
        bytes: [u8; SEED],
    }
    let length = length.min(SEED as u32).cast_signed();
    let mut info = Info { bits: if credited { length * 8 } else { 0 }, size: length, bytes: *bytes };
    // SAFETY: the request reads a struct rand_pool_info, and behind it as many bytes as `size` says, at most all of `bytes`.
    unsafe { ioctl_at(urandom, RNDADDENTROPY, (&raw mut info).cast::<c_void>()) }
}

/// Good random bytes, getrandom(2).
///
/// # Errors
/// EAGAIN: the kernel has too little randomness yet. ENOSYS: Linux is older than 3.17.
pub fn random_bytes() -> Result<[u8; SEED], Failure> {
    let mut bytes = [0; SEED];
    // SAFETY: the kernel writes at most as many bytes as the second argument says, the length of `bytes`.
    let length = unsafe { call!(__NR_getrandom, bytes.as_mut_ptr(), SEED, raw::GRND_NONBLOCK)? };
    // A signal that is not blocked cuts the answer to 256 bytes.
    if length as usize == SEED { Ok(bytes) } else { Err(Failure::AGAIN) }
}
