//! Containers that run, found by the titles of their processes (`--name`): there is no directory that lists them.
//!
//! A title can be any process's. So it counts only if the process that has it is outside of every container, as the launcher is, and is the
//! caller's or root's: the kernel tells both (proc_pid_status(5), `NSpid`, `Uid`). A process in a pid namespace of its own passes for no
//! launcher. Nor does a set-id program, which has become root but has its title from the user who has started it. What is not known: without
//! a pid namespace of its own (--share-pid) a process of a container can pass for one, of its user.
//!
//! A keeper (`--restart`) is the parent of the launcher, and has a name of its own from the kernel. In the pause before a restart it
//! stands for the container.
//!
//! A title is in the memory of its process, which can make the reader wait. So no title is read of a process in a pid namespace of its own.
//! Of CMD only `comm` is read, which the kernel has (proc_pid_comm(5)).

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{AtFlags, OFlags, statat};
use rustix::process::{Pid, getuid};

use super::target::{Target, children_of, first_child, line_after, read_whole};
use crate::fs::procfs;
use crate::report::message::{blame, failed, write_line};
use crate::say;
use crate::spec::{Keeper, rooms};
use crate::sys::files::{self, Fd};
use crate::sys::{self, Done, Failure, Standard, c_str};
use crate::text::{self, PATH, Text};

/// The name that its processes have from the kernel, except the keeper and the logger.
const NSINIT: &[u8] = b"nsinit";
/// The title of a launcher begins with it, and the container's name follows.
const LAUNCHER: &[u8] = b"nsinit: ";
/// That of process 1 begins with it, with or without a name.
const PROCESS_1: &[u8] = b"init";

/// A process: its number, and its directory in /proc.
#[derive(Clone, Copy)]
pub(super) struct Process {
    pub number: u32,
    pub directory: Fd,
}

/// A container that runs, or that waits for its restart.
#[derive(Clone, Copy)]
pub(super) struct Container {
    /// Process 1; while the container waits, its keeper.
    pub first: Process,
    pub kind: Kind,
    /// The process outside that answers for it: its keeper, or without one its launcher.
    pub head: Process,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Process 1 is nsinit.
    Usual,
    /// The same, and it has no pid namespace of its own: its end is not that of the others.
    Shared,
    /// Process 1 is the command.
    Command,
    /// There is no process 1.
    Waits,
}

/// Gets a container and its name, which is empty if it has none. Returns whether the descriptors are still needed.
type Look<'a> = dyn FnMut(&[u8], &Container) -> bool + 'a;

/// Calls `look` with each container.
///
/// # Errors
/// ENOENT, EPERM: there is no procfs; others: see open(2).
fn each(proc: Fd, look: &mut Look<'_>) -> Done {
    let list = files::open(proc, c".", OFlags::RDONLY | OFlags::DIRECTORY)?;
    files::each_name(list, &mut |name| {
        if let Some(number) = text::number(name.to_bytes())
            && let Ok(directory) = files::look(list, name)
            && !look_at(list, Process { number, directory }, look).unwrap_or_default()
        {
            sys::close(directory);
        }
    });
    sys::close(list);
    Ok(())
}

/// Calls `look` with the container of a launcher, or of a keeper that has none.
fn look_at(proc: Fd, launcher: Process, look: &mut Look<'_>) -> Option<bool> {
    // First of all.
    let parent = parent_outside(launcher.directory)?;
    let (mut title, mut program) = ([0u8; PATH], [0u8; PATH]);
    // A line of arguments may be longer than that, and its beginning is enough.
    let _ = read_whole(launcher.directory, c"cmdline", &mut title);
    let (title, program) = (c_str(&title).to_bytes(), program_of(launcher.directory, &mut program));
    let name = match text::after(title, LAUNCHER) {
        Some(name) if !name.is_empty() => name,
        _ => text::after(program, NSINIT).map(|_| &b""[..])?,
    };
    if is_set_id(launcher.directory) {
        return None;
    }
    let (first, kind) = match process_1_of(proc, launcher, title, program) {
        Some(found) => found,
        // A process that has ended, and that its parent has not waited for, has no title.
        None if rooms::KEEPER && program == Keeper::WAITS.to_bytes() && !title.is_empty() => (launcher, Kind::Waits),
        None => return None,
    };
    let above = open(proc, parent);
    let keeper = above.filter(|above| {
        rooms::KEEPER
            && program_of(*above, &mut [0; PATH]) == Keeper::PROGRAM.to_bytes()
            && parent_outside(*above).is_some()
    });
    let head = keeper.map_or(launcher, |directory| Process { number: parent, directory });
    let is_needed = look(name, &Container { first, kind, head });
    if !is_needed {
        let own = Some(first.directory).filter(|_| kind != Kind::Waits);
        let close = |fd| sys::close(fd);
        [above, own].into_iter().flatten().for_each(close);
    }
    Some(is_needed)
}

/// The directory of the process of that number.
fn open(proc: Fd, number: u32) -> Option<Fd> {
    procfs::process(proc, Pid::from_raw(number.cast_signed())?).ok()
}

