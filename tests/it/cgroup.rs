//! The container's cgroup: where it is made, who is in it, and that nothing is left of it. tests/vm/cgroup.rs has the limits themselves:
//! this machine may have the controllers in version 1.

mod delegate;
mod version_1;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::harness::container::{Container, Maker, enter};
use super::harness::launch::{adopt, forget, send, spawn, wait_for};
use super::harness::procs;
use super::harness::scratch::{nsinit, utf8};
use super::harness::{Deny, Launch, Root, Who, roots, skip, who};

/// A cgroup of version 2 that belongs to a user, with a controller that no other test uses.
pub struct Parent {
    pub path: PathBuf,
    pub who: Who,
}

/// A setting that changes nothing for programs without huge pages.
pub const SETTING: [&str; 2] = ["--cgroup-set", "hugetlb.2MB.max=0"];

impl Parent {
    pub fn new(who: Who) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let trees = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].map(Path::new);
        let tree = trees.into_iter().find(|tree| tree.join("cgroup.subtree_control").exists());
        let ready = tree.filter(|_| who::root().is_some()).and_then(|tree| {
            fs::write(tree.join("cgroup.subtree_control"), "+hugetlb").ok()?;
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = tree.join(format!("test-of-nsinit-{}-{number}", std::process::id()));
            fs::create_dir(&path).ok()?;
            Some(path)
        });
        let Some(path) = ready else {
            skip("there is no cgroup of version 2 with the controller hugetlb, or no right to it");
            return None;
        };
        for file in ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
            who.own(&path.join(file));
        }
        Some(Self { path, who })
    }

    /// nsinit, alone in this cgroup.
    pub fn launch(&self, words: &[&str]) -> Launch {
        let path = utf8(&self.path);
        let script = "echo 0 >$0/cgroup.procs && exec \"$@\"";
        let by = self.who.setpriv();
        Launch::of(Who::Root, Path::new("/bin/sh"))
            .args(["-c", script, path])
            .args(by.split_whitespace())
            .args([utf8(nsinit())])
            .args(words)
    }

    pub fn container(&self, root: &Root, options: &[&str], cmd: &[&str]) -> Launch {
        self.launch(&[&["--root", root.str()], options, &["--"], cmd].concat())
    }

    /// The cgroups below.
    pub fn below(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).expect("list the cgroup").flatten();
        let mut names: Vec<String> = entries
            .filter(|entry| entry.path().is_dir())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path.join(file)).expect("read a file of the cgroup")
    }

    #[track_caller]
    pub fn is_empty(&self) {
        assert_eq!(self.below(), Vec::<String>::new());
    }

    #[track_caller]
    pub fn is_as_before(&self) {
        assert_eq!((self.below(), self.read("cgroup.subtree_control").trim()), (vec![], ""));
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        // The kernel needs a moment for the end of the last process.
        for _ in 0..1000 {
            for name in self.below() {
                let _ = fs::remove_dir(self.path.join(name));
            }
            if fs::remove_dir(&self.path).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

const LOOK: &str =
    "grep ^0:: /proc/self/cgroup; cat /sys/fs/cgroup/hugetlb.2MB.max; mkdir /sys/fs/cgroup/x 2>/dev/null || echo no";

/// Inside, the cgroup is the root of the tree: process 1 was in it before it made the namespace.
#[test]
fn container_is_born_in_its_cgroup() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let cmd = ["/bin/sh", "-c", LOOK];
        for options in
            [&[][..], &["--as-pid-1"], &["--status-fd", "2"], &["--pty"], &["--share-pid"], &["--allow-nesting"]]
        {
            let options = [&SETTING[..], options].concat();
            let run = |denied: Option<i32>| {
                let launch = parent.container(&root, &options, &cmd);
                let launch = match denied {
                    Some(errno) => launch.deny(Deny::all(libc::SYS_clone3, errno)),
                    None => launch,
                };
                let out = launch.run();
                assert_eq!(
                    (out.status, out.stdout.replace('\r', "").as_str()),
                    (0, "0::/\n0\nno\n"),
                    "{options:?} {denied:?} {out}"
                );
            };
            // As before Linux 5.7, or under a filter.
            [None, Some(libc::ENOSYS), Some(libc::EPERM)].into_iter().for_each(run);
            parent.is_as_before();
        }
        // A sandbox: without a cgroup namespace it sees the whole path.
        let words = ["--unshare-pid", "--bind", root.str(), "/", "--proc", "/proc"];
        let out = parent.launch(&[&SETTING[..], &words, &["grep", "^0::", "/proc/self/cgroup"]].concat()).run();
        let name = parent.path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        assert!(out.text().starts_with(&format!("0::/{name}/nsinit-")), "{out}");
        parent.is_as_before();
    }
}

