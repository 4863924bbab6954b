//! Each system call that there is fails in turn. The command either runs as confined as usual, seen from outside, or it
//! does not run and nothing is left. And on older kernels nsinit uses the older calls.

use std::collections::BTreeMap;
use std::fs;

use libc::{ENOSYS, EPERM};

use super::fault::{entered, in_place};
use super::harness::container::{Container, Maker};
use super::harness::launch::send;
use super::harness::procs::{self, Pid, our_namespace, stat};
use super::harness::scratch::{self, utf8};
use super::harness::{Deny, Launch, Root, roots, skip, who};

/// Calls without which no program starts, prints or ends: if they fail, nsinit stops before its first message.
const BASIC: [i64; 4] = [libc::SYS_execve, libc::SYS_write, libc::SYS_exit_group, libc::SYS_exit];
/// Above the last call that this kernel knows: the kernel answers ENOSYS to all.
const LAST: i64 = 470;

#[test]
fn failing_calls_never_weaken_cmd() {
    if who::root().is_none() {
        return skip("only root can inspect a container from outside");
    }
    for root in roots() {
        let root = root.with_helper();
        assert_unchanged_by_failures(&|deny| observe(&root, deny), &[]);
    }
}

/// Each call in turn fails: the entered command is in all namespaces and as confined as usual, or does not run.
#[test]
fn failing_calls_never_weaken_an_entered_cmd() {
    if who::root().is_none() {
        return skip("only root can inspect a container from outside");
    }
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        for options in [&[][..], &["--pty"]] {
            let observed = |deny| observe_launch(entered(&container, options, &["helper", "stay"]), deny);
            assert_unchanged_by_failures(&observed, &[libc::SYS_wait4]);
        }
        container.end();
    }
}

/// Each call in turn fails: the command runs as without nsinit, or does not run; the launch ends, and nothing is
/// left.
#[test]
fn failing_calls_in_place_never_change_cmd_or_hang() {
    let Some(root) = who::root() else {
        return skip("only root can read /proc of another user's process");
    };
    let helper = utf8(scratch::helper());
    let observed = |deny| observe_launch(in_place(root, &[], &[helper, "stay"]), deny);
    assert_unchanged_by_failures(&observed, &[libc::SYS_wait4]);
}

/// Makes each call fail in turn, except those of `except`: the command is the same as usual, or does not run.
#[track_caller]
fn assert_unchanged_by_failures(observed: &dyn Fn(Deny) -> Result<Facts, String>, except: &[i64]) {
    let normal = observed(Deny::all(LAST, EPERM))
        .unwrap_or_else(|out| panic!("the command does not run without a failing call: {out}"));
    for call in (0..LAST).filter(|call| !BASIC.contains(call) && !except.contains(call)) {
        for errno in [EPERM, ENOSYS] {
            let deny = Deny::all(call, errno);
            if let Ok(facts) = observed(deny) {
                assert!(facts == normal, "{deny:?}: {}", differences(&normal, &facts));
            }
        }
    }
}

type Facts = BTreeMap<String, String>;

/// Runs a command under the filter and inspects it from outside. Err: it did not run.
fn observe(root: &Root, deny: Deny) -> Result<Facts, String> {
    let options = ["--hostname", "cage", "--tmpfs", "/tmp", "--umask", "027"];
    // An ordinary user has no cgroup here.
    let limit = if root.who.is_root() { LIMIT } else { &[] };
    observe_launch(root.launch(&[&options[..], limit].concat(), &["helper", "stay"]), deny)
}

fn observe_launch(launch: Launch, deny: Deny) -> Result<Facts, String> {
    let mut running = launch.deny(deny).open_input().start();
    let Some(_) = running.line_or_end() else {
        let out = running.finish();
        assert!(out.status != 0, "{deny:?}: {out}");
        return Err(out.to_string());
    };
    let pids = procs::tree(running.pid());
    let cmd = pids.iter().copied().find(|&pid| stat(pid).is_some_and(|s| s.name == "helper"));
    let Some(cmd) = cmd else {
        // A launcher that cannot wait ends at once, and the command with it.
        return Err(running.finish().to_string());
    };
    // The command may have ended, because a process of nsinit could not continue.
    let facts = facts(cmd);
    send(cmd, libc::SIGKILL);
    let out = running.finish();
    facts.ok_or_else(|| out.to_string())
}

