//! The behaviours that the suites share in a terminal.

use super::common::find;
use super::subject::tester;
use super::{Subject, Suite, differs, helper};
use crate::harness::Term;
use crate::harness::launch::send;
use crate::harness::procs::{self, Pid, Stat, eventually, stat};
use crate::harness::scratch::{self, Dir};
use crate::harness::term::{BASH, CTRL_BACKSLASH, CTRL_C, CTRL_Z};

/// A shell of the host, in a new directory.
fn shell(dir: &Dir) -> Term {
    Term::shell(tester(), dir.path(), &BASH)
}

/// The command line of the subject with this command.
fn line(it: &Subject, cmd: &str) -> String {
    [&[it.argv0()], it.suite.plain, &[cmd]].concat().join(" ")
}

fn named(term: &Term, name: &str) -> Pid {
    eventually(&format!("{name} runs"), || {
        procs::tree(term.pid()).into_iter().find(|&pid| stat(pid).is_some_and(|s| s.name == name))
    })
}

/// The states of all processes below the shell.
fn job(term: &Term) -> Vec<char> {
    let below = procs::tree(term.pid()).into_iter().skip(1);
    below.filter_map(|pid| Some(stat(pid)?.state)).collect()
}

/// Signal keys reach the command exactly once: not from the terminal and from the init both.
pub fn signal_keys_reach_cmd_once(suite: &'static Suite, with_stop: bool) {
    let keys = [(CTRL_C, 2), (CTRL_BACKSLASH, 3), (CTRL_Z, 20), (CTRL_C, 2)];
    for it in suite.child_subjects() {
        let dir = Dir::new(tester());
        let mut term = shell(&dir);
        term.line(&line(&it, &format!("{} signals", scratch::helper().display())));
        term.expect("ready\r\n");
        let recorder = named(&term, "helper");
        let mut shown = String::new();
        for (key, number) in keys.into_iter().filter(|&(key, _)| with_stop || key != CTRL_Z) {
            term.keys(key);
            shown += &term.expect(&format!("{number} "));
            shown += &term.expect("\n");
        }
        // SIGUSR1 does not go through the init: a second copy of an earlier signal has arrived before it.
        send(recorder, libc::SIGUSR1);
        shown += &term.expect("10 0 0");
        send(recorder, libc::SIGKILL);
        term.prompt();
        let got: Vec<i32> = shown.lines().filter_map(|l| l.split(' ').next()?.parse().ok()).collect();
        let mut expected: Vec<i32> = keys.iter().filter(|k| with_stop || k.0 != CTRL_Z).map(|k| k.1).collect();
        expected.push(libc::SIGUSR1);
        assert_eq!(got, expected, "{it}");
        term.hang_up();
    }
}

pub fn ctrl_c_ends_cmd(suite: &'static Suite) {
    for it in suite.child_subjects() {
        let dir = Dir::new(tester());
        let mut term = shell(&dir);
        term.line(&line(&it, "sh -c 'echo up; exec sleep 1000'"));
        term.expect("up");
        term.keys(CTRL_C);
        term.prompt();
        assert_eq!(term.ask("echo =$?").lines().last(), Some("=130"), "{it}");
        term.hang_up();
    }
}

/// ^Z returns to the caller's shell, and fg continues.
pub fn ctrl_z_stops_the_job(suite: &'static Suite, original_too: bool) {
    if !original_too {
        differs(suite.name, "^Z");
    }
    for it in suite.child_subjects().into_iter().filter(|it| it.is_ours() || original_too) {
        let dir = Dir::new(tester());
        let mut term = shell(&dir);
        term.line(&line(&it, "sh -c 'echo up; read x; echo got $x; exit 5'"));
        term.expect("up");
        for _ in 0..3 {
            term.keys(CTRL_Z);
            term.prompt();
            assert_eq!(term.foreground(), term.pid(), "{it}: the shell is in the foreground");
            // dumb-init's command is in another session: until it is stopped it reads text that is typed for the
            // shell.
            eventually("the job is stopped", || job(&term).iter().all(|&state| state == 'T').then_some(()));
            let jobs = term.ask("jobs");
            assert!(jobs.contains("Stopped"), "{it}: {jobs:?}");
            term.line("fg");
            eventually("the job is in the foreground", || (term.foreground() != term.pid()).then_some(()));
            // dumb-init itself cannot be stopped again before it continues.
            eventually("the job runs", || job(&term).iter().all(|&state| state == 'S').then_some(()));
        }
        term.line("abc");
        term.expect("got abc");
        term.prompt();
        assert_eq!(term.ask("echo =$?"), "=5", "{it}");
        term.hang_up();
    }
}

