//! What was asked for: plain data, borrowed from the arguments. Filled once by the front, judged once, never changed.

use core::ffi::CStr;
use linux_raw_sys::general as raw;

use crate::sys::{Argv, Env, Say, Signal, say};

/// Everything that one launch is made from.
#[derive(Clone, Copy)]
pub struct Spec<'a> {
    pub mode: Mode,
    /// `--init`: no container is meant.
    pub in_place: bool,
    /// Whoever supervises CMD is process 1 of a pid namespace: every process that it can signal is its own.
    pub process_1: bool,
    /// `--root DIR`: the directory that becomes `/`.
    pub root: &'a CStr,
    /// The caller is not root: his own ids are all that can be mapped (user_namespaces(7)).
    pub rootless: bool,
    pub writes: Writes,
    /// CLONE_NEW* flags.
    pub namespaces: u32,
    /// The dangerous files of /proc and /sys are masked or read-only.
    pub masks: bool,
    /// /sys is mounted where the kernel permits it.
    pub sys: bool,
    /// What is done to the file system after the preset, in the user's order.
    pub ops: &'a [Op<'a>],
    pub hostname: Option<&'a CStr>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub capabilities: Capabilities,
    pub no_new_privs: bool,
    /// The mask of mode bits, umask(2); `None`: the caller's.
    pub umask: Option<u32>,
    pub directory: &'a CStr,
    /// Descriptors that CMD keeps besides 0, 1 and 2.
    pub keep_fds: &'a [u32],
    /// CMD's environment.
    pub env: Env<'a>,
    /// The value of PATH in `env`.
    pub path: &'a CStr,
    pub argv: Argv<'a>,
    /// What is executed instead where `argv`'s file is missing: no CMD was given, and a shell is a shell.
    pub fallback: Argv<'a>,
    pub life: Life<'a>,
}

/// What happens to writes below the root.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// They go to DIR.
    Kept,
    /// `--read-only`: they are refused.
    Refused,
    /// `--volatile`: they go to a tmpfs that ends with the container.
    Forgotten,
}

/// What is made around CMD.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A container, `--root`.
    Container,
    /// Nothing: nsinit itself is CMD's parent, as process 1 of an image or in its place.
    Init,
}

/// Who is process 1, who gets which signal, and how it ends.
#[derive(Clone, Copy)]
pub struct Life<'a> {
    /// CMD itself is process 1: nobody reaps or forwards.
    pub as_pid_1: bool,
    /// CMD gets a session of its own.
    pub new_session: bool,
    /// CMD gets a process group of its own.
    pub own_group: bool,
    /// The signal that nsinit gets when its parent ends.
    pub die_with_parent: Option<Signal>,
    /// `Mode::Init`: CMD is killed when nsinit is.
    pub die_together: bool,
    /// `Mode::Init`, not process 1: become the reaper of CMD's orphans.
    pub subreaper: bool,
    pub audience: Audience,
    /// Signals that are forwarded as others; as 0: not at all.
    pub rewrite: &'a [(u8, u8)],
    /// Seconds after a signal that asks CMD to end until SIGKILL.
    pub stop_timeout: Option<u32>,
    /// After forwarding what stops CMD, stop too.
    pub stop_with_command: bool,
    pub end: End,
    /// Exit statuses that are passed on as others.
    pub remap: &'a [(u8, u8)],
    /// Die of the signal that CMD died of.
    pub propagate: bool,
    /// How much of what happens is told: 1 the ends, 2 the signals too, 3 the orphans too.
    pub verbose: u8,
    /// The orphans are told of in any case.
    pub tell_reaped: bool,
}

impl Life<'_> {
    /// Whether anything is asked for that needs somebody between CMD and the launcher.
    #[must_use]
    pub fn asks_for_more_than_the_preset(&self) -> bool {
        let preset = &Spec::PRESET.life;
        self.audience != preset.audience
            || self.end != preset.end
            || self.stop_timeout.is_some()
            || self.propagate
            || self.verbose != 0
            || !(self.rewrite.is_empty() && self.remap.is_empty())
    }
}

/// Who gets the signals that are forwarded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    Command,
    /// CMD's process group.
    Group,
    /// Every process.
    All,
}

/// What happens to the other processes when CMD has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing: nsinit ends at once.
    AtOnce,
    /// CMD's group gets SIGTERM, and nsinit ends at once.
    Term,
    /// They get SIGTERM, and so many seconds later SIGKILL.
    Grace(u32),
    /// They are waited for.
    Wait,
}

