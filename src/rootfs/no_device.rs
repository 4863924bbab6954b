//! Takes the place of `device` in a build without the feature root-device: a path is opened, and nothing is waited for.

use rustix::fs::OFlags;

use crate::report::message::blame;
use crate::say;
use crate::spec::Spec;
use crate::sys::Failure;
use crate::sys::files::{self, Fd};
use crate::text::Text;

/// Opens the file or the device of the root, and stores its path.
///
/// # Errors
/// Reported: see open(2).
pub fn find(spec: &Spec<'_>, path: &mut Text) -> Result<Fd, Failure> {
    let name = spec.root.directory;
    path.push(name.to_bytes());
    files::open_path(name, OFlags::RDONLY | OFlags::NONBLOCK).map_err(|why| blame(say!("open image"), name, why))
}
