//! Landlock, landlock(7). Sets of rights are bits of LANDLOCK_ACCESS_*.

use rustix::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::call::done;
use super::opened::{Fd, keep_open};
use super::{Done, Failure};

/// `LANDLOCK_CREATE_RULESET_VERSION`
const VERSION: u32 = 1;
/// `LANDLOCK_RULE_PATH_BENEATH`
const PATH_BENEATH: u32 = 1;
/// `LANDLOCK_RULE_NET_PORT`
const NET_PORT: u32 = 2;

/// The version of the kernel's Landlock, landlock_create_ruleset(2).
///
/// # Errors
/// ENOSYS: the kernel has none, or a seccomp filter answers so. EOPNOTSUPP: it is not among the security modules of this boot.
pub fn landlock_version() -> Result<u32, Failure> {
    // SAFETY: with this flag the kernel reads no attributes: their address is null and their size 0.
    unsafe { call!(__NR_landlock_create_ruleset, 0usize, 0usize, VERSION) }
}

/// A new set of rules that denies these rights on files and on TCP ports, landlock_create_ruleset(2).
///
/// # Errors
/// EINVAL: the kernel does not know a right. E2BIG: it knows none on ports. ENOMSG: there is no right in the sets.
pub fn landlock_ruleset(files: u64, ports: u64) -> Result<Fd, Failure> {
    let attributes = [files, ports];
    // SAFETY: the kernel reads the two numbers of 64 bits, whose size goes with them.
    let fd = unsafe { call!(__NR_landlock_create_ruleset, attributes.as_ptr(), size_of_val(&attributes), 0u32)? };
    // SAFETY: the kernel has made the descriptor (close-on-exec), and no other value owns it.
    Ok(keep_open(unsafe { OwnedFd::from_raw_fd(fd.cast_signed()) }))
}

/// Allows these rights on a file or below a directory, landlock_add_rule(2).
///
/// # Errors
/// EINVAL: a right is not in the set of rules, or is one for directories on another file. ENOMSG: there is no right. EBADFD: the file is
/// of a file system that has no tree, such as a pipe.
pub fn landlock_allow_path(ruleset: Fd, path: Fd, rights: u64) -> Done {
    /// `struct landlock_path_beneath_attr`: the kernel's has no padding at the end, and 12 bytes.
    #[repr(C)]
    struct Attributes {
        rights: u64,
        parent: i32,
    }
    let attributes = Attributes { rights, parent: path.as_raw_fd() };
    // SAFETY: the kernel reads 12 bytes of the struct, which has at least as many.
    done(unsafe { call!(__NR_landlock_add_rule, ruleset.as_raw_fd(), PATH_BENEATH, &raw const attributes, 0u32) })
}

/// Allows these rights on a TCP port, landlock_add_rule(2).
///
/// # Errors
/// EINVAL: a right is not in the set of rules. ENOMSG: there is no right. EAFNOSUPPORT: the kernel has no TCP.
pub fn landlock_allow_port(ruleset: Fd, port: u16, rights: u64) -> Done {
    let attributes = [rights, port.into()];
    // SAFETY: the kernel reads a struct landlock_net_port_attr, two numbers of 64 bits.
    done(unsafe { call!(__NR_landlock_add_rule, ruleset.as_raw_fd(), NET_PORT, attributes.as_ptr(), 0u32) })
}

/// From now on the rules restrict this process and its later children, landlock_restrict_self(2).
///
/// # Errors
/// EPERM: PR_SET_NO_NEW_PRIVS is not set, and we have no CAP_SYS_ADMIN. E2BIG: 16 sets of rules are in force already.
pub fn landlock_restrict(ruleset: Fd) -> Done {
    // SAFETY: the arguments are a descriptor and no flags.
    done(unsafe { call!(__NR_landlock_restrict_self, ruleset.as_raw_fd(), 0u32) })
}
