//! The descriptors that nsinit opens. They stay open until one call closes all that a process does not need.
//!
//! They are registered here, because a number may only be closed by code that knows what it was opened for.

use core::ops::Range;
use core::sync::atomic::{AtomicU32, Ordering};

use rustix::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};

use super::fd::{close_number, close_range};
use super::stdio::{Standard, messages};
use super::{Done, Failure};

/// A descriptor that stays open until a function of this file closes it. It is a number that can be copied: a copy that is used
/// after the close gets EBADF, or a file that we opened later. No memory depends on it, and no value owns it ([`keep_open`]
/// takes the owner), so no owner closes the number a second time.
pub type Fd = BorrowedFd<'static>;

/// The first number that is not standard input, output or error.
const FIRST: u32 = Standard::Error as u32 + 1;

/// The highest number that is closed one by one where close_range(2) is missing. The kernel's default for `fs.nr_open` is
/// 1,048,576, but RLIMIT_NOFILE is hardly that high on a kernel before 5.9.
const LAST_BY_HAND: u32 = 65_535;

/// A bit for each descriptor from 0 to 4095. Those with higher numbers stay open until the process executes or ends.
type Bits = [AtomicU32; 128];
/// Those that we have opened.
static OPENED: Bits = [const { AtomicU32::new(0) }; 128];
/// Those of them that [`close_opened`] leaves open.
static KEPT: Bits = [const { AtomicU32::new(0) }; 128];
/// How many words of OPENED have ever had a bit.
static USED: AtomicU32 = AtomicU32::new(0);

