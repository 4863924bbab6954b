//! A Spec in the making: what the rows write to.

use core::cell::Cell;
use core::ffi::CStr;

use engine::spec::{Mode, Op, Spec};
use engine::sys::{Argv, Env, Word, c_str, tail};
use engine::text;
use linux_raw_sys::general::CLONE_NEWPID;
use rustix::process::{Pid, geteuid, getpid};

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Run,
    Explain,
    /// No CMD: wait for signals and reap.
    Pause,
    Usage,
    Help,
    Version,
    Licence,
}

impl Asked {
    /// Something is to be printed, and nothing to be run.
    pub fn is_text(self) -> bool {
        matches!(self, Asked::Help | Asked::Version | Asked::Licence)
    }
}

pub struct Draft {
    pub asked: Asked,
    pub spec: Spec<'static>,
    pub ops: Vec<Op<'static>>,
    pub keep_fds: Vec<u32>,
    pub rewrite: Vec<(u8, u8)>,
    pub remap: Vec<(u8, u8)>,
    /// tini's: 1 unless said otherwise.
    pub verbosity: u32,
    /// Something was said that only a container has.
    pub contained: bool,
    /// `NAME=VALUE`, each name once, and at the end [`Word::END`].
    env: Vec<Cell<Word<'static>>>,
    /// No option has named HOME: it follows the user.
    default_home: bool,
    caller_env: Env<'static>,
}

const PATH: &CStr = c"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where execvp(3) looks without PATH.
const DEFAULT_PATH: &CStr = c"PATH=/usr/local/bin:/bin:/usr/bin";
const PROMPT: &CStr = c"PS1=-[ns-process]- # ";
/// A root's own bashrc sets another prompt; this runs once, after it.
const PROMPT_ONCE: &CStr = c"PROMPT_COMMAND=PS1='-[ns-process]- # '; unset PROMPT_COMMAND";

impl Draft {
    pub fn new(caller_env: Env<'static>) -> Draft {
        let mut draft = Draft {
            asked: Asked::Run,
            spec: Spec::PRESET,
            ops: Vec::new(),
            keep_fds: Vec::new(),
            rewrite: Vec::new(),
            remap: Vec::new(),
            verbosity: 1,
            contained: false,
            env: Vec::new(),
            default_home: true,
            caller_env,
        };
        draft.push_env(PATH);
        draft.pass_env(Some(c"TERM"));
        draft.push_env(c"container=nsinit");
        draft
    }

    /// The value of a variable of the caller's.
    pub fn caller_env(&self, name: &[u8]) -> Option<&'static [u8]> {
        self.caller_env
            .words()
            .find(|pair| name_of(pair) == name)
            .and_then(|pair| pair.to_bytes().get(name.len() + 1..))
    }

    pub fn set_env(&mut self, name: &CStr, value: &CStr) {
        let mut pair = Vec::with_capacity(name.count_bytes() + value.count_bytes() + 2);
        for part in [name.to_bytes(), b"=", value.to_bytes_with_nul()] {
            pair.extend_from_slice(part);
        }
        self.push_env(c_str(pair.leak()));
    }

    fn push_env(&mut self, pair: &'static CStr) {
        self.unset_env(name_of(pair));
        self.env.push(Cell::new(Word::new(pair)));
    }

    pub fn unset_env(&mut self, name: &[u8]) {
        self.default_home &= name != b"HOME";
        self.env.retain(|word| name_of(word.get().text()) != name);
    }

    /// Takes over the caller's variable of that name, or all of his.
    pub fn pass_env(&mut self, name: Option<&CStr>) {
        let caller_env = self.caller_env;
        for pair in caller_env.words() {
            if name.is_none_or(|name| name_of(pair) == name.to_bytes()) {
                self.push_env(pair);
            }
        }
    }

    pub fn clear_env(&mut self) {
        self.env.clear();
        self.default_home = false;
    }

    /// Makes the Spec whole; a container without a command gets a shell.
    pub fn finish(mut self) -> Spec<'static> {
        let spec = &mut self.spec;
        spec.rootless = !geteuid().is_root();
        spec.mode = if self.contained { Mode::Container } else { Mode::Init };
        spec.process_1 = if self.contained { spec.unshares(CLONE_NEWPID) } else { getpid() == Pid::INIT };
        if !self.contained {
            self.env.clear();
            self.pass_env(None);
        } else if spec.argv.is_none() {
            self.push_env(PROMPT);
            self.push_env(PROMPT_ONCE);
            self.spec.argv = shell(c"/bin/bash");
            self.spec.fallback = shell(c"/bin/sh");
        }
        if self.contained && self.default_home {
            self.push_env(if self.spec.uid.unwrap_or(0) == 0 { c"HOME=/root" } else { c"HOME=/" });
        }
        let path = self.env.iter().map(|word| word.get().text()).find(|pair| name_of(pair) == b"PATH");
        self.spec.path = tail(path.unwrap_or(DEFAULT_PATH), b"PATH=".len());
        self.env.push(Cell::new(Word::END));
        self.spec.life.rewrite = self.rewrite.leak();
        self.spec.life.remap = self.remap.leak();
        self.spec.ops = self.ops.leak();
        self.spec.keep_fds = self.keep_fds.leak();
        self.spec.env = Env::new(self.env.leak());
        self.spec
    }
}

fn shell(path: &'static CStr) -> Argv<'static> {
    Argv::new(Vec::from([Word::END, Word::new(path), Word::END].map(Cell::new)).leak())
}

fn name_of(pair: &CStr) -> &[u8] {
    text::word(pair.to_bytes(), b'=').unwrap_or_default().0
}
