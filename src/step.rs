//! A process's work as a list: one table a process, walked by one loop. The table gives the order, the words of
//! every message, `--explain`, and the fault tests.

use core::ffi::CStr;

use crate::fault::{Fault, push_printable, write_line};
use crate::spec::Spec;
use crate::text::{LINE, Text};

/// One thing that a process does. `S` is what the process remembers between its steps.
pub struct Step<S> {
    /// The verb, as in [`Fault::says`].
    pub says: &'static str,
    /// Its object, in the user's own word.
    pub on: for<'a> fn(&Spec<'a>) -> &'a CStr,
    /// Whether it is done at all.
    pub when: fn(&Spec<'_>) -> bool,
    pub run: for<'a> fn(&Spec<'a>, &mut S) -> Result<(), Fault<'a>>,
}

/// Does the steps in order, up to the first that fails.
///
/// # Errors
/// That step's fault, with the step's words where the step had none of its own.
pub fn walk<'a, S>(steps: &[Step<S>], spec: &Spec<'a>, state: &mut S) -> Result<(), Fault<'a>> {
    for step in steps {
        if !(step.when)(spec) {
            continue;
        }
        (step.run)(spec, state).map_err(|fault| {
            if fault.says.is_empty() { Fault { says: step.says, on: (step.on)(spec), ..fault } } else { fault }
        })?;
    }
    Ok(())
}

/// Prints what [`walk`] would do, a line each.
pub fn explain<S>(steps: &[Step<S>], spec: &Spec<'_>) {
    for step in steps {
        if (step.when)(spec) {
            explain_line(step.says, (step.on)(spec));
        }
    }
}

/// One line of `--explain`.
pub fn explain_line(says: &str, on: &CStr) {
    let mut line = Text::<LINE>::new();
    line.push(b"  ").push(says.as_bytes());
    if !on.is_empty() {
        push_printable(line.push(b" "), on.to_bytes());
    }
    write_line(1, &mut line);
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
