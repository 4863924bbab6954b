//! Hints: why the kernel refuses something here, and what to do. The cause is looked for when a failure is reported, and never
//! before. If no cause is known, there is no hint.
//! A new hint is a row of `causes!` below, and a line in the `of_` function of the calls that fail for it.

#[cfg(feature = "cgroup")]
mod cgroups;
mod execution;
mod facts;
mod files;
#[cfg(feature = "limits")]
mod limits;
mod mounts;
mod namespaces;
#[cfg(feature = "net")]
mod network;

#[cfg(feature = "cgroup")]
pub use cgroups::{of_cgroup, of_controller, of_delegation, of_old_cgroup, of_running, of_setting};
pub use execution::{of_execution, of_first_word};
pub use files::{of_loop, of_own_file, of_pid_file, of_reopened, of_terminal};
#[cfg(feature = "limits")]
pub use limits::{of_limit, of_sysctl};
#[cfg(feature = "boot")]
pub use mounts::of_machines_place;
pub use mounts::{of_copy, of_devpts, of_idmap, of_image, of_mount, of_overlay, of_place, of_proc, of_sys};
#[cfg(feature = "probe")]
pub use namespaces::of_nested_users;
pub use namespaces::{
    of_fork, of_join, of_keyring, of_look, of_map, of_map_helper, of_namespaces, of_network, of_own_id,
};
#[cfg(feature = "net")]
pub use network::{of_address, of_bridge, of_link, of_new_link, of_pasta, of_route};

use crate::say;
use crate::sys::Failure;
use crate::text::{self, Say};
use facts::{is_confined, is_filtered, own_profile};

/// Why a call failed, and the hint for it: one table.
macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident $hint:expr;)*) => {
        /// Why a call failed.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Cause {
            /// Not known: there is no hint.
            Unknown,
            $($(#[$doc])* $name,)*
        }

        /// In the order of the causes.
        static HINTS: &[Say] = &[Say::NOTHING, $($hint,)*];

        $(const _: () = assert!(!$hint.is_empty(), "a cause without a hint");)*
    };
}

