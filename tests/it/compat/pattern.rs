//! Expected texts. `#` matches a number, because process ids are not known before.

use crate::harness::Out;

/// Asserts the status and both streams.
#[track_caller]
pub fn is(out: &Out, status: i32, stdout: &str, stderr: &str) {
    let right = out.status == status && matches(stdout, &out.stdout) && matches(stderr, &out.stderr);
    assert!(right, "expected {:?}\n{out}", (status, stdout, stderr));
}

pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('#');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    for part in parts {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        if digits.len() == rest.len() {
            return false;
        }
        let Some(after) = digits.strip_prefix(part) else {
            return false;
        };
        rest = after;
    }
    rest.is_empty()
}

/// Asserts that the lines match in any order: two processes write them.
#[track_caller]
pub fn are(out: &Out, text: &str, patterns: &[&str]) {
    let mut lines: Vec<&str> = text.lines().collect();
    for pattern in patterns {
        let Some(at) = lines.iter().position(|line| matches(pattern, line)) else {
            panic!("no {pattern:?} among these lines, or fewer than expected:\n{out}");
        };
        lines.remove(at);
    }
    assert!(lines.is_empty(), "not expected: {lines:?}\n{out}");
}

#[test]
fn hash_matches_a_number() {
    for (pattern, text) in [("", ""), ("a #)", "a 12)"), ("#", "1"), ("#-#\n", "1-23\n"), ("x", "x")] {
        assert!(matches(pattern, text), "{pattern:?} {text:?}");
    }
    for (pattern, text) in [("", "1"), ("a #", "a "), ("#", "x"), ("#", "1x"), ("# #", "1 "), ("ab", "a"), ("a", "ab")]
    {
        assert!(!matches(pattern, text), "{pattern:?} {text:?}");
    }
}
