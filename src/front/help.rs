//! The texts that the rows make: usage, help, version.

use engine::sys::{Standard, write};

use super::words::{Row, Vocabulary};

/// The column that the help of an option begins in.
const COLUMN: usize = 26;

pub fn print_usage(words: &Vocabulary) {
    print(Standard::Error, &[words.usage.as_bytes(), b"       nsinit --help lists the options\n"].concat());
}

pub fn print_version() {
    print(Standard::Output, concat!("nsinit ", env!("CARGO_PKG_VERSION"), "\n").as_bytes());
}

pub fn print_help(words: &Vocabulary) {
    let mut text = words.usage.as_bytes().to_vec();
    text.extend_from_slice(b"Runs CMD, or a shell, in a container made of DIR.\n");
    for group in words.groups {
        text.push(b'\n');
        text.extend_from_slice(group.title.as_bytes());
        text.extend_from_slice(b":\n");
        group.rows.iter().for_each(|row| push_row(&mut text, row));
    }
    text.extend_from_slice(STATUSES.as_bytes());
    print(Standard::Output, &text);
}

const STATUSES: &str = "
Exit status: CMD's own; 128+N if signal N ended it; 125 if nsinit failed before CMD ran,
126 if CMD could not be executed, 127 if it was not found.
";

fn push_row(text: &mut Vec<u8>, row: &Row) {
    let start = text.len();
    text.extend_from_slice(b"  --");
    text.extend_from_slice(row.name.as_bytes());
    text.extend_from_slice(row.values.as_bytes());
    text.push(b' ');
    while text.len() - start < COLUMN {
        text.push(b' ');
    }
    text.extend_from_slice(row.help.as_bytes());
    text.push(b'\n');
}

fn print(to: Standard, text: &[u8]) {
    write(to as u32, text);
}
