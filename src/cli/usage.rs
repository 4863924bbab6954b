//! The texts that the rows make: usage, help, version.

use engine::say;
use engine::sys::{Standard, write};
use engine::text::Say;
use engine::text::Text;

use super::NATIVE;
use super::builder::Asked;
use super::rows::Vocabulary;

/// For who says nothing.
const USAGE: Say = say!(
    "usage: nsinit --root DIR [OPTION...] [--] [CMD [ARG...]]  (a container made of DIR)
       nsinit OPTION... [--] CMD [ARG...]  (a container made of the options, as bwrap makes it)
       nsinit --enter WHO [OPTION...] [--] [CMD [ARG...]]  (in the container that WHO is in)
       nsinit [--] CMD [ARG...]  (be the init of CMD in place)
"
);

/// What the native vocabulary prints.
pub fn print(asked: Asked) {
    let to = if asked == Asked::Usage { Standard::Error } else { Standard::Output };
    let mut text = Text::new();
    match asked {
        Asked::Usage => text.say(USAGE),
        Asked::Version => text.push(concat!("nsinit ", env!("CARGO_PKG_VERSION"), "\n").as_bytes()),
        _ => {
            return help(&NATIVE, &mut |line| {
                write(to, line.bytes());
            });
        }
    };
    write(to, text.bytes());
}

/// Hands the help text out, line by line.
fn help(words: &'static Vocabulary, out: &mut dyn FnMut(&Text)) {
    out(Text::new().say(USAGE));
    let mut vocabulary = Some(words);
    while let Some(words) = vocabulary {
        rows(words, true, out);
        vocabulary = words.more;
    }
    out(Text::new().say(STATUSES));
}

/// The options of a vocabulary, but those without help, which are hidden; with headings or without.
pub fn rows(words: &'static Vocabulary, titles: bool, out: &mut dyn FnMut(&Text)) {
    for row in words.lines() {
        let mut line = Text::new();
        if row.is_title() {
            line.byte(b'\n').say(row.help).byte(b':');
        } else {
            // bubblewrap's users look for its four blanks.
            line.push(if titles { b"  " } else { b"    " }).push(row.option);
            // Up to the column that all help begins in.
            while line.bytes().len() < COLUMN {
                line.byte(b' ');
            }
            line.byte(b' ').say(row.help);
        }
        if !row.help.is_empty() && (titles || !row.is_title()) {
            out(line.byte(b'\n'));
        }
    }
}

const COLUMN: usize = 25;

const STATUSES: Say = say!(
    "
Exit status: CMD's own; 128+N if signal N ended it; 125 if nsinit failed before CMD ran,
126 if CMD could not be executed, 127 if it was not found.
"
);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_row_is_whole_and_alone() {
        let mut names = HashSet::new();
        let rows = || NATIVE.lines().chain(NATIVE.more.expect("bubblewrap's").lines());
        for row in rows().filter(|line| !line.is_title() && line.name() != b"--debug-opt") {
            let text = row.option.escape_ascii();
            let whole = row.option.starts_with(b"--") && !row.help.is_empty();
            assert!(whole && row.values() <= 3, "{text}");
            assert!(names.insert(row.name()), "twice: {text}");
        }
        assert!(names.len() > 40);
    }

    fn whole_help() -> String {
        let mut text = String::new();
        help(&NATIVE, &mut |line| text += str::from_utf8(line.bytes()).expect("UTF-8"));
        text
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
        for row in NATIVE.lines().chain(NATIVE.more.expect("bubblewrap's").lines()) {
            let mut help = Text::new();
            let first = help.say(row.help).bytes().split(|byte| *byte == b' ').next().unwrap_or_default();
            let small = first.iter().any(u8::is_ascii_lowercase);
            assert!(small || row.option.len() + 2 < COLUMN || row.help.is_empty(), "{}", row.option.escape_ascii());
        }
    }

    /// The list in docs/options.md is made from the rows: `NSINIT_WRITE=1 cargo test` writes it.
    #[test]
    fn the_option_list_has_the_rows() {
        const BEGIN: &str = "<!-- options -->\n```text\n";
        const END: &str = "```\n<!-- /options -->";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/options.md");
        let document = std::fs::read_to_string(path).expect("docs/options.md");
        let (before, rest) = document.split_once(BEGIN).expect("the list's beginning");
        let (list, after) = rest.split_once(END).expect("the list's end");
        if std::env::var_os("NSINIT_WRITE").is_some() {
            std::fs::write(path, [before, BEGIN, &whole_help(), END, after].concat())
                .expect("docs/options.md is writable");
        } else {
            assert_eq!(list, whole_help(), "NSINIT_WRITE=1 cargo test writes the list anew");
        }
    }
}
