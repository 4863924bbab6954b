//! The values of options: from a word to a value, without any effect.

use core::ffi::CStr;

#[cfg(feature = "container")]
use engine::confine::caps;
#[cfg(feature = "join")]
use engine::ns::target::FD;
use engine::say;
#[cfg(feature = "container")]
use engine::spec::Capabilities;
#[cfg(feature = "boot")]
use engine::spec::{AtEnd, Most};
#[cfg(feature = "join")]
use engine::sys;
use engine::text;

use super::complaint::Wrong;

/// The longest host name that the kernel takes, `__NEW_UTS_LEN`.
#[cfg(feature = "container")]
pub const HOSTNAME_MAX: usize = 64;
/// `(uid_t) -1` means "unchanged" to the kernel (setresuid(2)): no user has it.
#[cfg(feature = "container")]
const NO_ID: u32 = u32::MAX;
/// The kernel's own limit, `sysctl_nr_open_max`, is lower still.
#[cfg(any(feature = "container", feature = "detach"))]
const FD_MAX: u32 = i32::MAX as u32;

#[cfg(feature = "container")]
pub fn id(word: &CStr) -> Result<u32, Wrong> {
    id_of(word.to_bytes()).ok_or(Wrong::value(say!("not a number from 0 to 4294967294")))
}

#[cfg(feature = "container")]
pub fn id_of(word: &[u8]) -> Option<u32> {
    text::number(word).filter(|id| *id != NO_ID)
}

/// The number of a descriptor.
#[cfg(any(feature = "container", feature = "detach"))]
pub fn fd(word: &CStr) -> Result<u32, Wrong> {
    let fd = text::number(word.to_bytes()).filter(|fd| *fd <= FD_MAX);
    fd.ok_or(Wrong::value(say!("not a descriptor number")))
}

