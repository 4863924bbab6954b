//! The limits of CMD as a process, the kernel parameters of a container, and a /proc with processes only.

use std::fs;

use libc::{EINVAL, EPERM};

use super::fault::in_place;
use super::harness::container::{Container, Maker, enter};
use super::harness::procs;
use super::harness::scratch::{self, utf8};
use super::harness::{Deny, Launch, Out, Root, Who, roots, skip, who};

/// bubblewrap's kind of container: the root is bound, and nothing else is as in the preset.
fn sandbox(root: &Root, options: &[&str], cmd: &[&str]) -> Launch {
    let words = ["--bind", root.str(), "/", "--dev", "/dev", "--unshare-pid", "--proc", "/proc"];
    Launch::new(root.who).args(words).args(options).args(["--"]).args(cmd)
}

/// Asserts what CMD prints, wherever it runs.
#[track_caller]
fn everywhere(options: &[&str], cmd: &[&str], expected: &str) {
    for root in roots() {
        let root = root.with_helper();
        root.launch(options, cmd).run().says(expected);
        sandbox(&root, options, cmd).run().says(expected);
        if let Some(container) = Container::new(root.who, Maker::Nsinit) {
            enter(root.who, container.init, options, cmd).run_with_others().says(expected);
            container.end();
        }
        // In place the programs are those of the host, or of the root by their paths.
        let at_root = cmd[0].starts_with('/').then(|| root.at(cmd[0]));
        let first = at_root.as_deref().map_or(cmd[0], utf8);
        in_place(root.who, options, &[&[first], &cmd[1..]].concat()).run().says(expected);
    }
}

const SOFT_AND_HARD: [&str; 3] = ["/bin/sh", "-c", "ulimit -n; ulimit -Hn; ulimit -c; ulimit -Hc"];

#[test]
fn resources_of_cmd_are_limited() {
    let options = ["--rlimit", "nofile=33:44", "--rlimit", "CORE=1024"];
    // The shell counts core files in blocks of 512 bytes.
    everywhere(&options, &SOFT_AND_HARD, "33\n44\n2\n2");
    // The last one counts, even if it is higher.
    let options = ["--rlimit", "nofile=5", "--rlimit", "core=0", "--rlimit", "nofile=33:44", "--rlimit", "core=512"];
    everywhere(&options, &SOFT_AND_HARD, "33\n44\n1\n1");
}

/// execve(2) needs no descriptor.
#[test]
fn cmd_without_descriptors_is_executed() {
    for limit in ["nofile=0", "nofile=1", "nofile=3"] {
        everywhere(&["--rlimit", limit, "--landlock-ro", "/"], &["/bin/busybox", "echo", "ran"], "ran");
    }
}

/// nsinit waits for CMD and ends the container without them.
#[test]
fn process_1_is_not_limited() {
    for root in roots() {
        let options = ["--rlimit", "nofile=7", "--rlimit", "core=0", "--nice", "7", "--cpus", "0", "--mdwe"];
        let mut run = root.launch(&options, &["sh", "-c", "echo up; read x"]).open_input().start();
        assert_eq!(run.line(), "up");
        let (cmd, init) = (run.cmd(), run.init());
        let open_files = |pid| {
            let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("it runs");
            limits.lines().find(|line| line.starts_with("Max open files")).expect("the limit").to_owned()
        };
        let own = open_files(procs::Pid::try_from(std::process::id()).expect("a pid"));
        assert!(open_files(cmd).contains(" 7 "), "{}", open_files(cmd));
        assert_eq!(open_files(init), own);
        let status = |pid: procs::Pid, field: &str| {
            procs::field_of(&fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs"), field)
        };
        assert_eq!(status(cmd, "Cpus_allowed_list"), Some("0".into()));
        assert_eq!(status(init, "Cpus_allowed_list"), status(run.pid(), "Cpus_allowed_list"));
        // getpriority(2) of the C library.
        // SAFETY: it takes two numbers.
        let nice = |pid: procs::Pid| unsafe { libc::getpriority(libc::PRIO_PROCESS, pid.cast_unsigned()) };
        assert_eq!((nice(cmd) - nice(init), nice(cmd)), (7, 7));
        run.finish();
    }
}

/// Whether this user has CAP_SYS_RESOURCE outside. The root of a container may lack it; the machines of tests/vm have one that does not.
fn may_raise(who: Who) -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let held = procs::field_of(&status, "CapEff").and_then(|held| u64::from_str_radix(&held, 16).ok());
    who.is_root() && held.expect("a set of capabilities") >> 24 & 1 == 1
}

