//! Why something did not succeed, in one register.

use rustix::io::Errno;

/// An errno of the kernel's, or one of our own reasons, which no errno tells.
///
/// It is as wide as a descriptor, so that a `Result` of the two travels in two registers: with rustix's 16 bits the
/// whole program is an eighth larger.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Failure(u32);

impl Failure {
    pub const PERM: Failure = Failure(Errno::PERM.raw_os_error() as u32);
    pub const NOENT: Failure = Failure(Errno::NOENT.raw_os_error() as u32);
    pub const SRCH: Failure = Failure(Errno::SRCH.raw_os_error() as u32);
    pub const IO: Failure = Failure(Errno::IO.raw_os_error() as u32);
    pub const NOEXEC: Failure = Failure(Errno::NOEXEC.raw_os_error() as u32);
    pub const BADF: Failure = Failure(Errno::BADF.raw_os_error() as u32);
    pub const CHILD: Failure = Failure(Errno::CHILD.raw_os_error() as u32);
    pub const AGAIN: Failure = Failure(Errno::AGAIN.raw_os_error() as u32);
    pub const ACCESS: Failure = Failure(Errno::ACCESS.raw_os_error() as u32);
    pub const EXIST: Failure = Failure(Errno::EXIST.raw_os_error() as u32);
    pub const XDEV: Failure = Failure(Errno::XDEV.raw_os_error() as u32);
    pub const NODEV: Failure = Failure(Errno::NODEV.raw_os_error() as u32);
    pub const NOTDIR: Failure = Failure(Errno::NOTDIR.raw_os_error() as u32);
    pub const INVAL: Failure = Failure(Errno::INVAL.raw_os_error() as u32);
    pub const NOSPC: Failure = Failure(Errno::NOSPC.raw_os_error() as u32);
    pub const ROFS: Failure = Failure(Errno::ROFS.raw_os_error() as u32);
    pub const PIPE: Failure = Failure(Errno::PIPE.raw_os_error() as u32);
    pub const NAMETOOLONG: Failure = Failure(Errno::NAMETOOLONG.raw_os_error() as u32);
    pub const NOSYS: Failure = Failure(Errno::NOSYS.raw_os_error() as u32);
    pub const LOOP: Failure = Failure(Errno::LOOP.raw_os_error() as u32);
    pub const USERS: Failure = Failure(Errno::USERS.raw_os_error() as u32);

    /// The line is out already. (The kernel's errnos end at MAX_ERRNO, 4095.)
    pub const REPORTED: Failure = Failure(5000);
    /// A mount is to go on a symbolic link.
    pub const SYMLINK: Failure = Failure(5001);
    /// Something is there that is no directory.
    pub const NO_DIRECTORY: Failure = Failure(5002);
    /// A directory is there where a file is to be mounted.
    pub const NO_FILE: Failure = Failure(5003);
    /// A directory that `/` does not lead to.
    pub const OUTSIDE: Failure = Failure(5004);

    pub(super) const fn new(errno: u32) -> Failure {
        Failure(errno)
    }

    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Failure {
        Failure(errno.raw_os_error().unsigned_abs())
    }
}

/// What has no value when it succeeds.
pub type Done = Result<(), Failure>;
