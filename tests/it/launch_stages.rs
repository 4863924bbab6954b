//! The stages of a launch: its cost, what is released before the command starts, and how it ends.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr;
use std::thread::sleep;
use std::time::Duration;

use super::harness::launch::attempt;
use super::harness::procs::{eventually, is_gone};
use super::harness::scratch::{Dir, nsinit, utf8};
use super::harness::{Launch, Root, roots, skip, who};

// ---- environment

/// The time of `nsinit options -- true` with so many variables; the better of two runs.
fn time_with(variables: usize, options: &[&str]) -> Duration {
    let run = || {
        let launch = Launch::new(who::both()[0]);
        let launch = (0..variables)
            .fold(launch, |launch, number| launch.env(&format!("VARIABLE_{number}_SERVICE_PORT"), "tcp://10.0.0.1:80"));
        let out = launch.args(options).args(["--", "/bin/true"]).run();
        out.is(0, "", "");
        out.took
    };
    run().min(run())
}

/// A Kubernetes cluster with 700 services gives each container 5,000 variables. These once took 2.4 s, and 20,000
/// took 33 s.
#[test]
fn launch_time_is_linear_in_the_environments_size() {
    let many: Vec<String> = (0..500).map(|number| format!("VARIABLE_{}_SERVICE_PORT", number * 7)).collect();
    let each = |option: &'static str| many.iter().flat_map(move |name| [option, name.as_str()]).collect::<Vec<_>>();
    let sets: Vec<&str> = many.iter().flat_map(|name| ["--setenv", name.as_str(), "x"]).collect();
    let bind = ["--bind", "/", "/"];
    for options in [
        &[][..],
        &["--init"],
        &bind,
        &[&bind[..], &each("--unsetenv")].concat(),
        &[&bind[..], &sets].concat(),
        &[&bind[..], &["--clearenv"], &each("--pass-env")].concat(),
        &[&bind[..], &["--keep-env"; 50]].concat(),
    ] {
        // Quadratic time would be 64 times as much, several seconds. On a machine with other work some tries take longer.
        let mut tries = (0..10).map(|_| (time_with(2_000, options), time_with(16_000, options)));
        let linear = tries.any(|(few, lots)| lots < few * 24 + Duration::from_secs(1));
        assert!(linear, "{:?}", options.first());
    }
}

/// If no option concerns the environment, the command gets the caller's, including duplicates, in the same order.
#[test]
fn environment_without_options_is_passed_on_unchanged() {
    let words = [c"B=1", c"A=2", c"B=3", c"PATH=/usr/bin:/bin", c"bare", c"=", c"A=4"];
    let exec = |options: &[&str]| {
        let mut args: Vec<_> = vec![utf8(nsinit()).to_owned()];
        args.extend(options.iter().map(ToString::to_string));
        args.extend(["--", "/usr/bin/env", "-0"].map(String::from));
        let args: Vec<_> = args.into_iter().map(|arg| std::ffi::CString::new(arg).expect("no NUL")).collect();
        let mut helper = Command::new("/bin/true");
        // SAFETY: execve takes two arrays that end with null.
        unsafe {
            helper.pre_exec(move || {
                let ended = |list: Vec<*const libc::c_char>| [list, vec![std::ptr::null()]].concat();
                let argv = ended(args.iter().map(|arg| arg.as_ptr()).collect());
                let envp = ended(words.iter().map(|word| word.as_ptr()).collect());
                libc::execve(argv[0], argv.as_ptr(), envp.as_ptr());
                Err(std::io::Error::last_os_error())
            });
        }
        attempt(&mut helper).expect("nsinit succeeds").replace('\0', " ")
    };
    let all = "B=1 A=2 B=3 PATH=/usr/bin:/bin bare = A=4 ";
    for (options, expected) in [
        (&[][..], all),
        (&["--init"], all),
        (&["--bind", "/", "/", "--chdir", "/"], &format!("{all}PWD=/ ")),
        (&["--bind", "/", "/", "--chdir", "/", "--unsetenv", "A"], "B=1 B=3 PATH=/usr/bin:/bin bare = PWD=/ "),
        (&["--bind", "/", "/", "--chdir", "/", "--setenv", "B", "5"], "A=2 PATH=/usr/bin:/bin bare = A=4 B=5 PWD=/ "),
    ] {
        assert_eq!(exec(options), expected, "{options:?}");
    }
}

