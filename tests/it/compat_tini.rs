//! tini, docker-init, podman-init: what scripts and people read from them and rely on. Every assertion runs against
//! Debian's tini and against nsinit under that name; where they differ, the difference is in the table.

use std::time::Duration;

use super::compat::common::{self, adopts, around, asleep, each, leaves, lost};
use super::compat::subject::tester;
use super::compat::{FAULTS, GLIBC, Place, Side, Subject, Suite, are, differs, helper, is, pattern, terminal};
use super::harness::launch::send;
use super::harness::procs::{eventually, is_gone, stat};
use super::harness::scratch::{self, Dir};

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

/// All that `-p` knows, with SIG before it.
const NAMES: [&str; 28] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "SYS",
];

fn version(it: &Subject) -> String {
    it.run(&["--version"]).text().to_owned()
}

fn help(it: &Subject, name: &str) -> String {
    HELP.replace("NAME", name).replace("VERSION", &version(it))
}

// ---- texts

/// As moby's daemon/info_unix.go reads it: (version, commit).
fn as_docker_reads(text: &str) -> (&str, &str) {
    let mut parts = text.split(" - ");
    let version = parts.next().and_then(|p| p.trim().strip_prefix("tini version ")).unwrap_or_default();
    let commit = parts.next().and_then(|p| p.trim().strip_prefix("git.")).filter(|c| !c.contains('.'));
    (version, commit.unwrap_or_default())
}

#[test]
fn the_version_is_one_line_on_stdout() {
    differs("tini", "`--version`");
    for it in TINI.everywhere() {
        let out = it.run(&["--version"]);
        is(&out, 0, &out.stdout, "");
        assert_eq!(out.stdout.lines().count(), 1);
        let (version, commit) = as_docker_reads(&out.stdout);
        assert!(pattern::matches("#.#.#", version), "{out}");
        assert!(!it.is_ours() || commit.len() >= 7 && commit.bytes().all(|b| b.is_ascii_hexdigit()), "{out}");
    }
}

#[test]
fn the_version_is_asked_for_alone() {
    for it in TINI.anywhere() {
        let complaint = format!("{}: invalid option -- '-'\n{}", it.argv0(), help(&it, "tini"));
        for args in [&["--version", "-s"][..], &["-s", "--version"], &["--version", "true"], &["--versio"], &["--foo"]]
        {
            is(&it.run(args), 1, "", &complaint);
        }
    }
}

#[test]
fn help_is_on_stdout() {
    for it in TINI.everywhere() {
        for args in [&["-h"][..], &["-sh"], &["-h", "true"], &["-hz"], &["-s", "-h", "-e", "256"]] {
            is(&it.run(args), 0, &help(&it, "tini"), "");
        }
        // What follows a letter that takes a value is the value.
        is(&it.run(&["-e0h"]), 1, "", "[FATAL tini (#)] Not a valid option for -e: 0h\n");
    }
}

