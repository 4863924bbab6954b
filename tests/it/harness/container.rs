//! Running containers, made by nsinit and by other tools, for the tests of `--enter` and `--join-*`.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::launch::{Launch, Running, send, tool};
use super::procs::{self, Pid, eventually, stat};
use super::{Dir, Out, Root, Who, skip};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    Nsinit,
    /// nsinit, with bubblewrap's options.
    Sandbox,
    Bwrap,
    Unshare,
    Runc,
}

pub const MAKERS: [Maker; 5] = [Maker::Nsinit, Maker::Sandbox, Maker::Bwrap, Maker::Unshare, Maker::Runc];

/// The command of the container. It prints `up` and waits.
const CMD: [&str; 3] = ["/bin/sh", "-c", "cd /tmp; echo up; exec sleep 1000"];

pub struct Container {
    pub root: Root,
    pub maker: Maker,
    run: Running,
    /// Process 1 of the container, or its first process; the pid is the one outside.
    pub init: Pid,
    /// The process that waits.
    pub inside: Pid,
    _bundle: Option<Dir>,
}

impl Container {
    /// A new container of the user `who`. None, after a skip message, if the tool is not installed.
    pub fn new(who: Who, maker: Maker) -> Option<Self> {
        Self::with(who, maker, &[], &CMD)
    }

    /// With options for the maker, and another command. The command must print `up` and then become `sleep`.
    pub fn with(who: Who, maker: Maker, options: &[&str], cmd: &[&str]) -> Option<Self> {
        let root = Root::new(who)?.with_helper();
        let mut bundle = None;
        let launch = match maker {
            Maker::Nsinit => root.launch(options, cmd),
            Maker::Sandbox => Launch::new(who).args(sandbox(&root)).args(options).args(cmd),
            Maker::Bwrap => other(who, "bwrap")?.args(sandbox(&root)).args(options).args(cmd),
            Maker::Unshare => {
                let kinds: &[&str] = if who.is_root() { &[] } else { &["--user", "--map-root-user"] };
                let words = ["--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child"];
                let proc = format!("--mount-proc={}/proc", root.str());
                other(who, "unshare")?
                    .args(words)
                    .args([&proc])
                    .args(kinds)
                    .args(options)
                    .args(["chroot", root.str()])
                    .args(cmd)
            }
            Maker::Runc => {
                let dir = Dir::new(who);
                let launch = other(who, "runc")?.args(["--root", dir.at("state").to_str()?, "run", "--bundle"]);
                write_bundle(who, &root, &dir, cmd);
                // The name of its cgroup too.
                let id = format!("nsinit-test-{}-{}", std::process::id(), dir.path().file_name()?.to_str()?);
                let launch = launch.args([dir.str(), &id]).directory(dir.path());
                bundle = Some(dir);
                launch
            }
        };
        let mut run = launch.start();
        if run.line_or_end().as_deref() != Some("up\n") {
            panic!("{maker:?} did not make a container: {}", run.finish());
        }
        let inside = eventually("the waiting process runs", || {
            procs::tree(run.pid()).into_iter().find(|&pid| stat(pid).is_some_and(|stat| stat.name == "sleep"))
        });
        // Process 1 of the container, if that is another process.
        let parent = stat(inside)?.parent;
        let init = if parent == run.pid() { inside } else { parent };
        let init = if matches!(maker, Maker::Unshare | Maker::Runc) { inside } else { init };
        Some(Self { root, maker, run, init, inside, _bundle: bundle })
    }

    /// The container's namespace of a kind, as /proc shows it.
    pub fn namespace(&self, kind: &str) -> String {
        procs::link(self.inside, &format!("ns/{kind}")).expect("read a namespace link").display().to_string()
    }

    /// Ends the container, and asserts that nothing is left.
    pub fn end(self) -> Out {
        send(self.inside, libc::SIGKILL);
        self.run.finish()
    }
}

/// `nsinit --enter TARGET OPTIONS -- CMD`, run by the user `by`.
pub fn enter(by: Who, who: impl ToString, options: &[&str], cmd: &[&str]) -> Launch {
    Launch::new(by).args(["--enter", &who.to_string()]).args(options).args(["--"]).args(cmd)
}

fn other(who: Who, name: &str) -> Option<Launch> {
    let places = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].map(|place| Path::new(place).join(name));
    let found = places.iter().find(|path| path.exists());
    if found.is_none() {
        skip(&format!("{name} is not installed"));
    }
    Some(Launch::of(who, found?))
}

fn sandbox(root: &Root) -> Vec<String> {
    ["--unshare-all", "--bind", root.str(), "/", "--proc", "/proc", "--dev", "/dev"].map(str::to_owned).into()
}

/// runc's default configuration, except for the root, the command and the terminal.
fn write_bundle(who: Who, root: &Root, dir: &Dir, cmd: &[&str]) {
    let mut command = Command::new("runc");
    who.become_in(command.current_dir(dir.path()).arg("spec"));
    if !who.is_root() {
        command.arg("--rootless");
    }
    tool(&mut command);
    let path = dir.at("config.json");
    let text = fs::read_to_string(&path).expect("read runc's config.json");
    let cmd: Vec<String> = cmd.iter().map(|word| format!("{word:?}")).collect();
    let text = text
        .replace("\"terminal\": true", "\"terminal\": false")
        .replace("\"path\": \"rootfs\"", &format!("\"path\": {:?}", root.str()))
        .replace("\"sh\"\n", &format!("{}\n", cmd.join(", ")));
    fs::write(path, text).expect("write runc's config.json");
}
