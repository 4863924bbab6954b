//! `--pid-file`: the process id of process 1, while the command runs.

use core::ffi::CStr;

use rustix::fs::{AtFlags, FileType, FlockOperation, OFlags, Stat, flock, fstat, ftruncate, statat, unlinkat};
use rustix::io::pread;
use rustix::process::{Pid, geteuid};

use crate::fs::procfs;
use crate::ns::target;
use crate::report::hint;
use crate::report::message::blame_hint;
use crate::say;
use crate::spec::Spec;
use crate::state::Outside;
use crate::step::mortal;
use crate::sys::files::{self, Fd, HERE};
use crate::sys::{self, Done, Failure, Signal};
use crate::text::{self, Text};

/// Makes the file, empty, or takes over that of a process that has ended. Returns its directory and the file: the path may lead
/// elsewhere when the file is removed.
///
/// # Errors
/// EEXIST: the file exists already, and is not such a file; others: see open(2). Reported.
pub fn make(spec: &Spec<'_>) -> Result<(Fd, Fd), Failure> {
    let path = spec.channels.pid_file.unwrap_or_default();
    // If the file system does not answer, a lookup blocks already. A signal can end this one.
    let _ = mortal(|| files::look(HERE, path));
    let made = directory_of(path).and_then(|directory| Ok((directory, new(directory, last_of(path))?)));
    made.map_err(|why| blame_hint(say!("create pid file"), path, why, hint::of_pid_file(path, why).hint()))
}

/// The file is locked (flock(2)) as long as the launcher lives: a file that no process has locked is that of a dead launcher, of another
/// program, or on a file system without locks.
fn new(directory: Fd, name: &CStr) -> Result<Fd, Failure> {
    match files::create(directory, name, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, 0o644) {
        // Another launcher has found it before it was locked, and has taken it over.
        Ok(file) if lock(file) == Err(Failure::AGAIN) => Err(Failure::EXIST),
        Err(Failure::EXIST) => take_over(directory, name).ok_or(Failure::EXIST),
        made => made,
    }
}

fn lock(file: Fd) -> Done {
    Ok(flock(file, FlockOperation::NonBlockingLockExclusive)?)
}

/// Takes over a file that a process has left which has ended. It must be the caller's own and have no other name: in /tmp, another user
/// could make a file, or a link to one.
fn take_over(directory: Fd, name: &CStr) -> Option<Fd> {
    /// The longest number, and its newline.
    const MOST: usize = 11;
    let look = || statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).ok();
    let there = look()?;
    let is_own = FileType::from_raw_mode(there.st_mode) == FileType::RegularFile
        && there.st_uid == geteuid().as_raw()
        && there.st_nlink == 1
        && there.st_size <= MOST as _;
    if !is_own {
        return None;
    }
    let file = files::open(directory, name, OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK).ok()?;
    lock(file).ok()?;
    // Before it was locked, its launcher may have removed it, or written to it.
    let (locked, now) = (fstat(file).ok()?, look()?);
    let is_same = |other: &Stat| (other.st_dev, other.st_ino) == (locked.st_dev, locked.st_ino);
    let mut content = [0u8; MOST];
    let length = pread(file, &mut content[..], 0).ok()?;
    let content = content.get(..length)?;
    let is_free = content.is_empty()
        || text::number(text::before(content, b"\n").unwrap_or(content))
            .is_some_and(|number| has_ended(number, locked.st_mtime));
    if !is_same(&there) || !is_same(&now) || !is_free {
        return None;
    }
    ftruncate(file, 0).ok()?;
    Some(file)
}

/// Whether the process that had this number at that time, in seconds since 1970, has ended. If that is not known, it has not.
fn has_ended(number: u32, then: i64) -> bool {
    let Some(pid) = i32::try_from(number).ok().and_then(Pid::from_raw) else { return true };
    if sys::kill(pid.as_raw_nonzero().get(), Signal::new(0)) == Err(Failure::SRCH) {
        return true;
    }
    match procfs::open().and_then(|proc| target::with_number(proc, number)?.age()) {
        // Its parent has not waited for it.
        Err(Failure::SRCH) => true,
        // Another process has the number if it is younger than the file. Both clocks are read to the second.
        age => age.is_ok_and(|age| sys::seconds_since_1970() - (age / 100).cast_signed() > then + 1),
    }
}

/// Removes the file, if it is still the one that [`make`] made.
pub fn remove(spec: &Spec<'_>, outside: &Outside) {
    let Some((directory, file)) = outside.pid_file else { return };
    let name = last_of(spec.channels.pid_file.unwrap_or_default());
    if let (Ok(ours), Ok(there)) = (fstat(file), statat(directory, name, AtFlags::SYMLINK_NOFOLLOW))
        && (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)
    {
        let _ = unlinkat(directory, name, AtFlags::empty());
    }
}

/// The length of the part before the last component of `path`.
fn before_last(path: &CStr) -> usize {
    path.to_bytes().iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1)
}

/// Its last component.
pub fn last_of(path: &CStr) -> &CStr {
    sys::tail(path, before_last(path))
}

/// Opens (O_PATH) the directory that `path` leads to, without the last component.
///
/// # Errors
/// As [`files::directory`]; ENAMETOOLONG.
pub fn directory_of(path: &CStr) -> Result<Fd, Failure> {
    let mut directory = Text::new();
    directory.push(path.to_bytes().get(..before_last(path)).unwrap_or_default());
    if directory.is_full() {
        return Err(Failure::NAMETOOLONG);
    }
    // The path of a file in the working directory has no such part.
    files::directory(HERE, directory.byte(b'.').c_str())
}
