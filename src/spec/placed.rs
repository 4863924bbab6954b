//! Facts that follow from a Spec about the root and what is mounted in it.

use linux_raw_sys::general as raw;

use super::{Kind, Mode, Spec, Writes, rooms};

impl Spec<'_> {
    /// Whether the root is an overlay that keeps its writes (`--overlay-root`, `--overlay-device`).
    #[must_use]
    pub const fn keeps_layer(&self) -> bool {
        rooms::OVERLAY && !self.root.upper.is_empty() || self.has_overlay_device()
    }

    /// Whether the writes to the root of `--switch-root` go to a disk of their own.
    #[must_use]
    pub const fn has_overlay_device(&self) -> bool {
        rooms::ROOT_DEVICE && rooms::OVERLAY && !self.machine.overlay_device.is_empty()
    }

    /// Whether the root is to be an overlay that keeps its writes, and something else too.
    #[must_use]
    pub fn keeps_writes_twice(&self) -> bool {
        self.keeps_layer()
            && (self.root.writes != Writes::Kept || self.has_overlay_device() && !self.root.upper.is_empty())
    }

    /// Whether the writes are to go to a disk, and no root is switched to.
    #[must_use]
    pub const fn has_disk_without_switch(&self) -> bool {
        self.has_overlay_device() && !(self.boots() && self.machine.switch_root.is_some())
    }

    /// Whether `--wait-device` is given without a device.
    #[must_use]
    pub const fn waits_for_no_device(&self) -> bool {
        self.machine.wait_device.is_some() && !self.has_image() && !self.has_overlay_device()
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
