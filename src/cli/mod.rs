//! From the arguments to a Spec: the one parsing loop, for every vocabulary.
//!
//! Each line uses only lines above it. A test reads the sources and checks.
//!
//! ```text
//! env               variables for the command
//! rows              the option tables: what a row is
//! builder           the Spec while it is being built
//! usage             the text of --help
//! dialects          a file a vocabulary: its options, their texts, what they do
//! complaint         messages about the arguments
//! cli               this file: the parsing loop
//! kernel_cmdline    the options of the first process of a machine
//! ```

pub mod builder;
mod complaint;
mod dialects;
mod env;
mod kernel_cmdline;
mod rows;
mod usage;

use core::cell::Cell;
use core::ffi::CStr;
use core::mem::{ManuallyDrop, forget};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use engine::report::wording::Name;
use engine::say;
use engine::sys::{Argv, Start, Word, c_str, given, tail};
use engine::text::Say;
use engine::text::{self, PATH};
use rustix::io::Errno;

use builder::{Asked, Draft};
pub use complaint::{complain, complain_of_no_command, print};
pub use dialects::native::NATIVE;
use dialects::{bwrap, catatonit, dumb_init, tini};
pub use kernel_cmdline::boot;
pub use rows::{Bad, Vocabulary};
use rows::{Complaint, Context, Kind, Row};

/// The other names.
static VOCABULARIES: [&Vocabulary; 4] = [&bwrap::BWRAP, &tini::TINI, &dumb_init::DUMB_INIT, &catatonit::CATATONIT];

/// The last component of the name that a program was started under.
pub fn base(program: &CStr) -> &[u8] {
    let program = program.to_bytes();
    let slash = program.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    program.get(slash..).unwrap_or_default()
}

/// The vocabulary of the name that nsinit was started under.
pub fn choose(program: &CStr) -> &'static Vocabulary {
    let base = base(program);
    for vocabulary in VOCABULARIES {
        let mut names = vocabulary.names.as_bytes();
        while let Some(name) = text::word(&mut names, b' ') {
            if name == base {
                return vocabulary;
            }
        }
    }
    &NATIVE
}

/// Reads the options up to the first word that is none. Returns CMD with its arguments, if there is one.
///
/// # Errors
/// The first option that is unknown, incomplete, or has a value that can't be meant.
pub fn parse(words: &'static Vocabulary, start: &Start, draft: &mut Draft) -> Result<Argv<'static>, Bad> {
    read(words, start.args, false, draft)
}

/// What a command line means.
pub struct Meant {
    /// What is to run, if the options are right; it may be nothing.
    pub command: Option<Argv<'static>>,
    /// In a container.
    pub contained: bool,
    /// By the first process of a machine.
    pub boots: bool,
}

/// Looks for what is meant without doing anything: what is done once has to be done by the program that goes on.
pub fn try_out(words: &'static Vocabulary, list: List, start: &Start) -> Meant {
    let mut draft = ManuallyDrop::new(Draft::new(start.env));
    draft.tried = true;
    let command = read(words, list, false, &mut draft).ok().filter(|_| draft.asked == Asked::Run);
    Meant { command, contained: draft.is_contained(), boots: draft.spec.machine.boots }
}

/// Words of a command line: one that is not looked at, those that are, and [`Word::END`].
pub type List = &'static [Cell<Word<'static>>];

