//! `nsinit --boot` as process 1 of a pid namespace. The launcher outside reports how reboot(2) ended it: 0 for
//! power-off and halt, 133 for a restart. `tests/vm` tests what needs a whole machine.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::harness::launch::send;
use super::harness::procs::{self, is_gone};
use super::harness::scratch::{nsinit, utf8};
use super::harness::{Deny, Dir, Launch, Root, Running, Who, roots, who};

pub const OFF: i32 = 0;
pub const RESTARTED: i32 = 133;

/// `nsinit --boot` in another nsinit that only makes the namespaces. Its root is the host's, where all file systems
/// are mounted.
pub fn machine(who: Who, around: &[&str], words: &[&str]) -> Launch {
    const NAMESPACES: [&str; 9] =
        ["--dev-bind", "/", "/", "--unshare-pid", "--no-masks", "--proc", "/proc", "--as-pid-1", "--cap-add=ALL"];
    let program = utf8(nsinit());
    Launch::new(who).args(NAMESPACES).args(around).args(["--", program, "--boot"]).args(words)
}

pub fn sh<'a>(options: &[&'a str], script: &'a str) -> Vec<&'a str> {
    [options, &["--", "/bin/sh", "-c", script]].concat()
}

/// Process 1, after the command has printed `up`.
fn up(run: &mut Running) -> procs::Pid {
    assert_eq!(run.line(), "up");
    run.init()
}

#[test]
fn on_exit_selects_poweroff_halt_or_reboot() {
    for who in who::both() {
        for (at_end, status) in [("poweroff", OFF), ("halt", OFF), ("reboot", RESTARTED)] {
            machine(who, &[], &sh(&["--on-exit", at_end], "echo ran")).run().is(status, "ran\n", "");
        }
        machine(who, &[], &sh(&[], "echo $$; exit 3")).run().is(OFF, "3\n", "");
    }
}

/// The signals of busybox init and of systemd. The command and all other processes get time to end.
#[test]
fn shutdown_signals_power_off_or_restart() {
    const BOTH: [(i32, i32); 8] = [
        (libc::SIGTERM, RESTARTED),
        (libc::SIGINT, RESTARTED),
        (libc::SIGUSR1, OFF),
        (libc::SIGUSR2, OFF),
        (libc::SIGPWR, OFF),
        (37, OFF),
        (38, OFF),
        (39, RESTARTED),
    ];
    for who in who::both() {
        for (signal, status) in BOTH {
            let script = "trap 'echo bye; exit' TERM; sh -c 'trap \"echo too; exit\" TERM; echo up; while :; do sleep 0.01; done' & wait";
            let mut run = machine(who, &[], &sh(&[], script)).start();
            send(up(&mut run), signal);
            let out = run.finish();
            let mut lines: Vec<_> = out.stdout.lines().collect();
            lines.sort_unstable();
            assert!(out.status == status && lines.contains(&"bye") && lines.contains(&"too"), "{signal}: {out}");
        }
    }
}

/// A process that ignores SIGTERM is killed after the grace; a second shutdown signal ends the grace.
#[test]
fn processes_that_ignore_term_are_killed_after_the_grace() {
    for who in who::both() {
        let script = "exec 2>/dev/null; trap 'echo asked' TERM; echo up; while :; do sleep 0.01; done";
        let mut run = machine(who, &[], &sh(&["--grace", "1"], script)).start();
        send(up(&mut run), libc::SIGTERM);
        // The command gets SIGTERM alone and then with all other processes, so `asked` may appear more than once.
        let out = run.finish();
        assert!(out.status == RESTARTED && out.stdout.lines().all(|line| line == "asked"), "{out}");
        let mut run = machine(who, &[], &sh(&["--grace", "1000"], script)).start();
        let first = up(&mut run);
        // The command has got SIGTERM, so process 1 has read the first signal.
        send(first, libc::SIGUSR2);
        assert_eq!(run.line(), "asked");
        send(first, libc::SIGTERM);
        run.finish().is(OFF, "", "");
    }
}

/// Without permission to call reboot(2), process 1 exits with the status of the command, even after a shutdown
/// signal.
#[test]
fn without_cap_sys_boot_the_exit_status_is_cmds() {
    for who in who::both() {
        let around = ["--cap-drop=CAP_SYS_BOOT"];
        machine(who, &around, &sh(&[], "exit 3")).run().is(3, "", "");
        let script = "trap 'exit 5' TERM; echo up; while :; do sleep 0.01; done";
        let mut run = machine(who, &around, &sh(&[], script)).start();
        send(up(&mut run), libc::SIGTERM);
        run.finish().is(5, "", "");
    }
}

