//! Which descriptors this program has opened.

use core::sync::atomic::{AtomicU32, Ordering};

use rustix::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};

use super::fd::close;
use super::stdio::{Standard, messages};

/// A bit for each descriptor; those with higher numbers stay open until the process executes or ends.
type Bits = [AtomicU32; 128];
/// Those that we have opened.
static OPENED: Bits = [const { AtomicU32::new(0) }; 128];
/// Those of them that [`close_opened`] leaves open.
static KEPT: Bits = [const { AtomicU32::new(0) }; 128];
/// How many words of them have ever had a bit.
static USED: AtomicU32 = AtomicU32::new(0);

/// Gives up the closing of a descriptor: it stays open until the process executes or ends, or until [`close_opened`] or
/// [`close_ours`].
pub fn keep_open(fd: OwnedFd) -> BorrowedFd<'static> {
    let number = fd.into_raw_fd();
    let index = number / 32;
    if let Some(word) = OPENED.get(index as usize) {
        word.fetch_or(1 << (number % 32), Ordering::Relaxed);
        USED.fetch_max(index.cast_unsigned() + 1, Ordering::Relaxed);
    }
    // SAFETY: nobody owns the number any more, so nobody closes it, but for the two and `descriptors::close_all_but`, after which
    // a process uses none that it did not name there.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// What is open now stays open when [`close_opened`] is called.
pub fn keep_opened() {
    for (opened, kept) in OPENED.iter().zip(&KEPT) {
        kept.store(opened.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// Closes all that we have opened since, but `kept`.
pub fn close_opened(kept: BorrowedFd<'_>) {
    close_some(&KEPT, &[], &[kept.as_raw_fd().cast_unsigned()]);
}

/// Closes all that we have opened, but for standard input, output and error, where messages go, and those in the two lists.
pub fn close_ours(some: &[u32], others: &[u32]) {
    close_some(&[], some, others);
}

fn close_some(spared: &[AtomicU32], some: &[u32], others: &[u32]) {
    for (index, word) in OPENED.iter().enumerate().take(USED.load(Ordering::Relaxed) as usize) {
        let spared = spared.get(index).map_or(0, |word| word.load(Ordering::Relaxed));
        let mut bits = word.load(Ordering::Relaxed) & !spared;
        while bits != 0 {
            let bit = bits.trailing_zeros();
            bits &= bits - 1;
            let fd = index as u32 * 32 + bit;
            if fd > Standard::Error as u32 && fd != messages() && !some.contains(&fd) && !others.contains(&fd) {
                close(fd);
                word.fetch_and(!(1 << bit), Ordering::Relaxed);
            }
        }
    }
}
