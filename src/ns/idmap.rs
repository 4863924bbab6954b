//! A user namespace for mounts that are shown through its maps (mount_setattr(2), MOUNT_ATTR_IDMAP). It has the maps of the container's,
//! which does not exist yet.

use rustix::fs::OFlags;
use rustix::pipe::PipeFlags;

use linux_raw_sys::general::CLONE_NEWUSER;

use crate::fs::procfs;
use crate::ns::ranges;
use crate::report::hint;
use crate::report::message::blame_hint;
use crate::say;
use crate::state::{Launch, Pipe};
use crate::sys::files::{self, Fd, read};
use crate::sys::{self, Failure, Fork};

/// Makes the user namespace, in a child that has ended when this returns.
///
/// # Errors
/// Reported, if the child cannot be made. EPERM: an id outside is not mapped in nsinit's own user namespace; others: see
/// [`ranges::Map::write`].
pub fn users(launch: &Launch) -> Result<Fd, Failure> {
    let pipe = Pipe::new(PipeFlags::empty())?;
    let made = sys::clone_old(CLONE_NEWUSER).map_err(|why| {
        blame_hint(say!("make a user namespace"), c"", why, hint::of_namespaces(&launch.spec, false, why).hint())
    });
    let child = match made? {
        Fork::Child => {
            sys::close(pipe.write);
            // Nothing is written: it waits until the launcher closes its end, or has ended.
            let _ = read(pipe.read, &mut [0u8]);
            sys::exit(0)
        }
        Fork::Parent(child) => child,
    };
    let users = procfs::open().and_then(|proc| procfs::process(proc, child)).and_then(|process| {
        ranges::USERS.write(launch, process, child)?;
        ranges::GROUPS.write(launch, process, child)?;
        files::open(process, c"ns/user", OFlags::RDONLY)
    });
    [pipe.read, pipe.write].into_iter().for_each(sys::close);
    sys::wait_end(child.as_raw_nonzero().get()).and(users)
}