/// The help shows the name that it was called by, without the directory.
#[test]
fn other_names() {
    for it in TINI.anywhere() {
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
fn no_cmd_is_a_usage_error() {
    for it in TINI.everywhere() {
        for args in [&[][..], &["--"], &["-s"], &["-vvs"], &["-s", "--"], &["-e", "3"], &["-p", "SIGTERM", "--"]] {
            is(&it.run(args), 1, "", &help(&it, "tini"));
        }
    }
}

#[test]
fn unknown_options_and_missing_values() {
    for it in TINI.everywhere() {
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
fn statuses_to_remap_are_judged() {
    for it in TINI.anywhere() {
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
fn signals_of_the_parents_death_are_judged() {
    for it in TINI.anywhere() {
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

/// nsinit tells its own licence, which is the same one.
#[test]
fn the_licence_is_on_stdout() {
    differs("tini", "the licence: `-l`, `-L`");
    for it in TINI.anywhere() {
        let out = it.run(&["-l"]);
        is(&out, 0, &out.stdout, "");
        assert!(out.stdout.contains("MIT") && out.stdout.contains("Copyright (c) "), "{out}");
    }
}

#[test]
fn options_in_clusters_and_with_attached_values() {
    for it in TINI.anywhere() {
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

/// `tini -- CMD` leaves every word to CMD.
#[test]
fn words_after_the_mark_are_cmds() {
    for it in TINI.everywhere() {
        let cmd = [helper(), "words", "-s", "--", "-z", "--version", "-h"];
        is(&it.plainly(&[], &cmd).run(), 0, "[-s]\n[--]\n[-z]\n[--version]\n[-h]\n", "");
    }
}

#[test]
fn words_after_cmd() {
    differs("tini", "options and `--` behind CMD");
    for it in TINI.anywhere() {
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

// ---- when it is not PID 1

#[test]
fn the_warning_that_zombies_will_stay() {
    for it in TINI.everywhere() {
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
        // What it says before is said before.
        let both = format!("{warning}[FATAL tini (#)] exec nosuch failed: No such file or directory\n");
        is(&it.run(&["nosuch"]), 127, "", &both);
    }
}

/// No subreaper unless asked to be.
#[test]
fn orphans_come_to_a_subreaper_only() {
    for it in TINI.everywhere() {
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

/// What is asked for is on stdout, of all places.
#[test]
fn verbosity() {
    let levels: [&[&str]; 5] = [
        &[],
        &[],
        &[SPAWNED, EXITED],
        &[SPAWNED, RECEIVED, REAPED, EXITED],
        &[TRACE_S, SPAWNED, RECEIVED, REAPED, EXITED, NO_MORE, ENDS],
    ];
    differs("tini", "what `-v` and its like tell");
    for it in TINI.everywhere() {
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
        // The variable is the whole level, not an addition.
        for (value, level) in [("0", 0), ("1", 1), ("2", 2), ("3", 3), ("4", 4), ("3x", 3), ("x", 0), ("", 0)] {
            check(&["-s", "true"], Some(value), level);
            check(&["-vvvs", "true"], Some(value), level);
        }
    }
}

#[test]
fn verbosity_tells_of_signals_and_deaths() {
    for it in TINI.everywhere() {
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

/// The warning names whom it reaped; CMD is none of them.
#[test]
fn warnings_on_reaping() {
    for it in TINI.everywhere() {
        let args = |options: &'static str| [options, "-s", "--", helper(), "strays", "5"];
        is(&it.run(&args("-w")), 5, "", &"[WARN  tini (#)] Reaped zombie process with pid=#\n".repeat(2));
        is(&it.run(&args("-g")), 5, "", "");
        is(&it.run(&["-ws", "true"]), 0, "", "");
        is(&it.launch(&args("-w")).env("TINI_VERBOSITY", "0").run(), 5, "", "");
    }
}

#[test]
fn messages_bear_the_right_pids() {
    for it in TINI.everywhere() {
        let mut running = it.launch(&["-vs", "--", "sh", "-c", "echo $$ $PPID; read x"]).open_input().start();
        // Its buffer is emptied at its end, so CMD's line comes first; nsinit has none.
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
fn statuses() {
    common::every_status_is_passed_on(&TINI);
}

#[test]
fn deaths() {
    common::every_death_is_passed_on(&TINI);
}

/// `-e` for each of the 256, and for none but that.
#[test]
fn remapped_statuses() {
    for it in TINI.anywhere() {
        for (number, status) in each(&it, 0, 255, &["-s", "-e", "@", "--", helper(), "exit", "@"]) {
            assert_eq!(status, 0, "{it}: {number}");
        }
        for (number, status) in each(&it, 0, 255, &["-s", "-e", "3", "-e", "143", "-e3", "--", helper(), "exit", "@"]) {
            assert_eq!(status, if [3, 143].contains(&number) { 0 } else { number }, "{it}");
        }
        // A death's status too, and that of a CMD that could not be executed.
        let dies = ["-s", "-e", "143", "-e", "126", "-e", "127", "--", helper(), "die", "15"];
        is(&it.run(&dies), 0, "", "");
        let line = "[FATAL tini (#)] exec nosuch failed: No such file or directory\n";
        is(&it.run(&["-s", "-e", "127", "nosuch"]), 0, "", line);
    }
}

#[test]
fn not_found_and_not_executable() {
    common::cannot_execute(&TINI, "[FATAL tini (#)] exec {} failed: @", |errno| match errno {
        libc::ENOENT => 127,
        libc::EACCES => 126,
        _ => 1,
    });
}

#[test]
fn own_failures() {
    common::own_failures(&TINI, &[libc::SYS_setpgid], "[FATAL tini (");
}

#[test]
fn a_directory_of_path_that_may_not_be_searched() {
    common::unsearchable_path(&TINI, "[FATAL tini (#)] exec nosuch failed: @\n", [126, 127]);
}

#[test]
fn scripts_without_a_head() {
    common::a_script_without_a_head(&TINI);
}

#[test]
fn main_and_orphans_die_together() {
    common::together(&TINI);
}

#[test]
fn orphans() {
    common::ten_thousand_orphans(&TINI, &[Place::Child, Place::Pid1]);
}

// ---- signals

#[test]
fn every_signal_arrives_once() {
    common::all_arrive_once(&TINI, &[], &[], &lost(&[libc::SIGTTIN, libc::SIGTTOU]));
}

#[test]
fn every_signal_arrives_once_in_the_group() {
    common::all_arrive_once(&TINI, &["-g"], &[], &lost(&[libc::SIGTTIN, libc::SIGTTOU]));
}

#[test]
fn signals_that_the_original_loses() {
    differs("tini", "ILL TRAP ABRT BUS FPE SEGV SYS, sent by someone");
    differs("tini", "signals 32 and 33");
    differs("tini", "TTIN and TTOU, sent by someone");
    common::the_original_loses(&TINI, &[&FAULTS[..], &GLIBC].concat(), &[libc::SIGTTIN, libc::SIGTTOU]);
}

#[test]
fn chld_stays_here() {
    common::chld_is_not_forwarded(&TINI);
}

#[test]
fn queued_signals_arrive() {
    common::queued_signals(&TINI, &[], false);
    common::queued_signals(&TINI, &["-g"], true);
}

#[test]
fn the_group_gets_them_on_request() {
    common::group(&TINI, &[], None, false);
    common::group(&TINI, &["-g"], None, true);
    common::group(&TINI, &[], Some(("TINI_KILL_PROCESS_GROUP", "")), true);
    common::group(&TINI, &[], Some(("TINI_KILL_PROCESS_GROUP", "0")), true);
}

#[test]
fn signals_end_cmd() {
    common::cmd_can_be_ended(&TINI);
}

#[test]
fn signals_for_a_stopped_cmd() {
    common::a_stopped_cmd(&TINI);
}

#[test]
fn early_signals() {
    common::an_early_signal(&TINI, &[&[], &["-g"]]);
}

#[test]
fn ignored_chld() {
    common::chld_ignored(&TINI, true);
}

/// The signal comes to tini, who forwards it; KILL it cannot forward.
#[test]
fn the_parents_death() {
    let recorder = scratch::helper().to_str().expect("scratch paths are UTF-8");
    for it in TINI.everywhere() {
        for (name, number) in [("SIGTERM", 15), ("SIGHUP", 1), ("SIGUSR1", 10), ("SIGWINCH", 28)] {
            let parent = ["sh", "-c", "exec 3<&0; \"$@\" <&3 3<&- & echo $!; wait", "sh"];
            let words = match it.place {
                Place::Child => it.words(&parent, &["-s", "-p", name, "--", recorder, "signals"]),
                // unshare is the parent; its own wish for KILL goes before ours.
                Place::Pid1 => it.words(&[], &["-p", name, "--", recorder, "signals"]),
            };
            let launch = super::harness::Launch::of(tester(), words[0].as_ref()).args(&words[1..]).open_input();
            let mut running = launch.start();
            // The parent's line and CMD's, in either order.
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
fn the_parents_death_may_kill() {
    for it in TINI.everywhere().into_iter().filter(|it| !it.is_pid_1()) {
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
        eventually("tini is killed", || is_gone(init).then_some(()));
        // It is not CMD's wish: CMD lives on.
        assert!(!is_gone(cmd), "{it}");
        send(cmd, libc::SIGUSR1);
        assert_eq!(running.line(), "got 10", "{it}");
        is(&running.finish(), -libc::SIGKILL, "", "");
    }
}

// ---- what CMD starts with

#[test]
fn cmd_leads_its_own_group() {
    for it in TINI.everywhere() {
        let (running, cmd) = asleep(&it, &[]);
        let (init, cmd) = (stat(it.init(&running)).unwrap(), stat(cmd).unwrap());
        assert_eq!((cmd.group, cmd.session), (cmd.pid, init.session), "{it}");
        send(cmd.pid, libc::SIGTERM);
        is(&running.finish(), 143, "", "");
    }
}

#[test]
fn cmds_mask_and_dispositions() {
    differs("tini", "signals 32 and 33, blocked or not by the caller");
    common::state(&TINI, |ignored, blocked| (ignored, blocked.into_iter().filter(|s| !GLIBC.contains(s)).collect()));
}

#[test]
fn cmd_gets_all_else() {
    common::cmd_gets_all_else(&TINI);
}

#[test]
fn tini_keeps_nothing() {
    common::the_init_keeps_nothing(&TINI, false, false);
}

#[test]
fn listen_pid() {
    common::listen_pid(&TINI, false);
}

#[test]
fn closed_descriptors() {
    differs("tini", "stdin closed");
    common::closed_descriptors(&TINI, false);
    for it in TINI.original() {
        let out = it.launch_in(&[helper(), "closed", "0"], &["-s", "true"]).run();
        is(&out, 1, "", "[FATAL tini (#)] tcsetpgrp failed: Bad file descriptor\n");
    }
}

// ---- the end

/// What is left is left alone, and not waited for.
#[test]
fn the_end_is_at_once() {
    for it in TINI.everywhere() {
        for away in [false, true] {
            let said = leaves(&it, &[], away);
            assert!(said.is_none_or(|said| said == "got 64"), "{it}");
        }
        let said = leaves(&it, &["-g"], false);
        assert!(said.is_none_or(|said| said == "got 64"), "{it} -g");
    }
}

#[test]
fn start_and_end_take_no_time() {
    for it in TINI.everywhere() {
        let out = around(&it, &["each", "1", "20"], &it.plain(&[], &[helper(), "exit", "0"])).run();
        assert!(out.took < Duration::from_secs(5), "{it}: {:?}", out.took);
    }
}

#[test]
fn idle() {
    differs("tini", "idle");
    common::idle(&TINI, 1);
}

// ---- the terminal

#[test]
fn keys_arrive_once() {
    terminal::keys_arrive_once(&TINI, true);
}

#[test]
fn ctrl_c() {
    terminal::ctrl_c_ends_cmd(&TINI);
}

#[test]
fn cmd_has_the_terminal() {
    terminal::cmd_is_in_the_foreground(&TINI);
}

#[test]
fn ctrl_z() {
    terminal::stop_and_resume(&TINI, false);
    terminal::the_original_keeps_the_shell_waiting(&TINI);
}

#[test]
fn in_the_background() {
    terminal::in_the_background(&TINI, false);
    terminal::the_original_takes_the_terminal(&TINI);
}

#[test]
fn the_terminal_is_given_back() {
    terminal::given_back(&TINI, false);
}

#[test]
fn in_a_pipeline() {
    terminal::in_a_pipeline(&TINI, false);
}

#[test]
fn as_the_session_leader() {
    terminal::as_the_session_leader(&TINI, true);
}
