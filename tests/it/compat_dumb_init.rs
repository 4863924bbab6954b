//! dumb-init: the behaviour that its callers rely on. Every assertion runs against Debian's dumb-init and against
//! nsinit under that name; where they differ, the difference is in the table.

use std::time::Duration;

use super::compat::common::{self, adopts, output_of_leftover, recorder, sleeping_cmd};
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
fn version_is_printed_on_stderr() {
    for it in DUMB_INIT.subjects() {
        for args in [&["-V"][..], &["--version"], &["-cV"], &["-V", "-z"], &["-v", "--version", "true"]] {
            is(&it.run(args), 0, "", "dumb-init v#.#.#\n");
        }
    }
}

/// The usage shows argv[0] unchanged. Without the feature `help` nsinit's help is the usage line.
#[test]
fn help_is_printed_on_stderr() {
    for it in DUMB_INIT.subjects() {
        let version = it.run(&["-V"]).stderr;
        let short = it.is_ours() && !cfg!(feature = "help");
        let (usage, _) = HELP.split_once("\n\n").expect("the usage");
        let help = if short { usage.to_owned() + "\n" } else { version + HELP };
        let help = help.replace("NAME", it.argv0());
        for args in [&["-h"][..], &["--help"], &["-ch"], &["-h", "-z"], &["-r", "1:1", "-h"], &["-v", "-h", "true"]] {
            is(&it.run(args), 0, "", &help);
        }
    }
}

#[test]
fn missing_cmd_is_a_usage_error() {
    for it in DUMB_INIT.subjects() {
        let name = it.argv0();
        let usage = format!("Usage: {name} [option] program [args]\nTry {name} --help for full usage.\n");
        for args in [&[][..], &["--"], &["-c"], &["-v"], &["-r", "15:3"], &["-c", "--"]] {
            is(&it.run(args), 1, "", &usage);
        }
        is(&it.launch(&[]).env("DUMB_INIT_DEBUG", "1").run(), 1, "", &usage);
    }
}

