//! The fenced blocks of a document, and the comparison of what they show with what a command printed.
//!
//! ```console is a session: a command after each `$ ` (`# ` for root), then its output. ```sh is a script that must exit with 0.
//! Words after the language say where the block runs: `root` as root, `vm` in tests/vm, `scenario` in the test of its section in
//! tests/vm/scenarios.rs, `no-run "WHY"` nowhere. Without one an ordinary user runs it. ```text and ```Dockerfile are not run.
//!
//! In the output `…` stands for any text in its line, and a line of `…` for any lines. A number of four digits or more stands for any
//! number (process ids, inode numbers), and blanks for any number of blanks.

use std::fs;
use std::path::Path;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    User,
    Root,
    Machine,
    Scenario,
    Nobody,
}

#[derive(Debug)]
pub struct Block {
    pub by: By,
    /// `README.md:12`, the line of the fence.
    pub place: String,
    /// The heading above it.
    pub section: String,
    pub content: Content,
}

#[derive(Debug)]
pub enum Content {
    /// Commands, each with its output.
    Session(Vec<(String, Vec<String>)>),
    Script(String),
}

/// README.md and docs/*.md, by name.
pub fn documents() -> Vec<(String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = vec!["README.md".to_owned()];
    for entry in fs::read_dir(top.join("docs")).expect("read docs").flatten() {
        names.push(format!("docs/{}", entry.file_name().display()));
    }
    names.sort();
    let read = |name: String| {
        let text = fs::read_to_string(top.join(&name)).expect("read a document");
        (name, text)
    };
    names.into_iter().filter(|name| name.ends_with(".md")).map(read).collect()
}

/// The blocks that are commands.
pub fn blocks(name: &str, text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut section = String::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.trim_start().strip_prefix("```") else {
            if line.starts_with('#') {
                section = line.trim_start_matches('#').trim_start().to_owned();
            }
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let body: Vec<&str> = lines
            .by_ref()
            .map(|(_, line)| line.get(indent..).unwrap_or_default())
            .take_while(|line| *line != "```")
            .collect();
        let place = format!("{name}:{}", number + 1);
        if let Some((by, session)) = read_info(info, &place) {
            let content = if session { session_of(&body, &place) } else { Content::Script(body.join("\n")) };
            found.push(Block { by, place, section: section.clone(), content });
        }
    }
    found
}

/// Who runs the block, and whether it is a session; None for a block that is no command.
fn read_info(info: &str, place: &str) -> Option<(By, bool)> {
    let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
    let session = match language {
        "console" => true,
        "sh" => false,
        "text" | "Dockerfile" => return None,
        _ => panic!("{place}: {info:?} is none of console, sh, text and Dockerfile"),
    };
    let reason = |rest: &str| rest.strip_prefix("no-run \"").and_then(|why| why.strip_suffix('"')).map(str::len);
    let by = match rest {
        "" => By::User,
        "root" => By::Root,
        "vm" => By::Machine,
        "scenario" => By::Scenario,
        _ if reason(rest).is_some_and(|length| length > 10) => By::Nobody,
        _ => panic!("{place}: {rest:?} is none of root, vm, scenario and no-run \"WHY\""),
    };
    Some((by, session))
}

fn session_of(body: &[&str], place: &str) -> Content {
    let mut session: Vec<(String, Vec<String>)> = Vec::new();
    let mut goes_on = false;
    for line in body {
        let command = line.strip_prefix("$ ").or(line.strip_prefix("# "));
        match (session.last_mut(), command) {
            (Some((command, _)), _) if goes_on => *command += &format!("\n{line}"),
            (_, Some(command)) => session.push((command.to_owned(), Vec::new())),
            (Some((_, output)), None) => output.push((*line).to_owned()),
            (None, None) => panic!("{place}: a session begins with `$ ` or `# `"),
        }
        goes_on = line.ends_with('\\');
    }
    Content::Session(session)
}

/// Whether this is what was expected.
pub fn fits(expected: &[String], got: &[&str]) -> bool {
    match expected.split_first() {
        None => got.is_empty(),
        Some((line, rest)) if line.trim() == "…" => (0..=got.len()).any(|skip| fits(rest, &got[skip..])),
        Some((line, rest)) => got.split_first().is_some_and(|(first, more)| {
            let squeeze =
                |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect::<Vec<_>>();
            line_fits(&squeeze(line), &squeeze(first)) && fits(rest, more)
        }),
    }
}

fn line_fits(expected: &[char], got: &[char]) -> bool {
    let digits = |text: &[char]| text.iter().take_while(|c| c.is_ascii_digit()).count();
    match (expected, got) {
        ([], []) => true,
        (['…', rest @ ..], _) => (0..=got.len()).any(|skip| line_fits(rest, &got[skip..])),
        _ if digits(expected) >= 4 => digits(got) > 0 && line_fits(&expected[digits(expected)..], &got[digits(got)..]),
        // A shorter number is that number, and not the beginning of another.
        _ if digits(expected) > 0 => {
            let length = digits(expected);
            digits(got) == length
                && expected[..length] == got[..length]
                && line_fits(&expected[length..], &got[length..])
        }
        ([one, rest @ ..], [other, more @ ..]) => one == other && line_fits(rest, more),
        _ => false,
    }
}
