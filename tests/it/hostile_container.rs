//! `--enter` into a hostile container: no file outside is touched, and no process of nsinit can be taken over on the
//! way.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use super::harness::container::{Container, Maker, enter};
use super::harness::launch::{Launch, Running, send};
use super::harness::procs::{self, eventually, is_gone};
use super::harness::scratch::{nsinit, own_nsinit, utf8};
use super::harness::{Dir, Who, strace, who};

/// Callers of `--enter` and owners of the container: each user into its own, and root into the ordinary user's.
fn callers_and_owners() -> Vec<(Who, Who)> {
    let own = who::both().into_iter().map(|who| (who, who));
    own.chain(who::root().zip(who::user())).collect()
}

/// CVE-2016-8649, CVE-2016-8659: a tracer with all capabilities inside tries to trace every process that appears.
#[test]
#[cfg(feature = "whole")]
fn processes_of_enter_cannot_be_traced_from_inside() {
    const ROUNDS: usize = 300;
    for (by, owner) in callers_and_owners() {
        // A background process of ash gets /dev/null as its input.
        let script = "[ -e /dev/null ] || : >/dev/null; helper trace >/seen & echo up; exec sleep 1000";
        let cmd = ["/bin/sh", "-c", script];
        let containers = [
            // Without its own user namespace, its capabilities would hold on the host.
            Container::with(owner, Maker::Nsinit, &["--unshare-user", "--cap-add", "ALL"], &cmd),
            (!owner.is_root()).then(|| Container::with(owner, Maker::Unshare, &[], &cmd)).flatten(),
        ];
        for container in containers.into_iter().flatten() {
            for round in 0..ROUNDS {
                let pty = round % 3 == 0 && container.maker == Maker::Nsinit;
                let options: &[&str] = if pty { &["--pty"] } else { &[] };
                enter(by, container.init, options, &["true"]).run().is(0, "", "");
            }
            // A launch that only joins namespaces also has processes inside; with `--root` and with bubblewrap's
            // options.
            let own = by == owner || container.maker == Maker::Nsinit;
            for round in 0..if own { ROUNDS / 3 } else { 0 } {
                let of = container.inside.to_string();
                let root = container.root.str();
                let (as_root, as_bind) = (["--root", root], ["--bind", root, "/"]);
                let launch = Launch::new(by).args(if round % 2 == 0 { &as_root[..] } else { &as_bind });
                launch.args(["--join-user", &of, "--join-pid", &of, "--", "/bin/true"]).run().is(0, "", "");
            }
            let helper = procs::tree(container.inside).into_iter().chain(procs::children(container.init));
            let helper = helper.into_iter().find(|pid| procs::stat(*pid).is_some_and(|stat| stat.name == "helper"));
            send(helper.expect("the tracer runs"), libc::SIGTERM);
            let seen = eventually("the tracer has printed its result", || {
                Some(fs::read_to_string(container.root.at("seen")).ok()?).filter(|text| text.ends_with('\n'))
            });
            let (numbers, caught) = seen.trim_end().rsplit_once(" caught ").expect("seen N caught M");
            assert_eq!(caught, "0", "{:?} of {owner:?} by {by:?}: {seen}", container.maker);
            let count: u32 = numbers.rsplit(' ').next().and_then(|count| count.parse().ok()).expect("a number");
            assert!(count > 10, "the tracer saw only {count} processes in {ROUNDS} rounds");
            container.end();
        }
    }
}

/// The container's /proc, /dev and root are forged; they lead outside if nsinit trusts them.
#[test]
#[cfg(feature = "whole")]
fn enter_does_not_trust_proc_and_dev_of_the_container() {
    for (by, owner) in callers_and_owners() {
        let outside = Dir::new(owner);
        outside.file("victim", "as it was");
        let victim = outside.at("victim");
        let before = outside.listing();
        let victim = utf8(&victim);
        let script = format!(
            "mount -t tmpfs none /proc && mount -t tmpfs none /dev && mkdir -p /proc/self/fd /proc/self/attr /proc/1 && \
             echo 0::/../../x >/proc/self/cgroup && ln -s {victim} /dev/ptmx && ln -s {victim} /proc/self/attr/exec && \
             for n in 3 4 5 6 7 8 9; do ln -s {victim} /proc/self/fd/$n; done && echo up && exec sleep 1000"
        );
        let Some(container) = Container::with(owner, Maker::Unshare, &[], &["/bin/sh", "-c", &script]) else {
            continue;
        };
        let run = |options: &[&str], script: &str| enter(by, container.init, options, &["/bin/sh", "-c", script]).run();
        run(&[], "cat /proc/self/cgroup; pwd").says("0::/../../x\n/");
        // The terminal comes from the host's devpts.
        run(&["--pty"], "echo ran").says("ran\r");
        run(&["--exec-label", "x"], "echo ran").fails("x");
        run(&["--chdir", "/proc/self/fd/5"], "echo ran").fails("/proc/self/fd/5");
        assert_eq!(outside.listing(), before);
        container.end();
    }
}

