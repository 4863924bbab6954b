//! One launch from its beginning to its end: the launcher's steps, the supervision, the teardown.

mod machine;

use core::ffi::CStr;

use crate::confine::self_exe;
use crate::process::init::Init;
use crate::process::launcher;
use crate::process::machine as boot;
use crate::process::monitor::Supervisor;
use crate::process::{command, container_setup, enter, pause};
use crate::report::message::give_up;
use crate::say;
use crate::spec::{Mode, Spec};
use crate::state::{Command, Helper, Launch, Launcher, Outcome, Outside, Setup, Supervision, Target, descriptors};
use crate::step::explain_title;
use crate::supervise::teardown::{self, Ended};
use crate::sys::{self, Done, Start};

pub use machine::run as run_machine;

/// Runs the command in a container, a new one or one that exists, or in place. Returns the exit status, after the message if
/// there is one.
#[must_use]
pub fn run(spec: &Spec<'static>, start: &'static Start) -> i32 {
    let mut launcher = Launcher::new(spec, start);
    let done = launcher::plan(&mut launcher);
    let Launcher { launch, outside, relay, command, ended_by, .. } = launcher;
    let spec = launch.spec;
    let mut supervision = Supervision { launch, outside, tree: None };
    match (done, command, outside.container.known()) {
        (Ok(()), Some(command), _) => {
            Init::new(&spec, &mut supervision, &relay, command, &|| sys::give_back(start)).forever()
        }
        (Ok(()), None, Some(container)) => Supervisor::new(&spec, &mut supervision, &relay, container).forever(),
        (done, _, _) => {
            let Supervision { launch, outside, .. } = &supervision;
            teardown::abandon(Ended::new(launch, outside, None, Outcome::NONE), done, ended_by)
        }
    }
}

/// The first action for a container: nsinit leaves its own file if the owner of the container could write to it. Returns, or
/// executes nsinit again as a copy.
///
/// # Errors
/// Reported. ENOENT: there is no /proc; others: the copy cannot be made or executed.
pub fn leave_file(command: &CStr, start: &Start) -> Done {
    descriptors::occupy_standard()?;
    self_exe::enter(command, start)?;
    // The descriptors that the user names must be open as the caller left them.
    sys::close_ours(&[], &[]);
    Ok(())
}

/// Only reaps, until SIGINT or SIGTERM. Returns the exit status.
#[must_use]
pub fn pause(start: &'static Start) -> i32 {
    match launcher::prepare(&mut Launcher::new(&Spec { mode: Mode::Init, ..Spec::PRESET }, start)) {
        Ok(()) => pause::forever(),
        Err(why) => give_up(why),
    }
}

/// Prints the steps by process, in order, and runs nothing.
pub fn explain(spec: &Spec<'static>, start: &'static Start) {
    let mut launcher = Launcher::new(spec, start);
    launcher.launch.explains = true;
    let launch = launcher.launch;
    // A walk that only prints does not fail.
    let _ = explain_all(&mut launcher, &launch);
}

fn explain_all(launcher: &mut Launcher, launch: &Launch) -> Done {
    let mut own = *launch;
    let spec = &launch.spec;
    if spec.machine.boots {
        explain_title(say!("process 1:"));
        boot::prepare(&mut own)?;
        boot::plan(&mut own)?;
        if spec.machine.switch_root.is_some() {
            return Ok(());
        }
    }
    let container = spec.makes_container();
    explain_title(if container { say!("launcher:") } else { say!("nsinit:") });
    launcher::plan(launcher)?;
    if container {
        explain_title(say!("process 1:"));
        container_setup::plan(&mut Setup::new(launch))?;
    }
    if spec.mode == Mode::Enter {
        explain_title(say!("helper of nsinit:"));
        enter::plan(&mut Helper { launch: *launch, target: Target::NONE })?;
    }
    explain_title(match (container, spec.supervises()) {
        (true, true) => say!("CMD, a child of process 1:"),
        (true, false) => say!("process 1, as CMD:"),
        (false, _) => say!("CMD, a child of nsinit:"),
    });
    command::plan(&mut Command::new(launch))?;
    if teardown::is_needed(spec) {
        explain_title(if container { say!("launcher, at the end:") } else { say!("nsinit, at the end:") });
    }
    teardown::plan(&mut Ended::new(launch, &Outside::NOTHING, None, Outcome::NONE))
}
