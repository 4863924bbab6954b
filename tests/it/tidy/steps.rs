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
    (
        "load the modules of /etc/nsinit.modules",
        Tested("vm/modules.rs", "modules_are_loaded_before_the_disk_is_looked_for"),
    ),
    ("start the watchdog /dev/watchdog", Tested("vm/hardware.rs", "watchdog_resets_a_machine_that_hangs_and_no_other")),
    ("set the clock by", Tested("it/boot.rs", "clock_and_seed_that_cannot_be_set_are_warnings")),
    ("take the seed", Tested("it/boot.rs", "clock_and_seed_that_cannot_be_set_are_warnings")),
    ("watch the power button", Tested("vm/faults.rs", "kernel_never_panics_when_system_calls_fail")),
    ("bring up", Tested("vm/faults.rs", "kernel_never_panics_when_system_calls_fail")),
    ("delegate the container's cgroup", Tested("it/cgroup/delegate.rs", "delegation_that_is_impossible_is_refused")),
    ("enable the controllers of cgroups", Tested("vm/faults.rs", "kernel_never_panics_when_system_calls_fail")),
    (
        "join the cgroups of version 1",
        Tested("it/cgroup/version_1.rs", "cgroups_of_version_1_that_cannot_be_joined_are_named"),
    ),
    (
        "open the cgroups of version 1",
        Tested("it/cgroup/version_1.rs", "cgroups_of_version_1_that_cannot_be_joined_are_named"),
    ),
    ("die with nsinit", Never("the call of `die with the launcher`, which has a row")),
    ("filter system calls", Tested("it/compat_bwrap/caps.rs", "invalid_seccomp_filters_are_refused")),
    ("turn Ctrl-Alt-Del into SIGINT", Tested("vm/faults.rs", "kernel_never_panics_when_system_calls_fail")),
    ("close the launcher's pipe", Never("it reports nothing: the helper ends with the launcher in any case")),
    ("hand the network namespace to process 1", Tested(FAULTS, "network_is_made_without_the_helper")),
    ("join the network namespace of the helper", Tested(FAULTS, "network_is_made_without_the_helper")),
    ("join the user namespace of process 1", Tested(FAULTS, "network_is_made_without_the_helper")),
    ("leave nsinit's own file", Tested(FAULTS, "sealed_copy_runs_if_the_exe_link_cannot_be_changed")),
    ("make a socket for the network", Tested(FAULTS, "network_is_made_without_the_helper")),
    ("open the mount point /sys", Never("the step that mounts the sysfs reports it")),
    ("report the network to process 1", Never("a socket that has taken a message takes one more byte")),
    ("start a helper that makes the network", Tested(FAULTS, "network_is_made_without_the_helper")),
    ("wait until the network is complete", Never("the launcher ends process 1 if the helper does not end well")),
    ("ignore SIGCHLD as the caller did", Never("the call of `stop ignoring SIGCHLD`, which has succeeded before")),
    ("join namespaces", Tested("it/join_namespaces.rs", "unusable_namespaces_are_refused")),
    ("join the cgroup of", Tested("it/enter.rs", "entered_cmd_joins_the_containers_cgroup")),
    ("join the pid namespace", Tested("it/compat_bwrap/ids.rs", "pidns_without_userns_needs_root")),
    ("join the user namespace", Tested("it/compat_bwrap/ids.rs", "userns_that_cannot_be_joined_is_refused")),
    ("label CMD as", Tested("it/hostile_container.rs", "enter_does_not_trust_proc_and_dev_of_the_container")),
    ("label new files and mounts as", Never("the calls of `label CMD as`, which is tested")),
    ("restore the limit on core files", Never("prlimit(2) back to a limit that was in force before")),
    ("leave the terminal to CMD's session", Never("it reports nothing: without a terminal there is nothing to leave")),
    ("become the reaper of process 1", Never("without it only the wait for the end of a container is missing")),
    ("connect to NOTIFY_SOCKET", Tested("it/keeper.rs", "steps_of_the_keeper_that_fail_are_reported")),
    ("make the socket /dev/notify", Tested("it/keeper.rs", "steps_of_the_keeper_that_fail_are_reported")),
    ("open the log", Tested("it/keeper.rs", "log_gets_the_output_of_cmd")),
    ("start a process that writes the log", Tested("it/keeper.rs", "steps_of_the_keeper_that_fail_are_reported")),
    ("limit user namespaces", Never("the calls of `forbid user and cgroup namespaces`, which has rows")),
    (
        "limit the processors of the container",
        Tested("vm/limits_bite.rs", "limits_of_processors_and_processes_are_what_the_options_say"),
    ),
    ("lock", Tested("it/compat_bwrap/fds.rs", "lock_failures_are_reported")),
    (
        "look for a terminal",
        Never("without a terminal it looks at nothing; it opens /dev/null as other steps that have rows"),
    ),
    ("find the processes of CMD in", Never("it reports nothing: without a /proc no process is found")),
    ("make a user namespace for CMD", Tested(FAULTS, "failed_wait_is_a_failure")),
    ("mount image", Tested("it/image.rs", "mount_errors_of_images_are_explained")),
    ("mount an overlay on", Tested("vm/switch_root.rs", "overlay_root_keeps_what_is_written_over_a_reboot")),
    ("mount the disk for writes", Tested("vm/device.rs", "disk_for_writes_that_cannot_be_used_is_named")),
    ("open the directories of", Tested("it/overlay_root.rs", "directories_that_cannot_be_used_are_reported")),
    ("mount sysfs on /sys", Tested(FAULTS, "container_starts_without_lo_or_sysfs")),
    ("mount the kernel's file systems", Tested("vm/faults.rs", "kernel_never_panics_when_system_calls_fail")),
    ("open root", Tested("it/boot.rs", "usage_errors_end_the_machine_as_on_exit_says")),
    ("open the caller's directory", Never("the call of `open the caller's devices`, which has a row")),
    ("remove the container's cgroup", Tested("it/cgroup.rs", "cgroup_that_cannot_be_removed_is_a_warning")),
    ("report what the container used", Never("it reports what can be read: it has no failure")),
    ("make the interfaces of the container", Tested("it/network.rs", "interfaces_that_cannot_be_made_are_refused")),
    ("start", Tested("it/network.rs", "pasta_that_fails_is_reported")),
    ("disconnect the network of the container", Never("teardown goes on after each failure")),
    ("restore the signal mask", Never("rt_sigprocmask(2) with a valid pointer")),
    ("check that no user namespace can be made", Tested(FAULTS, "failed_wait_is_a_failure")),
    ("write gid_map", Never("the calls of `write uid_map`, which has a row")),
    ("make a pipe for the start of CMD", Never("the call of `make pipes`, which has a row")),
    (
        "close all descriptors that lead outside",
        Never("it reports nothing: close_range(2) of valid numbers cannot fail"),
    ),
    ("close descriptors, and let CMD go on", Never("it reports nothing: the command runs already")),
    ("close the caller's descriptors", Never("its failure is ignored: the launch goes on")),
    (
        "close the launcher's descriptors",
        Never("it reports nothing: what stays open is closed before the command starts"),
    ),
    ("create namespaces", Tested(FAULTS, "clone_failure_names_its_cause")),
    ("end the relay", Never("teardown goes on after each failure")),
    ("execute", Tested("it/hints.rs", "cause_of_a_file_that_is_not_executed_is_named")),
    ("hide the arguments of", Never("the calls that leave the program file, which come first and have a row")),
    ("keep the descriptors of", Tested("it/isolation.rs", "cmd_has_only_standard_and_kept_descriptors")),
    ("look in the new root for", Tested("it/boot.rs", "switch_root_refuses_unusable_roots")),
    ("occupy closed standard descriptors", Never("openat(2) of /dev/null, as in steps that have rows")),
    ("remove", Never("teardown goes on after each failure")),
    (
        "report the namespaces to the launcher",
        Never("the launcher reports that process 1 has ended before it wrote them"),
    ),
    ("set the process name to", Never("its failure is ignored: the launch goes on")),
    (
        "start CMD as a child of the launcher, in",
        Never("a fork, which has a row of its own message in the table of --enter"),
    ),
    ("start a helper in the container of", Never("a fork, which has a row of its own message in the table of --enter")),
    (
        "tell the launcher the process id of CMD",
        Tested("it/detach.rs", "cmd_whose_process_id_cannot_be_told_never_runs"),
    ),
    ("switch to root", Tested("it/boot.rs", "switch_root_refuses_unusable_roots")),
    ("take the terminal back", Never("teardown goes on after each failure")),
    ("report a failure to the process that waits, if CMD never ran", Never("teardown goes on after each failure")),
    ("write the exit of CMD to", Never("its failure is ignored: a reader that has gone needs no report")),
];

