//! The expected result: inodes, mounts, and one path walk over them. It models what the options are documented to do.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::case::{Act, Bind, Case, Op, Place as Where, WALKER, WORLD, Writes};
use super::tree::{Tree, What};

type Inode = usize;
type MountId = usize;

/// A mount's root or an inode below it; mounts on top are not considered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    mount: MountId,
    inode: Inode,
}

#[derive(Clone)]
enum Kind {
    Directory(BTreeMap<String, Inode>),
    File(String),
    Link(String),
    /// A file system of the kernel, or a /dev: the model does not know its content.
    Opaque,
}

#[derive(Clone)]
struct File {
    kind: Kind,
    mode: u32,
}

#[derive(Clone, Copy)]
struct Mount {
    root: Inode,
    read_only: bool,
    devices: bool,
}

/// Why the launch ends before the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With one line that contains this word of the user and this reason.
    Refused { word: String, why: &'static str },
    /// A path leads to a place that the model does not know.
    Unknown,
}

/// An [`End`] without the word of the user.
enum Why {
    Because(&'static str),
    Unknown,
}

const LOOP: Why = Why::Because("Too many levels of symbolic links");
const NOT_A_DIRECTORY: &str = "Not a directory";
const NOT_DIRECTORY: Why = Why::Because(NOT_A_DIRECTORY);
const IS_DIRECTORY: Why = Why::Because("Is a directory");
const MISSING: Why = Why::Because("No such file or directory");
const OTHER_LINK: Why = Why::Because("existing destination is ");
const NO_LINK: Why = Why::Because("destination exists and is not a symlink");
const READ_ONLY: Why = Why::Because("Read-only file system");
const NO_MOUNT: Why = Why::Because("Invalid argument");
pub const SYMLINK_TEXT: &str = "the destination is a symlink";
const SYMLINK: Why = Why::Because(SYMLINK_TEXT);
const WHATEVER: Why = Why::Because("");
const NO_DIRECTORY: Why = Why::Because("estination is not a directory");
const NO_FILE: Why = Why::Because("estination is not a file");

/// The kernel's limit (MAXSYMLINKS).
const LINKS_MAX: usize = 40;
/// A longer path could exceed PATH_MAX, which the model does not compute exactly.
const LONG: usize = 3000;

/// How a missing file is made.
#[derive(Clone, Copy)]
enum Missing {
    Directory(u32),
    File,
    Fail,
}

#[derive(Clone)]
pub struct Model {
    files: Vec<File>,
    mounts: Vec<Mount>,
    mounted: BTreeMap<Place, MountId>,
    root: Place,
    /// `$T`
    world: Inode,
    /// The user that launches; it owns all files.
    owner: u32,
    /// The root is built from the operations.
    built: bool,
    /// Device files of `$T` work unless a mount forbids it.
    devices: bool,
}

impl Model {
    pub fn new(world: &Tree, devices: bool) -> Model {
        let mut model = Model {
            files: Vec::new(),
            mounts: Vec::new(),
            mounted: BTreeMap::new(),
            root: Place { mount: 0, inode: 0 },
            world: 0,
            owner: world.owner,
            built: false,
            devices,
        };
        model.world = model.plant(world);
        model
    }

    /// Applies all operations of the case.
    pub fn run(&mut self, case: &Case) -> Result<(), End> {
        case.ops.iter().try_for_each(|op| refused_in_advance(op, case))?;
        self.begin(case.place);
        case.ops.iter().try_for_each(|op| self.apply(op))
    }

    /// The operations that are not refused, then the chosen one of the refused, then the last.
    pub fn accepted(mut self, case: &Case) -> Vec<Op> {
        self.begin(case.place);
        let (last, ops) = case.ops.split_last().expect("there is an operation");
        let (mut accepted, refused): (Vec<Op>, Vec<Op>) = ops.iter().cloned().partition(|op| {
            let before = self.clone();
            let done = refused_in_advance(op, case).and_then(|()| self.apply(op)).is_ok();
            if !done {
                self = before;
            }
            done
        });
        if let Some(index) = case.refused.filter(|_| !refused.is_empty()) {
            accepted.push(index.get(&refused).clone());
        }
        accepted.push(last.clone());
        accepted
    }

