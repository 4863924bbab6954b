//! Integration tests: the real binary in real namespaces, inspected from outside and from inside.
//!
//! One topic a file. `harness` has what they share: users, root directories, launches, terminals.
//! `NSINIT_BIN` names another binary to test; `NSINIT_MUST_WORK=1` turns every skip into a failure; `NSINIT_DEADLINE`
//! is the number of seconds after which a run counts as hung; `NSINIT_SIDE=original` or `ours` runs only one side of
//! the compatibility tests.

mod harness;

mod basic;
mod boot;
mod compat;
mod compat_bwrap;
mod compat_catatonit;
mod compat_dumb_init;
mod compat_tini;
mod deaf;
mod detach;
mod docs;
mod enter;
mod errors;
mod escape;
mod explain;
mod failing_calls;
mod fault;
mod fault_sweep;
mod files;
mod hints;
mod hostile_container;
mod image;
mod init;
mod isolation;
mod join_namespaces;
mod launch_stages;
mod masks;
mod mounts;
mod nesting;
mod path_races;
mod property;
mod pty;
mod secrets;
mod signals;
mod teardown;
mod terminal;
mod terminal_theft;
mod tidy;
