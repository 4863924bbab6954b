//! Checks whether the options of a Spec go together. It reads nothing but the Spec.

use core::ffi::CStr;

#[cfg(feature = "container")]
use linux_raw_sys::general as raw;

use crate::say;
#[cfg(feature = "boot")]
use crate::spec::AtEnd;
#[cfg(feature = "overlay")]
use crate::spec::Kind;
#[cfg(feature = "bwrap")]
use crate::spec::LOCKS;
#[cfg(feature = "container")]
use crate::spec::Writes;
#[cfg(feature = "enter")]
use crate::spec::{Audience, End};
use crate::spec::{Op, Spec};
use crate::text::Say;

pub use super::misuse::Misuse;

/// A usage error. It prints as `nsinit: ON VALUE: WHY`, without a value as `nsinit: ON WHY`.
#[derive(Clone, Copy)]
pub struct Fault<'a> {
    /// The option or argument that is wrong, if its name is a text of the program.
    pub on: Say,
    /// The option that is wrong, if its name is one of the table of options; otherwise empty.
    pub option: &'a [u8],
    /// Its value as the user wrote it, if the value is wrong.
    pub value: Option<&'a CStr>,
    /// Its value, if that is an id.
    pub id: Option<u32>,
    pub why: Say,
    pub misuse: Misuse,
}

impl<'a> Fault<'a> {
    #[must_use]
    pub const fn new(on: Say, option: &'a [u8], value: Option<&'a CStr>, why: Say) -> Fault<'a> {
        Fault { on, option, value, id: None, why, misuse: Misuse::Other }
    }
}

