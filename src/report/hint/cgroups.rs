//! Why cgroups and their limits are refused.

use crate::spec::Spec;
use crate::sys::Failure;
use crate::text;

use super::facts::first_of;
use super::{Cause, of_call, of_look};

/// Why no cgroup can be made.
#[must_use]
pub fn of_cgroup(spec: &Spec<'_>, why: Failure) -> Cause {
    match why {
        Failure::NOENT if spec.cgroup.parent.is_some() => Cause::NoSuchCgroup,
        Failure::NOENT if is_in_version_1(b"") => Cause::OnlyVersion1,
        Failure::NOENT => Cause::NoCgroups,
        Failure::AGAIN => Cause::CgroupLimit,
        _ => of_access(why),
    }
}

/// Why the container's cgroup cannot be delegated.
#[must_use]
pub fn of_delegation(why: Failure) -> Cause {
    match why {
        Failure::PERM => Cause::NotOwnRoot,
        _ => of_access(why),
    }
}

/// Why a cgroup of version 1 cannot be joined.
#[must_use]
pub fn of_old_cgroup(why: Failure) -> Cause {
    match why {
        Failure::NOENT => Cause::NoSuchOldCgroup,
        Failure::ACCESS | Failure::PERM => Cause::OthersOldCgroup,
        Failure::NOSPC => Cause::EmptyCpuset,
        _ => of_call(why),
    }
}

/// Why a controller cannot be enabled.
#[must_use]
pub fn of_controller(controller: &[u8], why: Failure) -> Cause {
    match why {
        Failure::NOENT | Failure::INVAL if is_in_version_1(controller) => Cause::ControllerInVersion1,
        Failure::NOENT | Failure::INVAL => Cause::NoController,
        _ => of_access(why),
    }
}

/// Why a limit cannot be written.
#[must_use]
pub fn of_setting(why: Failure) -> Cause {
    match why {
        Failure::NOENT => Cause::NoSuchLimit,
        Failure::INVAL | Failure::RANGE => Cause::NoSuchValue,
        Failure::NODEV => Cause::NoWholeDisk,
        _ => of_call(why),
    }
}

/// Why nothing can be done with the cgroup of a running container.
#[must_use]
pub fn of_running(spec: &Spec<'_>, why: Failure) -> Cause {
    match why {
        Failure::NO_OWN_CGROUP => Cause::NoOwnCgroup,
        Failure::ROFS => Cause::ReadOnlyCgroups,
        _ => of_look(spec, why),
    }
}

fn of_access(why: Failure) -> Cause {
    match why {
        Failure::ACCESS | Failure::PERM => Cause::NotDelegated,
        Failure::ROFS => Cause::ReadOnlyCgroups,
        Failure::BUSY | Failure::OPNOTSUPP => Cause::InternalProcesses,
        _ => of_call(why),
    }
}

/// Whether a hierarchy of version 1 has the controller, or, if it is empty, whether there is one: a line `ID:CONTROLLERS:PATH` in the
/// list of our cgroups.
fn is_in_version_1(controller: &[u8]) -> bool {
    let controller = if controller == b"io" { b"blkio" } else { controller };
    let mut list = [0u8; 2048];
    let mut rest = first_of(c"/proc/self/cgroup", &mut list);
    while let Some(mut line) = text::word(&mut rest, b'\n') {
        let _ = text::word(&mut line, b':');
        let mut names = text::word(&mut line, b':').unwrap_or_default();
        while let Some(name) = text::word(&mut names, b',') {
            if name == controller || controller.is_empty() {
                return true;
            }
        }
    }
    false
}
