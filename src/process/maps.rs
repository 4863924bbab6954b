//! The id maps of a new user namespace: the launcher writes them, and process 1 becomes a user of them.

use linux_raw_sys::general as raw;

#[cfg(feature = "ids")]
use crate::ns::credentials;
#[cfg(feature = "ids")]
use crate::ns::ranges::{self, explain_ranges};
use crate::ns::usermap;
#[cfg(feature = "ids")]
use crate::process::connect;
#[cfg(feature = "ids")]
use crate::report::message::failed;
use crate::spec::Spec;
use crate::state::{Launch, Launcher};
use crate::step::{self, Ask, walk};
use crate::sys::Done;
#[cfg(feature = "ids")]
use crate::sys::{self, PR_SET_DUMPABLE};
use crate::text::verb;

type Step = step::Step<Launcher>;

/// Process 1 waits meanwhile. A failure ends it.
static STEPS: &[Step] = &[
    Step::new(verb::WRITE_SETGROUPS, |launcher| usermap::deny_setgroups(launcher.directory.get()?))
        .when(|spec| writes_maps(spec) && spec.denies_setgroups())
        .ask(Ask::Map),
    Step::new(verb::WRITE_UID_MAP, |launcher| {
        let Launch { spec, caller, .. } = &launcher.launch;
        usermap::write_map(launcher.directory.get()?, c"uid_map", spec, spec.ids.uid, caller.uid)
    })
    .when(|spec| writes_maps(spec) && !spec.maps_ranges())
    .ask(Ask::Map),
    Step::new(verb::WRITE_GID_MAP, |launcher| {
        let Launch { spec, caller, .. } = &launcher.launch;
        usermap::write_map(launcher.directory.get()?, c"gid_map", spec, spec.ids.gid, caller.gid)
    })
    .when(|spec| writes_maps(spec) && !spec.maps_ranges())
    .ask(Ask::Map),
    #[cfg(feature = "ids")]
    Step::new(verb::WRITE_UID_MAP, |launcher| write_ranges(launcher, &ranges::USERS))
        .when(|spec| spec.maps_ranges())
        .ask(Ask::Map),
    #[cfg(feature = "ids")]
    Step::new(verb::WRITE_GID_MAP, |launcher| write_ranges(launcher, &ranges::GROUPS))
        .when(|spec| spec.maps_ranges())
        .ask(Ask::Map),
];

/// Writes the maps, unless another process does so.
///
/// # Errors
/// The first step that failed, reported.
pub fn write(launcher: &mut Launcher) -> Done {
    walk(STEPS, launcher)?;
    let Launch { spec, .. } = &launcher.launch;
    if launcher.launch.explains() && spec.maps_ranges() {
        explain_ranges(spec);
    }
    Ok(())
}

fn writes_maps(spec: &Spec<'_>) -> bool {
    spec.unshares(raw::CLONE_NEWUSER) && spec.channels.maps.is_none()
}

/// No option of this build asks for it.
#[cfg(not(feature = "ids"))]
const fn explain_ranges(_: &Spec<'_>) {}

#[cfg(feature = "ids")]
fn write_ranges(launcher: &Launcher, map: &ranges::Map) -> Done {
    map.write(&launcher.launch, launcher.directory.get()?, launcher.outside.container.get()?)
}

/// Process 1 takes ids that are mapped.
///
/// # Errors
/// The errno of a seccomp filter of the caller's: the ids are mapped.
#[cfg(feature = "ids")]
pub fn become_mapped(launch: &mut Launch) -> Done {
    let spec = &launch.spec;
    (launch.caller.uid, launch.caller.gid) = credentials::become_mapped(spec)?;
    // A change of credentials resets PR_SET_DUMPABLE to fs.suid_dumpable, and clears PR_SET_PDEATHSIG (prctl(2)).
    sys::prctl(PR_SET_DUMPABLE, (!spec.hides()).into())?;
    if spec.life.die_together {
        connect::die_with_launcher(spec)?;
        // The launcher may have ended meanwhile.
        if launch.go.get()?.is_ended()? {
            sys::exit(failed());
        }
    }
    Ok(())
}
