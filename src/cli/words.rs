//! Lists of words. A command line is one.

use core::ffi::CStr;

use engine::sys::files;
use engine::sys::{self, Failure, Slot, Word};
use engine::text::{self, PATH};

/// The words of a command line. The first slot is not read: on a command line it is the program's name. The last one is
/// [`Word::END`].
pub type List = &'static [Slot];

/// The words that a descriptor holds, a NUL after each.
pub fn of_descriptor(fd: u32) -> Option<List> {
    // `content` adds a NUL. If the last word already ends with one, drop the added one.
    Some(of_text(match content(sys::given(fd)).ok()? {
        [whole @ .., _] if matches!(whole, [] | [.., 0]) => whole,
        rest => rest,
    }))
}

/// The words of a text, a NUL after each.
pub fn of_text(text: &'static [u8]) -> List {
    let mut rest = text;
    let mut list = Vec::from([Slot::new(Word::END)]);
    while !rest.is_empty() {
        let word = sys::c_str(rest);
        list.push(Slot::new(Word::new(word)));
        rest = rest.get(word.count_bytes() + 1..).unwrap_or_default();
    }
    list.push(Slot::new(Word::END));
    list.leak()
}

/// All that a descriptor holds, and a NUL.
///
/// # Errors
/// EISDIR: it is a directory; others: see read(2).
pub fn content(fd: sys::Fd) -> Result<&'static [u8], Failure> {
    let mut content = Vec::new();
    let mut chunk = [0; PATH];
    loop {
        match files::read(fd, &mut chunk) {
            Ok(0) => break,
            Ok(length) => content.extend_from_slice(chunk.get(..length as usize).unwrap_or_default()),
            Err(Failure::INTR) => {}
            Err(why) => return Err(why),
        }
    }
    content.push(0);
    Ok(content.leak())
}

/// The last component of a program's name.
pub fn base(program: &CStr) -> &[u8] {
    let program = program.to_bytes();
    let slash = program.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    program.get(slash..).unwrap_or_default()
}

/// The name of `NAME=VALUE`.
pub fn name_of(pair: &CStr) -> &[u8] {
    text::first(pair.to_bytes(), b'=')
}
