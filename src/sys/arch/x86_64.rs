//! x86_64.

use core::arch::asm;
use core::ffi::c_void;

use super::Register;

/// How an ELF file names this machine, `e_machine` (elf(5)).
pub const MACHINE: u16 = 62;

/// A system call of up to five arguments. The kernel's answer: a negative errno, or the result.
///
/// # Safety
/// That of the call.
#[inline(always)]
pub unsafe fn call(number: u32, [a, b, c, d, e]: [Register; 5]) -> isize {
    let answer;
    // SAFETY: the caller's word; the kernel changes rax, rcx and r11, and no memory but what the arguments lead to.
    unsafe {
        asm!(
            "syscall", inlateout("rax") number as usize => answer,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, lateout("rcx") _, lateout("r11") _,
            options(nostack),
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
            "xor ebp, ebp", "mov rdi, rsp", "lea rsi, [rip + __ehdr_start]", "lea rdx, [rip + _DYNAMIC]", "call {}",
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
    // SAFETY: the caller's word; the child leaves this code by the call, whose return address it never uses. The stack
    // is aligned for a call here, and nothing of ours lies below it.
    unsafe {
        asm!(
            "syscall", "test eax, eax", "jnz 2f", "xor ebp, ebp", "mov rdi, r10", "call rdx", "ud2", "2:",
            inlateout("rax") linux_raw_sys::general::__NR_clone as usize => answer,
            in("rdi") flags as usize, in("rsi") top, in("rdx") begin, in("r10") arg, lateout("rcx") _, lateout("r11") _,
        );
    }
    answer
}
