//! New memory.

use core::ffi::c_void;

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

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
