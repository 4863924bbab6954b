//! Somebody else's process, and the namespaces that it is in (namespaces(7)).
//!
//! A number may be another process's a moment later. So the process is held by a descriptor first, and all that is asked
//! of it is asked of one directory of /proc, which never becomes another's.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{OFlags, fstat};
use rustix::process::Pid;

use crate::fs::procfs;
use crate::report::hint;
use crate::report::message::blame_hint;
use crate::say;
use crate::sys::files::{self, Fd, HERE, read};
use crate::sys::{self, Done, Failure, c_str, tail};
use crate::text::{self, PATH, Text};

/// The kinds, by what is below /proc/PID, and as CLONE_NEW*.
static NAMES: &[u8] = b"ns/cgroup\0ns/ipc\0ns/mnt\0ns/net\0ns/pid\0ns/time\0ns/user\0ns/uts\0";
/// See [`NAMES`].
static FLAGS: [u32; KINDS] = [
    raw::CLONE_NEWCGROUP,
    raw::CLONE_NEWIPC,
    raw::CLONE_NEWNS,
    raw::CLONE_NEWNET,
    raw::CLONE_NEWPID,
    raw::CLONE_NEWTIME,
    raw::CLONE_NEWUSER,
    raw::CLONE_NEWUTS,
];
const KINDS: usize = 8;

/// Each kind of namespace with its path below /proc/PID.
pub fn kinds() -> impl Iterator<Item = (u32, &'static CStr)> {
    FLAGS.iter().copied().zip(text::strings(NAMES))
}

