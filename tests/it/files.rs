//! The options for files and mounts, and SECURITY.md's rows about paths: whatever DIR holds, no file outside it is
//! touched.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::harness::procs::eventually;
use super::harness::scratch::{Dir, own_nsinit, own_nsinit_in};
use super::harness::{Deny, Launch, Out, Root, roots, who};

/// A directory outside the container with a file in it.
fn source(root: &Root) -> Dir {
    let dir = Dir::new(root.who);
    dir.file("file", "from outside\n");
    dir
}

/// `mountinfo`'s line of the topmost mount on `point`: its options and its type.
#[track_caller]
fn mount_of(out: &Out, point: &str) -> (String, String) {
    let line = out
        .text()
        .lines()
        .rfind(|l| l.split(' ').nth(4) == Some(point))
        .unwrap_or_else(|| panic!("no mount on {point}: {out}"));
    let options = line.split(' ').nth(5).expect("mountinfo has options");
    let kind = line.split(" - ").nth(1).and_then(|r| r.split(' ').next()).expect("mountinfo has a type");
    (options.to_owned(), kind.to_owned())
}

// ---- the effect of each option

#[test]
fn bind_is_writable() {
    for root in roots() {
        let dir = source(&root);
        root.sh(&["--bind", dir.str(), "/mnt"], "cat /mnt/file; echo new >/mnt/made").is(0, "from outside\n", "");
        assert_eq!(dir.read("made"), "new\n");
    }
}

#[test]
fn ro_bind_is_not_writable() {
    for root in roots() {
        let dir = source(&root);
        let before = dir.listing();
        let out = root.sh(&["--ro-bind", dir.str(), "/mnt"], "cat /mnt/file; echo x >/mnt/made");
        assert!(out.stdout == "from outside\n" && out.stderr.contains("Read-only file system"), "{out}");
        root.sh(
            &["--ro-bind", dir.str(), "/mnt"],
            "mount -o remount,bind,rw /mnt 2>/dev/null; echo x 2>/dev/null >/mnt/made || echo no",
        )
        .says("no");
        assert_eq!(before, dir.listing());
    }
}

/// The whole tree, including mounts below, is bound and gets the flags; /dev has such mounts on every host.
#[test]
fn binds_and_their_flags_are_recursive() {
    for root in roots() {
        let table = root.run(&["--ro-bind", "/dev", "/mnt"], &["cat", "/proc/self/mountinfo"]);
        let below: Vec<&str> =
            table.text().lines().filter(|l| l.split(' ').nth(4).is_some_and(|p| p.starts_with("/mnt"))).collect();
        assert!(below.len() > 1, "{table}");
        for line in below {
            let options: Vec<&str> = line.split(' ').nth(5).unwrap().split(',').collect();
            assert!(["ro", "nosuid", "nodev"].iter().all(|o| options.contains(o)), "{line}");
        }
        let out = root.sh(&["--ro-bind", "/dev", "/mnt"], "touch /mnt/shm/x");
        assert!(out.stderr.contains("Read-only file system"), "{out}");
    }
}

#[test]
fn device_files_work_only_under_dev_bind() {
    for root in roots() {
        let out = root.sh(&["--bind", "/dev", "/mnt"], "echo x >/mnt/null");
        assert!(out.stderr.contains("Permission denied"), "{out}");
        root.sh(&["--dev-bind", "/dev", "/mnt"], "echo x >/mnt/null").is(0, "", "");
        root.sh(&["--dev-bind", "/dev/full", "/dev/more"], "echo x 2>/dev/null >/dev/more || echo full").says("full");
    }
}

#[test]
fn file_is_bound_onto_a_file() {
    for root in roots() {
        let dir = source(&root);
        let file = dir.at("file");
        let file = file.to_str().unwrap();
        root.file("etc/old", "old\n");
        root.run(&["--ro-bind", file, "/etc/old"], &["cat", "/etc/old"]).says("from outside");
        root.run(&["--ro-bind", file, "/etc/made/new"], &["cat", "/etc/made/new"]).says("from outside");
        root.run(&["--bind", file, "/mnt"], &["true"]).fails("/mnt");
        root.run(&["--bind", dir.str(), "/etc/old"], &["true"]).fails("/etc/old");
        assert_eq!(root.read("etc/old"), "old\n");
    }
}

