//! From the arguments to a Spec: the one parsing loop, for every vocabulary.

pub mod draft;
mod help;
mod native;
mod words;

use core::ffi::CStr;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use engine::fault::Fault;
use engine::sys::{Argv, Start};
use lexopt::Arg;

use draft::{Draft, leak};
pub use help::{print_help, print_usage, print_version};
pub use native::NATIVE;
use words::{Act, Row, Vocabulary};

/// Reads the options up to the first word that is none. Returns the draft, and CMD with its arguments if there is one.
///
/// # Errors
/// The first option that is unknown, incomplete, or has a value that can't be meant.
pub fn parse(words: &Vocabulary, start: &Start) -> Result<(Draft, Option<Argv<'static>>), Fault<'static>> {
    let mut draft = Draft::new(start.env);
    let args = start.args.iter().skip(1).map_while(|word| word.get().get());
    let args: Vec<OsString> = args.map(|arg| OsStr::from_bytes(arg.to_bytes()).to_owned()).collect();
    let count = args.len();
    let mut parser = lexopt::Parser::from_args(args);
    loop {
        let row = match parser.next() {
            Ok(Some(Arg::Long(name))) => match words.find(name) {
                Some(row) => row,
                None => return Err(unknown(b"--", name.as_bytes())),
            },
            Ok(Some(Arg::Short(letter))) => return Err(unknown(b"-", letter.encode_utf8(&mut [0; 4]).as_bytes())),
            Ok(Some(Arg::Value(_))) => {
                let left = parser.raw_args().map_or(0, |rest| rest.as_slice().len());
                // The word before the command, whatever it was, becomes the spare slot.
                let command = start.args.get(count - left - 1..).and_then(Argv::new);
                return Ok((draft, command));
            }
            Ok(None) => return Ok((draft, None)),
            Err(lexopt::Error::UnexpectedValue { option, .. }) => {
                return Err(bad(option.as_bytes(), b"", "it takes no value"));
            }
            Err(_) => return Err(bad(b"option", b"", "it can't be read")),
        };
        apply(row, &mut draft, &mut parser)?;
    }
}

fn apply(row: &Row, draft: &mut Draft, parser: &mut lexopt::Parser) -> Result<(), Fault<'static>> {
    let mut next = || parser.value().ok().and_then(|value| leak(value.into_vec()));
    let missing = || wrong(row, &[], "a value is missing");
    match row.act {
        Act::Flag(act) => {
            act(draft);
            Ok(())
        }
        Act::Value(act) => {
            let value = next().ok_or_else(missing)?;
            act(draft, value).map_err(|why| wrong(row, &[value], why))
        }
        Act::Pair(act) => {
            if parser.optional_value().is_some() {
                return Err(wrong(row, &[], "it takes two values, and none after '='"));
            }
            let mut next = || parser.value().ok().and_then(|value| leak(value.into_vec()));
            let first = next().ok_or_else(missing)?;
            let second = next().ok_or_else(|| wrong(row, &[first], "its second value is missing"))?;
            act(draft, first, second).map_err(|why| wrong(row, &[first, second], why))
        }
    }
}

fn wrong(row: &Row, values: &[&CStr], why: &'static str) -> Fault<'static> {
    let mut said = b"--".to_vec();
    said.extend_from_slice(row.name.as_bytes());
    for value in values {
        said.push(b' ');
        said.extend_from_slice(value.to_bytes());
    }
    Fault::sentence("use", leak(said).unwrap_or(c""), why)
}

fn unknown(dashes: &[u8], name: &[u8]) -> Fault<'static> {
    bad(dashes, name, "there is no such option").hint("nsinit --help lists them")
}

fn bad(dashes: &[u8], name: &[u8], why: &'static str) -> Fault<'static> {
    Fault::sentence("use", leak([dashes, name].concat()).unwrap_or(c""), why)
}
