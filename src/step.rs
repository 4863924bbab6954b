//! A process's work as a list: one table a process, walked by one loop. The table gives the order, the words of
//! every message, `--explain`, and the fault tests.

use core::ffi::CStr;

use crate::fault::{blame, push_object, write_line};
use crate::spec::Spec;
use crate::state::State;
use crate::sys::{Done, Standard};
use crate::text::Text;
use crate::texts::Say;

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

/// Does the steps in order, up to the first that fails.
///
/// # Errors
/// [`crate::sys::Failure::REPORTED`]: the line is out.
pub fn walk(steps: &[Step], spec: &Spec<'_>, state: &mut State) -> Done {
    for step in steps {
        if (step.when)(spec) {
            (step.run)(spec, state).map_err(|why| blame(step.says, (step.on)(spec), why))?;
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
