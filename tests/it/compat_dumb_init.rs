//! dumb-init: what scripts and people read from it and rely on. Every assertion runs against Debian's dumb-init and
//! against nsinit under that name; where they differ, the difference is in the table.

use std::time::Duration;

use super::compat::common::{self, adopts, asleep, leaves, recorder};
use super::compat::{GLIBC, Place, STOPS, Side, Subject, Suite, are, differs, helper, is, pattern, terminal};
use super::harness::launch::send;
use super::harness::procs::{self, Pid, eventually, stat};
use super::harness::{Launch, Running, Term, scratch};

static DUMB_INIT: Suite = Suite { name: "dumb-init", plain: &["--"] };

const HELP: &str = "\
Usage: NAME [option] command [[arg] ...]

dumb-init is a simple process supervisor that forwards signals to children.
It is designed to run as PID1 in minimal container environments.

Optional arguments:
   -c, --single-child   Run in single-child mode.
                        In this mode, signals are only proxied to the
                        direct child and not any of its descendants.
   -r, --rewrite s:r    Rewrite received signal s to new signal r before proxying.
                        To ignore (not proxy) a signal, rewrite it to 0.
                        This option can be specified multiple times.
   -v, --verbose        Print debugging information to stderr.
   -h, --help           Print this help message and exit.
   -V, --version        Print the current version and exit.

Full help is available online at https://github.com/Yelp/dumb-init
";

const BAD_REWRITE: &str = "\
Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.
This option can be specified multiple times.
Use --help for full usage.
";

// ---- texts

#[test]
fn the_version_is_on_stderr() {
    for it in DUMB_INIT.everywhere() {
        for args in [&["-V"][..], &["--version"], &["-cV"], &["-V", "-z"], &["-v", "--version", "true"]] {
            is(&it.run(args), 0, "", "dumb-init v#.#.#\n");
        }
    }
}

/// The usage has argv[0] as it was given.
#[test]
fn help_is_on_stderr() {
    for it in DUMB_INIT.everywhere() {
        let version = it.run(&["-V"]).stderr;
        let help = version + &HELP.replace("NAME", it.argv0());
        for args in [&["-h"][..], &["--help"], &["-ch"], &["-h", "-z"], &["-r", "1:1", "-h"], &["-v", "-h", "true"]] {
            is(&it.run(args), 0, "", &help);
        }
    }
}

#[test]
fn no_cmd_is_a_usage_error() {
    for it in DUMB_INIT.everywhere() {
        let name = it.argv0();
        let usage = format!("Usage: {name} [option] program [args]\nTry {name} --help for full usage.\n");
        for args in [&[][..], &["--"], &["-c"], &["-v"], &["-r", "15:3"], &["-c", "--"]] {
            is(&it.run(args), 1, "", &usage);
        }
        is(&it.launch(&[]).env("DUMB_INIT_DEBUG", "1").run(), 1, "", &usage);
    }
}

#[test]
fn unknown_options_and_missing_values() {
    for it in DUMB_INIT.everywhere() {
        let says = |args: &[&str], text: &str| is(&it.run(args), 1, "", &format!("{}: {text}\n", it.argv0()));
        says(&["-z"], "invalid option -- 'z'");
        says(&["-cz", "true"], "invalid option -- 'z'");
        says(&["-z", "-V"], "invalid option -- 'z'");
        says(&["-?"], "invalid option -- '?'");
        says(&["--foo"], "unrecognized option '--foo'");
        says(&["--foo=bar", "true"], "unrecognized option '--foo=bar'");
        says(&["-r"], "option requires an argument -- 'r'");
        says(&["-cr"], "option requires an argument -- 'r'");
        says(&["--rewrite"], "option '--rewrite' requires an argument");
        says(&["--verbose=1", "true"], "option '--verbose' doesn't allow an argument");
    }
}

/// As getopt_long has it: a beginning is enough, if it is one option's only.
#[test]
fn long_options_may_be_cut() {
    for it in DUMB_INIT.anywhere() {
        for args in
            [&["--re", "15:3", "true"][..], &["--rew=15:3", "true"], &["--s", "true"], &["--single-chil", "true"]]
        {
            is(&it.run(args), 0, "", "");
        }
        is(&it.run(&["--vers"]), 0, "", "dumb-init v#.#.#\n");
        differs("dumb-init", "a beginning that several long options have");
        let ambiguous = match it.side {
            Side::Original => "option '--ver' is ambiguous; possibilities: '--verbose' '--version'\n",
            Side::Ours => "unrecognized option '--ver'\n",
        };
        is(&it.run(&["--ver", "true"]), 1, "", &format!("{}: {ambiguous}", it.argv0()));
    }
}

