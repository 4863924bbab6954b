//! PROCESS: the one that enters a container that is there, `--enter`. A child of the launcher.
//!
//! - What is to be entered is opened before, by the launcher, from outside ([`look`]).
//! - Namespaces: the caller's, then the container's, all at once; but for the pid namespace, which its child is in.
//! - Rights: the caller's, then all in the container's user namespace, then CMD's: before it is born.
//! - Nobody in the container may trace or look into it; no path of the container's is followed while anything of the host's
//!   is open; its child has nothing of the host's but what CMD gets.
//! - Everything may fail: one line, status 125. Nothing of the container has been changed.
//! - Next: its child, whose parent is the launcher, becomes CMD.

use linux_raw_sys::general::CLONE_NEWUSER;
use linux_raw_sys::prctl::{PR_SET_DUMPABLE, PR_SET_PDEATHSIG};

use crate::confine::{keyring, rights};
use crate::fs::{devices, procfs};
use crate::ns::target::{self, Target};
use crate::ns::{cgroup, credentials, join};
use crate::report::hint;
use crate::report::message::{blame, blame_hint, warn};
use crate::rootfs::initramfs;
use crate::say;
use crate::spec::{Ids, Spec};
use crate::state::State;
use crate::state::descriptors;
use crate::step::{CLEAR_UMASK, Step, always, explain, nothing, untraceable, walk};
use crate::sys::files::{self, chdir, chroot, fchdir, write};
use crate::sys::{self, Done, Failure, Signal, c_str};
use crate::text::Say;
use crate::text::{self, PATH};
use crate::tty::pty;

static STEPS: [Step; 11] = [
    Step { says: DIE, on: nothing, when: always, run: |_, _| die_with_launcher() },
    // While none of it has to be found in the container, which may have made something else of it.
    Step {
        says: say!("reopen the caller's devices through read-only mounts"),
        on: nothing,
        when: |spec| !spec.terminal.pty,
        run: |spec, _| devices::reopen_from_outside(spec.ids.rootless),
    },
    // The launcher's own mask stays.
    CLEAR_UMASK,
    keyring::LEAVE,
    Step {
        says: say!("join the cgroup of"),
        on: |spec| spec.target.unwrap_or_default(),
        when: always,
        run: |_, state| {
            join_cgroup(state);
            Ok(())
        },
    },
    // As long as it can be done: in there it may be forbidden.
    Step {
        says: say!("leave the caller's groups"),
        on: nothing,
        when: |spec| !spec.ids.rootless,
        run: |_, _| credentials::leave_groups(),
    },
    Step {
        says: say!("join the namespaces of"),
        on: |spec| spec.target.unwrap_or_default(),
        when: always,
        run: |spec, state| join_namespaces(spec, state),
    },
    // A change of rights has made us what fs.suid_dumpable says.
    untraceable(always),
    Step {
        says: say!("make / of the root of"),
        on: |spec| spec.target.unwrap_or_default(),
        when: always,
        run: |_, state| enter_root(state),
    },
    Step {
        says: say!("enter the directory of"),
        on: |spec| spec.target.unwrap_or_default(),
        when: always,
        run: |spec, state| enter_directory(spec, state),
    },
    Step {
        says: say!("give CMD a terminal of its own"),
        on: nothing,
        when: |spec| spec.terminal.pty,
        run: |spec, state| {
            // It is to be somebody's who is known in there.
            sys::make_files_as(spec.ids.uid, spec.ids.gid);
            sys::prctl(PR_SET_DUMPABLE, 0)?;
            pty::give(spec, state)
        },
    },
];

/// With the rights of CMD.
static LAST: [Step; 2] = [
    // A change of rights has undone it (prctl(2)).
    Step { says: DIE, on: nothing, when: always, run: |_, _| die_with_launcher() },
    Step { says: say!("close descriptors"), on: nothing, when: always, run: |spec, state| close(spec, state) },
];

const DIE: Say = say!("die with the launcher");

/// If the cgroup is frozen it takes as long as it takes.
fn die_with_launcher() -> Done {
    sys::prctl(PR_SET_PDEATHSIG, Signal::KILL.number().cast_unsigned() as usize)
}

/// Looks for what is to be entered, from outside, and opens all of it. Who CMD is to be, if nobody said: root, or else the
/// first that the container knows.
///
/// # Errors
/// Why it can't be entered, reported.
pub fn look(spec: &mut Spec<'_>, state: &mut State) -> Done {
    let who = spec.target.unwrap_or_default();
    let result = open(spec, state);
    result.map_err(|why| blame_hint(say!("enter"), who, why, hint::of_look(spec, why).hint()))
}

