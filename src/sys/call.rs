//! The system calls that rustix lacks, typed.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU32, Ordering};
use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use rustix::process::Pid;

use super::arch::{self, Register};
use super::signal::{Set, Siginfo, Signal};
use super::{Argv, Done, Env, Failure};

/// One system call; the arguments are integers, or pointers that outlive it.
macro_rules! call {
    ($number:ident $(, $a:expr $(, $b:expr $(, $c:expr $(, $d:expr $(, $e:expr)?)?)?)?)?) => {
        // SAFETY: each use below passes pointers made from live references, with their lengths, of the types that the
        // call's man page names, and as many arguments as it takes.
        unsafe {
            call(
                raw::$number,
                register!($($a)?),
                register!($($($b)?)?),
                register!($($($($c)?)?)?),
                register!($($($($($d)?)?)?)?),
                register!($($($($($($e)?)?)?)?)?),
            )
        }
    };
}

macro_rules! register {
    () => {
        Register::uninit()
    };
    ($value:expr) => {
        Register::new($value.full())
    };
}

/// What may be an argument: widened to a whole register.
trait Argument {
    fn full(self) -> usize;
}

macro_rules! arguments {
    ($($kind:ty),*) => { $(impl Argument for $kind {
        fn full(self) -> usize { self as usize }
    })* };
}
arguments!(i32, u32, usize);

impl<T> Argument for *const T {
    fn full(self) -> usize {
        self.expose_provenance()
    }
}

impl<T> Argument for *mut T {
    fn full(self) -> usize {
        self.expose_provenance()
    }
}

/// # Safety
/// That of the system call.
#[inline(never)]
unsafe fn call(number: u32, a: Register, b: Register, c: Register, d: Register, e: Register) -> Result<u32, Failure> {
    // SAFETY: the caller's word.
    answer(unsafe { arch::call(number, [a, b, c, d, e]) })
}

/// What the kernel answers: the errnos are the numbers from -MAX_ERRNO, -4095, to -1.
fn answer(result: isize) -> Result<u32, Failure> {
    if (-4095..0).contains(&result) { Err(Failure::new(result.unsigned_abs() as u32)) } else { Ok(result as u32) }
}

fn done(result: Result<u32, Failure>) -> Done {
    result.map(|_| ())
}

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

/// unshare(2).
///
/// # Errors
/// Those of unshare(2).
pub fn unshare(flags: u32) -> Done {
    done(call!(__NR_unshare, flags))
}

/// Starts a child that shares our memory until it executes a program or ends, as vfork(2) does: `body(arg)` runs
/// in it, further down on our stack, and its result is the exit status. We stand still until then.
///
/// # Errors
/// Those of clone(2).
pub fn spawn<T>(body: fn(&T) -> i32, arg: &T) -> Result<Pid, Failure> {
    struct Job<'a, T>(fn(&T) -> i32, &'a T);
    extern "C" fn begin<T>(job: *const c_void) -> ! {
        // SAFETY: `job` is the Job below, which lives until the parent goes on, and that is after this process
        // has executed or ended (CLONE_VFORK).
        let job = unsafe { &*job.cast::<Job<'_, T>>() };
        exit((job.0)(job.1))
    }
    let job = Job(body, arg);
    let flags = raw::CLONE_VM | raw::CLONE_VFORK | raw::SIGCHLD;
    // SAFETY: the child runs while we stand still, so no memory is used by two at once; `begin` never returns.
    let pid = unsafe { arch::spawn(flags, core::ptr::null_mut(), begin::<T>, (&raw const job).cast()) };
    Pid::from_raw(answer(pid)? as i32).ok_or(Failure::CHILD)
}

/// A child that shares our memory, and runs at the same time. What it was given is borrowed until it does so no more.
pub struct Apart<'a> {
    /// Null: it shares none.
    stack: *mut c_void,
    shares: *const AtomicU32,
    given: PhantomData<&'a ()>,
}

/// What the child gets, at the top of its stack.
#[repr(C)]
struct Job<T> {
    /// 1 as long as the child uses our memory. The kernel makes it 0 when the child executes or ends, and wakes the
    /// waiter (set_tid_address(2), CLONE_CHILD_CLEARTID).
    shares: AtomicU32,
    body: fn(&T) -> i32,
    arg: T,
}

/// Starts a child that shares our memory until it executes a program or ends: `body(arg)` runs in it, on a stack of its own,
/// and its result is the exit status. We go on meanwhile, and must not touch the Cells that `arg` leads to. Where the
/// kernel knows no such child (EINVAL: qemu's user mode), it has a copy of our memory.
///
/// # Errors
/// Those of mmap(2) and clone(2).
pub fn start<'a, T: Copy + 'a>(body: fn(&T) -> i32, arg: T) -> Result<(Pid, Apart<'a>), Failure> {
    extern "C" fn begin<T>(job: *const c_void) -> ! {
        // SAFETY: `job` is the Job at the top of this very stack, which nobody changes, and which stays until this process
        // has executed or ended (`Apart::reclaim`).
        let job = unsafe { &*job.cast::<Job<T>>() };
        exit((job.body)(&job.arg))
    }
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new private mapping takes nothing that is in use (mmap(2)).
    let stack = unsafe { mmap_anonymous(core::ptr::null_mut(), STACK, protection, MapFlags::PRIVATE)? };
    // Aligned as a stack is, since the mapping's end is.
    let job = stack.cast::<u8>().wrapping_add(STACK - size_of::<Job<T>>().next_multiple_of(64)).cast::<Job<T>>();
    // SAFETY: it lies in the mapping, with room for a Job, and aligned for one.
    unsafe { job.write(Job { shares: AtomicU32::new(1), body, arg }) };
    let flags = raw::CLONE_VM | raw::CLONE_CHILD_CLEARTID | raw::SIGCHLD;
    // SAFETY: what lies below `job` is the child's own, and `begin` never returns. What both can reach is the Job, which
    // neither changes but for the atomic; the program's data, which is atomic or constant; and what `arg` leads to, which
    // is borrowed for as long (`Apart`), and of which the caller leaves to the child what could change.
    match answer(unsafe { arch::spawn(flags, job.cast(), begin::<T>, job.cast_const().cast()) }) {
        Ok(pid) => {
            let pid = Pid::from_raw(pid as i32).ok_or(Failure::CHILD)?;
            Ok((pid, Apart { stack, shares: job.cast_const().cast(), given: PhantomData }))
        }
        Err(why) => {
            // SAFETY: it was mapped above, and nobody uses it.
            let _ = unsafe { munmap(stack, STACK) };
            if why != Failure::INVAL {
                return Err(why);
            }
            match clone_old(0)? {
                Fork::Child => exit(body(&arg)),
                Fork::Parent(pid) => Ok((pid, Apart::NOBODY)),
            }
        }
    }
}

