//! `nsinit --boot`, as process 1 of a pid namespace, whose end by reboot(2) the launcher outside tells: 0 for off and halt, 133
//! for a restart. What only a whole machine shows is in `tests/vm`.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::harness::launch::send;
use super::harness::procs::{self, is_gone};
use super::harness::scratch::nsinit;
use super::harness::{Deny, Dir, Launch, Root, Running, Who, roots, who};

const OFF: i32 = 0;
const RESTARTED: i32 = 133;

/// nsinit that boots, in another nsinit that only makes the namespaces. The host's root is its own: all is mounted.
fn machine(who: Who, around: &[&str], words: &[&str]) -> Launch {
    const NAMESPACES: [&str; 9] =
        ["--dev-bind", "/", "/", "--unshare-pid", "--no-masks", "--proc", "/proc", "--as-pid-1", "--cap-add=ALL"];
    let program = nsinit().to_str().expect("scratch paths are UTF-8");
    Launch::new(who).args(NAMESPACES).args(around).args(["--", program, "--boot"]).args(words)
}

fn sh<'a>(options: &[&'a str], script: &'a str) -> Vec<&'a str> {
    [options, &["--", "/bin/sh", "-c", script]].concat()
}

/// The supervisor, once CMD has said that it is up.
fn up(run: &mut Running) -> procs::Pid {
    assert_eq!(run.line(), "up");
    run.init()
}

#[test]
fn it_ends_as_was_asked_for() {
    for who in who::both() {
        for (at_end, status) in [("poweroff", OFF), ("halt", OFF), ("reboot", RESTARTED)] {
            machine(who, &[], &sh(&["--on-exit", at_end], "echo ran")).run().is(status, "ran\n", "");
        }
        machine(who, &[], &sh(&[], "echo $$; exit 3")).run().is(OFF, "3\n", "");
    }
}

