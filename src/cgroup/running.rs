//! The cgroup of a container that runs, found by a process in it.

use core::ffi::CStr;

use crate::cgroup::make::is_container;
use crate::cgroup::tree::{self, READ, VERSION_2};
use crate::fs::procfs;
use crate::ns::find;
use crate::ns::target::{self, Target, line_after, read_whole};
use crate::sys::Failure;
use crate::sys::files::{self, Fd};
use crate::text::{self, PATH, Text};

/// A running container with a cgroup of its own.
pub struct Running {
    /// The process by which it was found.
    pub process: Target,
    pub cgroup: Fd,
    /// nsinit is in that cgroup too.
    pub holds_us: bool,
}

/// Finds the container of a process, which is named as for [`find::process`].
///
/// # Errors
/// [`Failure::NO_OWN_CGROUP`]: nsinit has not made a cgroup for it; [`Failure::NO_CONTAINER`]: nor is it in a container;
/// [`Failure::NO_TREE`]: no cgroup2 is mounted; EXDEV: the cgroup is outside of the tree that nsinit sees; ESRCH: the container has
/// ended. Others: see [`find::process`].
pub fn find(named: &CStr) -> Result<Running, Failure> {
    let proc = procfs::open()?;
    let process = find::process(named, proc)?;
    let (mut its, mut own) = ([0u8; PATH], [0u8; PATH]);
    read_whole(process.directory, c"cgroup", &mut its)?;
    read_whole(proc, c"self/cgroup", &mut own)?;
    let path = innermost(line_after(&its, VERSION_2).unwrap_or_default());
    // Outside of the root of our cgroup namespace.
    if text::after(path, b"/..").is_some() {
        return Err(Failure::XDEV);
    }
    if path.is_empty() {
        let mut namespaces = target::NONE;
        process.namespaces(&mut namespaces)?;
        let contained = target::differing(&namespaces, proc)? != 0;
        return Err(if contained { Failure::NO_OWN_CGROUP } else { Failure::NO_CONTAINER });
    }
    let below = line_after(&own, VERSION_2).and_then(|own| text::after(own, path));
    let tree = tree::any().map_err(|_| Failure::NO_TREE)?;
    let mut relative = Text::new();
    match files::open(tree, relative.byte(b'.').push(path).c_str(), READ) {
        Err(Failure::NOENT) => Err(Failure::SRCH),
        Err(why) => Err(why),
        Ok(cgroup) => {
            let holds_us = below.is_some_and(|rest| matches!(rest, [] | [b'/', ..]));
            Ok(Running { process, cgroup, holds_us })
        }
    }
}

/// The path of the innermost cgroup of a container in the path of a cgroup: a container may have cgroups below its own, and other
/// containers in these. Empty if there is none.
fn innermost(path: &[u8]) -> &[u8] {
    let (mut rest, mut length) = (path, 0);
    while let Some(name) = text::word(&mut rest, b'/') {
        if is_container(name) {
            // Without the slash that follows.
            length = path.len() - rest.len() - usize::from(!rest.is_empty());
        }
    }
    path.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn innermost_cgroup_of_a_container_is_found_by_its_name() {
        for (path, found) in [
            ("/a/nsinit-12-0", "/a/nsinit-12-0"),
            ("/a/nsinit-12-0/init.scope", "/a/nsinit-12-0"),
            ("/nsinit-12-0/nsinit-3-1/x/y", "/nsinit-12-0/nsinit-3-1"),
            ("/nsinit-12-0/nsinit-3-1-launcher", "/nsinit-12-0"),
            ("/../nsinit-12-0", "/../nsinit-12-0"),
            ("/nsinit-12-0-launcher", ""),
            ("/nsinit-12", ""),
            ("/nsinit-12-", ""),
            ("/nsinit--0", ""),
            ("/nsinit-a-0", ""),
            ("/my-nsinit-1-0", ""),
            ("/", ""),
            ("", ""),
        ] {
            assert_eq!(innermost(path.as_bytes()), found.as_bytes(), "{path}");
        }
    }
}