/// Root may raise hard limits, although the root of a container may not.
#[test]
fn root_raises_hard_limits_and_a_user_does_not() {
    const HINT: &str = "(only root of the machine may raise a hard limit, and nofile up to fs.nr_open: see ulimit -H)";
    let lower = |launch: Launch| {
        launch.before(|| {
            let limit = libc::rlimit { rlim_cur: 150, rlim_max: 160 };
            // SAFETY: the call reads the struct.
            match unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        })
    };
    for root in roots() {
        let options = ["--rlimit", "nofile=170:180"];
        for launch in [
            root.launch(&options, &["sh", "-c", "ulimit -n; ulimit -Hn"]),
            sandbox(&root, &options, &["sh", "-c", "ulimit -n; ulimit -Hn"]),
            in_place(root.who, &options, &["sh", "-c", "ulimit -n; ulimit -Hn"]),
        ] {
            let out = lower(launch).run();
            if may_raise(root.who) {
                out.says("170\n180");
            } else {
                let line = format!("nsinit: cannot set --rlimit nofile=170:180: Operation not permitted {HINT}\n");
                out.is(125, "", &line);
            }
        }
        lower(root.launch(&["--rlimit", "nofile=155:160"], &["sh", "-c", "ulimit -n; ulimit -Hn"]))
            .run()
            .says("155\n160");
        let out = root.launch(&["--rlimit", "nofile=unlimited"], &["true"]).run();
        out.is(125, "", &format!("nsinit: cannot set --rlimit nofile=unlimited: Operation not permitted {HINT}\n"));
    }
}

/// nsinit itself leaves no core file in a container, but CMD has the limit that was asked for.
#[test]
fn limit_on_core_files_is_the_one_asked_for() {
    for root in roots() {
        let script = "ulimit -c; ulimit -Hc";
        root.sh(&["--rlimit", "core=512:1024"], script).says("1\n2");
        root.sh(&["--rlimit", "core=unlimited"], script).says("unlimited\nunlimited");
    }
}

#[test]
fn nice_value_is_set_and_only_root_lowers_it() {
    everywhere(&["--nice", "7"], &["/bin/sh", "-c", "set -- $(cat /proc/self/stat); echo ${19}"], "7");
    const HINT: &str = "(only root of the machine may set a lower number than nsinit has)";
    for root in roots() {
        let script = ["sh", "-c", "set -- $(cat /proc/self/stat); echo ${19}"];
        for launch in [root.launch(&["--nice", "-3"], &script), in_place(root.who, &["--nice", "-3"], &script)] {
            let out = launch.run();
            if root.who.is_root() {
                out.says("-3");
            } else {
                out.is(125, "", &format!("nsinit: cannot set --nice -3: Permission denied {HINT}\n"));
            }
        }
    }
}

#[test]
fn processors_are_those_of_the_list() {
    let script = ["/bin/busybox", "grep", "Cpus_allowed_list", "/proc/self/status"];
    everywhere(&["--cpus", "0"], &script, "Cpus_allowed_list:\t0");
    // Those that the machine does not have are ignored by the kernel, unless there is no other.
    everywhere(&["--cpus", "0,8000-8191"], &script, "Cpus_allowed_list:\t0");
    for root in roots() {
        let hint = "(none of these processors is online and in the cpuset of nsinit)";
        let out = root.run(&["--cpus", "8191"], &["true"]);
        out.is(125, "", &format!("nsinit: cannot set --cpus 8191: Invalid argument {hint}\n"));
    }
}

#[test]
fn oom_score_is_that_of_the_whole_launch() {
    everywhere(&["--oom-score-adj", "700"], &["/bin/busybox", "cat", "/proc/self/oom_score_adj"], "700");
    for root in roots() {
        let mut run = root.launch(&["--oom-score-adj", "700"], &["sh", "-c", "echo up; read x"]).open_input().start();
        run.line();
        for pid in [run.pid(), run.init(), run.cmd()] {
            let score = fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).expect("it runs");
            assert_eq!(score, "700\n");
        }
        run.finish();
        let out = root.run(&["--oom-score-adj", "-700"], &["cat", "/proc/self/oom_score_adj"]);
        if may_raise(root.who) {
            out.says("-700");
        } else {
            let hint = "(only root of the machine may set a lower number than nsinit has)";
            out.is(125, "", &format!("nsinit: cannot set --oom-score-adj -700: Permission denied {hint}\n"));
        }
    }
}

