//! How each feature is tried. A function runs in a process that ends afterwards, most of them in new namespaces: what it makes
//! ends with it.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, openat2, unlinkat};
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};
use rustix::pipe::PipeFlags;

use super::trial::Trial;
use crate::cgroup::tree;
use crate::fs::staging::{DATA, mount_by_path};
use crate::fs::{mount_fd, procfs};
#[cfg(feature = "idmap")]
use crate::process::clone;
use crate::process::connect;
#[cfg(feature = "landlock")]
use crate::say;
use crate::state::Pipe;
use crate::sys::files::{self, Fd, HERE, read};
use crate::sys::{self, Argv, Done, Env, Failure, Fork, PR_SET_NO_NEW_PRIVS, Slot, Standard, Word, keep_open};
use crate::text::{self, PATH, Short};

/// A file system that the kernel fills, by the new calls or the old one, as process 1 mounts it.
pub fn new_mount(kind: &CStr) -> Done {
    match mount_fd::detached(kind, &[], DATA) {
        Err(Failure::NOSYS | Failure::PERM) => mount_on_root(kind, c""),
        done => done.map(|_| ()),
    }
}

/// mount(2) of a file system on `/`, where `/..` leads to it.
pub fn mount_on_root(kind: &CStr, options: &CStr) -> Done {
    mount_by_path(kind, c"/", kind, DATA & !raw::MOUNT_ATTR_NODEV, options)
}

/// A new instance of devpts, and a pty in it.
pub fn devpts() -> Done {
    mount_on_root(c"devpts", c"newinstance,ptmxmode=0666,mode=0620")?;
    open_pty(c"/../ptmx")
}

/// A new pty.
pub fn open_pty(ptmx: &CStr) -> Done {
    files::open_path(ptmx, OFlags::RDWR | OFlags::NOCTTY).map(|_| ())
}

/// A copy of `/` with the mounts below it, which a new user namespace may not uncover; attached nowhere.
fn copy_of_root() -> Result<Fd, Failure> {
    use OpenTreeFlags as F;
    Ok(keep_open(open_tree(HERE, c"/", F::OPEN_TREE_CLONE | F::OPEN_TREE_CLOEXEC | F::AT_RECURSIVE)?))
}

