//! The clock and lengths of time.

use linux_raw_sys::general as raw;

#[cfg(feature = "hardware")]
use super::{Done, call::done};

/// A length of time that the user has given: milliseconds; in a build that takes whole seconds only, seconds.
#[cfg(feature = "forms")]
pub type Span = u64;
#[cfg(not(feature = "forms"))]
pub type Span = u32;

/// How many of its units a second has.
pub const SECOND: Span = if cfg!(feature = "forms") { 1000 } else { 1 };

/// `struct __kernel_timespec`: seconds and nanoseconds, 64 bits each on every architecture.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub struct Time {
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanos: i64,
}

const NANOS: i64 = 1_000_000_000;

impl Time {
    pub const NONE: Time = Time { seconds: 0, nanos: 0 };
    /// 10 ms.
    pub const SHORT: Time = Time { seconds: 0, nanos: NANOS / 100 };

    /// This time and `seconds` more.
    #[must_use]
    pub const fn after(self, seconds: u32) -> Time {
        Time { seconds: self.seconds + seconds as i64, nanos: self.nanos }
    }

    /// This time and a third of `seconds` more.
    #[cfg(feature = "hardware")]
    #[must_use]
    pub const fn after_third_of(self, seconds: u32) -> Time {
        let nanos = self.nanos + (seconds % 3) as i64 * (NANOS / 3);
        let carry = nanos >= NANOS;
        let nanos = if carry { nanos - NANOS } else { nanos };
        Time { seconds: self.seconds + (seconds / 3) as i64 + carry as i64, nanos }
    }

    /// This time and `span` more.
    #[cfg(not(feature = "forms"))]
    #[must_use]
    pub const fn after_span(self, span: Span) -> Time {
        self.after(span)
    }

    /// This time and `millis` milliseconds more.
    #[cfg(feature = "forms")]
    #[must_use]
    #[inline(never)]
    pub const fn after_span(self, millis: Span) -> Time {
        let nanos = self.nanos + (millis % 1000).cast_signed() * 1_000_000;
        let carry = nanos >= NANOS;
        Time {
            seconds: self.seconds.saturating_add((millis / 1000).cast_signed()).saturating_add(carry as i64),
            nanos: nanos - if carry { NANOS } else { 0 },
        }
    }

    /// The length from now to this time; [`Time::NONE`] if it has passed.
    #[must_use]
    pub fn left(self) -> Time {
        self.since(now())
    }

    /// The length from `earlier` to this time; [`Time::NONE`] if this is before `earlier`.
    #[must_use]
    pub const fn since(self, earlier: Time) -> Time {
        let borrow = self.nanos < earlier.nanos;
        let seconds = self.seconds - earlier.seconds - borrow as i64;
        let nanos = self.nanos - earlier.nanos + if borrow { NANOS } else { 0 };
        if seconds < 0 { Time { seconds: 0, nanos: 0 } } else { Time { seconds, nanos } }
    }
}

/// The earlier one of two points in time, of which each may be missing.
#[must_use]
pub fn earlier(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    match (one, other) {
        (Some(one), Some(other)) if other < one => Some(other),
        (one, other) => one.or(other),
    }
}

/// The time since the boot, CLOCK_MONOTONIC.
#[must_use]
pub fn now() -> Time {
    read(raw::CLOCK_MONOTONIC)
}

/// Hundredths of a second since the boot, with the time in which the machine slept: CLOCK_BOOTTIME, as proc_pid_stat(5) counts.
#[must_use]
pub fn hundredths_since_boot() -> u64 {
    let time = read(raw::CLOCK_BOOTTIME);
    time.seconds.cast_unsigned() * 100 + u64::from(time.nanos as u32 / 10_000_000)
}

/// The time of day, CLOCK_REALTIME, clock_gettime(2).
#[must_use]
pub fn seconds_since_1970() -> i64 {
    read(raw::CLOCK_REALTIME).seconds
}

/// The time since 1970, CLOCK_REALTIME.
#[cfg(feature = "hardware")]
#[must_use]
pub fn wall_clock() -> Time {
    read(raw::CLOCK_REALTIME)
}

/// Sets CLOCK_REALTIME, clock_settime(2).
///
/// # Errors
/// EPERM: no CAP_SYS_TIME. EINVAL: the time is before the boot.
#[cfg(feature = "hardware")]
pub fn set_wall_clock(time: Time) -> Done {
    #[cfg(target_pointer_width = "32")]
    // SAFETY: this call, of Linux 5.1, reads a struct of two numbers of 64 bits, as Time is one.
    return done(unsafe { call!(__NR_clock_settime64, raw::CLOCK_REALTIME, &raw const time) });
    #[cfg(target_pointer_width = "64")]
    // SAFETY: the kernel reads a struct timespec, whose two members have 64 bits on this machine as Time's have.
    done(unsafe { call!(__NR_clock_settime, raw::CLOCK_REALTIME, &raw const time) })
}

/// clock_gettime(2).
fn read(clock: u32) -> Time {
    let mut time = Time { seconds: 0, nanos: 0 };
    // The call fails only for an unknown clock or a bad address. If it ever did, a grace period would be measured from the boot.
    #[cfg(target_pointer_width = "32")]
    // SAFETY: this call, of Linux 5.1, writes a struct of two numbers of 64 bits, as Time is one.
    let _ = unsafe { call!(__NR_clock_gettime64, clock, &raw mut time) };
    #[cfg(target_pointer_width = "64")]
    // SAFETY: the kernel writes a struct timespec, whose two members have 64 bits on this machine as Time's have.
    let _ = unsafe { call!(__NR_clock_gettime, clock, &raw mut time) };
    time
}
