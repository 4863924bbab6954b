//! Containers in the background: `--detach`, `--pid-file`, `--ready-fd`, `--status-fd`, `--name`.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use super::harness::container::enter;
use super::harness::launch::{adopt, exists, send, spawn, wait_for};
use super::harness::procs::{self, Pid, eventually, stat};
use super::harness::scratch::{nsinit, utf8};
use super::harness::term::BASH;
use super::harness::{Deny, Launch, Out, Root, Term, Who, roots, who};

/// A container in the background.
struct Detached {
    file: PathBuf,
    launcher: Pid,
    init: Pid,
}

impl Detached {
    #[track_caller]
    fn new(root: &Root, options: &[&str], script: &str) -> Self {
        let file = root.at("box.pid");
        let launch =
            root.launch(&[&["--detach", "--pid-file", utf8(&file)], options].concat(), &["/bin/sh", "-c", script]);
        assert_eq!(launch.start().finish_beside(), 0);
        Self::found(file)
    }

    #[track_caller]
    fn found(file: PathBuf) -> Self {
        let init = number_in(&file);
        let launcher = stat(init).expect("process 1 runs").parent;
        adopt(launcher);
        Self { file, launcher, init }
    }

    /// Sends the signal to process 1, as README says.
    #[track_caller]
    fn stop(self, signal: i32) {
        send(self.init, signal);
        self.ended();
        assert!(!self.file.exists(), "the pid file is removed with the container");
    }

    #[track_caller]
    fn ended(&self) {
        wait_for(self.launcher);
        // Its parent is gone: it may have become our child.
        wait_for(self.init);
    }
}

impl Drop for Detached {
    /// For tests that failed: no process may stay.
    fn drop(&mut self) {
        if std::thread::panicking() {
            send(self.launcher, libc::SIGKILL);
        }
    }
}

#[track_caller]
fn number_in(file: &Path) -> Pid {
    let text = fs::read_to_string(file).expect("read a pid file");
    let (number, rest) = text.split_once('\n').expect("the pid file ends with a line end");
    assert_eq!(rest, "");
    number.parse().expect("the pid file holds a number")
}

/// Runs `script` in a shell of the host; in it `$N` is nsinit with this root.
fn host(root: &Root, script: &str) -> Launch {
    let n = format!("{} --root {}", nsinit().display(), root.str());
    Launch::of(root.who, Path::new("/bin/sh"))
        .args(["-c", script])
        .env("N", &n)
        .env("P", utf8(nsinit()))
        .directory(root.path())
}

#[test]
fn detached_container_outlives_its_caller() {
    for root in roots() {
        let box_ = Detached::new(&root, &[], "trap 'exit 0' TERM; touch /up; while :; do sleep 0.01; done");
        let (launcher, init) =
            (stat(box_.launcher).expect("the launcher runs"), stat(box_.init).expect("process 1 runs"));
        assert_eq!(launcher.session, launcher.pid, "the launcher leads a session");
        assert_eq!(init.parent, launcher.pid);
        assert_eq!(procs::link(box_.launcher, "cwd").unwrap_or_else(|| "/".into()), Path::new("/"));
        eventually("CMD runs", || root.at("up").exists().then_some(()));
        enter(root.who, box_.file.display(), &[], &["ls", "/up"]).start().finish_beside();
        box_.stop(libc::SIGTERM);
    }
}

/// If the command cannot start, the caller gets its failure status; no process and no pid file is left.
#[test]
fn detach_reports_a_cmd_that_cannot_start() {
    for root in roots() {
        let file = root.at("box.pid");
        let options = ["--detach", "--pid-file", utf8(&file)];
        root.run(&options, &["/none"]).is(127, "", "nsinit: cannot execute /none: No such file or directory\n");
        root.run(&options, &["/etc"]).is(
            126,
            "",
            "nsinit: cannot execute /etc: Permission denied (it is not a regular file)\n",
        );
        root.run(&[&options[..], &["--chdir", "/none"]].concat(), &["true"]).fails("/none");
        root.run(&[&options[..], &["--as-pid-1"]].concat(), &["/none"]).fails_with(127, "/none");
        assert!(!file.exists());
    }
}

