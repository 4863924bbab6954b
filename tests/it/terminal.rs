//! The caller's terminal: INIT.md's outcomes, with a real shell outside. `$S` shares the terminal, `$N` has one of its
//! own, or none. `pty` tests the container's terminal further, `terminal_theft` that no process inside reads the
//! caller's.

use super::harness::launch::send;
use super::harness::procs::{self, eventually, stat};
use super::harness::roots::debian;
use super::harness::term::{BASH, CTRL_BACKSLASH, CTRL_C, CTRL_Z};
use super::harness::{Root, Term, roots, who};

/// Both kinds of terminal, the container's own and the caller's, with each root.
fn roots_and_terminals() -> impl Iterator<Item = (Root, &'static str)> {
    ["$N", "$S"].into_iter().flat_map(|way| roots().into_iter().map(move |root| (root, way)))
}

/// Runs `helper signals` below nsinit; `act` causes signals; the result is the signals that reached the command, in
/// order.
#[track_caller]
fn signals(term: &mut Term, line: &str, act: impl FnOnce(&mut Term) -> String) -> Vec<i32> {
    term.line(line);
    term.expect("ready\r\n");
    let mut shown = act(term);
    // SIGUSR1 does not go through nsinit: a second copy of an earlier signal has arrived before it.
    let helper = procs::tree(term.pid()).into_iter().find(|&pid| stat(pid).is_some_and(|s| s.name == "helper"));
    let helper = helper.expect("the helper runs");
    send(helper, libc::SIGUSR1);
    shown += &term.expect("10 0 0");
    send(helper, libc::SIGKILL);
    term.prompt();
    let numbers = shown.lines().filter_map(|l| l.split(' ').next()?.parse().ok());
    numbers.filter(|&n| n != libc::SIGUSR1).collect()
}

#[test]
fn signal_keys_reach_cmd_once() {
    for (root, way) in roots_and_terminals() {
        let root = root.with_helper();
        let mut term = Term::new(&root);
        let got = signals(&mut term, &format!("{way} -- helper signals"), |term| {
            term.keys_until(&[(CTRL_C, "2 "), (CTRL_BACKSLASH, "3 "), (CTRL_Z, "20 "), (CTRL_C, "2 ")])
        });
        assert_eq!(got, [2, 3, 20, 2], "as {:?}", root.who);
        term.hang_up();
    }
}

#[test]
fn ctrl_c_ends_cmd() {
    for (root, way) in roots_and_terminals() {
        let mut term = Term::new(&root);
        term.line(&format!("{way} -- sh -c 'echo up; exec sleep 1000'"));
        term.expect("up");
        term.keys(CTRL_C);
        term.prompt();
        assert_eq!(term.ask("echo =$?"), "=130");
        term.hang_up();
    }
}

#[test]
fn window_size_change_reaches_cmd_once() {
    for (root, way) in roots_and_terminals() {
        let root = root.with_helper();
        let mut term = Term::new(&root);
        let got = signals(&mut term, &format!("{way} -- helper signals"), |term| {
            term.resize(30, 100);
            term.expect("28 ") + &term.expect("\n")
        });
        assert_eq!(got, [28], "as {:?}", root.who);
        assert_eq!(term.ask(&format!("{way} -- stty size")), "30 100");
        term.hang_up();
    }
}

#[test]
fn job_can_be_stopped_and_resumed() {
    for (root, way) in roots_and_terminals() {
        for shell in [&BASH[..], &["dash", "-i"]] {
            let mut term = Term::with(&root, shell);
            term.line(&format!("{way} -- sh -c 'echo up; read x; echo got $x; exit 5'"));
            term.expect("up");
            for _ in 0..3 {
                term.keys(CTRL_Z);
                term.prompt();
                assert_eq!(term.foreground(), term.pid(), "the shell is in the foreground");
                assert!(term.ask("jobs").contains("Stopped"));
                term.line("fg");
                eventually("the job is in the foreground", || (term.foreground() != term.pid()).then_some(()));
                // Until the job has been continued, the kernel drops a ^Z (signal(7), SIGCONT).
                eventually("all processes of the job run", || {
                    let mut job = procs::tree(term.pid()).into_iter().filter_map(stat);
                    job.all(|one| one.state != 'T').then_some(())
                });
            }
            term.line("abc");
            term.expect("got abc");
            term.prompt();
            assert_eq!(term.ask("echo =$?"), "=5");
            term.hang_up();
        }
    }
}

#[test]
fn cmd_that_stops_itself_stops_the_job() {
    for root in roots() {
        let mut term = Term::new(&root);
        for signal in ["STOP", "TSTP", "TTIN", "TTOU"] {
            let shown = term.ask(&format!("$S -- sh -c 'kill -{signal} $$; exit 6'"));
            assert!(shown.contains("Stopped"), "{shown}");
            term.ask("fg");
            assert_eq!(term.ask("echo =$?"), "=6");
        }
        term.hang_up();
    }
}

