//! Error messages: one line that names the user's own word, and the command does not run.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::harness::launch::tool;
use super::harness::scratch::{Dir, nsinit};
use super::harness::{Deny, Launch, roots, who};

/// Usage errors, and the word that the message must name.
const ROWS: &[(&[&str], &str)] = &[
    (&["--no-such-option"], "--no-such-option"),
    (&["-z"], "-z"),
    (&["--hostnam", "x"], "--hostnam"),
    (&["--bin", "/a", "/b"], "--bin"),
    (&["--share-net=1"], "--share-net"),
    (&["--bind=/a", "/b"], "--bind"),
    (&["--setenv=A", "b"], "--setenv"),
    (&["--help=x"], "--help"),
    // Names that the environment cannot hold.
    (&["--setenv", "", "x"], "--setenv"),
    (&["--setenv", "=B", "x"], "=B"),
    (&["--memry", "1M", "x"], "did you mean '--memory'?"),
    (&["-v", "/a:/b", "x"], "unknown option '-v', did you mean '--bind SRC DEST'?"),
    (&["-it", "x"], "unknown option '-it' (not needed: CMD has the caller's input and terminal)"),
    (&["--uid", "1000:1000"], "--uid 1000:1000: the user is --uid, the group is --gid"),
    (&["--cap-add", "NET_RAW,CHOWN"], "one for each option"),
    (&["--file", "secret", "/run/secret"], "--file secret: not the number of a descriptor, such as 3 for 3<FILE"),
    (&["--cpus", "0.5"], "(a share of all: --cpu)"),
    (&["--restart", "on-failure:3"], "(see --max-restarts)"),
    (&["--seccomp-profile", "policy.json"], "(another filter: --seccomp)"),
    (&["--unsetenv", "A=B"], "A=B"),
    // Paths.
    (&["--dir", ""], "DEST"),
    (&["--tmpfs", "/"], "/"),
    (&["--bind", "/tmp", "//"], "//"),
    (&["--bind", ".", "."], "DEST .: it must be below the root"),
    (&["--tmpfs", "/.././"], "DEST /.././: it must be below the root"),
    (&["--symlink", "x", "/"], "/"),
    (&["--bind", "", "/mnt"], "bind"),
    (&["--chdir", ""], "directory"),
    // `--` is not a value.
    (&["--chdir", "--"], "--chdir"),
    (&["--bind", "/tmp", "--"], "--bind"),
    (&["--setenv", "A", "--"], "--setenv"),
    (&["--hostname", "--"], "--hostname"),
    // Options that must precede an operation, without that operation.
    (&["--dir", "/x", "--perms", "0700"], "--perms"),
    (&["--tmpfs", "/x", "--size", "4096"], "--size"),
    (&["--noexec"], "--noexec"),
    (&["--tmpfs", "/x", "--exec"], "--exec"),
    (&["--size", "18446744073709551616", "--tmpfs", "/x"], "--size"),
    (&["--size", "9223372036854775808", "--tmpfs", "/x"], "limited"),
    // Capabilities.
    (&["--cap-add", "CAP_NONE"], "CAP_NONE"),
    (&["--cap-drop", "net"], "net"),
    (&["--cap-add", ""], "--cap-add"),
    (&["--cap-add", "CAP_"], "CAP_"),
    (&["--cap-add", "63"], "63"),
    (&["--cap-drop", "CAP_CHOWN "], "CAP_CHOWN "),
    // Options that conflict.
    (&["--as-pid-1", "--share-pid"], "--as-pid-1"),
    (&["--as-pid-1", "--group"], "--group"),
    (&["--systemd", "--group"], "--group"),
    (&["--systemd", "--share-pid"], "--systemd"),
    (&["--systemd", "--share-cgroup"], "--systemd"),
    (&["--as-pid-1", "--wait-all"], "--wait-all"),
    (&["--hostname", "x", "--share-uts"], "--hostname"),
];