/// Sets of capabilities(7): bit N is capability N.
#[derive(Clone, Copy)]
pub struct Capabilities {
    /// The bounding set, and what root in the container has.
    pub bounding: u64,
    /// What `--cap-add` named: a CMD that is not root gets these as ambient capabilities.
    pub asked: u64,
}

impl Capabilities {
    /// The 14 that container engines leave to root: CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP
    /// NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP.
    pub const USUAL: u64 = 0b1011 | 0b1_1111 << 4 | 1 << 10 | 1 << 13 | 1 << 18 | 1 << 27 | 1 << 29 | 1 << 31;
    /// All that can be named, and those that a newer kernel adds.
    pub const ALL: u64 = !0;
}

/// One operation below the root. Sources are paths of the caller's, destinations of the container's.
#[derive(Clone, Copy)]
pub enum Op<'a> {
    Bind { source: &'a CStr, dest: &'a CStr, kind: Bind },
    Tmpfs(&'a CStr),
    Proc(&'a CStr),
    Dev(&'a CStr),
    Dir(&'a CStr),
    Symlink { target: &'a CStr, dest: &'a CStr },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Bind {
    Writable,
    ReadOnly,
    /// Writable, and its device files work.
    Devices,
}

impl<'a> Op<'a> {
    /// The verb of messages and `--explain`.
    #[must_use]
    pub const fn says(&self) -> Say {
        match self {
            Op::Bind { .. } => say(c"bind on"),
            Op::Tmpfs(_) => say(c"mount tmpfs on"),
            Op::Proc(_) => say(c"mount proc on"),
            Op::Dev(_) => say(c"fill"),
            Op::Dir(_) => say(c"make directory"),
            Op::Symlink { .. } => say(c"make symbolic link"),
        }
    }

    /// Whether it makes a file of the root's, and mounts nothing.
    #[must_use]
    pub const fn makes(&self) -> bool {
        matches!(self, Op::Dir(_) | Op::Symlink { .. })
    }

    #[must_use]
    pub const fn dest(&self) -> &'a CStr {
        match self {
            Op::Tmpfs(dest) | Op::Proc(dest) | Op::Dev(dest) | Op::Dir(dest) => dest,
            Op::Bind { dest, .. } | Op::Symlink { dest, .. } => dest,
        }
    }
}

impl Spec<'_> {
    /// The container preset: what `--root` means before any other option has its say.
    pub const PRESET: Spec<'static> = Spec {
        mode: Mode::Container,
        in_place: false,
        process_1: false,
        root: c"",
        rootless: false,
        writes: Writes::Kept,
        namespaces: raw::CLONE_NEWNS
            | raw::CLONE_NEWPID
            | raw::CLONE_NEWIPC
            | raw::CLONE_NEWUTS
            | raw::CLONE_NEWNET
            | raw::CLONE_NEWCGROUP
            | raw::CLONE_NEWUSER,
        masks: true,
        sys: true,
        ops: &[],
        hostname: None,
        uid: None,
        gid: None,
        capabilities: Capabilities { bounding: Capabilities::USUAL, asked: 0 },
        no_new_privs: true,
        umask: None,
        directory: c"/",
        keep_fds: &[],
        env: Env::NONE,
        path: c"",
        argv: Argv::NONE,
        fallback: Argv::NONE,
        life: Life {
            as_pid_1: false,
            new_session: false,
            own_group: true,
            die_with_parent: None,
            die_together: false,
            subreaper: true,
            audience: Audience::Command,
            rewrite: &[],
            stop_timeout: None,
            stop_with_command: false,
            end: End::Grace(2),
            remap: &[],
            propagate: false,
            verbose: 0,
            tell_reaped: false,
        },
    };

    /// Whether CMD gets what a container's does.
    #[must_use]
    pub fn contained(&self) -> bool {
        self.mode == Mode::Container
    }

    /// Whether all of `flags` (CLONE_NEW*) are made anew.
    #[must_use]
    pub const fn unshares(&self, flags: u32) -> bool {
        self.namespaces & flags == flags
    }

    /// CMD's user and group id inside.
    #[must_use]
    pub fn inner_ids(&self) -> (u32, u32) {
        (self.uid.unwrap_or(0), self.gid.unwrap_or(0))
    }
}
