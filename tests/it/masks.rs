//! What of the host's container root can reach, and tries to change from inside: it may be uid 0 for the host's inodes, and is
//! their owner then, whatever capabilities it has. And what stands before the dangerous parts of /proc and /sys.

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::harness::container::{Container, Maker, enter};
use super::harness::scratch::{bwrap, nsinit};
use super::harness::{Deny, Launch, Root, deny, roots, term, who};

/// Each root, and its options: root has a user namespace, in which its ids are the host's, or none.
fn cases() -> Vec<(Root, &'static [&'static str])> {
    let all = roots().into_iter().map(|root| (root, &[][..]));
    let shared = who::root().and_then(Root::new).map(|root| (root, &["--share-user"][..]));
    all.chain(shared).map(|(root, options)| (root.with_helper(), options)).collect()
}

/// The host's devices, which a container shows too.
const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// What an attacker would change of them.
fn of_devices() -> Vec<(u32, u32, u32)> {
    DEVICES.iter().map(|path| fs::metadata(path).expect(path)).map(|of| (of.mode(), of.uid(), of.gid())).collect()
}

/// The mount points in a container's /proc, /sys and /dev that are there to protect something.
fn covers(root: &Root, options: &[&str]) -> Vec<String> {
    let table = root.run(options, &["cat", "/proc/self/mountinfo"]);
    let points = table.text().lines().filter_map(|line| line.split(' ').nth(4)).map(str::to_owned);
    let ours = ["/dev/pts", "/dev/shm", "/dev/mqueue"];
    let below = |point: &String| ["/proc/", "/sys/", "/dev/"].iter().any(|dir| point.starts_with(dir));
    points.filter(|point| below(point) && !ours.contains(&point.as_str())).collect()
}

/// CVE-2025-31133's family: the mask was the caller's /dev/null, and `chmod 0 /proc/keys` changed that.
#[test]
fn masks_take_no_change() {
    let before = of_devices();
    for (root, options) in cases() {
        let covers = covers(&root, options);
        for path in ["/proc/sys", "/proc/interrupts", "/dev/null"] {
            assert!(covers.iter().any(|cover| cover == path), "{path} is not covered: {covers:?}");
        }
        for lacking in [&[][..], &deny::SINCE_5_12, &deny::SINCE_5_2] {
            let cmd: Vec<&str> = ["helper", "change"].into_iter().chain(covers.iter().map(String::as_str)).collect();
            root.launch(options, &cmd).lacking(lacking).run().is(0, "", "");
        }
    }
    assert_eq!(before, of_devices());
}

/// Which are there on this kernel is seen outside.
#[test]
fn what_shows_the_host_is_empty() {
    const PATHS: [&str; 23] = [
        "/proc/acpi",
        "/proc/allocinfo",
        "/proc/asound",
        "/proc/interrupts",
        "/proc/kcore",
        "/proc/keys",
        "/proc/kmsg",
        "/proc/kpagecgroup",
        "/proc/kpagecount",
        "/proc/kpageflags",
        "/proc/latency_stats",
        "/proc/pagetypeinfo",
        "/proc/sched_debug",
        "/proc/scsi",
        "/proc/slabinfo",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/proc/vmallocinfo",
        "/sys/dev/block",
        "/sys/devices/virtual/powercap",
        "/sys/firmware",
        "/sys/kernel/debug",
        "/sys/kernel/tracing",
    ];
    for (root, options) in cases() {
        let script =
            "for p; do [ ! -e $p ] || [ -z \"$(ls -A $p | grep -v ^$p$; cat $p 2>/dev/null)\" ] || echo $p; done";
        let cmd: Vec<&str> = ["sh", "-c", script, "sh"].into_iter().chain(PATHS).collect();
        root.run(options, &cmd).is(0, "", "");
        for path in PATHS.iter().filter(|path| path.starts_with("/proc/") && Path::new(path).exists()) {
            root.sh(options, &format!("[ -e {path} ]")).is(0, "", "");
        }
    }
}

/// The calls that make a mount as a descriptor; an outer filter may know some of them and not others.
const CALLS: [i64; 6] = [
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
];

