//! The only places where processes begin, and what joins them.

use core::cell::Cell;
use core::ffi::CStr;

use linux_raw_sys::general as raw;
use linux_raw_sys::prctl::{PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS};
use rustix::fs::{Access, access};
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, getpid, setsid};
use rustix::system::{RebootCommand, reboot};

use crate::channels;
use crate::confine::{caps, self_exe};
use crate::fs::procfs;
use crate::ns::{kinds, limits};
use crate::process::command::{self, become_command};
use crate::process::init::{self, Init};
use crate::process::machine::{Machine, What};
use crate::process::monitor::Supervisor;
use crate::process::{container_setup, enter, launcher, machine, relay};
use crate::report::hint::{self, Cause};
use crate::report::message::{blame, blame_hint, failed, give_up, refuse, warn, write_line};
use crate::report::wording::{self, Name};
use crate::rootfs::{image, initramfs};
use crate::say;
use crate::spec::{End, Mode, Spec};
use crate::state::descriptors;
use crate::state::{News, Pipe, State};
use crate::step::explain_line;
use crate::supervise::power;
use crate::supervise::shutdown;
use crate::supervise::wait::{self, ANY_CHILD, Before};
use crate::sys::files::{self, Fd, HERE, chdir, chroot, fchdir, read, write};
use crate::sys::{self, Apart, Done, Failure, Fork, Set, Signal, Standard, Start, Time};
use crate::text::Say;
use crate::text::Text;
use crate::tty::{job, pty};

/// Runs CMD in a container, a new one or one that is there, or in place. Returns the exit status, after the message if there
/// was something to say.
#[must_use]
pub fn run(spec: &mut Spec<'_>, start: &Start) -> i32 {
    let mut state = State::new();
    let status = prepare(spec, &mut state).and_then(|caller| match (caller, spec.mode) {
        (Some(status), _) => Ok(status),
        (_, Mode::Root | Mode::Sandbox) => launch(spec, start, &mut state),
        (_, Mode::Enter) => enter(spec, start, &mut state),
        (_, Mode::Init) => in_place(spec, start, &mut state),
    });
    let status = status.unwrap_or_else(|why| {
        channels::remove_pid_file(spec, &state);
        give_up(why)
    });
    if let Some(waiting) = state.waiting {
        // CMD never ran.
        let _ = write(waiting, &[status as u8]);
    }
    status
}

/// What comes before anything else, for a container: where its owner could write the file that we run from, we go on without
/// it. Returns, or begins anew as a copy.
///
/// # Errors
/// Why the file can't be left, reported.
pub fn leave_file(command: &CStr, start: &Start) -> Done {
    descriptors::occupy_standard()?;
    self_exe::enter(command, start)?;
    sys::prepare_to_hide(start).map_err(|why| blame(say!("hide the arguments of"), c"nsinit", why))?;
    // What the user's numbers are to be found open at.
    sys::close_ours(&[], &[]);
    Ok(())
}

/// What comes before all else. Returns the exit status in the process of the caller's, where that is to end before us.
fn prepare(spec: &Spec<'_>, state: &mut State) -> Result<Option<i32>, Failure> {
    descriptors::check(spec.exec.keep_fds)?;
    descriptors::occupy_standard()?;
    if spec.has_preset() {
        descriptors::refuse_directories()?;
    }
    if spec.channels.detach { detach(state) } else { Ok(None) }
}

fn no_fork(says: Say, on: &CStr, why: Failure) -> Failure {
    blame_hint(says, on, why, hint::of_fork(why).hint())
}

/// A child as we are. Why there is none is reported.
fn plain_fork() -> Result<Fork, Failure> {
    sys::clone_old(0).map_err(|why| no_fork(say!("fork"), c"", why))
}

