//! bubblewrap's vocabulary, of version 0.13. nsinit's own vocabulary includes it.

use core::ffi::CStr;

use engine::fs::staging::FILES;
use engine::report::message;
use engine::report::wording::{Hints, Wording};
use engine::say;
use engine::spec::validate::Misuse;
use engine::spec::{Kind as Op, NoMoreUsers};
use engine::sys::{self, Failure, Signal, Standard};
use engine::text::{Say, Text, verb};
use linux_raw_sys::general as raw;
use linux_raw_sys::general::{MOUNT_ATTR_NOSUID as NOSUID, MOUNT_ATTR_RDONLY as RDONLY};

use super::super::builder::{Asked, Context, Draft, EnvOp};
use super::super::complaint::{Complaint, How, Kind, Wrong};
use super::super::rows::{Group, ONCE, Values, Vocabulary, rows};
use super::super::texts::{self, Texts};
use super::super::{usage, values};

pub static BWRAP: Vocabulary = Vocabulary {
    names: "bwrap ",
    wording: &WORDING,
    begin: |draft| {
        draft.contained = true;
        draft.ignores_leftovers = true;
        Ok(())
    },
    rows: ROWS,
    helps: HELPS,
    groups: GROUPS,
    once: ONCE_ONLY,
    act,
    complain,
    print,
    texts: Texts { version: say!("bubblewrap 0.13.1\n"), ..Texts::NONE },
    makes_containers: true,
    abbreviates: false,
    joins_values: false,
    ..Vocabulary::GETOPT
};

static WORDING: Wording = Wording {
    prefix: say!("bwrap: "),
    cannot: say!("Can't "),
    verbs: VERBS,
    failure,
    misuse,
    names_mount_points: true,
    hints: Hints::None,
    execute: say!("execvp &"),
    ..Wording::OTHER
};

static VERBS: &[(Say, Say)] = &[
    (verb::COPY_MOUNT, say!("Can't find source path")),
    (verb::MAKE_DIRECTORY, say!("Can't mkdir")),
    (verb::MAKE_FILE, say!("Can't create file")),
    (verb::MAKE_SYMLINK, say!("Can't make symlink at")),
    (verb::CHANGE_MODE, say!("Can't chmod")),
    (verb::MAKE_READ_ONLY, say!("Can't remount readonly on")),
    (verb::ENTER_DIRECTORY, say!("Can't chdir to")),
    (verb::CREATE_NAMESPACES, say!("Creating new namespace failed")),
    (verb::WRITE_SETGROUPS, say!("error writing to setgroups")),
    (verb::WRITE_UID_MAP, say!("setting up uid map")),
    (verb::WRITE_GID_MAP, say!("setting up gid map")),
    (verb::WRITE, say!("Write to")),
    (verb::MAKE_SLAVE, say!("Failed to make / slave")),
    (verb::LOCK, say!("Unable to lock file")),
    (verb::OPEN_LOCK_FILE, say!("Unable to open lock file")),
    (verb::OPEN_DIRECTORY, say!("Can't find source path")),
    (verb::MOUNT_OVERLAY, say!("Can't make overlay mount on")),
    (verb::FILTER_CALLS, say!("Unable to set up system call filtering as requested")),
    (verb::JOIN_USER, say!("Joining the specified user namespace failed:")),
    (verb::JOIN_PID, say!("Setting pidns failed:")),
];

/// Messages that programs look for, such as bubblewrap's own tests.
fn failure(says: Say, why: Failure) -> Say {
    match why {
        Failure::SYMLINK if says != verb::MAKE_FILE && says != verb::CHANGE_MODE => {
            say!("Can't mount on symlink destination")
        }
        Failure::NO_DIRECTORY => say!("Destination is not a directory"),
        Failure::NO_FILE => say!("Destination is not a file"),
        Failure::PERM if says == verb::CREATE_NAMESPACES => say!(
            "No permissions to create a new namespace, likely because the kernel does not allow non-privileged user namespaces."
        ),
        _ => Say::NOTHING,
    }
}

