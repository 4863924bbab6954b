//! The only places where processes begin, and what joins them.

use linux_raw_sys::general as raw;
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, statat};
use rustix::io::{Errno, read};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::getpid;

use crate::command::{self, become_command};
use crate::fault::{Fault, write_line};
use crate::host::{self, Supervisor};
use crate::init::Init;
use crate::spec::Spec;
use crate::sys::{self, Fork, Stack, Start};
use crate::text::{LINE, SHORT, Text};
use crate::{caps, fds, inside, seal};

/// Runs CMD in a container. Returns the exit status, after the message if there was something to say.
#[must_use]
pub fn run(spec: &Spec<'_>, start: &Start) -> i32 {
    launch(spec, start).unwrap_or_else(|fault| fault.report())
}

/// Prints the steps by process, in order, and runs nothing.
pub fn explain(spec: &Spec<'_>) {
    let title = |title: &str| write_line(1, Text::<LINE>::new().push(title.as_bytes()));
    title("launcher:");
    host::explain_before(spec);
    let mut names = Text::<SHORT>::new();
    for (flag, name) in NAMESPACES {
        if spec.unshares(flag) {
            names.push(b" ").push(name.as_bytes());
        }
    }
    write_line(1, Text::<LINE>::new().push(b"  clone process 1 into new namespaces:").push(names.bytes()));
    host::explain_after(spec);
    title("process 1:");
    inside::explain_build(spec);
    title(if spec.life.as_pid_1 { "process 1, as CMD:" } else { "CMD, a child of process 1:" });
    command::explain_command(spec);
}

static NAMESPACES: [(u32, &str); 8] = [
    (raw::CLONE_NEWUSER, "user"),
    (raw::CLONE_NEWNS, "mount"),
    (raw::CLONE_NEWPID, "pid"),
    (raw::CLONE_NEWIPC, "ipc"),
    (raw::CLONE_NEWUTS, "uts"),
    (raw::CLONE_NEWNET, "net"),
    (raw::CLONE_NEWCGROUP, "cgroup"),
    (raw::CLONE_NEWTIME, "time"),
];

/// The two pipes between the launcher and process 1.
struct Pipes {
    /// From the launcher: go on; and, as long as it is open, that he lives.
    go: (OwnedFd, OwnedFd),
    /// To the launcher: CMD was stopped.
    stops: Option<(OwnedFd, OwnedFd)>,
}

fn launch<'a>(spec: &Spec<'a>, start: &Start) -> Result<i32, Fault<'a>> {
    fds::occupy_standard().map_err(|errno| Fault::new("open", c"/", errno))?;
    seal::enter(start.args, start.env)?;
    let mut host = host::State::new();
    host::before(spec, &mut host)?;
    let pipe = |flags| pipe_with(flags).map_err(|errno| Fault::new("make a pipe", c"", errno));
    let go = pipe(PipeFlags::CLOEXEC)?;
    let stops = if host.terminal.is_some() && !spec.life.as_pid_1 {
        Some(pipe(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?)
    } else {
        None
    };
    let (spec, fork) = fork_into_namespaces(spec)?;
    match fork {
        Fork::Child => sys::exit(process_1(&spec, &host, Pipes { go, stops })),
        Fork::Parent(container) => {
            let (alive, stops) = (go.1, stops.map(|(read, _)| read));
            drop(go.0);
            host::after(&spec, &mut host, container, alive.as_fd())?;
            let namespaced = spec.unshares(raw::CLONE_NEWPID);
            Ok(Supervisor { container, terminal: host.terminal, lent: host.lent, stops, alive, namespaced }.forever())
        }
    }
}