/// open_tree(2), fsopen(2), fsconfig(2), fsmount(2) and move_mount(2).
pub fn mount_descriptors() -> Done {
    copy_of_root()?;
    let new = mount_fd::detached(c"tmpfs", &[], DATA)?;
    Ok(move_mount(new, c"", HERE, c"/", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?)
}

/// mount_setattr(2).
pub fn mount_attributes() -> Done {
    sys::mount_setattr(copy_of_root()?, raw::MOUNT_ATTR_RDONLY, 0, false, 0)
}

/// The mount of `/` with the ids of a new user namespace, as with --idmap.
#[cfg(feature = "idmap")]
pub fn idmapped_mount(trial: &mut Trial<'_>) -> Done {
    let tree = copy_of_root()?;
    let pipe = Pipe::new(PipeFlags::empty())?;
    match clone::fork_plain(raw::CLONE_NEWUSER)? {
        Fork::Child => {
            // Until the parent ends, or closes its end.
            sys::close(pipe.write);
            let _ = read(pipe.read, &mut [0u8]);
            sys::exit(0)
        }
        Fork::Parent(child) => {
            trial.map_ids(child)?;
            let process = procfs::process(procfs::open()?, child)?;
            sys::mount_map_ids(tree, files::open(process, c"ns/user", OFlags::RDONLY)?, false)
        }
    }
}

/// An overlay in memory, as with --volatile.
#[cfg(feature = "overlay")]
pub fn overlay(trial: &mut Trial<'_>) -> Done {
    mount_on_root(c"tmpfs", c"")?;
    let base = files::directory(HERE, c"/..")?;
    for name in [c"l", c"u", c"w"] {
        files::make_directory(base, name, 0o700)?;
    }
    files::fchdir(base)?;
    // As in rootfs::overlay.
    const OPTIONS: [&CStr; 2] = [c"lowerdir=l,upperdir=u,workdir=w", c"lowerdir=l,upperdir=u,workdir=w,userxattr"];
    let [alone, in_users] = OPTIONS;
    let options = if trial.spec.in_user_namespace() { in_users } else { alone };
    mount_by_path(c"overlay", c"l", c"overlay", 0, options)
}

/// Landlock, and its version.
#[cfg(feature = "landlock")]
pub fn landlock(trial: &mut Trial<'_>) -> Done {
    let version = sys::landlock_version()?;
    trial.detail.say(say!("ABI ")).push_number(version);
    Ok(())
}

/// no_new_privs (prctl(2)).
pub fn no_new_privs() -> Done {
    sys::prctl(PR_SET_NO_NEW_PRIVS, 1)
}

/// A filter of system calls that permits everything.
pub fn filter() -> Done {
    no_new_privs()?;
    // BPF_RET | BPF_K, SECCOMP_RET_ALLOW
    let [a, b, c, d] = 0x7fff_0000_u32.to_ne_bytes();
    let [code, zero] = 6u16.to_ne_bytes();
    sys::add_filter(&[code, zero, 0, 0, a, b, c, d])
}

/// openat2(2) with RESOLVE_IN_ROOT.
pub fn open_in_root() -> Done {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat2(HERE, c"/", flags, Mode::empty(), ResolveFlags::IN_ROOT)?;
    Ok(())
}

/// clone3(2).
pub fn clone() -> Done {
    ended(sys::clone3(0, None)?)
}

/// clone3(2) into a cgroup.
pub fn clone_into_cgroup() -> Done {
    // The kernel looks at the descriptor, which is that of no cgroup.
    match sys::clone3(0, Some(files::open_path(c"/", OFlags::RDONLY)?)) {
        Err(Failure::BADF) => Ok(()),
        fork => ended(fork?),
    }
}

fn ended(fork: Fork) -> Done {
    match fork {
        Fork::Child => sys::exit(0),
        Fork::Parent(child) => sys::wait_end(child.as_raw_nonzero().get()).map(|_| ()),
    }
}

/// A process as a descriptor.
pub fn pidfd() -> Done {
    sys::pidfd_open(sys::own_number()?).map(|_| ())
}

/// The calls with which process 1 leaves the file of the program.
pub fn leave_file(trial: &mut Trial<'_>) -> Done {
    match sys::seccomp_mode() {
        _ if sys::can_leave_file(trial.start) => Ok(()),
        Ok(0) => Err(Failure::INVAL),
        _ => Err(Failure::PERM),
    }
}

/// A cgroup of version 2.
pub fn cgroup2() -> Done {
    tree::own(procfs::open()?).map(|_| ())
}

/// The controllers that a child of our cgroup can have.
pub fn controllers(trial: &mut Trial<'_>) -> Done {
    let mut list = [0u8; 512];
    let file = files::open(tree::own(procfs::open()?)?, c"cgroup.controllers", OFlags::RDONLY)?;
    let length = read(file, &mut list)? as usize;
    let list = list.get(..length.saturating_sub(1)).unwrap_or_default();
    trial.detail.push(list);
    if list.is_empty() { Err(Failure::NO_CONTROLLERS) } else { Ok(()) }
}

/// A child of our cgroup: it is made and removed.
pub fn delegation() -> Done {
    let own = tree::own(procfs::open()?)?;
    let mut name = Short::new();
    let name = name.push(b"nsinit-probe-").push_own_id().c_str();
    files::make_directory(own, name, 0o755)?;
    Ok(unlinkat(own, name, AtFlags::REMOVEDIR)?)
}

/// The arguments of a launch of nsinit. The first word is not read.
macro_rules! launch {
    ($($word:literal)*) => {
        [Slot::new(Word::END), $(Slot::new(Word::new($word)),)* Slot::new(Word::new(EXE)), Slot::new(Word::new(c"--version")), Slot::new(Word::END)]
    };
}

static CONTAINER: [Slot; 8] = launch!(c"nsinit" c"--root" c"/" c"--");
#[cfg(feature = "ids")]
static OF_MANY: [Slot; 9] = launch!(c"nsinit" c"--root" c"/" c"--map-auto" c"--");

const EXE: &CStr = c"/proc/self/exe";

/// A whole container, of the caller's root.
pub fn root(trial: &mut Trial<'_>) -> Done {
    launch(trial, &CONTAINER)
}

/// A container with the ids that /etc/subuid and /etc/subgid grant to the caller.
#[cfg(feature = "ids")]
pub fn many_ids(trial: &mut Trial<'_>) -> Done {
    launch(trial, &OF_MANY)
}

/// Executes nsinit. Its message is the reason of a failure, or a warning.
fn launch(trial: &mut Trial<'_>, words: &'static [Slot]) -> Done {
    let pipe = Pipe::new(PipeFlags::empty())?;
    let child = match connect::plain_fork()? {
        Fork::Child => {
            let null = files::open_path(c"/dev/null", OFlags::RDWR);
            let run = null.and_then(|null| {
                sys::put(Standard::Input, null)?;
                sys::put(Standard::Output, null)?;
                sys::put(Standard::Error, pipe.write)?;
                Err(sys::execve(EXE, Argv::new(words), Env::NONE))
            });
            sys::exit(run.map_or_else(|why: Failure| why.number() as i32, |()| 0))
        }
        Fork::Parent(child) => child,
    };
    sys::close(pipe.write);
    let mut message = [0u8; PATH];
    let mut length = 0;
    while let Some(rest) = message.get_mut(length..)
        && let Ok(more @ 1..) = read(pipe.read, rest)
    {
        length += more as usize;
    }
    let message = text::first(message.get(..length).unwrap_or_default(), b'\n');
    trial.detail.push(text::after(message, b"nsinit: ").unwrap_or(message));
    match sys::wait_end(child.as_raw_nonzero().get())? {
        0 => Ok(()),
        // Without a message, it is the errno of execve(2).
        status => Err(Failure::new(status.into())),
    }
}
