//! Containers by their names: `--list`, and `--enter NAME`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::harness::container::enter;
use super::harness::procs::{self, Pid, eventually};
use super::harness::scratch::{Dir, copy_program};
use super::harness::{Launch, Out, Root, Running, Who, roots, who};

const SLEEP: [&str; 2] = ["sleep", "12345"];

#[track_caller]
fn start(root: &Root, options: &[&str]) -> Running {
    let run = root.launch(options, &SLEEP).start();
    let has_title = |pid: &Pid| {
        std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|title| title == SLEEP.join("\0") + "\0")
    };
    eventually("CMD runs", || procs::tree(run.pid()).iter().any(has_title).then_some(()));
    run
}

#[track_caller]
fn end(run: Running) {
    run.kill(libc::SIGKILL);
    assert_eq!(run.finish_with_others().status, -libc::SIGKILL);
}

#[track_caller]
fn list(who: Who) -> Vec<[String; 4]> {
    let out = Launch::new(who).args(["--list"]).run_with_others();
    assert_eq!((out.status, out.stderr.as_str()), (0, ""), "{out}");
    let mut lines = out.stdout.lines().map(|line| {
        let mut words = line.split_whitespace();
        let mut next = || words.next().expect("a word").to_owned();
        let [name, pid, age] = [next(), next(), next()];
        [name, pid, age, words.collect::<Vec<_>>().join(" ")]
    });
    assert_eq!(lines.next(), Some(["NAME", "PID", "AGE", "CMD"].map(str::to_owned)), "{out}");
    lines.collect()
}

/// The containers of that name in the list: process 1, and the command.
fn found(who: Who, name: &str) -> Vec<(String, String)> {
    list(who).into_iter().filter(|line| line[0] == name).map(|[_, pid, _, cmd]| (pid, cmd)).collect()
}

fn by_name(who: Who, name: &str) -> Out {
    enter(who, name, &[], &["/bin/echo", "inside"]).run_with_others()
}

