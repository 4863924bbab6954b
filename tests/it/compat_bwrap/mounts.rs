//! The operations on files, and the files that the command finds.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::{Bwrap, Mounts, data, give, pipe, small, subjects, subjects_of_tester};
use crate::harness::scratch::{self, Dir, utf8};
use crate::harness::{Out, Root, Term, Who, skip, who};

fn hosts() -> Mounts {
    Mounts::of(&fs::read_to_string("/proc/self/mountinfo").expect("read the mount table"))
}

/// The visible mounts below the host's /dev.
fn below_dev(host: &Mounts) -> Vec<String> {
    let below = host.points().into_iter().filter(|point| point.starts_with("/dev/"));
    let mut below: Vec<String> = below.map(|point| point.trim_start_matches("/dev").to_owned()).collect();
    below.sort();
    below.dedup();
    below
}

#[track_caller]
fn refused(out: &Out, reason: &str) {
    assert!(out.status != 0 && out.stderr.contains(reason), "expected {reason:?}\n{out}");
}

#[test]
fn root_is_an_empty_tmpfs() {
    for it in subjects() {
        let out = it.sh(&[], "ls -A /; stat -c '%a %u %g' /; >/made");
        out.says(&format!("bin\nproc\n755 {} {}", it.who.uid(), it.who.gid()));
        let mounts = it.mounts(&[]);
        assert_eq!((mounts.at("/").kind.as_str(), mounts.at("/").flags.as_str()), ("tmpfs", "rw,nosuid,nodev"));
    }
}

/// All bind options bind the mounts below, too, with the same flags.
#[test]
fn binds_are_recursive_and_have_their_flags() {
    let host = hosts();
    let below = below_dev(&host);
    if below.is_empty() {
        skip("nothing is mounted below /dev");
    }
    for it in subjects() {
        for (option, flags) in [
            ("--bind", "rw,nosuid,nodev"),
            ("--bind-try", "rw,nosuid,nodev"),
            ("--ro-bind", "ro,nosuid,nodev"),
            ("--ro-bind-try", "ro,nosuid,nodev"),
            ("--dev-bind", "rw,nosuid"),
            ("--dev-bind-try", "rw,nosuid"),
        ] {
            let mounts = it.mounts(&[option, "/dev", "/x"]);
            assert_eq!(mounts.at("/x").flags, flags, "{option}");
            for name in &below {
                let expected = host.with(&format!("/dev{name}"), flags);
                assert_eq!(mounts.at(&format!("/x{name}")).flags, expected, "{option} {name}");
            }
        }
    }
}

#[test]
fn writes_to_a_bind_reach_the_host() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        it.sh(&["--bind", dir.str(), "/a/b"], "echo in >/a/b/f").is(0, "", "");
        assert_eq!(dir.read("f"), "in\n");
        refused(&it.sh(&["--ro-bind", dir.str(), "/a/b"], "echo out >/a/b/f"), "Read-only file system");
        refused(&it.sh(&["--ro-bind-try", dir.str(), "/a"], "echo out >/a/f"), "Read-only file system");
        assert_eq!(dir.read("f"), "in\n");
    }
}

#[test]
fn devices_work_only_with_dev_bind() {
    for it in subjects() {
        it.sh(&["--dev-bind", "/dev/zero", "/zero"], "head -c 3 /zero | wc -c").says("3");
        for option in ["--bind", "--ro-bind"] {
            refused(&it.sh(&[option, "/dev/zero", "/zero"], "head -c 3 /zero"), "Permission denied");
        }
    }
}

/// A file, the target of a link, and a file that is neither regular nor a directory.
#[test]
fn bind_sources_may_be_files_links_and_sockets() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        dir.file("file", "text\n");
        dir.symlink("file", "link");
        let _socket = std::os::unix::net::UnixListener::bind(dir.at("socket")).expect("make a socket");
        let at = |name: &str| utf8(&dir.at(name)).to_owned();
        it.sh(&["--bind", &at("file"), "/a/b"], "cat /a/b").says("text");
        it.sh(&["--ro-bind", &at("link"), "/l"], "stat -c %F /l; cat /l").says("regular file\ntext");
        it.sh(&["--ro-bind", &at("socket"), "/s"], "stat -c %F /s").says("socket");
        let here = it.small(&["--bind", "file", "/f"], &["/bin/cat", "/f"]).directory(dir.path());
        here.run().says("text");
    }
}

