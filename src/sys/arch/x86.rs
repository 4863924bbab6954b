//! i686.

use core::arch::asm;
use core::ffi::c_void;

use super::Register;

/// How an ELF file names this machine, `e_machine` (elf(5)).
pub const MACHINE: u16 = 3;

/// A system call of up to five arguments. Returns the kernel's answer: a negative errno, or the result.
///
/// # Safety
/// The kernel reads and writes memory as the call's man page says: each pointer among the arguments must lead to such memory, and
/// nothing may rely on what the call changes.
#[inline(always)]
pub unsafe fn call(number: u32, [a, b, c, d, e]: [Register; 5]) -> isize {
    let answer;
    // SAFETY: `int 0x80` reads the registers named here and changes eax. The compiler keeps esi for itself, so it holds the fourth
    // argument only between the two exchanges. The caller of this function answers for the memory that the call reads and writes.
    unsafe {
        asm!(
            "xchg esi, {d}", "int 0x80", "xchg esi, {d}", d = in(reg) d, inlateout("eax") number as usize => answer,
            in("ebx") a, in("ecx") b, in("edx") c, in("edi") e,
        );
    }
    answer
}

/// The program's first instructions: they call `$begin` with the stack pointer that execve(2) left, the address where the program
/// was loaded, and the address of its table of dynamic entries.
#[cfg(own_start)]
macro_rules! first_instructions {
    ($begin:path) => {
        // Three arguments of 4 bytes, and 4 bytes more, keep the stack 16-byte aligned at the call.
        core::arch::naked_asm!(
            ".hidden __ehdr_start", ".hidden _DYNAMIC",
            "xorl %ebp, %ebp", "movl %esp, %eax", "call 2f", "2:", "popl %ecx", "subl $4, %esp",
            "leal _DYNAMIC-2b(%ecx), %edx", "pushl %edx", "leal __ehdr_start-2b(%ecx), %edx", "pushl %edx", "pushl %eax",
            "call {}",
            sym $begin, options(att_syntax),
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
    // SAFETY: the compiler keeps ebx for itself, so it is saved around the call. On the parent's own stack the saved ebx lies
    // 4 bytes below where the stack was aligned, and `top` is 4 lower too: with 8 bytes and `arg` both are aligned for the
    // call. The child never returns from `begin`. CLONE_CHILD_CLEARTID reads edi, which is `arg`.
    let top = if top.is_null() { top } else { top.wrapping_sub(4) };
    unsafe {
        asm!(
            "push ebx", "mov ebx, {flags}", "int 0x80", "test eax, eax", "jnz 2f",
            "xor ebp, ebp", "sub esp, 8", "push edi", "call edx", "ud2", "2:", "pop ebx",
            flags = in(reg) flags, inlateout("eax") linux_raw_sys::general::__NR_clone as usize => answer,
            in("ecx") top, in("edx") begin, in("edi") arg,
        );
    }
    answer
}
