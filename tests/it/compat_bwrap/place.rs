//! Where CMD starts: its environment and its directory.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::{Bwrap, everywhere, small};
use crate::compat::helper;
use crate::harness::Out;
use crate::harness::scratch::Dir;

/// CMD's environment, sorted; the caller's is A, HOME, PATH and PWD.
#[track_caller]
fn environment(it: &Bwrap, options: &[&str]) -> String {
    let around = ["/usr/bin/env", "-i", "A=1", "HOME=/nowhere", "PATH=/bin", "PWD=/wrong"];
    let out = it.launch_in(&around, &small(options, &["/bin/env"])).run();
    let mut lines: Vec<&str> = out.text().lines().collect();
    lines.sort_unstable();
    lines.join(" ")
}

#[test]
fn the_environment_is_kept_and_changed() {
    for it in everywhere() {
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

/// What is not passed on is not to be found in the init either.
#[test]
fn the_inits_environment() {
    for it in everywhere() {
        let run = |options: &[&str]| {
            let script = "usleep 50000; grep -q SECRET=x /proc/1/environ && echo found";
            let options = [&["--unshare-pid", "--clearenv"], options].concat();
            it.small(&options, &["/bin/sh", "-c", script]).env("SECRET", "x").run()
        };
        let hidden = it.differs("the caller's environment in /proc/1/environ");
        assert_eq!(run(&[]).stdout, if hidden { "" } else { "found\n" });
        assert_eq!(run(&["--info-fd", "2"]).stdout, if hidden { "" } else { "found\n" });
    }
}

/// It tells the directory, whatever it is set to.
#[test]
fn pwd_is_right() {
    for it in everywhere() {
        for options in [&["--unsetenv", "PWD"][..], &["--setenv", "PWD", "/x"], &["--clearenv"]] {
            let options = [options, &["--dir", "/a", "--chdir", "/a"]].concat();
            assert!(environment(&it, &options).ends_with("PWD=/a"), "{options:?}");
        }
    }
}

/// CMD is looked for with its own PATH.
#[test]
fn cmd_is_found_in_its_own_path() {
    for it in everywhere() {
        let run = |options: &[&str]| it.small(options, &["true"]).run();
        run(&["--setenv", "PATH", "/nowhere:/bin"]).is(0, "", "");
        run(&["--setenv", "PATH", "/nowhere"]).is(1, "", "bwrap: execvp true: No such file or directory\n");
        // Without one in the usual places.
        run(&["--unsetenv", "PATH"]).is(0, "", "");
        run(&["--clearenv"]).is(0, "", "");
    }
}

const SAY: [&str; 3] = ["/bin/sh", "-c", "/bin/pwd -P; /bin/env | grep ^PWD="];

/// The directory itself and what PWD says of it.
#[track_caller]
fn is_in(out: &Out, place: &str, pwd: &str) {
    out.says(&format!("{place}\nPWD={pwd}"));
}

#[test]
fn the_callers_directory_if_it_is_there() {
    for it in everywhere() {
        let dir = Dir::new(it.who);
        let sub = dir.dir("sub");
        dir.symlink("sub", "link");
        let place = sub.to_str().expect("scratch paths are UTF-8");
        let options = ["--bind", dir.str(), dir.str(), "--dir", "/home/me", "--setenv", "HOME", "/home/me"];
        let from = |directory: &Path, options: &[&str]| it.small(options, &SAY).directory(directory).run();
        is_in(&from(&sub, &options), place, place);
        // By its real name.
        is_in(&from(&dir.at("link"), &options), place, place);
        is_in(&from(&sub, &["--dir", place]), place, place);
        is_in(&from(&sub, &options[3..]), "/home/me", "/home/me");
        // A file of that name.
        is_in(&from(&sub, &[&options[3..], &["--ro-bind", helper(), place]].concat()), "/home/me", "/home/me");
    }
}

#[test]
fn otherwise_home_and_at_last_the_root() {
    for it in everywhere() {
        let run = |options: &[&str], home: &str| {
            let options = [&["--dir", "/home/me", "--dir", "/other"], options].concat();
            it.small(&options, &SAY).env("HOME", home).run()
        };
        is_in(&run(&[], "/home/me"), "/home/me", "/home/me");
        is_in(&run(&["--setenv", "HOME", "/other"], "/home/me"), "/other", "/other");
        is_in(&run(&["--unsetenv", "HOME"], "/home/me"), "/", "/");
        is_in(&run(&["--clearenv"], "/home/me"), "/", "/");
        for home in ["/nowhere", "/bin/sh", ""] {
            is_in(&run(&[], home), "/", "/");
        }
    }
}

/// It goes before everything else, and is looked up when all is made.
#[test]
fn the_asked_for_directory() {
    for it in everywhere() {
        let options = ["--dir", "/home/me", "--setenv", "HOME", "/home/me", "--symlink", "bin", "/link"];
        let run = |chdir: &[&str]| it.small(&[chdir, &options].concat(), &SAY).run();
        is_in(&run(&["--chdir", "/bin"]), "/bin", "/bin");
        is_in(&run(&["--chdir", "/home"]), "/home", "/home");
        is_in(&run(&["--chdir", "home/me"]), "/home/me", "/home/me");
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

/// A link of the host's that leads elsewhere inside.
#[test]
fn the_callers_directory_is_looked_up_inside() {
    for it in everywhere() {
        let dir = Dir::new(it.who);
        dir.dir("sub");
        symlink("sub", dir.at("way")).expect("make a link");
        let options =
            ["--symlink", "/bin", dir.at("sub").to_str().expect("scratch paths are UTF-8")].map(str::to_owned);
        let options = options.each_ref().map(String::as_str);
        let out = it.small(&options, &SAY).directory(&dir.at("way")).run();
        assert!(out.text().starts_with("/bin\n"), "{out}");
    }
}
