//! A case on disk: planted, run, and compared.

use std::collections::BTreeSet;
use std::path::Path;

use nix::sys::statvfs::{FsFlags, statvfs};
use proptest::test_runner::TestCaseError;

use super::case::{Act, Bind, Case, OUTSIDE, Op, PLANTED, Place, Planted, Seed, WALKER, WORLD, Writes};
use super::model::{End, Model};
use super::tree::Tree;
use crate::harness::scratch::{Dir, bwrap, helper, nsinit};
use crate::harness::traces::{difference, traces};
use crate::harness::{Launch, Out, Who};

/// Where content comes from: a file for each operation, with its number.
const DATA: &str = "data";
/// What no launch may change.
const UNTOUCHED: [&str; 5] = [OUTSIDE, "r0", "r1", "rf", DATA];
/// The descriptor of the first operation: higher than what the tests have open.
const FD: usize = 500;

/// What the model says of a case.
#[derive(Clone, Copy)]
pub enum Outcome {
    Worked,
    Refused,
    Unknown,
}

/// The directory `$T`.
pub struct World {
    who: Who,
    dir: Dir,
    /// `$T` and `$W` are words of it still.
    case: Case,
}

impl World {
    pub fn new(who: Who, case: &Case) -> World {
        let mut world = World { who, dir: Dir::new(who), case: case.clone() };
        for name in ["outside", "outside/a", "outside/a/b"].into_iter().chain(PLANTED).chain([DATA]) {
            world.dir.dir(name);
        }
        for name in ["outside/file", "outside/a/file", "rf", "wf"] {
            world.dir.file(name, "old");
        }
        world.dir.symlink("../..", "outside/up");
        for (name, seeds) in PLANTED.iter().zip(&case.trees) {
            seeds.iter().for_each(|seed| world.plant(name, seed));
            // Where this becomes the root, the walker has a place in it.
            let walk = format!("{name}/walk");
            if !world.is_there(&walk) {
                world.dir.file(&walk, "");
            }
        }
        for name in ["proc", "dev", "sys"] {
            world.dir.dir(&format!("root/{name}"));
        }
        world.case.ops = world.model().accepted(&world.expanded_case());
        for (index, op) in world.case.ops.iter().enumerate() {
            if let Some(text) = op.act.text() {
                world.dir.file(&format!("{DATA}/{index}"), text);
            }
        }
        world
    }

    /// Unless there is something in its way.
    fn plant(&self, below: &str, seed: &Seed) {
        let mut path = below.to_owned();
        let (name, parents) = seed.path.split_last().expect("a path has components");
        for parent in parents {
            path = format!("{path}/{parent}");
            if !self.is_there(&path) {
                self.dir.dir(&path);
            } else if !self.dir.at(&path).symlink_metadata().is_ok_and(|found| found.is_dir()) {
                return;
            }
        }
        path = format!("{path}/{name}");
        if !self.is_there(&path) {
            match &seed.what {
                Planted::Directory => _ = self.dir.dir(&path),
                Planted::File => _ = self.dir.file(&path, "old"),
                Planted::Link(target) => self.dir.symlink(self.expanded(target), &path),
            }
        }
    }

    fn is_there(&self, path: &str) -> bool {
        self.dir.at(path).symlink_metadata().is_ok()
    }

    fn expanded(&self, word: &str) -> String {
        word.replace("$T", self.dir.str()).replace("$W", helper().to_str().expect("scratch paths are UTF-8"))
    }

    fn model(&self) -> Model {
        let mount = statvfs(self.dir.path()).expect("ask about a mount");
        Model::new(&Tree::read(self.dir.path()), !mount.flags().contains(FsFlags::ST_NODEV))
    }

