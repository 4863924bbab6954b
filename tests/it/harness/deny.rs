//! System calls that fail: a seccomp filter, installed before nsinit is executed, that returns an errno.

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

#[derive(Clone, Copy, Debug)]
pub struct Deny {
    pub call: i64,
    /// Only if `argument & mask == value`: (index, mask, value).
    pub when: Option<(u8, u64, u64)>,
    pub errno: i32,
}

/// The mount calls that Linux 5.11 lacks.
pub const SINCE_5_12: [i64; 1] = [libc::SYS_mount_setattr];
/// The mount calls that Linux 5.1 lacks.
pub const SINCE_5_2: [i64; 5] =
    [libc::SYS_mount_setattr, libc::SYS_open_tree, libc::SYS_move_mount, libc::SYS_fsopen, libc::SYS_fsmount];

/// All system calls for mounts as descriptors.
pub const MOUNT_CALLS: [i64; 6] = [
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_mount_setattr,
];

impl Deny {
    pub const fn all(call: i64, errno: i32) -> Self {
        Self { call, when: None, errno }
    }

    pub const fn when(call: i64, argument: u8, mask: u64, value: u64, errno: i32) -> Self {
        Self { call, when: Some((argument, mask, value)), errno }
    }

    pub fn filter(self) -> BpfProgram {
        let rules = self.when.map(|(argument, mask, value)| {
            SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(mask), value)
                .and_then(|condition| SeccompRule::new(vec![condition]))
                .expect("a rule of one condition")
        });
        let errno = SeccompAction::Errno(self.errno.cast_unsigned());
        let arch = TargetArch::try_from(std::env::consts::ARCH).expect("seccompiler supports this architecture");
        SeccompFilter::new(
            BTreeMap::from([(self.call, rules.into_iter().collect())]),
            SeccompAction::Allow,
            errno,
            arch,
        )
        .and_then(BpfProgram::try_from)
        .expect("a filter of one rule")
    }

    /// The program in the format that is read from a descriptor: 8 bytes for each instruction.
    pub fn bytes(self) -> Vec<u8> {
        let bytes = |i: &seccompiler::sock_filter| {
            let mut bytes = i.code.to_ne_bytes().to_vec();
            bytes.extend([i.jt, i.jf]);
            bytes.extend(i.k.to_ne_bytes());
            bytes
        };
        self.filter().iter().flat_map(bytes).collect()
    }
}

/// For the child, between fork and exec. Sets no_new_privs: an ordinary user may install a filter only with it.
pub fn install(filter: &BpfProgram) -> io::Result<()> {
    seccompiler::apply_filter(filter).map_err(|_| io::Error::last_os_error())
}
