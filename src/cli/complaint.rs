//! Mistakes in the arguments.

use core::ffi::CStr;
use core::num::NonZeroU32;

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
    #[cfg(feature = "bwrap")]
    pub fn value(self) -> &'static [u8] {
        text::first(self.values(), b' ')
    }

    /// How many values it takes.
    #[must_use]
    pub fn count(self) -> usize {
        self.0.iter().filter(|byte| **byte == b' ').count()
    }
}

/// How the message about a wrong value is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// About the value: `--uid x: not a number`.
    Value = 1,
    /// The value is not the name of a capability.
    Capability = 2,
    /// The value is not the name of a variable.
    Variable = 3,
    /// About the option: `--size takes a number`.
    Option = 4,
    /// The whole message.
    Sentence = 5,
}

/// Why a value is wrong: a [`How`] and its text, in one register.
#[derive(Clone, Copy)]
pub struct Wrong(NonZeroU32);

impl Wrong {
    /// For a vocabulary that prints the same text whatever is wrong.
    #[cfg(any(feature = "dumb-init", feature = "tini"))]
    pub const ANY: Wrong = Wrong::value(Say::NOTHING);

    const fn new(how: How, why: Say) -> Wrong {
        match NonZeroU32::new((how as u32) << 16 | why.number() as u32) {
            Some(both) => Wrong(both),
            None => Wrong(NonZeroU32::MIN),
        }
    }

    pub const fn value(why: Say) -> Wrong {
        Wrong::new(How::Value, why)
    }

    #[cfg(feature = "container")]
    pub const fn capability(why: Say) -> Wrong {
        Wrong::new(How::Capability, why)
    }

    #[cfg(feature = "env")]
    pub const fn variable(why: Say) -> Wrong {
        Wrong::new(How::Variable, why)
    }

    #[cfg(feature = "container")]
    pub const fn option(why: Say) -> Wrong {
        Wrong::new(How::Option, why)
    }

    pub const fn sentence(why: Say) -> Wrong {
        Wrong::new(How::Sentence, why)
    }

    #[must_use]
    pub const fn how(self) -> How {
        match self.0.get() >> 16 {
            2 => How::Capability,
            3 => How::Variable,
            4 => How::Option,
            5 => How::Sentence,
            _ => How::Value,
        }
    }

    #[must_use]
    pub const fn why(self) -> Say {
        Say::numbered(self.0.get() as u16)
    }
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
        Complaint { kind, form, word, why: Wrong::value(Say::NOTHING) }
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
