//! Reaping and teardown: however a process ends, no process is left.

use std::fs;
use std::thread::{available_parallelism, sleep};
use std::time::{Duration, Instant};

use super::harness::launch::{exists, send};
use super::harness::procs::{Pid, eventually, is_gone};
use super::harness::scratch::nsinit;
use super::harness::{Launch, has_options, roots};

/// A background process that runs `then` on SIGTERM; the command runs `rest` once that process is ready.
fn with_leftover(then: &str, rest: &str) -> String {
    format!(
        "(exec 2>/dev/null; trap '{then}' TERM; touch /dev/shm/up; while :; do sleep 0.01; done) &
        while [ ! -e /dev/shm/up ]; do sleep 0.01; done; {rest}"
    )
}

#[test]
fn leftover_processes_get_term() {
    for root in roots() {
        root.sh(&[], &with_leftover("echo term; exit", "exit 3")).is(3, "term\n", "");
        root.sh(&["--share-pid", "--tmpfs", "/dev/shm"], &with_leftover("echo term; exit", "exit 3"))
            .is(3, "term\n", "");
    }
}

#[test]
fn stopped_leftover_processes_get_cont_and_term() {
    for root in roots() {
        let script = "sh -c 'trap \"echo term; exit\" TERM; kill -STOP $$; while :; do sleep 0.01; done' &
            until grep -q '^State:.T' /proc/$!/status; do sleep 0.01; done; exit 3";
        root.sh(&[], script).is(3, "term\n", "");
    }
}

#[test]
fn leftover_processes_are_killed_after_the_grace() {
    for root in roots() {
        let script = with_leftover("", "exit 3");
        let took = |options: &[&str]| {
            let out = root.sh(options, &script);
            out.is(3, "", "");
            out.took
        };
        for (options, at_least) in [(&[][..], 2), (&["--grace", "1"], 1)] {
            let took = took(options);
            assert!(took >= Duration::from_secs(at_least), "{options:?}: took {took:?}");
        }
        // Less than the default. On a machine with other work some tries take longer.
        assert!((0..20).any(|_| took(&["--grace", "0"]) < Duration::from_secs(2)));
    }
}

/// The grace is an upper bound: it costs no time if all processes end on SIGTERM, or none is left.
#[test]
fn grace_ends_when_no_process_is_left() {
    for root in roots() {
        for script in
            ["exit 4", "sleep 1000 & exit 4", "setsid sleep 1000 & exit 4", "(sleep 1000 & sleep 1000) & exit 4"]
        {
            // More time than a test has.
            root.sh(&["--grace", "1000"], script).is(4, "", "");
        }
    }
}

#[test]
fn wait_all_waits_for_the_last_process() {
    for root in roots() {
        let script = "(sleep 0.3; echo late) & echo first; exit 3";
        root.sh(&[], &script.replace("0.3", "1000")).is(3, "first\n", "");
        root.sh(&["--wait-all"], script).is(3, "first\nlate\n", "");
        root.sh(&["--wait-all"], "exit 5").is(5, "", "");
        root.sh(&["--wait-all", "--share-pid"], script).is(3, "first\nlate\n", "");
    }
}

#[test]
fn ten_thousand_orphans_are_reaped() {
    for root in roots() {
        root.with_helper().run(&[], &["helper", "orphans", "10000"]).is(0, "", "");
    }
}

/// The exit status is the command's, not that of an orphan that ended about the same time.
#[test]
fn exit_status_is_never_an_orphans() {
    for root in roots() {
        for _ in 0..20 {
            root.sh(&[], "for i in 1 2 3 4 5; do (sh -c 'exit 9' &); done; exit 6").is(6, "", "");
        }
    }
}

#[test]
fn killed_process_1_gives_137() {
    for root in roots() {
        let mut running = root.launch(&[], &["sh", "-c", "echo up; sleep 1000"]).start();
        assert_eq!(running.line(), "up");
        send(running.init(), libc::SIGKILL);
        running.finish().is(137, "", "");
    }
}

/// reboot(2) in a pid namespace ends only that namespace. The script first makes sure that it is in one.
#[test]
fn reboot_inside_ends_the_container() {
    for root in roots() {
        for (command, status) in [("reboot", 133), ("poweroff", 0), ("halt", 0)] {
            let script = format!("[ $$ -lt 10 ] && [ $(cat /proc/1/comm) = nsinit ] && {command} -f; sleep 1000");
            root.sh(&["--cap-add", "CAP_SYS_BOOT"], &script).is(status, "", "");
        }
    }
}