#[test]
fn proc_self_exe_is_not_a_source_for_root() {
    for it in subjects().into_iter().filter(|it| it.who == Who::Root) {
        let out = it.sh(&["--ro-bind", "/proc/self/exe", "/x"], "[ -x /x ] && echo there");
        if it.differs("`/proc/self/exe` as a SRC, by root") {
            out.is(1, "", "bwrap: Can't find source path /proc/self/exe: No such file or directory\n");
        } else {
            out.says("there");
        }
    }
}

/// A destination without a leading slash is relative to the root.
#[test]
fn relative_destinations_start_at_the_root() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        let options = ["--bind", dir.str(), "b/c", "--tmpfs", "t", "--dir", "d/e", "--symlink", "d", "l"];
        it.sh(&options, "ls -d /b/c /t /d/e; readlink /l").says("/b/c\n/d/e\n/t\nd");
    }
}

/// An existing link in a destination is followed, inside the root.
#[test]
fn links_in_destinations_are_followed_inside() {
    for it in subjects() {
        let options =
            ["--dir", "/a", "--symlink", "a", "/l", "--dir", "/l/d", "--tmpfs", "/l/t", "--file", "10", "/l/f"];
        let bind = ["--bind", "/dev", "/l/b", "--chmod", "0711", "/a"];
        let launch = it.small(&[&options[..], &bind].concat(), &["/bin/sh", "-c", "ls /a; stat -c %a /a; readlink /l"]);
        give(launch, 10, data("")).run().says("b\nd\nf\nt\n711\na");
    }
}

/// The original follows any link, one of the container too.
#[test]
fn chmod_of_a_link_is_refused() {
    for it in subjects() {
        let options = ["--dir", "/a", "--symlink", "a", "/l", "--chmod", "0711", "/l"];
        let out = it.sh(&options, "stat -c %a /a");
        if it.differs("`--chmod` of a symbolic link") { refused(&out, "symlink") } else { out.says("711") }
    }
}

#[test]
fn missing_source_is_ignored_only_by_try_options() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        dir.symlink("nowhere", "dangling");
        dir.file("file", "");
        let at = |name: &str| utf8(&dir.at(name)).to_owned();
        for option in ["--bind-try", "--ro-bind-try", "--dev-bind-try"] {
            for missing in [at("missing"), at("dangling")] {
                it.sh(&[option, &missing, "/x"], "ls /").says("bin\nproc");
            }
            let line = format!("bwrap: Can't find source path {}: Not a directory\n", at("file/x"));
            it.sh(&[option, &at("file/x"), "/x"], "ls /").is(1, "", &line);
        }
        for option in ["--bind", "--ro-bind", "--dev-bind"] {
            for missing in [at("missing"), at("dangling")] {
                let line = format!("bwrap: Can't find source path {missing}: No such file or directory\n");
                it.sh(&[option, &missing, "/x"], "ls /").is(1, "", &line);
            }
        }
    }
}

