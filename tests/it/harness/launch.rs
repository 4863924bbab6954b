//! One run of nsinit: start, observation and result; afterwards the proof that nothing is left of it.
//!
//! This process is the subreaper of all that it starts. A process that loses its parent becomes its child, so a child
//! that no test knows is one that nsinit left behind.

use std::collections::BTreeSet;
use std::ffi::{CString, OsStr};
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::mem;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigHandler, Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid as NixPid;

use super::deny::{self, Deny};
use super::procs::{self, Pid, eventually};
use super::scratch::{make_dir, nsinit, scratch};
use super::stream::Stream;
use super::{DEADLINE, Who};

/// A launch of nsinit, not yet started.
pub struct Launch {
    who: Who,
    command: Command,
    input: Input,
    denied: Vec<Deny>,
}

enum Input {
    Null,
    Text(String),
    Open,
}

impl Launch {
    pub fn new(who: Who) -> Self {
        Self::of(who, nsinit())
    }

    /// A launch of another program.
    pub fn of(who: Who, program: &Path) -> Self {
        let empty = scratch().join("empty");
        make_dir(&empty);
        let mut command = Command::new(program);
        command.current_dir(empty);
        who.become_in(&mut command);
        Self { who, command, input: Input::Null, denied: Vec::new() }
    }

    pub fn args(mut self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(words);
        self
    }

