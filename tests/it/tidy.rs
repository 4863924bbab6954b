//! Reads the sources: what the compiler does not check and the architecture promises.

use std::fs;
use std::path::{Path, PathBuf};

/// The longest function, in lines, signature and braces included.
const LONGEST: usize = 70;

const DEPENDENCIES: [&str; 3] = ["lexopt", "linux-raw-sys", "rustix"];

struct Source {
    /// Below src/.
    path: PathBuf,
    text: String,
}

impl Source {
    /// `sys` for src/sys.rs and for src/sys/call.rs.
    fn module(&self) -> String {
        let first = self.path.iter().next().expect("a path");
        Path::new(first).with_extension("").display().to_string()
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(n, l)| (n + 1, l))
    }

    /// Up to the unit tests, comments left out.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines()
            .take_while(|(_, l)| *l != "#[cfg(test)]" && *l != "mod tests {")
            .filter(|(_, l)| !l.trim_start().starts_with("//"))
    }
}

fn sources() -> Vec<Source> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut dirs = vec![top.clone()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).expect("read src").flatten() {
            let path = entry.path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("read a source");
                found.push(Source { path: path.strip_prefix(&top).expect("below src").into(), text });
            }
        }
    }
    assert!(found.len() > 5, "the sources are found");
    found
}

/// Fails with all places at once.
#[track_caller]
fn none(what: &str, places: &[String]) {
    assert!(places.is_empty(), "{what}:\n{}", places.join("\n"));
}

fn places(find: impl Fn(&Source, &str) -> bool) -> Vec<String> {
    let mut places = Vec::new();
    for source in sources() {
        let hits = source.code().filter(|(_, l)| find(&source, l));
        places.extend(hits.map(|(n, l)| format!("src/{}:{n}: {}", source.path.display(), l.trim())));
    }
    places
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word)
}

fn is_front(module: &str) -> bool {
    ["cli", "main"].contains(&module)
}

#[test]
fn unsafe_lives_in_one_room() {
    none("unsafe outside of src/sys", &places(|source, line| source.module() != "sys" && has_word(line, "unsafe")));
}

#[test]
fn every_unsafe_has_its_reason() {
    let mut bare = Vec::new();
    for source in sources() {
        let lines: Vec<&str> = source.text.lines().collect();
        for (number, line) in source.code() {
            let opens = line.contains("unsafe {") || line.trim_start().starts_with("unsafe impl");
            let above = &lines[number.saturating_sub(8)..number];
            if opens && !above.iter().any(|l| l.contains("SAFETY:")) {
                bare.push(format!("src/{}:{number}: {}", source.path.display(), line.trim()));
            }
        }
    }
    none("unsafe without a SAFETY comment", &bare);
}