#[test]
fn rewrites_are_judged() {
    for it in DUMB_INIT.anywhere() {
        for bad in [
            "", "15", "15:", ":3", "x:y", "0:1", "32:1", "1:32", "64:1", "-1:3", "15:-1", "15 :3", "0x0f:3", "15;3",
            "TERM:3",
        ] {
            is(&it.run(&["-r", bad, "true"]), 1, "", BAD_REWRITE);
            is(&it.run(&[&format!("--rewrite={bad}"), "true"]), 1, "", BAD_REWRITE);
        }
        for good in ["15:0", "1:31", "31:31", "015:03", " 15:3", "15: 3", "15:3x", "15:3:4", "+15:3", "08:3"] {
            is(&it.run(&["-r", good, "true"]), 0, "", "");
        }
        is(&it.run(&["-r15:3", "-r", "1:2", "--rewrite", "2:0", "--rewrite=3:1", "true"]), 0, "", "");
    }
}

#[test]
fn options_end_at_the_first_word() {
    for it in DUMB_INIT.everywhere() {
        is(&it.run(&[helper(), "words", "-V", "--", "-z", "-c"]), 0, "[-V]\n[--]\n[-z]\n[-c]\n", "");
        is(&it.run(&["--", helper(), "words", "-V"]), 0, "[-V]\n", "");
        is(&it.run(&["-c", helper(), "words", "--help"]), 0, "[--help]\n", "");
        is(&it.run(&["-cr", "15:3", "--", helper(), "words", "--"]), 0, "[--]\n", "");
        is(&it.run(&["sh", "-c", "exit 3"]), 3, "", "");
        let dash = "-: No such file or directory\n";
        is(&it.run(&["-", "-V"]), 2, "", &format!("[dumb-init] {dash}"));
    }
}

/// A `#!` line hands over one word with all options, and the script's name.
#[test]
fn as_an_interpreter() {
    for it in DUMB_INIT.anywhere() {
        let dir = scratch::Dir::new(super::compat::subject::tester());
        let script = dir.file("script", &format!("#!{} /bin/sh\necho \"$1\"; exit 6\n", it.argv0()));
        let launch = Launch::of(super::compat::subject::tester(), &script).args(["a b"]);
        is(&launch.run(), 6, "a b\n", "");
    }
}

// ---- debugging

const DETACH: &str = "[dumb-init] Unable to detach from controlling tty (errno=25 Inappropriate ioctl for device).";
const ATTACH: &str = "[dumb-init] Unable to attach to controlling tty (errno=25 Inappropriate ioctl for device).";
const SETSID: &str = "[dumb-init] setsid complete.";
const SPAWNED: &str = "[dumb-init] Child spawned with PID #.";
const CHLD: &str = "[dumb-init] Received signal 17.";
const FORWARDED: &str = "[dumb-init] Forwarded signal 15 to children.";

fn exits(status: &str) -> [String; 2] {
    [
        format!("[dumb-init] A child with PID # exited with exit status {status}."),
        format!("[dumb-init] Child exited with status {status}. Goodbye."),
    ]
}

