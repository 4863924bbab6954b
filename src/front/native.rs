//! nsinit's own vocabulary.

use core::ffi::CStr;

use engine::caps;
use engine::spec::{Audience, Bind, Capabilities, End, Op, Writes};
use engine::sys::{Signal, say};
use engine::text;
use engine::voice::Name;
use linux_raw_sys::general as raw;

use super::draft::{Asked, Draft};
use super::words::{Texts, Vocabulary, Wrong, rows};

pub static NATIVE: Vocabulary = Vocabulary {
    names: say(c"nsinit "),
    voice: Name::Nsinit,
    begin: |_| Ok(()),
    rows: ROWS,
    act,
    contained: CONTAINED,
    end: |_| {},
    texts: Texts::NONE,
    abbreviates: false,
    long_alone: false,
};

/// Those before "How it lives and ends".
pub const CONTAINED: usize = 34;

rows! { draft, first, second:
    "The root" {
        "--root DIR\tmake DIR the root of a container" => draft.spec.root = first,
        "--read-only\tnothing can be written to it" => draft.spec.writes = Writes::Refused,
        "--volatile\twhat is written to it vanishes at the end" => draft.spec.writes = Writes::Forgotten,
        "--no-masks\tleave the host's files in /proc and /sys as they are" => draft.spec.masks = false,
        "--no-sys\tdo not mount /sys" => draft.spec.sys = false,
    }
    "What is mounted in it, in the order given (missing destinations are made)" {
        "--bind SRC DEST\tshow SRC of the host at DEST" => bind(draft, first, second, Bind::Writable)?,
        "--ro-bind SRC DEST\tthe same, read-only with all below it" => bind(draft, first, second, Bind::ReadOnly)?,
        "--dev-bind SRC DEST\tthe same, writable, and device files in it work" =>
            bind(draft, first, second, Bind::Devices)?,
        "--tmpfs DEST\tan empty file system in memory" => draft.ops.push(Op::Tmpfs(first)),
        "--proc DEST\tone more /proc" => draft.ops.push(Op::Proc(first)),
        "--dev DEST\tone more /dev" => draft.ops.push(Op::Dev(first)),
        "--dir DEST\ta directory" => draft.ops.push(Op::Dir(first)),
        "--symlink TARGET DEST\ta symbolic link at DEST that says TARGET" =>
            draft.ops.push(Op::Symlink { target: first, dest: second }),
    }
    "Namespaces (all are new but time)" {
        "--share-net\tuse the host's network" => share(draft, raw::CLONE_NEWNET),
        "--share-ipc\tuse the host's System V and POSIX IPC" => share(draft, raw::CLONE_NEWIPC),
        "--share-pid\tsee the host's processes" => share(draft, raw::CLONE_NEWPID),
        "--share-uts\tuse the host's host name" => share(draft, raw::CLONE_NEWUTS),
        "--share-cgroup\tsee the host's cgroup tree" => share(draft, raw::CLONE_NEWCGROUP),
        "--share-user\tbe root with the host's root's rights (root only)" => share(draft, raw::CLONE_NEWUSER),
        "--unshare-time\tnew offsets for the boot and the monotonic clock" =>
            draft.spec.namespaces |= raw::CLONE_NEWTIME,
    }
    "Who CMD is and what it may do" {
        "--uid N\tuser id of CMD (0)" => draft.spec.uid = Some(id(first)?),
        "--gid N\tgroup id of CMD (0)" => draft.spec.gid = Some(id(first)?),
        "--cap-add CAP\tkeep a capability besides the usual 14, or ALL" => {
            let set = capability(first)?;
            draft.spec.capabilities.bounding |= set;
            draft.spec.capabilities.asked |= set;
        },
        "--cap-drop CAP\tdrop one, or ALL" => {
            let set = capability(first)?;
            draft.spec.capabilities.bounding &= !set;
            draft.spec.capabilities.asked &= !set;
        },
        "--allow-new-privs\tlet set-id programs and file capabilities work" => draft.spec.no_new_privs = false,
    }
    "What CMD finds" {
        "--setenv NAME VALUE\tset a variable (the caller's are not passed on)" =>
            draft.set_env(variable(first)?, second),
        "--unsetenv NAME\tunset a variable" => draft.unset_env(variable(first)?.to_bytes()),
        "--pass-env NAME\tpass a variable of the caller's on" => draft.pass_env(Some(variable(first)?)),
        "--keep-env\tpass all of them on" => draft.pass_env(None),
        "--clearenv\tunset all, PATH, HOME, TERM and container too" => draft.clear_env(),
        "--keep-fd N\tleave descriptor N open in CMD" => draft
            .keep_fds
            .push(text::number(first.to_bytes()).filter(|fd| *fd <= FD_MAX).ok_or(say(c"it is no descriptor's number"))?),
        "--chdir DIR\tdirectory of CMD (/)" => draft.spec.directory = first,
        "--hostname NAME\thost name" => {
            draft.spec.hostname = Some(first);
            if !(1..=HOSTNAME_MAX).contains(&first.count_bytes()) {
                return Err(say(c"a host name has 1 to 64 bytes"));
            }
        },
        "--umask OCTAL\tfile mode creation mask of CMD (the caller's)" => draft.spec.umask =
            Some(text::octal(first.to_bytes()).filter(|mask| *mask <= 0o777).ok_or(say(c"it is no number from 0 to 777"))?),
    }
    "How it lives and ends" {
        "--as-pid-1\tCMD itself is process 1: nothing reaps or forwards inside" => draft.spec.life.as_pid_1 = true,
        "--new-session\tgive CMD a session without the caller's terminal" => draft.spec.life.new_session = true,
        "--die-with-parent\tend when the caller of nsinit ends" => {
            draft.spec.life.die_with_parent = Some(Signal::KILL);
            draft.spec.life.die_together = true;
        },
        "--init\tbe the init of CMD in place, as without --root" => draft.spec.in_place = true,
        "--group\tforward signals to CMD's whole process group" => draft.spec.life.audience = Audience::Group,
        "--all\tforward signals to every process (not process 1: to its children)" => draft.spec.life.audience = Audience::All,
        "--rewrite A:B\tforward signal A as B, or for B 0 not at all" => {
            let pair = two(first, 64).filter(|(from, _)| *from != 0 && text::has(first.to_bytes(), b':'));
            draft.rewrite.insert(0, pair.ok_or(say(c"it is no pair of signals' numbers"))?);
        },
        "--grace SECONDS\tat CMD's end the rest gets SIGTERM, then SIGKILL (2)" =>
            draft.spec.life.end = End::Grace(seconds(first)?),
        "--wait-all\twait for the last process instead" => draft.spec.life.end = End::Wait,
        "--stop-timeout SECONDS\tSIGKILL for CMD so long after a signal to end" =>
            draft.spec.life.stop_timeout = Some(seconds(first)?),
        "--remap N:M\texit with M where CMD's status is N; N alone: with 0" => {
            let pair = two(first, 255).ok_or(say(c"it is no exit status from 0 to 255, nor a pair of them"))?;
            draft.remap.insert(0, pair);
        },
        "--propagate-signal\tdie of the signal that CMD died of" => draft.spec.life.propagate = true,
        "--verbose\ttell what happens; again: signals too; again: orphans too" =>
            draft.spec.life.verbose = draft.spec.life.verbose.saturating_add(1),
    }
    "About" {
        "--explain\tprint the steps, process by process, and run nothing" => draft.asked = Asked::Explain,
        "--help\tprint this" => draft.asked = Asked::Help,
        "--version\tprint the version" => draft.asked = Asked::Version,
    }
}

