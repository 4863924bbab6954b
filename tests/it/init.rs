//! nsinit as init without a container: `nsinit -- CMD`, as process 1 of a pid namespace and as any process. INIT.md
//! line by line; behaviour that the other names share is in `compat/common.rs`.

use std::fs;
use std::time::{Duration, Instant};

use super::compat::common::{self, adopts, each, recorder, sleeping_cmd};
use super::compat::subject::tester;
use super::compat::{Place, Subject, Suite, helper, is, signals, terminal};
use super::harness::launch::send;
use super::harness::procs::{self, eventually, is_gone, stat};
use super::harness::scratch::{self, Dir, nsinit, utf8};
use super::harness::{Deny, Launch, budget, roots, skip_for_this_build};

static NATIVE: Suite = Suite { name: "nsinit", plain: &["--"] };

// ---- texts

/// Without the feature `help`.
#[test]
#[cfg(not(feature = "help"))]
fn help_is_the_usage_and_where_the_options_are() {
    for it in NATIVE.ours() {
        let out = it.run(&["--help"]);
        let (first, last) = (out.stdout.lines().next(), out.stdout.lines().last());
        assert!(first.is_some_and(|line| line.starts_with("usage: nsinit ")), "{out}");
        assert_eq!(last, Some("options: see nsinit(8)"), "{out}");
        is(&out, 0, &out.stdout, "");
    }
}

// ---- statuses

#[test]
fn every_exit_status_is_passed_on() {
    common::every_exit_status_is_passed_on(&NATIVE);
}

#[test]
fn death_by_signal_n_gives_128_plus_n() {
    common::death_by_signal_n_gives_128_plus_n(&NATIVE);
}

#[test]
#[cfg(feature = "whole")]
fn missing_cmd_gives_127_and_unexecutable_cmd_126() {
    for it in NATIVE.ours() {
        let line = |what: &str| format!("nsinit: cannot execute {what}\n");
        is(&it.run(&["nosuch"]), 127, "", &line("nosuch: No such file or directory"));
        is(&it.run(&["--", "/no/such/file"]), 127, "", &line("/no/such/file: No such file or directory"));
        is(&it.run(&["/"]), 126, "", &line("/: Permission denied (it is a directory: did you mean --root DIR?)"));
        is(&it.run(&["/dev/null/x"]), 126, "", &line("/dev/null/x: Not a directory"));
    }
    common::script_without_interpreter_line_is_run_by_sh(&NATIVE);
}

/// Each of the 256 statuses is mapped to another and to 0, and only that one; the last rule for a status applies.
#[test]
fn remap_replaces_exit_statuses() {
    for it in NATIVE.child_subjects() {
        for (number, status) in each(&it, 0, 255, &["--remap", "@", "--", helper(), "exit", "@"]) {
            assert_eq!(status, 0, "{it}: {number}");
        }
        let rules =
            ["--remap", "3:4", "--remap", "143", "--remap=4:255", "--remap", "3:5", "--", helper(), "exit", "@"];
        for (number, status) in each(&it, 0, 255, &rules) {
            let expected = match number {
                143 => 0,
                4 => 255,
                3 => 5,
                other => other,
            };
            assert_eq!(status, expected, "{it}");
        }
    }
    for it in NATIVE.ours() {
        is(&it.run(&["--remap", "143:9", "--", helper(), "die", "15"]), 9, "", "");
    }
}

/// Seen from outside, nsinit dies by the signal that killed the command. Process 1 cannot kill itself, so it exits
/// with 128 plus the number.
#[test]
fn propagate_signal_ends_nsinit_by_cmds_signal() {
    let rules = ["--propagate-signal", "--", helper(), "die", "@"];
    for it in NATIVE.ours() {
        for (from, to) in [(1, 16), (24, 27), (29, 64)] {
            for (signal, status) in each(&it, from, to, &rules) {
                // unshare(1) passes on the exit status of process 1.
                assert_eq!(status, if it.is_pid_1() { 128 + signal } else { -signal }, "{it}");
            }
        }
        is(&it.run(&["--propagate-signal", "--", helper(), "exit", "143"]), 143, "", "");
    }
    if !cfg!(feature = "container") {
        return;
    }
    for root in roots() {
        for signal in [libc::SIGTERM, libc::SIGKILL, libc::SIGSEGV, 40] {
            root.sh(&["--propagate-signal"], &format!("kill -{signal} $$; sleep 1000")).is(-signal, "", "");
        }
        root.sh(&["--propagate-signal"], "exit 143").is(143, "", "");
    }
}

