//! What the command can see and do: each default of the container preset, and each option that changes it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::harness::procs::{self, Pid, eventually, field_of, our_namespace};
use super::harness::scratch::{Dir, bwrap, helper, nsinit, utf8};
use super::harness::{Launch, Root, has_options, roots, skip, who};

/// The capabilities that every container engine keeps: chown, dac_override, fowner, fsetid, kill, setgid, setuid,
/// setpcap, net_bind_service, sys_chroot, setfcap.
const KEPT: u64 = 0x8004_05fb;
const NET_ADMIN: u64 = 1 << 12;

fn words(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&n| n.to_owned()).collect()
}

/// The command's /proc/self/status under these options.
#[track_caller]
fn status(root: &Root, options: &[&str]) -> String {
    root.run(options, &["cat", "/proc/self/status"]).text().to_owned()
}

#[track_caller]
fn number(status: &str, field: &str) -> u64 {
    let value = field_of(status, field).unwrap_or_else(|| panic!("no {field} in {status}"));
    u64::from_str_radix(&value, 16).expect("a hexadecimal mask")
}

// ---- namespaces

#[test]
fn cmd_is_not_pid_1_and_sees_only_the_containers_processes() {
    for root in roots() {
        root.sh(&[], "[ $$ -gt 1 ] && cat /proc/1/comm").says("nsinit");
        let out = root.run(&[], &["sh", "-c", "cd /proc; echo [0-9]* = 1 $$"]);
        let (seen, known) = out.text().trim_end().split_once(" = ").expect("two lists");
        assert_eq!(seen, known);
    }
}

#[test]
fn as_pid_1_makes_cmd_pid_1() {
    for root in roots() {
        root.sh(&["--as-pid-1"], "cd /proc; echo $$ [0-9]*; exit 5").is(5, "1 1\n", "");
        root.run(&["--as-pid-1"], &["none"]).fails_with(127, "none");
    }
}

const KINDS: [&str; 7] = ["mnt", "pid", "ipc", "uts", "net", "cgroup", "user"];

fn namespace(kind: &str) -> Vec<String> {
    vec!["readlink".into(), format!("/proc/self/ns/{kind}")]
}

#[test]
fn every_namespace_except_time_is_new() {
    for root in roots() {
        for kind in KINDS {
            let inside = Launch::new(root.who).args(["--root", root.str()]).args(namespace(kind)).run();
            assert_ne!(inside.text(), our_namespace(kind), "{kind} as {:?}", root.who);
        }
        let inside = Launch::new(root.who).args(["--root", root.str()]).args(namespace("time")).run();
        assert_eq!(inside.text(), our_namespace("time"));
    }
}

#[test]
fn every_namespace_can_be_shared() {
    for root in roots() {
        for kind in KINDS.into_iter().filter(|&k| k != "mnt") {
            if kind == "user" && !root.who.is_root() {
                continue;
            }
            let share = format!("--share-{kind}");
            let launch = || Launch::new(root.who).args(["--root", root.str(), &share]);
            assert_eq!(launch().args(namespace(kind)).run().text(), our_namespace(kind), "{share} as {:?}", root.who);
            for other in KINDS.into_iter().filter(|&k| k != kind) {
                assert_ne!(launch().args(namespace(other)).run().text(), our_namespace(other), "{share}: {other}");
            }
        }
    }
}

#[test]
fn root_can_share_all_namespaces() {
    let Some(root) = who::root().and_then(Root::new) else { return };
    let all = ["--share-pid", "--share-ipc", "--share-uts", "--share-net", "--share-cgroup", "--share-user"];
    let script = "for k in pid ipc uts net cgroup user; do readlink /proc/self/ns/$k; done";
    let expected: Vec<String> = ["pid", "ipc", "uts", "net", "cgroup", "user"].map(our_namespace).into();
    root.sh(&all, script).says(&expected.join("\n"));
}

/// An ordinary user has no capabilities over the host's namespaces: it needs a user namespace.
#[test]
#[cfg(feature = "whole")]
fn ordinary_user_cannot_share_the_user_namespace() {
    let Some(root) = who::user().and_then(Root::new) else { return };
    root.sh(&["--share-user"], "echo ran").fails("--share-user");
}

