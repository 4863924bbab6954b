//! riscv64.

use core::arch::asm;
use core::ffi::c_void;

use super::Register;

/// How an ELF file names this machine, `e_machine` (elf(5)).
pub const MACHINE: u16 = 243;

/// A system call of up to five arguments. The kernel's answer: a negative errno, or the result.
///
/// # Safety
/// That of the call.
#[inline(always)]
pub unsafe fn call(number: u32, [a, b, c, d, e]: [Register; 5]) -> isize {
    let answer;
    // SAFETY: the caller's word; the kernel changes a0, and no memory but what the arguments lead to.
    unsafe {
        asm!(
            "ecall", in("a7") number as usize, inlateout("a0") a => answer,
            in("a1") b, in("a2") c, in("a3") d, in("a4") e, options(nostack),
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
            "mv a0, sp", "lla a1, __ehdr_start", "lla a2, _DYNAMIC", "call {}",
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
            "ecall", "bnez a0, 2f", "mv a0, t1", "jalr t0", "ebreak", "2:",
            in("a7") linux_raw_sys::general::__NR_clone as usize, inlateout("a0") flags as usize => answer, in("a1") top,
            in("a4") arg, in("t0") begin, in("t1") arg,
        );
    }
    answer
}
