//! The destination of an operation below the new root: opened as a descriptor, and made if it is missing.

use core::ffi::CStr;

use rustix::fd::AsRawFd;

use crate::fs::mount_fd;
use crate::fs::resolve::{self, Kind as Sort, PARENTS};
use crate::report::hint;
use crate::report::message::{blame_hint, fatal, push_object, push_reason};
use crate::report::wording;
use crate::say;
use crate::spec::{Kind, Op, Spec};
use crate::sys::files::{self, DIRECTORY, Fd};
use crate::sys::{Done, Failure};
use crate::text::{PATH, Say, Short, Text, verb};

/// The mode of missing parents of the destination. If only the owner (or the group) may access the destination, others may not access its
/// parents either. In a sandbox this holds for mounted files too, and for each operation that has no mode.
#[must_use]
pub fn mode_of_parents(spec: &Spec<'_>, op: &Op<'_>) -> u32 {
    let has_own = matches!(op.kind, Kind::Dir | Kind::File | Kind::Tmpfs);
    let own = if has_own || !spec.is_sandbox() { PARENTS } else { 0 };
    let asked = op.mode.unwrap_or(own);
    [0o070, 0o007].iter().fold(PARENTS, |mode, others| if asked & others == 0 { mode & !others } else { mode })
}

/// Opens the mount point of an operation, and makes it if it is missing.
///
/// # Errors
/// Reported: as [`resolve::make`].
pub fn find(spec: &Spec<'_>, root: Fd, op: &Op<'_>, kind: Sort) -> Result<Fd, Failure> {
    let says = match kind {
        Sort::Directory if wording::chosen().names_mount_points => verb::MAKE_DIRECTORY,
        Sort::File if wording::chosen().names_mount_points => say!("create file at"),
        _ => op.says(),
    };
    resolve::make(root, op.dest.to_bytes(), kind, mode_of_parents(spec, op))
        .map_err(|why| refused(spec, root, op, says, why))
}

/// Attaches `tree` to the destination of `op`. If the destination is the root itself, `tree` becomes the root.
///
/// # Errors
/// Reported: as [`find`] and [`mount_fd::attach`].
pub fn put(spec: &Spec<'_>, op: &Op<'_>, root: &mut Fd, tree: Fd) -> Done {
    let sort = if files::kind(tree)? == DIRECTORY { Sort::Directory } else { Sort::File };
    let mut name = Short::new();
    // Most destinations exist.
    if sort == Sort::Directory
        && let Ok(parent) = resolve::parent(*root, op.dest.to_bytes(), &mut name, 0)
        && !name.bytes().is_empty()
        && mount_fd::attach_at(tree, parent, name.c_str()).is_ok()
    {
        return Ok(());
    }
    let place = find(spec, *root, op, sort)?;
    attach(op, root, tree, place)
}

/// Attaches `tree` to `place`, the destination of `op`. If that is the root itself, `tree` becomes the root.
///
/// # Errors
/// Reported: as [`mount_fd::attach`].
pub fn attach(op: &Op<'_>, root: &mut Fd, tree: Fd, place: Fd) -> Done {
    mount_fd::attach(tree, place).map_err(|why| blame_hint(op.says(), op.dest, why, hint::of_mount(why).hint()))?;
    if place.as_raw_fd() == root.as_raw_fd() {
        *root = tree;
    }
    Ok(())
}

/// Reports why `says` failed at the destination of `op`.
pub fn refused(spec: &Spec<'_>, root: Fd, op: &Op<'_>, says: Say, why: Failure) -> Failure {
    let wording = wording::chosen();
    if matches!(why, Failure::SYMLINK | Failure::OTHER_LINK)
        && (wording.failure)(says, why).is_empty()
        && let Ok(target) = target(root, op.dest, &mut [0; PATH])
    {
        let mut line = Text::new();
        wording.push_undone(&mut line, says);
        push_object(&mut line, op.dest);
        if why == Failure::OTHER_LINK {
            line.say(say!(": existing destination is ")).push_printable(target);
        } else {
            push_reason(line.push(b": "), why);
            line.say(say!(" (it leads to ")).push_printable(target);
            line.say(say!(": use that path, or remove the link from the root)"));
        }
        let _ = fatal(&line);
        return Failure::REPORTED;
    }
    blame_hint(says, op.dest, why, hint::of_place(spec, why).hint())
}

/// The target of the link at `dest`.
fn target<'b>(root: Fd, dest: &CStr, buffer: &'b mut [u8]) -> Result<&'b [u8], Failure> {
    let mut name = Short::new();
    let parent = resolve::parent(root, dest.to_bytes(), &mut name, 0)?;
    files::read_link(parent, name.c_str(), buffer)
}
