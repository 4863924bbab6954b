//! PROCESS: INIT, until CMD starts. Process 1 of the container.
//!
//! - Namespaces: all that were asked for; `/` is still the caller's until the last steps.
//! - Rights: all capabilities in the new user namespace (or the caller's own, if he shares his).
//! - Signals: all blocked. What arrives waits for `init`.
//! - Everything may fail: one line, status 125, and what was mounted goes with the namespace.
//! - Next: `command` becomes CMD in a child (or here, `--as-pid-1`), and `init` supervises it.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use linux_raw_sys::prctl::PR_SET_PDEATHSIG;
use rustix::fs::OFlags;
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{setpgid, setsid};
use rustix::system::sethostname;

use crate::confine::keyring;
use crate::fs::{devices, mount_fd, procfs, staging};
use crate::ns::{credentials, limits, loopback, usermap};
use crate::report::hint;
use crate::report::message::{blame, blame_hint, failed, warn};
use crate::rootfs::{ops, pseudofs, root};
use crate::say;
use crate::spec::{Kind, NoMoreUsers, Op, Spec};
use crate::state::State;
use crate::state::descriptors;
use crate::step::{CLEAR_UMASK, Step, always, explain, explain_line, nothing, untraceable, walk};
use crate::supervise::descendants;
use crate::sys::files::{self, Fd, HERE, chdir, read};
use crate::sys::{self, Done, Failure, Signal};
use crate::text::Say;
use crate::tty::pty;

/// What the rest is done with.
static BEGIN: [Step; 8] = [
    // Root outside is nobody in the user namespace of somebody else. It clears what the next one sets (prctl(2)).
    Step {
        says: say!("become root of the user namespace"),
        on: nothing,
        when: |spec| !spec.ids.rootless && (spec.has_root() && spec.joins_user() || spec.joined(raw::CLONE_NEWUSER)),
        run: |_, _| credentials::become_root(),
    },
    Step {
        says: say!("die with the launcher"),
        on: nothing,
        when: |spec| spec.life.die_together,
        run: |spec, _| die_with_launcher(spec),
    },
    Step {
        says: say!("leave the caller's process group"),
        on: nothing,
        // setsid(2) wants a process that leads no group.
        when: leaves_group,
        run: |_, state| leave_group(state),
    },
    CLEAR_UMASK,
    keyring::LEAVE,
    Step {
        says: say!("become the reaper of orphans"),
        on: nothing,
        when: |spec| !spec.life.process_1 && spec.supervises(),
        run: |_, _| descendants::become_subreaper(),
    },
    Step {
        says: say!("label what is made as"),
        on: |spec| spec.confine.file_label.unwrap_or(c""),
        when: |spec| spec.confine.file_label.is_some(),
        run: |spec, state| procfs::label(state.proc, c"self/attr/fscreate", spec.confine.file_label),
    },
    Step {
        says: say!("set host name"),
        on: |spec| spec.namespaces.hostname.unwrap_or(c""),
        when: |spec| spec.namespaces.hostname.is_some(),
        run: |spec, _| Ok(sethostname(spec.namespaces.hostname.unwrap_or(c"").to_bytes())?),
    },
];

/// Half of a launch's time is the kernel's work on a new network namespace: it is not made by the clone, so that
/// [`MOUNT`] can run beside it.
static NETWORK: [Step; 2] = [
    Step {
        says: say!("make a network namespace"),
        on: nothing,
        when: |spec| spec.unshares(raw::CLONE_NEWNET) && !spec.is_told_of(),
        run: |_, _| unshare_network(),
    },
    Step {
        says: say!("bring up lo"),
        on: nothing,
        when: |spec| spec.unshares(raw::CLONE_NEWNET),
        run: |_, _| loopback(),
    },
];

