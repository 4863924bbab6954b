//! A terminal with the host's interactive shell in it.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Instant;

use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, Winsize, grantpt, posix_openpt, ptsname_r, unlockpt};

use super::launch::{forget, nothing_is_left, send, spawn};
use super::procs::{self, Pid};
use super::scratch::nsinit;
use super::stream::Stream;
use super::{DEADLINE, Root, Who};

pub const CTRL_C: &str = "\x03";
pub const CTRL_D: &str = "\x04";
pub const CTRL_Z: &str = "\x1a";
pub const CTRL_BACKSLASH: &str = "\x1c";

/// The shell's prompt. It cannot come from the typed text: the terminal does not echo.
const PROMPT: &str = "host$ ";

/// An interactive bash without the user's settings.
pub const BASH: [&str; 5] = ["bash", "--norc", "--noprofile", "--noediting", "-i"];

pub struct Term {
    shell: Child,
    /// None: hung up.
    screen: Option<Stream>,
    seen: String,
    /// The root directory in `$N` and `$S`.
    root: String,
}

impl Term {
    /// bash as the session leader. In it `$N` is `nsinit --root ROOT`, and `$S` is the same with `--share-terminal`.
    pub fn new(root: &Root) -> Self {
        Self::with(root, &BASH)
    }

    /// The same with another shell.
    pub fn with(root: &Root, shell: &[&str]) -> Self {
        Self::shell(root.who, root.path(), shell)
    }

    /// The same for any root directory.
    pub fn shell(who: Who, root: &Path, shell: &[&str]) -> Self {
        let mut term = Self::run(who, root, shell);
        term.line("stty -echo; PS1='host''$ '");
        term.expect(PROMPT);
        term
    }

    /// Any program as the session leader of a new terminal.
    pub fn run(who: Who, root: &Path, words: &[&str]) -> Self {
        let (master, slave) = terminal(who);
        let (program, args) = words.split_first().expect("a program");
        let mut command = Command::new(program);
        let way = format!("{} --root {}", nsinit().display(), root.display());
        command.args(args).env("S", format!("{way} --share-terminal")).env("N", way);
        command.env("PS1", "").env("TERM", "linux").env_remove("HISTFILE");
        let slave = || slave.try_clone().expect("clone the terminal's descriptor");
        command.stdin(slave()).stdout(slave()).stderr(slave());
        who.become_in(&mut command);
        // SAFETY: only system calls between fork and exec.
        unsafe { command.pre_exec(take_terminal) };
        let mut term =
            Self { shell: spawn(&mut command), screen: None, seen: String::new(), root: root.display().to_string() };
        term.screen = Some(Stream::new(master));
        term.resize(24, 80);
        term
    }

    pub fn pid(&self) -> Pid {
        self.shell.id().cast_signed()
    }

    fn screen(&mut self) -> &mut Stream {
        self.screen.as_mut().expect("not hung up")
    }

    /// Types these keys.
    pub fn keys(&mut self, keys: &str) {
        self.screen().file().write_all(keys.as_bytes()).expect("type");
    }

    /// Types each key and waits for the text that follows it; the result is all lines shown until then.
    #[track_caller]
    pub fn keys_until(&mut self, keys: &[(&str, &str)]) -> String {
        keys.iter()
            .map(|(key, text)| {
                self.keys(key);
                self.expect(text) + &self.expect("\n")
            })
            .collect()
    }

    /// Types a line and Enter.
    pub fn line(&mut self, line: &str) {
        self.keys(line);
        self.keys("\n");
    }

    /// Waits until the screen shows `mark`; the result is all text up to and including it.
    #[track_caller]
    pub fn expect(&mut self, mark: &str) -> String {
        let Some(text) = self.screen().take_until(mark, Instant::now() + *DEADLINE) else {
            let report: Vec<String> = procs::tree(self.pid()).into_iter().map(procs::describe).collect();
            let rest = self.screen().text();
            panic!("no {mark:?} on the screen:\n{}{rest}\n{}", self.seen, report.join("\n"));
        };
        self.seen += &text;
        text
    }

    /// Types a line and waits for the prompt; the result is the text between them, with line ends as on a pipe.
    #[track_caller]
    pub fn ask(&mut self, line: &str) -> String {
        self.line(line);
        self.prompt()
    }

    /// The text shown until the prompt returns.
    #[track_caller]
    pub fn prompt(&mut self) -> String {
        self.expect(PROMPT).trim_end_matches(PROMPT).replace('\r', "").trim_end_matches('\n').to_owned()
    }

    pub fn resize(&mut self, rows: u16, columns: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the ioctl reads one Winsize.
        unsafe { libc::ioctl(self.screen().file().as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    }

    /// The foreground process group of the terminal.
    pub fn foreground(&self) -> Pid {
        procs::stat(self.pid()).expect("the shell lives").foreground
    }

    /// Hangs up, as a closed window or a lost connection does; everything in the terminal must end.
    #[track_caller]
    pub fn hang_up(mut self) {
        self.screen = None;
        procs::eventually("the shell ends when its terminal does", || {
            self.shell.try_wait().expect("wait for the shell")
        });
        forget(self.pid());
        nothing_is_left(&self.root);
    }
}

impl Drop for Term {
    /// For tests that failed: no shell may stay.
    fn drop(&mut self) {
        if let Ok(None) = self.shell.try_wait() {
            procs::tree(self.pid()).into_iter().for_each(|pid| send(pid, libc::SIGKILL));
            let _ = self.shell.wait();
            forget(self.pid());
        }
    }
}

/// Both ends of a new terminal that belongs to `who`. Both are close-on-exec: a copy in another test's child would keep
/// the terminal from hanging up.
pub fn terminal(who: Who) -> (PtyMaster, File) {
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).expect("open a terminal");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("unlock the terminal");
    let path = PathBuf::from(ptsname_r(&master).expect("the terminal has a name"));
    who.own(&path);
    let slave = File::options().read(true).write(true).custom_flags(libc::O_NOCTTY).open(&path);
    (master, slave.expect("open the terminal's other end"))
}

/// For the child: makes a new session with descriptor 0 as its controlling terminal.
fn take_terminal() -> io::Result<()> {
    // SAFETY: two system calls that take numbers.
    match unsafe { (libc::setsid(), libc::ioctl(0, libc::TIOCSCTTY, 0)) } {
        (_, 0) => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
