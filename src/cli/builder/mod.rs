//! A Spec under construction: the option rows write to it. Nothing is done before all options are read.

mod asked;
#[cfg(feature = "cgroup")]
mod cgroup;
mod command;
#[cfg(any(feature = "landlock", feature = "limits"))]
mod confine;
mod defaults;
mod descriptors;
#[cfg(feature = "env")]
mod environment;
#[cfg(feature = "forms")]
mod forms;
#[cfg(feature = "ids")]
pub mod ids;
#[cfg(feature = "join")]
mod joins;
#[cfg(feature = "net")]
mod links;
#[cfg(feature = "container")]
mod net;
#[cfg(not(feature = "forms"))]
mod no_forms;
#[cfg(feature = "container")]
mod operations;
#[cfg(feature = "stats")]
mod stats;
#[cfg(feature = "cgroup")]
mod systemd;

use core::ffi::CStr;

pub use asked::Asked;

use engine::spec::{End, Limit, Link, Op, Range, Rule, Setting, Spec, Sysctl, rooms};
use engine::sys::Env;
use linux_raw_sys::general as raw;
use rustix::process::geteuid;

use super::complaint::{Bad, Complaint, Form, Kind, Wrong};

/// Where an option has a meaning, and its effect on the mode.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// It describes a new container: one is made, and `--enter` is not permitted.
    Making,
    /// It describes the root of a new container. With `--init` and `--switch-root` it describes the root that is there, or that follows.
    Placing,
    /// It needs a container, a new one or one that exists.
    Container,
    /// It has a meaning in every mode: the environment, the ids, the capabilities of the command, for example. If no other option
    /// decides the mode, a container is made, as bubblewrap does; but process 1 runs the command in place.
    Finds,
    Anywhere,
}

/// A descriptor of the caller that nsinit uses, and that the command does not get.
struct Given {
    /// The option that names it.
    option: Complaint,
    number: u32,
    /// It holds a filter of system calls.
    filters: bool,
}

/// Bits for as many rows as a vocabulary may have.
const SEEN: usize = 4;

