//! PROCESS: the launcher. In the caller's namespaces, with the caller's rights.
//!
//! - Before the clone everything may fail and leaves nothing behind: one line, status 125.
//! - Between the clone and the last id map too: process 1 waits for the launcher, and is killed.
//! - Afterwards nothing may fail: `monitor` forwards and waits. If the launcher is killed, the kernel kills process 1.
//! - With `--enter` and `--init` it is the parent of the command, and `init` supervises that.
//! - Signals: all blocked and taken one by one.

use crate::sys::PR_SET_PDEATHSIG;
use linux_raw_sys::general as raw;
#[cfg(feature = "container")]
use rustix::pipe::PipeFlags;

#[cfg(feature = "cgroup")]
use crate::cgroup;
#[cfg(feature = "detach")]
use crate::channels::pid_file;
#[cfg(feature = "status")]
use crate::channels::{json, start};
#[cfg(feature = "limits")]
use crate::confine::limits;
use crate::fs::procfs;
#[cfg(feature = "join")]
use crate::ns::credentials;
#[cfg(feature = "join")]
use crate::ns::join;
use crate::process::connect::SHOW_NAME;
#[cfg(feature = "enter")]
use crate::process::enter;
#[cfg(feature = "container")]
use crate::process::{clone, network};
use crate::process::{command, connect, in_place, maps, wire};
use crate::report::message::{tell, tell_why};
use crate::report::wording::Event;
#[cfg(feature = "image")]
use crate::rootfs::image;
#[cfg(feature = "initramfs")]
use crate::rootfs::initramfs;
#[cfg(feature = "idmap")]
use crate::rootfs::mapped::{self, explain_mapped};
#[cfg(feature = "overlay")]
use crate::rootfs::overlay;
use crate::say;
use crate::spec::{Object, Spec};
#[cfg(feature = "container")]
use crate::state::Pipe;
use crate::state::{Launch, Launcher, descriptors, roles};
#[cfg(feature = "container")]
use crate::step::contained;
#[cfg(any(feature = "image", feature = "status"))]
use crate::step::mortal;
use crate::step::{self, OnError, block_signals, explain_namespaces, stop_ignoring_children, untraceable, walk};
use crate::supervise::descendants;
use crate::sys::files::chdir;
use crate::sys::{self, Done, Signal};
#[cfg(feature = "container")]
use crate::text::verb;
use crate::tty::job;
#[cfg(feature = "pty")]
use crate::tty::pty;

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
    #[cfg(feature = "detach")]
    Step::new(connect::BACKGROUND, connect::detach).when(|spec| spec.detaches()),
    stop_ignoring_children(),
    block_signals(),
    // Before the limit on core files is read.
    #[cfg(feature = "limits")]
    limits::raise(),
    #[cfg(feature = "container")]
    // The launcher's memory holds the caller's arguments and environment.
    Step::new(say!("forbid core files"), |launcher| {
        let caller = &mut launcher.launch.caller;
        caller.core = sys::core_limit()?;
        let [_, most] = caller.core;
        sys::limit_core([0, most])
    })
    .when(contained),
    // Only root in the initial user namespace may mount an image.
    #[cfg(feature = "image")]
    Step::new(say!("mount image"), |launcher| {
        let spec = &launcher.launch.spec;
        launcher.launch.source = Some(mortal(|| image::mount(spec, spec.no_set_id() | raw::MOUNT_ATTR_NODEV))?);
        Ok(())
    })
    .on(Object::Root)
    .when(|spec| spec.has_image()),
    #[cfg(feature = "overlay")]
    overlay::lock(),
    #[cfg(feature = "detach")]
    Step::new(say!("create pid file"), |launcher| {
        launcher.outside.pid_file = Some(pid_file::make(&launcher.launch.spec)?);
        Ok(())
    })
    .on(Object::PidFile)
    .when(|spec| spec.channels.pid_file.is_some()),
    Step::new(say!("look for a terminal"), |launcher| job::look_for(&mut launcher.launch))
        .when(|spec| spec.lends_terminal() || spec.terminal.withheld || spec.hides_group()),
    #[cfg(feature = "pty")]
    Step::new(say!("prepare the relay of the terminal"), |launcher| {
        launcher.relay.word = Some(pty::prepare(&mut launcher.launch)?);
        Ok(())
    })
    .when(|spec| spec.has_pty()),
    Step::new(say!("leave the terminal to CMD's session"), |launcher| {
        leave_terminal(&launcher.launch.spec);
        Ok(())
    })
    .when(|spec| !spec.contained() && spec.life.new_session),
    Step::new(say!("become the reaper of orphans"), |_| descendants::become_subreaper())
        .when(|spec| !spec.contained() && !spec.life.process_1 && spec.life.subreaper),
    // A process in a joined namespace sees the launcher's child before the child can make itself untraceable.
    untraceable().when(|spec| spec.enters() || spec.joins()),
    // Before the user namespace is joined: setgroups(2) may be denied there.
    #[cfg(feature = "join")]
    Step::new(say!("leave the caller's groups"), |_| credentials::leave_groups())
        .when(|spec| !spec.ids.rootless && spec.joins_user()),
    // A mount namespace that is joined may have another /proc.
    #[cfg(feature = "container")]
    Step::new(say!("open"), |launcher| open_proc(&mut launcher.launch)).on(Object::Proc).when(needs_proc),
    #[cfg(feature = "cgroup")]
    cgroup::make_cgroup(),
    #[cfg(feature = "cgroup")]
    cgroup::delegate_cgroup(),
    #[cfg(feature = "cgroup")]
    cgroup::limit_cgroup(),
    #[cfg(feature = "cgroup")]
    cgroup::open_old(),
    #[cfg(feature = "join")]
    Step::new(say!("join namespaces"), |launcher| {
        let Launch { spec, proc, .. } = &launcher.launch;
        join::named(spec.namespaces.joins.named, proc.get()?)
    })
    .when(|spec| !spec.namespaces.joins.named.is_empty()),
    #[cfg(feature = "join")]
    Step::new(verb::JOIN_USER, |launcher| {
        launcher.launch.spec.namespaces.joins.user.map_or(Ok(()), |fd| sys::join(sys::given(fd), raw::CLONE_NEWUSER))
    })
    .on(Object::UserFd)
    .when(|spec| spec.namespaces.joins.user.is_some()),
    #[cfg(feature = "join")]
    Step::new(verb::JOIN_PID, |launcher| {
        launcher.launch.spec.namespaces.joins.pid.map_or(Ok(()), |fd| sys::join(sys::given(fd), raw::CLONE_NEWPID))
    })
    .on(Object::PidFd)
    .when(|spec| spec.namespaces.joins.pid.is_some()),
    // pivot_root(2) cannot leave an initramfs (before Linux 7.0).
    #[cfg(feature = "initramfs")]
    Step::new(say!("leave an initramfs"), |launcher| initramfs::stand_on_copy(&mut launcher.launch))
        .when(|spec| spec.unshares(raw::CLONE_NEWNS)),
    // Joining a user namespace resets PR_SET_DUMPABLE to fs.suid_dumpable (prctl(2)),
    untraceable().when(|spec| spec.joins()),
    // and clears PR_SET_PDEATHSIG. With --detach the caller's process waits for the launcher, and may be killed meanwhile.
    Step::new(say!("die with the caller"), |launcher| die_with_parent(&launcher.launch.spec))
        .when(|spec| spec.life.die_with_parent.is_some() || spec.detaches()),
    #[cfg(feature = "idmap")]
    Step::new(say!("make a user namespace for the mounts of --idmap"), |launcher| {
        mapped::prepare(&mut launcher.launch)
    })
    .when(|spec| spec.shows_through_map()),
];

