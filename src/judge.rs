//! Spec -> Ok, or the one sentence that says why not. Pure: it looks at nothing but the Spec.

use core::ffi::CStr;
use linux_raw_sys::general as raw;

use crate::fault::Fault;
use crate::spec::{Op, Spec, Writes};

/// The longest host name that the kernel takes, `__NEW_UTS_LEN`.
const HOSTNAME_MAX: usize = 64;
/// The mode bits that umask(2) looks at.
const UMASK_MAX: u32 = 0o777;
/// `(uid_t) -1` means "leave it as it is" to the kernel, so it names nobody.
const NO_ID: u32 = u32::MAX;

/// # Errors
/// The first thing that can't be meant, in the user's words.
pub fn judge<'a>(spec: &Spec<'a>) -> Result<(), Fault<'a>> {
    let says = |option: &'static str, value: &'a CStr, why: &'static str| Err(Fault::new(option, value, why));
    if spec.root.is_empty() {
        return says("--root", c"DIR", "which directory is the root? it has to be said");
    }
    if spec.argv.command().is_empty() {
        return says("an empty word", c"", "it names no command");
    }
    for (option, id) in [("--uid", spec.uid), ("--gid", spec.gid)] {
        if id == Some(NO_ID) {
            return says(option, c"4294967295", "it is nobody's: to the kernel it means 'unchanged'");
        }
    }
    if spec.umask.is_some_and(|umask| umask > UMASK_MAX) {
        return says("--umask", c"", "it has at most three octal digits");
    }
    if let Some(name) = spec.hostname {
        if name.is_empty() || name.count_bytes() > HOSTNAME_MAX {
            return says("--hostname", name, "a host name has 1 to 64 bytes");
        }
        if !spec.unshares(raw::CLONE_NEWUTS) {
            return says("--hostname", name, "with --share-uts it would rename the host");
        }
    }
    life(spec)?;
    spec.ops.iter().try_for_each(|op| destination(spec, op))
}

fn life<'a>(spec: &Spec<'a>) -> Result<(), Fault<'a>> {
    let life = &spec.life;
    let why = match life.as_pid_1 {
        true if !spec.unshares(raw::CLONE_NEWPID) => "with --share-pid there is no new process 1",
        true if life.wait_all => "nobody is there then for --wait-all",
        true if life.group => "nobody is there then for --group",
        _ => return Ok(()),
    };
    Err(Fault::new("--as-pid-1", c"", why))
}

fn destination<'a>(spec: &Spec<'a>, op: &Op<'a>) -> Result<(), Fault<'a>> {
    let dest = op.dest();
    let why = if dest.to_bytes().iter().all(|byte| *byte == b'/') {
        "the root itself is --root's; a destination lies below it"
    } else if matches!(op, Op::Dir(_) | Op::Symlink { .. }) && spec.writes == Writes::Refused && !below_a_mount(spec, dest) {
        "the root is read-only: leave --read-only out, or make it there before"
    } else {
        return Ok(());
    };
    Err(Fault::new("DEST", dest, why))
}

/// Whether something is mounted that `dest` may lie in: then the kernel knows better than we do.
fn below_a_mount(spec: &Spec<'_>, dest: &CStr) -> bool {
    let under = |mount: &CStr| dest.to_bytes().starts_with(mount.to_bytes());
    under(c"/dev/") || spec.ops.iter().any(|op| !matches!(op, Op::Dir(_) | Op::Symlink { .. }) && under(op.dest()))
}