    /// `NAME=VALUE` as one argument.
    pub fn arg_eq(self, name: &str, value: &str) -> Self {
        self.args([format!("{name}={value}")])
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn directory(mut self, path: &Path) -> Self {
        self.command.current_dir(path);
        self
    }

    /// The command reads this text, then end of file.
    pub fn input(mut self, text: &str) -> Self {
        self.input = Input::Text(text.into());
        self
    }

    /// The command's stdin stays open until the test finishes the run.
    pub fn open_input(mut self) -> Self {
        self.input = Input::Open;
        self
    }

    pub fn deny(mut self, deny: Deny) -> Self {
        self.denied.push(deny);
        let filter = deny.filter();
        self.before(move || deny::install(&filter))
    }

    /// As on a kernel without these calls.
    pub fn lacking(self, calls: &[i64]) -> Self {
        calls.iter().fold(self, |launch, call| launch.deny(Deny::all(*call, libc::ENOSYS)))
    }

    /// nsinit inherits this file or directory, open for reading, as descriptor `number`.
    pub fn open_as(self, path: &Path, number: usize) -> Self {
        let path = CString::new(path.as_os_str().as_bytes()).expect("the path has no NUL");
        self.before(move || {
            // SAFETY: open reads a C string; the other calls take numbers.
            unsafe {
                let fd = libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
                // dup2 keeps FD_CLOEXEC if `fd` already is `number`.
                let number = number as libc::c_int;
                if fd < 0 || libc::dup2(fd, number) < 0 || libc::fcntl(number, libc::F_SETFD, 0) < 0 {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(())
        })
    }

    /// Runs in the child before nsinit is executed. Only system calls are allowed: the parent has threads.
    pub fn before(mut self, act: impl FnMut() -> io::Result<()> + Send + Sync + 'static) -> Self {
        // SAFETY: the actions in these tests only make system calls.
        unsafe { self.command.pre_exec(act) };
        self
    }

    pub fn start(mut self) -> Running {
        let stdin = if matches!(self.input, Input::Null) { Stdio::null() } else { Stdio::piped() };
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        mounts_at_first();
        let mut line = format!("as {:?}: {:?}", self.who, self.command);
        for deny in &self.denied {
            line += &format!(" with {deny:?}");
        }
        let started = Instant::now();
        let mut child = spawn(&mut self.command);
        let mut stdin = child.stdin.take();
        if let (Input::Text(text), Some(mut stdin)) =
            (&self.input, stdin.take_if(|_| !matches!(self.input, Input::Open)))
        {
            give(&mut stdin, text);
        }
        let stdout = Stream::new(child.stdout.take().expect("stdout is piped"));
        let stderr = Stream::new(child.stderr.take().expect("stderr is piped"));
        Running { child, line, started, stdin, stdout, stderr }
    }

    /// [`Launch::run`] while the test has other processes.
    #[track_caller]
    pub fn run_with_others(self) -> Out {
        self.start().finish_with_others()
    }

    #[track_caller]
    pub fn run(self) -> Out {
        self.start().finish()
    }
}

/// A running nsinit.
pub struct Running {
    child: Child,
    line: String,
    started: Instant,
    stdin: Option<ChildStdin>,
    stdout: Stream,
    stderr: Stream,
}

impl Running {
    /// The launcher.
    pub fn pid(&self) -> Pid {
        self.child.id().cast_signed()
    }

    /// Process 1 of the container: the launcher's child.
    #[track_caller]
    pub fn init(&self) -> Pid {
        eventually("process 1 runs", || procs::children(self.pid()).first().copied())
    }

    /// The command: the child of process 1 that leads a process group. (The helper does not.)
    #[track_caller]
    pub fn cmd(&self) -> Pid {
        let init = self.init();
        let leads = |pid: &Pid| procs::stat(*pid).is_some_and(|stat| stat.group == *pid);
        eventually("the command runs", || procs::children(init).into_iter().find(leads))
    }

    /// The next line from the command, without its line end.
    #[track_caller]
    pub fn line(&mut self) -> String {
        match self.stdout.take_until("\n", Instant::now() + *DEADLINE) {
            Some(line) => line.trim_end_matches('\n').to_owned(),
            None => self.hang("no line from CMD"),
        }
    }

    /// The next line from the command; None at the end of its output. For runs that may fail.
    pub fn line_or_end(&mut self) -> Option<String> {
        self.stdout.take_until("\n", Instant::now() + *DEADLINE)
    }

    /// The command reads this text. Its stdin must be open.
    pub fn write(&mut self, text: &str) {
        give(self.stdin.as_mut().expect("an open input"), text);
    }

    pub fn kill(&self, signal: i32) {
        send(self.pid(), signal);
    }

    /// Closes the command's stdin, reads all output until the end, and asserts that nothing is left.
    #[track_caller]
    pub fn finish(self) -> Out {
        let out = self.finish_with_others();
        nothing_is_left(&out.line);
        out
    }

    /// [`Running::finish`] while the test has other processes.
    #[track_caller]
    pub fn finish_with_others(mut self) -> Out {
        drop(self.stdin.take());
        let end = Instant::now() + *DEADLINE;
        while self.stdout.more(end) {}
        while self.stderr.more(end) {}
        if !self.stdout.ended() || !self.stderr.ended() {
            self.hang("did not end");
        }
        let status = self.wait(end);
        forget(self.pid());
        let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
        Out { status, took: self.started.elapsed(), stdout, stderr, line: mem::take(&mut self.line) }
    }

    /// The exit status. Does not assert that nothing is left: other processes of the test may run.
    #[track_caller]
    pub fn finish_beside(mut self) -> i32 {
        drop(self.stdin.take());
        let status = self.wait(Instant::now() + *DEADLINE);
        forget(self.pid());
        status
    }

    #[track_caller]
    fn wait(&mut self, end: Instant) -> i32 {
        loop {
            if let Some(status) = self.child.try_wait().expect("wait for nsinit") {
                return number_of(status);
            }
            if Instant::now() > end {
                self.hang("closed its output but did not end");
            }
            sleep(Duration::from_millis(1));
        }
    }

    /// Ends a run that hangs: prints what each process was doing, and kills them all.
    #[track_caller]
    fn hang(&mut self, how: &str) -> ! {
        let mut tree = procs::tree(self.pid());
        tree.extend(orphans(&self.line).into_iter().flat_map(procs::tree));
        let report: Vec<String> = tree.iter().map(|&pid| procs::describe(pid)).collect();
        tree.into_iter().for_each(|pid| send(pid, libc::SIGKILL));
        let (out, err) = (self.stdout.text(), self.stderr.text());
        panic!("{how}: {}\n{}\nstdout: {out:?}\nstderr: {err:?}", self.line, report.join("\n"));
    }
}

impl Drop for Running {
    /// For tests that failed: no process may stay.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            procs::tree(self.pid()).into_iter().for_each(|pid| send(pid, libc::SIGKILL));
            let _ = self.child.wait();
        }
        forget(self.pid());
    }
}

/// A run that has ended already does not read the text.
fn give(stdin: &mut ChildStdin, text: &str) {
    match stdin.write_all(text.as_bytes()) {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => panic!("write CMD's input: {why}"),
        _ => {}
    }
}

/// The result of a run.
pub struct Out {
    /// The exit status, or minus the signal that killed the launcher.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
    line: String,
}

impl fmt::Display for Out {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nstatus {}\nstdout: {:?}\nstderr: {:?}", self.line, self.status, self.stdout, self.stderr)
    }
}