/// The pipes to the other processes, and the processes that are started before process 1.
static CONNECT: &[Step] = &[
    Step::new(say!("make pipes"), connect::make_pipes),
    #[cfg(feature = "enter")]
    Step::new(say!("open the container of"), enter::look).on(Object::Target).when(enters),
    #[cfg(feature = "pty")]
    Step::new(say!("start the relay of the terminal"), connect::start_relay).when(|spec| spec.has_pty()),
    // After the relay, which must not inherit this pipe.
    #[cfg(feature = "container")]
    Step::new(say!("make a pipe for the start of CMD"), |launcher| {
        let launch = &mut launcher.launch;
        launch.begun = if launch.spec.life.process_1 && !launch.spec.has_pty() {
            launch.go.known()
        } else {
            Some(Pipe::new(PipeFlags::empty())?)
        };
        Ok(())
    })
    .when(|spec| spec.makes_container()),
];

/// The socket for the network.
static SOCKET: &[Step] = &[
    #[cfg(feature = "container")]
    Step::new(say!("make a socket for the network"), connect::make_socket),
];

/// Process 1.
static CLONE: &[Step] = &[
    #[cfg(feature = "container")]
    Step::new(verb::CREATE_NAMESPACES, clone::process_1),
];

/// Process 1 waits meanwhile. A failure ends it.
static CONTAINER: &[Step] = &[
    #[cfg(feature = "cgroup")]
    clone::LIMIT_PROCESSORS,
    Step::new(say!("open"), |launcher| {
        open_proc(&mut launcher.launch)?;
        let proc = launcher.launch.proc.get()?;
        launcher.directory.set(procfs::process(proc, launcher.outside.container.get()?)?);
        Ok(())
    })
    .on(Object::Proc)
    .when(|spec| spec.unshares(raw::CLONE_NEWUSER) || spec.is_connected()),
    #[cfg(feature = "status")]
    Step::new(say!("ask process 1 for its namespaces"), connect::receive_namespaces).when(|spec| spec.is_told_of()),
    #[cfg(feature = "status")]
    Step::new(verb::WRITE, |launcher| {
        let Launch { spec, .. } = &launcher.launch;
        json::write_container(spec.channels.info, spec, &launcher.outside, b"\n    ")?;
        sys::close_given(spec.channels.info);
        Ok(())
    })
    .on(Object::InfoFd)
    .when(|spec| spec.channels.info.is_some()),
    #[cfg(feature = "status")]
    Step::new(verb::WRITE, |launcher| {
        let Launch { spec, .. } = &launcher.launch;
        json::write_container(spec.channels.status, spec, &launcher.outside, b" ")
    })
    .on(Object::StatusFd)
    .when(|spec| spec.channels.status.is_some()),
    #[cfg(feature = "status")]
    Step::new(say!("wait for"), |launcher| mortal(|| start::wait_for(launcher.launch.spec.channels.maps)))
        .on(Object::MapsFd)
        .when(|spec| spec.channels.maps.is_some()),
];

