//! Which file uses which: the paths in the sources, found without a compiler.
//!
//! Whole `use` items are read, over several lines and with nested braces, and paths in the code that begin with `crate`,
//! `self`, `super`, `engine` or the name of a module below. A name that a module only re-exports leads to the file that defines
//! it.

use std::collections::{BTreeMap, BTreeSet};

/// A path as it is written, and the name that it gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Use {
    /// The line, from 1, where the item or the path begins.
    pub line: usize,
    pub path: Vec<String>,
    /// The name that a `use` item gives it; `None` for a path in the code. `*` for a glob.
    pub name: Option<String>,
    /// `pub use`, `pub(crate) use`, of a name that the rest of the file does not have.
    pub exported: bool,
}

/// The code of a source, line by line: comments and what is in quotes become spaces, and the unit tests at the end are left out.
pub fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied().unwrap_or(' ');
        let end = match c {
            '/' if next == '/' => end_of(&chars, at, |rest| rest.starts_with(&['\n'])),
            '/' if next == '*' => end_of(&chars, at + 2, |rest| rest.starts_with(&['*', '/'])) + 2,
            '"' => quoted(&chars, at + 1, '"'),
            'r' if next == '"' && !before_is_name(&chars, at) => {
                end_of(&chars, at + 2, |rest| rest.starts_with(&['"'])) + 1
            }
            // A lifetime has no second quote.
            '\'' if next == '\\' || chars.get(at + 2) == Some(&'\'') => quoted(&chars, at + 1, '\''),
            _ => at,
        };
        if end == at {
            out.push(c);
            at += 1;
            continue;
        }
        let end = end.min(chars.len());
        out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    out
}

fn before_is_name(chars: &[char], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| chars.get(before)).is_some_and(|c| is_name(*c) && *c != 'b' && *c != 'c')
}

fn end_of(chars: &[char], from: usize, is_end: impl Fn(&[char]) -> bool) -> usize {
    (from..chars.len()).find(|at| is_end(&chars[*at..])).unwrap_or(chars.len())
}

/// Behind the closing quote.
fn quoted(chars: &[char], from: usize, quote: char) -> usize {
    let mut at = from;
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' => at += 2,
            _ if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    at
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Names, `::` and single signs, each with its line.
fn tokens(code: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let chars: Vec<char> = line.chars().collect();
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            let end = if is_name(c) {
                end_of(&chars, at, |rest| !is_name(rest[0]))
            } else if c == ':' && chars.get(at + 1) == Some(&':') {
                at + 2
            } else {
                at + 1
            };
            if !c.is_whitespace() {
                found.push((number + 1, chars[at..end].iter().collect()));
            }
            at = end;
        }
    }
    found
}

/// All paths of a source that may lead to another file.
pub fn uses(text: &str) -> Vec<Use> {
    let tokens = tokens(&code(text));
    let word = |at: usize| tokens.get(at).map_or("", |(_, word)| word.as_str());
    let mut found = Vec::new();
    let mut words = BTreeSet::new();
    let mut at = 0;
    while at < tokens.len() {
        let line = tokens[at].0;
        words.insert(word(at));
        if word(at) == "use" {
            let exported = at > 0 && matches!(word(at - 1), "pub" | ")");
            let end = (at..tokens.len()).find(|end| word(*end) == ";").unwrap_or(tokens.len());
            let item: Vec<&str> = (at + 1..end).map(word).collect();
            tree(&item, &mut Vec::new(), &mut |path, name| {
                found.push(Use { line, path, name: Some(name), exported });
            });
            at = end;
        } else if word(at + 1) == "::"
            && word(at).starts_with(is_name)
            && (at == 0 || !matches!(word(at - 1), "::" | "."))
        {
            let mut path = vec![word(at).to_owned()];
            while word(at + 1) == "::" && word(at + 2).starts_with(is_name) {
                at += 2;
                path.push(word(at).to_owned());
            }
            found.push(Use { line, path, name: None, exported: false });
        }
        at += 1;
    }
    for item in &mut found {
        item.exported &= !item.name.as_ref().is_some_and(|name| words.contains(name.as_str()));
    }
    found
}

/// Hands out each path of a `use` item. Returns how many tokens the tree has.
fn tree(item: &[&str], above: &mut Vec<String>, out: &mut dyn FnMut(Vec<String>, String)) -> usize {
    let depth = above.len();
    let mut at = 0;
    loop {
        match item.get(at) {
            Some(&"{") => {
                at += 1;
                while item.get(at).is_some_and(|word| *word != "}") {
                    at += tree(&item[at..], above, out);
                    at += usize::from(item.get(at) == Some(&","));
                }
                at += 1;
                break;
            }
            Some(&"*") => {
                out(above.clone(), "*".to_owned());
                at += 1;
                break;
            }
            Some(&"::") => at += 1,
            Some(word) if word.starts_with(is_name) => {
                // `a::{self}` is `a`.
                if *word != "self" || above.is_empty() {
                    above.push((*word).to_owned());
                }
                at += 1;
                if item.get(at) != Some(&"::") {
                    let renamed = item.get(at) == Some(&"as");
                    let name = if renamed { item.get(at + 1).copied().unwrap_or_default() } else { word };
                    let name = if name == "self" { above.last().map_or("", String::as_str) } else { name };
                    out(above.clone(), name.to_owned());
                    at += if renamed { 2 } else { 0 };
                    break;
                }
            }
            _ => break,
        }
    }
    above.truncate(depth);
    at.max(1)
}

