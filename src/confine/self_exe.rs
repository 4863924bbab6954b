//! Leaving the program file of nsinit if the container could write to it (CVE-2019-5736).
//!
//! A CMD that begins with `#!/proc/self/exe` makes the kernel execute the launcher's own file, and the owner of the file can then open
//! /proc/PID/exe for writing. So the link must not lead to the file, in any process that the container can see. There are three ways:
//!
//! - Process 1 leaves the file ([`leave_inside`]), if no process of the container sees the launcher: it maps the same file again
//!   through its own mount namespace, and sets the link to an empty file. This is the cheapest.
//! - The launcher moves its program to anonymous memory and sets the link to an empty file: as root ([`enter`]).
//! - nsinit executes itself again from a copy in sealed memory, if the kernel does not permit the others.

use core::ffi::CStr;
use core::sync::atomic::{AtomicU64, Ordering};

#[cfg(feature = "boot")]
use rustix::fs::major;
use rustix::fs::{
    AtFlags, MemfdFlags, OFlags, SealFlags, Stat, StatVfsMountFlags, fcntl_add_seals, fcntl_get_seals, fstat, fstatvfs,
    memfd_create, sendfile, statat,
};
use rustix::process::geteuid;

use crate::fs::procfs;
use crate::report::hint;
use crate::report::message::{blame, blame_hint};
use crate::say;
use crate::sys::files::{self, Fd, HERE};
use crate::sys::{self, Done, Failure, Start};
use crate::text::{self, Say};

const EXE: &CStr = c"/proc/self/exe";
/// [`EXE`] below a procfs.
const OURS: &CStr = c"self/exe";
/// The most bytes of one sendfile(2); the program is far smaller.
const CHUNK: usize = 1 << 20;
const GROUP_OR_OTHERS_WRITE: u32 = 0o022;

/// The verb of messages.
const SAYS: Say = say!("seal a copy of");

/// The file that process 1 is to leave: its device and its inode number. Zeros: none.
static DUE: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];

/// Leaves it to process 1 to leave the program file, by [`leave_inside`]. Returns false if that is not possible.
#[must_use]
pub fn leave_later(command: &CStr, start: &Start) -> bool {
    let Ok(stat) = statat(HERE, EXE, AtFlags::empty()) else { return false };
    let possible = !is_own(command) && sys::can_leave_file(start);
    if possible && may_write(&stat) {
        for (due, number) in DUE.iter().zip(identity(&stat)) {
            due.store(number, Ordering::Relaxed);
        }
    }
    possible
}

/// Whether a CMD may execute nsinit again inside, by a path like /proc/self/exe: the link must not lead to an empty file.
fn is_own(command: &CStr) -> bool {
    text::after(command.to_bytes(), b"/proc/").is_some()
}

/// Whether the caller could write to this file, by its mode or after changing the mode.
fn may_write(stat: &Stat) -> bool {
    let uid = geteuid();
    uid.is_root() || stat.st_uid == uid.as_raw() || stat.st_mode & GROUP_OR_OTHERS_WRITE != 0
}

/// Leaves the program file if necessary. It returns, or executes nsinit again as a copy.
///
/// # Errors
/// Reported. ENOENT: there is no /proc; others: the copy cannot be made, sealed or executed.
pub fn enter(command: &CStr, start: &Start) -> Done {
    let look = |proc: Fd| {
        let stat = statat(proc, OURS, AtFlags::empty())?;
        Ok((proc, may_write(&stat)))
    };
    let found = files::directory(HERE, c"/proc").and_then(look).or_else(|_| procfs::open().and_then(look));
    let (proc, writable) = found.map_err(|why| blame_hint(SAYS, EXE, why, hint::of_own_file(why).hint()))?;
    if !writable {
        return Ok(());
    }
    leave(proc, start, geteuid().is_root() && !is_own(command)).map_err(|why| blame(SAYS, EXE, why))
}

/// A file is the same as another if these are.
fn identity(stat: &Stat) -> [u64; 2] {
    [stat.st_dev, stat.st_ino].map(u64::from)
}

