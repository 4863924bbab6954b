//! The list of options, made from the rows.

use engine::text::Text;

use super::rows::Vocabulary;

/// The column in which all help begins.
pub const COLUMN: usize = 25;

/// Passes the options of a vocabulary to `out`, line by line, with headings or without. Options without help are hidden.
pub fn rows(words: &'static Vocabulary, titles: bool, out: &mut dyn FnMut(&Text)) {
    for row in words.lines() {
        let mut line = Text::new();
        if row.is_title() {
            line.byte(b'\n').say(row.help).byte(b':');
        } else {
            // Scripts parse bubblewrap's list, and look for its four blanks.
            line.push(if titles { b"  " } else { b"    " }).push(row.form.0);
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
