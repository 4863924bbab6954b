//! catatonit.

use engine::spec::{Audience, End};
use engine::sys::{Say, say};
use engine::voice::Name;

use super::draft::{Asked, Draft};
use super::words::{Texts, Values, Vocabulary, Wrong, rows};

pub static CATATONIT: Vocabulary = Vocabulary {
    names: say(c"catatonit "),
    voice: Name::Catatonit,
    begin,
    rows: ROWS,
    more: None,
    act,
    contained: 0,
    end: |_| {},
    texts: Texts {
        help: HELP,
        version: say(c"tini version 0.1.7_catatonit\n"),
        help_to_error: true,
        unknown_letter: say(c"&: invalid option -- '#'\n"),
        unknown_word: say(c"&: unrecognized option '#'\n"),
        value_too_much: say(c"&: option '$' doesn't allow an argument\n"),
        command_missing: say(c"ERROR (catatonit:@): missing program name\n"),
        usage: USAGE,
        ..Texts::NONE
    },
    abbreviates: true,
    long_alone: false,
    joins_values: true,
};

rows! { draft, _first, _second, _third:
    "" {
        "-g\t" => draft.spec.life.audience = Audience::Group,
        "-h\t" => draft.asked = Asked::Help,
        "-L\t" => draft.asked = Asked::Licence,
        "-P\t" => draft.asked = Asked::Pause,
        "-V\t" => draft.asked = Asked::Version,
        "--version\t" => draft.asked = Asked::Version,
    }
}

fn begin(draft: &mut Draft) -> Result<(), Wrong> {
    draft.spec.life.end = End::AtOnce;
    if draft.caller_env(b"CATATONIT_DEBUG").is_some() {
        draft.spec.life.verbose = 3;
    }
    if draft.caller_env(b"CATATONIT_LOG").is_some() {
        return Err(say(c"CATATONIT_LOG is reserved for future use"));
    }
    Ok(())
}

const USAGE: Say = say(c"usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]\n");

const HELP: Say = say(c"usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]

options:
  -g              Forward signals to pid1's process group.
  -h              Print this help page.
  -L              Print license information.
  -P              Run in pause mode (no program is run and quit on SIGINT).
  -V, --version   Print version information.

The source code can be found at <https://github.com/openSUSE/catatonit/>.
For bug reporting instructions, please see: <https://bugs.opensuse.org/>.
");
