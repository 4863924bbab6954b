//! `--resolv-conf`: the container's /etc/resolv.conf (resolv.conf(5)). A file in memory has the content, and is mounted over the file
//! that the path leads to below the root.

use rustix::fs::OFlags;

use crate::fs::mount_fd;
use crate::fs::resolve::{self, Kind, LINKS_MAX, PARENTS};
use crate::fs::staging::{self, Below};
use crate::report::hint;
use crate::report::message::{blame, blame_hint};
use crate::rootfs::{copy, dest, tmpfs};
use crate::say;
use crate::spec::{Op, Spec};
use crate::sys::files::{self, Fd, write};
use crate::sys::{self, Done, Failure};
use crate::text::{PATH, Short, Text};

/// Mounts the file. `caller`: the caller's working directory.
///
/// # Errors
/// Reported. ENOENT: the caller's file does not exist; EROFS: the file does not exist in a root that is read-only; ELOOP: too many
/// symbolic links; others: see open(2) and [`mount_fd::attach`].
pub fn put(spec: &Spec<'_>, op: &Op<'_>, root: &mut Fd, caller: Fd) -> Done {
    let tree = content(op, caller)?;
    let place =
        place(*root, op).map_err(|why| blame_hint(op.says(), op.dest, why, hint::of_place(spec, why).hint()))?;
    dest::attach(op, root, tree, place)
}

/// A file in memory with the content, as a mount.
fn content(op: &Op<'_>, caller: Fd) -> Result<Fd, Failure> {
    let mut name = Short::new();
    let (base, name) = (staging::base()?, tmpfs::new_name(&mut name).c_str());
    if op.source.is_empty() {
        let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::EXCL;
        let file = files::create(base, name, flags, MODE)?;
        write(file, op.work.to_bytes())?;
        sys::close(file);
    } else {
        let copied = files::open(caller, op.source, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)
            .and_then(|from| copy::write_file(base, name, MODE, from));
        copied.map_err(|why| blame(say!("copy"), op.source, why))?;
    }
    mount_fd::copy(base, name, op.set, op.cleared, Below::Restricted)
}

/// Every user reads it.
const MODE: u32 = 0o644;

/// The file that the path leads to below the root. It is made if it is missing, at the end of all symbolic links: many systems have
/// a link to a file in /run, which a program of theirs would make.
#[inline(never)]
fn place(root: Fd, op: &Op<'_>) -> Result<Fd, Failure> {
    let mut path = Text::new();
    path.push(op.dest.to_bytes());
    for _ in 0..LINKS_MAX {
        match resolve::make(root, path.bytes(), Kind::File, PARENTS) {
            Err(Failure::SYMLINK) => follow(root, &mut path)?,
            found => return found,
        }
    }
    Err(Failure::LOOP)
}

/// Makes `path`, which is that of a symbolic link, the path that the link leads to. The kernel follows none of it.
#[inline(never)]
fn follow(root: Fd, path: &mut Text) -> Done {
    let mut name = Short::new();
    let parent = resolve::parent(root, path.bytes(), &mut name, 0)?;
    let mut buffer = [0u8; PATH];
    let target = files::read_link(parent, name.c_str(), &mut buffer)?;
    let keep = match target.first() {
        Some(b'/') => 0,
        _ => path.bytes().iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1),
    };
    path.truncate(keep);
    if path.push(target).is_full() { Err(Failure::NAMETOOLONG) } else { Ok(()) }
}
