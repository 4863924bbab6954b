//! Standard input, output and error, and where messages go.

use core::sync::atomic::{AtomicU32, Ordering};

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd};

use super::call::done;
use super::fd::{close, close_on_exec};
use super::{Done, Failure};

/// Standard input, output and error.
#[derive(Clone, Copy)]
pub enum Standard {
    Input = 0,
    Output = 1,
    Error = 2,
}

impl Standard {
    #[must_use]
    pub fn fd(self) -> BorrowedFd<'static> {
        // SAFETY: nsinit closes none of the three, and `descriptors::occupy_standard` has opened those that were closed.
        unsafe { BorrowedFd::borrow_raw(self as i32) }
    }
}

/// Whether a descriptor of that number is open that we did not open: of ours all are close-on-exec, and of those with which
/// a program begins none is.
#[must_use]
pub fn is_given(fd: Standard) -> bool {
    call!(__NR_fcntl, fd as u32, raw::F_GETFD, 0u32) == Ok(0)
}

/// Where messages go: standard error, or what it was.
static MESSAGES: AtomicU32 = AtomicU32::new(Standard::Error as u32);

/// The descriptor that messages go to.
#[must_use]
pub fn messages() -> u32 {
    MESSAGES.load(Ordering::Relaxed)
}

/// Makes `new` what standard input, output or error is; its messages still go to what that was, as long as [`end_messages`]
/// is not called.
///
/// # Errors
/// Those of dup3(2) and fcntl(2).
pub fn replace(standard: u32, new: BorrowedFd<'_>) -> Done {
    if standard == messages() {
        let old = call!(__NR_fcntl, standard, raw::F_DUPFD_CLOEXEC, Standard::Error as u32 + 1)?;
        MESSAGES.store(old, Ordering::Relaxed);
    }
    done(call!(__NR_dup3, new.as_raw_fd(), standard, 0u32))
}

/// Makes `new` standard input, output or error, which was closed, for CMD too.
///
/// # Errors
/// Those of dup3(2) and fcntl(2).
pub fn put(standard: Standard, new: BorrowedFd<'_>) -> Done {
    let (new, standard) = (new.as_raw_fd().cast_unsigned(), standard as u32);
    if new == standard { close_on_exec(new, false) } else { done(call!(__NR_dup3, new, standard, 0u32)) }
}

/// From now on messages go there.
pub fn send_messages(to: BorrowedFd<'_>) {
    MESSAGES.store(to.as_raw_fd().cast_unsigned(), Ordering::Relaxed);
}

/// From now on messages go to standard error, whatever that is.
pub fn end_messages() {
    let old = MESSAGES.swap(Standard::Error as u32, Ordering::Relaxed);
    if old != Standard::Error as u32 {
        close(old);
    }
}

/// The errno of the last write(2) to standard output that failed.
static UNWRITTEN: AtomicU32 = AtomicU32::new(0);

/// write(2), once if all is taken; what standard output did not take is told by [`unwritten`].
pub fn write(to: Standard, bytes: &[u8]) {
    let fd = if matches!(to, Standard::Error) { messages() } else { to as u32 };
    let mut rest = bytes;
    while !rest.is_empty() {
        match call!(__NR_write, fd, rest.as_ptr(), rest.len()) {
            Ok(length) => rest = rest.get(length as usize..).unwrap_or_default(),
            // Stopped and continued.
            Err(Failure::INTR) => {}
            Err(why) => {
                if matches!(to, Standard::Output) {
                    UNWRITTEN.store(why.number(), Ordering::Relaxed);
                }
                return;
            }
        }
    }
}

/// Why something is missing on standard output.
#[must_use]
pub fn unwritten() -> Option<Failure> {
    let errno = UNWRITTEN.load(Ordering::Relaxed);
    (errno != 0).then(|| Failure::new(errno))
}
