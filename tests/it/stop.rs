//! `--stop`: the end of a running container, by its name, a process or a pid file.

use std::path::{Path, PathBuf};

use super::harness::container::enter;
use super::harness::launch::{adopt, send, wait_for};
use super::harness::procs::{self, Pid, eventually, is_gone, stat};
use super::harness::scratch::{nsinit, utf8};
use super::harness::{Dir, Launch, Out, Root, Who, roots, strace, who};

/// A container in the background that has a name of its own: other tests have containers of the same users meanwhile.
struct Box {
    who: Who,
    name: String,
    file: PathBuf,
    keeper_file: PathBuf,
    /// The keeper, or without one the launcher.
    head: Pid,
}

/// It is a child of this test, and its title and that of process 1 have the container's name.
#[track_caller]
fn start(root: &Root, name: &str, options: &[&str], script: &str) -> Box {
    let name = format!("{name}-{}", std::process::id());
    let (file, keeper_file) = (root.at("box.pid"), root.at("box.keeper"));
    let (restart, ready) = (options.contains(&"--restart"), root.at("ready"));
    let _ = std::fs::remove_file(&ready);
    let keeper = ["--keeper-pid-file", utf8(&keeper_file)];
    let keeper = if restart { &keeper[..] } else { &[] };
    let own = ["--detach", "--name", &name, "--pid-file", utf8(&file)];
    let launch = root.launch(&[&own, keeper, options].concat(), &["/bin/sh", "-c", &format!("{script}; sleep 12345")]);
    assert_eq!(launch.start().finish_beside(), 0);
    let head = if restart { number_in(&keeper_file) } else { stat(number_in(&file)).expect("process 1 runs").parent };
    adopt(head);
    eventually("CMD is ready", || ready.exists().then_some(()));
    Box { who: root.who, name, file, keeper_file, head }
}

/// The end of a script of [`start`]. The root is the container's.
const READY: &str = ": >/ready";

#[track_caller]
fn number_in(file: &Path) -> Pid {
    eventually("the pid file is written", || std::fs::read_to_string(file).ok()?.trim().parse().ok())
}

fn stop(who: Who, options: &[&str], target: &str) -> Out {
    launch(who, options, target).run_with_others()
}

fn launch(who: Who, options: &[&str], target: &str) -> Launch {
    Launch::new(who).args(["--stop", target]).args(options)
}

fn name_of(pid: Pid) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default()
}

/// The lines of `--list` about it: the process, and the command.
fn listed(who: Who, name: &str) -> Vec<(String, String)> {
    let out = Launch::new(who).args(["--list"]).run_with_others();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines = out.stdout.lines().map(words).filter(|line| line[0] == name);
    lines.map(|line| (line[1].clone(), line.get(3).cloned().unwrap_or_default())).collect()
}

impl Box {
    #[track_caller]
    fn stops(self, options: &[&str], target: &str) {
        let stop = launch(self.who, options, target);
        self.ends_by(stop);
    }

    /// As soon as nsinit returns, no process and no file of the container is left.
    #[track_caller]
    fn ends_by(self, launch: Launch) {
        let processes = procs::tree(self.head);
        let init = std::fs::read_to_string(&self.file).unwrap_or_default();
        let cgroups = std::fs::read_to_string(format!("/proc/{}/cgroup", init.trim())).unwrap_or_default();
        let cgroup = cgroups.lines().find_map(|line| line.strip_prefix("0::")).filter(|path| path.contains("/nsinit-"));
        let cgroup = cgroup.map(|path| format!("/sys/fs/cgroup{path}")).filter(|path| Path::new(path).exists());
        launch.run_with_others().is(0, "", "");
        assert!(!cgroup.is_some_and(|path| Path::new(&path).exists()), "the cgroup is removed");
        for pid in processes {
            assert!(is_gone(pid), "{}", procs::describe(pid));
        }
        wait_for(self.head);
        assert!(!self.file.exists() && !self.keeper_file.exists(), "the pid files are removed");
        assert_eq!(listed(self.who, &self.name), []);
        let none = "no file and no running container has this name (see nsinit --list)";
        stop(self.who, &[], &self.name).fails_with(125, none);
    }
}