    fn begin(&mut self, place: Where) {
        self.built = matches!(place, Where::Built { .. });
        match place {
            Where::Built { .. } => {
                let root = self.add(Kind::Directory(BTreeMap::new()), 0o755);
                self.enter(restricted(root));
            }
            Where::Directory { sys, writes } => {
                let mut root = self.source("root").expect("the root was planted");
                if writes == Writes::Discarded {
                    root = self.plant(&self.tree(root));
                }
                self.enter(Mount { read_only: writes == Writes::Refused, ..restricted(root) });
                for name in ["proc", "dev", "sys"].into_iter().filter(|name| sys || *name != "sys") {
                    let root = self.add(Kind::Opaque, 0);
                    self.put(name, restricted(root), 0o755).ok().expect("their mount points were planted");
                }
            }
        }
    }

    fn enter(&mut self, mount: Mount) {
        self.root = Place { mount: self.mounts.len(), inode: mount.root };
        self.mounts.push(mount);
    }

    fn apply(&mut self, op: &Op) -> Result<(), End> {
        let refused = |word: &str, why| match why {
            Why::Because(why) => End::Refused { word: word.to_owned(), why },
            Why::Unknown => End::Unknown,
        };
        let mount = match &op.act {
            Act::Bind { source, how, lenient, .. } => match self.source(source) {
                None if *lenient => return Ok(()),
                None => return Err(refused(source, MISSING)),
                Some(root) => {
                    let devices = *how == Bind::Devices && self.devices;
                    Mount { root, read_only: *how == Bind::ReadOnly, devices }
                }
            },
            Act::BindData { read_only, text } => {
                let root = self.add(Kind::File((*text).to_owned()), op.mode.unwrap_or(0o600));
                Mount { read_only: *read_only, ..restricted(root) }
            }
            Act::Overlay { writable, layers } => {
                let layers: Vec<Tree> = layers.iter().rev().map(|layer| self.below_world(layer)).collect();
                let root = self.plant(&merged(&layers.iter().collect::<Vec<_>>()));
                Mount { read_only: !writable, ..restricted(root) }
            }
            Act::Tmpfs => restricted(self.add(Kind::Directory(BTreeMap::new()), op.mode.unwrap_or(0o755))),
            Act::Proc | Act::Dev => restricted(self.add(Kind::Opaque, 0)),
            _ => return self.change(op).map_err(|why| refused(&op.dest, why)),
        };
        self.put(&op.dest, mount, self.parents(op)).map_err(|why| refused(&op.dest, why))
    }

    /// An operation that mounts nothing.
    fn change(&mut self, op: &Op) -> Result<(), Why> {
        match &op.act {
            Act::Dir => self.make_directory(op),
            Act::File { text } => self.write_file(op, text),
            Act::Symlink { target } => self.make_link(op, target),
            Act::Chmod { mode } => {
                let place = self.place(&op.dest, Missing::Fail, 0)?;
                if matches!(self.kind(place), Kind::Opaque) {
                    return Err(Why::Unknown);
                }
                self.writable(place)?;
                self.files[place.inode].mode = *mode;
                Ok(())
            }
            Act::RemountReadOnly => {
                let place = self.place(&op.dest, Missing::Fail, 0)?;
                if self.mounts[place.mount].root != place.inode {
                    return Err(NO_MOUNT);
                }
                self.mounts[place.mount].read_only = true;
                Ok(())
            }
            _ => unreachable!("mounts are applied elsewhere"),
        }
    }

    fn make_directory(&mut self, op: &Op) -> Result<(), Why> {
        let (parent, Some(name)) = self.parent(&op.dest, Some(self.parents(op)))? else { return Ok(()) };
        match self.look(parent, &name)? {
            None => self.make(parent, &name, Kind::Directory(BTreeMap::new()), op.mode.unwrap_or(0o755)).map(|_| ()),
            Some(found) if self.is_directory(found) => Ok(()),
            // A link to a directory is accepted.
            Some(_) => match self.walk(&op.dest, None) {
                Err(Why::Because(why)) if why == NOT_A_DIRECTORY => Err(NO_DIRECTORY),
                found => found.map(|_| ()),
            },
        }
    }

