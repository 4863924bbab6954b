//! From the rights of nsinit (process 1, or the helper of `--enter`, or the parent of a command in place) to those of the command.
//!
//! The command gives them up itself, before it is executed; but not with `--enter`. There it would be visible inside while it has
//! more rights than the processes there, and with CAP_SYS_PTRACE these can read the memory of every process of their user
//! namespace, PR_SET_DUMPABLE or not. So the helper, which is not visible inside, does it before it clones the command.

use crate::confine::caps;
#[cfg(feature = "container")]
use crate::confine::filter;
use crate::ns::credentials;
use crate::report::hint::{self, Cause};
use crate::report::message::blame_hint;
use crate::say;
use crate::spec::Spec;
use crate::state::Launch;
use crate::step;
use crate::sys::Failure;
use crate::text::Say;

type Step = step::Step<Launch>;

const BOUND: Say = say!("reduce the bounding set");
const LIMIT: Say = say!("reduce capabilities");

pub static STEPS: &[Step] = &[
    Step::new(BOUND, |Launch { spec, .. }| {
        caps::bound(spec).map_err(|why| refused(spec, BOUND, why, Cause::NeedsSetpcapToDrop))
    })
    .when(|spec| spec.sets_capabilities()),
    #[cfg(feature = "container")]
    filter::install_early(),
    Step::new(say!("keep capabilities --cap-add"), |_| caps::keep_over_setuid())
        .when(|spec| spec.sets_ids() && (spec.confine.capabilities.ambient != 0 || spec.confine.securebits.is_some())),
    Step::new(say!("become user and group"), |launch| credentials::become_command(&launch.spec, &launch.caller))
        .when(|spec| spec.sets_ids()),
    #[cfg(feature = "limits")]
    Step::new(caps::SECURE, |launch| caps::secure(&launch.spec)).when(|spec| spec.confine.securebits.is_some()),
    Step::new(LIMIT, |Launch { spec, .. }| caps::limit(spec).map_err(|why| refused(spec, LIMIT, why, Cause::NotHeld)))
        .when(|spec| spec.sets_capabilities()),
];

/// Reports why the capabilities could not be changed. Process 1 of a container has all that it needs; without a container, nsinit has
/// what the caller has.
fn refused(spec: &Spec<'_>, says: Say, why: Failure, lacks: Cause) -> Failure {
    let cause = if why == Failure::PERM && !spec.contained() { lacks } else { hint::of_call(why) };
    blame_hint(says, c"", why, cause.hint())
}
