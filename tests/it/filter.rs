//! The built-in filter of system calls, as the kernel applies it: `tests/it/filter` has the answer for each number. The unit tests of
//! `confine::filter` compare the same tables with the program for every machine, and with other engines.

use std::collections::BTreeMap;
use std::fs;

use super::harness::container::{Container, Maker, enter};
use super::harness::deny::Deny;
use super::harness::scratch::{caller, nsinit, utf8};
use super::harness::{Launch, Out, Root, roots, skip, who};

const NONE: [&str; 2] = ["--seccomp-profile", "none"];

/// The bits of the programs that this kernel executes, and the name of their table.
const KINDS: &[(&str, &str)] = if cfg!(target_arch = "x86_64") {
    &[("64", "x86_64"), ("32", "i386")]
} else if cfg!(target_arch = "aarch64") {
    &[("64", "aarch64")]
} else {
    &[]
};

/// The kernel's own trampolines, which no filter sees since Linux 6.14: made by anyone else, they end the program.
const TRAMPOLINES: std::ops::RangeInclusive<u16> = 335..=336;

/// The number of each call, and the answer under the preset: `allow`, `arguments`, or an errno.
fn table(name: &str) -> BTreeMap<u16, (String, String)> {
    let path = format!("{}/tests/it/filter/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).expect("read a table");
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let answer = words[2].split('/').next().unwrap_or_default();
            (words[0].parse().expect("a number"), (words[1].to_owned(), answer.to_owned()))
        })
        .collect()
}

fn with_caller(root: Root) -> Root {
    fs::hard_link(caller(), root.at("bin/calls")).expect("link the caller");
    root
}

/// The answers to the numbers, from the command that `launch` makes of words.
fn answers(
    launch: &dyn Fn(&[&str]) -> Launch,
    bits: &str,
    numbers: [u16; 2],
    arguments: &[u64],
) -> BTreeMap<u16, String> {
    let words: Vec<String> = ["calls".into(), bits.into()]
        .into_iter()
        .chain(numbers.iter().map(u16::to_string))
        .chain(arguments.iter().map(u64::to_string))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let out = launch(&words).run_with_others();
    let line = |line: &str| {
        let (number, answer) = line.split_once(' ').expect("a number and its answer");
        (number.parse().expect("a number"), answer.to_owned())
    };
    out.text().lines().map(line).collect()
}

/// The answer to one call.
fn answer(launch: &dyn Fn(&[&str]) -> Launch, number: i64, arguments: &[u64]) -> String {
    let number = u16::try_from(number).expect("a number of a call");
    answers(launch, "64", [number; 2], arguments).remove(&number).expect("an answer")
}

/// Compares all numbers from 0 to 600.
#[track_caller]
fn has_the_table(launch: &dyn Fn(&[&str]) -> Launch) {
    for (bits, name) in KINDS {
        let table = table(name);
        let mut found = answers(launch, bits, [0, TRAMPOLINES.start() - 1], &[]);
        found.extend(answers(launch, bits, [TRAMPOLINES.end() + 1, 600], &[]));
        assert_eq!(found.len(), 601 - TRAMPOLINES.count());
        for (number, answer) in found {
            // All arguments are 0, which the checks of arguments allow.
            let expected = match table.get(&number).map(|(_, answer)| answer.as_str()) {
                Some("arguments") => "allow",
                Some(answer) => answer,
                None => "ENOSYS",
            };
            assert_eq!(answer, expected, "{name}: {number}, {:?}", table.get(&number));
        }
    }
}

