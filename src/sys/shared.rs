//! One reference that all of the program reads.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

/// A reference to something that lives as long as the program; another can take its place.
pub struct Shared<T: 'static>(AtomicPtr<T>);

impl<T: Sync> Shared<T> {
    #[must_use]
    pub const fn new(first: &'static T) -> Shared<T> {
        Shared(AtomicPtr::new(ptr::from_ref(first).cast_mut()))
    }

    pub fn set(&self, next: &'static T) {
        self.0.store(ptr::from_ref(next).cast_mut(), Ordering::Release);
    }

    #[must_use]
    pub fn get(&self) -> &'static T {
        // SAFETY: only `new` and `set` write the pointer, and both get it from a `&'static T`; nothing writes through it.
        unsafe { &*self.0.load(Ordering::Acquire) }
    }
}
