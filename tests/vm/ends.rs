//! The harness itself, with a shell as the first process instead of nsinit: each way to end is told from the others.

use super::harness::{End, Image, Kernel, kernels};

#[test]
fn each_end_is_told() {
    for kernel in kernels(&[Kernel::V6_1, Kernel::Arm64]) {
        for (end, command) in
            [(End::Off, "poweroff -f"), (End::Restart, "reboot -f"), (End::Halt, "halt -f"), (End::Panic, "exit 3")]
        {
            let mut image = Image::new(kernel);
            image.script(&format!("#!/bin/sh\necho up; {command}\n"));
            let boot = image.boot("");
            // That the kernel restarts after a panic is not what counts.
            assert!(boot.end == end && boot.text().starts_with("up\n"), "{command}: {boot}");
        }
    }
}
