//! What failed, on what, and why: one line, one write.

use core::ffi::CStr;

use crate::sys::{self, Failure, Say, Standard};
use crate::text::{self, PATH, Text};
use crate::voice::{self, Event, Level, Name};

/// Added to the number of the signal that CMD died of.
pub const SIGNALLED: u8 = 128;

/// The exit status of nsinit's own failure.
#[must_use]
pub fn failed() -> i32 {
    voice::chosen().failed.into()
}

/// What can't be meant. It prints as `nsinit: use ON VALUE: WHY`.
#[derive(Clone, Copy)]
pub struct Fault<'a> {
    /// The option, or the word in its place.
    pub on: &'a [u8],
    /// Its value, in the user's own word. May be empty.
    pub value: &'a CStr,
    pub why: Say,
}

impl<'a> Fault<'a> {
    #[must_use]
    pub const fn new(on: &'a [u8], value: &'a CStr, why: Say) -> Fault<'a> {
        Fault { on, value, why }
    }

    /// Prints the line. Returns the exit status that goes with it.
    #[must_use]
    pub fn report(&self) -> i32 {
        if voice::speaks_as(Name::Bwrap) {
            let sentence = matches!(self.why.bytes().first(), Some(b'r' | b'a'));
            let mut line = Text::new();
            line.push(if sentence { b"Specifying " } else { b"" }).push(self.on).byte(b' ').push(self.why.bytes());
            return fatal(line.bytes());
        }
        let mut line = Text::new();
        voice::chosen().begin(&mut line, Level::Failure);
        finish(line.push(b"use ").push(self.on), self.value, self.why.bytes(), Say::NOTHING);
        failed()
    }
}

/// Reports why something did not succeed, unless it is out already: `nsinit: SAYS ON: WHY`.
pub fn blame(says: Say, on: &CStr, why: Failure) -> Failure {
    blame_hint(says, on, why, Say::NOTHING)
}

/// [`blame`] with ` (HINT)`, where the reason is known to mean something here.
pub fn blame_hint(says: Say, on: &CStr, why: Failure, hint: Say) -> Failure {
    if why != Failure::REPORTED {
        complain(Level::Failure, says, on, why, hint);
    }
    Failure::REPORTED
}

/// Tells what did not succeed, where we go on without it.
pub fn warn(says: Say, on: &CStr, why: Failure, hint: Say) {
    complain(Level::Warning, says, on, why, hint);
}

#[inline(never)]
fn complain(level: Level, says: Say, on: &CStr, why: Failure, hint: Say) {
    let mut line = Text::new();
    voice::chosen().begin(&mut line, level);
    voice::push_undone(&mut line, says.bytes());
    // bubblewrap's users know its lines by heart.
    finish(&mut line, on, text_of(why), if voice::speaks_as(Name::Bwrap) { Say::NOTHING } else { hint });
}

/// Reports that CMD could not be executed. Returns the exit status that tells it.
pub fn blame_execution(command: &CStr, why: Failure, hint: Say) -> u8 {
    let voice = voice::chosen();
    let mut line = Text::new();
    voice.begin(&mut line, Level::Failure);
    voice::fill_in(&mut line, voice.execute, [0, 0], command.to_bytes());
    finish(&mut line, c"", text_of(why), hint);
    match why {
        Failure::NOENT => voice.not_found,
        Failure::ACCESS => voice.not_executable,
        _ => voice.not_executed,
    }
}

/// Prints why nothing can be done. Returns the exit status.
#[must_use]
pub fn refuse(why: Say) -> i32 {
    fatal(why.bytes())
}

/// [`refuse`] in other words.
#[must_use]
pub fn fatal(why: &[u8]) -> i32 {
    let mut line = Text::new();
    voice::chosen().begin(&mut line, Level::Failure);
    write_line(Standard::Error, line.push(why));
    failed()
}

/// Tells of an event, in one line, if the voice has words for it.
pub fn tell(event: Event, numbers: [i32; 2], command: &CStr) {
    let voice = voice::chosen();
    let mut line = Text::new();
    voice.event(&mut line, event, numbers, command);
    if !line.bytes().is_empty() {
        // A warning is not news.
        write_line(if event == Event::Reaped { Standard::Error } else { voice.events_to }, &mut line);
    }
}

/// Ends the one line: on what, why, and perhaps what that means.
fn finish(line: &mut Text, on: &CStr, why: &[u8], hint: Say) {
    push_object(line, on);
    line.push(b": ").push(why);
    if !hint.bytes().is_empty() {
        line.push(b" (").push(hint.bytes()).byte(b')');
    }
    write_line(Standard::Error, line);
}

/// Appends on what something is done, behind a space.
pub fn push_object(line: &mut Text, on: &CStr) {
    if !on.is_empty() {
        line.byte(b' ').push_printable(on.to_bytes());
    }
}

/// Ends the line and writes it with one write(2). That nobody reads it can't be told to anybody.
pub fn write_line(to: Standard, line: &mut Text) {
    let end = line.bytes().len().min(PATH - 1);
    line.truncate(end);
    line.byte(b'\n');
    sys::write(to, line.bytes());
}

/// The words of a reason.
#[must_use]
pub fn text_of(why: Failure) -> &'static [u8] {
    let mut rest = REASONS.as_bytes();
    while let Some((line, after)) = text::word(rest, b'\n') {
        if let Some((number, words)) = text::word(line, b' ')
            && text::number(number) == Some(why.number())
        {
            return words;
        }
        rest = after;
    }
    b"an error without a name here"
}

/// The errnos that the calls of nsinit answer, in the C library's words (errno(3), strerror(3)), and our own reasons.
static REASONS: &str = "\
1 Operation not permitted
2 No such file or directory
3 No such process
5 Input/output error
6 No such device or address
7 Argument list too long
8 Exec format error
9 Bad file descriptor
10 No child processes
11 Resource temporarily unavailable
12 Cannot allocate memory
13 Permission denied
14 Bad address
16 Device or resource busy
17 File exists
18 Invalid cross-device link
19 No such device
20 Not a directory
21 Is a directory
22 Invalid argument
23 Too many open files in system
24 Too many open files
25 Inappropriate ioctl for device
26 Text file busy
28 No space left on device
30 Read-only file system
34 Numerical result out of range
36 File name too long
38 Function not implemented
40 Too many levels of symbolic links
75 Value too large for defined data type
80 Accessing a corrupted shared library
87 Too many users
95 Operation not supported
116 Stale file handle
5001 Can't mount on symlink destination
5002 it is there and no directory
5003 it is there and a directory, but the source is a file
5004 it is outside the root
5005 a signal ended who does it
5006 labeling not supported on this system
";

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn reasons_are_the_c_librarys() {
        for (number, words) in REASONS.lines().filter_map(|line| line.split_once(' ')) {
            let number: i32 = number.parse().expect("a number");
            let theirs = std::io::Error::from_raw_os_error(number);
            if number < 4096 && cfg!(target_env = "gnu") {
                assert_eq!(std::format!("{theirs}"), std::format!("{words} (os error {number})"));
            }
        }
        assert_eq!(text_of(Failure::SYMLINK), b"Can't mount on symlink destination");
        assert_eq!(text_of(Failure::OUTSIDE), b"it is outside the root");
    }
}