/// Only the caller's permissions count; root has them all.
#[test]
fn source_without_permission_is_an_error() {
    for it in subjects().into_iter().filter(|it| it.who != Who::Root) {
        let Some(root) = who::root() else { return };
        let dir = Dir::new(root);
        fs::create_dir(dir.at("closed")).expect("make a directory");
        fs::set_permissions(dir.at("closed"), std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .expect("close the directory");
        let path = format!("{}/closed/x", dir.str());
        let line = format!("bwrap: Can't find source path {path}: Permission denied\n");
        it.sh(&["--bind-try", &path, "/x"], "ls /").is(1, "", &line);
    }
}

fn path_fd(path: &Path) -> OwnedFd {
    File::options().read(true).custom_flags(libc::O_PATH).open(path).expect("open a path").into()
}

#[test]
fn bind_fd_binds_a_descriptor() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        dir.file("file", "text\n");
        let script = "echo in >/a/new; cat /f; cat /proc/self/mountinfo";
        let options = ["--bind-fd", "10", "/a", "--ro-bind-fd", "11", "/f", "--ro-bind-fd", "12", "/b"];
        let launch = it.small(&options, &["/bin/sh", "-c", script]);
        let launch = give(launch, 10, File::open(dir.path()).expect("open a directory"));
        let launch = give(launch, 11, path_fd(&dir.at("file")));
        let out = give(launch, 12, path_fd(dir.path())).run();
        let (text, mounts) = out.text().split_once('\n').expect("some lines");
        assert_eq!(text, "text");
        let mounts = Mounts::of(mounts);
        for (point, flags) in [("/a", "rw,nosuid,nodev"), ("/f", "ro,nosuid,nodev"), ("/b", "ro,nosuid,nodev")] {
            assert_eq!(mounts.at(point).flags, flags, "{point}");
        }
        assert_eq!(dir.read("new"), "in\n");
    }
}

/// As callers do that open a file before they name it.
#[test]
fn proc_self_fd_is_a_source() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        dir.file("file", "text\n");
        let options = ["--ro-bind", "/proc/self/fd/10", "/f", "--bind", "/proc/self/fd/11", "/d"];
        let launch = it.small(&options, &["/bin/sh", "-c", "cat /f; ls /d"]);
        let launch = give(launch, 10, path_fd(&dir.at("file")));
        give(launch, 11, path_fd(dir.path())).run().says("text\nfile");
    }
}

/// The flags that an ordinary user may not remove are kept.
#[test]
fn locked_flags_of_the_source_are_kept() {
    for it in subjects().into_iter().filter(|it| it.who != Who::Root) {
        if who::root().is_none() {
            return;
        }
        let dir = Dir::new(it.who);
        let mount = format!(
            "mount -t tmpfs -o noexec,noatime,mode=755 tmpfs {} && exec setpriv --reuid {} --regid {} --clear-groups \"$@\"",
            dir.str(),
            it.who.uid(),
            it.who.gid()
        );
        let options = ["--bind", dir.str(), "/b", "--ro-bind", dir.str(), "/r", "--dev-bind", dir.str(), "/d"];
        let words = small(&options, &["/bin/grep", "noatime", "/proc/self/mountinfo"]);
        let as_root = Bwrap { who: Who::Root, ..it };
        let out = as_root.launch_in(&["/usr/bin/unshare", "--mount", "/bin/sh", "-c", &mount, "sh"], &words).run();
        let flags = |line: &str| line.split(' ').skip(4).take(2).collect::<Vec<_>>().join(" ");
        let found: Vec<String> = out.text().lines().map(flags).collect();
        let rest = "nosuid,nodev,noexec,noatime";
        assert_eq!(found, [format!("/b rw,{rest}"), format!("/r ro,{rest}"), "/d rw,nosuid,noexec,noatime".into()]);
    }
}

/// Mounts below stay unchanged.
#[test]
fn remount_ro_is_not_recursive() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        dir.dir("sub");
        let options = ["--bind", dir.str(), "/a", "--tmpfs", "/a/sub", "--remount-ro", "/a"];
        let mounts = it.mounts(&options);
        assert_eq!(mounts.at("/a").flags, "ro,nosuid,nodev");
        assert_eq!(mounts.at("/a/sub").flags, "rw,nosuid,nodev");
        refused(&it.sh(&options, ">/a/sub/f; >/a/f"), "can't create /a/f: Read-only file system");
        refused(&it.sh(&["--tmpfs", "/t", "--remount-ro", "/t"], ">/t/f"), "Read-only file system");
    }
}

