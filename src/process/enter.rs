//! PROCESS: the helper that enters an existing container, `--enter`. A child of the launcher.
//!
//! - The launcher opens the target before, from outside ([`look`]).
//! - Namespaces: the caller's, then the container's, all at once, except the pid namespace: only its child is in that.
//! - Rights: the caller's, then all in the container's user namespace, then the command's: before the command is cloned.
//! - No process in the container may trace this one or read its memory. No path of the container is followed while anything
//!   of the host is open. Its child has nothing of the host but what the command gets.
//! - Everything may fail: one line, status 125. Nothing in the container has been changed.
//! - Next: its child, whose parent is the launcher, becomes the command.

use crate::sys::{Kept, PR_SET_DUMPABLE, PR_SET_PDEATHSIG};
use linux_raw_sys::general as raw;
use rustix::process::getpid;

use crate::cgroup::tree;
use crate::confine::{keyring, rights};
use crate::fs::{devices, procfs};
use crate::ns::{credentials, find, join, target};
use crate::process::command::become_command;
use crate::report::hint::{self, Cause};
use crate::report::message::{blame_hint, give_up, warn};
use crate::rootfs::initramfs;
use crate::say;
use crate::spec::{Ids, Object, Spec};
use crate::state::{Command, Helper, Launcher, Process, Target, roles};
use crate::step::{self, clear_umask, untraceable, walk};
use crate::sys::files::{self, chdir, chroot, fchdir, write};
use crate::sys::{self, Done, Failure, Fork, Signal, c_str};
use crate::text::{self, PATH, Say};
use crate::tty::pty;

type Step = step::Step<Helper>;

/// With the rights of the caller, and then of the container.
static STRONG: &[Step] = &[
    Step::new(DIE, |_| die_with_launcher()),
    // Before the container is entered: inside, the same paths may lead to other files.
    Step::new(say!("reopen the caller's devices through read-only mounts"), |helper| {
        devices::reopen_from_outside(helper.launch.spec.ids.rootless)
    })
    .when(|spec| !spec.has_pty()),
    // The mask that the launcher found is kept.
    clear_umask(),
    keyring::leave_session(),
    Step::new(say!("join the cgroup of"), |helper| {
        join_cgroup(&mut helper.target);
        Ok(())
    })
    .on(Object::Target),
    // Before the user namespace is joined: setgroups(2) may be denied there.
    Step::new(say!("leave the caller's groups"), |_| credentials::leave_groups()).when(|spec| !spec.ids.rootless),
    Step::new(say!("join the namespaces of"), |helper| join_namespaces(helper)).on(Object::Target),
    // Joining a user namespace resets PR_SET_DUMPABLE to fs.suid_dumpable (prctl(2)).
    untraceable(),
    Step::new(say!("enter the root of"), |helper| enter_root(&helper.target)).on(Object::Target),
    Step::new(say!("enter the directory of"), |helper| enter_directory(helper)).on(Object::Target),
    Step::new(say!("give CMD a terminal of its own"), |helper| {
        // The owner of the new terminal must be mapped in the container.
        let ids = &helper.launch.spec.ids;
        sys::make_files_as(ids.uid, ids.gid);
        sys::prctl(PR_SET_DUMPABLE, 0)?;
        pty::give(&mut helper.launch, None)
    })
    .when(|spec| spec.has_pty()),
];

/// With the rights of the command.
static WEAK: &[Step] = &[
    // Changing credentials has cleared PR_SET_PDEATHSIG (prctl(2)).
    Step::new(DIE, |_| die_with_launcher()),
    Step::new(say!("close descriptors"), |helper| close(helper)),
    Step::new(say!("hide the arguments of"), |helper| {
        sys::hide(helper.launch.start, helper.launch.spec.life.title_inside)
    })
    .on(Object::Nsinit),
    Step::new(say!("start CMD as a child of the launcher, in"), start_command).on(Object::Target),
];

const DIE: Say = say!("die with the launcher");

fn target_of<'a>(spec: &Spec<'a>) -> &'a core::ffi::CStr {
    spec.target.unwrap_or_default()
}

/// All steps of the helper, in their order.
///
/// # Errors
/// The first step that failed, reported.
pub fn plan(helper: &mut Helper) -> Done {
    walk(STRONG, helper)?;
    walk(rights::STEPS, helper.launch())?;
    walk(WEAK, helper)
}

/// Runs the helper. Returns its exit status: 0 if the command was started.
pub fn enter(launcher: &Launcher) -> i32 {
    let mut helper = Helper { launch: launcher.launch, target: launcher.target };
    let launch = &mut helper.launch;
    // The helper uses the terminal only if it is lent to the command.
    launch.terminal = launch.terminal.filter(|_| launch.spec.lends_terminal());
    match plan(&mut helper) {
        Ok(()) => 0,
        Err(why) => give_up(why),
    }
}

/// In a cgroup that is frozen, the helper stops until the cgroup is thawed: it must not outlive the launcher.
fn die_with_launcher() -> Done {
    sys::prctl(PR_SET_PDEATHSIG, Signal::KILL.number().cast_unsigned())
}

/// The launcher finds the target, from outside, and opens everything that is entered later. If the user has not given the ids of
/// the command, it chooses the lowest ids that the container maps: usually 0.
///
/// # Errors
/// Reported. ESRCH: no such process; [`Failure::NO_CONTAINER`]: the process is in the caller's own namespaces; EACCES, EPERM: the
/// caller may not trace it; [`Failure::CHANGED`]: its namespaces have changed meanwhile.
pub fn look(launcher: &mut Launcher) -> Done {
    let result = open(launcher);
    let spec = &launcher.launch.spec;
    result.map_err(|why| blame_hint(say!("enter"), target_of(spec), why, hint::of_look(spec, why).hint()))
}

