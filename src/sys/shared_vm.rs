//! Two processes that share one memory (CLONE_VM). The types treat the child as a thread: data that both processes can reach is
//! `Sync`, and data that is passed to the child is `Send`, so safe code has no data race.
//!
//! One rule is not in the types: an [`Apart`] must not be forgotten (`mem::forget`) while its child runs, or data that the child
//! borrows could end before the child. The engine forgets none.

use core::ffi::c_void;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use linux_raw_sys::general as raw;
use rustix::mm::{MprotectFlags, mprotect, munmap};
use rustix::process::Pid;

use super::call::answer;
use super::map::map;
use super::process::{Fork, clone_old, exit};
use super::wait::wait_end;
use super::{Failure, arch};

/// Bytes of the mapping for the stack of [`start`]'s and [`beside`]'s child, with the [`GUARD`]. The path buffers of a walk and
/// the calls need half of the rest.
const STACK: usize = 192 * 1024;

/// Bytes at the lower end of that mapping that no process can read or write. They are more than any frame has (scripts/check),
/// so a child that needs more stack gets SIGSEGV and does not write to the mapping below. They are whole pages on every machine.
const GUARD: usize = 64 * 1024;

/// Whether a child has ever shared our memory and run at the same time.
static SHARED: AtomicBool = AtomicBool::new(false);

/// Whether no other process shares our memory and runs at the same time.
pub(super) fn is_alone() -> bool {
    !SHARED.load(Ordering::Relaxed)
}

/// Starts a child that shares our memory until it executes a program or ends, as vfork(2) does. `body(arg)` runs in the child,
/// on our stack below this function, and its result is the exit status. We wait until then, so the two never run at the same
/// time, and `arg` may be of any type.
///
/// # Errors
/// EAGAIN: a limit of processes (RLIMIT_NPROC, pids.max). ENOMEM: no memory, or process 1 of our pid namespace has ended. EPERM: a
/// seccomp filter of the caller's.
pub fn spawn<T>(body: fn(&T) -> i32, arg: &T) -> Result<Pid, Failure> {
    struct Job<'a, T>(fn(&T) -> i32, &'a T);
    extern "C" fn begin<T>(job: *const c_void) -> ! {
        // SAFETY: `job` is the Job of `spawn`, which waits in the kernel until this process has executed or ended
        // (CLONE_VFORK).
        let job = unsafe { &*job.cast::<Job<'_, T>>() };
        exit((job.0)(job.1))
    }
    let job = Job(body, arg);
    let flags = raw::CLONE_VM | raw::CLONE_VFORK | raw::SIGCHLD;
    // SAFETY: with CLONE_VFORK this process stands still while the child uses the stack below; `begin` never returns.
    let pid = unsafe { arch::spawn(flags, core::ptr::null_mut(), begin::<T>, (&raw const job).cast()) };
    Pid::from_raw(answer(pid)? as i32).ok_or(Failure::CHILD)
}

/// A child that shares our memory and runs at the same time. Its argument is borrowed until it no longer shares the memory.
pub struct Apart<'a> {
    /// Null: the child shares nothing.
    stack: *mut c_void,
    shares: *const AtomicU32,
    given: PhantomData<&'a ()>,
}

// SAFETY: the stack and the word in it are addresses in a memory that both processes share. The process that has the Apart may
// wait for the word, which is atomic, and unmap the stack, which no process uses after that.
unsafe impl Send for Apart<'_> {}

/// The argument of the child. That of [`start`] is at the top of the child's stack.
#[repr(C)]
struct Job<T> {
    /// 1 as long as the child uses our memory. The kernel makes it 0 when the child executes or ends, and wakes the waiter
    /// (set_tid_address(2), CLONE_CHILD_CLEARTID).
    shares: AtomicU32,
    work: T,
}

