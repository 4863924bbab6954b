//! bwrap: the behaviour that its callers rely on. Every assertion runs against Debian's bwrap and against nsinit
//! under that name, as root and as an ordinary user. Features newer than the installed original run against nsinit
//! alone; a newer original, first in PATH, is tested for them as well.
//!
//!     messages        messages about the command line: a table
//!     mounts          the operations on files
//!     modes           permissions, sizes, and parent directories
//!     ids             namespaces, users, names
//!     caps            capabilities and seccomp
//!     environment     environment and working directory
//!     fds             descriptors: those that the command gets, and what is read and written through others
//!     processes       the process tree, its lifetime, and exit statuses
//!     newer_features  overlays and other features newer than the installed original

mod caps;
mod environment;
mod fds;
mod ids;
mod messages;
mod modes;
mod mounts;
mod newer_features;
mod processes;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::pipe2;

use super::compat::subject::{PATH, no_signals, tester};
use super::compat::{Side, Suite, differs};
use super::harness::scratch::utf8;
use super::harness::stream::Stream;
use super::harness::{DEADLINE, Launch, Out, Root, Who, launch, who};

static BWRAP: Suite = Suite { name: "bwrap", plain: &[] };

/// One side, run by one user.
pub struct Bwrap {
    pub side: Side,
    pub who: Who,
    program: PathBuf,
}

/// Both sides and both users; the originals first.
pub fn subjects() -> Vec<Bwrap> {
    let by = |who| BWRAP.child_subjects().into_iter().map(move |it| Bwrap { side: it.side, who, program: it.program });
    let mut all: Vec<Bwrap> = who::both().into_iter().flat_map(by).collect();
    all.sort_by_key(|it| it.side);
    all
}

/// Both sides, for tests in which the user makes no difference.
pub fn subjects_of_tester() -> Vec<Bwrap> {
    subjects().into_iter().filter(|it| it.who == tester()).collect()
}

/// nsinit, and the original if its version is at least 0.`minor`.
pub fn since(minor: u32) -> Vec<Bwrap> {
    subjects().into_iter().filter(|it| it.is_as_new_as(minor)).collect()
}

pub fn ours() -> Vec<Bwrap> {
    subjects().into_iter().filter(Bwrap::is_ours).collect()
}

impl Bwrap {
    /// True for nsinit. The difference must be in the table.
    #[track_caller]
    pub fn differs(&self, what: &str) -> bool {
        differs("bwrap", what);
        self.is_ours()
    }

    pub fn is_ours(&self) -> bool {
        self.side == Side::Ours
    }

    pub fn is_as_new_as(&self, minor: u32) -> bool {
        self.is_ours() || self.minor() >= minor
    }

    /// The path by which it is started.
    pub fn argv0(&self) -> &str {
        utf8(&self.program)
    }

    /// The second number of its version.
    fn minor(&self) -> u32 {
        static KNOWN: Mutex<BTreeMap<PathBuf, u32>> = Mutex::new(BTreeMap::new());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(self.program.clone()).or_insert_with(|| {
            let line = launch::tool(Command::new(&self.program).arg("--version"));
            line.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or_else(|| panic!("no version: {line}"))
        })
    }

    pub fn launch(&self, args: &[&str]) -> Launch {
        Launch::of(self.who, &self.program).args(args).env("PATH", PATH).before(no_signals)
    }

    /// With words before it that execute what follows them.
    pub fn launch_in(&self, around: &[&str], args: &[&str]) -> Launch {
        let (first, rest) = around.split_first().expect("a program");
        let launch = Launch::of(self.who, Path::new(first)).args(rest).args([&self.program]).args(args);
        launch.env("PATH", PATH).before(no_signals)
    }

    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Out {
        self.launch(args).run()
    }

    /// The command in the small root.
    pub fn small(&self, options: &[&str], cmd: &[&str]) -> Launch {
        self.launch(&small(options, cmd))
    }

    /// A script in the small root.
    #[track_caller]
    pub fn sh(&self, options: &[&str], script: &str) -> Out {
        self.small(options, &["/bin/sh", "-c", script]).run()
    }

    /// A script in the host's own root.
    #[track_caller]
    pub fn host_sh(&self, options: &[&str], script: &str) -> Out {
        self.run(&[&["--dev-bind", "/", "/"], options, &["/bin/sh", "-c", script]].concat())
    }

    /// The mounts of the command.
    #[track_caller]
    pub fn mounts(&self, options: &[&str]) -> Mounts {
        Mounts::of(self.sh(options, "cat /proc/self/mountinfo").text())
    }
}