/// Goes on as somebody whom nobody waits for, without the caller's session and terminal. The process of the caller's waits
/// for the word how it is to end.
fn detach(state: &mut State) -> Result<Option<i32>, Failure> {
    let says = say!("go on in the background");
    let pipe = Pipe::new(PipeFlags::empty()).map_err(|why| blame(says, c"", why))?;
    match sys::clone_old(0).map_err(|why| no_fork(says, c"", why))? {
        Fork::Parent(_) => {
            sys::close(descriptors::number(Some(pipe.write)));
            let mut status = [0u8];
            match read(pipe.read, &mut status) {
                Ok(1) => Ok(Some(status[0].into())),
                // Without a word: it was killed.
                Ok(_) => Err(blame(says, c"", Failure::KILLED)),
                Err(why) => Err(blame(says, c"", why)),
            }
        }
        Fork::Child => {
            sys::close(descriptors::number(Some(pipe.read)));
            state.launcher = getpid();
            state.waiting = Some(pipe.write);
            setsid().map_err(|why| blame(says, c"", why.into()))?;
            descriptors::leave_terminals().map_err(|why| blame(says, c"/dev/null", why))?;
            Ok(None)
        }
    }
}

/// Prepares a machine of which we are the first process.
#[must_use]
pub fn prepare_machine(spec: &Spec<'_>) -> State {
    let mut state = State::new();
    machine::prepare(spec, &mut state);
    state
}

/// All the rest of the life of a machine's first process. `shell` is what `--on-exit shell` runs; `runs`: the command line can be
/// meant.
pub fn machine(spec: &Spec<'_>, shell: &Spec<'_>, mut runs: bool, start: &Start, state: &State) -> ! {
    if runs && spec.machine.switch_root.is_some() {
        // It returns where that failed.
        let _ = switch_root(spec, state);
        runs = false;
    }
    // Nothing that is mounted is to be held by us.
    sys::close_ours(&[], &[]);
    let begin = |what| start_session(if what == What::Command { spec } else { shell }, start, state);
    if sys::set_mask(Set::ALL).is_err() {
        wait::stop_hearing();
    }
    let mut machine = Machine { spec, begin: &begin, child: None, status: failed() as u8 };
    let power = machine.supervise(runs);
    let ended = power::end_all(
        machine.child,
        match spec.life.end {
            End::Grace(seconds) => Some(seconds),
            End::Wait => None,
            _ => Some(0),
        },
    );
    if let Some(change) = ended {
        machine.has_ended(change);
    }
    if spec.machine.is_whole {
        power::unmount_all();
    }
    // The kernel ends the process that has it halt the machine, too.
    loop {
        match plain_fork() {
            Ok(Fork::Child) => sys::exit(power::switch(power, spec.machine.is_whole).number() as i32),
            Ok(Fork::Parent(child)) => {
                let _ = sys::wait_end(child.as_raw_nonzero().get());
                break;
            }
            Err(_) => {}
        }
        if !spec.machine.is_whole {
            break;
        }
        // There is nobody left who could take what it takes.
        let _ = wait::signal(Some(A_SECOND), ANY_CHILD);
    }
    if !spec.machine.is_whole {
        sys::exit(machine.status.into());
    }
    // An end of ours would be the kernel's.
    loop {
        let _ = wait::signal(None, ANY_CHILD);
        power::reap();
    }
}

const A_SECOND: Time = Time { seconds: 1, nanos: 0 };

/// What any other nsinit would do, as a child with a session of its own, on the console.
fn start_session(spec: &Spec<'_>, start: &Start, state: &State) -> Result<Pid, Failure> {
    match sys::clone_old(0)? {
        Fork::Parent(child) => Ok(child),
        Fork::Child => {
            let _ = setsid();
            // There may be none.
            let _ = job::control();
            let _ = sys::set_mask(state.caller.mask);
            sys::exit(run(&mut { *spec }, start))
        }
    }
}