/// The name of a kind, from its path below /proc/PID.
#[must_use]
pub fn name(path: &'static CStr) -> &'static [u8] {
    tail(path, b"ns/".len()).to_bytes()
}

/// A process that nothing else can come to be in the place of.
#[derive(Clone, Copy)]
pub struct Other {
    /// Its directory in /proc.
    pub directory: Fd,
    /// Itself, where the kernel has that (Linux 5.3).
    pub handle: Option<Fd>,
    /// It stands for its parent.
    pub stands_in: bool,
}

/// Finds a process: by its number, by a file that holds it, or, `fd:N`, by a descriptor (pidfd_open(2)). Where it is process
/// 1 of a container of nsinit's, which nobody but root may look into, its first child stands for it.
///
/// # Errors
/// ESRCH: there is none; EACCES, EPERM: it may not be looked into; those of open(2).
pub fn find(who: &CStr, proc: Fd) -> Result<Other, Failure> {
    if let Some(fd) = text::after(who.to_bytes(), FD) {
        let fd = text::number(fd).ok_or(Failure::BADF)?;
        let number = pid_of(fd, proc)?;
        return holding(proc, number, Some(sys::given(fd)));
    }
    let mut content = [0u8; PATH];
    let number = match text::number(who.to_bytes()) {
        Some(number) => number,
        None => {
            read_into(HERE, who, &mut content)
                .map_err(|why| if why == Failure::TOO_LONG { Failure::NO_PROCESS } else { why })?;
            let line = text::first(c_str(&content).to_bytes(), b'\n');
            text::number(line).ok_or(Failure::NO_PROCESS)?
        }
    };
    let other = with_number(proc, number)?;
    match look_into(other) {
        Err(Failure::ACCESS | Failure::PERM) => {}
        done => return done.map(|()| other),
    }
    let child = first_child(other, number)?;
    let found = with_number(proc, child)?;
    look_into(found)?;
    // Now that it is held: the number has not become another's in between.
    if first_child(other, number)? != child {
        return Err(Failure::SRCH);
    }
    Ok(Other { stands_in: true, ..found })
}

/// The number of its first child, which nobody is kept from reading.
fn first_child(of: Other, number: u32) -> Result<u32, Failure> {
    let (mut path, mut content) = (Text::new(), [0u8; PATH]);
    path.push(b"task/").push_number(number).push(b"/children");
    read_into(of.directory, path.c_str(), &mut content)?;
    text::number(text::first(c_str(&content).to_bytes(), b' ')).ok_or(Failure::ACCESS)
}

/// What begins the word for a descriptor.
pub const FD: &[u8] = b"fd:";

/// By open(2): where it may not be looked into, Linux 5.10 has stat(2) tell of something else.
fn look_into(other: Other) -> Done {
    match files::open(other.directory, c"ns/user", OFlags::RDONLY) {
        Ok(_) => Ok(()),
        // It has ended and not been reaped.
        Err(Failure::NOENT) => Err(Failure::SRCH),
        Err(why) => Err(why),
    }
}

fn with_number(proc: Fd, number: u32) -> Result<Other, Failure> {
    let handle = match sys::pidfd_open(number) {
        Err(Failure::NOSYS | Failure::PERM) => None,
        // What is no number of a process, but of a thread, or of nothing.
        Err(Failure::INVAL | Failure::NOENT) => return Err(Failure::SRCH),
        other => Some(other?),
    };
    holding(proc, number, handle)
}

fn holding(proc: Fd, number: u32, handle: Option<Fd>) -> Result<Other, Failure> {
    let pid = Pid::from_raw(number.cast_signed()).ok_or(Failure::SRCH)?;
    let directory =
        procfs::process(proc, pid).map_err(|why| if why == Failure::NOENT { Failure::SRCH } else { why })?;
    match handle.map(sys::has_ended) {
        // The directory is its last, or another's, who came after it.
        Some(true) => Err(Failure::SRCH),
        _ => Ok(Other { directory, handle, stands_in: false }),
    }
}

/// The number of the process that the descriptor is, proc_pid_fdinfo(5).
fn pid_of(fd: u32, proc: Fd) -> Result<u32, Failure> {
    let (mut path, mut content) = (Text::new(), [0u8; PATH]);
    path.push(b"self/fdinfo/").push_number(fd);
    read_into(proc, path.c_str(), &mut content)
        .map_err(|why| if why == Failure::NOENT { Failure::BADF } else { why })?;
    let number = line_after(&content, b"Pid:\t").ok_or(Failure::NO_PROCESS)?;
    // -1, when it has ended.
    text::number(number).filter(|number| *number > 0).ok_or(Failure::SRCH)
}

/// The rest of the line that begins so.
fn line_after<'t>(content: &'t [u8; PATH], beginning: &[u8]) -> Option<&'t [u8]> {
    let mut rest = c_str(content).to_bytes();
    while let Some(line) = text::word(&mut rest, b'\n') {
        if let Some(found) = text::after(line, beginning) {
            return Some(found);
        }
    }
    None
}

/// Whether two lists of cgroups differ in what is of version 1.
fn differ_in_old(one: &[u8; PATH], other: &[u8; PATH]) -> bool {
    let (mut one, mut other) = (c_str(one).to_bytes(), c_str(other).to_bytes());
    while let (Some(its), Some(own)) = (text::word(&mut one, b'\n'), text::word(&mut other, b'\n')) {
        if its != own && text::after(its, VERSION_2).is_none() {
            return true;
        }
    }
    false
}

/// A file, behind which there is a NUL, if it is no longer.
fn read_into(directory: rustix::fd::BorrowedFd<'_>, path: &CStr, content: &mut [u8; PATH]) -> Done {
    let file = files::open(directory, path, OFlags::RDONLY | OFlags::NONBLOCK)?;
    let (place, _) = content.split_at_mut(PATH - 1);
    let length = read(file, place)? as usize;
    if length == PATH - 1 {
        return Err(Failure::TOO_LONG);
    }
    content.iter_mut().skip(length).for_each(|byte| *byte = 0);
    Ok(())
}

/// The namespaces of a process: their inode numbers, in the order of [`kinds`]; 0 for a kind that the kernel does not have.
pub type Namespaces = [u64; KINDS];