/// CVE-2025-31133 by another road: with one of them missing the fall-back looked the caller's /dev/null up in the container's
/// root, where it leads to a file that the kernel executes.
#[test]
fn in_a_fall_back_nothing_of_the_containers_is_taken_for_the_hosts() {
    const CORE_PATTERN: &str = "/proc/sys/kernel/core_pattern";
    let before = (of_devices(), fs::read_to_string(CORE_PATTERN).expect("read it"));
    for (root, options) in cases() {
        hostile(&root, CORE_PATTERN);
        let covers = covers(&root, options);
        let changes = format!("helper change {}", covers.join(" "));
        // As the kernel has it where nothing is missing; but for numbers and the name that mount(2) gives a source.
        let script = format!(
            "cat /proc/interrupts /proc/keys; {changes}; echo x >/dev/null; [ -c /dev/null ] || echo null; \
             cut -d' ' -f5,6 /proc/self/mountinfo | sort"
        );
        let cmd = ["sh", "-c", &script];
        let normal = root.run(options, &cmd).text().to_owned();
        for refused in 0..1 << CALLS.len() {
            let calls: Vec<i64> =
                CALLS.iter().enumerate().filter(|(bit, _)| refused >> bit & 1 == 1).map(|(_, call)| *call).collect();
            let out = root.launch(options, &cmd).lacking(&calls).run();
            assert_eq!(out.text(), normal, "without {calls:?}");
        }
        for call in CALLS {
            let out = root.launch(options, &cmd).deny(Deny::all(call, libc::EPERM)).run();
            let refused = out.status == 125 && out.stdout.is_empty() && out.stderr.lines().count() == 1;
            assert!(refused || out.text() == normal, "{out}");
        }
        assert_eq!(before, (of_devices(), fs::read_to_string(CORE_PATTERN).expect("read it")));
    }
}

/// Where nothing is masked, no place for mounts is made before one is needed: then the new root lies on the caller's already.
#[test]
fn a_late_fall_back_finds_the_callers_root() {
    let before = of_devices();
    for (root, options) in cases() {
        hostile(&root, "/proc/sys/kernel/core_pattern");
        let options: Vec<&str> = options.iter().copied().chain(["--no-masks"]).collect();
        let script = "ls /; ls /dev; echo x >/dev/null; [ -c /dev/null ] && [ -e /proc/uptime ] || echo wrong; \
             cut -d' ' -f5,6 /proc/self/mountinfo | sort";
        let cmd = ["sh", "-c", script];
        let normal = root.run(&options, &cmd).text().to_owned();
        for refused in 1..1 << CALLS.len() {
            let calls: Vec<i64> =
                CALLS.iter().enumerate().filter(|(bit, _)| refused >> bit & 1 == 1).map(|(_, call)| *call).collect();
            let out = root.launch(&options, &cmd).lacking(&calls).run();
            assert_eq!(out.text(), normal, "without {calls:?}");
        }
    }
    assert_eq!(before, of_devices());
}

/// What names of the host's are in there leads to what the kernel acts on; its list of mounts is a lie.
fn hostile(root: &Root, victim: &str) {
    for name in ["null", "zero", "full", "random", "urandom", "tty", "console"] {
        root.symlink(victim, &format!("dev/{name}"));
    }
    root.dir("proc/self");
    root.dir("proc/self/fd");
    for number in 3..20 {
        root.symlink(victim, &format!("proc/self/fd/{number}"));
    }
    let lies = ["/", "/nsinit.tree", "/nsinit.leaf", "/host", "/root"]
        .map(|path| format!("1 1 0:1 / {path} ro,nosuid,nodev,noexec - tmpfs none ro\n"))
        .concat();
    root.file("proc/self/mountinfo", &lies);
}

