//! Capabilities and seccomp filters.

use std::fs;
use std::io;

use super::fds::member;
use super::processes::wait_for_end;
use super::{Bwrap, data, give, pipe, read_all, small, subjects, subjects_of_tester};
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

/// Root's own capabilities.
fn callers() -> Sets {
    sets(&fs::read_to_string("/proc/self/status").expect("read our status"))
}

/// All capabilities that this kernel knows.
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

/// By default root keeps its capabilities, and an ordinary user gets none.
#[test]
fn root_keeps_its_capabilities_and_users_get_none() {
    for it in subjects() {
        let [_, prm, eff, bnd, _] = callers();
        let user = it.who != Who::Root;
        for options in [&[][..], &["--unshare-pid"], &["--unshare-user"], &["--unshare-all"]] {
            let expected = if user { [0; 5] } else { [0, prm, eff, bnd, 0] };
            has(&it, options, expected);
        }
    }
}

/// In a user namespace the bounding set becomes the requested set.
#[test]
fn cap_options_set_a_users_capabilities() {
    for it in subjects().into_iter().filter(|it| it.who != Who::Root) {
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

/// Root starts with its own capabilities. Its bounding set stays unless there is a new user namespace.
#[test]
fn cap_options_change_roots_capabilities() {
    for it in subjects().into_iter().filter(|it| it.who == Who::Root) {
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
        // Root outside, another id inside: execve(2) clears the capabilities.
        has(&it, &["--unshare-user", "--uid", "5"], [0, 0, 0, bnd, 0]);
    }
}

/// A caller with all capabilities, as root of its own user namespace.
#[test]
fn cap_add_all_gives_all_to_root_of_a_user_namespace() {
    for it in subjects_of_tester() {
        for (options, set) in
            [(&["--cap-add", "ALL"][..], all()), (&["--cap-add", "ALL", "--cap-drop", "CAP_CHOWN"], all() & !CHOWN)]
        {
            let around = ["/usr/bin/unshare", "--user", "--map-root-user"];
            let out = it.launch_in(&around, &small(options, &["/bin/cat", "/proc/self/status"])).run();
            assert_eq!(sets(out.text()), [set, set, set, all(), set], "{out}");
        }
    }
}

/// Root without some capabilities gains none, and drops those of --cap-drop. (The original then drops none.)
#[test]
fn cap_add_all_gives_only_capabilities_that_root_has() {
    for it in subjects().into_iter().filter(|it| it.who == Who::Root) {
        let [_, prm, _, bnd, _] = callers();
        let out = it.sh(&["--cap-add", "ALL"], "cat /proc/self/status");
        assert_eq!(sets(out.text())[1..4], [prm, prm, bnd], "{out}");
        if it.differs("`--cap-add ALL --cap-drop X` by root without all capabilities") {
            let out = it.sh(&["--cap-add", "ALL", "--cap-drop", "CAP_CHOWN"], "cat /proc/self/status");
            assert_eq!(sets(out.text())[1..4], [prm & !CHOWN, prm & !CHOWN, bnd], "{out}");
        }
    }
}

#[test]
fn no_new_privs_is_always_set() {
    for it in subjects() {
        for options in [&[][..], &["--unshare-pid"], &["--cap-add", "ALL"]] {
            it.sh(options, "grep NoNewPrivs /proc/self/status").says("NoNewPrivs:\t1");
        }
    }
}

// ---- system call filters

/// The message of busybox' mkdir for an errno.
fn refusal(errno: i32) -> String {
    let reason = io::Error::from_raw_os_error(errno).to_string();
    let reason = reason.split(" (os error").next().expect("a text").to_owned();
    format!("mkdir: can't create directory '/x': {reason}\n")
}

/// Runs mkdir as the command under these filters.
fn mkdir(it: &Bwrap, options: &[&str], errnos: &[i32]) -> Out {
    let mut launch = it.small(&[options, &["--dir", "/made/here"]].concat(), &["/bin/mkdir", "/x"]);
    for (number, errno) in (10..).zip(errnos) {
        launch = give(launch, number, data(Deny::all(libc::SYS_mkdir, *errno).bytes()));
    }
    launch.run()
}

const CALL_IS_MKDIR: bool = cfg!(target_arch = "x86_64");

/// The filter applies to the command, not to the operations before it.
#[test]
fn seccomp_filter_applies_to_cmd() {
    for it in subjects().into_iter().filter(|_| CALL_IS_MKDIR) {
        mkdir(&it, &["--seccomp", "10"], &[libc::EDOM]).is(1, "", &refusal(libc::EDOM));
        mkdir(&it, &["--add-seccomp-fd", "10"], &[libc::EDOM]).is(1, "", &refusal(libc::EDOM));
        mkdir(&it, &["--unshare-pid", "--seccomp", "10"], &[libc::EDOM]).is(1, "", &refusal(libc::EDOM));
        mkdir(&it, &[], &[]).is(0, "", "");
    }
}

/// All filters are installed; the kernel evaluates the last one first.
#[test]
fn several_seccomp_filters_are_all_installed() {
    for it in subjects().into_iter().filter(|_| CALL_IS_MKDIR) {
        let both = ["--add-seccomp-fd", "10", "--add-seccomp-fd", "11"];
        mkdir(&it, &both, &[libc::EDOM, libc::ERANGE]).is(1, "", &refusal(libc::ERANGE));
        mkdir(&it, &both, &[libc::ERANGE, libc::EDOM]).is(1, "", &refusal(libc::EDOM));
        let launch = it.small(&both, &["/bin/grep", "Seccomp", "/proc/self/status"]);
        let launch = give(give(launch, 10, data(Deny::all(1000, 1).bytes())), 11, data(Deny::all(1000, 1).bytes()));
        launch.run().says("Seccomp:\t2\nSeccomp_filters:\t2");
    }
}

/// A warning is printed; the first descriptor is not even read.
#[test]
fn last_of_two_seccomp_options_takes_effect() {
    let warning = "bwrap: Only the last --seccomp option will take effect\n";
    for it in subjects().into_iter().filter(|_| CALL_IS_MKDIR) {
        let out = mkdir(&it, &["--seccomp", "10", "--seccomp", "11"], &[libc::EDOM, libc::ERANGE]);
        out.is(1, "", &format!("{warning}{}", refusal(libc::ERANGE)));
    }
}

#[test]
fn invalid_seccomp_filters_are_refused() {
    let refused = "bwrap: Unable to set up system call filtering as requested: prctl(PR_SET_SECCOMP) reported EINVAL. \
                   (Hint: this requires a kernel configured with CONFIG_SECCOMP and CONFIG_SECCOMP_FILTER.)\n";
    for it in subjects() {
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

/// A strict filter applies to process 1, too: it still reports the command's end, and waits for other processes.
#[test]
fn process_1_works_under_a_strict_filter() {
    for it in subjects() {
        for call in [libc::SYS_rt_sigtimedwait, libc::SYS_rt_sigaction, libc::SYS_kill, libc::SYS_prctl] {
            let script = "(read x <&8; echo late) & sh -c 'exit 3' || exit 7";
            let options = ["--dev", "/dev", "--unshare-pid", "--seccomp", "10", "--info-fd", "11"];
            let launch =
                give(it.small(&options, &["/bin/sh", "-c", script]), 10, data(Deny::all(call, libc::EPERM).bytes()));
            let ((hold_reader, hold), (info, writer)) = (pipe(), pipe());
            let running = give(give(launch, 8, hold_reader), 11, writer).start();
            let init = Pid::try_from(member(&read_all(info), "child-pid")).expect("a pid");
            wait_for_end(&running);
            // One look is not enough: a process that polls seems to sleep between its calls.
            let sleeps = || stat(init).is_some_and(|init| init.state == 'S');
            eventually("the init sleeps", || (0..100).all(|_| sleeps()).then_some(()));
            drop(hold);
            running.finish().is(7, "late\n", "");
        }
    }
}

/// Process 1 is under the filter as well, and has no capabilities.
#[test]
fn process_1_drops_capabilities_and_is_filtered() {
    for it in subjects() {
        // Process 1 drops its rights while the command starts.
        let script =
            "i=0; until grep -q 'Seccomp:.2' /proc/1/status || [ $i -gt 1000 ]; do i=$((i+1)); usleep 1000; done
                      grep -E '^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs|Seccomp):' /proc/1/status | tr -d '\\t'";
        let launch = it.small(&["--unshare-pid", "--seccomp", "10"], &["/bin/sh", "-c", script]);
        let out = give(launch, 10, data(Deny::all(1000, 1).bytes())).run();
        let none = "0000000000000000";
        let caps = ["CapInh", "CapPrm", "CapEff", "CapAmb"].map(|name| format!("{name}:{none}\n")).concat();
        out.says(&format!("{caps}NoNewPrivs:1\nSeccomp:2"));
    }
}
