//! Power buttons: a press switches the machine off in the orderly way.
//!
//! A button is an input device that can report KEY_POWER: that of ACPI, a key on a gpio line, a key of a keyboard. The kernel
//! sends SIGIO when one has something to report, so process 1 still waits in one place. A device that appears later is found by an
//! inotify(7) on `DIRECTORY`, which sends SIGIO too. It wakes process 1 only for new input devices; a netlink socket for uevents would wake it
//! for each device of the machine.

use core::ffi::CStr;

use rustix::fs::{OFlags, inotify};
use rustix::process::getpid;

use crate::report::message::warn;
use crate::say;
use crate::sys::files::{self, Fd, HERE};
use crate::sys::{self, Done, Failure, FdSlot, Kept, Siginfo, Signal};
use crate::text::{self, Say};

const DIRECTORY: &CStr = c"/dev/input";

/// So many buttons are watched. A machine has one or two of ACPI, and one on each keyboard.
const MOST: usize = 8;

static BUTTONS: [FdSlot; MOST] = [const { FdSlot::new() }; MOST];
/// The inotify.
static NEWS: FdSlot = FdSlot::new();

/// Watches all power buttons, those that appear later too.
///
/// # Errors
/// ENOSYS: the kernel has no inotify. EMFILE, ENFILE: no descriptor is free. Others: see mkdir(2).
pub fn watch() -> Done {
    let made = watch_directory();
    add_new();
    made
}

fn watch_directory() -> Done {
    // The kernel removes the directory with its last device, but not one that it has not made.
    match files::make_directory(HERE, DIRECTORY, 0o755) {
        Ok(()) | Err(Failure::EXIST) => {}
        failed => return failed,
    }
    let news = match NEWS.get() {
        Some(news) => news,
        None => {
            let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
            let news = sys::keep_open(inotify::init(flags)?);
            NEWS.set(news);
            sys::signal_on_input(news, getpid(), Signal::IO)?;
            news
        }
    };
    inotify::add_watch(news, DIRECTORY, inotify::WatchFlags::CREATE)?;
    Ok(())
}

/// Adds the buttons that are not watched yet.
fn add_new() {
    let Ok(dir) = files::open_path(DIRECTORY, OFlags::RDONLY | OFlags::DIRECTORY) else { return };
    files::each_name(dir, &mut |name| {
        if text::after(name.to_bytes(), b"event").is_some()
            && let Ok(device) = files::open(dir, name, OFlags::RDONLY | OFlags::NONBLOCK)
            && !keep(device, name)
        {
            sys::close(device);
        }
    });
    sys::close(dir);
}

/// Watches a device if it is a button that is not watched yet. Returns whether it is watched by this descriptor.
fn keep(device: Fd, name: &CStr) -> bool {
    let is_known = BUTTONS.iter().filter_map(FdSlot::get).any(|known| files::is_same(known, device) == Ok(true));
    let free = BUTTONS.iter().find(|slot| slot.get().is_none());
    let Some(slot) = free.filter(|_| !is_known && sys::has_power_key(device) == Ok(true)) else { return false };
    match sys::signal_on_input(device, getpid(), Signal::IO) {
        Ok(()) => {
            slot.set(device);
            true
        }
        Err(why) => {
            warn(say!("watch the power button"), name, why, Say::NOTHING);
            false
        }
    }
}

/// Whether a signal is about the buttons, and if so, whether one was pressed.
#[must_use]
pub fn pressed(info: &Siginfo) -> Option<bool> {
    // A process that sends SIGIO cannot choose such a code.
    if info.signal() != Signal::IO || info.code() <= 0 {
        return None;
    }
    let mut pressed = false;
    for slot in &BUTTONS {
        if let Some(button) = slot.get() {
            match sys::was_power_pressed(button) {
                Ok(was) => pressed |= was,
                // It has been removed.
                Err(_) => {
                    slot.clear();
                    sys::close(button);
                }
            }
        }
    }
    let mut events = [0u8; 512];
    if let Some(news) = NEWS.get()
        && files::read(news, &mut events).is_ok()
    {
        while files::read(news, &mut events).is_ok() {}
        // The directory may be a new one.
        let _: Done = watch_directory();
        add_new();
    }
    Some(pressed)
}

/// The descriptors that are open.
#[must_use]
pub fn kept() -> [Kept; MOST + 1] {
    let mut kept = [Kept::NONE; MOST + 1];
    for (kept, slot) in kept.iter_mut().zip(BUTTONS.iter().chain([&NEWS])) {
        *kept = Kept::ours(slot.get());
    }
    kept
}