#[test]
fn exit_status_is_cmds_if_orphans_end_at_once() {
    common::exit_status_is_cmds_if_orphans_end_at_once(&NATIVE);
}

// ---- option errors

#[test]
fn contradictory_options_are_refused() {
    for it in NATIVE.child_subjects() {
        let missing = "nsinit: no command given\n";
        is(&it.run(&["--init"]), 125, "", missing);
        is(&it.run(&["--group", "--"]), 125, "", missing);
        if cfg!(feature = "container") {
            let init = "nsinit: --init excludes every option that makes a container (which has an init)\n";
            is(&it.run(&["--init", "--root", "/", "true"]), 125, "", init);
            let line = "nsinit: --as-pid-1 needs --unshare-pid\n";
            is(&it.run(&["--as-pid-1", "--", "true"]), 125, "", line);
        }
        let usage = it.run(&[]);
        assert!(usage.status == 125 && usage.stdout.is_empty() && usage.stderr.starts_with("usage: nsinit"), "{usage}");
        is(&it.run(&["--init", "true"]), 0, "", "");
    }
}

/// `--explain` runs nothing without a container either, and each step that can fail is reported.
#[test]
#[cfg(feature = "whole")]
fn explain_runs_nothing_and_failing_steps_are_reported() {
    for it in NATIVE.child_subjects() {
        let out = it.run(&["--explain", "--", "echo", "ran"]);
        assert!(out.status == 0 && !out.stdout.contains("ran"), "{out}");
        assert!(
            out.stdout.starts_with("nsinit:\n  occupy closed standard descriptors\n  stop ignoring SIGCHLD\n"),
            "{out}"
        );
        let io = |call, argument: i32| Deny::when(call, 0, u64::MAX, argument as u64, libc::EIO);
        for (deny, line) in [
            (io(libc::SYS_prctl, libc::PR_SET_CHILD_SUBREAPER), "become the reaper of orphans: Input/output error"),
            (io(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK), "block all signals: Input/output error"),
            (io(libc::SYS_rt_sigaction, libc::SIGCHLD), "stop ignoring SIGCHLD: Input/output error"),
            (
                Deny::when(libc::SYS_clone, 0, u64::MAX, 0x20_0111, libc::EAGAIN),
                "fork CMD: Resource temporarily unavailable (a limit on processes is reached: see ulimit -u, and pids.max of the cgroups above)",
            ),
            (Deny::all(libc::SYS_setpgid, libc::EIO), "start a process group: Input/output error"),
        ] {
            is(&it.plainly(&[], &["echo", "ran"]).deny(deny).run(), 125, "", &format!("nsinit: cannot {line}\n"));
        }
    }
}

#[test]
fn malformed_option_values_are_refused() {
    let forms = cfg!(feature = "forms");
    let signals = if forms {
        "not a pair of signals, by names or numbers, such as TERM:INT or 15:2"
    } else {
        "not a pair A:B of signal numbers"
    };
    let time = if forms { "not a time such as 5, 500ms, 30s, 2m or 1h" } else { "not a number of seconds" };
    let rows: [(&str, &[&str], &str); 4] = [
        ("--rewrite", &["", "15", "15:", ":3", "x:y", "0:1", "65:1", "1:65", "-1:3", "1:2:3", " 1:2", "1: 2"], signals),
        (
            "--remap",
            &["", "256", "-1", "x", "1:", ":1", "1:256", "1:2:3", " 1", "0x1"],
            "not N or N:M, exit statuses from 0 to 255",
        ),
        ("--grace", &["", "-1", "1.5", "1sec", "4294967296"], time),
        ("--stop-timeout", &["", "-1", "1.5", "1sec", "4294967296"], time),
    ];
    for it in NATIVE.child_subjects() {
        for (option, values, why) in rows {
            for value in values {
                let space = if value.is_empty() { "" } else { " " };
                is(
                    &it.run(&[option, value, "--", "true"]),
                    125,
                    "",
                    &format!("nsinit: {option}{space}{value}: {why}\n"),
                );
            }
        }
    }
}