/// Those of a process, whose directory in /proc is `process`. They stay open, so that their numbers do not come to be others'.
fn namespaces(process: Fd, pid: &CStr) -> Result<Namespaces, Failure> {
    let mut found = [0; KINDS];
    for ((kind, path), number) in kinds().zip(&mut found) {
        let path = if kind == raw::CLONE_NEWPID { pid } else { path };
        match files::open(process, path, OFlags::RDONLY) {
            Ok(file) => *number = fstat(file)?.st_ino,
            Err(Failure::NOENT) => {}
            Err(why) => return Err(why),
        }
    }
    Ok(found)
}

/// Those that our next child will be in (namespaces(7), `pid_for_children`).
///
/// # Errors
/// Those of open(2).
pub fn ours(proc: Fd) -> Result<Namespaces, Failure> {
    namespaces(files::directory(proc, c"self")?, c"ns/pid_for_children")
}

/// The kinds (CLONE_NEW*) in which two processes differ, of those that both have.
#[must_use]
pub fn differing(one: &Namespaces, other: &Namespaces) -> u32 {
    let mut differing = 0;
    for (kind, (one, other)) in FLAGS.iter().zip(one.iter().zip(other)) {
        if one != other && *one != 0 && *other != 0 {
            differing |= kind;
        }
    }
    differing
}

impl Other {
    /// Its namespaces.
    ///
    /// # Errors
    /// EACCES, EPERM: it may not be looked into; ESRCH: it has ended.
    pub fn namespaces(self) -> Result<Namespaces, Failure> {
        look_into(self)?;
        namespaces(self.directory, c"ns/pid")
    }

    /// The lowest id that is mapped in its user namespace: `map` is `uid_map` or `gid_map`.
    ///
    /// # Errors
    /// Those of open(2); [`Failure::NO_IDS`]: none is mapped.
    pub fn lowest_id(self, map: &CStr) -> Result<u32, Failure> {
        let mut content = [0u8; PATH];
        read_into(self.directory, map, &mut content)?;
        let mut rest = c_str(&content).to_bytes();
        let mut lowest = None;
        while let Some(line) = text::word(&mut rest, b'\n') {
            let mut fields = line;
            while let Some(field) = text::word(&mut fields, b' ') {
                if let Some(id) = text::number(field) {
                    lowest = Some(lowest.map_or(id, |lowest: u32| lowest.min(id)));
                    break;
                }
            }
        }
        lowest.ok_or(Failure::NO_IDS)
    }

    /// The list of the processes in its cgroup (cgroups(7), version 2), open for writing, if that is not ours too; and in `old`,
    /// whether it is in another one of version 1.
    ///
    /// # Errors
    /// EXDEV: it lies outside of what we see of the cgroups; ENOENT: they are not mounted; EACCES: it may not be joined;
    /// [`Failure::OLD_CGROUP`]: it is in another one of version 1, which is not joined, and in none of version 2.
    pub fn cgroup(self, proc: Fd, old: &mut bool) -> Result<Option<Fd>, Failure> {
        let (mut its, mut own) = ([0u8; PATH], [0u8; PATH]);
        read_into(self.directory, c"cgroup", &mut its)?;
        read_into(proc, c"self/cgroup", &mut own)?;
        *old = differ_in_old(&its, &own);
        let (its, own) = (line_after(&its, VERSION_2), line_after(&own, VERSION_2));
        let Some(path) = its.filter(|_| its != own) else {
            return if *old { Err(Failure::OLD_CGROUP) } else { Ok(None) };
        };
        let path = text::after(path, b"/").ok_or(Failure::XDEV)?;
        if text::after(path, b"..").is_some() {
            return Err(Failure::XDEV);
        }
        for place in [c"/sys/fs/cgroup", c"/sys/fs/cgroup/unified"] {
            if let Ok(tree) = files::directory(HERE, place)
                && procfs::file_system(tree) == Ok(CGROUP2)
            {
                let mut file = Text::new();
                file.push(path).push(if path.is_empty() { b"" } else { b"/" }).push(b"cgroup.procs");
                return files::open(tree, file.c_str(), OFlags::WRONLY).map(Some);
            }
        }
        Err(Failure::NOENT)
    }

