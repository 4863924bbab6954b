//! The caller's /proc, verified before it is read or written: a directory that only looks like a procfs could swallow an id map, or
//! redirect the write (CVE-2019-16884, CVE-2025-52881).

use core::ffi::CStr;
use rustix::fs::{OFlags, PROC_SUPER_MAGIC, fstat, fstatfs};
use rustix::process::Pid;

use crate::fs::mount_fd;
use crate::sys::files::{self, Fd, HERE, read, write};
use crate::sys::{self, Done, Failure, Signal};
use crate::text::{self, PATH, Short};

/// The inode number of procfs's root, PROC_ROOT_INO.
const ROOT_INODE: u64 = 1;

/// The root of a procfs of this pid namespace: /proc, or a new mount that no other process sees.
///
/// # Errors
/// EMFILE, ENFILE, ENOMEM: no descriptor can be opened; EPERM: no procfs may be mounted; ENOSYS: none can be mounted before Linux 5.2.
pub fn open() -> Result<Fd, Failure> {
    match files::directory(HERE, c"/proc") {
        Ok(proc) if is_ours(proc) => Ok(proc),
        // A new mount could not be opened either.
        Err(why @ (Failure::MFILE | Failure::NFILE | Failure::NOMEM)) => Err(why),
        _ => mount_fd::detached(c"proc", &[], 0),
    }
}

/// The mount at /proc, if it is a procfs.
#[must_use]
pub fn mounted() -> Option<Fd> {
    files::directory(HERE, c"/proc").ok().filter(|proc| is_ours(*proc))
}

/// Whether it is the root of a procfs of this pid namespace: `self` has the pid of this process.
fn is_ours(proc: Fd) -> bool {
    let mut pid = Short::new();
    pid.push_own_id();
    is_procfs(proc)
        && fstat(proc).is_ok_and(|stat| stat.st_ino == ROOT_INODE)
        && files::read_link(proc, c"self", &mut [0; 16]).is_ok_and(|link| link == pid.bytes())
}

/// Whether a file is in a procfs.
#[must_use]
pub fn is_procfs(fd: Fd) -> bool {
    file_system(fd) == Ok(PROC_SUPER_MAGIC as u64)
}

/// The type of the file system that a file is on (`f_type` of statfs(2)).
///
/// # Errors
/// EIO, ENOSYS: see statfs(2).
pub fn file_system(fd: Fd) -> Result<u64, Failure> {
    Ok(fstatfs(fd)?.f_type as u64)
}

/// Opens (O_PATH) the directory of a process in `proc`.
///
/// # Errors
/// ENOENT: there is no such process, or hidepid hides it (proc(5)); EMFILE, ENFILE: no descriptor can be opened.
pub fn process(proc: Fd, pid: Pid) -> Result<Fd, Failure> {
    let mut number = Short::new();
    number.push_number(pid.as_raw_nonzero().get().cast_unsigned());
    files::look(proc, number.c_str())
}

/// Opens a file in the directory of a process. It must not be a symbolic link, and nothing of another file system may be mounted on it.
///
/// # Errors
/// EXDEV: another file system is mounted there; ELOOP: it is a link; ENOENT, EACCES: see openat(2).
pub fn open_file(process: Fd, name: &CStr, flags: OFlags) -> Result<Fd, Failure> {
    let file = files::open(process, name, flags | OFlags::NOFOLLOW)?;
    if is_procfs(file) { Ok(file) } else { Err(Failure::XDEV) }
}

/// Writes a context to a file of `proc` that a security module reads (SELinux: `self/attr/exec`, `self/attr/fscreate`).
///
/// # Errors
/// [`Failure::NO_LABELS`]: there is no such module, or it does not know the context; ENOENT, EACCES: see open(2).
pub fn label(proc: Fd, file: &CStr, label: Option<&CStr>) -> Done {
    let file = files::open(proc, file, OFlags::WRONLY)?;
    match write(file, label.unwrap_or_default().to_bytes_with_nul()) {
        Ok(_) => Ok(()),
        Err(Failure::INVAL) => Err(Failure::NO_LABELS),
        Err(why) => Err(why),
    }
}

/// Sends a signal of the terminal to the session that `leader` leads, or to `leader` alone if it leads none yet.
///
/// The signals that stop jobs stop neither an orphaned process group nor process 1 of a pid namespace (setpgid(2),
/// pid_namespaces(7)): a leader with the default action for them gets SIGSTOP instead.
pub fn signal_session(leader: Pid, signal: Signal) {
    let stops = matches!(signal, Signal::TSTP | Signal::TTIN | Signal::TTOU);
    let signal = if stops && is_left_to_kernel(leader, signal) == Ok(true) { Signal::STOP } else { signal };
    let number = leader.as_raw_nonzero().get();
    if sys::kill(-number, signal).is_err() {
        let _ = sys::kill(number, signal);
    }
}

/// The lines with the masks of the signals that a process blocks, ignores or handles (proc_pid_status(5)).
static HANDLED: &[&[u8]] = &[b"SigBlk:\t", b"SigIgn:\t", b"SigCgt:\t"];

/// Whether a process neither blocks, ignores nor handles `signal` (proc_pid_status(5)).
fn is_left_to_kernel(pid: Pid, signal: Signal) -> Result<bool, Failure> {
    let mut status = [0u8; PATH];
    let file = open_file(process(open()?, pid)?, c"status", OFlags::RDONLY)?;
    let length = read(file, &mut status)? as usize;
    let mut rest = status.get(..length).unwrap_or_default();
    let mut found = 0;
    while let Some(line) = text::word(&mut rest, b'\n') {
        for name in HANDLED {
            if let Some(mask) = text::after(line, name) {
                if has(mask, signal) {
                    return Ok(false);
                }
                found += 1;
            }
        }
    }
    // In a process with hundreds of groups these lines do not fit into the buffer.
    Ok(found == HANDLED.len())
}

/// Whether a mask of signals, in 16 hexadecimal digits, has that signal.
fn has(mask: &[u8], signal: Signal) -> bool {
    let bit = signal.number().cast_unsigned() as usize - 1;
    let digit = match mask.iter().rev().nth(bit / 4) {
        Some(digit @ b'0'..=b'9') => digit - b'0',
        Some(digit @ b'a'..=b'f') => digit - b'a' + 10,
        _ => 0,
    };
    digit >> (bit % 4) & 1 == 1
}
