//! From the arguments to a Spec: the one parsing loop, for every vocabulary.

pub mod draft;
mod help;
mod native;
mod words;

use core::ffi::CStr;
use core::mem::{ManuallyDrop, forget};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use engine::fault::Fault;
use engine::sys::{Argv, Start, say, tail};
use engine::text;

use draft::Draft;
pub use help::{print_help, print_usage, print_version};
pub use native::NATIVE;
use words::{Row, Vocabulary};

/// Reads the options up to the first word that is none. Returns CMD with its arguments, if there is one.
///
/// # Errors
/// The first option that is unknown, incomplete, or has a value that can't be meant.
pub fn parse(words: &Vocabulary, start: &Start, draft: &mut Draft) -> Result<Argv<'static>, Fault<'static>> {
    let mut reader = Reader::new(start);
    while let Some(word) = reader.next() {
        let bytes = word.to_bytes();
        // The word before the command, whatever it was, becomes the spare slot.
        match bytes {
            b"--" => return Ok(reader.command(0)),
            [b'-', _, ..] => {}
            _ => return Ok(reader.command(1)),
        }
        let (name, _) = text::word(bytes, b'=').unwrap_or_default();
        let unknown = Fault::new(b"an option", word, say(c"there is none of that name; nsinit --help lists them"));
        let row = words.find(name).ok_or(unknown)?;
        let attached = (name.len() < bytes.len()).then(|| tail(word, name.len() + 1));
        let (first, second) = reader.values(&row, attached)?;
        (words.act)(row.number, draft, first, second).map_err(|why| Fault::new(row.name(), first, why))?;
    }
    Ok(Argv::NONE)
}

/// lexopt hands out the words, one after the other; the words themselves are the kernel's, which CMD and the kernel can
/// have as they are. (lexopt's parser would make each a Rust string, and its errors print themselves: an eighth of the
/// program.)
struct Reader {
    /// Nothing is given back: the process ends or becomes another.
    parser: ManuallyDrop<lexopt::Parser>,
    start: Start,
    /// The index of the word that was read last.
    at: usize,
}

impl Reader {
    fn new(start: &Start) -> Reader {
        let words = start.args.get(1..start.args.len() - 1).unwrap_or_default().iter();
        let parser = lexopt::Parser::from_args(words.map(|word| OsStr::from_bytes(word.get().text().to_bytes())));
        Reader { parser: ManuallyDrop::new(parser), start: *start, at: 0 }
    }

    /// The next word, whatever it looks like.
    fn next(&mut self) -> Option<&'static CStr> {
        forget(self.parser.try_raw_args()?.next()?);
        self.at += 1;
        self.start.args.get(self.at)?.get().get()
    }

    /// What begins `back` words before the word that was read last: a spare slot, CMD, its arguments.
    fn command(&self, back: usize) -> Argv<'static> {
        self.start.args.get(self.at - back..).map_or(Argv::NONE, Argv::new)
    }

    /// As many values as the row names; the only one may be `attached`, behind a `=`.
    fn values(
        &mut self,
        row: &Row,
        attached: Option<&'static CStr>,
    ) -> Result<(&'static CStr, &'static CStr), Fault<'static>> {
        let name = row.name();
        let wrong = |why| Fault::new(name, c"", why);
        let mut values = [attached.unwrap_or_default(), c""];
        let given = usize::from(attached.is_some());
        match row.values() {
            0 if given != 0 => return Err(wrong(say(c"it takes no value"))),
            2 if given != 0 => return Err(wrong(say(c"it takes two values, and none after '='"))),
            wanted => {
                for value in values.iter_mut().take(wanted).skip(given) {
                    *value = self.next().ok_or(wrong(say(c"a value is missing")))?;
                }
            }
        }
        Ok(values.into())
    }
}
