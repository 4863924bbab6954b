//! Spec -> Ok, or the one sentence that says why not. Pure: it looks at nothing but the Spec.

use core::ffi::CStr;

use linux_raw_sys::general as raw;

use crate::fault::Fault;
use crate::spec::{Op, Spec, Writes};
use crate::sys::{Say, say};

/// One thing that can't be meant.
struct Rule {
    /// The option to blame.
    on: Say,
    broken: fn(&Spec<'_>) -> bool,
    why: Say,
}

static RULES: [Rule; 8] = [
    Rule {
        on: say(c"--init"),
        broken: |spec| spec.in_place && spec.contained(),
        why: say(c"a container has an init of its own"),
    },
    Rule {
        on: say(c"--root DIR"),
        broken: |spec| spec.contained() && spec.root.is_empty(),
        why: say(c"which directory is the root? it has to be said"),
    },
    Rule { on: say(c"CMD"), broken: |spec| spec.argv.is_none(), why: say(c"which command? it is missing") },
    Rule { on: say(c"an empty word"), broken: |spec| spec.argv.command().is_empty(), why: say(c"it names no command") },
    Rule {
        on: say(c"--hostname"),
        broken: |spec| spec.hostname.is_some() && !spec.unshares(raw::CLONE_NEWUTS),
        why: say(c"with --share-uts it would rename the host"),
    },
    Rule {
        on: say(c"--as-pid-1"),
        broken: |spec| spec.life.as_pid_1 && !spec.contained(),
        why: say(c"without --root there is no container whose process 1 CMD could be"),
    },
    Rule {
        on: say(c"--as-pid-1"),
        broken: |spec| spec.life.as_pid_1 && !spec.unshares(raw::CLONE_NEWPID),
        why: say(c"with --share-pid there is no new process 1"),
    },
    Rule {
        on: say(c"--as-pid-1"),
        broken: |spec| spec.life.as_pid_1 && spec.life.asks_for_more_than_the_preset(),
        why: say(c"nobody is there then for --group, --all, --grace, --wait-all, --rewrite, --remap and their like"),
    },
];

/// # Errors
/// The first thing that can't be meant, in the user's words.
pub fn judge<'a>(spec: &Spec<'a>) -> Result<(), Fault<'a>> {
    for rule in &RULES {
        if (rule.broken)(spec) {
            return Err(Fault::new(rule.on.bytes(), c"", rule.why));
        }
    }
    spec.ops.iter().try_for_each(|op| destination(spec, op))
}

fn destination<'a>(spec: &Spec<'a>, op: &Op<'a>) -> Result<(), Fault<'a>> {
    let dest = op.dest();
    let why = if dest.to_bytes().iter().all(|byte| *byte == b'/') {
        say(c"the root itself is --root's; a destination lies below it")
    } else if op.makes() && spec.writes == Writes::Refused && !below_a_mount(spec, dest) {
        say(c"the root is read-only: make it there before, or leave --read-only out")
    } else {
        return Ok(());
    };
    Err(Fault::new(b"DEST", dest, why))
}

/// Whether something is mounted that `dest` may lie in: then the kernel knows better than we do.
fn below_a_mount(spec: &Spec<'_>, dest: &CStr) -> bool {
    let under = |mount: &CStr| dest.to_bytes().starts_with(mount.to_bytes());
    under(c"/dev/") || spec.ops.iter().any(|op| !op.makes() && under(op.dest()))
}
