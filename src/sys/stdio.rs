//! Standard input, output and error, and the descriptor for messages.

use core::sync::atomic::{AtomicU32, Ordering};

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd};

use super::call::done;
use super::fd::{close_number, close_on_exec};
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
        // SAFETY: no function of nsinit closes one of these three, and `descriptors::occupy_standard` opens those that the
        // caller left closed.
        unsafe { BorrowedFd::borrow_raw(self as i32) }
    }
}

/// Whether the caller gave us this descriptor. A descriptor that is open after execve(2) is not close-on-exec, and each
/// descriptor that we open is.
#[must_use]
pub fn is_given(fd: Standard) -> bool {
    // SAFETY: F_GETFD only looks the descriptor up.
    unsafe { call!(__NR_fcntl, fd as u32, raw::F_GETFD, 0u32) == Ok(0) }
}

/// The number of the descriptor for messages: standard error, or the one that [`replace`] or [`send_messages`] has set.
static MESSAGES: AtomicU32 = AtomicU32::new(Standard::Error as u32);

/// The number of the descriptor for messages.
#[must_use]
pub(super) fn messages() -> u32 {
    MESSAGES.load(Ordering::Relaxed)
}

/// Whether messages go to another file than standard error.
#[cfg(feature = "boot")]
#[must_use]
pub fn sends_messages() -> bool {
    messages() != Standard::Error as u32
}

/// Makes `new` standard input, output or error, dup3(2). Messages still go to the old standard error, until
/// [`end_messages`].
///
/// # Errors
/// EMFILE: no number is free for a copy of the old standard error. EBADF: `new` is not open.
pub fn replace(standard: Standard, new: BorrowedFd<'_>) -> Done {
    let standard = standard as u32;
    if standard == messages() {
        // SAFETY: the argument of F_DUPFD_CLOEXEC is the lowest number that the copy may have.
        let old = unsafe { call!(__NR_fcntl, standard, raw::F_DUPFD_CLOEXEC, Standard::Error as u32 + 1)? };
        MESSAGES.store(old, Ordering::Relaxed);
    }
    // SAFETY: dup3(2) takes numbers. What it closes is one of the three, which no value owns.
    done(unsafe { call!(__NR_dup3, new.as_raw_fd(), standard, 0u32) })
}

/// Makes `new` standard input, output or error; CMD inherits it. dup3(2), or fcntl(2) if `new` has that number already.
///
/// # Errors
/// EBADF: `new` is not open.
pub fn put(standard: Standard, new: BorrowedFd<'_>) -> Done {
    let (new, standard) = (new.as_raw_fd().cast_unsigned(), standard as u32);
    if new == standard {
        return close_on_exec(new, false);
    }
    // SAFETY: dup3(2) takes numbers. What it closes is one of the three, which no value owns.
    done(unsafe { call!(__NR_dup3, new, standard, 0u32) })
}

/// Sends messages to `to` from now on.
pub fn send_messages(to: BorrowedFd<'static>) {
    MESSAGES.store(to.as_raw_fd().cast_unsigned(), Ordering::Relaxed);
}

/// Sends messages to standard error from now on, whatever file that is, and closes the descriptor that they went to before.
pub fn end_messages() {
    let old = MESSAGES.swap(Standard::Error as u32, Ordering::Relaxed);
    if old != Standard::Error as u32 {
        // SAFETY: the number is the copy that `replace` made, or an Fd of `send_messages`; MESSAGES was its only user.
        unsafe { close_number(old) };
    }
}

/// The errno of the last write(2) to standard output that failed; 0 for none.
static UNWRITTEN: AtomicU32 = AtomicU32::new(0);

/// Writes all of `bytes`, with one write(2) where the file takes all of them. An error on standard output is kept for
/// [`unwritten`]; an error on standard error cannot be reported.
pub fn write(to: Standard, bytes: &[u8]) {
    let fd = if matches!(to, Standard::Error) { messages() } else { to as u32 };
    let mut rest = bytes;
    while !rest.is_empty() {
        // SAFETY: the kernel reads as many bytes from `rest` as it has.
        match unsafe { call!(__NR_write, fd, rest.as_ptr(), rest.len()) } {
            Ok(length) => rest = rest.get(length as usize..).unwrap_or_default(),
            // SIGSTOP and SIGCONT.
            Err(Failure::INTR) => {}
            Err(why) => {
                if matches!(to, Standard::Output) {
                    UNWRITTEN.store(why.number(), Ordering::Relaxed);
                } else {
                    super::discard_broken_pipe();
                }
                return;
            }
        }
    }
}

/// Why standard output is incomplete, if it is.
#[must_use]
pub fn unwritten() -> Option<Failure> {
    let errno = UNWRITTEN.load(Ordering::Relaxed);
    (errno != 0).then(|| Failure::new(errno))
}
