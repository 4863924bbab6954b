//! `--image`: a root that is a file system in a file.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::harness::launch::{attempt, quiet, tool};
use super::harness::{Deny, Dir, Launch, Root, Who, skip, who};
use super::path_races::{StopOnDrop, exchange};

const TYPES: [&str; 3] = ["erofs", "squashfs", "ext4"];

/// A busybox root as a file system image of that type, in a new directory. None, after a skip message, if the tool or
/// the kernel lacks it.
fn image(kind: &str) -> Option<(Dir, PathBuf)> {
    let root = Root::new(Who::Root)?;
    // A device node in the image must not work, even if root made it.
    quiet(Command::new("mknod").arg(root.at("null")).args(["c", "1", "3"]));
    let dir = Dir::new(Who::Root);
    let path = dir.at("image");
    let mut make = match kind {
        "erofs" => Command::new("mkfs.erofs"),
        "squashfs" => Command::new("mksquashfs"),
        _ => Command::new("mke2fs"),
    };
    match kind {
        "erofs" => make.arg(&path).arg(root.path()),
        "squashfs" => make.arg(root.path()).arg(&path).arg("-quiet"),
        _ => make.args(["-q", "-t", "ext4", "-d", root.str()]).arg(&path).arg("16M"),
    };
    if make.get_program().to_str().is_none_or(|name| attempt(Command::new("which").arg(name)).is_none()) {
        skip(&format!("cannot run {make:?}: not installed"));
        return None;
    }
    tool(&mut make);
    let known = || fs::read_to_string("/proc/filesystems").is_ok_and(|list| list.contains(&format!("\t{kind}\n")));
    if !known() && !quiet(Command::new("modprobe").arg(kind)) && !known() {
        skip(&format!("the kernel does not support {kind}"));
        return None;
    }
    Some((dir, path))
}

/// nsinit with the image as its root, run by root.
fn run(path: &Path, options: &[&str], script: &str) -> Launch {
    Launch::new(Who::Root).args(["--image".as_ref(), path]).args(options).args(["--", "/bin/sh", "-c", script])
}

/// The loop devices that use the file.
fn loops(path: &Path) -> String {
    tool(Command::new("losetup").arg("-j").arg(path))
}

#[test]
fn image_is_mounted_read_only_as_the_root() {
    if who::root().is_none() {
        return;
    }
    for kind in TYPES {
        let Some((dir, path)) = image(kind) else { continue };
        let before = dir.listing();
        let script = "head -n 1 /proc/mounts | cut -d ' ' -f 2,3; ls -d /proc/self /dev/null /sys/kernel; id -u";
        run(&path, &[], script).run().says(&format!("/ {kind}\n/dev/null\n/proc/self\n/sys/kernel\n0"));
        run(&path, &[], "touch /x").run().is(1, "", "touch: /x: Read-only file system\n");
        run(&path, &["--read-only"], "touch /x").run().is(1, "", "touch: /x: Read-only file system\n");
        run(&path, &["--volatile"], "echo new >/x; cat /x; rm /bin/ls; [ -e /bin/ls ] || echo gone")
            .run()
            .says("new\ngone");
        run(&path, &["--cap-add", "ALL"], "mount -o remount,rw / 2>/dev/null; touch /x").run().is(
            1,
            "",
            "touch: /x: Read-only file system\n",
        );
        run(&path, &[], "cat /null").run().is(1, "", "cat: can't open '/null': Permission denied\n");
        run(&path, &["--share-user"], "exit 7").run().is(7, "", "");
        run(&path, &["--tmpfs", "/tmp"], "touch /tmp/x; ls /tmp").run().says("x");
        run(&path, &["--tmpfs", "/new"], "true").run().fails(
            "mount tmpfs on /new: Read-only file system (it does not exist and the root is read-only: create it first, or use --volatile)",
        );
        run(&path, &["--volatile", "--tmpfs", "/new"], "ls -d /new").run().says("/new");
        assert_eq!((loops(&path), dir.listing()), (String::new(), before));
    }
}

/// A launch that is killed leaves no loop device. A loop device can itself be the image.
#[test]
fn no_loop_device_is_left() {
    if who::root().is_none() {
        return;
    }
    for kind in TYPES {
        let Some((_dir, path)) = image(kind) else { continue };
        let mut running = run(&path, &["--volatile"], "echo up; exec sleep 1000").start();
        assert_eq!(running.line(), "up");
        running.kill(libc::SIGKILL);
        running.finish();
        assert_eq!(loops(&path), "");
        let Some(device) = attempt(Command::new("losetup").args(["--read-only", "--show", "-f"]).arg(&path)) else {
            skip("no loop device is available");
            continue;
        };
        let device = device.trim_end();
        run(Path::new(device), &[], "exit 7").run().is(7, "", "");
        tool(Command::new("losetup").args(["-d", device]));
        assert_eq!(loops(&path), "");
    }
}

