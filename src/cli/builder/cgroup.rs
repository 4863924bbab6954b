//! The limits of the container's cgroup: each option is a file and the value that is written to it.

use core::ffi::CStr;

use engine::cgroup::values;
use engine::say;
use engine::spec::{HIERARCHIES, Setting};
use engine::sys;
use engine::text::Text;

use super::super::complaint::Wrong;
use super::super::values::path as path_of;
use super::Draft;

fn keep(bytes: &[u8]) -> &'static CStr {
    let mut kept = Vec::from(bytes);
    kept.push(0);
    sys::c_str(kept.leak())
}

impl Draft {
    /// The value goes to the file as it is, if it is `good`.
    pub fn limit_container(
        &mut self,
        file: &'static CStr,
        value: &'static CStr,
        good: bool,
        why: Wrong,
    ) -> Result<(), Wrong> {
        if !good {
            return Err(why);
        }
        self.settings.push(Setting { file, device: None, value });
        Ok(())
    }

    /// The value of --cpu: microseconds in each period of 100,000.
    pub fn limit_processor_time(&mut self, cores: &'static CStr) -> Result<(), Wrong> {
        let quota = values::processors(cores.to_bytes());
        let quota = quota.ok_or(Wrong::value(say!("not a number of processors from 0.01 to 8192")))?;
        let value = keep(Text::new().push_number(quota).push(b" 100000").bytes());
        self.limit_container(c"cpu.max", value, true, Wrong::value(say!("")))
    }

    /// The value of --io-max.
    pub fn limit_device(&mut self, word: &'static CStr) -> Result<(), Wrong> {
        const FORM: Wrong =
            Wrong::value(say!("not DEV:NAME=N,..., with rbps, wbps, riops or wiops, and a size or max"));
        let (device, mut rates) = values::device(word.to_bytes()).ok_or(FORM)?;
        let mut value = Text::new();
        let named = !values::is_device_number(device);
        if !named {
            value.push(device).byte(b' ');
        }
        let begin = value.bytes().len();
        while let Some(rate) = values::next_rate(&mut rates) {
            let (name, number) = rate.map_err(|()| FORM)?;
            value.push(name).byte(b'=');
            match number {
                Some(number) => value.push_long_number(number),
                None => value.push(b"max"),
            }
            .byte(b' ');
        }
        if value.bytes().len() == begin {
            return Err(FORM);
        }
        let device = if named { Some(keep(device)) } else { None };
        self.settings.push(Setting { file: c"io.max", device, value: keep(value.bytes()) });
        Ok(())
    }

    /// The value of --cgroup-set.
    pub fn set_in_cgroup(&mut self, word: &'static CStr) -> Result<(), Wrong> {
        let why = Wrong::value(say!("not FILE=VALUE, with a file such as memory.max (of cgroup.* only cgroup.max.*)"));
        let (file, _) = values::setting(word.to_bytes()).ok_or(why)?;
        self.limit_container(keep(file), sys::tail(word, file.len() + 1), true, why)
    }

    /// The value of --cgroup1.
    pub fn join_old_cgroup(&mut self, path: &'static CStr) -> Result<(), Wrong> {
        if self.old_cgroups.len() == HIERARCHIES {
            return Err(Wrong::value(say!("it can be given 16 times at most")));
        }
        self.old_cgroups.push(path_of(path)?);
        Ok(())
    }
}
