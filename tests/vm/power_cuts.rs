//! The power is cut at a random moment, on some machines while random system calls fail: the file system is consistent once its
//! journal is replayed, and the kernel has not panicked. If the machine ended before the cut, it is consistent without that.

use std::time::Duration;

use super::faults::{Lot, faults};
use super::harness::{End, Image, Kernel, NATIVE, kernels};

#[test]
fn file_systems_are_consistent_after_power_cuts() {
    let cuts: u64 = std::env::var("NSINIT_CUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let kernels = kernels(&NATIVE);
    // Two machines at a time.
    std::thread::scope(|scope| {
        for half in 0..2 {
            let own = (0..cuts).zip(kernels.iter().cycle()).filter(move |(number, _)| number / 4 % 2 == half);
            scope.spawn(move || own.for_each(|(number, kernel)| cut(*kernel, number)));
        }
    });
}

fn cut(kernel: Kernel, number: u64) {
    let mut lot = Lot(number);
    let mut image = Image::new(kernel);
    image.modules(&["virtio_pci", "virtio_blk", "crc32c_generic", "ext4"]);
    let faulty = lot.draw(2) == 0;
    let mut line = String::from("nsinit.grace=1");
    if faulty {
        image.program("vm/faulty", "bin/faulty");
        image.script("#!/bin/sh\nexec /bin/faulty\n");
        line += &format!(" NSINIT_FAULTS={}", faults(&mut lot));
    }
    // Most machines are ended while files are written.
    let last = 1 + lot.draw(60);
    image.runs(&format!(
        "sh /modules; while [ ! -e /dev/vda ]; do sleep 0.1; done; mkdir /a; mount -t ext4 /dev/vda /a; echo up; n=0\n\
         while :; do n=$((n + 1)); echo $n >/a/$n; mv /a/$n /a/file; [ $((n % 7)) != 0 ] || sync; [ $n != {last} ] || kill -USR2 1; done"
    ));
    let disk = Image::disk("ext4");
    let mut machine = image.start_with(&line, &disk.as_drive());
    machine.prints("up\n", Duration::from_secs(60));
    let boot = machine.finish_within(Duration::from_millis(lot.draw(4000)));
    assert!(matches!(boot.end, End::Off | End::Killed), "cut {number}: {boot}");
    let ended = boot.end == End::Off && !faulty;
    assert!(!ended || disk.is_clean(), "cut {number}: the machine ended, and the file system is dirty: {boot}");
    assert!(disk.is_replayed(), "cut {number}: the journal does not make the file system consistent: {boot}");
    assert!(disk.is_consistent(), "cut {number}: {boot}");
}
