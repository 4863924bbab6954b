//! Paths of the container, resolved below the root to a descriptor. The root directory may have symbolic links anywhere, and a process
//! may rename its files meanwhile: none of this leads outside of the root.
//!
//! The path is walked here, one component at a time, and missing directories are made. The kernel never follows a link here, and never
//! `..`: it could lead to where a directory was moved a moment ago. openat2(2) with RESOLVE_IN_ROOT is not used: it makes no
//! directories, and kernels without it would need a second walk.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{OFlags, fstatfs};

use crate::sys::Failure;
use crate::sys::files::{self, DIRECTORY, Fd, LINK};
use crate::text::{self, PATH, Short, Text};

/// The most symbolic links that one path may go through: the kernel's MAXSYMLINKS.
pub const LINKS_MAX: u32 = 40;

/// The kind of file that a path must lead to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Directory,
    /// An empty file, to mount a file on.
    File,
    /// Anything that exists; nothing is made.
    Any,
}

/// The mode of missing directories of a path, unless an option sets another.
pub const PARENTS: u32 = 0o755;

/// Opens (O_PATH) the file or directory `path` below `root`. A missing one is made, and its missing parents with the mode `parents`. The
/// last component is not followed if it is a symbolic link.
///
/// # Errors
/// [`Failure::SYMLINK`], [`Failure::NO_DIRECTORY`], [`Failure::NO_FILE`]: it exists and is of another kind; [`Failure::DANGLING`]: a
/// link on the path leads to a missing file; ELOOP: too many links, or a magic link; EROFS, EACCES: it cannot be made.
pub fn make(root: Fd, path: &[u8], kind: Kind, parents: u32) -> Result<Fd, Failure> {
    let mut name = Short::new();
    let parent = parent(root, path, &mut name, if kind == Kind::Any { 0 } else { parents })?;
    if name.bytes().is_empty() {
        return Ok(parent);
    }
    // Most paths lead to directories that exist: then one call is enough.
    if kind == Kind::Directory
        && let Ok(found) = enter(parent, name.c_str())
    {
        return Ok(found);
    }
    let mode = if kind == Kind::Directory { PARENTS } else { EMPTY };
    let found = look_or_make(parent, name.c_str(), kind, mode)?;
    match (files::kind(found)?, kind) {
        (LINK, _) => Err(Failure::SYMLINK),
        (DIRECTORY, Kind::File) => Err(Failure::NO_FILE),
        (DIRECTORY, _) | (_, Kind::File | Kind::Any) => Ok(found),
        (_, Kind::Directory) => Err(Failure::NO_DIRECTORY),
    }
}

/// The mode of a file that is mounted over.
const EMPTY: u32 = 0o444;

/// Opens (O_PATH) the directory that the last component of `path` is in. A missing directory is made with `mode`; 0: it is not made.
/// `name` gets the last component; it stays empty if the path ends in `.` or `..` or is the root itself.
///
/// # Errors
/// ELOOP: more than 40 links, or a magic link; ENOTDIR: a component is not a directory; ENOENT: a directory is missing and the mode is 0;
/// EROFS, EACCES: it cannot be made; ENAMETOOLONG: the last component has [`SHORT`](text::SHORT) bytes or more.
pub fn parent(root: Fd, path: &[u8], name: &mut Short, mode: u32) -> Result<Fd, Failure> {
    let (parent, last) = split(path);
    if name.push(last).is_full() {
        return Err(Failure::NAMETOOLONG);
    }
    // Most paths have only directories that exist before the last component.
    match again(root, parent) {
        Ok(parent) => Ok(parent),
        Err(_) => walk(root, parent, mode),
    }
}

/// Opens (O_PATH) the directory that `path` leads to. The last component is followed too.
///
/// # Errors
/// ENOTDIR: it is not a directory; others: as [`parent`].
pub fn directory(root: Fd, path: &[u8]) -> Result<Fd, Failure> {
    walk(root, path, 0)
}

/// Opens the file that `path` leads to, for reading. The last component is followed too. It must be of that kind (S_IFMT): to open a device
/// can have effects.
///
/// # Errors
/// [`Failure::NO_REGULAR`]: it is of another kind; ELOOP: too many links, or a magic link; others: as [`parent`] and open(2).
#[cfg(feature = "forms")]
pub fn file(root: Fd, path: &[u8], kind: u32) -> Result<Fd, Failure> {
    let (mut at, mut target) = (Text::new(), [0u8; PATH]);
    at.push(path);
    for _ in 0..LINKS_MAX {
        let mut name = Short::new();
        let directory = parent(root, at.bytes(), &mut name, 0)?;
        let found = files::look(directory, name.c_str())?;
        let is = files::kind(found)?;
        if is == LINK {
            if is_magic(fstatfs(found)?.f_type as u64) {
                return Err(Failure::LOOP);
            }
            let link = files::read_link(found, c"", &mut target)?;
            let own = at.bytes().iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
            at.truncate(if link.first() == Some(&b'/') { 0 } else { own });
            if at.push(link).is_full() {
                return Err(Failure::NAMETOOLONG);
            }
            continue;
        }
        if is != kind {
            return Err(Failure::NO_REGULAR);
        }
        let file = files::open(directory, name.c_str(), OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK)?;
        // Check again: another file may have its place now.
        return if files::is_same(file, found)? { Ok(file) } else { Err(Failure::NO_REGULAR) };
    }
    Err(Failure::LOOP)
}

