//! Containers as services: `--notify`, `--notify-ready`, `--restart`, `--log`, `--keeper-pid-file`.

use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::time::Duration;

use super::harness::launch::{adopt, send, wait_for};
use super::harness::procs::{self, Pid, eventually, is_gone, stat};
use super::harness::scratch::{nsinit, utf8};
use super::harness::term::CTRL_Z;
use super::harness::{DEADLINE, Deny, Launch, Root, Running, Term, roots};

/// A service manager, and its address.
fn manager(root: &Root) -> (UnixDatagram, String) {
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
fn below(keeper: Pid) -> (Pid, Pid) {
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

fn number_in(file: &Path) -> Pid {
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
        let script = "echo $NOTIFY_SOCKET; helper notify STATUS=loading MAINPID=7 FDSTORE=1; cat; \
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
        let options = ["--notify-ready", "--restart", "always", "--max-restarts", "1/1"];
        let script = "helper notify READY=1; helper notify STOPPING=1";
        root.launch(&options, &["sh", "-c", script]).env("NOTIFY_SOCKET", &path).run();
        let pause = "STATUS=CMD ended with status 0; it starts again in 0 s";
        let end = "STOPPING=1\nSTATUS=CMD ended with status 0";
        assert_eq!(all_told(&socket), ["READY=1\n", pause, "READY=1\n", end]);
        Launch::new(root.who)
            .args(["--ro-bind", root.str(), "/", "--notify-ready", "/bin/true"])
            .run()
            .fails("--notify-ready");
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
        let limit = ["--max-restarts", "2/1", "--tmpfs", "/run"];
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
        let end = ["--verbose", "--restart", "always", "--max-restarts", "1/1"];
        let out = root.run(&end, &["true"]);
        assert!(out.stderr.contains("nsinit: CMD starts again in 0 s\n") && out.stderr.ends_with(OFTEN), "{out}");
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
        assert_eq!(procs::link(number, "cwd").unwrap_or_else(|| "/".into()), Path::new("/"));
        send(first, libc::SIGKILL);
        eventually("CMD runs again", || (root.read("log") == "up\nup\n").then_some(()));
        assert!(number_in(&init) != first && number_in(&keeper) == number);
        send(number, libc::SIGTERM);
        wait_for(number);
        assert!(!keeper.exists() && !init.exists());
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
            ("fifo", "No such device or address"),
            ("etc", "Is a directory"),
            ("none/log", "No such file or directory"),
        ] {
            root.launch(&["--log", wrong], &["echo", "ran"]).directory(root.path()).run().fails(why);
        }
        root.run(&["--log", "/dev/null"], &["echo", "ran"]).fails("/dev/null");
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

/// What the pipe holds is not lost.
#[test]
fn killed_logger_is_replaced() {
    for root in roots() {
        let mut run = root.launch(&["--log", "log"], &["cat"]).directory(root.path()).open_input().start();
        let (launcher, _) = below(run.pid());
        let logger = || procs::children(run.pid()).into_iter().find(|pid| *pid != launcher);
        let first = eventually("the logger runs", logger);
        send(first, libc::SIGKILL);
        eventually("another one runs", || logger().filter(|pid| *pid != first));
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
            "({} --root . --log log --ready-fd 3 -- sh -c 'sleep 0.3; echo end >/end') 3>&1 >/dev/null | (cat; cat end 2>/dev/null; echo closed)",
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
