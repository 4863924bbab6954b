//! A container around nsinit, as an engine has runc make it: a masked /proc, and a read-only /proc/sys and /sys. Podman's default and
//! that of Kubernetes have no filter of system calls for namespaces; Docker's has.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::launch::{quiet, tool};
use super::scratch::nsinit;
use super::{Dir, Launch, Out, Root, skip, who};

/// The capabilities that engines give to root.
const CAPABILITIES: [&str; 14] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
];

/// The calls that Docker's default profile refuses without capabilities, as far as nsinit makes them.
const DOCKERS: [&str; 17] = [
    "add_key",
    "bpf",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "keyctl",
    "mount",
    "mount_setattr",
    "move_mount",
    "open_tree",
    "perf_event_open",
    "pivot_root",
    "request_key",
    "setns",
    "umount2",
    "unshare",
];

/// A container of runc, in which the host's programs can be executed.
pub struct Engine {
    bundle: Dir,
    root: Root,
    config: Value,
}

impl Engine {
    /// Root's, with an engine's capabilities. None: it was skipped.
    pub fn new() -> Option<Self> {
        let who = who::root()?;
        if !quiet(Command::new("runc").arg("--version")) {
            skip("runc is not installed");
            return None;
        }
        let root = Root::new(who)?;
        let bundle = Dir::new(who);
        tool(Command::new("runc").current_dir(bundle.path()).arg("spec"));
        let mut config: Value = serde_json::from_str(&bundle.read("config.json")).expect("JSON");
        config["process"]["terminal"] = false.into();
        config["process"]["noNewPrivileges"] = false.into();
        for set in ["bounding", "effective", "permitted"] {
            config["process"]["capabilities"][set] = json!(CAPABILITIES);
        }
        config["root"] = json!({"path": root.str(), "readonly": false});
        let mounts = config["mounts"].as_array_mut().expect("a list");
        let programs = nsinit().parent().expect("a directory");
        for path in [Path::new("/usr"), Path::new("/lib"), Path::new("/lib64"), programs] {
            let path = path.to_str().filter(|path| Path::new(path).exists());
            mounts.extend(path.map(|at| json!({"destination": at, "source": at, "options": ["rbind", "ro"]})));
        }
        Some(Self { bundle, root, config })
    }

    /// An ordinary user's.
    pub fn user(mut self) -> Self {
        self.config["process"]["user"] = json!({"uid": 1000, "gid": 1000});
        self.config["process"]["capabilities"] = json!({});
        self
    }

    /// Nothing is masked: podman's `unmask=ALL`, Docker's `systempaths=unconfined`.
    pub fn unmasked(mut self) -> Self {
        for list in ["maskedPaths", "readonlyPaths"] {
            self.config["linux"][list] = json!([]);
        }
        self
    }

    /// Docker's filter.
    pub fn filtered(mut self) -> Self {
        let clone_flags = libc::CLONE_NEWUSER
            | libc::CLONE_NEWNS
            | libc::CLONE_NEWPID
            | libc::CLONE_NEWNET
            | libc::CLONE_NEWIPC
            | libc::CLONE_NEWUTS
            | libc::CLONE_NEWCGROUP;
        let allow_clone = json!({"names": ["clone"], "action": "SCMP_ACT_ALLOW",
            "args": [{"index": 0, "value": clone_flags, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]});
        self.config["linux"]["seccomp"] = json!({
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": libc::EPERM,
            "syscalls": [
                {"names": allowed_names(), "action": "SCMP_ACT_ALLOW"},
                {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": libc::ENOSYS},
                allow_clone,
            ],
        });
        self
    }

    /// Runs a command in it.
    #[track_caller]
    pub fn run(&mut self, words: &[&str]) -> Out {
        self.config["process"]["args"] = json!(words);
        self.bundle.file("config.json", &self.config.to_string());
        // The name of its cgroup too.
        let name = self.bundle.path().file_name().expect("a name").display();
        let id = format!("nsinit-{}-{name}", std::process::id());
        let launch = Launch::of(self.root.who, Path::new("/usr/sbin/runc"))
            .args(["--root", self.bundle.at("state").to_str().expect("UTF-8")]);
        launch.args(["run", "--bundle", self.bundle.str(), &id]).run()
    }
}

/// All names of system calls that libc knows and Docker's profile permits.
fn allowed_names() -> Vec<String> {
    let header = ["/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm-generic/unistd.h"];
    let text = header.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    let names = text.lines().filter_map(|line| line.strip_prefix("#define __NR_")?.split(' ').next());
    names.filter(|name| !DOCKERS.contains(name) && !["clone", "clone3"].contains(name)).map(str::to_owned).collect()
}
