//! What a file is to execve(2): an ELF file, or a script.

use core::ffi::CStr;

use rustix::fs::OFlags;

use super::MACHINE;
use super::files::{self, read};

/// The shell that executes a file whose format the kernel does not know, as with execvp(3).
pub const SH: &CStr = c"/bin/sh";

/// Whether the shell can read a file as a script: it is readable, and not an ELF file.
#[must_use]
pub fn is_script(path: &CStr) -> bool {
    machine_of(path) == Some(0)
}

/// The machine of an ELF file, `e_machine` (elf(5)); 0 for any other file; `None` for one that can't be read.
#[must_use]
pub fn machine_of(path: &CStr) -> Option<u16> {
    let mut head = [0u8; 20];
    let file = files::open_path(path, OFlags::RDONLY | OFlags::NONBLOCK).ok()?;
    read(file, head.as_mut_slice()).ok()?;
    let machine = match head {
        [0x7f, b'E', b'L', b'F', _, 2, .., high, low] => u16::from_be_bytes([high, low]),
        [0x7f, b'E', b'L', b'F', .., low, high] => u16::from_le_bytes([low, high]),
        _ => return Some(0),
    };
    // An ELF file that names no machine is damaged: it is not one of another machine.
    Some(if machine == 0 { MACHINE } else { machine })
}
