//! The calls on files, by directory descriptor and name, each in one place. Every descriptor is close-on-exec.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::fs::{FileType, Mode, OFlags, fstat, fstatvfs, mkdirat, mknodat, openat, readlinkat_raw, symlinkat};
use rustix::io::Errno;

use super::argv::c_str;
use super::call::done;
use super::opened::keep_open;
use super::{Done, Failure};

/// A descriptor of ours. It stays open until [`crate::state::descriptors`] closes all that a process no longer needs, with one call:
/// nothing is closed one by one.
pub type Fd = BorrowedFd<'static>;

/// The caller's working directory, AT_FDCWD.
pub use rustix::fs::CWD as HERE;

/// openat(2).
///
/// # Errors
/// Those of openat(2).
pub fn open(dir: BorrowedFd<'_>, path: &CStr, flags: OFlags) -> Result<Fd, Failure> {
    create(dir, path, flags, 0)
}

/// [`open`]; what is made gets that mode.
///
/// # Errors
/// Those of openat(2).
#[inline(never)]
pub fn create(dir: BorrowedFd<'_>, path: &CStr, flags: OFlags, mode: u32) -> Result<Fd, Failure> {
    let opened = openat(dir, path, flags | OFlags::CLOEXEC, Mode::from_raw_mode(mode));
    Ok(keep_open(opened.map_err(|why| full(dir, why))?))
}

/// What `path` is, itself: a descriptor that can be looked at and mounted on, but neither read nor written.
///
/// # Errors
/// Those of openat(2).
pub fn look(dir: BorrowedFd<'_>, path: &CStr) -> Result<Fd, Failure> {
    open(dir, path, OFlags::PATH | OFlags::NOFOLLOW)
}

/// The directory that `path` leads to.
///
/// # Errors
/// Those of openat(2).
pub fn directory(dir: BorrowedFd<'_>, path: &CStr) -> Result<Fd, Failure> {
    open(dir, path, OFlags::PATH | OFlags::DIRECTORY)
}

/// mkdirat(2).
///
/// # Errors
/// Those of mkdirat(2).
#[inline(never)]
pub fn make_directory(dir: BorrowedFd<'_>, path: &CStr, mode: u32) -> Done {
    mkdirat(dir, path, Mode::from_raw_mode(mode)).map_err(|why| full(dir, why))
}

/// An empty regular file: mknodat(2), which follows no link.
///
/// # Errors
/// Those of mknodat(2).
#[inline(never)]
pub fn make_file(dir: BorrowedFd<'_>, path: &CStr, mode: u32) -> Done {
    mknodat(dir, path, FileType::RegularFile, Mode::from_raw_mode(mode), 0).map_err(|why| full(dir, why))
}

/// symlinkat(2).
///
/// # Errors
/// Those of symlinkat(2).
#[inline(never)]
pub fn make_link(target: &CStr, dir: BorrowedFd<'_>, path: &CStr) -> Done {
    symlinkat(target, dir, path).map_err(|why| full(dir, why))
}

/// Why nothing could be made in `dir`: of ENOSPC there are two kinds.
#[cold]
fn full(dir: BorrowedFd<'_>, why: Errno) -> Failure {
    match fstatvfs(dir) {
        // A file system that does not count inodes (btrfs) reports 0 of them.
        Ok(system) if why == Errno::NOSPC && system.f_files != 0 && system.f_ffree == 0 => Failure::NO_INODES,
        _ => why.into(),
    }
}

/// readlinkat(2); what was read of `buffer`.
///
/// # Errors
/// Those of readlinkat(2).
#[inline(never)]
pub fn read_link<'b>(dir: BorrowedFd<'_>, path: &CStr, buffer: &'b mut [u8]) -> Result<&'b [u8], Failure> {
    let length = readlinkat_raw(dir, path, &mut *buffer)?;
    Ok(buffer.get(..length).unwrap_or_default())
}

