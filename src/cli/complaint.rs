//! Mistakes in the arguments.

use core::ffi::CStr;

use engine::text::{self, Say};

/// An option with the names of its values, as in its row: `--bind SRC DEST`.
#[derive(Clone, Copy)]
pub struct Form(pub &'static [u8]);

impl Form {
    /// The option with its dashes.
    #[must_use]
    pub fn name(self) -> &'static [u8] {
        text::first(self.0, b' ')
    }

    /// The names of its values.
    #[must_use]
    pub fn values(self) -> &'static [u8] {
        let mut values = self.0;
        let _ = text::word(&mut values, b' ');
        values
    }

    /// The name of its first value.
    #[must_use]
    pub fn value(self) -> &'static [u8] {
        text::first(self.values(), b' ')
    }

    /// How many values it takes.
    #[must_use]
    pub fn count(self) -> usize {
        self.0.iter().filter(|byte| **byte == b' ').count()
    }
}

/// Why a value is wrong, and how the message is built.
#[derive(Clone, Copy)]
pub enum Wrong {
    /// About the value: `--uid x: not a number`.
    Value(Say),
    /// The value is not the name of a capability.
    Capability(Say),
    /// The value is not the name of a variable.
    Variable(Say),
    /// About the option: `--size takes a number`.
    Option(Say),
    /// The whole message.
    Sentence(Say),
}

impl Wrong {
    /// For a vocabulary that prints the same text whatever is wrong.
    pub const ANY: Wrong = Wrong::Value(Say::NOTHING);
}

/// An option that cannot be used; [`Complaint`] says why.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// The complaint is in the draft, because it is too large for a `Result`.
    Complaint,
    /// The message is printed already.
    Reported,
}

/// A mistake in one option.
#[derive(Clone, Copy)]
pub struct Complaint {
    pub kind: Kind,
    /// The option; empty if it is unknown.
    pub form: Form,
    /// The user's own word: an unknown option, or the first value. May be empty.
    pub word: &'static CStr,
    pub why: Wrong,
}

impl Complaint {
    #[must_use]
    pub const fn new(kind: Kind, form: Form, word: &'static CStr) -> Complaint {
        Complaint { kind, form, word, why: Wrong::Value(Say::NOTHING) }
    }
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
