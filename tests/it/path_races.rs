//! Path races: an attacker who may write the root swaps directories with links that lead out of it while nsinit
//! resolves paths. Every operation of nsinit stays below the root, or fails with one line.
//!
//! `NSINIT_ROUNDS` is the number of launches for each user.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::harness::launch::tool;
use super::harness::scratch::{Dir, bwrap, nsinit};
use super::harness::traces::{difference, traces};
use super::harness::{Launch, Out, Root, deny, roots};

/// The operations, one a launch. `$D` stands for the path of a directory that exists or can be made, `$F` for that of a
/// file, `$X` for that of an existing file; `$S` is a directory outside, `$L` one for the layers of an overlay.
const CHANGES: [&str; 7] = [
    "--dir $D",
    "--perms 0700 --dir $D",
    "--file 500 $F",
    "--file 500 $X",
    "--symlink there $F",
    "--chmod 0700 $X",
    "--dir $D --chmod 0700 $D",
];
/// The operations that add at least one mount.
const MOUNTS: [&str; 14] = [
    "--bind $S $D",
    "--ro-bind $S $D",
    "--dev-bind $S/file $F",
    "--bind-fd 501 $D",
    "--bind-data 500 $F",
    "--ro-bind-data 500 $X",
    "--tmpfs $D",
    "--tmpfs $D --remount-ro $D",
    "--proc $D",
    "--dev $D",
    "--mqueue $D",
    "--overlay-src $S --tmp-overlay $D",
    "--overlay-src $S --overlay-src $L/lower --ro-overlay $D",
    "--overlay-src $S --overlay $L/upper $L/work $D",
];

/// The paths `$D`, `$F` and `$X`. `$N` is a new name in each launch.
const PLACES: [[&str; 3]; 4] = [
    ["/mnt/d/$N", "/mnt/d/$N", "/mnt/d/file"],
    ["/mnt/e/sub/$N", "/mnt/e/sub/$N", "/mnt/e/sub/file"],
    ["/mnt/d/sub/../$N", "/mnt/d/sub/../$N", "/mnt/d/sub/../file"],
    ["/mnt/d", "/mnt/f", "/mnt/f"],
];

/// The names in the root that are swapped: two directories with links to the victim directory, a file with a link to
/// the victim's file.
const PAIRS: [[&str; 2]; 3] = [["mnt/d", "mnt/d.link"], ["mnt/e", "mnt/e.link"], ["mnt/f", "mnt/f.link"]];

/// The name under which nsinit is started.
#[derive(Clone, Copy)]
enum Name {
    Nsinit,
    Bwrap,
}

const NAMES: [Name; 2] = [Name::Nsinit, Name::Bwrap];

/// Two launches for each combination.
fn rounds() -> usize {
    let everything = (CHANGES.len() + MOUNTS.len()) * PLACES.len() * NAMES.len();
    std::env::var("NSINIT_ROUNDS").map_or(2 * everything, |text| text.parse().expect("NSINIT_ROUNDS is a number"))
}

/// A root in which paths are swapped, and the directories outside it.
struct Field {
    root: Root,
    victim: Dir,
    source: Dir,
    layers: Dir,
}

impl Field {
    fn new(root: Root) -> Field {
        let [victim, source, layers] = [(); 3].map(|()| Dir::new(root.who));
        for (dir, at) in [(&*root, "mnt/d/"), (&root, "mnt/e/"), (&victim, "")] {
            dir.dir(&format!("{at}sub"));
            for file in ["file", "sub/file"] {
                dir.file(&format!("{at}{file}"), "old");
            }
        }
        ["mnt/d", "mnt/e"].iter().for_each(|dir| root.who.own(&root.at(dir)));
        root.file("mnt/f", "old");
        // The links lead somewhere inside, too: nsinit makes nothing below a dangling link.
        std::fs::create_dir_all(root.at(victim.str())).expect("make a directory inside");
        for path in root.at(victim.str()).ancestors().take_while(|path| *path != root.path()) {
            root.who.own(path);
        }
        root.dir(&format!("{}/sub", victim.str()));
        root.symlink(victim.path(), "mnt/d.link");
        root.symlink(format!("../../../../../../..{}", victim.str()), "mnt/e.link");
        root.symlink(victim.at("file"), "mnt/f.link");
        source.file("file", "from outside");
        for name in ["lower", "upper", "work"] {
            layers.dir(name);
        }
        Field { root, victim, source, layers }
    }

    fn options(&self, operation: &str, [directory, file, existing]: [&str; 3], round: usize) -> Vec<String> {
        let words = operation.replace("$D", directory).replace("$F", file).replace("$X", existing);
        let words = words.replace("$N", &format!("new.{round}"));
        let words = words.replace("$S", self.source.str()).replace("$L", self.layers.str());
        words.split(' ').map(str::to_owned).collect()
    }

