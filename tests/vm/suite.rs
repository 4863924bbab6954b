//! The integration suite inside an initramfs, where pivot_root(2) cannot leave the root.
//!
//! The /usr of a Debian is a disk; all other files, including the tests' directories, are in the initramfs, which
//! nsinit has booted. By default a part of the suite runs, which takes a few minutes; `NSINIT_SUITE=all` runs the
//! whole, which takes hours, and any other value names the tests to run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::harness::{Disk, End, Image, Kernel, attempt, kernels, script, skip, tool};

/// The tests that cover most of how a root is made, in the shortest time.
const PART: &[&str] = &["basic::", "isolation::", "stopped_cmd"];

/// Tests that do not fit there: loops of thousands of launches, tests of the sources, and the id maps of an ordinary
/// user's container: there nsinit is in a user namespace of one id.
const LEFT_OUT: &[&str] = &[
    "path_races::",
    "property::",
    "failing_calls_in_place",
    "failing_calls_never",
    "whichever_call_fails",
    "basic::every_exit_status_is_passed_on",
    "tidy::",
    "docs::",
    "differences::",
    "userns_block_fd_waits_for_id_maps",
];

/// A filter that matches no test would have no effect.
#[test]
fn every_filter_matches_a_test() {
    let list = tool(Command::new(suite()).arg("--list"));
    for filter in PART.iter().chain(LEFT_OUT) {
        assert!(list.lines().any(|line| line.contains(filter)), "no test has {filter} in its name");
    }
}

#[test]
fn suite_passes_in_an_initramfs() {
    let Some(debian) = attempt(&mut script("debian")) else { return skip("scripts/debian cannot make a Debian root") };
    let asked = std::env::var("NSINIT_SUITE").unwrap_or_default();
    let (names, limit): (Vec<&str>, _) = match asked.as_str() {
        "" => (PART.to_vec(), Duration::from_secs(1800)),
        "all" => (Vec::new(), Duration::from_secs(6 * 3600)),
        names => (names.split(' ').collect(), Duration::from_secs(3 * 3600)),
    };
    for kernel in kernels(&[Kernel::V6_1]) {
        let image = image(kernel, Path::new(&debian), &names);
        let disk = Disk::of(&Path::new(&debian).join("usr"));
        let mut options = vec!["-m", "1024", "-smp", "2"];
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
    image.program("it/escape", "pre/escape");
    image.program("it/compat/helper", "pre/compat-helper");
    // This cc copies programs that were compiled before.
    image.file(
        "pre/cc",
        "#!/bin/sh\nfor word; do [ \"$last\" = -o ] && out=$word; last=$word; done\n\
         case $last in */compat/helper.c) cp /pre/compat-helper \"$out\" ;; */escape.c) cp /pre/escape \"$out\" ;; *) cp /pre/helper \"$out\" ;; esac\n",
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

/// The executable of the suite, built if necessary.
fn suite() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words = ["test", "--locked", "--test", "it", "--no-run", "--message-format", "json", "--quiet"];
    let said = tool(Command::new(cargo).args(words).current_dir(env!("CARGO_MANIFEST_DIR")));
    let found = said.lines().filter(|line| line.contains("\"kind\":[\"test\"]")).find_map(|line| {
        let (_, path) = line.split_once("\"executable\":\"")?;
        path.split('"').next().map(PathBuf::from)
    });
    found.expect("cargo prints the path of the suite")
}
