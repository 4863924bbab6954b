//! What the names print about their options: complaints, help, versions, from the patterns in their texts.

use core::ffi::CStr;

use engine::report::wording::Name;
use engine::say;
use engine::spec::validate::Fault;
use engine::sys::{Standard, write};
use engine::text::Say;
use engine::text::Text;

use super::builder::Asked;
use super::dialects::bwrap;
use super::rows::{Complaint, Kind, Vocabulary};
use super::{NATIVE, base, usage};

/// Prints what is wrong with the command line. Returns the exit status.
pub fn complain(words: &'static Vocabulary, complaint: &Complaint, program: &CStr) -> i32 {
    if words.voice == NATIVE.voice {
        return Fault::new(Say::NOTHING, complaint.option, complaint.word, complaint.why).report();
    }
    if words.voice == Name::Bwrap {
        return bwrap::complain(complaint, program);
    }
    let texts = &words.texts;
    let option = complaint.option;
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
    write(Standard::Error, text.bytes());
    1
}

/// Prints that there is no CMD. Returns the exit status.
pub fn complain_of_no_command(words: &'static Vocabulary, program: &CStr) -> i32 {
    let why = say!("it is missing");
    let complaint = Complaint { kind: Kind::CommandMissing, option: b"CMD", values: 0, value: b"", word: c"", why };
    complain(words, &complaint, program)
}

/// Prints what was asked for.
pub fn print(words: &'static Vocabulary, asked: Asked, program: &CStr) {
    if words.voice == NATIVE.voice {
        return usage::print(asked);
    }
    if words.voice == Name::Bwrap && asked != Asked::Version {
        return bwrap::usage(Standard::Output, program);
    }
    let texts = &words.texts;
    let (to_error, pattern) = match asked {
        Asked::Version => (texts.version_to_error, texts.version),
        Asked::Licence => (false, LICENCE),
        _ => (texts.help_to_error, texts.help),
    };
    let mut text = Text::new();
    push(&mut text, pattern, program, b"", b"", texts.short_name);
    write(if to_error { Standard::Error } else { Standard::Output }, text.bytes());
}

/// Appends a pattern of the vocabulary's texts.
#[inline(never)]
fn push(text: &mut Text, pattern: Say, program: &CStr, word: &[u8], option: &[u8], short_name: bool) {
    pattern.each(&mut |byte| {
        match byte {
            b'#' => text.push_printable(word),
            b'$' => text.push(option),
            b'&' => text.push(if short_name { base(program) } else { program.to_bytes() }),
            b'@' => text.push_own_id(),
            _ => text.byte(byte),
        };
    });
}

/// What the licence options print: nsinit's own.
const LICENCE: Say = say!(
    "The MIT License (MIT), or the Apache License 2.0, at your option.

Copyright (c) The nsinit authors

The software is provided \"as is\", without warranty of any kind.
"
);