/// One usage error.
struct Rule {
    broken: fn(&Spec<'_>) -> bool,
    on: Say,
    why: Say,
    misuse: Misuse,
}

const fn rule(on: Say, why: Say, broken: fn(&Spec<'_>) -> bool) -> Rule {
    Rule { broken, on, why, misuse: Misuse::Other }
}

#[cfg(feature = "container")]
const fn known(misuse: Misuse, on: Say, why: Say, broken: fn(&Spec<'_>) -> bool) -> Rule {
    Rule { broken, on, why, misuse }
}

static RULES: &[Rule] = &[
    #[cfg(feature = "enter")]
    rule(say!("--as-pid-1"), say!("and --enter exclude each other"), |spec| spec.enters() && spec.life.as_pid_1),
    #[cfg(feature = "container")]
    rule(say!("--init"), say!("excludes every option that makes a container (which has an init)"), |spec| {
        spec.parsed.in_place && spec.contained()
    }),
    rule(Say::NOTHING, say!("no command given"), |spec| spec.exec.argv.is_none()),
    // A sandbox reports the error of execve(2) instead, as bubblewrap does.
    rule(Say::NOTHING, say!("the command is an empty word"), |spec| spec.exec.command.is_empty() && !spec.is_sandbox()),
    // The kernel lets only root mount an image.
    #[cfg(feature = "image")]
    rule(say!("--image"), say!("needs root"), |spec| spec.has_image() && spec.ids.rootless),
    #[cfg(feature = "root-device")]
    rule(say!("--wait-device"), say!("needs --image or --overlay-device"), |spec| spec.waits_for_no_device()),
    #[cfg(feature = "root-device")]
    rule(say!("--overlay-device"), say!("needs --switch-root or root="), |spec| spec.has_disk_without_switch()),
    #[cfg(feature = "boot")]
    rule(say!("--on-exit and --respawn"), say!("need --boot"), |spec| {
        !spec.boots() && spec.machine.at_end != AtEnd::Unsaid
    }),
    #[cfg(feature = "boot")]
    rule(say!("--on-failure, --service and --console"), say!("need --boot"), |spec| {
        !spec.boots() && spec.machine.asks_for_failure_or_services()
    }),
    #[cfg(feature = "hardware")]
    rule(
        say!("--watchdog, --seed, --clock-epoch, --exit-port, --exit-vsock and --no-power-button"),
        say!("need --boot"),
        |spec| !spec.boots() && spec.hardware.is_asked_for(),
    ),
    #[cfg(feature = "boot")]
    rule(say!("--max-restarts"), say!("needs --respawn or --restart"), |spec| spec.limits_no_restart()),
    #[cfg(feature = "boot")]
    rule(say!("--on-failure"), say!("with --respawn needs --max-restarts"), |spec| spec.machine.never_fails()),
    #[cfg(feature = "services")]
    rule(say!("--after"), say!("is for the file of a service"), |spec| spec.machine.waits_as_no_service()),
    #[cfg(feature = "services")]
    rule(
        say!("a service"),
        say!(
            "has --respawn, --max-restarts, --on-failure (but no shell) and --after, and no other option of a machine"
        ),
        |spec| spec.machine.is_service && (spec.machine.is_more_than_a_service() || spec.hardware.is_asked_for()),
    ),
    // The machine ends with the command.
    #[cfg(all(feature = "boot", feature = "detach"))]
    rule(say!("--boot"), say!("and --detach exclude each other"), |spec| spec.boots() && spec.detaches()),
    #[cfg(feature = "boot")]
    rule(
        say!("--switch-root"),
        say!("excludes the options for which a process of nsinit would have to stay behind"),
        |spec| switches(spec) && spec.asks_for_more_than_a_switch(),
    ),
    #[cfg(feature = "boot")]
    rule(say!("--switch-root"), say!("needs the absolute path of the new init"), |spec| {
        switches(spec) && !spec.exec.command.to_bytes().starts_with(b"/")
    }),
    #[cfg(feature = "container")]
    rule(say!("--read-only, --volatile and --overlay-root"), NEED_ROOT, |spec| {
        (spec.root.writes != Writes::Kept || spec.keeps_layer()) && !spec.has_root() && !switches(spec)
    }),
    #[cfg(feature = "overlay")]
    rule(say!("--overlay-root and --overlay-device"), say!("exclude each other, --read-only and --volatile"), |spec| {
        spec.keeps_writes_twice()
    }),
    #[cfg(feature = "container")]
    rule(say!("--init"), say!("needs process 1 for operations on the root"), |spec| {
        spec.prepares_in_place() && !spec.life.process_1 && !spec.boots()
    }),
    #[cfg(feature = "container")]
    rule(say!("--proc, --dev, --mqueue, --bind-data and the overlays"), say!("need a container"), |spec| {
        spec.prepares_in_place() && !spec.root.ops.iter().all(Op::is_possible_in_place)
    }),
    #[cfg(feature = "container")]
    rule(say!("--no-proc and --no-sys"), NEED_ROOT, |spec| {
        spec.contained() && !(spec.root.proc && spec.root.sys) && !spec.has_root()
    }),
    #[cfg(feature = "container")]
    rule(say!("--allow-nesting"), say!("needs --root, --image, --enter or --seccomp-profile default"), |spec| {
        spec.namespaces.allow_nesting && !spec.has_preset() && !spec.confine.filtered
    }),
    #[cfg(feature = "container")]
    rule(say!("--keep-keyring"), say!("needs --root, --image or --enter"), |spec| {
        spec.confine.keep_keyring && !spec.has_preset()
    }),
    // Without an operation such a sandbox has no file to run.
    #[cfg(feature = "cgroup")]
    rule(
        say!("--memory and the other options of a container's cgroup"),
        say!("need --root, --image or the options of a sandbox"),
        |spec| spec.uses_cgroups() && spec.is_empty(),
    ),
    // Else the container could reach the cgroups above; and a user namespace that is joined may have another root.
    #[cfg(feature = "cgroup")]
    rule(
        say!("--cgroup-delegate"),
        say!("needs a new cgroup namespace, and excludes --join-user and --userns"),
        |spec| spec.delegates() && (!spec.unshares(raw::CLONE_NEWCGROUP) || spec.joins_user()),
    ),
    #[cfg(feature = "landlock")]
    rule(say!("--landlock-try"), say!("needs another --landlock option"), |spec| {
        spec.confine.landlock.lenient && !spec.uses_landlock()
    }),
    #[cfg(feature = "landlock")]
    rule(say!("--allow-new-privs"), say!("excludes every --landlock option (Landlock needs no_new_privs)"), |spec| {
        spec.uses_landlock() && !spec.confine.no_new_privs
    }),
    #[cfg(feature = "limits")]
    rule(say!("--proc-subset"), say!("needs a new /proc and a new pid namespace"), |spec| {
        spec.root.processes_only && !spec.mounts_new_proc()
    }),
    #[cfg(feature = "enter")]
    rule(say!("--hostname"), say!("and --enter exclude each other (the container exists)"), |spec| {
        spec.enters() && spec.namespaces.hostname.is_some()
    }),
    #[cfg(feature = "container")]
    known(Misuse::HostnameWithoutUts, say!("--hostname"), say!("needs --unshare-uts"), |spec| {
        spec.namespaces.hostname.is_some() && spec.contained() && !spec.unshares(raw::CLONE_NEWUTS)
    }),
    #[cfg(feature = "container")]
    known(Misuse::Pid1WithoutPids, say!("--as-pid-1"), say!("needs --unshare-pid"), |spec| {
        spec.life.as_pid_1 && !(spec.contained() && spec.unshares(raw::CLONE_NEWPID))
    }),
    #[cfg(feature = "container")]
    rule(say!("--as-pid-1"), NEED_INIT, |spec| spec.life.as_pid_1 && spec.life.excludes_pid_1()),
    #[cfg(feature = "container")]
    known(Misuse::Pid1WithLocks, say!("--as-pid-1"), say!("and --lock-file exclude each other"), |spec| {
        spec.life.as_pid_1 && !spec.life.locks.is_empty()
    }),
    #[cfg(feature = "container")]
    known(Misuse::UidWithoutUsers, say!("--uid"), USER_NAMESPACE, |spec| {
        spec.ids.other_uid && lacks_user_namespace(spec)
    }),
    #[cfg(feature = "container")]
    known(Misuse::GidWithoutUsers, say!("--gid"), USER_NAMESPACE, |spec| {
        spec.ids.other_gid && lacks_user_namespace(spec)
    }),
    #[cfg(feature = "ids")]
    rule(
        MAPS,
        say!("need a new user namespace (--root or --unshare-user, without --share-user or --join-user)"),
        |spec| spec.has_map() && !spec.unshares(raw::CLONE_NEWUSER),
    ),
    #[cfg(feature = "ids")]
    rule(say!("--map-uid and --map-gid"), say!("need each other"), |spec| {
        spec.has_map() && (spec.ids.users.is_empty() || spec.ids.members.is_empty())
    }),
    #[cfg(feature = "status")]
    rule(say!("--userns-block-fd"), say!("excludes --map-uid, --map-gid and --map-auto"), |spec| {
        spec.channels.maps.is_some() && spec.maps_ranges()
    }),
    #[cfg(feature = "ids")]
    rule(say!("--groups"), USER_NAMESPACE, |spec| spec.ids.groups.is_some() && lacks_user_namespace(spec)),
    #[cfg(feature = "ids")]
    rule(
        say!("--groups"),
        say!("needs --map-auto or --map-gid (with one group id, setgroups(2) is forbidden)"),
        |spec| spec.ids.groups.is_some() && spec.unshares(raw::CLONE_NEWUSER) && spec.denies_setgroups(),
    ),
    #[cfg(feature = "idmap")]
    rule(say!("--idmap"), say!("needs root"), |spec| spec.ids.idmap && spec.ids.rootless),
    #[cfg(feature = "idmap")]
    rule(say!("--idmap"), say!("needs --map-auto, or --map-uid and --map-gid"), |spec| {
        spec.ids.idmap && !spec.maps_ranges()
    }),
    #[cfg(feature = "idmap")]
    rule(say!("--idmap"), say!("excludes --overlay-src (use --volatile)"), |spec| {
        spec.ids.idmap && spec.root.ops.iter().any(|op| !op.layers.is_empty())
    }),
    #[cfg(feature = "join")]
    known(Misuse::UsersTwice, say!("--userns"), say!("and --unshare-user exclude each other"), |spec| {
        spec.namespaces.joins.user.is_some() && spec.unshares(raw::CLONE_NEWUSER)
    }),
    #[cfg(feature = "container")]
    known(Misuse::NoMoreUsersWithoutUsers, say!("--disable-userns"), NEW_USER_NAMESPACE, |spec| {
        spec.nests_users() && !spec.unshares(raw::CLONE_NEWUSER)
    }),
    #[cfg(feature = "status")]
    known(Misuse::MapsWithoutUsers, say!("--userns-block-fd"), NEW_USER_NAMESPACE, |spec| {
        spec.channels.maps.is_some() && !spec.unshares(raw::CLONE_NEWUSER)
    }),
    #[cfg(feature = "status")]
    known(Misuse::MapsWithoutInfo, say!("--userns-block-fd"), say!("needs --info-fd"), |spec| {
        spec.channels.maps.is_some() && spec.channels.info.is_none()
    }),
    #[cfg(feature = "overlay")]
    known(Misuse::OverlayWithoutLayers, say!("--overlay"), LAYER, |spec| lacks_layers(spec, Kind::Overlay, 1)),
    #[cfg(feature = "overlay")]
    known(Misuse::TmpOverlayWithoutLayers, say!("--tmp-overlay"), LAYER, |spec| {
        lacks_layers(spec, Kind::OverlayTmpfs, 1)
    }),
    #[cfg(feature = "overlay")]
    known(
        Misuse::ReadOnlyOverlayWithoutLayers,
        say!("--ro-overlay"),
        say!("needs at least two --overlay-src before it"),
        |spec| lacks_layers(spec, Kind::OverlayReadOnly, 2),
    ),
    #[cfg(feature = "bwrap")]
    rule(say!("--lock-file"), say!("can be given 16 times at most"), |spec| spec.life.locks.len() > LOCKS),
    // Processes that the command leaves running belong to the container.
    #[cfg(feature = "enter")]
    rule(say!("--enter"), say!("excludes --grace and --wait-all"), |spec| {
        spec.enters() && spec.life.end != End::AtOnce
    }),
    // The other processes belong to the container.
    #[cfg(feature = "enter")]
    rule(say!("--enter"), say!("and --all exclude each other"), |spec| {
        spec.enters() && spec.life.audience == Audience::All
    }),
    #[cfg(feature = "enter")]
    rule(say!("--enter"), say!("excludes --info-fd, --lock-file and --file-label (the container exists)"), |spec| {
        spec.enters()
            && (spec.channels.info.is_some() || !spec.life.locks.is_empty() || spec.confine.file_label.is_some())
    }),
    #[cfg(feature = "pty")]
    rule(say!("--pty"), say!("needs a container (--root, --enter, or the options of a sandbox)"), |spec| {
        spec.has_pty() && !spec.contained()
    }),
    #[cfg(feature = "container")]
    rule(
        say!("--share-terminal"),
        say!("needs --root, --image or --enter (without them CMD has the caller's terminal anyway)"),
        |spec| spec.terminal.share && !spec.has_preset(),
    ),
    #[cfg(feature = "pty")]
    rule(say!("--share-terminal"), say!("and --pty exclude each other"), |spec| spec.terminal.share && spec.has_pty()),
    // The mount namespace that is joined has a root with everything in it.
    #[cfg(feature = "join")]
    rule(say!("--join-mount"), say!("excludes --root, --image and every operation on the root"), |spec| {
        spec.joined(raw::CLONE_NEWNS) && (spec.has_root() || !spec.root.ops.is_empty())
    }),
    #[cfg(feature = "detach")]
    rule(say!("--detach"), say!("and --die-with-parent exclude each other"), |spec| {
        spec.detaches() && spec.life.die_with_parent.is_some()
    }),
    // When process 1 ends, its pid namespace ends too.
    #[cfg(feature = "detach")]
    rule(say!("--detach"), say!("cannot be used by process 1 without a container"), |spec| {
        spec.detaches() && !spec.contained() && spec.life.process_1
    }),
];

#[cfg(feature = "ids")]
const MAPS: Say = say!("--map-uid, --map-gid and --map-auto");
#[cfg(feature = "cgroup")]
const NEED_INIT: Say = say!("excludes --group, --all, --grace, --wait-all, --remap, --propagate-signal and --verbose");
/// In a build without --systemd, the launcher does neither what --stop-timeout nor what --rewrite asks for.
#[cfg(all(feature = "container", not(feature = "cgroup")))]
const NEED_INIT: Say = say!(
    "excludes --group, --all, --grace, --wait-all, --stop-timeout, --rewrite, --remap, --propagate-signal and --verbose"
);
#[cfg(feature = "container")]
const NEED_ROOT: Say = say!("need --root or --image");
#[cfg(feature = "container")]
const USER_NAMESPACE: Say = say!("needs --unshare-user or --userns");
#[cfg(feature = "container")]
const NEW_USER_NAMESPACE: Say = say!("needs --unshare-user");
#[cfg(feature = "overlay")]
const LAYER: Say = say!("needs at least one --overlay-src before it");

#[cfg(any(feature = "boot", feature = "container"))]
fn switches(spec: &Spec<'_>) -> bool {
    spec.boots() && spec.machine.switch_root.is_some()
}

#[cfg(feature = "container")]
fn lacks_user_namespace(spec: &Spec<'_>) -> bool {
    spec.contained() && !spec.has_preset() && !spec.in_user_namespace()
}

#[cfg(feature = "overlay")]
fn lacks_layers(spec: &Spec<'_>, kind: Kind, least: usize) -> bool {
    spec.root.ops.iter().any(|op| op.kind == kind && op.layers.len() < least)
}

/// Checks the options.
///
/// # Errors
/// The first usage error.
pub fn check<'a>(spec: &Spec<'a>) -> Result<(), Fault<'a>> {
    if let Some(making) = spec.parsed.making.filter(|_| spec.enters()) {
        return Err(Fault::new(
            Say::NOTHING,
            making,
            None,
            say!("and --enter exclude each other (the container exists)"),
        ));
    }
    for rule in RULES {
        if (rule.broken)(spec) {
            return Err(Fault { misuse: rule.misuse, ..Fault::new(rule.on, b"", None, rule.why) });
        }
    }
    if let Some((on, why)) = spec.wrong_network().or_else(|| spec.wrong_keeper()) {
        return Err(Fault::new(on, b"", None, why));
    }
    #[cfg(feature = "limits")]
    if let Some((sysctl, why)) =
        spec.namespaces.sysctls.iter().find_map(|sysctl| Some((sysctl, spec.refusal_of(*sysctl)?)))
    {
        return Err(Fault::new(say!("--sysctl"), b"", Some(sysctl.0), why));
    }
    if let Some((on, id)) = spec.first_unmapped() {
        let why = say!("no range of the map has this id (see IN of --map-uid and --map-gid)");
        return Err(Fault { id: Some(id), ..Fault::new(on, b"", None, why) });
    }
    spec.root.ops.iter().try_for_each(|op| destination(spec, op))
}

fn destination<'a>(spec: &Spec<'a>, op: &Op<'a>) -> Result<(), Fault<'a>> {
    let why = if !spec.has_root() && !spec.prepares_in_place() {
        return Ok(());
    } else if op.dest.to_bytes().split(|byte| *byte == b'/').all(|name| matches!(name, b"" | b"." | b"..")) {
        say!("it must be below the root")
    } else if op.makes() && spec.refuses_writes() && !below_a_mount(spec, op.dest) {
        say!("the root is read-only (create it first)")
    } else {
        return Ok(());
    };
    Err(Fault::new(say!("DEST"), b"", Some(op.dest), why))
}

/// Whether `dest` may lie in another mount than the root. Only the kernel knows then whether it is read-only.
fn below_a_mount(spec: &Spec<'_>, dest: &CStr) -> bool {
    let under = |mount: &CStr| dest.to_bytes().starts_with(mount.to_bytes());
    under(c"/dev/") || spec.root.ops.iter().any(|op| !op.makes() && under(op.dest))
}
