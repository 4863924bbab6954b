//! tini, docker-init, podman-init: the behaviour that their callers rely on. Every assertion runs against Debian's
//! tini and against nsinit under that name; where they differ, the difference is in the table.

use std::time::Duration;

use super::compat::common::{self, adopts, around, each, not_forwarded, output_of_leftover, sleeping_cmd};
use super::compat::subject::tester;
use super::compat::{FAULTS, GLIBC, Place, Side, Subject, Suite, are, differs, helper, is, pattern, terminal};
use super::harness::launch::send;
use super::harness::procs::{eventually, is_gone, stat};
use super::harness::scratch::{self, Dir, utf8};

static TINI: Suite = Suite { name: "tini", plain: &["-s", "--"] };

const HELP: &str = "\
NAME (VERSION)
Usage: NAME [OPTIONS] PROGRAM -- [ARGS] | --version

Execute a program under the supervision of a valid init process (NAME)

Command line options:

  --version: Show version and exit.
  -h: Show this help message and exit.
  -s: Register as a process subreaper (requires Linux >= 3.4).
  -p SIGNAL: Trigger SIGNAL when parent dies, e.g. \"-p SIGKILL\".
  -v: Generate more verbose output. Repeat up to 3 times.
  -w: Print a warning when processes are getting reaped.
  -g: Send signals to the child's process group.
  -e EXIT_CODE: Remap EXIT_CODE (from 0 to 255) to 0.
  -l: Show license and exit.

Environment variables:

  TINI_SUBREAPER: Register as a process subreaper (requires Linux >= 3.4).
  TINI_VERBOSITY: Set the verbosity level (default: 1).
  TINI_KILL_PROCESS_GROUP: Send signals to the child's process group.

";

const WARNING: &str = "\
[WARN  tini (#)] Tini is not running as PID 1 and isn't registered as a child subreaper.
Zombie processes will not be re-parented to Tini, so zombie reaping won't work.
To fix the problem, use the -s option or set the environment variable TINI_SUBREAPER to register Tini as a child subreaper, or run Tini as PID 1.
";

/// All signals that `-p` accepts, without SIG.
const NAMES: [&str; 28] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "SYS",
];

fn version(it: &Subject) -> String {
    it.run(&["--version"]).text().to_owned()
}

/// Without the feature `help` nsinit's is the usage line.
fn help(it: &Subject, name: &str) -> String {
    let short = it.is_ours() && !cfg!(feature = "help");
    let help = if short { "Usage: NAME [OPTIONS] PROGRAM -- [ARGS] | --version\n" } else { HELP };
    help.replace("NAME", name).replace("VERSION", &version(it))
}

// ---- texts

/// As moby's daemon/info_unix.go parses it: (version, commit).
fn as_docker_reads(text: &str) -> (&str, &str) {
    let mut parts = text.split(" - ");
    let version = parts.next().and_then(|p| p.trim().strip_prefix("tini version ")).unwrap_or_default();
    let commit = parts.next().and_then(|p| p.trim().strip_prefix("git.")).filter(|c| !c.contains('.'));
    (version, commit.unwrap_or_default())
}

#[test]
fn version_is_one_line_on_stdout() {
    differs("tini", "`--version`");
    for it in TINI.subjects() {
        let out = it.run(&["--version"]);
        is(&out, 0, &out.stdout, "");
        assert_eq!(out.stdout.lines().count(), 1);
        let (version, commit) = as_docker_reads(&out.stdout);
        assert!(pattern::matches("#.#.#", version), "{out}");
        assert!(!it.is_ours() || commit.len() >= 7 && commit.bytes().all(|b| b.is_ascii_hexdigit()), "{out}");
    }
}

#[test]
fn version_option_must_be_the_only_argument() {
    for it in TINI.child_subjects() {
        let complaint = format!("{}: invalid option -- '-'\n{}", it.argv0(), help(&it, "tini"));
        for args in [&["--version", "-s"][..], &["-s", "--version"], &["--version", "true"], &["--versio"], &["--foo"]]
        {
            is(&it.run(args), 1, "", &complaint);
        }
    }
}

