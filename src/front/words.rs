//! What an option row is.

use core::ffi::CStr;

use engine::text;

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
    pub fn parts(&self) -> (&'static [u8], &'static [u8]) {
        text::word(self.text.as_bytes(), b'\t').unwrap_or_default()
    }

    /// The option with its dashes.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let (option, _) = self.parts();
        let length = text::word(option, b' ').map_or(0, |(name, _)| name.len());
        self.text.get(..length).unwrap_or_default()
    }

    /// How many values it takes.
    #[must_use]
    pub fn values(&self) -> usize {
        let (option, _) = self.parts();
        option.iter().filter(|byte| **byte == b' ').count()
    }
}

/// Rows under one heading of the help text.
pub struct Group {
    pub title: &'static str,
    /// They say something of a container: there is to be one.
    pub contained: bool,
    pub rows: &'static [Row],
}

/// The texts of one vocabulary and its rows.
pub struct Vocabulary {
    pub usage: &'static str,
    pub groups: &'static [Group],
}

impl Vocabulary {
    /// The row of an option, named without its dashes.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(&'static Group, &'static Row)> {
        for group in self.groups {
            for row in group.rows {
                if row.name().as_bytes().strip_prefix(b"--") == Some(name.as_bytes()) {
                    return Some((group, row));
                }
            }
        }
        None
    }
}