/// access(2) says no to the directory /proc/sys, and root may write to what is in it: without any capability.
#[test]
fn in_roots_sandbox_sysctls_are_read_only() {
    let Some(root) = who::root().and_then(Root::new).map(Root::with_helper) else { return };
    for program in [nsinit(), bwrap()] {
        for user in [&["--unshare-all"][..], &["--unshare-all", "--uid", "7"], &["--unshare-pid"]] {
            let launch =
                Launch::of(root.who, program).args(user).args(["--cap-drop", "ALL", "--ro-bind", root.str(), "/"]);
            let cmd = [
                "/bin/helper",
                "change",
                "/proc/sys/kernel/core_pattern",
                "/proc/sysrq-trigger",
                "/proc/sys/vm/swappiness",
            ];
            launch.args(["--proc", "/proc", "--"]).args(cmd).run().is(0, "", "");
        }
    }
}

/// An ordinary user's sandbox has another procfs below it: nothing covers what it can't write anyway.
#[test]
fn a_users_sandbox_has_no_covers() {
    let Some(root) = who::user().and_then(Root::new) else { return };
    for user in [&["--unshare-all"][..], &["--unshare-all", "--uid", "0"]] {
        let launch =
            Launch::of(root.who, bwrap()).args(user).args(["--ro-bind", root.str(), "/", "--proc", "/proc", "--"]);
        launch.args(["/bin/grep", "-c", " /proc/", "/proc/self/mountinfo"]).run().is(1, "0\n", "");
    }
}

/// One of the host's device files, open as a standard descriptor, can be changed through it by its owner: fchmod(2) on
/// /dev/null is a denial of service.
#[test]
fn standard_descriptors_take_no_change() {
    let before = of_devices();
    for (root, options) in cases() {
        for path in DEVICES.iter().filter(|path| !path.ends_with("tty")) {
            let opened = |launch: Launch| launch.open_as(Path::new(path), 0).open_as(Path::new(path), 2);
            for lacking in [&[][..], &deny::SINCE_5_12, &deny::SINCE_5_2] {
                let out = opened(root.launch(options, &["helper", "change", "0", "1", "2"])).lacking(lacking).run();
                out.is(0, "", "");
            }
            // It is the same device, open as it was.
            let script =
                "[ /dev/stdin -ef $0 ] && [ -c /dev/stderr ] && ! { echo x >&0; } 2>/dev/null && echo as before";
            let out = opened(root.launch(options, &["sh", "-c", script, path])).run();
            assert_eq!(out.stdout, "as before\n", "{out}");
        }
        // A sandbox too, if it has a /dev.
        let sandbox = Launch::new(root.who).args(["--unshare-all", "--ro-bind", root.str(), "/", "--dev", "/dev"]);
        sandbox.args(["--proc", "/proc", "/bin/helper", "change", "0"]).run().is(0, "", "");
    }
    assert_eq!(before, of_devices());
}

#[test]
fn standard_descriptors_of_an_entered_cmd_take_no_change() {
    for who in who::both() {
        for maker in [Maker::Nsinit, Maker::Unshare] {
            let Some(container) = Container::new(who, maker) else { continue };
            for path in DEVICES.iter().filter(|path| !path.ends_with("tty")) {
                let run = |cmd: &[&str]| {
                    let launch = enter(who, container.inside, &[], cmd);
                    launch.open_as(Path::new(path), 0).open_as(Path::new(path), 2).run_with_others()
                };
                let out = run(&["helper", "change", "0", "1", "2"]);
                assert_eq!((out.status, out.stdout.as_str()), (0, ""), "{path} in {maker:?}: {out}");
            }
            container.end();
        }
    }
}

/// The caller's terminal is such a file, of the caller's: a process inside could let others write to it.
#[test]
fn a_terminal_among_the_standard_descriptors_takes_no_change() {
    for (root, options) in cases() {
        let (_master, slave) = term::terminal(root.who);
        let path = fs::read_link(format!("/proc/self/fd/{}", slave.as_raw_fd())).expect("its path");
        let out = root.launch(options, &["helper", "change", "0", "1", "2"]).open_as(&path, 0).run();
        out.is(0, "", "");
        root.launch(options, &["sh", "-c", "[ -t 0 ] && tty"]).open_as(&path, 0).run().says("/dev/console");
        if options.is_empty() {
            let Some(container) = Container::new(root.who, Maker::Nsinit) else { continue };
            let out = enter(root.who, container.inside, &[], &["helper", "change", "0"]).open_as(&path, 0);
            out.run_with_others().is(0, "", "");
            container.end();
        }
    }
}

