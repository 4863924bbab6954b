//! `--freeze` and `--thaw`, and how a container ends that is frozen, or whose process 1 does not obey.

use std::fs;
use std::path::{Path, PathBuf};

use super::cgroup::{Parent, SETTING};
use super::harness::container::{Container, Maker};
use super::harness::launch::{adopt, forget, send, wait_for};
use super::harness::procs::{Pid, eventually, is_gone, stat};
use super::harness::scratch::utf8;
use super::harness::term::{CTRL_BACKSLASH, CTRL_C};
use super::harness::{Deny, Launch, Out, Root, Running, Term, Who, roots, who};

/// Asks for each line that it reads, and ends with 5 on SIGTERM.
const CMD: [&str; 3] = ["sh", "-c", "trap 'exit 5' TERM; echo up; while read x; do echo got $x; done; wait"];

/// A container that answers each line of its input, and its cgroup.
struct Frozen {
    run: Running,
    init: Pid,
    cgroup: PathBuf,
}

impl Frozen {
    fn new(parent: &Parent, root: &Root, options: &[&str]) -> Self {
        let mut run = parent.container(root, &[&SETTING[..], options].concat(), &CMD).open_input().start();
        assert_eq!(run.line().trim(), "up");
        let cgroup = parent.path.join(format!("nsinit-{}-0", run.pid()));
        // With --pty the launcher has another child, which is not in the cgroup.
        let init = members(&cgroup).into_iter().find(|pid| stat(*pid).is_some_and(|stat| stat.parent == run.pid()));
        let frozen = Self { run, init: init.expect("process 1 is in the cgroup"), cgroup };
        freeze(parent.who, frozen.init).is(0, "", "");
        assert!(frozen.is());
        frozen
    }

    /// The result, once it has ended: until then its input stays open.
    #[track_caller]
    fn end(self) -> Out {
        eventually("nsinit ends", || is_gone(self.run.pid()).then_some(()));
        self.run.finish()
    }

    fn is(&self) -> bool {
        fs::read_to_string(self.cgroup.join("cgroup.events")).expect("read cgroup.events").contains("frozen 1")
    }
}

fn members(cgroup: &Path) -> Vec<Pid> {
    let list = fs::read_to_string(cgroup.join("cgroup.procs")).expect("the processes of the cgroup");
    list.lines().map(|line| line.parse().expect("a pid")).collect()
}

fn freeze(who: Who, target: impl ToString) -> Out {
    Launch::new(who).args(["--freeze", &target.to_string()]).run_with_others()
}

fn thaw(who: Who, target: impl ToString) -> Out {
    Launch::new(who).args(["--thaw", &target.to_string()]).run_with_others()
}

#[test]
fn frozen_processes_go_on_when_they_are_thawed() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        for options in [&[][..], &["--share-pid"], &["--as-pid-1"]] {
            let mut frozen = Frozen::new(&parent, &root, options);
            // What is frozen, or runs, already.
            freeze(root.who, frozen.init).is(0, "", "");
            assert!(frozen.is());
            frozen.run.write("one\n");
            thaw(root.who, frozen.init).is(0, "", "");
            assert!(!frozen.is());
            assert_eq!(frozen.run.line(), "got one");
            thaw(root.who, frozen.init).is(0, "", "");
            let out = frozen.run.finish();
            assert_eq!((out.status, out.stderr.as_str()), (0, ""), "{out}");
            parent.is_as_before();
        }
    }
}

/// By the id of process 1, of another process inside, and by a pid file.
#[test]
fn container_is_named_as_for_enter() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let pid_file = root.at("pid");
        let options = [&SETTING[..], &["--pid-file", utf8(&pid_file)]].concat();
        let mut run = parent.container(&root, &options, &CMD).open_input().start();
        assert_eq!(run.line(), "up");
        let names = [run.init().to_string(), run.cmd().to_string(), utf8(&pid_file).to_owned()];
        for name in names {
            freeze(root.who, &name).is(0, "", "");
            thaw(root.who, &name).is(0, "", "");
        }
        run.finish();
        parent.is_as_before();
    }
}