causes! {
    /// EMFILE (open(2)).
    FewDescriptors say!("the limit on open files is reached: see ulimit -n");
    /// ENFILE (open(2)).
    FewFiles say!("the machine's limit on open files is reached: see fs.file-max");
    /// EAGAIN of clone(2): RLIMIT_NPROC.
    UsersProcesses say!("the user's limit on processes is reached: see ulimit -u");
    /// EAGAIN of clone(2): pids.max of the cgroup.
    CgroupsProcesses say!("the cgroup's limit on processes is reached: see pids.max");
    /// EAGAIN of clone(2): RLIMIT_NPROC or pids.max, and it is unknown which.
    Processes say!("a limit on processes is reached: see ulimit -u, and pids.max of the cgroups above");
    /// nsinit was started under a seccomp filter.
    Filter say!("nsinit was started under a seccomp filter, which may forbid this");
    /// The same for namespaces, which Docker's default profile forbids.
    NamespaceFilter say!("nsinit was started under a seccomp filter, which may forbid this; docker's does without --security-opt seccomp=unconfined");
    /// `/` is not a mount point.
    Chroot say!("the kernel forbids this in a chroot: / is not a mount point");
    /// Ubuntu: a user namespace of an ordinary user comes without capabilities.
    AppArmorUsers say!("AppArmor restricts user namespaces: see kernel.apparmor_restrict_unprivileged_userns");
    /// nsinit runs under a profile of AppArmor.
    AppArmorProfile say!("nsinit runs under an AppArmor profile, which may forbid this: see /proc/self/attr/current");
    /// Debian's sysctl is 0.
    NoUnprivilegedUsers say!("only root may create user namespaces here: kernel.unprivileged_userns_clone is 0");
    /// The kernel is built without user namespaces.
    NoUserNamespaces say!("the kernel has no user namespaces");
    /// The kernel is built without another kind of namespaces.
    NoSuchNamespaces say!("the kernel has only the namespaces in /proc/self/ns: share the others, as with --share-net");
    /// The kernel is built without pseudo-terminals.
    NoPtys say!("the kernel has no ptys: use --share-terminal");
    /// user.max_user_namespaces is 0.
    UserNamespacesForbidden say!("user.max_user_namespaces is 0; if this is a container of nsinit, start it with --allow-nesting");
    /// ENOSPC of clone(2) and unshare(2) (namespaces(7)).
    NamespaceLimit say!("a limit on namespaces is reached: see /proc/sys/user");
    /// ENOSPC of unshare(2): the limit on network namespaces.
    NetworkLimit say!("a limit on namespaces is reached: see user.max_net_namespaces");
    /// An ordinary user asks for namespaces without a user namespace.
    NeedsUserNamespace say!("without a user namespace, as with --share-user, this needs root");
    /// Root without CAP_SYS_ADMIN asks for namespaces without a user namespace.
    NeedsAdmin say!("this needs CAP_SYS_ADMIN, or a user namespace: use --unshare-user");
    /// Root may make every kind of namespace except a user namespace.
    RootWithoutUserNamespace say!("use --share-user to do without a user namespace");
    /// The kernel or one of its security modules refuses, and no more is known.
    Forbidden say!("the kernel or a security module forbids it");
    /// A procfs may be mounted only if it shows no more than the one that is mounted (mount_too_revealing in the kernel).
    MaskedProc say!("the /proc outside is masked, as in a container: use --share-pid or --no-proc");
    /// As `MaskedProc`, where the limits on namespaces cannot be written either: the next step would fail.
    MaskedProcAndSettings say!("the /proc outside is masked, as in a container: use --allow-nesting, and --share-pid or --no-proc");
    /// As `MaskedProc`, in a sandbox.
    MaskedProcInSandbox say!("the /proc outside is masked, as in a container: use --ro-bind /proc /proc, or no --unshare-pid");
    /// No procfs is mounted outside.
    NoProc say!("no /proc is mounted outside");
    /// Only the owner of a pid namespace may mount its procfs.
    ForeignPids say!("it belongs to another user namespace: join that too with --join-user, or use --share-user");
    /// EPERM of setns(2).
    ForeignNamespace say!("it belongs to another user namespace: join that too with --join-user");
    /// EINVAL of setns(2).
    OtherKind say!("it is not a namespace of that kind, or nsinit is in it already");
    /// ptrace(2), "Ptrace access mode checking".
    Hidden say!("it belongs to another user, or only root may inspect it");
    /// The process of `--enter` is in the namespaces that nsinit is in.
    NoContainer say!("a launcher is outside of its container: name its child instead");
    /// ENOMEM of fork(2): process 1 of the pid namespace has ended.
    Ended say!("process 1 of the container has ended");
    /// There is no working /dev/ptmx in a new container.
    NoTerminals say!("the container has no working /dev/ptmx: use --dev /dev");
    /// There is no working /dev/ptmx in the container that is entered.
    NoTerminalsInside say!("the container has no working /dev/ptmx");
    /// EPERM of mount(2), of a file system on a block device.
    RootOfMachine say!("only root of the machine may do this");
    /// ENODEV of mount(2).
    NoSuchFileSystem say!("the kernel does not know this file system: is its module missing?");
    /// ENOSYS of fsopen(2).
    NoMountDescriptors say!("this needs Linux 5.2");
    /// EROFS of mount(2): ext4 does not replay a journal on a read-only device.
    DirtyJournal say!("the file system was not unmounted: its journal must be replayed first");
    /// EUCLEAN, EBADMSG of mount(2): EFSCORRUPTED and EFSBADCRC of the kernel's file systems.
    Damaged say!("the file system is damaged: repair it with fsck");
    /// There is no /dev/loop-control, or the kernel has no driver for it.
    NoLoopDevices say!("a file is mounted by a loop device: is the module missing?");
    /// ENOENT of execve(2), though the file exists.
    NoInterpreter say!("the file exists; its interpreter or dynamic loader does not");
    /// ENOENT of execve(2): the path is a symbolic link, and its target does not exist.
    DanglingLink say!("it is a dangling symbolic link");
    /// ENOENT of execve(2): no option binds a file, so the root has no CMD.
    EmptyRoot say!("the root is empty because no option binds anything; to run without a container, use --init");
    /// ENOENT, EACCES of execve(2), without a container: docker and unshare(1) have other command lines.
    RootMeant say!("it is a directory: did you mean --root DIR?");
    NoSubcommands say!("nsinit has no subcommands: see --root DIR, --enter and --stop TARGET");
    /// EACCES of execve(2): the path is a directory or a device.
    NoFile say!("it is not a regular file");
    /// EACCES of execve(2): the mount is noexec.
    MountedNoexec say!("it is on a file system that is mounted noexec");
    /// EACCES of execve(2): the mode of the file.
    NoPermission say!("this user has no permission to execute it: see chmod(1)");
    /// ENOEXEC of execve(2): an ELF file of another architecture.
    OtherMachine say!("it is a program for another architecture");
    /// ENOEXEC of execve(2): the file is not an ELF file, and there is no shell to read it.
    NoShell say!("it has no #! line, and there is no /bin/sh to run it");
    /// EACCES of execve(2), where Landlock restricts files and nothing else is known to forbid it.
    LandlockForbids say!("Landlock may forbid it: CMD, its interpreter and its libraries need --landlock-exec or --landlock-ro");
    /// EPERM of setrlimit(2).
    HardLimit say!("only root of the machine may raise a hard limit, and nofile up to fs.nr_open: see ulimit -H");
    /// EACCES of setpriority(2), and of /proc/self/oom_score_adj.
    RootRaises say!("only root of the machine may set a lower number than nsinit has");
    /// EPERM of prctl(2), PR_SET_SECUREBITS.
    NeedsSetpcap say!("this needs CAP_SETPCAP, and flags that the kernel knows and that are not locked");
    /// EPERM of prctl(2), PR_CAPBSET_DROP.
    NeedsSetpcapToDrop say!("without a container, --cap-drop needs CAP_SETPCAP");
    /// EPERM, because a capability cannot be made ambient.
    NotHeld say!("without a container, nsinit needs each capability of --cap-add itself");
    /// ENOSYS of mount_setattr(2), where the staging place cannot be used.
    BindInPlace say!("without a container, this needs Linux 5.12");
    /// EINVAL of sched_setaffinity(2).
    NoSuchProcessor say!("none of these processors is online and in the cpuset of nsinit");
    /// EINVAL of prctl(2), PR_SET_MDWE.
    NoMdwe say!("this needs Linux 6.3");
    /// ENOENT in /proc/sys.
    NoSuchSetting say!("the kernel has no such setting in this namespace: is a module missing?");
    /// EROFS in /proc/sys.
    ReadOnlySettings say!("/proc/sys is read-only here, as in a container");
    /// EACCES in /proc/sys, for the parameters of an IPC namespace.
    RootSets say!("only user 0 may change it (use --uid 0), and in a user namespace only since Linux 5.19");
    /// EINVAL of fsconfig(2): procfs does not know subset=pid.
    NoProcSubset say!("--proc-subset needs Linux 5.8");
    /// The file in the place of --pid-file has the number of a process that runs.
    PidFile say!("the process that it names runs");
    /// A sysfs shows a network namespace, and only the user namespace that owns that one may mount it.
    SysNeedsNetwork say!("this needs a new network namespace");
    /// EROFS: the mount point is missing in a root that is read-only.
    MissingInReadOnly say!("it does not exist and the root is read-only: create it first");
    /// As `MissingInReadOnly`, where an overlay can be mounted.
    Volatile say!("it does not exist and the root is read-only: create it first, or use --volatile");
    /// mount(2) by path needs /proc/self/fd.
    NeedsProc say!("before Linux 5.12 this needs a mounted /proc");
    /// ENODEV of mount(2), of an overlay.
    NoOverlays say!("the kernel has no overlayfs");
    /// EPERM of mount(2), of an overlay in a user namespace.
    NoOverlaysForUsers say!("overlays in a user namespace need Linux 5.11");
    /// EINVAL of mount(2): a mount below the layer would be uncovered.
    MountsBelow say!("something is mounted below it, which overlayfs does not support in a user namespace");
    /// ENOSPC of a new mount (count_mounts in the kernel).
    MountLimit say!("the limit on mounts is reached: see fs.mount-max");
    /// mount_namespaces(7): an attribute that was set in another user namespace cannot be cleared.
    LockedNoexec say!("the host's mount there is noexec, which --exec cannot undo in a user namespace");
    /// ENOSPC: there is space, but no free inode.
    NoInodes say!("the file system has no free inodes: see df -i");
    /// A symbolic link on the path to a new file.
    LinkToNothing say!("a symbolic link on the path is dangling: create its target with --dir");
    /// EDQUOT of keyctl(2).
    KeyQuota say!("the user's limit on keys is reached: see kernel.keys.maxkeys, or use --keep-keyring");
    /// Any errno of prctl(2), PR_SET_SECCOMP.
    NoFilter say!("--seccomp-profile none runs CMD without it");
    /// Any other errno of keyctl(2).
    NoKeyring say!("use --keep-keyring to share the caller's");
    /// ENXIO of open(2) on a terminal: it was opened as /dev/tty, which is the controlling terminal of the process that opens it.
    OpenedAsTty say!("open it by the name that tty(1) prints, not as /dev/tty; or use --share-terminal");
    /// Any other errno of open(2) when standard input, output or error is opened again.
    NotReopened say!("it is opened again, through a read-only mount: the caller needs permission to open it");
    /// EINVAL of setresuid(2), setresgid(2) and setgroups(2).
    NotMapped say!("it is not mapped in the user namespace");
    /// ENOSYS, EINVAL: the kernel does not know the call or one of its flags.
    OldKernel say!("this kernel is too old for it, or was built without it");
    /// EOPNOTSUPP of landlock_create_ruleset(2).
    LandlockOff say!("it is disabled: see lsm= on the kernel's command line");
    /// EINVAL of prctl(2), PR_SET_SECCOMP.
    NoFilters say!("the kernel has no CONFIG_SECCOMP_FILTER");
    /// EINVAL of prctl(2), PR_SET_MM.
    NoCheckpoints say!("the kernel has no CONFIG_CHECKPOINT_RESTORE; nsinit executes a copy of itself instead");
    /// No cgroup2 is mounted.
    NoCgroups say!("no cgroup2 is mounted at /sys/fs/cgroup");
    /// The same, where the caller is in cgroups of version 1.
    OnlyVersion1 say!("no cgroup2 is mounted at /sys/fs/cgroup; --cgroup1 joins cgroups of version 1");
    /// The list in cgroup.controllers is empty.
    NoControllers say!("they are in cgroups of version 1, or not in cgroup.subtree_control of the cgroup above");
    /// EACCES of mkdir(2) in a cgroup.
    NotDelegated say!("the cgroup belongs to another user: use systemd-run --user --scope -p Delegate=yes");
    /// ENOENT, with --cgroup.
    NoSuchCgroup say!("there is no such cgroup of version 2: create it first");
    /// EAGAIN of mkdir(2) in a cgroup.
    CgroupLimit say!("a limit on cgroups is reached: see cgroup.max.descendants and cgroup.max.depth of those above");
    /// EROFS of mkdir(2) in a cgroup.
    ReadOnlyCgroups say!("the cgroups are read-only here, as in a container");
    /// EBUSY of a write to cgroup.subtree_control (cgroups(7), "no internal processes").
    InternalProcesses say!("it has other processes: start nsinit alone in a cgroup, with systemd-run --scope -p Delegate=yes");
    /// The list in cgroup.controllers lacks it.
    ControllerInVersion1 say!("it is in version 1 on this machine, and limits need version 2; --cgroup1 joins a cgroup of version 1");
    /// EPERM of chown(2).
    NotOwnRoot say!("root of the container is another user outside: map id 0 to your own, as --map-auto does");
    /// ENOENT, with --cgroup1.
    NoSuchOldCgroup say!("there is no such cgroup of version 1: create it first");
    /// EACCES of open(2) or write(2) of its cgroup.procs.
    OthersOldCgroup say!("the cgroup belongs to another user: make its cgroup.procs writable");
    /// ENOSPC of a write to the cgroup.procs of a cpuset.
    EmptyCpuset say!("its cpuset.cpus and cpuset.mems must be set first");
    /// As `ControllerInVersion1`, but no hierarchy has it.
    NoController say!("the kernel has none, or it is not in cgroup.subtree_control of the cgroups above");
    /// ENOENT of a file of a cgroup, whose controller is enabled.
    NoSuchLimit say!("the kernel has no such file in cgroups");
    /// EINVAL and ERANGE of a write to a file of a cgroup.
    NoSuchValue say!("the kernel does not accept this value");
    /// ENODEV of a write to io.max.
    NoWholeDisk say!("there is no such block device, or it is a partition: only whole disks have limits");
    /// A container shares its cgroup.
    NoOwnCgroup say!("it gets one if it is started with --stats, or with a limit such as --pids max");
    /// EPERM of rtnetlink(7).
    NeedsNetAdmin say!("this needs CAP_NET_ADMIN in the network that nsinit was started in");
    /// EEXIST of a new interface.
    NameInUse say!("another interface has this name, or the name inside");
    /// EINVAL: NETIF_F_NETNS_LOCAL of the kernel.
    FixedDevice say!("this device cannot leave its network namespace");
    /// EOPNOTSUPP of a new interface.
    NoSuchLinks say!("the kernel has no interfaces of this kind: is a module missing?");
    /// EBUSY of a new macvlan or ipvlan (netdev_rx_handler_register in the kernel).
    BusyParent say!("a device is the parent of one kind only, and not in a bridge");
    /// EOPNOTSUPP of IFLA_MASTER.
    NoBridge say!("it is not a bridge");
    /// EEXIST of an address or a route.
    TwiceOnLink say!("the container has it already");
    /// EACCES, EOPNOTSUPP of an address of IPv6.
    NoIpv6 say!("IPv6 is disabled: see net.ipv6.conf.all.disable_ipv6");
    /// ENETUNREACH, EHOSTUNREACH of a route.
    FarGateway say!("no network of the container has this gateway");
    /// ENOENT of execve(2).
    NoPasta say!("Debian's package passt has it");
    /// EPERM of a write to an id map, as root.
    OutsideNotMapped say!("an id outside is not mapped in nsinit's own user namespace: see /proc/self/uid_map and gid_map");
    /// ENOENT of execve(2).
    NoMapHelper say!("Debian's package uidmap has it");
    /// The helper has no rights.
    HelperWithoutPrivileges say!("nsinit was started with no_new_privs, so set-id programs have no effect");
    /// The helper has failed for another reason.
    HelperFailed say!("see its own message");
    /// EACCES of open_tree(2) after root has become a user of an id map.
    NotRootOutside say!("the container's root is not root outside: use --idmap, or see chmod(1)");
    /// ENOSYS of mount_setattr(2).
    NoIdmaps say!("this needs Linux 5.12");
    /// EINVAL of mount_setattr(2), MOUNT_ATTR_IDMAP.
    Unmappable say!("this file system does not support it; ext4, xfs and btrfs do, and tmpfs from Linux 6.3 on");
    /// The same, because of a mount below.
    UnmappableBelow say!("a file system that is mounted below it does not support it");
    /// /proc/sys/user cannot be written.
    LimitsAreFixed say!("the limits in /proc/sys/user cannot be written here: use --allow-nesting to leave them");
}