#[test]
fn container_is_stopped_by_its_name_its_processes_and_its_files() {
    for root in roots() {
        for options in
            [&[][..], &["--share-pid"], &["--pty"], &["--restart", "always"], &["--stats"], &["--share-user"]]
        {
            if matches!(options, ["--share-user"] | ["--stats"]) && !root.who.is_root() {
                continue;
            }
            for by in 0..4 {
                let run = start(&root, "stop", options, READY);
                let init = number_in(&run.file).to_string();
                let target = match by {
                    0 => run.name.clone(),
                    1 => init,
                    2 => run.head.to_string(),
                    _ if options.contains(&"--restart") => utf8(&run.keeper_file).to_owned(),
                    _ => utf8(&run.file).to_owned(),
                };
                run.stops(&[], &target);
            }
        }
    }
}

/// CMD gets SIGTERM, and its exit status is as usual.
#[test]
fn command_ends_itself() {
    for root in roots() {
        for options in [&[][..], &["--as-pid-1"]] {
            let name = format!("ends-{}", std::process::id());
            let script = "trap 'echo end; exit 7' TERM; echo up; while :; do sleep 0.1; done";
            let options = [options, &["--name", &name]].concat();
            let mut run = root.launch(&options, &["/bin/sh", "-c", script]).start();
            assert_eq!(run.line(), "up");
            stop(root.who, &[], &name).is(0, "", "");
            run.finish_with_others().is(7, "end\n", "");
        }
    }
}

#[test]
fn command_that_ignores_sigterm_is_killed_after_the_time_only() {
    let script = format!("trap '' TERM; {READY}; while :; do sleep 1000; done");
    for root in roots() {
        for options in [&[][..], &["--as-pid-1"], &["--share-pid"], &["--restart", "always"], &["--stats"]] {
            if options == ["--stats"] && !root.who.is_root() {
                continue;
            }
            let run = start(&root, "deaf", options, &script);
            // Without it, nsinit waits: nothing changes if it is killed.
            let waits = Launch::new(root.who).args(["--stop", &run.name]).start();
            procs::sleeps_in(waits.pid(), "poll");
            waits.kill(libc::SIGKILL);
            assert_eq!(waits.finish_with_others().status, -libc::SIGKILL);
            assert_eq!(listed(root.who, &run.name), [(number_in(&run.file).to_string(), "sh".to_owned())]);
            let name = run.name.clone();
            run.stops(&["--stop-timeout", if options.is_empty() { "1" } else { "0" }], &name);
        }
    }
}

/// The time is over when CMD has ended already and nsinit outside is not done yet: nothing is killed, and the exit status is CMD's.
#[test]
fn what_removes_the_rest_has_its_time() {
    let Some(strace) = strace() else { return };
    for root in roots() {
        for options in [&[][..], &["--share-pid"]] {
            let file = root.at("box.pid");
            let slow = ["-o", "/dev/null", "-e", "trace=unlinkat", "-e", "inject=unlinkat:delay_enter=2000000"];
            let own = [utf8(nsinit()), "--root", root.str(), "--pid-file", utf8(&file)];
            let script = "trap 'exit 3' TERM; echo up; while :; do sleep 0.1; done";
            let launch = Launch::of(root.who, strace).args(slow).args(own).args(options);
            let mut run = launch.args(["--", "/bin/sh", "-c", script]).start();
            assert_eq!(run.line(), "up");
            number_in(&file);
            stop(root.who, &["--stop-timeout", "500ms"], utf8(&file)).is(0, "", "");
            assert_eq!(run.finish_with_others().status, 3);
            assert!(!file.exists(), "the pid file is removed");
        }
    }
}

/// A stopped process handles SIGTERM only after SIGCONT.
#[test]
fn stopped_launcher_ends() {
    for root in roots() {
        for options in [&[][..], &["--restart", "always"]] {
            let run = start(&root, "halted", options, READY);
            send(run.head, libc::SIGSTOP);
            eventually("it is stopped", || stat(run.head).filter(|it| it.state == 'T'));
            let name = run.name.clone();
            run.stops(&[], &name);
        }
    }
}

