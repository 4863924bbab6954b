//! The block device of a root: named by its path, its number, or an identity of its partition or its file system. It is waited for: a disk
//! may appear seconds after the kernel has started.

use rustix::fs::OFlags;
use rustix::io::pread;
use rustix::process::{Pid, getpid};

use crate::lines;
use crate::report::message::{self, push_object, push_reason};
use crate::rootfs::block::{self, Block, FLAGS, TAGS, Tag};
use crate::say;
use crate::spec::Spec;
use crate::sys::files::{self, Fd};
use crate::sys::{self, Failure, Set, Signal, Time};
use crate::text::{self, Short, Text};

/// The name of a device, understood.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Path,
    Number(u32, u32),
    /// The value of the tag, and how many partitions behind the one that has it.
    Tag(Tag, &'a [u8], i32),
}

/// After so many seconds a line says what is waited for.
const QUIET: i64 = 2;

/// The signals that end a machine: they end the wait.
const ENDS: Set = Set::of(&[
    Signal::INT,
    Signal::TERM,
    Signal::USR1,
    Signal::USR2,
    Signal::PWR,
    Signal::new(37),
    Signal::new(38),
    Signal::new(39),
]);

/// Opens the file or the device of the root, and stores its path. A device that does not exist is waited for.
///
/// # Errors
/// Reported. No such device has appeared; several have the identity; a signal asks for the end of the machine; others: see open(2).
pub fn find(spec: &Spec<'_>, path: &mut Text) -> Result<Fd, Failure> {
    let mut search = Search { spec, wanted: wanted(spec), scanned: (None, Time::NONE), said: false };
    let (began, patience) = (sys::now(), spec.patience());
    loop {
        match search.once(path) {
            Err(Failure::NOENT | Failure::NXIO | Failure::NODEV | Failure::NOMEDIUM) if search.may_come() => {}
            done => return done.map_err(|why| message::blame(say!("open image"), spec.root.directory, why)),
        }
        let seconds = sys::now().since(began).seconds;
        if seconds >= patience.into() {
            return Err(search.give_up(patience));
        }
        if seconds >= QUIET && !search.said {
            search.said = true;
            search.tell(patience);
        }
        if getpid() == Pid::INIT && sys::is_any_pending(ENDS) {
            return Err(message::blame(say!("wait for"), spec.root.directory, Failure::INTR));
        }
        sys::pause(Time::SHORT);
    }
}

fn wanted<'a>(spec: &Spec<'a>) -> Wanted<'a> {
    let name = spec.root.directory.to_bytes();
    // The links that udev(7) makes.
    let (mut rest, tags, separator): (_, &[u8], _) = match text::after(name, b"/dev/disk/by-") {
        Some(rest) => (rest, b"uuid label partuuid partlabel", b'/'),
        None => (name, TAGS, b'='),
    };
    let tag = text::word(&mut rest, separator).and_then(|word| text::place(tags, word));
    let tag = match tag {
        Some(0) => Tag::Uuid,
        Some(1) => Tag::Label,
        Some(2) => {
            let value = text::word(&mut rest, b'/').unwrap_or_default();
            let behind = text::after(rest, b"PARTNROFF=").unwrap_or_default();
            let (sign, digits) = match behind {
                [b'-', digits @ ..] => (-1, digits),
                digits => (1, digits),
            };
            let distance = text::number(digits).and_then(|distance| i32::try_from(distance).ok());
            return Wanted::Tag(Tag::Partuuid, value, distance.unwrap_or_default() * sign);
        }
        Some(3) => Tag::Partlabel,
        _ if spec.machine.root.given => return number(name).unwrap_or(Wanted::Path),
        _ => return Wanted::Path,
    };
    Wanted::Tag(tag, rest, 0)
}

/// The number of a device as the kernel reads it: `8:1`, or the 32 bits of new_encode_dev in hexadecimal.
fn number(name: &[u8]) -> Option<Wanted<'static>> {
    let mut rest = name;
    let major = text::word(&mut rest, b':').and_then(text::number);
    if let (Some(major), Some(minor)) = (major, text::number(rest)) {
        return Some(Wanted::Number(major, minor));
    }
    let number = text::hexadecimal(name)?;
    Some(Wanted::Number(number >> 8 & 0xfff, number & 0xff | number >> 12 & 0xf_ff00))
}

struct Search<'a> {
    spec: &'a Spec<'a>,
    wanted: Wanted<'a>,
    /// The kernel's list of devices at the last scan, and when that was.
    scanned: (Option<u32>, Time),
    /// The line that says what is waited for has been printed.
    said: bool,
}

/// The devices that have what is asked for.
#[derive(Default)]
struct Found {
    device: Option<(Fd, u32, u32)>,
    /// A file in /dev is missing, or a disk does not answer yet.
    misses: bool,
    several: bool,
}