/// A command that ends at once has run: the status is 0.
#[test]
fn detach_succeeds_if_cmd_ends_at_once() {
    for root in roots() {
        for options in [&[][..], &["--as-pid-1"], &["--share-pid"]] {
            let launch = root.launch(&[&["--detach"], options].concat(), &["/bin/sh", "-c", "exit 3"]);
            launch.run().is(0, "", "");
        }
    }
}

/// A signal to the waiting launcher ends all its processes and removes the pid file, so that the next launch works.
#[test]
fn waiting_launcher_leaves_nothing_when_killed() {
    for root in roots() {
        root.fifo("fifo");
        let file = root.at("box.pid");
        for signal in [libc::SIGTERM, libc::SIGKILL] {
            let line = "exec $N --detach --pid-file box.pid --block-fd 3 -- sleep 1000 3<>fifo";
            let run = host(&root, line).start();
            eventually("the command waits", || (procs::tree(run.pid()).len() == 4).then_some(()));
            assert!(file.exists());
            run.kill(signal);
            assert_eq!(run.finish().status, -signal);
            eventually("the file is removed", || (!file.exists()).then_some(()));
        }
    }
}

/// For bubblewrap's options `--info-fd` and `--userns-block-fd`, too.
#[test]
fn launcher_waiting_for_id_maps_ends_on_a_signal() {
    for root in roots() {
        root.fifo("fifo");
        for signal in [libc::SIGTERM, libc::SIGINT] {
            let line =
                "exec $P --unshare-user --ro-bind / / --info-fd 4 --userns-block-fd 3 -- true 3<>fifo 4>/dev/null";
            let run = host(&root, line).start();
            eventually("process 1 runs", || (procs::tree(run.pid()).len() == 2).then_some(()));
            run.kill(signal);
            assert_eq!(run.finish().status, -signal);
        }
    }
}

/// SIGKILL to the launcher ends the container, but leaves the pid file; the next launch takes it over.
#[test]
fn container_ends_when_its_launcher_is_killed() {
    for root in roots() {
        let box_ = Detached::new(&root, &[], "sleep 1000");
        send(box_.launcher, libc::SIGKILL);
        box_.ended();
        assert!(box_.file.exists());
        assert_eq!(number_in(&box_.file), box_.init);
        let next = Detached::new(&root, &[], "sleep 1000");
        assert_ne!(next.init, box_.init);
        // While it runs, the file is its own; and it still is when another launch has failed.
        let words = ["--detach", "--pid-file", utf8(&next.file)];
        root.run(&words, &["true"]).fails("File exists (the process that it names runs)");
        assert_eq!(number_in(&next.file), next.init);
        next.stop(libc::SIGTERM);
    }
}

