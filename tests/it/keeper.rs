//! Containers as services: `--notify`, `--notify-ready`, `--restart`, `--log`, `--keeper-pid-file`.

use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use super::harness::launch::{adopt, send, wait_for};
use super::harness::procs::{self, Pid, eventually, is_gone, stat};
use super::harness::scratch::{nsinit, utf8};
use super::harness::term::CTRL_Z;
use super::harness::{DEADLINE, Deny, Launch, Root, Running, Term, roots};

/// A service manager, and its address.
pub fn manager(root: &Root) -> (UnixDatagram, String) {
    let path = root.at("manager");
    let _ = fs::remove_file(&path);
    let socket = UnixDatagram::bind(&path).expect("make a socket");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("let everybody write to it");
    socket.set_read_timeout(Some(*DEADLINE)).expect("set a time limit");
    (socket, utf8(&path).to_owned())
}

/// The next message.
#[track_caller]
fn told(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 4096];
    let length = socket.recv(&mut bytes).expect("a message");
    String::from_utf8(bytes[..length].to_vec()).expect("UTF-8")
}

/// All messages that have arrived.
fn all_told(socket: &UnixDatagram) -> Vec<String> {
    let mut list = Vec::new();
    socket.set_read_timeout(Some(Duration::from_millis(1))).expect("set a time limit");
    let mut bytes = [0; 4096];
    while let Ok(length) = socket.recv(&mut bytes) {
        list.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
    }
    list
}

/// The launcher, and its command, below the keeper.
#[track_caller]
pub fn below(keeper: Pid) -> (Pid, Pid) {
    let child = |of: Pid, what: &str| {
        eventually(what, || {
            let mut list = procs::children(of);
            list.retain(|pid| !procs::children(*pid).is_empty());
            list.first().copied()
        })
    };
    let launcher = child(keeper, "the launcher runs");
    let init = child(launcher, "process 1 runs");
    (launcher, eventually("CMD runs", || procs::children(init).first().copied()))
}

/// The launcher, and its command `sleep`, below the keeper of a sandbox: process 1 of nsinit may be between them.
#[track_caller]
fn sleeper_below(keeper: Pid) -> (Pid, Pid) {
    fn find(of: Pid) -> Option<Pid> {
        let is_it = |pid: Pid| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n");
        procs::children(of).into_iter().find_map(|child| Some(child).filter(|pid| is_it(*pid)).or_else(|| find(child)))
    }
    eventually("CMD runs", || procs::children(keeper).into_iter().find_map(|child| Some((child, find(child)?))))
}

pub fn number_in(file: &Path) -> Pid {
    eventually("the pid file is written", || fs::read_to_string(file).ok()?.trim().parse().ok())
}

const READY: &str = "READY=1\nSTATUS=CMD runs";

#[test]
fn service_manager_is_told_of_the_start_and_the_end() {
    for root in roots() {
        let (socket, path) = manager(&root);
        root.launch(&["--notify"], &["sh", "-c", "echo $NOTIFY_SOCKET; exit 3"])
            .env("NOTIFY_SOCKET", &path)
            .run()
            .is(3, "\n", "");
        assert_eq!(all_told(&socket), [READY, "STOPPING=1\nSTATUS=CMD ended with status 3"]);
        let name = format!("nsinit-test-{}-{:?}", std::process::id(), root.who);
        let address = SocketAddr::from_abstract_name(&name).expect("an abstract name");
        let socket = UnixDatagram::bind_addr(&address).expect("make a socket");
        let sandbox = ["--ro-bind", root.str(), "/", "--unshare-all", "--notify", "--", "/bin/true"];
        Launch::new(root.who).args(sandbox).env("NOTIFY_SOCKET", &format!("@{name}")).run().is(0, "", "");
        assert_eq!(all_told(&socket), [READY, "STOPPING=1\nSTATUS=CMD ended with status 0"]);
        // Without a service manager there is nothing to tell.
        root.run(&["--notify"], &["echo", "ran"]).says("ran");
        root.run(&["--notify-ready"], &["sh", "-c", "echo =$NOTIFY_SOCKET; ls /dev | grep -c notify"])
            .is(1, "=\n0\n", "");
        root.launch(&["--notify"], &["echo", "ran"]).env("NOTIFY_SOCKET", "").run().says("ran");
    }
}

