//! Integration tests: the real binary in real namespaces, inspected from outside and from inside.
//!
//! One topic a file. `harness` has what they share: users, root directories, launches, terminals.
//! `NSINIT_BIN` names another binary to test; `NSINIT_MUST_WORK=1` turns every skip into a failure; `NSINIT_DEADLINE`
//! is the number of seconds after which a run counts as hung; `NSINIT_SIDE=original` or `ours` runs only one side of
//! the compatibility tests.
//!
//! A profile runs the tests whose features it has: `cargo test --no-default-features --features core`. `#[cfg(feature = ...)]`
//! stands at a module below, or at a test of it that needs more than its module. The features of `NSINIT_BIN` must be those of
//! the test program: the harness compares them with what `--version` prints.
#![cfg_attr(not(feature = "whole"), allow(dead_code, unused_imports, reason = "the harness is that of all tests"))]

extern crate nsinit as engine;

mod harness;

// In place, as every build can run a command.
mod compat;
mod init;

// The names of other inits.
#[cfg(feature = "catatonit")]
mod compat_catatonit;
#[cfg(feature = "dumb-init")]
mod compat_dumb_init;
#[cfg(feature = "tini")]
mod compat_tini;

// Containers.
#[cfg(feature = "container")]
mod basic;
#[cfg(feature = "container")]
mod compare;
#[cfg(feature = "container")]
mod errors;
#[cfg(feature = "container")]
mod escape;
#[cfg(feature = "container")]
mod filter;
#[cfg(feature = "container")]
mod hostile_container;
#[cfg(feature = "container")]
mod isolation;
#[cfg(feature = "container")]
mod masks;
#[cfg(feature = "container")]
mod mounts;
#[cfg(feature = "container")]
mod nesting;
#[cfg(feature = "container")]
mod secrets;
#[cfg(feature = "container")]
mod signals;
#[cfg(feature = "container")]
mod teardown;

// The whole program, and its sources.
#[cfg(feature = "whole")]
mod boot;
#[cfg(feature = "whole")]
mod cgroup;
#[cfg(feature = "whole")]
mod cgroup_left;
#[cfg(feature = "whole")]
mod compat_bwrap;
#[cfg(feature = "whole")]
mod deaf;
#[cfg(feature = "whole")]
mod detach;
#[cfg(feature = "whole")]
mod docs;
#[cfg(feature = "whole")]
mod engines;
#[cfg(feature = "whole")]
mod enter;
#[cfg(feature = "whole")]
mod explain;
#[cfg(feature = "whole")]
mod failing_calls;
#[cfg(feature = "whole")]
mod fault;
#[cfg(feature = "whole")]
mod fault_sweep;
#[cfg(feature = "whole")]
mod files;
#[cfg(feature = "whole")]
mod forms;
#[cfg(feature = "whole")]
mod freeze;
#[cfg(feature = "whole")]
mod hints;
#[cfg(feature = "whole")]
mod ids;
#[cfg(feature = "whole")]
mod image;
#[cfg(feature = "whole")]
mod in_place;
#[cfg(feature = "whole")]
mod join_namespaces;
#[cfg(feature = "whole")]
mod keeper;
#[cfg(feature = "whole")]
mod keeper_faults;
#[cfg(feature = "whole")]
mod landlock;
#[cfg(feature = "whole")]
mod launch_stages;
#[cfg(all(feature = "whole", feature = "library"))]
mod library;
#[cfg(feature = "whole")]
mod limits;
#[cfg(feature = "whole")]
mod list;
#[cfg(feature = "whole")]
mod network;
#[cfg(feature = "whole")]
mod overlay_root;
#[cfg(feature = "whole")]
mod path_races;
#[cfg(feature = "whole")]
mod policy;
#[cfg(feature = "whole")]
mod probe;
#[cfg(feature = "whole")]
mod programs;
#[cfg(feature = "whole")]
mod property;
#[cfg(feature = "whole")]
mod pty;
#[cfg(feature = "whole")]
mod services;
#[cfg(feature = "whole")]
mod stats;
#[cfg(feature = "whole")]
mod stop;
#[cfg(feature = "whole")]
mod superblocks;
#[cfg(feature = "whole")]
mod systemd;
#[cfg(feature = "whole")]
mod terminal;
#[cfg(feature = "whole")]
mod terminal_theft;
#[cfg(feature = "whole")]
mod tidy;
