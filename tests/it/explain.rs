//! `--explain` against a trace: what it prints is what each process does, in that order.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::harness::scratch::nsinit;
use super::harness::{Dir, Launch, Root, roots, strace};

/// A step as `--explain` prints it, and words of one system call of it, of which one alternative must match.
struct Row(&'static str, &'static [&'static [&'static str]]);

/// Steps that make no system call of their own here: why is behind each.
const SILENT: &[&str] = &[
    // It acts only if the caller ignored SIGCHLD.
    "ignore SIGCHLD as the caller did",
    // If process 1 does not keep the pipe from the launcher, that pipe serves.
    "make a pipe for the start of CMD",
    // The lines of the maps, which the steps above them write.
    "map uid",
    "map gid",
];

const ROWS: &[Row] = &[
    Row("occupy closed standard descriptors", &[&["fcntl(2, F_GETFD"]]),
    Row("refuse a directory as a standard descriptor", &[&["fstat(2,"], &["newfstatat(2,"], &["statx(2,"]]),
    Row("stop ignoring SIGCHLD", &[&["rt_sigaction(SIGCHLD"]]),
    Row("block all signals", &[&["rt_sigprocmask(SIG_SETMASK, ~[]"]]),
    Row("forbid core files", &[&["prlimit64(0, RLIMIT_CORE"]]),
    Row("create pid file pid", &[&["openat(", "\"pid\"", "O_EXCL"]]),
    Row("look for a terminal", &[&["/dev/tty"]]),
    Row("become the reaper of orphans", &[&["PR_SET_CHILD_SUBREAPER"]]),
    Row("open /proc", &[&["openat(", "\"/proc\""], &["openat(", "O_NOFOLLOW|O_CLOEXEC|O_PATH"]]),
    Row("leave an initramfs", &[&["statfs(\"/\""]]),
    Row("die with the caller", &[&["PR_SET_PDEATHSIG"]]),
    Row("make pipes", &[&["pipe2("]]),
    Row("make a socket for the network", &[&["socketpair("]]),
    Row("clone process 1 into new namespaces", &[&["clone3(", "CLONE_NEWPID"], &["clone(", "CLONE_NEWPID"]]),
    Row("start a helper that makes the network", &[&["clone(", "CLONE_VFORK"]]),
    Row("close the launcher's pipe", &[&["close("]]),
    Row("join the user namespace of process 1", &[&["setns(", "CLONE_NEWUSER"]]),
    Row("hand the network namespace to process 1", &[&["sendmsg("]]),
    Row("report the network to process 1", &[&["write(", "\"!\""]]),
    Row("create namespaces ipc mnt uts", &[&["unshare(CLONE_NEWNS"]]),
    Row("leave nsinit's own file", &[&["memfd_create("]]),
    Row("open the mount point /sys", &[&["openat(", "\"sys\""]]),
    Row("join the network namespace of the helper", &[&["recvmsg("]]),
    Row("wait until the network is complete", &[&["read(", "\"!\""]]),
    Row("write setgroups", &[&["openat(", "\"setgroups\""]]),
    Row("write uid_map", &[&["openat(", "\"uid_map\""]]),
    Row("write gid_map", &[&["openat(", "\"gid_map\""]]),
    Row("become untraceable", &[&["PR_SET_DUMPABLE, SUID_DUMP_DISABLE"]]),
    Row("make a user namespace for the mounts of --idmap", &[&["clone(", "CLONE_NEWUSER|SIGCHLD"]]),
    Row("show through the id map DIR", &[&["mount_setattr(", "MOUNT_ATTR_IDMAP"]]),
    Row("become a user of the id map", &[&["setresuid(0, 0, 0"]]),
    Row("let process 1 go on", &[&["write(", "\"!\""]]),
    Row("close the caller's descriptors", &[&["close_range("]]),
    Row("hide the arguments of nsinit", &[&["PR_SET_MM"]]),
    Row("close the launcher's descriptors", &[&["close("]]),
    Row("die with the launcher", &[&["PR_SET_PDEATHSIG, SIGKILL"]]),
    Row("leave the caller's process group", &[&["setpgid(0, 0"], &["setsid("]]),
    Row("clear the umask", &[&["umask(000"]]),
    Row("join a new session keyring", &[&["KEYCTL_JOIN_SESSION_KEYRING"]]),
    Row("set host name", &[&["sethostname("]]),
    Row("make a network namespace", &[&["unshare(CLONE_NEWNET"]]),
    Row("bring up lo", &[&["SIOCSIFFLAGS"]]),
    Row("make every mount below / a slave", &[&["MS_REC|MS_SLAVE"]]),
    Row("open the caller's directory", &[&["openat(AT_FDCWD, \".\""]]),
    Row("wait for the launcher", &[&["read(", "\"!\""]]),
    Row("open the caller's devices", &[&["openat(AT_FDCWD, \"/dev/null\""]]),
    Row("open root DIR", &[&["openat(AT_FDCWD, \"DIR\""]]),
    Row("mount a tmpfs for staging mounts", &[&["mount(\"tmpfs\", \"/\""]]),
    Row("mount root DIR", &[&["open_tree("]]),
    Row("mount proc on /proc", &[&["fsopen(\"proc\""]]),
    Row("fill /dev", &[&["fsopen(\"tmpfs\""]]),
    Row("mount sysfs on /sys", &[&["fsopen(\"sysfs\""]]),
    Row("mount tmpfs on /mnt", &[&["fsopen(\"tmpfs\""]]),
    Row("bind mount DIR", &[&["open_tree(", "OPEN_TREE_CLONE"]]),
    Row("bind on /tmp", &[&["move_mount("]]),
    Row("enter root DIR", &[&["pivot_root("]]),
    Row("detach the caller's root", &[&["umount2(\"/..\", MNT_DETACH"]]),
    Row("enter directory /", &[&["chdir(\"/\""]]),
    Row("forbid user and cgroup namespaces", &[&["openat(", "max_user_namespaces"]]),
    Row("close all descriptors that lead outside", &[&["close("], &["close_range("]]),
    Row("start CMD", &[&["clone(", "CLONE_VM"]]),
    Row("close descriptors, and let CMD go on", &[&["close_range("]]),
    Row("start a process group", &[&["setpgid(0, 0"]]),
    Row("start a session", &[&["setsid("], &["setpgid(0, 0"]]),
    Row("set umask", &[&["umask("]]),
    Row("reduce the bounding set", &[&["PR_CAPBSET_DROP"]]),
    Row("keep capabilities --cap-add", &[&["PR_SET_KEEPCAPS"]]),
    Row("become user and group", &[&["setgroups("], &["setresuid("]]),
    Row("reduce capabilities", &[&["capset("]]),
    Row("set no_new_privs", &[&["PR_SET_NO_NEW_PRIVS"]]),
    Row("raise limits for CMD", &[&["getpriority("]]),
    Row("set --sysctl", &[&["openat(", "\"sys/kernel/shmmax\""]]),
    Row("set --securebits", &[&["PR_SET_SECUREBITS"]]),
    Row("restrict CMD with Landlock", &[&["landlock_restrict_self("]]),
    Row("restrict ports of MPTCP", &[&["PR_SET_SECCOMP"]]),
    Row("set the limits of CMD", &[&["setpriority("]]),
    Row("restore the limit on core files", &[&["prlimit64(0, RLIMIT_CORE"]]),
    Row("restore the signal mask", &[&["rt_sigprocmask(SIG_SETMASK, []"]]),
    Row("wait until nsinit has closed its descriptors", &[&["read("]]),
    Row("close descriptors", &[&["close_range("]]),
    Row("install the built-in filter of system calls", &[&["PR_SET_SECCOMP, SECCOMP_MODE_FILTER"]]),
    Row("make a cgroup in nsinit's own", &[&["mkdirat(", "\"nsinit-"]]),
    Row("delegate the container's cgroup", &[&["openat(", "\"cgroup.controllers\""]]),
    Row("limit the cgroup of the container", &[&["openat(", "\"cgroup.max.depth\""]]),
    Row("make a cgroup namespace", &[&["unshare(CLONE_NEWCGROUP"]]),
    Row("report what the container used", &[&["openat(", "\"cpu.stat\""]]),
    Row("remove the container's cgroup", &[&["unlinkat(", "AT_REMOVEDIR"]]),
    // The head of each request, as strace prints it: RTM_NEWLINK and others, with their flags.
    Row("open the network of process 1", &[&["setns(", "CLONE_NEWNET"]]),
    Row("make the interfaces of the container", &[&["openat(", "\"ns/net\""]]),
    Row("create veth h0", &[&["write(", "\\20\\0\\5\\6"]]),
    Row("add address 10.0.0.2/24", &[&["write(", "\\24\\0\\5\\6"]]),
    Row("add route gw=10.0.0.1", &[&["write(", "\\30\\0\\5\\6"]]),
    Row("disconnect the network of the container", &[&["write(", "\\21\\0\\5\\0"]]),
    Row("write /etc/resolv.conf", &[&["write(", "nameserver ::1"], &["move_mount("]]),
    Row("execute", &[&["execve("]]),
    Row("remove pid", &[&["unlinkat("]]),
];

