//! The harness itself, with a shell as process 1 instead of nsinit: it distinguishes the ways in which a machine
//! ends.

use super::harness::{End, Image, Kernel, kernels};

#[test]
fn harness_distinguishes_the_ends_of_a_machine() {
    for kernel in kernels(&[Kernel::V6_1, Kernel::Arm64]) {
        for (end, command) in
            [(End::Off, "poweroff -f"), (End::Restart, "reboot -f"), (End::Halt, "halt -f"), (End::Panic, "exit 3")]
        {
            let mut image = Image::new(kernel);
            image.script(&format!("#!/bin/sh\necho up; {command}\n"));
            let boot = image.boot("");
            // After a panic the kernel also restarts, which does not count.
            assert!(boot.end == end && boot.text().starts_with("up\n"), "{command}: {boot}");
        }
    }
}
