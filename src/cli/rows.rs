//! Option rows, and vocabularies: tables of rows.

use core::ffi::CStr;

use engine::report::wording::Wording;
use engine::text::{self, Say};

use super::builder::{Asked, Context, Draft};
use super::complaint::{Complaint, Form, Wrong};
#[cfg(any(feature = "catatonit", feature = "dumb-init", feature = "tini"))]
use super::texts;
use super::texts::Texts;

/// The values of one option.
pub type Values = [&'static CStr; 3];

/// The options and the behaviour of nsinit under one of its names.
pub struct Vocabulary {
    /// The basenames of argv[0], each followed by a space.
    pub names: &'static str,
    /// How failures, usage errors and events are worded, and with which exit statuses.
    pub wording: &'static Wording,
    /// Called before any option is read: sets defaults, and reads the environment variables that are options. Fails with the
    /// message to print.
    pub begin: fn(&mut Draft) -> Result<(), Say>,
    /// A line each: an option with the names of its values, `--bind SRC DEST`; an empty one before each group.
    pub rows: &'static [u8],
    /// The help of each option; one without is hidden. Empty without the feature `help`.
    pub helps: &'static [Say],
    pub groups: &'static [Group],
    /// A bit for each row. If the option is repeated, only the last one takes effect, with a warning.
    pub once: u128,
    /// A second vocabulary, whose options are understood too.
    pub more: Option<&'static Vocabulary>,
    /// Applies the row of that number to the draft. The row may have fewer than three values; the others are empty.
    pub act: fn(usize, &mut Draft, &Values) -> Result<(), Wrong>,
    /// Called when all options are read.
    pub end: fn(&mut Draft),
    /// Prints the mistake in the command line. Returns the exit status. The last argument is the program's name.
    pub complain: fn(&Texts, &Complaint, &CStr) -> i32,
    /// Prints the text that was asked for.
    pub print: fn(&Texts, Asked, &CStr),
    pub texts: Texts,
    /// Its options can make a container; combinations of them are checked.
    pub makes_containers: bool,
    /// A command is required in every mode, and process 1 behaves as any other process does.
    pub needs_command: bool,
    /// `--` can be the value of an option.
    pub takes_dashes: bool,
    /// Long options may be abbreviated, as with getopt_long(3).
    pub abbreviates: bool,
    /// A long option is accepted only as the only word.
    pub long_alone: bool,
    /// A long option and its value may be one word, joined by `=`.
    pub joins_values: bool,
    /// A variable and its value may be one word, joined by `=`.
    pub takes_pairs: bool,
}

impl Vocabulary {
    /// The defaults: a program that parses its options with getopt(3).
    #[cfg(any(feature = "catatonit", feature = "dumb-init", feature = "tini"))]
    pub const GETOPT: Vocabulary =
        Vocabulary { complain: texts::complain, print: texts::print, ..Vocabulary::WITHOUT_TEXTS };

    /// The same for a vocabulary that prints its own texts.
    pub const WITHOUT_TEXTS: Vocabulary = Vocabulary {
        names: "",
        wording: &Wording::OTHER,
        begin: |_| Ok(()),
        rows: b"",
        helps: &[],
        groups: &[],
        once: 0,
        more: None,
        act: |_, _, _| Ok(()),
        end: |_| {},
        complain: |_, _, _| 1,
        print: |_, _, _| {},
        texts: Texts::NONE,
        makes_containers: false,
        needs_command: true,
        takes_dashes: true,
        abbreviates: true,
        long_alone: false,
        joins_values: true,
        takes_pairs: false,
    };
}

/// The options under one heading.
pub struct Group {
    pub title: Say,
    pub context: Context,
}

/// In a row: if the option is repeated, only the last one takes effect.
#[cfg(feature = "env")]
pub const ONCE: u128 = 1;

/// Makes a vocabulary's `rows`, `helps`, `groups`, `once` and `act` from a list:
/// `say!("TITLE"), Context => { "--option VALUE", say!("help"), ONCE => statement, ... }`. A group or a row may have a `#[cfg(...)]`.
/// All options become one text and all statements one function, since a table of small ones would be a third larger.
macro_rules! rows {
    ($draft:ident, $values:ident, $first:ident:
        $($(#[$group:meta])* say!($title:literal), $context:ident => {
            $($(#[$row:meta])* $text:literal, $help:expr $(, $once:ident)? => $act:expr,)*
        })*) => {
        pub(super) static ROWS: &[u8] = {
            const GROUPS: &[&[&[u8]]] =
                &[$($(#[$group])* &[b"\n", $($(#[$row])* concat!($text, "\n").as_bytes(),)*],)*];
            const LINES: [&[u8]; engine::text::total(GROUPS)] = engine::text::joined(GROUPS, b"");
            &engine::text::joined::<u8, { engine::text::total(&LINES) }>(&LINES, 0)
        };
        #[cfg(not(feature = "help"))]
        pub(super) static HELPS: &[engine::text::Say] = &[];
        #[cfg(feature = "help")]
        pub(super) static HELPS: &[engine::text::Say] = {
            const GROUPS: &[&[engine::text::Say]] = &[$($(#[$group])* &[$($(#[$row])* $help,)*],)*];
            const NOTHING: engine::text::Say = engine::text::Say::NOTHING;
            &engine::text::joined::<_, { engine::text::total(GROUPS) }>(GROUPS, NOTHING)
        };
        pub(super) static GROUPS: &[Group] = &[$($(#[$group])* Group { title: title!($title), context: Context::$context },)*];

        #[allow(dead_code, unused_mut, reason = "most vocabularies have no such row")]
        pub(super) const ONCE_ONLY: u128 = {
            let mut rows = 0;
            let mut number = 0;
            $($(#[$group])* {
                $($(#[$row])* {
                    $(rows |= $once << number;)?
                    number += 1;
                })*
            })*
            let _: usize = number;
            rows
        };

        #[inline(never)]
        pub(super) fn act(row: usize, $draft: &mut Draft, $values: &Values) -> Result<(), Wrong> {
            let [$first, ..] = *$values;
            let mut number = 0;
            $($(#[$group])* {
                $($(#[$row])* {
                    if row == number {
                        $act;
                        return Ok(());
                    }
                    number += 1;
                })*
            })*
            let _ = number;
            Ok(())
        }
    };
}
pub(super) use rows;

/// The heading of a group, in a build that prints it.
#[cfg(feature = "help")]
macro_rules! title {
    ($title:literal) => {
        engine::say!($title)
    };
}
#[cfg(not(feature = "help"))]
macro_rules! title {
    ($title:literal) => {
        engine::text::Say::NOTHING
    };
}
pub(super) use title;

/// One line of a vocabulary's rows: an option, or a heading.
#[derive(Clone, Copy)]
pub struct Row {
    /// The vocabulary of the row.
    pub of: &'static Vocabulary,
    pub number: usize,
    /// Empty for a heading.
    pub form: Form,
    /// Its help, or the heading.
    pub help: Say,
    /// The group that it is in.
    pub group: &'static Group,
}

impl Row {
    /// Whether this is the heading of the rows that follow.
    #[must_use]
    pub fn is_title(&self) -> bool {
        self.form.0.is_empty()
    }

    /// Whether its bit in [`Vocabulary::once`] is set.
    #[must_use]
    pub fn is_once(&self) -> bool {
        self.of.once & 1 << self.number != 0
    }
}

impl Vocabulary {
    /// The headings and rows, in order.
    pub fn lines(&'static self) -> impl Iterator<Item = Row> {
        let mut rest = self.rows;
        let (mut number, mut groups, mut of_rows) = (0, self.groups.iter(), None);
        core::iter::from_fn(move || {
            let form = Form(text::word(&mut rest, b'\n')?);
            if form.0.is_empty() {
                of_rows = groups.next();
                return of_rows.map(|group| Row { of: self, number, form, help: group.title, group });
            }
            let (help, group) = (self.helps.get(number).copied().unwrap_or(Say::NOTHING), of_rows?);
            number += 1;
            Some(Row { of: self, number: number - 1, form, help, group })
        })
    }

    /// The row of an option. `name` includes the dashes; a long name may be abbreviated if only one option begins with it.
    #[must_use]
    pub fn find(&'static self, name: &[u8]) -> Option<Row> {
        let mut close = None;
        let mut several = false;
        let mut vocabulary = Some(self);
        while let Some(words) = vocabulary {
            for row in words.lines().filter(|row| !row.is_title()) {
                if row.form.name() == name {
                    return Some(row);
                }
                if self.abbreviates && name.len() > 2 && row.form.name().get(..name.len()) == Some(name) {
                    several = close.is_some();
                    close = Some(row);
                }
            }
            vocabulary = words.more;
        }
        close.filter(|_| !several)
    }
}