#[test]
fn missing_bind_source_is_named() {
    for root in roots() {
        for option in ["--bind", "--ro-bind", "--dev-bind"] {
            let out = root.run(&[option, "/no/such/source", "/mnt"], &["true"]);
            out.fails("/no/such/source");
            assert!(out.stderr.ends_with("No such file or directory\n"), "{out}");
        }
    }
}

/// The source is resolved from the caller's working directory, and its symbolic links are followed.
#[test]
fn bind_sources_are_paths_of_the_caller() {
    for root in roots() {
        let dir = source(&root);
        dir.symlink("file", "link");
        let launch =
            root.launch(&["--bind", "link", "/etc/x", "--bind", ".", "/mnt"], &["sh", "-c", "cat /etc/x; ls /mnt"]);
        launch.directory(dir.path()).run().says("from outside\nfile\nlink");
    }
}

#[test]
fn parents_of_destinations_are_made() {
    for root in roots() {
        let dir = source(&root);
        root.run(&["--bind", dir.str(), "/a/b/c"], &["cat", "/a/b/c/file"]).says("from outside");
        root.run(
            &["--tmpfs", "/d/e", "--dir", "/f/g/h", "--symlink", "t", "/i/j"],
            &["sh", "-c", "ls -d /d/e /f/g/h; readlink /i/j"],
        )
        .says("/d/e\n/f/g/h\nt");
        root.run(&["--dir", "/g/../../../../k"], &["ls", "-d", "/k"]).says("/k");
        root.file("file", "");
        root.run(&["--dir", "/file/x"], &["true"]).fails("/file/x");
    }
}

#[test]
fn tmpfs_is_empty_nosuid_and_nodev() {
    for root in roots() {
        root.file("mnt/hidden", "");
        root.sh(&["--tmpfs", "/mnt"], "ls /mnt; echo x >/mnt/y; stat -c %a /mnt").says("755");
        let table = root.run(&["--tmpfs", "/mnt"], &["cat", "/proc/self/mountinfo"]);
        let (options, kind) = mount_of(&table, "/mnt");
        assert!(kind == "tmpfs" && options.contains("nosuid") && options.contains("nodev"), "{table}");
    }
}

#[test]
fn further_proc_and_dev_are_as_restricted_as_the_first() {
    for root in roots() {
        root.sh(&["--proc", "/mnt"], "cat /mnt/1/comm").says("nsinit");
        let hole = root.sh(&["--proc", "/mnt"], ": >/mnt/sys/kernel/hostname");
        assert!(hole.status != 0, "a second procfs is as restricted as the first: {hole}");
        let masked = "cat /proc/keys /mnt/keys | wc -c; ls /proc/acpi /mnt/acpi";
        let masked = root.sh(&["--dev", "/tmp", "--bind", "/bin", "/root", "--proc", "/mnt"], masked);
        masked.says("0\n/mnt/acpi:\n\n/proc/acpi:");
        root.sh(&["--dev", "/mnt"], "echo x >/mnt/null; ls /mnt/pts; [ -c /mnt/urandom ] && echo ok").says("ptmx\nok");
    }
}

#[test]
fn dir_and_symlink_accept_only_an_equal_existing_file() {
    for root in roots() {
        root.sh(&["--dir", "/new", "--dir", "/tmp"], "stat -c %a /new; ls -d /tmp").says("755\n/tmp");
        root.run(&["--dir", "/bin/busybox"], &["true"]).fails("/bin/busybox");
        root.run(&["--symlink", "/tmp/there", "/link"], &["readlink", "/link"]).says("/tmp/there");
        root.run(&["--symlink", "/tmp/there", "/link"], &["readlink", "/link"]).says("/tmp/there");
        root.run(&["--symlink", "/other", "/link"], &["true"]).fails("/link");
        root.run(&["--symlink", "x", "/bin/busybox"], &["true"]).fails("/bin/busybox");
    }
}