#[test]
fn unshare_time_makes_a_time_namespace() {
    for root in roots() {
        let launch = Launch::new(root.who).args(["--root", root.str(), "--unshare-time"]);
        assert_ne!(launch.args(namespace("time")).run().text(), our_namespace("time"));
    }
}

/// Without a pid namespace, exit status and death by signal of the command are reported as usual.
#[test]
fn share_pid_keeps_cmds_exit_status() {
    for root in roots() {
        root.sh(&["--share-pid"], "exit 6").is(6, "", "");
        root.sh(&["--share-pid"], "kill -9 $$").is(137, "", "");
    }
}

#[test]
fn network_has_only_lo_and_lo_is_up() {
    for root in roots() {
        let names = root.sh(&[], "cd /sys/class/net 2>/dev/null && echo * || tail -n +3 /proc/net/dev");
        assert!(names.text() == "lo" || names.text().trim_start().starts_with("lo:"), "{names}");
        let lo = root.run(&[], &["ip", "addr", "show", "dev", "lo"]);
        for mark in ["LOOPBACK,UP", "inet 127.0.0.1/8 scope host lo", "inet6 ::1/128 scope host"] {
            assert!(lo.text().contains(mark), "{mark}: {lo}");
        }
        let all = root.run(&[], &["ip", "-o", "link"]);
        assert!(all.text().lines().all(|l| l.contains(" lo: ")), "{all}");
        root.sh(
            &["--cap-add", "NET_RAW"],
            "ping -c 1 -W 5 127.0.0.1 >/dev/null && ping -c 1 -W 5 ::1 >/dev/null && echo ok",
        )
        .says("ok");
    }
}

#[test]
fn hostname_is_set_inside_only() {
    let ours = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    for root in roots() {
        root.run(&[], &["hostname"]).says(ours.trim_end());
        root.run(&["--hostname", "cage"], &["hostname"]).says("cage");
        root.run(&["--hostname", &"x".repeat(64)], &["hostname"]).says(&"x".repeat(64));
        root.run(&["--hostname", &"x".repeat(65)], &["hostname"]).fails("--hostname");
        root.run(&["--hostname", "y", "--share-uts"], &["hostname"]).fails("--hostname");
    }
    assert_eq!(ours, fs::read_to_string("/proc/sys/kernel/hostname").unwrap());
}

// ---- ids

#[test]
fn id_maps_are_identity_for_root_and_one_id_for_users() {
    for root in roots() {
        let (uid, gid) = (root.who.uid(), root.who.gid());
        let maps = root.sh(&[], "cd /proc/self; echo $(cat uid_map) / $(cat gid_map) / $(cat setgroups)");
        if root.who.is_root() {
            assert_eq!(maps.text(), "0 0 4294967295 / 0 0 4294967295 / allow");
        } else {
            assert_eq!(maps.text(), format!("0 {uid} 1 / 0 {gid} 1 / deny"));
        }
        root.sh(&[], "id -u; id -g").says("0\n0");
    }
}

#[test]
fn uid_and_gid_options_set_all_ids() {
    for root in roots() {
        let (uid, gid) = (root.who.uid(), root.who.gid());
        let ids = ["--uid", "1234", "--gid", "4321"];
        let inside = status(&root, &ids);
        assert_eq!(field_of(&inside, "Uid").unwrap(), "1234\t1234\t1234\t1234");
        assert_eq!(field_of(&inside, "Gid").unwrap(), "4321\t4321\t4321\t4321");
        root.sh(&["--uid", "7"], "id -u; id -g").says("7\n0");
        if !root.who.is_root() {
            let maps = root.sh(&ids, "cd /proc/self; echo $(cat uid_map) / $(cat gid_map)");
            assert_eq!(maps.text(), format!("1234 {uid} 1 / 4321 {gid} 1"));
        }
    }
}

/// The supplementary groups of the caller are not the command's.
#[test]
fn supplementary_groups_are_dropped() {
    let Some(root) = who::root().and_then(Root::new) else { return };
    let out = root.launch(&["--uid", "5"], &["cat", "/proc/self/status"]).before(|| {
        let groups = [4, 27];
        // SAFETY: the kernel reads two ids.
        unsafe { libc::setgroups(groups.len(), groups.as_ptr()) };
        Ok(())
    });
    assert_eq!(field_of(out.run().text(), "Groups").unwrap(), "");
}

// ---- rights

