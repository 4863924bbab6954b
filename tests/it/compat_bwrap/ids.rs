//! Namespaces, users and names.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use super::{Bwrap, give, subjects};
use crate::harness::launch::{forget, nothing_is_left, spawn};
use crate::harness::procs::{Pid, children, eventually, link, our_namespace};
use crate::harness::{Out, Who};

const KINDS: [&str; 8] = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];

/// The kinds of namespace in which the command is not in the caller's.
#[track_caller]
fn differing(it: &Bwrap, options: &[&str]) -> String {
    let script = "for kind in cgroup ipc mnt net pid time user uts; do readlink /proc/self/ns/$kind; done";
    let out = it.sh(options, script);
    let found: Vec<&str> = out.text().lines().collect();
    assert_eq!(found.len(), KINDS.len(), "{out}");
    let differs = KINDS.iter().zip(found).filter(|(kind, inside)| our_namespace(kind) != *inside);
    differs.map(|(kind, _)| *kind).collect::<Vec<_>>().join(" ")
}

/// Each option, and the namespaces that are new for root.
const UNSHARE: [(&[&str], &str); 15] = [
    (&[], "mnt"),
    (&["--unshare-user"], "mnt user"),
    (&["--unshare-user-try"], "mnt user"),
    (&["--unshare-ipc"], "ipc mnt"),
    (&["--unshare-pid"], "mnt pid"),
    (&["--unshare-net"], "mnt net"),
    (&["--unshare-uts"], "mnt uts"),
    (&["--unshare-cgroup"], "cgroup mnt"),
    (&["--unshare-cgroup-try"], "cgroup mnt"),
    (&["--unshare-all"], "cgroup ipc mnt net pid user uts"),
    (&["--unshare-all", "--share-net"], "cgroup ipc mnt pid user uts"),
    (&["--unshare-net", "--share-net"], "mnt"),
    (&["--share-net", "--unshare-net"], "mnt net"),
    (&["--share-net", "--unshare-all"], "cgroup ipc mnt net pid user uts"),
    (&["--unshare-ipc", "--unshare-ipc", "--unshare-uts"], "ipc mnt uts"),
];

#[test]
fn only_requested_namespaces_are_new() {
    for it in subjects() {
        for (options, kinds) in UNSHARE {
            let mut expected: Vec<&str> = kinds.split(' ').collect();
            if it.who != Who::Root && !expected.contains(&"user") {
                expected.push("user");
                expected.sort_unstable();
            }
            assert_eq!(differing(&it, options), expected.join(" "), "{:?} {:?} {options:?}", it.side, it.who);
        }
    }
}

const MAPS: &str = "id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups";