    /// Joins all of `kinds` with one call, or where the kernel does not take a process (before Linux 5.8), one by one.
    ///
    /// # Errors
    /// Those of setns(2).
    pub fn join(self, kinds: u32) -> Done {
        match self.handle.map_or(Err(Failure::INVAL), |handle| sys::join(fd(handle), kinds)) {
            Err(Failure::INVAL) => {}
            done => return done,
        }
        let mut list = [(0, 0); KINDS];
        for ((kind, path), entry) in self::kinds().zip(&mut list).filter(|((kind, _), _)| kinds & kind != 0) {
            *entry = (kind, fd(files::open(self.directory, path, OFlags::RDONLY)?));
        }
        one_by_one(&mut list).map_err(|(_, why)| why)
    }
}

/// `CGROUP2_SUPER_MAGIC`.
const CGROUP2: u64 = 0x6367_7270;
/// What begins the line of /proc/PID/cgroup that tells of version 2.
const VERSION_2: &[u8] = b"0::";

fn fd(fd: Fd) -> u32 {
    crate::state::descriptors::number(Some(fd))
}

/// Joins namespaces, a kind and a descriptor each. Some may only be joined by who is in a user namespace, some only by who is
/// not in it yet: what does not go before goes after. Of those that fail, the first and why.
fn one_by_one(list: &mut [(u32, u32)]) -> Result<(), (u32, Failure)> {
    for last in [false, true] {
        // The user namespace between the two rounds.
        for user in [last, !last] {
            let mut failed = Ok(());
            for (kind, fd) in list.iter_mut().filter(|(kind, _)| (*kind == raw::CLONE_NEWUSER) == user) {
                if *kind == 0 {
                    continue;
                }
                match sys::join(*fd, *kind) {
                    Ok(()) => *kind = 0,
                    Err(why) if failed.is_ok() => failed = Err((*kind, why)),
                    Err(_) => {}
                }
            }
            if last || user {
                failed?;
            }
        }
    }
    Ok(())
}

/// Joins what was named, all or none that matters: who fails goes no further.
///
/// # Errors
/// Which could not be found or joined, reported.
pub fn join_named(named: &[(u32, &CStr)], proc: Fd) -> Done {
    let mut list = [(0, 0); KINDS];
    let failed = |kind: u32, why: Failure| {
        let mut on = Text::new();
        for (_, path) in kinds().filter(|(other, _)| *other == kind) {
            on.push(name(path));
        }
        for (_, word) in named.iter().filter(|(other, _)| *other == kind) {
            on.byte(b' ').push(word.to_bytes());
        }
        let with_user = named.iter().any(|(kind, _)| *kind == raw::CLONE_NEWUSER);
        blame_hint(say!("join namespace"), on.c_str(), why, hint::of_join(with_user, why).hint())
    };
    for ((kind, word), entry) in named.iter().zip(&mut list) {
        *entry = (*kind, open(*kind, word, proc).map_err(|why| failed(*kind, why))?);
    }
    one_by_one(&mut list).map_err(|(kind, why)| failed(kind, why))
}

/// `NSFS_MAGIC`.
const NAMESPACES: u64 = 0x6e73_6673;

/// The namespace that a word names: a process's, a descriptor, a path.
fn open(kind: u32, word: &CStr, proc: Fd) -> Result<u32, Failure> {
    if let Some(number) = text::after(word.to_bytes(), FD) {
        return text::number(number).ok_or(Failure::BADF);
    }
    if text::number(word.to_bytes()).is_none() {
        let file = files::open(HERE, word, OFlags::RDONLY | OFlags::NONBLOCK)?;
        if procfs::file_system(file) == Ok(NAMESPACES) {
            return Ok(fd(file));
        }
    }
    let other = find(word, proc)?;
    let path = kinds().find(|(its, _)| *its == kind).map_or(c"", |(_, path)| path);
    files::open(other.directory, path, OFlags::RDONLY).map(fd)
}