/// Forks into the new namespaces; the Spec says afterwards which they are. Root does without a user namespace where
/// the kernel has none or allows none; every other refusal is an error.
fn fork_into_namespaces<'a>(spec: &Spec<'a>) -> Result<(Spec<'a>, Fork), Fault<'a>> {
    let says = "create namespaces";
    match fork(spec) {
        Ok(fork) => Ok((*spec, fork)),
        Err(errno) if spec.unshares(raw::CLONE_NEWUSER) && !spec.rootless => {
            let without = Spec { namespaces: spec.namespaces & !raw::CLONE_NEWUSER, ..*spec };
            if no_user_namespaces()
                && let Ok(fork) = fork(&without)
            {
                return Ok((without, fork));
            }
            Err(Fault::new(says, c"", errno).hint("--share-user does without a user namespace"))
        }
        Err(errno) => Err(Fault::new(says, c"", errno).hint(match errno {
            Errno::PERM if spec.rootless => {
                "are user namespaces forbidden? see kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns"
            }
            Errno::NOSPC | Errno::USERS => "a limit is reached or 0: see user.max_user_namespaces and its neighbours",
            Errno::INVAL => "the kernel lacks one of them",
            _ => "",
        })),
    }
}

/// Whether the kernel has no user namespaces (user_namespaces(7)), or its administrator allows none.
fn no_user_namespaces() -> bool {
    if statat(CWD, c"/proc/self/ns/user", AtFlags::empty()).err() == Some(Errno::NOENT) {
        return true;
    }
    let mut limit = [0u8; 2];
    let file = openat(CWD, c"/proc/sys/user/max_user_namespaces", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    file.is_ok_and(|file| read(&file, &mut limit) == Ok(2)) && limit == *b"0\n"
}

/// clone3(2), or clone(2) where that is missing or an outer filter says no.
fn fork(spec: &Spec<'_>) -> Result<Fork, Errno> {
    match sys::clone3(spec.namespaces) {
        // clone(2) has no bit for a time namespace; it is unshared by the child, for its children.
        Err(Errno::NOSYS | Errno::PERM) => match sys::clone_old(spec.namespaces & !raw::CLONE_NEWTIME)? {
            Fork::Child if spec.unshares(raw::CLONE_NEWTIME) => match sys::unshare(raw::CLONE_NEWTIME) {
                Ok(()) => Ok(Fork::Child),
                Err(errno) => sys::exit(Fault::new("unshare", c"time", errno).report()),
            },
            fork => Ok(fork),
        },
        result => result,
    }
}

/// All of process 1's life. Returns its exit status.
fn process_1(spec: &Spec<'_>, host: &host::State, pipes: Pipes) -> i32 {
    // The launcher's ends are his alone: while we held them too, they would not tell of his end.
    let launcher = sys::keep_open(pipes.go.0);
    let stops = pipes.stops.map(|(_, write)| sys::keep_open(write));
    drop(pipes.go.1);
    let mut state = inside::State::new(launcher, host.launcher);
    if let Err(fault) = inside::build(spec, &mut state) {
        return fault.report();
    }
    let terminal = host.terminal;
    let command = command::State {
        caller: host.caller,
        terminal: terminal.filter(|_| host.lent),
        launcher: state.launcher,
        init: getpid(),
    };
    if spec.life.as_pid_1 {
        return become_command(spec, command);
    }
    let mut stack = Stack::new();
    let pid = match sys::spawn(&mut stack, |(spec, command)| become_command(spec, *command), &(spec, command)) {
        Ok(pid) => pid,
        Err(errno) => return Fault::new("fork", c"CMD", errno).report(),
    };
    settle(&[terminal, stops, state.children]);
    let mut init = Init::new(spec, pid, host.launcher);
    (init.children, init.terminal, init.stops) = (state.children, terminal, stops);
    init.forever()
}

/// Process 1 gives up what it needs no more. Neither can fail for a reason that CMD would have to pay for.
fn settle(kept: &[Option<rustix::fd::BorrowedFd<'static>>; 3]) {
    let mut kept = kept.map(|fd| fd.map_or(0, |fd| fd.as_raw_fd().unsigned_abs()));
    kept.sort_unstable();
    let _ = fds::close_all_but(kept.into_iter());
    let _ = caps::keep_kill_only();
}