/// Only the container is in the cgroup. The launcher leaves its own, which may have no processes, and returns.
#[test]
fn launcher_is_beside_the_container() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let mut run = parent.container(&root, &SETTING, &["sh", "-c", "echo up; read x"]).open_input().start();
        assert_eq!(run.line(), "up");
        let name = format!("nsinit-{}-0", run.pid());
        assert_eq!(parent.below(), [name.clone(), format!("{name}-launcher")]);
        let members = |cgroup: &str| -> Vec<String> {
            let mut list: Vec<String> =
                parent.read(&format!("{cgroup}/cgroup.procs")).lines().map(str::to_owned).collect();
            list.sort();
            list
        };
        let mut inside = [run.init().to_string(), run.cmd().to_string()];
        inside.sort();
        assert_eq!(members(&name), inside);
        assert_eq!(members(&format!("{name}-launcher")), [run.pid().to_string()]);
        assert_eq!(parent.read("cgroup.subtree_control"), "hugetlb\n");
        // What enters is in the cgroup too.
        let out = enter(Who::Root, run.cmd(), &[], &["grep", "^0::", "/proc/self/cgroup"]).run_with_others();
        assert_eq!((out.status, out.text()), (0, "0::/"), "{out}");
        run.finish();
        parent.is_as_before();
    }
}

/// The limit on cgroup namespaces of the user namespace that is joined does not concern nsinit.
#[test]
fn container_in_a_joined_user_namespace_has_a_cgroup() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let Some(other) = Container::new(root.who, Maker::Nsinit) else { return };
        let user = other.inside.to_string();
        let cmd = ["/bin/sh", "-c", LOOK];
        let out = parent.container(&root, &[&SETTING[..], &["--join-user", &user]].concat(), &cmd).run_with_others();
        assert_eq!((out.status, out.stdout.as_str(), out.stderr.as_str()), (0, "0::/\n0\nno\n", ""), "{out}");
        enter(root.who, other.inside, &[], &["cat", "/proc/sys/user/max_cgroup_namespaces"])
            .run_with_others()
            .says("0");
        other.end();
        parent.is_as_before();
    }
}

/// A process that no one else waits for ends with the cgroup.
#[test]
fn processes_that_are_left_are_killed() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let cmd = ["sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & echo ran"];
        for options in [&["--share-pid", "--grace", "0"][..], &["--grace", "0"]] {
            parent.container(&root, &[&SETTING[..], options].concat(), &cmd).run().says("ran");
            parent.is_as_before();
        }
        let words =
            ["--bind", root.str(), "/", "--dev", "/dev", "sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & echo ran"];
        parent.launch(&[&SETTING[..], &words].concat()).run().says("ran");
        parent.is_as_before();
    }
}

#[test]
fn cgroup_of_a_killed_launcher_is_removed_by_the_next() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let mut run = parent.container(&root, &SETTING, &["sh", "-c", "echo up; sleep 1000"]).open_input().start();
        assert_eq!(run.line(), "up");
        let (first, init) = (format!("nsinit-{}-0", run.pid()), run.init());
        send(run.pid(), libc::SIGKILL);
        run.finish_with_others();
        wait_for(init);
        assert!(parent.below().contains(&first));
        // The cgroup is not free for another one that lives.
        let other = parent.path.join("nsinit-1-0");
        fs::create_dir(&other).expect("make a cgroup");
        let lock = fs::File::open(&other).expect("open a cgroup");
        lock.try_lock().expect("lock a cgroup");
        let mut child = spawn(std::process::Command::new("sleep").arg("1000"));
        // Here nsinit is outside of the parent.
        let path = utf8(&parent.path);
        let out = Launch::new(Who::Root)
            .args([
                "--root",
                root.str(),
                "--cgroup",
                path,
                SETTING[0],
                SETTING[1],
                "--",
                "grep",
                "^0::",
                "/proc/self/cgroup",
            ])
            .run_with_others();
        let _ = (child.kill(), child.wait());
        forget(child.id().cast_signed());
        assert_eq!((out.status, out.text()), (0, "0::/"), "{out}");
        assert_eq!(parent.below(), ["nsinit-1-0"]);
        drop(lock);
    }
}

