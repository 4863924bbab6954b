//! The basic launch: the command runs, gets its arguments and its input, and the launcher passes on its status.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use engine::spec::rooms;

use super::harness::{Launch, roots, who};

#[test]
fn launcher_exits_with_the_status_of_cmd() {
    for root in roots() {
        root.sh(&[], "exit 7").is(7, "", "");
    }
}

#[test]
fn every_exit_status_is_passed_on() {
    for root in roots() {
        for status in 0..=255 {
            root.sh(&[], &format!("exit {status}")).is(status, "", "");
        }
    }
}

#[test]
fn death_by_signal_n_gives_128_plus_n() {
    // Not QUIT: busybox's sh ignores it.
    for root in roots() {
        for signal in [1, 2, 6, 9, 11, 13, 14, 15, 31, 34, 40, 64] {
            root.sh(&[], &format!("kill -{signal} $$")).is(128 + signal, "", "");
        }
    }
}

#[test]
fn missing_cmd_gives_127() {
    for root in roots() {
        for word in ["no-such-program", "/no/such/program", "./none"] {
            root.run(&[], &[word]).fails_with(127, word);
        }
        root.symlink("/nowhere", "bin/dangling");
        root.run(&[], &["dangling"]).fails_with(127, "dangling");
    }
}

#[test]
fn cmd_that_cannot_be_executed_gives_126() {
    for root in roots() {
        let file = root.file("bin/no-x", "#!/bin/sh\n");
        fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
        root.file("bin/bad-interpreter", "#!/no/such/interpreter\n");
        root.symlink("loop", "bin/loop");
        root.run(&[], &["/bin/no-x"]).fails_with(126, "/bin/no-x");
        root.run(&[], &["no-x"]).fails_with(126, "no-x");
        root.run(&[], &["/bin"]).fails_with(126, "/bin");
        root.run(&[], &["/bin/busybox/x"]).fails_with(126, "/bin/busybox/x");
        root.run(&[], &["/bin/loop"]).fails_with(126, "/bin/loop");
        root.run(&[], &["/bin/bad-interpreter"]).fails_with(127, "/bin/bad-interpreter");
    }
}

/// As execvp(3): a text file without `#!` is a script for /bin/sh.
#[test]
fn script_without_interpreter_line_is_run_by_sh() {
    for root in roots() {
        root.file("bin/plain", "echo \"$0\" \"$@\"\nexit 3\n");
        root.run(&[], &["plain", "a", "b c"]).is(3, "/bin/plain a b c\n", "");
        root.run(&[], &["/bin/plain"]).is(3, "/bin/plain\n", "");
    }
}

/// The search continues after EACCES; EACCES is reported only if no other directory has the file.
#[test]
fn path_is_searched_as_execvp_does() {
    for root in roots() {
        root.dir("first");
        let file = root.file("first/hello", "");
        fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
        let path = ["--setenv", "PATH", "/none:/bin/sh:/first:/bin"];
        root.run(&path, &["hello"]).fails_with(126, "hello");
        root.file("bin/hello", "#!/bin/sh\necho hello\n");
        root.run(&path, &["hello"]).says("hello");
    }
}

#[test]
fn cmd_gets_its_arguments_unchanged() {
    for root in roots() {
        root.run(&[], &["printf", "[%s]", "", "a b", "--", "--root", "-x", "é\n"]).is(
            0,
            "[][a b][--][--root][-x][é\n]",
            "",
        );
    }
}

#[test]
fn options_end_at_the_first_operand_or_at_double_dash() {
    for root in roots() {
        let launch = || Launch::new(root.who).args(["--root", root.str()]);
        launch().args(["echo", "--hostname", "x"]).run().says("--hostname x");
        launch().args(["--", "echo", "--", "x"]).run().says("-- x");
        launch().args(["--", "--bind"]).run().fails_with(127, "--bind");
        Launch::new(root.who).arg_eq("--root", root.str()).args(["echo", "x"]).run().says("x");
    }
}

#[test]
fn cmd_has_the_callers_standard_streams() {
    for root in roots() {
        root.launch(&[], &["cat"]).input("line 1\nline 2").run().is(0, "line 1\nline 2", "");
        root.sh(&[], "echo out; echo err >&2; exit 1").is(1, "out\n", "err\n");
    }
}

