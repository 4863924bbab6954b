//! bwrap: what its callers rely on. Every assertion runs against Debian's bwrap and against nsinit under that name, as
//! root and as an ordinary user. What is newer than the installed original runs against nsinit alone; a newer original,
//! first in PATH, is held to it as well.
//!
//!     texts        what the command line is told: a table
//!     mounts       the operations on files
//!     modes        permissions, sizes, and what is made on the way
//!     ids          namespaces, users, names
//!     caps         capabilities and seccomp
//!     place        environment and working directory
//!     fds          descriptors: what CMD gets, and what is told through them
//!     processes    who is there, for how long, and the statuses
//!     newer        overlays and what else came after the installed one

mod caps;
mod fds;
mod ids;
mod modes;
mod mounts;
mod newer;
mod place;
mod processes;
mod texts;

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
use super::harness::stream::Stream;
use super::harness::{DEADLINE, Launch, Out, Root, Who, launch, who};

static BWRAP: Suite = Suite { name: "bwrap", plain: &[] };

/// One side, run by one user.
pub struct Bwrap {
    pub side: Side,
    pub who: Who,
    program: PathBuf,
}

/// Both sides, both users; the originals first.
pub fn everywhere() -> Vec<Bwrap> {
    let by = |who| BWRAP.anywhere().into_iter().map(move |it| Bwrap { side: it.side, who, program: it.program });
    let mut all: Vec<Bwrap> = who::both().into_iter().flat_map(by).collect();
    all.sort_by_key(|it| it.side);
    all
}

/// Both sides where the user makes no difference.
pub fn anywhere() -> Vec<Bwrap> {
    everywhere().into_iter().filter(|it| it.who == tester()).collect()
}

/// nsinit, and the original if it is as new as 0.`minor`.
pub fn since(minor: u32) -> Vec<Bwrap> {
    everywhere().into_iter().filter(|it| it.is_as_new_as(minor)).collect()
}

pub fn ours() -> Vec<Bwrap> {
    everywhere().into_iter().filter(Bwrap::is_ours).collect()
}

impl Bwrap {
    /// Whether it is ours, where that is among the differences.
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

    /// As it is called.
    pub fn argv0(&self) -> &str {
        self.program.to_str().expect("scratch paths are UTF-8")
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

    /// With words before it that end in an exec of what follows.
    pub fn launch_in(&self, around: &[&str], args: &[&str]) -> Launch {
        let (first, rest) = around.split_first().expect("a program");
        let launch = Launch::of(self.who, Path::new(first)).args(rest).args([&self.program]).args(args);
        launch.env("PATH", PATH).before(no_signals)
    }

    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Out {
        self.launch(args).run()
    }

    /// CMD in the small root.
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

    /// CMD's mounts.
    #[track_caller]
    pub fn mounts(&self, options: &[&str]) -> Mounts {
        Mounts::of(self.sh(options, "cat /proc/self/mountinfo").text())
    }
}

/// /bin with busybox, and /proc.
pub fn small<'a>(options: &[&'a str], cmd: &[&'a str]) -> Vec<&'a str> {
    [&["--ro-bind", bin(), "/bin", "--proc", "/proc"], options, &["--"], cmd].concat()
}

fn bin() -> &'static str {
    static ROOT: OnceLock<(Option<Root>, String)> = OnceLock::new();
    let (_, bin) = ROOT.get_or_init(|| {
        let root = Root::bare(tester());
        // Without busybox, and with that said: what is there.
        let bin = root.as_ref().map_or("/bin".into(), |root| format!("{}/bin", root.str()));
        (root, bin)
    });
    bin
}

/// A mount as /proc shows it.
#[derive(Debug)]
pub struct Mount {
    pub point: String,
    /// Of the mount: what is asked for, without what comes with it anyway.
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

    /// What is to be seen there: the last one.
    #[track_caller]
    pub fn at(&self, point: &str) -> &Mount {
        let found = self.0.iter().rev().find(|mount| mount.point == point);
        found.unwrap_or_else(|| panic!("no mount at {point}: {:?}", self.0))
    }

    /// The flags of what is there, and more: those of the host's mounts stay, whatever a machine has.
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

/// This descriptor under this number, whatever else the launch does.
pub fn give(launch: Launch, number: i32, fd: impl Into<OwnedFd>) -> Launch {
    let fd: OwnedFd = fd.into();
    // Out of the way of every number that a test asks for.
    let high = fcntl(&fd, FcntlArg::F_DUPFD_CLOEXEC(500)).expect("duplicate a descriptor");
    // SAFETY: it was made a line before, and nobody else has it.
    let high = unsafe { OwnedFd::from_raw_fd(high) };
    launch.before(move || {
        // SAFETY: dup2 takes two numbers.
        match unsafe { libc::dup2(high.as_raw_fd(), number) } {
            -1 => Err(std::io::Error::last_os_error()),
            _ => Ok(()),
        }
    })
}

/// A descriptor from which this is read.
pub fn data(bytes: impl AsRef<[u8]>) -> OwnedFd {
    // SAFETY: the name ends with a NUL; the result is ours.
    let mut file = unsafe {
        let fd = libc::memfd_create(c"data".as_ptr(), libc::MFD_CLOEXEC);
        assert!(fd >= 0, "make a file in memory");
        File::from_raw_fd(fd)
    };
    file.write_all(bytes.as_ref()).and_then(|()| file.rewind()).expect("fill a file in memory");
    file.into()
}

/// A pipe: what is read, what is written.
pub fn pipe() -> (File, OwnedFd) {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC).expect("make a pipe");
    (reader.into(), writer)
}

/// All that comes until the last writer is gone.
#[track_caller]
pub fn read_all(reader: impl Into<OwnedFd>) -> String {
    let (mut stream, end) = (Stream::new(reader), Instant::now() + *DEADLINE);
    while stream.more(end) {}
    assert!(stream.ended(), "a writer stays; until now: {:?}", stream.text());
    stream.text()
}