#[test]
fn every_number_has_its_answer() {
    for root in roots().into_iter().map(with_caller) {
        let cases = [
            &[][..],
            &["--as-pid-1"],
            &["--allow-new-privs"],
            &["--allow-new-privs", "--as-pid-1"],
            &["--share-net", "--share-pid"],
            // It belongs to no class.
            &["--cap-add", "NET_ADMIN"],
        ];
        for options in cases {
            has_the_table(&|cmd| root.launch(options, cmd));
        }
        if root.who.is_root() {
            has_the_table(&|cmd| root.launch(&["--share-user"], cmd));
            has_the_table(&|cmd| root.launch(&["--allow-new-privs", "--uid", "5", "--gid", "5"], cmd));
        }
        if cfg!(feature = "bwrap") {
            let sandbox = ["--unshare-user", "--bind", root.str(), "/", "--seccomp-profile", "default"];
            let capabilities = ["--cap-drop", "ALL", "--cap-add", "SYS_CHROOT"];
            has_the_table(&|cmd| Launch::new(root.who).args(sandbox).args(capabilities).args(cmd));
        }
    }
}

#[test]
#[cfg(feature = "enter")]
fn entered_cmd_has_the_filter() {
    for who in who::both() {
        // Whatever the container itself has.
        for options in [&[][..], &NONE, &["--allow-nesting"], &["--cap-add", "ALL"]] {
            let cmd = ["/bin/sh", "-c", "cd /tmp; echo up; exec sleep 1000"];
            let Some(container) = Container::with(who, Maker::Nsinit, options, &cmd) else { return };
            fs::hard_link(caller(), container.root.at("bin/calls")).expect("link the caller");
            for more in [&[][..], &["--allow-new-privs"]] {
                has_the_table(&|cmd| enter(who, container.inside, more, cmd));
            }
            let call =
                |options: &[&str], number| answer(&|cmd| enter(who, container.inside, options, cmd), number, &[]);
            assert_eq!(call(&NONE, libc::SYS_mount), "allow");
            assert_eq!(call(&["--allow-nesting"], libc::SYS_mount), "allow");
            container.end();
        }
    }
}

#[test]
fn profile_none_and_a_sandbox_have_no_filter() {
    for root in roots().into_iter().map(with_caller) {
        let none = |launch: &dyn Fn(&[&str]) -> Launch| {
            launch(&["grep", "^Seccomp:", "/proc/self/status"]).run().says("Seccomp:\t0");
            for call in [libc::SYS_mount, libc::SYS_clone3, libc::SYS_io_uring_setup, 600] {
                assert_eq!(answer(launch, call, &[]), "allow");
            }
        };
        none(&|cmd| root.launch(&NONE, cmd));
        // The last one counts.
        none(&|cmd| root.launch(&["--seccomp-profile", "default", "--seccomp-profile", "none"], cmd));
        root.run(&["--seccomp-profile", "x"], &["true"]).fails("--seccomp-profile x: neither default nor none");
        if cfg!(feature = "bwrap") {
            none(&|cmd| Launch::new(root.who).args(["--bind", root.str(), "/", "--proc", "/proc"]).args(cmd));
        }
        // Process 1 is not filtered.
        root.sh(&[], "grep -h ^Seccomp: /proc/1/status /proc/self/status").says("Seccomp:\t0\nSeccomp:\t2");
    }
}

