//! Each step of a launch fails, one at a time: a table with a row for each system call that can fail, the message, and
//! the status. `failing_calls` makes every system call fail.

use super::harness::container::{Container, Maker, enter};
use super::harness::{Deny, Launch, Root, Who, roots, skip, who};

use libc::{EAGAIN, EIO, EMFILE, ENOSPC, EPERM};

// ---- each step

struct Row {
    /// The step as `--explain` prints it; DIR stands for the path of the root.
    step: &'static str,
    deny: Deny,
    options: &'static [&'static str],
    /// The message after `nsinit: `; DIR as above.
    line: &'static str,
    by: By,
}

/// The users whose launches have the step.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Both,
    Root,
    User,
}
use By::{Both, User};

const fn row(step: &'static str, deny: Deny, options: &'static [&'static str], line: &'static str, by: By) -> Row {
    Row { step, deny, options, line, by }
}

/// The call fails if its first argument is this.
const fn first(call: i64, argument: i32) -> Deny {
    Deny::when(call, 0, ALL, argument as u64, EIO)
}

/// mount(2) with exactly these flags fails.
const fn mount(flags: libc::c_ulong) -> Deny {
    Deny::when(libc::SYS_mount, 3, ALL, flags, EIO)
}

/// fsmount(2) with exactly these attributes fails.
const fn fsmount(attributes: u64) -> Deny {
    Deny::when(libc::SYS_fsmount, 2, ALL, attributes, EIO)
}

/// read(2) or write(2) of exactly this many bytes fails.
const fn bytes(call: i64, count: u64) -> Deny {
    Deny::when(call, 2, ALL, count, EIO)
}

const fn all(call: i64) -> Deny {
    Deny::all(call, EIO)
}

const ALL: u64 = u64::MAX;
/// Every cgroup has this file.
const CGROUP: &[&str] = &["--cgroup-set", "cgroup.max.depth=1234567"];
/// Some C libraries add this flag.
const O_LARGEFILE: u64 = 0o100_000;
/// `nosuid,nodev` of mount_setattr(2).
const NOSUID_NODEV: u64 = 2 | 4;
/// The flags with which a standard descriptor is reopened for reading.
const REOPEN: Deny = Deny::when(
    libc::SYS_openat,
    2,
    !O_LARGEFILE,
    (libc::O_RDONLY | libc::O_NOCTTY | libc::O_NONBLOCK | libc::O_CLOEXEC) as u64,
    EIO,
);
const DATA: libc::c_ulong = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
const REMOUNT_READ_ONLY: libc::c_ulong = libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY | DATA;
/// The flags with which the command is cloned: CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD.
const CMD_FORK: u64 = 0x20_0111;
/// prctl(2) of Linux 6.3.
const PR_SET_MDWE: i32 = 65;
/// The flags of the process that makes a user namespace for mounts: CLONE_NEWUSER | SIGCHLD.
const USERS_FORK: u64 = 0x1000_0011;
/// A map, for root.
const RANGES: &[&str] = &["--map-uid", "0:0:65536", "--map-gid", "0:0:65536"];
/// The same for the mounts too.
const MAPPED: &[&str] = &["--idmap", "--map-uid", "0:0:65536", "--map-gid", "0:0:65536"];
/// Options for which process 1 needs the staging tmpfs.
const STAGED: &[&str] = &["--tmpfs", "/tmp"];

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // The launcher. kill(2) with pid -1 signals all processes: an error of getpid(2) must not be used as a pid.
    row("", all(libc::SYS_getpid), &[], "read nsinit's process id: Input/output error", Both),
    row("", all(libc::SYS_memfd_create), &[], "seal a copy of /proc/self/exe: Input/output error", By::Root),
    row("stop ignoring SIGCHLD", first(libc::SYS_rt_sigaction, libc::SIGCHLD), &[], "stop ignoring SIGCHLD: Input/output error", Both),
    row("block all signals", first(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK), &[], "block all signals: Input/output error", Both),
    row("refuse a directory as a standard descriptor", all(libc::SYS_fstat), &[], "use standard input: Input/output error", Both),
    row("forbid core files", all(libc::SYS_prlimit64), &[], "forbid core files: Input/output error", Both),
    row("join a new session keyring", all(libc::SYS_keyctl), &[], "join a new session keyring: Input/output error (use --keep-keyring to share the caller's)", Both),
    row("die with the caller", first(libc::SYS_prctl, libc::PR_SET_PDEATHSIG), &["--die-with-parent"], "die with the caller: Input/output error", Both),
    row("leave an initramfs", all(libc::SYS_statfs), &[], "leave an initramfs: Input/output error", Both),
    row("make pipes", Deny::all(libc::SYS_pipe2, EMFILE), &[], "make pipes: Too many open files (the limit on open files is reached: see ulimit -n)", Both),
    row("open /proc", all(libc::SYS_readlinkat), &[], "open /proc: Operation not permitted (nsinit was started under a seccomp filter, which may forbid this)", User),
    row("write setgroups", bytes(libc::SYS_write, 4), &[], "write setgroups: Input/output error", User),
    row("write uid_map", bytes(libc::SYS_write, 15), &[], "write uid_map: Input/output error", By::Root),
    row("make a user namespace for the mounts of --idmap", Deny::when(libc::SYS_clone, 0, ALL, USERS_FORK, EIO), MAPPED, "make a user namespace: Input/output error", By::Root),
    row("make a user namespace for the mounts of --idmap", bytes(libc::SYS_write, 10), MAPPED, "make a user namespace for the mounts of --idmap: Input/output error", By::Root),
    row("show through the id map DIR", all(libc::SYS_open_tree), MAPPED, "show through the id map DIR: Input/output error", By::Root),
    row("show through the id map DIR", all(libc::SYS_mount_setattr), MAPPED, "show through the id map DIR: Input/output error", By::Root),
    row("write uid_map", bytes(libc::SYS_write, 10), RANGES, "write uid_map: Input/output error", By::Root),
    row("become a user of the id map", all(libc::SYS_setresgid), RANGES, "become a user of the id map: Input/output error", By::Root),
    row("become a user of the id map", all(libc::SYS_setresuid), RANGES, "become a user of the id map: Input/output error", By::Root),
    row("open the network of process 1", first(libc::SYS_socket, libc::AF_NETLINK), &["--net", "veth:nsinit-fault"],
        "open the network of process 1: Input/output error", By::Root),
    row("let process 1 go on", bytes(libc::SYS_write, 1), &[], "let process 1 go on: Input/output error", Both),
    // Process 1.
    row("die with the launcher", first(libc::SYS_prctl, libc::PR_SET_PDEATHSIG), &[], "die with the launcher: Input/output error", Both),
    row("leave the caller's process group", all(libc::SYS_setpgid), &[], "leave the caller's process group: Input/output error", Both),
    row("clear the umask", first(libc::SYS_umask, 0), &[], "clear the umask: Input/output error", Both),
    row("wait for the launcher", bytes(libc::SYS_read, 1), &[], "wait for the launcher: Input/output error", Both),
    row("become untraceable", first(libc::SYS_prctl, libc::PR_SET_DUMPABLE), &[], "become untraceable: Input/output error", Both),
    row("raise limits for CMD", first(libc::SYS_getpriority, libc::PRIO_PROCESS as i32), &["--nice", "5"], "set --nice 5: Input/output error", Both),
    row("set --sysctl", bytes(libc::SYS_write, 4), &["--share-user", "--sysctl", "net.ipv4.ping_group_range=0 10"],
        "set --sysctl net.ipv4.ping_group_range=0 10: Input/output error", By::Root),
    row("make a network namespace", Deny::when(libc::SYS_unshare, 0, ALL, libc::CLONE_NEWNET as u64, EIO), &[], "make a network namespace: Input/output error", Both),
    row("make a network namespace", Deny::when(libc::SYS_unshare, 0, ALL, libc::CLONE_NEWNET as u64, ENOSPC), &[],
        "make a network namespace: No space left on device (a limit on namespaces is reached: see user.max_net_namespaces)", Both),
    row("set host name x", all(libc::SYS_sethostname), &["--hostname", "x"], "set host name x: Input/output error", Both),
    row("make every mount below / a slave", mount(libc::MS_REC | libc::MS_SLAVE), &[], "make every mount below / a slave: Input/output error", Both),
    row("mount root DIR", all(libc::SYS_open_tree), &[], "bind mount DIR: Input/output error", Both),
    row("mount root DIR", all(libc::SYS_move_mount), &[], "mount root DIR: Input/output error", Both),
    row("mount root DIR", mount(libc::MS_NODEV), &["--volatile", "--allow-new-privs"],
        "mount an overlay on DIR: Input/output error", Both),
    row("fill /dev", all(libc::SYS_fsopen), &[], "mount tmpfs on /dev: Input/output error", Both),
    row("fill /dev", all(libc::SYS_fsmount), &[], "mount tmpfs on /dev: Input/output error", Both),
    row("mount proc on /proc", mount(REMOUNT_READ_ONLY), &[], "make read-only bus: Input/output error", Both),
    row("fill /dev", fsmount(NOSUID_NODEV), &[], "mount tmpfs on /dev: Input/output error", Both),
    row("mount proc on /proc", mount(libc::MS_BIND), &[], "mask keys: Input/output error", Both),
    row("open the caller's devices", Deny::when(libc::SYS_openat, 2, !O_LARGEFILE, (libc::O_PATH | libc::O_CLOEXEC) as u64, EIO), &[],
        "open /dev/null: Input/output error", Both),
    row("fill /dev", Deny::when(libc::SYS_mknodat, 2, ALL, (libc::S_IFREG | 0o666) as u64, EIO), &[], "make /dev's null: Input/output error", Both),
    row("fill /dev", all(libc::SYS_symlinkat), &[], "make /dev's fd: Input/output error", Both),
    row("fill /dev", Deny::when(libc::SYS_mkdirat, 2, ALL, 0o755, EIO), &[], "make /dev's shm: Input/output error", Both),
    row("fill /dev", mount(libc::MS_NOSUID | libc::MS_NOEXEC), &[], "mount devpts on /dev's pts: Input/output error", Both),
    row("fill /dev", Deny::when(libc::SYS_mount_setattr, 2, ALL, libc::AT_EMPTY_PATH as u64, EIO), &[], "make /dev's null: Input/output error", Both),
    row("fill /dev", REOPEN, &[], "reopen standard input: Input/output error (it is opened again, through a read-only mount: the caller needs permission to open it)", Both),
    row("fill /dev", mount(DATA), &[], "mount mqueue on /dev's mqueue: Input/output error", Both),
    row("enter root DIR", all(libc::SYS_pivot_root), &[], "enter root DIR: Input/output error", Both),
    row("mount a tmpfs for staging mounts", all(libc::SYS_pivot_root), STAGED, "mount a tmpfs for staging mounts: Input/output error", Both),
    row("mount a tmpfs for staging mounts", all(libc::SYS_chroot), STAGED, "mount a tmpfs for staging mounts: Input/output error", Both),
    row("detach the caller's root", all(libc::SYS_umount2), &[], "detach the caller's root: Input/output error", Both),
    row("enter directory /", all(libc::SYS_chdir), &[], "enter directory /: Input/output error", Both),
    row("start CMD", Deny::when(libc::SYS_clone, 0, ALL, CMD_FORK, EAGAIN), &[], "fork CMD: Resource temporarily unavailable (a limit on processes is reached: see ulimit -u, and pids.max of the cgroups above)", Both),
    row("forbid user and cgroup namespaces", bytes(libc::SYS_write, 2), &[],
        "forbid user and cgroup namespaces: Input/output error (the limits in /proc/sys/user cannot be written here: use --allow-nesting to leave them)", Both),
    // The command.
    row("start a session", all(libc::SYS_setsid), &["--new-session"], "start a session: Input/output error", Both),
    row("set umask", first(libc::SYS_umask, 0o27), &["--umask", "027"], "set umask: Input/output error", Both),
    row("reduce the bounding set", first(libc::SYS_prctl, libc::PR_CAPBSET_DROP), &[], "reduce the bounding set: Input/output error", Both),
    row("keep capabilities --cap-add", first(libc::SYS_prctl, libc::PR_SET_KEEPCAPS), &["--uid", "5", "--cap-add", "kill"],
        "keep capabilities --cap-add: Input/output error", By::Root),
    row("become user and group", all(libc::SYS_setgroups), &[], "leave the caller's groups: Input/output error", By::Root),
    row("become user and group", all(libc::SYS_setresuid), &["--uid", "5"], "become user 5: Input/output error", By::Root),
    row("become user and group", all(libc::SYS_setresgid), &["--gid", "5"], "become group 5: Input/output error", By::Root),
    row("reduce capabilities", all(libc::SYS_capset), &[], "reduce capabilities: Input/output error", Both),
    row("reduce capabilities", first(libc::SYS_prctl, libc::PR_CAP_AMBIENT), &["--uid", "5", "--cap-add", "kill"],
        "reduce capabilities: Input/output error", Both),
    row("set no_new_privs", first(libc::SYS_prctl, libc::PR_SET_NO_NEW_PRIVS), &[], "set no_new_privs: Input/output error", Both),
    row("make a cgroup in nsinit's own", Deny::when(libc::SYS_mkdirat, 2, ALL, 0o755, EIO), CGROUP, "make a cgroup in nsinit's own: Input/output error", By::Root),
    row("limit the cgroup of the container", bytes(libc::SYS_write, 7), CGROUP, "write cgroup.max.depth: Input/output error", By::Root),
    row("make a cgroup namespace", Deny::when(libc::SYS_unshare, 0, ALL, libc::CLONE_NEWCGROUP as u64, EIO), CGROUP,
        "make a cgroup namespace: Input/output error", By::Root),
    row("set --securebits", first(libc::SYS_prctl, libc::PR_SET_SECUREBITS), &["--securebits", "noroot"], "set --securebits: Input/output error", Both),
    row("set the limits of CMD", all(libc::SYS_setpriority), &["--nice", "5"], "set --nice 5: Input/output error", Both),
    row("set the limits of CMD", all(libc::SYS_sched_setaffinity), &["--cpus", "0"], "set --cpus 0: Input/output error", Both),
    row("set the limits of CMD", first(libc::SYS_prctl, PR_SET_MDWE), &["--mdwe"], "set --mdwe: Input/output error", Both),
    row("restrict CMD with Landlock", all(libc::SYS_landlock_create_ruleset), &["--landlock-ro", "/"],
        "restrict access to files: Input/output error (with --landlock-try, CMD runs without this restriction)", Both),
    row("restrict CMD with Landlock", all(libc::SYS_landlock_add_rule), &["--landlock-ro", "/"], "allow access to /: Input/output error", Both),
    row("restrict CMD with Landlock", all(libc::SYS_landlock_add_rule), &["--landlock-bind", "80"], "allow TCP port 80: Input/output error", Both),
    row("restrict CMD with Landlock", all(libc::SYS_landlock_restrict_self), &["--landlock-ro", "/"], "restrict CMD with Landlock: Input/output error", Both),
    row("restrict ports of MPTCP and SMC, and TCP Fast Open", first(libc::SYS_prctl, libc::PR_SET_SECCOMP), &["--landlock-bind", "80"],
        "restrict ports of MPTCP and SMC, and TCP Fast Open: Input/output error (with --landlock-try, CMD runs without this restriction)", Both),
    row("close descriptors", all(libc::SYS_close_range), &[], "close descriptors: Input/output error", Both),
    row("install the built-in filter of system calls", first(libc::SYS_prctl, libc::PR_SET_SECCOMP), &[], "install the built-in filter of system calls: Input/output error (--seccomp-profile none runs CMD without it)", Both),
    row("install the built-in filter of system calls", first(libc::SYS_prctl, libc::PR_SET_SECCOMP), &["--allow-new-privs"], "install the built-in filter of system calls: Input/output error (--seccomp-profile none runs CMD without it)", Both),
    row("enter directory /tmp", all(libc::SYS_getcwd), &["--chdir", "/tmp"], "enter directory /tmp: Input/output error", Both),
];

