//! Containers that run, found by the titles of their processes (`--name`): there is no directory that lists them.
//!
//! A title can be any process's. So it counts only if the process that has it is outside of every container, as the launcher is, and is the
//! caller's or root's: the kernel tells both (proc_pid_status(5), `NSpid`, `Uid`). A process in a pid namespace of its own passes for no
//! launcher. What is not known: without a pid namespace of its own (--share-pid) a process of a container can pass for one, of its user.

use core::ffi::CStr;

use rustix::fs::OFlags;
use rustix::process::{Pid, getuid};

use super::target::{Target, line_after, read_whole};
use crate::fs::procfs;
use crate::report::message::{blame, failed, write_line};
use crate::say;
use crate::sys::files::{self, Fd};
use crate::sys::{self, Done, Failure, Standard, c_str};
use crate::text::{self, PATH, Short, Text};

/// The title of a launcher begins with it, and the container's name follows.
const LAUNCHER: &[u8] = b"nsinit: ";
/// That of process 1 begins with it, with or without a name.
const PROCESS_1: &[u8] = b"init";

/// A container that runs.
struct Container {
    /// Process 1.
    number: u32,
    process: Fd,
    /// Process 1 is the command.
    is_command: bool,
}

/// Calls `look` with each container and its name, which is empty if it has none.
///
/// # Errors
/// ENOENT, EPERM: there is no procfs; others: see open(2).
fn each(proc: Fd, look: &mut dyn FnMut(&[u8], &Container)) -> Done {
    let list = files::open(proc, c".", OFlags::RDONLY | OFlags::DIRECTORY)?;
    files::each_name(list, &mut |name| {
        if let Some(number) = text::number(name.to_bytes())
            && let Ok(launcher) = files::look(list, name)
        {
            // First of all: to read the command line of a hostile process can block, because it is in the memory of that process.
            if !is_outside(launcher) {
                return sys::close(launcher);
            }
            let mut title = [0u8; PATH];
            // A line of arguments may be longer than a title can be.
            if read_whole(launcher, c"cmdline", &mut title).is_err() {
                title.fill(0);
            }
            let title = c_str(&title).to_bytes();
            if let Some(name) = name_of(launcher, title)
                && let Some(container) = process_1_of(list, launcher, number, title)
            {
                look(name, &container);
                sys::close(container.process);
            }
            sys::close(launcher);
        }
    });
    sys::close(list);
    Ok(())
}

/// The name in the title of a launcher; empty if it has none. `None`: it is no launcher.
fn name_of(process: Fd, title: &[u8]) -> Option<&[u8]> {
    match text::after(title, LAUNCHER) {
        Some(name) if !name.is_empty() => Some(name),
        _ => {
            let mut program = [0u8; PATH];
            read_whole(process, c"comm", &mut program).ok()?;
            (c_str(&program).to_bytes() == b"nsinit\n").then_some(b"")
        }
    }
}

/// Whether the process is the caller's or root's, and in no pid namespace but the one that this procfs shows.
fn is_outside(process: Fd) -> bool {
    let mut status = [0u8; PATH];
    if read_whole(process, c"status", &mut status).is_err() {
        return false;
    }
    let (own, mut ids) = (getuid().as_raw(), line_after(&status, b"Uid:\t").unwrap_or_default());
    let mut all = !ids.is_empty();
    while let Some(id) = text::word(&mut ids, b'\t') {
        all &= text::number(id).is_some_and(|id| id == own || id == 0);
    }
    all && line_after(&status, b"NSpid:\t").is_some_and(|numbers| text::number(numbers).is_some())
}

/// Process 1, among the children of a launcher, which may have a relay and helpers too.
fn process_1_of(proc: Fd, launcher: Fd, number: u32, own: &[u8]) -> Option<Container> {
    let mut children = [0u8; PATH];
    children_of(launcher, number, &mut children)?;
    let mut rest = c_str(&children).to_bytes();
    while let Some(number) = text::word(&mut rest, b' ').and_then(text::number) {
        let Ok(process) = procfs::process(proc, Pid::from_raw(number.cast_signed())?) else { continue };
        let (mut status, mut title) = ([0u8; PATH], [0u8; PATH]);
        let is_first = read_whole(process, c"status", &mut status).is_ok()
            && line_after(&status, b"NSpid:\t")
                .is_some_and(|numbers| text::before(numbers, b"\t1").is_some_and(is_number));
        let titled = read_whole(process, c"cmdline", &mut title).is_ok();
        let title = c_str(&title).to_bytes();
        let is_titled = titled && text::before(own, title).is_some_and(|before| before == b"ns") || title == PROCESS_1;
        if is_first || is_titled {
            return Some(Container { number, process, is_command: !is_titled });
        }
        sys::close(process);
    }
    None
}