/// The words of a file are options only.
fn read(words: &'static Vocabulary, list: List, file: bool, draft: &mut Draft) -> Result<Argv<'static>, Bad> {
    let mut reader = Reader::new(list);
    while let Some(word) = reader.next() {
        // The word before the command, whatever it was, becomes the spare slot.
        match word.to_bytes() {
            // In a file nothing may follow: it would be taken for what holds.
            b"--" if file && reader.is_at_end() => break,
            b"--" if !file => return Ok(reader.command(0)),
            [b'-', b'-', ..] if words.long_alone && list.len() > 3 => return Err(unknown(draft, Kind::Unknown, word)),
            [b'-', b'-', ..] => reader.long(words, word, draft)?,
            [b'-', _, ..] => reader.letters(words, word, draft)?,
            _ if file => return Err(unknown(draft, Kind::Unknown, word)),
            _ => return Ok(reader.command(1)),
        }
        if let Some(fd) = draft.args.take() {
            let complaint =
                |why| Complaint { kind: Kind::ValueWrong, option: b"--args", values: 1, value: b"", word: c"", why };
            if file {
                return Err(draft.bad(complaint(say!("--args not supported in arguments file"))));
            }
            let list = words_of(fd).ok_or_else(|| draft.bad(complaint(say!("--args data can't be read"))))?;
            read(words, list, true, draft)?;
        }
        // Whoever asks for a text gets it, whatever follows.
        if draft.asked.is_text() {
            break;
        }
    }
    Ok(Argv::NONE)
}

/// The words that a descriptor holds, each ended by a NUL, as [`read`] wants them.
fn words_of(fd: u32) -> Option<List> {
    // One NUL is ours; the last word may have its own.
    Some(list_of(match content(fd)? {
        [whole @ .., _] if matches!(whole, [] | [.., 0]) => whole,
        rest => rest,
    }))
}

/// The list of words that are each ended by a NUL.
fn list_of(words: &'static [u8]) -> List {
    let mut rest = words;
    let mut list = Vec::from([Cell::new(Word::END)]);
    while !rest.is_empty() {
        let word = c_str(rest);
        list.push(Cell::new(Word::new(word)));
        rest = rest.get(word.count_bytes() + 1..).unwrap_or_default();
    }
    list.push(Cell::new(Word::END));
    list.leak()
}

/// All that a descriptor holds, ended by a NUL.
fn content(fd: u32) -> Option<&'static [u8]> {
    let mut content = Vec::new();
    let mut chunk = [0; PATH];
    loop {
        match rustix::io::read(given(fd), chunk.as_mut_slice()) {
            Ok(0) => break,
            Ok(length) => content.extend_from_slice(chunk.get(..length)?),
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
    content.push(0);
    Some(content.leak())
}

/// lexopt hands out the words, one after the other; the words themselves are the kernel's, which CMD and the kernel can
/// have as they are. (lexopt's parser would make each a Rust string, and its errors print themselves: an eighth of the
/// program.)
struct Reader {
    /// Nothing is given back: the process ends or becomes another.
    parser: ManuallyDrop<lexopt::Parser>,
    list: List,
    /// The index of the word that was read last.
    at: usize,
}

impl Reader {
    fn new(list: List) -> Reader {
        let words = list.get(1..list.len() - 1).unwrap_or_default().iter();
        let parser = lexopt::Parser::from_args(words.map(|word| OsStr::from_bytes(word.get().text().to_bytes())));
        Reader { parser: ManuallyDrop::new(parser), list, at: 0 }
    }

    /// The next word, whatever it looks like.
    fn next(&mut self) -> Option<&'static CStr> {
        forget(self.parser.try_raw_args()?.next()?);
        self.at += 1;
        self.list.get(self.at)?.get().get()
    }

    fn is_at_end(&self) -> bool {
        self.at + 2 == self.list.len()
    }

    /// What begins `back` words before the word that was read last: a spare slot, CMD, its arguments.
    fn command(&self, back: usize) -> Argv<'static> {
        self.list.get(self.at - back..).map_or(Argv::NONE, Argv::new)
    }

    /// `--option`, `--option=VALUE`.
    fn long(&mut self, words: &'static Vocabulary, word: &'static CStr, draft: &mut Draft) -> Result<(), Bad> {
        let bytes = word.to_bytes();
        let name = text::first(bytes, b'=');
        let attached = (name.len() < bytes.len()).then(|| tail(word, name.len() + 1));
        let row = words
            .find(name)
            // What has no help is hidden, and takes a value in no other way.
            .filter(|row| words.joins_values || row.help.is_empty() == attached.is_some())
            .ok_or_else(|| unknown(draft, Kind::Unknown, word))?;
        if attached.is_some() && row.values() == 0 {
            return Err(complaint(draft, &row, Kind::ValueTooMuch, word, say!("it takes no value")));
        }
        self.apply(words, &row, attached, draft)
    }

    /// `-abc`, `-aVALUE`.
    fn letters(&mut self, words: &'static Vocabulary, word: &'static CStr, draft: &mut Draft) -> Result<(), Bad> {
        let mut at = 1;
        while let Some(letter) = word.to_bytes().get(at).copied() {
            let row = words.find(&[b'-', letter]).ok_or_else(|| unknown(draft, Kind::UnknownLetter(letter), word))?;
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
        words: &'static Vocabulary,
        row: &Row,
        attached: Option<&'static CStr>,
        draft: &mut Draft,
    ) -> Result<(), Bad> {
        if attached.is_some() && row.values() > 1 {
            let why = say!("it takes more than one value, and none after '='");
            return Err(complaint(draft, row, Kind::ValueTooMuch, c"", why));
        }
        let mut values = [attached.unwrap_or_default(), c"", c""];
        for value in values.iter_mut().take(row.values()).skip(usize::from(attached.is_some())) {
            let mut missing = |why| complaint(draft, row, Kind::ValueMissing, c"", why);
            *value = self.next().ok_or_else(|| missing(say!("a value is missing")))?;
            // Of one that is forgotten the end of the options would take the place, and CMD be an option.
            if words.voice == Name::Nsinit && value.to_bytes() == b"--" {
                return Err(missing(say!("a value is missing before '--'")));
            }
        }
        draft.finds |= row.context == Context::Finds;
        draft.contained |= matches!(row.context, Context::Making | Context::Container);
        draft.containing += u32::from(row.context != Context::Anywhere);
        // Who asks for a text gets it, whatever can be done.
        if draft.tried
            && !matches!(row.name(), b"--help" | b"--version" | b"--explain" | b"--boot" | b"--switch-root" | b"--init")
        {
            draft.contained |= matches!(row.name(), b"--enter" | b"--args");
            return Ok(());
        }
        if row.context == Context::Making && draft.spec.parsed.making.is_none() {
            draft.spec.parsed.making = Some(row.name());
        }
        if row.of.voice == Name::Bwrap {
            bwrap::warn_of_repeated(row, draft);
        }
        let [first, ..] = values;
        (row.of.act)(row.number, draft, &values).map_err(|why| complaint(draft, row, Kind::ValueWrong, first, why))
    }
}

#[inline(never)]
fn complaint(draft: &mut Draft, row: &Row, kind: Kind, word: &'static CStr, why: Say) -> Bad {
    draft.bad(Complaint { kind, option: row.name(), values: row.values(), value: row.value(), word, why })
}

#[inline(never)]
fn unknown(draft: &mut Draft, kind: Kind, word: &'static CStr) -> Bad {
    let why: Say = say!("there is none of that name; nsinit --help lists them");
    draft.bad(Complaint { kind, option: b"an option", values: 0, value: b"", word, why })
}
