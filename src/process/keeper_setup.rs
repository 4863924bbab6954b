//! PROCESS: the keeper, until it starts the first launcher.
//!
//! - Namespaces, rights: the caller's.
//! - Signals: the caller's mask, and from the step that says so all blocked.
//! - Everything may fail: one line, status 125.
//! - Next: [`super::keeper`].

use rustix::pipe::PipeFlags;

use crate::channels::{notify, pid_file};
use crate::process::connect::{self, SHOW_NAME};
use crate::process::logger;
use crate::say;
use crate::spec::{Channels, Object};
use crate::state::{Launcher, Pipe, descriptors};
use crate::step::{self, block_signals, stop_ignoring_children, walk};
use crate::sys::{self, Done, PR_SET_PDEATHSIG, Signal};

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
    Step::new(say!("start a process that writes the log"), |keeper| {
        let pipe = Pipe::new(PipeFlags::empty())?;
        keeper.output = Some(pipe);
        logger::start(keeper)
    })
    .when(|spec| spec.keeper.log.is_some()),
    SHOW_NAME,
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