#[test]
fn help_is_printed_on_stdout() {
    for it in TINI.subjects() {
        for args in [&["-h"][..], &["-sh"], &["-h", "true"], &["-hz"], &["-s", "-h", "-e", "256"]] {
            is(&it.run(args), 0, &help(&it, "tini"), "");
        }
        // The rest of a cluster after an option with a value is the value.
        is(&it.run(&["-e0h"]), 1, "", "[FATAL tini (#)] Not a valid option for -e: 0h\n");
    }
}

/// The help shows the name by which the program was started, without the directory.
#[test]
fn docker_init_and_podman_init_are_tini() {
    for it in TINI.child_subjects() {
        for name in ["docker-init", "podman-init"] {
            let it = it.named(name);
            is(&it.run(&["-h"]), 0, &help(&it, name), "");
            is(&it.run(&["-s", "--", helper(), "exit", "5"]), 5, "", "");
            is(&it.run(&[]), 1, "", &help(&it, name));
            is(&it.run(&["-s", "nosuch"]), 127, "", "[FATAL tini (#)] exec nosuch failed: No such file or directory\n");
        }
    }
}

#[test]
fn missing_cmd_is_a_usage_error() {
    for it in TINI.subjects() {
        for args in [&[][..], &["--"], &["-s"], &["-vvs"], &["-s", "--"], &["-e", "3"], &["-p", "SIGTERM", "--"]] {
            is(&it.run(args), 1, "", &help(&it, "tini"));
        }
    }
}

#[test]
fn unknown_options_and_missing_values_are_refused() {
    for it in TINI.subjects() {
        let (name, help) = (it.argv0(), help(&it, "tini"));
        let unknown = |letter| format!("{name}: invalid option -- '{letter}'\n{help}");
        let missing = |letter| format!("{name}: option requires an argument -- '{letter}'\n{help}");
        is(&it.run(&["-z"]), 1, "", &unknown('z'));
        is(&it.run(&["-sz", "true"]), 1, "", &unknown('z'));
        is(&it.run(&["-zh"]), 1, "", &unknown('z'));
        is(&it.run(&["-s", "-?", "true"]), 1, "", &unknown('?'));
        is(&it.run(&["-V"]), 1, "", &unknown('V'));
        is(&it.run(&["-e"]), 1, "", &missing('e'));
        is(&it.run(&["-p"]), 1, "", &missing('p'));
        is(&it.run(&["-vvse"]), 1, "", &missing('e'));
    }
}

#[test]
fn malformed_statuses_to_remap_are_refused() {
    for it in TINI.child_subjects() {
        for bad in ["256", "-1", "1x", "x", "0x7", "1 ", "99999999999999999999", "--"] {
            let line = format!("[FATAL tini (#)] Not a valid option for -e: {bad}\n");
            is(&it.run(&["-s", "-e", bad, "--", "true"]), 1, "", &line);
        }
        for (good, status) in [("0", 0), ("255", 255), (" 7", 7), ("+7", 7), ("007", 7), ("", 0), ("-0", 0)] {
            let status = status.to_string();
            is(&it.run(&["-s", "-e", good, "--", helper(), "exit", &status]), 0, "", "");
        }
    }
}

#[test]
fn unknown_parent_death_signals_are_refused() {
    for it in TINI.child_subjects() {
        for bad in ["SIGFOO", "KILL", "9", "", "sigterm", "SIGIO", "SIGPWR", "SIGSTKFLT", "SIGRTMIN", "SIGTERM ", "--"]
        {
            let line = format!("[FATAL tini (#)] Not a valid option for -p: {bad}\n");
            is(&it.run(&["-s", "-p", bad, "--", "true"]), 1, "", &line);
        }
        for name in NAMES {
            is(&it.run(&["-s", "-p", &format!("SIG{name}"), "--", helper(), "exit", "3"]), 3, "", "");
        }
    }
}

