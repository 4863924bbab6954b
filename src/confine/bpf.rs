//! Instructions of the kernel's BPF machine, for filters of system calls (seccomp(2)).

use linux_raw_sys::ptrace as raw;

/// `struct sock_filter`: what to do in 16 bits, how many instructions to skip if a comparison is true and if not, in 8 bits each, and an
/// operand in 32 bits.
pub type Instruction = [u8; 8];

pub const fn instruction(code: u32, then: u8, otherwise: u8, operand: u32) -> Instruction {
    let ([a, b], [c, d, e, f]) = ((code as u16).to_ne_bytes(), operand.to_ne_bytes());
    [a, b, then, otherwise, c, d, e, f]
}

/// Comparisons.
pub const EQUAL: u32 = raw::BPF_JMP | raw::BPF_JEQ;
pub const ANY_BIT: u32 = raw::BPF_JMP | raw::BPF_JSET;
pub const AT_LEAST: u32 = raw::BPF_JMP | raw::BPF_JGE;

/// Loads 32 bits of `struct seccomp_data`: here the call's number, and the machine.
pub const NUMBER: Instruction = load(0);
pub const ARCH: Instruction = load(4);

const fn load(offset: u32) -> Instruction {
    instruction(raw::BPF_LD | raw::BPF_W | raw::BPF_ABS, 0, 0, offset)
}

/// Loads the lower half of an argument. The kernel ignores the upper half of those that the filters look at.
pub const fn argument(index: u32) -> Instruction {
    load(16 + 8 * index)
}

/// The end of the program: the call fails with this errno; 0 permits it.
pub const fn answer(errno: u32) -> Instruction {
    const SECCOMP_RET_ALLOW: u32 = 0x7fff_0000;
    const SECCOMP_RET_ERRNO: u32 = 0x0005_0000;
    instruction(raw::BPF_RET, 0, 0, if errno == 0 { SECCOMP_RET_ALLOW } else { SECCOMP_RET_ERRNO | errno })
}