/// A command that was never executed is not ready.
#[test]
fn service_that_cannot_start_is_never_ready() {
    for root in roots() {
        let (socket, path) = manager(&root);
        for options in [&["--notify"][..], &["--notify", "--restart", "always"], &["--notify", "--detach"]] {
            let out = root.launch(options, &["/none"]).env("NOTIFY_SOCKET", &path).run();
            out.is(127, "", "nsinit: cannot execute /none: No such file or directory\n");
            root.launch(&[options, &["--chdir", "/none"]].concat(), &["true"])
                .env("NOTIFY_SOCKET", &path)
                .run()
                .fails("/none");
        }
        assert_eq!(all_told(&socket), [""; 0]);
        for (wrong, why) in [
            ("relative", "Address family not supported by protocol"),
            ("vsock:2:3", "Address family not supported by protocol"),
            (&*format!("/{}", "x".repeat(107)), "File name too long"),
            ("/none", "No such file or directory"),
            ("@nsinit-none", "Connection refused"),
        ] {
            let out = root.launch(&["--notify"], &["echo", "ran"]).env("NOTIFY_SOCKET", wrong).run();
            out.is(125, "", &format!("nsinit: cannot connect to NOTIFY_SOCKET {wrong}: {why}\n"));
        }
    }
}

/// With --notify-ready CMD's own messages count, except those that concern processes and descriptors.
#[test]
fn cmd_says_when_it_is_ready() {
    for root in roots() {
        let root = root.with_helper();
        let (socket, path) = manager(&root);
        let script = "echo $NOTIFY_SOCKET; \
            helper notify STATUS=loading MAINPID=7 FDSTORE=1 \"STATUS=x$(printf '\\r')MAINPID=7\"; cat; \
            helper notify READY=1 'STATUS=works well' BARRIER=1; helper notify MAINPID=1; helper notify STOPPING=1; exit 5";
        let options = ["--notify-ready", "--read-only", "--chdir", "/tmp"];
        let mut run = root.launch(&options, &["sh", "-c", script]).env("NOTIFY_SOCKET", &path).open_input().start();
        assert_eq!(run.line(), "/dev/notify");
        assert_eq!(told(&socket), "STATUS=loading\n");
        run.finish().is(5, "", "");
        assert_eq!(
            all_told(&socket),
            ["READY=1\nSTATUS=works well\n", "STOPPING=1\n", "STOPPING=1\nSTATUS=CMD ended with status 5"]
        );
        // Each start has a socket of its own, and the end of CMD is not that of the service.
        let (socket, path) = manager(&root);
        let options = ["--notify-ready", "--restart", "always", "--max-restarts", "1/60"];
        let script = "helper notify READY=1; helper notify STOPPING=1";
        root.launch(&options, &["sh", "-c", script]).env("NOTIFY_SOCKET", &path).run();
        let pause = "STATUS=CMD ended with status 0; it starts again in 1 s";
        let end = "STOPPING=1\nSTATUS=CMD ended with status 0";
        assert_eq!(all_told(&socket), ["READY=1\n", pause, "READY=1\n", end]);
        Launch::new(root.who)
            .args(["--ro-bind", root.str(), "/", "--notify-ready", "/bin/true"])
            .run()
            .fails("--notify-ready");
    }
}

/// A service manager that reads late learns of the start all the same.
#[test]
fn start_is_told_again_if_the_service_manager_does_not_read() {
    for root in roots() {
        let (socket, path) = manager(&root);
        let other = UnixDatagram::unbound().expect("make a socket");
        other.set_nonblocking(true).expect("make it wait for nothing");
        while other.send_to(b"X=1", &path).is_ok() {}
        let cmd = ["sh", "-c", "echo up; exec sleep 1000"];
        let mut run = root.launch(&["--notify"], &cmd).env("NOTIFY_SOCKET", &path).start();
        assert_eq!(run.line(), "up");
        // Longer than nsinit waits for it.
        std::thread::sleep(Duration::from_millis(1500));
        let first = std::iter::repeat_with(|| told(&socket)).find(|message| message != "X=1");
        assert_eq!(first.as_deref(), Some(READY));
        run.kill(libc::SIGTERM);
        assert_eq!(run.finish().status, 143);
    }
}

