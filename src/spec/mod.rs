//! What was asked for: plain data, borrowed from the arguments. Filled once by the front, judged once, never changed.

pub mod validate;

use core::ffi::CStr;
use linux_raw_sys::general as raw;

use crate::say;
use crate::sys::{Argv, Env, Signal};
use crate::text::Say;

/// Everything that one launch is made from.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Spec<'a> {
    // In this order, and what is asked most often first: how far it is into the struct then fits one byte.
    pub mode: Mode,
    /// Whoever supervises CMD is process 1 of a pid namespace: every process that it can signal is its own.
    pub process_1: bool,
    /// `--image FILE`: `root` is a file with a file system, or a block device.
    pub image: bool,
    /// The caller is not root.
    pub rootless: bool,
    /// Only the caller's own ids are mapped: all that he may if he is not root (user_namespaces(7)).
    pub own_ids_only: bool,
    /// CMD gets a terminal of its own.
    pub pty: bool,
    /// CMD's session has no controlling terminal: no process in it can open the caller's as /dev/tty.
    pub without_terminal: bool,
    /// `--init`: no container is meant.
    pub in_place: bool,
    /// CLONE_NEW* flags.
    pub namespaces: u32,
    /// Those of them that are left out where the kernel has none or allows none.
    pub optional: u32,
    /// `--root DIR`: the directory that becomes `/`. Empty: `/` is an empty tmpfs, and `ops` fill it.
    pub root: &'a CStr,
    pub joins: Joins<'a>,

    /// `--enter WHO`: the process whose container it is, as `target::find` takes it.
    pub enter: &'a CStr,
    /// The first option that says how a container is made.
    pub making: &'static [u8],
    pub machine: Machine<'a>,
    /// The user or group id was said, and is not the caller's.
    pub other_uid: bool,
    pub other_gid: bool,
    pub writes: Writes,
    /// No user namespace can be made inside.
    pub no_more_users: NoMoreUsers,
    /// User and cgroup namespaces can be made inside, as far as the kernel has it.
    pub allows_nesting: bool,
    /// CMD has the caller's session keyring.
    pub keeps_keyring: bool,
    /// The dangerous files of /proc and /sys are masked or read-only.
    pub masks: Masks,
    /// /proc is mounted.
    pub proc: bool,
    /// /sys is mounted where the kernel permits it.
    pub sys: bool,
    /// What is done to the file system after the preset, in the user's order.
    pub ops: &'a [Op<'a>],
    pub hostname: Option<&'a CStr>,
    /// CMD's user and group id inside.
    pub uid: u32,
    pub gid: u32,
    pub capabilities: Capabilities,
    pub no_new_privs: bool,
    /// A mount below a bound directory that can't be restricted is no error: nobody is kept in.
    pub lenient: bool,
    /// Programs for seccomp(2), struct sock_filter after struct sock_filter, in the order of loading.
    pub filters: &'a [&'a [u8]],
    /// SELinux contexts: of CMD; of the files and file systems that are made.
    pub exec_label: Option<&'a CStr>,
    pub file_label: Option<&'a CStr>,
    /// The mask of mode bits, umask(2); `None`: the caller's.
    pub umask: Option<u32>,
    /// Where CMD begins; `None`: where it is.
    pub directory: Option<&'a CStr>,
    /// `directory` is the caller's: where it is not inside, this one is tried, and then `/`. PWD tells which.
    pub home: Option<&'a CStr>,
    /// Descriptors that CMD keeps besides 0, 1 and 2.
    pub keep_fds: &'a [u32],
    /// CMD keeps all that the caller did not mark close-on-exec.
    pub keeps_all_fds: bool,
    pub channels: Channels<'a>,
    /// `--share-terminal`: the caller's controlling terminal is CMD's too, where that is not so by itself.
    pub share_terminal: bool,
    /// `life.new_session` was not asked for: CMD needs a session of its own only if the caller's has a terminal.
    pub session_for_terminal: bool,
    /// What the launcher and process 1 call themselves: `nsinit: NAME`. Empty: as they were called.
    pub title: &'static CStr,
    /// The command line of process 1, or of the helper of `--enter`, as seen inside: `init`, `init: NAME`, `nsinit`.
    pub title_inside: &'static CStr,
    /// Files, seen from inside, that are locked for reading (fcntl(2)) while anybody is inside.
    pub locks: &'a [&'a CStr],
    /// CMD's environment.
    pub env: Env<'a>,
    /// The value of PATH in `env`.
    pub path: &'a CStr,
    /// The file that is executed, by name or path.
    pub command: &'a CStr,
    /// What it is told: its name and its arguments.
    pub argv: Argv<'a>,
    /// What is executed instead where `argv`'s file is missing: no CMD was given, and a shell is a shell.
    pub fallback: Argv<'a>,
    pub life: Life<'a>,
}