fn misuse(misuse: Misuse) -> Say {
    match misuse {
        Misuse::Other => Say::NOTHING,
        Misuse::HostnameWithoutUts => say!("Specifying --hostname requires --unshare-uts"),
        Misuse::Pid1WithoutPids => say!("Specifying --as-pid-1 requires --unshare-pid"),
        Misuse::Pid1WithLocks => say!("Specifying --as-pid-1 and --lock-file is not permitted"),
        Misuse::UidWithoutUsers => say!("Specifying --uid requires --unshare-user or --userns"),
        Misuse::GidWithoutUsers => say!("Specifying --gid requires --unshare-user or --userns"),
        Misuse::UsersTwice => say!("--userns not compatible --unshare-user"),
        Misuse::NoMoreUsersWithoutUsers => say!("--disable-userns requires --unshare-user"),
        Misuse::MapsWithoutUsers => say!("--userns-block-fd requires --unshare-user"),
        Misuse::MapsWithoutInfo => say!("--userns-block-fd requires --info-fd"),
        Misuse::OverlayWithoutLayers => say!("--overlay requires at least one --overlay-src"),
        Misuse::TmpOverlayWithoutLayers => say!("--tmp-overlay requires at least one --overlay-src"),
        Misuse::ReadOnlyOverlayWithoutLayers => say!("--ro-overlay requires at least two --overlay-src"),
    }
}