#[test]
fn stopped_job_continues_in_the_background() {
    for (root, way) in roots_and_terminals() {
        let mut term = Term::new(&root);
        term.ask(&format!("{way} -- sh -c 'kill -TSTP $$; exit 6'"));
        // In one line: the shell reports a job that has ended before the prompt, and forgets it.
        assert_eq!(term.ask("bg; wait %1; echo =$?").lines().last(), Some("=6"));
        term.hang_up();
    }
}

#[test]
fn background_job_does_not_take_the_terminal() {
    for (root, way) in roots_and_terminals() {
        let mut term = Term::new(&root);
        term.line(&format!("{way} -- sh -c 'echo up; exec sleep 1000' &"));
        term.expect("up");
        assert_eq!(term.foreground(), term.pid());
        assert_eq!(term.ask("echo typed").lines().last(), Some("typed"));
        let shown = term.ask("kill %1; wait %1; echo =$?");
        assert_eq!(shown.lines().find(|l| l.starts_with('=')), Some("=143"));
        term.hang_up();
    }
}

/// A background process that reads the terminal gets SIGTTIN; in the foreground it reads on.
#[test]
fn background_reader_is_stopped_until_it_is_in_the_foreground() {
    for root in roots() {
        let mut term = Term::new(&root);
        term.ask("$S -- head -n 1 &");
        eventually("the job is stopped", || term.ask("jobs").contains("Stopped").then_some(()));
        term.line("fg");
        eventually("the job is in the foreground", || (term.foreground() != term.pid()).then_some(()));
        term.line("abc");
        term.expect("abc");
        term.prompt();
        term.hang_up();
    }
}

#[test]
fn terminal_is_returned_to_the_caller() {
    for root in roots() {
        let mut term = Term::new(&root);
        for (cmd, status) in
            [("true", 0), ("sh -c 'exit 9'", 9), ("sh -c 'kill -9 $$'", 137), ("none 2>/dev/null", 127)]
        {
            term.ask(&format!("$S -- {cmd}"));
            assert_eq!(term.foreground(), term.pid(), "{cmd}");
            assert_eq!(term.ask("echo =$?"), format!("={status}"));
        }
        // A script's shell has no job control: only nsinit returns the terminal.
        assert_eq!(
            term.ask("sh -c '$S -- true; cat /proc/$$/stat' | cut -d' ' -f5,8 | tr ' ' '\\n' | uniq | wc -l"),
            "1"
        );
        assert_eq!(term.ask("bash -c '$S -- true; read -r x; echo got $x' <<<y"), "got y");
        term.line("sh -c '$S -- true; read -r x; echo got $x'");
        term.line("z");
        term.expect("got z");
        term.prompt();
        term.hang_up();
    }
}

#[test]
fn pipeline_keeps_the_terminal() {
    for (root, way) in roots_and_terminals() {
        let root = root.with_helper();
        let mut term = Term::new(&root);
        let got = signals(&mut term, &format!("{way} -- helper signals | (trap '' INT; cat)"), |term| {
            let group = term.foreground();
            let members = procs::all().into_iter().filter(|s| s.group == group && s.session == term.pid());
            assert!(members.into_iter().any(|s| s.name == "cat"), "the pipeline's group is in the foreground");
            term.keys(CTRL_C);
            term.expect("2 ") + &term.expect("\n")
        });
        assert_eq!(got, [2], "as {:?}", root.who);
        term.hang_up();
    }
}

/// `nsinit … | tee log`: the command still reads the typed text.
#[test]
fn cmd_in_a_pipeline_reads_typed_text() {
    for (root, way) in roots_and_terminals() {
        let mut term = Term::new(&root);
        term.line(&format!("{way} -- sh -c 'echo up; read x; echo got $x' | cat"));
        term.expect("up");
        term.line("abc");
        term.expect("got abc");
        term.prompt();
        term.hang_up();
    }
}

#[test]
fn hangup_reaches_cmd() {
    for (root, way) in roots_and_terminals() {
        let mut term = Term::new(&root);
        term.line(&format!(
            "{way} -- sh -c 'trap \"echo hup >/tmp/hup; exit\" HUP; echo up; while :; do sleep 0.01; done'"
        ));
        term.expect("up");
        term.hang_up();
        assert_eq!(root.read("tmp/hup"), "hup\n");
    }
}

