//! nsinit as the init of CMD in place: `nsinit -- CMD`, as process 1 of a pid namespace and as any process. INIT.md line by
//! line; what is the same under the other names is in `compat/common.rs`.

use std::fs;
use std::time::{Duration, Instant};

use super::compat::common::{self, adopts, asleep, recorder};
use super::compat::{Place, Subject, Suite, helper, is, terminal};
use super::harness::launch::send;
use super::harness::procs::{self, eventually, is_gone};
use super::harness::scratch::{self, Dir, nsinit};
use super::harness::{Deny, Launch, roots};

static NATIVE: Suite = Suite { name: "nsinit", plain: &["--"] };

/// The small build's size at most; a larger one is the host's, which is not what is measured.
const BUDGET: u64 = 65_536;

// ---- statuses

#[test]
fn statuses() {
    common::every_status_is_passed_on(&NATIVE);
}

#[test]
fn deaths() {
    common::every_death_is_passed_on(&NATIVE);
}

#[test]
fn not_found_and_not_executable() {
    for it in NATIVE.ours() {
        let line = |what: &str| format!("nsinit: execute {what}\n");
        is(&it.run(&["nosuch"]), 127, "", &line("nosuch: No such file or directory"));
        is(&it.run(&["--", "/no/such/file"]), 127, "", &line("/no/such/file: No such file or directory"));
        is(&it.run(&["/"]), 126, "", &line("/: Permission denied"));
        is(&it.run(&["/dev/null/x"]), 126, "", &line("/dev/null/x: Not a directory"));
    }
    common::a_script_without_a_head(&NATIVE);
}

#[test]
fn remapped_statuses() {
    for it in NATIVE.ours() {
        let run = |options: &[&str], status: &str| it.plainly(options, &[helper(), "exit", status]).run();
        is(&run(&["--remap", "7"], "7"), 0, "", "");
        is(&run(&["--remap", "7:9"], "7"), 9, "", "");
        is(&run(&["--remap", "7:9"], "8"), 8, "", "");
        is(&run(&["--remap", "0:255", "--remap=7:1"], "0"), 255, "", "");
        is(&it.plainly(&["--remap", "143"], &[helper(), "die", "15"]).run(), 0, "", "");
        for bad in ["", "256", "1:256", "x", "1:", ":1", "-1", "1:2:3"] {
            let why = "it is no exit status from 0 to 255, nor a pair of them";
            let on = if bad.is_empty() { String::new() } else { format!(" {bad}") };
            is(&run(&["--remap", bad], "0"), 125, "", &format!("nsinit: use --remap{on}: {why}\n"));
        }
    }
}

/// Process 1 can't die of a signal, so its status tells.
#[test]
fn cmds_death_is_ours() {
    for it in NATIVE.ours() {
        for signal in [2, 3, 6, 9, 10, 11, 15, 40] {
            let out = it.plainly(&["--propagate-signal"], &[helper(), "die", &signal.to_string()]).run();
            is(&out, if it.is_pid_1() { 128 + signal } else { -signal }, "", "");
        }
        is(&it.plainly(&["--propagate-signal"], &[helper(), "exit", "5"]).run(), 5, "", "");
    }
    for root in roots() {
        for signal in [9, 15] {
            let out = root.run(&["--propagate-signal"], &["sh", "-c", &format!("kill -{signal} $$")]);
            is(&out, -signal, "", "");
        }
    }
}

#[test]
fn main_and_orphans_die_together() {
    common::together(&NATIVE);
}

// ---- what can't be meant

#[test]
fn what_contradicts_itself() {
    for it in NATIVE.anywhere() {
        let missing = "nsinit: use CMD: which command? it is missing\n";
        is(&it.run(&["--init"]), 125, "", missing);
        is(&it.run(&["--group", "--"]), 125, "", missing);
        let init = "nsinit: use --init: a container has an init of its own\n";
        is(&it.run(&["--init", "--root", "/", "true"]), 125, "", init);
        let usage = it.run(&[]);
        assert!(usage.status == 125 && usage.stdout.is_empty() && usage.stderr.starts_with("usage: nsinit"), "{usage}");
        is(&it.run(&["--init", "true"]), 0, "", "");
    }
}

/// `--explain` runs nothing here either, and every step of it that can fail says so.
#[test]
fn steps() {
    for it in NATIVE.anywhere() {
        let out = it.run(&["--explain", "--", "echo", "ran"]);
        assert!(out.status == 0 && !out.stdout.contains("ran"), "{out}");
        assert!(out.stdout.starts_with("nsinit:\n  stop ignoring SIGCHLD\n"), "{out}");
        let io = |call, argument: i32| Deny::when(call, 0, u64::MAX, argument as u64, libc::EIO);
        for (deny, line) in [
            (io(libc::SYS_prctl, libc::PR_SET_CHILD_SUBREAPER), "become the reaper of orphans: Input/output error"),
            (io(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK), "block all signals: Input/output error"),
            (io(libc::SYS_rt_sigaction, libc::SIGCHLD), "stop ignoring SIGCHLD: Input/output error"),
            (
                Deny::when(libc::SYS_clone, 0, u64::MAX, 0x4111, libc::EAGAIN),
                "fork CMD: Resource temporarily unavailable",
            ),
            (Deny::all(libc::SYS_setpgid, libc::EIO), "start a process group: Input/output error"),
        ] {
            is(&it.plainly(&[], &["echo", "ran"]).deny(deny).run(), 125, "", &format!("nsinit: {line}\n"));
        }
    }
}

