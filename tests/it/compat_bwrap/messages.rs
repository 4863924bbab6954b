//! Error messages. The tables have the original's texts.

use super::{Bwrap, data, give, since, subjects, subjects_of_tester};
use crate::compat::is;
use crate::compat::pattern::matches;
use crate::harness::{Out, Who};

/// Options with one value; without it the message is `OPTION takes an argument`.
const ONE: [&str; 26] = [
    "--args",
    "--userns",
    "--userns2",
    "--pidns",
    "--uid",
    "--gid",
    "--hostname",
    "--unsetenv",
    "--lock-file",
    "--sync-fd",
    "--perms",
    "--size",
    "--proc",
    "--dev",
    "--tmpfs",
    "--mqueue",
    "--dir",
    "--seccomp",
    "--add-seccomp-fd",
    "--block-fd",
    "--userns-block-fd",
    "--info-fd",
    "--json-status-fd",
    "--cap-add",
    "--cap-drop",
    "--exec-label",
];

/// The same, with the message `OPTION takes one argument`.
const ONE_OTHERWISE: [&str; 2] = ["--chdir", "--remount-ro"];

/// Options with two values: `OPTION takes two arguments`.
const TWO: [&str; 13] = [
    "--setenv",
    "--bind",
    "--bind-try",
    "--dev-bind",
    "--dev-bind-try",
    "--ro-bind",
    "--ro-bind-try",
    "--bind-fd",
    "--file",
    "--bind-data",
    "--ro-bind-data",
    "--symlink",
    "--chmod",
];

/// Options whose value is a descriptor.
const DESCRIPTORS: [&str; 11] = [
    "--args",
    "--userns",
    "--userns2",
    "--pidns",
    "--sync-fd",
    "--seccomp",
    "--add-seccomp-fd",
    "--block-fd",
    "--userns-block-fd",
    "--info-fd",
    "--json-status-fd",
];

/// The same, followed by a destination.
const DESCRIPTORS_FOR: [&str; 5] = ["--file", "--bind-data", "--ro-bind-data", "--bind-fd", "--ro-bind-fd"];

const PERMS: &str = "--perms must be followed by an option that creates a file";
const SIZE: &str = "--size must be followed by --tmpfs";
const BYTES: &str = "--size takes a non-zero number of bytes";