/// read(2). The kernel reads less than 2 GiB at a time; as wide as a [`Failure`], what is returned travels in two registers.
///
/// # Errors
/// Those of read(2).
#[inline(never)]
pub fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<u32, Failure> {
    Ok(rustix::io::read(fd, buffer)? as u32)
}

/// write(2), as [`read`].
///
/// # Errors
/// Those of write(2).
#[inline(never)]
pub fn write(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<u32, Failure> {
    Ok(rustix::io::write(fd, bytes)? as u32)
}

/// fchdir(2).
///
/// # Errors
/// Those of fchdir(2).
#[inline(never)]
pub fn fchdir(directory: BorrowedFd<'_>) -> Done {
    Ok(rustix::process::fchdir(directory)?)
}

/// chdir(2).
///
/// # Errors
/// Those of chdir(2).
#[inline(never)]
pub fn chdir(path: &CStr) -> Done {
    Ok(rustix::process::chdir(path)?)
}

/// chroot(2).
///
/// # Errors
/// Those of chroot(2).
#[inline(never)]
pub fn chroot(path: &CStr) -> Done {
    Ok(rustix::process::chroot(path)?)
}

/// chmod(2).
///
/// # Errors
/// Those of chmod(2).
pub fn chmod(path: &CStr, mode: u32) -> Done {
    done(call!(__NR_fchmodat, raw::AT_FDCWD, path.as_ptr(), mode))
}

/// getdents64(2): as many entries of a directory as `buffer` takes, `struct linux_dirent64` after `struct linux_dirent64`.
///
/// # Errors
/// Those of getdents64(2).
pub fn read_directory<'b>(dir: BorrowedFd<'_>, buffer: &'b mut [u8]) -> Result<&'b [u8], Failure> {
    let length = call!(__NR_getdents64, dir.as_raw_fd(), buffer.as_mut_ptr(), buffer.len())?;
    Ok(buffer.get(..length as usize).unwrap_or_default())
}

/// getcwd(2) into `buffer`; the length without the terminating NUL.
///
/// # Errors
/// ENOENT if the directory is gone, ERANGE if the buffer is too small.
pub fn getcwd(buffer: &mut [u8]) -> Result<usize, Failure> {
    let length = call!(__NR_getcwd, buffer.as_mut_ptr(), buffer.len())?;
    Ok((length as usize).saturating_sub(1))
}

/// Where in a `struct linux_dirent64` its length is, and where the name (getdents(2)).
const LENGTH: usize = 16;
/// See [`LENGTH`].
const NAME: usize = 19;

/// Hands out the name of each entry of `dir`.
#[inline(never)]
pub fn each_name(dir: BorrowedFd<'_>, body: &mut dyn FnMut(&CStr)) {
    let mut buffer = [0u8; 1024];
    while let Ok(mut rest) = read_directory(dir, &mut buffer)
        && !rest.is_empty()
    {
        while let Some(&[low, high]) = rest.get(LENGTH..LENGTH + 2)
            && let Some((entry, after)) = rest.split_at_checked(usize::from(u16::from_ne_bytes([low, high])).max(NAME))
        {
            rest = after;
            let name = entry.get(NAME..).unwrap_or_default();
            let length = name.iter().take_while(|byte| **byte != 0).count();
            body(c_str(name.get(..=length).unwrap_or_default()));
        }
    }
}

/// Kinds of files, of `st_mode` (inode(7)).
pub const DIRECTORY: u32 = raw::S_IFDIR;
/// See [`DIRECTORY`].
pub const LINK: u32 = raw::S_IFLNK;
/// See [`DIRECTORY`].
pub const FIFO: u32 = raw::S_IFIFO;

/// What a descriptor leads to.
///
/// # Errors
/// Those of fstat(2).
#[inline(never)]
pub fn kind(fd: BorrowedFd<'_>) -> Result<u32, Failure> {
    Ok(fstat(fd)?.st_mode & raw::S_IFMT)
}
