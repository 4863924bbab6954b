//! The command line of a case.

use super::case::{Act, Bind, Case, Op, Place, WALKER, WORLD, Writes};
use super::world::DATA;

/// The descriptor of the first operation: higher than any that the tests have open.
const FD: usize = 500;

/// The files to open for the operations, with their descriptor numbers.
pub fn descriptors(case: &Case) -> Vec<(usize, String)> {
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

/// All arguments before the command.
pub fn options(case: &Case) -> Vec<String> {
    let mut words: Vec<String> = place(case.place).into_iter().map(str::to_owned).collect();
    for (index, op) in case.ops.iter().enumerate() {
        if let Some(mode) = op.mode {
            words.extend(["--perms".into(), format!("{mode:04o}")]);
        }
        words.extend(words_of(op, (FD + index).to_string()));
        words.push(op.dest.clone());
    }
    words
}

fn place(place: Place) -> Vec<&'static str> {
    match place {
        // The walker must be able to see all files.
        Place::Built { unshare_pid: false } => vec!["--cap-add", "ALL"],
        Place::Built { unshare_pid: true } => vec!["--cap-add", "ALL", "--unshare-pid"],
        Place::Directory { sys, writes } => {
            let sys: &[&str] = if sys { &[] } else { &["--no-sys", "--share-net"] };
            let writes: &[&str] = match writes {
                Writes::Kept => &[],
                Writes::Refused => &["--read-only"],
                Writes::Discarded => &["--volatile"],
            };
            [&["--root", "$T/root"], sys, writes].concat()
        }
    }
}

/// The option of an operation, without its destination.
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
