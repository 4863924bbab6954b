//! The options of bubblewrap 0.13. nsinit's own vocabulary includes them.

#[cfg(feature = "container")]
use engine::fs::staging::FILES;
use engine::say;
#[cfg(feature = "container")]
use engine::spec::Kind as Op;
#[cfg(feature = "bwrap")]
use engine::spec::NoMoreUsers;
use engine::sys::Signal;
#[cfg(feature = "container")]
use linux_raw_sys::general as raw;
#[cfg(feature = "container")]
use linux_raw_sys::general::{MOUNT_ATTR_NOSUID as NOSUID, MOUNT_ATTR_RDONLY as RDONLY};

#[cfg(feature = "env")]
use super::super::builder::EnvOp;
use super::super::builder::{Asked, Context, Draft};
use super::super::complaint::Wrong;
#[cfg(feature = "env")]
use super::super::rows::ONCE;
use super::super::rows::{Group, Values, Vocabulary, rows, title};
#[cfg(feature = "env")]
use super::super::values;

/// The options, for another vocabulary.
pub static OPTIONS: Vocabulary =
    Vocabulary { rows: ROWS, helps: HELPS, groups: GROUPS, once: ONCE_ONLY, act, ..Vocabulary::WITHOUT_TEXTS };

rows! { draft, values, first:
    #[cfg(feature = "container")]
    say!("Operations on the root, in the order given (missing destinations are created)"), Placing => {
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
        #[cfg(feature = "files")]
        "--bind-fd FD DEST", say!("bind mount the file or directory that FD has open at DEST") =>
            draft.op(Op::BindFd, FILES, values)?,
        #[cfg(feature = "files")]
        "--ro-bind-fd FD DEST", say!("bind mount what FD has open at DEST, read-only") =>
            draft.op(Op::BindFd, FILES | RDONLY, values)?,
        #[cfg(feature = "files")]
        "--remount-ro DEST", say!("make the mount at DEST read-only, but not the mounts below it") =>
            draft.op(Op::Remount, FILES, values)?,
        #[cfg(feature = "overlay")]
        "--overlay-src SRC", say!("add SRC as the next layer, from the bottom up, of the overlay that follows") =>
            draft.layers.push(first),
        #[cfg(feature = "overlay")]
        "--overlay RWSRC WORKDIR DEST", say!("mount an overlay that writes to RWSRC; WORKDIR: empty, on the same fs") =>
            draft.op(Op::Overlay, FILES, values)?,
        #[cfg(feature = "overlay")]
        "--tmp-overlay DEST", say!("mount an overlay at DEST that discards all writes at exit") =>
            draft.op(Op::OverlayTmpfs, FILES, values)?,
        #[cfg(feature = "overlay")]
        "--ro-overlay DEST", say!("mount a read-only overlay at DEST") =>
            draft.op(Op::OverlayReadOnly, FILES, values)?,
        "--proc DEST", say!("mount a new procfs at DEST") => draft.op(Op::Proc, FILES, values)?,
        "--dev DEST", say!("mount a new /dev at DEST") => draft.op(Op::Dev, FILES, values)?,
        "--tmpfs DEST", say!("mount an empty tmpfs at DEST") => draft.op(Op::Tmpfs, FILES, values)?,
        #[cfg(feature = "files")]
        "--mqueue DEST", say!("mount the POSIX message queues at DEST") => draft.op(Op::Mqueue, FILES, values)?,
        "--dir DEST", say!("create a directory at DEST") => draft.op(Op::Dir, FILES, values)?,
        #[cfg(feature = "files")]
        "--file FD DEST", say!("copy FD to a new file at DEST; with --root the file stays in DIR") =>
            draft.op(Op::File, FILES, values)?,
        #[cfg(feature = "files")]
        "--bind-data FD DEST", say!("copy FD to a file in memory, and mount it at DEST") =>
            draft.op(Op::BindData, FILES, values)?,
        #[cfg(feature = "files")]
        "--ro-bind-data FD DEST", say!("copy FD to a file in memory, and mount it at DEST, read-only") =>
            draft.op(Op::BindData, FILES | RDONLY, values)?,
        #[cfg(feature = "files")]
        "--symlink SRC DEST", say!("create a symbolic link at DEST that leads to SRC") =>
            draft.op(Op::Symlink, FILES, values)?,
        #[cfg(feature = "files")]
        "--chmod OCTAL PATH", say!("change the mode of PATH") => draft.op(Op::Chmod, FILES, values)?,
        "--perms OCTAL", say!("set the mode of the next file, directory or tmpfs") => {
            if draft.mode.is_some() {
                return Err(Wrong::sentence(say!("--perms given twice for the same action")));
            }
            draft.mode = Some(values::mode(first)?);
        },
        #[cfg(not(feature = "forms"))]
        "--size BYTES", say!("set the size of the next --tmpfs") => draft.set_size(first)?,
        #[cfg(feature = "forms")]
        "--size BYTES", say!("set the size of the next --tmpfs; also with K, M, G or T, as in 64M") =>
            draft.set_size(first)?,
    }
    #[cfg(feature = "container")]
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
        #[cfg(feature = "join")]
        "--userns FD", say!("join the user namespace that FD has open"), ONCE =>
            draft.store_fd(first, |draft| &mut draft.spec.namespaces.joins.user)?,
        #[cfg(feature = "join")]
        "--userns2 FD", say!("join the user namespace that FD has open, after the setup"), ONCE =>
            draft.store_fd(first, |draft| &mut draft.spec.namespaces.joins.then_user)?,
        #[cfg(feature = "join")]
        "--pidns FD", say!("join the pid namespace that FD has open, or make a new one below it"), ONCE =>
            draft.store_fd(first, |draft| &mut draft.spec.namespaces.joins.pid)?,
        #[cfg(feature = "bwrap")]
        "--disable-userns", say!("forbid user namespaces inside") =>
            draft.spec.namespaces.users = NoMoreUsers::Made,
        #[cfg(feature = "bwrap")]
        "--assert-userns-disabled", say!("fail if a user namespace can be made inside") => {
            if draft.spec.namespaces.users == NoMoreUsers::Unasked {
                draft.spec.namespaces.users = NoMoreUsers::Asserted;
            }
        },
    }
    #[cfg(feature = "container")]
    say!("Host name; ids and capabilities of CMD"), Finds => {
        "--hostname NAME", say!("set the host name of the container; in place, of the machine"), ONCE => {
            draft.spec.namespaces.hostname = Some(first);
            if first.count_bytes() > values::HOSTNAME_MAX {
                return Err(Wrong::value(say!("longer than 64 bytes")));
            }
        },
        #[cfg(not(feature = "forms"))]
        "--uid UID", say!("set the user id of CMD (default with --root: 0)"), ONCE => draft.set_uid(first)?,
        #[cfg(feature = "forms")]
        "--uid UID", say!("set the user of CMD: an id, or a name in DIR/etc/passwd (with --root: 0)"), ONCE =>
            draft.set_uid(first)?,
        #[cfg(not(feature = "forms"))]
        "--gid GID", say!("set the group id of CMD (default with --root: 0)"), ONCE => draft.set_gid(first)?,
        #[cfg(feature = "forms")]
        "--gid GID", say!("set the group of CMD: an id, or a name in DIR/etc/group (with --root: 0)"), ONCE =>
            draft.set_gid(first)?,
        "--cap-add CAP", say!("keep a capability, or ALL (with --root: in addition to the default 11)") => {
            let set = values::capability(first)?;
            draft.cap_add |= set;
            draft.cap_drop &= !set;
        },
        "--cap-drop CAP", say!("drop a capability, or ALL") => {
            let set = values::capability(first)?;
            draft.cap_drop |= set;
            draft.cap_add &= !set;
        },
    }
    #[cfg(feature = "container")]
    say!("System call filters and labels"), Container => {
        #[cfg(feature = "seccomp")]
        "--seccomp FD", say!("filter system calls with the program that FD holds"), ONCE => draft.filter_alone(first)?,
        #[cfg(feature = "seccomp")]
        "--add-seccomp-fd FD", say!("add the program that FD holds to the filters") => draft.filter_beside(first)?,
        #[cfg(feature = "bwrap")]
        "--exec-label LABEL", say!("set the SELinux context of CMD") => draft.spec.confine.exec_label = Some(first),
        #[cfg(feature = "bwrap")]
        "--file-label LABEL", say!("set the SELinux context of new files and mounts") =>
            draft.spec.confine.file_label = Some(first),
        #[cfg(feature = "bwrap")]
        "--not-a-security-boundary", say!("continue if a mount below a --bind cannot be restricted") =>
            draft.spec.root.lenient = true,
    }
    #[cfg(feature = "env")]
    say!("Environment and directory of CMD"), Finds => {
        "--chdir DIR", say!("start CMD in DIR (default: the caller's directory; with --root: /)"), ONCE =>
            draft.directory = Some(first),
        "--setenv VAR VALUE", say!("set a variable (with --root, the caller's are not passed to CMD)") =>
            draft.set_env(values::variable(first)?, values[1]),
        "--unsetenv VAR", say!("unset a variable") => draft.env_ops.push(EnvOp::Unset(values::variable(first)?)),
        "--clearenv", say!("unset all variables") => draft.env_ops.push(EnvOp::Clear),
    }
    #[cfg(feature = "status")]
    say!("Coordination with other programs"), Container => {
        #[cfg(feature = "bwrap")]
        "--lock-file DEST", say!("hold a read lock on DEST while any process is inside") => draft.locks.push(first),
        "--sync-fd FD", say!("keep FD open while any process is inside"), ONCE =>
            draft.store_fd(first, |draft| &mut draft.spec.channels.sync)?,
        "--block-fd FD", say!("do not start CMD before FD can be read"), ONCE =>
            draft.store_fd(first, |draft| &mut draft.spec.channels.block)?,
        "--userns-block-fd FD", say!("let another program write the id maps; continue when FD can be read"), ONCE =>
            draft.store_fd(first, |draft| &mut draft.spec.channels.maps)?,
        "--info-fd FD", say!("write the id of process 1 to FD, as JSON"), ONCE =>
            draft.store_fd(first, |draft| &mut draft.spec.channels.info)?,
        "--json-status-fd FD", say!("write JSON lines to FD: process 1, then the exit status of CMD"), ONCE =>
            draft.store_fd(first, |draft| &mut draft.spec.channels.status)?,
    }
    say!("Start of CMD, and this program"), Anywhere => {
        "--new-session", say!("run CMD in a new session, without the caller's terminal") =>
            draft.spec.life.new_session = true,
        "--die-with-parent", say!("kill CMD and its container when the caller ends") => {
            draft.spec.life.die_with_parent = Some(Signal::KILL);
            draft.spec.life.die_together = true;
        },
        #[cfg(feature = "container")]
        "--as-pid-1", say!("run CMD itself as process 1: no init reaps orphans or forwards signals") =>
            draft.spec.life.as_pid_1 = true,
        "--argv0 VALUE", say!("set argv[0] of CMD") => {
            if draft.argv_0.is_some() {
                return Err(Wrong::sentence(say!("--argv0 used multiple times")));
            }
            draft.argv_0 = Some(first);
        },
        #[cfg(feature = "container")]
        "--args FD", say!("read more options from FD, a NUL after each word") => draft.store_fd(first, |draft| &mut draft.args)?,
        "--level-prefix", say!("begin messages with their severity, <3> or <4>") => draft.levels = true,
        "--help", say!("print this text") => draft.asked = Asked::Help,
        "--version", say!("print the version") => draft.asked = Asked::Version,
        "--debug-opt VALUE", say!("") => {},
    }
}