#[test]
fn background_launcher_removes_the_cgroup() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let pid_file = root.at("pid");
        let options = [&SETTING[..], &["--detach", "--pid-file", utf8(&pid_file)]].concat();
        assert_eq!(parent.container(&root, &options, &["sleep", "1000"]).start().finish_beside(), 0);
        assert_eq!(parent.below().len(), 2);
        let init = fs::read_to_string(&pid_file).expect("the pid file").trim().parse().expect("a pid");
        let launcher = procs::stat(init).expect("process 1 runs").parent;
        adopt(launcher);
        send(init, libc::SIGTERM);
        wait_for(launcher);
        parent.is_as_before();
        // CMD never runs, and the caller's process waits for that.
        let options = [&SETTING[..], &["--detach", "--cgroup-set", "hugetlb.2MB.max=x"]].concat();
        let line = "nsinit: cannot write hugetlb.2MB.max: Invalid argument (the kernel does not accept this value)\n";
        parent.container(&root, &options, &["true"]).run_with_others().is(125, "", line);
        parent.is_as_before();
    }
}

/// Never half of the limits: nothing runs, and nothing is left.
#[test]
fn failures_name_the_file_and_leave_no_cgroup() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let fails = |options: &[&str], line: &str| {
            let out = parent.container(&root, options, &["echo", "ran"]).run();
            out.is(125, "", &format!("nsinit: cannot {line}\n"));
            parent.is_as_before();
        };
        fails(
            &[&SETTING[..], &["--cgroup-set", "hugetlb.2MB.max=x"]].concat(),
            "write hugetlb.2MB.max: Invalid argument (the kernel does not accept this value)",
        );
        fails(
            &["--cgroup-set", "hugetlb.7MB.max=0"],
            "write hugetlb.7MB.max: No such file or directory (the kernel has no such file in cgroups)",
        );
        fails(
            &["--cgroup-set", "zebra.max=0"],
            "enable cgroup controller zebra: Invalid argument (the kernel has none, or it is not in cgroup.subtree_control of the cgroups above)",
        );
        fails(
            &["--cgroup", "/no/such"],
            "make a cgroup in /no/such: No such file or directory (there is no such cgroup of version 2: create it first)",
        );
        fails(
            &["--cgroup", "/sys/fs/cgroup/../../kernel"],
            "make a cgroup in /sys/fs/cgroup/../../kernel: it is not a cgroup of version 2",
        );
        let lists = fs::read_to_string("/proc/self/cgroup").expect("our cgroups");
        if lists.contains(":memory:") {
            const OLD: &str = "No such file or directory (it is in version 1 on this machine, and limits need version 2; --cgroup1 joins a cgroup of version 1)";
            fails(&["--memory", "64M"], &format!("enable cgroup controller memory: {OLD}"));
        }
        fs::write(parent.path.join("cgroup.max.descendants"), "0").expect("limit the cgroups below");
        fails(
            &SETTING,
            "make a cgroup in nsinit's own: Resource temporarily unavailable (a limit on cgroups is reached: see cgroup.max.descendants and cgroup.max.depth of those above)",
        );
    }
}

