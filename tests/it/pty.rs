//! `--pty`: CMD's own terminal, and the caller's beside it.

use std::fs;
use std::path::Path;

use super::harness::container::{Container, MAKERS, Maker, enter};
use super::harness::launch::send;
use super::harness::procs::{self, Pid, eventually, stat};
use super::harness::scratch::nsinit;
use super::harness::{Launch, Root, Term, roots, who};

const CTRL_C: &str = "\x03";
const CTRL_Z: &str = "\x1a";
const CTRL_D: &str = "\x04";

/// What a terminal makes of it.
fn shown(text: &str) -> String {
    text.replace('\n', "\r\n")
}

/// The words of every kind of container with a terminal of its own.
fn kinds(root: &Root) -> Vec<Vec<String>> {
    let sandbox = ["--bind", root.str(), "/", "--proc", "/proc", "--dev", "/dev"];
    let kinds: [&[&str]; 4] = [
        &["--root", root.str()],
        &["--root", root.str(), "--share-pid"],
        &sandbox,
        &[&["--unshare-all"], &sandbox[..]].concat(),
    ];
    kinds.map(|words| words.iter().map(|word| (*word).to_owned()).collect()).into()
}

fn with(root: &Root, words: &[String], script: &str) -> Launch {
    Launch::new(root.who).args(words).args(["--pty", "--", "/bin/sh", "-c", script])
}

#[test]
fn cmd_has_a_terminal_where_the_caller_has_none() {
    for root in roots() {
        for words in kinds(&root) {
            let script = "tty; tty <&1; tty <&2; tty </dev/tty; stat -c %t:%T /dev/console $(tty); exit 5";
            let out = with(&root, &words, script).run();
            let device = |line: &str| line.starts_with("88:");
            let lines: Vec<&str> = out.stdout.split("\r\n").collect();
            let [one, two, three, tty, console, own, ""] = lines[..] else { panic!("{words:?}: {out}") };
            assert!([one, two, three].iter().all(|name| *name == "/dev/pts/0") && tty == "/dev/tty", "{out}");
            assert!(console == own && device(own), "{out}");
            assert_eq!((out.status, out.stderr.as_str()), (5, ""), "{out}");
        }
    }
}

/// From a file or a pipe: all of it, unechoed, and then the end.
#[test]
fn what_is_written_arrives() {
    let text: String = (0..20_000).map(|line| format!("line {line}\n")).collect();
    for root in roots() {
        for words in kinds(&root) {
            let out = with(&root, &words, "cat; exit 3").input("one\ntwo").run();
            out.is(3, "one\r\ntwo", "");
            with(&root, &words, "cat").run().is(0, "", "");
        }
        let input = root.file("input", &text);
        let words = ["--root", root.str(), "--pty", "--", "/bin/sh", "-c", "cat >/copy; wc -l </copy"];
        let out = Launch::new(root.who).args(words).before(read_from(&input)).run();
        out.is(0, "20000\r\n", "");
        assert!(root.read("copy") == text, "what arrived is not what was written");
        // And back.
        let out = with(&root, &kinds(&root)[0], "cat /copy; exit 2").run();
        assert_eq!(out.status, 2);
        assert!(out.stdout == shown(&text), "{} bytes", out.stdout.len());
    }
}

/// Standard input is a file.
fn read_from(path: &Path) -> impl FnMut() -> std::io::Result<()> + Send + Sync + 'static {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).expect("no path has a NUL");
    move || {
        // SAFETY: open reads a C string; dup2 takes numbers.
        match unsafe { libc::dup2(libc::open(path.as_ptr(), libc::O_RDONLY), 0) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    }
}

/// What is written last is not lost, however fast the end comes.
#[test]
fn the_last_words_are_heard() {
    for root in roots() {
        for words in kinds(&root) {
            for _ in 0..25 {
                with(&root, &words, "echo last").run().is(0, "last\r\n", "");
                let out = with(&root, &words, "echo last; kill -9 $$").run();
                assert_eq!((out.status, out.stdout.as_str()), (137, "last\r\n"), "{out}");
            }
        }
    }
}

