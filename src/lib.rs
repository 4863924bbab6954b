//! The engine of nsinit: namespaces, mounts, identities, and process 1. `no_std`, without an allocator, without a
//! panic path; the front (`src/main.rs`, std and lexopt) reads the arguments and hands it a [`spec::Spec`].
//!
//! # The map
//!
//! A folder answers *where*, a file in it *what*. Each line uses only lines above it; folders on one line do not know each
//! other. A test reads the sources and checks.
//!
//! ```text
//! sys                     the only room with unsafe code: the C main, raw calls that rustix lacks, typed; calls on files
//! text                    text and numbers in fixed buffers; the program's own texts, packed
//! mountinfo               the list of mounts, where nothing else tells
//! spec                    what was asked for, by topic: plain data, borrowed from the arguments; and its validation
//! report                  errnos and hints in words, the wording of each vocabulary; one message, one write
//! state                   what the processes of one launch know; which descriptors a process keeps
//! step                    ordered work as a table, and the loop that walks it
//! fs                      mounts as descriptors, the staging tmpfs, paths below a root, the caller's /proc and devices
//! ns  tty                 namespaces and ids; job control and ptys
//! confine  channels       capabilities, keyring, own executable; what is told to whoever follows the launch
//! rootfs                  what becomes / of a container, and all that is mounted below it
//! supervise               waiting for processes and ending them
//! process                 one file a process: launcher, container_setup, init, command, enter, relay, machine
//! run                     where processes begin, and what joins them
//! ```
//!
//! The binary adds `src/main.rs` and `src/cli`: from the arguments to a [`spec::Spec`].
//!
//! # Invariants
//!
//! - After the fork nothing is allocated and nothing is freed. Buffers have names and bounds ([`text::PATH`]).
//! - Two processes share memory twice: CMD until it is executed ([`sys::start`]), to which its arguments and environment are
//!   left; and process 1's helper, which makes the mounts and alone has what it writes to ([`sys::beside`]). Each has a
//!   stack of its own.
//! - Nobody wakes without cause: every process waits in one rt_sigtimedwait(2), and who copies for a terminal in one
//!   ppoll(2), which looks again once a second while something lies there that was typed for others.
//! - No path of the container's is followed by the kernel ([`resolve`]); no process of the container shares a process
//!   group with one outside ([`tty`]).
//! - A step that fails ends the launch with one line and status 125. There is no "as much as was possible".
//!
//! # What is absent, and why
//!
//! No threads: the signal mask, the descriptors and `CLONE_VFORK` are then simple. No configuration file: the arguments
//! are it. No parsing of mountinfo where the kernel has mount_setattr(2): it makes each bind cost as much as all before
//! it. No set-id operation: a launcher that is root for everybody has to be right about everything.
#![no_std]
#![deny(unsafe_code)]

pub mod channels;
pub mod confine;
pub mod fs;
pub mod mountinfo;
pub mod ns;
pub mod process;
pub mod report;
pub mod rootfs;
pub mod run;
pub mod spec;
pub mod state;
pub mod step;
pub mod supervise;
pub mod sys;
pub mod text;
pub mod tty;
