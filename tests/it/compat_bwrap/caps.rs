//! Capabilities and system call filters: what CMD may do.

use std::fs;
use std::io;

use super::fds::member;
use super::processes::is_over;
use super::{Bwrap, anywhere, data, everywhere, give, pipe, read_all, small};
use crate::harness::deny::Deny;
use crate::harness::procs::{Pid, eventually, field_of, stat};
use crate::harness::{Out, Who};

const CHOWN: u64 = 1;
const KILL: u64 = 1 << 5;

/// Inheritable, permitted, effective, bounding, ambient.
type Sets = [u64; 5];

const NAMES: [&str; 5] = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];

fn sets(status: &str) -> Sets {
    NAMES.map(|name| {
        let word = field_of(status, name).unwrap_or_else(|| panic!("no {name} in {status:?}"));
        u64::from_str_radix(&word, 16).expect("a set of capabilities")
    })
}

/// Root's own.
fn callers() -> Sets {
    sets(&fs::read_to_string("/proc/self/status").expect("read our status"))
}

/// All that this kernel knows.
fn all() -> u64 {
    let last = fs::read_to_string("/proc/sys/kernel/cap_last_cap").expect("read the last capability");
    (2 << last.trim().parse::<u32>().expect("a number")) - 1
}

#[track_caller]
fn has(it: &Bwrap, options: &[&str], expected: Sets) {
    let out = it.sh(options, "cat /proc/self/status");
    let found = sets(out.text());
    assert!(found == expected, "{found:x?} and not {expected:x?}\n{out}");
}

/// Without an option root keeps what it has, an ordinary user gets nothing.
#[test]
fn by_default() {
    for it in everywhere() {
        let [_, prm, eff, bnd, _] = callers();
        let user = it.who != Who::Root;
        for options in [&[][..], &["--unshare-pid"], &["--unshare-user"], &["--unshare-all"]] {
            let expected = if user { [0; 5] } else { [0, prm, eff, bnd, 0] };
            has(&it, options, expected);
        }
    }
}

/// In a user namespace the bounding set becomes the wanted one.
#[test]
fn the_users() {
    for it in everywhere().into_iter().filter(|it| it.who != Who::Root) {
        let only = |set| [set; 5];
        for (options, set) in [
            (&["--cap-add", "CAP_CHOWN"][..], CHOWN),
            (&["--cap-add", "cap_chown", "--cap-add", "CAP_KILL"], CHOWN | KILL),
            (&["--cap-add", "0"], CHOWN),
            (&["--cap-add", "ALL"], all()),
            (&["--cap-add", "all"], all()),
            (&["--cap-add", "ALL", "--cap-drop", "CAP_CHOWN"], all() & !CHOWN),
            (&["--cap-add", "CAP_CHOWN", "--cap-drop", "ALL"], 0),
            (&["--cap-add", "CAP_CHOWN", "--cap-drop", "CAP_CHOWN"], 0),
            (&["--cap-drop", "ALL", "--cap-add", "CAP_KILL"], KILL),
            (&["--cap-drop", "CAP_CHOWN"], 0),
            (&["--unshare-user", "--uid", "0", "--cap-add", "CAP_CHOWN"], CHOWN),
            (&["--unshare-user", "--uid", "5", "--cap-add", "CAP_CHOWN"], CHOWN),
            (&["--unshare-user", "--disable-userns", "--cap-add", "CAP_CHOWN"], CHOWN),
            (&["--unshare-all", "--cap-add", "CAP_CHOWN"], CHOWN),
            (&["--unshare-user", "--uid", "0"], 0),
        ] {
            has(&it, options, only(set));
        }
    }
}

/// Root starts with what it has. Its bounding set stays unless there is a new user namespace.
#[test]
fn roots() {
    for it in everywhere().into_iter().filter(|it| it.who == Who::Root) {
        let [_, prm, _, bnd, _] = callers();
        for (options, set) in [
            (&["--cap-add", "CAP_CHOWN"][..], prm),
            (&["--cap-add", "CAP_CHOWN", "--cap-add", "CAP_KILL"], prm),
            (&["--cap-drop", "CAP_CHOWN"], prm & !CHOWN),
            (&["--cap-drop", "ALL"], 0),
            (&["--cap-drop", "ALL", "--cap-add", "CAP_CHOWN"], CHOWN),
            (&["--cap-add", "CAP_CHOWN", "--cap-drop", "CAP_CHOWN"], prm & !CHOWN),
            (&["--cap-add", "CAP_CHOWN", "--cap-drop", "ALL"], 0),
        ] {
            has(&it, options, [set, set, set, bnd, set]);
            has(&it, &[&["--unshare-pid"], options].concat(), [set, set, set, bnd, set]);
            has(&it, &[&["--unshare-user"], options].concat(), [set; 5]);
        }
        for (options, set) in
            [(&["--cap-add", "ALL"][..], all()), (&["--cap-add", "ALL", "--cap-drop", "CAP_CHOWN"], all() & !CHOWN)]
        {
            has(&it, &[&["--unshare-user"], options].concat(), [set; 5]);
        }
        // Root outside, somebody else inside: execve takes them.
        has(&it, &["--unshare-user", "--uid", "5"], [0, 0, 0, bnd, 0]);
    }
}

