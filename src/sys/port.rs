//! The input and output ports of x86.

use super::Done;
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
use super::Failure;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use super::call::done;

/// Writes a byte to a port, after ioperm(2).
///
/// # Errors
/// EPERM: no CAP_SYS_RAWIO, or the kernel is locked down. ENOSYS: the kernel was built without it (X86_IOPL_IOPERM).
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
pub fn write_port(port: u16, byte: u8) -> Done {
    // SAFETY: the arguments are numbers: the port, one port, and permission.
    done(unsafe { call!(__NR_ioperm, u32::from(port), 1u32, 1u32) })?;
    // SAFETY: the kernel has just permitted the port to this process, so the instruction does not fault. It changes no memory of the
    // program.
    unsafe {
        core::arch::asm!("out dx, al", in("dx") port, in("al") byte, options(nomem, nostack, preserves_flags));
    }
    Ok(())
}

/// There are none.
///
/// # Errors
/// ENOSYS, always.
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
pub const fn write_port(_: u16, _: u8) -> Done {
    Err(Failure::NOSYS)
}