#[test]
fn cmd_has_eleven_capabilities() {
    for root in roots() {
        let inside = status(&root, &[]);
        for field in ["CapBnd", "CapPrm", "CapEff"] {
            assert_eq!(number(&inside, field), KEPT, "{field} as {:?}", root.who);
        }
        for field in ["CapInh", "CapAmb"] {
            assert_eq!(number(&inside, field), 0, "{field} as {:?}", root.who);
        }
    }
}

#[test]
fn capabilities_are_added_and_dropped_in_order() {
    let last: u32 = fs::read_to_string("/proc/sys/kernel/cap_last_cap").unwrap().trim_end().parse().unwrap();
    let all = u64::MAX >> (63 - last);
    for root in roots() {
        let table: &[(&[&str], u64)] = &[
            (&["--cap-add", "CAP_NET_ADMIN"], KEPT | NET_ADMIN),
            (&["--cap-add", "net_admin"], KEPT | NET_ADMIN),
            (&["--cap-drop", "CAP_CHOWN"], KEPT & !1),
            (&["--cap-drop", "ALL"], 0),
            (&["--cap-drop", "ALL", "--cap-add", "CAP_CHOWN"], 1),
            (&["--cap-add", "ALL"], all),
            (&["--cap-add", "ALL", "--cap-drop", "CAP_CHOWN"], all & !1),
            (&["--cap-add", "CAP_NET_ADMIN", "--cap-drop", "CAP_NET_ADMIN"], KEPT),
        ];
        for &(options, expected) in table {
            let inside = status(&root, options);
            for field in ["CapBnd", "CapPrm", "CapEff"] {
                assert_eq!(number(&inside, field), expected, "{field} with {options:?} as {:?}", root.who);
            }
            assert_eq!(number(&inside, "CapInh"), 0);
        }
    }
}

/// By the kernel's rules an id other than 0 has no capabilities, and cannot gain any outside the bounding set.
#[test]
fn nonzero_uid_has_no_capabilities_unless_added() {
    for root in roots() {
        let inside = status(&root, &["--uid", "1000"]);
        assert_eq!((number(&inside, "CapPrm"), number(&inside, "CapEff")), (0, 0));
        assert_eq!(number(&inside, "CapBnd"), KEPT);
        let inside = status(&root, &["--uid", "1000", "--cap-add", "CAP_NET_ADMIN"]);
        assert_eq!(
            (number(&inside, "CapPrm"), number(&inside, "CapEff")),
            (NET_ADMIN, NET_ADMIN),
            "capabilities added by name"
        );
    }
}

/// The caller's inheritable and ambient capabilities are not passed on to the command.
#[test]
fn inheritable_and_ambient_capabilities_are_cleared() {
    let Some(root) = who::root().and_then(Root::new) else { return };
    let setpriv = Launch::of(root.who, "/usr/bin/setpriv".as_ref()).args([
        "--inh-caps",
        "+net_admin",
        "--ambient-caps",
        "+net_admin",
    ]);
    let out = setpriv
        .args([super::harness::scratch::nsinit()])
        .args(["--root", root.str(), "--share-user", "cat", "/proc/self/status"])
        .run();
    assert_eq!((number(out.text(), "CapInh"), number(out.text(), "CapAmb")), (0, 0));
}

#[test]
fn no_new_privs_is_set_by_default() {
    for root in roots() {
        assert_eq!(field_of(&status(&root, &[]), "NoNewPrivs").unwrap(), "1");
        assert_eq!(field_of(&status(&root, &["--allow-new-privs"]), "NoNewPrivs").unwrap(), "0");
    }
}

/// Process 1 keeps no right that it does not need, and the command cannot reach the rights that it has.
#[test]
fn cmd_cannot_trace_process_1() {
    for root in roots() {
        root.sh(&[], "cat /proc/1/mem 2>&1 >/dev/null | tail -n 1 | grep -c 'denied'").is(0, "1\n", "");
        root.sh(&["--uid", "9"], "ls /proc/1/fd 2>&1 >/dev/null | grep -c 'denied'").is(0, "1\n", "");
    }
}

// ---- environment, directory, umask, descriptors

