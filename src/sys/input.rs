//! Input devices, /dev/input/event*.

use core::ffi::c_void;

use linux_raw_sys::ioctl::EVIOCSMASK;
use rustix::fd::BorrowedFd;

use super::Failure;
use super::files::read;
use super::ioctl::ioctl_at;

/// `EV_KEY`.
const KEYS: u8 = 1;
/// `KEY_POWER`.
const POWER: u8 = 116;
/// A bit for each key, `KEY_CNT`.
type Keys = [u8; 0x300 / 8];
/// The set of that key alone.
const ONLY_POWER: Keys = {
    let mut keys = [0; 0x300 / 8];
    keys[POWER as usize / 8] = 1 << (POWER % 8);
    keys
};

/// The size of a `struct input_event`: a time of two words, the type, the code, and the value.
const EVENT: usize = 2 * size_of::<usize>() + 8;

/// Whether the input device has a power key. If so, its other events are not for this descriptor from now on: no key of a keyboard wakes
/// this process.
///
/// # Errors
/// ENOTTY: it is no input device. ENODEV: it has been removed.
pub fn has_power_key(device: BorrowedFd<'_>) -> Result<bool, Failure> {
    /// EVIOCGBIT for [`KEYS`], with the size of [`Keys`].
    const EVIOCGBIT_KEY: u32 = 0x8000_4520 + KEYS as u32 + ((size_of::<Keys>() as u32) << 16);
    let mut keys: Keys = [0; size_of::<Keys>()];
    // SAFETY: the request writes a bit for each key, at most as many bytes as its number says, which `keys` has.
    unsafe { ioctl_at(device, EVIOCGBIT_KEY, (&raw mut keys).cast::<c_void>())? };
    let has = keys.iter().zip(&ONLY_POWER).any(|(some, wanted)| some & wanted != 0);
    if has {
        // Of the types of events, only keys; of the keys, only this one.
        let mut types = [1u8 << KEYS, 0, 0, 0, 0, 0, 0, 0];
        let mut power = ONLY_POWER;
        mask(device, 0, &mut types);
        mask(device, KEYS, &mut power);
    }
    Ok(has)
}

/// Chooses the events of a type for this descriptor, or for type 0 the types, EVIOCSMASK. If that fails, there are more events than
/// needed.
fn mask(device: BorrowedFd<'_>, kind: u8, codes: &mut [u8]) {
    /// `struct input_mask`.
    #[repr(C)]
    struct Mask {
        kind: u32,
        size: u32,
        codes: u64,
    }
    let mut mask =
        Mask { kind: kind.into(), size: codes.len() as u32, codes: codes.as_mut_ptr().expose_provenance() as u64 };
    // SAFETY: the request reads a struct input_mask, and through the address in it as many bytes as `size` says.
    let _ = unsafe { ioctl_at(device, EVIOCSMASK, (&raw mut mask).cast::<c_void>()) };
}

/// Reads all events of an input device, open with O_NONBLOCK. Returns whether the power key was pressed.
///
/// # Errors
/// ENODEV: the device has been removed.
pub fn was_power_pressed(device: BorrowedFd<'_>) -> Result<bool, Failure> {
    let (mut events, mut pressed) = ([0u8; EVENT * 16], false);
    loop {
        match read(device, &mut events) {
            Ok(length @ 1..) => {
                let events = events.get(..length as usize).unwrap_or_default();
                pressed |= events.as_chunks::<EVENT>().0.iter().any(|event| is_press(event));
            }
            Ok(0) | Err(Failure::AGAIN | Failure::INTR) => return Ok(pressed),
            Err(why) => return Err(why),
        }
    }
}

/// Whether this is the event of the power key that was pressed, 1. On all machines that nsinit is built for, the low byte of a number
/// comes first.
const fn is_press(event: &[u8]) -> bool {
    matches!(event, [.., KEYS, 0, POWER, 0, 1, 0, 0, 0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_kernel() {
        assert_eq!(ONLY_POWER.map(u8::count_ones).iter().sum::<u32>(), 1);
        assert_eq!(ONLY_POWER[14], 0x10);
        assert_eq!(EVENT, size_of::<linux_raw_sys::general::__kernel_old_timeval>() + 8);
    }
}
