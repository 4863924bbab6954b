//! Hints: why the kernel says no here, and what to do. The cause is found out when something has failed and is reported, and
//! never before; where none is known to be the case, there is no hint.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fd::AsRawFd;
use rustix::fs::{Access, AtFlags, OFlags, StatVfsMountFlags, accessat, fstatvfs};
use rustix::io::Errno;
use rustix::mount::{FsOpenFlags, fsconfig_create, fsopen};

use crate::mountinfo;
use crate::say;
use crate::spec::{Mode, Spec, Writes};
use crate::sys::files::{self, HERE, read};
use crate::sys::{self, Failure};
use crate::text::Say;
use crate::text::{self, PATH, Text};

/// Why a call failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    Unknown,
    /// EMFILE, ENFILE (open(2)).
    FewDescriptors,
    FewFiles,
    /// EAGAIN of clone(2): RLIMIT_NPROC, the cgroup's pids.max, or one of these.
    UsersProcesses,
    CgroupsProcesses,
    Processes,
    /// We were started under a seccomp filter.
    Filter,
    /// `/` is no mount point.
    Chroot,
    /// Ubuntu's: an ordinary user's user namespaces come without capabilities.
    AppArmorUsers,
    /// We run under a profile of AppArmor's.
    AppArmorProfile,
    /// Debian's sysctl is 0.
    NoUnprivilegedUsers,
    /// The kernel is built without them.
    NoUserNamespaces,
    /// user.max_user_namespaces is 0.
    UserNamespacesForbidden,
    /// ENOSPC of clone(2) and unshare(2) (namespaces(7)).
    NamespaceLimit,
    NetworkLimit,
    /// A user asks for namespaces without a user namespace,
    NeedsUserNamespace,
    /// or root without CAP_SYS_ADMIN.
    NeedsAdmin,
    /// Root that may make all but user namespaces.
    RootWithoutUserNamespace,
    /// The kernel or one of its security modules, and no more is known.
    Forbidden,
    /// No other procfs may be mounted than one that shows as little (mount_too_revealing in the kernel).
    MaskedProc,
    MaskedProcInSandbox,
    NoProc,
    /// Only the owner of a pid namespace mounts its procfs.
    ForeignPids,
    /// setns(2): EPERM, EINVAL.
    ForeignNamespace,
    OtherKind,
    /// ptrace(2), "Ptrace access mode checking".
    Hidden,
    NoContainer,
    /// fork(2) answers ENOMEM in a pid namespace whose process 1 has ended.
    Ended,
    NoTerminals,
    NoTerminalsInside,
    /// Of the machine's root alone.
    RootOfMachine,
    NoSuchFileSystem,
    NoMountDescriptors,
    DirtyJournal,
    NoLoopDevices,
    /// CMD was not executed: its interpreter or loader is missing,
    NoInterpreter,
    DanglingLink,
    /// nothing was bound that could be it,
    EmptyRoot,
    /// EACCES of execve(2),
    NoFile,
    MountedNoexec,
    NoPermission,
    /// ENOEXEC: an ELF file of another machine, or none and no shell to take it.
    OtherMachine,
    NoShell,
    /// The file of --pid-file looks like one.
    PidFile,
    /// A sysfs shows a network namespace, and only the owner of that mounts it.
    SysNeedsNetwork,
    /// Nothing is there, in a root that takes no writes,
    MissingInReadOnly,
    /// and an overlay can be mounted here.
    Volatile,
    /// mount(2) by name goes through /proc/self/fd.
    NeedsProc,
    NoOverlays,
    NoOverlaysForUsers,
    MountsBelow,
    /// ENOSPC of what makes a mount (count_mounts in the kernel).
    MountLimit,
    /// mount_namespaces(7): what was set in another user namespace can't be cleared.
    LockedNoexec,
    NoInodes,
    /// On the way to a place that is to be made.
    LinkToNothing,
}

const FORBIDDEN: Say =
    say!("user.max_user_namespaces is 0; if this is a container of nsinit's, start that with --allow-nesting");

impl Cause {
    #[must_use]
    pub fn hint(self) -> Say {
        HINTS.get(self as usize).map_or(Say::NOTHING, |(_, hint)| *hint)
    }
}

