//! The kinds of namespaces (namespaces(7)): one table, a row each.

use core::ffi::CStr;

use linux_raw_sys::general as raw;

use crate::sys;

macro_rules! kinds {
    ($($flag:ident $name:literal $reported:literal;)*) => {
        /// Each with its path below /proc/PID.
        static ALL: [(u32, &CStr); COUNT] = [$((raw::$flag, below_proc(concat!("ns/", $name, "\0")))),*];

        /// How many kinds there are.
        pub const COUNT: usize = [$(raw::$flag),*].len();

        /// The kinds that bubblewrap's JSON does not have (CLONE_NEW*).
        pub const UNREPORTED: u32 = 0 $(| if $reported { 0 } else { raw::$flag })*;
    };
}

kinds! {
    // The flag of clone(2); the name in /proc/PID/ns and in messages; whether bubblewrap's JSON has it.
    CLONE_NEWCGROUP "cgroup" true;
    CLONE_NEWIPC "ipc" true;
    CLONE_NEWNS "mnt" true;
    CLONE_NEWNET "net" true;
    CLONE_NEWPID "pid" true;
    CLONE_NEWTIME "time" false;
    CLONE_NEWUSER "user" false;
    CLONE_NEWUTS "uts" true;
}

const fn below_proc(path: &str) -> &CStr {
    match CStr::from_bytes_with_nul(path.as_bytes()) {
        Ok(path) => path,
        Err(_) => panic!("a path ends with its only NUL"),
    }
}

/// Each kind (CLONE_NEW*) with its path below /proc/PID.
pub fn all() -> impl Iterator<Item = (u32, &'static CStr)> {
    ALL.iter().copied()
}

/// The path of a kind below /proc/PID.
#[must_use]
pub fn path(kind: u32) -> &'static CStr {
    all().find(|(flag, _)| *flag == kind).map_or(c"", |(_, path)| path)
}

/// The name of a kind, from its path.
#[must_use]
pub fn name(path: &'static CStr) -> &'static [u8] {
    sys::tail(path, b"ns/".len()).to_bytes()
}
