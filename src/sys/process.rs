//! Processes: fork, exit, their numbers, limits and attributes.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::process::Pid;

use super::call::done;
use super::{Done, Failure};

/// The two answers of a fork.
pub enum Fork {
    /// In the process that called; the number is the child's pid.
    Parent(Pid),
    Child,
}

fn forked(pid: u32) -> Fork {
    Pid::from_raw(pid as i32).map_or(Fork::Child, Fork::Parent)
}

/// clone3(2) like a fork (the memory is copied), with `flags` (CLONE_NEW*); SIGCHLD at the child's end.
///
/// # Errors
/// ENOSYS before Linux 5.3, EPERM or ENOSYS from a seccomp filter outside, and those of clone3(2).
pub fn clone3(flags: u32) -> Result<Fork, Failure> {
    let args = raw::clone_args {
        flags: u64::from(flags),
        pidfd: 0,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: raw::SIGCHLD.into(),
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: 0,
    };
    // Without CLONE_VM the child goes on with a copy of this stack; no other thread exists, so no lock is held.
    call!(__NR_clone3, &raw const args, size_of::<raw::clone_args>()).map(forked)
}

/// clone(2) like a fork, for kernels without clone3. CLONE_NEWTIME has no bit here (it is part of CSIGNAL).
///
/// # Errors
/// Those of clone(2).
pub fn clone_old(flags: u32) -> Result<Fork, Failure> {
    // The arguments that stand in another order on some architectures are all null.
    call!(__NR_clone, (flags | raw::SIGCHLD) as usize, 0usize, 0usize, 0usize, 0usize).map(forked)
}

/// _exit(2) of the whole process.
pub fn exit(status: i32) -> ! {
    loop {
        let _ = call!(__NR_exit_group, status);
    }
}

/// getpid(2), once, before it is taken for a call that never fails: a filter around us can refuse it, and an error would be
/// a number to kill(2), that of everybody.
///
/// # Errors
/// What the filter says.
pub fn own_number() -> Result<u32, Failure> {
    call!(__NR_getpid)
}

/// Whether our parent is that process, getppid(2), by its number in our pid namespace.
///
/// # Errors
/// What a filter around us says.
pub fn is_child_of(parent: Option<Pid>) -> Result<bool, Failure> {
    Ok(Pid::from_raw(call!(__NR_getppid)? as i32) == parent)
}

/// Our process group, getpgid(2), if it has a number in our pid namespace.
#[must_use]
pub fn own_group() -> Option<Pid> {
    call!(__NR_getpgid, 0u32).ok().and_then(|group| Pid::from_raw(group as i32))
}

/// Whether there is a process of that number, in a process group that has none in our pid namespace, getpgid(2).
#[must_use]
pub fn is_of_no_group(pid: u32) -> bool {
    call!(__NR_getpgid, pid) == Ok(0)
}

/// Whether we lead a session, getsid(2).
#[must_use]
pub fn leads_session() -> bool {
    call!(__NR_getsid, 0u32) == Ok(rustix::process::getpid().as_raw_nonzero().get().cast_unsigned())
}

/// Whether we may run on more than one processor, sched_getaffinity(2).
#[must_use]
pub fn has_processors_to_spare() -> bool {
    /// As many processors as the kernel can be built for.
    const MOST: usize = 8192;
    let mut set = [0usize; MOST / usize::BITS as usize];
    let read = call!(__NR_sched_getaffinity, 0u32, size_of_val(&set), set.as_mut_ptr());
    // A word counts once for its lowest processor and once for all others: count_ones takes 80 bytes more.
    let count = |word: &usize| u32::from(*word != 0) + u32::from(*word & word.wrapping_sub(1) != 0);
    read.is_ok() && set.iter().map(count).sum::<u32>() > 1
}

/// prctl(2) with one argument; for operations that take a number and return nothing.
///
/// # Errors
/// Those of the operation.
pub fn prctl(operation: u32, argument: usize) -> Done {
    done(call!(__NR_prctl, operation, argument, 0usize, 0usize, 0usize))
}

/// prctl(PR_SET_NAME): the name in `ps` and /proc/PID/comm.
pub fn set_name(name: &CStr) {
    let _ = call!(__NR_prctl, linux_raw_sys::prctl::PR_SET_NAME, name.as_ptr(), 0usize, 0usize, 0usize);
}

/// RLIMIT_CORE, getrlimit(2): the limit, and what it may be raised to.
///
/// # Errors
/// As [`limit_of`].
pub fn core_limit() -> Result<[u64; 2], Failure> {
    limit_of(raw::RLIMIT_CORE)
}

/// A limit (RLIMIT_*), getrlimit(2), and what it may be raised to.
///
/// # Errors
/// A filter's: rustix takes it for a call that can't fail.
pub fn limit_of(resource: u32) -> Result<[u64; 2], Failure> {
    let mut limit = [0u64; 2];
    call!(__NR_prlimit64, 0u32, resource, core::ptr::null::<u64>(), limit.as_mut_ptr())?;
    Ok(limit)
}

/// RLIMIT_CORE, setrlimit(2): ours, and that of the processes that we start.
///
/// # Errors
/// EPERM: the second is more than it was.
pub fn limit_core(limit: [u64; 2]) -> Done {
    done(call!(__NR_prlimit64, 0u32, raw::RLIMIT_CORE, limit.as_ptr(), core::ptr::null_mut::<u64>()))
}

/// umask(2); the mask before. It can't fail, but a filter around us can forbid it.
///
/// # Errors
/// The filter's.
pub fn umask(mask: u32) -> Result<u32, Failure> {
    call!(__NR_umask, mask)
}

/// setfsgid(2) and setfsuid(2): whose the files that are made come to be. Ids that are not mapped are not taken.
pub fn make_files_as(uid: u32, gid: u32) {
    #[cfg(any(target_arch = "arm", target_arch = "x86"))]
    let _ = (call!(__NR_setfsgid32, gid), call!(__NR_setfsuid32, uid));
    #[cfg(not(any(target_arch = "arm", target_arch = "x86")))]
    let _ = (call!(__NR_setfsgid, gid), call!(__NR_setfsuid, uid));
}

/// setgroups(2) to none.
///
/// # Errors
/// EPERM without CAP_SETGID or where it is denied (user_namespaces(7)).
pub fn clear_groups() -> Done {
    #[cfg(any(target_arch = "arm", target_arch = "x86"))]
    return done(call!(__NR_setgroups32, 0usize, 0usize));
    #[cfg(not(any(target_arch = "arm", target_arch = "x86")))]
    done(call!(__NR_setgroups, 0usize, 0usize))
}
