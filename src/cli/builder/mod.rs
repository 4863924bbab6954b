//! A Spec in the making: what the rows of the options write to. Nothing is done before all options are read.

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

/// What is asked for.
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
    /// Something is printed, and nothing is run.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Asked::Help | Asked::Version | Asked::Licence)
    }
}

/// Where an option has a meaning, and what follows from giving it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// How a container is made: one is, and `--enter` is not permitted.
    Making,
    /// In a container, a new one or one that exists.
    Container,
    /// What the command finds. If no other option decides it, a container is made, as bubblewrap does.
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
    /// What is wrong with an option, where [`Bad::Complaint`] was returned; before that, the option that is read.
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
    /// What the next operation is made with.
    pub mode: Option<u32>,
    pub size: &'static CStr,
    pub layers: Vec<&'static CStr>,
    /// Whether the next mount has MOUNT_ATTR_NOEXEC, if that was given.
    pub noexec: Option<bool>,
    /// What the next operation is made with may be left over; bubblewrap ignores it.
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
    /// tini's; 1 unless given.
    pub verbosity: u32,
    /// An option about what the command finds was given.
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

/// What the user does to the command's environment, in order.
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

    /// Keeps what is wrong with an option.
    #[inline(never)]
    pub fn bad(&mut self, complaint: Complaint) -> Bad {
        self.complaint = complaint;
        Bad::Complaint
    }

    /// Keeps what is wrong with the value of the option that is read.
    pub fn wrong(&mut self, why: Wrong) -> Bad {
        self.complaint.why = why;
        Bad::Complaint
    }

    /// Notes an option that was given, and where it has a meaning.
    pub fn note(&mut self, option: &'static [u8], context: Context) {
        self.finds |= context == Context::Finds;
        self.contained |= matches!(context, Context::Making | Context::Container);
        self.containing += u32::from(context != Context::Anywhere);
        if context == Context::Making && self.spec.parsed.making.is_none() {
            self.spec.parsed.making = Some(option);
        }
    }

    /// Notes an option that counts once: of two, the last.
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

    /// A namespace of that kind is joined: of two, the last.
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

    /// Whether the command runs in a container. As bubblewrap has it, an option about what the command finds makes one, but not
    /// where no container is meant.
    #[must_use]
    pub fn is_contained(&self) -> bool {
        self.contained || self.finds && !self.spec.parsed.in_place && !self.spec.machine.boots
    }

    /// Whether the command runs in a container, a new one or one that exists: nsinit leaves its own file before.
    #[must_use]
    pub fn needs_to_leave_file(&self) -> bool {
        self.is_contained() || self.spec.target.is_some()
    }
}
