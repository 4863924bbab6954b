//! One raw system call: the arguments as registers, the answer as a `Result`.

use super::arch::{self, Register};
use super::{Done, Failure};

/// One system call; the arguments are integers, or pointers that outlive it.
macro_rules! call {
    ($number:ident $(, $a:expr $(, $b:expr $(, $c:expr $(, $d:expr $(, $e:expr)?)?)?)?)?) => {
        // SAFETY: each use below passes pointers made from live references, with their lengths, of the types that the
        // call's man page names, and as many arguments as it takes.
        unsafe {
            $crate::sys::call::call(
                linux_raw_sys::general::$number,
                register!($($a)?),
                register!($($($b)?)?),
                register!($($($($c)?)?)?),
                register!($($($($($d)?)?)?)?),
                register!($($($($($($e)?)?)?)?)?),
            )
        }
    };
}

macro_rules! register {
    () => {
        core::mem::MaybeUninit::uninit()
    };
    ($value:expr) => {
        core::mem::MaybeUninit::new($crate::sys::call::Argument::full($value))
    };
}

/// What may be an argument: widened to a whole register.
pub trait Argument {
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

/// # Safety
/// That of the system call.
#[inline(never)]
pub unsafe fn call(
    number: u32,
    a: Register,
    b: Register,
    c: Register,
    d: Register,
    e: Register,
) -> Result<u32, Failure> {
    // SAFETY: the caller's word.
    answer(unsafe { arch::call(number, [a, b, c, d, e]) })
}

/// What the kernel answers: the errnos are the numbers from -MAX_ERRNO, -4095, to -1.
pub fn answer(result: isize) -> Result<u32, Failure> {
    if (-4095..0).contains(&result) { Err(Failure::new(result.unsigned_abs() as u32)) } else { Ok(result as u32) }
}

pub fn done(result: Result<u32, Failure>) -> Done {
    result.map(|_| ())
}