fn facts(pid: Pid) -> Option<Facts> {
    let mut facts = Facts::new();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    for field in [
        "Umask",
        "Uid",
        "Gid",
        "Groups",
        "NoNewPrivs",
        "Seccomp",
        "Seccomp_filters",
        "CapInh",
        "CapPrm",
        "CapEff",
        "CapBnd",
        "CapAmb",
        "SigBlk",
        "SigIgn",
    ] {
        facts.insert(field.into(), procs::field_of(&status, field).unwrap_or_default());
    }
    for kind in ["mnt", "pid", "ipc", "uts", "net", "cgroup", "user"] {
        let link = procs::link(pid, &format!("ns/{kind}"))?;
        facts.insert(kind.into(), if link.to_string_lossy() == our_namespace(kind) { "shared" } else { "own" }.into());
    }
    for name in ["uid_map", "gid_map", "setgroups", "environ", "cmdline"] {
        facts.insert(name.into(), fs::read_to_string(format!("/proc/{pid}/{name}")).ok()?);
    }
    facts.insert("limit".into(), limit(pid)?);
    facts.insert("mounts".into(), mounts(pid)?);
    facts.insert("descriptors".into(), descriptors(pid)?);
    // All facts were read before the command ended.
    (stat(pid)?.state != 'Z').then_some(facts)
}

/// A limit that every cgroup has, and that is felt by no program.
const LIMIT: &[&str] = &["--cgroup-set", "cgroup.max.depth=1234567"];

/// What the cgroup of the process says of that limit.
fn limit(pid: Pid) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    let read = |tree: &&str| fs::read_to_string(format!("{tree}{path}/cgroup.max.depth")).ok();
    Some(["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].iter().find_map(read).unwrap_or_default())
}

/// The mount table without the ids that differ between runs.
fn mounts(pid: Pid) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/mountinfo")).ok()?;
    let lines = text.lines().map(|l| l.splitn(4, ' ').nth(3).unwrap_or_default());
    // The name of the container's cgroup has the launcher's process id.
    let lines = lines.map(|line| match line.split_once(' ') {
        Some((root, rest)) if root.starts_with("/nsinit-") => format!("/nsinit {rest}"),
        _ => line.to_owned(),
    });
    Some(lines.collect::<Vec<_>>().join("\n"))
}

fn descriptors(pid: Pid) -> Option<String> {
    let mut names: Vec<String> = fs::read_dir(format!("/proc/{pid}/fd"))
        .ok()?
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Some(names.join(" "))
}

fn differences(normal: &Facts, facts: &Facts) -> String {
    let differ = normal.iter().filter(|&(name, value)| facts.get(name) != Some(value));
    differ.map(|(name, value)| format!("\n{name}: {value:?}\n  now: {:?}", facts.get(name))).collect()
}

// ---- older kernels

/// Calls newer than Linux 4.18, for each of which nsinit has a fallback.
const NEW_CALLS: &[(&str, i64)] = &[
    ("clone3", libc::SYS_clone3),
    ("openat2", libc::SYS_openat2),
    ("close_range", libc::SYS_close_range),
    ("pidfd_open", libc::SYS_pidfd_open),
    ("pidfd_send_signal", libc::SYS_pidfd_send_signal),
    ("faccessat2", libc::SYS_faccessat2),
    ("statx", libc::SYS_statx),
];

#[test]
fn container_works_without_newer_system_calls() {
    for root in roots() {
        let source = root.dir("mnt");
        let options = ["--ro-bind", source.to_str().unwrap(), "/a/b", "--tmpfs", "/tmp", "--hostname", "cage"];
        let script = "hostname; ls -d /a/b; ls /proc/$$/fd; id -u; exit 7";
        for &(name, call) in NEW_CALLS {
            let out = root.launch(&options, &["sh", "-c", script]).deny(Deny::all(call, ENOSYS)).run();
            assert!(
                (out.status, out.stderr.as_str()) == (7, "") && out.stdout == "cage\n/a/b\n0\n1\n2\n0\n",
                "without {name}: {out}"
            );
        }
    }
}

/// The seccomp filters of container engines refuse clone3, whose flags they cannot inspect, with either errno.
#[test]
fn clone_is_used_if_clone3_fails() {
    for root in roots() {
        for errno in [ENOSYS, EPERM] {
            for options in [&[][..], &["--unshare-time"], &["--share-pid"], &["--as-pid-1"]] {
                let out = root.launch(options, &["sh", "-c", "exit 7"]).deny(Deny::all(libc::SYS_clone3, errno)).run();
                out.is(7, "", "");
            }
        }
    }
}
