//! Facts that follow from a Spec. Each is computed here and nowhere else.

use linux_raw_sys::general as raw;

#[cfg(feature = "limits")]
use super::Sysctl;
use super::{Capabilities, Kind, Mode, NoMoreUsers, Op, Range, Spec, Writes, rooms};
#[cfg(feature = "limits")]
use crate::say;
#[cfg(feature = "limits")]
use crate::text::Say;

impl Spec<'_> {
    /// Whether the command gets a pty of its own.
    #[must_use]
    pub const fn has_pty(&self) -> bool {
        rooms::PTY && self.terminal.pty
    }

    /// How many seconds the device of the root is waited for. On a running machine the devices are there.
    #[must_use]
    pub const fn patience(&self) -> u32 {
        match self.machine.wait_device {
            Some(seconds) => seconds,
            None if self.boots() => 10,
            None => 0,
        }
    }

    /// Whether the command runs in a container that exists.
    #[must_use]
    pub fn enters(&self) -> bool {
        rooms::ENTER && self.mode == Mode::Enter
    }

    /// Whether the caller's process ends when the command has been executed.
    #[must_use]
    pub const fn detaches(&self) -> bool {
        rooms::DETACH && self.channels.detach
    }

    /// Whether the launcher must know when the command has been executed.
    #[must_use]
    pub fn awaits_start(&self) -> bool {
        rooms::DETACH && (self.channels.ready.is_some() || self.channels.detach || self.channels.pid_file.is_some())
            || self.has_pty()
            || self.is_kept()
            || self.limits(b"memory")
            || self.tells_command()
    }

    /// Whether the command's number is reported.
    #[must_use]
    pub const fn tells_command(&self) -> bool {
        rooms::STATUS && self.channels.status.is_some() && self.channels.tells_signal
    }

    /// Whether nsinit makes a container, and is its process 1 at first.
    #[must_use]
    pub fn makes_container(&self) -> bool {
        self.has_root() || self.is_sandbox()
    }

    /// Whether the command runs in a container, a new one or one that exists.
    #[must_use]
    pub fn contained(&self) -> bool {
        (rooms::CONTAINER || rooms::ENTER) && self.mode != Mode::Init
    }

    /// Whether nsinit's own defaults apply: a sandbox has bubblewrap's, and a command without a container has none.
    #[must_use]
    pub fn has_preset(&self) -> bool {
        self.has_root() || self.enters()
    }

    /// Whether an existing namespace of that kind is joined.
    #[must_use]
    pub fn joined(&self, kind: u32) -> bool {
        rooms::JOIN && self.namespaces.joins.named.iter().any(|(named, _)| *named == kind)
    }

    /// Whether the command is in a user namespace that exists already.
    #[must_use]
    pub fn joins_user(&self) -> bool {
        rooms::JOIN && (self.namespaces.joins.user.is_some() || self.joined(raw::CLONE_NEWUSER))
    }

    /// Whether Landlock restricts the command.
    #[must_use]
    pub const fn uses_landlock(&self) -> bool {
        rooms::LANDLOCK && self.confine.landlock.mentioned != 0
    }

    /// Whether set-id bits and file capabilities have no effect for the command. The kernel lets an ordinary process use Landlock
    /// only then.
    #[must_use]
    pub fn has_no_new_privs(&self) -> bool {
        (self.contained() || self.uses_landlock() || self.confine.asks_no_new_privs) && self.confine.no_new_privs
    }

    /// Whether the command gets other capabilities than its user has anyway.
    #[must_use]
    pub fn sets_capabilities(&self) -> bool {
        let sets = &self.confine.capabilities;
        self.contained() || rooms::CONTAINER && (sets.bounding != Capabilities::ALL || sets.ambient != 0)
    }

    /// Whether existing namespaces are joined.
    #[must_use]
    pub fn joins(&self) -> bool {
        let joins = &self.namespaces.joins;
        self.joins_user() || joins.pid.is_some() || !joins.named.is_empty()
    }

    /// Whether a helper of the launcher may make the network, while process 1 makes the mounts: then no process may see process 1
    /// or the helper before the container is complete.
    #[must_use]
    pub fn may_make_network_beside(&self) -> bool {
        self.makes_container()
            && self.unshares(raw::CLONE_NEWNET | raw::CLONE_NEWPID)
            && !self.joins()
            && !self.makes_network_first()
    }

    /// Whether the clone of process 1 makes the network namespace: the launcher uses it before process 1 goes on.
    #[must_use]
    pub const fn makes_network_first(&self) -> bool {
        self.is_told_of() || self.is_connected()
    }

    /// Whether new namespaces of all kinds in `flags` (CLONE_NEW*) are made.
    #[must_use]
    pub const fn unshares(&self, flags: u32) -> bool {
        rooms::CONTAINER && self.namespaces.new & flags == flags
    }

    /// Whether a directory or an image becomes the root, with the mounts of the preset in it.
    #[must_use]
    pub fn has_root(&self) -> bool {
        rooms::CONTAINER && self.mode == Mode::Root
    }

    /// Whether the root is built from the operations alone, without the preset: bubblewrap's kind.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        rooms::BWRAP && self.mode == Mode::Sandbox
    }

    /// Whether process 1 is untraceable while it has more rights than the command. In a sandbox whose namespaces are reported
    /// it stays traceable: the reader looks for them in /proc meanwhile. No other process inside could trace it, since all the
    /// namespaces are new.
    #[must_use]
    pub fn hides(&self) -> bool {
        self.enters()
            || self.has_root()
            || self.joins_user()
            || self.namespaces.joins.pid.is_some()
            || !self.namespaces.joins.named.is_empty()
            || self.confine.exec_label.is_some()
            || !self.is_told_of()
    }

    /// Whether the container gets a cgroup of its own.
    #[must_use]
    pub const fn has_cgroup(&self) -> bool {
        rooms::CGROUP && (self.cgroup.parent.is_some() || !self.cgroup.settings.is_empty() || self.cgroup.delegated)
    }

    /// Whether the container has a limit of this controller.
    #[must_use]
    pub fn limits(&self, controller: &[u8]) -> bool {
        self.has_cgroup() && self.cgroup.settings.iter().any(|setting| setting.controller() == controller)
    }

    /// Whether the container joins cgroups of version 1.
    #[must_use]
    pub const fn joins_old_cgroups(&self) -> bool {
        rooms::CGROUP && !self.cgroup.old.is_empty()
    }

    /// Whether the container is in other cgroups than the launcher.
    #[must_use]
    pub const fn uses_cgroups(&self) -> bool {
        self.has_cgroup() || self.joins_old_cgroups()
    }

    /// Whether the container makes cgroups below its own.
    #[must_use]
    pub const fn delegates(&self) -> bool {
        rooms::CGROUP && self.cgroup.delegated
    }

    /// Whether process 1 makes the cgroup namespace: the clone would make that of the launcher's cgroups (cgroup_namespaces(7)).
    #[must_use]
    pub const fn makes_cgroup_namespace(&self) -> bool {
        self.uses_cgroups() && self.unshares(raw::CLONE_NEWCGROUP)
    }

    /// Whether the user gave the ranges of ids that the new user namespace maps.
    #[must_use]
    pub fn maps_ranges(&self) -> bool {
        rooms::IDS && !self.ids.users.is_empty()
    }

    /// Whether no process of the new user namespace may change its groups: only one group id is mapped, and to leave a group may
    /// grant what that group is denied (CVE-2014-8989).
    #[must_use]
    pub fn denies_setgroups(&self) -> bool {
        self.ids.own_only || self.maps_ranges() && matches!(self.ids.members, [Range { count: 1, .. }])
    }

    /// Whether the caller's files are shown through the map.
    #[must_use]
    pub const fn shows_through_map(&self) -> bool {
        rooms::IDMAP && self.ids.idmap
    }

    /// Whether the launcher has mounted what becomes the root: an image, or DIR through the map.
    #[must_use]
    pub const fn has_mounted_source(&self) -> bool {
        self.has_image() || self.shows_through_map()
    }

    /// Whether process 1 may be another user for the host's files than the owner of the caller's terminal: it is not root there.
    #[must_use]
    pub fn is_unprivileged(&self) -> bool {
        self.ids.rootless || self.maps_ranges()
    }

    /// Whether the command's ids are set, not only mapped.
    #[must_use]
    pub fn sets_ids(&self) -> bool {
        match self.mode {
            Mode::Enter => rooms::ENTER,
            Mode::Init => rooms::CONTAINER && (self.ids.chosen || self.ids.groups.is_some()),
            _ if self.maps_ranges() || rooms::IDS && self.ids.groups.is_some() => true,
            // The user namespace that an ordinary user joins may map more users than one.
            _ if self.has_root() => !self.ids.rootless || self.joins_user() && self.ids.chosen,
            _ => self.joins_user() && (self.ids.other_uid || self.ids.other_gid),
        }
    }

    /// Whether a process of nsinit stays between the command and the launcher.
    #[must_use]
    pub fn supervises(&self) -> bool {
        !self.enters()
            && !self.life.as_pid_1
            && (self.has_root()
                || self.unshares(raw::CLONE_NEWPID)
                || self.has_pty()
                || self.channels.sync.is_some()
                || !self.life.locks.is_empty()
                || self.life.asks_for_more_than_the_preset())
    }

    /// Whether the command's process group becomes the foreground process group of the caller's terminal.
    #[must_use]
    pub const fn lends_terminal(&self) -> bool {
        self.life.own_group && !self.life.new_session && !self.has_pty() && !self.terminal.withheld
    }

    /// Whether the command is in the caller's process group and cannot see the number of that group: a shell inside then
    /// cannot give the terminal back to it.
    #[must_use]
    pub fn hides_group(&self) -> bool {
        let pids =
            self.unshares(raw::CLONE_NEWPID) || self.joined(raw::CLONE_NEWPID) || self.namespaces.joins.pid.is_some();
        self.is_sandbox() && !self.life.own_group && !self.life.new_session && pids
    }

    /// Whether the namespaces are reported to a process outside. The clone of process 1 then makes all of them.
    #[must_use]
    pub const fn is_told_of(&self) -> bool {
        rooms::STATUS && (self.channels.info.is_some() || self.channels.status.is_some())
    }

    /// Whether process 1 is in a user namespace that is new, or that was handed to nsinit.
    #[must_use]
    pub fn in_user_namespace(&self) -> bool {
        self.unshares(raw::CLONE_NEWUSER) || self.joins_user()
    }

    /// Whether the command gets a user namespace of its own, below the container's: a limit on user namespaces does not apply
    /// to the namespace that it is set in, only to those below.
    #[must_use]
    pub fn nests_users(&self) -> bool {
        rooms::BWRAP && self.namespaces.users == NoMoreUsers::Made
    }

    /// Whether process 1 forbids user and cgroup namespaces inside. It can do so in a new user namespace only: the limits of
    /// one that exists apply to other processes too.
    #[must_use]
    pub fn forbids_nesting(&self) -> bool {
        self.has_root() && !self.namespaces.allow_nesting && self.unshares(raw::CLONE_NEWUSER)
    }

    /// The attributes of the root (MOUNT_ATTR_*) with no_new_privs (prctl(2)): set-id bits and file capabilities then have no
    /// effect for processes that join later either.
    #[must_use]
    pub const fn no_set_id(&self) -> u32 {
        if self.confine.no_new_privs { raw::MOUNT_ATTR_NOSUID } else { 0 }
    }

    /// Whether writes to the root itself are refused.
    #[must_use]
    pub fn refuses_writes(&self) -> bool {
        self.root.writes == Writes::Refused
            || self.has_image() && self.root.writes == Writes::Kept && !self.keeps_layer()
    }

    /// Whether the command has CAP_SYS_ADMIN, or can gain it.
    #[must_use]
    pub const fn may_mount(&self) -> bool {
        const SYS_ADMIN: u64 = 1 << 21;
        self.reachable_capabilities() & SYS_ADMIN != 0
    }

    /// The capabilities that the command has, or can gain in its user namespace.
    #[must_use]
    pub const fn reachable_capabilities(&self) -> u64 {
        let Capabilities { bounding, held, .. } = self.confine.capabilities;
        if self.confine.no_new_privs { held } else { held | bounding }
    }

    /// Whether the root has no file of the caller: no operation brings one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let brings = |op: &Op<'_>| op.kind as u8 <= Kind::OverlayReadOnly as u8 || op.kind == Kind::File;
        self.is_sandbox() && self.unshares(raw::CLONE_NEWNS) && !self.root.ops.iter().any(brings)
    }

    /// Whether any operation is of that kind.
    #[must_use]
    pub fn does(&self, kind: Kind) -> bool {
        self.root.ops.iter().any(|op| op.kind == kind)
    }

    /// Why a setting of the kernel is refused: it must be one of a new namespace, since those of others are not the container's to change.
    #[cfg(feature = "limits")]
    #[must_use]
    pub fn refusal_of(&self, sysctl: Sysctl<'_>) -> Option<Say> {
        Some(match sysctl.owner() {
            None => say!("it belongs to the machine, not to a namespace of the container"),
            Some(kind) if self.unshares(kind) => return None,
            Some(raw::CLONE_NEWNET) => say!("needs a new network namespace (--unshare-net)"),
            Some(raw::CLONE_NEWIPC) => say!("needs a new IPC namespace (--unshare-ipc)"),
            Some(_) => say!("needs a new UTS namespace (--unshare-uts)"),
        })
    }

    /// Whether a sysfs is mounted, which shows the network namespace of the process that mounts it.
    #[must_use]
    pub fn shows_network(&self) -> bool {
        self.has_root() && self.root.sys || self.does(Kind::Sys)
    }

    /// Whether process 1 leaves the process group of the caller. With --new-session only the launcher passes the terminal's signals
    /// on, whatever process group it is in.
    #[must_use]
    pub fn leaves_group(&self) -> bool {
        let life = &self.life;
        (life.own_group || life.new_session) && !self.has_pty() && (self.supervises() || !life.new_session)
    }
}
