//! PROCESS: process 1 of the container, until the command starts.
//!
//! - Namespaces: all that were asked for; `/` is still the caller's until the last steps.
//! - Rights: all capabilities in the new user namespace (or the caller's own, without one).
//! - Signals: all blocked. Those that arrive are pending until `init` takes them.
//! - Everything may fail: one line, status 125, and what was mounted goes with the namespace.
//! - Next: `command` becomes the command in a child (or here, `--as-pid-1`), and `init` supervises it.

use linux_raw_sys::general as raw;
use rustix::mount::MountPropagationFlags;
use rustix::process::{setpgid, setsid};

#[cfg(feature = "cgroup")]
use crate::cgroup;
#[cfg(feature = "status")]
use crate::channels::json;
use crate::confine::{keyring, self_exe};
#[cfg(feature = "bwrap")]
use crate::fs::procfs;
use crate::fs::{devices, mount_fd, staging};
#[cfg(feature = "limits")]
use crate::ns::sysctl;
#[cfg(feature = "bwrap")]
use crate::ns::usermap;
use crate::ns::{credentials, hostname, limits};
#[cfg(feature = "bwrap")]
use crate::process::locks;
#[cfg(feature = "ids")]
use crate::process::maps;
use crate::process::{command, connect, network};
use crate::report::hint::{self, Cause};
use crate::report::message::{blame_hint, failed};
#[cfg(feature = "keeper")]
use crate::rootfs::notify_socket;
#[cfg(feature = "overlay")]
use crate::rootfs::overlay;
use crate::rootfs::{ops, pseudofs, root};
use crate::say;
#[cfg(feature = "bwrap")]
use crate::spec::NoMoreUsers;
use crate::spec::{Kind, Object, Op, Spec};
use crate::state::{self, Launch, Learned, Setup, roles};
use crate::step::{self, clear_umask, explain_namespaces, untraceable, walk};
use crate::supervise::descendants;
use crate::sys::files::{self, Fd, HERE, chdir, read};
use crate::sys::{self, Done, Failure, Kept};
use crate::text::Say;
use crate::text::verb;
#[cfg(feature = "pty")]
use crate::tty::pty;

type Step = step::Step<Setup>;

/// The namespaces that the clone has not made, where a helper makes the network.
static SEPARATE: &[Step] = &[Step::new(verb::CREATE_NAMESPACES, |setup| {
    let spec = &setup.launch.spec;
    sys::unshare(spec.namespaces.new & state::BY_PROCESS_1)
        .map_err(|why| blame_hint(verb::CREATE_NAMESPACES, c"", why, hint::of_namespaces(spec, true, why).hint()))
})];

/// The steps that need neither the id maps nor a mount.
static BEGIN: &[Step] = &[
    // Processes inside can read the arguments and the environment in /proc: the arguments hold the values of --setenv, the
    // environment holds variables that are not passed on.
    Step::new(say!("hide the arguments of"), |setup| {
        sys::hide(setup.launch.start, setup.launch.spec.life.title_inside)
    })
    .on(Object::Nsinit),
    #[cfg(feature = "cgroup")]
    cgroup::join_old(),
    #[cfg(feature = "cgroup")]
    cgroup::make_namespace(),
    #[cfg(feature = "status")]
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
    Step::new(say!("die with the launcher"), |setup| connect::die_with_launcher(&setup.launch.spec))
        .when(|spec| spec.life.die_together),
    // Before this process leads a process group: then setsid(2) would fail (EPERM).
    Step::new(say!("leave the caller's process group"), |setup| leave_group(&setup.launch))
        .when(|spec| spec.leaves_group()),
    clear_umask(),
    keyring::leave_session(),
    Step::new(say!("become the reaper of orphans"), |_| descendants::become_subreaper())
        .when(|spec| !spec.life.process_1 && spec.supervises()),
    #[cfg(feature = "bwrap")]
    Step::new(say!("label new files and mounts as"), |setup| {
        let Launch { spec, proc, .. } = &setup.launch;
        procfs::label(proc.get()?, c"self/attr/fscreate", spec.confine.file_label)
    })
    .on(Object::FileLabel)
    .when(|spec| spec.confine.file_label.is_some()),
    Step::new(hostname::SET, |setup| hostname::set(&setup.launch.spec))
        .on(Object::Hostname)
        .when(|spec| spec.namespaces.hostname.is_some()),
];

