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
use crate::sys::{self, Done, Failure, Signal};
use crate::{fds, net, reaper, rootfs};

/// Up to the user's own operations.
static BUILD: [Step; 14] = [
    Step { says: "die with the launcher", on: nothing, when: always, run: |spec, _| die_with_launcher(spec) },
    Step {
        says: "leave the caller's process group",
        on: nothing,
        // setsid(2) wants a process that leads no group.
        when: |spec| !(spec.life.as_pid_1 && spec.life.new_session),
        run: |_, _| Ok(setpgid(None, None)?),
    },
    // Modes are then what they are said to be.
    Step {
        says: "clear the umask",
        on: nothing,
        when: always,
        run: |_, state| sys::umask(0).map(|umask| state.caller.umask = umask),
    },
    Step { says: "bring up", on: |_| c"lo", when: |spec| spec.unshares(raw::CLONE_NEWNET), run: |_, _| loopback() },
    Step {
        says: "become the reaper of orphans",
        on: nothing,
        when: |spec| !spec.process_1,
        run: |_, state| reaper::become_subreaper(state),
    },
    Step {
        says: "set host name",
        on: |spec| spec.hostname.unwrap_or(c""),
        when: |spec| spec.hostname.is_some(),
        run: |spec, _| Ok(sethostname(spec.hostname.unwrap_or(c"").to_bytes())?),
    },
    // Otherwise what is mounted here could show outside, and what is mounted outside could appear here.
    Step {
        says: "make private every mount below",
        on: |_| c"/",
        when: always,
        run: |_, _| Ok(mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?),
    },
    Step {
        says: "open the caller's directory",
        on: nothing,
        when: |spec| !spec.ops.is_empty(),
        run: |_, state| rootfs::here().map(|fd| state.directory = Some(fd)),
    },
    // Up to here no id was needed; from here on files are opened and made. The maps are written at the same time.
    Step { says: "wait for the launcher", on: nothing, when: always, run: |_, state| wait_for_launcher(state) },
    Step { says: "become untraceable", on: nothing, when: always, run: |_, _| sys::prctl(PR_SET_DUMPABLE, 0) },
    Step {
        says: "mount root",
        on: |spec| spec.root,
        when: always,
        run: |spec, state| rootfs::root(spec).map(|fd| state.root = Some(fd)),
    },
    Step {
        says: "mount proc on",
        on: |_| c"/proc",
        when: always,
        run: |spec, state| rootfs::proc(spec, root(state)?, c"/proc"),
    },
    Step { says: "fill", on: |_| c"/dev", when: always, run: |spec, state| rootfs::dev(spec, root(state)?, c"/dev") },
    Step {
        says: "mount sysfs on",
        on: |_| c"/sys",
        when: |spec| spec.sys,
        run: |spec, state| rootfs::sys(spec, root(state)?, c"/sys"),
    },
];

/// After them. The old root ends up on top of the new one, where `.` still leads to it: no directory for it is needed.
static ENTER: [Step; 4] = [
    Step { says: "enter root", on: |spec| spec.root, when: always, run: |_, state| Ok(fchdir(root(state)?)?) },
    Step { says: "make it", on: |_| c"/", when: always, run: |_, _| pivot() },
    Step {
        says: "detach the caller's root",
        on: nothing,
        when: always,
        run: |_, _| Ok(unmount(c".", UnmountFlags::DETACH)?),
    },
    Step { says: "enter directory", on: |_| c"/", when: always, run: |_, _| Ok(chdir(c"/")?) },
];

/// Makes the container around this process.
///
/// # Errors
/// The first step that failed, reported.
pub fn build(spec: &Spec<'_>, state: &mut State) -> Done {
    walk(&BUILD, spec, state)?;
    if let (Some(directory), Some(root)) = (state.directory, state.root) {
        for op in spec.ops {
            rootfs::apply(spec, op, root, directory)?;
            // There may be thousands, and what one of them opened the next does not need.
            close_all_but_ours(spec, state)?;
        }
    }
    walk(&ENTER, spec, state)
}

/// Prints what [`build`] would do.
pub fn explain_build(spec: &Spec<'_>) {
    explain(&BUILD, spec);
    for op in spec.ops {
        if let Op::Bind { source, .. } = op {
            explain_line("copy the mount of", source);
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
    sys::prctl(PR_SET_PDEATHSIG, signal.number().unsigned_abs() as usize)
}

/// A container without `lo` is poorer, not less safe.
fn loopback() -> Done {
    if let Err(why) = net::loopback_up() {
        blame_hint("bring up", c"lo", why, "the container goes on without it");
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
    let hint = "the caller's / is an initramfs, or no mount point";
    match pivot_root(c".", c".").map_err(Failure::from) {
        Err(Failure::INVAL) => Err(blame_hint("make it", c"/", Failure::INVAL, hint)),
        done => done,
    }
}