/// Waits until the kernel has made the word of a Job 0.
///
/// # Safety
/// The word is mapped until then.
#[inline(never)]
unsafe fn wait_while_shared(shares: *const AtomicU32) {
    // SAFETY: the caller of this function keeps the word mapped.
    while unsafe { &*shares }.load(Ordering::Acquire) != 0 {
        // Not FUTEX_WAIT_PRIVATE: at the child's end the kernel wakes waiters with a shared FUTEX_WAKE (futex(2)).
        // SAFETY: the kernel reads the word and waits while it is 1; a null pointer for the time sets no limit.
        let _ = unsafe { call!(__NR_futex, shares, raw::FUTEX_WAIT, 1u32, 0usize, 0usize) };
    }
}

/// A new mapping of STACK bytes for the stack of a child. It begins and ends at a page.
///
/// # Errors
/// ENOMEM: no memory, or too many mappings (vm.max_map_count).
#[inline(never)]
fn new_stack() -> Result<*mut c_void, Failure> {
    let stack = map(STACK)?;
    // SAFETY: the mapping was made above, and nothing uses it yet.
    unsafe {
        if let Err(why) = mprotect(stack, GUARD, MprotectFlags::empty()) {
            let _ = munmap(stack, STACK);
            return Err(why.into());
        }
    }
    Ok(stack)
}

