//! PROCESS: CMD, until it is executed. A child of process 1 that shares its memory, or process 1 itself.
//!
//! - Namespaces: the container's, entered.
//! - Rights: those of process 1, given up here one after the other; each step makes the next ones weaker.
//! - Signals: all blocked, until the last step restores what the caller had.
//! - Everything may fail: one line, status 125, or 126 and 127 for the execution itself. CMD never runs with less
//!   confinement than was asked for.
//! - Next: execve(2).

use core::ffi::CStr;
use linux_raw_sys::prctl::{PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG};
use rustix::process::{Pid, getpid, setpgid, setsid};

use crate::channels;
use crate::confine::rights;
use crate::fs::procfs;
use crate::report::hint::{self, Cause, SH};
use crate::report::message::{blame, blame_execution, failed, give_up, tell, tell_why};
use crate::report::wording::{self, Event, Name};
use crate::say;
use crate::spec::{Mode, ROOTS_HOME, Spec};
use crate::state::descriptors;
use crate::state::{News, State};
use crate::step::{Step, always, contained, explain, explain_line, nothing, walk};
use crate::sys::files::{self, HERE, chdir, read};
use crate::sys::{self, Done, Failure, Signal, c_str};
use crate::text::{self, PATH, Text};
use crate::tty::job;

static STEPS: [Step; 3] = [
    Step {
        says: say!("start a process group"),
        on: nothing,
        // Process 1 leads the session of its own terminal, and so a group.
        when: |spec| !spec.life.new_session && spec.life.own_group && !(spec.terminal.pty && spec.life.as_pid_1),
        run: |_, state| start_group(state),
    },
    Step { says: say!("start a session"), on: nothing, when: |spec| spec.life.new_session, run: start_session },
    Step {
        says: say!("set umask"),
        on: nothing,
        when: |spec| spec.contained() || spec.exec.umask.is_some(),
        run: |spec, state| set_umask(spec, state),
    },
];

/// With the rights of CMD.
static LAST: [Step; 11] = [
    Step {
        says: say!("set no_new_privs"),
        on: nothing,
        when: |spec| spec.contained() && spec.confine.no_new_privs,
        run: |_, _| sys::prctl(PR_SET_NO_NEW_PRIVS, 1),
    },
    Step {
        says: say!("die with nsinit"),
        on: nothing,
        when: |spec| spec.life.die_together && !(spec.contained() && spec.supervises() && spec.life.process_1),
        run: |spec, state| die_with_parent(spec, state),
    },
    Step {
        says: say!("label CMD as"),
        on: |spec| spec.confine.exec_label.unwrap_or(c""),
        when: |spec| spec.confine.exec_label.is_some(),
        run: |spec, state| procfs::label(state.proc, c"self/attr/exec", spec.confine.exec_label),
    },
    Step {
        says: say!("leave core files as the caller did"),
        on: nothing,
        when: contained,
        run: |_, state| sys::limit_core(state.caller.core),
    },
    Step {
        says: say!("ignore SIGCHLD as the caller did"),
        on: nothing,
        when: always,
        run: |_, state| {
            if state.caller.child_ignored {
                sys::set_ignored(Signal::CHLD, true)?;
            }
            Ok(())
        },
    },
    Step {
        says: say!("restore the signal mask"),
        on: nothing,
        when: always,
        run: |_, state| sys::set_mask(state.caller.mask).map(|_| ()),
    },
    // From here on the caller's signals end it: what follows may wait for ever, in a file system that does not answer.
    Step {
        says: say!("wait for"),
        on: |_| c"--block-fd",
        when: |spec| spec.channels.block.is_some(),
        run: |spec, _| channels::wait_for(spec.channels.block),
    },
    Step {
        says: say!("wait until nsinit has closed its descriptors"),
        on: nothing,
        when: |spec| spec.mode == Mode::Init || spec.supervises(),
        run: |_, state| wait_for_parent(state),
    },
    Step {
        says: say!("close descriptors"),
        on: nothing,
        when: |spec| spec.contained() && !spec.exec.keep_all_fds,
        run: |spec, state| close_descriptors(spec, state),
    },
    Step {
        says: say!("enter directory"),
        on: |spec| spec.exec.directory.unwrap_or_default(),
        // Process 1 is in / already.
        when: |spec| spec.exec.directory.is_some_and(|directory| !spec.contained() || directory != c"/"),
        run: |spec, _| enter_directory(spec),
    },
    Step {
        says: say!("filter system calls"),
        on: nothing,
        when: |spec| !spec.confine.filters.is_empty(),
        run: |spec, _| spec.confine.filters.iter().try_for_each(|program| sys::add_filter(program)),
    },
];

