//! New memory.

use core::ffi::c_void;

use rustix::fd::BorrowedFd;
use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous};

use super::Failure;

/// `size` bytes of new, zeroed memory that can be read and written, mmap(2). It begins at a page.
///
/// # Errors
/// ENOMEM: no memory, or too many mappings (vm.max_map_count). EINVAL: `size` is 0.
#[inline(always)]
pub(super) fn map(size: usize) -> Result<*mut c_void, Failure> {
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: without a fixed address, mmap(2) takes no place that is in use.
    Ok(unsafe { mmap_anonymous(core::ptr::null_mut(), size, protection, MapFlags::PRIVATE)? })
}

/// `size` bytes as from [`map`], which are all written next: the pages are there already, so that none costs a fault.
///
/// # Errors
/// As [`map`].
pub(super) fn map_filled(size: usize) -> Result<*mut c_void, Failure> {
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: without a fixed address, mmap(2) takes no place that is in use.
    Ok(unsafe { mmap_anonymous(core::ptr::null_mut(), size, protection, MapFlags::PRIVATE | MapFlags::POPULATE)? })
}

/// `size` bytes as from `map`. A page takes memory from its first use on. They are never unmapped.
///
/// # Errors
/// As `map`.
pub fn pages(size: usize) -> Result<&'static mut [u8], Failure> {
    let start = map(size)?.cast::<u8>();
    // SAFETY: the kernel has just mapped `size` zeroed bytes for reading and writing, at a place that nothing else uses, and
    // nothing unmaps them.
    Ok(unsafe { core::slice::from_raw_parts_mut(start, size) })
}

/// A new private mapping of `size` bytes of `file` from `offset` on, which can be read and, if `executable`, executed: mmap(2).
///
/// # Errors
/// EPERM: the file is on a mount with noexec. ENOMEM: no memory, or too many mappings. EINVAL: `offset` is not that of a page.
pub(super) fn map_file(
    file: BorrowedFd<'_>,
    offset: usize,
    size: usize,
    executable: bool,
) -> Result<*mut c_void, Failure> {
    let protection = ProtFlags::READ | if executable { ProtFlags::EXEC } else { ProtFlags::empty() };
    let flags = MapFlags::PRIVATE;
    // SAFETY: without a fixed address, mmap(2) takes no place that is in use.
    Ok(unsafe { mmap(core::ptr::null_mut(), size, protection, flags, file, offset as u64)? })
}