/// A flood of messages neither stops the keeper nor hides a signal from it.
#[test]
fn flood_of_messages_does_not_hide_a_signal() {
    for root in roots() {
        let root = root.with_helper();
        let (_socket, path) = manager(&root);
        let script = "echo up; while :; do helper notify X=1; done";
        let mut run = root.launch(&["--notify-ready"], &["sh", "-c", script]).env("NOTIFY_SOCKET", &path).start();
        run.line();
        run.kill(libc::SIGTERM);
        assert_eq!(run.finish().status, 143);
    }
}

/// A flood of messages that count: the signals of higher numbers than SIGIO arrive, and no SIGIO of nsinit's own reaches CMD. A service
/// manager that reads gets every message; one that does not read delays nothing, and CMD waits.
#[test]
fn service_manager_that_does_not_read_delays_nothing() {
    for root in roots() {
        let root = root.with_helper();
        let (socket, path) = manager(&root);
        let options = ["--notify-ready", "--restart", "always"];
        let cmd = ["helper", "flood", "STATUS=x"];
        let mut run = root.launch(&options, &cmd).env("NOTIFY_SOCKET", &path).start();
        let signals = |run: &mut Running| {
            assert_eq!(run.line(), "up");
            for number in [libc::SIGUSR1, libc::SIGPWR, libc::SIGRTMIN() + 1, libc::SIGRTMAX()] {
                run.kill(number);
                assert_eq!(run.line(), number.to_string());
            }
        };
        let (ends, is_over) = mpsc::channel::<()>();
        let reader = std::thread::spawn(move || {
            let mut count = 0;
            while is_over.try_recv() == Err(mpsc::TryRecvError::Empty) || count < 1000 {
                assert_eq!(told(&socket), "STATUS=x\n");
                count += 1;
            }
            socket
        });
        signals(&mut run);
        drop(ends);
        let _socket = reader.join().expect("every message is as it was sent");
        // Now nothing reads.
        let cmd = below(run.pid()).1;
        let waits = format!("{} ", libc::SYS_write);
        let call = |pid: Pid| fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
        eventually("CMD waits", || (0..20).all(|_| call(cmd).starts_with(&waits)).then_some(()));
        let sleeps_for_manager = format!("{} ", libc::SYS_ppoll);
        for _ in 0..50 {
            assert!(!call(run.pid()).starts_with(&sleeps_for_manager));
            std::thread::sleep(Duration::from_millis(5));
        }
        send(cmd, libc::SIGKILL);
        signals(&mut run);
        run.kill(libc::SIGTERM);
        assert_eq!(run.finish().status, 143);
    }
}

/// The service manager learns the number of the process that stays.
#[test]
fn detached_service_has_a_main_process() {
    for root in roots() {
        let (socket, path) = manager(&root);
        let file = root.at("keeper.pid");
        let options = ["--notify", "--detach", "--keeper-pid-file", utf8(&file)];
        let launch = root.launch(&options, &["sleep", "1000"]).env("NOTIFY_SOCKET", &path);
        assert_eq!(launch.start().finish_beside(), 0);
        let keeper = number_in(&file);
        adopt(keeper);
        assert_eq!([told(&socket), told(&socket)], [READY.to_owned(), format!("MAINPID={keeper}")]);
        send(keeper, libc::SIGTERM);
        wait_for(keeper);
        assert_eq!(told(&socket), "STOPPING=1\nSTATUS=CMD ended with status 143");
        assert!(!file.exists());
    }
}

/// Each start has a new container; --max-restarts ends it.
#[test]
fn failed_cmd_starts_again_in_a_new_container() {
    const OFTEN: &str = "nsinit: cannot restart CMD: it has ended too often (see --max-restarts)\n";
    for root in roots() {
        let script = "echo $$ $(ls /run); touch /run/x; exit 3";
        let limit = ["--max-restarts", "2/60", "--tmpfs", "/run"];
        let options = |when| [&["--restart", when], &limit[..]].concat();
        root.run(&options("on-failure"), &["sh", "-c", script]).is(3, "2\n2\n2\n", OFTEN);
        root.run(&options("always"), &["sh", "-c", "echo up"]).is(0, "up\nup\nup\n", OFTEN);
        root.run(&options("on-failure"), &["echo", "up"]).says("up");
        root.run(&["--restart", "no"], &["sh", "-c", "echo up; exit 3"]).is(3, "up\n", "");
        root.run(&options("on-failure"), &["sh", "-c", "kill -9 $$"]).is(137, "", OFTEN);
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGPIPE, libc::SIGTERM] {
            let out = root.sh(&options("on-failure"), &format!("echo up; kill -{signal} $$"));
            out.is(128 + signal, "up\n", "");
        }
        let end = ["--verbose", "--restart", "always", "--max-restarts", "1/60"];
        let out = root.run(&end, &["true"]);
        assert!(out.stderr.contains("nsinit: CMD starts again in 1 s\n") && out.stderr.ends_with(OFTEN), "{out}");
    }
}

