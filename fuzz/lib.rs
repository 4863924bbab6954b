//! What the fuzz targets share: the program's parsers, which live in a binary and are compiled here once more, and an allocator that
//! gives their memory back.

#[allow(dead_code, reason = "a fuzz target launches nothing")]
#[path = "../src/cli/mod.rs"]
pub mod cli;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of memory for one input.
const SIZE: usize = 64 << 20;

/// The parsers never free: the program ends or executes another one. While [`in_arena`] runs, memory comes from here, and all of it
/// is used again for the next input.
struct Arena {
    bytes: UnsafeCell<[u8; SIZE]>,
    /// How much is used; [`CLOSED`]: the system allocates.
    used: AtomicUsize,
}

const CLOSED: usize = usize::MAX;

// SAFETY: each byte is handed out once, by an atomic number, and again only after the input that had it.
unsafe impl Sync for Arena {}

#[global_allocator]
static ARENA: Arena = Arena { bytes: UnsafeCell::new([0; SIZE]), used: AtomicUsize::new(CLOSED) };

// SAFETY: a pointer is that of the system's allocator, or leads to a part of `bytes` that has the layout and no other owner.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let begin = self.bytes.get().cast::<u8>();
        let used = self.used.load(Ordering::Relaxed);
        if used != CLOSED {
            let at = (begin.addr() + used).next_multiple_of(layout.align()) - begin.addr();
            if at + layout.size() <= SIZE {
                self.used.store(at + layout.size(), Ordering::Relaxed);
                return begin.wrapping_add(at);
            }
        }
        // SAFETY: the layout is the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let begin = self.bytes.get().cast::<u8>();
        if !(begin..begin.wrapping_add(SIZE)).contains(&pointer) {
            // SAFETY: it came from the system's allocator, with this layout.
            unsafe { System.dealloc(pointer, layout) }
        }
    }
}

/// Calls `body` with a copy of the input that lasts as long as all that `body` allocates.
pub fn in_arena(input: &[u8], body: impl FnOnce(&'static [u8])) {
    ARENA.used.store(0, Ordering::Relaxed);
    body(input.to_vec().leak());
    ARENA.used.store(CLOSED, Ordering::Relaxed);
}

/// Words as the kernel passes them, a NUL after each; in the input a newline ends a word.
#[must_use]
pub fn words(text: &[u8]) -> &'static [u8] {
    let mut words: Vec<u8> = text.iter().map(|byte| if *byte == b'\n' { 0 } else { *byte }).collect();
    if words.last().is_some_and(|last| *last != 0) {
        words.push(0);
    }
    words.leak()
}
