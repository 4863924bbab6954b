//! Messages: what failed, its object, and the reason, in one line and one write(2).

use core::ffi::CStr;

use crate::report::errno;
use crate::report::hint;
use crate::report::kernel_log;
use crate::report::wording::{self, Event, Hints, Level};
use crate::say;
use crate::spec::validate::Fault;
use crate::sys::{self, Failure, Standard};
use crate::text::Say;
use crate::text::{PATH, Text};

/// The exit status of nsinit's own failure.
#[must_use]
pub fn failed() -> i32 {
    wording::chosen().failed.into()
}

impl Fault<'_> {
    /// Prints the line. Returns the exit status for a usage error.
    #[must_use]
    pub fn report(&self) -> i32 {
        let mut line = Text::new();
        let own = (wording::chosen().misuse)(self.misuse);
        if own.is_empty() {
            line.say(self.on).push(self.option);
            if let Some(value) = self.value {
                push_object(&mut line, value);
                line.byte(b':');
            }
            if let Some(id) = self.id {
                line.byte(b' ').push_number(id).byte(b':');
            }
            if !line.bytes().is_empty() {
                line.byte(b' ');
            }
            line.say(self.why);
        } else {
            line.say(own);
        }
        fatal(&line)
    }
}

/// Reports a failure, unless it is reported already: `nsinit: cannot SAYS ON: WHY`.
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

/// For a process of nsinit that cannot go on. The code that knows the verb and the object has reported the failure; if none
/// has, which is a mistake in nsinit, this prints a line without them. Returns the exit status.
#[must_use]
pub fn give_up(why: Failure) -> i32 {
    debug_assert!(why == Failure::REPORTED, "a failure without a line");
    blame(say!("go on"), c"", why);
    failed()
}

/// Reports a failure that does not stop nsinit.
pub fn warn(says: Say, on: &CStr, why: Failure, hint: Say) {
    complain(Level::Warning, says, on, why, hint);
}

#[inline(never)]
fn complain(level: Level, says: Say, on: &CStr, why: Failure, hint: Say) {
    let wording = wording::chosen();
    let mut line = Text::new();
    wording.begin(&mut line, level);
    let own = (wording.failure)(says, why);
    if !own.is_empty() {
        push_object(line.say(own), on);
        return write_line(Standard::Error, &mut line);
    }
    wording.push_undone(&mut line, says);
    // A hint that follows from the errno alone is more precise than the caller's. The hint of a warning is how nsinit goes on.
    let always = hint::of_errno(why).hint();
    let hint = if always.is_empty() || level == Level::Warning && !hint.is_empty() { hint } else { always };
    finish(&mut line, on, why, if wording.hints == Hints::None { Say::NOTHING } else { hint });
}

/// Reports that CMD could not be executed. Returns the exit status for that.
pub fn blame_execution(command: &CStr, why: Failure, hint: Say) -> u8 {
    let wording = wording::chosen();
    let mut line = Text::new();
    wording.begin(&mut line, Level::Failure);
    wording::fill_in(&mut line, wording.execute, [0, 0], command.to_bytes());
    finish(&mut line, c"", why, hint);
    match why {
        Failure::NOENT => wording.not_found,
        Failure::ACCESS => wording.not_executable,
        _ => wording.not_executed,
    }
}

/// Prints why nsinit cannot go on. Returns the exit status.
#[must_use]
pub fn refuse(why: Say) -> i32 {
    fatal(Text::new().say(why))
}

/// [`refuse`] with a text that is not a constant.
#[must_use]
pub fn fatal(why: &Text) -> i32 {
    sentence(Level::Failure, why);
    failed()
}

/// Prints a warning.
pub fn warning(what: &Text) {
    sentence(Level::Warning, what);
}

fn sentence(level: Level, text: &Text) {
    let mut line = Text::new();
    wording::chosen().begin(&mut line, level);
    write_line(Standard::Error, line.push(text.bytes()));
}

/// Reports an event, in one line, if the wording has one for it.
pub fn tell(event: Event, numbers: [i32; 2], command: &CStr) {
    let wording = wording::chosen();
    let mut line = Text::new();
    wording.push_event(&mut line, event, numbers, command);
    if !line.bytes().is_empty() {
        // `Reaped` is a warning.
        write_line(if event == Event::Reaped { Standard::Error } else { wording.events_to }, &mut line);
    }
}

/// Reports an event with its reason.
pub fn tell_why(event: Event, why: Failure) {
    let mut words = Text::new();
    push_reason(&mut words, why);
    tell(event, [why.number().cast_signed(), 0], words.c_str());
}

/// Ends the line with the object, the reason and the hint, and writes it.
fn finish(line: &mut Text, on: &CStr, why: Failure, hint: Say) {
    push_object(line, on);
    push_reason(line.push(b": "), why);
    if !hint.is_empty() {
        line.push(b" (").say(hint).byte(b')');
    }
    write_line(Standard::Error, line);
}

/// Appends a space and the object; nothing if there is none.
pub fn push_object(line: &mut Text, on: &CStr) {
    if !on.is_empty() {
        line.byte(b' ').push_printable(on.to_bytes());
    }
}

/// Ends the line and writes it with one write(2).
pub fn write_line(to: Standard, line: &mut Text) {
    let end = line.bytes().len().min(PATH - 1);
    line.truncate(end);
    line.byte(b'\n');
    if matches!(to, Standard::Error) && kernel_log::is_on() {
        return kernel_log::write(line.bytes());
    }
    sys::write(to, line.bytes());
}

/// Appends the text of a reason; `error N` for an errno without a text.
pub fn push_reason(line: &mut Text, why: Failure) {
    let words = errno::text(why);
    if words.is_empty() {
        line.say(say!("error ")).push_number(why.number());
    } else {
        line.say(words);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::String;

    use super::*;

    #[test]
    fn every_reason_has_words() {
        let in_full = |why| {
            let mut line = Text::new();
            push_reason(&mut line, why);
            String::from_utf8_lossy(line.bytes()).into_owned()
        };
        assert_eq!(in_full(Failure::SYMLINK), "the destination is a symlink");
        assert_eq!(in_full(Failure::OUTSIDE), "it is outside the root");
        assert_eq!(in_full(Failure::PERM), "Operation not permitted");
        // EDQUOT, EKEYREVOKED.
        assert_eq!(in_full(Failure::new(122)), "Disk quota exceeded");
        assert_eq!(in_full(Failure::new(128)), "Key has been revoked");
        // No machine that nsinit is built for has errno 41. 524 is the kernel's internal ENOTSUPP, which some calls return.
        assert_eq!(in_full(Failure::new(41)), "error 41");
        assert_eq!(in_full(Failure::new(524)), "error 524");
    }
}
