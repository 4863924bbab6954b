//! Processes: fork, exit, their numbers, and the attributes that a child inherits.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use linux_raw_sys::prctl as operation;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::process::Pid;

use super::call::done;
use super::{Done, Failure};

/// The two answers of a fork.
pub enum Fork {
    /// In the process that called: the child's pid.
    Parent(Pid),
    /// In the child.
    Child,
}

fn forked(pid: u32) -> Fork {
    Pid::from_raw(pid as i32).map_or(Fork::Child, Fork::Parent)
}

/// clone3(2) as a fork, with `flags` (CLONE_*), and into a cgroup of version 2 (CLONE_INTO_CGROUP). The child has a copy of the memory: CLONE_VM, with which two processes would run on
/// one stack, is cleared. The parent gets SIGCHLD at the child's end.
///
/// # Errors
/// ENOSYS: Linux is older than 5.3, or a seccomp filter of the caller's answers so. EPERM: such a filter, or no right to make
/// one of the namespaces. ENOSPC: a limit of namespaces (/proc/sys/user, or 32 nested levels). EAGAIN: a limit of processes
/// (RLIMIT_NPROC, pids.max). EBADF: `cgroup` is none. EINVAL, E2BIG: with a cgroup, Linux is older than 5.7. EACCES: no right to move
/// a process from our cgroup to it. EBUSY, EOPNOTSUPP: it may have no processes. Others: clone(2).
pub fn clone3(flags: u32, cgroup: Option<BorrowedFd<'_>>) -> Result<Fork, Failure> {
    // CLONE_INTO_CGROUP
    let into = if cgroup.is_some() { 1 << 33 } else { 0 };
    let args = raw::clone_args {
        flags: u64::from(flags & !raw::CLONE_VM) | into,
        pidfd: 0,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: raw::SIGCHLD.into(),
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: cgroup.map_or(0, |cgroup| cgroup.as_raw_fd().cast_unsigned().into()),
    };
    // SAFETY: the kernel copies the struct, whose size goes with it, before it forks; all addresses in it are null. Without
    // CLONE_VM the child continues on a copy of this stack. No other thread exists, so no lock is held in the copy.
    unsafe { call!(__NR_clone3, &raw const args, size_of::<raw::clone_args>()) }.map(forked)
}

/// clone(2) as a fork, for kernels without clone3(2). CLONE_NEWTIME cannot be among the flags: its bit belongs to CSIGNAL.
///
/// # Errors
/// As [`clone3`], but ENOSYS.
pub fn clone_old(flags: u32) -> Result<Fork, Failure> {
    // SAFETY: the stack and all other pointers are null, so the order of the arguments, which differs between architectures,
    // is the same everywhere, and the child continues on a copy of this stack.
    unsafe { call!(__NR_clone, (flags & !raw::CLONE_VM | raw::SIGCHLD) as usize, 0usize, 0usize, 0usize, 0usize) }
        .map(forked)
}

/// _exit(2) of the whole process, with the low 8 bits of `status`.
pub fn exit(status: i32) -> ! {
    loop {
        // SAFETY: exit_group(2) takes a number, and no instruction of this process follows it.
        let _ = unsafe { call!(__NR_exit_group, status) };
    }
}

/// Our pid, getpid(2). A seccomp filter of the caller's can refuse the call, and rustix takes it for one that never fails: the
/// negative errno would become an argument of kill(2), where a negative number is a process group and -1 every process. So
/// this function is called once, before all other uses of getpid(2).
///
/// # Errors
/// The errno of the filter.
pub fn own_number() -> Result<u32, Failure> {
    // SAFETY: getpid(2) takes no argument.
    unsafe { call!(__NR_getpid) }
}

/// Whether our parent is `parent`, getppid(2). `None` is a parent outside of our pid namespace.
///
/// # Errors
/// The errno of a seccomp filter of the caller's.
pub fn is_child_of(parent: Option<Pid>) -> Result<bool, Failure> {
    // SAFETY: getppid(2) takes no argument.
    let number = unsafe { call!(__NR_getppid) }?;
    Ok(Pid::from_raw(number as i32) == parent)
}

/// Our process group, getpgid(2). `None`: it has no number in our pid namespace.
#[must_use]
pub fn own_group() -> Option<Pid> {
    // SAFETY: the argument is a number; 0 is this process.
    unsafe { call!(__NR_getpgid, 0u32) }.ok().and_then(|group| Pid::from_raw(group as i32))
}