/// Becomes the init of another root.
fn switch_root(spec: &Spec<'_>, state: &State) -> Done {
    let dir = spec.machine.switch_root.unwrap_or_default();
    if spec.root.image {
        image::mount_on(spec.root.directory, dir)?;
    }
    // Once we are there, there is no way back.
    let look = |(spec, dir): &(&Spec<'_>, Fd)| {
        let there =
            fchdir(*dir).and_then(|()| chroot(c".")).and_then(|()| Ok(access(spec.exec.command, Access::EXEC_OK)?));
        there.map_or_else(|why| why.number() as i32, |()| 0)
    };
    let new = files::directory(HERE, dir).map_err(|why| blame(say!("switch to root"), dir, why))?;
    let looked = sys::spawn(look, &(spec, new)).map_err(|why| no_fork(say!("fork"), c"", why))?;
    match sys::wait_end(looked.as_raw_nonzero().get()) {
        Ok(0) => {}
        why => {
            let why = why.map_or_else(|why| why, |errno| Failure::new(errno.into()));
            return Err(blame_hint(
                say!("execute"),
                spec.exec.command,
                why,
                say!("in the new root; nothing was switched"),
            ));
        }
    }
    initramfs::switch(dir).map_err(|why| blame(say!("switch to root"), dir, why))?;
    if spec.machine.is_whole {
        // As the kernel has it.
        let _ = reboot(RebootCommand::CadOn);
    }
    let mut own = *spec;
    (own.life.own_group, own.life.new_session) = (false, false);
    let _ = become_command(&own, state);
    Err(Failure::REPORTED)
}

/// Prints the steps by process, in order, and runs nothing.
pub fn explain(spec: &Spec<'_>) {
    let title = |title: Say| write_line(Standard::Output, Text::new().say(title));
    if spec.machine.boots {
        title(say!("process 1:"));
        machine::explain_prepare(spec);
        if let Some(dir) = spec.machine.switch_root {
            if spec.root.image {
                explain_line(say!("mount image"), spec.root.directory);
            }
            explain_line(say!("switch to root"), dir);
            return explain_line(say!("execute"), spec.exec.command);
        }
        explain_line(say!("start a session"), c"");
    }
    title(if spec.makes_container() { say!("launcher:") } else { say!("nsinit:") });
    if spec.channels.detach {
        explain_line(say!("go on in the background"), c"");
    }
    launcher::explain_before(spec);
    if spec.mode == Mode::Enter {
        explain_line(say!("look for"), spec.target.unwrap_or_default());
    }
    if spec.terminal.pty {
        explain_line(say!("start the relay of the terminal"), c"");
    }
    if spec.mode == Mode::Enter {
        title(say!("its helper:"));
        enter::explain_join(spec);
    }
    if !spec.makes_container() {
        title(say!("CMD, a child of it:"));
        return command::explain_command(spec);
    }
    let mut names = Text::new();
    for (kind, path) in kinds::all() {
        // The network comes later.
        if spec.unshares(kind) && kind != raw::CLONE_NEWNET {
            names.byte(b' ').push(kinds::name(path));
        }
    }
    write_line(Standard::Output, Text::new().say(say!("  clone process 1 into new namespaces:")).push(names.bytes()));
    launcher::explain_after(spec);
    title(say!("process 1:"));
    container_setup::explain_all(spec);
    title(if spec.supervises() { say!("CMD, a child of process 1:") } else { say!("process 1, as CMD:") });
    command::explain_command(spec);
}

#[inline(never)]
fn launch(spec: &mut Spec<'_>, start: &Start, state: &mut State) -> Result<i32, Failure> {
    launcher::before(spec, state)?;
    start_relay(spec, start, state)?;
    // After the relay, which is to have no end of it.
    state.begun = if spec.life.process_1 && !spec.terminal.pty { state.go } else { Some(pipe()?) };
    // Processes that are in it already see process 1 from its first moment.
    let seen = spec.namespaces.joins.pid.is_some() || spec.joined(raw::CLONE_NEWPID);
    if seen {
        let _ = sys::set_title(start, spec.life.title_inside);
    }
    match fork_into_namespaces(spec, start, state)? {
        Fork::Child => sys::exit(process_1(spec, start, state)),
        Fork::Parent(container) => {
            if seen {
                let _ = sys::reset_title(start);
            }
            launcher::after(spec, state, container)?;
            call_ourselves(spec, start);
            Ok(Supervisor::new(spec, state, container).forever())
        }
    }
}

fn pipe() -> Result<Pipe, Failure> {
    Pipe::new(PipeFlags::empty()).map_err(|why| blame_hint(say!("make pipes"), c"", why, hint::of_call(why).hint()))
}

