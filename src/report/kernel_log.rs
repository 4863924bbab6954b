//! The kernel's log, /dev/kmsg: the first process of a machine writes its messages there, so that none is lost where there are
//! several consoles, or one whose line is dead.
//!
//! The kernel itself prints a message of the log on all consoles if its severity is below console_loglevel (syslog(2)): 3, a failure, in
//! spite of `quiet`. nsinit prints those that the kernel does not print, on standard error, so that each message is on the
//! console once. Neither write can block: the kernel drops what a console does not take, and nsinit what is not taken in 100 ms.
//!
//! The file is opened for each message: the kernel limits the number of messages by open file (printk_devkmsg).

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rustix::fs::OFlags;

use crate::sys::files::{self, Fd};
use crate::sys::{self, Polled, Standard, Time, WRITABLE};
use crate::text;

/// Whether messages go to the log.
static ON: AtomicBool = AtomicBool::new(false);

/// console_loglevel, for the time in which it cannot be read. 0, below which is no severity, if it is not known: then messages are printed.
static LEVEL: AtomicU32 = AtomicU32::new(0);

/// From now on messages go to the log too.
pub fn begin() {
    ON.store(true, Ordering::Relaxed);
}

/// From now on messages go to standard error only: in a container, /dev/kmsg may be any file.
pub fn end() {
    ON.store(false, Ordering::Relaxed);
}

/// Stores console_loglevel, the first number of kernel/printk in /proc/sys, for the time in which there is no /proc.
pub fn learn(printk: Fd) {
    if let Some(level) = level_in(printk) {
        LEVEL.store(level, Ordering::Relaxed);
    }
}

/// Whether messages go to the log.
#[must_use]
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Writes a line that begins with its severity, `<3>`, to the log, and to standard error if the kernel does not print it.
pub fn write(line: &[u8]) {
    // What other processes have written to the console comes first.
    flush(TRIES);
    let [b'<', severity, b'>', rest @ ..] = line else { return };
    let log = files::open_path(c"/dev/kmsg", OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY);
    let logged = log.is_ok_and(|log| {
        let written = files::write(log, line).is_ok();
        sys::close(log);
        written
    });
    let printed = u32::from(severity.wrapping_sub(b'0')) < console_level();
    // Without a console the descriptor for messages is the log itself.
    if logged && (printed || sys::sends_messages()) {
        return;
    }
    // A terminal that can be written to takes a whole line.
    let mut console = [Polled::new(Standard::Error.fd(), WRITABLE)];
    if sys::poll(&mut console, Some(PATIENCE)) != Ok(0) {
        sys::write(Standard::Error, rest);
    }
}

/// Waits until the console has sent what was written to it, so many times 10 ms at most: a process can hold the line. The kernel drops
/// what a serial line has not sent when the session that it controls ends, and when the machine does: the last words of a command.
pub fn flush(most: u32) {
    for _ in 0..most {
        if sys::unsent(Standard::Error.fd()) == 0 {
            break;
        }
        sys::pause(Time::SHORT);
    }
}

/// For [`flush`]: before a message.
const TRIES: u32 = 10;
/// For [`flush`]: before the end. At 9600 baud, 4 KiB take 4.3 seconds.
pub const AT_END: u32 = 500;
const PATIENCE: Time = Time { seconds: 0, nanos: 100_000_000 };

fn console_level() -> u32 {
    let known = || LEVEL.load(Ordering::Relaxed);
    let Ok(file) = files::open_path(c"/proc/sys/kernel/printk", OFlags::RDONLY) else { return known() };
    let level = level_in(file);
    sys::close(file);
    level.unwrap_or_else(known)
}

fn level_in(printk: Fd) -> Option<u32> {
    let mut content = [0u8; 16];
    let length = files::read(printk, &mut content).ok()?;
    Some(text::leading_number(content.get(..length as usize)?)?.0)
}