#[test]
fn what_never_ran() {
    for root in roots() {
        root.run(&["--pty"], &["/none"]).is(127, "", "nsinit: execute /none: No such file or directory\n");
        root.run(&["--pty", "--chdir", "/none"], &["true"]).fails("/none");
        // There is no /dev/ptmx in it.
        let words = ["--ro-bind", root.str(), "/", "--pty", "--", "true"];
        Launch::new(root.who).args(words).run().fails("the container has no working /dev/ptmx");
        // What is there is no such device.
        root.file("ptmx", "");
        let words =
            ["--ro-bind", root.str(), "/", "--tmpfs", "/dev", "--symlink", "/ptmx", "/dev/ptmx", "--pty", "--", "true"];
        Launch::new(root.who).args(words).run().fails("No such device");
        let words = ["--pty", "--", "true"];
        Launch::new(root.who).args(words).run().fails("requires a container");
    }
}

/// A devpts that is the caller's serves too, if it is all that there is.
#[test]
fn a_dev_that_was_bound() {
    for root in roots() {
        let words = ["--bind", root.str(), "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc"].map(str::to_owned);
        let out = with(&root, &words, "tty >/dev/null && echo $?").run();
        out.is(0, "0\r\n", "");
    }
}

/// In the container, whoever made it, if it has terminals.
#[test]
fn an_entered_cmd_has_one() {
    for who in who::both() {
        for maker in MAKERS {
            let Some(container) = Container::new(who, maker) else { continue };
            let by = if who.is_root() { vec![who] } else { who::both() };
            for by in by {
                let script = "test -t 0 && tty; stat -L -c %u /proc/self/fd/0; id -u; cat; exit 6";
                let out = enter(by, container.init, &["--pty"], &["/bin/sh", "-c", script]).input("x\n").run();
                let lines: Vec<&str> = out.stdout.split("\r\n").collect();
                let [tty, owner, id, "x", ""] = lines[..] else { panic!("{maker:?} by {by:?}: {out}") };
                // That root has an empty /dev: it is one of the caller's devpts, which is not to be seen there.
                let named = if maker == Maker::Unshare { tty == "not a tty" } else { tty.starts_with("/dev/pts/") };
                assert!(named && owner == id, "{maker:?} by {by:?}: {out}");
                assert_eq!(out.status, 6);
                // Who copies is killed: CMD's terminal hangs up.
                let run = enter(by, container.init, &["--pty"], &["sleep", "998"]).open_input().start();
                let named = |name: &str| {
                    procs::tree(run.pid()).into_iter().find(|pid| stat(*pid).is_some_and(|stat| stat.name == name))
                };
                eventually("CMD is there", || named("sleep"));
                let inside = procs::link(container.inside, "ns/mnt");
                let relay = procs::children(run.pid())
                    .into_iter()
                    .find(|pid| by.is_root() && procs::link(*pid, "ns/mnt") != inside);
                if let Some(relay) = relay {
                    // To stand still is not to end.
                    send(relay, libc::SIGSTOP);
                    eventually("it stands still", || (stat(relay)?.state == 'T').then_some(()));
                    let cmd = named("sleep").expect("CMD is there");
                    std::thread::sleep(std::time::Duration::from_millis(100));
                    assert!(!procs::is_gone(cmd));
                    send(relay, libc::SIGCONT);
                    send(relay, libc::SIGKILL);
                    assert_eq!(run.finish_with_others().status, 129);
                } else {
                    run.kill(libc::SIGTERM);
                    assert_eq!(run.finish_with_others().status, 143);
                }
            }
            container.end();
        }
    }
}

