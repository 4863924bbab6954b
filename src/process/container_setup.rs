//! PROCESS: process 1 of the container, until the command starts.
//!
//! - Namespaces: all that were asked for; `/` is still the caller's until the last steps.
//! - Rights: all capabilities in the new user namespace (or the caller's own, without one).
//! - Signals: all blocked. Those that arrive are pending until `init` takes them.
//! - Everything may fail: one line, status 125, and what was mounted goes with the namespace.
//! - Next: `command` becomes the command in a child (or here, `--as-pid-1`), and `init` supervises it.

use crate::sys::PR_SET_PDEATHSIG;
use linux_raw_sys::general as raw;
use rustix::fs::OFlags;
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{setpgid, setsid};
use rustix::system::sethostname;

use crate::channels::json;
use crate::confine::keyring;
use crate::fs::{devices, mount_fd, procfs, staging};
use crate::ns::{credentials, limits, loopback, usermap};
use crate::process::command;
use crate::report::hint;
use crate::report::message::{blame, blame_hint, failed, give_up};
use crate::rootfs::{ops, pseudofs, root};
use crate::say;
use crate::spec::{Kind, NoMoreUsers, Object, Op, Spec};
use crate::state::{Launch, Learned, Setup, roles};
use crate::step::{self, OnError, clear_umask, explain_line, untraceable, walk};
use crate::supervise::descendants;
use crate::sys::files::{self, Fd, HERE, chdir, read};
use crate::sys::{self, Done, Failure, Kept, Signal};
use crate::text::Say;
use crate::text::verb;
use crate::tty::pty;

type Step = step::Step<Setup>;

/// The steps that need neither the id maps nor a mount.
static BEGIN: &[Step] = &[
    // Processes inside can read the arguments and the environment in /proc: the arguments hold the values of --setenv, the
    // environment holds variables that are not passed on.
    Step::new(say!("hide the arguments of"), |setup| {
        sys::hide(setup.launch.start, setup.launch.spec.life.title_inside)
    })
    .on(Object::Nsinit),
    Step::new(say!("report the namespaces to the launcher"), |setup| json::send_namespaces(&setup.launch))
        .when(|spec| spec.is_told_of()),
    Step::new(say!("close the launcher's descriptors"), |setup| {
        let channels = &setup.launch.spec.channels;
        [channels.info, channels.status, channels.ready].into_iter().for_each(sys::close_given);
        Ok(())
    })
    .when(|spec| spec.is_told_of() || spec.channels.ready.is_some()),
    // The caller's root has no id in the user namespace of another user. Before the next step: a change of credentials clears
    // PR_SET_PDEATHSIG (prctl(2)).
    Step::new(say!("become root of the user namespace"), |_| credentials::become_root())
        .when(|spec| !spec.ids.rootless && (spec.has_root() && spec.joins_user() || spec.joined(raw::CLONE_NEWUSER))),
    Step::new(say!("die with the launcher"), |setup| die_with_launcher(&setup.launch.spec))
        .when(|spec| spec.life.die_together),
    // Before this process leads a process group: then setsid(2) would fail (EPERM).
    Step::new(say!("leave the caller's process group"), |setup| leave_group(&setup.launch))
        .when(|spec| spec.leaves_group()),
    clear_umask(),
    keyring::leave_session(),
    Step::new(say!("become the reaper of orphans"), |_| descendants::become_subreaper())
        .when(|spec| !spec.life.process_1 && spec.supervises()),
    Step::new(say!("label new files and mounts as"), |setup| {
        let Launch { spec, proc, .. } = &setup.launch;
        procfs::label(proc.get()?, c"self/attr/fscreate", spec.confine.file_label)
    })
    .on(Object::FileLabel)
    .when(|spec| spec.confine.file_label.is_some()),
    Step::new(say!("set host name"), |setup| {
        Ok(sethostname(setup.launch.spec.namespaces.hostname.unwrap_or_default().to_bytes())?)
    })
    .on(Object::Hostname)
    .when(|spec| spec.namespaces.hostname.is_some()),
];

/// The network. The kernel needs half of the time of a launch to make a network namespace. So the clone does not make it, and
/// [`MOUNT`] runs at the same time.
static NETWORK: &[step::Step<Launch>] = &[
    step::Step::<Launch>::new(MAKE_NETWORK, |_| {
        sys::unshare(raw::CLONE_NEWNET).map_err(|why| blame_hint(MAKE_NETWORK, c"", why, hint::of_network(why).hint()))
    })
    .when(|spec| spec.unshares(raw::CLONE_NEWNET) && !spec.is_told_of()),
    // No security impact: warn and continue.
    step::Step::<Launch>::new(say!("bring up"), |_| loopback::loopback_up())
        .on(Object::Loopback)
        .when(|spec| spec.unshares(raw::CLONE_NEWNET))
        .on_error(OnError::Warn(say!("the container goes on without it"))),
];

