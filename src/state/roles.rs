//! Which process keeps which descriptor, and until when: one table.
//!
//! A pipe tells its reader of an end only when every copy of its write end is closed; a descriptor that leads outside must not be
//! open in the container. So each process closes all descriptors but those of its role here.

use super::Launch;
use crate::sys::Kept;

/// The launcher, while the container runs.
pub const LAUNCHER: u8 = 1;
/// The launcher, where it is the parent of the command, while that runs.
pub const PARENT: u8 = 1 << 1;
/// Process 1, from the last mount until the command is started.
pub const SETUP: u8 = 1 << 2;
/// Process 1, while the command runs.
pub const PROCESS_1: u8 = 1 << 3;
/// The helper of `--enter`, inside the container.
pub const HELPER: u8 = 1 << 4;
/// The command, until it is executed.
pub const COMMAND: u8 = 1 << 5;

/// How many descriptors a process may keep that it alone knows.
pub const OWN: usize = 5;

/// How many a process keeps at most, the user's not counted.
pub const MOST: usize = ROLES.len() + OWN;

/// For a process that has none of its own.
pub const NONE: [Kept; OWN] = [Kept::NONE; OWN];

/// One descriptor that a launch may have.
struct Role {
    of: fn(&Launch) -> Kept,
    /// The processes that keep it.
    by: u8,
}

const ROLES: &[Role] = &[
    // The caller's terminal, where it is lent.
    Role { of: |launch| Kept::ours(launch.terminal), by: LAUNCHER | PARENT | SETUP | PROCESS_1 | HELPER },
    // Its end tells the others that the launcher is no more.
    Role { of: |launch| Kept::ours(launch.go.known().map(|pipe| pipe.write)), by: LAUNCHER | PARENT },
    #[cfg(feature = "container")]
    Role { of: |launch| Kept::ours(launch.go.known().map(|pipe| pipe.read)), by: SETUP | PROCESS_1 | HELPER },
    // The helper for the network forbids namespaces.
    #[cfg(feature = "container")]
    Role { of: |launch| Kept::ours(launch.proc.known().filter(|_| launch.network.known().is_some())), by: LAUNCHER },
    // The command becomes its owner: the kernel then translates the command's number for the launcher (F_GETOWN).
    #[cfg(feature = "status")]
    Role {
        of: |launch| Kept::ours(launch.told.known().map(|pipe| pipe.read).filter(|_| launch.spec.tells_command())),
        by: LAUNCHER | SETUP,
    },
    // The network namespace comes through it.
    #[cfg(feature = "container")]
    Role { of: |launch| Kept::ours(launch.network.known().map(|pipe| pipe.write)), by: LAUNCHER },
    // Until the command has been started, its read end is open somewhere inside.
    #[cfg(feature = "container")]
    Role { of: |launch| Kept::ours(launch.begun.map(|pipe| pipe.write)), by: LAUNCHER | PARENT },
    #[cfg(feature = "container")]
    Role { of: |launch| Kept::ours(launch.begun.map(|pipe| pipe.read)), by: SETUP },
    // The command keeps its news until it is executed.
    Role { of: |launch| Kept::ours(launch.news.map(|pipe| pipe.read)), by: LAUNCHER | PARENT },
    Role { of: |launch| Kept::ours(launch.news.map(|pipe| pipe.write)), by: SETUP | PROCESS_1 | HELPER | COMMAND },
    // execve(2) closes the write end: that is how the parent learns of it.
    Role { of: |launch| Kept::ours(launch.executed.map(|pipe| pipe.read)), by: PARENT | PROCESS_1 },
    Role { of: |launch| Kept::ours(launch.executed.map(|pipe| pipe.write)), by: COMMAND },
    // The command goes on when the parent has closed everything else.
    Role { of: |launch| Kept::ours(launch.gate.map(|pipe| pipe.write)), by: PARENT | PROCESS_1 },
    // The command writes its SELinux context there.
    #[cfg(feature = "container")]
    Role {
        of: |launch| Kept::ours(launch.proc.known().filter(|_| launch.spec.confine.exec_label.is_some())),
        by: SETUP | HELPER,
    },
    // The locks of an overlay's layer.
    #[cfg(feature = "overlay")]
    Role { of: |launch| Kept::ours(launch.layer_locks[0]), by: LAUNCHER },
    #[cfg(feature = "overlay")]
    Role { of: |launch| Kept::ours(launch.layer_locks[1]), by: LAUNCHER },
    // The container's cgroup, to be removed.
    #[cfg(feature = "cgroup")]
    Role { of: |launch| Kept::ours(launch.cgroup.known().map(|cgroup| cgroup.parent)), by: LAUNCHER },
    #[cfg(feature = "cgroup")]
    Role { of: |launch| Kept::ours(launch.cgroup.known().map(|cgroup| cgroup.own)), by: LAUNCHER },
    #[cfg(feature = "cgroup")]
    Role { of: |launch| Kept::ours(launch.cgroup.known().and_then(|cgroup| cgroup.leaf)), by: LAUNCHER },
    // The container's interfaces, to be removed or given back.
    #[cfg(feature = "net")]
    Role { of: |launch| Kept::ours(launch.links.known().map(|network| network.inside)), by: LAUNCHER },
    #[cfg(feature = "net")]
    Role { of: |launch| Kept::ours(launch.links.known().map(|network| network.outside)), by: LAUNCHER },
    #[cfg(feature = "net")]
    Role { of: |launch| Kept::ours(launch.links.known().map(|network| network.own)), by: LAUNCHER },
    // --sync-fd: open as long as a process is inside.
    #[cfg(feature = "container")]
    Role { of: |launch| Kept::given(launch.spec.channels.sync), by: PARENT | PROCESS_1 },
    // --block-fd: the command, which the helper starts, waits for it.
    #[cfg(feature = "container")]
    Role { of: |launch| Kept::given(launch.spec.channels.block), by: HELPER },
    // The launcher writes to these.
    #[cfg(feature = "container")]
    Role { of: |launch| Kept::given(launch.spec.channels.status), by: LAUNCHER | PARENT },
    Role { of: |launch| Kept::given(launch.spec.channels.ready), by: LAUNCHER | PARENT },
];

/// What a process keeps, with the descriptors that it alone knows.
#[must_use]
pub fn kept(by: u8, launch: &Launch, own: [Kept; OWN]) -> [Kept; MOST] {
    let mut list = [Kept::NONE; MOST];
    let (roles, rest) = list.split_at_mut(ROLES.len());
    for (role, kept) in ROLES.iter().zip(roles) {
        if role.by & by != 0 {
            *kept = (role.of)(launch);
        }
    }
    for (kept, own) in rest.iter_mut().zip(own) {
        *kept = own;
    }
    list
}
