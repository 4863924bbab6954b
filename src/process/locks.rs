//! `--lock-file`: files that are locked while any process is inside.

use rustix::fs::OFlags;

use crate::report::message::blame;
use crate::state::Setup;
use crate::sys::files;
use crate::sys::{self, Done, Kept};
use crate::text::verb;

/// Locks the files, from now on to the end of process 1.
///
/// # Errors
/// Reported. EAGAIN, EACCES: another process has locked a file for writing; others: see open(2) and fcntl(2).
pub fn lock(setup: &mut Setup) -> Done {
    for (path, lock) in setup.launch.spec.life.locks.iter().zip(&mut setup.locks) {
        let file = files::open_path(path, OFlags::RDONLY | OFlags::NONBLOCK)
            .map_err(|why| blame(verb::OPEN_LOCK_FILE, path, why))?;
        sys::lock_for_reading(file).map_err(|why| blame(verb::LOCK, path, why))?;
        *lock = Kept::ours(Some(file));
    }
    Ok(())
}