#[test]
fn unknown_options_and_missing_values_are_refused() {
    for it in DUMB_INIT.subjects() {
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

/// As in getopt_long(3): a prefix is enough if only one option has it.
#[test]
fn long_options_may_be_abbreviated() {
    for it in DUMB_INIT.child_subjects() {
        for args in
            [&["--re", "15:3", "true"][..], &["--rew=15:3", "true"], &["--s", "true"], &["--single-chil", "true"]]
        {
            is(&it.run(args), 0, "", "");
        }
        is(&it.run(&["--vers"]), 0, "", "dumb-init v#.#.#\n");
        differs("dumb-init", "an ambiguous prefix of a long option");
        let ambiguous = match it.side {
            Side::Original => "option '--ver' is ambiguous; possibilities: '--verbose' '--version'\n",
            Side::Ours => "unrecognized option '--ver'\n",
        };
        is(&it.run(&["--ver", "true"]), 1, "", &format!("{}: {ambiguous}", it.argv0()));
    }
}

#[test]
fn malformed_rewrites_are_refused() {
    for it in DUMB_INIT.child_subjects() {
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
fn options_end_at_the_first_operand() {
    for it in DUMB_INIT.subjects() {
        is(&it.run(&[helper(), "words", "-V", "--", "-z", "-c"]), 0, "[-V]\n[--]\n[-z]\n[-c]\n", "");
        is(&it.run(&["--", helper(), "words", "-V"]), 0, "[-V]\n", "");
        is(&it.run(&["-c", helper(), "words", "--help"]), 0, "[--help]\n", "");
        is(&it.run(&["-cr", "15:3", "--", helper(), "words", "--"]), 0, "[--]\n", "");
        is(&it.run(&["sh", "-c", "exit 3"]), 3, "", "");
        let dash = "-: No such file or directory\n";
        is(&it.run(&["-", "-V"]), 2, "", &format!("[dumb-init] {dash}"));
    }
}

/// The kernel passes the rest of a `#!` line as one argument, followed by the script's name.
#[test]
fn dumb_init_works_as_a_script_interpreter() {
    for it in DUMB_INIT.child_subjects() {
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
fn verbose_prints_lines() {
    let [exited, goodbye] = exits("3");
    let single = [SPAWNED, CHLD, &exited, FORWARDED, &goodbye];
    let whole = [&single[..], &[DETACH, ATTACH, SETSID]].concat();
    let by_env = "[dumb-init] Running in debug mode.";
    for it in DUMB_INIT.subjects() {
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
fn verbose_reports_signals_and_exits() {
    for it in DUMB_INIT.subjects() {
        let options = ["-vc", "-r", "15:9", "-r", "10:0"];
        let (running, _) = sleeping_cmd(&it, &options);
        let init = it.init(&running);
        send(init, libc::SIGUSR1);
        // These two signals differ: a second signal of the same number would be lost while the first is pending.
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
            // The SIGTERM for leftover processes is rewritten, too.
            "[dumb-init] Translating signal 15 to 9.",
            "[dumb-init] Forwarded signal 9 to children.",
            "[dumb-init] Child exited with status 137. Goodbye.",
        ];
        are(&out, &out.stderr, &lines);
    }
}

/// The kernel's signals for the terminal that dumb-init gives up are not forwarded; a line says so.
#[test]
fn verbose_reports_ignored_terminal_signals() {
    for it in DUMB_INIT.child_subjects() {
        let dir = scratch::Dir::new(super::compat::subject::tester());
        let words = it.words(&[], &["-v", "sh", "-c", "trap exit HUP; sleep 1000 & wait"]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut term = Term::run(super::compat::subject::tester(), dir.path(), &words);
        for signal in [1, 18] {
            term.expect(&format!("[dumb-init] Received signal {signal}."));
            term.expect(&format!("[dumb-init] Ignoring tty hand-off signal {signal}."));
        }
        let cmd = || procs::children(term.pid()).first().copied();
        eventually("the command waits", || procs::children(cmd()?).first().copied());
        send(term.pid(), libc::SIGHUP);
        let rest = term.expect("[dumb-init] Forwarded signal 1 to children.");
        assert!(!rest.contains("signal 18 to children"), "{it}: {rest}");
    }
}

#[test]
fn messages_name_the_right_pids() {
    for it in DUMB_INIT.subjects() {
        let out = it.plainly(&["-vc"], &["sh", "-c", "echo $$"]).run();
        let line = format!("[dumb-init] Child spawned with PID {}.\n", out.stdout.trim());
        assert!(out.status == 0 && out.stderr.starts_with(&line), "{it}: {line}\n{out}");
    }
}

// ---- statuses

#[test]
fn every_exit_status_is_passed_on() {
    common::every_exit_status_is_passed_on(&DUMB_INIT);
}

#[test]
fn death_by_signal_n_gives_128_plus_n() {
    common::death_by_signal_n_gives_128_plus_n(&DUMB_INIT);
}

#[test]
fn execve_errors_give_2() {
    common::execve_errors_are_reported(&DUMB_INIT, "[dumb-init] {}: @", |_| 2);
}

#[test]
fn failing_calls_are_reported_in_dumb_inits_form() {
    common::failing_calls_are_reported(&DUMB_INIT, &[libc::SYS_setsid], "[dumb-init] ");
}

#[test]
fn unsearchable_path_directory_is_skipped() {
    common::unsearchable_path_directory_is_skipped(&DUMB_INIT, "[dumb-init] nosuch: @\n", [2, 2]);
}

#[test]
fn script_without_interpreter_line_is_run_by_sh() {
    common::script_without_interpreter_line_is_run_by_sh(&DUMB_INIT);
}

#[test]
fn exit_status_is_cmds_if_orphans_end_at_once() {
    common::exit_status_is_cmds_if_orphans_end_at_once(&DUMB_INIT);
}

/// dumb-init is not a subreaper: it gets orphans only as process 1.
#[test]
fn orphans_are_reparented_only_to_process_1() {
    common::ten_thousand_orphans_are_reaped(&DUMB_INIT, &[Place::Pid1]);
    for it in DUMB_INIT.subjects() {
        is(&adopts(&it, |cmd| it.plainly(&[], cmd), false), 0, "", "");
        is(&adopts(&it, |cmd| it.plainly(&["-c"], cmd), false), 0, "", "");
        let inherited = |cmd: &[&str]| it.launch_in(&[helper(), "subreaper"], cmd);
        is(&adopts(&it, inherited, true), 0, "", "");
    }
}

// ---- signals

#[test]
fn every_signal_reaches_cmd_once() {
    common::every_signal_reaches_cmd_once(&DUMB_INIT, &[], &STOPS, &GLIBC);
    common::every_signal_reaches_cmd_once(&DUMB_INIT, &["-c"], &STOPS, &GLIBC);
}

#[test]
fn original_does_not_forward_some_signals() {
    differs("dumb-init", "signals 32 and 33");
    common::original_does_not_forward(&DUMB_INIT, &GLIBC, &[]);
}

#[test]
fn sigchld_is_not_forwarded() {
    common::sigchld_is_not_forwarded(&DUMB_INIT);
}

#[test]
fn queued_signals_are_forwarded() {
    common::queued_signals_are_forwarded(&DUMB_INIT, &["-c"], false);
    common::queued_signals_are_forwarded(&DUMB_INIT, &[], true);
}

#[test]
fn signals_go_to_cmds_group_except_in_single_child_mode() {
    common::signals_reach_cmds_group(&DUMB_INIT, &[], None, true);
    common::signals_reach_cmds_group(&DUMB_INIT, &["-c"], None, false);
    common::signals_reach_cmds_group(&DUMB_INIT, &["--single-child"], None, false);
    common::signals_reach_cmds_group(&DUMB_INIT, &[], Some(("DUMB_INIT_SETSID", "0")), false);
    common::signals_reach_cmds_group(&DUMB_INIT, &[], Some(("DUMB_INIT_SETSID", "")), true);
    common::signals_reach_cmds_group(&DUMB_INIT, &["-c"], Some(("DUMB_INIT_SETSID", "1")), false);
}

#[test]
fn forwarded_signals_end_cmd() {
    common::forwarded_signals_end_cmd(&DUMB_INIT);
}

#[test]
fn stopped_cmd_ends_on_a_forwarded_signal() {
    common::stopped_cmd_ends_on_a_forwarded_signal(&DUMB_INIT);
}

#[test]
fn signal_before_the_start_reaches_cmd() {
    common::signal_before_the_start_reaches_cmd(&DUMB_INIT, &[&[], &["-c"]]);
}

#[test]
fn ignored_sigchld_does_not_hang_dumb_init() {
    common::ignored_sigchld_does_not_hang(&DUMB_INIT, false);
}

/// Every pair of different signals that a rule may have, except the stop signals: 27 × 28.
#[test]
fn rewrite_replaces_signals() {
    let numbers =
        || (1..=31).filter(|s| ![libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD].contains(s) && !STOPS.contains(s));
    for it in DUMB_INIT.subjects() {
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
            // Rules cannot name real-time signals.
            send(init, 40);
            assert_eq!(running.line(), "40 0 0", "{it}");
            is(&running.finish(), 0, "", "");
        }
    }
}

#[test]
fn rewrite_to_0_drops_and_the_last_rule_applies() {
    for it in DUMB_INIT.subjects() {
        let options = ["-r", "15:0", "-r", "1:10", "-r", "1:12", "-r", "2:10", "-r", "10:0"];
        let (mut running, init) = recorder(&it, &options);
        // One rule is applied, once: 2 becomes 10, and 10 is not dropped then.
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
fn wait_for_state(it: &Subject, pid: Pid, state: char) {
    eventually(&format!("{it}: {pid} is {state}"), || (state_of(pid)? == state).then_some(()));
}

/// Waits until dumb-init has handled the stop signal: SIGCONT discards a pending stop signal, and vice versa.
#[track_caller]
fn wait_until_stop_is_handled(it: &Subject, running: &mut Running, init: Pid) {
    if !it.is_pid_1() {
        return wait_for_state(it, init, 'T');
    }
    // Signals are taken in the order of their numbers.
    send(init, 40);
    assert_eq!(running.line(), "40 0 0", "{it}");
}

/// Continues dumb-init until the command runs. It is not visible when process 1 has tried to stop itself, which would
/// discard SIGCONT; so SIGCONT is repeated.
#[track_caller]
fn continue_cmd(it: &Subject, init: Pid, cmd: Pid) {
    eventually(&format!("{it}: the command runs"), || {
        send(init, libc::SIGCONT);
        (state_of(cmd)? == 'S').then_some(())
    });
    wait_for_state(it, init, 'S');
}

/// TSTP, TTIN and TTOU stop the command's process group (by SIGSTOP, because the group is orphaned), and then
/// dumb-init itself (except as process 1, which the kernel does not stop). SIGCONT continues both.
#[test]
fn stop_signals_stop_cmd_and_dumb_init() {
    for it in DUMB_INIT.subjects() {
        for signal in STOPS {
            let (running, cmd) = sleeping_cmd(&it, &[]);
            let init = it.init(&running);
            for _ in 0..2 {
                send(init, signal);
                wait_for_state(&it, cmd, 'T');
                wait_for_state(&it, init, if it.is_pid_1() { 'S' } else { 'T' });
                continue_cmd(&it, init, cmd);
            }
            send(init, libc::SIGTERM);
            is(&running.finish(), 143, "", "");
        }
    }
}

/// A single child gets the signal itself, because it is in the caller's process group.
#[test]
fn single_child_gets_the_stop_signal_itself() {
    for it in DUMB_INIT.subjects() {
        for signal in STOPS {
            let (mut running, init) = recorder(&it, &["-c"]);
            send(init, signal);
            assert_eq!(running.line(), format!("{signal} 0 0"), "{it}");
            wait_until_stop_is_handled(&it, &mut running, init);
            send(init, libc::SIGCONT);
            assert_eq!(running.line(), "18 0 0", "{it}");
            wait_for_state(&it, init, 'S');
            is(&running.finish(), 0, "", "");
        }
    }
}

/// The received signal decides whether dumb-init stops, not the rewritten one.
#[test]
fn rewritten_stop_signals_still_stop_dumb_init() {
    for it in DUMB_INIT.subjects() {
        let (mut running, init) = recorder(&it, &["-r", "20:10", "-r", "21:21", "-r", "22:0", "-r", "12:20"]);
        for (signal, arrives) in [(20, Some("10 0 0")), (21, Some("21 0 0")), (22, None)] {
            send(init, signal);
            if let Some(line) = arrives {
                assert_eq!(running.line(), line, "{it}: sent {signal}");
            }
            wait_until_stop_is_handled(&it, &mut running, init);
            send(init, libc::SIGCONT);
            assert_eq!(running.line(), "18 0 0", "{it}");
        }
        // A signal that is rewritten to a stop signal does not stop dumb-init.
        send(init, 12);
        assert_eq!(running.line(), "20 0 0", "{it}");
        send(init, 10);
        assert_eq!(running.line(), "10 0 0", "{it}");
        is(&running.finish(), 0, "", "");
    }
}

#[test]
fn verbose_reports_stops() {
    for it in DUMB_INIT.subjects() {
        let (running, cmd) = sleeping_cmd(&it, &["-v"]);
        let init = it.init(&running);
        send(init, libc::SIGTSTP);
        wait_for_state(&it, cmd, 'T');
        if !it.is_pid_1() {
            wait_for_state(&it, init, 'T');
        }
        continue_cmd(&it, init, cmd);
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

// ---- the state in which the command starts

#[test]
fn cmd_leads_a_session_except_in_single_child_mode() {
    for it in DUMB_INIT.subjects() {
        for (options, env, single) in
            [(&[][..], "1", false), (&["-c"], "1", true), (&["--single-child"], "1", true), (&[], "0", true)]
        {
            let running = it.plainly(options, &["sleep", "1000"]).env("DUMB_INIT_SETSID", env).start();
            let cmd = it.cmd(&running);
            let cmd = eventually("the command is executed", || stat(cmd).filter(|s| s.name == "sleep"));
            let init = stat(it.init(&running)).expect("dumb-init runs");
            let expected = if single { (init.group, init.session) } else { (cmd.pid, cmd.pid) };
            assert_eq!((cmd.group, cmd.session), expected, "{it} {options:?}");
            send(cmd.pid, libc::SIGTERM);
            is(&running.finish(), 143, "", "");
        }
    }
}

#[test]
fn cmd_starts_with_the_callers_signal_mask_and_dispositions() {
    differs("dumb-init", "CMD's blocked and ignored signals");
    differs("dumb-init", "signals 32 and 33 in CMD's signal mask");
    common::cmd_has_the_callers_mask_and_dispositions(&DUMB_INIT, |ignored, blocked| {
        let ignored = ignored.into_iter().filter(|&s| s > 31).collect();
        (ignored, blocked.into_iter().filter(|s| GLIBC.contains(s)).collect())
    });
}

#[test]
fn cmd_inherits_all_other_attributes() {
    common::cmd_inherits_all_other_attributes(&DUMB_INIT);
}

#[test]
fn dumb_init_keeps_no_descriptor_and_no_directory() {
    common::init_keeps_no_descriptor_and_no_directory(&DUMB_INIT, false, true);
}

#[test]
fn listen_pid_is_rewritten_for_cmd() {
    common::listen_pid_is_rewritten_for_cmd(&DUMB_INIT, false);
}

#[test]
fn closed_standard_descriptors_are_accepted() {
    common::closed_standard_descriptors_are_accepted(&DUMB_INIT, true);
}

/// A chain works: each dumb-init is the single child of the one before.
#[test]
fn dumb_init_can_run_itself() {
    for it in DUMB_INIT.subjects() {
        let name = it.argv0();
        is(&it.run(&["-c", name, "-c", name, "--", helper(), "words", "oh", "hi"]), 0, "[oh]\n[hi]\n", "");
    }
}

// ---- teardown

/// The command's process group gets SIGTERM when the command ends; a process that left the group does not. dumb-init
/// waits for none.
#[test]
fn cmds_group_gets_sigterm_at_cmds_end() {
    for it in DUMB_INIT.subjects() {
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
            let said = output_of_leftover(&it, options, away);
            assert!(said.as_ref().is_none_or(|said| said == says), "{it} {options:?}: {said:?}");
        }
    }
}

#[test]
fn dumb_init_does_not_wake_while_idle() {
    common::init_does_not_wake_while_idle(&DUMB_INIT, 0);
}

// ---- the terminal

#[test]
fn signal_keys_reach_cmd_once() {
    terminal::signal_keys_reach_cmd_once(&DUMB_INIT, false);
}

#[test]
fn ctrl_c_ends_cmd() {
    terminal::ctrl_c_ends_cmd(&DUMB_INIT);
}

#[test]
fn ctrl_z_stops_the_job() {
    terminal::ctrl_z_stops_the_job(&DUMB_INIT, true);
}

#[test]
fn background_job_leaves_the_terminal_alone() {
    terminal::background_job_leaves_the_terminal_alone(&DUMB_INIT, true);
}

#[test]
fn terminal_stays_with_the_caller() {
    terminal::terminal_is_returned_to_the_caller(&DUMB_INIT, true);
}

#[test]
fn dumb_init_works_in_a_pipeline() {
    terminal::init_works_in_a_pipeline(&DUMB_INIT, true);
}

#[test]
fn dumb_init_works_as_the_session_leader() {
    terminal::init_works_as_the_session_leader(&DUMB_INIT, true);
}