/// The name of the program that a process executes, as the kernel has it: at most 15 bytes.
fn program_of(process: Fd, content: &mut [u8; PATH]) -> &[u8] {
    // It has ended meanwhile.
    if read_whole(process, c"comm", content).is_err() {
        content.fill(0);
    }
    let line = c_str(content).to_bytes();
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// The parent of a process, if the process is the caller's or root's, and in no pid namespace but the one that this procfs shows.
fn parent_outside(process: Fd) -> Option<u32> {
    let mut status = [0u8; PATH];
    text::number(ids_of(process, &mut status)?)?;
    let (own, mut users) = (getuid().as_raw(), line_after(&status, b"Uid:\t")?);
    while let Some(id) = text::word(&mut users, b'\t') {
        text::number(id).filter(|id| *id == own || *id == 0)?;
    }
    line_after(&status, b"PPid:\t").and_then(text::number)
}

/// The ids of a process in its pid namespaces, from that of this procfs on.
fn ids_of(process: Fd, status: &mut [u8; PATH]) -> Option<&[u8]> {
    read_whole(process, c"status", status).ok()?;
    line_after(status, b"NSpid:\t")
}

/// Whether the program of a process is set-user-ID or set-group-ID, as sudo(8). A caller that may not see it may not enter either.
fn is_set_id(process: Fd) -> bool {
    statat(process, c"exe", AtFlags::empty()).is_ok_and(|file| file.st_mode & (raw::S_ISUID | raw::S_ISGID) != 0)
}

/// Process 1, among the children of a launcher, which may have a relay and helpers too. `own`, `program`: the launcher's.
fn process_1_of(proc: Fd, launcher: Process, own: &[u8], program: &[u8]) -> Option<(Process, Kind)> {
    let mut children = [0u8; PATH];
    let mut rest = children_of(launcher.directory, launcher.number, &mut children).ok()?;
    while let Some(number) = text::word(&mut rest, b' ').and_then(text::number) {
        let Some(directory) = open(proc, number) else { continue };
        let mut status = [0u8; PATH];
        let is_first = ids_of(directory, &mut status)
            .is_some_and(|numbers| text::before(numbers, b"\t1").and_then(text::number).is_some());
        // Process 1 that is not CMD is a copy of the launcher.
        let is_copy = program_of(directory, &mut [0; PATH]) == program;
        if is_first || is_copy && is_titled(directory, own) {
            let kind = match is_first {
                true if is_copy => Kind::Usual,
                true => Kind::Command,
                false => Kind::Shared,
            };
            return Some((Process { number, directory }, kind));
        }
        sys::close(directory);
    }
    None
}

/// Whether the process has the title of process 1 of the launcher with the title `own`.
fn is_titled(process: Fd, own: &[u8]) -> bool {
    let mut title = [0u8; PATH];
    let is_read = read_whole(process, c"cmdline", &mut title).is_ok();
    let title = c_str(&title).to_bytes();
    is_read && (title == PROCESS_1 || text::before(own, title).is_some_and(|before| before == b"ns"))
}

/// The container of that name; or of which the process `number` is process 1, or answers for it.
///
/// # Errors
/// [`Failure::NO_NAME`], [`Failure::NO_FIRST`]: there is no such container; [`Failure::SEVERAL`]: there is more than one.
pub(super) fn find(name: &CStr, number: Option<u32>, proc: Fd) -> Result<Container, Failure> {
    let (mut found, mut several) = (None, false);
    each(proc, &mut |other, container| {
        let is_it = match number {
            Some(number) => container.first.number == number || container.head.number == number,
            None => other == name.to_bytes(),
        };
        if is_it {
            several |= found.is_some_and(|found: Container| found.head.number != container.head.number);
            found = Some(*container);
        }
        is_it
    })?;
    match found {
        Some(_) if several => Err(Failure::SEVERAL),
        Some(found) => Ok(found),
        None => Err(if number.is_some() { Failure::NO_FIRST } else { Failure::NO_NAME }),
    }
}

/// `--list`: prints the containers, a line each. Returns the exit status, after the message if there is one.
#[must_use]
pub fn print() -> i32 {
    let mut line = Text::new();
    write_line(Standard::Output, line.say(say!("NAME                PID     AGE   CMD")));
    let listed = procfs::open().and_then(|proc| {
        each(proc, &mut |name, container| {
            print_one(proc, name, container);
            false
        })
    });
    match listed.map_err(|why| blame(say!("list the containers in"), c"/proc", why)) {
        Ok(()) => 0,
        Err(_) => failed(),
    }
}

fn print_one(proc: Fd, name: &[u8], container: &Container) {
    let Process { number, directory } = container.first;
    // It has ended meanwhile.
    let Ok(age) = (Target { directory, handle: None, stands_in: false }).age() else { return };
    let mut line = Text::new();
    fill(line.push_printable(if name.is_empty() { b"-" } else { name }), 20);
    // A long name moves the rest of its line.
    let at = line.bytes().len();
    fill(line.push_number(number), at + 8);
    push_age(&mut line, (age / 100) as u32);
    fill(&mut line, at + 14);
    if container.kind == Kind::Waits {
        line.say(say!("(restarts)"));
    } else if let Some(command) = command_of(proc, container) {
        line.push_printable(program_of(command.directory, &mut [0; PATH]));
        if command.number != number {
            sys::close(command.directory);
        }
    }
    write_line(Standard::Output, &mut line);
}

/// The command.
pub(super) fn command_of(proc: Fd, container: &Container) -> Option<Process> {
    let Process { number, directory } = container.first;
    match container.kind {
        Kind::Usual | Kind::Shared => {
            let number = first_child(directory, number).ok()?;
            Some(Process { number, directory: open(proc, number)? })
        }
        Kind::Command | Kind::Waits => Some(container.first),
    }
}

/// Appends blanks up to a column: one at least.
fn fill(line: &mut Text, column: usize) {
    line.byte(b' ');
    while line.bytes().len() < column {
        line.byte(b' ');
    }
}

/// Appends seconds, in the largest unit of which there is one: `59s`, `2m`, `3h`, `40d`.
fn push_age(line: &mut Text, seconds: u32) {
    let (number, unit) = match seconds {
        0..60 => (seconds, b's'),
        60..3600 => (seconds / 60, b'm'),
        3600..86400 => (seconds / 3600, b'h'),
        _ => (seconds / 86400, b'd'),
    };
    line.push_number(number).byte(unit);
}
