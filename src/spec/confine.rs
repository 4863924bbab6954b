//! The confinement of the command.

use core::ffi::CStr;

use super::{Landlock, Limit};

/// The rights that the command keeps and gives up.
#[derive(Clone, Copy)]
pub struct Confine<'a> {
    pub capabilities: Capabilities,
    /// Set-id bits and file capabilities have no effect (prctl(2), PR_SET_NO_NEW_PRIVS).
    pub no_new_privs: bool,
    /// `--no-new-privs`: without a container too.
    pub asks_no_new_privs: bool,
    /// `--securebits`: the bits (prctl(2), PR_SET_SECUREBITS).
    pub securebits: Option<u32>,
    pub landlock: Landlock<'a>,
    /// The limits of the command as a process, in the order of the options.
    pub limits: &'a [Limit<'a>],
    /// `--keep-keyring`: the command has the caller's session keyring.
    pub keep_keyring: bool,
    /// The built-in filter of system calls is installed.
    pub filtered: bool,
    /// Programs for seccomp(2), struct sock_filter after struct sock_filter, in the order of loading.
    pub filters: &'a [&'a [u8]],
    /// The SELinux context of the command.
    pub exec_label: Option<&'a CStr>,
    /// The SELinux context of the files and file systems that are made.
    pub file_label: Option<&'a CStr>,
}

/// Sets of capabilities(7): bit N is capability N.
#[derive(Clone, Copy)]
pub struct Capabilities {
    /// The bounding set.
    pub bounding: u64,
    /// The capabilities that the command gets, as far as nsinit has them. It keeps those in `ambient` whatever its user id is.
    pub held: u64,
    /// Ambient and inheritable.
    pub ambient: u64,
}

impl Capabilities {
    /// The 11 that every container engine leaves to root: CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP
    /// NET_BIND_SERVICE SYS_CHROOT SETFCAP. Some leave NET_RAW too: most faults of the kernel's packet sockets need it. Others,
    /// MKNOD and AUDIT_WRITE, have no use in a user namespace.
    pub const USUAL: u64 = 0b1011 | 0b1_1111 << 4 | 1 << 10 | 1 << 18 | 1 << 31;
    /// All that have a number, and those that a newer kernel adds.
    pub const ALL: u64 = !0;
    /// The highest bit, which no capability has: the user gave `ALL`, which means all capabilities that nsinit has.
    pub const AS_FAR_AS_HELD: u64 = 1 << 63;
}
