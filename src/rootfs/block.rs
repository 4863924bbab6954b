//! The block devices of the machine: the kernel's list of them, and what is known of each.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{FileType, Mode, OFlags, fstat, major, makedev, minor, mknodat};
use rustix::io::pread;

use crate::fs::procfs;
use crate::lines;
use crate::rootfs::partition::{self, Partition};
use crate::rootfs::superblock;
use crate::sys::files::{self, Fd, HERE, read};
use crate::sys::{self, Done, Failure};
use crate::text::{self, SHORT, Short};

/// One of them.
#[derive(Clone, Copy)]
pub struct Block<'a> {
    pub major: u32,
    pub minor: u32,
    /// As in /proc/partitions: `sda1`.
    pub name: &'a [u8],
}

/// What a device can be found by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// The UUID of its file system.
    Uuid,
    Label,
    /// The UUID of the partition in the table of its disk.
    Partuuid,
    Partlabel,
}

/// The names of the tags, in their order.
pub const TAGS: &[u8] = b"UUID LABEL PARTUUID PARTLABEL";

/// Calls `look` with each device of the kernel's list that has a size: /proc/partitions. Returns a number that changes with the list.
///
/// # Errors
/// See [`procfs::open`], open(2), read(2).
#[inline(never)]
pub fn each(look: &mut dyn FnMut(&Block<'_>)) -> Result<u32, Failure> {
    let proc = procfs::open()?;
    let file = files::open(proc, c"partitions", OFlags::RDONLY);
    // A wait calls this many times.
    sys::close(proc);
    let file = file?;
    let mut sum = 0u32;
    let listed = lines::each(file, &mut |mut line| {
        for byte in line {
            // FNV-1a.
            sum = (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
        let mut field = || loop {
            match text::word(&mut line, b' ') {
                Some([]) => {}
                word => return word.unwrap_or_default(),
            }
        };
        let (major, minor, _, name) = (field(), field(), field(), field());
        if let (Some(major), Some(minor)) = (text::number(major), text::number(minor))
            && !name.is_empty()
        {
            look(&Block { major, minor, name });
        }
    });
    sys::close(file);
    listed.map(|()| sum)
}

/// The flags with which a device is opened. Without O_NONBLOCK, the open of a drive without a medium fails.
pub const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK);

impl Block<'_> {
    /// Opens its file in /dev, whose path is stored.
    ///
    /// # Errors
    /// ENOENT: it does not exist; [`Failure::NO_DEVICE`]: it is another device; others: see open(2).
    pub fn open(&self, path: &mut Short) -> Result<Fd, Failure> {
        path.truncate(0);
        let path = path.push(b"/dev/").push(self.name).c_str();
        let fd = files::open_path(path, FLAGS)?;
        let stat = fstat(fd)?;
        let is_it = stat.st_mode & raw::S_IFMT == raw::S_IFBLK
            && (major(stat.st_rdev), minor(stat.st_rdev)) == (self.major, self.minor);
        if is_it {
            return Ok(fd);
        }
        sys::close(fd);
        Err(Failure::NO_DEVICE)
    }

    /// Makes its file in /dev.
    ///
    /// # Errors
    /// See mknod(2).
    pub fn make(&self) -> Done {
        let mut path = Short::new();
        let path = path.push(b"/dev/").push(self.name).c_str();
        let mode = Mode::from_raw_mode(0o600);
        Ok(mknodat(HERE, path, FileType::BlockDevice, mode, makedev(self.major, self.minor))?)
    }

    /// Appends what the device has of that kind; nothing if it has none. With a partition, `before` is the distance to the one that is
    /// asked for instead, in front of it.
    ///
    /// # Errors
    /// See [`Block::open`] and read(2).
    #[inline(never)]
    pub fn describe(&self, tag: Tag, before: i32, out: &mut Short) -> Done {
        if tag == Tag::Partlabel {
            out.push(self.uevent(b"PARTNAME=", &mut Short::new()));
            return Ok(());
        }
        let mut path = Short::new();
        if tag == Tag::Partuuid {
            return self.push_partition(before, &mut path, out);
        }
        let fd = self.open(&mut path)?;
        let mut disk = |buffer: &mut [u8], at| Ok(pread(fd, buffer, at)?);
        let done = match tag {
            Tag::Uuid => superblock::push_uuid(&mut disk, out),
            _ => superblock::push_label(&mut disk, out),
        };
        sys::close(fd);
        done
    }

    #[inline(never)]
    fn push_partition(&self, before: i32, path: &mut Short, out: &mut Short) -> Done {
        let mut value = Short::new();
        // It is no partition.
        let Some(number) = text::number(self.attribute(b"/partition", &mut value)) else { return Ok(()) };
        let Some(start) = text::long_number(self.attribute(b"/start", &mut value)) else { return Ok(()) };
        let block = text::long_number(self.attribute(b"/../queue/logical_block_size", &mut value)).unwrap_or(512);
        // The link leads to .../DISK/PARTITION.
        let mut link = [0; SHORT];
        let link = files::read_link(HERE, self.place(b"", path), &mut link)?;
        let disk = link.rsplit(|byte| *byte == b'/').nth(1).unwrap_or_default();
        let mut of_disk = text::first(self.attribute(b"/../dev", &mut value), b'\n');
        let major = text::word(&mut of_disk, b':').and_then(text::number).unwrap_or_default();
        let disk = Block { major, minor: text::number(of_disk).unwrap_or_default(), name: disk };
        let fd = disk.open(path)?;
        let mut read = |buffer: &mut [u8], at| Ok(pread(fd, buffer, at)?);
        let wanted = number.saturating_add_signed(before.saturating_neg());
        let done = partition::push_identity(&mut read, &Partition { number, start, block }, wanted, out);
        sys::close(fd);
        done
    }

    /// Whether another device is on it: the member of a RAID, or the data of a dm-verity.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let mut path = Short::new();
        let holders = files::open_path(self.place(b"/holders", &mut path), OFlags::RDONLY | OFlags::DIRECTORY);
        let Ok(holders) = holders else { return false };
        let mut held = false;
        files::each_name(holders, &mut |name| held |= !matches!(name.to_bytes(), b"." | b".."));
        sys::close(holders);
        held
    }

    /// Its directory in sysfs, or a file there.
    fn place<'t>(&self, file: &[u8], path: &'t mut Short) -> &'t CStr {
        path.truncate(0);
        path.push(b"/sys/class/block/");
        for byte in self.name {
            // A name in sysfs has no slash.
            path.byte(if *byte == b'/' { b'!' } else { *byte });
        }
        path.push(file).c_str()
    }

    /// The first line of a file in its directory in sysfs; empty if there is none.
    fn attribute<'t>(&self, file: &[u8], value: &'t mut Short) -> &'t [u8] {
        self.whole(file, value);
        text::first(value.bytes(), b'\n')
    }

    /// The value of a variable of its uevent; empty if there is none.
    fn uevent<'t>(&self, name: &[u8], value: &'t mut Short) -> &'t [u8] {
        self.whole(b"/uevent", value);
        let mut rest = value.bytes();
        while let Some(line) = text::word(&mut rest, b'\n') {
            if let Some(found) = text::after(line, name) {
                return found;
            }
        }
        b""
    }

    #[inline(never)]
    fn whole(&self, file: &[u8], value: &mut Short) {
        let opened = files::open_path(self.place(file, value), OFlags::RDONLY);
        value.truncate(0);
        let Ok(file) = opened else { return };
        let mut buffer = [0; SHORT];
        if let Ok(length) = read(file, &mut buffer) {
            value.push(buffer.get(..length as usize).unwrap_or_default());
        }
        sys::close(file);
    }
}
