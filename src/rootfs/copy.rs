//! Files with the content of another one.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fd::BorrowedFd;
use rustix::fs::OFlags;

use crate::sys::files::{self, Fd, read, write};
use crate::sys::{Done, Failure};
use crate::text::PATH;

/// Makes a file with the content of `from`.
///
/// # Errors
/// [`Failure::SYMLINK`]: the name is a symbolic link; EEXIST: it is no regular file; others: see open(2), read(2) and write(2).
pub fn write_file(dir: Fd, name: &CStr, mode: u32, from: BorrowedFd<'_>) -> Done {
    // O_NONBLOCK: if the file is a named pipe, open(2) must not wait for a reader.
    let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match files::create(dir, name, flags, mode) {
        Err(Failure::LOOP) => return Err(Failure::SYMLINK),
        other => other?,
    };
    if files::kind(file)? != raw::S_IFREG {
        return Err(Failure::EXIST);
    }
    let mut content = [0u8; PATH];
    loop {
        let length = match read(from, content.as_mut_slice()) {
            Err(Failure::INTR) => continue,
            other => other?,
        };
        let mut rest = content.get(..length as usize).unwrap_or_default();
        if rest.is_empty() {
            return Ok(());
        }
        while !rest.is_empty() {
            let written = write(file, rest)?;
            rest = rest.get(written as usize..).unwrap_or_default();
        }
    }
}
