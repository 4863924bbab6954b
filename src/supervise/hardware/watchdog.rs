//! The watchdog: a device that restarts the machine unless process 1 feeds it.
//!
//! Process 1 feeds it wherever it waits, up to the last unmount, and nowhere else: a process 1 that hangs in a system call feeds nothing. Each of
//! these waits has an end of its own, except the one for CMD and that of `--wait-all`.

use core::ffi::CStr;
use core::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::OFlags;

use crate::report::message::{warn, warning};
use crate::say;
use crate::sys::files;
use crate::sys::{self, Done, FdSlot, Kept, Time};
use crate::text::{Say, Text};

const PATH: &CStr = c"/dev/watchdog";

static DEVICE: FdSlot = FdSlot::new();
/// The time of the device, in seconds.
static SECONDS: AtomicU32 = AtomicU32::new(0);

/// Starts the watchdog, which is to wait so many seconds. If the device does not take that time, its own time counts, with a warning.
///
/// # Errors
/// ENOENT: there is no watchdog. EBUSY: another process has it open. Others: see open(2).
pub fn start(seconds: u32) -> Done {
    let device = files::open_path(PATH, OFlags::WRONLY)?;
    DEVICE.set(device);
    let taken = sys::set_watchdog(device, seconds).or_else(|why| {
        warn(say!("set the time of"), PATH, why, Say::NOTHING);
        sys::watchdog_time(device)
    });
    let taken = taken.unwrap_or(seconds);
    if taken != seconds {
        warning(Text::new().say(say!("the watchdog waits ")).push_number(taken).say(say!(" seconds")));
    }
    SECONDS.store(taken.max(1), Ordering::Relaxed);
    feed();
    Ok(())
}

/// Feeds the watchdog. Returns the time by which it must be fed again; `None`: there is none.
pub fn feed() -> Option<Time> {
    let device = DEVICE.get()?;
    // The character `V` alone has a meaning.
    if let Err(why) = files::write(device, b"-") {
        warn(say!("feed"), PATH, why, Say::NOTHING);
        DEVICE.clear();
        sys::close(device);
        return None;
    }
    Some(sys::now().after_third_of(SECONDS.load(Ordering::Relaxed)))
}

/// The last that is done before the kernel ends the machine. A machine that stays off or halted needs no watchdog. At a restart it
/// goes on: if the kernel hangs, the watchdog restarts the machine.
pub fn end(restarts: bool) {
    feed();
    if !restarts && let Some(device) = DEVICE.get() {
        // The magic close of the kernel's watchdog-api.
        if let Err(why) = files::write(device, b"V") {
            warn(say!("stop"), PATH, why, Say::NOTHING);
        }
        DEVICE.clear();
        sys::close(device);
    }
}

/// The descriptor, if it is open.
#[must_use]
pub fn kept() -> Kept {
    Kept::ours(DEVICE.get())
}