/// A file that a process has left is taken over, and no other: what has another content, owner or name stays, and so does the number of a
/// process that may be the one that the file is of.
#[test]
fn only_a_stale_pid_file_is_taken_over() {
    for root in roots() {
        let file = root.at("it.pid");
        let run = || root.run(&["--pid-file", utf8(&file)], &["echo", "ran"]);
        let write = |content: &str, seconds: u64| {
            let _ = fs::remove_file(&file);
            root.file("it.pid", content);
            let then = std::time::SystemTime::now() - Duration::from_secs(seconds);
            fs::File::options().write(true).open(&file).expect("open it").set_modified(then).expect("set its time");
        };
        let ended = {
            let run = Launch::of(root.who, Path::new("/bin/true")).start();
            let pid = run.pid();
            run.finish_with_others();
            pid
        };
        let own = std::process::id();
        // It has ended too, though its parent has not waited for it.
        let zombie = spawn(&mut std::process::Command::new("/bin/true")).id().cast_signed();
        eventually("true has ended", || {
            let stat = fs::read_to_string(format!("/proc/{zombie}/stat")).expect("its state");
            stat.contains(") Z ").then_some(())
        });
        for (content, age) in [
            (format!("{zombie}\n"), 0),
            (format!("{ended}\n"), 0),
            (format!("{ended}"), 0),
            (String::new(), 0),
            // Our own process is younger than the file.
            (format!("{own}\n"), 1_000_000),
            ("4294967295\n".into(), 0),
        ] {
            write(&content, age);
            run().is(0, "ran\n", "");
            assert!(!file.exists(), "{content:?}");
        }
        wait_for(zombie);
        let runs = " (the process that it names runs)";
        for (content, age, hint) in [
            (format!("{own}\n"), 0, runs),
            (format!("{own}\n\n"), 1_000_000, runs),
            (format!("{ended}\n#\n"), 0, ""),
            (format!("-{ended}\n"), 0, ""),
            (format!(" {ended}\n"), 0, ""),
            ("a diary\n".into(), 1_000_000, ""),
        ] {
            write(&content, age);
            let text = format!("nsinit: cannot create pid file {}: File exists{hint}\n", file.display());
            run().is(125, "", &text);
            assert_eq!(fs::read_to_string(&file).ok(), Some(content));
        }
        write(&format!("{ended}\n"), 0);
        fs::hard_link(&file, root.at("second")).expect("link it");
        run().fails("File exists");
        fs::remove_file(root.at("second")).expect("remove the link");
        if root.who == Who::Root {
            std::os::unix::fs::chown(&file, Some(4321), None).expect("chown");
            run().fails("File exists");
        }
    }
}

#[test]
fn detached_container_survives_a_terminal_hangup() {
    for root in roots() {
        let mut term = Term::shell(root.who, root.path(), &BASH);
        let file = root.at("box.pid");
        let line = format!(
            "$N --detach --pid-file {} -- /bin/sh -c 'trap \"\" HUP; echo never; exec sleep 1000'",
            utf8(&file)
        );
        assert_eq!(term.ask(&line), "");
        assert_eq!(term.ask("echo =$?"), "=0");
        let box_ = Detached::found(file);
        for name in ["fd/0", "fd/1", "fd/2"] {
            let of_cmd = procs::link(*procs::children(box_.init).first().expect("CMD"), name);
            assert_eq!(of_cmd.as_deref(), Some(Path::new("/dev/null")));
        }
        // No process of the container has the terminal open.
        let tty = procs::link(term.pid(), "fd/0").expect("the terminal");
        for pid in procs::tree(box_.launcher) {
            let fds = fs::read_dir(format!("/proc/{pid}/fd")).expect("look at descriptors").flatten();
            let open: Vec<_> = fds.filter_map(|fd| fs::read_link(fd.path()).ok()).filter(|path| *path == tty).collect();
            assert!(open.is_empty(), "{pid}");
        }
        // A failure to start is reported on the terminal.
        assert!(term.ask("$N --detach -- /none").contains("nsinit: cannot execute /none"));
        drop(term);
        sleep(Duration::from_millis(50));
        assert!(exists(box_.init));
        box_.stop(libc::SIGTERM);
    }
}

#[test]
fn detached_cmd_writes_to_the_callers_output() {
    for root in roots() {
        let out = host(&root, "$N --detach -- sh -c 'sleep 0.1; echo said; echo told >&2' >log 2>&1; echo =$?").run();
        out.is(0, "=0\n", "");
        eventually("the output is complete", || (root.read("log") == "said\ntold\n").then_some(()));
    }
}

#[test]
fn entered_cmd_can_be_detached() {
    for root in roots() {
        let box_ = Detached::new(&root, &[], "sleep 1000");
        let file = root.at("second.pid");
        let options = ["--detach", "--pid-file", utf8(&file)];
        let run = enter(root.who, box_.file.display(), &options, &["sleep", "1000"]).start();
        assert_eq!(run.finish_beside(), 0);
        let second = Detached::found(file);
        let fresh = *procs::children(box_.init).first().expect("CMD");
        assert_eq!(
            procs::link(second.init, "ns/pid").expect("read a namespace link"),
            procs::link(fresh, "ns/pid").expect("read a namespace link")
        );
        second.stop(libc::SIGTERM);
        assert_eq!(enter(root.who, box_.file.display(), &["--detach"], &["/none"]).start().finish_beside(), 127);
        box_.stop(libc::SIGTERM);
    }
}