/// A root with /bin from busybox, and /proc.
pub fn small<'a>(options: &[&'a str], cmd: &[&'a str]) -> Vec<&'a str> {
    [&["--ro-bind", bin(), "/bin", "--proc", "/proc"], options, &["--"], cmd].concat()
}

fn bin() -> &'static str {
    static ROOT: OnceLock<(Option<Root>, String)> = OnceLock::new();
    let (_, bin) = ROOT.get_or_init(|| {
        let root = Root::bare(tester());
        // Without busybox (a skip message says so): the host's /bin.
        let bin = root.as_ref().map_or("/bin".into(), |root| format!("{}/bin", root.str()));
        (root, bin)
    });
    bin
}

/// A mount in the format of /proc/PID/mountinfo.
#[derive(Debug)]
pub struct Mount {
    pub point: String,
    /// The mount's options, limited to [`FLAGS`].
    pub flags: String,
    pub kind: String,
}

pub struct Mounts(Vec<Mount>);

impl Mounts {
    pub fn of(mountinfo: &str) -> Self {
        let row = |line: &str| {
            let (mount, system) = line.split_once(" - ")?;
            let mut words = mount.split(' ').skip(4);
            let (point, flags) = (words.next()?.to_owned(), words.next()?);
            let flags: Vec<&str> = flags.split(',').filter(|flag| FLAGS.contains(flag)).collect();
            Some(Mount { point, flags: flags.join(","), kind: system.split(' ').next()?.to_owned() })
        };
        Self(mountinfo.lines().map(|line| row(line).unwrap_or_else(|| panic!("not a mount: {line:?}"))).collect())
    }

    /// The visible mount: the last one.
    #[track_caller]
    pub fn at(&self, point: &str) -> &Mount {
        let found = self.0.iter().rev().find(|mount| mount.point == point);
        found.unwrap_or_else(|| panic!("no mount at {point}: {:?}", self.0))
    }

    /// The flags of the mount at `point` plus `more`: flags of the host's mounts stay, and differ between machines.
    #[track_caller]
    pub fn with(&self, point: &str, more: &str) -> String {
        let all: Vec<&str> = self.at(point).flags.split(',').chain(more.split(',')).collect();
        let is_there = |flag: &&str| all.contains(flag) && !(*flag == "rw" && all.contains(&"ro"));
        FLAGS.into_iter().filter(is_there).collect::<Vec<_>>().join(",")
    }

    pub fn points(&self) -> Vec<&str> {
        self.0.iter().map(|mount| mount.point.as_str()).collect()
    }
}

const FLAGS: [&str; 4] = ["ro", "rw", "nosuid", "nodev"];

/// Gives the launch this descriptor under this number.
pub fn give(launch: Launch, number: i32, fd: impl Into<OwnedFd>) -> Launch {
    let fd: OwnedFd = fd.into();
    // A high number, which no test asks for.
    let high = fcntl(&fd, FcntlArg::F_DUPFD_CLOEXEC(500)).expect("duplicate a descriptor");
    // SAFETY: fcntl made it in the line above; no other value owns it.
    let high = unsafe { OwnedFd::from_raw_fd(high) };
    launch.before(move || {
        // SAFETY: dup2 takes two numbers.
        match unsafe { libc::dup2(high.as_raw_fd(), number) } {
            -1 => Err(std::io::Error::last_os_error()),
            _ => Ok(()),
        }
    })
}

/// A descriptor with this content.
pub fn data(bytes: impl AsRef<[u8]>) -> OwnedFd {
    // SAFETY: the name ends with a NUL; no other value owns the result.
    let mut file = unsafe {
        let fd = libc::memfd_create(c"data".as_ptr(), libc::MFD_CLOEXEC);
        assert!(fd >= 0, "make a memfd");
        File::from_raw_fd(fd)
    };
    file.write_all(bytes.as_ref()).and_then(|()| file.rewind()).expect("write to a memfd");
    file.into()
}

/// A pipe: the read end and the write end.
pub fn pipe() -> (File, OwnedFd) {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC).expect("make a pipe");
    (reader.into(), writer)
}

/// Reads until the last writer has closed.
#[track_caller]
pub fn read_all(reader: impl Into<OwnedFd>) -> String {
    let (mut stream, end) = (Stream::new(reader), Instant::now() + *DEADLINE);
    while stream.more(end) {}
    assert!(stream.ended(), "a writer is still open; read so far: {:?}", stream.text());
    stream.text()
}