/// Has somebody between the caller's terminal and CMD's.
fn start_relay(spec: &Spec<'_>, start: &Start, state: &mut State) -> Done {
    if spec.terminal.pty {
        match plain_fork()? {
            Fork::Child => {
                call_ourselves(spec, start);
                sys::exit(relay::run(spec, state))
            }
            Fork::Parent(relay) => state.relay_process = Some(relay),
        }
    }
    Ok(())
}

/// Has `ps` show the name that was given.
fn call_ourselves(spec: &Spec<'_>, start: &Start) {
    if let Some(title) = spec.life.title {
        // Without CONFIG_CHECKPOINT_RESTORE it stays what it was.
        let _ = sys::set_title(start, title);
    }
}

/// Hides our arguments and environment, which processes inside would find in /proc: the first hold the values of
/// `--setenv`, the other holds variables that are not passed on.
fn hide(start: &Start, title: &'static CStr) -> Done {
    sys::hide(start, title).map_err(|why| blame(say!("hide the arguments of"), c"nsinit", why))
}

/// Enters a container that is there.
#[inline(never)]
fn enter(spec: &mut Spec<'_>, start: &Start, state: &mut State) -> Result<i32, Failure> {
    launcher::before(spec, state)?;
    enter::look(spec, state)?;
    start_relay(spec, start, state)?;
    let go = state.go.ok_or(Failure::BADF)?;
    match plain_fork()? {
        Fork::Child => sys::exit(enter_and_fork(spec, start, state)),
        Fork::Parent(helper) => {
            if let Some(news) = state.news {
                // Close our copy of the write end, or read(2) never returns the end of the pipe.
                sys::close(descriptors::number(Some(news.write)));
            }
            // With a terminal of CMD's it stays, as the leader of the session, when CMD is there.
            let (done, input) = (|| spec.terminal.pty && sys::owner(go.read).is_ok(), state.news.map(|pipe| pipe.read));
            let before = Before { done: &done, input: input.filter(|_| spec.terminal.pty), until: None };
            match wait::for_child(helper, before) {
                Ok(0) => state.leader = Some(helper),
                Ok(_) => return Err(Failure::REPORTED),
                Err(Signal::KILL) => {
                    return Err(blame(say!("enter"), spec.target.unwrap_or_default(), Failure::KILLED));
                }
                // We are to end, and CMD would have.
                Err(signal) => {
                    channels::remove_pid_file(spec, state);
                    return Ok(shutdown::status_of(signal).into());
                }
            }
        }
    }
    let command = sys::owner(go.read).map_err(|why| blame(say!("enter"), spec.target.unwrap_or_default(), why))?;
    call_ourselves(spec, start);
    watch(spec, start, state, (command, Apart::NOBODY), spec.exec.argv.command())
}

/// The helper's part. Returns its exit status; CMD begins as its sister.
fn enter_and_fork(spec: &Spec<'_>, start: &Start, state: &mut State) -> i32 {
    let go = state.go.map(|pipe| pipe.read);
    forget_terminal(spec, state);
    if let Err(why) = enter::join(spec, state).and_then(|()| hide(start, spec.life.title_inside)) {
        return give_up(why);
    }
    // clone3(2) takes no CLONE_PARENT with a signal at the end.
    match sys::clone_old(raw::CLONE_PARENT) {
        Ok(Fork::Child) => become_command(spec, state),
        Ok(Fork::Parent(command)) => {
            let told = go.map_or(Err(Failure::BADF), |go| sys::set_owner(go, command));
            if let Err(why) = told {
                // CMD ends with us.
                blame(say!("enter"), spec.target.unwrap_or_default(), why);
                return failed();
            }
            if spec.terminal.pty {
                // The end of this pipe tells that CMD was executed; by then the launcher knows its number.
                let _ = descriptors::close_all_but(&[], &[descriptors::number(go)]);
                pty::outlive(go);
            }
            0
        }
        Err(why) => {
            // ENOMEM: process 1 of the pid namespace has ended; or memory is short.
            let ended = why == Failure::NOMEM && state.handle.is_some_and(sys::has_ended);
            let cause = if ended { Cause::Ended } else { hint::of_fork(why) };
            blame_hint(say!("enter"), spec.target.unwrap_or_default(), why, cause.hint());
            failed()
        }
    }
}

