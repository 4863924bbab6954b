//! The words of the other names: how each of them says that something failed or happened, and its exit statuses.
//!
//! Chosen once, at the start, by the name that nsinit was started under; scripts read these lines.

use core::sync::atomic::{AtomicU8, Ordering};

use rustix::process::getpid;

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
    /// The beginning of each line about a failure. `%` stands for our process id.
    fatal: &'static str,
    /// The same of a line about what happens.
    news: &'static str,
    /// What an [`Event`] comes to, in their order; `%` stands for the number.
    events: [&'static str; 4],
    /// How it says that CMD could not be executed; `%` stands for CMD.
    pub execute: &'static str,
    /// A failure of its own.
    pub failed: u8,
    /// CMD was found and could not be executed.
    pub not_executable: u8,
    /// CMD was not found.
    pub not_found: u8,
}

static VOICES: [Voice; 4] = [
    Voice {
        fatal: "nsinit: ",
        news: "nsinit: ",
        events: ["CMD is process %", "forward signal %", "reaped process %", "CMD's exit status is %"],
        execute: "execute %",
        failed: 125,
        not_executable: 126,
        not_found: 127,
    },
    Voice {
        fatal: "[FATAL tini (%)] ",
        news: "[INFO  tini (%)] ",
        events: [
            "Spawned child process with pid '%'",
            "Passing signal: '%'",
            "Reaped zombie process with pid=%",
            "Main child exited (with status '%')",
        ],
        execute: "exec % failed",
        failed: 1,
        not_executable: 126,
        not_found: 127,
    },
    Voice {
        fatal: "[dumb-init] ",
        news: "[dumb-init] ",
        events: [
            "Child spawned with PID %.",
            "Received signal %.",
            "A child with PID % exited.",
            "Child exited with status %. Goodbye.",
        ],
        execute: "%",
        failed: 1,
        not_executable: 2,
        not_found: 2,
    },
    Voice {
        fatal: "ERROR (catatonit:%): ",
        news: "DEBUG (catatonit:%): ",
        events: ["pid1 is process %", "forward signal %", "reaped process %", "pid1's exit status is %"],
        execute: "failed to exec pid1",
        failed: 1,
        not_executable: 1,
        not_found: 1,
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
        fill_in(line, self.fatal, getpid().as_raw_nonzero().get());
    }

    /// The line of an event.
    pub fn event(&self, line: &mut Text, event: Event, number: i32) {
        fill_in(line, self.news, getpid().as_raw_nonzero().get());
        fill_in(line, self.events.get(event as usize).copied().unwrap_or_default(), number);
    }
}

fn fill_in(line: &mut Text, pattern: &str, number: i32) {
    for byte in pattern.bytes() {
        match byte {
            b'%' => line.push_number(number.unsigned_abs()),
            _ => line.push(&[byte]),
        };
    }
}
