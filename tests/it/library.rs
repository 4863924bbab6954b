//! The library: the example of its documentation, and how its containers fail.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use nsinit::{Container, End, Error};

use super::harness::launch::tool;
use super::harness::scratch::nsinit;
use super::harness::{Root, procs, who};

#[allow(dead_code, reason = "the example has a main of its own")]
#[path = "../../examples/container.rs"]
mod example;

fn root() -> Option<Root> {
    // The library starts nsinit as the user of the tests.
    who::root().or_else(who::user).and_then(Root::new)
}

fn container(root: &Root) -> Container {
    Container::new(root.path()).program(nsinit()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped())
}

/// The documentation shows this source, so this is its test too.
#[test]
fn example_of_the_documentation_works() {
    let Some(root) = root() else { return };
    let nsinit = nsinit().to_str().expect("UTF-8");
    assert_eq!(example::run(nsinit, root.str()).expect("it works"), ("ready\nstopped\n".to_owned(), End::Exited(3)));
}

#[test]
fn end_of_the_command_is_told() {
    let Some(root) = root() else { return };
    // 125 to 127 of the command are not nsinit's.
    for (script, end) in [
        ("exit 0", End::Exited(0)),
        ("exit 125", End::Exited(125)),
        ("exit 127", End::Exited(127)),
        ("kill -9 $$", End::Signalled(9)),
    ] {
        let mut running = container(&root).start(["sh", "-c", script]).expect("it starts");
        assert_eq!(running.wait().expect("it ends"), end, "{script}");
        assert_eq!(running.wait().expect("it has ended"), end, "{script}");
        let why = running.signal(15).expect_err("there is no process");
        assert_eq!(why.raw_os_error(), Some(libc::ESRCH));
    }
}

#[test]
fn signals_and_the_id_are_those_of_the_container() {
    let Some(root) = root() else { return };
    let mut running = container(&root).start(["sleep", "1000"]).expect("it starts");
    let pid = running.pid().to_string();
    let told = tool(Command::new(nsinit()).args(["--enter", &pid, "--", "cat", "/proc/1/comm"]));
    assert_eq!(told, "nsinit\n");
    let name = std::fs::read_to_string(format!("/proc/{}/comm", running.command_pid())).expect("the command runs");
    assert_eq!(name, "sleep\n");
    assert_eq!(running.signal(65).expect_err("no such signal").raw_os_error(), Some(libc::EINVAL));
    running.signal(libc::SIGUSR1).expect("it is sent");
    assert_eq!(running.wait().expect("it ends"), End::Signalled(libc::SIGUSR1 as u8));
    procs::eventually("process 1 ends", || (!Path::new("/proc").join(&pid).exists()).then_some(()));
}

#[test]
fn refusal_is_an_error_with_the_message() {
    let Some(root) = root() else { return };
    let told = |result: Result<_, Error>| match result.expect_err("it fails") {
        Error::NotStarted { status, message } => (status.code().expect("a status"), message),
        other => panic!("{other:?}"),
    };
    let (status, message) = told(container(&root).options(["--nope"]).start(["true"]));
    assert_eq!((status, message.starts_with("nsinit: unknown option '--nope'")), (125, true), "{message}");
    let (status, message) = told(container(&root).start(["/nope"]));
    assert_eq!((status, &message[..]), (127, "nsinit: cannot execute /nope: No such file or directory"));
    let missing = container(&root).program("/nowhere/nsinit").start(["true"]);
    assert!(matches!(missing.err(), Some(Error::Io(why)) if why.raw_os_error() == Some(libc::ENOENT)));
}

#[test]
fn container_that_is_killed_is_lost() {
    let Some(root) = root() else { return };
    let mut running = container(&root).start(["sleep", "1000"]).expect("it starts");
    running.signal(libc::SIGKILL).expect("it is sent");
    assert!(matches!(running.wait(), Err(Error::Lost(_))));
}

/// Only the words of the option are the launcher's: nothing of the library is inherited by the command.
#[test]
fn command_has_no_descriptor_of_the_library() {
    let Some(root) = root() else { return };
    let mut running = container(&root).start(["sh", "-c", "cd /proc/self/fd; echo *"]).expect("it starts");
    let mut printed = String::new();
    running.stdout.take().expect("it is piped").read_to_string(&mut printed).expect("read");
    assert_eq!(running.wait().expect("it ends"), End::Exited(0));
    // The fourth is the directory that the shell reads.
    assert_eq!(printed, "0 1 2 3\n");
}

#[test]
fn sandbox_has_what_its_options_name() {
    let sandbox =
        Container::sandbox().program(nsinit()).options(["--ro-bind", "/", "/", "--dev", "/dev", "--unshare-pid"]);
    let script = "! touch /nsinit-test 2>/dev/null && exit 4";
    let mut running = sandbox.stdin(Stdio::null()).start(["/bin/sh", "-c", script]).expect("it starts");
    assert_eq!(running.wait().expect("it ends"), End::Exited(4));
}
