//! PROCESS: the launcher. In the caller's namespaces, with the caller's rights.
//!
//! - Before the clone everything may fail and leaves nothing behind: one line, status 125.
//! - Between the clone and the last id map too: process 1 waits for the launcher, and is killed.
//! - Afterwards nothing may fail: `monitor` forwards and waits. If the launcher is killed, the kernel kills process 1.
//! - With `--enter` and `--init` it is the parent of the command, and `init` supervises that.
//! - Signals: all blocked and taken one by one.

use crate::sys::PR_SET_PDEATHSIG;
use linux_raw_sys::general as raw;
use rustix::fs::OFlags;
use rustix::pipe::PipeFlags;

use crate::channels::{json, pid_file, start};
use crate::confine::caps;
use crate::fs::procfs;
use crate::ns::{credentials, join, usermap};
use crate::process::{clone, command, connect, enter};
use crate::report::message::{tell, tell_why, write_line};
use crate::report::wording::Event;
use crate::rootfs::{image, initramfs};
use crate::say;
use crate::spec::{Mode, Object, Spec, kinds};
use crate::state::{Launch, Launcher, Look, Pipe, descriptors, roles};
use crate::step::{self, Ask, OnError, block_signals, contained, mortal, stop_ignoring_children, untraceable, walk};
use crate::supervise::descendants;
use crate::sys::files::{self, HERE, chdir};
use crate::sys::{self, Done, Failure, Signal, Standard};
use crate::text::Text;
use crate::text::verb;
use crate::tty::{job, pty};

type Step = step::Step<Launcher>;

/// The steps before any other process exists.
static PREPARE: &[Step] = &[
    // Before nsinit opens a descriptor, which could get one of these numbers.
    Step::new(say!("keep the descriptors of"), |launcher| descriptors::check(launcher.launch.spec.exec.keep_fds))
        .on(Object::KeepFd)
        .when(|spec| !spec.exec.keep_fds.is_empty()),
    Step::new(say!("occupy closed standard descriptors"), |_| descriptors::occupy_standard()),
    Step::new(say!("refuse a directory as a standard descriptor"), |_| descriptors::refuse_directories())
        .when(|spec| spec.has_preset()),
    Step::new(connect::BACKGROUND, connect::detach).when(|spec| spec.channels.detach),
    stop_ignoring_children(),
    block_signals(),
    // The launcher's memory holds the caller's arguments and environment.
    Step::new(say!("forbid core files"), |launcher| {
        let caller = &mut launcher.launch.caller;
        caller.core = sys::core_limit()?;
        let [_, most] = caller.core;
        sys::limit_core([0, most])
    })
    .when(contained),
    // Only root in the initial user namespace may mount an image.
    Step::new(say!("mount image"), |launcher| {
        let spec = &launcher.launch.spec;
        launcher.launch.image = Some(mortal(|| image::mount(spec.root.directory, spec.no_set_id()))?);
        Ok(())
    })
    .on(Object::Root)
    .when(|spec| spec.root.image),
    Step::new(say!("create pid file"), |launcher| {
        launcher.outside.pid_file = Some(pid_file::make(&launcher.launch.spec)?);
        Ok(())
    })
    .on(Object::PidFile)
    .when(|spec| spec.channels.pid_file.is_some()),
    Step::new(say!("look for a terminal"), |launcher| look_for_terminal(&mut launcher.launch))
        .when(|spec| spec.lends_terminal() || spec.terminal.withheld || spec.hides_group()),
    Step::new(say!("prepare the relay of the terminal"), |launcher| {
        launcher.relay.word = Some(pty::prepare(&mut launcher.launch)?);
        Ok(())
    })
    .when(|spec| spec.terminal.pty),
    Step::new(say!("leave the terminal to CMD's session"), |launcher| {
        leave_terminal(&launcher.launch.spec);
        Ok(())
    })
    .when(|spec| !spec.contained() && spec.life.new_session),
    Step::new(say!("become the reaper of orphans"), |_| descendants::become_subreaper())
        .when(|spec| !spec.contained() && !spec.life.process_1 && spec.life.subreaper),
    // A process in a joined namespace sees the launcher's child before the child can make itself untraceable.
    untraceable().when(|spec| spec.mode == Mode::Enter || joins(spec)),
    // Before the user namespace is joined: setgroups(2) may be denied there.
    Step::new(say!("leave the caller's groups"), |_| credentials::leave_groups())
        .when(|spec| !spec.ids.rootless && spec.joins_user()),
    // A mount namespace that is joined may have another /proc.
    Step::new(say!("open"), |launcher| open_proc(&mut launcher.launch)).on(Object::Proc).when(needs_proc_inside),
    Step::new(say!("join namespaces"), |launcher| {
        let Launch { spec, proc, .. } = &launcher.launch;
        join::named(spec.namespaces.joins.named, proc.get()?)
    })
    .when(|spec| !spec.namespaces.joins.named.is_empty()),
    Step::new(verb::JOIN_USER, |launcher| {
        launcher.launch.spec.namespaces.joins.user.map_or(Ok(()), |fd| sys::join(sys::given(fd), raw::CLONE_NEWUSER))
    })
    .on(Object::UserFd)
    .when(|spec| spec.namespaces.joins.user.is_some()),
    Step::new(verb::JOIN_PID, |launcher| {
        launcher.launch.spec.namespaces.joins.pid.map_or(Ok(()), |fd| sys::join(sys::given(fd), raw::CLONE_NEWPID))
    })
    .on(Object::PidFd)
    .when(|spec| spec.namespaces.joins.pid.is_some()),
    // pivot_root(2) cannot leave an initramfs (before Linux 7.0).
    Step::new(say!("leave an initramfs"), |launcher| {
        let Launch { spec, caller, on_copy, .. } = &mut launcher.launch;
        *on_copy = initramfs::stand_on_copy(spec, caller)?;
        Ok(())
    })
    .when(|spec| spec.unshares(raw::CLONE_NEWNS)),
    // Joining a user namespace resets PR_SET_DUMPABLE to fs.suid_dumpable (prctl(2)),
    untraceable().when(joins),
    // and clears PR_SET_PDEATHSIG. With --detach the caller's process waits for the launcher, and may be killed meanwhile.
    Step::new(say!("die with the caller"), |launcher| die_with_parent(&launcher.launch.spec))
        .when(|spec| spec.life.die_with_parent.is_some() || spec.channels.detach),
];

