//! `--info-fd`, `--status-fd` and bubblewrap's `--json-status-fd`: lines of JSON.

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::Pid;

use crate::ns::target;
use crate::report::message::failed;
use crate::spec::{Spec, kinds};
use crate::state::{Launch, News, Outside, write_to_anybody};
use crate::sys::files::{read, write};
use crate::sys::{self, Done, Failure, Signal};
use crate::text::Short;

/// Writes the process id of process 1, or of the command where there is none, as the launcher sees it, and the inode numbers of
/// its new namespaces (namespaces(7)). `space` stands before each member.
///
/// # Errors
/// EPIPE: the reader has closed it; others: see write(2).
pub fn write_container(to: Option<u32>, spec: &Spec<'_>, outside: &Outside, space: &[u8]) -> Done {
    let mut line = Short::new();
    line.byte(b'{').push(space).push(b"\"child-pid\": ");
    line.push_number(outside.container.get()?.as_raw_nonzero().get().cast_unsigned());
    let unreported = if spec.channels.tells_signal { 0 } else { kinds::UNREPORTED };
    for ((flag, path), inode) in kinds::all().zip(&outside.namespaces) {
        if spec.unshares(flag) && flag & unreported == 0 {
            // The kernel gives namespaces inode numbers of 32 bits.
            let inode = *inode as u32;
            line.byte(b',').push(space).byte(b'"').push(kinds::name(path));
            line.push(b"-namespace\": ").push_number(inode);
        }
    }
    line.byte(if space.len() > 1 { b'\n' } else { b' ' }).push(b"}\n");
    write_line(to, &line)
}

/// Writes the process id of the command, as the launcher sees it.
///
/// # Errors
/// EPIPE: the reader has closed it; others: see write(2).
pub fn write_command(spec: &Spec<'_>, command: Pid) -> Done {
    let mut line = Short::new();
    line.push(b"{ \"cmd-pid\": ").push_number(command.as_raw_nonzero().get().cast_unsigned()).push(b" }\n");
    write_line(spec.channels.status, &line)
}

/// Process 1 makes the number of the command known to the launcher: in the pid namespace of the launcher the command has another one
/// (fcntl(2), F_SETOWN). Then it waits until the launcher has read it.
///
/// # Errors
/// None is known: see fcntl(2) and read(2). Not reported: the launcher has ended.
pub fn send_command(launch: &Launch, command: Pid) -> Done {
    sys::set_owner(launch.told.get()?.read, command)?;
    launch.inform(News::Command, 0);
    let go = launch.go.get()?.read;
    // To look whether the launcher has ended, process 1 has set O_NONBLOCK.
    fcntl_setfl(go, OFlags::empty())?;
    if read(go, &mut [0u8])? == 0 {
        sys::exit(failed());
    }
    Ok(())
}

/// The launcher reads the number of the command, and lets process 1 go on. `None`: the command has been killed.
#[must_use]
pub fn receive_command(launch: &Launch) -> Option<Pid> {
    let command = sys::owner(launch.told.get().ok()?.read).ok();
    // EPIPE: process 1 has ended, and that is seen.
    let _ = write_to_anybody(launch.go.get().ok()?.write, b"!");
    command
}

/// Writes how the command ended: its exit status, or the signal that killed it; and whether the container has used too much memory.
///
/// # Errors
/// EPIPE: the reader has closed it; others: see write(2).
pub fn write_end(spec: &Spec<'_>, status: i32, killer: Option<Signal>, used_up: bool) -> Done {
    let mut line = Short::new();
    line.push(b"{ \"");
    match killer.filter(|_| spec.channels.tells_signal) {
        Some(killer) => line.push(b"signal\": ").push_number(killer.number().cast_unsigned()),
        None => line.push(b"exit-code\": ").push_number(status.cast_unsigned()),
    };
    if used_up && spec.channels.tells_signal {
        line.push(b", \"oom-killed\": true");
    }
    line.push(b" }\n");
    write_line(spec.channels.status, &line)
}

/// Process 1 sends the launcher the inode numbers of its namespaces: the launcher may not read them of an untraceable process.
///
/// # Errors
/// EACCES, EPERM: /proc forbids reading them; others: see open(2), stat(2) and write(2).
pub fn send_namespaces(launch: &Launch) -> Done {
    let pipe = launch.told.get()?;
    let mut numbers = Short::new();
    let mut own = target::NONE;
    target::ours(launch.proc.get()?, &mut own)?;
    for number in &own {
        numbers.push(&number.to_ne_bytes());
    }
    write(pipe.write, numbers.bytes()).map(|_| ())
}

/// The launcher waits for the inode numbers that process 1 sends.
///
/// # Errors
/// ECHILD: process 1 has ended; others: see read(2).
pub fn receive_namespaces(launch: &Launch, outside: &mut Outside) -> Done {
    let pipe = launch.told.get()?;
    // Close our copy of the write end, or read(2) never returns the end of the file.
    sys::close(pipe.write);
    let mut numbers = [0u8; size_of::<target::Namespaces>()];
    if read(pipe.read, &mut numbers)? as usize != numbers.len() {
        return Err(Failure::CHILD);
    }
    let (list, _) = numbers.as_chunks();
    outside.namespaces.iter_mut().zip(list).for_each(|(number, bytes)| *number = u64::from_ne_bytes(*bytes));
    Ok(())
}

fn write_line(to: Option<u32>, line: &Short) -> Done {
    match to {
        Some(fd) => Ok(write_to_anybody(sys::given(fd), line.bytes())?),
        None => Ok(()),
    }
}
