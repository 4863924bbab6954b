//! The forms that values may have: files of variables, names of users and groups, signals, times, sizes.

use std::fs;

use super::harness::scratch::utf8;
use super::harness::{Dir, Launch, Root, roots, who};

// ---- --env-file

const FILE: &str = "\u{feff}# a comment\n\nA=1\nB=a \"b\" # c\n  C==\r\nFROM_CALLER\nNOT_SET\nE=\nA=2";

#[test]
fn variables_are_read_from_a_file() {
    for root in roots() {
        let file = root.file("vars", FILE);
        let run = |options: &[&str]| {
            let launch =
                root.launch(options, &["/bin/sh", "-c", "echo \"$A|$B|$C|$FROM_CALLER|${NOT_SET-no}|${E-no}|$D\""]);
            launch.env("FROM_CALLER", "of the caller").env("D", "secret").run()
        };
        let file = utf8(&file);
        run(&["--env-file", file]).says("2|a \"b\" # c|=|of the caller|no||");
        // The last operation on a variable counts.
        run(&["--env-file", file, "--setenv", "A", "3"]).says("3|a \"b\" # c|=|of the caller|no||");
        run(&["--setenv", "A=3", "--env-file", file]).says("2|a \"b\" # c|=|of the caller|no||");
        run(&["--env-file", file, "--clearenv", "--setenv", "A=3"]).says("3||||no|no|");
        // In place.
        let words = ["--init", "--env-file", file, "--", "/bin/sh", "-c", "echo $A$D"];
        Launch::new(root.who).args(words).env("D", "4").run().says("24");
    }
}

#[test]
fn wrong_file_of_variables_is_named_with_its_line() {
    for root in roots() {
        for (content, why) in [
            ("A=1\n=2\n", ", line 2: no name before the ="),
            ("A=1\n\n\nA B=2", ", line 4: a blank in the name of a variable"),
            ("export A=1", ", line 1: a blank in the name of a variable"),
            ("A=1\0\n", ", line 1: a NUL byte"),
        ] {
            let file = root.file("vars", content);
            let expected = format!("nsinit: --env-file {}{why}\n", file.display());
            root.run(&["--env-file", utf8(&file)], &["echo", "ran"]).is(125, "", &expected);
        }
        root.run(&["--env-file", "/none"], &["true"]).is(
            125,
            "",
            "nsinit: cannot read /none: No such file or directory\n",
        );
        root.run(&["--env-file", "/"], &["true"]).is(125, "", "nsinit: cannot read /: Is a directory\n");
        root.run(&["--env-file", ""], &["true"]).fails("--env-file: the path is empty");
    }
}

// ---- names

fn with_names(root: &Root) {
    let etc = |name: &str, text: &str| {
        let _ = fs::remove_file(root.at(name));
        root.file(name, text);
    };
    etc(
        "etc/passwd",
        "root:x:0:0::/:/bin/sh\n# app\nbad:x:4294967295:1::/:\napp:x:1234:99::/:/bin/sh\napp:x:1:1::/:\n_a-b.c:x:77:7\n",
    );
    etc("etc/group", "root:x:0:\nstaff:x:50:app\nvideo:x:44:\nempty:x::\n");
}

const ID: [&str; 3] = ["/bin/sh", "-c", "echo $(id -u) $(id -g)"];

#[test]
fn names_are_looked_up_in_the_root() {
    for root in roots() {
        with_names(&root);
        // busybox's id prints that it does not like the file.
        assert_eq!(root.run(&["--uid", "app", "--gid", "staff"], &ID).stdout, "1234 50\n");
        assert_eq!(root.run(&["--uid", "_a-b.c"], &ID).stdout, "77 0\n");
        // The last one counts.
        assert_eq!(root.run(&["--uid", "none", "--uid", "5"], &ID).stdout, "5 0\n");
        if root.who.is_root() {
            let out = root.run(&["--gid", "7", "--groups", "27,video"], &["grep", "^Groups", "/proc/self/status"]);
            assert_eq!(out.text().split_whitespace().collect::<Vec<_>>(), ["Groups:", "27", "44"]);
        }
        let at = root.str().trim_end_matches('/');
        for (options, why) in [
            (["--uid", "nobody1"], format!("--uid nobody1: no user nobody1 in {at}/etc/passwd")),
            (["--gid", "app"], format!("--gid app: no group app in {at}/etc/group")),
            (["--groups", "27,app"], format!("--groups 27,app: no group app in {at}/etc/group")),
            (["--uid", "bad"], format!("--uid bad: no user bad in {at}/etc/passwd")),
            (["--gid", "empty"], format!("--gid empty: no group empty in {at}/etc/group")),
            (["--uid", "1a"], "--uid 1a: not a number from 0 to 4294967294".into()),
            (["--uid", "-1"], "--uid -1: not a number from 0 to 4294967294".into()),
            (["--uid", "4294967295"], "--uid 4294967295: not a number from 0 to 4294967294".into()),
        ] {
            root.run(&options, &["echo", "ran"]).is(125, "", &format!("nsinit: {why}\n"));
        }
    }
}

