//! catatonit: what scripts and people read from it and rely on. Every assertion runs against Debian's catatonit and
//! against nsinit under that name; where they differ, the difference is in the table.

use std::time::Duration;

use super::compat::common::{self, adopts, asleep, leaves, lost};
use super::compat::{FAULTS, GLIBC, Place, STOPS, Side, Subject, Suite, are, differs, helper, is, signals, terminal};
use super::harness::launch::send;
use super::harness::procs::{self, Pid, eventually, is_gone, stat};
use super::harness::{Out, Running};

static CATATONIT: Suite = Suite { name: "catatonit", plain: &["--"] };

const USAGE: &str = "usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]\n";

const HELP: &str = "
options:
  -g              Forward signals to pid1's process group.
  -h              Print this help page.
  -L              Print license information.
  -P              Run in pause mode (no program is run and quit on SIGINT).
  -V, --version   Print version information.

The source code can be found at <https://github.com/openSUSE/catatonit/>.
For bug reporting instructions, please see: <https://bugs.opensuse.org/>.
";

// ---- texts

/// It says that it is a tini, for docker's sake.
#[test]
fn the_version_is_on_stdout() {
    for it in CATATONIT.everywhere() {
        for args in [&["-V"][..], &["--version"], &["-gV"], &["--vers"], &["-V", "-z"], &["-g", "-V", "true"]] {
            is(&it.run(args), 0, "tini version #.#.#_catatonit\n", "");
        }
    }
}

/// nsinit's own addresses stand at its end.
#[test]
fn help_is_on_stderr() {
    for it in CATATONIT.everywhere() {
        for args in [&["-h"][..], &["-gh"], &["-h", "-z"], &["-P", "-h"], &["-h", "true"]] {
            let out = it.run(args);
            let options = HELP.split("\nThe source").next().unwrap_or_default();
            let expected = format!("{USAGE}{options}");
            let right = match it.side {
                Side::Original => out.stderr == format!("{USAGE}{HELP}"),
                Side::Ours => out.stderr.starts_with(&expected),
            };
            assert!(right && out.status == 0 && out.stdout.is_empty(), "{it}: {out}");
        }
    }
}

#[test]
fn the_licence_is_on_stdout() {
    differs("catatonit", "the licence: `-l`, `-L`");
    for it in CATATONIT.anywhere() {
        let out = it.run(&["-L"]);
        is(&out, 0, &out.stdout, "");
        assert!(out.stdout.contains("Copyright ") && it.is_ours() != out.stdout.contains("General Public"), "{out}");
    }
}

#[test]
fn no_cmd_is_a_usage_error() {
    for it in CATATONIT.everywhere() {
        for args in [&[][..], &["--"], &["-g"], &["-g", "--"], &["-gg"]] {
            is(&it.run(args), 1, "", &format!("ERROR (catatonit:#): missing program name\n{USAGE}"));
        }
    }
}

#[test]
fn unknown_options() {
    for it in CATATONIT.everywhere() {
        let says = |args: &[&str], text: &str| is(&it.run(args), 1, "", &format!("{}: {text}\n{USAGE}", it.argv0()));
        says(&["-z"], "invalid option -- 'z'");
        says(&["-gz", "true"], "invalid option -- 'z'");
        says(&["-zV"], "invalid option -- 'z'");
        says(&["-P", "-z"], "invalid option -- 'z'");
        says(&["--foo"], "unrecognized option '--foo'");
        // There is -h only.
        says(&["--help"], "unrecognized option '--help'");
        says(&["--version=1"], "option '--version' doesn't allow an argument");
    }
}

#[test]
fn words_after_the_mark_are_cmds() {
    for it in CATATONIT.everywhere() {
        is(&it.run(&["--", helper(), "words", "-V", "--", "-z"]), 0, "[-V]\n[--]\n[-z]\n", "");
        is(&it.run(&["-g", "--", helper(), "words", "a", "-P"]), 0, "[a]\n[-P]\n", "");
        is(&it.run(&[helper(), "words", "a", "-"]), 0, "[a]\n[-]\n", "");
        is(&it.run(&["-g", helper(), "exit", "3"]), 3, "", "");
    }
}