static MOUNT: [Step; 10] = [
    // Slaves: what is mounted here does not show outside, and what is mounted or unmounted outside later is so here.
    Step {
        says: SLAVE,
        on: nothing,
        when: mounts,
        run: |_, _| {
            mount_change(c"/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)
                .map_err(|errno| refused(SLAVE, errno.into()))
        },
    },
    Step {
        says: say!("open the caller's directory"),
        on: nothing,
        when: |spec| !spec.root.ops.is_empty(),
        run: |spec, state| ops::here(spec).map(|fd| state.directory = Some(fd)),
    },
    // Up to here no id was needed; from here on files are opened and made. The maps are written at the same time.
    Step { says: say!("wait for the launcher"), on: nothing, when: always, run: |_, state| wait_for_launcher(state) },
    untraceable(|spec| spec.hides()),
    // While `/` is the caller's, and nothing of the container's is in it: later its names lead elsewhere (CVE-2025-31133).
    Step {
        says: say!("open the caller's devices"),
        on: nothing,
        when: |spec| spec.has_root() || spec.does(Kind::Dev),
        run: |_, state| devices::open().map(|devices| state.devices = Some(devices)),
    },
    // While `.` is the caller's directory, and `/` its root.
    Step {
        says: say!("open root"),
        on: root_of,
        when: |spec| spec.has_root() && !spec.root.image,
        run: |spec, state| files::directory(HERE, spec.root.directory).map(|fd| state.source = Some(fd)),
    },
    // While it is not below the new root, nor the new root below it.
    Step {
        says: say!("make a place for"),
        on: |_| c"mounts",
        when: |spec| mounts(spec) && root::needs_base(spec),
        run: |_, _| {
            let made = staging::base();
            made.map_err(|why| blame_hint(say!("make a place for"), c"mounts", why, hint::of_mount(why).hint()))
                .map(|_| ())
        },
    },
    Step {
        says: say!("mount root"),
        on: root_of,
        when: mounts,
        run: |spec, state| root::root(spec, state.source).map(|fd| state.root = Some(fd)),
    },
    Step {
        says: say!("mount proc on /proc"),
        on: nothing,
        when: |spec| spec.has_root() && spec.root.proc,
        run: |spec, state| pseudofs::proc(spec, &mut root(state)?, &Op::new(Kind::Proc, c"/proc")),
    },
    Step {
        says: say!("fill /dev"),
        on: nothing,
        when: |spec| spec.has_root(),
        run: |spec, state| pseudofs::dev(spec, &mut root(state)?, &Op::new(Kind::Dev, c"/dev"), state),
    },
];

/// After both: a sysfs shows the network of whoever mounts it. The user's own operations follow.
static SYSFS: [Step; 1] = [Step {
    says: say!("mount sysfs on /sys"),
    on: nothing,
    when: |spec| spec.has_root() && spec.root.sys,
    run: |spec, state| pseudofs::sys(spec, &mut root(state)?, &Op::new(Kind::Sys, c"/sys"), false),
}];

/// After them.
static ENTER: [Step; 3] = [
    Step { says: MAKE_ROOT, on: root_of, when: mounts, run: enter_root },
    Step { says: say!("detach the caller's root"), on: nothing, when: mounts, run: |_, _| mount_fd::detach_host() },
    Step { says: say!("enter directory /"), on: nothing, when: always, run: |_, _| chdir(c"/") },
];

/// At the end, for what belongs to the one process that does it.
static LAST: [Step; 9] = [
    Step {
        says: say!("look for the processes of CMD in"),
        on: |_| c"/proc",
        when: |spec| !spec.life.process_1 && spec.supervises(),
        run: |_, state| descendants::look_for_proc(state),
    },
    Step { says: say!("give CMD a terminal of its own"), on: nothing, when: |spec| spec.terminal.pty, run: pty::give },
    Step {
        says: say!("lock"),
        on: |spec| spec.life.locks.first().copied().unwrap_or(c""),
        when: |spec| !spec.life.locks.is_empty(),
        run: lock,
    },
    Step {
        says: say!("forbid user and cgroup namespaces"),
        on: nothing,
        when: |spec| spec.forbids_nesting(),
        run: |spec, state| limits::forbid_nesting(spec, proc(state)?),
    },
    Step {
        says: say!("allow user and cgroup namespaces: their limits belong to a shared user namespace"),
        on: nothing,
        when: |spec| spec.has_root() && !spec.namespaces.allow_nesting && !spec.unshares(raw::CLONE_NEWUSER),
        run: |_, _| Ok(()),
    },
    Step {
        says: say!("join the user namespace"),
        on: |_| c"--userns2",
        when: |spec| spec.namespaces.joins.then_user.is_some(),
        run: |spec, _| spec.namespaces.joins.then_user.map_or(Ok(()), |fd| sys::join(fd, raw::CLONE_NEWUSER)),
    },
    Step {
        says: say!("limit user namespaces"),
        on: nothing,
        when: |spec| spec.nests_users(),
        run: |_, state| limits::permit_one_user_namespace(proc(state)?),
    },
    Step {
        says: say!("make a user namespace for CMD"),
        on: nothing,
        when: |spec| spec.nests_users(),
        run: |spec, state| usermap::nest(spec, proc(state)?),
    },
    Step {
        says: say!("try to make a user namespace"),
        on: nothing,
        when: |spec| spec.namespaces.users != NoMoreUsers::Unasked,
        run: |_, _| limits::assert_no_user_namespace(),
    },
];

const SLAVE: Say = say!("make every mount below / a slave");
const MAKE_ROOT: Say = say!("make / of");

/// What the root is called in messages.
fn root_of<'a>(spec: &Spec<'a>) -> &'a CStr {
    if spec.root.directory.is_empty() { c"(made by the options)" } else { spec.root.directory }
}

