//! nsinit's own vocabulary.
#![allow(clippy::unit_arg, reason = "a row's statement and its answer stand on one line")]

use core::ffi::CStr;

use engine::caps;
use engine::spec::{Audience, Bind, Capabilities, End, Op, Writes};
use engine::sys::Signal;
use engine::text;
use engine::voice::Name;
use linux_raw_sys::general as raw;

use super::draft::{Asked, Draft};
use super::words::{Act, Group, Row, Texts, Vocabulary, Wrong};

pub static NATIVE: Vocabulary = Vocabulary {
    names: "nsinit ",
    voice: Name::Nsinit,
    begin: |_| {},
    end: |_| {},
    texts: Texts::NONE,
    abbreviates: false,
    groups: &[
        Group { title: "The root", contained: true, rows: ROOT },
        Group {
            title: "What is mounted in it, in the order given (missing destinations are made)",
            contained: true,
            rows: MOUNTS,
        },
        Group { title: "Namespaces (all are new but time)", contained: true, rows: NAMESPACES },
        Group { title: "Who CMD is and what it may do", contained: true, rows: RIGHTS },
        Group { title: "What CMD finds", contained: true, rows: SURROUNDINGS },
        Group { title: "How it lives and ends", contained: false, rows: LIFE },
        Group { title: "About", contained: false, rows: ABOUT },
    ],
};

const fn row(text: &'static str, act: Act) -> Row {
    Row { text, act }
}

const ROOT: &[Row] = &[
    row("--root DIR\tmake DIR the root of a container", |draft, dir, _| {
        draft.spec.root = dir;
        Ok(())
    }),
    row("--read-only\tnothing can be written to it", |draft, _, _| done(draft.spec.writes = Writes::Refused)),
    row("--volatile\twhat is written to it vanishes at the end", |draft, _, _| {
        done(draft.spec.writes = Writes::Forgotten)
    }),
    row("--no-masks\tleave the host's files in /proc and /sys as they are", |draft, _, _| {
        done(draft.spec.masks = false)
    }),
    row("--no-sys\tdo not mount /sys", |draft, _, _| done(draft.spec.sys = false)),
];

const MOUNTS: &[Row] = &[
    row("--bind SRC DEST\tshow SRC of the host at DEST", |draft, source, dest| {
        bind(draft, source, dest, Bind::Writable)
    }),
    row("--ro-bind SRC DEST\tthe same, read-only with all below it", |draft, source, dest| {
        bind(draft, source, dest, Bind::ReadOnly)
    }),
    row("--dev-bind SRC DEST\tthe same, writable, and device files in it work", |draft, source, dest| {
        bind(draft, source, dest, Bind::Devices)
    }),
    row("--tmpfs DEST\tan empty file system in memory", |draft, dest, _| push(draft, Op::Tmpfs(dest))),
    row("--proc DEST\tone more /proc", |draft, dest, _| push(draft, Op::Proc(dest))),
    row("--dev DEST\tone more /dev", |draft, dest, _| push(draft, Op::Dev(dest))),
    row("--dir DEST\ta directory", |draft, dest, _| push(draft, Op::Dir(dest))),
    row("--symlink TARGET DEST\ta symbolic link at DEST that says TARGET", |draft, target, dest| {
        push(draft, Op::Symlink { target, dest })
    }),
];

const NAMESPACES: &[Row] = &[
    row("--share-net\tuse the host's network", |draft, _, _| done(share(draft, raw::CLONE_NEWNET))),
    row("--share-ipc\tuse the host's System V and POSIX IPC", |draft, _, _| done(share(draft, raw::CLONE_NEWIPC))),
    row("--share-pid\tsee the host's processes", |draft, _, _| done(share(draft, raw::CLONE_NEWPID))),
    row("--share-uts\tuse the host's host name", |draft, _, _| done(share(draft, raw::CLONE_NEWUTS))),
    row("--share-cgroup\tsee the host's cgroup tree", |draft, _, _| done(share(draft, raw::CLONE_NEWCGROUP))),
    row("--share-user\tbe root with the host's root's rights (root only)", |draft, _, _| {
        done(share(draft, raw::CLONE_NEWUSER))
    }),
    row("--unshare-time\tnew offsets for the boot and the monotonic clock", |draft, _, _| {
        done(draft.spec.namespaces |= raw::CLONE_NEWTIME)
    }),
];

const RIGHTS: &[Row] = &[
    row("--uid N\tuser id of CMD (0)", |draft, text, _| id(text).map(|id| draft.spec.uid = Some(id))),
    row("--gid N\tgroup id of CMD (0)", |draft, text, _| id(text).map(|id| draft.spec.gid = Some(id))),
    row("--cap-add CAP\tkeep a capability besides the usual 14, or ALL", |draft, name, _| {
        let set = capability(name)?;
        draft.spec.capabilities.bounding |= set;
        draft.spec.capabilities.asked |= set;
        Ok(())
    }),
    row("--cap-drop CAP\tdrop one, or ALL", |draft, name, _| {
        let set = capability(name)?;
        draft.spec.capabilities.bounding &= !set;
        draft.spec.capabilities.asked &= !set;
        Ok(())
    }),
    row("--allow-new-privs\tlet set-id programs and file capabilities work", |draft, _, _| {
        done(draft.spec.no_new_privs = false)
    }),
];

