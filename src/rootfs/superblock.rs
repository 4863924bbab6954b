//! Superblocks: the kind of a file system, its UUID and its label, as they are written on the disk. All of it is hostile input: each
//! read has a fixed length, and each place is checked.

use core::ffi::CStr;

use crate::sys::Failure;
use crate::text::PATH;
#[cfg(feature = "root-device")]
use crate::text::{self, Short};

/// Reads a disk from an offset on: the number of bytes, which is less than the buffer takes only at the end.
pub type Disk<'a> = dyn FnMut(&mut [u8], u64) -> Result<usize, Failure> + 'a;

/// How a file system is recognised. All places are in bytes, and counted from `block`.
#[cfg_attr(not(feature = "root-device"), allow(dead_code, reason = "its identity is not asked for"))]
pub struct Sort {
    /// The name that mount(2) takes.
    pub name: &'static CStr,
    /// The root of a container may be one. That of a machine may be any.
    pub contained: bool,
    /// The offset on the disk.
    block: u64,
    /// The place of the magic number, and the number.
    at: usize,
    mark: &'static [u8],
    /// The place of the UUID, and how it is written.
    uuid: usize,
    form: Form,
    /// The place of the label, and its length.
    label: [usize; 2],
}

/// How the identity of a file system is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// It has none.
    None,
    /// 16 bytes; the label is UTF-8, up to a NUL.
    Usual,
    /// The same, but the label is UTF-16.
    #[cfg(feature = "root-device")]
    Wide,
    /// A number of 4 bytes; the label is padded with blanks.
    #[cfg(feature = "root-device")]
    Fat,
}

/// The offset of the superblock of btrfs, BTRFS_SUPER_INFO_OFFSET. The others are in the first page.
#[cfg(feature = "root-device")]
const LATE: u64 = 65536;

/// The first one that fits is taken. mkfs.ext4 may leave the superblock of an old btrfs; the others erase what is there.
static SORTS: &[Sort] = &[
    // struct erofs_super_block, at 1024; EROFS_SUPER_MAGIC_V1.
    Sort { at: 1024, mark: &[0xe2, 0xe1, 0xf5, 0xe0], uuid: 1072, label: [1088, 16], ..usual(c"erofs") },
    // struct squashfs_super_block.
    Sort { mark: b"hsqs", form: Form::None, ..usual(c"squashfs") },
    // struct ext4_super_block, at 1024. The driver mounts ext2 and ext3 too.
    Sort { at: 1080, mark: &[0x53, 0xef], uuid: 1128, label: [1144, 16], ..usual(c"ext4") },
    // struct xfs_dsb.
    #[cfg(feature = "root-device")]
    Sort { mark: b"XFSB", uuid: 32, label: [108, 12], contained: false, ..usual(c"xfs") },
    // struct f2fs_super_block, at 1024; F2FS_SUPER_MAGIC.
    #[cfg(feature = "root-device")]
    Sort {
        at: 1024,
        mark: &[0x10, 0x20, 0xf5, 0xf2],
        uuid: 1132,
        form: Form::Wide,
        label: [1148, 1024],
        contained: false,
        ..usual(c"f2fs")
    },
    // struct fat_boot_sector: of FAT32, and of FAT12 and FAT16. mkfs.fat and fatlabel write the label here too.
    #[cfg(feature = "root-device")]
    Sort { at: 82, mark: b"FAT32   ", uuid: 67, form: Form::Fat, label: [71, 11], contained: false, ..usual(c"vfat") },
    #[cfg(feature = "root-device")]
    Sort { at: 54, mark: b"FAT1", uuid: 39, form: Form::Fat, label: [43, 11], contained: false, ..usual(c"vfat") },
    // struct btrfs_super_block. All devices of one file system have the same UUID.
    #[cfg(feature = "root-device")]
    Sort { block: LATE, at: 64, mark: b"_BHRfS_M", uuid: 32, label: [299, 256], contained: false, ..usual(c"btrfs") },
];