/// The original's behaviour on ^Z: the shell's prompt does not return.
pub fn original_stops_cmd_only(suite: &'static Suite) {
    differs(suite.name, "^Z");
    for it in suite.original().into_iter().filter(|it| !it.is_pid_1()) {
        let dir = Dir::new(tester());
        let mut term = shell(&dir);
        term.line(&line(&it, "sleep 1000"));
        let (init, cmd) = (named(&term, suite.name), named(&term, "sleep"));
        eventually("the command is in the foreground", || (term.foreground() == stat(cmd)?.group).then_some(()));
        term.keys(CTRL_Z);
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert_eq!(stat(init).map(|s| s.state), Some('S'), "{it} is not stopped");
        send(cmd, libc::SIGKILL);
        term.prompt();
        assert_eq!(term.ask("echo =$?"), "=137", "{it}");
        term.hang_up();
    }
}

/// A background job leaves the terminal to the shell.
pub fn background_job_leaves_the_terminal_alone(suite: &'static Suite, original_too: bool) {
    for it in suite.child_subjects().into_iter().filter(|it| it.is_ours() || original_too) {
        let dir = Dir::new(tester());
        let mut term = shell(&dir);
        let tag = Dir::new(tester());
        term.line(&format!("{} &", line(&it, &format!("{} next {}", helper(), tag.str()))));
        let cmd = find(&tag);
        // The output of the shell and of the command arrives in either order.
        if !term.prompt().contains("here ") {
            term.expect("here ");
            term.expect("\n");
        }
        assert_eq!(term.foreground(), term.pid(), "{it}");
        assert_eq!(term.ask("echo typed").lines().last(), Some("typed"), "{it}");
        send(cmd, libc::SIGUSR1);
        assert_eq!(term.ask("wait; echo =$?").lines().last(), Some("=0"), "{it}");
        term.hang_up();
    }
}

/// The original's behaviour in the background. The shell's next read fails; it may already have ended by that, and
/// the command with it.
pub fn original_takes_the_terminal_in_the_background(suite: &'static Suite) {
    differs(suite.name, "started in the background of a terminal");
    for it in suite.original().into_iter().filter(|it| !it.is_pid_1()) {
        let dir = Dir::new(tester());
        let mut term = shell(&dir);
        term.line(&format!("{} &", line(&it, "sleep 1000")));
        eventually("the shell is no longer in the foreground", || {
            let lost = stat(term.pid()).is_none_or(|s| s.state == 'Z' || s.foreground != s.pid);
            lost.then_some(())
        });
        term.hang_up();
    }
}

/// The command has the terminal while it runs; afterwards the caller has it, which is no shell with job control.
pub fn terminal_is_returned_to_the_caller(suite: &'static Suite, original_too: bool) {
    if !original_too {
        differs(suite.name, "the terminal after the end of CMD");
    }
    for it in suite.child_subjects() {
        let dir = Dir::new(tester());
        let script = format!("stty -echo; {}; echo up; read x || x=no; echo got $x", line(&it, "true"));
        let mut term = Term::run(tester(), dir.path(), &["sh", "-c", &script]);
        term.expect("up");
        // The original's caller may already have got an error from read(2).
        term.keys("abc\n");
        let expected = if it.is_ours() || original_too { "abc" } else { "no" };
        let shown = term.expect("got ") + &term.expect("\n");
        assert!(shown.trim_end().ends_with(&format!("got {expected}")), "{it}: {shown}");
        term.hang_up();
    }
}

