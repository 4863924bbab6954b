//! Time.

use linux_raw_sys::general as raw;

/// `struct __kernel_timespec`: seconds and nanoseconds, 64 bits each on every architecture.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub struct Time {
    pub seconds: i64,
    pub nanos: i64,
}

const NANOS: i64 = 1_000_000_000;

impl Time {
    pub const NONE: Time = Time { seconds: 0, nanos: 0 };
    /// 10 ms.
    pub const SHORT: Time = Time { seconds: 0, nanos: NANOS / 100 };

    #[must_use]
    pub const fn after(self, seconds: u32) -> Time {
        Time { seconds: self.seconds + seconds as i64, nanos: self.nanos }
    }

    /// From now to this; nothing if it has passed.
    #[must_use]
    pub fn left(self) -> Time {
        self.since(now())
    }

    /// From `earlier` to this; nothing if it has passed.
    #[must_use]
    pub const fn since(self, earlier: Time) -> Time {
        let borrow = self.nanos < earlier.nanos;
        let seconds = self.seconds - earlier.seconds - borrow as i64;
        let nanos = self.nanos - earlier.nanos + if borrow { NANOS } else { 0 };
        if seconds < 0 { Time { seconds: 0, nanos: 0 } } else { Time { seconds, nanos } }
    }
}

/// CLOCK_MONOTONIC, clock_gettime(2).
#[must_use]
pub fn now() -> Time {
    let mut time = Time { seconds: 0, nanos: 0 };
    // It can't fail: the clock exists and the address is good. Were it to, the grace would be measured from the boot.
    #[cfg(target_pointer_width = "32")]
    let _ = call!(__NR_clock_gettime64, raw::CLOCK_MONOTONIC, &raw mut time);
    #[cfg(target_pointer_width = "64")]
    let _ = call!(__NR_clock_gettime, raw::CLOCK_MONOTONIC, &raw mut time);
    time
}