#[test]
fn environment_is_cleared_by_default() {
    for root in roots() {
        let env = root.launch(&[], &["env"]).env("SECRET", "1").env("LD_PRELOAD", "").run();
        let names: BTreeSet<String> =
            env.text().lines().filter_map(|l| l.split_once('=')).map(|(n, _)| n.into()).collect();
        assert_eq!(names, set(&["PATH", "HOME", "TERM", "container"]), "{env}");
        assert!(env.text().contains("container=nsinit"), "{env}");
    }
}

#[test]
fn environment_options_apply_in_order() {
    let table: &[(&[&str], &[&str], &[&str])] = &[
        (&["--setenv", "A", "b=c d"], &["A=b=c d", "container=nsinit"], &["SECRET="]),
        (&["--setenv", "A", "1", "--setenv", "A", "2"], &["A=2"], &["A=1"]),
        (&["--setenv", "A", "1", "--unsetenv", "A"], &[], &["A="]),
        (&["--setenv", "PATH", "/bin:/x"], &["PATH=/bin:/x"], &["PATH=/usr"]),
        (&["--unsetenv", "HOME"], &["TERM="], &["HOME="]),
        (&["--pass-env", "SECRET"], &["SECRET=1"], &["OTHER="]),
        (&["--pass-env", "NONE"], &["PATH="], &["NONE"]),
        (&["--keep-env"], &["SECRET=1", "OTHER=2"], &[]),
        (&["--keep-env", "--unsetenv", "SECRET"], &["OTHER=2"], &["SECRET="]),
        (&["--clearenv", "--setenv", "A", "1"], &["A=1"], &["HOME=", "SECRET="]),
        (&["--setenv", "A", "1", "--clearenv"], &[], &["A=", "HOME="]),
    ];
    for root in roots() {
        for &(options, present, absent) in table {
            let out = root.launch(options, &["/bin/env"]).env("SECRET", "1").env("OTHER", "2").run();
            let has = |start: &str| out.text().lines().any(|l| l.starts_with(start));
            assert!(present.iter().all(|p| has(p)) && !absent.iter().any(|a| has(a)), "{options:?}: {out}");
        }
    }
}

#[test]
fn chdir_sets_the_working_directory() {
    for root in roots() {
        root.run(&[], &["pwd"]).says("/");
        root.run(&["--chdir", "/tmp"], &["pwd"]).says("/tmp");
        root.run(&["--chdir", "/none"], &["pwd"]).fails("/none");
        root.run(&["--chdir", "/bin/busybox"], &["pwd"]).fails("/bin/busybox");
    }
}

/// CVE-2024-21626: a working directory reached through an inherited descriptor.
#[test]
fn chdir_through_a_descriptor_outside_is_refused() {
    for root in roots() {
        for fd in 3..20 {
            let path = format!("/proc/self/fd/{fd}");
            let out = root.launch(&["--chdir", &path], &["pwd"]).before(|| {
                // SAFETY: open reads a C string; the descriptor stays open across exec on purpose.
                unsafe { libc::open(c"/".as_ptr(), libc::O_RDONLY) };
                Ok(())
            });
            out.run().fails(&path);
        }
    }
}

#[test]
fn umask_option_sets_cmds_umask() {
    for root in roots() {
        root.run(&["--umask", "027"], &["sh", "-c", "umask"]).says("0027");
        root.run(&["--umask", "0"], &["sh", "-c", "umask"]).says("0000");
    }
}

#[test]
fn callers_umask_applies_to_cmd_only() {
    for root in roots() {
        let script = "umask; stat -c '%a' /dev /dev/shm /dev/null /mnt/a /mnt/a/b";
        let out = root.launch(&["--dir", "/mnt/a/b"], &["sh", "-c", script]).before(|| {
            // SAFETY: umask takes a number.
            unsafe { libc::umask(0o077) };
            Ok(())
        });
        out.run().says("0077\n755\n1777\n666\n755\n755");
    }
}

#[test]
fn cmd_has_only_standard_and_kept_descriptors() {
    for root in roots() {
        let launch = |options: &[&str]| {
            root.launch(options, &["sh", "-c", "ls /proc/$$/fd; :"]).before(|| {
                // SAFETY: dup2 takes numbers; its copies are not close-on-exec.
                unsafe { (libc::dup2(0, 7), libc::dup2(0, 9), libc::dup2(0, 900)) };
                Ok(())
            })
        };
        launch(&[]).run().says("0\n1\n2");
        launch(&["--keep-fd", "7"]).run().says("0\n1\n2\n7");
        launch(&["--keep-fd", "900", "--keep-fd", "7"]).run().says("0\n1\n2\n7\n900");
        launch(&["--keep-fd", "8"]).run().fails("8");
    }
}

