//! What goes wrong around a container that is a service, and what CMD does against its keeper.

use std::fs;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::harness::launch::{adopt, send, wait_for};
use super::harness::procs::{self, eventually, is_gone, stat};
use super::harness::scratch::{nsinit, utf8};
use super::harness::term::CTRL_C;
use super::harness::{Launch, Term, roots, strace};
use super::keeper::{below, cat_with_log, logger_of, manager, number_in};

/// A start that fails is tried again after a pause, however long CMD ran before, and a signal ends that.
#[test]
fn start_that_fails_is_not_tried_without_a_pause() {
    // Root has no such limit.
    for root in roots().into_iter().filter(|root| !root.who.is_root()) {
        let run = root.launch(&["--restart", "always"], &["sleep", "10.5"]).start();
        let (launcher, _) = below(run.pid());
        let limit = [format!("--pid={}", run.pid()), "--nproc=1:".to_owned()];
        Launch::of(root.who, Path::new("/usr/bin/prlimit")).args(limit).run().is(0, "", "");
        eventually("CMD has ended", || is_gone(launcher).then_some(()));
        sleep(Duration::from_millis(500));
        run.kill(libc::SIGTERM);
        let out = run.finish();
        let line = "nsinit: cannot fork: Resource temporarily unavailable (the user's limit on processes is reached: see ulimit -u)\n";
        assert_eq!((out.status, out.stderr.as_str()), (143, line), "{out}");
    }
}

/// With --propagate-signal nsinit dies of the signal of the last CMD, or of that which ended a pause.
#[test]
fn signal_of_an_earlier_cmd_is_forgotten() {
    for root in roots() {
        let options = ["--restart", "on-failure", "--propagate-signal"];
        root.sh(&options, "[ -e /was ] && exit 0; : >/was; kill -USR1 $$").is(0, "", "");
        let run = root.launch(&options, &["sh", "-c", "kill -USR1 $$"]).start();
        eventually("the launcher runs", || (!procs::children(run.pid()).is_empty()).then_some(()));
        eventually("the launcher has ended", || procs::children(run.pid()).is_empty().then_some(()));
        run.kill(libc::SIGTERM);
        assert_eq!(run.finish().status, -libc::SIGTERM);
    }
}

/// A logger that replaces a killed one writes to the file that SIGHUP has opened.
#[test]
fn logger_after_a_rotation_writes_to_the_new_file() {
    for root in roots() {
        let (mut run, first) = cat_with_log(&root);
        fs::rename(root.at("log"), root.at("log.1")).expect("move the log");
        run.kill(libc::SIGHUP);
        eventually("the log is open again", || root.at("log").exists().then_some(()));
        send(first, libc::SIGKILL);
        eventually("another one runs", || logger_of(run.pid()).filter(|pid| *pid != first));
        run.write("line\n");
        assert_eq!(run.finish().status, 0);
        assert_eq!((root.read("log"), root.read("log.1")), ("line\n".to_owned(), String::new()));
    }
}

/// A stop of the launcher is one of the job only at a terminal: elsewhere nothing would continue the keeper.
#[test]
fn stopped_launcher_does_not_stop_a_service() {
    for root in roots() {
        let cmd = ["sh", "-c", "trap 'exit 3' TERM; echo up; while :; do sleep 0.1; done"];
        let mut run = root.launch(&["--restart", "always"], &cmd).start();
        assert_eq!(run.line(), "up");
        let (launcher, _) = below(run.pid());
        send(launcher, libc::SIGSTOP);
        eventually("it is stopped", || stat(launcher).filter(|it| it.state == 'T'));
        sleep(Duration::from_millis(200));
        assert_eq!(stat(run.pid()).expect("the keeper runs").state, 'S');
        send(launcher, libc::SIGCONT);
        run.kill(libc::SIGTERM);
        assert_eq!(run.finish_with_others().status, 3);
    }
}

/// The keeper of a background container whose caller was killed ends the container, and removes its file. That of the launcher, which it
/// kills, stays: it is stale.
#[test]
fn keeper_whose_caller_was_killed_removes_its_file() {
    let Some(strace) = strace() else { return };
    for root in roots() {
        let of_keeper = root.at("keeper.pid");
        // Each write(2) of the keeper, and so the one to the caller, is late.
        let slow = ["-f", "-o", "/dev/null", "-e", "trace=write", "-e", "inject=write:delay_enter=1000000"];
        let file = ["--keeper-pid-file", utf8(&of_keeper)];
        let own = [utf8(nsinit()), "--root", root.str(), "--detach", "--restart", "always"];
        let run = Launch::of(root.who, strace).args(slow).args(own).args(file).args(["--", "sleep", "1000"]).start();
        let number = |file: &Path| fs::read_to_string(file).ok()?.trim().parse::<procs::Pid>().ok();
        let keeper = eventually("the keeper has written its file", || number(&of_keeper));
        let caller =
            eventually("the caller waits", || procs::children(run.pid()).into_iter().find(|pid| *pid != keeper));
        adopt(keeper);
        send(caller, libc::SIGKILL);
        run.finish_with_others();
        wait_for(keeper);
        assert!(!of_keeper.exists(), "the pid file is removed");
    }
}

