//! A Spec in the making: what the rows write to.

use core::cell::Cell;
use core::ffi::CStr;
use core::mem::take;

use engine::ns::target::FD;
use engine::report::wording::{Name, speaks_as};
use engine::say;
use engine::spec::{Capabilities, End, Ids, Kind, Masks, Mode, Op, ROOTS_HOME, Spec};
use engine::sys::files;
use engine::sys::{Argv, Env, Word, c_str, capget, close_on_exec, tail};
use engine::text::{self, PATH as MOST};
use engine::tty::job::is_all_standard;
use linux_raw_sys::general as raw;
use rustix::process::{Pid, getegid, geteuid, getpid};

use super::dialects::bwrap::{fd, octal};
use super::env::{Variables, name_of};
use super::rows::{Bad, Complaint, Values, Wrong};

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
    /// What is wrong with an option, where that was returned as [`Bad`].
    pub complaint: Complaint,
    pub asked: Asked,
    pub spec: Spec<'static>,
    /// CLONE_NEW* flags that were named: to be new, new if possible, not new.
    unshared: u32,
    optional: u32,
    shared: u32,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub cap_add: u64,
    pub cap_drop: u64,
    pub directory: Option<&'static CStr>,
    pub argv_0: Option<&'static CStr>,
    /// The rows of bubblewrap's that were there, a bit each.
    pub seen: u128,
    pub end: Option<End>,
    pub masks: bool,
    /// What the next operation is to be made with.
    pub mode: Option<u32>,
    pub size: &'static CStr,
    pub layers: Vec<&'static CStr>,
    /// MOUNT_ATTR_NOEXEC, if that was said of it; and whether it is to have it.
    pub noexec: Option<bool>,
    ops: Vec<Op<'static>>,
    pub keep_fds: Vec<u32>,
    pub rewrite: Vec<(u8, u8)>,
    pub remap: Vec<(u8, u8)>,
    pub filters: Vec<&'static [u8]>,
    /// Those of `--add-seccomp-fd`.
    pub filter_fds: Vec<u32>,
    /// `--seccomp` and `--add-seccomp-fd` were said.
    pub filter_alone: bool,
    pub filter_beside: bool,
    pub locks: Vec<&'static CStr>,
    /// A descriptor that holds more options, to be read now.
    pub args: Option<u32>,
    /// tini's: 1 unless said otherwise.
    pub verbosity: u32,
    /// Nothing is done; only what is meant is looked for.
    pub tried: bool,
    /// Something was said of CMD's environment, directory or umask.
    pub finds: bool,
    /// Something was said that only a container has;
    pub contained: bool,
    /// how often.
    pub containing: u32,
    /// Namespaces that are joined, and whose.
    joins: Vec<(u32, &'static CStr)>,
    pub name: &'static CStr,
    pub env_ops: Vec<EnvOp>,
    caller_env: Env<'static>,
}

