//! The terminal, as a person in front of it has it: INIT.md's outcomes, with a real shell outside. `$S` shares the terminal,
//! `$N` has one of its own, or none; `pty` has more about that one, and `thief` about reading the caller's.

use super::harness::launch::send;
use super::harness::procs::{self, eventually, stat};
use super::harness::roots::debian;
use super::harness::term::BASH;
use super::harness::{Root, Term, roots, who};

const CTRL_C: &str = "\x03";
const CTRL_Z: &str = "\x1a";
const CTRL_BACKSLASH: &str = "\x1c";

/// Both ways to a terminal: the container's own, and the caller's.
fn everywhere() -> impl Iterator<Item = (Root, &'static str)> {
    ["$N", "$S"].into_iter().flat_map(|way| roots().into_iter().map(move |root| (root, way)))
}

/// `helper signals` below nsinit; `act` makes signals; what arrived in CMD, in order.
#[track_caller]
fn signals(term: &mut Term, line: &str, act: impl FnOnce(&mut Term) -> String) -> Vec<i32> {
    term.line(line);
    term.expect("ready\r\n");
    let mut shown = act(term);
    // Past nsinit: a second copy of what was made before is there when this one is.
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
fn keys_that_signal_arrive_once() {
    for (root, way) in everywhere() {
        let root = root.with_helper();
        let mut term = Term::new(&root);
        let got = signals(&mut term, &format!("{way} -- helper signals"), |term| {
            let keys = [(CTRL_C, "2 "), (CTRL_BACKSLASH, "3 "), (CTRL_Z, "20 "), (CTRL_C, "2 ")];
            keys.into_iter()
                .map(|(key, mark)| {
                    term.keys(key);
                    term.expect(mark) + &term.expect("\n")
                })
                .collect()
        });
        assert_eq!(got, [2, 3, 20, 2], "as {:?}", root.who);
        term.hang_up();
    }
}

#[test]
fn ctrl_c_ends_cmd() {
    for (root, way) in everywhere() {
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
fn a_changed_window_is_told_once() {
    for (root, way) in everywhere() {
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
fn stop_and_resume() {
    for (root, way) in everywhere() {
        for shell in [&BASH[..], &["dash", "-i"]] {
            let mut term = Term::with(&root, shell);
            term.line(&format!("{way} -- sh -c 'echo up; read x; echo got $x; exit 5'"));
            term.expect("up");
            for _ in 0..3 {
                term.keys(CTRL_Z);
                term.prompt();
                assert_eq!(term.foreground(), term.pid(), "the shell has its terminal back");
                assert!(term.ask("jobs").contains("Stopped"));
                term.line("fg");
                eventually("CMD's job has the terminal", || (term.foreground() != term.pid()).then_some(()));
                // Until it has been continued the kernel drops a ^Z (signal(7), SIGCONT).
                eventually("all of it goes on", || {
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
fn a_cmd_that_stops_itself_stops_the_job() {
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
fn a_stopped_job_goes_on_in_the_background() {
    for (root, way) in everywhere() {
        let mut term = Term::new(&root);
        term.ask(&format!("{way} -- sh -c 'kill -TSTP $$; exit 6'"));
        // In one line: what has ended before a prompt is told there, and forgotten.
        assert_eq!(term.ask("bg; wait %1; echo =$?").lines().last(), Some("=6"));
        term.hang_up();
    }
}

#[test]
fn a_background_job_does_not_take_the_terminal() {
    for (root, way) in everywhere() {
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

/// Who reads from a terminal that is not his gets TTIN; brought to the front he reads on.
#[test]
fn a_background_reader_stops_until_it_is_in_front() {
    for root in roots() {
        let mut term = Term::new(&root);
        term.ask("$S -- head -n 1 &");
        eventually("the job is stopped", || term.ask("jobs").contains("Stopped").then_some(()));
        term.line("fg");
        eventually("CMD's job has the terminal", || (term.foreground() != term.pid()).then_some(()));
        term.line("abc");
        term.expect("abc");
        term.prompt();
        term.hang_up();
    }
}

#[test]
fn the_terminal_is_given_back() {
    for root in roots() {
        let mut term = Term::new(&root);
        for (cmd, status) in
            [("true", 0), ("sh -c 'exit 9'", 9), ("sh -c 'kill -9 $$'", 137), ("none 2>/dev/null", 127)]
        {
            term.ask(&format!("$S -- {cmd}"));
            assert_eq!(term.foreground(), term.pid(), "{cmd}");
            assert_eq!(term.ask("echo =$?"), format!("={status}"));
        }
        // A script is no job control shell: only nsinit gives the terminal back.
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
fn a_pipeline_keeps_the_terminal() {
    for (root, way) in everywhere() {
        let root = root.with_helper();
        let mut term = Term::new(&root);
        let got = signals(&mut term, &format!("{way} -- helper signals | (trap '' INT; cat)"), |term| {
            let group = term.foreground();
            let members = procs::all().into_iter().filter(|s| s.group == group && s.session == term.pid());
            assert!(members.into_iter().any(|s| s.name == "cat"), "the pipeline's group has the terminal");
            term.keys(CTRL_C);
            term.expect("2 ") + &term.expect("\n")
        });
        assert_eq!(got, [2], "as {:?}", root.who);
        term.hang_up();
    }
}

/// `nsinit … | tee log`: CMD still reads what is typed.
#[test]
fn a_pipeline_can_be_typed_to() {
    for (root, way) in everywhere() {
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
fn a_hang_up_reaches_cmd() {
    for (root, way) in everywhere() {
        let mut term = Term::new(&root);
        term.line(&format!(
            "{way} -- sh -c 'trap \"echo hup >/tmp/hup; exit\" HUP; echo up; while :; do sleep 0.01; done'"
        ));
        term.expect("up");
        term.hang_up();
        assert_eq!(root.read("tmp/hup"), "hup\n");
    }
}

#[test]
fn a_hang_up_ends_stopped_and_background_jobs() {
    for (root, way) in everywhere() {
        let mut term = Term::new(&root);
        term.line(&format!("{way} -- sh -c 'echo up; sleep 1000' &"));
        term.expect("up");
        term.ask(&format!("{way} -- sh -c 'kill -STOP $$'"));
        term.hang_up();
    }
}

/// Without the terminal's keys: a session of CMD's own.
#[test]
fn new_session() {
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

/// The console is there when there is a terminal, and it is that terminal.
#[test]
fn the_console() {
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
fn an_interactive_bash_has_job_control() {
    for who in who::both() {
        let Some(mut term) = debian_term(who) else { return };
        term.line("$S --setenv PS1 'in$ ' -- bash --norc --noprofile --noediting -i");
        let start = term.expect("in$ ");
        assert!(!start.contains("job control") && !start.contains("cannot set"), "{start}");
        term.line("sleep 1000");
        eventually("sleep runs in front", || foreground_is(&term, "sleep").then_some(()));
        term.keys(CTRL_Z);
        let shown = term.expect("in$ ");
        assert!(shown.contains("Stopped"), "{shown}");
        term.line("fg");
        eventually("sleep runs in front", || foreground_is(&term, "sleep").then_some(()));
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
fn without_a_command_it_is_bash_with_our_prompt() {
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

/// CMD has changed the terminal's modes and can't change them back: they are what they were. Of its own end that is its own
/// business.
#[test]
fn modes_after_a_kill() {
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

// ---- a root built from options

/// CMD says that it is there, and becomes `sleep`. The kernel loses a SIGQUIT that comes while a shell executes another program: so it
/// does without nsinit, too.
fn sleeps(term: &mut Term) {
    term.expect("up");
    let sleeps = |pid: &procs::Pid| stat(*pid).is_some_and(|stat| stat.name == "sleep");
    eventually("it sleeps", || procs::tree(term.pid()).into_iter().find(sleeps));
}

/// What makes a sandbox of this root, with its own words before it.
fn sandbox(root: &Root, options: &str) -> String {
    let nsinit = super::harness::scratch::nsinit().display();
    format!("{nsinit} {options} --bind {} / --proc /proc --dev /dev --", root.str())
}

/// CMD has left the group that the terminal signals: what is typed reaches it by the launcher, once.
#[test]
fn keys_reach_a_session_of_its_own() {
    for root in roots() {
        let root = root.with_helper();
        for options in ["--new-session", "--new-session --unshare-pid", "--new-session --unshare-all --as-pid-1"] {
            let mut term = Term::new(&root);
            let line = sandbox(&root, options);
            let got = signals(&mut term, &format!("{line} /bin/helper signals"), |term| {
                let keys = [(CTRL_C, "2 "), (CTRL_BACKSLASH, "3 "), (CTRL_C, "2 ")];
                keys.into_iter()
                    .map(|(key, mark)| {
                        term.keys(key);
                        term.expect(mark) + &term.expect("\n")
                    })
                    .collect()
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

/// A shell inside can't name the group that it was started in, and leaves the terminal to one that is no more: the caller's next
/// read would fail.
#[test]
fn the_terminal_is_taken_back_from_other_process_ids() {
    for who in who::both() {
        let Some(root) = debian() else { return };
        for options in ["--unshare-pid", "--unshare-pid --as-pid-1", "--unshare-all --wait-all"] {
            let nsinit = super::harness::scratch::nsinit().display();
            let line = format!("{nsinit} {options} --ro-bind {} / --proc /proc --dev /dev --", root.display());
            let mut term = Term::shell(who, root, &BASH);
            // A script is no job control shell: only nsinit gives the terminal back.
            term.line(&format!("sh -c '{line} bash --norc -ic true; echo asks; read -r x; echo got $x'"));
            term.expect("asks");
            term.line("z");
            term.expect("got z");
            term.prompt();
            term.hang_up();
        }
    }
}

// ---- what is entered

/// Without a terminal of its own CMD is in a session without one: keys come by the launcher, once, and stop all of the job.
#[test]
fn keys_reach_what_has_no_terminal() {
    use super::harness::container::{Container, Maker};
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        let mut term = Term::new(&container.root);
        let enter = format!("{} --enter {}", super::harness::scratch::nsinit().display(), container.init);
        for way in ["$N", &enter, "$N --as-pid-1"] {
            let got = signals(&mut term, &format!("{way} -- helper signals 2>/dev/null"), |term| {
                let keys = [(CTRL_C, "2 "), (CTRL_BACKSLASH, "3 "), (CTRL_Z, "20 "), (CTRL_C, "2 ")];
                keys.into_iter()
                    .map(|(key, mark)| {
                        term.keys(key);
                        term.expect(mark) + &term.expect("\n")
                    })
                    .collect()
            });
            assert_eq!(got, [2, 3, 20, 2], "{way} as {who:?}");
            for (key, status) in [(CTRL_C, "=130"), (CTRL_BACKSLASH, "=131")] {
                term.line(&format!("{way} -- sh -c 'echo up; exec sleep 1000' </dev/null"));
                sleeps(&mut term);
                for _ in 0..2 {
                    term.keys(CTRL_Z);
                    assert!(term.prompt().contains("Stopped"), "{way}");
                    term.line("fg");
                    eventually("all of it goes on", || {
                        let mut job = procs::tree(term.pid()).into_iter().filter_map(stat);
                        let front = term.foreground() != term.pid();
                        (front && job.all(|one| one.state != 'T')).then_some(())
                    });
                }
                if way.contains("--as-pid-1") {
                    // Process 1 of a pid namespace is immune to what it does not handle.
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