    fn write_file(&mut self, op: &Op, text: &str) -> Result<(), Why> {
        let (parent, Some(name)) = self.parent(&op.dest, Some(self.parents(op)))? else { return Err(MISSING) };
        let content = Kind::File(text.to_owned());
        let Some(found) = self.look(parent, &name)? else {
            return self
                .make(parent, &name, content, op.mode.unwrap_or(if self.built { 0o666 } else { 0o600 }))
                .map(|_| ());
        };
        match self.kind(found) {
            Kind::Directory(_) | Kind::Opaque => Err(IS_DIRECTORY),
            Kind::Link(_) => Err(SYMLINK),
            Kind::File(_) => {
                self.writable(found)?;
                self.files[found.inode].kind = content;
                Ok(())
            }
        }
    }

    fn make_link(&mut self, op: &Op, target: &str) -> Result<(), Why> {
        let (parent, Some(name)) = self.parent(&op.dest, Some(self.parents(op)))? else { return Err(MISSING) };
        match self.look(parent, &name)?.map(|found| self.kind(found)) {
            None => self.make(parent, &name, Kind::Link(target.to_owned()), 0o777).map(|_| ()),
            Some(Kind::Link(there)) if *there == target => Ok(()),
            Some(Kind::Link(_)) => Err(OTHER_LINK),
            Some(_) => Err(NO_LINK),
        }
    }

    /// Mounts `mount` at `dest`, on top of what is there.
    fn put(&mut self, dest: &str, mount: Mount, parents: u32) -> Result<(), Why> {
        let file = matches!(self.files[mount.root].kind, Kind::File(_));
        let place = self.place(dest, if file { Missing::File } else { Missing::Directory(0o755) }, parents)?;
        let id = self.mounts.len();
        self.mounts.push(mount);
        self.mounted.insert(place, id);
        if place == self.root {
            self.root = Place { mount: id, inode: mount.root };
        }
        Ok(())
    }

    /// The mode of parent directories: if only the owner has access to the file, only the owner has access to its
    /// parents. In a built root that also applies to mounts.
    fn parents(&self, op: &Op) -> u32 {
        let open = !self.built || matches!(op.act, Act::Dir | Act::File { .. } | Act::Tmpfs);
        let mode = op.mode.unwrap_or(if open { 0o755 } else { 0 });
        [0o070, 0o007].into_iter().filter(|others| mode & others == 0).fold(0o755, |mode, others| mode & !others)
    }

    /// The file that `dest` names. Its last component must not be a link.
    fn place(&mut self, dest: &str, missing: Missing, parents: u32) -> Result<Place, Why> {
        let parents = if matches!(missing, Missing::Fail) { None } else { Some(parents) };
        let (parent, name) = self.parent(dest, parents)?;
        let Some(name) = name else {
            return if matches!(missing, Missing::File) { Err(WHATEVER) } else { Ok(parent) };
        };
        let found = self.look_or_make(parent, &name, missing)?;
        match (self.kind(found), missing) {
            (Kind::Link(_), _) => Err(SYMLINK),
            (Kind::File(_), Missing::Directory(_)) => Err(NO_DIRECTORY),
            (Kind::Directory(_) | Kind::Opaque, Missing::File) => Err(NO_FILE),
            _ => Ok(found),
        }
    }

    /// The directory of the last component, and that component. None for the root itself, and for a path that ends in
    /// `.` or `..`: then the result is the path's own place.
    fn parent(&mut self, dest: &str, make: Option<u32>) -> Result<(Place, Option<String>), Why> {
        let path = dest.trim_end_matches('/');
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        if matches!(name, "" | "." | "..") {
            return Ok((self.walk(path, make)?, None));
        }
        Ok((self.walk(parent, make)?, Some(name.to_owned())))
    }

