//! Calls on files, by a directory's descriptor and a name. Every descriptor that they make is close-on-exec.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::fs::{FileType, Mode, OFlags, fstat, fstatvfs, mkdirat, mknodat, openat, readlinkat_raw, symlinkat};
use rustix::io::Errno;

use super::argv::c_str;
use super::call::done;
use super::opened::keep_open;
use super::{Done, Failure};

pub use super::opened::Fd;
/// The caller's working directory, AT_FDCWD.
pub use rustix::fs::CWD as HERE;

/// Opens a file, openat(2).
///
/// # Errors
/// ENOENT: it, or a part of the path, does not exist. ENOTDIR: a part of the path is no directory. ELOOP: a symbolic link where
/// `flags` allow none, or too many of them. EACCES: no right to open it or to search a directory. EMFILE, ENFILE: no descriptor
/// is free. Others: open(2).
pub fn open(dir: BorrowedFd<'_>, path: &CStr, flags: OFlags) -> Result<Fd, Failure> {
    create(dir, path, flags, 0)
}

/// [`open`] from the working directory.
///
/// # Errors
/// As [`open`].
#[inline(never)]
pub fn open_path(path: &CStr, flags: OFlags) -> Result<Fd, Failure> {
    open(HERE, path, flags)
}

/// [`open`] with O_CREAT among the flags: a new file gets `mode`, less the umask.
///
/// # Errors
/// As [`open`]. EEXIST: it exists, and O_EXCL is among the flags. EROFS: the file system is read-only. ENOSPC, EDQUOT: no space is left.
/// [`Failure::NO_INODES`]: no inode is left.
#[inline(never)]
pub fn create(dir: BorrowedFd<'_>, path: &CStr, flags: OFlags, mode: u32) -> Result<Fd, Failure> {
    let opened = openat(dir, path, flags | OFlags::CLOEXEC, Mode::from_raw_mode(mode));
    Ok(keep_open(opened.map_err(|why| full(dir, why))?))
}

/// Opens the file at `path`, or the symbolic link if it is one, with O_PATH: such a descriptor can be inspected and mounted on,
/// not read or written.
///
/// # Errors
/// As [`open`], but no right to the file itself is needed.
pub fn look(dir: BorrowedFd<'_>, path: &CStr) -> Result<Fd, Failure> {
    open(dir, path, OFlags::PATH | OFlags::NOFOLLOW)
}

/// The directory that `path` leads to, O_PATH.
///
/// # Errors
/// As [`open`]. ENOTDIR also if `path` leads to another kind of file.
pub fn directory(dir: BorrowedFd<'_>, path: &CStr) -> Result<Fd, Failure> {
    open(dir, path, OFlags::PATH | OFlags::DIRECTORY)
}

/// Makes a directory, mkdirat(2).
///
/// # Errors
/// EEXIST: the name exists. ENOENT: `dir` was removed, or a part of the path does not exist. EROFS: the file system is
/// read-only. EACCES: no right to write to the directory. ENOSPC, EDQUOT: no space is left. [`Failure::NO_INODES`]: no inode is left.
#[inline(never)]
pub fn make_directory(dir: BorrowedFd<'_>, path: &CStr, mode: u32) -> Done {
    mkdirat(dir, path, Mode::from_raw_mode(mode)).map_err(|why| full(dir, why))
}

/// Makes an empty regular file, mknodat(2), which follows no symbolic link.
///
/// # Errors
/// As [`make_directory`].
#[inline(never)]
pub fn make_file(dir: BorrowedFd<'_>, path: &CStr, mode: u32) -> Done {
    mknodat(dir, path, FileType::RegularFile, Mode::from_raw_mode(mode), 0).map_err(|why| full(dir, why))
}

/// Makes a symbolic link at `path` to `target`, symlinkat(2).
///
/// # Errors
/// As [`make_directory`].
#[inline(never)]
pub fn make_link(target: &CStr, dir: BorrowedFd<'_>, path: &CStr) -> Done {
    symlinkat(target, dir, path).map_err(|why| full(dir, why))
}

/// Distinguishes the two reasons of ENOSPC: no space, or no inode.
#[cold]
fn full(dir: BorrowedFd<'_>, why: Errno) -> Failure {
    match fstatvfs(dir) {
        // A file system that does not count inodes (btrfs) reports 0 of them.
        Ok(system) if why == Errno::NOSPC && system.f_files != 0 && system.f_ffree == 0 => Failure::NO_INODES,
        _ => why.into(),
    }
}

/// The target of a symbolic link, readlinkat(2): the part of `buffer` that was written, without a NUL. A longer target is cut.
///
/// # Errors
/// EINVAL: it is no symbolic link. ENOENT: it does not exist. EACCES: no right to search a directory.
#[inline(never)]
pub fn read_link<'b>(dir: BorrowedFd<'_>, path: &CStr, buffer: &'b mut [u8]) -> Result<&'b [u8], Failure> {
    let length = readlinkat_raw(dir, path, &mut *buffer)?;
    Ok(buffer.get(..length).unwrap_or_default())
}

/// read(2). Returns the number of bytes; 0 at the end of the file. The kernel reads less than 2 GiB at a time, so 32 bits are
/// enough, and the `Result` travels in two registers.
///
/// # Errors
/// EAGAIN: there is no input, with O_NONBLOCK. EIO: a terminal, and we are in the background or its other end is closed. EISDIR: it is a
/// directory. EINTR: SIGSTOP and SIGCONT on some files (signal(7)). EBADF: it is not open for reading.
#[inline(never)]
pub fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<u32, Failure> {
    Ok(rustix::io::read(fd, buffer)? as u32)
}

