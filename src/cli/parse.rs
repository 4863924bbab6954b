//! The one parsing loop, for every vocabulary. It fills a draft and changes nothing else.

use core::ffi::CStr;
use core::mem::{ManuallyDrop, forget};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use engine::say;
use engine::spec::rooms;
use engine::sys::{self, Argv};
use engine::text;

use super::builder::Draft;
use super::complaint::{Bad, Complaint, Form, Kind, Wrong};
use super::rows::{Row, Vocabulary};
use super::words::List;

/// The function that reads the words from the descriptor of `--args`. A pipe can be read only once, so nsinit leaves its own file
/// before: that may execute it again.
pub type Source<'a> = &'a mut dyn FnMut(&mut Draft, u32) -> Result<List, Bad>;

/// Reads the options, up to the first word that is not one. Returns the command with its arguments, if there is one.
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

/// Reads a list that may contain only options.
///
/// # Errors
/// Those of [`arguments`], and a word that is not an option.
pub fn options(words: &'static Vocabulary, list: List, draft: &mut Draft) -> Result<Argv<'static>, Bad> {
    read(words, list, draft, None)
}

/// Without a source, the list may contain only options, and `--args` is not one of them.
fn read(
    words: &'static Vocabulary,
    list: List,
    draft: &mut Draft,
    mut source: Option<Source<'_>>,
) -> Result<Argv<'static>, Bad> {
    let only_options = source.is_none();
    let mut reader = Reader::new(list);
    while let Some(word) = reader.next() {
        // The slot before the command becomes the spare slot of `Argv`: its word, `--` or an option, has been read already.
        match word.to_bytes() {
            // At the end of the list `--` does no harm. A command after it is an error: it would not be run.
            b"--" if only_options && reader.is_at_end() => break,
            b"--" if !only_options => return Ok(reader.command(0)),
            [b'-', b'-', ..] if words.long_alone && list.len() > 3 => return Err(unknown(draft, Kind::Unknown, word)),
            [b'-', b'-', ..] => reader.long(words, word, draft)?,
            [b'-', _, ..] => reader.letters(words, word, draft)?,
            _ if only_options => return Err(unknown(draft, Kind::Unknown, word)),
            _ => return Ok(reader.command(1)),
        }
        if rooms::CONTAINER
            && let Some(fd) = draft.args.take()
        {
            let Some(source) = &mut source else {
                return Err(draft.wrong(Wrong::sentence(say!("--args not supported in arguments file"))));
            };
            let list = source(draft, fd)?;
            options(words, list, draft)?;
        }
        // --help, --version: the words that follow are not read.
        if draft.asked.is_text() {
            break;
        }
    }
    Ok(Argv::NONE)
}

/// lexopt only steps through the words. The words that are used are those of the kernel: the command and system calls take them
/// without a copy. (lexopt's own parser makes each word a Rust string, and formats its errors: that is an eighth of the program.)
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

    /// The next word, an option or not.
    fn next(&mut self) -> Option<&'static CStr> {
        forget(self.parser.try_raw_args()?.next()?);
        self.at += 1;
        self.list.get(self.at)?.get().get()
    }

    fn is_at_end(&self) -> bool {
        self.at + 2 == self.list.len()
    }

    /// The list from `back` words before the last word that was read: a spare slot, the command, its arguments.
    fn command(&self, back: usize) -> Argv<'static> {
        self.list.get(self.at - back..).map_or(Argv::NONE, Argv::new)
    }

    /// `--option`, `--option=VALUE`.
    fn long(&mut self, words: &'static Vocabulary, word: &'static CStr, draft: &mut Draft) -> Result<(), Bad> {
        let bytes = word.to_bytes();
        let name = text::first(bytes, b'=');
        let attached = (name.len() < bytes.len()).then(|| sys::tail(word, name.len() + 1));
        let found = words.find(name);
        let row = found
            .as_ref()
            // Without `joins_values`, a hidden option (one without help) takes its value only after `=`, and no other option does.
            .filter(|row| words.joins_values || row.help.is_empty() == attached.is_some())
            .ok_or_else(|| unknown(draft, Kind::Unknown, word))?;
        if attached.is_some() && row.form.count() == 0 {
            return Err(draft.bad(Complaint::new(Kind::ValueTooMuch, row.form, word)));
        }
        self.apply(words, row, attached, draft)
    }

    /// `-abc`, `-aVALUE`.
    fn letters(&mut self, words: &'static Vocabulary, word: &'static CStr, draft: &mut Draft) -> Result<(), Bad> {
        let mut at = 1;
        while let Some(letter) = word.to_bytes().get(at).copied() {
            let found = words.find(&[b'-', letter]);
            let row = found.as_ref().ok_or_else(|| unknown(draft, Kind::UnknownLetter(letter), word))?;
            at += 1;
            let attached = Some(sys::tail(word, at)).filter(|rest| row.form.count() > 0 && !rest.is_empty());
            self.apply(words, row, attached, draft)?;
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
        let joined = |word: &&'static CStr| words.takes_pairs && row.form.values() == b"VAR VALUE" && is_pair(word);
        if attached.is_some() && count > 1 && attached.as_ref().filter(|word| joined(word)).is_none() {
            return Err(draft.bad(Complaint::new(Kind::ValueTooMuch, row.form, c"")));
        }
        let mut values = [attached.unwrap_or_default(), c"", c""];
        let mut have = usize::from(attached.is_some());
        while have < count {
            if have == 1 && joined(&values[0]) {
                break;
            }
            // If the value is missing, `--` must not be taken for it: the command would be read as options.
            let next = self.next().filter(|value| words.takes_dashes || value.to_bytes() != b"--");
            let next = next.ok_or_else(|| draft.bad(Complaint::new(Kind::ValueMissing, row.form, c"")))?;
            if let Some(value) = values.get_mut(have) {
                *value = next;
            }
            have += 1;
        }
        if have == 1 && count == 2 {
            (values[0], values[1]) = parts(values[0]);
        }
        draft.note(row.form.name(), row.group.context);
        if row.is_once() {
            draft.note_once(row.form.name(), row.number);
        }
        let [first, ..] = values;
        draft.complaint = Complaint::new(Kind::ValueWrong, row.form, first);
        (row.of.act)(row.number, draft, &values).map_err(|why| draft.wrong(why))
    }
}

/// Whether a word is `NAME=VALUE`.
fn is_pair(word: &CStr) -> bool {
    text::has(word.to_bytes(), b'=') && !word.to_bytes().starts_with(b"=")
}

/// The name and the value of `NAME=VALUE`. The name is never freed.
fn parts(pair: &'static CStr) -> (&'static CStr, &'static CStr) {
    let name = text::first(pair.to_bytes(), b'=');
    let value = sys::tail(pair, name.len() + 1);
    let mut name = Vec::from(name);
    name.push(0);
    (sys::c_str(name.leak()), value)
}

#[inline(never)]
fn unknown(draft: &mut Draft, kind: Kind, word: &'static CStr) -> Bad {
    draft.bad(Complaint::new(kind, Form(b""), word))
}
