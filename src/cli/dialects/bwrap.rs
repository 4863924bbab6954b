//! bubblewrap's vocabulary, by its 0.13. nsinit's own takes these options too.

use core::ffi::CStr;

use engine::confine::caps;
use engine::fs::staging::FILES;
use engine::report::message::{failed, fatal, warning};
use engine::report::wording::{Name, tell_levels};
use engine::say;
use engine::spec::{Capabilities, Kind as Op, NoMoreUsers};
use engine::sys::{Signal, Standard, close_on_exec, is_open, write};
use engine::text::{self, Text};
use linux_raw_sys::general as raw;
use linux_raw_sys::general::{MOUNT_ATTR_NOSUID as NOSUID, MOUNT_ATTR_RDONLY as RDONLY};

use super::super::builder::{Asked, Draft, EnvOp};
use super::super::content;
use super::super::rows::{Complaint, Context, Group, Kind, Row, Texts, Values, Vocabulary, Wrong, rows};
use super::super::usage;

pub static BWRAP: Vocabulary = Vocabulary {
    names: "bwrap ",
    voice: Name::Bwrap,
    begin: |draft| {
        draft.contained = true;
        Ok(())
    },
    rows: ROWS,
    helps: HELPS,
    groups: GROUPS,
    more: None,
    act,
    end: |_| {},
    texts: Texts { version: say!("bubblewrap 0.13.1\n"), ..Texts::NONE },
    abbreviates: false,
    long_alone: false,
    joins_values: false,
};

