//! The list of options, made from the rows.

use engine::text::Text;

use super::rows::{Row, Vocabulary};

/// The column in which all help begins.
pub const COLUMN: usize = 25;

/// Passes the options of a vocabulary to `out`, line by line, with headings or without. Options without help are hidden.
pub fn rows(words: &'static Vocabulary, titles: bool, out: &mut dyn FnMut(&Text)) {
    for row in words.lines() {
        let mut line = Text::new();
        if row.is_title() {
            line.byte(b'\n').say(row.help).byte(b':').byte(b'\n');
        } else {
            // Scripts parse bubblewrap's list, and look for its four blanks.
            push_row(row, if titles { b"  " } else { b"    " }, &mut line);
        }
        if !row.help.is_empty() && (titles || !row.is_title()) {
            out(&line);
        }
    }
}

/// Appends the line of an option.
pub fn push_row(row: Row, margin: &[u8], line: &mut Text) {
    line.push(margin).push(row.form.0);
    while line.bytes().len() < COLUMN {
        line.byte(b' ');
    }
    line.byte(b' ').say(row.help).byte(b'\n');
}
