//! dumb-init.

use core::ffi::CStr;

use engine::report::wording::{Event, Wording};
use engine::say;
use engine::spec::{Audience, End};
use engine::sys::{Standard, write};
use engine::text;
use engine::text::Say;

use super::super::builder::{Asked, Context, Draft};
use super::super::complaint::Wrong;
use super::super::rows::{Group, Values, Vocabulary, rows, title};
use super::super::texts::Texts;

pub static DUMB_INIT: Vocabulary = Vocabulary {
    names: "dumb-init ",
    wording: &WORDING,
    begin,
    rows: ROWS,
    helps: HELPS,
    groups: GROUPS,
    act,
    end,
    texts: Texts {
        help: HELP,
        version: say!("dumb-init v1.2.5\n"),
        help_to_error: true,
        version_to_error: true,
        unknown_letter: say!("&: invalid option -- '#'\n"),
        unknown_word: say!("&: unrecognized option '#'\n"),
        value_missing: say!("&: option requires an argument -- '#'\n"),
        long_value_missing: say!("&: option '$' requires an argument\n"),
        value_too_much: say!("&: option '$' doesn't allow an argument\n"),
        value_wrong: say!(
            "Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.
This option can be specified multiple times.
Use --help for full usage.
"
        ),
        command_missing: say!("Usage: & [option] program [args]\nTry & --help for full usage.\n"),
        ..Texts::NONE
    },
    ..Vocabulary::GETOPT
};

static WORDING: Wording = Wording {
    prefix: say!("[dumb-init] "),
    event: |event| match event {
        Event::Started => say!("[dumb-init] Child spawned with PID %."),
        Event::Forwarded => say!("[dumb-init] Forwarded signal % to children."),
        Event::Exited => say!("[dumb-init] A child with PID % exited with exit status ^."),
        Event::Killed => say!("[dumb-init] A child with PID % was terminated by signal ^."),
        Event::Ended => say!("[dumb-init] Child exited with status %. Goodbye."),
        Event::Died => say!("[dumb-init] Child exited with status ^. Goodbye."),
        Event::Received | Event::ChildChanged => say!("[dumb-init] Received signal %."),
        Event::Translated => say!("[dumb-init] Translating signal % to ^."),
        Event::Dropped => say!("[dumb-init] Not forwarding signal % to children (ignored)."),
        Event::HandOff => say!("[dumb-init] Ignoring tty hand-off signal %."),
        Event::Session => say!("[dumb-init] setsid complete."),
        Event::Suspended => say!("[dumb-init] Suspending self due to TTY signal."),
        Event::NotDetached => say!("[dumb-init] Unable to detach from controlling tty (errno=% &)."),
        Event::NotAttached => say!("[dumb-init] Unable to attach to controlling tty (errno=% &)."),
        Event::Reaped | Event::Again => Say::NOTHING,
    },
    tells_of_command: true,
    execute: say!("&"),
    not_executable: 2,
    not_found: 2,
    not_executed: 2,
    ..Wording::OTHER
};

rows! { draft, values, pair:
    say!(""), Anywhere => {
        "-c", say!("") => draft.spec.life.new_session = false,
        "--single-child", say!("") => draft.spec.life.new_session = false,
        "-r s:r", say!("") => rewrite(draft, pair)?,
        "--rewrite s:r", say!("") => rewrite(draft, pair)?,
        "-v", say!("") => draft.spec.life.verbose = 3,
        "--verbose", say!("") => draft.spec.life.verbose = 3,
        "-h", say!("") => draft.asked = Asked::Help,
        "--help", say!("") => draft.asked = Asked::Help,
        "-V", say!("") => draft.asked = Asked::Version,
        "--version", say!("") => draft.asked = Asked::Version,
    }
}

/// The highest signal that dumb-init rewrites.
const MOST: u32 = 31;
const TSTP_TTIN_TTOU: [u8; 3] = [20, 21, 22];
const STOP: u8 = 19;

fn rewrite(draft: &mut Draft, pair: &'static CStr) -> Result<(), Wrong> {
    let signal = |text| text::leading_number(text).filter(|(number, _)| *number <= MOST);
    let (from, rest) = signal(pair.to_bytes()).filter(|(from, _)| *from != 0).ok_or(Wrong::ANY)?;
    let (to, _) = rest.strip_prefix(b":").and_then(signal).ok_or(Wrong::ANY)?;
    // The last one wins.
    draft.rewrite.insert(0, (from as u8, to as u8));
    Ok(())
}

fn begin(draft: &mut Draft) -> Result<(), Say> {
    let debug = draft.caller_env(b"DUMB_INIT_DEBUG") == Some(b"1");
    let session = draft.caller_env(b"DUMB_INIT_SETSID") != Some(b"0");
    let life = &mut draft.spec.life;
    life.verbose = if debug { 3 } else { 0 };
    life.new_session = session;
    life.subreaper = false;
    life.stop_with_command = true;
    Ok(())
}

fn end(draft: &mut Draft) {
    if draft.caller_env(b"DUMB_INIT_DEBUG") == Some(b"1") && !draft.spec.exec.argv.is_none() {
        write(Standard::Error, b"[dumb-init] Running in debug mode.\n");
    }
    if draft.spec.life.verbose > 0
        && draft.caller_env(b"DUMB_INIT_SETSID") == Some(b"0")
        && !draft.spec.exec.argv.is_none()
    {
        write(Standard::Error, b"[dumb-init] Not running in setsid mode.\n");
    }
    let life = &mut draft.spec.life;
    life.own_group = life.new_session;
    life.audience = if life.new_session { Audience::Group } else { Audience::Command };
    life.end = End::Term { group: life.new_session };
    if life.new_session {
        // In its own session, CMD's process group is orphaned (its parent is in another session): these signals do not stop it.
        for signal in TSTP_TTIN_TTOU {
            draft.rewrite.push((signal, STOP));
        }
    }
}

#[cfg(not(feature = "help"))]
const HELP: Say = say!("Usage: & [option] command [[arg] ...]\n");

#[cfg(feature = "help")]
const HELP: Say = say!(
    "dumb-init v1.2.5
Usage: & [option] command [[arg] ...]

dumb-init is a simple process supervisor that forwards signals to children.
It is designed to run as PID1 in minimal container environments.

Optional arguments:
   -c, --single-child   Run in single-child mode.
                        In this mode, signals are only proxied to the
                        direct child and not any of its descendants.
   -r, --rewrite s:r    Rewrite received signal s to new signal r before proxying.
                        To ignore (not proxy) a signal, rewrite it to 0.
                        This option can be specified multiple times.
   -v, --verbose        Print debugging information to stderr.
   -h, --help           Print this help message and exit.
   -V, --version        Print the current version and exit.

Full help is available online at https://github.com/Yelp/dumb-init
"
);
