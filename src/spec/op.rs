//! Operations below the root.

use core::ffi::CStr;

use linux_raw_sys::general as raw;

use crate::say;
use crate::sys::FdSlot;
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
    /// `--idmap`: where the launcher keeps the mount of the source, which it has made.
    pub tree: Option<&'a FdSlot>,
}

/// The kinds of operations, and the verb of each: one table.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $says:expr;)*) => {
        /// The kind of an operation.
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        /// In the order of the kinds.
        static SAYS: &[Say] = &[$($says,)*];
    };
}

kinds! {
    Bind say!("bind on");
    /// As `Bind`, but it does nothing if the source is missing.
    BindTry say!("bind on");
    BindFd say!("bind on");
    /// A file with the content of a descriptor, bound.
    BindData say!("bind data on");
    Overlay verb::MOUNT_OVERLAY;
    /// An overlay whose writes go to memory.
    OverlayTmpfs verb::MOUNT_OVERLAY;
    OverlayReadOnly verb::MOUNT_OVERLAY;
    Remount verb::MAKE_READ_ONLY;
    Tmpfs say!("mount tmpfs on");
    Proc say!("mount proc on");
    Dev say!("fill");
    Sys say!("mount sysfs on");
    Cgroup say!("mount cgroup2 on");
    Mqueue say!("mount mqueue on");
    /// A copy of the caller's file `source` in memory, or `work` as the content, on the file that the path leads to.
    ResolvConf verb::WRITE;
    // From here on, an operation makes or changes a file of the root and mounts nothing: `makes` relies on it.
    Dir verb::MAKE_DIRECTORY;
    File verb::MAKE_FILE;
    Symlink verb::MAKE_SYMLINK;
    Chmod verb::CHANGE_MODE;
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
            tree: None,
        }
    }

    /// The verb of messages and `--explain`.
    #[must_use]
    pub fn says(&self) -> Say {
        SAYS.get(self.kind as usize).copied().unwrap_or(Say::NOTHING)
    }

    /// The attributes of its mount (MOUNT_ATTR_*). `own`: those that its kind always has, unless they are cleared.
    #[must_use]
    pub const fn attributes(&self, own: u32) -> u32 {
        (self.set | own) & !self.cleared
    }

    /// Whether it binds files of the caller that have owners. Device files (`--dev-bind`) are those of the machine, on a file system
    /// that cannot be shown through an id map.
    #[must_use]
    pub const fn is_bind_of_files(&self) -> bool {
        matches!(self.kind, Kind::Bind | Kind::BindTry | Kind::BindFd) && self.set & raw::MOUNT_ATTR_NODEV != 0
    }

    /// Whether it can change a root that processes use already: it needs neither the staging place nor the devices of a container.
    #[must_use]
    pub const fn is_possible_in_place(&self) -> bool {
        use Kind::{Bind, BindFd, BindTry, Remount, Tmpfs};
        self.makes() || matches!(self.kind, Bind | BindTry | BindFd | Remount | Tmpfs)
    }

    /// Whether it makes or changes a file of the root, and mounts nothing.
    #[must_use]
    pub const fn makes(&self) -> bool {
        self.kind as u8 >= Kind::Dir as u8
    }
}