/// A hang-up reaches only the leader of the session, which is the keeper here.
#[test]
fn hangup_reaches_cmd_of_a_keeper() {
    for root in roots() {
        let mut term = Term::new(&root);
        term.line(
            "exec $N --restart always -- sh -c 'trap \"echo hup >/tmp/hup; exit\" HUP; echo up; while :; do sleep 0.01; done'",
        );
        term.expect("up");
        term.hang_up();
        assert_eq!(root.read("tmp/hup"), "hup\n");
    }
}

#[test]
fn hangup_ends_stopped_and_background_jobs() {
    for (root, way) in roots_and_terminals() {
        let mut term = Term::new(&root);
        term.line(&format!("{way} -- sh -c 'echo up; sleep 1000' &"));
        term.expect("up");
        term.ask(&format!("{way} -- sh -c 'kill -STOP $$'"));
        term.hang_up();
    }
}

/// The command has its own session, without the caller's terminal.
#[test]
fn new_session_gives_cmd_a_session_without_a_terminal() {
    for root in roots() {
        let out = root.run(&["--new-session"], &["sh", "-c", "cut -d' ' -f6 /proc/$$/stat; echo $$"]);
        let numbers: Vec<&str> = out.text().lines().collect();
        assert_eq!(numbers[0], numbers[1], "{out}");
        let mut term = Term::new(&root);
        assert_eq!(term.ask("$N --new-session -- sh -c 'exec 3<>/dev/tty || echo none' 2>/dev/null"), "");
        assert_eq!(
            term.ask("$N --new-session -- sh -c ': 2>/dev/null <>/dev/tty && echo some' 2>/dev/null; echo =$?")
                .lines()
                .last(),
            Some("=1")
        );
        term.hang_up();
    }
}

/// /dev/console exists if the caller shares a terminal, and is that terminal.
#[test]
fn dev_console_is_the_shared_terminal() {
    for root in roots() {
        let mut term = Term::new(&root);
        assert_eq!(
            term.ask("$S -- sh -c 'echo x >/dev/console; echo y >/dev/tty; test -c /dev/console && tty'"),
            "x\ny\n/dev/console"
        );
        term.hang_up();
    }
}

// ---- a real bash

fn debian_term(who: who::Who) -> Option<Term> {
    debian().map(|root| Term::shell(who, root, &BASH))
}

#[test]
fn interactive_bash_has_job_control() {
    for who in who::both() {
        let Some(mut term) = debian_term(who) else { return };
        term.line("$S --setenv PS1 'in$ ' -- bash --norc --noprofile --noediting -i");
        let start = term.expect("in$ ");
        assert!(!start.contains("job control") && !start.contains("cannot set"), "{start}");
        term.line("sleep 1000");
        eventually("sleep is in the foreground", || foreground_is(&term, "sleep").then_some(()));
        term.keys(CTRL_Z);
        let shown = term.expect("in$ ");
        assert!(shown.contains("Stopped"), "{shown}");
        term.line("fg");
        eventually("sleep is in the foreground", || foreground_is(&term, "sleep").then_some(()));
        term.keys(CTRL_C);
        term.expect("in$ ");
        term.line("echo =$?");
        assert!(term.expect("in$ ").contains("=130"));
        term.line("sleep 1000 & jobs; kill %1; wait");
        assert!(term.expect("in$ ").contains("Running"));
        term.line("suspend");
        assert!(term.prompt().contains("Stopped"));
        term.line("fg");
        term.expect("in$ ");
        term.line("exit 3");
        term.prompt();
        assert_eq!(term.ask("echo =$?"), "=3");
        term.hang_up();
    }
}

fn foreground_is(term: &Term, name: &str) -> bool {
    stat(term.foreground()).is_some_and(|s| s.name == name)
}

#[test]
fn bash_runs_with_nsinits_prompt_if_no_cmd_is_given() {
    for who in who::both() {
        let Some(mut term) = debian_term(who) else { return };
        term.line("$N");
        let start = term.expect("-[ns-process]- # ");
        assert!(!start.contains("job control"), "{start}");
        term.line("echo $0");
        term.expect("bash");
        term.expect("-[ns-process]- # ");
        term.line("exit");
        term.prompt();
        term.hang_up();
    }
}

/// A killed command cannot restore the terminal modes that it changed: nsinit does. A command that ends by itself
/// keeps its changes.
#[test]
fn terminal_modes_are_restored_after_a_killed_cmd_only() {
    for root in roots() {
        let mut term = Term::with(&root, &["dash", "-i"]);
        let before = term.ask("stty -a");
        term.ask("$S -- sh -c 'stty raw -echo; kill -9 $$'");
        assert_eq!(term.ask("stty -a"), before);
        term.ask("$S -- stty -icanon");
        assert!(term.ask("stty -a").contains("-icanon"));
        term.ask("stty icanon");
        term.hang_up();
    }
}

// ---- a sandbox

