//! The start of a service.

use core::ffi::CStr;

use rustix::fs::OFlags;
use rustix::process::{Pid, setsid};

use crate::process::command::become_command;
use crate::process::launcher;
use crate::report::message::{blame, give_up};
use crate::say;
use crate::spec::{Life, Spec};
use crate::state::{Command, Launch, Launcher};
use crate::supervise::services::Service;
use crate::sys::files;
use crate::sys::{self, Done, Failure, Fork, Standard};
use crate::text::Short;
use crate::tty::job;

/// Starts a service, in a session of its own.
///
/// # Errors
/// See clone(2).
pub fn start(service: &Service, launch: &Launch) -> Result<Pid, Failure> {
    match sys::clone_old(0)? {
        Fork::Parent(child) => Ok(child),
        Fork::Child => {
            sys::close_ours(&[], &[]);
            let _ = setsid();
            let opened = open_standard(service.console);
            let _ = sys::set_mask(launch.caller.mask);
            sys::exit(opened.map_or_else(give_up, |()| serve(service.spec, launch)))
        }
    }
}

/// Opens the terminal of a service as standard input, output and error, and as its controlling terminal. Without one the service
/// reads nothing, and writes to the console.
fn open_standard(terminal: Option<&CStr>) -> Done {
    const STANDARD: [Standard; 3] = [Standard::Input, Standard::Output, Standard::Error];
    let name = terminal.map_or(&b"null"[..], CStr::to_bytes);
    let mut path = Short::new();
    if !name.starts_with(b"/") {
        path.push(b"/dev/");
    }
    let path = path.push(name).c_str();
    let opened = files::open_path(path, OFlags::RDWR | OFlags::NOCTTY);
    let count = if terminal.is_some() { STANDARD.len() } else { 1 };
    opened
        .and_then(|fd| STANDARD.into_iter().take(count).try_for_each(|standard| sys::put(standard, fd)))
        .map_err(|why| blame(say!("open"), path, why))?;
    // A device that is no terminal controls no session.
    let _ = job::control();
    Ok(())
}

/// Runs the command of a service. If no process of nsinit needs to stay above it, this process becomes the command: such a service
/// takes no memory beside its own.
fn serve(spec: &Spec<'static>, launch: &Launch) -> i32 {
    let life = &spec.life;
    if spec.contained() || spec.awaits_start() || life.asks_for_more_than_the_preset() || life.title.is_some() {
        return super::run(spec, launch.start);
    }
    let life = Life { subreaper: false, own_group: false, new_session: false, ..*life };
    let mut launcher = Launcher::new(&Spec { life, ..*spec }, launch.start);
    match launcher::prepare(&mut launcher) {
        Ok(()) => become_command(&Command::new(&launcher.launch)),
        Err(why) => give_up(why),
    }
}
