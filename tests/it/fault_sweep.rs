//! Each system call fails once, at each place where it is made: nsinit does what was requested, or one message says
//! why not and the exit status agrees. An exit status alone does not name the cause.
//!
//! The default run is short: one errno for each call, and only the first few of a frequent call. The whole sweep:
//! `NSINIT_SWEEP=all cargo test --test it fault_sweep::`.

use std::fs;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::cgroup::{Parent, SETTING};
use super::harness::container::{Container, Maker, enter};
use super::harness::nth::{Nth, census};
use super::harness::scratch::utf8;
use super::harness::{Launch, Who, roots, skip, who};

use libc::{EIO, ENOMEM, ENOSYS, EPERM};

/// Calls without which no program starts, prints or ends; and calls that rustix assumes never fail, which a debug
/// build asserts.
const BASIC: [i64; 11] = [
    libc::SYS_execve,
    libc::SYS_write,
    libc::SYS_exit_group,
    libc::SYS_exit,
    libc::SYS_close,
    libc::SYS_getuid,
    libc::SYS_getgid,
    libc::SYS_geteuid,
    libc::SYS_getegid,
    libc::SYS_getpid,
    libc::SYS_getppid,
];

const ERRNOS: [i32; 4] = [EPERM, ENOSYS, EIO, ENOMEM];
/// In the short run, only the first failures of a frequent call are tested,
const MOST: u32 = 4;
/// and no longer than this, for each way to start nsinit.
const PATIENCE: Duration = Duration::from_secs(8);

/// A way to start nsinit, and its result without a failure.
struct Way<'a> {
    name: &'a str,
    launch: &'a dyn Fn() -> Launch,
    stdout: &'a str,
    /// A call may fail after the exit status is already decided: after the start of the command, or in another
    /// process.
    late: bool,
}

impl Way<'_> {
    /// Makes each call fail in turn.
    fn sweep(&self) {
        if who::root().is_none() {
            return skip("only root can listen to the calls of another user's process");
        }
        let whole = std::env::var("NSINIT_SWEEP").is_ok_and(|value| value == "all");
        let (launch, counter) = census((self.launch)(), "echo");
        let out = launch.run();
        assert_eq!((out.status, &*out.stdout), (0, self.stdout), "{out}");
        let census = counter.count();
        let mut plan = Vec::new();
        for (call, count) in census.into_iter().filter(|(call, _)| !BASIC.contains(call)) {
            let most = if whole { count } else { count.min(MOST) };
            for nth in 1..=most {
                let only = ERRNOS[(call as usize + nth as usize) % ERRNOS.len()];
                let errnos = ERRNOS.iter().filter(|errno| whole || **errno == only);
                plan.extend(errnos.map(|&errno| Nth { call, nth, errno }));
            }
        }
        // The time limit cuts off the later occurrences of each call.
        plan.sort_by_key(|refused| refused.nth);
        let end = Instant::now() + PATIENCE;
        let (mut runs, mut found) = (0, Vec::new());
        for refused in plan.iter().take_while(|_| whole || Instant::now() < end) {
            runs += 1;
            let wrong = catch_unwind(AssertUnwindSafe(|| self.wrong(*refused)));
            found.extend(wrong.unwrap_or_else(|_| Some(format!("{refused:?}: see above"))));
        }
        println!("{}: {runs} of {} runs", self.name, plan.len());
        assert!(found.is_empty(), "{}: {} of {runs} runs:\n{}", self.name, found.len(), found.join("\n\n"));
    }

    /// Describes a wrong result, if there is one.
    fn wrong(&self, refused: Nth) -> Option<String> {
        let (launch, counter) = refused.refuse((self.launch)(), "echo");
        let out = launch.run();
        counter.count();
        let ran = (out.status, &*out.stdout) == (0, self.stdout);
        // The dynamic loader and the C library have messages of their own, or none.
        let loader = ["shared libraries", "thread-local", "TLS"].iter().any(|word| out.stderr.contains(word));
        let loader = loader && out.status == 127 || refused.call == libc::SYS_mmap && out.status == -libc::SIGSEGV;
        // With --pty, messages of process 1 arrive through standard output.
        let told = out.stderr.lines().chain(out.stdout.lines()).any(|line| line.starts_with("nsinit: "));
        let told = told && (out.status != 0 || self.late);
        (!ran && !loader && !told).then(|| format!("{refused:?}: {out}"))
    }
}

#[test]
fn failing_call_of_a_container_is_reported() {
    for root in roots() {
        let launch = || root.launch(&["--hostname", "x", "--tmpfs", "/tmp"], &["echo", "ran"]);
        Way { name: "--root", launch: &launch, stdout: "ran\n", late: false }.sweep();
    }
}

#[test]
fn failing_call_of_a_sandbox_is_reported() {
    for who in who::both() {
        let options = ["--ro-bind", "/", "/", "--unshare-all", "--proc", "/proc", "--dev", "/dev"];
        let launch = || Launch::new(who).args(options).args(["--", "/bin/echo", "ran"]);
        Way { name: "a sandbox", launch: &launch, stdout: "ran\n", late: false }.sweep();
    }
}

#[test]
fn failing_call_in_place_is_reported() {
    for who in who::both() {
        let launch = || Launch::new(who).args(["--", "/bin/echo", "ran"]);
        Way { name: "in place", launch: &launch, stdout: "ran\n", late: false }.sweep();
    }
}

#[test]
fn failing_call_with_pty_is_reported() {
    for root in roots() {
        let launch = || root.launch(&["--pty"], &["echo", "ran"]);
        Way { name: "--pty", launch: &launch, stdout: "ran\r\n", late: true }.sweep();
    }
}

#[test]
fn failing_call_of_detach_is_reported() {
    for root in roots() {
        let launch = || root.launch(&["--detach"], &["echo", "ran"]);
        Way { name: "--detach", launch: &launch, stdout: "ran\n", late: true }.sweep();
    }
}

#[test]
fn failing_call_of_enter_is_reported() {
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        let launch = || enter(who, container.inside, &[], &["echo", "ran"]);
        Way { name: "--enter", launch: &launch, stdout: "ran\n", late: false }.sweep();
        container.end();
    }
}

/// Beside the cgroup in which the container's is made, and in it: then the launcher leaves it for a while, and returns.
#[test]
fn failing_call_with_limits_is_reported() {
    for root in roots().into_iter().filter(|root| root.who.is_root()) {
        let Some(parent) = Parent::new(Who::Root) else { return };
        let path = utf8(&parent.path);
        let beside = || root.launch(&[&SETTING[..], &["--cgroup", path]].concat(), &["echo", "ran"]);
        Way { name: "limits, from beside", launch: &beside, stdout: "ran\n", late: false }.sweep();
        beside().run().says("ran");
        parent.is_empty();
        let inside = || {
            // Left behind where the call failed that disables it: it would keep nsinit out.
            fs::write(parent.path.join("cgroup.subtree_control"), "-hugetlb").expect("disable the controller");
            let file = fs::File::options().write(true).open(parent.path.join("cgroup.procs")).expect("open the cgroup");
            root.launch(&SETTING, &["echo", "ran"]).before(move || (&file).write_all(b"0"))
        };
        Way { name: "limits, from inside", launch: &inside, stdout: "ran\n", late: false }.sweep();
        inside().run().says("ran");
        parent.is_as_before();
    }
}
