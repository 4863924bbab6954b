//! Facts that follow from a Spec. Each is computed here and nowhere else.

use linux_raw_sys::general as raw;

use super::{Capabilities, Kind, Mode, NoMoreUsers, Op, Spec, Writes};

impl Spec<'_> {
    /// Whether the launcher must know when the command has been executed.
    #[must_use]
    pub fn awaits_start(&self) -> bool {
        self.channels.ready.is_some() || self.channels.detach || self.channels.pid_file.is_some() || self.terminal.pty
    }

    /// Whether nsinit makes a container, and is its process 1 at first.
    #[must_use]
    pub fn makes_container(&self) -> bool {
        matches!(self.mode, Mode::Root | Mode::Sandbox)
    }

    /// Whether the command runs in a container, a new one or one that exists.
    #[must_use]
    pub fn contained(&self) -> bool {
        self.mode != Mode::Init
    }

    /// Whether nsinit's own defaults apply: a sandbox has bubblewrap's, and a command without a container has none.
    #[must_use]
    pub fn has_preset(&self) -> bool {
        self.has_root() || self.mode == Mode::Enter
    }

    /// Whether an existing namespace of that kind is joined.
    #[must_use]
    pub fn joined(&self, kind: u32) -> bool {
        self.namespaces.joins.named.iter().any(|(named, _)| *named == kind)
    }

    /// Whether the command is in a user namespace that exists already.
    #[must_use]
    pub fn joins_user(&self) -> bool {
        self.namespaces.joins.user.is_some() || self.joined(raw::CLONE_NEWUSER)
    }

    /// Whether new namespaces of all kinds in `flags` (CLONE_NEW*) are made.
    #[must_use]
    pub const fn unshares(&self, flags: u32) -> bool {
        self.namespaces.new & flags == flags
    }

    /// Whether a directory or an image becomes the root, with the mounts of the preset in it.
    #[must_use]
    pub fn has_root(&self) -> bool {
        self.mode == Mode::Root
    }

    /// Whether the root is built from the operations alone, without the preset: bubblewrap's kind.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        self.mode == Mode::Sandbox
    }

    /// Whether process 1 is untraceable while it has more rights than the command. In a sandbox whose namespaces are reported
    /// it stays traceable: the reader looks for them in /proc meanwhile. No other process inside could trace it, since all the
    /// namespaces are new.
    #[must_use]
    pub fn hides(&self) -> bool {
        self.mode == Mode::Enter
            || self.has_root()
            || self.joins_user()
            || self.namespaces.joins.pid.is_some()
            || !self.namespaces.joins.named.is_empty()
            || self.confine.exec_label.is_some()
            || !self.is_told_of()
    }

    /// Whether the command's ids are set, not only mapped.
    #[must_use]
    pub fn sets_ids(&self) -> bool {
        match self.mode {
            Mode::Enter => true,
            _ if self.has_root() => !self.ids.rootless,
            _ => self.joins_user() && (self.ids.other_uid || self.ids.other_gid),
        }
    }

    /// Whether a process of nsinit stays between the command and the launcher.
    #[must_use]
    pub fn supervises(&self) -> bool {
        self.mode != Mode::Enter
            && !self.life.as_pid_1
            && (self.has_root()
                || self.unshares(raw::CLONE_NEWPID)
                || self.terminal.pty
                || self.channels.sync.is_some()
                || !self.life.locks.is_empty()
                || self.life.asks_for_more_than_the_preset())
    }

    /// Whether the command's process group becomes the foreground process group of the caller's terminal.
    #[must_use]
    pub const fn lends_terminal(&self) -> bool {
        self.life.own_group && !self.life.new_session && !self.terminal.pty && !self.terminal.withheld
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
        self.channels.info.is_some() || self.channels.status.is_some()
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
        self.namespaces.users == NoMoreUsers::Made
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
        self.root.writes == Writes::Refused || self.root.image && self.root.writes == Writes::Kept
    }

    /// Whether the command has CAP_SYS_ADMIN, or can gain it.
    #[must_use]
    pub fn may_mount(&self) -> bool {
        const SYS_ADMIN: u64 = 1 << 21;
        let Capabilities { bounding, held, .. } = self.confine.capabilities;
        (if self.confine.no_new_privs { held } else { held | bounding }) & SYS_ADMIN != 0
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
        (life.own_group || life.new_session) && !self.terminal.pty && (self.supervises() || !life.new_session)
    }
}
