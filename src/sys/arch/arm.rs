//! armv7, Thumb or not.

use core::arch::asm;
use core::ffi::c_void;

use super::Register;

/// How an ELF file names this machine, `e_machine` (elf(5)).
pub const MACHINE: u16 = 40;

/// A system call of up to five arguments. The kernel's answer: a negative errno, or the result.
///
/// # Safety
/// That of the call.
#[inline(always)]
pub unsafe fn call(number: u32, [a, b, c, d, e]: [Register; 5]) -> isize {
    let answer;
    // SAFETY: the caller's word; r7, which Thumb keeps as its frame pointer, is saved around the call.
    unsafe {
        asm!(
            "mov {saved}, r7", "mov r7, {number}", "svc 0", "mov r7, {saved}",
            saved = out(reg) _, number = in(reg) number, inlateout("r0") a => answer,
            in("r1") b, in("r2") c, in("r3") d, in("r4") e, options(nostack),
        );
    }
    answer
}

/// The program's first instructions: the stack as execve(2) left it, where the program was loaded, and its table of
/// dynamic entries go to `$begin`.
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

/// clone(2) with `flags`; in the child `begin(arg)` runs, on the stack that ends at `top`, or if that is null below the
/// caller's frame. The kernel's answer: the child's pid, or a negative errno.
///
/// # Safety
/// The stack at `top`, which is 16-byte aligned, is the child's own; without one, the caller stands still until the
/// child needs none (CLONE_VFORK). No flag is among them that reads the other arguments, but CLONE_CHILD_CLEARTID: `arg`
/// then begins with an [`AtomicU32`](core::sync::atomic::AtomicU32) that stays where it is.
pub unsafe fn spawn(flags: u32, top: *mut u8, begin: extern "C" fn(*const c_void) -> !, arg: *const c_void) -> isize {
    let answer;
    // SAFETY: as above; r7, which Thumb keeps as its frame pointer, is saved around the call.
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