fn open(launcher: &mut Launcher) -> Done {
    let Launcher { launch, target: found, .. } = launcher;
    let spec = &mut launch.spec;
    let proc = procfs::open()?;
    launch.proc.set(proc);
    let other = find::process(target_of(spec), proc)?;
    found.process.set(other.directory);
    found.handle = other.handle;
    other.namespaces(&mut found.namespaces)?;
    found.kinds = target::differing(&found.namespaces, proc)?;
    if found.kinds == 0 {
        return Err(Failure::NO_CONTAINER);
    }
    // Without a user namespace its mounts are not locked to their places, and the initramfs lies below them.
    if spec.may_mount() && found.kinds & raw::CLONE_NEWUSER == 0 && initramfs::is_root()? {
        let why = say!("in an initramfs, before Linux 7.0, CAP_SYS_ADMIN is for a new user namespace only");
        return Err(blame_hint(say!("enter"), target_of(spec), Failure::PERM, why));
    }
    let root = files::directory(other.directory, c"root")?;
    found.root.set(root);
    found.directory.set(match other.stands_in {
        // The given process is nsinit's process 1, whose directory is the root.
        true => root,
        false => files::directory(other.directory, c"cwd")?,
    });
    found.cgroup = tree::of(other, proc, &mut found.old_cgroup);
    // Check again: the target must not have changed meanwhile.
    let mut now = target::NONE;
    other.namespaces(&mut now)?;
    if now != found.namespaces {
        return Err(Failure::CHANGED);
    }
    // The caller's ids have no meaning inside.
    (launch.caller.uid, launch.caller.gid) = (Ids::OF_TARGET, Ids::OF_TARGET);
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

fn join_cgroup(target: &mut Target) {
    if let Ok(Some(file)) = target.cgroup {
        target.cgroup = match write(file, b"0") {
            Err(why) => Err(why),
            Ok(_) if target.old_cgroup => Err(Failure::OLD_CGROUP),
            Ok(_) => Ok(None),
        };
    }
}

/// A failure to join the cgroup is reported only after the namespaces are joined. If the target has ended, that fails too, and
/// only that is reported.
fn join_namespaces(helper: &Helper) -> Done {
    let Helper { launch, target } = helper;
    let process = target::Target { directory: target.process.get()?, handle: target.handle, stands_in: false };
    join::all_of(process, target.kinds)?;
    // The target may have changed its namespaces: then the root and the rights are not of one container.
    if target::differing(&target.namespaces, launch.proc.get()?)? != 0 {
        return Err(Failure::CHANGED);
    }
    if let Err(why) = target.cgroup {
        let hint = say!("CMD stays in the caller's, and under its limits");
        warn(say!("join the cgroup of"), target_of(&launch.spec), why, hint);
    }
    Ok(())
}

/// The root of the container can be a directory below the root of its mount namespace.
fn enter_root(target: &Target) -> Done {
    fchdir(target.root.get()?)?;
    chroot(c".")
}

/// Enters the target's directory, if it is below the root; otherwise /. With `--chdir` the command leaves it later.
fn enter_directory(helper: &Helper) -> Done {
    let mut path = [0u8; PATH];
    let inside = helper.launch.spec.exec.directory == Some(c".")
        && fchdir(helper.target.directory.get()?).is_ok()
        && files::getcwd(&mut path).is_ok()
        && text::after(c_str(&path).to_bytes(), b"/").is_some();
    if inside { Ok(()) } else { Ok(chdir(c"/")?) }
}

fn close(helper: &Helper) -> Done {
    let launch = &helper.launch;
    sys::close_all_but(Kept::all_given(launch.spec.exec.keep_fds), &roles::kept(roles::HELPER, launch, roles::NONE))
}

/// The command is the helper's sister: its parent is the launcher, which learns its number as the owner of a pipe (fcntl(2),
/// F_SETOWN).
fn start_command(helper: &mut Helper) -> Done {
    let launch = &helper.launch;
    let go = launch.go.get()?.read;
    let enter = target_of(&launch.spec);
    // clone3(2) refuses CLONE_PARENT with an exit signal (EINVAL).
    match sys::clone_old(raw::CLONE_PARENT) {
        Ok(Fork::Child) => {
            // Before it can be executed: from then on a signal to the launcher is for it.
            let _ = sys::set_owner(go, getpid());
            sys::exit(become_command(&Command::new(launch)))
        }
        Ok(Fork::Parent(command)) => {
            // With --pty the launcher may have waited for the command already (ESRCH). After any other failure it reports that
            // the pipe has no owner.
            let _ = sys::set_owner(go, command);
            if launch.spec.has_pty() {
                // Keep only this pipe: the copies of the others would hide that the command was executed. By then the launcher
                // knows its number.
                let _ = sys::close_all_but(&[], &[Kept::ours(Some(go))]);
                pty::outlive(Some(go));
            }
            Ok(())
        }
        Err(why) => {
            // ENOMEM: process 1 of the pid namespace has ended; or memory is short.
            let ended = why == Failure::NOMEM && helper.target.handle.is_some_and(sys::has_ended);
            let cause = if ended { Cause::Ended } else { hint::of_fork(why) };
            Err(blame_hint(say!("enter"), enter, why, cause.hint()))
        }
    }
}
