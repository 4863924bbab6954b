//! aarch64.

use core::arch::asm;
use core::ffi::c_void;

use super::Register;

/// How an ELF file names this machine, `e_machine` (elf(5)).
pub const MACHINE: u16 = 183;

/// A system call of up to five arguments. The kernel's answer: a negative errno, or the result.
///
/// # Safety
/// That of the call.
#[inline(always)]
pub unsafe fn call(number: u32, [a, b, c, d, e]: [Register; 5]) -> isize {
    let answer;
    // SAFETY: the caller's word; the kernel changes x0, and no memory but what the arguments lead to.
    unsafe {
        asm!(
            "svc 0", in("x8") number as usize, inlateout("x0") a => answer,
            in("x1") b, in("x2") c, in("x3") d, in("x4") e, options(nostack),
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
            "mov x29, 0", "mov x0, sp", "adrp x1, __ehdr_start", "add x1, x1, :lo12:__ehdr_start",
            "adrp x2, _DYNAMIC", "add x2, x2, :lo12:_DYNAMIC", "bl {}",
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
    // SAFETY: as above.
    unsafe {
        asm!(
            "svc 0", "cbnz x0, 2f", "mov x29, 0", "mov x0, x10", "blr x9", "brk 1", "2:",
            in("x8") linux_raw_sys::general::__NR_clone as usize, inlateout("x0") flags as usize => answer, in("x1") top,
            in("x4") arg, in("x9") begin, in("x10") arg,
        );
    }
    answer
}