// ---- signals

#[test]
fn every_signal_reaches_cmd_once() {
    for options in [&[][..], &["--group"], &["--all"]] {
        common::every_signal_reaches_cmd_once(&NATIVE, options, &[], &[]);
    }
}

#[test]
fn sigchld_is_not_forwarded() {
    common::sigchld_is_not_forwarded(&NATIVE);
}

#[test]
fn queued_signals_are_forwarded() {
    common::queued_signals_are_forwarded(&NATIVE, &[], false);
}

#[test]
fn group_option_forwards_signals_to_cmds_group() {
    common::signals_reach_cmds_group(&NATIVE, &[], None, false);
    common::signals_reach_cmds_group(&NATIVE, &["--group"], None, true);
}

/// As process 1: all processes; otherwise the command and the orphans that nsinit adopted.
#[test]
fn all_option_forwards_signals_to_all_processes() {
    let helper = utf8(scratch::helper());
    for it in NATIVE.ours() {
        // The recorder is an orphan in its own session: it is not in the command's process group.
        let script = "exec 2>/dev/null; trap 'echo cmd; exit 3' USR1; (setsid \"$0\" signals <&3 &) 3<&0; while :; do sleep 0.01; done";
        let launch = it.plainly(&["--all", "--wait-all"], &["sh", "-c", script, helper]);
        let mut running = launch.open_input().start();
        assert_eq!(running.line(), "ready", "{it}");
        let init = it.init(&running);
        let adopted = || super::harness::procs::children(init).len() == 2;
        eventually("nsinit has adopted the orphan", || (it.is_pid_1() || adopted()).then_some(()));
        send(init, libc::SIGUSR1);
        let mut lines = [running.line(), running.line()];
        lines.sort();
        assert_eq!(lines, ["10 0 0", "cmd"], "{it}");
        is(&running.finish(), 3, "", "");
    }
}

/// Each signal is rewritten to another, in three shifts; real-time signals lose their value by that.
#[test]
fn rewrite_replaces_signals() {
    for it in NATIVE.ours() {
        for shift in [1, 17, 40] {
            let list: Vec<i32> = signals().collect();
            let to = |i: usize| list[(i + shift) % list.len()];
            let rules: Vec<String> = list.iter().enumerate().map(|(i, s)| format!("{s}:{}", to(i))).collect();
            let options: Vec<&str> = rules.iter().flat_map(|r| ["--rewrite", r.as_str()]).collect();
            let (mut running, init) = recorder(&it, &options);
            for (i, &signal) in list.iter().enumerate() {
                send(init, signal);
                assert_eq!(running.line(), format!("{} 0 0", to(i)), "{it}: sent {signal}");
            }
            is(&running.finish(), 0, "", "");
        }
        let options = ["--rewrite", "15:0", "--rewrite", "1:10", "--rewrite=1:12", "--rewrite", "2:15"];
        let (mut running, init) = recorder(&it, &options);
        // The last rule for a signal applies, and only one rule is applied.
        for (signal, arrives) in [(15, None), (1, Some("12 0 0")), (15, None), (2, Some("15 0 0"))] {
            send(init, signal);
            if let Some(line) = arrives {
                assert_eq!(running.line(), line, "{it}: sent {signal}");
            }
        }
        is(&running.finish(), 0, "", "");
    }
}

#[test]
fn forwarded_signals_end_cmd() {
    common::forwarded_signals_end_cmd(&NATIVE);
}

