//! `--probe`: each answer is what really works, for root and for a user, on this machine and inside of containers, under filters and
//! limits; and it leaves nothing behind.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};
use serde_json::Value;

use super::harness::scratch::{nsinit, utf8};
use super::harness::{Deny, Dir, Engine, Launch, Out, Who, deny, who};

/// The keys, in the order of the output. Scripts know them: none may change.
const KEYS: [&str; 33] = [
    "user_namespaces",
    "mount_namespaces",
    "pid_namespaces",
    "ipc_namespaces",
    "uts_namespaces",
    "net_namespaces",
    "cgroup_namespaces",
    "time_namespaces",
    "nested_user_namespaces",
    "subordinate_ids",
    "idmapped_mounts",
    "overlays",
    "procfs",
    "sysfs",
    "mqueue",
    "devpts",
    "ptys",
    "landlock",
    "no_new_privs",
    "seccomp",
    "openat2",
    "mount_descriptors",
    "mount_setattr",
    "clone3",
    "clone_into_cgroup",
    "pidfd",
    "close_range",
    "own_file_left_cheaply",
    "keyrings",
    "cgroup2",
    "cgroup_controllers",
    "cgroup_delegation",
    "root",
];

/// Those for which nsinit launches a whole container.
const LAUNCHES: [&str; 2] = ["subordinate_ids", "root"];
const MANY_IDS: [&str; 5] = ["--root", "/", "--map-auto", "--", "true"];

/// The answers of one run: for each key what is printed behind it, `yes ...` or `no: ...`.
struct Answers {
    answers: BTreeMap<String, String>,
    status: i32,
    line: String,
}

impl Answers {
    #[track_caller]
    fn of(out: &Out) -> Answers {
        assert!(out.stderr.is_empty() && (out.status == 0 || out.status == 1), "{out}");
        let pairs: Vec<(String, String)> = out
            .stdout
            .lines()
            .map(|line| line.split_once(": ").expect("a name and an answer"))
            .map(|(name, answer)| (name.replace(' ', "_"), answer.to_owned()))
            .collect();
        let keys: Vec<&str> = pairs.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, KEYS, "{out}");
        let answers: BTreeMap<String, String> = pairs.into_iter().collect();
        let found = Answers { answers, status: out.status, line: out.to_string() };
        assert_eq!(found.works("root"), out.status == 0, "{out}");
        found
    }

    #[track_caller]
    fn works(&self, key: &str) -> bool {
        let answer = self.answer(key);
        assert!(answer.starts_with("yes") || answer.starts_with("no: "), "{key}: {answer}");
        answer.starts_with("yes")
    }

    fn answer(&self, key: &str) -> &str {
        &self.answers[key]
    }

    /// Whether it works and, if not, the errno: without the cause, which a filter is, whatever else forbids it.
    fn result(&self, key: &str) -> &str {
        self.answer(key).split(" (").next().unwrap_or_default()
    }

    /// It works or not as `expected`.
    #[track_caller]
    fn is(&self, key: &str, expected: bool) {
        assert_eq!(self.works(key), expected, "{key}\n{}", self.line);
    }

    /// It does not work, and the line names this cause.
    #[track_caller]
    fn lacks(&self, key: &str, cause: &str) {
        assert!(!self.works(key) && self.answer(key).contains(cause), "expected {key}: no, {cause:?}\n{}", self.line);
    }
}

fn probe(who: Who) -> Launch {
    Launch::new(who).args(["--probe"])
}

/// Whether nsinit can do it.
fn can(who: Who, options: &[&str], cmd: &[&str]) -> bool {
    Launch::new(who).args(options).args(["--"]).args(cmd).run().status == 0
}

const HOST: [&str; 3] = ["--dev-bind", "/", "/"];