rows! { draft, values, first:
    say!("Operations on the root, in the order given (missing destinations are created)"), Making => {
        "--bind SRC DEST", say!("bind mount SRC of the host at DEST") => draft.op(Op::Bind, FILES, values)?,
        "--bind-try SRC DEST", say!("bind mount SRC at DEST, if SRC exists") => draft.op(Op::BindTry, FILES, values)?,
        "--ro-bind SRC DEST", say!("bind mount SRC at DEST, read-only, and every mount below it") =>
            draft.op(Op::Bind, FILES | RDONLY, values)?,
        "--ro-bind-try SRC DEST", say!("bind mount SRC at DEST, read-only, if SRC exists") =>
            draft.op(Op::BindTry, FILES | RDONLY, values)?,
        "--dev-bind SRC DEST", say!("bind mount SRC at DEST, with device files that work") =>
            draft.op(Op::Bind, NOSUID, values)?,
        "--dev-bind-try SRC DEST", say!("bind mount SRC at DEST, with device files that work, if SRC exists") =>
            draft.op(Op::BindTry, NOSUID, values)?,
        "--bind-fd FD DEST", say!("bind mount the file or directory that FD has open at DEST") =>
            draft.op(Op::BindFd, FILES, values)?,
        "--ro-bind-fd FD DEST", say!("bind mount what FD has open at DEST, read-only") =>
            draft.op(Op::BindFd, FILES | RDONLY, values)?,
        "--remount-ro DEST", say!("make the mount at DEST read-only, but not the mounts below it") =>
            draft.op(Op::Remount, FILES, values)?,
        "--overlay-src SRC", say!("add SRC as the next layer, from the bottom up, of the overlay that follows") =>
            draft.layers.push(first),
        "--overlay RWSRC WORKDIR DEST", say!("mount an overlay that writes to RWSRC; WORKDIR: empty, on the same fs") =>
            draft.op(Op::Overlay, FILES, values)?,
        "--tmp-overlay DEST", say!("mount an overlay at DEST that discards all writes at exit") =>
            draft.op(Op::OverlayTmpfs, FILES, values)?,
        "--ro-overlay DEST", say!("mount a read-only overlay at DEST") =>
            draft.op(Op::OverlayReadOnly, FILES, values)?,
        "--proc DEST", say!("mount a new procfs at DEST") => draft.op(Op::Proc, FILES, values)?,
        "--dev DEST", say!("mount a new /dev at DEST") => draft.op(Op::Dev, FILES, values)?,
        "--tmpfs DEST", say!("mount an empty tmpfs at DEST") => draft.op(Op::Tmpfs, FILES, values)?,
        "--mqueue DEST", say!("mount the POSIX message queues at DEST") => draft.op(Op::Mqueue, FILES, values)?,
        "--dir DEST", say!("create a directory at DEST") => draft.op(Op::Dir, FILES, values)?,
        "--file FD DEST", say!("copy FD to a new file at DEST; with --root the file stays in DIR") =>
            draft.op(Op::File, FILES, values)?,
        "--bind-data FD DEST", say!("copy FD to a file in memory, and mount it at DEST") =>
            draft.op(Op::BindData, FILES, values)?,
        "--ro-bind-data FD DEST", say!("copy FD to a file in memory, and mount it at DEST, read-only") =>
            draft.op(Op::BindData, FILES | RDONLY, values)?,
        "--symlink SRC DEST", say!("create a symbolic link at DEST that leads to SRC") =>
            draft.op(Op::Symlink, FILES, values)?,
        "--chmod OCTAL PATH", say!("change the mode of PATH") => draft.op(Op::Chmod, FILES, values)?,
        "--perms OCTAL", say!("set the mode of the next file, directory or tmpfs") => {
            if draft.mode.is_some() {
                return Err(Wrong::sentence(say!("--perms given twice for the same action")));
            }
            draft.mode = Some(values::mode(first)?);
        },
        "--size BYTES", say!("set the size of the next --tmpfs") => {
            if !draft.size.is_empty() {
                return Err(Wrong::sentence(say!("--size given twice for the same action")));
            }
            draft.size = values::size(first)?;
        },
    }
    say!("Namespaces"), Making => {
        "--unshare-all", say!("make a new namespace of each kind except time") => {
            draft.unshare(raw::CLONE_NEWIPC | raw::CLONE_NEWPID | raw::CLONE_NEWNET | raw::CLONE_NEWUTS);
            draft.unshare_if_possible(raw::CLONE_NEWUSER | raw::CLONE_NEWCGROUP);
        },
        "--share-net", say!("use the host's network") => draft.share(raw::CLONE_NEWNET),
        "--unshare-user", say!("make a user namespace (own user and group ids)") => draft.unshare(raw::CLONE_NEWUSER),
        "--unshare-user-try", say!("make a user namespace if the kernel has them") =>
            draft.unshare_if_possible(raw::CLONE_NEWUSER),
        "--unshare-ipc", say!("make an IPC namespace (own System V and POSIX IPC)") => draft.unshare(raw::CLONE_NEWIPC),
        "--unshare-pid", say!("make a pid namespace (own process ids)") => draft.unshare(raw::CLONE_NEWPID),
        "--unshare-net", say!("make a network namespace (only lo in it)") => draft.unshare(raw::CLONE_NEWNET),
        "--unshare-uts", say!("make a UTS namespace (own host name)") => draft.unshare(raw::CLONE_NEWUTS),
        "--unshare-cgroup", say!("make a cgroup namespace (own root of the cgroup tree)") =>
            draft.unshare(raw::CLONE_NEWCGROUP),
        "--unshare-cgroup-try", say!("make a cgroup namespace if the kernel has them") =>
            draft.unshare_if_possible(raw::CLONE_NEWCGROUP),
        "--userns FD", say!("join the user namespace that FD has open"), ONCE =>
            draft.spec.namespaces.joins.user = Some(draft.fd(first)?),
        "--userns2 FD", say!("join the user namespace that FD has open, after the setup"), ONCE =>
            draft.spec.namespaces.joins.then_user = Some(draft.fd(first)?),
        "--pidns FD", say!("join the pid namespace that FD has open, or make a new one below it"), ONCE =>
            draft.spec.namespaces.joins.pid = Some(draft.fd(first)?),
        "--disable-userns", say!("forbid user namespaces inside") =>
            draft.spec.namespaces.users = NoMoreUsers::Made,
        "--assert-userns-disabled", say!("fail if a user namespace can be made inside") => {
            if draft.spec.namespaces.users == NoMoreUsers::Unasked {
                draft.spec.namespaces.users = NoMoreUsers::Asserted;
            }
        },
        "--hostname NAME", say!("set the host name"), ONCE => {
            draft.spec.namespaces.hostname = Some(first);
            if first.count_bytes() > values::HOSTNAME_MAX {
                return Err(Wrong::value(say!("longer than 64 bytes")));
            }
        },
    }
    say!("Ids, privileges and labels of CMD"), Container => {
        "--uid UID", say!("set the user id of CMD (default with --root: 0)"), ONCE =>
            draft.uid = Some(values::id(first)?),
        "--gid GID", say!("set the group id of CMD (default with --root: 0)"), ONCE =>
            draft.gid = Some(values::id(first)?),
        "--cap-add CAP", say!("keep a capability, or ALL (with --root: in addition to the default 14)") => {
            let set = values::capability(first)?;
            draft.cap_add |= set;
            draft.cap_drop &= !set;
        },
        "--cap-drop CAP", say!("drop a capability, or ALL") => {
            let set = values::capability(first)?;
            draft.cap_drop |= set;
            draft.cap_add &= !set;
        },
        "--seccomp FD", say!("filter system calls with the program that FD holds"), ONCE => draft.filter_alone(first)?,
        "--add-seccomp-fd FD", say!("add the program that FD holds to the filters") => draft.filter_beside(first)?,
        "--exec-label LABEL", say!("set the SELinux context of CMD") => draft.spec.confine.exec_label = Some(first),
        "--file-label LABEL", say!("set the SELinux context of new files and mounts") =>
            draft.spec.confine.file_label = Some(first),
        "--not-a-security-boundary", say!("continue if a mount below a --bind cannot be restricted") =>
            draft.spec.root.lenient = true,
    }
    say!("Environment and directory of CMD"), Finds => {
        "--chdir DIR", say!("start CMD in DIR (default: the caller's directory; with --root: /)"), ONCE =>
            draft.directory = Some(first),
        "--setenv VAR VALUE", say!("set a variable (with --root, the caller's are not passed to CMD)") =>
            draft.set_env(values::variable(first)?, values[1]),
        "--unsetenv VAR", say!("unset a variable") => draft.env_ops.push(EnvOp::Unset(values::variable(first)?)),
        "--clearenv", say!("unset all variables") => draft.env_ops.push(EnvOp::Clear),
    }
    say!("Coordination with other programs"), Container => {
        "--lock-file DEST", say!("hold a read lock on DEST while any process is inside") => draft.locks.push(first),
        "--sync-fd FD", say!("keep FD open while any process is inside"), ONCE =>
            draft.spec.channels.sync = Some(draft.fd(first)?),
        "--block-fd FD", say!("do not start CMD before FD can be read"), ONCE =>
            draft.spec.channels.block = Some(draft.fd(first)?),
        "--userns-block-fd FD", say!("let another program write the id maps; continue when FD can be read"), ONCE =>
            draft.spec.channels.maps = Some(draft.fd(first)?),
        "--info-fd FD", say!("write the id of process 1 to FD, as JSON"), ONCE =>
            draft.spec.channels.info = Some(draft.fd(first)?),
        "--json-status-fd FD", say!("write JSON lines to FD: process 1, then the exit status of CMD"), ONCE =>
            draft.spec.channels.status = Some(draft.fd(first)?),
    }
    say!("Start of CMD, and this program"), Anywhere => {
        "--new-session", say!("run CMD in a new session, without the caller's terminal") =>
            draft.spec.life.new_session = true,
        "--die-with-parent", say!("kill CMD and its container when the caller ends") => {
            draft.spec.life.die_with_parent = Some(Signal::KILL);
            draft.spec.life.die_together = true;
        },
        "--as-pid-1", say!("run CMD itself as process 1: no init reaps orphans or forwards signals") =>
            draft.spec.life.as_pid_1 = true,
        "--argv0 VALUE", say!("set argv[0] of CMD") => {
            if draft.argv_0.is_some() {
                return Err(Wrong::sentence(say!("--argv0 used multiple times")));
            }
            draft.argv_0 = Some(first);
        },
        "--args FD", say!("read more options from FD, a NUL after each word") => draft.args = Some(draft.fd(first)?),
        "--level-prefix", say!("begin messages with their severity, <3> or <4>") => draft.levels = true,
        "--help", say!("print this text") => draft.asked = Asked::Help,
        "--version", say!("print the version") => draft.asked = Asked::Version,
        "--debug-opt VALUE", say!("") => {},
    }
}