    /// Runs the case once, and compares.
    pub fn check(&self) -> Result<Outcome, TestCaseError> {
        let mut model = self.model();
        let end = model.run(&self.expanded_case());
        let (seen, silent) = model.seen();
        let before = self.traces();
        let out = self.launch(&silent).run();

        if let Some(changed) = difference(("before", &before), ("after", &self.traces())) {
            return fail(&format!("something outside has changed\n{changed}"), &out);
        }
        let outcome = match &end {
            Ok(()) => {
                self.worked(&seen, &out)?;
                Outcome::Worked
            }
            Err(End::Refused { word, why }) => {
                if !self.is_refusal(&out, word, why) {
                    return fail(&format!("it should be refused for {word:?}: {why:?}"), &out);
                }
                Outcome::Refused
            }
            Err(End::Unknown) => {
                let clean = out.stderr.is_empty() && [0, 1].contains(&out.status);
                if !clean && !self.is_refusal(&out, "", "") {
                    return fail("it should work or be refused", &out);
                }
                Outcome::Unknown
            }
        };
        if !matches!(outcome, Outcome::Unknown) {
            let (expected, found) = (model.world().lines(), Tree::read(self.dir.path()).lines());
            if let Some(other) = difference(("in the model", &expected), ("on disk", &found)) {
                return fail(&format!("outside there should be something else\n{other}"), &out);
            }
        }
        Ok(outcome)
    }

    fn worked(&self, seen: &BTreeSet<String>, out: &Out) -> Result<(), TestCaseError> {
        let lines = out.stdout.lines().map(str::to_owned).collect();
        if out.status != 0 || !out.stderr.is_empty() {
            return fail("it should work", out);
        }
        match difference(("in the model", seen), ("inside", &lines)) {
            Some(other) => Err(TestCaseError::fail(format!("inside there should be something else\n{other}"))),
            None => Ok(()),
        }
    }

    /// The program's own status and one line.
    fn is_refusal(&self, out: &Out, word: &str, why: &str) -> bool {
        let (status, name) = match self.case.place {
            Place::Built { .. } => (1, "bwrap: "),
            Place::Directory { .. } => (125, "nsinit: "),
        };
        let line = out.stderr.strip_suffix('\n').filter(|line| !line.contains('\n'));
        out.status == status
            && out.stdout.is_empty()
            && line.is_some_and(|line| line.starts_with(name) && line.contains(word) && line.contains(why))
    }

    fn traces(&self) -> BTreeSet<String> {
        UNTOUCHED.iter().flat_map(|name| traces(&self.dir.at(name))).collect()
    }

    fn expanded_case(&self) -> Case {
        let mut case = self.case.clone();
        for op in &mut case.ops {
            op.dest = self.expanded(&op.dest);
            if let Act::Symlink { target } = &mut op.act {
                *target = self.expanded(target);
            }
        }
        case
    }

    fn launch(&self, silent: &[String]) -> Launch {
        let program = match self.case.place {
            Place::Built { .. } => bwrap(),
            Place::Directory { .. } => nsinit(),
        };
        let launch = Launch::of(self.who, program)
            .args(options(&self.case).iter().map(|word| self.expanded(word)))
            .args(["--", "/walk", "walk"])
            .args(silent)
            .lacking(self.case.kernel.lacks());
        descriptors(&self.case)
            .into_iter()
            .fold(launch, |launch, (number, path)| launch.open_as(Path::new(&self.expanded(&path)), number))
    }

    /// What makes the same by hand, in bash, from the directory of the sources.
    pub fn script(&self) -> String {
        let quoted = |words: Vec<String>| words.iter().map(|word| format!(" \"{word}\"")).collect::<String>();
        let opened =
            descriptors(&self.case).iter().map(|(number, path)| format!(" {number}<\"{path}\"")).collect::<String>();
        let mut model = self.model();
        let _ = model.run(&self.expanded_case());
        let silent = quoted(model.seen().1);
        let who = match self.who {
            Who::Root => String::new(),
            Who::User { uid, gid } => {
                format!("chown -hR {uid}:{gid} .\nsetpriv --reuid={uid} --regid={gid} --clear-groups ")
            }
        };
        let name = if matches!(self.case.place, Place::Built { .. }) { "bwrap" } else { "nsinit" };
        let script = format!(
            "# on a kernel {:?}\ncc -static -o /tmp/walk {}; W=/tmp/walk; mkdir /tmp/t.$$; cd /tmp/t.$$; T=$PWD\n{}{who}bash -c 'exec -a {name} {} \"$@\"' {name}{} -- /walk walk{silent}{opened}\n",
            self.case.kernel,
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/helper.c"),
            Tree::read(self.dir.path()).script(),
            env!("CARGO_BIN_EXE_nsinit"),
            quoted(options(&self.case)),
        );
        script.replace(self.dir.str(), "$T")
    }
}

