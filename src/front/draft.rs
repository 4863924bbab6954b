//! A Spec in the making: what the rows write to.

use core::cell::Cell;
use core::ffi::CStr;

use engine::spec::{Op, Spec};
use engine::sys::{Argv, Word, c_str, tail};
use engine::text;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Run,
    Explain,
    Help,
    Version,
}

pub struct Draft {
    pub asked: Asked,
    pub spec: Spec<'static>,
    pub ops: Vec<Op<'static>>,
    pub keep_fds: Vec<u32>,
    /// `NAME=VALUE`, each name once, and at the end [`Word::END`].
    env: Vec<Word<'static>>,
    /// No option has named HOME: it follows the user.
    default_home: bool,
    caller_env: &'static [Word<'static>],
}

const PATH: &CStr = c"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const PROMPT: &CStr = c"PS1=-[ns-process]- # ";
/// A root's own bashrc sets another prompt; this runs once, after it.
const PROMPT_ONCE: &CStr = c"PROMPT_COMMAND=PS1='-[ns-process]- # '; unset PROMPT_COMMAND";

impl Draft {
    pub fn new(caller_env: &'static [Word<'static>]) -> Draft {
        let mut draft = Draft {
            asked: Asked::Run,
            spec: Spec::PRESET,
            ops: Vec::new(),
            keep_fds: Vec::new(),
            env: Vec::new(),
            default_home: true,
            // Without the terminator.
            caller_env: caller_env.get(..caller_env.len() - 1).unwrap_or_default(),
        };
        draft.push_env(PATH);
        draft.pass_env(Some(c"TERM"));
        draft.push_env(c"container=nsinit");
        draft
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
        self.env.push(Word::new(pair));
    }

    pub fn unset_env(&mut self, name: &[u8]) {
        self.default_home &= name != b"HOME";
        self.env.retain(|word| name_of(word.text()) != name);
    }

    /// Takes over the caller's variable of that name, or all of his.
    pub fn pass_env(&mut self, name: Option<&CStr>) {
        for pair in self.caller_env.iter().map(|word| word.text()) {
            if name.is_none_or(|name| name_of(pair) == name.to_bytes()) {
                self.push_env(pair);
            }
        }
    }

    pub fn clear_env(&mut self) {
        self.env.clear();
        self.default_home = false;
    }

    /// Makes the Spec whole, with `command`, or without one with a shell.
    pub fn finish(mut self, command: Argv<'static>, rootless: bool) -> Spec<'static> {
        self.spec.rootless = rootless;
        self.spec.argv = command;
        if command.is_none() {
            self.push_env(PROMPT);
            self.push_env(PROMPT_ONCE);
            self.spec.argv = shell(c"/bin/bash");
            self.spec.fallback = shell(c"/bin/sh");
        }
        if self.default_home {
            self.push_env(if self.spec.uid.unwrap_or(0) == 0 { c"HOME=/root" } else { c"HOME=/" });
        }
        let path = self.env.iter().map(|word| word.text()).find(|pair| name_of(pair) == b"PATH");
        self.spec.path = tail(path.unwrap_or_default(), b"PATH=".len());
        self.env.push(Word::END);
        self.spec.ops = self.ops.leak();
        self.spec.keep_fds = self.keep_fds.leak();
        self.spec.env = self.env.leak();
        self.spec
    }
}

fn shell(path: &'static CStr) -> Argv<'static> {
    Argv::new(Vec::from([Word::END, Word::new(path), Word::END].map(Cell::new)).leak())
}

fn name_of(pair: &CStr) -> &[u8] {
    text::word(pair.to_bytes(), b'=').unwrap_or_default().0
}
