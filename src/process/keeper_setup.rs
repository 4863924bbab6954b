//! PROCESS: the keeper, until it starts the first launcher; and each launcher, until it begins.
//!
//! - Namespaces, rights: the caller's.
//! - Signals: the caller's mask, and from the step that says so all blocked.
//! - Everything may fail: one line, status 125.
//! - Next: [`super::keeper`].

use rustix::pipe::PipeFlags;
use rustix::process::Pid;

use crate::channels::{notify, pid_file};
use crate::process::connect::{self, SHOW_NAME};
use crate::process::logger;
use crate::report::message::{blame, failed};
use crate::say;
use crate::spec::{Channels, Object, Spec};
use crate::state::{Launcher, Pipe, descriptors};
use crate::step::{self, OnError, block_signals, stop_ignoring_children, walk};
use crate::supervise::descendants;
use crate::sys::files::Fd;
use crate::sys::{self, Done, Failure, PR_SET_PDEATHSIG, Signal, Standard};

type Step = step::Step<Launcher>;

/// The steps before the first launcher.
static STEPS: &[Step] = &[
    Step::new(say!("keep the descriptors of"), |keeper| descriptors::check(keeper.launch.spec.exec.keep_fds))
        .on(Object::KeepFd)
        .when(|spec| !spec.exec.keep_fds.is_empty()),
    Step::new(say!("occupy closed standard descriptors"), |_| descriptors::occupy_standard()),
    Step::new(say!("refuse a directory as a standard descriptor"), |_| descriptors::refuse_directories())
        .when(|spec| spec.has_preset()),
    Step::new(connect::BACKGROUND, connect::detach).when(|spec| spec.detaches()),
    stop_ignoring_children(),
    block_signals(),
    Step::new(say!("create pid file"), |keeper| {
        keeper.outside.pid_file = Some(pid_file::make(&keeper.launch.spec)?);
        Ok(())
    })
    .on(Object::PidFile)
    .when(|spec| spec.channels.pid_file.is_some()),
    Step::new(say!("connect to NOTIFY_SOCKET"), |keeper| {
        keeper.service = Some(notify::connect(keeper.launch.spec.keeper.notify.unwrap_or_default())?);
        Ok(())
    })
    .on(Object::NotifySocket)
    .when(|spec| spec.keeper.notify.is_some()),
    Step::new(say!("open the log"), |keeper| {
        keeper.log = Some(logger::open(&keeper.launch.spec)?);
        Ok(())
    })
    .on(Object::Log)
    .when(|spec| spec.keeper.log.is_some()),
    // The logger has it too.
    SHOW_NAME,
    Step::new(say!("start a process that writes the log"), |keeper| {
        let pipe = Pipe::new(PipeFlags::empty())?;
        keeper.output = Some(pipe);
        logger::start(keeper)
    })
    .when(|spec| spec.keeper.log.is_some()),
    // Without this, a start after the end of a launcher that was killed does not wait for the end of its container.
    Step::new(say!("become the reaper of process 1"), |_| descendants::become_subreaper())
        .when(|spec| spec.is_reaped_by_keeper())
        .on_error(OnError::Ignore),
    Step::new(say!("die with the caller"), |keeper| {
        let signal = keeper.launch.spec.life.die_with_parent.unwrap_or(Signal::TERM);
        sys::prctl(PR_SET_PDEATHSIG, signal.number().unsigned_abs())
    })
    .when(|spec| spec.life.die_with_parent.is_some() || spec.detaches()),
];

/// All steps of the keeper, in their order.
///
/// # Errors
/// The first step that failed, reported.
pub fn plan(keeper: &mut Launcher) -> Done {
    let spec = &mut keeper.launch.spec;
    // Its pid file is its own.
    spec.channels = Channels { pid_file: spec.keeper.pid_file, ..spec.channels };
    walk(STEPS, keeper)
}

/// In the child: the state of the launcher, with the settings that the keeper `own`, a process of that number, has from the caller. `begun`
/// learns whether CMD was executed, and `listener` gets what CMD tells the service manager.
///
/// # Errors
/// Reported: the launcher cannot be made to end with the keeper, or CMD's output cannot be led to the log.
pub fn launcher(
    spec: &Spec<'static>,
    own: &Launcher,
    keeper: Pid,
    begun: Fd,
    listener: Option<Fd>,
) -> Result<Launcher, Failure> {
    sys::set_name(c"nsinit");
    let follow = || {
        sys::prctl(PR_SET_PDEATHSIG, Signal::KILL.number().cast_unsigned())?;
        if !sys::is_child_of(Some(keeper))? {
            sys::exit(failed());
        }
        // The signals stay blocked: the keeper forwards some from now on, and the launcher is not to die of them.
        sys::set_ignored(Signal::CHLD, own.launch.caller.child_ignored)
    };
    follow().map_err(|why| blame(say!("follow"), c"the keeper", why))?;
    if let Some(output) = own.output {
        let lead = |standard| sys::replace(standard, output.write);
        lead(Standard::Output)
            .and_then(|()| lead(Standard::Error))
            .map_err(|why| blame(say!("lead CMD's output to"), Object::Log.name(spec), why))?;
    }
    let mut launcher = Launcher::new(&spec.of_launcher(), own.launch.start);
    let launch = &mut launcher.launch;
    // The caller's process of --detach waits until CMD runs.
    let caller = own.outside.waiting.and(own.launch.above[0]);
    launch.above = [Some(keeper), caller, own.logger];
    launch.listener = listener;
    launch.caller.mask = own.launch.caller.mask;
    launcher.outside.waiting = Some(begun);
    Ok(launcher)
}
