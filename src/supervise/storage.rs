//! The end of the storage of a machine: every file system is unmounted, or else becomes read-only, so that it is consistent without
//! its journal. All other processes have ended by now.
//!
//! What holds a file system then, and what ends it:
//!
//! | held by | ended by |
//! |---|---|
//! | this process: its directory, a log as standard output, inherited descriptors | they are closed, or replaced |
//! | its own executable, if that has been removed | it goes on without the file |
//! | the kernel: process accounting, a swap file, a loop device on a file | acct(2), swapoff(2), LOOP_CLR_FD |
//! | a mount on it, or a file system in a file on it | it goes first: see `End::peel` |
//! | work that a killed process has left to the kernel (io_uring, a mount namespace) | a pause, and another try |
//! | a file server that does not answer (NFS, FUSE) | MNT_FORCE, MNT_DETACH |
//! | the kernel, in a way that only its owner can end (nfsd, a device mapper on a loop device) | read-only, by force |
//!
//! What is left gets one line. md(4) writes its own state when the kernel switches off. A swap partition that stays in use hurts no
//! file system.
//!
//! Each call that may wait for a device or a server is made by a child, which is given up when the kernel writes nothing for
//! `PATIENCE` seconds.

use core::ffi::CStr;
use core::mem::replace;

use linux_raw_sys::general as raw;
use rustix::fs::{OFlags, StatVfsMountFlags, major, stat, statfs, statvfs, sync};
use rustix::mount::{UnmountFlags, unmount};

use crate::confine::self_exe;
use crate::fs::procfs;
use crate::fs::staging::mount_by_path;
use crate::lines;
use crate::mountinfo;
use crate::report::message::warn;
use crate::say;
use crate::state::descriptors::STANDARD;
use crate::supervise::hardware::watchdog;
use crate::supervise::power::{self, Wait};
use crate::sys::files::{self, Fd};
use crate::sys::{self, Change, Done, Failure, Fork, Signal, Start, Time};
use crate::text::verb;
use crate::text::{self, SHORT, Say, Text};

/// Seconds without a byte written after which a call is given up. A disk that has stopped needs up to ten seconds to start.
const PATIENCE: u32 = 10;
/// Rounds without success, [`PAUSE`] apart, after which the rest is made read-only.
const IDLE_ROUNDS: u32 = 5;
/// The most rounds: each ends at least one layer of file systems in files on file systems.
const ROUNDS: u32 = 64;
const PAUSE: Time = Time { seconds: 0, nanos: 100_000_000 };

/// Unmounts all that holds data, or makes it read-only.
pub fn end(start: &Start) {
    let_go();
    self_exe::leave_removed(start);
    let mut end = End { gone: 0, left: 0, late: false, forced: false };
    let _ = end.in_time(&|| {
        sync();
        Ok(())
    });
    end.peel();
    end.unmount_each(true);
    end.swap_off(true);
    end.root();
    if !end.late {
        sync();
    }
}

/// Closes what this process has open.
fn let_go() {
    let _ = files::chdir(c"/");
    let _ = sys::close_all_but(&[watchdog::kept()], &[]);
    let _ = sys::end_accounting();
    for standard in STANDARD {
        if files::kind(standard.fd()) == Ok(raw::S_IFREG)
            && let Ok(null) = files::open_path(c"/dev/null", OFlags::RDWR)
        {
            let _ = sys::put(standard, null);
            sys::close(null);
        }
    }
}

/// How far the end has come.
struct End {
    /// In this round: how many mounts, swap files and loop devices have ended, and how many mounts and swap files have not.
    gone: u32,
    left: u32,
    /// A call was given up. What it waits for would delay each further round, so there is none.
    late: bool,
    /// [`End::force`] has been called.
    forced: bool,
}

impl End {
    /// Unmounts, and ends what would keep a file system busy, in rounds: what ends in one round frees what is below it.
    fn peel(&mut self) {
        let mut idle = 0;
        for _ in 0..ROUNDS {
            (self.gone, self.left) = (0, 0);
            self.unmount_each(false);
            self.swap_off(false);
            self.clear_loops();
            idle = if self.gone == 0 { idle + 1 } else { 0 };
            if self.left == 0 || self.late || idle == IDLE_ROUNDS {
                return;
            }
            if idle > 0 {
                sys::pause(PAUSE);
            }
        }
    }

