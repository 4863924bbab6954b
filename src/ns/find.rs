//! A process, as the user names it.

use core::ffi::CStr;

#[cfg(feature = "enter")]
use super::list;
use super::target::{self, FD, Target, line_after, read_whole, with_number};
use crate::sys::files::{Fd, HERE};
use crate::sys::{self, Failure, c_str};
use crate::text::{self, PATH, Text};

/// No option of this build gives a container a name.
#[cfg(not(feature = "enter"))]
mod list {
    use core::ffi::CStr;

    use crate::sys::Failure;
    use crate::sys::files::Fd;

    pub const fn find(_: &CStr, _: Fd) -> Result<u32, Failure> {
        Err(Failure::NOENT)
    }
}

/// Finds a process by its pid, by the path of a file that holds the pid, by the name of its container (`--name`), or, `fd:N`, by a pidfd
/// (pidfd_open(2)). If the process is process 1 of a container that nsinit made, which only root may inspect, its first child stands in
/// for it.
///
/// # Errors
/// ESRCH: there is no such process; EACCES, EPERM: it may not be inspected; EBADF: the descriptor is not open;
/// [`Failure::NO_PROCESS`]: the file holds no pid, or the descriptor is no pidfd; [`Failure::NO_NAME`], [`Failure::SEVERAL`]: no container
/// or more than one has the name. For a file, see also open(2).
pub fn process(word: &CStr, proc: Fd) -> Result<Target, Failure> {
    if let Some(fd) = text::after(word.to_bytes(), FD) {
        let fd = text::number(fd).ok_or(Failure::BADF)?;
        let number = pid_of(fd, proc)?;
        return target::holding(proc, number, Some(sys::given(fd)));
    }
    if let Some(number) = text::number(word.to_bytes()) {
        return or_child(with_number(proc, number)?, number, proc);
    }
    let mut content = [0u8; PATH];
    match read_whole(HERE, word, &mut content) {
        Err(Failure::NOENT | Failure::ISDIR) if !text::has(word.to_bytes(), b'/') => {
            let number = list::find(word, proc)?;
            let named = with_number(proc, number)?;
            // The process is held now. Check again: its pid must not have passed to another process before.
            if list::find(word, proc)? == number { or_child(named, number, proc) } else { Err(Failure::SRCH) }
        }
        Err(Failure::TOO_LONG) => Err(Failure::NO_PROCESS),
        Err(why) => Err(why),
        Ok(()) => {
            let line = text::first(c_str(&content).to_bytes(), b'\n');
            let number = text::number(line).ok_or(Failure::NO_PROCESS)?;
            or_child(with_number(proc, number)?, number, proc)
        }
    }
}

/// The process; or, if only root may inspect it, its first child.
fn or_child(named: Target, number: u32, proc: Fd) -> Result<Target, Failure> {
    match target::inspect(named) {
        Err(Failure::ACCESS | Failure::PERM) => {}
        done => return done.map(|()| named),
    }
    let child = first_child(named, number)?;
    let found = with_number(proc, child)?;
    target::inspect(found)?;
    // The child is held now. Check again: its pid must not have passed to another process before.
    if first_child(named, number)? != child {
        return Err(Failure::SRCH);
    }
    Ok(Target { stands_in: true, ..found })
}

/// The pid of its first child, which every process may read.
fn first_child(of: Target, number: u32) -> Result<u32, Failure> {
    let (mut path, mut content) = (Text::new(), [0u8; PATH]);
    path.push(b"task/").push_number(number).push(b"/children");
    read_whole(of.directory, path.c_str(), &mut content)?;
    text::number(text::first(c_str(&content).to_bytes(), b' ')).ok_or(Failure::ACCESS)
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
