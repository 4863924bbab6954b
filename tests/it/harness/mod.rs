//! What all tests share, from the bottom up:
//!
//!     scratch    the directory of this run, and the programs in it
//!     who        the users that the tests run as
//!     procs      /proc, read from outside the container
//!     stream     a descriptor read with a deadline
//!     deny       system calls that fail
//!     traces     proof that no file was touched
//!     roots      the container roots
//!     launch     one run of nsinit, its result, and the proof that nothing is left
//!     nth        a system call that fails once
//!     container  running containers, made by nsinit and by other tools
//!     runc       a container around nsinit, as an engine makes it
//!     term       a terminal with a shell in it

pub mod container;
pub mod deny;
pub mod launch;
pub mod nth;
pub mod procs;
pub mod roots;
pub mod runc;
pub mod scratch;
pub mod stream;
pub mod term;
pub mod traces;
pub mod who;

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

pub use deny::Deny;
pub use launch::{Launch, Out, Running};
pub use roots::{Root, roots};
pub use runc::Engine;
pub use scratch::Dir;
pub use term::Term;
pub use who::Who;

/// A run that takes longer hangs: `NSINIT_DEADLINE` seconds (for slow machines), or a minute.
pub static DEADLINE: LazyLock<Duration> = LazyLock::new(|| {
    let seconds = std::env::var("NSINIT_DEADLINE").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(60))
});

/// Prints to the real stderr, past libtest's capture, that a test (or a part of it) did not run, and why.
pub fn skip(why: &str) {
    let name = test_name();
    assert!(std::env::var_os("NSINIT_MUST_WORK").is_none_or(|v| v != "1"), "skipped: {name}: {why}");
    let _ = writeln!(std::io::stderr(), "skipped: {name}: {why}");
}

/// A skip that `NSINIT_MUST_WORK` allows: the case does not apply to this build. scripts/check runs the tests with
/// both builds.
pub fn skip_for_this_build(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {}: {why}", test_name());
}

/// Whether this build has all these options, for a test that sweeps through more than a profile has.
pub fn has_options(words: &[&str]) -> bool {
    static HELP: LazyLock<String> = LazyLock::new(|| launch::tool(Command::new(scratch::nsinit()).arg("--help")));
    words.iter().filter(|word| word.starts_with("--")).all(|word| HELP.contains(&format!("\n  {word} ")))
}

/// strace(1), for a test that holds a system call back. If it is missing, that is said.
pub fn strace() -> Option<&'static Path> {
    let strace = Path::new("/usr/bin/strace");
    let exists = strace.exists();
    if !exists {
        skip("strace is not installed");
    }
    exists.then_some(strace)
}

/// The value of `name` in scripts/budgets.
pub fn budget(name: &str) -> u64 {
    let lines = include_str!("../../../scripts/budgets").lines();
    let number = lines.filter_map(|line| line.split_once('=')).find(|(n, _)| *n == name);
    number.and_then(|(_, number)| number.parse().ok()).expect("a budget of that name")
}

/// libtest names the thread after the test.
pub fn test_name() -> String {
    std::thread::current().name().unwrap_or("main").to_owned()
}