#[test]
fn debugging_lines() {
    let [exited, goodbye] = exits("3");
    let single = [SPAWNED, CHLD, &exited, FORWARDED, &goodbye];
    let whole = [&single[..], &[DETACH, ATTACH, SETSID]].concat();
    let by_env = "[dumb-init] Running in debug mode.";
    for it in DUMB_INIT.everywhere() {
        let check = |options: &[&str], env: &[(&str, &str)], lines: &[&str]| {
            let mut launch = it.plainly(options, &[helper(), "exit", "3"]);
            for (name, value) in env {
                launch = launch.env(name, value);
            }
            let out = launch.run();
            assert!(out.status == 3 && out.stdout.is_empty(), "{it}: {out}");
            are(&out, &out.stderr, lines);
        };
        check(&[], &[], &[]);
        check(&["-v"], &[], &whole);
        check(&["--verbose"], &[], &whole);
        check(&["-vc"], &[], &single);
        let no_setsid = "[dumb-init] Not running in setsid mode.";
        check(&[], &[("DUMB_INIT_DEBUG", "1")], &[&whole[..], &[by_env]].concat());
        for value in ["", "0", "2", "true", "1 "] {
            check(&[], &[("DUMB_INIT_DEBUG", value)], &[]);
            check(&["-v"], &[("DUMB_INIT_SETSID", value)], if value == "0" { continue } else { &whole });
        }
        check(&["-v"], &[("DUMB_INIT_SETSID", "0")], &[&single[..], &[no_setsid]].concat());
        check(&["-vc"], &[("DUMB_INIT_SETSID", "1")], &single);
        let both = [("DUMB_INIT_SETSID", "0"), ("DUMB_INIT_DEBUG", "1")];
        check(&[], &both, &[&single[..], &[by_env, no_setsid]].concat());
    }
}

#[test]
fn debugging_tells_of_signals_and_deaths() {
    for it in DUMB_INIT.everywhere() {
        let options = ["-vc", "-r", "15:9", "-r", "10:0"];
        let (running, _) = asleep(&it, &options);
        let init = it.init(&running);
        send(init, libc::SIGUSR1);
        // Standard signals do not queue, but these two are not the same.
        std::thread::sleep(Duration::from_millis(20));
        send(init, libc::SIGTERM);
        let out = running.finish();
        assert!(out.status == 137 && out.stdout.is_empty(), "{it}: {out}");
        let lines = [
            SPAWNED,
            "[dumb-init] Received signal 10.",
            "[dumb-init] Translating signal 10 to 0.",
            "[dumb-init] Not forwarding signal 0 to children (ignored).",
            "[dumb-init] Received signal 15.",
            "[dumb-init] Translating signal 15 to 9.",
            "[dumb-init] Forwarded signal 9 to children.",
            CHLD,
            "[dumb-init] A child with PID # was terminated by signal 9.",
            // The TERM for what is left goes through the map.
            "[dumb-init] Translating signal 15 to 9.",
            "[dumb-init] Forwarded signal 9 to children.",
            "[dumb-init] Child exited with status 137. Goodbye.",
        ];
        are(&out, &out.stderr, &lines);
    }
}