#[test]
fn stopped_cmd_ends_on_a_forwarded_signal() {
    common::stopped_cmd_ends_on_a_forwarded_signal(&NATIVE);
}

#[test]
fn signal_before_the_start_reaches_cmd() {
    common::signal_before_the_start_reaches_cmd(&NATIVE, &[&[], &["--group"]]);
}

#[test]
fn ignored_sigchld_does_not_hang_nsinit() {
    common::ignored_sigchld_does_not_hang(&NATIVE, false);
}

/// A command that does not end is killed that long after the first signal that asks it to end.
#[test]
fn stop_timeout_kills_cmd() {
    for it in NATIVE.ours() {
        for signal in [libc::SIGTERM, libc::SIGINT] {
            let (mut running, init) = recorder(&it, &["--stop-timeout", "2"]);
            send(init, libc::SIGUSR1);
            assert_eq!(running.line(), "10 0 0", "{it}");
            let start = Instant::now();
            send(init, signal);
            assert_eq!(running.line(), format!("{signal} 0 0"), "{it}");
            // A second signal does not restart the time.
            send(init, signal);
            assert_eq!(running.line(), format!("{signal} 0 0"), "{it}");
            eventually("nsinit ends", || is_gone(init).then_some(()));
            is(&running.finish(), 137, "", "");
            assert!(start.elapsed() >= Duration::from_millis(1900), "{it}: too early");
        }
        let (running, cmd) = sleeping_cmd(&it, &["--stop-timeout", "1000"]);
        send(cmd, libc::SIGTERM);
        is(&running.finish(), 143, "", "");
    }
}

// ---- the state in which the command starts, and what nsinit keeps

#[test]
fn cmd_starts_with_the_callers_signal_mask_and_dispositions() {
    common::cmd_has_the_callers_mask_and_dispositions(&NATIVE, |ignored, blocked| (ignored, blocked));
}

#[test]
fn cmd_inherits_all_other_attributes() {
    common::cmd_inherits_all_other_attributes(&NATIVE);
}

/// Byte for byte: duplicates, an empty environment, and strings that are not variables.
#[test]
fn environment_is_passed_on_unchanged() {
    for it in NATIVE.ours() {
        let out = it.launch_in(&["env", "-i", "A=1", "=x", "TERM=t"], &["--", "/usr/bin/env"]).run();
        is(&out, 0, "A=1\n=x\nTERM=t\n", "");
        is(&it.launch_in(&["env", "-i"], &["--", "/usr/bin/env"]).run(), 0, "", "");
        // Without PATH, the command is searched as execvp(3) does.
        is(&it.launch_in(&["env", "-i"], &["--", "true"]).run(), 0, "", "");
    }
}

#[test]
fn cmd_leads_a_process_group_or_session() {
    for it in NATIVE.ours() {
        for (options, session) in [(&[][..], false), (&["--new-session"], true)] {
            let (running, cmd) = sleeping_cmd(&it, options);
            let (init, cmd) = (stat(it.init(&running)).unwrap(), stat(cmd).unwrap());
            assert_eq!((cmd.group, cmd.session), (cmd.pid, if session { cmd.pid } else { init.session }), "{it}");
            send(cmd.pid, libc::SIGTERM);
            is(&running.finish(), 143, "", "");
        }
    }
}

/// As process 1, nsinit ends only with its namespace; any other nsinit takes the command with it.
#[test]
fn die_with_parent_ends_nsinit_and_cmd() {
    for it in NATIVE.child_subjects() {
        let script = "\"$@\" & echo $!; read x";
        let words = ["-c", script, "sh", it.argv0(), "--die-with-parent", "--", "sh", "-c", "echo $$; exec sleep 1000"];
        let mut running = Launch::of(tester(), "/bin/sh".as_ref()).args(words).open_input().start();
        let pids = [running.line(), running.line()].map(|line| line.parse().expect("a number"));
        running.kill(libc::SIGKILL);
        for pid in pids {
            eventually("the process has ended", || is_gone(pid).then_some(()));
        }
        is(&running.finish(), -libc::SIGKILL, "", "");
    }
}

