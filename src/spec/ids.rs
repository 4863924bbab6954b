//! The user and group of the command, and the ids that its user namespace maps.

/// User and group ids.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Ids {
    /// The caller is not root.
    pub rootless: bool,
    /// Only the caller's own ids are mapped: all that an ordinary user may map (user_namespaces(7)).
    pub own_only: bool,
    /// The user id was given, and is not the caller's.
    pub other_uid: bool,
    /// The group id was given, and is not the caller's.
    pub other_gid: bool,
    /// The command's user id inside; [`Ids::OF_TARGET`] until the launcher has read the target's map.
    pub uid: u32,
    /// The command's group id inside, as `uid`.
    pub gid: u32,
}

impl Ids {
    /// `--enter` without an id: root, or the lowest id that the target maps. The kernel has no user of this number: it means
    /// "unchanged" (setresuid(2)).
    pub const OF_TARGET: u32 = u32::MAX;
}
