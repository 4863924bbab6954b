//! Another process, and the namespaces that it is in (namespaces(7)).
//!
//! A pid may belong to another process a moment later. So nsinit first opens a descriptor of the process, and reads everything from
//! one directory of /proc, which never becomes that of another process.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{OFlags, fstat};
use rustix::process::Pid;

use crate::fs::procfs;
use crate::lines;
use crate::spec::kinds;
use crate::sys::files::{self, Fd, read};
use crate::sys::{self, Done, Failure, c_str};
use crate::text::{self, PATH, Text};

/// A process that is held by descriptors. If its pid is used again, they do not lead to the new process.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its directory in /proc.
    pub directory: Fd,
    /// A pidfd, if the kernel has these (Linux 5.3).
    pub handle: Option<Fd>,
    /// It is the child of the process that was named.
    pub stands_in: bool,
}

/// The name of a descriptor begins with this: `fd:N`.
pub const FD: &[u8] = b"fd:";

/// Checks whether the process may be inspected, with open(2): if it may not, stat(2) of `ns/user` succeeds on Linux 5.10, for another
/// file.
pub(super) fn inspect(target: Target) -> Done {
    match files::open(target.directory, c"ns/user", OFlags::RDONLY) {
        Ok(_) => Ok(()),
        // It has ended, and its parent has not waited for it.
        Err(Failure::NOENT) => Err(Failure::SRCH),
        Err(why) => Err(why),
    }
}

/// The process with this pid.
///
/// # Errors
/// ESRCH: there is none, or it has ended; others: see open(2).
pub fn with_number(proc: Fd, number: u32) -> Result<Target, Failure> {
    let handle = match sys::pidfd_open(number) {
        Err(Failure::NOSYS | Failure::PERM) => None,
        // It is the number of a thread, or of no process.
        Err(Failure::INVAL | Failure::NOENT) => return Err(Failure::SRCH),
        other => Some(other?),
    };
    let pid = Pid::from_raw(number.cast_signed()).ok_or(Failure::SRCH)?;
    let directory =
        procfs::process(proc, pid).map_err(|why| if why == Failure::NOENT { Failure::SRCH } else { why })?;
    match handle.map(sys::has_ended) {
        // The directory may be that of a later process with the same pid.
        Some(true) => Err(Failure::SRCH),
        _ => Ok(Target { directory, handle, stands_in: false }),
    }
}

/// The rest of the line that begins with `beginning`.
#[must_use]
pub fn line_after<'t>(content: &'t [u8], beginning: &[u8]) -> Option<&'t [u8]> {
    let mut rest = content;
    while let Some(line) = text::word(&mut rest, b'\n') {
        if let Some(found) = text::after(line, beginning) {
            return Some(found);
        }
    }
    None
}

/// Reads a whole file, with a NUL behind it.
///
/// # Errors
/// [`Failure::TOO_LONG`]: it does not fit; others: see open(2) and read(2).
pub fn read_whole(directory: rustix::fd::BorrowedFd<'_>, path: &CStr, content: &mut [u8; PATH]) -> Done {
    read_open(files::open(directory, path, OFlags::RDONLY | OFlags::NONBLOCK)?, content)
}

/// As [`read_whole`], and closes the file.
///
/// # Errors
/// As [`read_whole`].
pub(super) fn read_open(file: Fd, content: &mut [u8; PATH]) -> Done {
    let (place, _) = content.split_at_mut(PATH - 1);
    let length = read(file, place);
    sys::close(file);
    let length = length? as usize;
    if length == PATH - 1 {
        return Err(Failure::TOO_LONG);
    }
    content.iter_mut().skip(length).for_each(|byte| *byte = 0);
    Ok(())
}

/// The numbers of the children of a process, each with a blank behind it. Every process may read them.
///
/// # Errors
/// As [`read_whole`]. ENOENT: also if the kernel has no CONFIG_PROC_CHILDREN.
pub(super) fn children_of(process: Fd, number: u32, content: &mut [u8; PATH]) -> Result<&[u8], Failure> {
    let mut path = Text::new();
    path.push(b"task/").push_number(number).push(b"/children");
    match read_whole(process, path.c_str(), content) {
        // The first of many are enough.
        Ok(()) | Err(Failure::TOO_LONG) => Ok(c_str(content).to_bytes()),
        Err(why) => Err(why),
    }
}