#[test]
fn operations_run_in_the_given_order() {
    for root in roots() {
        let dir = source(&root);
        let both = "ls /mnt; ls /mnt/sub 2>/dev/null; true";
        root.sh(&["--bind", dir.str(), "/mnt", "--tmpfs", "/mnt"], both).is(0, "", "");
        root.sh(&["--tmpfs", "/mnt", "--bind", dir.str(), "/mnt"], both).says("file");
        root.sh(&["--tmpfs", "/mnt", "--bind", dir.str(), "/mnt/sub"], both).says("sub\nfile");
        root.sh(&["--tmpfs", "/mnt", "--dir", "/mnt/sub/x", "--symlink", "y", "/mnt/sub/z"], both).says("sub\nx\nz");
        root.sh(&["--ro-bind", dir.str(), "/mnt", "--dir", "/mnt/sub"], both).fails("/mnt/sub");
        root.sh(&["--bind", dir.str(), "/mnt", "--tmpfs", "/mnt/sub"], both).says("file\nsub");
        assert!(dir.at("sub").is_dir());
    }
}

/// The user's operations run after the preset's own; a read-only root can be a mount point.
#[test]
fn operations_run_after_the_presets_mounts() {
    for root in roots() {
        let dir = source(&root);
        root.run(&["--bind", dir.str(), "/dev/shm"], &["cat", "/dev/shm/file"]).says("from outside");
        root.run(&["--tmpfs", "/proc"], &["ls", "/proc"]).is(0, "", "");
        root.sh(
            &["--read-only", "--bind", dir.str(), "/mnt", "--tmpfs", "/tmp", "--dir", "/tmp/c"],
            "cat /mnt/file; ls -d /tmp/c",
        )
        .says("from outside\n/tmp/c");
    }
}

#[test]
fn a_thousand_binds_work() {
    for root in roots() {
        let dir = source(&root);
        let words: Vec<String> =
            (0..1000).flat_map(|n| ["--bind".into(), dir.str().into(), format!("/mnt/{n}")]).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        root.sh(&[&["--tmpfs", "/mnt"], &words[..]].concat(), "ls /mnt | wc -l; cat /mnt/999/file")
            .says("1000\nfrom outside");
    }
}

// ---- paths of the container are not trusted

/// How destinations are resolved: by openat2, and without it by nsinit's own walk.
const RESOLVERS: [Option<Deny>; 2] = [None, Some(Deny::all(libc::SYS_openat2, libc::ENOSYS))];

fn resolved(launch: Launch, resolver: Option<Deny>) -> Launch {
    match resolver {
        Some(deny) => launch.deny(deny),
        None => launch,
    }
}

/// Every option that has a destination, applied to `dest`.
fn every_operation(source: &str, dest: &str) -> Vec<Vec<String>> {
    let rows: [&[&str]; 8] = [
        &["--bind", source],
        &["--ro-bind", source],
        &["--dev-bind", source],
        &["--tmpfs"],
        &["--proc"],
        &["--dev"],
        &["--dir"],
        &["--symlink", "target"],
    ];
    rows.iter().map(|row| row.iter().copied().chain([dest]).map(str::to_owned).collect()).collect()
}

/// Runs every operation on `dest`; each works inside DIR, or fails with nsinit's own status.
#[track_caller]
fn attack(root: &Root, source: &Dir, dest: &str, prepare: impl Fn(Launch) -> Launch) -> Vec<Out> {
    let outs = RESOLVERS.into_iter().flat_map(|resolver| {
        every_operation(source.str(), dest).into_iter().map(move |options| {
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            (resolver, root.launch(&options, &["true"]))
        })
    });
    let outs: Vec<Out> = outs.map(|(resolver, launch)| resolved(prepare(launch), resolver).run()).collect();
    for out in &outs {
        assert!(out.status == 0 || out.status == 125, "{out}");
    }
    outs
}

/// CVE-2021-30465, CVE-2024-45310, CVE-2026-87766: a parent directory of the destination is a link that leads out of
/// the root.
#[test]
fn symlinks_in_destinations_stay_below_the_root() {
    for root in roots() {
        let (victim, source) = (source(&root), source(&root));
        let before = victim.listing();
        let up = "../".repeat(20);
        for target in [
            victim.str(),
            &format!("{up}{}", victim.str()),
            "/proc/self/cwd",
            "/proc/1/cwd",
            "/proc/self/root",
            "/proc/thread-self/cwd",
        ] {
            root.symlink(target, "x");
            attack(&root, &source, "/x/in", |launch| launch.directory(victim.path()));
            attack(&root, &source, "/x/../in", |launch| launch.directory(victim.path()));
            fs::remove_file(root.at("x")).unwrap();
        }
        assert_eq!(before, victim.listing(), "as {:?}", root.who);
    }
}

