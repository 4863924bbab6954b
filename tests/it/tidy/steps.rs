//! Every row of a table of steps has a fault test, or a written reason why it has none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{Source, none, sources};

/// Why a step has no row in tests/it/fault.rs.
enum Why {
    /// This test in this file below tests/ makes it fail.
    Tested(&'static str, &'static str),
    /// It cannot fail, or only as a step that has a row.
    Never(&'static str),
}
use Why::{Never, Tested};

const FAULTS: &str = "it/fault.rs";

const WITHOUT_ROW: &[(&str, Why)] = &[
    (
        "allow user and cgroup namespaces: their limits belong to a shared user namespace",
        Never("it does nothing: a line of --explain"),
    ),
    (
        "ask process 1 for its namespaces",
        Never("it reads what process 1 wrote; if process 1 ends, that is reported first"),
    ),
    ("become root of the user namespace", Never("the calls of `become user and group`, which has rows")),
    ("bring up", Tested("vm/faults.rs", "kernel_never_panics_when_system_calls_fail")),
    ("bring up lo", Tested(FAULTS, "container_starts_without_lo_or_sysfs")),
    ("die with nsinit", Never("the call of `die with the launcher`, which has a row")),
    ("filter system calls", Tested("it/compat_bwrap/caps.rs", "invalid_seccomp_filters_are_refused")),
    ("have Ctrl-Alt-Del sent to us", Tested("vm/faults.rs", "kernel_never_panics_when_system_calls_fail")),
    ("ignore SIGCHLD as the caller did", Never("the call of `stop ignoring SIGCHLD`, which has succeeded before")),
    ("join namespaces", Tested("it/join_namespaces.rs", "unusable_namespaces_are_refused")),
    ("join the cgroup of", Tested("it/enter.rs", "entered_cmd_joins_the_containers_cgroup")),
    ("join the pid namespace", Tested("it/compat_bwrap/ids.rs", "pidns_without_userns_needs_root")),
    ("join the user namespace", Tested("it/compat_bwrap/ids.rs", "userns_that_cannot_be_joined_is_refused")),
    ("label CMD as", Tested("it/hostile_container.rs", "enter_does_not_trust_proc_and_dev_of_the_container")),
    ("label what is made as", Never("the calls of `label CMD as`, which is tested")),
    ("leave core files as the caller did", Never("prlimit(2) back to a limit that was in force before")),
    ("leave the terminal to CMD's session", Never("it reports nothing: without a terminal there is nothing to leave")),
    ("limit user namespaces", Never("the calls of `forbid user and cgroup namespaces`, which has rows")),
    ("lock", Tested("it/compat_bwrap/fds.rs", "lock_failures_are_reported")),
    (
        "look for a terminal",
        Never("without a terminal it looks at nothing; it opens /dev/null as other steps that have rows"),
    ),
    ("look for the processes of CMD in", Never("it reports nothing: without a /proc no process is found")),
    ("make a user namespace for CMD", Tested(FAULTS, "failed_wait_is_a_failure")),
    ("mount image", Tested("it/image.rs", "mount_errors_of_images_are_explained")),
    ("mount sysfs on /sys", Tested(FAULTS, "container_starts_without_lo_or_sysfs")),
    ("mount what the kernel fills", Tested("vm/faults.rs", "kernel_never_panics_when_system_calls_fail")),
    ("open root", Tested("it/boot.rs", "usage_errors_end_the_machine_as_on_exit_says")),
    ("open the caller's directory", Never("the call of `open the caller's devices`, which has a row")),
    ("restore the signal mask", Never("rt_sigprocmask(2) with a valid pointer")),
    ("try to make a user namespace", Tested(FAULTS, "failed_wait_is_a_failure")),
    ("write gid_map", Never("the calls of `write uid_map`, which has a row")),
];

/// The verbs of all steps, each with the files that have it.
fn steps(sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources {
        for after in source.text.split("says: ").skip(1) {
            if let Some(verb) = verb(after, &source.text) {
                found.entry(verb).or_default().insert(source.path.display().to_string());
            }
        }
    }
    found
}

/// The text of `say!("...")`, or of a constant of the same source; `None` for a type or a variable.
fn verb(expression: &str, source: &str) -> Option<String> {
    if let Some(text) = literal(expression) {
        return Some(text);
    }
    let name: String = expression.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
    let behind = &expression[name.len()..];
    if name.is_empty() || !behind.starts_with([',', '[']) {
        return None;
    }
    let index: usize = behind[1..].chars().next().and_then(|digit| digit.to_digit(10)).unwrap_or(0) as usize;
    let value = source.split(&format!("const {name}: ")).nth(1)?.split(';').collect::<Vec<_>>();
    // The type of a list has a semicolon too.
    let value = if value[0].contains("say!(") { value[0] } else { value.get(1)? };
    let text = value.split("say!(").nth(index + 1)?;
    Some(text.split('"').nth(1)?.to_owned())
}

fn literal(expression: &str) -> Option<String> {
    Some(expression.strip_prefix("say!(")?.trim_start().strip_prefix('"')?.split('"').next()?.to_owned())
}

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

#[test]
fn every_step_has_a_fault_test_or_a_reason() {
    let sources = sources();
    let steps = steps(&sources);
    assert!(steps.len() > 50, "{} steps are found", steps.len());
    let faults = read(FAULTS);
    // A row has the step as --explain prints it: with its object.
    let rows: Vec<&str> = faults.split("row(\"").skip(1).filter_map(|row| row.split('"').next()).collect();
    let has_row = |verb: &str| {
        rows.iter()
            .any(|row| row.strip_prefix(verb).is_some_and(|rest| matches!(rest.as_bytes().first(), None | Some(b' '))))
    };
    let reason = |verb: &str| WITHOUT_ROW.iter().find(|(other, _)| *other == verb);
    let missing: Vec<String> = steps
        .iter()
        .filter(|(verb, _)| !has_row(verb) && reason(verb).is_none())
        .map(|(verb, files)| format!("{verb} ({files:?})"))
        .collect();
    none("steps without a fault test and without a reason", &missing);
    let mut stale = Vec::new();
    for (verb, why) in WITHOUT_ROW {
        if !steps.contains_key(*verb) {
            stale.push(format!("{verb}: there is no such step"));
        }
        match why {
            Tested(file, test) if !read(file).contains(&format!("fn {test}()")) => {
                stale.push(format!("{verb}: {file} has no test {test}"));
            }
            Tested(..) => {}
            Never(reason) => assert!(!reason.is_empty()),
        }
    }
    none("the list of reasons", &stale);
}

#[test]
fn verbs_are_found_in_literals_and_constants() {
    let source = "const JOIN: Say = say!(\"join\");\nconst MAPS: [Say; 2] = [say!(\"a\"), say!(\"b c\")];";
    assert_eq!(verb("say!(\"x y\"),", source).as_deref(), Some("x y"));
    assert_eq!(verb("JOIN,", source).as_deref(), Some("join"));
    assert_eq!(verb("MAPS[1],", source).as_deref(), Some("b c"));
    assert_eq!(verb("Say,", source), None);
}
