//! The behaviours that tini, dumb-init and catatonit share. Each function is a test of one suite; where an original
//! differs, the difference is named and asserted for the original, too, if possible.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::thread::sleep;
use std::time::Duration;

use super::subject::{PATH, no_signals, tester};
use super::{FAULTS, GLIBC, Place, Subject, Suite, differs, helper, is, signals};
use crate::harness::launch::{exists, queue, send};
use crate::harness::procs::{self, Pid, children, eventually, is_gone, stat};
use crate::harness::scratch::{self, Dir, utf8};
use crate::harness::{Deny, Launch, Out, Running, who};

/// Runs `helper WORDS`, which starts the subject.
pub fn around(it: &Subject, words: &[&str], args: &[&str]) -> Launch {
    let command = it.words(&[], args);
    Launch::of(tester(), helper().as_ref()).args(words).args(command).env("PATH", PATH).before(no_signals)
}

/// Runs `helper each FROM TO` with the subject below it; the result has (number, status) for each number.
#[track_caller]
pub fn each(it: &Subject, from: i32, to: i32, args: &[&str]) -> Vec<(i32, i32)> {
    let out = around(it, &["each", &from.to_string(), &to.to_string()], args).run();
    assert!(out.status == 0 && out.stderr.is_empty(), "{it}: {out}");
    let row = |line: &str| {
        let (number, status) = line.split_once(' ')?;
        Some((number.parse().ok()?, status.parse().ok()?))
    };
    let rows: Vec<_> = out.stdout.lines().map(|line| row(line).unwrap_or_else(|| panic!("{it}: {line:?}"))).collect();
    assert_eq!(rows.len(), (to - from + 1) as usize, "{it}");
    rows
}

// ---- statuses

pub fn every_exit_status_is_passed_on(suite: &'static Suite) {
    for it in suite.subjects() {
        for (number, status) in each(&it, 0, 255, &it.plain(&[], &[helper(), "exit", "@"])) {
            assert_eq!(number, status, "{it}");
        }
    }
}

pub fn death_by_signal_n_gives_128_plus_n(suite: &'static Suite) {
    for it in suite.subjects() {
        let cmd = it.plain(&[], &[helper(), "die", "@"]);
        // CHLD CONT | URG | WINCH do not kill. The signals between these ranges stop the process.
        for (from, to, base) in [(1, 16, 128), (17, 18, 0), (23, 23, 0), (24, 27, 128), (28, 28, 0), (29, 64, 128)] {
            for (number, status) in each(&it, from, to, &cmd) {
                let expected = if base == 0 { 0 } else { base + number };
                assert_eq!(status, expected, "{it}: signal {number}");
            }
        }
    }
}

/// The command and orphans end at the same moment: the exit status is the command's, and the init ends.
pub fn exit_status_is_cmds_if_orphans_end_at_once(suite: &'static Suite) {
    for it in suite.subjects() {
        for (round, status) in each(&it, 1, 200, &it.plain(&[], &[helper(), "together", "3", "7"])) {
            assert_eq!(status, 7, "{it}: round {round}");
        }
    }
}

pub fn ten_thousand_orphans_are_reaped(suite: &'static Suite, places: &[Place]) {
    for it in suite.subjects().into_iter().filter(|it| places.contains(&it.place)) {
        is(&it.plainly(&[], &[helper(), "orphans", "10000"]).run(), 0, "", "");
    }
}

/// A script without a `#!` line is run by the shell, as execvp(3) does.
pub fn script_without_interpreter_line_is_run_by_sh(suite: &'static Suite) {
    for it in suite.child_subjects() {
        let dir = Dir::new(tester());
        let script = dir.file("script", "echo \"$@\"; exit 9\n");
        is(&it.plainly(&[], &[script.to_str().unwrap(), "a", "b"]).run(), 9, "a b\n", "");
    }
}