    /// A launch whose command prints its mounts.
    fn launch(&self, name: Name, options: &[String]) -> Launch {
        let root = self.root.str();
        let launch = match name {
            Name::Nsinit => Launch::of(self.root.who, nsinit()).args(["--root", root]),
            Name::Bwrap => Launch::of(self.root.who, bwrap()).args([
                "--bind",
                root,
                "/",
                "--unshare-pid",
                "--unshare-ipc",
                "--proc",
                "/proc",
            ]),
        };
        launch
            .args(options)
            .args(["/bin/busybox", "cat", "/proc/self/mountinfo"])
            .open_as(&self.source.at("file"), 500)
            .open_as(self.source.path(), 501)
    }

    fn outside(&self) -> BTreeSet<String> {
        [&self.victim, &self.source].into_iter().flat_map(|dir| traces(dir.path())).collect()
    }

    /// The number of new names in the directory, and at the place where the link leads inside.
    fn reached(&self) -> [usize; 2] {
        let link = self.root.at(self.victim.str());
        [self.root.at("mnt"), link].map(|path| if path.exists() { new_names(&path) } else { 0 })
    }
}

fn new_names(path: &Path) -> usize {
    traces(path).iter().filter(|line| line.contains("/new.")).count()
}

#[test]
fn operations_stay_below_the_root_while_paths_are_swapped() {
    for field in roots().into_iter().map(Field::new) {
        let before = field.outside();
        let plain = NAMES.map(|name| mounts(&field.launch(name, &[]).run()));
        let operations = CHANGES.map(|row| (row, 0)).into_iter().chain(MOUNTS.map(|row| (row, 1)));
        let tries = operations.flat_map(|row| PLACES.map(|place| NAMES.map(|name| (row, place, name)))).flatten();
        let mut worked = 0;
        let swaps = while_swapping(&field.root, || {
            for (round, ((operation, more), place, name)) in tries.cycle().take(rounds()).enumerate() {
                let launch = field.launch(name, &field.options(operation, place, round));
                // Without the mount calls of Linux 5.2, a mount resolves more paths.
                let out = if round % 5 == 0 { launch.lacking(&deny::SINCE_5_2) } else { launch }.run();
                if out.status == 0 {
                    worked += 1;
                    assert!(mounts(&out) >= plain[name as usize] + more, "a requested mount is missing\n{out}");
                } else {
                    assert!(is_refusal(name, &out), "{out}");
                }
                if let Some(changed) = difference(("before", &before), ("after", &field.outside())) {
                    panic!("a file outside the root has changed\n{changed}{out}");
                }
            }
        });
        let [directory, link] = field.reached();
        let who = field.root.who;
        println!("as {who:?}: {worked} worked; {directory} reached the directory, {link} the link; {swaps} swaps");
        let hits = directory.min(link) >= rounds() / 50 && swaps > rounds();
        assert!(rounds() < 100 || hits, "the swaps never hit a launch");
    }
}

/// The control: mkdir(1), which uses paths, makes some directories outside the root.
#[test]
fn mkdir_by_path_leaves_the_root_while_paths_are_swapped() {
    const SCRIPT: &str = "n=0; while [ $n -lt $2 ]; do n=$((n + 1)); mkdir $1/mnt/d/new.$n; done";
    for field in roots().into_iter().map(Field::new) {
        let swaps = while_swapping(&field.root, || {
            tool(Command::new("sh").args(["-c", SCRIPT, "sh", field.root.str(), &rounds().to_string()]));
        });
        let outside = new_names(field.victim.path());
        println!("{outside} of {} directories were made outside; {swaps} swaps", rounds());
        assert!(rounds() < 100 || outside > 0, "the swaps never hit a launch");
    }
}

/// The number of mounts that the command printed.
#[track_caller]
fn mounts(out: &Out) -> usize {
    out.text().lines().count()
}

/// The program's own failure status, and one line.
fn is_refusal(name: Name, out: &Out) -> bool {
    let (status, begin) = match name {
        Name::Nsinit => (125, "nsinit: "),
        Name::Bwrap => (1, "bwrap: "),
    };
    let one_line = out.stderr.starts_with(begin) && out.stderr.find('\n') == Some(out.stderr.len() - 1);
    out.status == status && out.stdout.is_empty() && one_line
}

/// Swaps the pairs as fast as possible while `act` runs; the result is the number of swaps.
fn while_swapping(root: &Root, act: impl FnOnce()) -> usize {
    let path = |name| CString::new(root.at(name).as_os_str().as_bytes()).expect("the path has no NUL");
    let pairs = PAIRS.map(|pair| pair.map(path));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let attacker = scope.spawn(|| {
            let mut swaps = 0;
            while !stop.load(Ordering::Relaxed) {
                pairs.iter().for_each(|[one, other]| exchange(one, other));
                swaps += 1;
            }
            swaps
        });
        let stopped = StopOnDrop(&stop);
        act();
        drop(stopped);
        attacker.join().expect("the attacker does not panic")
    })
}

pub fn exchange(one: &CString, other: &CString) {
    let here = libc::AT_FDCWD;
    // SAFETY: the kernel reads two C strings.
    unsafe { libc::renameat2(here, one.as_ptr(), here, other.as_ptr(), libc::RENAME_EXCHANGE) };
}

/// The attacker also stops when the test fails: the scope waits for its thread.
pub struct StopOnDrop<'a>(pub &'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
