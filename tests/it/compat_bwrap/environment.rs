//! The command's environment and working directory.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::{Bwrap, small, subjects};
use crate::compat::helper;
use crate::harness::Out;
use crate::harness::scratch::{Dir, utf8};

/// The command's environment, sorted; the caller's has A, HOME, PATH and PWD.
#[track_caller]
fn environment(it: &Bwrap, options: &[&str]) -> String {
    let around = ["/usr/bin/env", "-i", "A=1", "HOME=/nowhere", "PATH=/bin", "PWD=/wrong"];
    let out = it.launch_in(&around, &small(options, &["/bin/env"])).run();
    let mut lines: Vec<&str> = out.text().lines().collect();
    lines.sort_unstable();
    lines.join(" ")
}

#[test]
fn environment_is_the_callers_with_changes() {
    for it in subjects() {
        for (options, expected) in [
            (&[][..], "A=1 HOME=/nowhere PATH=/bin PWD=/"),
            (&["--setenv", "A", "2", "--setenv", "B", "x y"], "A=2 B=x y HOME=/nowhere PATH=/bin PWD=/"),
            (&["--setenv", "A", "", "--unsetenv", "HOME"], "A= PATH=/bin PWD=/"),
            (&["--setenv", "B", "1", "--unsetenv", "B", "--unsetenv", "no"], "A=1 HOME=/nowhere PATH=/bin PWD=/"),
            (&["--unsetenv", "A", "--setenv", "A", "3"], "A=3 HOME=/nowhere PATH=/bin PWD=/"),
            (&["--clearenv"], "PWD=/"),
            (&["--clearenv", "--setenv", "B", "1"], "B=1 PWD=/"),
            (&["--setenv", "B", "1", "--clearenv"], "PWD=/"),
        ] {
            assert_eq!(environment(&it, options), expected, "{:?} {options:?}", it.side);
        }
    }
}

/// Variables that are not passed on are not visible in process 1 either.
#[test]
fn process_1_hides_the_callers_environment() {
    for it in subjects() {
        let run = |options: &[&str]| {
            // Process 1 hides it while CMD starts.
            let script = "i=0; while [ $i -lt 100 ] && grep -q SECRET=x /proc/1/environ; do i=$((i+1)); usleep 10000; done; \
                          [ $i -lt 100 ] || echo found";
            let options = [&["--unshare-pid", "--clearenv"], options].concat();
            it.small(&options, &["/bin/sh", "-c", script]).env("SECRET", "x").run()
        };
        let hidden = it.differs("the caller's environment in /proc/1/environ");
        assert_eq!(run(&[]).stdout, if hidden { "" } else { "found\n" });
        assert_eq!(run(&["--info-fd", "2"]).stdout, if hidden { "" } else { "found\n" });
    }
}

/// PWD names the working directory, whatever it was set to.
#[test]
fn pwd_is_the_working_directory() {
    for it in subjects() {
        for options in [&["--unsetenv", "PWD"][..], &["--setenv", "PWD", "/x"], &["--clearenv"]] {
            let options = [options, &["--dir", "/a", "--chdir", "/a"]].concat();
            assert!(environment(&it, &options).ends_with("PWD=/a"), "{options:?}");
        }
    }
}

/// The command is searched in its own PATH.
#[test]
fn cmd_is_searched_in_its_own_path() {
    for it in subjects() {
        let run = |options: &[&str]| it.small(options, &["true"]).run();
        run(&["--setenv", "PATH", "/nowhere:/bin"]).is(0, "", "");
        run(&["--setenv", "PATH", "/nowhere"]).is(1, "", "bwrap: execvp true: No such file or directory\n");
        // Without PATH, in the default directories.
        run(&["--unsetenv", "PATH"]).is(0, "", "");
        run(&["--clearenv"]).is(0, "", "");
    }
}

const SAY: [&str; 3] = ["/bin/sh", "-c", "/bin/pwd -P; /bin/env | grep ^PWD="];

/// Asserts the working directory and the value of PWD.
#[track_caller]
fn assert_directory(out: &Out, place: &str, pwd: &str) {
    out.says(&format!("{place}\nPWD={pwd}"));
}

#[test]
fn cmd_starts_in_the_callers_directory_if_it_exists() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        let sub = dir.dir("sub");
        dir.symlink("sub", "link");
        let place = utf8(&sub);
        let options = ["--bind", dir.str(), dir.str(), "--dir", "/home/me", "--setenv", "HOME", "/home/me"];
        let from = |directory: &Path, options: &[&str]| it.small(options, &SAY).directory(directory).run();
        assert_directory(&from(&sub, &options), place, place);
        // By its canonical name.
        assert_directory(&from(&dir.at("link"), &options), place, place);
        assert_directory(&from(&sub, &["--dir", place]), place, place);
        assert_directory(&from(&sub, &options[3..]), "/home/me", "/home/me");
        // A file with the name of the directory.
        assert_directory(
            &from(&sub, &[&options[3..], &["--ro-bind", helper(), place]].concat()),
            "/home/me",
            "/home/me",
        );
    }
}

#[test]
fn cmd_starts_in_home_or_the_root_otherwise() {
    for it in subjects() {
        let run = |options: &[&str], home: &str| {
            let options = [&["--dir", "/home/me", "--dir", "/other"], options].concat();
            it.small(&options, &SAY).env("HOME", home).run()
        };
        assert_directory(&run(&[], "/home/me"), "/home/me", "/home/me");
        assert_directory(&run(&["--setenv", "HOME", "/other"], "/home/me"), "/other", "/other");
        assert_directory(&run(&["--unsetenv", "HOME"], "/home/me"), "/", "/");
        assert_directory(&run(&["--clearenv"], "/home/me"), "/", "/");
        for home in ["/nowhere", "/bin/sh", ""] {
            assert_directory(&run(&[], home), "/", "/");
        }
    }
}

/// --chdir takes precedence, and is resolved after all operations.
#[test]
fn chdir_sets_the_working_directory() {
    for it in subjects() {
        let options = ["--dir", "/home/me", "--setenv", "HOME", "/home/me", "--symlink", "bin", "/link"];
        let run = |chdir: &[&str]| it.small(&[chdir, &options].concat(), &SAY).run();
        assert_directory(&run(&["--chdir", "/bin"]), "/bin", "/bin");
        assert_directory(&run(&["--chdir", "/home"]), "/home", "/home");
        assert_directory(&run(&["--chdir", "home/me"]), "/home/me", "/home/me");
        let out = run(&["--chdir", "/link"]);
        assert!(out.text().starts_with("/bin\n"), "{out}");
        for (word, reason) in [
            ("/nowhere", "No such file or directory"),
            ("/bin/sh", "Not a directory"),
            ("", "No such file or directory"),
        ] {
            let space = if it.is_ours() && word.is_empty() { "" } else { " " };
            run(&["--chdir", word]).is(1, "", &format!("bwrap: Can't chdir to{space}{word}: {reason}\n"));
        }
    }
}

/// A link of the host that leads elsewhere inside.
#[test]
fn callers_directory_is_resolved_inside() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        dir.dir("sub");
        symlink("sub", dir.at("way")).expect("make a link");
        let options = ["--symlink", "/bin", utf8(&dir.at("sub"))].map(str::to_owned);
        let options = options.each_ref().map(String::as_str);
        let out = it.small(&options, &SAY).directory(&dir.at("way")).run();
        assert!(out.text().starts_with("/bin\n"), "{out}");
    }
}