/// Other tests have containers of the same users meanwhile: names are unique to a test.
fn unique(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

#[test]
fn running_containers_are_listed_and_entered_by_name() {
    for root in roots() {
        let name = unique("listed");
        let none = format!(
            "nsinit: cannot enter {name}: no file and no running container has this name (see nsinit --list)\n"
        );
        by_name(root.who, &name).is(125, "", &none);
        for options in [&[][..], &["--as-pid-1"], &["--share-pid"], &["--pty"], &["--share-user"]] {
            if options == ["--share-user"] && !root.who.is_root() {
                continue;
            }
            let run = start(&root, &[options, &["--name", &name]].concat());
            let init = if options == ["--pty"] {
                let children = procs::children(run.pid()).into_iter();
                children.map(|pid| pid.to_string()).find(|pid| found(root.who, &name).iter().any(|(it, _)| it == pid))
            } else {
                Some(run.init().to_string())
            };
            assert_eq!(found(root.who, &name), [(init.expect("process 1"), "sleep".to_owned())], "{options:?}");
            by_name(root.who, &name).is(0, "inside\n", "");
            // A file of that name comes first, and a directory is none.
            let path = format!("./{name}");
            let in_root = |target| Launch::new(root.who).directory(root.path()).args(["--enter", target, "--", "true"]);
            root.file(&name, "web\n");
            in_root(&name).run_with_others().fails(": it holds no process id");
            // Another user's counts only by its path: in /tmp, it could have been made with the name of a container.
            if nix::unistd::geteuid().is_root() {
                std::os::unix::fs::chown(root.at(&name), Some(4321), None).expect("give it away");
                in_root(&name).run_with_others().is(0, "", "");
                in_root(&path).run_with_others().fails(": it holds no process id");
            }
            std::fs::remove_file(root.at(&name)).expect("remove the file");
            in_root("etc").run_with_others().fails("etc: no file and no running container has this name");
            Launch::new(root.who)
                .args(["--root", root.str(), "--join-uts", &name])
                .args(["--join-user", &name].into_iter().filter(|_| options != ["--share-user"]))
                .args(["--", "hostname"])
                .run_with_others()
                .says(&name);
            let second = start(&root, &["--name", &name]);
            assert_eq!(found(root.who, &name).len(), 2);
            by_name(root.who, &name).fails("several containers have this name: use a process id (see nsinit --list)");
            end(second);
            end(run);
            by_name(root.who, &name).is(125, "", &none);
        }
        // One without a name.
        let run = start(&root, &[]);
        let line = (run.init().to_string(), "sleep".to_owned());
        assert!(found(root.who, "-").contains(&line));
        end(run);
    }
}

/// In a directory where other users may write, one of them could have made a symbolic link with the name of a container.
#[test]
fn symbolic_link_does_not_stand_for_a_container() {
    for root in roots() {
        let (name, other) = (unique("linked"), unique("another"));
        let (run, second) = (start(&root, &["--name", &name]), start(&root, &["--name", &other]));
        let (init, of_second) = (run.init().to_string(), root.file("second.pid", &second.init().to_string()));
        let network = procs::link(run.init(), "ns/net").or_else(|| procs::link(run.cmd(), "ns/net"));
        let network = network.expect("read a namespace link").display().to_string();
        for by in who::both() {
            let dir = Dir::new(by);
            let fifo = dir.fifo("fifo");
            let hostname =
                |target: &str| enter(root.who, target, &[], &["hostname"]).directory(dir.path()).run_with_others();
            for leads_to in
                [&of_second, &fifo, Path::new("/proc/self/ns/net"), Path::new("/etc/passwd"), Path::new("none")]
            {
                dir.symlink(leads_to, &name);
                hostname(&name).says(&name);
                Launch::new(root.who)
                    .directory(dir.path())
                    .args(["--root", root.str(), "--join-user", &init, "--join-net", &name])
                    .args(["--", "readlink", "/proc/self/ns/net"])
                    .run_with_others()
                    .says(&network);
                // With a slash it is a path.
                if leads_to == of_second {
                    hostname(&format!("./{name}")).says(&other);
                }
                std::fs::remove_file(dir.at(&name)).expect("remove the link");
            }
        }
        // The caller's own file.
        enter(root.who, "second.pid", &[], &["hostname"]).directory(root.path()).run_with_others().says(&other);
        end(second);
        end(run);
    }
}

/// The arguments of a process are in its own memory, and so may be anything; a reader may also have to wait for that memory. The name of
/// its program is the kernel's.
#[test]
fn command_is_listed_by_the_name_that_the_kernel_has() {
    for root in roots() {
        let root = root.with_helper();
        for options in [&[][..], &["--as-pid-1"], &["--share-pid"]] {
            let name = unique("title");
            let options = [options, &["--name", &name, "--argv0", "a title"]].concat();
            let mut run = root.launch(&options, &["helper", "stay"]).start();
            assert_eq!(run.line(), "here");
            let commands: Vec<_> = found(root.who, &name).into_iter().map(|(_, cmd)| cmd).collect();
            assert_eq!(commands, ["helper"], "{options:?}");
            end(run);
        }
    }
}

/// Processes that only have the titles: of another user, set-user-ID, and in a pid namespace of their own.
#[test]
fn no_process_passes_for_a_container_of_another_user() {
    let name = unique("fake");
    let script = format!("(exec -a 'init: {name}' bash -c 'sleep 1000 & wait') & wait");
    let title = format!("nsinit: {name}");
    // Of the shell, so that it has a child.
    let shell = |program: &Path, who| {
        let begin = format!("exec -a '{title}' {} -c \"$0\"", program.display());
        Launch::of(who, Path::new("/bin/bash")).args(["-c", &begin, &script])
    };
    let runs = |run: &Running| {
        let titled = |pid: &Pid| {
            std::fs::read_to_string(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|text| text.starts_with(&format!("init: {name}")))
        };
        eventually("the processes have their titles", || procs::tree(run.pid()).iter().any(titled).then_some(()));
    };
    for by in who::both() {
        let run = shell(Path::new("/bin/bash"), by).start();
        runs(&run);
        for reader in who::both() {
            // What root's processes say is believed.
            assert_eq!(found(reader, &name).len(), usize::from(reader == by || by.is_root()), "{by:?} {reader:?}");
        }
        for pid in procs::tree(run.pid()) {
            super::harness::launch::send(pid, libc::SIGKILL);
        }
        run.finish_with_others();
        // An ordinary user chooses the title of a set-id program, which may become root.
        if by.is_root() {
            let dir = Dir::new(by);
            let program = dir.path().join("bash");
            copy_program(Path::new("/bin/bash"), &program);
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o4755)).expect("make it set-user-ID");
            let run = shell(&program, by).start();
            runs(&run);
            assert_eq!(found(by, &name), []);
            for pid in procs::tree(run.pid()) {
                super::harness::launch::send(pid, libc::SIGKILL);
            }
            run.finish_with_others();
        }
        // In a pid namespace of its own.
        let inside = [
            "--die-with-parent",
            "--ro-bind",
            "/",
            "/",
            "--unshare-pid",
            "--argv0",
            &title,
            "--",
            "/bin/bash",
            "-c",
            &script,
        ];
        let run = Launch::new(by).args(inside).start();
        runs(&run);
        for reader in who::both() {
            assert_eq!(found(reader, &name), []);
        }
        run.kill(libc::SIGKILL);
        run.finish_with_others();
    }
}

#[test]
fn list_goes_alone() {
    let alone = "--list, --freeze and --thaw go alone, and without a command";
    for words in
        [&["--list", "true"][..], &["--list", "--json"], &["--list", "--root", "/"], &["--list", "--enter", "x"]]
    {
        for who in who::both() {
            Launch::new(who).args(words).run_with_others().fails(alone);
        }
    }
}