fn open(spec: &mut Spec<'_>, state: &mut State) -> Done {
    let proc = procfs::open()?;
    state.proc = Some(proc);
    let other = target::find(spec.target.unwrap_or_default(), proc)?;
    (state.process, state.handle) = (Some(other.directory), other.handle);
    let namespaces = other.namespaces()?;
    state.kinds = target::differing(&namespaces, &target::ours(proc)?);
    if state.kinds == 0 {
        return Err(Failure::NO_CONTAINER);
    }
    // Its mounts are then not locked to their places, and what lies below is the initramfs.
    if spec.may_mount() && state.kinds & CLONE_NEWUSER == 0 && initramfs::is_root()? {
        let why = say!("in an initramfs, before Linux 7.0, CAP_SYS_ADMIN is for a new user namespace only");
        return Err(blame_hint(say!("enter"), spec.target.unwrap_or_default(), Failure::PERM, why));
    }
    state.root = Some(files::directory(other.directory, c"root")?);
    state.directory = match other.stands_in {
        // Process 1 of ours is there.
        true => state.root,
        false => Some(files::directory(other.directory, c"cwd")?),
    };
    state.cgroup = cgroup::of(other, proc, &mut state.old_cgroup);
    // All of it was that of one time.
    if other.namespaces()? != namespaces {
        return Err(Failure::CHANGED);
    }
    state.namespaces = namespaces;
    // Ours have no meaning in there.
    (state.caller.uid, state.caller.gid) = (u32::MAX, u32::MAX);
    if spec.ids.uid == Ids::OF_TARGET {
        spec.ids.uid = other.lowest_id(c"uid_map")?;
        if spec.ids.uid != 0 {
            spec.confine.capabilities.held = spec.confine.capabilities.ambient;
        }
    }
    if spec.ids.gid == Ids::OF_TARGET {
        spec.ids.gid = other.lowest_id(c"gid_map")?;
    }
    Ok(())
}

/// Joins all that was opened.
///
/// # Errors
/// The first step that failed, reported.
pub fn join(spec: &Spec<'_>, state: &mut State) -> Done {
    [&STEPS[..], &rights::STEPS, &LAST].iter().try_for_each(|steps| walk(steps, spec, state))
}

/// Prints what [`join`] would do.
pub fn explain_join(spec: &Spec<'_>) {
    [&STEPS[..], &rights::STEPS, &LAST].iter().for_each(|steps| explain(steps, spec));
}

fn found(state: &State) -> Result<Target, Failure> {
    Ok(Target { directory: state.process.ok_or(Failure::BADF)?, handle: state.handle, stands_in: false })
}

fn join_cgroup(state: &mut State) {
    if let Ok(Some(file)) = state.cgroup {
        state.cgroup = match write(file, b"0") {
            Err(why) => Err(why),
            Ok(_) if state.old_cgroup => Err(Failure::OLD_CGROUP),
            Ok(_) => Ok(None),
        };
    }
}

/// That CMD is not in its cgroup is told when it is in the rest of it: otherwise it may have ended.
fn join_namespaces(spec: &Spec<'_>, state: &State) -> Done {
    join::all_of(found(state)?, state.kinds)?;
    // Somebody inside may have gone elsewhere: then the root and the rights are not of one container.
    if target::differing(&state.namespaces, &target::ours(state.proc.ok_or(Failure::BADF)?)?) != 0 {
        return Err(Failure::CHANGED);
    }
    if let Err(why) = state.cgroup {
        let hint = say!("CMD stays in the caller's, and under its limits");
        warn(say!("join the cgroup of"), spec.target.unwrap_or_default(), why, hint);
    }
    Ok(())
}

/// Not what the mount namespace begins with: it may be that the container's root is below that.
fn enter_root(state: &State) -> Done {
    fchdir(state.root.ok_or(Failure::BADF)?)?;
    chroot(c".")
}

/// Where the process is, if that is below the root; `command` goes elsewhere, if that was said.
fn enter_directory(spec: &Spec<'_>, state: &State) -> Done {
    let mut path = [0u8; PATH];
    let inside = spec.exec.directory == Some(c".")
        && fchdir(state.directory.ok_or(Failure::BADF)?).is_ok()
        && files::getcwd(&mut path).is_ok()
        && text::after(c_str(&path).to_bytes(), b"/").is_some();
    if inside { Ok(()) } else { Ok(chdir(c"/")?) }
}

fn close(spec: &Spec<'_>, state: &State) -> Done {
    let go = state.go.map(|pipe| pipe.read);
    let news = state.news.map(|pipe| pipe.write);
    let label = state.proc.filter(|_| spec.confine.exec_label.is_some());
    let [go, news, terminal, label] = [go, news, state.terminal, label].map(descriptors::number);
    descriptors::close_all_but(
        spec.exec.keep_fds,
        &[go, news, terminal, label, spec.channels.block.unwrap_or_default()],
    )
    .map_err(|why| blame(say!("close descriptors"), c"", why))
}