#[test]
fn remount_ro_applies_to_the_root() {
    for it in subjects() {
        let options = ["--tmpfs", "/t", "--remount-ro", "/"];
        refused(&it.sh(&options, ">/t/f; >/f"), "can't create /f: Read-only file system");
        assert_eq!(it.mounts(&options).at("/").flags, "ro,nosuid,nodev");
        // Later operations find the root read-only.
        it.sh(&["--remount-ro", "/", "--dir", "/d"], "").is(1, "", "bwrap: Can't mkdir /d: Read-only file system\n");
    }
}

#[test]
fn proc_shows_the_pid_namespace() {
    for it in subjects() {
        // The command is process 2: its shell does not fork.
        it.sh(&["--unshare-pid"], "cd /proc; echo [0-9]*; echo $$").says("1 2\n2");
        let host = it.sh(&[], "readlink /proc/self/ns/pid; ls /proc/$PPID/stat");
        let text = host.text();
        assert!(text.starts_with(&crate::harness::procs::our_namespace("pid")), "{host}");
        for (option, point) in [(&[][..], "/proc"), (&["--unshare-pid"], "/proc"), (&["--proc", "/a/b"], "/a/b")] {
            let mounts = it.mounts(option);
            assert_eq!((mounts.at(point).kind.as_str(), mounts.at(point).flags.as_str()), ("proc", "rw,nosuid,nodev"));
        }
    }
}

/// The files by which root could affect the machine.
#[test]
fn dangerous_files_of_proc_are_not_writable() {
    for it in subjects() {
        let script =
            "cd /proc; for f in irq/default_smp_affinity sysrq-trigger; do (: >>$f) 2>&- && echo $f; done; echo end";
        it.sh(&[], script).says("end");
    }
}

const DEV: &str = "core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero";

#[test]
fn dev_has_the_expected_entries() {
    for it in subjects() {
        it.sh(&["--dev", "/dev"], "cd /dev; echo *").says(DEV);
        it.sh(&["--dev", "/a/dev"], "cd /a/dev; echo *").says(DEV);
        let script = "cd /dev; for f in core fd ptmx stderr stdin stdout; do readlink $f; done";
        let links = "/proc/kcore\n/proc/self/fd\npts/ptmx\n/proc/self/fd/2\n/proc/self/fd/0\n/proc/self/fd/1";
        it.sh(&["--dev", "/dev"], script).says(links);
        let script = "cd /dev; stat -c '%n %F %a %t:%T' full null random tty urandom zero pts/ptmx";
        let device = |row: &str| {
            let (name, numbers) = row.split_once(' ').expect("two words");
            format!("{name} character special file 666 {numbers}")
        };
        let rows = ["full 1:7", "null 1:3", "random 1:8", "tty 5:0", "urandom 1:9", "zero 1:5", "pts/ptmx 5:2"];
        it.sh(&["--dev", "/dev"], script).says(&rows.map(device).join("\n"));
        let (uid, gid) = (it.who.uid(), it.who.gid());
        let script = "cd /dev; stat -c '%n %F %a %u %g' . shm; >new; >shm/new; echo x >null; head -c 2 zero | wc -c";
        let directories = [".", "shm"].map(|name| format!("{name} directory 755 {uid} {gid}\n")).concat();
        it.sh(&["--dev", "/dev"], script).says(&format!("{directories}2"));
    }
}

#[test]
fn dev_has_the_expected_mounts() {
    for it in subjects() {
        let mounts = it.mounts(&["--dev", "/dev"]);
        let row = |point: &str| {
            let mount = mounts.at(point);
            (mount.kind.clone(), mount.flags.clone())
        };
        assert_eq!(row("/dev"), ("tmpfs".into(), "rw,nosuid,nodev".into()));
        assert_eq!(row("/dev/pts"), ("devpts".into(), "rw,nosuid".into()));
        for name in ["null", "zero", "full", "random", "urandom", "tty"] {
            let read_only = it.differs("modes and times of the devices in a new /dev");
            let flags = if read_only { "ro,nosuid" } else { "rw,nosuid" };
            assert_eq!(row(&format!("/dev/{name}")).1, flags, "{name}");
        }
    }
}