fn refused(says: Say, why: Failure) -> Failure {
    blame_hint(says, c"", why, hint::of_mount(why).hint())
}

/// In a session of ours CMD's group is not orphaned (setpgid(2)), so that SIGTSTP stops it; and CMD does not lead it, so that
/// no terminal becomes its controlling one.
fn leave_group(state: &State) -> Done {
    if state.leaves_session {
        setsid().map(|_| ())?
    } else {
        setpgid(None, None)?
    }
    Ok(())
}

/// Whether process 1 leaves the process group of the caller.
fn leaves_group(spec: &Spec<'_>) -> bool {
    // With --new-session the terminal's signals come by the launcher alone, whatever group it is in.
    let life = &spec.life;
    (life.own_group || life.new_session) && !spec.terminal.pty && (spec.supervises() || !life.new_session)
}

/// Unless the mounts are somebody else's.
fn mounts(spec: &Spec<'_>) -> bool {
    spec.unshares(raw::CLONE_NEWNS)
}

/// Makes ready.
///
/// # Errors
/// The first step that failed, reported.
pub fn begin(spec: &Spec<'_>, state: &mut State) -> Done {
    descriptors::give_up(spec.channels.info);
    descriptors::give_up(spec.channels.status);
    descriptors::give_up(spec.channels.ready);
    walk(&BEGIN, spec, state)
}

/// Makes the network. Needs nothing of what [`mount`] does.
///
/// # Errors
/// The first step that failed, reported.
pub fn network(spec: &Spec<'_>, state: &mut State) -> Done {
    walk(&NETWORK, spec, state)
}

/// Makes the root, what the preset mounts in it, and what the user asked for, and enters it; or leaves the rest to
/// [`enter`], if that is to wait for the network.
///
/// # Errors
/// The first step that failed, reported.
pub fn mount(spec: &Spec<'_>, state: &mut State) -> Done {
    walk(&MOUNT, spec, state)?;
    if shows_network(spec) {
        return Ok(());
    }
    operate(spec, state)?;
    walk(&ENTER, spec, state)
}

/// Does what had to wait, and what comes last.
///
/// # Errors
/// The first step that failed, reported.
pub fn enter(spec: &Spec<'_>, state: &mut State) -> Done {
    if shows_network(spec) {
        walk(&SYSFS, spec, state)?;
        operate(spec, state)?;
        walk(&ENTER, spec, state)?;
    }
    walk(&LAST, spec, state)
}

fn shows_network(spec: &Spec<'_>) -> bool {
    spec.has_root() && spec.root.sys || spec.does(Kind::Sys)
}