/// The lines of each process, by its number.
fn traced(prefix: &Path) -> HashMap<u32, Vec<String>> {
    let name = prefix.file_name().and_then(|name| name.to_str()).expect("UTF-8");
    let mut found = HashMap::new();
    for entry in fs::read_dir(prefix.parent().expect("a directory")).expect("the traces").flatten() {
        let file = entry.file_name();
        let number = file.to_str().and_then(|file| file.strip_prefix(name)?.strip_prefix('.')?.parse().ok());
        if let Some(number) = number {
            let text = String::from_utf8_lossy(&fs::read(entry.path()).expect("a trace")).into_owned();
            found.insert(number, text.lines().map(str::to_owned).collect());
        }
    }
    found
}

/// The process that the clone with this flag made.
fn child(lines: &[String], flag: &str) -> Option<u32> {
    let line = lines.iter().rfind(|line| line.starts_with("clone") && line.contains(flag))?;
    line.rsplit("= ").next()?.parse().ok()
}

/// Checks that the steps of one process are made in their order.
fn check(title: &str, steps: &[String], lines: &[String], root: &str, wrong: &mut Vec<String>) {
    let mut from = 0;
    for step in steps {
        if SILENT.iter().any(|silent| step.starts_with(silent)) {
            continue;
        }
        let Some(Row(_, calls)) = ROWS.iter().filter(|row| step.starts_with(row.0)).max_by_key(|row| row.0.len())
        else {
            wrong.push(format!("{title} {step}: no row here"));
            continue;
        };
        let is_call =
            |line: &String| calls.iter().any(|words| words.iter().all(|word| line.replace(root, "DIR").contains(word)));
        match lines.iter().skip(from).position(is_call) {
            Some(at) => from += at + 1,
            None => wrong.push(format!("{title} {step}: not seen after line {from}: {:?}", lines.get(from))),
        }
    }
}

