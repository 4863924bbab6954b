//! Network interfaces, and descriptors that travel over a socket.

use core::ffi::c_int;

use linux_raw_sys::general as raw;
use linux_raw_sys::net as sock;
use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::call::done;
use super::opened::{Fd, keep_open};
use super::{Done, Failure};

/// The bytes of an interface's name, with NULs to the end: IFNAMSIZ.
type Name = [u8; 16];

/// An ioctl(2) of netdevice(7) on an interface: `value` goes there and comes back.
fn interface(socket: BorrowedFd<'_>, request: u32, name: &Name, value: u32) -> Result<u32, Failure> {
    #[repr(C, align(8))]
    struct Ifreq {
        name: Name,
        value: u32,
        rest: [u8; 20],
    }
    let mut data = Ifreq { name: *name, value, rest: [0; 20] };
    // SAFETY: the kernel reads and writes a struct ifreq, 40 bytes or on machines with 32 bits 32, and Ifreq has 40.
    unsafe { call!(__NR_ioctl, socket.as_raw_fd(), request, &raw mut data) }?;
    Ok(data.value)
}

/// Brings a network interface up, SIOCSIFFLAGS with IFF_UP (netdevice(7)). `name` ends in a NUL.
///
/// # Errors
/// EPERM: no CAP_NET_ADMIN in the user namespace of the network namespace. ENODEV: there is no such interface.
pub fn interface_up(socket: BorrowedFd<'_>, name: &Name) -> Done {
    const SIOCSIFFLAGS: u32 = 0x8914;
    // The flags are a number of 16 bits, and all machines that nsinit is built for have the low half first.
    interface(socket, SIOCSIFFLAGS, name, sock::net_device_flags::IFF_UP as u32).map(|_| ())
}

/// The index of a network interface, SIOCGIFINDEX (netdevice(7)), in the network namespace of the socket.
///
/// # Errors
/// ENODEV: there is no such interface.
#[cfg(feature = "net")]
pub fn interface_index(socket: BorrowedFd<'_>, name: &Name) -> Result<u32, Failure> {
    interface(socket, 0x8933, name, 0)
}

/// The MTU of a network interface in bytes, SIOCGIFMTU (netdevice(7)).
///
/// # Errors
/// ENODEV: there is no such interface.
#[cfg(feature = "net")]
pub fn interface_mtu(socket: BorrowedFd<'_>, name: &Name) -> Result<u32, Failure> {
    interface(socket, 0x8921, name, 0)
}

/// Opens the network namespace of a socket, ioctl(2) SIOCGSKNS.
///
/// # Errors
/// EPERM: no CAP_NET_ADMIN in it. EMFILE, ENFILE: no descriptor is free. ENOTTY: Linux is older than 4.10.
pub fn network_of(socket: &OwnedFd) -> Result<Fd, Failure> {
    const SIOCGSKNS: u32 = 0x894c;
    // SAFETY: the request takes no argument.
    let fd = unsafe { call!(__NR_ioctl, socket.as_raw_fd(), SIOCGSKNS, 0usize) }?;
    // SAFETY: the kernel has made the descriptor for this call, so this is its only owner.
    Ok(keep_open(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
}

/// A control message with two descriptors: `struct cmsghdr` and its data (unix(7), SCM_RIGHTS).
#[repr(C)]
struct Rights {
    header: sock::cmsghdr,
    fds: [i32; 2],
}

impl Rights {
    const LENGTH: usize = size_of::<sock::cmsghdr>() + size_of::<[i32; 2]>();

    /// Calls `body` with a message of one byte that has this control message. The message lasts as long as the call.
    fn around<T>(&mut self, body: impl FnOnce(*mut sock::msghdr) -> T) -> T {
        let mut byte = 0u8;
        let mut part = raw::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        let mut message = message_of(&mut part);
        message.msg_control = core::ptr::from_mut(self).cast();
        message.msg_controllen = size_of::<Rights>();
        body(&raw mut message)
    }
}

/// A message with these bytes, and without a control message.
const fn message_of(part: &mut raw::iovec) -> sock::msghdr {
    sock::msghdr {
        msg_name: core::ptr::null_mut(),
        msg_namelen: 0,
        msg_iov: core::ptr::from_mut(part).cast(),
        msg_iovlen: 1,
        msg_control: core::ptr::null_mut(),
        msg_controllen: 0,
        msg_flags: 0,
    }
}

/// Reads the next message and leaves it in the socket, recvmsg(2) MSG_PEEK. Returns how many bytes it has, at most those that there is room
/// for, and whether descriptors come with it.
///
/// # Errors
/// EAGAIN: there is no message.
#[cfg(feature = "keeper")]
pub fn peek(socket: BorrowedFd<'_>, bytes: &mut [u8]) -> Result<(u32, bool), Failure> {
    let mut part = raw::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() as _ };
    let mut message = message_of(&mut part);
    // SAFETY: the kernel writes at most as many bytes as there is room for, and to the message that it has more: there is no room for a
    // control message.
    let length = unsafe { call!(__NR_recvmsg, socket.as_raw_fd(), &raw mut message, sock::MSG_PEEK) }?;
    Ok((length, message.msg_flags & sock::MSG_CTRUNC != 0))
}

/// Sends two descriptors, sendmsg(2).
///
/// # Errors
/// EPIPE: the other end is closed.
pub fn send(socket: BorrowedFd<'_>, fds: [BorrowedFd<'_>; 2]) -> Done {
    let header = sock::cmsghdr {
        cmsg_len: Rights::LENGTH,
        cmsg_level: sock::SOL_SOCKET as c_int,
        cmsg_type: sock::SCM_RIGHTS as c_int,
    };
    let mut rights = Rights { header, fds: fds.map(|fd| fd.as_raw_fd()) };
    rights.around(|message| {
        // SAFETY: the kernel reads the message, its one byte, and the control message, whose header has its true length.
        done(unsafe { call!(__NR_sendmsg, socket.as_raw_fd(), message, sock::MSG_NOSIGNAL) })
    })
}