/// Becomes CMD. Returns only when that failed: the exit status, after the message.
pub fn become_command(spec: &Spec<'_>, state: &State) -> i32 {
    let mut own = *state;
    let mut prepare = || {
        walk(&STEPS, spec, &mut own)?;
        if gives_up_rights(spec) {
            walk(&rights::STEPS, spec, &mut own)?;
        }
        walk(&LAST, spec, &mut own)
    };
    let status = match prepare() {
        Ok(()) => in_its_place(spec, state).into(),
        Err(why) => give_up(why),
    };
    state.inform(News::Failed, 0);
    status
}

/// Prints what [`become_command`] would do.
pub fn explain_command(spec: &Spec<'_>) {
    explain(&STEPS, spec);
    if gives_up_rights(spec) {
        explain(&rights::STEPS, spec);
    }
    explain(&LAST, spec);
    explain_line(say!("execute"), spec.exec.command);
}

/// Whether it begins with more than it is to have.
fn gives_up_rights(spec: &Spec<'_>) -> bool {
    spec.mode != Mode::Enter
}

fn start_group(state: &State) -> Done {
    setpgid(None, None)?;
    if let Some(terminal) = state.terminal.filter(|_| state.lent) {
        job::hand_to(terminal, getpid());
    }
    Ok(())
}