rows! { draft, values, first:
    say!("What is in the root, in the order given (missing destinations are made)"), Making => {
        "--bind SRC DEST", say!("show SRC of the host at DEST") => draft.op(Op::Bind, FILES, values)?,
        "--bind-try SRC DEST", say!("the same, if there is a SRC") => draft.op(Op::BindTry, FILES, values)?,
        "--ro-bind SRC DEST", say!("the same as --bind, read-only with all below it") =>
            draft.op(Op::Bind, FILES | RDONLY, values)?,
        "--ro-bind-try SRC DEST", say!("the same, if there is a SRC") => draft.op(Op::BindTry, FILES | RDONLY, values)?,
        "--dev-bind SRC DEST", say!("the same as --bind, and device files in it work") =>
            draft.op(Op::Bind, NOSUID, values)?,
        "--dev-bind-try SRC DEST", say!("the same, if there is a SRC") => draft.op(Op::BindTry, NOSUID, values)?,
        "--bind-fd FD DEST", say!("show what FD has open") => draft.op(Op::BindFd, FILES, values)?,
        "--ro-bind-fd FD DEST", say!("the same, read-only") => draft.op(Op::BindFd, FILES | RDONLY, values)?,
        "--remount-ro DEST", say!("make the mount at DEST read-only, and none below it") =>
            draft.op(Op::Remount, FILES, values)?,
        "--overlay-src SRC", say!("the next layer of the overlay that follows, from the bottom up") => draft.layers.push(first),
        "--overlay RWSRC WORKDIR DEST", say!("layers as one; writes go to RWSRC, by an empty WORKDIR beside it") =>
            draft.op(Op::Overlay, FILES, values)?,
        "--tmp-overlay DEST", say!("the same, but what is written vanishes at the end") =>
            draft.op(Op::OverlayTmpfs, FILES, values)?,
        "--ro-overlay DEST", say!("the same, but nothing can be written") => draft.op(Op::OverlayReadOnly, FILES, values)?,
        "--proc DEST", say!("a /proc") => draft.op(Op::Proc, FILES, values)?,
        "--dev DEST", say!("a /dev") => draft.op(Op::Dev, FILES, values)?,
        "--tmpfs DEST", say!("an empty file system in memory") => draft.op(Op::Tmpfs, FILES, values)?,
        "--mqueue DEST", say!("the POSIX message queues") => draft.op(Op::Mqueue, FILES, values)?,
        "--dir DEST", say!("a directory") => draft.op(Op::Dir, FILES, values)?,
        "--file FD DEST", say!("copy FD to a file (0600) kept in DIR; --ro-bind-data keeps nothing there") => draft.op(Op::File, FILES, values)?,
        "--bind-data FD DEST", say!("the same, as a mount") => draft.op(Op::BindData, FILES, values)?,
        "--ro-bind-data FD DEST", say!("the same, read-only") => draft.op(Op::BindData, FILES | RDONLY, values)?,
        "--symlink SRC DEST", say!("a symbolic link at DEST that says SRC") => draft.op(Op::Symlink, FILES, values)?,
        "--chmod OCTAL PATH", say!("change the mode of what is there") => draft.op(Op::Chmod, FILES, values)?,
        "--perms OCTAL", say!("the mode of the next file, directory or file system") => {
            if draft.mode.is_some() {
                return Err(say!("--perms given twice for the same action"));
            }
            draft.mode = Some(octal(first)?);
        },
        "--size BYTES", say!("the size of the next --tmpfs") => {
            if !draft.size.is_empty() {
                return Err(say!("--size given twice for the same action"));
            }
            draft.size = size(first)?;
        },
    }
    say!("Namespaces"), Making => {
        "--unshare-all", say!("new ones of every kind but time") => {
            draft.unshare(raw::CLONE_NEWIPC | raw::CLONE_NEWPID | raw::CLONE_NEWNET | raw::CLONE_NEWUTS);
            draft.unshare_if_possible(raw::CLONE_NEWUSER | raw::CLONE_NEWCGROUP);
        },
        "--share-net", say!("use the host's network") => draft.share(raw::CLONE_NEWNET),
        "--unshare-user", say!("new user and group ids") => draft.unshare(raw::CLONE_NEWUSER),
        "--unshare-user-try", say!("the same, where the kernel has them") => draft.unshare_if_possible(raw::CLONE_NEWUSER),
        "--unshare-ipc", say!("new System V and POSIX IPC") => draft.unshare(raw::CLONE_NEWIPC),
        "--unshare-pid", say!("new process ids") => draft.unshare(raw::CLONE_NEWPID),
        "--unshare-net", say!("a new network, with lo only") => draft.unshare(raw::CLONE_NEWNET),
        "--unshare-uts", say!("a new host name") => draft.unshare(raw::CLONE_NEWUTS),
        "--unshare-cgroup", say!("a new root of the cgroup tree") => draft.unshare(raw::CLONE_NEWCGROUP),
        "--unshare-cgroup-try", say!("the same, where the kernel has them") => draft.unshare_if_possible(raw::CLONE_NEWCGROUP),
        "--userns FD", say!("use this user namespace") => set_fd(&mut draft.spec.namespaces.joins.user, first)?,
        "--userns2 FD", say!("and at the end this one below it") => set_fd(&mut draft.spec.namespaces.joins.then_user, first)?,
        "--pidns FD", say!("use this pid namespace, or begin a new one below it") => set_fd(&mut draft.spec.namespaces.joins.pid, first)?,
        "--disable-userns", say!("nobody inside can make a user namespace") =>
            draft.spec.namespaces.users = NoMoreUsers::Made,
        "--assert-userns-disabled", say!("fail if somebody inside could") => {
            if draft.spec.namespaces.users == NoMoreUsers::Unasked {
                draft.spec.namespaces.users = NoMoreUsers::Asserted;
            }
        },
        "--hostname NAME", say!("host name") => {
            draft.spec.namespaces.hostname = Some(first);
            if first.count_bytes() > HOSTNAME_MAX {
                return Err(say!("a host name has at most 64 bytes"));
            }
        },
    }
    say!("Who CMD is and what it may do"), Container => {
        "--uid UID", say!("user id of CMD (with --root 0)") => draft.uid = Some(id(first)?),
        "--gid GID", say!("group id of CMD (with --root 0)") => draft.gid = Some(id(first)?),
        "--cap-add CAP", say!("keep a capability, or ALL (with --root besides the usual 14)") => {
            let set = capability(first)?;
            draft.cap_add |= set;
            draft.cap_drop &= !set;
        },
        "--cap-drop CAP", say!("drop one, or ALL") => {
            let set = capability(first)?;
            draft.cap_drop |= set;
            draft.cap_add &= !set;
        },
        "--seccomp FD", say!("filter system calls by the program that FD holds") => {
            if draft.filter_beside {
                return Err(say!("--seccomp cannot be combined with --add-seccomp-fd"));
            }
            draft.filter_alone = true;
            draft.filters.clear();
            draft.filters.push(filter(first)?);
        },
        "--add-seccomp-fd FD", say!("the same, besides others") => {
            if draft.filter_alone {
                return Err(say!("--add-seccomp-fd cannot be combined with --seccomp"));
            }
            draft.filter_beside = true;
            let number = fd(first)?;
            // It has been read to its end. (bubblewrap has closed it.)
            if draft.filter_fds.contains(&number) {
                return Err(say!("Can't read seccomp data: Bad file descriptor"));
            }
            draft.filter_fds.push(number);
            draft.filters.push(filter(first)?);
        },
        "--exec-label LABEL", say!("SELinux context of CMD") => draft.spec.confine.exec_label = Some(first),
        "--file-label LABEL", say!("and of what is made") => draft.spec.confine.file_label = Some(first),
        "--not-a-security-boundary", say!("go on where a mount below a --bind can't be restricted") => draft.spec.root.lenient = true,
    }
    say!("What CMD finds"), Finds => {
        "--chdir DIR", say!("directory of CMD (with --root /, else the caller's)") => draft.directory = Some(first),
        "--setenv VAR VALUE", say!("set a variable (with --root the caller's are not passed on)") =>
            draft.set_env(variable(first)?, values[1]),
        "--unsetenv VAR", say!("unset a variable") => draft.env_ops.push(EnvOp::Unset(variable(first)?)),
        "--clearenv", say!("unset all") => draft.env_ops.push(EnvOp::Clear),
    }
    say!("Who watches it"), Container => {
        "--lock-file DEST", say!("lock a file for reading while anybody is inside") => draft.locks.push(first),
        "--sync-fd FD", say!("keep FD open while anybody is inside") => set_fd(&mut draft.spec.channels.sync, first)?,
        "--block-fd FD", say!("wait, before CMD starts, until FD can be read") => set_fd(&mut draft.spec.channels.block, first)?,
        "--userns-block-fd FD", say!("let somebody else write the id maps, and wait for FD") =>
            set_fd(&mut draft.spec.channels.maps, first)?,
        "--info-fd FD", say!("write who process 1 is to FD, as JSON") => set_fd(&mut draft.spec.channels.info, first)?,
        "--json-status-fd FD", say!("the same in lines, with the exit status at the end") =>
            set_fd(&mut draft.spec.channels.status, first)?,
    }
    say!("How it is started"), Anywhere => {
        "--new-session", say!("give CMD a session without the caller's terminal") => draft.spec.life.new_session = true,
        "--die-with-parent", say!("end when the caller ends") => {
            draft.spec.life.die_with_parent = Some(Signal::KILL);
            draft.spec.life.die_together = true;
        },
        "--as-pid-1", say!("CMD itself is process 1: nothing reaps or forwards inside") => draft.spec.life.as_pid_1 = true,
        "--argv0 VALUE", say!("tell CMD that this is its name") => {
            if draft.argv_0.is_some() {
                return Err(say!("--argv0 used multiple times"));
            }
            draft.argv_0 = Some(first);
        },
        "--args FD", say!("read more options from FD, each word ended by a NUL") => set_fd(&mut draft.args, first)?,
        "--level-prefix", say!("begin messages with <3> or <4>") => tell_levels(),
        "--help", say!("print this") => draft.asked = Asked::Help,
        "--version", say!("print the version") => draft.asked = Asked::Version,
        "--debug-opt VALUE", say!("") => {},
    }
}

