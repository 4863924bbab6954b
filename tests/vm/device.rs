//! The device of a root: found by what its partition table and its file system say of it, and waited for.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use std::fs;
use std::io::Write;

use super::harness::{End, Image, Kernel, NATIVE, kernels, new_path, skip, tool};

const UUID: &str = "6b0e1f64-1f0a-4d3c-9d1f-6a3b6f6b8a01";
const PARTUUID: &str = "9c2f0b5e-7a1d-4c6e-8f00-0123456789ab";

/// A disk with a partition table, and file systems in its partitions.
struct Table(PathBuf);

impl Table {
    /// None, after a skip message, if sfdisk is not installed.
    fn new(script: &str) -> Option<Self> {
        let path = new_path("table");
        let disk = Self(path);
        tool(Command::new("truncate").args(["-s", "64M"]).arg(&disk.0));
        let mut sfdisk = Command::new("sfdisk");
        let child = sfdisk.arg("-q").arg(&disk.0).stdin(Stdio::piped()).spawn();
        let Ok(mut child) = child else {
            skip("sfdisk is not installed");
            return None;
        };
        child.stdin.take().expect("stdin is piped").write_all(script.as_bytes()).expect("write a partition table");
        assert!(child.wait().expect("wait for sfdisk").success(), "sfdisk failed");
        Some(disk)
    }

    /// Writes a file system of 20 MiB into the partition that begins at that MiB, with these files.
    fn fill(&self, at: u32, files: &Path, options: &[&str]) {
        let part = new_path("part");
        tool(Command::new("mke2fs").args(["-q", "-t", "ext4", "-d"]).arg(files).args(options).arg(&part).arg("20M"));
        let into = format!("of={}", self.0.display());
        let from = format!("if={}", part.display());
        tool(Command::new("dd").args([&from, &into, "bs=1M", "conv=notrunc"]).arg(format!("seek={at}")));
        let _ = fs::remove_file(part);
    }

    /// Removes the root directory of the ext4 that begins at that MiB.
    fn damage(&self, at: u32) {
        let path = format!("{}?offset={}", self.0.display(), u64::from(at) << 20);
        tool(Command::new("debugfs").args(["-w", "-R", "clri <2>"]).arg(path));
    }

    /// The options of qemu for it, as an NVMe disk: all kernels have that driver built in.
    fn options(&self) -> Vec<String> {
        let (drive, _) = self.drive();
        vec!["-drive".into(), drive, "-device".into(), "nvme,drive=late,serial=1".into()]
    }

