//! The command: its name, its environment, its directory.

use core::ffi::CStr;
use core::mem::take;

use engine::spec::{Ids, Mode, ROOTS_HOME};
use engine::sys::files;
use engine::sys::{self, Argv, Env, Slot, Word};
use engine::text::PATH as MOST;
use linux_raw_sys::general as raw;

use super::super::env::{self, Variables};
use super::{Draft, EnvOp};

const PATH: &CStr = c"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The directories that execvp(3) searches if PATH is not set.
const DEFAULT_PATH: &CStr = c"PATH=/usr/local/bin:/bin:/usr/bin";
const PROMPT: &CStr = c"PS1=-[ns-process]- # ";
/// A bashrc inside the root sets its own prompt; bash runs this once, after the bashrc.
const PROMPT_ONCE: &CStr = c"PROMPT_COMMAND=PS1='-[ns-process]- # '; unset PROMPT_COMMAND";

impl Draft {
    pub fn set_env(&mut self, name: &CStr, value: &CStr) {
        self.env_ops.push(EnvOp::Set(pair_of(name, value)));
    }

    /// A variable of the command, `NAME=VALUE`.
    fn variable(&self, name: &[u8]) -> Option<&'static CStr> {
        self.spec.exec.env.words().find(|pair| env::name_of(pair) == name)
    }

    /// The name is what `ps` shows, and the host name if none is given.
    pub(super) fn name(&mut self) {
        let spec = &mut self.spec;
        if self.name.is_empty() {
            let enters = spec.mode == Mode::Enter;
            spec.life.title_inside = sys::c_str(Vec::from(if enters { &b"nsinit\0"[..] } else { b"init\0" }).leak());
            return;
        }
        let mut title = Vec::from(*b"nsinit: ");
        title.extend_from_slice(self.name.to_bytes_with_nul());
        let title = sys::c_str(title.leak());
        spec.life.title = Some(title);
        // `init: NAME`
        spec.life.title_inside = sys::tail(title, b"ns".len());
        if spec.namespaces.hostname.is_none() && spec.unshares(raw::CLONE_NEWUTS) {
            spec.namespaces.hostname = Some(self.name);
        }
    }

    pub(super) fn make_env(&mut self, root: bool) {
        let mut variables = Variables::new();
        if root {
            variables.set(PATH);
            variables.pass(c"TERM");
            variables.set(c"container=nsinit");
            variables.set(if matches!(self.spec.ids.uid, 0 | Ids::OF_TARGET) { ROOTS_HOME } else { c"HOME=/" });
        } else {
            variables.pass_all();
        }
        let boots = self.spec.machine.boots && !self.contained;
        if boots && self.caller_env(b"PATH").is_none() {
            variables.set(PATH);
        }
        for op in take(&mut self.env_ops) {
            match op {
                EnvOp::Set(pair) => variables.set(pair),
                EnvOp::Unset(name) => variables.remove(name),
                EnvOp::Pass(Some(name)) => variables.pass(name),
                EnvOp::Pass(None) => variables.pass_all(),
                EnvOp::Clear => variables.clear(),
            }
        }
        if self.spec.exec.argv.is_none() {
            if self.spec.machine.switch_root.is_some() {
                self.spec.exec.argv = alone(c"/sbin/init");
            } else if root || boots {
                if root {
                    variables.set(PROMPT);
                    variables.set(PROMPT_ONCE);
                }
                self.spec.exec.argv = alone(c"/bin/bash");
                self.spec.exec.fallback = alone(c"/bin/sh");
            }
        }
        let sandbox = self.contained && !root;
        if variables.are_the_callers() && !sandbox {
            self.spec.exec.env = self.caller_env;
            return;
        }
        let mut words = variables.settle(self.caller_env);
        if sandbox {
            // PWD is the command's directory, which is not known yet.
            let is_pwd = |word: &Slot| env::name_of(word.get().text()) == b"PWD";
            let place = words.iter().position(is_pwd).unwrap_or(words.len());
            words.retain(|word| !is_pwd(word));
            words.insert(place, Slot::new(Word::new(c"PWD=/")));
        }
        words.push(Slot::new(Word::END));
        self.spec.exec.env = Env::new(words.leak());
    }

    /// The command's directory.
    pub(super) fn place(&mut self, root: bool) {
        self.spec.exec.path = sys::tail(self.variable(b"PATH").unwrap_or(DEFAULT_PATH), b"PATH=".len());
        if self.directory.is_some() || self.spec.mode == Mode::Init {
            self.spec.exec.directory = self.directory;
        }
        if self.contained && !root && self.directory.is_none() {
            let home = self.variable(b"HOME").unwrap_or_default();
            self.spec.exec.home = Some(sys::tail(home, b"HOME=".len()));
            let mut here = Vec::from([0; MOST]);
            // If the caller's directory has no path outside, it has none inside either.
            let _ = files::getcwd(&mut here);
            self.spec.exec.directory = Some(sys::c_str(here.leak()));
        }
    }
}

/// `NAME=VALUE`, never freed.
fn pair_of(name: &CStr, value: &CStr) -> &'static CStr {
    let mut pair = Vec::with_capacity(name.count_bytes() + value.count_bytes() + 2);
    for part in [name.to_bytes(), b"=", value.to_bytes_with_nul()] {
        pair.extend_from_slice(part);
    }
    sys::c_str(pair.leak())
}

/// A command without arguments.
fn alone(path: &'static CStr) -> Argv<'static> {
    Argv::new(Vec::from([Word::END, Word::new(path), Word::END].map(Slot::new)).leak())
}
