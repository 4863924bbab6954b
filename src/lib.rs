//! Containers for Rust programs, started and waited for as [`std::process::Command`](https://doc.rust-lang.org/std/process/struct.Command.html)
//! does with programs.
//!
//! The library executes the program nsinit, which must be installed, and reads from it how the command was started and how it ended. The
//! options are those of [`nsinit --help`](https://docs.rs/crate/nsinit/latest/source/docs/options.md). This is the whole of
//! `examples/container.rs`:
//!
//! ```no_run
#![doc = include_str!("../examples/container.rs")]
//! ```
//!
//! The feature `library` (on by default) has this; the other features are the parts of the program. All that this documentation does not
//! show belongs to the program, and changes without notice.
//!
//! nsinit runs on Linux 4.19 and later. `cargo install nsinit` installs the program; `scripts/build` in its repository makes the small
//! static one.

// The engine of nsinit: namespaces, mounts, identities, and process 1. `no_std`, without an allocator, without a
// panic path; the front (`src/main.rs`, std and lexopt) reads the arguments and hands it a [`spec::Spec`].
//
// # The map
//
// A folder is a layer, a file in it a topic. Each line uses only lines above it; folders on one line do not use each other. A
// test reads the sources and checks this.
//
// ```text
// sys                     the only room with unsafe code: the C main, raw calls that rustix lacks, typed; calls on files
// text                    text and numbers in fixed buffers; the program's own texts, packed
// lines                   files read line by line
// mountinfo               the list of mounts, for the questions that no system call answers
// spec                    the request, by topic: plain data, borrowed from the arguments; and its validation
// report                  errnos and hints in words, the wording of each vocabulary; one message, one write
// state                   what each process of a launch knows; which descriptors a process keeps
// step                    ordered work as a table, and the loop that walks it
// fs                      mounts as descriptors, the staging tmpfs, paths below a root, the caller's /proc and devices
// ns  tty                 namespaces and ids; job control and ptys
// net                     interfaces, addresses and routes of the container, by rtnetlink; pasta
// confine  channels       capabilities, system call filter, Landlock, limits, keyring, own executable; what is reported to processes outside
// cgroup                  the cgroups of other processes, and that of the container with its limits
// rootfs                  the root of a container, and all mounts below it
// supervise               the one wait for signals; job control; shutdown and teardown
// process                 one file a process: launcher, in_place, network, monitor, container_setup, init, command, enter, relay, machine, pause
// probe                   --probe: what this kernel and the caller's rights permit
// run                     a whole launch: the processes, from the first to the last
// library                 for other Rust programs: a container as a child process
// ```
//
// The binary adds `src/main.rs` and `src/cli`: from the arguments to a [`spec::Spec`].
//
// # Invariants
//
// Each with its exceptions.
//
// - After the first fork nothing is allocated and nothing is freed. Buffers have names and bounds ([`text::PATH`]).
// - Processes share memory in three cases. From its clone to execve(2), the command shares the memory of its parent
//   ([`sys::start`]), but only the command uses its arguments and its environment. The helper that maps the ids of a nested user
//   namespace ([`sys::beside`]) writes only to memory that its parent does not use meanwhile. A child that makes the network, or
//   that asks the kernel a short question ([`sys::spawn`]), runs while its parent is suspended.
// - No supervisor polls: it waits in one place ([`supervise::wait`]). The exceptions: the relay of a pty looks once a second
//   while it is in the background with unread input; a shutdown without a pid namespace looks for new descendants while it
//   kills; where a filter forbids rt_sigtimedwait(2), a wait with a time limit looks every 10 ms. After its
//   first quiet second a supervisor wakes once, to give memory back.
// - The kernel follows no path of the container for a process of nsinit ([`fs::resolve`]). The exceptions come after the root
//   is entered, with the rights of the command: its working directory, its executable, its lock files.
// - No process of the container is in a process group of the caller ([`tty::job`]), except in a sandbox without
//   --new-session, as with bubblewrap.
// - A step that fails ends the launch with one line and status 125. The exceptions are in the column `on_error` of the step
//   tables ([`step::OnError`]): none of them is a protection.
// - Everything that happens between `main` and execve(2) is a row of a table, and `--explain` prints the same rows. The
//   exceptions come before the launch: the arguments are parsed, and nsinit leaves its own file ([`run::leave_file`]).
// - A [`spec::Spec`] does not change. The exceptions are the two facts that only the kernel knows: see [`spec`].
//
// # What is absent, and why
//
// No threads: the signal mask, the descriptors and `CLONE_VFORK` are then simple. No configuration file: the arguments are
// the configuration; a machine's first process, which has none, reads them from the kernel's command line or from
// /etc/nsinit.args. No mountinfo where the kernel has mount_setattr(2): to read it for each bind takes quadratic time. No set-id
// operation: a mistake in a launcher that is root for every user makes every user root.
#![no_std]
#![deny(unsafe_code)]

#[doc(hidden)]
pub mod cgroup;
#[doc(hidden)]
pub mod channels;
#[doc(hidden)]
pub mod confine;
#[doc(hidden)]
pub mod fs;
#[cfg(feature = "library")]
mod library;
#[doc(hidden)]
pub mod lines;
#[doc(hidden)]
pub mod mountinfo;
#[cfg(feature = "net")]
#[doc(hidden)]
pub mod net;
#[doc(hidden)]
pub mod ns;
#[cfg(feature = "probe")]
#[doc(hidden)]
pub mod probe;
#[doc(hidden)]
pub mod process;
#[doc(hidden)]
pub mod report;
#[cfg(any(feature = "container", feature = "boot"))]
#[doc(hidden)]
pub mod rootfs;
#[doc(hidden)]
pub mod run;
#[doc(hidden)]
pub mod spec;
#[doc(hidden)]
pub mod state;
#[doc(hidden)]
pub mod step;
#[doc(hidden)]
pub mod supervise;
#[doc(hidden)]
pub mod sys;
#[doc(hidden)]
pub mod text;
#[doc(hidden)]
pub mod tty;

#[cfg(feature = "library")]
pub use library::{Container, End, Error, Running};
