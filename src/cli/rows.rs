//! What an option row is, and a vocabulary of them.

use core::ffi::CStr;

use engine::report::wording::Name;
use engine::text;
use engine::text::Say;

use super::builder::Draft;

/// Why a value can't be meant.
pub type Wrong = Say;

/// The values of one option.
pub type Values = [&'static CStr; 3];

/// One name that nsinit answers to, and what it then understands.
pub struct Vocabulary {
    /// The basenames of argv[0], each followed by a space.
    pub names: &'static str,
    pub voice: Name,
    /// What holds before any option has its say: defaults, and the variables of the environment that are options.
    /// Or why nothing can be done.
    pub begin: fn(&mut Draft) -> Result<(), Wrong>,
    /// A line each: an option and what its values are called, `--bind SRC DEST`; an empty one before each group.
    pub rows: &'static str,
    /// Each option's help; what has none is hidden.
    pub helps: &'static [Say],
    pub groups: &'static [Group],
    /// Options that are understood as well.
    pub more: Option<&'static Vocabulary>,
    /// What the row of that number does to the draft of a Spec. It gets as many values as its text names; the others
    /// are empty.
    pub act: fn(usize, &mut Draft, &Values) -> Result<(), Wrong>,
    /// What is left to settle when all options are read.
    pub end: fn(&mut Draft),
    pub texts: Texts,
    /// Long options may be cut short, as getopt_long(3) lets them.
    pub abbreviates: bool,
    /// A long option is one only where it is the only word.
    pub long_alone: bool,
    /// A long option and its value may be one word, joined by `=`.
    pub joins_values: bool,
}

/// The options under one heading.
pub struct Group {
    pub title: Say,
    pub context: Context,
}

/// Where the options of a group have a meaning, and what follows from giving one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// How a container is made: one is, and `--enter` is not permitted.
    Making,
    /// In a container, a new one or one that exists.
    Container,
    /// What CMD finds. With nothing else, a container is made, as bubblewrap does.
    Finds,
    Anywhere,
}

/// What another name prints. `&` stands for the program's name, `#` for the option or the user's word, `$` for the
/// option, `@` for our process id.
pub struct Texts {
    pub help: Say,
    pub version: Say,
    /// They go to standard error.
    pub help_to_error: bool,
    pub version_to_error: bool,
    /// Of the program's name only the last component.
    pub short_name: bool,
    pub unknown_letter: Say,
    pub unknown_word: Say,
    pub value_missing: Say,
    pub long_value_missing: Say,
    pub value_too_much: Say,
    pub value_wrong: Say,
    pub command_missing: Say,
    /// What follows each complaint about options.
    pub usage: Say,
}

impl Texts {
    /// nsinit's own are made from its rows.
    pub const NONE: Texts = Texts {
        help: Say::NOTHING,
        version: Say::NOTHING,
        help_to_error: false,
        version_to_error: false,
        short_name: false,
        unknown_letter: Say::NOTHING,
        unknown_word: Say::NOTHING,
        value_missing: Say::NOTHING,
        long_value_missing: Say::NOTHING,
        value_too_much: Say::NOTHING,
        value_wrong: Say::NOTHING,
        command_missing: Say::NOTHING,
        usage: Say::NOTHING,
    };
}

/// An option is wrong: `Draft::complaint` says how. (It is too large to be handed up through every function.)
pub struct Bad;

/// What is wrong with a command line.
#[derive(Clone, Copy)]
pub struct Complaint {
    pub kind: Kind,
    /// The option, as the vocabulary names it; of an unknown one, as the user typed it.
    pub option: &'static [u8],
    /// How many values it takes, and what the first is called.
    pub values: usize,
    pub value: &'static [u8],
    /// What the user wrote: an unknown word, or the value. May be empty.
    pub word: &'static CStr,
    pub why: Wrong,
}

