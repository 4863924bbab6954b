//! Sockets between a virtual machine and its host, vsock(7).

use linux_raw_sys::net::AF_VSOCK;
use rustix::fd::AsRawFd;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use super::Failure;
use super::opened::{Fd, keep_open};

/// Connects to a port of a machine; context 2 is the host.
///
/// # Errors
/// EAFNOSUPPORT: the kernel has no vsock. ENODEV, ENETUNREACH: the machine has no such device. ECONNRESET: nothing listens. ETIMEDOUT: no
/// answer within two seconds.
pub fn connect_vsock(context: u32, port: u32) -> Result<Fd, Failure> {
    /// `struct sockaddr_vm`.
    #[repr(C)]
    struct Address {
        family: u16,
        reserved: u16,
        port: u32,
        context: u32,
        rest: u32,
    }
    let family = AddressFamily::from_raw(AF_VSOCK as u16);
    let socket = keep_open(socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?);
    let address = Address { family: AF_VSOCK as u16, reserved: 0, port, context, rest: 0 };
    // SAFETY: the kernel reads an address of as many bytes as the last argument says, the size of `address`.
    unsafe { call!(__NR_connect, socket.as_raw_fd(), &raw const address, size_of::<Address>())? };
    Ok(socket)
}