/// What is asked of the process 1 that prepares, supervises and shuts down a machine, `--boot`.
#[derive(Clone, Copy)]
pub struct Machine<'a> {
    pub boots: bool,
    /// It is the kernel's first process, and no pid namespace's.
    pub is_whole: bool,
    pub at_end: AtEnd,
    /// `--switch-root DIR`: CMD takes our place there. Empty: CMD is a child.
    pub switches_to: &'a CStr,
}

/// `--on-exit`: what follows when CMD has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AtEnd {
    /// The same as the next.
    Unsaid,
    PowerOff,
    Reboot,
    Halt,
    /// A shell, and then the power is switched off.
    Shell,
    /// CMD again.
    Respawn,
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

/// As many files as can be locked.
pub const LOCKS: usize = 16;

/// How many devices a container's /dev has.
pub const DEVICES: usize = 6;

/// What is done about the files of /proc and /sys that tell of the host or act on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Masks {
    None,
    /// Those that act are read-only.
    ReadOnly,
    /// And those that tell are covered.
    All,
}

/// Namespaces that exist already.
#[derive(Clone, Copy)]
pub struct Joins<'a> {
    /// A kind (CLONE_NEW*) and whose: as `target::find` takes it, or the path of a namespace. Joined together, before
    /// anything is made,
    pub named: &'a [(u32, &'a CStr)],
    /// then, by descriptor, these.
    pub user: Option<u32>,
    /// Joined when all is made.
    pub then_user: Option<u32>,
    /// Where process 1 begins.
    pub pid: Option<u32>,
}

/// By what somebody outside follows the launch; the numbers are descriptors.
#[derive(Clone, Copy)]
pub struct Channels<'a> {
    /// Who is process 1, and its namespaces, as JSON.
    pub info: Option<u32>,
    /// The same on one line; at the end, the exit status.
    pub status: Option<u32>,
    /// CMD waits until something can be read.
    pub block: Option<u32>,
    /// Somebody else writes the id maps, and then to this.
    pub maps: Option<u32>,
    /// Open as long as anybody is inside.
    pub sync: Option<u32>,
    /// A byte, once CMD has been executed.
    pub ready: Option<u32>,
    /// `status` tells the signal that CMD died of.
    pub tells_signal: bool,
    /// A file that holds the number of process 1 while CMD runs. Empty: none.
    pub pid_file: &'a CStr,
    /// The caller's process ends once CMD has been executed.
    pub detach: bool,
}

/// Whether user namespaces can be made inside.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum NoMoreUsers {
    /// As the kernel has it.
    Unasked,
    /// It is made sure that none can be made.
    Asserted,
    /// It is seen to.
    Made,
}

/// Where root is at home, if nobody says otherwise. Who finds this very text in CMD's environment knows that nobody has.
pub static ROOTS_HOME: &CStr = c"HOME=/root";

/// What is made around CMD.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A container, `--root`.
    Container,
    /// Nothing: it is there, `--enter`.
    Enter,
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
    /// CMD, and the whole container, is killed when nsinit is.
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
            || !matches!(self.end, End::Leave | End::Grace(GRACE))
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

/// Seconds from SIGTERM to SIGKILL, if nothing else is said.
const GRACE: u32 = 2;

