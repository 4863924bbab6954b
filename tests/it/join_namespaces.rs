//! `--join-*`: a container in existing namespaces and new ones.

use std::path::Path;

use super::harness::container::{Container, MAKERS, Maker};
use super::harness::procs::{field_of, our_hostname, our_namespace};
use super::harness::scratch::{nsinit, utf8};
use super::harness::{Deny, Launch, Root, roots, skip, who};

const KINDS: [(&str, &str); 6] = [
    ("--join-cgroup", "cgroup"),
    ("--join-ipc", "ipc"),
    ("--join-net", "net"),
    ("--join-uts", "uts"),
    ("--join-pid", "pid"),
    ("--join-user", "user"),
];

const SHOW: &str = "for k in cgroup ipc net uts pid user; do readlink /proc/self/ns/$k; done";

/// Each kind of namespace of every maker's container: the joined one is the container's, all others are new.
#[test]
fn each_join_option_joins_one_namespace() {
    for who in who::both() {
        for maker in MAKERS {
            let Some(container) = Container::new(who, maker) else { continue };
            let of = container.inside.to_string();
            for (option, kind) in KINDS {
                if !who.is_root() && maker == Maker::Bwrap && option != "--join-user" {
                    // A user namespace around the container's owns these namespaces.
                    continue;
                }
                if kind != "user" && container.namespace(kind) == our_namespace(kind) {
                    // On a machine with only cgroup v1, runc does not unshare the cgroup namespace.
                    continue;
                }
                let ours = who.is_root() && matches!(maker, Maker::Unshare | Maker::Runc);
                if ours && option == "--join-user" {
                    container.root.sh(&[option, &of], SHOW).fails("nsinit is in it already");
                    continue;
                }
                let mut options = vec![option, &of];
                // The pid namespace belongs to the container's user namespace; mounting its /proc needs rights there.
                if option == "--join-pid" && ours {
                    options.push("--share-user");
                } else if option == "--join-pid" || (!who.is_root() && option != "--join-user") {
                    container.root.sh(&options, SHOW).fails("join that too with --join-user");
                    options.extend(["--join-user", &of]);
                }
                let out = container.root.sh(&options, SHOW);
                let shown: Vec<&str> = out.text().lines().collect();
                for (at, (other, kind_of)) in KINDS.iter().enumerate() {
                    let joined = options.contains(other) || (*kind_of == "user" && options.contains(&"--share-user"));
                    let same = shown.get(at).is_some_and(|shown| *shown == container.namespace(kind_of));
                    assert_eq!(same, joined, "{kind_of} with {option} of {maker:?} ({kind}): {out}");
                }
            }
            container.end();
        }
    }
}

/// Two containers that share network and IPC namespaces, and nothing else.
#[test]
fn two_containers_can_share_network_and_ipc() {
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        let Some(second) = Root::new(who) else { continue };
        let of = container.inside.to_string();
        let mut options = vec!["--hostname", "pod", "--join-net", &of, "--join-ipc", &of];
        if !who.is_root() {
            options.extend(["--join-user", &of]);
        }
        let out = second.sh(&options, &format!("{SHOW}; hostname; id -u; ls /proc | grep -c '^[0-9]'; touch /new"));
        let text = out.text();
        for (kind, same) in [("net", true), ("ipc", true), ("uts", false), ("pid", false), ("cgroup", false)] {
            assert_eq!(text.contains(&container.namespace(kind)), same, "{kind}: {out}");
        }
        assert!(text.contains("\npod\n0\n"), "{out}");
        assert!(second.at("new").exists() && !container.root.at("new").exists());
        container.end();
    }
}

