//! Which descriptors a process has.

use core::ffi::CStr;

use rustix::fd::AsRawFd;
use rustix::fs::OFlags;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::termios::isatty;

use crate::report::message::{blame, blame_hint};
use crate::say;
use crate::sys::files::{self, DIRECTORY, Fd, HERE};
use crate::sys::{self, Done, Failure, Standard};
use crate::text::Say;
use crate::text::Text;

/// The first that is not standard input, output or error.
const FIRST: u32 = 3;
/// The highest number that is tried one by one where close_range(2) is missing: the kernel's default `fs.nr_open`
/// is 1,048,576, but nobody without it has set his limit that high.
const LAST_BY_HAND: u32 = 65_535;

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
            sys::replace(standard as u32, null)?;
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

/// The number of a descriptor that there may be; 0, which is never closed, if there is none.
#[must_use]
pub fn number(fd: Option<Fd>) -> u32 {
    fd.map_or(0, |fd| fd.as_raw_fd().cast_unsigned())
}

/// Closes one of the user's, so that whoever reads what was written to it finds the end.
pub fn give_up(fd: Option<u32>) {
    if let Some(fd) = fd.filter(|fd| *fd >= FIRST) {
        sys::close(fd);
    }
}

/// Closes all from 3 up but those that the user keeps, `ours`, and where messages go.
///
/// # Errors
/// Those of close_range(2).
pub fn close_all_but(users: &[u32], ours: &[u32]) -> Done {
    let mut from = FIRST;
    loop {
        // The lowest that is kept, then the next: there are few, and no order is asked for.
        let keep = lowest(users, from).min(lowest(ours, from)).min(lowest(&[sys::messages()], from));
        if keep > from {
            // Up to its neighbour, or to the end.
            close(from, if keep == u32::MAX { keep } else { keep - 1 })?;
        }
        if keep == u32::MAX {
            return Ok(());
        }
        from = keep + 1;
    }
}

/// The lowest that is not below `from`; u32::MAX, which no descriptor is, if there is none.
fn lowest(list: &[u32], from: u32) -> u32 {
    list.iter().fold(u32::MAX, |lowest, &fd| if fd < from { lowest } else { lowest.min(fd) })
}

fn close(first: u32, last: u32) -> Done {
    match sys::close_range(first, last) {
        Err(Failure::NOSYS | Failure::PERM) => {
            (first..=last.min(LAST_BY_HAND)).for_each(sys::close);
            Ok(())
        }
        result => result,
    }
}
