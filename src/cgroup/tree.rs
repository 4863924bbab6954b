//! The tree of cgroups: the own cgroup, that of another process, and those that are named.

use core::ffi::CStr;

use rustix::fs::OFlags;

#[cfg(feature = "cgroup")]
use crate::fs::mount_fd;
use crate::fs::procfs;
use crate::ns::target::{Target, line_after, read_whole};
use crate::sys::files::{self, Fd, HERE};
use crate::sys::{Failure, c_str};
use crate::text::{self, List, PATH, Text};

/// `CGROUP2_SUPER_MAGIC`.
const CGROUP2: u64 = 0x6367_7270;

/// What every directory of a cgroup is opened with.
pub const READ: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW);
/// The file that lists the controllers that children of the cgroup can have.
pub const CONTROLLERS: &CStr = c"cgroup.controllers";
/// The file that enables controllers for the children of a cgroup.
pub const CONTROL: &CStr = c"cgroup.subtree_control";
/// The file that lists the processes of a cgroup. A process id that is written to it moves that process to the cgroup; 0 moves the
/// writer.
pub const PROCESSES: &CStr = c"cgroup.procs";

/// Where the tree of version 2 is mounted.
const PLACES: List = List::of(b"/sys/fs/cgroup\0/sys/fs/cgroup/unified\0");

/// The line of /proc/PID/cgroup for version 2 begins with this.
pub const VERSION_2: &[u8] = b"0::";

/// The file cgroup.procs of the target's cgroup of version 2, open for writing; `None` if nsinit is in that cgroup already. `old` is
/// set to whether the two are in different cgroups of version 1.
///
/// # Errors
/// EXDEV: the cgroup is outside of the tree that nsinit sees; ENOENT: no cgroup2 is mounted at /sys/fs/cgroup or
/// /sys/fs/cgroup/unified; EACCES: nsinit may not write to the file; [`Failure::OLD_CGROUP`]: the target is in another cgroup of
/// version 1, which is not joined, and in none of version 2.
pub fn of(target: Target, proc: Fd, old: &mut bool) -> Result<Option<Fd>, Failure> {
    let (mut its, mut own) = ([0u8; PATH], [0u8; PATH]);
    read_whole(target.directory, c"cgroup", &mut its)?;
    read_whole(proc, c"self/cgroup", &mut own)?;
    *old = differ_in_version_1(&its, &own);
    let (its, own) = (line_after(&its, VERSION_2), line_after(&own, VERSION_2));
    let Some(path) = its.filter(|_| its != own) else {
        return if *old { Err(Failure::OLD_CGROUP) } else { Ok(None) };
    };
    let path = text::after(path, b"/").ok_or(Failure::XDEV)?;
    if text::after(path, b"..").is_some() {
        return Err(Failure::XDEV);
    }
    let mut file = Text::new();
    file.push(path).push(if path.is_empty() { b"" } else { b"/" }).push(b"cgroup.procs");
    files::open(tree()?, file.c_str(), OFlags::WRONLY).map(Some)
}

/// The tree of version 2, where it is mounted.
///
/// # Errors
/// ENOENT: no cgroup2 is mounted at /sys/fs/cgroup or /sys/fs/cgroup/unified.
pub fn tree() -> Result<Fd, Failure> {
    let trees = PLACES.strings().filter_map(|place| files::directory(HERE, place).ok());
    let mut trees = trees.filter(|tree| is_cgroup(*tree));
    trees.next().ok_or(Failure::NOENT)
}

fn is_cgroup(directory: Fd) -> bool {
    procfs::file_system(directory) == Ok(CGROUP2)
}

/// The cgroup to which a launcher moves the processes of the root of its cgroup namespace, itself among them, because that root may
/// have none if the cgroups below it are to have limits. It stays: the processes that are in it make cgroups beside it.
pub const LEAF: &CStr = c"nsinit-leaf";
/// The end of the path of a process in it.
const IN_LEAF: &[u8; 12] = b"/nsinit-leaf";

/// The directory of the cgroup of version 2 in which nsinit makes cgroups: its own, or that above [`LEAF`].
///
/// # Errors
/// ENOENT: no cgroup2 is mounted, or the cgroup is not in it; others: see open(2).
pub fn own(proc: Fd) -> Result<Fd, Failure> {
    below(tree()?, proc, true)
}

/// The directory of the own cgroup in that tree; with `above`, as [`own`] has it.
fn below(tree: Fd, proc: Fd, above: bool) -> Result<Fd, Failure> {
    let mut content = [0u8; PATH];
    read_whole(proc, c"self/cgroup", &mut content)?;
    let mut path = Text::new();
    path.byte(b'.').push(line_after(&content, VERSION_2).ok_or(Failure::NOENT)?);
    if above && text::before(path.bytes(), IN_LEAF).is_some() {
        path.truncate(path.bytes().len() - IN_LEAF.len());
    }
    files::directory(tree, path.c_str())
}

/// As [`own`]. Where no cgroup2 is mounted, root needs no mount.
///
/// # Errors
/// As [`own`].
#[cfg(feature = "cgroup")]
pub fn own_of_any(proc: Fd) -> Result<Fd, Failure> {
    below(any()?, proc, true)
}

/// The directory of the cgroup that this process is in.
///
/// # Errors
/// As [`own`].
#[cfg(feature = "cgroup")]
pub fn home(proc: Fd) -> Result<Fd, Failure> {
    below(any()?, proc, false)
}

/// Whether it is the root of the tree, as this process sees it.
///
/// # Errors
/// As [`own`].
#[cfg(feature = "cgroup")]
pub fn is_root(directory: Fd) -> Result<bool, Failure> {
    files::is_same(directory, any()?)
}

/// The tree of version 2, or a new mount of it.
///
/// # Errors
/// ENOENT: none is mounted, and this user may mount none.
#[cfg(feature = "cgroup")]
pub fn any() -> Result<Fd, Failure> {
    tree().or_else(|why| mount_fd::detached(c"cgroup2", &[], 0).map_err(|_| why))
}

/// The directory of the cgroup that `--cgroup` names: by its path as in /proc/PID/cgroup, or by the path of its directory.
///
/// # Errors
/// ENOENT: there is no such cgroup; [`Failure::NO_CGROUP`]: the directory is no cgroup of version 2; others: see open(2).
#[cfg(feature = "cgroup")]
pub fn named(path: &CStr) -> Result<Fd, Failure> {
    let directory = if text::after(path.to_bytes(), b"/sys/fs/cgroup").is_some() {
        files::directory(HERE, path)
    } else {
        let mut inside = Text::new();
        files::directory(any()?, inside.byte(b'.').push(path.to_bytes()).c_str())
    }?;
    if is_cgroup(directory) { Ok(directory) } else { Err(Failure::NO_CGROUP) }
}

/// Whether two lists of cgroups differ in a line of version 1.
fn differ_in_version_1(one: &[u8; PATH], other: &[u8; PATH]) -> bool {
    let (mut one, mut other) = (c_str(one).to_bytes(), c_str(other).to_bytes());
    while let (Some(its), Some(own)) = (text::word(&mut one, b'\n'), text::word(&mut other, b'\n')) {
        if its != own && text::after(its, VERSION_2).is_none() {
            return true;
        }
    }
    false
}
