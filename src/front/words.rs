//! What an option row is.

use core::ffi::CStr;

use engine::sys::Standard;
use engine::text;
use engine::voice::Name;

use super::draft::Draft;

/// Why a value can't be meant.
pub type Wrong = &'static str;

/// What is wrong with a command line.
#[derive(Clone, Copy)]
pub struct Complaint {
    pub kind: Kind,
    /// The option, as the vocabulary names it; of an unknown one, as the user typed it.
    pub option: &'static str,
    /// What the user wrote: an unknown word, or the value. May be empty.
    pub word: &'static CStr,
    pub why: Wrong,
}

impl Complaint {
    pub const COMMAND_MISSING: Complaint =
        Complaint { kind: Kind::CommandMissing, option: "CMD", word: c"", why: "it is missing" };
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Unknown,
    /// The letter of a short option that is unknown.
    UnknownLetter(char),
    ValueMissing,
    ValueTooMuch,
    ValueWrong,
    CommandMissing,
}

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

/// One name that nsinit answers to, and what it then understands.
pub struct Vocabulary {
    /// The basenames of argv[0], each followed by a space.
    pub names: &'static str,
    pub voice: Name,
    /// What holds before any option has its say: defaults, and the variables of the environment that are options.
    pub begin: fn(&mut Draft),
    pub groups: &'static [Group],
    /// What is left to settle when all options are read.
    pub end: fn(&mut Draft),
    pub texts: Texts,
    /// Long options may be cut short, as getopt_long(3) lets them.
    pub abbreviates: bool,
}

/// What another name prints. `&` stands for the program's name, `#` for the option or the user's word, `@` for our
/// process id.
pub struct Texts {
    pub help: &'static str,
    pub version: &'static str,
    pub help_to: Standard,
    pub version_to: Standard,
    /// Of the program's name only the last component.
    pub short_name: bool,
    pub unknown_letter: &'static str,
    pub unknown_word: &'static str,
    pub value_missing: &'static str,
    pub long_value_missing: &'static str,
    pub value_too_much: &'static str,
    pub value_wrong: &'static str,
    pub command_missing: &'static str,
    /// What follows each complaint about options.
    pub usage: &'static str,
}

impl Texts {
    /// nsinit's own are made from its rows.
    pub const NONE: Texts = Texts {
        help: "",
        version: "",
        help_to: Standard::Output,
        version_to: Standard::Output,
        short_name: false,
        unknown_letter: "",
        unknown_word: "",
        value_missing: "",
        long_value_missing: "",
        value_too_much: "",
        value_wrong: "",
        command_missing: "",
        usage: "",
    };
}

impl Vocabulary {
    /// The row of an option, `--name` or `-n`, given without its dashes.
    #[must_use]
    pub fn find(&self, dashes: &str, name: &str) -> Option<(&'static Group, &'static Row)> {
        let mut close = None;
        let mut several = false;
        for group in self.groups {
            for row in group.rows {
                let bare = row.name().as_bytes().strip_prefix(dashes.as_bytes()).unwrap_or_default();
                if bare == name.as_bytes() {
                    return Some((group, row));
                }
                if self.abbreviates && name.len() > 1 && bare.starts_with(name.as_bytes()) {
                    several = close.is_some();
                    close = Some((group, row));
                }
            }
        }
        close.filter(|_| !several)
    }
}