#[test]
fn words_after_cmd() {
    differs("catatonit", "options and `--` behind CMD");
    for it in CATATONIT.anywhere() {
        let original = it.side == Side::Original;
        let row = |args: &[&str], theirs: &str, ours: &str| {
            let args = [&[helper(), "words"], args].concat();
            is(&it.run(&args), 0, if original { theirs } else { ours }, "");
        };
        row(&["--", "-x"], "[-x]\n", "[--]\n[-x]\n");
        row(&["-g", "a"], "[a]\n", "[-g]\n[a]\n");
        let out = it.run(&["sh", "-c", "exit 3"]);
        assert_eq!(out.status, if original { 1 } else { 3 }, "{out}");
    }
}

#[test]
fn the_environment() {
    let reserved = "ERROR (catatonit:#): CATATONIT_LOG is reserved for future use\n";
    for it in CATATONIT.anywhere() {
        for (value, args) in [("", &["true"][..]), ("x", &["-V"]), ("1", &[]), ("1", &["-z"])] {
            is(&it.launch(args).env("CATATONIT_LOG", value).run(), 1, "", reserved);
        }
    }
}

/// The lines that tell what happens, whatever the value.
#[test]
fn debugging_lines() {
    differs("catatonit", "what `-v` and its like tell");
    for it in CATATONIT.everywhere() {
        for value in ["", "0", "1"] {
            let run = || it.run_with_debug(value, &[helper(), "exit", "4"]);
            // The original's two processes write their lines in pieces, now and then into each other's.
            let whole = |out: &Out| out.stderr.lines().all(|line| line.matches("(catatonit:").count() == 1);
            let out = (0..20).map(|_| run()).find(whole).unwrap_or_else(run);
            assert!(out.status == 4 && out.stdout.is_empty(), "{it}: {out}");
            let mut lines = vec![
                format!("DEBUG (catatonit:#): pid1 (#) spawned: {}", helper()),
                "INFO (catatonit:#): using stdin as tty fd: could not open /dev/tty: No such device or address".into(),
                "DEBUG (catatonit:#): setting foreground process failed: no tty present: Inappropriate ioctl for device".into(),
                "DEBUG (catatonit:#): got ECHILD: no children left to monitor".into(),
            ];
            if it.is_ours() {
                lines.truncate(1);
            }
            // Where the tests themselves run in a terminal, there is one.
            if !it.is_ours() && std::fs::File::open("/dev/tty").is_ok() {
                lines.drain(1..3);
            }
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            are(&out, &out.stderr, &lines);
        }
    }
}

impl Subject {
    fn run_with_debug(&self, value: &str, cmd: &[&str]) -> Out {
        self.plainly(&[], cmd).env("CATATONIT_DEBUG", value).run()
    }
}

#[test]
fn debugging_tells_of_orphans() {
    for it in CATATONIT.everywhere() {
        let out = it.run_with_debug("1", &[helper(), "strays", "5"]);
        assert_eq!((out.status, out.stdout.as_str()), (5, ""), "{it}: {out}");
        for line in ["exited with code 6", "exited due to signal 9"] {
            let line = format!("DEBUG (catatonit:#): child process # {line}");
            assert!(out.stderr.lines().any(|l| super::compat::pattern::matches(&line, l)), "{it}: {line}\n{out}");
        }
    }
}

// ---- when it is not PID 1

/// It makes itself a subreaper, and says nothing.
#[test]
fn orphans_always_come_to_it() {
    for it in CATATONIT.everywhere() {
        is(&adopts(&it, |cmd| it.plainly(&[], cmd), true), 0, "", "");
    }
    common::ten_thousand_orphans(&CATATONIT, &[Place::Child, Place::Pid1]);
}

// ---- statuses

#[test]
fn statuses() {
    common::every_status_is_passed_on(&CATATONIT);
}

#[test]
fn deaths() {
    common::every_death_is_passed_on(&CATATONIT);
}

#[test]
fn what_cannot_be_executed() {
    common::cannot_execute(&CATATONIT, "ERROR (catatonit:#): failed to exec pid1: @", |_| 1);
}

#[test]
fn own_failures() {
    common::own_failures(&CATATONIT, &[libc::SYS_setpgid], "ERROR (catatonit:");
}