#[test]
fn nsinit_keeps_no_descriptor_and_no_directory() {
    common::init_keeps_no_descriptor_and_no_directory(&NATIVE, true, true);
}

#[test]
fn listen_pid_is_rewritten_for_cmd() {
    common::listen_pid_is_rewritten_for_cmd(&NATIVE, true);
}

#[test]
fn closed_standard_descriptors_are_accepted() {
    common::closed_standard_descriptors_are_accepted(&NATIVE, true);
}

// ---- orphans and teardown

/// As a subreaper: it adopts orphans, without a message.
#[test]
fn orphans_are_reparented_to_nsinit() {
    for it in NATIVE.ours() {
        is(&adopts(&it, |cmd| it.plainly(&[], cmd), true), 0, "", "");
        is(&adopts(&it, |cmd| it.plainly(&["--init"], cmd), true), 0, "", "");
    }
}

#[test]
fn a_hundred_thousand_orphans_are_reaped() {
    for it in NATIVE.ours().into_iter().filter(|it| it.place == Place::Pid1) {
        // A line now and then: the deadline is for the progress, because a loaded machine needs its time for all of
        // them.
        let mut running = it.plainly(&[], &[helper(), "orphans", "100000"]).start();
        for left in (10_000..100_000).step_by(10_000).rev() {
            assert_eq!(running.line(), left.to_string());
        }
        is(&running.finish(), 0, "", "");
    }
}

/// Leaves a process that runs `on_term` on SIGTERM, and exits with 3 once that process is ready.
fn leaving(it: &Subject, options: &[&str], on_term: &str) -> super::harness::Out {
    let dir = Dir::new(super::compat::subject::tester());
    let ready = dir.at("ready");
    let script = format!(
        "(exec 2>/dev/null; trap '{on_term}' TERM; : >\"$0\"; while :; do sleep 0.05; done) & \
         while [ ! -e \"$0\" ]; do sleep 0.01; done; exit 3"
    );
    it.plainly(options, &["sh", "-c", &script, utf8(&ready)]).run()
}

#[test]
fn leftover_processes_get_sigterm() {
    for it in NATIVE.ours() {
        is(&leaving(&it, &[], "echo asked; exit"), 3, "asked\n", "");
    }
}

#[test]
fn leftover_processes_are_killed_after_the_grace() {
    for it in NATIVE.ours() {
        let start = Instant::now();
        is(&leaving(&it, &["--grace", "1"], ":"), 3, "", "");
        assert!(start.elapsed() >= Duration::from_millis(900), "{it}: too early");
        is(&leaving(&it, &["--grace", "0"], ":"), 3, "", "");
    }
}

#[test]
fn wait_all_waits_for_the_last_process() {
    for it in NATIVE.ours() {
        let script = "(trap 'echo asked' TERM; sleep 0.3; echo late) & exit 4";
        is(&it.plainly(&["--wait-all"], &["sh", "-c", script]).run(), 4, "late\n", "");
    }
}

// ---- messages and costs

#[test]
fn verbose_prints_events() {
    for it in NATIVE.ours() {
        // The orphan ends when its parent has ended, and is a zombie until nsinit has waited for it.
        let orphan = "sh -c 'trap \"exit 1\" TERM; echo $$; exec >/dev/null; while :; do sleep 0.01; done'";
        let script = format!(
            "trap 'exit 5' USR1; p=$({orphan} &); kill $p; while kill -0 $p; do sleep 0.01; done 2>/dev/null; \
             kill -USR1 $PPID; while :; do sleep 0.05; done"
        );
        let run = |options: &[&str]| it.plainly(options, &["sh", "-c", &script]).run();
        let start = "nsinit: CMD is process #\n";
        let (orphan, signal) = ("nsinit: process # ended with status 1\n", "nsinit: forward signal 10\n");
        let end = "nsinit: CMD ended with status 5\n";
        is(&run(&["--verbose"]), 5, "", &[start, end].concat());
        is(&run(&["--verbose", "--verbose"]), 5, "", &[start, signal, end].concat());
        is(&run(&["--verbose"; 3]), 5, "", &[start, orphan, signal, end].concat());
    }
}