#[test]
fn pid_file_exists_while_cmd_runs() {
    for root in roots() {
        let file = root.at("box.pid");
        let mut run =
            root.launch(&["--pid-file", utf8(&file)], &["/bin/sh", "-c", "echo up; cat"]).open_input().start();
        run.line();
        eventually("the pid file is written", || fs::read(&file).is_ok_and(|text| !text.is_empty()).then_some(()));
        assert_eq!(number_in(&file), run.init());
        assert_eq!(run.finish().status, 0);
        assert!(!file.exists());
    }
}

/// An existing file, of whatever type, is not replaced.
#[test]
fn pid_file_never_replaces_a_file() {
    for root in roots() {
        let old = root.file("old", "precious");
        root.symlink("nowhere", "link");
        for name in ["old", "link", "etc"] {
            root.run(&["--pid-file", utf8(&root.at(name))], &["echo", "ran"]).fails("File exists");
        }
        assert_eq!(fs::read_to_string(old).ok().as_deref(), Some("precious"));
        assert!(!root.at("nowhere").exists());
        root.run(&["--pid-file", utf8(&root.at("none/x"))], &["echo", "ran"]).fails("none/x");
        root.run(&["--pid-file", ""], &["echo", "ran"]).fails("empty");
        // A file that replaced the pid file is not removed.
        let file = root.at("box.pid");
        let mut run =
            root.launch(&["--pid-file", utf8(&file)], &["/bin/sh", "-c", "echo up; cat"]).open_input().start();
        run.line();
        fs::remove_file(&file).expect("remove the file");
        fs::write(&file, "another's").expect("write another");
        assert_eq!(run.finish().status, 0);
        assert_eq!(fs::read_to_string(&file).ok().as_deref(), Some("another's"));
    }
}

/// Without a process 1 of nsinit, the pid file holds the command's pid.
#[test]
fn pid_file_holds_cmds_pid_without_a_process_1() {
    for who in who::both() {
        let Some(root) = Root::new(who) else { continue };
        let script = "$P --pid-file box.pid --status-fd 3 --ready-fd 4 -- sh -c 'echo $$; while ! [ -s box.pid ]; do :; done; cat box.pid; exit 4' \
            3>status 4>ready; echo =$?; ls box.pid";
        let out = host(&root, script).run();
        let lines: Vec<&str> = out.stdout.lines().collect();
        assert!(lines.len() == 3 && lines[0] == lines[1] && lines[2] == "=4", "{out}");
        let expected = "{ \"child-pid\": # }\n{ \"cmd-pid\": # }\n{ \"exit-code\": 4 }\n".replace('#', lines[0]);
        assert_eq!(root.read("status"), expected);
        assert_eq!(root.read("ready"), "\n");
    }
}

/// A line end after execve(2) of the command, then end of file. If execve fails, only end of file.
#[test]
fn ready_fd_gets_one_line_end_after_execve() {
    for root in roots() {
        for options in ["", "--as-pid-1", "--share-pid", "--detach"] {
            for (cmd, told) in [("true", "1 0a"), ("/none", "0"), ("sh -c 'sleep 0.2'", "1 0a")] {
                // cat ends when no process has the descriptor, neither the command nor process 1.
                let script = format!(
                    "( $N {options} --ready-fd 3 -- {cmd} 3>&1 >/dev/null 2>&1 ) | (cat >told; wc -c <told | tr -d ' \\n'; od -An -tx1 told)"
                );
                let out = host(&root, &script).run();
                assert_eq!(out.text(), told, "{options} {cmd}: {out}");
            }
        }
    }
}

/// If the descriptor is not open for writing, a message says so and the command runs.
#[test]
fn unwritable_ready_fd_is_reported() {
    for root in roots() {
        let out = host(&root, "exec $N --ready-fd 3 -- true 3</dev/null").run();
        out.is(0, "", "nsinit: cannot write to --ready-fd: Bad file descriptor\n");
    }
}

