//! The request of the user, a struct a topic: plain data, borrowed from the arguments.
//!
//! The cli fills a [`Spec`] once and [`validate`] checks it once. Afterwards only two facts are settled in it, both by the
//! launcher, before any other process exists, because only the kernel knows them: the namespaces that have to be left out
//! (`namespaces.new`), and the ids that the target of `--enter` maps (`ids`). With `--idmap` each operation that binds has a slot, in
//! which the launcher leaves the mount that it has made.
//!
//! A value that was not given is `None`; an empty string is one that the user gave.

mod boot;
mod cgroup;
mod channels;
mod confine;
mod connected;
mod derived;
mod exec;
mod hardware;
mod ids;
mod keeper;
mod kept;
pub mod kinds;
mod landlock;
mod life;
mod limit;
mod machine;
mod mapped;
mod misuse;
mod namespaces;
mod net;
mod object;
mod op;
mod placed;
mod preset;
pub mod range;
pub mod rooms;
mod root;
mod sysctl;
mod terminal;
pub mod validate;

use core::ffi::CStr;

pub use cgroup::{Cgroup, HIERARCHIES, Setting};
pub use channels::Channels;
pub use confine::{Capabilities, Confine};
pub use exec::{Exec, ROOTS_HOME};
pub use hardware::Hardware;
pub use ids::Ids;
pub use keeper::{Keeper, Restart};
pub use landlock::{Access, Landlock, Rule};
pub use life::{Audience, End, LOCKS, Life};
pub use limit::{Limit, Limited};
pub use machine::{AtEnd, KernelRoot, Machine, Most};
pub use namespaces::{Joins, Namespaces, NoMoreUsers};
pub use net::{Address, Ip, Link, LinkKind, Name, Net, Prefix, Route};
pub use object::Object;
pub use op::{Kind, Op};
pub use range::Range;
pub use root::{DEVICES, Masks, Root, Writes};
pub use sysctl::{DOMAINNAME, HOSTNAME, Sysctl};
pub use terminal::Terminal;

/// All that a launch needs to know.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Spec<'a> {
    // In this order, the topics that are asked most often first: their offset then fits one byte of an instruction.
    pub mode: Mode,
    pub ids: Ids<'a>,
    pub terminal: Terminal,
    pub namespaces: Namespaces<'a>,
    pub life: Life<'a>,
    pub root: Root<'a>,
    pub channels: Channels<'a>,
    pub machine: Machine<'a>,
    pub confine: Confine<'a>,
    pub exec: Exec<'a>,
    pub cgroup: Cgroup<'a>,
    pub net: Net<'a>,
    pub hardware: Hardware<'a>,
    pub keeper: Keeper<'a>,
    pub parsed: Parsed,
    /// `--enter TARGET`: the process whose container it is, as `ns::target` finds it.
    pub target: Option<&'a CStr>,
}

/// The kind of container that is made around the command, if one is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A container with the preset, `--root DIR` or `--image FILE`.
    Root,
    /// A sandbox, bubblewrap's kind: the root is an empty tmpfs that the operations fill, and nothing is as in the preset.
    Sandbox,
    /// Nothing: the container exists, `--enter`.
    Enter,
    /// Nothing: nsinit itself is the parent of the command, as process 1 of an image or as an ordinary process.
    Init,
}

/// Facts that the cli noticed while it parsed, for [`validate`] alone.
#[derive(Clone, Copy)]
pub struct Parsed {
    /// `--init` was given: no container is to be made.
    pub in_place: bool,
    /// The first option that decides how a container is made.
    pub making: Option<&'static [u8]>,
}