    /// Unmounts the mounts one by one, the last one first. In the `last` round a mount that stays busy becomes read-only, and is
    /// unmounted lazily.
    fn unmount_each(&mut self, last: bool) {
        mountinfo::backwards(&each_mount, &mut |escaped, kind| {
            let mut path = Text::new();
            mountinfo::unescape(escaped, &mut path);
            if path.bytes() == b"/" {
                // `/..` leads to the mount on top of `/`.
                path.push(b"..");
            }
            self.unmount(path.c_str(), Content::of(kind), last);
        });
    }

    fn unmount(&mut self, place: &CStr, content: Content, last: bool) {
        let flags = UnmountFlags::NOFOLLOW;
        let flags = if last { flags | UnmountFlags::FORCE } else { flags };
        let by = |flags| move || Ok(unmount(place, flags)?);
        match self.in_time(&by(flags)) {
            Ok(()) => self.gone += 1,
            // It is no mount point any more: a mount that shares its mounts has taken it along (mount_namespaces(7)).
            Err(Failure::INVAL) => {}
            Err(_) if content == Content::None && !last => {}
            Err(why) if last => {
                match content {
                    Content::OnDisk => self.settle(say!("unmount"), place, why),
                    Content::OnServer => warn(say!("unmount"), place, why, Say::NOTHING),
                    Content::None => {}
                }
                let _ = self.in_time(&by(flags | UnmountFlags::DETACH));
            }
            Err(_) => self.left += 1,
        }
    }

    /// Makes the root, which cannot be unmounted, read-only. An initramfs needs nothing.
    fn root(&mut self) {
        const OVERLAY: u64 = 0x794c_7630;
        const LOOP: u32 = 7;
        let Ok(kind) = statfs(c"/").map(|system| system.f_type as u64) else { return };
        if kind == u64::from(raw::TMPFS_MAGIC) || kind == u64::from(raw::RAMFS_MAGIC) {
            return;
        }
        let place = c"/";
        let mut done = self.in_time(&|| make_read_only(place));
        for _ in 0..IDLE_ROUNDS {
            if done != Err(Failure::BUSY) {
                break;
            }
            sys::pause(PAUSE);
            done = self.in_time(&|| make_read_only(place));
        }
        if let Err(why) = done {
            self.settle(verb::MAKE_READ_ONLY, place, why);
        }
        // The file system below is mounted where no path leads to, or was, and is still in use.
        if kind == OVERLAY || stat(place).is_ok_and(|stat| major(stat.st_dev) == LOOP) {
            self.force();
        }
    }

    /// Makes a file system read-only that cannot be unmounted for the reason `why`, or prints that.
    fn settle(&mut self, says: Say, place: &CStr, why: Failure) {
        if why != Failure::NO_END
            && (self.in_time(&|| make_read_only(place)).is_ok() || {
                self.force();
                self.in_time(&|| is_read_only(place)).is_ok()
            })
        {
            return;
        }
        warn(says, place, why, Say::NOTHING);
    }

    /// Has the kernel make all file systems on block devices read-only, in whatever way they are used.
    fn force(&mut self) {
        if !self.forced {
            self.forced = true;
            let _ = self.in_time(&make_all_read_only);
        }
    }

    /// Ends the use of each swap file and device.
    fn swap_off(&mut self, last: bool) {
        let Ok(list) = proc_file(c"swaps", OFlags::RDONLY) else { return };
        let _ = lines::each(list, &mut |line| {
            let mut path = Text::new();
            mountinfo::unescape(text::first(line, b' '), &mut path);
            // The first line has titles.
            if line.first() != Some(&b'/') {
                return;
            }
            match self.in_time(&|| sys::swap_off(path.c_str())) {
                Ok(()) => self.gone += 1,
                Err(_) if !last => self.left += 1,
                Err(why) => warn(say!("stop swapping to"), path.c_str(), why, Say::NOTHING),
            }
        });
        sys::close(list);
    }

    /// Takes the files from all loop devices.
    fn clear_loops(&mut self) {
        let clear = || {
            let dev = files::open_path(c"/dev", OFlags::RDONLY | OFlags::DIRECTORY)?;
            let mut cleared = Err(Failure::NXIO);
            files::each_name(dev, &mut |name| {
                if text::after(name.to_bytes(), b"loop").and_then(text::number).is_some()
                    && let Ok(device) = files::open(dev, name, OFlags::RDONLY | OFlags::NONBLOCK)
                {
                    cleared = sys::clear_loop(device).or(cleared);
                    sys::close(device);
                }
            });
            cleared
        };
        if self.in_time(&clear).is_ok() {
            self.gone += 1;
        }
    }