/// What the user does to CMD's environment, in his order.
#[derive(Clone, Copy)]
pub enum EnvOp {
    /// `NAME=VALUE`.
    Set(&'static CStr),
    Unset(&'static CStr),
    /// Takes over the caller's variable of that name, or all of his.
    Pass(Option<&'static CStr>),
    Clear,
}

const PATH: &CStr = c"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where execvp(3) looks without PATH.
const DEFAULT_PATH: &CStr = c"PATH=/usr/local/bin:/bin:/usr/bin";
const PROMPT: &CStr = c"PS1=-[ns-process]- # ";
/// A root's own bashrc sets another prompt; this runs once, after it.
const PROMPT_ONCE: &CStr = c"PROMPT_COMMAND=PS1='-[ns-process]- # '; unset PROMPT_COMMAND";

const LAYERS_ALONE: Wrong =
    say!("--overlay-src must be followed by another --overlay-src or one of --overlay, --tmp-overlay, or --ro-overlay");

const PERMS_ALONE: Wrong = say!("--perms must be followed by an option that creates a file");
const SIZE_ALONE: Wrong = say!("--size must be followed by --tmpfs");
const NOEXEC_ALONE: Wrong = say!("--exec and --noexec must be followed by an option that mounts");

impl Draft {
    #[inline(never)]
    pub fn new(caller_env: Env<'static>) -> Draft {
        Draft {
            complaint: Complaint::NONE,
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
            end: None,
            masks: true,
            mode: None,
            size: c"",
            layers: Vec::new(),
            noexec: None,
            ops: Vec::new(),
            keep_fds: Vec::new(),
            rewrite: Vec::new(),
            remap: Vec::new(),
            filters: Vec::new(),
            filter_fds: Vec::new(),
            filter_alone: false,
            filter_beside: false,
            locks: Vec::new(),
            args: None,
            verbosity: 1,
            tried: false,
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
        Bad
    }

    /// The value of a variable of the caller's.
    pub fn caller_env(&self, name: &[u8]) -> Option<&'static [u8]> {
        self.caller_env
            .words()
            .find(|pair| name_of(pair) == name)
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

    /// A namespace of that kind is joined: of two the last.
    pub fn join(&mut self, kind: u32, whose: &'static CStr) -> Result<(), Wrong> {
        self.joins.retain(|(other, _)| *other != kind);
        self.joins.push((kind, process(whose)?));
        Ok(())
    }

    /// One more operation, with what was said of it before; its mount gets the attributes `set` (MOUNT_ATTR_*).
    pub fn op(&mut self, kind: Kind, set: u32, values: &Values) -> Result<(), Wrong> {
        let [first, second, third] = *values;
        let mut op = Op::new(kind, first);
        op.set = set;
        op.mode = self.mode.take();
        op.size = take(&mut self.size);
        let noexec = self.noexec.take();
        match noexec {
            Some(true) => op.set |= raw::MOUNT_ATTR_NOEXEC,
            Some(false) => op.cleared |= raw::MOUNT_ATTR_NOEXEC,
            None => {}
        }
        if op.mode.is_some() && !matches!(kind, Kind::Tmpfs | Kind::Dir | Kind::File | Kind::BindData) {
            return Err(PERMS_ALONE);
        }
        if !op.size.is_empty() && kind != Kind::Tmpfs {
            return Err(SIZE_ALONE);
        }
        if noexec.is_some() && (op.makes() || kind == Kind::Remount) {
            return Err(NOEXEC_ALONE);
        }
        if matches!(kind, Kind::Overlay | Kind::OverlayTmpfs | Kind::OverlayReadOnly) {
            op.layers = take(&mut self.layers).leak();
        }
        if !self.layers.is_empty() {
            return Err(LAYERS_ALONE);
        }
        match kind {
            // To open_tree(2) it would be the working directory.
            Kind::Bind | Kind::BindTry if first.is_empty() => return Err(say!("an empty path names nothing")),
            Kind::Bind | Kind::BindTry | Kind::Symlink => (op.source, op.dest) = (first, second),
            Kind::BindFd | Kind::BindData | Kind::File => (op.fd, op.dest) = (fd(first)?, second),
            Kind::Chmod => (op.mode, op.dest) = (Some(octal(first)?), second),
            Kind::Overlay => (op.source, op.work, op.dest) = (first, second, third),
            _ => {}
        }
        self.ops.push(op);
        Ok(())
    }

    pub fn set_env(&mut self, name: &CStr, value: &CStr) {
        self.env_ops.push(EnvOp::Set(pair_of(name, value)));
    }

    /// The variable of CMD's, `NAME=VALUE`.
    fn variable(&self, name: &[u8]) -> Option<&'static CStr> {
        self.spec.exec.env.words().find(|pair| name_of(pair) == name)
    }

    /// Makes the Spec whole; a container without a command gets a shell.
    ///
    /// # Errors
    /// Options that do not go together.
    pub fn finish(&mut self) -> Result<(), Wrong> {
        if !self.layers.is_empty() {
            return Err(LAYERS_ALONE);
        }
        // bubblewrap takes no notice.
        if !speaks_as(Name::Bwrap) {
            if self.mode.is_some() {
                return Err(PERMS_ALONE);
            }
            if !self.size.is_empty() {
                return Err(SIZE_ALONE);
            }
            if self.noexec.is_some() {
                return Err(NOEXEC_ALONE);
            }
        }
        if self.spec.machine.switch_root.is_some() {
            if self.containing > u32::from(self.spec.root.image) {
                return Err(say!("--switch-root makes no container: of what makes one only --image goes with it"));
            }
            (self.contained, self.finds) = (false, false);
        }
        self.contained = self.is_contained();
        let own = (geteuid().as_raw(), getegid().as_raw());
        self.choose_mode(own.0 != 0);
        let root = self.spec.has_preset();
        let (ids, capabilities) = self.presume(own);
        self.name();
        let spec = &mut self.spec;
        (spec.ids.uid, spec.ids.gid) = (self.uid.unwrap_or(ids.0), self.gid.unwrap_or(ids.1));
        (spec.ids.other_uid, spec.ids.other_gid) = (spec.ids.uid != own.0, spec.ids.gid != own.1);
        let wanted = capabilities & !self.cap_drop | self.cap_add;
        let changed = self.cap_add | self.cap_drop != 0;
        spec.confine.capabilities = if root {
            // Who is not root there has nothing but what was asked for.
            let is_root = matches!(spec.ids.uid, 0 | Ids::OF_TARGET);
            let ambient = if is_root { 0 } else { self.cap_add };
            Capabilities { bounding: wanted, held: if is_root { wanted } else { ambient }, ambient }
        } else {
            let bounding = if spec.in_user_namespace() { wanted } else { Capabilities::ALL };
            Capabilities { bounding, held: wanted, ambient: if changed { wanted } else { 0 } }
        };
        spec.life.end = self.end.unwrap_or(spec.life.end);
        spec.life.process_1 = if self.contained {
            spec.unshares(raw::CLONE_NEWPID)
        } else {
            getpid() == Pid::INIT && !spec.machine.boots
        };
        self.make_env(root);
        self.place(root);
        let spec = &mut self.spec;
        spec.exec.command = spec.exec.argv.command();
        if let Some(name) = self.argv_0 {
            spec.exec.argv.rename(name);
        }
        spec.life.rewrite = take(&mut self.rewrite).leak();
        spec.life.remap = take(&mut self.remap).leak();
        spec.root.ops = take(&mut self.ops).leak();
        spec.exec.keep_fds = take(&mut self.keep_fds).leak();
        spec.confine.filters = take(&mut self.filters).leak();
        spec.life.locks = take(&mut self.locks).leak();
        if let Some(sync) = spec.channels.sync {
            // Who becomes CMD himself keeps it so.
            let _ = close_on_exec(sync, spec.supervises());
        }
        Ok(())
    }

    /// Whether CMD is to be in a container. As bubblewrap has it, what says what CMD finds there says that it is; but not
    /// where no container is meant.
    #[must_use]
    pub fn is_contained(&self) -> bool {
        self.contained || self.finds && !self.spec.parsed.in_place && !self.spec.machine.boots
    }

    fn choose_mode(&mut self, rootless: bool) {
        let spec = &mut self.spec;
        spec.ids.rootless = rootless;
        spec.mode = if spec.target.is_some() {
            Mode::Enter
        } else if !self.contained {
            Mode::Init
        } else if spec.root.directory.is_empty() {
            Mode::Sandbox
        } else {
            Mode::Root
        };
    }

    /// What holds by itself. Who CMD is, and what it has, where nothing was said of that.
    fn presume(&mut self, own: (u32, u32)) -> ((u32, u32), u64) {
        let spec = &mut self.spec;
        spec.namespaces.joins.named = take(&mut self.joins).leak();
        let joined = spec.namespaces.joins.named.iter().fold(0, |all, (kind, _)| all | kind);
        let presumed = if spec.has_preset() {
            spec.namespaces.optional =
                if spec.ids.rootless { 0 } else { raw::CLONE_NEWUSER & !(self.unshared & !self.optional) };
            spec.ids.own_only = spec.ids.rootless || joined & raw::CLONE_NEWUSER != 0;
            spec.life.die_together = true;
            // What is entered may have no 0.
            let id = if spec.mode == Mode::Enter { Ids::OF_TARGET } else { 0 };
            ((id, id), Capabilities::USUAL)
        } else {
            if self.contained {
                let user = spec.ids.rootless && !spec.joins_user();
                spec.namespaces.new = raw::CLONE_NEWNS | if user { raw::CLONE_NEWUSER } else { 0 };
                spec.ids.own_only = true;
                spec.life.own_group = false;
                spec.life.end = End::Leave;
                spec.root.masks = Masks::ReadOnly;
                spec.exec.keep_all_fds = self.keep_fds.is_empty();
            }
            spec.namespaces.optional = self.optional;
            // Whoever makes a user namespace has them all in it.
            (own, if spec.ids.rootless { 0 } else { capget().unwrap_or_default() })
        };
        if spec.has_preset() && !spec.terminal.pty && !spec.terminal.share {
            spec.terminal.pty = !spec.channels.detach && is_all_standard();
            spec.terminal.withheld = !spec.terminal.pty;
            // Where process 1 is not there to lead the session CMD does.
            let leads = spec.life.as_pid_1 || spec.mode == Mode::Enter;
            spec.terminal.session_if_any = spec.terminal.withheld && leads && !spec.life.new_session;
            spec.life.new_session |= spec.terminal.session_if_any;
        }
        if spec.terminal.pty {
            // It is a session of its own, whose leader outlives CMD.
            spec.life.new_session = false;
            spec.life.own_group = true;
        }
        if !self.masks {
            spec.root.masks = Masks::None;
        }
        spec.namespaces.new =
            if self.contained { (spec.namespaces.new & !self.shared | self.unshared) & !joined } else { 0 };
        if spec.mode == Mode::Enter {
            spec.namespaces.new = 0;
            // What CMD leaves behind is the container's.
            spec.life.end = End::AtOnce;
            // Where WHO is.
            spec.exec.directory = Some(c".");
        }
        presumed
    }

    /// The name is what `ps` shows, and the host's if that has no other.
    fn name(&mut self) {
        let spec = &mut self.spec;
        if self.name.is_empty() {
            let enters = spec.mode == Mode::Enter;
            spec.life.title_inside = c_str(Vec::from(if enters { &b"nsinit\0"[..] } else { b"init\0" }).leak());
            return;
        }
        let mut title = Vec::from(*b"nsinit: ");
        title.extend_from_slice(self.name.to_bytes_with_nul());
        let title = c_str(title.leak());
        spec.life.title = Some(title);
        // `init: NAME`
        spec.life.title_inside = tail(title, b"ns".len());
        if spec.namespaces.hostname.is_none() && spec.unshares(raw::CLONE_NEWUTS) {
            spec.namespaces.hostname = Some(self.name);
        }
    }

    fn make_env(&mut self, root: bool) {
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
            // It tells where CMD begins, which is not known yet.
            let is_pwd = |word: &Cell<Word<'static>>| name_of(word.get().text()) == b"PWD";
            let place = words.iter().position(is_pwd).unwrap_or(words.len());
            words.retain(|word| !is_pwd(word));
            words.insert(place, Cell::new(Word::new(c"PWD=/")));
        }
        words.push(Cell::new(Word::END));
        self.spec.exec.env = Env::new(words.leak());
    }

    /// Where CMD begins.
    fn place(&mut self, root: bool) {
        self.spec.exec.path = tail(self.variable(b"PATH").unwrap_or(DEFAULT_PATH), b"PATH=".len());
        if self.directory.is_some() || self.spec.mode == Mode::Init {
            self.spec.exec.directory = self.directory;
        }
        if self.contained && !root && self.directory.is_none() {
            let home = self.variable(b"HOME").unwrap_or_default();
            self.spec.exec.home = Some(tail(home, b"HOME=".len()));
            let mut here = Vec::from([0; MOST]);
            // A directory without a path does not exist inside either.
            let _ = files::getcwd(&mut here);
            self.spec.exec.directory = Some(c_str(here.leak()));
        }
    }
}

/// A path that is one.
pub fn named(path: &'static CStr) -> Result<&'static CStr, Wrong> {
    if path.is_empty() { Err(say!("an empty path names nothing")) } else { Ok(path) }
}

/// A word that may be `fd:N`: then N is open, and CMD does not get it.
pub fn process(word: &'static CStr) -> Result<&'static CStr, Wrong> {
    match text::after(word.to_bytes(), FD) {
        Some(_) => fd(tail(word, FD.len())).map(|_| word),
        None => named(word),
    }
}

/// `NAME=VALUE`, made for good.
fn pair_of(name: &CStr, value: &CStr) -> &'static CStr {
    let mut pair = Vec::with_capacity(name.count_bytes() + value.count_bytes() + 2);
    for part in [name.to_bytes(), b"=", value.to_bytes_with_nul()] {
        pair.extend_from_slice(part);
    }
    c_str(pair.leak())
}

/// A command without arguments.
fn alone(path: &'static CStr) -> Argv<'static> {
    Argv::new(Vec::from([Word::END, Word::new(path), Word::END].map(Cell::new)).leak())
}
