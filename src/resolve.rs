//! A path of the container's, resolved below the root to a descriptor. Whoever wrote the root directory may have
//! put symbolic links anywhere in it and may rename what we look at: nothing of that leads outside.
//!
//! openat2(2) with RESOLVE_IN_ROOT does it in the kernel. Before Linux 5.6, or where a filter forbids it, a walk of
//! our own does, one component at a time, never following a link that it did not read itself.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, mkdirat, mknodat, openat, openat2, readlinkat_raw};
use rustix::io::Errno;

use crate::text::{PATH, Text};

/// NAME_MAX of the kernel, and the terminating NUL.
const NAME: usize = 256;
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

/// Why there is no descriptor.
pub enum Refusal {
    Kernel(Errno),
    /// The last component is a symbolic link, which is never followed.
    Symlink,
    /// There is something of the other kind.
    Kind(Kind),
    /// It is missing and can't be made, because the place is read-only.
    ReadOnly,
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Refusal {
        if errno == Errno::ROFS { Refusal::ReadOnly } else { Refusal::Kernel(errno) }
    }
}

/// The descriptor (O_PATH) of what `path` names below `root`, made with its parents where it is missing.
///
/// # Errors
/// See [`Refusal`].
pub fn make(root: BorrowedFd<'_>, path: &[u8], kind: Kind) -> Result<OwnedFd, Refusal> {
    let (parent, name) = split(path);
    let parent = directory(root, parent)?;
    let Some(name) = name else { return Ok(parent) };
    let found = match open(parent.as_fd(), name) {
        Err(Errno::NOENT) => {
            made(match kind {
                Kind::Directory => mkdirat(&parent, name, Mode::from_raw_mode(0o755)),
                Kind::File => mknodat(&parent, name, FileType::RegularFile, Mode::from_raw_mode(0o644), 0),
            })?;
            open(parent.as_fd(), name)?
        }
        other => other?,
    };
    match (file_type(found.as_fd())?, kind) {
        (FileType::Symlink, _) => Err(Refusal::Symlink),
        (FileType::Directory, Kind::File) => Err(Refusal::Kind(kind)),
        (FileType::Directory, Kind::Directory) => Ok(found),
        (_, Kind::Directory) => Err(Refusal::Kind(kind)),
        (_, Kind::File) => Ok(found),
    }
}

/// The directory (O_PATH) that the last component of `path` lies in, made where it is missing, and that component.
///
/// # Errors
/// See [`Refusal`]; EEXIST if the path has no last component of its own, as in `a/..`.
pub fn make_parent<'p>(root: BorrowedFd<'_>, path: &'p [u8]) -> Result<(OwnedFd, &'p [u8]), Refusal> {
    let (parent, name) = split(path);
    let name = name.ok_or(Errno::EXIST)?;
    Ok((directory(root, parent)?, name))
}

/// What `fd` is.
///
/// # Errors
/// Those of fstat(2).
pub fn file_type(fd: BorrowedFd<'_>) -> Result<FileType, Errno> {
    Ok(FileType::from_raw_mode(fstat(fd)?.st_mode))
}

/// The parent's path and the last component; no component where the path ends in `.` or `..` or names the root.
fn split(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    let path = path.get(..end).unwrap_or_default();
    let start = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    match path.split_at_checked(start) {
        Some((parent, name)) if !matches!(name, b"" | b"." | b"..") => (parent, Some(name)),
        _ => (path, None),
    }
}

