//! The root of the container, and the mounts below it.

use core::ffi::CStr;

use super::Op;

/// The root of the container.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Root<'a> {
    /// `--root DIR` or `--image FILE`, in [`Mode::Root`](super::Mode::Root): the path of the directory or file that becomes `/`.
    pub directory: &'a CStr,
    /// `directory` is a file with a file system, or a block device: `--image FILE`.
    pub image: bool,
    pub writes: Writes,
    /// `--overlay-root`: the directory that all writes to the root go to, and the work directory of that overlay. Empty: none.
    pub upper: &'a CStr,
    pub work: &'a CStr,
    pub masks: Masks,
    /// /proc is mounted.
    pub proc: bool,
    /// `--proc-subset`: every new procfs shows processes only (mount option `subset=pid`).
    pub processes_only: bool,
    /// /sys is mounted where the kernel permits it.
    pub sys: bool,
    /// `--not-a-security-boundary`: a mount below a bound directory that cannot be restricted is no error.
    pub lenient: bool,
    /// The operations on the file system after the preset's, in the user's order.
    pub ops: &'a [Op<'a>],
}

/// The destination of writes below the root.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// They go to the directory.
    Kept,
    /// `--read-only`: they are refused.
    Refused,
    /// `--volatile`: they go to a tmpfs that ends with the container.
    Forgotten,
}

/// The protection of the files of /proc and /sys that reveal the host or change it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Masks {
    /// None.
    None,
    /// The files that change the host are read-only.
    ReadOnly,
    /// The files that change the host are read-only, and those that reveal it are covered.
    All,
}

/// How many devices a container's /dev has.
pub const DEVICES: usize = 6;