#[test]
fn a_directory_of_path_that_may_not_be_searched() {
    common::unsearchable_path(&CATATONIT, "ERROR (catatonit:#): failed to exec pid1: @\n", [1, 1]);
}

#[test]
fn scripts_without_a_head() {
    common::a_script_without_a_head(&CATATONIT);
}

#[test]
fn main_and_orphans_die_together() {
    common::together(&CATATONIT);
}

// ---- signals

#[test]
fn every_signal_arrives_once() {
    common::all_arrive_once(&CATATONIT, &[], &[], &lost(&STOPS));
    common::all_arrive_once(&CATATONIT, &["-g"], &[], &lost(&STOPS));
}

#[test]
fn signals_that_the_original_loses() {
    differs("catatonit", "ILL TRAP ABRT BUS FPE SEGV SYS, sent by someone");
    differs("catatonit", "signals 32 and 33");
    differs("catatonit", "TSTP, TTIN and TTOU, sent by someone");
    common::the_original_loses(&CATATONIT, &[&FAULTS[..], &GLIBC].concat(), &STOPS);
}

#[test]
fn chld_stays_here() {
    common::chld_is_not_forwarded(&CATATONIT);
}

#[test]
fn queued_signals_arrive() {
    common::queued_signals(&CATATONIT, &[], false);
    common::queued_signals(&CATATONIT, &["-g"], true);
}

#[test]
fn the_group_gets_them_on_request() {
    common::group(&CATATONIT, &[], None, false);
    common::group(&CATATONIT, &["-g"], None, true);
}

#[test]
fn signals_end_cmd() {
    common::cmd_can_be_ended(&CATATONIT);
}

#[test]
fn signals_for_a_stopped_cmd() {
    common::a_stopped_cmd(&CATATONIT);
}

#[test]
fn early_signals() {
    common::an_early_signal(&CATATONIT, &[&[], &["-g"]]);
}

#[test]
fn ignored_chld() {
    common::chld_ignored(&CATATONIT, true);
}

// ---- pause mode

/// A pause that waits for signals already.
fn pause(it: &Subject, args: &[&str]) -> (Running, Pid) {
    let running = it.launch(args).start();
    let init = it.init(&running);
    eventually("it waits", || {
        let named = stat(init).is_some_and(|s| s.name == "catatonit");
        let status = std::fs::read_to_string(format!("/proc/{init}/status")).ok()?;
        let blocked = u64::from_str_radix(&procs::field_of(&status, "SigBlk")?, 16).ok()?;
        // rt_sigtimedwait(2) shows as not blocked what it waits for.
        let call = std::fs::read_to_string(format!("/proc/{init}/syscall")).unwrap_or_default();
        let waits = call.starts_with(&format!("{} ", libc::SYS_rt_sigtimedwait));
        (named && (waits || blocked >> (libc::SIGUSR1 - 1) & 1 == 1)).then_some(())
    });
    (running, init)
}

#[test]
fn a_pause_ends_on_term_and_int() {
    for it in CATATONIT.everywhere() {
        for args in [&["-P"][..], &["-Pg"], &["-P", "--"], &["-P", "nosuch"], &["-P", "--", "nosuch", "-x"]] {
            for signal in [libc::SIGTERM, libc::SIGINT] {
                let (running, init) = pause(&it, args);
                send(init, signal);
                is(&running.finish(), 0, "", "");
            }
        }
    }
}

#[test]
fn a_pause_ends_on_nothing_else() {
    differs("catatonit", "ILL TRAP ABRT BUS FPE SEGV SYS, 32, 33 in pause mode");
    for it in CATATONIT.everywhere() {
        let fatal = lost(&[]);
        let (running, init) = pause(&it, &["-P"]);
        let harmless = |s: &i32| ![libc::SIGTERM, libc::SIGINT].contains(s) && (it.is_ours() || !fatal.contains(s));
        for signal in signals().filter(harmless).chain([libc::SIGCHLD]) {
            send(init, signal);
        }
        std::thread::sleep(Duration::from_millis(20));
        assert!(!is_gone(init), "{it}");
        send(init, libc::SIGTERM);
        is(&running.finish(), 0, "", "");
        if it.side == Side::Original {
            let (running, init) = pause(&it, &["-P"]);
            send(init, libc::SIGSEGV);
            std::thread::sleep(Duration::from_millis(20));
            assert_eq!(is_gone(init), !it.is_pid_1(), "{it}");
            send(init, libc::SIGTERM);
            running.finish();
        }
    }
}

