//! seccomp(2).

use super::call::done;
use super::{Done, Failure};

/// Adds a filter, prctl(2) PR_SET_SECCOMP with SECCOMP_MODE_FILTER. `program` is an array of `struct sock_filter`, 8 bytes
/// each; bytes after the last whole one are ignored.
///
/// # Errors
/// EINVAL: the kernel does not accept the program, or it has more than 4,096 instructions (BPF_MAXINSNS), or the kernel has no
/// CONFIG_SECCOMP_FILTER. EACCES: neither no_new_privs nor CAP_SYS_ADMIN. ENOMEM: all filters together have too many instructions.
pub fn add_filter(program: &[u8]) -> Done {
    use linux_raw_sys::prctl::PR_SET_SECCOMP;
    use linux_raw_sys::ptrace::{sock_filter, sock_fprog};
    const SECCOMP_MODE_FILTER: u32 = 2;
    let length = program.len() / size_of::<sock_filter>();
    let program = sock_fprog { len: length as u16, filter: program.as_ptr().cast_mut().cast() };
    // SAFETY: the kernel copies the struct and the `len` instructions that it leads to, which are no more than `program` has
    // (a cut length only makes them fewer), byte by byte, so that no alignment is needed. It writes nothing.
    done(unsafe { call!(__NR_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &raw const program, 0usize, 0usize) })
}

/// The seccomp mode of this process, prctl(PR_GET_SECCOMP): 0 none, 2 a filter.
///
/// # Errors
/// EINVAL: the kernel has no CONFIG_SECCOMP. Others: the errno of a filter that refuses the call.
pub fn seccomp_mode() -> Result<u32, Failure> {
    // SAFETY: the operation takes no argument.
    unsafe { call!(__NR_prctl, linux_raw_sys::prctl::PR_GET_SECCOMP, 0usize, 0usize, 0usize, 0usize) }
}