/// In the order of the causes.
static HINTS: [(Cause, Say); 55] = [
    (Cause::Unknown, Say::NOTHING),
    (Cause::FewDescriptors, say!("the limit on open files is reached: see ulimit -n")),
    (Cause::FewFiles, say!("the machine's limit on open files is reached: see fs.file-max")),
    (Cause::UsersProcesses, say!("the user's limit on processes is reached: see ulimit -u")),
    (Cause::CgroupsProcesses, say!("the cgroup's limit on processes is reached: see pids.max")),
    (Cause::Processes, say!("a limit on processes is reached: see ulimit -u, and pids.max of the cgroups above")),
    (Cause::Filter, say!("nsinit was started under a seccomp filter, which may forbid this")),
    (Cause::Chroot, say!("the kernel forbids this in a chroot: / is not a mount point")),
    (
        Cause::AppArmorUsers,
        say!("AppArmor restricts user namespaces: see kernel.apparmor_restrict_unprivileged_userns"),
    ),
    (
        Cause::AppArmorProfile,
        say!("nsinit runs under an AppArmor profile, which may forbid this: see /proc/self/attr/current"),
    ),
    (
        Cause::NoUnprivilegedUsers,
        say!("only root may create user namespaces here: kernel.unprivileged_userns_clone is 0"),
    ),
    (Cause::NoUserNamespaces, say!("the kernel has no user namespaces")),
    (Cause::UserNamespacesForbidden, FORBIDDEN),
    (Cause::NamespaceLimit, say!("a limit on namespaces is reached: see user.max_user_namespaces and its neighbours")),
    (Cause::NetworkLimit, say!("a limit on namespaces is reached: see user.max_net_namespaces")),
    (Cause::NeedsUserNamespace, say!("without a user namespace, as with --share-user, this needs root")),
    (Cause::NeedsAdmin, say!("this needs CAP_SYS_ADMIN, or a user namespace: use --unshare-user")),
    (Cause::RootWithoutUserNamespace, say!("--share-user does without a user namespace")),
    (Cause::Forbidden, say!("the kernel or a security module forbids it")),
    (Cause::MaskedProc, say!("the /proc outside is masked, as in a container: use --share-pid or --no-proc")),
    (
        Cause::MaskedProcInSandbox,
        say!("the /proc outside is masked, as in a container: use --ro-bind /proc /proc, or no --unshare-pid"),
    ),
    (Cause::NoProc, say!("no /proc is mounted outside")),
    (
        Cause::ForeignPids,
        say!("whose user namespace are the process ids in? --join-user joins that too, --share-user stays"),
    ),
    (Cause::ForeignNamespace, say!("whose user namespace is it? --join-user joins that too")),
    (Cause::OtherKind, say!("it is none of that kind, or ours already")),
    (Cause::Hidden, say!("it is somebody else's, or hides from all but root")),
    (Cause::NoContainer, say!("it is no container, or we are in it, or it has only made one: its child is in that")),
    (Cause::Ended, say!("its process 1 has ended")),
    (Cause::NoTerminals, say!("the container has no working /dev/ptmx: use --dev /dev")),
    (Cause::NoTerminalsInside, say!("the container has none that works")),
    (Cause::RootOfMachine, say!("it is for root of the machine")),
    (Cause::NoSuchFileSystem, say!("the kernel does not know its kind of file system: is the module missing?")),
    (Cause::NoMountDescriptors, say!("it needs Linux 5.2")),
    (Cause::DirtyJournal, say!("was it not unmounted? its journal would have to be replayed")),
    (Cause::NoLoopDevices, say!("a file is mounted by a loop device: is the module missing?")),
    (Cause::NoInterpreter, say!("the file exists; its interpreter or dynamic loader does not")),
    (Cause::DanglingLink, say!("it is a dangling symbolic link")),
    (
        Cause::EmptyRoot,
        say!("the root is empty because no option binds anything; to run without a container, use --init"),
    ),
    (Cause::NoFile, say!("it is not a regular file")),
    (Cause::MountedNoexec, say!("it is on a file system that is mounted noexec")),
    (Cause::NoPermission, say!("this user has no permission to execute it: see chmod(1)")),
    (Cause::OtherMachine, say!("it is a program for another architecture")),
    (Cause::NoShell, say!("it has no #! line, and there is no /bin/sh to run it")),
    (Cause::PidFile, say!("a container runs, or its nsinit was killed")),
    (Cause::SysNeedsNetwork, say!("it needs a network namespace of one's own")),
    (Cause::MissingInReadOnly, say!("it does not exist and the root is read-only: create it first")),
    (Cause::Volatile, say!("it does not exist and the root is read-only: create it first, or use --volatile")),
    (Cause::NeedsProc, say!("before Linux 5.12 it takes a mounted /proc")),
    (Cause::NoOverlays, say!("the kernel has no overlayfs")),
    (Cause::NoOverlaysForUsers, say!("overlays in a user namespace need Linux 5.11")),
    (Cause::MountsBelow, say!("something is mounted below it, which overlayfs does not support in a user namespace")),
    (Cause::MountLimit, say!("the limit on mounts is reached: see fs.mount-max")),
    (Cause::LockedNoexec, say!("the host's mount there is noexec, which --exec cannot undo in a user namespace")),
    (Cause::NoInodes, say!("the file system has no free inodes: see df -i")),
    (Cause::LinkToNothing, say!("a symbolic link on the path is dangling: create its target with --dir")),
];

