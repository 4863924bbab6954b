//! Proof that no file was touched.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// For each file at or below `path`, a line that every kind of change alters. It includes the inode's change time,
/// which no program can set back.
pub fn traces(path: &Path) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    trace(path, &mut lines);
    lines
}

fn trace(path: &Path, lines: &mut BTreeSet<String>) {
    let found = fs::symlink_metadata(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let content = if found.is_file() {
        fs::read(path).expect("read a test file")
    } else if found.is_symlink() {
        fs::read_link(path).expect("read a test link").into_os_string().into_vec()
    } else {
        Vec::new()
    };
    let (changed, written) = ((found.ctime(), found.ctime_nsec()), (found.mtime(), found.mtime_nsec()));
    let (inode, mode, owner, links) = (found.ino(), found.mode(), (found.uid(), found.gid()), found.nlink());
    let content = String::from_utf8_lossy(&content);
    lines.insert(format!("{path:?} {inode} {mode:o} {owner:?} {links} {written:?} {changed:?} {content:?}"));
    if found.is_dir() {
        let below = fs::read_dir(path).expect("read a test directory");
        below.for_each(|entry| trace(&entry.expect("read a test directory").path(), lines));
    }
}

/// The lines that only one side has; None if the sides are equal.
pub fn difference(here: (&str, &BTreeSet<String>), there: (&str, &BTreeSet<String>)) -> Option<String> {
    let only = |(name, one): (&str, &BTreeSet<String>), (_, other): (&str, &BTreeSet<String>)| {
        one.difference(other).map(|line| format!("only {name}: {line}\n")).collect::<String>()
    };
    (here.1 != there.1).then(|| only(here, there) + &only(there, here))
}
