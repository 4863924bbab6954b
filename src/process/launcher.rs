//! PROCESS: OUTER, the launcher. In the caller's namespaces, with the caller's rights.
//!
//! - Before the clone everything may fail and leaves nothing behind: one line, status 125.
//! - Between the clone and the last id map too: process 1 waits for us, and is killed.
//! - Afterwards nothing may fail: `supervise` forwards and waits. If we are killed, process 1 is, by the kernel.
//! - Signals: all blocked and taken one by one.

use linux_raw_sys::general as raw;
use linux_raw_sys::prctl::PR_SET_PDEATHSIG;
use rustix::fs::OFlags;
use rustix::pipe::PipeFlags;
use rustix::process::Pid;

use crate::channels;
use crate::fs::procfs;
use crate::ns::join;
use crate::ns::{credentials, usermap};
use crate::report::hint;
use crate::report::message::{blame_hint, tell, tell_why};
use crate::report::wording::Event;
use crate::rootfs::{image, initramfs};
use crate::say;
use crate::spec::{End, Mode, Spec};
use crate::state::descriptors;
use crate::state::{Look, Pipe, State};
use crate::step::{
    BLOCK_SIGNALS, STOP_IGNORING_CHILDREN, Step, always, contained, explain, mortal, nothing, untraceable, walk,
};
use crate::supervise::descendants;
use crate::sys::files::{self, Fd, HERE, write};
use crate::sys::{self, Done, Failure, Signal, Standard};
use crate::text::Say;
use crate::tty::{job, pty};

static BEFORE: [Step; 19] = [
    STOP_IGNORING_CHILDREN,
    BLOCK_SIGNALS,
    // Our memory holds the caller's arguments and environment.
    Step {
        says: say!("leave no core file"),
        on: nothing,
        when: contained,
        run: |_, state| {
            state.caller.core = sys::core_limit()?;
            let [_, most] = state.caller.core;
            sys::limit_core([0, most])
        },
    },
    // The kernel takes it of the machine's root alone.
    Step {
        says: say!("mount image"),
        on: |spec| spec.root.directory,
        when: |spec| spec.root.image,
        run: |spec, state| {
            mortal(|| image::mount(spec.root.directory, spec.no_set_id())).map(|fd| state.source = Some(fd))
        },
    },
    Step {
        says: say!("make"),
        on: |spec| spec.channels.pid_file.unwrap_or_default(),
        when: |spec| spec.channels.pid_file.is_some(),
        run: channels::make_pid_file,
    },
    Step {
        says: say!("look for a terminal"),
        on: nothing,
        when: |spec| spec.lends_terminal() || spec.terminal.withheld || spec.hides_group(),
        run: look_for_terminal,
    },
    Step { says: say!("look at the terminal"), on: nothing, when: |spec| spec.terminal.pty, run: pty::prepare },
    Step {
        says: say!("leave the terminal to CMD's session"),
        on: nothing,
        when: |spec| !spec.contained() && spec.life.new_session,
        run: |spec, _| {
            leave_terminal(spec);
            Ok(())
        },
    },
    Step {
        says: say!("become the reaper of orphans"),
        on: nothing,
        when: |spec| !spec.contained() && !spec.life.process_1 && spec.life.subreaper,
        run: |_, _| descendants::become_subreaper(),
    },
    // Whoever is inside what is joined sees our child there, before that can say so itself.
    untraceable(|spec| spec.mode == Mode::Enter || joins(spec)),
    // As long as it can be done: in there it may be forbidden.
    Step {
        says: say!("leave the caller's groups"),
        on: nothing,
        when: |spec| !spec.ids.rootless && spec.joins_user(),
        run: |_, _| credentials::leave_groups(),
    },
    // A mount namespace that is joined may have another /proc.
    Step { says: say!("open"), on: |_| c"/proc", when: needs_proc_inside, run: |_, state| open_proc(state) },
    Step {
        says: say!("join namespaces"),
        on: nothing,
        when: |spec| !spec.namespaces.joins.named.is_empty(),
        run: |spec, state| join::named(spec.namespaces.joins.named, state.proc.ok_or(Failure::BADF)?),
    },
    Step {
        says: say!("join the user namespace"),
        on: |_| c"--userns",
        when: |spec| spec.namespaces.joins.user.is_some(),
        run: |spec, _| spec.namespaces.joins.user.map_or(Ok(()), |fd| sys::join(fd, raw::CLONE_NEWUSER)),
    },
    Step {
        says: say!("join the pid namespace"),
        on: |_| c"--pidns",
        when: |spec| spec.namespaces.joins.pid.is_some(),
        run: |spec, _| spec.namespaces.joins.pid.map_or(Ok(()), |fd| sys::join(fd, raw::CLONE_NEWPID)),
    },
    // pivot_root(2) can't leave it (before Linux 7.0).
    Step {
        says: say!("stand above the initramfs"),
        on: nothing,
        when: |spec| spec.unshares(raw::CLONE_NEWNS),
        run: initramfs::stand_on_copy,
    },
    // A change of rights has made us what fs.suid_dumpable says,
    untraceable(joins),
    // and undoes this (prctl(2)).
    Step {
        says: say!("die with the caller"),
        on: nothing,
        // Who detaches waits for our word, and may be killed meanwhile.
        when: |spec| spec.life.die_with_parent.is_some() || spec.channels.detach,
        run: |spec, _| die_with_parent(spec),
    },
    Step { says: say!("make pipes"), on: nothing, when: always, run: |spec, state| make_pipes(spec, state) },
];

