//! Process 1, cloned into its namespaces (clone(2)).

use core::cell::Cell;
use core::ffi::CStr;

use linux_raw_sys::general as raw;

#[cfg(feature = "cgroup")]
use crate::cgroup;
use crate::fs::procfs;
use crate::ns::limits;
use crate::process::container;
use crate::report::hint;
use crate::report::message::{blame, blame_hint, failed, warn};
use crate::say;
use crate::state::{Launch, Launcher};
#[cfg(feature = "cgroup")]
use crate::step::Step;
use crate::sys::files::{self, HERE};
use crate::sys::{self, Done, Failure, Fork, Start};
use crate::text::verb;

/// The limits that a process does not get by its birth.
#[cfg(feature = "cgroup")]
pub const LIMIT_PROCESSORS: Step<Launcher> =
    Step::new(say!("limit the processors of the container"), |launcher: &mut Launcher| {
        cgroup::write_all(&mut launcher.launch, true)
    })
    .when(|spec| spec.limits(cgroup::CPUSET));

/// Clones process 1 into the new namespaces, and records its pid.
///
/// # Errors
/// Reported. EPERM: the caller may make no such namespace; ENOSPC: a limit on namespaces is reached; EAGAIN, ENOMEM: a limit on
/// processes or memory is reached; others: see clone(2).
pub fn process_1(launcher: &mut Launcher) -> Done {
    let Launch { spec, start, .. } = &launcher.launch;
    // Processes that are in a pid namespace already see process 1 from its first moment.
    let seen = spec.namespaces.joins.pid.is_some() || spec.joined(raw::CLONE_NEWPID);
    let start: &'static Start = start;
    if seen {
        let _ = sys::set_title(start, spec.life.title_inside);
    }
    match fork_into_namespaces(&mut launcher.launch)? {
        Fork::Child => sys::exit(container::process_1(&launcher.launch)),
        Fork::Parent(container) => {
            if seen {
                let _ = sys::reset_title(start);
            }
            launcher.outside.container.set(container);
            Ok(())
        }
    }
}

/// If the kernel has no user namespaces, or its administrator allows none, root goes on without one, and the Spec is changed
/// accordingly. Any other failure is an error.
fn fork_into_namespaces(launch: &mut Launch) -> Result<Fork, Failure> {
    let later = launch.made_later();
    let mut result = fork_limited(launch, launch.spec.namespaces.new & !later);
    let (asked, first) = (launch.spec.unshares(raw::CLONE_NEWUSER), result.as_ref().err().copied());
    for (namespace, missing) in &OPTIONAL {
        let namespaces = &mut launch.spec.namespaces;
        if result.is_err() && namespaces.new & namespaces.optional & namespace != 0 && missing() {
            namespaces.new &= !namespace;
            result = fork_limited(launch, launch.spec.namespaces.new & !later);
        }
    }
    let spec = &launch.spec;
    if let (Ok(Fork::Parent(_)), Some(why)) = (&result, first)
        && asked
        && spec.has_root()
        && !spec.unshares(raw::CLONE_NEWUSER)
    {
        let hint = say!("going on without one: root inside is root outside; see user.max_user_namespaces");
        warn(say!("make a user namespace"), c"", why, hint);
    }
    result.map_err(|why| blame_hint(verb::CREATE_NAMESPACES, c"", why, hint::of_namespaces(spec, false, why).hint()))
}

/// The kinds of namespaces that may be left out, each with the check whether the kernel has none.
static OPTIONAL: [(u32, fn() -> bool); 2] =
    [(raw::CLONE_NEWUSER, no_user_namespaces), (raw::CLONE_NEWCGROUP, || missing(c"/proc/self/ns/cgroup"))];

fn missing(path: &CStr) -> bool {
    files::look(HERE, path).err() == Some(Failure::NOENT)
}

/// Whether the kernel has no user namespaces (user_namespaces(7)), or its administrator allows none.
#[must_use]
pub fn no_user_namespaces() -> bool {
    user_namespaces_are_forbidden() || missing(c"/proc/self/ns/user")
}

