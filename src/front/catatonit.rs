//! catatonit.

use engine::spec::{Audience, End};
use engine::sys::Standard;
use engine::voice::Name;

use super::draft::{Asked, Draft};
use super::words::{Act, Group, Row, Texts, Vocabulary, Wrong};

pub static CATATONIT: Vocabulary = Vocabulary {
    names: "catatonit ",
    voice: Name::Catatonit,
    begin: |draft| draft.spec.life.end = End::AtOnce,
    groups: &[Group { title: "", contained: false, rows: ROWS }],
    end: |_| {},
    texts: Texts {
        help: HELP,
        version: "tini version 0.1.7_catatonit\n",
        help_to: Standard::Error,
        version_to: Standard::Output,
        unknown_letter: "&: invalid option -- '#'\n",
        unknown_word: "&: unrecognized option '#'\n",
        value_too_much: "&: option '#' doesn't allow an argument\n",
        command_missing: "ERROR (catatonit:@): missing program name\n",
        usage: USAGE,
        ..Texts::NONE
    },
    abbreviates: true,
};

const fn row(text: &'static str, act: Act) -> Row {
    Row { text, act }
}

const ROWS: &[Row] = &[
    row("-g\t", |draft, _, _| {
        draft.spec.life.audience = Audience::Group;
        Ok(())
    }),
    row("-h\t", |draft, _, _| ask(draft, Asked::Help)),
    row("-L\t", |draft, _, _| ask(draft, Asked::Licence)),
    row("-P\t", |draft, _, _| ask(draft, Asked::Pause)),
    row("-V\t", |draft, _, _| ask(draft, Asked::Version)),
    row("--version\t", |draft, _, _| ask(draft, Asked::Version)),
];

fn ask(draft: &mut Draft, asked: Asked) -> Result<(), Wrong> {
    draft.asked = asked;
    Ok(())
}

const USAGE: &str = "usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]\n";

const HELP: &str = "usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]

options:
  -g              Forward signals to pid1's process group.
  -h              Print this help page.
  -L              Print license information.
  -P              Run in pause mode (no program is run and quit on SIGINT).
  -V, --version   Print version information.

The source code can be found at <https://github.com/openSUSE/catatonit/>.
For bug reporting instructions, please see: <https://bugs.opensuse.org/>.
";
