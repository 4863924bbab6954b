//! The clock of a machine without a battery: it goes on from the time of a file, which is that of the last end.

use core::ffi::CStr;

use rustix::fs::{OFlags, Timespec, Timestamps, UTIME_NOW, futimens, stat};

use crate::sys::files::{self, HERE};
use crate::sys::{self, Done, Failure, Time};

/// Sets the clock to the time of the file, if it is behind.
///
/// # Errors
/// See stat(2), clock_settime(2). It is none that the file does not exist yet.
pub fn advance(path: &CStr) -> Done {
    let stat = match stat(path).map_err(Failure::from) {
        Err(Failure::NOENT) => return Ok(()),
        stat => stat?,
    };
    let last = Time { seconds: stat.st_mtime as i64, nanos: stat.st_mtime_nsec as i64 };
    if sys::wall_clock() < last { sys::set_wall_clock(last) } else { Ok(()) }
}

/// Gives the file the present time. It is made if necessary.
///
/// # Errors
/// EROFS: the file system is read-only. Others: see open(2).
pub fn renew(path: &CStr) -> Done {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = files::create(HERE, path, flags, 0o644)?;
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let done = futimens(file, &Timestamps { last_access: now, last_modification: now });
    sys::close(file);
    Ok(done?)
}
