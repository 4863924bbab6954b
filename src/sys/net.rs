//! Sockets and network interfaces.

use core::ffi::c_int;

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::call::done;
use super::opened::keep_open;
use super::{Done, Failure};

/// Brings a network interface up: ioctl(2) SIOCSIFFLAGS with IFF_UP (netdevice(7)).
///
/// # Errors
/// EPERM without CAP_NET_ADMIN in the network namespace, ENODEV.
pub fn interface_up(socket: BorrowedFd<'_>, name: &[u8; 4]) -> Done {
    const SIOCSIFFLAGS: u32 = 0x8914;
    #[repr(C, align(8))]
    struct Ifreq {
        name: [u8; 16],
        flags: u16,
        rest: [u8; 22],
    }
    let mut request =
        Ifreq { name: [0; 16], flags: linux_raw_sys::net::net_device_flags::IFF_UP as u16, rest: [0; 22] };
    if let Some(start) = request.name.first_chunk_mut() {
        *start = *name;
    }
    done(call!(__NR_ioctl, socket.as_raw_fd(), SIOCSIFFLAGS, &raw const request))
}

/// A control message with two descriptors, `struct cmsghdr` and what follows it (unix(7), SCM_RIGHTS).
#[repr(C)]
struct Rights {
    header: linux_raw_sys::net::cmsghdr,
    fds: [i32; 2],
}

impl Rights {
    const LENGTH: usize = size_of::<linux_raw_sys::net::cmsghdr>() + size_of::<[i32; 2]>();

    /// `body` with a message of one byte around it.
    fn around<T>(&mut self, body: impl FnOnce(*mut linux_raw_sys::net::msghdr) -> T) -> T {
        let mut byte = 0u8;
        let mut part = raw::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        let mut message = linux_raw_sys::net::msghdr {
            msg_name: core::ptr::null_mut(),
            msg_namelen: 0,
            msg_iov: (&raw mut part).cast(),
            msg_iovlen: 1,
            msg_control: core::ptr::from_mut(self).cast(),
            msg_controllen: size_of::<Rights>(),
            msg_flags: 0,
        };
        body(&raw mut message)
    }
}

/// sendmsg(2) of two descriptors.
///
/// # Errors
/// EPIPE: nobody will have them.
pub fn send(socket: BorrowedFd<'_>, fds: [BorrowedFd<'_>; 2]) -> Done {
    use linux_raw_sys::net::{MSG_NOSIGNAL, SCM_RIGHTS, SOL_SOCKET, cmsghdr};
    let header = cmsghdr { cmsg_len: Rights::LENGTH, cmsg_level: SOL_SOCKET as c_int, cmsg_type: SCM_RIGHTS as c_int };
    let mut rights = Rights { header, fds: fds.map(|fd| fd.as_raw_fd()) };
    done(rights.around(|message| call!(__NR_sendmsg, socket.as_raw_fd(), message, MSG_NOSIGNAL)))
}

/// recvmsg(2) of two descriptors.
///
/// # Errors
/// EBADF: there are none; those of recvmsg(2).
pub fn receive(socket: BorrowedFd<'_>) -> Result<[BorrowedFd<'static>; 2], Failure> {
    use linux_raw_sys::net::{MSG_CMSG_CLOEXEC, cmsghdr};
    let mut rights = Rights { header: cmsghdr { cmsg_len: 0, cmsg_level: 0, cmsg_type: 0 }, fds: [-1; 2] };
    rights.around(|message| call!(__NR_recvmsg, socket.as_raw_fd(), message, MSG_CMSG_CLOEXEC))?;
    if rights.header.cmsg_len != Rights::LENGTH {
        return Err(Failure::BADF);
    }
    // SAFETY: the kernel has just made them, and nobody else has their numbers.
    Ok(rights.fds.map(|fd| keep_open(unsafe { OwnedFd::from_raw_fd(fd) })))
}