/// The pid of the first child of a process, which every process may read.
pub(super) fn first_child(of: Fd, number: u32) -> Result<u32, Failure> {
    let mut content = [0u8; PATH];
    let children = children_of(of, number, &mut content)?;
    text::number(text::first(children, b' ')).ok_or(Failure::ACCESS)
}

/// The inode numbers of the namespaces of a process, in the order of [`kinds::all`]; 0 for a kind that the kernel does not have.
pub type Namespaces = [u64; kinds::COUNT];

/// Before they are known.
pub const NONE: Namespaces = [0; kinds::COUNT];

/// Stores the namespaces of the process whose directory in /proc is `process`. They stay open, so that the kernel does not use their
/// inode numbers again.
fn namespaces(process: Fd, pid: &CStr, found: &mut Namespaces) -> Done {
    for ((kind, path), number) in kinds::all().zip(found) {
        let path = if kind == raw::CLONE_NEWPID { pid } else { path };
        match files::open(process, path, OFlags::RDONLY) {
            Ok(file) => *number = fstat(file)?.st_ino,
            Err(Failure::NOENT) => {}
            Err(why) => return Err(why),
        }
    }
    Ok(())
}

/// Stores the namespaces that the next child of this process will be in (namespaces(7), `pid_for_children`).
///
/// # Errors
/// EMFILE, ENFILE: no descriptor is free; others: see open(2).
pub fn ours(proc: Fd, found: &mut Namespaces) -> Done {
    namespaces(files::directory(proc, c"self")?, c"ns/pid_for_children", found)
}

/// The kinds (CLONE_NEW*) in which another process differs from the next child of this one, of those that both have.
///
/// # Errors
/// As [`ours`].
pub fn differing(other: &Namespaces, proc: Fd) -> Result<u32, Failure> {
    let mut own = NONE;
    ours(proc, &mut own)?;
    let mut differing = 0;
    for ((kind, _), (one, other)) in kinds::all().zip(own.iter().zip(other)) {
        if one != other && *one != 0 && *other != 0 {
            differing |= kind;
        }
    }
    Ok(differing)
}

impl Target {
    /// Stores its namespaces.
    ///
    /// # Errors
    /// EACCES, EPERM: it may not be inspected; ESRCH: it has ended.
    pub fn namespaces(self, found: &mut Namespaces) -> Done {
        inspect(self)?;
        namespaces(self.directory, c"ns/pid", found)
    }

    /// How long it exists, in hundredths of a second: all architectures that nsinit is built for have a USER_HZ of 100.
    ///
    /// # Errors
    /// ESRCH, ENOENT: it has ended; others: see open(2).
    #[cfg(any(feature = "stats", feature = "detach", feature = "enter"))]
    pub fn age(self) -> Result<u64, Failure> {
        /// Of `starttime`, after the name and its parenthesis (proc_pid_stat(5)).
        const PLACE: usize = 20;
        let mut stat = [0u8; PATH];
        read_whole(self.directory, c"stat", &mut stat)?;
        let stat = c_str(&stat).to_bytes();
        // The name may hold any byte.
        let end = stat.iter().rposition(|byte| *byte == b')').ok_or(Failure::SRCH)?;
        let mut fields = stat.get(end..).unwrap_or_default();
        let mut field = None;
        for _ in 0..=PLACE {
            field = text::word(&mut fields, b' ');
        }
        let start = field.and_then(text::long_number).ok_or(Failure::SRCH)?;
        Ok(sys::hundredths_since_boot().saturating_sub(start))
    }

    /// The lowest id that its user namespace maps. `map`: `uid_map` or `gid_map`.
    ///
    /// # Errors
    /// [`Failure::NO_IDS`]: it maps none; ENOENT: the process has ended; others: see open(2).
    pub fn lowest_id(self, map: &CStr) -> Result<u32, Failure> {
        let mut lowest = None;
        let file = files::open(self.directory, map, OFlags::RDONLY)?;
        lines::each(file, &mut |line| {
            let mut fields = line;
            while let Some(field) = text::word(&mut fields, b' ') {
                if let Some(id) = text::number(field) {
                    lowest = Some(lowest.map_or(id, |lowest: u32| lowest.min(id)));
                    break;
                }
            }
        })?;
        lowest.ok_or(Failure::NO_IDS)
    }
}
