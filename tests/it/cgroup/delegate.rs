//! --cgroup-delegate: what the container may do with its own cgroup, what it may not, and that nothing of it is left.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::super::harness::launch::{send, wait_for};
use super::super::harness::scratch::{nsinit, utf8};
use super::super::harness::{Launch, Root, Who, roots};
use super::{Parent, SETTING};

const DELEGATE: &str = "--cgroup-delegate";

/// The root of the tree inside is the container's own cgroup, with the limits as they were set.
#[test]
fn container_makes_and_limits_cgroups() {
    const SCRIPT: &str = "cd /sys/fs/cgroup; cat cgroup.controllers hugetlb.2MB.max; mkdir leaf limited; \
        for p in $(cat cgroup.procs); do echo $p >leaf/cgroup.procs; done 2>/dev/null; echo +hugetlb >cgroup.subtree_control; \
        echo 0 >limited/hugetlb.2MB.max; echo 0 >limited/cgroup.procs; grep ^0:: /proc/self/cgroup; cat limited/hugetlb.2MB.max; \
        mkdir /sys/x 2>/dev/null || echo no";
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        for options in
            [&[][..], &["--as-pid-1"], &["--pty"], &["--share-pid"], &["--allow-nesting"], &["--cap-drop", "ALL"]]
        {
            let options = [&SETTING[..], &[DELEGATE], options].concat();
            let out = parent.container(&root, &options, &["/bin/sh", "-c", SCRIPT]).run();
            assert_eq!(
                (out.status, out.stdout.replace('\r', "").as_str(), out.stderr.as_str()),
                (0, "hugetlb\n0\n0::/limited\n0\nno\n", ""),
                "{options:?} {out}"
            );
            parent.is_as_before();
        }
        // No limit but the option alone.
        let cmd = ["cat", "/sys/fs/cgroup/cgroup.controllers", "/proc/self/cgroup"];
        let out = parent.container(&root, &[DELEGATE], &cmd).run();
        assert!(out.text().starts_with("hugetlb\n") && out.text().ends_with("0::/"), "{out}");
        // Without sysfs, which the network namespace of another user namespace does not permit.
        let cmd = ["sh", "-c", "mkdir /sys/fs/cgroup/x && ls /sys; touch /sys/x 2>/dev/null || echo no"];
        let out = parent.container(&root, &[DELEGATE, "--share-net"], &cmd).run();
        assert!(out.stdout.starts_with("fs\nno\n") || root.who.is_root() && out.stdout.contains("kernel\n"), "{out}");
        // A sandbox says itself where the tree is.
        let words = [
            &[DELEGATE, "--unshare-cgroup", "--bind", root.str(), "/", "--tmpfs", "/mnt", "--cgroup2", "/mnt"][..],
            &["sh", "-c", "mkdir /mnt/x && echo made"],
        ];
        parent.launch(&words.concat()).run().says("made");
        parent.is_as_before();
    }
}

/// Not by the files in the tree, not in a mount of its own, and not without a user namespace.
#[test]
fn container_cannot_raise_its_limits() {
    const SCRIPT: &str = "for f in $(find /sys/fs/cgroup -name '*.max'); do echo max >$f; done 2>/dev/null; \
        for d in . .. ../..; do for f in procs freeze kill; do echo 1 >/sys/fs/cgroup/$d/cgroup.$f; done; done 2>/dev/null; \
        helper nest; echo up; read x";
    for root in roots().into_iter().map(Root::with_helper) {
        let Some(parent) = Parent::new(root.who) else { return };
        let none = ["--seccomp-profile", "none"];
        let mut tried = vec![vec![], vec!["--allow-nesting"], [&["--allow-nesting"][..], &none].concat()];
        if root.who.is_root() {
            tried.push(vec!["--share-user"]);
            tried.push(vec!["--map-uid", "0:100000:65536", "--map-gid", "0:100000:65536", "--idmap"]);
        }
        for options in tried {
            let options = [&SETTING[..], &[DELEGATE], &options].concat();
            // The writes that end or freeze its own cgroup are the container's right: here they are below.
            let script = SCRIPT.replace(" . .. ../..", " .. ../..");
            let mut run = parent.container(&root, &options, &["/bin/sh", "-c", &script]).open_input().start();
            while run.line() != "up" {}
            let name = format!("nsinit-{}-0", run.pid());
            assert_eq!(parent.read(&format!("{name}/hugetlb.2MB.max")), "0\n", "{options:?}");
            assert!(parent.read(&format!("{name}/cgroup.freeze")).starts_with('0'), "{options:?}");
            assert_eq!(parent.read(&format!("{name}/cgroup.max.descendants")), "max\n", "{options:?}");
            run.finish_with_others();
            parent.is_as_before();
        }
    }
}

/// Its root, as seen outside, owns the directory and the files that the kernel lists; all other files stay the launcher's.
#[test]
fn delegated_files_belong_to_root_of_the_container() {
    for root in roots().into_iter().filter(|root| root.who.is_root()) {
        let Some(parent) = Parent::new(root.who) else { return };
        let map = ["--map-uid", "0:100000:65536", "--map-gid", "0:200000:65536", "--idmap"];
        let options = [&SETTING[..], &[DELEGATE], &map].concat();
        let script = "mkdir /sys/fs/cgroup/x && echo up; read x";
        let mut run = parent.container(&root, &options, &["/bin/sh", "-c", script]).open_input().start();
        assert_eq!(run.line(), "up");
        let own = parent.path.join(format!("nsinit-{}-0", run.pid()));
        let owner = |file: &str| {
            let found = fs::metadata(own.join(file)).expect("look at a file of the cgroup");
            (found.uid(), found.gid())
        };
        let listed = fs::read_to_string("/sys/kernel/cgroup/delegate").unwrap_or_default();
        for file in ["", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "x/cgroup.procs"] {
            assert_eq!(owner(&format!("container/{file}")), (100_000, 200_000), "{file}");
        }
        for entry in fs::read_dir(own.join("container")).expect("list the cgroup").flatten() {
            let name = entry.file_name().into_string().expect("UTF-8");
            let given = name == "x" || listed.lines().any(|line| line == name);
            assert_eq!(owner(&format!("container/{name}")) != (0, 0), given, "{name}");
            assert_eq!(owner(""), (0, 0));
        }
        run.finish_with_others();
        parent.is_as_before();
    }
}