#[test]
fn nsinit_does_not_wake_while_idle() {
    common::init_does_not_wake_while_idle(&NATIVE, 0);
}

/// In a root that contains only nsinit and a static program everything works, with one thread and no descriptor.
#[test]
#[cfg(feature = "container")]
fn init_of_an_empty_image_has_one_thread_and_no_descriptors() {
    for who in super::harness::who::both() {
        in_an_image(who, |init| {
            assert_eq!(field_of(init, "Threads"), "1");
            eventually("nsinit has no descriptor of its own", || {
                (procs::link(init, "fd/3").is_none() && procs::link(init, "fd/4").is_none()).then_some(())
            });
        });
    }
}

/// In such a root it uses no more memory than scripts/budgets allows.
#[test]
#[cfg(feature = "container")]
fn init_of_an_empty_image_keeps_its_memory_budget() {
    if fs::metadata(nsinit()).is_ok_and(|file| file.len() > 2 * budget("other")) {
        return skip_for_this_build("the budget is for the small build");
    }
    for who in super::harness::who::both() {
        in_an_image(who, |init| {
            // It gives memory back after a quiet second.
            eventually("nsinit needs no more than its budget", || {
                let rss: u64 = field_of(init, "VmRSS").trim_end_matches(" kB").parse().expect("a number");
                (rss <= budget("lone_init")).then_some(())
            });
        });
    }
}

/// If madvise(2) fails, nsinit continues with the memory that the start took.
#[test]
fn failing_madvise_is_ignored() {
    for who in super::harness::who::both() {
        // It is called after a quiet second.
        let launch = Launch::new(who).args(["--", "/bin/sh", "-c", "sleep 1.3; exit 7"]);
        is(&launch.deny(Deny::all(libc::SYS_madvise, libc::EPERM)).run(), 7, "", "");
    }
}

/// Runs `look` on process 1 of an image after it forwarded some signals.
fn in_an_image(who: super::harness::Who, look: impl Fn(procs::Pid)) {
    let image = Image::new(who);
    scratch::copy_program(scratch::helper(), &image.0.at("helper"));
    let mut running = image.launch(who, &[], &["--", "/helper", "signals"]).open_input().start();
    assert_eq!(running.line(), "ready");
    let init = running.init();
    for signal in [libc::SIGTERM, libc::SIGUSR1, 64] {
        send(init, signal);
        assert_eq!(running.line(), format!("{signal} 0 0"));
    }
    look(init);
    is(&running.finish(), 0, "", "");
}

fn field_of(pid: procs::Pid, name: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("read its status");
    procs::field_of(&status, name).expect("the field").to_owned()
}

/// A root with nsinit (and the libraries that a debug build needs), a static command, and nothing else.
struct Image(scratch::Dir);

impl Image {
    fn new(who: super::harness::Who) -> Self {
        let dir = scratch::Dir::new(who);
        let copy = |from: &str, to: &str| {
            let to = dir.at(to);
            scratch::make_dir(to.parent().expect("the file is in the root"));
            super::harness::launch::tool(std::process::Command::new("cp").arg("-L").arg(from).arg(to));
        };
        copy(utf8(nsinit()), "init");
        copy(helper(), "cmd");
        // ldd fails for a static program.
        let libraries =
            super::harness::launch::attempt(std::process::Command::new("ldd").arg(nsinit())).unwrap_or_default();
        for word in libraries.split_whitespace().filter(|word| word.starts_with('/')) {
            copy(word, word);
        }
        Self(dir)
    }

    /// `/init WORDS` as process 1 in the image.
    fn launch(&self, who: super::harness::Who, options: &[&str], words: &[&str]) -> Launch {
        let own = ["--root", self.0.str(), "--as-pid-1"];
        Launch::new(who).args(own).args(options).args(["--", "/init"]).args(words)
    }

