//! The limits of the command as a process.

use core::ffi::CStr;

/// One limit.
#[derive(Clone, Copy)]
pub struct Limit<'a> {
    pub what: Limited<'a>,
    /// The value as the user wrote it.
    pub word: &'a CStr,
}

/// What is limited, and to what.
#[derive(Clone, Copy)]
pub enum Limited<'a> {
    /// `--rlimit`: a resource (RLIMIT_*), its soft and its hard limit.
    Resource(u32, [u64; 2]),
    /// `--nice`
    Nice(i32),
    /// `--cpus`: processor N is bit N % usize::BITS of word N / usize::BITS.
    Processors(&'a [usize]),
    /// `--oom-score-adj`: `word` is what the kernel reads.
    OomScore,
    /// `--mdwe`: no memory becomes executable that was writable.
    Memory,
}

impl Limited<'_> {
    /// Whether a later limit takes the place of this one.
    #[must_use]
    pub fn is_same_as(&self, other: &Limited<'_>) -> bool {
        match (self, other) {
            (Limited::Resource(one, _), Limited::Resource(other, _)) => one == other,
            _ => core::mem::discriminant(self) == core::mem::discriminant(other),
        }
    }
}
