//! The users and groups of a root, in its own files (passwd(5), group(5)): what the C library of the caller knows is not of the container.

use linux_raw_sys::general::S_IFREG;
use rustix::fs::fstat;

use crate::fs::resolve;
use crate::lines;
use crate::say;
use crate::sys::files::Fd;
use crate::sys::{self, Failure};
use crate::text::{self, Say};

/// How many bytes a file may have.
const MOST: i64 = 1 << 24;

/// A file of names and ids.
#[derive(Clone, Copy)]
pub struct Accounts {
    /// Its path below the root.
    pub file: &'static [u8],
    /// Printed before a name that is not in it.
    pub missing: Say,
}

pub const USERS: Accounts = Accounts { file: b"etc/passwd", missing: say!(": no user ") };
pub const GROUPS: Accounts = Accounts { file: b"etc/group", missing: say!(": no group ") };

impl Accounts {
    /// The id of the first line with that name. `None`: there is no such line.
    ///
    /// # Errors
    /// ENOENT: there is no such file; [`Failure::NO_REGULAR`]: it is a directory or a device; EFBIG: it has more than 16 MiB; others: see
    /// [`resolve::file`] and open(2).
    pub fn id_of(self, root: Fd, name: &[u8]) -> Result<Option<u32>, Failure> {
        let file = resolve::file(root, self.file, S_IFREG)?;
        // To read a file of any size would delay the launch without limit.
        if fstat(file)?.st_size > MOST {
            return Err(Failure::FBIG);
        }
        let mut found = None;
        let read = lines::each(file, &mut |line| {
            let mut fields = line;
            if found.is_none() && text::word(&mut fields, b':') == Some(name) {
                let _password = text::word(&mut fields, b':');
                found = text::word(&mut fields, b':').and_then(text::number).filter(|id| *id != u32::MAX);
            }
        });
        sys::close(file);
        read.map(|()| found)
    }
}
