//! The host name (sethostname(2)), that of a UTS namespace.

use rustix::fs::{AtFlags, statat};
use rustix::system::sethostname;

use crate::fs::procfs;
use crate::report::message::blame_hint;
use crate::say;
use crate::spec::Spec;
use crate::sys::{Done, Failure};
use crate::text::Say;

/// The verb of the steps that set it.
pub const SET: Say = say!("set host name");

/// Sets the host name of this process's UTS namespace.
///
/// # Errors
/// EPERM: CAP_SYS_ADMIN is missing in the user namespace that owns the UTS namespace.
pub fn set(spec: &Spec<'_>) -> Done {
    Ok(sethostname(spec.namespaces.hostname.unwrap_or_default().to_bytes())?)
}

/// As [`set`], without a container: only the first process of a machine may change the name of the machine.
///
/// # Errors
/// Reported. EPERM also: the UTS namespace is that of the machine, or it cannot be seen whose it is.
pub fn set_in_place(spec: &Spec<'_>) -> Done {
    let (done, hint) = if !spec.machine.is_whole && is_of_machine() {
        (
            Err(Failure::PERM),
            say!("it would be the machine's: --hostname needs an own UTS namespace, see --unshare-uts"),
        )
    } else {
        (set(spec), say!("this needs CAP_SYS_ADMIN: let the program that makes the container set the name"))
    };
    let hint = |why| if why == Failure::PERM { hint } else { Say::NOTHING };
    done.map_err(|why| blame_hint(SET, spec.namespaces.hostname.unwrap_or_default(), why, hint(why)))
}

/// Whether the UTS namespace of this process is the first one. True also if there is no /proc that shows it.
fn is_of_machine() -> bool {
    /// `PROC_UTS_INIT_INO`: the inode number of the first UTS namespace.
    const FIRST: u64 = 0xefff_fffe;
    let file = procfs::open().and_then(|proc| Ok(statat(proc, c"self/ns/uts", AtFlags::empty())?));
    !file.is_ok_and(|stat| stat.st_ino != FIRST)
}