/// Receives two descriptors, recvmsg(2). They are close-on-exec.
///
/// # Errors
/// EBADF: the other end has closed the socket. ENOMSG: the message has no two descriptors, or no numbers are free for them.
pub fn receive(socket: BorrowedFd<'_>) -> Result<[Fd; 2], Failure> {
    let mut rights = Rights { header: sock::cmsghdr { cmsg_len: 0, cmsg_level: 0, cmsg_type: 0 }, fds: [-1; 2] };
    let bytes = rights.around(|message| {
        // SAFETY: the kernel writes one byte, at most `msg_controllen` bytes to `rights`, which is its size, and to the message
        // how many they were.
        unsafe { call!(__NR_recvmsg, socket.as_raw_fd(), message, sock::MSG_CMSG_CLOEXEC) }
    })?;
    if rights.header.cmsg_len != Rights::LENGTH {
        return Err(if bytes == 0 { Failure::BADF } else { Failure::NOMSG });
    }
    // SAFETY: a control message of this length is two descriptors that the kernel has made for this call (MSG_CTRUNC would
    // make it shorter), so these are their only owners.
    Ok(rights.fds.map(|fd| keep_open(unsafe { OwnedFd::from_raw_fd(fd) })))
}

/// struct sockaddr_un (unix(7)).
#[cfg(feature = "keeper")]
#[repr(C)]
struct UnixAddress {
    family: u16,
    path: [u8; 108],
}

#[cfg(feature = "keeper")]
impl UnixAddress {
    /// The address and its length. A leading `@` stands for the NUL of an abstract name.
    fn new(path: &[u8]) -> Result<(UnixAddress, usize), Failure> {
        let mut address = UnixAddress { family: sock::AF_UNIX as u16, path: [0; 108] };
        // A path ends in a NUL.
        if path.len() >= address.path.len() {
            return Err(Failure::NAMETOOLONG);
        }
        address.path.iter_mut().zip(path).for_each(|(to, from)| *to = *from);
        let is_abstract = path.starts_with(b"@");
        if is_abstract {
            address.path[0] = 0;
        }
        Ok((address, size_of::<u16>() + path.len() + usize::from(!is_abstract)))
    }
}

/// connect(2) to a unix socket: a path, or `@` and an abstract name.
///
/// # Errors
/// ENOENT: there is no such path. ECONNREFUSED: no process listens. EACCES: no right to write to it. EPROTOTYPE: it is of another type.
/// ENAMETOOLONG: the path has more than 107 bytes.
#[cfg(feature = "keeper")]
pub fn connect_unix(socket: BorrowedFd<'_>, path: &[u8]) -> Done {
    let (address, length) = UnixAddress::new(path)?;
    // SAFETY: the kernel reads `length` bytes of the address, which has at least as many.
    done(unsafe { call!(__NR_connect, socket.as_raw_fd(), &raw const address, length) })
}

/// bind(2) of a unix socket to a path, which must not exist.
///
/// # Errors
/// EADDRINUSE: the path exists. EINVAL: the socket has an address already. EROFS, EACCES, ENOSPC: the file cannot be made.
#[cfg(feature = "keeper")]
pub fn bind_unix(socket: BorrowedFd<'_>, path: &[u8]) -> Done {
    let (address, length) = UnixAddress::new(path)?;
    // SAFETY: the kernel reads `length` bytes of the address, which has at least as many.
    done(unsafe { call!(__NR_bind, socket.as_raw_fd(), &raw const address, length) })
}