// ---- signals

#[test]
fn every_signal_arrives_once() {
    for options in [&[][..], &["--group"], &["--all"]] {
        common::all_arrive_once(&NATIVE, options, &[], &[]);
    }
}

#[test]
fn chld_stays_here() {
    common::chld_is_not_forwarded(&NATIVE);
}

#[test]
fn queued_signals_arrive() {
    common::queued_signals(&NATIVE, &[], false);
}

#[test]
fn the_group_gets_them_on_request() {
    common::group(&NATIVE, &[], None, false);
    common::group(&NATIVE, &["--group"], None, true);
}

/// Whatever group or session they are in.
#[test]
fn everybody_gets_them_on_request() {
    for it in NATIVE.ours().into_iter().filter(Subject::is_pid_1) {
        let script = "trap '' USR1; setsid \"$0\" signals; :";
        let helper = scratch::helper().to_str().expect("scratch paths are UTF-8");
        let mut running = it.plainly(&["--all"], &["sh", "-c", script, helper]).open_input().start();
        assert_eq!(running.line(), "ready");
        send(it.init(&running), libc::SIGUSR1);
        assert_eq!(running.line(), "10 0 0");
        is(&running.finish(), 0, "", "");
    }
}

#[test]
fn rewritten_signals() {
    for it in NATIVE.ours() {
        let (mut running, init) = recorder(&it, &["--rewrite", "15:10", "--rewrite=12:0", "--rewrite", "40:41"]);
        for (sent, arrives) in [(15, Some("10 0 0")), (12, None), (40, Some("41 0 0")), (10, Some("10 0 0"))] {
            send(init, sent);
            if let Some(line) = arrives {
                assert_eq!(running.line(), line, "{it}: sent {sent}");
            }
        }
        is(&running.finish(), 0, "", "");
        for bad in ["", "0:1", "65:1", "1:65", "x:1", "1:", "TERM:1"] {
            let out = it.plainly(&["--rewrite", bad], &["true"]).run();
            let on = if bad.is_empty() { String::new() } else { format!(" {bad}") };
            is(&out, 125, "", &format!("nsinit: use --rewrite{on}: it is no pair of signals' numbers\n"));
        }
    }
}

#[test]
fn signals_end_cmd() {
    common::cmd_can_be_ended(&NATIVE);
}

#[test]
fn signals_for_a_stopped_cmd() {
    common::a_stopped_cmd(&NATIVE);
}

#[test]
fn early_signals() {
    common::an_early_signal(&NATIVE, &[&[], &["--group"]]);
}

#[test]
fn ignored_chld() {
    common::chld_ignored(&NATIVE, false);
}

/// A CMD that will not end is killed so long after the first signal that asks it to.
#[test]
fn a_stop_has_a_limit() {
    for it in NATIVE.ours() {
        for signal in [libc::SIGTERM, libc::SIGINT] {
            let (mut running, init) = recorder(&it, &["--stop-timeout", "1"]);
            send(init, libc::SIGUSR1);
            assert_eq!(running.line(), "10 0 0", "{it}");
            let start = Instant::now();
            send(init, signal);
            assert_eq!(running.line(), format!("{signal} 0 0"), "{it}");
            // Another one does not put it off.
            send(init, signal);
            assert_eq!(running.line(), format!("{signal} 0 0"), "{it}");
            eventually("nsinit ends", || is_gone(init).then_some(()));
            is(&running.finish(), 137, "", "");
            assert!(start.elapsed() >= Duration::from_millis(900), "{it}: too early");
        }
        let (running, cmd) = asleep(&it, &["--stop-timeout", "1000"]);
        send(cmd, libc::SIGTERM);
        is(&running.finish(), 143, "", "");
    }
}

// ---- what CMD starts with, and what stays behind

#[test]
fn cmds_mask_and_dispositions() {
    common::state(&NATIVE, |ignored, blocked| (ignored, blocked));
}

#[test]
fn cmd_gets_all_else() {
    common::cmd_gets_all_else(&NATIVE);
}

#[test]
fn nsinit_keeps_nothing() {
    common::the_init_keeps_nothing(&NATIVE, true, true);
}

#[test]
fn listen_pid() {
    common::listen_pid(&NATIVE, true);
}

#[test]
fn closed_descriptors() {
    common::closed_descriptors(&NATIVE, true);
}

// ---- orphans and the end

/// Not process 1: it adopts, and says nothing.
#[test]
fn orphans_come_to_it() {
    for it in NATIVE.ours() {
        is(&adopts(&it, |cmd| it.plainly(&[], cmd), true), 0, "", "");
        is(&adopts(&it, |cmd| it.plainly(&["--init"], cmd), true), 0, "", "");
    }
}

