//! Why limits and settings of the kernel are refused.

use crate::spec::Limited;
use crate::sys::{self, Failure};

use super::{Cause, of_call};

/// Why a limit of CMD cannot be set.
#[must_use]
pub fn of_limit(what: &Limited<'_>, why: Failure) -> Cause {
    let is_above = |resource, hard| sys::limit_of(resource).is_ok_and(|[_, most]| hard > most);
    match (what, why) {
        (Limited::Resource(resource, [_, hard]), Failure::PERM) if is_above(*resource, *hard) => Cause::HardLimit,
        (Limited::Nice(_) | Limited::OomScore, Failure::ACCESS) => Cause::RootRaises,
        (Limited::Processors(_), Failure::INVAL) => Cause::NoSuchProcessor,
        (Limited::Memory, Failure::INVAL) => Cause::NoMdwe,
        _ => of_call(why),
    }
}

/// Why a setting cannot be written.
#[must_use]
pub fn of_sysctl(why: Failure) -> Cause {
    match why {
        Failure::NOENT => Cause::NoSuchSetting,
        Failure::ROFS => Cause::ReadOnlySettings,
        Failure::ACCESS => Cause::RootSets,
        _ => of_call(why),
    }
}