/// nsinit prints its own licence, which is also MIT.
#[test]
fn licence_is_printed_on_stdout() {
    differs("tini", "the licence: `-l`, `-L`");
    for it in TINI.child_subjects() {
        let out = it.run(&["-l"]);
        is(&out, 0, &out.stdout, "");
        assert!(out.stdout.contains("MIT") && out.stdout.contains("Copyright (c) "), "{out}");
    }
}

#[test]
fn short_options_may_be_clustered_with_attached_values() {
    for it in TINI.child_subjects() {
        for args in [
            &["-sgw", "true"][..],
            &["-s", "-e7", helper(), "exit", "7"],
            &["-se7", helper(), "exit", "7"],
            &["-se", "7", helper(), "exit", "7"],
            &["-s", "-pSIGTERM", "-e", "7", "-e8", helper(), "exit", "8"],
            &["-sgwe7", "--", helper(), "exit", "7"],
        ] {
            is(&it.run(args), 0, "", "");
        }
        is(&it.run(&["-s", "true"]), 0, "", "");
        is(&it.run(&["-s", "-s", "-g", "-g", "--", helper(), "words", "a"]), 0, "[a]\n", "");
    }
}

/// `tini -- CMD` passes all arguments to CMD.
#[test]
fn arguments_after_double_dash_are_cmds() {
    for it in TINI.subjects() {
        let cmd = [helper(), "words", "-s", "--", "-z", "--version", "-h"];
        is(&it.plainly(&[], &cmd).run(), 0, "[-s]\n[--]\n[-z]\n[--version]\n[-h]\n", "");
    }
}

#[test]
fn arguments_after_cmd_are_cmds() {
    differs("tini", "options and `--` after CMD");
    for it in TINI.child_subjects() {
        let original = it.side == Side::Original;
        let row = |args: &[&str], theirs: &str, ours: &str| {
            let args = [&["-s", helper(), "words"], args].concat();
            is(&it.run(&args), 0, if original { theirs } else { ours }, "");
        };
        row(&["a", "-"], "[a]\n[-]\n", "[a]\n[-]\n");
        row(&["--", "-x"], "[-x]\n", "[--]\n[-x]\n");
        row(&["-s", "a"], "[a]\n", "[-s]\n[a]\n");
        row(&["-e", "3", "a"], "[a]\n", "[-e]\n[3]\n[a]\n");
        let out = it.run(&["-s", "sh", "-c", "exit 3"]);
        assert_eq!(out.status, if original { 1 } else { 3 }, "{out}");
    }
}

// ---- not as process 1

#[test]
fn warning_is_printed_if_neither_process_1_nor_subreaper() {
    for it in TINI.subjects() {
        let warning = if it.is_pid_1() { "" } else { WARNING };
        for args in [&["--", "true"][..], &["true"], &["-g", "true"], &["-w", "true"]] {
            is(&it.run(args), 0, "", warning);
        }
        is(&it.run(&["--", "sh", "-c", "exit 4"]), 4, "", warning);
        is(&it.run(&["-s", "true"]), 0, "", "");
        for value in ["", "0", "1"] {
            is(&it.launch(&["true"]).env("TINI_SUBREAPER", value).run(), 0, "", "");
        }
        is(&it.launch(&["true"]).env("TINI_VERBOSITY", "0").run(), 0, "", "");
        is(&it.launch_in(&[helper(), "subreaper"], &["true"]).run(), 0, "", "");
        // The warning is printed before execve(2) fails.
        let both = format!("{warning}[FATAL tini (#)] exec nosuch failed: No such file or directory\n");
        is(&it.run(&["nosuch"]), 127, "", &both);
    }
}

/// tini is a subreaper only on request.
#[test]
fn orphans_are_reparented_only_to_a_subreaper() {
    for it in TINI.subjects() {
        let quiet = |options: &[&str], cmd: &[&str]| {
            let args: Vec<&str> = options.iter().chain(&["--"]).chain(cmd).copied().collect();
            it.launch(&args).env("TINI_VERBOSITY", "0")
        };
        is(&adopts(&it, |cmd| quiet(&[], cmd), false), 0, "", "");
        is(&adopts(&it, |cmd| quiet(&["-s"], cmd), true), 0, "", "");
        is(&adopts(&it, |cmd| quiet(&[], cmd).env("TINI_SUBREAPER", ""), true), 0, "", "");
        let inherited = |cmd: &[&str]| {
            let args: Vec<&str> = ["--"].iter().chain(cmd).copied().collect();
            it.launch_in(&[helper(), "subreaper"], &args)
        };
        is(&adopts(&it, inherited, true), 0, "", "");
    }
}