#[test]
fn other_signals_are_forwarded_to_cmd() {
    for who in who::both() {
        for signal in [libc::SIGHUP, libc::SIGQUIT, libc::SIGWINCH, libc::SIGALRM, 34, 64] {
            let script = format!("trap 'echo got; exit' {signal}; echo up; while :; do sleep 0.01; done");
            let mut run = machine(who, &[], &sh(&[], &script)).start();
            send(up(&mut run), signal);
            run.finish().is(OFF, "got\n", "");
        }
    }
}

/// The restart is immediate after a long run; after short runs the pause grows (one second, then two).
#[test]
fn respawn_restarts_cmd_with_a_growing_pause() {
    for who in who::both() {
        for words in [["--respawn", "--grace=0"], ["--on-exit=respawn", "--grace=0"]] {
            let began = Instant::now();
            let mut run = machine(who, &[], &sh(&words, "echo up")).start();
            for _ in 0..3 {
                assert_eq!(run.line(), "up");
            }
            let took = began.elapsed();
            assert!(took >= Duration::from_secs(3), "three runs, one and two seconds between them, took {took:?}");
            send(run.init(), libc::SIGTERM);
            run.finish().is(RESTARTED, "", "");
        }
    }
}

/// The shell runs as the command did; its end is the end of the machine.
#[test]
fn on_exit_shell_starts_a_shell() {
    for who in who::both() {
        let words = sh(&["--on-exit", "shell"], "echo cmd; exit 3");
        machine(who, &[], &words).input("echo shell $((6 * 7))\nexit 9\n").run().is(OFF, "cmd\nshell 42\n", "");
        // Without a command there is only the shell.
        machine(who, &[], &[]).input("echo alone\n").run().is(OFF, "alone\n", "");
    }
}

/// Whatever the command line is, the machine ends.
#[test]
fn usage_errors_end_the_machine_as_on_exit_says() {
    for who in who::both() {
        let run = |words: &[&str]| machine(who, &[], words).run();
        run(&["--nope"]).is(OFF, "", "nsinit: unknown option '--nope' (see nsinit --help)\n");
        run(&["--on-exit", "never"]).is(
            OFF,
            "",
            "nsinit: --on-exit never: not one of poweroff, reboot, halt, shell and respawn\n",
        );
        run(&["--on-exit", "reboot", "--detach", "--", "true"]).is(
            RESTARTED,
            "",
            "nsinit: --boot and --detach exclude each other\n",
        );
        // `--on-exit=shell` starts a shell after a usage error, too.
        let out = machine(who, &[], &["--on-exit=shell", "--nope"]).input("echo here\n").run();
        assert!(out.status == OFF && out.stdout == "here\n" && out.stderr.contains("--nope"), "{out}");
        run(&["nosuch"]).is(OFF, "", "nsinit: cannot execute nosuch: No such file or directory\n");
        run(&["--root", "/no/such", "--", "true"]).is(
            OFF,
            "",
            "nsinit: cannot open root /no/such: No such file or directory\n",
        );
        run(&["--switch-root", "/tmp", "--unshare-pid", "--", "/x"]).is(
            OFF,
            "",
            "nsinit: --switch-root makes no container: of the options of a container it takes --image, --volatile, --overlay-root, --overlay-device and the operations on the root\n",
        );
        let line = "nsinit: --overlay-device needs --switch-root or root=\n";
        run(&["--root", "/", "--overlay-device", "/dev/null", "--", "true"]).is(OFF, "", line);
        let line = "nsinit: --overlay-root and --overlay-device exclude each other, --read-only and --volatile\n";
        for other in [&["--volatile"][..], &["--overlay-root", "/a", "/b"]] {
            let words = [&["--switch-root", "/tmp", "--overlay-device", "/dev/null"], other, &["--", "/x"]].concat();
            run(&words).is(OFF, "", line);
        }
        assert!(run(&["--version"]).stdout.starts_with("nsinit "));
    }
}

/// nsinit does not switch to a root in which it could not continue.
#[test]
fn switch_root_refuses_unusable_roots() {
    for who in who::both() {
        let run = |words: &[&str]| machine(who, &["--tmpfs", "/mnt", "--dir", "/mnt/sub"], words).run();
        run(&["--switch-root", "/no/such"]).is(
            OFF,
            "",
            "nsinit: cannot switch to root /no/such: No such file or directory\n",
        );
        run(&["--switch-root", "/mnt"]).is(
            OFF,
            "",
            "nsinit: cannot execute /sbin/init: No such file or directory (in the new root; nothing was switched)\n",
        );
        let directory = nsinit().parent().and_then(Path::to_str).expect("it is in a directory");
        run(&["--switch-root", directory, "--", "/nsinit"]).is(
            OFF,
            "",
            &format!("nsinit: cannot switch to root {directory}: it is not the mount point of another file system\n"),
        );
        for more in [["--enter", "1"], ["--pid-file", "/x"], ["--rewrite", "1:2"], ["--grace", "1"], ["--name", "x"]] {
            let out = run(&[&["--switch-root", "/mnt"], &more[..], &["--", "/x"]].concat());
            assert!(
                out.status == OFF
                    && out.stderr.contains(
                        "--switch-root excludes the options for which a process of nsinit would have to stay behind"
                    ),
                "{more:?}: {out}"
            );
        }
        run(&["--switch-root", "/mnt", "--", "sh"]).is(
            OFF,
            "",
            "nsinit: --switch-root needs the absolute path of the new init\n",
        );
    }
}