fn helper_of(term: &Term) -> Pid {
    let helper = |pid: &Pid| stat(*pid).is_some_and(|stat| stat.name == "sleep");
    eventually("CMD is there", || procs::tree(term.pid()).into_iter().find(helper))
}

/// A shell with a CMD in front of it that waits in such a container.
fn at_work(root: &Root, words: &[String]) -> (Term, Pid) {
    let mut term = Term::new(root);
    term.line(&format!("{} {} --pty -- sh -c 'echo up; exec sleep 1000'", nsinit().display(), words.join(" ")));
    term.expect("up");
    let cmd = helper_of(&term);
    (term, cmd)
}

/// The caller's modes are as they were, before, after, and whoever was killed; and CMD is gone.
#[test]
fn the_terminal_is_as_it_was() {
    for root in roots() {
        let mut term = Term::new(&root);
        let before = term.ask("stty -a");
        for (cmd, status) in
            [("true", 0), ("sh -c 'exit 9'", 9), ("sh -c 'kill -9 $$'", 137), ("none 2>/dev/null", 127)]
        {
            term.ask(&format!("$N --pty -- {cmd}"));
            assert_eq!(term.ask("echo =$?"), format!("={status}"), "{cmd}");
            assert_eq!(term.ask("stty -a"), before, "{cmd}");
            assert_eq!(term.foreground(), term.pid());
        }
        for victim in ["launcher", "relay", "process 1", "CMD"] {
            // A script's shell restores no modes. What is to be done after the launcher's own end is done by the relay.
            term.line(
                "sh -c '$N --pty -- sh -c \"echo up; exec sleep 1000\"; echo =$?;
                    while stty -a | grep -q -e -icanon; do sleep 0.01; done; stty -a >modes'"
                    .replace("modes", root.at("modes").to_str().expect("UTF-8"))
                    .as_str(),
            );
            term.expect("up");
            let cmd = helper_of(&term);
            let init = stat(cmd).expect("CMD is there").parent;
            let launcher = stat(init).expect("process 1 is there").parent;
            let relay = procs::children(launcher).into_iter().find(|pid| *pid != init).expect("the relay is there");
            eventually("the terminal is raw", || is_raw(&term).then_some(()));
            send(
                match victim {
                    "launcher" => launcher,
                    "relay" => relay,
                    "process 1" => init,
                    _ => cmd,
                },
                libc::SIGKILL,
            );
            let status = term.expect("\n") + &term.prompt();
            let wanted = if victim == "relay" { "=129" } else { "=137" };
            assert!(status.contains(wanted), "{victim}: {status}");
            assert_eq!(root.read("modes").trim_end(), before, "{victim}");
            eventually("CMD is gone", || procs::is_gone(cmd).then_some(()));
        }
        term.hang_up();
    }
}

/// As the shell's own terminal is now.
fn is_raw(term: &Term) -> bool {
    let tty = fs::File::open(format!("/proc/{}/fd/0", term.pid())).expect("open the terminal");
    let modes = nix::sys::termios::tcgetattr(tty).expect("look at its modes");
    !modes.local_flags.contains(nix::sys::termios::LocalFlags::ICANON)
}

#[test]
fn keys_are_cmds() {
    for root in roots() {
        for words in kinds(&root) {
            let (mut term, _) = at_work(&root, &words);
            eventually("the terminal is raw", || is_raw(&term).then_some(()));
            term.keys(CTRL_C);
            term.prompt();
            assert_eq!(term.ask("echo =$?"), "=130", "{words:?}");
            term.hang_up();
        }
    }
}

#[test]
fn a_shell_is_at_home_in_it() {
    for root in roots() {
        let mut term = Term::new(&root);
        term.resize(31, 97);
        term.line("$N --pty --setenv PS1 'in%' -- sh");
        term.expect("in%");
        term.line("stty size");
        term.expect("31 97");
        term.resize(20, 50);
        term.expect("in%");
        eventually("it has the new size", || {
            term.line("stty size");
            term.expect("in%").contains("20 50").then_some(())
        });
        // ^Z is the inner shell's to handle.
        term.line("sleep 1000");
        helper_of(&term);
        term.keys(CTRL_Z);
        term.expect("in%");
        term.line("jobs; kill %1");
        term.expect("Stopped");
        term.expect("in%");
        term.keys(CTRL_D);
        term.prompt();
        term.hang_up();
    }
}

