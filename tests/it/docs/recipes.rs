//! docs/recipes.md: each recipe is run in a directory of its own, by an ordinary user with subordinate ids or by root, at a terminal,
//! with the files and the programs that the document's beginning promises.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use super::blocks::{Block, By, Content, blocks, documents};
use super::{prepare, run_in, tale};
use crate::cgroup::Parent;
use crate::harness::launch::{attempt, tool};
use crate::harness::roots::{programs, systemd};
use crate::harness::scratch::{nsinit, utf8};
use crate::harness::term::BASH;
use crate::harness::{Dir, Launch, Root, Term, Who, skip, who};

pub const NAME: &str = "docs/recipes.md";

/// The network of a recipe.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Network {
    /// One of its own, so that its ports are free, with a route that leads nowhere.
    Own,
    /// The machine's.
    Internet,
}

/// The recipes, by their headings, with the programs that they need.
const RECIPES: &[(&str, Network, &[&str])] = &[
    ("From an image to a running service", Network::Own, &["newuidmap", "pasta", "wget"]),
    ("Install packages as an ordinary user", Network::Internet, &["newuidmap", "pasta"]),
    ("Build without a network", Network::Own, &["newuidmap"]),
    ("Run a container as a service of systemd", Network::Own, &["systemd-analyze", "wget"]),
    ("Boot systemd in a container", Network::Own, &[]),
    ("Be the first process of a Kubernetes image", Network::Own, &["newuidmap"]),
    ("Give a coding agent a project and nothing else", Network::Own, &["pasta"]),
    ("Programs with windows, sound and a GPU", Network::Own, &[]),
    ("Debug CMD with strace and gdb", Network::Own, &["strace", "gdb", "pgrep"]),
    ("Forward a port", Network::Own, &["pasta", "wget", "socat"]),
    ("Podman in a container", Network::Internet, &["newuidmap", "pasta", "setcap"]),
    ("nsinit in a container of podman, Docker or Kubernetes", Network::Own, &[]),
    ("Start containers from a Rust program", Network::Own, &[]),
    ("Tasks of other tools", Network::Own, &["newuidmap", "pasta", "ps", "ip"]),
];

/// All that a block runs.
fn commands(block: &Block) -> String {
    match &block.content {
        Content::Session(session) => session.iter().map(|(command, _)| format!("{command}\n")).collect(),
        Content::Script(script) => script.clone(),
    }
}

#[test]
fn image_becomes_a_service() {
    run(RECIPES[0]);
}

#[test]
fn packages_are_installed() {
    run(RECIPES[1]);
}

#[test]
fn build_without_network() {
    run(RECIPES[2]);
}

#[test]
fn service_of_systemd() {
    run(RECIPES[3]);
}

#[test]
fn systemd_boots() {
    run(RECIPES[4]);
}

#[test]
fn first_process_of_an_image() {
    run(RECIPES[5]);
}

#[test]
fn agent_has_its_project() {
    run(RECIPES[6]);
}

#[test]
fn windows_are_parsed() {
    run(RECIPES[7]);
}

#[test]
fn debuggers_see_cmd() {
    run(RECIPES[8]);
}

#[test]
fn ports_are_forwarded() {
    run(RECIPES[9]);
}

#[test]
fn podman_runs_inside() {
    run(RECIPES[10]);
}

#[test]
fn engines_are_outside() {
    run(RECIPES[11]);
}

#[test]
fn library_is_named() {
    run(RECIPES[12]);
}

#[test]
fn tasks_of_other_tools_are_done() {
    run(RECIPES[13]);
}

#[test]
fn every_recipe_is_run() {
    let titles: Vec<&str> = RECIPES.iter().map(|recipe| recipe.0).collect();
    let found: Vec<String> = sections().into_iter().map(|(title, _)| title).collect();
    assert_eq!(found, titles, "the headings of {NAME}");
    let source = include_str!("recipes.rs");
    for (number, title) in titles.iter().enumerate() {
        assert_eq!(source.matches(&format!("run(RECIPES[{number}])")).count(), 1, "{title}");
    }
}

/// The list of words behind this key of the Dockerfile.
fn dockerfile(key: &str) -> Vec<String> {
    let (_, text) = sections().into_iter().find(|(title, _)| title.contains("Kubernetes")).expect("the recipe");
    let line = text.lines().find_map(|line| line.strip_prefix(key)).expect("a line of the Dockerfile");
    serde_json::from_str(line).expect("a list of words")
}

#[test]
fn entrypoint_that_is_shown_is_the_one_that_is_tried() {
    let words = [dockerfile("ENTRYPOINT "), dockerfile("CMD ")].concat();
    let quoted: Vec<String> =
        words.into_iter().map(|word| if word.contains(' ') { format!("'{word}'") } else { word }).collect();
    let (_, text) = sections().into_iter().find(|(title, _)| title.contains("Kubernetes")).expect("the recipe");
    assert!(text.contains(&format!("-- {} ", quoted.join(" "))), "{quoted:?}");
}

