//! The environment of the command, and the shell that is run if no command is given.

use core::ffi::CStr;
use core::mem::take;

use engine::spec::{Ids, ROOTS_HOME, rooms};
use engine::sys::{self, Argv, Env, Slot, Word};

use super::super::env::{SWITCHED, SWITCHED_NAME, Variables};
use super::super::words;
use super::{Draft, EnvOp};

const PATH: &CStr = c"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const PROMPT: &CStr = c"PS1=-[ns-process]- # ";
/// A bashrc inside the root sets its own prompt; bash runs this once, after the bashrc.
const PROMPT_ONCE: &CStr = c"PROMPT_COMMAND=PS1='-[ns-process]- # '; unset PROMPT_COMMAND";

impl Draft {
    pub fn set_env(&mut self, name: &CStr, value: &CStr) {
        self.env_ops.push(EnvOp::Set(pair_of(name, value)));
    }

    /// The caller's NOTIFY_SOCKET is for the keeper.
    fn redirect(&self, variables: &mut Variables) {
        if self.spec.gives_socket() {
            variables.set(c"NOTIFY_SOCKET=/dev/notify");
        } else if rooms::KEEPER && self.spec.keeper.notify.is_some() {
            variables.remove(c"NOTIFY_SOCKET");
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
        self.redirect(&mut variables);
        let boots = self.spec.boots() && !self.contained;
        if boots && self.caller_env(b"PATH").is_none() {
            variables.set(PATH);
        }
        if rooms::BOOT && self.caller_env(SWITCHED_NAME.to_bytes()).is_some() {
            variables.remove(SWITCHED_NAME);
        }
        for op in take(&mut self.env_ops) {
            match op {
                EnvOp::Set(pair) => variables.set(pair),
                EnvOp::Unset(name) => variables.remove(name),
                EnvOp::Pass(Some(name)) => variables.pass(name),
                EnvOp::Pass(None) => {
                    variables.pass_all();
                    self.redirect(&mut variables);
                }
                EnvOp::Clear => variables.clear(),
                // It was read before.
                #[cfg(feature = "forms")]
                EnvOp::File(_) => {}
            }
        }
        if rooms::BOOT && self.spec.machine.is_whole && self.spec.machine.switch_root.is_some() {
            variables.set(SWITCHED);
        }
        if self.spec.exec.argv.is_none() {
            if self.boots_systemd || rooms::BOOT && self.spec.machine.switch_root.is_some() {
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
        let sandbox = self.makes_container() && !root;
        if variables.are_the_callers() && !sandbox {
            self.spec.exec.env = self.caller_env;
            return;
        }
        let mut words = variables.settle(self.caller_env);
        if sandbox {
            // PWD is the command's directory, which is not known yet.
            let is_pwd = |word: &Slot| words::name_of(word.get().text()) == b"PWD";
            let place = words.iter().position(is_pwd).unwrap_or(words.len());
            words.retain(|word| !is_pwd(word));
            words.insert(place, Slot::new(Word::new(c"PWD=/")));
        }
        words.push(Slot::new(Word::END));
        self.spec.exec.env = Env::new(words.leak());
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