/// The longest host name that the kernel takes, `__NEW_UTS_LEN`.
const HOSTNAME_MAX: usize = 64;
/// `(uid_t) -1` means "leave it as it is" to the kernel, so it names nobody.
const NO_ID: u32 = u32::MAX;
/// The kernel's own limit, `sysctl_nr_open_max`, is lower still.
const FD_MAX: u32 = i32::MAX as u32;

fn bind(draft: &mut Draft, source: &'static CStr, dest: &'static CStr, kind: Bind) -> Result<(), Wrong> {
    // To open_tree(2) it would be the working directory.
    if source.is_empty() {
        return Err(say(c"an empty path names nothing"));
    }
    draft.ops.push(Op::Bind { source, dest, kind });
    Ok(())
}

fn share(draft: &mut Draft, namespace: u32) {
    draft.spec.namespaces &= !namespace;
}

fn id(text: &CStr) -> Result<u32, Wrong> {
    text::number(text.to_bytes()).filter(|id| *id != NO_ID).ok_or(say(c"it is no number from 0 to 4294967294"))
}

fn seconds(text: &CStr) -> Result<u32, Wrong> {
    text::number(text.to_bytes()).ok_or(say(c"it is no number of seconds"))
}

/// `A:B`, or `A` for `A:0`; neither above `most`.
fn two(text: &CStr, most: u32) -> Option<(u8, u8)> {
    let (first, second) = text::word(text.to_bytes(), b':')?;
    let byte = |text| text::number(text).filter(|number| *number <= most).map(|number| number as u8);
    let alone = first.len() == text.count_bytes();
    Some((byte(first)?, if alone { 0 } else { byte(second)? }))
}

fn capability(name: &CStr) -> Result<u64, Wrong> {
    let name = name.to_bytes();
    if text::same_word(name, b"ALL") {
        return Ok(Capabilities::ALL);
    }
    caps::by_name(name)
        .map(|number| 1 << number)
        .ok_or(say(c"there is no such capability (capabilities(7) names them)"))
}

fn variable(name: &CStr) -> Result<&CStr, Wrong> {
    let bytes = name.to_bytes();
    if bytes.is_empty() || text::has(bytes, b'=') { Err(say(c"it can't be a variable's name")) } else { Ok(name) }
}