/// A table of commands that cannot be executed: (the command, errno, its text). `says`: the message, `{}` for the
/// command, `@` for the text.
pub fn execve_errors_are_reported(suite: &'static Suite, says: &str, status: fn(i32) -> i32) {
    let dir = Dir::new(tester());
    dir.symlink("loop", "loop");
    fs::write(dir.at("plain"), "").expect("write a file");
    dir.file("head", "#!/no/such/interpreter\n");
    let at = |name: &str| utf8(&dir.at(name)).to_owned();
    let rows = [
        ("nosuch".into(), libc::ENOENT, "No such file or directory"),
        ("/no/such/file".into(), libc::ENOENT, "No such file or directory"),
        (String::new(), libc::ENOENT, "No such file or directory"),
        (at("head"), libc::ENOENT, "No such file or directory"),
        (at("plain"), libc::EACCES, "Permission denied"),
        ("/".into(), libc::EACCES, "Permission denied"),
        (at("plain/x"), libc::ENOTDIR, "Not a directory"),
        (at("loop"), libc::ELOOP, "Too many levels of symbolic links"),
        (format!("/{}", "x".repeat(300)), libc::ENAMETOOLONG, "File name too long"),
    ];
    for it in suite.subjects() {
        for (word, errno, text) in &rows {
            let line = says.replace("{}", word).replace('@', text) + "\n";
            // The pattern's `#` matches only the pid.
            is(&it.plainly(&[], &[word, "-x"]).run(), status(*errno), "", &line);
        }
    }
}

/// One line in the program's own form, and status 1.
pub fn failing_calls_are_reported(suite: &'static Suite, calls: &[i64], begins: &str) {
    differs(suite.name, "messages about its own failures");
    for it in suite.subjects() {
        for &call in calls {
            let out = it.plainly(&[], &["true"]).deny(Deny::all(call, libc::EIO)).run();
            let begins = out.stderr.lines().count() == 1 && out.stderr.starts_with(begins);
            assert!(out.status == 1 && out.stdout.is_empty() && begins, "{it}: {out}");
        }
    }
}

/// Root may search every directory. `statuses`: the original's and nsinit's.
pub fn unsearchable_path_directory_is_skipped(suite: &'static Suite, says: &str, statuses: [i32; 2]) {
    differs(suite.name, "CMD not found, and a directory of PATH without search permission");
    let Some(user) = who::user() else { return };
    let dir = Dir::new(user);
    fs::set_permissions(dir.dir("closed"), Permissions::from_mode(0o000)).expect("close a directory");
    let path = format!("{}:{PATH}", dir.at("closed").display());
    for it in suite.child_subjects() {
        let args = it.plain(&[], &["nosuch"]);
        let launch = |args| Launch::of(user, &it.program).args(args).env("PATH", &path).before(no_signals).run();
        let [original, ours] = [(statuses[0], "Permission denied"), (statuses[1], "No such file or directory")];
        let (status, reason) = if it.is_ours() { ours } else { original };
        is(&launch(args), status, "", &says.replace('@', reason));
        // A command in another directory of PATH is found.
        is(&launch(it.plain(&[], &["true"])), 0, "", "");
    }
}

// ---- signals

/// A command that prints the signals that it gets, and is ready for them.
#[track_caller]
pub fn recorder(it: &Subject, options: &[&str]) -> (Running, Pid) {
    let helper = utf8(scratch::helper());
    let mut running = it.plainly(options, &[helper, "signals"]).open_input().start();
    assert_eq!(running.line(), "ready", "{it}");
    let init = it.init(&running);
    (running, init)
}

/// Each signal that an original forwards arrives once; nsinit forwards all.
pub fn every_signal_reaches_cmd_once(suite: &'static Suite, options: &[&str], not: &[i32], lost: &[i32]) {
    for it in suite.subjects() {
        let (mut running, init) = recorder(&it, options);
        for signal in signals().filter(|s| !not.contains(s) && (it.is_ours() || !lost.contains(s))) {
            send(init, signal);
            let line = running.line();
            assert_eq!(line.split(' ').next(), Some(signal.to_string().as_str()), "{it}: sent {signal}");
        }
        is(&running.finish(), 0, "", "");
    }
}