/// A new devpts: the host's terminals are not in it.
#[test]
fn dev_pts_is_new_and_empty() {
    let _one =
        nix::pty::posix_openpt(nix::fcntl::OFlag::O_RDWR | nix::fcntl::OFlag::O_CLOEXEC).expect("open a terminal");
    for it in subjects() {
        it.sh(&["--dev", "/dev"], "ls /dev/pts").says("ptmx");
    }
}

/// Runs the command in a terminal, as `Term` starts it; the result is its output.
fn in_a_terminal(it: &Bwrap, options: &[&str], script: &str) -> String {
    let program = utf8(&it.program);
    let script = format!("{script}; echo end; read x");
    let words = small(options, &["/bin/sh", "-c", &script]);
    let mut term = Term::run(it.who, Path::new(scratch::scratch()), &[&[program], &words[..]].concat());
    let seen = term.expect("end\r\n").replace('\r', "");
    term.keys("\n");
    term.hang_up();
    seen.trim_end_matches("end\n").trim_end_matches('\n').to_owned()
}

#[test]
fn dev_console_is_the_callers_terminal() {
    for it in subjects() {
        let seen = in_a_terminal(&it, &["--dev", "/dev"], "cd /dev; echo *; tty; stat -c '%F %u' console");
        let expected = format!("console {DEV}\n/dev/console\ncharacter special file {}", it.who.uid());
        assert_eq!(seen, expected);
        let mounts = in_a_terminal(&it, &["--dev", "/dev"], "cat /proc/self/mountinfo");
        let mounts = Mounts::of(&mounts);
        assert_eq!(mounts.at("/dev/console").kind, "devpts");
        let read_only = it.differs("modes and times of the devices in a new /dev");
        assert_eq!(mounts.at("/dev/console").flags, if read_only { "ro,nosuid" } else { "rw,nosuid" });
    }
}

#[test]
fn tmpfs_is_new_and_empty() {
    for it in subjects() {
        it.sh(&["--tmpfs", "/t"], "ls -A /t; >/t/f; ls /t").says("f");
        let mounts = it.mounts(&["--tmpfs", "/a/t"]);
        assert_eq!((mounts.at("/a/t").kind.as_str(), mounts.at("/a/t").flags.as_str()), ("tmpfs", "rw,nosuid,nodev"));
        // The tmpfs hides earlier files.
        it.sh(&["--dir", "/a/b", "--tmpfs", "/a"], "ls -A /a; stat -c %a /a").says("755");
        it.sh(&["--tmpfs", "/a", "--dir", "/a/b"], "ls -A /a").says("b");
    }
}

#[test]
fn size_limits_the_next_tmpfs() {
    for it in subjects() {
        let script = "head -c 9000 /proc/self/exe >/t/f; stat -c %s /t/f";
        // Numbers in decimal, octal and hexadecimal notation.
        for size in ["4096", "010000", "0x1000"] {
            let out = it.sh(&["--size", size, "--tmpfs", "/t"], script);
            assert!(out.stdout == "4096\n" && out.stderr.starts_with("head: "), "{size}: {out}");
        }
        it.sh(&["--size", "4096", "--tmpfs", "/s", "--tmpfs", "/t"], script).says("9000");
        let options = ["--size", "4096", "--perms", "0710", "--tmpfs", "/t"];
        it.sh(&options, "stat -c %a /t").says("710");
        let options = ["--perms", "0710", "--size", "4096", "--tmpfs", "/t"];
        it.sh(&options, "stat -c %a /t; stat -fc %b /t").says("710\n1");
    }
}

/// The kernel permits mqueue only to the owner of the ipc namespace.
#[test]
fn mqueue_needs_an_own_ipc_namespace() {
    for it in subjects() {
        let options = ["--unshare-ipc", "--mqueue", "/a/q"];
        it.sh(&options, "stat -c %a /a/q").says("1777");
        assert_eq!(it.mounts(&options).at("/a/q").kind, "mqueue");
        if it.who != Who::Root {
            let place = if it.is_ours() { "/q" } else { "/newroot/q" };
            let line = format!("bwrap: Can't mount mqueue on {place}: Operation not permitted\n");
            it.sh(&["--mqueue", "/q"], "").is(1, "", &line);
        }
    }
}