    /// The same without /proc, /dev, /sys.
    fn bare(&self, who: super::harness::Who, words: &[&str]) -> Launch {
        let user: &[&str] = if who.is_root() { &[] } else { &["--map-root-user"] };
        let unshare = ["--pid", "--fork", "--kill-child", "--root", self.0.str(), "/init"];
        Launch::of(who, "/usr/bin/unshare".as_ref()).args(user).args(unshare).args(words)
    }
}

#[test]
fn init_works_in_an_image_with_nothing_else() {
    for who in super::harness::who::both() {
        let image = Image::new(who);
        let ways = [|i: &Image, w, a: &[&str]| i.launch(w, &[], a), |i: &Image, w, a: &[&str]| i.bare(w, a)];
        for launch in &ways[usize::from(!cfg!(feature = "container"))..] {
            is(&launch(&image, who, &["--", "/cmd", "exit", "7"]).run(), 7, "", "");
            is(&launch(&image, who, &["/cmd", "die", "9"]).run(), 137, "", "");
            is(
                &launch(&image, who, &["--", "cmd"]).run(),
                127,
                "",
                "nsinit: cannot execute cmd: No such file or directory\n",
            );
            is(&launch(&image, who, &["--", "/cmd", "together", "50", "7"]).run(), 7, "", "");
            is(&launch(&image, who, &["--propagate-signal", "/cmd", "die", "15"]).run(), 143, "", "");
        }
        if !cfg!(feature = "container") {
            continue;
        }
        is(&image.launch(who, &[], &["--", "/cmd", "orphans", "1000"]).run(), 0, "", "");
        let mut running = image.launch(who, &[], &["--", "/cmd", "next", image.0.str()]).start();
        assert!(running.line().starts_with("here "));
        running.kill(libc::SIGUSR2);
        assert_eq!(running.line(), "got 12");
        is(&running.finish(), 0, "", "");
    }
}

/// reboot(2) ends the pid namespace: the kernel kills its process 1, and the launcher outside exits with the matching
/// status.
#[test]
#[cfg(feature = "container")]
fn reboot_in_an_image_ends_the_container() {
    for who in super::harness::who::both() {
        let image = Image::new(who);
        for (how, status) in [("restart", 133), ("halt", 0), ("off", 0)] {
            let options = ["--cap-add", "CAP_SYS_BOOT"];
            is(&image.launch(who, &options, &["--", "/cmd", "reboot", how]).run(), status, "", "");
            is(&image.launch(who, &[], &["--", "/cmd", "reboot", how]).run(), 96, "", "");
        }
    }
}

/// Killing process 1 kills all other processes.
#[test]
fn killed_process_1_ends_all_processes() {
    for it in NATIVE.ours().into_iter().filter(Subject::is_pid_1) {
        let (running, cmd) = sleeping_cmd(&it, &[]);
        send(it.init(&running), libc::SIGKILL);
        eventually("the command has ended", || is_gone(cmd).then_some(()));
        // unshare(1) prints its own message.
        running.finish();
    }
}

// ---- the terminal

#[test]
fn signal_keys_reach_cmd_once() {
    terminal::signal_keys_reach_cmd_once(&NATIVE, true);
}

#[test]
fn ctrl_c_ends_cmd() {
    terminal::ctrl_c_ends_cmd(&NATIVE);
}

#[test]
fn cmd_is_in_the_foreground() {
    terminal::cmd_is_in_the_foreground(&NATIVE);
}

#[test]
fn ctrl_z_stops_the_job() {
    terminal::ctrl_z_stops_the_job(&NATIVE, false);
}

#[test]
fn background_job_leaves_the_terminal_alone() {
    terminal::background_job_leaves_the_terminal_alone(&NATIVE, false);
}

#[test]
fn terminal_is_returned_to_the_caller() {
    terminal::terminal_is_returned_to_the_caller(&NATIVE, false);
}

#[test]
fn nsinit_works_as_the_session_leader() {
    terminal::init_works_as_the_session_leader(&NATIVE, false);
}

#[test]
fn nsinit_works_in_a_pipeline() {
    terminal::init_works_in_a_pipeline(&NATIVE, true);
}