#[test]
fn answers_are_what_the_options_can_do() {
    for who in who::both() {
        let found = Answers::of(&probe(who).run());
        let users = if who.is_root() { &["--unshare-user"][..] } else { &[] };
        found.is("user_namespaces", can(who, &[&HOST[..], &["--unshare-user"]].concat(), &["true"]));
        let namespaces = [
            ("mount_namespaces", "--unshare-ipc"),
            ("pid_namespaces", "--unshare-pid"),
            ("ipc_namespaces", "--unshare-ipc"),
            ("uts_namespaces", "--unshare-uts"),
            ("net_namespaces", "--unshare-net"),
            ("cgroup_namespaces", "--unshare-cgroup"),
            ("time_namespaces", "--unshare-time"),
        ];
        for (key, option) in namespaces {
            found.is(key, can(who, &[&HOST[..], users, &[option]].concat(), &["true"]));
        }
        let nested = ["--unshare-user", "--uid", "0", "--gid", "0"];
        found.is("nested_user_namespaces", can(who, &[&HOST[..], &nested].concat(), &["unshare", "-U", "true"]));
        let mounts = [
            ("procfs", &["--unshare-pid", "--proc", "/proc"][..]),
            ("sysfs", &["--unshare-net", "--sys", "/sys"]),
            ("mqueue", &["--unshare-ipc", "--mqueue", "/dev/mqueue"]),
            ("devpts", &["--dev", "/dev"]),
            ("overlays", &["--overlay-src", "/usr/share", "--tmp-overlay", "/usr/share"]),
        ];
        for (key, options) in mounts {
            found.is(key, can(who, &[&HOST[..], users, options].concat(), &["true"]));
        }
        found.is("root", can(who, &["--root", "/"], &["true"]));
        let launched = Launch::new(who).args(MANY_IDS).run();
        found.is("subordinate_ids", launched.status == 0);
        if launched.status != 0 {
            // The message is the reason.
            found.lacks("subordinate_ids", launched.stderr.trim_start_matches("nsinit: ").trim_end());
        }
    }
}

/// Calls that need no right: this process asks too.
#[test]
fn answers_about_calls_are_those_of_the_kernel() {
    for who in who::both() {
        let found = Answers::of(&probe(who).run());
        // SAFETY: with these arguments no call reads or writes memory, or makes anything.
        let knows = |call, arguments: [usize; 4]| unsafe {
            let [a, b, c, d] = arguments;
            libc::syscall(call, a, b, c, d) >= 0 || std::io::Error::last_os_error().raw_os_error() != Some(libc::ENOSYS)
        };
        found.is("landlock", knows(libc::SYS_landlock_create_ruleset, [0, 0, 1, 0]));
        found.is("openat2", knows(libc::SYS_openat2, [usize::MAX, 0, 0, 0]));
        found.is("clone3", knows(libc::SYS_clone3, [0, 0, 0, 0]));
        found.is("pidfd", knows(libc::SYS_pidfd_open, [0, 1, 0, 0]));
        found.is("close_range", knows(libc::SYS_close_range, [2, 1, 0, 0]));
        found.is("mount_setattr", knows(libc::SYS_mount_setattr, [0, 0, 0, 0]));
        found.is("mount_descriptors", knows(libc::SYS_fsopen, [0, 1, 0, 0]));
        if found.works("landlock") {
            // SAFETY: the flag asks for the version, without attributes.
            let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, 0, 0, 1) };
            assert_eq!(found.answer("landlock"), format!("yes (ABI {version})"));
        }
        let controllers =
            own_cgroup().map(|own| fs::read_to_string(own.join("cgroup.controllers")).unwrap_or_default());
        found.is("cgroup2", controllers.is_some());
        match controllers.as_deref().map(str::trim_end) {
            None | Some("") => found.is("cgroup_controllers", false),
            Some(list) => assert_eq!(found.answer("cgroup_controllers"), format!("yes ({list})")),
        }
    }
}

/// The directory of this process's cgroup of version 2.
fn own_cgroup() -> Option<PathBuf> {
    let list = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = list.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let trees = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
    let own = trees.map(|tree| Path::new(tree).join(path));
    own.into_iter().find(|own| own.join("cgroup.procs").exists() && own.join("cgroup.controllers").exists())
}

#[test]
fn json_has_the_same_answers() {
    for who in who::both() {
        let found = Answers::of(&probe(who).run());
        let out = probe(who).args(["--json"]).run();
        let whole: Value = serde_json::from_str(&out.stdout).expect("an object of JSON");
        let object = whole.as_object().expect("an object");
        assert_eq!(object.len(), KEYS.len());
        assert_eq!(out.status, found.status);
        for key in KEYS {
            let (its, text) = (&object[key], found.answer(key));
            let string = |name: &str| its.get(name).map(|value| value.as_str().expect("a string"));
            let expected = match (its["works"].as_bool().expect("true or false"), string("reason"), string("hint")) {
                (true, None, None) => string("detail").map_or("yes".to_owned(), |detail| format!("yes ({detail})")),
                (false, Some(reason), None) => format!("no: {reason}"),
                (false, Some(reason), Some(hint)) => format!("no: {reason} ({hint})"),
                other => panic!("{key}: {other:?}"),
            };
            assert_eq!(expected, text, "{key}");
        }
    }
}