#[test]
fn container_that_waits_for_its_restart_is_listed_and_stopped() {
    for root in roots() {
        for by_name in [true, false] {
            let log = root.at("log");
            let options = ["--restart", "always", "--log", utf8(&log)];
            let run = start(&root, "pause", &options, &format!("{READY}; exit 3"));
            let line = [(run.head.to_string(), "(restarts)".to_owned())];
            eventually("it waits for its restart", || (listed(root.who, &run.name) == line).then_some(()));
            // Each pause is longer than the one before.
            eventually("there is nothing to enter", || {
                let out = enter(root.who, &run.name, &[], &["true"]).run_with_others();
                out.stderr
                    .ends_with(": no file and no running container has this name (see nsinit --list)\n")
                    .then_some(())
            });
            let target = if by_name { run.name.clone() } else { utf8(&run.keeper_file).to_owned() };
            run.stops(&[], &target);
            std::fs::remove_file(log).expect("remove the log");
        }
    }
}

/// By these names `--list` tells them from the launcher. A logger that was killed is replaced by a copy of the keeper.
#[test]
fn keeper_and_logger_have_names_of_their_own() {
    for root in roots() {
        let log = root.at("log");
        let run = start(&root, "names", &["--restart", "always", "--log", utf8(&log)], READY);
        let with = |name: &str| {
            let all = procs::children(run.head);
            all.into_iter().filter(|pid| name_of(*pid) == name).collect::<Vec<_>>()
        };
        assert_eq!(name_of(run.head), "nsinit-keeper\n");
        let [launcher] = with("nsinit\n")[..] else { panic!("one launcher") };
        let init = number_in(&run.file);
        assert_eq!((stat(init).expect("process 1").parent, name_of(init).as_str()), (launcher, "nsinit\n"));
        let logger = with("nsinit-logger\n");
        // The arguments, which may hold secrets, do not show.
        for pid in [run.head, launcher, logger[0]] {
            let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).expect("read the title");
            assert_eq!(line.trim_end_matches('\0'), format!("nsinit: {}", run.name));
        }
        send(logger[0], libc::SIGKILL);
        let other = || Some(with("nsinit-logger\n")).filter(|now| now.len() == 1 && *now != logger);
        eventually("another logger writes", other);
        let list = listed(root.who, &run.name);
        assert!(matches!(&list[..], [(pid, _)] if *pid == init.to_string()), "{list:?}");
        let name = run.name.clone();
        run.stops(&[], &name);
        std::fs::remove_file(log).expect("remove the log");
    }
}

/// Only what `--list` shows is stopped, and only with the right to signal it.
#[test]
fn nothing_else_is_stopped() {
    const NO_NAME: &str = "no file and no running container has this name (see nsinit --list)";
    const NO_FIRST: &str = "no running container has this process (see nsinit --list)";
    for root in roots() {
        let run = start(&root, "other", &[], READY);
        let (init, cmd) = (number_in(&run.file), procs::children(number_in(&run.file))[0]);
        for by in who::both() {
            let own = by.is_root() == root.who.is_root();
            for target in [run.name.clone(), init.to_string(), run.head.to_string(), utf8(&run.file).to_owned()] {
                match own {
                    true => continue,
                    // An ordinary user sees root's containers.
                    false if root.who.is_root() => stop(by, &[], &target).fails(": Operation not permitted"),
                    false if target == run.name => stop(by, &[], &target).fails(NO_NAME),
                    false => stop(by, &[], &target).fails(NO_FIRST),
                }
            }
            // CMD, the process that has started all, and none.
            for pid in [cmd, std::process::id().cast_signed(), 1, i32::MAX] {
                stop(by, &[], &pid.to_string()).fails(NO_FIRST);
            }
        }
        // A process in a container that has the titles, in a pid namespace of its own.
        let name = format!("fake-{}", std::process::id());
        let script = format!("(exec -a 'init: {name}' sleep 12345) & echo up; wait");
        let title = format!("nsinit: {name}");
        let inside = ["--die-with-parent", "--ro-bind", "/", "/", "--unshare-pid", "--argv0", &title, "--"];
        let mut fake = Launch::new(root.who).args(inside).args(["/bin/bash", "-c", &script]).start();
        assert_eq!(fake.line(), "up");
        for by in who::both() {
            stop(by, &["--stop-timeout", "0"], &name).fails(NO_NAME);
        }
        fake.kill(libc::SIGKILL);
        fake.finish_with_others();
        assert!(!is_gone(init) && !is_gone(cmd) && !is_gone(run.head));
        let second = root.launch(&["--name", &run.name], &["sh", "-c", "echo up; sleep 12345"]).start();
        eventually("there are two", || (listed(root.who, &run.name).len() == 2).then_some(()));
        stop(root.who, &[], &run.name).fails("several containers have this name: use a process id (see nsinit --list)");
        stop(root.who, &[], &second.init().to_string()).is(0, "", "");
        assert_eq!(second.finish_with_others().status, 128 + libc::SIGTERM);
        let name = run.name.clone();
        run.stops(&[], &name);
    }
}