/// Root of the host in a user's user namespace is root of that namespace, with no further rights.
#[test]
fn root_in_a_users_namespace_has_only_its_rights() {
    let (Some(root), Some(user)) = (who::root(), who::user()) else { return };
    let Some(container) = Container::new(user, Maker::Nsinit) else { return };
    let of = container.inside.to_string();
    let words = ["--root", container.root.str(), "--join-user", &of, "--join-net", &of];
    let script = format!("{SHOW}; id -u; grep -E '^(Groups|CapEff)' /proc/self/status; echo x >/made");
    let out = Launch::new(root).args(words).args(["--", "/bin/sh", "-c", &script]).run();
    let text = out.text();
    assert!(text.contains(&container.namespace("user")) && text.contains(&container.namespace("net")), "{out}");
    assert!(text.ends_with("\n0\nGroups:\t \nCapEff:\t00000000800405fb"), "{out}");
    let refused =
        |call| Launch::new(root).args(words).args(["--", "true"]).deny(Deny::all(call, libc::EIO)).run_with_others();
    refused(libc::SYS_setns).fails("join namespace user");
    refused(libc::SYS_setresuid).fails("become root of the user namespace: Input/output error");
    use std::os::unix::fs::MetadataExt;
    assert_eq!(container.root.at("made").metadata().expect("the file was made").uid(), user.uid());
    container.end();
}

/// The caller's groups are dropped: the owner of the joined user namespace may trace the command.
#[test]
fn root_drops_its_groups_when_it_joins() {
    let (Some(root), Some(user)) = (who::root(), who::user()) else { return };
    let Some(container) = Container::new(user, Maker::Nsinit) else { return };
    let script = format!(
        "exec setpriv --groups 0,6,42 {} --root {} --join-user {} -- /bin/sh -c 'echo up; read x; exit 0'",
        nsinit().display(),
        container.root.str(),
        container.inside
    );
    let mut run = Launch::of(root, Path::new("/bin/sh")).args(["-c", &script]).open_input().start();
    assert_eq!(run.line(), "up");
    for pid in [run.init(), run.cmd()] {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("read its status");
        assert_eq!(field_of(&status, "Groups").as_deref(), Some(""), "{status}");
    }
    assert_eq!(run.finish_beside(), 0);
    container.end();
}

/// A namespace file as a standard descriptor is not joined.
#[test]
fn namespace_on_standard_input_is_not_joined() {
    let Some(root) = who::root() else { return };
    let Some(container) =
        Container::with(root, Maker::Nsinit, &["--hostname", "inner"], &["/bin/sh", "-c", "echo up; exec sleep 1000"])
    else {
        return;
    };
    let script = format!(
        "exec {} --root {} --share-user --share-uts --join-net {of} -- hostname </proc/{of}/ns/uts",
        nsinit().display(),
        container.root.str(),
        of = container.inside
    );
    let own = our_hostname();
    Launch::of(root, Path::new("/bin/sh")).args(["-c", &script]).run_with_others().is(0, &format!("{own}\n"), "");
    container.end();
}

/// By a path as ip-netns(8) makes it, and by a descriptor.
#[test]
fn namespace_can_be_joined_by_path_or_descriptor() {
    let Some(root) = who::root() else { return };
    let Some(container) = Container::new(root, Maker::Unshare) else { return };
    let Some(own) = Root::new(root) else { return };
    let place = own.file("netns", "");
    let link = format!("/proc/{}/ns/net", container.inside);
    // A mount namespace of its own, because other tests compare mounts.
    let script = format!(
        "mount --bind {link} {place} && exec {n} --root {root} --join-net {place} -- readlink /proc/self/ns/net",
        place = place.display(),
        n = nsinit().display(),
        root = own.str()
    );
    let out = Launch::of(root, Path::new("/usr/bin/unshare")).args(["--mount", "/bin/sh", "-c", &script]).run();
    out.says(&container.namespace("net"));
    let out =
        own.launch(&["--join-net", "fd:7"], &["/bin/sh", "-c", "readlink /proc/self/ns/net; ls /proc/self/fd | wc -l"]);
    out.open_as(Path::new(&link), 7).run().says(&format!("{}\n4", container.namespace("net")));
    let file = own.file("pid", &format!("{}\n", container.inside));
    let options = ["--join-net", utf8(&file)];
    own.run(&options, &["readlink", "/proc/self/ns/net"]).says(&container.namespace("net"));
    container.end();
}