impl Search<'_> {
    /// Whether what does not exist may come: a device, not a file.
    fn may_come(&self) -> bool {
        !matches!(self.wanted, Wanted::Path) || self.name_in_dev().is_some() || self.spec.machine.root.given
    }

    fn name_in_dev(&self) -> Option<&[u8]> {
        text::after(self.spec.root.directory.to_bytes(), b"/dev/")
    }

    fn once(&mut self, path: &mut Text) -> Result<Fd, Failure> {
        if matches!(self.wanted, Wanted::Path) {
            let name = self.spec.root.directory;
            match files::open_path(name, FLAGS) {
                Ok(fd) if is_empty(fd) => {
                    sys::close(fd);
                    return Err(Failure::NOMEDIUM);
                }
                Err(Failure::NOENT) if self.spec.boots() && !has_devtmpfs() => {}
                Ok(fd) => {
                    path.push(name.to_bytes());
                    return Ok(fd);
                }
                failed => return failed,
            }
        }
        let list = block::each(&mut |_| {})?;
        if self.scanned.0 == Some(list) && sys::now().since(self.scanned.1).seconds == 0 {
            return Err(Failure::NOENT);
        }
        let (mut found, mut name) = (Found::default(), Short::new());
        block::each(&mut |device| self.look(device, &mut found, &mut name))?;
        self.scanned = ((!found.misses).then_some(list), sys::now());
        match found.device {
            Some((fd, ..)) if !found.several => {
                path.push(name.bytes());
                Ok(fd)
            }
            Some((fd, ..)) => {
                sys::close(fd);
                Err(self.refuse())
            }
            None => Err(Failure::NOENT),
        }
    }

    /// Opens the device if it is the one that is asked for.
    fn look(&self, device: &Block<'_>, found: &mut Found, name: &mut Short) {
        match self.is_meant(device) {
            Ok(true) => {}
            Ok(false) => return,
            Err(why) => return found.misses |= matches!(why, Failure::NOENT | Failure::NO_DEVICE),
        }
        if let Some((_, major, minor)) = found.device {
            // A list that changes while it is read may have a device twice.
            found.several |= (major, minor) != (device.major, device.minor);
            return;
        }
        let mut opened = device.open(name);
        if matches!(opened, Err(Failure::NOENT)) && self.spec.boots() && !has_devtmpfs() && device.make().is_ok() {
            opened = device.open(name);
        }
        match opened {
            Ok(fd) if !is_empty(fd) => found.device = Some((fd, device.major, device.minor)),
            Ok(fd) => sys::close(fd),
            Err(_) => found.misses = true,
        }
    }

    fn is_meant(&self, device: &Block<'_>) -> Result<bool, Failure> {
        Ok(match self.wanted {
            Wanted::Path => self.name_in_dev() == Some(device.name),
            Wanted::Number(major, minor) => (major, minor) == (device.major, device.minor),
            Wanted::Tag(tag, value, behind) => {
                let mut its = Short::new();
                match device.describe(tag, behind, &mut its) {
                    // It has no file system that nsinit knows.
                    Ok(()) | Err(Failure::NO_IMAGE) => {}
                    why => why?,
                }
                let is_uuid = matches!(tag, Tag::Uuid | Tag::Partuuid);
                let same = if is_uuid { text::same_word(its.bytes(), value) } else { its.bytes() == value };
                same && !value.is_empty() && !device.is_held()
            }
        })
    }

    /// Appends the names of the devices that `wanted` accepts, each with what it has of the kind that is asked for.
    fn push_list(&self, line: &mut Text, wanted: &dyn Fn(&Block<'_>) -> bool) {
        let mut separator: &[u8] = b" ";
        let _ = block::each(&mut |device| {
            if !wanted(device) {
                return;
            }
            line.push(separator).push_printable(device.name);
            separator = b", ";
            let mut its = Short::new();
            if let Wanted::Tag(tag, ..) = self.wanted
                && device.describe(tag, 0, &mut its).is_ok()
                && !its.bytes().is_empty()
            {
                let mut names = TAGS;
                let name = (0..=tag as u8).fold(None, |_, _| text::word(&mut names, b' '));
                line.byte(b' ').push(name.unwrap_or_default()).byte(b'=').push_printable(its.bytes());
            }
        });
    }

    /// Reports that no such device has appeared, and which there are.
    #[cold]
    fn give_up(&self, patience: u32) -> Failure {
        let mut line = Text::new();
        push_object(line.say(say!("cannot find")), self.spec.root.directory);
        push_reason(line.push(b": "), Failure::NO_SUCH_DEVICE);
        if patience != 0 {
            line.say(say!(" after ")).push_number(patience).say(say!(" seconds"));
        }
        let before = line.bytes().len();
        self.push_list(line.say(say!(" (block devices:")), &|_| true);
        if line.bytes().last() == Some(&b':') {
            line.truncate(before);
            line.say(say!(" (the kernel has no block devices: is the driver of the disk a module?"));
        }
        let _ = message::fatal(line.byte(b')'));
        Failure::REPORTED
    }

    /// Reports that several devices have what is asked for.
    #[cold]
    fn refuse(&self) -> Failure {
        let mut line = Text::new();
        push_object(line.say(say!("cannot choose")), self.spec.root.directory);
        self.push_list(line.say(say!(": several devices have it:")), &|device| self.is_meant(device) == Ok(true));
        let _ = message::fatal(line.say(say!(" (name one by its path)")));
        Failure::REPORTED
    }

    /// Prints what is waited for.
    #[cold]
    fn tell(&self, patience: u32) {
        let mut line = Text::new();
        push_object(line.say(say!("waiting for")), self.spec.root.directory);
        if patience != u32::MAX {
            line.say(say!(", ")).push_number(patience).say(say!(" seconds at most"));
        }
        message::warning(&line);
    }
}

/// Whether it is a block device without content.
fn is_empty(fd: Fd) -> bool {
    files::kind(fd) == Ok(linux_raw_sys::general::S_IFBLK) && !matches!(pread(fd, &mut [0u8; 1][..], 0), Ok(1))
}

/// Whether the kernel fills /dev.
fn has_devtmpfs() -> bool {
    let Ok(file) = files::open_path(c"/proc/filesystems", OFlags::RDONLY) else { return false };
    let mut has = false;
    let _ = lines::each(file, &mut |line| has |= text::after(line, b"nodev\tdevtmpfs").is_some());
    sys::close(file);
    has
}
