//! Features newer than Debian 12's bwrap: `--argv0` and existing links (0.9), overlays and `--level-prefix` (0.11).

use std::fs;

use super::{Bwrap, since};
use crate::harness::Out;
use crate::harness::scratch::{Dir, utf8};

#[track_caller]
fn assert_message(out: &Out, text: &str) {
    out.is(1, "", &format!("bwrap: {text}\n"));
}

#[test]
fn argv0_sets_cmds_name() {
    for it in since(9) {
        let cmd = ["/bin/sh", "-c", "tr '\\0' , </proc/$$/cmdline | cut -d, -f1"];
        // busybox selects its applet by argv[0].
        it.small(&["--argv0", "ash"], &cmd).run().says("ash");
        it.small(&["--argv0", "/any/where/sh"], &["sh", cmd[1], cmd[2]])
            .env("PATH", "/bin")
            .run()
            .says("/any/where/sh");
        assert_message(&it.small(&["--argv0", "x"], &["/no/such"]).run(), "execvp /no/such: No such file or directory");
        let words = if it.is_ours() { "takes an argument" } else { "takes one argument" };
        assert_message(&it.run(&["--argv0"]), &format!("--argv0 {words}"));
        assert_message(&it.sh(&["--argv0", "a", "--argv0", "a"], ""), "--argv0 used multiple times");
    }
}

#[test]
fn symlink_accepts_an_equal_link() {
    for it in since(9) {
        it.sh(&["--symlink", "x", "/l", "--symlink", "x", "/l"], "readlink /l").says("x");
        let line = "Can't make symlink at /l: existing destination is x";
        assert_message(&it.sh(&["--symlink", "x", "/l", "--symlink", "./x", "/l"], ""), line);
    }
}

/// The prefix applies to messages after the option.
#[test]
fn level_prefix_applies_to_later_messages() {
    for it in since(11) {
        let errors: [(&[&str], &str); 3] = [
            (&["--bind", "/no/such", "/x"], "Can't find source path /no/such: No such file or directory"),
            (&["--nosuch"], "Unknown option --nosuch"),
            (&["--hostname", "x"], "Specifying --hostname requires --unshare-uts"),
        ];
        for (args, text) in errors {
            let before = [&["--level-prefix"], args].concat();
            it.sh(&before, "").is(1, "", &format!("<3>bwrap: {text}\n"));
        }
        let words = it.small(&["--level-prefix"], &["/no/such"]).run();
        words.is(1, "", "<3>bwrap: execvp /no/such: No such file or directory\n");
        let warned = it.small(&["--level-prefix", "--chdir", "/", "--chdir", "/"], &["/bin/true"]).run();
        warned.is(0, "", "<4>bwrap: Only the last --chdir option will take effect\n");
        assert_message(&it.run(&["--nosuch", "--level-prefix"]), "Unknown option --nosuch");
        let usage = it.run(&["--level-prefix"]);
        assert!(usage.status == 1 && usage.stderr.starts_with("usage: "), "{usage}");
    }
}

// ---- overlays

/// Two layers: `low` has a and b, `high` has b and c.
fn layers(it: &Bwrap) -> Dir {
    let dir = Dir::new(it.who);
    for name in ["low", "high", "upper", "work"] {
        dir.dir(name);
    }
    for (name, text) in [("low/a", "low\n"), ("low/b", "low\n"), ("high/b", "high\n"), ("high/c", "high\n")] {
        dir.file(name, text);
    }
    dir
}

