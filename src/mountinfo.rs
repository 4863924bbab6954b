//! /proc/PID/mountinfo, read line by line: proc_pid_mountinfo(5). It is used only for facts that no system call reports.

use linux_raw_sys::general as raw;

use crate::sys::Done;
use crate::sys::files::{Fd, read};
use crate::text::{self, PATH, Text};

/// A mount.
pub struct Line<'l> {
    pub id: &'l [u8],
    pub parent: &'l [u8],
    /// The mount point, escaped.
    pub path: &'l [u8],
    /// The mount's own flags (MS_*).
    pub flags: u32,
    /// The type of the file system.
    pub kind: &'l [u8],
}

impl<'l> Line<'l> {
    fn read(line: &'l [u8]) -> Option<Line<'l>> {
        let mut rest = line;
        let mut field = || text::word(&mut rest, b' ');
        let (id, parent, _device, _root, path) = (field()?, field()?, field()?, field()?, field()?);
        let mut options = field()?;
        let mut flags = 0;
        while let Some(option) = text::word(&mut options, b',') {
            flags |= match option {
                b"ro" => raw::MS_RDONLY,
                b"nosuid" => raw::MS_NOSUID,
                b"nodev" => raw::MS_NODEV,
                b"noexec" => raw::MS_NOEXEC,
                b"nosymfollow" => raw::MS_NOSYMFOLLOW,
                _ => 0,
            };
        }
        // Optional fields end with a dash.
        while field()? != b"-" {}
        Some(Line { id, parent, path, flags, kind: field()? })
    }
}

/// Calls `look` with every mount, in the order of the tree: a mount comes after the one that it is on.
///
/// # Errors
/// ENOMEM: the kernel has no memory for the list; others: see read(2).
#[inline(never)]
pub fn each(file: Fd, look: &mut dyn FnMut(&Line<'_>)) -> Done {
    let (mut line, mut chunk) = (Text::new(), [0u8; PATH / 4]);
    loop {
        let length = read(file, chunk.as_mut_slice())?;
        if length == 0 {
            return Ok(());
        }
        for byte in chunk.get(..length as usize).unwrap_or_default() {
            if *byte != b'\n' {
                line.byte(*byte);
                continue;
            }
            if let Some(mount) = Line::read(line.bytes()) {
                look(&mount);
            }
            line.truncate(0);
        }
    }
}

/// Undoes the kernel's escapes: it writes space, tab, newline and backslash as a backslash and three octal digits.
pub fn unescape(path: &[u8], to: &mut Text) {
    let mut rest = path;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == b'\\'
            && let Some((digits, after)) = rest.split_at_checked(3)
            && let Some(code) = text::octal(digits)
        {
            to.byte(code as u8);
            rest = after;
        } else {
            to.byte(*byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_of_mountinfo_is_split_into_fields() {
        let line =
            b"36 35 98:0 /mnt1 /nsinit.tree/a\\040b ro,nosuid,relatime master:1 - ext3 /dev/root rw,errors=continue";
        let read = Line::read(line).unwrap();
        assert_eq!((read.id, read.parent, read.path), (&b"36"[..], &b"35"[..], &b"/nsinit.tree/a\\040b"[..]));
        assert_eq!(read.kind, b"ext3");
        assert_eq!(read.flags, raw::MS_RDONLY | raw::MS_NOSUID);
        let mut text = Text::new();
        unescape(read.path, &mut text);
        assert_eq!(text.bytes(), b"/nsinit.tree/a b");
    }
}
