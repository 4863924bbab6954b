//! A mount as a descriptor: made where nobody sees it, restricted, and only then put where it belongs.
//!
//! Kernels before 5.12 lack calls for this, some or all (open_tree(2), fsopen(2), move_mount(2): Linux 5.2;
//! mount_setattr(2): 5.12). Where one is missing the mount is made by mount(2) in a directory of our own instead, and
//! moved from there. Which it is is found out by trying.

use core::ffi::CStr;
use core::sync::atomic::{AtomicU32, Ordering};

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::fs::{OFlags, fstatvfs};
use rustix::io::read;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags,
    fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, mount, move_mount, open_tree, unmount,
};
use rustix::process::{chdir, chroot, fchdir, pivot_root};

use crate::files::{self, DIRECTORY, Fd, HERE};
use crate::resolve::{self, Kind};
use crate::sys::{self, Done, Failure, keep_open};
use crate::text::{self, PATH, Text};

/// No set-id bits, no device files, no execution: what holds nothing but data. (The bits of MOUNT_ATTR_* and of MS_* are
/// the same for these and for read-only.)
pub const DATA: u32 = raw::MOUNT_ATTR_NOSUID | raw::MOUNT_ATTR_NODEV | raw::MOUNT_ATTR_NOEXEC;
/// No set-id bits and no device files.
pub const FILES: u32 = raw::MOUNT_ATTR_NOSUID | raw::MOUNT_ATTR_NODEV;

/// The path of a descriptor of ours.
pub fn fd_path<'t>(fd: BorrowedFd<'_>, text: &'t mut Text) -> &'t CStr {
    text.push(b"/proc/self/fd/").push_number(fd.as_raw_fd().cast_unsigned());
    text.c_str()
}

/// A copy of the mount at `path`, seen from `dir`, with all below it, its attributes (MOUNT_ATTR_*) set and cleared (`below`:
/// of those too), and cut off from mount events of its origin. An empty path means `dir` itself.
///
/// # Errors
/// ENOENT, EACCES; EINVAL where something below may not be uncovered (mount_namespaces(7)); EPERM where an attribute is
/// locked.
pub fn copy(dir: BorrowedFd<'_>, path: &CStr, set: u32, cleared: u32, below: bool) -> Result<Fd, Failure> {
    use OpenTreeFlags as F;
    let flags = F::OPEN_TREE_CLONE | F::OPEN_TREE_CLOEXEC | F::AT_EMPTY_PATH | F::AT_RECURSIVE | F::AT_NO_AUTOMOUNT;
    let copied = open_tree(dir, path, flags).map_err(Failure::from).and_then(|tree| {
        let tree = keep_open(tree);
        sys::mount_setattr(tree, set, cleared, below).map(|()| tree)
    });
    match copied {
        Err(Failure::NOSYS) => copy_by_name(dir, path, set, cleared, below),
        other => other,
    }
}

/// A new mount of a new file system, nowhere yet: fsopen(2), fsconfig(2), fsmount(2).
///
/// # Errors
/// ENODEV: the kernel lacks the file system; EPERM: it may not be mounted here; ENOSYS before Linux 5.2.
pub fn detached(kind: &CStr, options: &[(&CStr, &CStr)], attributes: u32) -> Result<Fd, Failure> {
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in options {
        // An option without a value is a flag.
        if value.is_empty() {
            fsconfig_set_flag(&context, *key)?;
        } else {
            fsconfig_set_string(&context, *key, *value)?;
        }
    }
    fsconfig_create(&context)?;
    let attributes = MountAttrFlags::from_bits_retain(attributes);
    Ok(keep_open(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?))
}

/// A new mount of a new file system, on every kernel; for process 1, whose mounts are its own.
///
/// # Errors
/// As [`detached`], and those of mount(2).
pub fn new(kind: &CStr, options: &[(&CStr, &CStr)], attributes: u32) -> Result<Fd, Failure> {
    match detached(kind, options, attributes) {
        Err(Failure::NOSYS) => {
            let mut text = Text::new();
            for (key, value) in options {
                text.push(key.to_bytes());
                if !value.is_empty() {
                    text.byte(b'=').push(value.to_bytes());
                }
                text.byte(b',');
            }
            let tree = by_name(c"none", TREE, kind, attributes & DATA, text.c_str())?;
            // Of the mount, not of the file system, which others may have mounted too.
            if attributes & raw::MOUNT_ATTR_RDONLY != 0 {
                make_read_only(tree)?;
            }
            Ok(tree)
        }
        made => made,
    }
}

