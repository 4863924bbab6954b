//! `--stop`: asks the process outside that answers for a container to end it, and waits for the end of that process.

use core::ffi::CStr;

use rustix::fs::OFlags;

use super::{find, list};
use crate::fs::procfs;
use crate::report::message::{blame, failed};
use crate::say;
use crate::spec::Spec;
use crate::sys::files::{self, Fd};
use crate::sys::{self, Done, Failure, Polled, READABLE, Signal, Span, Time};

/// Stops the container of `spec.target`. Returns the exit status, after the message if there is one.
#[must_use]
pub fn run(spec: &Spec<'_>) -> i32 {
    let named = spec.target.unwrap_or_default();
    match stop(named, spec.life.stop_timeout).map_err(|why| blame(say!("stop"), named, why)) {
        Ok(()) => 0,
        Err(_) => failed(),
    }
}

/// So many seconds nsinit outside has for the rest, after the end of the container.
const PATIENCE: u32 = 5;

/// # Errors
/// EPERM: it is another user's; ENOSYS: Linux is older than 5.3. Others: see [`find::number`] and [`list::find`].
fn stop(named: &CStr, span: Option<Span>) -> Done {
    let proc = procfs::open()?;
    let container = list::find(named, find::number(named, proc)?, proc)?;
    let list::Container { first, kind, head } = container;
    let end = sys::pidfd_open(head.number)?;
    // If this succeeds, the pid had not passed to another process before.
    signal(head, Signal::TERM)?;
    // A process that is stopped would not obey.
    let _ = signal(head, Signal::CONT);
    let mut most = span.map(|span| Time::NONE.after_span(span));
    let mut is_late = false;
    while !has_ended(end, most.take())? {
        // Process 1 takes all others with it, if it has a pid namespace; otherwise it ends them after the command.
        let last = match kind {
            list::Kind::Shared if !is_late => list::command_of(proc, &container),
            _ => Some(first),
        };
        if last.is_some_and(|last| signal(last, Signal::KILL).is_ok()) {
            continue;
        }
        // It has ended already: nsinit outside has the exit status, and removes what is left. If there is another process 1 by now, it
        // ends with nsinit outside.
        if is_late {
            // If it has ended meanwhile, that is seen above.
            let _ = signal(head, Signal::KILL);
        } else {
            (is_late, most) = (true, Some(Time::NONE.after(PATIENCE)));
        }
    }
    Ok(())
}

/// # Errors
/// ESRCH: it has ended; EPERM: no right to signal it.
fn signal(process: list::Process, signal: Signal) -> Done {
    let directory = files::open(process.directory, c".", OFlags::DIRECTORY).map_err(|_| Failure::SRCH)?;
    sys::signal_process(directory, signal)
}

/// Waits for the end of a process, so long at most. If this process is stopped meanwhile, the time begins again. Returns whether it has
/// ended.
fn has_ended(process: Fd, most: Option<Time>) -> Result<bool, Failure> {
    loop {
        match sys::poll(&mut [Polled::new(process, READABLE)], most) {
            Err(Failure::INTR) => {}
            told => return Ok(told? > 0),
        }
    }
}
