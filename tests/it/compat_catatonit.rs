//! catatonit: the behaviour that its callers rely on. Every assertion runs against Debian's catatonit and against
//! nsinit under that name; where they differ, the difference is in the table.

use std::time::Duration;

use super::compat::common::{self, adopts, not_forwarded, output_of_leftover, sleeping_cmd};
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

/// The version names tini, because docker looks for that.
#[test]
fn version_is_printed_on_stdout() {
    for it in CATATONIT.subjects() {
        for args in [&["-V"][..], &["--version"], &["-gV"], &["--vers"], &["-V", "-z"], &["-g", "-V", "true"]] {
            is(&it.run(args), 0, "tini version #.#.#_catatonit\n", "");
        }
    }
}

/// In nsinit's text other addresses end the help. Without the feature `help` it is the usage line.
#[test]
fn help_is_printed_on_stderr() {
    for it in CATATONIT.subjects() {
        for args in [&["-h"][..], &["-gh"], &["-h", "-z"], &["-P", "-h"], &["-h", "true"]] {
            let out = it.run(args);
            let options = HELP.split("\nThe source").next().unwrap_or_default();
            let expected = format!("{USAGE}{options}");
            let right = match it.side {
                Side::Original => out.stderr == format!("{USAGE}{HELP}"),
                Side::Ours if !cfg!(feature = "help") => out.stderr == USAGE,
                Side::Ours => out.stderr.starts_with(&expected),
            };
            assert!(right && out.status == 0 && out.stdout.is_empty(), "{it}: {out}");
        }
    }
}

#[test]
fn licence_is_printed_on_stdout() {
    differs("catatonit", "the licence: `-l`, `-L`");
    for it in CATATONIT.child_subjects() {
        let out = it.run(&["-L"]);
        is(&out, 0, &out.stdout, "");
        assert!(out.stdout.contains("Copyright ") && it.is_ours() != out.stdout.contains("General Public"), "{out}");
    }
}

#[test]
fn missing_cmd_is_a_usage_error() {
    for it in CATATONIT.subjects() {
        for args in [&[][..], &["--"], &["-g"], &["-g", "--"], &["-gg"]] {
            is(&it.run(args), 1, "", &format!("ERROR (catatonit:#): missing program name\n{USAGE}"));
        }
    }
}

#[test]
fn unknown_options_are_refused() {
    for it in CATATONIT.subjects() {
        let says = |args: &[&str], text: &str| is(&it.run(args), 1, "", &format!("{}: {text}\n{USAGE}", it.argv0()));
        says(&["-z"], "invalid option -- 'z'");
        says(&["-gz", "true"], "invalid option -- 'z'");
        says(&["-zV"], "invalid option -- 'z'");
        says(&["-P", "-z"], "invalid option -- 'z'");
        says(&["--foo"], "unrecognized option '--foo'");
        // Only -h exists.
        says(&["--help"], "unrecognized option '--help'");
        says(&["--version=1"], "option '--version' doesn't allow an argument");
    }
}

#[test]
fn arguments_after_double_dash_are_cmds() {
    for it in CATATONIT.subjects() {
        is(&it.run(&["--", helper(), "words", "-V", "--", "-z"]), 0, "[-V]\n[--]\n[-z]\n", "");
        is(&it.run(&["-g", "--", helper(), "words", "a", "-P"]), 0, "[a]\n[-P]\n", "");
        is(&it.run(&[helper(), "words", "a", "-"]), 0, "[a]\n[-]\n", "");
        is(&it.run(&["-g", helper(), "exit", "3"]), 3, "", "");
    }
}

