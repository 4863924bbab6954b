//! Permissions: by default, with `--perms`, and those of parent directories.

use nix::sys::stat::{Mode, umask};

use super::{Bwrap, data, give, subjects};
use crate::compat::helper;
use crate::harness::scratch::Dir;

/// The modes of these paths after these operations, under the caller's umask. Descriptors from 10 on are empty files.
#[track_caller]
fn modes(it: &Bwrap, mask: u32, operations: &[&str], paths: &[&str]) -> String {
    let cmd = [&["/bin/stat", "-c", "%a"], paths].concat();
    let mut launch = it.small(operations, &cmd);
    for number in 10..20 {
        launch = give(launch, number, data(""));
    }
    let launch = launch.before(move || {
        umask(Mode::from_bits_truncate(mask));
        Ok(())
    });
    launch.run().text().replace('\n', " ")
}

#[test]
fn default_modes_ignore_the_umask() {
    for it in subjects() {
        let operations = [
            &["--dir", "/d", "--tmpfs", "/t", "--file", "10", "/f"],
            &["--bind-data", "11", "/b", "--ro-bind-data", "12", "/r"][..],
        ];
        for mask in [0o000, 0o022, 0o077] {
            let all = modes(&it, mask, &operations.concat(), &["/d", "/t", "/f", "/b", "/r"]);
            assert_eq!(all, "755 755 666 600 600", "umask {mask:o}");
        }
    }
}

#[test]
fn perms_sets_the_mode_of_the_next_operation() {
    for it in subjects() {
        let operations = [
            &["--perms", "0701", "--dir", "/d", "--perms", "1777", "--tmpfs", "/t", "--perms", "640"][..],
            &["--file", "10", "/f", "--perms", "0644", "--bind-data", "11", "/b", "--perms", "751"],
            &["--ro-bind-data", "12", "/r", "--perms", "0", "--dir", "/n", "--dir", "/after"],
        ];
        for mask in [0o000, 0o077] {
            let all = modes(&it, mask, &operations.concat(), &["/d", "/t", "/f", "/b", "/r", "/n", "/after"]);
            assert_eq!(all, "701 1777 640 644 751 0 755", "umask {mask:o}");
        }
        // An existing file keeps its mode.
        let again = ["--perms", "0700", "--dir", "/d", "--perms", "0711", "--dir", "/d"];
        assert_eq!(modes(&it, 0o022, &again, &["/d"]), "700");
    }
}

/// A class of users without access to the file gets no access to the parents that were made for it.
#[test]
fn parents_are_closed_to_those_without_access() {
    for it in subjects() {
        for (perms, parents) in
            [("0701", "705"), ("0750", "750"), ("0000", "700"), ("0050", "750"), ("0005", "705"), ("0711", "755")]
        {
            let rows: [&[&str]; 5] = [
                &["--dir", "/a/b/c"],
                &["--tmpfs", "/a/b/c"],
                &["--file", "10", "/a/b/c"],
                &["--bind-data", "10", "/a/b/c"],
                &["--ro-bind-data", "10", "/a/b/c"],
            ];
            // A different operation for each mode: the rule is the same for all.
            let row = rows[perms.bytes().map(usize::from).sum::<usize>() % rows.len()];
            let operations = [&["--perms", perms], row].concat();
            assert_eq!(
                modes(&it, 0o022, &operations, &["/a", "/a/b"]),
                format!("{parents} {parents}"),
                "{operations:?}"
            );
        }
    }
}

#[test]
fn parents_of_mounts_are_private_by_default() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        let rows: [(&[&str], &str); 9] = [
            (&["--dir", "/a/b/c"], "755"),
            (&["--tmpfs", "/a/b/c"], "755"),
            (&["--file", "10", "/a/b/c"], "755"),
            (&["--bind-data", "10", "/a/b/c"], "700"),
            (&["--ro-bind-data", "10", "/a/b/c"], "700"),
            (&["--bind", dir.str(), "/a/b/c"], "700"),
            (&["--ro-bind", helper(), "/a/b/c"], "700"),
            (&["--symlink", "x", "/a/b/c"], "700"),
            (&["--proc", "/a/b/c"], "700"),
        ];
        for mask in [0o000, 0o077] {
            for (operations, mode) in rows {
                let found = modes(&it, mask, operations, &["/a", "/a/b"]);
                assert_eq!(found, format!("{mode} {mode}"), "{operations:?} under {mask:o}");
            }
        }
    }
}

/// The command has the caller's umask.
#[test]
fn callers_umask_is_cmds() {
    for it in subjects() {
        for (mask, text) in [(0o022, "0022"), (0o137, "0137")] {
            let launch = it.small(&["--dir", "/d"], &["/bin/sh", "-c", "umask"]).before(move || {
                umask(Mode::from_bits_truncate(mask));
                Ok(())
            });
            launch.run().says(text);
        }
    }
}

#[test]
fn files_belong_to_the_caller() {
    for it in subjects() {
        let operations =
            ["--dir", "/a/d", "--file", "10", "/a/f", "--bind-data", "11", "/a/b", "--symlink", "x", "/a/l"];
        let launch = it.small(&operations, &["/bin/stat", "-c", "%u %g", "/a", "/a/d", "/a/f", "/a/b", "/a/l"]);
        let out = give(give(launch, 10, data("")), 11, data("")).run();
        let owner = format!("{} {}\n", it.who.uid(), it.who.gid());
        assert_eq!(out.stdout, owner.repeat(5), "{out}");
    }
}
