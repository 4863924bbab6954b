//! The front's allocator: it hands out memory and takes none back. The engine has no allocator at all.
//!
//! musl's malloc would cost 9 to 11 KB of a 64 KB program that allocates a few hundred bytes, once.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ptr::null_mut;

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

/// Bytes of each chunk of memory, if no request is larger.
const CHUNK: usize = 64 * 1024;

/// A bump allocator for a program with one thread.
pub struct Bump {
    next: Cell<*mut u8>,
    left: Cell<usize>,
    /// Ends the program where the kernel has no memory.
    end: fn() -> !,
}

// SAFETY: nsinit never starts a thread (the tidy test looks for it), so nothing is ever shared.
unsafe impl Sync for Bump {}

impl Bump {
    #[must_use]
    pub const fn new(end: fn() -> !) -> Bump {
        Bump { next: Cell::new(null_mut()), left: Cell::new(0), end }
    }
}

// SAFETY: every block is cut off the front of a chunk that is mapped for good and is cut off once, aligned as
// asked; blocks are never given back, so none overlaps another.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        loop {
            // An alignment is a power of two, and a size is at most isize::MAX (`Layout`).
            let pad = self.next.get().addr().wrapping_neg() & (layout.align() - 1);
            let need = layout.size() + pad;
            if need <= self.left.get() {
                let block = self.next.get().wrapping_add(pad);
                self.next.set(block.wrapping_add(layout.size()));
                self.left.set(self.left.get() - need);
                return block;
            }
            let size = CHUNK.max(layout.size() + layout.align());
            let protection = ProtFlags::READ | ProtFlags::WRITE;
            // SAFETY: a new private mapping takes nothing that is in use (mmap(2)).
            let Ok(chunk) = (unsafe { mmap_anonymous(null_mut(), size, protection, MapFlags::PRIVATE) }) else {
                (self.end)()
            };
            self.next.set(chunk.cast());
            self.left.set(size);
        }
    }

    unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}
}
