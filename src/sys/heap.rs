//! The front's allocator: it hands out memory and takes none back. The engine has no allocator at all.
//!
//! musl's malloc would cost 9 to 11 KB of a 64 KB program that allocates a few hundred bytes, once.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::{Cell, UnsafeCell};
use core::ptr::null_mut;

use super::call::map;

/// Bytes that are there without a system call: enough for an ordinary command line.
const FIRST: usize = 4096;
/// Bytes of each further chunk, if the request is not larger.
const CHUNK: usize = 64 * 1024;

#[repr(align(16))]
struct Arena(UnsafeCell<[u8; FIRST]>);

/// A bump allocator for a program with one thread.
pub struct Bump {
    arena: Arena,
    next: Cell<*mut u8>,
    left: Cell<usize>,
    started: Cell<bool>,
}

// SAFETY: nsinit never starts a thread (the tidy test looks for it), so nothing is ever shared.
unsafe impl Sync for Bump {}

impl Bump {
    #[must_use]
    #[allow(clippy::new_without_default, reason = "it has to be const")]
    pub const fn new() -> Bump {
        Bump {
            arena: Arena(UnsafeCell::new([0; FIRST])),
            next: Cell::new(null_mut()),
            left: Cell::new(0),
            started: Cell::new(false),
        }
    }

    fn more(&self, need: usize) -> bool {
        if !self.started.replace(true) && need <= FIRST {
            self.next.set(self.arena.0.get().cast());
            self.left.set(FIRST);
            return true;
        }
        let size = need.max(CHUNK);
        let chunk = map(size);
        if chunk.is_null() {
            return false;
        }
        self.next.set(chunk);
        self.left.set(size);
        true
    }
}

// SAFETY: every block is cut off the front of a chunk that is mapped for good and is cut off once, aligned as
// asked; blocks are never given back, so none overlaps another.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        loop {
            // An alignment is a power of two (`Layout`).
            let pad = self.next.get().addr().wrapping_neg() & (layout.align() - 1);
            let Some(need) = layout.size().checked_add(pad) else { return null_mut() };
            if !self.next.get().is_null() && need <= self.left.get() {
                let block = self.next.get().wrapping_add(pad);
                self.next.set(block.wrapping_add(layout.size()));
                self.left.set(self.left.get() - need);
                return block;
            }
            let Some(room) = layout.size().checked_add(layout.align()) else { return null_mut() };
            if !self.more(room) {
                return null_mut();
            }
        }
    }

    unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}
}
