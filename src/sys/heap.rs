//! The allocator of the command line's code (src/cli): it hands out memory and takes none back. The engine has no allocator.
//!
//! musl's malloc costs 9 to 11 KB, and the program allocates a few hundred bytes, once.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ptr::null_mut;

use super::map::map;

/// Bytes of each chunk of memory; more if one request is larger.
const CHUNK: usize = 64 * 1024;

/// A bump allocator for a program with one thread.
pub struct Bump {
    next: Cell<*mut u8>,
    left: Cell<usize>,
    /// Ends the program when the kernel has no memory.
    end: fn() -> !,
}

// SAFETY: nsinit never starts a thread (the tidy test checks that). The processes that share our memory (`shared_vm`) run
// code of the engine, which cannot allocate (scripts/prove).
unsafe impl Sync for Bump {}

impl Bump {
    #[must_use]
    pub const fn new(end: fn() -> !) -> Bump {
        Bump { next: Cell::new(null_mut()), left: Cell::new(0), end }
    }
}

// SAFETY: each block is cut off the front of a chunk once, aligned as asked, and `left` is the rest of the chunk, so a block
// ends inside of it. No chunk is ever unmapped and no block reused, so none overlaps another.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        loop {
            // An alignment is a power of two, and a size is at most isize::MAX (`Layout`): no sum overflows.
            let pad = self.next.get().addr().wrapping_neg() & (layout.align() - 1);
            let need = layout.size() + pad;
            if need <= self.left.get() {
                let block = self.next.get().wrapping_add(pad);
                self.next.set(block.wrapping_add(layout.size()));
                self.left.set(self.left.get() - need);
                return block;
            }
            let size = CHUNK.max(layout.size() + layout.align());
            let Ok(chunk) = map(size) else { (self.end)() };
            self.next.set(chunk.cast());
            self.left.set(size);
        }
    }

    unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}
}