/// What an errno always means.
#[must_use]
pub fn of_errno(why: Failure) -> Cause {
    match why {
        Failure::MFILE => Cause::FewDescriptors,
        Failure::NFILE => Cause::FewFiles,
        Failure::NO_INODES => Cause::NoInodes,
        Failure::DANGLING => Cause::LinkToNothing,
        _ => Cause::Unknown,
    }
}

/// Why a system call was refused that no file's mode stands against.
#[must_use]
pub fn of_call(why: Failure) -> Cause {
    match why {
        Failure::PERM | Failure::NOSYS | Failure::ACCESS => refused(why, &profile(), is_filtered()),
        _ => of_errno(why),
    }
}

/// Why mount(2) or one of its successors was refused, of a file system of the kernel's or of `/`.
#[must_use]
pub fn of_mount(why: Failure) -> Cause {
    match why {
        Failure::INVAL if is_chroot() => Cause::Chroot,
        Failure::ACCESS if is_confined(&profile()) => Cause::AppArmorProfile,
        Failure::NOSPC => Cause::MountLimit,
        _ => of_call(why),
    }
}

/// `profile`: what /proc/self/attr/current holds.
fn refused(why: Failure, profile: &[u8], filtered: bool) -> Cause {
    if text::after(profile, b"unprivileged_userns ").is_some() {
        // What Ubuntu's kernel puts the first process of such a user namespace under.
        Cause::AppArmorUsers
    } else if why == Failure::ACCESS {
        // A filter may answer so too, but a file's mode is likelier.
        Cause::Unknown
    } else if filtered {
        Cause::Filter
    } else if why == Failure::PERM && is_confined(profile) {
        Cause::AppArmorProfile
    } else {
        Cause::Unknown
    }
}

/// Why there is no other process: clone(2).
#[must_use]
pub fn of_fork(why: Failure) -> Cause {
    if why != Failure::AGAIN {
        return of_call(why);
    }
    if is_cgroup_full() {
        return Cause::CgroupsProcesses;
    }
    let mut load = [0u8; 64];
    // "0.20 0.18 0.12 1/80 11206": of the threads, those that run, and all (proc_loadavg(5)).
    let threads = first_of(c"/proc/loadavg", &mut load).split(|byte| matches!(byte, b' ' | b'/')).nth(4);
    match (threads.and_then(text::number), sys::limit_of(raw::RLIMIT_NPROC)) {
        (Some(threads), Ok([limit, _])) if !is_admin() && u64::from(threads) >= limit => Cause::UsersProcesses,
        _ => Cause::Processes,
    }
}

