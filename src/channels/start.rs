//! Reports to the processes that wait for the start of the command, and the descriptors that the command waits for.

use rustix::process::Pid;

#[cfg(feature = "status")]
use crate::channels::json;
use crate::report::message::{blame, blame_hint, failed, warn};
use crate::say;
use crate::spec::{Spec, rooms};
use crate::state::{Outside, write_to_anybody};
use crate::sys::files::{chdir, read, write};
use crate::sys::{self, Done, Failure, PR_SET_PDEATHSIG};
use crate::text::{Say, Short, verb};

/// The command has been executed: writes its number to --status-fd, the pid file and --ready-fd, and reports it to the process
/// that waits. `pid` is process 1, or the command where there is none. Returns whether the container may go on: in the background only
/// the pid file leads to it.
#[must_use]
pub fn report(spec: &Spec<'_>, outside: &mut Outside, pid: Pid, command: Option<Pid>) -> bool {
    tell_command(spec, command);
    if !rooms::DETACH {
        return true;
    }
    if let Some((_, file)) = outside.pid_file {
        let mut line = Short::new();
        line.push_number(pid.as_raw_nonzero().get().cast_unsigned()).byte(b'\n');
        if let Err(why) = write(file, line.bytes()) {
            if outside.waiting.is_some() {
                blame_hint(verb::WRITE, spec.channels.pid_file.unwrap_or_default(), why, Say::NOTHING);
                return false;
            }
            warn(verb::WRITE, spec.channels.pid_file.unwrap_or_default(), why, Say::NOTHING);
        }
    }
    if let Some(fd) = spec.channels.ready {
        // A reader that has ended needs no report.
        if let Err(why) = write_to_anybody(sys::given(fd), b"\n")
            && why != Failure::PIPE
        {
            warn(say!("write to"), c"--ready-fd", why, Say::NOTHING);
        }
        sys::close_given(spec.channels.ready);
    }
    if let Some(waiting) = outside.waiting.take() {
        // From here on the launcher outlives the caller's process; but not the keeper.
        let stays = if spec.is_kept() { Ok(()) } else { sys::prctl(PR_SET_PDEATHSIG, 0) };
        let stays = stays.map_err(|why| blame(say!("go on in the background"), c"", why));
        // A keeper that starts launchers stays where the caller was: their relative paths begin there.
        if !(spec.has_keeper() && spec.keeper.restarts()) {
            let _ = chdir(c"/");
        }
        // Before the caller goes on: from then on nothing of the container has its terminal open.
        sys::end_messages();
        let status = if stays.is_ok() { 0 } else { failed() as u8 };
        let told = write_to_anybody(waiting, &[status]);
        sys::close(waiting);
        // The caller's process was killed, and reports nothing; or its end would end the launcher.
        return told.is_ok() && stays.is_ok();
    }
    true
}

#[cfg(feature = "status")]
fn tell_command(spec: &Spec<'_>, command: Option<Pid>) {
    if let Some(command) = command.filter(|_| spec.tells_command()) {
        // A reader that has closed its end needs no report.
        let _ = json::write_command(spec, command);
    }
}

/// No option of this build asks for it.
#[cfg(not(feature = "status"))]
const fn tell_command(_: &Spec<'_>, _: Option<Pid>) {}

/// Sends the process that waits for the launcher the exit status, unless it has ended because the command runs.
pub fn report_failure(outside: &mut Outside, status: i32) {
    if let Some(waiting) = outside.waiting.take() {
        let _ = write_to_anybody(waiting, &[status as u8]);
    }
}

/// Waits until a byte or the end of the file can be read from `fd`.
///
/// # Errors
/// EBADF: `fd` is not open for reading; others: see read(2).
pub fn wait_for(fd: Option<u32>) -> Done {
    let Some(fd) = fd else { return Ok(()) };
    loop {
        match read(sys::given(fd), &mut [0u8]) {
            Err(Failure::INTR) => {}
            done => return done.map(|_| ()),
        }
    }
}
