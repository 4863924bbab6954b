//! Many user and group ids: --map-uid, --map-gid, --map-auto, --uid, --gid, --groups.

mod debian;
mod idmap;
mod junk;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{Uid, User, geteuid};

use super::harness::deny;
use super::harness::launch::attempt;
use super::harness::procs::{self, Pid};
use super::harness::scratch::{nsinit, utf8};
use super::harness::{Deny, Dir, Launch, Out, Root, Who, roots, skip, who};

/// The first subordinate id of these tests, far from those of the machine's users.
const FIRST: u32 = 1_000_000_000;
const COUNT: u32 = 65_536;

/// nsinit of a user, where other files of subordinate ids are bound over the machine's: in a mount namespace of its own, so nothing
/// of the machine changes.
struct Granted {
    who: Who,
    dir: Dir,
}

impl Granted {
    /// The files have these contents. None, after a skip message, if this machine cannot do it.
    fn with(who: Who, users: &[u8], groups: &[u8]) -> Option<Self> {
        if !geteuid().is_root() {
            skip("needs root, to bind other files over /etc/subuid and /etc/subgid");
            return None;
        }
        if !["/etc/subuid", "/etc/subgid"].iter().all(|path| Path::new(path).exists()) {
            skip("this machine has no /etc/subuid");
            return None;
        }
        if !who.is_root() && attempt(std::process::Command::new("which").arg("newuidmap")).is_none() {
            skip("newuidmap is not installed");
            return None;
        }
        let dir = Dir::new(Who::Root);
        fs::write(dir.at("subuid"), users).expect("write subuid");
        fs::write(dir.at("subgid"), groups).expect("write subgid");
        Some(Self { who, dir })
    }

    /// The user has the ids from `FIRST` on.
    fn new(who: Who) -> Option<Self> {
        let line = format!("{}:{FIRST}:{COUNT}\n", name(who));
        Self::with(who, line.as_bytes(), line.as_bytes())
    }

    /// A launch of nsinit, with its arguments to follow.
    fn launch(&self) -> Launch {
        self.prepared("")
    }

    /// The same after a line of shell in the mount namespace.
    fn prepared(&self, line: &str) -> Launch {
        let script = format!(
            "mount --bind \"$1\" /etc/subuid && mount --bind \"$2\" /etc/subgid && shift 2 || exit; {line}\nexec \"$@\""
        );
        let (users, groups) = (self.dir.at("subuid"), self.dir.at("subgid"));
        Launch::of(Who::Root, Path::new("/usr/bin/unshare"))
            .args(["--mount", "sh", "-c", &script, "sh", utf8(&users), utf8(&groups)])
            .args(self.who.setpriv().split_whitespace())
            .args([nsinit()])
    }

    #[track_caller]
    fn sh(&self, root: &Root, options: &[&str], script: &str) -> Out {
        let launch = self.launch().args(["--root", root.str()]).args(options);
        launch.args(["--", "/bin/sh", "-c", script]).run()
    }
}

/// A root with subordinate ids, for each user.
fn granted() -> Vec<(Root, Granted)> {
    roots().into_iter().filter_map(|root| Granted::new(root.who).map(|granted| (root, granted))).collect()
}

/// Whether the kernel can show this root through an id map; prints a skip message if not.
fn is_mappable(root: &Root, granted: &Granted) -> bool {
    let probe = granted.sh(root, &["--map-auto", "--idmap"], "true");
    if probe.stderr.contains("does not support it") || probe.stderr.contains("needs Linux") {
        skip("the file system of the tests cannot be shown through an id map");
        return false;
    }
    probe.is(0, "", "");
    true
}

fn name(who: Who) -> String {
    let found = User::from_uid(Uid::from_raw(who.uid())).ok().flatten();
    found.map_or_else(|| who.uid().to_string(), |user| user.name)
}

/// The owner and the group of a file on disk.
fn owner(path: impl AsRef<Path>) -> (u32, u32) {
    let found = fs::symlink_metadata(path).expect("a file");
    (found.uid(), found.gid())
}

/// The ids of a process as the host sees them: of the user, of the group, and the supplementary groups.
fn ids_outside(pid: Pid) -> [String; 3] {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    ["Uid", "Gid", "Groups"].map(|field| {
        let found = procs::field_of(&status, field).unwrap_or_default();
        found.split_whitespace().collect::<Vec<_>>().join(" ")
    })
}

const MAPS: &str = "cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups";

