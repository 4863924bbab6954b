//! The rooms of this build: the features of Cargo.toml that are on.
//!
//! A room that is off takes its modules, rows and texts with it: `#[cfg(feature = ...)]` stands at these, and never inside a function.
//! Inside functions the constants here decide, most of them in `derived`: the compiler drops what they rule out.
//!
//! No room is a protection: a build has every defence of what it can do.

use crate::text;

macro_rules! rooms {
    ($($name:ident $feature:literal;)*) => {
        $(pub const $name: bool = cfg!(feature = $feature);)*

        /// Whether every room is in.
        pub const ALL: bool = $($name)&&*;

        const _: () = assert!(ALL || !cfg!(feature = "whole"), "a room is missing in the feature `whole` of Cargo.toml");

        const NAMES: &[&[u8]] = &[$(if $name { concat!(" ", $feature).as_bytes() } else { b"" }),*];
    };
}

rooms! {
    CONTAINER "container";
    BWRAP "bwrap";
    TINI "tini";
    DUMB_INIT "dumb-init";
    CATATONIT "catatonit";
    ENTER "enter";
    BOOT "boot";
    SERVICES "services";
    HARDWARE "hardware";
    IMAGE "image";
    ROOT_DEVICE "root-device";
    OVERLAY "overlay";
    FILES "files";
    INITRAMFS "initramfs";
    JOIN "join";
    IDS "ids";
    IDMAP "idmap";
    PTY "pty";
    DETACH "detach";
    KEEPER "keeper";
    STATUS "status";
    SECCOMP "seccomp";
    LANDLOCK "landlock";
    LIMITS "limits";
    CGROUP "cgroup";
    STATS "stats";
    NET "net";
    LEGACY "legacy";
    ENV "env";
    FORMS "forms";
    ERRNOS "errnos";
    HELP "help";
    HINTS "hints";
    EXPLAIN "explain";
    PROBE "probe";
}

/// The names of the rooms that are in, each after a space.
pub const LIST: &[u8] =
    if text::total(NAMES) == 0 { b" none" } else { &text::joined::<u8, { text::total(NAMES) }>(NAMES, 0) };

/// The target that the build is for.
pub const TARGET: &str = env!("NSINIT_TARGET");
