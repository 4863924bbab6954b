//! Facts that follow from a Spec about the root and what is mounted in it.

use linux_raw_sys::general as raw;

use super::{Kind, Mode, Spec, Writes, rooms};

impl Spec<'_> {
    /// Whether the root is an overlay that keeps its writes (`--overlay-root`).
    #[must_use]
    pub const fn keeps_layer(&self) -> bool {
        rooms::OVERLAY && !self.root.upper.is_empty()
    }

    /// Whether the root is an overlay.
    #[must_use]
    pub fn has_overlay(&self) -> bool {
        rooms::OVERLAY && (self.root.writes == Writes::Forgotten || self.keeps_layer())
    }

    /// Whether the operations on the root change the root that is there, or that of `--switch-root`: no container is made.
    #[must_use]
    pub fn prepares_in_place(&self) -> bool {
        rooms::CONTAINER && self.mode == Mode::Init && !self.root.ops.is_empty()
    }

    /// Whether a procfs is mounted, and not that of the caller's pid namespace.
    #[must_use]
    pub fn mounts_new_proc(&self) -> bool {
        let joins = self.joined(raw::CLONE_NEWPID) || self.namespaces.joins.pid.is_some();
        let new = self.unshares(raw::CLONE_NEWPID) || joins;
        new && (self.has_root() && self.root.proc || self.does(Kind::Proc))
    }
}
