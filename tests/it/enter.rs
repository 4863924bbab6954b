//! `--enter`: into containers of every maker, by root and by their owner.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::harness::container::{Container, MAKERS, Maker, enter};
use super::harness::launch::{exists, send, wait_for};
use super::harness::procs::{self, eventually, field_of};
use super::harness::scratch::nsinit;
use super::harness::{Launch, Root, Who, skip, who};

const KINDS: [&str; 7] = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];

/// A container of every maker, with the users that may enter it.
fn containers() -> Vec<(Container, Vec<Who>)> {
    let mut found = Vec::new();
    for who in who::both() {
        for maker in MAKERS {
            let by = if who.is_root() { vec![who] } else { who::both() };
            found.extend(Container::new(who, maker).map(|container| (container, by)));
        }
    }
    found
}

#[test]
fn entered_cmd_has_the_containers_namespaces_and_root() {
    for (container, by) in containers() {
        for by in by {
            let script = "for k in cgroup ipc mnt net pid user uts; do readlink /proc/self/ns/$k; done; pwd; \
                stat -c %i /; exit 7";
            let out = enter(by, container.init, &[], &["/bin/sh", "-c", script]).run();
            let mut wanted: Vec<String> = KINDS.iter().map(|kind| container.namespace(kind)).collect();
            // Process 1 of these makers is their own program, whose directory is /.
            let own_init = matches!(container.maker, Maker::Nsinit | Maker::Sandbox | Maker::Bwrap);
            wanted.push(if own_init { "/" } else { "/tmp" }.into());
            wanted.push(container.root.path().metadata().expect("the root exists").ino().to_string());
            assert_eq!(out.stdout.lines().collect::<Vec<_>>(), wanted, "{:?} by {by:?}: {out}", container.maker);
            assert_eq!(out.status, 7, "{out}");
            only_cgroup_warnings(&container, &out.stderr);
        }
        container.end();
    }
}

/// If nsinit does not join a cgroup of a runc container, it prints a warning; otherwise it prints nothing.
#[track_caller]
fn only_cgroup_warnings(container: &Container, stderr: &str) {
    let known = container.maker == Maker::Runc && stderr.contains("join the cgroup") && stderr.lines().count() == 1;
    let old = |pid: &str| {
        let lists = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).expect("read the list of cgroups");
        lists.lines().filter(|line| !line.starts_with("0::")).map(str::to_owned).collect::<Vec<_>>()
    };
    let elsewhere = old(&container.inside.to_string()) != old("self");
    assert!(known || stderr.is_empty() && !elsewhere, "{:?}: {stderr}", container.maker);
}

#[test]
fn entered_cmd_is_confined_as_a_fresh_one() {
    const USUAL: &str = "00000000800405fb";
    for (container, by) in containers() {
        for by in by {
            let script = "grep -E '^(Cap|NoNewPrivs|Groups|Uid|Gid|PPid)' /proc/$$/status; ls /proc/self/fd; \
                echo $HOME $container $PATH";
            let out = enter(by, container.init, &[], &["/bin/sh", "-c", script]).env("SECRET", "x").run();
            let field = |name| field_of(&out.stdout, name).unwrap_or_else(|| panic!("no {name}: {out}"));
            for (name, value) in
                [("CapInh", "0000000000000000"), ("CapAmb", "0000000000000000"), ("NoNewPrivs", "1"), ("PPid", "0")]
            {
                assert_eq!(field(name), value, "{name}: {:?} by {by:?}\n{out}", container.maker);
            }
            let ids = field("Uid");
            let zero = ids.split_whitespace().all(|id| id == "0");
            for name in ["CapEff", "CapPrm", "CapBnd"] {
                // A sandbox of an ordinary user maps only that user's id.
                let wanted = if zero || name == "CapBnd" { USUAL } else { "0000000000000000" };
                assert_eq!(field(name), wanted, "{name}: {:?} by {by:?}\n{out}", container.maker);
            }
            assert!(ids.split_whitespace().all(|id| Some(id) == ids.split_whitespace().next()), "{out}");
            // Descriptors: standard input, output and error, and the directory that ls reads.
            assert!(out.stdout.contains("\n0\n1\n2\n3\n") && !out.stdout.contains("\n4\n"), "{out}");
            let home = if zero { "/root" } else { "/" };
            assert!(out.stdout.contains(&format!("\n{home} nsinit /usr/local/sbin:")), "{out}");
        }
        container.end();
    }
}

