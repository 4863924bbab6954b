//! What an option row is.

use core::ffi::CStr;

use super::draft::Draft;

/// Why a value can't be meant, as the end of a sentence that names option and value.
pub type Wrong = &'static str;

/// What an option does to the draft of a Spec; how many values it takes is in the type.
pub enum Act {
    Flag(fn(&mut Draft)),
    Value(fn(&mut Draft, &'static CStr) -> Result<(), Wrong>),
    Pair(fn(&mut Draft, &'static CStr, &'static CStr) -> Result<(), Wrong>),
}

/// One option.
pub struct Row {
    /// Without the dashes.
    pub name: &'static str,
    /// What its values are called, with the space before them.
    pub values: &'static str,
    /// One line.
    pub help: &'static str,
    pub act: Act,
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
    pub fn find(&self, name: &str) -> Option<&'static Row> {
        self.groups.iter().flat_map(|group| group.rows).find(|row| row.name == name)
    }
}
