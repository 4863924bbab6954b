//! The container's cgroup is made, in the launcher's or in that of `--cgroup`.

use core::ffi::CStr;

use rustix::fs::{AtFlags, FlockOperation, OFlags, flock, statat};
use rustix::process::{Pid, getpid, getppid};

use crate::cgroup::kill::{self, MOMENT};
use crate::cgroup::tree::{CONTROL, PROCESSES, READ};
use crate::cgroup::{controllers, tree};
use crate::lines;
use crate::ns::target::read_whole;
use crate::report::hint;
use crate::report::message::blame_hint;
use crate::say;
use crate::spec::Object;
use crate::state::{Cgroup, Launch};
use crate::sys::files::{self, Fd, write};
use crate::sys::{self, Done, Failure, c_str};
use crate::text::{self, PATH, Say, Short};

/// The name of the step.
pub const MAKE: Say = say!("make a cgroup in");

/// The names of the cgroups of nsinit: a process id follows.
const BEGIN: &[u8] = b"nsinit-";

/// How often a new cgroup is tried.
const TRIES: u32 = 64;

/// The name of the cgroup that is the `number`th of this launcher's id: launchers in different pid namespaces may have the same id.
/// `end`: empty, or [`LEAF`].
pub fn name(number: u32, end: &[u8]) -> Short {
    let mut name = Short::new();
    name.push(BEGIN).push_own_id().byte(b'-').push_number(number).push(end);
    name
}

/// The cgroup that the launcher itself goes to, where it has to leave its own, ends with this.
pub const LEAF: &[u8] = b"-launcher";

/// Whether a component of a cgroup's path is the name of a container's cgroup: `nsinit-PID-NUMBER`.
#[cfg(feature = "stats")]
#[must_use]
pub fn is_container(name: &[u8]) -> bool {
    end_of_name(name).is_some_and(<[u8]>::is_empty)
}

/// What stands behind the numbers in the name of a cgroup that a launcher has made. The whole name is looked at: others may make a
/// cgroup that is named `nsinit-1.service`.
fn end_of_name(name: &[u8]) -> Option<&[u8]> {
    let mut rest = text::after(name, BEGIN)?;
    text::word(&mut rest, b'-').and_then(text::number)?;
    text::word(&mut rest, b'-').and_then(text::number)?;
    Some(rest).filter(|rest| matches!(*rest, b"" | b"launcher"))
}

/// The name of the cgroup that a container manages, in its own.
const INNER: &CStr = c"container";

/// Makes the cgroup, after those of dead launchers are removed. Records it.
///
/// # Errors
/// Reported. ENOENT: no cgroup2 is mounted, or there is no such cgroup; EACCES: the cgroup belongs to another user; EAGAIN: a limit on
/// cgroups is reached; others: see mkdir(2).
pub fn make_own(launch: &mut Launch) -> Done {
    let made = find_parent(launch).and_then(|parent| {
        sweep(parent);
        let cgroup = new(parent)?;
        launch.cgroup.set(cgroup);
        if launch.spec.delegates() {
            files::make_directory(cgroup.own, INNER, 0o755)?;
            launch.cgroup.set(Cgroup { inner: Some(files::open(cgroup.own, INNER, READ)?), ..cgroup });
        }
        // No process could be in the cgroup if nsinit stayed where it is: see there.
        let mut enabled = [0u8; PATH];
        read_whole(parent, CONTROL, &mut enabled)?;
        if c_str(&enabled).is_empty() { Ok(()) } else { leave_parent(launch, true) }
    });
    made.map_err(|why| blamed(launch, why))
}

fn find_parent(launch: &Launch) -> Result<Fd, Failure> {
    match launch.spec.cgroup.parent {
        Some(path) => tree::named(path),
        None => tree::own_of_any(launch.proc.get()?),
    }
}

/// A launcher has its cgroups locked (flock(2)) as long as it lives, whatever pid namespace it is in. A cgroup that no process has
/// locked is that of a dead launcher. It is removed, after what is left in it is killed; a failure is left to the next launch.
fn sweep(parent: Fd) {
    let Ok(list) = files::open(parent, c".", READ) else { return };
    files::each_name(list, &mut |name| {
        if let Some(end) = end_of_name(name.to_bytes())
            && let Ok(cgroup) = files::open(list, name, READ)
        {
            if lock(cgroup) {
                // In a leaf there is at most the caller's process of --detach, which is about to end.
                let _ = if end.is_empty() {
                    kill::remove(list, name, Some(cgroup), PATIENCE)
                } else {
                    kill::remove_empty(list, name)
                };
            }
            sys::close(cgroup);
        }
    });
    sys::close(list);
}

/// How many milliseconds the launch waits for the end of what is left in a cgroup.
const PATIENCE: u32 = 100;

fn lock(cgroup: Fd) -> bool {
    flock(cgroup, FlockOperation::NonBlockingLockExclusive).is_ok()
}