/// Options have the same effect on an entered command as on a fresh one.
#[test]
fn options_apply_to_an_entered_cmd() {
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        let run =
            |options: &[&str], script: &str| enter(who, container.init, options, &["/bin/sh", "-c", script]).run();
        run(&["--chdir", "/etc"], "pwd").says("/etc");
        run(&["--setenv", "A", "b"], "echo $A").says("b");
        run(&["--umask", "027"], "umask").says("0027");
        run(&["--cap-drop", "ALL"], "grep CapBnd /proc/self/status").says("CapBnd:\t0000000000000000");
        run(&["--allow-new-privs"], "grep NoNewPrivs /proc/self/status").says("NoNewPrivs:\t0");
        run(&["--argv0", "ash"], "echo $0").says("ash");
        run(&["--remap", "3:4"], "exit 3").is(4, "", "");
        if who.is_root() {
            run(&["--uid", "5", "--gid", "6"], "id -u; id -g; grep CapEff /proc/self/status")
                .says("5\n6\nCapEff:\t0000000000000000");
            run(&["--uid", "5", "--cap-add", "CAP_CHOWN"], "grep CapEff /proc/self/status")
                .says("CapEff:\t0000000000000001");
        }
        // Without a command, a shell runs.
        enter(who, container.init, &[], &[]).input("echo $0\n").run().is(0, "/bin/sh\n", "");
        container.end();
    }
}

#[test]
fn status_and_signals_of_an_entered_cmd_are_passed_on() {
    for (container, by) in containers() {
        for by in by {
            let sh = |script: &str| enter(by, container.init, &[], &["/bin/sh", "-c", script]);
            let out = sh("kill -9 $$").run();
            assert_eq!(out.status, 137, "{out}");
            let out = enter(by, container.init, &[], &["/none"]).run();
            assert_eq!(out.status, 127, "{out}");
            let out = enter(by, container.init, &[], &["/etc"]).run();
            assert_eq!(out.status, 126, "{out}");
            let mut run = sh("trap 'echo got; exit 5' TERM; echo ready; while :; do sleep 0.01; done").start();
            assert_eq!(run.line(), "ready");
            run.kill(libc::SIGTERM);
            let out = run.finish();
            assert_eq!((out.status, out.stdout.as_str()), (5, "got\n"), "{out}");
        }
        container.end();
    }
}

/// A command that is not yet executed does not keep the launcher from ending.
#[test]
fn signal_before_execve_ends_the_launcher() {
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        let options = ["--block-fd", "0"];
        let run = enter(who, container.init, &options, &["true"]).open_input().start();
        eventually("the command waits", || procs::children(run.pid()).first().copied());
        run.kill(libc::SIGTERM);
        eventually("the launcher ends", || procs::is_gone(run.pid()).then_some(()));
        assert_eq!(run.finish_with_others().status, 143);
        let run = enter(who, container.init, &options, &["true"]).open_input().start();
        let cmd = eventually("the command waits", || procs::children(run.pid()).first().copied());
        run.kill(libc::SIGKILL);
        assert_eq!(run.finish_with_others().status, -libc::SIGKILL);
        // It became our child, and its container cannot end before we reap it.
        wait_for(cmd);
        container.end();
    }
}

/// SIGKILL to the launcher kills the command that it brought into the container, and no other process.
#[test]
fn entered_cmd_dies_with_the_launcher() {
    for (container, by) in containers() {
        for by in by {
            let mut run = enter(by, container.init, &[], &["/bin/sh", "-c", "echo $$; exec sleep 999"]).start();
            run.line();
            let cmd = eventually("the command runs", || procs::children(run.pid()).first().copied());
            run.kill(libc::SIGKILL);
            let out = run.finish();
            assert_eq!(out.status, -libc::SIGKILL, "{out}");
            // It became our child, and its container cannot end before we reap it.
            wait_for(cmd);
            assert!(exists(container.inside));
        }
        container.end();
    }
}

