//! What failed, on what, and why: one line, one write; and the exit statuses.

use core::ffi::CStr;
use rustix::io::Errno;

use crate::sys;
use crate::text::{LINE, Text};

/// nsinit failed before CMD ran.
pub const FAILED: u8 = 125;
/// CMD was found and could not be executed.
pub const NOT_EXECUTABLE: u8 = 126;
/// CMD was not found.
pub const NOT_FOUND: u8 = 127;
/// Added to the number of the signal that CMD died of.
pub const SIGNALLED: u8 = 128;

/// The prefix of every message: the name of the vocabulary.
pub const NAME: &str = "nsinit";

/// Why something failed.
#[derive(Clone, Copy)]
pub enum Why {
    Kernel(Errno),
    Sentence(&'static str),
}

/// One failure. It prints as `nsinit: SAYS ON: WHY (HINT)`.
#[derive(Clone, Copy)]
pub struct Fault<'a> {
    /// The verb, with the preposition that leads to the object: `mount proc on`.
    pub says: &'a str,
    /// The object, in the user's own word where there is one. May be empty.
    pub on: &'a CStr,
    pub why: Why,
    /// What to do, where the reason is known to mean something here. May be empty.
    pub hint: &'static str,
    pub status: u8,
}

impl<'a> Fault<'a> {
    #[must_use]
    pub const fn new(says: &'a str, on: &'a CStr, why: Errno) -> Fault<'a> {
        Fault { says, on, why: Why::Kernel(why), hint: "", status: FAILED }
    }

    #[must_use]
    pub const fn sentence(says: &'a str, on: &'a CStr, why: &'static str) -> Fault<'a> {
        Fault { says, on, why: Why::Sentence(why), hint: "", status: FAILED }
    }

    #[must_use]
    pub const fn hint(self, hint: &'static str) -> Fault<'a> {
        Fault { hint, ..self }
    }

    #[must_use]
    pub const fn status(self, status: u8) -> Fault<'a> {
        Fault { status, ..self }
    }

    /// Prints the line on stderr. Returns the exit status that goes with it.
    pub fn report(&self) -> i32 {
        let mut line = Text::<LINE>::new();
        line.push(NAME.as_bytes()).push(b": ").push(self.says.as_bytes());
        if !self.on.is_empty() {
            push_printable(line.push(b" "), self.on.to_bytes());
        }
        line.push(b": ");
        match self.why {
            Why::Sentence(sentence) => line.push(sentence.as_bytes()),
            Why::Kernel(errno) => push_errno(&mut line, errno),
        };
        if !self.hint.is_empty() {
            line.push(b" (").push(self.hint.as_bytes()).push(b")");
        }
        write_line(2, &mut line);
        i32::from(self.status)
    }
}

/// An errno without a story: [`crate::step::walk`] puts the step's words to it.
impl From<Errno> for Fault<'_> {
    fn from(errno: Errno) -> Self {
        Fault::new("", c"", errno)
    }
}

/// Prints a warning: `nsinit: warning: SAYS: WHY`.
pub fn warn(says: &str, errno: Errno) {
    let mut line = Text::<LINE>::new();
    line.push(NAME.as_bytes()).push(b": warning: ").push(says.as_bytes()).push(b": ");
    push_errno(&mut line, errno);
    write_line(2, &mut line);
}

/// Appends words of the user's or of the container's; control characters, which a terminal would act on, become `?`.
pub fn push_printable<const N: usize>(line: &mut Text<N>, word: &[u8]) {
    for &byte in word {
        line.push(&[if byte.is_ascii_control() { b'?' } else { byte }]);
    }
}

/// Ends the line and writes it with one write(2). That nobody reads it can't be told to anybody.
pub fn write_line<const N: usize>(fd: u32, line: &mut Text<N>) {
    let end = line.bytes().len().min(N - 2);
    line.truncate(end);
    line.push(b"\n");
    sys::write(fd, line.bytes());
}

/// The text of an errno, in the C library's words (errno(3)); only numbers where there is no text here.
fn push_errno<const N: usize>(line: &mut Text<N>, errno: Errno) -> &mut Text<N> {
    match ERRNOS.iter().find(|(number, _)| *number == errno) {
        Some((_, text)) => line.push(text.as_bytes()),
        None => line.push(b"errno ").push_number(errno.raw_os_error().unsigned_abs()),
    }
}

/// What the calls that nsinit makes answer.
static ERRNOS: [(Errno, &str); 37] = [
    (Errno::PERM, "Operation not permitted"),
    (Errno::NOENT, "No such file or directory"),
    (Errno::SRCH, "No such process"),
    (Errno::INTR, "Interrupted system call"),
    (Errno::IO, "Input/output error"),
    (Errno::NXIO, "No such device or address"),
    (Errno::TOOBIG, "Argument list too long"),
    (Errno::NOEXEC, "Exec format error"),
    (Errno::BADF, "Bad file descriptor"),
    (Errno::CHILD, "No child processes"),
    (Errno::AGAIN, "Resource temporarily unavailable"),
    (Errno::NOMEM, "Cannot allocate memory"),
    (Errno::ACCESS, "Permission denied"),
    (Errno::FAULT, "Bad address"),
    (Errno::BUSY, "Device or resource busy"),
    (Errno::EXIST, "File exists"),
    (Errno::XDEV, "Invalid cross-device link"),
    (Errno::NODEV, "No such device"),
    (Errno::NOTDIR, "Not a directory"),
    (Errno::ISDIR, "Is a directory"),
    (Errno::INVAL, "Invalid argument"),
    (Errno::NFILE, "Too many open files in system"),
    (Errno::MFILE, "Too many open files"),
    (Errno::NOTTY, "Inappropriate ioctl for device"),
    (Errno::TXTBSY, "Text file busy"),
    (Errno::NOSPC, "No space left on device"),
    (Errno::ROFS, "Read-only file system"),
    (Errno::PIPE, "Broken pipe"),
    (Errno::RANGE, "Numerical result out of range"),
    (Errno::NAMETOOLONG, "File name too long"),
    (Errno::NOSYS, "Function not implemented"),
    (Errno::LOOP, "Too many levels of symbolic links"),
    (Errno::OVERFLOW, "Value too large for defined data type"),
    (Errno::USERS, "Too many users"),
    (Errno::OPNOTSUPP, "Operation not supported"),
    (Errno::STALE, "Stale file handle"),
    (Errno::LIBBAD, "Accessing a corrupted shared library"),
];
