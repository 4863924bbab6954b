//! nsinit as the init of CMD in place: `nsinit -- CMD`, as process 1 of a pid namespace and as any process. INIT.md line by
//! line; what is the same under the other names is in `compat/common.rs`.

use std::fs;
use std::time::{Duration, Instant};

use super::compat::common::{self, adopts, asleep, each, recorder};
use super::compat::subject::tester;
use super::compat::{Place, Subject, Suite, helper, is, signals, terminal};
use super::harness::launch::send;
use super::harness::procs::{self, eventually, is_gone, stat};
use super::harness::scratch::{self, Dir, nsinit};
use super::harness::{Deny, Launch, budget, not_of_this_build, roots};

static NATIVE: Suite = Suite { name: "nsinit", plain: &["--"] };

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
        is(&it.run(&["/"]), 126, "", &line("/: Permission denied (it is not a regular file)"));
        is(&it.run(&["/dev/null/x"]), 126, "", &line("/dev/null/x: Not a directory"));
    }
    common::a_script_without_a_head(&NATIVE);
}

/// Each of the 256 to another and to 0, and none but that; the last rule for one counts.
#[test]
fn remapped_statuses() {
    for it in NATIVE.anywhere() {
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

/// Seen from outside nsinit is as dead as CMD. Process 1 can't be killed by itself, and tells by its status.
#[test]
fn a_death_is_passed_on_as_one() {
    let rules = ["--propagate-signal", "--", helper(), "die", "@"];
    for it in NATIVE.ours() {
        for (from, to) in [(1, 16), (24, 27), (29, 64)] {
            for (signal, status) in each(&it, from, to, &rules) {
                // unshare passes on what process 1 has come to.
                assert_eq!(status, if it.is_pid_1() { 128 + signal } else { -signal }, "{it}");
            }
        }
        is(&it.run(&["--propagate-signal", "--", helper(), "exit", "143"]), 143, "", "");
    }
    for root in roots() {
        for signal in [libc::SIGTERM, libc::SIGKILL, libc::SIGSEGV, 40] {
            root.sh(&["--propagate-signal"], &format!("kill -{signal} $$; sleep 1000")).is(-signal, "", "");
        }
        root.sh(&["--propagate-signal"], "exit 143").is(143, "", "");
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
        let line = "nsinit: use --as-pid-1: requires --unshare-pid\n";
        is(&it.run(&["--as-pid-1", "--", "true"]), 125, "", line);
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
                Deny::when(libc::SYS_clone, 0, u64::MAX, 0x20_0111, libc::EAGAIN),
                "fork CMD: Resource temporarily unavailable (a limit on processes is reached: see ulimit -u, and pids.max of the cgroups above)",
            ),
            (Deny::all(libc::SYS_setpgid, libc::EIO), "start a process group: Input/output error"),
        ] {
            is(&it.plainly(&[], &["echo", "ran"]).deny(deny).run(), 125, "", &format!("nsinit: {line}\n"));
        }
    }
}