#[test]
fn memory_that_is_writable_does_not_become_executable() {
    let helper = ["/bin/helper", "limits"];
    everywhere(&[], &helper, "0 0");
    everywhere(&["--mdwe"], &helper, &format!("0 {}", libc::EACCES));
    // The flag is inherited.
    everywhere(&["--mdwe"], &["/bin/busybox", "sh", "-c", "cat /proc/self/status | grep -c State"], "1");
    for root in roots() {
        // PR_SET_MDWE
        let launch = root.launch(&["--mdwe"], &["true"]).deny(Deny::when(libc::SYS_prctl, 0, u64::MAX, 65, EINVAL));
        launch.run().fails("set --mdwe: Invalid argument");
    }
}

#[test]
fn securebits_are_set() {
    for root in roots() {
        let root = root.with_helper();
        let helper = ["/bin/helper", "limits"];
        let options = |bits| ["--securebits", bits];
        // Root has no capability then that is not ambient.
        let held = |options: &[&str]| root.run(options, &["grep", "CapEff", "/proc/self/status"]).text().to_owned();
        assert_ne!(held(&[]), "CapEff:\t0000000000000000");
        assert_eq!(held(&options("noroot,noroot-locked")), "CapEff:\t0000000000000000");
        for (bits, number) in
            [("noroot,noroot-locked", 3), ("47", 47), ("no-cap-ambient-raise-locked,no-cap-ambient-raise", 192)]
        {
            root.launch(&options(bits), &helper).run().says(&format!("{number} 0"));
            sandbox(&root, &options(bits), &helper).run().says(&format!("{number} 0"));
        }
        if let Some(container) = Container::new(root.who, Maker::Nsinit) {
            enter(root.who, container.init, &options("noroot"), &helper).run_with_others().says("1 0");
            container.end();
        }
        let out = in_place(root.who, &options("noroot"), &[utf8(scratch::helper()), "limits"]).run();
        if root.who.is_root() {
            out.says("1 0");
            // Another user, who keeps a capability that can no longer be raised.
            let other = ["--uid", "5", "--cap-add", "KILL", "--securebits", "no-cap-ambient-raise"];
            root.launch(&other, &helper).run().says("64 0");
            root.run(&other, &["grep", "CapEff", "/proc/self/status"]).says("CapEff:\t0000000000000020");
            root.launch(&["--uid", "5", "--securebits", "noroot"], &helper).run().says("1 0");
            root.run(&["--uid", "5", "--securebits", "noroot"], &["grep", "CapPrm", "/proc/self/status"])
                .says("CapPrm:\t0000000000000000");
        } else {
            let hint = "(this needs CAP_SETPCAP, and flags that the kernel knows and that are not locked)";
            out.is(125, "", &format!("nsinit: cannot set --securebits: Operation not permitted {hint}\n"));
        }
    }
}

/// Whether this kernel lets the root of a user namespace write the parameters of its IPC namespace (Linux 5.19).
fn has_ipc_parameters(root: &Root) -> bool {
    root.who.is_root() || root.run(&["--no-masks"], &["sh", "-c", "echo 4096 >/proc/sys/kernel/shmmax"]).status == 0
}