/// Seen from outside: process 1 and the command have no descriptor of the host except the three standard ones.
#[test]
fn no_process_inside_keeps_a_descriptor_of_the_host() {
    if who::root().is_none() {
        return;
    }
    for root in roots() {
        let mut running = root.launch(&[], &["sh", "-c", "echo up; exec cat"]).open_input().start();
        assert_eq!(running.line(), "up");
        // Process 1 closes its descriptors while the command starts.
        for pid in [running.init(), running.cmd()] {
            eventually("no descriptor of the host", || hosts_descriptors(pid).is_empty().then_some(()));
            for name in ["cwd", "root"] {
                assert_eq!(procs::link(pid, name).unwrap(), Path::new("/"), "{name} of {pid}");
            }
        }
        running.finish().is(0, "", "");
    }
}

fn hosts_descriptors(pid: Pid) -> Vec<PathBuf> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let further = entries.filter(|e| !["0", "1", "2"].iter().any(|&standard| e.file_name() == standard));
    further.filter_map(|e| fs::read_link(e.path()).ok()).filter(|target| target.starts_with("/")).collect()
}

// ---- file systems

/// The mount points of a container without options.
fn is_expected(point: &str) -> bool {
    const POINTS: [&str; 8] = ["/", "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup"];
    const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];
    POINTS.contains(&point) || DEVICES.contains(&point) || point.starts_with("/proc/") || point.starts_with("/sys/")
}

#[test]
fn mount_table_has_only_the_containers_mounts() {
    for root in roots() {
        let table = root.run(&[], &["cat", "/proc/self/mountinfo"]);
        let points: Vec<&str> = table.text().lines().filter_map(|l| l.split(' ').nth(4)).collect();
        assert!(points.iter().all(|p| is_expected(p)), "{table}");
        for once in ["/", "/proc", "/dev", "/dev/pts"] {
            assert_eq!(points.iter().filter(|&&p| p == once).count(), 1, "{once}: {table}");
        }
        for line in table.text().lines() {
            assert!(!line.contains(" shared:") && !line.contains(" master:"), "not private: {line}");
        }
    }
}

#[test]
fn host_files_are_not_visible() {
    for root in roots() {
        let here = root.run(&[], &["ls", "/"]);
        assert_eq!(words(here.text()), set(&["bin", "dev", "etc", "mnt", "proc", "sys", "tmp"]));
        root.sh(&[], "ls ../../../../..").says(here.text());
        root.sh(&["--chdir", "/tmp"], "ls ../../../../..; cat ../../../etc/hostname 2>/dev/null").is(
            1,
            &here.stdout,
            "",
        );
        root.sh(&["--share-pid"], "ls /proc/1/root/ /proc/1/cwd/ 2>/dev/null").is(1, "", "");
        root.sh(&["--cap-add", "ALL"], "umount -l / 2>/dev/null; ls /.. 2>/dev/null; cat /etc/passwd 2>/dev/null").is(
            1,
            &here.stdout,
            "",
        );
    }
}

#[test]
fn dev_is_new_and_minimal() {
    for root in roots() {
        root.file("dev/leftover", "");
        let expected = "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero";
        assert_eq!(words(root.run(&[], &["ls", "/dev"]).text()), words(expected));
        root.sh(&[], "echo x >/dev/null; head -c 3 /dev/zero | wc -c; head -c 3 /dev/urandom | wc -c").says("3\n3");
        root.sh(&[], "echo x 2>/dev/null >/dev/full || echo full").says("full");
        root.sh(&[], "echo out >/dev/stdout | cat; echo in | cat /dev/stdin").says("out\nin");
        root.sh(&[], "for d in null zero full random urandom tty ptmx; do [ -c /dev/$d ] || echo $d; done")
            .is(0, "", "");
        root.sh(&[], "touch /dev/shm/x && echo ok; stat -c %a /dev/shm; ls /dev/pts").says("ok\n1777\nptmx");
        root.sh(&[], "stat -f -c %T /dev /dev/pts").says("tmpfs\ndevpts");
        assert_eq!(root.listing().matches("dev/").count(), 1, "no file was made in DIR's own /dev");
    }
}