/// The pipes to the other processes, and the processes that are started before process 1.
static CONNECT: &[Step] = &[
    Step::new(say!("make pipes"), connect::make_pipes),
    Step::new(say!("open the container of"), enter::look).on(Object::Target).when(enters),
    Step::new(say!("start the relay of the terminal"), connect::start_relay).when(|spec| spec.terminal.pty),
    // After the relay, which must not inherit this pipe.
    Step::new(say!("make a pipe for the start of CMD"), |launcher| {
        let launch = &mut launcher.launch;
        launch.begun = if launch.spec.life.process_1 && !launch.spec.terminal.pty {
            launch.go.known()
        } else {
            Some(Pipe::new(PipeFlags::empty())?)
        };
        Ok(())
    })
    .when(|spec| spec.makes_container()),
];

/// Process 1.
static CLONE: &[Step] = &[Step::new(verb::CREATE_NAMESPACES, clone::process_1)];

/// Process 1 waits meanwhile. A failure ends it.
static CONTAINER: &[Step] = &[
    Step::new(say!("open"), |launcher| {
        open_proc(&mut launcher.launch)?;
        let proc = launcher.launch.proc.get()?;
        launcher.directory.set(procfs::process(proc, launcher.outside.container.get()?)?);
        Ok(())
    })
    .on(Object::Proc)
    .when(|spec| spec.unshares(raw::CLONE_NEWUSER)),
    Step::new(say!("ask process 1 for its namespaces"), |launcher| {
        json::receive_namespaces(&launcher.launch, &mut launcher.outside)
    })
    .when(|spec| spec.is_told_of()),
    Step::new(verb::WRITE, |launcher| {
        let Launch { spec, .. } = &launcher.launch;
        json::write_container(spec.channels.info, spec, &launcher.outside, b"\n    ")?;
        sys::close_given(spec.channels.info);
        Ok(())
    })
    .on(Object::InfoFd)
    .when(|spec| spec.channels.info.is_some()),
    Step::new(verb::WRITE, |launcher| {
        let Launch { spec, .. } = &launcher.launch;
        json::write_container(spec.channels.status, spec, &launcher.outside, b" ")
    })
    .on(Object::StatusFd)
    .when(|spec| spec.channels.status.is_some()),
    Step::new(say!("wait for"), |launcher| mortal(|| start::wait_for(launcher.launch.spec.channels.maps)))
        .on(Object::MapsFd)
        .when(|spec| spec.channels.maps.is_some()),
    Step::new(verb::WRITE_SETGROUPS, |launcher| usermap::deny_setgroups(launcher.directory.get()?))
        .when(|spec| writes_maps(spec) && spec.ids.own_only)
        .ask(Ask::Map),
    Step::new(verb::WRITE_UID_MAP, |launcher| {
        let Launch { spec, caller, .. } = &launcher.launch;
        usermap::write_map(launcher.directory.get()?, c"uid_map", spec, spec.ids.uid, caller.uid)
    })
    .when(writes_maps)
    .ask(Ask::Map),
    Step::new(verb::WRITE_GID_MAP, |launcher| {
        let Launch { spec, caller, .. } = &launcher.launch;
        usermap::write_map(launcher.directory.get()?, c"gid_map", spec, spec.ids.gid, caller.gid)
    })
    .when(writes_maps)
    .ask(Ask::Map),
    untraceable(),
    SHOW_NAME,
    // Before the command can run: it may wait for the end of a file, or lock one, and no copy of that file may be open here. The
    // launcher keeps the write end of `go`: its end shows the others that the launcher has ended. EINVAL is only for an empty
    // range, and there is none.
    Step::new(say!("close the caller's descriptors"), |launcher| {
        sys::close_all_but(&connect::kept(launcher, roles::LAUNCHER), &[])
    })
    .on_error(OnError::Ignore),
    Step::new(say!("let process 1 go on"), |launcher| connect::let_go(&launcher.launch)),
];

