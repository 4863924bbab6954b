//! What becomes `/` of the container, and what is mounted below it.

use core::ffi::CStr;

use super::Op;

/// The root of the container.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Root<'a> {
    /// `--root DIR` or `--image FILE`, in [`Mode::Root`](super::Mode::Root): what becomes `/`.
    pub directory: &'a CStr,
    /// `directory` is a file with a file system, or a block device: `--image FILE`.
    pub image: bool,
    pub writes: Writes,
    pub masks: Masks,
    /// /proc is mounted.
    pub proc: bool,
    /// /sys is mounted where the kernel permits it.
    pub sys: bool,
    /// A mount below a bound directory that cannot be restricted is no error: the sandbox confines nobody.
    pub lenient: bool,
    /// What is done to the file system after the preset, in the user's order.
    pub ops: &'a [Op<'a>],
}

/// What happens to writes below the root.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// They go to the directory.
    Kept,
    /// `--read-only`: they are refused.
    Refused,
    /// `--volatile`: they go to a tmpfs that ends with the container.
    Forgotten,
}

/// What is done about the files of /proc and /sys that reveal the host or change it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Masks {
    /// Nothing.
    None,
    /// The files that change the host are read-only.
    ReadOnly,
    /// And the files that reveal it are covered.
    All,
}

/// How many devices a container's /dev has.
pub const DEVICES: usize = 6;
