//! The harness itself, with a shell as process 1 instead of nsinit: it distinguishes the ways in which a machine
//! ends.

use super::harness::{End, Image, Kernel, apart, kernels};

#[test]
fn lines_of_programs_are_whole_where_the_kernel_prints_between() {
    let log = "ROM..\u{1b}c\u{1b}[2J[    0.000000] first\none\n[    0.000000] Linux\n\
               tw[    1.234567] tsc: x [y] z\n[   12.000001] more\no\nthree [1.5] [x] \nend";
    let lines = "ROM..\u{1b}c\u{1b}[2J\n[    0.000000] first\none\n[    0.000000] Linux\n\
                 [    1.234567] tsc: x [y] z\n[   12.000001] more\ntwo\nthree [1.5] [x] \nend";
    assert_eq!(apart(log), lines);
}

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