/// What happens to the other processes when CMD has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing: nsinit ends at once.
    AtOnce,
    /// nsinit ends at once, and sends SIGTERM to CMD's group before, or only tells of it.
    Term { group: bool },
    /// They get SIGTERM, and so many seconds later SIGKILL.
    Grace(u32),
    /// They are waited for.
    Wait,
    /// They are waited for, but by process 1 alone: the launcher ends with CMD's status at once.
    Leave,
}

/// Sets of capabilities(7): bit N is capability N.
#[derive(Clone, Copy)]
pub struct Capabilities {
    /// The bounding set.
    pub bounding: u64,
    /// What CMD has, as far as it is there to give; it keeps what is `ambient` too whoever it is.
    pub held: u64,
    /// Ambient and inheritable.
    pub ambient: u64,
}

impl Capabilities {
    /// The 14 that container engines leave to root: CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP
    /// NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP.
    pub const USUAL: u64 = 0b1011 | 0b1_1111 << 4 | 1 << 10 | 1 << 13 | 1 << 18 | 1 << 27 | 1 << 29 | 1 << 31;
    /// All that can be named, and those that a newer kernel adds.
    pub const ALL: u64 = !0;
    /// The highest, which no capability has: `ALL` was said, and means all that there are to give.
    pub const AS_FAR_AS_HELD: u64 = 1 << 63;
}

/// One operation below the root. Sources are paths of the caller's, destinations of the container's.
#[derive(Clone, Copy)]
pub struct Op<'a> {
    pub kind: Kind,
    pub dest: &'a CStr,
    /// What is bound; the target of a link; where an overlay's writes go.
    pub source: &'a CStr,
    /// The work directory of an overlay.
    pub work: &'a CStr,
    /// What an overlay shows, from the bottom to the top.
    pub layers: &'a [&'a CStr],
    /// Where content is read from, or what is bound.
    pub fd: u32,
    /// The mode of what is made, if it was said.
    pub mode: Option<u32>,
    /// The size of a tmpfs in bytes, in decimal; empty: the kernel's default.
    pub size: &'a CStr,
    /// MOUNT_ATTR_* that are set, on all below too,
    pub set: u32,
    /// or cleared.
    pub cleared: u32,
}

/// What an operation does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bind,
    /// Where the source is missing, nothing.
    BindTry,
    BindFd,
    /// A file with the content of a descriptor, bound.
    BindData,
    Overlay,
    /// The writes go to memory.
    OverlayTmpfs,
    OverlayReadOnly,
    Remount,
    Tmpfs,
    Proc,
    Dev,
    Sys,
    Cgroup,
    Mqueue,
    // From here on: what makes a file of the root's, and mounts nothing.
    Dir,
    File,
    Symlink,
    Chmod,
}

static SAYS: [Say; 18] = [
    say!("bind on"),
    say!("bind on"),
    say!("bind on"),
    say!("bind data on"),
    say!("mount an overlay on"),
    say!("mount an overlay on"),
    say!("mount an overlay on"),
    say!("make read-only"),
    say!("mount tmpfs on"),
    say!("mount proc on"),
    say!("fill"),
    say!("mount sysfs on"),
    say!("mount cgroup2 on"),
    say!("mount mqueue on"),
    say!("make directory"),
    say!("make file"),
    say!("make symbolic link"),
    say!("change the mode of"),
];