    /// Calls `act` in a child, as long as it ends or the kernel writes data.
    ///
    /// # Errors
    /// That of `act`. [`Failure::NO_END`]: it was given up. [`Failure::KILLED`]: the child could not tell its result.
    fn in_time(&mut self, act: &dyn Fn() -> Done) -> Done {
        let child = match sys::clone_old(0) {
            Ok(Fork::Child) => {
                // A watchdog stops when no process has it open.
                sys::close_ours(&[], &[]);
                sys::exit(act().map_or_else(|why| why.number() as i32, |()| 0))
            }
            Ok(Fork::Parent(child)) => child,
            Err(_) => return act(),
        };
        let mut before = unwritten();
        loop {
            let until = sys::now().after(PATIENCE);
            let mut end = None;
            let mut waited = Wait::Asked;
            while waited == Wait::Asked {
                waited = power::wait_for(Some(child), Some(until), &mut end);
            }
            if waited == Wait::Over {
                return match end {
                    Some(Change::Exited(0)) => Ok(()),
                    Some(Change::Exited(errno)) => Err(Failure::new(errno.into())),
                    _ => Err(Failure::KILLED),
                };
            }
            let now = unwritten();
            if now >= before {
                let _ = sys::kill(child.as_raw_nonzero().get(), Signal::KILL);
                self.late = true;
                return Err(Failure::NO_END);
            }
            before = now;
        }
    }
}

/// Where the content of a file system is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// It ends with the machine.
    None,
    OnDisk,
    OnServer,
}

impl Content {
    /// By the type of the file system.
    fn of(kind: &[u8]) -> Content {
        if text::place(b"rootfs tmpfs ramfs devtmpfs proc sysfs devpts cgroup cgroup2 mqueue", kind).is_some() {
            Content::None
        } else if text::place(b"nfs nfs4 cifs smb3 9p virtiofs ceph fuse", text::first(kind, b'.')).is_some() {
            Content::OnServer
        } else {
            Content::OnDisk
        }
    }
}

fn make_read_only(place: &CStr) -> Done {
    mount_by_path(c"", place, c"", raw::MS_REMOUNT | raw::MS_RDONLY, c"")
}

/// SysRq-u. A worker of the kernel does the work and tells its log the end, for which this waits two seconds at most.
fn make_all_read_only() -> Done {
    const END: &[u8] = b"Remount complete";
    let trigger = proc_file(c"sysrq-trigger", OFlags::WRONLY)?;
    sys::clear_kernel_log();
    files::write(trigger, b"u")?;
    for _ in 0..200 {
        let mut log = [0; SHORT];
        sys::read_kernel_log(&mut log);
        if log.windows(END.len()).any(|part| part == END) {
            break;
        }
        sys::pause(Time::SHORT);
    }
    Ok(())
}

/// # Errors
/// EBUSY: it can be written to.
fn is_read_only(place: &CStr) -> Done {
    let flags = statvfs(place)?.f_flag;
    if flags.contains(StatVfsMountFlags::RDONLY) { Ok(()) } else { Err(Failure::BUSY) }
}

/// A file of a procfs, which need not be mounted.
fn proc_file(name: &CStr, flags: OFlags) -> Result<Fd, Failure> {
    let proc = procfs::open()?;
    let file = files::open(proc, name, flags);
    sys::close(proc);
    file
}

/// Calls `look` with each mount that can be unmounted.
fn each_mount(look: &mut dyn FnMut(&mountinfo::Line<'_>)) {
    if let Ok(list) = proc_file(c"1/mountinfo", OFlags::RDONLY) {
        let mut has_root = false;
        let _ = mountinfo::each(list, &mut |mount| {
            let stays = match mount.path {
                b"/" => !replace(&mut has_root, true),
                path => matches!(path, b"/dev" | b"/proc" | b"/sys") && Content::of(mount.kind) == Content::None,
            };
            if !stays {
                look(mount);
            }
        });
        sys::close(list);
    }
}

/// The KiB in memory that are not written yet (proc_meminfo(5)).
fn unwritten() -> u32 {
    let mut sum = 0;
    if let Ok(list) = proc_file(c"meminfo", OFlags::RDONLY) {
        let _ = lines::each(list, &mut |line| {
            if let Some(rest) = text::after(line, b"Dirty:").or_else(|| text::after(line, b"Writeback:")) {
                let mut rest = rest;
                while let Some(word) = text::word(&mut rest, b' ') {
                    sum += text::number(word).unwrap_or(0);
                }
            }
        });
        sys::close(list);
    }
    sum
}