/// A caller who has them all, as root of its own user namespace.
#[test]
fn all_of_those_who_have_all() {
    for it in anywhere() {
        for (options, set) in
            [(&["--cap-add", "ALL"][..], all()), (&["--cap-add", "ALL", "--cap-drop", "CAP_CHOWN"], all() & !CHOWN)]
        {
            let around = ["/usr/bin/unshare", "--user", "--map-root-user"];
            let out = it.launch_in(&around, &small(options, &["/bin/cat", "/proc/self/status"])).run();
            assert_eq!(sets(out.text()), [set, set, set, all(), set], "{out}");
        }
    }
}

/// Root that lacks some: nothing more than it has, and nothing that is to be dropped. (The original then drops nothing.)
#[test]
fn all_of_those_who_lack_some() {
    for it in everywhere().into_iter().filter(|it| it.who == Who::Root) {
        let [_, prm, _, bnd, _] = callers();
        let out = it.sh(&["--cap-add", "ALL"], "cat /proc/self/status");
        assert_eq!(sets(out.text())[1..4], [prm, prm, bnd], "{out}");
        if it.differs("`--cap-add ALL --cap-drop X` by root that has not all") {
            let out = it.sh(&["--cap-add", "ALL", "--cap-drop", "CAP_CHOWN"], "cat /proc/self/status");
            assert_eq!(sets(out.text())[1..4], [prm & !CHOWN, prm & !CHOWN, bnd], "{out}");
        }
    }
}

#[test]
fn nobody_gains_privileges() {
    for it in everywhere() {
        for options in [&[][..], &["--unshare-pid"], &["--cap-add", "ALL"]] {
            it.sh(options, "grep NoNewPrivs /proc/self/status").says("NoNewPrivs:\t1");
        }
    }
}

// ---- system call filters

/// The program as it is read from a descriptor: 8 bytes an instruction.
fn program(call: i64, errno: i32) -> Vec<u8> {
    let filter = Deny::all(call, errno).filter();
    let bytes = |i: &seccompiler::sock_filter| {
        let mut bytes = i.code.to_ne_bytes().to_vec();
        bytes.extend([i.jt, i.jf]);
        bytes.extend(i.k.to_ne_bytes());
        bytes
    };
    filter.iter().flat_map(bytes).collect()
}

/// What busybox' mkdir says of an errno.
fn refusal(errno: i32) -> String {
    let reason = io::Error::from_raw_os_error(errno).to_string();
    let reason = reason.split(" (os error").next().expect("a text").to_owned();
    format!("mkdir: can't create directory '/x': {reason}\n")
}

/// mkdir in CMD under these filters.
fn mkdir(it: &Bwrap, options: &[&str], errnos: &[i32]) -> Out {
    let mut launch = it.small(&[options, &["--dir", "/made/here"]].concat(), &["/bin/mkdir", "/x"]);
    for (number, errno) in (10..).zip(errnos) {
        launch = give(launch, number, data(program(libc::SYS_mkdir, *errno)));
    }
    launch.run()
}

const CALL_IS_MKDIR: bool = cfg!(target_arch = "x86_64");

/// It is CMD's: the operations are not under it.
#[test]
fn a_filter() {
    for it in everywhere().into_iter().filter(|_| CALL_IS_MKDIR) {
        mkdir(&it, &["--seccomp", "10"], &[libc::EDOM]).is(1, "", &refusal(libc::EDOM));
        mkdir(&it, &["--add-seccomp-fd", "10"], &[libc::EDOM]).is(1, "", &refusal(libc::EDOM));
        mkdir(&it, &["--unshare-pid", "--seccomp", "10"], &[libc::EDOM]).is(1, "", &refusal(libc::EDOM));
        mkdir(&it, &[], &[]).is(0, "", "");
    }
}

