//! What an option row is.

use core::ffi::CStr;

use super::draft::Draft;

/// Why a value can't be meant.
pub type Wrong = &'static str;

/// What an option does to the draft of a Spec. It gets as many values as its text names; the others are empty.
pub type Act = fn(&mut Draft, &'static CStr, &'static CStr) -> Result<(), Wrong>;

/// One option.
pub struct Row {
    /// The option, what its values are called, a tab, and one line of help: `--bind SRC DEST\tshow ...`.
    pub text: &'static str,
    pub act: Act,
}

impl Row {
    /// The option with its values, and its help.
    #[must_use]
    pub fn parts(&self) -> (&'static str, &'static str) {
        self.text.split_once('\t').unwrap_or((self.text, ""))
    }

    /// The option with its dashes.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let (option, _) = self.parts();
        option.split_once(' ').map_or(option, |(name, _)| name)
    }

    /// How many values it takes.
    #[must_use]
    pub fn values(&self) -> usize {
        let (option, _) = self.parts();
        option.bytes().filter(|byte| *byte == b' ').count()
    }
}

/// Rows under one heading of the help text.
pub struct Group {
    pub title: &'static str,
    pub rows: &'static [Row],
}

/// The texts of one vocabulary and its rows.
pub struct Vocabulary {
    pub usage: &'static str,
    pub groups: &'static [Group],
}

impl Vocabulary {
    #[must_use]
    pub fn rows(&self) -> impl Iterator<Item = &'static Row> {
        self.groups.iter().flat_map(|group| group.rows)
    }
}