/// A background process of the command stays in the container, and ends with it.
#[test]
fn background_processes_of_cmd_stay_in_the_container() {
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        let script = "setsid sleep 998 >/dev/null 2>&1 & exit 3";
        let out =
            Launch::new(who).args(["--enter", &container.init.to_string(), "--", "/bin/sh", "-c", script]).start();
        let status = out.finish_beside();
        assert_eq!(status, 3);
        let left = || procs::all().into_iter().find(|stat| stat.parent == container.init && stat.name == "sleep");
        eventually("process 1 has adopted the background process", left);
        container.end();
    }
}

/// TARGET is a pid, a file with a pid, or a descriptor.
#[test]
fn enter_accepts_a_pid_a_pid_file_and_a_pidfd() {
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        let file = container.root.file("pid", &format!("{}\n", container.init));
        let empty = container.root.file("empty", "");
        let text = container.root.file("text", "12 34\n");
        enter(who, file.display(), &[], &["hostname"]).run().says(&procs::our_hostname());
        enter(who, empty.display(), &[], &["true"]).run().fails("empty");
        enter(who, text.display(), &[], &["true"]).run().fails("text");
        let pid = container.inside;
        let with_pidfd = |launch: Launch| {
            launch.before(move || {
                // SAFETY: system calls that take numbers.
                unsafe {
                    let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0) as libc::c_int;
                    // dup2(2) leaves a descriptor that has this number already as it is: close-on-exec.
                    if fd < 0 || libc::dup2(fd, 9) < 0 || libc::fcntl(9, libc::F_SETFD, 0) < 0 {
                        return Err(std::io::Error::last_os_error());
                    }
                }
                Ok(())
            })
        };
        with_pidfd(enter(who, "fd:9", &[], &["/bin/sh", "-c", "ls /proc/self/fd | wc -l"])).run().says("4");
        enter(who, "fd:9", &[], &["true"]).run().fails("fd:9");
        enter(who, "fd:0", &[], &["true"]).run().fails("fd:0");
        container.end();
    }
}

/// No such process, no container, another user's container: one line each.
#[test]
fn enter_refuses_processes_outside_containers_of_the_caller() {
    for who in who::both() {
        let run = |word: &str| enter(who, word, &[], &["true"]).run();
        run("0").fails("0");
        run("4194304").fails("No such process");
        run("/none").fails("No such file");
        run("").fails("empty");
        // A zombie that its parent has not reaped.
        let script = "sleep 0.1 & exec sleep 1000";
        let run = Launch::of(who, Path::new("/bin/sh")).args(["-c", script]).start();
        let dead = eventually("the child has ended", || {
            procs::children(run.pid()).into_iter().find(|pid| procs::is_gone(*pid))
        });
        enter(who, dead, &[], &["true"]).run_with_others().fails("No such process");
        run.kill(libc::SIGKILL);
        run.finish_with_others();
        // The test process itself.
        let out = enter(who, std::process::id(), &[], &["true"]).run();
        if who.is_root() {
            out.fails("the same namespaces as nsinit");
        } else {
            out.fails("enter");
        }
        if let (false, Some(root)) = (who.is_root(), who::root()) {
            let Some(container) = Container::new(root, Maker::Nsinit) else { continue };
            for pid in [container.init, container.inside] {
                enter(who, pid, &[], &["true"]).run().fails("belongs to another user");
            }
            container.end();
        }
    }
}

/// The process ends after it was entered; then it no longer exists.
#[test]
fn entered_cmd_ends_with_the_container() {
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Unshare) else { continue };
        let inside = container.inside;
        let running = enter(who, inside, &[], &["/bin/sh", "-c", "echo in; sleep 1000"]).start();
        let mut running = running;
        assert_eq!(running.line(), "in");
        // The end of process 1 kills all other processes of its pid namespace.
        send(inside, libc::SIGKILL);
        let out = running.finish_beside();
        assert_eq!(out, 137);
        container.end();
        enter(who, inside, &[], &["true"]).run().fails("No such process");
    }
}