/// In an engine's container, as strict as a Pod may be: an ordinary user, no capability, no new privileges, a read-only root.
#[test]
fn entrypoint_needs_no_rights() {
    let Some(root) = who::root().and_then(Root::new) else { return };
    let Some(runc) = attempt(Command::new("which").arg("runc")) else { return skip("there is no runc here") };
    let runc = || {
        let mut command = Command::new(runc.trim());
        command.args(["--root", "state"]);
        command
    };
    let bundle = Dir::new(root.who);
    tool(Command::new("cp").arg(nsinit()).arg(root.at("nsinit")));
    tool(runc().arg("spec").current_dir(bundle.path()));
    let mut spec: serde_json::Value = serde_json::from_str(&bundle.read("config.json")).expect("JSON");
    // The image stops by SIGQUIT, as the ENTRYPOINT says.
    let cmd = ["sh", "-c", "trap 'exit 7' QUIT; echo up; while :; do sleep 0.1; done"].map(str::to_owned);
    spec["process"]["args"] = [dockerfile("ENTRYPOINT "), cmd.to_vec()].concat().into();
    spec["process"]["terminal"] = false.into();
    spec["process"]["user"] = serde_json::json!({ "uid": 1000, "gid": 1000 });
    spec["process"]["capabilities"] = serde_json::json!({});
    spec["root"] = serde_json::json!({ "path": root.str(), "readonly": true });
    assert_eq!(spec["process"]["noNewPrivileges"], true);
    // For a build that is not static.
    for path in ["/lib", "/lib64", "/usr"].into_iter().filter(|path| Path::new(path).exists()) {
        root.dir(path);
        let mount = serde_json::json!({ "destination": path, "source": path, "options": ["rbind", "ro"] });
        spec["mounts"].as_array_mut().expect("the mounts").push(mount);
    }
    bundle.file("config.json", &spec.to_string());
    let id = format!("nsinit-test-{}", std::process::id());
    let launch = Launch::of(root.who, Path::new(runc().get_program())).directory(bundle.path());
    let mut running = launch.args(["--root", "state", "run", &id]).start();
    assert_eq!(running.line_or_end().as_deref(), Some("up\n"), "{}", running.finish());
    tool(runc().args(["kill", &id, "TERM"]).current_dir(bundle.path()));
    running.finish().is(7, "", "");
}

/// The headings, each with its text. The blocks of a section are found with the lines of the whole document.
fn sections() -> Vec<(String, String)> {
    let (_, text) = documents().into_iter().find(|(name, _)| name == NAME).expect("the recipes");
    let parts: Vec<&str> = text.split("\n## ").skip(1).collect();
    parts
        .into_iter()
        .map(|part| {
            let (title, rest) = part.split_once('\n').unwrap_or((part, ""));
            (title.to_owned(), rest.to_owned())
        })
        .collect()
}

#[track_caller]
fn run((title, network, needs): (&str, Network, &[&str])) {
    if who::root().is_none() {
        return;
    }
    for program in needs {
        if attempt(Command::new("which").arg(program)).is_none() {
            return skip(&format!("there is no {program} here"));
        }
    }
    if network == Network::Internet && !reaches_debian() {
        return skip("deb.debian.org cannot be reached");
    }
    let (_, text) = sections().into_iter().find(|(found, _)| found == title).expect("the recipe");
    let blocks = blocks(&format!("{NAME}: {title}"), &text);
    if text.contains("the tests parse it") {
        return parse(&blocks);
    }
    if title == "Tasks of other tools" {
        return tasks(&text);
    }
    // A download may fail once.
    let tries = if network == Network::Internet { 3 } else { 1 };
    for by in [By::User, By::Root] {
        let mine: Vec<&Block> = blocks.iter().filter(|block| block.by == by).collect();
        let who = || if by == By::Root { who::root() } else { who::user() };
        let Some(root) = (!mine.is_empty()).then(who).flatten().and_then(Root::new) else { continue };
        for left in (0..tries).rev() {
            let place = Dir::new(root.who);
            prepare(&place, &root);
            if mine.iter().any(|block| commands(block).contains("image.tar")) {
                let Some(archive) = archive() else { return };
                fs::hard_link(archive, place.at("image.tar")).expect("link the archive");
            }
            if mine.iter().any(|block| commands(block).contains("--systemd")) {
                let Some(debian) = systemd() else { return };
                if Parent::new(root.who).is_none() {
                    return;
                }
                place.symlink(debian, "debian");
            }
            let mut term = terminal(&root, &place, network);
            let wrong = run_in(&mut term, &place, &mine);
            // Files of other owners: the directory's own end is that of root.
            term.hang_up();
            if wrong.is_empty() {
                break;
            }
            assert!(left > 0, "as {:?}:\n{}", root.who, tale(&wrong));
        }
    }
}

