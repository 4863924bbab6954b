//! Operations below the root.

use core::ffi::CStr;

use linux_raw_sys::general as raw;

use crate::say;
use crate::text::Say;
use crate::text::verb;

/// One operation below the root. A source is a path of the caller, a destination a path of the container.
#[derive(Clone, Copy)]
pub struct Op<'a> {
    pub kind: Kind,
    pub dest: &'a CStr,
    /// The file or directory that is bound; the target of a link; the upper directory of an overlay.
    pub source: &'a CStr,
    /// The work directory of an overlay.
    pub work: &'a CStr,
    /// The lower directories of an overlay, from the bottom to the top.
    pub layers: &'a [&'a CStr],
    /// The descriptor that content is read from, or that is bound.
    pub fd: u32,
    /// The mode of the file that is made, if one was given.
    pub mode: Option<u32>,
    /// The size of a tmpfs in bytes, in decimal; empty: the kernel's default.
    pub size: &'a CStr,
    /// Attributes (MOUNT_ATTR_*) that are set, on the mounts below too.
    pub set: u32,
    /// Attributes that are cleared, on the mounts below too.
    pub cleared: u32,
}

/// What an operation does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bind,
    /// As `Bind`, but it does nothing if the source is missing.
    BindTry,
    BindFd,
    /// A file with the content of a descriptor, bound.
    BindData,
    Overlay,
    /// An overlay whose writes go to memory.
    OverlayTmpfs,
    OverlayReadOnly,
    Remount,
    Tmpfs,
    Proc,
    Dev,
    Sys,
    Cgroup,
    Mqueue,
    // From here on, an operation makes or changes a file of the root and mounts nothing: `makes` relies on it.
    Dir,
    File,
    Symlink,
    Chmod,
}

impl<'a> Op<'a> {
    #[must_use]
    #[inline(never)]
    pub const fn new(kind: Kind, dest: &'a CStr) -> Op<'a> {
        Op {
            kind,
            dest,
            source: c"",
            work: c"",
            layers: &[],
            fd: 0,
            mode: None,
            size: c"",
            set: raw::MOUNT_ATTR_NOSUID | raw::MOUNT_ATTR_NODEV,
            cleared: 0,
        }
    }

    /// The verb of messages and `--explain`.
    #[must_use]
    pub fn says(&self) -> Say {
        match self.kind {
            Kind::Bind | Kind::BindTry | Kind::BindFd => say!("bind on"),
            Kind::BindData => say!("bind data on"),
            Kind::Overlay | Kind::OverlayTmpfs | Kind::OverlayReadOnly => verb::MOUNT_OVERLAY,
            Kind::Remount => verb::MAKE_READ_ONLY,
            Kind::Tmpfs => say!("mount tmpfs on"),
            Kind::Proc => say!("mount proc on"),
            Kind::Dev => say!("fill"),
            Kind::Sys => say!("mount sysfs on"),
            Kind::Cgroup => say!("mount cgroup2 on"),
            Kind::Mqueue => say!("mount mqueue on"),
            Kind::Dir => verb::MAKE_DIRECTORY,
            Kind::File => verb::MAKE_FILE,
            Kind::Symlink => verb::MAKE_SYMLINK,
            Kind::Chmod => verb::CHANGE_MODE,
        }
    }

    /// The attributes of its mount (MOUNT_ATTR_*). `own`: those that its kind always has, unless they are cleared.
    #[must_use]
    pub const fn attributes(&self, own: u32) -> u32 {
        (self.set | own) & !self.cleared
    }

    /// Whether it makes or changes a file of the root, and mounts nothing.
    #[must_use]
    pub const fn makes(&self) -> bool {
        self.kind as u8 >= Kind::Dir as u8
    }
}
