//! The controlling terminal: who is in its foreground.
//!
//! A container of `--root` or `--enter` does not share it, but with `--share-terminal`: a process inside that has the
//! caller's terminal as its controlling one opens /dev/tty and reads what is typed for others, also after CMD's end
//! (CVE-2016-10124 is one of the kind). It has a pty of its own ([`crate::tty::pty`]) or is in a session without a terminal.
//!
//! Where it is shared: the container has process groups of its own, so that a `kill(0, ...)` inside reaches nobody outside. CMD's group
//! is put into the foreground when ours is there, so that ^C, ^Z and the window's size reach it, once, from the
//! kernel; what reaches us instead is forwarded. A stop of CMD is passed on to our own group, so that the caller's
//! shell takes the terminal back and `fg` resumes both.

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::Pid;
use rustix::termios::{isatty, tcgetpgrp, tcsetpgrp};

use crate::sys::files::{self, FIFO, Fd, HERE, read};
use crate::sys::{self, Done, Failure, Modes, Set, Signal, Standard};

/// The controlling terminal. Nobody waits for it: it is asked and told only.
///
/// # Errors
/// ENXIO: there is none; those of open(2).
pub fn open() -> Result<Fd, Failure> {
    files::open(HERE, c"/dev/tty", OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK)
}

/// The first of our standard descriptors that is a terminal.
#[must_use]
pub fn standard() -> Option<Fd> {
    [Standard::Input, Standard::Output, Standard::Error].into_iter().map(Standard::fd).find(|fd| isatty(fd))
}

/// Whether standard input, output and error are all one terminal. Where standard input is none that is one call.
#[must_use]
pub fn is_all_standard() -> bool {
    let device = |standard: Standard| sys::terminal_device(standard.fd());
    device(Standard::Input)
        .is_ok_and(|input| [Standard::Output, Standard::Error].into_iter().all(|other| device(other) == Ok(input)))
}

/// Whether our process group is in the foreground.
#[must_use]
pub fn is_ours(terminal: Fd) -> bool {
    match sys::own_group() {
        Some(group) => tcgetpgrp(terminal) == Ok(group),
        // Neither has a number in our pid namespace; rustix has a name for that. Who is in the background and blocks
        // SIGTTIN reads EIO.
        None => tcgetpgrp(terminal) == Err(Errno::OPNOTSUPP) && read(terminal, &mut [0u8; 0]) != Err(Failure::IO),
    }
}

/// Whether somebody else is in its foreground. One that is not our controlling terminal has none for us.
#[must_use]
pub fn is_anothers(terminal: Fd) -> bool {
    tcgetpgrp(terminal) != Err(Errno::NOTTY) && !is_ours(terminal)
}

/// Whether standard input or output is a pipe: then somebody else in our process group may be the one who reads the
/// terminal, and CMD is only put into the foreground when it asks for it (SIGTTIN, SIGTTOU).
#[must_use]
pub fn in_pipeline() -> bool {
    let pipe = |fd: Fd| files::kind(fd) == Ok(FIFO);
    pipe(Standard::Input.fd()) || pipe(Standard::Output.fd())
}

/// Puts `group` into the foreground. Signals are blocked, so SIGTTOU does not stop us. That the terminal is gone or
/// is not ours any more is no error: it is nobody's who could complain.
pub fn hand_to(terminal: Fd, group: Pid) {
    let _ = tcsetpgrp(terminal, group);
}

/// Takes the terminal back for our process group, if the group that has it is no more; with the modes that it had, where
/// CMD came to no end of his own and could not do that.
pub fn take_back(terminal: Fd, modes: Option<Modes>) {
    let gone = |group: Pid| sys::kill(-group.as_raw_nonzero().get(), Signal::new(0)) == Err(Failure::SRCH);
    if tcgetpgrp(terminal).map_or(true, gone) {
        hand_to_us(terminal);
    }
    if let Some(modes) = modes.filter(|_| is_ours(terminal)) {
        let _ = sys::set_modes(terminal, modes);
    }
}

/// Puts our process group into the foreground.
pub fn hand_to_us(terminal: Fd) {
    if let Some(group) = sys::own_group() {
        hand_to(terminal, group);
    }
}

/// Stops our process group, and us. Returns whether we were continued: otherwise the group is orphaned, and the kernel
/// has not stopped it.
pub fn stop_group(signal: Signal) -> bool {
    let _ = sys::kill(0, signal);
    // Here we stop.
    let _ = sys::set_mask(Set::ALL.without(signal));
    let _ = sys::set_mask(Set::ALL);
    sys::is_pending(Signal::CONT)
}

/// Makes the terminal on standard input the controlling one of a new session.
///
/// # Errors
/// EPERM: it is another session's; ENOTTY: it is none.
pub fn control() -> Done {
    sys::take_terminal(Standard::Input.fd())
}

/// Gives up the controlling terminal, so that CMD's session can have it. All signals are blocked. Each signal that the
/// kernel has sent for it, and that is dropped, is handed to `tell`.
///
/// # Errors
/// ENOTTY: it is none, or not ours.
pub fn leave(tell: impl Fn(Signal)) -> Done {
    let led = sys::leads_session();
    sys::leave_terminal(Standard::Input.fd())?;
    if led {
        // A session leader is sent these two for it (ioctl_tty(2)). What comes to be ignored is no longer pending.
        for signal in [Signal::HUP, Signal::CONT] {
            if sys::set_ignored(signal, true) == Ok(false) {
                let _ = sys::set_ignored(signal, false);
            }
            tell(signal);
        }
    }
    Ok(())
}
