//! The descriptors that a process is started with: standard input, output and error, and those that the user keeps.

use core::ffi::CStr;

use rustix::fs::OFlags;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::termios::isatty;

use crate::report::message::{blame, blame_hint};
use crate::say;
use crate::sys::files::{self, DIRECTORY};
use crate::sys::{self, Done, Failure, Standard};
use crate::text::{Say, Short};

/// The first number that is not standard input, output or error.
const FIRST: u32 = 3;

/// Checks that the descriptors that the user keeps are open, before nsinit opens one that could get such a number.
///
/// # Errors
/// Reported. EBADF: the caller passed no descriptor with such a number.
pub fn check(users: &[u32]) -> Done {
    let Some(missing) = users.iter().find(|fd| !sys::is_open(**fd)) else { return Ok(()) };
    let mut number = Short::new();
    number.push_number(*missing);
    Err(blame(say!("keep descriptor"), number.c_str(), Failure::BADF))
}

/// Opens those of the numbers 0 to 2 that the caller left closed, as the read end of an empty pipe: it cannot be written, and CMD
/// does not get it. Otherwise a pipe between processes of nsinit could become standard error, and messages would go into it.
///
/// # Errors
/// Reported. EMFILE, ENFILE: no descriptor is free; others: see pipe(2).
pub fn occupy_standard() -> Done {
    while !(0..FIRST).all(sys::is_open) {
        let (end, _) = pipe_with(PipeFlags::CLOEXEC).map_err(|why| blame(say!("make pipes"), c"", why.into()))?;
        sys::keep_open(end);
    }
    Ok(())
}

/// Replaces each of standard input, output and error that is a terminal by /dev/null. Messages go where they went before.
///
/// # Errors
/// ENOENT, EACCES: /dev/null is missing or cannot be opened; EMFILE, ENFILE: no descriptor is free; others: see open(2) and dup3(2).
pub fn leave_terminals() -> Done {
    let null = files::open_path(c"/dev/null", OFlags::RDWR)?;
    for standard in STANDARD {
        if isatty(standard.fd()) {
            sys::replace(standard, null)?;
        }
    }
    Ok(())
}

/// Makes `to` standard output and error, for messages too.
#[cfg(feature = "keeper")]
pub fn lead_output(to: files::Fd) {
    for standard in [Standard::Output, Standard::Error] {
        // EBADF is the only error.
        let _ = sys::put(standard, to);
    }
}

/// Refuses a directory as standard input, output or error: CMD could enter it and change its files, whatever the root of CMD is.
///
/// # Errors
/// Reported. EISDIR: one is a directory; others: see fstat(2).
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

/// Its name in messages.
#[must_use]
pub const fn standard_name(standard: Standard) -> &'static CStr {
    match standard {
        Standard::Input => c"standard input",
        Standard::Output => c"standard output",
        Standard::Error => c"standard error",
    }
}
