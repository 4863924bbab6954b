//! The controlling terminal, and the process group in its foreground.
//!
//! A container of `--root` or `--enter` does not share the caller's terminal, except with `--share-terminal`: a process whose
//! controlling terminal it is can open it as /dev/tty and read what is typed for other processes, even after the command's end
//! (CVE-2016-10124 is of this kind). The container has a pty of its own ([`crate::tty::pty`]), or a session without a terminal.
//!
//! If the terminal is shared, the container has process groups of its own, so that a `kill(0, ...)` inside reaches no process
//! outside. If our process group is in the foreground, the command's takes its place, so that the kernel sends the signals of
//! ^C, ^Z and the window's size to the command, once; those that reach us instead are forwarded. A stop of the command stops our
//! process group too, so that the caller's shell takes the terminal back, and `fg` continues both.

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::Pid;
use rustix::termios::{isatty, tcgetpgrp, tcsetpgrp};

use crate::state::{Launch, Look};
use crate::sys::files::{self, FIFO, Fd, read};
use crate::sys::{self, Done, Failure, Modes, Set, Signal, Standard};

/// Opens the controlling terminal. Through it the launcher notices ^Z, lends the foreground to the command, and takes it back at
/// the end, whatever the command's shells have done to it.
///
/// # Errors
/// ENOENT, EACCES: /dev/null is missing or cannot be opened; EMFILE, ENFILE: no descriptor is free.
pub fn look_for(launch: &mut Launch) -> Done {
    let spec = &launch.spec;
    let found = open();
    // A session costs a scheduling group of its own (sched(7), autogroup): without a terminal none is made.
    launch.leaves_session = spec.terminal.withheld && found.err() != Some(Failure::NXIO);
    launch.terminal = found.ok();
    let Some(terminal) = launch.terminal else { return Ok(()) };
    if spec.terminal.withheld {
        // The kernel does not stop a reader in the background if its session has another terminal, or none
        // (`__tty_check_change`): the command would read input that is typed for other processes.
        if is_anothers(Standard::Input.fd()) {
            sys::replace(Standard::Input, files::open_path(c"/dev/null", OFlags::RDONLY)?)?;
        }
        return Ok(());
    }
    launch.lent = is_ours(terminal) && (spec.hides_group() || !in_pipeline());
    if spec.lends_terminal() {
        launch.look = sys::modes(terminal).ok().map(|modes| Look { modes, size: None });
    }
    Ok(())
}

/// Opens the controlling terminal. Only for ioctl(2): nothing reads from it.
///
/// # Errors
/// ENXIO: there is none; ENOENT: /dev has no tty; others: see open(2).
pub fn open() -> Result<Fd, Failure> {
    files::open_path(c"/dev/tty", OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK)
}

/// The first standard descriptor that is a terminal.
#[must_use]
pub fn standard() -> Option<Fd> {
    [Standard::Input, Standard::Output, Standard::Error].into_iter().map(Standard::fd).find(|fd| isatty(fd))
}

/// Whether standard input, output and error are one terminal. If standard input is none, that takes one system call.
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
        // Our group has no number in this pid namespace: getpgid(2) and TIOCGPGRP answer 0, for which rustix has OPNOTSUPP.
        // In the background, a process that blocks SIGTTIN reads EIO.
        None => tcgetpgrp(terminal) == Err(Errno::OPNOTSUPP) && read(terminal, &mut [0u8; 0]) != Err(Failure::IO),
    }
}

/// Whether another process group is in the foreground. A terminal that is not our controlling one does not stop us (ENOTTY).
#[must_use]
pub fn is_anothers(terminal: Fd) -> bool {
    tcgetpgrp(terminal) != Err(Errno::NOTTY) && !is_ours(terminal)
}

/// Whether standard input or output is a pipe: then another process of our process group may read the terminal, and the
/// command only comes to the foreground when it is stopped for it (SIGTTIN, SIGTTOU).
#[must_use]
pub fn in_pipeline() -> bool {
    let pipe = |fd: Fd| files::kind(fd) == Ok(FIFO);
    pipe(Standard::Input.fd()) || pipe(Standard::Output.fd())
}

/// Puts `group` into the foreground. SIGTTOU is blocked, so that the call does not stop us (tcsetpgrp(3)). A terminal that was hung up
/// or belongs to another session by now is no error.
pub fn hand_to(terminal: Fd, group: Pid) {
    let _ = tcsetpgrp(terminal, group);
}

/// Puts our process group into the foreground, if the group there has ended. `modes`: those to restore if a signal killed the
/// command, which then could not do so.
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

/// Stops our process group, this process included. Returns whether it was continued: if not, the group is orphaned, and the
/// kernel did not stop it.
pub fn stop_group(signal: Signal) -> bool {
    let _ = sys::kill(0, signal);
    // Unblocked, it stops this process here.
    let _ = sys::set_mask(Set::ALL.without(signal));
    let _ = sys::set_mask(Set::ALL);
    sys::is_pending(Signal::CONT)
}

/// Makes the terminal on standard input the controlling terminal of the session that this process leads.
///
/// # Errors
/// EPERM: it is the controlling terminal of another session; ENOTTY: standard input is no terminal.
pub fn control() -> Done {
    sys::take_terminal(Standard::Input.fd())
}

/// Gives up the controlling terminal, so that the command's session can have it. The signals that the kernel sends for that
/// are dropped; `tell` is called for each.
///
/// # Errors
/// ENOTTY: standard input is no terminal, or not the controlling one.
pub fn leave(tell: impl Fn(Signal)) -> Done {
    let led = sys::leads_session();
    sys::leave_terminal(Standard::Input.fd())?;
    if led {
        // The kernel sends these two to the process group of a session leader (ioctl_tty(2)). Blocked, they are pending; to
        // ignore a signal discards it (signal(7)).
        for signal in [Signal::HUP, Signal::CONT] {
            if sys::set_ignored(signal, true) == Ok(false) {
                let _ = sys::set_ignored(signal, false);
            }
            tell(signal);
        }
    }
    Ok(())
}
