//! Text in fixed buffers: numbers and joined paths. Text that does not fit is cut at the end of the buffer. The cut text is never
//! mistaken for a path: it is longer than any path that the kernel takes.

mod packed;
pub mod verb;

pub use packed::Say;

use core::ffi::CStr;
use core::num::NonZeroU32;

use rustix::process::getpid;

use crate::sys::c_str;

/// PATH_MAX of the kernel, with the terminating NUL: every system call answers ENAMETOOLONG to a path of this many bytes
/// without the NUL. Messages are cut at the same length.
pub const PATH: usize = 4096;

/// The most bytes of one component of a path, on any file system. (NAME_MAX is 255; the kernel's vfat has names of 765 bytes,
/// FUSE of 1,024.)
pub const SHORT: usize = 1024;

/// At most [`PATH`] bytes of text, always NUL-terminated.
pub type Text = Buffer<{ PATH + 1 }>;

/// At most [`SHORT`] bytes of text, always NUL-terminated: for names, numbers and paths of descriptors. It does not take a page of
/// stack for itself.
pub type Short = Buffer<{ SHORT + 1 }>;

/// Text, always NUL-terminated. The code of its functions is there once for each size: there are two, [`Text`] and [`Short`].
pub struct Buffer<const SIZE: usize> {
    bytes: [u8; SIZE],
    length: usize,
}

impl<const SIZE: usize> Buffer<SIZE> {
    #[must_use]
    #[allow(clippy::new_without_default, reason = "new is the one way to make it")]
    #[inline(never)]
    pub const fn new() -> Buffer<SIZE> {
        Buffer { bytes: [0; SIZE], length: 0 }
    }

    /// Appends `more`, or as much of it as there is room for.
    pub fn push(&mut self, more: &[u8]) -> &mut Buffer<SIZE> {
        for &byte in more {
            self.byte(byte);
        }
        self
    }

    /// Appends one byte, if there is room for it.
    #[inline(never)]
    pub fn byte(&mut self, byte: u8) -> &mut Buffer<SIZE> {
        if self.length + 1 < SIZE
            && let Some(slot) = self.bytes.get_mut(self.length)
        {
            *slot = byte;
            self.length += 1;
        }
        self
    }

    /// Appends a string that comes from the user or the container. Control characters, which a terminal would act on, become `?`: those of
    /// ASCII, and those of 0x80 to 0x9f, with and without UTF-8 (ECMA-48: 0x9b is CSI).
    pub fn push_printable(&mut self, word: &[u8]) -> &mut Buffer<SIZE> {
        // Within a character of several bytes. 0xc2 begins those up to U+00BF.
        let mut is_within = false;
        for &byte in word {
            is_within = byte > 0xc2 || is_within && (0x80..0xc0).contains(&byte);
            self.byte(if is_within || (b' '..=b'~').contains(&byte) { byte } else { b'?' });
        }
        self
    }

    /// Appends a number in decimal.
    pub fn push_number(&mut self, number: u32) -> &mut Buffer<SIZE> {
        self.push_in_base(number, const { NonZeroU32::new(10).unwrap() })
    }

    /// Appends a number of 64 bits in decimal.
    pub fn push_long_number(&mut self, number: u64) -> &mut Buffer<SIZE> {
        // Nine digits at a time fit 32 bits.
        let (high, low) = (number / 1_000_000_000, (number % 1_000_000_000) as u32);
        if high == 0 {
            return self.push_number(low);
        }
        self.push_long_number(high);
        let mut unit = 100_000_000;
        while unit > low.max(1) {
            self.byte(b'0');
            unit /= 10;
        }
        self.push_number(low)
    }

    /// Appends our process id.
    #[inline(never)]
    pub fn push_own_id(&mut self) -> &mut Buffer<SIZE> {
        self.push_number(getpid().as_raw_nonzero().get().cast_unsigned())
    }

    /// Appends a number in octal.
    pub fn push_octal(&mut self, number: u32) -> &mut Buffer<SIZE> {
        self.push_in_base(number, const { NonZeroU32::new(8).unwrap() })
    }

    #[inline(never)]
    fn push_in_base(&mut self, number: u32, base: NonZeroU32) -> &mut Buffer<SIZE> {
        let higher = number / base;
        if higher != 0 {
            self.push_in_base(higher, base);
        }
        self.byte(b'0' + (number % base) as u8)
    }

