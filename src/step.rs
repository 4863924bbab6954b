//! A process's work as a list: one table a process, walked by one loop. The table gives the order, the words of
//! every message, `--explain`, and the fault tests.

use core::ffi::CStr;

use linux_raw_sys::prctl::PR_SET_DUMPABLE;
use rustix::process::{Pid, getpid};

use crate::report::hint;
use crate::report::message::{blame_hint, push_object, write_line};
use crate::say;
use crate::spec::Spec;
use crate::state::State;
use crate::sys::{self, Done, Set, Signal, Standard};
use crate::text::Say;
use crate::text::Text;

/// One thing that a process does.
pub struct Step {
    /// The verb, with the preposition that leads to the object: `mount proc on`.
    pub says: Say,
    /// Its object, in the user's own word.
    pub on: for<'a> fn(&Spec<'a>) -> &'a CStr,
    /// Whether it is done at all.
    pub when: fn(&Spec<'_>) -> bool,
    pub run: fn(&Spec<'_>, &mut State) -> Done,
}

/// While SIGCHLD is ignored no child leaves a status.
pub const STOP_IGNORING_CHILDREN: Step = Step {
    says: say!("stop ignoring SIGCHLD"),
    on: nothing,
    when: always,
    run: |_, state| {
        state.caller.child_ignored = sys::set_ignored(Signal::CHLD, false)?;
        Ok(())
    },
};

/// They are taken one by one then. The caller's mask is CMD's.
pub const BLOCK_SIGNALS: Step = Step {
    says: say!("block all signals"),
    on: nothing,
    when: always,
    run: |_, state| {
        state.caller.mask = sys::set_mask(Set::ALL)?;
        Ok(())
    },
};

/// `body`, which changes nothing, while a signal that asks us to end does so by itself: what waits for a file system that does
/// not answer ends for nothing else. To process 1 such a signal would be lost (pid_namespaces(7)).
pub fn mortal<T>(body: impl FnOnce() -> T) -> T {
    let mortal = getpid() != Pid::INIT && sys::set_mask(MORTAL).is_ok();
    let result = body();
    if mortal {
        let _ = sys::set_mask(Set::ALL);
    }
    result
}

const MORTAL: Set = Set::ALL.without(Signal::HUP).without(Signal::INT).without(Signal::QUIT).without(Signal::TERM);

/// Modes are then what they are said to be; the caller's mask is CMD's.
pub const CLEAR_UMASK: Step = Step {
    says: say!("clear the umask"),
    on: nothing,
    when: always,
    run: |_, state| sys::umask(0).map(|umask| state.caller.umask = umask),
};

/// Nobody traces us or looks into us, as long as rights and descriptors are not CMD's (prctl(2), PR_SET_DUMPABLE). A change
/// of rights undoes it.
#[must_use]
pub const fn untraceable(when: fn(&Spec<'_>) -> bool) -> Step {
    Step { says: say!("become untraceable"), on: nothing, when, run: |_, _| sys::prctl(PR_SET_DUMPABLE, 0) }
}

/// Does the steps in order, up to the first that fails.
///
/// # Errors
/// [`crate::sys::Failure::REPORTED`]: the line is out.
pub fn walk(steps: &[Step], spec: &Spec<'_>, state: &mut State) -> Done {
    for step in steps {
        if (step.when)(spec) {
            (step.run)(spec, state)
                .map_err(|why| blame_hint(step.says, (step.on)(spec), why, hint::of_call(why).hint()))?;
        }
    }
    Ok(())
}

/// Prints what [`walk`] would do, a line each.
pub fn explain(steps: &[Step], spec: &Spec<'_>) {
    for step in steps {
        if (step.when)(spec) {
            explain_line(step.says, (step.on)(spec));
        }
    }
}

/// One line of `--explain`.
pub fn explain_line(says: Say, on: &CStr) {
    let mut line = Text::new();
    push_object(line.push(b"  ").say(says), on);
    write_line(Standard::Output, &mut line);
}

/// For steps without an object.
#[must_use]
pub fn nothing<'a>(_: &Spec<'a>) -> &'a CStr {
    c""
}

/// For steps that are always done.
#[must_use]
pub fn always(_: &Spec<'_>) -> bool {
    true
}

/// For steps that only a container needs.
#[must_use]
pub fn contained(spec: &Spec<'_>) -> bool {
    spec.contained()
}
