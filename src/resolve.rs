//! A path of the container's, resolved below the root to a descriptor. Whoever wrote the root directory may have
//! put symbolic links anywhere in it and may rename what we look at: nothing of that leads outside.
//!
//! openat2(2) with RESOLVE_IN_ROOT does it in the kernel. Before Linux 5.6, or where a filter forbids it, a walk of
//! our own does, one component at a time, never following a link that it did not read itself.

use core::ffi::CStr;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, openat2};

use crate::files;
use crate::sys::{Done, Failure};
use crate::text::{PATH, Text};

/// How often openat2 is asked again while someone renames directories under it (EAGAIN).
const TRIES_MAX: u32 = 128;
/// How many symbolic links one path may go through: the kernel's MAXSYMLINKS.
const LINKS_MAX: usize = 40;

/// What is to be at the end of a path if nothing is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Directory,
    /// An empty file, to mount a file on.
    File,
}

/// The descriptor (O_PATH) of what `path` names below `root`, made with its parents where it is missing.
///
/// # Errors
/// [`Failure::SYMLINK`], [`Failure::NO_DIRECTORY`], [`Failure::NO_FILE`], and those of openat2(2) and mkdir(2).
pub fn make(root: BorrowedFd<'_>, path: &[u8], kind: Kind) -> Result<OwnedFd, Failure> {
    let mut name = Text::new();
    let parent = make_parent(root, path, &mut name)?;
    if name.bytes().is_empty() {
        return Ok(parent);
    }
    let name = path_of(&name)?;
    let found = match files::look(parent.as_fd(), name) {
        Err(Failure::NOENT) => {
            made(match kind {
                Kind::Directory => files::make_directory(parent.as_fd(), name, 0o755),
                Kind::File => files::make_file(parent.as_fd(), name, 0o644),
            })?;
            files::look(parent.as_fd(), name)?
        }
        other => other?,
    };
    match (files::kind(found.as_fd())?, kind) {
        (FileType::Symlink, _) => Err(Failure::SYMLINK),
        (FileType::Directory, Kind::Directory) => Ok(found),
        (FileType::Directory, Kind::File) => Err(Failure::NO_FILE),
        (_, Kind::Directory) => Err(Failure::NO_DIRECTORY),
        (_, Kind::File) => Ok(found),
    }
}

/// The directory (O_PATH) that the last component of `path` lies in, made where it is missing; that component, which is
/// empty where the path ends in `.` or `..`, goes to `name`.
///
/// # Errors
/// Those of openat2(2) and mkdir(2).
pub fn make_parent(root: BorrowedFd<'_>, path: &[u8], name: &mut Text) -> Result<OwnedFd, Failure> {
    let (parent, last) = split(path);
    name.push(last);
    let mut so_far = Text::new();
    match open_below(root, path_of(so_far.push(parent))?) {
        Err(Failure::NOENT) => {}
        other => return other,
    }
    so_far.truncate(0);
    let mut at = open_below(root, c"")?;
    for component in parent.split(|byte| *byte == b'/') {
        let mut here = Text::new();
        so_far.push(component).push(b"/");
        at = match open_below(root, path_of(&so_far)?) {
            Err(Failure::NOENT) => {
                made(files::make_directory(at.as_fd(), path_of(here.push(component))?, 0o755))?;
                open_below(root, path_of(&so_far)?)?
            }
            other => other?,
        };
    }
    Ok(at)
}

fn path_of(text: &Text) -> Result<&CStr, Failure> {
    text.c_str().ok_or(Failure::NAMETOOLONG)
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

/// That somebody made it between our looking and our making is no error: what it is now is looked at afterwards.
fn made(result: Done) -> Done {
    if result == Err(Failure::EXIST) { Ok(()) } else { result }
}

/// The directory at `path`, links followed as if `root` were `/`.
fn open_below(root: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd, Failure> {
    let path = if path.is_empty() { c"." } else { path };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    for _ in 0..TRIES_MAX {
        let found = openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS);
        match found.map_err(Failure::from) {
            Err(Failure::AGAIN) => {}
            Err(Failure::NOSYS | Failure::PERM) => return walk(root, path.to_bytes()),
            other => return other,
        }
    }
    Err(Failure::AGAIN)
}

/// [`open_below`] without openat2.
fn walk(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Failure> {
    let mut todo = Text::new();
    todo.push(path);
    // The components gone through, links resolved: `..` means all but the last of them, from the root again, for
    // what the kernel calls the parent may have been moved out of the root by now.
    let mut done = Text::new();
    let mut at = files::look(root, c".")?;
    let mut links = 0;
    loop {
        let mut name = Text::new();
        let mut rest = Text::new();
        let mut parts = todo.bytes().splitn(2, |byte| *byte == b'/');
        name.push(parts.next().unwrap_or_default());
        rest.push(parts.next().unwrap_or_default());
        let ended = !todo.bytes().contains(&b'/');
        match name.bytes() {
            b"" | b"." => {}
            b".." => {
                let parent = done.bytes().iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                done.truncate(parent);
                at = again(root, done.bytes())?;
            }
            component => {
                let found = files::look(at.as_fd(), path_of(&name)?)?;
                if files::kind(found.as_fd())?.is_symlink() {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(Failure::LOOP);
                    }
                    let mut buffer = [0u8; PATH];
                    let target = files::read_link(found.as_fd(), c"", &mut buffer)?;
                    if target.starts_with(b"/") {
                        done.truncate(0);
                        at = files::look(root, c".")?;
                    }
                    todo.truncate(0);
                    todo.push(target).push(b"/").push(rest.bytes());
                    path_of(&todo)?;
                    continue;
                }
                done.push(b"/").push(component);
                at = found;
            }
        }
        if ended {
            return if files::kind(at.as_fd())?.is_dir() { Ok(at) } else { Err(Failure::NOTDIR) };
        }
        todo = rest;
    }
}

/// Goes through components that were directories a moment ago.
fn again(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Failure> {
    let mut at = files::look(root, c".")?;
    for component in path.split(|byte| *byte == b'/').filter(|component| !component.is_empty()) {
        at = files::look(at.as_fd(), path_of(Text::new().push(component))?)?;
        if !files::kind(at.as_fd())?.is_dir() {
            return Err(Failure::AGAIN);
        }
    }
    Ok(at)
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
