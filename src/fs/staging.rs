//! The staging place of process 1: a tmpfs that no other process sees. The caller's root and the new root are both in it, so neither
//! is below the other, and no copy of `/` contains the new root.

use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, Ordering};

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::mount::{MountFlags, mount};
use rustix::process::pivot_root;

use crate::sys::files::{self, Fd, HERE, chroot, fchdir};
use crate::sys::{self, Done, Failure, FdSlot};
use crate::text::Buffer;

/// No set-id bits, no device files, no execution: for mounts that hold data only. (MOUNT_ATTR_* and MS_* have the same bits for
/// these and for read-only.)
pub const DATA: u32 = raw::MOUNT_ATTR_NOSUID | raw::MOUNT_ATTR_NODEV | raw::MOUNT_ATTR_NOEXEC;

/// No set-id bits and no device files.
pub const FILES: u32 = raw::MOUNT_ATTR_NOSUID | raw::MOUNT_ATTR_NODEV;

/// The mounts below one that is copied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Below {
    /// They are not copied.
    Left,
    /// They are copied as they are.
    Kept,
    /// They are copied, and get the attributes too.
    Restricted,
}

/// The path of a descriptor of this process.
pub fn fd_path<'t, const SIZE: usize>(fd: BorrowedFd<'_>, text: &'t mut Buffer<SIZE>) -> &'t CStr {
    text.push(b"/proc/self/fd/").push_number(fd.as_raw_fd().cast_unsigned());
    text.c_str()
}

/// mount(2). The place must be below a working directory that no other process can write to. The flags are MS_*.
///
/// # Errors
/// EPERM: the mount is not permitted; ENODEV: the kernel lacks the file system; ENOENT, ENOTDIR: there is no such place; others: see
/// mount(2).
#[inline(never)]
pub fn mount_by_path(source: &CStr, place: &CStr, kind: &CStr, flags: u32, options: &CStr) -> Done {
    Ok(mount(source, place, kind, MountFlags::from_bits_retain(flags), Some(options))?)
}

/// In [`base`]: the caller's root.
const HOST: &CStr = c"host";

/// In [`base`]: the new root.
pub const ROOT: &CStr = c"root";

/// In [`base`], made when it is needed: the mount of an image that is the lower layer of an overlay.
pub const IMAGE: &CStr = c"image";

/// The descriptor of [`base`], once it is made.
static BASE: FdSlot = FdSlot::new();

/// The descriptor of the caller's root, if there is a [`base`].
static CALLERS: FdSlot = FdSlot::new();

/// The staging place, made at the first call. `/` stays the caller's root for this process.
///
/// # Errors
/// EPERM: mount(2), pivot_root(2) or chroot(2) is not permitted; EINVAL of pivot_root(2): `/` is not a mount point;
/// [`Failure::ORDER`]: the new root is `/` already.
pub fn base() -> Result<Fd, Failure> {
    if let Some(base) = BASE.get() {
        return Ok(base);
    }
    if is_left() {
        return Err(Failure::ORDER);
    }
    // `/` is opened without the mounts on top of it: one may be the new root already.
    let callers = files::directory(HERE, c"/")?;
    mount_by_path(c"tmpfs", c"/", c"tmpfs", FILES, c"mode=0700")?;
    // `/..` leads to the mount on top of `/`.
    let base = files::directory(HERE, c"/..")?;
    for name in &[HOST, ROOT] {
        files::make_directory(base, name, 0o700)?;
    }
    fchdir(base)?;
    pivot_root(c".", HOST)?;
    enter(callers)?;
    sys::keep_opened();
    CALLERS.set(callers);
    BASE.set(base);
    Ok(base)
}

/// Calls `act` while [`base`] is `/`, with the caller's root as the argument. Then the caller's root is `/` again.
///
/// # Errors
/// As [`base`] and `act`; [`Failure::ORDER`]: the new root is `/` already.
pub fn below_base<T>(act: impl FnOnce(Fd) -> Result<T, Failure>) -> Result<T, Failure> {
    let base = base()?;
    let callers = CALLERS.get().filter(|_| !is_left()).ok_or(Failure::ORDER)?;
    enter(base)?;
    let result = act(callers);
    enter(callers)?;
    result
}

/// Whether the new root is `/`: from then on the staging place is not made, and the caller's root does not become `/` again.
static LEFT: AtomicBool = AtomicBool::new(false);

/// The new root is `/`.
pub fn leave() {
    LEFT.store(true, Ordering::Relaxed);
}

/// Whether [`leave`] was called.
#[must_use]
pub fn is_left() -> bool {
    LEFT.load(Ordering::Relaxed)
}

/// Makes `directory` the root and the working directory.
fn enter(directory: Fd) -> Done {
    fchdir(directory)?;
    chroot(c".")
}

/// Whether [`base`] has been made.
#[must_use]
pub fn is_made() -> bool {
    BASE.get().is_some()
}
