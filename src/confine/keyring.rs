//! The session keyring (keyrings(7)): the container must not have the keys of the caller's session (runc issue 453).

use crate::report::hint;
use crate::report::message::blame_hint;
use crate::say;
use crate::state::Process;
use crate::step::Step;
use crate::sys::{self, Done, Failure, Time};
use crate::text::Say;

/// The number of attempts to get a new keyring, one every 10 ms. An ordinary user may have 200 keys (kernel.keys.maxkeys), and keys
/// that were just released count until an RCU grace period is over.
const TRIES: usize = 200;

/// Leaves the caller's session keyring for an empty one.
#[must_use]
pub const fn leave_session<P: Process>() -> Step<P> {
    Step::new(JOIN, |_| leave()).when(|spec| spec.has_preset() && !spec.confine.keep_keyring)
}

const JOIN: Say = say!("join a new session keyring");

fn leave() -> Done {
    let mut answer = sys::join_new_keyring();
    for _ in 0..TRIES {
        if answer != Err(Failure::DQUOT) {
            break;
        }
        sys::pause(Time::SHORT);
        answer = sys::join_new_keyring();
    }
    match answer {
        // The kernel has no keys, or a seccomp filter around nsinit keeps them from CMD too.
        Err(Failure::NOSYS) => Ok(()),
        Err(_) if sys::has_no_keys() => Ok(()),
        Err(why) => Err(blame_hint(JOIN, c"", why, hint::of_keyring(why).hint())),
        Ok(()) => Ok(()),
    }
}
