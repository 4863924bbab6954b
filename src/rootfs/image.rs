//! `--image`: a file system in a file or on a block device, mounted.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{OFlags, fstat, major, minor};
use rustix::io::pread;

use crate::fs::mount_fd;
use crate::fs::staging::fd_path;
use crate::report::hint;
use crate::report::message::{blame, blame_hint};
use crate::say;
use crate::sys::files::{self, Fd, HERE};
use crate::sys::{self, Done, Failure};
use crate::text::Text;

/// How a file system is recognised: its name, the offset of its magic number in the image, and the magic number.
struct Sort {
    name: &'static CStr,
    at: usize,
    mark: &'static [u8],
}

static SORTS: [Sort; 3] = [
    // EROFS_SUPER_MAGIC_V1, at 1024 bytes.
    Sort { name: c"erofs", at: 1024, mark: &[0xe2, 0xe1, 0xf5, 0xe0] },
    Sort { name: c"squashfs", at: 0, mark: b"hsqs" },
    // `s_magic` of the superblock, which is at 1024 bytes.
    Sort { name: c"ext4", at: 1024 + 56, mark: &[0x53, 0xef] },
];

/// The major number of loop devices.
const LOOP: u32 = 7;
/// How often another loop device is tried, if another process takes the first.
const TRIES: u32 = 16;

/// Mounts the image at `path` read-only, attached nowhere yet. Its loop device ends with the mount.
///
/// # Errors
/// Reported. EPERM: only root of the machine may mount it; ENODEV: the kernel does not know the file system; [`Failure::NO_IMAGE`]:
/// nsinit does not know it; EROFS: its journal must be replayed.
pub fn mount(path: &CStr, attributes: u32) -> Result<Fd, Failure> {
    // The path is resolved once; from here on the descriptor is used (CVE-2026-27456).
    let flags = OFlags::RDONLY | OFlags::NONBLOCK;
    let file = files::open(HERE, path, flags).map_err(|why| blame(say!("open image"), path, why))?;
    let says = say!("mount image");
    let sort = sort(file).map_err(|why| blame(says, path, why))?;
    let is_device = files::kind(file)? == raw::S_IFBLK;
    let done = if is_device { of(sort, file, attributes) } else { of_file(sort, file, attributes) };
    done.map_err(|why| blame_hint(says, path, why, hint::of_image(why).hint()))
}

/// The file system in an image.
fn sort(file: Fd) -> Result<&'static Sort, Failure> {
    let mut beginning = [0u8; 2048];
    let length = pread(file, beginning.as_mut_slice(), 0)?;
    let beginning = beginning.get(..length).unwrap_or_default();
    let is = |sort: &&Sort| beginning.get(sort.at..sort.at + sort.mark.len()) == Some(sort.mark);
    SORTS.iter().find(is).ok_or(Failure::NO_IMAGE)
}

fn of(sort: &Sort, device: Fd, attributes: u32) -> Result<Fd, Failure> {
    let mut path = Text::new();
    let attributes = attributes | raw::MOUNT_ATTR_RDONLY | raw::MOUNT_ATTR_NODEV;
    // The superblock of an ext4 may ask for a panic on errors.
    let options = [(c"source", fd_path(device, &mut path)), (c"ro", c""), (c"errors", c"continue")];
    let used = if sort.name == c"ext4" { 3 } else { 2 };
    mount_fd::detached(sort.name, options.get(..used).unwrap_or_default(), attributes)
}

/// An erofs needs no block device (Linux 6.12, CONFIG_EROFS_FS_BACKED_BY_FILE); the others need a loop device.
fn of_file(sort: &Sort, file: Fd, attributes: u32) -> Result<Fd, Failure> {
    if sort.name == c"erofs" {
        match of(sort, file, attributes) {
            Err(Failure::NOTBLK | Failure::INVAL) => {}
            done => return done,
        }
    }
    of(sort, loop_device(file)?, attributes)
}

/// A read-only loop device with the file. The kernel frees it when it is neither open nor mounted any more (loop(4)).
fn loop_device(file: Fd) -> Result<Fd, Failure> {
    let control = c"/dev/loop-control";
    let control = files::open(HERE, control, OFlags::RDWR)
        .map_err(|why| blame_hint(say!("open"), control, why, hint::of_loop(why).hint()))?;
    let mut result = Err(Failure::BUSY);
    for _ in 0..TRIES {
        let number = sys::free_loop(control)?;
        let mut name = Text::new();
        let name = name.push(b"/dev/loop").push_number(number).c_str();
        let device = files::open(HERE, name, OFlags::RDONLY).map_err(|why| blame(say!("open"), name, why))?;
        let stat = fstat(device)?;
        let is_it =
            files::kind(device)? == raw::S_IFBLK && (major(stat.st_rdev), minor(stat.st_rdev)) == (LOOP, number);
        if !is_it {
            return Err(blame(say!("open"), name, Failure::NOTBLK));
        }
        result = sys::configure_loop(device, file).map(|()| device);
        if !matches!(result, Err(Failure::BUSY)) {
            break;
        }
    }
    result
}

/// Mounts the image on a directory.
///
/// # Errors
/// Reported: as [`mount`]; ENOENT, ENOTDIR: there is no such directory.
pub fn mount_on(path: &CStr, dir: &CStr) -> Done {
    let tree = mount(path, 0)?;
    files::directory(HERE, dir)
        .and_then(|place| mount_fd::attach(tree, place))
        .map_err(|why| blame(say!("mount the image on"), dir, why))
}
