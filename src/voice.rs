//! The words of the other names: how each of them says that something failed or happened, and its exit statuses.
//!
//! Chosen once, at the start, by the name that nsinit was started under; scripts read these lines.

use core::ffi::CStr;
use core::sync::atomic::{AtomicU8, Ordering};

use rustix::process::getpid;

use crate::sys::{Say, Standard, say};
use crate::text::Text;

/// What `-v` tells of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// CMD is this process.
    Started,
    /// This signal is passed on.
    Forwarded,
    /// This process, not CMD, has been reaped.
    Reaped,
    /// CMD's exit status is this.
    Ended,
}

/// One way of speaking.
pub struct Voice {
    /// The beginning of each line about a failure. `@` stands for our process id.
    fatal: Say,
    /// The lines of an [`Event`], in their order: `@` stands for our process id, `%` for the number, `&` for CMD.
    events: [Say; 4],
    /// Where they go.
    pub events_to: Standard,
    /// How it says that CMD could not be executed; `&` stands for CMD.
    pub execute: Say,
    /// A failure of its own.
    pub failed: u8,
    /// CMD was found and may not be executed: EACCES.
    pub not_executable: u8,
    /// CMD was not found.
    pub not_found: u8,
    /// Any other reason why CMD was not executed.
    pub not_executed: u8,
}

/// What tells the native voice, the only one that gives hints.
pub const NATIVE_FAILED: u8 = 125;

static VOICES: [Voice; 4] = [
    Voice {
        fatal: say(c"nsinit: "),
        events: [
            say(c"nsinit: CMD is process %"),
            say(c"nsinit: forward signal %"),
            say(c"nsinit: reaped process %"),
            say(c"nsinit: CMD's exit status is %"),
        ],
        events_to: Standard::Error,
        execute: say(c"execute &"),
        failed: NATIVE_FAILED,
        not_executable: 126,
        not_found: 127,
        not_executed: 126,
    },
    Voice {
        fatal: say(c"[FATAL tini (@)] "),
        events: [
            say(c"[INFO  tini (@)] Spawned child process '&' with pid '%'"),
            say(c"[DEBUG tini (@)] Passing signal: '%'"),
            say(c"[WARN  tini (@)] Reaped zombie process with pid=%"),
            say(c"[INFO  tini (@)] Main child exited normally (with status '%')"),
        ],
        events_to: Standard::Output,
        execute: say(c"exec & failed"),
        failed: 1,
        not_executable: 126,
        not_found: 127,
        not_executed: 1,
    },
    Voice {
        fatal: say(c"[dumb-init] "),
        events: [
            say(c"[dumb-init] Child spawned with PID %."),
            say(c"[dumb-init] Forwarded signal % to children."),
            say(c"[dumb-init] A child with PID % exited."),
            say(c"[dumb-init] Child exited with status %. Goodbye."),
        ],
        events_to: Standard::Error,
        execute: say(c"&"),
        failed: 1,
        not_executable: 2,
        not_found: 2,
        not_executed: 2,
    },
    Voice {
        fatal: say(c"ERROR (catatonit:@): "),
        events: [
            say(c"DEBUG (catatonit:@): pid1 (%) spawned: &"),
            say(c"DEBUG (catatonit:@): forwarding signal % to pid1"),
            say(c"DEBUG (catatonit:@): child process % exited"),
            say(c"DEBUG (catatonit:@): pid1 exited with code %"),
        ],
        events_to: Standard::Error,
        execute: say(c"failed to exec pid1"),
        failed: 1,
        not_executable: 1,
        not_found: 1,
        not_executed: 1,
    },
];

/// Whose name it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Name {
    Nsinit = 0,
    Tini = 1,
    DumbInit = 2,
    Catatonit = 3,
}

static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// From now on every message is in the words of `name`.
pub fn speak_as(name: Name) {
    CHOSEN.store(name as u8, Ordering::Relaxed);
}

/// The voice that was chosen.
#[must_use]
pub fn chosen() -> &'static Voice {
    let index = usize::from(CHOSEN.load(Ordering::Relaxed));
    VOICES.get(index).unwrap_or(&VOICES[0])
}

impl Voice {
    /// Begins a line about a failure.
    pub fn begin(&self, line: &mut Text) {
        fill_in(line, self.fatal, 0, b"");
    }

    /// The line of an event.
    pub fn event(&self, line: &mut Text, event: Event, number: i32, command: &CStr) {
        fill_in(line, self.events.get(event as usize).copied().unwrap_or(Say::NOTHING), number, command.to_bytes());
    }
}

/// Appends `pattern`: `@` stands for our process id, `%` for `number`, `&` for `word`.
pub fn fill_in(line: &mut Text, pattern: Say, number: i32, word: &[u8]) {
    for &byte in pattern.bytes() {
        match byte {
            b'@' => line.push_number(getpid().as_raw_nonzero().get().cast_unsigned()),
            b'%' => line.push_number(number.cast_unsigned()),
            b'&' => line.push_printable(word),
            _ => line.byte(byte),
        };
    }
}
