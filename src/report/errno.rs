//! The text of a failure.

use linux_raw_sys::errno;

use crate::say;
use crate::sys::Failure;
use crate::sys::errno::{errnos, rare_errnos, reasons};
use crate::text::Say;

/// The text of a failure; empty for an errno that has no text.
#[must_use]
pub fn text(why: Failure) -> Say {
    let number = why.number();
    let text = match number.checked_sub(Failure::REPORTED.number()) {
        Some(own) => OWN.get(own as usize),
        None => TEXTS.get(number as usize),
    };
    text.copied().unwrap_or(Say::NOTHING)
}

macro_rules! texts {
    ($($name:ident $errno:ident $text:expr;)*) => {
        &[$((errno::$errno, $text),)*]
    };
}

/// By number.
static TEXTS: [Say; errno::EHWPOISON as usize + 1] = {
    const ROWS: [&[(u32, Say)]; 2] = [errnos!(texts), rare_errnos!(texts)];
    let mut texts = [Say::NOTHING; errno::EHWPOISON as usize + 1];
    let mut row = 0;
    while row < ROWS[0].len() + ROWS[1].len() {
        let (number, text) = if row < ROWS[0].len() { ROWS[0][row] } else { ROWS[1][row - ROWS[0].len()] };
        assert!(texts[number as usize].is_empty(), "two rows for one errno");
        texts[number as usize] = text;
        row += 1;
    }
    texts
};

macro_rules! own {
    ($($(#[$doc:meta])* $name:ident $text:expr;)*) => {
        /// In the order of the constants, of which the first is not printed.
        #[allow(unused_doc_comments, reason = "the attributes of a row are its condition too")]
        static OWN: &[Say] = &[Say::NOTHING, $($(#[$doc])* $text,)*];
    };
}
reasons!(own);

#[cfg(feature = "errnos")]
#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::String;

    use super::*;
    use crate::text::Text;

    #[test]
    fn every_errno_has_the_c_librarys_words() {
        let in_full =
            |number| String::from_utf8_lossy(Text::new().say(text(Failure::new(number))).bytes()).into_owned();
        // 4095 is the kernel's MAX_ERRNO.
        for number in 1..=4095u32 {
            let theirs = std::format!("{}", std::io::Error::from_raw_os_error(number.cast_signed()));
            let ours = in_full(number);
            if !cfg!(target_env = "gnu") {
                continue;
            }
            if ours.is_empty() {
                assert!(theirs.starts_with("Unknown error"), "{theirs}");
            } else {
                assert_eq!(theirs, std::format!("{ours} (os error {number})"));
            }
        }
    }
}
