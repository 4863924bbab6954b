//! Other programs that nsinit executes for the caller.

use core::ffi::CStr;

use crate::state::Launch;
use crate::sys::{self, Failure, Word};
use crate::text::{self, PATH, Text};

/// Executes a program, from the caller's PATH or /usr/bin, with the caller's signal mask and an empty environment. `words`: its
/// arguments, which end with [`Word::END`]. Returns only if that failed, with the reason.
#[inline(never)]
pub fn execute(program: &CStr, words: &[Word<'_>], launch: &Launch) -> Failure {
    let mut worst = Failure::NOENT;
    if let Err(why) = sys::set_mask(launch.caller.mask) {
        return why;
    }
    let path = launch.start.env.words().find_map(|pair| text::after(pair.to_bytes(), b"PATH="));
    for list in [path.unwrap_or_default(), b"/usr/bin"] {
        let mut rest = list;
        while let Some(directory) = text::word(&mut rest, b':') {
            let mut path = Text::new();
            path.push(directory).byte(b'/').push(program.to_bytes());
            // The working directory is no place for a set-id program.
            if !directory.starts_with(b"/") || path.bytes().len() >= PATH {
                continue;
            }
            match sys::execve_words(path.c_str(), words) {
                Failure::NOENT | Failure::NOTDIR => {}
                why => worst = why,
            }
        }
    }
    worst
}
