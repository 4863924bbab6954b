//! The cgroup of a new container (cgroups(7), version 2).

use core::ffi::CStr;

use crate::text;

/// The most hierarchies of version 1 that a container joins a cgroup of. The kernel has 14 controllers for them (cgroups(7)).
pub const HIERARCHIES: usize = 16;

/// `--memory`, `--pids` and their like. Without any of them the container is in the caller's cgroup.
#[derive(Clone, Copy)]
pub struct Cgroup<'a> {
    /// `--cgroup`: the cgroup that it is made in; `None`: that of nsinit.
    pub parent: Option<&'a CStr>,
    /// In the order of the options.
    pub settings: &'a [Setting<'a>],
    /// `--stats`: what the container has used is reported at its end.
    pub stats: bool,
    /// `--cgroup-delegate`: the container makes cgroups below its own.
    pub delegated: bool,
    /// `--cgroup1`: the directories of the cgroups of version 1 that it joins.
    pub old: &'a [&'a CStr],
}

/// What is written to a file of the cgroup. Without a value nothing is: the controller of the file is enabled if it can be.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    pub file: &'a CStr,
    /// A block device, whose number comes before the value.
    pub device: Option<&'a CStr>,
    pub value: &'a CStr,
}

impl<'a> Setting<'a> {
    /// The controller that the file belongs to; `cgroup` for the files that every cgroup has.
    #[must_use]
    pub fn controller(&self) -> &'a [u8] {
        text::first(self.file.to_bytes(), b'.')
    }
}
