//! The identity of a partition in the table of its disk: that of GPT, and that of MBR. The kernel shows it from Linux 6.13 on only. A
//! table is hostile input: each read has a fixed length, and each place is checked.

use crate::rootfs::superblock::{DIGITS, Disk, UUID, push_hex};
use crate::sys::Failure;
use crate::text::Short;

/// A partition as the kernel shows it in sysfs.
pub struct Partition {
    /// Counted from 1.
    pub number: u32,
    /// Its first sector, of 512 bytes.
    pub start: u64,
    /// The bytes of a logical block of the disk.
    pub block: u64,
}

/// Appends the identity of the partition with the number `wanted` of the disk on which `partition` is, in the forms that the kernel takes
/// as `PARTUUID=`. Appends nothing if there is none.
///
/// # Errors
/// EIO: the disk cannot be read.
#[inline(never)]
pub fn push_identity(disk: &mut Disk<'_>, partition: &Partition, wanted: u32, out: &mut Short) -> Result<(), Failure> {
    let mut sector = [0u8; 512];
    let length = disk(&mut sector, partition.block)?;
    if let Some(header) = Header::of(sector.get(..length).unwrap_or_default()) {
        // A table that is not that of the partition, or that is damaged: the kernel has read another one.
        if let Some(entry) = header.entry(disk, partition, partition.number)?
            && number(&entry, 32).and_then(|first| first.checked_mul(partition.block))
                == partition.start.checked_mul(512)
            && let Some(entry) = header.entry(disk, partition, wanted)?
            && let Some(&[d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p]) = entry.get(16..32)
        {
            push_hex(out, &[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p], UUID, DIGITS);
        }
        return Ok(());
    }
    let length = disk(&mut sector, 0)?;
    if length == sector.len()
        && sector.get(510..) == Some(&[0x55, 0xaa])
        && let Some(&[d, c, b, a]) = sector.get(440..444)
        && let Ok(wanted) = u8::try_from(wanted)
    {
        push_hex(out, &[a, b, c, d, wanted], &[4], DIGITS);
    }
    Ok(())
}

/// The places in the header of a GPT where its entries are described (UEFI specification, 5.3.2).
struct Header {
    /// The logical block of the first entry.
    entries: u64,
    count: u32,
    /// The bytes of an entry.
    size: u32,
}

impl Header {
    fn of(sector: &[u8]) -> Option<Header> {
        if sector.get(..8) != Some(b"EFI PART") {
            return None;
        }
        let counts = number(sector, 80)?;
        Some(Header { entries: number(sector, 72)?, count: counts as u32, size: (counts >> 32) as u32 })
    }

    /// The entry with that number, counted from 1.
    fn entry(&self, disk: &mut Disk<'_>, partition: &Partition, wanted: u32) -> Result<Option<[u8; 128]>, Failure> {
        let mut entry = [0; 128];
        let at = wanted.checked_sub(1).filter(|index| *index < self.count && self.size >= 128).and_then(|index| {
            let begin = self.entries.checked_mul(partition.block)?;
            begin.checked_add(u64::from(index) * u64::from(self.size))
        });
        let Some(at) = at else { return Ok(None) };
        Ok((disk(&mut entry, at)? == entry.len()).then_some(entry))
    }
}

/// A number of 64 bits, the lowest byte first.
fn number(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.get(..8)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}
