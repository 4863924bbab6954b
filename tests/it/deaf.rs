//! A seccomp filter forbids rt_sigtimedwait(2), so that no supervisor can read its signals. Each one still passes on the exit
//! status, keeps its time limits, and sleeps while it waits.

use super::compat::Suite;
use super::harness::container::{Container, Maker, enter};
use super::harness::launch::send;
use super::harness::procs::{Pid, eventually, stat, tree};
use super::harness::scratch::nsinit;
use super::harness::{Deny, Launch, Root, Who, roots, who};

const ERRNOS: [i32; 2] = [libc::EPERM, libc::ENOSYS];

fn deaf(launch: Launch, errno: i32) -> Launch {
    launch.deny(Deny::all(libc::SYS_rt_sigtimedwait, errno))
}

fn sh(script: &str) -> [&str; 3] {
    ["/bin/sh", "-c", script]
}

/// The options of every kind of container.
const KINDS: [&[&str]; 5] = [&[], &["--share-pid"], &["--pty"], &["--as-pid-1"], &["--wait-all", "--share-pid"]];

fn sandbox(root: &Root, words: &[&str], script: &str) -> Launch {
    Launch::new(root.who).args(["--bind", root.str(), "/"]).args(words).args(sh(script))
}

fn in_place(who: Who, words: &[&str], script: &str) -> Launch {
    Launch::new(who).args(words).args(["--"]).args(sh(script))
}

fn machine(who: Who, words: &[&str], script: &str) -> Launch {
    const NAMESPACES: [&str; 9] =
        ["--dev-bind", "/", "/", "--unshare-pid", "--no-masks", "--proc", "/proc", "--as-pid-1", "--cap-add=ALL"];
    let program = nsinit().to_str().expect("scratch paths are UTF-8");
    Launch::new(who).args(NAMESPACES).args(["--", program, "--boot"]).args(words).args(["--"]).args(sh(script))
}

/// A process that asks again and again sleeps at times too: many looks in a row find it asleep.
fn all_sleep(first: Pid) {
    let sleep = || tree(first).into_iter().all(|pid| stat(pid).is_none_or(|stat| stat.state == 'S'));
    eventually("all processes sleep", || (0..100).all(|_| sleep()).then_some(()));
}

#[track_caller]
fn waits_and_passes_on(launch: Launch, errno: i32, status: i32) {
    let mut run = deaf(launch, errno).open_input().start();
    assert_eq!(run.line().trim_end(), "up");
    all_sleep(run.pid());
    let out = run.finish();
    assert!(out.status == status && out.stderr.is_empty(), "expected status {status}: {out}");
}

const SCRIPT: &str = "echo up; read x; exit 3";

#[test]
fn launcher_and_process_1_sleep_and_pass_on_the_status() {
    for errno in ERRNOS {
        for root in roots() {
            for options in KINDS {
                waits_and_passes_on(root.launch(options, &sh(SCRIPT)), errno, 3);
            }
            for options in [&[][..], &["--unshare-pid"]] {
                waits_and_passes_on(sandbox(&root, options, SCRIPT), errno, 3);
            }
        }
    }
}

/// The relay reads signals from a signalfd(2).
#[test]
fn relay_copies_without_signals() {
    for errno in ERRNOS {
        for root in roots() {
            let launch = root.launch(&["--pty"], &sh(SCRIPT)).deny(Deny::all(libc::SYS_signalfd4, errno));
            waits_and_passes_on(launch, errno, 3);
        }
    }
}

#[test]
fn init_in_place_sleeps_and_passes_on_the_status() {
    for errno in ERRNOS {
        for who in who::both() {
            waits_and_passes_on(in_place(who, &[], SCRIPT), errno, 3);
        }
    }
}

#[test]
fn machine_sleeps_and_powers_off() {
    for errno in ERRNOS {
        for who in who::both() {
            waits_and_passes_on(machine(who, &[], SCRIPT), errno, 0);
        }
    }
}

#[test]
fn enter_sleeps_and_passes_on_the_status() {
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        for errno in ERRNOS {
            for options in [&[][..], &["--pty"]] {
                waits_and_passes_on(enter(who, container.init, options, &sh(SCRIPT)), errno, 3);
            }
        }
        container.end();
    }
}

/// Nothing but SIGKILL ends what the command leaves behind.
#[test]
fn grace_ends_in_time() {
    let script = "trap '' TERM; (while :; do sleep 0.01; done) >/dev/null 2>&1 & exit 3";
    let grace = ["--grace", "1"];
    for errno in ERRNOS {
        for root in roots() {
            for options in [&[][..], &["--share-pid"], &["--pty"]] {
                let out = deaf(root.launch(&[&grace[..], options].concat(), &sh(script)), errno).run();
                out.is(3, "", "");
            }
            deaf(in_place(root.who, &grace, script), errno).run().is(3, "", "");
            deaf(machine(root.who, &grace, script), errno).run().is(0, "", "");
        }
    }
}

/// The exit status of a command that ends at once, before its execution was reported, is not lost.
#[test]
fn command_that_is_not_executed_is_reported() {
    for errno in ERRNOS {
        for root in roots() {
            for options in [&[][..], &["--share-pid"], &["--pty"]] {
                let out = deaf(root.launch(options, &["/nosuch"]), errno).run();
                assert!(out.status == 127 && out.stderr.contains("/nosuch: No such file or directory"), "{out}");
            }
        }
    }
}

#[test]
fn pause_mode_sleeps() {
    static CATATONIT: Suite = Suite { name: "catatonit", plain: &["--"] };
    for errno in ERRNOS {
        for it in CATATONIT.ours() {
            let run = deaf(it.launch(&["-P"]), errno).start();
            let init = it.init(&run);
            eventually("pause mode runs", || stat(init).filter(|stat| stat.name == "catatonit").map(|_| ()));
            all_sleep(init);
            send(init, libc::SIGKILL);
            run.finish();
        }
    }
}
