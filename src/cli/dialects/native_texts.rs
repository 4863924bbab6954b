//! The texts that nsinit prints under its own name: usage, help, version.

#[cfg(feature = "help")]
use engine::report::exit;
use engine::say;
use engine::spec::rooms;
use engine::sys::{self, Standard};
use engine::text::{self, Say, Text};

use super::super::builder::Asked;
use super::super::rows::Vocabulary;
#[cfg(feature = "help")]
use super::super::usage;

/// The ways to use nsinit, a line each.
static USES: &[Say] = &[
    #[cfg(feature = "container")]
    say!("nsinit --root DIR [OPTION...] [--] [CMD [ARG...]]      run CMD in a new container"),
    #[cfg(feature = "enter")]
    say!("nsinit --enter TARGET [OPTION...] [--] [CMD [ARG...]]  run CMD in a running container"),
    #[cfg(feature = "bwrap")]
    say!("nsinit OPTION... [--] CMD [ARG...]                     run CMD in a sandbox, as bwrap does"),
    say!("nsinit [--] CMD [ARG...]                               run CMD in place, and be its init"),
];

fn push_usage(text: &mut Text) -> &mut Text {
    for (index, way) in USES.iter().enumerate() {
        text.push(if index == 0 { b"usage: " } else { b"       " }).say(*way).byte(b'\n');
    }
    text
}

/// What this build is. scripts/build knows the commit; it is unknown where there is no git.
const VERSION: &[u8] = {
    const COMMIT: &str = match option_env!("NSINIT_COMMIT") {
        Some(commit) if !commit.is_empty() => commit,
        _ => "unknown",
    };
    const BUILD: &[u8] = if cfg!(own_start) {
        b"small"
    } else if cfg!(debug_assertions) {
        b"debug"
    } else {
        b"prebuilt std"
    };
    const LINES: &[&[&[u8]]] = &[
        &[concat!("nsinit ", env!("CARGO_PKG_VERSION")).as_bytes()],
        &[
            b"\ncommit ",
            COMMIT.as_bytes(),
            b"\ntarget ",
            rooms::TARGET.as_bytes(),
            b"\nfeatures",
            if rooms::ALL { b" whole (all)" } else { rooms::LIST },
            b"\nbuild ",
            BUILD,
            b"\n",
        ],
    ];
    const PARTS: [&[u8]; text::total(LINES)] = text::joined(LINES, b"");
    &text::joined::<u8, { text::total(&PARTS) }>(&PARTS, 0)
};

/// Prints the text that was asked for. `native` is the vocabulary, with all options.
pub fn print(native: &'static Vocabulary, asked: Asked) {
    let to = if asked == Asked::Usage { Standard::Error } else { Standard::Output };
    let mut text = Text::new();
    match asked {
        Asked::Usage => push_usage(&mut text),
        Asked::Version => text.push(VERSION),
        Asked::Common => {
            return common(native, &mut |line| {
                sys::write(to, line.bytes());
            });
        }
        _ => {
            return help(native, &mut |line| {
                sys::write(to, line.bytes());
            });
        }
    };
    sys::write(to, text.bytes());
}

/// Without the list of options.
#[cfg(not(feature = "help"))]
fn help(_: &Vocabulary, out: &mut dyn FnMut(&Text)) {
    out(push_usage(&mut Text::new()).say(say!("options: see nsinit(8)\n")));
}

/// Without the list of options.
#[cfg(not(feature = "help"))]
fn common(native: &'static Vocabulary, out: &mut dyn FnMut(&Text)) {
    help(native, out);
}

/// The options that `-h` prints.
#[cfg(feature = "help")]
const COMMON: &[u8] = b"--root --read-only --bind --ro-bind --net --map-auto --uid --setenv --memory --enter --detach";

/// Passes the text of `-h` to `out`, line by line.
#[cfg(feature = "help")]
fn common(native: &'static Vocabulary, out: &mut dyn FnMut(&Text)) {
    out(push_usage(&mut Text::new()).byte(b'\n'));
    for row in COMMON.split(|byte| *byte == b' ').filter_map(|name| native.find(name)) {
        let mut line = Text::new();
        usage::push_row(row, b"  ", &mut line);
        out(&line);
    }
    for line in [
        say!("\nnsinit --root debian --map-auto --net pasta --resolv-conf host -- apt-get update\n"),
        say!("nsinit --ro-bind / / --tmpfs /tmp --dev /dev --proc /proc --unshare-net -- make\n"),
        say!("All options: nsinit --help\n"),
    ] {
        out(Text::new().say(line));
    }
}

/// Passes the text of `--help` to `out`, line by line.
#[cfg(feature = "help")]
fn help(native: &'static Vocabulary, out: &mut dyn FnMut(&Text)) {
    out(push_usage(&mut Text::new()));
    core::iter::successors(Some(native), |words| words.more).for_each(|words| usage::rows(words, true, out));
    out(Text::new().say(say!("\nExit status: that of CMD, or\n")));
    for status in &exit::ALL {
        let mut line = Text::new();
        line.push(b"  ").push_number(status.number.into()).say(status.more);
        while line.bytes().len() < 9 {
            line.byte(b' ');
        }
        out(line.say(status.meaning).byte(b'\n'));
    }
}