/// SIGTERM at any moment from the start on: the launcher ends, and leaves nothing.
#[test]
fn sigterm_at_any_moment_leaves_nothing() {
    for root in roots() {
        for round in 0..60 {
            let running = root.launch(&[], &["sleep", "1000"]).start();
            pause(Duration::from_micros(round * 80));
            running.kill(libc::SIGTERM);
            let out = running.finish();
            assert!([143, -libc::SIGTERM].contains(&out.status), "{out}");
        }
    }
}

/// The moment moves from nsinit's first instruction to well after the start of the command.
#[test]
fn sigkill_at_any_moment_leaves_nothing() {
    const ROUNDS: u64 = 250;
    for root in roots() {
        let source = root.dir("mnt");
        let options = ["--bind", source.to_str().unwrap(), "/tmp", "--hostname", "x", "--tmpfs", "/etc"];
        let before = root.listing();
        for round in 0..ROUNDS {
            let running = root.launch(&options, &["sh", "-c", "sleep 1000 & sleep 1000"]).start();
            pause(Duration::from_micros(round * 5000 / ROUNDS));
            running.kill(libc::SIGKILL);
            running.finish().is(-libc::SIGKILL, "", "");
        }
        assert_eq!(before, root.listing());
    }
}

/// The same with options that change the tree of processes.
#[test]
fn sigkill_leaves_nothing_under_other_options() {
    for root in roots() {
        for options in [
            &["--as-pid-1"][..],
            &["--share-pid"],
            &["--new-session"],
            &["--wait-all"],
            &["--uid", "7"],
            &["--volatile"],
        ]
        .into_iter()
        .filter(|options| has_options(options))
        {
            for delay in [0, 1, 3, 30] {
                let running = root.launch(options, &["sleep", "1000"]).start();
                pause(Duration::from_millis(delay));
                running.kill(libc::SIGKILL);
                running.finish().is(-libc::SIGKILL, "", "");
            }
        }
    }
}

/// The helper that makes the network is killed at some moment: the launch reports it and leaves nothing, or it works. With one
/// processor there is no helper.
#[test]
fn killed_helper_is_reported() {
    let processors = available_parallelism().map_or(1, |count| count.get());
    for root in roots() {
        let mut reported = 0;
        for _ in 0..1000 {
            let running = root.launch(&[], &["true"]).start();
            if let Some(helper) = second_child(running.pid()) {
                send(helper, libc::SIGKILL);
            }
            let out = running.finish();
            if out.status != 0 {
                let line =
                    "nsinit: cannot start a helper that makes the network: a signal killed the process that does it\n";
                out.is(125, "", line);
                reported += 1;
            }
            if reported == 10 {
                break;
            }
        }
        assert_eq!(reported > 0, processors > 1);
    }
}

/// The child of a launcher that begins after process 1, once there is one; None: the launcher has ended, or its children have.
fn second_child(launcher: Pid) -> Option<Pid> {
    let mut begun = false;
    loop {
        let children = fs::read_to_string(format!("/proc/{launcher}/task/{launcher}/children")).ok()?;
        let mut children = children.split_whitespace();
        match (children.next(), children.next()) {
            (_, Some(second)) => return second.parse().ok(),
            (None, _) if begun || is_gone(launcher) => return None,
            (first, _) => begun |= first.is_some(),
        }
    }
}

/// A busy wait, because sleep(2) is not exact enough: these tests vary the moment.
fn pause(time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

/// nsinit gets a parent of its own: PR_SET_PDEATHSIG acts on the end of the thread that forked, and the threads here
/// are libtest's.
#[test]
fn die_with_parent_ends_the_launcher_with_its_parent() {
    for root in roots() {
        for (option, dies) in [("--die-with-parent", true), ("--wait-all", false)] {
            let shell = Launch::of(root.who, "/bin/sh".as_ref())
                .args(["-c", "\"$0\" \"$@\" & echo $!; read x"])
                .args([nsinit()]);
            let mut running =
                shell.args(["--root", root.str(), option, "sh", "-c", "echo up; sleep 1000"]).open_input().start();
            let mut lines = [running.line(), running.line()];
            lines.sort();
            assert_eq!(lines[1], "up");
            let launcher = lines[0].parse().unwrap();
            running.kill(libc::SIGKILL);
            if !dies {
                sleep(Duration::from_millis(100));
                assert!(exists(launcher), "without --die-with-parent the launcher keeps running");
                send(launcher, libc::SIGTERM);
            }
            running.finish().is(-libc::SIGKILL, "", "");
            eventually("the launcher has ended", || is_gone(launcher).then_some(()));
        }
    }
}
