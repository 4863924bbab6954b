//! Mounts on kernels that lack calls for mounts as descriptors: made by mount(2) in [`crate::fs::staging`], to be moved from there.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fd::BorrowedFd;
use rustix::fs::OFlags;

use crate::fs::resolve::{self, Kind};
use crate::fs::staging::{base, below_base, fd_path, plain};
use crate::mountinfo;
use crate::sys::files::{self, DIRECTORY, Fd, fchdir};
use crate::sys::{Done, Failure};
use crate::text::{self, Text};

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

/// As [`crate::fs::mount_fd::copy`], or with propagation 0 as [`crate::fs::mount_fd::bind`].
///
/// # Errors
/// The same; EAGAIN where somebody renames what mounts lie in.
pub fn copy(
    dir: BorrowedFd<'_>,
    path: &CStr,
    (set, cleared): (u32, u32),
    below: bool,
    propagation: u32,
) -> Result<Fd, Failure> {
    let opened;
    let source = if path.is_empty() {
        dir
    } else {
        opened = files::open(dir, path, OFlags::PATH)?;
        opened
    };
    let name = if files::kind(source)? == DIRECTORY { TREE } else { LEAF };
    let tree = make(fd_path(source, &mut Text::new()), name, c"", raw::MS_BIND | raw::MS_REC, c"")?;
    if propagation != 0 {
        plain(c"", name, c"", propagation | raw::MS_REC, c"")?;
    }
    let mut place = Text::new();
    place.byte(b'/').push(name.to_bytes());
    let mut follows = propagation == 0;
    loop {
        match restrict_all(tree, place.bytes(), set, cleared, below)? {
            Left::Nothing => return Ok(tree),
            // While the list was read a mount of the caller's may have gone, and then another has its number.
            Left::Unknown => {}
            Left::Covered if !follows => return Ok(tree),
            // What covers it is not to go before it.
            Left::Covered => {
                fchdir(base()?)?;
                plain(c"", name, c"", raw::MS_PRIVATE | raw::MS_REC, c"")?;
                follows = false;
            }
        }
    }
}

/// Sets the attributes (MS_*) of the mount at `place`.
///
/// # Errors
/// Those of mount(2).
pub fn remount(place: &CStr, flags: u32) -> Done {
    plain(c"", place, c"", raw::MS_REMOUNT | raw::MS_BIND | flags, c"")
}

/// What is not restricted.
#[derive(PartialEq, Eq)]
enum Left {
    Nothing,
    /// What another covers, and no path leads to.
    Covered,
    /// Something was not, and more may not be.
    Unknown,
}

/// Restricts every mount at or below `place`, where `tree` is, but those that another covers.
fn restrict_all(tree: Fd, place: &[u8], set: u32, cleared: u32, below: bool) -> Result<Left, Failure> {
    let mut left = Left::Nothing;
    for index in 0.. {
        // The first is the one that all others are below.
        if index > 0 && !below {
            break;
        }
        let mut path = Text::new();
        let Some(found) = Found::at(index, place, &mut path)? else { break };
        if found.has(set, cleared) {
            continue;
        }
        if found.covered {
            if left == Left::Nothing {
                left = Left::Covered;
            }
            continue;
        }
        let path = path.bytes();
        let mount = if path.is_empty() { tree } else { resolve::make(tree, path, Kind::Any, 0)? };
        remount(fd_path(mount, &mut Text::new()), found.flags & !cleared | set)?;
        // Somebody may have renamed what it lies in.
        if !Found::at(index, place, &mut Text::new())?.is_some_and(|now| now.has(set, cleared)) {
            return Err(Failure::AGAIN);
        }
        left = Left::Unknown;
    }
    Ok(left)
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
        let file = below_base(|callers| files::open(callers, c"proc/self/mountinfo", OFlags::RDONLY))?;
        let mut id = Text::new();
        let mut found: Option<Found> = None;
        let mut count = 0;
        mountinfo::each(file, &mut |mount| {
            let Some(below) = text::after(mount.path, place).filter(|path| matches!(path.first(), None | Some(b'/')))
            else {
                return;
            };
            let mut where_to = Text::new();
            mountinfo::unescape(below, &mut where_to);
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
        })?;
        Ok(found)
    }
}
