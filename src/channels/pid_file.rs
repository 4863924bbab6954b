//! `--pid-file`: the process id of process 1, while the command runs.

use core::ffi::CStr;

use rustix::fs::{AtFlags, OFlags, fstat, statat, unlinkat};

use crate::report::hint;
use crate::report::message::blame_hint;
use crate::say;
use crate::spec::Spec;
use crate::state::Outside;
use crate::step::mortal;
use crate::sys::files::{self, Fd, HERE};
use crate::sys::{self, Failure};
use crate::text::Text;

/// Makes the file, empty. Returns its directory and the file: the path may lead elsewhere when the file is removed.
///
/// # Errors
/// EEXIST: the file exists already; others: see open(2). Reported.
pub fn make(spec: &Spec<'_>) -> Result<(Fd, Fd), Failure> {
    let path = spec.channels.pid_file.unwrap_or_default();
    // If the file system does not answer, a lookup blocks already. A signal can end this one.
    let _ = mortal(|| files::look(HERE, path));
    let made = directory_of(path).and_then(|directory| {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        Ok((directory, files::create(directory, last_of(path), flags, 0o644)?))
    });
    made.map_err(|why| blame_hint(say!("create pid file"), path, why, hint::of_pid_file(path, why).hint()))
}

/// Removes the file, if it is still the one that [`make`] made.
pub fn remove(spec: &Spec<'_>, outside: &Outside) {
    let Some((directory, file)) = outside.pid_file else { return };
    let name = last_of(spec.channels.pid_file.unwrap_or_default());
    if let (Ok(ours), Ok(there)) = (fstat(file), statat(directory, name, AtFlags::SYMLINK_NOFOLLOW))
        && (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)
    {
        let _ = unlinkat(directory, name, AtFlags::empty());
    }
}

/// The length of the part before the last component of `path`.
fn before_last(path: &CStr) -> usize {
    path.to_bytes().iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1)
}

fn last_of(path: &CStr) -> &CStr {
    sys::tail(path, before_last(path))
}

fn directory_of(path: &CStr) -> Result<Fd, Failure> {
    let mut directory = Text::new();
    directory.push(path.to_bytes().get(..before_last(path)).unwrap_or_default());
    if directory.is_full() {
        return Err(Failure::NAMETOOLONG);
    }
    // The path of a file in the working directory has no such part.
    files::directory(HERE, directory.byte(b'.').c_str())
}
