//! The execution of the command: execvp(3) with the container's PATH and files, and the variables that only the kernel knows.

use core::ffi::CStr;

use rustix::process::{Pid, getpid};

use crate::report::hint::{self, Cause};
use crate::report::message::blame_execution;
use crate::report::wording::{self, Hints};
use crate::spec::{ROOTS_HOME, Spec, rooms};
use crate::state::Launch;
use crate::sys::files::{self, HERE};
use crate::sys::program::{SH, is_script};
use crate::sys::{self, Failure, c_str};
use crate::text::{self, PATH, Short, Text};

/// Executes the command, with a PWD that is its directory, and a HOME that is its user's. Returns only if that failed: the
/// exit status, after the message.
pub fn execute(launch: &Launch) -> u8 {
    let spec = &launch.spec;
    // With --enter the user id was not known before.
    let presumed = spec.exec.env.words().position(|pair| core::ptr::eq(pair.as_ptr(), ROOTS_HOME.as_ptr()));
    if let Some(index) = presumed.filter(|_| spec.enters() && spec.ids.uid != 0) {
        return spec.exec.env.with(index, c"HOME=/", || as_listener(launch));
    }
    let slot = spec.exec.env.words().position(|pair| text::after(pair.to_bytes(), b"PWD=").is_some());
    match slot.filter(|_| spec.contained() && !spec.has_preset()) {
        Some(index) => in_directory(launch, index),
        None => as_listener(launch),
    }
}

/// The variable at `index` becomes the PWD of the working directory. This is a function of its own, because its buffers take two
/// pages of stack.
#[inline(never)]
fn in_directory(launch: &Launch, index: usize) -> u8 {
    let (mut buffer, mut own) = ([0u8; PATH], Text::new());
    match here(&mut buffer) {
        Ok(directory) => {
            own.push(b"PWD=").push(directory.to_bytes());
            launch.spec.exec.env.with(index, own.c_str(), || as_listener(launch))
        }
        Err(_) => as_listener(launch),
    }
}

/// LISTEN_PID is the pid of the process that the listening sockets are for (sd_listen_fds(3)). If it is the launcher's, or 1 and
/// nsinit is process 1, it is replaced by the command's. LISTEN_PIDFDID is the inode of the pidfd of the same
/// process (systemd 258): it is then wrong, and is removed.
fn as_listener(launch: &Launch) -> u8 {
    let spec = &launch.spec;
    const NAMES: [&[u8]; 2] = [b"LISTEN_PID=", b"LISTEN_PIDFDID="];
    let [found, other] = NAMES.map(|name| {
        spec.exec.env.words().enumerate().find_map(|(index, pair)| Some((index, text::after(pair.to_bytes(), name)?)))
    });
    let is_ours = |pid| {
        let above = rooms::KEEPER && launch.above.iter().flatten().any(|above| pid == number(*above));
        pid == 1 && spec.life.process_1 || pid == number(launch.launcher) || above
    };
    if let Some((index, value)) = found
        && text::number(value).is_some_and(is_ours)
    {
        let mut own = Short::new();
        own.push(b"LISTEN_PID=").push_number(number(getpid()));
        let again = other.map_or(index, |(index, _)| index);
        let execute = || spec.exec.env.with(again, own.c_str(), || search(spec));
        return spec.exec.env.with(index, own.c_str(), execute);
    }
    search(spec)
}

fn number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}

/// execvp(3) with the container's PATH and files.
fn search(spec: &Spec<'_>) -> u8 {
    let command = spec.exec.command;
    if !spec.exec.fallback.is_none() {
        let fallback = spec.exec.fallback.command();
        return match sys::execve(command, spec.exec.argv, spec.exec.env) {
            Failure::NOENT => {
                outcome(spec, fallback, fallback, sys::execve(fallback, spec.exec.fallback, spec.exec.env))
            }
            errno => outcome(spec, command, command, errno),
        };
    }
    if is_path(command) {
        return outcome(spec, command, command, attempt(spec, command));
    }
    search_path(spec)
}