/// With `--enter`.
static ENTER: &[Step] =
    &[Step::new(say!("start a helper in the container of"), connect::start_helper).on(Object::Target), SHOW_NAME];

/// With `--init`.
static IN_PLACE: &[Step] = &[
    SHOW_NAME,
    Step::new(say!("start CMD"), |launcher| {
        let (command, apart) = command::start(&mut launcher.launch)?;
        launcher.outside.container.set(command);
        launcher.command = Some((command, apart));
        Ok(())
    }),
    // If this fails, nsinit keeps more capabilities than it needs. Its only children are in place, and not confined by it.
    Step::new(say!("reduce capabilities"), |launcher| caps::keep_for_the_end(&launcher.launch.spec))
        .when(|spec| spec.life.process_1)
        .on_error(OnError::Ignore),
];

/// With `--enter` and `--init`: the command is started, and nothing may fail.
static WATCH: &[Step] = &[
    Step::new(say!("enter directory /"), |_| chdir(c"/")).on_error(OnError::Ignore),
    Step::new(say!("close descriptors, and let CMD go on"), |launcher| {
        command::release(launcher.launch.gate, &[], &connect::kept(launcher, roles::PARENT));
        // The command's parent sends news to the launcher, and here it is the launcher itself.
        launcher.launch.news = None;
        Ok(())
    }),
    // The command runs: a reader that has closed its end needs no report.
    Step::new(verb::WRITE, |launcher| {
        let Launch { spec, .. } = &launcher.launch;
        json::write_container(spec.channels.status, spec, &launcher.outside, b" ")
    })
    .on(Object::StatusFd)
    .when(|spec| spec.channels.status.is_some())
    .on_error(OnError::Ignore),
];

/// `ps` shows the name of `--name`. A kernel without CONFIG_CHECKPOINT_RESTORE does not change the name.
const SHOW_NAME: Step = Step::new(say!("set the process name to"), |launcher| {
    launcher.launch.spec.life.title.map_or(Ok(()), |title| sys::set_title(launcher.launch.start, title))
})
.on(Object::Title)
.when(|spec| spec.life.title.is_some())
.on_error(OnError::Ignore);

