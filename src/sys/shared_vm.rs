//! Two processes in one memory.

use core::ffi::c_void;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU32, Ordering};

use linux_raw_sys::general as raw;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use rustix::process::Pid;

use super::call::answer;
use super::process::{Fork, clone_old, exit};
use super::wait::wait_end;
use super::{Failure, arch};

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
