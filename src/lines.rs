//! Files read line by line.

use crate::sys::Done;
use crate::sys::files::{Fd, read};
use crate::text::{PATH, Text};

/// Calls `look` with every line of a file, without its newline. A line of more than [`PATH`] bytes is cut to that length.
///
/// # Errors
/// ENOMEM: the kernel has no memory for the content of a file in /proc; others: see read(2).
#[inline(never)]
pub fn each(file: Fd, look: &mut dyn FnMut(&[u8])) -> Done {
    let (mut line, mut chunk) = (Text::new(), [0u8; PATH / 4]);
    loop {
        let length = read(file, chunk.as_mut_slice())?;
        if length == 0 {
            // The last line may have no newline.
            if !line.bytes().is_empty() {
                look(line.bytes());
            }
            return Ok(());
        }
        for byte in chunk.get(..length as usize).unwrap_or_default() {
            if *byte == b'\n' {
                look(line.bytes());
                line.truncate(0);
            } else {
                line.byte(*byte);
            }
        }
    }
}