    fn drive(&self) -> (String, &'static str) {
        (format!("file={},format=raw,if=none,id=late", self.0.display()), "nvme,drive=late,serial=1")
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The files of a new root whose init prints the line that says what is mounted, and switches the machine off.
fn new_root(kernel: Kernel) -> Image {
    let root = Image::new(kernel);
    for name in ["dev", "proc", "sys", "run"] {
        root.dir(name);
    }
    root.file(
        "sbin/init",
        "#!/bin/sh\necho \"$$ $*\"; cut -d ' ' -f 1-4 /proc/mounts | grep ' / ' | tail -n 1 | cut -d , -f 1; poweroff -f\n",
    );
    root
}

const GPT: &str = "label: gpt\nfirst-lba: 2048\n\
    size=20M, name=\"the root\", uuid=9C2F0B5E-7A1D-4C6E-8F00-0123456789AB\nsize=20M, name=other\n";

/// Every way to name a partition finds it, on every kernel.
#[test]
fn partition_is_found_by_every_name() {
    let Some(disk) = Table::new(GPT) else { return };
    for kernel in kernels(&NATIVE) {
        let root = new_root(kernel);
        disk.fill(1, &root.at(""), &["-U", UUID, "-L", "a root"]);
        let image = Image::empty(kernel);
        let names = [
            format!("UUID={UUID}"),
            format!("PARTUUID={}", PARTUUID.to_uppercase()),
            "'PARTLABEL=the root'".into(),
            "'LABEL=a root'".into(),
            format!("/dev/disk/by-partuuid/{PARTUUID}"),
            "/dev/nvme0n1p1".into(),
        ];
        let options = disk.options();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for name in if kernel == Kernel::V6_1 { &names[..] } else { &names[1..2] } {
            let machine =
                image.start_with(&format!("-- --switch-root /newroot --image {name} -- /sbin/init x"), &options);
            machine.finish().is(End::Off, "1 x\n/dev/nvme0n1p1 / ext4 ro\n");
        }
    }
}

/// `root=` and its words do what they do in the kernel; init= and the kernel's other words are those of the new init.
#[test]
fn root_on_the_command_line_is_switched_to() {
    let Some(disk) = Table::new(GPT) else { return };
    for kernel in kernels(&NATIVE) {
        let root = new_root(kernel);
        disk.fill(1, &root.at(""), &["-U", UUID, "-L", "aroot"]);
        let image = Image::empty(kernel);
        let options = disk.options();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let all = [
            (format!("root=UUID={UUID}"), "1 \n/dev/nvme0n1p1 / ext4 ro\n"),
            (format!("root=PARTUUID={PARTUUID} ro rw single"), "1 single\n/dev/nvme0n1p1 / ext4 rw\n"),
            (
                "root=LABEL=aroot rootfstype=xfs,ext4 rootflags=noatime,errors=continue".into(),
                "1 \n/dev/nvme0n1p1 / ext4 ro\n",
            ),
            ("root=/dev/nvme0n1p1 rootwait init=/bin/again".into(), "1 again\n/dev/nvme0n1p1 / ext4 ro\n"),
            (format!("root=PARTUUID={PARTUUID}/PARTNROFF=0 rootdelay=20"), "1 \n/dev/nvme0n1p1 / ext4 ro\n"),
        ];
        root.file("bin/again", "#!/bin/sh\nexec /sbin/init again \"$@\"\n");
        disk.fill(1, &root.at(""), &["-U", UUID, "-L", "aroot"]);
        for (words, text) in if kernel == Kernel::V6_1 { &all[..] } else { &all[1..2] } {
            image.start_with(words, &options).finish().is(End::Off, text);
        }
    }
}

/// Numbers in `root=`, in the kernel's two forms. Which number a partition has is not the same at each start: the kernel reads the table
/// twice, while the disks are looked for.
#[test]
fn root_is_found_by_its_number() {
    let Some(disk) = Table::new(GPT) else { return };
    for kernel in kernels(&[Kernel::V6_1]) {
        let root = new_root(kernel);
        disk.fill(1, &root.at(""), &[]);
        let (image, mut looks) = (Image::empty(kernel), Image::new(kernel));
        looks.runs(
            "until [ -e /sys/class/block/nvme0n1p2 ]; do sleep 0.1; done; sleep 1; cat /sys/class/block/nvme0n1p1/dev",
        );
        let options = disk.options();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let number = || {
            let text = looks.start_with("", &options).finish().text();
            let (major, minor) = text.trim().split_once(':').expect("two numbers");
            let of = |word: &str| word.parse::<u32>().expect("a number");
            (of(major), of(minor))
        };
        for form in
            [|(major, minor)| format!("root={major}:{minor}"), |(major, minor)| format!("root={major:x}{minor:02x}")]
        {
            let mut boots = (0..10).map(|_| image.start_with(&form(number()), &options).finish());
            let found = boots.find(|boot| !boot.text().contains("it holds no file system"));
            found.expect("the number is right in one of ten starts").is(End::Off, "1 \n/dev/nvme0n1p1 / ext4 ro\n");
        }
    }
}

/// Words for nsinit, or a file with them, count more than `root=`; and a root that is no initramfs is never left.
#[test]
fn root_on_the_command_line_is_not_used_with_words_for_nsinit() {
    for kernel in kernels(&[Kernel::V6_1]) {
        let mut image = Image::new(kernel);
        image.boot("root=/dev/nvme0n1 -- /bin/echo words").is(End::Off, "words\n");
        image.words(&["--", "/bin/echo", "file"]);
        image.boot("root=/dev/nvme0n1").is(End::Off, "file\n");
    }
}

/// A disk that is plugged in after seconds is used at once; without it, the message names the disks that exist.
#[test]
fn disk_that_comes_late_is_waited_for() {
    let Some(disk) = Table::new(GPT) else { return };
    for kernel in kernels(&NATIVE) {
        let root = new_root(kernel);
        disk.fill(1, &root.at(""), &["-U", UUID, "-L", "aroot"]);
        let image = Image::empty(kernel);
        let (drive, device) = disk.drive();
        for name in [&format!("UUID={UUID}"), &format!("PARTUUID={PARTUUID}"), "/dev/nvme0n1p1"] {
            let mut machine = image.start_monitored_with(&format!("root={name} rootwait"), &["-drive", &drive]);
            machine.expect(&format!("nsinit: waiting for {name}\n"));
            machine.monitor(&format!("device_add {device}"));
            let boot = machine.finish();
            assert!(boot.end == End::Off && boot.text().ends_with("1 \n/dev/nvme0n1p1 / ext4 ro\n"), "{boot}");
            if kernel != Kernel::V6_1 {
                break;
            }
        }
    }
}

/// `--overlay-device` with a device that is none, an empty one, and a damaged file system: a message, and nothing is switched.
#[test]
fn disk_for_writes_that_cannot_be_used_is_named() {
    let Some(disk) = Table::new(GPT) else { return };
    for kernel in kernels(&[Kernel::V6_1]) {
        let root = new_root(kernel);
        disk.fill(1, &root.at(""), &["-U", UUID, "-L", "aroot"]);
        let image = Image::empty(kernel);
        let options = disk.options();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let boot = |name: &str, end: &str| {
            let words = format!("root=LABEL=aroot nsinit.overlay-device={name} nsinit.wait-device=0");
            let boot = image.start_with(&words, &options).finish();
            assert!(boot.end == End::Off && boot.text().ends_with(end), "{boot}");
        };
        boot(
            "PARTLABEL=nope",
            "nsinit: cannot find PARTLABEL=nope: no such block device (block devices: nvme0n1, nvme0n1p1 PARTLABEL=the root, nvme0n1p2 PARTLABEL=other)\n",
        );
        boot(
            "PARTLABEL=other",
            "nsinit: cannot mount the disk for writes PARTLABEL=other: it holds no file system that nsinit knows\n",
        );
        disk.fill(21, &root.at(""), &["-L", "writes"]);
        disk.damage(21);
        boot(
            "LABEL=writes",
            "nsinit: cannot mount the disk for writes LABEL=writes: Structure needs cleaning (the file system is damaged: repair it with fsck)\n",
        );
    }
}

/// A device that does not come is an error that names those that are there; Ctrl-Alt-Del ends the wait.
#[test]
fn missing_device_is_reported_with_those_that_exist() {
    let Some(disk) = Table::new(GPT) else { return };
    for kernel in kernels(&[Kernel::V6_1]) {
        let root = new_root(kernel);
        disk.fill(1, &root.at(""), &["-U", UUID, "-L", "aroot"]);
        disk.fill(21, &root.at(""), &["-L", "aroot"]);
        let image = Image::empty(kernel);
        let options = disk.options();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        // Longer than the limit on open files would permit if each look at the disks left one open.
        let boot = image.start_with("root=UUID=0815 nsinit.wait-device=15", &options).finish();
        let found = format!(
            "nsinit: cannot find UUID=0815: no such block device after 15 seconds (block devices: nvme0n1, nvme0n1p1 UUID={UUID}, nvme0n1p2 UUID="
        );
        assert!(boot.end == End::Off && boot.text().contains(&found), "{boot}");
        let boot = image.start_with("root=PARTLABEL=Other nsinit.wait-device=0", &options).finish();
        let found = "cannot find PARTLABEL=Other: no such block device (block devices: nvme0n1, nvme0n1p1 PARTLABEL=the root, nvme0n1p2 PARTLABEL=other)\n";
        assert!(boot.end == End::Off && boot.text().contains(found), "{boot}");
        let mut machine = image.start_monitored_with("root=UUID=0815 rootwait quiet", &options);
        machine.expect("nsinit: waiting for UUID=0815\n");
        machine.monitor_until("sendkey ctrl-alt-delete", "Interrupted");
        let boot = machine.finish();
        assert!(boot.end == End::Restart && boot.text().contains("cannot wait for UUID=0815: Interrupted"), "{boot}");
        let boot = image.start_with("root=LABEL=aroot rootwait", &options).finish();
        let found = "nsinit: cannot choose LABEL=aroot: several devices have it: nvme0n1p1 LABEL=aroot, nvme0n1p2 LABEL=aroot (name one by its path)\n";
        assert!(boot.end == End::Off && boot.text().contains(found), "{boot}");
        let boot = image.boot("root=/dev/sda1 nsinit.wait-device=0");
        let found = "nsinit: cannot find /dev/sda1: no such block device (the kernel has no block devices: is the driver of the disk a module?)\n";
        assert!(boot.end == End::Off && boot.text().contains(found), "{boot}");
    }
}