fn words(out: &Out) -> String {
    out.text().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn map_auto_maps_the_subordinate_ids() {
    for (root, granted) in granted() {
        let out = granted.sh(&root, &["--map-auto"], MAPS);
        let expected = match root.who {
            Who::Root => format!("0 {FIRST} {COUNT} 0 {FIRST} {COUNT} allow"),
            Who::User { uid, gid } => format!("0 {uid} 1 1 {FIRST} {COUNT} 0 {gid} 1 1 {FIRST} {COUNT} allow"),
        };
        assert_eq!(words(&out), expected, "{out}");
    }
}

/// As other container engines do, root may use the ranges of the user `containers`.
#[test]
fn root_takes_its_own_large_range_or_that_of_containers() {
    let Some(root) = who::root().and_then(Root::new) else { return };
    for (lines, first) in [
        ("root:5:65535\nroot:200000:65536\nroot:300000:70000\n", 200_000),
        ("containers:400000:65536\nroot:500000:100000\n", 500_000),
        ("containers:400000:65536\nroot:500000:1000\n", 400_000),
        ("0:600000:65536\n", 600_000),
    ] {
        let Some(granted) = Granted::with(Who::Root, lines.as_bytes(), lines.as_bytes()) else { return };
        let out = granted.sh(&root, &["--map-auto"], "cat /proc/self/uid_map");
        assert_eq!(words(&out).split(' ').nth(1), Some(first.to_string().as_str()), "{lines:?}: {out}");
    }
}

#[test]
fn missing_ids_are_reported_with_the_line_to_add() {
    for root in roots() {
        let user = name(root.who);
        let others = "somebody:100000:65536\nelse:165536:1000\n";
        let Some(granted) = Granted::with(root.who, others.as_bytes(), others.as_bytes()) else { return };
        let what = if root.who.is_root() { "no range of 65536 ids" } else { "no ids" };
        granted.sh(&root, &["--map-auto"], "echo ran").is(
            125,
            "",
            &format!(
                "nsinit: --map-auto: /etc/subuid grants {what} to {user} \
                 (add the line {user}:166536:65536, or use --map-uid and --map-gid)\n"
            ),
        );
        let line = format!("{user}:{FIRST}:{COUNT}\n");
        let Some(granted) = Granted::with(root.who, line.as_bytes(), b"") else { return };
        granted.sh(&root, &["--map-auto"], "echo ran").fails("--map-auto: /etc/subgid grants");
    }
}

/// An ordinary user's range is refused by the helper, which says so too.
#[test]
fn range_that_is_not_granted_is_named() {
    let Some(root) = who::user().and_then(Root::new) else { return };
    let Some(granted) = Granted::new(root.who) else { return };
    let user = name(root.who);
    let own = format!("0:{}:1", root.who.uid());
    let good = format!("1:{FIRST}:{COUNT}");
    let bad = format!("1:{}:{COUNT}", FIRST + 1);
    for (users, groups, option, file) in
        [(&bad, &good, "--map-uid", "/etc/subuid"), (&good, &bad, "--map-gid", "/etc/subgid")]
    {
        let maps = ["--map-uid", &own, "--map-uid", users, "--map-gid", "0:0:0", "--map-gid", groups];
        let own_group = format!("0:{}:1", root.who.gid());
        let maps = maps.map(|word| if word == "0:0:0" { own_group.as_str() } else { word });
        let out = granted.sh(&root, &maps, "echo ran");
        let line = format!(
            "nsinit: {option} {bad}: {file} does not grant these ids to {user} \
             (add the line {user}:{}:{COUNT}, or use --map-uid and --map-gid)\n",
            FIRST + 1
        );
        assert!(out.status == 125 && out.stdout.is_empty() && out.stderr.ends_with(&line), "{line}{out}");
    }
}

#[test]
fn helper_that_is_missing_or_has_no_rights_is_reported() {
    let Some(root) = who::user().and_then(Root::new) else { return };
    let Some(granted) = Granted::new(root.who) else { return };
    let cmd = ["--root", root.str(), "--map-auto", "--", "echo", "ran"];
    // Only the helper is executed with an empty environment.
    let missing = Deny::when(libc::SYS_execve, 2, u64::MAX, 0, libc::ENOENT);
    granted.launch().args(cmd).deny(missing).run().is(
        125,
        "",
        "nsinit: cannot execute newuidmap: No such file or directory (Debian's package uidmap has it)\n",
    );
    let bare = Granted { who: root.who, dir: Dir::new(Who::Root) };
    fs::copy(granted.dir.at("subuid"), bare.dir.at("subuid")).expect("copy subuid");
    fs::copy(granted.dir.at("subgid"), bare.dir.at("subgid")).expect("copy subgid");
    let out = bare.prepared("set -- setpriv --no-new-privs \"$@\"").args(cmd).run();
    let line = "nsinit: cannot map ids with newuidmap: it has failed (nsinit was started with no_new_privs, so set-id programs \
                have no effect)\n";
    assert!(out.status == 125 && out.stdout.is_empty() && out.stderr.ends_with(line), "{out}");
}

/// In a user namespace that maps few ids, root of it can map no others.
#[test]
fn id_that_is_not_mapped_outside_is_reported() {
    let Some(root) = who::user().and_then(Root::new) else { return };
    // With CAP_SYS_ADMIN, and without it, as in a container.
    for prefix in [&[][..], &["setpriv", "--bounding-set", "-sys_admin"]] {
        Launch::of(root.who, Path::new("/usr/bin/unshare"))
            .args(["--user", "--map-root-user"])
            .args(prefix)
            .args([nsinit()])
            .args(["--root", root.str(), "--map-uid", "0:5:2", "--map-gid", "0:5:2", "--", "echo", "ran"])
            .run()
            .fails(
                "write uid_map: Operation not permitted (an id outside is not mapped in nsinit's own user namespace",
            );
    }
}

/// CVE-2014-8989.
#[test]
fn groups_can_be_left_only_if_several_are_mapped() {
    for root in roots() {
        let (uid, gid) = (format!("0:{}:1", root.who.uid()), format!("0:{}:1", root.who.gid()));
        let one = ["--map-uid", &uid, "--map-gid", &gid];
        root.sh(&one, "cat /proc/self/setgroups; id -u; id -g").says("deny\n0\n0");
        root.sh(&[&one[..], &["--groups", "0"]].concat(), "echo ran").fails("--groups needs --map-auto or --map-gid");
    }
    for (root, granted) in granted() {
        granted.sh(&root, &["--map-auto"], "cat /proc/self/setgroups").says("allow");
    }
}

#[test]
fn cmd_has_the_ids_and_groups_that_were_asked_for() {
    let script = "id; grep Cap /proc/self/status | cut -f 2 | sort -u";
    let all = |out: &Out| out.text().lines().map(str::to_owned).collect::<Vec<_>>();
    for (root, granted) in granted() {
        let options = ["--map-auto", "--uid", "1000", "--gid", "1001", "--groups", "5,1002"];
        let lines = all(&granted.sh(&root, &options, script));
        assert_eq!(lines[0], "uid=1000 gid=1001 groups=5,1002", "{lines:?}");
        // Nothing but the bounding set is left.
        assert_eq!(lines.len(), 3, "{lines:?}");
        // Without --groups it has none, whatever groups the caller has.
        let lines = all(&granted.sh(&root, &["--map-auto", "--uid", "1000", "--gid", "1001"], script));
        assert_eq!(lines[0], "uid=1000 gid=1001", "{lines:?}");
        let lines =
            all(&granted.sh(&root, &[&options[..], &["--cap-add", "KILL"]].concat(), "grep CapAmb /proc/self/status"));
        assert_eq!(lines, ["CapAmb:\t0000000000000020"]);
    }
    let Some(root) = who::root().and_then(Root::new) else { return };
    for options in [&[][..], &["--share-user"]] {
        let options = [options, &["--uid", "3", "--gid", "4", "--groups", "5,6"]].concat();
        root.sh(&options, "id").says("uid=3 gid=4 groups=5,6");
    }
}

#[test]
fn files_belong_to_the_mapped_ids_on_disk() {
    for (root, granted) in granted() {
        if root.who.is_root() {
            // Without --idmap the root belongs to the container's root.
            std::os::unix::fs::chown(root.at("tmp"), Some(FIRST), Some(FIRST)).expect("chown");
        }
        let script = "touch /tmp/a /tmp/b && chown 1000:1001 /tmp/b && stat -c '%u %g' /tmp/a /tmp/b";
        granted.sh(&root, &["--map-auto"], script).says("0 0\n1000 1001");
        let shift = u32::from(!root.who.is_root());
        let first = if root.who.is_root() { (FIRST, FIRST) } else { (root.who.uid(), root.who.gid()) };
        assert_eq!(owner(root.at("tmp/a")), first);
        assert_eq!(owner(root.at("tmp/b")), (FIRST + 1000 - shift, FIRST + 1001 - shift));
        granted.sh(&root, &["--map-auto"], "rm /tmp/a /tmp/b").is(0, "", "");
    }
}

/// Every process of the container, and the mounts that it makes.
#[test]
fn nothing_in_a_container_of_mapped_ids_is_root_outside() {
    let Some(root) = who::root().and_then(Root::new) else { return };
    let Some(granted) = Granted::new(Who::Root) else { return };
    if !is_mappable(&root, &granted) {
        return;
    }
    for options in
        [&["--map-auto", "--idmap"][..], &["--map-auto", "--idmap", "--uid", "7", "--gid", "8", "--groups", "9"]]
    {
        let mut run = granted
            .launch()
            .args(["--root", root.str()])
            .args(options)
            .args(["--", "/bin/sh", "-c", "sleep 1000 & echo up; read x"])
            .open_input()
            .start();
        assert_eq!(run.line(), "up");
        let mut processes = procs::tree(run.init());
        assert!(processes.len() >= 3, "{processes:?}");
        let is_one = options.contains(&"--uid");
        for pid in processes.drain(..) {
            let (uid, gid) = if is_one && pid != run.init() { (FIRST + 7, FIRST + 8) } else { (FIRST, FIRST) };
            let [users, members, more] = ids_outside(pid);
            assert_eq!(users, [uid.to_string().as_str(); 4].join(" "));
            assert_eq!(members, [gid.to_string().as_str(); 4].join(" "));
            let groups = if is_one && pid != run.init() { (FIRST + 9).to_string() } else { String::new() };
            assert_eq!(more, groups);
        }
        assert_eq!(run.finish().status, 1);
    }
}

#[test]
fn entered_container_has_its_ids() {
    for (root, granted) in granted() {
        let place = Dir::new(root.who);
        let mut run = granted
            .launch()
            .args(["--root", root.str(), "--map-auto", "--pid-file", utf8(&place.at("pid"))])
            .args(["--", "/bin/sh", "-c", "echo up; read x"])
            .open_input();
        // Root of the container may not search the place of the test otherwise.
        run = run.directory(Path::new("/"));
        let mut run = run.start();
        assert_eq!(run.line(), "up");
        let pid = place.at("pid");
        procs::eventually("the pid file is written", || fs::read_to_string(&pid).ok().filter(|text| !text.is_empty()));
        let enter = |options: &[&str], script: &str| {
            let launch = Launch::new(root.who).args(["--enter", utf8(&pid)]).args(options);
            launch.args(["--", "/bin/sh", "-c", script]).run_with_others()
        };
        let maps = words(&enter(&[], &format!("id -u; id -g; {MAPS}")));
        assert!(maps.starts_with("0 0 0 ") && maps.contains(&FIRST.to_string()) && maps.ends_with(" allow"), "{maps}");
        enter(&["--uid", "1000", "--gid", "1001", "--groups", "7,8"], "id").says("uid=1000 gid=1001 groups=7,8");
        enter(&["--uid", "100000"], "id").is(
            125,
            "",
            "nsinit: cannot become user 100000: Invalid argument (it is not mapped in the user namespace)\n",
        );
        run.finish_with_others();
    }
}

/// A process that joins the user namespace may be any of its users.
#[test]
fn cmd_in_a_joined_user_namespace_has_the_ids_that_were_asked_for() {
    for (root, granted) in granted() {
        if root.who.is_root() {
            // The container's root makes what is missing.
            std::os::unix::fs::chown(root.path(), Some(FIRST), Some(FIRST)).expect("chown");
        }
        let launch =
            granted.launch().args(["--root", root.str(), "--map-auto", "--", "/bin/sh", "-c", "echo up; read x"]);
        let mut run = launch.directory(Path::new("/")).open_input().start();
        assert_eq!(run.line(), "up");
        let target = run.cmd().to_string();
        let join = |options: &[&str]| {
            let options = [&["--join-user", &target, "--join-net", &target], options].concat();
            root.launch(&options, &["id"]).run_with_others()
        };
        join(&[]).says("uid=0 gid=0");
        join(&["--uid", "1000"]).says("uid=1000 gid=0");
        join(&["--gid", "1000", "--groups", "4,5"]).says("uid=0 gid=1000 groups=4,5");
        join(&["--uid", "100000"])
            .fails("become user 100000: Invalid argument (it is not mapped in the user namespace)");
        run.finish_with_others();
    }
}

/// Kernels without the calls for mounts as descriptors, or without clone3(2), map ids as others do.
#[test]
fn old_kernels_map_ids() {
    let Some(root) = who::root().and_then(Root::new) else { return };
    std::os::unix::fs::chown(root.at("tmp"), Some(5000), Some(5000)).expect("chown");
    for calls in [&[libc::SYS_clone3][..], &deny::SINCE_5_12, &deny::SINCE_5_2, &[libc::SYS_openat2]] {
        let options = ["--map-uid", "0:5000:10", "--map-gid", "0:5000:10", "--tmpfs", "/mnt", "--uid", "3"];
        let out = root.launch(&options, &["/bin/sh", "-c", "id; stat -c %u /mnt /tmp"]).lacking(calls).run();
        out.says("uid=3 gid=0\n0\n0");
    }
}

/// A map may have many ranges: process 1 is a user of it although neither the caller nor 0 is mapped, and --enter finds the lowest.
#[test]
fn map_of_many_ranges_without_root_works() {
    let Some(root) = who::root().and_then(Root::new) else { return };
    let place = Dir::new(Who::Root);
    let ranges: Vec<String> = (0..200).map(|at| format!("{}:{}:1", 5 + 2 * at, 500 + 3 * at)).collect();
    let options: Vec<&str> = ranges.iter().flat_map(|range| ["--map-uid", range, "--map-gid", range]).collect();
    let more = ["--uid", "7", "--gid", "9", "--tmpfs", "/mnt", "--dir", "/mnt/d"];
    let script = "id; wc -l </proc/self/uid_map; stat -c '%u %g' /dev /dev/shm /mnt/d; echo up; read x";
    let pid = place.at("pid");
    let options = [&options[..], &more, &["--pid-file", utf8(&pid)]].concat();
    let mut run = root.launch(&options, &["/bin/sh", "-c", script]).open_input().start();
    for line in ["uid=7 gid=9", "200", "5 5", "5 5", "5 5", "up"] {
        assert_eq!(run.line(), line);
    }
    procs::eventually("the pid file is written", || fs::read_to_string(&pid).ok().filter(|text| !text.is_empty()));
    let enter = Launch::new(Who::Root).args(["--enter", utf8(&pid), "--", "id"]).run_with_others();
    enter.says("uid=5 gid=5");
    assert_eq!(ids_outside(run.init())[0], ["500"; 4].join(" "));
    assert_eq!(run.finish().status, 1);
}

/// The user namespace that the command of a sandbox gets with --disable-userns has the same ids.
#[test]
fn sandbox_maps_ids_too() {
    for (root, granted) in granted() {
        let launch = |options: &[&str], script: &str| {
            let launch = granted.launch().args([
                "--unshare-user",
                "--unshare-pid",
                "--bind",
                root.str(),
                "/",
                "--proc",
                "/proc",
            ]);
            launch.args(options).args(["--", "/bin/sh", "-c", script]).run()
        };
        launch(&["--map-auto"], "id").says("uid=0 gid=0");
        launch(&["--map-auto", "--uid", "1000", "--gid", "1000", "--groups", "3"], "id")
            .says("uid=1000 gid=1000 groups=3");
        let options = ["--map-auto", "--disable-userns", "--uid", "1000", "--gid", "1000"];
        let map = if root.who.is_root() { format!("0 0 {COUNT}") } else { format!("0 0 1\n1 1 {COUNT}") };
        launch(&options, "id; awk '{ print $1, $2, $3 }' /proc/self/uid_map")
            .says(&format!("uid=1000 gid=1000\n{map}"));
    }
    // As with bubblewrap, the command's ids are the caller's, as the map shows them.
    let Some(root) = who::root().and_then(Root::new) else { return };
    let options =
        ["--unshare-user", "--bind", root.str(), "/", "--map-uid", "5:0:10", "--map-gid", "6:0:10", "--", "id"];
    Launch::new(Who::Root).args(options).run().says("uid=5 gid=6");
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    for root in roots() {
        let map = ["--map-uid", "0:5000:10", "--map-gid", "0:5000:10"];
        let cases: &[(&[&str], &str)] = &[
            (&["--map-uid", "0:5:1"], "--map-uid and --map-gid need each other"),
            (&["--map-gid", "0:5:1"], "--map-uid and --map-gid need each other"),
            (&["--uid", "10"], "--uid 10: no range of the map has this id (see IN of --map-uid and --map-gid)"),
            (&["--gid", "10"], "--gid 10: no range of the map has this id (see IN of --map-uid and --map-gid)"),
            (&["--groups", "3,10"], "--groups 10: no range of the map has this id (see IN of --map-uid and --map-gid)"),
            (&["--map-auto"], "--map-auto excludes --map-uid and --map-gid"),
            (&["--join-user", "1"], "--map-uid, --map-gid and --map-auto need a new user namespace"),
            (
                &["--userns-block-fd", "0", "--info-fd", "1"],
                "--userns-block-fd excludes --map-uid, --map-gid and --map-auto",
            ),
        ];
        for (options, line) in cases {
            let alone = options[0].starts_with("--map-") && options.len() > 1;
            let options = if alone { options.to_vec() } else { [&map[..], options].concat() };
            root.sh(&options, "echo ran").fails(line);
        }
        if root.who.is_root() {
            let share = [&map[..], &["--share-user"]].concat();
            root.sh(&share, "echo ran").fails("need a new user namespace");
            let launch = Launch::new(root.who).args(["--bind", root.str(), "/"]).args(map);
            launch.args(["--", "echo", "ran"]).run().fails("need a new user namespace (--root or --unshare-user");
        }
        root.sh(&["--map-uid", "1:5000:10", "--map-gid", "1:5000:10"], "echo ran")
            .fails("--uid 0: no range of the map has this id");
        Launch::new(root.who).args(["--enter", "1", "--map-auto", "--", "echo", "ran"]).run().fails("--map-auto");
    }
}

/// Where root can make no user namespace, a container without one would have other ids.
#[test]
fn map_is_never_left_out() {
    let Some(root) = who::root().and_then(Root::new) else { return };
    let launch = |options: &[&str]| {
        Launch::of(Who::Root, Path::new("/usr/bin/unshare"))
            .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
            .args(["echo 0 >/proc/sys/user/max_user_namespaces; exec \"$@\"", "sh"])
            .args([nsinit()])
            .args(["--root", root.str(), "--no-sys"])
            .args(options)
            .args(["--", "echo", "ran"])
            .run()
    };
    let without = launch(&[]);
    assert!(without.stdout == "ran\n" && without.stderr.contains("going on without one"), "{without}");
    launch(&["--map-uid", "0:0:1", "--map-gid", "0:0:1"])
        .fails("create namespaces: No space left on device (user.max_user_namespaces is 0");
}

/// The owner of the host's files is nobody in such a container, so they can neither be changed nor be given away.
#[test]
fn files_of_the_host_cannot_be_changed_by_a_mapped_root() {
    let Some(root) = who::root().and_then(Root::new) else { return };
    let Some(granted) = Granted::new(Who::Root) else { return };
    if !is_mappable(&root, &granted) {
        return;
    }
    let before = fs::metadata("/proc/misc").expect("a file").mode();
    let script = "for file in /proc/misc /proc/keys /proc/sys/kernel/core_pattern /dev/null /dev/tty /dev/stdin /sys/kernel /proc/1/exe; do
        chmod 0 $file 2>/dev/null && echo chmod $file
        chown 5 $file 2>/dev/null && echo chown $file
        touch -d @5 $file 2>/dev/null && echo touch $file
        done
        (echo x >/proc/sys/kernel/core_pattern) 2>/dev/null && echo wrote
        id -u";
    for options in [
        &["--map-auto", "--idmap"][..],
        &["--map-auto", "--idmap", "--no-masks"],
        &["--map-auto", "--idmap", "--cap-add", "ALL"],
    ] {
        granted.sh(&root, options, script).says("0");
    }
    assert_eq!(fs::metadata("/proc/misc").expect("a file").mode(), before);
}

#[test]
fn explain_prints_the_map() {
    for (root, granted) in granted() {
        let out = granted.sh(&root, &["--map-auto", "--explain"], "");
        let first = if root.who.is_root() { FIRST } else { root.who.uid() };
        let map = format!("  write uid_map\n  write gid_map\n  map uid 0:{first}:");
        let has = |part: &str| out.text().contains(part);
        assert!(has(&map) && has(&format!(":{FIRST}:{COUNT}\n")) && has("  become a user of the id map\n"), "{out}");
    }
}
