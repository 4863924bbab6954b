//! --cgroup1: a container joins cgroups of version 1.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::super::harness::scratch::utf8;
use super::super::harness::{Root, Who, roots, skip, who};

/// A cgroup in a hierarchy of version 1, which belongs to a user.
struct Old(PathBuf);

impl Old {
    fn new(controller: &str, who: Who) -> Option<Self> {
        let tree = Path::new("/sys/fs/cgroup").join(controller);
        // Tests of one process run at the same time.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = tree.join(format!("test-of-nsinit-{}-{number}", std::process::id()));
        if who::root().is_none() || !tree.join("release_agent").exists() || fs::create_dir(&path).is_err() {
            skip("there is no cgroup of version 1 here, or no right to it");
            return None;
        }
        who.own(&path.join("cgroup.procs"));
        Some(Self(path))
    }

    fn path(&self) -> &str {
        utf8(&self.0)
    }
}

impl Drop for Old {
    fn drop(&mut self) {
        // The kernel needs a moment for the end of the last process.
        for _ in 0..1000 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

#[test]
fn container_joins_cgroups_of_version_1() {
    for root in roots() {
        let (Some(pids), Some(freezer)) = (Old::new("pids", root.who), Old::new("freezer", root.who)) else { return };
        let options = ["--cgroup1", pids.path(), "--cgroup1", freezer.path()];
        for more in [&[][..], &["--as-pid-1"], &["--share-pid"], &["--pty"]] {
            let options = [&options[..], more].concat();
            // The cgroups are the roots of the cgroup namespace.
            let cmd =
                ["sh", "-c", "grep -E ':(pids|freezer):' /proc/self/cgroup | cut -d : -f 2,3 | sort; echo up; read x"];
            let mut run = root.launch(&options, &cmd).open_input().start();
            let lines = [run.line(), run.line(), run.line()].map(|line| line.trim_end_matches('\r').to_owned());
            assert_eq!(lines, ["freezer:/", "pids:/", "up"], "{options:?}");
            let members = fs::read_to_string(pids.0.join("cgroup.procs")).expect("read the processes");
            // With --pty the launcher has a second child.
            let inside = if more == ["--pty"] { String::new() } else { run.init().to_string() };
            assert!(members.contains(&inside) && !members.is_empty(), "{members}");
            // The launcher is outside.
            assert!(!members.lines().any(|line| line == run.pid().to_string()), "{members}");
            assert_eq!(fs::read_to_string(freezer.0.join("cgroup.procs")).expect("read the processes"), members);
            run.finish_with_others();
        }
        // Its limit holds.
        fs::write(pids.0.join("pids.max"), "3").expect("limit the cgroup");
        let out = root.run(&options, &["sh", "-c", "sleep 1000 & sleep 1000 & sleep 1000 & echo no"]);
        assert!(out.stderr.contains("Resource temporarily unavailable") && out.stdout.is_empty(), "{out}");
        // Without a namespace the whole path shows.
        let sandbox = ["--bind", root.str(), "/", "--proc", "/proc"];
        let words = [&options[..], &sandbox, &["grep", ":pids:", "/proc/self/cgroup"]].concat();
        let out = super::Launch::new(root.who).args(words).run();
        assert!(out.text().ends_with(pids.0.file_name().and_then(|name| name.to_str()).expect("UTF-8")), "{out}");
    }
}

#[test]
fn cgroups_of_version_1_that_cannot_be_joined_are_named() {
    for root in roots() {
        let Some(cpuset) = Old::new("cpuset", root.who) else { return };
        let is = |path: &str, line: &str| {
            root.run(&["--cgroup1", path], &["echo", "ran"]).is(125, "", &format!("nsinit: cannot {line}\n"));
        };
        is(
            "/no/such",
            "open cgroup /no/such: No such file or directory (there is no such cgroup of version 1: create it first)",
        );
        is("/proc", "open cgroup /proc: it is not a cgroup of version 1");
        is("/proc/version", "open cgroup /proc/version: Not a directory");
        let path = cpuset.path();
        is(
            path,
            &format!("join cgroup {path}: No space left on device (its cpuset.cpus and cpuset.mems must be set first)"),
        );
        let seventeen: Vec<&str> = (0..17).flat_map(|_| ["--cgroup1", path]).collect();
        root.run(&seventeen, &["true"]).is(
            125,
            "",
            &format!("nsinit: --cgroup1 {path}: it can be given 16 times at most\n"),
        );
    }
    let (Some(root), Some(other)) = (who::user().and_then(Root::new), Old::new("pids", Who::Root)) else { return };
    let path = other.path();
    let line = "Permission denied (the cgroup belongs to another user: make its cgroup.procs writable)";
    root.run(&["--cgroup1", path], &["true"]).is(125, "", &format!("nsinit: cannot open cgroup {path}: {line}\n"));
}