/// Waits until the command has printed `up` and become `sleep`. The kernel loses a SIGQUIT that arrives while a shell
/// executes another program, also without nsinit.
fn sleeps(term: &mut Term) {
    term.expect("up");
    let sleeps = |pid: &procs::Pid| stat(*pid).is_some_and(|stat| stat.name == "sleep");
    eventually("the command is sleep", || procs::tree(term.pid()).into_iter().find(sleeps));
}

/// The command line of a sandbox with this root and more options.
fn sandbox(root: &Root, options: &str) -> String {
    let nsinit = super::harness::scratch::nsinit().display();
    format!("{nsinit} {options} --bind {} / --proc /proc --dev /dev --", root.str())
}

/// The command has left the foreground process group: the launcher forwards the signals of typed keys, once.
#[test]
fn signal_keys_reach_cmd_in_a_new_session() {
    for root in roots() {
        let root = root.with_helper();
        for options in ["--new-session", "--new-session --unshare-pid", "--new-session --unshare-all --as-pid-1"] {
            let mut term = Term::new(&root);
            let line = sandbox(&root, options);
            let got = signals(&mut term, &format!("{line} /bin/helper signals"), |term| {
                term.keys_until(&[(CTRL_C, "2 "), (CTRL_BACKSLASH, "3 "), (CTRL_C, "2 ")])
            });
            assert_eq!(got, [2, 3, 2], "{options} as {:?}", root.who);
            if !options.contains("--as-pid-1") {
                for (key, status) in [(CTRL_C, "=130"), (CTRL_BACKSLASH, "=131")] {
                    term.line(&format!("{line} /bin/sh -c 'echo up; exec sleep 1000'"));
                    sleeps(&mut term);
                    term.keys(key);
                    term.prompt();
                    assert_eq!(term.ask("echo =$?"), status, "{options}");
                }
            }
            term.hang_up();
        }
    }
}

/// A shell in another pid namespace cannot name the process group that it was started in, and leaves the terminal to
/// a group that no longer exists: the caller's next read would fail.
#[test]
fn terminal_is_taken_back_from_another_pid_namespace() {
    for who in who::both() {
        let Some(root) = debian() else { return };
        for options in ["--unshare-pid", "--unshare-pid --as-pid-1", "--unshare-all --wait-all"] {
            let nsinit = super::harness::scratch::nsinit().display();
            let line = format!("{nsinit} {options} --ro-bind {} / --proc /proc --dev /dev --", root.display());
            let mut term = Term::shell(who, root, &BASH);
            // A script's shell has no job control: only nsinit returns the terminal.
            term.line(&format!("sh -c '{line} bash --norc -ic true; echo asks; read -r x; echo got $x'"));
            term.expect("asks");
            term.line("z");
            term.expect("got z");
            term.prompt();
            term.hang_up();
        }
    }
}

// ---- enter

/// Without a terminal, the command is in its own session: the launcher forwards the signals of typed keys, once, and
/// they stop the whole job.
#[test]
fn signal_keys_reach_cmd_without_a_terminal() {
    use super::harness::container::{Container, Maker};
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        let mut term = Term::new(&container.root);
        let enter = format!("{} --enter {}", super::harness::scratch::nsinit().display(), container.init);
        for way in ["$N", &enter, "$N --as-pid-1"] {
            let got = signals(&mut term, &format!("{way} -- helper signals 2>/dev/null"), |term| {
                term.keys_until(&[(CTRL_C, "2 "), (CTRL_BACKSLASH, "3 "), (CTRL_Z, "20 "), (CTRL_C, "2 ")])
            });
            assert_eq!(got, [2, 3, 20, 2], "{way} as {who:?}");
            for (key, status) in [(CTRL_C, "=130"), (CTRL_BACKSLASH, "=131")] {
                term.line(&format!("{way} -- sh -c 'echo up; exec sleep 1000' </dev/null"));
                sleeps(&mut term);
                for _ in 0..2 {
                    term.keys(CTRL_Z);
                    assert!(term.prompt().contains("Stopped"), "{way}");
                    term.line("fg");
                    eventually("all processes of the job run", || {
                        let mut job = procs::tree(term.pid()).into_iter().filter_map(stat);
                        let front = term.foreground() != term.pid();
                        (front && job.all(|one| one.state != 'T')).then_some(())
                    });
                }
                if way.contains("--as-pid-1") {
                    // Process 1 of a pid namespace ignores signals without a handler.
                    term.keys(CTRL_Z);
                    term.prompt();
                    term.ask("kill -9 %1; fg");
                    continue;
                }
                term.keys(key);
                term.prompt();
                assert_eq!(term.ask("echo =$?"), status, "{way}");
            }
        }
        term.hang_up();
        container.end();
    }
}
