//! The program's own texts: messages, hints, help. The build script (scripts/pack.rs) packs them; they are unpacked byte by byte
//! when they are printed.

use crate::text::Text;

// PACKED, WIDTH (of a code in bits, at most 10: a code lies in two bytes) and PLACES.
include!(concat!(env!("OUT_DIR"), "/texts.rs"));

/// A text of the program: its place in the packed codes. Two are equal if their texts are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Say(u16);

/// The [`Say`] of a literal.
#[doc(hidden)]
#[macro_export]
macro_rules! say {
    ($text:literal $(,)?) => {
        const { $crate::text::Say::of($text) }
    };
}

impl Say {
    pub const NOTHING: Say = say!("");

    /// For constants only: then the program contains no code of it. The build script must have seen the literal in a `say!`.
    #[must_use]
    #[inline(always)]
    pub const fn of(text: &str) -> Say {
        // FNV-1a; scripts/pack.rs has the same.
        let bytes = text.as_bytes();
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut at = 0;
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u64).wrapping_mul(0x100_0000_01b3);
            at += 1;
        }
        let mut at = 0;
        while at < PLACES.len() {
            if PLACES[at].0 == hash {
                return Say(PLACES[at].1);
            }
            at += 1;
        }
        panic!("the build script has not seen this text")
    }

    /// The number that stands for it, for a word that holds more than a text.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The text of that number.
    #[must_use]
    pub const fn numbered(number: u16) -> Say {
        Say(number)
    }

    /// Calls `out` with each byte.
    #[inline(never)]
    pub fn each(self, out: &mut dyn FnMut(u8)) {
        let _ = (self.0.into()..).all(|place| unpack(place, out));
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == Say::NOTHING.0
    }
}

/// The code that ends a text. scripts/pack.rs has the same.
const END: usize = 0;
/// The code of a newline; those below it are the printable bytes of ASCII, a blank is 1. scripts/pack.rs has the same.
const NEWLINE: usize = 96;
/// This code and those above it stand for two codes each, and those come first among the packed.
const FIRST: usize = NEWLINE + 1;

/// The code at this place.
#[inline(always)]
fn code(place: usize) -> usize {
    let bit = place * WIDTH;
    match PACKED.get(bit / 8..) {
        Some([low, high, ..]) => usize::from(u16::from_le_bytes([*low, *high])) >> (bit % 8) & ((1 << WIDTH) - 1),
        _ => END,
    }
}

/// Calls `out` with each byte that the code at this place stands for. Returns false at the end of the text.
fn unpack(place: usize, out: &mut dyn FnMut(u8)) -> bool {
    let this = code(place);
    if let Some(pair) = this.checked_sub(FIRST) {
        return unpack(pair * 2, out) && unpack(pair * 2 + 1, out);
    }
    match this {
        END => return false,
        NEWLINE => out(b'\n'),
        _ => out(this as u8 + (b' ' - 1)),
    }
    true
}

impl Text {
    /// Appends a text of the program.
    #[inline(never)]
    pub fn say(&mut self, text: Say) -> &mut Text {
        text.each(&mut |byte| {
            self.byte(byte);
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_texts_unpack_to_the_literals() {
        let long = say!(
            "There is \"nothing\" like it:\n\
            a text that no other is like \\ q x z j"
        );
        let mut text = Text::new();
        text.say(long).say(say!("")).say(say!("Operation not permitted"));
        assert_eq!(
            text.bytes(),
            b"There is \"nothing\" like it:\na text that no other is like \\ q x z jOperation not permitted"
        );
        assert!(Say::NOTHING.is_empty() && !long.is_empty());
    }
}