#[test]
fn signal_ends_a_cmd_that_restarts() {
    for root in roots() {
        let options = ["--restart", "always"];
        let script = "trap 'echo hup' HUP; trap 'echo down; exit 4' TERM; echo up; while :; do sleep 0.02; done";
        let mut run = root.launch(&options, &["sh", "-c", script]).start();
        run.line();
        run.kill(libc::SIGHUP);
        assert_eq!(run.line(), "hup");
        run.kill(libc::SIGTERM);
        run.finish().is(4, "down\n", "");
        // CMD, and process 1, are not the keeper: what ends them does not end the service.
        let mut run = root.launch(&options, &["sh", "-c", "echo up; exec sleep 1000"]).start();
        run.line();
        send(below(run.pid()).1, libc::SIGKILL);
        assert_eq!(run.line(), "up");
        run.kill(libc::SIGINT);
        assert_eq!(run.finish().status, 130);
        // Meanwhile it does not run.
        let mut run = root.launch(&options, &["sh", "-c", "echo up; exit 3"]).start();
        (0..2).for_each(|_| drop(run.line()));
        eventually("the launcher has ended", || procs::children(run.pid()).is_empty().then_some(()));
        run.kill(libc::SIGTERM);
        run.finish().is(143, "", "");
    }
}

/// Whatever is killed, nothing is left.
#[test]
fn nothing_is_left_when_the_keeper_or_the_launcher_is_killed() {
    for root in roots() {
        let log = root.at("log");
        let options = ["--restart", "always", "--log", utf8(&log), "--tmpfs", "/tmp"];
        let start = || -> Running {
            let run = root.launch(&options, &["sh", "-c", "echo up; exec sleep 1000"]).start();
            let text = || fs::read_to_string(&log).unwrap_or_default();
            eventually("CMD runs", || text().ends_with("up\n").then_some(()));
            run
        };
        let run = start();
        run.kill(libc::SIGKILL);
        assert_eq!(run.finish().status, -libc::SIGKILL);
        fs::write(&log, "").expect("empty the log");
        let run = start();
        let (launcher, cmd) = below(run.pid());
        send(launcher, libc::SIGKILL);
        eventually("CMD has ended", || is_gone(cmd).then_some(()));
        eventually("CMD runs again", || (root.read("log") == "up\nup\n").then_some(()));
        run.kill(libc::SIGTERM);
        assert_eq!(run.finish().status, 143);
    }
}

#[test]
fn detached_container_restarts_until_the_keeper_is_asked_to_end() {
    for root in roots() {
        let (log, keeper, init) = (root.at("log"), root.at("keeper.pid"), root.at("init.pid"));
        let files = ["--log", utf8(&log), "--keeper-pid-file", utf8(&keeper), "--pid-file", utf8(&init)];
        let options = [&["--detach", "--restart", "always"], &files[..]].concat();
        let run = root.launch(&options, &["sh", "-c", "echo up; exec sleep 1000"]).start();
        assert_eq!(run.finish_beside(), 0);
        let number = number_in(&keeper);
        adopt(number);
        let first = number_in(&init);
        eventually("CMD runs", || (root.read("log") == "up\n").then_some(()));
        let process = stat(number).expect("the keeper runs");
        assert_eq!(process.session, number, "it leads a session");
        send(first, libc::SIGKILL);
        eventually("CMD runs again", || (root.read("log") == "up\nup\n").then_some(()));
        assert!(number_in(&init) != first && number_in(&keeper) == number);
        send(number, libc::SIGTERM);
        wait_for(number);
        assert!(!keeper.exists() && !init.exists());
    }
}