/// The file is that of the root, wherever the links in it lead; nothing but a file is read.
#[test]
fn names_never_come_from_outside_of_the_root() {
    for root in roots() {
        with_names(&root);
        let replace = |make: &dyn Fn()| {
            let _ = fs::remove_file(root.at("etc/passwd"));
            make();
            root.run(&["--uid", "app"], &ID)
        };
        root.file("etc/users", "app:x:4321:0::/:\n");
        for target in ["users", "/etc/users", "../../../../etc/users", "/../../etc/users", "../etc/./users"] {
            replace(&|| {
                root.symlink(target, "etc/passwd");
            })
            .says("4321 0");
        }
        let outside = Dir::new(root.who);
        let outside = outside.file("users", "app:x:4321:0::/:\n");
        let at = root.str().trim_end_matches('/');
        let why = |why: &str| format!("nsinit: --uid app: cannot read {at}/etc/passwd: {why}\n");
        let none = why("No such file or directory");
        replace(&|| {}).is(125, "", &none);
        replace(&|| {
            root.symlink(utf8(&outside), "etc/passwd");
        })
        .fails("No such file or directory");
        replace(&|| {
            root.symlink("passwd", "etc/passwd");
        })
        .is(125, "", &why("Too many levels of symbolic links"));
        replace(&|| {
            root.fifo("etc/passwd");
        })
        .is(125, "", &why("it is not a regular file"));
        // Its author is not to decide how long the launch lasts.
        replace(&|| {
            let file = fs::File::create(root.at("etc/passwd")).expect("make a file");
            file.set_len(1 << 40).expect("make it large");
        })
        .is(125, "", &why("File too large"));
    }
}

#[test]
fn names_need_a_root_that_is_known() {
    for who in who::both() {
        let why = "--uid app: names are for --root DIR and --init: use a number here";
        for words in [
            &["--ro-bind", "/", "/", "--unshare-user", "--uid", "app", "--", "true"][..],
            &["--enter", "1", "--uid", "app", "--", "true"],
        ] {
            Launch::new(who).args(words).run().fails(why);
        }
        if who.is_root() {
            let out = Launch::new(who).args(["--init", "--uid", "daemon", "--gid", "daemon", "--"]).args(ID).run();
            out.says("1 1");
        }
    }
}

// ---- signals, times, sizes

#[test]
fn signals_are_rewritten_by_name() {
    for who in who::both() {
        let script = "trap 'exit 7' TERM; echo up; while :; do sleep 0.01; done";
        for rule in ["USR1:TERM", "sigusr1:15", "10:SIGTERM"] {
            let mut run = Launch::new(who).args(["--init", "--rewrite", rule, "--", "/bin/sh", "-c", script]).start();
            assert_eq!(run.line(), "up");
            run.kill(libc::SIGUSR1);
            assert_eq!(run.finish().status, 7, "{rule}");
        }
        for bad in ["TERM", "TERM:NONE", "SIGRTMIN+31:1"] {
            let why = format!("--rewrite {bad}: not a pair of signals, by names or numbers, such as TERM:INT or 15:2");
            Launch::new(who).args(["--init", "--rewrite", bad, "--", "true"]).run().fails(&why);
        }
    }
}

#[test]
fn times_have_units() {
    for root in roots() {
        let script = "(trap '' TERM; echo up; sleep 1000) & while ! [ -e /up ]; do sleep 0.01; done; exit 3";
        let script = script.replace("echo up", "touch /up");
        for time in ["50ms", "0ms", "1s"] {
            root.run(&["--grace", time], &["/bin/sh", "-c", &script]).is(3, "", "");
            fs::remove_file(root.at("up")).expect("remove it");
        }
        let mut run =
            root.launch(&["--stop-timeout", "50ms"], &["/bin/sh", "-c", "trap '' TERM; echo up; sleep 1000"]).start();
        assert_eq!(run.line(), "up");
        run.kill(libc::SIGTERM);
        assert_eq!(run.finish().status, 137);
        for option in ["--grace", "--stop-timeout"] {
            let why = format!("{option} 5x: not a time such as 5, 500ms, 30s, 2m or 1h");
            root.run(&[option, "5x"], &["true"]).fails(&why);
        }
        root.run(&["--max-restarts", "5/x", "--init"], &["true"])
            .fails("--max-restarts 5/x: not N/SECONDS, for example 5/60");
    }
}

#[test]
fn sizes_have_units() {
    for root in roots() {
        let df = ["/bin/sh", "-c", "df -k /mnt | tail -n 1 | { read -r device total rest; echo $total; }"];
        for (size, kilobytes) in [("64K", "64"), ("2m", "2048"), ("1G", "1048576"), ("65536", "64")] {
            root.run(&["--size", size, "--tmpfs", "/mnt"], &df).says(kilobytes);
        }
        root.run(&["--size", "1X", "--tmpfs", "/mnt"], &df).fails("--size takes a non-zero number of bytes");
        let options = ["--rlimit", "fsize=1M", "--rlimit", "as=512M:1G"];
        let out = root.run(&options, &["grep", "-E", "^Max (file size|address)", "/proc/self/limits"]);
        let words: Vec<&str> = out.text().split_whitespace().collect();
        assert_eq!(words.join(" "), "Max file size 1048576 1048576 bytes Max address space 536870912 1073741824 bytes");
        root.run(&["--rlimit", "nofile=1K"], &["true"]).fails("--rlimit nofile=1K: not NAME=SOFT:HARD");
    }
}
