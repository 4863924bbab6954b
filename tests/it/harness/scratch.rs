//! The directory of this run. All that the tests make lies below it; it is removed when the test process ends.
//! All users may read it: the ordinary user must reach the binary and the roots.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use engine::spec::rooms;

use super::{Who, launch, test_name};

pub fn scratch() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let dir = std::env::temp_dir().join(format!("nsinit-it.{}", std::process::id()));
        make_dir(&dir);
        // SAFETY: `remove` is an `extern "C" fn()` that lives as long as the process.
        unsafe { libc::atexit(remove) };
        dir
    })
}

/// The path as a string, for arguments and scripts.
pub fn utf8(path: &Path) -> &str {
    path.to_str().expect("scratch paths are UTF-8")
}

extern "C" fn remove() {
    let _ = fs::remove_dir_all(scratch());
}

/// Makes a directory that all users can read, whatever the umask is.
pub fn make_dir(path: &Path) {
    fs::create_dir_all(path).expect("make a scratch directory");
    fs::set_permissions(path, Permissions::from_mode(0o755)).expect("open a scratch directory to all");
}

/// A new directory that belongs to `who`, named after the test; removed on drop.
pub struct Dir {
    path: PathBuf,
    who: Who,
}

impl Dir {
    pub fn new(who: Who) -> Self {
        Self::below(who, scratch(), &test_name().replace("::", "-"))
    }

    /// A directory on a tmpfs.
    pub fn in_memory(who: Who) -> Self {
        Self::below(who, Path::new("/dev/shm"), &format!("nsinit-it.{}", std::process::id()))
    }

    fn below(who: Who, place: &Path, name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let path = place.join(format!("{name}.{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        make_dir(&path);
        who.own(&path);
        Self { path, who }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn str(&self) -> &str {
        utf8(&self.path)
    }

    /// The path of `name` outside the container. A leading slash is removed.
    pub fn at(&self, name: &str) -> PathBuf {
        self.path.join(name.trim_start_matches('/'))
    }

    pub fn dir(&self, name: &str) -> PathBuf {
        let path = self.at(name);
        make_dir(&path);
        self.who.own(&path);
        path
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.at(name);
        launch::without_children(|| fs::write(&path, text)).expect("write a test file");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("open a test file to all");
        self.who.own(&path);
        path
    }

    pub fn fifo(&self, name: &str) -> PathBuf {
        let path = self.at(name);
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::from_bits_truncate(0o666)).expect("make a fifo");
        self.who.own(&path);
        path
    }

    pub fn symlink(&self, target: impl AsRef<Path>, name: &str) {
        let path = self.at(name);
        std::os::unix::fs::symlink(target, &path).expect("make a symlink");
        self.who.own(&path);
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap_or_else(|why| panic!("read {name}: {why}"))
    }

    /// Every path below, with its type, mode, owner, size, time and link target: equal before and after means
    /// untouched.
    pub fn listing(&self) -> String {
        launch::tool(Command::new("find").arg(&self.path).args(["-printf", "%P %M %U %s %T@ %l\n"]))
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The binary under test, at a path where all users can execute it.
pub fn nsinit() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let from = std::env::var_os("NSINIT_BIN").map_or_else(|| env!("CARGO_BIN_EXE_nsinit").into(), PathBuf::from);
        let program = install(&from, "nsinit");
        let rooms = if rooms::ALL { " whole (all)".to_owned() } else { rooms::LIST.escape_ascii().to_string() };
        let version = launch::tool(Command::new(&program).arg("--version"));
        let mut lines = version.lines();
        assert_eq!(lines.next().unwrap_or_default(), concat!("nsinit ", env!("CARGO_PKG_VERSION")));
        assert!(
            lines.any(|line| line == format!("features{rooms}")),
            "{} has other features than this test program",
            from.display()
        );
        program
    })
}

/// A copy of the binary that belongs to `who`, in a new directory of that user.
pub fn own_nsinit(who: Who) -> (Dir, PathBuf) {
    own_nsinit_in(Dir::new(who))
}

/// The same in an existing directory.
pub fn own_nsinit_in(dir: Dir) -> (Dir, PathBuf) {
    let who = dir.who;
    let path = dir.at("nsinit");
    launch::tool(Command::new("cp").arg(nsinit()).arg(&path));
    who.own(&path);
    (dir, path)
}

/// nsinit under the name bwrap.
pub fn bwrap() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let link = bin("as").join("bwrap");
        make_dir(link.parent().expect("it is in a directory"));
        std::os::unix::fs::symlink(nsinit(), &link).expect("give nsinit another name");
        link
    })
}

/// A copy of the host's static busybox.
pub fn busybox() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    PROGRAM
        .get_or_init(|| {
            ["/bin/busybox", "/usr/bin/busybox"]
                .iter()
                .map(Path::new)
                .find(|p| p.exists())
                .map(|p| install(p, "busybox"))
        })
        .as_deref()
}

/// `helper.c`, linked statically.
pub fn helper() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| compile("helper"))
}

/// `escape.c`, linked statically.
pub fn attacker() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| compile("escape"))
}

/// `compare.c`, linked statically.
pub fn comparer() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| compile("compare"))
}

/// `calls.c`, linked statically.
pub fn caller() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| compile("calls"))
}

fn compile(name: &str) -> PathBuf {
    let program = bin(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(name).with_extension("c");
    launch::tool(
        Command::new("cc").args(["-static", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&program).arg(source),
    );
    program
}

/// cp writes the file in another process: a descriptor open for writing here, inherited by another test's fork, would
/// make execve fail with ETXTBSY.
fn install(from: &Path, name: &str) -> PathBuf {
    let to = bin(name);
    copy_program(from, &to);
    to
}

pub fn copy_program(from: &Path, to: &Path) {
    launch::tool(Command::new("cp").arg("--").arg(from).arg(to));
    fs::set_permissions(to, Permissions::from_mode(0o755)).expect("make a program executable");
}

fn bin(name: &str) -> PathBuf {
    let dir = scratch().join("bin");
    make_dir(&dir);
    dir.join(name)
}
