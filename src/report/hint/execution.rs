//! Why execve(2) fails.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{Access, AtFlags, OFlags, StatVfsMountFlags, accessat, fstatvfs};

use crate::sys::files::{self, HERE};
use crate::sys::program::{SH, machine_of};
use crate::sys::{self, Failure};

use super::{Cause, of_errno};

/// Why a file was not executed.
#[must_use]
pub fn of_execution(path: &CStr, why: Failure) -> Cause {
    let file = files::open_path(path, OFlags::PATH);
    match (why, file) {
        (Failure::NOENT, Ok(_)) => Cause::NoInterpreter,
        (Failure::NOENT, Err(Failure::NOENT)) if files::look(HERE, path).is_ok() => Cause::DanglingLink,
        (Failure::ACCESS, Ok(file)) if files::kind(file) != Ok(raw::S_IFREG) => Cause::NoFile,
        (Failure::ACCESS, Ok(file))
            if fstatvfs(file).is_ok_and(|stat| stat.f_flag.contains(StatVfsMountFlags::NOEXEC)) =>
        {
            Cause::MountedNoexec
        }
        (Failure::ACCESS, Ok(_)) if accessat(HERE, path, Access::EXEC_OK, AtFlags::EACCESS).is_err() => {
            Cause::NoPermission
        }
        (Failure::NOEXEC, _) => match machine_of(path) {
            Some(0) if files::open_path(SH, OFlags::PATH).is_err() => Cause::NoShell,
            Some(0) | None => Cause::Unknown,
            Some(sys::MACHINE) => Cause::Unknown,
            Some(_) => Cause::OtherMachine,
        },
        _ => of_errno(why),
    }
}

/// Why there is no program of this name, where the words are a command to be run in place: what a user of other programs means.
#[must_use]
pub fn of_first_word(word: &CStr) -> Cause {
    match word.to_bytes() {
        _ if files::directory(HERE, word).is_ok() => Cause::RootMeant,
        b"run" | b"exec" | b"create" | b"start" | b"stop" | b"list" | b"logs" | b"shell" => Cause::NoSubcommands,
        _ => Cause::Unknown,
    }
}
