//! One launch from its beginning to its end: the launcher's steps, the supervision, the teardown.

#[cfg(feature = "explain")]
mod explain;
#[cfg(feature = "boot")]
mod machine;
#[cfg(feature = "services")]
mod services;
#[cfg(all(feature = "boot", not(feature = "services")))]
mod services {
    use rustix::process::Pid;

    use crate::state::Launch;
    use crate::supervise::services::Service;
    use crate::sys::Failure;

    /// There are none in this build.
    pub const fn start(_: &Service, _: &Launch) -> Result<Pid, Failure> {
        Err(Failure::NOSYS)
    }
}

use core::ffi::CStr;

use crate::confine::self_exe;
use crate::process::init::Init;
#[cfg(feature = "keeper")]
use crate::process::keeper;
use crate::process::launcher;
use crate::process::monitor::Supervisor;
use crate::process::pause;
use crate::report::message::give_up;
use crate::spec::{Mode, Spec, rooms};
use crate::state::{Launcher, Outcome, Supervision, descriptors};
use crate::supervise::teardown::{self, Ended};
use crate::sys::{self, Done, Start};

#[cfg(feature = "stats")]
pub use crate::cgroup::{freeze_or_thaw, print_stats};
#[cfg(feature = "enter")]
pub use crate::ns::{list::print as print_containers, stop::run as stop_container};
#[cfg(feature = "probe")]
pub use crate::probe::print_answers;
#[cfg(feature = "explain")]
pub use explain::print_steps;
#[cfg(feature = "boot")]
pub use machine::{What, run as run_machine};

/// Runs the command in a container, a new one or one that exists, or in place. Returns the exit status, after the message if
/// there is one.
#[must_use]
pub fn run(spec: &Spec<'static>, start: &'static Start) -> i32 {
    if rooms::CONTAINER {
        sys::remember(start);
    }
    if spec.has_keeper() {
        return keep(spec, start);
    }
    launch(Launcher::new(spec, start))
}

/// Runs the command, with a keeper above the launcher. Returns the exit status.
#[cfg(feature = "keeper")]
fn keep(spec: &Spec<'static>, start: &'static Start) -> i32 {
    keeper::keep(spec, start, &launch)
}

/// No option of this build asks for it.
#[cfg(not(feature = "keeper"))]
const fn keep(_: &Spec<'static>, _: &'static Start) -> i32 {
    0
}

fn launch(mut launcher: Launcher) -> i32 {
    let done = launcher::plan(&mut launcher);
    let Launcher { ref launch, ref outside, ref relay, command, ended_by, .. } = launcher;
    let spec = &launch.spec;
    let mut supervision = Supervision { launch: *launch, outside: *outside, tree: None };
    match (done, command, outside.container.known()) {
        (Ok(()), Some(command), _) => Init::new(spec, &mut supervision, relay, command, &|| {}).forever(),
        (Ok(()), None, Some(container)) if rooms::CONTAINER => {
            Supervisor::new(spec, &mut supervision, relay, container).forever()
        }
        (done, _, _) => teardown::abandon(Ended::new(launch, outside, None, Outcome::NONE), done, ended_by),
    }
}

/// The first action for a container: nsinit leaves its own file if the owner of the container could write to it; or, with
/// `inside`, leaves that to process 1, if possible. Returns, or executes nsinit again as a copy.
///
/// # Errors
/// Reported. ENOENT: there is no /proc; others: the copy cannot be made or executed.
pub fn leave_file(command: &CStr, inside: bool, start: &Start) -> Done {
    if inside && self_exe::leave_later(command, start) {
        return Ok(());
    }
    descriptors::occupy_standard()?;
    self_exe::enter(command, start)?;
    // The descriptors that the user names must be open as the caller left them.
    sys::close_ours(&[], &[]);
    Ok(())
}

/// No option of this build asks for it.
#[cfg(not(feature = "explain"))]
pub const fn print_steps(_: &Spec<'static>, _: &'static Start) {}

/// No option of this build asks for it.
#[cfg(not(feature = "stats"))]
#[must_use]
pub const fn freeze_or_thaw(_: &Spec<'_>, _: bool) -> i32 {
    0
}

/// No option of this build asks for it.
#[cfg(not(feature = "stats"))]
#[must_use]
pub const fn print_stats(_: &Spec<'_>, _: bool) -> i32 {
    0
}

/// No option of this build asks for it.
#[cfg(not(feature = "enter"))]
#[must_use]
pub const fn print_containers() -> i32 {
    0
}

/// No option of this build asks for it.
#[cfg(not(feature = "enter"))]
#[must_use]
pub const fn stop_container(_: &Spec<'_>) -> i32 {
    0
}

/// Nothing can be probed in this build.
#[cfg(not(feature = "probe"))]
pub const fn print_answers(_: bool, _: &mut Spec<'static>, _: &'static Start) -> i32 {
    0
}

/// Only reaps, until SIGINT or SIGTERM. Returns the exit status.
#[must_use]
pub fn pause(start: &'static Start) -> i32 {
    match launcher::prepare(&mut Launcher::new(&Spec { mode: Mode::Init, ..Spec::PRESET }, start)) {
        Ok(()) => pause::forever(),
        Err(why) => give_up(why),
    }
}
