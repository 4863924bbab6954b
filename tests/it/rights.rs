//! Who CMD is and what it may do, against whoever is root inside: what is to be refused is tried from inside.

use std::path::Path;

use super::harness::container::{Container, Maker, enter};
use super::harness::scratch::{helper, nsinit};
use super::harness::{Deny, Launch, Root, Who, roots, skip, who};

/// What nobody can read is not there: a full disk, a closed descriptor.
#[test]
fn a_text_that_can_not_be_written_is_an_error() {
    let nsinit = nsinit().display();
    for who in who::both() {
        for text in ["--help", "--version", "--explain -- true", "--explain --root / -- true"] {
            for (to, why) in [("/dev/full", "No space left on device"), ("&-", "Bad file descriptor")] {
                let script = format!("exec {nsinit} {text} >{to}");
                Launch::of(who, Path::new("/bin/sh")).args(["-c", &script]).run().is(
                    125,
                    "",
                    &format!("nsinit: write to standard output: {why}\n"),
                );
            }
        }
    }
}

/// Without memory for the arguments there is a line, and no trap (SIGILL) of Rust's.
#[test]
fn without_memory_at_the_start_there_is_a_line() {
    /// What is asked for at first, in bytes.
    const CHUNK: u64 = 64 * 1024;
    for root in roots() {
        let refused = Deny::when(libc::SYS_mmap, 1, u64::MAX, CHUNK, libc::ENOMEM);
        let line = "nsinit: allocate memory: Cannot allocate memory\n";
        root.launch(&["--setenv", "A", "b"], &["true"]).deny(refused).run().is(125, "", line);
        Launch::new(root.who).args(["--", "true"]).deny(refused).run().is(125, "", line);
    }
}

/// What a core file of nsinit's would show are the caller's arguments and environment. CMD's limit is the caller's.
#[test]
fn nsinits_own_processes_leave_no_core_file() {
    let core = |text: &str| text.split_whitespace().nth(4).map(str::to_owned);
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        for launch in [container.root.launch(&[], CMD), enter(who, container.inside, &[], CMD)] {
            let mut run = launch
                .before(|| {
                    let limit = libc::rlimit { rlim_cur: 4096, rlim_max: 8192 };
                    // SAFETY: setrlimit reads a struct.
                    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) };
                    Ok(())
                })
                .open_input()
                .start();
            let cmd = run.line();
            let launcher = std::fs::read_to_string(format!("/proc/{}/limits", run.pid())).expect("read its limits");
            let launcher = launcher.lines().find(|line| line.contains("core")).expect("there is that limit");
            let found = [launcher, &cmd, &run.line()].map(core);
            assert_eq!(found, ["0", "4096", "0"].map(|limit| Some(limit.to_owned())));
            run.finish_with_others();
        }
        container.end();
    }
    const CMD: &[&str] = &["/bin/sh", "-c", "grep core /proc/self/limits /proc/1/limits -h; read end"];
}

/// runc issue 453: who is inside neither reads, changes nor adds keys of the caller's session.
#[test]
fn the_callers_session_keyring_is_not_cmds() {
    const APART: &str = "inside: Required key not available\noutside: secret\n";
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        let nsinit = nsinit().to_str().expect("scratch paths are UTF-8");
        let run = |words: &[&str]| {
            let words = [&["session", nsinit], words, &["--", "helper", "keys"]].concat();
            Launch::of(who, helper()).args(words).run_with_others()
        };
        let out = run(&["--root", container.root.str()]);
        if out.status == 77 {
            skip(out.stdout.trim_end());
            return;
        }
        out.is(0, APART, "");
        let id = container.inside.to_string();
        for words in
            [&["--root", container.root.str(), "--as-pid-1"][..], &["--enter", &id], &["--enter", &id, "--pty"]]
        {
            let out = run(words);
            assert_eq!((out.status, out.stdout.replace('\r', "")), (0, APART.to_owned()), "{out}");
        }
        if who.is_root() {
            run(&["--root", container.root.str(), "--share-user", "--uid", "5"]).is(0, APART, "");
        }
        for words in [&["--root", container.root.str(), "--keep-keyring"][..], &["--enter", &id, "--keep-keyring"]] {
            run(words).is(0, "inside: secret\noutside: changed\nplanted\n", "");
        }
        // As with bubblewrap.
        let words = ["--bind", container.root.str(), "/", "--dev", "/dev"];
        run(&words).is(0, "inside: secret\noutside: changed\nplanted\n", "");
        container.end();
    }
}

/// Where nobody can reach keys nothing is to be protected; where only one of the calls is refused it is.
#[test]
fn keys_that_nobody_reaches() {
    for root in roots() {
        for errno in [libc::ENOSYS, libc::EPERM] {
            let refused = |calls: &[i64]| {
                let launch = root.launch(&[], &["echo", "ran"]);
                calls.iter().fold(launch, |launch, call| launch.deny(Deny::all(*call, errno))).run()
            };
            refused(&[libc::SYS_keyctl, libc::SYS_add_key, libc::SYS_request_key]).says("ran");
            refused(&[libc::SYS_keyctl]).fails("join a new session keyring: ");
            refused(&[libc::SYS_keyctl, libc::SYS_request_key]).fails("(--keep-keyring leaves CMD the caller's)");
        }
    }
}

/// An ordinary user may have 200 keys; what a container leaves behind is no longer one of them a moment later.
#[test]
fn a_user_with_too_many_keys() {
    if who::root().is_none() {
        return;
    }
    // Whoever else the tests run as goes on having keys.
    let Some(root) = Root::new(Who::User { uid: 54_321, gid: 54_321 }) else { return };
    let full = |options: &[&str]| {
        root.launch(options, &["echo", "ran"])
            .before(|| {
                for number in 0..1000u32 {
                    let name = [
                        b'a' + (number / 676 % 26) as u8,
                        b'a' + (number / 26 % 26) as u8,
                        b'a' + (number % 26) as u8,
                        0,
                    ];
                    // SAFETY: the kernel reads two C strings and a byte. The process keyring ends with the process.
                    let added = unsafe {
                        let (kind, name) = (c"user".as_ptr(), name.as_ptr());
                        libc::syscall(libc::SYS_add_key, kind, name, name, 1usize, -3i64)
                    };
                    if added < 0 {
                        break;
                    }
                }
                Ok(())
            })
            .run()
    };
    full(&[]).fails("join a new session keyring: Disk quota exceeded (the user has as many keys as");
    full(&["--keep-keyring"]).says("ran");
    for _ in 0..250 {
        root.run(&[], &["true"]).is(0, "", "");
    }
}
