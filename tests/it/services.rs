//! The services of a machine, and --max-restarts, --on-failure, --console: `nsinit --boot` as process 1 of a pid namespace.

use std::fs;

use super::boot::{OFF, RESTARTED, machine, sh};
use super::harness::launch::send;
use super::harness::procs::{self, eventually};
use super::harness::scratch::{nsinit, utf8};
use super::harness::{Dir, Launch, Who, who};

/// Service files in a directory of their own.
fn services(who: Who, files: &[(&str, &str)]) -> Dir {
    let dir = Dir::new(who);
    dir.dir("services");
    for (name, text) in files {
        dir.file(&format!("services/{name}"), text);
    }
    dir
}

/// A machine with these files in /etc/nsinit.d, and `dir` as /mnt.
fn boot(who: Who, dir: &Dir, words: &[&str]) -> Launch {
    let files = dir.at("services");
    let mounts =
        ["--tmpfs", "/etc", "--ro-bind", utf8(&files), "/etc/nsinit.d", "--tmpfs", "/run", "--bind", dir.str(), "/mnt"];
    machine(who, &mounts, words)
}

/// A service that prints its name and its process id, and its name once more at its end.
fn server(options: &str, name: &str) -> String {
    let script = format!("trap 'echo {name} down; exit' TERM; echo {name} $$; while :; do sleep 0.02; done");
    format!("# {name}\n{options} -- /bin/sh -c \"{script}\"\n")
}

#[test]
fn services_start_in_order_and_stop_in_reverse() {
    for who in who::both() {
        let (a, b, c) =
            (server("--respawn", "a"), server("--after c --respawn", "b"), server("--respawn --after a", "c"));
        let dir = services(who, &[("b", &b), ("c", &c), ("a", &a), (".hidden", "--nope"), ("copy~", "--nope")]);
        let mut run = boot(who, &dir, &[]).start();
        let mut lines: Vec<_> = (0..3).map(|_| run.line()).collect();
        lines.sort_unstable_by_key(|line| line.rsplit(' ').next().and_then(|pid| pid.parse::<u32>().ok()));
        let order: String = lines.iter().filter_map(|line| line.chars().next()).collect();
        assert_eq!(order, "acb", "{lines:?}");
        send(run.init(), libc::SIGUSR2);
        run.finish().is(OFF, "b down\nc down\na down\n", "");
    }
}

/// What a service depends on is asked to end only after the service: one that ignores SIGTERM is killed before.
#[test]
fn service_that_ignores_sigterm_is_killed_before_the_next_one_ends() {
    for who in who::both() {
        let dir =
            services(who, &[("app", "--after db -- /bin/sh /mnt/app.sh"), ("db", "--respawn -- /bin/sh /mnt/db.sh")]);
        dir.file("app.sh", "trap '' TERM; echo $$ >/mnt/app; while :; do sleep 0.02; done");
        dir.file(
            "db.sh",
            "trap 'sleep 0.2; kill -0 $(cat /mnt/app) 2>/dev/null && echo app runs; echo db down; exit' TERM
            until [ -s /mnt/app ]; do sleep 0.02; done; echo up; while :; do sleep 0.02; done",
        );
        let mut run = boot(who, &dir, &["--grace", "1"]).start();
        assert_eq!(run.line(), "up");
        send(run.init(), libc::SIGUSR2);
        run.finish().is(OFF, "db down\n", "");
    }
}