/// LISTEN_PID=1 names process 1: nsinit rewrites it only if it is process 1 (sd_listen_fds(3)). Otherwise
/// LISTEN_PIDFDID stays, too.
#[test]
fn listen_pid_1_is_rewritten_only_by_a_process_1() {
    let script = "echo $LISTEN_PID ${LISTEN_PIDFDID-none}";
    for who in who::both() {
        let launch = |number: &str| {
            Launch::new(who).env("LISTEN_PID", number).env("LISTEN_PIDFDID", "7").args(["--", "sh", "-c", script]).run()
        };
        launch("1").is(0, "1 7\n", "");
        launch("x").is(0, "x 7\n", "");
    }
    for root in roots() {
        let options = ["--keep-env"];
        let run = |options: &[&str], number| {
            let launch = root.launch(options, &["sh", "-c", "echo $(($LISTEN_PID == $$)) ${LISTEN_PIDFDID-none}"]);
            launch.env("LISTEN_PID", number).env("LISTEN_PIDFDID", "7").run()
        };
        run(&options, "1").is(0, "1 none\n", "");
        run(&["--keep-env", "--share-pid"], "1").is(0, "0 7\n", "");
    }
}

// ---- before the command's first instruction

/// nsinit leaves the caller's directory and closes inherited descriptors before the command starts. When it did so
/// slightly later, 85 of 200 runs could not unmount the file system that they were started in, and 48 found a lock
/// still held whose only other descriptor the command had closed.
#[test]
fn directory_and_descriptors_are_released_before_cmd_starts() {
    if let Some(who) = who::root() {
        let dir = Dir::new(who);
        let unmount = "mount -t tmpfs none . && cd \"$PWD\" && exec \"$@\"";
        let lock = "exec 7>lock && flock -n 7 && exec \"$@\"";
        let free = "exec 7>&-; exec flock -n lock true";
        for (before, cmd) in
            [(unmount, &["sh", "-c", &format!("cd /; exec umount {}", dir.str())][..]), (lock, &["sh", "-c", free])]
        {
            for options in [&["--"][..], &["--bind", "/", "/", "--sync-fd", "9", "--"]] {
                // In a sandbox the mount is a copy, so only the lock can be tested.
                if options.len() > 1 && before == unmount {
                    continue;
                }
                for round in 0..100 {
                    let open = "exec 9</dev/null; unshare --mount sh -c \"$0\" sh \"$@\"";
                    let launch = Launch::of(who, "/bin/sh".as_ref()).directory(dir.path()).args(["-c", open, before]);
                    let out = launch.args([nsinit()]).args(options).args(cmd).run();
                    assert_eq!((out.status, out.stderr.as_str()), (0, ""), "{cmd:?}: round {round}");
                }
            }
        }
    }
}

// ---- a file system that does not answer

/// nsinit in its own mount namespace, where `dir` is a FUSE file system whose server never answers. The file system
/// lasts as long as `server` is open.
fn with_hung(launch: Launch, dir: &Dir, server: &File) -> Launch {
    let (fd, place) = (server.as_raw_fd(), CString::new(dir.str()).expect("no NUL"));
    let options = CString::new(format!("fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other")).expect("no NUL");
    launch.before(move || {
        // SAFETY: the calls take numbers and C strings.
        let done = unsafe {
            libc::unshare(libc::CLONE_NEWNS) == 0
                && libc::mount(ptr::null(), c"/".as_ptr(), ptr::null(), libc::MS_REC | libc::MS_PRIVATE, ptr::null())
                    == 0
                && libc::mount(c"hung".as_ptr(), place.as_ptr(), c"fuse".as_ptr(), 0, options.as_ptr().cast()) == 0
        };
        if done { Ok(()) } else { Err(io::Error::last_os_error()) }
    })
}

/// Wherever a launch waits before the command starts, SIGTERM and SIGINT end it, and nothing is left.
#[test]
fn hung_launch_ends_on_a_signal() {
    let Some(who) = who::root() else { return };
    for root in roots().into_iter().filter(|root| root.who.is_root()) {
        let dir = Dir::new(who);
        let file = dir.str().to_owned() + "/x";
        let pid_file = root.at("tmp/pid");
        for words in [
            &["--root", dir.str(), "--pid-file", utf8(&pid_file), "--", "true"][..],
            &["--root", root.str(), "--bind", &file, "/tmp", "--", "true"],
            &["--root", root.str(), "--share-pid", "--bind", &file, "/tmp", "--", "true"],
            &["--root", root.str(), "--bind", dir.str(), "/mnt", "--chdir", "/mnt/x", "--", "true"],
            &["--root", root.str(), "--bind", dir.str(), "/mnt", "--", "/mnt/x"],
            &["--root", root.str(), "--share-pid", "--bind", dir.str(), "/mnt", "--", "/mnt/x"],
            &["--bind", "/", "/", "--bind", &file, "/tmp", "--", "true"],
            &["--bind", "/", "/", "--", &file],
            &["--", &file],
            &["--image", &file, "--", "true"],
            &["--root", root.str(), "--pid-file", &file, "--", "true"],
        ] {
            for signal in [libc::SIGTERM, libc::SIGINT] {
                let Ok(server) = File::options().read(true).write(true).open("/dev/fuse") else {
                    return skip("/dev/fuse does not exist");
                };
                // SAFETY: fcntl takes numbers; the descriptor is open.
                assert!(unsafe { libc::fcntl(server.as_raw_fd(), libc::F_SETFD, 0) } == 0, "keep the server");
                let running = with_hung(Launch::new(who), &dir, &server).args(words).start();
                sleep(Duration::from_millis(300));
                running.kill(signal);
                let out = running.finish();
                assert!([128 + signal, -signal].contains(&out.status) && out.stdout.is_empty(), "{words:?}: {out}");
                assert!(!pid_file.exists(), "{words:?}");
            }
        }
    }
}