/// As the leader of the terminal's session, as under `docker run -it`: an interactive shell below it has job control.
pub fn init_works_as_the_session_leader(suite: &'static Suite, original_too: bool) {
    for it in suite.subjects().into_iter().filter(|it| it.is_ours() || original_too) {
        // unshare(1) leads the session: the terminal must be stolen from it, which only root may do.
        if it.is_pid_1() && !tester().is_root() {
            continue;
        }
        let around: &[&str] = if it.is_pid_1() { &["setsid", "--ctty"] } else { &[] };
        let dir = Dir::new(tester());
        let words = it.words(around, &it.plain(&[], &BASH));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut term = Term::run(tester(), dir.path(), &words);
        term.line("stty -echo; PS1='in''side$ '");
        let shown = term.expect("inside$ ");
        assert!(!shown.contains("no job control"), "{it}: {shown}");
        term.line("sleep 1000");
        eventually("sleep is in the foreground", || {
            let sleep = procs::tree(term.pid()).into_iter().filter_map(stat).find(|s| s.name == "sleep")?;
            (sleep.foreground == sleep.group).then_some(())
        });
        term.keys(CTRL_Z);
        assert!(term.expect("inside$ ").contains("Stopped"), "{it}");
        term.line("fg");
        term.expect("sleep 1000\r\n");
        eventually("sleep runs in the foreground", || {
            let sleep = procs::tree(term.pid()).into_iter().filter_map(stat).find(|s| s.name == "sleep")?;
            (sleep.foreground == sleep.group && sleep.state == 'S').then_some(())
        });
        term.keys(CTRL_C);
        term.expect("inside$ ");
        term.line("echo =$?");
        assert!(term.expect("inside$ ").contains("=130"), "{it}");
        term.line("exit 4");
        term.hang_up();
    }
}

/// The command's process group is in the foreground.
pub fn cmd_is_in_the_foreground(suite: &'static Suite) {
    for it in suite.child_subjects() {
        let dir = Dir::new(tester());
        let mut term = shell(&dir);
        let tag = Dir::new(tester());
        term.line(&line(&it, &format!("{} next {}", helper(), tag.str())));
        let cmd = find(&tag);
        term.expect("here ");
        eventually("the command is in the foreground", || {
            let cmd = stat(cmd)?;
            (cmd.foreground == cmd.group).then_some(())
        });
        send(cmd, libc::SIGUSR1);
        term.prompt();
        term.hang_up();
    }
}

/// Another process of the pipeline reads the terminal; and so does the command, when it reads it.
pub fn init_works_in_a_pipeline(suite: &'static Suite, original_too: bool) {
    if !original_too {
        differs(suite.name, "in a pipeline in the foreground of a terminal");
    }
    for it in suite.child_subjects() {
        let dir = Dir::new(tester());
        let mut term = shell(&dir);
        if it.is_ours() || original_too {
            let reader = "sh -c 'read x; read y </dev/tty; echo $x and $y'";
            term.line(&format!("{} | {reader}", line(&it, "sh -c 'echo one; sleep 1000'")));
            let cmd = named(&term, "sleep");
            let below = || procs::tree(term.pid()).into_iter().filter_map(stat);
            let reads =
                |s: &Stat| s.name == "sh" && s.parent == term.pid() && s.foreground == s.group && s.state == 'S';
            eventually("the reader waits for input", || below().find(reads));
            term.line("two");
            term.expect("one and two");
            send(cmd, libc::SIGTERM);
        } else {
            term.line(&format!("{} | sh -c 'sleep 1000'", line(&it, "sh -c 'exec sleep 2000'")));
            let taken = || procs::tree(term.pid()).into_iter().filter_map(stat).find(|s| s.foreground == s.pid);
            let cmd = eventually("the command is in the foreground", || taken().filter(|s| s.name == "sleep"));
            send(cmd.pid, libc::SIGTERM);
            let below = || procs::tree(term.pid()).into_iter().filter_map(stat);
            let rest = |s: &Stat| s.name == "sleep" && s.pid != cmd.pid;
            send(eventually("the other process of the pipeline runs", || below().find(rest)).pid, libc::SIGTERM);
        }
        term.prompt();
        if it.is_ours() && suite.name != "dumb-init" {
            term.line(&format!("{} | cat", line(&it, "sh -c 'echo up; read x </dev/tty; echo got $x'")));
            term.expect("up");
            term.line("three");
            term.expect("got three");
            term.prompt();
        }
        term.hang_up();
    }
}