/// The steps before any other process exists.
///
/// # Errors
/// The first step that failed, reported.
pub fn prepare(launcher: &mut Launcher) -> Done {
    walk(PREPARE, launcher)
}

/// All steps of the launcher, in their order.
///
/// # Errors
/// The first step that failed, reported: by the launcher, or by the process that failed.
pub fn plan(launcher: &mut Launcher) -> Done {
    prepare(launcher)?;
    walk(CONNECT, launcher)?;
    match launcher.launch.spec.mode {
        Mode::Root | Mode::Sandbox => {
            if launcher.launch.explains {
                explain_clone(&launcher.launch.spec);
            } else {
                walk(CLONE, launcher)?;
            }
            walk(CONTAINER, launcher)
        }
        Mode::Enter => {
            walk(ENTER, launcher)?;
            walk(WATCH, launcher)
        }
        Mode::Init => {
            walk(IN_PLACE, launcher)?;
            walk(WATCH, launcher)
        }
    }
}

/// [`CLONE`], with the kinds of namespaces.
fn explain_clone(spec: &Spec<'_>) {
    let mut line = Text::new();
    line.say(say!("  clone process 1 into new namespaces:"));
    for (kind, path) in kinds::all() {
        // Process 1 makes its network namespace itself.
        if spec.unshares(kind) && kind != raw::CLONE_NEWNET {
            line.byte(b' ').push(kinds::name(path));
        }
    }
    write_line(Standard::Output, &mut line);
}

fn enters(spec: &Spec<'_>) -> bool {
    spec.mode == Mode::Enter
}

/// Opens the controlling terminal. Through it the launcher notices ^Z, lends the foreground to the command, and takes it back at
/// the end, whatever the command's shells have done to it.
fn look_for_terminal(launch: &mut Launch) -> Done {
    let spec = &launch.spec;
    let found = job::open();
    // A session costs a scheduling group of its own (sched(7), autogroup): without a terminal none is made.
    launch.leaves_session = spec.terminal.withheld && found.err() != Some(Failure::NXIO);
    launch.terminal = found.ok();
    let Some(terminal) = launch.terminal else { return Ok(()) };
    if spec.terminal.withheld {
        // The kernel does not stop a reader in the background if its session has another terminal, or none
        // (`__tty_check_change`): the command would read input that is typed for other processes.
        if job::is_anothers(Standard::Input.fd()) {
            sys::replace(Standard::Input, files::open(HERE, c"/dev/null", OFlags::RDONLY)?)?;
        }
        return Ok(());
    }
    launch.lent = job::is_ours(terminal) && (spec.hides_group() || !job::in_pipeline());
    if spec.lends_terminal() {
        launch.look = sys::modes(terminal).ok().map(|modes| Look { modes, size: None });
    }
    Ok(())
}

fn joins(spec: &Spec<'_>) -> bool {
    let joins = &spec.namespaces.joins;
    spec.joins_user() || joins.pid.is_some() || !joins.named.is_empty()
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

/// Whether process 1 reads or writes the caller's procfs.
fn needs_proc_inside(spec: &Spec<'_>) -> bool {
    let labels = spec.confine.exec_label.is_some() || spec.confine.file_label.is_some();
    let inside = spec.nests_users() || spec.forbids_nesting() || labels || spec.terminal.pty || spec.is_told_of();
    spec.contained() && (inside || !spec.namespaces.joins.named.is_empty())
}

fn open_proc(launch: &mut Launch) -> Done {
    if launch.proc.known().is_none() {
        launch.proc.set(procfs::open()?);
    }
    Ok(())
}

fn writes_maps(spec: &Spec<'_>) -> bool {
    spec.unshares(raw::CLONE_NEWUSER) && spec.channels.maps.is_none()
}

fn die_with_parent(spec: &Spec<'_>) -> Done {
    // On SIGTERM the launcher removes its pid file.
    let signal = spec.life.die_with_parent.unwrap_or(Signal::TERM);
    sys::prctl(PR_SET_PDEATHSIG, signal.number().unsigned_abs())
}