/// Walks to the directory that `path` leads to. Missing directories of the path itself are made with `mode`; those in the target of
/// a link are not made. This is a function of its own, because its buffers take five pages of stack.
#[inline(never)]
fn walk(root: Fd, path: &[u8], mode: u32) -> Result<Fd, Failure> {
    let mut todo = Text::new();
    if todo.push(path).is_full() {
        return Err(Failure::NAMETOOLONG);
    }
    let mut from = 0;
    // This many bytes at the end of `todo` are from the path itself, not from a link.
    let mut own = path.len();
    // The components so far, without links.
    let mut done = Text::new();
    let mut component = Text::new();
    let mut at = root;
    let mut links = 0;
    loop {
        let mut rest = todo.bytes().get(from..).unwrap_or_default();
        let Some(word) = text::word(&mut rest, b'/') else { return Ok(at) };
        let is_own = todo.bytes().len() - from <= own;
        from += word.len() + 1;
        component.truncate(0);
        component.push(word);
        match word {
            b"" | b"." => {}
            b".." => {
                // All but the last component, from the root again: the kernel's parent may have been moved elsewhere.
                let all_but_last = done.bytes().iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                done.truncate(all_but_last);
                at = again(root, done.bytes())?;
            }
            _ => {
                let found = match look_or_make(at, component.c_str(), Kind::Directory, if is_own { mode } else { 0 }) {
                    Err(Failure::NOENT) if !is_own => return Err(Failure::DANGLING),
                    found => found?,
                };
                match files::kind(found)? {
                    DIRECTORY => {
                        if done.byte(b'/').push(word).is_full() {
                            return Err(Failure::NAMETOOLONG);
                        }
                        at = found;
                    }
                    LINK => {
                        links += 1;
                        if links > LINKS_MAX || is_magic(fstatfs(found)?.f_type as u64) {
                            return Err(Failure::LOOP);
                        }
                        let mut target = [0u8; PATH];
                        let target = files::read_link(found, c"", &mut target)?;
                        if target.first() == Some(&b'/') {
                            done.truncate(0);
                            at = root;
                        }
                        component.truncate(0);
                        own = own.min(rest.len());
                        component.push(target).byte(b'/').push(rest);
                        if component.is_full() {
                            return Err(Failure::NAMETOOLONG);
                        }
                        todo.truncate(0);
                        todo.push(component.bytes());
                        from = 0;
                    }
                    _ => return Err(Failure::NOTDIR),
                }
            }
        }
    }
}

/// Whether a link on that kind of file system (statfs(2)) may be a magic one: that (/proc/PID/fd/N, /proc/PID/root) leads outside of the root, whatever its text is. openat2(2) has RESOLVE_NO_MAGICLINKS
/// for it; here all links of a procfs are refused.
const fn is_magic(file_system: u64) -> bool {
    file_system == raw::PROC_SUPER_MAGIC as u64
}

/// Opens (O_PATH) `name` in `dir`, without following it. A missing one is made; if another process makes it at the same moment, that one
/// is opened, and the caller checks its kind.
fn look_or_make(dir: Fd, name: &CStr, kind: Kind, mode: u32) -> Result<Fd, Failure> {
    match files::look(dir, name) {
        Err(Failure::NOENT) if mode != 0 => {}
        found => return found,
    }
    let made = match kind {
        Kind::Directory => files::make_directory(dir, name, mode),
        Kind::File => files::make_file(dir, name, mode),
        Kind::Any => return Err(Failure::NOENT),
    };
    match made {
        Ok(()) | Err(Failure::EXIST) => files::look(dir, name),
        Err(why) => Err(why),
    }
}

/// Walks through components that should all be directories. AGAIN, ENOTDIR or ENOENT: one is not, or its name is long.
fn again(root: Fd, path: &[u8]) -> Result<Fd, Failure> {
    let (mut at, mut rest) = (root, path);
    let mut component = Short::new();
    while let Some(word) = text::word(&mut rest, b'/') {
        match word {
            b"" => continue,
            // The kernel must not resolve these.
            b"." | b".." => return Err(Failure::AGAIN),
            _ => {}
        }
        component.truncate(0);
        if component.push(word).is_full() {
            return Err(Failure::AGAIN);
        }
        at = enter(at, component.c_str())?;
    }
    Ok(at)
}

/// Opens (O_PATH) the directory `name` in `dir`; ENOTDIR if it is a link or a file.
fn enter(dir: Fd, name: &CStr) -> Result<Fd, Failure> {
    files::open(dir, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::DIRECTORY)
}

/// The parent's path and the last component; an empty one where the path ends in `.` or `..` or names the root.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    let path = path.get(..end).unwrap_or_default();
    let start = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    match path.split_at_checked(start) {
        Some((parent, name)) if !matches!(name, b"." | b"..") => (parent, name),
        _ => (path, b""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::files::HERE;
    use crate::text::SHORT;

    #[test]
    fn last_component_that_does_not_fit_is_refused() {
        let long = [b'a'; SHORT + 1];
        for (length, refused) in [(SHORT - 1, false), (SHORT, true), (SHORT + 1, true)] {
            let parent = parent(HERE, &long[..length], &mut Short::new(), 0);
            assert!(parent.err() == refused.then_some(Failure::NAMETOOLONG), "{length}");
        }
    }

    #[test]
    fn path_is_split_before_the_last_component() {
        let cases: [(&[u8], (&[u8], &[u8])); 8] = [
            (b"/proc", (b"/", b"proc")),
            (b"proc", (b"", b"proc")),
            (b"/a//b///", (b"/a//", b"b")),
            (b"/", (b"", b"")),
            (b"", (b"", b"")),
            (b"/a/..", (b"/a/..", b"")),
            (b"/a/.", (b"/a/.", b"")),
            (b"/a/...", (b"/a/", b"...")),
        ];
        for (path, expected) in cases {
            assert_eq!(split(path), expected);
        }
    }
}