    /// Resolves a path and follows links, never above the root. Missing directories of the path itself are made with
    /// that mode; missing directories of a link's target are not.
    fn walk(&mut self, path: &str, make: Option<u32>) -> Result<Place, Why> {
        let mut todo: VecDeque<String> = path.split('/').map(str::to_owned).collect();
        let mut way = Vec::new();
        let mut links = 0;
        let mut own = todo.len();
        while let Some(word) = todo.pop_front() {
            let at = way.last().copied().unwrap_or(self.root);
            match word.as_str() {
                "" | "." => continue,
                ".." => {
                    way.pop();
                    continue;
                }
                _ => {}
            }
            // True for components of the path itself, not of a link's target.
            let make = make.filter(|_| todo.len() < own);
            let found = self.look_or_make(at, &word, make.map_or(Missing::Fail, Missing::Directory))?;
            match self.kind(found) {
                Kind::Directory(_) | Kind::Opaque => way.push(found),
                Kind::File(_) => return Err(NOT_DIRECTORY),
                Kind::Link(target) => {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(LOOP);
                    }
                    if target.starts_with('/') {
                        way.clear();
                    }
                    own = own.min(todo.len());
                    for word in target.clone().split('/').rev() {
                        todo.push_front(word.to_owned());
                    }
                    if todo.iter().map(|word| word.len() + 1).sum::<usize>() > LONG {
                        return Err(Why::Unknown);
                    }
                }
            }
        }
        Ok(way.last().copied().unwrap_or(self.root))
    }

    fn look_or_make(&mut self, dir: Place, name: &str, missing: Missing) -> Result<Place, Why> {
        match (self.look(dir, name)?, missing) {
            (Some(found), _) => Ok(found),
            (None, Missing::Fail) => Err(MISSING),
            (None, Missing::File) => self.make(dir, name, Kind::File(String::new()), 0o444),
            (None, Missing::Directory(mode)) => self.make(dir, name, Kind::Directory(BTreeMap::new()), mode),
        }
    }

    /// The file of that name, with the mounts on top of it.
    fn look(&self, dir: Place, name: &str) -> Result<Option<Place>, Why> {
        match self.kind(dir) {
            Kind::Directory(children) => {
                Ok(children.get(name).map(|&inode| self.top(Place { mount: dir.mount, inode })))
            }
            _ => Err(Why::Unknown),
        }
    }

    fn top(&self, mut place: Place) -> Place {
        while let Some(&mount) = self.mounted.get(&place) {
            place = Place { mount, inode: self.mounts[mount].root };
        }
        place
    }

    fn make(&mut self, dir: Place, name: &str, kind: Kind, mode: u32) -> Result<Place, Why> {
        self.writable(dir)?;
        let inode = self.add(kind, mode);
        match &mut self.files[dir.inode].kind {
            Kind::Directory(children) => children.insert(name.to_owned(), inode),
            _ => unreachable!("its entries were read before"),
        };
        Ok(Place { mount: dir.mount, inode })
    }

    fn writable(&self, place: Place) -> Result<(), Why> {
        if self.mounts[place.mount].read_only { Err(READ_ONLY) } else { Ok(()) }
    }

    fn kind(&self, place: Place) -> &Kind {
        &self.files[place.inode].kind
    }

    fn is_directory(&self, place: Place) -> bool {
        matches!(self.kind(place), Kind::Directory(_) | Kind::Opaque)
    }

    fn add(&mut self, kind: Kind, mode: u32) -> Inode {
        self.files.push(File { kind, mode });
        self.files.len() - 1
    }

    fn plant(&mut self, tree: &Tree) -> Inode {
        let kind = match &tree.what {
            What::Directory(children) => {
                Kind::Directory(children.iter().map(|(name, child)| (name.clone(), self.plant(child))).collect())
            }
            What::File(text) => Kind::File(text.clone()),
            What::Link(target) => Kind::Link(target.clone()),
            What::Other(_) => Kind::Opaque,
        };
        self.add(kind, tree.mode)
    }

