//! The engine of nsinit: namespaces, mounts, identities, and process 1. `no_std`, without an allocator, without a
//! panic path; the front (`src/main.rs`, std and lexopt) reads the arguments and hands it a [`spec::Spec`].
//!
//! # The map
//!
//! Each line uses only lines above it; modules on one line do not know each other. A test reads the sources and checks.
//!
//! ```text
//! sys                     the only unsafe room: the C main, raw calls that rustix lacks, typed
//! text                    text and numbers in fixed buffers
//! texts                   the program's own texts, packed
//! errnos                  the kernel's errnos in words
//! voice                   the words and statuses of the name that nsinit was started under
//! spec                    what was asked for: plain data, borrowed from the arguments
//! files                   the calls on files, by descriptor and name
//! mountinfo               the list of mounts, where nothing else tells
//! hint                    why the kernel says no here, and what to do
//! fault                   what failed, on what, why: one line, one write
//! judge                   Spec -> Ok, or the one sentence that says why not; pure
//! state                   what the processes of one launch know; the fork copies it
//! step                    a process's work as a table, and the loop that walks it
//! resolve tty fds         a path below a root; the terminal; who keeps which descriptor
//! base                    process 1's own place for files and mounts
//! byname                  mounts on kernels without the calls for mounts as descriptors
//! mounts                  a mount as a descriptor
//! procfs devices          the caller's /proc, verified; the caller's device files
//! other                   somebody else's process, and its namespaces
//! ids caps keys net pty seal reaper status image   one topic each
//! rights                  from process 1's rights to CMD's
//! initramfs               the root that can't be left
//! power                   the end of a machine
//! place                   where below the new root something goes
//! rootfs                  what becomes /; file systems in memory, overlays
//! kernelfs                /proc, /dev, /sys, with their masks
//! ops                     what the user asked for, in his order
//! init                    PROCESS: process 1, from CMD's start to the end
//! boot                    PROCESS: the first of a machine
//! host inside enter relay command   PROCESSES: the launcher; process 1 until CMD starts, or who enters in its place; who
//!                         copies between two terminals; CMD
//! launch                  the only places where processes begin
//! ```
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

pub mod base;
pub mod boot;
pub mod byname;
pub mod caps;
pub mod command;
pub mod devices;
pub mod enter;
pub mod errnos;
pub mod fault;
pub mod fds;
pub mod files;
pub mod hint;
pub mod host;
pub mod ids;
pub mod image;
pub mod init;
pub mod initramfs;
pub mod inside;
pub mod judge;
pub mod kernelfs;
pub mod keys;
pub mod launch;
pub mod mountinfo;
pub mod mounts;
pub mod net;
pub mod ops;
pub mod other;
pub mod place;
pub mod power;
pub mod procfs;
pub mod pty;
pub mod reaper;
pub mod relay;
pub mod resolve;
pub mod rights;
pub mod rootfs;
pub mod seal;
pub mod spec;
pub mod state;
pub mod status;
pub mod step;
pub mod sys;
pub mod text;
pub mod texts;
pub mod tty;
pub mod voice;
