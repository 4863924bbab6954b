//! Which descriptors a process has.

use core::ffi::CStr;

use rustix::fs::OFlags;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::termios::isatty;

use crate::report::message::{blame, blame_hint};
use crate::say;
use crate::sys::files::{self, DIRECTORY, HERE};
use crate::sys::{self, Done, Failure, Standard};
use crate::text::Say;
use crate::text::Text;

/// The first that is not standard input, output or error.
const FIRST: u32 = 3;

/// Looks for the descriptors that the user keeps, before any of ours can have their numbers.
///
/// # Errors
/// EBADF, reported: the caller did not hand us one of them.
pub fn check(users: &[u32]) -> Done {
    let Some(missing) = users.iter().find(|fd| !sys::is_open(**fd)) else { return Ok(()) };
    let mut number = Text::new();
    number.push_number(*missing);
    Err(blame(say!("keep descriptor"), number.c_str(), Failure::BADF))
}

/// Fills the numbers 0 to 2 that the caller left closed with a descriptor that can't be written, holds nothing, and
/// that CMD does not get: otherwise a pipe of ours could come to be standard error, and a message be taken for a word.
///
/// # Errors
/// Those of pipe(2), reported.
pub fn occupy_standard() -> Done {
    while !(0..FIRST).all(sys::is_open) {
        let (end, _) = pipe_with(PipeFlags::CLOEXEC).map_err(|why| blame(say!("make pipes"), c"", why.into()))?;
        sys::keep_open(end);
    }
    Ok(())
}

/// Has no terminal as standard input, output or error any more, but where messages go.
///
/// # Errors
/// Those of open(2) and dup3(2).
pub fn leave_terminals() -> Done {
    let null = files::open(HERE, c"/dev/null", OFlags::RDWR)?;
    for standard in STANDARD {
        if isatty(standard.fd()) {
            sys::replace(standard, null)?;
        }
    }
    Ok(())
}

/// Refuses a directory as standard input, output or error: CMD could go there, and change what is there, whatever its root is.
///
/// # Errors
/// EISDIR; those of fstat(2). Reported.
pub fn refuse_directories() -> Done {
    for standard in STANDARD {
        let (why, hint) = match files::kind(standard.fd()) {
            Ok(kind) if kind != DIRECTORY => continue,
            Ok(_) => (Failure::ISDIR, say!("CMD could leave its root through it: use /dev/null")),
            Err(why) => (why, Say::NOTHING),
        };
        return Err(blame_hint(say!("use"), standard_name(standard), why, hint));
    }
    Ok(())
}

/// Standard input, output and error.
pub const STANDARD: [Standard; 3] = [Standard::Input, Standard::Output, Standard::Error];

/// What messages call it.
#[must_use]
pub const fn standard_name(standard: Standard) -> &'static CStr {
    match standard {
        Standard::Input => c"standard input",
        Standard::Output => c"standard output",
        Standard::Error => c"standard error",
    }
}
