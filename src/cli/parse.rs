//! The one parsing loop, for every vocabulary. It fills a draft and changes nothing else.

use core::ffi::CStr;
use core::mem::{ManuallyDrop, forget};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use engine::say;
use engine::sys::{self, Argv};
use engine::text;

use super::builder::Draft;
use super::complaint::{Bad, Complaint, Form, Kind, Wrong};
use super::rows::{Row, Vocabulary};
use super::words::List;

/// What reads the words that a descriptor holds, `--args`. That empties the descriptor, so nsinit must not begin anew afterwards:
/// it leaves its own file before.
pub type Source<'a> = &'a mut dyn FnMut(&mut Draft, u32) -> Result<List, Bad>;

/// Reads the options up to the first word that is none. Returns the command with its arguments, if there is one.
///
/// # Errors
/// The first option that is unknown, incomplete, or has a wrong value.
pub fn arguments(
    words: &'static Vocabulary,
    list: List,
    draft: &mut Draft,
    source: Source<'_>,
) -> Result<Argv<'static>, Bad> {
    read(words, list, draft, Some(source))
}

/// Reads a list that has options only.
///
/// # Errors
/// As [`arguments`]; and a word that is no option.
pub fn options(words: &'static Vocabulary, list: List, draft: &mut Draft) -> Result<Argv<'static>, Bad> {
    read(words, list, draft, None)
}

/// Without a source, the list has options only, and no descriptor with more of them.
fn read(
    words: &'static Vocabulary,
    list: List,
    draft: &mut Draft,
    mut source: Option<Source<'_>>,
) -> Result<Argv<'static>, Bad> {
    let only_options = source.is_none();
    let mut reader = Reader::new(list);
    while let Some(word) = reader.next() {
        // The word before the command, whatever it is, becomes the spare slot.
        match word.to_bytes() {
            // A command that followed would not be run.
            b"--" if only_options && reader.is_at_end() => break,
            b"--" if !only_options => return Ok(reader.command(0)),
            [b'-', b'-', ..] if words.long_alone && list.len() > 3 => return Err(unknown(draft, Kind::Unknown, word)),
            [b'-', b'-', ..] => reader.long(words, word, draft)?,
            [b'-', _, ..] => reader.letters(words, word, draft)?,
            _ if only_options => return Err(unknown(draft, Kind::Unknown, word)),
            _ => return Ok(reader.command(1)),
        }
        if let Some(fd) = draft.args.take() {
            let Some(source) = &mut source else {
                return Err(draft.wrong(Wrong::Sentence(say!("--args not supported in arguments file"))));
            };
            let list = source(draft, fd)?;
            options(words, list, draft)?;
        }
        // A text is printed whatever follows.
        if draft.asked.is_text() {
            break;
        }
    }
    Ok(Argv::NONE)
}

/// lexopt hands out the words one by one; the words themselves are the kernel's, which the command and the kernel can have
/// as they are. (lexopt's parser would make each a Rust string, and its errors print themselves: an eighth of the program.)
struct Reader {
    /// Never freed: the process ends or executes another program.
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

    /// What begins `back` words before the word that was read last: a spare slot, the command, its arguments.
    fn command(&self, back: usize) -> Argv<'static> {
        self.list.get(self.at - back..).map_or(Argv::NONE, Argv::new)
    }

    /// `--option`, `--option=VALUE`.
    fn long(&mut self, words: &'static Vocabulary, word: &'static CStr, draft: &mut Draft) -> Result<(), Bad> {
        let bytes = word.to_bytes();
        let name = text::first(bytes, b'=');
        let attached = (name.len() < bytes.len()).then(|| sys::tail(word, name.len() + 1));
        let row = words
            .find(name)
            // An option without help is hidden, and takes a value only so.
            .filter(|row| words.joins_values || row.help.is_empty() == attached.is_some())
            .ok_or_else(|| unknown(draft, Kind::Unknown, word))?;
        if attached.is_some() && row.form.count() == 0 {
            return Err(draft.bad(Complaint::new(Kind::ValueTooMuch, row.form, word)));
        }
        self.apply(words, &row, attached, draft)
    }

    /// `-abc`, `-aVALUE`.
    fn letters(&mut self, words: &'static Vocabulary, word: &'static CStr, draft: &mut Draft) -> Result<(), Bad> {
        let mut at = 1;
        while let Some(letter) = word.to_bytes().get(at).copied() {
            let row = words.find(&[b'-', letter]).ok_or_else(|| unknown(draft, Kind::UnknownLetter(letter), word))?;
            at += 1;
            let attached = Some(sys::tail(word, at)).filter(|rest| row.form.count() > 0 && !rest.is_empty());
            self.apply(words, &row, attached, draft)?;
            if row.form.count() > 0 || draft.asked.is_text() {
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
        let count = row.form.count();
        if attached.is_some() && count > 1 {
            return Err(draft.bad(Complaint::new(Kind::ValueTooMuch, row.form, c"")));
        }
        let mut values = [attached.unwrap_or_default(), c"", c""];
        for value in values.iter_mut().take(count).skip(usize::from(attached.is_some())) {
            // Where a value is forgotten, `--` is not it: the command would become an option.
            let next = self.next().filter(|value| words.takes_dashes || value.to_bytes() != b"--");
            *value = next.ok_or_else(|| draft.bad(Complaint::new(Kind::ValueMissing, row.form, c"")))?;
        }
        draft.note(row.form.name(), row.context);
        if let Some(bit) = row.is_once() {
            draft.note_once(row.form.name(), bit);
        }
        let [first, ..] = values;
        draft.complaint = Complaint::new(Kind::ValueWrong, row.form, first);
        (row.of.act)(row.number, draft, &values).map_err(|why| draft.wrong(why))
    }
}

#[inline(never)]
fn unknown(draft: &mut Draft, kind: Kind, word: &'static CStr) -> Bad {
    draft.bad(Complaint::new(kind, Form(b""), word))
}