/// The longest host name that the kernel takes, `__NEW_UTS_LEN`.
pub const HOSTNAME_MAX: usize = 64;
/// `(uid_t) -1` means "leave it as it is" to the kernel, so it names nobody.
const NO_ID: u32 = u32::MAX;
/// The kernel's own limit, `sysctl_nr_open_max`, is lower still.
const FD_MAX: u32 = i32::MAX as u32;
/// The bytes of struct sock_filter.
const FILTER: usize = 8;
/// BPF_MAXINSNS.
const FILTERS_MAX: usize = 4096;

fn id(text: &CStr) -> Result<u32, Wrong> {
    text::number(text.to_bytes()).filter(|id| *id != NO_ID).ok_or(say!("it is no number from 0 to 4294967294"))
}

/// A descriptor of the caller's that we use, and CMD does not get.
pub fn fd(text: &CStr) -> Result<u32, Wrong> {
    let fd = text::number(text.to_bytes()).filter(|fd| *fd <= FD_MAX).ok_or(say!("it is no descriptor's number"))?;
    let open = if fd > Standard::Error as u32 { close_on_exec(fd, true).is_ok() } else { is_open(fd) };
    if open { Ok(fd) } else { Err(say!("no such descriptor is open")) }
}

#[inline(never)]
fn set_fd(place: &mut Option<u32>, text: &CStr) -> Result<(), Wrong> {
    *place = Some(fd(text)?);
    Ok(())
}

pub fn octal(text: &CStr) -> Result<u32, Wrong> {
    text::octal(text.to_bytes()).filter(|mode| *mode <= 0o7777).ok_or(say!("takes an octal argument <= 07777"))
}