impl Apart<'_> {
    pub const NOBODY: Apart<'static> =
        Apart { stack: core::ptr::null_mut(), shares: core::ptr::null(), given: PhantomData };

    /// Gives back the child's stack, if the child has executed a program or ended.
    pub fn reclaim(&mut self) {
        // SAFETY: until it is unmapped, the stack is there, with the Job.
        if self.stack.is_null() || unsafe { &*self.shares }.load(Ordering::Acquire) != 0 {
            return;
        }
        // SAFETY: it was mapped by `start`; the child, which used it, has other memory or none.
        let _ = unsafe { munmap(self.stack, STACK) };
        self.stack = core::ptr::null_mut();
    }
}

impl Drop for Apart<'_> {
    /// Waits as long as the child shares what it was given.
    fn drop(&mut self) {
        self.reclaim();
        while !self.stack.is_null() {
            // While it is 1. Not FUTEX_WAIT_PRIVATE: the kernel wakes as if other processes could wait.
            let _ = call!(__NR_futex, self.shares, raw::FUTEX_WAIT, 1u32, 0usize, 0usize);
            self.reclaim();
        }
    }
}

/// Ends this process by `signal`, without a core file of ours; returns if that is impossible (process 1 is immune).
pub fn die_of(signal: Signal) {
    let _ = prctl(linux_raw_sys::prctl::PR_SET_DUMPABLE, 0);
    let _ = set_ignored(signal, false);
    let _ = kill(rustix::process::getpid().as_raw_nonzero().get(), signal);
    let _ = set_mask(Set::ALL.without(signal));
}

/// Stops this process, until somebody continues it; but not process 1, which is immune.
#[inline(never)]
pub fn stop() {
    let _ = kill(rustix::process::getpid().as_raw_nonzero().get(), Signal::STOP);
}

/// Bytes of stack for [`start`]'s and [`beside`]'s child: the path buffers of a walk and what the calls need are half of it.
const STACK: usize = 128 * 1024;

