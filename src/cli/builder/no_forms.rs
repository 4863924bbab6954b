//! In the place of `forms`: values are numbers, and none is read from a file.

#[cfg(feature = "container")]
use core::ffi::CStr;

use super::super::complaint::Bad;
#[cfg(feature = "container")]
use super::super::complaint::Wrong;
#[cfg(feature = "container")]
use super::super::values;
use super::Draft;

impl Draft {
    /// The value of --uid.
    #[cfg(feature = "container")]
    pub fn set_uid(&mut self, word: &CStr) -> Result<(), Wrong> {
        self.uid = Some(values::id(word)?);
        Ok(())
    }

    /// The value of --gid.
    #[cfg(feature = "container")]
    pub fn set_gid(&mut self, word: &CStr) -> Result<(), Wrong> {
        self.gid = Some(values::id(word)?);
        Ok(())
    }

    /// The value of --groups.
    #[cfg(feature = "ids")]
    pub fn set_groups(&mut self, word: &CStr) -> Result<(), Wrong> {
        self.groups = Some(super::ids::groups(word)?);
        Ok(())
    }

    /// No value is read from a file.
    pub const fn settle_forms(&mut self) -> Result<(), Bad> {
        Ok(())
    }
}
