//! The devices of a machine that its first process serves.

use std::fs;
use std::process::Command;

use super::harness::{Disk, End, Image, Kernel, Machine, kernels, tool};

/// Prints a line when it is asked to end.
const ORDERLY: &str = "trap 'echo bye; exit' TERM; echo up; while :; do sleep 0.1; done";

/// Presses the button until the machine has heard it: a press before process 1 has found the device is lost.
#[track_caller]
fn press(machine: &mut Machine) {
    machine.expect("up\n");
    machine.monitor_until("system_powerdown", "bye\n");
}

/// A press is an orderly end, also on a button whose driver comes after the start of CMD. No process of the machine is told of it
/// otherwise.
#[test]
fn power_button_powers_off_in_the_orderly_way() {
    for kernel in kernels(&[Kernel::V6_1, Kernel::V7]) {
        let mut image = Image::new(kernel);
        image.modules(&["button", "evdev"]);
        image.runs(&format!("sh /modules; {ORDERLY}"));
        let mut machine = image.start_monitored();
        press(&mut machine);
        machine.finish().is(End::Off, "up\nbye\n");
        if kernel != Kernel::V6_1 {
            continue;
        }
        // The driver is there before the start, and has lost its devices and got them again.
        let script = format!("rmmod button; sleep 1; insmod /ko/button.ko; {ORDERLY}");
        image.words(&["--", "/bin/sh", "-c", &script]);
        image.file("etc/nsinit.modules", "/ko/evdev.ko\n/ko/button.ko\n");
        let mut machine = image.start_monitored();
        press(&mut machine);
        machine.finish().is(End::Off, "up\nbye\n");
        image.words(&["--no-power-button", "--", "/bin/sh", "-c", "echo up; read x; sleep 3; echo on"]);
        let mut machine = image.start_monitored();
        machine.expect("up\n");
        machine.monitor("system_powerdown");
        machine.enter("\n");
        machine.finish().is(End::Off, "up\non\n");
    }
}

/// A machine that lives longer than the time of its watchdog goes on, in a slow end too; one whose process 1 hangs is reset.
#[test]
fn watchdog_resets_a_machine_that_hangs_and_no_other() {
    for kernel in kernels(&[Kernel::V6_1]) {
        let mut image = Image::new(kernel);
        image.modules(&["softdog"]);
        image.file("etc/nsinit.modules", "/ko/watchdog.ko\n/ko/softdog.ko\n");
        // A process that ignores SIGTERM delays the end by the grace.
        let slow = "(trap '' TERM; while :; do sleep 1; done) & sleep 13; echo on";
        image.words(&["--watchdog", "10", "--grace", "13", "--", "/bin/sh", "-c", slow]);
        let boot = image.boot("");
        boot.is(End::Off, "on\n");
        assert!(!boot.log.contains("did not stop"), "{boot}");
        // Process 1 is frozen.
        let freeze = "mkdir /sys/fs/cgroup/ice; echo 1 >/sys/fs/cgroup/ice/cgroup.procs; echo 1 >/sys/fs/cgroup/ice/cgroup.freeze; \
                      echo frozen; while :; do sleep 1; done";
        image.words(&["--watchdog", "10", "--", "/bin/sh", "-c", freeze]);
        let mut machine = image.start("");
        machine.expect("softdog: Initiating system reboot");
        machine.expect("frozen\n");
        // The driver refuses the first one.
        image.words(&["--watchdog", "100000", "--", "/bin/echo", "on"]);
        image.boot("").is(
            End::Off,
            "nsinit: cannot set the time of /dev/watchdog: Invalid argument\nnsinit: the watchdog waits 60 seconds\non\n",
        );
        image.file("etc/nsinit.modules", "");
        image.boot("").is(End::Off, "nsinit: cannot start the watchdog /dev/watchdog: No such file or directory\non\n");
    }
}

