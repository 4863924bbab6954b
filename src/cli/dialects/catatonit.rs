//! catatonit.

use engine::report::wording::{Event, Wording};
use engine::say;
use engine::spec::{Audience, End};
use engine::text::Say;

use super::super::builder::{Asked, Context, Draft};
use super::super::complaint::Wrong;
use super::super::rows::{Group, Values, Vocabulary, rows, title};
use super::super::texts::Texts;

pub static CATATONIT: Vocabulary = Vocabulary {
    names: "catatonit ",
    wording: &WORDING,
    begin,
    rows: ROWS,
    helps: HELPS,
    groups: GROUPS,
    act,
    texts: Texts {
        help: HELP,
        version: say!("tini version 0.1.7_catatonit\n"),
        help_to_error: true,
        unknown_letter: say!("&: invalid option -- '#'\n"),
        unknown_word: say!("&: unrecognized option '#'\n"),
        value_too_much: say!("&: option '$' doesn't allow an argument\n"),
        command_missing: say!("ERROR (catatonit:@): missing program name\n"),
        usage: USAGE,
        ..Texts::NONE
    },
    ..Vocabulary::GETOPT
};

static WORDING: Wording = Wording {
    prefix: say!("ERROR (catatonit:@): "),
    event: |event| match event {
        Event::Started => say!("DEBUG (catatonit:@): pid1 (%) spawned: &"),
        Event::Exited => say!("DEBUG (catatonit:@): child process % exited with code ^"),
        Event::Killed => say!("DEBUG (catatonit:@): child process % exited due to signal ^"),
        _ => Say::NOTHING,
    },
    execute: say!("failed to exec pid1"),
    ..Wording::OTHER
};

rows! { draft, values, _first:
    say!(""), Anywhere => {
        "-g", say!("") => draft.spec.life.audience = Audience::Group,
        "-h", say!("") => draft.asked = Asked::Help,
        "-L", say!("") => draft.asked = Asked::Licence,
        "-P", say!("") => draft.asked = Asked::Pause,
        "-V", say!("") => draft.asked = Asked::Version,
        "--version", say!("") => draft.asked = Asked::Version,
    }
}

fn begin(draft: &mut Draft) -> Result<(), Say> {
    draft.spec.life.end = End::AtOnce;
    if draft.caller_env(b"CATATONIT_DEBUG").is_some() {
        draft.spec.life.verbose = 3;
    }
    if draft.caller_env(b"CATATONIT_LOG").is_some() {
        return Err(say!("CATATONIT_LOG is reserved for future use"));
    }
    Ok(())
}

const USAGE: Say = say!("usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]\n");

#[cfg(not(feature = "help"))]
const HELP: Say = USAGE;

#[cfg(feature = "help")]
const HELP: Say = say!(
    "usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]

options:
  -g              Forward signals to pid1's process group.
  -h              Print this help page.
  -L              Print license information.
  -P              Run in pause mode (no program is run and quit on SIGINT).
  -V, --version   Print version information.

The source code can be found at <https://github.com/openSUSE/catatonit/>.
For bug reporting instructions, please see: <https://bugs.opensuse.org/>.
"
);
