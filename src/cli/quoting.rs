//! How a text is split into words: by the kernel's rule, and by that of nsinit.

/// Takes the next word of a kernel's command line from `rest`, and appends it to `word`. Returns whether its quotes are closed;
/// `None`: there is no word.
///
/// The rule is the kernel's (next_arg in lib/cmdline.c): blanks between double quotes are part of a word; quotes around the word
/// or around the value after its first `=` are removed, and all others stay. Any other character stands for itself.
pub fn of_kernel(rest: &mut &[u8], word: &mut Vec<u8>) -> Option<bool> {
    let begin = rest.iter().position(|byte| !is_blank(*byte))?;
    let text = rest.get(begin..)?;
    let quoted = text.first() == Some(&b'"');
    let text = text.get(usize::from(quoted)..)?;
    let mut open = quoted;
    let end = text.iter().position(|byte| {
        open ^= *byte == b'"';
        is_blank(*byte) && !open
    });
    let (mut own, after) = text.split_at_checked(end.unwrap_or(text.len()))?;
    *rest = after;
    // `=` as the first character does not separate a name from a value.
    let value = own.iter().skip(1).position(|byte| *byte == b'=').map(|place| place + 2);
    let bare = value.filter(|value| own.get(*value) == Some(&b'"'));
    if (quoted || bare.is_some())
        && let Some(less) = own.strip_suffix(b"\"")
    {
        own = less;
    }
    match bare.and_then(|value| Some((own.get(..value)?, own.get(value + 1..).unwrap_or_default()))) {
        Some((name, value)) => {
            word.extend_from_slice(name);
            word.extend_from_slice(value);
        }
        None => word.extend_from_slice(own),
    }
    Some(!open)
}

/// isspace() of the kernel: with the no-break space of Latin-1.
const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r' | 0xa0)
}

/// Passes the words of a text to `out`. Blanks and line ends separate words, except between single or double quotes; the quotes
/// are removed. With `comments`, a line that begins with `#` is one. Returns whether all quotes are closed.
pub fn of_text(text: &[u8], comments: bool, out: &mut dyn FnMut(&[u8])) -> bool {
    let mut word = Vec::new();
    // Two quotes with nothing between them are a word.
    let (mut begun, mut quote, mut comment, mut before) = (false, 0, false, b'\n');
    for &byte in text.iter().chain(b"\n") {
        comment = if comment { byte != b'\n' } else { comments && byte == b'#' && before == b'\n' && quote == 0 };
        before = byte;
        match byte {
            _ if comment => {}
            // No argument can contain NUL.
            0 => {}
            b'"' | b'\'' if quote == 0 || quote == byte => {
                begun = true;
                quote ^= byte;
            }
            b' ' | b'\t' | b'\r' | b'\n' if quote == 0 => {
                if begun {
                    out(&word);
                    word.clear();
                }
                begun = false;
            }
            _ => {
                begun = true;
                word.push(byte);
            }
        }
    }
    if begun {
        out(&word);
    }
    quote == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Vec<String>, bool) {
        let mut found = Vec::new();
        let closed = of_text(text.as_bytes(), true, &mut |word| found.push(String::from_utf8_lossy(word).into_owned()));
        (found, closed)
    }

    #[test]
    fn blanks_and_quotes_separate_words() {
        let closed = |text| {
            let (words, closed) = of(text);
            assert!(closed, "{text}");
            words
        };
        assert_eq!(closed("quiet  a=b\t-- x\n"), ["quiet", "a=b", "--", "x"]);
        assert_eq!(closed("sh -c \"echo a  b\" \"\" x\"y z\"w"), ["sh", "-c", "echo a  b", "", "xy zw"]);
        assert_eq!(closed("'a \"b\"' \"it's\" 'it'\"'\"'s'"), ["a \"b\"", "it's", "it's"]);
        assert_eq!(closed("# no\n--root /x\r\n#'no\n\n-- a # b"), ["--root", "/x", "--", "a", "#", "b"]);
        assert_eq!(closed("'two\n# lines' x"), ["two\n# lines", "x"]);
        assert!(closed(" \n \n").is_empty() && closed("").is_empty());
        assert_eq!(of("x \"open"), (vec!["x".to_owned(), "open\n".to_owned()], false));
        assert!(!of("it's").1 && !of("'a' \"b").1);
    }

    /// The expected words are those that the kernel's function returns.
    #[test]
    fn kernels_words_are_the_kernels() {
        for (text, words) in [
            ("  quiet\ta=b \n", &["quiet", "a=b"][..]),
            ("x=\"a b\" \"y=c d\" z\"e f\"g", &["x=a b", "y=c d", "z\"e f\"g"]),
            ("host=bob's-box -- 'a b'", &["host=bob's-box", "--", "'a", "b'"]),
            ("#old \"\" \"--\" =\"x\" =a=\"b\"", &["#old", "", "--", "=\"x\"", "=a=b"]),
            ("a=\" b=\" c=x\"y\"", &["a= b=", "c=x\"y\""]),
            ("a\\\"b c\" d", &["a\\\"b c\"", "d"]),
        ] {
            let (mut rest, mut found) = (text.as_bytes(), Vec::new());
            loop {
                let mut word = Vec::new();
                match of_kernel(&mut rest, &mut word) {
                    Some(closed) => assert!(closed, "{text}"),
                    None => break,
                }
                found.push(String::from_utf8_lossy(&word).into_owned());
            }
            assert_eq!(found, words, "{text}");
        }
        let mut word = Vec::new();
        assert_eq!(of_kernel(&mut &b"a \"b c"[..], &mut word), Some(true));
        let (mut rest, mut word) = (&b"a=\"b -- c"[..], Vec::new());
        assert_eq!(of_kernel(&mut rest, &mut word), Some(false));
        assert!(word == b"a=b -- c" && rest.is_empty());
    }
}