/// Process 1 leaves the program file, if [`leave_later`] has left that to it. `/` and the working directory are still the caller's, but
/// the mount namespace is its own: the same path leads to the same file through another mount. Without `users`, a user namespace
/// of the container, a process inside may follow /proc/PID/map_files, so nothing of the file stays mapped. /proc shows `title`, and
/// no argument or variable.
///
/// # Errors
/// Reported: as [`sys::leave_file`].
pub fn leave_inside(users: bool, title: &'static CStr, start: &Start) -> Done {
    let due = DUE.each_ref().map(|number| number.load(Ordering::Relaxed));
    if due == [0; 2] {
        return Ok(());
    }
    let open = |path: &CStr| {
        let file = files::open_path(path, OFlags::RDONLY | OFlags::NONBLOCK).ok()?;
        fstat(file).is_ok_and(|stat| identity(&stat) == due).then_some(file)
    };
    let same = sys::executed_path(start).filter(|_| users).and_then(open);
    let empty = memory().and_then(|empty| seal(empty).map(|()| empty));
    let left = empty.and_then(|empty| match sys::leave_file(start, empty, same, Some(title)) {
        // The file was found through the very mount that it was executed from (EBUSY), or may not be mapped there: the mount is noexec
        // meanwhile (EPERM).
        Err(_) if same.is_some() => sys::leave_file(start, empty, None, Some(title)),
        done => done,
    });
    left.map_err(|why| blame(SAYS, EXE, why))
}

/// Whether this program is a sealed copy, which [`enter`] has executed.
#[must_use]
pub fn is_copy() -> bool {
    procfs::open().and_then(|proc| files::open(proc, OURS, OFlags::RDONLY)).is_ok_and(is_sealed)
}

fn is_sealed(exe: Fd) -> bool {
    // On a tmpfs every file has F_SEAL_SEAL.
    fcntl_get_seals(exe).is_ok_and(|seals| seals.intersects(SealFlags::WRITE | SealFlags::FUTURE_WRITE))
}

/// Leaves a program file that has been removed from its disk: the kernel keeps it as long as it is executed, and the file system
/// would not be consistent at the end.
#[cfg(feature = "boot")]
pub fn leave_removed(start: &Start) {
    let exe = procfs::open().and_then(|proc| Ok(statat(proc, OURS, AtFlags::empty())?));
    if exe.is_ok_and(|exe| exe.st_nlink == 0 && major(exe.st_dev) != 0) {
        // If that is not possible, the file system becomes read-only by force.
        let _ = go_on_in_memory(start);
    }
}

fn leave(proc: Fd, start: &Start, in_memory: bool) -> Done {
    let exe = files::open(proc, OURS, OFlags::RDONLY)?;
    if is_sealed(exe) {
        sys::set_name(c"nsinit");
        return Ok(());
    }
    if fstatvfs(exe)?.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Ok(());
    }
    if in_memory && go_on_in_memory(start).is_ok() {
        return Ok(());
    }
    let copy = memory()?;
    while sendfile(copy, exe, None, CHUNK)? > 0 {}
    seal(copy)?;
    Err(sys::execve_fd(copy, start))
}

/// Unmaps the program file, and sets the link to an empty file.
fn go_on_in_memory(start: &Start) -> Done {
    let empty = memory()?;
    seal(empty)?;
    sys::leave_file(start, empty, None, None)
}

/// A file in memory that may be executed.
#[inline(never)]
fn memory() -> Result<Fd, Failure> {
    /// Linux 6.3: the file may be executed whatever `vm.memfd_noexec` is.
    const EXEC: MemfdFlags = MemfdFlags::from_bits_retain(linux_raw_sys::general::MFD_EXEC);
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = match memfd_create(c"nsinit", flags | EXEC).map_err(Failure::from) {
        Err(Failure::INVAL) => memfd_create(c"nsinit", flags)?,
        other => other?,
    };
    Ok(sys::keep_open(file))
}

/// Forbids writing to a file and changing its size.
#[inline(never)]
fn seal(file: Fd) -> Done {
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW;
    // F_SEAL_WRITE fails with EBUSY while the kernel uses a page of the file. F_SEAL_FUTURE_WRITE (Linux 5.1) forbids as much, because no
    // process has mapped this file.
    fcntl_add_seals(file, seals | SealFlags::FUTURE_WRITE)
        .or_else(|_| fcntl_add_seals(file, seals | SealFlags::WRITE))?;
    Ok(())
}
