//! A directory with its content: read from disk, as lines to compare, and as a script that makes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    pub what: What,
    pub mode: u32,
    pub owner: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Directory(BTreeMap<String, Tree>),
    File(String),
    Link(String),
    /// Another file type, which no operation makes.
    Other(u32),
}

const MODE_BITS: u32 = 0o7777;

impl Tree {
    pub fn read(path: &Path) -> Tree {
        let found = fs::symlink_metadata(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let what = if found.is_dir() {
            What::Directory(names(path).into_iter().map(|name| (name.clone(), Tree::read(&path.join(name)))).collect())
        } else if found.is_file() {
            What::File(fs::read_to_string(path).expect("read a test file"))
        } else if found.is_symlink() {
            What::Link(target(path))
        } else {
            What::Other(found.mode() & libc::S_IFMT)
        };
        Tree { what, mode: found.mode() & MODE_BITS, owner: found.uid() }
    }

    /// A line for each file.
    pub fn lines(&self) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        self.each("", &mut |path, tree| {
            let (kind, content) = tree.kind();
            lines.insert(format!("{path}\t{kind}\t{:o}\t{}\t{content}", tree.mode, tree.owner));
        });
        lines
    }

    /// The file type as `ls` abbreviates it, and the content.
    pub fn kind(&self) -> (char, &str) {
        match &self.what {
            What::Directory(_) => ('d', ""),
            What::File(text) => ('-', text),
            What::Link(target) => ('l', target),
            What::Other(_) => ('?', ""),
        }
    }

    /// Commands that make the content in the current directory.
    pub fn script(&self) -> String {
        let mut script = String::new();
        self.each("", &mut |path, tree| {
            let Some(path) = path.strip_prefix('/') else { return };
            script += &match &tree.what {
                What::Directory(_) => format!("mkdir -m {:o} \"{path}\"\n", tree.mode),
                What::File(text) => format!("printf %s \"{text}\" >\"{path}\"; chmod {:o} \"{path}\"\n", tree.mode),
                What::Link(target) => format!("ln -s \"{target}\" \"{path}\"\n"),
                What::Other(_) => String::new(),
            };
        });
        script
    }

    fn each(&self, path: &str, act: &mut impl FnMut(&str, &Tree)) {
        act(path, self);
        if let What::Directory(children) = &self.what {
            for (name, child) in children {
                child.each(&format!("{path}/{name}"), act);
            }
        }
    }
}

fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    entries.map(|entry| entry.expect("read a test directory").file_name().into_string().expect("UTF-8")).collect()
}

fn target(path: &Path) -> String {
    fs::read_link(path).expect("read a test link").into_os_string().into_string().expect("UTF-8")
}