/// Asserts what the original does with signals that it does not forward.
pub fn original_does_not_forward(suite: &'static Suite, fatal: &[i32], ignored: &[i32]) {
    for it in suite.original() {
        for &signal in fatal.iter().chain(ignored) {
            let (mut running, init) = recorder(&it, &[]);
            send(init, signal);
            let dies = fatal.contains(&signal) && !it.is_pid_1();
            if dies {
                eventually("the original ends", || is_gone(init).then_some(()));
            } else {
                send(init, libc::SIGUSR1);
                assert_eq!(running.line(), "10 0 0", "{it}: sent {signal}");
            }
            is(&running.finish(), if dies { -signal } else { 0 }, "", "");
        }
    }
}

pub fn sigchld_is_not_forwarded(suite: &'static Suite) {
    for it in suite.subjects() {
        let (mut running, init) = recorder(&it, &[]);
        for signal in [libc::SIGCHLD, libc::SIGUSR1] {
            send(init, signal);
        }
        assert_eq!(running.line(), "10 0 0", "{it}");
        is(&running.finish(), 0, "", "");
    }
}

/// Real-time signals are queued: none is lost. Only nsinit keeps their values, and only for a single target: no call
/// sends a value to a process group.
pub fn queued_signals_are_forwarded(suite: &'static Suite, options: &[&str], to_group: bool) {
    const COUNT: i32 = 200;
    differs(suite.name, "the value of a queued signal");
    for it in suite.subjects() {
        let (mut running, init) = recorder(&it, options);
        (0..COUNT).for_each(|value| queue(init, 40, value));
        for value in 0..COUNT {
            let with_value = format!("40 {} {value}", libc::SI_QUEUE);
            let expected = if it.is_ours() && !to_group { &with_value } else { "40 0 0" };
            assert_eq!(running.line(), expected, "{it} {options:?}");
        }
        is(&running.finish(), 0, "", "");
    }
}

/// `whole`: whether the command's children get the signals, too.
pub fn signals_reach_cmds_group(suite: &'static Suite, options: &[&str], env: Option<(&str, &str)>, whole: bool) {
    for it in suite.subjects() {
        let script = "trap '' USR1; \"$0\" signals; :";
        let helper = utf8(scratch::helper());
        let mut launch = it.plainly(options, &["sh", "-c", script, helper]).open_input();
        if let Some((name, value)) = env {
            launch = launch.env(name, value);
        }
        let mut running = launch.start();
        assert_eq!(running.line(), "ready", "{it}");
        let cmd = it.cmd(&running);
        let child = eventually("the command has a child", || children(cmd).first().copied());
        send(it.init(&running), libc::SIGUSR1);
        if whole {
            assert_eq!(running.line(), "10 0 0", "{it} {options:?}");
        } else {
            // Time in which a wrong signal would arrive.
            sleep(Duration::from_millis(20));
        }
        // SIGUSR2 does not go through the init: all earlier signals have then arrived.
        send(child, libc::SIGUSR2);
        assert_eq!(running.line(), "12 0 0", "{it} {options:?}");
        is(&running.finish(), 0, "", "");
    }
}

/// A command without signal handlers, already executed.
#[track_caller]
pub fn sleeping_cmd(it: &Subject, options: &[&str]) -> (Running, Pid) {
    let running = it.plainly(options, &["sleep", "1000"]).start();
    let cmd = it.cmd(&running);
    eventually("the command is executed", || stat(cmd).filter(|s| s.name == "sleep"));
    (running, cmd)
}

pub fn forwarded_signals_end_cmd(suite: &'static Suite) {
    for it in suite.subjects() {
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT, libc::SIGUSR1, 50] {
            let (running, _) = sleeping_cmd(&it, &[]);
            send(it.init(&running), signal);
            is(&running.finish(), 128 + signal, "", "");
        }
    }
}