/// runc's list, as far as the kernel has the files.
const MASKED: [&str; 10] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
];
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

fn on_host<'a>(paths: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    paths.iter().copied().filter(|p| fs::symlink_metadata(p).is_ok())
}

#[test]
fn sensitive_files_are_masked() {
    for root in roots() {
        for path in on_host(&MASKED) {
            // Some are not masked for an ordinary user, whose container cannot read them.
            let may_fail = if root.who.is_root() { "" } else { "2>/dev/null || :" };
            let script = format!("if [ -d {path} ]; then ls -A {path}; else cat {path} {may_fail}; fi");
            root.sh(&[], &script).is(0, "", "");
        }
    }
}

/// The kernel of a vendor has files that no list knows.
#[test]
fn files_that_only_root_may_read_cannot_be_read() {
    for root in roots() {
        let secret = "find /proc -maxdepth 1 -type f -perm -0400 ! -perm -0004";
        let exposed = root.sh(&["--no-masks"], secret);
        assert!(exposed.stdout.contains("/proc/kmsg\n"), "{exposed}");
        let open = root.sh(&[], secret);
        assert!(!root.who.is_root() || open.text().is_empty(), "{open}");
        for path in open.text().lines() {
            let refused =
                format!("cat: can't open '{path}': Permission denied\nchmod: {path}: Operation not permitted\n");
            root.sh(&[], &format!("cat {path} || chmod 0444 {path}")).is(1, "", &refused);
        }
    }
}

#[test]
fn sensitive_files_are_read_only() {
    for root in roots() {
        for path in on_host(&READ_ONLY) {
            root.sh(&[], &format!("mount | grep -c ' on {path} .*[(]ro[,)]'")).says("1");
        }
        for path in on_host(&["/proc/sys/kernel/hostname", "/proc/sysrq-trigger"]) {
            let out = root.sh(&[], &format!(": >{path}"));
            assert!(out.stderr.contains("Read-only file system"), "{out}");
        }
    }
}

#[test]
fn no_masks_leaves_proc_unmasked() {
    for root in roots() {
        root.sh(&["--no-masks"], "grep -c ' /proc/' /proc/self/mountinfo").is(1, "0\n", "");
        // The file belongs to root of the host, to whom an ordinary user's container has no mapping.
        if root.who.is_root() {
            root.sh(&["--no-masks"], ": >/proc/sys/kernel/hostname && echo ok").says("ok");
        }
    }
}

#[test]
fn proc_dev_and_sys_have_restrictive_mount_flags() {
    for root in roots() {
        let table = root.run(&[], &["cat", "/proc/self/mountinfo"]);
        let options = |point: &str| {
            let line = table.text().lines().find(|l| l.split(' ').nth(4) == Some(point));
            line.and_then(|l| l.split(' ').nth(5)).map(|o| o.split(',').map(str::to_owned).collect::<BTreeSet<_>>())
        };
        let proc = options("/proc").expect("/proc is mounted");
        assert!(set(&["nosuid", "nodev", "noexec"]).is_subset(&proc), "{table}");
        let dev = options("/dev").expect("/dev is mounted");
        assert!(set(&["nosuid", "nodev"]).is_subset(&dev), "{table}");
        match options("/sys") {
            Some(sys) => assert!(set(&["ro", "nosuid", "nodev", "noexec"]).is_subset(&sys), "{table}"),
            None => skip("sysfs cannot be mounted on this machine"),
        }
        root.run(&["--no-sys"], &["ls", "/sys"]).is(0, "", "");
    }
}

/// CVE-2023-25809.
#[test]
fn cgroups_are_not_writable() {
    for root in roots() {
        root.sh(&[], "mkdir /sys/fs/cgroup/x 2>/dev/null || echo no").says("no");
        root.sh(&["--share-cgroup"], "mkdir /sys/fs/cgroup/x 2>/dev/null || echo no").says("no");
    }
}

#[test]
fn read_only_makes_the_root_read_only() {
    for root in roots() {
        let options = ["--read-only", "--tmpfs", "/tmp"];
        let out = root.sh(&options, "touch /tmp/x && echo ok; touch /x");
        assert!(out.stdout == "ok\n" && out.stderr.contains("Read-only file system"), "{out}");
        root.sh(&options, "echo x >/dev/null; touch /dev/shm/x && echo ok").says("ok");
        assert!(!root.at("x").exists());
    }
}

