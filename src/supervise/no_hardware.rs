//! Takes the place of `hardware` in a build without that feature: process 1 serves no device.

use crate::spec::Hardware;

/// Nothing is left.
pub const fn leave_behind(_: &Hardware<'_>) {}

pub mod argument {
    use core::ffi::CStr;

    pub struct Argument;

    impl Argument {
        #[must_use]
        pub const fn c_str(&self) -> &'static CStr {
            c""
        }
    }

    /// There is none.
    #[must_use]
    pub const fn read() -> Argument {
        Argument
    }
}

pub mod status {
    use crate::spec::Hardware;

    /// It is not sent.
    pub const fn send(_: &Hardware<'_>, _: u8) {}

    /// It is not written.
    pub const fn end_by_port(_: &Hardware<'_>, _: u8) {}
}

pub mod buttons {
    use crate::sys::{Kept, Siginfo};

    /// No signal is about a button.
    #[must_use]
    pub const fn pressed(_: &Siginfo) -> Option<bool> {
        None
    }

    /// None is open.
    #[must_use]
    pub const fn kept() -> [Kept; 0] {
        []
    }
}

pub mod watchdog {
    use crate::sys::{Kept, Time};

    /// There is none.
    #[must_use]
    pub const fn feed() -> Option<Time> {
        None
    }

    /// Nothing to do.
    pub const fn end(_: bool) {}

    /// Nothing is open.
    #[must_use]
    pub const fn kept() -> Kept {
        Kept::NONE
    }
}
