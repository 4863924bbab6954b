//! The only places where processes begin, and what joins them.

use linux_raw_sys::general as raw;
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::io::read;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::getpid;

use crate::command::{self, become_command};
use crate::fault::{FAILED, blame, blame_hint, write_line};
use crate::files::{self, HERE};
use crate::host::{self, Supervisor};
use crate::init::Init;
use crate::spec::Spec;
use crate::sys::{self, Failure, Fork, Stack, Standard, Start};
use crate::text::Text;
use crate::{caps, fds, inside, seal};

/// Runs CMD in a container. Returns the exit status, after the message if there was something to say.
#[must_use]
pub fn run(spec: &Spec<'_>, start: &Start) -> i32 {
    launch(spec, start).unwrap_or(FAILED.into())
}

/// Prints the steps by process, in order, and runs nothing.
pub fn explain(spec: &Spec<'_>) {
    let title = |title: &str| write_line(Standard::Output, Text::new().push(title.as_bytes()));
    title("launcher:");
    host::explain_before(spec);
    let mut names = Text::new();
    for (flag, name) in NAMESPACES {
        if spec.unshares(flag) {
            names.push(b" ").push(name.as_bytes());
        }
    }
    write_line(Standard::Output, Text::new().push(b"  clone process 1 into new namespaces:").push(names.bytes()));
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

fn launch(spec: &Spec<'_>, start: &Start) -> Result<i32, Failure> {
    fds::occupy_standard().map_err(|errno| blame("open", c"/", errno))?;
    seal::enter(start.args, start.env)?;
    let mut host = host::State::new();
    host::before(spec, &mut host)?;
    let pipe = |flags| pipe_with(flags).map_err(|errno| blame("make a pipe", c"", errno.into()));
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
fn fork_into_namespaces<'a>(spec: &Spec<'a>) -> Result<(Spec<'a>, Fork), Failure> {
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
            Err(blame_hint(says, c"", errno, "--share-user does without a user namespace"))
        }
        Err(errno) => Err(blame_hint(says, c"", errno, match errno {
            Failure::PERM if spec.rootless => {
                "are user namespaces forbidden? see kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns"
            }
            Failure::NOSPC | Failure::USERS => "a limit is reached or 0: see user.max_user_namespaces and its neighbours",
            Failure::INVAL => "the kernel lacks one of them",
            _ => "",
        })),
    }
}

/// Whether the kernel has no user namespaces (user_namespaces(7)), or its administrator allows none.
fn no_user_namespaces() -> bool {
    if files::look(HERE, c"/proc/self/ns/user").err() == Some(Failure::NOENT) {
        return true;
    }
    let mut limit = [0u8; 2];
    let file = files::open(HERE, c"/proc/sys/user/max_user_namespaces", OFlags::RDONLY);
    file.is_ok_and(|file| read(&file, &mut limit) == Ok(2)) && limit == *b"0\n"
}

/// clone3(2), or clone(2) where that is missing or an outer filter says no.
fn fork(spec: &Spec<'_>) -> Result<Fork, Failure> {
    match sys::clone3(spec.namespaces) {
        // clone(2) has no bit for a time namespace; it is unshared by the child, for its children.
        Err(Failure::NOSYS | Failure::PERM) => match sys::clone_old(spec.namespaces & !raw::CLONE_NEWTIME)? {
            Fork::Child if spec.unshares(raw::CLONE_NEWTIME) => match sys::unshare(raw::CLONE_NEWTIME) {
                Ok(()) => Ok(Fork::Child),
                Err(errno) => {
                    blame("unshare", c"time", errno);
                    sys::exit(FAILED.into())
                }
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
    if inside::build(spec, &mut state).is_err() {
        return FAILED.into();
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
        Err(errno) => {
            blame("fork", c"CMD", errno);
            return FAILED.into();
        }
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