fn complain(_: &Texts, complaint: &Complaint, program: &CStr) -> i32 {
    let form = complaint.form;
    let mut line = Text::new();
    match complaint.kind {
        Kind::CommandMissing => {
            list(Standard::Error, program);
            return message::failed();
        }
        Kind::ValueMissing => {
            line.push(form.name()).say(match form.count() {
                1 => say!(" takes an argument"),
                2 => say!(" takes two arguments"),
                _ => say!(" takes three arguments"),
            });
        }
        Kind::ValueWrong => match complaint.why.how() {
            How::Sentence => {
                line.say(complaint.why.why());
            }
            How::Option => {
                line.push(form.name()).byte(b' ').say(complaint.why.why());
            }
            How::Capability => {
                line.say(say!("unknown cap: ")).push_printable(complaint.word.to_bytes());
            }
            How::Variable => {
                line.push(form.name().get(2..).unwrap_or_default()).push(b" failed");
            }
            How::Value => {
                line.say(say!("Invalid "));
                form.value().iter().for_each(|byte| {
                    line.byte(byte.to_ascii_lowercase());
                });
                line.push(b": ").push_printable(complaint.word.to_bytes());
            }
        },
        _ => {
            line.say(say!("Unknown option ")).push_printable(complaint.word.to_bytes());
        }
    }
    message::fatal(&line)
}

fn print(texts: &Texts, asked: Asked, program: &CStr) {
    if asked == Asked::Version {
        texts::print(texts, asked, program);
    } else {
        list(Standard::Output, program);
    }
}

/// Prints the options.
fn list(to: Standard, program: &CStr) {
    let mut line = Text::new();
    line.say(say!("usage: ")).push(program.to_bytes()).say(say!(" [OPTIONS...] [--] COMMAND [ARGS...]\n\n"));
    sys::write(to, line.bytes());
    usage::rows(&BWRAP, false, &mut |line| {
        sys::write(to, line.bytes());
    });
}