/// The verbs of all steps, each with the files that have it.
fn steps(sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let verbs = &sources.iter().find(|source| source.path.ends_with("text/verb.rs")).expect("there are verbs").text;
    for source in sources {
        let parts: Vec<&str> = source.text.split("::new(").collect();
        for pair in parts.windows(2) {
            // `Step::new(`, `Step::<Launch>::new(`.
            let word = pair[0].rsplit(|c: char| !c.is_alphanumeric() && !"_:<>".contains(c)).next().unwrap_or_default();
            let is_step = word.rsplit("::<").last().is_some_and(|word| word.rsplit(':').next() == Some("Step"));
            if let Some(verb) =
                Some(pair[1]).filter(|_| is_step).and_then(|after| verb(after.trim_start(), &source.text, verbs))
            {
                found.entry(verb).or_default().insert(source.path.display().to_string());
            }
        }
    }
    found
}

/// The text of `say!("...")`, or of a constant of the same source or, `verb::NAME`, of `verbs`; `None` for a variable.
fn verb(expression: &str, source: &str, verbs: &str) -> Option<String> {
    if let Some(text) = literal(expression) {
        return Some(text);
    }
    if let Some(name) = expression.strip_prefix("verb::") {
        return verb(name, verbs, verbs);
    }
    let name: String = expression.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
    let value = source.split(&format!("const {name}: Say = ")).nth(1)?;
    verb(value, source, verbs)
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
    let (source, verbs) =
        ("const JOIN: Say = say!(\"join\");\nconst MADE: Say = verb::MAKE;", "pub const MAKE: Say = say!(\"a b\");");
    assert_eq!(verb("say!(\"x y\"),", source, verbs).as_deref(), Some("x y"));
    assert_eq!(verb("JOIN,", source, verbs).as_deref(), Some("join"));
    assert_eq!(verb("verb::MAKE,", source, verbs).as_deref(), Some("a b"));
    assert_eq!(verb("MADE,", source, verbs).as_deref(), Some("a b"));
    assert_eq!(verb("says,", source, verbs), None);
}