/// A signal that asks for the end thaws the container first, so that it can end in its own way.
#[test]
fn frozen_container_ends_when_its_launcher_is_asked_to() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        for options in [&[][..], &["--share-pid"], &["--pty"], &["--stop-timeout", "1000"], &["--wait-all"]] {
            let frozen = Frozen::new(&parent, &root, options);
            frozen.run.kill(libc::SIGTERM);
            let out = frozen.end();
            assert_eq!((out.status, out.stderr.as_str()), (5, ""), "{options:?} {out}");
            parent.is_as_before();
        }
    }
}

/// SIGKILL ends frozen processes too.
#[test]
fn frozen_container_is_killed() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        for options in [&[][..], &["--share-pid"], &["--pty"]] {
            let frozen = Frozen::new(&parent, &root, options);
            send(frozen.init, libc::SIGKILL);
            let out = frozen.end();
            assert_eq!((out.status, out.stderr.as_str()), (137, ""), "{options:?} {out}");
            parent.is_as_before();
        }
    }
}

/// With a pid namespace the kernel ends the container with its launcher. Without one its process 1 would, but is frozen: the next launch
/// kills it.
#[test]
fn frozen_container_of_a_killed_launcher_is_removed_by_the_next() {
    for root in roots() {
        let (Some(parent), Some(other)) = (Parent::new(root.who), Root::new(Who::Root)) else { return };
        for options in [&[][..], &["--share-pid"]] {
            let frozen = Frozen::new(&parent, &root, options);
            let inside = members(&frozen.cgroup);
            inside.iter().copied().for_each(adopt);
            send(frozen.run.pid(), libc::SIGKILL);
            frozen.run.finish_beside();
            if options.is_empty() {
                inside.iter().copied().for_each(wait_for);
            }
            let next = || {
                let options = ["--root", other.str(), "--cgroup", utf8(&parent.path), SETTING[0], SETTING[1]];
                Launch::new(Who::Root).args(options).args(["--", "echo", "ran"]).run_with_others().says("ran");
            };
            next();
            inside.into_iter().for_each(wait_for);
            // That launch may have come before the kernel had done with the processes.
            eventually("the cgroup is removed", || {
                next();
                parent.below().is_empty().then_some(())
            });
            fs::write(parent.path.join("cgroup.subtree_control"), "-hugetlb").expect("disable the controller");
        }
    }
}

/// Process 1 can end nothing while it is frozen, or stopped: the launcher kills the cgroup.
#[test]
fn stop_timeout_does_not_need_process_1() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let options = [&SETTING[..], &["--share-pid", "--stop-timeout", "0", "--grace", "0"]].concat();
        // Without a pid namespace CMD can stop its parent.
        let script =
            "trap '' TERM; (setsid sleep 1000 >/dev/null 2>&1 &); kill -STOP $PPID; echo up; while :; do sleep 1; done";
        let mut run = parent.container(&root, &options, &["sh", "-c", script]).start();
        assert_eq!(run.line(), "up");
        run.kill(libc::SIGTERM);
        let out = run.finish();
        assert_eq!((out.status, out.stderr.as_str()), (137, ""), "{out}");
        parent.is_as_before();
    }
}

/// What is typed for a container with a terminal of its own.
#[test]
fn keys_end_a_frozen_container() {
    let Some(root) = who::root().and_then(Root::new) else { return };
    let Some(parent) = Parent::new(root.who) else { return };
    for (key, status) in [(CTRL_C, "=130"), (CTRL_BACKSLASH, "=131")] {
        let mut term = Term::new(&root);
        let options = format!("--cgroup {} {}", parent.path.display(), SETTING.join(" "));
        term.line(&format!("$N {options} -- sh -c 'echo up; exec sleep 1000'"));
        term.expect("up");
        let name = parent.below().pop().expect("there is a cgroup");
        let inside = members(&parent.path.join(name)).pop().expect("it has processes");
        freeze(root.who, inside).is(0, "", "");
        term.keys("x");
        term.keys(key);
        term.prompt();
        let shown = term.ask("echo =$?");
        assert!(shown.ends_with(status), "{shown}");
        term.hang_up();
    }
}