/// All are loaded, and the kernel asks the last first.
#[test]
fn several_filters() {
    for it in everywhere().into_iter().filter(|_| CALL_IS_MKDIR) {
        let both = ["--add-seccomp-fd", "10", "--add-seccomp-fd", "11"];
        mkdir(&it, &both, &[libc::EDOM, libc::ERANGE]).is(1, "", &refusal(libc::ERANGE));
        mkdir(&it, &both, &[libc::ERANGE, libc::EDOM]).is(1, "", &refusal(libc::EDOM));
        let launch = it.small(&both, &["/bin/grep", "Seccomp", "/proc/self/status"]);
        let launch = give(give(launch, 10, data(program(1000, 1))), 11, data(program(1000, 1)));
        launch.run().says("Seccomp:\t2\nSeccomp_filters:\t2");
    }
}

/// With a warning; the first is not even read.
#[test]
fn of_two_single_filters_the_last() {
    let warning = "bwrap: Only the last --seccomp option will take effect\n";
    for it in everywhere().into_iter().filter(|_| CALL_IS_MKDIR) {
        let out = mkdir(&it, &["--seccomp", "10", "--seccomp", "11"], &[libc::EDOM, libc::ERANGE]);
        out.is(1, "", &format!("{warning}{}", refusal(libc::ERANGE)));
    }
}

#[test]
fn what_is_no_filter() {
    let refused = "bwrap: Unable to set up system call filtering as requested: prctl(PR_SET_SECCOMP) reported EINVAL. \
                   (Hint: this requires a kernel configured with CONFIG_SECCOMP and CONFIG_SECCOMP_FILTER.)\n";
    for it in everywhere() {
        for option in ["--seccomp", "--add-seccomp-fd"] {
            for (bytes, line) in [
                (&b"abc"[..], "bwrap: Invalid seccomp data, must be multiple of 8\n"),
                (b"", refused),
                (&[0; 8], refused),
            ] {
                let ours = "bwrap: Unable to set up system call filtering as requested: Invalid argument\n";
                let line = if it.is_ours() && line == refused { ours } else { line };
                give(it.small(&[option, "10"], &["/bin/true"]), 10, data(bytes)).run().is(1, "", line);
            }
        }
    }
}

/// A filter that leaves CMD little leaves the init as little: it still tells of CMD's end, and stays for the others.
#[test]
fn the_init_makes_do() {
    for it in everywhere() {
        for call in [libc::SYS_rt_sigtimedwait, libc::SYS_rt_sigaction, libc::SYS_kill, libc::SYS_prctl] {
            let script = "(read x <&8; echo late) & sh -c 'exit 3' || exit 7";
            let options = ["--dev", "/dev", "--unshare-pid", "--seccomp", "10", "--info-fd", "11"];
            let launch = give(it.small(&options, &["/bin/sh", "-c", script]), 10, data(program(call, libc::EPERM)));
            let ((hold_reader, hold), (info, told)) = (pipe(), pipe());
            let running = give(give(launch, 8, hold_reader), 11, told).start();
            let init = Pid::try_from(member(&read_all(info), "child-pid")).expect("a pid");
            is_over(&running);
            // One look is not enough: who asks again and again seems to sleep while he asks.
            let sleeps = || stat(init).is_some_and(|init| init.state == 'S');
            eventually("the init sleeps", || (0..100).all(|_| sleeps()).then_some(()));
            drop(hold);
            running.finish().is(7, "late\n", "");
        }
    }
}

/// The init lives under it as well, with no rights left.
#[test]
fn process_1_has_neither_rights_nor_calls() {
    for it in everywhere() {
        // It gives them up beside CMD.
        let script =
            "i=0; until grep -q 'Seccomp:.2' /proc/1/status || [ $i -gt 1000 ]; do i=$((i+1)); usleep 1000; done
                      grep -E '^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs|Seccomp):' /proc/1/status | tr -d '\\t'";
        let launch = it.small(&["--unshare-pid", "--seccomp", "10"], &["/bin/sh", "-c", script]);
        let out = give(launch, 10, data(program(1000, 1))).run();
        let none = "0000000000000000";
        let caps = ["CapInh", "CapPrm", "CapEff", "CapAmb"].map(|name| format!("{name}:{none}\n")).concat();
        out.says(&format!("{caps}NoNewPrivs:1\nSeccomp:2"));
    }
}
