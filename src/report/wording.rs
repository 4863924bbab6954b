//! The wording of messages. The engine has one wording of its own. The cli chooses the wording for the name that nsinit was
//! started under, because scripts read the lines of tini, dumb-init, catatonit and bubblewrap.

use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::report::{exit, kernel_log};
use crate::say;
use crate::spec::validate::Misuse;
use crate::sys::{Failure, Shared, Standard};
use crate::text::Say;
use crate::text::Text;

/// Events while the command runs that may be reported. Below, "this" is the first number of an event and "that" the second.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The command is this process.
    Started,
    /// This signal is forwarded.
    Forwarded,
    /// This process, which is not the command, ended with that status.
    Exited,
    /// That signal killed this process, which is not the command.
    Killed,
    /// The command ended with this status.
    Ended,
    /// This signal killed the command; its exit status is that.
    Died,
    /// This process, which is not the command, has been reaped: a warning.
    Reaped,
    /// This signal has arrived.
    Received,
    /// SIGCHLD has arrived.
    ChildChanged,
    /// This signal is forwarded as that one.
    Translated,
    /// This signal is not forwarded.
    Dropped,
    /// The kernel sends this signal because the terminal was given up; it is ignored.
    HandOff,
    /// The command's session exists.
    Session,
    /// The command of a machine starts again, in so many seconds.
    Again,
    /// nsinit stops with the command.
    Suspended,
    /// The terminal could not be given up.
    NotDetached,
    /// The terminal could not be taken.
    NotAttached,
}

/// Which messages get a hint.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Hints {
    All,
    /// All except the message that the command could not be executed.
    NotOfCommand,
    None,
}

/// One way to word messages. In the texts of events and of `execute`, `@` stands for nsinit's process id, `%` and `^` for two
/// numbers, `&` for the command.
pub struct Wording {
    /// The beginning of each message.
    pub prefix: Say,
    /// The text before the verb of a failure.
    pub cannot: Say,
    /// Verbs, each with the text that replaces `cannot` and the verb.
    pub verbs: &'static [(Say, Say)],
    /// The text that replaces `cannot`, a verb and its reason; [`Say::NOTHING`]: nothing replaces them.
    pub failure: fn(Say, Failure) -> Say,
    /// The whole sentence about options that do not go together; [`Say::NOTHING`]: nsinit's own.
    pub misuse: fn(Misuse) -> Say,
    /// The line of an event; [`Say::NOTHING`]: there is none.
    pub event: fn(Event) -> Say,
    /// Where the lines of events go, apart from warnings.
    pub events_to: Standard,
    /// The end of the command is reported twice: as the end of a child, and as the end of the command.
    pub tells_of_command: bool,
    /// A mount point that cannot be made is reported as a directory or a file, not as the mount.
    pub names_mount_points: bool,
    pub hints: Hints,
    /// The beginning of the line about a command that could not be executed.
    pub execute: Say,
    /// The exit status of nsinit's own failure.
    pub failed: u8,
    /// The exit status for a command that exists and may not be executed: EACCES.
    pub not_executable: u8,
    /// The exit status for a command that does not exist: ENOENT.
    pub not_found: u8,
    /// The exit status for a command that was not executed for any other reason.
    pub not_executed: u8,
}

impl Wording {
    /// nsinit's own, without events.
    pub const NSINIT: Wording = Wording {
        prefix: say!("nsinit: "),
        cannot: say!("cannot "),
        verbs: &[],
        failure: |_, _| Say::NOTHING,
        misuse: |_| Say::NOTHING,
        event: |_| Say::NOTHING,
        events_to: Standard::Error,
        tells_of_command: false,
        names_mount_points: false,
        hints: Hints::All,
        execute: say!("cannot execute &"),
        failed: exit::FAILED.number,
        not_executable: exit::NOT_EXECUTABLE.number,
        not_found: exit::NOT_FOUND.number,
        not_executed: exit::NOT_EXECUTABLE.number,
    };

    /// The values that the other vocabularies have in common.
    pub const OTHER: Wording = Wording {
        cannot: Say::NOTHING,
        hints: Hints::NotOfCommand,
        failed: 1,
        not_executable: 1,
        not_found: 1,
        not_executed: 1,
        ..Wording::NSINIT
    };

    /// Begins a message.
    pub fn begin(&self, line: &mut Text, level: Level) {
        if LEVELS.load(Ordering::Relaxed) || kernel_log::is_on() {
            push_level(line, level);
        }
        fill_in(line, self.prefix, [0, 0], b"");
    }

    /// Appends `cannot` and the verb.
    pub fn push_undone(&self, line: &mut Text, says: Say) {
        match self.verbs.iter().find(|(verb, _)| *verb == says) {
            Some((_, its)) => line.say(*its),
            None => line.say(self.cannot).say(says),
        };
    }

    /// Appends the line of an event, without its end.
    pub fn push_event(&self, line: &mut Text, event: Event, numbers: [i32; 2], command: &CStr) {
        let says = (self.event)(event);
        if kernel_log::is_on() && !says.is_empty() {
            push_level(line, if matches!(event, Event::Ended | Event::Died) { Level::Failure } else { Level::Notice });
        }
        fill_in(line, says, numbers, command.to_bytes());
    }
}

/// The severity of a message (syslog(3)).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Failure = 3,
    Warning = 4,
    Notice = 5,
}

fn push_level(line: &mut Text, level: Level) {
    line.byte(b'<').push_number(level as u32).byte(b'>');
}

static NSINIT: Wording = Wording::NSINIT;
static CHOSEN: Shared<Wording> = Shared::new(&NSINIT);
static LEVELS: AtomicBool = AtomicBool::new(false);

/// Words every message from now on with `wording`.
pub fn choose(wording: &'static Wording) {
    CHOSEN.set(wording);
}

/// The wording that was chosen.
#[must_use]
pub fn chosen() -> &'static Wording {
    CHOSEN.get()
}

/// From now on every message begins with its severity (syslog(3)): `<3>` a failure, `<4>` a warning.
pub fn begin_with_levels() {
    LEVELS.store(true, Ordering::Relaxed);
}

/// Appends `pattern`: `@` stands for nsinit's process id, `%` and `^` for the numbers, `&` for `word`.
pub fn fill_in(line: &mut Text, pattern: Say, numbers: [i32; 2], word: &[u8]) {
    let [first, second] = numbers;
    pattern.each(&mut |byte| {
        match byte {
            b'@' => line.push_own_id(),
            b'%' => line.push_number(first.cast_unsigned()),
            b'^' => line.push_number(second.cast_unsigned()),
            b'&' => line.push_printable(word),
            _ => line.byte(byte),
        };
    });
}