#[test]
fn enter_refuses_options_that_make_a_container() {
    for who in who::both() {
        enter(who, 1, &["--read-only"], &["true"]).run().fails("--read-only");
        for options in [
            &["--root", "/"][..],
            &["--bind", "/", "/"],
            &["--tmpfs", "/x"],
            &["--unshare-net"],
            &["--share-net"],
            &["--hostname", "x"],
            &["--join-net", "1"],
            &["--read-only"],
            &["--no-sys"],
            &["--as-pid-1"],
            &["--init"],
            &["--grace", "3"],
            &["--wait-all"],
            &["--all"],
            &["--lock-file", "/x"],
        ] {
            enter(who, 1, options, &["true"]).run().fails("--");
        }
    }
}

/// Older kernels: no pidfd_open (before 5.3), no setns of a pidfd (before 5.8).
#[test]
fn enter_works_without_pidfd_open_and_setns_of_a_pidfd() {
    use super::harness::Deny;
    /// The mount and the pid namespace in one setns call.
    const BOTH: u64 = 0x2002_0000;
    const MANY: Deny = Deny::when(libc::SYS_setns, 1, BOTH, BOTH, libc::EINVAL);
    for (container, by) in containers() {
        for by in by {
            let script = "for k in mnt net pid user; do readlink /proc/self/ns/$k; done";
            let wanted = ["mnt", "net", "pid", "user"].map(|kind| container.namespace(kind)).join("\n") + "\n";
            let sh = || enter(by, container.init, &[], &["/bin/sh", "-c", script]);
            // Joined one by one: with two nested user namespaces, an ordinary user cannot enter either of them with
            // permission to join the namespaces that belong to the outer one.
            let nested = container.maker == Maker::Bwrap && !by.is_root();
            for launch in [sh().lacking(&[libc::SYS_pidfd_open]), sh().deny(MANY)] {
                if nested {
                    launch.run().fails("Operation not permitted");
                    continue;
                }
                let out = launch.run();
                assert_eq!((out.status, &out.stdout), (0, &wanted), "{:?} by {by:?}: {out}", container.maker);
            }
        }
        container.end();
    }
}

/// cgroup v2: the command is in the container's cgroup, or a warning says why not.
#[test]
fn entered_cmd_joins_the_containers_cgroup() {
    let (Some(root), Some(user)) = (who::root(), who::user()) else { return };
    let Some(own) = Root::new(user) else { return };
    // A mount namespace of its own, because other tests compare mounts. A process left in the cgroup would make rmdir
    // fail for ever; the launcher ends a moment after it has removed its pid file.
    let script = format!(
        "set -e; mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null || exit 77
        C=/sys/fs/cgroup/nsinit-test.$$ P={dir}/box.pid Q={dir}/cmd.pid; mkdir $C
        (echo 0 >$C/cgroup.procs; exec $AS {n} --root {dir} --detach --pid-file $P -- sleep 1000)
        for by in '' \"$AS\"; do
            $by {n} --enter $P --pid-file $Q -- sleep 1000 &
            until [ -s $Q ]; do sleep 0.01; done
            grep ^0:: /proc/$(cat $Q)/cgroup | sed \"s,/nsinit-test.$$,C,\"
            kill $(cat $Q); wait $! || echo $?
        done
        kill $(cat $P); while [ -e $P ]; do sleep 0.01; done; until rmdir $C 2>/dev/null; do sleep 0.01; done; echo gone",
        dir = own.str(),
        n = nsinit().display(),
    );
    let out = Launch::of(root, Path::new("/usr/bin/unshare"))
        .args(["--mount", "/bin/sh", "-c", &script])
        .env("AS", &user.setpriv())
        .run();
    if out.status == 77 {
        return skip("cgroup2 cannot be mounted on this machine");
    }
    let ours = std::fs::read_to_string("/proc/self/cgroup").expect("read our list of cgroups");
    let ours = ours.lines().find(|line| line.starts_with("0::")).expect("the list has an entry for cgroup v2");
    assert_eq!(out.stdout, format!("0::C\n143\n{ours}\n143\ngone\n"), "{out}");
    assert_eq!(out.stderr.lines().count(), 1, "{out}");
    assert!(out.stderr.contains("join the cgroup of") && out.stderr.contains("Permission denied"), "{out}");
}