#[test]
fn dir_and_symlink_make_files() {
    for it in subjects() {
        it.sh(&["--dir", "/a/b"], "stat -c '%F %a' /a/b").says("directory 755");
        // An existing directory, a link to one, and the root itself.
        let options = ["--dir", "/a", "--dir", "/a", "--symlink", "a", "/l", "--dir", "/l", "--dir", "/"];
        it.sh(&options, "stat -c %F /a /l").says("directory\nsymbolic link");
        it.sh(&["--symlink", "any thing", "/a/b"], "readlink /a/b").says("any thing");
    }
}

#[test]
fn file_and_data_options_read_descriptors() {
    for it in subjects() {
        let options = ["--file", "10", "/a/f", "--bind-data", "11", "/a/b", "--ro-bind-data", "12", "/a/r"];
        let script = "cat /a/f /a/b /a/r; echo more >>/a/f; echo more >>/a/b; echo more >>/a/r";
        let launch = it.small(&options, &["/bin/sh", "-c", script]);
        let launch = give(give(launch, 10, data("file\n")), 11, data("bind\n"));
        let out = give(launch, 12, data("read\n")).run();
        assert_eq!(out.stdout, "file\nbind\nread\n", "{out}");
        refused(&out, "can't create /a/r: Read-only file system");
        assert_eq!(out.stderr.lines().count(), 1, "{out}");
    }
}

/// Longer than any buffer, and from a pipe.
#[test]
fn file_options_copy_long_data() {
    for it in subjects() {
        let options = ["--file", "10", "/f", "--ro-bind-data", "11", "/b"];
        let launch = it.small(&options, &["/bin/sh", "-c", "wc -c </f; wc -c </b; cmp /f /b"]);
        let text: String = (0..50000).map(|n| format!("{n}\n")).collect();
        let (reader, mut writer) = {
            let (reader, writer) = pipe();
            (reader, File::from(writer))
        };
        let launch = give(give(launch, 10, reader), 11, data(&text));
        let feeder = std::thread::spawn({
            let text = text.clone();
            move || writer.write_all(text.as_bytes())
        });
        launch.run().says(&format!("{0}\n{0}", text.len()));
        feeder.join().expect("the feeder ends").expect("all data is read");
    }
}

/// `--file` overwrites an existing file; `--bind-data` is mounted over it.
#[test]
fn file_overwrites_and_bind_data_covers() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        dir.file("f", "long text\n");
        dir.file("b", "untouched\n");
        let options = ["--bind", dir.str(), "/a", "--file", "10", "/a/f", "--bind-data", "11", "/a/b"];
        let launch = it.small(&options, &["/bin/cat", "/a/f", "/a/b"]);
        give(give(launch, 10, data("new\n")), 11, data("data\n")).run().says("new\ndata");
        assert_eq!((dir.read("f"), dir.read("b")), ("new\n".into(), "untouched\n".into()));
    }
}

#[test]
fn data_mounts_have_their_flags() {
    for it in subjects() {
        let options = ["--bind-data", "10", "/b", "--ro-bind-data", "11", "/r"];
        let launch = it.small(&options, &["/bin/cat", "/proc/self/mountinfo"]);
        let out = give(give(launch, 10, data("")), 11, data("")).run();
        let mounts = Mounts::of(out.text());
        assert_eq!(mounts.at("/b").flags, "rw,nosuid,nodev");
        assert_eq!(mounts.at("/r").flags, "ro,nosuid,nodev");
    }
}

