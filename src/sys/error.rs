//! The reason of a failure, in one register.

use core::num::NonZeroU32;

use rustix::io::Errno;

use super::errno::{errnos, reasons};

/// An errno of the kernel, or a reason of our own for which there is no errno.
///
/// It is as wide as a descriptor, so that a `Result` of the two travels in two registers: with rustix's 16 bits each call would
/// shift and mask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Failure(NonZeroU32);

/// The kernel's errnos as constants.
macro_rules! constants {
    ($($name:ident $errno:ident $text:expr;)*) => {
        impl Failure {
            $(pub const $name: Failure = Failure::new(linux_raw_sys::errno::$errno);)*
        }
    };
}
errnos!(constants);

/// Our own reasons as constants. The kernel's errnos end at MAX_ERRNO, 4095.
macro_rules! own {
    ($($(#[$doc:meta])* $name:ident $text:expr;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "the names of the constants")]
        enum Own { REPORTED = 5000, $($(#[$doc])* $name,)* }

        impl Failure {
            /// The message is written already. Our own reasons are numbered from here on.
            pub const REPORTED: Failure = Failure::new(Own::REPORTED as u32);
            $($(#[$doc])* pub const $name: Failure = Failure::new(Own::$name as u32);)*
        }
    };
}
reasons!(own);

impl Failure {
    /// An errno from the kernel, or one of our own numbers. 0, which is neither, becomes 1.
    #[must_use]
    pub const fn new(errno: u32) -> Failure {
        match NonZeroU32::new(errno) {
            Some(errno) => Failure(errno),
            None => Failure(NonZeroU32::MIN),
        }
    }

    #[must_use]
    pub const fn number(self) -> u32 {
        self.0.get()
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Failure {
        // SAFETY: rustix makes an Errno of the numbers -4095 to -1 alone, so this is 1 to 4095.
        Failure(unsafe { NonZeroU32::new_unchecked(errno.raw_os_error() as u32) })
    }
}

/// The result of an action that has no value.
pub type Done = Result<(), Failure>;
