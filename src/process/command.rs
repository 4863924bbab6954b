//! PROCESS: the command, until it is executed. A child of process 1 that shares its memory, or process 1 itself.
//!
//! - Namespaces: the container's, entered.
//! - Rights: those of process 1, given up here one after the other; each step leaves fewer to the next ones.
//! - Signals: all blocked, until the last step restores the caller's mask.
//! - Everything may fail: one line, status 125, or 126 and 127 for the execution itself. The command never runs with less
//!   confinement than was asked for.
//! - Next: execve(2).

use crate::sys::Kept;
#[cfg(any(feature = "container", feature = "landlock"))]
use crate::sys::PR_SET_NO_NEW_PRIVS;
use crate::sys::PR_SET_PDEATHSIG;
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, getpid, setpgid, setsid};

#[cfg(feature = "status")]
use crate::channels::start;
#[cfg(feature = "container")]
use crate::confine::filter;
#[cfg(feature = "landlock")]
use crate::confine::landlock;
#[cfg(feature = "limits")]
use crate::confine::limits;
#[cfg(feature = "landlock")]
use crate::confine::ports;
use crate::confine::rights;
#[cfg(feature = "bwrap")]
use crate::fs::procfs;
use crate::process::execute;
use crate::report::hint;
#[cfg(feature = "container")]
use crate::report::message::blame;
use crate::report::message::{blame_hint, failed, give_up, tell, tell_why};
use crate::report::wording::Event;
use crate::say;
use crate::spec::{Mode, Object, rooms};
#[cfg(feature = "container")]
use crate::state::roles;
use crate::state::{Command, Launch, News, Pipe, Process};
#[cfg(feature = "container")]
use crate::step::contained;
use crate::step::{self, walk};
use crate::sys::files::{chdir, read};
use crate::sys::{self, Apart, Done, Failure, Signal};
use crate::text::PATH;
use crate::text::verb;
use crate::tty::job;

type Step = step::Step<Command>;

/// With the rights of process 1.
static STRONG: &[Step] = &[
    Step::new(say!("start a process group"), |command| start_group(&command.launch))
        // Process 1 leads the session of its own terminal, and so a group.
        .when(|spec| !spec.life.new_session && spec.life.own_group && !(spec.has_pty() && spec.life.as_pid_1)),
    Step::new(say!("start a session"), |command| start_session(&command.launch)).when(|spec| spec.life.new_session),
    Step::new(say!("set umask"), |command| {
        let Launch { spec, caller, .. } = &command.launch;
        sys::umask(spec.exec.umask.unwrap_or(caller.umask)).map(|_| ())
    })
    .when(|spec| spec.contained() || spec.exec.umask.is_some()),
];

/// With the rights of the command.
static WEAK: &[Step] = &[
    #[cfg(any(feature = "container", feature = "landlock"))]
    Step::new(say!("set no_new_privs"), |_| sys::prctl(PR_SET_NO_NEW_PRIVS, 1)).when(|spec| spec.has_no_new_privs()),
    Step::new(say!("die with nsinit"), |command| die_with_parent(command))
        .when(|spec| spec.life.die_together && !(spec.contained() && spec.supervises() && spec.life.process_1)),
    #[cfg(feature = "bwrap")]
    Step::new(say!("label CMD as"), |command| {
        let Launch { spec, proc, .. } = &command.launch;
        procfs::label(proc.get()?, c"self/attr/exec", spec.confine.exec_label)
    })
    .on(Object::ExecLabel)
    .when(|spec| spec.confine.exec_label.is_some()),
    #[cfg(feature = "container")]
    Step::new(say!("restore the limit on core files"), |command| sys::limit_core(command.launch.caller.core))
        .when(contained),
    Step::new(say!("ignore SIGCHLD as the caller did"), |command| {
        if command.launch.caller.child_ignored {
            sys::set_ignored(Signal::CHLD, true)?;
        }
        Ok(())
    }),
    Step::new(say!("restore the signal mask"), |command| sys::set_mask(command.launch.caller.mask).map(|_| ())),
    // From here on the caller's signals end it: what follows may wait for ever, in a file system that does not answer.
    #[cfg(feature = "status")]
    Step::new(say!("wait for"), |command| start::wait_for(command.launch.spec.channels.block))
        .on(Object::BlockFd)
        .when(|spec| spec.channels.block.is_some()),
    Step::new(say!("wait until nsinit has closed its descriptors"), |command| wait_for_parent(command))
        .when(|spec| spec.mode == Mode::Init || spec.supervises()),
    #[cfg(feature = "container")]
    Step::new(say!("close descriptors"), |command| close_descriptors(&command.launch))
        .when(|spec| spec.contained() && !spec.exec.keep_all_fds),
    // When no descriptor of nsinit's is open that a path could lead to, as for the directory; and before that, because without a
    // container the paths begin in the caller's.
    #[cfg(feature = "landlock")]
    landlock::restrict(),
    Step::new(verb::ENTER_DIRECTORY, |command| enter_directory(&command.launch))
        .on(Object::Directory)
        // Process 1 is in / already.
        .when(|spec| spec.exec.directory.is_some_and(|directory| !spec.contained() || directory != c"/")),
    // After the last step that opens a file or uses memory, and before a filter that may forbid it.
    #[cfg(feature = "limits")]
    limits::set(),
    #[cfg(feature = "landlock")]
    ports::close_ways(),
    #[cfg(feature = "container")]
    filter::install_last(),
    #[cfg(feature = "seccomp")]
    Step::new(verb::FILTER_CALLS, |command| {
        command.launch.spec.confine.filters.iter().try_for_each(|program| sys::add_filter(program))
    })
    .when(|spec| !spec.confine.filters.is_empty()),
    Step::new(say!("execute"), |command| {
        command.status = execute::execute(&command.launch);
        Err(Failure::REPORTED)
    })
    .on(Object::Command),
];

