//! The filter of system calls that every container has: `calls` has the calls that it refuses, and `program` makes the
//! program for the kernel from them.

mod calls;
mod class;
mod program;
mod tables;
#[cfg(test)]
mod tests;

use crate::report::hint::Cause;
use crate::report::message::blame_hint;
use crate::say;
use crate::spec::Spec;
use crate::state::Process;
use crate::step::Step;
use crate::sys::{self, Done};
use crate::text::Say;

/// The step that installs it, as the last one before the command is executed.
#[must_use]
pub const fn install_last<P: Process>() -> Step<P> {
    Step::new(INSTALL, |process: &mut P| install(&process.launch().spec))
        .when(|spec| spec.confine.filtered && spec.confine.no_new_privs)
}

/// The same step for --allow-new-privs, while there is still CAP_SYS_ADMIN: the kernel wants that or no_new_privs (seccomp(2)).
#[must_use]
pub const fn install_early<P: Process>() -> Step<P> {
    Step::new(INSTALL, |process: &mut P| install(&process.launch().spec))
        .when(|spec| spec.confine.filtered && !spec.confine.no_new_privs)
}

const INSTALL: Say = say!("install the built-in filter of system calls");

fn install(spec: &Spec<'_>) -> Done {
    let program = program::Program::new(spec, tables::TABLES);
    sys::add_filter(program.bytes()).map_err(|why| blame_hint(INSTALL, c"", why, Cause::NoFilter.hint()))
}
