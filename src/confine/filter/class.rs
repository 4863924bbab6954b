//! The answers that a call can get, and what permits it.

/// Which answer a call gets: one of four kinds, and a number below 64.
pub type Class = u8;

/// The number of kinds' values: a class is a kind and a number below this.
pub const KIND: Class = 64;
/// Refused with EPERM, unless there is the permission of that number: a capability, or one of those below.
pub const UNLESS: Class = 0;
/// The same with ENOSYS.
pub const MISSING_UNLESS: Class = KIND;
/// The same for flags that make namespaces; other flags are allowed.
pub const CHECKED_UNLESS: Class = 2 * KIND;
/// The answer is at the place of that number, see [`super::program`].
pub const AT: Class = 3 * KIND;

pub const NET_RAW: Class = 13;
pub const SYS_CHROOT: Class = 18;
pub const SYS_ADMIN: Class = 21;
pub const AUDIT_WRITE: Class = 29;
pub const SYSLOG: Class = 34;
pub const PERFMON: Class = 38;
pub const BPF: Class = 39;
pub const DAC_READ_SEARCH: Class = 2;
pub const SYS_MODULE: Class = 16;
pub const SYS_RAWIO: Class = 17;
pub const SYS_PTRACE: Class = 19;
pub const SYS_PACCT: Class = 20;
pub const SYS_BOOT: Class = 22;
pub const SYS_NICE: Class = 23;
pub const SYS_TIME: Class = 25;
pub const SYS_TTY_CONFIG: Class = 26;

/// The permissions below this number are capabilities.
pub const CAPABILITIES: Class = 48;
/// Nothing permits it.
pub const NEVER: Class = CAPABILITIES;
/// CAP_SYS_ADMIN or --allow-nesting permits it.
pub const NESTING: Class = CAPABILITIES + 1;
/// --keep-keyring permits it.
pub const KEYS: Class = CAPABILITIES + 2;

pub const ALLOWED: Class = AT + ALLOW;
pub const MISSING: Class = AT + ENOSYS;

/// The parts of the end of the program, see [`super::program`], by their first instruction.
#[cfg_attr(
    not(any(test, target_arch = "arm", target_arch = "aarch64")),
    allow(dead_code, reason = "other machines have no such calls")
)]
pub const ARM_PRIVATE: Class = 1;
pub const IOCTL: Class = 3;
pub const PERSONALITY: Class = 6;
pub const NAMESPACES: Class = 9;
pub const SOCKET: Class = 11;
/// AF_PACKET and AF_XDP: CAP_NET_RAW permits them.
pub const RAW: Class = 19;
/// NETLINK_AUDIT: CAP_AUDIT_WRITE permits it.
pub const AUDIT: Class = 20;
pub const ALLOW: Class = 21;
pub const EPERM: Class = 22;
pub const ENOSYS: Class = 23;