/// All modules, by their paths: `engine` and what is below, `nsinit` and what is below.
pub struct Modules {
    sources: BTreeMap<Vec<String>, Parsed>,
    /// The macros that are at the top of the engine, and the modules that define them.
    exported: BTreeMap<String, Vec<String>>,
    macros: BTreeSet<String>,
}

struct Parsed {
    uses: Vec<Use>,
    /// The names of the items that it defines.
    items: BTreeSet<String>,
}

/// The path of the module that a file below src/ is: of `fs/mod.rs`, `engine::fs`.
pub fn module_of(file: &str) -> Vec<String> {
    let name = file.strip_suffix(".rs").expect("a source");
    let name = name.strip_suffix("/mod").unwrap_or(name);
    let parts = name.split('/').map(str::to_owned);
    match name {
        "main" => vec!["nsinit".to_owned()],
        "lib" => vec!["engine".to_owned()],
        _ if name == "cli" || name.starts_with("cli/") => [String::from("nsinit")].into_iter().chain(parts).collect(),
        _ => [String::from("engine")].into_iter().chain(parts).collect(),
    }
}

impl Modules {
    /// From the files below src/ with their texts.
    pub fn new<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Modules {
        let (mut sources, mut exported, mut macros) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        for (file, text) in files {
            let module = module_of(file);
            let parts: Vec<&str> = text.split("macro_rules! ").collect();
            for pair in parts.windows(2) {
                let name: String = pair[1].chars().take_while(|c| is_name(*c)).collect();
                if pair[0].ends_with("#[macro_export]\n") {
                    exported.insert(name.clone(), module.clone());
                }
                macros.insert(name);
            }
            sources.insert(module, Parsed { uses: uses(text), items: items(text) });
        }
        Modules { sources, exported, macros }
    }

    /// The module that a path in `from` leads to, and what of the path is left then; `None` for one of another crate.
    pub fn leads_to(&self, from: &[String], path: &[String]) -> Option<(Vec<String>, Vec<String>)> {
        self.follow(from, path, 0)
    }

    fn follow(&self, from: &[String], path: &[String], depth: usize) -> Option<(Vec<String>, Vec<String>)> {
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => from[..1].to_vec(),
            "engine" => vec!["engine".to_owned()],
            "self" => from.to_vec(),
            "super" => parent(from)?,
            _ => {
                let below = [from, std::slice::from_ref(first)].concat();
                self.sources.contains_key(&below).then_some(below)?
            }
        };
        while let Some((word, behind)) = rest.split_first() {
            let below = [at.as_slice(), std::slice::from_ref(word)].concat();
            if word == "super" {
                at = parent(&at)?;
            } else if self.sources.contains_key(&below) {
                at = below;
            } else {
                break;
            }
            rest = behind;
        }
        Some(self.defined(at, rest.to_vec(), depth))
    }

    /// Follows what is only re-exported to where it is defined.
    fn defined(&self, at: Vec<String>, rest: Vec<String>, depth: usize) -> (Vec<String>, Vec<String>) {
        let Some(name) = rest.first() else { return (at, rest) };
        if let Some(module) = self.exported.get(name).filter(|_| at == ["engine"]) {
            return (module.clone(), rest);
        }
        if depth > 4 || self.defines(&at, name) {
            return (at, rest);
        }
        for item in &self.sources[&at].uses {
            let Some((target, left)) = self.follow(&at, &item.path, depth + 1) else { continue };
            match item.name.as_deref() {
                Some("*") if left.is_empty() => {
                    let found = self.defined(target, rest.clone(), depth + 1);
                    if self.defines(&found.0, name) {
                        return found;
                    }
                }
                Some(own) if own == name => {
                    return self.defined(target, [&left[..], &rest[1..]].concat(), depth + 1);
                }
                _ => {}
            }
        }
        (at, rest)
    }

    /// The modules that `from` uses, with the line. What a module re-exports of modules below it is no use.
    pub fn used_by(&self, from: &[String]) -> Vec<(usize, Vec<String>)> {
        let mut found = Vec::new();
        for item in self.uses_in(from) {
            let Some((target, _)) = self.leads_to(from, &item.path) else { continue };
            if target != from && !(item.exported && target.starts_with(from)) {
                found.push((item.line, target));
            }
        }
        found
    }

    pub fn is_macro(&self, name: &str) -> bool {
        self.macros.contains(name)
    }

    fn defines(&self, module: &[String], name: &str) -> bool {
        self.sources[module].items.contains(name)
    }

    /// The paths that are written in a module.
    pub fn uses_in(&self, module: &[String]) -> &[Use] {
        &self.sources[module].uses
    }

    pub fn all(&self) -> impl Iterator<Item = &Vec<String>> {
        self.sources.keys()
    }
}

