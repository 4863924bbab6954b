//! Waiting for children.

use core::ffi::c_int;

use linux_raw_sys::general as raw;
use rustix::process::Pid;

use super::Failure;
use super::signal::Signal;

/// Waits until the child has ended, wait4(2). Returns its exit status.
///
/// # Errors
/// [`Failure::KILLED`]: a signal has ended it. ECHILD (SIGCHLD is ignored), or the errno of a seccomp filter of the caller's: it
/// is unknown whether the child has ended, and how.
pub fn wait_end(child: i32) -> Result<u8, Failure> {
    let mut status: c_int = 0;
    loop {
        // SAFETY: the kernel writes an int to `status`; the place for the resource usage is null.
        match unsafe { call!(__NR_wait4, child, &raw mut status, raw::__WALL, 0usize) } {
            Ok(_) if status & 0x7f == 0 => return Ok((status >> 8) as u8),
            Ok(_) => return Err(Failure::KILLED),
            // SIGSTOP and SIGCONT.
            Err(Failure::INTR) => {}
            Err(why) => return Err(why),
        }
    }
}

/// How a child has changed, wait4(2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Exited(u8),
    Killed(Signal),
    Stopped(Signal),
    Continued,
}

/// The next change of a child, wait4(2): of `child`, or of any for `None`; stops and continuations too, and of children that
/// send no SIGCHLD (`__WALL`). `Ok(None)`: there is no change yet, and we are not `waiting` for one.
///
/// # Errors
/// ECHILD: there is no such child. EINTR: SIGSTOP and SIGCONT, if `waiting`.
pub fn wait4(child: Option<Pid>, waiting: bool) -> Result<Option<(Pid, Change)>, Failure> {
    let mut status: c_int = 0;
    let which = child.map_or(-1, |pid| pid.as_raw_nonzero().get());
    let wait = if waiting { 0 } else { raw::WNOHANG };
    let options = wait | raw::WUNTRACED | raw::WCONTINUED | raw::__WALL;
    // SAFETY: the kernel writes an int to `status`; the place for the resource usage is null.
    let pid = unsafe { call!(__NR_wait4, which, &raw mut status, options, 0usize)? };
    let Some(pid) = Pid::from_raw(pid as i32) else { return Ok(None) };
    let (low, high) = (status & 0x7f, (status >> 8) & 0xff);
    let change = match low {
        _ if status == 0xffff => Change::Continued,
        0x7f => Change::Stopped(Signal::new(high)),
        0 => Change::Exited(high as u8),
        killer => Change::Killed(Signal::new(killer)),
    };
    Ok(Some((pid, change)))
}