/// Starts a child that shares our memory until it executes a program or ends. `body(&arg)` runs in the child, and its result is
/// the exit status. We go on meanwhile. If the kernel cannot make such a child (EINVAL in qemu's user mode), the child gets a
/// copy of our memory.
///
/// # Errors
/// EAGAIN: a limit of processes (RLIMIT_NPROC, pids.max). ENOMEM: no memory, or process 1 of our pid namespace has ended. EPERM: a
/// seccomp filter of the caller's.
pub fn start<'a, T: Copy + Send + Sync + 'a>(body: fn(&T) -> i32, arg: T) -> Result<(Pid, Apart<'a>), Failure> {
    extern "C" fn begin<T>(job: *const c_void) -> ! {
        // SAFETY: `job` is the Job at the top of this very stack. It is not written any more, and stays until this process has
        // executed or ended (`Apart::reclaim`).
        let (body, arg) = unsafe { &(*job.cast::<Job<(fn(&T) -> i32, T)>>()).work };
        exit(body(arg))
    }
    SHARED.store(true, Ordering::Relaxed);
    let stack = new_stack()?;
    // 64 is a multiple of the stack alignment of every machine.
    let size = size_of::<Job<(fn(&T) -> i32, T)>>().next_multiple_of(64);
    let job = stack.cast::<u8>().wrapping_add(STACK - size).cast::<Job<(fn(&T) -> i32, T)>>();
    // SAFETY: the place is the end of the mapping, has room for a Job and is aligned for one; nothing else knows it yet.
    unsafe { job.write(Job { shares: AtomicU32::new(1), work: (body, arg) }) };
    let flags = raw::CLONE_VM | raw::CLONE_CHILD_CLEARTID | raw::SIGCHLD;
    // SAFETY: below `job` the stack is the child's alone, the Job begins with the word for CLONE_CHILD_CLEARTID, and `begin` never
    // returns. Both processes reach that word, which is atomic, statics, which are Sync, and what `arg` borrows, which is Sync
    // and borrowed for as long as the Apart.
    match answer(unsafe { arch::spawn(flags, job.cast(), begin::<T>, job.cast_const().cast()) }) {
        Ok(pid) => {
            let pid = Pid::from_raw(pid as i32).ok_or(Failure::CHILD)?;
            Ok((pid, Apart { stack, shares: job.cast_const().cast(), given: PhantomData }))
        }
        Err(why) => {
            // SAFETY: no child has begun to use the mapping, which was made above.
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

/// Runs `body(arg)` in a child that shares our memory, descriptors, working directory, root and umask, and `meanwhile(own)` here.
/// Returns when both have ended: whether `body` returned true, or the error of [`wait_end`].
///
/// # Errors
/// As [`start`], and EINVAL in qemu's user mode; neither has run then.
pub fn beside<T: Send, M>(
    body: fn(&mut T) -> bool,
    arg: &mut T,
    meanwhile: fn(&mut M),
    own: &mut M,
) -> Result<Result<bool, Failure>, Failure> {
    extern "C" fn begin<T>(job: *const c_void) -> ! {
        // SAFETY: `job` is the Job of `beside`, and `arg` its `&mut T`. `beside` does not touch them, and does not return before
        // this process has ended (`run_beside`).
        let (body, arg) = unsafe {
            let (body, arg) = (*job.cast::<Job<(fn(&mut T) -> bool, *mut T)>>()).work;
            (body, &mut *arg)
        };
        exit(i32::from(!body(arg)))
    }
    let job = Job { shares: AtomicU32::new(1), work: (body, core::ptr::from_mut(arg)) };
    // SAFETY: `begin` reads a Job of these two types, and ends with exit. The job and `arg` last until the child has ended; only
    // the child uses `arg` until then, and T is Send. `meanwhile` gets the `&mut M` that it takes: for a call, `&mut M` and
    // `*mut c_void` are the same (ABI compatibility of fn pointers).
    unsafe {
        let meanwhile = core::mem::transmute::<fn(&mut M), unsafe fn(*mut c_void)>(meanwhile);
        run_beside(begin::<T>, (&raw const job).cast(), meanwhile, core::ptr::from_mut(own).cast())
    }
}

/// Starts the child of [`beside`], calls `meanwhile(own)`, and waits until the child has ended. Returns whether its exit
/// status is 0.
///
/// # Errors
/// As [`beside`].
///
/// # Safety
/// `job` is a Job for `begin`, which never returns. Both processes may use what it leads to as two threads may. `own` is what
/// `meanwhile` takes.
#[inline(never)]
unsafe fn run_beside(
    begin: extern "C" fn(*const c_void) -> !,
    job: *const AtomicU32,
    meanwhile: unsafe fn(*mut c_void),
    own: *mut c_void,
) -> Result<Result<bool, Failure>, Failure> {
    SHARED.store(true, Ordering::Relaxed);
    let stack = new_stack()?;
    let flags = raw::CLONE_VM | raw::CLONE_FILES | raw::CLONE_FS | raw::CLONE_CHILD_CLEARTID | raw::SIGCHLD;
    let top = stack.cast::<u8>().wrapping_add(STACK);
    // SAFETY: the stack is the child's alone and ends at a page, and the job begins with the word for CLONE_CHILD_CLEARTID. The
    // caller of this function guarantees the rest.
    let result = answer(unsafe { arch::spawn(flags, top, begin, job.cast()) }).map(|child| {
        // SAFETY: `own` is what `meanwhile` takes; the caller of this function guarantees it.
        unsafe { meanwhile(own) };
        let ended = wait_end(child as i32).map(|status| status == 0);
        // wait4(2) may have been refused.
        // SAFETY: the job belongs to the caller of this function, and lasts until this function returns.
        unsafe { wait_while_shared(job) };
        ended
    });
    // SAFETY: the mapping was made above, and its one user, the child, has ended or never begun.
    let _ = unsafe { munmap(stack, STACK) };
    result
}

impl Apart<'_> {
    /// No child that shares our memory.
    pub const NOBODY: Apart<'static> =
        Apart { stack: core::ptr::null_mut(), shares: core::ptr::null(), given: PhantomData };

    /// Unmaps the child's stack, if the child has executed a program or ended.
    pub fn reclaim(&mut self) {
        // SAFETY: a stack that is not null is mapped, and `shares` is the first word of the Job in it.
        if self.stack.is_null() || unsafe { &*self.shares }.load(Ordering::Acquire) != 0 {
            return;
        }
        // SAFETY: `start` made the mapping. Only the child used it, and the child has executed a program or ended.
        let _ = unsafe { munmap(self.stack, STACK) };
        self.stack = core::ptr::null_mut();
    }
}

impl Drop for Apart<'_> {
    /// Waits until the child no longer shares our memory.
    fn drop(&mut self) {
        if !self.stack.is_null() {
            // SAFETY: the word is in the stack, which is mapped as long as its address is not null.
            unsafe { wait_while_shared(self.shares) };
            self.reclaim();
        }
    }
}
