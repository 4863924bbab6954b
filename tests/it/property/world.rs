//! A case on disk: it is planted, run, and compared.

use std::collections::BTreeSet;
use std::path::Path;

use nix::sys::statvfs::{FsFlags, statvfs};
use proptest::test_runner::TestCaseError;

use super::case::{Act, Case, NAMES, OUTSIDE, PLANTED, Place, Planted, Seed};
use super::model::{End, Model, SYMLINK_TEXT};
use super::tree::Tree;
use super::words::{descriptors, options};
use crate::harness::scratch::{Dir, bwrap, helper, nsinit, utf8};
use crate::harness::traces::{difference, traces};
use crate::harness::{Launch, Out, Who};

/// The directory with the content for operations: a file for each, named by its number.
pub const DATA: &str = "data";
/// The files that no launch may change.
const UNTOUCHED: [&str; 5] = [OUTSIDE, "r0", "r1", "rf", DATA];
/// The outcome of a case by the model.
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
    /// The case, in which `$T` and `$W` are not yet expanded.
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
            // If this becomes the root, the walker needs a mount point in it.
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

    /// Makes a planted file, unless another file is in the way.
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
        word.replace("$T", self.dir.str()).replace("$W", utf8(helper()))
    }

    fn model(&self) -> Model {
        let mount = statvfs(self.dir.path()).expect("statvfs of the test directory");
        Model::new(&Tree::read(self.dir.path()), !mount.flags().contains(FsFlags::ST_NODEV))
    }

    /// Runs the case once, and compares the result with the model.
    pub fn check(&self) -> Result<Outcome, TestCaseError> {
        let mut model = self.model();
        let end = model.run(&self.expanded_case());
        // The path may lead to a file of the host's own /proc.
        if end == Err(End::Unknown) && self.case.ops.iter().any(|op| matches!(op.act, Act::Chmod { .. })) {
            return Ok(Outcome::Unknown);
        }
        let (seen, silent) = model.seen();
        let before = self.traces();
        let out = self.launch(&silent).run();

        if let Some(changed) = difference(("before", &before), ("after", &self.traces())) {
            return fail(&format!("not change files outside\n{changed}"), &out);
        }
        match &end {
            Ok(()) => self.worked(&seen, &out)?,
            Err(End::Refused { word, why }) if self.is_refusal(&out, word, why) => {}
            Err(End::Refused { word, why }) => return fail(&format!("refuse {word:?}: {why:?}"), &out),
            // The walker finds files in a procfs that vanish while it runs.
            Err(End::Unknown) => {
                let looked = out.status == 0 || out.status == 1 && !out.stdout.is_empty();
                let known = looked || self.is_refusal(&out, "", "");
                return if known { Ok(Outcome::Unknown) } else { fail("work, or be refused", &out) };
            }
        }
        let (expected, found) = (model.world().lines(), Tree::read(self.dir.path()).lines());
        match difference(("in the model", &expected), ("on disk", &found)) {
            Some(other) => fail(&format!("leave other files on disk\n{other}"), &out),
            None if end.is_ok() => Ok(Outcome::Worked),
            None => Ok(Outcome::Refused),
        }
    }

    fn worked(&self, seen: &BTreeSet<String>, out: &Out) -> Result<(), TestCaseError> {
        let lines = out.stdout.lines().map(str::to_owned).collect();
        if out.status != 0 || !out.stderr.is_empty() {
            return fail("work", out);
        }
        match difference(("in the model", seen), ("inside", &lines)) {
            Some(other) => Err(TestCaseError::fail(format!("it should show other files inside\n{other}"))),
            None => Ok(()),
        }
    }

    /// The program's own failure status, and one line.
    fn is_refusal(&self, out: &Out, word: &str, why: &str) -> bool {
        let (status, name) = match self.case.place {
            Place::Built { .. } => (1, "bwrap: "),
            Place::Directory { .. } => (125, "nsinit: "),
        };
        // bubblewrap has a sentence of its own for this reason, if the operation mounts.
        let bwraps = if why == SYMLINK_TEXT { "Can't mount on symlink destination" } else { why };
        let says_why = |line: &str| line.contains(why) || name == "bwrap: " && line.contains(bwraps);
        let line = out.stderr.strip_suffix('\n').filter(|line| !line.contains('\n'));
        out.status == status
            && out.stdout.is_empty()
            && line.is_some_and(|line| line.starts_with(name) && line.contains(word) && says_why(line))
    }

    /// The traces of files outside, and of files that would exist if an absolute link had been followed outside.
    fn traces(&self) -> BTreeSet<String> {
        let led_to = NAMES.map(|name| Path::new("/").join(name));
        let there = led_to.iter().filter(|path| path.exists()).map(|path| path.display().to_string());
        UNTOUCHED.iter().flat_map(|name| traces(&self.dir.at(name))).chain(there).collect()
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
            .directory(&self.dir.at(OUTSIDE))
            .args(options(&self.case).iter().map(|word| self.expanded(word)))
            .args(["--", "/walk", "walk"])
            .args(silent)
            .lacking(self.case.kernel.lacks());
        descriptors(&self.case)
            .into_iter()
            .fold(launch, |launch, (number, path)| launch.open_as(Path::new(&self.expanded(&path)), number))
    }

    /// A bash script that reproduces the case, to be run in the source directory.
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
                format!("chown -hR {uid}:{gid} $T; setpriv --reuid={uid} --regid={gid} --clear-groups ")
            }
        };
        let name = if matches!(self.case.place, Place::Built { .. }) { "bwrap" } else { "nsinit" };
        let script = format!(
            "# on a kernel {:?}\n\
            N=${{NSINIT_BIN:-{}}} W=/tmp/walk; cc -static -o $W {}; mkdir /tmp/t.$$; cd /tmp/t.$$; T=$PWD\n{}\
            cd outside; {who}bash -c 'exec -a {name} \"$0\" \"$@\"' \"$N\"{} -- /walk walk{silent}{opened}\n",
            self.case.kernel,
            env!("CARGO_BIN_EXE_nsinit"),
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/helper.c"),
            Tree::read(self.dir.path()).script(),
            quoted(options(&self.case)),
        );
        script.replace(self.dir.str(), "$T")
    }
}

fn fail<T>(how: &str, out: &Out) -> Result<T, TestCaseError> {
    Err(TestCaseError::fail(format!("it should {how}\n{out}")))
}