/// Does what the user asked for, in his order.
fn operate(spec: &Spec<'_>, state: &mut State) -> Done {
    if spec.root.ops.is_empty() {
        return Ok(());
    }
    let (mut root, directory) = (root(state)?, state.directory);
    sys::keep_opened();
    for op in spec.root.ops {
        ops::apply(spec, op, &mut root, directory.ok_or(Failure::BADF)?, state)
            .map_err(|why| blame_hint(op.says(), op.dest, why, hint::of_mount(why).hint()))?;
        // There may be thousands, and what one of them opened the next does not need.
        sys::close_opened(root);
    }
    state.root = Some(root);
    Ok(())
}

/// Prints what they would do.
pub fn explain_all(spec: &Spec<'_>) {
    for steps in [&BEGIN[..], &NETWORK, &MOUNT, &SYSFS] {
        explain(steps, spec);
    }
    for op in spec.root.ops {
        if matches!(op.kind, Kind::Bind | Kind::BindTry) {
            explain_line(say!("copy the mount of"), op.source);
        }
        explain_line(op.says(), op.dest);
    }
    explain(&ENTER, spec);
    explain(&LAST, spec);
}

fn root(state: &State) -> Result<Fd, Failure> {
    state.root.ok_or(Failure::BADF)
}

fn proc(state: &State) -> Result<Fd, Failure> {
    state.proc.ok_or(Failure::BADF)
}

/// Locks the files that are to be locked, from now on to our end.
fn lock(spec: &Spec<'_>, state: &mut State) -> Done {
    for (path, number) in spec.life.locks.iter().zip(&mut state.locks) {
        let file = files::open(HERE, path, OFlags::RDONLY | OFlags::NONBLOCK)
            .map_err(|why| blame(say!("open lock file"), path, why))?;
        sys::lock_for_reading(file).map_err(|why| blame(say!("lock"), path, why))?;
        *number = descriptors::number(Some(file));
    }
    Ok(())
}

/// A signal from the kernel when the launcher ends, however he ends. With us the pid namespace ends; where there is
/// none it is SIGTERM, which leaves us the time to end the others.
fn die_with_launcher(spec: &Spec<'_>) -> Done {
    let signal = if spec.life.process_1 { Signal::KILL } else { Signal::TERM };
    sys::prctl(PR_SET_PDEATHSIG, signal.number().cast_unsigned() as usize)
}

fn unshare_network() -> Done {
    sys::unshare(raw::CLONE_NEWNET)
        .map_err(|why| blame_hint(say!("make a network namespace"), c"", why, hint::of_network(why).hint()))
}

/// A container without `lo` is poorer, not less safe.
fn loopback() -> Done {
    if let Err(why) = loopback::loopback_up() {
        warn(say!("bring up"), c"lo", why, say!("the container goes on without it"));
    }
    Ok(())
}

/// Until the id maps are written. Where the launcher has failed he has said so, and there is nothing to add.
fn wait_for_launcher(state: &State) -> Done {
    let go = state.go.ok_or(Failure::BADF)?;
    // While we held the launcher's end of the pipe too, it would not tell of his end.
    sys::close(descriptors::number(Some(go.write)));
    // He may have died between his word and our being told of it.
    if read(go.read, &mut [0u8])? == 0 || go.is_ended()? {
        sys::exit(failed());
    }
    Ok(())
}

fn enter_root(spec: &Spec<'_>, state: &mut State) -> Done {
    // Its mounts are then not locked to their places, and what lies below is the initramfs. (In a sandbox root without a user
    // namespace is not meant to be held by a root.)
    if state.on_copy && spec.has_root() && !spec.unshares(raw::CLONE_NEWUSER) && spec.may_mount() {
        let why = say!("in an initramfs, before Linux 7.0, CAP_SYS_ADMIN is for a new user namespace only");
        return Err(blame_hint(MAKE_ROOT, spec.root.directory, Failure::PERM, why));
    }
    mount_fd::enter_root(root(state)?)
        .map_err(|why| blame_hint(MAKE_ROOT, root_of(spec), why, hint::of_mount(why).hint()))
}