/// Both numberings; CMD, and who else is there, gets the time to end.
#[test]
fn signals_end_it() {
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

/// Who does not obey is killed after the grace; a second word for the end ends the grace.
#[test]
fn who_does_not_obey_is_killed() {
    for who in who::both() {
        let script = "exec 2>/dev/null; trap 'echo asked' TERM; echo up; while :; do sleep 0.01; done";
        let mut run = machine(who, &[], &sh(&["--grace", "1"], script)).start();
        send(up(&mut run), libc::SIGTERM);
        // Alone, and then with everybody, of whom one forwards it.
        let out = run.finish();
        assert!(out.status == RESTARTED && out.stdout.lines().all(|line| line == "asked"), "{out}");
        let mut run = machine(who, &[], &sh(&["--grace", "1000"], script)).start();
        let first = up(&mut run);
        // CMD has been asked: the first has been taken.
        send(first, libc::SIGUSR2);
        assert_eq!(run.line(), "asked");
        send(first, libc::SIGTERM);
        run.finish().is(OFF, "", "");
    }
}

/// Where reboot(2) may not be asked, the end is that of any other program: CMD's status, of an end that was asked for too.
#[test]
fn without_the_right_to_reboot_it_ends_with_cmds_status() {
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
fn the_other_signals_are_cmds() {
    for who in who::both() {
        for signal in [libc::SIGHUP, libc::SIGQUIT, libc::SIGWINCH, libc::SIGALRM, 34, 64] {
            let script = format!("trap 'echo got; exit' {signal}; echo up; while :; do sleep 0.01; done");
            let mut run = machine(who, &[], &sh(&[], &script)).start();
            send(up(&mut run), signal);
            run.finish().is(OFF, "got\n", "");
        }
    }
}

/// At once if it ran for long, else with a pause that grows: in the time of the first three there are no more.
#[test]
fn it_starts_again() {
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

/// The shell has what CMD had; its end is that of the machine.
#[test]
fn a_shell_at_the_end() {
    for who in who::both() {
        let words = sh(&["--on-exit", "shell"], "echo cmd; exit 3");
        machine(who, &[], &words).input("echo shell $((6 * 7))\nexit 9\n").run().is(OFF, "cmd\nshell 42\n", "");
        // Without a CMD that is all.
        machine(who, &[], &[]).input("echo alone\n").run().is(OFF, "alone\n", "");
    }
}

/// Whatever the command line is, the machine has an end.
#[test]
fn what_can_not_be_meant() {
    for who in who::both() {
        let run = |words: &[&str]| machine(who, &[], words).run();
        run(&["--nope"]).is(
            OFF,
            "",
            "nsinit: use an option --nope: there is none of that name; nsinit --help lists them\n",
        );
        run(&["--on-exit", "never"]).is(
            OFF,
            "",
            "nsinit: use --on-exit never: it is none of poweroff, reboot, halt, shell and respawn\n",
        );
        run(&["--on-exit", "reboot", "--detach", "--", "true"]).is(
            RESTARTED,
            "",
            "nsinit: use --boot: and --detach is not permitted: the machine ends with CMD\n",
        );
        // Who wants a shell gets one.
        let out = machine(who, &[], &["--on-exit=shell", "--nope"]).input("echo here\n").run();
        assert!(out.status == OFF && out.stdout == "here\n" && out.stderr.contains("--nope"), "{out}");
        run(&["nosuch"]).is(OFF, "", "nsinit: execute nosuch: No such file or directory\n");
        run(&["--root", "/no/such", "--", "true"]).is(
            OFF,
            "",
            "nsinit: open root /no/such: No such file or directory\n",
        );
        run(&["--switch-root", "/tmp", "--tmpfs", "/x", "--", "/x"]).is(
            OFF,
            "",
            "nsinit: --switch-root makes no container: of what makes one only --image goes with it\n",
        );
        assert!(run(&["--version"]).stdout.starts_with("nsinit "));
    }
}

/// Nothing is switched where it could not go on.
#[test]
fn a_root_that_can_not_be_switched_to() {
    for who in who::both() {
        let run = |words: &[&str]| machine(who, &["--tmpfs", "/mnt", "--dir", "/mnt/sub"], words).run();
        run(&["--switch-root", "/no/such"]).is(OFF, "", "nsinit: switch to root /no/such: No such file or directory\n");
        run(&["--switch-root", "/mnt"]).is(
            OFF,
            "",
            "nsinit: execute /sbin/init: No such file or directory (in the new root; nothing was switched)\n",
        );
        let directory = nsinit().parent().and_then(Path::to_str).expect("it is in a directory");
        run(&["--switch-root", directory, "--", "/nsinit"]).is(
            OFF,
            "",
            &format!("nsinit: switch to root {directory}: it is no mount of another file system\n"),
        );
        for more in [["--enter", "1"], ["--pid-file", "/x"], ["--rewrite", "1:2"], ["--grace", "1"], ["--name", "x"]] {
            let out = run(&[&["--switch-root", "/mnt"], &more[..], &["--", "/x"]].concat());
            assert!(
                out.status == OFF && out.stderr.contains("use --switch-root: leaves nobody behind"),
                "{more:?}: {out}"
            );
        }
        run(&["--switch-root", "/mnt", "--", "sh"]).is(
            OFF,
            "",
            "nsinit: use --switch-root: requires the path of the init that takes over\n",
        );
    }
}

/// The init that takes over is process 1, of the new root, with what was mounted in the old one.
#[test]
fn another_root_takes_over() {
    for root in roots() {
        if !root.who.is_root() {
            continue;
        }
        let bin = root.at("bin");
        let around = ["--tmpfs", "/mnt", "--bind", bin.to_str().expect("UTF-8"), "/mnt/bin"];
        let script = "echo $$; ls -d /usr /proc/self /dev/null; grep -c . /proc/mounts >/dev/null; exec true";
        let words = ["--switch-root", "/mnt", "--", "/bin/sh", "-c", script];
        let out = machine(root.who, &around, &words).run();
        // What it exits with is its own affair.
        assert!(out.status == 0 && out.stdout.starts_with("1\n") && !out.stdout.contains("/usr"), "{out}");
        assert!(out.stdout.contains("/proc/self\n") && out.stdout.contains("/dev/null\n"), "{out}");
    }
}

#[test]
fn only_process_1_boots() {
    for who in who::both() {
        let line = "it is for process 1, of a machine or of a pid namespace";
        for words in [&["--boot", "--", "true"][..], &["--switch-root", "/mnt", "--", "/bin/sh"]] {
            Launch::new(who).args(words).run().fails(line);
        }
        for words in [["--respawn", "true"], ["--on-exit=halt", "true"]] {
            Launch::new(who).args(words).run().fails("use --on-exit and --respawn: requires --boot");
        }
        Launch::new(who)
            .args(["--on-exit=poweroff", "true"])
            .run()
            .fails("use --on-exit and --respawn: requires --boot");
        let out = Launch::new(who).args(["--boot", "--explain", "--root", "/x", "--", "true"]).run();
        let lines = out.text();
        assert!(
            lines.starts_with("process 1:\n  stop ignoring SIGCHLD\n") && lines.contains("\n  make / of /x\n"),
            "{out}"
        );
    }
}

/// As a container it is what it ever is, and whoever ends the machine ends it.
#[test]
fn a_container_boots() {
    for root in roots() {
        let words = ["--root", root.str(), "--hostname=box", "--", "/bin/sh", "-c", "hostname"];
        machine(root.who, &[], &words).run().is(OFF, "box\n", "");
        let words =
            ["--root", root.str(), "--", "/bin/sh", "-c", "trap 'echo bye; exit' TERM; echo up; sleep 1000 & wait"];
        let mut run = machine(root.who, &[], &words).start();
        let first = up(&mut run);
        let all = procs::tree(first);
        send(first, libc::SIGUSR2);
        run.finish().is(OFF, "bye\n", "");
        assert!(all.len() >= 4 && all.into_iter().all(is_gone));
    }
}

/// Process 1 of a pid namespace is none of a machine, whatever it may ask the kernel; nor is it in a container without a /proc.
#[test]
fn a_container_is_no_machine() {
    for root in roots() {
        let dir = Dir::new(root.who);
        let filter = dir.at("filter");
        for deny in [None, Some(libc::SYS_reboot), Some(libc::SYS_fsopen), Some(libc::SYS_statfs)] {
            write_filter(&filter, Deny::all(deny.unwrap_or(469), libc::ENOSYS));
            for proc in [&["--proc", "/proc"][..], &[]] {
                let program = nsinit().to_str().expect("UTF-8");
                let namespaces =
                    ["--dev-bind", "/", "/", "--unshare-pid", "--as-pid-1", "--cap-add=ALL", "--seccomp", "9"];
                let words = ["--", program, "--", "/bin/sh", "-c", "exit 7"];
                let launch = Launch::new(root.who).args(namespaces).args(proc).args(words).open_as(&filter, 9);
                launch.run().is(7, "", "");
            }
        }
    }
}

/// Under its other name it needs no option; its words are in a file if there are none.
#[test]
fn under_the_name_init() {
    for root in roots() {
        let root: &Root = &root;
        let dir = Dir::new(root.who);
        dir.symlink(nsinit(), "init");
        let program = dir.at("init");
        let program = program.to_str().expect("UTF-8");
        let args = dir.file("args", "# what runs\n--on-exit reboot\n-- /bin/sh -c \"echo  from a file\"\n");
        let around =
            ["--dev-bind", "/", "/", "--tmpfs", "/etc", "--ro-bind", args.to_str().expect("UTF-8"), "/etc/nsinit.args"];
        let namespaces = ["--unshare-pid", "--proc", "/proc", "--as-pid-1", "--cap-add=ALL", "--", program];
        let run = |words: &[&str]| Launch::new(root.who).args(around).args(namespaces).args(words).run();
        run(&[]).is(RESTARTED, "from a file\n", "");
        // With words it is the init of an image.
        run(&["--", "/bin/sh", "-c", "exit 7"]).is(7, "", "");
    }
}

/// Every call refused in turn, of all that the first process and its children make: it comes to an end of its own, and never by
/// a fault or a hang.
#[test]
fn no_refusal_is_its_end() {
    /// What no program can be without, and what never fails (getpid(2), geteuid(2)).
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
                // Without reboot(2) it ends as other programs do.
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
