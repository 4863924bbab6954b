//! From the arguments to a Spec: the one parsing loop, for every vocabulary.

mod catatonit;
pub mod draft;
mod dumb_init;
mod help;
mod native;
mod speak;
mod tini;
mod words;

use core::ffi::CStr;
use core::mem::{ManuallyDrop, forget};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use engine::sys::{Argv, Start};
use engine::text;
use lexopt::Arg;

use draft::{Asked, Draft};
pub use native::NATIVE;
pub use speak::{complain, print};
pub use words::{Complaint, Vocabulary};
use words::{Kind, Row};

/// The other names.
static VOCABULARIES: [&Vocabulary; 3] = [&tini::TINI, &dumb_init::DUMB_INIT, &catatonit::CATATONIT];

/// The vocabulary of the name that nsinit was started under: the last component of `program`.
pub fn choose(program: &CStr) -> &'static Vocabulary {
    let base = program.to_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    for vocabulary in VOCABULARIES {
        let mut names = vocabulary.names.as_bytes();
        while let Some((name, rest)) = text::word(names, b' ') {
            if name == base {
                return vocabulary;
            }
            names = rest;
        }
    }
    &NATIVE
}

/// Reads the options up to the first word that is none. Returns CMD with its arguments, if there is one.
///
/// # Errors
/// The first option that is unknown, incomplete, or has a value that can't be meant.
pub fn parse(words: &Vocabulary, start: &Start, draft: &mut Draft) -> Result<Argv<'static>, Complaint> {
    let mut reader = Reader::new(start);
    loop {
        let (kind, row) = match reader.parser.next() {
            Ok(Some(Arg::Long(name))) => (Kind::Unknown, words.find("--", name)),
            Ok(Some(Arg::Short(letter))) => {
                (Kind::UnknownLetter(letter), words.find("-", letter.encode_utf8(&mut [0; 4])))
            }
            // The word before the command, whatever it was, becomes the spare slot.
            Ok(Some(Arg::Value(value))) => {
                forget(value);
                return Ok(start.args.get(reader.at() - 1..).map_or(Argv::NONE, Argv::new));
            }
            Ok(None) => return Ok(Argv::NONE),
            Err(error) => {
                forget(error);
                let why = "it takes no value";
                return Err(Complaint { kind: Kind::ValueTooMuch, option: "an option", word: reader.word(), why });
            }
        };
        let Some((group, row)) = row else {
            let why = "there is none of that name; nsinit --help lists them";
            return Err(Complaint { kind, option: "an option", word: reader.word(), why });
        };
        draft.contained |= group.contained;
        reader.apply(row, draft)?;
        // Whoever asks for a text gets it, whatever follows.
        if matches!(draft.asked, Asked::Help | Asked::Version | Asked::Licence) {
            return Ok(Argv::NONE);
        }
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

    /// The value behind `=`, or behind a short option's letter.
    fn attached(&mut self) -> Option<&'static CStr> {
        self.parser.optional_value().map(leak)
    }

    /// The next word, whatever it looks like.
    fn next(&mut self) -> Option<&'static CStr> {
        forget(self.parser.try_raw_args()?.next()?);
        Some(self.word())
    }

    fn apply(&mut self, row: &Row, draft: &mut Draft) -> Result<(), Complaint> {
        let option = row.name();
        let missing = Complaint { kind: Kind::ValueMissing, option, word: c"", why: "a value is missing" };
        let (first, second) = match row.values() {
            0 => (c"", c""),
            1 => (self.attached().or_else(|| self.next()).ok_or(missing)?, c""),
            _ if self.attached().is_some() => {
                let why = "it takes two values, and none after '='";
                return Err(Complaint { kind: Kind::ValueTooMuch, option, word: c"", why });
            }
            _ => (self.next().ok_or(missing)?, self.next().ok_or(missing)?),
        };
        (row.act)(draft, first, second).map_err(|why| Complaint { kind: Kind::ValueWrong, option, word: first, why })
    }
}

fn leak(word: OsString) -> &'static CStr {
    let mut bytes = word.into_vec();
    bytes.push(0);
    CStr::from_bytes_until_nul(bytes.leak()).unwrap_or_default()
}
