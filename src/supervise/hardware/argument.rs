//! The argument of a restart, which some machines have: `recovery` or `bootloader`, for example.

use core::ffi::CStr;

use rustix::fs::OFlags;

use crate::sys;
use crate::sys::files;
use crate::text::{self, Short};

/// A program that wants a restart with an argument writes it there. systemd has such a file too.
const FILE: &CStr = c"/run/reboot-param";
/// The most bytes that the kernel takes.
const MOST: usize = 255;

/// The first line of `FILE`; empty if there is none.
#[must_use]
pub fn read() -> Short {
    let mut argument = Short::new();
    let mut bytes = [0; MOST];
    if let Ok(file) = files::open_path(FILE, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY) {
        let length = files::read(file, &mut bytes).unwrap_or(0);
        argument.push(text::first(bytes.get(..length as usize).unwrap_or_default(), b'\n'));
        sys::close(file);
    }
    argument
}