fn is_number(text: &[u8]) -> bool {
    text::number(text).is_some()
}

/// The numbers of the children of a process, each with a blank behind it.
fn children_of(process: Fd, number: u32, content: &mut [u8; PATH]) -> Option<()> {
    let mut path = Text::new();
    path.push(b"task/").push_number(number).push(b"/children");
    read_whole(process, path.c_str(), content).ok()
}

/// The number of process 1 of the container of that name.
///
/// # Errors
/// [`Failure::NO_NAME`]: there is no such container; [`Failure::SEVERAL`]: there is more than one.
pub fn find(name: &CStr, proc: Fd) -> Result<u32, Failure> {
    let mut found = Err(Failure::NO_NAME);
    each(proc, &mut |other, container| {
        if other == name.to_bytes() {
            found = if found == Err(Failure::NO_NAME) { Ok(container.number) } else { Err(Failure::SEVERAL) };
        }
    })?;
    found
}

/// `--list`: prints the containers that run, a line each. Returns the exit status, after the message if there is one.
#[must_use]
pub fn print() -> i32 {
    let mut line = Text::new();
    columns(&mut line, &[b"NAME", b"PID", b"AGE"]).push(b"CMD");
    write_line(Standard::Output, &mut line);
    let listed = procfs::open().and_then(|proc| each(proc, &mut |name, container| print_one(proc, name, container)));
    match listed.map_err(|why| blame(say!("list the containers in"), c"/proc", why)) {
        Ok(()) => 0,
        Err(_) => failed(),
    }
}

fn print_one(proc: Fd, name: &[u8], container: &Container) {
    let (mut number, mut age, mut line) = (Short::new(), Short::new(), Text::new());
    number.push_number(container.number);
    let process = Target { directory: container.process, handle: None, stands_in: false };
    match process.age(proc) {
        Ok(hundredths) => push_age(&mut age, hundredths / 100),
        // It has ended meanwhile.
        Err(_) => return,
    }
    let name = if name.is_empty() { &b"-"[..] } else { name };
    columns(&mut line, &[name, number.bytes(), age.bytes()]);
    push_command(proc, container, &mut line);
    write_line(Standard::Output, &mut line);
}

/// The arguments of the command, with a blank between two.
fn push_command(proc: Fd, container: &Container, line: &mut Text) {
    let (mut children, mut words) = ([0u8; PATH], [0u8; PATH]);
    let command = if container.is_command {
        Some(container.process)
    } else {
        children_of(container.process, container.number, &mut children)
            .and_then(|()| text::number(text::first(c_str(&children).to_bytes(), b' ')))
            .and_then(|number| procfs::process(proc, Pid::from_raw(number.cast_signed())?).ok())
    };
    let Some(command) = command else { return };
    // What is too long is cut.
    let _ = read_whole(command, c"cmdline", &mut words);
    if !container.is_command {
        sys::close(command);
    }
    let used = words.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    for (at, word) in words.get(..used).unwrap_or_default().split(|byte| *byte == 0).enumerate() {
        line.push(if at == 0 { b"" } else { b" " }).push_printable(word);
    }
}

/// Pushes the words, each with blanks up to its column.
fn columns<'t>(line: &'t mut Text, words: &[&[u8]]) -> &'t mut Text {
    for (word, width) in words.iter().zip([20, 8, 6]) {
        line.push_printable(word).byte(b' ');
        for _ in word.len() + 1..width {
            line.byte(b' ');
        }
    }
    line
}

/// Seconds, in the largest unit of which there is one: `59s`, `2m`, `3h`, `40d`.
fn push_age(age: &mut Short, seconds: u64) {
    let (number, unit) = match seconds {
        0..60 => (seconds, b's'),
        60..3600 => (seconds / 60, b'm'),
        3600..86400 => (seconds / 3600, b'h'),
        _ => (seconds / 86400, b'd'),
    };
    age.push_long_number(number).byte(unit);
}