impl Complaint {
    pub const NONE: Complaint =
        Complaint { kind: Kind::Unknown, option: b"", values: 0, value: b"", word: c"", why: Say::NOTHING };
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Unknown,
    /// The letter of a short option that is unknown.
    UnknownLetter(u8),
    ValueMissing,
    ValueTooMuch,
    ValueWrong,
    CommandMissing,
}

/// Makes a vocabulary's `rows`, `helps`, `groups` and `act` from a list:
/// `say!("TITLE"), Context => { "--option VALUE", say!("help") => statement, ... }`. All options become one text and all statements one
/// function, since a table of small ones would be a third larger.
macro_rules! rows {
    ($draft:ident, $values:ident, $first:ident:
        $($title:expr, $context:ident => { $($text:literal, $help:expr => $act:expr,)* })*) => {
        const ROWS: &str = concat!($("\n", $($text, "\n",)*)*);
        static HELPS: &[engine::text::Say] = &[$($($help,)*)*];
        static GROUPS: &[Group] = &[$(Group { title: $title, context: Context::$context },)*];

        #[inline(never)]
        fn act(row: usize, $draft: &mut Draft, $values: &Values) -> Result<(), Wrong> {
            let [$first, ..] = *$values;
            let mut number = 0;
            $($(
                if row == number {
                    $act;
                    return Ok(());
                }
                number += 1;
            )*)*
            let _ = number;
            Ok(())
        }
    };
}
pub(super) use rows;

/// One line of a vocabulary's rows: an option, or a heading.
#[derive(Clone, Copy)]
pub struct Row {
    /// Whose it is.
    pub of: &'static Vocabulary,
    pub number: usize,
    /// With its values' names: `--bind SRC DEST`. Nothing: it is a heading.
    pub option: &'static [u8],
    /// Its help, or the heading.
    pub help: Say,
    /// That of its group.
    pub context: Context,
}

impl Row {
    /// It is no row, but the heading of those that follow.
    #[must_use]
    pub fn is_title(&self) -> bool {
        self.option.is_empty()
    }

    /// The option with its dashes.
    #[must_use]
    pub fn name(&self) -> &'static [u8] {
        text::first(self.option, b' ')
    }

    /// What its first value is called.
    #[must_use]
    pub fn value(&self) -> &'static [u8] {
        let mut values = self.option;
        let _ = text::word(&mut values, b' ');
        text::first(values, b' ')
    }

    /// How many values it takes.
    #[must_use]
    pub fn values(&self) -> usize {
        self.option.iter().filter(|byte| **byte == b' ').count()
    }
}

impl Vocabulary {
    /// The headings and rows, in order.
    pub fn lines(&'static self) -> impl Iterator<Item = Row> {
        let mut rest = self.rows.as_bytes();
        let (mut number, mut groups, mut context) = (0, self.groups.iter(), Context::Anywhere);
        core::iter::from_fn(move || {
            let option = text::word(&mut rest, b'\n')?;
            if option.is_empty() {
                let group = groups.next()?;
                context = group.context;
                return Some(Row { of: self, number, option, help: group.title, context });
            }
            let help = self.helps.get(number).copied()?;
            number += 1;
            Some(Row { of: self, number: number - 1, option, help, context })
        })
    }

    /// The row of an option, named with its dashes; a long one perhaps cut short, if there is one such only.
    #[must_use]
    pub fn find(&'static self, name: &[u8]) -> Option<Row> {
        let mut close = None;
        let mut several = false;
        let mut vocabulary = Some(self);
        while let Some(words) = vocabulary {
            for row in words.lines().filter(|row| !row.is_title()) {
                if row.name() == name {
                    return Some(row);
                }
                if self.abbreviates && name.len() > 2 && row.name().get(..name.len()) == Some(name) {
                    several = close.is_some();
                    close = Some(row);
                }
            }
            vocabulary = words.more;
        }
        close.filter(|_| !several)
    }
}
