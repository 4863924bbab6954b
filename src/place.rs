//! Where below the new root the result of an operation goes: found by descriptor, made where it is missing.

use core::ffi::CStr;

use rustix::fd::AsRawFd;

use crate::fault::{blame, blame_hint};
use crate::files::{self, DIRECTORY, Fd};
use crate::hint;
use crate::mounts;
use crate::resolve::{self, Kind as Sort, PARENTS};
use crate::say;
use crate::spec::{Kind, Op, Spec};
use crate::sys::{Done, Failure};
use crate::text::Text;
use crate::texts::Say;
use crate::voice::{self, Name};

/// The mode of the directories that are made on the way: what nobody but the owner is to get at, nobody else is to get near
/// to either. In a sandbox that goes for all whose mode can't be said, and for mounted content.
#[must_use]
pub fn parents(spec: &Spec<'_>, op: &Op<'_>) -> u32 {
    let has_own = matches!(op.kind, Kind::Dir | Kind::File | Kind::Tmpfs);
    let own = if has_own || !spec.is_sandbox() { PARENTS } else { 0 };
    let asked = op.mode.unwrap_or(own);
    [0o070, 0o007].iter().fold(PARENTS, |mode, others| if asked & others == 0 { mode & !others } else { mode })
}

/// The place of a mount, made where it is missing.
///
/// # Errors
/// Those of [`resolve::make`], reported.
pub fn find(spec: &Spec<'_>, root: Fd, op: &Op<'_>, kind: Sort) -> Result<Fd, Failure> {
    let says = match kind {
        // So bubblewrap's users know it.
        Sort::Directory if voice::speaks_as(Name::Bwrap) => say!("make directory"),
        Sort::File if voice::speaks_as(Name::Bwrap) => say!("create file at"),
        _ => op.says(),
    };
    resolve::make(root, op.dest.to_bytes(), kind, parents(spec, op)).map_err(|why| refused(spec, says, op.dest, why))
}

/// Puts `tree` at the destination of `op`. One that goes on the root itself is the root from then on.
///
/// # Errors
/// Those of [`find`] and [`mounts::attach`], reported.
pub fn put(spec: &Spec<'_>, op: &Op<'_>, root: &mut Fd, tree: Fd) -> Done {
    let sort = if files::kind(tree)? == DIRECTORY { Sort::Directory } else { Sort::File };
    let mut name = Text::new();
    // Most find their place there.
    if sort == Sort::Directory
        && let Ok(parent) = resolve::parent(*root, op.dest.to_bytes(), &mut name, 0)
        && !name.bytes().is_empty()
        && mounts::attach_at(tree, parent, name.c_str()).is_ok()
    {
        return Ok(());
    }
    let place = find(spec, *root, op, sort)?;
    mounts::attach(tree, place).map_err(|why| blame(op.says(), op.dest, why))?;
    if place.as_raw_fd() == root.as_raw_fd() {
        *root = tree;
    }
    Ok(())
}

/// Reports why nothing could be made at `dest`.
pub fn refused(spec: &Spec<'_>, says: Say, dest: &CStr, why: Failure) -> Failure {
    blame_hint(says, dest, why, hint::of_place(spec, why).hint())
}