/// CVE-2026-27456, CVE-2026-1386: the file was opened twice, once to look at it and once to use it. Here an attacker exchanges it for
/// another all the time; the file whose type was found is the one that is mounted, so that every launch works.
#[test]
fn image_is_opened_once() {
    if who::root().is_none() {
        return;
    }
    let [Some((dir, path)), Some((_other_dir, other))] = ["erofs", "squashfs"].map(image) else { return };
    let files = [path.clone(), dir.at("other")];
    fs::copy(other, &files[1]).expect("copy the other image");
    let stop = AtomicBool::new(false);
    let kinds: BTreeSet<String> = thread::scope(|scope| {
        scope.spawn(|| {
            let [one, other] = files.each_ref().map(|file| CString::new(file.as_os_str().as_bytes()).expect("no NUL"));
            while !stop.load(Ordering::Relaxed) {
                exchange(&one, &other);
            }
        });
        let _stop = StopOnDrop(&stop);
        let script = "head -n 1 /proc/mounts | cut -d ' ' -f 3";
        (0..100).map(|_| run(&path, &[], script).run().text().trim_end().to_owned()).collect()
    });
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["erofs", "squashfs"]);
    assert_eq!((loops(&path), loops(&files[1])), (String::new(), String::new()));
}

#[test]
fn unusable_images_are_refused() {
    let line = |path: &Path, why: &str| format!("{}: {why}", path.display());
    for who in who::both() {
        let dir = Dir::new(who);
        let text = dir.file("text", "no image");
        let run = |path: &Path| Launch::new(who).args(["--image".as_ref(), path]).args(["--", "true"]).run();
        if !who.is_root() {
            run(&text).fails("--image needs root");
            continue;
        }
        run(&text).fails(&format!("mount image {}", line(&text, "it is not an erofs, squashfs or ext4 file system")));
        run(&dir.file("empty", "")).fails("it is not an erofs, squashfs or ext4 file system");
        run(dir.path()).fails(&format!("mount image {}", line(dir.path(), "Is a directory")));
        run(&dir.at("nosuch")).fails(&format!("open image {}", line(&dir.at("nosuch"), "No such file or directory")));
        // The launch does not block on a FIFO.
        run(&dir.fifo("fifo")).fails("mount image ");
        // Only the magic number of a squashfs.
        run(&dir.file("like", &format!("hsqs{}", "\0".repeat(4096)))).fails("mount image ");
        Launch::new(who).args(["--image", "/x", "--bind", "/", "/", "true"]).run().fails("must be below the root");
        Launch::new(who)
            .args(["--enter", "1", "--image", "/x", "--", "true"])
            .run()
            .fails("--image and --enter exclude each other");
    }
}

/// The message for each errno of the kernel.
#[test]
fn mount_errors_of_images_are_explained() {
    if who::root().is_none() {
        return;
    }
    let Some((_dir, path)) = image("squashfs") else { return };
    let rows = [
        (
            Deny::all(libc::SYS_fsopen, libc::ENOSYS),
            "mount image ",
            "Function not implemented (nsinit was started under a seccomp filter, which may forbid this)",
        ),
        (
            Deny::all(libc::SYS_fsopen, libc::EPERM),
            "mount image ",
            "Operation not permitted (nsinit was started under a seccomp filter, which may forbid this)",
        ),
        (
            Deny::all(libc::SYS_fsopen, libc::ENODEV),
            "mount image ",
            "No such device (the kernel does not know this file system: is its module missing?)",
        ),
        // LOOP_CONFIGURE, LOOP_CTL_GET_FREE.
        (Deny::when(libc::SYS_ioctl, 1, u64::MAX, 0x4c0a, libc::EBUSY), "mount image ", "Device or resource busy"),
        (Deny::when(libc::SYS_ioctl, 1, u64::MAX, 0x4c82, libc::EIO), "mount image ", "Input/output error"),
    ];
    for (deny, begin, end) in rows {
        let out = run(&path, &[], "echo ran").deny(deny).run();
        out.fails(begin);
        assert!(out.stderr.ends_with(&format!("{end}\n")), "{out}");
    }
    assert_eq!(loops(&path), "");
}
