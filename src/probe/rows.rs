//! The features, a row each: how it is tried, and why it may be missing.

use linux_raw_sys::general as raw;

use super::attempts as a;
use super::trial::{Ask, Row, Trial};
use crate::report::hint::Cause;
use crate::say;
use crate::sys::{self, Done, Failure};
use crate::text::Say;

const USER: u32 = raw::CLONE_NEWUSER;
/// The namespaces in which process 1 makes mounts.
const MOUNTS: u32 = USER | raw::CLONE_NEWNS;

/// No errno has a meaning of its own.
const NONE: (Failure, Cause) = (Failure::REPORTED, Cause::Unknown);

/// One that the process tries as it is.
const fn plain(name: Say, attempt: fn(&mut Trial<'_>) -> Done) -> Row {
    Row { name, inside: 0, attempt, ask: Ask::Feature, special: NONE }
}

/// One kind of namespaces.
const fn namespaces(name: Say, kind: u32) -> Row {
    Row { inside: USER | kind, ..plain(name, |_| Ok(())) }
}

/// A mount that process 1 makes.
const fn mounted(name: Say, more: u32, ask: Ask, attempt: fn(&mut Trial<'_>) -> Done) -> Row {
    Row { inside: MOUNTS | more, ask, ..plain(name, attempt) }
}

/// In the order in which they are tried and printed. The last one decides about the exit status.
pub static ROWS: &[Row] = &[
    namespaces(say!("user namespaces"), USER),
    namespaces(say!("mount namespaces"), raw::CLONE_NEWNS),
    namespaces(say!("pid namespaces"), raw::CLONE_NEWPID),
    namespaces(say!("ipc namespaces"), raw::CLONE_NEWIPC),
    namespaces(say!("uts namespaces"), raw::CLONE_NEWUTS),
    namespaces(say!("net namespaces"), raw::CLONE_NEWNET),
    namespaces(say!("cgroup namespaces"), raw::CLONE_NEWCGROUP),
    namespaces(say!("time namespaces"), raw::CLONE_NEWTIME),
    Row { inside: USER, ask: Ask::Namespaces, ..plain(say!("nested user namespaces"), |_| sys::unshare(USER)) },
    #[cfg(feature = "ids")]
    plain(say!("subordinate ids"), a::many_ids),
    #[cfg(feature = "idmap")]
    Row { ask: Ask::Idmap, ..plain(say!("idmapped mounts"), a::idmapped_mount) },
    #[cfg(feature = "overlay")]
    mounted(say!("overlays"), 0, Ask::Overlay, a::overlay),
    mounted(say!("procfs"), raw::CLONE_NEWPID, Ask::Proc, |_| a::new_mount(c"proc")),
    mounted(say!("sysfs"), raw::CLONE_NEWNET, Ask::Sys, |_| a::new_mount(c"sysfs")),
    mounted(say!("mqueue"), raw::CLONE_NEWIPC, Ask::Mount, |_| a::mount_on_root(c"mqueue", c"")),
    mounted(say!("devpts"), 0, Ask::Mount, |_| a::devpts()),
    plain(say!("ptys"), |_| a::open_pty(c"/dev/ptmx")),
    #[cfg(feature = "landlock")]
    Row { special: (Failure::OPNOTSUPP, Cause::LandlockOff), ..plain(say!("landlock"), a::landlock) },
    plain(say!("no new privs"), |_| a::no_new_privs()),
    Row { special: (Failure::INVAL, Cause::NoFilters), ..plain(say!("seccomp"), |_| a::filter()) },
    plain(say!("openat2"), |_| a::open_in_root()),
    mounted(say!("mount descriptors"), 0, Ask::Feature, |_| a::mount_descriptors()),
    mounted(say!("mount setattr"), 0, Ask::Feature, |_| a::mount_attributes()),
    plain(say!("clone3"), |_| a::clone()),
    plain(say!("clone into cgroup"), |_| a::clone_into_cgroup()),
    plain(say!("pidfd"), |_| a::pidfd()),
    plain(say!("close range"), |_| sys::try_close_range()),
    Row { special: (Failure::INVAL, Cause::NoCheckpoints), ..plain(say!("own file left cheaply"), a::leave_file) },
    plain(say!("keyrings"), |_| sys::join_new_keyring()),
    Row { special: (Failure::NOENT, Cause::NoCgroups), ..plain(say!("cgroup2"), |_| a::cgroup2()) },
    Row {
        special: (Failure::NO_CONTROLLERS, Cause::NoControllers),
        ..plain(say!("cgroup controllers"), a::controllers)
    },
    Row { special: (Failure::ACCESS, Cause::NotDelegated), ..plain(say!("cgroup delegation"), |_| a::delegation()) },
    plain(say!("root"), a::root),
];
