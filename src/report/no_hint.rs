//! Takes the place of `hint` in a build without the feature hints: no cause is known, and nothing is looked at.

use core::ffi::CStr;

use crate::spec::{Ip, Limited, LinkKind, Spec};
use crate::sys::Failure;
use crate::text::Say;

/// Why a call failed: the causes that other modules name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    Unknown,
    BindInPlace,
    EmptyRoot,
    Ended,
    LandlockForbids,
    LimitsAreFixed,
    LockedNoexec,
    NeedsSetpcap,
    NeedsSetpcapToDrop,
    NotHeld,
    NoFilter,
    NotRootOutside,
    UnmappableBelow,
}

impl Cause {
    /// The hint: none.
    #[must_use]
    pub const fn hint(self) -> Say {
        Say::NOTHING
    }
}

macro_rules! unknown {
    ($($name:ident($($of:ty),*);)*) => {
        $(
            /// The cause is not known.
            #[must_use]
            pub const fn $name($(_: $of),*) -> Cause {
                Cause::Unknown
            }
        )*
    };
}

unknown! {
    of_address(&Ip, Failure);
    of_bridge(Failure);
    of_call(Failure);
    of_cgroup(&Spec<'_>, Failure);
    of_controller(&[u8], Failure);
    of_delegation(Failure);
    of_old_cgroup(Failure);
    of_copy(Failure);
    of_devpts(Failure);
    of_errno(Failure);
    of_execution(&CStr, Failure);
    of_first_word(&CStr);
    of_fork(Failure);
    of_idmap(Failure);
    of_image(Failure);
    of_join(bool, Failure);
    of_keyring(Failure);
    of_look(&Spec<'_>, Failure);
    of_link(Failure);
    of_new_link(LinkKind, Failure);
    of_pasta(Failure);
    of_route(&Ip, Failure);
    of_limit(&Limited<'_>, Failure);
    of_loop(Failure);
    of_machines_place(Failure);
    of_map(Failure);
    of_map_helper(Failure);
    of_mount(Failure);
    of_namespaces(&Spec<'_>, bool, Failure);
    of_network(Failure);
    of_overlay(&Spec<'_>, Failure);
    of_own_file(Failure);
    of_own_id(Failure);
    of_pid_file(&CStr, Failure);
    of_place(&Spec<'_>, Failure);
    of_proc(&Spec<'_>, Failure);
    of_reopened(Failure);
    of_running(&Spec<'_>, Failure);
    of_setting(Failure);
    of_sys(&Spec<'_>, Failure);
    of_sysctl(Failure);
    of_terminal(&Spec<'_>, Failure);
}
