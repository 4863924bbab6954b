//! The caller's /proc, verified before anything is believed or written: a file tree that looks like procfs could
//! swallow an id map, or send it elsewhere (CVE-2019-16884, CVE-2025-52881).

use core::ffi::CStr;
use rustix::fs::{OFlags, PROC_SUPER_MAGIC, fstat, fstatfs};
use rustix::process::Pid;

use crate::fs::mount_fd;
use crate::sys::files::{self, Fd, HERE, read, write};
use crate::sys::{self, Done, Failure, Signal};
use crate::text::{self, PATH, Text};

/// The inode number of procfs's root, PROC_ROOT_INO.
const ROOT_INODE: u64 = 1;

/// The root of a procfs that counts processes as we do; where /proc is none, one of our own that nobody else sees.
///
/// # Errors
/// Why there is none.
pub fn open() -> Result<Fd, Failure> {
    match files::directory(HERE, c"/proc") {
        Ok(proc) if is_ours(proc) => Ok(proc),
        // Not for a reason of its own: what we could make could not be opened either.
        Err(why @ (Failure::MFILE | Failure::NFILE | Failure::NOMEM)) => Err(why),
        _ => mount_fd::detached(c"proc", &[], 0),
    }
}

/// The mount at /proc, if it is a procfs.
#[must_use]
pub fn mounted() -> Option<Fd> {
    files::directory(HERE, c"/proc").ok().filter(|proc| is_ours(*proc))
}

/// Whether it is procfs, whole, and of our own pid namespace: `self` names us by our own number.
fn is_ours(proc: Fd) -> bool {
    let mut pid = Text::new();
    pid.push_own_id();
    is_procfs(proc)
        && fstat(proc).is_ok_and(|stat| stat.st_ino == ROOT_INODE)
        && files::read_link(proc, c"self", &mut [0; 16]).is_ok_and(|link| link == pid.bytes())
}

/// Whether it is in a procfs.
#[must_use]
pub fn is_procfs(fd: Fd) -> bool {
    file_system(fd) == Ok(PROC_SUPER_MAGIC as u64)
}

/// The number of the kind of file system that something is on, statfs(2).
///
/// # Errors
/// Those of statfs(2).
pub fn file_system(fd: Fd) -> Result<u64, Failure> {
    Ok(fstatfs(fd)?.f_type as u64)
}

/// The directory of a process in `proc`.
///
/// # Errors
/// Those of openat(2).
pub fn process(proc: Fd, pid: Pid) -> Result<Fd, Failure> {
    let mut number = Text::new();
    number.push_number(pid.as_raw_nonzero().get().cast_unsigned());
    files::look(proc, number.c_str())
}

/// A file of a process's directory, through no link at its end and nothing that is mounted over it.
///
/// # Errors
/// Those of openat(2); EXDEV if something that is no procfs is mounted there.
pub fn open_file(process: Fd, name: &CStr, flags: OFlags) -> Result<Fd, Failure> {
    let file = files::open(process, name, flags | OFlags::NOFOLLOW)?;
    if is_procfs(file) { Ok(file) } else { Err(Failure::XDEV) }
}

/// Writes a context to a file of `proc` that a security module reads (SELinux: `self/attr/exec`, `self/attr/fscreate`).
///
/// # Errors
/// EINVAL where there is none, or none that knows the context.
pub fn label(proc: Fd, file: &CStr, label: Option<&CStr>) -> Done {
    let file = files::open(proc, file, OFlags::WRONLY)?;
    match write(file, label.unwrap_or_default().to_bytes_with_nul()) {
        Ok(_) => Ok(()),
        Err(Failure::INVAL) => Err(Failure::NO_LABELS),
        Err(why) => Err(why),
    }
}

/// Passes on to the session that `leader` leads, or to it alone as long as it leads none, what the terminal has sent.
///
/// What stops jobs does not stop an orphaned process group, nor process 1 of a pid namespace (setpgid(2), pid_namespaces(7)): a
/// leader that leaves it to the kernel gets SIGSTOP.
pub fn signal_session(leader: Pid, signal: Signal) {
    let stops = matches!(signal, Signal::TSTP | Signal::TTIN | Signal::TTOU);
    let signal = if stops && is_left_to_kernel(leader, signal) == Ok(true) { Signal::STOP } else { signal };
    let number = leader.as_raw_nonzero().get();
    if sys::kill(-number, signal).is_err() {
        let _ = sys::kill(number, signal);
    }
}

/// Whether a process neither blocks, ignores nor handles `signal` (proc_pid_status(5)).
fn is_left_to_kernel(pid: Pid, signal: Signal) -> Result<bool, Failure> {
    let mut status = [0u8; PATH];
    let file = open_file(process(open()?, pid)?, c"status", OFlags::RDONLY)?;
    let length = read(file, &mut status)? as usize;
    let mut rest = status.get(..length).unwrap_or_default();
    let mut found = 0;
    while let Some(line) = text::word(&mut rest, b'\n') {
        for name in [&b"SigBlk:\t"[..], b"SigIgn:\t", b"SigCgt:\t"] {
            if let Some(mask) = text::after(line, name) {
                if has(mask, signal) {
                    return Ok(false);
                }
                found += 1;
            }
        }
    }
    // Behind hundreds of groups they are not found.
    Ok(found == 3)
}

/// Whether a mask of signals, in 16 hexadecimal digits, has that one.
fn has(mask: &[u8], signal: Signal) -> bool {
    let bit = signal.number().cast_unsigned() as usize - 1;
    let digit = match mask.iter().rev().nth(bit / 4) {
        Some(digit @ b'0'..=b'9') => digit - b'0',
        Some(digit @ b'a'..=b'f') => digit - b'a' + 10,
        _ => 0,
    };
    digit >> (bit % 4) & 1 == 1
}