/// This is a function of its own, because its buffer takes a page of stack.
#[inline(never)]
fn search_path(spec: &Spec<'_>) -> u8 {
    let command = spec.exec.command;
    let (mut worst, mut cause) = (Failure::NOENT, Cause::Unknown);
    // An empty name is ENOENT (execvp(3)).
    let mut rest = if command.is_empty() { b"" } else { spec.exec.path.to_bytes() };
    while let Some(directory) = text::word(&mut rest, b':') {
        let mut path = Text::new();
        // An empty entry is the working directory (execvp(3)).
        path.push(if directory.is_empty() { b"." } else { directory }).byte(b'/').push(command.to_bytes());
        if path.is_full() {
            continue;
        }
        let path = path.c_str();
        match attempt(spec, path) {
            // The file may exist, and its interpreter not.
            Failure::NOENT if worst == Failure::NOENT && cause == Cause::Unknown => cause = looked(path, worst),
            Failure::NOENT | Failure::NOTDIR => {}
            // A directory that cannot be searched is skipped.
            Failure::ACCESS if files::look(HERE, path).is_err() => {}
            Failure::ACCESS if worst == Failure::ACCESS => {}
            Failure::ACCESS => (worst, cause) = (Failure::ACCESS, looked(path, Failure::ACCESS)),
            errno => return outcome(spec, command, path, errno),
        }
    }
    report(spec, command, worst, cause)
}

/// PATH is for names without a slash (execvp(3)).
fn is_path(command: &CStr) -> bool {
    text::has(command.to_bytes(), b'/')
}

/// Executes `path`. A file of no format that the kernel knows is a script for the shell (execvp(3)), unless it is a program for
/// another machine. A missing shell leaves the reason as it is.
fn attempt(spec: &Spec<'_>, path: &CStr) -> Failure {
    match sys::execve(path, spec.exec.argv, spec.exec.env) {
        Failure::NOEXEC if is_script(path) => match sys::execve_script(SH, path, spec.exec.argv, spec.exec.env) {
            Failure::NOENT | Failure::NOTDIR | Failure::ACCESS | Failure::LOOP => Failure::NOEXEC,
            errno => errno,
        },
        errno => errno,
    }
}

fn outcome(spec: &Spec<'_>, command: &CStr, path: &CStr, why: Failure) -> u8 {
    report(spec, command, why, looked(path, why))
}

/// Why a file cannot be executed, if the wording has hints.
fn looked(path: &CStr, why: Failure) -> Cause {
    if wording::chosen().hints == Hints::All { hint::of_execution(path, why) } else { Cause::Unknown }
}

/// Reports why the command was not executed. Returns its exit status.
fn report(spec: &Spec<'_>, command: &CStr, why: Failure, cause: Cause) -> u8 {
    let hints = wording::chosen().hints == Hints::All;
    let unknown = hints && cause == Cause::Unknown;
    let in_place = hints && rooms::CONTAINER && !spec.contained() && matches!(why, Failure::NOENT | Failure::ACCESS);
    let meant = if in_place { hint::of_first_word(command) } else { Cause::Unknown };
    let cause = match why {
        _ if meant != Cause::Unknown => meant,
        Failure::NOENT if unknown && spec.is_empty() => Cause::EmptyRoot,
        Failure::ACCESS if unknown && spec.uses_landlock() => Cause::LandlockForbids,
        _ => cause,
    };
    blame_execution(command, why, cause.hint())
}

/// The path of the working directory.
///
/// # Errors
/// [`Failure::OUTSIDE`]: it lies outside of the root; others: see getcwd(2).
pub fn here(buffer: &mut [u8; PATH]) -> Result<&CStr, Failure> {
    files::getcwd(buffer)?;
    match buffer.first() {
        Some(b'/') => Ok(c_str(buffer)),
        _ => Err(Failure::OUTSIDE),
    }
}
