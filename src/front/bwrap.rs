//! bubblewrap's vocabulary, by its 0.13. nsinit's own takes these options too.

use core::ffi::CStr;

use engine::caps;
use engine::fault::{failed, fatal};
use engine::spec::{Capabilities, Kind as Op, NoMoreUsers};
use engine::sys::{Signal, Standard, close_on_exec, is_open, say, write};
use engine::text::{self, Text};
use engine::voice::{Name, tell_levels};
use linux_raw_sys::general as raw;

use super::content;
use super::draft::{Asked, Draft, EnvOp};
use super::help;
use super::words::{Complaint, Kind, Texts, Values, Vocabulary, Wrong, rows};

pub static BWRAP: Vocabulary = Vocabulary {
    names: say(c"bwrap "),
    voice: Name::Bwrap,
    begin: |draft| {
        draft.contained = true;
        Ok(())
    },
    rows: ROWS,
    more: None,
    act,
    contained: CONTAINED,
    end: |_| {},
    texts: Texts { version: say(c"bubblewrap 0.13.1\n"), ..Texts::NONE },
    abbreviates: false,
    long_alone: false,
    joins_values: false,
};

/// Those before "How it is started".
pub const CONTAINED: usize = 60;

rows! { draft, first, second, third:
    "What is in the root, in the order given (missing destinations are made)" {
        "--bind SRC DEST\tshow SRC of the host at DEST" => draft.bind(first, second, 0)?,
        "--bind-try SRC DEST\tthe same, if there is a SRC" => draft.bind(first, second, 0)?.optional = true,
        "--ro-bind SRC DEST\tthe same as --bind, read-only with all below it" =>
            draft.bind(first, second, raw::MOUNT_ATTR_RDONLY)?,
        "--ro-bind-try SRC DEST\tthe same, if there is a SRC" =>
            draft.bind(first, second, raw::MOUNT_ATTR_RDONLY)?.optional = true,
        "--dev-bind SRC DEST\tthe same as --bind, and device files in it work" =>
            draft.bind(first, second, 0)?.set &= !raw::MOUNT_ATTR_NODEV,
        "--dev-bind-try SRC DEST\tthe same, if there is a SRC" => {
            let op = draft.bind(first, second, 0)?;
            op.set &= !raw::MOUNT_ATTR_NODEV;
            op.optional = true;
        },
        "--bind-fd FD DEST\tshow what FD has open" => draft.op(Op::BindFd, second)?.fd = fd(first)?,
        "--ro-bind-fd FD DEST\tthe same, read-only" => {
            let op = draft.op(Op::BindFd, second)?;
            op.fd = fd(first)?;
            op.set |= raw::MOUNT_ATTR_RDONLY;
        },
        "--remount-ro DEST\tmake the mount at DEST read-only, and none below it" => draft.op(Op::Remount, first)?,
        "--overlay-src SRC\tthe next layer of the overlay that follows, from the bottom up" => draft.layers.push(first),
        "--overlay RWSRC WORKDIR DEST\tlayers as one; writes go to RWSRC, by an empty WORKDIR beside it" => {
            let op = draft.op(Op::Overlay, third)?;
            op.source = first;
            op.work = second;
        },
        "--tmp-overlay DEST\tthe same, but what is written vanishes at the end" => draft.op(Op::OverlayTmpfs, first)?,
        "--ro-overlay DEST\tthe same, but nothing can be written" => draft.op(Op::OverlayReadOnly, first)?,
        "--proc DEST\ta /proc" => draft.op(Op::Proc, first)?,
        "--dev DEST\ta /dev" => draft.op(Op::Dev, first)?,
        "--tmpfs DEST\tan empty file system in memory" => draft.op(Op::Tmpfs, first)?,
        "--mqueue DEST\tthe POSIX message queues" => draft.op(Op::Mqueue, first)?,
        "--dir DEST\ta directory" => draft.op(Op::Dir, first)?,
        "--file FD DEST\ta file with what FD holds" => draft.op(Op::File, second)?.fd = fd(first)?,
        "--bind-data FD DEST\tthe same, as a mount" => draft.op(Op::BindData, second)?.fd = fd(first)?,
        "--ro-bind-data FD DEST\tthe same, read-only" => {
            let op = draft.op(Op::BindData, second)?;
            op.fd = fd(first)?;
            op.set |= raw::MOUNT_ATTR_RDONLY;
        },
        "--symlink SRC DEST\ta symbolic link at DEST that says SRC" => draft.op(Op::Symlink, second)?.source = first,
        "--chmod OCTAL PATH\tchange the mode of what is there" => {
            let mode = octal(first)?;
            draft.op(Op::Chmod, second)?.mode = Some(mode);
        },
        "--perms OCTAL\tthe mode of the next file, directory or file system" => {
            if draft.mode.is_some() {
                return Err(say(c"--perms given twice for the same action"));
            }
            draft.mode = Some(octal(first)?);
        },
        "--size BYTES\tthe size of the next --tmpfs" => {
            if !draft.size.is_empty() {
                return Err(say(c"--size given twice for the same action"));
            }
            if !first.to_bytes().iter().all(u8::is_ascii_digit) || first.to_bytes().iter().all(|byte| *byte == b'0') {
                return Err(say(c"--size takes a non-zero number of bytes"));
            }
            draft.size = first;
        },
    }
    "Namespaces" {
        "--unshare-all\tnew ones of every kind but time" => {
            draft.unshare(raw::CLONE_NEWIPC | raw::CLONE_NEWPID | raw::CLONE_NEWNET | raw::CLONE_NEWUTS);
            draft.unshare_if_possible(raw::CLONE_NEWUSER | raw::CLONE_NEWCGROUP);
        },
        "--share-net\tuse the host's network" => draft.share(raw::CLONE_NEWNET),
        "--unshare-user\tnew user and group ids" => draft.unshare(raw::CLONE_NEWUSER),
        "--unshare-user-try\tthe same, where the kernel has them" => draft.unshare_if_possible(raw::CLONE_NEWUSER),
        "--unshare-ipc\tnew System V and POSIX IPC" => draft.unshare(raw::CLONE_NEWIPC),
        "--unshare-pid\tnew process ids" => draft.unshare(raw::CLONE_NEWPID),
        "--unshare-net\ta new network, with lo only" => draft.unshare(raw::CLONE_NEWNET),
        "--unshare-uts\ta new host name" => draft.unshare(raw::CLONE_NEWUTS),
        "--unshare-cgroup\ta new root of the cgroup tree" => draft.unshare(raw::CLONE_NEWCGROUP),
        "--unshare-cgroup-try\tthe same, where the kernel has them" => draft.unshare_if_possible(raw::CLONE_NEWCGROUP),
        "--userns FD\tuse this user namespace" => draft.spec.joins.user = Some(fd(first)?),
        "--userns2 FD\tand at the end this one below it" => draft.spec.joins.then_user = Some(fd(first)?),
        "--pidns FD\tuse this pid namespace, or begin a new one below it" => draft.spec.joins.pid = Some(fd(first)?),
        "--disable-userns\tnobody inside can make a user namespace" =>
            draft.spec.no_more_users = NoMoreUsers::Made,
        "--assert-userns-disabled\tfail if somebody inside could" => {
            if draft.spec.no_more_users == NoMoreUsers::Unasked {
                draft.spec.no_more_users = NoMoreUsers::Asserted;
            }
        },
        "--hostname NAME\thost name" => {
            draft.spec.hostname = Some(first);
            if first.count_bytes() > HOSTNAME_MAX {
                return Err(say(c"a host name has at most 64 bytes"));
            }
        },
    }
    "Who CMD is and what it may do" {
        "--uid UID\tuser id of CMD (with --root 0)" => draft.uid = Some(id(first)?),
        "--gid GID\tgroup id of CMD (with --root 0)" => draft.gid = Some(id(first)?),
        "--cap-add CAP\tkeep a capability, or ALL (with --root besides the usual 14)" => {
            let set = capability(first)?;
            draft.cap_add |= set;
            draft.cap_drop &= !set;
        },
        "--cap-drop CAP\tdrop one, or ALL" => {
            let set = capability(first)?;
            draft.cap_drop |= set;
            draft.cap_add &= !set;
        },
        "--seccomp FD\tfilter system calls by the program that FD holds" => {
            draft.filter_alone = true;
            draft.filters.clear();
            draft.filters.push(filter(first)?);
        },
        "--add-seccomp-fd FD\tthe same, besides others" => {
            draft.filter_beside = true;
            draft.filters.push(filter(first)?);
        },
        "--exec-label LABEL\tSELinux context of CMD" => draft.spec.exec_label = Some(first),
        "--file-label LABEL\tand of what is made" => draft.spec.file_label = Some(first),
        "--not-a-security-boundary\tgo on where a mount below a --bind can't be restricted" => draft.spec.lenient = true,
    }
    "What CMD finds" {
        "--chdir DIR\tdirectory of CMD (with --root /, else the caller's)" => draft.directory = Some(first),
        "--setenv VAR VALUE\tset a variable (with --root the caller's are not passed on)" =>
            draft.set_env(variable(first)?, second),
        "--unsetenv VAR\tunset a variable" => draft.env_ops.push(EnvOp::Unset(variable(first)?)),
        "--clearenv\tunset all" => draft.env_ops.push(EnvOp::Clear),
        "--lock-file DEST\tlock a file for reading while anybody is inside" => draft.locks.push(first),
    }
    "Who watches it" {
        "--sync-fd FD\tkeep FD open while anybody is inside" => draft.spec.channels.sync = Some(fd(first)?),
        "--block-fd FD\twait, before CMD starts, until FD can be read" => draft.spec.channels.block = Some(fd(first)?),
        "--userns-block-fd FD\tlet somebody else write the id maps, and wait for FD" =>
            draft.spec.channels.maps = Some(fd(first)?),
        "--info-fd FD\twrite who process 1 is to FD, as JSON" => draft.spec.channels.info = Some(fd(first)?),
        "--json-status-fd FD\tthe same in lines, with the exit status at the end" =>
            draft.spec.channels.status = Some(fd(first)?),
    }
    "How it is started" {
        "--new-session\tgive CMD a session without the caller's terminal" => draft.spec.life.new_session = true,
        "--die-with-parent\tend when the caller ends" => {
            draft.spec.life.die_with_parent = Some(Signal::KILL);
            draft.spec.life.die_together = true;
        },
        "--as-pid-1\tCMD itself is process 1: nothing reaps or forwards inside" => draft.spec.life.as_pid_1 = true,
        "--argv0 VALUE\ttell CMD that this is its name" => draft.argv_0 = Some(first),
        "--args FD\tread more options from FD, each word ended by a NUL" => draft.args = Some(fd(first)?),
        "--level-prefix\tbegin messages with <3> or <4>" => tell_levels(),
        "--help\tprint this" => draft.asked = Asked::Help,
        "--version\tprint the version" => draft.asked = Asked::Version,
        "--debug-opt VALUE\t" => {},
    }
}

