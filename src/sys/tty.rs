//! The modes of a terminal, termios(3), as the kernel has them.

use core::ffi::c_void;

use linux_raw_sys::general as raw;
use linux_raw_sys::ioctl::{TCGETS, TCSETS, TIOCGDEV};
use rustix::fd::BorrowedFd;

use super::ioctl::ioctl_at;
use super::{Done, Failure};

/// `struct termios`: the modes of input, output, line and more, the discipline, and the special characters.
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
    /// cfmakeraw(3): each byte as it comes, both ways, and none has a meaning.
    #[must_use]
    pub const fn raw(mut self) -> Modes {
        self.input &=
            !(raw::IGNBRK | raw::BRKINT | raw::PARMRK | raw::ISTRIP | raw::INLCR | raw::IGNCR | raw::ICRNL | raw::IXON);
        self.output &= !raw::OPOST;
        self.control = self.control & !(raw::CSIZE | raw::PARENB) | raw::CS8;
        self.local &= !(raw::ECHO | raw::ECHONL | raw::ICANON | raw::ISIG | raw::IEXTEN);
        self
    }

    /// What is typed is not shown; and what is written stays as it is, if that is said.
    #[must_use]
    pub const fn silent(mut self, as_it_is: bool) -> Modes {
        self.local &= !raw::ECHO;
        if as_it_is {
            self.output &= !raw::OPOST;
        }
        self
    }

    /// The character that ends the input.
    #[must_use]
    pub fn end_of_file(&self) -> u8 {
        self.characters.get(raw::VEOF as usize).copied().unwrap_or_default()
    }
}

/// ioctl_tty(2), TCGETS; of the one end of a pseudoterminal it tells the other's.
///
/// # Errors
/// ENOTTY; EIO: it was hung up.
pub fn modes(terminal: BorrowedFd<'_>) -> Result<Modes, Failure> {
    let mut modes =
        Modes { input: 0, output: 0, control: 0, local: 0, discipline: 0, characters: [0; raw::NCCS as usize] };
    // SAFETY: the kernel writes a struct termios, which is what Modes is.
    unsafe { ioctl_at(terminal, TCGETS, (&raw mut modes).cast::<c_void>())? };
    Ok(modes)
}

/// The number of the device that a terminal is, whatever file it was opened by (TIOCGDEV, Linux 2.6.38): `/dev/tty` and
/// `/dev/console` answer the same as the device itself.
///
/// # Errors
/// ENOTTY; EIO: it was hung up.
pub fn terminal_device(terminal: BorrowedFd<'_>) -> Result<u32, Failure> {
    let mut device = 0u32;
    // SAFETY: the kernel writes an unsigned int.
    unsafe { ioctl_at(terminal, TIOCGDEV, (&raw mut device).cast::<c_void>())? };
    Ok(device)
}

/// ioctl_tty(2), TCSETS: at once.
///
/// # Errors
/// ENOTTY; EIO: it was hung up.
pub fn set_modes(terminal: BorrowedFd<'_>, mut modes: Modes) -> Done {
    // SAFETY: the kernel reads a struct termios, which is what Modes is.
    unsafe { ioctl_at(terminal, TCSETS, (&raw mut modes).cast::<c_void>()) }
}