/// The same through any descriptor that nsinit has.
#[test]
fn magic_links_in_destinations_stay_below_the_root() {
    for root in roots() {
        let (victim, source) = (source(&root), source(&root));
        let before = victim.listing();
        let path = CString::new(victim.path().as_os_str().as_bytes()).unwrap();
        for fd in 0..12 {
            root.symlink(format!("/proc/self/fd/{fd}"), "x");
            let path = path.clone();
            attack(&root, &source, "/x/in", move |launch| {
                let path = path.clone();
                launch.before(move || {
                    // SAFETY: open reads a C string; the descriptors are meant to stay open across exec.
                    (0..4).for_each(|_| unsafe { _ = libc::open(path.as_ptr(), libc::O_RDONLY) });
                    Ok(())
                })
            });
            fs::remove_file(root.at("x")).unwrap();
        }
        assert_eq!(before, victim.listing(), "as {:?}", root.who);
    }
}

/// The last component is never followed: a mount on it fails, and the message says why.
#[test]
fn symlink_is_refused_as_a_mount_point() {
    for root in roots() {
        let (victim, source) = (source(&root), source(&root));
        root.symlink(victim.path(), "x");
        root.symlink("/tmp", "y");
        let before = victim.listing();
        for dest in ["/x", "/y"] {
            for out in attack(&root, &source, dest, |l| l)
                .iter()
                .filter(|o| !o.to_string().contains("\"--dir\"") && !o.to_string().contains("\"--symlink\""))
            {
                out.fails(dest);
                assert!(out.stderr.contains("the destination is a symlink"), "{out}");
            }
        }
        assert_eq!(before, victim.listing());
    }
}

/// CVE-2026-41579, CVE-2026-47766, CVE-2019-19921: /dev, /proc or /sys of the image is a link that leads elsewhere.
#[test]
fn symlinked_proc_dev_or_sys_is_refused() {
    for root in roots() {
        let victim = source(&root);
        let before = victim.listing();
        for name in ["dev", "proc", "sys"] {
            fs::remove_dir(root.at(name)).unwrap();
            for target in [victim.str(), "/tmp", "/proc/self/cwd", "loop/.."] {
                root.symlink(target, name);
                for resolver in RESOLVERS {
                    let launch = root.launch(&[], &["echo", "ran"]).directory(victim.path());
                    resolved(launch, resolver).run().fails(&format!("/{name}"));
                }
                fs::remove_file(root.at(name)).unwrap();
            }
            root.dir(name);
        }
        assert_eq!(before, victim.listing());
    }
}

/// CVE-2025-31133, CVE-2019-16884: the files in the image's /dev and /proc have no effect.
#[test]
fn device_names_in_the_root_directory_are_not_used() {
    let pattern = || fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let before = pattern();
    for root in roots() {
        for name in ["null", "console", "ptmx", "shm", "pts", "fd"] {
            root.symlink("/proc/sys/kernel/core_pattern", &format!("dev/{name}"));
        }
        root.dir("proc/self");
        root.file("proc/self/uid_map", "fake");
        root.file("proc/sysrq-trigger", "fake");
        root.sh(&[], "echo x >/dev/null; cat /proc/timer_list /proc/keys; cat /proc/1/comm").says("nsinit");
        assert_eq!(root.read("proc/self/uid_map"), "fake");
    }
    assert_eq!(before, pattern());
}

/// CVE-2019-5736: the command cannot write to the file that process 1 was executed from.
#[test]
fn cmd_cannot_write_the_nsinit_binary() {
    if who::root().is_none() {
        return;
    }
    for root in roots() {
        let (_binary, path) = own_nsinit(root.who);
        assert_cannot_be_written(&root, &path);
        // A file on a tmpfs has F_SEAL_SEAL from the start, which protects no content.
        let (_binary, path) = own_nsinit_in(Dir::in_memory(root.who));
        assert_cannot_be_written(&root, &path);
    }
}

