//! What root of the container can reach of the host and tries to change: if it is uid 0 for the host's inodes, it owns
//! them, whatever its capabilities are. And the mounts that protect the sensitive parts of /proc and /sys.

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::harness::container::{Container, Maker, enter};
use super::harness::scratch::{bwrap, nsinit, utf8};
use super::harness::{Deny, Launch, Root, deny, roots, term, who};

/// Each root with its options. Root has a user namespace with an identity map, or none.
fn cases() -> Vec<(Root, &'static [&'static str])> {
    let all = roots().into_iter().map(|root| (root, &[][..]));
    let shared = who::root().and_then(Root::new).map(|root| (root, &["--share-user"][..]));
    all.chain(shared).map(|(root, options)| (root.with_helper(), options)).collect()
}

/// The host's device files that are visible in a container.
const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// The attributes that an attacker would change.
fn device_attributes() -> Vec<(u32, u32, u32)> {
    DEVICES.iter().map(|path| fs::metadata(path).expect(path)).map(|of| (of.mode(), of.uid(), of.gid())).collect()
}

/// The mount points in a container's /proc, /sys and /dev that protect something.
fn covers(root: &Root, options: &[&str]) -> Vec<String> {
    let table = root.run(options, &["cat", "/proc/self/mountinfo"]);
    let points = table.text().lines().filter_map(|line| line.split(' ').nth(4)).map(str::to_owned);
    let ours = ["/dev/pts", "/dev/shm", "/dev/mqueue"];
    let below = |point: &String| ["/proc/", "/sys/", "/dev/"].iter().any(|dir| point.starts_with(dir));
    points.filter(|point| below(point) && !ours.contains(&point.as_str())).collect()
}

/// The system calls that the kernels lack which this build supports.
fn kernels() -> impl Iterator<Item = &'static [i64]> {
    let all = [&[][..], &deny::SINCE_5_12, &deny::SINCE_5_2];
    all.into_iter().filter(|lacking| lacking.is_empty() || cfg!(feature = "legacy"))
}

/// As CVE-2025-31133: the mask was the caller's /dev/null, and `chmod 0 /proc/keys` changed that file.
#[test]
fn masks_and_devices_cannot_be_changed() {
    let before = device_attributes();
    for (root, options) in cases() {
        let covers = covers(&root, options);
        for path in ["/proc/sys", "/proc/interrupts", "/dev/null"] {
            assert!(covers.iter().any(|cover| cover == path), "{path} is not covered: {covers:?}");
        }
        for lacking in kernels() {
            let cmd: Vec<&str> = ["helper", "change"].into_iter().chain(covers.iter().map(String::as_str)).collect();
            root.launch(options, &cmd).lacking(lacking).run().is(0, "", "");
        }
    }
    assert_eq!(before, device_attributes());
}