/// A /dev/ptmx that is another file is neither opened nor used: the terminal comes from the host's devpts.
#[test]
#[cfg(feature = "whole")]
fn pty_refuses_a_dev_ptmx_that_is_another_file() {
    for (by, owner) in callers_and_owners() {
        for make in [
            "mkfifo /dev/ptmx",
            "ln -s /proc/1/fd/0 /dev/ptmx",
            "mkdir /dev/ptmx",
            "ln -s ptmx /dev/ptmx",
            "mknod /dev/ptmx c 1 3",
        ] {
            if make.starts_with("mknod") && !owner.is_root() {
                continue;
            }
            let script = format!("mount -t tmpfs none /dev && {make} && echo up && exec sleep 1000");
            let Some(container) = Container::with(owner, Maker::Unshare, &[], &["/bin/sh", "-c", &script]) else {
                continue;
            };
            enter(by, container.init, &["--pty"], &["echo", "ran"]).run().says("ran\r");
            container.end();
        }
    }
}

/// The target process has changed its root, and its working directory lies outside that: the command starts in the
/// new root.
#[test]
#[cfg(feature = "enter")]
fn entered_cmd_starts_below_a_changed_root() {
    for (by, owner) in callers_and_owners() {
        let script = "mkdir -p /inner/bin && cp /bin/busybox /inner/bin/busybox && ln -s busybox /inner/bin/sh && exec helper chroot-away /inner";
        for maker in [Maker::Nsinit, Maker::Unshare] {
            let Some(container) = Container::with(owner, maker, &[], &["/bin/sh", "-c", script]) else { continue };
            let run = |script: &str| enter(by, container.inside, &[], &["/bin/sh", "-c", script]).run();
            run("pwd; busybox ls /; busybox ls ..; busybox ls /..").says("/\nbin\nbin\nbin");
            run("cd ../../..; busybox ls").says("bin");
            container.end();
        }
    }
}

/// CVE-2019-5736: the program to execute is a script whose interpreter is the executing program itself.
#[test]
#[cfg(feature = "enter")]
fn container_cannot_write_the_nsinit_binary_of_enter() {
    for (by, owner) in callers_and_owners() {
        let (_own, path) = own_nsinit(by);
        let before = fs::read(&path).expect("read the binary");
        let Some(container) = Container::new(owner, Maker::Unshare) else { continue };
        container.root.file("script", "#!/proc/self/exe --version\n");
        let spoil = "for f in /proc/*/exe; do echo x 2>/dev/null >$f; done; true";
        for cmd in [&["/script"][..], &["/bin/sh", "-c", spoil]] {
            let init = container.init.to_string();
            let out = Launch::of(by, &path).args(["--enter", &init, "--"]).args(cmd).run();
            // A dynamically linked build finds no loader in the root.
            assert!([0, 127].contains(&out.status), "{out}");
        }
        container.end();
        assert!(fs::read(&path).expect("read the binary") == before, "the file was changed by {owner:?}");
    }
}

/// Many at a time: no process inside or outside, no mount, and no descriptor that keeps something alive is left.
#[test]
#[cfg(feature = "whole")]
fn a_thousand_enters_leave_nothing() {
    const BATCH: usize = 20;
    const BATCHES: usize = 50;
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        let inside = || {
            let space = procs::link(container.inside, "ns/pid").expect("its pid namespace");
            procs::all().into_iter().filter(|stat| procs::link(stat.pid, "ns/pid").as_ref() == Some(&space)).count()
        };
        let before = inside();
        for batch in 0..BATCHES {
            let start = |number: usize| {
                let options: &[&str] = if (batch + number).is_multiple_of(10) { &["--pty"] } else { &[] };
                let script = format!("exit {number}");
                enter(who, container.init, options, &["/bin/sh", "-c", &script]).start()
            };
            let all: Vec<Running> = (0..BATCH).map(start).collect();
            for (number, run) in all.into_iter().enumerate() {
                assert_eq!(run.finish_beside(), i32::try_from(number).expect("small"));
            }
        }
        eventually("all entered processes have ended", || (inside() == before).then_some(()));
        assert_eq!(procs::children(container.init).len(), 1);
        container.end();
    }
}