    /// Shortens it to `length` bytes.
    #[inline(never)]
    pub fn truncate(&mut self, length: usize) {
        // All bytes after the end are NUL already.
        if let Some(tail) = self.bytes.get_mut(length..self.length) {
            tail.fill(0);
            self.length = length;
        }
    }

    #[must_use]
    #[inline(never)]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Whether it is full, and may have been cut.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.length + 1 >= SIZE
    }

    /// The text for a system call. The kernel answers ENAMETOOLONG to a full [`Text`].
    #[must_use]
    pub fn c_str(&self) -> &CStr {
        c_str(&self.bytes)
    }
}

/// Takes the first word and the separator behind it off `text`. Returns the word; `None` if there is no text left.
#[inline(never)]
pub fn word<'a>(text: &mut &'a [u8], separator: u8) -> Option<&'a [u8]> {
    if text.is_empty() {
        return None;
    }
    let length = text.iter().take_while(|byte| **byte != separator).count();
    let word = text.get(..length);
    *text = text.get(length + 1..).unwrap_or_default();
    word
}

/// The index of a word in a list of words with a blank between them.
#[must_use]
#[inline(never)]
pub fn place(mut list: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut place = 0;
    while word(&mut list, b' ')? != wanted {
        place += 1;
    }
    Some(place)
}

/// As [`place`]; the case of letters is ignored.
#[must_use]
pub fn place_in_any_case(mut list: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut place = 0;
    while !same_word(word(&mut list, b' ')?, wanted) {
        place += 1;
    }
    Some(place)
}

/// The first word of `text`; empty if `text` is.
#[must_use]
pub fn first(mut text: &[u8], separator: u8) -> &[u8] {
    word(&mut text, separator).unwrap_or_default()
}

/// Strings, each ended by a NUL.
#[derive(Clone, Copy)]
pub struct List(&'static [u8]);

impl List {
    /// For constants only: a list whose last string has no NUL is a compile error.
    #[must_use]
    #[inline(always)]
    pub const fn of(list: &'static [u8]) -> List {
        assert!(matches!(list, [] | [.., 0]), "the last string of the list has no NUL");
        List(list)
    }

    /// The strings, in order.
    pub fn strings(self) -> impl Iterator<Item = &'static CStr> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let string = c_str(rest);
            rest = rest.get(string.count_bytes() + 1..)?;
            Some(string)
        })
    }
}

/// How many elements the lists have together. For constants.
#[must_use]
pub const fn total<T>(mut lists: &[&[T]]) -> usize {
    let mut sum = 0;
    while let [list, more @ ..] = lists {
        sum += list.len();
        lists = more;
    }
    sum
}

/// The lists one after the other, which have `TOTAL` elements together. For constants: any other number is a compile error. `filler`
/// is not in the result.
#[must_use]
#[inline(always)]
pub const fn joined<T: Copy, const TOTAL: usize>(mut lists: &[&[T]], filler: T) -> [T; TOTAL] {
    assert!(total(lists) == TOTAL);
    let mut all = [filler; TOTAL];
    let mut rest: &mut [T] = &mut all;
    while let [list, more @ ..] = lists {
        let (begin, end) = rest.split_at_mut(list.len());
        begin.copy_from_slice(list);
        (rest, lists) = (end, more);
    }
    all
}

/// Whether `byte` occurs in `text`.
#[must_use]
#[allow(clippy::manual_contains, reason = "core's is made for long texts, and ten times as large")]
pub fn has(text: &[u8], byte: u8) -> bool {
    text.iter().any(|it| *it == byte)
}

/// Whether two words are equal if the case of letters is ignored.
#[must_use]
#[allow(clippy::manual_ignore_case_cmp, reason = "core's is made for long texts, and four times as large")]
pub fn same_word(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a.to_ascii_uppercase() == b.to_ascii_uppercase())
}

/// The number at the beginning of `text` and the rest of `text`, as strtol(3) reads: spaces and a plus may come before the number.
#[must_use]
pub fn leading_number(text: &[u8]) -> Option<(u32, &[u8])> {
    let spaces = text.iter().take_while(|byte| **byte == b' ').count();
    let text = text.get(spaces..)?;
    let text = if text.first() == Some(&b'+') { text.get(1..)? } else { text };
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(digits)?;
    Some((number(digits)?, rest))
}