impl Out {
    #[track_caller]
    pub fn is(&self, status: i32, stdout: &str, stderr: &str) {
        let got = (self.status, self.stdout.as_str(), self.stderr.as_str());
        assert!(got == (status, stdout, stderr), "expected {:?}\n{self}", (status, stdout, stderr));
    }

    /// The command ended with 0, stderr is empty, and stdout is this text.
    #[track_caller]
    pub fn says(&self, stdout: &str) {
        self.is(0, &format!("{stdout}\n"), "");
    }

    /// Asserts a clean end; the result is what the command printed.
    #[track_caller]
    pub fn text(&self) -> &str {
        assert!(self.status == 0 && self.stderr.is_empty(), "expected a clean end\n{self}");
        self.stdout.trim_end_matches('\n')
    }

    /// nsinit's own failure: status 125, one line that names the user's word, and no output of the command.
    #[track_caller]
    pub fn fails(&self, word: &str) {
        self.fails_with(125, word);
    }

    #[track_caller]
    pub fn fails_with(&self, status: i32, word: &str) {
        let one_line = self.stderr.starts_with("nsinit: ") && self.stderr.find('\n') == Some(self.stderr.len() - 1);
        let right = self.status == status && self.stdout.is_empty() && one_line && self.stderr.contains(word);
        assert!(right, "expected status {status} and one line with {word:?}\n{self}");
    }
}

fn number_of(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| -status.signal().expect("exited or killed"))
}

pub fn send(pid: Pid, signal: i32) {
    // SAFETY: kill takes two numbers. (nix's kill has no real-time signals.)
    unsafe { libc::kill(pid, signal) };
}

/// Sends a signal with a value.
pub fn queue(pid: Pid, signal: i32, value: i32) {
    let value = libc::sigval { sival_ptr: std::ptr::without_provenance_mut(value.cast_unsigned() as usize) };
    // SAFETY: sigqueue takes a pid, a number and a word.
    unsafe { libc::sigqueue(pid, signal, value) };
}

pub fn exists(pid: Pid) -> bool {
    kill(NixPid::from_raw(pid), None).is_ok()
}

/// The children that a test waits for.
static KNOWN: Mutex<BTreeSet<Pid>> = Mutex::new(BTreeSet::new());

fn known() -> MutexGuard<'static, BTreeSet<Pid>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a process and registers it, so that the leftover check ignores it.
#[track_caller]
pub fn spawn(command: &mut Command) -> Child {
    try_spawn(command).unwrap_or_else(|why| panic!("{command:?}: {why}"))
}

fn try_spawn(command: &mut Command) -> io::Result<Child> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        nix::sys::prctl::set_child_subreaper(true).expect("become a subreaper");
        // nohup(1), and a shell without job control that starts us in the background, leave these signals ignored.
        for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT] {
            // SAFETY: the default needs no handler.
            unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) }.expect("stop ignoring a signal");
        }
        leave_the_terminal();
    });
    let mut known = known();
    let child = command.spawn()?;
    known.insert(child.id().cast_signed());
    Ok(child)
}

/// Launches here are not jobs of the caller's shell: a stopped command would stop that job, and this process with it.
/// The foreground process group still gets the typed keys.
fn leave_the_terminal() {
    let leads = nix::unistd::getsid(None).is_ok_and(|session| session == nix::unistd::getpid());
    if let Ok(terminal) = fs::File::open("/dev/tty")
        && !leads
    {
        // SAFETY: TIOCNOTTY takes no argument (ioctl_tty(2)).
        unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCNOTTY) };
    }
}

