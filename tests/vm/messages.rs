//! Messages of process 1: each is in the kernel's log and once on the console, and no console can stop the machine.

use super::harness::{End, Image, Kernel, NATIVE, kernels};

const ENDED: &str = "nsinit: CMD ended with status 3\n";

/// Whatever the kernel prints itself.
#[test]
fn message_is_once_on_the_console_and_in_the_kernel_log() {
    for kernel in kernels(&[Kernel::V5_10, Kernel::V6_12, Kernel::V7, Kernel::Arm64]) {
        let mut image = Image::new(kernel);
        image.runs(
            "if [ -e /ran ]; then dmesg -r | sed -n 's/\\[.*\\] nsinit: /nsinit: /p' >/log; cat /log; kill -USR2 1; sleep 1000; fi; : >/ran; echo first; exit 3",
        );
        let again = "nsinit: CMD starts again in 1 s\n";
        for level in ["7", "4", "1"] {
            let boot = image.boot(&format!("nsinit.respawn loglevel={level}"));
            let log = "<11>nsinit: CMD ended with status 3\n<13>nsinit: CMD starts again in 1 s\n";
            boot.is_whole(End::Off, &format!("first\n{ENDED}{again}{log}nsinit: CMD died of signal 15\n"));
            let by_kernel = |line: &str| boot.log.contains(&format!("] nsinit: {line}"));
            assert_eq!((by_kernel("CMD ended"), by_kernel("CMD starts again")), (level != "1", level == "7"), "{boot}");
        }
    }
}

/// The console's line is dead, and its buffer is full.
#[test]
fn dead_console_does_not_stop_the_machine() {
    for kernel in kernels(&NATIVE) {
        let mut image = Image::new(kernel);
        image.program("vm/hold", "bin/hold");
        image.runs(
            "[ -e /ran ] && kill -USR2 1 && sleep 1000; : >/ran; hold console /; yes >/dev/console & sleep 1; exit 3",
        );
        for (level, count) in [("7", 1), ("1", 0)] {
            let boot = image.boot(&format!("loglevel={level} nsinit.respawn nsinit.grace=1"));
            assert!(boot.end == End::Off && boot.log.matches(ENDED.trim()).count() == count, "{level}: {boot}");
        }
    }
}
