//! CMD without a container, as process 1 of an image runs it: the options that change CMD's surroundings and rights.

use super::harness::scratch::{nsinit, utf8};
use super::harness::{Dir, Launch, Who, who};

/// As process 1 of a container that another nsinit makes, with all the rights that there are.
fn as_process_1(who: Who, namespaces: &[&str], words: &[&str]) -> Launch {
    const SANDBOX: [&str; 8] =
        ["--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--as-pid-1", "--cap-add=ALL"];
    Launch::new(who).args(SANDBOX).args(namespaces).args(["--", utf8(nsinit())]).args(words)
}

/// A line of /proc/self/status, as a number.
fn set(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {status}"));
    u64::from_str_radix(line.trim(), 16).expect("a set of capabilities")
}

const STATUS: [&str; 2] = ["cat", "/proc/self/status"];

/// No option of these makes a container of its own for process 1; every other process says `--init`.
#[test]
fn options_of_cmd_apply_in_place() {
    for who in who::both() {
        let options =
            ["--setenv", "A", "b", "--chdir", "/usr", "--umask", "027", "--rlimit", "nofile=77", "--nice", "3"];
        let script = "echo $$ $A $(pwd) $(umask) $(ulimit -n) $(nice)";
        let cmd = ["--", "sh", "-c", script];
        let out = as_process_1(who, &[], &[&options[..], &cmd].concat()).run();
        assert!(out.status == 0 && out.stdout.ends_with(" b /usr 0027 77 3\n"), "{out}");
        assert!(!out.stdout.starts_with("1 "), "CMD is a child of process 1: {out}");
        let all = [&["--init"], &options[..], &cmd].concat();
        let out = Launch::new(who).args(all).run();
        assert!(out.status == 0 && out.stdout.ends_with(" b /usr 0027 77 3\n"), "{out}");
    }
}

/// The ids of CMD, and nsinit keeps its own: it must be able to end CMD.
#[test]
fn ids_of_cmd_are_set_in_place() {
    let Some(root) = who::root() else { return };
    let script = "id -u; id -g; id -G; grep -E 'CapEff|CapAmb' /proc/self/status; stat -c %u /proc/$PPID";
    let cmd = ["--", "sh", "-c", script];
    for first in [true, false] {
        let run = |options: &[&str]| {
            let words = [options, &cmd].concat();
            if first {
                as_process_1(root, &[], &words).run()
            } else {
                Launch::new(root).args(["--init"]).args(words).run()
            }
        };
        let none = "CapEff:\t0000000000000000\nCapAmb:\t0000000000000000\n0\n";
        run(&["--uid", "77", "--gid", "78"]).is(0, &format!("77\n78\n78\n{none}"), "");
        run(&["--uid", "77", "--gid", "78", "--groups", "5,6"]).is(0, &format!("77\n78\n78 5 6\n{none}"), "");
        let bind = "CapEff:\t0000000000000400\nCapAmb:\t0000000000000400\n0\n";
        let options = ["--uid", "77", "--gid", "78", "--cap-add", "NET_BIND_SERVICE"];
        run(&options).is(0, &format!("77\n78\n78\n{bind}"), "");
    }
}

/// A capability that is dropped cannot come back with a set-id program: it is not in the bounding set.
#[test]
fn capabilities_of_cmd_are_dropped_in_place() {
    const CHOWN: u64 = 1;
    const KILL: u64 = 1 << 5;
    let Some(root) = who::root() else { return };
    let before = Launch::new(root).args(["--init", "--"]).args(STATUS).run();
    let status = |options: &[&str]| {
        let out = Launch::new(root).args(["--init"]).args(options).args(["--"]).args(STATUS).run();
        assert_eq!(out.status, 0, "{out}");
        out.stdout
    };
    let text = status(&["--cap-drop", "CHOWN"]);
    for name in ["CapPrm:", "CapEff:", "CapBnd:"] {
        assert_eq!(set(&text, name), set(&before.stdout, name) & !CHOWN, "{name} {text}");
    }
    assert_eq!((set(&text, "CapInh:"), set(&text, "CapAmb:")), (0, 0), "{text}");
    let text = status(&["--cap-drop", "ALL", "--cap-add", "KILL"]);
    for name in ["CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(set(&text, name), KILL, "{name} {text}");
    }
    // The last option about a capability counts.
    let text = status(&["--cap-drop", "CHOWN", "--cap-add", "CHOWN"]);
    assert_eq!(set(&text, "CapBnd:"), set(&before.stdout, "CapBnd:"), "{text}");
}

