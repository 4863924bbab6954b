//! Settings of the kernel that belong to the new namespaces (sysctl(8)).

use rustix::fs::OFlags;
use rustix::system::{setdomainname, sethostname};

use crate::fs::procfs;
use crate::report::hint;
use crate::report::message::blame_hint;
use crate::say;
use crate::spec::{DOMAINNAME, HOSTNAME, Sysctl};
use crate::state::Process;
use crate::step::Step;
use crate::sys::files::{Fd, write};
use crate::sys::{self, Done, Failure};
use crate::text::{Say, Text};

/// The step of process 1, when it has all its namespaces and all its rights in them.
#[must_use]
pub const fn write_all<P: Process>() -> Step<P> {
    Step::new(SET, |process: &mut P| {
        let launch = process.launch();
        let proc = launch.proc.get()?;
        launch.spec.namespaces.sysctls.iter().try_for_each(|sysctl| {
            set(proc, *sysctl).map_err(|why| blame_hint(SET, sysctl.0, why, hint::of_sysctl(why).hint()))
        })
    })
    .when(|spec| !spec.namespaces.sysctls.is_empty())
}

const SET: Say = say!("set --sysctl");

/// The kernel finds the setting of the namespace that this process is in, through any procfs: this is the caller's, and no path of
/// the container is followed.
fn set(proc: Fd, sysctl: Sysctl<'_>) -> Done {
    let (mut path, value) = (Text::new(), sysctl.value().to_bytes());
    sysctl.push_path(&mut path);
    // Only root of the machine may write to these two files, but their calls need no more than a UTS namespace.
    match path.bytes() {
        HOSTNAME => return Ok(sethostname(value)?),
        DOMAINNAME => return Ok(setdomainname(value)?),
        _ => {}
    }
    // No part of the name leads up, and the kernel makes no links in there.
    let file = procfs::open_file(proc, path.c_str(), OFlags::WRONLY)?;
    let written = write(file, value)?;
    sys::close(file);
    if written as usize == value.len() { Ok(()) } else { Err(Failure::INVAL) }
}