/// The parameters of each namespace, and what they are outside.
#[test]
fn kernel_parameters_are_set_inside_and_nowhere_else() {
    let host = |path: &str| fs::read_to_string(format!("/proc/sys/{path}")).unwrap_or_default();
    for root in roots() {
        let ipc = has_ipc_parameters(&root);
        if !ipc {
            skip("this kernel lets only root set the parameters of IPC namespaces");
        }
        for (word, path, value) in [
            ("net.ipv4.ip_forward=1", "net/ipv4/ip_forward", "1"),
            ("net/ipv4/ip_local_port_range=20000 30000", "net/ipv4/ip_local_port_range", "20000\t30000"),
            ("net.ipv4.conf.lo.forwarding=1", "net/ipv4/conf/lo/forwarding", "1"),
            ("kernel.domainname=inside", "kernel/domainname", "inside"),
            ("kernel.hostname=inside", "kernel/hostname", "inside"),
            ("kernel.shmmax=4096", "kernel/shmmax", "4096"),
            ("kernel/sem=1 2 3 4", "kernel/sem", "1\t2\t3\t4"),
            ("kernel.msgmax=99", "kernel/msgmax", "99"),
            ("fs.mqueue.msg_max=5", "fs/mqueue/msg_max", "5"),
        ] {
            if !ipc && !word.starts_with("net") && !word.contains("name") {
                continue;
            }
            let before = host(path);
            let file = format!("/proc/sys/{path}");
            root.run(&["--sysctl", word], &["cat", &file]).says(value);
            // /proc/sys is read-only for CMD all the same.
            root.sh(&["--sysctl", word], &format!("(echo 7 >{file}) 2>&- || echo refused")).says("refused");
            let kinds =
                ["--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-user", "--uid", "0", "--sysctl", word];
            sandbox(&root, &kinds, &["cat", &file]).run().says(value);
            assert_eq!(host(path), before, "{path}");
        }
        root.run(
            &["--sysctl", "net.ipv4.ip_forward=1", "--sysctl", "net.ipv4.ip_forward=0"],
            &["cat", "/proc/sys/net/ipv4/ip_forward"],
        )
        .says("0");
        let options = ["--unshare-ipc", "--unshare-user", "--uid", "5", "--sysctl", "kernel.shmmax=4096"];
        let hint = "(only user 0 may change it (use --uid 0), and in a user namespace only since Linux 5.19)";
        let line = format!("nsinit: cannot set --sysctl kernel.shmmax=4096: Permission denied {hint}\n");
        if !root.who.is_root() {
            sandbox(&root, &options, &["true"]).run().is(125, "", &line);
        }
        root.run(&["--hostname", "one", "--sysctl", "kernel.hostname=two"], &["hostname"]).says("two");
    }
}

#[test]
fn kernel_parameters_of_others_are_refused() {
    let host = |path: &str| fs::read_to_string(format!("/proc/sys/{path}")).unwrap_or_default();
    let before = [host("kernel/panic"), host("kernel/core_pattern"), host("net/ipv4/ip_forward")];
    for root in roots() {
        let refused = |options: &[&str], why: &str| {
            let out = root.run(options, &["echo", "ran"]);
            let word = options.last().expect("the option");
            out.is(125, "", &format!("nsinit: --sysctl {word}: {why}\n"));
        };
        for word in [
            "kernel.panic=1",
            "kernel.core_pattern=|/bin/x",
            "user.max_user_namespaces=9",
            "vm.swappiness=1",
            "fs.file-max=9",
            "netx.y=1",
            "kernel=1",
        ] {
            refused(&["--sysctl", word], "it belongs to the machine, not to a namespace of the container");
        }
        for word in [
            "net/../kernel/panic=1",
            "net..ipv4=1",
            "../net/x=1",
            "/net/x=1",
            "net.ipv4.=1",
            "net/ipv4/./ip_forward=1",
            "net.//.//.kernel.panic=1",
            "net.ipv4.ip_forward",
            "net.ipv4.ip_forward=",
            "=1",
        ] {
            refused(&["--sysctl", word], "not NAME=VALUE, with a name as in sysctl(8)");
        }
        refused(&["--share-net", "--sysctl", "net.ipv4.ip_forward=1"], "needs a new network namespace (--unshare-net)");
        refused(&["--share-ipc", "--sysctl", "kernel.shmmax=1"], "needs a new IPC namespace (--unshare-ipc)");
        refused(&["--share-uts", "--sysctl", "kernel.hostname=x"], "needs a new UTS namespace (--unshare-uts)");
        let out = sandbox(&root, &["--sysctl", "net.ipv4.ip_forward=1"], &["true"]).run();
        out.is(125, "", "nsinit: --sysctl net.ipv4.ip_forward=1: needs a new network namespace (--unshare-net)\n");
        let out = root.run(&["--sysctl", "net.no.such=1"], &["true"]);
        out.is(
            125,
            "",
            "nsinit: cannot set --sysctl net.no.such=1: No such file or directory (the kernel has no such setting in this \
             namespace: is a module missing?)\n",
        );
        root.run(&["--sysctl", "net.ipv4.ip_forward=x"], &["true"])
            .fails("set --sysctl net.ipv4.ip_forward=x: Invalid argument");
        root.run(&["--sysctl", "net.ipv4=1"], &["true"]).fails("set --sysctl net.ipv4=1: ");
        if let Some(container) = Container::new(root.who, Maker::Nsinit) {
            let options = ["--sysctl", "net.ipv4.ip_forward=1"];
            let out = enter(root.who, container.init, &options, &["true"]).run_with_others();
            out.is(125, "", "nsinit: --sysctl and --enter exclude each other (the container exists)\n");
            container.end();
        }
    }
    assert_eq!(before, [host("kernel/panic"), host("kernel/core_pattern"), host("net/ipv4/ip_forward")]);
}

