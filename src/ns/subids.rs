//! Subordinate ids: the ranges that /etc/subuid and /etc/subgid grant to users (subuid(5)).
//!
//! Any line of these files may be junk: it is then a line that grants nothing.

use core::ffi::CStr;

use rustix::fs::OFlags;

use crate::lines;
use crate::spec::Range;
use crate::sys::files;
use crate::sys::{Done, Failure};
use crate::text::{self, PATH, SHORT, Short};

pub const USERS: &CStr = c"/etc/subuid";
pub const GROUPS: &CStr = c"/etc/subgid";

/// The user that ranges are granted to.
pub struct Owner {
    /// Its name; if it has none, its number.
    pub name: Short,
    pub uid: u32,
}

impl Owner {
    /// The user with that number. Its name is the first one of /etc/passwd.
    #[must_use]
    #[inline(never)]
    pub fn of(uid: u32) -> Owner {
        let mut name = Short::new();
        if let Ok(file) = files::open_path(c"/etc/passwd", OFlags::RDONLY) {
            // Without the file, or the rest of it, the user has no name.
            let _ = lines::each(file, &mut |line| {
                if name.bytes().is_empty() {
                    name.push(name_in(line, uid).unwrap_or_default());
                }
            });
        }
        if name.bytes().is_empty() {
            name.push_number(uid);
        }
        Owner { name, uid }
    }

    /// Calls `look` with the first id and the number of ids of each range that `file` grants to this user.
    ///
    /// # Errors
    /// As open(2) and read(2). A file that does not exist grants nothing.
    #[inline(never)]
    pub fn each(&self, file: &CStr, look: &mut dyn FnMut(u32, u32)) -> Done {
        let file = match files::open_path(file, OFlags::RDONLY) {
            Err(Failure::NOENT) => return Ok(()),
            opened => opened?,
        };
        lines::each(file, &mut |line| {
            if let Some((first, count)) = range_in(line, self.name.bytes(), self.uid) {
                look(first, count);
            }
        })
    }
}

/// The first id behind all that `file` grants to anyone; `from` if none is higher, or too few ids are left.
#[must_use]
pub fn free(file: &CStr, from: u32, count: u32) -> u32 {
    let mut end = from;
    if let Ok(file) = files::open_path(file, OFlags::RDONLY) {
        // What cannot be read proposes nothing better.
        let _ = lines::each(file, &mut |line| {
            if let Some((first, count)) = range_in(line, text::first(line, b':'), NOBODY) {
                end = end.max(first + count);
            }
        });
    }
    if Range::new(0, end, count).is_some() { end } else { from }
}

/// No user has this number: a line is then about a user by its name only.
pub const NOBODY: u32 = u32::MAX;

/// The name in a line of /etc/passwd (passwd(5)), if the line is about the user `uid`.
#[must_use]
pub fn name_in(line: &[u8], uid: u32) -> Option<&[u8]> {
    let mut rest = line;
    let name = text::word(&mut rest, b':')?;
    let _password = text::word(&mut rest, b':')?;
    let is_it = text::number(text::word(&mut rest, b':')?) == Some(uid);
    (is_it && !name.is_empty() && name.len() < SHORT).then_some(name)
}

/// The first id and the number of ids in a line of /etc/subuid or /etc/subgid, `OWNER:FIRST:COUNT`, if it is about the user with this
/// name or number.
#[must_use]
pub fn range_in(line: &[u8], name: &[u8], uid: u32) -> Option<(u32, u32)> {
    let mut rest = line;
    let owner = text::word(&mut rest, b':')?;
    let first = text::number(text::word(&mut rest, b':')?)?;
    // What is left is the last number. In a line that was cut it may be another one.
    let Range { count, .. } = Range::new(0, first, text::number(rest)?)?;
    let is_it = (owner == name || text::number(owner) == Some(uid)) && line.len() < PATH;
    is_it.then_some((first, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_user_count_and_others_do_not() {
        let range = |line: &str| range_in(line.as_bytes(), b"alice", 1000);
        assert_eq!(range("alice:100000:65536"), Some((100_000, 65_536)));
        assert_eq!(range("1000:100000:65536"), Some((100_000, 65_536)));
        assert_eq!(range("alice:0:1"), Some((0, 1)));
        for bad in [
            "",
            ":",
            "::",
            "alice",
            "alice:",
            "alice:1",
            "alice:1:",
            "alice::1",
            "alice:1:2:",
            "alice:1:2:3",
            "alic:1:2",
            "alicee:1:2",
            ":1:2",
            "1001:1:2",
            "alice: 1:2",
            "alice:1: 2",
            "alice:1:2 ",
            " alice:1:2",
            "#alice:1:2",
            "alice:-1:2",
            "alice:1:-2",
            "alice:1x:2",
            "alice:1:0",
            "alice:4294967295:1",
            "alice:4294967296:1",
            "alice:1:4294967295",
            "alice:4294967294:2",
            "alice:0x1:2",
            "alice\0:1:2",
            "alice:1:2\0",
            "alice:1\0:2",
            "ALICE:1:2",
            "alice:18446744073709551617:1",
        ] {
            assert_eq!(range(bad), None, "{bad:?}");
        }
        let mut long = [b'1'; PATH];
        long[..8].copy_from_slice(b"alice:1:");
        long[8..].fill(b'0');
        long[PATH - 1] = b'2';
        assert_eq!(range_in(&long, b"alice", 1000), None);
        assert_eq!(range_in(&long[..PATH - 1], b"alice", 1000), None);
        assert_eq!(range_in(&long[1..], b"lice", 1000), Some((1, 2)));
    }

    #[test]
    fn name_of_a_user_is_that_of_passwd() {
        let name = |line: &str| name_in(line.as_bytes(), 1000).map(|name| str::from_utf8(name).unwrap().len());
        assert_eq!(name("alice:x:1000:1000::/home/alice:/bin/sh"), Some(5));
        assert_eq!(name("alice:x:1000"), Some(5));
        for bad in [
            "",
            "alice",
            "alice:x",
            "alice:x:",
            "alice:x:1001:",
            "alice:x: 1000:",
            ":x:1000:1000",
            "alice:1000",
            "alice:x:1000x:",
        ] {
            assert_eq!(name(bad), None, "{bad:?}");
        }
        let mut long = [b'a'; SHORT + 7];
        long[SHORT..].copy_from_slice(b":x:1000");
        assert_eq!(name_in(&long, 1000), None);
        assert_eq!(name_in(&long[1..], 1000).map(<[u8]>::len), Some(SHORT - 1));
    }
}
