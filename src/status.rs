//! What somebody outside is told of a container, as JSON, and what he is waited for.

use linux_raw_sys::general as raw;
use rustix::fs::{AtFlags, statat};
use rustix::io::{Errno, read, write};

use crate::spec::Spec;
use crate::state::State;
use crate::sys::{self, Done, Failure};
use crate::text::{self, Text};

/// The namespaces that are told of: what /proc/PID/ns calls them, and what they are.
static NAMES: &[u8] = b"ns/cgroup\0ns/ipc\0ns/mnt\0ns/net\0ns/pid\0ns/uts\0";
/// See [`NAMES`].
static FLAGS: [u32; 6] = [
    raw::CLONE_NEWCGROUP,
    raw::CLONE_NEWIPC,
    raw::CLONE_NEWNS,
    raw::CLONE_NEWNET,
    raw::CLONE_NEWPID,
    raw::CLONE_NEWUTS,
];

/// Writes who process 1 is, by its number outside, and the inode numbers of its new namespaces (namespaces(7)). `space`
/// stands before each member.
///
/// # Errors
/// Those of stat(2) and write(2).
pub fn tell_of_container(to: Option<u32>, spec: &Spec<'_>, state: &State, space: &[u8]) -> Done {
    let (container, process) = (state.container.ok_or(Failure::CHILD)?, state.process.ok_or(Failure::BADF)?);
    let mut line = Text::new();
    line.byte(b'{').push(space).push(b"\"child-pid\": ");
    line.push_number(container.as_raw_nonzero().get().cast_unsigned());
    for (flag, path) in FLAGS.iter().zip(text::strings(NAMES)) {
        if spec.unshares(*flag) {
            // The kernel's numbers for them have 32 bits.
            let inode = statat(process, path, AtFlags::empty())?.st_ino as u32;
            line.byte(b',').push(space).byte(b'"').push(sys::tail(path, b"ns/".len()).to_bytes());
            line.push(b"-namespace\": ").push_number(inode);
        }
    }
    line.byte(if space.len() > 1 { b'\n' } else { b' ' }).push(b"}\n");
    tell(to, &line)
}

/// Writes CMD's exit status. Who does not read it any more does not want to know.
pub fn tell_status(to: Option<u32>, status: i32) {
    let mut line = Text::new();
    line.push(b"{ \"exit-code\": ").push_number(status.cast_unsigned()).push(b" }\n");
    let _ = tell(to, &line);
}

fn tell(to: Option<u32>, line: &Text) -> Done {
    match to {
        Some(fd) => Ok(write(sys::given(fd), line.bytes()).map(|_| ())?),
        None => Ok(()),
    }
}

/// Waits until something can be read, or nothing will.
///
/// # Errors
/// Those of read(2).
pub fn wait_for(fd: Option<u32>) -> Done {
    let Some(fd) = fd else { return Ok(()) };
    loop {
        match read(sys::given(fd), &mut [0u8]) {
            Err(Errno::INTR) => {}
            done => return Ok(done.map(|_| ())?),
        }
    }
}