/// Forks into the new namespaces. Root does without a user namespace where the kernel has none or allows none, and the
/// Spec says so afterwards; every other refusal is an error.
fn fork_into_namespaces(spec: &mut Spec<'_>, start: &Start, state: &State) -> Result<Fork, Failure> {
    // The network comes later.
    let later = if spec.is_told_of() { 0 } else { raw::CLONE_NEWNET };
    let namespaces = |spec: &Spec<'_>| spec.namespaces.new & !later;
    let mut result = fork(spec, start, state, namespaces(spec));
    let (asked, first) = (spec.unshares(raw::CLONE_NEWUSER), result.as_ref().err().copied());
    for (namespace, missing) in OPTIONAL {
        if result.is_err() && spec.unshares(namespace) && spec.namespaces.optional & namespace != 0 && missing() {
            spec.namespaces.new &= !namespace;
            result = fork(spec, start, state, namespaces(spec));
        }
    }
    if let (Ok(Fork::Parent(_)), Some(why)) = (&result, first)
        && asked
        && spec.has_root()
        && !spec.unshares(raw::CLONE_NEWUSER)
    {
        let hint = say!("going on without one: root inside is root outside; see user.max_user_namespaces");
        warn(say!("make a user namespace"), c"", why, hint);
    }
    result.map_err(|why| {
        if why == Failure::PERM && wording::speaks_as(Name::Bwrap) {
            // Its users look for this.
            let _ = refuse(say!("No permissions to create a new namespace, likely because the kernel does not allow non-privileged user namespaces.",
            ));
            return Failure::REPORTED;
        }
        blame_hint(say!("create namespaces"), c"", why, hint::of_namespaces(spec, why).hint())
    })
}

/// What may be left out, and whether it has to be.
static OPTIONAL: [(u32, fn() -> bool); 2] =
    [(raw::CLONE_NEWUSER, no_user_namespaces), (raw::CLONE_NEWCGROUP, || missing(c"/proc/self/ns/cgroup"))];

fn missing(path: &CStr) -> bool {
    files::look(HERE, path).err() == Some(Failure::NOENT)
}

/// Whether the kernel has no user namespaces (user_namespaces(7)), or its administrator allows none.
fn no_user_namespaces() -> bool {
    user_namespaces_are_forbidden() || missing(c"/proc/self/ns/user")
}

fn user_namespaces_are_forbidden() -> bool {
    procfs::open().is_ok_and(limits::permit_no_user_namespace)
}

/// clone3(2), or clone(2) where that is missing or an outer filter says no.
fn fork(spec: &Spec<'_>, start: &Start, state: &State, namespaces: u32) -> Result<Fork, Failure> {
    if spec.namespaces.joins.pid.is_some() && namespaces & raw::CLONE_NEWPID != 0 {
        return fork_below(spec, start, state, namespaces);
    }
    let fork = || match sys::clone3(namespaces) {
        Err(Failure::NOSYS | Failure::PERM) => fork_old(namespaces),
        result => result,
    };
    match state.proc.filter(|_| spec.joins_user() && namespaces & raw::CLONE_NEWCGROUP != 0) {
        Some(proc) => limits::despite_limit(proc, &fork),
        None => fork(),
    }
}

/// Who has joined a pid namespace is not in it, but his children are, and only they may make one below it (clone(2)). So
/// a child makes process 1, as its sister, and tells by the owner of a pipe what its number is here (fcntl(2), F_SETOWN).
fn fork_below(spec: &Spec<'_>, start: &Start, state: &State, namespaces: u32) -> Result<Fork, Failure> {
    let pipe = state.go.ok_or(Failure::BADF)?;
    let failure = Cell::new(Failure::CHILD);
    let child = sys::spawn(
        |(spec, start, state, namespaces, pipe, failure)| match fork_old(*namespaces | raw::CLONE_PARENT) {
            Ok(Fork::Child) => process_1(spec, start, &mut { *state }),
            Ok(Fork::Parent(sister)) => i32::from(sys::set_owner(pipe.read, sister).is_err()),
            Err(why) => {
                failure.set(why);
                failed()
            }
        },
        &(spec, start, *state, namespaces, pipe, &failure),
    )?;
    match sys::wait_end(child.as_raw_nonzero().get()) {
        Ok(0) => sys::owner(pipe.read).map(Fork::Parent),
        _ => Err(failure.get()),
    }
}

