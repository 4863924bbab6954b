//! What is tried: a tree, and operations on it. Names are few, so that they meet.
//!
//! `$T` stands for the directory that everything lies in, outside the container, as in the script of a failure.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use crate::harness::deny;

#[derive(Clone, Debug)]
pub struct Case {
    pub place: Place,
    pub kernel: Kernel,
    /// What is planted in each of [`PLANTED`].
    pub trees: Vec<Vec<Seed>>,
    pub ops: Vec<Op>,
    /// Operations that are refused are left out, so that the others come to be done; but this one comes behind them.
    pub refused: Option<Index>,
}

/// What the operations are applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// An empty file system, `bwrap`.
    Built { unshare_pid: bool },
    /// `nsinit --root "$T/root"`
    Directory { sys: bool, writes: Writes },
}

/// Which calls the kernel is made to lack.
#[derive(Clone, Copy, Debug)]
pub enum Kernel {
    New,
    /// Without mount_setattr(2).
    Before5_12,
    /// And without the other calls on mounts as descriptors.
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
    Forgotten,
}

/// Directories below `$T` with random content: the root, two that are never bound writable, and one that is.
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

/// Where it is, seen from `$T`.
pub type Source = &'static str;

/// Everything is in it: what is bound writable, what is not, and what is only pointed to.
pub const WORLD: Source = ".";
/// What links point to. Nothing of it is ever bound writable.
pub const OUTSIDE: Source = "outside";
const MISSING: Source = "missing";
/// The program that looks around inside; `$T` does not have it.
pub const WALKER: Source = "walk";

const READ_ONLY: [Source; 8] = ["r0", "r1", "rf", OUTSIDE, "w0", "root", WORLD, MISSING];
const WRITABLE: [Source; 4] = ["w0", "wf", "root", MISSING];
const LAYERS: [Source; 3] = ["r0", "r1", OUTSIDE];

impl Act {
    /// Makes a file of the root's, and mounts nothing.
    pub fn makes(&self) -> bool {
        matches!(self, Act::Dir | Act::File { .. } | Act::Symlink { .. } | Act::Chmod { .. })
    }

    fn takes_mode(&self) -> bool {
        matches!(self, Act::Dir | Act::File { .. } | Act::Tmpfs | Act::BindData { .. })
    }

    /// The text that it gets by a descriptor.
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
        let writes = prop_oneof![4 => Just(Writes::Kept), 1 => Just(Writes::Refused), 1 => Just(Writes::Forgotten)];
        of((any::<bool>(), writes).prop_map(|(sys, writes)| Place::Directory { sys, writes }))
    }

    /// What is written to the lower layer of an overlay, while that is mounted, shows there or not.
    pub fn is_defined(&self) -> bool {
        let writes_below = |op: &Op| matches!(&op.act, Act::Bind { how, source: "root", .. } if *how != Bind::ReadOnly);
        !(matches!(self.place, Place::Directory { writes: Writes::Forgotten, .. }) && self.ops.iter().any(writes_below))
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
            ops: meeting(place, &trees, ops),
            trees,
            refused,
        })
        .prop_filter("what overlayfs leaves open", Case::is_defined)
}

#[derive(Clone, Debug)]
enum Dest {
    Anywhere(String),
    /// Where something is already, or below it.
    Known(Index, &'static str),
}

/// Destinations become paths. At the end comes what is to be executed.
fn meeting(place: Place, trees: &[Vec<Seed>], ops: Vec<(Act, Option<u32>, Dest)>) -> Vec<Op> {
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

/// What files are called.
pub const NAMES: [&str; 6] = ["a", "b", "c", "d e", "...", "walk"];

fn name() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => select(&NAMES[..3]), 1 => select(&NAMES[3..])]
}

fn seed() -> impl Strategy<Value = Seed> {
    let what =
        prop_oneof![1 => Just(Planted::Directory), 1 => Just(Planted::File), 3 => target().prop_map(Planted::Link)];
    (vec(name(), 1..4), what).prop_map(|(path, what)| Seed { path, what })
}

/// A path that wanders about.
fn wandering() -> impl Strategy<Value = String> {
    let component = prop_oneof![12 => name(), 3 => Just(".."), 1 => Just("."), 1 => Just("")];
    vec(component, 1..6).prop_map(|components| components.join("/"))
}

fn dest() -> impl Strategy<Value = Dest> {
    let before = prop_oneof![6 => Just("/"), 1 => Just(""), 1 => Just("//"), 1 => Just("/../")];
    let after = prop_oneof![12 => Just(""), 1 => Just("/"), 1 => Just("//"), 1 => Just("/."), 1 => Just("/..")];
    let wandering = (before, wandering(), after).prop_map(|(before, path, after)| before.to_owned() + &path + after);
    let known = (any::<Index>(), select(&["", "", "", "", "/", "/a", "/../b", "/..", "/walk"][..]));
    prop_oneof![
        20 => wandering.prop_map(Dest::Anywhere),
        20 => known.prop_map(|(which, behind)| Dest::Known(which, behind)),
        1 => select(&SPECIAL[..]).prop_map(|path| Dest::Anywhere(path.to_owned())),
    ]
}

const SPECIAL: [&str; 10] =
    ["/", "//", "/.", "/a/../", "/proc", "/dev/shm", "/dev/a", "/proc/a", "/sys", "/../$T/outside/a"];

/// Where a link leads that somebody hostile has put there.
fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => wandering(),
        3 => wandering().prop_map(|path| format!("/{path}")),
        1 => wandering().prop_map(|path| format!("../../../../../../{path}")),
        3 => select(&HOSTS[..]).prop_map(str::to_owned),
        1 => Just("./".repeat(1900) + "a"),
    ]
    .prop_filter("a link says something", |target| !target.is_empty())
}

/// The launcher's directory is [`OUTSIDE`].
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
