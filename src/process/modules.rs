//! Modules of the kernel that a machine needs before it looks for its disk: the files that /etc/nsinit.modules lists.

use core::ffi::CStr;

use rustix::fs::OFlags;

use crate::lines;
use crate::report::message::warn;
use crate::say;
use crate::sys::files;
use crate::sys::{self, Done, Failure};
use crate::text::{self, Say, Text};

/// Each line is the path of a module, and its parameters behind a blank; one that begins with `#` is a comment.
const LIST: &CStr = c"/etc/nsinit.modules";

/// Loads the modules of the list, in its order. A module that cannot be loaded gives a warning, and the next one follows.
///
/// # Errors
/// The list exists and cannot be read: see open(2), read(2).
pub fn load() -> Done {
    let list = match files::open_path(LIST, OFlags::RDONLY) {
        Err(Failure::NOENT) => return Ok(()),
        opened => opened?,
    };
    let done = lines::each(list, &mut |line| {
        let mut parameters = line;
        let path = text::word(&mut parameters, b' ').unwrap_or_default();
        if !matches!(path, [] | [b'#', ..]) {
            let mut name = Text::new();
            let name = name.push(path).c_str();
            match load_one(name, parameters) {
                // It is there already.
                Ok(()) | Err(Failure::EXIST) => {}
                Err(why) => warn(say!("load module"), name, why, Say::NOTHING),
            }
        }
    });
    sys::close(list);
    done
}

fn load_one(path: &CStr, parameters: &[u8]) -> Done {
    let file = files::open_path(path, OFlags::RDONLY)?;
    let is_compressed = text::before(path.to_bytes(), b".ko").is_none();
    let done = sys::load_module(file, Text::new().push(parameters).c_str(), is_compressed);
    sys::close(file);
    done
}