/// The high half of an argument, which the kernel ignores, does not hide the low half (CVE-2019-10063).
#[test]
fn arguments_are_checked_by_their_low_half() {
    const HIGH: u64 = 0xdead_beef << 32;
    const TCGETS: u64 = 0x5401;
    const TIOCSTI: u64 = 0x5412;
    const TIOCLINUX: u64 = 0x541c;
    for root in roots().into_iter().map(with_caller) {
        let call = |number, arguments: [u64; 3]| {
            let ask = |high| answer(&|cmd| root.launch(&[], cmd), number, &arguments.map(|argument| argument | high));
            assert_eq!(ask(0), ask(HIGH), "{number} {arguments:x?}");
            ask(0)
        };
        assert_eq!(call(libc::SYS_ioctl, [0, TIOCSTI, 0]), "EPERM");
        assert_eq!(call(libc::SYS_ioctl, [0, TIOCLINUX, 0]), "EPERM");
        assert_eq!(call(libc::SYS_ioctl, [0, TCGETS, 0]), "allow");
        let flags =
            [libc::CLONE_NEWUSER, libc::CLONE_NEWNS, libc::CLONE_NEWCGROUP, libc::CLONE_NEWNET, libc::CLONE_NEWPID];
        for flag in flags {
            assert_eq!(call(libc::SYS_unshare, [flag as u64, 0, 0]), "EPERM");
            assert_eq!(call(libc::SYS_clone, [(flag | libc::SIGCHLD) as u64, 0, 0]), "EPERM");
        }
        assert_eq!(call(libc::SYS_unshare, [libc::CLONE_FS as u64, 0, 0]), "allow");
        assert_eq!(call(libc::SYS_personality, [8, 0, 0]), "allow");
        assert_eq!(call(libc::SYS_personality, [0x40_0000, 0, 0]), "EPERM");
        for (family, protocol, expected) in [
            (libc::AF_INET, 0, "allow"),
            (libc::AF_NETLINK, libc::NETLINK_ROUTE, "allow"),
            (libc::AF_NETLINK, libc::NETLINK_AUDIT, "EINVAL"),
            (libc::AF_PACKET, 0, "EPERM"),
            (libc::AF_XDP, 0, "EPERM"),
            (libc::AF_VSOCK, 0, "EPERM"),
            (libc::AF_ALG, 0, "EPERM"),
        ] {
            assert_eq!(call(libc::SYS_socket, [family as u64, 3, protocol as u64]), expected, "{family}");
        }
    }
}

/// A capability permits the calls that need it, and no others.
#[test]
fn capabilities_permit_their_calls() {
    for root in roots().into_iter().map(with_caller) {
        for (name, call, arguments) in [
            ("SYS_ADMIN", libc::SYS_mount, &[][..]),
            ("SYS_ADMIN", libc::SYS_unshare, &[libc::CLONE_NEWNS as u64]),
            ("SYS_ADMIN", libc::SYS_clone3, &[]),
            ("BPF", libc::SYS_bpf, &[]),
            ("PERFMON", libc::SYS_perf_event_open, &[]),
            ("SYSLOG", libc::SYS_syslog, &[]),
            ("SYS_PTRACE", libc::SYS_kcmp, &[]),
            ("SYS_MODULE", libc::SYS_finit_module, &[]),
            ("SYS_TIME", libc::SYS_settimeofday, &[]),
            ("SYS_BOOT", libc::SYS_reboot, &[]),
            ("SYS_NICE", libc::SYS_mbind, &[]),
            ("DAC_READ_SEARCH", libc::SYS_open_by_handle_at, &[]),
            ("NET_RAW", libc::SYS_socket, &[libc::AF_PACKET as u64]),
            ("AUDIT_WRITE", libc::SYS_socket, &[libc::AF_NETLINK as u64, 3, libc::NETLINK_AUDIT as u64]),
        ] {
            let ask = |options: &[&str]| answer(&|cmd| root.launch(options, cmd), call, arguments);
            assert_ne!(ask(&[]), "allow", "{call}");
            assert_eq!(ask(&["--cap-add", name]), "allow", "{name} {call}");
            assert_ne!(
                ask(&["--cap-add", "ALL", "--cap-drop", name, "--cap-drop", "SYS_ADMIN"]),
                "allow",
                "{name} {call}"
            );
        }
        let ask = |options: &[&str], call| answer(&|cmd| root.launch(options, cmd), call, &[]);
        assert_eq!(ask(&[], libc::SYS_chroot), "allow");
        assert_eq!(ask(&["--cap-drop", "SYS_CHROOT"], libc::SYS_chroot), "EPERM");
        assert_eq!(ask(&["--keep-keyring"], libc::SYS_keyctl), "allow");
        // It stands for those that were split off from it.
        for call in [libc::SYS_bpf, libc::SYS_perf_event_open, libc::SYS_syslog] {
            assert_eq!(ask(&["--cap-add", "SYS_ADMIN"], call), "allow");
        }
        for call in [libc::SYS_io_uring_setup, libc::SYS_userfaultfd, libc::SYS_kexec_load] {
            assert_eq!(ask(&["--cap-add", "ALL", "--allow-nesting", "--keep-keyring"], call), "EPERM");
        }
        // What --allow-nesting opens, without a capability.
        for call in [libc::SYS_mount, libc::SYS_fsopen, libc::SYS_setns, libc::SYS_pivot_root, libc::SYS_clone3] {
            assert_eq!(ask(&["--allow-nesting"], call), "allow");
        }
        assert_eq!(ask(&["--allow-nesting"], libc::SYS_bpf), "EPERM");
        if root.who.is_root() {
            // With another user the command has no capability, whatever the bounding set.
            assert_eq!(ask(&["--uid", "5"], libc::SYS_chroot), "EPERM");
        }
    }
}

