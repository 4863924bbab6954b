//! Who CMD is and what it may do, against whoever is root inside: what is to be refused is tried from inside.

use std::path::Path;

use super::harness::container::{Container, Maker, enter};
use super::harness::scratch::nsinit;
use super::harness::{Deny, Launch, roots, who};

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