/// Nobody inside has the caller's terminal open, nor is it anybody's there.
#[test]
fn the_callers_terminal_is_not_inside() {
    for root in roots() {
        for words in kinds(&root) {
            let (mut term, cmd) = at_work(&root, &words);
            let outer = procs::link(term.pid(), "fd/0").expect("its terminal");
            let launcher = eventually("the launcher is there", || {
                procs::tree(term.pid()).into_iter().find(|pid| stat(*pid).is_some_and(|stat| stat.name == "nsinit"))
            });
            let inside: Vec<Pid> = procs::tree(launcher)
                .into_iter()
                .filter(|pid| procs::link(*pid, "ns/mnt") != procs::link(launcher, "ns/mnt"))
                .collect();
            assert!(inside.contains(&cmd), "{inside:?}");
            for pid in inside {
                let fds = fs::read_dir(format!("/proc/{pid}/fd")).expect("look at descriptors");
                for fd in fds.flatten() {
                    let (path, here) = (fs::read_link(fd.path()).unwrap_or_default(), fs::metadata(fd.path()).ok());
                    let same = here.is_some_and(|here| is_same(&here, &outer));
                    assert!(!same, "{pid} has {} open: {words:?}", path.display());
                }
            }
            send(cmd, libc::SIGKILL);
            term.prompt();
            term.hang_up();
        }
    }
}

fn is_same(one: &fs::Metadata, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(other)
        .is_ok_and(|other| (one.dev(), one.ino(), one.rdev()) == (other.dev(), other.ino(), other.rdev()))
}

/// In the background it leaves the terminal alone; who reads it there waits to be brought to the front.
#[test]
fn in_the_background() {
    for root in roots() {
        let mut term = Term::new(&root);
        let before = term.ask("stty -a");
        term.ask(
            "$N --pty -- sh -c 'echo in; sleep 0.2; exit 4' & wait $!; echo =$? >status"
                .replace("status", path(&root.at("status")))
                .as_str(),
        );
        assert_eq!(root.read("status"), "=4\n");
        assert_eq!(term.ask("stty -a"), before);
        term.line("$N --pty -- sh -c 'echo up; read x; echo got $x' &");
        term.expect("up");
        assert!(term.ask("echo typed").contains("typed"));
        assert!(term.ask("jobs").contains("Running"));
        term.line("fg");
        eventually("the job has the terminal", || (term.foreground() != term.pid()).then_some(()));
        // Nobody tells the relay that it is in front: what is typed first does.
        term.line("abc");
        term.expect("got abc");
        term.prompt();
        assert_eq!(term.ask("stty -a"), before);
        term.hang_up();
    }
}

fn path(file: &Path) -> &str {
    file.to_str().expect("scratch paths are UTF-8")
}

/// Whoever reads what CMD says goes away: CMD is hung up.
#[test]
fn a_reader_that_goes_away() {
    for root in roots() {
        let script = format!("{} --root {} --pty -- yes | head -n 1", nsinit().display(), root.str());
        let out = Launch::of(root.who, Path::new("/bin/sh")).args(["-c", &script]).run();
        out.is(0, "y\r\n", "");
    }
}

/// A connection that is lost.
#[test]
fn a_terminal_that_hangs_up() {
    for root in roots() {
        for words in kinds(&root) {
            let (term, _) = at_work(&root, &words);
            term.hang_up();
        }
    }
}

