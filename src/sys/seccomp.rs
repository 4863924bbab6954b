//! seccomp(2).

use super::call::done;
use super::{Done, Failure};

/// prctl(2) PR_SET_SECCOMP, SECCOMP_MODE_FILTER: one more program of seccomp(2).
///
/// # Errors
/// EINVAL: it is none that the kernel takes; EACCES without no_new_privs and CAP_SYS_ADMIN.
pub fn add_filter(program: &[u8]) -> Done {
    use linux_raw_sys::prctl::PR_SET_SECCOMP;
    use linux_raw_sys::ptrace::{sock_filter, sock_fprog};
    const SECCOMP_MODE_FILTER: u32 = 2;
    let length = program.len() / size_of::<sock_filter>();
    // The kernel copies it, wherever it begins.
    let program = sock_fprog { len: length as u16, filter: program.as_ptr().cast_mut().cast() };
    done(call!(__NR_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &raw const program, 0usize, 0usize))
}

/// How seccomp(2) is in force here, prctl(PR_GET_SECCOMP): 0 not at all, 2 a filter.
///
/// # Errors
/// EINVAL: the kernel has none; those of a filter that forbids the question.
pub fn seccomp_mode() -> Result<u32, Failure> {
    call!(__NR_prctl, linux_raw_sys::prctl::PR_GET_SECCOMP, 0usize, 0usize, 0usize, 0usize)
}