fn listing(dir: &Dir, name: &str) -> Vec<String> {
    let entries = fs::read_dir(dir.at(name)).expect("read a layer").flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

const SHOW: &str = "cd /o; grep . *";
const CHANGE: &str = "cd /o; rm c; echo new >a; echo new >n; cat a n; ls";

/// The last source is the top layer.
#[test]
fn ro_overlay_stacks_sources() {
    for it in since(11) {
        let dir = layers(&it);
        let run = |sources: &[&str], script: &str| {
            let sources: Vec<&str> = sources.iter().flat_map(|source| ["--overlay-src", source]).collect();
            let options = [&sources[..], &["--ro-overlay", "/o"]].concat();
            it.small(&options, &["/bin/sh", "-c", script]).directory(dir.path()).run()
        };
        run(&["low", "high"], SHOW).says("a:low\nb:high\nc:high");
        run(&["high", "low"], SHOW).says("a:low\nb:low\nc:high");
        let out = run(&["low", "high"], "echo new >/o/n");
        assert!(out.status != 0 && out.stderr.contains("Read-only file system"), "{out}");
    }
}

/// Writes disappear with the sandbox, and are visible only in it.
#[test]
fn tmp_overlay_discards_writes() {
    for it in since(11) {
        let dir = layers(&it);
        let before = dir.listing();
        let [low, high] = ["low", "high"].map(|name| utf8(&dir.at(name)).to_owned());
        let options = ["--overlay-src", &low, "--overlay-src", &high, "--tmp-overlay", "/o"];
        it.sh(&options, SHOW).says("a:low\nb:high\nc:high");
        it.sh(&options, CHANGE).says("new\nnew\na\nb\nn");
        assert_eq!(dir.listing(), before);
        // Two overlays do not affect each other, and the root does not show their layers.
        let more = ["--overlay-src", &low, "--tmp-overlay", "/p"];
        let script = "echo x >/o/x; echo y >/p/y; ls /o /p; ls /";
        it.sh(&[&options[..], &more].concat(), script).says("/o:\na\nb\nc\nx\n\n/p:\na\nb\ny\nbin\no\np\nproc");
        it.sh(&["--overlay-src", &low, "--tmp-overlay", "/o"], SHOW).says("a:low\nb:low");
    }
}

#[test]
fn overlay_keeps_writes() {
    for it in since(11) {
        let dir = layers(&it);
        let at = |name: &str| utf8(&dir.at(name)).to_owned();
        let [low, high, upper, work] = ["low", "high", "upper", "work"].map(at);
        let options = ["--overlay-src", &low, "--overlay-src", &high, "--overlay", &upper, &work, "/o"];
        it.sh(&options, CHANGE).says("new\nnew\na\nb\nn");
        assert_eq!(listing(&dir, "upper"), ["a", "c", "n"]);
        assert_eq!(dir.read("upper/a"), "new\n");
        assert_eq!(
            (listing(&dir, "low"), listing(&dir, "high")),
            (vec!["a".into(), "b".into()], vec!["b".into(), "c".into()])
        );
        // The next sandbox finds the changes.
        it.sh(&options, SHOW).says("a:new\nb:high\nn:new");
    }
}

/// Characters that have a meaning in the kernel's mount options.
#[test]
fn layer_names_may_have_special_characters() {
    for it in since(11) {
        let dir = layers(&it);
        let odd = "a:b,c\\d e";
        dir.dir(odd);
        dir.file(&format!("{odd}/q"), "odd\n");
        let run = |options: &[&str]| it.small(options, &["/bin/sh", "-c", SHOW]).directory(dir.path()).run();
        run(&["--overlay-src", odd, "--overlay-src", "high", "--ro-overlay", "/o"]).says("b:high\nc:high\nq:odd");
        run(&["--overlay-src", "high", "--overlay", odd, "work", "/o"]).says("b:high\nc:high\nq:odd");
    }
}

#[test]
fn operations_run_on_overlays() {
    for it in since(11) {
        let dir = layers(&it);
        let low = utf8(&dir.at("low")).to_owned();
        let options =
            ["--overlay-src", &low, "--tmp-overlay", "/p/q/o", "--dir", "/p/q/o/d", "--symlink", "a", "/p/q/o/l"];
        it.sh(&options, "ls /p/q/o; cat /p/q/o/l; stat -c %a /p /p/q").says("a\nb\nd\nl\nlow\n700\n700");
        let over = ["--dir", "/o/hidden", "--overlay-src", &low, "--tmp-overlay", "/o"];
        it.sh(&over, "ls /o").says("a\nb");
        assert_eq!(it.mounts(&over).at("/o").kind, "overlay");
    }
}

/// The sources belong to the next overlay operation.
#[test]
fn overlay_usage_errors_are_refused() {
    const ALONE: &str = "--overlay-src must be followed by another --overlay-src or one of --overlay, --tmp-overlay, \
                         or --ro-overlay";
    for it in since(11) {
        let dir = layers(&it);
        let run = |options: &[&str]| it.small(options, &["/bin/true"]).directory(dir.path()).run();
        let rows: [(&[&str], &str); 13] = [
            (&["--overlay-src", "low"], ALONE),
            (&["--overlay-src", "low", "--bind", "/", "/x"], ALONE),
            (&["--overlay-src", "low", "--setenv", "A", "b", "--tmp-overlay", "/o"], ALONE),
            (&["--overlay-src", "low", "--perms", "0700", "--tmp-overlay", "/o"], ALONE),
            (&["--ro-overlay", "/o"], "--ro-overlay requires at least two --overlay-src"),
            (&["--overlay-src", "low", "--ro-overlay", "/o"], "--ro-overlay requires at least two --overlay-src"),
            (&["--tmp-overlay", "/o"], "--tmp-overlay requires at least one --overlay-src"),
            (&["--overlay", "upper", "work", "/o"], "--overlay requires at least one --overlay-src"),
            (
                &["--perms", "0700", "--overlay-src", "low", "--tmp-overlay", "/o"],
                "--perms must be followed by an option that creates a file",
            ),
            (&["--overlay-src", "no", "--tmp-overlay", "/o"], "Can't find source path no: No such file or directory"),
            (
                &["--overlay-src", "low", "--overlay", "no", "work", "/o"],
                "Can't find source path no: No such file or directory",
            ),
            (
                &["--overlay-src", "low", "--overlay", "upper", "no", "/o"],
                "Can't find source path no: No such file or directory",
            ),
            (
                &["--overlay-src", "low", "--tmp-overlay", "/o", "--tmp-overlay", "/p"],
                "--tmp-overlay requires at least one --overlay-src",
            ),
        ];
        for (options, text) in rows {
            // nsinit allows options in between that do not concern files.
            let between = ["--setenv", "--perms"].iter().any(|word| options.contains(word));
            if between && it.differs("options between `--perms`, `--size` or `--overlay-src` and the operation") {
                continue;
            }
            assert_message(&run(options), text);
        }
        assert_message(&it.run(&["--tmp-overlay"]), "--tmp-overlay takes an argument");
        assert_message(&it.run(&["--ro-overlay"]), "--ro-overlay takes an argument");
        for args in [&["--overlay"][..], &["--overlay", "a"], &["--overlay", "a", "b"]] {
            assert_message(&it.run(args), "--overlay takes three arguments");
        }
    }
}

/// A layer that is not a directory.
#[test]
fn overlay_mount_errors_are_reported() {
    for it in since(11) {
        let dir = layers(&it);
        let file = utf8(&dir.at("low/a")).to_owned();
        let out = it.sh(&["--overlay-src", &file, "--tmp-overlay", "/o"], "");
        let says = if it.is_ours() { "bwrap: Can't find source path " } else { "bwrap: Can't make overlay mount on " };
        let right = out.stderr.starts_with(says) && out.stderr.lines().count() == 1;
        assert!(out.status == 1 && out.stdout.is_empty() && right, "{out}");
    }
}