// ---- teardown

/// Without a pid namespace: a program that forks as fast as it can and ignores all signals is stopped before it is
/// killed.
#[test]
fn fork_bomb_is_killed_to_the_last_process() {
    for root in roots().into_iter().filter(|root| !root.who.is_root()).map(Root::with_helper) {
        let limit = libc::rlimit { rlim_cur: 500, rlim_max: 500 };
        // SAFETY: setrlimit reads a struct.
        let limited = move || match unsafe { libc::setrlimit(libc::RLIMIT_NPROC, &raw const limit) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        };
        let launch = root.launch(&["--share-pid", "--grace", "0"], &["helper", "bomb"]).before(limited);
        let out = launch.run();
        out.is(3, "", "");
    }
}

/// A pid file is removed from the directory where it was made, even if its path then leads elsewhere.
#[test]
fn pid_file_is_removed_from_the_directory_it_was_made_in() {
    for root in roots() {
        let dir = Dir::new(root.who);
        let (old, new) = (dir.path().join("old"), dir.path().join("new"));
        fs::create_dir(&old).expect("make a directory");
        root.who.own(&old);
        let path = old.join("pid");
        let options = ["--pid-file", utf8(&path)];
        let mut running = root.launch(&options, &["sh", "-c", "echo up; read x"]).open_input().start();
        assert_eq!(running.line(), "up");
        fs::rename(&old, &new).expect("rename the directory");
        fs::create_dir(&old).expect("make another directory");
        fs::hard_link(new.join("pid"), &path).expect("link the pid file");
        running.finish().is(1, "", "");
        assert!(path.exists() && !new.join("pid").exists(), "only the file that nsinit made is removed");
    }
}

/// With `--wait-all`, the timeout also covers the processes that the command leaves.
#[test]
fn stop_timeout_applies_after_cmds_end() {
    for root in roots() {
        let stubborn = "(trap '' TERM; echo up; while :; do sleep 1; done) &";
        for (script, late) in
            [(format!("{stubborn} read x; exit 3"), true), (format!("trap 'exit 3' TERM; {stubborn} wait"), false)]
        {
            for options in
                [&["--wait-all", "--stop-timeout", "1"][..], &["--wait-all", "--stop-timeout", "1", "--share-pid"]]
            {
                let mut running = root.launch(options, &["sh", "-c", &script]).open_input().start();
                assert_eq!(running.line(), "up");
                if late {
                    let cmd = running.cmd();
                    running.write("\n");
                    eventually("CMD has ended", || is_gone(cmd).then_some(()));
                }
                running.kill(libc::SIGTERM);
                // Without a timeout it would never end.
                assert_eq!(running.finish().status, 3, "{options:?}");
            }
        }
    }
}

/// A detached container whose pid file cannot be written could not be found again, so it is ended.
#[test]
fn unwritable_pid_file_ends_a_detached_launch() {
    let Some(who) = who::root() else { return };
    for root in roots().into_iter().filter(|root| root.who.is_root()) {
        let dir = Dir::new(who);
        // A tmpfs of one page, which is full.
        let full = "mount -t tmpfs -o size=4k none . && cd \"$PWD\" && { yes | dd of=full bs=4k count=1 2>/dev/null; :; } && \"$@\"; s=$?; ls; exit $s";
        for options in [&["--root", root.str()][..], &["--root", root.str(), "--share-pid"], &["--init"]] {
            let launch = Launch::of(who, "/usr/bin/unshare".as_ref()).directory(dir.path());
            let launch = launch.args(["--mount", "sh", "-c", full, "sh"]).args([nsinit()]).args(options);
            let out = launch.args(["--detach", "--pid-file", "pid", "--", "sleep", "1000"]).run();
            out.is(125, "full\n", "nsinit: cannot write pid: No space left on device\n");
        }
    }
}
