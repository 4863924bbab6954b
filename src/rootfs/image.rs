//! A file system in a file, or on a block device, as a mount: what `--image` names.

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

/// How a file system is known: its name, where in the image its mark is, and what that is.
struct Sort {
    name: &'static CStr,
    at: usize,
    mark: &'static [u8],
}

static SORTS: [Sort; 3] = [
    // EROFS_SUPER_MAGIC_V1, 1024 bytes into it.
    Sort { name: c"erofs", at: 1024, mark: &[0xe2, 0xe1, 0xf5, 0xe0] },
    Sort { name: c"squashfs", at: 0, mark: b"hsqs" },
    // `s_magic` of the superblock, which is 1024 bytes into it.
    Sort { name: c"ext4", at: 1024 + 56, mark: &[0x53, 0xef] },
];

/// The major number of loop devices.
const LOOP: u32 = 7;
/// How many times another loop device is tried, where somebody else was faster.
const TRIES: u32 = 16;

/// A mount of the image at `path`, read-only and nowhere yet. What it takes of a loop device goes with it.
///
/// # Errors
/// What could not be done, reported: EPERM without the rights of the machine's root; ENODEV where the kernel does not know
/// its file system.
pub fn mount(path: &CStr, attributes: u32) -> Result<Fd, Failure> {
    // Once, and all that follows is by the descriptor (CVE-2026-27456).
    let flags = OFlags::RDONLY | OFlags::NONBLOCK;
    let file = files::open(HERE, path, flags).map_err(|why| blame(say!("open image"), path, why))?;
    let says = say!("mount image");
    let sort = sort(file).map_err(|why| blame(says, path, why))?;
    let is_device = files::kind(file)? == raw::S_IFBLK;
    let done = if is_device { of(sort, file, attributes) } else { of_file(sort, file, attributes) };
    done.map_err(|why| blame_hint(says, path, why, hint::of_image(why).hint()))
}

/// Which file system is in it.
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
    // What an ext4 asks for when it is found damaged may be a panic.
    let options = [(c"source", fd_path(device, &mut path)), (c"ro", c""), (c"errors", c"continue")];
    let used = if sort.name == c"ext4" { 3 } else { 2 };
    mount_fd::detached(sort.name, options.get(..used).unwrap_or_default(), attributes)
}

/// erofs can do without a block device (Linux 6.12, CONFIG_EROFS_FS_BACKED_BY_FILE).
fn of_file(sort: &Sort, file: Fd, attributes: u32) -> Result<Fd, Failure> {
    if sort.name == c"erofs" {
        match of(sort, file, attributes) {
            Err(Failure::NOTBLK | Failure::INVAL) => {}
            done => return done,
        }
    }
    of(sort, loop_device(file)?, attributes)
}

/// A loop device that shows the file, read-only, as long as somebody has it open or mounted (loop(4)).
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

/// Puts a mount of the image onto a directory.
///
/// # Errors
/// As [`mount`], and those of move_mount(2).
pub fn mount_on(path: &CStr, dir: &CStr) -> Done {
    let tree = mount(path, 0)?;
    files::directory(HERE, dir)
        .and_then(|place| mount_fd::attach(tree, place))
        .map_err(|why| blame(say!("mount the image on"), dir, why))
}
