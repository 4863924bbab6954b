//! Mounts on kernels without the calls for mounts as descriptors (Linux 5.12): mount(2) makes them in [`crate::fs::staging`], and
//! they are moved from there.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fd::BorrowedFd;
use rustix::fs::OFlags;

use crate::fs::resolve::{self, Kind};
use crate::fs::staging::{self, Below, below_base, fd_path, mount_by_path};
use crate::mountinfo;
use crate::sys::files::{self, DIRECTORY, Fd, fchdir};
use crate::sys::{Done, Failure};
use crate::text::{self, Short, Text};

/// In [`staging::base`]: a mount whose root is a directory is made here and then moved. (No mount of the caller has such a path.)
pub const TREE: &CStr = c"nsinit.tree";

/// As [`TREE`], for a mount whose root is a file.
const LEAF: &CStr = c"nsinit.leaf";

/// Calls mount(2) on [`TREE`] or `LEAF`. Returns the root of the mount.
///
/// # Errors
/// ENODEV: the kernel lacks the file system; EPERM: it may not be mounted here; EINVAL: an option is wrong, or a mount below the source
/// may not be uncovered.
pub fn make(source: &CStr, name: &CStr, kind: &CStr, flags: u32, options: &CStr) -> Result<Fd, Failure> {
    let base = staging::base()?;
    let made =
        if name == LEAF { files::make_file(base, name, 0o600) } else { files::make_directory(base, name, 0o700) };
    match made {
        Ok(()) | Err(Failure::EXIST) => {}
        Err(why) => return Err(why),
    }
    fchdir(base)?;
    mount_by_path(source, name, kind, flags, options)?;
    files::look(base, name)
}

/// As [`crate::fs::mount_fd::copy`], or with propagation 0 as [`crate::fs::mount_fd::bind`].
///
/// # Errors
/// As [`crate::fs::mount_fd::copy`]; EAGAIN: a directory that a mount is in was renamed meanwhile.
#[cold]
#[inline(never)]
pub fn copy(
    dir: BorrowedFd<'_>,
    path: &CStr,
    (set, cleared): (u32, u32),
    below: Below,
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
    let all = if below == Below::Left { 0 } else { raw::MS_REC };
    let tree = make(fd_path(source, &mut Short::new()), name, c"", raw::MS_BIND | all, c"")?;
    if propagation != 0 {
        mount_by_path(c"", name, c"", propagation | raw::MS_REC, c"")?;
    }
    let mut place = Short::new();
    place.byte(b'/').push(name.to_bytes());
    let mut follows = propagation == 0;
    loop {
        match restrict_all(tree, place.bytes(), set, cleared, below == Below::Restricted)? {
            Left::Nothing => return Ok(tree),
            // A mount of the caller may have been removed while the list was read: then another mount has its index.
            Left::Unknown => {}
            Left::Covered if !follows => return Ok(tree),
            // The covering mount must not be removed before the covered one: stop the propagation that could remove it.
            Left::Covered => {
                fchdir(staging::base()?)?;
                mount_by_path(c"", name, c"", raw::MS_PRIVATE | raw::MS_REC, c"")?;
                follows = false;
            }
        }
    }
}

/// Sets the attributes (MS_*) of the mount at `place`.
///
/// # Errors
/// EPERM: an attribute that is cleared is locked; EINVAL: `place` is not a mount point.
pub fn remount(place: &CStr, flags: u32) -> Done {
    mount_by_path(c"", place, c"", raw::MS_REMOUNT | raw::MS_BIND | flags, c"")
}

/// The mounts that are not restricted.
#[derive(PartialEq, Eq)]
enum Left {
    Nothing,
    /// Mounts that another covers: no path leads to them.
    Covered,
    /// This pass has restricted one, and others may be left.
    Unknown,
}

/// Restricts every mount at or below `place`, the path of `tree`, except mounts that another covers.
fn restrict_all(tree: Fd, place: &[u8], set: u32, cleared: u32, below: bool) -> Result<Left, Failure> {
    let mut left = Left::Nothing;
    for index in 0.. {
        // The first mount is the one that all others are below.
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
        remount(fd_path(mount, &mut Short::new()), found.flags & !cleared | set)?;
        // Check again: a directory that it is in may have been renamed.
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
    /// Another mount covers all of it.
    covered: bool,
}

impl Found {
    fn has(&self, set: u32, cleared: u32) -> bool {
        self.flags & set == set && self.flags & cleared == 0
    }

    /// The mount with that index among those at or below `place`; `path` gets its path from there.
    fn at(index: u32, place: &[u8], path: &mut Text) -> Result<Option<Found>, Failure> {
        // The list has only the mounts below the root of the process that opens it: the root must be the base for a moment.
        let file = below_base(|callers| files::open(callers, c"proc/self/mountinfo", OFlags::RDONLY))?;
        let mut id = Short::new();
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
