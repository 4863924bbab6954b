//! What no function of Rust's can do, one per architecture: a system call, the program's first instructions, and a
//! clone(2) after which the child is somewhere else.

use core::arch::asm;
use core::ffi::c_void;
use core::mem::MaybeUninit;

/// An argument of a system call; what a call does not take is left as it is.
pub type Register = MaybeUninit<usize>;

/// How an ELF file names this machine, `e_machine` (elf(5)).
pub const MACHINE: u16 = if cfg!(target_arch = "x86_64") {
    62
} else if cfg!(target_arch = "x86") {
    3
} else if cfg!(target_arch = "aarch64") {
    183
} else if cfg!(target_arch = "arm") {
    40
} else {
    // riscv64.
    243
};

/// A system call of up to five arguments. The kernel's answer: a negative errno, or the result.
///
/// # Safety
/// That of the call.
#[cfg(target_arch = "x86_64")]
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

/// As above.
///
/// # Safety
/// As above.
#[cfg(target_arch = "x86")]
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

/// As above.
///
/// # Safety
/// As above.
#[cfg(target_arch = "aarch64")]
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

/// As above.
///
/// # Safety
/// As above.
#[cfg(target_arch = "arm")]
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

/// As above.
///
/// # Safety
/// As above.
#[cfg(target_arch = "riscv64")]
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
/// dynamic entries go to [`super::entry::begin`].
#[cfg(own_start)]
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    #[cfg(target_arch = "x86_64")]
    core::arch::naked_asm!(
        ".hidden __ehdr_start", ".hidden _DYNAMIC",
        "xor ebp, ebp", "mov rdi, rsp", "lea rsi, [rip + __ehdr_start]", "lea rdx, [rip + _DYNAMIC]", "call {}",
        sym super::entry::begin,
    );
    // Three words and four bytes keep the stack aligned at the call.
    #[cfg(target_arch = "x86")]
    core::arch::naked_asm!(
        ".hidden __ehdr_start", ".hidden _DYNAMIC",
        "xorl %ebp, %ebp", "movl %esp, %eax", "call 2f", "2:", "popl %ecx", "subl $4, %esp",
        "leal _DYNAMIC-2b(%ecx), %edx", "pushl %edx", "leal __ehdr_start-2b(%ecx), %edx", "pushl %edx", "pushl %eax",
        "call {}",
        sym super::entry::begin, options(att_syntax),
    );
    #[cfg(target_arch = "aarch64")]
    core::arch::naked_asm!(
        ".hidden __ehdr_start", ".hidden _DYNAMIC",
        "mov x29, 0", "mov x0, sp", "adrp x1, __ehdr_start", "add x1, x1, :lo12:__ehdr_start",
        "adrp x2, _DYNAMIC", "add x2, x2, :lo12:_DYNAMIC", "bl {}",
        sym super::entry::begin,
    );
    #[cfg(target_arch = "arm")]
    core::arch::naked_asm!(
        ".hidden __ehdr_start", ".hidden _DYNAMIC",
        "mov r0, sp", "adr r3, 2f", "ldr r1, [r3]", "add r1, r1, r3", "ldr r2, [r3, #4]", "add r2, r2, r3", "bl {}",
        ".balign 4", "2:", ".word __ehdr_start - .", ".word _DYNAMIC - . + 4",
        sym super::entry::begin,
    );
    #[cfg(target_arch = "riscv64")]
    core::arch::naked_asm!(
        ".hidden __ehdr_start", ".hidden _DYNAMIC",
        "mv a0, sp", "lla a1, __ehdr_start", "lla a2, _DYNAMIC", "call {}",
        sym super::entry::begin,
    );
}

/// clone(2) with `flags`; in the child `begin(arg)` runs, on the stack that ends at `top`, or if that is null below the
/// caller's frame. The kernel's answer: the child's pid, or a negative errno.
///
/// # Safety
/// The stack at `top`, which is 16-byte aligned, is the child's own; without one, the caller stands still until the
/// child needs none (CLONE_VFORK). No flag is among them that reads the other arguments, but CLONE_CHILD_CLEARTID: `arg`
/// then begins with an [`AtomicU32`](core::sync::atomic::AtomicU32) that stays where it is.
#[cfg(target_arch = "x86_64")]
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

/// As above.
///
/// # Safety
/// As above.
#[cfg(target_arch = "x86")]
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

/// As above.
///
/// # Safety
/// As above.
#[cfg(target_arch = "aarch64")]
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

/// As above.
///
/// # Safety
/// As above.
#[cfg(target_arch = "arm")]
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

/// As above.
///
/// # Safety
/// As above.
#[cfg(target_arch = "riscv64")]
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