/// The id maps are written.
static LET_GO: &[Step] = &[
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

/// Process 1 makes the mounts meanwhile.
static NETWORK: &[Step] = &[
    #[cfg(feature = "container")]
    Step::new(say!("start a helper that makes the network"), network::start),
    // The helper may have ended before it made their common memory untraceable again.
    #[cfg(feature = "container")]
    untraceable(),
];

/// With `--enter`.
static ENTER: &[Step] = &[
    #[cfg(feature = "enter")]
    Step::new(say!("start a helper in the container of"), connect::start_helper).on(Object::Target),
    SHOW_NAME,
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
    #[cfg(feature = "status")]
    Step::new(verb::WRITE, |launcher| {
        let Launch { spec, .. } = &launcher.launch;
        json::write_container(spec.channels.status, spec, &launcher.outside, b" ")
    })
    .on(Object::StatusFd)
    .when(|spec| spec.channels.status.is_some())
    .on_error(OnError::Ignore),
];

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
    if launcher.launch.explains() && launcher.launch.spec.shows_through_map() {
        explain_mapped(&launcher.launch.spec);
    }
    walk(CONNECT, launcher)?;
    if launcher.launch.spec.makes_container() {
        if launcher.launch.beside {
            walk(SOCKET, launcher)?;
        }
        let launch = &launcher.launch;
        if launch.explains() {
            let now = launch.spec.namespaces.new & !launch.made_later();
            explain_namespaces(say!("clone process 1 into new namespaces:"), now);
        } else {
            walk(CLONE, launcher)?;
        }
        walk(CONTAINER, launcher)?;
        maps::write(launcher)?;
        wire::connect(launcher)?;
        walk(LET_GO, launcher)?;
        return if launcher.launch.beside { walk(NETWORK, launcher) } else { Ok(()) };
    }
    if launcher.launch.spec.enters() {
        walk(ENTER, launcher)?
    } else {
        in_place::plan(launcher)?
    }
    walk(WATCH, launcher)
}

#[cfg(feature = "enter")]
fn enters(spec: &Spec<'_>) -> bool {
    spec.enters()
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

/// Whether process 1, or the launcher before it, reads or writes the caller's procfs.
#[cfg(feature = "container")]
fn needs_proc(spec: &Spec<'_>) -> bool {
    let labels = spec.confine.exec_label.is_some() || spec.confine.file_label.is_some();
    let inside = spec.nests_users() || spec.forbids_nesting() || labels || spec.has_pty() || spec.is_told_of();
    let inside = inside || !spec.namespaces.sysctls.is_empty() || spec.uses_cgroups() || spec.is_connected();
    spec.contained() && (inside || !spec.namespaces.joins.named.is_empty())
}

fn open_proc(launch: &mut Launch) -> Done {
    if launch.proc.known().is_none() {
        launch.proc.set(procfs::open()?);
    }
    Ok(())
}

/// No option of this build asks for it.
#[cfg(not(feature = "idmap"))]
const fn explain_mapped(_: &Spec<'_>) {}

fn die_with_parent(spec: &Spec<'_>) -> Done {
    // On SIGTERM the launcher removes its pid file.
    let signal = spec.life.die_with_parent.unwrap_or(Signal::TERM);
    sys::prctl(PR_SET_PDEATHSIG, signal.number().unsigned_abs())
}