/// The text after `fd:`, if the word begins with it.
#[cfg(feature = "join")]
pub fn after_fd(word: &'static CStr) -> Option<&'static CStr> {
    text::after(word.to_bytes(), FD).map(|_| sys::tail(word, FD.len()))
}

#[cfg(any(feature = "container", feature = "detach", feature = "boot", feature = "landlock"))]
pub fn path(word: &'static CStr) -> Result<&'static CStr, Wrong> {
    if word.is_empty() { Err(Wrong::value(say!("the path is empty"))) } else { Ok(word) }
}

/// The mode of a file.
#[cfg(feature = "container")]
pub fn mode(word: &CStr) -> Result<u32, Wrong> {
    let mode = text::octal(word.to_bytes()).filter(|mode| *mode <= 0o7777);
    mode.ok_or(Wrong::option(say!("takes an octal argument <= 07777")))
}

#[cfg(feature = "env")]
pub fn umask(word: &CStr) -> Result<u32, Wrong> {
    let mask = text::octal(word.to_bytes()).filter(|mask| *mask <= 0o777);
    mask.ok_or(Wrong::value(say!("not an octal number from 0 to 777")))
}

/// A number of bytes as the kernel reads it: decimal, octal after 0, hexadecimal after 0x.
#[cfg(feature = "container")]
pub fn size(word: &CStr) -> Result<&CStr, Wrong> {
    let (radix, digits) = match word.to_bytes() {
        [b'0', b'x' | b'X', digits @ ..] => (16, digits),
        [b'0', digits @ ..] => (8, digits),
        digits => (10, digits),
    };
    let bytes = digits.iter().try_fold(0u64, |bytes, digit| {
        bytes.checked_mul(radix.into())?.checked_add(char::from(*digit).to_digit(radix)?.into())
    });
    match bytes {
        None | Some(0) => Err(Wrong::option(say!("takes a non-zero number of bytes"))),
        // The limit is half the range of size_t.
        Some(bytes) if bytes > (usize::MAX >> 1) as u64 => Err(Wrong::sentence(if usize::BITS == 64 {
            say!("--size (for tmpfs) is limited to 9223372036854775807")
        } else {
            say!("--size (for tmpfs) is limited to 2147483647")
        })),
        _ => Ok(word),
    }
}

/// The set of one capability, or of all.
#[cfg(feature = "container")]
pub fn capability(word: &CStr) -> Result<u64, Wrong> {
    let name = word.to_bytes();
    if text::same_word(name, b"ALL") {
        return Ok(Capabilities::ALL);
    }
    caps::by_name(name)
        .or(text::number(name).filter(|number| u64::from(*number) < Capabilities::AS_FAR_AS_HELD.ilog2().into()))
        .map(|number| 1 << number)
        .ok_or(Wrong::capability(say!("no such capability (see capabilities(7))")))
}

/// Whether the named filter of system calls is one.
#[cfg(feature = "container")]
pub fn profile(word: &CStr) -> Result<bool, Wrong> {
    match word.to_bytes() {
        b"default" => Ok(true),
        b"none" => Ok(false),
        _ => Err(Wrong::value(say!("neither default nor none"))),
    }
}

/// The name of an environment variable.
#[cfg(feature = "env")]
pub fn variable(word: &CStr) -> Result<&CStr, Wrong> {
    let name = word.to_bytes();
    if name.is_empty() || text::has(name, b'=') { Err(Wrong::variable(say!("not a variable name"))) } else { Ok(word) }
}

pub fn seconds(word: &CStr) -> Result<u32, Wrong> {
    text::number(word.to_bytes()).ok_or(Wrong::value(say!("not a number of seconds")))
}

/// `A:B`, or `A` for `A:0`; neither is above `most`.
pub fn pair(word: &CStr, most: u32) -> Option<(u8, u8)> {
    let mut second = word.to_bytes();
    let first = text::word(&mut second, b':')?;
    let byte = |text| text::number(text).filter(|number| *number <= most).map(|number| number as u8);
    let alone = first.len() == word.count_bytes();
    Some((byte(first)?, if alone { 0 } else { byte(second)? }))
}

#[cfg(feature = "boot")]
pub fn on_failure(what: &CStr) -> Result<AtEnd, Wrong> {
    at_end(what)
        .ok()
        .filter(|what| *what != AtEnd::Respawn)
        .ok_or(Wrong::value(say!("not one of poweroff, reboot, halt and shell")))
}

#[cfg(feature = "hardware")]
pub fn some_seconds(word: &CStr) -> Result<u32, Wrong> {
    seconds(word).ok().filter(|seconds| *seconds != 0).ok_or(Wrong::value(say!("not a number of seconds, 1 or more")))
}

/// `N/SECONDS`.
#[cfg(feature = "boot")]
pub fn most(word: &CStr) -> Result<Most, Wrong> {
    let mut rest = word.to_bytes();
    let count = text::word(&mut rest, b'/').and_then(text::number);
    match (count, text::number(rest)) {
        (Some(count), Some(seconds @ 1..)) => Ok(Most { count, seconds }),
        _ => Err(Wrong::value(say!("not N/SECONDS, for example 5/60"))),
    }
}

#[cfg(feature = "boot")]
pub fn at_end(what: &CStr) -> Result<AtEnd, Wrong> {
    match text::place(b"poweroff reboot halt shell respawn", what.to_bytes()) {
        Some(0) => Ok(AtEnd::PowerOff),
        Some(1) => Ok(AtEnd::Reboot),
        Some(2) => Ok(AtEnd::Halt),
        Some(3) => Ok(AtEnd::Shell),
        Some(4) => Ok(AtEnd::Respawn),
        _ => Err(Wrong::value(say!("not one of poweroff, reboot, halt, shell and respawn"))),
    }
}

/// The number of a port of x86.
#[cfg(feature = "hardware")]
pub fn port(word: &CStr) -> Result<u16, Wrong> {
    let digits = word.to_bytes();
    let number = text::after(digits, b"0x").map_or_else(|| text::number(digits), text::hexadecimal);
    number
        .and_then(|number| u16::try_from(number).ok())
        .ok_or(Wrong::value(say!("not a port from 0 to 65535, for example 0xf4")))
}

/// `CID:PORT`.
#[cfg(feature = "hardware")]
pub fn vsock(word: &CStr) -> Result<(u32, u32), Wrong> {
    let mut rest = word.to_bytes();
    let context = text::word(&mut rest, b':').and_then(text::number);
    context.zip(text::number(rest)).ok_or(Wrong::value(say!("not CID:PORT, for example 2:9999")))
}
