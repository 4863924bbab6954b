//! A path of the container's, resolved below the root to a descriptor. Whoever wrote the root directory may have
//! put symbolic links anywhere in it and may rename what we look at: nothing of that leads outside.
//!
//! One walk of our own does it, a component at a time, and makes what is missing on the way. The kernel never
//! follows a link for us, and never `..`: it could lead to where a directory was moved a moment ago. openat2(2) with
//! RESOLVE_IN_ROOT is not used: it makes nothing on the way, and where it is missing there would be a second way to
//! do the same.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{OFlags, fstatfs};

use crate::sys::Failure;
use crate::sys::files::{self, DIRECTORY, Fd, LINK};
use crate::text::{self, PATH, Text};

/// How many symbolic links one path may go through: the kernel's MAXSYMLINKS.
const LINKS_MAX: u32 = 40;

/// What is to be at the end of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Directory,
    /// An empty file, to mount a file on.
    File,
    /// Whatever is there; nothing is made.
    Any,
}

/// The mode of directories that are made on the way, unless something else was said.
pub const PARENTS: u32 = 0o755;

/// The descriptor (O_PATH) of what `path` names below `root`, made where it is missing; so are its parents, with the mode
/// `parents`. The last component is never followed.
///
/// # Errors
/// [`Failure::SYMLINK`], [`Failure::NO_DIRECTORY`], [`Failure::NO_FILE`]; [`Failure::DANGLING`]; and those of openat(2) and mkdir(2).
pub fn make(root: Fd, path: &[u8], kind: Kind, parents: u32) -> Result<Fd, Failure> {
    let mut name = Text::new();
    let parent = parent(root, path, &mut name, if kind == Kind::Any { 0 } else { parents })?;
    if name.bytes().is_empty() {
        return Ok(parent);
    }
    // Most are, and then nothing else is to be asked.
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

/// The directory (O_PATH) that the last component of `path` lies in, made with that mode where it is missing (0: it is
/// not); that component, which is empty where the path ends in `.` or `..` or is the root's, goes to `name`.
///
/// # Errors
/// ELOOP after 40 links; those of openat(2) and mkdir(2).
pub fn parent(root: Fd, path: &[u8], name: &mut Text, mode: u32) -> Result<Fd, Failure> {
    let (parent, last) = split(path);
    name.push(last);
    // Most lie in the root itself, or in directories that are there.
    match again(root, parent) {
        Ok(parent) => Ok(parent),
        Err(_) => walk(root, parent, mode),
    }
}

/// The directory (O_PATH) that `path` leads to, its last component too.
///
/// # Errors
/// ENOTDIR; as [`parent`].
pub fn directory(root: Fd, path: &[u8]) -> Result<Fd, Failure> {
    walk(root, path, 0)
}

/// The directory that `path` leads to, made with that mode where it is missing: components of the path itself, and none of what a
/// link says, which leads to what is there or nowhere. Apart, for its buffers are five pages of stack.
#[inline(never)]
fn walk(root: Fd, path: &[u8], mode: u32) -> Result<Fd, Failure> {
    let mut todo = Text::new();
    if todo.push(path).is_full() {
        return Err(Failure::NAMETOOLONG);
    }
    let mut from = 0;
    // So many bytes at the end of `todo` are still the path's own.
    let mut own = path.len();
    // The components gone through, links resolved.
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
                // All but the last, from the root again: what the kernel calls the parent may be elsewhere by now.
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
                        // A magic link (/proc/PID/fd/N, /proc/PID/root) leads to a place outside the root, whatever it reads. As
                        // RESOLVE_NO_MAGICLINKS of openat2(2); but that there are others in a procfs makes no difference here.
                        if links > LINKS_MAX || fstatfs(found)?.f_type as u64 == u64::from(raw::PROC_SUPER_MAGIC) {
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

/// What `name` is in `dir`, itself; made if nothing is there. That somebody makes it at the same moment is no error:
/// what it is then is looked at afterwards.
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

/// Goes through components that are directories, or were a moment ago.
fn again(root: Fd, path: &[u8]) -> Result<Fd, Failure> {
    let (mut at, mut rest) = (root, path);
    let mut component = Text::new();
    while let Some(word) = text::word(&mut rest, b'/') {
        match word {
            b"" => continue,
            // Where they lead is not for the kernel to say.
            b"." | b".." => return Err(Failure::AGAIN),
            _ => {}
        }
        component.truncate(0);
        at = enter(at, component.push(word).c_str())?;
    }
    Ok(at)
}

/// What `name` is in `dir`, if it is a directory itself: ENOTDIR.
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
    use super::split;

    #[test]
    fn paths_are_split_at_the_last_component() {
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
