//! Reads the sources: what the compiler does not check and the architecture promises.

mod steps;
mod uses;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use uses::Modules;

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

/// The library for other programs, and what it needs of sys.
fn has_std(source: &Source) -> bool {
    ["library.rs", "sys/inherit.rs"].iter().any(|file| source.path.ends_with(file))
}

/// The documentation of the library shows what is for other programs, and nothing of the engine.
#[test]
fn engine_is_not_documented_as_the_library() {
    let text = &sources().into_iter().find(|source| source.module() == "lib").expect("there is a lib.rs").text;
    let lines: Vec<&str> = text.lines().collect();
    let public = lines.iter().enumerate().filter(|(_, line)| line.starts_with("pub "));
    let shown: Vec<&str> = public
        .filter(|(at, _)| !lines[at.saturating_sub(2)..*at].contains(&"#[doc(hidden)]"))
        .map(|(_, line)| *line)
        .collect();
    assert_eq!(shown, ["pub use library::{Container, End, Error, Running};"]);
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

/// The map at the head of a source: each line uses only lines above it. The names of a line end at three spaces.
fn layers(text: &str) -> Vec<Vec<String>> {
    let map = text.split("```text\n").nth(1).and_then(|t| t.split("```").next()).expect("there is a map");
    let names =
        map.lines().map(|line| line.trim_start_matches(['/', '!', ' ']).split("   ").next().unwrap_or_default());
    names.map(|names| names.split_whitespace().map(str::to_owned).collect()).collect()
}

fn modules(sources: &[Source]) -> Modules {
    let files: Vec<(String, &str)> = sources.iter().map(|s| (s.path.display().to_string(), s.text.as_str())).collect();
    Modules::new(files.iter().map(|(file, text)| (file.as_str(), *text)))
}

/// What each line of a map may not use: `part` is the name that a module has on the map.
fn against_the_map(modules: &Modules, map: &str, part: impl Fn(&[String]) -> Option<String>) -> Vec<String> {
    let layers = layers(map);
    let layer = |name: &str| layers.iter().position(|row| row.iter().any(|other| other == name));
    let mut wrong = Vec::new();
    for module in modules.all() {
        let Some(name) = part(module) else { continue };
        let Some(own) = layer(&name) else {
            wrong.push(format!("{name} is not on the map"));
            continue;
        };
        for (line, used) in modules.used_by(module) {
            let Some(other) = part(&used).filter(|other| *other != name) else { continue };
            let listed = LOOPS.contains(&(module.join("::").as_str(), used.join("::").as_str()));
            if !listed && layer(&other).is_none_or(|other| other >= own) {
                wrong.push(format!("{}:{line}: {name} uses {other}", module.join("::")));
            }
        }
    }
    wrong
}

#[test]
fn each_layer_of_the_engine_uses_only_those_above() {
    let sources = sources();
    let modules = modules(&sources);
    let map = &sources.iter().find(|s| s.module() == "lib").expect("there is a lib.rs").text;
    none(
        "uses that the map in lib.rs forbids",
        &against_the_map(&modules, map, |module| match module {
            [first, part, ..] if first == "engine" => Some(part.clone()),
            _ => None,
        }),
    );
}

#[test]
fn each_layer_of_the_cli_uses_only_those_above() {
    let sources = sources();
    let modules = modules(&sources);
    let map = &sources.iter().find(|s| s.path.ends_with("cli/mod.rs")).expect("there is a cli").text;
    none(
        "uses that the map in cli/mod.rs forbids",
        &against_the_map(&modules, map, |module| match module {
            [first] if first == "nsinit" => Some("main".to_owned()),
            [_, cli] if cli == "cli" => Some("cli".to_owned()),
            [first, _, part, ..] if first == "nsinit" => Some(part.clone()),
            _ => None,
        })
        .into_iter()
        .filter(|wrong| wrong != "main is not on the map")
        .collect::<Vec<_>>(),
    );
}

#[test]
fn the_engine_does_not_know_the_cli() {
    let modules = modules(&sources());
    let engine = modules.all().filter(|module| module[0] == "engine");
    let wrong: Vec<String> = engine
        .flat_map(|module| modules.used_by(module).into_iter().map(move |(line, used)| (module, line, used)))
        .filter(|(_, _, used)| used[0] != "engine")
        .map(|(module, line, used)| format!("{}:{line}: {}", module.join("::"), used.join("::")))
        .collect();
    none("the engine uses the cli", &wrong);
}

/// Uses that close a circle of files, and those that a map forbids: the first uses the second. It is to become empty.
const LOOPS: &[(&str, &str)] = &[("engine::spec::life", "engine::spec")];

#[test]
fn files_use_each_other_in_one_direction() {
    let modules = modules(&sources());
    let mut edges: Vec<(String, String)> = Vec::new();
    for module in modules.all() {
        edges.extend(modules.used_by(module).into_iter().map(|(_, used)| (module.join("::"), used.join("::"))));
    }
    for (from, to) in LOOPS {
        let edge = ((*from).to_owned(), (*to).to_owned());
        assert!(edges.contains(&edge), "{from} no longer uses {to}: take that from the list");
        edges.retain(|other| *other != edge);
    }
    let mut wrong = Vec::new();
    for circle in uses::circles(&edges) {
        wrong.push(format!("these lead to each other: {}", circle.join(", ")));
        edges.sort();
        edges.dedup();
        let inside = edges.iter().filter(|(from, to)| circle.contains(from) && circle.contains(to));
        wrong.extend(inside.map(|(from, to)| format!("    {from} uses {to}")));
    }
    none("circles", &wrong);
}

/// The longest file, in lines.
const FILE: usize = 400;

/// Files that are longer, and may not grow. The list is to become empty.
const LONG_FILES: &[(&str, usize)] = &[];

#[test]
fn no_file_is_long() {
    let mut wrong = Vec::new();
    for source in sources() {
        let (lines, path) = (source.text.lines().count(), source.path.display().to_string());
        match LONG_FILES.iter().find(|(file, _)| *file == path) {
            Some((_, most)) if lines > *most => {
                wrong.push(format!("src/{path}: {lines} lines, and {most} are permitted"))
            }
            Some(_) if lines <= FILE => wrong.push(format!("src/{path}: {lines} lines: take it from the list")),
            None if lines > FILE => wrong.push(format!("src/{path}: {lines} lines")),
            _ => {}
        }
    }
    for (file, _) in LONG_FILES {
        assert!(
            sources().iter().any(|s| s.path.display().to_string() == *file),
            "{file} is gone: take it from the list"
        );
    }
    none("files that are too long", &wrong);
}

/// Functions of one word that may be imported by name: the word alone says what they do.
const ALONE: &[&[&str]] = &[
    // What is reported, at the place where it is found.
    &["blame", "failed", "fatal", "refuse", "tell", "warn", "warning"],
    // System calls, by the names of their man pages.
    &["capget", "chdir", "chroot", "fchdir", "getcwd", "ioctl", "read", "write"],
    // Columns of a table of steps.
    &["always", "contained", "mortal", "nothing", "untraceable"],
];

/// Others that are imported. The list is to become empty.
const BARE: &[&str] = &["walk"];

/// A function is called with its module (`init::forever`) unless its own name has two words or more, or is in the list above: a
/// bare `begin` or `find` says nothing of what begins or is found.
#[test]
fn functions_of_one_word_are_called_with_their_module() {
    let modules = modules(&sources());
    let (mut bare, mut listed) = (Vec::new(), BTreeSet::new());
    for module in modules.all() {
        for item in modules.uses_in(module) {
            let Some(name) = item.name.as_ref().filter(|name| !item.exported && name.starts_with(char::is_lowercase))
            else {
                continue;
            };
            let Some((target, rest)) = modules.leads_to(module, &item.path) else { continue };
            // The files of sys are one room: what they have of each other is calls and their answers.
            let in_sys = |module: &[String]| module.get(1).is_some_and(|part| part == "sys");
            if in_sys(module) && in_sys(&target) {
                continue;
            }
            // A module has nothing left of its path; a macro is called with an exclamation mark.
            let is_alone = name.contains('_') || ALONE.iter().any(|names| names.contains(&name.as_str()));
            if rest.is_empty() || is_alone || modules.is_macro(name) {
                continue;
            }
            if BARE.contains(&name.as_str()) {
                listed.insert(name.clone());
            } else {
                bare.push(format!("{}:{}: {}", module.join("::"), item.line, item.path.join("::")));
            }
        }
    }
    none("functions of one word that are imported by name", &bare);
    let gone: Vec<String> =
        BARE.iter().filter(|name| !listed.contains(**name)).map(|name| (*name).to_owned()).collect();
    none("no longer imported: take these from the list", &gone);
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
            !is_front(&s.module())
                && !has_std(s)
                && (l.replace("core::alloc", "").contains("alloc::") || l.contains("std::"))
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

/// The feature `whole` of Cargo.toml, the table in src/spec/rooms.rs and docs/profiles.md have the same rooms.
#[test]
fn rooms_are_the_features_of_the_manifest() {
    let read = |file| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("read a file");
    let quoted = |text: &str| -> BTreeSet<String> { text.split('"').skip(1).step_by(2).map(str::to_owned).collect() };
    let manifest = read("Cargo.toml");
    let whole =
        quoted(manifest.split("\nwhole = [").nth(1).and_then(|t| t.split(']').next()).expect("a feature whole"));
    let table = read("src/spec/rooms.rs");
    let table = quoted(table.split("\nrooms! {").nth(1).and_then(|t| t.split('}').next()).expect("the rooms"));
    assert_eq!(whole.iter().filter(|name| *name != "core").collect::<Vec<_>>(), table.iter().collect::<Vec<_>>());
    let document = read("docs/profiles.md");
    let silent: Vec<_> = table.iter().filter(|name| !document.contains(&format!("`{name}`"))).collect();
    assert!(silent.is_empty(), "docs/profiles.md has no {silent:?}");
}

/// The fuzz targets compile src/cli with the features of their own manifest.
#[test]
fn fuzz_targets_have_every_feature() {
    let read = |file| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("read a file");
    let names = |manifest: String| -> BTreeSet<String> {
        let section =
            manifest.split("\n[features]\n").nth(1).and_then(|text| text.split("\n[").next()).expect("features");
        section.lines().filter_map(|line| Some(line.split_once(" = [")?.0.to_owned())).collect()
    };
    let (ours, theirs) = (names(read("Cargo.toml")), names(read("fuzz/Cargo.toml")));
    assert_eq!(ours, theirs);
    let on = read("fuzz/Cargo.toml");
    let on = on.split("\ndefault = [").nth(1).and_then(|text| text.split(']').next()).expect("the default");
    for name in ours.iter().filter(|name| *name != "default") {
        assert!(on.contains(&format!("\"{name}\"")), "fuzz/Cargo.toml does not switch {name} on");
    }
}

/// A step that needs what no step before it has learned fails as that (`Failure::ORDER`). EBADF is for numbers that the user
/// gave.
#[test]
fn missing_step_never_looks_like_a_bad_descriptor() {
    let of_user = |source: &Source| ["ns/find.rs", "ns/join.rs"].iter().any(|file| source.path.ends_with(file));
    none(
        "EBADF where a step is missing",
        &places(|source, line| line.contains("ok_or(Failure::BADF)") && !of_user(source)),
    );
}