/// The terminal tells us of ^Z; it is lent to CMD, or taken back from what CMD's shells have made of it.
fn look_for_terminal(spec: &Spec<'_>, state: &mut State) -> Done {
    let found = job::open();
    // A session costs a scheduling group of its own (sched(7), autogroup): where there is no terminal, none is made.
    state.leaves_session = spec.terminal.withheld && found.err() != Some(Failure::NXIO);
    state.terminal = found.ok();
    let Some(terminal) = state.terminal else { return Ok(()) };
    if spec.terminal.withheld {
        // The kernel stops no reader in the background whose session has another terminal, or none (`__tty_check_change`): it
        // would take what is typed for others.
        if job::is_anothers(Standard::Input.fd()) {
            sys::replace(Standard::Input as u32, files::open(HERE, c"/dev/null", OFlags::RDONLY)?)?;
        }
        return Ok(());
    }
    state.lent = job::is_ours(terminal) && (spec.hides_group() || !job::in_pipeline());
    if spec.lends_terminal() {
        state.look = sys::modes(terminal).ok().map(|modes| Look { modes, size: None });
    }
    Ok(())
}

fn joins(spec: &Spec<'_>) -> bool {
    spec.joins_user() || spec.namespaces.joins.pid.is_some() || !spec.namespaces.joins.named.is_empty()
}

fn leave_terminal(spec: &Spec<'_>) {
    let tells = spec.life.verbose >= 3;
    let left = job::leave(|signal| {
        if tells {
            tell(Event::Received, [signal.number(), 0], c"");
            tell(Event::HandOff, [signal.number(), 0], c"");
        }
    });
    if let (Err(why), true) = (left, tells) {
        tell_why(Event::NotDetached, why);
    }
}

/// Process 1 reads or writes the caller's procfs.
fn needs_proc_inside(spec: &Spec<'_>) -> bool {
    let labels = spec.confine.exec_label.is_some() || spec.confine.file_label.is_some();
    let inside = spec.nests_users() || spec.forbids_nesting() || labels || spec.terminal.pty || spec.is_told_of();
    spec.contained() && (inside || !spec.namespaces.joins.named.is_empty())
}

fn open_proc(state: &mut State) -> Done {
    if state.proc.is_none() {
        state.proc = Some(procfs::open()?);
    }
    Ok(())
}

const WRITE: Say = say!("write");
/// What a user namespace is nothing without.
const MAPS: [Say; 3] = [say!("write setgroups"), say!("write uid_map"), say!("write gid_map")];

static AFTER: [Step; 10] = [
    Step {
        says: say!("open"),
        on: |_| c"/proc",
        when: |spec| spec.unshares(raw::CLONE_NEWUSER),
        run: |_, state| {
            open_proc(state)?;
            let proc = state.proc.ok_or(Failure::BADF)?;
            state.process = Some(procfs::process(proc, state.container.ok_or(Failure::CHILD)?)?);
            Ok(())
        },
    },
    Step {
        says: say!("ask process 1 for its namespaces"),
        on: nothing,
        when: |spec| spec.is_told_of(),
        run: |_, state| channels::ask_for_namespaces(state),
    },
    Step {
        says: WRITE,
        on: |_| c"--info-fd",
        when: |spec| spec.channels.info.is_some(),
        run: |spec, state| {
            channels::tell_of_container(spec.channels.info, spec, state, b"\n    ")?;
            descriptors::give_up(spec.channels.info);
            Ok(())
        },
    },
    Step {
        says: WRITE,
        on: |spec| if spec.channels.tells_signal { c"--status-fd" } else { c"--json-status-fd" },
        when: |spec| spec.channels.status.is_some(),
        run: |spec, state| channels::tell_of_container(spec.channels.status, spec, state, b" "),
    },
    Step {
        says: say!("wait for"),
        on: |_| c"--userns-block-fd",
        when: |spec| spec.channels.maps.is_some(),
        run: |spec, _| mortal(|| channels::wait_for(spec.channels.maps)),
    },
    Step {
        says: MAPS[0],
        on: nothing,
        when: |spec| writes_maps(spec) && spec.ids.own_only,
        run: |_, state| usermap::deny_setgroups(process(state)?),
    },
    Step {
        says: MAPS[1],
        on: nothing,
        when: writes_maps,
        run: |spec, state| usermap::write_map(process(state)?, c"uid_map", spec, spec.ids.uid, state.caller.uid),
    },
    Step {
        says: MAPS[2],
        on: nothing,
        when: writes_maps,
        run: |spec, state| usermap::write_map(process(state)?, c"gid_map", spec, spec.ids.gid, state.caller.gid),
    },
    untraceable(always),
    Step { says: say!("let it go on"), on: nothing, when: always, run: |_, state| let_go(state) },
];