/// Each of them is in a cgroup of its own, with or without further containers inside.
#[test]
fn containers_in_a_container_have_limits() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        root.dir("inner");
        let program = utf8(nsinit());
        // nsinit may be dynamically linked.
        let places = ["/lib", "/lib64", "/usr/lib"].into_iter().flat_map(|dir| ["--ro-bind-try", dir, dir]);
        let outer = [DELEGATE, "--allow-nesting"].into_iter().chain(places).chain(["--ro-bind", program, "/nsinit"]);
        // The procfs of the container is masked, and so permits no other.
        root.file(
            "twice",
            "N='/nsinit --root / --share-pid --allow-nesting --cgroup-set hugetlb.2MB.max'\n\
             in='grep ^0:: /proc/self/cgroup; cat /sys/fs/cgroup/hugetlb.2MB.max'\n\
             $N=0 -- true && $N=0 --cgroup-delegate -- sh -c \"$in; $N=1048576 --cgroup-delegate -- sh -c '$in'; $in; ls -d /sys/fs/cgroup/*/\"\n\
             grep ^0:: /proc/self/cgroup; cd /sys/fs/cgroup; ls -d */; /bin/cat cgroup.procs nsinit-leaf/cgroup.procs >/dev/shm/all; wc -l </dev/shm/all\n",
        );
        let outer: Vec<&str> = outer.collect();
        let out = parent.container(&root, &outer, &["/bin/sh", "/twice"]).run();
        // A limit is a multiple of a page.
        let inside =
            "0::/\n0\n0::/\n0\n0::/nsinit-leaf\n0\n/sys/fs/cgroup/nsinit-leaf/\n0::/nsinit-leaf\nnsinit-leaf/\n3\n";
        out.is(0, inside, "");
        parent.is_as_before();
        // CMD itself is nsinit.
        let cmd =
            ["/nsinit", "--root", "/", "--share-pid", "--allow-nesting", SETTING[0], SETTING[1], "--", "echo", "ran"];
        parent.container(&root, &outer, &cmd).run().says("ran");
        parent.container(&root, &[&outer[..], &["--as-pid-1"]].concat(), &cmd).run().says("ran");
        parent.is_as_before();
    }
}

/// Deeper than a recursion could go, and more than one reading of the directory shows; with processes in them.
const MANY: &str = "cd /sys/fs/cgroup; mkdir $(seq 1 1500); \
    for i in 1 2 3; do mkdir $i/a $i/b; sleep 1000 & echo $! >$i/a/cgroup.procs; done; \
    i=0; while [ $i -lt 400 ]; do mkdir d && cd d; i=$((i + 1)); done; echo $i";

#[test]
fn cgroups_that_the_container_made_are_removed() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        for options in [&["--grace", "0"][..], &["--grace", "0", "--share-pid"]] {
            let options = [&[DELEGATE], options].concat();
            parent.container(&root, &options, &["/bin/sh", "-c", MANY]).run().says("400");
            parent.is_as_before();
        }
        // The next launch removes those of a launcher that was killed.
        let script = format!("{MANY}; sleep 1000");
        let mut run = parent.container(&root, &[DELEGATE], &["/bin/sh", "-c", &script]).open_input().start();
        assert_eq!(run.line(), "400");
        let init = run.init();
        send(run.pid(), libc::SIGKILL);
        run.finish_with_others();
        wait_for(init);
        assert_eq!(parent.below().len(), 2);
        let path = utf8(&parent.path);
        Launch::new(Who::Root).args(["--root", root.str(), "--cgroup", path, "--", "true"]).run().is(0, "", "");
        assert_eq!(parent.below(), [""; 0]);
    }
}

#[test]
fn delegation_that_is_impossible_is_refused() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let is = |options: &[&str], line: &str| {
            let out = parent.container(&root, &[&[DELEGATE], options].concat(), &["echo", "ran"]).run();
            out.is(125, "", &format!("nsinit: {line}\n"));
            parent.is_as_before();
        };
        let own = "--cgroup-delegate needs a new cgroup namespace, and excludes --join-user and --userns";
        is(&["--share-cgroup"], own);
        is(&["--join-user", "1"], own);
        let out = Launch::new(root.who).args([DELEGATE, "--bind", root.str(), "/", "--", "true"]).run();
        out.is(125, "", &format!("nsinit: {own}\n"));
        // A cgroup that has other processes.
        let script = format!(
            "echo 0 >{}/cgroup.procs; {} {} \"$@\"; echo $?",
            utf8(&parent.path),
            root.who.setpriv(),
            utf8(nsinit())
        );
        let words = ["-c", &script, "sh", "--root", root.str(), DELEGATE, "--", "echo", "ran"];
        let out = Launch::of(Who::Root, std::path::Path::new("/bin/sh")).args(words).run();
        let line = "nsinit: cannot delegate the container's cgroup: Device or resource busy (it has other processes: start nsinit \
                    alone in a cgroup, with systemd-run --scope -p Delegate=yes)\n";
        out.is(0, "125\n", line);
        parent.is_as_before();
    }
}