/// CVE-2024-21626's neighbour: a directory of the host's as a standard descriptor is a way out of the root.
#[test]
fn a_directory_is_no_standard_descriptor() {
    for root in roots() {
        let launch = |fd| root.launch(&[], &["echo", "ran"]).open_as(Path::new("/"), fd).run();
        launch(0).fails("use standard input: Is a directory");
        launch(1).fails("use standard output: Is a directory");
        launch(2).is(125, "", "");
        // Also as what can only be looked at.
        let looked = root.launch(&[], &["echo", "ran"]).before(|| {
            // SAFETY: open reads a C string; the others take numbers.
            unsafe { libc::dup2(libc::open(c"/".as_ptr(), libc::O_PATH), 0) };
            Ok(())
        });
        looked.run().fails("use standard input: Is a directory");
        let Some(container) = Container::new(root.who, Maker::Nsinit) else { continue };
        let out = enter(root.who, container.inside, &[], &["echo", "ran"]).open_as(Path::new("/"), 0);
        out.run_with_others().fails("use standard input: Is a directory");
        container.end();
    }
}

/// Few descriptors: what does not fit is an error, and nothing is left out for it.
#[test]
fn with_few_descriptors_nothing_is_left_out() {
    for root in roots() {
        let (_master, slave) = term::terminal(root.who);
        let path = fs::read_link(format!("/proc/self/fd/{}", slave.as_raw_fd())).expect("its path");
        let launch = |limit: u64| {
            let cmd = ["sh", "-c", "ls /dev; cut -d' ' -f5,6 /proc/self/mountinfo"];
            let limit = libc::rlimit { rlim_cur: limit, rlim_max: limit };
            root.launch(&["--dir", "/mnt/x"], &cmd).open_as(&path, 0).before(move || {
                // SAFETY: the kernel reads the limit.
                unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
                Ok(())
            })
        };
        let normal = launch(1024).run().text().to_owned();
        assert!(normal.contains("console\n"), "{normal}");
        let mut worked = 0;
        for limit in 4..64 {
            let out = launch(limit).run();
            if out.status == 0 {
                worked += 1;
                assert_eq!(out.text(), normal, "{limit} descriptors");
            } else {
                // A build for the host's libc may not get as far.
                let said =
                    ["nsinit: ", "error while loading shared libraries: "].map(|words| out.stderr.contains(words));
                assert!(out.stdout.is_empty() && said.contains(&true), "{limit} descriptors: {out}");
            }
        }
        assert!(worked > 0, "64 descriptors are not enough");
    }
}

/// The host's file that has the name of a device has to be that device.
#[test]
fn what_is_no_device_is_not_taken_for_one() {
    for (root, options) in cases() {
        let other = root.file("tmp/other", "");
        for (source, word) in [(other.to_str().expect("UTF-8"), "open /dev/full: "), ("/dev/zero", "open /dev/full: ")]
        {
            // A host of its own, in which another file is mounted on it.
            let unshare: &[&str] =
                if root.who.is_root() { &["--mount"] } else { &["--mount", "--user", "--map-root-user"] };
            let script = "mount --bind $0 /dev/full && exec \"$@\"";
            let launch =
                Launch::of(root.who, Path::new("/usr/bin/unshare")).args(unshare).args(["sh", "-c", script, source]);
            let launch = launch.args([nsinit().to_str().expect("UTF-8"), "--root", root.str()]).args(options);
            launch.args(["--no-masks", "echo", "ran"]).run().fails(word);
        }
    }
}

// ---- what else is smaller than it was

/// The options of the mount at `point`, of it and of its file system.
fn options_of(table: &str, point: &str) -> String {
    let line = table.lines().rfind(|line| line.split(' ').nth(4) == Some(point));
    let line = line.unwrap_or_else(|| panic!("no {point} in {table}"));
    format!("{},{}", line.split(' ').nth(5).expect("options"), line.rsplit(' ').next().expect("more options"))
}