impl<'a> Op<'a> {
    #[must_use]
    #[inline(never)]
    pub const fn new(kind: Kind, dest: &'a CStr) -> Op<'a> {
        Op {
            kind,
            dest,
            source: c"",
            work: c"",
            layers: &[],
            fd: 0,
            mode: None,
            size: c"",
            set: raw::MOUNT_ATTR_NOSUID | raw::MOUNT_ATTR_NODEV,
            cleared: 0,
        }
    }

    /// The verb of messages and `--explain`.
    #[must_use]
    pub fn says(&self) -> Say {
        SAYS.get(self.kind as usize).copied().unwrap_or(Say::NOTHING)
    }

    /// What its mount is to have (MOUNT_ATTR_*), with what its kind has by itself.
    #[must_use]
    pub const fn attributes(&self, own: u32) -> u32 {
        (self.set | own) & !self.cleared
    }

    /// Whether it makes a file of the root's, and mounts nothing.
    #[must_use]
    pub const fn makes(&self) -> bool {
        self.kind as u8 >= Kind::Dir as u8
    }
}

impl Spec<'_> {
    /// The container preset: what `--root` means before any other option has its say.
    pub const PRESET: Spec<'static> = Spec {
        mode: Mode::Container,
        in_place: false,
        enter: c"",
        making: b"",
        process_1: false,
        root: c"",
        image: false,
        machine: Machine { boots: false, is_whole: false, at_end: AtEnd::Unsaid, switches_to: c"" },
        rootless: false,
        own_ids_only: false,
        other_uid: false,
        other_gid: false,
        writes: Writes::Kept,
        namespaces: raw::CLONE_NEWNS
            | raw::CLONE_NEWPID
            | raw::CLONE_NEWIPC
            | raw::CLONE_NEWUTS
            | raw::CLONE_NEWNET
            | raw::CLONE_NEWCGROUP
            | raw::CLONE_NEWUSER,
        optional: 0,
        joins: Joins { named: &[], user: None, then_user: None, pid: None },
        no_more_users: NoMoreUsers::Unasked,
        allows_nesting: false,
        keeps_keyring: false,
        masks: Masks::All,
        proc: true,
        sys: true,
        ops: &[],
        hostname: None,
        uid: 0,
        gid: 0,
        capabilities: Capabilities { bounding: Capabilities::USUAL, held: Capabilities::USUAL, ambient: 0 },
        no_new_privs: true,
        lenient: false,
        filters: &[],
        exec_label: None,
        file_label: None,
        umask: None,
        directory: Some(c"/"),
        home: None,
        keep_fds: &[],
        keeps_all_fds: false,
        channels: Channels {
            info: None,
            status: None,
            block: None,
            maps: None,
            sync: None,
            ready: None,
            tells_signal: false,
            pid_file: c"",
            detach: false,
        },
        pty: false,
        share_terminal: false,
        without_terminal: false,
        session_for_terminal: false,
        title: c"",
        title_inside: c"",
        locks: &[],
        env: Env::NONE,
        path: c"",
        command: c"",
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
            end: End::Grace(GRACE),
            remap: &[],
            propagate: false,
            verbose: 0,
            tell_reaped: false,
        },
    };

    /// Whether the launcher has to know when CMD has been executed.
    #[must_use]
    pub fn awaits_start(&self) -> bool {
        self.channels.ready.is_some() || self.channels.detach || !self.channels.pid_file.is_empty() || self.pty
    }

    /// Whether CMD gets what a container's does.
    #[must_use]
    pub fn contained(&self) -> bool {
        self.mode != Mode::Init
    }

    /// Whether nsinit's own rules hold for CMD, and not bubblewrap's or none.
    #[must_use]
    pub fn has_preset(&self) -> bool {
        self.has_root() || self.mode == Mode::Enter
    }

    /// Whether an existing namespace of that kind is joined.
    #[must_use]
    pub fn joined(&self, kind: u32) -> bool {
        self.joins.named.iter().any(|(named, _)| *named == kind)
    }

    /// Whether CMD is in a user namespace that exists already.
    #[must_use]
    pub fn joins_user(&self) -> bool {
        self.joins.user.is_some() || self.joined(raw::CLONE_NEWUSER)
    }

    /// Whether all of `flags` (CLONE_NEW*) are made anew.
    #[must_use]
    pub const fn unshares(&self, flags: u32) -> bool {
        self.namespaces & flags == flags
    }

    /// Whether there is a root directory, with what the preset mounts in it.
    #[must_use]
    pub fn has_root(&self) -> bool {
        self.mode == Mode::Container && !self.root.is_empty()
    }

    /// Whether the root is built from the operations, and nothing is as in the preset: bubblewrap's kind.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        self.mode == Mode::Container && self.root.is_empty()
    }

    /// Whether process 1 is not to be traced while it is stronger than CMD. Who is told of a sandbox's namespaces looks for
    /// them in /proc meanwhile; if they are its own, nobody else is there who could.
    #[must_use]
    pub fn hides(&self) -> bool {
        self.mode == Mode::Enter
            || !self.root.is_empty()
            || self.joins_user()
            || self.joins.pid.is_some()
            || !self.joins.named.is_empty()
            || self.exec_label.is_some()
            || !self.is_told_of()
    }

    /// Whether CMD's ids are set, not only mapped.
    #[must_use]
    pub fn sets_ids(&self) -> bool {
        match self.mode {
            Mode::Enter => true,
            _ if self.has_root() => !self.rootless,
            _ => self.joins_user() && (self.other_uid || self.other_gid),
        }
    }

    /// Whether nsinit stays between CMD and the launcher.
    #[must_use]
    pub fn supervises(&self) -> bool {
        self.mode != Mode::Enter
            && !self.life.as_pid_1
            && (self.has_root()
                || self.unshares(raw::CLONE_NEWPID)
                || self.pty
                || self.channels.sync.is_some()
                || !self.locks.is_empty()
                || self.life.asks_for_more_than_the_preset())
    }

    /// Whether CMD's process group is put into the foreground of the caller's terminal.
    #[must_use]
    pub const fn lends_terminal(&self) -> bool {
        self.life.own_group && !self.life.new_session && !self.pty && !self.without_terminal
    }

    /// Whether CMD is in the caller's process group, whose number it can't see: then a shell inside can't give the
    /// terminal back to it.
    #[must_use]
    pub fn hides_group(&self) -> bool {
        let pids = self.unshares(raw::CLONE_NEWPID) || self.joined(raw::CLONE_NEWPID) || self.joins.pid.is_some();
        self.is_sandbox() && !self.life.own_group && !self.life.new_session && pids
    }

    /// Whether somebody outside is told of the namespaces: then they all begin with process 1.
    #[must_use]
    pub const fn is_told_of(&self) -> bool {
        self.channels.info.is_some() || self.channels.status.is_some()
    }

    /// Whether process 1 is in a user namespace of ours, or of whoever gave it to us.
    #[must_use]
    pub fn in_user_namespace(&self) -> bool {
        self.unshares(raw::CLONE_NEWUSER) || self.joins_user()
    }

    /// Whether CMD gets a user namespace below the one that everything is made in: a limit of user namespaces holds for
    /// those below only.
    #[must_use]
    pub fn nests_users(&self) -> bool {
        self.no_more_users == NoMoreUsers::Made
    }

    /// Whether process 1 sees to it that CMD can make no user or cgroup namespace. The limits of a user namespace that is
    /// not the container's own hold for others too.
    #[must_use]
    pub fn forbids_nesting(&self) -> bool {
        self.has_root() && !self.allows_nesting && self.unshares(raw::CLONE_NEWUSER)
    }

    /// What the root has (MOUNT_ATTR_*) where set-id bits and file capabilities have no effect for CMD (prctl(2),
    /// PR_SET_NO_NEW_PRIVS): they have none for processes that join later either.
    #[must_use]
    pub const fn no_set_id(&self) -> u32 {
        if self.no_new_privs { raw::MOUNT_ATTR_NOSUID } else { 0 }
    }

    /// Whether the root itself takes no writes.
    #[must_use]
    pub fn refuses_writes(&self) -> bool {
        self.writes == Writes::Refused || self.image && self.writes == Writes::Kept
    }

    /// Whether CMD may come to have CAP_SYS_ADMIN.
    #[must_use]
    pub fn may_mount(&self) -> bool {
        const SYS_ADMIN: u64 = 1 << 21;
        let Capabilities { bounding, held, .. } = self.capabilities;
        (if self.no_new_privs { held } else { held | bounding }) & SYS_ADMIN != 0
    }

    /// Whether nothing of the caller's is in the root: none of the operations brings a file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let brings = |op: &Op<'_>| op.kind as u8 <= Kind::OverlayReadOnly as u8 || op.kind == Kind::File;
        self.is_sandbox() && self.unshares(raw::CLONE_NEWNS) && !self.ops.iter().any(brings)
    }

    /// Whether any operation is of that kind.
    #[must_use]
    pub fn does(&self, kind: Kind) -> bool {
        self.ops.iter().any(|op| op.kind == kind)
    }
}