pub fn forget(pid: Pid) {
    known().remove(&pid);
}

/// Runs this while no test starts a process: a child has a copy of every descriptor until it is executed, and a file that is
/// open for writing somewhere cannot be executed (ETXTBSY).
pub fn without_children<T>(act: impl FnOnce() -> T) -> T {
    let _known = known();
    act()
}

/// From now on the test itself waits for this process, which was detached and became our child.
pub fn adopt(pid: Pid) {
    known().insert(pid);
}

/// Waits for a process that was adopted.
#[track_caller]
pub fn wait_for(pid: Pid) {
    eventually("the detached process has ended", || {
        // The result does not matter: the process may never have become our child.
        let _ = waitpid(NixPid::from_raw(pid), Some(WaitPidFlag::WNOHANG));
        (!exists(pid)).then_some(())
    });
    forget(pid);
}

/// Runs a tool that the tests need and returns its output. Panics if the tool fails.
#[track_caller]
pub fn tool(command: &mut Command) -> String {
    attempt(command).unwrap_or_else(|| panic!("{command:?} failed"))
}

/// Runs a tool; its output, if the tool exists and succeeds.
pub fn attempt(command: &mut Command) -> Option<String> {
    let child = try_spawn(command.stdin(Stdio::null()).stdout(Stdio::piped())).ok()?;
    let pid = child.id().cast_signed();
    let out = child.wait_with_output();
    forget(pid);
    let out = out.ok().filter(|out| out.status.success())?;
    Some(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Runs a tool that may fail, without its stderr.
pub fn quiet(command: &mut Command) -> bool {
    attempt(command.stderr(Stdio::null())).is_some()
}

/// Asserts that there is no process and no mount that was not there before. `line`: what was run.
#[track_caller]
pub fn nothing_is_left(line: &str) {
    let end = Instant::now() + *DEADLINE;
    loop {
        let orphans = orphans(line);
        let mounts = new_mounts();
        if orphans.is_empty() && mounts.is_empty() {
            return;
        }
        if Instant::now() > end {
            let report: Vec<String> = orphans.iter().map(|&pid| procs::describe(pid)).collect();
            orphans.iter().for_each(|&pid| send(pid, libc::SIGKILL));
            panic!("left behind after {line}\n{}\n{}", report.join("\n"), mounts.join("\n"));
        }
        sleep(Duration::from_millis(2));
    }
}

/// Our children that no test waits for, except those of other tests. Zombies among them are reaped.
fn orphans(line: &str) -> Vec<Pid> {
    let known = known();
    let strangers = procs::children(std::process::id().cast_signed()).into_iter().filter(|pid| !known.contains(pid));
    strangers
        .filter(|&pid| {
            let _ = waitpid(NixPid::from_raw(pid), Some(WaitPidFlag::WNOHANG));
            exists(pid) && !belongs_to_another_test(pid, line)
        })
        .collect()
}

/// The arguments of every run name directories that no other run uses.
fn belongs_to_another_test(pid: Pid, line: &str) -> bool {
    let words = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let mut dirs = words.split('\0').filter(|w| Path::new(w).parent() == Some(scratch())).peekable();
    dirs.peek().is_some() && !dirs.any(|dir| line.contains(dir))
}

/// Mounts made since the first run, below our directories or on an existing mount point. Other mounts belong to other
/// programs on this machine.
fn new_mounts() -> Vec<String> {
    let point = |line: &str| line.split(' ').nth(4).map(PathBuf::from).unwrap_or_default();
    let first = mounts_at_first();
    let old: Vec<PathBuf> = first.lines().map(point).collect();
    let new = mounts();
    let ours = |line: &&str| point(line).starts_with(scratch()) || old.contains(&point(line));
    new.lines().filter(|line| !first.lines().any(|l| l == *line)).filter(ours).map(str::to_owned).collect()
}

fn mounts() -> String {
    fs::read_to_string("/proc/self/mountinfo").expect("read the mount table")
}

fn mounts_at_first() -> &'static str {
    static MOUNTS: OnceLock<String> = OnceLock::new();
    MOUNTS.get_or_init(mounts)
}
