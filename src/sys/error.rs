//! Why something did not succeed, in one register.

use core::num::NonZeroU32;

use rustix::io::Errno;

/// An errno of the kernel's, or one of our own reasons, which no errno tells.
///
/// It is as wide as a descriptor, so that a `Result` of the two travels in two registers: with rustix's 16 bits
/// every call would shift and mask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Failure(NonZeroU32);

impl Failure {
    pub const PERM: Failure = Failure::known(Errno::PERM);
    pub const NOENT: Failure = Failure::known(Errno::NOENT);
    pub const SRCH: Failure = Failure::known(Errno::SRCH);
    pub const INTR: Failure = Failure::known(Errno::INTR);
    pub const IO: Failure = Failure::known(Errno::IO);
    pub const NOEXEC: Failure = Failure::known(Errno::NOEXEC);
    pub const BADF: Failure = Failure::known(Errno::BADF);
    pub const CHILD: Failure = Failure::known(Errno::CHILD);
    pub const AGAIN: Failure = Failure::known(Errno::AGAIN);
    pub const ACCESS: Failure = Failure::known(Errno::ACCESS);
    pub const BUSY: Failure = Failure::known(Errno::BUSY);
    pub const EXIST: Failure = Failure::known(Errno::EXIST);
    pub const XDEV: Failure = Failure::known(Errno::XDEV);
    pub const NXIO: Failure = Failure::known(Errno::NXIO);
    pub const NODEV: Failure = Failure::known(Errno::NODEV);
    pub const ISDIR: Failure = Failure::known(Errno::ISDIR);
    pub const NOTDIR: Failure = Failure::known(Errno::NOTDIR);
    pub const INVAL: Failure = Failure::known(Errno::INVAL);
    pub const MFILE: Failure = Failure::known(Errno::MFILE);
    pub const NFILE: Failure = Failure::known(Errno::NFILE);
    pub const NOSPC: Failure = Failure::known(Errno::NOSPC);
    pub const NOTBLK: Failure = Failure::known(Errno::NOTBLK);
    pub const ROFS: Failure = Failure::known(Errno::ROFS);
    pub const PIPE: Failure = Failure::known(Errno::PIPE);
    pub const NAMETOOLONG: Failure = Failure::known(Errno::NAMETOOLONG);
    pub const NOSYS: Failure = Failure::known(Errno::NOSYS);
    pub const NOMEM: Failure = Failure::known(Errno::NOMEM);
    pub const LOOP: Failure = Failure::known(Errno::LOOP);
    pub const DQUOT: Failure = Failure::known(Errno::DQUOT);
    pub const USERS: Failure = Failure::known(Errno::USERS);

    /// The line is out already. (The kernel's errnos end at MAX_ERRNO, 4095.)
    pub const REPORTED: Failure = Failure::new(5000);
    /// A mount is to go on a symbolic link.
    pub const SYMLINK: Failure = Failure::new(5001);
    /// Something is there that is no directory.
    pub const NO_DIRECTORY: Failure = Failure::new(5002);
    /// A directory is there where a file is to be mounted.
    pub const NO_FILE: Failure = Failure::new(5003);
    /// A process of ours, by a signal.
    pub const KILLED: Failure = Failure::new(5005);
    /// No security module takes this context.
    pub const NO_LABELS: Failure = Failure::new(5006);
    /// A symbolic link is there that says something else.
    pub const OTHER_LINK: Failure = Failure::new(5007);
    /// Something is there that is no symbolic link.
    pub const NO_LINK: Failure = Failure::new(5008);
    /// A file that was to hold a process's number, or a descriptor that was to be one.
    pub const NO_PROCESS: Failure = Failure::new(5009);
    /// A process has the namespaces that we have.
    pub const NO_CONTAINER: Failure = Failure::new(5010);
    /// A process is in a cgroup of version 1.
    pub const OLD_CGROUP: Failure = Failure::new(5011);
    /// A process has other namespaces than before.
    pub const CHANGED: Failure = Failure::new(5012);
    /// A user namespace knows nobody.
    pub const NO_IDS: Failure = Failure::new(5013);
    /// A file is longer than what it is to hold.
    pub const TOO_LONG: Failure = Failure::new(5014);
    /// A file that no file system is known by.
    pub const NO_IMAGE: Failure = Failure::new(5015);
    /// A directory that is part of a file system.
    pub const NO_MOUNT: Failure = Failure::new(5016);
    /// ENOSPC where there is space, but no inode.
    pub const NO_INODES: Failure = Failure::new(5017);
    /// ENOENT of what a symbolic link on the way says.
    pub const DANGLING: Failure = Failure::new(5018);
    /// A file is not the device that its name promises.
    pub const NO_DEVICE: Failure = Failure::new(5019);
    /// A directory that `/` does not lead to.
    pub const OUTSIDE: Failure = Failure::new(5004);

    /// A number that the kernel answered with; it never answers 0 for a failure.
    #[must_use]
    pub const fn new(errno: u32) -> Failure {
        match NonZeroU32::new(errno) {
            Some(errno) => Failure(errno),
            None => Failure(NonZeroU32::MIN),
        }
    }

    const fn known(errno: Errno) -> Failure {
        Failure::new(errno.raw_os_error() as u32)
    }

    #[must_use]
    pub const fn number(self) -> u32 {
        self.0.get()
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Failure {
        // SAFETY: an Errno is one of the kernel's, 1 to 4095.
        Failure(unsafe { NonZeroU32::new_unchecked(errno.raw_os_error() as u32) })
    }
}

/// What has no value when it succeeds.
pub type Done = Result<(), Failure>;
