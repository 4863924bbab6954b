//! What nsinit says to what it can't do or can't understand: one line, with the user's own word, and nothing ran.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::harness::launch::tool;
use super::harness::scratch::{Dir, nsinit};
use super::harness::{Launch, roots, who};

/// Options that can't be meant, and the word that the line must name.
const ROWS: &[(&[&str], &str)] = &[
    (&["--no-such-option"], "--no-such-option"),
    (&["-z"], "-z"),
    (&["--hostnam", "x"], "--hostnam"),
    (&["--bin", "/a", "/b"], "--bin"),
    (&["--share-net=1"], "--share-net"),
    (&["--bind=/a", "/b"], "--bind"),
    (&["--setenv=A=1", "b"], "--setenv"),
    (&["--help=x"], "--help"),
    // A name that the environment can't hold.
    (&["--setenv", "", "x"], "--setenv"),
    (&["--setenv", "A=B", "x"], "A=B"),
    (&["--unsetenv", "A=B"], "A=B"),
    // Places.
    (&["--dir", ""], "DEST"),
    (&["--tmpfs", "/"], "/"),
    (&["--bind", "/tmp", "//"], "//"),
    (&["--symlink", "x", "/"], "/"),
    (&["--bind", "", "/mnt"], "bind"),
    (&["--chdir", ""], "directory"),
    // The end of the options is no value.
    (&["--chdir", "--"], "--chdir"),
    (&["--bind", "/tmp", "--"], "--bind"),
    (&["--setenv", "A", "--"], "--setenv"),
    (&["--hostname", "--"], "--hostname"),
    // Said of an operation that does not follow.
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
    // What goes against what.
    (&["--as-pid-1", "--share-pid"], "--as-pid-1"),
    (&["--as-pid-1", "--group"], "--group"),
    (&["--as-pid-1", "--wait-all"], "--wait-all"),
    (&["--hostname", "x", "--share-uts"], "--hostname"),
];

#[test]
fn what_can_not_be_meant() {
    for root in roots() {
        for &(options, word) in ROWS {
            root.run(options, &["echo", "ran"]).fails(word);
        }
        root.run(&[], &[""]).fails("command");
    }
}

/// Number options, and words that are no number for any of them (CVE-2026-30892).
#[test]
fn what_is_no_number() {
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
                "root",
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
fn a_missing_value_is_named() {
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

/// Options before anything is set up: a wrong one behind good ones, or behind CMD's end, changes nothing.
#[test]
fn a_late_mistake_is_found_before_anything_is_done() {
    for root in roots() {
        let before = root.listing();
        root.run(&["--dir", "/made", "--uid", "x"], &["echo", "ran"]).fails("--uid");
        root.run(&["--dir", "/made", "--wrong"], &["echo", "ran"]).fails("--wrong");
        assert_eq!(before, root.listing());
    }
}

/// A message can't drive the reader's terminal, nor become two lines.
#[test]
fn messages_are_printable() {
    for root in roots() {
        let out = root.run(&[], &["a\nb\x1b[2Jc"]);
        assert!(out.status == 127 && out.stderr.lines().count() == 1 && !out.stderr.contains('\x1b'), "{out}");
        let out = root.run(&["--uid", "1\n2"], &["true"]);
        assert!(out.status == 125 && out.stderr.lines().count() == 1, "{out}");
    }
}

#[test]
fn a_very_long_word_is_cut_and_not_two_lines() {
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
fn words_need_not_be_utf_8() {
    for root in roots() {
        let word = OsStr::from_bytes(b"\xff\xfe");
        root.launch(&[], &["sh", "-c", "printf %s \"$1\" | od -An -tx1", "sh"]).args([word]).run().says(" ff fe");
        let launch = Launch::new(root.who).args(["--root", root.str(), "--dir"]).args([OsStr::from_bytes(b"/\xff")]);
        launch.args(["sh", "-c", "[ -d /$(printf '\\377') ] && echo ok"]).run().says("ok");
    }
}

/// The launcher's environment and arguments may be as big as the kernel takes them.
#[test]
fn big_arguments_pass() {
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

/// CVE-2020-5291: whoever may run a set-id launcher would have its owner's rights.
#[test]
fn set_id_operation_is_refused() {
    let (Some(_), Some(user)) = (who::root(), who::user()) else { return };
    let place = Dir::new(user);
    let path = place.at("nsinit");
    tool(Command::new("cp").arg(nsinit()).arg(&path));
    fs::set_permissions(&path, Permissions::from_mode(0o4755)).expect("set the set-user-id bit");
    Launch::of(user, &path).args(["--root", "/", "true"]).run().fails("set-id");
}

/// overlayfs takes no directory that hides something from whoever is in a user namespace.
#[test]
fn mounts_below_a_volatile_root() {
    for who in who::both() {
        let out = Launch::new(who).args(["--root", "/", "--volatile", "--", "true"]).run();
        out.fails("mount an overlay on /: Invalid argument (something is mounted below it,");
    }
}