// ---- verbosity

const TRACE_S: &str = "[TRACE tini (#)] Registered as child subreaper";
const SPAWNED: &str = "[INFO  tini (#)] Spawned child process 'true' with pid '#'";
const RECEIVED: &str = "[DEBUG tini (#)] Received SIGCHLD";
const REAPED: &str = "[DEBUG tini (#)] Reaped child with pid: '#'";
const EXITED: &str = "[INFO  tini (#)] Main child exited normally (with status '0')";
const NO_MORE: &str = "[TRACE tini (#)] No child to wait";
const ENDS: &str = "[TRACE tini (#)] Exiting: child has exited";

/// Requested lines go to stdout.
#[test]
fn verbosity_levels_select_lines() {
    let levels: [&[&str]; 5] = [
        &[],
        &[],
        &[SPAWNED, EXITED],
        &[SPAWNED, RECEIVED, REAPED, EXITED],
        &[TRACE_S, SPAWNED, RECEIVED, REAPED, EXITED, NO_MORE, ENDS],
    ];
    differs("tini", "output of `-v` and similar options");
    for it in TINI.subjects() {
        let check = |args: &[&str], env: Option<&str>, level: usize| {
            let launch = it.launch(args);
            let out = match env {
                Some(value) => launch.env("TINI_VERBOSITY", value).run(),
                None => launch.run(),
            };
            assert!(out.status == 0 && out.stderr.is_empty(), "{it}: {out}");
            let all = levels[level].iter().copied();
            let lines: Vec<&str> =
                all.filter(|line| !it.is_ours() || [SPAWNED, RECEIVED, REAPED, EXITED].contains(line)).collect();
            are(&out, &out.stdout, &lines);
        };
        check(&["-s", "true"], None, 1);
        check(&["-s", "-v", "true"], None, 2);
        check(&["-vvs", "true"], None, 3);
        check(&["-v", "-svv", "--", "true"], None, 4);
        check(&["-vvvvvs", "true"], None, 4);
        // The variable sets the level, and does not add to it.
        for (value, level) in [("0", 0), ("1", 1), ("2", 2), ("3", 3), ("4", 4), ("3x", 3), ("x", 0), ("", 0)] {
            check(&["-s", "true"], Some(value), level);
            check(&["-vvvs", "true"], Some(value), level);
        }
    }
}

#[test]
fn verbose_reports_signals_and_exits() {
    for it in TINI.subjects() {
        let script = "trap 'kill -9 $$' USR1; kill -USR1 $PPID; while :; do :; done";
        let args = ["-vvvs", "--", "sh", "-c", script];
        let out = it.run(&args);
        assert_eq!((out.status, out.stderr.as_str()), (137, ""), "{it}: {out}");
        let theirs = [
            "[DEBUG tini (#)] Passing signal: 'User defined signal 1'",
            "[INFO  tini (#)] Main child exited with signal (with signal 'Killed')",
        ];
        let ours = [
            "[DEBUG tini (#)] Passing signal: '10'",
            "[INFO  tini (#)] Main child exited with signal (with signal '9')",
        ];
        for line in if it.is_ours() { ours } else { theirs } {
            assert!(out.stdout.lines().any(|l| pattern::matches(line, l)), "{it}: {line}\n{out}");
        }
    }
}

/// The warning names the reaped orphans, but not the command.
#[test]
fn w_option_warns_about_reaped_orphans() {
    for it in TINI.subjects() {
        let args = |options: &'static str| [options, "-s", "--", helper(), "strays", "5"];
        is(&it.run(&args("-w")), 5, "", &"[WARN  tini (#)] Reaped zombie process with pid=#\n".repeat(2));
        is(&it.run(&args("-g")), 5, "", "");
        is(&it.run(&["-ws", "true"]), 0, "", "");
        is(&it.launch(&args("-w")).env("TINI_VERBOSITY", "0").run(), 5, "", "");
    }
}

