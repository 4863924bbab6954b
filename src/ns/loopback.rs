//! The loopback interface of a new network namespace.

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::sys::{self, Done};

/// Brings `lo` up; the kernel then gives it 127.0.0.1/8 and ::1.
///
/// # Errors
/// EPERM: nsinit has no CAP_NET_ADMIN in this network namespace; EMFILE, ENFILE: no descriptor is free.
pub fn loopback_up() -> Done {
    // The ioctl works on any socket; kernels without IPv4 have unix sockets.
    let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    sys::interface_up(rustix::fd::AsFd::as_fd(&socket), b"lo\0\0\0\0\0\0\0\0\0\0\0\0\0\0")
}
