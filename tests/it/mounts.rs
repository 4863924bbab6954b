//! Mount propagation; the fallbacks for mount calls that a filter refuses; and destinations.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::ptr;

use super::harness::deny::MOUNT_CALLS;
use super::harness::scratch::{Dir, nsinit};
use super::harness::{Deny, Launch, Out, Root, Who, roots, who};

/// A shell in its own mount namespace with all mounts shared, as on a host.
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

/// Commands outside, then commands inside, whose first line of output is printed.
type Step<'s> = (&'s str, &'s str);

/// Runs a host with a tmpfs at $S: first `before`, then a container, and the steps in turn. $S may also appear in
/// `options`.
#[track_caller]
fn run_on_host(root: &Root, options: &[&str], before: &str, steps: &[Step<'_>], after: &str, lacking: &[i64]) -> Out {
    let dir = Dir::new(root.who);
    let user = root.who.setpriv();
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

/// mount_namespaces(7): all mounts are slaves of the caller's. A disk that is mounted later appears inside, one that is
/// unmounted is not kept busy, and mounts made inside stay there, even by a command that may mount.
#[test]
#[cfg(feature = "whole")]
fn host_mounts_propagate_into_the_container_only() {
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
        // Counts mounts that have propagated to the host.
        let after = "grep -c ' - tmpfs inside' /proc/self/mountinfo || :";
        for (options, before) in &cases {
            for lacking in [&[][..], &[libc::SYS_open_tree], &[libc::SYS_mount_setattr]] {
                let out = run_on_host(&root, options, before, &steps, after, lacking);
                out.is(0, "up\ncontent\n0\ndone\n0\n", "");
            }
        }
    }
}

/// The container's own mounts stay on top, whatever the host mounts below: /proc, /dev, and a tmpfs that hides a
/// directory.
#[test]
fn mounts_on_the_host_do_not_appear_over_the_containers() {
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
            run_on_host(&root, &options, before, &steps, "", &[]).is(0, &format!("up\n{}", "0 2\n".repeat(5)), "");
        }
    }
}

/// A mount of the container: its root, mount point, options and type.
fn table(mountinfo: &str) -> Vec<String> {
    let mut lines: Vec<String> = mountinfo
        .lines()
        .map(|line| {
            let (mount, system) = line.split_once(" - ").unwrap_or_else(|| panic!("not a mount: {line:?}"));
            let words: Vec<&str> = mount.split(' ').collect();
            // Without ids, the peer group number, and the source name.
            let master = words.iter().skip(6).filter_map(|word| word.split(':').next());
            let kind = system.split(' ').next().unwrap_or_default();
            [&words[3..6], &master.collect::<Vec<_>>(), &[kind]].concat().join(" ")
        })
        .collect();
    // Of two mounts on one mount point only the later is visible.
    let point = |line: &str| line.split(' ').nth(1).map(str::to_owned);
    let shown: Vec<String> = (0..lines.len())
        .filter(|at| !lines[at + 1..].iter().any(|other| point(other) == point(&lines[*at])))
        .map(|at| lines[at].clone())
        .collect();
    lines = shown;
    lines.sort();
    lines
}

/// Docker's filters with runc before 1.0.0-rc93 answer EPERM to calls that they do not know. The mounts and their
/// restrictions are the same whichever call is missing, and with either errno.
#[test]
#[cfg(feature = "whole")]
fn mount_calls_that_a_filter_refuses_are_replaced_by_older_ones() {
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

/// A mount attribute that is locked (mount_namespaces(7)) stays, by either set of calls.
#[test]
fn locked_mount_attributes_are_respected() {
    if who::root().is_none() {
        return;
    }
    for root in roots().into_iter().filter(|root| !root.who.is_root()) {
        let options = ["--root", root.str(), "--exec", "--bind", "$S", "/mnt"];
        let script = "mount -o remount,noexec $S; cp /bin/busybox inner 2>/dev/null || :";
        let out = run_on_host(&root, &options, script, &[], "", &[]);
        assert!(out.stderr.contains("Operation not permitted") && !out.stdout.contains("up"), "{out}");
    }
}

// ---- destinations

/// As bubblewrap's ensure_file: a file that is only a mount point is not writable.
#[test]
#[cfg(feature = "whole")]
fn file_made_as_a_mount_point_is_read_only() {
    for root in roots() {
        let options = ["--ro-bind-data", "0", "/mnt/made/file", "--dir", "/mnt/dir"];
        root.launch(&options, &["cat", "/mnt/made/file"]).input("data").run().is(0, "data", "");
        let mode = |name| fs::symlink_metadata(root.at(name)).expect("the file was made").mode() & 0o7777;
        assert_eq!((mode("mnt/made/file"), mode("mnt/made"), mode("mnt/dir")), (0o444, 0o755, 0o755));
    }
}

/// nsinit makes missing directories of the given path, but not those of a link's target. Magic links of a procfs are
/// not followed (RESOLVE_NO_MAGICLINKS).
#[test]
#[cfg(feature = "whole")]
fn dangling_links_in_destinations_are_errors() {
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
        // Other causes of ENOENT do not get the hint.
        root.run(&["--symlink", "", "/x"], &["true"]).is(
            125,
            "",
            "nsinit: cannot make symbolic link /x: No such file or directory\n",
        );
        root.run(&["--dir", "/proc/no"], &["true"]).is(
            125,
            "",
            "nsinit: cannot make directory /proc/no: No such file or directory\n",
        );
        // Directories below a link with an existing target are made.
        root.run(&["--dir", "/etc/good/a/b", "--dir", "/no/such", "--dir", "/etc/chain"], &["ls", "/mnt/a"])
            .fails("/etc/chain");
        root.run(&["--dir", "/etc/good/a/c"], &["ls", "/mnt/a"]).says("b\nc");
        root.run(&["--dir", "/etc/absolute/d"], &["ls", "/no/such"]).says("d");
    }
}