/// The files are read once. SIGKILL restarts a service or ends it; SIGSTOP holds it, and does not delay the end of the machine.
#[test]
fn signals_restart_end_and_hold_a_service() {
    for who in who::both() {
        let dir = services(
            who,
            &[
                ("again", "--respawn -- /bin/sleep 1000"),
                ("held", "--respawn -- /bin/sleep 1000"),
                ("once", "-- /bin/sleep 1000"),
            ],
        );
        let program = utf8(nsinit());
        let script = format!(
            "state() {{ grep -qs \"^$1\" /run/nsinit.services; }}
            pid() {{ sed -n \"s/^$1 running \\([0-9]*\\) .*/\\1/p\" /run/nsinit.services; }}
            for name in again held once; do until state \"$name running\"; do sleep 0.02; done; done
            : >/mnt/services/late; kill -STOP $(pid held); kill -KILL $(pid again) $(pid once)
            until state 'again running [0-9]* 2 signal=9' && state 'once ended'; do sleep 0.02; done
            {program} --service-status | sed 's/running [0-9]*/running/'"
        );
        let out = boot(who, &dir, &sh(&["--grace", "60"], &script)).run();
        let text = "again running 2 signal=9\nheld running 1 -\nonce ended - 1 signal=9\n";
        assert!(out.status == OFF && out.stdout == text && out.took.as_secs() < 30, "{out}");
        assert_eq!(out.stderr.lines().filter(|line| line.contains("service")).count(), 2, "{out}");
    }
}

/// A service that is a task is waited for. The machine ends when all services have ended.
#[test]
fn service_waits_for_the_end_of_a_task() {
    for who in who::both() {
        let dir = services(
            who,
            &[
                ("b", "--after task -- /bin/sh -c 'echo \"b  $(cat /mnt/made)\"'"),
                ("task", "-- /bin/sh -c 'sleep 0.3; echo made >/mnt/made'"),
            ],
        );
        boot(who, &dir, &[]).run().is(OFF, "b  made\n", "");
    }
}

/// Services run beside the command, and end with it. Process 1 itself is their parent.
#[test]
fn services_run_beside_cmd() {
    for who in who::both() {
        let dir = services(who, &[("a", "--respawn -- /bin/sleep 1000")]);
        dir.file("extra", "-- /bin/sh -c 'echo extra $PPID; exit 3'");
        let program = utf8(nsinit());
        let script = format!(
            "until grep -qs '^extra ended' /run/nsinit.services; do sleep 0.02; done; {program} --service-status | sed 's/running [0-9]*/running/'"
        );
        boot(who, &dir, &sh(&["--service", "/mnt/extra"], &script)).run().is(
            OFF,
            "extra 1\na running 1 -\nextra ended - 1 status=3\n",
            "nsinit: service extra ended with status 3\n",
        );
    }
}

#[test]
fn service_that_fails_too_often_ends_the_machine() {
    for who in who::both() {
        let words = "--respawn --max-restarts 2/60 --on-failure reboot";
        let dir = services(
            who,
            &[("other", &server("--respawn", "other")), ("x", &format!("{words} -- /bin/sh -c 'echo x; exit 3'"))],
        );
        let out = boot(who, &dir, &[]).run();
        assert!(out.status == RESTARTED && out.stdout.matches("x\n").count() == 3, "{out}");
        let line = "nsinit: service x ended with status 3";
        assert_eq!(
            out.stderr,
            format!(
                "{line}; it starts again in 1 s\n{line}; it starts again in 2 s\n{line}; it is not started again: --max-restarts\n"
            )
        );
    }
}

#[test]
fn cmd_that_fails_is_followed_by_on_failure() {
    for who in who::both() {
        let run = |options: &[&str], script| machine(who, &[], &sh(options, script)).run();
        let often = "nsinit: cannot restart CMD: it has ended too often (see --max-restarts)\n";
        let limit = ["--respawn", "--max-restarts", "1/60"];
        run(&[&limit[..], &["--on-failure=reboot"]].concat(), "echo x").is(RESTARTED, "x\nx\n", often);
        run(&limit, "echo x").is(OFF, "x\nx\n", often);
        run(&["--on-failure", "reboot"], "exit 1").is(RESTARTED, "", "");
        run(&["--on-failure", "reboot"], "kill -KILL $$").is(RESTARTED, "", "");
        run(&["--on-failure", "reboot"], "exit 0").is(OFF, "", "");
        run(&["--on-exit=reboot", "--on-failure=poweroff"], "exit 0").is(RESTARTED, "", "");
        let shell = sh(&["--on-failure", "shell"], "exit 1");
        machine(who, &[], &shell).input("echo shell\n").run().is(OFF, "shell\n", "");
        let nope = ["--on-failure=reboot", "--nope"];
        machine(who, &[], &nope).run().is(RESTARTED, "", "nsinit: unknown option '--nope' (see nsinit --help)\n");
    }
}

/// A mistake in one service does not keep the others from running.
#[test]
fn mistakes_in_services_are_reported() {
    for who in who::both() {
        let dir = services(
            who,
            &[
                ("circle", "--after ring -- /bin/echo circle"),
                ("good", "--after nosuch -- /bin/echo good"),
                ("none", "--respawn"),
                ("off", "--on-exit reboot -- /bin/echo off"),
                ("open", "-- /bin/echo 'open"),
                ("ring", "--after circle -- /bin/echo ring"),
                ("wrong", "--nope -- /bin/echo wrong"),
            ],
        );
        dir.dir("services/directory");
        let out = boot(who, &dir, &["--service", "/mnt/missing"]).run();
        let left =
            |name: &str| format!("nsinit: cannot start service {name}: Invalid argument (see the line before)\n");
        let circle = |name: &str| {
            format!(
                "nsinit: cannot start service {name}: Resource deadlock avoided (services wait for each other: see --after)\n"
            )
        };
        let lines = [
            "nsinit: cannot read /etc/nsinit.d/directory: Is a directory (no command is run)\n".to_owned(),
            left("directory"),
            "nsinit: no command given\n".to_owned(),
            left("none"),
            "nsinit: a service has --respawn, --max-restarts, --on-failure (but no shell) and --after, and no other option of a machine\n".to_owned(),
            left("off"),
            "nsinit: cannot read /etc/nsinit.d/open: a quote is not closed (no command is run)\n".to_owned(),
            left("open"),
            "nsinit: unknown option '--nope' (see nsinit --help)\n".to_owned(),
            left("wrong"),
            "nsinit: cannot open /mnt/missing: No such file or directory\n".to_owned(),
            left("missing"),
            "nsinit: cannot have service good wait for nosuch: No such file or directory\n".to_owned(),
            circle("circle"),
            circle("ring"),
        ];
        assert_eq!(out.stderr, lines.concat());
        assert!(out.status == OFF && out.stdout == "good\n", "{out}");
        for (words, line) in [
            (&["--after", "x", "--", "true"][..], "--after is for the file of a service"),
            (&["--max-restarts", "1/2", "--", "true"], "--max-restarts needs --respawn"),
            (&["--max-restarts", "1", "--", "true"], "--max-restarts 1: not N/SECONDS, for example 5/60"),
            (
                &["--on-failure", "respawn", "--", "true"],
                "--on-failure respawn: not one of poweroff, reboot, halt and shell",
            ),
            (&["--respawn", "--on-failure", "halt", "--", "true"], "--on-failure with --respawn needs --max-restarts"),
            (
                &["--switch-root", "/mnt", "--console", "null", "--", "/x"],
                "--switch-root excludes the options for which",
            ),
        ] {
            let out = machine(who, &[], words).run();
            assert!(out.status == OFF && out.stderr.contains(line) && out.stdout.is_empty(), "{words:?}: {out}");
        }
        for option in [["--on-failure", "halt"], ["--service", "/x"], ["--console", "null"]] {
            let line = "--on-failure, --service and --console need --boot";
            Launch::new(who).args(option).args(["--", "true"]).run().fails(line);
        }
    }
}

/// Each terminal gets a command of its own, in a session of its own.
#[test]
fn console_runs_cmd_on_each_terminal() {
    for who in who::both() {
        let dir = services(who, &[]);
        let script = "readlink /proc/self/fd/0 /proc/self/fd/2 >/mnt/$$; cut -d ' ' -f 6 /proc/$$/stat >>/mnt/$$; echo $$ >>/mnt/$$";
        let words = sh(&["--console", "null", "--console", "/dev/zero"], script);
        boot(who, &dir, &words).run().is(OFF, "", "");
        let mut found = Vec::new();
        for entry in fs::read_dir(dir.path()).expect("list a directory").flatten() {
            if entry.file_name() != "services" {
                let text = fs::read_to_string(entry.path()).expect("read a file");
                let lines: Vec<_> = text.lines().map(str::to_owned).collect();
                assert_eq!(lines[2], lines[3], "it leads its session");
                found.push(format!("{} {}", lines[0], lines[1]));
            }
        }
        found.sort_unstable();
        assert_eq!(found, ["/dev/null /dev/null", "/dev/zero /dev/zero"]);
        let out = boot(who, &dir, &["--console", "nosuch", "--on-failure", "reboot", "--", "/bin/true"]).run();
        let lines = "nsinit: cannot open /dev/nosuch: No such file or directory\nnsinit: service nosuch ended with status 125\n";
        out.is(RESTARTED, "", lines);
    }
}

/// A service is restarted after each end, and --service-status prints how often.
#[test]
fn respawned_service_is_counted() {
    for who in who::both() {
        let dir = services(who, &[("a", "--respawn -- /bin/sh -c 'kill -USR1 $$'")]);
        let script =
            "until grep -qs '^a paused - [1-9][0-9]* signal=10$' /run/nsinit.services; do sleep 0.02; done; echo found";
        let out = boot(who, &dir, &sh(&[], script)).run();
        assert!(out.status == OFF && out.stdout == "found\n", "{out}");
        let line = "nsinit: service a died of signal 10; it starts again in";
        assert!(out.stderr.starts_with(&format!("{line} 1 s\n")), "{out}");
    }
}

/// A service takes no memory beside its own process, and little in process 1.
#[test]
fn services_take_little_memory() {
    let memory = |count: usize| {
        let files: Vec<_> =
            (0..count).map(|index| (format!("s{index}"), "--respawn -- /bin/sleep 1000".to_owned())).collect();
        let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let dir = services(Who::Root, &files);
        let mut run = boot(Who::Root, &dir, &sh(&[], "echo up; sleep 1000")).start();
        assert_eq!(run.line(), "up");
        let first = run.init();
        let programs = || procs::children(first).iter().filter(|pid| procs::describe(**pid).contains("sleep")).count();
        eventually("all services run", || (programs() >= count).then_some(()));
        let text = fs::read_to_string(format!("/proc/{first}/smaps_rollup")).unwrap_or_default();
        let field = text.lines().find(|line| line.starts_with("Private_Dirty:")).unwrap_or_default();
        let kilobytes: u64 = field.split_whitespace().nth(1).and_then(|word| word.parse().ok()).expect("a number");
        send(first, libc::SIGUSR2);
        send(first, libc::SIGUSR2);
        run.finish();
        kilobytes
    };
    if !who::both().contains(&Who::Root) {
        return;
    }
    let (none, eight) = (memory(0), memory(8));
    assert!(eight < none + 64, "{none} kB without, {eight} kB with eight services");
}
