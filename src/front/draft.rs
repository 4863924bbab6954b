//! A Spec in the making: what the rows write to.

use core::cell::Cell;
use core::ffi::CStr;
use std::ffi::CString;

use engine::caps;
use engine::fault::Fault;
use engine::spec::{Capabilities, DEFAULT_GRACE, Life, Op, PRESET_NAMESPACES, Spec, Writes};
use engine::sys::{Argv, Word};

/// What is asked for besides, or instead of, a container.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Run,
    Explain,
    Help,
    Version,
}

pub struct Draft {
    pub asked: Asked,
    pub root: Option<&'static CStr>,
    pub read_only: bool,
    pub volatile: bool,
    pub namespaces: u32,
    pub masks: bool,
    pub sys: bool,
    pub ops: Vec<Op<'static>>,
    pub hostname: Option<&'static CStr>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub capabilities: Capabilities,
    pub no_new_privs: bool,
    pub umask: Option<u32>,
    pub directory: &'static CStr,
    pub keep_fds: Vec<u32>,
    pub life: Life,
    /// `NAME=VALUE`, each name once.
    env: Vec<&'static CStr>,
    /// HOME is ours to choose: no option named it.
    default_home: bool,
    caller_env: &'static [Word<'static>],
}

const PATH: &CStr = c"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const PROMPT: &CStr = c"-[ns-process]- # ";
/// A root's own bashrc sets another prompt; this runs once, after it.
const PROMPT_ONCE: &CStr = c"PS1='-[ns-process]- # '; unset PROMPT_COMMAND";

impl Draft {
    pub fn new(caller_env: &'static [Word<'static>]) -> Draft {
        let mut draft = Draft {
            asked: Asked::Run,
            root: None,
            read_only: false,
            volatile: false,
            namespaces: PRESET_NAMESPACES,
            masks: true,
            sys: true,
            ops: Vec::new(),
            hostname: None,
            uid: None,
            gid: None,
            capabilities: Capabilities { bounding: caps::PRESET, asked: 0 },
            no_new_privs: true,
            umask: None,
            directory: c"/",
            keep_fds: Vec::new(),
            life: Life {
                as_pid_1: false,
                new_session: false,
                die_with_parent: false,
                group: false,
                wait_all: false,
                grace: DEFAULT_GRACE,
            },
            env: Vec::new(),
            default_home: true,
            caller_env,
        };
        draft.set_env(c"PATH", PATH);
        draft.pass_env(c"TERM");
        draft.set_env(c"container", c"nsinit");
        draft
    }

    pub fn set_env(&mut self, name: &CStr, value: &CStr) {
        self.unset_env(name);
        let mut pair = Vec::with_capacity(name.count_bytes() + value.count_bytes() + 2);
        pair.extend_from_slice(name.to_bytes());
        pair.push(b'=');
        pair.extend_from_slice(value.to_bytes());
        if let Some(pair) = leak(pair) {
            self.env.push(pair);
        }
    }

    pub fn unset_env(&mut self, name: &CStr) {
        self.default_home &= name != c"HOME";
        self.env.retain(|pair| value_of(pair, name).is_none());
    }

    /// Takes over what the caller has, if he has it.
    pub fn pass_env(&mut self, name: &CStr) {
        for pair in self.caller_env.iter().map_while(|word| word.get()) {
            if value_of(pair, name).is_some() {
                self.unset_env(name);
                self.env.push(pair);
                return;
            }
        }
    }

    pub fn keep_env(&mut self) {
        for pair in self.caller_env.iter().map_while(|word| word.get()) {
            let length = pair.to_bytes().iter().take_while(|byte| **byte != b'=').count();
            if let Some(name) = pair.to_bytes().get(..length).and_then(|name| leak(name.to_vec())) {
                self.unset_env(name);
                self.env.push(pair);
            }
        }
        self.set_env(c"container", c"nsinit");
    }

    pub fn clear_env(&mut self) {
        self.env.clear();
        self.default_home = false;
    }

    /// The Spec for `command`; without one, for a shell.
    ///
    /// # Errors
    /// What is missing, or can't go together.
    pub fn finish(mut self, command: Option<Argv<'static>>, rootless: bool) -> Result<Spec<'static>, Fault<'static>> {
        let root = self.root.ok_or(Fault::sentence("use", c"--root", "it is missing: which directory is the root?"))?;
        let writes = match (self.read_only, self.volatile) {
            (false, false) => Writes::Kept,
            (true, false) => Writes::Refused,
            (false, true) => Writes::Forgotten,
            (true, true) => return Err(Fault::sentence("use", c"--read-only", "with --volatile writes are forgotten, not refused")),
        };
        if self.default_home {
            self.set_env(c"HOME", if self.uid.unwrap_or(0) == 0 { c"/root" } else { c"/" });
        }
        let (argv, fallback) = match command {
            Some(argv) => (Some(argv), None),
            None => {
                self.set_env(c"PS1", PROMPT);
                self.set_env(c"PROMPT_COMMAND", PROMPT_ONCE);
                (shell(c"/bin/bash"), shell(c"/bin/sh"))
            }
        };
        self.keep_fds.sort_unstable();
        self.keep_fds.dedup();
        let env: Vec<Word<'static>> = self.env.iter().map(|pair| Word::new(pair)).chain([Word::END]).collect();
        Ok(Spec {
            root,
            rootless,
            writes,
            namespaces: self.namespaces,
            masks: self.masks,
            sys: self.sys,
            ops: self.ops.leak(),
            hostname: self.hostname,
            uid: self.uid,
            gid: self.gid,
            capabilities: self.capabilities,
            no_new_privs: self.no_new_privs,
            umask: self.umask,
            directory: self.directory,
            keep_fds: self.keep_fds.leak(),
            path: self.env.iter().find_map(|pair| value_of(pair, c"PATH")).unwrap_or(c""),
            env: env.leak(),
            argv: argv.ok_or(Fault::sentence("use", c"CMD", "it is missing"))?,
            fallback,
            life: self.life,
        })
    }
}

fn shell(path: &'static CStr) -> Option<Argv<'static>> {
    let words = [Word::END, Word::new(path), Word::END].map(Cell::new);
    Argv::new(Vec::from(words).leak())
}

/// VALUE, if `pair` is `name=VALUE`.
fn value_of(pair: &'static CStr, name: &CStr) -> Option<&'static CStr> {
    let rest = pair.to_bytes_with_nul().strip_prefix(name.to_bytes())?.strip_prefix(b"=")?;
    CStr::from_bytes_with_nul(rest).ok()
}

/// A C string for the rest of the process's life; `None` for bytes that no argument can hold.
pub fn leak(bytes: Vec<u8>) -> Option<&'static CStr> {
    let text: &'static CString = Box::leak(Box::new(CString::new(bytes).ok()?));
    Some(text)
}