/// The seed of the last run is credited once, and replaced at the start and at the end. The clock goes on from the last end.
#[test]
fn seed_and_clock_survive_the_end_of_the_machine() {
    for kernel in kernels(&[Kernel::V6_1]) {
        let root = Image::new(kernel);
        root.nsinit("sbin/init");
        for name in ["dev", "proc", "sys", "run"] {
            root.dir(name);
        }
        let script = "date -u +%Y; stat -c '%a %u %s' /var/seed; [ ! /var/clock -nt /var/during ] || echo renewed
                      cat /var/seed >/var/during; sleep 2";
        root.file("script", script);
        root.file("etc/nsinit.args", "--seed /var/seed --clock-epoch /var/clock -- sh /script\n");
        let seed = vec![b's'; 512];
        root.file("var/clock", "");
        root.file("var/seed", std::str::from_utf8(&seed).expect("ASCII"));
        tool(Command::new("touch").args(["-d", "2031-05-06"]).arg(root.at("var/clock")));
        let disk = Disk::new("root");
        root.ext4(&disk.0);
        let change = |what: &str| tool(Command::new("debugfs").args(["-w", "-R", what]).arg(&disk.0));
        change("sif /var/seed uid 0");
        change("sif /var/seed mode 0100600");
        let image = Image::empty(kernel);
        let boot = |words: &str| {
            let initrd = image.pack_with_modules("virtio_pci,virtio_blk,ext4");
            let [drive, file] = disk.as_drive();
            let options = [drive, file, "-rtc", "base=2001-01-01"];
            image.boot_packed_with(initrd, &format!("root=/dev/vda {words}"), &options)
        };
        let bytes = |path: &str| fs::read(&disk.extract(path).0).expect("read a file of the disk");
        boot("rw").is(End::Off, "2031\n600 0 512\n");
        let (during, after) = (bytes("/var/during"), bytes("/var/seed"));
        assert!(during.len() == 512 && after.len() == 512 && during != seed && after != during && after != seed);
        change("sif /var/seed mode 0100640");
        let others = "nsinit: the seed /var/seed is not credited: others than root may read or write it\n";
        boot("rw").is(End::Off, &format!("{others}2031\n600 0 512\nrenewed\n"));
        assert!(bytes("/var/during") != after && disk.is_clean());
        // What cannot be replaced would count twice.
        let save = "nsinit: cannot save the seed /var/seed: Read-only file system\n";
        boot("ro").is(
            End::Off,
            &format!(
                "nsinit: cannot remove /var/seed: Read-only file system\n\
                 nsinit: the seed /var/seed is not credited: the next start would find it again\n{save}2031\n600 0 512\nrenewed\n\
                 /script: line 2: can't create /var/during: Read-only file system\n{save}\
                 nsinit: cannot renew the time of /var/clock: Read-only file system\n"
            ),
        );
    }
}

/// A host learns CMD's status from the exit status of qemu, and from a line that is sent by vsock. The restart has its argument.
#[test]
fn status_of_cmd_reaches_the_host_and_a_restart_has_an_argument() {
    // No machine of the tests has a device for vsock: the machine that sends is a container in one.
    const SEND: &str =
        "sh /modules; /bin/listen 99 >/tmp/heard & while ! grep -q listening /tmp/heard 2>/dev/null; do sleep 0.1; done
        /init --dev-bind / / --unshare-pid --no-masks --proc /proc --as-pid-1 --cap-add=ALL -- \
            /init --boot --exit-vsock 1:99 -- sh -c 'exit 7'
        wait; cat /tmp/heard; exit 3";
    for kernel in kernels(&[Kernel::V6_1]) {
        let mut image = Image::new(kernel);
        image.modules(&["vsock_loopback"]);
        image.program("vm/listen", "bin/listen");
        image.words(&["--exit-port", "0xf4", "--exit-vsock", "2:99", "--", "/bin/sh", "-c", SEND]);
        let device = ["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"];
        let (status, boot) = image.start_with("", &device).exit_status();
        let text = "listening\nEXIT_STATUS=7\nnsinit: cannot send CMD's status by vsock: ";
        assert!(status == Some(7) && boot.text().starts_with(text), "{status:?} {boot}");
        // Without that device the machine ends as usual.
        let script = "echo recovery >/run/reboot-param; kill -TERM 1; sleep 9";
        image.words(&["--exit-port", "244", "--", "/bin/sh", "-c", script]);
        let boot = image.boot("");
        assert!(boot.end == End::Restart && boot.log.contains("with command 'recovery'"), "{boot}");
    }
}
