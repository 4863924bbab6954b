//! What an option row is.

use core::ffi::CStr;

use engine::sys::Say;
use engine::text;

use super::draft::Draft;

/// Why a value can't be meant.
pub type Wrong = Say;

/// The texts of one vocabulary and its rows.
pub struct Vocabulary {
    pub usage: &'static str,
    /// A line each: the heading of a group, or an option, what its values are called, a tab, and its help:
    /// `--bind SRC DEST\tshow ...`.
    pub rows: &'static str,
    /// What the row of that number does to the draft of a Spec. It gets as many values as its text names; the others
    /// are empty.
    pub act: fn(usize, &mut Draft, &'static CStr, &'static CStr) -> Result<(), Wrong>,
}

/// Makes a vocabulary's `rows` and `act` from a list: `"TITLE" { "--option VALUE\thelp" => statement, ... }`. All texts
/// become one and all statements one function, since a table of small ones would be a third larger.
macro_rules! rows {
    ($draft:ident, $first:ident, $second:ident: $($title:literal { $($text:literal => $act:expr,)* })*) => {
        const ROWS: &str = concat!($($title, "\n", $($text, "\n",)*)*);

        #[inline(never)]
        fn act(row: usize, $draft: &mut Draft, $first: &'static CStr, $second: &'static CStr) -> Result<(), Wrong> {
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
    pub number: usize,
    /// With its values' names: `--bind SRC DEST`. Or the heading.
    pub option: &'static [u8],
    pub help: &'static [u8],
}

impl Row {
    /// It is no row, but the heading of those that follow.
    #[must_use]
    pub fn is_title(&self) -> bool {
        !self.option.starts_with(b"-")
    }

    /// The option with its dashes.
    #[must_use]
    pub fn name(&self) -> &'static [u8] {
        text::word(self.option, b' ').unwrap_or_default().0
    }

    /// How many values it takes.
    #[must_use]
    pub fn values(&self) -> usize {
        self.option.iter().filter(|byte| **byte == b' ').count()
    }
}

impl Vocabulary {
    /// The headings and rows, in order.
    pub fn lines(&self) -> impl Iterator<Item = Row> {
        let mut rest = self.rows.as_bytes();
        let mut number = 0;
        core::iter::from_fn(move || {
            let (line, after) = text::word(rest, b'\n')?;
            let (option, help) = text::word(line, b'\t')?;
            let row = Row { number, option, help };
            number += usize::from(!row.is_title());
            rest = after;
            Some(row)
        })
    }

    /// The row of an option, named with its dashes.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<Row> {
        self.lines().find(|row| row.name() == name && !row.is_title())
    }
}