/// The kernel's signals for the terminal that it gives up are not CMD's, and it says so.
#[test]
fn debugging_tells_of_the_terminals_signals() {
    for it in DUMB_INIT.anywhere() {
        let dir = scratch::Dir::new(super::compat::subject::tester());
        let words = it.words(&[], &["-v", "sh", "-c", "trap exit HUP; sleep 1000 & wait"]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut term = Term::run(super::compat::subject::tester(), dir.path(), &words);
        for signal in [1, 18] {
            term.expect(&format!("[dumb-init] Received signal {signal}."));
            term.expect(&format!("[dumb-init] Ignoring tty hand-off signal {signal}."));
        }
        let cmd = || procs::children(term.pid()).first().copied();
        eventually("CMD waits", || procs::children(cmd()?).first().copied());
        send(term.pid(), libc::SIGHUP);
        let rest = term.expect("[dumb-init] Forwarded signal 1 to children.");
        assert!(!rest.contains("signal 18 to children"), "{it}: {rest}");
    }
}

#[test]
fn messages_bear_the_right_pids() {
    for it in DUMB_INIT.everywhere() {
        let out = it.plainly(&["-vc"], &["sh", "-c", "echo $$"]).run();
        let line = format!("[dumb-init] Child spawned with PID {}.\n", out.stdout.trim());
        assert!(out.status == 0 && out.stderr.starts_with(&line), "{it}: {line}\n{out}");
    }
}

// ---- statuses

#[test]
fn statuses() {
    common::every_status_is_passed_on(&DUMB_INIT);
}

#[test]
fn deaths() {
    common::every_death_is_passed_on(&DUMB_INIT);
}

#[test]
fn what_cannot_be_executed() {
    common::cannot_execute(&DUMB_INIT, "[dumb-init] {}: @", |_| 2);
}

#[test]
fn own_failures() {
    common::own_failures(&DUMB_INIT, &[libc::SYS_setsid], "[dumb-init] ");
}

#[test]
fn a_directory_of_path_that_may_not_be_searched() {
    common::unsearchable_path(&DUMB_INIT, "[dumb-init] nosuch: @\n", [2, 2]);
}

#[test]
fn scripts_without_a_head() {
    common::a_script_without_a_head(&DUMB_INIT);
}

#[test]
fn main_and_orphans_die_together() {
    common::together(&DUMB_INIT);
}

/// It is no subreaper: they come to it as PID 1 only.
#[test]
fn orphans() {
    common::ten_thousand_orphans(&DUMB_INIT, &[Place::Pid1]);
    for it in DUMB_INIT.everywhere() {
        is(&adopts(&it, |cmd| it.plainly(&[], cmd), false), 0, "", "");
        is(&adopts(&it, |cmd| it.plainly(&["-c"], cmd), false), 0, "", "");
        let inherited = |cmd: &[&str]| it.launch_in(&[helper(), "subreaper"], cmd);
        is(&adopts(&it, inherited, true), 0, "", "");
    }
}

// ---- signals

#[test]
fn every_signal_arrives_once() {
    common::all_arrive_once(&DUMB_INIT, &[], &STOPS, &GLIBC);
    common::all_arrive_once(&DUMB_INIT, &["-c"], &STOPS, &GLIBC);
}

#[test]
fn signals_that_the_original_loses() {
    differs("dumb-init", "signals 32 and 33");
    common::the_original_loses(&DUMB_INIT, &GLIBC, &[]);
}

#[test]
fn chld_stays_here() {
    common::chld_is_not_forwarded(&DUMB_INIT);
}

#[test]
fn queued_signals_arrive() {
    common::queued_signals(&DUMB_INIT, &["-c"], false);
    common::queued_signals(&DUMB_INIT, &[], true);
}

#[test]
fn the_group_gets_them_unless_told_otherwise() {
    common::group(&DUMB_INIT, &[], None, true);
    common::group(&DUMB_INIT, &["-c"], None, false);
    common::group(&DUMB_INIT, &["--single-child"], None, false);
    common::group(&DUMB_INIT, &[], Some(("DUMB_INIT_SETSID", "0")), false);
    common::group(&DUMB_INIT, &[], Some(("DUMB_INIT_SETSID", "")), true);
    common::group(&DUMB_INIT, &["-c"], Some(("DUMB_INIT_SETSID", "1")), false);
}

#[test]
fn signals_end_cmd() {
    common::cmd_can_be_ended(&DUMB_INIT);
}

#[test]
fn signals_for_a_stopped_cmd() {
    common::a_stopped_cmd(&DUMB_INIT);
}

#[test]
fn early_signals() {
    common::an_early_signal(&DUMB_INIT, &[&[], &["-c"]]);
}

#[test]
fn ignored_chld() {
    common::chld_ignored(&DUMB_INIT, false);
}

/// Every pair of different signals that the map can have, but those that stop: 27 × 28.
#[test]
fn rewritten_signals() {
    let numbers =
        || (1..=31).filter(|s| ![libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD].contains(s) && !STOPS.contains(s));
    for it in DUMB_INIT.everywhere() {
        for shift in [1, 7, 13] {
            let list: Vec<i32> = numbers().collect();
            let to = |i: usize| list[(i + shift) % list.len()];
            let rules: Vec<String> = list.iter().enumerate().map(|(i, s)| format!("{s}:{}", to(i))).collect();
            let options: Vec<&str> = rules.iter().flat_map(|r| ["-r", r.as_str()]).collect();
            let (mut running, init) = recorder(&it, &options);
            for (i, &signal) in list.iter().enumerate() {
                send(init, signal);
                assert_eq!(running.line(), format!("{} 0 0", to(i)), "{it}: sent {signal}");
            }
            // Real-time signals are not in the map.
            send(init, 40);
            assert_eq!(running.line(), "40 0 0", "{it}");
            is(&running.finish(), 0, "", "");
        }
    }
}

#[test]
fn dropped_signals_and_the_last_rule() {
    for it in DUMB_INIT.everywhere() {
        let options = ["-r", "15:0", "-r", "1:10", "-r", "1:12", "-r", "2:10", "-r", "10:0"];
        let (mut running, init) = recorder(&it, &options);
        // One rule is applied, once: 2 becomes 10, which is not dropped then.
        for (signal, arrives) in [(15, None), (10, None), (1, Some("12 0 0")), (15, None), (2, Some("10 0 0"))] {
            send(init, signal);
            if let Some(line) = arrives {
                assert_eq!(running.line(), line, "{it}: sent {signal}");
            }
        }
        is(&running.finish(), 0, "", "");
    }
}

fn state_of(pid: Pid) -> Option<char> {
    stat(pid).map(|s| s.state)
}

#[track_caller]
fn becomes(it: &Subject, pid: Pid, state: char) {
    eventually(&format!("{it}: {pid} is {state}"), || (state_of(pid)? == state).then_some(()));
}

/// The stop signal that was sent has been done with: one sent before would take a CONT back.
#[track_caller]
fn settles(it: &Subject, running: &mut Running, init: Pid) {
    if !it.is_pid_1() {
        return becomes(it, init, 'T');
    }
    // Signals are taken in the order of their numbers.
    send(init, 40);
    assert_eq!(running.line(), "40 0 0", "{it}");
}

/// CMD goes on. PID 1 can't be seen to have done with stopping itself, which takes a CONT back: again, then.
#[track_caller]
fn goes_on(it: &Subject, init: Pid, cmd: Pid) {
    eventually(&format!("{it}: CMD goes on"), || {
        send(init, libc::SIGCONT);
        (state_of(cmd)? == 'S').then_some(())
    });
    becomes(it, init, 'S');
}

/// TSTP, TTIN and TTOU stop CMD's group, by STOP since it is orphaned, and then dumb-init itself (not as PID 1: the
/// kernel does not let it). CONT resumes both.
#[test]
fn stops_stop_both() {
    for it in DUMB_INIT.everywhere() {
        for signal in STOPS {
            let (running, cmd) = asleep(&it, &[]);
            let init = it.init(&running);
            for _ in 0..2 {
                send(init, signal);
                becomes(&it, cmd, 'T');
                becomes(&it, init, if it.is_pid_1() { 'S' } else { 'T' });
                goes_on(&it, init, cmd);
            }
            send(init, libc::SIGTERM);
            is(&running.finish(), 143, "", "");
        }
    }
}

/// A single child gets the signal itself: its group is its caller's.
#[test]
fn stops_for_a_single_child() {
    for it in DUMB_INIT.everywhere() {
        for signal in STOPS {
            let (mut running, init) = recorder(&it, &["-c"]);
            send(init, signal);
            assert_eq!(running.line(), format!("{signal} 0 0"), "{it}");
            settles(&it, &mut running, init);
            send(init, libc::SIGCONT);
            assert_eq!(running.line(), "18 0 0", "{it}");
            becomes(&it, init, 'S');
            is(&running.finish(), 0, "", "");
        }
    }
}

/// It is the signal received that decides whether dumb-init stops, not what is made of it.
#[test]
fn rewritten_stops() {
    for it in DUMB_INIT.everywhere() {
        let (mut running, init) = recorder(&it, &["-r", "20:10", "-r", "21:21", "-r", "22:0", "-r", "12:20"]);
        for (signal, arrives) in [(20, Some("10 0 0")), (21, Some("21 0 0")), (22, None)] {
            send(init, signal);
            if let Some(line) = arrives {
                assert_eq!(running.line(), line, "{it}: sent {signal}");
            }
            settles(&it, &mut running, init);
            send(init, libc::SIGCONT);
            assert_eq!(running.line(), "18 0 0", "{it}");
        }
        // Rewritten to one of them it is no stop.
        send(init, 12);
        assert_eq!(running.line(), "20 0 0", "{it}");
        send(init, 10);
        assert_eq!(running.line(), "10 0 0", "{it}");
        is(&running.finish(), 0, "", "");
    }
}

#[test]
fn debugging_tells_of_stops() {
    for it in DUMB_INIT.everywhere() {
        let (running, cmd) = asleep(&it, &["-v"]);
        let init = it.init(&running);
        send(init, libc::SIGTSTP);
        becomes(&it, cmd, 'T');
        if !it.is_pid_1() {
            becomes(&it, init, 'T');
        }
        goes_on(&it, init, cmd);
        send(init, libc::SIGTERM);
        let out = running.finish();
        assert_eq!((out.status, out.stdout.as_str()), (143, ""), "{it}: {out}");
        for line in [
            "[dumb-init] Received signal 20.",
            "[dumb-init] Translating signal 20 to 19.",
            "[dumb-init] Forwarded signal 19 to children.",
            "[dumb-init] Suspending self due to TTY signal.",
            "[dumb-init] Received signal 18.",
            "[dumb-init] Forwarded signal 18 to children.",
        ] {
            if it.is_ours() && !line.contains("Forwarded") {
                continue;
            }
            assert!(out.stderr.lines().any(|l| pattern::matches(line, l)), "{it}: {line}\n{out}");
        }
    }
}

// ---- what CMD starts with

#[test]
fn cmd_leads_its_own_session() {
    for it in DUMB_INIT.everywhere() {
        for (options, env, single) in
            [(&[][..], "1", false), (&["-c"], "1", true), (&["--single-child"], "1", true), (&[], "0", true)]
        {
            let running = it.plainly(options, &["sleep", "1000"]).env("DUMB_INIT_SETSID", env).start();
            let cmd = it.cmd(&running);
            let cmd = eventually("CMD is executed", || stat(cmd).filter(|s| s.name == "sleep"));
            let init = stat(it.init(&running)).expect("dumb-init is there");
            let expected = if single { (init.group, init.session) } else { (cmd.pid, cmd.pid) };
            assert_eq!((cmd.group, cmd.session), expected, "{it} {options:?}");
            send(cmd.pid, libc::SIGTERM);
            is(&running.finish(), 143, "", "");
        }
    }
}

#[test]
fn cmds_mask_and_dispositions() {
    differs("dumb-init", "CMD's blocked and ignored signals");
    differs("dumb-init", "signals 32 and 33, blocked or not by the caller");
    common::state(&DUMB_INIT, |ignored, blocked| {
        let ignored = ignored.into_iter().filter(|&s| s > 31).collect();
        (ignored, blocked.into_iter().filter(|s| GLIBC.contains(s)).collect())
    });
}

#[test]
fn cmd_gets_all_else() {
    common::cmd_gets_all_else(&DUMB_INIT);
}

#[test]
fn dumb_init_keeps_nothing() {
    common::the_init_keeps_nothing(&DUMB_INIT, false, true);
}

#[test]
fn listen_pid() {
    common::listen_pid(&DUMB_INIT, false);
}

#[test]
fn closed_descriptors() {
    common::closed_descriptors(&DUMB_INIT, true);
}

/// It gives way: a chain of them works, each a single child of the one before.
#[test]
fn a_chain() {
    for it in DUMB_INIT.everywhere() {
        let name = it.argv0();
        is(&it.run(&["-c", name, "-c", name, "--", helper(), "words", "oh", "hi"]), 0, "[oh]\n[hi]\n", "");
    }
}

// ---- the end

/// CMD's group gets TERM when CMD ends, what has left it does not; nothing is waited for.
#[test]
fn the_group_is_told_at_the_end() {
    for it in DUMB_INIT.everywhere() {
        let rows: [(&[&str], bool, &str); 7] = [
            (&[], false, "got 15"),
            (&["-r", "15:3"], false, "got 3"),
            (&["-r", "15:0"], false, "got 64"),
            (&[], true, "got 64"),
            (&["-c"], false, "got 64"),
            (&["-c"], true, "got 64"),
            (&["-r", "1:2"], false, "got 15"),
        ];
        for (options, away, says) in rows {
            let said = leaves(&it, options, away);
            assert!(said.as_ref().is_none_or(|said| said == says), "{it} {options:?}: {said:?}");
        }
    }
}

#[test]
fn idle() {
    common::idle(&DUMB_INIT, 0);
}

// ---- the terminal

#[test]
fn keys_arrive_once() {
    terminal::keys_arrive_once(&DUMB_INIT, false);
}

#[test]
fn ctrl_c() {
    terminal::ctrl_c_ends_cmd(&DUMB_INIT);
}

#[test]
fn ctrl_z() {
    terminal::stop_and_resume(&DUMB_INIT, true);
}

#[test]
fn in_the_background() {
    terminal::in_the_background(&DUMB_INIT, true);
}

#[test]
fn the_terminal_stays_the_callers() {
    terminal::given_back(&DUMB_INIT, true);
}

#[test]
fn in_a_pipeline() {
    terminal::in_a_pipeline(&DUMB_INIT, true);
}

#[test]
fn as_the_session_leader() {
    terminal::as_the_session_leader(&DUMB_INIT, true);
}
