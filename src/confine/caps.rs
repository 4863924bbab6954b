//! capabilities(7): what CMD may do as root of its namespaces.

use linux_raw_sys::prctl::{PR_CAPBSET_DROP, PR_SET_KEEPCAPS};

use crate::say;
use crate::spec::{Capabilities, End, Spec};
use crate::sys::{self, Done, Failure};
use crate::text::Say;
use crate::text::{self, Text};

/// The names in the order of their numbers, without `CAP_`.
const NAMES: Say = say!(
    "\
    CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE \
    NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT \
    SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE \
    AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ \
    PERFMON BPF CHECKPOINT_RESTORE"
);

/// CAP_KILL: process 1 ends what is left of the container, whoever it belongs to.
const KILL: u64 = 1 << 5;

/// The number of the capability `name`, with or without `CAP_`, in any case.
#[must_use]
pub fn by_name(name: &[u8]) -> Option<u32> {
    let bare = match name.split_at_checked(4) {
        Some((prefix, rest)) if text::same_word(prefix, b"CAP_") => rest,
        _ => name,
    };
    let mut names = Text::new();
    let mut rest = names.say(NAMES).bytes();
    for number in 0.. {
        let known = text::word(&mut rest, b' ')?;
        if text::same_word(known, bare) {
            return Some(number);
        }
    }
    None
}

/// Drops from the bounding set what is not in `spec`, one capability at a time. What one of them answers says nothing of
/// the next: a filter around us may refuse a single one.
///
/// # Errors
/// EPERM without CAP_SETPCAP; EINVAL: one that the kernel knows is still there.
pub fn bound(spec: &Spec<'_>) -> Done {
    let ours = sys::capget()?;
    for capability in 0..u64::BITS {
        if spec.confine.capabilities.bounding >> capability & 1 == 1 {
            continue;
        }
        match sys::prctl(PR_CAPBSET_DROP, capability as usize) {
            // The kernel knows none of this number.
            Err(Failure::INVAL) if ours >> capability & 1 == 0 && !sys::is_bounded_by(capability) => {}
            result => result?,
        }
    }
    Ok(())
}

/// Has the permitted set survive the change to another user, for [`limit`] to choose from.
///
/// # Errors
/// EPERM if it is locked.
pub fn keep_over_setuid() -> Done {
    sys::prctl(PR_SET_KEEPCAPS, 1)
}

/// Limits the permitted and effective set to what CMD is to have, or as much of it as there is. The inheritable set is
/// empty but for what is ambient (CVE-2022-24769).
///
/// # Errors
/// EPERM if a capability that is to be ambient is not ours to give.
pub fn limit(spec: &Spec<'_>) -> Done {
    let sets = &spec.confine.capabilities;
    let ours = sys::capget()?;
    let ambient = sets.ambient & ours;
    if sets.ambient & Capabilities::AS_FAR_AS_HELD == 0 && ambient != sets.ambient {
        return Err(Failure::PERM);
    }
    sys::capset(sets.held & ours, ambient)?;
    (0..u64::BITS).filter(|capability| ambient >> capability & 1 == 1).try_for_each(sys::raise_ambient)
}

/// Process 1 keeps what it needs at the end and nothing else.
///
/// # Errors
/// None is known: a set can always be made smaller.
pub fn keep_for_the_end(spec: &Spec<'_>) -> Done {
    let kills = !(spec.is_sandbox() && spec.life.end == End::Leave);
    sys::capset(if kills { KILL & sys::capget()? } else { 0 }, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_every_form() {
        for name in ["KILL", "kill", "CAP_KILL", "cap_kill"] {
            assert_eq!(by_name(name.as_bytes()), Some(5));
        }
        for name in ["", "CAP_", "KIL", "CAP_KILLS", "ALL"] {
            assert_eq!(by_name(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn the_preset_is_what_engines_keep() {
        let preset = "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT \
                      KILL AUDIT_WRITE";
        let set = preset.split(' ').fold(0, |set, name| set | 1 << by_name(name.as_bytes()).unwrap());
        assert_eq!(Capabilities::USUAL, set);
        assert_eq!(KILL, 1 << by_name(b"KILL").unwrap());
    }
}
