//! The protocol of service managers: datagrams of lines NAME=VALUE (sd_notify(3)).

use core::ffi::CStr;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::process::getpid;

use crate::sys::files::{Fd, read, write};
use crate::sys::{self, Failure, Polled, Signal, Time, WRITABLE, keep_open};
use crate::text::{self, Text};

/// The socket of --notify-ready in the container's /dev, and the variable that leads CMD there.
pub const NAME: &CStr = c"notify";

/// How long a message waits for the service manager.
const PATIENCE: Time = Time { seconds: 1, nanos: 0 };

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

/// Sends lines to the service manager. One that has ended, or does not read, needs no message. Returns whether it reads.
pub fn send(service: Fd, lines: &[u8]) -> bool {
    if write(service, lines) != Err(Failure::AGAIN) {
        return true;
    }
    let _ = sys::poll(&mut [Polled::new(service, WRITABLE)], Some(PATIENCE));
    write(service, lines) != Err(Failure::AGAIN)
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

/// Passes on the messages of CMD. If CMD is restarted, its end is not that of the service. (read(2) closes descriptors that come with
/// a message.)
pub fn pass_on(listener: Fd, service: Fd, restarts: bool) {
    let mut bytes = [0u8; text::PATH];
    for _ in 0..MOST {
        let Ok(length) = read(listener, &mut bytes) else { return };
        let mut rest = bytes.get(..length as usize).unwrap_or_default();
        let mut lines = Text::new();
        while let Some(line) = text::word(&mut rest, b'\n') {
            if PASSED.iter().any(|name| line.starts_with(name)) || !restarts && line.starts_with(STOPPING) {
                lines.push(line).byte(b'\n');
            }
        }
        // A signal must not wait for a manager that does not read, however much CMD writes.
        if !lines.bytes().is_empty() && !send(service, lines.bytes()) {
            break;
        }
    }
    // There may be more.
    let _ = sys::kill(getpid().as_raw_nonzero().get(), Signal::IO);
}
