//! Why execve(2) fails.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{Access, AtFlags, OFlags, StatVfsMountFlags, accessat, fstatvfs};

use crate::sys::files::{self, HERE, read};
use crate::sys::{self, Failure};

use super::{Cause, of_errno};

/// The shell that executes a file whose format the kernel does not know, as with execvp(3).
pub const SH: &CStr = c"/bin/sh";

/// Whether the shell can read a file as a script: it is readable, and not an ELF file.
#[must_use]
pub fn is_script(path: &CStr) -> bool {
    machine(path) == Some(0)
}

/// The machine of an ELF file, `e_machine` (elf(5)); 0 for any other file; `None` for one that can't be read.
fn machine(path: &CStr) -> Option<u16> {
    let mut head = [0u8; 20];
    let file = files::open(HERE, path, OFlags::RDONLY | OFlags::NONBLOCK).ok()?;
    read(file, head.as_mut_slice()).ok()?;
    let machine = match head {
        [0x7f, b'E', b'L', b'F', _, 2, .., high, low] => u16::from_be_bytes([high, low]),
        [0x7f, b'E', b'L', b'F', .., low, high] => u16::from_le_bytes([low, high]),
        _ => return Some(0),
    };
    // An ELF file that names no machine is damaged: it is not one of another machine.
    Some(if machine == 0 { sys::MACHINE } else { machine })
}

/// Why a file was not executed.
#[must_use]
pub fn of_execution(path: &CStr, why: Failure) -> Cause {
    let file = files::open(HERE, path, OFlags::PATH);
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
        (Failure::NOEXEC, _) => match machine(path) {
            Some(0) if files::open(HERE, SH, OFlags::PATH).is_err() => Cause::NoShell,
            Some(0) | None => Cause::Unknown,
            Some(sys::MACHINE) => Cause::Unknown,
            Some(_) => Cause::OtherMachine,
        },
        _ => of_errno(why),
    }
}