/// Keeps a descriptor open until [`close`], [`close_opened`], [`close_ours`] or [`close_all_but`], or until the process
/// executes or ends.
pub fn keep_open(fd: OwnedFd) -> Fd {
    let number = fd.into_raw_fd();
    let index = number / 32;
    if let Some(word) = OPENED.get(index as usize) {
        word.fetch_or(1 << (number % 32), Ordering::Relaxed);
        USED.fetch_max(index.cast_unsigned() + 1, Ordering::Relaxed);
    }
    // SAFETY: the owner has given up the number, so it stays open until a function of this file closes it. After that, the
    // process uses only the descriptors that it named to that function.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// The place of a descriptor in a static.
pub struct FdSlot(AtomicU32);

impl FdSlot {
    /// A slot without a descriptor: 0, because standard input is never in a slot.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "it is for statics")]
    pub const fn new() -> FdSlot {
        FdSlot(AtomicU32::new(0))
    }

    pub fn set(&self, fd: Fd) {
        self.0.store(fd.as_raw_fd().cast_unsigned(), Ordering::Relaxed);
    }

    /// Forgets the descriptor, which stays open.
    #[cfg(feature = "hardware")]
    pub fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    #[must_use]
    #[inline(always)]
    pub fn get(&self) -> Option<Fd> {
        let number = self.0.load(Ordering::Relaxed);
        // SAFETY: the number was that of an Fd, which is never -1, and is as good as a copy of it.
        (number != 0).then(|| unsafe { BorrowedFd::borrow_raw(number.cast_signed()) })
    }
}

/// A descriptor in a list of those that stay open, or none. It has 4 bytes; an `Option<Fd>` has 8.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Kept(u32);

impl Kept {
    /// 0: standard input stays open anyway.
    pub const NONE: Kept = Kept(0);

    #[must_use]
    pub fn ours(fd: Option<Fd>) -> Kept {
        fd.map_or(Kept::NONE, |fd| Kept(fd.as_raw_fd().cast_unsigned()))
    }

    /// One that the user gave.
    #[must_use]
    pub fn given(fd: Option<u32>) -> Kept {
        Kept(fd.unwrap_or_default())
    }

    /// Those that the user gave.
    #[must_use]
    pub const fn all_given(fds: &[u32]) -> &[Kept] {
        // SAFETY: a Kept has the layout of a u32 (repr(transparent)), and each number is one.
        unsafe { &*(core::ptr::from_ref(fds) as *const [Kept]) }
    }
}

/// close(2).
pub fn close(fd: Fd) {
    // SAFETY: no value owns the number of an Fd, and the caller has no more use for it.
    unsafe { close_number(fd.as_raw_fd().cast_unsigned()) };
}

/// close(2) of a descriptor that the user gave, so that its reader gets the end of the file. Standard input, output and error
/// stay open.
pub fn close_given(fd: Option<u32>) {
    if let Some(fd) = fd.filter(|fd| *fd >= FIRST) {
        // SAFETY: the user gave the number, and no value of nsinit owns such a number.
        unsafe { close_number(fd) };
    }
}

/// Marks all that we have open now: [`close_opened`] leaves them open.
pub fn keep_opened() {
    for (opened, kept) in OPENED.iter().zip(&KEPT) {
        kept.store(opened.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// Closes all that we have opened since [`keep_opened`], except `kept`.
pub fn close_opened(kept: Fd) {
    close_some(&KEPT, &[], &[Kept::ours(Some(kept))]);
}

/// Closes all that we have opened, except standard input, output and error, the descriptor for messages, and those in the two
/// lists.
pub fn close_ours(some: &[Kept], others: &[Kept]) {
    close_some(&[], some, others);
}

fn close_some(spared: &[AtomicU32], some: &[Kept], others: &[Kept]) {
    // Neighbours are closed together.
    let mut run = 0..0;
    for (index, word) in OPENED.iter().enumerate().take(USED.load(Ordering::Relaxed) as usize) {
        let spared = spared.get(index).map_or(0, |word| word.load(Ordering::Relaxed));
        let mut bits = word.load(Ordering::Relaxed) & !spared;
        while bits != 0 {
            let bit = bits.trailing_zeros();
            bits &= bits - 1;
            let fd = index as u32 * 32 + bit;
            if fd >= FIRST && fd != messages() && !some.contains(&Kept(fd)) && !others.contains(&Kept(fd)) {
                word.fetch_and(!(1 << bit), Ordering::Relaxed);
                if fd != run.end {
                    close_run(&run);
                    run.start = fd;
                }
                run.end = fd + 1;
            }
        }
    }
    close_run(&run);
}

/// Closes descriptors of nsinit that are no longer in use.
fn close_run(run: &Range<u32>) {
    if run.is_empty() {
        return;
    }
    // SAFETY: the bit of each number said that we opened it and that its owner has given it up; the callers of `close_some` have
    // named all that this process still uses.
    let closed = run.len() > 1 && unsafe { close_range(run.start, run.end - 1) }.is_ok();
    if !closed {
        for fd in run.clone() {
            // SAFETY: as for the range, of which this is one.
            unsafe { close_number(fd) };
        }
    }
}

/// Closes all descriptors from 3 up, except those in the two lists and the one for messages.
///
/// # Errors
/// The errno of close_range(2). ENOSYS and EPERM are no errors here: each number up to 65,535 is closed one by one instead.
pub fn close_all_but(some: &[Kept], others: &[Kept]) -> Done {
    let mut from = FIRST;
    loop {
        // The lists are short and in no order: find the lowest kept number, then the next.
        let keep = lowest(some, from).min(lowest(others, from)).min(lowest(&[Kept(messages())], from));
        if keep > from {
            // Up to the number before it, or to the last number.
            close_from(from, if keep == u32::MAX { keep } else { keep - 1 })?;
        }
        if keep == u32::MAX {
            return Ok(());
        }
        from = keep + 1;
    }
}

/// The lowest number that is not below `from`; u32::MAX, which no descriptor has, if there is none.
fn lowest(list: &[Kept], from: u32) -> u32 {
    list.iter().fold(u32::MAX, |lowest, fd| if fd.0 < from { lowest } else { lowest.min(fd.0) })
}

fn close_from(first: u32, last: u32) -> Done {
    // SAFETY: the caller of `close_all_but` has named all that this process still uses, and no value owns another number:
    // `keep_open` takes the owner of each.
    match unsafe { close_range(first, last) } {
        Err(Failure::NOSYS | Failure::PERM) => {
            for fd in first..=last.min(LAST_BY_HAND) {
                // SAFETY: as for the range, of which this is one.
                unsafe { close_number(fd) };
            }
            Ok(())
        }
        result => result,
    }
}
