//! x86_64.

use core::arch::asm;
use core::ffi::c_void;

use super::Register;

/// How an ELF file names this machine, `e_machine` (elf(5)).
pub const MACHINE: u16 = 62;

/// A system call of up to five arguments. Returns the kernel's answer: a negative errno, or the result.
///
/// # Safety
/// The kernel reads and writes memory as the call's man page says: each pointer among the arguments must lead to such memory, and
/// nothing may rely on what the call changes.
#[inline(always)]
pub unsafe fn call(number: u32, [a, b, c, d, e]: [Register; 5]) -> isize {
    let answer;
    // SAFETY: `syscall` reads the registers named here and changes rax, rcx and r11 (syscall(2)); it does not use the stack. The
    // caller of this function answers for the memory that the call reads and writes.
    unsafe {
        asm!(
            "syscall", inlateout("rax") number as usize => answer,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, lateout("rcx") _, lateout("r11") _,
            options(nostack),
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
            "xor ebp, ebp", "mov rdi, rsp", "lea rsi, [rip + __ehdr_start]", "lea rdx, [rip + _DYNAMIC]", "call {}",
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
    // SAFETY: the child's stack is `top`, 16-byte aligned as `call` needs it, or the parent's own, which the compiler aligns for
    // this asm and below which it keeps no data. The child never returns from `begin`, so the return address that `call` pushes
    // is not used. CLONE_CHILD_CLEARTID reads r10, which is `arg` itself.
    unsafe {
        asm!(
            "syscall", "test eax, eax", "jnz 2f", "xor ebp, ebp", "mov rdi, r10", "call rdx", "ud2", "2:",
            inlateout("rax") linux_raw_sys::general::__NR_clone as usize => answer,
            in("rdi") flags as usize, in("rsi") top, in("rdx") begin, in("r10") arg, lateout("rcx") _, lateout("r11") _,
        );
    }
    answer
}