/// The container ends while it is entered: the entered command dies with it, or one message says why it does not run.
#[test]
fn enter_reports_a_container_that_ends_meanwhile() {
    for (by, owner) in callers_and_owners() {
        for round in 0..20 {
            let maker = if round % 2 == 0 { Maker::Nsinit } else { Maker::Unshare };
            let Some(container) = Container::new(owner, maker) else { continue };
            let all: Vec<Running> =
                (0..3).map(|_| enter(by, container.init, &[], &["/bin/sh", "-c", "exec sleep 1000"]).start()).collect();
            sleep(Duration::from_micros(400 * round));
            let inside = container.inside;
            send(container.init, libc::SIGKILL);
            send(inside, libc::SIGKILL);
            for run in all {
                let out = run.finish_with_others();
                let lines = out.stderr.lines().count();
                let ended = (out.status == 137 && lines == 0) || (out.status == 125 && lines == 1);
                assert!(ended && out.stdout.is_empty(), "{round}: {out}");
            }
            eventually("the container has ended", || is_gone(inside).then_some(()));
            container.end();
        }
    }
}

/// The target changes to other namespaces and another root after nsinit inspected it and before nsinit joins it: the
/// command must not become root of the host in namespaces that an ordinary user made.
#[test]
#[cfg(feature = "enter")]
fn enter_refuses_a_target_that_changes_namespaces_meanwhile() {
    let (Some(root), Some(user)) = (who::root(), who::user()) else { return };
    let Some(strace) = strace() else { return };
    let uid = user.uid().to_string();
    let script =
        "mkdir -p /evil/bin && cp /bin/busybox /evil/bin/ && ln -sf busybox /evil/bin/cat && echo evil >/evil/side && \
        echo good >/side && exec helper switch-namespaces $UID /evil"
            .replace("$UID", &uid);
    let cmd = ["/bin/sh", "-c", &script];
    // Before the inspection: root enters the namespaces that the target is in by then, the user's.
    let options = ["--share-user", "--seccomp-profile", "none"];
    let Some(container) = Container::with(root, Maker::Nsinit, &options, &cmd) else { return };
    let space = procs::link(container.inside, "ns/user");
    send(container.inside, libc::SIGUSR1);
    eventually("the target has changed its namespaces", || {
        (procs::link(container.inside, "ns/user") != space).then_some(())
    });
    enter(root, container.inside, &[], &["cat", "/side"]).run_with_others().is(0, "evil\n", "");
    container.end();
    // The time for which strace(1) holds the process of `--enter` that joins, in microseconds. It must be held until
    // the target has changed its namespaces, which no fixed time guarantees on every machine; a round in which it was
    // not is repeated.
    for (goes, delay) in [(false, 0), (true, 1_000_000), (true, 4_000_000), (true, 16_000_000)] {
        let Some(container) = Container::with(root, Maker::Nsinit, &options, &cmd) else { return };
        let of = container.inside.to_string();
        let space = procs::link(container.inside, "ns/user");
        let inject = format!("inject=setns:delay_enter={delay}:when=1");
        let words = ["-f", "-o", "/dev/null", "-e", "trace=setns", "-e", &inject];
        let run =
            Launch::of(root, strace).args(words).args([utf8(nsinit()), "--enter", &of, "--", "cat", "/side"]).start();
        let mut held = false;
        if goes {
            // nsinit has inspected the target, and joins it next.
            let joins = || procs::tree(run.pid()).into_iter().any(|pid| in_call(pid, libc::SYS_setns));
            eventually("nsinit is about to join", || joins().then_some(()));
            send(container.inside, libc::SIGUSR1);
            eventually("the target has changed its namespaces", || {
                (procs::link(container.inside, "ns/user") != space).then_some(())
            });
            held = joins();
        }
        let out = run.finish_with_others();
        container.end();
        if held {
            return out.fails("it has changed its namespaces meanwhile");
        } else if !goes {
            out.is(0, "good\n", "");
        }
    }
    panic!("the joining process was never held for long enough");
}

/// True if the process is in that system call (proc_pid_syscall(5)).
fn in_call(pid: procs::Pid, call: i64) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    text.split(' ').next().is_some_and(|number| number == call.to_string())
}