/// In the background of all: what it says goes where the caller's output goes.
#[test]
fn detached_it_writes_a_log() {
    for root in roots() {
        let script = format!(
            "{} --root {} --detach --pty -- sh -c 'tty; sleep 0.1; echo more; read x; echo never' >log",
            nsinit().display(),
            root.str()
        );
        let run = Launch::of(root.who, Path::new("/bin/sh"))
            .args(["-c", &script])
            .directory(root.path())
            .open_input()
            .start();
        assert_eq!(run.finish_beside(), 0);
        eventually("it has said all", || (root.read("log") == "/dev/pts/0\r\nmore\r\n").then_some(()));
        let reader = procs::all().into_iter().find(|stat| {
            let words = fs::read_to_string(format!("/proc/{}/cmdline", stat.pid)).unwrap_or_default();
            words.contains(root.str()) && stat.session == stat.pid
        });
        let launcher = reader.expect("the launcher is there").pid;
        super::harness::launch::adopt(launcher);
        send(launcher, libc::SIGKILL);
        super::harness::launch::wait_for(launcher);
    }
}

/// A terminal that is nobody's, as in an initramfs: what is typed arrives.
#[test]
fn a_terminal_without_a_session() {
    for root in roots() {
        let mut term = Term::new(&root);
        term.line("setsid -w $N --pty -- sh -c 'echo up; read x; echo got $x; exit 3'");
        term.expect("up");
        term.line("abc");
        term.expect("got abc");
        term.prompt();
        assert_eq!(term.ask("echo =$?"), "=3");
        term.hang_up();
    }
}

/// Nobody reads what CMD says: who is asked to end does.
#[test]
fn a_reader_that_stands_still() {
    for root in roots() {
        let fifo = root.fifo("fifo");
        let _reader = fs::File::options().read(true).write(true).open(&fifo).expect("open it");
        let script = format!("exec {} --root {} --pty -- yes >fifo", nsinit().display(), root.str());
        let run = Launch::of(root.who, Path::new("/bin/sh")).args(["-c", &script]).directory(root.path()).start();
        eventually("it stands still", || {
            let relay = procs::children(run.pid()).into_iter().find(|pid| procs::children(*pid).is_empty())?;
            let full = fs::read_to_string(format!("/proc/{relay}/wchan")).ok()?.contains("poll");
            (full && stat(run.pid())?.state == 'S').then_some(())
        });
        std::thread::sleep(std::time::Duration::from_millis(100));
        run.kill(libc::SIGTERM);
        // What CMD has said is waited for, but not for ever.
        assert_eq!(run.finish().status, 143);
    }
}

/// No room for what CMD says: it is lost, and CMD goes on.
#[test]
fn a_full_disk() {
    for root in roots() {
        for to in [">/dev/full", ">&-"] {
            let script = format!(
                "exec {} --root {} --pty -- sh -c 'echo x; sleep 0.1; echo y; exit 4' {to}",
                nsinit().display(),
                root.str()
            );
            Launch::of(root.who, Path::new("/bin/sh")).args(["-c", &script]).run().is(4, "", "");
        }
    }
}

/// Process 1 itself leads the session of its terminal; what it has written last is there all the same.
#[test]
fn process_1_has_one_too() {
    for root in roots() {
        for _ in 0..25 {
            let out = root.sh(&["--pty", "--as-pid-1"], "echo $$; tty; seq 1 2000 | tail -n 1; exit 5");
            assert_eq!((out.status, out.stdout.as_str()), (5, "1\r\n/dev/pts/0\r\n2000\r\n"), "{out}");
        }
        let mut term = Term::new(&root);
        let before = term.ask("stty -a");
        term.line("$N --as-pid-1 --setenv PS1 'in%' -- sh");
        term.expect("in%");
        term.line("sleep 1000");
        helper_of(&term);
        term.keys(CTRL_Z);
        term.expect("Stopped");
        term.expect("in%");
        term.line("kill %1; fg; exit 3");
        term.prompt();
        assert_eq!(term.ask("echo =$?"), "=3");
        assert_eq!(term.ask("stty -a"), before);
        term.hang_up();
    }
}