    /// The source of a bind, if it exists.
    fn source(&mut self, name: &str) -> Option<Inode> {
        match (name, &self.files[self.world].kind) {
            (WORLD, _) => Some(self.world),
            (WALKER, _) => Some(self.add(Kind::File(String::new()), 0)),
            (_, Kind::Directory(children)) => children.get(name).copied(),
            _ => None,
        }
    }

    fn below_world(&mut self, name: &str) -> Tree {
        let inode = self.source(name).expect("the layers exist");
        self.tree(inode)
    }

    fn tree(&self, inode: Inode) -> Tree {
        let file = &self.files[inode];
        let what = match &file.kind {
            Kind::Directory(children) => {
                What::Directory(children.iter().map(|(name, &child)| (name.clone(), self.tree(child))).collect())
            }
            Kind::File(text) => What::File(text.clone()),
            Kind::Link(target) => What::Link(target.clone()),
            Kind::Opaque => What::Other(0),
        };
        Tree { what, mode: file.mode, owner: self.owner }
    }

    /// `$T` as it must be outside.
    pub fn world(&self) -> Tree {
        self.tree(self.world)
    }

    /// What the command must see, in the format of `helper walk`; and the paths that it must leave out.
    pub fn seen(&self) -> (BTreeSet<String>, Vec<String>) {
        let mut seen = (BTreeSet::new(), vec!["/walk".to_owned()]);
        if !self.mounts.is_empty() {
            self.look_around("", self.root, &mut seen);
        }
        seen
    }

    fn look_around(&self, path: &str, place: Place, seen: &mut (BTreeSet<String>, Vec<String>)) {
        let (lines, silent) = seen;
        let name = if path.is_empty() { "/" } else { path };
        if silent.iter().any(|silent| silent == name) {
            return;
        }
        let mount = self.mounts[place.mount];
        let file = &self.files[place.inode];
        let rights =
            [if mount.read_only { "read-only" } else { "writable" }, if mount.devices { " devices" } else { "" }];
        let mut line = |kind, rights: &str, content: &str| {
            lines.insert(format!("{name}\t{kind}\t{:o}\t{rights}\t{content}", file.mode));
        };
        match &file.kind {
            Kind::Opaque => silent.push(name.to_owned()),
            Kind::File(text) => line('-', &rights.concat(), text),
            Kind::Link(target) => line('l', "", target),
            Kind::Directory(children) => {
                line('d', &rights.concat(), "");
                for (name, &inode) in children {
                    self.look_around(&format!("{path}/{name}"), self.top(Place { mount: place.mount, inode }), seen);
                }
            }
        }
    }
}

/// The attributes of most mounts: writable, without device files.
fn restricted(root: Inode) -> Mount {
    Mount { root, read_only: false, devices: false }
}

/// The union of the layers, the topmost first.
fn merged(layers: &[&Tree]) -> Tree {
    let top = *layers.first().expect("there is a layer");
    let directories: Vec<&BTreeMap<String, Tree>> = layers
        .iter()
        .map_while(|layer| if let What::Directory(children) = &layer.what { Some(children) } else { None })
        .collect();
    if directories.is_empty() {
        return top.clone();
    }
    let names: BTreeSet<&String> = directories.iter().flat_map(|children| children.keys()).collect();
    let of = |name: &String| directories.iter().filter_map(|children| children.get(name)).collect::<Vec<_>>();
    let children = names.into_iter().map(|name| (name.clone(), merged(&of(name)))).collect();
    Tree { what: What::Directory(children), ..*top }
}

/// Operations that are refused before any operation runs.
fn refused_in_advance(op: &Op, case: &Case) -> Result<(), End> {
    let Where::Directory { writes, .. } = case.place else { return Ok(()) };
    let mounts = case.ops.iter().filter(|other| !other.act.makes()).map(|other| other.dest.as_str());
    let below_a_mount = mounts.chain(["/dev/"]).any(|mount| op.dest.starts_with(mount));
    let why = if op.dest.split('/').all(|name| matches!(name, "" | "." | "..")) {
        "it must be below the root"
    } else if writes == Writes::Refused && op.act.makes() && !below_a_mount {
        "the root is read-only"
    } else {
        return Ok(());
    };
    Err(End::Refused { word: op.dest.clone(), why })
}
