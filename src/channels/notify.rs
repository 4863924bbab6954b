//! The protocol of service managers: datagrams of lines NAME=VALUE (sd_notify(3)).

use core::ffi::CStr;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::process::getpid;

use crate::sys::files::{Fd, read, write};
use crate::sys::{self, Failure, Fork, PR_SET_PDEATHSIG, Polled, Signal, Time, WRITABLE, keep_open};
use crate::text::{self, Text};

/// The socket of --notify-ready in the container's /dev, and the variable that leads CMD there.
pub const NAME: &CStr = c"notify";

/// How long a message waits for the service manager.
const PATIENCE: Time = Time { seconds: 1, nanos: 0 };

/// How long a service manager that does not read is left alone, if CMD has written.
pub const RETRY: Time = Time { seconds: 0, nanos: 100_000_000 };

fn socket() -> Result<Fd, Failure> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(keep_open(socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?))
}

/// Connects to the service manager: to the path `address`, or with `@` to the abstract name after it (unix(7)).
///
/// # Errors
/// ENOENT: there is no such socket; ECONNREFUSED: no process listens to it; EAFNOSUPPORT: it is an address of another kind;
/// ENAMETOOLONG: it has more than 107 bytes; EACCES: no right to write to it.
pub fn connect(address: &CStr) -> Result<Fd, Failure> {
    let address = address.to_bytes();
    if !address.starts_with(b"/") && !address.starts_with(b"@") {
        return Err(Failure::AFNOSUPPORT);
    }
    let socket = socket()?;
    sys::connect_unix(socket, address)?;
    Ok(socket)
}

/// Sends lines to the service manager; if `waits`, also to one that has to read first, after a while. Returns false if it does not read:
/// the lines were not sent then. A service manager that has ended needs no message.
pub fn send(service: Fd, lines: &[u8], waits: bool) -> bool {
    if write(service, lines) != Err(Failure::AGAIN) {
        return true;
    }
    if !waits {
        return false;
    }
    let _ = sys::poll(&mut [Polled::new(service, WRITABLE)], Some(PATIENCE));
    send(service, lines, false)
}

/// A socket for CMD that announces its input with SIGIO. It has no address yet.
///
/// # Errors
/// EMFILE, ENFILE: no descriptor is free.
pub fn listener() -> Result<Fd, Failure> {
    let socket = socket()?;
    sys::signal_on_input(socket, getpid(), Signal::IO)?;
    Ok(socket)
}

/// What CMD may tell the service manager. MAINPID and the options for descriptors are not among it: numbers of processes mean other
/// processes outside, and descriptors are not passed on.
const PASSED: &[&[u8]] = &[
    b"READY=",
    b"STATUS=",
    b"RELOADING=",
    b"MONOTONIC_USEC=",
    b"WATCHDOG=",
    b"EXTEND_TIMEOUT_USEC=",
    b"ERRNO=",
    b"BUSERROR=",
];
const STOPPING: &[u8] = b"STOPPING=";

/// At most so many messages are passed on at a time: signals come in between.
const MOST: u32 = 64;

/// What is left after a look at CMD's messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Left {
    Nothing,
    /// There may be more.
    More,
    /// A message that the service manager does not take at present.
    Blocked,
}

/// Passes on the messages of CMD. If CMD is restarted, its end is not that of the service. It waits for nothing: a message that is not
/// taken stays in the socket, so that CMD has to wait.
pub fn pass_on(listener: Fd, service: Fd, restarts: bool) -> Left {
    let mut bytes = [0u8; text::PATH];
    for _ in 0..MOST {
        let Ok((length, has_descriptors)) = sys::peek(listener, &mut bytes) else { return Left::Nothing };
        let mut rest = bytes.get(..length as usize).unwrap_or_default();
        let mut lines = Text::new();
        while let Some(line) = text::word(&mut rest, b'\n') {
            let is_passed = PASSED.iter().any(|name| line.starts_with(name)) || !restarts && line.starts_with(STOPPING);
            // For systemd a carriage return ends a line too.
            if is_passed && !text::has(line, b'\r') {
                lines.push(line).byte(b'\n');
            }
        }
        if !lines.bytes().is_empty() && !send(service, lines.bytes(), false) {
            return Left::Blocked;
        }
        if !has_descriptors {
            let _ = read(listener, &mut bytes);
        } else if !drop_descriptors(listener) {
            return Left::Blocked;
        }
    }
    Left::More
}

/// Takes the next message from the socket and closes the descriptors that come with it. The close of a socket may wait as long as CMD
/// likes (SO_LINGER in socket(7)): it is done by a child, which is killed if it needs longer than 100 ms. Returns false if it was, or if there
/// is no child: the message may still be there.
fn drop_descriptors(listener: Fd) -> bool {
    let child = match sys::clone_old(0) {
        Ok(Fork::Child) => {
            // If the keeper is killed, nothing else ends the wait.
            let _ = sys::prctl(PR_SET_PDEATHSIG, Signal::KILL.number().cast_unsigned());
            let _ = read(listener, &mut [0]);
            sys::exit(0)
        }
        Ok(Fork::Parent(child)) => child,
        Err(_) => return false,
    };
    for _ in 0..10 {
        if sys::wait4(Some(child), false) != Ok(None) {
            return true;
        }
        sys::pause(Time::SHORT);
    }
    let _ = sys::kill(child.as_raw_nonzero().get(), Signal::KILL);
    false
}

/// Closes the socket for CMD, with the messages in it. A descriptor in one of them could make the last process that closes the socket wait,
/// unless that process ends: so it is a child.
pub fn close(listener: Fd) {
    let child = sys::clone_old(0);
    if matches!(child, Ok(Fork::Child)) {
        sys::pause(PATIENCE);
        sys::exit(0);
    }
    sys::close(listener);
    if let Ok(Fork::Parent(child)) = child {
        let _ = sys::kill(child.as_raw_nonzero().get(), Signal::KILL);
    }
}