fn parent(module: &[String]) -> Option<Vec<String>> {
    module.split_last().map(|(_, above)| above.to_vec()).filter(|above| !above.is_empty())
}

/// The names of the items that a source defines.
fn items(text: &str) -> BTreeSet<String> {
    const KINDS: [&str; 9] = ["fn", "struct", "enum", "const", "static", "type", "trait", "union", "mod"];
    let tokens = tokens(&code(text));
    tokens.windows(2).filter(|pair| KINDS.contains(&pair[0].1.as_str())).map(|pair| pair[1].1.clone()).collect()
}

/// The parts of a graph in which every node leads to every other: the names of each.
pub fn circles(edges: &[(String, String)]) -> Vec<Vec<String>> {
    let reached = |from: &str| {
        let (mut found, mut todo) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(at) = todo.pop() {
            for (_, to) in edges.iter().filter(|(from, _)| *from == at) {
                if found.insert(to.clone()) {
                    todo.push(to.clone());
                }
            }
        }
        found
    };
    let all: BTreeMap<&str, BTreeSet<String>> = edges.iter().map(|(from, _)| (from.as_str(), reached(from))).collect();
    let mut parts = BTreeSet::new();
    for (node, reached) in &all {
        let part: Vec<String> = reached
            .iter()
            .filter(|other| all.get(other.as_str()).is_some_and(|r| r.contains(*node)))
            .cloned()
            .collect();
        if !part.is_empty() {
            parts.insert(part);
        }
    }
    parts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        uses(text).iter().map(|item| item.path.join("::")).collect()
    }

    #[test]
    fn use_items_are_read_as_a_whole() {
        assert_eq!(paths("use crate::text::{A, B};"), ["crate::text::A", "crate::text::B"]);
        assert_eq!(
            paths("use crate::{\n    caps,\n    fds::{self, x, y::{Z, *}},\n    seal as s,\n};\nfn f() {}"),
            ["crate::caps", "crate::fds", "crate::fds::x", "crate::fds::y::Z", "crate::fds::y", "crate::seal"]
        );
        assert_eq!(paths("pub(crate) use super::super::a;"), ["super::super::a"]);
        let names: Vec<_> = uses("use a::{self, b as c, d};").into_iter().filter_map(|item| item.name).collect();
        assert_eq!(names, ["a", "c", "d"]);
        assert!(uses("pub use a::b;")[0].exported && !uses("use a::b;")[0].exported);
    }

    #[test]
    fn paths_in_the_code_are_read() {
        assert_eq!(
            paths("fn f() { crate::procfs::open().and_then(|p| super::sys::f::<A>(p)); x.y(engine::z::W) }"),
            ["crate::procfs::open", "super::sys::f", "engine::z::W"]
        );
        assert_eq!(uses("fn f() {}\n\nfn g() { crate::a::b() }")[0].line, 3);
    }

    #[test]
    fn comments_strings_and_unit_tests_are_no_code() {
        let text = "// crate::a\n/* crate::b\n */ const C: &str = \"crate::c \\\" crate::d\";\nconst D: char = '\"';\n\
                    fn f<'a>() { crate::e::f() }\n#[cfg(test)]\nmod tests {\n    use crate::g;\n}\n";
        assert_eq!(paths(text), ["crate::e::f"]);
        assert_eq!(paths("const A: &str = r\"\\\"; use crate::b;"), ["crate::b"]);
    }

    fn modules() -> Modules {
        Modules::new(
            [
                ("lib.rs", "pub mod fs;"),
                ("fs/mod.rs", "mod a;\nmod b;\npub use a::Thing;\npub use b::*;"),
                ("fs/a.rs", "pub struct Thing;\nuse super::Other;"),
                ("fs/b.rs", "pub struct Other;"),
                ("text/mod.rs", "#[macro_export]\nmacro_rules! say { () => {} }"),
                ("main.rs", "mod cli;\nuse cli::x;\nuse engine::fs::Thing;"),
                ("cli/mod.rs", "pub mod x;"),
                ("cli/x.rs", "use super::super::main; use engine::{say, fs};"),
            ]
            .into_iter(),
        )
    }

    #[test]
    fn paths_lead_to_the_file_that_defines_the_name() {
        let modules = modules();
        let used = |file: &str| -> Vec<String> {
            modules.used_by(&module_of(file)).into_iter().map(|(_, module)| module.join("::")).collect()
        };
        assert_eq!(used("fs/a.rs"), ["engine::fs::b"]);
        assert_eq!(used("fs/mod.rs"), [""; 0]);
        assert_eq!(used("main.rs"), ["nsinit::cli::x", "engine::fs::a"]);
        assert_eq!(used("cli/x.rs"), ["nsinit", "engine::text", "engine::fs"]);
    }

    #[test]
    fn circles_are_found() {
        let edge = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(circles(&[edge("a", "b"), edge("a", "c"), edge("b", "c")]), [[""; 0]; 0]);
        let found = circles(&[edge("a", "b"), edge("b", "c"), edge("c", "d"), edge("d", "b"), edge("e", "a")]);
        assert_eq!(found, [["b", "c", "d"]]);
    }
}
