//! Namespaces that are joined, and processes that own them.

use core::ffi::CStr;

use super::super::complaint::Wrong;
use super::super::values;
#[cfg(feature = "enter")]
use super::Asked;
use super::Draft;

impl Draft {
    /// Joins a namespace of that kind. If it is given twice, the last one counts.
    pub fn join(&mut self, kind: u32, owner: &'static CStr) -> Result<(), Wrong> {
        self.joins.retain(|(other, _)| *other != kind);
        let owner = self.process(owner)?;
        self.joins.push((kind, owner));
        Ok(())
    }

    /// Asks for something else than a command for the container of a process.
    #[cfg(feature = "enter")]
    pub fn act_on(&mut self, word: &'static CStr, asked: Asked) -> Result<(), Wrong> {
        self.asked = asked;
        self.spec.target = Some(self.process(word)?);
        Ok(())
    }

    /// A process: a word that the engine understands. If it is `fd:N`, N is a descriptor of the caller.
    pub fn process(&mut self, word: &'static CStr) -> Result<&'static CStr, Wrong> {
        match values::after_fd(word) {
            Some(number) => self.fd(number).map(|_| word),
            None => values::path(word),
        }
    }
}
