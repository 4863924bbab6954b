//! Superblocks: what nsinit reads of file systems that the real programs have made is what blkid(8) reads.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use engine::rootfs::superblock;
use engine::sys::Failure;
use engine::text::Short;

use super::harness::launch::{attempt, tool};
use super::harness::{Dir, Who, skip};

/// The programs, with a label, and the kind of file system.
const PROGRAMS: [(&str, &[&str], &str); 9] = [
    ("mkfs.ext4", &["-q", "-L", "a label"], "ext4"),
    ("mkfs.ext2", &["-q", "-L", "sixteen bytes 16"], "ext4"),
    ("mkfs.ext3", &["-q"], "ext4"),
    ("mkfs.xfs", &["-q", "-L", "xfs label"], "xfs"),
    ("mkfs.btrfs", &["-q", "-L", "btrfs label"], "btrfs"),
    ("mkfs.f2fs", &["-q", "-l", "f2fs label"], "f2fs"),
    ("mkfs.vfat", &["-F", "32", "-n", "FAT LABEL"], "vfat"),
    ("mkfs.vfat", &["-F", "16"], "vfat"),
    ("mkfs.erofs", &[], "erofs"),
];

/// What nsinit reads of the file: the kind, the UUID and the label.
fn read(path: &Path) -> Result<[String; 3], Failure> {
    let file = File::open(path).expect("open a disk");
    let mut disk = |buffer: &mut [u8], at| Ok(file.read_at(buffer, at).expect("read a disk"));
    let (mut uuid, mut label) = (Short::new(), Short::new());
    let sort = superblock::sort(&mut disk)?;
    superblock::push_uuid(&mut disk, &mut uuid)?;
    superblock::push_label(&mut disk, &mut label)?;
    Ok([sort.name.to_bytes(), uuid.bytes(), label.bytes()].map(|text| String::from_utf8_lossy(text).into_owned()))
}

fn blkid(path: &Path, what: &str) -> String {
    attempt(Command::new("blkid").args(["-p", "-o", "value", "-s", what]).arg(path))
        .unwrap_or_default()
        .trim_end()
        .to_owned()
}

#[test]
fn superblocks_are_read_as_blkid_reads_them() {
    if attempt(Command::new("blkid").arg("--version")).is_none() {
        return skip("blkid is not installed");
    }
    for (program, options, kind) in PROGRAMS {
        if attempt(Command::new("which").arg(program)).is_none() {
            skip(&format!("{program} is not installed"));
            continue;
        }
        let dir = Dir::new(Who::Root);
        let disk = dir.at("disk");
        tool(Command::new("truncate").args(["-s", "320M"]).arg(&disk));
        let mut make = Command::new(program);
        make.args(options).arg(&disk);
        if program == "mkfs.erofs" {
            make.arg(env!("CARGO_MANIFEST_DIR").to_owned() + "/docs");
        }
        tool(&mut make);
        let expected = [kind.to_owned(), blkid(&disk, "UUID"), blkid(&disk, "LABEL")];
        assert!(read(&disk).is_ok_and(|read| read == expected), "{program}: expected {expected:?}");
        assert!(!expected[1].is_empty(), "{program}: it has a UUID");
    }
}

/// A file system that is cut off anywhere is none, or has a part of its identity.
#[test]
fn disks_may_end_anywhere() {
    let dir = Dir::new(Who::Root);
    let disk = dir.at("disk");
    tool(Command::new("truncate").args(["-s", "2M"]).arg(&disk));
    assert!(read(&disk) == Err(Failure::NO_IMAGE));
    tool(Command::new("mke2fs").args(["-q", "-L", "whole"]).arg(&disk));
    for length in [0, 1, 1023, 1080, 1081, 1082, 1130, 1144, 1150, 4096] {
        tool(Command::new("truncate").args(["-s", &length.to_string()]).arg(&disk));
        let found = read(&disk);
        assert_eq!(found.is_ok(), length >= 1082, "{length} bytes");
        assert!(
            found.is_err() || length < 1160 || found.is_ok_and(|[_, uuid, label]| uuid.len() == 36 && label == "whole")
        );
        tool(Command::new("truncate").args(["-s", "2M"]).arg(&disk));
        tool(Command::new("mke2fs").args(["-q", "-F", "-L", "whole"]).arg(&disk));
    }
}
