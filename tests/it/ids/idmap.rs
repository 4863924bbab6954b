//! --idmap: files keep their owners on disk.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use super::{Granted, is_mappable, owner};
use crate::harness::launch::{attempt, quiet, tool};
use crate::harness::scratch::utf8;
use crate::harness::{Deny, Dir, Launch, Out, Root, Who, roots, skip, who};

const MAPPED: [&str; 2] = ["--map-auto", "--idmap"];

/// A root below a directory that only root may search, with the ids of root.
fn private() -> Option<(Dir, Root, Granted)> {
    let root = who::root().and_then(Root::new)?;
    let granted = Granted::new(Who::Root)?;
    let place = Dir::new(Who::Root);
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o700)).expect("chmod");
    if !is_mappable(&root, &granted) {
        return None;
    }
    Some((place, root, granted))
}

fn sh(granted: &Granted, words: &[&str], script: &str) -> Out {
    granted.launch().args(words).args(["--", "/bin/sh", "-c", script]).run()
}

#[test]
fn files_of_the_root_keep_their_owners() {
    let Some((place, root, granted)) = private() else { return };
    // The caller may search the directory; the container's root, another user outside, may not.
    fs::rename(root.path(), place.at("root")).expect("move the root");
    let at = |name: &str| place.at("root").join(name);
    chown(at("etc"), Some(1000), Some(1001)).expect("chown");
    let moved = at("");
    let words = ["--root", utf8(&moved), MAPPED[0], MAPPED[1]];
    let script = "stat -c '%u %g' / /etc /bin/busybox; touch /tmp/a /tmp/b; chown 1000:1001 /tmp/b; stat -c '%u %g' /tmp/a /tmp/b; \
                  cat /proc/self/mountinfo | grep -c ' / / .*idmapped\\| / .*idmapped' >/dev/null; id -u";
    sh(&granted, &words, script).says("0 0\n1000 1001\n0 0\n0 0\n1000 1001\n0");
    assert_eq!((owner(at("tmp/a")), owner(at("tmp/b"))), ((0, 0), (1000, 1001)));
    // Another user inside is that user on disk.
    fs::set_permissions(at("tmp"), fs::Permissions::from_mode(0o1777)).expect("chmod");
    let user = [&words[..], &["--uid", "1000", "--gid", "1001"]].concat();
    sh(&granted, &user, "touch /tmp/c; rm -f /tmp/a; touch /tmp/b").fails_in_sh("rm: can't remove '/tmp/a'");
    assert_eq!(owner(at("tmp/c")), (1000, 1001));
    fs::rename(place.at("root"), root.path()).expect("move the root back");
}

impl Out {
    /// The command complained of this alone, and nsinit of nothing.
    #[track_caller]
    fn fails_in_sh(&self, beginning: &str) {
        assert!(self.status == 0 && self.stderr.starts_with(beginning) && !self.stderr.contains("nsinit"), "{self}");
    }
}

#[test]
fn binds_are_shown_through_the_map() {
    let Some((place, root, granted)) = private() else { return };
    for name in ["rw", "ro"] {
        place.dir(name);
        place.file(&format!("{name}/file"), "x");
        chown(place.at(&format!("{name}/file")), Some(1000), Some(1001)).expect("chown");
    }
    let (rw, ro, none) = (place.at("rw"), place.at("ro"), place.at("none"));
    let options = [
        &MAPPED[..],
        &["--bind", utf8(&rw), "/mnt/rw", "--ro-bind", utf8(&ro), "/mnt/ro", "--bind-try", utf8(&none), "/mnt/none"],
        &["--ro-bind-fd", "3", "/mnt/fd", "--bind", "rw/file", "/mnt/file"],
    ]
    .concat();
    let script = "stat -c '%u %g' /mnt/rw/file /mnt/ro/file /mnt/fd/file /mnt/file; touch /mnt/rw/new; ls /mnt; \
                  for to in ro fd; do touch /mnt/$to/x 2>/dev/null || echo refused; done";
    granted
        .launch()
        .directory(place.path())
        .args(["--root", root.str()])
        .args(options)
        .args(["--", "/bin/sh", "-c", script])
        .open_as(&ro, 3)
        .run()
        .says("1000 1001\n1000 1001\n1000 1001\n1000 1001\nfd\nfile\nro\nrw\nrefused\nrefused");
    assert_eq!(owner(place.at("rw/new")), (0, 0));
    // Without --idmap the container's root is another user.
    let plain = ["--map-auto", "--bind", utf8(&rw), "/mnt/rw"];
    granted
        .sh(&root, &plain, "echo ran")
        .fails("Permission denied (the container's root is not root outside: use --idmap");
    let missing = [&MAPPED[..], &["--bind", utf8(&none), "/mnt/none"]].concat();
    granted
        .sh(&root, &missing, "echo ran")
        .fails(&format!("show through the id map {}: No such file or directory", utf8(&none)));
}

#[test]
fn attributes_hold_through_the_map() {
    let Some((_place, root, granted)) = private() else { return };
    let script = "touch /x 2>/dev/null || echo refused; grep ' / ' /proc/mounts | cut -d ' ' -f 4 | tr , '\\n' | grep -E '^(ro|nosuid|nodev)$' | sort";
    let options = [&MAPPED[..], &["--read-only"]].concat();
    granted.sh(&root, &options, script).says("refused\nnodev\nnosuid\nro");
    // Mounts of the container do not propagate, and set-id programs of the root have an effect only if they may.
    let out = granted.sh(&root, &[&MAPPED[..], &["--allow-new-privs"]].concat(), "grep ' / ' /proc/mounts");
    assert!(out.text().contains("nodev") && !out.text().contains("nosuid"), "{out}");
}

