//! Mounts on kernels that lack calls for mounts as descriptors: made by mount(2) in [`crate::base`], to be moved from there.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fd::BorrowedFd;
use rustix::fs::OFlags;
use rustix::io::read;
use rustix::process::{chdir, chroot, fchdir};

use crate::base::{HOST, base, fd_path, plain};
use crate::files::{self, DIRECTORY, Fd, HERE};
use crate::resolve::{self, Kind};
use crate::sys::{Done, Failure};
use crate::text::{self, PATH, Text};

/// In [`base`]: the place of a mount on its way to where it belongs, and that of a file's. (No mount of the caller's has
/// such a path.)
pub const TREE: &CStr = c"nsinit.tree";

/// See [`TREE`].
const LEAF: &CStr = c"nsinit.leaf";

/// mount(2) on [`TREE`] or [`LEAF`]; what is mounted there.
///
/// # Errors
/// Those of mount(2).
pub fn make(source: &CStr, name: &CStr, kind: &CStr, flags: u32, options: &CStr) -> Result<Fd, Failure> {
    let base = base()?;
    let made =
        if name == LEAF { files::make_file(base, name, 0o600) } else { files::make_directory(base, name, 0o700) };
    match made {
        Ok(()) | Err(Failure::EXIST) => {}
        Err(why) => return Err(why),
    }
    fchdir(base)?;
    plain(source, name, kind, flags, options)?;
    files::look(base, name)
}

/// As [`crate::mounts::copy`].
///
/// # Errors
/// The same; EAGAIN where somebody renames what mounts lie in.
pub fn copy(dir: BorrowedFd<'_>, path: &CStr, set: u32, cleared: u32, below: bool) -> Result<Fd, Failure> {
    let opened;
    let source = if path.is_empty() {
        dir
    } else {
        opened = files::open(dir, path, OFlags::PATH)?;
        opened
    };
    let name = if files::kind(source)? == DIRECTORY { TREE } else { LEAF };
    let tree = make(fd_path(source, &mut Text::new()), name, c"", raw::MS_BIND | raw::MS_REC, c"")?;
    plain(c"", name, c"", raw::MS_PRIVATE | raw::MS_REC, c"")?;
    restrict_all(tree, Text::new().byte(b'/').push(name.to_bytes()).bytes(), set, cleared, below)?;
    Ok(tree)
}

/// Sets the attributes (MS_*) of the mount at `place`.
///
/// # Errors
/// Those of mount(2).
pub fn remount(place: &CStr, flags: u32) -> Done {
    plain(c"", place, c"", raw::MS_REMOUNT | raw::MS_BIND | flags, c"")
}

/// Restricts every mount at or below `place`, where `tree` is, but those that another covers.
fn restrict_all(tree: Fd, place: &[u8], set: u32, cleared: u32, below: bool) -> Done {
    for index in 0.. {
        // The first is the one that all others are below.
        if index > 0 && !below {
            break;
        }
        let mut path = Text::new();
        let Some(found) = Found::at(index, place, &mut path)? else { break };
        if found.covered || found.has(set, cleared) {
            continue;
        }
        let path = path.bytes();
        let mount = if path.is_empty() { tree } else { resolve::make(tree, path, Kind::Any, 0)? };
        remount(fd_path(mount, &mut Text::new()), found.flags & !cleared | set)?;
        // Somebody may have renamed what it lies in.
        if !Found::at(index, place, &mut Text::new())?.is_some_and(|now| now.has(set, cleared)) {
            return Err(Failure::AGAIN);
        }
    }
    Ok(())
}

/// A mount in /proc/self/mountinfo.
struct Found {
    flags: u32,
    /// Another is mounted over the whole of it.
    covered: bool,
}

impl Found {
    fn has(&self, set: u32, cleared: u32) -> bool {
        self.flags & set == set && self.flags & cleared == 0
    }

    /// The mount of that index among those at or below `place`; its path from there goes to `path`.
    fn at(index: u32, place: &[u8], path: &mut Text) -> Result<Option<Found>, Failure> {
        // It only tells of what is below the root of who opens it, and ours is not the whole.
        fchdir(base()?)?;
        chroot(c".")?;
        let file = files::open(HERE, c"host/proc/self/mountinfo", OFlags::RDONLY);
        chdir(HOST)?;
        chroot(c".")?;
        let file = file?;
        let (mut line, mut id, mut chunk) = (Text::new(), Text::new(), [0u8; PATH / 4]);
        let mut found = None;
        let mut count = 0;
        loop {
            let length = read(file, chunk.as_mut_slice())?;
            if length == 0 {
                return Ok(found);
            }
            for byte in chunk.get(..length).unwrap_or_default() {
                if *byte != b'\n' {
                    line.byte(*byte);
                    continue;
                }
                if let Some(mount) = Line::read(line.bytes(), place) {
                    let mut where_to = Text::new();
                    unescape(mount.path, &mut where_to);
                    match &mut found {
                        None if count == index => {
                            id.push(mount.id);
                            path.push(where_to.bytes());
                            found = Some(Found { flags: mount.flags, covered: false });
                        }
                        Some(found) => found.covered |= mount.parent == id.bytes() && where_to.bytes() == path.bytes(),
                        None => {}
                    }
                    count += 1;
                }
                line.truncate(0);
            }
        }
    }
}

/// A line of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
struct Line<'l> {
    id: &'l [u8],
    parent: &'l [u8],
    /// From some place on.
    path: &'l [u8],
    flags: u32,
}

impl<'l> Line<'l> {
    /// What it says, if it tells of a mount at or below `place`.
    fn read(line: &'l [u8], place: &[u8]) -> Option<Line<'l>> {
        let mut rest = line;
        let mut field = || {
            let (field, after) = text::word(rest, b' ')?;
            rest = after;
            Some(field)
        };
        let (id, parent, _device, _root) = (field()?, field()?, field()?, field()?);
        let path = text::after(field()?, place).filter(|path| matches!(path.first(), None | Some(b'/')))?;
        let mut options = field()?;
        let mut flags = 0;
        while let Some((option, after)) = text::word(options, b',') {
            options = after;
            flags |= match option {
                b"ro" => raw::MS_RDONLY,
                b"nosuid" => raw::MS_NOSUID,
                b"nodev" => raw::MS_NODEV,
                b"noexec" => raw::MS_NOEXEC,
                _ => 0,
            };
        }
        Some(Line { id, parent, path, flags })
    }
}

/// The kernel writes four characters as a backslash and three octal digits.
fn unescape(path: &[u8], to: &mut Text) {
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
    fn mountinfo_is_read() {
        let line =
            b"36 35 98:0 /mnt1 /nsinit.tree/a\\040b ro,nosuid,relatime master:1 - ext3 /dev/root rw,errors=continue";
        let read = Line::read(line, b"/nsinit.tree").unwrap();
        assert_eq!((read.id, read.parent, read.path), (&b"36"[..], &b"35"[..], &b"/a\\040b"[..]));
        assert_eq!(read.flags, raw::MS_RDONLY | raw::MS_NOSUID);
        let mut text = Text::new();
        unescape(read.path, &mut text);
        assert_eq!(text.bytes(), b"/a b");
        assert!(Line::read(line, b"/nsinit.tr").is_none());
        assert!(Line::read(line, b"/mnt1").is_none());
    }
}
