//! catatonit.

use core::ffi::CStr;

use engine::spec::{Audience, End};
use engine::sys::{Standard, write};
use engine::text::{self, Text};
use engine::voice::Name;
use rustix::process::getpid;

use super::draft::{Asked, Draft};
use super::help::LICENCE;
use super::words::{Act, Complaint, Group, Kind, Row, Vocabulary, Wrong};

pub static CATATONIT: Vocabulary = Vocabulary {
    names: "catatonit ",
    voice: Name::Catatonit,
    begin: |draft| draft.spec.life.end = End::AtOnce,
    groups: &[Group { title: "", contained: false, rows: ROWS }],
    end: |_| {},
    complain,
    print,
    abbreviates: true,
    shell: false,
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

fn complain(complaint: &Complaint, program: &CStr) -> i32 {
    let mut line = Text::new();
    match complaint.kind {
        Kind::CommandMissing => {
            line.push(b"ERROR (catatonit:").push_number(getpid().as_raw_nonzero().get().unsigned_abs());
            line.push(b"): missing program name\n");
        }
        Kind::UnknownLetter(letter) => {
            line.push(program.to_bytes()).push(b": invalid option -- '");
            line.push(letter.encode_utf8(&mut [0; 4]).as_bytes()).push(b"'\n");
        }
        Kind::ValueTooMuch => {
            let option = text::word(complaint.word.to_bytes(), b'=').unwrap_or_default().0;
            line.push(program.to_bytes()).push(b": option '").push(option).push(b"' doesn't allow an argument\n");
        }
        _ => {
            line.push(program.to_bytes()).push(b": unrecognized option '");
            line.push(complaint.word.to_bytes()).push(b"'\n");
        }
    }
    write(Standard::Error, line.push(USAGE.as_bytes()).bytes());
    1
}

fn print(asked: Asked, _program: &CStr) {
    match asked {
        Asked::Version => write(Standard::Output, b"tini version 0.1.7_catatonit\n"),
        Asked::Licence => write(Standard::Output, LICENCE.as_bytes()),
        _ => write(Standard::Error, USAGE.as_bytes()) && write(Standard::Error, HELP.as_bytes()),
    };
}

const USAGE: &str = "usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]\n";

const HELP: &str = "
options:
  -g              Forward signals to pid1's process group.
  -h              Print this help page.
  -L              Print license information.
  -P              Run in pause mode (no program is run and quit on SIGINT).
  -V, --version   Print version information.

The source code can be found at <https://github.com/openSUSE/catatonit/>.
For bug reporting instructions, please see: <https://bugs.opensuse.org/>.
";