#[test]
fn arguments_after_cmd_are_cmds() {
    differs("catatonit", "options and `--` after CMD");
    for it in CATATONIT.child_subjects() {
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
fn catatonit_log_is_refused() {
    let reserved = "ERROR (catatonit:#): CATATONIT_LOG is reserved for future use\n";
    for it in CATATONIT.child_subjects() {
        for (value, args) in [("", &["true"][..]), ("x", &["-V"]), ("1", &[]), ("1", &["-z"])] {
            is(&it.launch(args).env("CATATONIT_LOG", value).run(), 1, "", reserved);
        }
    }
}

/// Debug lines are printed whatever the value of the variable.
#[test]
fn catatonit_debug_prints_lines() {
    differs("catatonit", "output of `-v` and similar options");
    for it in CATATONIT.subjects() {
        for value in ["", "0", "1"] {
            let run = || it.run_with_debug(value, &[helper(), "exit", "4"]);
            // The two processes of the original write their lines in pieces, sometimes in between each other's.
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
            // If the tests run in a terminal, /dev/tty can be opened.
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
fn catatonit_debug_reports_orphans() {
    for it in CATATONIT.subjects() {
        let out = it.run_with_debug("1", &[helper(), "strays", "5"]);
        assert_eq!((out.status, out.stdout.as_str()), (5, ""), "{it}: {out}");
        for line in ["exited with code 6", "exited due to signal 9"] {
            let line = format!("DEBUG (catatonit:#): child process # {line}");
            assert!(out.stderr.lines().any(|l| super::compat::pattern::matches(&line, l)), "{it}: {line}\n{out}");
        }
    }
}

// ---- not as process 1

/// catatonit makes itself a subreaper without a message.
#[test]
fn orphans_are_reparented_to_catatonit() {
    for it in CATATONIT.subjects() {
        is(&adopts(&it, |cmd| it.plainly(&[], cmd), true), 0, "", "");
    }
    common::ten_thousand_orphans_are_reaped(&CATATONIT, &[Place::Child, Place::Pid1]);
}

// ---- statuses

#[test]
fn every_exit_status_is_passed_on() {
    common::every_exit_status_is_passed_on(&CATATONIT);
}

#[test]
fn death_by_signal_n_gives_128_plus_n() {
    common::death_by_signal_n_gives_128_plus_n(&CATATONIT);
}

#[test]
fn execve_errors_give_1() {
    common::execve_errors_are_reported(&CATATONIT, "ERROR (catatonit:#): failed to exec pid1: @", |_| 1);
}

#[test]
fn failing_calls_are_reported_in_catatonits_form() {
    common::failing_calls_are_reported(&CATATONIT, &[libc::SYS_setpgid], "ERROR (catatonit:");
}

#[test]
fn unsearchable_path_directory_is_skipped() {
    common::unsearchable_path_directory_is_skipped(&CATATONIT, "ERROR (catatonit:#): failed to exec pid1: @\n", [1, 1]);
}

#[test]
fn script_without_interpreter_line_is_run_by_sh() {
    common::script_without_interpreter_line_is_run_by_sh(&CATATONIT);
}

#[test]
fn exit_status_is_cmds_if_orphans_end_at_once() {
    common::exit_status_is_cmds_if_orphans_end_at_once(&CATATONIT);
}

// ---- signals

#[test]
fn every_signal_reaches_cmd_once() {
    common::every_signal_reaches_cmd_once(&CATATONIT, &[], &[], &not_forwarded(&STOPS));
    common::every_signal_reaches_cmd_once(&CATATONIT, &["-g"], &[], &not_forwarded(&STOPS));
}

#[test]
fn original_does_not_forward_some_signals() {
    differs("catatonit", "ILL TRAP ABRT BUS FPE SEGV SYS, sent by a process");
    differs("catatonit", "signals 32 and 33");
    differs("catatonit", "TSTP, TTIN and TTOU, sent by a process");
    common::original_does_not_forward(&CATATONIT, &[&FAULTS[..], &GLIBC].concat(), &STOPS);
}

#[test]
fn sigchld_is_not_forwarded() {
    common::sigchld_is_not_forwarded(&CATATONIT);
}

#[test]
fn queued_signals_are_forwarded() {
    common::queued_signals_are_forwarded(&CATATONIT, &[], false);
    common::queued_signals_are_forwarded(&CATATONIT, &["-g"], true);
}

#[test]
fn g_option_forwards_signals_to_cmds_group() {
    common::signals_reach_cmds_group(&CATATONIT, &[], None, false);
    common::signals_reach_cmds_group(&CATATONIT, &["-g"], None, true);
}

#[test]
fn forwarded_signals_end_cmd() {
    common::forwarded_signals_end_cmd(&CATATONIT);
}

#[test]
fn stopped_cmd_ends_on_a_forwarded_signal() {
    common::stopped_cmd_ends_on_a_forwarded_signal(&CATATONIT);
}

#[test]
fn signal_before_the_start_reaches_cmd() {
    common::signal_before_the_start_reaches_cmd(&CATATONIT, &[&[], &["-g"]]);
}

#[test]
fn ignored_sigchld_does_not_hang_catatonit() {
    common::ignored_sigchld_does_not_hang(&CATATONIT, true);
}

// ---- pause mode

/// Starts pause mode and waits until it waits for signals.
fn pause(it: &Subject, args: &[&str]) -> (Running, Pid) {
    let running = it.launch(args).start();
    let init = it.init(&running);
    eventually("catatonit waits for signals", || {
        let named = stat(init).is_some_and(|s| s.name == "catatonit");
        let status = std::fs::read_to_string(format!("/proc/{init}/status")).ok()?;
        let blocked = u64::from_str_radix(&procs::field_of(&status, "SigBlk")?, 16).ok()?;
        // A process in rt_sigtimedwait(2) shows the signals that it waits for as not blocked.
        let call = std::fs::read_to_string(format!("/proc/{init}/syscall")).unwrap_or_default();
        let waits = call.starts_with(&format!("{} ", libc::SYS_rt_sigtimedwait));
        (named && (waits || blocked >> (libc::SIGUSR1 - 1) & 1 == 1)).then_some(())
    });
    (running, init)
}

#[test]
fn pause_mode_ends_on_sigterm_and_sigint() {
    for it in CATATONIT.subjects() {
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
fn pause_mode_ignores_other_signals() {
    differs("catatonit", "ILL TRAP ABRT BUS FPE SEGV SYS, 32, 33 in pause mode");
    for it in CATATONIT.subjects() {
        let fatal = not_forwarded(&[]);
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
            if it.is_pid_1() {
                std::thread::sleep(Duration::from_millis(20));
                assert!(!is_gone(init), "{it}");
                send(init, libc::SIGTERM);
            } else {
                eventually("the original ends", || is_gone(init).then_some(()));
            }
            running.finish();
        }
    }
}

/// As process 1 of a pod's pid namespace it reaps all orphans.
#[test]
fn pause_mode_reaps_orphans() {
    for it in CATATONIT.subjects().into_iter().filter(Subject::is_pid_1) {
        let (running, init) = pause(&it, &["-P"]);
        let mut enter = std::process::Command::new("nsenter");
        enter.args(["--target", &init.to_string(), "--pid", "--mount"]);
        if !super::compat::subject::tester().is_root() {
            enter.args(["--user", "--preserve-credentials"]);
        }
        enter.args(["sh", "-c", "(\"$0\" exit 0 &) & wait; \"$0\" orphans 100", helper()]);
        super::harness::launch::tool(&mut enter);
        eventually("no zombie is left", || {
            let mut children = procs::children(init).into_iter();
            children.all(|pid| stat(pid).is_none_or(|s| s.state != 'Z')).then_some(())
        });
        send(init, libc::SIGTERM);
        is(&running.finish(), 0, "", "");
    }
}

// ---- the state in which the command starts

#[test]
fn cmd_leads_a_process_group() {
    for it in CATATONIT.subjects() {
        let (running, cmd) = sleeping_cmd(&it, &[]);
        let (init, cmd) = (stat(it.init(&running)).unwrap(), stat(cmd).unwrap());
        assert_eq!((cmd.group, cmd.session), (cmd.pid, init.session), "{it}");
        send(cmd.pid, libc::SIGTERM);
        is(&running.finish(), 143, "", "");
    }
}

#[test]
fn cmd_starts_with_the_callers_signal_mask_and_dispositions() {
    differs("catatonit", "CMD's blocked signals");
    differs("catatonit", "signals 32 and 33 in CMD's signal mask");
    common::cmd_has_the_callers_mask_and_dispositions(&CATATONIT, |ignored, blocked| {
        let blocked = blocked.into_iter().filter(|s| !GLIBC.contains(s)).chain(STOPS);
        (ignored, blocked.collect())
    });
}

#[test]
fn cmd_inherits_all_other_attributes() {
    common::cmd_inherits_all_other_attributes(&CATATONIT);
}

#[test]
fn catatonit_keeps_no_descriptor() {
    common::init_keeps_no_descriptor_and_no_directory(&CATATONIT, true, false);
}

#[test]
fn listen_pid_is_rewritten_for_cmd() {
    common::listen_pid_is_rewritten_for_cmd(&CATATONIT, true);
}

#[test]
fn closed_standard_descriptors_are_accepted() {
    common::closed_standard_descriptors_are_accepted(&CATATONIT, true);
}

// ---- teardown

/// Processes that the command leaves are neither signalled nor waited for.
#[test]
fn catatonit_exits_without_waiting_for_leftovers() {
    for it in CATATONIT.subjects() {
        for (options, away) in [(&[][..], false), (&[], true), (&["-g"], false)] {
            let said = output_of_leftover(&it, options, away);
            assert!(said.is_none_or(|said| said == "got 64"), "{it} {options:?}");
        }
    }
}

#[test]
fn catatonit_does_not_wake_while_idle() {
    common::init_does_not_wake_while_idle(&CATATONIT, 0);
}

// ---- the terminal

#[test]
fn signal_keys_reach_cmd_once() {
    terminal::signal_keys_reach_cmd_once(&CATATONIT, true);
}

#[test]
fn ctrl_c_ends_cmd() {
    terminal::ctrl_c_ends_cmd(&CATATONIT);
}

#[test]
fn cmd_is_in_the_foreground_while_it_runs() {
    terminal::cmd_is_in_the_foreground(&CATATONIT);
}

#[test]
fn ctrl_z_stops_the_job() {
    terminal::ctrl_z_stops_the_job(&CATATONIT, false);
    terminal::original_stops_cmd_only(&CATATONIT);
}

#[test]
fn background_job_leaves_the_terminal_alone() {
    terminal::background_job_leaves_the_terminal_alone(&CATATONIT, false);
    terminal::original_takes_the_terminal_in_the_background(&CATATONIT);
}

#[test]
fn terminal_is_returned_to_the_caller() {
    terminal::terminal_is_returned_to_the_caller(&CATATONIT, false);
}

#[test]
fn catatonit_works_in_a_pipeline() {
    terminal::init_works_in_a_pipeline(&CATATONIT, false);
}

#[test]
fn catatonit_works_as_the_session_leader() {
    // The original's shell could not stop its jobs.
    differs("catatonit", "CMD's blocked signals");
    terminal::init_works_as_the_session_leader(&CATATONIT, false);
}
