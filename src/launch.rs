//! The only places where processes begin, and what joins them.

use linux_raw_sys::general as raw;
use rustix::fs::OFlags;
use rustix::io::read;
use rustix::process::{chdir, getpid};

use crate::command::{self, become_command};
use crate::fault::{blame, blame_hint, failed, write_line};
use crate::files::{self, HERE};
use crate::host::{self, Supervisor};
use crate::init::{self, Init};
use crate::spec::{Mode, Spec};
use crate::state::State;
use crate::sys::{self, Failure, Fork, Stack, Standard, Start};
use crate::text::Text;
use crate::{caps, fds, inside, seal};

/// Runs CMD in a container. Returns the exit status, after the message if there was something to say.
#[must_use]
pub fn run(spec: &mut Spec<'_>, start: &Start) -> i32 {
    match spec.mode {
        Mode::Container => launch(spec, start).unwrap_or(failed()),
        Mode::Init => in_place(spec).unwrap_or(failed()),
    }
}

/// Prints the steps by process, in order, and runs nothing.
pub fn explain(spec: &Spec<'_>) {
    let title = |title: &str| write_line(Standard::Output, Text::new().push(title.as_bytes()));
    title(if spec.contained() { "launcher:" } else { "nsinit:" });
    host::explain_before(spec);
    if !spec.contained() {
        title("CMD, a child of it:");
        return command::explain_command(spec);
    }
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

fn launch(spec: &mut Spec<'_>, start: &Start) -> Result<i32, Failure> {
    fds::check(spec.keep_fds)?;
    fds::occupy_standard().map_err(|why| blame("open", c"/", why))?;
    seal::enter(start)?;
    let mut state = State::new();
    host::before(spec, &mut state)?;
    match fork_into_namespaces(spec)? {
        Fork::Child => sys::exit(process_1(spec, &mut state)),
        Fork::Parent(container) => {
            host::after(spec, &mut state, container)?;
            Ok(Supervisor { spec, state, container, killer: None }.forever())
        }
    }
}

/// Forks into the new namespaces. Root does without a user namespace where the kernel has none or allows none, and the
/// Spec says so afterwards; every other refusal is an error.
fn fork_into_namespaces(spec: &mut Spec<'_>) -> Result<Fork, Failure> {
    let mut result = fork(spec.namespaces);
    let hint = match result {
        Ok(_) => "",
        Err(Failure::NOSPC | Failure::USERS) => {
            "a limit is reached or 0: see user.max_user_namespaces and its neighbours"
        }
        Err(_) if spec.rootless && !spec.unshares(raw::CLONE_NEWUSER) => "--share-user is for root",
        Err(_) if spec.rootless => {
            "are user namespaces forbidden? see kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns"
        }
        Err(_) => "--share-user does without a user namespace",
    };
    if result.is_err() && !spec.rootless && spec.unshares(raw::CLONE_NEWUSER) && no_user_namespaces() {
        spec.namespaces &= !raw::CLONE_NEWUSER;
        result = fork(spec.namespaces);
    }
    result.map_err(|why| blame_hint("create namespaces", c"", why, hint))
}

/// Whether the kernel has no user namespaces (user_namespaces(7)), or its administrator allows none.
fn no_user_namespaces() -> bool {
    let mut limit = [0u8; 2];
    match files::open(HERE, c"/proc/sys/user/max_user_namespaces", OFlags::RDONLY) {
        Ok(file) => read(file, &mut limit) == Ok(2) && limit == *b"0\n",
        Err(_) => files::look(HERE, c"/proc/self/ns/user").err() == Some(Failure::NOENT),
    }
}

/// clone3(2), or clone(2) where that is missing or an outer filter says no.
fn fork(namespaces: u32) -> Result<Fork, Failure> {
    match sys::clone3(namespaces) {
        Err(Failure::NOSYS | Failure::PERM) => {}
        result => return result,
    }
    let time = namespaces & raw::CLONE_NEWTIME;
    let fork = sys::clone_old(namespaces & !time)?;
    // clone(2) has no bit for a time namespace; the child unshares it, for its own children.
    if time != 0
        && matches!(fork, Fork::Child)
        && let Err(why) = sys::unshare(time)
    {
        blame("unshare", c"time", why);
        sys::exit(failed());
    }
    Ok(fork)
}

/// All of process 1's life. Returns its exit status.
fn process_1(spec: &Spec<'_>, state: &mut State) -> i32 {
    if inside::build(spec, state).is_err() {
        return failed();
    }
    if spec.life.as_pid_1 {
        return become_command(spec, state);
    }
    supervise(spec, state).unwrap_or(failed())
}

/// Reaps and does nothing else, until it is asked to end. Returns the exit status.
#[must_use]
pub fn pause() -> i32 {
    let mut state = State::new();
    if host::before(&Spec { mode: Mode::Init, ..Spec::PRESET }, &mut state).is_err() {
        return failed();
    }
    init::pause()
}

/// Becomes the parent of CMD where we are: no namespace, no other process.
fn in_place(spec: &Spec<'_>) -> Result<i32, Failure> {
    fds::occupy_standard().map_err(|why| blame("open", c"/", why))?;
    let mut state = State::new();
    host::before(spec, &mut state)?;
    supervise(spec, &mut state)
}

/// Starts CMD and reaps and forwards until the end. Returns the exit status.
fn supervise(spec: &Spec<'_>, state: &mut State) -> Result<i32, Failure> {
    state.parent = Some(getpid());
    let mut stack = Stack::new();
    let body = |(spec, state): &(&Spec<'_>, State)| become_command(spec, state);
    let command = sys::spawn(&mut stack, body, &(spec, *state)).map_err(|why| blame("fork", c"CMD", why))?;
    settle(state);
    Ok(Init::new(spec, *state, command).forever())
}

/// The supervisor gives up what it needs no more: descriptors, capabilities, the directory. None of it can fail for a
/// reason that CMD would have to pay for.
fn settle(state: &State) {
    let kept = [state.terminal, state.news.map(|pipe| pipe.write), state.children];
    let _ = fds::close_all_but(&[], &kept.map(fds::number));
    let _ = caps::keep_kill_only();
    let _ = chdir(c"/");
}
