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
use engine::sys::{Argv, Start};
use lexopt::Arg;

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
    loop {
        let row = match reader.parser.next() {
            Ok(Some(Arg::Long(name))) => words.find(name),
            Ok(Some(Arg::Short(_))) => None,
            // The word before the command, whatever it was, becomes the spare slot.
            Ok(Some(Arg::Value(value))) => {
                forget(value);
                return Ok(start.args.get(reader.at() - 1..).map_or(Argv::NONE, Argv::new));
            }
            Ok(None) => return Ok(Argv::NONE),
            Err(error) => {
                forget(error);
                return Err(Fault::new("an option", reader.word(), "it takes no value"));
            }
        };
        let row =
            row.ok_or(Fault::new("an option", reader.word(), "there is none of that name; nsinit --help lists them"))?;
        let (group, row) = row;
        draft.contained |= group.contained;
        reader.apply(row, draft)?;
    }
}

/// lexopt says what a word is; the words themselves are the kernel's, which CMD and the kernel can have as they are.
struct Reader {
    /// Nothing is given back: the process ends or becomes another.
    parser: ManuallyDrop<lexopt::Parser>,
    start: Start,
}

impl Reader {
    fn new(start: &Start) -> Reader {
        let mut args = Vec::with_capacity(start.args.len());
        for arg in start.args.iter().skip(1).filter_map(|word| word.get().get()) {
            args.push(OsStr::from_bytes(arg.to_bytes()));
        }
        Reader { parser: ManuallyDrop::new(lexopt::Parser::from_args(args)), start: *start }
    }

    /// The index of the word that was read last.
    fn at(&mut self) -> usize {
        let left = self.parser.try_raw_args().map_or(0, |rest| rest.as_slice().len());
        // `args` ends with a null word.
        self.start.args.len() - 2 - left
    }

    fn word(&mut self) -> &'static CStr {
        let at = self.at();
        self.start.args.get(at).and_then(|word| word.get().get()).unwrap_or_default()
    }

    /// The value behind `=`.
    fn attached(&mut self) -> Option<&'static CStr> {
        forget(self.parser.optional_value()?);
        let word = self.word().to_bytes_with_nul();
        let equals = word.iter().position(|byte| *byte == b'=')?;
        CStr::from_bytes_with_nul(word.get(equals + 1..)?).ok()
    }

    /// The next word, whatever it looks like.
    fn next(&mut self) -> Option<&'static CStr> {
        forget(self.parser.try_raw_args()?.next()?);
        Some(self.word())
    }

    fn apply(&mut self, row: &Row, draft: &mut Draft) -> Result<(), Fault<'static>> {
        let name = row.name();
        let missing = Fault::new(name, c"", "a value is missing");
        let attached = self.attached();
        let (first, second) = match row.values() {
            0 if attached.is_some() => return Err(Fault::new(name, c"", "it takes no value")),
            0 => (c"", c""),
            1 => (attached.or_else(|| self.next()).ok_or(missing)?, c""),
            _ if attached.is_some() => return Err(Fault::new(name, c"", "it takes two values, and none after '='")),
            _ => (self.next().ok_or(missing)?, self.next().ok_or(missing)?),
        };
        (row.act)(draft, first, second).map_err(|why| Fault::new(name, first, why))
    }
}