/// The root, and the mounts of the preset in it.
static MOUNT: &[Step] = &[
    // Slaves: a mount made here does not propagate outside, but later mounts and unmounts outside propagate to here.
    Step::new(SLAVE, |_| {
        mount_change(c"/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)
            .map_err(|errno| refused(SLAVE, errno.into()))
    })
    .when(mounts),
    Step::new(say!("open the caller's directory"), |setup| {
        setup.directory.set(ops::here(&setup.launch.spec)?);
        Ok(())
    })
    .when(|spec| !spec.root.ops.is_empty()),
    // Up to here no id was needed; from here on files are opened and made. The maps are written at the same time.
    Step::new(say!("wait for the launcher"), |setup| wait_for_launcher(&setup.launch)),
    untraceable().when(|spec| spec.hides()),
    // While `/` is the caller's, and nothing of the container is in it: later the same paths may lead to other files
    // (CVE-2025-31133).
    Step::new(say!("open the caller's devices"), |setup| {
        setup.devices.set(devices::open()?);
        Ok(())
    })
    .when(|spec| spec.has_root() || spec.does(Kind::Dev)),
    // While `.` is the caller's directory, and `/` its root.
    Step::new(say!("open root"), |setup| {
        setup.source = Some(files::directory(HERE, setup.launch.spec.root.directory)?);
        Ok(())
    })
    .on(Object::Root)
    .when(|spec| spec.has_root() && !spec.root.image),
    // Before the root is mounted: neither may be below the other.
    Step::new(STAGING, |_| {
        staging::base().map(|_| ()).map_err(|why| blame_hint(STAGING, c"mounts", why, hint::of_mount(why).hint()))
    })
    .on(Object::Mounts)
    .when(|spec| mounts(spec) && root::needs_base(spec)),
    Step::new(say!("mount root"), |setup| {
        setup.root.set(root::mount(&setup.launch.spec, setup.source)?);
        Ok(())
    })
    .on(Object::Root)
    .when(mounts),
    Step::new(say!("mount proc on /proc"), |setup| {
        pseudofs::proc(&setup.launch.spec, &mut setup.root.get()?, &Op::new(Kind::Proc, c"/proc"))
    })
    .when(|spec| spec.has_root() && spec.root.proc),
    Step::new(say!("fill /dev"), |setup| {
        let mut root = setup.root.get()?;
        pseudofs::dev(&mut root, &Op::new(Kind::Dev, c"/dev"), setup)
    })
    .when(|spec| spec.has_root()),
];

/// After the network and the mounts: a sysfs shows the network namespace of the process that mounts it.
static SYSFS: &[Step] = &[Step::new(say!("mount sysfs on /sys"), |setup| {
    pseudofs::sys(&setup.launch.spec, &mut setup.root.get()?, &Op::new(Kind::Sys, c"/sys"), false)
})
.when(|spec| spec.has_root() && spec.root.sys)];

/// After the user's operations.
static ENTER: &[Step] = &[
    Step::new(MAKE_ROOT, |setup| enter_root(setup)).on(Object::Root).when(mounts),
    Step::new(say!("detach the caller's root"), |_| mount_fd::detach_host()).when(mounts),
    Step::new(say!("enter directory /"), |_| chdir(c"/")),
];

/// The steps whose effect is on the calling process: process 1 itself takes them.
static LAST: &[Step] = &[
    Step::new(say!("find the processes of CMD in"), |setup| {
        setup.tree = descendants::proc_of_descendants();
        Ok(())
    })
    .on(Object::Proc)
    .when(|spec| !spec.life.process_1 && spec.supervises()),
    Step::new(say!("give CMD a terminal of its own"), |setup| pty::give(&mut setup.launch, setup.pty))
        .when(|spec| spec.terminal.pty),
    Step::new(LOCK, lock).on(Object::LockFile).when(|spec| !spec.life.locks.is_empty()),
    Step::new(say!("forbid user and cgroup namespaces"), |setup| {
        limits::forbid_nesting(&setup.launch.spec, setup.launch.proc.get()?)
    })
    .when(|spec| spec.forbids_nesting()),
    // Their limits belong to a shared user namespace: other processes would lose them too.
    Step::new(say!("allow user and cgroup namespaces: their limits belong to a shared user namespace"), |_| Ok(()))
        .when(|spec| spec.has_root() && !spec.namespaces.allow_nesting && !spec.unshares(raw::CLONE_NEWUSER)),
    Step::new(verb::JOIN_USER, |setup| {
        setup.launch.spec.namespaces.joins.then_user.map_or(Ok(()), |fd| sys::join(sys::given(fd), raw::CLONE_NEWUSER))
    })
    .on(Object::User2Fd)
    .when(|spec| spec.namespaces.joins.then_user.is_some()),
    Step::new(say!("limit user namespaces"), |setup| limits::permit_one_user_namespace(setup.launch.proc.get()?))
        .when(|spec| spec.nests_users()),
    Step::new(say!("make a user namespace for CMD"), |setup| {
        usermap::nest(&setup.launch.spec, setup.launch.proc.get()?)
    })
    .when(|spec| spec.nests_users()),
    Step::new(say!("check that no user namespace can be made"), |_| limits::assert_no_user_namespace())
        .when(|spec| spec.namespaces.users != NoMoreUsers::Unasked),
    // Before a process is inside: no process inside may get a descriptor that leads outside.
    Step::new(say!("close all descriptors that lead outside"), |setup| {
        close(setup);
        Ok(())
    }),
];

/// The command, where process 1 supervises it.
static START: &[Step] = &[
    Step::new(say!("start CMD"), |setup| {
        setup.command = Some(command::start(&mut setup.launch)?);
        Ok(())
    }),
    // None of it can fail for a reason that concerns the command.
    Step::new(say!("close descriptors, and let CMD go on"), |setup| {
        settle(setup);
        Ok(())
    }),
];

const MAKE_NETWORK: Say = say!("make a network namespace");
const SLAVE: Say = verb::MAKE_SLAVE;
const STAGING: Say = say!("mount a tmpfs for staging");
const MAKE_ROOT: Say = say!("enter root");
const LOCK: Say = verb::LOCK;

/// All steps of process 1, in their order. The network and the mounts are made at the same time, if there are two processors
/// for it, and a pid namespace that ends with process 1.
///
/// # Errors
/// The first step that failed, reported.
pub fn plan(setup: &mut Setup) -> Done {
    walk(BEGIN, setup)?;
    let beside = setup.launch.spec.unshares(raw::CLONE_NEWNET | raw::CLONE_NEWPID)
        && !setup.launch.explains
        && sys::has_processors_to_spare();
    if !(beside && mount_beside_network(setup)?) {
        walk(NETWORK, &mut setup.launch)?;
        mount(setup)?;
    }
    if setup.launch.spec.shows_network() {
        walk(SYSFS, setup)?;
        operate(setup)?;
        walk(ENTER, setup)?;
    }
    walk(LAST, setup)?;
    if setup.launch.spec.supervises() { walk(START, setup) } else { Ok(()) }
}

/// Makes the mounts in a helper that shares memory, and the network meanwhile. Returns false if there can be no helper.
fn mount_beside_network(setup: &mut Setup) -> Result<bool, Failure> {
    let mut launch = setup.launch;
    // A failure of either ends this process, and with it the other.
    let network = |launch: &mut Launch| {
        if let Err(why) = walk(NETWORK, launch) {
            sys::exit(give_up(why));
        }
    };
    let made = sys::beside(|setup| mount(setup).map_err(give_up).is_ok(), setup, network, &mut launch);
    match made {
        Ok(Ok(true)) => Ok(true),
        Ok(Ok(false)) => Err(Failure::REPORTED),
        Ok(Err(why)) => Err(blame(say!("make the mounts"), c"", why)),
        Err(_) => Ok(false),
    }
}

/// Makes the root with the mounts of the preset, carries out the user's operations, and enters the root. If there is a sysfs,
/// which needs the network and comes before the user's operations, only makes the root.
fn mount(setup: &mut Setup) -> Done {
    walk(MOUNT, setup)?;
    if setup.launch.spec.shows_network() {
        return Ok(());
    }
    operate(setup)?;
    walk(ENTER, setup)
}

/// Carries out the user's operations, in the user's order. The operations themselves are the rows for `--explain`.
fn operate(setup: &mut Setup) -> Done {
    let list = setup.launch.spec.root.ops;
    if setup.launch.explains {
        for op in list {
            if matches!(op.kind, Kind::Bind | Kind::BindTry) {
                explain_line(verb::COPY_MOUNT, op.source);
            }
            explain_line(op.says(), op.dest);
        }
    } else if !list.is_empty() {
        let (mut root, directory) = (setup.root.get()?, setup.directory.get()?);
        sys::keep_opened();
        for op in list {
            ops::apply(op, &mut root, directory, setup)
                .map_err(|why| blame_hint(op.says(), op.dest, why, hint::of_mount(why).hint()))?;
            // There may be thousands of operations: close the descriptors that this one has opened.
            sys::close_opened(root);
        }
        setup.root.set(root);
    }
    Ok(())
}

fn refused(says: Say, why: Failure) -> Failure {
    blame_hint(says, c"", why, hint::of_mount(why).hint())
}

/// In a session of process 1 the command's group is not orphaned (setpgid(2)), so that SIGTSTP stops it; and the command does
/// not lead the session, so that no terminal becomes its controlling one.
fn leave_group(launch: &Launch) -> Done {
    if launch.leaves_session {
        setsid().map(|_| ())?
    } else {
        setpgid(None, None)?
    }
    Ok(())
}

/// Whether the mount namespace is new, neither shared nor joined.
fn mounts(spec: &Spec<'_>) -> bool {
    spec.unshares(raw::CLONE_NEWNS)
}

/// Locks the files, from now on to the end of process 1.
fn lock(setup: &mut Setup) -> Done {
    for (path, lock) in setup.launch.spec.life.locks.iter().zip(&mut setup.locks) {
        let file = files::open(HERE, path, OFlags::RDONLY | OFlags::NONBLOCK)
            .map_err(|why| blame(verb::OPEN_LOCK_FILE, path, why))?;
        sys::lock_for_reading(file).map_err(|why| blame(LOCK, path, why))?;
        *lock = Kept::ours(Some(file));
    }
    Ok(())
}

/// A signal from the kernel when the launcher ends, for whatever reason. With process 1 the pid namespace ends; without one
/// the signal is SIGTERM, which leaves time to end the others.
fn die_with_launcher(spec: &Spec<'_>) -> Done {
    let signal = if spec.life.process_1 { Signal::KILL } else { Signal::TERM };
    sys::prctl(PR_SET_PDEATHSIG, signal.number().cast_unsigned())
}

/// Waits until the id maps are written. If the launcher has failed, it has printed the reason.
fn wait_for_launcher(launch: &Launch) -> Done {
    let go = launch.go.get()?;
    // Close our copy of the write end, or read(2) never returns the end of the file.
    sys::close(go.write);
    // The launcher may have written its byte, and ended before PR_SET_PDEATHSIG was set here.
    if read(go.read, &mut [0u8])? == 0 || go.is_ended()? {
        sys::exit(failed());
    }
    Ok(())
}

fn enter_root(setup: &Setup) -> Done {
    let Launch { spec, on_copy, .. } = &setup.launch;
    // Without a user namespace the mounts of the container are not locked to their mount points: with CAP_SYS_ADMIN it could
    // remove them, and reach the initramfs below. (A sandbox of root without a user namespace is not meant to confine root.)
    if *on_copy && spec.has_root() && !spec.unshares(raw::CLONE_NEWUSER) && spec.may_mount() {
        let why = say!("in an initramfs, before Linux 7.0, CAP_SYS_ADMIN is for a new user namespace only");
        return Err(blame_hint(MAKE_ROOT, spec.root.directory, Failure::PERM, why));
    }
    mount_fd::enter_root(setup.root.get()?)
        .map_err(|why| blame_hint(MAKE_ROOT, Object::Root.name(spec), why, hint::of_mount(why).hint()))
}

/// Keeps what the rest of the launch needs, in process 1 and in the command.
fn close(setup: &mut Setup) {
    sys::close_ours(&setup.locks, &roles::kept(roles::SETUP, &setup.launch, own(setup.tree)));
}

/// The procfs of the descendants.
fn own(tree: Option<Fd>) -> [Kept; roles::OWN] {
    [Kept::ours(tree), Kept::NONE, Kept::NONE, Kept::NONE]
}

/// Process 1 keeps the descriptors that it needs while the command lives. If no pid namespace ends with it, that includes the
/// pipe by which it sees the launcher's end.
fn settle(setup: &mut Setup) {
    let launch = &mut setup.launch;
    if launch.spec.life.process_1 && !launch.spec.terminal.pty {
        launch.go = Learned::NOT_YET;
    }
    command::release(launch.gate, &setup.locks, &roles::kept(roles::PROCESS_1, launch, own(setup.tree)));
}
