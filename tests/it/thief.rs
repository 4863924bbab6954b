//! Reading what is typed: a process inside opens every terminal that it can, and the caller's is none of them. (CVE-2016-10124 and
//! its neighbours: what lxc-attach left behind; CVE-2017-5226, CVE-2019-10063: TIOCSTI, also with high bits set.)

use super::harness::container::{Container, Maker};
use super::harness::procs::{self, Pid, eventually, stat};
use super::harness::scratch::nsinit;
use super::harness::{Launch, Root, Term, roots, who};

const CTRL_Z: &str = "\x1a";

/// The shell gets what is typed to it, all of it, and nothing else.
#[track_caller]
fn the_shell_gets_its_keys(term: &mut Term) {
    for number in 0..20 {
        let secret = format!("secret-{number}");
        assert_eq!(term.ask(&format!("echo {secret}")).lines().last(), Some(secret.as_str()));
    }
}

/// What the thief has written. Of its own terminal it has what is pushed there, and that is no secret.
#[track_caller]
fn stole_nothing(root: &Root, terminal: &str) {
    let log = root.read("tmp/log");
    assert_eq!(log.lines().next(), Some(format!("tty: {terminal}").as_str()), "{log}");
    assert!(!log.contains("secret") && !log.contains("echo"), "{log}");
    std::fs::remove_file(root.at("tmp/log")).expect("remove the log");
}

const NONE: &str = "No such device or address";
const OWN: &str = "open";

fn writable(root: &Root) {
    root.dir("tmp");
}

/// In the background, stopped, and with the terminal on standard input, output and error or on none of them.
#[test]
fn no_process_inside_reads_the_callers_terminal() {
    for root in roots() {
        let root = root.with_helper();
        writable(&root);
        for (way, terminal) in [
            ("$N -- helper thief /tmp/log", OWN),
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
            the_shell_gets_its_keys(&mut term);
            term.ask("kill -9 %1; wait");
            stole_nothing(&root, terminal);
            // In front, and then stopped: those that can be.
            if !way.contains("--as-pid-1") && !way.contains("--new-session -- helper thief /tmp/log <") {
                term.line(way);
                term.expect("up");
                term.keys(CTRL_Z);
                assert!(term.prompt().contains("Stopped"), "{way}");
                the_shell_gets_its_keys(&mut term);
                term.ask("kill -9 %1; fg");
                term.ask("");
                stole_nothing(&root, terminal);
            }
            term.hang_up();
        }
    }
}

/// What a CMD of `--enter` has left has nothing of the administrator's.
#[test]
fn what_is_left_inside_reads_nothing() {
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        writable(&container.root);
        for (to, terminal) in [("", OWN), ("</dev/null >/dev/null 2>&1", NONE)] {
            let mut term = Term::new(&container.root);
            let enter = format!("{} --enter {}", nsinit().display(), container.init);
            term.ask(&format!("{enter} -- helper thief /tmp/log leave {to}"));
            let left = || procs::children(container.init).into_iter().find(|&pid| is_thief(pid));
            let left = eventually("it is left", left);
            the_shell_gets_its_keys(&mut term);
            assert_eq!(term.foreground(), term.pid());
            super::harness::launch::send(left, libc::SIGKILL);
            eventually("the thief is gone", || procs::is_gone(left).then_some(()));
            stole_nothing(&container.root, terminal);
            term.hang_up();
        }
        container.end();
    }
}

/// No SIGTTIN stops a reader without a controlling terminal: in the background standard input holds nothing.
#[test]
fn a_reader_in_the_background_takes_nothing() {
    for root in roots() {
        let mut term = Term::new(&root);
        term.ask("$N -- sh -c 'while read -r x; do echo got $x; done; echo end' 2>/dev/null | cat & wait");
        the_shell_gets_its_keys(&mut term);
        let shown = term.ask("$N -- sh -c 'read -r x; echo got $x; echo end' 2>/dev/null | cat & wait");
        assert!(shown.contains("got\nend"), "{shown}");
        // In front it is what is typed.
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

/// CMD's session has no controlling terminal where standard input, output and error are not all one; with `--share-terminal` it has
/// the caller's. What is written goes through unchanged.
#[test]
fn the_terminal_is_shared_on_request_only() {
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
        // The same terminal by another name.
        assert_eq!(term.ask("$N -- tty </dev/tty"), "/dev/pts/0");
        term.hang_up();
        Launch::new(root.who).args(["--share-terminal", "--", "true"]).run().fails("requires --root or --enter");
        root.run(&["--share-terminal", "--pty"], &["true"]).fails("--pty");
    }
}
