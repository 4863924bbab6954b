//! One raw system call: numbers and pointers as registers, the kernel's answer as a `Result`.

use super::arch::{self, Register};
use super::{Done, Failure};

/// One system call, by its name in linux-raw-sys. It is unsafe: the SAFETY comment of each use states the memory that the kernel
/// reads and writes through the pointers among the arguments, or that there are none.
macro_rules! call {
    ($number:ident $(, $a:expr $(, $b:expr $(, $c:expr $(, $d:expr $(, $e:expr)?)?)?)?)?) => {
        $crate::sys::call::call(
            linux_raw_sys::general::$number,
            register!($($a)?),
            register!($($($b)?)?),
            register!($($($($c)?)?)?),
            register!($($($($($d)?)?)?)?),
            register!($($($($($($e)?)?)?)?)?),
        )
    };
}

/// A register with a value, or one that the call does not read.
macro_rules! register {
    () => {
        core::mem::MaybeUninit::uninit()
    };
    ($value:expr) => {
        core::mem::MaybeUninit::new($crate::sys::call::Argument::full($value))
    };
}

/// A type that can be an argument of a system call.
pub trait Argument {
    /// The value, widened to a whole register.
    fn full(self) -> usize;
}

macro_rules! arguments {
    ($($kind:ty),*) => { $(impl Argument for $kind {
        fn full(self) -> usize { self as usize }
    })* };
}
arguments!(i32, u32, usize);

impl<T> Argument for *const T {
    fn full(self) -> usize {
        self.expose_provenance()
    }
}

impl<T> Argument for *mut T {
    fn full(self) -> usize {
        self.expose_provenance()
    }
}

/// Makes the system call `number`. Returns its result or its errno.
///
/// # Safety
/// The kernel reads and writes memory only as the call's man page says. Each register that the call reads has a value, each
/// pointer among them leads to memory of that type and length until the call returns, and nothing else in the program relies
/// on what the call changes.
#[inline(never)]
pub unsafe fn call(
    number: u32,
    a: Register,
    b: Register,
    c: Register,
    d: Register,
    e: Register,
) -> Result<u32, Failure> {
    // SAFETY: the registers are passed on unchanged; the caller of this function answers for them.
    answer(unsafe { arch::call(number, [a, b, c, d, e]) })
}

/// The kernel's answer as a `Result`: the numbers from -4095 (MAX_ERRNO) to -1 are errnos.
///
/// # Errors
/// The errno that the kernel answered with.
pub fn answer(result: isize) -> Result<u32, Failure> {
    if (-4095..0).contains(&result) { Err(Failure::new(result.unsigned_abs() as u32)) } else { Ok(result as u32) }
}

/// The answer of a call that has no result but success.
///
/// # Errors
/// The errno of `result`.
pub fn done(result: Result<u32, Failure>) -> Done {
    result.map(|_| ())
}