const FILTER: &str = "(nsinit was started under a seccomp filter, which may forbid this)";

/// Calls that a filter refuses, and the features that are missing then. All other answers stay as they are, except that about a
/// whole container, which is compared with one.
const REFUSED: &[(&[i64], &[&str])] = &[
    (&[libc::SYS_landlock_create_ruleset], &["landlock"]),
    (&[libc::SYS_openat2], &["openat2"]),
    (&[libc::SYS_pidfd_open], &["pidfd"]),
    (&[libc::SYS_clone3], &["clone3", "clone_into_cgroup"]),
    (&[libc::SYS_close_range], &["close_range"]),
    (&[libc::SYS_mount_setattr], &["idmapped_mounts", "mount_setattr"]),
    (&[libc::SYS_open_tree], &["idmapped_mounts", "mount_descriptors", "mount_setattr"]),
    (&[libc::SYS_fsopen], &["mount_descriptors"]),
    (&[libc::SYS_move_mount], &["mount_descriptors"]),
    (&[libc::SYS_keyctl], &["keyrings"]),
    (&[libc::SYS_setns], &[]),
    (&[libc::SYS_mkdirat], &["overlays", "cgroup_delegation"]),
];

#[test]
fn filter_that_refuses_a_call_is_named() {
    for who in who::both() {
        let free = Answers::of(&probe(who).run());
        for (calls, features) in REFUSED {
            for errno in [libc::EPERM, libc::ENOSYS] {
                let denied = |launch: Launch| calls.iter().fold(launch, |l, call| l.deny(Deny::all(*call, errno)));
                let found = Answers::of(&denied(probe(who)).run());
                for key in KEYS.into_iter().filter(|key| !LAUNCHES.contains(key)) {
                    if features.contains(&key) {
                        found.lacks(key, FILTER);
                    } else {
                        assert_eq!(found.result(key), free.result(key), "{key} without {calls:?}\n{}", found.line);
                    }
                }
                let launched = denied(Launch::new(who).args(["--root", "/", "--", "true"])).run();
                found.is("root", launched.status == 0);
                let launched = denied(Launch::new(who).args(MANY_IDS)).run();
                found.is("subordinate_ids", launched.status == 0);
            }
        }
    }
}

/// A filter that kills the process that makes one of these calls.
fn deadly(calls: &[i64]) -> BpfProgram {
    let arch = TargetArch::try_from(std::env::consts::ARCH).expect("seccompiler supports this architecture");
    let rules = calls.iter().map(|call| (*call, Vec::new())).collect();
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::KillProcess, arch)
        .and_then(BpfProgram::try_from)
        .expect("a filter")
}

#[test]
fn filter_that_kills_hides_no_other_answer() {
    const KILLED: &str = "no: a seccomp filter killed the process";
    const INSIDE: &[&str] = &[
        "mount_namespaces",
        "ipc_namespaces",
        "uts_namespaces",
        "net_namespaces",
        "time_namespaces",
        "nested_user_namespaces",
        "overlays",
        "procfs",
        "sysfs",
        "mqueue",
        "devpts",
        "mount_descriptors",
        "mount_setattr",
    ];
    let rows: [(i64, &[&str]); 4] = [
        (libc::SYS_landlock_create_ruleset, &["landlock"]),
        (libc::SYS_openat2, &["openat2"]),
        (libc::SYS_pidfd_open, &["pidfd"]),
        (libc::SYS_unshare, INSIDE),
    ];
    for who in who::both() {
        let free = Answers::of(&probe(who).run());
        for (call, features) in rows {
            let filter = deadly(&[call]);
            let found = Answers::of(&probe(who).before(move || deny::install(&filter)).run());
            for key in KEYS.into_iter().filter(|key| !LAUNCHES.contains(key)) {
                let expected = if features.contains(&key) { KILLED } else { free.result(key) };
                assert_eq!(found.result(key), expected, "{key}\n{}", found.line);
            }
            found.is("root", call != libc::SYS_unshare);
        }
    }
}

/// Without no_new_privs and without filters of its own nothing is confined: the answers name that.
#[test]
fn kernel_without_filters_is_named() {
    for who in who::both() {
        let no_new_privs = Deny::when(libc::SYS_prctl, 0, u64::MAX, libc::PR_SET_NO_NEW_PRIVS as u64, libc::EPERM);
        let found = Answers::of(&probe(who).deny(no_new_privs).run());
        found.lacks("no_new_privs", FILTER);
        found.lacks("seccomp", FILTER);
        found.is("root", false);
        let set_seccomp = Deny::when(libc::SYS_prctl, 0, u64::MAX, libc::PR_SET_SECCOMP as u64, libc::EINVAL);
        let found = Answers::of(&probe(who).deny(set_seccomp).run());
        found.lacks("seccomp", "Invalid argument (the kernel has no CONFIG_SECCOMP_FILTER)");
        found.is("no_new_privs", true);
    }
}