/// A CMD that stops stops the job, with the caller's terminal as it was: here the shell restores nothing. Who continues it, in
/// front or not, continues all of it.
#[test]
fn a_stop_of_cmd_stops_the_job() {
    for root in roots() {
        let mut term = Term::with(&root, &["dash", "-i"]);
        let before = term.ask("stty -a");
        for signal in ["STOP", "TSTP"] {
            term.line(&format!("$N -- sh -c 'echo up; read x; kill -{signal} $$; read y; echo got $y; exit 6'"));
            term.expect("up");
            term.line("a");
            assert!(term.prompt().contains("Stopped"));
            assert_eq!(term.ask("stty -a"), before);
            term.line("fg");
            eventually("the terminal is raw", || is_raw(&term).then_some(()));
            term.line("b");
            term.expect("got b");
            term.prompt();
            assert_eq!(term.ask("echo =$?"), "=6");
            assert_eq!(term.ask("stty -a"), before);
        }
        // The kernel does not stop an orphaned group: no shell could continue it.
        assert_eq!(term.ask("setsid -w $N -- sh -c 'kill -TSTP $$; echo on'").lines().last(), Some("on"));
        term.hang_up();
    }
}

/// Messages of process 1 go to the user's screen, in lines.
#[test]
fn messages_are_seen() {
    for root in roots() {
        let mut term = Term::new(&root);
        let shown = term.ask("$N --verbose -- sh -c 'exit 3'");
        assert!(shown.starts_with("nsinit: ") && shown.ends_with("nsinit: CMD ended with status 3"), "{shown}");
        term.hang_up();
    }
}

/// It ends with the launcher, whatever close_range(2) has answered it.
#[test]
fn the_relay_does_not_outlive_a_launch_that_failed() {
    use super::harness::Deny;
    for root in roots() {
        let stay_open = Deny::all(libc::SYS_close_range, libc::EIO);
        // The launcher's word that process 1 may go on.
        let no_word = Deny::when(libc::SYS_write, 2, u64::MAX, 1, libc::EIO);
        let launch = || root.launch(&["--pty"], &["true"]);
        launch().deny(stay_open).deny(no_word).run().fails("let it go on");
        launch().deny(stay_open).run().fails("close descriptors");
    }
}

/// A relay that can't read its signals would be told of them for ever.
#[test]
fn signals_that_can_not_be_read_end_the_relay() {
    use super::harness::Deny;
    for root in roots() {
        // signalfd(2): struct signalfd_siginfo has 128 bytes.
        let no_signals = Deny::when(libc::SYS_read, 2, u64::MAX, 128, libc::ENOSYS);
        let mut run = root.launch(&["--pty"], &["/bin/sh", "-c", "echo up; exec sleep 1000"]).deny(no_signals).start();
        assert_eq!(run.line(), "up\r");
        let relay = eventually("the relay is there", || {
            procs::children(run.pid()).into_iter().find(|pid| procs::children(*pid).is_empty())
        });
        send(relay, libc::SIGWINCH);
        // CMD's terminal is hung up.
        let out = run.finish();
        assert_eq!(out.status, 129, "{out}");
        assert!(out.stderr.contains("copy") && out.stderr.contains(": Function not implemented"), "{out}");
    }
}

/// `script`, as every program that runs others in a terminal of its own.
#[test]
fn in_another_programs_terminal() {
    for root in roots() {
        let line = format!("{} --root {} -- sh -c 'tty; exit 4'", nsinit().display(), root.str());
        let script = Path::new("/usr/bin/script");
        if !script.exists() {
            return super::harness::skip("there is no script(1) here");
        }
        let out = Launch::of(root.who, script).args(["-qec", &line, "/dev/null"]).run();
        assert!(out.status == 4 && out.stdout.contains("/dev/pts/0\r\n"), "{out}");
    }
}
