//! What lies on a disk: superblocks and partition tables. The first bytes of the input choose the partition; the rest is the disk.
#![no_main]

use engine::rootfs::partition::{self, Partition};
use engine::rootfs::superblock;
use engine::text::Short;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((&[number, wanted, start, block, late], disk)) = input.split_first_chunk() else { return };
    // A superblock of btrfs is far behind: part of the input is there.
    let mut disk = disk.to_vec();
    if late % 2 == 1 {
        disk.splice(0..0, vec![0; 65536 - 64]);
    }
    let mut read = |buffer: &mut [u8], at: u64| {
        let rest = usize::try_from(at).ok().and_then(|at| disk.get(at..)).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    };
    let (mut uuid, mut label, mut id) = (Short::new(), Short::new(), Short::new());
    let known = superblock::sort(&mut read).is_ok();
    assert_eq!(known, superblock::push_uuid(&mut read, &mut uuid).is_ok());
    assert_eq!(known, superblock::push_label(&mut read, &mut label).is_ok());
    assert!([0, 9, 36].contains(&uuid.bytes().len()));
    let partition =
        Partition { number: number.into(), start: start.into(), block: if block % 2 == 0 { 512 } else { 4096 } };
    let done = partition::push_identity(&mut read, &partition, wanted.into(), &mut id);
    assert!(done.is_ok() && [0, 11, 36].contains(&id.bytes().len()));
});