/// A terminal sends the interrupt to all processes of the job: the launcher may not be one of them yet.
#[test]
fn interrupt_before_the_launcher_exists_is_not_lost() {
    if strace().is_none() {
        return;
    }
    for root in roots() {
        let mut term = Term::new(&root);
        let slow = "strace -o /dev/null -e inject=clone:delay_enter=2000000:when=1";
        term.line(&format!("{slow} $N --restart on-failure -- sleep 1000"));
        let keeper = eventually("the keeper is about to fork", || {
            procs::tree(term.pid())
                .into_iter()
                .find(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "nsinit-keeper\n"))
        });
        assert!(procs::children(keeper).is_empty());
        term.keys(CTRL_C);
        term.prompt();
        assert_eq!(term.ask("echo =$?"), "=130");
        term.hang_up();
    }
}

/// The caller of a keeper in the background learns that its pid file cannot be written.
#[test]
fn full_disk_of_the_pid_file_is_reported() {
    for root in roots().into_iter().filter(|root| root.who.is_root()) {
        root.dir("full");
        let script = "mount -t tmpfs -o size=4k none full; head -c 4096 /dev/zero >full/x; \
            $P --root . --detach --restart always --keeper-pid-file full/pid -- sleep 1000; echo =$?; ls full";
        let out = Launch::of(root.who, Path::new("/usr/bin/unshare"))
            .args(["--mount", "sh", "-c", script])
            .env("P", utf8(nsinit()))
            .directory(root.path())
            .run_with_others();
        out.is(0, "=125\nx\n", "nsinit: cannot write full/pid: No space left on device\n");
    }
}

/// Without a terminal's job, a launcher that is stopped for a while does not stop the keeper.
#[test]
fn stopped_launcher_does_not_stop_a_keeper_in_the_background() {
    for root in roots() {
        let pid = root.at("pid");
        let options = ["--detach", "--restart", "always", "--keeper-pid-file", utf8(&pid)];
        let run = root.launch(&options, &["sleep", "1000"]).start();
        assert_eq!(run.finish_beside(), 0);
        let keeper = number_in(&pid);
        adopt(keeper);
        let (launcher, cmd) = below(keeper);
        send(launcher, libc::SIGSTOP);
        eventually("the launcher is stopped", || stat(launcher).filter(|stat| stat.state == 'T'));
        // The keeper hears of it.
        sleep(Duration::from_millis(200));
        send(launcher, libc::SIGCONT);
        send(cmd, libc::SIGKILL);
        eventually("the launcher has ended", || is_gone(launcher).then_some(()));
        below(keeper);
        send(keeper, libc::SIGTERM);
        wait_for(keeper);
    }
}

/// CMD sends a socket whose close waits for a peer that never reads. The keeper must not wait.
#[test]
fn descriptor_in_a_message_does_not_hang_the_keeper() {
    for root in roots() {
        let root = root.with_helper();
        let peer = TcpListener::bind("127.0.0.1:0").expect("listen");
        let port = peer.local_addr().expect("an address").port();
        let options = ["--notify-ready", "--share-net", "--restart", "always"];
        let (socket, path) = manager(&root);
        let script = format!("helper linger {port} READY=1; helper notify STATUS=next; echo sent; exec sleep 1000");
        let mut run = root.launch(&options, &["sh", "-c", &script]).env("NOTIFY_SOCKET", &path).start();
        assert_eq!(run.line(), "sent");
        let mut messages = [0; 64];
        for expected in ["READY=1\n", "STATUS=next\n"] {
            let length = socket.recv(&mut messages).expect("a message");
            assert_eq!(&messages[..length], expected.as_bytes());
        }
        run.kill(libc::SIGTERM);
        assert_eq!(run.finish().status, 143);
        // It is still in the socket at the end of CMD, because the service manager does not read.
        let other = UnixDatagram::unbound().expect("make a socket");
        other.set_nonblocking(true).expect("make it wait for nothing");
        while other.send_to(b"X=1", &path).is_ok() {}
        let script = format!("helper linger {port} READY=1 && echo sent");
        let mut run = root.launch(&options, &["sh", "-c", &script]).env("NOTIFY_SOCKET", &path).start();
        // The second line is that of the next start.
        (0..2).for_each(|_| assert_eq!(run.line(), "sent"));
        run.kill(libc::SIGTERM);
        assert!(matches!(run.finish().status, 0 | 143));
    }
}

/// The process that takes such a message ends with the keeper.
#[test]
fn nothing_waits_for_a_descriptor_after_the_keeper() {
    for root in roots() {
        let root = root.with_helper();
        let peer = TcpListener::bind("127.0.0.1:0").expect("listen");
        let port = peer.local_addr().expect("an address").port();
        let (_socket, path) = manager(&root);
        let script = format!("while :; do helper linger {port} X=1; done");
        let launch = root.launch(&["--notify-ready", "--share-net"], &["sh", "-c", &script]);
        let run = launch.env("NOTIFY_SOCKET", &path).start();
        let (launcher, _) = below(run.pid());
        let taker = || procs::children(run.pid()).into_iter().find(|pid| *pid != launcher);
        let child = eventually("a message is taken, and that takes long", || {
            let first = taker()?;
            sleep(Duration::from_millis(50));
            taker().filter(|pid| *pid == first)
        });
        run.kill(libc::SIGKILL);
        eventually("it has ended", || is_gone(child).then_some(()));
        assert_eq!(run.finish_with_others().status, -libc::SIGKILL);
    }
}
