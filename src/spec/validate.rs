//! Checks whether the options of a Spec go together. It reads nothing but the Spec.

use core::ffi::CStr;

use linux_raw_sys::general as raw;

use crate::say;
use crate::spec::{AtEnd, Audience, End, Kind, LOCKS, Mode, Op, Spec, Writes};
use crate::text::Say;

/// A usage error. It prints as `nsinit: ON VALUE: WHY`, without a value as `nsinit: ON WHY`.
#[derive(Clone, Copy)]
pub struct Fault<'a> {
    /// The option or argument that is wrong, if its name is a text of the program.
    pub on: Say,
    /// The option that is wrong, if its name is one of the table of options; otherwise empty.
    pub option: &'a [u8],
    /// Its value as the user wrote it, if the value is wrong.
    pub value: Option<&'a CStr>,
    pub why: Say,
    pub misuse: Misuse,
}

impl<'a> Fault<'a> {
    #[must_use]
    pub const fn new(on: Say, option: &'a [u8], value: Option<&'a CStr>, why: Say) -> Fault<'a> {
        Fault { on, option, value, why, misuse: Misuse::Other }
    }
}

/// The usage errors that bubblewrap has too, and words in its own way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Misuse {
    Other,
    HostnameWithoutUts,
    Pid1WithoutPids,
    Pid1WithLocks,
    UidWithoutUsers,
    GidWithoutUsers,
    UsersTwice,
    NoMoreUsersWithoutUsers,
    MapsWithoutUsers,
    MapsWithoutInfo,
    OverlayWithoutLayers,
    TmpOverlayWithoutLayers,
    ReadOnlyOverlayWithoutLayers,
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

