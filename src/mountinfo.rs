//! /proc/PID/mountinfo, read line by line: proc_pid_mountinfo(5). It is used only for facts that no system call reports.

use linux_raw_sys::general as raw;

use crate::lines;
use crate::sys::Done;
use crate::sys::files::Fd;
use crate::text::{self, Text};

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
    /// The options of the file system, separated by commas.
    pub options: &'l [u8],
}

impl<'l> Line<'l> {
    fn read(line: &'l [u8]) -> Option<Line<'l>> {
        let mut rest = line;
        let mut field = || text::word(&mut rest, b' ');
        let mut first: [&[u8]; 5] = [b""; 5];
        for found in &mut first {
            *found = field()?;
        }
        let [id, parent, _device, _root, path] = first;
        let mut own = field()?;
        let mut flags = 0;
        while let Some(option) = text::word(&mut own, b',') {
            flags |= match text::place(b"ro nosuid nodev noexec nosymfollow", option) {
                Some(0) => raw::MS_RDONLY,
                Some(1) => raw::MS_NOSUID,
                Some(2) => raw::MS_NODEV,
                Some(3) => raw::MS_NOEXEC,
                Some(4) => raw::MS_NOSYMFOLLOW,
                _ => 0,
            };
        }
        // Optional fields end with a dash.
        while field()? != b"-" {}
        let kind = field()?;
        let _source = field()?;
        Some(Line { id, parent, path, flags, kind, options: rest })
    }
}

/// Calls `look` with every mount, in the order of the tree: a mount comes after the one that it is on.
///
/// # Errors
/// ENOMEM: the kernel has no memory for the list; others: see read(2).
pub fn each(file: Fd, look: &mut dyn FnMut(&Line<'_>)) -> Done {
    lines::each(file, &mut |line| {
        if let Some(mount) = Line::read(line) {
            look(&mount);
        }
    })
}

/// Calls `act` with the path (escaped) and the type of each mount, the last one first. `list` reads the mounts from the first one on: not
/// for each mount, but for as many as a [`Text`] has room for. `act` may unmount the mount that it gets.
#[cfg(feature = "boot")]
pub fn backwards(list: &dyn Fn(&mut dyn FnMut(&Line<'_>)), act: &mut dyn FnMut(&[u8], &[u8])) {
    let mut end = usize::MAX;
    while end > 0 {
        // The mounts before `end`; if there is no room for all, from `begin` on.
        let (mut last, mut begin, mut at) = (Text::new(), 0, 0);
        list(&mut |mount| {
            if at < end {
                if last.bytes().len() + mount.path.len() + mount.kind.len() + 2 > text::PATH {
                    last.truncate(0);
                    begin = at;
                }
                last.push(mount.path).byte(b' ').push(mount.kind).byte(b'\n');
            }
            at += 1;
        });
        for line in last.bytes().rsplit(|byte| *byte == b'\n') {
            let mut kind = line;
            if let Some(path) = text::word(&mut kind, b' ') {
                act(path, kind);
            }
        }
        end = begin;
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

    /// To read the list for each of many mounts would take quadratic time.
    #[cfg(feature = "boot")]
    #[test]
    fn thousand_mounts_are_read_backwards_in_a_few_readings() {
        use core::cell::Cell;

        let readings = Cell::new(0);
        let left = Cell::new(1000u32);
        let list = |look: &mut dyn FnMut(&Line<'_>)| {
            readings.set(readings.get() + 1);
            for number in 0..left.get() {
                let mut path = Text::new();
                path.push(b"/run/app/mounts/").push_number(number);
                look(&Line { id: b"", parent: b"", path: path.bytes(), flags: 0, kind: b"tmpfs", options: b"" });
            }
        };
        backwards(&list, &mut |path, kind| {
            left.set(left.get() - 1);
            assert_eq!(text::after(path, b"/run/app/mounts/").and_then(text::number), Some(left.get()));
            assert_eq!(kind, b"tmpfs");
        });
        assert_eq!(left.get(), 0);
        assert!(readings.get() < 10, "{} readings", readings.get());
    }

    #[test]
    fn line_of_mountinfo_is_split_into_fields() {
        let line =
            b"36 35 98:0 /mnt1 /nsinit.tree/a\\040b ro,nosuid,relatime master:1 - ext3 /dev/root rw,errors=continue";
        let read = Line::read(line).unwrap();
        assert_eq!((read.id, read.parent, read.path), (&b"36"[..], &b"35"[..], &b"/nsinit.tree/a\\040b"[..]));
        assert_eq!((read.kind, read.options), (&b"ext3"[..], &b"rw,errors=continue"[..]));
        assert_eq!(read.flags, raw::MS_RDONLY | raw::MS_NOSUID);
        let mut text = Text::new();
        unescape(read.path, &mut text);
        assert_eq!(text.bytes(), b"/nsinit.tree/a b");
    }
}