#[test]
fn cgroup_that_cannot_be_removed_is_a_warning() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let deny = Deny::when(libc::SYS_unlinkat, 2, u64::MAX, libc::AT_REMOVEDIR as u64, libc::EIO);
        let options = ["--cgroup-set", "cgroup.max.depth=0"];
        let out = parent.container(&root, &options, &["sh", "-c", "echo ran; exit 3"]).deny(deny).run();
        let line = "nsinit: cannot remove the container's cgroup: Input/output error (the next launch in that cgroup removes it)\n";
        out.is(3, "ran\n", line);
        assert_eq!(parent.below().len(), 1);
    }
}

/// A cgroup with other processes cannot limit those below it.
#[test]
fn parent_with_other_processes_is_refused() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let script = "echo 0 >$0/cgroup.procs; \"$@\"; echo $?";
        let by = root.who.setpriv();
        let out = Launch::of(Who::Root, Path::new("/bin/sh"))
            .args(["-c", script, utf8(&parent.path)])
            .args(by.split_whitespace())
            .args([utf8(nsinit()), "--root", root.str(), SETTING[0], SETTING[1], "--", "echo", "ran"])
            .run();
        let line = "nsinit: cannot enable cgroup controller hugetlb: Device or resource busy (it has other processes: \
                    start nsinit alone in a cgroup, with systemd-run --scope -p Delegate=yes)\n";
        out.is(0, "125\n", line);
        parent.is_as_before();
    }
}

#[test]
fn user_without_a_delegated_cgroup_is_refused() {
    let Some(root) = who::user().and_then(Root::new) else { return };
    let Some(parent) = Parent::new(Who::Root) else { return };
    let path = utf8(&parent.path);
    let out = root.run(&["--cgroup", path, "--pids", "5"], &["true"]);
    let line = format!(
        "nsinit: cannot make a cgroup in {path}: Permission denied (the cgroup belongs to another user: use systemd-run --user --scope -p Delegate=yes)\n"
    );
    out.is(125, "", &line);
}

/// What the kernel would misread, and what has no meaning.
#[test]
fn wrong_values_are_usage_errors() {
    const SIZE: &str = "not a size such as 65536, 64M, 2G or max";
    const COUNT: &str = "not a number from 1 to 4194304, or max";
    const WEIGHT: &str = "not a number from 1 to 10000";
    const CORES: &str = "not a number of processors from 0.01 to 8192";
    const RATES: &str = "not DEV:NAME=N,..., with rbps, wbps, riops or wiops, and a size or max";
    const FILE: &str = "not FILE=VALUE, with a file such as memory.max (of cgroup.* only cgroup.max.*)";
    let Some(root) = roots().into_iter().next() else { return };
    for (option, value, why) in [
        ("--memory", "0", SIZE),
        ("--memory", "64MB", SIZE),
        ("--memory-high", "010", SIZE),
        ("--swap", "-1", SIZE),
        ("--pids", "0", COUNT),
        ("--cpu", "0", CORES),
        ("--cpu", "1,5", CORES),
        ("--cpu-weight", "max", WEIGHT),
        ("--io-weight", "10001", WEIGHT),
        ("--cpuset", "3-1", "not a list of processors such as 0-3,6"),
        ("--io-max", "/dev/sda", RATES),
        ("--io-max", "8:0:rbps=0", RATES),
        ("--io-max", "8:0:", RATES),
        ("--cgroup", "", "the path is empty"),
        ("--cgroup-set", "cgroup.kill=1", FILE),
        ("--cgroup-set", "../memory.max=1", FILE),
    ] {
        let value_shown = if value.is_empty() { String::new() } else { format!(" {value}") };
        root.run(&[option, value], &["true"]).is(125, "", &format!("nsinit: {option}{value_shown}: {why}\n"));
    }
    let need = "nsinit: --memory and the other options of a container's cgroup need --root, --image or the options of a sandbox\n";
    Launch::new(root.who).args(["--memory", "64M", "--", "true"]).run().is(125, "", need);
    let out = Launch::new(root.who).args(["--init", "--memory", "64M", "--", "true"]).run();
    out.is(125, "", "nsinit: --init excludes every option that makes a container (which has an init)\n");
    let out = Launch::new(root.who).args(["--enter", "1", "--pids", "5", "--", "true"]).run();
    out.is(125, "", "nsinit: --pids and --enter exclude each other (the container exists)\n");
}