#[test]
#[cfg(feature = "whole")]
fn usage_errors_name_the_option() {
    for root in roots() {
        for &(options, word) in ROWS {
            root.run(options, &["echo", "ran"]).fails(word);
        }
        root.run(&[], &[""]).fails("command");
    }
}

/// Options that take a number, and words that are not valid numbers for any of them (CVE-2026-30892).
#[test]
fn number_options_refuse_malformed_numbers() {
    for root in roots() {
        for option in ["--uid", "--gid", "--grace", "--keep-fd", "--umask"] {
            for word in [
                "1:",
                ":1",
                " 1",
                "1 ",
                "1x",
                "-1",
                "+1",
                "0x1",
                "1.5",
                "4294967296",
                "18446744073709551617",
                "ro:ot",
                "",
                "١",
            ] {
                let out = root.run(&[option, word], &["echo", "ran"]);
                out.fails(option);
                assert!(out.stderr.contains(word), "{out}");
            }
        }
        for option in ["--uid", "--gid"] {
            root.run(&[option, "4294967295"], &["echo", "ran"]).fails(option);
            root.run(&[option, "4294967294"], &["echo", "ran"]).is(0, "ran\n", "");
        }
        for word in ["1000", "0778", "8"] {
            root.run(&["--umask", word], &["echo", "ran"]).fails("--umask");
        }
    }
}

#[test]
fn missing_option_value_names_the_option() {
    const OPTIONS: [(&str, usize); 24] = [
        ("--root", 1),
        ("--bind", 2),
        ("--ro-bind", 2),
        ("--dev-bind", 2),
        ("--tmpfs", 1),
        ("--proc", 1),
        ("--dev", 1),
        ("--dir", 1),
        ("--symlink", 2),
        ("--setenv", 2),
        ("--unsetenv", 1),
        ("--pass-env", 1),
        ("--keep-fd", 1),
        ("--chdir", 1),
        ("--hostname", 1),
        ("--uid", 1),
        ("--gid", 1),
        ("--umask", 1),
        ("--cap-add", 1),
        ("--cap-drop", 1),
        ("--grace", 1),
        ("--bind", 1),
        ("--symlink", 1),
        ("--setenv", 1),
    ];
    for who in who::both() {
        for (option, wanted) in OPTIONS {
            for given in 0..wanted {
                Launch::new(who).args([option]).args(vec!["x"; given]).run().fails(option);
            }
        }
    }
}

/// All options are checked before anything is set up: an invalid option after valid ones changes nothing.
#[test]
fn usage_errors_are_found_before_any_change() {
    for root in roots() {
        let before = root.listing();
        root.run(&["--dir", "/made", "--uid", "x"], &["echo", "ran"]).fails("--uid");
        root.run(&["--dir", "/made", "--wrong"], &["echo", "ran"]).fails("--wrong");
        assert_eq!(before, root.listing());
    }
}

/// A message cannot control the reader's terminal, and is always one line.
#[test]
fn messages_are_one_printable_line() {
    for root in roots() {
        let out = root.run(&[], &["a\nb\x1b[2Jc"]);
        assert!(out.status == 127 && out.stderr.lines().count() == 1 && !out.stderr.contains('\x1b'), "{out}");
        let out = root.run(&["--uid", "1\n2"], &["true"]);
        assert!(out.status == 125 && out.stderr.lines().count() == 1, "{out}");
    }
}

#[test]
fn long_arguments_are_cut_in_messages() {
    for root in roots() {
        let long = "x".repeat(100_000);
        let out = root.run(&["--uid", &long], &["true"]);
        assert!(out.status == 125 && out.stderr.lines().count() == 1 && out.stderr.ends_with('\n'), "{out}");
        let out = root.run(&["--tmpfs", &format!("/{long}")], &["true"]);
        assert!(out.status == 125 && out.stderr.lines().count() == 1, "{out}");
        let out = root.run(&[], &[&long]);
        assert!([126, 127].contains(&out.status) && out.stderr.lines().count() == 1, "{out}");
    }
}