fn start_session(spec: &Spec<'_>, state: &mut State) -> Done {
    if spec.terminal.session_if_any && !state.leaves_session {
        return start_group(state);
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

fn set_umask(spec: &Spec<'_>, state: &State) -> Done {
    sys::umask(spec.exec.umask.unwrap_or(state.caller.umask)).map(|_| ())
}

/// After the last change of ids, which clears it (prctl(2)). If the one who was to be waited for has ended before, so do we.
fn die_with_parent(spec: &Spec<'_>, state: &State) -> Done {
    sys::prctl(PR_SET_PDEATHSIG, Signal::KILL.number().cast_unsigned() as usize)?;
    let orphaned = if spec.contained() && !spec.supervises() {
        state.go.ok_or(Failure::BADF)?.is_ended()?
    } else {
        !sys::is_child_of(state.parent)?
    };
    if orphaned {
        sys::exit(failed());
    }
    Ok(())
}

/// As long as the one that supervises CMD has its directory and its descriptors, CMD finds the one busy and the others open.
fn wait_for_parent(state: &State) -> Done {
    let Some(gate) = state.gate else { return Ok(()) };
    // While we held that end too, read(2) would not return.
    sys::close(descriptors::number(Some(gate.write)));
    let mut ended = read(gate.read, &mut [0u8]);
    while ended == Err(Failure::INTR) {
        ended = read(gate.read, &mut [0u8]);
    }
    ended?;
    if !sys::is_child_of(state.parent)? {
        sys::exit(failed());
    }
    Ok(())
}

/// All but what CMD keeps, and what we tell the launcher by that it was never executed.
fn close_descriptors(spec: &Spec<'_>, state: &State) -> Done {
    let [news, executed] = [state.news, state.executed].map(|pipe| descriptors::number(pipe.map(|pipe| pipe.write)));
    descriptors::close_all_but(spec.exec.keep_fds, &[news, executed])?;
    for fd in spec.exec.keep_fds {
        sys::close_on_exec(*fd, false)
            .map_err(|errno| blame(say!("keep open the descriptor of"), c"--keep-fd", errno))?;
    }
    Ok(())
}

/// After all descriptors are closed: none of ours can be the way out (CVE-2024-21626).
fn enter_directory(spec: &Spec<'_>) -> Done {
    let done = chdir(spec.exec.directory.unwrap_or(c"."));
    // The caller's may not be there: then his home, then /, where we are.
    if spec.exec.home.is_none() {
        done?;
    } else if done.is_err() {
        let _ = chdir(spec.exec.home.unwrap_or_default());
    }
    here(&mut [0u8; PATH]).map(|_| ())
}

/// The path of the working directory.
fn here(buffer: &mut [u8; PATH]) -> Result<&CStr, Failure> {
    files::getcwd(buffer)?;
    match buffer.first() {
        Some(b'/') => Ok(c_str(buffer)),
        _ => Err(Failure::OUTSIDE),
    }
}

/// PWD tells where CMD begins, and HOME where its user is at home.
fn in_its_place(spec: &Spec<'_>, state: &State) -> u8 {
    // Who CMD is in what is entered was not known before.
    let presumed = spec.exec.env.words().position(|pair| core::ptr::eq(pair.as_ptr(), ROOTS_HOME.as_ptr()));
    if let Some(index) = presumed.filter(|_| spec.mode == Mode::Enter && spec.ids.uid != 0) {
        return spec.exec.env.with(index, c"HOME=/", || as_listener(spec, state));
    }
    const NAME: &[u8] = b"PWD=";
    let slot = spec.exec.env.words().position(|pair| text::after(pair.to_bytes(), NAME).is_some());
    let mut buffer = [0u8; PATH];
    match (slot, here(&mut buffer)) {
        (Some(index), Ok(directory)) if spec.contained() && !spec.has_preset() => {
            let mut own = Text::new();
            own.push(NAME).push(directory.to_bytes());
            spec.exec.env.with(index, own.c_str(), || as_listener(spec, state))
        }
        _ => as_listener(spec, state),
    }
}

/// LISTEN_PID names the process that the listening sockets are for (sd_listen_fds(3)). Where it names us, or, if we are process 1,
/// names 1, it must name CMD. LISTEN_PIDFDID names the process by its pidfd's inode (systemd 258): then it is wrong, and goes.
fn as_listener(spec: &Spec<'_>, state: &State) -> u8 {
    const NAMES: [&[u8]; 2] = [b"LISTEN_PID=", b"LISTEN_PIDFDID="];
    let [found, other] = NAMES.map(|name| {
        spec.exec.env.words().enumerate().find_map(|(index, pair)| Some((index, text::after(pair.to_bytes(), name)?)))
    });
    let is_ours = |pid| pid == 1 && spec.life.process_1 || pid == number(state.launcher);
    if let Some((index, value)) = found
        && text::number(value).is_some_and(is_ours)
    {
        let mut own = Text::new();
        own.push(b"LISTEN_PID=").push_number(number(getpid()));
        let again = other.map_or(index, |(index, _)| index);
        let execute = || spec.exec.env.with(again, own.c_str(), || execute(spec));
        return spec.exec.env.with(index, own.c_str(), execute);
    }
    execute(spec)
}

fn number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}

/// execvp(3) by the rules of the container: its PATH, its files.
fn execute(spec: &Spec<'_>) -> u8 {
    let command = spec.exec.command;
    if !spec.exec.fallback.is_none() {
        let fallback = spec.exec.fallback.command();
        return match sys::execve(command, spec.exec.argv, spec.exec.env) {
            Failure::NOENT => {
                outcome(spec, fallback, fallback, sys::execve(fallback, spec.exec.fallback, spec.exec.env))
            }
            errno => outcome(spec, command, command, errno),
        };
    }
    if is_path(command) {
        return outcome(spec, command, command, attempt(spec, command));
    }
    let (mut worst, mut cause) = (Failure::NOENT, Cause::Unknown);
    // An empty name is nobody's (execvp(3)).
    let mut rest = if command.is_empty() { b"" } else { spec.exec.path.to_bytes() };
    while let Some(directory) = text::word(&mut rest, b':') {
        let mut path = Text::new();
        // An empty entry is the working directory (execvp(3)).
        path.push(if directory.is_empty() { b"." } else { directory }).byte(b'/').push(command.to_bytes());
        if path.is_full() {
            continue;
        }
        let path = path.c_str();
        match attempt(spec, path) {
            // A file is there, and its interpreter is not.
            Failure::NOENT if worst == Failure::NOENT && cause == Cause::Unknown => cause = looked(path, worst),
            Failure::NOENT | Failure::NOTDIR => {}
            // A directory that may not be searched holds nothing for us.
            Failure::ACCESS if files::look(HERE, path).is_err() => {}
            Failure::ACCESS if worst == Failure::ACCESS => {}
            Failure::ACCESS => (worst, cause) = (Failure::ACCESS, looked(path, Failure::ACCESS)),
            errno => return outcome(spec, command, path, errno),
        }
    }
    report(spec, command, worst, cause)
}

/// PATH is for names alone.
fn is_path(command: &CStr) -> bool {
    text::has(command.to_bytes(), b'/')
}

/// Executes `path`; a file without a format that the kernel knows is a script for the shell, but never a program of another
/// machine. Where there is no shell that is no other reason.
fn attempt(spec: &Spec<'_>, path: &CStr) -> Failure {
    match sys::execve(path, spec.exec.argv, spec.exec.env) {
        Failure::NOEXEC if hint::is_script(path) => match sys::execve_script(SH, path, spec.exec.argv, spec.exec.env) {
            Failure::NOENT | Failure::NOTDIR | Failure::ACCESS | Failure::LOOP => Failure::NOEXEC,
            errno => errno,
        },
        errno => errno,
    }
}

fn outcome(spec: &Spec<'_>, command: &CStr, path: &CStr, why: Failure) -> u8 {
    report(spec, command, why, looked(path, why))
}

/// What stands against the execution of a file, for a voice that tells.
fn looked(path: &CStr, why: Failure) -> Cause {
    if wording::speaks_as(Name::Nsinit) { hint::of_execution(path, why) } else { Cause::Unknown }
}

/// Reports why CMD was not executed. Returns the exit status that tells it.
fn report(spec: &Spec<'_>, command: &CStr, why: Failure, cause: Cause) -> u8 {
    let empty = why == Failure::NOENT && cause == Cause::Unknown && wording::speaks_as(Name::Nsinit) && spec.is_empty();
    blame_execution(command, why, if empty { Cause::EmptyRoot } else { cause }.hint())
}
