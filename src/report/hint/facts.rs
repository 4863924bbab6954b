//! Facts about this machine and this process that causes follow from. They are read when something has failed.

use core::ffi::CStr;

use rustix::fs::OFlags;

use crate::mountinfo;
use crate::sys::files::{self, HERE, read};
use crate::sys::{self, Failure};
use crate::text::{self, PATH, Text};

/// Whether a seccomp filter is in force. If the question is refused, a filter refuses it.
pub fn is_filtered() -> bool {
    !matches!(sys::seccomp_mode(), Ok(0) | Err(Failure::INVAL))
}

/// Whether `/` is not a mount point.
pub fn is_chroot() -> bool {
    if let Some(mounted) = sys::is_mount_point(c"/") {
        return !mounted;
    }
    // Before Linux 5.8. The list has only the mounts below our root.
    any_mount(&mut |_| true) && !any_mount(&mut |mount| mount.path == b"/")
}

/// Whether `meant` holds for one of the mounts that are visible.
pub fn any_mount(meant: &mut dyn FnMut(&mountinfo::Line<'_>) -> bool) -> bool {
    let mut found = false;
    if let Ok(mounts) = files::open_path(c"/proc/self/mountinfo", OFlags::RDONLY) {
        // A list that cannot be read has no such mount.
        let _ = mountinfo::each(mounts, &mut |mount| found |= meant(mount));
    }
    found
}

/// Whether nsinit has CAP_SYS_ADMIN.
pub fn is_admin() -> bool {
    /// CAP_SYS_ADMIN.
    const ADMIN: u64 = 1 << 21;
    holds(ADMIN)
}

/// Whether nsinit has CAP_SETUID, with which it maps ids that are not its own (user_namespaces(7)).
pub fn may_map_ids() -> bool {
    /// CAP_SETUID.
    const SETUID: u64 = 1 << 7;
    holds(SETUID)
}

fn holds(capability: u64) -> bool {
    sys::capget().is_ok_and(|held| held & capability != 0)
}

/// Whether nsinit's own user namespace maps every user id, as the first one does.
pub fn maps_all_ids() -> bool {
    let mut content = [0u8; 64];
    text::before(first_of(c"/proc/self/uid_map", &mut content), b" 4294967295\n").is_some()
}

/// Whether user.max_user_namespaces is 0: no user namespace can be made in this one.
pub fn limits_users() -> bool {
    begins_with_digit(c"/proc/sys/user/max_user_namespaces", b'0')
}

/// Whether Ubuntu's AppArmor takes the capabilities from user namespaces of ordinary users.
pub fn restricts_users() -> bool {
    begins_with_digit(c"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", b'1')
}

/// The profile of this process: AppArmor's is `NAME (MODE)` or `unconfined`, SELinux's a context.
pub fn own_profile() -> [u8; 128] {
    let mut content = [0u8; 128];
    first_of(c"/proc/self/attr/current", &mut content);
    content
}

/// Whether `profile` is one of AppArmor that forbids anything.
pub fn is_confined(profile: &[u8]) -> bool {
    let has =
        |mode: &[u8]| (0..profile.len()).any(|at| profile.get(at..).and_then(|rest| text::after(rest, mode)).is_some());
    has(b" (enforce)") || has(b" (kill)") || has(b" (mixed)")
}

/// Whether the cgroup of this process, or one above it that is visible, has as many processes as pids.max permits (cgroups(7)).
pub fn is_cgroup_full() -> bool {
    let mut list = [0u8; PATH];
    let mut rest = first_of(c"/proc/self/cgroup", &mut list);
    while let Some(line) = text::word(&mut rest, b'\n') {
        // `ID:CONTROLLERS:PATH`
        let mut path = line;
        let _ = text::word(&mut path, b':');
        let Some(controllers) = text::word(&mut path, b':') else { continue };
        let trees: &[&[u8]] = match controllers {
            b"" => &[b"/sys/fs/cgroup", b"/sys/fs/cgroup/unified"],
            b"pids" => &[b"/sys/fs/cgroup/pids"],
            _ => &[],
        };
        if trees.iter().any(|tree| is_full(tree, path)) {
            return true;
        }
    }
    false
}

fn is_full(tree: &[u8], path: &[u8]) -> bool {
    let mut path = path;
    loop {
        let number = |name: &[u8]| {
            let (mut file, mut content) = (Text::new(), [0u8; 16]);
            file.push(tree).push(path).push(name);
            text::number(text::first(first_of(file.c_str(), &mut content), b'\n'))
        };
        if let (Some(most), Some(current)) = (number(b"/pids.max"), number(b"/pids.current"))
            && current >= most
        {
            return true;
        }
        let Some(slash) = path.iter().rposition(|byte| *byte == b'/') else { return false };
        path = path.get(..slash).unwrap_or_default();
    }
}

/// Whether a file contains this digit alone, with or without a newline.
pub fn begins_with_digit(path: &CStr, digit: u8) -> bool {
    matches!(first_of(path, &mut [0u8; 4]), [first] | [first, b'\n'] if *first == digit)
}

pub fn is_missing(path: &CStr) -> bool {
    files::look(HERE, path).err() == Some(Failure::NOENT)
}

/// The beginning of a file; empty for one that cannot be read.
pub fn first_of<'b>(path: &CStr, buffer: &'b mut [u8]) -> &'b [u8] {
    let file = files::open_path(path, OFlags::RDONLY | OFlags::NONBLOCK);
    let length = file.and_then(|file| read(file, &mut *buffer)).unwrap_or(0);
    buffer.get(..length as usize).unwrap_or_default()
}