/// The image's own /proc, and links in it, have no part in it.
#[test]
fn kernel_parameters_are_written_to_the_kernels_files() {
    for who in who::both() {
        let Some(root) = Root::bare(who) else { continue };
        let outside = super::harness::Dir::new(who);
        let victim = outside.file("victim", "untouched");
        root.dir("proc/sys/net/ipv4");
        root.symlink(&victim, "proc/sys/net/ipv4/ip_forward");
        root.symlink(outside.path(), "proc/sys/kernel");
        for options in [&["--no-proc"][..], &[]] {
            let options = [&["--sysctl", "net.ipv4.ip_forward=1", "--no-sys"], options].concat();
            root.run(&options, &["busybox", "true"]).text();
        }
        assert_eq!(outside.read("victim"), "untouched");
    }
}

#[test]
fn proc_shows_processes_only() {
    for root in roots() {
        let list = ["sh", "-c", "ls -d /proc/* | grep -v '[0-9]'; cat /proc/1/comm"];
        let expected = "/proc/self\n/proc/thread-self\nnsinit";
        root.run(&["--proc-subset"], &list).says(expected);
        sandbox(&root, &["--proc-subset"], &list).run().says(expected);
        root.run(&["--proc-subset", "--landlock-ro", "/", "--read-only"], &["cat", "/proc/self/comm"]).says("cat");
        let out = root.run(&["--proc-subset", "--no-proc"], &["true"]);
        out.is(125, "", "nsinit: --proc-subset needs a new /proc and a new pid namespace\n");
        root.run(&["--proc-subset", "--share-pid"], &["true"])
            .fails("--proc-subset needs a new /proc and a new pid namespace");
        root.run(&["--no-proc"], &["sh", "-c", "ls /proc"]).is(0, "", "");
    }
}

#[test]
fn wrong_values_are_refused() {
    for who in who::both() {
        let refused = |option: &str, value: &str, why: &str| {
            let out = in_place(who, &[option, value], &["echo", "ran"]).run();
            out.is(125, "", &format!("nsinit: {option} {value}: {why}\n"));
        };
        refused("--rlimit", "files=1", "no such resource (see prlimit(1))");
        refused("--rlimit", "nofile=1k", "not NAME=SOFT:HARD, with numbers or `unlimited`");
        refused("--rlimit", "nofile=2:1", "the soft limit is above the hard limit");
        for bad in ["20", "-21", "x", "+1", "1.5"] {
            refused("--nice", bad, "not a number from -20 to 19");
        }
        for bad in ["0-", "3-1", "8192", "0,,1", "all"] {
            refused("--cpus", bad, "not a list of processors such as 0-3,6 (a share of all: --cpu)");
        }
        for bad in ["1001", "-1001", "0x1"] {
            refused("--oom-score-adj", bad, "not a number from -1000 to 1000");
        }
        for bad in ["root", "noroot,", "4294967296"] {
            refused("--securebits", bad, "no such flag (see capabilities(7))");
        }
    }
}

/// A filter that the caller has set explains EPERM better than the caller's rights.
#[test]
fn refusal_of_a_filter_is_named() {
    let refused = |out: Out| {
        out.fails("Operation not permitted (nsinit was started under a seccomp filter, which may forbid this)");
    };
    for who in [Who::Root].into_iter().chain(who::both()).filter(|who| !who.is_root() || who::root().is_some()) {
        for (options, call) in [
            (["--nice", "5"], libc::SYS_setpriority),
            (["--cpus", "0"], libc::SYS_sched_setaffinity),
            (["--rlimit", "core=0"], libc::SYS_prlimit64),
        ] {
            refused(in_place(who, &options, &["true"]).deny(Deny::all(call, EPERM)).run());
        }
    }
}