/// Relative paths mean the same at each start: the keeper stays in the caller's directory, and without --restart goes to /.
#[test]
fn relative_paths_hold_for_each_start() {
    for root in roots() {
        root.dir("shown");
        let place = root.path().parent().expect("a directory above the root");
        let name = root.path().file_name().and_then(|name| name.to_str()).expect("a name");
        let (log, source) = (root.at("log"), format!("{name}/shown"));
        let (keeper, log_name) = (root.at("keeper.pid"), format!("{name}/log"));
        for restart in [&["--restart", "always"][..], &[]] {
            let _ = (fs::remove_file(&log), fs::remove_dir(root.at("started")));
            if restart.is_empty() {
                root.dir("started");
            }
            let start = Launch::new(root.who)
                .args(["--root", name, "--bind", &source, "/mnt", "--detach", "--log", &log_name])
                .args(["--keeper-pid-file", utf8(&keeper)])
                .args(restart)
                .args(["--", "sh", "-c", "ls -d /shown; mkdir /started 2>/dev/null && exit 1; exec sleep 1000"])
                .directory(place)
                .start();
            assert_eq!(start.finish_beside(), 0);
            let number = number_in(&keeper);
            adopt(number);
            let lines = if restart.is_empty() { "/shown\n" } else { "/shown\n/shown\n" };
            eventually("CMD has started as often as it should", || (root.read("log") == lines).then_some(()));
            send(number, libc::SIGTERM);
            wait_for(number);
        }
    }
}

#[test]
fn log_gets_the_output_of_cmd() {
    for root in roots() {
        let options = ["--log", "log"];
        let here =
            |options: &[&str], script: &str| root.launch(options, &["sh", "-c", script]).directory(root.path()).run();
        here(&options, "echo out; echo err >&2; exit 3").is(3, "", "");
        here(&options, "echo more").is(0, "", "");
        assert_eq!(root.read("log"), "out\nerr\nmore\n");
        assert_eq!(fs::metadata(root.at("log")).expect("the log").permissions().mode() & 0o777, 0o640);
        // nsinit's own messages about the start go to the caller.
        root.launch(&options, &["/none"]).directory(root.path()).run().fails_with(127, "/none");
        let big = "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i + 1)); done";
        here(&["--log", "big"], big).is(0, "", "");
        assert_eq!(root.read("big").len(), 3000 * 41);
        // A terminal of its own.
        here(&["--log", "pty", "--pty"], "test -t 1 && echo terminal").is(0, "", "");
        assert_eq!(root.read("pty"), "terminal\r\n");
        root.symlink("log", "link");
        root.fifo("fifo");
        for (wrong, why) in [
            ("link", "Too many levels of symbolic links"),
            ("fifo", "it is not a regular file"),
            ("etc", "Is a directory"),
            ("none/log", "No such file or directory"),
        ] {
            root.launch(&["--log", wrong], &["echo", "ran"]).directory(root.path()).run().fails(why);
        }
        root.run(&["--log", "/dev/null"], &["echo", "ran"]).fails("/dev/null: it is not a regular file");
        // Without ppoll(2) the logger reads all the same.
        let deaf = root.launch(&["--log", "deaf"], &["echo", "heard"]).directory(root.path());
        deaf.deny(Deny::all(libc::SYS_ppoll, libc::EPERM)).run().is(0, "", "");
        assert_eq!(root.read("deaf"), "heard\n");
    }
}

/// logrotate(8) moves the file, and sends SIGHUP.
#[test]
fn log_is_opened_again_on_sighup() {
    for root in roots() {
        let mut run = root
            .launch(&["--log", "log"], &["sh", "-c", "trap 'echo hup' HUP; while read -r line; do echo $line; done"])
            .directory(root.path())
            .open_input()
            .start();
        let says = |run: &mut Running, word: &str, name: &str| {
            run.write(&format!("{word}\n"));
            eventually("it is in the log", || root.read(name).ends_with(&format!("{word}\n")).then_some(()));
        };
        eventually("the log is open", || root.at("log").exists().then_some(()));
        says(&mut run, "one", "log");
        fs::rename(root.at("log"), root.at("log.1")).expect("move the log");
        says(&mut run, "two", "log.1");
        run.kill(libc::SIGHUP);
        eventually("the log is open again", || root.at("log").exists().then_some(()));
        says(&mut run, "three", "log");
        // Another file is in its place: the old one stays open.
        fs::rename(root.at("log"), root.at("log.2")).expect("move the log");
        root.symlink("log.1", "log");
        run.kill(libc::SIGHUP);
        says(&mut run, "four", "log.2");
        let out = run.finish();
        assert_eq!(out.status, 0, "{out}");
        let why = "nsinit: cannot open the log log: Too many levels of symbolic links (CMD's output still goes to the file that was open)\n";
        assert_eq!(out.stderr, why);
        assert_eq!(root.read("log.1"), "one\ntwo\n");
        assert_eq!(root.read("log.2"), "three\nfour\n");
    }
}