/// write(2). Returns the number of bytes, which may be less than there are.
///
/// # Errors
/// EPIPE: no process has the reading end. EAGAIN: the pipe is full, with O_NONBLOCK. ENOSPC, EDQUOT: no space is left. EBADF: it
/// is not open for writing. Others: see the documentation of the file, in /proc, /sys and cgroups.
#[inline(never)]
pub fn write(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<u32, Failure> {
    Ok(rustix::io::write(fd, bytes)? as u32)
}

/// Makes a directory the working directory, fchdir(2).
///
/// # Errors
/// EACCES: no right to search it. ENOTDIR: it is no directory.
#[inline(never)]
pub fn fchdir(directory: BorrowedFd<'_>) -> Done {
    Ok(rustix::process::fchdir(directory)?)
}

/// Makes the directory at `path` the working directory, chdir(2).
///
/// # Errors
/// ENOENT: it does not exist. ENOTDIR: it is no directory. EACCES: no right to search it, or a directory on the way.
#[inline(never)]
pub fn chdir(path: &CStr) -> Done {
    Ok(rustix::process::chdir(path)?)
}

/// Makes the directory at `path` the root directory, chroot(2).
///
/// # Errors
/// EPERM: no CAP_SYS_CHROOT. Others: as [`chdir`].
#[inline(never)]
pub fn chroot(path: &CStr) -> Done {
    Ok(rustix::process::chroot(path)?)
}

/// Changes the mode of a file, chmod(2). It follows symbolic links.
///
/// # Errors
/// EPERM: we are not the owner and have no CAP_FOWNER. EROFS: the file system is read-only. ENOENT: it does not exist.
pub fn chmod(path: &CStr, mode: u32) -> Done {
    // SAFETY: the kernel reads the path up to its NUL.
    done(unsafe { call!(__NR_fchmodat, raw::AT_FDCWD, path.as_ptr(), mode) })
}

/// The next entries of a directory, getdents64(2): as many as `buffer` takes, one `struct linux_dirent64` after another.
/// Empty: there are no more.
///
/// # Errors
/// EINVAL: the buffer is too small for the next entry. ENOTDIR: it is no directory. ENOENT: it was removed.
fn read_directory<'b>(dir: BorrowedFd<'_>, buffer: &'b mut [u8]) -> Result<&'b [u8], Failure> {
    // SAFETY: the kernel writes at most as many bytes to `buffer` as the last argument, which is the length of `buffer`.
    let length = unsafe { call!(__NR_getdents64, dir.as_raw_fd(), buffer.as_mut_ptr(), buffer.len())? };
    Ok(buffer.get(..length as usize).unwrap_or_default())
}

/// Writes the path of the working directory to `buffer`, with a NUL. Returns its length without the NUL, getcwd(2).
///
/// # Errors
/// ENOENT: the directory was removed. ERANGE: the buffer is too small.
pub fn getcwd(buffer: &mut [u8]) -> Result<usize, Failure> {
    // SAFETY: the kernel writes the path and its NUL only if both fit into the length that it gets, that of `buffer`.
    let length = unsafe { call!(__NR_getcwd, buffer.as_mut_ptr(), buffer.len())? };
    Ok((length as usize).saturating_sub(1))
}

/// The offset of the length, 16 bits, in a `struct linux_dirent64` (getdents(2)).
const LENGTH: usize = 16;
/// The offset of the name, which ends in a NUL.
const NAME: usize = 19;

/// Calls `body` with the name of each entry of `dir`, `.` and `..` too. An error ends the list.
pub fn each_name(dir: BorrowedFd<'_>, body: &mut dyn FnMut(&CStr)) {
    let _ = each_name_while(dir, &mut |name| {
        body(name);
        true
    });
}

/// As [`each_name`], as long as `body` returns true.
///
/// # Errors
/// Why the rest of the list cannot be read: see getdents(2).
#[inline(never)]
pub fn each_name_while(dir: BorrowedFd<'_>, body: &mut dyn FnMut(&CStr) -> bool) -> Done {
    let mut buffer = [0u8; 1024];
    loop {
        let mut rest = read_directory(dir, &mut buffer)?;
        if rest.is_empty() {
            return Ok(());
        }
        while let Some(&[low, high]) = rest.get(LENGTH..LENGTH + 2)
            && let Some((entry, after)) = rest.split_at_checked(usize::from(u16::from_ne_bytes([low, high])).max(NAME))
        {
            rest = after;
            let name = entry.get(NAME..).unwrap_or_default();
            let length = name.iter().take_while(|byte| **byte != 0).count();
            if !body(c_str(name.get(..=length).unwrap_or_default())) {
                return Ok(());
            }
        }
    }
}

/// Whether two descriptors are of one file, fstat(2).
///
/// # Errors
/// EBADF: one is not open.
pub fn is_same(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> Result<bool, Failure> {
    let (one, other) = (fstat(one)?, fstat(other)?);
    Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

/// A directory, in `st_mode` (inode(7)).
pub const DIRECTORY: u32 = raw::S_IFDIR;
/// A symbolic link.
pub const LINK: u32 = raw::S_IFLNK;
/// A pipe.
pub const FIFO: u32 = raw::S_IFIFO;

/// The kind of file of a descriptor, fstat(2): [`DIRECTORY`], [`LINK`], [`FIFO`] or another of S_IFMT.
///
/// # Errors
/// EBADF: it is not open.
#[inline(never)]
pub fn kind(fd: BorrowedFd<'_>) -> Result<u32, Failure> {
    Ok(fstat(fd)?.st_mode & raw::S_IFMT)
}