fn assert_cannot_be_written(root: &Root, path: &Path) {
    let before = fs::read(path).unwrap();
    for options in [&["--cap-add", "ALL"][..], &["--cap-add", "ALL", "--as-pid-1"]] {
        let launch = Launch::of(root.who, path).args(["--root", root.str()]).args(options);
        let script = "for f in /proc/1/exe /proc/self/exe; do echo x 2>/dev/null >$f; cat </dev/null 2>/dev/null >>$f; done; true";
        launch.args(["sh", "-c", script]).run().is(0, "", "");
    }
    // For a script like this one the kernel itself opens the launcher's file; the program that runs is a sealed copy.
    root.file("script", "#!/proc/self/exe --version\n");
    let launch = Launch::of(root.who, path).args(["--root", root.str(), "/script"]);
    // A dynamically linked build finds no loader in the root.
    let out = launch.run();
    assert!([0, 127].contains(&out.status), "{out}");
    let launch = Launch::of(root.who, path).args(["--root", root.str(), "sleep", "1000"]).start();
    // Process 1 leaves the file before any other process is inside.
    let exe = format!("/proc/{}/exe", launch.init());
    eventually("process 1 has left the file", || {
        fs::read_link(&exe).ok()?.to_str()?.starts_with("/memfd:nsinit").then_some(())
    });
    launch.kill(libc::SIGTERM);
    launch.finish().is(143, "", "");
    assert!(before == fs::read(path).unwrap(), "the file was changed as {:?}", root.who);
}

/// If the caller owns nsinit's file, nsinit continues as a copy of it; so does root where the kernel refuses
/// PR_SET_MM_MAP. The copy has the caller's descriptors, and reads what they hold.
#[test]
fn sealed_copy_of_nsinit_has_the_callers_descriptors() {
    for root in roots() {
        let (own, path) = own_nsinit(root.who);
        let script = format!(
            "exec 5</etc/hostname 6>told
            printf '%s\\0' --setenv A b --dir /made | {{
                exec 3<&0
                echo data | {n} --root {root} --args 3 --ro-bind-data 4 /data --sync-fd 5 --keep-fd 5 --ready-fd 6 -- \\
                    sh -c 'echo $A; ls -d /made; cat /data; ls /proc/self/fd | xargs' 4<&0 </dev/null
            }}
            cat told; {n} --root {root} --keep-fd 7 true",
            n = path.display(),
            root = root.str()
        );
        let launch = || Launch::of(root.who, Path::new("/bin/sh")).args(["-c", &script]).directory(own.path());
        for launch in
            [launch(), launch().deny(Deny::when(libc::SYS_prctl, 0, u64::MAX, libc::PR_SET_MM as u64, libc::EPERM))]
        {
            let out = launch.run();
            out.is(125, "b\n/made\ndata\n0 1 2 3 5\n\n", "nsinit: cannot keep descriptor 7: Bad file descriptor\n");
        }
    }
}

/// The device files belong to the host: the container cannot change their modes and times, not even with the rights of
/// root, the owner.
#[test]
fn cmd_cannot_change_the_hosts_devices() {
    let names = ["null", "zero", "full", "random", "urandom", "tty"];
    // Any write to /dev/tty changes its time, also one by another program; only this test sets it to 1970.
    let look =
        || names.map(|n| fs::metadata(Path::new("/dev").join(n)).map(|m| (m.mode(), m.uid(), m.mtime() == 0)).ok());
    let before = look();
    for root in roots() {
        let script = names
            .map(|name| format!("chmod 600 /dev/{name} && echo {name}; touch -d @0 /dev/{name} && echo {name}"))
            .join("; ");
        let script =
            format!("({script}) 2>/dev/null; echo x >/dev/null; echo x >>/dev/zero; head -c 2 /dev/zero | wc -c");
        let bind = ["--bind", root.str(), "/", "--dev", "/dev"];
        for words in [&["--root", root.str()][..], &["--root", root.str(), "--cap-add", "ALL"], &bind] {
            for launch in [Launch::new(root.who), Launch::new(root.who).lacking(&[libc::SYS_mount_setattr])] {
                launch.args(words).args(["--", "/bin/sh", "-c", &script]).run().says("2");
            }
        }
        // The same for descriptors that are open from the beginning.
        let log = root.at("log");
        let script = format!(
            "{} --root {} --detach -- /bin/sh -c 'chmod 600 /proc/self/fd/0; touch /end' >{} 2>&1 </dev/null",
            super::harness::scratch::nsinit().display(),
            root.str(),
            log.display()
        );
        Launch::of(root.who, Path::new("/bin/sh")).args(["-c", &script]).run().is(0, "", "");
        super::harness::procs::eventually("the command has ended", || root.at("end").exists().then_some(()));
        assert!(fs::read_to_string(log).expect("a log").contains("Read-only file system"));
    }
    assert_eq!(look(), before);
}
