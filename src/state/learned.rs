//! Values that one step learns and a later one needs.

use crate::sys::Failure;

/// A value that one step of a process learns and later ones need.
#[derive(Clone, Copy)]
pub struct Learned<T>(Option<T>);

impl<T: Copy> Learned<T> {
    /// No step has learned it yet.
    pub const NOT_YET: Learned<T> = Learned(None);

    /// The step has learned it.
    pub const fn set(&mut self, value: T) {
        self.0 = Some(value);
    }

    /// The value, for a step that needs it.
    ///
    /// # Errors
    /// [`Failure::ORDER`]: no earlier step has learned it. That is a mistake in a table of steps; a debug build stops here.
    pub fn get(self) -> Result<T, Failure> {
        debug_assert!(self.0.is_some(), "a step needs what no step before it has learned");
        self.0.ok_or(Failure::ORDER)
    }

    /// The value, if there is one.
    #[must_use]
    pub const fn known(self) -> Option<T> {
        self.0
    }
}