#[test]
fn volatile_root_is_shown_through_the_map() {
    let Some((_place, root, granted)) = private() else { return };
    chown(root.at("etc"), Some(1000), Some(1001)).expect("chown");
    let options = [&MAPPED[..], &["--volatile"]].concat();
    let out = granted.sh(
        &root,
        &options,
        "stat -c '%u %g' /etc; touch /etc/x && chown 5:6 /etc/x /etc && stat -c '%u %g' /etc/x /etc",
    );
    if out.stderr.contains("overlay") {
        return skip("overlays of mounts with an id map need Linux 5.19");
    }
    out.says("1000 1001\n5 6\n5 6");
    assert_eq!(owner(root.at("etc")), (1000, 1001));
    assert!(!root.at("etc/x").exists());
}

#[test]
fn image_is_shown_through_the_map() {
    let Some((_place, root, granted)) = private() else { return };
    chown(root.at("etc"), Some(1000), Some(1001)).expect("chown");
    let dir = Dir::new(Who::Root);
    let mut make = Command::new("mke2fs");
    make.args(["-q", "-t", "ext4", "-d", root.str()]).arg(dir.at("image")).arg("16M");
    if attempt(Command::new("which").arg("mke2fs")).is_none() {
        return skip("mke2fs is not installed");
    }
    tool(&mut make);
    for more in [&[][..], &["--volatile"]] {
        let image = dir.at("image");
        let words = [&["--image", utf8(&image)], &MAPPED[..], more].concat();
        sh(&granted, &words, "stat -c '%u %g' / /etc").says("0 0\n1000 1001");
    }
}

/// devtmpfs cannot be shown through a map.
#[test]
fn device_files_are_bound_as_they_are() {
    let Some((_place, root, granted)) = private() else { return };
    let options = [&MAPPED[..], &["--dev-bind", "/dev/zero", "/dev/more"]].concat();
    let script = "head -c 3 /dev/more | wc -c; stat -c %u /dev/more; chmod 600 /dev/more 2>/dev/null || echo refused";
    granted.sh(&root, &options, script).says("3\n65534\nrefused");
}

/// What cannot be shown through a map is never shown without it.
#[test]
fn what_cannot_be_mapped_is_refused() {
    let Some((_place, root, granted)) = private() else { return };
    let support = "this file system does not support it";
    let proc = [&MAPPED[..], &["--bind", "/proc", "/mnt"]].concat();
    granted.sh(&root, &proc, "echo ran").fails(support);
    // A mount below.
    let launch = |options: &[&str]| {
        let line = format!("mount -t proc proc {}", utf8(&root.at("tmp")));
        granted
            .prepared(&line)
            .args(["--root", root.str()])
            .args(MAPPED)
            .args(options)
            .args(["--", "echo", "ran"])
            .run()
    };
    let below = "a file system that is mounted below it does not support it";
    launch(&[]).fails(&format!("show through the id map {}: Invalid argument ({below})", root.str()));
    // A kernel that lacks the call.
    let old = granted.launch().args(["--root", root.str()]).args(MAPPED).args(["--", "echo", "ran"]);
    let out = old.deny(Deny::all(libc::SYS_mount_setattr, libc::ENOSYS)).run();
    out.fails(&format!("cannot show through the id map {}: Function not implemented", root.str()));
    let refused = granted.launch().args(["--root", root.str()]).args(MAPPED).args(["--", "echo", "ran"]);
    refused.deny(Deny::all(libc::SYS_mount_setattr, libc::EPERM)).run().fails("show through the id map");
}

#[test]
fn idmap_needs_root_and_a_map() {
    for root in roots() {
        let line = if root.who.is_root() {
            "--idmap needs --map-auto, or --map-uid and --map-gid"
        } else {
            "--idmap needs root"
        };
        root.sh(&["--idmap"], "echo ran").fails(line);
        if root.who.is_root() {
            let map = ["--idmap", "--map-uid", "0:5000:10", "--map-gid", "0:5000:10"];
            let overlay = [&map[..], &["--overlay-src", root.str(), "--tmp-overlay", "/mnt"]].concat();
            root.sh(&overlay, "echo ran").fails("--idmap excludes --overlay-src");
        }
    }
    // Root of a user namespace is not root of the machine.
    let Some(root) = who::user().and_then(Root::new) else { return };
    Launch::of(root.who, Path::new("/usr/bin/unshare"))
        .args(["--user", "--map-root-user"])
        .args([crate::harness::scratch::nsinit()])
        .args(["--root", root.str(), "--idmap", "--map-uid", "0:0:1", "--map-gid", "0:0:1", "--", "echo", "ran"])
        .run()
        // The kernel may look at the file system first.
        .fails("cannot show through the id map");
}

/// The containers of one root and several maps: the files on disk serve them all.
#[test]
fn one_root_serves_several_maps() {
    let Some((_place, root, granted)) = private() else { return };
    for first in [70_000u32, 900_000] {
        let map = format!("0:{first}:65536");
        let options = ["--map-uid", &map, "--map-gid", &map, "--idmap"];
        granted.sh(&root, &options, "touch /tmp/x; stat -c %u /tmp/x").says("0");
        assert_eq!(fs::metadata(root.at("tmp/x")).expect("a file").uid(), 0);
    }
    assert!(quiet(Command::new("rm").arg(root.at("tmp/x"))));
}