#[test]
fn messages_name_the_right_pids() {
    for it in TINI.subjects() {
        let mut running = it.launch(&["-vs", "--", "sh", "-c", "echo $$ $PPID; read x"]).open_input().start();
        // The original writes its buffer at exit, so the command's line comes first; nsinit has no buffer.
        let first = running.line();
        let second = if first.starts_with('[') { running.line() } else { first.clone() };
        let (cmd, init) = second.split_once(' ').expect("two numbers");
        let line = format!("[INFO  tini ({init})] Spawned child process 'sh' with pid '{cmd}'");
        let out = running.finish();
        assert!(first == line || out.stdout.contains(&line), "{it}: {line}\n{out}");
    }
}

// ---- statuses

#[test]
fn every_exit_status_is_passed_on() {
    common::every_exit_status_is_passed_on(&TINI);
}

#[test]
fn death_by_signal_n_gives_128_plus_n() {
    common::death_by_signal_n_gives_128_plus_n(&TINI);
}

/// `-e` for each of the 256 statuses maps only that status.
#[test]
fn e_option_remaps_exit_statuses_to_0() {
    for it in TINI.child_subjects() {
        for (number, status) in each(&it, 0, 255, &["-s", "-e", "@", "--", helper(), "exit", "@"]) {
            assert_eq!(status, 0, "{it}: {number}");
        }
        for (number, status) in each(&it, 0, 255, &["-s", "-e", "3", "-e", "143", "-e3", "--", helper(), "exit", "@"]) {
            assert_eq!(status, if [3, 143].contains(&number) { 0 } else { number }, "{it}");
        }
        // Death by signal and a failed execve(2), too.
        let dies = ["-s", "-e", "143", "-e", "126", "-e", "127", "--", helper(), "die", "15"];
        is(&it.run(&dies), 0, "", "");
        let line = "[FATAL tini (#)] exec nosuch failed: No such file or directory\n";
        is(&it.run(&["-s", "-e", "127", "nosuch"]), 0, "", line);
    }
}

#[test]
fn missing_cmd_gives_127_and_unexecutable_cmd_126() {
    common::execve_errors_are_reported(&TINI, "[FATAL tini (#)] exec {} failed: @", |errno| match errno {
        libc::ENOENT => 127,
        libc::EACCES => 126,
        _ => 1,
    });
}

#[test]
fn failing_calls_are_reported_in_tinis_form() {
    common::failing_calls_are_reported(&TINI, &[libc::SYS_setpgid], "[FATAL tini (");
}

#[test]
fn unsearchable_path_directory_is_skipped() {
    common::unsearchable_path_directory_is_skipped(&TINI, "[FATAL tini (#)] exec nosuch failed: @\n", [126, 127]);
}

#[test]
fn script_without_interpreter_line_is_run_by_sh() {
    common::script_without_interpreter_line_is_run_by_sh(&TINI);
}

#[test]
fn exit_status_is_cmds_if_orphans_end_at_once() {
    common::exit_status_is_cmds_if_orphans_end_at_once(&TINI);
}

#[test]
fn ten_thousand_orphans_are_reaped() {
    common::ten_thousand_orphans_are_reaped(&TINI, &[Place::Child, Place::Pid1]);
}

// ---- signals

#[test]
fn every_signal_reaches_cmd_once() {
    common::every_signal_reaches_cmd_once(&TINI, &[], &[], &not_forwarded(&[libc::SIGTTIN, libc::SIGTTOU]));
}

#[test]
fn every_signal_reaches_cmds_group_once() {
    common::every_signal_reaches_cmd_once(&TINI, &["-g"], &[], &not_forwarded(&[libc::SIGTTIN, libc::SIGTTOU]));
}

