//! Spec -> Ok, or the one sentence that says why not. Pure: it looks at nothing but the Spec.

use core::ffi::CStr;
use linux_raw_sys::general as raw;

use crate::fault::Fault;
use crate::spec::{Op, Spec, Writes};

/// The longest host name that the kernel takes, `__NEW_UTS_LEN`.
const HOSTNAME_MAX: usize = 64;
/// The mode bits that umask(2) looks at.
const UMASK_MAX: u32 = 0o777;
/// (uid_t) -1 means "leave it as it is" to the kernel, so it names nobody.
const NO_ID: u32 = u32::MAX;

/// # Errors
/// The first thing that can't be meant, in the user's words.
pub fn judge<'a>(spec: &Spec<'a>) -> Result<(), Fault<'a>> {
    if spec.root.is_empty() {
        return Err(Fault::sentence("use", c"--root", "an empty path names no directory"));
    }
    if spec.argv.command().is_empty() {
        return Err(Fault::sentence("use", c"CMD", "an empty word names no command"));
    }
    identity(spec)?;
    life(spec)?;
    spec.ops.iter().try_for_each(|op| destination(spec, op))
}

fn identity<'a>(spec: &Spec<'a>) -> Result<(), Fault<'a>> {
    for (option, id) in [(c"--uid", spec.uid), (c"--gid", spec.gid)] {
        if id == Some(NO_ID) {
            return Err(Fault::sentence("use", option, "4294967295 is nobody's id (it means 'unchanged' to the kernel)"));
        }
    }
    if spec.umask.is_some_and(|umask| umask > UMASK_MAX) {
        return Err(Fault::sentence("use", c"--umask", "it has at most three octal digits"));
    }
    let Some(name) = spec.hostname else { return Ok(()) };
    if name.is_empty() || name.count_bytes() > HOSTNAME_MAX {
        return Err(Fault::sentence("use --hostname", name, "a host name has 1 to 64 bytes"));
    }
    if !spec.unshares(raw::CLONE_NEWUTS) {
        return Err(Fault::sentence("use --hostname", name, "with --share-uts it would rename the host"));
    }
    Ok(())
}

fn life<'a>(spec: &Spec<'a>) -> Result<(), Fault<'a>> {
    let life = &spec.life;
    if !life.as_pid_1 {
        return Ok(());
    }
    if !spec.unshares(raw::CLONE_NEWPID) {
        return Err(Fault::sentence("use", c"--as-pid-1", "with --share-pid there is no new process 1"));
    }
    for (option, set) in [(c"--wait-all", life.wait_all), (c"--group", life.group)] {
        if set {
            return Err(Fault::sentence("use", option, "with --as-pid-1 nobody is there to do it"));
        }
    }
    Ok(())
}

fn destination<'a>(spec: &Spec<'a>, op: &Op<'a>) -> Result<(), Fault<'a>> {
    let dest = op.dest();
    let nothing = |byte: &u8| *byte == b'/';
    if dest.to_bytes().iter().all(nothing) {
        return Err(Fault::sentence(op.says(), dest, "the root itself is --root's; a destination lies below it"));
    }
    let makes = matches!(op, Op::Dir(_) | Op::Symlink { .. });
    if makes && spec.writes == Writes::Refused && !below_a_mount(spec, dest) {
        return Err(Fault::sentence(op.says(), dest, "the root is read-only").hint("leave --read-only out"));
    }
    Ok(())
}

/// Whether some operation mounts something that `dest` may lie in: then the kernel knows better than we do.
fn below_a_mount(spec: &Spec<'_>, dest: &CStr) -> bool {
    let under = |mount: &CStr| dest.to_bytes().starts_with(mount.to_bytes());
    under(c"/dev/") || spec.ops.iter().any(|op| !matches!(op, Op::Dir(_) | Op::Symlink { .. }) && under(op.dest()))
}