/// The test checks outside which of these paths exist on this kernel.
#[test]
fn files_that_show_the_host_are_empty() {
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

/// If the files cannot be found, there is no container without their masks.
#[test]
fn proc_that_cannot_be_listed_is_an_error() {
    for root in roots().into_iter().filter(|root| root.who.is_root()) {
        let why = "mount proc on /proc: Function not implemented";
        root.launch(&[], &["true"]).lacking(&[libc::SYS_getdents64]).run().fails_with(125, why);
    }
}

/// The calls that make a mount as a descriptor; a seccomp filter of the caller may allow some of them and not others.
const CALLS: [i64; 6] = [
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
];

/// A variant of CVE-2025-31133: with one of these calls missing, the fallback looked up the caller's /dev/null in the
/// container's root, where a link led to a file that the kernel executes.
#[test]
#[cfg(feature = "whole")]
fn fallbacks_do_not_use_files_of_the_root_as_host_devices() {
    const CORE_PATTERN: &str = "/proc/sys/kernel/core_pattern";
    let before = (device_attributes(), fs::read_to_string(CORE_PATTERN).expect("read core_pattern"));
    for (root, options) in cases() {
        hostile(&root, CORE_PATTERN);
        let covers = covers(&root, options);
        let changes = format!("helper change {}", covers.join(" "));
        // The result with all calls, except for ids and the source name that mount(2) records.
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
        assert_eq!(before, (device_attributes(), fs::read_to_string(CORE_PATTERN).expect("read core_pattern")));
    }
}

/// Without masks, no staging directory is made before one is needed: by then the new root is already mounted over the
/// caller's.
#[test]
#[cfg(feature = "whole")]
fn fallbacks_find_host_devices_without_masks() {
    let before = device_attributes();
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
    assert_eq!(before, device_attributes());
}

/// The root's files with the names of host devices lead to a file that the kernel acts on, and its mountinfo is
/// forged.
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

/// access(2) denies writing to the directory /proc/sys, but uid 0 may write to the files in it, without any
/// capability.
#[test]
#[cfg(feature = "whole")]
fn sysctls_are_read_only_in_roots_sandbox() {
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

/// An ordinary user's sandbox has another procfs below it: nothing masks what that user cannot write anyway.
#[test]
#[cfg(feature = "whole")]
fn users_sandbox_has_no_masks() {
    let Some(root) = who::user().and_then(Root::new) else { return };
    for user in [&["--unshare-all"][..], &["--unshare-all", "--uid", "0"]] {
        let launch =
            Launch::of(root.who, bwrap()).args(user).args(["--ro-bind", root.str(), "/", "--proc", "/proc", "--"]);
        launch.args(["/bin/grep", "-c", " /proc/", "/proc/self/mountinfo"]).run().is(1, "0\n", "");
    }
}

/// A device file of the host that is open as a standard descriptor can be changed through it by its owner: fchmod(2) on
/// /dev/null would be a denial of service.
#[test]
fn devices_cannot_be_changed_through_standard_descriptors() {
    let before = device_attributes();
    for (root, options) in cases() {
        for path in DEVICES.iter().filter(|path| !path.ends_with("tty")) {
            let opened = |launch: Launch| launch.open_as(Path::new(path), 0).open_as(Path::new(path), 2);
            for lacking in kernels() {
                let out = opened(root.launch(options, &["helper", "change", "0", "1", "2"])).lacking(lacking).run();
                out.is(0, "", "");
            }
            // The descriptor is the same device, with the same access mode.
            let script =
                "[ /dev/stdin -ef $0 ] && [ -c /dev/stderr ] && ! { echo x >&0; } 2>/dev/null && echo as before";
            let out = opened(root.launch(options, &["sh", "-c", script, path])).run();
            assert_eq!(out.stdout, "as before\n", "{out}");
        }
        if !cfg!(feature = "bwrap") {
            continue;
        }
        // The same in a sandbox that has a /dev.
        let sandbox = Launch::new(root.who).args(["--unshare-all", "--ro-bind", root.str(), "/", "--dev", "/dev"]);
        sandbox.args(["--proc", "/proc", "/bin/helper", "change", "0"]).run().is(0, "", "");
    }
    assert_eq!(before, device_attributes());
}

#[test]
#[cfg(feature = "enter")]
fn entered_cmd_cannot_change_devices_through_standard_descriptors() {
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

/// The caller's terminal is a device file that the caller owns: a process inside could let other users write to it.
#[test]
#[cfg(feature = "whole")]
fn callers_terminal_cannot_be_changed_through_standard_descriptors() {
    for (root, options) in cases() {
        let (_master, slave) = term::terminal(root.who);
        let path = fs::read_link(format!("/proc/self/fd/{}", slave.as_raw_fd())).expect("read the terminal's path");
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

/// Related to CVE-2024-21626: a directory of the host as a standard descriptor is a way out of the root.
#[test]
fn directory_as_a_standard_descriptor_is_refused() {
    for root in roots() {
        let launch = |fd| root.launch(&[], &["echo", "ran"]).open_as(Path::new("/"), fd).run();
        launch(0).fails("use standard input: Is a directory");
        launch(1).fails("use standard output: Is a directory");
        launch(2).is(125, "", "");
        // The same with O_PATH.
        let looked = root.launch(&[], &["echo", "ran"]).before(|| {
            // SAFETY: open reads a C string; dup2 takes numbers.
            unsafe { libc::dup2(libc::open(c"/".as_ptr(), libc::O_PATH), 0) };
            Ok(())
        });
        looked.run().fails("use standard input: Is a directory");
        if !cfg!(feature = "enter") {
            continue;
        }
        let Some(container) = Container::new(root.who, Maker::Nsinit) else { continue };
        let out = enter(root.who, container.inside, &[], &["echo", "ran"]).open_as(Path::new("/"), 0);
        out.run_with_others().fails("use standard input: Is a directory");
        container.end();
    }
}

/// With too few descriptors the launch fails; no mask or device is silently left out.
#[test]
fn launch_with_few_descriptors_is_complete_or_fails() {
    for root in roots() {
        let (_master, slave) = term::terminal(root.who);
        let path = fs::read_link(format!("/proc/self/fd/{}", slave.as_raw_fd())).expect("read the terminal's path");
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
                // A dynamically linked build may fail in the loader.
                let said =
                    ["nsinit: ", "error while loading shared libraries: "].map(|words| out.stderr.contains(words));
                assert!(out.stdout.is_empty() && said.contains(&true), "{limit} descriptors: {out}");
            }
        }
        assert!(worked > 0, "64 descriptors are not enough");
    }
}

/// A path of a host device must lead to that device.
#[test]
fn host_device_path_with_another_file_is_refused() {
    for (root, options) in cases() {
        let other = root.file("tmp/other", "");
        for (source, word) in [(utf8(&other), "open /dev/full: "), ("/dev/zero", "open /dev/full: ")] {
            // A mount namespace in which another file is mounted on the device.
            let unshare: &[&str] =
                if root.who.is_root() { &["--mount"] } else { &["--mount", "--user", "--map-root-user"] };
            let script = "mount --bind $0 /dev/full && exec \"$@\"";
            let launch =
                Launch::of(root.who, Path::new("/usr/bin/unshare")).args(unshare).args(["sh", "-c", script, source]);
            let launch = launch.args([utf8(nsinit()), "--root", root.str()]).args(options);
            launch.args(["--no-masks", "echo", "ran"]).run().fails(word);
        }
    }
}

// ---- smaller restrictions

/// The options of the mount at `point` and of its file system.
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
fn tmpfs_mounts_have_size_limits() {
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

/// With no_new_privs, set-id files have no effect for the command; they must have none for other processes there
/// either.
#[test]
#[cfg(feature = "whole")]
fn root_is_nosuid_unless_new_privileges_are_allowed() {
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
#[cfg(feature = "whole")]
fn no_proc_leaves_proc_unmounted() {
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

/// In a container with a masked /proc, the kernel permits no new procfs mount (mount_too_revealing).
#[test]
#[cfg(feature = "whole")]
fn masked_proc_outside_is_refused_with_working_advice() {
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
        let launch = launch.args(["sh", utf8(nsinit()), "--root", root.str()]).args(options);
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
