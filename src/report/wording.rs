//! The words of the other names: how each of them says that something failed or happened, and its exit statuses.
//!
//! Chosen once, at the start, by the name that nsinit was started under; scripts read these lines.

use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use crate::say;
use crate::sys::Standard;
use crate::text::Say;
use crate::text::Text;

/// What happens, and may be told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// CMD is this process.
    Started,
    /// This signal is passed on.
    Forwarded,
    /// This process, not CMD, ended with that status,
    Exited,
    /// or died of that signal.
    Killed,
    /// CMD ended with this status,
    Ended,
    /// or died of this signal.
    Died,
    /// This process, not CMD, has been reaped, which the user wants to be warned of.
    Reaped,
    /// This signal has arrived; or a child has changed.
    Received,
    ChildChanged,
    /// This signal is passed on as that one; or this one not at all.
    Translated,
    Dropped,
    /// This signal of the kernel's for giving up the terminal is passed over.
    HandOff,
    /// CMD's session has been made.
    Session,
    /// We stop with CMD.
    Suspended,
    /// The terminal could not be given up, or taken.
    NotDetached,
    NotAttached,
}

/// One way of speaking. In its texts `@` stands for our process id, `%` for the first number, `^` for the second, `&` for
/// CMD.
pub struct Voice {
    /// The beginning of each line about a failure.
    fatal: Say,
    /// The lines of the events, in their order; without text, and of those behind the last, it says nothing.
    events: &'static [Say],
    /// CMD's end is told twice: as that of a child, and as CMD's.
    pub tells_of_command: bool,
    /// Where they go, but for warnings.
    pub events_to: Standard,
    /// How it says that CMD could not be executed.
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

static VOICES: [Voice; 5] = [
    Voice {
        fatal: say!("nsinit: "),
        events: &[
            say!("nsinit: CMD is process %"),
            say!("nsinit: forward signal %"),
            say!("nsinit: process % ended with status ^"),
            say!("nsinit: process % died of signal ^"),
            say!("nsinit: CMD ended with status %"),
            say!("nsinit: CMD died of signal %"),
        ],
        tells_of_command: false,
        events_to: Standard::Error,
        execute: say!("execute &"),
        failed: NATIVE_FAILED,
        not_executable: 126,
        not_found: 127,
        not_executed: 126,
    },
    Voice {
        fatal: say!("[FATAL tini (@)] "),
        events: &[
            say!("[INFO  tini (@)] Spawned child process '&' with pid '%'"),
            say!("[DEBUG tini (@)] Passing signal: '%'"),
            say!("[DEBUG tini (@)] Reaped child with pid: '%'"),
            say!("[DEBUG tini (@)] Reaped child with pid: '%'"),
            say!("[INFO  tini (@)] Main child exited normally (with status '%')"),
            say!("[INFO  tini (@)] Main child exited with signal (with signal '%')"),
            say!("[WARN  tini (@)] Reaped zombie process with pid=%"),
            Say::NOTHING,
            say!("[DEBUG tini (@)] Received SIGCHLD"),
        ],
        tells_of_command: true,
        events_to: Standard::Output,
        execute: say!("exec & failed"),
        failed: 1,
        not_executable: 126,
        not_found: 127,
        not_executed: 1,
    },
    Voice {
        fatal: say!("[dumb-init] "),
        events: &[
            say!("[dumb-init] Child spawned with PID %."),
            say!("[dumb-init] Forwarded signal % to children."),
            say!("[dumb-init] A child with PID % exited with exit status ^."),
            say!("[dumb-init] A child with PID % was terminated by signal ^."),
            say!("[dumb-init] Child exited with status %. Goodbye."),
            say!("[dumb-init] Child exited with status ^. Goodbye."),
            Say::NOTHING,
            say!("[dumb-init] Received signal %."),
            say!("[dumb-init] Received signal %."),
            say!("[dumb-init] Translating signal % to ^."),
            say!("[dumb-init] Not forwarding signal % to children (ignored)."),
            say!("[dumb-init] Ignoring tty hand-off signal %."),
            say!("[dumb-init] setsid complete."),
            say!("[dumb-init] Suspending self due to TTY signal."),
            say!("[dumb-init] Unable to detach from controlling tty (errno=% &)."),
            say!("[dumb-init] Unable to attach to controlling tty (errno=% &)."),
        ],
        tells_of_command: true,
        events_to: Standard::Error,
        execute: say!("&"),
        failed: 1,
        not_executable: 2,
        not_found: 2,
        not_executed: 2,
    },
    Voice {
        fatal: say!("ERROR (catatonit:@): "),
        events: &[
            say!("DEBUG (catatonit:@): pid1 (%) spawned: &"),
            Say::NOTHING,
            say!("DEBUG (catatonit:@): child process % exited with code ^"),
            say!("DEBUG (catatonit:@): child process % exited due to signal ^"),
        ],
        tells_of_command: false,
        events_to: Standard::Error,
        execute: say!("failed to exec pid1"),
        failed: 1,
        not_executable: 1,
        not_found: 1,
        not_executed: 1,
    },
    Voice {
        fatal: say!("bwrap: "),
        events: &[],
        tells_of_command: false,
        events_to: Standard::Error,
        execute: say!("execvp &"),
        failed: 1,
        not_executable: 1,
        not_found: 1,
        not_executed: 1,
    },
];

/// What bubblewrap says instead, where it is not "Can't" and the same.
static BWRAP: [(Say, Say); 20] = [
    (say!("copy the mount of"), say!("Can't find source path")),
    (say!("make directory"), say!("Can't mkdir")),
    (say!("make file"), say!("Can't create file")),
    (say!("make symbolic link"), say!("Can't make symlink at")),
    (say!("change the mode of"), say!("Can't chmod")),
    (say!("make read-only"), say!("Can't remount readonly on")),
    (say!("enter directory"), say!("Can't chdir to")),
    (say!("create namespaces"), say!("Creating new namespace failed")),
    (say!("write setgroups"), say!("error writing to setgroups")),
    (say!("write uid_map"), say!("setting up uid map")),
    (say!("write gid_map"), say!("setting up gid map")),
    (say!("write"), say!("Write to")),
    (say!("make every mount below / a slave"), say!("Failed to make / slave")),
    (say!("lock"), say!("Unable to lock file")),
    (say!("open lock file"), say!("Unable to open lock file")),
    (say!("open directory"), say!("Can't find source path")),
    (say!("mount an overlay on"), say!("Can't make overlay mount on")),
    (say!("filter system calls"), say!("Unable to set up system call filtering as requested")),
    (say!("join the user namespace"), say!("Joining the specified user namespace failed:")),
    (say!("join the pid namespace"), say!("Setting pidns failed:")),
];

/// How the chosen name says that this could not be done.
pub fn push_undone(line: &mut Text, says: Say) {
    if !speaks_as(Name::Bwrap) {
        line.say(says);
    } else if let Some((_, its)) = BWRAP.iter().find(|(ours, _)| *ours == says) {
        line.say(*its);
    } else {
        line.say(say!("Can't ")).say(says);
    }
}

/// How much a line matters, syslog(3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Failure = 3,
    Warning = 4,
}