const SURROUNDINGS: &[Row] = &[
    row("--setenv NAME VALUE\tset a variable (the caller's are not passed on)", |draft, name, value| {
        variable(name).map(|()| draft.set_env(name, value))
    }),
    row("--unsetenv NAME\tunset a variable", |draft, name, _| {
        variable(name).map(|()| draft.unset_env(name.to_bytes()))
    }),
    row("--pass-env NAME\tpass a variable of the caller's on", |draft, name, _| {
        variable(name).map(|()| draft.pass_env(Some(name)))
    }),
    row("--keep-env\tpass all of them on", |draft, _, _| done(draft.pass_env(None))),
    row("--clearenv\tunset all, PATH, HOME, TERM and container too", |draft, _, _| done(draft.clear_env())),
    row("--keep-fd N\tleave descriptor N open in CMD", |draft, text, _| {
        draft
            .keep_fds
            .push(text::number(text.to_bytes()).filter(|fd| *fd <= FD_MAX).ok_or("it is no descriptor's number")?);
        Ok(())
    }),
    row("--chdir DIR\tdirectory of CMD (/)", |draft, dir, _| {
        draft.spec.directory = dir;
        Ok(())
    }),
    row("--hostname NAME\thost name", |draft, name, _| {
        draft.spec.hostname = Some(name);
        if (1..=HOSTNAME_MAX).contains(&name.count_bytes()) { Ok(()) } else { Err("a host name has 1 to 64 bytes") }
    }),
    row("--umask OCTAL\tfile mode creation mask of CMD (the caller's)", |draft, text, _| {
        draft.spec.umask =
            Some(text::octal(text.to_bytes()).filter(|mask| *mask <= 0o777).ok_or("it is no number from 0 to 777")?);
        Ok(())
    }),
];

const LIFE: &[Row] = &[
    row("--as-pid-1\tCMD itself is process 1: nothing reaps or forwards inside", |draft, _, _| {
        done(draft.spec.life.as_pid_1 = true)
    }),
    row("--new-session\tgive CMD a session without the caller's terminal", |draft, _, _| {
        done(draft.spec.life.new_session = true)
    }),
    row("--die-with-parent\tend when the caller of nsinit ends", |draft, _, _| {
        done(draft.spec.life.die_with_parent = Some(Signal::KILL))
    }),
    row("--init\tbe the init of CMD in place; so it is without --root, too", |_, _, _| Ok(())),
    row("--group\tforward signals to CMD's whole process group", |draft, _, _| {
        done(draft.spec.life.audience = Audience::Group)
    }),
    row("--all\tforward signals to every process", |draft, _, _| done(draft.spec.life.audience = Audience::All)),
    row("--rewrite A:B\tforward signal A as B, or for B 0 not at all", |draft, text, _| {
        let (from, to) = two(text, 64).filter(|(from, _)| *from != 0).ok_or("it is no pair of signals' numbers")?;
        done(draft.rewrite.push((from, to)))
    }),
    row("--grace SECONDS\tat CMD's end the rest gets SIGTERM, then SIGKILL (2)", |draft, text, _| {
        seconds(text).map(|seconds| draft.spec.life.end = End::Grace(seconds))
    }),
    row("--wait-all\twait for the last process instead", |draft, _, _| done(draft.spec.life.end = End::Wait)),
    row("--stop-timeout SECONDS\tSIGKILL for CMD so long after a signal to end", |draft, text, _| {
        seconds(text).map(|seconds| draft.spec.life.stop_timeout = Some(seconds))
    }),
    row("--remap N:M\texit with M where CMD's status is N; N alone: with 0", |draft, text, _| {
        let pair = two(text, 255).ok_or("it is no exit status from 0 to 255, nor a pair of them")?;
        done(draft.remap.push(pair))
    }),
    row("--propagate-signal\tdie of the signal that CMD died of", |draft, _, _| done(draft.spec.life.propagate = true)),
    row("--verbose\ttell what happens; again: signals too; again: orphans too", |draft, _, _| {
        done(draft.spec.life.verbose = draft.spec.life.verbose.saturating_add(1))
    }),
];

const ABOUT: &[Row] = &[
    row("--explain\tprint the steps, process by process, and run nothing", |draft, _, _| {
        done(draft.asked = Asked::Explain)
    }),
    row("--help\tprint this", |draft, _, _| done(draft.asked = Asked::Help)),
    row("--version\tprint the version", |draft, _, _| done(draft.asked = Asked::Version)),
];

/// The longest host name that the kernel takes, `__NEW_UTS_LEN`.
const HOSTNAME_MAX: usize = 64;
/// `(uid_t) -1` means "leave it as it is" to the kernel, so it names nobody.
const NO_ID: u32 = u32::MAX;
/// The kernel's own limit, `sysctl_nr_open_max`, is lower still.
const FD_MAX: u32 = i32::MAX as u32;

fn bind(draft: &mut Draft, source: &'static CStr, dest: &'static CStr, kind: Bind) -> Result<(), Wrong> {
    // To open_tree(2) it would be the working directory.
    if source.is_empty() {
        return Err("an empty path names nothing");
    }
    push(draft, Op::Bind { source, dest, kind })
}

fn push(draft: &mut Draft, op: Op<'static>) -> Result<(), Wrong> {
    draft.ops.push(op);
    Ok(())
}

/// For what can't go wrong.
fn done((): ()) -> Result<(), Wrong> {
    Ok(())
}

fn share(draft: &mut Draft, namespace: u32) {
    draft.spec.namespaces &= !namespace;
}

fn id(text: &CStr) -> Result<u32, Wrong> {
    text::number(text.to_bytes()).filter(|id| *id != NO_ID).ok_or("it is no number from 0 to 4294967294")
}

fn seconds(text: &CStr) -> Result<u32, Wrong> {
    text::number(text.to_bytes()).ok_or("it is no number of seconds")
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
    caps::by_name(name).map(|number| 1 << number).ok_or("there is no such capability (capabilities(7) names them)")
}

fn variable(name: &CStr) -> Result<(), Wrong> {
    let name = name.to_bytes();
    if name.is_empty() || name.contains(&b'=') { Err("it can't be a variable's name") } else { Ok(()) }
}