/// Uids, gids and maps, separated by spaces.
#[track_caller]
fn maps(it: &Bwrap, options: &[&str]) -> String {
    let out = it.sh(options, MAPS);
    out.text().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The result of `maps` for these ids inside.
fn mapped(who: Who, uid: u32, gid: u32) -> String {
    format!("{uid} {gid} {uid} {} 1 {gid} {} 1 deny", who.uid(), who.gid())
}

#[test]
fn ids_are_the_callers_by_default() {
    for it in subjects() {
        let (uid, gid) = (it.who.uid(), it.who.gid());
        it.sh(&[], "id -u; id -g").says(&format!("{uid}\n{gid}"));
        assert_eq!(maps(&it, &["--unshare-user"]), mapped(it.who, uid, gid));
        if it.who != Who::Root {
            assert_eq!(maps(&it, &[]), mapped(it.who, uid, gid));
        }
    }
}

#[test]
fn uid_and_gid_options_set_the_ids() {
    for it in subjects() {
        let (uid, gid) = (it.who.uid(), it.who.gid());
        for (options, uid, gid) in [
            (&["--uid", "5"][..], 5, gid),
            (&["--gid", "6"], uid, 6),
            (&["--uid", "0", "--gid", "0"], 0, 0),
            (&["--uid", "2147483647", "--gid", "7"], 2147483647, 7),
        ] {
            let options = [&["--unshare-user"], options].concat();
            assert_eq!(maps(&it, &options), mapped(it.who, uid, gid), "{options:?}");
        }
        if it.who != Who::Root {
            assert_eq!(maps(&it, &["--uid", "5"]), mapped(it.who, 5, gid));
        }
    }
}

/// The sandbox's own files belong to the chosen ids.
#[test]
fn files_of_the_sandbox_belong_to_the_chosen_user() {
    for it in subjects() {
        let options = ["--unshare-user", "--uid", "5", "--gid", "6", "--dev", "/dev", "--dir", "/d"];
        let owner = "5 6\n".repeat(4);
        it.sh(&options, "stat -c '%u %g' / /d /dev /dev/ptmx").says(owner.trim_end());
        // The original mounts it in the user namespace above, where 0 is mapped.
        let own = if it.differs("the owner of `/dev/pts` if uid 0 is not mapped") { "65534 65534" } else { "5 6" };
        it.sh(&options, "stat -c '%u %g' /dev/pts").says(own);
    }
}

#[test]
fn hostname_is_set_in_a_new_uts_namespace() {
    let ours = nix::unistd::gethostname().expect("a host name").into_string().expect("in UTF-8");
    for it in subjects() {
        let long = "x".repeat(64);
        for name in ["abc", "", &long] {
            it.sh(&["--unshare-uts", "--hostname", name], "cat /proc/sys/kernel/hostname").says(name);
        }
        it.sh(&["--unshare-uts"], "hostname").says(&ours);
        it.sh(&["--unshare-all", "--hostname", "all"], "hostname").says("all");
    }
}

#[test]
fn new_network_namespace_has_lo_up() {
    for it in subjects() {
        let script = "ip -o link | cut -d: -f2,3 | cut -d' ' -f2,3; ip -o addr | grep -c 127.0.0.1/8";
        let out = it.sh(&["--unshare-net"], script);
        assert!(out.text().starts_with("lo: <LOOPBACK,UP") && out.text().ends_with("\n1"), "{out}");
        assert_eq!(out.text().lines().count(), 2, "{out}");
    }
}

// ---- namespaces by descriptor

/// A process in new namespaces.
struct Holder {
    child: Child,
    /// The process inside.
    inside: Pid,
}

impl Holder {
    /// `unshare OPTIONS`, with a sleeping process inside.
    fn new(who: Who, options: &[&str]) -> Self {
        let mut command = Command::new("unshare");
        command.args(options).args(["--fork", "--kill-child", "/bin/sh", "-c", "echo; exec sleep 1000"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        who.become_in(&mut command);
        let mut child = spawn(&mut command);
        let mut line = [0];
        std::io::Read::read_exact(child.stdout.as_mut().expect("a pipe"), &mut line).expect("read the sleeper's line");
        let outer = child.id().cast_signed();
        let inside = eventually("the sleeper runs", || children(outer).first().copied());
        Self { child, inside }
    }

    fn open(&self, kind: &str) -> File {
        File::open(format!("/proc/{}/ns/{kind}", self.inside)).expect("open a namespace")
    }

    fn name(&self, kind: &str) -> String {
        link(self.inside, &format!("ns/{kind}")).expect("the sleeper runs").to_string_lossy().into_owned()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        forget(self.child.id().cast_signed());
        nothing_is_left("a namespace's sleeper");
    }
}

/// A user namespace below another, each with a process in it.
const NESTED: [&str; 5] = ["--user", "--map-root-user", "--fork", "--kill-child", "unshare"];

#[track_caller]
fn inside(out: &Out, names: &[String], rest: &str) {
    out.says(&[&names.join("\n"), rest].join("\n"));
}

#[test]
fn userns_joins_a_user_namespace() {
    for it in subjects() {
        let holder = Holder::new(it.who, &["--user", "--map-root-user"]);
        let script = "readlink /proc/self/ns/user; id -u; cut -c1- /proc/self/uid_map | tr -s ' '";
        let rest = format!("0\n 0 {} 1", it.who.uid());
        for options in [&["--userns", "10"][..], &["--userns", "10", "--uid", "0", "--gid", "0"]] {
            let launch = it.small(options, &["/bin/sh", "-c", script]);
            inside(&give(launch, 10, holder.open("user")).run(), &[holder.name("user")], &rest);
        }
        let launch = it.small(&["--userns", "10", "--uid", "5"], &["/bin/true"]);
        let says = if it.is_ours() { "Can't become user 5" } else { "unable to switch to uid 5" };
        let line = &format!("bwrap: {says}: Invalid argument\n");
        give(launch, 10, holder.open("user")).run().is(1, "", line);
    }
}

#[test]
fn userns_that_cannot_be_joined_is_refused() {
    for it in subjects() {
        let holder = Holder::new(it.who, &["--user", "--map-root-user", "--pid"]);
        let own = || File::open("/proc/self/ns/user").expect("open a namespace");
        let line = "bwrap: Joining the specified user namespace failed, \
                    it might not be a descendant of the current user namespace.\n";
        for file in [own(), holder.open("pid"), File::open("/dev/null").expect("open a file")] {
            let out = give(it.small(&["--userns", "10"], &["/bin/true"]), 10, file).run();
            if it.is_ours() {
                out.is(1, "", "bwrap: Joining the specified user namespace failed: --userns: Invalid argument\n");
            } else {
                out.is(1, "", line);
            }
        }
    }
}

/// The command is in the same pid namespace as the holder; with `--unshare-pid`, in one below it.
#[test]
fn pidns_joins_a_pid_namespace() {
    for it in subjects() {
        let holder = Holder::new(it.who, &["--user", "--map-root-user", "--pid"]);
        let run = |options: &[&str], script| {
            let options = [&["--userns", "10", "--pidns", "11", "--proc", "/p"], options].concat();
            let launch = it.small(&options, &["/bin/sh", "-c", script]);
            give(give(launch, 10, holder.open("user")), 11, holder.open("pid")).run()
        };
        let names = [holder.name("user"), holder.name("pid")];
        let script = "readlink /p/self/ns/user; readlink /p/self/ns/pid; cat /p/1/comm";
        inside(&run(&[], script), &names, "sleep");
        let out = run(&["--unshare-pid"], script);
        let lines: Vec<&str> = out.text().lines().collect();
        assert!(lines[0] == names[0] && lines[1] != names[1] && lines[1] != our_namespace("pid"), "{out}");
        assert_ne!(lines[2], "sleep", "{out}");
    }
}

#[test]
fn pidns_without_userns_needs_root() {
    for it in subjects() {
        let holder = Holder::new(it.who, &["--user", "--map-root-user", "--pid"]);
        let launch = it.small(&["--pidns", "10"], &["/bin/readlink", "/proc/thread-self/ns/pid"]);
        let launch = give(launch, 10, holder.open("pid"));
        if it.who == Who::Root {
            let launch = it.small(&["--dev-bind", "/proc", "/p", "--pidns", "10"], &["/bin/sh", "-c", "echo $$"]);
            let out = give(launch, 10, holder.open("pid")).run();
            // The namespace is nearly empty: the sleeper has pid 1.
            assert!(out.text().parse::<Pid>().is_ok_and(|pid| (2..50).contains(&pid)), "{out}");
        } else {
            let out = launch.run();
            let on = if it.is_ours() { "--pidns: " } else { "" };
            let line = format!("bwrap: Setting pidns failed: {on}Operation not permitted\n");
            assert!(out.status == 1 && out.stderr.starts_with(&line), "{out}");
        }
    }
}

/// After the setup the command is in a user namespace below.
#[test]
fn userns2_is_joined_after_the_setup() {
    for it in subjects() {
        let holder = Holder::new(it.who, &[&NESTED[..], &["--user", "--map-root-user"]].concat());
        let outer = File::open(format!("/proc/{}/ns/user", holder.child.id())).expect("open a namespace");
        let outer_name = link(holder.child.id().cast_signed(), "ns/user").expect("the holder runs");
        assert_ne!(outer_name.to_string_lossy(), holder.name("user"));
        let script = "readlink /proc/self/ns/user; id -u";
        let launch = it.small(&["--userns", "10", "--userns2", "11"], &["/bin/sh", "-c", script]);
        let out = give(give(launch, 10, outer), 11, holder.open("user")).run();
        inside(&out, &[holder.name("user")], "0");
        if it.who == Who::Root {
            let out = give(it.small(&["--userns2", "11"], &["/bin/sh", "-c", script]), 11, holder.open("user")).run();
            inside(&out, &[holder.name("user")], "0");
        }
    }
}

// ---- no further user namespaces

#[test]
fn disable_userns_prevents_further_user_namespaces() {
    for it in subjects() {
        let try_it = "unshare -U true && echo may";
        it.sh(&["--unshare-user"], try_it).says("may");
        let (uid, gid) = (it.who.uid(), it.who.gid());
        for (options, uid, gid) in [
            (&["--disable-userns"][..], uid, gid),
            (&["--disable-userns", "--assert-userns-disabled"], uid, gid),
            (&["--disable-userns", "--uid", "5", "--gid", "6"], 5, 6),
            (&["--disable-userns", "--unshare-all"], uid, gid),
        ] {
            let options = [&["--unshare-user"], options].concat();
            let out = it.sh(&options, try_it);
            assert!(out.status != 0 && out.stdout.is_empty() && out.stderr.contains("No space left"), "{out}");
            let maps = it.sh(&options, "id -u; id -g; tr -s ' ' </proc/self/uid_map");
            maps.says(&format!("{uid}\n{gid}\n {uid} {uid} 1"));
            // Not even with more capabilities.
            let more = "echo 9 >/proc/sys/user/max_user_namespaces";
            assert_ne!(it.sh(&[&options[..], &["--cap-add", "ALL"]].concat(), more).stdout, "x");
        }
        let line = "bwrap: creation of new user namespaces was not disabled as requested\n";
        it.sh(&["--assert-userns-disabled"], "").is(1, "", line);
        it.sh(&["--unshare-user", "--assert-userns-disabled"], "").is(1, "", line);
    }
}