fn writes_maps(spec: &Spec<'_>) -> bool {
    spec.unshares(raw::CLONE_NEWUSER) && spec.channels.maps.is_none()
}

/// # Errors
/// The first step that failed.
pub fn before(spec: &Spec<'_>, state: &mut State) -> Done {
    walk(&BEFORE, spec, state)
}

/// Prepares the new process 1 and lets it go on. What fails here ends it.
///
/// # Errors
/// The first step that failed, reported: by us, or by process 1 if that is why.
pub fn after(spec: &Spec<'_>, state: &mut State, child: Pid) -> Done {
    state.container = Some(child);
    for step in AFTER.iter().filter(|step| (step.when)(spec)) {
        let Err(why) = (step.run)(spec, state) else { continue };
        let _ = sys::kill(child.as_raw_nonzero().get(), Signal::KILL);
        if sys::wait_end(child.as_raw_nonzero().get()).is_err() {
            let cause = if MAPS.contains(&step.says) { hint::of_map(why) } else { hint::of_call(why) };
            blame_hint(step.says, (step.on)(spec), why, cause.hint());
        }
        return Err(Failure::REPORTED);
    }
    Ok(())
}

/// Prints what [`before`] would do.
pub fn explain_before(spec: &Spec<'_>) {
    explain(&BEFORE, spec);
}

/// Prints what [`after`] would do.
pub fn explain_after(spec: &Spec<'_>) {
    explain(&AFTER, spec);
}

fn die_with_parent(spec: &Spec<'_>) -> Done {
    // What SIGTERM ends takes its pid file with it.
    let signal = spec.life.die_with_parent.unwrap_or(Signal::TERM);
    sys::prctl(PR_SET_PDEATHSIG, signal.number().unsigned_abs() as usize)
}

fn process(state: &State) -> Result<Fd, Failure> {
    state.process.ok_or(Failure::BADF)
}

fn make_pipes(spec: &Spec<'_>, state: &mut State) -> Done {
    if spec.contained() || spec.awaits_start() {
        state.go = Some(Pipe::new(PipeFlags::empty())?);
    }
    let leaves = spec.life.end == End::Leave && spec.supervises();
    if spec.is_told_of() && spec.makes_container() {
        state.told = Some(Pipe::new(PipeFlags::empty())?);
    }
    // Where CMD is our child he keeps it until he is executed.
    if !spec.makes_container()
        || state.terminal.is_some() && spec.life.own_group
        || spec.life.propagate
        || leaves
        || spec.channels.status.is_some()
        || spec.awaits_start()
    {
        // CMD's parent reads the news at each SIGCHLD. Any other signal could be meant for CMD.
        let signal = if spec.makes_container() { Signal::IO } else { Signal::CHLD };
        state.news = Some(Pipe::announced(signal)?);
    }
    if !spec.makes_container() {
        state.executed = state.news;
    }
    Ok(())
}

/// If process 1 has ended already it has said why, and its status will tell.
fn let_go(state: &State) -> Done {
    let go = state.go.ok_or(Failure::BADF)?;
    match write(go.write, b"!") {
        Ok(_) | Err(Failure::PIPE) => Ok(()),
        Err(why) => Err(why),
    }
}

/// What the launcher keeps open while CMD runs.
#[must_use]
pub fn needed(spec: &Spec<'_>, state: &State) -> [u32; 10] {
    let (directory, file) = state.pid_file.unzip();
    let [go, begun, news, relay, terminal, waiting, directory, file] = [
        state.go.map(|pipe| pipe.write),
        state.begun.map(|pipe| pipe.write),
        state.news.map(|pipe| pipe.read),
        state.relay.map(|pipe| pipe.write),
        state.terminal,
        state.waiting,
        directory,
        file,
    ]
    .map(descriptors::number);
    let [status, ready] = [spec.channels.status, spec.channels.ready].map(Option::unwrap_or_default);
    [go, begun, news, relay, terminal, waiting, directory, file, status, ready]
}
