//! dumb-init.

use core::ffi::CStr;

use engine::spec::{Audience, End};
use engine::sys::{Standard, write};
use engine::text;
use engine::voice::Name;

use super::draft::{Asked, Draft};
use super::words::{Act, Group, Row, Texts, Vocabulary, Wrong};

pub static DUMB_INIT: Vocabulary = Vocabulary {
    names: "dumb-init ",
    voice: Name::DumbInit,
    begin,
    groups: &[Group { title: "", contained: false, rows: ROWS }],
    end,
    texts: Texts {
        help: HELP,
        version: VERSION,
        help_to: Standard::Error,
        version_to: Standard::Error,
        unknown_letter: "&: invalid option -- '#'\n",
        unknown_word: "&: unrecognized option '#'\n",
        value_missing: "&: option requires an argument -- '#'\n",
        long_value_missing: "&: option '#' requires an argument\n",
        value_too_much: "&: option '#' doesn't allow an argument\n",
        value_wrong: "Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.
This option can be specified multiple times.
Use --help for full usage.
",
        command_missing: "Usage: & [option] program [args]\nTry & --help for full usage.\n",
        ..Texts::NONE
    },
    abbreviates: true,
};

const fn row(text: &'static str, act: Act) -> Row {
    Row { text, act }
}

const ROWS: &[Row] = &[
    row("-c\t", single_child),
    row("--single-child\t", single_child),
    row("-r s:r\t", rewrite),
    row("--rewrite s:r\t", rewrite),
    row("-v\t", verbose),
    row("--verbose\t", verbose),
    row("-h\t", |draft, _, _| ask(draft, Asked::Help)),
    row("--help\t", |draft, _, _| ask(draft, Asked::Help)),
    row("-V\t", |draft, _, _| ask(draft, Asked::Version)),
    row("--version\t", |draft, _, _| ask(draft, Asked::Version)),
];

/// The highest signal that it rewrites.
const MOST: u32 = 31;
const TSTP_TTIN_TTOU: [u8; 3] = [20, 21, 22];
const STOP: u8 = 19;

fn ask(draft: &mut Draft, asked: Asked) -> Result<(), Wrong> {
    draft.asked = asked;
    Ok(())
}

fn single_child(draft: &mut Draft, _: &'static CStr, _: &'static CStr) -> Result<(), Wrong> {
    draft.spec.life.new_session = false;
    Ok(())
}

fn verbose(draft: &mut Draft, _: &'static CStr, _: &'static CStr) -> Result<(), Wrong> {
    draft.spec.life.verbose = 3;
    Ok(())
}

fn rewrite(draft: &mut Draft, pair: &'static CStr, _: &'static CStr) -> Result<(), Wrong> {
    let signal = |text| text::leading_number(text).filter(|(number, _)| *number <= MOST);
    let (from, rest) = signal(pair.to_bytes()).filter(|(from, _)| *from != 0).ok_or("")?;
    let (to, _) = rest.strip_prefix(b":").and_then(signal).ok_or("")?;
    // The last one wins.
    draft.rewrite.insert(0, (from as u8, to as u8));
    Ok(())
}

fn begin(draft: &mut Draft) {
    let debug = draft.caller_env(b"DUMB_INIT_DEBUG") == Some(b"1");
    let session = draft.caller_env(b"DUMB_INIT_SETSID") != Some(b"0");
    let life = &mut draft.spec.life;
    life.verbose = if debug { 3 } else { 0 };
    life.new_session = session;
    life.subreaper = false;
    life.stop_with_command = true;
}

fn end(draft: &mut Draft) {
    if draft.caller_env(b"DUMB_INIT_DEBUG") == Some(b"1") {
        write(Standard::Error, b"[dumb-init] Running in debug mode.\n");
    }
    let life = &mut draft.spec.life;
    life.own_group = life.new_session;
    life.audience = if life.new_session { Audience::Group } else { Audience::Command };
    life.end = if life.new_session { End::Term } else { End::AtOnce };
    if life.new_session {
        // In a session of its own, whose parent is not in it, CMD would not be stopped by these.
        draft.rewrite.extend(TSTP_TTIN_TTOU.map(|signal| (signal, STOP)));
    }
}

const VERSION: &str = "dumb-init v1.2.5\n";

const HELP: &str = "dumb-init v1.2.5
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
";