/// Both filters apply, the caller's after the built-in one.
#[test]
#[cfg(feature = "seccomp")]
fn filters_of_the_caller_come_beside_it() {
    for root in roots().into_iter().map(with_caller) {
        let place = root.at("filter");
        fs::write(&place, Deny::all(libc::SYS_getppid, libc::EDOM).bytes()).expect("write a filter");
        let launch = |options: &[&str], cmd: &[&str]| {
            root.launch(&[&["--seccomp", "10"], options].concat(), cmd).open_as(&place, 10)
        };
        for (options, mount) in [(&[][..], "EPERM"), (&NONE, "allow")] {
            let ask = |call| answer(&|cmd| launch(options, cmd), call, &[]);
            assert_eq!(ask(libc::SYS_getppid), "EDOM");
            assert_eq!(ask(libc::SYS_mount), mount);
        }
        // --explain has both.
        let out = launch(&["--explain"], &["true"]).run();
        let [own, callers] = ["install the built-in filter of system calls\n", "filter system calls\n"]
            .map(|step| out.text().find(step));
        assert!(own.is_some() && own < callers, "{out}");
    }
}

/// Without the filter the command does not run.
#[test]
fn launch_fails_if_the_kernel_refuses_the_filter() {
    for root in roots() {
        for errno in [libc::EINVAL, libc::EPERM, libc::ENOSYS] {
            let refuse = Deny::when(libc::SYS_prctl, 0, u64::MAX, libc::PR_SET_SECCOMP as u64, errno);
            let run = |options: &[&str]| -> Out { root.launch(options, &["echo", "ran"]).deny(refuse).run() };
            for options in [&[][..], &["--allow-new-privs"]] {
                let out = run(options);
                out.fails("install the built-in filter of system calls: ");
                if cfg!(feature = "hints") {
                    out.fails("(--seccomp-profile none runs CMD without it)");
                }
            }
            run(&NONE).says("ran");
        }
    }
}

/// nsinit under the filter of nsinit: a container in a container.
#[test]
#[cfg(feature = "whole")]
fn container_in_a_container_has_both_filters() {
    for root in roots() {
        let program = utf8(nsinit());
        root.dir("inner");
        let places = ["/lib", "/lib64", "/usr/lib"].into_iter().flat_map(|dir| ["--ro-bind-try", dir, dir]);
        let options: Vec<&str> =
            ["--allow-nesting"].into_iter().chain(places).chain(["--ro-bind", program, "/nsinit"]).collect();
        let inner = [
            "/nsinit",
            "--root",
            "/",
            "--share-pid",
            "--no-sys",
            "--allow-nesting",
            "--",
            "grep",
            "-c",
            "^Seccomp_filters:.2",
            "/proc/self/status",
        ];
        let out = root.run(&options, &inner);
        if out.stdout == "0\n" {
            skip("the kernel does not count filters");
        } else {
            out.says("1");
        }
    }
}
