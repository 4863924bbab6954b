//! Launchers that are killed with SIGKILL at any moment: once another one has run in the same cgroup, no cgroup and no process is left.

use std::fs;
use std::time::Duration;

use super::cgroup::{Parent, SETTING};
use super::harness::launch::{adopt, send, wait_for};
use super::harness::procs::{Pid, eventually};
use super::harness::scratch::utf8;
use super::harness::{Launch, Root, Who, roots};

/// A launch beside the cgroup, by root, who may put processes into any cgroup.
fn beside(parent: &Parent, root: &Root, options: &[&str], cmd: &[&str]) -> Launch {
    let words = [&["--root", root.str(), "--cgroup", utf8(&parent.path)], options, &["--"], cmd].concat();
    Launch::new(Who::Root).args(words)
}

/// The processes of all cgroups below, as this process sees them.
fn members(parent: &Parent) -> Vec<Pid> {
    let files = parent.below().into_iter().map(|name| parent.path.join(name).join("cgroup.procs"));
    let texts = files.filter_map(|file| fs::read_to_string(file).ok());
    texts.flat_map(|text| text.lines().map(|line| line.parse().expect("a process id")).collect::<Vec<Pid>>()).collect()
}

/// Delays in steps of a prime number, so that they hit all parts of a launch.
fn delays(count: u64) -> impl Iterator<Item = Duration> {
    (0..count).map(|turn| Duration::from_micros(turn * 7919 % 16_000))
}

#[test]
fn launcher_that_is_killed_at_any_moment_leaves_nothing() {
    // With a file that every cgroup has, and with a controller: then the launcher leaves its cgroup.
    let without = ["--cgroup-set", "cgroup.max.depth=1"];
    for root in roots() {
        for (setting, more) in
            [(without, &[][..]), (without, &["--share-pid"]), (SETTING, &[]), (SETTING, &["--as-pid-1"])]
        {
            let Some(parent) = Parent::new(root.who) else { return };
            let options = [&setting[..], more].concat();
            for delay in delays(25) {
                // Else the launcher could not be started in the cgroup.
                fs::write(parent.path.join("cgroup.subtree_control"), "-hugetlb").expect("disable the controller");
                let run = parent.container(&root, &options, &["sleep", "1000"]).start();
                std::thread::sleep(delay);
                send(run.pid(), libc::SIGKILL);
                run.finish();
            }
            fs::write(parent.path.join("cgroup.subtree_control"), "-hugetlb").expect("disable the controller");
            parent.container(&root, &options, &["echo", "ran"]).run().says("ran");
            parent.is_as_before();
        }
    }
}

/// No process kills what is left where the pid namespace is shared: it is limited still, and ends with the next launch.
#[test]
fn processes_of_a_killed_launcher_end_with_the_next_launch() {
    let Some(root) = roots().into_iter().find(|root| root.who.is_root()) else { return };
    let Some(parent) = Parent::new(Who::Root) else { return };
    let script = "setsid sleep 1000 >/dev/null 2>&1 & echo up; sleep 1000";
    let mut run = beside(&parent, &root, &[&SETTING[..], &["--share-pid"]].concat(), &["sh", "-c", script]).start();
    assert_eq!(run.line(), "up");
    let (init, launcher) = (run.init(), run.pid());
    let rest: Vec<Pid> = eventually("all processes run", || Some(members(&parent)).filter(|list| list.len() >= 3));
    rest.iter().for_each(|pid| adopt(*pid));
    // Neither of them can do anything about it.
    send(launcher, libc::SIGSTOP);
    send(init, libc::SIGKILL);
    send(launcher, libc::SIGKILL);
    run.finish_beside();
    assert!(!members(&parent).is_empty());
    beside(&parent, &root, &SETTING, &["echo", "ran"]).run_with_others().says("ran");
    parent.is_empty();
    rest.into_iter().for_each(wait_for);
}

/// The names of others are not touched, whatever is in them.
#[test]
fn cgroups_with_other_names_are_left_alone() {
    let Some(root) = roots().into_iter().find(|root| root.who.is_root()) else { return };
    let Some(parent) = Parent::new(Who::Root) else { return };
    let names = ["nsinit-1.service", "nsinit-1-0x", "nsinit-1", "nsinit-1-0-launcher-2", "nsinit--0", "nsinit-1-"];
    for name in names {
        fs::create_dir(parent.path.join(name)).expect("make a cgroup");
    }
    fs::create_dir(parent.path.join("nsinit-1-0")).expect("make a cgroup");
    beside(&parent, &root, &SETTING, &["echo", "ran"]).run().says("ran");
    let mut left = parent.below();
    left.sort();
    let mut expected: Vec<String> = names.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(left, expected);
}

/// Each has a cgroup of its own, while the others look for those of dead launchers.
#[test]
fn many_launchers_at_once_do_not_clash() {
    let Some(root) = roots().into_iter().find(|root| root.who.is_root()) else { return };
    let Some(parent) = Parent::new(Who::Root) else { return };
    let start = || beside(&parent, &root, &SETTING, &["sh", "-c", "echo up; read x"]).open_input().start();
    let mut all: Vec<_> = (0..100).map(|_| start()).collect();
    for run in &mut all {
        assert_eq!(run.line(), "up");
    }
    assert_eq!(parent.below().len(), 100);
    // A look for dead launchers takes a moment, in which the first name may be lost.
    for run in &all {
        let cgroup = fs::read_to_string(format!("/proc/{}/cgroup", run.cmd())).expect("the cgroups of CMD");
        assert!(cgroup.contains(&format!("/nsinit-{}-", run.pid())), "{cgroup}");
    }
    for run in all {
        assert_eq!(run.finish_with_others().status, 1);
    }
    parent.is_empty();
}
