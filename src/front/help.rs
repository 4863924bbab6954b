//! The texts that the rows make: usage, help, version.

use engine::sys::{Standard, write};

use super::draft::Asked;
use super::native::NATIVE;
use super::words::Vocabulary;

/// Up to the column that the help of an option begins in.
const SPACES: &[u8] = b"                        ";

/// Two lines for who says nothing.
pub const USAGE: &str = "usage: nsinit --root DIR [OPTION...] [--] [CMD [ARG...]]
       nsinit [OPTION...] [--] CMD [ARG...]
";

/// What the native vocabulary prints.
pub fn print(asked: Asked) {
    match asked {
        Asked::Usage => write(Standard::Error, USAGE.as_bytes()),
        Asked::Version => write(Standard::Output, concat!("nsinit ", env!("CARGO_PKG_VERSION"), "\n").as_bytes()),
        _ => {
            help(&NATIVE, &mut |text| {
                write(Standard::Output, text);
            });
            true
        }
    };
}

/// Hands the help text out, piece by piece.
fn help(words: &Vocabulary, out: &mut dyn FnMut(&[u8])) {
    out(USAGE.as_bytes());
    for group in words.groups {
        out(b"\n");
        out(group.title.as_bytes());
        out(b":\n");
        for row in group.rows {
            let (option, help) = row.parts();
            out(b"  ");
            out(option);
            out(SPACES.get(option.len()..).unwrap_or(b" "));
            out(help);
            out(b"\n");
        }
    }
    out(STATUSES.as_bytes());
}

const STATUSES: &str = "
Exit status: CMD's own; 128+N if signal N ended it; 125 if nsinit failed before CMD ran,
126 if CMD could not be executed, 127 if it was not found.
";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_row_is_whole_and_alone() {
        let mut names = HashSet::new();
        for row in NATIVE.groups.iter().flat_map(|group| group.rows) {
            let (option, help) = row.parts();
            assert!(option.starts_with(b"--") && !help.is_empty() && !help.ends_with(b"."), "{}", row.text);
            assert!(names.insert(row.name()), "twice: {}", row.name());
            assert!(row.values() <= 2, "{}", row.text);
        }
    }

    fn whole_help() -> String {
        let mut text = String::new();
        help(&NATIVE, &mut |piece| text += str::from_utf8(piece).expect("UTF-8"));
        text
    }

    #[test]
    fn help_fits_a_terminal() {
        for line in whole_help().lines() {
            assert!(line.len() <= 100, "{line}");
        }
    }

    /// The README's option list is made from the rows: `NSINIT_WRITE=1 cargo test` writes it.
    #[test]
    fn the_readme_has_the_rows() {
        const BEGIN: &str = "<!-- options -->\n```text\n";
        const END: &str = "```\n<!-- /options -->";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        let readme = std::fs::read_to_string(path).expect("README.md");
        let (before, rest) = readme.split_once(BEGIN).expect("the list's beginning");
        let (list, after) = rest.split_once(END).expect("the list's end");
        if std::env::var_os("NSINIT_WRITE").is_some() {
            std::fs::write(path, [before, BEGIN, &whole_help(), END, after].concat()).expect("README.md is writable");
        } else {
            assert_eq!(list, whole_help(), "NSINIT_WRITE=1 cargo test writes the list anew");
        }
    }
}