/// A file that may not grow stands for a full disk: CMD goes on, and the loss is reported.
#[test]
fn full_disk_neither_blocks_nor_ends_cmd() {
    for root in roots() {
        let script = "ulimit -f 8; exec $P --root . --log log -- sh -c 'i=0; while [ $i -lt 9000 ]; do echo 0123456789; i=$((i + 1)); done; exit 6'";
        let out = Launch::of(root.who, Path::new("/bin/sh"))
            .args(["-c", script])
            .env("P", utf8(nsinit()))
            .directory(root.path())
            .run();
        let why = "nsinit: cannot write to the log log: File too large (CMD's output is lost until that is possible)\n";
        out.is(6, "", why);
        assert!(root.read("log").starts_with("0123456789\n"));
    }
}

/// The logger: the child of the keeper that has no child.
pub fn logger_of(keeper: Pid) -> Option<Pid> {
    procs::children(keeper).into_iter().find(|pid| procs::children(*pid).is_empty())
}

/// cat with its output in the file `log`, and its logger.
pub fn cat_with_log(root: &Root) -> (Running, Pid) {
    let run = root.launch(&["--log", "log"], &["cat"]).directory(root.path()).open_input().start();
    // The launcher has a child now.
    below(run.pid());
    let logger = eventually("the logger runs", || logger_of(run.pid()));
    (run, logger)
}

/// A logger that was stopped goes on at the end.
#[test]
fn stopped_logger_goes_on_at_the_end() {
    for root in roots() {
        let (mut run, logger) = cat_with_log(&root);
        send(logger, libc::SIGSTOP);
        run.write("line\n");
        run.finish().is(0, "", "");
        assert_eq!(root.read("log"), "line\n");
    }
}

/// What the pipe holds is not lost.
#[test]
fn killed_logger_is_replaced() {
    for root in roots() {
        let (mut run, first) = cat_with_log(&root);
        send(first, libc::SIGKILL);
        eventually("another one runs", || logger_of(run.pid()).filter(|pid| *pid != first));
        run.write("line\n");
        let out = run.finish();
        let why = "nsinit: cannot write the log: a signal killed the process that does it (another process goes on with it)\n";
        assert_eq!((out.status, out.stderr.as_str()), (0, why), "{out}");
        assert_eq!(root.read("log"), "line\n");
    }
}

/// Without --restart the caller's descriptors are closed as they are without a keeper; a new start needs them.
#[test]
fn keeper_holds_no_descriptor_of_the_caller() {
    for root in roots() {
        let script = format!(
            "({} --root . --log log --ready-fd 3 -- sh -c 'until [ -e /read ]; do sleep 0.01; done; echo end >/end') 3>&1 >/dev/null | (cat; cat end 2>/dev/null; echo closed; : >read)",
            nsinit().display()
        );
        let out = Launch::of(root.who, Path::new("/bin/sh")).args(["-c", &script]).directory(root.path()).run();
        out.is(0, "\nclosed\n", "");
        for (option, value) in [("--info-fd", "1"), ("--block-fd", "0"), ("--sync-fd", "1")] {
            root.run(&["--restart", "always", option, value], &["true"]).fails("--restart");
        }
        root.run(&["--restart", "always", "--file", "0", "/x"], &["true"]).fails("--restart");
        root.run(&["--restart", "sometimes"], &["true"]).fails("--restart");
        root.run(&["--max-restarts", "1/1"], &["true"]).fails("--max-restarts");
        Launch::new(root.who).args(["--restart", "always", "--", "true"]).run().fails("--restart");
    }
}