pub fn stopped_cmd_ends_on_a_forwarded_signal(suite: &'static Suite) {
    differs(suite.name, "TERM, HUP, INT or QUIT for a stopped CMD");
    for it in suite.subjects() {
        for signal in [libc::SIGTERM, libc::SIGHUP, libc::SIGINT, libc::SIGQUIT] {
            let (running, cmd) = sleeping_cmd(&it, &[]);
            send(cmd, libc::SIGSTOP);
            eventually("the command is stopped", || stat(cmd).filter(|s| s.state == 'T'));
            send(it.init(&running), signal);
            if !it.is_ours() {
                sleep(Duration::from_millis(20));
                assert_eq!(stat(cmd).map(|s| s.state), Some('T'), "{it}");
                send(cmd, libc::SIGCONT);
            }
            is(&running.finish(), 128 + signal, "", "");
        }
    }
}

/// The signal is sent as soon as there is a child, executed or not.
pub fn signal_before_the_start_reaches_cmd(suite: &'static Suite, options: &[&[&str]]) {
    differs(suite.name, "a signal right after the start");
    for it in suite.ours().into_iter().filter(|it| !it.is_pid_1()) {
        for options in options {
            let out = around(&it, &["shoot", "100", "15"], &it.plain(options, &["sleep", "1000"])).run();
            is(&out, 0, &"143\n".repeat(100), "");
        }
    }
}

pub fn ignored_sigchld_does_not_hang(suite: &'static Suite, original_hangs: bool) {
    for it in suite.subjects() {
        let around = [helper(), "state", &hex([libc::SIGCHLD]), "0"];
        let launch = || it.launch_in(&around, &it.plain(&[], &[helper(), "exit", "7"]));
        if it.is_ours() || !original_hangs {
            is(&launch().run(), 7, "", "");
            let script = "\"$0\" exit 1 & \"$0\" exit 2 & exit 8";
            is(&it.launch_in(&around, &it.plain(&[], &["sh", "-c", script, helper()])).run(), 8, "", "");
            continue;
        }
        differs(suite.name, "started with SIGCHLD ignored");
        // Not at once: catatonit checks whether the command runs.
        let mut running = it.launch_in(&around, &it.plain(&[], &["head", "-c", "1"])).open_input().start();
        let init = it.init(&running);
        eventually("the command runs", || (!children(init).is_empty()).then_some(()));
        running.write("x");
        eventually("the command has ended", || children(init).is_empty().then_some(()));
        sleep(Duration::from_millis(100));
        assert!(!is_gone(init), "{it} hangs");
        send(init, libc::SIGKILL);
        running.finish();
    }
}

// ---- the state in which the command starts

/// A signal set in the format of /proc/PID/status.
pub fn hex(signals: impl IntoIterator<Item = i32>) -> String {
    let set = signals.into_iter().fold(0u64, |set, s| set | 1 << (s - 1));
    format!("{set:x}")
}

/// The command's blocked and ignored signals. `original` computes the original's from the caller's.
pub fn cmd_has_the_callers_mask_and_dispositions(
    suite: &'static Suite,
    original: fn(ignored: Set, blocked: Set) -> (Set, Set),
) {
    let all = || signals().collect::<Set>();
    let some = |list: &[i32]| list.iter().copied().collect::<Set>();
    let rows = [
        (some(&[]), some(&[])),
        (some(&[libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGPIPE, libc::SIGTTOU, 40, 64]), some(&[])),
        (some(&[]), some(&[libc::SIGUSR1, libc::SIGTERM, libc::SIGCHLD, 32, 40])),
        (all(), some(&[])),
        (some(&[]), all()),
    ];
    for it in suite.subjects() {
        for (ignored, blocked) in &rows {
            let (ign, blk) = (hex(ignored.iter().copied()), hex(blocked.iter().copied()));
            let around = [helper(), "state", &ign, &blk];
            // grep(1) handles a signal itself, so sed(1) reads the file.
            let cmd = ["sed", "-n", "/^Sig[BI]/p", "/proc/self/status"];
            let out = it.launch_in(&around, &it.plain(&[], &cmd)).run();
            let (ignored, blocked) = match it.is_ours() {
                true => (ignored.clone(), blocked.clone()),
                false => original(ignored.clone(), blocked.clone()),
            };
            let line = |name: &str, set: Set| format!("{name}:\t{:0>16}\n", hex(set));
            is(&out, 0, &(line("SigBlk", blocked) + &line("SigIgn", ignored)), "");
        }
    }
}