const fn usual(name: &'static CStr) -> Sort {
    Sort { name, contained: true, block: 0, at: 0, mark: b"", uuid: 0, form: Form::Usual, label: [0; 2] }
}

/// The bytes of a superblock, and those around it.
struct Block {
    bytes: [u8; PATH],
    length: usize,
}

impl Block {
    fn part(&self, at: usize, length: usize) -> Option<&[u8]> {
        self.bytes.get(..self.length)?.get(at..)?.get(..length)
    }
}

fn find(disk: &mut Disk<'_>, block: &mut Block) -> Result<&'static Sort, Failure> {
    let mut read = None;
    for sort in SORTS {
        if read != Some(sort.block) {
            block.length = disk(&mut block.bytes, sort.block)?;
            read = Some(sort.block);
        }
        if block.part(sort.at, sort.mark.len()) == Some(sort.mark) {
            return Ok(sort);
        }
    }
    Err(Failure::NO_IMAGE)
}

/// The file system on a disk.
///
/// # Errors
/// [`Failure::NO_IMAGE`]: it is none of these. EIO: it cannot be read.
#[inline(never)]
pub fn sort(disk: &mut Disk<'_>) -> Result<&'static Sort, Failure> {
    find(disk, &mut Block { bytes: [0; PATH], length: 0 })
}

/// Appends the UUID of the file system on a disk as blkid(8) prints it; nothing if it has none.
///
/// # Errors
/// As [`sort`].
#[cfg(feature = "root-device")]
#[inline(never)]
pub fn push_uuid(disk: &mut Disk<'_>, out: &mut Short) -> Result<(), Failure> {
    let mut block = Block { bytes: [0; PATH], length: 0 };
    let sort = find(disk, &mut block)?;
    match (sort.form, block.part(sort.uuid, 16)) {
        (Form::None, _) | (_, None) => {}
        (Form::Fat, Some(&[a, b, c, d, ..])) => push_hex(out, &[d, c, b, a], &[2], b"0123456789ABCDEF"),
        (_, Some(uuid)) => push_hex(out, uuid, UUID, DIGITS),
    }
    Ok(())
}

/// Appends the label of the file system on a disk; nothing if it has none.
///
/// # Errors
/// As [`sort`].
#[cfg(feature = "root-device")]
#[inline(never)]
pub fn push_label(disk: &mut Disk<'_>, out: &mut Short) -> Result<(), Failure> {
    let mut block = Block { bytes: [0; PATH], length: 0 };
    let sort = find(disk, &mut block)?;
    let [at, length] = sort.label;
    let mut label = block.part(at, length).unwrap_or_default();
    match sort.form {
        Form::Wide => {
            let (units, _) = label.as_chunks();
            let units = units.iter().map(|unit| u16::from_le_bytes(*unit)).take_while(|unit| *unit != 0);
            for letter in char::decode_utf16(units) {
                out.push(letter.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        Form::Fat => {
            while let [rest @ .., b' '] = label {
                label = rest;
            }
            if label != b"NO NAME" {
                out.push(label);
            }
        }
        _ => {
            out.push(text::first(label, 0));
        }
    }
    Ok(())
}

/// The digits of an UUID.
#[cfg(feature = "root-device")]
pub const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The numbers of bytes in front of which a UUID has a dash.
#[cfg(feature = "root-device")]
pub const UUID: &[usize] = &[4, 6, 8, 10];

/// Appends bytes in hexadecimal, with dashes in front of the bytes that `dashes` numbers; nothing if all bytes are 0.
#[cfg(feature = "root-device")]
#[inline(never)]
pub fn push_hex(out: &mut Short, bytes: &[u8], dashes: &[usize], digits: &[u8; 16]) {
    if bytes.iter().all(|byte| *byte == 0) {
        return;
    }
    for (index, byte) in bytes.iter().enumerate() {
        if dashes.contains(&index) {
            out.byte(b'-');
        }
        for digit in [byte >> 4, byte & 15] {
            out.push(digits.get(usize::from(digit)..=usize::from(digit)).unwrap_or_default());
        }
    }
}