const fn known(misuse: Misuse, on: Say, why: Say, broken: fn(&Spec<'_>) -> bool) -> Rule {
    Rule { broken, on, why, misuse }
}

static RULES: [Rule; 36] = [
    rule(say!("--as-pid-1"), say!("and --enter exclude each other"), |spec| {
        spec.mode == Mode::Enter && spec.life.as_pid_1
    }),
    rule(say!("--init"), say!("excludes every option that makes a container"), |spec| {
        spec.parsed.in_place && spec.contained()
    }),
    rule(Say::NOTHING, say!("no command given"), |spec| spec.exec.argv.is_none()),
    // A sandbox reports the error of execve(2) instead, as bubblewrap does.
    rule(Say::NOTHING, say!("the command is an empty word"), |spec| spec.exec.command.is_empty() && !spec.is_sandbox()),
    // The kernel lets only root mount an image.
    rule(say!("--image"), say!("needs root"), |spec| spec.root.image && spec.ids.rootless),
    rule(say!("--on-exit and --respawn"), say!("need --boot"), |spec| {
        !spec.machine.boots && spec.machine.at_end != AtEnd::Unsaid
    }),
    // The machine ends with the command.
    rule(say!("--boot"), say!("and --detach exclude each other"), |spec| spec.machine.boots && spec.channels.detach),
    rule(
        say!("--switch-root"),
        say!("goes with --on-exit and --image only (no process of nsinit stays behind)"),
        |spec| switches(spec) && asks_for_more(spec),
    ),
    rule(say!("--switch-root"), say!("needs the absolute path of the new init"), |spec| {
        switches(spec) && !spec.exec.command.to_bytes().starts_with(b"/")
    }),
    rule(say!("--read-only and --volatile"), NEED_ROOT, |spec| spec.root.writes != Writes::Kept && !spec.has_root()),
    rule(say!("--no-proc and --no-sys"), NEED_ROOT, |spec| {
        spec.contained() && !(spec.root.proc && spec.root.sys) && !spec.has_root()
    }),
    rule(say!("--allow-nesting"), say!("needs --root or --image"), |spec| {
        spec.namespaces.allow_nesting && !spec.has_root()
    }),
    rule(say!("--keep-keyring"), say!("needs --root, --image or --enter"), |spec| {
        spec.confine.keep_keyring && !spec.has_preset()
    }),
    known(Misuse::HostnameWithoutUts, say!("--hostname"), say!("needs --unshare-uts"), |spec| {
        spec.namespaces.hostname.is_some() && !spec.unshares(raw::CLONE_NEWUTS)
    }),
    known(Misuse::Pid1WithoutPids, say!("--as-pid-1"), say!("needs --unshare-pid"), |spec| {
        spec.life.as_pid_1 && !(spec.contained() && spec.unshares(raw::CLONE_NEWPID))
    }),
    rule(
        say!("--as-pid-1"),
        say!(
            "excludes --group, --all, --grace, --wait-all, --stop-timeout, --rewrite, --remap, --propagate-signal and --verbose"
        ),
        |spec| spec.life.as_pid_1 && spec.life.asks_for_more_than_the_preset(),
    ),
    known(Misuse::Pid1WithLocks, say!("--as-pid-1"), say!("and --lock-file exclude each other"), |spec| {
        spec.life.as_pid_1 && !spec.life.locks.is_empty()
    }),
    known(Misuse::UidWithoutUsers, say!("--uid"), USER_NAMESPACE, |spec| {
        spec.ids.other_uid && lacks_user_namespace(spec)
    }),
    known(Misuse::GidWithoutUsers, say!("--gid"), USER_NAMESPACE, |spec| {
        spec.ids.other_gid && lacks_user_namespace(spec)
    }),
    known(Misuse::UsersTwice, say!("--userns"), say!("and --unshare-user exclude each other"), |spec| {
        spec.namespaces.joins.user.is_some() && spec.unshares(raw::CLONE_NEWUSER)
    }),
    known(Misuse::NoMoreUsersWithoutUsers, say!("--disable-userns"), NEW_USER_NAMESPACE, |spec| {
        spec.nests_users() && !spec.unshares(raw::CLONE_NEWUSER)
    }),
    known(Misuse::MapsWithoutUsers, say!("--userns-block-fd"), NEW_USER_NAMESPACE, |spec| {
        spec.channels.maps.is_some() && !spec.unshares(raw::CLONE_NEWUSER)
    }),
    known(Misuse::MapsWithoutInfo, say!("--userns-block-fd"), say!("needs --info-fd"), |spec| {
        spec.channels.maps.is_some() && spec.channels.info.is_none()
    }),
    known(Misuse::OverlayWithoutLayers, say!("--overlay"), LAYER, |spec| lacks_layers(spec, Kind::Overlay, 1)),
    known(Misuse::TmpOverlayWithoutLayers, say!("--tmp-overlay"), LAYER, |spec| {
        lacks_layers(spec, Kind::OverlayTmpfs, 1)
    }),
    known(
        Misuse::ReadOnlyOverlayWithoutLayers,
        say!("--ro-overlay"),
        say!("needs at least two --overlay-src before it"),
        |spec| lacks_layers(spec, Kind::OverlayReadOnly, 2),
    ),
    rule(say!("--lock-file"), say!("can be given 16 times at most"), |spec| spec.life.locks.len() > LOCKS),
    // Processes that the command leaves running belong to the container.
    rule(say!("--enter"), say!("excludes --grace and --wait-all"), |spec| {
        spec.mode == Mode::Enter && spec.life.end != End::AtOnce
    }),
    // The other processes belong to the container.
    rule(say!("--enter"), say!("and --all exclude each other"), |spec| {
        spec.mode == Mode::Enter && spec.life.audience == Audience::All
    }),
    rule(say!("--enter"), say!("excludes --info-fd, --lock-file and --file-label (the container exists)"), |spec| {
        spec.mode == Mode::Enter
            && (spec.channels.info.is_some() || !spec.life.locks.is_empty() || spec.confine.file_label.is_some())
    }),
    rule(say!("--pty"), say!("needs a container (--root, --enter, or the options of a sandbox)"), |spec| {
        spec.terminal.pty && !spec.contained()
    }),
    rule(
        say!("--share-terminal"),
        say!("needs --root, --image or --enter (without them CMD has the caller's terminal anyway)"),
        |spec| spec.terminal.share && !spec.has_preset(),
    ),
    rule(say!("--share-terminal"), say!("and --pty exclude each other"), |spec| {
        spec.terminal.share && spec.terminal.pty
    }),
    // The mount namespace that is joined has a root with everything in it.
    rule(say!("--join-mount"), say!("excludes --root, --image and every operation on the root"), |spec| {
        spec.joined(raw::CLONE_NEWNS) && (spec.has_root() || !spec.root.ops.is_empty())
    }),
    rule(say!("--detach"), say!("and --die-with-parent exclude each other"), |spec| {
        spec.channels.detach && spec.life.die_with_parent.is_some()
    }),
    // When process 1 ends, its pid namespace ends too.
    rule(say!("--detach"), say!("cannot be used by process 1 without a container"), |spec| {
        spec.channels.detach && spec.mode == Mode::Init && spec.life.process_1
    }),
];

const NEED_ROOT: Say = say!("need --root or --image");
const USER_NAMESPACE: Say = say!("needs --unshare-user or --userns");
const NEW_USER_NAMESPACE: Say = say!("needs --unshare-user");
const LAYER: Say = say!("needs at least one --overlay-src before it");

fn switches(spec: &Spec<'_>) -> bool {
    spec.machine.switch_root.is_some()
}

/// Whether an option is given that the init that takes over could not carry out.
fn asks_for_more(spec: &Spec<'_>) -> bool {
    let life = &spec.life;
    spec.mode == Mode::Enter
        || spec.awaits_start()
        || spec.is_told_of()
        || spec.life.title.is_some()
        || life.die_with_parent.is_some()
        || life.new_session
        || life.end != Spec::PRESET.life.end
        || life.asks_for_more_than_the_preset()
        || matches!(spec.machine.at_end, AtEnd::Respawn | AtEnd::Shell)
}

fn lacks_user_namespace(spec: &Spec<'_>) -> bool {
    !spec.has_preset() && !spec.in_user_namespace()
}

fn lacks_layers(spec: &Spec<'_>, kind: Kind, least: usize) -> bool {
    spec.root.ops.iter().any(|op| op.kind == kind && op.layers.len() < least)
}

/// Checks the options.
///
/// # Errors
/// The first usage error.
pub fn check<'a>(spec: &Spec<'a>) -> Result<(), Fault<'a>> {
    if let Some(making) = spec.parsed.making.filter(|_| spec.mode == Mode::Enter) {
        return Err(Fault::new(
            Say::NOTHING,
            making,
            None,
            say!("and --enter exclude each other (the container exists)"),
        ));
    }
    for rule in &RULES {
        if (rule.broken)(spec) {
            return Err(Fault { misuse: rule.misuse, ..Fault::new(rule.on, b"", None, rule.why) });
        }
    }
    spec.root.ops.iter().try_for_each(|op| destination(spec, op))
}

fn destination<'a>(spec: &Spec<'a>, op: &Op<'a>) -> Result<(), Fault<'a>> {
    let why = if !spec.has_root() {
        return Ok(());
    } else if op.dest.to_bytes().iter().all(|byte| *byte == b'/') {
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