/// Puts a mount onto the directory that `name` is in `dir`, and not what a link of that name leads to.
///
/// # Errors
/// As [`attach`]; ENOENT.
pub fn attach_at(tree: BorrowedFd<'_>, dir: BorrowedFd<'_>, name: &CStr) -> Done {
    Ok(move_mount(tree, c"", dir, name, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?)
}

/// Puts a mount onto what `place` is. Afterwards `tree` is the root of the mount there.
///
/// # Errors
/// ENOTDIR if one is a directory and the other is not; EINVAL if `place` is in another mount namespace.
pub fn attach(tree: BorrowedFd<'_>, place: BorrowedFd<'_>) -> Done {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    match move_mount(tree, c"", place, c"", flags).map_err(Failure::from) {
        Err(Failure::NOSYS) => {
            let (mut from, mut to) = (Text::new(), Text::new());
            plain(fd_path(tree, &mut from), fd_path(place, &mut to), c"", raw::MS_MOVE, c"")
        }
        done => done,
    }
}

/// mount(2), for places below a working directory that nobody else can write. The flags are MS_*.
///
/// # Errors
/// Those of mount(2).
#[inline(never)]
pub fn plain(source: &CStr, place: &CStr, kind: &CStr, flags: u32, options: &CStr) -> Done {
    Ok(mount(source, place, kind, MountFlags::from_bits_retain(flags), Some(options))?)
}

/// Makes the mount that `mount` is the root of read-only, and nothing below it.
///
/// # Errors
/// EINVAL if it is no mount's root.
pub fn make_read_only(mount: BorrowedFd<'_>) -> Done {
    match sys::mount_setattr(mount, raw::MOUNT_ATTR_RDONLY, 0, false) {
        Err(Failure::NOSYS) => {
            let flags = fstatvfs(mount)?.f_flag.bits() as u32 & DATA;
            remount(fd_path(mount, &mut Text::new()), flags | raw::MS_RDONLY)
        }
        done => done,
    }
}

fn remount(place: &CStr, flags: u32) -> Done {
    plain(c"", place, c"", raw::MS_REMOUNT | raw::MS_BIND | flags, c"")
}

/// In [`base`]: where the caller's root is, and where the new one.
const HOST: &CStr = c"host";
/// See [`HOST`].
pub const ROOT: &CStr = c"root";
/// In [`base`]: the place of a mount on its way to where it belongs, and that of a file's. (No mount of the caller's has
/// such a path.)
const TREE: &CStr = c"nsinit.tree";
/// See [`TREE`].
const LEAF: &CStr = c"nsinit.leaf";

/// The descriptor of [`base`]; 0 as long as there is none.
static BASE: AtomicU32 = AtomicU32::new(0);

/// Process 1's place for files and mounts that nobody else sees, made at the first call: a tmpfs that has the caller's root
/// in it, so that the new root is not below that and no copy of `/` contains it. For us `/` stays what it was.
///
/// # Errors
/// Those of mount(2), pivot_root(2) and chroot(2).
pub fn base() -> Result<Fd, Failure> {
    if base_number() == 0 {
        plain(c"tmpfs", c"/", c"tmpfs", FILES, c"mode=0700")?;
        // What is mounted on top of `/` is what its parent leads to.
        let base = files::directory(HERE, c"/..")?;
        for name in [HOST, ROOT] {
            files::make_directory(base, name, 0o700)?;
        }
        fchdir(base)?;
        pivot_root(c".", HOST)?;
        chdir(HOST)?;
        chroot(c".")?;
        sys::keep_opened();
        BASE.store(base.as_raw_fd().cast_unsigned(), Ordering::Relaxed);
    }
    Ok(sys::given(base_number()))
}

fn base_number() -> u32 {
    BASE.load(Ordering::Relaxed)
}

/// Makes `tree` the place that everything else goes below.
///
/// # Errors
/// As [`attach`].
pub fn begin_root(tree: BorrowedFd<'_>) -> Done {
    let place = if base_number() == 0 { files::directory(HERE, c"/")? } else { files::directory(base()?, ROOT)? };
    attach(tree, place)
}

/// Enters `root`, a mount that [`begin_root`] was about or one on top of it, and leaves the caller's behind.
///
/// # Errors
/// Those of pivot_root(2): EINVAL in an initramfs.
pub fn enter_root(root: BorrowedFd<'_>) -> Done {
    if base_number() != 0 {
        fchdir(base()?)?;
        chroot(c".")?;
    }
    fchdir(root)?;
    // The old root ends up on top of the new one, where `.` still leads to it: no directory for it is needed.
    Ok(pivot_root(c".", c".")?)
}

/// Detaches what [`enter_root`] left behind.
///
/// # Errors
/// Those of umount(2); EBUSY if something is left, which would show as `/..`.
pub fn detach_host() -> Done {
    unmount(c".", UnmountFlags::DETACH)?;
    if sys::mount_id(c"/..")? == sys::mount_id(c".")? { Ok(()) } else { Err(Failure::BUSY) }
}

/// mount(2) on [`TREE`] or [`LEAF`]; what is mounted there.
fn by_name(source: &CStr, name: &CStr, kind: &CStr, flags: u32, options: &CStr) -> Result<Fd, Failure> {
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

/// A new mount of an overlay, whose options are too long for fsconfig(2).
///
/// # Errors
/// Those of mount(2).
pub fn overlay(options: &CStr, flags: u32) -> Result<Fd, Failure> {
    by_name(c"overlay", TREE, c"overlay", flags, options)
}

fn copy_by_name(dir: BorrowedFd<'_>, path: &CStr, set: u32, cleared: u32, below: bool) -> Result<Fd, Failure> {
    let opened;
    let source = if path.is_empty() {
        dir
    } else {
        opened = files::open(dir, path, OFlags::PATH)?;
        opened
    };
    let name = if files::kind(source)? == DIRECTORY { TREE } else { LEAF };
    let tree = by_name(fd_path(source, &mut Text::new()), name, c"", raw::MS_BIND | raw::MS_REC, c"")?;
    plain(c"", name, c"", raw::MS_PRIVATE | raw::MS_REC, c"")?;
    restrict_all(tree, Text::new().byte(b'/').push(name.to_bytes()).bytes(), set, cleared, below)?;
    Ok(tree)
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
