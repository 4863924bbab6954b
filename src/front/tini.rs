//! tini, under its own name and those that docker and podman give it.

use engine::spec::{Audience, End};
use engine::sys::{Signal, Standard, write};
use engine::text::{self, Text};
use engine::voice::Name;
use rustix::process::{Pid, child_subreaper, getpid};

use super::draft::{Asked, Draft};
use super::words::{Group, Row, Texts, Vocabulary, Wrong};

pub static TINI: Vocabulary = Vocabulary {
    names: "tini tini-static docker-init podman-init ",
    voice: Name::Tini,
    begin,
    groups: &[Group { title: "", contained: false, rows: ROWS }],
    end,
    texts: Texts {
        help: HELP,
        version: concat!("tini version 0.19.0 - git.nsinit-", env!("CARGO_PKG_VERSION"), "\n"),
        help_to: Standard::Output,
        version_to: Standard::Output,
        short_name: true,
        unknown_letter: "&: invalid option -- '#'\n",
        unknown_word: "&: invalid option -- '-'\n",
        value_missing: "&: option requires an argument -- '#'\n",
        value_too_much: "&: invalid option -- '-'\n",
        value_wrong: "[FATAL tini (@)] Not a valid option for $: #\n",
        usage: HELP,
        ..Texts::NONE
    },
    abbreviates: false,
};

const fn row(text: &'static str, act: super::words::Act) -> Row {
    Row { text, act }
}

const ROWS: &[Row] = &[
    row("--version\t", |draft, _, _| ask(draft, Asked::Version)),
    row("-h\t", |draft, _, _| ask(draft, Asked::Help)),
    row("-l\t", |draft, _, _| ask(draft, Asked::Licence)),
    row("-s\t", |draft, _, _| {
        draft.spec.life.subreaper = true;
        Ok(())
    }),
    row("-p SIGNAL\t", |draft, name, _| {
        draft.spec.life.die_with_parent = Some(signal(name.to_bytes()).ok_or("")?);
        Ok(())
    }),
    row("-v\t", |draft, _, _| {
        draft.verbosity = draft.verbosity.saturating_add(1);
        Ok(())
    }),
    row("-w\t", |draft, _, _| {
        draft.spec.life.tell_reaped = true;
        Ok(())
    }),
    row("-g\t", |draft, _, _| {
        draft.spec.life.audience = Audience::Group;
        Ok(())
    }),
    row("-e EXIT_CODE\t", |draft, code, _| {
        // As strtol(3) has it, nothing is 0.
        let whole = text::leading_number(code.to_bytes()).filter(|(_, rest)| rest.is_empty());
        let code = if code.is_empty() { Some(0) } else { whole.map(|(code, _)| code) };
        draft.remap.push((code.and_then(|code| u8::try_from(code).ok()).ok_or("")?, 0));
        Ok(())
    }),
];

fn ask(draft: &mut Draft, asked: Asked) -> Result<(), Wrong> {
    draft.asked = asked;
    Ok(())
}

fn begin(draft: &mut Draft) {
    draft.spec.life.end = End::AtOnce;
    draft.spec.life.subreaper = draft.caller_env(b"TINI_SUBREAPER").is_some();
    if draft.caller_env(b"TINI_KILL_PROCESS_GROUP").is_some() {
        draft.spec.life.audience = Audience::Group;
    }
}

fn end(draft: &mut Draft) {
    if let Some(level) = draft.caller_env(b"TINI_VERBOSITY") {
        // It replaces what the options say; as atoi(3) has it, what is no number is 0.
        draft.verbosity = text::leading_number(level).map_or(0, |(level, _)| level);
    }
    let life = &mut draft.spec.life;
    life.verbose = draft.verbosity.saturating_sub(1).min(3) as u8;
    life.tell_reaped &= draft.verbosity > 0;
    let reaps = life.subreaper || getpid() == Pid::INIT || child_subreaper().is_ok_and(|reaper| reaper.is_some());
    if !reaps && draft.verbosity > 0 && draft.asked == Asked::Run && !draft.spec.argv.is_none() {
        let mut line = Text::new();
        line.push(b"[WARN  tini (").push_number(getpid().as_raw_nonzero().get().unsigned_abs()).push(b")] ");
        write(Standard::Error, line.push(WARNING).bytes());
    }
}

const WARNING: &[u8] = b"Tini is not running as PID 1 and isn't registered as a child subreaper.
Zombie processes will not be re-parented to Tini, so zombie reaping won't work.
To fix the problem, use the -s option or set the environment variable TINI_SUBREAPER to register Tini as a child \
subreaper, or run Tini as PID 1.
";

/// The numbers of signals 1 to 31 are the places of their names.
const SIGNALS: &[u8] = b"HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM - CHLD CONT STOP \
    TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH - - SYS";

fn signal(name: &[u8]) -> Option<Signal> {
    let bare = name.strip_prefix(b"SIG")?;
    let mut rest = SIGNALS;
    for number in 1.. {
        let (known, after) = text::word(rest, b' ')?;
        if known == bare && known != b"-" {
            return Some(Signal::new(number));
        }
        rest = after;
    }
    None
}

const HELP: &str = "& (tini version 0.19.0)
Usage: & [OPTIONS] PROGRAM -- [ARGS] | --version

Execute a program under the supervision of a valid init process (tini)

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

";