/// Why there is no process in new namespaces.
#[must_use]
pub fn of_namespaces(spec: &Spec<'_>, why: Failure) -> Cause {
    let with_user = spec.unshares(raw::CLONE_NEWUSER);
    match why {
        Failure::NOSPC | Failure::USERS if with_user && reads(USER_LIMIT, b'0') => Cause::UserNamespacesForbidden,
        // A container's root has tried it without.
        Failure::PERM if !with_user && !is_admin() && reads(USER_LIMIT, b'0') => Cause::UserNamespacesForbidden,
        Failure::NOSPC | Failure::USERS => Cause::NamespaceLimit,
        Failure::INVAL if with_user && is_missing(c"/proc/self/ns/user") => Cause::NoUserNamespaces,
        Failure::PERM | Failure::ACCESS | Failure::NOSYS => Facts {
            with_user,
            rootless: spec.ids.rootless,
            has_root: spec.has_root(),
            admin: is_admin(),
            filtered: is_filtered(),
            chroot: is_chroot(),
            switched_off: reads(c"/proc/sys/kernel/unprivileged_userns_clone", b'0'),
            restricted: restricts_users(),
            confined: is_confined(&profile()),
        }
        .cause(why),
        _ => of_fork(why),
    }
}

/// What decides about namespaces.
#[derive(Clone, Copy)]
struct Facts {
    /// A user namespace is one of those that are asked for.
    with_user: bool,
    rootless: bool,
    has_root: bool,
    /// We have CAP_SYS_ADMIN, if only in our own user namespace.
    admin: bool,
    filtered: bool,
    chroot: bool,
    switched_off: bool,
    restricted: bool,
    confined: bool,
}

impl Facts {
    /// What must be the cause goes before what may be.
    fn cause(self, why: Failure) -> Cause {
        match self {
            // create_user_ns in the kernel, current_chrooted.
            Facts { with_user: true, chroot: true, .. } if why == Failure::PERM => Cause::Chroot,
            Facts { with_user: true, switched_off: true, admin: false, .. } if why == Failure::PERM => {
                Cause::NoUnprivilegedUsers
            }
            Facts { filtered: true, .. } if why != Failure::ACCESS => Cause::Filter,
            Facts { with_user: true, restricted: true, admin: false, .. } => Cause::AppArmorUsers,
            Facts { confined: true, .. } => Cause::AppArmorProfile,
            Facts { with_user: false, admin: false, rootless, .. } if why == Failure::PERM => {
                if rootless {
                    Cause::NeedsUserNamespace
                } else {
                    Cause::NeedsAdmin
                }
            }
            Facts { with_user: true, admin: true, has_root: true, rootless: false, .. } => {
                Cause::RootWithoutUserNamespace
            }
            _ if why == Failure::NOSYS => Cause::Unknown,
            _ => Cause::Forbidden,
        }
    }
}

/// Why an id map is not taken (user_namespaces(7)).
#[must_use]
pub fn of_map(why: Failure) -> Cause {
    match why {
        Failure::PERM | Failure::ACCESS if restricts_users() && !is_admin() => Cause::AppArmorUsers,
        Failure::PERM if is_confined(&profile()) => Cause::AppArmorProfile,
        Failure::PERM => Cause::Forbidden,
        _ => of_errno(why),
    }
}

/// Why there is no network namespace.
#[must_use]
pub fn of_network(why: Failure) -> Cause {
    if matches!(why, Failure::NOSPC | Failure::USERS) { Cause::NetworkLimit } else { of_call(why) }
}

/// Why there is no procfs.
#[must_use]
pub fn of_proc(spec: &Spec<'_>, why: Failure) -> Cause {
    if why != Failure::PERM {
        return of_mount(why);
    }
    // What covers a part of it: a file or a directory of another file system, or its own made read-only.
    let covers = |mount: &mountinfo::Line<'_>| text::after(mount.path, b"/proc/").is_some();
    match any_mount(&mut |mount| covers(mount)) {
        _ if is_missing(c"/proc/self") => Cause::NoProc,
        _ if spec.joined(raw::CLONE_NEWPID) && !is_filtered() => Cause::ForeignPids,
        true if spec.has_root() => Cause::MaskedProc,
        true => Cause::MaskedProcInSandbox,
        false => of_mount(why),
    }
}

