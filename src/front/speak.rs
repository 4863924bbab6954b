//! What the names print about their options: complaints, help, versions, from the patterns in their texts.

use core::ffi::CStr;

use engine::fault::Fault;
use engine::sys::{Standard, write};
use engine::text::Text;
use rustix::process::getpid;

use super::draft::Asked;
use super::help;
use super::native::NATIVE;
use super::words::{Complaint, Kind, Texts, Vocabulary};

/// Prints what is wrong with the command line. Returns the exit status.
pub fn complain(words: &Vocabulary, complaint: &Complaint, program: &CStr) -> i32 {
    if words.voice == NATIVE.voice {
        return Fault::new(complaint.option, complaint.word, complaint.why).report();
    }
    let texts = &words.texts;
    let option = complaint.option.as_bytes();
    let mut letter = [0; 4];
    let (pattern, word, usage) = match complaint.kind {
        Kind::UnknownLetter(unknown) => {
            (texts.unknown_letter, unknown.encode_utf8(&mut letter).as_bytes(), texts.usage)
        }
        Kind::Unknown => (texts.unknown_word, complaint.word.to_bytes(), texts.usage),
        Kind::ValueMissing if option.len() == 2 => {
            (texts.value_missing, option.get(1..).unwrap_or_default(), texts.usage)
        }
        Kind::ValueMissing => (texts.long_value_missing, option, texts.usage),
        Kind::ValueTooMuch => {
            let word = complaint.word.to_bytes();
            let name = word.iter().take_while(|byte| **byte != b'=').count();
            (texts.value_too_much, word.get(..name).unwrap_or_default(), texts.usage)
        }
        Kind::ValueWrong => (texts.value_wrong, complaint.word.to_bytes(), ""),
        Kind::CommandMissing => (texts.command_missing, option, texts.usage),
    };
    let mut text = Text::new();
    push(&mut text, pattern, program, word, option, false);
    push(&mut text, usage, program, word, option, texts.short_name);
    write(Standard::Error, text.bytes());
    1
}

/// Prints what was asked for.
pub fn print(words: &Vocabulary, asked: Asked, program: &CStr) {
    if words.voice == NATIVE.voice {
        return help::print(asked);
    }
    let Texts { help, version, help_to, version_to, short_name, .. } = words.texts;
    let (to, pattern) = match asked {
        Asked::Version => (version_to, version),
        Asked::Licence => (Standard::Output, LICENCE),
        _ => (help_to, help),
    };
    let mut text = Text::new();
    push(&mut text, pattern, program, b"", b"", short_name);
    write(to, text.bytes());
}

/// Appends a pattern of [`Texts`]; `$` is the option.
fn push(text: &mut Text, pattern: &'static str, program: &CStr, word: &[u8], option: &[u8], short_name: bool) {
    let whole = program.to_bytes();
    let base = whole.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    for byte in pattern.bytes() {
        match byte {
            b'#' => text.push_printable(word),
            b'$' => text.push(option),
            b'&' => text.push(if short_name { base } else { whole }),
            b'@' => text.push_number(getpid().as_raw_nonzero().get().unsigned_abs()),
            _ => text.push(&[byte]),
        };
    }
}

/// What the licence options print: nsinit's own.
const LICENCE: &str = concat!(
    "nsinit ",
    env!("CARGO_PKG_VERSION"),
    ", under the MIT licence or the Apache License 2.0, at your option.\nThere is no warranty.\n"
);