// ---- in containers

/// Runs the probe in a container of nsinit that has this machine's files.
fn inside(who: Who, options: &[&str]) -> Answers {
    let program = nsinit().to_str().expect("UTF-8");
    Answers::of(&Launch::new(who).args(["--root", "/"]).args(options).args(["--", program, "--probe"]).run())
}

#[test]
fn container_of_nsinit_forbids_nesting_and_says_so() {
    for who in who::both() {
        let found = inside(who, &[]);
        for key in ["user_namespaces", "root"] {
            found.is(key, false);
        }
        let found = inside(who, &["--allow-nesting"]);
        for key in ["user_namespaces", "mount_namespaces", "pid_namespaces", "net_namespaces"] {
            found.is(key, true);
        }
        // The container's /proc is masked, and its /proc/sys is read-only.
        let masked = "Operation not permitted (the /proc outside is masked, as in a container: \
            use --allow-nesting, and --share-pid or --no-proc)";
        found.lacks("procfs", masked);
        found.lacks("root", "the /proc outside is masked");
        found.lacks("idmapped_mounts", "");
        let found = inside(who, &["--allow-nesting", "--no-masks"]);
        found.is("procfs", true);
        found.is("root", true);
    }
}

#[test]
fn limit_of_no_user_namespaces_is_named() {
    const LIMIT: &str = "user.max_user_namespaces is 0";
    for who in who::both() {
        let program = nsinit().display();
        // The limit is that of a new user namespace.
        let script = format!("echo 0 >/proc/sys/user/max_user_namespaces && exec {program} --probe");
        let launch = Launch::of(who, Path::new("/usr/bin/unshare"));
        let found = Answers::of(&launch.args(["--user", "--map-root-user", "/bin/sh", "-c", &script]).run());
        for key in ["user_namespaces", "nested_user_namespaces"] {
            found.lacks(key, LIMIT);
        }
    }
}

#[test]
fn dockers_filter_is_named_in_a_container_of_runc() {
    let Some(engine) = Engine::new() else { return };
    let found = Answers::of(&engine.filtered().run(&[utf8(nsinit()), "--probe"]));
    for key in
        ["user_namespaces", "mount_namespaces", "pid_namespaces", "procfs", "mount_setattr", "keyrings", "clone3"]
    {
        found.lacks(key, FILTER.trim_end_matches(')'));
    }
    for key in ["no_new_privs", "seccomp", "openat2", "pidfd", "close_range"] {
        found.is(key, true);
    }
    found.lacks("cgroup_delegation", "");
    found.lacks("root", "nsinit was started under a seccomp filter");
}

// ---- usage

#[test]
fn probe_takes_no_command_and_no_other_option() {
    const ALONE: &str = "nsinit: --probe goes with --json only, and without a command\n";
    for who in who::both() {
        for words in [&["--probe", "--", "true"][..], &["--probe", "--root", "/"], &["--verbose", "--probe"]] {
            Launch::new(who).args(words).run().is(125, "", ALONE);
        }
        Launch::new(who).args(["--json", "--", "true"]).run().is(
            125,
            "",
            "nsinit: --json needs --probe, or --enter and --stats\n",
        );
        Launch::of(who, Path::new("/bin/sh"))
            .args(["-c", &format!("{} --probe >/dev/full", nsinit().display())])
            .run()
            .is(125, "", "nsinit: cannot write to standard output: No space left on device\n");
    }
}

/// No cgroup, key, mount, core file or process. (The harness looks for mounts and processes after each run.)
#[test]
fn nothing_is_left_of_the_probe() {
    for who in who::both() {
        let directory = Dir::new(who);
        let cgroups = || own_cgroup().map(|own| fs::read_dir(own).expect("read a cgroup").count());
        let before = cgroups();
        let filter = deadly(&[libc::SYS_unshare]);
        let launch = probe(who).directory(directory.path()).before(move || deny::install(&filter));
        Answers::of(&launch.run());
        Answers::of(&probe(who).directory(directory.path()).run());
        assert_eq!(cgroups(), before);
        assert_eq!(fs::read_dir(directory.path()).expect("read the directory").count(), 0, "a file is left");
    }
}