/// Whose name it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Name {
    Nsinit = 0,
    Tini = 1,
    DumbInit = 2,
    Catatonit = 3,
    Bwrap = 4,
}

static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// From now on every message is in the words of `name`.
pub fn speak_as(name: Name) {
    CHOSEN.store(name as u8, Ordering::Relaxed);
}

/// Whether that name was chosen.
#[must_use]
pub fn speaks_as(name: Name) -> bool {
    CHOSEN.load(Ordering::Relaxed) == name as u8
}

static LEVELS: AtomicBool = AtomicBool::new(false);

/// From now on every line begins with its severity (syslog(3)): `<3>` a failure, `<4>` a warning.
pub fn tell_levels() {
    LEVELS.store(true, Ordering::Relaxed);
}

/// The voice that was chosen.
#[must_use]
#[inline(never)]
pub fn chosen() -> &'static Voice {
    let index = usize::from(CHOSEN.load(Ordering::Relaxed));
    VOICES.get(index).unwrap_or(&VOICES[0])
}

impl Voice {
    /// Begins a line about a failure.
    pub fn begin(&self, line: &mut Text, level: Level) {
        if LEVELS.load(Ordering::Relaxed) {
            line.byte(b'<').push_number(level as u32).byte(b'>');
        }
        fill_in(line, self.fatal, [0, 0], b"");
    }

    /// The line of an event, without its end.
    pub fn event(&self, line: &mut Text, event: Event, numbers: [i32; 2], command: &CStr) {
        let pattern = self.events.get(event as usize).copied().unwrap_or(Say::NOTHING);
        fill_in(line, pattern, numbers, command.to_bytes());
    }
}

/// Appends `pattern`: `@` stands for our process id, `%` and `^` for the numbers, `&` for `word`.
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