/// The /etc/resolv.conf of many images is such a link.
#[test]
#[cfg(feature = "whole")]
fn message_names_the_target_of_a_link_at_the_destination() {
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
            let line = format!("nsinit: cannot {verb} /etc/resolv.conf: the destination is a symlink {hint}\n");
            root.run(options, &["true"]).is(125, "", &line);
        }
        let line = "nsinit: cannot make symbolic link /etc/resolv.conf: existing destination is ../run/systemd/resolve/stub-resolv.conf\n";
        root.run(&["--symlink", "/x", "/etc/resolv.conf"], &["true"]).is(125, "", line);
        // The target in the message cannot control the terminal.
        root.symlink("\u{1b}[2J\n", "etc/odd");
        let out = root.run(&["--tmpfs", "/etc/odd"], &["true"]);
        assert!(out.stderr.lines().count() == 1 && !out.stderr.contains('\u{1b}'), "{out}");
    }
}

/// Three failures whose errno alone does not show the cause.
#[test]
#[cfg(feature = "whole")]
fn mount_errors_with_an_unclear_errno_are_explained() {
    let Some(_) = who::root() else { return };
    for root in roots() {
        // fs.mount-max: count_mounts() in the kernel.
        let full = Deny::when(libc::SYS_mount, 3, u64::MAX, libc::MS_NOSUID | libc::MS_NODEV, libc::ENOSPC);
        let out = root.launch(&["--dir", "/mnt/x"], &["true"]).deny(full).run();
        out.is(125, "", "nsinit: cannot mount a tmpfs for staging mounts: No space left on device (the limit on mounts is reached: see fs.mount-max)\n");

        // The six inodes are: the tmpfs root, two directories, two FIFOs, and /mnt/a.
        let before = "mount -o remount,nr_inodes=6 .; chmod 777 .";
        let out = run_on_host(
            &root,
            &["--root", root.str(), "--bind", "$S", "/mnt", "--dir", "/mnt/a", "--dir", "/mnt/b"],
            before,
            &[],
            "",
            &[],
        );
        let line = "make directory /mnt/b: No space left on device (the file system has no free inodes: see df -i)\n";
        assert!(out.stderr.ends_with(line), "{out}");

        // An attribute of the host's mount is locked (mount_namespaces(7)).
        let options = ["--root", root.str(), "--exec", "--bind", "$S", "/mnt"];
        let out = run_on_host(&root, &options, "mount -o remount,noexec .", &[], "", &[]);
        let hint = "(the host's mount there is noexec, which --exec cannot undo in a user namespace)\n";
        assert!(out.stderr.contains(": Operation not permitted (") && out.stderr.ends_with(hint), "{out}");
    }
}

/// The file stays in DIR, on the host's disk.
#[test]
#[cfg(feature = "whole")]
fn file_operation_makes_files_private_in_a_root_directory() {
    for root in roots() {
        root.launch(&["--file", "0", "/etc/secret"], &["cat", "/etc/secret"]).input("secret").run().is(0, "secret", "");
        root.launch(&["--perms", "0640", "--file", "0", "/etc/said"], &["true"]).input("").run().is(0, "", "");
        let mode = |name| fs::metadata(root.at(name)).expect("the file was made").mode() & 0o7777;
        assert_eq!((mode("etc/secret"), mode("etc/said")), (0o600, 0o640));
        // In a sandbox the file is on a tmpfs, with bubblewrap's mode.
        let launch = Launch::new(root.who).args(["--ro-bind", root.str(), "/r", "--file", "0", "/f"]);
        launch.args(["/r/bin/busybox", "stat", "-c", "%a", "/f"]).run().says("666");
    }
}
