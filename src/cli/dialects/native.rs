//! nsinit's own vocabulary.

use core::ffi::CStr;

use engine::fs::staging::FILES;
use engine::report::wording::Name;
use engine::say;
use engine::spec::{AtEnd, Audience, End, Kind, Writes};
use engine::text;
use linux_raw_sys::general as raw;

use super::super::builder::{Asked, Draft, EnvOp, named, process};
use super::super::rows::{Context, Group, Texts, Values, Vocabulary, Wrong, rows};
use super::bwrap::{BWRAP, HOSTNAME_MAX, fd, variable};

pub static NATIVE: Vocabulary = Vocabulary {
    names: "nsinit ",
    voice: Name::Nsinit,
    begin: |_| Ok(()),
    rows: ROWS,
    helps: HELPS,
    groups: GROUPS,
    more: Some(&BWRAP),
    act,
    end: |_| {},
    texts: Texts::NONE,
    abbreviates: false,
    long_alone: false,
    joins_values: true,
};

rows! { draft, values, first:
    say!("The root"), Making => {
        "--root DIR", say!("make DIR the root, with /proc, /dev, /sys and safe defaults") => {
            draft.spec.root.image = false;
            draft.spec.root.directory = named(first)?;
        },
        "--image FILE", say!("the same of an erofs, squashfs or ext4, read-only (root only)") => {
            draft.spec.root.image = true;
            draft.spec.root.directory = named(first)?;
        },
        "--read-only", say!("nothing can be written to it") => draft.spec.root.writes = Writes::Refused,
        "--volatile", say!("what is written to it vanishes at the end") => draft.spec.root.writes = Writes::Forgotten,
        "--no-masks", say!("do not mask sensitive files in /proc and /sys (as root: exposes the host)") => draft.masks = false,
        "--no-proc", say!("do not mount /proc") => draft.spec.root.proc = false,
        "--no-sys", say!("do not mount /sys") => draft.spec.root.sys = false,
        "--sys DEST", say!("a /sys, read-only") => draft.op(Kind::Sys, FILES, values)?,
        "--cgroup2 DEST", say!("the cgroup tree") => draft.op(Kind::Cgroup, FILES, values)?,
        "--noexec", say!("nothing can be executed in the next mount") => draft.noexec = Some(true),
        "--exec", say!("or it can, though its SRC says otherwise") => draft.noexec = Some(false),
    }
    say!("Namespaces (with --root all are new but time)"), Making => {
        "--share-ipc", say!("use the host's System V and POSIX IPC") => draft.share(raw::CLONE_NEWIPC),
        "--share-pid", say!("see the host's processes") => draft.share(raw::CLONE_NEWPID),
        "--share-uts", say!("use the host's host name") => draft.share(raw::CLONE_NEWUTS),
        "--share-cgroup", say!("see the host's cgroup tree") => draft.share(raw::CLONE_NEWCGROUP),
        "--share-user", say!("no user namespace: root inside is root outside; needs root") => draft.share(raw::CLONE_NEWUSER),
        "--allow-nesting", say!("let CMD create user and cgroup namespaces (containers in the container)") => draft.spec.namespaces.allow_nesting = true,
        "--unshare-time", say!("new offsets for the boot and the monotonic clock") => draft.unshare(raw::CLONE_NEWTIME),
        "--join-user OF", say!("use that of a process, of a file that holds its id, of fd:N, or a path") =>
            draft.join(raw::CLONE_NEWUSER, first)?,
        "--join-net OF", say!("the same for the network, as of ip-netns(8)") => draft.join(raw::CLONE_NEWNET, first)?,
        "--join-ipc OF", say!("System V and POSIX IPC") => draft.join(raw::CLONE_NEWIPC, first)?,
        "--join-uts OF", say!("the host name") => draft.join(raw::CLONE_NEWUTS, first)?,
        "--join-pid OF", say!("the process ids") => draft.join(raw::CLONE_NEWPID, first)?,
        "--join-mount OF", say!("the mounts, with their root") => draft.join(raw::CLONE_NEWNS, first)?,
        "--join-cgroup OF", say!("the root of the cgroup tree") => draft.join(raw::CLONE_NEWCGROUP, first)?,
        "--join-time OF", say!("the offsets of the clocks") => draft.join(raw::CLONE_NEWTIME, first)?,
    }
    say!("What CMD may do"), Container => {
        "--allow-new-privs", say!("let set-id programs and file capabilities work") => draft.spec.confine.no_new_privs = false,
        "--keep-keyring", say!("let CMD use the caller's session keyring (keyrings(7))") => draft.spec.confine.keep_keyring = true,
        "--keep-fd N", say!("leave descriptor N open in CMD, and else none from 3 up") => draft
            .keep_fds
            .push(text::number(first.to_bytes()).filter(|fd| *fd <= FD_MAX).ok_or(say!("it is no descriptor's number"))?),
    }
    say!("What CMD inherits"), Finds => {
        "--pass-env NAME", say!("pass a variable of the caller's on") =>
            draft.env_ops.push(EnvOp::Pass(Some(variable(first)?))),
        "--keep-env", say!("pass all of them on") => draft.env_ops.push(EnvOp::Pass(None)),
        "--umask OCTAL", say!("file mode creation mask of CMD (the caller's)") => draft.spec.exec.umask =
            Some(text::octal(first.to_bytes()).filter(|mask| *mask <= 0o777).ok_or(say!("it is no number from 0 to 777"))?),
    }
    say!("How it lives and ends"), Anywhere => {
        "--init", say!("be the init of CMD in place, as without --root") => draft.spec.parsed.in_place = true,
        "--group", say!("forward signals to CMD's whole process group") => draft.spec.life.audience = Audience::Group,
        "--all", say!("forward signals to every process (not process 1: to its children)") => draft.spec.life.audience = Audience::All,
        "--rewrite A:B", say!("forward signal A as B, or for B 0 not at all") => {
            let pair = two(first, 64).filter(|(from, _)| *from != 0 && text::has(first.to_bytes(), b':'));
            draft.rewrite.insert(0, pair.ok_or(say!("it is no pair of signals' numbers"))?);
        },
        "--grace SECONDS", say!("at CMD's end the rest gets SIGTERM, then SIGKILL (2)") =>
            draft.end = Some(End::Grace(seconds(first)?)),
        "--wait-all", say!("wait for the last process instead") => draft.end = Some(End::Wait),
        "--stop-timeout SECONDS", say!("SIGKILL for CMD so long after a signal to end") =>
            draft.spec.life.stop_timeout = Some(seconds(first)?),
        "--remap N:M", say!("exit with M where CMD's status is N; N alone: with 0") => {
            let pair = two(first, 255).ok_or(say!("it is no exit status from 0 to 255, nor a pair of them"))?;
            draft.remap.insert(0, pair);
        },
        "--propagate-signal", say!("die of the signal that CMD died of") => draft.spec.life.propagate = true,
        "--verbose", say!("tell what happens; again: signals too; again: orphans too") =>
            draft.spec.life.verbose = draft.spec.life.verbose.saturating_add(1),
        "--explain", say!("print the steps, process by process, and run nothing") => draft.asked = Asked::Explain,
    }
    say!("Containers that run"), Anywhere => {
        "--enter WHO", say!("run CMD in the container of WHO: a process id, a file that holds one, fd:N") =>
            draft.spec.target = Some(process(first)?),
        "--pty", say!("give CMD a terminal of its own, whatever the caller has") => draft.spec.terminal.pty = true,
        "--share-terminal", say!("let CMD use the caller's terminal, and read what is typed there") => draft.spec.terminal.share = true,
        "--detach", say!("end with 0 once CMD runs, which goes on") => draft.spec.channels.detach = true,
        "--pid-file PATH", say!("make a file with the id of process 1, while CMD runs") =>
            draft.spec.channels.pid_file = Some(named(first)?),
        "--ready-fd N", say!("write a line end to N once CMD runs") => draft.spec.channels.ready = Some(fd(first)?),
        "--status-fd N", say!("tell N of process 1 and of CMD's end, in lines of JSON") => {
            draft.spec.channels.status = Some(fd(first)?);
            draft.spec.channels.tells_signal = true;
        },
        "--name NAME", say!("what ps shows, and the host name if there is no other") => {
            draft.name = first;
            if first.is_empty() || first.count_bytes() > HOSTNAME_MAX {
                return Err(say!("a name has 1 to 64 bytes"));
            }
        },
    }
    say!("The first process of a machine (as /init these are behind -- on the kernel's command line)"), Anywhere => {
        "--boot", say!("prepare the machine, supervise CMD, end the machine (process 1 only)") => draft.spec.machine.boots = true,
        "--on-exit WHAT", say!("when CMD has ended: poweroff (else), reboot, halt, shell, respawn") =>
            draft.spec.machine.at_end = at_end(first)?,
        "--respawn", say!("start CMD again when it has ended") => draft.spec.machine.at_end = AtEnd::Respawn,
        "--switch-root DIR", say!("make DIR, a mount, the root for good, and CMD its init (/sbin/init)") => {
            draft.spec.machine.boots = true;
            draft.spec.machine.switch_root = Some(named(first)?);
        },
    }
}

fn at_end(what: &CStr) -> Result<AtEnd, Wrong> {
    match what.to_bytes() {
        b"poweroff" => Ok(AtEnd::PowerOff),
        b"reboot" => Ok(AtEnd::Reboot),
        b"halt" => Ok(AtEnd::Halt),
        b"shell" => Ok(AtEnd::Shell),
        b"respawn" => Ok(AtEnd::Respawn),
        _ => Err(say!("it is none of poweroff, reboot, halt, shell and respawn")),
    }
}

/// The kernel's own limit, `sysctl_nr_open_max`, is lower still.
const FD_MAX: u32 = i32::MAX as u32;

fn seconds(text: &CStr) -> Result<u32, Wrong> {
    text::number(text.to_bytes()).ok_or(say!("it is no number of seconds"))
}

/// `A:B`, or `A` for `A:0`; neither above `most`.
fn two(text: &CStr, most: u32) -> Option<(u8, u8)> {
    let mut second = text.to_bytes();
    let first = text::word(&mut second, b':')?;
    let byte = |text| text::number(text).filter(|number| *number <= most).map(|number| number as u8);
    let alone = first.len() == text.count_bytes();
    Some((byte(first)?, if alone { 0 } else { byte(second)? }))
}