fn user_namespaces_are_forbidden() -> bool {
    procfs::open().is_ok_and(limits::permit_no_user_namespace)
}

/// A child in new namespaces: clone3(2), or clone(2) if clone3 is missing or a seccomp filter forbids it.
///
/// # Errors
/// As [`sys::clone3`].
pub fn fork_plain(namespaces: u32) -> Result<Fork, Failure> {
    match sys::clone3(namespaces, None) {
        Err(Failure::NOSYS | Failure::PERM) => fork_old(namespaces),
        result => result,
    }
}

/// [`fork`], into the container's cgroup if there is one.
#[cfg(feature = "cgroup")]
fn fork_limited(launch: &Launch, namespaces: u32) -> Result<Fork, Failure> {
    let Some(cgroup) = launch.cgroup.known() else { return fork(launch, namespaces) };
    if launch.spec.namespaces.joins.pid.is_none() {
        match sys::clone3(namespaces, Some(cgroup.start())) {
            // The kernel or a filter knows no such clone; or the cgroup is refused.
            Err(Failure::NOSYS | Failure::INVAL | Failure::TOOBIG | Failure::PERM | Failure::ACCESS) => {}
            Err(Failure::BUSY | Failure::OPNOTSUPP) => {}
            result => return result,
        }
    }
    cgroup::with_launcher(launch, &|| fork(launch, namespaces))
}

/// Process 1 is in the caller's cgroup.
#[cfg(not(feature = "cgroup"))]
fn fork_limited(launch: &Launch, namespaces: u32) -> Result<Fork, Failure> {
    fork(launch, namespaces)
}

/// [`fork_plain`], where the pid namespace is a new one or that of `--pidns`.
fn fork(launch: &Launch, namespaces: u32) -> Result<Fork, Failure> {
    let spec = &launch.spec;
    if spec.namespaces.joins.pid.is_some() && namespaces & raw::CLONE_NEWPID != 0 {
        return fork_below(launch, namespaces);
    }
    let fork = || fork_plain(namespaces);
    match launch.proc.known().filter(|_| spec.joins_user() && namespaces & raw::CLONE_NEWCGROUP != 0) {
        Some(proc) => limits::despite_limit(proc, &fork),
        None => fork(),
    }
}

/// A process that has joined a pid namespace is not in it, but its children are, and only they can make a pid namespace below it
/// (clone(2)). So a child clones process 1 with CLONE_PARENT, and passes its number to the launcher as the owner of a pipe
/// (fcntl(2), F_SETOWN).
fn fork_below(launch: &Launch, namespaces: u32) -> Result<Fork, Failure> {
    let pipe = launch.go.get()?;
    let failure = Cell::new(Failure::CHILD);
    let child = sys::spawn(
        |(launch, namespaces, pipe, failure)| match fork_old(*namespaces | raw::CLONE_PARENT) {
            Ok(Fork::Child) => container::process_1(launch),
            Ok(Fork::Parent(sister)) => i32::from(sys::set_owner(pipe.read, sister).is_err()),
            Err(why) => {
                failure.set(why);
                failed()
            }
        },
        &(launch, namespaces, pipe, &failure),
    )?;
    match sys::wait_end(child.as_raw_nonzero().get()) {
        Ok(0) => sys::owner(pipe.read).map(Fork::Parent),
        _ => Err(failure.get()),
    }
}

fn fork_old(namespaces: u32) -> Result<Fork, Failure> {
    let time = namespaces & raw::CLONE_NEWTIME;
    let fork = sys::clone_old(namespaces & !time)?;
    // clone(2) has no bit for a time namespace; the child unshares it, for its own children.
    if time != 0
        && matches!(fork, Fork::Child)
        && let Err(why) = sys::unshare(time)
    {
        blame(say!("unshare"), c"time", why);
        sys::exit(failed());
    }
    Ok(fork)
}
