//! `--stats`: what the container has used. tests/vm/stats.rs has the numbers of controllers, which this machine may have in version 1.

use std::fs;

use serde_json::Value;

use super::cgroup::{Parent, SETTING};
use super::harness::container::{Container, Maker};
use super::harness::launch::{adopt, send, wait_for};
use super::harness::procs::{children, eventually, stat};
use super::harness::scratch::utf8;
use super::harness::{Launch, Out, Root, Term, Who, roots, who};

/// Takes more than 0.3 s of time, and more than 0.1 s of a processor.
const WORK: [&str; 3] = [
    "sh",
    "-c",
    "sleep 0.3; while :; do read x <&- ; set -- $(cat /proc/$$/stat); [ $((${14} + ${15})) -gt 10 ] && exit 3; done 2>/dev/null",
];

/// The lines of the block: a name, and a number with its unit.
fn block(text: &str) -> Vec<(String, String)> {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("nsinit: the container used:"), "{text}");
    lines
        .map(|line| {
            let (name, number) = line.strip_prefix("  ").expect("two blanks").split_at(18);
            assert!(!number.starts_with(' '), "{line:?} is not aligned");
            (name.trim_end().to_owned(), number.to_owned())
        })
        .collect()
}

fn seconds(text: &str) -> f64 {
    text.strip_suffix(" s").and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{text:?} are no seconds"))
}

fn number(json: &Value, name: &str) -> u64 {
    json[name].as_u64().unwrap_or_else(|| panic!("no number {name} in {json}"))
}

/// The line with the numbers, and the last line.
fn report(out: &Out) -> (Value, String) {
    let lines: Vec<&str> = out.stdout.lines().collect();
    let [.., stats, end] = lines[..] else { panic!("{out}") };
    let stats: Value = serde_json::from_str(stats).expect("JSON");
    (stats["stats"].clone(), end.to_owned())
}

#[test]
fn what_a_container_used_is_reported_at_its_end() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        for options in
            [&["--stats"][..], &["--stats", "--share-pid"], &["--stats", SETTING[0], SETTING[1]], &["--pty", "--stats"]]
        {
            let out = parent.container(&root, options, &WORK).run();
            assert_eq!((out.status, out.stdout.as_str()), (3, ""), "{out}");
            let lines = block(&out.stderr);
            let names: Vec<&str> = lines.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names[..4], ["wall time", "cpu time", "cpu user", "cpu system"], "{out}");
            let [wall, cpu, user, system] = [0, 1, 2, 3].map(|line| seconds(&lines[line].1));
            assert!(wall > 0.4 && cpu > 0.1 && wall > cpu / 2.0, "{out}");
            assert!((cpu - user - system).abs() < 0.003, "{out}");
            parent.is_as_before();
            // As JSON to the descriptor, and nothing to standard error.
            let out = parent.container(&root, &[options, &["--status-fd", "1"]].concat(), &WORK).run();
            assert_eq!((out.status, out.stderr.as_str()), (3, ""), "{out}");
            let (stats, end) = report(&out);
            assert_eq!(end, "{ \"exit-code\": 3 }");
            let [wall, cpu, user, system] = ["wall-time-usec", "cpu-time-usec", "cpu-user-usec", "cpu-system-usec"]
                .map(|name| number(&stats, name));
            assert!(wall > 400_000 && cpu > 100_000 && cpu.abs_diff(user + system) < 10, "{out}");
            parent.is_as_before();
        }
        // bubblewrap's descriptor has bubblewrap's members.
        let out = parent.container(&root, &["--stats", "--json-status-fd", "1"], &["true"]).run();
        assert_eq!(block(&out.stderr)[0].0, "wall time");
        assert!(out.status == 0 && !out.stdout.contains("stats"), "{out}");
        parent.is_as_before();
    }
}

/// A number that the kernel does not count is named, and is not 0.
#[test]
fn missing_numbers_are_named() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let controllers = parent.read("cgroup.controllers");
        let has = |controller: &str| controllers.split_whitespace().any(|name| name == controller);
        let out = parent.container(&root, &["--stats"], &["true"]).run();
        let lines = block(&out.stderr);
        let lacking = lines.iter().find(|(name, _)| name == "not counted").map(|(_, names)| names.as_str());
        let named = |name: &str| {
            lacking.unwrap_or_default().split(" (").next().unwrap_or_default().split(", ").any(|it| it == name)
        };
        assert!(has("memory") || named("memory peak"), "{out}");
        assert!(has("pids") || named("pids peak"), "{out}");
        assert_eq!(has("io"), !named("io"), "{out}");
        assert!(!named("cpu time") && !named("cpu throttled"), "{out}");
        parent.is_as_before();
    }
}