/// Errors that are reported while options are parsed, for all users, with the message.
const USAGE_ERRORS: &[(&[&str], &str)] = &[
    (&["--nosuch"], "Unknown option --nosuch"),
    (&["-x", "true"], "Unknown option -x"),
    (&["-"], "Unknown option -"),
    (&["--bind=/", "/"], "Unknown option --bind=/"),
    (&["--ver"], "Unknown option --ver"),
    // The first error is reported.
    (&["--nosuch", "--uid", "x"], "Unknown option --nosuch"),
    (&["--uid", "x", "--nosuch"], "Invalid uid: x"),
    (&["--hostname", "x", "--uid", "y"], "Invalid uid: y"),
    // Numbers.
    (&["--uid", "x"], "Invalid uid: x"),
    (&["--uid", ""], "Invalid uid: "),
    (&["--uid", "-1"], "Invalid uid: -1"),
    (&["--uid", "5x"], "Invalid uid: 5x"),
    (&["--uid", "4294967295"], "Invalid uid: 4294967295"),
    (&["--gid", "x"], "Invalid gid: x"),
    (&["--gid", "-1"], "Invalid gid: -1"),
    (&["--gid", "5 "], "Invalid gid: 5 "),
    (&["--perms", "8", "--dir", "/d"], "--perms takes an octal argument <= 07777"),
    (&["--perms", "", "--dir", "/d"], "--perms takes an octal argument <= 07777"),
    (&["--perms", "10000", "--dir", "/d"], "--perms takes an octal argument <= 07777"),
    (&["--perms", "-1", "--dir", "/d"], "--perms takes an octal argument <= 07777"),
    (&["--perms", "u+x", "--dir", "/d"], "--perms takes an octal argument <= 07777"),
    (&["--perms", "0x1", "--dir", "/d"], "--perms takes an octal argument <= 07777"),
    (&["--chmod", "8", "/d"], "--chmod takes an octal argument <= 07777"),
    (&["--chmod", "", "/d"], "--chmod takes an octal argument <= 07777"),
    (&["--chmod", "10000", "/d"], "--chmod takes an octal argument <= 07777"),
    (&["--size", "0", "--tmpfs", "/t"], BYTES),
    (&["--size", "", "--tmpfs", "/t"], BYTES),
    (&["--size", "x", "--tmpfs", "/t"], BYTES),
    (&["--size", "-1", "--tmpfs", "/t"], BYTES),
    (&["--size", "1k", "--tmpfs", "/t"], BYTES),
    (&["--size", "99999999999999999999999", "--tmpfs", "/t"], BYTES),
    (&["--size", "9223372036854775808", "--tmpfs", "/t"], "--size (for tmpfs) is limited to 9223372036854775807"),
    // Options that concern the next operation.
    (&["--perms", "0700", "--perms", "0700", "--dir", "/d"], "--perms given twice for the same action"),
    (&["--size", "1", "--size", "1", "--tmpfs", "/t"], "--size given twice for the same action"),
    (&["--perms", "0700", "--bind", "/", "/"], PERMS),
    (&["--perms", "0700", "--ro-bind", "/", "/"], PERMS),
    (&["--perms", "0700", "--symlink", "a", "/b"], PERMS),
    (&["--perms", "0700", "--proc", "/p"], PERMS),
    (&["--perms", "0700", "--dev", "/d"], PERMS),
    (&["--perms", "0700", "--mqueue", "/m"], PERMS),
    (&["--perms", "0700", "--chmod", "0700", "/d"], PERMS),
    (&["--perms", "0700", "--remount-ro", "/"], PERMS),
    (&["--perms", "0700", "--setenv", "A", "b", "--dir", "/d"], PERMS),
    (&["--perms", "0700", "--unshare-pid", "--dir", "/d"], PERMS),
    (&["--size", "1", "--dir", "/d"], SIZE),
    (&["--size", "1", "--bind", "/", "/"], SIZE),
    (&["--size", "1", "--setenv", "A", "b", "--tmpfs", "/t"], SIZE),
    // The environment.
    (&["--setenv", "", "b"], "setenv failed"),
    (&["--setenv", "a=b", "c"], "setenv failed"),
    (&["--unsetenv", ""], "unsetenv failed"),
    (&["--unsetenv", "a=b"], "unsetenv failed"),
    // Capabilities.
    (&["--cap-add", "foo"], "unknown cap: foo"),
    (&["--cap-add", ""], "unknown cap: "),
    (&["--cap-add", "CHOWN"], "unknown cap: CHOWN"),
    (&["--cap-drop", "CAP_NOSUCH"], "unknown cap: CAP_NOSUCH"),
    // Labels.
    (&["--exec-label", "x"], "labeling not supported on this system"),
    (&["--file-label", "x"], "labeling not supported on this system"),
    (&["--ro-bind-fd", "1"], "--bind-fd takes two arguments"),
];

/// Conflicts, reported after all options have been parsed.
const CONFLICTS: &[(&[&str], &str)] = &[
    (&["--hostname", "x"], "Specifying --hostname requires --unshare-uts"),
    (&["--hostname", "x", "--unshare-ipc"], "Specifying --hostname requires --unshare-uts"),
    (&["--as-pid-1"], "Specifying --as-pid-1 requires --unshare-pid"),
    (&["--as-pid-1", "--unshare-pid", "--lock-file", "/bin"], "Specifying --as-pid-1 and --lock-file is not permitted"),
    (&["--disable-userns"], "--disable-userns requires --unshare-user"),
    (&["--disable-userns", "--unshare-user-try"], "--disable-userns requires --unshare-user"),
    (&["--disable-userns", "--unshare-all"], "--disable-userns requires --unshare-user"),
    (&["--disable-userns", "--userns", "2"], "--disable-userns requires --unshare-user"),
    (&["--userns", "2", "--unshare-user"], "--userns not compatible --unshare-user"),
    (&["--userns", "2", "--unshare-user-try"], "--userns not compatible --unshare-user-try"),
    (&["--userns", "2", "--unshare-all"], "--userns not compatible --unshare-user-try"),
    (&["--userns-block-fd", "2"], "--userns-block-fd requires --unshare-user"),
    (&["--userns-block-fd", "2", "--info-fd", "2"], "--userns-block-fd requires --unshare-user"),
    (&["--userns-block-fd", "2", "--unshare-user"], "--userns-block-fd requires --info-fd"),
];