/// A number as the kernel reads it, decimal, octal with 0 or hexadecimal with 0x before it.
fn size(text: &CStr) -> Result<&CStr, Wrong> {
    let (radix, digits) = match text.to_bytes() {
        [b'0', b'x' | b'X', digits @ ..] => (16, digits),
        [b'0', digits @ ..] => (8, digits),
        digits => (10, digits),
    };
    let bytes = digits.iter().try_fold(0u64, |bytes, digit| {
        bytes.checked_mul(radix.into())?.checked_add(char::from(*digit).to_digit(radix)?.into())
    });
    match bytes {
        None | Some(0) => Err(say!("takes a non-zero number of bytes")),
        // Half of what a size_t holds.
        Some(bytes) if bytes > (usize::MAX >> 1) as u64 => Err(if usize::BITS == 64 {
            say!("--size (for tmpfs) is limited to 9223372036854775807")
        } else {
            say!("--size (for tmpfs) is limited to 2147483647")
        }),
        _ => Ok(text),
    }
}

fn filter(text: &CStr) -> Result<&'static [u8], Wrong> {
    let (content, _) =
        content(fd(text)?).and_then(<[u8]>::split_last_chunk::<1>).ok_or(say!("Can't read seccomp data"))?;
    if content.len() % FILTER != 0 {
        return Err(say!("Invalid seccomp data, must be multiple of 8"));
    }
    if content.len() > FILTER * FILTERS_MAX { Err(say!("Seccomp data too long")) } else { Ok(content) }
}

fn capability(name: &CStr) -> Result<u64, Wrong> {
    let name = name.to_bytes();
    if text::same_word(name, b"ALL") {
        return Ok(Capabilities::ALL);
    }
    caps::by_name(name)
        .or(text::number(name).filter(|number| u64::from(*number) < Capabilities::AS_FAR_AS_HELD.ilog2().into()))
        .map(|number| 1 << number)
        .ok_or(say!("there is no such capability (capabilities(7) names them)"))
}

pub fn variable(name: &CStr) -> Result<&CStr, Wrong> {
    let bytes = name.to_bytes();
    if bytes.is_empty() || text::has(bytes, b'=') { Err(say!("it can't be a variable's name")) } else { Ok(name) }
}

/// Of these the last counts; that there was another is rarely meant.
static SINGLE: &[u8] = b"--hostname --uid --gid --chdir --seccomp --userns --userns2 --pidns --sync-fd --block-fd \
    --userns-block-fd --info-fd --json-status-fd";

/// Says so of one that was there before.
pub fn warn_of_repeated(row: &Row, draft: &mut Draft) {
    let bit = 1 << row.number;
    let mut rest = SINGLE;
    while let Some(name) = text::word(&mut rest, b' ').filter(|_| draft.seen & bit != 0) {
        if name == row.name() {
            let mut line = Text::new();
            warning(line.say(say!("Only the last ")).push(name).say(say!(" option will take effect")));
        }
    }
    draft.seen |= bit;
}

/// Prints what is wrong with the command line, in bubblewrap's words. Returns the exit status.
pub fn complain(complaint: &Complaint, program: &CStr) -> i32 {
    let (option, why) = (complaint.option, complaint.why);
    let mut line = Text::new();
    match complaint.kind {
        Kind::CommandMissing => {
            usage(Standard::Error, program);
            return failed();
        }
        Kind::ValueMissing => {
            line.push(option).say(match complaint.values {
                1 => say!(" takes an argument"),
                2 => say!(" takes two arguments"),
                _ => say!(" takes three arguments"),
            });
        }
        Kind::ValueWrong => match (complaint.value, why.first()) {
            (b"CAP", _) => {
                line.say(say!("unknown cap: ")).push_printable(complaint.word.to_bytes());
            }
            (b"VAR", _) => {
                line.push(option.get(2..).unwrap_or_default()).push(b" failed");
            }
            // A whole sentence, or all but its subject.
            (_, b'-' | b'A'..=b'Z') => {
                line.say(why);
            }
            (_, b't') => {
                line.push(option).byte(b' ').say(why);
            }
            (name, _) => {
                line.say(say!("Invalid "));
                name.iter().for_each(|byte| {
                    line.byte(byte.to_ascii_lowercase());
                });
                line.push(b": ").push_printable(complaint.word.to_bytes());
            }
        },
        _ => {
            line.say(say!("Unknown option ")).push_printable(complaint.word.to_bytes());
        }
    }
    fatal(&line)
}

/// Prints the options.
pub fn usage(to: Standard, program: &CStr) {
    let mut line = Text::new();
    line.say(say!("usage: ")).push(program.to_bytes()).say(say!(" [OPTIONS...] [--] COMMAND [ARGS...]\n\n"));
    write(to, line.bytes());
    usage::rows(&BWRAP, false, &mut |line| {
        write(to, line.bytes());
    });
}