/// A number of bytes without its unit, and the power of two that the unit is: K, M, G or T.
#[cfg(any(feature = "cgroup", feature = "forms"))]
#[must_use]
pub const fn without_unit(word: &[u8]) -> (&[u8], u32) {
    match word {
        [digits @ .., b'k' | b'K'] => (digits, 10),
        [digits @ .., b'm' | b'M'] => (digits, 20),
        [digits @ .., b'g' | b'G'] => (digits, 30),
        [digits @ .., b't' | b'T'] => (digits, 40),
        digits => (digits, 0),
    }
}

/// The rest of `text` after `prefix`, if `text` begins with `prefix`.
#[must_use]
pub fn after<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    (text.get(..prefix.len())? == prefix).then_some(text.get(prefix.len()..)?)
}

/// The beginning of `text` before `suffix`, if `text` ends with `suffix`. (core's functions for this can panic, as far as the compiler
/// sees.)
#[must_use]
pub fn before<'a>(text: &'a [u8], suffix: &[u8]) -> Option<&'a [u8]> {
    let length = text.len().checked_sub(suffix.len())?;
    (text.get(length..)? == suffix).then_some(text.get(..length)?)
}

/// The decimal number that `text` consists of; `None` if it is anything else.
#[must_use]
pub fn number(text: &[u8]) -> Option<u32> {
    long_number(text)?.try_into().ok()
}

/// As [`number`], of 64 bits.
#[must_use]
pub fn long_number(text: &[u8]) -> Option<u64> {
    radix(text, 10)
}

/// The octal number that `text` consists of; `None` if it is anything else.
#[must_use]
pub fn octal(text: &[u8]) -> Option<u32> {
    radix(text, 8)?.try_into().ok()
}

/// The hexadecimal number that `text` consists of; `None` if it is anything else.
#[must_use]
pub fn hexadecimal(text: &[u8]) -> Option<u32> {
    radix(text, 16)?.try_into().ok()
}

fn radix(text: &[u8], base: u32) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |sum, byte| sum.checked_mul(base.into())?.checked_add(digit(*byte, base)?.into()))
}

/// As `char::to_digit`, which panics if the base is more than 36.
fn digit(byte: u8, base: u32) -> Option<u32> {
    let digit = match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'z' => byte - b'a' + 10,
        b'A'..=b'Z' => byte - b'A' + 10,
        _ => return None,
    };
    Some(digit.into()).filter(|digit| *digit < base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_has_the_strings_between_the_nuls() {
        const LIST: List = List::of(b"one\0\0three\0");
        assert_eq!(LIST.strings().count(), 3);
        assert!(LIST.strings().eq([c"one", c"", c"three"]));
        assert_eq!(List::of(b"").strings().count(), 0);
    }

    #[test]
    fn control_characters_are_not_printed() {
        let printed = |word: &[u8]| Text::new().push_printable(word).bytes().to_vec();
        for word in ["a b~", "\u{e4}\u{df}", "\u{20ac}\u{1d11e}"] {
            assert_eq!(printed(word.as_bytes()), word.as_bytes());
        }
        assert_eq!(printed(b"a\x1b[0m\n\x7f"), b"a?[0m??");
        assert_eq!(printed("\u{9b}31m\u{9d}".as_bytes()), b"??31m??");
        assert_eq!(printed(b"\x9b31m\xc3\xa4\xc2\x9b"), b"?31m\xc3\xa4??");
    }

    #[test]
    fn numbers_are_whole_words() {
        for bad in ["", " 1", "1 ", "1x", "-1", "+1", "1:", ":1", "4294967296", "0x1", "99999999999999999999"] {
            assert_eq!(number(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(number(b"4294967295"), Some(u32::MAX));
        assert_eq!(number(b"007"), Some(7));
        assert_eq!(octal(b"0755"), Some(0o755));
        assert_eq!(octal(b"8"), None);
    }

    #[test]
    fn numbers_are_written_in_full() {
        for (value, expected) in [(0, "0"), (9, "9"), (10, "10"), (u32::MAX, "4294967295")] {
            assert_eq!(Text::new().push_number(value).bytes(), expected.as_bytes());
        }
    }

    #[test]
    fn text_that_does_not_fit_is_enametoolong() {
        let mut text = Text::new();
        assert!(!text.push(&[b'a'; PATH - 1]).is_full());
        assert!(text.push(b"dir").is_full());
        assert_eq!(text.c_str().count_bytes(), PATH);
        let refused = crate::sys::files::look(crate::sys::files::HERE, text.c_str()).err();
        assert_eq!(refused.map(|why| why.number()), Some(crate::sys::Failure::NAMETOOLONG.number()));
    }
}