impl Cause {
    /// The hint; empty if the cause is unknown.
    #[must_use]
    #[inline(never)]
    pub fn hint(self) -> Say {
        HINTS.get(self as usize).copied().unwrap_or(Say::NOTHING)
    }
}

/// The cause that follows from the errno alone.
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

/// Why a system call was refused, if no mode of a file can be the reason.
#[must_use]
pub fn of_call(why: Failure) -> Cause {
    match why {
        Failure::PERM | Failure::NOSYS | Failure::ACCESS => refused(why, &own_profile(), is_filtered()),
        _ => of_errno(why),
    }
}

/// Why a feature of the kernel is missing.
#[cfg(feature = "probe")]
#[must_use]
pub fn of_feature(why: Failure) -> Cause {
    match of_call(why) {
        Cause::Unknown if matches!(why, Failure::NOSYS | Failure::INVAL) => Cause::OldKernel,
        cause => cause,
    }
}

/// `profile`: the content of /proc/self/attr/current.
fn refused(why: Failure, profile: &[u8], filtered: bool) -> Cause {
    if text::after(profile, b"unprivileged_userns ").is_some() {
        // Ubuntu's kernel puts the first process of such a user namespace under this profile.
        Cause::AppArmorUsers
    } else if why == Failure::ACCESS {
        // A filter may answer EACCES too, but the mode of a file is the more likely reason.
        Cause::Unknown
    } else if filtered {
        Cause::Filter
    } else if why == Failure::PERM && is_confined(profile) {
        Cause::AppArmorProfile
    } else {
        Cause::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The content of /proc/self/attr/current: AppArmor's, SELinux's, and none.
    #[test]
    fn cause_of_a_refused_call_follows_from_profile_and_filter() {
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
    fn no_cause_has_no_hint() {
        assert!(Cause::Unknown.hint().is_empty());
        assert!(Cause::LimitsAreFixed.hint() == HINTS[HINTS.len() - 1]);
    }

    #[test]
    fn limits_on_open_files_have_their_cause() {
        assert_eq!(of_errno(Failure::MFILE), Cause::FewDescriptors);
        assert_eq!(of_errno(Failure::NFILE), Cause::FewFiles);
        assert_eq!(of_errno(Failure::PERM), Cause::Unknown);
    }
}