/// The same, for root only: for others the user namespace is implied.
const CONFLICTS_AS_ROOT: &[(&[&str], &str)] = &[
    (&["--uid", "5"], "Specifying --uid requires --unshare-user or --userns"),
    (&["--gid", "5"], "Specifying --gid requires --unshare-user or --userns"),
];

/// Options of which the last takes effect, with a valid value.
const LAST: &[&[&str]] = &[
    &["--chdir", "/"],
    &["--hostname", "x"],
    &["--uid", "5"],
    &["--gid", "5"],
    &["--sync-fd", "2"],
    &["--block-fd", "0"],
    &["--info-fd", "1"],
    &["--json-status-fd", "1"],
];

/// Errors of operations. (The command does not run.)
const OPERATION_ERRORS: &[(&[&str], &str)] = &[
    (&["--bind", "/no/such", "/x"], "Can't find source path /no/such: No such file or directory"),
    (&["--bind", "no/such", "/x"], "Can't find source path no/such: No such file or directory"),
    (&["--bind", "", "/x"], "Can't find source path : No such file or directory"),
    (&["--bind", "/dev/null", "/bin"], "Can't create file at /bin: Is a directory"),
    (&["--bind", "/", "/bin/sh"], "Can't mkdir /bin/sh: Not a directory"),
    (&["--bind", "/", "/bin/sh/x"], "Can't mkdir parents for /bin/sh/x: Not a directory"),
    (&["--bind", "/", "/bin/no"], "Can't mkdir /bin/no: Read-only file system"),
    (&["--bind", "/", "/proc/no"], "Can't mkdir /proc/no: No such file or directory"),
    (&["--dir", "/bin/sh"], "Can't mkdir /bin/sh: Not a directory"),
    (&["--dir", "bin/sh"], "Can't mkdir bin/sh: Not a directory"),
    (&["--dir", "/bin/sh/x"], "Can't mkdir parents for /bin/sh/x: Not a directory"),
    (&["--dir", "/bin/no"], "Can't mkdir /bin/no: Read-only file system"),
    (&["--tmpfs", "/bin/sh"], "Can't mkdir /bin/sh: Not a directory"),
    (&["--proc", "/bin/sh"], "Can't mkdir /bin/sh: Not a directory"),
    (&["--dev", "/bin/sh"], "Can't mkdir /bin/sh: Not a directory"),
    (&["--unshare-ipc", "--mqueue", "/bin/sh"], "Can't mkdir /bin/sh: Not a directory"),
    (&["--file", "0", "/bin"], "Can't create file /bin: Is a directory"),
    (&["--file", "0", "/bin/no"], "Can't create file /bin/no: Read-only file system"),
    (&["--symlink", "", "/x"], "Can't make symlink at /x: No such file or directory"),
    (&["--symlink", "x", "/bin/no"], "Can't make symlink at /bin/no: Read-only file system"),
    (&["--chmod", "0700", "/no/such"], "Can't chmod 0700 /no/such: No such file or directory"),
    (&["--chmod", "0", "/bin/sh"], "Can't chmod 0 /bin/sh: Read-only file system"),
    (
        &["--remount-ro", "/no"],
        "Can't remount readonly on /newroot/no: realpath(destination): No such file or directory",
    ),
    (
        &["--remount-ro", "/proc/self"],
        "Can't remount readonly on /newroot/proc/self: Unable to find \"/newroot/proc/#\" in mount table",
    ),
    (
        &["--dir", "/d", "--remount-ro", "/d"],
        "Can't remount readonly on /newroot/d: Unable to find \"/newroot/d\" in mount table",
    ),
    (&["--chdir", "/no/such"], "Can't chdir to /no/such: No such file or directory"),
    (&["--chdir", "/bin/sh"], "Can't chdir to /bin/sh: Not a directory"),
    (
        &["--unshare-uts", "--hostname", "12345678901234567890123456789012345678901234567890123456789012345"],
        "Can't set hostname to 12345678901234567890123456789012345678901234567890123456789012345: Invalid argument",
    ),
];

