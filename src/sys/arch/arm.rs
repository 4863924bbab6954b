//! armv7, Thumb or not.

use core::arch::asm;
use core::ffi::c_void;

use super::Register;

/// How an ELF file names this machine, `e_machine` (elf(5)).
pub const MACHINE: u16 = 40;

/// A system call of up to five arguments. Returns the kernel's answer: a negative errno, or the result.
///
/// # Safety
/// The kernel reads and writes memory as the call's man page says: each pointer among the arguments must lead to such memory, and
/// nothing may rely on what the call changes.
#[inline(always)]
pub unsafe fn call(number: u32, [a, b, c, d, e]: [Register; 5]) -> isize {
    let answer;
    // SAFETY: `svc` reads the registers named here and changes r0. Thumb code keeps its frame pointer in r7, so that is saved
    // around the call in a register of the compiler's choice. The caller of this function answers for the memory that the call
    // reads and writes.
    unsafe {
        asm!(
            "mov {saved}, r7", "mov r7, {number}", "svc 0", "mov r7, {saved}",
            saved = out(reg) _, number = in(reg) number, inlateout("r0") a => answer,
            in("r1") b, in("r2") c, in("r3") d, in("r4") e, options(nostack),
        );
    }
    answer
}

/// The program's first instructions: they call `$begin` with the stack pointer that execve(2) left, the address where the program
/// was loaded, and the address of its table of dynamic entries.
#[cfg(own_start)]
macro_rules! first_instructions {
    ($begin:path) => {
        core::arch::naked_asm!(
            ".hidden __ehdr_start", ".hidden _DYNAMIC",
            "mov r0, sp", "adr r3, 2f", "ldr r1, [r3]", "add r1, r1, r3", "ldr r2, [r3, #4]", "add r2, r2, r3", "bl {}",
            ".balign 4", "2:", ".word __ehdr_start - .", ".word _DYNAMIC - . + 4",
            sym $begin,
        )
    };
}
#[cfg(own_start)]
pub(in crate::sys) use first_instructions;

/// clone(2) with `flags`. The child calls `begin(arg)` on the stack that ends at `top`; if `top` is null, on the caller's own stack,
/// below its frame. Returns the kernel's answer: the child's pid, or a negative errno.
///
/// # Safety
/// The stack below `top`, which is 16-byte aligned, is the child's alone; if `top` is null, the caller stands still until the child
/// needs no stack (CLONE_VFORK). No flag makes the kernel read a further argument, except CLONE_CHILD_CLEARTID: `arg` then begins
/// with an [`AtomicU32`](core::sync::atomic::AtomicU32) that stays there until the kernel has cleared it.
pub unsafe fn spawn(flags: u32, top: *mut u8, begin: extern "C" fn(*const c_void) -> !, arg: *const c_void) -> isize {
    let answer;
    // SAFETY: Thumb code keeps its frame pointer in r7, so that is saved around the call. The child does not need it: it never
    // returns from `begin`. Its stack is `top` or the parent's own, both at least 8-byte aligned, as the ABI demands at `blx`.
    // CLONE_CHILD_CLEARTID reads r4, which is `arg`.
    unsafe {
        asm!(
            "mov {saved}, r7", "mov r7, {number}", "svc 0", "mov r7, {saved}", "cmp r0, #0", "bne 2f",
            "mov r0, r9", "blx r8", "udf #0", "2:",
            saved = out(reg) _, number = in(reg) linux_raw_sys::general::__NR_clone,
            inlateout("r0") flags => answer, in("r1") top, in("r4") arg, in("r8") begin, in("r9") arg,
        );
    }
    answer
}