/// As PID 1 of a pod's namespace it reaps for all.
#[test]
fn a_pause_reaps() {
    for it in CATATONIT.everywhere().into_iter().filter(Subject::is_pid_1) {
        let (running, init) = pause(&it, &["-P"]);
        let mut enter = std::process::Command::new("nsenter");
        enter.args(["--target", &init.to_string(), "--pid", "--mount"]);
        if !super::compat::subject::tester().is_root() {
            enter.args(["--user", "--preserve-credentials"]);
        }
        enter.args(["sh", "-c", "(\"$0\" exit 0 &) & wait; \"$0\" orphans 100", helper()]);
        super::harness::launch::tool(&mut enter);
        eventually("no zombies are left", || {
            let mut children = procs::children(init).into_iter();
            children.all(|pid| stat(pid).is_none_or(|s| s.state != 'Z')).then_some(())
        });
        send(init, libc::SIGTERM);
        is(&running.finish(), 0, "", "");
    }
}

// ---- what CMD starts with

#[test]
fn cmd_leads_its_own_group() {
    for it in CATATONIT.everywhere() {
        let (running, cmd) = asleep(&it, &[]);
        let (init, cmd) = (stat(it.init(&running)).unwrap(), stat(cmd).unwrap());
        assert_eq!((cmd.group, cmd.session), (cmd.pid, init.session), "{it}");
        send(cmd.pid, libc::SIGTERM);
        is(&running.finish(), 143, "", "");
    }
}

#[test]
fn cmds_mask_and_dispositions() {
    differs("catatonit", "CMD's blocked signals");
    differs("catatonit", "signals 32 and 33, blocked or not by the caller");
    common::state(&CATATONIT, |ignored, blocked| {
        let blocked = blocked.into_iter().filter(|s| !GLIBC.contains(s)).chain(STOPS);
        (ignored, blocked.collect())
    });
}

#[test]
fn cmd_gets_all_else() {
    common::cmd_gets_all_else(&CATATONIT);
}

#[test]
fn catatonit_keeps_nothing() {
    common::the_init_keeps_nothing(&CATATONIT, true, false);
}

#[test]
fn listen_pid() {
    common::listen_pid(&CATATONIT, true);
}

#[test]
fn closed_descriptors() {
    common::closed_descriptors(&CATATONIT, true);
}

// ---- the end

/// What is left is left alone, and not waited for.
#[test]
fn the_end_is_at_once() {
    for it in CATATONIT.everywhere() {
        for (options, away) in [(&[][..], false), (&[], true), (&["-g"], false)] {
            let said = leaves(&it, options, away);
            assert!(said.is_none_or(|said| said == "got 64"), "{it} {options:?}");
        }
    }
}

#[test]
fn idle() {
    common::idle(&CATATONIT, 0);
}

// ---- the terminal

#[test]
fn keys_arrive_once() {
    terminal::keys_arrive_once(&CATATONIT, true);
}

#[test]
fn ctrl_c() {
    terminal::ctrl_c_ends_cmd(&CATATONIT);
}

#[test]
fn cmd_has_the_terminal() {
    terminal::cmd_is_in_the_foreground(&CATATONIT);
}

#[test]
fn ctrl_z() {
    terminal::stop_and_resume(&CATATONIT, false);
    terminal::the_original_keeps_the_shell_waiting(&CATATONIT);
}

#[test]
fn in_the_background() {
    terminal::in_the_background(&CATATONIT, false);
    terminal::the_original_takes_the_terminal(&CATATONIT);
}

#[test]
fn the_terminal_is_given_back() {
    terminal::given_back(&CATATONIT, false);
}

#[test]
fn in_a_pipeline() {
    terminal::in_a_pipeline(&CATATONIT, false);
}

#[test]
fn as_the_session_leader() {
    // The shell below could not stop its jobs.
    differs("catatonit", "CMD's blocked signals");
    terminal::as_the_session_leader(&CATATONIT, false);
}