/// The directory at `path`, made with its parents where it is missing.
fn directory(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Refusal> {
    match open_below(root, path) {
        Err(Errno::NOENT) => {}
        other => return Ok(other?),
    }
    let mut at = open_below(root, b"")?;
    let mut start = 0;
    for end in (0..=path.len()).filter(|end| matches!(path.get(*end), None | Some(b'/'))) {
        let (prefix, name) = (path.get(..end).unwrap_or_default(), path.get(start..end).unwrap_or_default());
        start = end + 1;
        at = match open_below(root, prefix) {
            Err(Errno::NOENT) => {
                made(mkdirat(&at, name, Mode::from_raw_mode(0o755)))?;
                open_below(root, prefix)?
            }
            other => other?,
        };
    }
    Ok(at)
}

/// That somebody made it between our looking and our making is no error: what it is now is looked at afterwards.
fn made(result: Result<(), Errno>) -> Result<(), Errno> {
    if result == Err(Errno::EXIST) { Ok(()) } else { result }
}

/// One component, itself: if it is a symbolic link, the link.
fn open(dir: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    openat(dir, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

/// The directory at `path`, links followed as if `root` were `/`.
fn open_below(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    let path = if path.is_empty() { b"." } else { path };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    for _ in 0..TRIES_MAX {
        match openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS) {
            Err(Errno::AGAIN) => {}
            Err(Errno::NOSYS | Errno::PERM) => return walk(root, path),
            other => return other,
        }
    }
    Err(Errno::AGAIN)
}

/// [`open_below`] without openat2.
fn walk(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    let mut todo = Text::<PATH>::new();
    todo.push(path);
    let mut next = 0;
    // The components gone through, links resolved: `..` means all but the last of them, from the root again, for
    // what the kernel calls the parent may have been moved out of the root by now.
    let mut done = Text::<PATH>::new();
    let mut at = open(root, b".")?;
    let mut links = 0;
    loop {
        let mut name = Text::<NAME>::new();
        let rest = todo.bytes().get(next..).unwrap_or_default();
        let slashes = rest.iter().take_while(|byte| **byte == b'/').count();
        let rest = rest.get(slashes..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| **byte != b'/').count();
        name.push(rest.get(..length).unwrap_or_default());
        next += slashes + length;
        if todo.c_str().and(name.c_str()).is_none() {
            return Err(Errno::NAMETOOLONG);
        }
        match name.bytes() {
            b"" => return if file_type(at.as_fd())?.is_dir() { Ok(at) } else { Err(Errno::NOTDIR) },
            b"." => continue,
            b".." => {
                let parent = done.bytes().iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                done.truncate(parent);
                at = again(root, done.bytes())?;
                continue;
            }
            _ => {}
        }
        let found = open(at.as_fd(), name.bytes())?;
        if !file_type(found.as_fd())?.is_symlink() {
            done.push(b"/").push(name.bytes());
            at = found;
            continue;
        }
        links += 1;
        if links > LINKS_MAX {
            return Err(Errno::LOOP);
        }
        let mut buffer = [0u8; PATH];
        let target = readlinkat_raw(&found, c"", buffer.as_mut_slice())?;
        let target = buffer.get(..target).unwrap_or_default();
        if target.starts_with(b"/") {
            done.truncate(0);
            at = open(root, b".")?;
        }
        let mut longer = Text::<PATH>::new();
        longer.push(target).push(todo.bytes().get(next..).unwrap_or_default());
        (todo, next) = (longer, 0);
    }
}

/// Goes through components that were directories a moment ago.
fn again(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    let mut at = open(root, b".")?;
    for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        at = open(at.as_fd(), name)?;
        if !file_type(at.as_fd())?.is_dir() {
            return Err(Errno::AGAIN);
        }
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn paths_are_split_at_the_last_component() {
        type Split<'a> = (&'a [u8], Option<&'a [u8]>);
        let cases: [(&[u8], Split<'_>); 8] = [
            (b"/proc", (b"/", Some(b"proc"))),
            (b"proc", (b"", Some(b"proc"))),
            (b"/a//b///", (b"/a//", Some(b"b"))),
            (b"/", (b"", None)),
            (b"", (b"", None)),
            (b"/a/..", (b"/a/..", None)),
            (b"/a/.", (b"/a/.", None)),
            (b"/a/...", (b"/a/", Some(b"..."))),
        ];
        for (path, expected) in cases {
            assert_eq!(split(path), expected);
        }
    }
}
