//! Theft of typed text: a process inside opens every terminal that it can, and the caller's is not among them.
//! (CVE-2016-10124 and similar: processes left by lxc-attach; CVE-2017-5226, CVE-2019-10063: TIOCSTI, also with high
//! bits set.)

use super::harness::container::{Container, Maker};
use super::harness::procs::{self, Pid, eventually, stat};
use super::harness::scratch::nsinit;
use super::harness::term::CTRL_Z;
use super::harness::{Launch, Root, Term, roots, who};

/// The shell gets all text that is typed to it, and nothing else.
#[track_caller]
fn assert_shell_gets_typed_text(term: &mut Term) {
    for number in 0..20 {
        let secret = format!("secret-{number}");
        assert_eq!(term.ask(&format!("echo {secret}")).lines().last(), Some(secret.as_str()));
    }
}

/// Checks the thief's log. It may contain input that the thief inserted into its own terminal, but no secret.
#[track_caller]
fn assert_nothing_was_stolen(root: &Root, terminal: &str) {
    let log = root.read("tmp/log");
    assert_eq!(log.lines().next(), Some(format!("tty: {terminal}").as_str()), "{log}");
    assert!(!log.contains("secret") && !log.contains("echo"), "{log}");
    std::fs::remove_file(root.at("tmp/log")).expect("remove the log");
}

const NONE: &str = "No such device or address";
const OWN: &str = "open";

fn make_tmp(root: &Root) {
    root.dir("tmp");
}

/// In the background, and stopped; with the terminal on all standard descriptors, or on none.
#[test]
fn processes_inside_cannot_read_the_callers_terminal() {
    for root in roots() {
        let root = root.with_helper();
        make_tmp(&root);
        for (way, terminal) in [
            ("$N -- helper thief /tmp/log", OWN),
            // Without the filter, which refuses TIOCSTI.
            ("$N --seccomp-profile none -- helper thief /tmp/log", OWN),
            ("$N --as-pid-1 -- helper thief /tmp/log", OWN),
            ("$N --new-session -- helper thief /tmp/log", OWN),
            ("$N --share-pid -- helper thief /tmp/log", OWN),
            ("$N -- helper thief /tmp/log </dev/null 2>&1 | cat", NONE),
            ("$N --as-pid-1 -- helper thief /tmp/log </dev/null 2>&1 | cat", NONE),
            ("$N --new-session -- helper thief /tmp/log </dev/null 2>&1 | cat", NONE),
            ("$N --share-pid -- helper thief /tmp/log </dev/null 2>&1 | cat", NONE),
        ] {
            let mut term = Term::new(&root);
            term.line(&format!("{way} &"));
            term.expect("up");
            assert_shell_gets_typed_text(&mut term);
            term.ask("kill -9 %1; wait");
            assert_nothing_was_stolen(&root, terminal);
            // In the foreground and then stopped, if the job can be stopped.
            if !way.contains("--as-pid-1") && !way.contains("--new-session -- helper thief /tmp/log <") {
                term.line(way);
                term.expect("up");
                term.keys(CTRL_Z);
                assert!(term.prompt().contains("Stopped"), "{way}");
                assert_shell_gets_typed_text(&mut term);
                term.ask("kill -9 %1; fg");
                term.ask("");
                assert_nothing_was_stolen(&root, terminal);
            }
            term.hang_up();
        }
    }
}

/// A process that a command of `--enter` left inside has no access to the caller's terminal.
#[test]
fn processes_left_by_enter_cannot_read_the_callers_terminal() {
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        make_tmp(&container.root);
        for (to, terminal) in [("", OWN), ("</dev/null >/dev/null 2>&1", NONE)] {
            let mut term = Term::new(&container.root);
            let enter = format!("{} --enter {} --seccomp-profile none", nsinit().display(), container.init);
            term.ask(&format!("{enter} -- helper thief /tmp/log leave {to}"));
            let left = || procs::children(container.init).into_iter().find(|&pid| is_thief(pid));
            let left = eventually("the thief is left inside", left);
            assert_shell_gets_typed_text(&mut term);
            assert_eq!(term.foreground(), term.pid());
            super::harness::launch::send(left, libc::SIGKILL);
            eventually("the thief has ended", || procs::is_gone(left).then_some(()));
            assert_nothing_was_stolen(&container.root, terminal);
            term.hang_up();
        }
        container.end();
    }
}

/// Without a controlling terminal, SIGTTIN does not stop a background reader: its standard input must be empty.
#[test]
fn background_reader_gets_no_typed_text() {
    for root in roots() {
        let mut term = Term::new(&root);
        term.ask("$N -- sh -c 'while read -r x; do echo got $x; done; echo end' 2>/dev/null | cat & wait");
        assert_shell_gets_typed_text(&mut term);
        let shown = term.ask("$N -- sh -c 'read -r x; echo got $x; echo end' 2>/dev/null | cat & wait");
        assert!(shown.contains("got\nend"), "{shown}");
        // In the foreground it reads the typed text.
        term.line("$N -- sh -c 'read -r x; echo got $x' 2>/dev/null");
        term.line("abc");
        term.expect("got abc");
        term.prompt();
        term.hang_up();
    }
}

fn is_thief(pid: Pid) -> bool {
    stat(pid).is_some_and(|stat| stat.name == "helper")
}

/// The command's session has no controlling terminal unless standard input, output and error are all one terminal;
/// with `--share-terminal` it has the caller's. Output passes unchanged.
#[test]
fn terminal_is_shared_only_with_share_terminal() {
    for root in roots() {
        let mut term = Term::new(&root);
        let script = "sh -c '(: </dev/tty) 2>/dev/null && echo has one || echo has none'";
        for (way, seen) in [
            (format!("$N -- {script} | cat"), "has none"),
            (format!("$N -- {script} </dev/null"), "has none"),
            (format!("$N -- {script} 2>/dev/null"), "has none"),
            (format!("echo x | $N -- {script}"), "has none"),
            (format!("$N -- {script}"), "has one"),
            (format!("$S -- {script} | cat"), "has one"),
            (format!("$S -- {script} </dev/null"), "has one"),
        ] {
            assert_eq!(term.ask(&way), seen, "{way}");
        }
        assert_eq!(term.ask("printf 'a\\nb\\n' | $N -- cat | od -c | head -n 1"), "0000000   a  \\n   b  \\n");
        assert_eq!(term.ask("$N -- printf 'a\\nb\\n' | od -c | head -n 1"), "0000000   a  \\n   b  \\n");
        assert_eq!(term.ask("$N -- tty"), "/dev/pts/0");
        assert_eq!(term.ask("$S -- tty"), "/dev/console");
        // The same terminal under another name.
        assert_eq!(term.ask("$N -- tty </dev/tty"), "/dev/pts/0");
        term.hang_up();
        Launch::new(root.who)
            .args(["--share-terminal", "--", "true"])
            .run()
            .fails("--share-terminal needs --root, --image or --enter");
        root.run(&["--share-terminal", "--pty"], &["true"]).fails("--pty");
    }
}
