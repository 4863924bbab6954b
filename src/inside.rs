//! PROCESS: INIT, until CMD starts. Process 1 of the container.
//!
//! - Namespaces: all that were asked for; `/` is still the caller's until the last steps.
//! - Rights: all capabilities in the new user namespace (or the caller's own, if he shares his).
//! - Signals: all blocked. What arrives waits for `init`.
//! - Everything may fail: one line, status 125, and what was mounted goes with the namespace.
//! - Next: `command` becomes CMD in a child (or here, `--as-pid-1`), and `init` supervises it.

use linux_raw_sys::general as raw;
use linux_raw_sys::prctl::{PR_SET_DUMPABLE, PR_SET_PDEATHSIG};
use rustix::io::read;
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_change, unmount};
use rustix::process::{chdir, fchdir, pivot_root, setpgid};
use rustix::system::sethostname;

use crate::fault::{blame_hint, failed};
use crate::files::Fd;
use crate::spec::{Op, Spec};
use crate::state::State;
use crate::step::{Step, always, explain, explain_line, nothing, walk};
use crate::sys::{self, Done, Failure, Say, Signal, say};
use crate::{fds, net, reaper, rootfs};

/// What the rest is done with.
static BEGIN: [Step; 5] = [
    Step { says: say(c"die with the launcher"), on: nothing, when: always, run: |spec, _| die_with_launcher(spec) },
    Step {
        says: say(c"leave the caller's process group"),
        on: nothing,
        // setsid(2) wants a process that leads no group.
        when: |spec| !(spec.life.as_pid_1 && spec.life.new_session),
        run: |_, _| Ok(setpgid(None, None)?),
    },
    // Modes are then what they are said to be.
    Step {
        says: say(c"clear the umask"),
        on: nothing,
        when: always,
        run: |_, state| sys::umask(0).map(|umask| state.caller.umask = umask),
    },
    Step {
        says: say(c"become the reaper of orphans"),
        on: nothing,
        when: |spec| !spec.process_1,
        run: |_, state| reaper::become_subreaper(state),
    },
    Step {
        says: say(c"set host name"),
        on: |spec| spec.hostname.unwrap_or(c""),
        when: |spec| spec.hostname.is_some(),
        run: |spec, _| Ok(sethostname(spec.hostname.unwrap_or(c"").to_bytes())?),
    },
];

/// Half of a launch's time is the kernel's work on a new network namespace: it is not made by the clone, so that
/// [`MOUNT`] can run beside it.
static NETWORK: [Step; 2] = [
    Step {
        says: say(c"make a network namespace"),
        on: nothing,
        when: |spec| spec.unshares(raw::CLONE_NEWNET),
        run: |_, _| unshare_network(),
    },
    Step {
        says: say(c"bring up lo"),
        on: nothing,
        when: |spec| spec.unshares(raw::CLONE_NEWNET),
        run: |_, _| loopback(),
    },
];

static MOUNT: [Step; 7] = [
    // Otherwise what is mounted here could show outside, and what is mounted outside could appear here.
    Step {
        says: say(c"make private every mount below"),
        on: |_| c"/",
        when: always,
        run: |_, _| Ok(mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?),
    },
    Step {
        says: say(c"open the caller's directory"),
        on: nothing,
        when: |spec| !spec.ops.is_empty(),
        run: |_, state| rootfs::here().map(|fd| state.directory = Some(fd)),
    },
    // Up to here no id was needed; from here on files are opened and made. The maps are written at the same time.
    Step { says: say(c"wait for the launcher"), on: nothing, when: always, run: |_, state| wait_for_launcher(state) },
    Step { says: say(c"become untraceable"), on: nothing, when: always, run: |_, _| sys::prctl(PR_SET_DUMPABLE, 0) },
    Step {
        says: say(c"mount root"),
        on: |spec| spec.root,
        when: always,
        run: |spec, state| rootfs::root(spec).map(|fd| state.root = Some(fd)),
    },
    Step {
        says: say(c"mount proc on /proc"),
        on: nothing,
        when: always,
        run: |spec, state| rootfs::proc(spec, root(state)?, c"/proc"),
    },
    Step {
        says: say(c"fill /dev"),
        on: nothing,
        when: always,
        run: |spec, state| rootfs::dev(spec, root(state)?, c"/dev"),
    },
];

/// After both: a sysfs shows the network of whoever mounts it. The user's own operations follow.
static SYSFS: [Step; 1] = [Step {
    says: say(c"mount sysfs on /sys"),
    on: nothing,
    when: |spec| spec.sys,
    run: |spec, state| rootfs::sys(spec, root(state)?, c"/sys"),
}];

