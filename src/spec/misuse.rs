//! The usage errors that another vocabulary words in its own way.

/// The usage errors that bubblewrap has too, and words in its own way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Misuse {
    Other,
    HostnameWithoutUts,
    Pid1WithoutPids,
    Pid1WithLocks,
    UidWithoutUsers,
    GidWithoutUsers,
    UsersTwice,
    NoMoreUsersWithoutUsers,
    MapsWithoutUsers,
    MapsWithoutInfo,
    OverlayWithoutLayers,
    TmpOverlayWithoutLayers,
    ReadOnlyOverlayWithoutLayers,
}
