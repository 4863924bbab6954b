//! tini, under its own name and the names that docker and podman give it.

use core::ffi::CStr;

use engine::report::exit;
use engine::report::wording::{Event, Wording};
use engine::say;
use engine::spec::{Audience, End};
use engine::sys::{Signal, Standard, write};
use engine::text::Say;
use engine::text::{self, Text};
use rustix::process::{Pid, child_subreaper, getpid};

use super::super::builder::{Asked, Context, Draft};
use super::super::complaint::Wrong;
use super::super::rows::{Group, Values, Vocabulary, rows, title};
use super::super::texts::Texts;

pub static TINI: Vocabulary = Vocabulary {
    names: "tini tini-static docker-init podman-init ",
    wording: &WORDING,
    begin,
    rows: ROWS,
    helps: HELPS,
    groups: GROUPS,
    act,
    end,
    texts: Texts {
        help: HELP,
        version: say!("tini version 0.19.0 - git.de40ad0\n"),
        short_name: true,
        unknown_letter: say!("&: invalid option -- '#'\n"),
        unknown_word: say!("&: invalid option -- '-'\n"),
        value_missing: say!("&: option requires an argument -- '#'\n"),
        value_too_much: say!("&: invalid option -- '-'\n"),
        value_wrong: say!("[FATAL tini (@)] Not a valid option for $: #\n"),
        usage: HELP,
        ..Texts::NONE
    },
    abbreviates: false,
    long_alone: true,
    ..Vocabulary::GETOPT
};

static WORDING: Wording = Wording {
    prefix: say!("[FATAL tini (@)] "),
    event: |event| match event {
        Event::Started => say!("[INFO  tini (@)] Spawned child process '&' with pid '%'"),
        Event::Forwarded => say!("[DEBUG tini (@)] Passing signal: '%'"),
        Event::Exited | Event::Killed => say!("[DEBUG tini (@)] Reaped child with pid: '%'"),
        Event::Ended => say!("[INFO  tini (@)] Main child exited normally (with status '%')"),
        Event::Died => say!("[INFO  tini (@)] Main child exited with signal (with signal '%')"),
        Event::Reaped => say!("[WARN  tini (@)] Reaped zombie process with pid=%"),
        Event::ChildChanged => say!("[DEBUG tini (@)] Received SIGCHLD"),
        _ => Say::NOTHING,
    },
    tells_of_command: true,
    events_to: Standard::Output,
    execute: say!("exec & failed"),
    not_executable: exit::NOT_EXECUTABLE.number,
    not_found: exit::NOT_FOUND.number,
    ..Wording::OTHER
};

rows! { draft, values, value:
    say!(""), Anywhere => {
        "--version", say!("") => draft.asked = Asked::Version,
        "-h", say!("") => draft.asked = Asked::Help,
        "-l", say!("") => draft.asked = Asked::Licence,
        "-s", say!("") => draft.spec.life.subreaper = true,
        "-p SIGNAL", say!("") => draft.spec.life.die_with_parent = Some(signal(value.to_bytes()).ok_or(Wrong::ANY)?),
        "-v", say!("") => draft.verbosity = draft.verbosity.saturating_add(1),
        "-w", say!("") => draft.spec.life.tell_reaped = true,
        "-g", say!("") => draft.spec.life.audience = Audience::Group,
        "-e EXIT_CODE", say!("") => draft.remap.push((code(value).ok_or(Wrong::ANY)?, 0)),
    }
}

/// An exit status. As with strtol(3), an empty text is 0.
fn code(value: &CStr) -> Option<u8> {
    if value.is_empty() {
        return Some(0);
    }
    let (most, digits) = match value.to_bytes() {
        [b'-', digits @ ..] => (0, digits),
        digits => (u8::MAX, digits),
    };
    let (code, _) = text::leading_number(digits).filter(|(code, rest)| rest.is_empty() && *code <= most.into())?;
    u8::try_from(code).ok()
}

fn begin(draft: &mut Draft) -> Result<(), Say> {
    draft.spec.life.end = End::AtOnce;
    draft.spec.life.subreaper = draft.caller_env(b"TINI_SUBREAPER").is_some();
    if draft.caller_env(b"TINI_KILL_PROCESS_GROUP").is_some() {
        draft.spec.life.audience = Audience::Group;
    }
    Ok(())
}

fn end(draft: &mut Draft) {
    if let Some(level) = draft.caller_env(b"TINI_VERBOSITY") {
        // The variable overrides the options. As with atoi(3), a text that is not a number is 0.
        draft.verbosity = text::leading_number(level).map_or(0, |(level, _)| level);
    }
    let life = &mut draft.spec.life;
    // 2 is INFO; every higher level is DEBUG.
    life.verbose = if draft.verbosity > 2 { 3 } else { draft.verbosity.saturating_sub(1) as u8 };
    life.tell_reaped &= draft.verbosity > 0;
    let reaps = life.subreaper || getpid() == Pid::INIT || child_subreaper().is_ok_and(|reaper| reaper.is_some());
    if !reaps && draft.verbosity > 0 && draft.asked == Asked::Run && !draft.spec.exec.argv.is_none() {
        let mut line = Text::new();
        line.push(b"[WARN  tini (").push_own_id().push(b")] ");
        write(Standard::Error, line.say(WARNING).bytes());
    }
}

const WARNING: Say = say!(
    "Tini is not running as PID 1 and isn't registered as a child subreaper.
Zombie processes will not be re-parented to Tini, so zombie reaping won't work.
To fix the problem, use the -s option or set the environment variable TINI_SUBREAPER to register Tini as a child \
subreaper, or run Tini as PID 1.
"
);

/// The numbers of signals 1 to 31 are the places of their names.
const SIGNALS: &[u8] = b"HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM - CHLD CONT STOP \
    TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH - - SYS";

fn signal(name: &[u8]) -> Option<Signal> {
    let bare = name.strip_prefix(b"SIG")?;
    let place = text::place(SIGNALS, bare).filter(|_| bare != b"-")?;
    Some(Signal::new(place as i32 + 1))
}

#[cfg(not(feature = "help"))]
const HELP: Say = say!("Usage: & [OPTIONS] PROGRAM -- [ARGS] | --version\n");

#[cfg(feature = "help")]
const HELP: Say = say!(
    "& (tini version 0.19.0 - git.de40ad0)
Usage: & [OPTIONS] PROGRAM -- [ARGS] | --version

Execute a program under the supervision of a valid init process (&)

Command line options:

  --version: Show version and exit.
  -h: Show this help message and exit.
  -s: Register as a process subreaper (requires Linux >= 3.4).
  -p SIGNAL: Trigger SIGNAL when parent dies, e.g. \"-p SIGKILL\".
  -v: Generate more verbose output. Repeat up to 3 times.
  -w: Print a warning when processes are getting reaped.
  -g: Send signals to the child's process group.
  -e EXIT_CODE: Remap EXIT_CODE (from 0 to 255) to 0.
  -l: Show license and exit.

Environment variables:

  TINI_SUBREAPER: Register as a process subreaper (requires Linux >= 3.4).
  TINI_VERBOSITY: Set the verbosity level (default: 1).
  TINI_KILL_PROCESS_GROUP: Send signals to the child's process group.

"
);
