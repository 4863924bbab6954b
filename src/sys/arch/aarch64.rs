//! aarch64.

use core::arch::asm;
use core::ffi::c_void;

use super::Register;

/// How an ELF file names this machine, `e_machine` (elf(5)).
pub const MACHINE: u16 = 183;

/// A system call of up to five arguments. Returns the kernel's answer: a negative errno, or the result.
///
/// # Safety
/// The kernel reads and writes memory as the call's man page says: each pointer among the arguments must lead to such memory, and
/// nothing may rely on what the call changes.
#[inline(always)]
pub unsafe fn call(number: u32, [a, b, c, d, e]: [Register; 5]) -> isize {
    let answer;
    // SAFETY: `svc` reads the registers named here and changes x0; it does not use the stack. The caller of this function answers
    // for the memory that the call reads and writes.
    unsafe {
        asm!(
            "svc 0", in("x8") number as usize, inlateout("x0") a => answer,
            in("x1") b, in("x2") c, in("x3") d, in("x4") e, options(nostack),
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
            "mov x29, 0", "mov x0, sp", "adrp x1, __ehdr_start", "add x1, x1, :lo12:__ehdr_start",
            "adrp x2, _DYNAMIC", "add x2, x2, :lo12:_DYNAMIC", "bl {}",
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
    // SAFETY: the child's stack is `top` or the parent's own, both 16-byte aligned as the ABI demands at `blr`. It never returns
    // from `begin`. CLONE_CHILD_CLEARTID reads x4, which is `arg`.
    unsafe {
        asm!(
            "svc 0", "cbnz x0, 2f", "mov x29, 0", "mov x0, x10", "blr x9", "brk 1", "2:",
            in("x8") linux_raw_sys::general::__NR_clone as usize, inlateout("x0") flags as usize => answer, in("x1") top,
            in("x4") arg, in("x9") begin, in("x10") arg,
        );
    }
    answer
}