fn status_of(root: &Root, options: &str, cmd: &str) -> (Out, String) {
    let out = host(root, &format!("exec $N {options} --status-fd 3 -- {cmd} 3>status")).run();
    let told = root.read("status");
    (out, told)
}

/// JSON lines: process 1 and its namespaces; the command; then how that ended, unless it was never executed.
#[test]
fn status_fd_gets_json_lines() {
    for root in roots() {
        let script = "'for k in cgroup ipc mnt net pid uts user; do readlink /proc/self/ns/$k; done; exit 6'";
        let (out, told) = status_of(&root, "", &format!("sh -c {script}"));
        assert_eq!(out.status, 6, "{out}");
        let mut lines = told.lines();
        let first = lines.next().expect("a first line");
        assert!(first.starts_with("{ \"child-pid\": ") && first.ends_with(" }"), "{told}");
        for link in out.stdout.lines() {
            let (kind, number) = link.trim_end_matches(']').split_once(":[").expect("KIND:[NUMBER]");
            assert!(first.contains(&format!(", \"{kind}-namespace\": {number}")), "{kind} {number}: {told}");
        }
        assert!(lines.next().is_some_and(|line| line.starts_with("{ \"cmd-pid\": ")), "{told}");
        assert_eq!(lines.next(), Some("{ \"exit-code\": 6 }"));
        assert_eq!(lines.next(), None);
        let (_, told) = status_of(&root, "", "sh -c 'kill -15 $$'");
        assert_eq!(told.lines().nth(2), Some("{ \"signal\": 15 }"));
        let (_, told) = status_of(&root, "--as-pid-1", "sh -c 'exit 9'");
        assert_eq!(told.lines().nth(2), Some("{ \"exit-code\": 9 }"));
        let (out, told) = status_of(&root, "", "/none");
        assert_eq!((out.status, told.lines().count()), (127, 1), "{told}");
    }
}

/// The number is the command's, outside of the container, whatever process starts it; and it is there however fast the command ends.
/// Other programs of the caller can use the process, which they cannot do with process 1.
#[test]
fn status_fd_has_the_process_id_of_cmd() {
    let number = |text: &str, name: &str| -> Pid {
        let (_, rest) = text.split_once(&format!("\"{name}\": ")).unwrap_or_else(|| panic!("{name} in {text}"));
        rest.split(|letter: char| !letter.is_ascii_digit()).next().expect("a word").parse().expect("a number")
    };
    for root in roots() {
        for options in ["", "--as-pid-1", "--share-pid", "--pty", "--detach", "--net none", "--group"] {
            let (_, told) = status_of(&root, options, "true");
            assert!(options == "--detach" || told.contains("\"cmd-pid\": "), "{options}: {told}");
            fs::remove_file(root.at("status")).expect("remove the status");
        }
        for options in ["", "--as-pid-1", "--share-pid", "--pty"] {
            let script = format!("exec $N {options} --status-fd 3 -- sleep 12345 3>status </dev/null");
            let run = host(&root, &script).start();
            let cmd = eventually("CMD is told", || {
                let told = fs::read_to_string(root.at("status")).ok()?;
                told.contains("cmd-pid").then(|| number(&told, "cmd-pid"))
            });
            let told = root.read("status");
            eventually("CMD is executed", || {
                let title = fs::read_to_string(format!("/proc/{cmd}/cmdline")).ok()?;
                (title == "sleep\x0012345\x00").then_some(())
            });
            assert_eq!(number(&told, "child-pid") == cmd, options == "--as-pid-1", "{told}");
            let who = if root.who == Who::Root { &[][..] } else { &["-U", "--preserve-credentials"] };
            let words = [&["-t", &cmd.to_string()], who, &["-m", "-u", "-n", "-i", "--", "/bin/ls", "-d", "/proc/1"]];
            let launch = Launch::of(root.who, Path::new("/usr/bin/nsenter")).args(words.concat());
            launch.run_with_others().is(0, "/proc/1\n", "");
            run.kill(libc::SIGKILL);
            assert_eq!(run.finish().status, -libc::SIGKILL);
            fs::remove_file(root.at("status")).expect("remove the status");
        }
        let box_ = Detached::new(&root, &[], "exec sleep 1000");
        let script = format!("exec $P --enter {} --status-fd 3 -- true 3>status", box_.init);
        assert_eq!(host(&root, &script).run_with_others().status, 0);
        let told = root.read("status");
        assert_eq!(number(&told, "child-pid"), number(&told, "cmd-pid"), "{told}");
        box_.stop(libc::SIGTERM);
    }
}

