//! i686.

use core::arch::asm;
use core::ffi::c_void;

use super::Register;

/// How an ELF file names this machine, `e_machine` (elf(5)).
pub const MACHINE: u16 = 3;

/// A system call of up to five arguments. The kernel's answer: a negative errno, or the result.
///
/// # Safety
/// That of the call.
#[inline(always)]
pub unsafe fn call(number: u32, [a, b, c, d, e]: [Register; 5]) -> isize {
    let answer;
    // SAFETY: the caller's word; esi, which the compiler keeps for itself, is ours only around the call.
    unsafe {
        asm!(
            "xchg esi, {d}", "int 0x80", "xchg esi, {d}", d = in(reg) d, inlateout("eax") number as usize => answer,
            in("ebx") a, in("ecx") b, in("edx") c, in("edi") e,
        );
    }
    answer
}

/// The program's first instructions: the stack as execve(2) left it, where the program was loaded, and its table of
/// dynamic entries go to `$begin`.
#[cfg(own_start)]
macro_rules! first_instructions {
    ($begin:path) => {
        // Three words and four bytes keep the stack aligned at the call.
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

/// clone(2) with `flags`; in the child `begin(arg)` runs, on the stack that ends at `top`, or if that is null below the
/// caller's frame. The kernel's answer: the child's pid, or a negative errno.
///
/// # Safety
/// The stack at `top`, which is 16-byte aligned, is the child's own; without one, the caller stands still until the
/// child needs none (CLONE_VFORK). No flag is among them that reads the other arguments, but CLONE_CHILD_CLEARTID: `arg`
/// then begins with an [`AtomicU32`](core::sync::atomic::AtomicU32) that stays where it is.
pub unsafe fn spawn(flags: u32, top: *mut u8, begin: extern "C" fn(*const c_void) -> !, arg: *const c_void) -> isize {
    let answer;
    // SAFETY: as above. ebx, which the compiler keeps for itself, is ours only around the call. On the caller's stack it
    // lies 4 bytes below where it was aligned, and so does `top`: with eight bytes and `arg` it is aligned again.
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
