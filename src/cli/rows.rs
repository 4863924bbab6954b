//! What an option row is, and a vocabulary of them.

use core::ffi::CStr;

use engine::report::wording::Wording;
use engine::text::{self, Say};

use super::builder::{Asked, Context, Draft};
use super::complaint::{Complaint, Form, Wrong};
use super::texts::{self, Texts};

/// The values of one option.
pub type Values = [&'static CStr; 3];

/// What nsinit is under one of its names.
pub struct Vocabulary {
    /// The basenames of argv[0], each followed by a space.
    pub names: &'static str,
    /// How failures, usage errors and events are worded, and with which exit statuses.
    pub wording: &'static Wording,
    /// Sets what holds before any option is read: defaults, and the variables of the environment that are options. Fails with
    /// the reason why nothing can be done.
    pub begin: fn(&mut Draft) -> Result<(), Say>,
    /// A line each: an option with the names of its values, `--bind SRC DEST`; an empty one before each group.
    pub rows: &'static str,
    /// The help of each option; one without is hidden.
    pub helps: &'static [Say],
    pub groups: &'static [Group],
    /// The rows, a bit each, of which the last counts.
    pub once: u128,
    /// Options that are understood as well.
    pub more: Option<&'static Vocabulary>,
    /// What the row of that number does to the draft of a Spec. It gets as many values as the row has; the others are empty.
    pub act: fn(usize, &mut Draft, &Values) -> Result<(), Wrong>,
    /// Settles what is left when all options are read.
    pub end: fn(&mut Draft),
    /// Prints what is wrong with the command line. Returns the exit status. The last argument is the program's name.
    pub complain: fn(&Texts, &Complaint, &CStr) -> i32,
    /// Prints the text that was asked for.
    pub print: fn(&Texts, Asked, &CStr),
    pub texts: Texts,
    /// Its options can make a container, so they are checked against each other.
    pub makes_containers: bool,
    /// Without a command nothing is run, in any mode; and what it does as process 1 is what it does elsewhere.
    pub needs_command: bool,
    /// `--` can be the value of an option.
    pub takes_dashes: bool,
    /// Long options may be cut short, as getopt_long(3) lets them.
    pub abbreviates: bool,
    /// A long option is one only where it is the only word.
    pub long_alone: bool,
    /// A long option and its value may be one word, joined by `=`.
    pub joins_values: bool,
}

impl Vocabulary {
    /// What a program with options of getopt(3) has, and nothing else.
    pub const GETOPT: Vocabulary = Vocabulary {
        names: "",
        wording: &Wording::OTHER,
        begin: |_| Ok(()),
        rows: "",
        helps: &[],
        groups: &[],
        once: 0,
        more: None,
        act: |_, _, _| Ok(()),
        end: |_| {},
        complain: texts::complain,
        print: texts::print,
        texts: Texts::NONE,
        makes_containers: false,
        needs_command: true,
        takes_dashes: true,
        abbreviates: true,
        long_alone: false,
        joins_values: true,
    };
}

/// The options under one heading.
pub struct Group {
    pub title: Say,
    pub context: Context,
}

/// In a row: of two, the last counts.
pub const ONCE: u128 = 1;

/// Makes a vocabulary's `rows`, `helps`, `groups`, `once` and `act` from a list:
/// `say!("TITLE"), Context => { "--option VALUE", say!("help"), ONCE => statement, ... }`. All options become one text and all
/// statements one function, since a table of small ones would be a third larger.
macro_rules! rows {
    ($draft:ident, $values:ident, $first:ident:
        $($title:expr, $context:ident => { $($text:literal, $help:expr $(, $once:ident)? => $act:expr,)* })*) => {
        const ROWS: &str = concat!($("\n", $($text, "\n",)*)*);
        static HELPS: &[engine::text::Say] = &[$($($help,)*)*];
        static GROUPS: &[Group] = &[$(Group { title: $title, context: Context::$context },)*];

        #[allow(dead_code, unused_mut, reason = "most vocabularies have no such row")]
        const ONCE_ONLY: u128 = {
            let mut rows = 0;
            let mut number = 0;
            $($(
                $(rows |= $once << number;)?
                number += 1;
            )*)*
            let _: usize = number;
            rows
        };

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
    /// Of a heading: nothing.
    pub form: Form,
    /// Its help, or the heading.
    pub help: Say,
    /// That of its group.
    pub context: Context,
}

impl Row {
    /// It is the heading of the rows that follow.
    #[must_use]
    pub fn is_title(&self) -> bool {
        self.form.0.is_empty()
    }

    /// Of two, the last counts.
    #[must_use]
    pub fn is_once(&self) -> Option<u128> {
        Some(1 << self.number).filter(|bit| self.of.once & bit != 0)
    }
}

impl Vocabulary {
    /// The headings and rows, in order.
    pub fn lines(&'static self) -> impl Iterator<Item = Row> {
        let mut rest = self.rows.as_bytes();
        let (mut number, mut groups, mut context) = (0, self.groups.iter(), Context::Anywhere);
        core::iter::from_fn(move || {
            let form = Form(text::word(&mut rest, b'\n')?);
            if form.0.is_empty() {
                let group = groups.next()?;
                context = group.context;
                return Some(Row { of: self, number, form, help: group.title, context });
            }
            let help = self.helps.get(number).copied()?;
            number += 1;
            Some(Row { of: self, number: number - 1, form, help, context })
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
