//! The smallest machine: nsinit, with what it needs there, and one program.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::harness::{End, Image, NATIVE, attempt, kernels, tool, with_features};

/// The size limit of the whole image, in bytes.
const MOST: u64 = 60_000;

#[test]
fn nsinit_and_one_program_fit_in_60_kilobytes() {
    let mut sizes = Vec::new();
    let nsinit = with_features("core,boot,initramfs,legacy");
    for kernel in kernels(&NATIVE) {
        let mut image = Image::empty(kernel);
        for name in ["app", "app/proc", "app/dev", "app/sys"] {
            image.dir(name);
        }
        let program = image.at("app/tiny");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vm/tiny.c");
        let words = ["-static", "-nostdlib", "-Os", "-Wall", "-Wextra", "-Werror", "-s", "-Wl,--build-id=none", "-o"];
        tool(Command::new("cc").args(words).arg(&program).arg(source));
        image.words(&["--root", "/app", "--as-pid-1", "--", "/tiny"]);
        let packed = image.pack_by("xz", |make| _ = make.env("NSINIT_BIN", &nsinit));
        sizes.push(std::fs::metadata(&packed).expect("the image").len());
        image.boot_packed(packed, "").is(End::Off, "hello from process 1, user 0\n");
    }
    assert!(sizes.iter().all(|size| *size <= MOST), "{sizes:?}");
}

/// For another user, in another directory, with another locale, time zone and umask.
#[test]
fn image_build_is_reproducible() {
    let Some(kernel) = kernels(&NATIVE).pop() else { return };
    let mut image = Image::new(kernel);
    image.words(&["--", "sh", "-c", "echo 'it'\"'\"'s'  \"\""]);
    let sum = |path: &Path| tool(Command::new("sha256sum").arg(path))[..64].to_owned();
    for kind in ["xz", "gz", "zst"] {
        let first = sum(&image.pack(kind));
        let other = image.copy_of_all();
        let again = other.pack_by(kind, |make| {
            make.env("TZ", "Asia/Tokyo").env("LC_ALL", "C.UTF-8").current_dir("/");
            if let Some(user) = other_user() {
                make.uid(user).gid(user);
            }
        });
        assert_eq!(first, sum(&again), "{kind}");
    }
}

/// The user nobody, if the tests run as root and nobody can read the sources.
fn other_user() -> Option<u32> {
    const NOBODY: u32 = 65534;
    let reads =
        attempt(Command::new("test").args(["-r", concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/lib.sh")]).uid(NOBODY));
    reads.map(|_| NOBODY)
}