/// Whether the process `pid` exists and its process group has no number in our pid namespace, getpgid(2).
#[must_use]
pub fn is_of_no_group(pid: u32) -> bool {
    // SAFETY: the argument is the number of a process, which is only looked up.
    unsafe { call!(__NR_getpgid, pid) == Ok(0) }
}

/// Whether we are the leader of our session, getsid(2).
#[must_use]
pub fn leads_session() -> bool {
    // SAFETY: the argument is a number; 0 asks for the session of this process.
    let session = unsafe { call!(__NR_getsid, 0u32) };
    session == Ok(rustix::process::getpid().as_raw_nonzero().get().cast_unsigned())
}

/// Whether we may run on more than one processor, sched_getaffinity(2).
#[must_use]
pub fn has_processors_to_spare() -> bool {
    /// The most processors that a kernel can be built for (CONFIG_NR_CPUS).
    const MOST: usize = 8192;
    let mut set = [0usize; MOST / usize::BITS as usize];
    // SAFETY: the kernel writes at most as many bytes of its mask to `set` as the second argument, which is the size of `set`.
    let read = unsafe { call!(__NR_sched_getaffinity, 0u32, size_of_val(&set), set.as_mut_ptr()) };
    // A word counts once for its lowest processor and once for all others: count_ones takes 80 bytes more.
    let count = |word: &usize| u32::from(*word != 0) + u32::from(*word & word.wrapping_sub(1) != 0);
    read.is_ok() && set.iter().map(count).sum::<u32>() > 1
}

/// An operation of prctl(2) that takes one number and has no result. The type has no other values, so safe code cannot ask for
/// an operation that writes to an address.
#[derive(Clone, Copy)]
pub struct Operation(u32);

/// 0: no other process of our user may trace us or open our files in /proc. Changing credentials resets it.
pub const PR_SET_DUMPABLE: Operation = Operation(operation::PR_SET_DUMPABLE);
/// 1: execve(2) grants no privileges.
pub const PR_SET_NO_NEW_PRIVS: Operation = Operation(operation::PR_SET_NO_NEW_PRIVS);
/// The number of the signal that we get when our parent ends; 0 for none. Changing credentials clears it.
pub const PR_SET_PDEATHSIG: Operation = Operation(operation::PR_SET_PDEATHSIG);
/// 1: a descendant becomes our child when its parent ends.
pub const PR_SET_CHILD_SUBREAPER: Operation = Operation(operation::PR_SET_CHILD_SUBREAPER);
/// 1: the permitted set survives a change of the user id to another than 0.
pub const PR_SET_KEEPCAPS: Operation = Operation(operation::PR_SET_KEEPCAPS);
/// The securebits flags (capabilities(7)).
pub const PR_SET_SECUREBITS: Operation = Operation(operation::PR_SET_SECUREBITS);
/// [`PR_MDWE_REFUSE_EXEC_GAIN`]: no memory becomes executable that was writable or is; execve(2) keeps it (Linux 6.3).
pub const PR_SET_MDWE: Operation = Operation(operation::PR_SET_MDWE);
pub const PR_MDWE_REFUSE_EXEC_GAIN: u32 = operation::PR_MDWE_REFUSE_EXEC_GAIN;
/// The number of a capability to drop from the bounding set.
pub const PR_CAPBSET_DROP: Operation = Operation(operation::PR_CAPBSET_DROP);

/// prctl(2).
///
/// # Errors
/// EINVAL: the kernel does not know the operation, the signal or the capability. EPERM: PR_CAPBSET_DROP without CAP_SETPCAP,
/// PR_SET_KEEPCAPS where SECBIT_KEEP_CAPS_LOCKED is set, PR_SET_SECUREBITS without CAP_SETPCAP or against a lock.
pub fn prctl(operation: Operation, argument: u32) -> Done {
    // SAFETY: each Operation takes a number and no address, and the kernel demands zeros for the other arguments.
    done(unsafe { call!(__NR_prctl, operation.0, argument, 0usize, 0usize, 0usize) })
}

/// Sets the name in `ps` and /proc/PID/comm, prctl(PR_SET_NAME). The kernel keeps the first 15 bytes.
pub fn set_name(name: &CStr) {
    // SAFETY: the kernel reads the string up to its NUL, and no more than 16 bytes.
    let _ = unsafe { call!(__NR_prctl, operation::PR_SET_NAME, name.as_ptr(), 0usize, 0usize, 0usize) };
}