fn fork_old(namespaces: u32) -> Result<Fork, Failure> {
    let time = namespaces & raw::CLONE_NEWTIME;
    let fork = sys::clone_old(namespaces & !time)?;
    // clone(2) has no bit for a time namespace; the child unshares it, for its own children.
    if time != 0
        && matches!(fork, Fork::Child)
        && let Err(why) = sys::unshare(time)
    {
        blame(say!("unshare"), c"time", why);
        sys::exit(failed());
    }
    Ok(fork)
}

/// Makes the container around process 1: the network and the mounts side by side, where there are two processors for
/// it and a pid namespace that ends with us.
fn build(spec: &Spec<'_>, state: &mut State) -> Done {
    container_setup::begin(spec, state)?;
    let mut job = (spec, *state);
    let network = || container_setup::network(spec, &mut { *state });
    let mounted = if spec.unshares(raw::CLONE_NEWNET | raw::CLONE_NEWPID) && sys::has_processors_to_spare() {
        // What fails here ends us, and with us the other.
        sys::beside(
            |(spec, state)| container_setup::mount(spec, state).map_err(give_up).is_ok(),
            &mut job,
            || {
                if let Err(why) = network() {
                    sys::exit(give_up(why));
                }
            },
        )
        .ok()
    } else {
        None
    };
    match mounted {
        Some((Ok(true), ())) => *state = job.1,
        Some((Ok(false), ())) => return Err(Failure::REPORTED),
        Some((Err(why), ())) => return Err(blame(say!("make the mounts"), c"", why)),
        None => {
            network()?;
            container_setup::mount(spec, state)?;
        }
    }
    container_setup::enter(spec, state)?;
    // Nothing that leads outside is open any more when somebody is inside.
    let [go, begun, label] = [
        state.go.map(|pipe| pipe.read),
        state.begun.map(|pipe| pipe.read),
        state.proc.filter(|_| spec.confine.exec_label.is_some()),
    ]
    .map(descriptors::number);
    let [terminal, news, tree] = needed(state);
    sys::close_ours(&state.locks, &[go, begun, label, terminal, news, tree]);
    Ok(())
}

/// What is needed as long as CMD lives.
fn needed(state: &State) -> [u32; 3] {
    [state.terminal, state.news.map(|pipe| pipe.write), state.tree].map(descriptors::number)
}

/// A terminal that is not lent is the launcher's alone.
fn forget_terminal(spec: &Spec<'_>, state: &mut State) {
    state.terminal = state.terminal.filter(|_| spec.lends_terminal());
}

/// All of process 1's life. Returns its exit status.
fn process_1(spec: &Spec<'_>, start: &Start, state: &mut State) -> i32 {
    forget_terminal(spec, state);
    let hidden = hide(start, spec.life.title_inside);
    let told = || channels::tell_namespaces(state).map_err(|why| blame(say!("tell of namespaces"), c"", why));
    let name = spec.exec.argv.command();
    let begun = match hidden.and_then(|()| told()).and_then(|()| build(spec, state)) {
        Ok(()) if !spec.supervises() => return become_command(spec, state),
        Ok(()) => start_command(spec, state),
        Err(why) => Err(why),
    };
    match begun {
        Ok(command) => {
            state.go = settle(spec, state);
            Init::new(spec, state, command, name, &|| weaken(spec)).forever()
        }
        Err(why) => {
            state.inform(News::Failed, 0);
            give_up(why)
        }
    }
}

/// Reaps and does nothing else, until it is asked to end. Returns the exit status.
#[must_use]
pub fn pause() -> i32 {
    let mut state = State::new();
    if let Err(why) = launcher::before(&Spec { mode: Mode::Init, ..Spec::PRESET }, &mut state) {
        return give_up(why);
    }
    init::pause()
}

/// Becomes the parent of CMD where we are: no namespace, no other process.
#[inline(never)]
fn in_place(spec: &Spec<'_>, start: &Start, state: &mut State) -> Result<i32, Failure> {
    launcher::before(spec, state)?;
    call_ourselves(spec, start);
    let name = spec.exec.argv.command();
    let command = start_command(spec, state)?;
    if spec.life.process_1 {
        let _ = caps::keep_for_the_end(spec);
    }
    watch(spec, start, state, command, name)
}

