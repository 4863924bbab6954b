//! The users that run nsinit: root, and an ordinary user. Tests run as both where both make sense.

use std::os::unix::fs::lchown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use nix::unistd::{User, getegid, geteuid};

use super::{launch, skip};

const USER: &str = "nsinit-test";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Root,
    User { uid: u32, gid: u32 },
}

/// Root and the ordinary user, as far as this machine has them.
pub fn both() -> Vec<Who> {
    [root(), user()].into_iter().flatten().collect()
}

pub fn root() -> Option<Who> {
    if geteuid().is_root() {
        return Some(Who::Root);
    }
    skip("the tests are not run as root");
    None
}

/// The ordinary user: the caller, or a user that root makes.
pub fn user() -> Option<Who> {
    static FOUND: OnceLock<Result<Who, String>> = OnceLock::new();
    match FOUND.get_or_init(find_user) {
        Ok(who) => Some(*who),
        Err(why) => {
            skip(why);
            None
        }
    }
}

fn find_user() -> Result<Who, String> {
    let who =
        if geteuid().is_root() { made_user()? } else { Who::User { uid: geteuid().as_raw(), gid: getegid().as_raw() } };
    let mut try_it = Command::new("unshare");
    who.become_in(try_it.args(["--user", "true"]));
    launch::quiet(&mut try_it)
        .then_some(who)
        .ok_or_else(|| "an ordinary user cannot make a user namespace on this machine".into())
}

fn made_user() -> Result<Who, String> {
    let found = || User::from_name(USER).ok().flatten();
    if found().is_none() {
        launch::quiet(Command::new("useradd").args(["--no-create-home", "--shell", "/bin/sh", USER]));
    }
    found()
        .map(|u| Who::User { uid: u.uid.as_raw(), gid: u.gid.as_raw() })
        .ok_or_else(|| format!("useradd {USER} failed"))
}

impl Who {
    pub fn is_root(self) -> bool {
        self == Who::Root
    }

    pub fn uid(self) -> u32 {
        match self {
            Who::Root => 0,
            Who::User { uid, .. } => uid,
        }
    }

    pub fn gid(self) -> u32 {
        match self {
            Who::Root => 0,
            Who::User { gid, .. } => gid,
        }
    }

    /// The command will run as this user; std drops the supplementary groups too.
    pub fn become_in(self, command: &mut Command) {
        if geteuid().is_root() && !self.is_root() {
            command.uid(self.uid()).gid(self.gid());
        }
    }

    /// The command prefix with which root runs a command of a script as this user.
    pub fn setpriv(self) -> String {
        match self {
            Who::Root => String::new(),
            Who::User { uid, gid } => format!("setpriv --reuid {uid} --regid {gid} --clear-groups"),
        }
    }

    /// Gives the path itself to this user; a symbolic link is not followed.
    pub fn own(self, path: &Path) {
        if geteuid().is_root() {
            lchown(path, Some(self.uid()), Some(self.gid())).expect("chown a test file");
        }
    }
}