/// Why there is no sysfs.
#[must_use]
pub fn of_sys(spec: &Spec<'_>, why: Failure) -> Cause {
    let foreign = spec.in_user_namespace() && !spec.unshares(raw::CLONE_NEWNET) && !spec.joined(raw::CLONE_NEWNET);
    if why == Failure::PERM && foreign { Cause::SysNeedsNetwork } else { of_mount(why) }
}

/// Why a namespace that was named can't be joined. `with_user`: its user namespace is, too.
#[must_use]
pub fn of_join(with_user: bool, why: Failure) -> Cause {
    match why {
        Failure::PERM if !with_user && !is_filtered() => Cause::ForeignNamespace,
        Failure::INVAL => Cause::OtherKind,
        _ => of_call(why),
    }
}

/// Why a process can't be looked into.
#[must_use]
pub fn of_look(spec: &Spec<'_>, why: Failure) -> Cause {
    match why {
        Failure::PERM | Failure::ACCESS if spec.ids.rootless => Cause::Hidden,
        Failure::NO_CONTAINER => Cause::NoContainer,
        _ => of_call(why),
    }
}

/// Why there is no terminal in the container.
#[must_use]
pub fn of_terminal(spec: &Spec<'_>, why: Failure) -> Cause {
    match why {
        Failure::NOENT | Failure::ACCESS if spec.mode == Mode::Enter => Cause::NoTerminalsInside,
        Failure::NOENT | Failure::ACCESS => Cause::NoTerminals,
        _ => of_call(why),
    }
}

/// Why an image can't be mounted.
#[must_use]
pub fn of_image(why: Failure) -> Cause {
    match why {
        Failure::NODEV => Cause::NoSuchFileSystem,
        Failure::NOSYS if !is_filtered() => Cause::NoMountDescriptors,
        Failure::PERM if !is_filtered() => Cause::RootOfMachine,
        Failure::ROFS => Cause::DirtyJournal,
        _ => of_call(why),
    }
}

/// Why there is no control of the loop devices.
#[must_use]
pub fn of_loop(why: Failure) -> Cause {
    if matches!(why, Failure::NOENT | Failure::NXIO | Failure::NODEV) { Cause::NoLoopDevices } else { Cause::Unknown }
}

/// Why our own program in /proc can't be looked at.
#[must_use]
pub fn of_own_file(why: Failure) -> Cause {
    if is_missing(c"/proc/self") { Cause::NoProc } else { of_call(why) }
}

/// execvp(3) gives it what has no format of its own.
pub const SH: &CStr = c"/bin/sh";

/// Whether the shell can make anything of a file: it can be read, and is no ELF file.
#[must_use]
pub fn is_script(path: &CStr) -> bool {
    machine(path) == Some(0)
}

/// The machine of an ELF file, `e_machine` (elf(5)); 0 for any other file; `None` for one that can't be read.
fn machine(path: &CStr) -> Option<u16> {
    let mut head = [0u8; 20];
    let file = files::open(HERE, path, OFlags::RDONLY | OFlags::NONBLOCK).ok()?;
    read(file, head.as_mut_slice()).ok()?;
    let machine = match head {
        [0x7f, b'E', b'L', b'F', _, 2, .., high, low] => u16::from_be_bytes([high, low]),
        [0x7f, b'E', b'L', b'F', .., low, high] => u16::from_le_bytes([low, high]),
        _ => return Some(0),
    };
    // One that names none is damaged.
    Some(if machine == 0 { sys::MACHINE } else { machine })
}