#[repr(C)]
pub struct Draft {
    // First, because it is written most often: the offsets of its first topics then fit one byte of an instruction.
    pub spec: Spec<'static>,
    /// The mistake, after [`Bad::Complaint`] was returned. Before, the option that is being read.
    pub complaint: Complaint,
    pub asked: Asked,
    /// `--json`.
    pub json: bool,
    /// How many options were given.
    given: u32,
    /// The kinds of namespaces (CLONE_NEW*) that were named: to be made,
    unshared: u32,
    /// to be made if possible,
    optional: u32,
    /// not to be made.
    shared: u32,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    /// The ranges of --map-uid,
    pub users: Vec<Range>,
    /// and of --map-gid.
    pub members: Vec<Range>,
    /// `--map-auto` was given.
    pub map_auto: bool,
    pub groups: Option<Vec<u32>>,
    /// The options of ids that have names for values.
    #[cfg(feature = "forms")]
    named: Named,
    pub cap_add: u64,
    pub cap_drop: u64,
    pub directory: Option<&'static CStr>,
    pub argv_0: Option<&'static CStr>,
    /// The rows that were given, a bit each, of those that count once.
    seen: [u32; SEEN],
    /// The options that were given again, though they count once.
    repeated: Vec<&'static [u8]>,
    pub end: Option<End>,
    pub masks: bool,
    /// `--systemd`.
    boots_systemd: bool,
    /// `--seccomp-profile`: whether the built-in filter is installed.
    pub filtered: Option<bool>,
    /// For the next operation: its mode, size, layers, and
    pub mode: Option<u32>,
    pub size: &'static CStr,
    pub layers: Vec<&'static CStr>,
    /// whether its mount has MOUNT_ATTR_NOEXEC, if --noexec or --exec was given.
    pub noexec: Option<bool>,
    /// nsinit runs under the name of bubblewrap: values have only the forms that bubblewrap knows, and --perms and its like without a
    /// following operation are no error.
    pub is_bwrap: bool,
    ops: Vec<Op<'static>>,
    pub keep_fds: Vec<u32>,
    pub rewrite: Vec<(u8, u8)>,
    pub remap: Vec<(u8, u8)>,
    /// The caller's descriptors that nsinit uses, in the order of their options.
    descriptors: Vec<Given>,
    /// `--seccomp` was given.
    filters_alone: bool,
    /// `--add-seccomp-fd` was given.
    filters_beside: bool,
    pub locks: Vec<&'static CStr>,
    /// Of a machine: its services,
    pub services: Vec<&'static CStr>,
    /// the terminals that get a command, and
    pub consoles: Vec<&'static CStr>,
    /// for a service, the services before it.
    pub after: Vec<&'static CStr>,
    /// A descriptor that holds more options, to be read now.
    pub args: Option<u32>,
    /// Messages begin with their severity.
    pub levels: bool,
    /// The verbosity of tini; 1 unless given.
    pub verbosity: u32,
    /// Options of [`Context::Placing`] and of [`Context::Finds`] were given.
    places: bool,
    finds: bool,
    /// nsinit is process 1, under its own name.
    pub is_first: bool,
    /// An option was given that has a meaning only in a container.
    pub contained: bool,
    /// How many options of containers were given.
    containing: u32,
    /// Namespaces that are joined: the kind, and the owner.
    joins: Vec<(u32, &'static CStr)>,
    rules: Vec<Rule<'static>>,
    limits: Vec<Limit<'static>>,
    sysctls: Vec<Sysctl<'static>>,
    settings: Vec<Setting<'static>>,
    links: Vec<Link<'static>>,
    old_cgroups: Vec<&'static CStr>,
    pub name: &'static CStr,
    pub env_ops: Vec<EnvOp>,
    caller_env: Env<'static>,
}

/// The options whose values are names.
#[cfg(feature = "forms")]
#[derive(Default)]
struct Named {
    uid: Option<Complaint>,
    gid: Option<Complaint>,
    groups: Option<Complaint>,
}

/// The user's operations on the command's environment, in order.
#[cfg_attr(not(feature = "env"), allow(dead_code, reason = "no option makes one"))]
#[derive(Clone, Copy)]
pub enum EnvOp {
    /// `NAME=VALUE`.
    Set(&'static CStr),
    Unset(&'static CStr),
    /// Takes over the caller's variable of that name, or all of them.
    Pass(Option<&'static CStr>),
    /// A file of variables.
    #[cfg(feature = "forms")]
    File(&'static CStr),
    Clear,
}

#[cfg(not(feature = "container"))]
impl Draft {
    /// Without operations none can be missing.
    const fn check_leftovers(&self) -> Result<(), engine::text::Say> {
        Ok(())
    }
}

#[cfg(not(feature = "ids"))]
impl Draft {
    /// No option maps ids.
    pub const fn settle_ids(&mut self) -> Result<(), Bad> {
        Ok(())
    }
}

#[cfg(not(feature = "env"))]
impl Draft {
    /// The environment of the command is the caller's.
    const fn make_env(&mut self, _: bool) {
        self.spec.exec.env = self.caller_env;
    }
}

impl Draft {
    #[inline(never)]
    pub fn new(caller_env: Env<'static>) -> Draft {
        Draft {
            complaint: Complaint::new(Kind::Unknown, Form(b""), c""),
            asked: Asked::Run,
            json: false,
            given: 0,
            spec: Spec::PRESET,
            unshared: 0,
            optional: 0,
            shared: 0,
            uid: None,
            gid: None,
            users: Vec::new(),
            members: Vec::new(),
            map_auto: false,
            groups: None,
            #[cfg(feature = "forms")]
            named: Named::default(),
            cap_add: 0,
            cap_drop: 0,
            directory: None,
            argv_0: None,
            seen: [0; SEEN],
            repeated: Vec::new(),
            end: None,
            masks: true,
            boots_systemd: false,
            filtered: None,
            mode: None,
            size: c"",
            layers: Vec::new(),
            noexec: None,
            is_bwrap: false,
            ops: Vec::new(),
            keep_fds: Vec::new(),
            rewrite: Vec::new(),
            remap: Vec::new(),
            descriptors: Vec::new(),
            filters_alone: false,
            filters_beside: false,
            locks: Vec::new(),
            services: Vec::new(),
            consoles: Vec::new(),
            after: Vec::new(),
            args: None,
            levels: false,
            verbosity: 1,
            places: false,
            finds: false,
            is_first: false,
            contained: false,
            containing: 0,
            joins: Vec::new(),
            rules: Vec::new(),
            limits: Vec::new(),
            sysctls: Vec::new(),
            settings: Vec::new(),
            links: Vec::new(),
            old_cgroups: Vec::new(),
            name: c"",
            env_ops: Vec::new(),
            caller_env,
        }
    }

    /// Keeps a mistake in an option.
    #[inline(never)]
    pub fn bad(&mut self, complaint: Complaint) -> Bad {
        self.complaint = complaint;
        Bad::Complaint
    }

    /// Keeps a mistake in the value of the option that is being read.
    pub fn wrong(&mut self, why: Wrong) -> Bad {
        self.complaint.why = why;
        Bad::Complaint
    }

    /// Records an option that was given, and where it has a meaning.
    pub fn note(&mut self, option: &'static [u8], context: Context) {
        self.given += 1;
        self.finds |= context == Context::Finds;
        let containing = context == Context::Making || context == Context::Container;
        self.contained |= containing;
        self.containing += u32::from(containing);
        self.places |= context == Context::Placing;
        if (context == Context::Making || context == Context::Placing) && self.spec.parsed.making.is_none() {
            self.spec.parsed.making = Some(option);
        }
    }

    /// Records an option of which only the last one takes effect.
    pub fn note_once(&mut self, option: &'static [u8], number: usize) {
        let bit = 1 << (number % 32);
        if let Some(seen) = self.seen.get_mut(number / 32) {
            if *seen & bit != 0 {
                self.repeated.push(option);
            }
            *seen |= bit;
        }
    }

    /// The caller's environment.
    #[cfg(feature = "keeper")]
    pub fn caller_words(&self) -> impl Iterator<Item = &'static CStr> {
        self.caller_env.words()
    }

    /// The value of a variable of the caller.
    #[cfg(any(feature = "env", feature = "catatonit", feature = "dumb-init", feature = "tini"))]
    pub fn caller_env(&self, name: &[u8]) -> Option<&'static [u8]> {
        self.caller_env
            .words()
            .find(|pair| super::words::name_of(pair) == name)
            .and_then(|pair| pair.to_bytes().get(name.len() + 1..))
    }

    #[inline(never)]
    #[cfg(feature = "container")]
    pub fn unshare(&mut self, namespaces: u32) {
        self.unshared |= namespaces;
        self.optional &= !namespaces;
        self.shared &= !namespaces;
    }

    #[cfg(feature = "container")]
    pub fn unshare_if_possible(&mut self, namespaces: u32) {
        self.optional |= namespaces & !self.unshared;
        self.unshared |= namespaces;
        self.shared &= !namespaces;
    }

    #[inline(never)]
    #[cfg(feature = "container")]
    pub fn share(&mut self, namespaces: u32) {
        self.shared |= namespaces;
        self.unshared &= !namespaces;
    }

    /// Whether the options make a container for the command, or need one: the operations on the root do without `--init`. As with bubblewrap, an option of [`Context::Finds`] makes
    /// one, but not in process 1, or with --init or --boot.
    #[must_use]
    pub fn is_contained(&self) -> bool {
        let in_place = self.is_first || self.spec.parsed.in_place || self.spec.machine.boots;
        let makes = self.contained || self.places && !self.spec.parsed.in_place || self.finds && !in_place;
        makes && self.spec.machine.switch_root.is_none()
    }

    /// Whether a new container is made, once all options are read.
    fn makes_container(&self) -> bool {
        rooms::CONTAINER && self.contained
    }

    /// Whether the command runs in a container, a new one or one that exists. If so, nsinit leaves its own file before.
    #[must_use]
    pub fn needs_to_leave_file(&self) -> bool {
        rooms::CONTAINER && (self.is_contained() || self.spec.target.is_some())
    }

    /// Whether process 1 can do that instead: no process of the container can see the launcher, and processes outside see nothing
    /// of process 1 in /proc.
    #[must_use]
    pub fn leaves_file_inside(&self) -> bool {
        const OWN: u32 = raw::CLONE_NEWUSER | raw::CLONE_NEWNS | raw::CLONE_NEWPID;
        let spec = &self.spec;
        let presumed = if spec.root.directory.is_empty() { raw::CLONE_NEWNS } else { spec.namespaces.new };
        let user = if geteuid().is_root() { 0 } else { raw::CLONE_NEWUSER };
        let made = (presumed | user) & !self.shared | self.unshared;
        spec.target.is_none()
            && made & OWN == OWN
            && self.joins.is_empty()
            && !spec.joins_user()
            && spec.namespaces.joins.pid.is_none()
            && !spec.is_told_of()
    }
}