/// A reader of the caller's standard output does not wait for the end of CMD, whose output goes to the log. The keeper writes there too.
#[test]
fn detached_service_with_a_log_leaves_the_callers_files() {
    for root in roots() {
        for restart in ["no", "always"] {
            let options = format!("--detach --log {restart} --restart {restart} --keeper-pid-file keeper");
            let script =
                format!("{} --root . {options} -- sh -c 'echo up; exec sleep 1000' 2>&1 | cat", nsinit().display());
            let start = Launch::of(root.who, Path::new("/bin/sh")).args(["-c", &script]).directory(root.path()).start();
            assert_eq!(start.finish_beside(), 0);
            let keeper = number_in(&root.at("keeper"));
            adopt(keeper);
            let (_, cmd) = below(keeper);
            eventually("CMD runs", || (root.read(restart) == "up\n").then_some(()));
            // So does a logger that is started later.
            let first = logger_of(keeper).expect("a logger");
            send(first, libc::SIGKILL);
            eventually("another one runs", || logger_of(keeper).filter(|pid| *pid != first));
            send(keeper, libc::SIGTERM);
            eventually("CMD has ended", || is_gone(cmd).then_some(()));
            wait_for(keeper);
            assert!(root.read(restart).contains("\nnsinit: cannot write the log: a signal killed"), "{restart}");
        }
    }
}

/// A logger that cannot be started is started later: CMD waits meanwhile, and goes on.
#[test]
fn logger_that_cannot_be_replaced_at_once_is_replaced_later() {
    let limit = |who, pid: Pid, most: &str| {
        let words = [format!("--pid={pid}"), format!("--nproc={most}:")];
        Launch::of(who, Path::new("/usr/bin/prlimit")).args(words).run().is(0, "", "");
    };
    // Root has no such limit.
    for root in roots().into_iter().filter(|root| !root.who.is_root()) {
        let mut run = root.launch(&["--log", "log"], &["cat"]).directory(root.path()).open_input().start();
        let (launcher, _) = below(run.pid());
        let keeper = run.pid();
        let logger = || procs::children(keeper).into_iter().find(|pid| *pid != launcher);
        let first = eventually("the logger runs", logger);
        limit(root.who, keeper, "1");
        send(first, libc::SIGKILL);
        eventually("the logger has ended", || is_gone(first).then_some(()));
        run.write("line\n");
        limit(root.who, keeper, "4096");
        eventually("another one runs", logger);
        let out = run.finish();
        assert_eq!(out.status, 0, "{out}");
        assert_eq!(root.read("log"), "line\n");
    }
}

/// The caller's NOTIFY_SOCKET is for the keeper, however CMD gets the caller's environment.
#[test]
fn cmd_does_not_get_the_managers_socket() {
    for root in roots() {
        let (_socket, path) = manager(&root);
        let show = ["sh", "-c", "echo =$NOTIFY_SOCKET"];
        let run = |options: &[&str]| root.launch(options, &show).env("NOTIFY_SOCKET", &path).run();
        run(&["--notify", "--keep-env"]).is(0, "=\n", "");
        run(&["--notify-ready", "--keep-env"]).is(0, "=/dev/notify\n", "");
        run(&["--notify", "--keep-env", "--pass-env", "NOTIFY_SOCKET"]).is(0, &format!("={path}\n"), "");
        run(&["--keep-env"]).is(0, &format!("={path}\n"), "");
        let sandbox = ["--ro-bind", root.str(), "/", "--notify", "/bin/sh", "-c", "echo =$NOTIFY_SOCKET"];
        Launch::new(root.who).args(sandbox).env("NOTIFY_SOCKET", &path).run().is(0, "=\n", "");
    }
}

/// Without a preset too the container ends with the keeper, and with its launcher.
#[test]
fn sandbox_ends_with_its_keeper() {
    for root in roots() {
        let root = root.with_helper();
        let sandbox = |options: &[&str], command: &[&str]| {
            let bind = ["--bind", root.str(), "/", "--dev", "/dev", "--proc", "/proc"];
            Launch::new(root.who).directory(root.path()).args(bind).args(options).args(["--"]).args(command)
        };
        for options in [&["--restart", "always"][..], &["--log", "log"], &["--restart", "always", "--unshare-pid"]] {
            let start = || sandbox(options, &["sleep", "1000"]).start();
            let run = start();
            let (_, cmd) = sleeper_below(run.pid());
            run.kill(libc::SIGKILL);
            eventually("CMD has ended", || is_gone(cmd).then_some(()));
            let run = start();
            let (launcher, cmd) = sleeper_below(run.pid());
            send(launcher, libc::SIGKILL);
            eventually("CMD has ended", || is_gone(cmd).then_some(()));
            run.kill(libc::SIGTERM);
            let _ = run.finish();
        }
        // What CMD leaves behind does not run beside the next one.
        let script = "helper alone /lock & sleep 0.1; exit 1";
        let options = ["--unshare-pid", "--restart", "on-failure", "--max-restarts", "1/60"];
        let out = sandbox(&options, &["sh", "-c", script]).run();
        assert!(out.status == 1 && !out.stdout.contains("busy"), "{out}");
    }
}

