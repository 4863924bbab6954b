//! Joining namespaces that exist: setns(2).

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::OFlags;

use crate::fs::procfs;
use crate::ns::find;
use crate::ns::target::{FD, Target};
use crate::report::hint;
use crate::report::message::blame_hint;
use crate::say;
use crate::spec::kinds;
use crate::sys::files::{self, Fd, HERE};
use crate::sys::{self, Done, Failure};
use crate::text::{self, Text};

/// Joins the target's namespaces of the kinds `wanted` (CLONE_NEW*) in one call, or one by one if setns(2) does not accept a pidfd
/// (before Linux 5.8).
///
/// # Errors
/// EPERM: nsinit has no CAP_SYS_ADMIN in the user namespace that owns one of them; ESRCH: the target has ended; EINVAL: nsinit is in
/// that user namespace already.
pub fn all_of(target: Target, wanted: u32) -> Done {
    match target.handle.map_or(Err(Failure::INVAL), |handle| sys::join(handle, wanted)) {
        Err(Failure::INVAL) => {}
        done => return done,
    }
    let mut list = [(0, HERE); kinds::COUNT];
    for ((kind, path), entry) in kinds::all().zip(&mut list).filter(|((kind, _), _)| wanted & kind != 0) {
        *entry = (kind, files::open(target.directory, path, OFlags::RDONLY)?);
    }
    one_by_one(&mut list).map_err(|(_, why)| why)
}

/// Joins the namespaces that `--join-KIND` names: a kind (CLONE_NEW*) and the option's value each.
///
/// # Errors
/// Reported: the first that cannot be found or joined. Some may be joined then; the caller must not go on.
pub fn named(wanted: &[(u32, &CStr)], proc: Fd) -> Done {
    let mut list = [(0, HERE); kinds::COUNT];
    let failed = |kind: u32, why: Failure| {
        let mut on = Text::new();
        on.push(kinds::name(kinds::path(kind)));
        for (_, word) in wanted.iter().filter(|(other, _)| *other == kind) {
            on.byte(b' ').push(word.to_bytes());
        }
        let with_user = wanted.iter().any(|(kind, _)| *kind == raw::CLONE_NEWUSER);
        blame_hint(say!("join namespace"), on.c_str(), why, hint::of_join(with_user, why).hint())
    };
    for ((kind, word), entry) in wanted.iter().zip(&mut list) {
        *entry = (*kind, open(*kind, word, proc).map_err(|why| failed(*kind, why))?);
    }
    one_by_one(&mut list).map_err(|(kind, why)| failed(kind, why))
}

/// Joins namespaces: a kind and a descriptor each. Some can be joined only from within a user namespace that is joined too, some only
/// from outside of it: a namespace that cannot be joined before the user namespace is tried again after it.
///
/// # Errors
/// The kind and the errno of the first that fails both times.
fn one_by_one(list: &mut [(u32, Fd)]) -> Result<(), (u32, Failure)> {
    for last in [false, true] {
        // The user namespace is joined between the two rounds.
        for user in [last, !last] {
            let mut failed = Ok(());
            for (kind, fd) in list.iter_mut().filter(|(kind, _)| (*kind == raw::CLONE_NEWUSER) == user) {
                if *kind == 0 {
                    continue;
                }
                match sys::join(*fd, *kind) {
                    Ok(()) => *kind = 0,
                    Err(why) if failed.is_ok() => failed = Err((*kind, why)),
                    Err(_) => {}
                }
            }
            if last || user {
                failed?;
            }
        }
    }
    Ok(())
}

/// `NSFS_MAGIC`.
const NSFS: u64 = 0x6e73_6673;

/// The namespace of that kind that `word` names: `fd:N`, the path of a namespace, or a process as [`find::process`] takes it.
fn open(kind: u32, word: &CStr, proc: Fd) -> Result<Fd, Failure> {
    if let Some(number) = text::after(word.to_bytes(), FD) {
        return text::number(number).map(sys::given).ok_or(Failure::BADF);
    }
    if text::number(word.to_bytes()).is_none() {
        match find::open_file(word) {
            Ok(file) if procfs::file_system(file) == Ok(NSFS) => return Ok(file),
            // It may be the name of a container.
            Ok(_) | Err(Failure::NOENT | Failure::LOOP) => {}
            Err(why) => return Err(why),
        }
    }
    let found = find::process(word, proc)?;
    files::open(found.directory, kinds::path(kind), OFlags::RDONLY)
}