/// Becomes the command. Returns only if that failed: the exit status, after the message.
pub fn become_command(command: &Command) -> i32 {
    let mut own = *command;
    let why = plan(&mut own).err().unwrap_or(Failure::REPORTED);
    let status = if own.status == 0 { give_up(why) } else { own.status.into() };
    own.launch.inform(News::Failed, 0);
    status
}

/// All steps of the command, in their order.
///
/// # Errors
/// The first step that failed, reported.
pub fn plan(command: &mut Command) -> Done {
    walk(STRONG, command)?;
    // With --enter the helper has done so.
    if (rooms::CONTAINER || rooms::LIMITS) && !command.launch.spec.enters() {
        walk(rights::STEPS, command.launch())?;
    }
    walk(WEAK, command)
}

/// Starts the command as a child, which waits until its parent has called [`release`]. From now on only the child uses the
/// arguments and the environment of the command.
///
/// # Errors
/// Reported. EAGAIN, ENOMEM: a limit on processes or memory is reached; EMFILE, ENFILE: too many descriptors are open; others: see
/// clone(2).
pub fn start(launch: &mut Launch) -> Result<(Pid, Apart<'static>), Failure> {
    let pipes = Pipe::new(PipeFlags::empty()).and_then(|gate| {
        launch.gate = Some(gate);
        if launch.executed.is_none() {
            launch.executed = Some(Pipe::announced(Signal::CHLD)?);
        }
        Ok(())
    });
    pipes.map_err(|why| blame_hint(say!("make pipes"), c"", why, hint::of_call(why).hint()))?;
    let command = Command { parent: Some(getpid()), ..Command::new(launch) };
    sys::start(become_command, command).map_err(|why| blame_hint(say!("fork"), c"CMD", why, hint::of_fork(why).hint()))
}

/// Closes all descriptors but those in the two lists, and then lets the command go on, which waits at `gate`.
pub fn release(gate: Option<Pipe>, some: &[Kept], others: &[Kept]) {
    // EINVAL is only for an empty range, and there is none.
    let _ = sys::close_all_but(some, others);
    if let Some(gate) = gate {
        sys::close(gate.write);
    }
}

fn start_group(launch: &Launch) -> Done {
    setpgid(None, None)?;
    if let Some(terminal) = launch.terminal.filter(|_| launch.lent) {
        job::hand_to(terminal, getpid());
    }
    Ok(())
}

fn start_session(launch: &Launch) -> Done {
    let spec = &launch.spec;
    if spec.terminal.session_if_any && !launch.leaves_session {
        return start_group(launch);
    }
    setsid()?;
    if spec.terminal.withheld {
        return Ok(());
    }
    // If the terminal already has a session, leave it.
    let control = job::control();
    if spec.life.verbose >= 3 {
        if let Err(why) = control {
            tell_why(Event::NotAttached, why);
        }
        tell(Event::Session, [0, 0], c"");
    }
    Ok(())
}

/// Sets PR_SET_PDEATHSIG, after the last change of ids, which clears it (prctl(2)). If the parent has ended before, this process
/// ends too.
fn die_with_parent(command: &Command) -> Done {
    let Launch { spec, go, .. } = &command.launch;
    sys::prctl(PR_SET_PDEATHSIG, Signal::KILL.number().cast_unsigned())?;
    let orphaned =
        if spec.contained() && !spec.supervises() { go.get()?.is_ended()? } else { !sys::is_child_of(command.parent)? };
    if orphaned {
        sys::exit(failed());
    }
    Ok(())
}

/// Waits until the supervisor has left its directory and closed its descriptors: until then the command cannot unmount that
/// directory, and pipes stay open.
fn wait_for_parent(command: &Command) -> Done {
    let Some(gate) = command.launch.gate else { return Ok(()) };
    // Close our copy of the write end, or read(2) never returns.
    sys::close(gate.write);
    let mut ended = read(gate.read, &mut [0u8]);
    while ended == Err(Failure::INTR) {
        ended = read(gate.read, &mut [0u8]);
    }
    ended?;
    if !sys::is_child_of(command.parent)? {
        sys::exit(failed());
    }
    Ok(())
}

/// Closes all descriptors except those that the command keeps, and the pipes that report a failed execution.
#[cfg(feature = "container")]
fn close_descriptors(launch: &Launch) -> Done {
    let keep = launch.spec.exec.keep_fds;
    sys::close_all_but(Kept::all_given(keep), &roles::kept(roles::COMMAND, launch, roles::NONE))?;
    for fd in keep {
        sys::close_on_exec(*fd, false).map_err(|why| blame(say!("keep open the descriptor of"), c"--keep-fd", why))?;
    }
    Ok(())
}

/// After all descriptors are closed: the path of the directory cannot lead outside through one of nsinit's (CVE-2024-21626).
fn enter_directory(launch: &Launch) -> Done {
    let exec = &launch.spec.exec;
    let done = chdir(exec.directory.unwrap_or(c"."));
    // The caller's directory may not exist inside: then the user's home, then /, where we are.
    match exec.home {
        None => done?,
        Some(home) if done.is_err() => {
            let _ = chdir(home);
        }
        Some(_) => {}
    }
    execute::here(&mut [0u8; PATH]).map(|_| ())
}
