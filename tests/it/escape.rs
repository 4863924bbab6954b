//! An attacker as root of the container: `escape.c` tries every way to the host that it knows, in a fresh container and
//! through `--enter`, as root, as root in the host's user namespace, and as an ordinary user.

use std::fs;
use std::io;

use super::harness::container::{Container, Maker, enter};
use super::harness::scratch::attacker;
use super::harness::{Launch, Out, Root, has_options, who};

/// The value of an option of the launcher, which must not be visible inside.
const SECRET: &str = "a-secret-of-the-callers";

/// A root that contains the attacker.
fn root(who: super::harness::Who) -> Option<Root> {
    let root = Root::new(who)?;
    fs::hard_link(attacker(), root.at("bin/attacker")).expect("link the attacker");
    Some(root)
}

/// Gives the caller a session keyring with a key in it, as a login does (pam_keyinit(8)).
fn with_key(launch: Launch) -> Launch {
    const JOIN_SESSION_KEYRING: libc::c_long = 1;
    const SESSION_KEYRING: libc::c_long = -3;
    launch.before(|| {
        // SAFETY: the strings are constants, and the sizes match.
        let key = unsafe {
            libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, c"nsinit-test".as_ptr());
            let (kind, name) = (c"user".as_ptr(), c"nsinit-secret".as_ptr());
            libc::syscall(libc::SYS_add_key, kind, name, c"text".as_ptr(), 4, SESSION_KEYRING)
        };
        // ENOSYS: a kernel without keyrings has no keys to protect.
        match io::Error::last_os_error() {
            why if key < 0 && why.raw_os_error() != Some(libc::ENOSYS) => Err(why),
            _ => Ok(()),
        }
    })
}

/// Asserts that all attempts failed except those known to succeed.
#[track_caller]
fn all_fail_except(out: &Out, open: &[&str]) {
    let lines: Vec<&str> = out.text().lines().map(str::trim_end).filter(|line| !open.contains(line)).collect();
    assert_eq!(lines, ["tried enough"], "{out}");
}

/// In the host's user namespace the limits in /proc/sys/user are the host's: only the filter forbids these.
const NESTED: [&str; 2] = ["make a user namespace", "make user, mount and cgroup namespaces"];

#[test]
fn root_of_a_container_cannot_reach_the_host() {
    for who in who::both() {
        let Some(root) = root(who) else { return };
        let mut cases: Vec<(&[&str], &[&str])> = vec![(&[], &[]), (&["--as-pid-1"], &[]), (&["--pty"], &[])];
        // Without the filter, so that the defences behind it are tried too.
        cases.push((&["--seccomp-profile", "none"], &[]));
        if who.is_root() {
            cases.push((&["--share-user"], &[]));
            cases.push((&["--share-user", "--seccomp-profile", "none"], &NESTED));
        }
        for (options, open) in cases.into_iter().filter(|(options, _)| has_options(options)) {
            let secret = ["--setenv", "SECRET", SECRET];
            let words: Vec<&str> = options.iter().chain(&secret).copied().collect();
            let launch = root.launch(&words, &["/bin/sh", "-c", "unset SECRET; exec /bin/attacker $1", "sh", SECRET]);
            all_fail_except(&with_key(launch).run(), open);
        }
    }
}

#[test]
#[cfg(feature = "whole")]
fn entered_cmd_cannot_reach_the_host() {
    for who in who::both() {
        let options: &[&[&str]] = if who.is_root() { &[&[], &["--share-user"]] } else { &[&[]] };
        for options in options {
            let Some(container) =
                Container::with(who, Maker::Nsinit, options, &["/bin/sh", "-c", "cd /tmp; echo up; exec sleep 1000"])
            else {
                return;
            };
            fs::hard_link(attacker(), container.root.at("bin/attacker")).expect("link the attacker");
            let by = if who.is_root() { vec![who] } else { who::both() };
            for by in by {
                let attack = |more: &[&str]| {
                    let words = [&["--setenv", "X", SECRET], more].concat();
                    with_key(enter(by, container.init, &words, &["/bin/attacker", SECRET])).run()
                };
                all_fail_except(&attack(&[]), &[]);
                let open: &[&str] = if options.is_empty() { &[] } else { &NESTED };
                all_fail_except(&attack(&["--seccomp-profile", "none"]), open);
            }
            container.end();
        }
    }
}