/// A later operation sees the result of earlier ones.
#[test]
fn operations_run_in_the_given_order() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        dir.dir("sub");
        dir.file("f", "host\n");
        let over = ["--ro-bind", dir.str(), "/a", "--bind", &format!("{}/sub", dir.str()), "/a/sub"];
        it.sh(&over, "echo x >/a/sub/f").is(0, "", "");
        refused(&it.sh(&over, "echo x >/a/f"), "Read-only file system");
        let under = ["--bind", &format!("{}/sub", dir.str()), "/a/sub", "--ro-bind", dir.str(), "/a"];
        refused(&it.sh(&under, "echo x >/a/sub/f"), "Read-only file system");
        let launch = it.small(&["--ro-bind", dir.str(), "/a", "--file", "10", "/a/new"], &["/bin/true"]);
        let line = "bwrap: Can't create file /a/new: Read-only file system\n";
        give(launch, 10, data("")).run().is(1, "", line);
    }
}

#[test]
fn chmod_runs_in_the_given_order() {
    for it in subjects() {
        let options = ["--dir", "/a", "--chmod", "0711", "/a", "--file", "10", "/f", "--chmod", "4750", "/f"];
        let launch = it.small(&options, &["/bin/stat", "-c", "%a", "/a", "/f"]);
        give(launch, 10, data("")).run().says("711\n4750");
    }
}

// ---- the host's root

/// Mounts that every Linux host has.
const USUAL: [&str; 4] = ["/", "/proc", "/sys", "/dev"];

#[test]
fn host_root_can_be_bound() {
    let host = hosts();
    let usual = || USUAL.into_iter().filter(|point| host.points().contains(point));
    for it in subjects() {
        for (option, flags) in
            [("--bind", "rw,nosuid,nodev"), ("--ro-bind", "ro,nosuid,nodev"), ("--dev-bind", "rw,nosuid")]
        {
            for before in [&[][..], &["--dir", "/no/such"], &["--tmpfs", "/"]] {
                let words = [before, &[option, "/", "/", "cat", "/proc/self/mountinfo"]].concat();
                let out = it.run(&words);
                let mounts = Mounts::of(out.text());
                for point in usual() {
                    assert_eq!(mounts.at(point).flags, host.with(point, flags), "{option} {point} {out}");
                }
            }
        }
        it.host_sh(&[], "test ! -e /no/such && echo x >/dev/null").is(0, "", "");
        let out = it.run(&["--dir", "/no/such", "--bind", "/", "/", "ls", "/no"]);
        refused(&out, "No such file");
    }
}

/// The most common use.
#[test]
fn read_only_host_can_have_writable_and_hidden_directories() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        let other = Dir::new(it.who);
        let root = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"];
        let sh = |hole: &[&str], script: &str| it.run(&[&root[..], hole, &["/bin/sh", "-c", script]].concat());
        let bind = ["--bind", dir.str(), dir.str()];
        sh(&bind, &format!("echo in >{}/f && echo x >/dev/null", dir.str())).is(0, "", "");
        assert_eq!(dir.read("f"), "in\n");
        refused(&sh(&bind, &format!("echo in >{}/f", other.str())), "Read-only file system");
        other.file("secret", "");
        sh(&["--tmpfs", other.str()], &format!("ls -A {}", other.str())).is(0, "", "");
    }
}

/// A root that is a directory of the host.
#[test]
fn directory_can_be_the_root() {
    for it in subjects() {
        let Some(root) = Root::new(it.who) else { return };
        let options = ["--bind", root.str(), "/", "--proc", "/proc", "/bin/sh", "-c", "echo in >/tmp/f; ls -d /mnt"];
        it.run(&options).says("/mnt");
        assert_eq!(root.read("tmp/f"), "in\n");
    }
}

/// The host's mounts are shared, the sandbox's are not.
#[test]
fn mounts_are_not_propagated() {
    for it in subjects_of_tester().into_iter().filter(|it| it.who == Who::Root) {
        let shared = ["/usr/bin/unshare", "--mount", "--propagation", "shared"];
        let script = "grep -c ' shared:' /proc/self/mountinfo; echo end";
        it.launch_in(&shared, &["--dev-bind", "/", "/", "/bin/sh", "-c", script]).run().says("0\nend");
    }
}
