//! The integration suite again, inside an initramfs: what nsinit does where pivot_root(2) can't leave the root of all.
//!
//! A Debian's /usr is a disk; all else, the tests' directories too, is in the initramfs, which nsinit has booted. Of the suite a part
//! is run, which takes a few minutes; `NSINIT_SUITE=all` runs the whole, which takes hours, and any other word what it names.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::harness::{Disk, End, Image, Kernel, attempt, kernels, script, skip, tool};

/// What shows most of how a root is made, in the least time.
const PART: &[&str] = &["basic::", "isolation::", "a_stopped_cmd"];

/// What is not for there: loops of thousands of launches, what looks at the sources, and the maps of an ordinary user's container,
/// whose parent is the namespace that nsinit stands in, of one id.
const LEFT_OUT: &[&str] = &[
    "attack::",
    "property::",
    "no_refusal",
    "every_status_comes_back",
    "tidy::",
    "differences::",
    "the_user_namespaces_blocking_descriptor",
];

#[test]
fn the_suite_holds_in_an_initramfs() {
    let Some(debian) = attempt(&mut script("debian")) else { return skip("no Debian can be had (scripts/debian)") };
    let asked = std::env::var("NSINIT_SUITE").unwrap_or_default();
    let (names, limit): (Vec<&str>, _) = match asked.as_str() {
        "" => (PART.to_vec(), Duration::from_secs(900)),
        "all" => (Vec::new(), Duration::from_secs(6 * 3600)),
        names => (names.split(' ').collect(), Duration::from_secs(3 * 3600)),
    };
    for kernel in kernels(&[Kernel::V6_1]) {
        let image = image(kernel, Path::new(&debian), &names);
        let disk = Disk::of(&Path::new(&debian).join("usr"));
        let mut options = vec!["-m", "1024"];
        options.extend(disk.as_drive());
        let boot = image.start_with("", &options).finish_within(limit);
        let failed: Vec<&str> = boot.log.lines().filter(|line| line.ends_with("FAILED")).collect();
        let passed = boot.log.contains("test result: ok. ") && !boot.log.contains("test result: ok. 0 passed");
        assert!(boot.end == End::Off && passed, "{failed:#?}\n{boot}");
    }
}

fn image(kernel: Kernel, debian: &Path, names: &[&str]) -> Image {
    let mut image = Image::empty(kernel);
    for name in ["bin", "sbin", "lib", "lib64"] {
        tool(Command::new("cp").arg("-P").arg(debian.join(name)).arg(image.at(name)));
    }
    tool(Command::new("cp").arg("-r").arg(debian.join("etc")).arg(image.at("etc")));
    for name in ["usr", "tmp", "root", "var/tmp", "home"] {
        image.dir(name);
    }
    image.busybox_alone("pre/busybox");
    image.nsinit("pre/nsinit");
    image.put(&suite(), "pre/it");
    tool(Command::new("strip").arg(image.at("pre/it")));
    image.program("it/helper", "pre/helper");
    image.program("it/compat/helper", "pre/compat-helper");
    // What the suite would compile is there.
    image.file(
        "pre/cc",
        "#!/bin/sh\nfor word; do [ \"$last\" = -o ] && out=$word; last=$word; done\n\
         case $last in */compat/helper.c) cp /pre/compat-helper \"$out\" ;; *) cp /pre/helper \"$out\" ;; esac\n",
    );
    image.modules(&["virtio_pci", "virtio_blk", "overlay", "loop", "squashfs", "erofs"]);
    let skipped: String = LEFT_OUT.iter().map(|name| format!(" --skip {name}")).collect();
    image.file(
        "pre/run",
        &format!(
            "export PATH=/pre:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root RUST_BACKTRACE=0\n\
             export NSINIT_BIN=/pre/nsinit NSINIT_SIDE=ours NSINIT_DEADLINE=120\n\
             insmod() {{ /pre/busybox insmod \"$1\"; }}; . /modules; while [ ! -e /dev/vda ]; do /pre/busybox sleep 0.1; done\n\
             /pre/busybox mount -t ext4 /dev/vda /usr || exit; cp /pre/busybox /usr/bin; chmod 1777 /tmp; echo 1 >/proc/sys/kernel/printk\n\
            it --color never --test-threads 4 {}{skipped} 2>&1 </dev/null | cat\n",
            names.join(" ")
        ),
    );
    image.words(&["--", "/pre/busybox", "sh", "/pre/run"]);
    image
}

/// The suite as it was built, or is.
fn suite() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words = ["test", "--locked", "--test", "it", "--no-run", "--message-format", "json", "--quiet"];
    let said = tool(Command::new(cargo).args(words).current_dir(env!("CARGO_MANIFEST_DIR")));
    let found = said.lines().filter(|line| line.contains("\"kind\":[\"test\"]")).find_map(|line| {
        let (_, path) = line.split_once("\"executable\":\"")?;
        path.split('"').next().map(PathBuf::from)
    });
    found.expect("cargo says where the suite is")
}