/// Starts CMD as our child. It waits until we have [`release`]d it. What it is told, its name included, is its own from
/// then on.
fn start_command<'a>(spec: &'a Spec<'a>, state: &mut State) -> Result<(Pid, Apart<'a>), Failure> {
    state.parent = Some(getpid());
    let pipes = Pipe::new(PipeFlags::empty()).and_then(|gate| {
        state.gate = Some(gate);
        if state.executed.is_none() {
            state.executed = Some(Pipe::announced(Signal::CHLD)?);
        }
        Ok(())
    });
    pipes.map_err(|why| blame_hint(say!("make pipes"), c"", why, hint::of_call(why).hint()))?;
    let body = |(spec, state): &(&Spec<'_>, State)| become_command(spec, state);
    sys::start(body, (spec, *state)).map_err(|why| no_fork(say!("fork"), c"CMD", why))
}

/// Closes all but `users` and `ours`, and then lets CMD go on.
fn release(state: &State, users: &[u32], ours: &[u32; 6]) {
    let gate = state.gate.map(|pipe| pipe.write);
    let [a, b, c, d, e, f] = *ours;
    // It answers EINVAL only for an empty range, and there is none.
    let _ = descriptors::close_all_but(users, &[a, b, c, d, e, f, descriptors::number(gate)]);
    descriptors::give_up(gate.map(|gate| descriptors::number(Some(gate))));
}

/// Reaps and forwards until the end, where there is nobody between us and CMD. Returns the exit status.
fn watch<'a>(
    spec: &'a Spec<'a>,
    start: &Start,
    state: &mut State,
    command: (Pid, Apart<'a>),
    name: &'a CStr,
) -> Result<i32, Failure> {
    let _ = chdir(c"/");
    let sync = spec.channels.sync.unwrap_or_default();
    release(state, &launcher::needed(spec, state), &[sync, 0, 0, 0, 0, 0]);
    state.container = Some(command.0);
    // CMD is on its way: who does not read it any more does not want to know.
    let _ = channels::tell_of_container(spec.channels.status, spec, state, b" ");
    // What is told the launcher is ours to know. The child may need what we give back, until it is executed.
    state.news = None;
    Ok(Init::new(spec, state, command, name, &|| sys::give_back(start)).forever())
}

/// Process 1 gives up the descriptors that it needs no more, and lets CMD go on. None of it can fail for a reason that CMD
/// would have to pay for. Returns what tells that the launcher is no more, where no pid namespace ends with it.
fn settle(spec: &Spec<'_>, state: &State) -> Option<Pipe> {
    let [terminal, news, tree] = needed(state);
    let executed = descriptors::number(state.executed.map(|pipe| pipe.read));
    let sync = spec.channels.sync.unwrap_or_default();
    let go = state.go.filter(|_| !spec.life.process_1 || spec.terminal.pty);
    release(
        state,
        &state.locks,
        &[terminal, news, tree, sync, executed, descriptors::number(go.map(|pipe| pipe.read))],
    );
    go
}

/// CMD has been executed: process 1 gives up what only that needed.
fn weaken(spec: &Spec<'_>) {
    if spec.terminal.pty || spec.channels.detach {
        // The caller's terminal is not to be had here.
        sys::end_messages();
    }
    let _ = if spec.is_sandbox() { confine(spec) } else { caps::keep_for_the_end(spec) };
}

/// Makes process 1 of a sandbox no stronger than CMD. Then it may be looked at by who is told of it, and looks for its
/// namespaces from outside (proc_pid_ns(5)). What fails leaves it untraceable.
fn confine(spec: &Spec<'_>) -> Done {
    caps::bound(spec)?;
    caps::keep_for_the_end(spec)?;
    sys::prctl(PR_SET_NO_NEW_PRIVS, 1)?;
    spec.confine.filters.iter().try_for_each(|program| sys::add_filter(program))?;
    if spec.is_told_of() { sys::prctl(PR_SET_DUMPABLE, 1) } else { Ok(()) }
}
