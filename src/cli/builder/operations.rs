//! The operations on the root, each with the options for it that come before it (--perms, --size, --noexec, --overlay-src ...).

use core::ffi::CStr;
use core::mem::take;

use engine::say;
use engine::spec::{Kind, Op};
use engine::text::Say;
use linux_raw_sys::general as raw;

use super::super::complaint::Wrong;
use super::super::values;
use super::Draft;

#[cfg(feature = "overlay")]
const LAYERS_ALONE: Say =
    say!("--overlay-src must be followed by another --overlay-src or one of --overlay, --tmp-overlay, or --ro-overlay");
const PERMS_ALONE: Say = say!("--perms must be followed by an option that creates a file");
const SIZE_ALONE: Say = say!("--size must be followed by --tmpfs");
const NOEXEC_ALONE: Say = say!("--exec and --noexec must be followed by an option that mounts");

impl Draft {
    /// One more operation; its mount gets the attributes `set` (MOUNT_ATTR_*).
    pub fn op(&mut self, kind: Kind, set: u32, values: &[&'static CStr; 3]) -> Result<(), Wrong> {
        let [first, second, third] = *values;
        let mut op = Op::new(kind, first);
        op.set = set;
        op.mode = self.mode.take();
        op.size = take(&mut self.size);
        let noexec = self.noexec.take();
        match noexec {
            Some(true) => op.set |= raw::MOUNT_ATTR_NOEXEC,
            Some(false) => op.cleared |= raw::MOUNT_ATTR_NOEXEC,
            None => {}
        }
        if op.mode.is_some() && !matches!(kind, Kind::Tmpfs | Kind::Dir | Kind::File | Kind::BindData) {
            return Err(Wrong::sentence(PERMS_ALONE));
        }
        if !op.size.is_empty() && kind != Kind::Tmpfs {
            return Err(Wrong::sentence(SIZE_ALONE));
        }
        if noexec.is_some() && (op.makes() || kind == Kind::Remount) {
            return Err(Wrong::sentence(NOEXEC_ALONE));
        }
        if matches!(kind, Kind::Overlay | Kind::OverlayTmpfs | Kind::OverlayReadOnly) {
            op.layers = take(&mut self.layers).leak();
        }
        #[cfg(feature = "overlay")]
        if !self.layers.is_empty() {
            return Err(Wrong::sentence(LAYERS_ALONE));
        }
        match kind {
            // To open_tree(2) an empty path is the working directory.
            Kind::Bind | Kind::BindTry => (op.source, op.dest) = (values::path(first)?, second),
            Kind::Symlink => (op.source, op.dest) = (first, second),
            Kind::BindFd | Kind::BindData | Kind::File => (op.fd, op.dest) = (self.fd(first)?, second),
            Kind::Chmod => (op.mode, op.dest) = (Some(values::mode(first)?), second),
            Kind::Overlay => (op.source, op.work, op.dest) = (first, second, third),
            _ => {}
        }
        self.ops.push(op);
        Ok(())
    }

    /// The value of --size.
    pub fn set_size(&mut self, word: &'static CStr) -> Result<(), Wrong> {
        if !self.size.is_empty() {
            return Err(Wrong::sentence(say!("--size given twice for the same action")));
        }
        self.size = values::size(word, !self.is_bwrap)?;
        Ok(())
    }

    /// Checks for an option such as --perms that no operation follows.
    ///
    /// # Errors
    /// The message about it.
    pub(super) fn check_leftovers(&self) -> Result<(), Say> {
        #[cfg(feature = "overlay")]
        if !self.layers.is_empty() {
            return Err(LAYERS_ALONE);
        }
        if self.is_bwrap {
            return Ok(());
        }
        if self.mode.is_some() {
            return Err(PERMS_ALONE);
        }
        if !self.size.is_empty() {
            return Err(SIZE_ALONE);
        }
        if self.noexec.is_some() {
            return Err(NOEXEC_ALONE);
        }
        Ok(())
    }
}