/// In a directory where other users may write, one of them could have made a symbolic link with the name of a container.
#[test]
fn symbolic_link_does_not_have_another_container_stopped() {
    for root in roots() {
        let name = format!("another-{}", std::process::id());
        let other = root.launch(&["--name", &name], &["sh", "-c", "echo up; sleep 12345"]).start();
        let of_other = root.file("other.pid", &other.init().to_string());
        for by in who::both() {
            let dir = Dir::new(by);
            let fifo = dir.fifo("fifo");
            for leads_to in [&of_other, &fifo, Path::new("/proc/self/ns/net"), Path::new("/etc/passwd")] {
                let run = start(&root, "linked", &[], READY);
                dir.symlink(leads_to, &run.name);
                let (stop, link) = (launch(root.who, &[], &run.name).directory(dir.path()), dir.at(&run.name));
                run.ends_by(stop);
                std::fs::remove_file(link).expect("remove the link");
            }
        }
        assert!(!is_gone(other.init()));
        // The caller's own file.
        launch(root.who, &[], "other.pid").directory(root.path()).run_with_others().is(0, "", "");
        assert_eq!(other.finish_with_others().status, 128 + libc::SIGTERM);
    }
}

/// Any process can take the keeper's name. One of another user is above root's launcher after su(1), for example.
#[test]
fn process_of_another_user_is_no_keeper() {
    let (Some(root), Some(user)) = (who::root().and_then(Root::new), who::user()) else { return };
    let name = format!("above-{}", std::process::id());
    let begin = format!(
        "{} --root {} --name {name} -- sleep 12345 </dev/null >/dev/null 2>&1 & exec {} /bin/bash -c \"$0\"",
        nsinit().display(),
        root.str(),
        user.setpriv()
    );
    let script = "printf nsinit-keeper >/proc/$$/comm; trap 'echo it got SIGTERM' TERM; echo up; read -r line; exit 0";
    let bash = Launch::of(root.who, Path::new("/bin/bash"));
    let mut above = bash.args(["-c", &begin, script]).open_input().start();
    assert_eq!(above.line(), "up");
    assert_eq!(name_of(above.pid()), "nsinit-keeper\n");
    eventually("the container runs", || (listed(root.who, &name).len() == 1).then_some(()));
    let launcher = procs::children(above.pid());
    stop(root.who, &[], &name).is(0, "", "");
    assert!(launcher.len() == 1 && launcher.into_iter().all(is_gone));
    above.finish_with_others().is(0, "", "");
}

#[test]
fn stop_goes_with_its_time_only() {
    let alone = "--stop goes with --stop-timeout only, and without a command";
    for words in [
        &["--stop", "x", "true"][..],
        &["--stop", "x", "--explain"],
        &["--explain", "--stop", "x"],
        &["--stop", "x", "--stop", "y"],
        &["--stop", "x", "--enter", "y"],
        &["--stop", "x", "--root", "/"],
        &["--stop", "x", "--json"],
        &["--stop", "x", "--grace", "1"],
    ] {
        for who in who::both() {
            Launch::new(who).args(words).run_with_others().fails(alone);
        }
    }
    for who in who::both() {
        Launch::new(who).args(["--list", "--explain"]).run_with_others().fails("--list, --freeze and --thaw go alone");
        Launch::new(who).args(["--stop"]).run_with_others().fails("--stop needs a value (TARGET)");
        stop(who, &[], "fd:99").fails("--stop fd:99: this descriptor is not open");
    }
}
