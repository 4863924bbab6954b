//! A case: a tree, and operations on it. There are few names, so that paths collide.
//!
//! `$T` stands for the directory outside the container that holds all files, as in the script of a failure.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use crate::harness::deny;

#[derive(Clone, Debug)]
pub struct Case {
    pub place: Place,
    pub kernel: Kernel,
    /// The content planted in each of [`PLANTED`].
    pub trees: Vec<Vec<Seed>>,
    pub ops: Vec<Op>,
    /// Operations that would be refused are left out, so that the others run; but this one is added at the end.
    pub refused: Option<Index>,
}

/// The root on which the operations run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// An empty root, under the name `bwrap`.
    Built { unshare_pid: bool },
    /// `nsinit --root "$T/root"`
    Directory { sys: bool, writes: Writes },
}

/// The system calls that fail with ENOSYS.
#[derive(Clone, Copy, Debug)]
pub enum Kernel {
    New,
    /// Without mount_setattr(2).
    Before5_12,
    /// Also without the other calls for mounts as descriptors.
    Before5_2,
}

impl Kernel {
    pub fn lacks(self) -> &'static [i64] {
        match self {
            Kernel::New => &[],
            Kernel::Before5_12 => &deny::SINCE_5_12,
            Kernel::Before5_2 => &deny::SINCE_5_2,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    Kept,
    Refused,
    Discarded,
}

/// Directories in `$T` with random content: the root, two that are never bound writable, and one that is.
pub const PLANTED: [&str; 4] = ["root", "r0", "r1", "w0"];

#[derive(Clone, Debug)]
pub struct Seed {
    pub path: Vec<&'static str>,
    pub what: Planted,
}

#[derive(Clone, Debug)]
pub enum Planted {
    Directory,
    File,
    Link(String),
}

#[derive(Clone, Debug)]
pub struct Op {
    pub act: Act,
    /// `--perms`
    pub mode: Option<u32>,
    pub dest: String,
}

#[derive(Clone, Debug)]
pub enum Act {
    Bind { how: Bind, by_fd: bool, lenient: bool, source: Source },
    BindData { read_only: bool, text: &'static str },
    Overlay { writable: bool, layers: Vec<Source> },
    Tmpfs,
    Proc,
    Dev,
    RemountReadOnly,
    Dir,
    File { text: &'static str },
    Symlink { target: String },
    Chmod { mode: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bind {
    Writable,
    ReadOnly,
    Devices,
}

/// A path relative to `$T`.
pub type Source = &'static str;

/// `$T` itself, with all directories that are bound, writable or not, and those that only links lead to.
pub const WORLD: Source = ".";
/// The target of links. It is never bound writable.
pub const OUTSIDE: Source = "outside";
const MISSING: Source = "missing";
/// The program that inspects the container from inside; it is not in `$T`.
pub const WALKER: Source = "walk";

const READ_ONLY: [Source; 8] = ["r0", "r1", "rf", OUTSIDE, "w0", "root", WORLD, MISSING];
const WRITABLE: [Source; 4] = ["w0", "wf", "root", MISSING];
const LAYERS: [Source; 3] = ["r0", "r1", OUTSIDE];

impl Act {
    /// True if it changes a file of the root, and mounts nothing.
    pub fn makes(&self) -> bool {
        matches!(self, Act::Dir | Act::File { .. } | Act::Symlink { .. } | Act::Chmod { .. })
    }

    fn takes_mode(&self) -> bool {
        matches!(self, Act::Dir | Act::File { .. } | Act::Tmpfs | Act::BindData { .. })
    }

    /// The text that it reads from a descriptor.
    pub fn text(&self) -> Option<&'static str> {
        match self {
            Act::File { text } | Act::BindData { text, .. } => Some(text),
            _ => None,
        }
    }
}

impl Case {
    pub fn built() -> impl Strategy<Value = Case> {
        of(any::<bool>().prop_map(|unshare_pid| Place::Built { unshare_pid }))
    }

    pub fn directory() -> impl Strategy<Value = Case> {
        let writes = prop_oneof![4 => Just(Writes::Kept), 1 => Just(Writes::Refused), 1 => Just(Writes::Discarded)];
        of((any::<bool>(), writes).prop_map(|(sys, writes)| Place::Directory { sys, writes }))
    }

    /// False if the lower layer of a mounted overlay is written to: overlayfs leaves the result undefined.
    pub fn is_defined(&self) -> bool {
        let writes_below = |op: &Op| matches!(&op.act, Act::Bind { how, source: "root", .. } if *how != Bind::ReadOnly);
        !(matches!(self.place, Place::Directory { writes: Writes::Discarded, .. }) && self.ops.iter().any(writes_below))
    }
}

fn of(place: impl Strategy<Value = Place>) -> impl Strategy<Value = Case> {
    let trees = PLANTED.map(|_| vec(seed(), 0..8));
    let kernel = prop_oneof![4 => Just(Kernel::New), 1 => Just(Kernel::Before5_12), 1 => Just(Kernel::Before5_2)];
    (
        place,
        kernel,
        Vec::from(trees),
        vec((act(), option::weighted(0.3, mode()), dest()), 1..16),
        any::<Option<Index>>(),
    )
        .prop_map(|(place, kernel, trees, ops, refused)| Case {
            place,
            kernel,
            ops: with_known_destinations(place, &trees, ops),
            trees,
            refused,
        })
        .prop_filter("undefined for overlayfs", Case::is_defined)
}

#[derive(Clone, Debug)]
enum Dest {
    Anywhere(String),
    /// An earlier destination or a planted file, or a path below it.
    Known(Index, &'static str),
}

/// Turns destinations into paths, and appends the bind of the program to execute.
fn with_known_destinations(place: Place, trees: &[Vec<Seed>], ops: Vec<(Act, Option<u32>, Dest)>) -> Vec<Op> {
    let below = |path: &str, name: &str| {
        let tree = PLANTED.iter().position(|planted| *planted == name).map(|index| &trees[index]);
        let path = path.trim_end_matches('/').to_owned();
        tree.into_iter().flatten().map(move |seed| format!("{path}/{}", seed.path.join("/"))).collect::<Vec<_>>()
    };
    let mut known = vec!["/a".to_owned()];
    if matches!(place, Place::Directory { .. }) {
        known = below("", "root");
        known.push("/a".into());
    }
    let look = Act::Bind { how: Bind::ReadOnly, by_fd: false, lenient: false, source: WALKER };
    let ops = ops.into_iter().chain([(look, None, Dest::Anywhere("/walk".into()))]);
    ops.map(|(act, mode, dest)| {
        let dest = match dest {
            Dest::Anywhere(path) => path,
            Dest::Known(which, behind) => which.get(&known).to_owned() + behind,
        };
        known.push(dest.clone());
        if let Act::Bind { source, .. } = act {
            known.extend(below(&dest, source));
        }
        let mode = mode.filter(|_| act.takes_mode());
        Op { act, mode, dest }
    })
    .collect()
}

/// The file names.
pub const NAMES: [&str; 6] = ["a", "b", "c", "d e", "...", "walk"];

fn name() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => select(&NAMES[..3]), 1 => select(&NAMES[3..])]
}

fn seed() -> impl Strategy<Value = Seed> {
    let what =
        prop_oneof![1 => Just(Planted::Directory), 1 => Just(Planted::File), 3 => target().prop_map(Planted::Link)];
    (vec(name(), 1..4), what).prop_map(|(path, what)| Seed { path, what })
}

/// A random path with `.`, `..` and empty components.
fn random_path() -> impl Strategy<Value = String> {
    let component = prop_oneof![12 => name(), 3 => Just(".."), 1 => Just("."), 1 => Just("")];
    vec(component, 1..6).prop_map(|components| components.join("/"))
}

fn dest() -> impl Strategy<Value = Dest> {
    let before = prop_oneof![6 => Just("/"), 1 => Just(""), 1 => Just("//"), 1 => Just("/../")];
    let after = prop_oneof![12 => Just(""), 1 => Just("/"), 1 => Just("//"), 1 => Just("/."), 1 => Just("/..")];
    let random_path =
        (before, random_path(), after).prop_map(|(before, path, after)| before.to_owned() + &path + after);
    let known = (any::<Index>(), select(&["", "", "", "", "/", "/a", "/../b", "/..", "/walk"][..]));
    prop_oneof![
        20 => random_path.prop_map(Dest::Anywhere),
        20 => known.prop_map(|(which, behind)| Dest::Known(which, behind)),
        1 => select(&SPECIAL[..]).prop_map(|path| Dest::Anywhere(path.to_owned())),
    ]
}

const SPECIAL: [&str; 10] =
    ["/", "//", "/.", "/a/../", "/proc", "/dev/shm", "/dev/a", "/proc/a", "/sys", "/../$T/outside/a"];

/// The target of a link that an attacker planted.
fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => random_path(),
        3 => random_path().prop_map(|path| format!("/{path}")),
        1 => random_path().prop_map(|path| format!("../../../../../../{path}")),
        3 => select(&HOSTS[..]).prop_map(str::to_owned),
        1 => Just("./".repeat(1900) + "a"),
    ]
    .prop_filter("the target of a link is not empty", |target| !target.is_empty())
}

/// The launcher's working directory is [`OUTSIDE`].
const HOSTS: [&str; 10] = [
    "$T/outside",
    "$T/outside/a",
    "$T/outside/file",
    "../../../../../../../../../..$T/outside",
    "/proc/self/root$T/outside",
    "/proc/self/cwd",
    "/proc/1/root$T/outside/a",
    "/proc/1/cwd/a",
    "/proc/self/fd/500",
    "/dev/fd/501/..",
];

fn mode() -> impl Strategy<Value = u32> {
    select(&[0o755, 0o700, 0o711, 0o750, 0o707, 0o1777][..])
}

fn text() -> impl Strategy<Value = &'static str> {
    select(&["", "new", "other"][..])
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => bind(),
        2 => (any::<bool>(), text()).prop_map(|(read_only, text)| Act::BindData { read_only, text }),
        1 => (any::<bool>(), subsequence(&LAYERS[..], 2..=3).prop_shuffle())
            .prop_map(|(writable, layers)| Act::Overlay { writable, layers }),
        3 => Just(Act::Tmpfs),
        1 => prop_oneof![Just(Act::Proc), Just(Act::Dev)],
        4 => Just(Act::RemountReadOnly),
        6 => Just(Act::Dir),
        4 => text().prop_map(|text| Act::File { text }),
        5 => target().prop_map(|target| Act::Symlink { target }),
        3 => mode().prop_map(|mode| Act::Chmod { mode }),
    ]
}

fn bind() -> impl Strategy<Value = Act> {
    let how = prop_oneof![
        select(&WRITABLE[..]).prop_map(|source| (Bind::Writable, source)),
        select(&WRITABLE[..]).prop_map(|source| (Bind::Devices, source)),
        select(&READ_ONLY[..]).prop_map(|source| (Bind::ReadOnly, source)),
    ];
    (how, any::<bool>(), any::<bool>()).prop_map(|((how, source), by_fd, lenient)| {
        let by_fd = by_fd && how != Bind::Devices && source != MISSING;
        Act::Bind { how, by_fd, lenient: lenient && !by_fd, source }
    })
}
