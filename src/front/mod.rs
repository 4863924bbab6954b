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
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use engine::sys::{Argv, Say, Start, say, tail};
use engine::text;

use draft::Draft;
pub use native::NATIVE;
pub use speak::{complain, complain_of_no_command, print};
pub use words::Vocabulary;
use words::{Complaint, Kind, Row};

/// The other names.
static VOCABULARIES: [&Vocabulary; 3] = [&tini::TINI, &dumb_init::DUMB_INIT, &catatonit::CATATONIT];

/// The last component of the name that a program was started under.
fn base(program: &CStr) -> &[u8] {
    let program = program.to_bytes();
    let slash = program.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    program.get(slash..).unwrap_or_default()
}

/// The vocabulary of the name that nsinit was started under.
pub fn choose(program: &CStr) -> &'static Vocabulary {
    let base = base(program);
    for vocabulary in VOCABULARIES {
        let mut names = vocabulary.names.bytes();
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
    while let Some(word) = reader.next() {
        // The word before the command, whatever it was, becomes the spare slot.
        match word.to_bytes() {
            b"--" => return Ok(reader.command(0)),
            [b'-', b'-', ..] if words.long_alone && start.args.len() > 3 => return Err(unknown(Kind::Unknown, word)),
            [b'-', b'-', ..] => reader.long(words, word, draft)?,
            [b'-', _, ..] => reader.letters(words, word, draft)?,
            _ => return Ok(reader.command(1)),
        }
        // Whoever asks for a text gets it, whatever follows.
        if draft.asked.is_text() {
            break;
        }
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

    /// `--option`, `--option=VALUE`.
    fn long(&mut self, words: &Vocabulary, word: &'static CStr, draft: &mut Draft) -> Result<(), Complaint> {
        let bytes = word.to_bytes();
        let (name, _) = text::word(bytes, b'=').unwrap_or_default();
        let attached = (name.len() < bytes.len()).then(|| tail(word, name.len() + 1));
        let row = words.find(name).ok_or(unknown(Kind::Unknown, word))?;
        if attached.is_some() && row.values() == 0 {
            return Err(Complaint {
                kind: Kind::ValueTooMuch,
                option: row.name(),
                word,
                why: say(c"it takes no value"),
            });
        }
        self.apply(words, &row, attached, draft)
    }

    /// `-abc`, `-aVALUE`.
    fn letters(&mut self, words: &Vocabulary, word: &'static CStr, draft: &mut Draft) -> Result<(), Complaint> {
        let mut at = 1;
        while let Some(letter) = word.to_bytes().get(at).copied() {
            let row = words.find(&[b'-', letter]).ok_or(unknown(Kind::UnknownLetter(letter), word))?;
            at += 1;
            let attached = Some(tail(word, at)).filter(|rest| row.values() > 0 && !rest.is_empty());
            self.apply(words, &row, attached, draft)?;
            if row.values() > 0 || draft.asked.is_text() {
                break;
            }
        }
        Ok(())
    }

    fn apply(
        &mut self,
        words: &Vocabulary,
        row: &Row,
        attached: Option<&'static CStr>,
        draft: &mut Draft,
    ) -> Result<(), Complaint> {
        let complaint = |kind, word, why| Complaint { kind, option: row.name(), word, why };
        if attached.is_some() && row.values() > 1 {
            let why = say(c"it takes two values, and none after '='");
            return Err(complaint(Kind::ValueTooMuch, c"", why));
        }
        let mut values = [attached.unwrap_or_default(), c""];
        for value in values.iter_mut().take(row.values()).skip(usize::from(attached.is_some())) {
            *value = self.next().ok_or(complaint(Kind::ValueMissing, c"", say(c"a value is missing")))?;
        }
        draft.contained |= row.number < words.contained;
        let [first, second] = values;
        (words.act)(row.number, draft, first, second).map_err(|why| complaint(Kind::ValueWrong, first, why))
    }
}

fn unknown(kind: Kind, word: &'static CStr) -> Complaint {
    let why: Say = say(c"there is none of that name; nsinit --help lists them");
    Complaint { kind, option: b"an option", word, why }
}
