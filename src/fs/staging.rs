//! Process 1's own place, which nobody else sees: the caller's root is in it, and the new one; so neither is below the other,
//! and no copy of `/` contains the new one.

use core::ffi::CStr;
use core::sync::atomic::{AtomicU32, Ordering};

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::mount::{MountFlags, mount};
use rustix::process::pivot_root;

use crate::sys::files::{self, Fd, HERE, chroot, fchdir};
use crate::sys::{self, Done, Failure};
use crate::text::Text;

/// No set-id bits, no device files, no execution: what holds nothing but data. (The bits of MOUNT_ATTR_* and of MS_* are
/// the same for these and for read-only.)
pub const DATA: u32 = raw::MOUNT_ATTR_NOSUID | raw::MOUNT_ATTR_NODEV | raw::MOUNT_ATTR_NOEXEC;

/// No set-id bits and no device files.
pub const FILES: u32 = raw::MOUNT_ATTR_NOSUID | raw::MOUNT_ATTR_NODEV;

/// The path of a descriptor of ours.
pub fn fd_path<'t>(fd: BorrowedFd<'_>, text: &'t mut Text) -> &'t CStr {
    text.push(b"/proc/self/fd/").push_number(fd.as_raw_fd().cast_unsigned());
    text.c_str()
}

/// mount(2), for places below a working directory that nobody else can write. The flags are MS_*.
///
/// # Errors
/// Those of mount(2).
#[inline(never)]
pub fn plain(source: &CStr, place: &CStr, kind: &CStr, flags: u32, options: &CStr) -> Done {
    Ok(mount(source, place, kind, MountFlags::from_bits_retain(flags), Some(options))?)
}

/// In [`base`]: where the caller's root is, and where the new one.
const HOST: &CStr = c"host";

/// See [`HOST`].
pub const ROOT: &CStr = c"root";

/// See [`HOST`]: where the mount of an image is that others are put on.
pub const IMAGE: &CStr = c"image";

/// In [`base`]: an empty file and an empty directory, for what is masked.
pub const EMPTY_FILE: &CStr = c"empty.file";

/// See [`EMPTY_FILE`].
pub const EMPTY_DIRECTORY: &CStr = c"empty";

/// The descriptor of [`base`]; 0 as long as there is none.
static BASE: AtomicU32 = AtomicU32::new(0);

/// The descriptor of the caller's root, as long as there is a [`base`].
static CALLERS: AtomicU32 = AtomicU32::new(0);

/// Process 1's place for files and mounts that nobody else sees, made at the first call: a tmpfs that has the caller's root
/// in it, so that the new root is not below that and no copy of `/` contains it. For us `/` stays what it was.
///
/// # Errors
/// Those of mount(2), pivot_root(2) and chroot(2).
pub fn base() -> Result<Fd, Failure> {
    if !is_made() {
        // Not what is mounted on it: that may be the new root already.
        let callers = files::directory(HERE, c"/")?;
        plain(c"tmpfs", c"/", c"tmpfs", FILES, c"mode=0700")?;
        // What is mounted on top of `/` is what its parent leads to.
        let base = files::directory(HERE, c"/..")?;
        for name in [HOST, ROOT, IMAGE] {
            files::make_directory(base, name, 0o700)?;
        }
        files::make_directory(base, EMPTY_DIRECTORY, 0o555)?;
        files::make_file(base, EMPTY_FILE, 0o444)?;
        fchdir(base)?;
        pivot_root(c".", HOST)?;
        enter(callers)?;
        sys::keep_opened();
        CALLERS.store(callers.as_raw_fd().cast_unsigned(), Ordering::Relaxed);
        BASE.store(base.as_raw_fd().cast_unsigned(), Ordering::Relaxed);
    }
    Ok(sys::given(base_number()))
}

/// Calls `act` with [`base`] as `/`, and the caller's root as the argument; afterwards that is `/` again.
///
/// # Errors
/// Those of [`base`] and of `act`.
pub fn below_base<T>(act: impl FnOnce(Fd) -> Result<T, Failure>) -> Result<T, Failure> {
    enter(base()?)?;
    let callers = sys::given(CALLERS.load(Ordering::Relaxed));
    let result = act(callers);
    enter(callers)?;
    result
}

/// Makes `directory` the root and the working directory.
fn enter(directory: Fd) -> Done {
    fchdir(directory)?;
    chroot(c".")
}

fn base_number() -> u32 {
    BASE.load(Ordering::Relaxed)
}

/// Whether it was needed so far.
#[must_use]
pub fn is_made() -> bool {
    base_number() != 0
}