/// In the container the command is process 2.
#[test]
fn cmd_whose_process_id_cannot_be_told_never_runs() {
    for root in roots() {
        let deny = Deny::when(libc::SYS_fcntl, 2, u64::MAX, 2, libc::EIO);
        let script = "exec $N --status-fd 3 -- touch /ran 3>status";
        let why = "nsinit: cannot tell the launcher the process id of CMD: Input/output error\n";
        host(&root, script).deny(deny).run().is(125, "", why);
        assert_eq!(root.read("status").lines().count(), 1);
        assert!(!root.at("ran").exists());
    }
}

#[test]
fn name_sets_process_titles_and_hostname() {
    for root in roots() {
        let title = |pid: Pid| fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', "");
        let box_ = Detached::new(&root, &["--name", "box"], "hostname >/name; exec sleep 1000");
        eventually("the launcher has the title", || (title(box_.launcher) == "nsinit: box").then_some(()));
        eventually("process 1 has the title", || (title(box_.init) == "init: box").then_some(()));
        eventually("the host name is the name", || {
            (fs::read_to_string(root.at("name")).ok()? == "box\n").then_some(())
        });
        box_.stop(libc::SIGTERM);
        root.run(&["--name", "box", "--hostname", "other"], &["hostname"]).says("other");
        let own = procs::our_hostname();
        root.run(&["--name", "box", "--share-uts"], &["hostname"]).says(&own);
        root.run(&["--name", &"n".repeat(64)], &["hostname"]).says(&"n".repeat(64));
        for wrong in ["", &"n".repeat(65)] {
            root.run(&["--name", wrong], &["hostname"]).fails("--name");
        }
    }
}

#[test]
fn options_that_conflict_with_detach_are_refused() {
    for root in roots() {
        root.run(&["--detach", "--die-with-parent"], &["true"]).fails("--die-with-parent");
        root.run(&["--ready-fd", "77"], &["true"]).fails("77");
        root.run(&["--status-fd", "x"], &["true"]).fails("--status-fd");
    }
    // unshare(1) makes nsinit process 1 of a pid namespace, whose end kills all processes in it.
    if let Some(root) = who::root() {
        let words = ["--pid", "--fork", utf8(nsinit()), "--detach", "--", "true"];
        Launch::of(root, Path::new("/usr/bin/unshare")).args(words).run().fails("--detach");
    }
}

/// The reader of the descriptor, or of messages, is gone: the command does not suffer, in a new container, an entered one, or in
/// place.
#[test]
fn closed_reader_never_kills_cmd() {
    for root in roots() {
        let box_ = Detached::new(&root, &[], "exec sleep 1000");
        let enter = format!("--enter {}", box_.init);
        let new = format!("--root {}", root.str());
        for words in [&new, &enter, &String::new()] {
            for option in ["--ready-fd 3", "--status-fd 3", "--verbose 2>&3"] {
                // The reader ends before nsinit writes.
                let script = format!(
                    "mkfifo f$$; sh -c ': <f'$$ & exec 3>f$$; wait; rm f$$
                    exec $P {words} {option} -- /bin/sh -c 'sleep 0.1; echo alive; exit 3'"
                );
                let out = host(&root, &script).run_with_others();
                if words == &new && option == "--status-fd 3" {
                    out.is(125, "", "nsinit: cannot write --status-fd: Broken pipe\n");
                } else {
                    out.is(3, "alive\n", "");
                }
            }
        }
        box_.stop(libc::SIGTERM);
    }
}
