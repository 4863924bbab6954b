//! clone(2) onto another stack, which no function of Rust's can return from twice: one per architecture.

use core::arch::asm;
use core::ffi::c_void;

/// clone(2) with `flags` onto the stack that ends at `top`; there `begin(arg)` runs. The kernel's answer: the child's
/// pid, or a negative errno.
///
/// # Safety
/// `top` is 16-byte aligned and the end of a stack of the child's own; with CLONE_VM, whatever `arg` leads to outlives it.
#[cfg(target_arch = "x86_64")]
pub unsafe fn spawn(flags: u32, top: *mut u8, begin: extern "C" fn(*const c_void) -> !, arg: *const c_void) -> isize {
    let answer;
    // SAFETY: the caller's word; the child leaves this code by the call, whose return address it never uses.
    unsafe {
        asm!(
            "syscall", "test eax, eax", "jnz 2f", "xor ebp, ebp", "mov rdi, r13", "call r12", "ud2", "2:",
            inout("rax") linux_raw_sys::general::__NR_clone as usize => answer,
            in("rdi") flags as usize, in("rsi") top, in("rdx") 0, in("r10") 0, in("r8") 0,
            in("r12") begin, in("r13") arg, out("rcx") _, out("r11") _,
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
    // SAFETY: the caller's word. The child finds both words on its new stack; ebx and esi, which the compiler keeps for
    // itself, are ours only around the call. 12 bytes below them keep the stack aligned at the call.
    unsafe {
        let stack = top.sub(16).cast::<usize>();
        stack.write(begin as usize);
        stack.add(1).write(arg.addr());
        asm!(
            "push esi", "push ebx", "mov ebx, {flags}", "xor esi, esi", "int 0x80",
            "test eax, eax", "jnz 2f", "xor ebp, ebp", "pop eax", "pop ecx", "sub esp, 4", "push ecx", "call eax", "ud2",
            "2:", "pop ebx", "pop esi",
            flags = in(reg) flags, inout("eax") linux_raw_sys::general::__NR_clone as usize => answer,
            in("ecx") stack, in("edx") 0, inout("edi") 0 => _,
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
    // SAFETY: the caller's word; the child leaves this code by the branch.
    unsafe {
        asm!(
            "svc 0", "cbnz x0, 2f", "mov x29, 0", "mov x0, x10", "blr x9", "brk 1", "2:",
            inout("x0") flags as usize => answer, in("x1") top, in("x2") 0, in("x3") 0, in("x4") 0,
            in("x8") linux_raw_sys::general::__NR_clone as usize, in("x9") begin, in("x10") arg,
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
    // SAFETY: the caller's word; r7, which Thumb keeps as its frame pointer, is saved around the call; the child leaves
    // this code by the branch.
    unsafe {
        asm!(
            "mov {saved}, r7", "mov r7, {number}", "svc 0", "mov r7, {saved}", "cmp r0, #0", "bne 2f",
            "mov r0, r9", "blx r8", "udf #0", "2:",
            saved = out(reg) _, number = in(reg) linux_raw_sys::general::__NR_clone as usize,
            inout("r0") flags as usize => answer, in("r1") top, in("r2") 0, in("r3") 0, in("r4") 0,
            in("r8") begin, in("r9") arg,
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
    // SAFETY: the caller's word; the child leaves this code by the jump.
    unsafe {
        asm!(
            "ecall", "bnez a0, 2f", "mv a0, t1", "jalr t0", "ebreak", "2:",
            inout("a0") flags as usize => answer, in("a1") top, in("a2") 0, in("a3") 0, in("a4") 0,
            in("a7") linux_raw_sys::general::__NR_clone as usize, in("t0") begin, in("t1") arg,
        );
    }
    answer
}