/// After them. The old root ends up on top of the new one, where `.` still leads to it: no directory for it is needed.
static ENTER: [Step; 4] = [
    Step { says: say(c"enter root"), on: |spec| spec.root, when: always, run: |_, state| Ok(fchdir(root(state)?)?) },
    Step { says: say(c"make it /"), on: nothing, when: always, run: |_, _| pivot() },
    Step {
        says: say(c"detach the caller's root"),
        on: nothing,
        when: always,
        run: |_, _| Ok(unmount(c".", UnmountFlags::DETACH)?),
    },
    Step { says: say(c"enter directory /"), on: nothing, when: always, run: |_, _| Ok(chdir(c"/")?) },
];

/// Makes ready.
///
/// # Errors
/// The first step that failed, reported.
pub fn begin(spec: &Spec<'_>, state: &mut State) -> Done {
    walk(&BEGIN, spec, state)
}

/// Makes the network. Needs nothing of what [`mount`] does.
///
/// # Errors
/// The first step that failed, reported.
pub fn network(spec: &Spec<'_>, state: &mut State) -> Done {
    walk(&NETWORK, spec, state)
}

/// Makes the root and what the preset mounts in it.
///
/// # Errors
/// The first step that failed, reported.
pub fn mount(spec: &Spec<'_>, state: &mut State) -> Done {
    walk(&MOUNT, spec, state)
}

/// Does what the user asked for, and enters the root.
///
/// # Errors
/// The first step that failed, reported.
pub fn enter(spec: &Spec<'_>, state: &mut State) -> Done {
    walk(&SYSFS, spec, state)?;
    if let (Some(directory), Some(root)) = (state.directory, state.root) {
        for op in spec.ops {
            rootfs::apply(spec, op, root, directory)?;
            // There may be thousands, and what one of them opened the next does not need.
            close_all_but_ours(spec, state)?;
        }
    }
    walk(&ENTER, spec, state)
}

/// Prints what they would do.
pub fn explain_all(spec: &Spec<'_>) {
    for steps in [&BEGIN[..], &NETWORK, &MOUNT, &SYSFS] {
        explain(steps, spec);
    }
    for op in spec.ops {
        if let Op::Bind { source, .. } = op {
            explain_line(say(c"copy the mount of"), source);
        }
        explain_line(op.says(), op.dest());
    }
    explain(&ENTER, spec);
}

fn root(state: &State) -> Result<Fd, Failure> {
    state.root.ok_or(Failure::BADF)
}

/// A signal from the kernel when the launcher ends, however he ends. With us the pid namespace ends; where there is
/// none it is SIGTERM, which leaves us the time to end the others.
fn die_with_launcher(spec: &Spec<'_>) -> Done {
    let signal = if spec.process_1 { Signal::KILL } else { Signal::TERM };
    sys::prctl(PR_SET_PDEATHSIG, signal.number().cast_unsigned() as usize)
}

fn unshare_network() -> Done {
    let limit = say(c"a limit is reached or 0: see user.max_net_namespaces");
    sys::unshare(raw::CLONE_NEWNET).map_err(|why| {
        let hint = if matches!(why, Failure::NOSPC | Failure::USERS) { limit } else { Say::NOTHING };
        blame_hint(say(c"make a network namespace"), c"", why, hint)
    })
}

/// A container without `lo` is poorer, not less safe.
fn loopback() -> Done {
    if let Err(why) = net::loopback_up() {
        blame_hint(say(c"bring up"), c"lo", why, say(c"the container goes on without it"));
    }
    Ok(())
}

/// Until the id maps are written. Where the launcher has failed he has said so, and there is nothing to add.
fn wait_for_launcher(state: &State) -> Done {
    let go = state.go.ok_or(Failure::BADF)?;
    // While we held the launcher's end of the pipe too, it would not tell of his end.
    sys::close(fds::number(Some(go.write)));
    // He may have died between his word and our being told of it.
    if read(go.read, &mut [0u8])? == 0 || go.is_ended()? {
        sys::exit(failed());
    }
    Ok(())
}

fn close_all_but_ours(spec: &Spec<'_>, state: &State) -> Done {
    let go = state.go.map(|pipe| pipe.read);
    let news = state.news.map(|pipe| pipe.write);
    let ours = [go, news, state.terminal, state.directory, state.root, state.children].map(fds::number);
    fds::close_all_but(spec.keep_fds, &ours)
}

fn pivot() -> Done {
    let hint = say(c"the caller's / is an initramfs, or no mount point");
    match pivot_root(c".", c".").map_err(Failure::from) {
        Err(Failure::INVAL) => Err(blame_hint(say(c"make it"), c"/", Failure::INVAL, hint)),
        done => done,
    }
}