/// If a mount point cannot be made, the message names it.
#[test]
fn mount_point_that_cannot_be_made_is_named() {
    for who in who::both() {
        let Some(root) = Root::bare(who) else { return };
        root.sh(&["--read-only"], "echo ran").fails("/dev");
        root.sh(&["--read-only", "--dir", "/new"], "echo ran").fails("/new");
    }
    let (Some(_), Some(user)) = (who::root(), who::user()) else { return };
    let Some(root) = Root::bare(user) else { return };
    who::Who::Root.own(root.path());
    root.sh(&[], "echo ran").fails("/dev");
}

#[test]
#[cfg(feature = "overlay")]
fn volatile_discards_all_writes() {
    for root in roots() {
        root.file("etc/old", "old\n");
        let before = root.listing();
        let script =
            "cat /etc/old; echo new >/etc/old; rm -r /mnt; mkdir /made; cat /etc/old; ls -d /made /mnt 2>/dev/null";
        root.sh(&["--volatile"], script).is(1, "old\nnew\n/made\n", "");
        root.sh(&["--volatile", "--dir", "/a/b", "--tmpfs", "/c"], "ls -d /a/b /c").says("/a/b\n/c");
        assert_eq!(before, root.listing());
    }
}

// ---- escape from the root

/// Whatever the root is made of, no file outside can be reached, not even with the right to change the root and
/// mounts.
#[test]
fn root_cannot_be_escaped_by_mounts_or_chroot() {
    for root in roots() {
        let outside = Dir::new(root.who);
        outside.file("secret", "");
        let secret = outside.at("secret");
        let escape = |launch: Launch| {
            let launch =
                launch.args(["--ro-bind"]).args([helper()]).args(["/tmp/helper", "--", "/tmp/helper", "escape"]);
            launch.args([&secret]).run()
        };
        root.file("tmp/helper", "");
        for options in [
            &[][..],
            &["--volatile"],
            &["--read-only"],
            &["--bind", "/", "/mnt"],
            &["--volatile", "--bind", "/", "/mnt"],
        ]
        .into_iter()
        .filter(|options| has_options(options))
        {
            let launch = Launch::of(root.who, nsinit()).args(["--root", root.str(), "--cap-add", "SYS_ADMIN"]);
            escape(launch.args(options)).says("in");
        }
        if !cfg!(feature = "bwrap") {
            continue;
        }
        for options in [
            &[][..],
            &["--bind", root.str(), "/"],
            &["--ro-bind", "/", "/", "--bind", root.str(), "/"],
            &["--tmpfs", "/", "--tmpfs", "/", "--bind", "/", "/host"],
            &["--unshare-all", "--bind", root.str(), "/"],
            &["--overlay-src", root.str(), "--tmp-overlay", "/"],
        ] {
            let launch = Launch::of(root.who, bwrap()).args(["--cap-add", "ALL"]);
            escape(launch.args(options)).says("in");
        }
        // The control: the same program sees a file that is visible.
        let launch = Launch::of(root.who, bwrap()).args(["--ro-bind", "/", "/"]);
        launch.args([helper()]).args(["escape"]).args([&secret]).run().says("out by nothing, from \"\"");
    }
}

/// `/..` is `/`, also where mounts are stacked.
#[test]
fn parent_of_the_root_is_the_root() {
    for root in roots() {
        let cases = [&[][..], &["--volatile"], &["--volatile", "--tmpfs", "/mnt"], &["--bind", "/", "/mnt"]];
        for options in cases.into_iter().filter(|options| has_options(options)) {
            root.sh(options, "[ / -ef /.. ] && ls / >/tmp/a && ls /.. | cmp - /tmp/a").is(0, "", "");
        }
    }
}

/// The user namespace maps one id, so the group tty does not exist in it.
#[test]
fn container_starts_in_a_user_namespace_of_one_id() {
    let Some(user) = who::user() else { return };
    let Some(root) = Root::new(user) else { return };
    let words = ["--user", "--map-root-user", utf8(nsinit()), "--root", root.str(), "--no-masks"];
    let launch = Launch::of(user, Path::new("/usr/bin/unshare"));
    launch.args(words).args(["--", "id", "-u"]).run().says("0");
}
