//! The machines of docs/appliance.md: the commands of its sections are run as they stand, and the machines do what the text says.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::docs::blocks::{Block, Content};
use super::docs::{Place, scenario, scenarios};
use super::harness::{Disk, End, Kernel, attempt, kernels, new_path, script, skip, tool};
use super::units;

const DOCUMENT: &str = "docs/appliance.md";
/// A distribution takes so long at most until it asks for a login, on an emulated processor that others use too.
const LONG: Duration = Duration::from_secs(500);

/// Each section with a scenario has its test here.
#[test]
fn every_scenario_is_tested() {
    let tested = [DEBIAN, DEBIAN_ALONE, ROUTER, UKI, VERITY, MICRO];
    assert_eq!(scenarios(), tested);
}

const DEBIAN: &str = "A Debian from a disk";
const DEBIAN_ALONE: &str = "Without systemd";

/// nsinit is the first stage, and Debian's systemd the second, which runs containers as services; then nsinit is both. The file system is
/// clean each time.
#[test]
fn debian_on_a_disk_runs_systemd_or_nsinit() {
    if Command::new("true").uid(0).status().is_err() {
        return skip("needs root, for the owners of the files");
    }
    if attempt(script("debian").arg("systemd")).is_none() {
        return skip("scripts/debian cannot make a Debian with systemd");
    }
    for kernel in kernels(&[Kernel::V6_1]) {
        let place = Place::new(kernel);
        let [made, booted] = &scenario(DOCUMENT, DEBIAN)[..] else { panic!("the section has two blocks") };
        place.run(made);
        units::make(&place);
        let mut machine = place.start(&format!("{} {}", command(booted), units::DISK));
        assert!(machine.prints("box login: ", LONG), "{}", machine.finish_within(Duration::ZERO));
        machine.enter("root\n");
        machine.expect("root@box:~# ");
        machine.enter("until systemctl -q is-active multi-user.target; do sleep 1; done; echo up: $?\n");
        machine.expect("up: 0\n");
        assert!(units::run(&mut machine), "{}", machine.finish_within(Duration::ZERO));
        machine.enter("systemctl poweroff\n");
        let boot = machine.finish();
        units::are_as_told(&boot);
        assert_eq!(boot.end, End::Off, "{boot}");
        assert!(partition(&place.at("disk"), 1, 600).is_clean(), "{boot}");
        scenario(DOCUMENT, DEBIAN_ALONE).iter().for_each(|block| place.run(block));
        let partition = partition(&place.at("disk"), 1, 600);
        assert!(partition.is_clean() && partition.is_consistent());
    }
}

const ROUTER: &str = "A read-only root with a disk for writes";

/// What is written survives a restart, and the disk is clean. A disk that cannot be written to is refused.
#[test]
fn read_only_root_keeps_what_is_written_on_another_partition() {
    if attempt(Command::new("sfdisk").arg("--version")).is_none() {
        return skip("sfdisk is not installed");
    }
    for kernel in kernels(&[Kernel::V6_12]) {
        let place = Place::new(kernel);
        let blocks = scenario(DOCUMENT, ROUTER);
        blocks.iter().for_each(|block| place.run(block));
        let writes = partition(&place.at("disk"), 17, 32);
        assert!(writes.is_clean() && writes.is_consistent());
        assert_eq!(writes.read("/upper/etc/log"), "started\nstarted\n");
        // A file system that is always read-only.
        let [from, to] = [place.at("root.squashfs"), place.at("disk")].map(|path| path.display().to_string());
        tool(Command::new("dd").args([format!("if={from}"), format!("of={to}")]).args([
            "bs=1M",
            "seek=17",
            "conv=notrunc",
        ]));
        let boot = place.start("bash start nsinit.overlay-device=PARTLABEL=overlay").finish();
        let line = "nsinit: cannot mount the disk for writes PARTLABEL=overlay: Read-only file system\n";
        assert!(boot.end == End::Off && boot.text().ends_with(line), "{boot}");
    }
}

const UKI: &str = "One file for a UEFI machine";

/// The firmware boots kernel, command line and initramfs from one file, which the same files make again.
#[test]
fn one_file_is_a_machine_for_uefi() {
    if !Path::new("/usr/share/ovmf/OVMF.fd").exists() {
        return skip("ovmf is not installed");
    }
    for kernel in kernels(&[Kernel::V6_1]) {
        let place = Place::new(kernel);
        let blocks = scenario(DOCUMENT, UKI);
        blocks.iter().for_each(|block| place.run(block));
        let once = std::fs::read(place.at("appliance.efi")).expect("the file");
        std::thread::sleep(Duration::from_secs(1));
        place.run(&blocks[0]);
        assert!(once == std::fs::read(place.at("appliance.efi")).expect("the file"), "other bytes");
    }
}

const VERITY: &str = "A verified root";

/// An erofs with dm-verity is a root. Once blocks of a program are other ones, the program does not run.
#[test]
fn verified_root_runs_and_a_changed_one_does_not() {
    if attempt(Command::new("/usr/sbin/veritysetup").arg("--version")).is_none() {
        return skip("veritysetup is not installed");
    }
    for kernel in kernels(&[Kernel::V6_1]) {
        let place = Place::new(kernel);
        let blocks = scenario(DOCUMENT, VERITY);
        blocks.iter().for_each(|block| place.run(block));
        let to = format!("of={}", place.at("disk").display());
        let noise = ["if=/dev/urandom", &to, "bs=4k", "seek=257", "count=64", "conv=notrunc"];
        tool(Command::new("dd").args(noise));
        let boot = place.start(command(&blocks[2])).finish();
        assert!(boot.end == End::Off && !boot.log.contains("this root is verified"), "{boot}");
        assert!(boot.log.contains("data block 1 is corrupted"), "{boot}");
    }
}

const MICRO: &str = "A virtual machine without an initramfs";

/// The kernel mounts the root, and the words behind the dashes are nsinit's.
#[test]
fn kernel_mounts_the_root_of_a_virtual_machine() {
    for kernel in kernels(&[Kernel::V6_12]) {
        let place = Place::new(kernel);
        scenario(DOCUMENT, MICRO).iter().for_each(|block| place.run(block));
        let disk = Disk(place.at("disk"));
        assert!(disk.is_clean() && disk.is_consistent());
    }
}

/// The command of a session of one.
fn command(block: &Block) -> &str {
    let Content::Session(session) = &block.content else { panic!("{}: no session", block.place) };
    let [(command, _)] = &session[..] else { panic!("{}: not one command", block.place) };
    command
}

/// A copy of the part of a disk that begins at that MiB.
fn partition(disk: &Path, at: u32, size: u32) -> Disk {
    let part = Disk(new_path("part"));
    let [from, to] = [format!("if={}", disk.display()), format!("of={}", part.0.display())];
    let range = [format!("skip={at}"), format!("count={size}")];
    tool(Command::new("dd").args([&from, &to, "bs=1M", "conv=sparse", "status=none"]).args(range));
    part
}