/// The new init is process 1 in the new root, with the mounts that the old root had.
#[test]
fn switch_root_executes_the_new_init_as_process_1() {
    for root in roots() {
        if !root.who.is_root() {
            continue;
        }
        let bin = root.at("bin");
        let around = ["--tmpfs", "/mnt", "--bind", utf8(&bin), "/mnt/bin"];
        let script = "echo $$; ls -d /usr /proc/self /dev/null; grep -c . /proc/mounts >/dev/null; exec true";
        let words = ["--switch-root", "/mnt", "--", "/bin/sh", "-c", script];
        let out = machine(root.who, &around, &words).run();
        // The exit status of the new init does not matter.
        assert!(out.status == 0 && out.stdout.starts_with("1\n") && !out.stdout.contains("/usr"), "{out}");
        assert!(out.stdout.contains("/proc/self\n") && out.stdout.contains("/dev/null\n"), "{out}");
    }
}

#[test]
fn boot_options_are_refused_outside_process_1() {
    for who in who::both() {
        let line = "--boot and --switch-root need process 1";
        for words in [&["--boot", "--", "true"][..], &["--switch-root", "/mnt", "--", "/bin/sh"]] {
            Launch::new(who).args(words).run().fails(line);
        }
        for words in [["--respawn", "true"], ["--on-exit=halt", "true"]] {
            Launch::new(who).args(words).run().fails("--on-exit and --respawn need --boot");
        }
        Launch::new(who).args(["--on-exit=poweroff", "true"]).run().fails("--on-exit and --respawn need --boot");
        for option in [
            "--watchdog=9",
            "--seed=/x",
            "--clock-epoch=/x",
            "--exit-port=0xf4",
            "--exit-vsock=2:9",
            "--no-power-button",
        ] {
            let line = "--watchdog, --seed, --clock-epoch, --exit-port, --exit-vsock and --no-power-button need --boot";
            Launch::new(who).args([option, "true"]).run().fails(line);
        }
        for (word, why) in [
            ("--exit-port=0x10000", "--exit-port 0x10000: not a port from 0 to 65535, for example 0xf4"),
            ("--exit-port=f4", "--exit-port f4: not a port from 0 to 65535, for example 0xf4"),
            ("--exit-vsock=9999", "--exit-vsock 9999: not CID:PORT, for example 2:9999"),
            ("--exit-vsock=2:x", "--exit-vsock 2:x: not CID:PORT, for example 2:9999"),
        ] {
            Launch::new(who).args([word, "true"]).run().fails(why);
        }
        Launch::new(who).args(["--watchdog=0", "true"]).run().fails("--watchdog 0: not a number of seconds, 1 or more");
        let out = Launch::new(who).args(["--boot", "--explain", "--root", "/x", "--", "true"]).run();
        let lines = out.text();
        assert!(
            lines.starts_with("process 1:\n  stop ignoring SIGCHLD\n") && lines.contains("\n  enter root /x\n"),
            "{out}"
        );
    }
}

/// With `--root` it runs a container as usual; a shutdown signal to process 1 ends the container.
#[test]
fn boot_with_root_runs_a_container() {
    for root in roots() {
        let words = ["--root", root.str(), "--hostname=box", "--", "/bin/sh", "-c", "hostname"];
        machine(root.who, &[], &words).run().is(OFF, "box\n", "");
        let words =
            ["--root", root.str(), "--", "/bin/sh", "-c", "trap 'echo bye; exit' TERM; sleep 1000 & echo up; wait"];
        let mut run = machine(root.who, &[], &words).start();
        let first = up(&mut run);
        let all = procs::tree(first);
        send(first, libc::SIGUSR2);
        run.finish().is(OFF, "bye\n", "");
        assert!(all.len() >= 4 && all.into_iter().all(is_gone));
    }
}