/// Messages that differ in nsinit; the beginning is the same where a caller may search for it. Without a text: nsinit
/// accepts the options.
const OURS: &[(&[&str], &str)] = &[
    (&["-"], "execvp -: No such file or directory"),
    (&["--perms", "0700", "--setenv", "A", "b", "--dir", "/d"], ""),
    (&["--perms", "0700", "--unshare-pid", "--dir", "/d"], ""),
    (&["--size", "1", "--setenv", "A", "b", "--tmpfs", "/t"], ""),
    // These fail later, at the operation.
    (&["--exec-label", "x"], ""),
    (&["--file-label", "x"], ""),
    (&["--ro-bind-fd", "1"], "--ro-bind-fd takes two arguments"),
    (&["--disable-userns", "--unshare-user-try"], ""),
    (&["--disable-userns", "--unshare-all"], ""),
    (&["--userns", "2", "--unshare-user-try"], "--userns not compatible --unshare-user"),
    (&["--userns", "2", "--unshare-all"], "--userns not compatible --unshare-user"),
    (&["--bind", "", "/x"], "Invalid src: "),
    (&["--bind", "/dev/null", "/bin"], "Destination is not a file /bin"),
    (&["--bind", "/", "/bin/sh"], "Can't mount on symlink destination /bin/sh"),
    (&["--bind", "/", "/bin/sh/x"], "Can't mkdir /bin/sh/x: Not a directory"),
    (&["--dir", "/bin/sh"], "Destination is not a directory /bin/sh"),
    (&["--dir", "bin/sh"], "Destination is not a directory bin/sh"),
    (&["--dir", "/bin/sh/x"], "Can't mkdir /bin/sh/x: Not a directory"),
    (&["--tmpfs", "/bin/sh"], "Can't mount on symlink destination /bin/sh"),
    (&["--proc", "/bin/sh"], "Can't mount on symlink destination /bin/sh"),
    (&["--dev", "/bin/sh"], "Can't mount on symlink destination /bin/sh"),
    (&["--unshare-ipc", "--mqueue", "/bin/sh"], "Can't mount on symlink destination /bin/sh"),
    (&["--chmod", "0700", "/no/such"], "Can't chmod /no/such: No such file or directory"),
    (&["--chmod", "0", "/bin/sh"], "Can't chmod /bin/sh: the destination is a symlink"),
    (&["--remount-ro", "/no"], "Can't remount readonly on /no: No such file or directory"),
    (&["--remount-ro", "/proc/self"], "Can't mount on symlink destination /proc/self"),
    (&["--dir", "/d", "--remount-ro", "/d"], "Can't remount readonly on /d: Invalid argument"),
    (
        &["--unshare-uts", "--hostname", "12345678901234567890123456789012345678901234567890123456789012345"],
        "Invalid name: 12345678901234567890123456789012345678901234567890123456789012345",
    ),
];

/// The expected message of one side; None if it accepts the options.
fn text_of<'t>(it: &Bwrap, args: &[&str], text: &'t str) -> Option<&'t str> {
    if args == ["--disable-userns"]
        && it.who != Who::Root
        && it.differs("`--disable-userns` with a user namespace that is implied or tried")
    {
        return None;
    }
    if args == ["--cap-add", "CHOWN"] && it.differs("capabilities without `CAP_`") {
        return None;
    }
    let otherwise = OURS.iter().find(|(other, _)| *other == args && it.differs("texts of messages"));
    Some(otherwise.map_or(text, |(_, text)| text)).filter(|text| !text.is_empty())
}

/// Collects the runs that did not fail with the expected line, and reports them together.
#[derive(Default)]
struct Mismatches(Vec<String>);

