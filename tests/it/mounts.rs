//! Mounts come in and none goes out; and what a filter refuses of the newer calls is done by the older ones.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::ptr;

use super::harness::deny::MOUNT_CALLS;
use super::harness::scratch::{Dir, nsinit};
use super::harness::{Deny, Launch, Out, Root, Who, roots, who};

/// A shell with a mount namespace of its own, whose mounts are all shared: a host.
fn host(script: &str) -> Launch {
    Launch::of(Who::Root, Path::new("/bin/sh")).args(["-ec", script]).before(|| {
        let flags = libc::MS_REC | libc::MS_SHARED;
        // SAFETY: unshare takes a number; mount reads one C string here.
        let done = unsafe {
            libc::unshare(libc::CLONE_NEWNS) == 0
                && libc::mount(ptr::null(), c"/".as_ptr(), ptr::null(), flags, ptr::null()) == 0
        };
        if done { Ok(()) } else { Err(io::Error::last_os_error()) }
    })
}

/// What is done outside, then inside; the first line of that is printed.
type Step<'s> = (&'s str, &'s str);

/// A host with a tmpfs at $S, `before`, and a container that runs the steps beside it. $S stands for the place in `options` too.
#[track_caller]
fn beside(root: &Root, options: &[&str], before: &str, steps: &[Step<'_>], after: &str, lacking: &[i64]) -> Out {
    let dir = Dir::new(root.who);
    let user = match root.who.is_root() {
        true => String::new(),
        false => format!("setpriv --reuid {} --regid {} --clear-groups", root.who.uid(), root.who.gid()),
    };
    let inside: String = steps.iter().map(|(_, inside)| format!("read x; {{ {inside}; }} 2>/dev/null; ")).collect();
    let outside: String =
        steps.iter().map(|(outside, _)| format!("{outside}; echo go >&8; read line <&9; echo $line\n")).collect();
    host(&format!(
        "S={dir}; mount -t tmpfs -o mode=755 host $S; cd $S; mkdir later inner; mkfifo go said
        {before}
        {user} {nsinit} {options} -- /bin/busybox sh -c 'echo up; {inside}read x' <go >said &
        exec 8>go 9<said; read line <&9; echo $line
        {outside}{after}
        exec 8>&- 9>&-; wait",
        dir = dir.str(),
        nsinit = nsinit().display(),
        options = options.join(" "),
    ))
    .lacking(lacking)
    .run()
}

/// mount_namespaces(7): all is a slave of the caller's. A disk that is plugged in shows, one that is to go is not held, and what
/// is mounted inside stays there, even by a CMD that may mount.
#[test]
fn mounts_come_in_and_none_goes_out() {
    if who::root().is_none() {
        return;
    }
    for root in roots() {
        let whole = format!("mount --bind $S {}/mnt", root.str());
        let all: &[&str] =
            if root.who.is_root() { &["--share-user", "--cap-add", "ALL"] } else { &["--cap-add", "ALL"] };
        let of = |more: &[&'static str]| [&["--root", root.str()], more].concat();
        let cases = [
            (of(&["--bind", "$S", "/mnt"]), ""),
            (of(&["--read-only", "--ro-bind", "$S", "/mnt"]), ""),
            (of(&["--bind", "$S", "/mnt", "--remount-ro", "/mnt"]), ""),
            (of(&[]), whole.as_str()),
            ([&of(&["--bind", "$S", "/mnt"])[..], all].concat(), ""),
            (vec!["--bind", root.str(), "/", "--proc", "/proc", "--bind", "$S", "/mnt"], ""),
        ];
        let steps = [
            ("mount -t tmpfs later later; echo content >later/file", "read l </mnt/later/file; echo $l"),
            ("umount later", "ls /mnt/later | wc -l"),
            (":", "mount -t tmpfs inside /mnt/inner; echo x >/mnt/inner/file; echo done"),
        ];
        // It is seen outside if there was no mount inside, or one that went out.
        let after = "grep -c ' - tmpfs inside' /proc/self/mountinfo || :";
        for (options, before) in &cases {
            for lacking in [&[][..], &[libc::SYS_open_tree], &[libc::SYS_mount_setattr]] {
                let out = beside(&root, options, before, &steps, after, lacking);
                out.is(0, "up\ncontent\n0\ndone\n0\n", "");
            }
        }
    }
}

/// What the container has on top stays there, whatever comes and goes below it: its /proc and /dev, and what hides a directory.
#[test]
fn what_hides_goes_on_hiding() {
    if who::root().is_none() {
        return;
    }
    for root in roots() {
        let options = ["--root", root.str(), "--bind", "$S", "/mnt", "--tmpfs", "/mnt/inner", "--tmpfs", "/mnt/later"];
        let places = format!("inner later {root}/proc {root}/dev", root = root.str());
        let mount = format!("for d in {places}; do mount -t tmpfs outer $d; echo x >$d/hidden; done");
        let umount = format!("umount {places}");
        let look = "ls -d /mnt/*/hidden /proc/hidden /dev/hidden | wc -l; ls -d /proc/self /dev/null | wc -l";
        let look = format!("echo $({look})");
        for before in ["", "mount -t tmpfs before later; echo x >later/hidden"] {
            let last = if before.is_empty() { ":" } else { "umount later" };
            let steps: Vec<Step<'_>> =
                [&mount, &umount, &mount, &umount, last].into_iter().map(|step| (step, look.as_str())).collect();
            beside(&root, &options, before, &steps, "", &[]).is(0, &format!("up\n{}", "0 2\n".repeat(5)), "");
        }
    }
}

/// A mount of the container's: what it shows, where, how.
fn table(mountinfo: &str) -> Vec<String> {
    let mut lines: Vec<String> = mountinfo
        .lines()
        .map(|line| {
            let (mount, system) = line.split_once(" - ").unwrap_or_else(|| panic!("not a mount: {line:?}"));
            let words: Vec<&str> = mount.split(' ').collect();
            // Without ids, the number of a master, and the name of a source.
            let master = words.iter().skip(6).filter_map(|word| word.split(':').next());
            let kind = system.split(' ').next().unwrap_or_default();
            [&words[3..6], &master.collect::<Vec<_>>(), &[kind]].concat().join(" ")
        })
        .collect();
    // Of two on one place only the later shows.
    let point = |line: &str| line.split(' ').nth(1).map(str::to_owned);
    let shown: Vec<String> = (0..lines.len())
        .filter(|at| !lines[at + 1..].iter().any(|other| point(other) == point(&lines[*at])))
        .map(|at| lines[at].clone())
        .collect();
    lines = shown;
    lines.sort();
    lines
}

/// Docker's filters with runc before 1.0.0-rc93 say EPERM of calls that they do not know. What is mounted, and how restricted,
/// is the same whichever is missing, however that is said.
#[test]
fn a_refused_call_is_a_missing_one() {
    for root in roots() {
        let dir = Dir::new(root.who);
        dir.dir("sub");
        let preset = ["--root", root.str()];
        let mounts = [
            "--ro-bind",
            dir.str(),
            "/mnt",
            "--noexec",
            "--bind",
            "/dev",
            "/etc",
            "--tmpfs",
            "/tmp",
            "--remount-ro",
            "/tmp",
        ];
        let cases = [
            preset.to_vec(),
            [&preset[..], &mounts].concat(),
            [&preset[..], &["--share-net", "--share-pid", "--read-only"]].concat(),
            [&["--ro-bind", root.str(), "/", "--proc", "/proc"][..], &mounts].concat(),
        ];
        for options in cases {
            let launch =
                || Launch::new(root.who).args(&options).args(["--", "/bin/busybox", "cat", "/proc/self/mountinfo"]);
            let expected = table(launch().run().text());
            for errno in [libc::ENOSYS, libc::EPERM] {
                let alone = MOUNT_CALLS.iter().map(|call| vec![*call]);
                for calls in alone.chain([MOUNT_CALLS.to_vec(), vec![libc::SYS_open_tree, libc::SYS_fsopen]]) {
                    let launch = calls.iter().fold(launch(), |launch, call| launch.deny(Deny::all(*call, errno)));
                    let out = launch.run();
                    assert_eq!(table(out.text()), expected, "{calls:?} {errno}\n{out}");
                }
            }
        }
    }
}

/// What the kernel does not permit stays so, by either way: an attribute that is locked (mount_namespaces(7)).
#[test]
fn a_refusal_of_the_kernels_is_none_of_a_filter() {
    if who::root().is_none() {
        return;
    }
    for root in roots().into_iter().filter(|root| !root.who.is_root()) {
        let options = ["--root", root.str(), "--exec", "--bind", "$S", "/mnt"];
        let script = "mount -o remount,noexec $S; cp /bin/busybox inner 2>/dev/null || :";
        let out = beside(&root, &options, script, &[], "", &[]);
        assert!(out.stderr.contains("Operation not permitted") && !out.stdout.contains("up"), "{out}");
    }
}

// ---- where it goes

/// bubblewrap's ensure_file: a file that is only a mount point is not writable.
#[test]
fn a_file_that_is_mounted_on_is_made_read_only() {
    for root in roots() {
        let options = ["--ro-bind-data", "0", "/mnt/made/file", "--dir", "/mnt/dir"];
        root.launch(&options, &["cat", "/mnt/made/file"]).input("data").run().is(0, "data", "");
        let mode = |name| fs::symlink_metadata(root.at(name)).expect("it was made").mode() & 0o7777;
        assert_eq!((mode("mnt/made/file"), mode("mnt/made"), mode("mnt/dir")), (0o444, 0o755, 0o755));
    }
}

/// What a link says is there or it is not: it is no directory to make. A magic link of a procfs leads nowhere, in whatever there
/// is of its name (RESOLVE_NO_MAGICLINKS).
#[test]
fn a_dangling_link_is_no_directory_to_make() {
    for root in roots() {
        root.symlink("../no/such", "etc/relative");
        root.symlink("/no/such", "etc/absolute");
        root.symlink("/etc/absolute/more", "etc/chain");
        root.symlink("/proc/self/cwd", "etc/magic");
        root.symlink("/proc/1/fd/0", "etc/number");
        root.symlink("/mnt", "etc/good");
        let before = root.listing();
        let (source, file) = (root.at("etc"), root.at("bin/busybox"));
        let (source, file) = (source.to_str().unwrap(), file.to_str().unwrap());
        for (link, reason) in [
            ("relative", "No such file or directory (a symbolic link on the path is dangling"),
            ("absolute", "No such file or directory (a symbolic link"),
            ("chain", "No such file or directory (a symbolic link"),
            ("magic", "Too many levels of symbolic links"),
            ("number", "Too many levels of symbolic links"),
        ] {
            let dest = format!("/etc/{link}/made");
            for options in [
                &["--dir", &dest][..],
                &["--file", "0", &dest],
                &["--bind", source, &dest],
                &["--bind", file, &dest],
                &["--tmpfs", &dest],
                &["--symlink", "x", &dest],
            ] {
                let out = root.run(options, &["true"]);
                out.fails(&dest);
                assert!(out.stderr.contains(&format!("{dest}: {reason}")), "{out}");
            }
            assert_eq!(before, root.listing(), "{link}");
        }
        // Of other causes it is not said.
        root.run(&["--symlink", "", "/x"], &["true"]).is(
            125,
            "",
            "nsinit: make symbolic link /x: No such file or directory\n",
        );
        root.run(&["--dir", "/proc/no"], &["true"]).is(
            125,
            "",
            "nsinit: make directory /proc/no: No such file or directory\n",
        );
        // What is below a link that leads somewhere is made.
        root.run(&["--dir", "/etc/good/a/b", "--dir", "/no/such", "--dir", "/etc/chain"], &["ls", "/mnt/a"])
            .fails("/etc/chain");
        root.run(&["--dir", "/etc/good/a/c"], &["ls", "/mnt/a"]).says("b\nc");
        root.run(&["--dir", "/etc/absolute/d"], &["ls", "/no/such"]).says("d");
    }
}

/// An image's /etc/resolv.conf is such a link as often as not.
#[test]
fn it_is_said_where_a_link_in_the_way_leads() {
    for root in roots() {
        root.symlink("../run/systemd/resolve/stub-resolv.conf", "etc/resolv.conf");
        let hint =
            "(it leads to ../run/systemd/resolve/stub-resolv.conf: use that path, or remove the link from the root)";
        for (options, verb) in [
            (&["--ro-bind", "/etc/hostname", "/etc/resolv.conf"][..], "bind on"),
            (&["--ro-bind-data", "0", "/etc/resolv.conf"], "bind data on"),
            (&["--file", "0", "/etc/resolv.conf"], "make file"),
            (&["--tmpfs", "/etc/resolv.conf"], "mount tmpfs on"),
        ] {
            let line = format!("nsinit: {verb} /etc/resolv.conf: Can't mount on symlink destination {hint}\n");
            root.run(options, &["true"]).is(125, "", &line);
        }
        let line = "nsinit: make symbolic link /etc/resolv.conf: existing destination is ../run/systemd/resolve/stub-resolv.conf\n";
        root.run(&["--symlink", "/x", "/etc/resolv.conf"], &["true"]).is(125, "", line);
        // What it says can't drive a terminal.
        root.symlink("\u{1b}[2J\n", "etc/odd");
        let out = root.run(&["--tmpfs", "/etc/odd"], &["true"]);
        assert!(out.stderr.lines().count() == 1 && !out.stderr.contains('\u{1b}'), "{out}");
    }
}

/// Three failures whose errno says little.
#[test]
fn why_a_mount_is_refused() {
    let Some(_) = who::root() else { return };
    for root in roots() {
        // fs.mount-max: count_mounts in the kernel.
        let full = Deny::when(libc::SYS_mount, 3, u64::MAX, libc::MS_NOSUID | libc::MS_NODEV, libc::ENOSPC);
        let out = root.launch(&["--dir", "/mnt/x"], &["true"]).deny(full).run();
        out.is(125, "", "nsinit: make a place for mounts: No space left on device (the limit on mounts is reached: see fs.mount-max)\n");

        // The root of this host's tmpfs, the two that are there, and the fifos take its inodes.
        let before = "mount -o remount,nr_inodes=6 .; chmod 777 .";
        let out = beside(
            &root,
            &["--root", root.str(), "--bind", "$S", "/mnt", "--dir", "/mnt/a", "--dir", "/mnt/b"],
            before,
            &[],
            "",
            &[],
        );
        let line = "make directory /mnt/b: No space left on device (the file system has no free inodes: see df -i)\n";
        assert!(out.stderr.ends_with(line), "{out}");

        // An attribute of a mount of the host's is locked (mount_namespaces(7)).
        let options = ["--root", root.str(), "--exec", "--bind", "$S", "/mnt"];
        let out = beside(&root, &options, "mount -o remount,noexec .", &[], "", &[]);
        let hint = "(the host's mount there is noexec, which --exec cannot undo in a user namespace)\n";
        assert!(out.stderr.contains(": Operation not permitted (") && out.stderr.ends_with(hint), "{out}");
    }
}

/// It stays in DIR, on the host's disk.
#[test]
fn a_file_in_the_root_directory_is_the_owners_alone() {
    for root in roots() {
        root.launch(&["--file", "0", "/etc/secret"], &["cat", "/etc/secret"]).input("secret").run().is(0, "secret", "");
        root.launch(&["--perms", "0640", "--file", "0", "/etc/said"], &["true"]).input("").run().is(0, "", "");
        let mode = |name| fs::metadata(root.at(name)).expect("it was made").mode() & 0o7777;
        assert_eq!((mode("etc/secret"), mode("etc/said")), (0o600, 0o640));
        // In a sandbox it is in memory, as bubblewrap has it.
        let launch = Launch::new(root.who).args(["--ro-bind", root.str(), "/r", "--file", "0", "/f"]);
        launch.args(["/r/bin/busybox", "stat", "-c", "%a", "/f"]).run().says("666");
    }
}
