//! A Spec under construction: the option rows write to it. Nothing is done before all options are read.

mod command;
mod defaults;
mod descriptors;
mod operations;

use core::ffi::CStr;

use engine::spec::{End, Op, Spec};
use engine::sys::Env;

use super::complaint::{Bad, Complaint, Form, Kind, Wrong};
use super::env;
use super::values;

/// The action that the options ask for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Run,
    Explain,
    /// No command: wait for signals and reap.
    Pause,
    Usage,
    Help,
    Version,
    Licence,
}

impl Asked {
    /// Whether a text is printed, and nothing is run.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Asked::Help | Asked::Version | Asked::Licence)
    }
}

/// Where an option has a meaning, and its effect on the mode.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// It describes a new container: one is made, and `--enter` is not permitted.
    Making,
    /// It needs a container, a new one or one that exists.
    Container,
    /// It sets the environment, the directory or the umask of the command. If no other option decides the mode, a container is
    /// made, as bubblewrap does.
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

#[repr(C)]
pub struct Draft {
    // First, because it is written most often: the offsets of its first topics then fit one byte of an instruction.
    pub spec: Spec<'static>,
    /// The mistake, after [`Bad::Complaint`] was returned. Before, the option that is being read.
    pub complaint: Complaint,
    pub asked: Asked,
    /// The kinds of namespaces (CLONE_NEW*) that were named: to be made,
    unshared: u32,
    /// to be made if possible,
    optional: u32,
    /// not to be made.
    shared: u32,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub cap_add: u64,
    pub cap_drop: u64,
    pub directory: Option<&'static CStr>,
    pub argv_0: Option<&'static CStr>,
    /// The rows that were given, a bit each, of those that count once.
    seen: u128,
    /// The options that were given again, though they count once.
    repeated: Vec<&'static [u8]>,
    pub end: Option<End>,
    pub masks: bool,
    /// For the next operation: its mode, size, layers, and
    pub mode: Option<u32>,
    pub size: &'static CStr,
    pub layers: Vec<&'static CStr>,
    /// whether its mount has MOUNT_ATTR_NOEXEC, if --noexec or --exec was given.
    pub noexec: Option<bool>,
    /// --perms and its like without a following operation are no error; bubblewrap ignores them.
    pub ignores_leftovers: bool,
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
    /// A descriptor that holds more options, to be read now.
    pub args: Option<u32>,
    /// Messages begin with their severity.
    pub levels: bool,
    /// The verbosity of tini; 1 unless given.
    pub verbosity: u32,
    /// An option of [`Context::Finds`] was given.
    finds: bool,
    /// An option was given that has a meaning only in a container.
    pub contained: bool,
    /// How many options of containers were given.
    containing: u32,
    /// Namespaces that are joined: the kind, and the owner.
    joins: Vec<(u32, &'static CStr)>,
    pub name: &'static CStr,
    pub env_ops: Vec<EnvOp>,
    caller_env: Env<'static>,
}

/// The user's operations on the command's environment, in order.
#[derive(Clone, Copy)]
pub enum EnvOp {
    /// `NAME=VALUE`.
    Set(&'static CStr),
    Unset(&'static CStr),
    /// Takes over the caller's variable of that name, or all of them.
    Pass(Option<&'static CStr>),
    Clear,
}

impl Draft {
    #[inline(never)]
    pub fn new(caller_env: Env<'static>) -> Draft {
        Draft {
            complaint: Complaint::new(Kind::Unknown, Form(b""), c""),
            asked: Asked::Run,
            spec: Spec::PRESET,
            unshared: 0,
            optional: 0,
            shared: 0,
            uid: None,
            gid: None,
            cap_add: 0,
            cap_drop: 0,
            directory: None,
            argv_0: None,
            seen: 0,
            repeated: Vec::new(),
            end: None,
            masks: true,
            mode: None,
            size: c"",
            layers: Vec::new(),
            noexec: None,
            ignores_leftovers: false,
            ops: Vec::new(),
            keep_fds: Vec::new(),
            rewrite: Vec::new(),
            remap: Vec::new(),
            descriptors: Vec::new(),
            filters_alone: false,
            filters_beside: false,
            locks: Vec::new(),
            args: None,
            levels: false,
            verbosity: 1,
            finds: false,
            contained: false,
            containing: 0,
            joins: Vec::new(),
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
        self.finds |= context == Context::Finds;
        self.contained |= matches!(context, Context::Making | Context::Container);
        self.containing += u32::from(context != Context::Anywhere);
        if context == Context::Making && self.spec.parsed.making.is_none() {
            self.spec.parsed.making = Some(option);
        }
    }

    /// Records an option of which only the last one takes effect.
    pub fn note_once(&mut self, option: &'static [u8], bit: u128) {
        if self.seen & bit != 0 {
            self.repeated.push(option);
        }
        self.seen |= bit;
    }

    /// The value of a variable of the caller.
    pub fn caller_env(&self, name: &[u8]) -> Option<&'static [u8]> {
        self.caller_env
            .words()
            .find(|pair| env::name_of(pair) == name)
            .and_then(|pair| pair.to_bytes().get(name.len() + 1..))
    }

    pub fn unshare(&mut self, namespaces: u32) {
        self.unshared |= namespaces;
        self.optional &= !namespaces;
        self.shared &= !namespaces;
    }

    pub fn unshare_if_possible(&mut self, namespaces: u32) {
        self.optional |= namespaces & !self.unshared;
        self.unshared |= namespaces;
        self.shared &= !namespaces;
    }

    pub fn share(&mut self, namespaces: u32) {
        self.shared |= namespaces;
        self.unshared &= !namespaces;
    }

    /// Joins a namespace of that kind. If it is given twice, the last one counts.
    pub fn join(&mut self, kind: u32, owner: &'static CStr) -> Result<(), Wrong> {
        self.joins.retain(|(other, _)| *other != kind);
        let owner = self.process(owner)?;
        self.joins.push((kind, owner));
        Ok(())
    }

    /// A process: a word that the engine understands. If it is `fd:N`, N is a descriptor of the caller.
    pub fn process(&mut self, word: &'static CStr) -> Result<&'static CStr, Wrong> {
        match values::after_fd(word) {
            Some(number) => self.fd(number).map(|_| word),
            None => values::path(word),
        }
    }

    /// Whether the options make a container for the command, or need one. As with bubblewrap, an option of [`Context::Finds`] makes
    /// one, but not with --init or --boot.
    #[must_use]
    pub fn is_contained(&self) -> bool {
        self.contained || self.finds && !self.spec.parsed.in_place && !self.spec.machine.boots
    }

    /// Whether the command runs in a container, a new one or one that exists. If so, nsinit leaves its own file before.
    #[must_use]
    pub fn needs_to_leave_file(&self) -> bool {
        self.is_contained() || self.spec.target.is_some()
    }
}