impl Mismatches {
    fn check(&mut self, it: &Bwrap, out: &Out, text: &str) {
        let line = format!("bwrap: {text}\n");
        if out.status != 1 || !out.stdout.is_empty() || !matches(&line, &out.stderr) {
            self.0.push(format!("{:?}: expected {line:?}\n{out}", it.side));
        }
    }
}

impl Drop for Mismatches {
    fn drop(&mut self) {
        if !self.0.is_empty() && !std::thread::panicking() {
            panic!("{} messages differ:\n{}", self.0.len(), self.0.join("\n"));
        }
    }
}

#[track_caller]
fn assert_message(it: &Bwrap, out: &Out, text: &str) {
    Mismatches::default().check(it, out, text);
}

#[test]
fn usage_errors_are_reported_at_once() {
    let mut told = Mismatches::default();
    for it in subjects_of_tester() {
        for (args, text) in USAGE_ERRORS {
            match text_of(&it, args, text) {
                Some(text) => told.check(&it, &it.run(args), text),
                // There is no command.
                None => assert!(it.run(args).stderr.starts_with("usage: "), "{args:?}"),
            }
        }
    }
}

#[test]
fn missing_values_are_reported() {
    let mut told = Mismatches::default();
    for it in subjects_of_tester() {
        for option in ONE {
            told.check(&it, &it.run(&[option]), &format!("{option} takes an argument"));
        }
        for option in ONE_OTHERWISE {
            let words = if it.is_ours() { "takes an argument" } else { "takes one argument" };
            told.check(&it, &it.run(&[option]), &format!("{option} {words}"));
        }
        for option in TWO {
            for args in [&[option][..], &[option, "0"]] {
                told.check(&it, &it.run(args), &format!("{option} takes two arguments"));
            }
        }
    }
}

#[test]
fn invalid_descriptor_numbers_are_refused() {
    let mut told = Mismatches::default();
    for it in subjects_of_tester() {
        for word in ["x", "", "-1", "3x"] {
            for option in DESCRIPTORS {
                told.check(&it, &it.run(&[option, word]), &format!("Invalid fd: {word}"));
            }
            for option in DESCRIPTORS_FOR {
                told.check(&it, &it.run(&[option, word, "/x"]), &format!("Invalid fd: {word}"));
            }
        }
    }
}

#[test]
fn conflicting_options_are_refused() {
    let mut told = Mismatches::default();
    for it in subjects() {
        // nsinit does not report an implied user namespace.
        let implied = |args: &[&str]| it.is_ours() && it.who != Who::Root && args[0] == "--userns-block-fd";
        for (args, text) in CONFLICTS.iter().filter(|(args, _)| !implied(args)) {
            match text_of(&it, args, text) {
                Some(text) => told.check(&it, &it.sh(args, ""), text),
                None => it.sh(args, "").is(0, "", ""),
            }
        }
        for (args, text) in CONFLICTS_AS_ROOT.iter().filter(|_| it.who == Who::Root) {
            told.check(&it, &it.sh(args, ""), text);
        }
    }
}

/// The message names the second option. Descriptors read before do not matter.
#[test]
fn seccomp_options_cannot_be_combined() {
    for it in subjects_of_tester() {
        let run = |first, second| {
            let launch = it.small(&[first, "10", second, "11"], &["/bin/true"]);
            give(give(launch, 10, data([6, 0, 0, 0, 0, 0, 0xff, 0x7f])), 11, data("")).run()
        };
        let out = run("--seccomp", "--add-seccomp-fd");
        assert_message(&it, &out, "--add-seccomp-fd cannot be combined with --seccomp");
        let out = run("--add-seccomp-fd", "--seccomp");
        assert_message(&it, &out, "--seccomp cannot be combined with --add-seccomp-fd");
        // The same descriptor twice: the first option has read it.
        let launch = it.small(&["--add-seccomp-fd", "10", "--add-seccomp-fd", "10"], &["/bin/true"]);
        let out = give(launch, 10, data([6, 0, 0, 0, 0, 0, 0xff, 0x7f])).run();
        assert_message(&it, &out, "Can't read seccomp data: Bad file descriptor");
    }
}

