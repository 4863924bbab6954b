//! The program under test: an original from its package, or nsinit under that name; as process 1 of a pid namespace,
//! or as any process. One assertion runs against all four.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use nix::unistd::geteuid;

use crate::harness::launch;
use crate::harness::procs::{Pid, children, eventually};
use crate::harness::scratch::{make_dir, nsinit, scratch, utf8};
use crate::harness::{Launch, Out, Running, Who, skip, who};

/// Directories that all users may search.
pub const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// An original and its options.
pub struct Suite {
    pub name: &'static str,
    /// The options before the command for a run without further output.
    pub plain: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Original,
    Ours,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// An ordinary child of the test.
    Child,
    /// Process 1 of a new pid namespace with its own /proc.
    Pid1,
}

pub struct Subject {
    pub suite: &'static Suite,
    pub side: Side,
    pub place: Place,
    /// A symbolic link with the suite's name.
    pub program: PathBuf,
}

impl Suite {
    /// Both sides, in both places.
    pub fn subjects(&'static self) -> Vec<Subject> {
        [Side::Original, Side::Ours].into_iter().flat_map(|side| self.side(side)).collect()
    }

    pub fn original(&'static self) -> Vec<Subject> {
        self.side(Side::Original)
    }

    pub fn ours(&'static self) -> Vec<Subject> {
        self.side(Side::Ours)
    }

    /// Both sides, for tests in which the place makes no difference.
    pub fn child_subjects(&'static self) -> Vec<Subject> {
        self.subjects().into_iter().filter(|s| s.place == Place::Child).collect()
    }

    fn side(&'static self, side: Side) -> Vec<Subject> {
        if !is_selected(side) {
            return Vec::new();
        }
        let Some(program) = self.program(side) else {
            return Vec::new();
        };
        [Place::Child, Place::Pid1]
            .into_iter()
            .filter(|&place| place == Place::Child || may_be_pid_1())
            .map(|place| Subject { suite: self, side, place, program: program.clone() })
            .collect()
    }

    fn program(&'static self, side: Side) -> Option<PathBuf> {
        let target = match side {
            // nsinit under its own name has no original.
            Side::Original if self.name == "nsinit" => return None,
            Side::Original => installed(self.name).or_else(|| {
                skip(&format!("{} is not installed", self.name));
                None
            })?,
            Side::Ours => nsinit().to_owned(),
        };
        let program = link(side, self.name, &target);
        Some(program)
    }
}

impl Subject {
    /// Another name for the same program.
    pub fn named(&self, name: &str) -> Self {
        let target = fs::read_link(&self.program).expect("the program is a link");
        Self { program: link(self.side, name, &target), ..*self }
    }

    pub fn is_ours(&self) -> bool {
        self.side == Side::Ours
    }

    pub fn is_pid_1(&self) -> bool {
        self.place == Place::Pid1
    }

    /// The path by which it is started.
    pub fn argv0(&self) -> &str {
        utf8(&self.program)
    }

    pub fn launch(&self, args: &[&str]) -> Launch {
        self.launch_in(&[], args)
    }

    /// With words before it that execute what follows them.
    pub fn launch_in(&self, around: &[&str], args: &[&str]) -> Launch {
        let words = self.words(around, args);
        let (program, args) = words.split_first().expect("a program");
        Launch::of(tester(), Path::new(program)).args(args).env("PATH", PATH).before(no_signals)
    }

    /// The whole command line.
    pub fn words(&self, around: &[&str], args: &[&str]) -> Vec<String> {
        let place = match self.place {
            Place::Child => &[][..],
            Place::Pid1 => unshare(),
        };
        [place, around, &[self.argv0()], args].concat().into_iter().map(str::to_owned).collect()
    }

    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Out {
        self.launch(args).run()
    }

    /// The suite's plain options, these options, and the command.
    pub fn plainly(&self, options: &[&str], cmd: &[&str]) -> Launch {
        self.launch(&self.plain(options, cmd))
    }

    pub fn plain<'a>(&self, options: &[&'a str], cmd: &[&'a str]) -> Vec<&'a str> {
        [options, self.suite.plain, cmd].concat()
    }

    /// The process under test.
    #[track_caller]
    pub fn init(&self, running: &Running) -> Pid {
        match self.place {
            Place::Child => running.pid(),
            Place::Pid1 => running.init(),
        }
    }

    /// The first child of the init.
    #[track_caller]
    pub fn cmd(&self, running: &Running) -> Pid {
        let init = self.init(running);
        eventually("the command runs", || children(init).into_iter().min())
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {} as {:?}", self.side, self.suite.name, self.place)
    }
}

/// `NSINIT_SIDE=original` or `ours` leaves the other side out.
fn is_selected(side: Side) -> bool {
    let name = format!("{side:?}").to_lowercase();
    let asked = std::env::var("NSINIT_SIDE").map_or(true, |only| only == name);
    if !asked {
        skip(&format!("NSINIT_SIDE leaves out {name}"));
    }
    asked
}

/// An init works the same for all users: root if the tests run as root.
pub fn tester() -> Who {
    if geteuid().is_root() {
        return Who::Root;
    }
    who::user().unwrap_or(Who::User { uid: geteuid().as_raw(), gid: nix::unistd::getegid().as_raw() })
}

/// Resets all dispositions and unblocks all signals. The raw calls: libc's wrappers leave out two signals.
pub fn no_signals() -> std::io::Result<()> {
    // A kernel_sigaction of zeros is the default; the array is larger than that struct on every architecture.
    let default = [0usize; 8];
    for signal in 1..=64 {
        // SAFETY: the kernel reads less than the array holds. It refuses KILL and STOP, whose errors do not matter.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, &raw const default, 0, size_of::<u64>()) };
    }
    let none = 0u64;
    // SAFETY: the kernel reads eight bytes.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const none, 0, size_of::<u64>()) };
    Ok(())
}

fn unshare() -> &'static [&'static str] {
    const ROOT: &[&str] = &["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const USER: &[&str] = &["unshare", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"];
    if geteuid().is_root() { ROOT } else { USER }
}

fn may_be_pid_1() -> bool {
    static MAY: OnceLock<bool> = OnceLock::new();
    let (program, args) = unshare().split_first().expect("a program");
    let may = *MAY.get_or_init(|| launch::quiet(Command::new(program).args(args).arg("true")));
    if !may {
        skip("unshare(1) cannot make a pid namespace on this machine");
    }
    may
}

fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|program| program.is_file())
}

/// A symbolic link of this name to the target, made once.
fn link(side: Side, name: &str, target: &Path) -> PathBuf {
    static MADE: Mutex<BTreeMap<(Side, String), PathBuf>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let path = made.entry((side, name.to_owned())).or_insert_with(|| {
        let dir = scratch().join("compat").join(format!("{side:?}").to_lowercase());
        make_dir(&dir);
        let path = dir.join(name);
        symlink(target, &path).expect("make a symlink");
        path
    });
    path.clone()
}

/// `helper.c`, linked statically.
pub fn helper() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let dir = scratch().join("compat");
        make_dir(&dir);
        let program = dir.join("helper");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/compat/helper.c");
        launch::tool(
            Command::new("cc").args(["-static", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&program).arg(source),
        );
        utf8(&program).to_owned()
    })
}
