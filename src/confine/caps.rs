//! The capabilities of CMD (capabilities(7)).

#[cfg(feature = "limits")]
use crate::sys::PR_SET_SECUREBITS;
use crate::sys::{PR_CAPBSET_DROP, PR_SET_KEEPCAPS};

#[cfg(feature = "limits")]
use crate::report::hint::{self, Cause};
#[cfg(feature = "limits")]
use crate::report::message::blame_hint;
#[cfg(any(feature = "container", feature = "limits"))]
use crate::say;
use crate::spec::{Capabilities, End, Spec};
use crate::sys::{self, Done, Failure};
#[cfg(any(feature = "container", feature = "limits"))]
use crate::text::Say;
#[cfg(feature = "container")]
use crate::text::{self, Text};

/// The names in the order of their numbers, without `CAP_`.
#[cfg(feature = "container")]
const NAMES: Say = say!(
    "\
    CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE \
    NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT \
    SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE \
    AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ \
    PERFMON BPF CHECKPOINT_RESTORE"
);

/// CAP_KILL: process 1 ends the remaining processes of the container, whatever user they belong to.
const KILL: u64 = 1 << 5;

/// The number of the capability `name`, with or without `CAP_`, in any case.
#[cfg(feature = "container")]
#[must_use]
pub fn by_name(name: &[u8]) -> Option<u32> {
    let bare = match name.split_at_checked(4) {
        Some((prefix, rest)) if text::same_word(prefix, b"CAP_") => rest,
        _ => name,
    };
    let mut names = Text::new();
    text::place_in_any_case(names.say(NAMES).bytes(), bare).map(|number| number as u32)
}

/// Drops each capability that is not in `spec` from the bounding set. The result for one capability proves nothing for the next: a
/// seccomp filter around nsinit may refuse a single one.
///
/// # Errors
/// EPERM: nsinit has no CAP_SETPCAP; EINVAL: a capability that the kernel knows was not dropped.
pub fn bound(spec: &Spec<'_>) -> Done {
    let ours = sys::capget()?;
    for capability in 0..u64::BITS {
        if spec.confine.capabilities.bounding >> capability & 1 == 1 {
            continue;
        }
        // Dropped before, or the kernel has no capability with this number.
        if ours >> capability & 1 == 0 && !sys::is_bounded_by(capability) {
            continue;
        }
        sys::prctl(PR_CAPBSET_DROP, capability)?;
    }
    Ok(())
}

/// Keeps the permitted set when this process changes to another user, for [`limit`] to reduce.
///
/// # Errors
/// EPERM: SECBIT_KEEP_CAPS_LOCKED is set.
pub fn keep_over_setuid() -> Done {
    sys::prctl(PR_SET_KEEPCAPS, 1)
}

/// Sets the securebits flags. Before: the ambient set, which some of them close. Afterwards: [`limit`], which gives up the right to set
/// them.
///
/// # Errors
/// EPERM: nsinit has no CAP_SETPCAP, a flag is locked, or the kernel does not know it; or as [`limit`].
#[cfg(feature = "limits")]
pub fn secure(spec: &Spec<'_>) -> Done {
    set_securebits(spec).map_err(|why| {
        let hint = if why == Failure::PERM { Cause::NeedsSetpcap } else { hint::of_call(why) };
        blame_hint(SECURE, c"", why, hint.hint())
    })
}

/// The verb of the step that calls [`secure`].
#[cfg(feature = "limits")]
pub const SECURE: Say = say!("set --securebits");

#[cfg(feature = "limits")]
fn set_securebits(spec: &Spec<'_>) -> Done {
    if spec.sets_capabilities() || spec.sets_ids() {
        let ours = sys::capget()?;
        let ambient = spec.confine.capabilities.ambient & ours;
        // All that nsinit has becomes effective: a change of the user id may have cleared that.
        sys::capset(ours, ambient)?;
        raise(ambient)?;
    }
    sys::prctl(PR_SET_SECUREBITS, spec.confine.securebits.unwrap_or_default())
}

fn raise(ambient: u64) -> Done {
    (0..u64::BITS).filter(|capability| ambient >> capability & 1 == 1).try_for_each(sys::raise_ambient)
}

/// Reduces the permitted and the effective set to the capabilities of CMD, as far as nsinit has them. The inheritable set has the ambient
/// capabilities only (CVE-2022-24769).
///
/// # Errors
/// EPERM: nsinit does not have a capability that must be ambient.
pub fn limit(spec: &Spec<'_>) -> Done {
    let sets = &spec.confine.capabilities;
    let ours = sys::capget()?;
    let ambient = sets.ambient & ours;
    if sets.ambient & Capabilities::AS_FAR_AS_HELD == 0 && ambient != sets.ambient {
        return Err(Failure::PERM);
    }
    sys::capset(sets.held & ours, ambient)?;
    // With securebits they are raised already.
    if spec.confine.securebits.is_some() { Ok(()) } else { raise(ambient) }
}

/// Reduces the sets of process 1 to the capabilities that it needs when the container ends.
///
/// # Errors
/// None is known: a set can always be reduced.
pub fn keep_for_the_end(spec: &Spec<'_>) -> Done {
    let kills = !(spec.is_sandbox() && spec.life.end == End::Leave);
    sys::capset(if kills { KILL & sys::capget()? } else { 0 }, 0)
}

#[cfg(feature = "container")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_found_in_any_case_with_or_without_cap() {
        for name in ["KILL", "kill", "CAP_KILL", "cap_kill"] {
            assert_eq!(by_name(name.as_bytes()), Some(5));
        }
        for name in ["", "CAP_", "KIL", "CAP_KILLS", "ALL"] {
            assert_eq!(by_name(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn preset_has_the_capabilities_that_every_container_engine_keeps() {
        let preset = "CHOWN DAC_OVERRIDE FSETID FOWNER SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL";
        let set = preset.split(' ').fold(0, |set, name| set | 1 << by_name(name.as_bytes()).unwrap());
        assert_eq!(Capabilities::USUAL, set);
        assert_eq!(KILL, 1 << by_name(b"KILL").unwrap());
    }
}