#[test]
fn repeated_option_prints_a_warning() {
    for it in subjects() {
        for option in LAST {
            let out = it.small(&[&["--unshare-user", "--unshare-uts"], *option, option].concat(), &["/bin/true"]).run();
            let warning = format!("bwrap: Only the last {} option will take effect\n", option[0]);
            let told = ["--info-fd", "--json-status-fd"].contains(&option[0]);
            is(&out, 0, if told { &out.stdout } else { "" }, &warning);
        }
    }
}

/// These options accumulate, and print no warning.
#[test]
fn repeatable_options_print_no_warning() {
    for it in subjects() {
        for option in [
            &["--unshare-pid"][..],
            &["--new-session"],
            &["--die-with-parent"],
            &["--lock-file", "/bin/busybox"],
            &["--setenv", "A", "b"],
            &["--clearenv"],
            &["--cap-drop", "ALL"],
            &["--proc", "/proc"],
            &["--dev", "/dev"],
            &["--perms", "0700", "--dir", "/d"],
        ] {
            it.small(&[option, option].concat(), &["/bin/echo", "run"]).run().says("run");
        }
        // There is no operation for them.
        it.small(&["--perms", "0700"], &["/bin/echo", "run"]).run().says("run");
        it.small(&["--size", "4096"], &["/bin/echo", "run"]).run().says("run");
    }
}

#[test]
fn operation_errors_are_reported() {
    let mut told = Mismatches::default();
    for it in subjects() {
        for (args, text) in OPERATION_ERRORS {
            match text_of(&it, args, text) {
                Some(text) => told.check(&it, &it.sh(args, ""), text),
                None => it.sh(args, "").is(0, "", ""),
            }
        }
    }
}

#[test]
fn symlink_over_another_file_is_refused() {
    for it in subjects() {
        for (made, args, newer) in [
            ("/bin", &[][..], "destination exists and is not a symlink"),
            ("/d", &["--dir", "/d"], "destination exists and is not a symlink"),
            ("/l", &["--symlink", "other", "/l"], "existing destination is other"),
        ] {
            let reason = if it.is_as_new_as(9) { newer } else { "File exists" };
            let out = it.sh(&[args, &["--symlink", "x", made]].concat(), "");
            assert_message(&it, &out, &format!("Can't make symlink at {made}: {reason}"));
        }
    }
}

// ---- help

/// One line for each option, with the name by which the program was started.
#[test]
fn help_lists_all_options() {
    for it in subjects_of_tester() {
        let help = it.run(&["--help"]);
        let first = format!("usage: {} [OPTIONS...] [--] COMMAND [ARGS...]\n\n", it.argv0());
        assert!(help.status == 0 && help.stderr.is_empty() && help.stdout.starts_with(&first), "{help}");
        for option in ONE.iter().chain(&ONE_OTHERWISE).chain(&TWO).chain(&DESCRIPTORS).chain(&DESCRIPTORS_FOR) {
            assert!(help.stdout.contains(&format!("\n    {option} ")), "no {option}\n{help}");
        }
        // At once, whatever options follow.
        is(&it.run(&["--unshare-pid", "--help", "--nosuch"]), 0, &help.stdout, "");
        // Without a command, the same text on stderr.
        for args in [&[][..], &["--"], &["--unshare-pid"], &["--unshare-pid", "--"], &["--ro-bind", "/", "/"]] {
            is(&it.run(args), 1, "", &help.stdout);
        }
        // This precedes conflicts of options.
        is(&it.run(&["--as-pid-1"]), 1, "", &help.stdout);
    }
}

#[test]
fn version_is_printed() {
    for it in subjects_of_tester() {
        for args in [&["--version"][..], &["--version", "--nosuch"], &["--unshare-pid", "--version"]] {
            is(&it.run(args), 0, "bubblewrap #.#.#\n", "");
        }
    }
}

/// The newer options are in the help text, too.
#[test]
fn help_lists_newer_options() {
    for it in since(11) {
        let help = it.run(&["--help"]);
        for option in ["--argv0", "--level-prefix", "--overlay-src", "--overlay", "--tmp-overlay", "--ro-overlay"] {
            assert!(help.text().contains(&format!("\n    {option} ")), "no {option}\n{help}");
        }
    }
}