#[test]
fn closed_standard_descriptors_are_accepted() {
    for root in roots() {
        let closed = |fds: &'static [i32]| {
            root.launch(&[], &["sh", "-c", "exit 9"]).before(move || {
                fds.iter().for_each(|&fd| {
                    // SAFETY: close takes a number.
                    unsafe { libc::close(fd) };
                });
                Ok(())
            })
        };
        for fds in [&[0][..], &[1], &[2], &[0, 1, 2]] {
            closed(fds).run().is(9, "", "");
        }
    }
}

#[test]
fn shell_runs_if_no_cmd_is_given() {
    for root in roots() {
        let launch = || Launch::new(root.who).args(["--root", root.str()]);
        launch().input("echo $0; echo \"$PS1\"; exit 4").run().is(4, "/bin/sh\n-[ns-process]- # \n", "");
        root.file("bin/bash", "#!/bin/sh\necho this is bash\n");
        launch().run().says("this is bash");
    }
}

#[test]
fn missing_root_fails_with_one_line() {
    for who in who::both() {
        Launch::new(who).args(["--root", "/no/such/dir", "--", "true"]).run().fails("/no/such/dir");
        Launch::new(who).args(["--root", "/etc/passwd", "--", "true"]).run().fails("/etc/passwd");
        Launch::new(who).args(["--root", "", "--", "true"]).run().fails("--root");
    }
}

/// If DIR lacks /proc, /dev or /sys, they are made.
#[test]
fn missing_proc_dev_and_sys_are_made() {
    for root in roots() {
        for name in ["proc", "dev", "sys"] {
            fs::remove_dir(root.at(name)).unwrap();
        }
        root.sh(&[], "echo $$ >/dev/null; [ -e /proc/self ] && [ -d /sys ]").is(0, "", "");
    }
}

#[test]
fn relative_root_is_resolved_from_the_working_directory() {
    for root in roots() {
        let parent = root.path().parent().unwrap();
        let name = root.path().file_name().unwrap();
        let launch = Launch::new(root.who).args(["--root".as_ref(), name]).args(["--", "pwd"]);
        launch.directory(parent).run().says("/");
    }
}

#[test]
fn no_arguments_print_usage_on_stderr() {
    for who in who::both() {
        let out = Launch::new(who).run();
        assert!(out.status == 125 && out.stdout.is_empty() && out.stderr.contains("--root"), "{out}");
    }
}

#[test]
#[cfg(feature = "whole")]
fn help_prints_to_stdout() {
    for who in who::both() {
        let help = Launch::new(who).args(["--help"]).run();
        for option in ["--root", "--bind", "--share-net", "--grace", "--explain"] {
            assert!(help.text().contains(option), "{option}: {help}");
        }
    }
}

/// After the first line, which scripts/check and the harness compare, a line each.
#[test]
fn version_is_what_the_build_is() {
    for who in who::both() {
        let version = Launch::new(who).args(["--version"]).run();
        let mut lines = version.text().lines();
        let own = lines.next().is_some_and(|line| line.starts_with(concat!("nsinit ", env!("CARGO_PKG_VERSION"))));
        let pairs: Vec<_> = lines.map(|line| line.split_once(' ').unwrap_or_default()).collect();
        let all = if rooms::ALL { "whole (all)".into() } else { rooms::LIST[1..].escape_ascii().to_string() };
        let [("commit", commit), ("target", target), ("features", features), ("build", build)] = pairs[..] else {
            panic!("{version}")
        };
        assert!(own && !commit.is_empty() && target.contains("-linux-") && features == all, "{version}");
        assert!(["debug", "small", "prebuilt std"].contains(&build), "{version}");
    }
}

#[test]
#[cfg(feature = "whole")]
fn explain_runs_nothing() {
    for root in roots() {
        let before = root.listing();
        let out = root.sh(&["--explain"], "echo ran; echo >/ran");
        assert!(out.text().lines().count() > 5 && !out.stdout.lines().any(|l| l == "ran"), "{out}");
        assert_eq!(before, root.listing());
    }
}

/// These texts need no container: here /proc is empty, so nsinit cannot open its own file.
#[test]
#[cfg(feature = "whole")]
fn help_version_and_explain_work_without_proc() {
    let Some(root) = super::harness::who::root() else { return };
    let nsinit = super::harness::scratch::nsinit().display();
    for (option, word) in [("--help", "usage: "), ("--version", "nsinit 0"), ("--explain", "launcher:")] {
        let script = format!("mount -t tmpfs none /proc && exec {nsinit} --root / {option} -- true");
        let words = ["--mount", "/bin/sh", "-c", &script];
        let out = super::harness::Launch::of(root, std::path::Path::new("/usr/bin/unshare")).args(words).run();
        assert!(out.text().starts_with(word), "{out}");
    }
}