#[test]
fn failures_to_freeze_are_explained() {
    const OWN: &str = "(it gets one if it is started with --stats, or with a limit such as --pids max)";
    for root in roots() {
        let Some(container) = Container::new(root.who, Maker::Nsinit) else { return };
        let inside = container.inside;
        let line = |verb: &str, why: &str| {
            format!("nsinit: cannot {verb} {inside}: its container has no cgroup of its own {why}\n")
        };
        freeze(root.who, inside).is(125, "", &line("freeze", OWN));
        thaw(root.who, inside).is(125, "", &line("thaw", OWN));
        container.end();
    }
    let own = std::process::id();
    let line = format!(
        "nsinit: cannot freeze {own}: it is in the same namespaces as nsinit (a launcher is outside of its container: name its child instead)\n"
    );
    freeze(Who::Root, own).is(125, "", &line);
    freeze(Who::Root, "/no/such").is(125, "", "nsinit: cannot freeze /no/such: No such file or directory\n");
    freeze(Who::Root, "4194304").is(125, "", "nsinit: cannot freeze 4194304: No such process\n");
    for words in [
        &["--freeze", "1", "--", "true"][..],
        &["--freeze", "1", "--thaw", "1"],
        &["--thaw", "1", "--root", "/"],
        &["--explain", "--freeze", "1"],
        &["--freeze", "1", "--json"],
    ] {
        let out = Launch::new(Who::Root).args(words).run_with_others();
        assert_eq!(out.status, 125, "{out}");
        assert!(
            out.stderr.starts_with("nsinit: --list, --freeze and --thaw go alone") || words.contains(&"--json"),
            "{out}"
        );
    }
}

#[test]
fn failures_of_the_freezer_are_explained() {
    let Some(root) = who::root().and_then(Root::new) else { return };
    let Some(parent) = Parent::new(root.who) else { return };
    let mut run = parent.container(&root, &SETTING, &CMD).open_input().start();
    assert_eq!(run.line(), "up");
    let init = run.init();
    let cgroup = parent.path.join(format!("nsinit-{}-0", run.pid()));
    // Nobody freezes himself.
    let script = "echo 0 >$0/cgroup.procs && exec \"$@\"";
    let by = ["-c", script, utf8(&cgroup), utf8(super::harness::scratch::nsinit()), "--freeze", &init.to_string()];
    let out = Launch::of(Who::Root, Path::new("/bin/sh")).args(by).run_with_others();
    out.is(125, "", &format!("nsinit: cannot freeze {init}: nsinit itself is in that container\n"));
    // As before Linux 5.2: the file that is opened for writing is not there.
    let deny = Deny::when(libc::SYS_openat, 2, libc::O_ACCMODE as u64, libc::O_WRONLY as u64, libc::ENOENT);
    let out = Launch::new(Who::Root).args(["--freeze", &init.to_string()]).deny(deny).run_with_others();
    let why = "this kernel cannot freeze a cgroup, which needs Linux 5.2";
    out.is(125, "", &format!("nsinit: cannot freeze {init}: {why}\n"));
    if let Some(user) = who::user() {
        let out = freeze(user, init);
        let why = "Permission denied (it belongs to another user, or only root may inspect it)";
        out.is(125, "", &format!("nsinit: cannot freeze {init}: {why}\n"));
    }
    // The cgroup above is frozen too.
    fs::write(parent.path.join("cgroup.freeze"), "1").expect("freeze the parent");
    let events = || fs::read_to_string(cgroup.join("cgroup.events")).expect("read cgroup.events");
    eventually("the container is frozen too", || events().contains("frozen 1").then_some(()));
    let out = thaw(Who::Root, init);
    fs::write(parent.path.join("cgroup.freeze"), "0").expect("thaw the parent");
    out.is(125, "", &format!("nsinit: cannot thaw {init}: a cgroup above its own is frozen\n"));
    run.finish();
    forget(init);
    parent.is_as_before();
}