/// Without --root: mounts and root are those of the container.
#[test]
fn join_mount_takes_the_root_too() {
    for who in who::both() {
        for maker in [Maker::Nsinit, Maker::Sandbox] {
            let Some(container) = Container::new(who, maker) else { continue };
            let of = container.inside.to_string();
            let mut words = vec!["--join-mount", &of, "--join-pid", &of];
            if !who.is_root() {
                words.extend(["--join-user", &of]);
            }
            let out = Launch::new(who).args(&words).args([
                "--",
                "/bin/sh",
                "-c",
                "readlink /proc/self/ns/mnt; ls -d /mnt /usr",
            ]);
            let out = out.run();
            assert_eq!(out.stdout, format!("{}\n/mnt\n", container.namespace("mnt")), "{out}");
            for wrong in [&["--root", "/"][..], &["--tmpfs", "/x"], &["--bind", "/", "/"]] {
                Launch::new(who).args(&words).args(wrong).args(["--", "true"]).run().fails("--join-mount");
            }
            container.end();
        }
    }
}

/// Time namespaces, if the kernel has them.
#[test]
fn time_namespace_can_be_joined() {
    if !Path::new("/proc/self/ns/time").exists() {
        return skip("the kernel has no time namespaces");
    }
    for who in who::both() {
        let Some(container) =
            Container::with(who, Maker::Nsinit, &["--unshare-time"], &["/bin/sh", "-c", "echo up; exec sleep 1000"])
        else {
            continue;
        };
        let of = container.inside.to_string();
        let mut options = vec!["--join-time", &of];
        if !who.is_root() {
            options.extend(["--join-user", &of]);
        }
        container.root.run(&options, &["readlink", "/proc/self/ns/time"]).says(&container.namespace("time"));
        container.end();
    }
}

#[test]
fn unusable_namespaces_are_refused() {
    for root in roots() {
        root.run(&["--join-net", "/none"], &["true"]).fails("/none");
        root.run(&["--join-net", "4194304"], &["true"]).fails("No such process");
        root.run(&["--join-net", "/bin/sh"], &["true"]).fails("it holds no process id");
        root.run(&["--join-net", "fd:99"], &["true"]).fails("fd:99");
        root.run(&["--join-net", "fd:x"], &["true"]).fails("fd:x");
        root.run(&["--join-net", ""], &["true"]).fails("empty");
        root.run(&["--join-uts", "1", "--hostname", "x"], &["true"]).fails("--hostname");
        // A namespace of another kind.
        root.run(&["--join-net", "/proc/self/ns/uts"], &["true"]).fails("it is not a namespace of that kind");
        if !root.who.is_root() {
            let out = root.run(&["--join-net", "/proc/self/ns/net"], &["true"]);
            out.fails("it belongs to another user namespace");
        }
    }
}

/// With nsinit's and with bubblewrap's options (--userns): a change of user namespace clears PR_SET_PDEATHSIG
/// (prctl(2)), so nsinit sets it again.
#[test]
fn joined_cmd_dies_with_the_caller() {
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        for join in [
            format!("--userns 9 9</proc/{}/ns/user", container.inside),
            format!("--join-user {0} --join-net {0}", container.inside),
            format!("--join-user {0} --join-pid {0}", container.inside),
        ] {
            let (options, redirect) =
                join.split_once(" 9<").map_or((&join[..], String::new()), |(a, b)| (a, format!("9<{b}")));
            let script = format!(
                "{} --ro-bind {} / --proc /proc --die-with-parent {options} -- /bin/sh -c 'trap \"\" TERM; echo up; while :; do sleep 1; done' {redirect} & read x; kill -9 $$",
                nsinit().display(),
                container.root.str()
            );
            let mut run = Launch::of(who, Path::new("/bin/sh")).args(["-c", &script]).open_input().start();
            assert_eq!(run.line_or_end().as_deref(), Some("up\n"), "{join}");
            // `finish` asserts that the launch ends and leaves nothing.
            let out = run.finish();
            assert_eq!(out.status, -libc::SIGKILL, "{out}");
        }
        container.end();
    }
}
