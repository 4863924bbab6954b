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
#[cfg(all(feature = "forms", feature = "boot"))]
use engine::sys::SECOND;
use engine::sys::Span;
use engine::text;
#[cfg(feature = "container")]
use engine::text::Say;

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
    let why = if text::has(word.to_bytes(), b':') {
        say!("the user is --uid, the group is --gid")
    } else {
        say!("not a number from 0 to 4294967294")
    };
    id_of(word.to_bytes()).ok_or(Wrong::value(why))
}

#[cfg(feature = "container")]
pub fn id_of(word: &[u8]) -> Option<u32> {
    text::number(word).filter(|id| *id != NO_ID)
}

/// The number of a descriptor.
#[cfg(any(feature = "container", feature = "detach"))]
pub fn fd(word: &CStr) -> Result<u32, Wrong> {
    let fd = text::number(word.to_bytes()).filter(|fd| *fd <= FD_MAX);
    fd.ok_or(Wrong::value(say!("not the number of a descriptor, such as 3 for 3<FILE")))
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

#[cfg(all(feature = "container", target_pointer_width = "64"))]
const TOO_LARGE: Say = say!("--size (for tmpfs) is limited to 9223372036854775807");
#[cfg(all(feature = "container", target_pointer_width = "32"))]
const TOO_LARGE: Say = say!("--size (for tmpfs) is limited to 2147483647");

/// A number of bytes as the kernel reads it: decimal, octal after 0, hexadecimal after 0x; with `units`, also with K, M, G or T behind it.
#[cfg(feature = "container")]
pub fn size(word: &CStr, units: bool) -> Result<&CStr, Wrong> {
    let (number, shift) = unit_of(word.to_bytes(), units);
    let (radix, digits) = match number {
        [b'0', b'x' | b'X', digits @ ..] => (16, digits),
        [b'0', digits @ ..] => (8, digits),
        digits => (10, digits),
    };
    let bytes = digits.iter().try_fold(0u64, |bytes, digit| {
        bytes.checked_mul(radix.into())?.checked_add(char::from(*digit).to_digit(radix)?.into())
    });
    // A number that is too large is the largest: it is above the limit.
    let bytes = bytes.filter(|_| !number.is_empty()).map(|bytes| bytes.saturating_mul(1 << shift));
    match bytes {
        None | Some(0) => Err(Wrong::option(say!("takes a non-zero number of bytes"))),
        // The limit is half the range of size_t.
        Some(bytes) if bytes > (usize::MAX >> 1) as u64 => Err(Wrong::sentence(TOO_LARGE)),
        _ => Ok(word),
    }
}

/// See [`text::without_unit`].
#[cfg(all(feature = "container", feature = "forms"))]
fn unit_of(word: &[u8], units: bool) -> (&[u8], u32) {
    if units { text::without_unit(word) } else { (word, 0) }
}

/// No value has a unit.
#[cfg(all(feature = "container", not(feature = "forms")))]
fn unit_of(word: &[u8], _: bool) -> (&[u8], u32) {
    (word, 0)
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
        .ok_or(Wrong::capability(say!("no such capability (see capabilities(7); one for each option)")))
}

/// Whether the named filter of system calls is one.
#[cfg(feature = "container")]
pub fn profile(word: &CStr) -> Result<bool, Wrong> {
    match word.to_bytes() {
        b"default" => Ok(true),
        b"none" => Ok(false),
        _ => Err(Wrong::value(say!("neither default nor none (another filter: --seccomp)"))),
    }
}

/// The name of an environment variable.
#[cfg(feature = "env")]
pub fn variable(word: &CStr) -> Result<&CStr, Wrong> {
    let name = word.to_bytes();
    if name.is_empty() || text::has(name, b'=') { Err(Wrong::variable(say!("not a variable name"))) } else { Ok(word) }
}

/// A time in milliseconds: a number of seconds, or numbers with units, as in `500ms` or `1m30s`.
#[cfg(feature = "forms")]
pub fn time(word: &CStr) -> Result<Span, Wrong> {
    time_of(word.to_bytes()).ok_or(Wrong::value(say!("not a time such as 5, 500ms, 30s, 2m or 1h")))
}

/// See [`time`].
#[cfg(feature = "forms")]
pub fn time_of(mut rest: &[u8]) -> Option<Span> {
    if let Some(seconds) = text::number(rest) {
        return Some(u64::from(seconds) * 1000);
    }
    let mut millis = 0u64;
    // A word without any is no time.
    let mut more = true;
    while more {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, unit) = rest.split_at_checked(digits)?;
        let letters = unit.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (unit, after) = unit.split_at_checked(letters)?;
        let factor = [1, 1000, 60_000, 3_600_000, 86_400_000].get(text::place(b"ms s m h d", unit)?)?;
        millis = millis.checked_add(u64::from(text::number(digits)?) * factor)?;
        rest = after;
        more = !rest.is_empty();
    }
    Some(millis)
}