#[test]
fn a_hundred_thousand_orphans() {
    for it in NATIVE.ours().into_iter().filter(|it| it.place == Place::Pid1) {
        is(&it.plainly(&[], &[helper(), "orphans", "100000"]).run(), 0, "", "");
    }
}

/// Leaves a process that does `on_term`, once it is ready for it, and ends with 3.
fn leaving(it: &Subject, options: &[&str], on_term: &str) -> super::harness::Out {
    let dir = Dir::new(super::compat::subject::tester());
    let ready = dir.at("ready");
    let script = format!(
        "(exec 2>/dev/null; trap '{on_term}' TERM; : >\"$0\"; while :; do sleep 0.05; done) & \
         while [ ! -e \"$0\" ]; do sleep 0.01; done; exit 3"
    );
    it.plainly(options, &["sh", "-c", &script, ready.to_str().expect("scratch paths are UTF-8")]).run()
}

#[test]
fn what_is_left_is_asked_to_end() {
    for it in NATIVE.ours() {
        is(&leaving(&it, &[], "echo asked; exit"), 3, "asked\n", "");
    }
}

#[test]
fn what_does_not_end_is_killed() {
    for it in NATIVE.ours() {
        let start = Instant::now();
        is(&leaving(&it, &["--grace", "1"], ":"), 3, "", "");
        assert!(start.elapsed() >= Duration::from_millis(900), "{it}: too early");
        is(&leaving(&it, &["--grace", "0"], ":"), 3, "", "");
    }
}

#[test]
fn the_last_one_can_be_waited_for() {
    for it in NATIVE.ours() {
        let script = "(trap 'echo asked' TERM; sleep 0.3; echo late) & exit 4";
        is(&it.plainly(&["--wait-all"], &["sh", "-c", script]).run(), 4, "late\n", "");
    }
}

// ---- what it tells, what it costs

#[test]
fn what_happens_is_told() {
    for it in NATIVE.ours() {
        let script = "trap 'exit 5' USR1; (\"$0\" exit 1 &); sleep 0.2; kill -USR1 $PPID; while :; do sleep 0.05; done";
        let run = |options: &[&str]| it.plainly(options, &["sh", "-c", script, helper()]).run();
        let start = "nsinit: CMD is process #\n";
        let (orphan, signal) = ("nsinit: reaped process #\n", "nsinit: forward signal 10\n");
        let end = "nsinit: CMD's exit status is 5\n";
        is(&run(&["--verbose"]), 5, "", &[start, end].concat());
        is(&run(&["--verbose", "--verbose"]), 5, "", &[start, signal, end].concat());
        is(&run(&["--verbose"; 3]), 5, "", &[start, orphan, signal, end].concat());
    }
}

#[test]
fn idle() {
    common::idle(&NATIVE, 0);
}

/// In a root that holds nothing but nsinit and a static program: all of it works, in 128 KiB and one thread.
#[test]
fn alone_in_an_image() {
    if fs::metadata(nsinit()).is_ok_and(|file| file.len() > BUDGET) {
        return;
    }
    for root in roots() {
        let image = Dir::new(root.who);
        fs::copy(nsinit(), image.at("nsinit")).expect("copy nsinit");
        fs::copy(scratch::helper(), image.at("helper")).expect("copy the helper");
        let launch = |words: &[&str]| {
            let options = ["--root", image.str(), "--as-pid-1", "--", "/nsinit", "--", "/helper"];
            Launch::new(root.who).args(options).args(words)
        };
        let mut running = launch(&["signals"]).open_input().start();
        assert_eq!(running.line(), "ready");
        let init = running.init();
        for signal in [libc::SIGTERM, libc::SIGUSR1, 64] {
            send(init, signal);
            assert_eq!(running.line(), format!("{signal} 0 0"));
        }
        let field = |name| {
            let status = fs::read_to_string(format!("/proc/{init}/status")).expect("its status");
            procs::field_of(&status, name).expect("the field")
        };
        let rss: u32 = field("VmRSS").trim_end_matches(" kB").parse().expect("a number");
        assert!(rss <= 128, "{rss} KiB");
        assert_eq!(field("Threads"), "1");
        eventually("it holds no descriptor of its own", || {
            (procs::link(init, "fd/3").is_none() && procs::link(init, "fd/4").is_none()).then_some(())
        });
        is(&running.finish(), 0, "", "");
    }
}

// ---- the terminal

#[test]
fn keys_arrive_once() {
    terminal::keys_arrive_once(&NATIVE, true);
}

#[test]
fn ctrl_c() {
    terminal::ctrl_c_ends_cmd(&NATIVE);
}

#[test]
fn cmd_is_in_the_foreground() {
    terminal::cmd_is_in_the_foreground(&NATIVE);
}

#[test]
fn ctrl_z() {
    terminal::stop_and_resume(&NATIVE, false);
}

#[test]
fn in_the_background() {
    terminal::in_the_background(&NATIVE, false);
}

#[test]
fn the_terminal_is_given_back() {
    terminal::given_back(&NATIVE, false);
}

#[test]
fn as_the_session_leader() {
    terminal::as_the_session_leader(&NATIVE, false);
}
