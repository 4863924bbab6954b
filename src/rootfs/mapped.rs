//! `--idmap`: the caller's files, shown through the id map of the container, so that they keep their owners.
//!
//! The kernel permits this to root of the machine alone. So the launcher makes these mounts, before process 1 exists: attached nowhere,
//! and with all their attributes. Process 1 inherits their descriptors, and attaches them.

use core::ffi::CStr;

use crate::fs::mount_fd;
use crate::fs::staging::{Below, fd_path};
use crate::ns::idmap;
use crate::report::hint::{self, Cause};
use crate::report::message::blame_hint;
use crate::rootfs::root;
use crate::say;
use crate::spec::{Kind, Op, Spec};
use crate::state::Launch;
use crate::step::explain_line;
use crate::sys::files::{self, Fd, HERE};
use crate::sys::{self, Done, Failure, c_str};
use crate::text::{PATH, Say, Short};

/// The verb of messages and `--explain`.
const SHOW: Say = say!("show through the id map");

/// Makes a mount of the root, and of the source of each operation that binds.
///
/// # Errors
/// Reported. EINVAL: the file system, or one that is mounted below, cannot be shown through a map; EPERM: nsinit is not root of the
/// machine; ENOSYS: Linux is older than 5.12; ENOENT: there is no such file.
pub fn prepare(launch: &mut Launch) -> Done {
    let spec = &launch.spec;
    let users = idmap::users(launch)?;
    if let Some(image) = launch.source {
        sys::mount_map_ids(image, users, false)
            .map_err(|why| blame_hint(SHOW, spec.root.directory, why, hint::of_idmap(why).hint()))?;
    } else if spec.has_root() {
        let tree = Source { path: spec.root.directory, name: spec.root.directory, users };
        launch.source = Some(tree.show(root::attributes(spec), 0).map_err(|why| tree.refused(why))?);
    }
    for op in spec.root.ops {
        let Some(slot) = op.tree else { continue };
        let source = Source { path: op.source, name: op.source, users };
        match if op.kind == Kind::BindFd { of_descriptor(op, users) } else { source.show(op.set, op.cleared) } {
            Err(Failure::NOENT) if op.kind == Kind::BindTry => {}
            Err(why) => return Err(source.refused(why)),
            Ok(tree) => slot.set(tree),
        }
    }
    Ok(())
}

/// The file or directory of a descriptor, by its path: its mount may be that of another mount namespace.
#[inline(never)]
fn of_descriptor(op: &Op<'_>, users: Fd) -> Result<Fd, Failure> {
    let (mut path, mut name) = ([0u8; PATH], Short::new());
    let fd = sys::given(op.fd);
    let name = fd_path(fd, &mut name);
    files::read_link(HERE, name, &mut path).map_err(|why| blame_hint(SHOW, name, why, Say::NOTHING))?;
    let source = Source { path: c_str(&path), name, users };
    let tree = source.show(op.set, op.cleared).map_err(|why| source.refused(why))?;
    // Check again: the path may lead to another file meanwhile.
    if files::is_same(fd, tree)? { Ok(tree) } else { Err(blame_hint(SHOW, name, Failure::AGAIN, Say::NOTHING)) }
}

/// A file or directory of the caller.
struct Source<'a> {
    path: &'a CStr,
    /// In messages.
    name: &'a CStr,
    /// The user namespace with the map.
    users: Fd,
}

impl Source<'_> {
    fn show(&self, set: u32, cleared: u32) -> Result<Fd, Failure> {
        mount_fd::mapped(HERE, self.path, set, cleared, Below::Restricted, self.users)
    }

    #[cold]
    fn refused(&self, why: Failure) -> Failure {
        let alone = || mount_fd::mapped(HERE, self.path, 0, 0, Below::Left, self.users).is_ok();
        let cause = match why {
            Failure::INVAL if alone() => Cause::UnmappableBelow,
            _ => hint::of_idmap(why),
        };
        blame_hint(SHOW, self.name, why, cause.hint())
    }
}

/// Prints what is shown through the map, for `--explain`.
pub fn explain_mapped(spec: &Spec<'_>) {
    if spec.has_root() {
        explain_line(SHOW, spec.root.directory);
    }
    for op in spec.root.ops.iter().filter(|op| op.tree.is_some()) {
        explain_line(SHOW, if op.kind == Kind::BindFd { op.dest } else { op.source });
    }
}