/// A time: a number of seconds.
#[cfg(not(feature = "forms"))]
pub fn time(word: &CStr) -> Result<Span, Wrong> {
    let seconds = time_of(word.to_bytes());
    seconds.ok_or(Wrong::value(say!("not a number of seconds")))
}

/// See [`time`].
#[cfg(not(feature = "forms"))]
pub fn time_of(word: &[u8]) -> Option<Span> {
    text::number(word)
}

#[cfg(all(feature = "forms", any(feature = "boot", feature = "hardware", feature = "root-device")))]
fn whole_seconds(millis: Span) -> Option<u32> {
    u32::try_from(millis.div_ceil(SECOND)).ok()
}

#[cfg(all(not(feature = "forms"), any(feature = "boot", feature = "hardware", feature = "root-device")))]
const fn whole_seconds(seconds: Span) -> Option<u32> {
    Some(seconds)
}

/// A time in seconds, rounded up.
#[cfg(feature = "boot")]
pub fn seconds_of(word: &[u8]) -> Option<u32> {
    whole_seconds(time_of(word)?)
}

/// A time in seconds, rounded up.
#[cfg(any(feature = "hardware", feature = "root-device"))]
pub fn seconds(word: &CStr) -> Result<u32, Wrong> {
    whole_seconds(time(word)?).ok_or(Wrong::value(say!("too long a time")))
}

/// The number of a signal: a number from 0 to 64, or a name, in any case, with or without `SIG`, as in `TERM`, `SIGRTMIN+3`.
#[cfg(feature = "forms")]
pub fn signal(word: &[u8]) -> Option<u8> {
    const NAMES: &[u8] = b"HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG \
        XCPU XFSZ VTALRM PROF WINCH IO PWR SYS";
    /// As the C library has it: it uses the two real-time signals below itself.
    const RTMIN: u32 = 34;
    const RTMAX: u32 = 64;
    if let Some(number) = text::number(word) {
        return u8::try_from(number).ok().filter(|number| u32::from(*number) <= RTMAX);
    }
    let (prefix, rest) = word.split_at_checked(3).unwrap_or_default();
    let name = if text::same_word(prefix, b"SIG") { rest } else { word };
    if let Some(place) = text::place_in_any_case(NAMES, name) {
        return u8::try_from(place + 1).ok();
    }
    let (base, distance) = name.split_at_checked(5)?;
    let distance = |sign| text::after(distance, sign).map_or(distance.is_empty().then_some(0), text::number);
    let number = if text::same_word(base, b"RTMIN") {
        RTMIN.checked_add(distance(b"+")?)?
    } else if text::same_word(base, b"RTMAX") {
        RTMAX.checked_sub(distance(b"-")?)?
    } else {
        return None;
    };
    u8::try_from(number).ok().filter(|_| (RTMIN..=RTMAX).contains(&number))
}

