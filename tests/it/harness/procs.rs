//! /proc, read from outside the container.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::DEADLINE;

pub type Pid = i32;

/// Asks until there is an answer. No answer before the deadline is a failure.
#[track_caller]
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + *DEADLINE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "not within {:?}: {what}", *DEADLINE);
        sleep(Duration::from_millis(2));
    }
}

/// The content of /proc/PID/stat.
pub struct Stat {
    pub pid: Pid,
    pub name: String,
    pub state: char,
    pub parent: Pid,
    pub group: Pid,
    pub session: Pid,
    /// The foreground process group of its terminal.
    pub foreground: Pid,
}

/// None: there is no such process.
pub fn stat(pid: Pid) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, rest) = text.rsplit_once(") ")?;
    let words: Vec<&str> = rest.split(' ').collect();
    let number = |i: usize| words.get(i)?.parse().ok();
    Some(Stat {
        pid,
        name: head.split_once(" (")?.1.to_owned(),
        state: words.first()?.chars().next()?,
        parent: number(1)?,
        group: number(2)?,
        session: number(3)?,
        foreground: number(5)?,
    })
}

/// True for a zombie and for a process that does not exist.
pub fn is_gone(pid: Pid) -> bool {
    stat(pid).is_none_or(|s| s.state == 'Z' || s.state == 'X')
}

pub fn all() -> Vec<Stat> {
    let pids = fs::read_dir("/proc").expect("read /proc").flatten();
    pids.filter_map(|e| e.file_name().to_str()?.parse().ok()).filter_map(stat).collect()
}

pub fn children(pid: Pid) -> Vec<Pid> {
    all().into_iter().filter(|s| s.parent == pid).map(|s| s.pid).collect()
}

/// Waits until a process sleeps in a kernel function whose name has this part.
#[track_caller]
pub fn sleeps_in(pid: Pid, part: &str) {
    eventually("it sleeps", || fs::read_to_string(format!("/proc/{pid}/wchan")).ok()?.contains(part).then_some(()));
}

/// The process and all its descendants, parents first.
pub fn tree(pid: Pid) -> Vec<Pid> {
    let all = all();
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(all.iter().filter(|s| s.parent == parent).map(|s| s.pid));
        next += 1;
    }
    found
}

/// The value of `field` in the text of /proc/PID/status.
pub fn field_of(status: &str, field: &str) -> Option<String> {
    status.lines().find_map(|l| l.strip_prefix(field)?.strip_prefix(':')).map(|v| v.trim().to_owned())
}

/// The target of the link /proc/PID/NAME.
pub fn link(pid: Pid, name: &str) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/{name}")).ok()
}

/// Our own namespace of this kind, as /proc shows it.
pub fn our_namespace(kind: &str) -> String {
    fs::read_link(Path::new("/proc/self/ns").join(kind)).expect("read a namespace link").to_string_lossy().into_owned()
}

/// Our own host name.
pub fn our_hostname() -> String {
    nix::unistd::gethostname().expect("a host name").into_string().expect("UTF-8")
}

/// One line for the report on a hang: the process, its state, and what it waits for.
pub fn describe(pid: Pid) -> String {
    let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default().replace('\0', " ");
    let state = stat(pid).map_or('-', |s| s.state);
    format!("{pid} {state} [{}] in {} syscall {}", read("cmdline").trim(), read("wchan"), read("syscall").trim())
}