#[test]
fn values_are_judged() {
    let rows: [(&str, &[&str], &str); 4] = [
        (
            "--rewrite",
            &["", "15", "15:", ":3", "x:y", "0:1", "65:1", "1:65", "-1:3", "1:2:3", " 1:2", "1: 2"],
            "it is no pair of signals' numbers",
        ),
        (
            "--remap",
            &["", "256", "-1", "x", "1:", ":1", "1:256", "1:2:3", " 1", "0x1"],
            "it is no exit status from 0 to 255, nor a pair of them",
        ),
        ("--grace", &["", "-1", "1.5", "1s", "4294967296"], "it is no number of seconds"),
        ("--stop-timeout", &["", "-1", "1.5", "1s", "4294967296"], "it is no number of seconds"),
    ];
    for it in NATIVE.anywhere() {
        for (option, values, why) in rows {
            for value in values {
                let space = if value.is_empty() { "" } else { " " };
                is(
                    &it.run(&[option, value, "--", "true"]),
                    125,
                    "",
                    &format!("nsinit: use {option}{space}{value}: {why}\n"),
                );
            }
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

/// As process 1 everybody; else CMD and the orphans, whose parent it is.
#[test]
fn all_get_them_on_request() {
    let helper = scratch::helper().to_str().expect("scratch paths are UTF-8");
    for it in NATIVE.ours() {
        // The recorder is an orphan in a session of its own: no group of CMD's has it.
        let script = "exec 2>/dev/null; trap 'echo cmd; exit 3' USR1; (setsid \"$0\" signals <&3 &) 3<&0; while :; do sleep 0.01; done";
        let launch = it.plainly(&["--all", "--wait-all"], &["sh", "-c", script, helper]);
        let mut running = launch.open_input().start();
        assert_eq!(running.line(), "ready", "{it}");
        let init = it.init(&running);
        let adopted = || super::harness::procs::children(init).len() == 2;
        eventually("the orphan has come", || (it.is_pid_1() || adopted()).then_some(()));
        send(init, libc::SIGUSR1);
        let mut lines = [running.line(), running.line()];
        lines.sort();
        assert_eq!(lines, ["10 0 0", "cmd"], "{it}");
        is(&running.finish(), 3, "", "");
    }
}

/// Every signal as another, in three shifts; real-time ones lose their value then.
#[test]
fn rewritten_signals() {
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
        // The last rule for one counts, and one is applied, once.
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

/// To the byte: twice the same name, none, and what is no variable at all.
#[test]
fn the_environment_is_the_callers() {
    for it in NATIVE.ours() {
        let out = it.launch_in(&["env", "-i", "A=1", "=x", "TERM=t"], &["--", "/usr/bin/env"]).run();
        is(&out, 0, "A=1\n=x\nTERM=t\n", "");
        is(&it.launch_in(&["env", "-i"], &["--", "/usr/bin/env"]).run(), 0, "", "");
        // Without PATH it is looked for where execvp looks.
        is(&it.launch_in(&["env", "-i"], &["--", "true"]).run(), 0, "", "");
    }
}

#[test]
fn cmd_leads_its_own_group_or_session() {
    for it in NATIVE.ours() {
        for (options, session) in [(&[][..], false), (&["--new-session"], true)] {
            let (running, cmd) = asleep(&it, options);
            let (init, cmd) = (stat(it.init(&running)).unwrap(), stat(cmd).unwrap());
            assert_eq!((cmd.group, cmd.session), (cmd.pid, if session { cmd.pid } else { init.session }), "{it}");
            send(cmd.pid, libc::SIGTERM);
            is(&running.finish(), 143, "", "");
        }
    }
}

/// As process 1 nsinit ends only with its namespace; any other takes CMD along.
#[test]
fn die_with_parent() {
    for it in NATIVE.anywhere() {
        let script = "\"$@\" & echo $!; read x";
        let words = ["-c", script, "sh", it.argv0(), "--die-with-parent", "--", "sh", "-c", "echo $$; exec sleep 1000"];
        let mut running = Launch::of(tester(), "/bin/sh".as_ref()).args(words).open_input().start();
        let pids = [running.line(), running.line()].map(|line| line.parse().expect("a number"));
        running.kill(libc::SIGKILL);
        for pid in pids {
            eventually("it is gone", || is_gone(pid).then_some(()));
        }
        is(&running.finish(), -libc::SIGKILL, "", "");
    }
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
        // A line now and then: what has a deadline is the progress, for a loaded machine takes its time for all of them.
        let mut running = it.plainly(&[], &[helper(), "orphans", "100000"]).start();
        for left in (10_000..100_000).step_by(10_000).rev() {
            assert_eq!(running.line(), left.to_string());
        }
        is(&running.finish(), 0, "", "");
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
        let (orphan, signal) = ("nsinit: process # ended with status 1\n", "nsinit: forward signal 10\n");
        let end = "nsinit: CMD ended with status 5\n";
        is(&run(&["--verbose"]), 5, "", &[start, end].concat());
        is(&run(&["--verbose", "--verbose"]), 5, "", &[start, signal, end].concat());
        is(&run(&["--verbose"; 3]), 5, "", &[start, orphan, signal, end].concat());
    }
}

#[test]
fn idle() {
    common::idle(&NATIVE, 0);
}

/// In a root that holds nothing but nsinit and a static program all of it works, in one thread and without a descriptor.
#[test]
fn alone_in_an_image() {
    for who in super::harness::who::both() {
        in_an_image(who, |init| {
            assert_eq!(field_of(init, "Threads"), "1");
            eventually("it holds no descriptor of its own", || {
                (procs::link(init, "fd/3").is_none() && procs::link(init, "fd/4").is_none()).then_some(())
            });
        });
    }
}

/// There it takes as little memory as scripts/budgets has it.
#[test]
fn memory_in_an_image() {
    if fs::metadata(nsinit()).is_ok_and(|file| file.len() > 2 * budget("other")) {
        return not_of_this_build("the budget is the small build's");
    }
    for who in super::harness::who::both() {
        in_an_image(who, |init| {
            let rss: u64 = field_of(init, "VmRSS").trim_end_matches(" kB").parse().expect("a number");
            assert!(rss <= budget("lone_init"), "{rss} KiB");
        });
    }
}

/// Where madvise(2) is refused it goes on with what the start took.
#[test]
fn memory_that_is_not_taken_back() {
    for who in super::harness::who::both() {
        let launch = Launch::new(who).args(["--", helper(), "exit", "7"]);
        is(&launch.deny(Deny::all(libc::SYS_madvise, libc::EPERM)).run(), 7, "", "");
    }
}

/// Process 1 of an image that has forwarded some signals.
fn in_an_image(who: super::harness::Who, look: impl Fn(procs::Pid)) {
    let image = Image::new(who);
    fs::copy(scratch::helper(), image.0.at("helper")).expect("copy the helper");
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
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
    procs::field_of(&status, name).expect("the field").to_owned()
}

/// A root with nsinit (and the libraries that a debug build needs), a static CMD, and nothing else.
struct Image(scratch::Dir);

impl Image {
    fn new(who: super::harness::Who) -> Self {
        let dir = scratch::Dir::new(who);
        let copy = |from: &str, to: &str| {
            let to = dir.at(to);
            scratch::make_dir(to.parent().expect("it lies in the root"));
            super::harness::launch::tool(std::process::Command::new("cp").arg("-L").arg(from).arg(to));
        };
        copy(nsinit().to_str().expect("scratch paths are UTF-8"), "init");
        copy(helper(), "cmd");
        let libraries = std::process::Command::new("ldd").arg(nsinit()).output().expect("ask for its libraries");
        for word in String::from_utf8_lossy(&libraries.stdout).split_whitespace().filter(|word| word.starts_with('/')) {
            copy(word, word);
        }
        Self(dir)
    }

    /// `/init WORDS` as process 1 in it.
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
fn an_image_with_nothing_else() {
    for who in super::harness::who::both() {
        let image = Image::new(who);
        for launch in [|i: &Image, w, a: &[&str]| i.launch(w, &[], a), |i: &Image, w, a: &[&str]| i.bare(w, a)] {
            is(&launch(&image, who, &["--", "/cmd", "exit", "7"]).run(), 7, "", "");
            is(&launch(&image, who, &["/cmd", "die", "9"]).run(), 137, "", "");
            is(&launch(&image, who, &["--", "cmd"]).run(), 127, "", "nsinit: execute cmd: No such file or directory\n");
            is(&launch(&image, who, &["--", "/cmd", "together", "50", "7"]).run(), 7, "", "");
            is(&launch(&image, who, &["--propagate-signal", "/cmd", "die", "15"]).run(), 143, "", "");
        }
        is(&image.launch(who, &[], &["--", "/cmd", "orphans", "1000"]).run(), 0, "", "");
        let mut running = image.launch(who, &[], &["--", "/cmd", "next", image.0.str()]).start();
        assert!(running.line().starts_with("here "));
        running.kill(libc::SIGUSR2);
        assert_eq!(running.line(), "got 12");
        is(&running.finish(), 0, "", "");
    }
}

/// reboot(2) ends the pid namespace: the kernel kills its process 1, and the launcher outside has the status for it.
#[test]
fn reboot_in_an_image() {
    for who in super::harness::who::both() {
        let image = Image::new(who);
        for (how, status) in [("restart", 133), ("halt", 0), ("off", 0)] {
            let options = ["--cap-add", "CAP_SYS_BOOT"];
            is(&image.launch(who, &options, &["--", "/cmd", "reboot", how]).run(), status, "", "");
            is(&image.launch(who, &[], &["--", "/cmd", "reboot", how]).run(), 96, "", "");
        }
    }
}

/// Killed by whoever can, it takes all with it.
#[test]
fn killed_it_is_the_end() {
    for it in NATIVE.ours().into_iter().filter(Subject::is_pid_1) {
        let (running, cmd) = asleep(&it, &[]);
        send(it.init(&running), libc::SIGKILL);
        eventually("CMD is gone", || is_gone(cmd).then_some(()));
        // unshare has words of its own for it.
        running.finish();
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

#[test]
fn in_a_pipeline() {
    terminal::in_a_pipeline(&NATIVE, true);
}