#[test]
fn nothing_is_reported_if_cmd_never_ran() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let out = parent.container(&root, &["--stats"], &["/no/such"]).run();
        out.is(127, "", "nsinit: cannot execute /no/such: No such file or directory\n");
        let out = parent.container(&root, &["--stats", "--cgroup-set", "zebra.max=0"], &["true"]).run();
        assert!(out.status == 125 && out.stderr.lines().count() == 1, "{out}");
        parent.is_as_before();
    }
}

/// Signals and processes that are left change nothing.
#[test]
fn killed_container_is_reported() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let mut run =
            parent.container(&root, &["--stats"], &["sh", "-c", "echo up; exec sleep 1000"]).open_input().start();
        assert_eq!(run.line(), "up");
        send(run.init(), libc::SIGKILL);
        let out = run.finish();
        assert_eq!((out.status, block(&out.stderr)[0].0.as_str()), (137, "wall time"), "{out}");
        parent.is_as_before();
    }
}

/// In the background, the block goes to the caller's file, and there must be one.
#[test]
fn background_container_reports_to_a_file() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let pid_file = root.at("pid");
        let options = ["--stats", "--detach", "--pid-file", utf8(&pid_file)];
        let run = parent.container(&root, &options, &["sleep", "1000"]).start();
        let init = eventually("it runs", || fs::read_to_string(&pid_file).ok()?.trim().parse().ok());
        let launcher = stat(init).expect("process 1 runs").parent;
        adopt(launcher);
        // Nothing is reported if CMD never ran.
        let runs = |pid: &i32| stat(*pid).is_some_and(|stat| stat.name == "sleep");
        eventually("CMD runs", || children(init).iter().any(runs).then_some(()));
        send(init, libc::SIGTERM);
        let out = run.finish_with_others();
        wait_for(launcher);
        assert_eq!((out.status, block(&out.stderr)[0].0.as_str()), (0, "wall time"), "{out}");
        parent.is_as_before();
    }
    let Some(root) = who::root().and_then(Root::new) else { return };
    let mut term = Term::new(&root);
    let shown = term.ask("$N --stats --detach -- true");
    assert_eq!(shown, "nsinit: --stats and --detach need --status-fd, or a standard error that is not a terminal");
    term.hang_up();
}

#[test]
fn running_container_is_looked_at_from_outside() {
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        let mut run = parent.container(&root, &SETTING, &["sh", "-c", "echo up; exec sleep 1000"]).open_input().start();
        assert_eq!(run.line(), "up");
        let look = |options: &[&str], target: i32| {
            Launch::new(root.who).args(["--enter", &target.to_string(), "--stats"]).args(options).run_with_others()
        };
        for target in [run.init(), run.cmd()] {
            let out = look(&[], target);
            let text = format!("nsinit: the container used:\n{}", out.text());
            assert_eq!(block(&text)[1].0, "cpu time");
            let json = |out: &Out| -> Value { serde_json::from_str(out.text()).expect("JSON") };
            let first = json(&look(&["--json"], target));
            std::thread::sleep(std::time::Duration::from_millis(50));
            let second = json(&look(&["--json"], target));
            // The kernel counts the age in hundredths of a second.
            let grown = number(&second, "wall-time-usec") - number(&first, "wall-time-usec");
            assert!(
                grown >= 40_000 && number(&second, "cpu-time-usec") >= number(&first, "cpu-time-usec"),
                "{first} {second}"
            );
        }
        if root.who != Who::Root {
            // Root of the machine may look at every container.
            let out = Launch::new(Who::Root).args(["--enter", &run.cmd().to_string(), "--stats"]).run_with_others();
            assert_eq!(out.status, 0, "{out}");
        }
        run.kill(libc::SIGTERM);
        run.finish();
        parent.is_as_before();
    }
}

#[test]
fn wrong_uses_are_refused() {
    for root in roots() {
        let Some(container) = Container::new(root.who, Maker::Nsinit) else { return };
        let inside = container.inside;
        let out = Launch::new(root.who).args(["--enter", &inside.to_string(), "--stats"]).run_with_others();
        let why = "its container has no cgroup of its own (it gets one if it is started with --stats, or with a limit such as --pids max)";
        out.is(125, "", &format!("nsinit: cannot report what is used by {inside}: {why}\n"));
        container.end();
    }
    let alone = "--enter and --stats go with --json only, and without a command";
    let json = "--json needs --probe, or --enter and --stats";
    for (words, why) in [
        (&["--enter", "1", "--stats", "--", "true"][..], alone),
        (&["--enter", "1", "--stats", "--pty"], alone),
        (&["--enter", "1", "--stats", "--status-fd", "1"], alone),
        (&["--enter", "1", "--json"], json),
        (&["--stats", "--json"], json),
        (
            &["--init", "--stats", "--", "true"],
            "--init excludes every option that makes a container (which has an init)",
        ),
        (
            &["--stats", "--", "true"],
            "--memory and the other options of a container's cgroup need --root, --image or the options of a sandbox",
        ),
    ] {
        Launch::new(Who::Root).args(words).run_with_others().is(125, "", &format!("nsinit: {why}\n"));
    }
}
