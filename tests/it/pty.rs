//! `--pty`: a terminal for the command, connected to the caller's.

use std::fs;
use std::path::Path;

use super::harness::container::{Container, MAKERS, Maker, enter};
use super::harness::launch::send;
use super::harness::procs::{self, Pid, eventually, sleeps_in, stat};
use super::harness::scratch::{nsinit, utf8};
use super::harness::term::{CTRL_C, CTRL_D, CTRL_Z};
use super::harness::{Launch, Root, Term, roots, strace, who};

/// The text as a terminal prints it.
fn shown(text: &str) -> String {
    text.replace('\n', "\r\n")
}

/// The options of every kind of container that has its own devpts.
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
fn cmd_gets_a_terminal_if_the_caller_has_none() {
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

/// Input from a file or a pipe is copied completely, without echo, and then ends.
#[test]
fn all_input_and_output_is_copied() {
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
        assert!(root.read("copy") == text, "the copied text differs from the input");
        // The same for output.
        let out = with(&root, &kinds(&root)[0], "cat /copy; exit 2").run();
        assert_eq!(out.status, 2);
        assert!(out.stdout == shown(&text), "{} bytes", out.stdout.len());
    }
}

/// Makes the file standard input.
fn read_from(path: &Path) -> impl FnMut() -> std::io::Result<()> + Send + Sync + 'static {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).expect("the path has no NUL");
    move || {
        // SAFETY: open reads a C string; dup2 takes numbers.
        match unsafe { libc::dup2(libc::open(path.as_ptr(), libc::O_RDONLY), 0) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    }
}