/// Process 1 of a container's pid namespace does not boot, whatever system call fails, with and without a /proc.
#[test]
fn process_1_of_a_container_does_not_boot() {
    for root in roots() {
        let dir = Dir::new(root.who);
        let filter = dir.at("filter");
        for deny in [None, Some(libc::SYS_reboot), Some(libc::SYS_fsopen), Some(libc::SYS_statfs)] {
            write_filter(&filter, Deny::all(deny.unwrap_or(469), libc::ENOSYS));
            for proc in [&["--proc", "/proc"][..], &[]] {
                let program = utf8(nsinit());
                let namespaces =
                    ["--dev-bind", "/", "/", "--unshare-pid", "--as-pid-1", "--cap-add=ALL", "--seccomp", "9"];
                let words = ["--", program, "--", "/bin/sh", "-c", "exit 7"];
                let launch = Launch::new(root.who).args(namespaces).args(proc).args(words).open_as(&filter, 9);
                launch.run().is(7, "", "");
            }
        }
    }
}

/// Under the name `init` nsinit needs no option; without arguments it reads them from /etc/nsinit.args.
#[test]
fn name_init_boots_and_reads_nsinit_args() {
    for root in roots() {
        let root: &Root = &root;
        let dir = Dir::new(root.who);
        dir.symlink(nsinit(), "init");
        let program = dir.at("init");
        let program = utf8(&program);
        let args = dir.file("args", "# what runs\n--on-exit reboot\n-- /bin/sh -c \"echo  from a file\"\n");
        let around = ["--dev-bind", "/", "/", "--tmpfs", "/etc", "--ro-bind", utf8(&args), "/etc/nsinit.args"];
        let namespaces = ["--unshare-pid", "--proc", "/proc", "--as-pid-1", "--cap-add=ALL", "--", program];
        let run = |words: &[&str]| Launch::new(root.who).args(around).args(namespaces).args(words).run();
        run(&[]).is(RESTARTED, "from a file\n", "");
        // With arguments it is the init of a container image.
        run(&["--", "/bin/sh", "-c", "exit 7"]).is(7, "", "");
    }
}

/// Each system call in turn fails, for process 1 and its children: nsinit ends with a status of its own, never by a
/// fault or a hang.
#[test]
fn boot_exits_cleanly_whichever_call_fails() {
    /// The calls that no program can do without, and those that never fail (getpid(2), geteuid(2)).
    const BASIC: [i64; 8] = [
        libc::SYS_execve,
        libc::SYS_exit_group,
        libc::SYS_exit,
        libc::SYS_write,
        libc::SYS_mmap,
        libc::SYS_getpid,
        libc::SYS_geteuid,
        libc::SYS_getegid,
    ];
    const LAST: i64 = 470;
    for who in who::both() {
        let dir = Dir::new(who);
        let filter = dir.at("filter");
        for call in (0..LAST).filter(|call| !BASIC.contains(call)) {
            for errno in [libc::EPERM, libc::ENOSYS] {
                write_filter(&filter, Deny::all(call, errno));
                let words = ["--grace=0", "--", "/bin/true"];
                let out = machine(who, &["--seccomp", "9"], &words).open_as(&filter, 9).run();
                // Without reboot(2) it exits as other programs do.
                let right = matches!(out.status, OFF | 125 | 126 | 127 | 1);
                assert!(right && out.stdout.is_empty(), "{call} answers {errno}: {out}");
            }
        }
    }
}

fn write_filter(path: &Path, deny: Deny) {
    let mut bytes = Vec::new();
    for line in deny.filter() {
        bytes.extend_from_slice(&line.code.to_ne_bytes());
        bytes.extend_from_slice(&[line.jt, line.jf]);
        bytes.extend_from_slice(&line.k.to_ne_bytes());
    }
    fs::write(path, bytes).expect("write a filter");
}

/// In a container the clock and the kernel's random numbers are not process 1's to set. The files are renewed all the same.
#[test]
fn clock_and_seed_that_cannot_be_set_are_warnings() {
    // As root it would be the clock of the host.
    let Some(who) = who::user() else { return };
    let dir = Dir::new(who);
    let (clock, seed) = (dir.file("clock", ""), dir.file("seed", "secret"));
    fs::set_permissions(&seed, Permissions::from_mode(0o600)).expect("hide the seed");
    let future = SystemTime::now() + Duration::from_secs(1 << 30);
    fs::File::options().write(true).open(&clock).and_then(|file| file.set_modified(future)).expect("set a time");
    let words = ["--clock-epoch", utf8(&clock), "--seed", utf8(&seed)];
    let out = machine(who, &[], &sh(&words, &format!("stat -c %a {}", utf8(&seed)))).run();
    let (clock_name, seed_name) = (utf8(&clock), utf8(&seed));
    let lines = format!(
        "nsinit: cannot set the clock by {clock_name}: Operation not permitted\n\
         nsinit: the seed {seed_name} is not credited: others than root may read or write it\n\
         nsinit: cannot take the seed {seed_name}: Operation not permitted\n"
    );
    out.is(OFF, "600\n", &lines);
    assert!(fs::metadata(&seed).expect("find the seed").len() == 512);
    let renewed = fs::metadata(&clock).and_then(|data| data.modified()).expect("find the clock's file");
    assert!(renewed < future);
}