/// Runs `body(arg)` in a child that shares our memory, descriptors, directory and umask, and `meanwhile` here. Returns
/// when both have ended: whether `body` said yes, or the error of [`wait_end`]; and what `meanwhile` said.
///
/// # Errors
/// Those of mmap(2) and clone(2); then neither has run.
pub fn beside<T, R>(
    body: fn(&mut T) -> bool,
    arg: &mut T,
    meanwhile: impl FnOnce() -> R,
) -> Result<(Result<bool, Failure>, R), Failure> {
    struct Job<T>(fn(&mut T) -> bool, *mut T);
    extern "C" fn begin<T>(job: *const c_void) -> ! {
        // SAFETY: `job` is the Job below and `arg` what it was made from; both outlive this process, which is waited
        // for, and nobody else uses `arg` meanwhile: it is borrowed.
        let done = unsafe {
            let job = &*job.cast::<Job<T>>();
            (job.0)(&mut *job.1)
        };
        exit(i32::from(!done))
    }
    let job = Job(body, arg);
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new private mapping takes nothing that is in use (mmap(2)).
    let stack = unsafe { mmap_anonymous(core::ptr::null_mut(), STACK, protection, MapFlags::PRIVATE)? };
    let flags = raw::CLONE_VM | raw::CLONE_FILES | raw::CLONE_FS | raw::SIGCHLD;
    // SAFETY: the stack is the child's own, its end is page-aligned, and `begin` never returns.
    let pid = answer(unsafe {
        let top = stack.cast::<u8>().wrapping_add(STACK);
        arch::spawn(flags, top, begin::<T>, (&raw const job).cast())
    });
    let result = pid.map(|pid| {
        let result = meanwhile();
        (wait_end(pid as i32).map(|status| status == 0), result)
    });
    if matches!(result, Err(_) | Ok((Ok(_) | Err(Failure::KILLED), _))) {
        // SAFETY: it was mapped above, and the child, which alone used it, has ended or never begun.
        let _ = unsafe { munmap(stack, STACK) };
    }
    result
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

/// mprotect(2).
///
/// # Safety
/// Nobody relies on what is allowed now.
pub(super) unsafe fn protect(place: *mut c_void, size: usize, protection: u32) -> Done {
    done(call!(__NR_mprotect, place, size, protection))
}

/// mremap(2) of `from` to where `to` is.
///
/// # Safety
/// What lies at `to` may go.
pub(super) unsafe fn move_onto(from: *mut c_void, size: usize, to: *mut c_void) -> Done {
    done(call!(__NR_mremap, from, size, size, raw::MREMAP_MAYMOVE | raw::MREMAP_FIXED, to))
}

/// prctl(PR_SET_MM, PR_SET_MM_MAP).
///
/// # Errors
/// As `super::leave_file` has them.
pub(super) fn set_map(map: &linux_raw_sys::prctl::prctl_mm_map) -> Done {
    use linux_raw_sys::prctl::{PR_SET_MM, PR_SET_MM_MAP, prctl_mm_map};
    done(call!(__NR_prctl, PR_SET_MM, PR_SET_MM_MAP, core::ptr::from_ref(map), size_of::<prctl_mm_map>(), 0usize))
}

/// _exit(2) of the whole process.
pub fn exit(status: i32) -> ! {
    loop {
        let _ = call!(__NR_exit_group, status);
    }
}

/// execve(2). Returns only when it failed.
pub fn execve(path: &CStr, argv: Argv<'_>, env: Env<'_>) -> Failure {
    if argv.is_none() {
        return Failure::INVAL;
    }
    call!(__NR_execve, path.as_ptr(), argv.as_ptr(), env.as_ptr()).err().unwrap_or(Failure::INVAL)
}

/// execve(2) of `shell` with the script `path` and CMD's arguments. Returns only when it failed.
pub fn execve_script(shell: &CStr, path: &CStr, argv: Argv<'_>, env: Env<'_>) -> Failure {
    let result = argv.as_script(shell, path, |script| call!(__NR_execve, shell.as_ptr(), script, env.as_ptr()));
    result.and_then(Result::err).unwrap_or(Failure::INVAL)
}

/// execveat(2) of a descriptor (AT_EMPTY_PATH) with the arguments as the kernel gave them. Returns only when it failed.
pub fn execve_fd(fd: BorrowedFd<'_>, start: &super::Start) -> Failure {
    let args: *const *const c_char = start.args.as_ptr().cast();
    let (fd, env) = (fd.as_raw_fd(), start.env.as_ptr());
    call!(__NR_execveat, fd, c"".as_ptr(), args, env, raw::AT_EMPTY_PATH).err().unwrap_or(Failure::INVAL)
}

/// close_range(2): closes `first` to `last`, both included.
///
/// # Errors
/// ENOSYS before Linux 5.9; EINVAL if `first` is larger than `last`.
pub fn close_range(first: u32, last: u32) -> Done {
    done(call!(__NR_close_range, first, last, 0u32))
}

/// A bit for each descriptor; those with higher numbers stay open until the process executes or ends.
type Bits = [AtomicU32; 128];
/// Those that we have opened.
static OPENED: Bits = [const { AtomicU32::new(0) }; 128];
/// Those of them that [`close_opened`] leaves open.
static KEPT: Bits = [const { AtomicU32::new(0) }; 128];
/// How many words of them have ever had a bit.
static USED: AtomicU32 = AtomicU32::new(0);

/// Gives up the closing of a descriptor: it stays open until the process executes or ends, or until [`close_opened`] or
/// [`close_ours`].
pub fn keep_open(fd: OwnedFd) -> BorrowedFd<'static> {
    let number = fd.into_raw_fd();
    let index = number / 32;
    if let Some(word) = OPENED.get(index as usize) {
        word.fetch_or(1 << (number % 32), Ordering::Relaxed);
        USED.fetch_max(index.cast_unsigned() + 1, Ordering::Relaxed);
    }
    // SAFETY: nobody owns the number any more, so nobody closes it, but for the two and `descriptors::close_all_but`, after which
    // a process uses none that it did not name there.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// What is open now stays open when [`close_opened`] is called.
pub fn keep_opened() {
    for (opened, kept) in OPENED.iter().zip(&KEPT) {
        kept.store(opened.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// Closes all that we have opened since, but `kept`.
pub fn close_opened(kept: BorrowedFd<'_>) {
    close_some(&KEPT, &[], &[kept.as_raw_fd().cast_unsigned()]);
}

/// Closes all that we have opened, but for standard input, output and error, where messages go, and those in the two lists.
pub fn close_ours(some: &[u32], others: &[u32]) {
    close_some(&[], some, others);
}

fn close_some(spared: &[AtomicU32], some: &[u32], others: &[u32]) {
    for (index, word) in OPENED.iter().enumerate().take(USED.load(Ordering::Relaxed) as usize) {
        let spared = spared.get(index).map_or(0, |word| word.load(Ordering::Relaxed));
        let mut bits = word.load(Ordering::Relaxed) & !spared;
        while bits != 0 {
            let bit = bits.trailing_zeros();
            bits &= bits - 1;
            let fd = index as u32 * 32 + bit;
            if fd > Standard::Error as u32 && fd != messages() && !some.contains(&fd) && !others.contains(&fd) {
                close(fd);
                word.fetch_and(!(1 << bit), Ordering::Relaxed);
            }
        }
    }
}

/// A descriptor that the caller gave us.
#[must_use]
pub fn given(fd: u32) -> BorrowedFd<'static> {
    // SAFETY: it is his and stays open: nsinit closes none that it did not open. Where he lied, the calls answer EBADF;
    // the one number that may not be, -1, is made another that is no descriptor either.
    unsafe { BorrowedFd::borrow_raw((fd & i32::MAX as u32) as i32) }
}

/// setns(2) into the namespace that `fd` is, whatever kind it is of `kind` (CLONE_NEW*).
///
/// # Errors
/// EINVAL: it is no namespace of that kind; EPERM.
pub fn join(fd: u32, kind: u32) -> Done {
    done(call!(__NR_setns, fd, kind))
}

/// pidfd_open(2).
///
/// # Errors
/// ENOSYS before Linux 5.3; ESRCH; EINVAL: it is a thread's number, or 0.
pub fn pidfd_open(pid: u32) -> Result<BorrowedFd<'static>, Failure> {
    let fd = call!(__NR_pidfd_open, pid, 0u32)?;
    // SAFETY: the kernel has just made it, and nobody else has its number.
    Ok(keep_open(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
}

/// pidfd_send_signal(2) to a process, by its directory in a procfs.
///
/// # Errors
/// ENOSYS before Linux 5.1; ESRCH, EPERM.
pub fn signal_process(process: BorrowedFd<'_>, signal: Signal) -> Done {
    done(call!(__NR_pidfd_send_signal, process.as_raw_fd(), signal.number(), 0usize, 0u32))
}

/// Whether the process that the descriptor is has ended: it can be read then (pidfd_open(2)).
#[must_use]
pub fn has_ended(process: BorrowedFd<'_>) -> bool {
    poll(&mut [Polled::new(process, READABLE)], Some(Time::NONE)).is_ok_and(|told| told > 0)
}

/// prctl(2) PR_SET_SECCOMP, SECCOMP_MODE_FILTER: one more program of seccomp(2).
///
/// # Errors
/// EINVAL: it is none that the kernel takes; EACCES without no_new_privs and CAP_SYS_ADMIN.
pub fn add_filter(program: &[u8]) -> Done {
    use linux_raw_sys::prctl::PR_SET_SECCOMP;
    use linux_raw_sys::ptrace::{sock_filter, sock_fprog};
    const SECCOMP_MODE_FILTER: u32 = 2;
    let length = program.len() / size_of::<sock_filter>();
    // The kernel copies it, wherever it begins.
    let program = sock_fprog { len: length as u16, filter: program.as_ptr().cast_mut().cast() };
    done(call!(__NR_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &raw const program, 0usize, 0usize))
}

/// fcntl(2) F_SETLK: a lock for reading on the whole of a file, until this process closes it or ends.
///
/// # Errors
/// EAGAIN: somebody else has locked it for writing.
pub fn lock_for_reading(fd: BorrowedFd<'_>) -> Done {
    // Of every field 0 is what is meant: F_RDLCK, SEEK_SET, from the beginning to the end, wherever that is.
    let lock = [0u64; 4];
    done(call!(__NR_fcntl, fd.as_raw_fd(), raw::F_SETLK, lock.as_ptr()))
}

/// The number of the mount that `path` leads to, statx(2); 0 where the kernel does not tell (before Linux 5.8).
///
/// # Errors
/// Those of statx(2).
pub fn mount_id(path: &CStr) -> Result<u64, Failure> {
    /// `STATX_MNT_ID`.
    const MOUNT: u32 = 0x1000;
    match statx(path, MOUNT) {
        Ok(found) if found.stx_mask & MOUNT != 0 => Ok(found.stx_mnt_id),
        Ok(_) | Err(Failure::NOSYS | Failure::PERM) => Ok(0),
        Err(why) => Err(why),
    }
}

/// Whether `path` is where something is mounted, statx(2); `None` where the kernel does not tell (before Linux 5.8).
#[must_use]
pub fn is_mount_point(path: &CStr) -> Option<bool> {
    /// `STATX_ATTR_MOUNT_ROOT`.
    const ROOT: u64 = 0x2000;
    let found = statx(path, 0).ok()?;
    (found.stx_attributes_mask & ROOT != 0).then_some(found.stx_attributes & ROOT != 0)
}

fn statx(path: &CStr, mask: u32) -> Result<raw::statx, Failure> {
    // SAFETY: a struct of integers, which may all be zero.
    let mut found: raw::statx = unsafe { core::mem::zeroed() };
    call!(__NR_statx, raw::AT_FDCWD, path.as_ptr(), 0u32, mask, &raw mut found)?;
    Ok(found)
}

/// How seccomp(2) is in force here, prctl(PR_GET_SECCOMP): 0 not at all, 2 a filter.
///
/// # Errors
/// EINVAL: the kernel has none; those of a filter that forbids the question.
pub fn seccomp_mode() -> Result<u32, Failure> {
    call!(__NR_prctl, linux_raw_sys::prctl::PR_GET_SECCOMP, 0usize, 0usize, 0usize, 0usize)
}

/// chmod(2).
///
/// # Errors
/// Those of chmod(2).
pub fn chmod(path: &CStr, mode: u32) -> Done {
    done(call!(__NR_fchmodat, raw::AT_FDCWD, path.as_ptr(), mode))
}

/// Standard input, output and error.
#[derive(Clone, Copy)]
pub enum Standard {
    Input = 0,
    Output = 1,
    Error = 2,
}

impl Standard {
    #[must_use]
    pub fn fd(self) -> BorrowedFd<'static> {
        // SAFETY: nsinit closes none of the three, and `descriptors::occupy_standard` has opened those that were closed.
        unsafe { BorrowedFd::borrow_raw(self as i32) }
    }
}

/// close(2) of a number that may be open or not. What stays open is not told of as ended: a filter around us may forbid this
/// call and not the newer one.
pub fn close(fd: u32) {
    if call!(__NR_close, fd).is_err() {
        let _ = close_range(fd, fd);
    }
}

/// Sets or clears FD_CLOEXEC of a descriptor that the caller gave us.
///
/// # Errors
/// EBADF if it is not open.
pub fn close_on_exec(fd: u32, yes: bool) -> Done {
    done(call!(__NR_fcntl, fd, raw::F_SETFD, u32::from(yes)))
}

/// Whether a descriptor of that number is open.
#[must_use]
pub fn is_open(fd: u32) -> bool {
    call!(__NR_fcntl, fd, raw::F_GETFD, 0u32).is_ok()
}

/// Whether a descriptor of that number is open that we did not open: of ours all are close-on-exec, and of those with which
/// a program begins none is.
#[must_use]
pub fn is_given(fd: Standard) -> bool {
    call!(__NR_fcntl, fd as u32, raw::F_GETFD, 0u32) == Ok(0)
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

/// fcntl(2) F_SETOWN: notes a process with an open file. Nothing comes of it without O_ASYNC.
///
/// # Errors
/// ESRCH: there is none of that number.
pub fn set_owner(fd: BorrowedFd<'_>, owner: Pid) -> Done {
    done(call!(__NR_fcntl, fd.as_raw_fd(), raw::F_SETOWN, owner.as_raw_nonzero().get()))
}

/// fcntl(2) F_GETOWN: the process that was noted, by its number in our pid namespace.
///
/// # Errors
/// ECHILD: there is none, or none that has a number here.
pub fn owner(fd: BorrowedFd<'_>) -> Result<Pid, Failure> {
    let pid = call!(__NR_fcntl, fd.as_raw_fd(), raw::F_GETOWN, 0u32)?;
    Pid::from_raw(pid as i32).ok_or(Failure::CHILD)
}

/// fcntl(2) F_SETOWN, F_SETSIG and O_ASYNC: what arrives at `fd` is announced to `owner` by `signal`, with
/// `si_code` POLL_IN and the descriptor's number.
///
/// # Errors
/// Those of fcntl(2).
pub fn signal_on_input(fd: BorrowedFd<'_>, owner: Pid, signal: Signal) -> Done {
    const O_ASYNC: u32 = raw::FASYNC;
    set_owner(fd, owner)?;
    let fd = fd.as_raw_fd();
    call!(__NR_fcntl, fd, raw::F_SETSIG, signal.number())?;
    done(call!(__NR_fcntl, fd, raw::F_SETFL, raw::O_NONBLOCK | O_ASYNC))
}

/// mount_setattr(2) on the mount that `fd` is the root of: sets and clears attributes (MOUNT_ATTR_*) and changes its propagation
/// (MS_PRIVATE; 0: as it is), everything below too if `recursive`.
///
/// # Errors
/// ENOSYS before Linux 5.12; EPERM where a flag is locked; those of mount_setattr(2).
pub fn mount_setattr(fd: BorrowedFd<'_>, set: u32, cleared: u32, recursive: bool, propagation: u32) -> Done {
    let attr = raw::mount_attr {
        attr_set: set.into(),
        attr_clr: cleared.into(),
        propagation: propagation.into(),
        userns_fd: 0,
    };
    let flags = raw::AT_EMPTY_PATH | if recursive { raw::AT_RECURSIVE } else { 0 };
    done(call!(__NR_mount_setattr, fd.as_raw_fd(), c"".as_ptr(), flags, &raw const attr, size_of::<raw::mount_attr>()))
}

/// prctl(2) with one argument; for operations that take a number and return nothing.
///
/// # Errors
/// Those of the operation.
pub fn prctl(operation: u32, argument: usize) -> Done {
    done(call!(__NR_prctl, operation, argument, 0usize, 0usize, 0usize))
}

/// prctl(PR_CAPBSET_READ): whether the bounding set has that capability. EINVAL: the kernel knows none of that number.
#[must_use]
pub fn is_bounded_by(capability: u32) -> bool {
    use linux_raw_sys::prctl::PR_CAPBSET_READ;
    !matches!(call!(__NR_prctl, PR_CAPBSET_READ, capability, 0usize, 0usize, 0usize), Ok(0) | Err(Failure::INVAL))
}

/// prctl(PR_SET_NAME): the name in `ps` and /proc/PID/comm.
pub fn set_name(name: &CStr) {
    let _ = call!(__NR_prctl, linux_raw_sys::prctl::PR_SET_NAME, name.as_ptr(), 0usize, 0usize, 0usize);
}

/// prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE).
///
/// # Errors
/// EPERM if the capability is not permitted and inheritable.
pub fn raise_ambient(capability: u32) -> Done {
    use linux_raw_sys::prctl::{PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE};
    done(call!(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0usize, 0usize))
}

/// `_LINUX_CAPABILITY_VERSION_3`: sets of 64 bits, in two halves.
const CAPABILITY_VERSION_3: u32 = 0x2008_0522;

/// capset(2) of this process: effective and permitted are one set here. Bit N is capability N.
///
/// # Errors
/// EPERM if a set is to get what it may not.
pub fn capset(permitted: u64, inheritable: u64) -> Done {
    let header = [CAPABILITY_VERSION_3, 0];
    let half = |set: u64, high: bool| (if high { set >> 32 } else { set & 0xffff_ffff }) as u32;
    // Two times effective, permitted, inheritable: the low and the high 32 bits (capset(2)).
    let (low, high) = (half(permitted, false), half(permitted, true));
    let data = [low, low, half(inheritable, false), high, high, half(inheritable, true)];
    done(call!(__NR_capset, header.as_ptr(), data.as_ptr()))
}

/// capget(2) of this process: the permitted set.
///
/// # Errors
/// None is known.
pub fn capget() -> Result<u64, Failure> {
    let header = [CAPABILITY_VERSION_3, 0];
    let mut data = [0u32; 6];
    call!(__NR_capget, header.as_ptr(), data.as_mut_ptr())?;
    let [_, low, _, _, high, _] = data;
    Ok(u64::from(low) | u64::from(high) << 32)
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

/// keyctl(2) KEYCTL_JOIN_SESSION_KEYRING without a name: an empty session keyring instead of ours.
///
/// # Errors
/// EDQUOT: the user has too many keys; ENOSYS without CONFIG_KEYS; a filter's.
pub fn join_new_keyring() -> Done {
    const JOIN_SESSION_KEYRING: u32 = 1;
    done(call!(__NR_keyctl, JOIN_SESSION_KEYRING, 0usize, 0usize, 0usize, 0usize))
}

/// Whether none of the three calls that reach keys gets to the kernel, keyrings(7). The last two answer EFAULT there.
#[must_use]
pub fn has_no_keys() -> bool {
    const GET_KEYRING_ID: u32 = 0;
    const SESSION_KEYRING: i32 = -3;
    let refused = |answer| matches!(answer, Err(Failure::NOSYS | Failure::PERM));
    refused(call!(__NR_keyctl, GET_KEYRING_ID, SESSION_KEYRING, 0usize, 0usize, 0usize))
        && refused(call!(__NR_add_key, 0usize, 0usize, 0usize, 0usize, SESSION_KEYRING))
        && refused(call!(__NR_request_key, 0usize, 0usize, 0usize, 0usize))
}

/// umask(2); the mask before. It can't fail, but a filter around us can forbid it.
///
/// # Errors
/// The filter's.
pub fn umask(mask: u32) -> Result<u32, Failure> {
    call!(__NR_umask, mask)
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

/// Brings a network interface up: ioctl(2) SIOCSIFFLAGS with IFF_UP (netdevice(7)).
///
/// # Errors
/// EPERM without CAP_NET_ADMIN in the network namespace, ENODEV.
pub fn interface_up(socket: BorrowedFd<'_>, name: &[u8; 4]) -> Done {
    const SIOCSIFFLAGS: u32 = 0x8914;
    #[repr(C, align(8))]
    struct Ifreq {
        name: [u8; 16],
        flags: u16,
        rest: [u8; 22],
    }
    let mut request =
        Ifreq { name: [0; 16], flags: linux_raw_sys::net::net_device_flags::IFF_UP as u16, rest: [0; 22] };
    if let Some(start) = request.name.first_chunk_mut() {
        *start = *name;
    }
    done(call!(__NR_ioctl, socket.as_raw_fd(), SIOCSIFFLAGS, &raw const request))
}

/// ioctl(2) with a number as its argument.
///
/// # Errors
/// Those of the request.
pub fn ioctl_number(fd: BorrowedFd<'_>, request: u32, argument: usize) -> Done {
    done(ioctl(fd, request, argument))
}

/// The same; what it answers.
pub(super) fn ioctl(fd: BorrowedFd<'_>, request: u32, argument: usize) -> Result<u32, Failure> {
    call!(__NR_ioctl, fd.as_raw_fd(), request, argument)
}

/// ioctl(2) with a place as its argument.
///
/// # Safety
/// It is what the request reads or writes.
pub(super) unsafe fn ioctl_at(fd: BorrowedFd<'_>, request: u32, place: *mut c_void) -> Done {
    done(call!(__NR_ioctl, fd.as_raw_fd(), request, place))
}

/// `struct pollfd`: what is asked of a descriptor, and what is told.
#[repr(C)]
pub struct Polled {
    fd: i32,
    asked: i16,
    told: i16,
}

/// `POLLIN` and `POLLOUT`; the end and errors are told unasked.
pub const READABLE: i16 = raw::POLLIN as i16;
/// See [`READABLE`].
pub const WRITABLE: i16 = raw::POLLOUT as i16;

impl Polled {
    /// Of a descriptor of which nothing is asked nothing is told.
    #[must_use]
    pub fn new(fd: BorrowedFd<'_>, asked: i16) -> Polled {
        Polled { fd: if asked == 0 { -1 } else { fd.as_raw_fd() }, asked, told: 0 }
    }

    /// Whether any of `what` was told; or an end or an error.
    #[must_use]
    pub const fn told(&self, what: i16) -> bool {
        self.told & (what | (raw::POLLHUP | raw::POLLERR) as i16) != 0
    }
}

/// Whether the reading end of a pipe is closed everywhere; `end` is its writing end.
#[must_use]
pub fn is_unread(end: BorrowedFd<'_>) -> bool {
    let mut list = [Polled::new(end, WRITABLE)];
    poll(&mut list, Some(Time::NONE)).is_err() || list.iter().any(|polled| polled.told & raw::POLLERR as i16 != 0)
}

/// ppoll(2) with the signal mask as it is. Returns of how many something is told.
///
/// # Errors
/// EINTR: stopped and continued.
pub fn poll(list: &mut [Polled], limit: Option<Time>) -> Result<u32, Failure> {
    let limit: *const Time = limit.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    #[cfg(target_pointer_width = "32")]
    return call!(__NR_ppoll_time64, list.as_mut_ptr(), list.len(), limit, 0usize, 0usize);
    #[cfg(target_pointer_width = "64")]
    call!(__NR_ppoll, list.as_mut_ptr(), list.len(), limit, 0usize, 0usize)
}

/// signalfd4(2) for all signals, without waiting.
///
/// # Errors
/// ENOSYS without CONFIG_SIGNALFD.
pub fn signals() -> Result<BorrowedFd<'static>, Failure> {
    let set = Set::ALL;
    let fd = call!(__NR_signalfd4, -1i32, &raw const set, size_of::<Set>(), raw::O_CLOEXEC | raw::O_NONBLOCK)?;
    // SAFETY: the kernel has just made it, and nobody else has its number.
    Ok(keep_open(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
}

/// setfsgid(2) and setfsuid(2): whose the files that are made come to be. Ids that are not mapped are not taken.
pub fn make_files_as(uid: u32, gid: u32) {
    #[cfg(any(target_arch = "arm", target_arch = "x86"))]
    let _ = (call!(__NR_setfsgid32, gid), call!(__NR_setfsuid32, uid));
    #[cfg(not(any(target_arch = "arm", target_arch = "x86")))]
    let _ = (call!(__NR_setfsgid, gid), call!(__NR_setfsuid, uid));
}

/// A control message with two descriptors, `struct cmsghdr` and what follows it (unix(7), SCM_RIGHTS).
#[repr(C)]
struct Rights {
    header: linux_raw_sys::net::cmsghdr,
    fds: [i32; 2],
}

impl Rights {
    const LENGTH: usize = size_of::<linux_raw_sys::net::cmsghdr>() + size_of::<[i32; 2]>();

    /// `body` with a message of one byte around it.
    fn around<T>(&mut self, body: impl FnOnce(*mut linux_raw_sys::net::msghdr) -> T) -> T {
        let mut byte = 0u8;
        let mut part = raw::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        let mut message = linux_raw_sys::net::msghdr {
            msg_name: core::ptr::null_mut(),
            msg_namelen: 0,
            msg_iov: (&raw mut part).cast(),
            msg_iovlen: 1,
            msg_control: core::ptr::from_mut(self).cast(),
            msg_controllen: size_of::<Rights>(),
            msg_flags: 0,
        };
        body(&raw mut message)
    }
}

/// sendmsg(2) of two descriptors.
///
/// # Errors
/// EPIPE: nobody will have them.
pub fn send(socket: BorrowedFd<'_>, fds: [BorrowedFd<'_>; 2]) -> Done {
    use linux_raw_sys::net::{MSG_NOSIGNAL, SCM_RIGHTS, SOL_SOCKET, cmsghdr};
    let header = cmsghdr { cmsg_len: Rights::LENGTH, cmsg_level: SOL_SOCKET as c_int, cmsg_type: SCM_RIGHTS as c_int };
    let mut rights = Rights { header, fds: fds.map(|fd| fd.as_raw_fd()) };
    done(rights.around(|message| call!(__NR_sendmsg, socket.as_raw_fd(), message, MSG_NOSIGNAL)))
}

/// recvmsg(2) of two descriptors.
///
/// # Errors
/// EBADF: there are none; those of recvmsg(2).
pub fn receive(socket: BorrowedFd<'_>) -> Result<[BorrowedFd<'static>; 2], Failure> {
    use linux_raw_sys::net::{MSG_CMSG_CLOEXEC, cmsghdr};
    let mut rights = Rights { header: cmsghdr { cmsg_len: 0, cmsg_level: 0, cmsg_type: 0 }, fds: [-1; 2] };
    rights.around(|message| call!(__NR_recvmsg, socket.as_raw_fd(), message, MSG_CMSG_CLOEXEC))?;
    if rights.header.cmsg_len != Rights::LENGTH {
        return Err(Failure::BADF);
    }
    // SAFETY: the kernel has just made them, and nobody else has their numbers.
    Ok(rights.fds.map(|fd| keep_open(unsafe { OwnedFd::from_raw_fd(fd) })))
}

/// getdents64(2): as many entries of a directory as `buffer` takes, `struct linux_dirent64` after `struct linux_dirent64`.
///
/// # Errors
/// Those of getdents64(2).
pub fn read_directory<'b>(dir: BorrowedFd<'_>, buffer: &'b mut [u8]) -> Result<&'b [u8], Failure> {
    let length = call!(__NR_getdents64, dir.as_raw_fd(), buffer.as_mut_ptr(), buffer.len())?;
    Ok(buffer.get(..length as usize).unwrap_or_default())
}

/// getcwd(2) into `buffer`; the length without the terminating NUL.
///
/// # Errors
/// ENOENT if the directory is gone, ERANGE if the buffer is too small.
pub fn getcwd(buffer: &mut [u8]) -> Result<usize, Failure> {
    let length = call!(__NR_getcwd, buffer.as_mut_ptr(), buffer.len())?;
    Ok((length as usize).saturating_sub(1))
}

/// Where messages go: standard error, or what it was.
static MESSAGES: AtomicU32 = AtomicU32::new(Standard::Error as u32);

/// The descriptor that messages go to.
#[must_use]
pub fn messages() -> u32 {
    MESSAGES.load(Ordering::Relaxed)
}

/// Makes `new` what standard input, output or error is; its messages still go to what that was, as long as [`end_messages`]
/// is not called.
///
/// # Errors
/// Those of dup3(2) and fcntl(2).
pub fn replace(standard: u32, new: BorrowedFd<'_>) -> Done {
    if standard == messages() {
        let old = call!(__NR_fcntl, standard, raw::F_DUPFD_CLOEXEC, Standard::Error as u32 + 1)?;
        MESSAGES.store(old, Ordering::Relaxed);
    }
    done(call!(__NR_dup3, new.as_raw_fd(), standard, 0u32))
}

/// Makes `new` standard input, output or error, which was closed, for CMD too.
///
/// # Errors
/// Those of dup3(2) and fcntl(2).
pub fn put(standard: Standard, new: BorrowedFd<'_>) -> Done {
    let (new, standard) = (new.as_raw_fd().cast_unsigned(), standard as u32);
    if new == standard { close_on_exec(new, false) } else { done(call!(__NR_dup3, new, standard, 0u32)) }
}

/// From now on messages go there.
pub fn send_messages(to: BorrowedFd<'_>) {
    MESSAGES.store(to.as_raw_fd().cast_unsigned(), Ordering::Relaxed);
}

/// From now on messages go to standard error, whatever that is.
pub fn end_messages() {
    let old = MESSAGES.swap(Standard::Error as u32, Ordering::Relaxed);
    if old != Standard::Error as u32 {
        close(old);
    }
}

/// The errno of the last write(2) to standard output that failed.
static UNWRITTEN: AtomicU32 = AtomicU32::new(0);

/// write(2), once if all is taken; what standard output did not take is told by [`unwritten`].
pub fn write(to: Standard, bytes: &[u8]) {
    let fd = if matches!(to, Standard::Error) { messages() } else { to as u32 };
    let mut rest = bytes;
    while !rest.is_empty() {
        match call!(__NR_write, fd, rest.as_ptr(), rest.len()) {
            Ok(length) => rest = rest.get(length as usize..).unwrap_or_default(),
            // Stopped and continued.
            Err(Failure::INTR) => {}
            Err(why) => {
                if matches!(to, Standard::Output) {
                    UNWRITTEN.store(why.number(), Ordering::Relaxed);
                }
                return;
            }
        }
    }
}

/// Why something is missing on standard output.
#[must_use]
pub fn unwritten() -> Option<Failure> {
    let errno = UNWRITTEN.load(Ordering::Relaxed);
    (errno != 0).then(|| Failure::new(errno))
}

/// Waits until a child has ended, wait4(2). Returns its exit status.
///
/// # Errors
/// [`Failure::KILLED`]: a signal has ended it. ECHILD, or what a filter around us answers: how it ended is not known, nor
/// whether it did.
pub fn wait_end(child: i32) -> Result<u8, Failure> {
    let mut status: c_int = 0;
    loop {
        match call!(__NR_wait4, child, &raw mut status, raw::__WALL, 0usize) {
            Ok(_) if status & 0x7f == 0 => return Ok((status >> 8) as u8),
            Ok(_) => return Err(Failure::KILLED),
            // Stopped and continued.
            Err(Failure::INTR) => {}
            Err(why) => return Err(why),
        }
    }
}

/// Waits until a child has ended, or `done` says yes after a SIGCHLD or SIGIO, or kills it when we are asked to end, or the time is
/// over. Other signals wait, and one that came too late for the child does again. Returns its exit status; 0 for `done`.
///
/// # Errors
/// The signal that it was ended for, ours to end or its own.
pub fn wait_or_end(child: Pid, done: &dyn Fn() -> bool, limit: Option<Time>) -> Result<u8, Signal> {
    let (mut late, mut news) = (None, None);
    let status = wait_or_kill(child, done, limit, &mut late, &mut news);
    if let Some(info) = news {
        // It may be the user's.
        let _ = queue(rustix::process::getpid(), info.signal(), &info);
    }
    match (status, late) {
        (Some(status), Some(info)) => {
            let _ = queue(rustix::process::getpid(), info.signal(), &info);
            Ok(status)
        }
        (Some(status), None) => Ok(status),
        (None, late) => Err(late.map_or(Signal::KILL, |info| info.signal())),
    }
}

fn wait_or_kill(
    child: Pid,
    done: &dyn Fn() -> bool,
    limit: Option<Time>,
    asked: &mut Option<Siginfo>,
    news: &mut Option<Siginfo>,
) -> Option<u8> {
    const ASKED: Set = Set::of(&[Signal::CHLD, Signal::IO, Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT]);
    loop {
        match wait4(Some(child), false) {
            Ok(None) if done() => return Some(0),
            Ok(None) => {}
            Ok(Some((_, Change::Exited(status)))) => return Some(status),
            Ok(Some((_, Change::Killed(_)))) | Err(_) => return None,
            Ok(Some(_)) => continue,
        }
        let mut info = Siginfo::EMPTY;
        match wait_signal_of(ASKED, limit, &mut info) {
            Ok(()) if info.signal() == Signal::IO => {
                *news = Some(info);
                continue;
            }
            Ok(()) if info.signal() != Signal::CHLD => *asked = Some(info),
            Err(Failure::AGAIN) => {}
            _ => continue,
        }
        let _ = kill(child.as_raw_nonzero().get(), Signal::KILL);
    }
}

/// How a child changed, as wait4(2) tells it.
#[derive(Clone, Copy)]
pub enum Change {
    Exited(u8),
    Killed(Signal),
    Stopped(Signal),
    Continued,
}

/// Whether `signal` waits to be taken, rt_sigpending(2).
#[must_use]
pub fn is_pending(signal: Signal) -> bool {
    let mut pending = Set::NONE;
    call!(__NR_rt_sigpending, &raw mut pending, size_of::<Set>()).is_ok() && pending.has(signal)
}

/// wait4(2), perhaps waiting: any child (`None`) or one; clone children of every kind (`__WALL`), stops and
/// continuations too. `Ok(None)`: nothing to tell now.
///
/// # Errors
/// ECHILD: there is no child at all.
pub fn wait4(child: Option<Pid>, waiting: bool) -> Result<Option<(Pid, Change)>, Failure> {
    let mut status: c_int = 0;
    let which = child.map_or(-1, |pid| pid.as_raw_nonzero().get());
    let wait = if waiting { 0 } else { raw::WNOHANG };
    let options = wait | raw::WUNTRACED | raw::WCONTINUED | raw::__WALL;
    let pid = call!(__NR_wait4, which, &raw mut status, options, 0usize)?;
    let Some(pid) = Pid::from_raw(pid as i32) else { return Ok(None) };
    let (low, high) = (status & 0x7f, (status >> 8) & 0xff);
    let change = match low {
        _ if status == 0xffff => Change::Continued,
        0x7f => Change::Stopped(Signal::new(high)),
        0 => Change::Exited(high as u8),
        killer => Change::Killed(Signal::new(killer)),
    };
    Ok(Some((pid, change)))
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

/// kill(2): a process, or with a negative number a group, or with -1 everything that may be signalled.
///
/// # Errors
/// ESRCH, EPERM.
pub fn kill(target: i32, signal: Signal) -> Done {
    done(call!(__NR_kill, target, signal.number()))
}

/// rt_sigqueueinfo(2): sends a signal with the value that came with it.
///
/// # Errors
/// ESRCH, EPERM, EAGAIN if the receiver's queue is full.
pub fn queue(target: Pid, signal: Signal, info: &Siginfo) -> Done {
    done(call!(__NR_rt_sigqueueinfo, target.as_raw_nonzero().get(), signal.number(), core::ptr::from_ref(info)))
}

/// rt_sigprocmask(2) SIG_SETMASK; the mask before.
///
/// # Errors
/// None is known.
pub fn set_mask(mask: Set) -> Result<Set, Failure> {
    let mut old = Set::NONE;
    call!(__NR_rt_sigprocmask, raw::SIG_SETMASK, &raw const mask, &raw mut old, size_of::<Set>())?;
    Ok(old)
}

/// rt_sigaction(2) to SIG_IGN or SIG_DFL. Returns whether the signal was ignored.
///
/// # Errors
/// EINVAL for KILL and STOP.
pub fn set_ignored(signal: Signal, ignored: bool) -> Result<bool, Failure> {
    // The kernel's struct: handler, flags, (restorer,) mask; its size never matters beyond the mask's.
    // It reads the new one before it writes the old one.
    let mut action = [usize::from(ignored), 0, 0, 0, 0];
    let place = action.as_mut_ptr();
    call!(__NR_rt_sigaction, signal.number(), place, place, size_of::<Set>())?;
    Ok(action.first() == Some(&1))
}

/// rt_sigtimedwait(2) for any signal, at most `seconds` and `nanos` long, or without limit.
///
/// # Errors
/// EAGAIN: the time is over. EINTR: stopped and continued.
pub fn wait_signal(limit: Option<Time>, info: &mut Siginfo) -> Done {
    wait_signal_of(Set::ALL, limit, info)
}

fn wait_signal_of(set: Set, limit: Option<Time>, info: &mut Siginfo) -> Done {
    let limit: *const Time = limit.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    #[cfg(target_pointer_width = "32")]
    call!(__NR_rt_sigtimedwait_time64, &raw const set, core::ptr::from_mut(info), limit, size_of::<Set>())?;
    #[cfg(target_pointer_width = "64")]
    call!(__NR_rt_sigtimedwait, &raw const set, core::ptr::from_mut(info), limit, size_of::<Set>())?;
    Ok(())
}

/// `struct __kernel_timespec`: seconds and nanoseconds, 64 bits each on every architecture.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub struct Time {
    pub seconds: i64,
    pub nanos: i64,
}

const NANOS: i64 = 1_000_000_000;

impl Time {
    pub const NONE: Time = Time { seconds: 0, nanos: 0 };
    /// 10 ms.
    pub const SHORT: Time = Time { seconds: 0, nanos: NANOS / 100 };

    #[must_use]
    pub const fn after(self, seconds: u32) -> Time {
        Time { seconds: self.seconds + seconds as i64, nanos: self.nanos }
    }

    /// From `earlier` to this; nothing if it has passed.
    #[must_use]
    pub const fn since(self, earlier: Time) -> Time {
        let borrow = self.nanos < earlier.nanos;
        let seconds = self.seconds - earlier.seconds - borrow as i64;
        let nanos = self.nanos - earlier.nanos + if borrow { NANOS } else { 0 };
        if seconds < 0 { Time { seconds: 0, nanos: 0 } } else { Time { seconds, nanos } }
    }
}

/// CLOCK_MONOTONIC, clock_gettime(2).
#[must_use]
pub fn now() -> Time {
    let mut time = Time { seconds: 0, nanos: 0 };
    // It can't fail: the clock exists and the address is good. Were it to, the grace would be measured from the boot.
    #[cfg(target_pointer_width = "32")]
    let _ = call!(__NR_clock_gettime64, raw::CLOCK_MONOTONIC, &raw mut time);
    #[cfg(target_pointer_width = "64")]
    let _ = call!(__NR_clock_gettime, raw::CLOCK_MONOTONIC, &raw mut time);
    time
}