/// The titles of `--explain` with the steps below each.
fn explained(text: &str, root: &str) -> Vec<(String, Vec<String>)> {
    let mut parts: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("  "), parts.last_mut()) {
            (Some(step), Some((_, steps))) => steps.push(step.replace(root, "DIR")),
            _ => parts.push((line.to_owned(), Vec::new())),
        }
    }
    parts
}

fn compare(root: &Root, strace: &Path, processors: &str, options: &[&str], wrong: &mut Vec<String>) {
    let place = Dir::new(root.who);
    let prefix: PathBuf = place.at("trace");
    let cmd = ["/bin/true"];
    let nsinit = nsinit().to_str().expect("UTF-8");
    let run = |words: &[&str]| {
        // In a network of its own: the machine's stays as it is.
        Launch::of(root.who, Path::new("/usr/bin/unshare"))
            .directory(&place.at("."))
            .args(["--net", "taskset", "-c", processors])
            .args(words)
            .args([nsinit, "--root", root.str()])
    };
    let text = run(&[]).args(["--explain"]).args(options).args(["--"]).args(cmd).run();
    let parts = explained(text.text(), root.str());
    let out = run(&[strace.to_str().expect("UTF-8"), "-ff", "-o", prefix.to_str().expect("UTF-8")])
        .args(options)
        .args(["--"])
        .args(cmd)
        .run_with_others();
    // With --stats it prints numbers.
    assert!(out.status == 0 && out.stdout.is_empty() && !out.stderr.contains("cannot"), "{out}");
    let traces = traced(&prefix);
    let launcher = traces
        .iter()
        .find(|(_, lines)| lines.first().is_some_and(|line| line.starts_with("execve(") && line.contains("\"--root\"")))
        .map(|(_, lines)| lines)
        .expect("the launcher's trace");
    let process_1 = child(launcher, "CLONE_NEWPID").and_then(|pid| traces.get(&pid)).expect("process 1's trace");
    // Process 1 sees it by its number inside.
    let executed = |lines: &&Vec<String>| lines.iter().any(|line| line.starts_with("execve(\"/bin/true\""));
    let cmd = traces.values().find(executed).expect("the command's trace");
    let mut from = 0;
    for (title, steps) in &parts {
        let lines = match title.as_str() {
            "launcher:" => {
                // What nsinit does before it is a launcher has calls of the same kinds.
                from = launcher.iter().position(|line| line.starts_with("rt_sigaction(SIGCHLD")).unwrap_or(0);
                let before = launcher[..from].iter().rposition(|line| line.starts_with("fcntl(0, F_GETFD"));
                &launcher[before.unwrap_or(0)..]
            }
            "launcher, at the end:" => &launcher[from..],
            "process 1:" => process_1,
            "helper of the launcher:" => {
                child(launcher, "CLONE_VFORK").and_then(|pid| traces.get(&pid)).expect("the helper's trace")
            }
            "CMD, a child of process 1:" => cmd,
            _ => panic!("an unknown process: {title}"),
        };
        check(title, steps, lines, root.str(), wrong);
    }
    assert!(parts.len() >= 3, "{text}");
}

