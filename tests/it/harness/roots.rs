//! The container roots: busybox in a new directory, made in a few milliseconds for each test; and a Debian root for the
//! tests that need a real bash.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::scratch::{Dir, busybox, helper};
use super::who::{self, Who};
use super::{Launch, Out, launch, skip};

/// A busybox root for each user. It has /bin, /etc, /tmp, /mnt, and the empty /proc, /dev, /sys.
pub fn roots() -> Vec<Root> {
    who::both().into_iter().filter_map(Root::new).collect()
}

pub struct Root {
    pub who: Who,
    dir: Dir,
}

impl Deref for Root {
    type Target = Dir;

    fn deref(&self) -> &Dir {
        &self.dir
    }
}

impl Root {
    pub fn new(who: Who) -> Option<Self> {
        let root = Self::bare(who)?;
        for name in ["proc", "dev", "sys"] {
            root.dir(name);
        }
        Some(root)
    }

    /// Without /proc, /dev and /sys.
    pub fn bare(who: Who) -> Option<Self> {
        let Some(busybox) = busybox() else {
            skip("no static busybox is installed");
            return None;
        };
        let root = Self { who, dir: Dir::new(who) };
        for name in ["bin", "etc", "tmp", "mnt"] {
            root.dir(name);
        }
        fs::hard_link(busybox, root.at("bin/busybox")).expect("link busybox");
        for applet in applets() {
            root.symlink("busybox", &format!("bin/{applet}"));
        }
        Some(root)
    }

    /// `helper.c` as /bin/helper.
    pub fn with_helper(self) -> Self {
        fs::hard_link(helper(), self.at("bin/helper")).expect("link the helper");
        self
    }

    /// `nsinit --root DIR OPTIONS -- CMD`
    pub fn launch(&self, options: &[&str], cmd: &[&str]) -> Launch {
        Launch::new(self.who).args(["--root", self.str()]).args(options).args(["--"]).args(cmd)
    }

    #[track_caller]
    pub fn run(&self, options: &[&str], cmd: &[&str]) -> Out {
        self.launch(options, cmd).run()
    }

    #[track_caller]
    pub fn sh(&self, options: &[&str], script: &str) -> Out {
        self.run(options, &["/bin/sh", "-c", script])
    }
}

fn applets() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let list = launch::tool(Command::new(busybox().expect("a root exists only with busybox")).arg("--list"));
        list.lines().filter(|&name| name != "busybox").map(str::to_owned).collect()
    })
}

/// A Debian root with bash, made once and kept between runs.
pub fn debian() -> Option<&'static Path> {
    static ROOT: OnceLock<Option<PathBuf>> = OnceLock::new();
    made(&ROOT, &[])
}

/// A Debian root with python3, gcc and nginx too.
pub fn programs() -> Option<&'static Path> {
    static ROOT: OnceLock<Option<PathBuf>> = OnceLock::new();
    made(&ROOT, &["programs"])
}

/// A Debian root with systemd, udev and login.
pub fn systemd() -> Option<&'static Path> {
    static ROOT: OnceLock<Option<PathBuf>> = OnceLock::new();
    made(&ROOT, &["systemd"])
}

fn made(root: &'static OnceLock<Option<PathBuf>>, words: &[&str]) -> Option<&'static Path> {
    let root = root.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/debian");
        launch::attempt(Command::new(script).args(words)).map(|path| path.trim_end().into())
    });
    if root.is_none() {
        skip("scripts/debian cannot make a Debian root");
    }
    root.as_deref()
}
