//! A file that holds a command line.

use core::ffi::CStr;

use engine::report::message::warn;
use engine::say;
use engine::sys::Failure;
use engine::sys::files::{self, Fd};
use engine::text::Say;
use rustix::fs::OFlags;

use super::{quoting, words};

/// Appends the words of the file to `line`, a NUL after each. Returns whether they are complete, if there is such a file.
pub fn words(path: &CStr, line: &mut Vec<u8>) -> Option<bool> {
    let done = match files::open_path(path, OFlags::RDONLY).and_then(content) {
        Err(Failure::NOENT) => return None,
        Ok(text) if !quoting::of_text(text, true, &mut |word| push(line, b"", word)) => Err(Failure::OPEN_QUOTE),
        read => read,
    };
    Some(done.map_err(|why| warn(say!("read"), path, why, NOTHING_RUNS)).is_ok())
}

/// The hint behind the reason why a command line cannot be read.
pub const NOTHING_RUNS: Say = say!("no command is run");

/// All that the file holds.
///
/// # Errors
/// As [`words::content`].
pub fn content(file: Fd) -> Result<&'static [u8], Failure> {
    let content = words::content(file)?;
    // `content` has added the NUL.
    Ok(content.get(..content.len() - 1).unwrap_or_default())
}

/// Appends a word, and a NUL.
pub fn push(to: &mut Vec<u8>, before: &[u8], word: &[u8]) {
    for part in [before, word, b"\0"] {
        to.extend_from_slice(part);
    }
}