/// The map at the head of lib.rs: each line uses only lines above it. The names of a line end at three spaces.
fn layers(lib: &Source) -> Vec<Vec<String>> {
    let map =
        lib.text.split("//! ```text\n").nth(1).and_then(|t| t.split("//! ```").next()).expect("lib.rs has the map");
    let names = map.lines().map(|line| line.trim_start_matches("//! ").split("   ").next().unwrap_or_default());
    names.map(|names| names.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn each_layer_uses_only_those_above() {
    let sources = sources();
    let layers = layers(sources.iter().find(|s| s.module() == "lib").expect("there is a lib.rs"));
    let layer = |module: &str| layers.iter().position(|row| row.iter().any(|name| name == module));
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|s| !is_front(&s.module()) && s.module() != "lib") {
        let module = source.module();
        let Some(own) = layer(&module) else {
            wrong.push(format!("{module} is not on the map"));
            continue;
        };
        for (number, line) in source.code() {
            for mut used in modules_in(line).into_iter().filter(|u| *u != module) {
                // The macro.
                if used == "say" {
                    used = "text".to_owned();
                }
                if layer(&used).is_none_or(|other| other >= own) {
                    wrong.push(format!("src/{}:{number}: {module} uses {used}", source.path.display()));
                }
            }
        }
    }
    none("uses that the map forbids", &wrong);
}

/// The modules that a line names: `crate::a::b`, `crate::{a, b::{c, d}}`.
fn modules_in(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for rest in line.split("crate::").skip(1) {
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match rest.strip_prefix('{') {
            Some(list) => {
                let mut depth = 0;
                for part in list.split(',') {
                    if depth == 0 {
                        found.push(word(part.trim()));
                    }
                    depth += part.matches('{').count() as i32 - part.matches('}').count() as i32;
                }
            }
            None => found.push(word(rest)),
        }
    }
    found.retain(|name| name.chars().next().is_some_and(char::is_lowercase));
    found
}

#[test]
fn modules_are_found_in_use_lines() {
    assert_eq!(modules_in("use crate::text::{A, B};"), ["text"]);
    assert_eq!(modules_in("use crate::{caps, fds, inside::{x, y}, seal};"), ["caps", "fds", "inside", "seal"]);
    assert_eq!(modules_in("    crate::procfs::open().and_then(|p| crate::sys::f(p))"), ["procfs", "sys"]);
}

/// rustfmt has put `fn` and its closing brace into the same column.
#[test]
fn no_function_is_long() {
    let mut long = Vec::new();
    for source in sources() {
        let mut open: Vec<(usize, usize, String)> = Vec::new();
        for (number, line) in source.lines() {
            let indent = line.len() - line.trim_start().len();
            if has_word(line, "fn") && !line.trim_start().starts_with("//") && !line.trim_end().ends_with([';', '}']) {
                open.push((number, indent, line.trim().to_owned()));
            }
            if line.trim_end() == format!("{}}}", " ".repeat(indent))
                && open.last().is_some_and(|(_, i, _)| *i == indent)
            {
                let (start, _, name) = open.pop().expect("not empty");
                if number - start + 1 > LONGEST {
                    long.push(format!("src/{}:{start}: {} lines: {name}", source.path.display(), number - start + 1));
                }
            }
        }
    }
    none("functions that are too long", &long);
}

#[test]
fn the_engine_makes_no_threads_and_no_boxes() {
    none("threads", &places(|_, line| line.contains("std::thread")));
    none(
        "std or alloc in the engine",
        &places(|s, l| {
            !is_front(&s.module()) && (l.replace("core::alloc", "").contains("alloc::") || l.contains("std::"))
        }),
    );
}

#[test]
fn nothing_is_left_to_do() {
    let mut left = Vec::new();
    for source in sources() {
        let hits = source.lines().filter(|(_, l)| ["TODO", "FIXME", "XXX", "HACK"].iter().any(|w| has_word(l, w)));
        left.extend(hits.map(|(n, l)| format!("src/{}:{n}: {}", source.path.display(), l.trim())));
    }
    none("unfinished", &left);
}

/// As root it gives the host away: the row of the option and the README say so, and nothing recommends it.
#[test]
fn no_hint_recommends_to_leave_the_masks_out() {
    let rows = |source: &Source| source.path.ends_with("cli/dialects/native.rs");
    none("a text names --no-masks", &places(|source, line| line.contains("--no-masks") && !rows(source)));
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<String> =
        sources().iter().filter(|s| !s.text.starts_with("//!")).map(|s| s.path.display().to_string()).collect();
    none("no word at the head", &silent);
}

#[test]
fn three_dependencies() {
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).expect("read Cargo.toml");
    let section = manifest.split("\n[").find_map(|s| s.strip_prefix("dependencies]\n")).expect("[dependencies]");
    let mut names: Vec<&str> = section
        .lines()
        .filter_map(|l| l.split([' ', '=']).next())
        .filter(|n| !n.is_empty() && !n.starts_with('#'))
        .collect();
    names.sort_unstable();
    assert_eq!(names, DEPENDENCIES);
    for feature in ["\"std\"", "\"alloc\""] {
        assert!(!section.contains(feature), "{feature} would come to be everywhere");
    }
}
