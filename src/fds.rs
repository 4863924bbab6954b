//! Which descriptors a process has.

use rustix::fd::AsRawFd;
use rustix::fs::OFlags;

use crate::files::{self, HERE};
use crate::sys::{self, Done, Failure};

/// The first that is not standard input, output or error.
const FIRST: u32 = 3;
/// The highest number that is tried one by one where close_range(2) is missing: the kernel's default `fs.nr_open`
/// is 1,048,576, but nobody without it has set his limit that high.
const LAST_BY_HAND: u32 = 65_535;

/// Fills the numbers 0 to 2 that the caller left closed with a descriptor that can neither be read nor written and
/// that CMD does not get: otherwise a pipe of ours could come to be standard error, and a message be taken for a word.
///
/// # Errors
/// Those of open(2).
pub fn occupy_standard() -> Done {
    loop {
        let fd = files::open(HERE, c"/", OFlags::PATH)?;
        if fd.as_raw_fd().unsigned_abs() >= FIRST {
            return Ok(());
        }
        sys::keep_open(fd);
    }
}

/// Closes all from 3 up but `kept`, which is in ascending order.
///
/// # Errors
/// Those of close_range(2).
pub fn close_all_but(kept: impl Iterator<Item = u32>) -> Done {
    let mut first = FIRST;
    for keep in kept.filter(|fd| *fd >= FIRST) {
        if keep > first {
            close(first, keep - 1)?;
        }
        first = keep.saturating_add(1);
    }
    close(first, u32::MAX)
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