fn fail<T>(how: &str, out: &Out) -> Result<T, TestCaseError> {
    Err(TestCaseError::fail(format!("{how}\n{out}")))
}

/// What is opened for the operations, and as which descriptor.
fn descriptors(case: &Case) -> Vec<(usize, String)> {
    let path = |(index, op): (usize, &Op)| match &op.act {
        Act::Bind { by_fd: true, source, .. } => Some((FD + index, path_of(source))),
        act if act.text().is_some() => Some((FD + index, format!("$T/{DATA}/{index}"))),
        _ => None,
    };
    case.ops.iter().enumerate().filter_map(path).collect()
}

fn path_of(source: &str) -> String {
    match source {
        WORLD => "$T".to_owned(),
        WALKER => "$W".to_owned(),
        name => format!("$T/{name}"),
    }
}

fn options(case: &Case) -> Vec<String> {
    let (mut words, names) =
        (Vec::new(), |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
    words.extend(match case.place {
        // Who looks around is to see everything.
        Place::Built { unshare_pid } => {
            names(if unshare_pid { &["--cap-add", "ALL", "--unshare-pid"] } else { &["--cap-add", "ALL"] })
        }
        Place::Directory { sys, writes } => {
            let sys: &[&str] = if sys { &[] } else { &["--no-sys", "--share-net"] };
            let writes: &[&str] = match writes {
                Writes::Kept => &[],
                Writes::Refused => &["--read-only"],
                Writes::Forgotten => &["--volatile"],
            };
            names(&[&["--root", "$T/root"], sys, writes].concat())
        }
    });
    for (index, op) in case.ops.iter().enumerate() {
        if let Some(mode) = op.mode {
            words.extend(["--perms".into(), format!("{mode:04o}")]);
        }
        words.extend(words_of(op, (FD + index).to_string()));
        words.push(op.dest.clone());
    }
    words
}

/// All but the destination.
fn words_of(op: &Op, fd: String) -> Vec<String> {
    let name = |name: &str| vec![name.to_owned()];
    match &op.act {
        Act::Bind { how, by_fd, lenient, source } => {
            let how = match how {
                Bind::Writable => "--bind",
                Bind::ReadOnly => "--ro-bind",
                Bind::Devices => "--dev-bind",
            };
            match (*by_fd, *lenient) {
                (true, _) => vec![format!("{how}-fd"), fd],
                (false, true) => vec![format!("{how}-try"), path_of(source)],
                (false, false) => vec![how.to_owned(), path_of(source)],
            }
        }
        Act::BindData { read_only, .. } => vec![(if *read_only { "--ro-bind-data" } else { "--bind-data" }).into(), fd],
        Act::Overlay { writable, layers } => {
            let layers = layers.iter().flat_map(|layer| ["--overlay-src".to_owned(), path_of(layer)]);
            layers.chain(name(if *writable { "--tmp-overlay" } else { "--ro-overlay" })).collect()
        }
        Act::Tmpfs => name("--tmpfs"),
        Act::Proc => name("--proc"),
        Act::Dev => name("--dev"),
        Act::RemountReadOnly => name("--remount-ro"),
        Act::Dir => name("--dir"),
        Act::File { .. } => vec!["--file".into(), fd],
        Act::Symlink { target } => vec!["--symlink".into(), target.clone()],
        Act::Chmod { mode } => vec!["--chmod".into(), format!("{mode:04o}")],
    }
}