/// The root, and the mounts of the preset in it.
static MOUNT: &[Step] = &[
    // Slaves: a mount made here does not propagate outside, but later mounts and unmounts outside propagate to here.
    Step::new(SLAVE, |_| {
        sys::mount_change(c"/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)
            .map_err(|why| refused(SLAVE, why))
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
    // If the launcher has not done so already, and before a path of the user is followed, which could be /proc/self/exe.
    Step::new(say!("leave nsinit's own file"), |setup| {
        let Launch { spec, start, .. } = &setup.launch;
        self_exe::leave_inside(spec.unshares(raw::CLONE_NEWUSER), spec.life.title_inside, start)
    }),
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
    .when(|spec| spec.has_root() && !spec.has_mounted_source()),
    #[cfg(feature = "overlay")]
    overlay::open(),
    // The caller's own user may read DIR, and may be no user inside. From here on files are made, which needs one.
    #[cfg(feature = "ids")]
    Step::new(say!("become a user of the id map"), |setup| maps::become_mapped(&mut setup.launch))
        .when(|spec| spec.maps_ranges()),
    // Before the root is mounted: neither may be below the other.
    Step::new(STAGING, |_| {
        staging::base().map(|_| ()).map_err(|why| blame_hint(STAGING, c"mounts", why, hint::of_mount(why).hint()))
    })
    .on(Object::Mounts)
    .when(|spec| mounts(spec) && root::needs_base(spec)),
    Step::new(say!("mount root"), |setup| {
        setup.root.set(root::mount(&setup.launch.spec, setup.source, setup.layer)?);
        Ok(())
    })
    .on(Object::Root)
    .when(mounts),
    Step::new(say!("fill /dev"), |setup| {
        let mut root = setup.root.get()?;
        pseudofs::dev(&mut root, &Op::new(Kind::Dev, c"/dev"), setup)
    })
    .when(|spec| spec.has_root()),
    // The new /dev has no link that could lead elsewhere.
    #[cfg(feature = "keeper")]
    notify_socket::make(),
    // After /dev, which has the covers of masked files.
    Step::new(say!("mount proc on /proc"), |setup| {
        pseudofs::proc(setup, &mut setup.root.get()?, &Op::new(Kind::Proc, c"/proc"))
    })
    .when(|spec| spec.has_root() && spec.root.proc),
    // The path is followed while no mount is on top of the new root: `..` could lead to it.
    Step::new(say!("open the mount point /sys"), |setup| {
        setup.sys.set(pseudofs::place_of_sys(&setup.launch.spec, setup.root.get()?, &SYS));
        Ok(())
    })
    .when(|spec| spec.has_root() && spec.root.sys),
];

/// The preset's sysfs.
const SYS: Op<'_> = Op::new(Kind::Sys, c"/sys");

/// After the network and the mounts: a sysfs shows the network namespace of the process that mounts it.
static SYSFS: &[Step] = &[Step::new(say!("mount sysfs on /sys"), |setup| {
    pseudofs::sys(setup, &mut setup.root.get()?, setup.sys.get()?, &SYS, false)
})
.when(|spec| spec.has_root() && spec.root.sys)];

/// After the user's operations, and before the sysfs if there are none. From here until the caller's root is detached it is on top of
/// the new root, and `..` can lead there: no path of the container is followed.
static ENTER: &[Step] = &[Step::new(MAKE_ROOT, |setup| enter_root(setup)).on(Object::Root).when(mounts)];

/// After all mounts.
static LEAVE: &[Step] = &[
    Step::new(say!("enter directory /"), |_| chdir(c"/")),
    Step::new(say!("detach the caller's root"), |_| mount_fd::detach_host()).when(mounts),
];

/// The steps whose effect is on the calling process: process 1 itself takes them.
static LAST: &[Step] = &[
    #[cfg(feature = "limits")]
    sysctl::write_all(),
    Step::new(say!("find the processes of CMD in"), |setup| {
        setup.tree = descendants::proc_of_descendants();
        Ok(())
    })
    .on(Object::Proc)
    .when(|spec| !spec.life.process_1 && spec.supervises()),
    #[cfg(feature = "pty")]
    Step::new(say!("give CMD a terminal of its own"), |setup| pty::give(&mut setup.launch, setup.pty))
        .when(|spec| spec.has_pty()),
    #[cfg(feature = "bwrap")]
    Step::new(verb::LOCK, locks::lock).on(Object::LockFile).when(|spec| !spec.life.locks.is_empty()),
    // Their limits belong to a shared user namespace: other processes would lose them too.
    Step::new(say!("allow user and cgroup namespaces: their limits belong to a shared user namespace"), |_| Ok(()))
        .when(|spec| spec.has_root() && !spec.namespaces.allow_nesting && !spec.unshares(raw::CLONE_NEWUSER)),
    #[cfg(feature = "join")]
    Step::new(verb::JOIN_USER, |setup| {
        setup.launch.spec.namespaces.joins.then_user.map_or(Ok(()), |fd| sys::join(sys::given(fd), raw::CLONE_NEWUSER))
    })
    .on(Object::User2Fd)
    .when(|spec| spec.namespaces.joins.then_user.is_some()),
    #[cfg(feature = "bwrap")]
    Step::new(say!("limit user namespaces"), |setup| limits::permit_one_user_namespace(setup.launch.proc.get()?))
        .when(|spec| spec.nests_users()),
    #[cfg(feature = "bwrap")]
    Step::new(say!("make a user namespace for CMD"), |setup| {
        usermap::nest(&setup.launch.spec, setup.launch.proc.get()?)
    })
    .when(|spec| spec.nests_users()),
    #[cfg(feature = "bwrap")]
    Step::new(say!("check that no user namespace can be made"), |_| limits::assert_no_user_namespace())
        .when(|spec| spec.namespaces.users != NoMoreUsers::Unasked),
    // Before a process is inside: no process inside may get a descriptor that leads outside.
    Step::new(say!("close all descriptors that lead outside"), |setup| {
        close(setup);
        Ok(())
    }),
];

/// The helper for the network does so too, unless process 1 makes a cgroup namespace meanwhile.
static FORBID: &[Step] = &[Step::new(limits::FORBID, |setup| {
    limits::forbid_nesting(&setup.launch.spec, setup.launch.proc.get()?)
        .map_err(|why| blame_hint(limits::FORBID, c"", why, Cause::LimitsAreFixed.hint()))
})
.when(|spec| spec.forbids_nesting())];

/// The command, where process 1 supervises it.
static START: &[Step] = &[
    Step::new(say!("start CMD"), |setup| {
        setup.command = Some(command::start(&mut setup.launch)?);
        Ok(())
    }),
    #[cfg(feature = "status")]
    Step::new(say!("tell the launcher the process id of CMD"), |setup| {
        setup.command.as_ref().map_or(Ok(()), |(command, _)| json::send_command(&setup.launch, *command))
    })
    .when(|spec| spec.tells_command()),
    // None of it can fail for a reason that concerns the command.
    Step::new(say!("close descriptors, and let CMD go on"), |setup| {
        settle(setup);
        Ok(())
    }),
];

const SLAVE: Say = verb::MAKE_SLAVE;
const STAGING: Say = say!("mount a tmpfs for staging");
const MAKE_ROOT: Say = say!("enter root");

/// All steps of process 1, in their order.
///
/// # Errors
/// The first step that failed, reported.
pub fn plan(setup: &mut Setup) -> Done {
    let Launch { beside, spec, .. } = setup.launch;
    if beside && setup.launch.explains() {
        explain_namespaces(verb::CREATE_NAMESPACES, spec.namespaces.new & state::BY_PROCESS_1);
    } else if beside {
        walk(SEPARATE, setup)?;
    }
    walk(BEGIN, setup)?;
    if !beside {
        network::make_alone(&mut setup.launch)?;
    }
    walk(MOUNT, setup)?;
    // A sysfs needs the network, and the caller's sysfs below the caller's root (mount_too_revealing in the kernel). It comes
    // before the user's operations.
    let waits = spec.shows_network() && !may_enter_before_sysfs(&spec);
    if !waits {
        enter(setup)?;
    }
    if !spec.shows_network() {
        walk(LEAVE, setup)?;
    }
    if beside {
        network::join(&mut setup.launch)?;
    }
    walk(SYSFS, setup)?;
    if waits {
        enter(setup)?;
    }
    if spec.shows_network() {
        walk(LEAVE, setup)?;
    }
    if !setup.launch.beside || spec.makes_cgroup_namespace() {
        walk(FORBID, setup)?;
    }
    if beside {
        network::await_completion(&mut setup.launch)?;
    }
    walk(LAST, setup)?;
    if spec.supervises() { walk(START, setup) } else { Ok(()) }
}

/// Whether the sysfs may be mounted while the caller's root is on top of the new root. The calls for that make no use of
/// [`staging`], and have succeeded before.
fn may_enter_before_sysfs(spec: &Spec<'_>) -> bool {
    spec.root.ops.is_empty() && spec.root.proc && !mount_fd::has_missed_a_call()
}

fn enter(setup: &mut Setup) -> Done {
    ops::apply_all(setup)?;
    walk(ENTER, setup)
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
    [Kept::ours(tree), Kept::NONE, Kept::NONE, Kept::NONE, Kept::NONE]
}

/// Process 1 keeps the descriptors that it needs while the command lives. If no pid namespace ends with it, that includes the
/// pipe by which it sees the launcher's end.
fn settle(setup: &mut Setup) {
    let launch = &mut setup.launch;
    if launch.spec.life.process_1 && !launch.spec.has_pty() {
        launch.go = Learned::NOT_YET;
    }
    command::release(launch.gate, &setup.locks, &roles::kept(roles::PROCESS_1, launch, own(setup.tree)));
}