/// A container whose launcher was killed has ended before another one starts.
#[test]
fn killed_launcher_has_no_two_containers() {
    for root in roots() {
        let options = ["--restart", "always", "--max-restarts", "1000/1"];
        let root = root.with_helper();
        let mut run = root.launch(&options, &["sh", "-c", "helper alone /lock; true"]).start();
        for _ in 0..10 {
            assert_eq!(run.line(), "alone");
            let (launcher, _) = below(run.pid());
            send(launcher, libc::SIGKILL);
        }
        run.kill(libc::SIGTERM);
        let _ = run.finish();
    }
}

/// No signal to the keeper ends a launcher that has not started CMD yet.
#[test]
fn signals_do_not_end_a_launcher_that_starts() {
    for root in roots() {
        let (socket, path) = manager(&root);
        socket.set_read_timeout(Some(Duration::from_millis(1))).expect("set a time limit");
        let options = ["--notify", "--restart", "always", "--max-restarts", "1000/1", "--rewrite", "10:0"];
        let run = root.launch(&options, &["true"]).env("NOTIFY_SOCKET", &path).start();
        let mut list = Vec::new();
        while list.len() < 30 {
            list.extend(all_told(&socket));
            for _ in 0..if list.is_empty() { 0 } else { 200 } {
                send(run.pid(), libc::SIGUSR1);
                std::thread::sleep(Duration::from_micros(20));
            }
        }
        send(run.pid(), libc::SIGTERM);
        let _ = run.finish();
        assert!(list.iter().all(|line| !line.contains("status 138")), "{list:?}");
    }
}

/// To the caller's shell the keeper, the launcher and CMD are one job.
#[test]
fn job_with_a_keeper_stops_and_goes_on() {
    for root in roots() {
        let mut term = Term::new(&root);
        term.line("$N --restart on-failure -- sh -c 'echo up; exec cat'");
        term.expect("up");
        term.keys(CTRL_Z);
        term.prompt();
        term.line("fg");
        term.expect("cat");
        term.line("word");
        term.expect("word");
        term.keys("\x03");
        term.prompt();
        assert_eq!(term.ask("echo =$?"), "=130");
        term.hang_up();
    }
}

/// The steps that no other test makes fail.
#[test]
fn steps_of_the_keeper_that_fail_are_reported() {
    for root in roots() {
        let (_socket, path) = manager(&root);
        let deny = |options: &[&str], call, line: &str| {
            let launch = root.launch(options, &["echo", "ran"]).directory(root.path()).env("NOTIFY_SOCKET", &path);
            launch.deny(Deny::all(call, libc::EIO)).run().is(
                125,
                "",
                &format!("nsinit: cannot {line}: Input/output error\n"),
            );
        };
        deny(&["--log", "log"], libc::SYS_clone, "fork");
        deny(&["--notify-ready"], libc::SYS_bind, "make the socket /dev/notify");
        deny(&["--notify"], libc::SYS_connect, &format!("connect to NOTIFY_SOCKET {path}"));
    }
}

/// The launcher below a keeper does not go to the background itself.
#[test]
fn explain_shows_the_keeper() {
    for root in roots() {
        let options = ["--explain", "--detach", "--log", "log", "--pid-file", "one", "--keeper-pid-file", "two"];
        let out = root.run(&options, &["true"]);
        let text = out.text();
        let (keeper, rest) = text.split_once("launcher:\n").expect("two processes");
        assert!(keeper.starts_with("keeper:\n") && keeper.contains("  open the log log\n"), "{keeper}");
        for (step, above) in
            [("go on in the background", true), ("create pid file two", true), ("create pid file one", false)]
        {
            assert_eq!((keeper.contains(step), rest.contains(step)), (above, !above), "{step}: {text}");
        }
    }
}
