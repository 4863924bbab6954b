//! Integration tests: the real binary in real namespaces, looked at from outside and from inside.
//!
//! One topic a file. `harness` has what they share: who runs, the root directories, the launch, the terminal.
//! `NSINIT_BIN` names another binary to test; `NSINIT_MUST_WORK=1` turns every skip into a failure; `NSINIT_DEADLINE`
//! says after how many seconds something hangs; `NSINIT_SIDE=original` or `ours` runs one side of the compatibility
//! tests only.

mod harness;

mod attack;
mod basic;
mod boot;
mod compat;
mod compat_bwrap;
mod compat_catatonit;
mod compat_dumb_init;
mod compat_tini;
mod detach;
mod docs;
mod end;
mod enter;
mod errors;
mod fault;
mod files;
mod hints;
mod hostile;
mod image;
mod init;
mod inside;
mod isolation;
mod join;
mod life;
mod masks;
mod mounts;
mod nesting;
mod property;
mod pty;
mod rights;
mod signals;
mod sweep;
mod terminal;
mod thief;
mod tidy;