/// `A:B`: two signals; B may be 0.
#[cfg(feature = "forms")]
pub fn signals(word: &CStr) -> Option<(u8, u8)> {
    let mut second = word.to_bytes();
    let first = text::word(&mut second, b':').and_then(signal).filter(|number| *number != 0)?;
    Some((first, signal(second)?))
}

/// `A:B`: the numbers of two signals; B may be 0.
#[cfg(not(feature = "forms"))]
pub fn signals(word: &CStr) -> Option<(u8, u8)> {
    pair(word, 64).filter(|(from, _)| *from != 0 && text::has(word.to_bytes(), b':'))
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
    match (count, seconds_of(rest)) {
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

#[cfg(test)]
mod tests {
    #[cfg(feature = "forms")]
    use super::*;

    #[test]
    #[cfg(feature = "forms")]
    fn times_have_units() {
        for (word, millis) in [
            ("0", 0),
            ("5", 5000),
            ("4294967295", 4_294_967_295_000),
            ("500ms", 500),
            ("0ms", 0),
            ("5s", 5000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("3d", 259_200_000),
            ("1m30s", 90_000),
            ("1s500ms", 1500),
        ] {
            assert_eq!(time_of(word.as_bytes()), Some(millis), "{word}");
        }
        for bad in "| 5|5 |-1|+1|ms|s5|5x|1.5s|0.5|5S|5 s|1m30|5sec|4294967296s|5s |1m,5s".split('|') {
            assert_eq!(time_of(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    #[cfg(feature = "forms")]
    fn signals_have_names() {
        for (word, number) in [
            ("0", 0),
            ("64", 64),
            ("TERM", 15),
            ("SIGTERM", 15),
            ("term", 15),
            ("sigterm", 15),
            ("HUP", 1),
            ("SYS", 31),
            ("USR1", 10),
            ("WINCH", 28),
            ("STKFLT", 16),
            ("RTMIN", 34),
            ("SIGRTMIN+3", 37),
            ("rtmin+30", 64),
            ("RTMAX", 64),
            ("RTMAX-14", 50),
            ("SIGRTMAX-30", 34),
        ] {
            assert_eq!(signal(word.as_bytes()), Some(number), "{word}");
        }
        for bad in "|SIG|65|-1|TER|TERMS|SIGSIGTERM|SIG15|RTMIN+|RTMIN+31|RTMIN-1|RTMAX-31|RTMAX+1|RTMIN 3|RTMIN+4294967295|RTMAX-4294967295|SI|HUP INT| TERM".split('|') {
            assert_eq!(signal(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(signals(c"TERM:INT"), Some((15, 2)));
        assert_eq!(signals(c"15:0"), Some((15, 0)));
        for bad in [c"TERM", c"TERM:", c":INT", c"0:15", c"TERM:INT:HUP", c"TERM=INT"] {
            assert_eq!(signals(bad), None, "{bad:?}");
        }
        // As the C library numbers them.
        for number in 1..32 {
            let name = nix::sys::signal::Signal::try_from(number).expect("a signal").as_str();
            assert_eq!(signal(name.as_bytes()).map(i32::from), Some(number), "{name}");
        }
        assert_eq!((libc::SIGRTMIN(), libc::SIGRTMAX()), (34, 64));
    }

    #[test]
    #[cfg(feature = "forms")]
    fn sizes_have_units_where_they_may() {
        for good in [c"1", c"0x10", c"010", c"64K", c"10m", c"1G", c"2T", c"0x10k", c"8388607T"] {
            assert!(size(good, true).is_ok(), "{good:?}");
        }
        for bad in [c"", c"0", c"K", c"0K", c"1KB", c"1.5G", c"-1", c"1P", c"8388608T", c"99999999999T", c"0x", c"K1"] {
            assert!(size(bad, true).is_err(), "{bad:?}");
        }
        assert!(size(c"64K", false).is_err() && size(c"65536", false).is_ok());
    }
}