/// The longest host name that the kernel takes, `__NEW_UTS_LEN`.
const HOSTNAME_MAX: usize = 64;
/// `(uid_t) -1` means "leave it as it is" to the kernel, so it names nobody.
const NO_ID: u32 = u32::MAX;
/// The kernel's own limit, `sysctl_nr_open_max`, is lower still.
const FD_MAX: u32 = i32::MAX as u32;
/// The bytes of struct sock_filter.
const FILTER: usize = 8;
/// BPF_MAXINSNS.
const FILTERS_MAX: usize = 4096;

fn id(text: &CStr) -> Result<u32, Wrong> {
    text::number(text.to_bytes()).filter(|id| *id != NO_ID).ok_or(say(c"it is no number from 0 to 4294967294"))
}

/// A descriptor of the caller's that we use, and CMD does not get.
pub fn fd(text: &CStr) -> Result<u32, Wrong> {
    let fd = text::number(text.to_bytes()).filter(|fd| *fd <= FD_MAX).ok_or(say(c"it is no descriptor's number"))?;
    let open = if fd > Standard::Error as u32 { close_on_exec(fd, true).is_ok() } else { is_open(fd) };
    if open { Ok(fd) } else { Err(say(c"no such descriptor is open")) }
}

fn octal(text: &CStr) -> Result<u32, Wrong> {
    text::octal(text.to_bytes()).filter(|mode| *mode <= 0o7777).ok_or(say(c"--perms takes an octal argument <= 07777"))
}