pub type Set = std::collections::BTreeSet<i32>;

pub fn cmd_inherits_all_other_attributes(suite: &'static Suite) {
    for it in suite.subjects() {
        let script = "pwd; echo $A-$B; ls /proc/self/fd/7";
        let run = |cmd: &[&str]| {
            let launch = it.plainly(&[], cmd).directory("/usr/bin".as_ref()).env("A", "1").env("B", "x y").before(fd_7);
            launch.run()
        };
        is(&run(&["sh", "-c", script]), 0, "/usr/bin\n1-x y\n/proc/self/fd/7\n", "");
        is(&run(&[helper(), "words", "a b", "", "-x", "--", "$A"]), 0, "[a b]\n[]\n[-x]\n[--]\n[$A]\n", "");
        // Standard input, byte for byte.
        is(&it.plainly(&[], &["cat"]).input("a\0b\n").run(), 0, "a\0b\n", "");
    }
}

fn fd_7() -> std::io::Result<()> {
    // SAFETY: dup2 takes two numbers.
    match unsafe { libc::dup2(0, 7) } {
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// The descriptors and the working directory of the init itself.
pub fn init_keeps_no_descriptor_and_no_directory(suite: &'static Suite, original_closes: bool, original_leaves: bool) {
    if !original_closes {
        differs(suite.name, "inherited descriptors of the init itself");
    }
    if !original_leaves {
        differs(suite.name, "the working directory of the init itself");
    }
    let helper = utf8(scratch::helper());
    for it in suite.subjects() {
        let launch = it.plainly(&[], &[helper, "signals"]).directory("/usr/bin".as_ref()).before(fd_7);
        let mut running = launch.open_input().start();
        running.line();
        let init = it.init(&running);
        let (closes, leaves) = if it.is_ours() { (true, true) } else { (original_closes, original_leaves) };
        let link = |name| procs::link(init, name);
        eventually("descriptor 7 of the init is as expected", || (link("fd/7").is_none() == closes).then_some(()));
        let directory = if leaves { "/" } else { "/usr/bin" };
        eventually("the init has its final working directory", || {
            (link("cwd")?.to_str() == Some(directory)).then_some(())
        });
        is(&running.finish(), 0, "", "");
    }
}

/// Socket activation: LISTEN_PID names the process that is executed.
pub fn listen_pid_is_rewritten_for_cmd(suite: &'static Suite, original_rewrites: bool) {
    if !original_rewrites {
        differs(suite.name, "LISTEN_PID with the pid of the init");
    }
    for it in suite.subjects() {
        let around = ["sh", "-c", "LISTEN_PID=${L:-$$} exec \"$@\"", "sh"];
        let cmd = ["sh", "-c", "[ $LISTEN_PID = $$ ] && echo cmd || echo $LISTEN_PID"];
        let rewrites = it.is_ours() || original_rewrites;
        let out = it.launch_in(&around, &it.plain(&[], &cmd)).run();
        is(&out, 0, if rewrites { "cmd\n" } else { "#\n" }, "");
        let out = it.launch_in(&around, &it.plain(&[], &cmd)).env("L", "4194300").run();
        is(&out, 0, "4194300\n", "");
    }
}

/// Closed descriptors 0 to 2 are accepted. `stdin`: whether the original accepts a closed standard input.
pub fn closed_standard_descriptors_are_accepted(suite: &'static Suite, stdin: bool) {
    for it in suite.subjects().into_iter().filter(|it| it.is_ours() || stdin) {
        for list in ["0", "1", "2", "0,1,2"] {
            let around = [helper(), "closed", list];
            is(&it.launch_in(&around, &it.plain(&[], &[helper(), "exit", "7"])).run(), 7, "", "");
        }
    }
}

// ---- orphans and teardown

/// Finds the process that runs `helper next TAG`, which waits for one signal.
pub fn find(tag: &Dir) -> Pid {
    let has = |pid: Pid| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = words.split(|&b| b == 0).collect();
        words.get(1) == Some(&&b"next"[..]) && words.get(2) == Some(&tag.str().as_bytes())
    };
    eventually("the tagged process runs", || procs::all().into_iter().map(|s| s.pid).find(|&pid| has(pid)))
}

/// Asserts whether an orphan becomes the init's child.
pub fn adopts(it: &Subject, launch: impl FnOnce(&[&str]) -> Launch, yes: bool) -> Out {
    let tag = Dir::new(tester());
    let script = "(\"$0\" next \"$1\" &); read line; exit 0";
    let mut running = launch(&["sh", "-c", script, helper(), tag.str()]).open_input().start();
    let here = running.line();
    assert!(here.starts_with("here "), "{it}: {here}");
    let (orphan, init) = (find(&tag), it.init(&running));
    let parent = eventually("the parent of the orphan has ended", || {
        let parent = stat(orphan)?.parent;
        (parent == init || parent == std::process::id().cast_signed()).then_some(parent)
    });
    assert_eq!(parent == init, yes || it.is_pid_1(), "{it}");
    send(orphan, libc::SIGUSR1);
    assert_eq!(running.line(), "got 10", "{it}");
    running.finish()
}

/// The command exits with 3 and leaves a process, in its process group or (`away`) in another session; the init ends
/// at once. The result is what the left process printed after that.
pub fn output_of_leftover(it: &Subject, options: &[&str], away: bool) -> Option<String> {
    let tag = Dir::new(tester());
    let (plain, session) = ("\"$0\" next \"$1\" & wait", "setsid \"$0\" next \"$1\" & wait");
    let script = format!("trap 'exit 3' USR1; {}; wait", if away { session } else { plain });
    let launch = it.plainly(options, &["sh", "-c", &script, helper(), tag.str()]);
    let mut running = launch.start();
    let here = running.line();
    assert!(here.starts_with("here "), "{it}: {here}");
    let (left, init) = (find(&tag), it.init(&running));
    send(it.cmd(&running), libc::SIGUSR1);
    eventually("the init ends", || is_gone(init).then_some(()));
    if it.is_pid_1() {
        // The kernel kills the left process.
        let out = running.finish();
        assert_eq!((out.status, out.stderr.as_str()), (3, ""), "{it}: {out}");
        return None;
    }
    if exists(left) {
        // The highest signal: pending signals are taken in the order of their numbers.
        send(left, 64);
    }
    let said = running.line();
    is(&running.finish(), 3, "", "");
    Some(said)
}

// ---- costs

/// The init does not wake up without cause. `original`: the number of wake-ups of the original in that time.
pub fn init_does_not_wake_while_idle(suite: &'static Suite, original: u64) {
    let switches = |pid: Pid| -> u64 {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("read its status");
        procs::field_of(&status, "voluntary_ctxt_switches").and_then(|n| n.parse().ok()).expect("a number")
    };
    for it in suite.child_subjects() {
        let (running, init) = recorder(&it, &[]);
        let least = if it.is_ours() { 0 } else { original };
        // The init may still be on its way to its first wait.
        eventually(&format!("{it} sleeps"), || {
            let before = switches(init);
            sleep(Duration::from_millis(1300));
            let woke = switches(init) - before;
            (if least == 0 { woke == 0 } else { woke >= least }).then_some(())
        });
        is(&running.finish(), 0, "", "");
    }
}

/// The signals that the original does not forward.
pub fn not_forwarded(more: &[i32]) -> Vec<i32> {
    [&FAULTS[..], &GLIBC, more].concat()
}