/// A new cgroup, locked. `None`: there is one of that name; or another launcher has found it before it was locked, and removes it.
fn try_new(parent: Fd, name: &CStr) -> Result<Option<Fd>, Failure> {
    match files::make_directory(parent, name, 0o755) {
        Err(Failure::EXIST) => return Ok(None),
        made => made?,
    }
    if let Ok(own) = files::open(parent, name, READ) {
        if lock(own) && statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
            return Ok(Some(own));
        }
        sys::close(own);
    }
    let _ = kill::remove_empty(parent, name);
    Ok(None)
}

/// A new cgroup for the container.
fn new(parent: Fd) -> Result<Cgroup, Failure> {
    for number in 0..TRIES {
        if let Some(own) = try_new(parent, name(number, b"").c_str())? {
            return Ok(Cgroup { parent, own, inner: None, number, leaf: None, begun: sys::now() });
        }
    }
    Err(Failure::EXIST)
}

/// A new cgroup beside that of the container.
fn new_leaf(cgroup: &Cgroup) -> Result<Fd, Failure> {
    let name = name(cgroup.number, LEAF);
    let mut tries = 0..TRIES;
    let found = tries.find_map(|_| try_new(cgroup.parent, name.c_str()).transpose());
    found.unwrap_or(Err(Failure::EXIST))
}

/// A cgroup that has processes cannot limit its children, except the root of the tree (cgroups(7), "no internal processes"). If the
/// processes are those of this launch alone, they move to a cgroup beside the container's; `with_others`, if it is the root of a cgroup
/// namespace, all of them move to one that stays.
///
/// # Errors
/// EBUSY: the cgroup has other processes; others: see mkdir(2).
pub fn leave_parent(launch: &mut Launch, with_others: bool) -> Done {
    let cgroup = launch.cgroup.get()?;
    // The root of the tree has no type.
    if cgroup.leaf.is_some() || files::look(cgroup.parent, c"cgroup.type").is_err() {
        return Ok(());
    }
    if with_others && tree::is_root(cgroup.parent)? {
        return empty(cgroup.parent);
    }
    let (mut some, mut others) = (false, false);
    let list = files::open(cgroup.parent, PROCESSES, OFlags::RDONLY)?;
    lines::each(list, &mut |line| {
        let number = text::number(line).unwrap_or_default().cast_signed();
        let is_ours = |process: Option<Pid>| process.is_some_and(|pid| pid.as_raw_nonzero().get() == number);
        let ours = is_ours(Some(getpid())) || above(launch).into_iter().any(is_ours);
        (some, others) = (true, others | !ours);
    })?;
    sys::close(list);
    if others {
        return Err(Failure::BUSY);
    }
    if some {
        // Enabled by a launcher that was killed: those that work with threads have let these processes in, but would keep them out of
        // the cgroups below (cgroups(7), "domain invalid").
        controllers::disable_all(cgroup.parent)?;
        let leaf = new_leaf(&cgroup)?;
        launch.cgroup.set(Cgroup { leaf: Some(leaf), ..cgroup });
        move_all(launch, leaf)?;
    }
    Ok(())
}

/// How many times the processes of a cgroup are moved, 1 ms apart: meanwhile they may fork.
const ROUNDS: u32 = 100;

/// Moves all processes of the root of a cgroup namespace to [`tree::LEAF`].
fn empty(root: Fd) -> Done {
    match files::make_directory(root, tree::LEAF, 0o755) {
        Ok(()) | Err(Failure::EXIST) => {}
        other => other?,
    }
    let to = files::open(files::open(root, tree::LEAF, READ)?, PROCESSES, OFlags::WRONLY)?;
    for _ in 0..ROUNDS {
        let mut some = false;
        let list = files::open(root, PROCESSES, OFlags::RDONLY)?;
        lines::each(list, &mut |line| {
            some = true;
            // 0 is a process of another pid namespace; as an order it would be this process.
            if line != b"0" {
                // The process may have ended.
                let _ = write(to, line);
            }
        })?;
        sys::close(list);
        if !some {
            return Ok(());
        }
        sys::pause(MOMENT);
    }
    Err(Failure::BUSY)
}

fn blamed(launch: &Launch, why: Failure) -> Failure {
    let spec = &launch.spec;
    blame_hint(MAKE, Object::Cgroup.name(spec), why, hint::of_cgroup(spec, why).hint())
}

/// The other processes of this launch outside of the container. When the launcher's parent has ended, the launcher has another one, and
/// the numbers may be those of other processes.
fn above(launch: &Launch) -> [Option<Pid>; 3] {
    if getppid() == launch.above[0] { launch.above } else { [None; 3] }
}

/// Moves the launcher, and the other processes of this launch outside of the container.
///
/// # Errors
/// EBUSY: the cgroup may have no processes; EACCES: it belongs to another user.
pub fn move_all(launch: &Launch, to: Fd) -> Done {
    let file = files::open(to, PROCESSES, OFlags::WRONLY)?;
    for process in above(launch).into_iter().flatten() {
        let mut number = Short::new();
        number.push_number(process.as_raw_nonzero().get().cast_unsigned());
        // It may have ended.
        let _ = write(file, number.bytes());
    }
    write(file, b"0")?;
    sys::close(file);
    Ok(())
}
