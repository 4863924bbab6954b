//! The options that confine CMD.

use core::ffi::CStr;

#[cfg(feature = "limits")]
use engine::confine::limits;
use engine::say;
#[cfg(feature = "landlock")]
use engine::spec::{Access, Rule};
#[cfg(feature = "limits")]
use engine::spec::{Limit, Limited};
#[cfg(feature = "landlock")]
use engine::text;

use super::super::complaint::Wrong;
#[cfg(feature = "landlock")]
use super::super::values;
use super::Draft;

impl Draft {
    /// Landlock allows this kind of access, on a file or a port; with `none`, nowhere.
    #[cfg(feature = "landlock")]
    pub fn allow(&mut self, access: Access, on: &'static CStr) -> Result<(), Wrong> {
        self.spec.confine.landlock.mentioned |= access as u8;
        if on == c"none" {
            return Ok(());
        }
        let mut port = 0;
        if access as u8 & Access::FILES != 0 {
            values::path(on)?;
        } else {
            let number = text::number(on.to_bytes()).and_then(|number| number.try_into().ok());
            port = number.ok_or(Wrong::value(say!("neither a port from 0 to 65535 nor `none`")))?;
        }
        self.rules.push(Rule { access, on, port });
        Ok(())
    }

    /// A limit of CMD. If it is given twice, the last one counts.
    #[cfg(feature = "limits")]
    pub fn limit(&mut self, what: Limited<'static>, word: &'static CStr) {
        match self.limits.iter_mut().find(|limit| limit.what.is_same_as(&what)) {
            Some(limit) => *limit = Limit { what, word },
            None => self.limits.push(Limit { what, word }),
        }
    }

    /// The value of --cpus.
    #[cfg(feature = "limits")]
    pub fn limit_processors(&mut self, list: &'static CStr) -> Result<(), Wrong> {
        let mut set = Vec::from([0; (limits::PROCESSORS / usize::BITS) as usize]);
        if !limits::processors(list.to_bytes(), &mut set) {
            return Err(Wrong::value(say!("not a list of processors such as 0-3,6 (a share of all: --cpu)")));
        }
        self.limit(Limited::Processors(set.leak()), list);
        Ok(())
    }

    /// A setting of the container's namespaces.
    #[cfg(all(feature = "limits", feature = "container"))]
    pub fn set(&mut self, word: &'static CStr) -> Result<(), Wrong> {
        let sysctl = engine::spec::Sysctl(word);
        if sysctl.value().is_empty() || !sysctl.is_name() {
            return Err(Wrong::value(say!("not NAME=VALUE, with a name as in sysctl(8)")));
        }
        self.sysctls.push(sysctl);
        Ok(())
    }
}
