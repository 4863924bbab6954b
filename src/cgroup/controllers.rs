//! The controllers of the cgroups below another.

use core::ffi::CStr;

use rustix::fs::OFlags;

#[cfg(feature = "boot")]
use crate::cgroup::tree;
use crate::cgroup::tree::{CONTROL, CONTROLLERS};
use crate::ns::target::read_whole;
#[cfg(feature = "boot")]
use crate::sys::Failure;
use crate::sys::files::{self, Fd, write};
use crate::sys::{self, Done, c_str};
use crate::text::{self, PATH, Short};

/// Enables all controllers that the cgroup has for those below.
///
/// # Errors
/// As [`disable_all`].
pub fn enable_all(cgroup: Fd) -> Done {
    switch_all(cgroup, CONTROLLERS, b'+')
}

/// Disables all of them.
///
/// # Errors
/// ENOENT: there is no such file; EACCES: the cgroup belongs to another user.
pub fn disable_all(cgroup: Fd) -> Done {
    switch_all(cgroup, CONTROL, b'-')
}

/// Enables (`+`) or disables (`-`) all controllers of a list. One that is refused stays as it is: only the kernel
/// knows which are possible (cgroups(7)), and a limit that needs it is refused later.
fn switch_all(cgroup: Fd, list: &CStr, sign: u8) -> Done {
    let mut names = [0u8; PATH];
    read_whole(cgroup, list, &mut names)?;
    let control = files::open(cgroup, CONTROL, OFlags::WRONLY)?;
    let mut rest = c_str(&names).to_bytes();
    while let Some(name) = text::word(&mut rest, b' ') {
        let _ = write(control, Short::new().byte(sign).push(name).bytes());
    }
    sys::close(control);
    Ok(())
}

/// Enables all controllers for the cgroups below the root of the tree.
///
/// # Errors
/// EROFS: the tree is read-only; EACCES: nsinit is not root.
#[cfg(feature = "boot")]
pub fn enable_for_machine() -> Done {
    match tree::tree() {
        // The kernel was built without it.
        Err(Failure::NOENT) => Ok(()),
        tree => enable_all(tree?),
    }
}