impl Row {
    fn is_for(&self, root: &Root) -> bool {
        self.by == Both || (self.by == By::Root) == root.who.is_root()
    }
}

#[test]
fn every_failing_step_prints_its_message() {
    let mut wrong = Vec::new();
    for root in roots() {
        let before = root.listing();
        for row in ROWS.iter().filter(|row| row.is_for(&root)) {
            let out = root.launch(row.options, &["echo", "ran"]).deny(row.deny).run();
            let expected = format!("nsinit: cannot {}\n", row.line.replace("DIR", root.str()));
            if (out.status, out.stdout.as_str(), &out.stderr) != (125, "", &expected) {
                wrong.push(format!("{:?}: expected {expected:?}\n{out}", row.deny));
            }
        }
        assert_eq!(before, root.listing());
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n\n"));
}

/// Steps without a row: their calls cannot fail, or other steps make the same calls.
const WITHOUT_ROW: &[&str] = &[
    // The teardown goes on after each of its failures: tests of the end assert what is left, which is nothing.
    "take the terminal back",
    "end the relay",
    "remove",
    "report a failure to the process that waits",
    // Only descriptors that are closed are filled; other tests close them.
    "occupy closed standard descriptors",
    // The launch goes on: what stays open is the caller's, and close_range(2) has no reason to fail.
    "close the caller's descriptors",
    "close the launcher's descriptors",
    "close all descriptors that lead outside",
    "close descriptors, and let CMD go on",
    // Its calls are those that leave the executable, which come first.
    "hide the arguments of nsinit",
    // The call of `make pipes`, and its message.
    "make a pipe for the start of CMD",
    "look for a terminal",
    "clone process 1 into new namespaces",
    "write gid_map",
    "bring up lo",
    "open the caller's directory",
    // The same calls open /proc before; other tests cover a DIR that does not exist.
    "open root DIR",
    "mount sysfs on /sys",
    "start a process group",
    "set umask",
    "restore the limit on core files",
    "ignore SIGCHLD as the caller did",
    "restore the signal mask",
    "wait until nsinit has closed its descriptors",
    "find the processes of CMD in",
    // Without them process 1 makes the network: network_is_made_without_the_helper.
    "make a socket for the network",
    "start a helper that makes the network",
    "close the launcher's pipe",
    "join the user namespace of process 1",
    "hand the network namespace to process 1",
    "report the network to process 1",
    "join the network namespace of the helper",
    "wait until the network is complete",
    // The call of `clone process 1 into new namespaces`, and its message.
    "create namespaces",
    // Its row stands above, without a step: in a build that cannot do it, the launcher does it before the first step.
    "leave nsinit's own file",
    // The step that mounts the sysfs reports it.
    "open the mount point /sys",
    "execute echo",
    // A line of a map, which is no step.
    "map uid",
    "map gid",
];

/// `--explain` and the table have the same steps: a new step without a fault test fails here.
#[test]
fn every_explained_step_has_a_fault_test() {
    let mut missing = Vec::new();
    for root in roots() {
        let everything = [
            "--hostname",
            "x",
            "--uid",
            "5",
            "--cap-add",
            "kill",
            "--die-with-parent",
            "--new-session",
            "--chdir",
            "/tmp",
            "--landlock-rw",
            "/",
            "--landlock-bind",
            "80",
            "--nice",
            "1",
            "--securebits",
            "noroot",
            "--sysctl",
            "net.ipv4.ip_forward=1",
            "--explain",
        ];
        let mapped = [MAPPED, &["--explain"]].concat();
        let mapped = if root.who.is_root() { &mapped[..] } else { &["--explain"] };
        for options in [&["--explain"][..], &["--explain", "--share-terminal"], &everything, mapped] {
            let out = root.run(options, &["echo"]);
            let steps = out.text().lines().filter_map(|l| l.strip_prefix("  ")).map(|l| l.replace(root.str(), "DIR"));
            missing.extend(steps.filter(|step| {
                !ROWS.iter().any(|row| row.step == step) && !WITHOUT_ROW.iter().any(|start| step.starts_with(start))
            }));
        }
    }
    missing.dedup();
    assert!(missing.is_empty(), "no fault test for {missing:#?}");
}

/// A container without lo, or without /sys, offers less but is equally safe.
#[test]
fn container_starts_without_lo_or_sysfs() {
    for root in roots() {
        let launch = |deny| root.launch(&[], &["sh", "-c", "exit 7"]).deny(deny).run();
        launch(all(libc::SYS_socket)).is(
            7,
            "",
            "nsinit: cannot bring up lo: Input/output error (the container goes on without it)\n",
        );
        let sysfs = |errno| Deny::when(libc::SYS_fsmount, 2, ALL, 1 | 2 | 4 | 8, errno);
        launch(sysfs(EPERM)).is(7, "", "");
        // Any other error than a missing permission is reported.
        for errno in [EIO, EMFILE] {
            launch(sysfs(errno)).fails("mount sysfs on /sys: ");
        }
    }
}

/// With the helper, process 1 makes some of the namespaces itself.
#[test]
fn namespaces_that_process_1_cannot_make_are_reported() {
    if std::thread::available_parallelism().is_ok_and(|processors| processors.get() < 2) {
        return skip("with one processor the clone makes them");
    }
    let refused = |errno| Deny::when(libc::SYS_unshare, 0, libc::CLONE_NEWNS as u64, libc::CLONE_NEWNS as u64, errno);
    for root in roots() {
        for (errno, line) in [
            (EIO, "Input/output error"),
            (ENOSPC, "No space left on device (a limit on namespaces is reached: see /proc/sys/user)"),
            (
                EPERM,
                "Operation not permitted (nsinit was started under a seccomp filter, which may forbid this; docker's does without --security-opt seccomp=unconfined)",
            ),
        ] {
            let out = root.launch(&[], &["echo", "ran"]).deny(refused(errno)).run();
            out.is(125, "", &format!("nsinit: cannot create namespaces: {line}\n"));
        }
    }
}

/// Where the helper for the network cannot start, or cannot make the network or hand it over, process 1 makes it: the
/// container has the same network, and the same limits on namespaces. So it has if the launcher cannot learn the helper's end.
#[test]
fn network_is_made_without_the_helper() {
    const VFORK: u64 = (libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD) as u64;
    /// SIOCGSKNS of linux/sockios.h.
    const NAMESPACE_OF_SOCKET: u64 = 0x894c;
    let script = "cat /sys/class/net/lo/flags /proc/sys/user/max_user_namespaces; ls /sys/class/net";
    for root in roots() {
        for deny in [
            all(libc::SYS_socketpair),
            all(libc::SYS_setns),
            all(libc::SYS_sendmsg),
            all(libc::SYS_recvmsg),
            Deny::when(libc::SYS_clone, 0, ALL, VFORK, EAGAIN),
            Deny::when(libc::SYS_ioctl, 1, ALL, NAMESPACE_OF_SOCKET, EIO),
            // The helper makes it, and the launcher cannot wait for the helper's exit status.
            Deny::when(libc::SYS_wait4, 2, ALL, libc::__WALL as u64, EPERM),
        ] {
            root.launch(&[], &["sh", "-c", script]).deny(deny).run().is(0, "0x9\n0\nlo\n", "");
        }
    }
}

/// Root's nsinit moves its program into memory and makes /proc/self/exe an empty file (mremap(2), PR_SET_MM_MAP); if
/// the kernel refuses that, a sealed copy runs, or nothing.
#[test]
fn sealed_copy_runs_if_the_exe_link_cannot_be_changed() {
    for root in roots().into_iter().filter(|root| root.who.is_root()) {
        let stay = |denied: &[Deny]| {
            let launch = root.launch(&[], &["sh", "-c", "exit 7"]);
            denied.iter().fold(launch, |launch, &deny| launch.deny(deny)).run()
        };
        for refused in [first(libc::SYS_prctl, libc::PR_SET_MM), all(libc::SYS_mremap)] {
            stay(&[refused]).is(7, "", "");
            for needed in [all(libc::SYS_sendfile), all(libc::SYS_execveat)] {
                stay(&[refused, needed]).is(
                    125,
                    "",
                    "nsinit: cannot seal a copy of /proc/self/exe: Input/output error\n",
                );
            }
        }
    }
}

/// If process 1 cannot map the program file again, it copies the program into memory.
#[test]
fn program_is_copied_if_its_file_cannot_be_mapped_again() {
    const MAP_PRIVATE: u64 = libc::MAP_PRIVATE as u64;
    for root in roots().into_iter().filter(|root| root.who.is_root()) {
        // The dynamic loader maps libraries with more flags, and does without its cache.
        let again = Deny::when(libc::SYS_mmap, 3, ALL, MAP_PRIVATE, EPERM);
        root.launch(&[], &["sh", "-c", "exit 7"]).deny(again).run().is(7, "", "");
    }
}

/// Every errno prints its text, including those of quotas, network file systems and keys; one without a text prints
/// its number.
#[test]
fn every_errno_prints_its_text_or_number() {
    const WORDS: [(i32, &str); 5] = [
        (libc::EDQUOT, "Disk quota exceeded"),
        (libc::ENOTCONN, "Transport endpoint is not connected"),
        (libc::EKEYREVOKED, "Key has been revoked"),
        (41, "error 41"),
        // The kernel-internal ENOTSUPP, which user space should never see.
        (524, "error 524"),
    ];
    for root in roots() {
        for (errno, words) in WORDS {
            let refused = Deny::all(libc::SYS_sethostname, errno);
            let out = root.launch(&["--hostname", "x"], &["echo", "ran"]).deny(refused).run();
            out.is(125, "", &format!("nsinit: cannot set host name x: {words}\n"));
        }
    }
}

/// A failure for one capability does not end the loop; a capability that stays in the set is an error, whatever the
/// errno.
#[test]
fn bounding_set_failure_stops_the_launch() {
    for root in roots() {
        let bounded = |options: &[&str], deny| {
            let options = [&["--cap-drop", "ALL"], options].concat();
            root.launch(&options, &["grep", "CapBnd", "/proc/self/status"]).deny(deny).run()
        };
        let dropped = |errno| Deny::when(libc::SYS_prctl, 0, ALL, libc::PR_CAPBSET_DROP as u64, errno);
        bounded(&[], dropped(libc::EINVAL)).fails("reduce the bounding set: Invalid argument");
        // Only capability 5, for every operation.
        let fifth = |errno| Deny::when(libc::SYS_prctl, 1, ALL, 5, errno);
        bounded(&["--allow-new-privs"], fifth(libc::EINVAL)).fails("reduce the bounding set: Invalid argument");
        bounded(&[], fifth(EIO)).fails("reduce the bounding set: Input/output error");
        // `--cap-add KILL` keeps capability 5, so it is not dropped; all others are.
        bounded(&["--cap-add", "KILL"], fifth(libc::EINVAL)).is(0, "CapBnd:\t0000000000000020\n", "");
    }
}

/// A child whose status cannot be read has not succeeded: no command runs in a user namespace without id maps.
#[test]
fn failed_wait_is_a_failure() {
    for root in roots() {
        for options in ["--disable-userns", "--assert-userns-disabled"] {
            // Not the waits of the signal loops, which pass more flags.
            let waits = Deny::when(libc::SYS_wait4, 2, ALL, libc::__WALL as u64, EIO);
            let out = root.launch(&[options], &["echo", "ran"]).deny(waits).run();
            // The launcher cannot wait either, and so does not know that process 1 reported a reason: it reports its
            // own.
            let lines = out.stderr.lines().all(|line| line.starts_with("nsinit: "));
            let said = out.stderr.contains(": Input/output error\n");
            assert!(out.status == 125 && out.stdout.is_empty() && lines && said, "{out}");
        }
    }
}

// ---- in place

#[rustfmt::skip]
const IN_PLACE: &[Row] = &[
    row("stop ignoring SIGCHLD", first(libc::SYS_rt_sigaction, libc::SIGCHLD), &[], "stop ignoring SIGCHLD: Input/output error", Both),
    row("block all signals", first(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK), &[], "block all signals: Input/output error", Both),
    row("die with the caller", first(libc::SYS_prctl, libc::PR_SET_PDEATHSIG), &["--die-with-parent"], "die with the caller: Input/output error", Both),
    row("become the reaper of orphans", first(libc::SYS_prctl, libc::PR_SET_CHILD_SUBREAPER), &[], "become the reaper of orphans: Input/output error", Both),
    row("start CMD", Deny::when(libc::SYS_clone, 0, ALL, CMD_FORK, EAGAIN), &[], "fork CMD: Resource temporarily unavailable (a limit on processes is reached: see ulimit -u, and pids.max of the cgroups above)", Both),
    row("start a process group", all(libc::SYS_setpgid), &[], "start a process group: Input/output error", Both),
    row("start a session", all(libc::SYS_setsid), &["--new-session"], "start a session: Input/output error", Both),
    row("make pipes", Deny::all(libc::SYS_pipe2, EMFILE), &[], "make pipes: Too many open files (the limit on open files is reached: see ulimit -n)", Both),
    row("raise limits for CMD", all(libc::SYS_prlimit64), &["--rlimit", "core=0"], "set --rlimit core=0: Input/output error", Both),
    row("set the limits of CMD", all(libc::SYS_setpriority), &["--nice", "5"], "set --nice 5: Input/output error", Both),
    row("set --securebits", first(libc::SYS_prctl, libc::PR_SET_SECUREBITS), &["--securebits", "0"], "set --securebits: Input/output error", Both),
    row("set no_new_privs", first(libc::SYS_prctl, libc::PR_SET_NO_NEW_PRIVS), &["--landlock-ro", "/"], "set no_new_privs: Input/output error", Both),
    row("restrict CMD with Landlock", all(libc::SYS_landlock_restrict_self), &["--landlock-ro", "/"], "restrict CMD with Landlock: Input/output error", Both),
    row("wait until nsinit has closed its descriptors", bytes(libc::SYS_read, 1), &[],
        "wait until nsinit has closed its descriptors: Input/output error", Both),
];

pub fn in_place(who: Who, options: &[&str], cmd: &[&str]) -> Launch {
    Launch::new(who).args(options).args(["--"]).args(cmd)
}

#[test]
fn every_failing_step_in_place_prints_its_message() {
    for who in who::both() {
        for row in IN_PLACE {
            let out = in_place(who, row.options, &["echo", "ran"]).deny(row.deny).run();
            out.is(125, "", &format!("nsinit: cannot {}\n", row.line));
        }
        // A launcher that cannot wait for the command kills it.
        in_place(who, &[], &["sleep", "1000"]).deny(all(libc::SYS_wait4)).run().is(
            125,
            "",
            "nsinit: cannot wait for CMD: Input/output error\n",
        );
        // These calls are optional: the list of children serves only teardown; directory, descriptors and
        // capabilities are nsinit's own.
        for call in [libc::SYS_readlinkat, libc::SYS_chdir, libc::SYS_close_range, libc::SYS_capset] {
            in_place(who, &[], &["echo", "ran"]).deny(all(call)).run().is(0, "ran\n", "");
        }
    }
}

#[test]
fn every_explained_step_in_place_has_a_fault_test() {
    let without_row = |step: &str| {
        // The launch goes on where it is.
        let more = ["die with nsinit", "leave the terminal to CMD's session", "enter directory /"];
        WITHOUT_ROW.iter().chain(&more).any(|start| step.starts_with(start))
    };
    for who in who::both() {
        for options in [
            &["--explain"][..],
            &[
                "--explain",
                "--new-session",
                "--die-with-parent",
                "--landlock-ro",
                "/",
                "--nice",
                "1",
                "--securebits",
                "0",
            ],
        ] {
            let out = in_place(who, options, &["echo"]).run();
            for step in out.text().lines().filter_map(|line| line.strip_prefix("  ")) {
                assert!(IN_PLACE.iter().any(|row| row.step == step) || without_row(step), "no fault test for {step:?}");
            }
        }
    }
}

// ---- enter

/// DIR stands for the pid of the entered process.
#[rustfmt::skip]
const ENTERED: &[Row] = &[
    row("stop ignoring SIGCHLD", first(libc::SYS_rt_sigaction, libc::SIGCHLD), &[], "stop ignoring SIGCHLD: Input/output error", Both),
    row("block all signals", first(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK), &[], "block all signals: Input/output error", Both),
    row("forbid core files", all(libc::SYS_prlimit64), &[], "forbid core files: Input/output error", Both),
    row("go on in the background", Deny::when(libc::SYS_clone, 0, ALL, FORK, EAGAIN), &["--detach"], "go on in the background: Resource temporarily unavailable (a limit on processes is reached: see ulimit -u, and pids.max of the cgroups above)", Both),
    row("join a new session keyring", all(libc::SYS_keyctl), &[], "join a new session keyring: Input/output error (use --keep-keyring to share the caller's)", Both),
    row("go on in the background", all(libc::SYS_setsid), &["--detach"], "go on in the background: Input/output error", Both),
    row("create pid file pid", Deny::when(libc::SYS_openat, 2, 0o300, 0o300, ENOSPC), &["--pid-file", "pid"], "create pid file pid: No space left on device", Both),
    row("die with the caller", first(libc::SYS_prctl, libc::PR_SET_PDEATHSIG), &["--die-with-parent"], "die with the caller: Input/output error", Both),
    row("make pipes", Deny::all(libc::SYS_pipe2, EMFILE), &[], "make pipes: Too many open files (the limit on open files is reached: see ulimit -n)", Both),
    row("reopen the caller's devices through read-only mounts", Deny::when(libc::SYS_clone, 0, ALL, DEVICES_FORK, EAGAIN), &[],
        "copy the mounts of the caller's devices: Resource temporarily unavailable (a limit on processes is reached: see ulimit -u, and pids.max of the cgroups above)", By::Root),
    row("reopen the caller's devices through read-only mounts", all(libc::SYS_mount), &[], "copy the mounts of the caller's devices: Input/output error", By::Root),
    row("reopen the caller's devices through read-only mounts", REOPEN, &[],
        "reopen standard input: Input/output error (it is opened again, through a read-only mount: the caller needs permission to open it)", By::Root),
    row("prepare the relay of the terminal", all(libc::SYS_socketpair), &["--pty"], "prepare the relay of the terminal: Input/output error", Both),
    row("open the container of DIR", all(libc::SYS_pidfd_open), &[], "enter DIR: Input/output error", Both),
    row("become untraceable", first(libc::SYS_prctl, libc::PR_SET_DUMPABLE), &[], "become untraceable: Input/output error", Both),
    row("start the relay of the terminal", Deny::when(libc::SYS_clone, 0, ALL, FORK, EAGAIN), &["--pty"], "fork: Resource temporarily unavailable (a limit on processes is reached: see ulimit -u, and pids.max of the cgroups above)", Both),
    row("", Deny::when(libc::SYS_clone, 0, ALL, FORK, EAGAIN), &[], "fork: Resource temporarily unavailable (a limit on processes is reached: see ulimit -u, and pids.max of the cgroups above)", Both),
    row("", Deny::when(libc::SYS_clone, 0, ALL, SISTER_FORK, EAGAIN), &[], "enter DIR: Resource temporarily unavailable (a limit on processes is reached: see ulimit -u, and pids.max of the cgroups above)", Both),
    row("clear the umask", first(libc::SYS_umask, 0), &[], "clear the umask: Input/output error", Both),
    row("leave the caller's groups", all(libc::SYS_setgroups), &[], "leave the caller's groups: Input/output error", By::Root),
    row("join the namespaces of DIR", all(libc::SYS_setns), &[], "join the namespaces of DIR: Input/output error", Both),
    row("enter the root of DIR", all(libc::SYS_chroot), &[], "enter the root of DIR: Input/output error", Both),
    row("enter the root of DIR", all(libc::SYS_fchdir), &[], "enter the root of DIR: Input/output error", Both),
    row("enter the directory of DIR", all(libc::SYS_chdir), &["--chdir", "/"], "enter the directory of DIR: Input/output error", Both),
    row("give CMD a terminal of its own", Deny::when(libc::SYS_ioctl, 1, ALL, libc::TIOCGPTPEER, EIO), &["--pty"], "make a pty with /dev/ptmx: Input/output error", Both),
    row("give CMD a terminal of its own", all(libc::SYS_sendmsg), &["--pty"], "give CMD a terminal of its own: Input/output error", Both),
    row("give CMD a terminal of its own", all(libc::SYS_dup3), &["--pty"], "give CMD a terminal of its own: Input/output error", Both),
    row("close descriptors", all(libc::SYS_close_range), &[], "close descriptors: Input/output error", Both),
    row("install the built-in filter of system calls", first(libc::SYS_prctl, libc::PR_SET_SECCOMP), &[], "install the built-in filter of system calls: Input/output error (--seccomp-profile none runs CMD without it)", Both),
    row("install the built-in filter of system calls", first(libc::SYS_prctl, libc::PR_SET_SECCOMP), &["--allow-new-privs"], "install the built-in filter of system calls: Input/output error (--seccomp-profile none runs CMD without it)", Both),
    row("start a session", Deny::when(libc::SYS_setsid, 0, 0, 0, EIO), &["--new-session"], "start a session: Input/output error", Both),
    row("reduce the bounding set", first(libc::SYS_prctl, libc::PR_CAPBSET_DROP), &[], "reduce the bounding set: Input/output error", Both),
    row("become user and group", all(libc::SYS_setresgid), &[], "become group 0: Input/output error", Both),
    row("become user and group", all(libc::SYS_setresuid), &[], "become user 0: Input/output error", Both),
    row("reduce capabilities", all(libc::SYS_capset), &[], "reduce capabilities: Input/output error", Both),
    row("set no_new_privs", first(libc::SYS_prctl, libc::PR_SET_NO_NEW_PRIVS), &[], "set no_new_privs: Input/output error", Both),
    row("die with the launcher", first(libc::SYS_prctl, libc::PR_SET_PDEATHSIG), &[], "die with the launcher: Input/output error", Both),
    row("enter directory .", all(libc::SYS_getcwd), &[], "enter directory .: Input/output error", Both),
];

/// A child with the same descriptors but its own mounts: CLONE_NEWNS | CLONE_FILES | SIGCHLD.
const DEVICES_FORK: u64 = 0x2_0411;

/// fork(2): only SIGCHLD; and the fork of a sibling: CLONE_PARENT too.
const FORK: u64 = 0x11;
/// See [`FORK`].
const SISTER_FORK: u64 = 0x8011;

pub fn entered(container: &Container, options: &[&str], cmd: &[&str]) -> Launch {
    enter(container.root.who, container.inside, options, cmd).directory(container.root.path())
}

#[test]
fn every_failing_step_of_enter_prints_its_message() {
    let mut wrong = Vec::new();
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        for row in ENTERED.iter().filter(|row| row.by == Both || who.is_root()) {
            let out = entered(&container, row.options, &["echo", "ran"]).deny(row.deny).run_with_others();
            let expected = format!("nsinit: cannot {}\n", row.line.replace("DIR", &container.inside.to_string()));
            if (out.status, out.stdout.as_str(), &out.stderr) != (125, "", &expected) {
                wrong.push(format!("{:?}: expected {expected:?}\n{out}", row.deny));
            }
            assert!(!container.root.at("pid").exists());
        }
        container.end();
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn every_explained_step_of_enter_has_a_fault_test() {
    const MORE: &[&str] = &[
        "open /proc",
        "die with nsinit",
        "join the cgroup of",
        "start a process group",
        // The same call as in a container that is made.
        "refuse a directory as a standard descriptor",
        // The launch goes on where it is.
        "enter directory /",
        // The forks have rows by their flags.
        "start a helper in the container of",
        "start CMD as a child of the launcher, in",
    ];
    let mut missing = Vec::new();
    for who in who::both() {
        for options in [
            &["--explain"][..],
            &["--explain", "--pty", "--detach", "--pid-file", "pid"],
            &["--explain", "--die-with-parent"],
        ] {
            let out = enter(who, 1, options, &["echo"]).run();
            let steps = out.text().lines().filter_map(|l| l.strip_prefix("  ")).map(|l| l.replace(" 1", " DIR"));
            missing.extend(steps.filter(|step| {
                !ENTERED.iter().any(|row| row.step == step)
                    && !WITHOUT_ROW.iter().chain(MORE).any(|start| step.starts_with(start))
            }));
        }
    }
    assert!(missing.is_empty(), "no fault test for {missing:#?}");
}

#[test]
fn clone_failure_names_its_cause() {
    for root in roots() {
        let out = root.launch(&[], &["echo", "ran"]).deny(Deny::all(libc::SYS_clone3, ENOSPC)).run();
        out.fails("create namespaces: No space left on device (");
    }
}