/// Output written last is not lost, however fast the command ends.
#[test]
fn output_written_last_is_not_lost() {
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
fn launch_failures_are_reported() {
    for root in roots() {
        root.run(&["--pty"], &["/none"]).is(127, "", "nsinit: cannot execute /none: No such file or directory\n");
        root.run(&["--pty", "--chdir", "/none"], &["true"]).fails("/none");
        // The container has no /dev/ptmx.
        let words = ["--ro-bind", root.str(), "/", "--pty", "--", "true"];
        Launch::new(root.who).args(words).run().fails("the container has no working /dev/ptmx");
        // /dev/ptmx is another file.
        root.file("ptmx", "");
        let words =
            ["--ro-bind", root.str(), "/", "--tmpfs", "/dev", "--symlink", "/ptmx", "/dev/ptmx", "--pty", "--", "true"];
        Launch::new(root.who).args(words).run().fails("No such device");
        let words = ["--pty", "--", "true"];
        Launch::new(root.who).args(words).run().fails("--pty needs a container");
    }
}

/// The caller's devpts is used if the container has no other.
#[test]
fn devpts_of_the_caller_serves_if_dev_is_bound() {
    for root in roots() {
        let words = ["--bind", root.str(), "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc"].map(str::to_owned);
        let out = with(&root, &words, "tty >/dev/null && echo $?").run();
        out.is(0, "0\r\n", "");
    }
}

/// The terminal is from the container's devpts, whatever made the container, if it has one.
#[test]
fn entered_cmd_gets_a_terminal_of_the_container() {
    for who in who::both() {
        for maker in MAKERS {
            let Some(container) = Container::new(who, maker) else { continue };
            let by = if who.is_root() { vec![who] } else { who::both() };
            for by in by {
                let script = "test -t 0 && tty; stat -L -c %u /proc/self/fd/0; id -u; cat; exit 6";
                let out = enter(by, container.init, &["--pty"], &["/bin/sh", "-c", script]).input("x\n").run();
                let lines: Vec<&str> = out.stdout.split("\r\n").collect();
                let [tty, owner, id, "x", ""] = lines[..] else { panic!("{maker:?} by {by:?}: {out}") };
                // The root of this container has an empty /dev: the terminal is from the caller's devpts, which is
                // not visible inside.
                let named = if maker == Maker::Unshare { tty == "not a tty" } else { tty.starts_with("/dev/pts/") };
                assert!(named && owner == id, "{maker:?} by {by:?}: {out}");
                assert_eq!(out.status, 6);
                // The relay is killed: the command's terminal hangs up.
                let run = enter(by, container.init, &["--pty"], &["sleep", "998"]).open_input().start();
                let named = |name: &str| {
                    procs::tree(run.pid()).into_iter().find(|pid| stat(*pid).is_some_and(|stat| stat.name == name))
                };
                eventually("the command runs", || named("sleep"));
                let inside = procs::link(container.inside, "ns/mnt");
                let relay = procs::children(run.pid())
                    .into_iter()
                    .find(|pid| by.is_root() && procs::link(*pid, "ns/mnt") != inside);
                if let Some(relay) = relay {
                    // A stopped relay does not end the command.
                    send(relay, libc::SIGSTOP);
                    eventually("the relay is stopped", || (stat(relay)?.state == 'T').then_some(()));
                    let cmd = named("sleep").expect("the command runs");
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

/// The command has ended, and the launcher has waited for it, before the process that cloned it goes on.
#[test]
fn entered_cmd_may_end_at_once() {
    let Some(strace) = strace() else { return };
    let Some(root) = who::root() else { return };
    let Some(container) = Container::new(root, Maker::Nsinit) else { return };
    let slow = ["-f", "-o", "/dev/null", "-e", "trace=clone", "-e", "inject=clone:delay_exit=500000"];
    let of = container.init.to_string();
    let words = [utf8(nsinit()), "--enter", &of, "--pty", "--", "sh", "-c", "echo up; exit 3"];
    Launch::of(root, strace).args(slow).args(words).run().is(3, "up\r\n", "");
    container.end();
}

fn sleep_below(term: &Term) -> Pid {
    let helper = |pid: &Pid| stat(*pid).is_some_and(|stat| stat.name == "sleep");
    eventually("the command runs", || procs::tree(term.pid()).into_iter().find(helper))
}

/// A shell with a waiting command in the foreground, in a container with these options.
fn with_waiting_cmd(root: &Root, words: &[String]) -> (Term, Pid) {
    let mut term = Term::new(root);
    term.line(&format!("{} {} --pty -- sh -c 'echo up; exec sleep 1000'", nsinit().display(), words.join(" ")));
    term.expect("up");
    let cmd = sleep_below(&term);
    (term, cmd)
}

/// The caller's terminal modes are restored before, after, and whichever process was killed; and the command is gone.
#[test]
fn terminal_modes_are_restored_whichever_process_dies() {
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
            // The shell of a script restores no modes. After the end of the launcher, the relay restores them.
            term.line(
                "sh -c '$N --pty -- sh -c \"echo up; exec sleep 1000\"; echo =$?;
                    while stty -a | grep -q -e -icanon; do sleep 0.01; done; stty -a >modes'"
                    .replace("modes", utf8(&root.at("modes")))
                    .as_str(),
            );
            term.expect("up");
            let cmd = sleep_below(&term);
            let init = stat(cmd).expect("the command runs").parent;
            let launcher = stat(init).expect("process 1 runs").parent;
            let relay = procs::children(launcher).into_iter().find(|pid| *pid != init).expect("the relay runs");
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
            eventually("the command has ended", || procs::is_gone(cmd).then_some(()));
        }
        term.hang_up();
    }
}

/// True if the shell's terminal is now in raw mode.
fn is_raw(term: &Term) -> bool {
    let tty = fs::File::open(format!("/proc/{}/fd/0", term.pid())).expect("open the terminal");
    let modes = nix::sys::termios::tcgetattr(tty).expect("read the terminal's modes");
    !modes.local_flags.contains(nix::sys::termios::LocalFlags::ICANON)
}

#[test]
fn ctrl_c_reaches_cmd() {
    for root in roots() {
        for words in kinds(&root) {
            let (mut term, _) = with_waiting_cmd(&root, &words);
            eventually("the terminal is raw", || is_raw(&term).then_some(()));
            term.keys(CTRL_C);
            term.prompt();
            assert_eq!(term.ask("echo =$?"), "=130", "{words:?}");
            term.hang_up();
        }
    }
}

#[test]
fn window_size_and_job_control_work_inside() {
    for root in roots() {
        let mut term = Term::new(&root);
        term.resize(31, 97);
        term.line("$N --pty --setenv PS1 'in%' -- sh");
        term.expect("in%");
        term.line("stty size");
        term.expect("31 97");
        term.resize(20, 50);
        term.expect("in%");
        eventually("the new window size arrives", || {
            term.line("stty size");
            term.expect("in%").contains("20 50").then_some(())
        });
        // The inner shell handles ^Z.
        term.line("sleep 1000");
        sleep_below(&term);
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

/// No process inside has the caller's terminal open.
#[test]
fn callers_terminal_is_not_open_inside() {
    for root in roots() {
        for words in kinds(&root) {
            let (mut term, cmd) = with_waiting_cmd(&root, &words);
            let outer = procs::link(term.pid(), "fd/0").expect("read the terminal's path");
            let launcher = eventually("the launcher runs", || {
                procs::tree(term.pid()).into_iter().find(|pid| stat(*pid).is_some_and(|stat| stat.name == "nsinit"))
            });
            let inside: Vec<Pid> = procs::tree(launcher)
                .into_iter()
                .filter(|pid| procs::link(*pid, "ns/mnt") != procs::link(launcher, "ns/mnt"))
                .collect();
            assert!(inside.contains(&cmd), "{inside:?}");
            for pid in inside {
                let fds = fs::read_dir(format!("/proc/{pid}/fd")).expect("read the list of descriptors");
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

/// A shell that edits its line has changed the modes; the terminal of a background job has those of a command.
#[test]
fn background_job_has_a_terminal_that_edits_lines() {
    for root in roots() {
        let mut term = Term::new(&root);
        let file = root.at("modes");
        term.ask(&format!(
            "stty -icanon -icrnl -echo -isig; $N --pty -- stty -a >{} & wait $!; stty sane",
            utf8(&file)
        ));
        let modes = fs::read_to_string(&file).expect("read the modes");
        let words: Vec<&str> = modes.split([' ', ';', '\n', '\r']).collect();
        for mode in ["icanon", "icrnl", "echo", "isig"] {
            assert!(words.contains(&mode), "{mode}: {modes}");
        }
        term.hang_up();
    }
}

/// A background job does not touch the terminal; a command that reads it waits for the foreground.
#[test]
fn background_job_leaves_the_terminal_alone() {
    for root in roots() {
        let mut term = Term::new(&root);
        let before = term.ask("stty -a");
        term.ask(
            "$N --pty -- sh -c 'echo in; sleep 0.2; exit 4' & wait $!; echo =$? >status"
                .replace("status", utf8(&root.at("status")))
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
        // Nothing notifies the relay that it is in the foreground: it notices when there is typed text.
        term.line("abc");
        term.expect("got abc");
        term.prompt();
        assert_eq!(term.ask("stty -a"), before);
        term.hang_up();
    }
}

/// If the reader of the command's output ends, the command gets SIGHUP.
#[test]
fn closed_output_pipe_ends_cmd() {
    for root in roots() {
        let script = format!("{} --root {} --pty -- yes | head -n 1", nsinit().display(), root.str());
        let out = Launch::of(root.who, Path::new("/bin/sh")).args(["-c", &script]).run();
        out.is(0, "y\r\n", "");
    }
}

/// A lost connection.
#[test]
fn hangup_ends_the_container() {
    for root in roots() {
        for words in kinds(&root) {
            let (term, _) = with_waiting_cmd(&root, &words);
            term.hang_up();
        }
    }
}

/// A detached command writes to the caller's output.
#[test]
fn detached_cmd_writes_to_the_callers_output() {
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
        eventually("the output is complete", || (root.read("log") == "/dev/pts/0\r\nmore\r\n").then_some(()));
        let reader = procs::all().into_iter().find(|stat| {
            let words = fs::read_to_string(format!("/proc/{}/cmdline", stat.pid)).unwrap_or_default();
            words.contains(root.str()) && stat.session == stat.pid
        });
        let launcher = reader.expect("the launcher runs").pid;
        super::harness::launch::adopt(launcher);
        send(launcher, libc::SIGKILL);
        super::harness::launch::wait_for(launcher);
    }
}

/// A terminal that belongs to no session, as in an initramfs: typed text reaches the command.
#[test]
fn terminal_without_a_session_is_relayed() {
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

/// A reader that does not read: SIGTERM still ends the launch.
#[test]
fn blocked_output_does_not_prevent_termination() {
    for root in roots() {
        let fifo = root.fifo("fifo");
        let _reader = fs::File::options().read(true).write(true).open(&fifo).expect("open the FIFO");
        let script = format!("exec {} --root {} --pty -- yes >fifo", nsinit().display(), root.str());
        let run = Launch::of(root.who, Path::new("/bin/sh")).args(["-c", &script]).directory(root.path()).start();
        eventually("the relay waits for the reader", || {
            let relay = procs::children(run.pid()).into_iter().find(|pid| procs::children(*pid).is_empty())?;
            let full = fs::read_to_string(format!("/proc/{relay}/wchan")).ok()?.contains("poll");
            (full && stat(run.pid())?.state == 'S').then_some(())
        });
        std::thread::sleep(std::time::Duration::from_millis(100));
        run.kill(libc::SIGTERM);
        // nsinit waits for pending output, but not for ever.
        assert_eq!(run.finish().status, 143);
    }
}

/// The relay of a running nsinit: the child without children.
fn relay_of(launcher: Pid) -> Pid {
    eventually("the relay runs", || procs::children(launcher).into_iter().find(|pid| procs::children(*pid).is_empty()))
}

/// A terminal that is not read, such as a stopped terminal emulator: typed keys reach the command all the same. The lines
/// have different lengths, so that the room that is left in the terminal differs.
#[test]
fn keys_reach_cmd_while_the_terminal_is_not_read() {
    for root in roots() {
        let mut term = Term::new(&root);
        for length in [1, 79, 1000, 3000] {
            term.line(&format!("$N -- sh -c 'echo up; exec yes '$(printf %0{length}d 0)"));
            term.expect("up");
            let yes = |pid: &Pid| stat(*pid).is_some_and(|stat| stat.name == "yes");
            let cmd = eventually("the command runs", || procs::tree(term.pid()).into_iter().find(yes));
            sleeps_in(cmd, "wait_woken");
            // Output may still be on its way.
            std::thread::sleep(std::time::Duration::from_millis(100));
            term.keys(CTRL_C);
            eventually("the command has ended", || procs::is_gone(cmd).then_some(()));
            term.prompt();
            assert_eq!(term.ask("echo =$?"), "=130", "{length}");
        }
        term.hang_up();
    }
}

/// ^S and ^Q are for the command's terminal: they stop and continue its output, and nothing is lost.
#[test]
fn output_can_be_stopped_and_continued() {
    for root in roots() {
        let mut term = Term::new(&root);
        term.line("$N -- sh -c 'echo up; read x; seq 1 30000; exit 3'");
        term.expect("up");
        eventually("the terminal is raw", || is_raw(&term).then_some(()));
        term.keys("\n\x13");
        let seq = |pid: &Pid| stat(*pid).is_some_and(|stat| stat.name == "seq");
        let cmd = eventually("the command writes", || procs::tree(term.pid()).into_iter().find(seq));
        sleeps_in(cmd, "wait_woken");
        term.keys("\x11");
        let numbers: String = (1..=30_000).map(|number| format!("{number}\n")).collect();
        let shown = term.prompt();
        assert!(shown.trim_start() == numbers.trim_end(), "{} of {} bytes", shown.len(), numbers.len());
        assert_eq!(term.ask("echo =$?"), "=3");
        term.hang_up();
    }
}

/// The command ends while its output is in a small pipe, in the relay and in its terminal, and the relay is stopped for a time:
/// a reader that is late gets all of it, and the status is the command's.
#[test]
fn late_reader_gets_all_output() {
    use std::io::Read;
    use std::os::fd::AsRawFd;
    // No more than the pipe and the terminal hold together: the relay need not read again before it can write. What is left of it
    // after FIRST bytes is more than the pipe holds: the relay still has some of it, however it came in parts.
    const FIRST: usize = 2000;
    const PIPE: usize = 4096;
    let text: String = (0..660).map(|line| format!("line {line}\n")).collect();
    for root in roots() {
        root.file("text", &text);
        let fifo = root.fifo("fifo");
        let mut reader = fs::File::options().read(true).write(true).open(&fifo).expect("open the FIFO");
        // SAFETY: fcntl takes numbers.
        assert!(unsafe { libc::fcntl(reader.as_raw_fd(), libc::F_SETPIPE_SZ, PIPE) } as usize == PIPE);
        let script = format!(
            "exec {} --root {} --pty -- sh -c 'until test -e /go; do sleep 0.01; done; cat /text; exit 3' >fifo",
            nsinit().display(),
            root.str()
        );
        let run = Launch::of(root.who, Path::new("/bin/sh")).args(["-c", &script]).directory(root.path()).start();
        let with_cmd = |pid: &Pid| !procs::children(*pid).is_empty();
        let init = eventually("the command runs", || procs::children(run.pid()).into_iter().find(with_cmd));
        let relay = relay_of(run.pid());
        root.file("go", "");
        eventually("the command has ended", || procs::children(init).is_empty().then_some(()));
        sleeps_in(relay, "poll");
        let shown = shown(&text);
        let mut read = vec![0; shown.len()];
        let (first, rest) = read.split_at_mut(FIRST);
        assert!(rest.len() > PIPE);
        reader.read_exact(first).expect("read the beginning");
        send(relay, libc::SIGSTOP);
        eventually("the relay is stopped", || (stat(relay)?.state == 'T').then_some(()));
        send(relay, libc::SIGCONT);
        for part in rest.chunks_mut(777) {
            reader.read_exact(part).expect("read the rest");
        }
        assert!(read == shown.as_bytes(), "the output differs");
        assert_eq!(run.finish().status, 3);
    }
}

/// If the output cannot be written, it is lost and the command continues.
#[test]
fn output_errors_do_not_end_cmd() {
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

/// Process 1 itself leads the session of its terminal; output written last is not lost.
#[test]
fn cmd_as_pid_1_gets_a_terminal() {
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
        sleep_below(&term);
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

/// A stop of the command stops the job and restores the caller's terminal modes: dash restores none. SIGCONT to the
/// job, in the foreground or not, continues all of it.
#[test]
fn stop_of_cmd_stops_the_job_and_restores_the_terminal() {
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
        // The kernel does not stop an orphaned process group: no shell could continue it.
        assert_eq!(term.ask("setsid -w $N -- sh -c 'kill -TSTP $$; echo on'").lines().last(), Some("on"));
        term.hang_up();
    }
}

/// Messages of process 1 appear on the user's terminal, as whole lines.
#[test]
fn messages_of_process_1_reach_the_screen() {
    for root in roots() {
        let mut term = Term::new(&root);
        let shown = term.ask("$N --verbose -- sh -c 'exit 3'");
        assert!(shown.starts_with("nsinit: ") && shown.ends_with("nsinit: CMD ended with status 3"), "{shown}");
        term.hang_up();
    }
}

/// The relay ends with the launcher, whatever close_range(2) returned.
#[test]
fn relay_ends_with_a_failed_launch() {
    use super::harness::Deny;
    for root in roots() {
        let stay_open = Deny::all(libc::SYS_close_range, libc::EIO);
        // The byte with which the launcher lets process 1 continue.
        let no_word = Deny::when(libc::SYS_write, 2, u64::MAX, 1, libc::EIO);
        let launch = || root.launch(&["--pty"], &["true"]);
        launch().deny(stay_open).deny(no_word).run().fails("let process 1 go on");
        launch().deny(stay_open).run().fails("close descriptors");
    }
}

/// A relay that cannot read its signals would be woken by them for ever.
#[test]
fn relay_ends_if_its_signals_cannot_be_read() {
    use super::harness::Deny;
    for root in roots() {
        // signalfd(2): struct signalfd_siginfo has 128 bytes.
        let no_signals = Deny::when(libc::SYS_read, 2, u64::MAX, 128, libc::ENOSYS);
        let mut run = root.launch(&["--pty"], &["/bin/sh", "-c", "echo up; exec sleep 1000"]).deny(no_signals).start();
        assert_eq!(run.line(), "up\r");
        send(relay_of(run.pid()), libc::SIGWINCH);
        // The command's terminal hangs up.
        let out = run.finish();
        assert_eq!(out.status, 129, "{out}");
        assert!(out.stderr.contains("copy") && out.stderr.contains(": Function not implemented"), "{out}");
    }
}

/// script(1) stands for every program that runs others in a terminal.
#[test]
fn pty_works_inside_script_1() {
    for root in roots() {
        let line = format!("{} --root {} -- sh -c 'tty; exit 4'", nsinit().display(), root.str());
        let script = Path::new("/usr/bin/script");
        if !script.exists() {
            return super::harness::skip("script(1) is not installed");
        }
        let out = Launch::of(root.who, script).args(["-qec", &line, "/dev/null"]).run();
        assert!(out.status == 4 && out.stdout.contains("/dev/pts/0\r\n"), "{out}");
    }
}