#[test]
fn rights_that_nsinit_lacks_are_an_error() {
    if let Some(who) = who::user() {
        let run = |options: &[&str]| Launch::new(who).args(["--init"]).args(options).args(["--", "echo", "ran"]).run();
        let line = |text: &str| format!("nsinit: cannot {text}\n");
        let refused = "Operation not permitted";
        run(&["--uid", "0"]).is(125, "", &line(&format!("become user 0: {refused}")));
        run(&["--groups", "5"]).is(125, "", &line(&format!("become a member of --groups: {refused}")));
        let drop = "(without a container, --cap-drop needs CAP_SETPCAP)";
        run(&["--cap-drop", "KILL"]).is(125, "", &line(&format!("reduce the bounding set: {refused} {drop}")));
        let add = "(without a container, nsinit needs each capability of --cap-add itself)";
        run(&["--cap-add", "KILL"]).is(125, "", &line(&format!("reduce capabilities: {refused} {add}")));
        // These change nothing.
        let own = [who.uid().to_string(), who.gid().to_string()];
        run(&["--uid", &own[0], "--gid", &own[1]]).is(0, "ran\n", "");
    }
}

/// An ordinary user may do so too, and no container is made.
#[test]
fn no_new_privs_is_set_in_place() {
    for who in who::both() {
        let script = "readlink /proc/self/ns/mnt; grep NoNewPrivs /proc/self/status";
        let run = |options: &[&str]| Launch::new(who).args(options).args(["--", "sh", "-c", script]).run();
        let mounts = std::fs::read_link("/proc/self/ns/mnt").expect("read a namespace");
        run(&["--no-new-privs"]).is(0, &format!("{}\nNoNewPrivs:\t1\n", mounts.display()), "");
        run(&[]).is(0, &format!("{}\nNoNewPrivs:\t0\n", mounts.display()), "");
        // What a container has anyway; and the last of the two options counts.
        let status = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--no-new-privs"];
        let ends = |options: &[&str], line: &str| assert!(run(options).stdout.ends_with(line), "{options:?} {line}");
        ends(&status, "NoNewPrivs:\t1\n");
        ends(&[&status[..], &["--allow-new-privs"]].concat(), "NoNewPrivs:\t0\n");
    }
}

/// In place, the name is that of the UTS namespace that nsinit is in. That of the machine is not changed.
#[test]
fn hostname_in_place_is_never_the_machines() {
    let name = || std::fs::read_to_string("/proc/sys/kernel/hostname").expect("read the host name");
    let before = name();
    for who in who::both() {
        as_process_1(who, &["--unshare-uts"], &["--hostname", "box", "--", "uname", "-n"]).run().is(0, "box\n", "");
        let refused = "nsinit: cannot set host name box: Operation not permitted (it would be the machine's: \
                       --hostname needs an own UTS namespace, see --unshare-uts)\n";
        as_process_1(who, &[], &["--hostname", "box", "--", "uname", "-n"]).run().is(125, "", refused);
        Launch::new(who).args(["--init", "--hostname", "box", "--", "uname", "-n"]).run().is(125, "", refused);
        // Without CAP_SYS_ADMIN.
        let weak = ["--unshare-uts", "--cap-drop", "SYS_ADMIN"];
        let lacks = "nsinit: cannot set host name box: Operation not permitted (this needs CAP_SYS_ADMIN: let the program \
                     that makes the container set the name)\n";
        as_process_1(who, &weak, &["--hostname", "box", "--", "uname", "-n"]).run().is(125, "", lacks);
    }
    assert_eq!(name(), before);
}

/// An option that has no effect in place is an error there.
#[test]
fn options_of_a_container_are_refused_in_place() {
    for who in who::both() {
        for options in [&["--allow-new-privs"][..], &["--keep-fd", "0"], &["--unshare-uts"], &["--keep-keyring"]] {
            let out = Launch::new(who).args(["--init"]).args(options).args(["--", "echo", "ran"]).run();
            out.is(125, "", "nsinit: --init excludes every option that makes a container (which has an init)\n");
        }
    }
}

