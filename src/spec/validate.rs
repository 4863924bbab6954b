//! Spec -> Ok, or the one sentence that says why not. Pure: it looks at nothing but the Spec.

use core::ffi::CStr;

use linux_raw_sys::general as raw;

use crate::say;
use crate::spec::{AtEnd, Audience, End, Kind, LOCKS, Mode, Op, Spec, Writes};
use crate::text::Say;

/// What can't be meant. It prints as `nsinit: use ON VALUE: WHY`.
#[derive(Clone, Copy)]
pub struct Fault<'a> {
    /// The option, or the word in its place: a text of ours,
    pub on: Say,
    /// or of the table of options.
    pub option: &'a [u8],
    /// Its value, in the user's own word. May be empty.
    pub value: &'a CStr,
    pub why: Say,
}

impl<'a> Fault<'a> {
    #[must_use]
    pub const fn new(on: Say, option: &'a [u8], value: &'a CStr, why: Say) -> Fault<'a> {
        Fault { on, option, value, why }
    }
}

/// One thing that can't be meant.
struct Rule {
    /// The option to blame.
    on: Say,
    broken: fn(&Spec<'_>) -> bool,
    why: Say,
}

static RULES: [Rule; 36] = [
    Rule {
        on: say!("--as-pid-1"),
        broken: |spec| spec.mode == Mode::Enter && spec.life.as_pid_1,
        why: say!("what is entered has its process 1"),
    },
    Rule {
        on: say!("--init"),
        broken: |spec| spec.parsed.in_place && spec.contained(),
        why: say!("a container has an init of its own"),
    },
    Rule { on: say!("CMD"), broken: |spec| spec.exec.argv.is_none(), why: say!("which command? it is missing") },
    Rule {
        on: say!("an empty word"),
        // bubblewrap's users see what execve(2) says of it.
        broken: |spec| spec.exec.command.is_empty() && !spec.is_sandbox(),
        why: say!("it names no command"),
    },
    Rule {
        on: say!("--image"),
        broken: |spec| spec.root.image && spec.ids.rootless,
        why: say!("is for root: the kernel lets nobody else mount it"),
    },
    Rule {
        on: say!("--on-exit and --respawn"),
        broken: |spec| !spec.machine.boots && spec.machine.at_end != AtEnd::Unsaid,
        why: say!("requires --boot"),
    },
    Rule {
        on: say!("--boot"),
        broken: |spec| spec.machine.boots && spec.channels.detach,
        why: say!("and --detach is not permitted: the machine ends with CMD"),
    },
    Rule {
        on: say!("--switch-root"),
        broken: |spec| switches(spec) && asks_for_more(spec),
        why: say!("leaves nobody behind who could do more: with --on-exit, --image and the environment only"),
    },
    Rule {
        on: say!("--switch-root"),
        broken: |spec| switches(spec) && !spec.exec.command.to_bytes().starts_with(b"/"),
        why: say!("requires the path of the init that takes over"),
    },
    Rule {
        on: say!("--read-only and --volatile"),
        broken: |spec| spec.root.writes != Writes::Kept && !spec.has_root(),
        why: say!("requires --root"),
    },
    Rule {
        on: say!("--no-proc and --no-sys"),
        broken: |spec| spec.contained() && !(spec.root.proc && spec.root.sys) && !spec.has_root(),
        why: say!("requires --root"),
    },
    Rule {
        on: say!("--allow-nesting"),
        broken: |spec| spec.namespaces.allow_nesting && !spec.has_root(),
        why: say!("requires --root"),
    },
    Rule {
        on: say!("--keep-keyring"),
        broken: |spec| spec.confine.keep_keyring && !spec.has_preset(),
        why: say!("requires --root or --enter"),
    },
    Rule {
        on: say!("--hostname"),
        broken: |spec| spec.namespaces.hostname.is_some() && !spec.unshares(raw::CLONE_NEWUTS),
        why: say!("requires --unshare-uts"),
    },
    Rule {
        on: say!("--as-pid-1"),
        broken: |spec| spec.life.as_pid_1 && !(spec.contained() && spec.unshares(raw::CLONE_NEWPID)),
        why: say!("requires --unshare-pid"),
    },
    Rule {
        on: say!("--as-pid-1"),
        broken: |spec| spec.life.as_pid_1 && spec.life.asks_for_more_than_the_preset(),
        why: say!("cannot be combined with --group, --all, --grace, --wait-all, --rewrite, --remap and their like"),
    },
    Rule {
        on: say!("--as-pid-1"),
        broken: |spec| spec.life.as_pid_1 && !spec.life.locks.is_empty(),
        why: say!("and --lock-file is not permitted"),
    },
    Rule { on: say!("--uid"), broken: |spec| spec.ids.other_uid && lacks_user_namespace(spec), why: USER_NAMESPACE },
    Rule { on: say!("--gid"), broken: |spec| spec.ids.other_gid && lacks_user_namespace(spec), why: USER_NAMESPACE },
    Rule {
        on: say!("--userns"),
        broken: |spec| spec.namespaces.joins.user.is_some() && spec.unshares(raw::CLONE_NEWUSER),
        why: say!("not compatible --unshare-user"),
    },
    Rule {
        on: say!("--disable-userns"),
        broken: |spec| spec.nests_users() && !spec.unshares(raw::CLONE_NEWUSER),
        why: NEW_USER_NAMESPACE,
    },
    Rule {
        on: say!("--userns-block-fd"),
        broken: |spec| spec.channels.maps.is_some() && !spec.unshares(raw::CLONE_NEWUSER),
        why: NEW_USER_NAMESPACE,
    },
    Rule {
        on: say!("--userns-block-fd"),
        broken: |spec| spec.channels.maps.is_some() && spec.channels.info.is_none(),
        why: say!("requires --info-fd"),
    },
    Rule {
        on: say!("--overlay"),
        broken: |spec| lacks_layers(spec, Kind::Overlay, 1),
        why: say!("requires at least one --overlay-src"),
    },
    Rule {
        on: say!("--tmp-overlay"),
        broken: |spec| lacks_layers(spec, Kind::OverlayTmpfs, 1),
        why: say!("requires at least one --overlay-src"),
    },
    Rule {
        on: say!("--ro-overlay"),
        broken: |spec| lacks_layers(spec, Kind::OverlayReadOnly, 2),
        why: say!("requires at least two --overlay-src"),
    },
    Rule { on: say!("--lock-file"), broken: |spec| spec.life.locks.len() > LOCKS, why: say!("there are more than 16") },
    Rule {
        on: say!("--enter"),
        broken: |spec| spec.mode == Mode::Enter && spec.life.end != End::AtOnce,
        why: say!("with --grace or --wait-all is not permitted: what CMD leaves behind is the container's"),
    },
    Rule {
        on: say!("--enter"),
        broken: |spec| spec.mode == Mode::Enter && spec.life.audience == Audience::All,
        why: say!("with --all is not permitted: the others are the container's"),
    },
    Rule {
        on: say!("--enter"),
        broken: |spec| {
            spec.mode == Mode::Enter
                && (spec.channels.info.is_some() || !spec.life.locks.is_empty() || spec.confine.file_label.is_some())
        },
        why: say!("makes nothing: --info-fd, --lock-file and --file-label have no meaning"),
    },
    Rule {
        on: say!("--pty"),
        broken: |spec| spec.terminal.pty && !spec.contained(),
        why: say!("requires a container: --root, --enter, or what makes a sandbox"),
    },
    Rule {
        on: say!("--share-terminal"),
        broken: |spec| spec.terminal.share && !spec.has_preset(),
        why: say!("requires --root or --enter; without them the terminal is shared anyway"),
    },
    Rule {
        on: say!("--share-terminal"),
        broken: |spec| spec.terminal.share && spec.terminal.pty,
        why: say!("cannot be combined with --pty"),
    },
    Rule {
        on: say!("--join-mount"),
        broken: |spec| spec.joined(raw::CLONE_NEWNS) && (spec.has_root() || !spec.root.ops.is_empty()),
        why: say!("brings a root with all that is in it: with --root, or what is made in one, is not permitted"),
    },
    Rule {
        on: say!("--detach"),
        broken: |spec| spec.channels.detach && spec.life.die_with_parent.is_some(),
        why: say!("outlives the caller: not with --die-with-parent"),
    },
    Rule {
        on: say!("--detach"),
        broken: |spec| spec.channels.detach && spec.mode == Mode::Init && spec.life.process_1,
        why: say!("ends process 1, and with it everything"),
    },
];

fn switches(spec: &Spec<'_>) -> bool {
    spec.machine.switch_root.is_some()
}

/// What the init that takes over would not have.
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

const USER_NAMESPACE: Say = say!("requires --unshare-user or --userns");
const NEW_USER_NAMESPACE: Say = say!("requires --unshare-user");

fn lacks_user_namespace(spec: &Spec<'_>) -> bool {
    !spec.has_preset() && !spec.in_user_namespace()
}

fn lacks_layers(spec: &Spec<'_>, kind: Kind, least: usize) -> bool {
    spec.root.ops.iter().any(|op| op.kind == kind && op.layers.len() < least)
}

/// # Errors
/// The first thing that can't be meant, in the user's words.
pub fn check<'a>(spec: &Spec<'a>) -> Result<(), Fault<'a>> {
    if let Some(making) = spec.parsed.making.filter(|_| spec.mode == Mode::Enter) {
        let why = say!("with --enter nothing is made: the root and the namespaces are what they are");
        return Err(Fault::new(Say::NOTHING, making, c"", why));
    }
    for rule in &RULES {
        if (rule.broken)(spec) {
            return Err(Fault::new(rule.on, b"", c"", rule.why));
        }
    }
    spec.root.ops.iter().try_for_each(|op| destination(spec, op))
}

fn destination<'a>(spec: &Spec<'a>, op: &Op<'a>) -> Result<(), Fault<'a>> {
    let why = if !spec.has_root() {
        return Ok(());
    } else if op.dest.to_bytes().iter().all(|byte| *byte == b'/') {
        say!("the root itself is --root's; a destination lies below it")
    } else if op.makes() && spec.refuses_writes() && !below_a_mount(spec, op.dest) {
        say!("the root is read-only: create it first")
    } else {
        return Ok(());
    };
    Err(Fault::new(say!("DEST"), b"", op.dest, why))
}

/// Whether something is mounted that `dest` may lie in: then the kernel knows better than we do.
fn below_a_mount(spec: &Spec<'_>, dest: &CStr) -> bool {
    let under = |mount: &CStr| dest.to_bytes().starts_with(mount.to_bytes());
    under(c"/dev/") || spec.root.ops.iter().any(|op| !op.makes() && under(op.dest))
}
