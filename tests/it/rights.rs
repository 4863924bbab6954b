//! Who CMD is and what it may do, against whoever is root inside: what is to be refused is tried from inside.

use std::path::Path;

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