#[track_caller]
fn has(table: &str, point: &str, all: &[&str], none: &[&str]) {
    let options = options_of(table, point);
    let is = |word: &&str| options.split(',').any(|option| option == *word);
    assert!(all.iter().all(is) && !none.iter().any(is), "{point} has {options}");
}

#[test]
fn file_systems_in_memory_are_bounded() {
    for (root, options) in cases() {
        let table = root.run(options, &["cat", "/proc/self/mountinfo"]).text().to_owned();
        has(&table, "/dev/shm", &["rw", "nosuid", "nodev", "noexec", "size=65536k"], &[]);
        has(&table, "/dev", &["rw", "nosuid", "nodev", "size=64k"], &[]);
        let all: Vec<&str> = options.iter().copied().chain(["--size", "131072", "--tmpfs", "/dev/shm"]).collect();
        has(root.run(&all, &["cat", "/proc/self/mountinfo"]).text(), "/dev/shm", &["size=128k"], &["noexec"]);
        let script = "cp /bin/busybox /dev/shm/ && /dev/shm/busybox true 2>/dev/null || echo no; \
             head -c 1000000 /dev/zero 2>/dev/null >/dev/file || echo full; stat -c %a /dev/shm";
        root.sh(options, script).says("no\nfull\n1777");
    }
}

/// With no_new_privs set-id files mean nothing to CMD, nor must they mean anything to another process there.
#[test]
fn the_root_is_nosuid_unless_new_privileges_are_allowed() {
    for (root, options) in cases() {
        for more in [&[][..], &["--volatile"], &["--read-only"]] {
            for (allow, all, none) in [(&[][..], &["nosuid"][..], &[][..]), (&["--allow-new-privs"], &[], &["nosuid"])]
            {
                let options: Vec<&str> = options.iter().chain(more).chain(allow).copied().collect();
                has(root.run(&options, &["cat", "/proc/self/mountinfo"]).text(), "/", all, none);
            }
        }
    }
}

#[test]
fn without_proc() {
    for (root, options) in cases() {
        let options: Vec<&str> = options.iter().copied().chain(["--no-proc"]).collect();
        root.run(&options, &["ls", "-A", "/proc", "/sys/firmware"]).is(0, "/proc:\n\n/sys/firmware:\n", "");
        let explained = root.run(&[&options[..], &["--explain"]].concat(), &["true"]);
        assert!(!explained.text().contains("proc on /proc") && explained.text().contains("sysfs on"), "{explained}");
    }
    for who in who::both() {
        Launch::new(who).args(["--no-proc", "--ro-bind", "/", "/", "true"]).run().fails("--no-proc");
    }
}

/// In a container, whose /proc is masked, no other may be mounted (mount_too_revealing in the kernel).
#[test]
fn below_a_masked_proc_there_is_a_way() {
    let Some(user) = who::user() else { return };
    let Some(root) = Root::new(user) else { return };
    let inner = |options: &[&str]| {
        let script = "mount --bind /dev/null /proc/interrupts && exec \"$@\"";
        let launch = Launch::of(user, Path::new("/usr/bin/unshare")).args([
            "--mount",
            "--user",
            "--map-root-user",
            "sh",
            "-c",
            script,
        ]);
        let launch = launch.args(["sh", nsinit().to_str().expect("UTF-8"), "--root", root.str()]).args(options);
        launch
            .args(["--", "sh", "-c", "[ -e /proc/uptime ] && echo 1 || echo 0; cat /proc/interrupts 2>/dev/null; :"])
            .run()
    };
    let refused = inner(&[]);
    refused.fails("mount proc on /proc: Operation not permitted (");
    for word in ["--share-pid", "--no-proc"] {
        assert!(refused.stderr.contains(word) && !refused.stderr.contains("--no-masks"), "{refused}");
    }
    inner(&["--share-pid"]).says("1");
    inner(&["--no-proc"]).says("0");
}