#[test]
fn original_does_not_forward_some_signals() {
    differs("tini", "ILL TRAP ABRT BUS FPE SEGV SYS, sent by a process");
    differs("tini", "signals 32 and 33");
    differs("tini", "TTIN and TTOU, sent by a process");
    common::original_does_not_forward(&TINI, &[&FAULTS[..], &GLIBC].concat(), &[libc::SIGTTIN, libc::SIGTTOU]);
}

#[test]
fn sigchld_is_not_forwarded() {
    common::sigchld_is_not_forwarded(&TINI);
}

#[test]
fn queued_signals_are_forwarded() {
    common::queued_signals_are_forwarded(&TINI, &[], false);
    common::queued_signals_are_forwarded(&TINI, &["-g"], true);
}

#[test]
fn g_option_forwards_signals_to_cmds_group() {
    common::signals_reach_cmds_group(&TINI, &[], None, false);
    common::signals_reach_cmds_group(&TINI, &["-g"], None, true);
    common::signals_reach_cmds_group(&TINI, &[], Some(("TINI_KILL_PROCESS_GROUP", "")), true);
    common::signals_reach_cmds_group(&TINI, &[], Some(("TINI_KILL_PROCESS_GROUP", "0")), true);
}

#[test]
fn forwarded_signals_end_cmd() {
    common::forwarded_signals_end_cmd(&TINI);
}

#[test]
fn stopped_cmd_ends_on_a_forwarded_signal() {
    common::stopped_cmd_ends_on_a_forwarded_signal(&TINI);
}

#[test]
fn signal_before_the_start_reaches_cmd() {
    common::signal_before_the_start_reaches_cmd(&TINI, &[&[], &["-g"]]);
}

#[test]
fn ignored_sigchld_does_not_hang_tini() {
    common::ignored_sigchld_does_not_hang(&TINI, true);
}

/// tini gets the signal and forwards it; it cannot forward SIGKILL.
#[test]
fn p_option_sends_a_signal_at_the_parents_end() {
    let recorder = utf8(scratch::helper());
    for it in TINI.subjects() {
        for (name, number) in [("SIGTERM", 15), ("SIGHUP", 1), ("SIGUSR1", 10), ("SIGWINCH", 28)] {
            let parent = ["sh", "-c", "exec 3<&0; \"$@\" <&3 3<&- & echo $!; wait", "sh"];
            let words = match it.place {
                Place::Child => it.words(&parent, &["-s", "-p", name, "--", recorder, "signals"]),
                // unshare(1) is the parent; its --kill-child takes precedence.
                Place::Pid1 => it.words(&[], &["-p", name, "--", recorder, "signals"]),
            };
            let launch = super::harness::Launch::of(tester(), words[0].as_ref()).args(&words[1..]).open_input();
            let mut running = launch.start();
            // The lines of the parent and of the command arrive in either order.
            if running.line() != "ready" || !it.is_pid_1() {
                running.line();
            }
            send(running.pid(), libc::SIGKILL);
            assert_eq!(running.line().split(' ').next(), Some(number.to_string().as_str()), "{it}: {name}");
            is(&running.finish(), -libc::SIGKILL, "", "");
        }
    }
}

#[test]
fn p_sigkill_kills_tini_only() {
    for it in TINI.subjects().into_iter().filter(|it| !it.is_pid_1()) {
        let tag = Dir::new(tester());
        let args = ["-s", "-p", "SIGKILL", "--", helper(), "next", tag.str()];
        let words = it.words(&["sh", "-c", "\"$@\" & echo $!; wait", "sh"], &args);
        let launch = super::harness::Launch::of(tester(), words[0].as_ref()).args(&words[1..]);
        let mut running = launch.start();
        // In either order.
        let lines = [running.line(), running.line()];
        let init: i32 = lines.iter().find_map(|line| line.parse().ok()).expect("a number");
        let cmd = common::find(&tag);
        send(running.pid(), libc::SIGKILL);
        eventually("tini has ended", || is_gone(init).then_some(()));
        // SIGKILL is only for tini: the command continues.
        assert!(!is_gone(cmd), "{it}");
        send(cmd, libc::SIGUSR1);
        assert_eq!(running.line(), "got 10", "{it}");
        is(&running.finish(), -libc::SIGKILL, "", "");
    }
}