/// Why a file was not executed.
#[must_use]
pub fn of_execution(path: &CStr, why: Failure) -> Cause {
    let file = files::open(HERE, path, OFlags::PATH);
    match (why, file) {
        (Failure::NOENT, Ok(_)) => Cause::NoInterpreter,
        (Failure::NOENT, Err(Failure::NOENT)) if files::look(HERE, path).is_ok() => Cause::DanglingLink,
        (Failure::ACCESS, Ok(file)) if files::kind(file) != Ok(raw::S_IFREG) => Cause::NoFile,
        (Failure::ACCESS, Ok(file))
            if fstatvfs(file).is_ok_and(|stat| stat.f_flag.contains(StatVfsMountFlags::NOEXEC)) =>
        {
            Cause::MountedNoexec
        }
        (Failure::ACCESS, Ok(_)) if accessat(HERE, path, Access::EXEC_OK, AtFlags::EACCESS).is_err() => {
            Cause::NoPermission
        }
        (Failure::NOEXEC, _) => match machine(path) {
            Some(0) if files::open(HERE, SH, OFlags::PATH).is_err() => Cause::NoShell,
            Some(0) | None => Cause::Unknown,
            Some(sys::MACHINE) => Cause::Unknown,
            Some(_) => Cause::OtherMachine,
        },
        _ => of_errno(why),
    }
}

/// Why the file of --pid-file can't be made: what is there may be one, or anything else.
#[must_use]
pub fn of_pid_file(path: &CStr, why: Failure) -> Cause {
    let mut content = [0u8; 16];
    let content = if why == Failure::EXIST { first_of(path, &mut content) } else { return Cause::Unknown };
    let line = text::first(content, b'\n');
    if content.is_empty() || text::number(line).is_some() { Cause::PidFile } else { Cause::Unknown }
}

/// Why nothing can be made below the root.
#[must_use]
pub fn of_place(spec: &Spec<'_>, why: Failure) -> Cause {
    match why {
        Failure::ROFS if !spec.has_root() || spec.root.writes == Writes::Forgotten => Cause::Unknown,
        Failure::ROFS if has_overlays() => Cause::Volatile,
        Failure::ROFS => Cause::MissingInReadOnly,
        _ => Cause::Unknown,
    }
}

/// Why a directory that is open can't be bound.
#[must_use]
pub fn of_copy(why: Failure) -> Cause {
    if why == Failure::NOENT && is_missing(c"/proc/self/fd") { Cause::NeedsProc } else { of_mount(why) }
}

/// Why there is no overlay of the root directory.
#[must_use]
pub fn of_overlay(spec: &Spec<'_>, why: Failure) -> Cause {
    match why {
        Failure::NODEV => Cause::NoOverlays,
        Failure::PERM if spec.in_user_namespace() && !has_overlays() => Cause::NoOverlaysForUsers,
        Failure::INVAL if spec.in_user_namespace() && has_mounts_below(spec.root.directory) => Cause::MountsBelow,
        _ => of_call(why),
    }
}

/// Whether anything is mounted below a directory of the caller's.
fn has_mounts_below(directory: &CStr) -> bool {
    let (mut link, mut buffer) = (Text::new(), [0u8; PATH]);
    let Ok(directory) = files::directory(HERE, directory) else { return false };
    link.push(b"/proc/self/fd/").push_number(directory.as_raw_fd().cast_unsigned());
    let Ok(path) = files::read_link(HERE, link.c_str(), &mut buffer) else { return false };
    // But for `/`, what is below begins with a slash.
    let path = text::after(path, b"/").filter(|rest| rest.is_empty()).map_or(path, |_| b"");
    any_mount(&mut |mount| {
        let mut its = Text::new();
        mountinfo::unescape(mount.path, &mut its);
        text::after(its.bytes(), path).is_some_and(|below| below.len() > 1 && below.starts_with(b"/"))
    })
}

/// Whether an overlay can be mounted here, as far as the kernel has them at all, and in a user namespace (Linux 5.11): the one
/// that is tried has no layers, which is EINVAL.
fn has_overlays() -> bool {
    fsopen(c"overlay", FsOpenFlags::FSOPEN_CLOEXEC).is_ok_and(|tried| fsconfig_create(tried) != Err(Errno::PERM))
}

/// Whether a seccomp filter is in force. One that forbids the question is one too.
fn is_filtered() -> bool {
    !matches!(sys::seccomp_mode(), Ok(0) | Err(Failure::INVAL))
}

/// Whether `/` is no mount point.
fn is_chroot() -> bool {
    if let Some(mounted) = sys::is_mount_point(c"/") {
        return !mounted;
    }
    // Before Linux 5.8. The list holds only mounts below our root.
    any_mount(&mut |_| true) && !any_mount(&mut |mount| mount.path == b"/")
}