#[test]
fn trace_shows_the_explained_steps_in_their_order() {
    let Some(strace) = strace() else { return };
    // An ordinary user's strace cannot read the strings of a process that is untraceable.
    for root in roots().into_iter().filter(|root| root.who.is_root()) {
        let mut wrong = Vec::new();
        // With one processor process 1 makes the network, with two a helper of the launcher.
        let mapped = ["--map-uid", "0:0:65536", "--map-gid", "0:0:65536", "--idmap"];
        compare(&root, strace, "0", &mapped, &mut wrong);
        compare(
            &root,
            strace,
            "0",
            &["--net", "veth:h0,ip=10.0.0.2/24,gw=10.0.0.1", "--resolv-conf", "::1"],
            &mut wrong,
        );
        for (processors, options) in ["0", "0,1"].into_iter().flat_map(|list| [(list, false), (list, true)]) {
            let more = [
                "--hostname",
                "x",
                "--tmpfs",
                "/mnt",
                "--bind",
                root.str(),
                "/tmp",
                "--new-session",
                "--pid-file",
                "pid",
                "--landlock-rw",
                "/",
                "--landlock-bind",
                "80",
                "--nice",
                "1",
                "--securebits",
                "noroot",
                "--sysctl",
                "kernel.shmmax=4096",
                "--cgroup-set",
                "cgroup.max.depth=0",
                "--stats",
                "--cgroup-delegate",
            ];
            compare(&root, strace, processors, if options { &more } else { &[] }, &mut wrong);
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