// ---- the state in which the command starts

#[test]
fn cmd_leads_a_process_group() {
    for it in TINI.subjects() {
        let (running, cmd) = sleeping_cmd(&it, &[]);
        let (init, cmd) = (stat(it.init(&running)).unwrap(), stat(cmd).unwrap());
        assert_eq!((cmd.group, cmd.session), (cmd.pid, init.session), "{it}");
        send(cmd.pid, libc::SIGTERM);
        is(&running.finish(), 143, "", "");
    }
}

#[test]
fn cmd_starts_with_the_callers_signal_mask_and_dispositions() {
    differs("tini", "signals 32 and 33 in CMD's signal mask");
    common::cmd_has_the_callers_mask_and_dispositions(&TINI, |ignored, blocked| {
        (ignored, blocked.into_iter().filter(|s| !GLIBC.contains(s)).collect())
    });
}

#[test]
fn cmd_inherits_all_other_attributes() {
    common::cmd_inherits_all_other_attributes(&TINI);
}

#[test]
fn tini_keeps_no_descriptor_and_no_directory() {
    common::init_keeps_no_descriptor_and_no_directory(&TINI, false, false);
}

#[test]
fn listen_pid_is_rewritten_for_cmd() {
    common::listen_pid_is_rewritten_for_cmd(&TINI, false);
}

#[test]
fn closed_standard_descriptors_are_accepted() {
    differs("tini", "standard input closed");
    common::closed_standard_descriptors_are_accepted(&TINI, false);
    for it in TINI.original() {
        let out = it.launch_in(&[helper(), "closed", "0"], &["-s", "true"]).run();
        is(&out, 1, "", "[FATAL tini (#)] tcsetpgrp failed: Bad file descriptor\n");
    }
}

// ---- teardown

/// Processes that the command leaves are neither signalled nor waited for.
#[test]
fn tini_exits_without_waiting_for_leftovers() {
    for it in TINI.subjects() {
        for away in [false, true] {
            let said = output_of_leftover(&it, &[], away);
            assert!(said.is_none_or(|said| said == "got 64"), "{it}");
        }
        let said = output_of_leftover(&it, &["-g"], false);
        assert!(said.is_none_or(|said| said == "got 64"), "{it} -g");
    }
}

#[test]
fn twenty_runs_take_less_than_5_seconds() {
    for it in TINI.subjects() {
        // One that waits a second before it sees the end takes 20. On a machine with other work some tries take longer.
        let took = || around(&it, &["each", "1", "20"], &it.plain(&[], &[helper(), "exit", "0"])).run().took;
        assert!((0..10).any(|_| took() < Duration::from_secs(5)), "{it}");
    }
}

#[test]
fn tini_does_not_wake_while_idle() {
    differs("tini", "idle");
    common::init_does_not_wake_while_idle(&TINI, 1);
}

// ---- the terminal

#[test]
fn signal_keys_reach_cmd_once() {
    terminal::signal_keys_reach_cmd_once(&TINI, true);
}

#[test]
fn ctrl_c_ends_cmd() {
    terminal::ctrl_c_ends_cmd(&TINI);
}

#[test]
fn cmd_is_in_the_foreground_while_it_runs() {
    terminal::cmd_is_in_the_foreground(&TINI);
}

#[test]
fn ctrl_z_stops_the_job() {
    terminal::ctrl_z_stops_the_job(&TINI, false);
    terminal::original_stops_cmd_only(&TINI);
}

#[test]
fn background_job_leaves_the_terminal_alone() {
    terminal::background_job_leaves_the_terminal_alone(&TINI, false);
    terminal::original_takes_the_terminal_in_the_background(&TINI);
}

#[test]
fn terminal_is_returned_to_the_caller() {
    terminal::terminal_is_returned_to_the_caller(&TINI, false);
}

#[test]
fn tini_works_in_a_pipeline() {
    terminal::init_works_in_a_pipeline(&TINI, false);
}

#[test]
fn tini_works_as_the_session_leader() {
    terminal::init_works_as_the_session_leader(&TINI, true);
}
