//! Namespaces that are made, and namespaces that are joined (namespaces(7)).

use core::ffi::CStr;

use super::Sysctl;

/// The namespaces of the container.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Namespaces<'a> {
    /// The kinds that are made (CLONE_NEW*).
    pub new: u32,
    /// Those of them that are left out where the kernel has none or allows none.
    pub optional: u32,
    /// Whether user namespaces can be made inside.
    pub users: NoMoreUsers,
    /// `--allow-nesting`: user and cgroup namespaces can be made inside, as far as the kernel allows it.
    pub allow_nesting: bool,
    pub joins: Joins<'a>,
    pub hostname: Option<&'a CStr>,
    /// Settings of the kernel that belong to the new namespaces.
    pub sysctls: &'a [Sysctl<'a>],
}

/// Namespaces that exist already.
#[derive(Clone, Copy)]
pub struct Joins<'a> {
    /// A kind (CLONE_NEW*) and its owner, as `ns::target` finds it, or the path of a namespace. All are joined together,
    /// before anything is made.
    pub named: &'a [(u32, &'a CStr)],
    /// `--userns FD`: joined after `named`.
    pub user: Option<u32>,
    /// `--userns2 FD`: joined when everything is made.
    pub then_user: Option<u32>,
    /// `--pidns FD`: the pid namespace in which process 1 is made.
    pub pid: Option<u32>,
}

/// Whether user namespaces can be made inside.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum NoMoreUsers {
    /// The kernel decides.
    Unasked,
    /// The launch fails if one can be made.
    Asserted,
    /// The limit is set to 0, and the launch fails if one can still be made.
    Made,
}
