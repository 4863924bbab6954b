//! PROCESS: INIT, until CMD starts. Process 1 of the container.
//!
//! - Namespaces: all that were asked for; `/` is still the caller's until the last steps.
//! - Rights: all capabilities in the new user namespace (or the caller's own, if he shares his).
//! - Signals: all blocked. What arrives waits for `init`.
//! - Everything may fail: one line, status 125, and what was mounted goes with the namespace.
//! - Next: `command` becomes CMD in a child (or here, `--as-pid-1`), and `init` supervises it.

use linux_raw_sys::general as raw;
use linux_raw_sys::prctl::{PR_SET_CHILD_SUBREAPER, PR_SET_DUMPABLE, PR_SET_PDEATHSIG};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::read;
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_change, unmount};
use rustix::process::{chdir, fchdir, pivot_root, setpgid, umask};

use crate::fault::{FAILED, blame_hint};
use crate::files::{self, HERE};
use crate::spec::{Op, Spec};
use crate::step::{Step, always, explain, explain_line, nothing, walk};
use crate::sys::{self, Done, Failure, Signal};
use crate::{net, procfs, rootfs};

/// What this process remembers between its steps.
pub struct State {
    /// A byte from it means: go on. Its end means: the launcher is no more.
    pub launcher: BorrowedFd<'static>,
    /// The launcher's process id, which tells whether he still lives where there is no pid namespace.
    pub outer: rustix::process::Pid,
    /// `children` of our main thread in the caller's /proc: whom to end where there is no pid namespace.
    pub children: Option<BorrowedFd<'static>>,
    /// The caller's working directory, for the sources of the user's operations.
    directory: Option<OwnedFd>,
    root: Option<OwnedFd>,
}

impl State {
    #[must_use]
    pub const fn new(launcher: BorrowedFd<'static>, outer: rustix::process::Pid) -> State {
        State { launcher, outer, children: None, directory: None, root: None }
    }

    fn root(&self) -> Result<BorrowedFd<'_>, Failure> {
        self.root.as_ref().map(AsFd::as_fd).ok_or(Failure::BADF)
    }
}

/// Up to the user's own operations.
static BUILD: [Step<State>; 13] = [
    Step { says: "die with the launcher", on: nothing, when: always, run: |spec, _| Ok(die_with_launcher(spec)?) },
    Step {
        says: "leave the caller's process group",
        on: nothing,
        // setsid(2) wants a process that leads no group.
        when: |spec| !(spec.life.as_pid_1 && spec.life.new_session),
        run: |_, _| Ok(setpgid(None, None)?),
    },
    Step { says: "bring up", on: |_| c"lo", when: |spec| spec.unshares(raw::CLONE_NEWNET), run: |_, _| loopback() },
    Step { says: "wait for the launcher", on: nothing, when: always, run: |_, state| wait_for_launcher(state) },
    Step { says: "become untraceable", on: nothing, when: always, run: |_, _| Ok(sys::prctl(PR_SET_DUMPABLE, 0)?) },
    Step {
        says: "become the reaper of orphans",
        on: nothing,
        when: |spec| !spec.unshares(raw::CLONE_NEWPID),
        run: |_, state| Ok(become_subreaper(state)?),
    },
    Step {
        says: "set host name",
        on: |spec| spec.hostname.unwrap_or(c""),
        when: |spec| spec.hostname.is_some(),
        run: |spec, _| Ok(rustix::system::sethostname(spec.hostname.unwrap_or(c"").to_bytes())?),
    },
    Step { says: "make private every mount below", on: |_| c"/", when: always, run: |_, _| make_private() },
    Step {
        says: "open the caller's directory",
        on: nothing,
        when: |spec| !spec.ops.is_empty(),
        run: |_, state| open_directory(state),
    },
    Step {
        says: "mount root",
        on: |spec| spec.root,
        when: always,
        run: |spec, state| {
            state.root = Some(rootfs::root(spec)?);
            Ok(())
        },
    },
    Step {
        says: "mount proc on",
        on: |_| c"/proc",
        when: always,
        run: |spec, state| rootfs::proc(spec, state.root()?, c"/proc"),
    },
    Step {
        says: "fill",
        on: |_| c"/dev",
        when: always,
        run: |spec, state| rootfs::dev(spec, state.root()?, c"/dev"),
    },
    Step {
        says: "mount sysfs on",
        on: |_| c"/sys",
        when: |spec| spec.sys,
        run: |spec, state| rootfs::sys(spec, state.root()?, c"/sys"),
    },
];

/// After them.
static ENTER: [Step<State>; 3] = [
    Step { says: "enter root", on: |spec| spec.root, when: always, run: |_, state| Ok(fchdir(state.root()?)?) },
    Step { says: "make it", on: |_| c"/", when: always, run: |_, _| pivot() },
    Step {
        says: "detach the caller's root",
        on: nothing,
        when: always,
        run: |_, _| {
            unmount(c".", UnmountFlags::DETACH)?;
            Ok(chdir(c"/")?)
        },
    },
];

/// Makes the container around this process.
///
/// # Errors
/// The first step that failed.
pub fn build(spec: &Spec<'_>, state: &mut State) -> Done {
    umask(Mode::empty());
    walk(&BUILD, spec, state)?;
    if let Some(directory) = state.directory.take() {
        let root = state.root()?;
        spec.ops.iter().try_for_each(|op| rootfs::apply(spec, op, root, directory.as_fd()))?;
    }
    walk(&ENTER, spec, state)?;
    state.root = None;
    Ok(())
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

/// A signal from the kernel when the launcher ends, however he ends. With us the pid namespace ends; where there is
/// none it is SIGTERM, which leaves us the time to end the others.
fn die_with_launcher(spec: &Spec<'_>) -> Done {
    let signal = if spec.unshares(raw::CLONE_NEWPID) { Signal::KILL } else { Signal::TERM };
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
    let mut byte = [0u8];
    if read(state.launcher, &mut byte)? == 0 {
        sys::exit(i32::from(FAILED));
    }
    Ok(())
}

fn become_subreaper(state: &mut State) -> Done {
    sys::prctl(PR_SET_CHILD_SUBREAPER, 1)?;
    let proc = procfs::open()?;
    let mut path = crate::text::Text::new();
    let me = rustix::process::getpid().as_raw_nonzero().get().unsigned_abs();
    path.push_number(me).push(b"/task/").push_number(me).push(b"/children");
    // Without CONFIG_PROC_CHILDREN only CMD's own group is ended.
    if let Ok(file) = procfs::open_file(proc.as_fd(), path.c_str().unwrap_or(c""), OFlags::RDONLY) {
        state.children = Some(sys::keep_open(file));
    }
    Ok(())
}

/// Otherwise what is mounted here could show outside, and what is mounted outside could appear here.
fn make_private() -> Done {
    Ok(mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?)
}

fn open_directory(state: &mut State) -> Done {
    state.directory = Some(files::directory(HERE, c".")?);
    Ok(())
}

/// The old root ends up on top of the new one, where `.` still leads to it: no directory for it is needed.
fn pivot() -> Done {
    let hint = "the caller's / is an initramfs, or no mount point";
    match pivot_root(c".", c".").map_err(Failure::from) {
        Err(Failure::INVAL) => Err(blame_hint("make it", c"/", Failure::INVAL, hint)),
        done => done,
    }
}
