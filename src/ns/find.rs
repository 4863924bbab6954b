//! A process, as the user names it.

use core::ffi::CStr;

use rustix::fs::{OFlags, fstat};
use rustix::process::geteuid;

#[cfg(feature = "enter")]
use super::list;
use super::target::{self, FD, Target, first_child, line_after, read_open, read_whole, with_number};
use crate::sys::files::{self, Fd};
use crate::sys::{self, Done, Failure, c_str};
use crate::text::{self, PATH, Text};

/// Finds a process by its pid, by the path of a file that holds the pid, by the name of its container (`--name`), or, `fd:N`, by a pidfd
/// (pidfd_open(2)). If the process is process 1 of a container that nsinit made, which only root may inspect, its first child stands in
/// for it.
///
/// # Errors
/// ESRCH: there is no such process; EACCES, EPERM: it may not be inspected; EBADF: the descriptor is not open;
/// [`Failure::NO_PROCESS`]: the file holds no pid, or the descriptor is no pidfd; [`Failure::NO_NAME`], [`Failure::SEVERAL`]: no container
/// or more than one has the name. For a file, see also open(2).
pub fn process(word: &CStr, proc: Fd) -> Result<Target, Failure> {
    let (number, directory) = match number(word, proc)? {
        Some(number) => (number, None),
        None => in_container(word, proc)?,
    };
    let named = with_number(proc, number)?;
    // The process is held now. Check again: its pid must not have passed to another process before. A pidfd has no pid then.
    if directory.is_some_and(|directory| files::look(directory, c"stat").is_err()) {
        return Err(Failure::SRCH);
    }
    if text::after(word.to_bytes(), FD).is_some() {
        self::number(word, proc)?;
    }
    or_child(named, number, proc)
}

/// Process 1 of the container of that name: its number, and its directory in /proc.
#[cfg(feature = "enter")]
fn in_container(name: &CStr, proc: Fd) -> Result<(u32, Option<Fd>), Failure> {
    let list::Container { first, kind, .. } = list::find(name, None, proc)?;
    if kind == list::Kind::Waits { Err(Failure::NO_NAME) } else { Ok((first.number, Some(first.directory))) }
}

/// No option of this build gives a container a name.
#[cfg(not(feature = "enter"))]
const fn in_container(_: &CStr, _: Fd) -> Result<(u32, Option<Fd>), Failure> {
    Err(Failure::NOENT)
}

/// The pid that a word names. `None`: it can only be the name of a container.
///
/// # Errors
/// As [`process`], for the descriptor and the file.
pub(super) fn number(word: &CStr, proc: Fd) -> Result<Option<u32>, Failure> {
    if let Some(fd) = text::after(word.to_bytes(), FD) {
        return pid_of(text::number(fd).ok_or(Failure::BADF)?, proc).map(Some);
    }
    let number = text::number(word.to_bytes());
    if number.is_some() {
        return Ok(number);
    }
    let mut content = [0u8; PATH];
    match read_file(word, &mut content) {
        Err(Failure::NOENT | Failure::ISDIR | Failure::LOOP) if is_name(word) => Ok(None),
        Err(Failure::TOO_LONG) => Err(Failure::NO_PROCESS),
        Err(why) => Err(why),
        Ok(()) => {
            let line = text::first(c_str(&content).to_bytes(), b'\n');
            text::number(line).map(Some).ok_or(Failure::NO_PROCESS)
        }
    }
}

/// Whether a word may be the name of a container. Where other users may write, one could have made a file of that name.
fn is_name(word: &CStr) -> bool {
    !text::has(word.to_bytes(), b'/')
}

/// Opens a file that the user names. If it may be the name of a container, a symbolic link is not followed: another user could have made it.
///
/// # Errors
/// ENOENT: there is no such file; ELOOP: it is a symbolic link; others: see open(2).
pub(super) fn open_file(path: &CStr) -> Result<Fd, Failure> {
    let follow = if is_name(path) { OFlags::NOFOLLOW } else { OFlags::empty() };
    files::open_path(path, OFlags::RDONLY | OFlags::NONBLOCK | follow)
}

/// Reads a file that holds a pid. A file that may be the name of a container must be the caller's or root's.
///
/// # Errors
/// ENOENT: there is no such file, or it is another user's; others: as [`open_file`] and [`read_whole`].
fn read_file(path: &CStr, content: &mut [u8; PATH]) -> Done {
    let file = open_file(path)?;
    let owner = fstat(file)?.st_uid;
    if is_name(path) && owner != 0 && owner != geteuid().as_raw() {
        sys::close(file);
        return Err(Failure::NOENT);
    }
    read_open(file, content)
}

/// The process; or, if only root may inspect it, its first child.
fn or_child(named: Target, number: u32, proc: Fd) -> Result<Target, Failure> {
    match target::inspect(named) {
        Err(Failure::ACCESS | Failure::PERM) => {}
        done => return done.map(|()| named),
    }
    let child = first_child(named.directory, number)?;
    let found = with_number(proc, child)?;
    target::inspect(found)?;
    // The child is held now. Check again: its pid must not have passed to another process before.
    if first_child(named.directory, number)? != child {
        return Err(Failure::SRCH);
    }
    Ok(Target { stands_in: true, ..found })
}

/// The pid of the process that a pidfd refers to (proc_pid_fdinfo(5)).
fn pid_of(fd: u32, proc: Fd) -> Result<u32, Failure> {
    let (mut path, mut content) = (Text::new(), [0u8; PATH]);
    path.push(b"self/fdinfo/").push_number(fd);
    read_whole(proc, path.c_str(), &mut content)
        .map_err(|why| if why == Failure::NOENT { Failure::BADF } else { why })?;
    let number = line_after(&content, b"Pid:\t").ok_or(Failure::NO_PROCESS)?;
    // -1: the process has ended.
    text::number(number).filter(|number| *number > 0).ok_or(Failure::SRCH)
}
