//! The cgroup of another process (cgroups(7)).

use rustix::fs::OFlags;

use crate::fs::procfs;
use crate::ns::target::{Target, line_after, read_whole};
use crate::sys::files::{self, Fd, HERE};
use crate::sys::{Failure, c_str};
use crate::text::{self, PATH, Text};

/// `CGROUP2_SUPER_MAGIC`.
const CGROUP2: u64 = 0x6367_7270;

/// The line of /proc/PID/cgroup for version 2 begins with this.
const VERSION_2: &[u8] = b"0::";

/// The file cgroup.procs of the target's cgroup of version 2, open for writing; `None` if nsinit is in that cgroup already. `old` is
/// set to whether the two are in different cgroups of version 1.
///
/// # Errors
/// EXDEV: the cgroup is outside of the tree that nsinit sees; ENOENT: no cgroup2 is mounted at /sys/fs/cgroup or
/// /sys/fs/cgroup/unified; EACCES: nsinit may not write to the file; [`Failure::OLD_CGROUP`]: the target is in another cgroup of
/// version 1, which is not joined, and in none of version 2.
pub fn of(target: Target, proc: Fd, old: &mut bool) -> Result<Option<Fd>, Failure> {
    let (mut its, mut own) = ([0u8; PATH], [0u8; PATH]);
    read_whole(target.directory, c"cgroup", &mut its)?;
    read_whole(proc, c"self/cgroup", &mut own)?;
    *old = differ_in_version_1(&its, &own);
    let (its, own) = (line_after(&its, VERSION_2), line_after(&own, VERSION_2));
    let Some(path) = its.filter(|_| its != own) else {
        return if *old { Err(Failure::OLD_CGROUP) } else { Ok(None) };
    };
    let path = text::after(path, b"/").ok_or(Failure::XDEV)?;
    if text::after(path, b"..").is_some() {
        return Err(Failure::XDEV);
    }
    for place in [c"/sys/fs/cgroup", c"/sys/fs/cgroup/unified"] {
        if let Ok(tree) = files::directory(HERE, place)
            && procfs::file_system(tree) == Ok(CGROUP2)
        {
            let mut file = Text::new();
            file.push(path).push(if path.is_empty() { b"" } else { b"/" }).push(b"cgroup.procs");
            return files::open(tree, file.c_str(), OFlags::WRONLY).map(Some);
        }
    }
    Err(Failure::NOENT)
}

/// Whether two lists of cgroups differ in a line of version 1.
fn differ_in_version_1(one: &[u8; PATH], other: &[u8; PATH]) -> bool {
    let (mut one, mut other) = (c_str(one).to_bytes(), c_str(other).to_bytes());
    while let (Some(its), Some(own)) = (text::word(&mut one, b'\n'), text::word(&mut other, b'\n')) {
        if its != own && text::after(its, VERSION_2).is_none() {
            return true;
        }
    }
    false
}