#[cfg(feature = "help")]
#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::super::builder::Context;
    use super::super::super::nearest;
    use super::super::super::rows::Row;
    use super::super::native::NATIVE;
    use super::*;

    fn all() -> impl Iterator<Item = Row> {
        core::iter::successors(Some(&NATIVE), |words| words.more).flat_map(Vocabulary::lines)
    }

    #[test]
    fn every_row_has_a_name_help_and_at_most_three_values() {
        let mut names = HashSet::new();
        for row in all().filter(|row| !row.is_title()) {
            let text = row.form.0.escape_ascii();
            let hidden = matches!(row.form.name(), b"--debug-opt" | b"-h" | b"-V");
            assert!(row.form.0.starts_with(b"-") && row.help.is_empty() == hidden && row.form.count() <= 3, "{text}");
            assert!(names.insert(row.form.name()), "twice: {text}");
        }
        assert!(names.len() > 40);
    }

    fn whole_help() -> String {
        let mut text = String::new();
        help(&NATIVE, &mut |line| text += str::from_utf8(line.bytes()).expect("UTF-8"));
        text
    }

    #[test]
    fn short_help_has_the_most_used_options_on_twenty_lines() {
        let mut text = String::new();
        common(&NATIVE, &mut |line| text += str::from_utf8(line.bytes()).expect("UTF-8"));
        assert!(text.lines().count() <= 20 && text.lines().all(|line| line.len() <= 100), "{text}");
        for name in COMMON.split(|byte| *byte == b' ') {
            assert!(text.contains(&format!("  {} ", name.escape_ascii())), "{}", name.escape_ascii());
        }
    }

    fn proposal(word: &str) -> Option<String> {
        let mut line = Text::new();
        let found = nearest::propose(&NATIVE, word.as_bytes(), &mut line);
        found.then(|| String::from_utf8(line.bytes().to_vec()).expect("UTF-8"))
    }

    #[test]
    fn nearest_option_is_found() {
        for (word, found) in [
            ("--memry", Some("', did you mean '--memory'?")),
            ("--hostnam=x", Some("', did you mean '--hostname'?")),
            ("--bin", Some("', did you mean '--bind'?")),
            ("--rotot", Some("', did you mean '--root'?")),
            ("--read_only", Some("', did you mean '--read-only'?")),
            ("--volume", Some("', did you mean '--bind SRC DEST'?")),
            ("--volume=/a:/b", Some("', did you mean '--bind SRC DEST'?")),
            ("-e", Some("', did you mean '--setenv VAR VALUE'?")),
            ("--entrypoint=sh", Some("' (not needed: CMD is what runs)")),
            ("--nope", None),
            ("--no-such-option", None),
            ("--x", None),
            ("-z", None),
        ] {
            assert_eq!(proposal(word).as_deref(), found, "{word}");
        }
    }

    #[test]
    fn options_of_other_programs_lead_to_options_that_exist() {
        let mut table = Vec::new();
        nearest::OF_OTHERS.each(&mut |byte| table.push(byte));
        let table = String::from_utf8(table).expect("ASCII");
        for line in table.lines() {
            let (names, hint) = line.split_once('=').expect("names and a hint");
            for name in names.split(' ') {
                assert!(all().all(|row| row.form.name() != name.as_bytes()), "{name} is nsinit's own");
                let option = format!("', did you mean '{hint}'?");
                let expected = if hint.starts_with('-') { option } else { format!("' ({hint})") };
                assert_eq!(proposal(name), Some(expected));
            }
            for option in hint.split([' ', ',', ';']).filter(|word| word.starts_with('-')) {
                assert!(all().any(|row| row.form.name() == option.as_bytes()), "{option}");
            }
        }
    }

    #[test]
    fn help_fits_a_terminal() {
        for line in whole_help().lines() {
            assert!(line.len() <= 100, "{line}");
        }
    }

    /// scripts/man reads the help text: after an option that reaches the column of the help, only the capitals tell values from help.
    #[test]
    fn help_after_a_long_option_begins_in_small_letters() {
        for row in all() {
            let mut help = Text::new();
            let first = help.say(row.help).bytes().split(|byte| *byte == b' ').next().unwrap_or_default();
            let small = first.iter().any(u8::is_ascii_lowercase);
            assert!(
                small || row.form.0.len() + 2 < usage::COLUMN || row.help.is_empty(),
                "{}",
                row.form.0.escape_ascii()
            );
        }
    }

    /// For each context of options, the modes in which they have a meaning, and the options.
    fn modes() -> String {
        let mut text = String::from("| options | a new container | `--enter` | in place |\n|---|---|---|---|\n");
        for (context, modes) in [
            (Context::Placing, "yes | no | with `--init` in process 1, and with `--switch-root`"),
            (Context::Container, "yes | yes | no"),
            (Context::Finds, "yes | yes | yes"),
            (Context::Anywhere, "yes | yes | yes, and make no container"),
        ] {
            let has = |row: &Row| !row.is_title() && !row.help.is_empty() && row.group.context == context;
            let names: Vec<_> = all().filter(has).map(|row| format!("`{}`", row.form.name().escape_ascii())).collect();
            text += &format!("| {} | {modes} |\n", names.join(" "));
        }
        text + "| all others | yes | no | no |\n"
    }

    /// The lists in docs/options.md are made from the rows: `NSINIT_WRITE=1 cargo test` writes them.
    #[test]
    fn lists_of_the_documents_are_the_rows() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/options.md");
        for (begin, made, end) in [
            ("<!-- options -->\n```text\n", whole_help(), "```\n<!-- /options -->"),
            ("<!-- modes -->\n", modes(), "<!-- /modes -->"),
        ] {
            let document = std::fs::read_to_string(path).expect("docs/options.md");
            let (before, rest) = document.split_once(begin).expect("the list's beginning");
            let (list, after) = rest.split_once(end).expect("the list's end");
            if std::env::var_os("NSINIT_WRITE").is_some() {
                std::fs::write(path, [before, begin, &made, end, after].concat()).expect("docs/options.md is writable");
            } else {
                assert_eq!(list, made, "NSINIT_WRITE=1 cargo test writes the list anew");
            }
        }
    }
}
