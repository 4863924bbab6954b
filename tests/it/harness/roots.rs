//! The container roots: busybox in a new directory, made in a few milliseconds for each test; and a Debian for
//! the tests that need a real bash.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use nix::unistd::geteuid;

use super::scratch::{Dir, busybox, helper, make_dir};
use super::who::{self, Who};
use super::{Launch, Out, launch, skip};

/// A busybox root of its own for each user. Inside: /bin, /etc, /tmp, and the empty /proc, /dev, /sys.
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
            skip("there is no static busybox here");
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
        let list = launch::tool(Command::new(busybox().expect("asked for before")).arg("--list"));
        list.lines().filter(|&name| name != "busybox").map(str::to_owned).collect()
    })
}

/// A Debian with bash, made once and kept between runs, below the build directory.
pub fn debian() -> Option<&'static Path> {
    static ROOT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match ROOT.get_or_init(make_debian) {
        Ok(path) => Some(path),
        Err(why) => {
            skip(why);
            None
        }
    }
}

fn make_debian() -> Result<PathBuf, String> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (done, part) = (cache.join("debian"), cache.join("debian.part"));
    if done.exists() {
        return Ok(done);
    }
    if !geteuid().is_root() {
        return Err("only root can make a Debian root".into());
    }
    let _ = fs::remove_dir_all(&part);
    make_dir(&part);
    // It mounts things: not where the other tests look.
    let mut debootstrap = Command::new("unshare");
    debootstrap
        .args(["--mount", "debootstrap", "--variant=minbase", "--include=bash", "stable"])
        .arg(&part)
        .arg(mirror());
    if !launch::quiet(&mut debootstrap) {
        return Err(format!("no Debian root could be made: {debootstrap:?} failed"));
    }
    fs::rename(&part, &done).map_err(|why| format!("rename {}: {why}", part.display()))?;
    Ok(done)
}

/// The mirror that this machine's own apt uses, or Debian's.
fn mirror() -> String {
    let uris = launch::attempt(Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI)"]));
    let uris = uris.unwrap_or_default();
    uris.lines().find(|u| !u.contains("security")).unwrap_or("http://deb.debian.org/debian").to_owned()
}
