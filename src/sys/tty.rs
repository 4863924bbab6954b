//! Terminals: modes as the kernel has them (termios(3)), and the session that a terminal controls.

use core::ffi::c_void;

use linux_raw_sys::general as raw;
use linux_raw_sys::ioctl::{TCGETS, TCSETS, TIOCGDEV, TIOCNOTTY, TIOCOUTQ, TIOCSCTTY};
use rustix::fd::BorrowedFd;

use super::call::done;
use super::ioctl::{ioctl, ioctl_at};
use super::{Done, Failure};

/// `struct termios`: the modes of input, output, line and control, the discipline, and the special characters.
#[repr(C)]
#[derive(Clone, Copy, PartialEq)]
pub struct Modes {
    input: u32,
    output: u32,
    control: u32,
    local: u32,
    discipline: u8,
    characters: [u8; raw::NCCS as usize],
}
const _: () = assert!(size_of::<Modes>() == size_of::<raw::termios>());

impl Modes {
    /// cfmakeraw(3): each byte passes unchanged both ways, and none has a special meaning.
    #[must_use]
    pub const fn raw(mut self) -> Modes {
        self.input &=
            !(raw::IGNBRK | raw::BRKINT | raw::PARMRK | raw::ISTRIP | raw::INLCR | raw::IGNCR | raw::ICRNL | raw::IXON);
        self.output &= !raw::OPOST;
        self.control = self.control & !(raw::CSIZE | raw::PARENB) | raw::CS8;
        self.local &= !(raw::ECHO | raw::ECHONL | raw::ICANON | raw::ISIG | raw::IEXTEN);
        self
    }

    /// The opposite, as far as a shell changes them to edit its line: the terminal edits lines.
    pub const fn cook(&mut self) {
        self.input |= raw::ICRNL;
        self.local |= raw::ECHO | raw::ICANON | raw::ISIG | raw::IEXTEN;
    }

    /// These modes without echo. If `as_it_is`, output passes unchanged too (no OPOST).
    #[must_use]
    pub const fn silent(mut self, as_it_is: bool) -> Modes {
        self.local &= !raw::ECHO;
        if as_it_is {
            self.output &= !raw::OPOST;
        }
        self
    }

    /// The character that ends the input (VEOF).
    #[must_use]
    pub fn end_of_file(&self) -> u8 {
        self.characters.get(raw::VEOF as usize).copied().unwrap_or_default()
    }
}

/// The modes of a terminal, TCGETS (ioctl_tty(2)). For the master of a pseudoterminal they are those of its slave.
///
/// # Errors
/// ENOTTY: it is no terminal. EIO: the terminal was hung up.
pub fn modes(terminal: BorrowedFd<'_>) -> Result<Modes, Failure> {
    let mut modes =
        Modes { input: 0, output: 0, control: 0, local: 0, discipline: 0, characters: [0; raw::NCCS as usize] };
    // SAFETY: TCGETS writes a struct termios, and Modes has its members and its size.
    unsafe { ioctl_at(terminal, TCGETS, (&raw mut modes).cast::<c_void>())? };
    Ok(modes)
}

/// The device number of a terminal, TIOCGDEV (Linux 2.6.38). It does not depend on the file by which the terminal was opened:
/// `/dev/tty` and `/dev/console` report the same number as the device itself.
///
/// # Errors
/// As [`modes`].
pub fn terminal_device(terminal: BorrowedFd<'_>) -> Result<u32, Failure> {
    let mut device = 0u32;
    // SAFETY: TIOCGDEV writes an unsigned int.
    unsafe { ioctl_at(terminal, TIOCGDEV, (&raw mut device).cast::<c_void>())? };
    Ok(device)
}

/// Sets the modes of a terminal at once, TCSETS (ioctl_tty(2)).
///
/// # Errors
/// As [`modes`].
pub fn set_modes(terminal: BorrowedFd<'_>, mut modes: Modes) -> Done {
    // SAFETY: TCSETS reads a struct termios, and Modes has its members and its size; no value of it is invalid.
    unsafe { ioctl_at(terminal, TCSETS, (&raw mut modes).cast::<c_void>()) }
}

/// Makes a terminal the controlling terminal of our session, TIOCSCTTY (ioctl_tty(2)).
///
/// # Errors
/// EPERM: we are not the leader of a session without a terminal, or the terminal has a session already.
pub fn take_terminal(terminal: BorrowedFd<'_>) -> Done {
    // SAFETY: TIOCSCTTY takes a number; 0 takes the terminal from no other session.
    done(unsafe { ioctl(terminal, TIOCSCTTY, 0) })
}

/// Gives up the controlling terminal of our session, TIOCNOTTY (ioctl_tty(2)). If we are the session's leader, its foreground
/// process group gets SIGHUP and SIGCONT.
///
/// # Errors
/// ENOTTY: it is not our controlling terminal.
pub fn leave_terminal(terminal: BorrowedFd<'_>) -> Done {
    // SAFETY: TIOCNOTTY takes no argument.
    done(unsafe { ioctl(terminal, TIOCNOTTY, 0) })
}

/// How many bytes a terminal has not sent yet, TIOCOUTQ; 0 for another file.
#[must_use]
pub fn unsent(fd: BorrowedFd<'_>) -> i32 {
    let mut count = 0;
    // SAFETY: TIOCOUTQ writes an int.
    let _ = unsafe { ioctl_at(fd, TIOCOUTQ, (&raw mut count).cast::<c_void>()) };
    count
}