#[test]
fn arguments_may_be_any_bytes() {
    for root in roots() {
        let word = OsStr::from_bytes(b"\xff\xfe");
        root.launch(&[], &["sh", "-c", "printf %s \"$1\" | od -An -tx1", "sh"]).args([word]).run().says(" ff fe");
        let launch = Launch::new(root.who).args(["--root", root.str(), "--dir"]).args([OsStr::from_bytes(b"/\xff")]);
        launch.args(["sh", "-c", "[ -d /$(printf '\\377') ] && echo ok"]).run().says("ok");
    }
}

/// The launcher's environment and arguments may be as big as the kernel allows.
#[test]
fn big_arguments_and_environments_are_passed_on() {
    for root in roots() {
        let big = "y".repeat(120_000);
        root.run(&[], &["sh", "-c", "echo ${#1} ${#9}", "sh", &big, &big, &big, &big, &big, &big, &big, &big, &big])
            .says("120000 120000");
        root.launch(&["--keep-env"], &["sh", "-c", "echo ${#BIG}"]).env("BIG", &big).run().says("120000");
        let many: Vec<String> = (0..3000).map(|n| n.to_string()).collect();
        let cmd: Vec<&str> =
            ["sh", "-c", "echo $# ${3000}", "sh"].into_iter().chain(many.iter().map(String::as_str)).collect();
        root.run(&[], &cmd).says("3000 2999");
    }
}

/// CVE-2020-5291: a set-id launcher would give its owner's rights to every user who may run it.
#[test]
fn set_id_binary_is_refused() {
    let (Some(_), Some(user)) = (who::root(), who::user()) else { return };
    let place = Dir::new(user);
    let path = place.at("nsinit");
    tool(Command::new("cp").arg(nsinit()).arg(&path));
    fs::set_permissions(&path, Permissions::from_mode(0o4755)).expect("set the set-user-id bit");
    Launch::of(user, &path).args(["--root", "/", "true"]).run().fails("set-id");
}

/// overlayfs takes no lower directory with mounts below it from a caller in a user namespace: the mounts may hide
/// something.
#[test]
#[cfg(feature = "whole")]
fn volatile_root_with_mounts_below_is_explained() {
    for who in who::both() {
        let out = Launch::new(who).args(["--root", "/", "--volatile", "--", "true"]).run();
        out.fails("mount an overlay on /: Invalid argument (something is mounted below it,");
    }
}

/// If a text cannot be written, nsinit fails: a full disk, a closed descriptor.
#[test]
#[cfg(feature = "whole")]
fn unwritable_help_version_and_explain_fail() {
    let nsinit = nsinit().display();
    for who in who::both() {
        for text in ["--help", "--version", "--explain -- true", "--explain --root / -- true"] {
            for (to, why) in [("/dev/full", "No space left on device"), ("&-", "Bad file descriptor")] {
                let script = format!("exec {nsinit} {text} >{to}");
                Launch::of(who, Path::new("/bin/sh")).args(["-c", &script]).run().is(
                    125,
                    "",
                    &format!("nsinit: cannot write to standard output: {why}\n"),
                );
            }
        }
    }
}

/// If the first allocation fails, a message says so; the process does not die by a trap (SIGILL).
#[test]
fn allocation_failure_is_reported() {
    /// The size of the first allocation, in bytes.
    const CHUNK: u64 = 64 * 1024;
    for root in roots() {
        let refused = Deny::when(libc::SYS_mmap, 1, u64::MAX, CHUNK, libc::ENOMEM);
        let line = "nsinit: cannot allocate memory: Cannot allocate memory\n";
        root.launch(&["--setenv", "A", "b"], &["true"]).deny(refused).run().is(125, "", line);
        Launch::new(root.who).args(["--", "true"]).deny(refused).run().is(125, "", line);
    }
}