/// Whether one of the mounts that can be seen is meant.
fn any_mount(meant: &mut dyn FnMut(&mountinfo::Line<'_>) -> bool) -> bool {
    let mut found = false;
    if let Ok(mounts) = files::open(HERE, c"/proc/self/mountinfo", OFlags::RDONLY) {
        // What can't be read tells nothing.
        let _ = mountinfo::each(mounts, &mut |mount| found |= meant(mount));
    }
    found
}

fn is_admin() -> bool {
    /// CAP_SYS_ADMIN.
    const ADMIN: u64 = 1 << 21;
    sys::capget().is_ok_and(|held| held & ADMIN != 0)
}

const USER_LIMIT: &CStr = c"/proc/sys/user/max_user_namespaces";

fn restricts_users() -> bool {
    reads(c"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", b'1')
}

/// What a security module says of us: AppArmor `NAME (MODE)` or `unconfined`, SELinux a context.
fn profile() -> [u8; 128] {
    let mut content = [0u8; 128];
    first_of(c"/proc/self/attr/current", &mut content);
    content
}

/// Whether that is a profile of AppArmor's that forbids anything.
fn is_confined(profile: &[u8]) -> bool {
    let has =
        |mode: &[u8]| (0..profile.len()).any(|at| profile.get(at..).and_then(|rest| text::after(rest, mode)).is_some());
    has(b" (enforce)") || has(b" (kill)") || has(b" (mixed)")
}

/// Whether a cgroup that we are in, or one above it as far as it can be seen, holds as many processes as it may: cgroups(7),
/// pids.max.
fn is_cgroup_full() -> bool {
    let mut list = [0u8; PATH];
    let mut rest = first_of(c"/proc/self/cgroup", &mut list);
    while let Some(line) = text::word(&mut rest, b'\n') {
        let mut fields = line.splitn(3, |byte| *byte == b':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let trees: &[&[u8]] = match controllers {
            b"" => &[b"/sys/fs/cgroup", b"/sys/fs/cgroup/unified"],
            b"pids" => &[b"/sys/fs/cgroup/pids"],
            _ => &[],
        };
        if trees.iter().any(|tree| is_full(tree, path)) {
            return true;
        }
    }
    false
}

fn is_full(tree: &[u8], path: &[u8]) -> bool {
    let mut path = path;
    loop {
        let number = |name: &[u8]| {
            let (mut file, mut content) = (Text::new(), [0u8; 16]);
            file.push(tree).push(path).push(name);
            text::number(text::first(first_of(file.c_str(), &mut content), b'\n'))
        };
        if let (Some(most), Some(current)) = (number(b"/pids.max"), number(b"/pids.current"))
            && current >= most
        {
            return true;
        }
        let Some(slash) = path.iter().rposition(|byte| *byte == b'/') else { return false };
        path = path.get(..slash).unwrap_or_default();
    }
}

/// Whether a file begins with this digit, and holds no other.
fn reads(path: &CStr, digit: u8) -> bool {
    matches!(first_of(path, &mut [0u8; 4]), [first] | [first, b'\n'] if *first == digit)
}

fn is_missing(path: &CStr) -> bool {
    files::look(HERE, path).err() == Some(Failure::NOENT)
}

/// What a file begins with; nothing of one that can't be read.
fn first_of<'b>(path: &CStr, buffer: &'b mut [u8]) -> &'b [u8] {
    let file = files::open(HERE, path, OFlags::RDONLY | OFlags::NONBLOCK);
    let length = file.and_then(|file| read(file, &mut *buffer)).unwrap_or(0);
    buffer.get(..length as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A user who may make user namespaces, and root.
    const USER: Facts = Facts {
        with_user: true,
        rootless: true,
        has_root: true,
        admin: false,
        filtered: false,
        chroot: false,
        switched_off: false,
        restricted: false,
        confined: false,
    };
    const ROOT: Facts = Facts { rootless: false, admin: true, ..USER };

    #[test]
    fn why_there_are_no_namespaces() {
        use Failure as F;
        let rows = [
            (USER, F::PERM, Cause::Forbidden),
            (USER, F::ACCESS, Cause::Forbidden),
            (Facts { filtered: true, ..USER }, F::PERM, Cause::Filter),
            (Facts { filtered: true, ..USER }, F::NOSYS, Cause::Filter),
            // No filter that is known answers so.
            (Facts { filtered: true, ..USER }, F::ACCESS, Cause::Forbidden),
            (Facts { chroot: true, ..USER }, F::PERM, Cause::Chroot),
            (Facts { chroot: true, filtered: true, ..ROOT }, F::PERM, Cause::Chroot),
            (Facts { chroot: true, with_user: false, ..USER }, F::PERM, Cause::NeedsUserNamespace),
            (Facts { switched_off: true, ..USER }, F::PERM, Cause::NoUnprivilegedUsers),
            (Facts { switched_off: true, ..ROOT }, F::PERM, Cause::RootWithoutUserNamespace),
            (Facts { restricted: true, ..USER }, F::ACCESS, Cause::AppArmorUsers),
            (Facts { restricted: true, ..ROOT }, F::ACCESS, Cause::RootWithoutUserNamespace),
            (Facts { confined: true, ..ROOT }, F::ACCESS, Cause::AppArmorProfile),
            (ROOT, F::PERM, Cause::RootWithoutUserNamespace),
            // The circle: neither advice helps where a filter is in force.
            (Facts { filtered: true, ..ROOT }, F::PERM, Cause::Filter),
            (Facts { filtered: true, with_user: false, admin: false, ..ROOT }, F::PERM, Cause::Filter),
            (Facts { with_user: false, admin: false, ..ROOT }, F::PERM, Cause::NeedsAdmin),
            (Facts { has_root: false, ..ROOT }, F::PERM, Cause::Forbidden),
            (USER, F::NOSYS, Cause::Unknown),
        ];
        for (index, (facts, why, cause)) in rows.into_iter().enumerate() {
            assert_eq!(facts.cause(why), cause, "row {index}");
        }
    }

    /// AppArmor's /proc/self/attr/current, SELinux's, and none.
    #[test]
    fn why_a_call_is_refused() {
        use Failure as F;
        const UBUNTU: &[u8] = b"unprivileged_userns (enforce)\n";
        const DOCKER: &[u8] = b"docker-default (enforce)\n";
        let rows = [
            (UBUNTU, false, F::PERM, Cause::AppArmorUsers),
            (UBUNTU, false, F::ACCESS, Cause::AppArmorUsers),
            (DOCKER, false, F::PERM, Cause::AppArmorProfile),
            (DOCKER, true, F::PERM, Cause::Filter),
            (DOCKER, false, F::ACCESS, Cause::Unknown),
            (b"unconfined\n", false, F::PERM, Cause::Unknown),
            (b"firefox (complain)\n", false, F::PERM, Cause::Unknown),
            (b"firefox (unconfined)\n", false, F::PERM, Cause::Unknown),
            (b"unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023\0", false, F::PERM, Cause::Unknown),
            (b"", true, F::NOSYS, Cause::Filter),
            (b"", true, F::ACCESS, Cause::Unknown),
            (b"", false, F::NOSYS, Cause::Unknown),
        ];
        for (index, (profile, filtered, why, cause)) in rows.into_iter().enumerate() {
            assert_eq!(refused(why, profile, filtered), cause, "row {index}");
        }
        assert!(is_confined(DOCKER) && is_confined(UBUNTU) && !is_confined(b"unconfined\n"));
    }

    #[test]
    fn every_cause_has_its_hint() {
        for (index, (cause, hint)) in HINTS.into_iter().enumerate() {
            assert_eq!((cause as usize, hint.is_empty()), (index, index == 0));
        }
        assert_eq!(HINTS.len(), Cause::LinkToNothing as usize + 1);
    }

    #[test]
    fn what_an_errno_always_means() {
        assert_eq!(of_errno(Failure::MFILE), Cause::FewDescriptors);
        assert_eq!(of_errno(Failure::NFILE), Cause::FewFiles);
        assert_eq!(of_errno(Failure::PERM), Cause::Unknown);
    }
}