// ---- operations on the root, in place

/// Process 1 changes the root that it has, once, and then starts CMD there.
#[test]
fn operations_in_place_change_the_root_of_process_1() {
    for who in who::both() {
        let dir = Dir::new(who);
        let at = |name: &str| dir.at(name).to_str().expect("UTF-8").to_owned();
        dir.dir("place");
        dir.dir("from/below");
        let options = [
            "--tmpfs",
            &at("place"),
            "--perms",
            "0700",
            "--dir",
            &at("place/deep/private"),
            "--symlink",
            "deep",
            &at("place/link"),
            "--ro-bind",
            &at("from"),
            &at("place/from"),
        ];
        let script = format!(
            "cd {}; stat -c '%n %a %F' deep/private link from/below; umask; touch from/x 2>/dev/null || echo read-only; \
             awk -v d=$PWD '$2 == d {{ print $3 }}' /proc/mounts",
            at("place")
        );
        let cmd = ["--umask", "027", "--", "sh", "-c", &script];
        let words = [&["--init"], &options[..], &cmd].concat();
        let seen =
            "deep/private 700 directory\nlink 777 symbolic link\nfrom/below 755 directory\n0027\nread-only\ntmpfs\n";
        as_process_1(who, &[], &words).run().is(0, seen, "");
        // They were in a mount namespace of the container.
        assert_eq!(std::fs::read_dir(dir.at("place")).expect("read a directory").count(), 0);
        // Of a machine, once for all starts of CMD.
        let boot = ["--boot", "--init", "--respawn", "--tmpfs", &at("place"), "--", "sh", "-c"];
        let script =
            format!("mkdir {0}/$$; ls {0} | wc -l; [ $(ls {0} | wc -l) = 2 ] && kill -USR2 1; exit 1", at("place"));
        as_process_1(who, &[], &[&boot[..], &[&script]].concat()).run().is(0, "1\n2\n", "");
    }
}

/// A failed operation ends the launch, as in a container.
#[test]
fn failed_operations_in_place_are_reported() {
    for who in who::both() {
        let dir = Dir::new(who);
        let place = dir.str();
        let run =
            |options: &[&str]| as_process_1(who, &[], &[&["--init"], options, &["--", "echo", "ran"]].concat()).run();
        let line = |text: &str| format!("nsinit: {text}\n");
        let missing = "cannot bind mount /no/such: No such file or directory";
        run(&["--bind", "/no/such", place]).is(125, "", &line(missing));
        run(&["--tmpfs", "/"]).is(125, "", &line("DEST /: it must be below the root"));
        let container = line("--proc, --dev, --mqueue, --bind-data and the overlays need a container");
        for options in [&["--dev", place][..], &["--proc", place], &["--tmp-overlay", place]] {
            let out = run(options);
            assert!(out.status == 125 && (out.stderr == container || options[0] == "--tmp-overlay"), "{out}");
        }
        for options in [&["--volatile"][..], &["--read-only"], &["--image", "/x"], &["--root", "/"]] {
            let out = run(options);
            assert!(out.status == 125 && out.stdout.is_empty(), "{out}");
        }
        // The mounts of any other process would stay in the caller's mount namespace.
        let process = line("--init needs process 1 for operations on the root");
        Launch::new(who).args(["--init", "--tmpfs", place, "--", "echo", "ran"]).run().is(125, "", &process);
        // The machine ends as --on-exit says.
        let words = ["--boot", "--init", "--bind", "/no/such", place, "--", "echo", "ran"];
        as_process_1(who, &[], &words).run().is(0, "", &line(missing));
        // A bind needs mount_setattr(2); the rest does not.
        let old = |options: &[&str]| {
            let words = [&["--init"], options, &["--", "echo", "ran"]].concat();
            as_process_1(who, &[], &words).lacking(&[libc::SYS_mount_setattr]).run()
        };
        old(&["--tmpfs", place, "--dir", &format!("{place}/x")]).is(0, "ran\n", "");
        old(&["--bind", "/usr", place]).is(
            125,
            "",
            &line("cannot bind mount /usr: Function not implemented (without a container, this needs Linux 5.12)"),
        );
    }
}
