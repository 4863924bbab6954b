//! `--overlay-root`: a root whose writes go to a directory, and are there again at the next start.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::process::Command;

use super::harness::launch::quiet;
use super::harness::procs::eventually;
use super::harness::{Dir, Out, Root, roots};

/// A root, and the two directories.
struct Layers {
    root: Root,
    dir: Dir,
}

impl Layers {
    fn all() -> Vec<Layers> {
        let with = |root: Root| {
            let dir = Dir::new(root.who);
            dir.dir("upper");
            dir.dir("work");
            root.file("etc/old", "old\n");
            Layers { root, dir }
        };
        roots().into_iter().map(with).collect()
    }

    #[track_caller]
    fn sh(&self, options: &[&str], script: &str) -> Out {
        let [upper, work] = ["upper", "work"].map(|name| self.dir.at(name));
        let layers = ["--overlay-root", upper.to_str().expect("UTF-8"), work.to_str().expect("UTF-8")];
        self.root.sh(&[&layers, options].concat(), script)
    }
}

impl Drop for Layers {
    /// overlayfs makes a directory that its owner may not search either.
    fn drop(&mut self) {
        let _ = fs::set_permissions(self.dir.at("work/work"), Permissions::from_mode(0o700));
    }
}

#[test]
fn writes_are_there_at_the_next_start() {
    for it in Layers::all() {
        let before = it.root.listing();
        let change = "echo new >/etc/old; rm /bin/yes; mkdir /etc/made; ln -s old /etc/link; rm -r /mnt; mkdir /mnt; touch /mnt/x";
        it.sh(&[], change).is(0, "", "");
        // What the container has changed is in the one directory, and nothing of DIR has changed.
        assert_eq!(it.root.read("etc/old"), "old\n");
        assert_eq!(it.root.listing(), before);
        assert_eq!(fs::read_to_string(it.dir.at("upper/etc/old")).expect("read the layer"), "new\n");
        let whiteout = fs::symlink_metadata(it.dir.at("upper/bin/yes")).expect("look at a file that was removed");
        assert!(whiteout.file_type().is_char_device());
        // Twice: the layer is used again, and changed again.
        let look = "cat /etc/old /etc/link; ls /etc /mnt; ls /bin/yes 2>&1";
        let seen = "new\nnew\n/etc:\nlink\nmade\nold\n\n/mnt:\nx\nls: /bin/yes: No such file or directory\n";
        it.sh(&[], look).is(1, seen, "");
        it.sh(&[], "rmdir /etc/made; ls /etc").is(0, "link\nold\n", "");
        it.sh(&["--tmpfs", "/mnt"], "ls /etc /mnt").is(0, "/etc:\nlink\nold\n\n/mnt:\n", "");
        // Without the layer, DIR is as it was.
        it.root.sh(&[], "cat /etc/old; ls /etc; ls /bin/yes").is(0, "old\nold\n/bin/yes\n", "");
    }
}

/// One container at a time writes there; the lock ends with the container, whatever ends that.
#[test]
fn layer_belongs_to_one_container() {
    for it in Layers::all() {
        let upper = it.dir.at("upper");
        let refused = format!(
            "nsinit: cannot lock {}: Resource temporarily unavailable (another container writes there)\n",
            upper.display()
        );
        for more in [&[][..], &["--as-pid-1"], &["--share-pid"]] {
            let [upper, work] = ["upper", "work"].map(|name| it.dir.at(name));
            let layers = ["--overlay-root", upper.to_str().expect("UTF-8"), work.to_str().expect("UTF-8")];
            let options = [&layers, more].concat();
            let mut run = it.root.launch(&options, &["sh", "-c", "echo up; read x"]).open_input().start();
            assert_eq!(run.line(), "up");
            for _ in 0..2 {
                it.sh(&[], "true").is(125, "", &refused);
            }
            // Nor can another one have the same WORK: the kernel would empty it.
            let _ = fs::create_dir(it.dir.at("other"));
            let other = it.dir.at("other");
            let layers = ["--overlay-root", other.to_str().expect("UTF-8"), layers[2]];
            let why = format!("cannot lock {}: Resource temporarily unavailable", work.display());
            it.root.run(&layers, &["true"]).fails(&why);
            run.kill(libc::SIGKILL);
            assert_eq!(run.finish().status, -libc::SIGKILL, "{more:?}");
            // Process 1 is about to end.
            eventually("the lock has ended", || (it.sh(&[], "true").status == 0).then_some(()));
        }
    }
}

/// The layer was written by a container, which may have been hostile: nothing in it leads outside.
#[test]
fn hostile_layer_leads_nowhere() {
    for it in Layers::all() {
        let outside = Dir::new(it.root.who);
        outside.file("secret", "secret\n");
        let layer = |name: &str| it.dir.at(&format!("upper/{name}"));
        // Directories that nsinit mounts on are links that lead outside.
        for name in ["dev", "proc", "sys", "tmp"] {
            it.dir.symlink(outside.path(), &format!("upper/{name}"));
        }
        let refused = it.sh(&[], "true");
        assert_eq!((refused.status, refused.stdout.as_str()), (125, ""), "{refused}");
        for name in ["dev", "proc", "sys", "tmp"] {
            fs::remove_file(layer(name)).expect("remove a link");
        }
        // A parent of a destination that leads outside leads to the same path inside, which does not exist there.
        it.dir.symlink(outside.path(), "upper/out");
        let before = outside.listing();
        let refused = it.sh(&["--dir", "/out/made"], "true");
        assert!(refused.status == 125 && refused.stderr.contains("cannot make directory /out/made"), "{refused}");
        it.sh(&["--dir", outside.str(), "--dir", "/out/made"], "ls /out").is(0, "made\n", "");
        assert_eq!(outside.listing(), before);
        // Device files open no device, and set-id programs give no rights.
        if it.root.who.is_root() {
            assert!(quiet(Command::new("mknod").arg(layer("zero")).args(["c", "1", "5"])));
            it.sh(&[], "head -c 1 /zero").is(1, "", "head: /zero: Permission denied\n");
            // The whole of /bin has been removed: there is no command.
            fs::rename(layer("zero"), layer("gone")).expect("rename");
        }
        it.sh(&[], "rm -rf /etc").is(0, "", "");
        // /etc is a file that was removed; what nsinit needs there is made again.
        it.sh(&["--dir", "/etc/made"], "ls /etc").is(0, "made\n", "");
        it.sh(&["--tmpfs", "/dev/shm/x"], "ls -d /dev/null").is(0, "/dev/null\n", "");
    }
}

#[test]
fn directories_that_cannot_be_used_are_reported() {
    for it in Layers::all() {
        let upper = it.dir.at("upper");
        let upper = upper.to_str().expect("UTF-8");
        let none = it.dir.at("none");
        let none = none.to_str().expect("UTF-8");
        let line = format!("nsinit: cannot open directory {none}: No such file or directory\n");
        it.root.sh(&["--overlay-root", none, upper], "true").is(125, "", &line);
        it.root.sh(&["--overlay-root", upper, none], "true").is(125, "", &line);
        for other in ["--volatile", "--read-only"] {
            it.sh(&[other], "true").is(
                125,
                "",
                "nsinit: --overlay-root and --overlay-device exclude each other, --read-only and --volatile\n",
            );
        }
        it.root.sh(&["--overlay-root", upper, ""], "true").fails("--overlay-root");
        // The work directory lies in the layer.
        let out = it.root.sh(&["--overlay-root", upper, upper], "true");
        assert!(out.status == 125 && out.stderr.starts_with("nsinit: cannot mount an overlay on "), "{out}");
    }
}
