//! The help and the error messages of tini, dumb-init and catatonit, as patterns. All three parse their options with getopt(3).

use core::ffi::CStr;

use engine::say;
use engine::sys::{self, Standard};
use engine::text::{Say, Text};

use super::builder::Asked;
#[cfg(any(feature = "tini", feature = "dumb-init", feature = "catatonit"))]
use super::complaint::{Complaint, Kind};
use super::words;

/// The patterns of one program. `&` stands for the program's name, `#` for the option or the user's word, `$` for the option,
/// `@` for nsinit's process id.
#[cfg_attr(
    not(any(feature = "tini", feature = "dumb-init", feature = "catatonit")),
    allow(dead_code, reason = "the name bwrap has one text")
)]
pub struct Texts {
    pub help: Say,
    pub version: Say,
    pub help_to_error: bool,
    pub version_to_error: bool,
    /// Only the last component of the program's name is printed.
    pub short_name: bool,
    pub unknown_letter: Say,
    pub unknown_word: Say,
    pub value_missing: Say,
    pub long_value_missing: Say,
    pub value_too_much: Say,
    pub value_wrong: Say,
    pub command_missing: Say,
    /// Printed after each error message about options.
    pub usage: Say,
}

impl Texts {
    pub const NONE: Texts = Texts {
        help: Say::NOTHING,
        version: Say::NOTHING,
        help_to_error: false,
        version_to_error: false,
        short_name: false,
        unknown_letter: Say::NOTHING,
        unknown_word: Say::NOTHING,
        value_missing: Say::NOTHING,
        long_value_missing: Say::NOTHING,
        value_too_much: Say::NOTHING,
        value_wrong: Say::NOTHING,
        command_missing: Say::NOTHING,
        usage: Say::NOTHING,
    };
}

/// Prints what is wrong with the command line. Returns the exit status.
#[cfg(any(feature = "tini", feature = "dumb-init", feature = "catatonit"))]
pub fn complain(texts: &Texts, complaint: &Complaint, program: &CStr) -> i32 {
    let option = complaint.form.name();
    let word = complaint.word.to_bytes();
    let letter;
    let (pattern, word) = match complaint.kind {
        Kind::UnknownLetter(unknown) => {
            letter = [unknown];
            (texts.unknown_letter, &letter[..])
        }
        Kind::Unknown => (texts.unknown_word, word),
        Kind::ValueMissing if option.len() == 2 => (texts.value_missing, option.get(1..).unwrap_or_default()),
        Kind::ValueMissing => (texts.long_value_missing, option),
        Kind::ValueTooMuch => (texts.value_too_much, option),
        Kind::ValueWrong => (texts.value_wrong, word),
        Kind::CommandMissing => (texts.command_missing, option),
    };
    let mut text = Text::new();
    push(&mut text, pattern, program, word, option, false);
    if complaint.kind != Kind::ValueWrong {
        push(&mut text, texts.usage, program, word, option, texts.short_name);
    }
    sys::write(Standard::Error, text.bytes());
    1
}

/// Prints the text that was asked for.
pub fn print(texts: &Texts, asked: Asked, program: &CStr) {
    let (to_error, pattern) = match asked {
        Asked::Version => (texts.version_to_error, texts.version),
        Asked::Licence => (false, LICENCE),
        _ => (texts.help_to_error, texts.help),
    };
    let mut text = Text::new();
    push(&mut text, pattern, program, b"", b"", texts.short_name);
    sys::write(if to_error { Standard::Error } else { Standard::Output }, text.bytes());
}

#[inline(never)]
fn push(text: &mut Text, pattern: Say, program: &CStr, word: &[u8], option: &[u8], short_name: bool) {
    pattern.each(&mut |byte| {
        match byte {
            b'#' => text.push_printable(word),
            b'$' => text.push(option),
            b'&' => text.push(if short_name { words::base(program) } else { program.to_bytes() }),
            b'@' => text.push_own_id(),
            _ => text.byte(byte),
        };
    });
}

/// The text of the licence options: nsinit's own licence.
const LICENCE: Say = say!(
    "The MIT License (MIT), or the Apache License 2.0, at your option.

Copyright (c) The nsinit authors

The software is provided \"as is\", without warranty of any kind.
"
);