/// Commands of nsinit that cannot be run here: each prints its steps.
#[track_caller]
fn parse(blocks: &[Block]) {
    let Some(root) = who::user().and_then(Root::new) else { return };
    let place = Dir::new(root.who);
    let mut term = terminal(&root, &place, Network::Own);
    term.ask(&format!("cd {}; PS2=", place.str()));
    term.ask("nsinit() { /usr/local/bin/nsinit --explain \"$@\"; }; XDG_RUNTIME_DIR=/run WAYLAND_DISPLAY=wayland-1 DISPLAY=:0");
    for block in blocks {
        let steps = term.ask(&format!("{} >steps && tail -n 1 steps", commands(block).trim_end()));
        assert!(steps.trim_start().starts_with("execute "), "{}: {}\n{steps}", block.place, commands(block));
    }
    assert!(!blocks.is_empty());
    term.hang_up();
}

/// The last column of the tables, in one shell.
#[track_caller]
fn tasks(text: &str) {
    let Some(root) = who::user().and_then(Root::new) else { return };
    let place = Dir::new(root.who);
    prepare(&place, &root);
    let mut term = terminal(&root, &place, Network::Own);
    term.ask(&format!("cd {}; export LC_ALL=C", place.str()));
    let container = "nsinit --root root --detach --name box --pid-file box.pid -- sleep 1000 >log 2>&1 </dev/null";
    let mut wrong = Vec::new();
    let rows: Vec<&str> = text.lines().filter_map(|line| line.strip_suffix("` |")?.rsplit('`').next()).collect();
    for row in &rows {
        // The tables are about one container, which one row starts and another one stops.
        if ["box.pid", "--enter box", "--stop box"].iter().any(|word| row.contains(word))
            && *row != container
            && !place.at("box.pid").exists()
        {
            term.ask(container);
        }
        let command =
            if row.contains("--memory") { row.replacen("nsinit", "nsinit --explain", 1) } else { (*row).to_owned() };
        let printed = term.ask(&format!("( {command} ) </dev/null >printed 2>&1; echo \"status $?\"; cat printed"));
        if !printed.starts_with("status 0") {
            wrong.push(format!("{command}\n{printed}"));
        }
    }
    term.ask("kill $(cat box.pid); while [ -e box.pid ]; do sleep 0.1; done");
    term.hang_up();
    assert_eq!(rows.len(), 58);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn reaches_debian() -> bool {
    let reaches = || attempt(Command::new("timeout").args(["30", "bash", "-c", ": </dev/tcp/deb.debian.org/80"]));
    (0..3).any(|_| reaches().is_some())
}

/// The archive of the Debian with programs, made once.
fn archive() -> Option<&'static Path> {
    static DIR: OnceLock<Option<Dir>> = OnceLock::new();
    let dir = DIR.get_or_init(|| {
        let from = programs()?;
        let dir = Dir::new(Who::Root);
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(from).args([
            "--exclude=./dev/*",
            "--exclude=./usr/share/doc/*",
            "--exclude=./usr/share/locale/*",
        ]);
        tool(tar.args(["--numeric-owner", "-cf"]).arg(dir.at("image.tar")).arg("."));
        Some(dir)
    });
    Some(dir.as_ref()?.path()).map(|dir| Box::leak(dir.join("image.tar").into_boxed_path()) as &Path)
}

/// A shell in namespaces of its own: nsinit is installed, the user and root have subordinate ids, and /dev/net/tun is open to all.
fn terminal(root: &Root, place: &Dir, network: Network) -> Term {
    const SCRIPT: &str = r#"set -eu
        [ "$network" = Internet ] || {
            ip link set lo up; ip link add up0 type veth peer name up1; ip link set up1 up; ip address add 192.0.2.2/24 dev up0
            ip link set up0 up; ip route add default via 192.0.2.1
        }
        mount -t tmpfs -o mode=755 tmpfs /srv; mount -t tmpfs -o mode=755 tmpfs /usr/local/bin; cp "$nsinit" /usr/local/bin/
        for name in root "$user"; do echo "$name:1000000000:65536"; done >/srv/ids
        mount --bind /srv/ids /etc/subuid; mount --bind /srv/ids /etc/subgid; rm /srv/ids
        mount -t tmpfs tmpfs /mnt; mknod -m 666 /mnt/tun c 10 200; mount --bind /mnt/tun /dev/net/tun; umount -l /mnt
        chown "$uid" "$(tty)"
        export PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LC_ALL=C
        exec "$@""#;
    let own = if network == Network::Own { &["--net"][..] } else { &[] };
    let user = tool(Command::new("id").args(["-un", &root.who.uid().to_string()]));
    let set = [
        format!("network={}", if network == Network::Own { "Own" } else { "Internet" }),
        format!("nsinit={}", nsinit().display()),
        format!("user={}", user.trim()),
        format!("uid={}", root.who.uid()),
        format!("HOME={}", place.str()),
    ];
    let setpriv = root.who.setpriv();
    let mut words = vec!["env"];
    words.extend(set.iter().map(String::as_str));
    words.extend(["unshare", "--mount"]);
    words.extend(own);
    words.extend(["sh", "-c", SCRIPT, "sh"]);
    words.extend(setpriv.split_whitespace());
    words.extend(BASH);
    Term::shell(Who::Root, Path::new(utf8(root.path())), &words)
}