/// RLIMIT_CORE in bytes, getrlimit(2): the soft and the hard limit.
///
/// # Errors
/// As [`limit_of`].
pub fn core_limit() -> Result<[u64; 2], Failure> {
    limit_of(raw::RLIMIT_CORE)
}

/// The soft and the hard limit of `resource` (RLIMIT_*), in its unit, getrlimit(2).
///
/// # Errors
/// The errno of a seccomp filter of the caller's: rustix takes this for a call that cannot fail.
pub fn limit_of(resource: u32) -> Result<[u64; 2], Failure> {
    let mut limit = [0u64; 2];
    // SAFETY: the new limit is null, so none is read; the kernel writes a struct rlimit64, two numbers of 64 bits, to `limit`.
    unsafe { call!(__NR_prlimit64, 0u32, resource, core::ptr::null::<u64>(), limit.as_mut_ptr())? };
    Ok(limit)
}

/// Sets RLIMIT_CORE of this process and its later children, in bytes: the soft and the hard limit.
///
/// # Errors
/// As [`set_limit`].
pub fn limit_core(limit: [u64; 2]) -> Done {
    set_limit(raw::RLIMIT_CORE, limit)
}

/// Sets the soft and the hard limit of `resource` (RLIMIT_*) for this process and its later children, in its unit, setrlimit(2).
///
/// # Errors
/// EPERM: the hard limit is higher than before, without CAP_SYS_RESOURCE in the initial user namespace, or RLIMIT_NOFILE is above
/// fs.nr_open. EINVAL: the soft limit is higher than the hard one.
pub fn set_limit(resource: u32, limit: [u64; 2]) -> Done {
    // SAFETY: the kernel reads a struct rlimit64, two numbers of 64 bits; the place for the old limit is null.
    done(unsafe { call!(__NR_prlimit64, 0u32, resource, limit.as_ptr(), core::ptr::null_mut::<u64>()) })
}

/// Lets this process and its later children run only on these processors, sched_setaffinity(2): processor N is bit N % usize::BITS of
/// word N / usize::BITS.
///
/// # Errors
/// EINVAL: none of them is online and in the cpuset of this process.
pub fn set_affinity(processors: &[usize]) -> Done {
    // SAFETY: the kernel reads at most as many bytes as the second argument, which is the size of `processors`.
    done(unsafe { call!(__NR_sched_setaffinity, 0u32, size_of_val(processors), processors.as_ptr()) })
}

/// umask(2). Returns the mask before.
///
/// # Errors
/// The errno of a seccomp filter of the caller's; the kernel itself has none.
pub fn umask(mask: u32) -> Result<u32, Failure> {
    // SAFETY: the argument is a mask of nine bits; only files that are made later depend on it.
    unsafe { call!(__NR_umask, mask) }
}

/// Sets the user and the group that own the files that we make, setfsuid(2) and setfsgid(2). The kernel ignores an id that
/// is not mapped in our user namespace.
pub fn make_files_as(uid: u32, gid: u32) {
    #[cfg(any(target_arch = "arm", target_arch = "x86"))]
    // SAFETY: both take the number of an id. Those two machines have calls for ids of 16 bits under the plain names.
    let _ = unsafe { (call!(__NR_setfsgid32, gid), call!(__NR_setfsuid32, uid)) };
    #[cfg(not(any(target_arch = "arm", target_arch = "x86")))]
    // SAFETY: both take the number of an id.
    let _ = unsafe { (call!(__NR_setfsgid, gid), call!(__NR_setfsuid, uid)) };
}

/// Makes `groups` the supplementary groups, setgroups(2).
///
/// # Errors
/// EPERM: no CAP_SETGID in our user namespace, or its /proc/PID/setgroups is "deny" (user_namespaces(7)). EINVAL: a group is not
/// mapped in our user namespace, or there are more than 65,536.
pub fn set_groups(groups: &[u32]) -> Done {
    #[cfg(any(target_arch = "arm", target_arch = "x86"))]
    // SAFETY: the kernel reads as many numbers of 32 bits as the slice has. (The plain name has ids of 16 bits.)
    return done(unsafe { call!(__NR_setgroups32, groups.len(), groups.as_ptr()) });
    #[cfg(not(any(target_arch = "arm", target_arch = "x86")))]
    // SAFETY: the kernel reads as many numbers of 32 bits as the slice has.
    done(unsafe { call!(__NR_setgroups, groups.len(), groups.as_ptr()) })
}
