//! File systems in memory.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::fs::mount_fd;
use crate::report::hint;
use crate::report::message::blame_hint;
use crate::say;
use crate::spec::{Kind, Op, Spec};
use crate::sys::Failure;
use crate::sys::files::Fd;
use crate::text::Short;

/// Mounts an empty tmpfs with the mode and the size of `op`, attached nowhere yet.
///
/// # Errors
/// Reported. ENOSPC: the limit on mounts is reached; EPERM: it may not be mounted here; EINVAL: the size or the label is wrong.
pub fn new(spec: &Spec<'_>, op: &Op<'_>) -> Result<Fd, Failure> {
    let mut mode = Short::new();
    // The size does not count inodes, which take memory too.
    let names = if op.kind == Kind::Dev && !op.size.is_empty() { c"4096" } else { c"" };
    let options = [
        (c"mode", mode.push_octal(op.mode.unwrap_or(0o755)).c_str()),
        (c"size", op.size),
        (c"nr_inodes", names),
        (c"context", spec.confine.file_label.unwrap_or_default()),
    ];
    mount_fd::new(c"tmpfs", &options, op.attributes(0))
        .map_err(|why| blame_hint(say!("mount tmpfs on"), op.dest, why, hint::of_mount(why).hint()))
}

/// A name that no file in the staging place has yet.
pub fn new_name(text: &mut Short) -> &Short {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    text.push_number(COUNT.fetch_add(1, Ordering::Relaxed))
}
