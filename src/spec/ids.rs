//! The user and group of the command, and the ids that its user namespace maps.

use super::Range;

/// User and group ids.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Ids<'a> {
    /// The caller is not root.
    pub rootless: bool,
    /// Only the caller's own ids are mapped: all that an ordinary user may map (user_namespaces(7)).
    pub own_only: bool,
    /// The user id was given, and is not the caller's.
    pub other_uid: bool,
    /// The group id was given, and is not the caller's.
    pub other_gid: bool,
    /// `--uid` or `--gid` was given.
    pub chosen: bool,
    /// `--idmap`: the files of the caller that are shown inside keep their owners, through the map.
    pub idmap: bool,
    /// The command's user id inside; [`Ids::OF_TARGET`] until the launcher has read the target's map.
    pub uid: u32,
    /// The command's group id inside, as `uid`.
    pub gid: u32,
    /// `--groups`: the command's supplementary groups; `None`: it has none.
    pub groups: Option<&'a [u32]>,
    /// `--map-uid`, `--map-auto`: the user ids that the new user namespace maps. Empty: the caller's own, or all (`own_only`).
    pub users: &'a [Range],
    /// `--map-gid`, `--map-auto`: the group ids, as `users`.
    pub members: &'a [Range],
}

impl Ids<'_> {
    /// `--enter` without an id: root, or the lowest id that the target maps. The kernel has no user of this number: it means
    /// "unchanged" (setresuid(2)).
    pub const OF_TARGET: u32 = u32::MAX;
}