fn filter(text: &CStr) -> Result<&'static [u8], Wrong> {
    let (content, _) =
        content(fd(text)?).and_then(<[u8]>::split_last_chunk::<1>).ok_or(say(c"Can't read seccomp data"))?;
    if content.len() % FILTER != 0 {
        return Err(say(c"Invalid seccomp data, must be multiple of 8"));
    }
    if content.len() > FILTER * FILTERS_MAX { Err(say(c"Seccomp data too long")) } else { Ok(content) }
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

pub fn variable(name: &CStr) -> Result<&CStr, Wrong> {
    let bytes = name.to_bytes();
    if bytes.is_empty() || text::has(bytes, b'=') { Err(say(c"it can't be a variable's name")) } else { Ok(name) }
}

/// Prints what is wrong with the command line, in bubblewrap's words. Returns the exit status.
pub fn complain(complaint: &Complaint, program: &CStr) -> i32 {
    let (option, why) = (complaint.option, complaint.why.bytes());
    let mut line = Text::new();
    match complaint.kind {
        Kind::CommandMissing => {
            usage(Standard::Error, program);
            return failed();
        }
        Kind::ValueMissing => {
            let many: &[u8] = match complaint.values {
                1 => b" takes an argument",
                2 => b" takes two arguments",
                _ => b" takes three arguments",
            };
            line.push(option).push(many);
        }
        // A whole sentence.
        Kind::ValueWrong if why.first().is_some_and(|first| *first == b'-' || first.is_ascii_uppercase()) => {
            line.push(why);
        }
        Kind::ValueWrong => match complaint.value {
            b"CAP" => {
                line.push(b"unknown cap: ").push_printable(complaint.word.to_bytes());
            }
            b"VAR" => {
                line.push(option.get(2..).unwrap_or_default()).push(b" failed");
            }
            name => {
                line.push(b"Invalid ");
                name.iter().for_each(|byte| {
                    line.byte(byte.to_ascii_lowercase());
                });
                line.push(b": ").push_printable(complaint.word.to_bytes());
            }
        },
        _ => {
            line.push(b"Unknown option ").push_printable(complaint.word.to_bytes());
        }
    }
    fatal(line.bytes())
}

/// Prints the options.
pub fn usage(to: Standard, program: &CStr) {
    let mut line = Text::new();
    line.push(b"usage: ").push(program.to_bytes()).push(b" [OPTIONS...] [--] COMMAND [ARGS...]\n\n");
    write(to, line.bytes());
    help::rows(&BWRAP, false, &mut |text| {
        write(to, text);
    });
}
