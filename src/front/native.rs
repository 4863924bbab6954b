//! nsinit's own vocabulary.

use core::ffi::CStr;

use engine::caps;
use engine::spec::{Bind, Op};
use engine::text;
use linux_raw_sys::general as raw;

use super::draft::{Asked, Draft};
use super::words::{Act, Group, Row, Vocabulary, Wrong};

pub static NATIVE: Vocabulary = Vocabulary {
    usage: "usage: nsinit --root DIR [OPTION...] [--] [CMD [ARG...]]\n",
    groups: &[
        Group { title: "The root", rows: ROOT },
        Group { title: "What is mounted in it, in the order given (missing destinations are made)", rows: MOUNTS },
        Group { title: "Namespaces (all are new but time)", rows: NAMESPACES },
        Group { title: "Who CMD is and what it may do", rows: RIGHTS },
        Group { title: "What CMD finds", rows: SURROUNDINGS },
        Group { title: "How it lives and ends", rows: LIFE },
        Group { title: "About", rows: ABOUT },
    ],
};

const fn flag(name: &'static str, help: &'static str, act: fn(&mut Draft)) -> Row {
    Row { name, values: "", help, act: Act::Flag(act) }
}

type OnValue = fn(&mut Draft, &'static CStr) -> Result<(), Wrong>;

const fn value(name: &'static str, values: &'static str, help: &'static str, act: OnValue) -> Row {
    Row { name, values, help, act: Act::Value(act) }
}

type OnPair = fn(&mut Draft, &'static CStr, &'static CStr) -> Result<(), Wrong>;

const fn pair(name: &'static str, values: &'static str, help: &'static str, act: OnPair) -> Row {
    Row { name, values, help, act: Act::Pair(act) }
}

const ROOT: &[Row] = &[
    value("root", " DIR", "make DIR the root of a container", |draft, dir| {
        draft.root = Some(dir);
        Ok(())
    }),
    flag("read-only", "nothing can be written to it", |draft| draft.read_only = true),
    flag("volatile", "what is written to it vanishes at the end", |draft| draft.volatile = true),
    flag("no-masks", "leave the host's files in /proc and /sys as they are", |draft| draft.masks = false),
    flag("no-sys", "do not mount /sys", |draft| draft.sys = false),
];

const MOUNTS: &[Row] = &[
    pair("bind", " SRC DEST", "show SRC of the host at DEST", |draft, source, dest| bind(draft, source, dest, Bind::Writable)),
    pair("ro-bind", " SRC DEST", "the same, read-only with all below it", |draft, source, dest| {
        bind(draft, source, dest, Bind::ReadOnly)
    }),
    pair("dev-bind", " SRC DEST", "the same, writable, and device files in it work", |draft, source, dest| {
        bind(draft, source, dest, Bind::Devices)
    }),
    value("tmpfs", " DEST", "an empty file system in memory", |draft, dest| push(draft, Op::Tmpfs(dest))),
    value("proc", " DEST", "one more /proc", |draft, dest| push(draft, Op::Proc(dest))),
    value("dev", " DEST", "one more /dev", |draft, dest| push(draft, Op::Dev(dest))),
    value("dir", " DEST", "a directory", |draft, dest| push(draft, Op::Dir(dest))),
    pair("symlink", " TARGET DEST", "a symbolic link at DEST that says TARGET", |draft, target, dest| {
        push(draft, Op::Symlink { target, dest })
    }),
];

const NAMESPACES: &[Row] = &[
    flag("share-net", "use the host's network", |draft| share(draft, raw::CLONE_NEWNET)),
    flag("share-ipc", "use the host's System V and POSIX IPC", |draft| share(draft, raw::CLONE_NEWIPC)),
    flag("share-pid", "see the host's processes", |draft| share(draft, raw::CLONE_NEWPID)),
    flag("share-uts", "use the host's host name", |draft| share(draft, raw::CLONE_NEWUTS)),
    flag("share-cgroup", "see the host's cgroup tree", |draft| share(draft, raw::CLONE_NEWCGROUP)),
    flag("share-user", "be root with the host's root's rights (root only)", |draft| share(draft, raw::CLONE_NEWUSER)),
    flag("unshare-time", "new offsets for the boot and the monotonic clock", |draft| draft.namespaces |= raw::CLONE_NEWTIME),
];

const RIGHTS: &[Row] = &[
    value("uid", " N", "user id of CMD (0)", |draft, text| id(text).map(|id| draft.uid = Some(id))),
    value("gid", " N", "group id of CMD (0)", |draft, text| id(text).map(|id| draft.gid = Some(id))),
    value("cap-add", " CAP", "keep a capability besides the usual 14, or ALL", |draft, name| {
        let set = capability(name)?;
        draft.capabilities.bounding |= set;
        draft.capabilities.asked |= set;
        Ok(())
    }),
    value("cap-drop", " CAP", "drop one, or ALL", |draft, name| {
        let set = capability(name)?;
        draft.capabilities.bounding &= !set;
        draft.capabilities.asked &= !set;
        Ok(())
    }),
    flag("allow-new-privs", "let set-id programs and file capabilities work", |draft| draft.no_new_privs = false),
];

const SURROUNDINGS: &[Row] = &[
    pair("setenv", " NAME VALUE", "set a variable (the caller's are not passed on)", |draft, name, value| {
        variable(name).map(|()| draft.set_env(name, value))
    }),
    value("unsetenv", " NAME", "unset a variable", |draft, name| variable(name).map(|()| draft.unset_env(name))),
    value("pass-env", " NAME", "pass a variable of the caller's on", |draft, name| {
        variable(name).map(|()| draft.pass_env(name))
    }),
    flag("keep-env", "pass all of them on", Draft::keep_env),
    flag("clearenv", "unset all, PATH, HOME, TERM and container too", Draft::clear_env),
    value("keep-fd", " N", "leave descriptor N open in CMD", |draft, text| {
        draft.keep_fds.push(text::number(text.to_bytes()).filter(|fd| *fd <= FD_MAX).ok_or("it is no descriptor's number")?);
        Ok(())
    }),
    value("chdir", " DIR", "directory of CMD (/)", |draft, dir| {
        draft.directory = dir;
        Ok(())
    }),
    value("hostname", " NAME", "host name", |draft, name| {
        draft.hostname = Some(name);
        Ok(())
    }),
    value("umask", " OCTAL", "file mode creation mask of CMD (the caller's)", |draft, text| {
        draft.umask = Some(text::octal(text.to_bytes()).ok_or("it is no octal number")?);
        Ok(())
    }),
];

const LIFE: &[Row] = &[
    flag("as-pid-1", "CMD itself is process 1: nothing reaps or forwards inside", |draft| draft.life.as_pid_1 = true),
    flag("new-session", "give CMD a session without the caller's terminal", |draft| draft.life.new_session = true),
    flag("die-with-parent", "end when the caller of nsinit ends", |draft| draft.life.die_with_parent = true),
    flag("group", "forward signals to CMD's whole process group", |draft| draft.life.group = true),
    value("grace", " SECONDS", "what is left when CMD ends gets SIGTERM, SECONDS later SIGKILL (2)", |draft, text| {
        draft.life.grace = text::number(text.to_bytes()).ok_or("it is no number of seconds")?;
        Ok(())
    }),
    flag("wait-all", "wait for the last process instead", |draft| draft.life.wait_all = true),
];

const ABOUT: &[Row] = &[
    flag("explain", "print the steps, process by process, and run nothing", |draft| draft.asked = Asked::Explain),
    flag("help", "print this", |draft| draft.asked = Asked::Help),
    flag("version", "print the version", |draft| draft.asked = Asked::Version),
];

/// The kernel's own limit, `sysctl_nr_open_max`, is lower still.
const FD_MAX: u32 = i32::MAX as u32;

fn bind(draft: &mut Draft, source: &'static CStr, dest: &'static CStr, kind: Bind) -> Result<(), Wrong> {
    push(draft, Op::Bind { source, dest, kind })
}

fn push(draft: &mut Draft, op: Op<'static>) -> Result<(), Wrong> {
    draft.ops.push(op);
    Ok(())
}

fn share(draft: &mut Draft, namespace: u32) {
    draft.namespaces &= !namespace;
}

fn id(text: &CStr) -> Result<u32, Wrong> {
    text::number(text.to_bytes()).ok_or("it is no number from 0 to 4294967294")
}

fn capability(name: &CStr) -> Result<u64, Wrong> {
    let name = name.to_bytes();
    if name.eq_ignore_ascii_case(b"ALL") {
        return Ok(caps::ALL);
    }
    caps::by_name(name).map(|number| 1 << number).ok_or("there is no such capability (capabilities(7) names them)")
}

fn variable(name: &CStr) -> Result<(), Wrong> {
    let name = name.to_bytes();
    if name.is_empty() || name.contains(&b'=') { Err("it can't be a variable's name") } else { Ok(()) }
}
